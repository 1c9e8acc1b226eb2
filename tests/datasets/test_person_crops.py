"""Filmed people for training: held-out people, sources of labels, and errors for files that do not match."""

from __future__ import annotations

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dkd.datasets.person_crops import FUSED, HUMAN, fuse_labels, upright
from dkd.datasets.sample_clips import MACHINE
from dkd.datasets.sources import load_people
from dkd.errors import ConfigError, DatasetError
from dkd.evaluation.results import Evaluation
from dkd.evaluation.run import evaluate
from dkd.evaluation.summaries import per_joint, summarise, worst_moments
from dkd.models import build_model
from dkd.models.checkpoints import save_model
from dkd.pose.skeleton import convert_joints, get_skeleton
from dkd.training.validation import validate
from tests.support.crops_folder import STANDING, crop_labels, write_crops, write_videos


def names(source: str, split: str) -> list[str]:
    return [person.name for person in load_people(source, split)]


def test_every_twentieth_is_held_out_and_upright_people_come_twice(tmp_path: Path) -> None:
    labels = crop_labels(40)
    for part in ("joints", "movenet", "blazepose"):
        labels[part][4, :, 1] = 200 - labels[part][4, :, 1]  # number 5 stands on the hands
        labels[part][19, :, 1] = 200 - labels[part][19, :, 1]  # and so does 20
    labels["joints"][6, :, 2] = 0  # number 7: the human says nothing, the networks do not trust themselves …
    labels["movenet"][6, :, 2] = 0
    labels["blazepose"][6, :10, :2] += 900  # … and agree on seven joints: one too few
    source = f"person_crops={write_crops(tmp_path, 40, **labels)}"
    trained = [f"{i:05d}" for i in range(1, 40) if i not in (7, 20)]
    assert names(source, "train") == trained + [name for name in trained if name != "00005"]
    assert names(source, "test") == ["00020", "00040"]
    upright_source = source.replace("=", "/upright=", 1)
    assert names(upright_source, "train") == [name for name in trained if name != "00005"]
    assert names(upright_source, "test") == ["00040"]


def test_trained_on_are_fused_labels_and_measured_against_is_the_human(tmp_path: Path) -> None:
    labels = crop_labels(20)
    labels["joints"][[0, 19], 0, 2] = 0  # the human left the right ankle out
    labels["joints"][[0, 19], 6, :2] += 150  # and put a wrist wrong
    source = f"person_crops={write_crops(tmp_path, 20, **labels)}"
    ankle, wrist = (get_skeleton("penn_action").index(f"right_{part}") for part in ("ankle", "wrist"))
    trained, tested = load_people(source, "train")[0], load_people(source, "test")[0]
    assert (trained.labels, tested.labels) == (FUSED, HUMAN)
    np.testing.assert_allclose(trained.joints[0, ankle], STANDING[0], atol=2)
    np.testing.assert_allclose(trained.joints[0, wrist], STANDING[6], atol=2)
    human = convert_joints(STANDING[None], "lsp", "penn_action")
    human[0, ankle] = np.nan
    human[0, wrist] += 150
    np.testing.assert_array_equal(tested.joints, human)


