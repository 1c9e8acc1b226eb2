"""A live page from Python's side: the shipped runtime, what may run in it, and that it is whole or not there at all."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest

from dkd.cli.main import main
from dkd.errors import BoxError, CheckpointError, ConfigError, StorageError
from dkd.models.base import VideoPoseModel
from dkd.models.registry import build_model
from tests.support.fake_trace import FakeClip
from tests.widgets.test_page import HOSTILE, contents_of, read
from widgets import save_live_page
from widgets.live_page.runtime import FOLDER, WASM, WEBGPU, runtime_script

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", [*WASM, *WEBGPU])
def test_the_shipped_runtime_is_that_of_the_lock(name: str) -> None:
    """If this fails, run scripts/pack_onnxruntime_web.py."""
    package = ROOT / "node_modules" / "onnxruntime-web"
    assert gzip.decompress((FOLDER / f"{name}.gz").read_bytes()) == (package / "dist" / name).read_bytes()
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]["node_modules/onnxruntime-web"]["version"]
    assert runtime_script(WASM[0])[1] == runtime_script(WEBGPU[0])[1]
    assert runtime_script()[1] == locked == json.loads((package / "package.json").read_text())["version"]


@pytest.mark.parametrize("name", [WASM[0], WEBGPU[0]])
def test_the_runtimes_exports_become_an_object(name: str) -> None:
    script, _ = runtime_script(name)
    assert script.startswith("const ort = (() => {") and not re.search(r"\bexport\s*\{", script)
    assert re.search(r"return \{.*\bInferenceSession: \w+.*\bTensor: \w+.*\benv: \w+", script)


@pytest.fixture(scope="module")
def model() -> VideoPoseModel:
    """A small DKD with random weights, and with a name that is markup."""
    model = build_model("dkd-tiny")
    model.name = HOSTILE
    return model


def test_a_page_is_whole_or_not_there(tmp_path: Path, model: VideoPoseModel, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tiny.html"
    path.write_text("before")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(StorageError, match="No space left"):
        patch.setattr("widgets.live_page.live_page.render", fail)
        save_live_page(path, model, FakeClip(2))
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]
    saved = save_live_page(path, model, FakeClip(9), (60, 40, 200, 220), name=HOSTILE)
    assert saved.megabytes == pytest.approx(path.stat().st_size / 1e6) and list(tmp_path.iterdir()) == [path]

    reader = read(path)
    policy = next(a["content"] for tag, a in reader.elements if a.get("http-equiv") == "Content-Security-Policy") or ""
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["connect-src"] == rules["default-src"] == "'none'"
    assert rules["worker-src"] == "data:" and rules["media-src"] == "blob:"
    assert [word for word in rules["script-src"].split() if "sha256" not in word] == ["blob:", "'wasm-unsafe-eval'"]
    assert not any(a.get("onerror") or a.get("src") == "x" for _, a in reader.elements)
    contents = contents_of(reader)
    assert contents["facts"]["name"] == contents["sample"]["name"] == HOSTILE
    assert contents["sample"]["times"] == FakeClip(9).times.tolist() and len(contents["sample"]["pictures"]) == 2
    readout = np.reshape(contents["facts"]["readout"], (len(model.skeleton), contents["facts"]["channels"]))
    assert np.array_equal(np.float32(readout), model.readout.weight.detach().numpy()[..., 0, 0])  # type: ignore[operator,union-attr]


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"path": "x.pdf"}, ConfigError, "ends in .html"),
        ({"max_mb": 0.5}, ConfigError, "do not fit beside them"),
        ({"max_mb": float("nan")}, ConfigError, "largest size in MB"),
        ({"clip": FakeClip(601)}, ConfigError, "at most 600 frames, got 601"),
        ({"clip": FakeClip(0)}, ConfigError, "at most 600 frames, got 0"),
        ({"box": (900, 900, 950, 950)}, BoxError, "outside the frame"),
    ],
)
def test_what_cannot_be_a_page_is_refused(
    tmp_path: Path, model: VideoPoseModel, given: dict, error: type[Exception], words: str
) -> None:
    values = {"path": "x.html", "clip": FakeClip(2), **given}
    path = tmp_path / values.pop("path")
    with pytest.raises(error, match=words):
        save_live_page(path, model, **values)
    assert list(tmp_path.iterdir()) == []


def test_only_a_dkd_with_pooled_kernels_that_fit_half_precision_runs_in_a_page(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="pooled kernels only"):
        save_live_page(tmp_path / "x.html", build_model("simple-baseline-tiny"), FakeClip(2))
    large = build_model("dkd-tiny")
    large.projection.weight.data[0] = 1e6  # type: ignore[union-attr,operator]
    with pytest.raises(CheckpointError, match="beyond 65504"):
        save_live_page(tmp_path / "x.html", large, FakeClip(2))
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_wrote_and_what_has_no_meaning(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "dkd.html")
    assert main(["page", "--live", "-o", out, "--reinitialise"]) == 2
    assert "--reinitialise has no meaning with --live" in capfd.readouterr().err
    assert main(["page", "-o", out]) == 2
    assert "expected a video" in capfd.readouterr().err
    assert main(["page", "--live", "-o", out, "--max-mb", "3"]) == 2
    assert "do not fit beside them" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert main(["page", "--live", "-o", out]) == 0
    assert "dkd.html: 3" in capfd.readouterr().out
    assert 30 < (tmp_path / "dkd.html").stat().st_size / 1e6 < 40
