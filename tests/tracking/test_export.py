"""Corrected frames become a data set that loads with the corrected joints, and on which the shipped model trains."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from dkd import Trace, export_corrections, load_model, load_people, load_recipe, train
from dkd.errors import ConfigError, DatasetError, StorageError
from dkd.models import make_model, model_config
from dkd.models.dkd import DKD
from dkd.pose.skeleton import get_skeleton
from dkd.tracking.export import corrected_frames
from dkd.video.clip import Clip
from dkd.video.samples import get_sample

T, BOX = 9, (100.0, 20.0, 240.0, 230.0)
SKELETON = get_skeleton("penn_action")
WRIST, KNEE, ANKLE = (SKELETON.index(name) for name in ("left_wrist", "right_knee", "left_ankle"))


@pytest.fixture(scope="module")
def clip() -> Clip:
    return Clip(get_sample("rendered_walk").path)


@pytest.fixture(scope="module")
def trace(clip: Clip) -> Trace:
    torch.manual_seed(0)
    model = make_model(model_config("dkd-tiny", input_size=128, channels=16, kernel_side=5))
    assert isinstance(model, DKD)
    torch.nn.init.normal_(model.readout.weight, std=0.5)
    return Trace(model, clip, BOX, progress=False, stop=T)


@pytest.fixture(scope="module")
def corrected(trace: Trace) -> Trace:
    placed = trace.correct_joint(2, WRIST, 150.25, 90.5).correct_joint(3, WRIST, 152, 91).hide_joint(3, WRIST)
    return placed.hide_joint(3, KNEE).swap_sides(7, "ankle").drop_frames(5).correct_joint(5, WRIST, 100, 100)


def test_only_frames_with_a_correction_that_the_model_saw(corrected: Trace, trace: Trace) -> None:
    assert corrected_frames(corrected) == [range(2, 4), range(7, 8)]
    assert corrected_frames(corrected.repeat_frame(7)) == [range(2, 4)]
    assert corrected_frames(trace.set_box(3, BOX)) == []


def test_what_is_loaded_is_what_was_corrected(tmp_path: Path, corrected: Trace, clip: Clip) -> None:
    limit = float(np.median(corrected.confidence[2]))
    made = export_corrections(corrected, tmp_path / "set", name="a person/on a walk", first=100, min_confidence=limit)
    assert made.sequences == ("a_person_on_a_walk-000102", "a_person_on_a_walk-000107") and made.n_frames == 3
    people = load_people(str(made.folder))
    assert [person.name for person in people] == list(made.sequences) and [len(p) for p in people] == [2, 1]
    joints = np.concatenate([person.joints for person in people])
    visible = np.concatenate([np.asarray(person.visible) for person in people])
    frames = [2, 3, 7]
    by_hand = corrected.corrected[frames]
    assert np.array_equal(joints[by_hand], corrected.joints[frames][by_hand]) and by_hand.sum() == made.n_corrected == 4
    sure = (corrected.confidence[frames] >= limit) & ~corrected.hidden[frames] & ~by_hand
    assert 0 < sure.sum() == made.n_predicted < (~by_hand).sum()
    np.testing.assert_allclose(joints[sure], corrected.joints[frames][sure], atol=1e-4)
    assert np.isnan(joints[~by_hand & ~sure]).all() and made.n_unlabelled == np.isnan(joints[..., 0]).sum()
    assert np.isnan(joints[1, KNEE]).all()  # hidden, and nobody said where
    assert joints[1, WRIST].tolist() == [152, 91] and not visible[1, WRIST] and visible[0, WRIST]
    for person, first in zip(people, (2, 7), strict=True):
        for k, image in enumerate(person.images):
            difference = np.abs(image.astype(int) - clip.frame(first + k)).mean()
            assert difference < 3 < np.abs(image.astype(int) - clip.frame(first + k + 20)).mean()
    nothing = export_corrections(corrected, tmp_path / "strict", min_confidence=None)
    assert nothing.n_predicted == 0 and nothing.sequences[0] == "rendered_walk-000002"


def test_exports_are_added_and_replaced_by_name(tmp_path: Path, corrected: Trace) -> None:
    folder = tmp_path / "set"
    export_corrections(corrected, folder, name="one")
    export_corrections(corrected, folder, name="two", split="test")
    assert [p.name for p in load_people(str(folder))] == ["one-000002", "one-000007"]
    assert [p.name for p in load_people(str(folder), "test")] == ["two-000002", "two-000007"]
    again = export_corrections(corrected.undo().undo().undo(), folder, name="one")
    assert again.sequences == ("one-000002",)
    assert [p.name for p in load_people(str(folder))] == ["one-000002"]
    assert sorted(p.name for p in (folder / "frames").iterdir()) == ["one-000002", "two-000002", "two-000007"]
    record = json.loads((folder / "corrections.json").read_text())
    assert record["clips"]["two"]["calls"] == list(corrected.calls)


def test_what_cannot_be_exported(tmp_path: Path, corrected: Trace, trace: Trace) -> None:
    with pytest.raises(ConfigError, match="got none in <Trace"):
        export_corrections(trace, tmp_path / "set")
    with pytest.raises(ConfigError, match="split"):
        export_corrections(corrected, tmp_path / "set", split="training")
    assert not (tmp_path / "set").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="it has others"):
        export_corrections(corrected, tmp_path / "other")
    with pytest.raises(StorageError):
        export_corrections(corrected, tmp_path / "other/thesis.txt")
    for damage in ("{", "[]", '{"format": "dkd-corrections/9", "clips": {}}', '{"format": "dkd-corrections/1"}'):
        (tmp_path / "damaged").mkdir(exist_ok=True)
        (tmp_path / "damaged/corrections.json").write_text(damage)
        with pytest.raises(ConfigError, match="damaged or of another version"):
            export_corrections(corrected, tmp_path / "damaged")
    assert [p.name for p in (tmp_path / "damaged").iterdir()] == ["corrections.json"]


def test_a_failed_export_leaves_the_earlier_one(
    tmp_path: Path, corrected: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "set"
    export_corrections(corrected, folder, name="one")
    before = load_people(str(folder))[0].joints
    shutil.rmtree(folder / "frames/one-000007")
    (folder / "frames/one-000007").write_text("a file where a folder should be")
    with pytest.raises(StorageError):
        export_corrections(corrected, folder, name="one")
    (folder / "labels/one-000007.mat").unlink()
    assert np.array_equal(load_people(str(folder))[0].joints, before, equal_nan=True)
    monkeypatch.setenv("DKD_DATA", str(tmp_path / "nothing"))
    with pytest.raises(DatasetError, match="export_corrections"):
        load_people("corrections")


def test_the_shipped_model_learns_from_corrections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person's left wrist is said to be at the right one; after a few steps the model says so, too."""
    monkeypatch.setenv("DKD_DATA", str(tmp_path))
    sample = get_sample("rendered_walk")
    shipped = load_model("dkd-mobilenetv2")
    with Trace(shipped, sample.path, progress=False, stop=4) as begun:
        right = SKELETON.index("right_wrist")
        where = begun.joints[:, right].copy()
        made = begun
        for t in (1, 2):
            made = made.correct_joint(t, WRIST, *(float(v) for v in where[t]), cancel=lambda: True)
        made.run(progress=False)
        export_corrections(made)
        before = np.linalg.norm(begun.predicted_joints[1:, WRIST] - where[1:], axis=-1)
        words = [
            "steps=8",
            "batch=1",
            "n_frames=3",
            "optimiser.learning_rate=2e-3",
            "optimiser.warmup=2",
            "machine.threads=1",
        ]
        words += [
            "data.train=[corrections]",
            "data.shares=[]",
        ]  # without the rendered people, who take a minute to make
        config = load_recipe("corrections", [*words, "augment.motion=0", "augment.distractor=0", "augment.occluder=0"])
        losses = [record.loss for record in train(config, tmp_path / "run")]
        assert np.isfinite(losses).all()
        tuned = load_model(tmp_path / "run/model.safetensors")
        changed = {k for k, v in tuned.state_dict().items() if not torch.equal(v, shipped.state_dict()[k])}
        assert changed and not any(name.startswith("initializer.") for name in changed)
        after_trace = Trace(tuned, begun.clip, begun.box, progress=False, stop=4)
        after = np.linalg.norm(after_trace.joints[1:, WRIST] - where[1:], axis=-1)
        assert after.max() < before.min() / 2
