"""How joints move from frame to frame: smoothness, losses and recoveries.

The arrays have one value a joint a frame, so that they can be masked, pooled and grouped; what cannot be measured is
NaN, never 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dkd.errors import ShapeError


class Motion(NamedTuple):
    """Smoothness of each joint at each frame, all (T, J) float64, in units of the normaliser; NaN: not measured.

    The first two compare with the truth, so that true motion is not punished; the other two need no labels, and true
    motion is in them too. Differences stand at the frame that they are about (our decision): a velocity at the later of
    its two frames, an acceleration at the middle of its three, a jerk at the third of its four. That frame's normaliser
    counts.

    Attributes:
        velocity_error: ‖Δx − Δx*‖, a frame.
        acceleration_error: ‖Δ²x − Δ²x*‖, a frame².
        jitter: ‖Δ²x‖, a frame².
        jerk: ‖Δ³x‖, a frame³.
    """

    velocity_error: np.ndarray
    acceleration_error: np.ndarray
    jitter: np.ndarray
    jerk: np.ndarray


def motion(predicted: np.ndarray, truth: np.ndarray | None, normaliser: np.ndarray | float) -> Motion:
    """All of :class:`Motion`.

    Args:
        predicted: (T, J, 2) pixels, T consecutive frames; NaN where missing.
        truth: the same, NaN where it is not labelled or is not to be counted; None: there is none.
        normaliser: (T,) or one length in pixels, such as the larger side of the person's box; NaN: no measure there.

    Raises:
        ShapeError: the arrays do not belong together.
    """
    x, length = _checked(predicted, truth, normaliser)
    error = np.full(x.shape, np.nan) if truth is None else x - truth
    return Motion(
        _differences(error, 1, length), _differences(error, 2, length), _differences(x, 2, length),
        _differences(x, 3, length),
    )  # fmt: skip


def velocity_errors(predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float) -> np.ndarray:
    """‖Δpredicted − Δtruth‖ as a share of the normaliser a frame; (n,) as in :func:`acceleration_errors`."""
    return _pooled(motion(predicted, truth, normaliser).velocity_error)


def acceleration_errors(predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float) -> np.ndarray:
    """‖Δ²predicted − Δ²truth‖ of each joint, as a share of the normaliser; Δ² is x_{t+1} − 2 x_t + x_{t−1}.

    The smoothness measure of the field's video pose work (there as a mean in mm/s²): it does not punish true motion.

    Args:
        predicted, truth: (T, J, 2) pixels, T ≥ 3; a joint that is not labelled in all three frames is left out.
        normaliser: (T,) length in pixels; that of the middle frame counts.

    Returns:
        (n,) one value for each joint and frame that has one, in units of the normaliser a frame²; empty for T < 3. Of
        the (T − 2) · J that there could be, the rest was left out.
    """
    return _pooled(motion(predicted, truth, normaliser).acceleration_error)


def jitter(predicted: np.ndarray, normaliser: np.ndarray | float) -> np.ndarray:
    """‖Δ²predicted‖ as a share of the normaliser a frame², without truth; (n,) as in :func:`acceleration_errors`."""
    return _pooled(motion(predicted, None, normaliser).jitter)


def jerk(predicted: np.ndarray, normaliser: np.ndarray | float) -> np.ndarray:
    """‖Δ³predicted‖ as a share of the normaliser a frame³, without truth; (n,) as in :func:`acceleration_errors`."""
    return _pooled(motion(predicted, None, normaliser).jerk)


class Losses(NamedTuple):
    """When joints were lost, and for how long.

    Attributes:
        lost: (T, J) bool, True at the first missed frame after a hit.
        frames: (T, J) float64, at those frames: how many frames later the joint was hit again; NaN if it never was, and
            where nothing was lost.
    """

    lost: np.ndarray
    frames: np.ndarray

    @property
    def n_lost(self) -> int:
        """Number of times that a joint was lost."""
        return int(self.lost.sum())

    @property
    def n_recovered(self) -> int:
        """How many of these were followed by a hit."""
        return int(np.isfinite(self.frames).sum())

    @property
    def durations(self) -> np.ndarray:
        """(n_recovered,) frames that each recovery took, at least 1."""
        return self.frames[np.isfinite(self.frames)]


def losses_and_recoveries(hit: np.ndarray, counted: np.ndarray) -> Losses:
    """When a joint that was hit is hit no more, and when it is again.

    A frame that is not counted (unlabelled, hidden) is neither a loss nor a recovery; it does take time, though: a
    recovery from frame 3 to frame 7 took 4 frames, whatever was seen between. A joint that was never hit before was not
    lost. (Our decisions.)

    Args:
        hit, counted: (T, J) bool.

    Raises:
        ShapeError: they are not of one shape (T, J).
    """
    hit, counted = _checked_flags(hit, counted)
    joint, frame = np.nonzero(counted.T)  # by joint, then by frame
    now = hit.T[joint, frame]
    lost, frames = np.zeros(hit.shape, bool), np.full(hit.shape, np.nan)
    if not len(joint):
        return Losses(lost, frames)
    before = np.r_[False, now[:-1]]
    goes_on = np.r_[False, joint[1:] == joint[:-1]]
    loses, regains = goes_on & before & ~now, goes_on & ~before & now
    lost[frame[loses], joint[loses]] = True
    last_loss = np.maximum.accumulate(np.where(loses, np.arange(len(now)), -1))
    back = np.flatnonzero(regains & (last_loss >= 0) & (joint[last_loss] == joint))
    at = last_loss[back]
    frames[frame[at], joint[at]] = frame[back] - frame[at]
    return Losses(lost, frames)


def run_starts(flags: np.ndarray, counted: np.ndarray | None = None) -> np.ndarray:
    """Where runs of True begin along time; frames that are not counted neither end a run nor begin one.

    Args:
        flags: (T, J) bool, such as :func:`dkd.measures.metrics.side_flips`.
        counted: (T, J) bool; all by default.

    Returns:
        (T, J) bool, True once a run. Its sum is the number of events.
    """
    flags, counted = _checked_flags(flags, np.ones_like(flags, bool) if counted is None else counted)
    joint, frame = np.nonzero(counted.T)
    now = flags.T[joint, frame]
    starts = np.zeros(flags.shape, bool)
    if len(joint):
        goes_on = np.r_[False, (joint[1:] == joint[:-1]) & now[:-1]]
        first = now & ~goes_on
        starts[frame[first], joint[first]] = True
    return starts


def count_runs(flags: np.ndarray, counted: np.ndarray | None = None) -> int:
    """Number of events: see :func:`run_starts`."""
    return int(run_starts(flags, counted).sum())


def _differences(x: np.ndarray, order: int, length: np.ndarray) -> np.ndarray:
    """(T, J, 2) → (T, J): norm of the differences of this order, as a share of ``length`` (T,)."""
    out = np.full(x.shape[:2], np.nan)
    n = len(x) - order
    if n > 0:
        first = (order + 1) // 2
        here = slice(first, first + n)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.linalg.norm(np.diff(x, order, axis=0), axis=-1) / length[here, None]
        out[here] = np.where(np.isfinite(values), values, np.nan)
    return out


def _pooled(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def _checked(
    predicted: np.ndarray, truth: np.ndarray | None, normaliser: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    x = np.asarray(predicted, np.float64)
    if x.ndim != 3 or x.shape[-1] != 2 or (truth is not None and np.shape(truth) != x.shape):
        found = "" if truth is None else f" and truth of shape {np.shape(truth)}"
        raise ShapeError(f"expected joints of one shape (T, J, 2), got predictions of shape {x.shape}{found}")
    length = np.asarray(normaliser, np.float64)
    if length.shape not in ((), (len(x),)):
        raise ShapeError(f"expected a normaliser of shape ({len(x)},) or one number, got {length.shape}")
    return x, np.broadcast_to(length, len(x))


def _checked_flags(flags: np.ndarray, counted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    flags, counted = np.asarray(flags, bool), np.asarray(counted, bool)
    if flags.ndim != 2 or flags.shape != counted.shape:
        raise ShapeError(f"expected two arrays of one shape (T, J), got {flags.shape} and {counted.shape}")
    return flags, counted
