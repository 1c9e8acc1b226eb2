"""Metrics against explicit loops on arbitrary arrays, and against motion with known results."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dkd.errors import ConfigError, ShapeError
from dkd.measures import coherence, metrics
from dkd.measures.coherence import count_runs, losses_and_recoveries, motion, run_starts
from dkd.measures.metrics import (
    JITTER_REACH,
    KINDS,
    OUTLINE_SHARE_OF_BOX,
    auc,
    error_kinds,
    joint_counts,
    joint_sigmas,
    keypoint_similarity,
    oks,
    pck,
    pck_counts,
    pck_curve,
    pck_mean,
    side_flips,
)
from dkd.pose.skeleton import SKELETONS, Skeleton, get_skeleton

BODY = Skeleton("body", ("head", "left_wrist", "right_wrist"), ())
# A coarse grid: errors of exactly the threshold, of 0 and of ties come up often.
COORDINATES = st.one_of(st.integers(-8, 8).map(float), st.just(math.nan))
LENGTHS = st.one_of(st.integers(1, 20).map(float), st.sampled_from([math.nan, 0.0, 2.5]))


@st.composite
def bodies(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Predicted (T, 3, 2), truth, lengths (T,), and a bool (T, 3)."""
    n = draw(st.integers(1, 7))
    arrays = [draw(hnp.arrays(np.float64, (n, 3, 2), elements=COORDINATES)) for _ in range(2)]
    return (
        *arrays,
        draw(hnp.arrays(np.float64, n, elements=LENGTHS)),
        draw(hnp.arrays(bool, (n, 3))),
    )  # type: ignore[return-value]


def distance(a: Sequence[float], b: Sequence[float]) -> float:
    return math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2)


def is_known(point: Sequence[float]) -> bool:
    return not (math.isnan(point[0]) or math.isnan(point[1]))


# PCK


@given(bodies(), st.sampled_from([0.05, 0.2, 0.25, 0.5]))
def test_pck_agrees_with_a_loop(arrays: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], alpha: float) -> None:
    predicted, truth, lengths, _ = arrays
    hits, counted = [0] * 3, [0] * 3
    for t in range(len(predicted)):
        for j in range(3):
            if is_known(truth[t, j]) and lengths[t] > 0:
                counted[j] += 1
                if is_known(predicted[t, j]) and distance(predicted[t, j], truth[t, j]) <= alpha * lengths[t]:
                    hits[j] += 1
    found = joint_counts(predicted, truth, lengths, alpha)
    assert (found[0].tolist(), found[1].tolist()) == (hits, counted)
    assert pck_counts(predicted, truth, lengths, alpha) == (sum(hits), sum(counted))
    expected = [h / n if n else math.nan for h, n in zip(hits, counted, strict=True)]
    np.testing.assert_array_equal(pck(predicted, truth, lengths, alpha), expected)
    mean = sum(hits) / sum(counted) if sum(counted) else math.nan
    np.testing.assert_array_equal(pck_mean(predicted, truth, lengths, alpha), mean)
    np.testing.assert_array_equal(pck_curve(predicted, truth, lengths, [alpha]), [mean])


def test_an_error_of_exactly_the_threshold_is_a_hit() -> None:
    truth = np.zeros((3, 1, 2))
    predicted = np.array([[[6.0, 8.0]], [[10.0, 0.0]], [[10.0, 1e-6]]])
    assert pck_counts(predicted, truth, 50.0, 0.2) == (2, 3)


@given(bodies(), st.sampled_from([0.1, 0.2, 0.5]))
def test_auc_is_the_mean_of_what_each_joint_adds(
    arrays: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], upto: float
) -> None:
    predicted, truth, lengths, _ = arrays
    parts = []
    for t in range(len(predicted)):
        for j in range(3):
            if is_known(truth[t, j]) and lengths[t] > 0:
                error = distance(predicted[t, j], truth[t, j]) if is_known(predicted[t, j]) else math.inf
                parts.append(max(0.0, 1 - error / (upto * lengths[t])))
    expected = sum(parts) / len(parts) if parts else math.nan
    np.testing.assert_allclose(auc(predicted, truth, lengths, upto), expected, rtol=1e-12)


