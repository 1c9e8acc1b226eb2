"""Pose files of other tools as methods of an evaluation: measured as models are, without running one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dkd import PoseTrack, evaluate, export, summarise
from dkd.cli.main import main
from dkd.datasets.people import PersonSequence
from dkd.errors import ConfigError
from dkd.evaluation.results import Evaluation
from dkd.evaluation.run import Progress
from dkd.evaluation.tracks import find_tracks
from dkd.pose.skeleton import SKELETONS, Skeleton
from tests.support.dotted_people import dotted_person

PENN = SKELETONS["penn_action"]
PEOPLE = {"dots": [dotted_person(0, 6), dotted_person(1, 4)]}


def track_of(person: PersonSequence, by: tuple[float, float] = (0, 0)) -> PoseTrack:
    """The labels, moved, with the joints in another order and spelling."""
    names = tuple(name.title().replace("_", " ") for name in reversed(PENN.joints))
    n = len(person)
    xy = (np.asarray(person.joints, np.float64) + by)[:, None, ::-1]
    frames = np.arange(n)
    return PoseTrack(xy, np.full((n, 1, 13), 0.8), Skeleton("theirs", names, ()), frames, np.full(n, np.nan))


def run(methods: list[str], folder: Path) -> list[Progress]:
    return list(evaluate(methods, ["dots"], folder, people=PEOPLE))


def files_of(folder: Path, by: tuple[float, float] = (0, 0)) -> Path:
    """A folder with a file per video, one of them as DeepLabCut names it."""
    folder.mkdir()
    for person, ending in zip(PEOPLE["dots"], (".slp", "DLC_resnet50.h5"), strict=True):
        export(track_of(person, by), folder / f"{person.name}{ending}")
    return folder


def test_the_labels_themselves_are_all_found_and_moved_ones_are_missed(tmp_path: Path) -> None:
    right, wrong = files_of(tmp_path / "right"), files_of(tmp_path / "wrong", (500, 0))
    assert all(p.fresh and p.error is None for p in run([str(right), str(wrong)], tmp_path / "out"))
    table = Evaluation(tmp_path / "out").table()
    assert len(table) == 2 * (6 + 4) * 13 and set(table.score) == {np.float32(0.8)}
    rows = table[table.model == "right"]
    assert np.allclose(rows.x, rows.true_x) and np.allclose(rows.y, rows.true_y) and rows.in_crop.all()
    assert rows.kernel_drift.isna().all()
    figures = summarise(table, by=("model",))
    assert figures.loc["right", "PCK@0.1"] == 1 and figures.loc["wrong", "PCK@0.1"] == 0


def test_existing_parts_are_found_unless_the_files_change(tmp_path: Path) -> None:
    folder = files_of(tmp_path / "theirs")
    run([str(folder)], tmp_path / "out")
    assert not any(p.fresh for p in run([str(folder)], tmp_path / "out"))
    export(track_of(PEOPLE["dots"][0], (1, 0)), folder / "dots 0.slp")
    assert all(p.fresh for p in run([str(folder)], tmp_path / "out"))


def test_a_video_without_its_file_is_skipped_and_said_so(tmp_path: Path) -> None:
    path = export(replace(track_of(PEOPLE["dots"][0]), source="clips/dots 0.mp4"), tmp_path / "one.slp").path
    first, second = run([str(path)], tmp_path / "out")
    assert first.error is None and second.error is not None and "not of dots 1" in second.error
    folder = files_of(tmp_path / "folder")
    (folder / "dots 0.slp").unlink()
    first, second = run([str(folder)], tmp_path / "out2")
    assert first.error is not None and "dots 0.slp or alike, got none" in first.error and second.error is None


def test_of_several_people_the_one_in_the_box_is_measured(tmp_path: Path) -> None:
    person = PEOPLE["dots"][1]
    far, near = track_of(person, (900, 900)), track_of(person)
    folder = tmp_path / "two"
    both = [replace(far, people=("far",)), replace(near, people=("near",))]
    export(both, folder / f"{person.name}.slp")
    run([str(folder)], tmp_path / "out")
    table = Evaluation(tmp_path / "out").table()
    assert np.allclose(table.x, table.true_x)


def test_what_is_a_pose_file_and_what_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.safetensors").write_bytes(b"")
    for spec in ("dkd-mobilenetv2", "dkd-mobilenetv2+erased", tmp_path / "empty", tmp_path / "a.safetensors"):
        assert find_tracks(spec) is None
    method = find_tracks(export(track_of(PEOPLE["dots"][0]), tmp_path / "theirs.dlc.csv").path)
    assert method is not None and method.name == "theirs"
    with pytest.raises(ConfigError, match="there is no model"):
        run(["none.slp"], tmp_path / "out")


def test_the_command_takes_a_pose_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from dkd import load_people

    (person,) = load_people("samples", "test")[:1]
    xy = person.joints[:4, None]
    track = PoseTrack(xy, np.ones(xy.shape[:3]), PENN, np.arange(4), np.arange(4) / 30, fps=30)
    path = export(track, tmp_path / "theirs.csv").path
    out = ["--out", str(tmp_path / "out"), "--frames", "4", "--clips", "1", "--data", "samples"]
    assert main(["evaluate", str(path), *out]) == 0
    assert "theirs" in capsys.readouterr().out