def test_images_are_decoded_when_asked_for_by_threads_and_in_other_processes(tmp_path: Path) -> None:
    people = load_people(f"person_crops={write_crops(tmp_path, 20)}", "train")
    assert people[0].images[0].shape == (260, 260, 3) and people[0].images[0].dtype == np.uint8
    np.testing.assert_array_equal(people[0].images[0:1][0], people[0].images[0])
    assert not np.array_equal(people[0].images[0], people[1].images[0])
    there, *_ = pickle.loads(pickle.dumps(people))
    np.testing.assert_array_equal(there.images[0], people[0].images[0])
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda person: person.images[0], people[:19] * 3))
    for image, person in zip(read, people[:19] * 3, strict=True):
        np.testing.assert_array_equal(image, person.images[0])
    # it may also be a folder that has the two in lspe
    (tmp_path / "lspe").mkdir()
    for name in ("crops.zip", "labels.npz"):
        (tmp_path / name).rename(tmp_path / "lspe" / name)
    assert len(load_people(f"person_crops={tmp_path}", "test")) == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"index": np.arange(2, 22)}, "names image 21, but .*crops.zip has no 00021.jpg"),
        ({"joints": np.zeros((20, 13, 3))}, r"expected 'joints' of shape \('N', 14, 3\) .* got \(20, 13, 3\)"),
        ({"movenet": np.zeros((19, 17, 3))}, "expected 'movenet' of shape"),
        ({"index": np.zeros(0, int)}, "expected 'index' of shape"),
    ],
)
def test_labels_that_do_not_fit_are_named(changed: dict[str, Any], message: str, tmp_path: Path) -> None:
    write_crops(tmp_path, 20, **changed)
    with pytest.raises(DatasetError, match=message):
        load_people(f"person_crops={tmp_path}", "train")


