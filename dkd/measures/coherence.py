"""Temporal coherence of tracks: smoothness, losses and recoveries.

Arrays have one value per joint per frame, so that they can be masked, pooled and grouped. Values that cannot be
measured are NaN, never 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dkd.errors import checked
from dkd.pose.labels import as_flags, as_joints, as_lengths


class Motion(NamedTuple):
    """Smoothness of each joint in each frame, all (T, J) float64, in units of the normaliser; NaN if not measured.

    The first two compare with the ground truth, so that true motion is not penalised; the other two need no labels and
    include true motion. A difference is stored at the frame that it describes (our decision): a velocity at the later
    of its two frames, an acceleration at the middle of its three, a jerk at the third of its four. The normaliser of
    that frame is used.

    Attributes:
        velocity_error: ‖Δx − Δx*‖, per frame.
        acceleration_error: ‖Δ²x − Δ²x*‖, per frame².
        jitter: ‖Δ²x‖, per frame².
        jerk: ‖Δ³x‖, per frame³.
    """

    velocity_error: np.ndarray
    acceleration_error: np.ndarray
    jitter: np.ndarray
    jerk: np.ndarray


@checked
def motion(predicted: np.ndarray, truth: np.ndarray | None, normaliser: np.ndarray | float) -> Motion:
    """Compute all measures of :class:`Motion`.

    Args:
        predicted: (T, J, 2) pixels of T consecutive frames; NaN where missing.
        truth: ground truth of the same shape, NaN where not labelled or not to be counted; ``None`` if there is none.
        normaliser: (T,) or one length in pixels, such as the larger side of the person's box; where it is NaN or not
            above 0, nothing is measured.

    Raises:
        ShapeError: the shapes of the arrays do not match.
    """
    x, truth, length = _checked(predicted, truth, normaliser)
    error = np.full(x.shape, np.nan) if truth is None else x - truth
    return Motion(
        _differences(error, 1, length), _differences(error, 2, length), _differences(x, 2, length),
        _differences(x, 3, length),
    )  # fmt: skip


def velocity_errors(predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float) -> np.ndarray:
    """Compute ‖Δpredicted − Δtruth‖ in units of the normaliser per frame; (n,) as in :func:`acceleration_errors`."""
    return _pooled(motion(predicted, truth, normaliser).velocity_error)


def acceleration_errors(predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float) -> np.ndarray:
    """Compute ‖Δ²predicted − Δ²truth‖ of each joint as a share of the normaliser; Δ² is x_{t+1} − 2 x_t + x_{t−1}.

    This is the usual smoothness measure in video pose estimation (there as a mean in mm/s²); it does not penalise true
    motion.

    Args:
        predicted, truth: (T, J, 2) pixels, T ≥ 3; a joint that is not labelled in all three frames is left out.
        normaliser: (T,) length in pixels; that of the middle frame is used.

    Returns:
        (n,) values of all joints and frames that have one, in units of the normaliser per frame²; empty for T < 3. The
        rest of the (T − 2) · J possible values was left out.
    """
    return _pooled(motion(predicted, truth, normaliser).acceleration_error)


def jitter(predicted: np.ndarray, normaliser: np.ndarray | float) -> np.ndarray:
    """Compute ‖Δ²predicted‖ in units of the normaliser per frame², without ground truth; (n,) as above."""
    return _pooled(motion(predicted, None, normaliser).jitter)


def jerk(predicted: np.ndarray, normaliser: np.ndarray | float) -> np.ndarray:
    """Compute ‖Δ³predicted‖ in units of the normaliser per frame³, without ground truth; (n,) as above."""
    return _pooled(motion(predicted, None, normaliser).jerk)


class Losses(NamedTuple):
    """Frames in which joints were lost, and the time until they were found again.

    Attributes:
        lost: (T, J) bool, True at the first missed frame after a hit.
        frames: (T, J) float64, at those frames: the number of frames until the joint was hit again; NaN if it never
            was, and where no joint was lost.
    """

    lost: np.ndarray
    frames: np.ndarray

    @property
    def n_lost(self) -> int:
        """Number of losses."""
        return int(self.lost.sum())

    @property
    def n_recovered(self) -> int:
        """Number of losses that were followed by a hit."""
        return int(np.isfinite(self.frames).sum())

    @property
    def durations(self) -> np.ndarray:
        """(n_recovered,) number of frames that each recovery took, at least 1."""
        return self.frames[np.isfinite(self.frames)]


def losses_and_recoveries(hit: np.ndarray, counted: np.ndarray) -> Losses:
    """Find the frames in which a joint that was hit is no longer hit, and when it is hit again.

    A frame that is not counted (unlabelled, hidden) is neither a loss nor a recovery, but it does count as time: a
    recovery from frame 3 to frame 7 takes 4 frames, whatever is labelled in between. A joint that was never hit before
    cannot be lost. (Our decisions.)

    Args:
        hit, counted: (T, J) bool.

    Raises:
        ShapeError: they do not have the same shape (T, J).
    """
    hit, counted = _checked_flags(hit, counted)
    joint, frame = np.nonzero(counted.T)  # sorted by joint, then by frame
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
    """Find where runs of True begin along time; frames that are not counted neither end nor begin a run.

    Args:
        flags: (T, J) bool, such as :func:`dkd.measures.metrics.side_flips`.
        counted: (T, J) bool; all by default.

    Returns:
        (T, J) bool, True at the first frame of each run. The sum is the number of events.
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
    """Count events: see :func:`run_starts`."""
    return int(run_starts(flags, counted).sum())


def _differences(x: np.ndarray, order: int, length: np.ndarray) -> np.ndarray:
    """Compute the norm of the differences of this order, in units of ``length`` (T,): (T, J, 2) → (T, J)."""
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
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    x = as_joints(predicted, ("T", "J", 2), "predictions")
    truth = None if truth is None else as_joints(truth, x.shape, "truth")
    length = as_lengths(normaliser, (len(x),))
    return x, truth, np.where(length > 0, length, np.nan)


def _checked_flags(flags: np.ndarray, counted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    flags = as_flags(flags, ("T", "J"), "flags")
    return flags, as_flags(counted, flags.shape, "counted")