def test_auc_is_the_area_under_the_curve() -> None:
    """The exact area against the sum on a fine grid of the curve from another function."""
    rng = np.random.default_rng(1)
    truth = rng.uniform(0, 100, (50, 13, 2))
    predicted = truth + rng.normal(0, 12, truth.shape)
    grid = (np.arange(4000) + 0.5) / 4000 * 0.2
    assert auc(predicted, truth, 100.0) == pytest.approx(pck_curve(predicted, truth, 100.0, grid).mean(), abs=1e-4)
    assert auc(truth, truth, 100.0) == 1
    assert auc(np.full_like(truth, np.nan), truth, 100.0) == 0
    assert math.isnan(auc(predicted, np.full_like(truth, np.nan), 100.0))
    with pytest.raises(ConfigError, match="upto=0"):
        auc(predicted, truth, 100.0, 0)


# OKS


@given(bodies(), st.booleans())
def test_oks_is_cocos_formula(arrays: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], small: bool) -> None:
    predicted, truth, lengths, _ = arrays
    area = lengths * (1 if small else 40)
    k = (0.079, 0.062, 0.062)
    expected = []
    for t in range(len(predicted)):
        values = []
        for j in range(3):
            if is_known(truth[t, j]) and area[t] > 0:
                d = distance(predicted[t, j], truth[t, j])
                values.append(0.0 if math.isnan(d) else math.exp(-(d**2) / (2 * k[j]) ** 2 / area[t] / 2))
        expected.append(sum(values) / len(values) if values else math.nan)
    np.testing.assert_allclose(oks(predicted, truth, area, BODY), expected, rtol=1e-9, atol=1e-300)


def test_oks_of_known_distances() -> None:
    """At a distance of 2σ·√area the similarity is e^(−1/2), as COCO's page says for an error of one deviation."""
    coco = get_skeleton("coco")
    truth = np.zeros((1, 17, 2))
    predicted = np.stack([2 * joint_sigmas(coco) * 100, np.zeros(17)], -1)[None]
    np.testing.assert_allclose(keypoint_similarity(predicted, truth, 100.0**2, coco), np.exp(-0.5))
    assert oks(predicted, truth, 100.0**2, coco)[0] == pytest.approx(np.exp(-0.5))
    assert oks(truth, truth, 100.0**2, coco) == 1
    assert np.isnan(oks(truth, truth, 0.0, coco)).all()
    # As COCO's evaluation has them, times ten, in its order.
    published = [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]
    np.testing.assert_allclose(joint_sigmas(coco), np.array(published) / 1000)
    assert OUTLINE_SHARE_OF_BOX == 0.53


def test_every_joint_set_has_sigmas_and_an_unknown_joint_has_none() -> None:
    for skeleton in SKELETONS.values():
        assert (joint_sigmas(skeleton) > 0).all()
    assert joint_sigmas("sub_jhmdb")[:3].tolist() == [0.079, 0.107, 0.079]
    with pytest.raises(ConfigError, match="no OKS sigma is known for tail"):
        joint_sigmas(Skeleton("cat", ("head", "tail"), ()))


# Sides and kinds


@given(bodies(), st.sampled_from([0.2, 0.5]))
def test_flips_and_kinds_are_what_loops_find(
    arrays: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], alpha: float
) -> None:
    predicted, truth, lengths, flags = arrays
    in_crop = ~flags
    flips = side_flips(predicted, truth, BODY, lengths, alpha)
    for counted in (None, np.roll(flags, 1)):
        kinds = error_kinds(predicted, truth, BODY, lengths, alpha, counted, in_crop)
        for t in range(len(predicted)):
            for j, mirror in enumerate((0, 2, 1)):
                limit = alpha * lengths[t]
                known = is_known(truth[t, j]) and lengths[t] > 0
                error = distance(predicted[t, j], truth[t, j])
                flipped = (
                    known and j > 0 and not error <= limit and distance(predicted[t, j], truth[t, mirror]) <= limit
                )
                assert flips[t, j] == flipped
                if not known or (counted is not None and not counted[t, j]):
                    kind = "not counted"
                elif error <= limit:
                    kind = "good"
                elif not in_crop[t, j]:
                    kind = "outside crop"
                elif flipped:
                    kind = "inversion"
                elif error <= 2 * limit:
                    kind = "jitter"
                else:
                    kind = "miss"
                assert KINDS[kinds[t, j]] == kind


