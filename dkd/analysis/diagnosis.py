"""Diagnosis of a track: where it drifts or jumps, why, since which frame, and whether another model does better.

:func:`diagnose` measures a trace: *lanes*, one value per frame and joint. :func:`worst` ranks the worst moments, each
with one reason and a sentence with numbers; :func:`statistics` summarises a range of frames. Lengths are shares of the
larger side of the person's box.

All limits and scales are ours: the paper measures complete data sets, not moments. A *severity* is a value divided by
its limit, so that 1 is the threshold of reporting, and reasons can be compared:

========== ======================================================================= ====================================
reason     value                                                                   limit
========== ======================================================================= ====================================
jump       difference of a step to those before and after (:func:`jumps`)          clip's own, at least ``JUMP_LIMIT``
flip       motion that swapping sides would save (:func:`flips`); with ground      ``FLIP_LIMIT``
           truth, how much closer the other side's place is
drift      1 − cos(K̃_t, K̃_{t−1})                                                   clip's own, at least ``DRIFT_LIMIT``
low score  limit / confidence (the score, if there is no calibration)              clip's own, at least that of a lost
                                                                                   track, :data:`LOST_CONFIDENCE`
out of     2 − distance to the border of the network's square in cells; if the     1 cell
crop       true joint is outside: 2 + its distance to the border / ``alpha``
miss       distance to the ground truth                                            ``alpha``
========== ======================================================================= ====================================

The clip's own limit is the median plus (for the score: minus) ``SPREADS`` robust standard deviations of the joint over
the clip, where a robust standard deviation is 1.4826 × the median absolute deviation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from torch import Tensor

from dkd.analysis.lanes import border, box_sides, flips, reconstruction, swapped
from dkd.analysis.severity import CONFIDENCE_SPREAD, FLIP_LIMIT, SPREADS, middle_and_spread, severities
from dkd.errors import ConfigError, FrameIndexError, ShapeError, checked
from dkd.measures.coherence import motion
from dkd.measures.metrics import pck_mean
from dkd.models.confidence import ALPHA
from dkd.pose.skeleton import Skeleton
from dkd.tracking.protocols import TraceLike
from dkd.tracking.reinitialise import LOST_CONFIDENCE, LOST_SCORE

if TYPE_CHECKING:
    import pandas as pd

REASONS = ("drift", "flip", "jump", "low score", "out of crop", "miss")


class Lane(NamedTuple):
    """A quantity that is measured in each frame.

    Attributes:
        label: displayed name.
        unit: unit in words.
        low_is_bad: whether small values are bad.
        help: description in a sentence.
    """

    label: str
    unit: str
    low_is_bad: bool
    help: str


LANES: dict[str, Lane] = {
    "confidence": Lane("confidence", "probability", True, "probability that the joint is within 0.1 of the box"),
    "score": Lane("score", "peak height", True, "height of the map's peak"),
    "speed": Lane("speed", "box per frame", False, "step from the previous frame"),
    "acceleration": Lane("acceleration", "box per frame²", False, "change of the step, at the middle of three frames"),
    "flip": Lane("flip", "box", False, "motion per joint that swapping left and right would save"),
    "swapped": Lane("sides swapped", "box", False, "how much closer both sides are to the other's true place"),
    "kernel_drift": Lane("kernel drift", "1 − cos", False, "change of the kernels since the previous frame"),
    "reconstruction": Lane(
        "discriminator", "error", False, "error of the temporal discriminator's reconstruction of the map's change"
    ),
    "error": Lane("error", "box", False, "distance to the ground truth; above the limit it is a miss"),
    "border": Lane("border", "cells", True, "distance to the border of the network's square; below 0: outside it"),
}


@checked
@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Result of :func:`diagnose`. Values that are not measured are NaN.

    Attributes:
        model, clip: names of the model and the clip.
        skeleton: skeleton of the axis J.
        times: (T,) seconds.
        joints: (T, J, 2) predicted joints in pixels.
        truth: (T, J, 2) ground truth in pixels, or ``None``.
        side: (T,) larger side of the person's box in pixels.
        cell: (T,) side of a map's cell in pixels.
        alpha: a joint within ``alpha`` × ``side`` of the ground truth is found.
        calibrated: whether there is a calibrated confidence.
        lanes: by the names of :data:`LANES`, each (T, J) float64; ``kernel_drift``, shared by all joints, (T,).
        missing: for each missing lane, by name, why it is missing.
        started: frames whose maps come from the initializer: ``origin``, and frames with a re-initialisation.
        origin: frame in which the run started: 0, except in a :class:`dkd.TwoWayTrace`.
    """

    model: str
    clip: str
    skeleton: Skeleton
    times: np.ndarray
    joints: np.ndarray
    truth: np.ndarray | None
    side: np.ndarray
    cell: np.ndarray
    alpha: float
    calibrated: bool
    lanes: dict[str, np.ndarray]
    missing: dict[str, str]
    started: tuple[int, ...]
    origin: int = 0

    def __len__(self) -> int:
        """Return the number of frames T."""
        return len(self.times)

    def limit(self, lane: str) -> float | None:
        """Return a lane's limit if it is the same for all joints and clips; ``None`` if it depends on the clip."""
        return {"flip": FLIP_LIMIT, "swapped": FLIP_LIMIT, "error": self.alpha, "border": 1.0}.get(lane)

    @cached_property
    def severities(self) -> dict[str, np.ndarray]:
        """Severity (T, J) by reason, (T, 1) for kernel drift; values of 1 or more are reported. NaN: not measured."""
        return severities(self)

    @cached_property
    def confidence_and_limits(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Confidence or clipped scores (T, J), its medians (J,), and the limits (J,) below which it is low."""
        values = self.lanes["confidence"] if self.calibrated else np.clip(self.lanes["score"], 0, 1)
        middle, spread = middle_and_spread(values)
        own = middle - SPREADS * np.fmax(spread, CONFIDENCE_SPREAD)
        return values, middle, np.fmax(own, LOST_CONFIDENCE if self.calibrated else LOST_SCORE)

    @cached_property
    def medians(self) -> dict[str, np.ndarray]:
        """Medians (J,) over the clip by lane, (1,) for kernel drift."""
        return {name: middle_and_spread(lane.reshape(len(self), -1))[0] for name, lane in self.lanes.items()}

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy table with one row per joint per frame: ``frame, time_s, joint`` and one column per lane."""
        import pandas as pd

        n, names = len(self), self.skeleton.joints
        table = {
            "frame": np.repeat(np.arange(n), len(names)),
            "time_s": np.repeat(self.times, len(names)),
            "joint": np.tile(np.array(names), n),
        }
        for name, values in self.lanes.items():
            table[name] = np.repeat(values, len(names)) if values.ndim == 1 else values.ravel()
        return pd.DataFrame(table)


@checked
def diagnose(
    trace: TraceLike,
    *,
    alpha: float = ALPHA,
    side: np.ndarray | None = None,
    discriminator: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> Diagnosis:
    """Measure all lanes of a trace.

    Args:
        trace: a :class:`dkd.Trace` of at least one frame; or a track without maps (:func:`dkd.as_trace`), which has
            neither kernel drift nor a network's square.
        alpha: a joint that is further than this × the box from the ground truth is a miss. The default, 0.1, is also
            the distance used for confidence.
        side: (T,) larger side of the person's box in pixels; :func:`box_sides` by default. Two traces of one clip
            should use the same sides.
        discriminator: a trained temporal discriminator, such as from :meth:`dkd.training.run.Run.discriminator`;
            without one there is no such lane.

    Raises:
        ShapeError: there are no frames, or ``side`` is not (T,).
        ConfigError: ``alpha`` is not above 0.
    """
    n = len(trace)
    if n < 1:
        raise ShapeError("expected a trace of at least one frame, got none: run it first (trace.run())")
    if not alpha > 0:
        raise ConfigError(f"expected alpha > 0, a share of the person's box, got {alpha}")
    side = box_sides(trace) if side is None else np.asarray(side, np.float64)
    if side.shape != (n,):
        raise ShapeError(f"expected the box's side in each of {n} frames, got an array of shape {side.shape}")
    joints = np.asarray(trace.joints, np.float64)
    truth = None if trace.ground_truth is None else np.asarray(trace.ground_truth, np.float64)
    moved = motion(joints, np.zeros_like(joints), side)  # relative to a motionless person: plain speed
    size = int(trace.heatmaps.shape[-1])
    lanes = {
        "score": np.asarray(trace.scores, np.float64),
        "speed": moved.velocity_error,
        "acceleration": moved.jitter,
        "flip": flips(joints, trace.skeleton, side),
    }
    missing = {}
    if size > 1:
        lanes["border"] = border(joints, truth, trace.crops[:n], size)
    else:
        missing["border"] = "it is a track of another tool, without a network's square"
    if trace.calibrated:
        lanes["confidence"] = np.asarray(trace.confidence, np.float64)
    else:
        missing["confidence"] = "the model has no calibration (dkd calibrate): its scores are not probabilities"
    if trace.kernels.shape[1]:
        lanes["kernel_drift"] = np.asarray(trace.kernel_drift(), np.float64)
        lanes["kernel_drift"][0] = np.nan  # there is no previous frame
    else:
        missing["kernel_drift"] = "the model has no kernels" if size > 1 else "a track of another tool has no kernels"
    if discriminator is not None:
        lanes["reconstruction"] = reconstruction(trace, discriminator)
    else:
        missing["reconstruction"] = (
            "the temporal discriminator is stored in the state of a training run, not in a checkpoint; "
            "pass one with discriminator=run.discriminator()"
        )
    if truth is not None:
        with np.errstate(invalid="ignore"):
            lanes["error"] = np.linalg.norm(joints - truth, axis=-1) / side[:, None]
        lanes["swapped"] = swapped(joints, truth, trace.skeleton, side)
    else:
        missing |= dict.fromkeys(("error", "swapped"), "the clip has no ground truth")
    return Diagnosis(
        model=trace.model_name, clip=trace.clip.name, skeleton=trace.skeleton, times=np.asarray(trace.times),
        joints=joints, truth=truth, side=side, cell=np.array([c.side / size for c in trace.crops[:n]]), alpha=alpha,
        calibrated=bool(trace.calibrated), lanes={name: lanes[name] for name in LANES if name in lanes},
        missing={name: missing[name] for name in LANES if name in missing},
        started=tuple(t for t in range(n) if trace.from_initializer(t)), origin=trace.origin,
    )  # fmt: skip


def check_comparable(first: Any, second: Any) -> None:
    """Check that two traces, or two diagnoses, can be compared frame by frame.

    Raises:
        ConfigError: their numbers of frames or their skeletons differ.
    """
    for what, a, b in (
        ("frames", len(first), len(second)),
        ("joints", first.skeleton.joints, second.skeleton.joints),
    ):
        if a != b:
            told = f"{a} and {b}" if what == "frames" else f"{first.skeleton.name} and {second.skeleton.name}"
            raise ConfigError(
                f"expected two traces of one clip with the same {what}, got {told}; trace the same clip with both "
                "models, up to the same frame (stop=...), with models of one skeleton"
            )


# --- a range of frames ------------------------------------------------------------------------------------------------


@checked
def statistics(diagnosis: Diagnosis, first: int, last: int, joint: str | int | None = None) -> pd.DataFrame:
    """Summarise all lanes in the frames ``first`` to ``last``, both included, for one joint or pooled over all.

    Returns:
        One row per lane, named as in :data:`LANES`: ``mean, median, min, max`` and the number of values ``n``. With
        ground truth, there is a last row ``PCK@<alpha>``: its mean is the share of labelled joints that are found, the
        other columns are NaN.

    Raises:
        FrameIndexError: not 0 ≤ first ≤ last < T.
        ConfigError: the joint is unknown.
    """
    import pandas as pd

    if not 0 <= first <= last < len(diagnosis):
        raise FrameIndexError(
            f"expected frames with 0 <= first <= last < {len(diagnosis)}, got first={first} and last={last}"
        )
    part = slice(first, last + 1)
    j = slice(None) if joint is None else slice(k := diagnosis.skeleton.index(joint), k + 1)
    rows = {}
    for name, lane in diagnosis.lanes.items():
        values = lane[part] if lane.ndim == 1 else lane[part, j]
        values = values[np.isfinite(values)]
        four = [f(values) if len(values) else np.nan for f in (np.mean, np.median, np.min, np.max)]
        rows[name] = [*four, len(values)]
    if diagnosis.truth is not None:
        truth = diagnosis.truth[part, j]
        found = pck_mean(diagnosis.joints[part, j], truth, diagnosis.side[part], diagnosis.alpha)
        rows[f"PCK@{diagnosis.alpha:g}"] = [found, *[np.nan] * 3, int(np.isfinite(truth).all(-1).sum())]
    columns = ["mean", "median", "min", "max", "n"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).astype({"n": int})
