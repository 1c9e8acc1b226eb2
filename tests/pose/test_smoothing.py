"""The 1 € filter against closed forms."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest

from dkd.errors import ConfigError, ShapeError
from dkd.pose.smoothing import OneEuro

SCORES = np.ones(2)
SIDE = 200.0


def run(smoother: OneEuro, joints: np.ndarray, times: np.ndarray, side: float = SIDE) -> np.ndarray:
    """Smooth joints (T, J, 2) frame by frame."""
    return np.stack([smoother(x, np.ones(len(x)), float(t), side) for x, t in zip(joints, times, strict=True)])


def test_what_does_not_move_is_left_as_it_is() -> None:
    joints = np.broadcast_to(np.array([[3.0, 4.0], [100.5, -7.25]]), (9, 2, 2))
    np.testing.assert_array_equal(run(OneEuro(), joints, np.arange(9) / 25), joints)


def test_without_beta_it_is_a_low_pass_of_first_order() -> None:
    """A unit step at even steps: 1 − (1 − α)^n, with α = 1 / (1 + 1 / (2π f Δt))."""
    joints = np.ones((20, 1, 2))
    joints[0] = 0
    alpha = 1 / (1 + 1 / (2 * pi * 1.5 / 30))
    got = run(OneEuro(min_cutoff=1.5, beta=0), joints, np.arange(20) / 30)
    np.testing.assert_allclose(got[:, 0, 0], 1 - (1 - alpha) ** np.arange(20), atol=1e-12)
    np.testing.assert_array_equal(got[..., 0], got[..., 1])


def test_uneven_steps_count_by_their_length() -> None:
    """Without beta, each step weights by its own length; a step of length 0 changes nothing."""
    times = np.array([0.0, 0.04, 0.05, 0.05, 0.30, 2.0])
    x = np.array([0.0, 5.0, -3.0, 100.0, 8.0, 8.5])
    expected = [0.0]
    for value, step in zip(x[1:], np.diff(times), strict=True):
        alpha = 0.0 if step == 0 else 1 / (1 + 1 / (2 * pi * 1.0 * step))
        expected.append(expected[-1] + alpha * (value - expected[-1]))
    got = run(OneEuro(beta=0), np.repeat(x[:, None, None], 2, 2), times)
    np.testing.assert_allclose(got[:, 0, 0], expected, atol=1e-12)
    assert expected[3] == expected[2]


def test_the_second_frame_by_hand() -> None:
    """Speed is in sides per second: (3, 4) pixels in 0.1 s at a side of 100 are 0.5; low-pass filtered at 1 Hz."""
    share = 2 * pi * 1.0 * 0.1 / (1 + 2 * pi * 1.0 * 0.1)
    cutoff = 1.0 + 10.0 * share * 0.5
    alpha = 2 * pi * cutoff * 0.1 / (1 + 2 * pi * cutoff * 0.1)
    joints = np.array([[[10.0, 10.0]], [[13.0, 14.0]]])
    got = run(OneEuro(min_cutoff=1.0, beta=10.0), joints, np.array([0.0, 0.1]), side=100.0)
    np.testing.assert_allclose(got[1, 0], [10 + 3 * alpha, 10 + 4 * alpha], rtol=1e-12)


def test_a_fast_joint_is_followed_more_closely_and_a_still_one_is_smoothed() -> None:
    times = np.arange(60) / 30
    noise = np.random.default_rng(0).normal(0, 1.0, 60)
    joints = np.zeros((60, 2, 2))
    joints[:, 0, 0], joints[:, 1, 0] = 400 * times, noise  # two sides a second; a pixel of jitter
    quick, slow = (run(OneEuro(beta=b), joints, times) for b in (20.0, 0.0))
    lag_quick, lag_slow = (joints[-1, 0, 0] - got[-1, 0, 0] for got in (quick, slow))
    assert 0 < lag_quick < lag_slow / 5
    assert np.std(quick[20:, 1, 0]) < 0.6 * np.std(noise[20:])


def test_the_video_s_size_does_not_matter() -> None:
    joints = np.random.default_rng(1).normal(0, 20, (15, 3, 2))
    times = np.arange(15) / 25
    small, large = run(OneEuro(), joints, times, 100.0), run(OneEuro(), 7 * joints, times, 700.0)
    np.testing.assert_allclose(7 * small, large, rtol=1e-12)


def test_joints_are_independent_and_directions_are_equal() -> None:
    joints = np.random.default_rng(2).normal(0, 20, (15, 3, 2))
    times = np.cumsum(np.random.default_rng(3).uniform(0.01, 0.1, 15))
    together = run(OneEuro(), joints, times)
    for j in range(3):
        np.testing.assert_array_equal(together[:, j : j + 1], run(OneEuro(), joints[:, j : j + 1], times))
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    np.testing.assert_allclose(run(OneEuro(), joints @ turn, times), together @ turn, atol=1e-10)


def test_a_missing_joint_stays_missing_and_is_taken_up_again() -> None:
    """The length of the gap counts: after it, there is one step as long as three frames."""
    times = np.arange(6) / 25
    joints = np.zeros((6, 2, 2))
    joints[:, 0], joints[:, 1] = 50.0, 10.0
    joints[4:, 0] = 60.0
    joints[0, 1] = np.nan  # first seen in frame 1: as it is
    joints[2:4, 0, 1] = np.nan  # half a position is none
    got = run(OneEuro(beta=0), joints, times)
    assert np.isnan(got[0, 1]).all()
    assert np.isnan(got[2:4, 0]).all()
    np.testing.assert_array_equal(got[1:, 1], joints[1:, 1])
    turns = 2 * pi * 3 / 25
    np.testing.assert_allclose(got[4, 0], 50 + 10 * turns / (1 + turns))
    assert np.isfinite(got[5]).all()


def test_the_caller_s_array_is_not_written_to() -> None:
    joints = np.random.default_rng(4).normal(0, 20, (4, 2, 2))
    before = joints.copy()
    run(OneEuro(), joints, np.arange(4) / 25)
    np.testing.assert_array_equal(joints, before)


def test_errors_are_named() -> None:
    with pytest.raises(ConfigError, match="min_cutoff > 0"):
        OneEuro(min_cutoff=0)
    with pytest.raises(ConfigError, match="beta ≥ 0"):
        OneEuro(beta=-1)
    smoother = OneEuro()
    smoother(np.zeros((2, 2)), SCORES, 1.0, SIDE)
    with pytest.raises(ShapeError, match="one stream"):
        smoother(np.zeros((2, 2)), SCORES, 0.9, SIDE)
    with pytest.raises(ShapeError, match=r"\(2, 2\).*\(3, 2\)"):
        smoother(np.zeros((3, 2)), SCORES, 1.1, SIDE)
