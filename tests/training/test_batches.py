"""A clip only depends on seed, step and position, not on when or by which process it is drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dkd.datasets.augment import AugmentConfig, make_clip
from dkd.datasets.batches import Batch, BatchPlan, Mixture, Steps, batches, draw_indices
from dkd.datasets.people import PersonSequence
from dkd.errors import ConfigError, DatasetError
from tests.support.dotted_people import dotted_people, dotted_person

PLAN = BatchPlan(batch=4, n_frames=3, size=64, seed=5, hidden_weight=0.25)


def assert_same(a: Batch, b: Batch) -> None:
    for x, y in zip(a, b, strict=True):
        torch.testing.assert_close(x, y, rtol=0, atol=0, equal_nan=True)


def test_a_batch_has_the_shapes_that_it_says() -> None:
    batch = Steps(dotted_people(), PLAN)[0]
    assert batch.frames.shape == (4, 3, 3, 64, 64) and batch.frames.dtype == torch.uint8
    assert batch.joints.shape == (4, 3, 13, 2)
    assert batch.weights.shape == (4, 3, 13)


def test_going_on_in_the_middle_draws_what_would_have_been_drawn() -> None:
    whole = list(batches(dotted_people(), PLAN, 0, 4))
    rest = list(batches(dotted_people(), PLAN, 2, 4))
    assert len(whole) == 4 and len(rest) == 2
    for a, b in zip(whole[2:], rest, strict=True):
        assert_same(a, b)
    assert not torch.equal(whole[0].frames, whole[1].frames)


@pytest.mark.parametrize("world", [2, 4])
def test_processes_share_a_batch_without_overlap(world: int) -> None:
    people = dotted_people()
    whole = Steps(people, PLAN)[3]
    for rank in range(world):
        share = Steps(people, BatchPlan(4, 3, 64, 5, 0.25, rank=rank, world=world))[3]
        assert_same(share, Batch(*(part[rank::world] for part in whole)))


def test_workers_give_what_the_thread_gives(tmp_path: Path) -> None:
    """Real spawned processes: open objects such as a video reader must not cross a fork."""
    people = dotted_people()
    for a, b in zip(batches(people, PLAN, 0, 3), batches(people, PLAN, 0, 3, workers=2), strict=True):
        assert_same(a, b)


def test_weights_follow_labels_and_visibility() -> None:
    person = dotted_person(0)
    joints, visible = person.joints.copy(), np.ones((1, 13), bool)
    joints[0, 0] = np.nan  # the head, which a flip leaves in its place
    visible[0, [1, 2]] = False  # both shoulders: so does their pair
    people = Mixture([[PersonSequence(person.images, joints, "x", visible=visible)]])
    plain = AugmentConfig(scale=(2, 2), rotation=0, shift=0, motion=0, distractor=0, occluder=0, degrade=0)
    batch = Steps(people, BatchPlan(2, 2, 64, 0, 0.25, plain))[0]
    assert batch.weights[..., 0].unique().tolist() == [0]
    assert batch.weights[..., [1, 2]].unique().tolist() == [0.25]
    assert batch.weights[..., 3:].unique().tolist() == [1]
    assert batch.joints[..., 1:, :].isfinite().all()


def test_joints_are_in_cells() -> None:
    """A joint in the middle of the input is in the middle of the map: (N/2 − ½) pixels are (W/2 − ½) cells."""
    joints = np.full((1, 13, 2), 99.5, np.float32)
    joints[0, 1], joints[0, 2] = (49.5, 99.5), (149.5, 99.5)
    person = PersonSequence([np.zeros((200, 200, 3), np.uint8)], joints, "x")
    plain = AugmentConfig(scale=(1, 1), rotation=0, shift=0, motion=0, distractor=0, occluder=0, degrade=0)
    batch = Steps(Mixture([[person]]), BatchPlan(1, 1, 64, 0, 1.0, plain))[0]
    torch.testing.assert_close(batch.joints[0, 0, 0], torch.full((2,), 64 / 8 / 2 - 0.5))


@pytest.mark.parametrize("length", [1, 2, 5, 6, 30])
def test_indices_stay_in_the_sequence_and_keep_one_direction(length: int) -> None:
    rng = np.random.default_rng(length)
    seen = set()
    for _ in range(200):
        indices = draw_indices(length, 5, rng)
        steps = np.diff(indices)
        assert len(indices) == 5 and min(indices) >= 0 and max(indices) < length
        assert (steps >= 0).all() or (steps <= 0).all()
        seen.add(int(np.abs(steps).max()))
    assert seen == ({0} if length == 1 else {1} if length < 9 else {1, 2, 3, 4})


def test_shares_are_kept() -> None:
    a, b = ([dotted_person(s)] for s in (1, 2))
    people = Mixture([a, b, []], [3, 1, 5])
    rng = np.random.default_rng(0)
    drawn = [people._draw_person(rng).name for _ in range(400)]
    assert 0.68 < drawn.count("dots 1") / 400 < 0.82


def test_impossible_mixtures_are_refused() -> None:
    with pytest.raises(DatasetError, match="got none"):
        Mixture([[], []])
    with pytest.raises(ConfigError, match="a share for each of 1 groups"):
        Mixture([[dotted_person(0)]], [1, 2])
    other = PersonSequence([np.zeros((9, 9, 3), np.uint8)], np.zeros((1, 15, 2), np.float32), "x", "sub_jhmdb")
    with pytest.raises(DatasetError, match="one skeleton, got penn_action, sub_jhmdb"):
        Mixture([[dotted_person(0)], [other]])


STILL = AugmentConfig(scale=(2, 2), rotation=0, shift=0, motion=1, distractor=0, occluder=0, degrade=0)


def test_company_is_there_in_every_frame_and_has_no_labels() -> None:
    flat = PersonSequence([np.full((200, 200, 3), 60, np.uint8)], dotted_person(0).joints, "flat")
    bright = PersonSequence([np.full((260, 260, 3), 255, np.uint8)], dotted_person(1).joints, "bright")
    plain = replace(STILL, motion=0)
    for seed in range(8):
        clips = [
            make_clip(flat, [0] * 4, 96, np.random.default_rng(seed), replace(plain, company=share), None, [bright])
            for share in (1e-9, 1.0)
        ]
        alone, beside = clips
        assert all((frame.max() > alone.frames.max() + 20) for frame in beside.frames), seed
        np.testing.assert_array_equal(alone.joints, beside.joints)


def test_a_repeated_frame_is_the_same_picture_with_the_same_joints() -> None:
    person, other = dotted_person(0, 6), dotted_person(1)
    everything = AugmentConfig(distractor=1, occluder=1, degrade=1, repeat=1)
    clip, moving = (
        make_clip(person, [2, 3, 4], 96, np.random.default_rng(0), config, other) for config in (everything, STILL)
    )
    for t in (1, 2):
        np.testing.assert_array_equal(clip.frames[t], clip.frames[0])
        np.testing.assert_array_equal(clip.joints[t], clip.joints[0])
    assert not np.array_equal(moving.frames[2], moving.frames[0])
