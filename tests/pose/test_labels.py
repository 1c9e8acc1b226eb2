"""The door for label arrays: the same labels in another type are counted the same, and what is no label is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dkd.datasets.people import PersonSequence
from dkd.errors import ShapeError
from dkd.evaluation.protocols import counted
from dkd.measures.coherence import losses_and_recoveries, motion
from dkd.measures.divergence import distances
from dkd.measures.metrics import auc, error_kinds, joint_counts, oks, pck, pck_mean, side_flips
from dkd.pose.labels import as_boxes, as_flags, as_joints, as_lengths, as_numbers, as_visible

T, J = 5, 13
rng = np.random.default_rng(0)
JOINTS = rng.uniform(10, 90, (T, J, 2))
IMAGES = [np.zeros((100, 100, 3), np.uint8)] * T
flags = hnp.arrays(bool, (T, J))


def person(**arrays) -> PersonSequence:
    return PersonSequence(IMAGES, **{"joints": JOINTS, "name": "x", **arrays})


@given(visible=flags, kind=st.sampled_from([bool, np.uint8, np.int64, np.float32, np.float64]))
def test_visibility_counts_the_same_in_every_type(visible, kind):
    one = person(visible=visible.astype(kind))
    assert one.visible.dtype == bool and np.array_equal(one.visible, visible)
    assert np.array_equal(counted(one), visible)


@given(coco=hnp.arrays(np.uint8, (T, J), elements=st.integers(0, 2)), kind=st.sampled_from([np.uint8, int, float]))
def test_cocos_numbers_mean_what_coco_means(coco, kind):
    coco[0, 0] = 2
    assert np.array_equal(as_visible(coco.astype(kind), (T, J)), coco == 2)


@pytest.mark.parametrize(
    "wrong",
    [rng.uniform(0, 1, (T, J)), np.full((T, J), 3), np.full((T, J), -1), np.full((T, J), np.nan), np.full((T, J), "1"),
     np.full((T, J), 1j), np.ones((T, J), object), np.ones((T, J, 1)), np.ones(J, bool), np.ones((1, J), bool)],
)  # fmt: skip
def test_what_is_no_visibility_is_refused(wrong):
    with pytest.raises(ShapeError, match="visible"):
        person(visible=wrong)


@given(
    array=hnp.arrays(
        st.sampled_from([np.int16, np.uint8, np.float32, np.float64]), (T, J, 2), elements=st.integers(0, 90)
    )
)
def test_joints_of_any_number_type_give_the_same_measures(array):
    same = array.astype(np.float64)
    assert pck_mean(array, JOINTS, 40.0, 0.2) == pck_mean(same, JOINTS, 40.0, 0.2)
    assert np.array_equal(motion(array, JOINTS, 40).jitter, motion(same, JOINTS, 40.0).jitter, equal_nan=True)
    assert np.allclose(distances(array, JOINTS, np.full(T, 40)), distances(same, JOINTS, np.full(T, 40.0)))
    assert np.array_equal(person(joints=array).joints, same)


def test_a_joint_with_one_coordinate_is_missing():
    half = JOINTS.copy()
    half[2, 3, 0] = np.nan
    assert np.isnan(as_joints(half, (T, J, 2))[2, 3]).all() and np.isfinite(half[2, 3, 1])
    assert not counted(person(joints=half))[2, 3]


LENGTHS = rng.uniform(30, 50, T)


@pytest.mark.parametrize("length", [40, 40.0, np.float32(40), LENGTHS, LENGTHS.astype(int), list(LENGTHS)])
def test_a_normaliser_is_one_number_or_one_per_frame(length):
    each = np.broadcast_to(np.asarray(length, float), T)
    hits, n = joint_counts(JOINTS + 5, JOINTS, length, 0.2)
    by_hand = np.hypot(5, 5) <= 0.2 * each
    assert hits.tolist() == [by_hand.sum()] * J and n.tolist() == [T] * J


@pytest.mark.parametrize("measure", [
    lambda p, t, n: pck(p, t, n, 0.2), lambda p, t, n: auc(p, t, n), lambda p, t, n: motion(p, t, n),
    lambda p, t, n: oks(p, t, n, "penn_action"), lambda p, t, n: side_flips(p, t, "penn_action", n, 0.2),
    lambda p, t, n: error_kinds(p, t, "penn_action", n, 0.2),
])  # fmt: skip
def test_nothing_is_broadcast(measure):
    good = LENGTHS
    measure(JOINTS, JOINTS, good)
    for predicted, truth, length in (
        (JOINTS[:1], JOINTS, good),  # one prediction for five frames
        (JOINTS[0], JOINTS, good),
        (JOINTS, JOINTS[:1], good),
        (JOINTS, JOINTS, good[:, None]),  # would make T × T pairs
        (JOINTS, JOINTS, good[:1]),
        (JOINTS, JOINTS, np.full(J, 40.0)),
        (JOINTS, JOINTS, np.full((T, J), 40.0)),
        (JOINTS[..., :1], JOINTS[..., :1], good),
        (np.concatenate([JOINTS, JOINTS[..., :1]], -1),) * 2 + (good,),  # x, y, score
        (JOINTS.astype(str), JOINTS, good),
        (JOINTS > 50, JOINTS, good),
        (np.where(JOINTS > 50, np.inf, JOINTS), JOINTS, good),
        (JOINTS, JOINTS, "40"),
    ):
        with pytest.raises(ShapeError, match="expected"):
            measure(predicted, truth, length)


def test_flags_of_measures():
    hit = rng.uniform(size=(T, J)) > 0.5
    assert (
        losses_and_recoveries(hit.astype(int), np.ones((T, J))).n_lost
        == losses_and_recoveries(hit, np.ones((T, J), bool)).n_lost
    )
    for wrong in (hit * 2, hit[0], rng.uniform(size=(T, J))):
        with pytest.raises(ShapeError, match="flags|counted"):
            losses_and_recoveries(wrong, np.ones((T, J), bool))


def test_boxes_are_corners():
    boxes = np.tile([10, 20, 50, 80], (T, 1))
    assert person(boxes=boxes).boxes.dtype.kind == "f"
    assert np.isnan(as_boxes(np.full((T, 4), np.nan), T)).all()
    with pytest.raises(ShapeError, match="width, height must be converted first"):
        person(boxes=np.tile([50, 60, 40, 30], (T, 1)))
    for wrong in (boxes[:1], boxes[:, :3], boxes.astype(str), np.where(boxes > 70, np.inf, boxes)):
        with pytest.raises(ShapeError, match="boxes"):
            person(boxes=wrong)


def test_rows_of_different_lengths_and_floats_that_are_kept():
    with pytest.raises(ShapeError, match="rows of different lengths"):
        as_numbers([[1, 2], [3]], None, "marks")
    single = JOINTS.astype(np.float32)
    assert as_joints(single, (T, J, 2), dtype=None) is single  # nothing is copied or changed
    assert as_flags([True, False], ("T",), "hits").tolist() == [True, False]
    assert as_lengths(3, (T,)).shape == (T,)