def test_each_kind_of_error() -> None:
    truth = np.array([[[50, 0], [0, 50], [100, 50]]], float)  # head, left and right wrist
    assert JITTER_REACH == 2
    for wrist, kind in (
        ((0, 70), "good"),
        ((0, 70.01), "jitter"),
        ((0, 90), "jitter"),
        ((0, 90.01), "miss"),
        ((100, 60), "inversion"),
        ((50, 0), "miss"),  # the head's place is no inversion: it is not the joint's mirror
        ((np.nan, 0), "miss"),
    ):
        predicted = truth.copy()
        predicted[0, 1] = wrist
        assert KINDS[error_kinds(predicted, truth, BODY, 100.0, 0.2)[0, 1]] == kind, wrist
        outside = np.array([[True, False, True]])
        found = KINDS[error_kinds(predicted, truth, BODY, 100.0, 0.2, None, outside)[0, 1]]
        assert found == ("good" if kind == "good" else "outside crop"), wrist


def test_exchanged_sides_are_all_flips_but_on_the_midline() -> None:
    penn = get_skeleton("penn_action")
    truth = np.random.default_rng(0).permutation(13 * 2).reshape(1, 13, 2) * 100.0
    flips = side_flips(truth[:, list(penn.flip_permutation)], truth, penn, 100.0, 0.2)
    assert flips[0].tolist() == [False] + [True] * 12


# Motion


@given(bodies())
def test_motion_agrees_with_loops(arrays: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]) -> None:
    predicted, truth, lengths, _ = arrays
    n = len(predicted)
    weights = {1: (-1, 1), 2: (1, -2, 1), 3: (-1, 3, -3, 1)}
    expected = np.full((4, n, 3), np.nan)
    for kind, (order, at) in enumerate(((1, 1), (2, 1), (2, 1), (3, 2))):
        for t in range(n - order):
            for j in range(3):
                total = [0.0, 0.0]
                for i, weight in enumerate(weights[order]):
                    for d in range(2):
                        origin = truth[t + i, j, d] if kind < 2 else 0.0
                        total[d] += weight * (predicted[t + i, j, d] - origin)
                length = lengths[t + at]
                if is_known(total) and length > 0:
                    expected[kind, t + at, j] = math.hypot(*total) / length
    found = motion(predicted, truth, lengths)
    for values, loop in zip(found, expected, strict=True):
        np.testing.assert_allclose(values, loop, rtol=1e-9, atol=1e-12)
    pooled = (
        coherence.velocity_errors(predicted, truth, lengths),
        coherence.acceleration_errors(predicted, truth, lengths),
        coherence.jitter(predicted, lengths),
        coherence.jerk(predicted, lengths),
    )
    for values, loop in zip(pooled, expected, strict=True):
        np.testing.assert_allclose(values, loop[np.isfinite(loop)], rtol=1e-9, atol=1e-12)
    # without truth only what needs none
    alone = motion(predicted, None, lengths)
    assert np.isnan(alone.velocity_error).all() and np.isnan(alone.acceleration_error).all()
    np.testing.assert_array_equal(alone.jerk, found.jerk)


def along(x: np.ndarray, n_joints: int = 2) -> np.ndarray:
    """(T,) positions → (T, J, 2), moving along a 3-4-5 direction so that both axes count."""
    return np.repeat((np.asarray(x, float)[:, None] * (0.6, 0.8))[:, None], n_joints, axis=1)


def test_closed_form_motion() -> None:
    t = np.arange(12.0)
    still = along(0 * t)
    uniform, accelerated, cubic = along(5 * t), along(3 * t**2), along(2 * t**3)
    alternating = along(4.0 * (-1) ** t)  # ±d with d = 4
    side = np.full(12, 200.0)
    # uniform motion: no acceleration, no jitter, no jerk; a constant velocity error against a truth that stands still
    np.testing.assert_allclose(coherence.acceleration_errors(uniform, still, side), 0, atol=1e-12)
    np.testing.assert_allclose(coherence.jitter(uniform, side), 0, atol=1e-12)
    np.testing.assert_allclose(coherence.velocity_errors(uniform, still, side), 5 / 200)
    assert coherence.velocity_errors(uniform, still, side).shape == (11 * 2,)
    # constant acceleration: Δ² of 3 t² is 6, and jerk is 0
    np.testing.assert_allclose(coherence.acceleration_errors(accelerated, still, side), 6 / 200)
    np.testing.assert_allclose(coherence.jitter(accelerated, side), 6 / 200)
    np.testing.assert_allclose(coherence.jerk(accelerated, side), 0, atol=1e-12)
    assert coherence.jitter(accelerated, side).shape == (10 * 2,)
    # ±d: Δ² is 4 d
    np.testing.assert_allclose(coherence.jitter(alternating, side), 16 / 200)
    # cubic: Δ³ of 2 t³ is 12
    np.testing.assert_allclose(coherence.jerk(cubic, side), 12 / 200)
    assert coherence.jerk(cubic, side).shape == (9 * 2,)
    # true motion is not punished, a constant offset neither
    for measure in (coherence.velocity_errors, coherence.acceleration_errors):
        np.testing.assert_allclose(measure(cubic + 7, cubic, side), 0, atol=1e-9)


