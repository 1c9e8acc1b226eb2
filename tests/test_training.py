"""Training learns, is reproducible, goes on where it was stopped, and trains what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from dkd.datasets.augment import AugmentConfig, make_clip
from dkd.datasets.people import PersonSequence, fuse_labels, load_labelled_video, load_person_crops
from dkd.errors import CheckpointError, ConfigError, DatasetError, DKDError
from dkd.heatmaps import gaussian_targets
from dkd.models import DKD, build_model
from dkd.skeleton import get_skeleton
from dkd.training import People, Record, TrainConfig, pose_loss, train

PLAIN = AugmentConfig(scale=(1.2, 1.2), rotation=0, shift=0, motion=0, distractor=0, occluder=0, degrade=0)


def dotted_person(seed: int = 0, n_frames: int = 1) -> PersonSequence:
    """A figure of 13 dots, each in its joint's own colour."""
    rng = np.random.default_rng(seed)
    joints = rng.uniform(60, 200, (13, 2)).astype(np.float32)
    images = []
    for _ in range(n_frames):
        image = np.full((260, 260, 3), 60, np.uint8)
        for j, (x, y) in enumerate(joints):
            image[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5] = (20 * j, 255 - 19 * j, 80 + 60 * (j % 3))
        images.append(image)
    return PersonSequence(images, joints[None].repeat(n_frames, 0), f"dots {seed}")


def people() -> People:
    return People([dotted_person(s) for s in range(3)], [dotted_person(9, 6)])


def quick(stage: str, **settings) -> TrainConfig:
    if stage == "initializer":
        settings = {"sizes": ((1.0, 128),), "batch": 2} | settings
    else:
        settings = {"batch": 1, "n_frames": 2} | settings
    return TrainConfig(stage, **({"steps": 4, "save_every": 2, "warmup": 2, "augment": PLAIN} | settings))


def run(config: TrainConfig, folder: Path, stop_after: int | None = None) -> tuple[DKD, list[Record]]:
    torch.manual_seed(0)
    model, records = build_model("dkd-mobilenetv2", channels=16), []
    for record in train(model, config, people(), folder):
        records.append(record)
        if stop_after is not None and len(records) == stop_after:
            break
    return model, records


@pytest.mark.parametrize("stage", ["initializer", "dkd"])
def test_a_stopped_run_goes_on_to_the_same_weights(stage: str, tmp_path: Path) -> None:
    whole, records = run(quick(stage), tmp_path / "whole")
    assert [r.step for r in records] == [0, 1, 2, 3]
    _, first = run(quick(stage), tmp_path / "stopped", stop_after=3)  # one step after its last checkpoint
    resumed, rest = run(quick(stage), tmp_path / "stopped")
    assert [r.step for r in first] == [0, 1, 2]
    assert [r.step for r in rest] == [2, 3]
    for name, tensor in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor), name


def test_each_stage_trains_its_part_and_nothing_else(tmp_path: Path) -> None:
    for stage, frozen, learned in (
        (
            "initializer",
            ("encoder.", "distillator.", "initializer.encoder.features.3."),
            "initializer.encoder.features.4.",
        ),
        ("dkd", ("initializer.", "encoder.features.3."), "encoder.features.4."),
    ):
        torch.manual_seed(0)
        before = build_model("dkd-mobilenetv2", channels=16).state_dict()
        after = run(quick(stage), tmp_path / stage)[0].state_dict()
        moved = {k for k, v in before.items() if v.is_floating_point() and not torch.equal(v, after[k])}
        assert not [k for k in moved if k.startswith(frozen)], stage
        assert [k for k in moved if k.startswith(learned) and k.endswith("weight")], stage
    assert {"distillator.0.weight", "projection.weight", "readout.weight"} <= moved


def test_it_learns_the_dots(tmp_path: Path) -> None:
    _, records = run(quick("initializer", steps=40, save_every=40, learning_rate=3e-3, trunk_rate=1.0), tmp_path)
    assert np.mean([r.loss for r in records[-5:]]) < 0.87 * np.mean([r.loss for r in records[:5]])
    assert (tmp_path / "log.csv").read_text().count("\n") == 40


def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint(tmp_path: Path, monkeypatch) -> None:
    run(quick("initializer"), tmp_path, stop_after=2)
    kept = (tmp_path / "state.safetensors").read_bytes()
    monkeypatch.setattr("dkd.training.pose_loss", lambda *a: torch.tensor(float("nan"), requires_grad=True))
    with pytest.raises(DKDError, match="nan at step 2"):
        run(quick("initializer"), tmp_path)
    assert (tmp_path / "state.safetensors").read_bytes() == kept


def test_a_run_folder_holds_one_run(tmp_path: Path) -> None:
    run(quick("initializer"), tmp_path, stop_after=2)
    with pytest.raises(CheckpointError, match="other settings"):
        run(quick("initializer", learning_rate=1.0), tmp_path)


def test_bad_settings_are_named() -> None:
    with pytest.raises(ConfigError, match="'initializer' or 'dkd', got 'both'"):
        TrainConfig("both", 10)
    with pytest.raises(ConfigError, match="n_frames must be 1"):
        TrainConfig("initializer", 10, n_frames=3)
    with pytest.raises(ConfigError, match="at least 1"):
        TrainConfig("dkd", 0)


