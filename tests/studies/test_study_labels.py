"""Measures against labels: the numbers of the evaluation room, taken again when labels change, without a new trace."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from dkd import PoseTrack, Study, export, get_sample, get_skeleton, summarise
from dkd.cli.main import main
from dkd.datasets.sample_clips import load_samples
from dkd.errors import ConfigError, DatasetError, ShapeError
from dkd.evaluation.people import measure_person
from dkd.evaluation.tracks import TrackMethod
from dkd.studies.columns import LABEL_COLUMNS, SETTING_COLUMNS
from dkd.studies.labels import Labels, measure_against, read_labels
from dkd.studies.settings import StudySettings, write_settings
from dkd.studies.table import read_table, write_table
from tests.studies.test_study import NoWorker
from tests.support.official_folders import write_penn

FRAMES = 12
SAMPLE = get_sample("rendered_walk")
PENN = get_skeleton("penn_action")
NAMES = {
    "pck_20": "PCK@0.2", "pck_10": "PCK@0.1", "pck_05": "PCK@0.05", "auc": "AUC",
    "velocity_error": "velocity error %", "acceleration_error": "acceleration error %",
    "labelled_joints": "joints counted",
}  # fmt: skip


def of_the_evaluation_room(poses: Path, n_frames: int) -> pd.Series:
    """Measure a pose file of the sample's first frames as ``dkd evaluate`` does."""
    table = measure_person(TrackMethod("theirs", poses), "samples", load_samples()[0], n_frames)
    assert table is not None
    return summarise(table).iloc[0]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study of one labelled clip that was run; the tests that share it only read it."""
    folder = tmp_path_factory.mktemp("labelled")
    shutil.copy(SAMPLE.path, folder / "rendered_walk.mp4")
    shutil.copy(SAMPLE.ground_truth_path or "", folder / "truth.npz")
    box = ",".join(f"{edge:g}" for edge in SAMPLE.box)
    (folder / "study.csv").write_text(
        f'video,person,box,stop,labels,side\nrendered_walk.mp4,Anna,"{box}",{FRAMES},truth.npz,left\n'
    )
    write_settings(folder / "study.yaml", StudySettings(engine="torch", export=(".slp",)))
    study = Study(folder)
    assert [one.error for one in study.run(1)] == [None]
    return study


@pytest.fixture
def copied(done: Study, tmp_path: Path) -> Study:
    shutil.copytree(done.folder, tmp_path, dirs_exist_ok=True)
    return Study(tmp_path)


def clip_of(study: Study) -> pd.Series:
    return study.clips().iloc[0]


def with_labels(study: Study, labels: str) -> Study:
    """Change the labels of the only row, and run the study: nothing is traced."""
    (row,) = read_table(study.folder / "study.csv")
    write_table(study.folder / "study.csv", [dataclasses.replace(row, labels=labels)])
    assert list(study.run(engine=NoWorker({}))) == []
    return study


def test_a_clip_has_the_numbers_of_the_evaluation_room(done: Study) -> None:
    (row,) = done.rows
    theirs = of_the_evaluation_room(done.folder / "exports" / f"{row.name}.slp", FRAMES)
    clip = clip_of(done)
    for ours, name in NAMES.items():
        assert clip[ours] == pytest.approx(theirs[name], rel=1e-3), name  # .slp has float32
    assert clip["pck_20"] > 0.9 and clip["labelled_frames"] == FRAMES
    assert clip["side_flips"] == theirs["flips"] * FRAMES / 100
    assert clip["labels"] == "truth.npz" and pd.isna(clip["labels_error"])


def test_missing_and_swapped_joints_count_as_in_the_evaluation_room(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    joints = np.asarray(SAMPLE.joints(), float)
    found = joints + random.normal(0, 12, joints.shape)
    found[20:30] = found[20:30, PENN.flip_permutation]
    found[random.random(found.shape[:2]) < 0.1] = np.nan
    n = len(found)
    track = PoseTrack(found[:, None], np.ones((n, 1, 13)), PENN, np.arange(n), np.arange(n) / 30, fps=30.0)
    export(track, tmp_path / "rendered_walk.parquet")
    theirs = of_the_evaluation_room(tmp_path / "rendered_walk.parquet", n)
    labels = read_labels(SAMPLE.ground_truth_path or Path(), PENN, "anybody")
    ours = measure_against(found, 0, labels, PENN)
    for name, other in NAMES.items():
        assert ours[name] == pytest.approx(theirs[other], rel=1e-7), name  # the room keeps lengths as float32
    assert ours["side_flips"] == round(theirs["flips"] * n / 100) > 0
    assert 0.5 < ours["pck_10"] < ours["pck_20"] < 0.95


def test_frames_are_those_of_the_video() -> None:
    joints = np.random.default_rng(0).uniform(0, 100, (6, 13, 2))
    labels = Labels(np.array([3, 10, 12, 40]), joints[:4], np.ones((4, 13), bool))
    track = np.full((5, 13, 2), 1e4)  # of the frames 9 to 13
    track[1], track[3] = joints[1], joints[2]
    found = measure_against(track, 9, labels, PENN)
    assert (found["labelled_frames"], found["labelled_joints"], found["pck_05"]) == (2, 26, 1.0)
    assert found["velocity_error"] is None  # no two frames that follow each other are labelled
    with pytest.raises(DatasetError, match="expected labels of the frames 13 to 14 of the video, got those of 3 to 40"):
        measure_against(track[:2], 13, labels, PENN)


def test_other_labels_need_no_new_trace(copied: Study, caplog: pytest.LogCaptureFixture) -> None:
    before = clip_of(copied)
    # Labels that are exactly what was found.
    shutil.copy(next((copied.folder / "exports").glob("*.slp")), copied.folder / "found.slp")
    assert clip_of(with_labels(copied, "found.slp"))["pck_05"] == 1.0
    missing = clip_of(with_labels(copied, "gone.csv"))
    assert missing["labels_error"].startswith("DatasetError: the labels cannot be read: ")
    assert np.isnan(missing["pck_05"]) and "the labels of 1 rows cannot be used" in caplog.text
    none = clip_of(with_labels(copied, ""))
    assert none[list(LABEL_COLUMNS)].isna().all()
    again = clip_of(with_labels(copied, "truth.npz"))
    pd.testing.assert_series_equal(again, before)
    # The same name with other content.
    joints = np.asarray(SAMPLE.joints())
    np.savez(copied.folder / "truth.npz", joints=joints + 1000)
    assert list(copied.run(engine=NoWorker({}))) == []
    assert clip_of(copied)["pck_20"] == 0.0


def test_labels_are_shown(copied: Study, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "show", str(copied.folder)]) == 0
    shown = capsys.readouterr().out
    clip = clip_of(copied)
    assert f"1 clips with labels, {clip['labelled_joints']} joints: PCK@0.2 {clip['pck_20']:.3f}" in shown
    (copied.folder / "bad.slp").write_bytes(b"no labels")
    with_labels(copied, "bad.slp")
    assert main(["study", "show", str(copied.folder)]) == 0
    assert "labels: bad.slp (Anna): DatasetError: " in capsys.readouterr().out


def test_tables_of_clips_of_earlier_versions_are_read(copied: Study) -> None:
    file = copied.folder / "clips.parquet"
    wanted = copied.clips()
    table = pq.read_table(file)
    facts = json.loads(table.schema.metadata[b"dkd"])
    assert facts["format"] == "dkd-study/3"
    second = table.drop_columns(list(SETTING_COLUMNS))
    pq.write_table(
        second.replace_schema_metadata({b"dkd": json.dumps({**facts, "format": "dkd-study/2"}).encode()}), file
    )
    pd.testing.assert_frame_equal(copied.clips(), wanted)
    old = second.drop_columns(list(LABEL_COLUMNS))
    pq.write_table(old.replace_schema_metadata({b"dkd": json.dumps({**facts, "format": "dkd-study/1"}).encode()}), file)
    read = copied.clips()
    assert read[list(LABEL_COLUMNS)].isna().all().all() and read.columns.tolist() == wanted.columns.tolist()
    assert list(copied.run(engine=NoWorker({}))) == []  # measured again, not traced
    pd.testing.assert_frame_equal(copied.clips(), wanted)
    pq.write_table(old, file)  # version 3 without its columns
    with pytest.raises(DatasetError, match="other columns than expected"):
        copied.clips()


def test_labels_of_the_data_sets_and_of_several_people_are_read(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    joints = random.uniform(50, 200, (4, 13, 2)).round()
    visible = random.random((4, 13)) < 0.8
    file = joints[:, list(PENN.flip_permutation)] + 1  # the subject's right joint first, pixels from 1
    seen = visible[:, list(PENN.flip_permutation)]
    mat = write_penn(tmp_path, n_frames=4, n_images=0, x=file[..., 0], y=file[..., 1], visibility=seen.astype(np.uint8))
    penn = read_labels(mat, PENN, "person")
    assert np.array_equal(penn.joints, joints) and np.array_equal(penn.visible, visible)
    both = np.stack([joints, joints + 300], 1)
    track = PoseTrack(both, np.ones((4, 2, 13)), PENN, np.array([0, 2, 4, 6]), np.full(4, np.nan), ("anna", "ben"))
    export(track, tmp_path / "two.parquet")
    ben = read_labels(tmp_path / "two.parquet", PENN, "ben")
    assert np.array_equal(ben.joints, joints + 300) and ben.frames.tolist() == [0, 2, 4, 6]
    with pytest.raises(ConfigError, match="has the people anna, ben; give the row's person one of these names"):
        read_labels(tmp_path / "two.parquet", PENN, "person")
    np.savez(tmp_path / "flat.npz", joints=joints[0])
    with pytest.raises(ShapeError, match="'joints' in"):
        read_labels(tmp_path / "flat.npz", PENN, "person")


def test_a_row_with_labels_of_another_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "study.csv").write_text("video,labels\na.mp4,b.csv\nc.mp4,d.doc\n")
    with pytest.raises(ConfigError, match="line 3: expected labels that end in .coco.json, .csv, .*, got 'd.doc'"):
        read_table(tmp_path / "study.csv")