def test_the_normaliser_is_that_of_the_frame_it_is_about() -> None:
    x, side = along(np.array([0, 0, 0, 1, 0, 0])), np.array([1.0, 2, 4, 8, 16, 32])
    np.testing.assert_allclose(motion(x, 0 * x, side).velocity_error[:, 0], [np.nan, 0, 0, 1 / 8, 1 / 16, 0])
    np.testing.assert_allclose(motion(x, None, side).jitter[:, 0], [np.nan, 0, 1 / 4, 2 / 8, 1 / 16, np.nan])
    np.testing.assert_allclose(motion(x, None, side).jerk[:, 0], [np.nan, np.nan, 1 / 4, 3 / 8, 3 / 16, np.nan])


def test_a_missing_label_takes_all_that_needs_it_and_short_clips_have_none() -> None:
    x = along(np.arange(8.0))
    truth = x.copy()
    truth[4, 0, 1] = np.nan
    assert np.isnan(motion(x, truth, 1.0).acceleration_error[:, 0]).nonzero()[0].tolist() == [0, 3, 4, 5, 7]
    assert coherence.acceleration_errors(x, truth, 1.0).size == 12 - 3
    for n in (1, 2):
        assert coherence.acceleration_errors(x[:n], truth[:n], np.ones(n)).size == 0
        assert coherence.jerk(x[:n], 1.0).size == 0
    assert metrics.acceleration_errors is coherence.acceleration_errors
    with pytest.raises(ShapeError, match="expected truth of shape"):
        motion(x, truth[:3], 1.0)
    with pytest.raises(ShapeError, match="normaliser"):
        motion(x, truth, np.ones(3))


# Losses, recoveries, runs


@given(st.integers(0, 12).flatmap(lambda n: hnp.arrays(np.int8, (n, 3), elements=st.sampled_from([-1, 0, 1]))))
def test_losses_and_runs_agree_with_loops(states: np.ndarray) -> None:
    """−1: not counted; 0: missed; 1: hit."""
    counted, hit = states >= 0, states == 1
    lost, frames, runs = np.zeros(states.shape, bool), np.full(states.shape, np.nan), np.zeros(states.shape, bool)
    for j in range(3):
        last, since, in_run = None, None, False
        for t in range(len(states)):
            if states[t, j] < 0:
                continue
            if states[t, j] == 1:
                if since is not None:
                    frames[since, j] = t - since
                    since = None
                runs[t, j] = not in_run
                in_run = True
            else:
                in_run = False
                if last == 1:
                    lost[t, j], since = True, t
            last = states[t, j]
    # a hit in a frame that is not counted means nothing
    found = losses_and_recoveries(hit | ~counted, counted)
    np.testing.assert_array_equal(found.lost, lost)
    np.testing.assert_array_equal(found.frames, frames)
    assert (found.n_lost, found.n_recovered) == (lost.sum(), np.isfinite(frames).sum())
    np.testing.assert_array_equal(np.sort(found.durations), np.sort(frames[np.isfinite(frames)]))
    np.testing.assert_array_equal(run_starts(hit | ~counted, counted), runs)
    assert count_runs(hit | ~counted, counted) == runs.sum()


def test_a_known_history() -> None:
    #                 hit lost  .  hidden back lost to the end; then one that was never hit
    hit = np.array([[1, 0, 0, 0, 1, 0, 0], [0, 0, 1, 1, 1, 1, 1]], bool).T
    counted = np.array([[1, 1, 1, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1]], bool).T
    found = losses_and_recoveries(hit, counted)
    assert (found.n_lost, found.n_recovered, found.durations.tolist()) == (2, 1, [3.0])
    assert count_runs(~hit & counted, counted) == 3
    assert count_runs(hit) == 3
    with pytest.raises(ShapeError):
        losses_and_recoveries(hit, counted[:3])