def test_files_that_are_missing_or_damaged_are_named(tmp_path: Path) -> None:
    def refused(message: str, split: str = "test") -> None:
        with pytest.raises(DatasetError, match=message):
            load_people(f"person_crops={tmp_path / 'data'}", split)

    refused("there is no such folder")
    folder = write_crops(tmp_path / "data", 20)
    with pytest.raises(ConfigError, match="'train' or 'test'"):
        load_people(f"person_crops={folder}", "all")
    whole, arrays = (folder / "crops.zip").read_bytes(), (folder / "labels.npz").read_bytes()
    (folder / "crops.zip").unlink()
    refused("no crops.zip.*Give their folder")
    (folder / "crops.zip").write_bytes(whole[: len(whole) // 2])
    refused("not a complete zip")
    (folder / "crops.zip").write_bytes(whole.replace(whole[300:2000], bytes(1700)))
    person = load_people(f"person_crops={folder}", "train")[0]
    with pytest.raises(DatasetError, match="00001.jpg"):
        person.images[0]
    (folder / "crops.zip").write_bytes(whole)
    (folder / "labels.npz").write_bytes(arrays[: len(arrays) // 2])
    refused("expected the arrays 'index'")
    np.savez(folder / "labels.npz", index=np.arange(3))
    refused("'joints'")


def test_stills_are_measured_like_videos_of_one_frame(tmp_path: Path) -> None:
    """Evaluation with T = 1 and more than 127 people: no warning, a number where possible, else NaN."""
    (person,) = load_people(f"person_crops={write_crops(tmp_path / 'data', 20)}", "test")
    people = [replace(person, name=f"{i:05d}") for i in range(130)]
    torch.manual_seed(0)
    model = build_model("dkd-tiny", channels=8, input_size=128)
    save_model(model, tmp_path / "small.safetensors", {})
    source = "person_crops/upright"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(evaluate([str(tmp_path / "small.safetensors")], [source], tmp_path / "e", people={source: people}))
        table = Evaluation(tmp_path / "e").table()
        (row,) = summarise(table).to_dict("records")
        by_joint, worst = per_joint(table), worst_moments(table, 5)
        measured = validate(model, people[:3])
    assert len(table) == 130 * 13 and table["video"].nunique() == 130 and set(table["labels"]) == {HUMAN}
    assert (row["videos"], row["frames"], row["joints counted"]) == (130, 130, 130 * 13)
    extent = np.ptp(convert_joints(STANDING, "lsp", "penn_action"), axis=0).max()
    np.testing.assert_allclose(table["box_side"], extent, rtol=1e-5)
    error = np.hypot(table["x"] - table["true_x"], table["y"] - table["true_y"])
    assert row["PCK@0.2"] == pytest.approx(np.mean(error <= 0.2 * extent))
    assert all(np.isnan(row[f"{name} %"]) for name in ("velocity error", "acceleration error", "jitter", "jerk"))
    assert by_joint.shape == (1, 13) and len(worst) == 5 and (worst["frame"] == 0).all()
    assert measured["pck@0.2"] == pytest.approx(row["PCK@0.2"])
    assert np.isnan(measured["acceleration"]) and np.isnan(measured["reliance"])


def test_upright_is_whole_and_head_over_hips_over_ankles() -> None:
    standing = convert_joints(np.stack([STANDING] * 3), "lsp", "penn_action")
    standing[1, :, 1] *= -1
    standing[2, 7] = np.nan
    assert upright(standing).tolist() == [True, False, False]


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


# --- videos -----------------------------------------------------------------------------------------------------------


def test_videos_come_with_the_joints_that_two_networks_agree_on(tmp_path: Path) -> None:
    source = f"labelled_videos={write_videos(tmp_path)}"
    people = load_people(source, "train")
    assert [(p.name, len(p), p.labels, p.fps) for p in people] == [("a", 6, MACHINE, 25), ("b", 6, MACHINE, 25)]
    ankle = get_skeleton("penn_action").index("right_ankle")
    np.testing.assert_allclose(people[0].joints[:5, ankle], STANDING[0] + 2 * np.arange(5)[:, None], atol=1e-3)
    assert np.isnan(people[0].joints[5, ankle]).all() and np.isfinite(people[0].joints[5, :ankle]).all()
    with pytest.raises(ConfigError, match="'train'"):
        load_people(source, "test")


def test_test_clips_are_not_used_for_training(tmp_path: Path) -> None:
    """Labels without a video at this level belong to clips for evaluation; subfolders are ignored."""
    write_videos(tmp_path, ("a", "pose2sim_cam01"))
    (tmp_path / "videos/pose2sim").mkdir()
    (tmp_path / "videos/pose2sim_cam01.mp4").rename(tmp_path / "videos/pose2sim/cam01.mp4")
    assert names(f"labelled_videos={tmp_path}", "train") == ["a"]


def test_videos_and_labels_that_do_not_fit_are_named(tmp_path: Path) -> None:
    def refused(message: str) -> None:
        with pytest.raises(DatasetError, match=message):
            load_people(f"labelled_videos={tmp_path}", "train")

    refused("found no such video")
    write_videos(tmp_path, ("a",))
    labels = tmp_path / "labels/a.npz"
    marks = dict(np.load(labels))
    np.savez(labels, consensus17=marks["consensus17"])
    refused("agree")
    np.savez(labels, consensus17=marks["consensus17"][:, :13], agree=marks["agree"])
    refused(r"got \(6, 13, 2\) and \(6, 17\)")
    np.savez(labels, consensus17=np.tile(marks["consensus17"], (2, 1, 1)), agree=np.tile(marks["agree"], (2, 1)))
    refused("has 12 frames, .* has 6")
    np.savez(labels, consensus17=marks["consensus17"], agree=np.zeros_like(marks["agree"]))
    refused("none in any frame")
    labels.unlink()
    refused("a.npz, found none")


# --- the real things --------------------------------------------------------------------------------------------------


@pytest.mark.shared
def test_the_real_people_load(shared_data: Path) -> None:
    count = {s: {n: len(load_people(f"{n}={shared_data}", s)) for n in ("person_crops", "person_crops/upright")}
             for s in ("train", "test")}  # fmt: skip
    assert count["test"] == {"person_crops": 481, "person_crops/upright": 102}
    assert count["train"]["person_crops"] == 8537 + count["train"]["person_crops/upright"] == 12354
    labelled = np.mean([np.isfinite(p.joints).all(-1).mean() for p in load_people(f"person_crops={shared_data}")])
    assert 0.9 < labelled < 1
    videos = load_people(f"labelled_videos={shared_data}")
    assert [(video.name, len(video)) for video in videos] == [("sam2_dog", 289), ("sam2_juggle", 247)]
    for video in videos:
        assert 0.5 < np.isfinite(video.joints).mean() <= 1
        assert np.median([video.extent(t) for t in range(len(video))]) == pytest.approx(300, rel=0.05)