def test_pose_loss_against_a_closed_form() -> None:
    nan, inf = float("nan"), float("inf")
    joints = torch.tensor([[[10.0, 12.0], [nan, nan], [inf, inf]]])
    perfect = gaussian_targets(joints, 32, 1.5)
    assert pose_loss(perfect, joints, 1.5) == 0
    # all maps zero: the labelled joint inside costs its Gaussian's sum of squares, πσ²; the one outside nothing
    assert float(pose_loss(torch.zeros(1, 3, 32, 32), joints, 1.5)) == pytest.approx(np.pi * 1.5**2 / 2, rel=1e-3)
    wrong = perfect.clone()
    wrong[0, 1] = 100.0  # an unlabelled joint is not counted
    assert pose_loss(wrong, joints, 1.5) == 0


@pytest.mark.parametrize("seed", range(6))
def test_a_clips_joints_stay_on_their_pixels(seed: int) -> None:
    """Whatever is drawn, the joint's colour lies where its label says, and left stays the person's left."""
    config = AugmentConfig(distractor=0, occluder=0, degrade=0)
    person = dotted_person(seed)
    sample = make_clip(person, [0, 0, 0], 256, np.random.default_rng(seed), config)
    assert sample.frames.shape == (3, 256, 256, 3)
    assert sample.joints.shape == (3, 13, 2)
    flip = np.array(get_skeleton("penn_action").flip_permutation)
    scores = []
    for order in (np.arange(13), flip):  # a mirrored clip shows the other side's colours
        pairs = [
            (
                person.images[0][int(person.joints[0, order[j], 1]), int(person.joints[0, order[j], 0])],
                frame[int(y + 0.5), int(x + 0.5)],
            )
            for frame, joints in zip(sample.frames, sample.joints, strict=True)
            for j, (x, y) in enumerate(joints)
            if np.isfinite(x)
        ]
        expected, found = (np.array(p, float) for p in zip(*pairs, strict=True))
        scores.append(np.nanmean([np.corrcoef(expected[:, c], found[:, c])[0, 1] for c in range(3)]))
    assert max(scores) > 0.85
    assert abs(scores[0] - scores[1]) > 0.2, "one of the two must clearly fit"


def test_the_same_generator_gives_the_same_clip() -> None:
    config = AugmentConfig(distractor=1, occluder=1, degrade=1)
    a, b = (
        make_clip(dotted_person(0), [0] * 4, 128, np.random.default_rng(5), config, other=dotted_person(1))
        for _ in range(2)
    )
    np.testing.assert_array_equal(a.frames, b.frames)
    np.testing.assert_array_equal(a.joints, b.joints)
    assert not np.array_equal(a.frames[0], a.frames[1])


def test_a_joint_outside_is_marked_as_outside_and_a_missing_one_as_missing() -> None:
    person = dotted_person(0)
    person.joints[0, 3] = np.nan
    sample = make_clip(person, [0], 128, np.random.default_rng(0), AugmentConfig(scale=(0.4, 0.4), degrade=0))
    other = np.delete(sample.joints[0], [3, 4], axis=0)
    assert np.isnan(sample.joints[0, [3, 4]]).any(-1).sum() == 1  # flipped or not
    assert np.isinf(other).all(-1).any()
    inside = other[np.isfinite(other).all(-1)]
    assert ((inside > -0.5) & (inside < 127.5)).all()


def test_label_fusion_follows_its_rule() -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 100, (13, 2))
    box = truth.max(0) - truth.min(0)
    far = np.array([1.0, 1.0]) * box.max()  # certainly not near
    human = truth.copy()
    teacher = np.column_stack([truth + 2, np.full(13, 0.9)])
    second = np.column_stack([truth - 2, np.full(13, 0.9)])
    teacher[3, :2] += far  # human and second agree
    human[4] += far  # the networks agree
    human[5] = np.nan  # the teacher, alone
    human[6], teacher[6, 2] = np.nan, 0.1  # nobody to be trusted ... but the networks agree
    human[7], teacher[7, :2] = human[7] + far, teacher[7, :2] - far  # nobody agrees
    fused = fuse_labels(human, teacher, second)
    np.testing.assert_allclose(fused[0], truth[0] + 1, rtol=1e-5)
    np.testing.assert_allclose(fused[3], truth[3], rtol=1e-5)
    np.testing.assert_allclose(fused[4], truth[4], rtol=1e-5)
    np.testing.assert_allclose(fused[5], truth[5] + 2, rtol=1e-5)
    assert np.isnan(fused[7]).all()
    # sides that both networks contradict are swapped
    flip = list(get_skeleton("penn_action").flip_permutation)
    clean_teacher, clean_second = (np.column_stack([truth, np.full(13, 0.9)]) for _ in range(2))
    np.testing.assert_allclose(fuse_labels(truth[flip], clean_teacher, clean_second), truth, rtol=1e-5)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"crops\.zip"):
        load_person_crops(tmp_path / "crops.zip", tmp_path / "labels.npz")


@pytest.mark.shared
def test_the_real_people_load(shared_data: Path) -> None:
    video = load_labelled_video(shared_data / "videos/sam2_juggle.mp4", shared_data / "labels/sam2_juggle.npz")
    assert len(video.images) == 247
    assert video.joints.shape == (247, 13, 2)
    assert 0.5 < np.isfinite(video.joints).mean() <= 1
    assert np.median([video.extent(t) for t in range(247)]) == pytest.approx(300, rel=0.05)


@pytest.mark.shared
def test_the_real_stills_load(shared_data: Path) -> None:
    stills, index, human = load_person_crops(shared_data / "lspe/crops.zip", shared_data / "lspe/labels.npz")
    assert len(stills) == len(index) == len(human) == 9344
    labelled = np.mean([np.isfinite(s.joints).all(-1).mean() for s in stills])
    assert 0.85 < labelled < 0.98
