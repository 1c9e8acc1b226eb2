"""The shipped copy of ONNX Runtime Web, which runs a network in a browser; from ``scripts/pack_onnxruntime_web.py``."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from dkd.errors import ConfigError

FOLDER = Path(__file__).parent / "onnxruntime"
# Script and WebAssembly: of the build that every browser runs, and of the one that also runs a network on WebGPU.
WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
WEBGPU = "ort.jspi.bundle.min.mjs", "ort-wasm-simd-threaded.jspi.wasm"
_EXPORT = re.compile(r"export\{([^}]*)\};?\s*(?://# sourceMappingURL=\S*\s*)?$")
_VERSION = re.compile(r"ONNX Runtime Web v([0-9.]+)")


def runtime_script(name: str = WASM[0]) -> tuple[str, str]:
    """Return the runtime's script for a worker, in which it is called ``ort``, and its version.

    A worker of a page from a file cannot import a module, so what the script exports becomes an object in its place.
    """
    source = gzip.decompress((FOLDER / f"{name}.gz").read_bytes()).decode()
    exported, version = _EXPORT.search(source), _VERSION.search(source)
    if exported is None or version is None:
        raise ConfigError(f"expected {name} to end with its exports; run scripts/pack_onnxruntime_web.py")
    pairs = (pair.split(" as ") for pair in exported[1].split(","))
    names = ", ".join(f"{name}: {local}" for local, name in pairs)
    return f"const ort = (() => {{\n{source[: exported.start()]}\nreturn {{ {names} }};\n}})();\n", version[1]


def runtime_wasm(name: str = WASM[1]) -> bytes:
    """Return the runtime's WebAssembly, compressed with gzip."""
    return (FOLDER / f"{name}.gz").read_bytes()
