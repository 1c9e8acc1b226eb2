"""Where does a track drift or jump, why, since which frame, and does the other model do better there?

:func:`diagnose` measures a trace: *lanes*, one value a frame and joint. :func:`worst` ranks the moments that stand out,
each with one reason and a sentence in numbers; :func:`statistics` sums up a range of frames. Lengths are shares of the
larger side of the person's box, as everywhere here.

All limits and scales are ours: the paper measures whole data sets, not moments. A *severity* says how many times its
limit a value is, so 1 is where something is worth telling, and reasons can be compared:

========== ======================================================================= ====================================
reason     value                                                                   limit
========== ======================================================================= ====================================
jump       how far a step differs from those before and after (:func:`jumps`)      clip's own, at least ``JUMP_LIMIT``
flip       motion that swapping sides would save (:func:`flips`); against the      ``FLIP_LIMIT``
           truth, where it is known, how much nearer the other's place is
drift      1 − cos(K̃_t, K̃_{t−1})                                                   clip's own, at least ``DRIFT_LIMIT``
low score  limit / confidence (the score, where there is no calibration)           clip's own, at least that of a lost
                                                                                   track (:mod:`dkd.tracking.reinitialise`)
out of     2 − distance to the border of the network's square in cells; where the  1 cell
crop       true joint lies outside: 2 + its distance to it / ``alpha``
miss       distance to the truth                                                   ``alpha``
========== ======================================================================= ====================================

The clip's own limit is the median plus (for the score: minus) ``SPREADS`` robust standard deviations, that is 1.4826 ×
the median absolute deviation, of the joint over the clip.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from dkd.errors import ConfigError, FrameIndexError, ShapeError, nearest_name
from dkd.io.files import atomic_path
from dkd.measures.coherence import motion
from dkd.measures.metrics import pck_mean
from dkd.models.confidence import ALPHA
from dkd.pose.crops import Crop, joints_to_box
from dkd.pose.skeleton import Skeleton
from dkd.tracking.reinitialise import LOST_CONFIDENCE, LOST_SCORE
from dkd.training.losses import frame_pairs

if TYPE_CHECKING:
    import pandas as pd

    from dkd.models.discriminator import TemporalDiscriminator
    from dkd.training.run import Run

REASONS = ("drift", "flip", "jump", "low score", "out of crop", "miss")

SPREADS = 6.0  # robust standard deviations from the median: with normal noise, one frame in 500 million
MAD_TO_SIGMA = 1.4826  # of a normal distribution
JUMP_LIMIT = 0.05  # of the box, a frame: about two cells of a map, more than decoding noise
FLIP_LIMIT = 0.05  # of the box: sides that are closer than that cannot be told apart
DRIFT_LIMIT = 1e-3  # kernels that turn less are the same for any eye
SURENESS_SPREAD = 0.02  # a saturated confidence has no spread: a dip of less than SPREADS times this is none
SURENESS_FLOOR = 0.05  # below, one is as lost as another
GAP = 2  # frames without a finding that do not end an event
BOX_REACH = 15  # frames on either side over which the box of a clip without truth is taken


class Lane(NamedTuple):
    """What is measured in each frame.

    Attributes:
        label: its name for people.
        unit: in words.
        low_is_bad: whether small values are the worrying ones.
        help: what it is, in a sentence.
    """

    label: str
    unit: str
    low_is_bad: bool
    help: str


LANES: dict[str, Lane] = {
    "confidence": Lane("confidence", "probability", True, "probability that the joint lies within 0.1 of the box"),
    "score": Lane("score", "peak height", True, "height of the map's peak"),
    "speed": Lane("speed", "box a frame", False, "step from the frame before"),
    "acceleration": Lane("acceleration", "box a frame²", False, "change of the step, at the middle of three frames"),
    "flip": Lane("flip", "box", False, "motion that exchanging left and right would save, a joint"),
    "swapped": Lane("sides swapped", "box", False, "how much nearer both sides are to the other's true place"),
    "kernel_drift": Lane("kernel drift", "1 − cos", False, "how far the kernels turned since the frame before"),
    "reconstruction": Lane(
        "discriminator", "error", False, "how badly the temporal discriminator reconstructs the change of the map"
    ),
    "error": Lane("error", "box", False, "distance to the truth; above the limit it is a miss"),
    "border": Lane("border", "cells", True, "distance to the border of the network's square; below 0: truth outside"),
}


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What :func:`diagnose` measured. NaN: not measured there.

    Attributes:
        model, clip: their names.
        skeleton: of the axis J.
        times: (T,) seconds.
        joints: (T, J, 2) pixels.
        truth: the same, or ``None``.
        side: (T,) larger side of the person's box in pixels.
        cell: (T,) side of a map's cell in pixels.
        alpha: a joint within ``alpha`` × ``side`` of the truth is found.
        calibrated: whether there is a confidence.
        lanes: by the names of :data:`LANES`, each (T, J) float64; ``kernel_drift``, which is of all joints, (T,).
        missing: why there is no such lane, in words, by its name.
        started: frames whose maps are the initializer's: frame 0, and where a lost track was started anew.
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

    def __len__(self) -> int:
        """Number T of frames."""
        return len(self.times)

    def limit(self, lane: str) -> float | None:
        """The limit of a lane that is the same for all joints and clips; ``None`` where it is the clip's own."""
        return {"flip": FLIP_LIMIT, "swapped": FLIP_LIMIT, "error": self.alpha, "border": 1.0}.get(lane)

    @cached_property
    def severities(self) -> dict[str, np.ndarray]:
        """Reason → (T, J) severity, (T, 1) for the kernels' drift; from 1 on it is worth telling. NaN: not measured."""
        return _severities(self)

    @cached_property
    def sureness(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(T, J) confidence, or scores clipped to 0..1; its (J,) medians, and the (J,) limits below which it is low."""
        values = self.lanes["confidence"] if self.calibrated else np.clip(self.lanes["score"], 0, 1)
        middle, spread = _middle_and_spread(values)
        own = middle - SPREADS * np.fmax(spread, SURENESS_SPREAD)
        return values, middle, np.fmax(own, LOST_CONFIDENCE if self.calibrated else LOST_SCORE)

    @cached_property
    def medians(self) -> dict[str, np.ndarray]:
        """Lane → (J,) medians over the clip, (1,) for the kernels' drift."""
        return {name: _middle_and_spread(lane.reshape(len(self), -1))[0] for name, lane in self.lanes.items()}

    def to_frame(self) -> pd.DataFrame:
        """A tidy table, a row a joint a frame: ``frame, time_s, joint`` and a column a lane."""
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


def diagnose(
    trace: Any,
    *,
    alpha: float = ALPHA,
    side: np.ndarray | None = None,
    discriminator: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> Diagnosis:
    """Measure all lanes of a trace.

    Args:
        trace: a :class:`dkd.Trace` of at least one frame.
        alpha: a joint that is further than this × the box from the truth is a miss. 0.1 by default, so that confidence
            and miss speak of one thing.
        side: (T,) larger side of the person's box in pixels; :func:`box_sides` by default. Two traces of one clip
            should be measured with the same.
        discriminator: a trained one, such as :func:`discriminator_of` a run; without it there is no such lane.

    Raises:
        ShapeError: there is no frame, or ``side`` is not (T,).
        ConfigError: alpha is not above 0.
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
    moved = motion(joints, np.zeros_like(joints), side)  # against somebody who stands still: plain speed
    size = int(trace.heatmaps.shape[-1])
    lanes = {
        "score": np.asarray(trace.scores, np.float64),
        "speed": moved.velocity_error,
        "acceleration": moved.jitter,
        "flip": flips(joints, trace.skeleton, side),
        "border": _border(joints, truth, trace.crops[:n], size),
    }
    missing = {}
    if trace.calibrated:
        lanes["confidence"] = np.asarray(trace.confidence, np.float64)
    else:
        missing["confidence"] = "the model has no calibration (dkd calibrate): its scores are no probabilities"
    if trace.kernels.shape[1]:
        lanes["kernel_drift"] = np.asarray(trace.kernel_drift(), np.float64)
        lanes["kernel_drift"][0] = np.nan  # there is nothing before it
    else:
        missing["kernel_drift"] = "the model has no kernels"
    if discriminator is not None:
        lanes["reconstruction"] = _reconstruction(trace, discriminator)
    else:
        missing["reconstruction"] = (
            "the temporal discriminator is kept in the state of a training run, not in a checkpoint; "
            "give one with discriminator=discriminator_of(run)"
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
        started=tuple(t for t in range(n) if trace.from_initializer(t)),
    )  # fmt: skip


def check_comparable(first: Any, second: Any) -> None:
    """Whether two traces, or two diagnoses, can be laid over each other.

    Raises:
        ConfigError: they have other numbers of frames, or other joints.
    """
    for what, a, b in (
        ("frames", len(first), len(second)),
        ("joints", first.skeleton.joints, second.skeleton.joints),
    ):
        if a != b:
            told = f"{a} and {b}" if what == "frames" else f"{first.skeleton.name} and {second.skeleton.name}"
            raise ConfigError(
                f"expected two traces of one clip with the same {what}, got {told}; trace the same clip with both "
                "models, as far (stop=...) and with models of one skeleton"
            )


# --- lanes ------------------------------------------------------------------------------------------------------------


def box_sides(trace: Any) -> np.ndarray:
    """(T,) larger side in pixels of the person's box: of the true joints, or else of the predicted ones.

    What is predicted may jump, and must not rescale itself: so without truth it is the median over ``BOX_REACH`` frames
    on either side (ours). NaN where neither has two joints, or they are in one place.
    """

    def sides(joints: np.ndarray) -> np.ndarray:
        boxes = [joints_to_box(frame) for frame in joints]
        found = np.array([np.nan if b is None else max(b[2] - b[0], b[3] - b[1]) for b in boxes])
        return np.where(found > 0, found, np.nan)

    predicted = sides(np.asarray(trace.joints, np.float64))
    padded = np.pad(predicted, BOX_REACH, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * BOX_REACH + 1)
    some = np.isfinite(windows).any(1)
    out = np.full(len(predicted), np.nan)
    out[some] = np.nanmedian(windows[some], 1)
    if trace.ground_truth is None:
        return out
    true = sides(np.asarray(trace.ground_truth, np.float64))
    return np.where(np.isfinite(true), true, out)


def jumps(acceleration: np.ndarray) -> np.ndarray:
    """How far each step differs from the step before it and from the step after it: the smaller of the two.

    Ours: speed alone would call every fast movement a jump. A uniform motion has 0, however fast; a joint at rest that
    is displaced by d in one frame, for good or for that frame alone, has d.

    Args:
        acceleration: (T, J) ‖Δ²x‖ at the middle of three frames, NaN at both ends.

    Returns:
        (T, J) at the later frame of each step; NaN in frame 0. At the ends of the clip there is one neighbour.
    """
    before = np.full_like(acceleration, np.nan)
    before[1:] = acceleration[:-1]
    out = np.fmin(before, acceleration)
    out[:1] = np.nan
    return out


def flips(joints: np.ndarray, skeleton: Skeleton, side: np.ndarray) -> np.ndarray:
    """Where exchanging left and right continues the two tracks with clearly less motion.

    With K = ‖l_t − l_{t−1}‖ + ‖r_t − r_{t−1}‖ as they are and S = ‖r_t − l_{t−1}‖ + ‖l_t − r_{t−1}‖ exchanged, it is
    max(0, K/2 − S): above 0 only where the exchange more than halves the motion, and the distance between the two where
    joints at rest change places. (Ours.)

    Args:
        joints: (T, J, 2) pixels.
        skeleton: of the axis J.
        side: (T,) length in pixels.

    Returns:
        (T, J) as a share of ``side``, the same for both joints of a pair, in the frame in which they change places (and
        in the one in which they change back); NaN for joints without a mirror, and in frame 0.
    """
    out = np.full(joints.shape[:2], np.nan)
    mirror = np.array(skeleton.flip_permutation)
    pairs = np.flatnonzero(mirror != np.arange(len(mirror)))
    steps = np.linalg.norm(np.diff(joints, axis=0), axis=-1)
    crossed = np.linalg.norm(joints[1:, mirror] - joints[:-1], axis=-1)
    kept, exchanged = (d + d[:, mirror] for d in (steps, crossed))
    saved = kept / 2 - exchanged
    out[1:, pairs] = (np.where(saved < 0, 0, saved) / side[1:, None])[:, pairs]
    return out


def swapped(joints: np.ndarray, truth: np.ndarray, skeleton: Skeleton, side: np.ndarray) -> np.ndarray:
    """How much nearer the two joints of a pair lie to each other's true place than to their own.

    The smaller of the two differences, or 0: both must be nearer. Two joints that have changed places exactly have the
    distance between them. Unlike :func:`dkd.measures.metrics.side_flips` it needs no hit. (Ours.)

    Returns:
        (T, J) as a share of ``side``, the same for both; NaN for joints without a mirror, and without both labels.
    """
    mirror = np.array(skeleton.flip_permutation)
    nearer = np.linalg.norm(joints - truth, axis=-1) - np.linalg.norm(joints - truth[:, mirror], axis=-1)
    both = np.minimum(nearer, nearer[:, mirror])
    out = np.where(both < 0, 0, both) / side[:, None]
    out[:, mirror == np.arange(len(mirror))] = np.nan
    return out


def _border(joints: np.ndarray, truth: np.ndarray | None, crops: list[Crop], size: int) -> np.ndarray:
    """(T, J) cells from a joint to the border of the square; where the true joint lies outside, minus its distance."""

    def inside(points: np.ndarray) -> np.ndarray:
        at = np.stack([crop.to_grid(p, size) for crop, p in zip(crops, points, strict=True)]) + 0.5
        return np.minimum(at, size - at).min(-1)

    out = inside(joints)
    if truth is None:
        return out
    true = inside(truth)
    return np.where(true < 0, true, out)


@torch.inference_mode()
def _reconstruction(trace: Any, discriminator: Callable[[Tensor, Tensor], Tensor]) -> np.ndarray:
    """(T, J) mean (D(d) − d)² over cells of each change d of a map, at its later frame; NaN in frame 0.

    As in training (:mod:`dkd.training.losses`): d is scaled to a root mean square of 1, here over the clip. The square follows
    the person, so map and picture of the frame before are first brought into the square of the later frame (ours).
    """
    n, size = len(trace), trace.heatmaps.shape[-1]
    out = np.full(trace.scores.shape, np.nan)

    def change(t: int) -> np.ndarray:
        before = _moved(trace.heatmaps[t - 1].transpose(1, 2, 0), trace.crops[t - 1], trace.crops[t])
        return np.asarray(trace.heatmaps[t]) - before.reshape(size, size, -1).transpose(2, 0, 1)

    power = [float(np.square(change(t), dtype=np.float64).mean()) for t in range(1, n)]
    scale = max(float(np.sqrt(np.mean(power))), 1e-12) if power else 1.0
    for t in range(1, n):
        before = _moved(trace.network_pixels(t - 1), trace.crops[t - 1], trace.crops[t])
        pixels = np.stack([before, trace.network_pixels(t)]).transpose(0, 3, 1, 2)
        pair = frame_pairs(torch.from_numpy(pixels)[None].float() / 255, size)
        d = torch.from_numpy(change(t) / np.float32(scale)).float()[None]
        out[t] = (discriminator(d, pair) - d).square().mean((-2, -1))[0].numpy()
    return out


def _moved(image: np.ndarray, old: Crop, new: Crop) -> np.ndarray:
    """An (N, N, K) picture of the square ``old``, resampled to the square ``new``; 0 where it does not reach."""
    size = image.shape[0]
    corners = np.array([[0.0, 0.0], [1.0, 1.0]])
    (x0, y0), (x1, _) = new.to_grid(old.to_frame(corners, size), size)
    forward = np.array([[x1 - x0, 0, x0], [0, x1 - x0, y0]])
    planes = [
        cv2.warpAffine(np.ascontiguousarray(image[..., k]), forward, (size, size), flags=cv2.INTER_LINEAR)
        for k in range(image.shape[2])  # OpenCV warps at most 4 channels at once
    ]
    return np.stack(planes, -1)


def discriminator_of(run: Run) -> TemporalDiscriminator | None:
    """The temporal discriminator in a training run's stored state; ``None``: the run has no adversary, or no state."""
    from dkd.models.discriminator import TemporalDiscriminator

    stored = run.load_state()
    start = "adversary."
    tensors = {k.removeprefix(start): v for k, v in (stored[1] if stored else {}).items() if k.startswith(start)}
    if not tensors:
        return None
    out = tensors["out.weight"]  # (J, width, 3, 3)
    discriminator = TemporalDiscriminator(out.shape[0], out.shape[1])
    discriminator.load_state_dict(tensors)
    return discriminator.eval()


# --- moments ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Moment:
    """Something that stands out.

    Attributes:
        frame: where it is worst.
        first, last: since which frame, and until which one.
        joint: its name; of a flip the left one; ``None`` where it is about all: the kernels' drift.
        reason: one of :data:`REASONS`.
        severity: how many times the limit, at least 1; see the module.
        text: a sentence with numbers.
        model: whose trace it is in.
        other: how severe it is in the same frames of the other trace, below 1 where it does not happen there; ``None``
            without another one, NaN where it is not measured there.
        which: 0 for the diagnosis that was asked, 1 for the other.
    """

    frame: int
    first: int
    last: int
    joint: str | None
    reason: str
    severity: float
    text: str
    model: str
    other: float | None = None
    which: int = 0


class Moments(tuple[Moment, ...]):
    """Moments, the most severe first."""

    def to_frame(self) -> pd.DataFrame:
        """A table, a row a moment, the columns as the attributes of :class:`Moment`."""
        import pandas as pd

        return pd.DataFrame([asdict(moment) for moment in self], columns=list(Moment.__dataclass_fields__))

    def to_csv(self) -> str:
        """The table as text."""
        return self.to_frame().to_csv(index=False)

    def to_json(self) -> str:
        """A list of objects as text; what is not known is null."""
        rows = [{k: None if v != v else v for k, v in asdict(moment).items()} for moment in self]
        return json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False)

    def save(self, path: str | Path) -> None:
        """Write a ``.csv`` or ``.json`` file, whole or not at all.

        Raises:
            ConfigError: another ending.
            StorageError: it cannot be written.
        """
        kinds = {".csv": self.to_csv, ".json": self.to_json}
        kind = Path(path).suffix.lower()
        if kind not in kinds:
            raise ConfigError(f"expected a file that ends in .csv or .json, got {str(path)!r}")
        with atomic_path(path) as temporary:
            temporary.write_text(kinds[kind](), encoding="utf-8")


def worst(
    diagnosis: Diagnosis,
    joint: str | int | None = None,
    n: int | None = 20,
    *,
    reason: str | None = None,
    other: Diagnosis | None = None,
) -> Moments:
    """The moments that stand out most, the most severe first; of equals the earlier one.

    Frames of one joint and one reason that follow each other, with at most ``GAP`` frames between, are one moment. A
    flip lasts from the frame in which the sides change places to the one before they change back (with truth: as long
    as they are swapped); where they never do, it is that one frame.

    Args:
        diagnosis: of a trace.
        joint: only this one's, and the kernels'; else all, with a flip told once a pair.
        n: at most so many; ``None``: all.
        reason: only this one.
        other: of another trace of the clip: its moments are ranked with the rest (``which`` = 1), and each says how it
            is in the other trace. What happens in both at the same time is told once, where it is worse.

    Raises:
        ConfigError: an unknown joint or reason, n below 0, or diagnoses of other clips.
    """
    skeleton = diagnosis.skeleton
    if reason is not None and reason not in REASONS:
        raise ConfigError(f"there is no reason {reason!r}{nearest_name(reason, REASONS)} There are: {REASONS}.")
    if n is not None and n < 0:
        raise ConfigError(f"expected n ≥ 0 moments or None for all, got {n}")
    j = None if joint is None else skeleton.index(joint)
    reasons = REASONS if reason is None else (reason,)
    if other is None:
        found = _moments(diagnosis, j, reasons)
        return Moments(sorted(found, key=_rank)[:n])
    check_comparable(diagnosis, other)
    found = []
    for which, (d, the_other) in enumerate(((diagnosis, other), (other, diagnosis))):
        for moment in _moments(d, j, reasons):
            there = _severity_there(the_other, moment)
            found.append(Moment(**{**vars(moment), "other": there, "which": which}))
    kept: list[Moment] = []
    told: dict[tuple[str | None, str], list[Moment]] = {}
    for moment in sorted(found, key=_rank):
        same = told.setdefault((moment.joint, moment.reason), [])
        # Told already if the other trace's is in the list, and was said to be here, too.
        if any(m.which != moment.which and _meet(m, moment) and m.other is not None and m.other >= 1 for m in same):
            continue
        same.append(moment)
        kept.append(moment)
    return Moments(kept[:n])


def _rank(moment: Moment) -> tuple[float, int, int, str, str]:
    return -moment.severity, moment.frame, moment.which, moment.reason, moment.joint or ""


def _meet(a: Moment, b: Moment) -> bool:
    return a.first <= b.last and b.first <= a.last


def _severity_there(d: Diagnosis, moment: Moment) -> float:
    values = d.severities.get(moment.reason)
    if values is None:
        return float("nan")
    column = 0 if moment.joint is None else d.skeleton.index(moment.joint)
    part = values[moment.first : moment.last + 1, column]
    return float(np.nanmax(part)) if np.isfinite(part).any() else float("nan")


def _own_limit(values: np.ndarray, least: float) -> np.ndarray:
    """(K,) median + SPREADS robust standard deviations of each column of (T, K), but at least ``least``."""
    middle, spread = _middle_and_spread(values)
    return np.fmax(middle + SPREADS * spread, least)


def _middle_and_spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(K,) median and 1.4826 × median absolute deviation of the columns of (T, K); NaN where nothing is known."""
    known = np.isfinite(values).any(0)
    middle, spread = (np.full(values.shape[1], np.nan) for _ in range(2))
    middle[known] = np.nanmedian(values[:, known], 0)
    spread[known] = MAD_TO_SIGMA * np.nanmedian(np.abs(values[:, known] - middle[known]), 0)
    return middle, spread


def _severities(d: Diagnosis) -> dict[str, np.ndarray]:
    jump = jumps(d.lanes["acceleration"])
    sure, _, limit = d.sureness
    out = {
        "jump": jump / _own_limit(jump, JUMP_LIMIT),
        "flip": d.lanes["swapped" if _knows_sides(d) else "flip"] / FLIP_LIMIT,
        "low score": np.where(sure < limit, limit / np.fmax(sure, SURENESS_FLOOR), sure * 0),
    }
    border = d.lanes["border"]
    outside = -border * (d.cell / (d.alpha * d.side))[:, None]
    out["out of crop"] = np.where(border < 0, 2 + outside, np.where(border <= 1, 2 - border, border * 0))
    if "kernel_drift" in d.lanes:
        drift = d.lanes["kernel_drift"][:, None]
        out["drift"] = drift / _own_limit(drift, DRIFT_LIMIT)
    if "error" in d.lanes:
        # A shade above 1: an error of exactly alpha is a hit, as in PCK.
        share = d.lanes["error"] / d.alpha
        out["miss"] = np.where(share == 1, np.nextafter(1, 0), share)
    return out


def _knows_sides(d: Diagnosis) -> bool:
    return "swapped" in d.lanes and bool(np.isfinite(d.lanes["swapped"]).any())


def _moments(d: Diagnosis, joint: int | None, reasons: tuple[str, ...]) -> list[Moment]:
    found = []
    for reason in (r for r in reasons if r in d.severities):
        values = d.severities[reason]
        for column in range(values.shape[1]):
            about_all = reason == "drift"
            if joint is not None and not about_all and column != joint:
                continue
            if joint is None and reason == "flip" and d.skeleton.side(column) == "right":
                continue  # told with the left one
            flags = np.flatnonzero(values[:, column] >= 1)
            spans = _alternations(flags) if reason == "flip" and not _knows_sides(d) else _events(flags)
            for first, last in spans:
                part = values[first : last + 1, column]
                frame = first + int(np.nanargmax(part))
                text = _SENTENCES[reason](d, frame, column)
                if frame in d.started and frame:
                    text += "; the lost track was started anew here"
                name = None if about_all else d.skeleton.joints[column]
                found.append(Moment(frame, first, last, name, reason, float(values[frame, column]), text, d.model))
    return found


def _events(frames: np.ndarray) -> list[tuple[int, int]]:
    """Ascending frame indices → first and last of each group with at most GAP frames between neighbours."""
    if not len(frames):
        return []
    groups = np.split(frames, np.flatnonzero(np.diff(frames) > GAP + 1) + 1)
    return [(int(group[0]), int(group[-1])) for group in groups]


def _alternations(frames: np.ndarray) -> list[tuple[int, int]]:
    """Frames in which two things change places → spans in which they are exchanged; the last odd one stands alone."""
    paired = len(frames) // 2 * 2
    spans = [(int(a), int(b) - 1) for a, b in zip(frames[:paired:2], frames[1:paired:2], strict=True)]
    return spans + [(int(t), int(t)) for t in frames[paired:]]


def number(value: float) -> str:
    """Two digits that count: 0.31, 0.0024, 1.3, 12."""
    return f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}"


def _tell_jump(d: Diagnosis, t: int, j: int) -> str:
    steps = d.lanes["speed"][:, j]
    text = (
        f"{d.skeleton.joints[j]} jumps {number(steps[t])} of the box in one frame; "
        f"its median step is {number(d.medians['speed'][j])}"
    )
    if d.truth is not None:
        true = np.linalg.norm(d.truth[t, j] - d.truth[t - 1, j]) / d.side[t]
        text += f", the true one here {number(true)}" if np.isfinite(true) else ""
    return text


def _tell_flip(d: Diagnosis, t: int, j: int) -> str:
    mirror = d.skeleton.flip_permutation[j]
    names = f"{d.skeleton.joints[j]} and {d.skeleton.joints[mirror]}"
    if _knows_sides(d):
        share = number(d.lanes["swapped"][t, j])
        return f"{names} are swapped: both lie {share} of the box nearer to the other's true place"
    here, before = d.joints[t], d.joints[t - 1]
    kept, exchanged = (
        sum(np.linalg.norm(here[a] - before[b]) for a, b in pairs) / d.side[t]
        for pairs in (((j, j), (mirror, mirror)), ((j, mirror), (mirror, j)))
    )
    return f"{names} change places: they move {number(kept)} of the box, exchanged it would be {number(exchanged)}"


def _tell_low_score(d: Diagnosis, t: int, j: int) -> str:
    what = "confidence" if d.calibrated else "score"
    (sure, middle, limit), name = d.sureness, d.skeleton.joints[j]
    return f"{name} has a {what} of {sure[t, j]:.2f}; its median is {middle[j]:.2f}, the limit {limit[j]:.2f}"


def _tell_out_of_crop(d: Diagnosis, t: int, j: int) -> str:
    border = d.lanes["border"][t, j]
    name = d.skeleton.joints[j]
    if border < 0:
        share = -border * d.cell[t] / d.side[t]
        return f"the true {name} lies {number(share)} of the box outside the square that the network sees"
    return f"{name} lies {number(border)} cells from the border of the square that the network sees"


def _tell_miss(d: Diagnosis, t: int, j: int) -> str:
    error = number(d.lanes["error"][t, j])
    return f"{d.skeleton.joints[j]} is {error} of the box off the truth; within {d.alpha:g} it is found"


def _tell_drift(d: Diagnosis, t: int, _: int) -> str:
    drift = d.lanes["kernel_drift"]
    return (
        f"the kernels turn by {number(drift[t])} (1 − cos) since the frame before; "
        f"the median is {number(d.medians['kernel_drift'][0])}"
    )


_SENTENCES: dict[str, Callable[[Diagnosis, int, int], str]] = {
    "drift": _tell_drift, "flip": _tell_flip, "jump": _tell_jump, "low score": _tell_low_score,
    "out of crop": _tell_out_of_crop, "miss": _tell_miss,
}  # fmt: skip


# --- a range of frames ------------------------------------------------------------------------------------------------


def statistics(diagnosis: Diagnosis, first: int, last: int, joint: str | int | None = None) -> pd.DataFrame:
    """Every lane in the frames ``first`` to ``last``, both included; of one joint, or of all pooled.

    Returns:
        a row a lane, named as in :data:`LANES`: ``mean, median, min, max`` and ``n``, the values that there are. With
        truth, a last row ``PCK@<alpha>``: its mean is the share of labelled joints that are found, the rest is NaN.

    Raises:
        FrameIndexError: not 0 ≤ first ≤ last < T.
        ConfigError: an unknown joint.
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
