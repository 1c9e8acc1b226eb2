"""Copy what live pages need of ONNX Runtime Web from ``node_modules`` to ``widgets/live_page/onnxruntime``, compressed.

    python scripts/pack_onnxruntime_web.py

The version is that of ``package-lock.json``. Users of the workbench need neither Node nor a network for a live page, so
the files are shipped. Run this after the version was changed; a test compares the copies with the package.
"""

from __future__ import annotations

import gzip
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "node_modules" / "onnxruntime-web" / "dist"
# Two builds. The smallest: WebAssembly with SIMD, without WebGPU; it also runs with one thread, as a page from a file
# must. And the smaller one of those with WebGPU, for browsers in which WebAssembly can wait for it (JSPI).
FILES = (
    "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm",
    "ort.jspi.bundle.min.mjs", "ort-wasm-simd-threaded.jspi.wasm",
)  # fmt: skip
COPIES = ROOT / "widgets" / "live_page" / "onnxruntime"


def main() -> None:
    """Write the copies: gzip, which browsers unpack, and the same bytes whenever it is run."""
    COPIES.mkdir(exist_ok=True)
    for name in FILES:
        data = gzip.compress((PACKAGE / name).read_bytes(), 9, mtime=0)
        (COPIES / f"{name}.gz").write_bytes(data)
        print(f"{name}: {len(data) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
