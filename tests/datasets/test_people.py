"""People read from disk, and clips drawn from them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dkd.datasets.augment import AugmentConfig, make_clip
from dkd.datasets.people import FrameFiles, PersonSequence
from dkd.errors import DatasetError, ShapeError
from dkd.pose.skeleton import get_skeleton
from tests.support.dotted_people import dotted_person


@pytest.mark.parametrize("seed", range(6))
def test_a_clips_joints_stay_on_their_pixels(seed: int) -> None:
    """In any clip, the joint's colour is where its label says, and left stays the person's left."""
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


def test_a_sequence_whose_arrays_do_not_fit_is_refused() -> None:
    person = dotted_person(0, 3)
    wrong: list[dict[str, Any]] = [
        {"joints": person.joints[:2]}, {"visible": np.ones((3, 12), bool)}, {"boxes": np.zeros((2, 4))},
    ]  # fmt: skip
    for change in wrong:
        with pytest.raises(ShapeError, match="of shape"):
            dataclasses.replace(person, **change)


def test_frames_from_disk_are_read_when_asked_for(tmp_path: Path) -> None:
    import cv2

    images = dotted_person(0, 3).images
    files = [tmp_path / f"{t}.png" for t in range(3)]
    for file, image in zip(files, images, strict=True):
        cv2.imwrite(str(file), image[..., ::-1])
    frames = FrameFiles(files)
    assert len(frames) == 3
    np.testing.assert_array_equal(frames[1], images[1])
    np.testing.assert_array_equal(frames[1:][0], images[1])
    files[2].write_bytes(b"no image")
    with pytest.raises(DatasetError, match="cannot be decoded"):
        frames[2]
    files[2].unlink()
    with pytest.raises(DatasetError, match="does not exist"):
        frames[2]


@pytest.mark.parametrize("seed", range(4))
def test_a_mark_of_being_hidden_goes_with_its_joint_through_a_flip(seed: int) -> None:
    person = dotted_person(seed)
    visible = np.ones((1, 13), bool)
    visible[0, 5] = False  # the left wrist
    hidden = PersonSequence(person.images, person.joints, "x", visible=visible)
    plain = AugmentConfig(rotation=0, motion=0, distractor=0, occluder=0, degrade=0)
    sample = make_clip(hidden, [0], 128, np.random.default_rng(seed), plain)
    assert (~sample.visible).sum() == 1
    flipped = not sample.visible[0, 6]
    order = [*get_skeleton("penn_action").flip_permutation] if flipped else list(range(13))
    x = sample.joints[0, order, 0]
    finite = np.isfinite(x)
    assert np.corrcoef(x[finite], person.joints[0, finite, 0])[0, 1] * (-1 if flipped else 1) > 0.99


def test_the_window_is_centred_on_the_box_of_each_frame() -> None:
    person = dotted_person(0, 4)
    boxes = np.array([[40 + 5 * t, 60, 140 + 5 * t, 160] for t in range(4)], np.float32)
    boxed = PersonSequence(person.images, person.joints, "x", boxes=boxes)
    plain = AugmentConfig(
        scale=(1, 1), rotation=0, shift=0, motion=0, distractor=0, occluder=0, degrade=0
    )  # a window of 1.25 × 100 pixels
    sample = make_clip(boxed, [0, 1, 2, 3], 125, np.random.default_rng(1), plain)
    expected = person.joints + 0.5 - ((boxes[:, None, :2] + boxes[:, None, 2:]) / 2 + 0.5) + 62.5 - 0.5
    found = sample.joints.copy()
    if not np.allclose(found[np.isfinite(found)], expected[np.isfinite(found)], atol=0.01):
        found[..., 0] = 124 - found[..., 0]
        found = found[:, list(get_skeleton("penn_action").flip_permutation)]
    inside = np.isfinite(found)
    assert inside.sum() > 40
    np.testing.assert_allclose(found[inside], expected[inside], atol=0.01)
