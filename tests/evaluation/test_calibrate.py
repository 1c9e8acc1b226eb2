"""``dkd calibrate`` and ``dkd reliability``: counted joints, files written, and results from rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from dkd.cli.main import main
from dkd.datasets.people import PersonSequence
from dkd.errors import ConfigError, DatasetError
from dkd.evaluation.calibrate import calibrate, follow_people, measure_reliability, reliability_of, scores_and_hits
from dkd.evaluation.methods import get_method
from dkd.evaluation.reliability_page import reliability_page
from dkd.models import build_model
from dkd.models.checkpoints import load_model, read_tensors, save_model
from dkd.models.confidence import brier_score, calibration_of, expected_calibration_error
from tests.support.dotted_people import dotted_person
from widgets.evaluation.reliability import reliability_figure


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    model = build_model("dkd-tiny", channels=16, input_size=128)
    with torch.no_grad():
        model.get_parameter("initializer.classifier.weight").normal_(std=0.3)
        model.get_parameter("readout.weight").normal_(std=0.3)
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    save_model(model, path, {"run": "none", "seed": 0}, half=True)
    return path


@pytest.fixture(scope="module")
def people() -> dict[str, Sequence[PersonSequence]]:
    """Return a still; a clip with a hidden joint and two frames without labels; and a person without any label."""
    clip = dotted_person(1, 6)
    joints, visible = clip.joints.copy(), np.ones((6, 13), bool)
    joints[2:4] = np.nan
    visible[:, 7] = False
    nobody = dotted_person(2, 3)
    return {
        "stills": [dotted_person(0, 1)],
        "clips": [
            replace(clip, joints=joints, visible=visible),
            replace(nobody, joints=np.full_like(nobody.joints, np.nan)),
        ],
    }


@pytest.fixture(scope="module")
def rows(checkpoint: Path, people: dict[str, Sequence[PersonSequence]]) -> pd.DataFrame:
    return follow_people(get_method(checkpoint), ["stills", "clips"], people=people)


def test_hidden_and_unlabelled_joints_are_not_counted(rows: pd.DataFrame) -> None:
    scores, hit = scores_and_hits(rows)
    assert len(scores) == len(hit) == 13 + 4 * 12
    counted = rows[rows.visible & rows.true_x.notna()]
    error = np.hypot(counted.x - counted.true_x, counted.y - counted.true_y)
    np.testing.assert_array_equal(hit, error <= 0.1 * counted.box_side)
    np.testing.assert_array_equal(scores, counted.score)


def test_a_new_checkpoint_has_it_and_the_same_weights(
    checkpoint: Path, people: dict[str, Sequence[PersonSequence]], rows: pd.DataFrame, tmp_path: Path
) -> None:
    out = tmp_path / "calibrated.safetensors"
    told: list[str] = []
    measured = calibrate(checkpoint, ["stills", "clips"], out, people=people, tell=lambda i, n, name: told.append(name))
    before, after = read_tensors(checkpoint)[0], read_tensors(out)[0]
    assert before.keys() == after.keys()
    assert all(before[k].dtype == after[k].dtype and torch.equal(before[k], after[k]) for k in before)
    model = load_model(out)
    calibration = calibration_of(model)
    assert calibration is not None
    assert (calibration.n, calibration.data) == (61, ("stills", "clips"))
    assert {k: v for k, v in model.provenance.items() if k != "confidence"} == {"run": "none", "seed": 0}
    assert calibration.ece == pytest.approx(measured.ece, abs=1e-6)
    scores, hit = scores_and_hits(rows)
    assert measured.ece == pytest.approx(expected_calibration_error(calibration(scores), hit))
    assert measured.brier == pytest.approx(brier_score(calibration(scores), hit))
    assert measured.calibrated and measured.table.n.sum() == measured.n == 61
    assert told[-1] == "followed" and len(told) == 4
    again = measure_reliability(out, ["stills", "clips"], people=people)
    pd.testing.assert_frame_equal(again.table, measured.table)
    assert calibration_of(load_model(checkpoint)) is None  # what was there is untouched


def test_variants_are_measured_too_and_a_model_without_says_score(
    checkpoint: Path, people: dict[str, Sequence[PersonSequence]]
) -> None:
    measured = measure_reliability(f"{checkpoint}+reinit", ["clips"], people=people)
    assert measured.method == "small+reinit"
    assert not measured.calibrated
    assert "no calibration" in str(measured)
    page = reliability_page(measured)
    assert "mean score (not calibrated)" in page and "<svg" in page and "http" not in page
    assert page.count("<circle") == (measured.table.n > 0).sum()


def test_impossible_requests_are_errors_and_write_no_files(
    checkpoint: Path, people: dict[str, Sequence[PersonSequence]], rows: pd.DataFrame, tmp_path: Path
) -> None:
    out = tmp_path / "out.safetensors"
    with pytest.raises(ConfigError, match="without variants"):
        calibrate(f"{checkpoint}+erased", ["clips"], out, people=people)
    with pytest.raises(ConfigError, match="new file"):
        calibrate(checkpoint, ["clips"], checkpoint, people=people)
    with pytest.raises(ConfigError, match=r"\.safetensors"):
        calibrate(checkpoint, ["clips"], tmp_path / "out.bin", people=people)
    with pytest.raises(DatasetError, match="labelled joints"):
        calibrate(checkpoint, ["nobody"], out, people={"nobody": people["clips"][1:]})
    with pytest.raises(DatasetError, match="could not track anyone"):
        calibrate(checkpoint, ["nobody"], out, people={"nobody": []})
    with pytest.raises(ConfigError, match="at least one clip"):
        calibrate(checkpoint, ["clips"], out, people=people, n_clips=0)
    other = [replace(dotted_person(0, 2), skeleton="sub_jhmdb", joints=np.zeros((2, 15, 2), np.float32))]
    with pytest.raises(ConfigError, match="sub_jhmdb"):
        calibrate(checkpoint, ["other"], out, people={"other": other})
    two = pd.concat([rows, rows.assign(model="another")])
    with pytest.raises(ConfigError, match="rows of one method"):
        reliability_of(two, None)
    assert list(tmp_path.iterdir()) == []


def test_the_commands(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, page = tmp_path / "new.safetensors", tmp_path / "page.html"
    assert main(["calibrate", str(checkpoint), "--data", "samples", "--frames", "2", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "n = 2" in said and "optimistic" in said and "ECE" in said
    asked = ["reliability", str(out), "--data", "samples", "--frames", "2", "--bins", "5"]
    assert main([*asked, "--save", str(page)]) == 0
    said = capsys.readouterr().out
    assert "new on samples" in said and "confidence against" in said and "Brier" in said
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert main([*asked, "--save", str(tmp_path / "table.csv")]) == 0
    assert len(pd.read_csv(tmp_path / "table.csv")) == 5
    assert main([*asked, "--save", "table.xlsx"]) == 2
    assert ".html or .csv" in capsys.readouterr().err


def test_the_figure_shows_the_table(rows: pd.DataFrame) -> None:
    measured = reliability_of(rows, None)
    figure = reliability_figure(measured)
    bars = figure.data[0]
    filled = measured.table[measured.table.n > 0]
    np.testing.assert_allclose(bars.y, filled.hits)
    np.testing.assert_allclose(np.array(bars.y) + np.array(bars.error_y.array), filled.upper)
    np.testing.assert_allclose(np.array(bars.y) - np.array(bars.error_y.arrayminus), filled.lower)
    np.testing.assert_allclose(bars.width, 0.1)
    assert "not calibrated" in figure.layout.xaxis.title.text
    assert "0.1 of the box" in figure.layout.yaxis.title.text
