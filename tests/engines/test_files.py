"""The model as ONNX files, and the program in docs/speed.md that runs them with NumPy and ONNX Runtime only."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dkd.cli.main import main
from dkd.pose.crops import BOX_MARGIN, box_to_crop
from dkd.tracking.conditions import Conditions
from dkd.tracking.trace import Trace
from dkd.video.clip import Clip
from dkd.video.samples import get_sample

PAGE = Path(__file__).resolve().parents[2] / "docs" / "speed.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "model"
    assert main(["export-model", "dkd-mobilenetv2", str(out)]) == 0
    return out


def test_the_program_of_the_docs_tracks_as_the_library_does(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a square that follows the joints, until it is so large that the library averages blocks of pixels."""
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    imported = {
        name.name for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Import) for name in node.names
    }
    assert imported == {"json", "sys", "numpy", "onnxruntime"}
    monkeypatch.setattr(sys, "argv", ["track.py", str(folder)])
    names: dict[str, Any] = {}
    exec(compile(program, str(PAGE), "exec"), names)
    sample = get_sample("rendered_walk")
    square = box_to_crop(sample.box, BOX_MARGIN)
    with Clip(sample.path) as clip:
        conditions = Conditions(square="joints")
        trace = Trace("dkd-mobilenetv2", clip, sample.box, conditions, stop=60, engine="torch", progress=False)
        n = next(t for t, crop in enumerate(trace.crops) if crop.side >= 2 * 192)
        found = list(names["track"](clip.frames(0, n), square.left, square.top, square.side))
    joints, scores = (np.stack(part) for part in zip(*found, strict=True))
    assert n > 20
    assert np.linalg.norm(joints - trace.joints[:n], axis=-1).max() < 0.1
    np.testing.assert_allclose(scores, trace.scores[:n], rtol=0, atol=1e-3)


def test_the_files_say_what_they_are(folder: Path) -> None:
    facts = json.loads((folder / "model.json").read_text())
    assert facts["input_size"] == 192 and len(facts["joints"]) == 13
    assert sorted(file.name for file in folder.iterdir()) == ["model.json", "start.onnx", "step.onnx"]


def test_only_a_dkd_hands_kernels_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export-model", "simple-baseline-mobilenetv2", str(tmp_path / "out")]) == 2
    assert "expected a DKD" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
