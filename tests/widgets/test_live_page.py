"""A live page from Python's side: the shipped runtime, what may run in it, and that it is whole or not there at all."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from widgets.live_page.runtime import FOLDER, SCRIPT, WASM, runtime_script

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", [SCRIPT, WASM])
def test_the_shipped_runtime_is_that_of_the_lock(name: str) -> None:
    """If this fails, run scripts/pack_onnxruntime_web.py."""
    package = ROOT / "node_modules" / "onnxruntime-web"
    assert gzip.decompress((FOLDER / f"{name}.gz").read_bytes()) == (package / "dist" / name).read_bytes()
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]["node_modules/onnxruntime-web"]["version"]
    assert runtime_script()[1] == locked == json.loads((package / "package.json").read_text())["version"]


def test_the_runtimes_exports_become_an_object() -> None:
    script, _ = runtime_script()
    assert script.startswith("const ort = (() => {") and not re.search(r"\bexport\s*\{", script)
    assert re.search(r"return \{.*\bInferenceSession: \w+.*\bTensor: \w+.*\benv: \w+", script)
