"""How good are the joints of a frame? Every threshold comes with the length that it is a share of.

What needs several frames (smoothness, losses, recoveries) is in :mod:`dkd.measures.coherence`; which joints a published protocol
counts, and what it divides by, in :mod:`dkd.evaluation.protocols`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dkd.errors import ConfigError
from dkd.measures.coherence import (
    acceleration_errors as acceleration_errors,  # its place is there; callers know it from here
)
from dkd.pose.skeleton import Skeleton, get_skeleton

# Video data sets know a box, but OKS asks for the area of the person's outline. 0.53 of the box is what the Extended
# COCO API (xtcocotools, MMPose's evaluator; Ultralytics' pose validation cites it) takes for sets without areas.
OUTLINE_SHARE_OF_BOX = 0.53

# COCO's own, from 5,000 images that were annotated repeatedly; one value serves left and right.
_SIGMAS = {
    "nose": 0.026, "eye": 0.025, "ear": 0.035, "shoulder": 0.079, "elbow": 0.072, "wrist": 0.062, "hip": 0.107,
    "knee": 0.087, "ankle": 0.089,
    # COCO has none of these. (Our decision.) Head and neck as the shoulder, as MMPose has them for CrowdPose; the
    # middle of the body as the hip. For Sub-JHMDB MMPose gives head and neck an eye's 0.025: we do not follow it, as
    # nobody can place the middle of a head as exactly as an eye.
    "head": 0.079, "head_top": 0.079, "neck": 0.079, "upper_neck": 0.079, "thorax": 0.079, "belly": 0.107,
    "pelvis": 0.107,
}  # fmt: skip

KINDS = ("good", "jitter", "inversion", "miss", "outside crop", "not counted")
# Ronchi & Perona call an error jitter while the keypoint similarity falls from 0.85 to 0.5, that is while the distance
# grows by sqrt(ln 0.5 / ln 0.85) = 2.07. We start at alpha, as PCK does, and keep their ratio, rounded.
JITTER_REACH = 2.0


def pck(predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float, alpha: float) -> np.ndarray:
    """Share of joints that lie within ``alpha`` × ``normaliser`` of the truth, for each joint.

    Args:
        predicted: (..., J, 2) pixels; a missing prediction (NaN) is a miss.
        truth: (..., J, 2) pixels; NaN where not labelled: not counted.
        normaliser: length in pixels that broadcasts to the leading axes, such as the larger side of the person's box.
            A frame where it is NaN or not above 0 is not counted.
        alpha: threshold as a share of it; an error of exactly this size is a hit.

    Returns:
        (J,) in 0..1; NaN for a joint that is nowhere labelled. The mean over all labelled joints is
        ``hits.sum() / labelled.sum()``: see :func:`pck_mean`.
    """
    hits, counted = joint_counts(predicted, truth, normaliser, alpha)
    with np.errstate(invalid="ignore"):
        return hits / counted


def pck_mean(predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float, alpha: float) -> float:
    """Share of all labelled joints that are hit, pooled; arguments as in :func:`pck`. NaN if nothing is labelled."""
    hits, counted = pck_counts(predicted, truth, normaliser, alpha)
    return hits / counted if counted else float("nan")


def pck_counts(
    predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float, alpha: float
) -> tuple[int, int]:
    """How many joints are hit, and of how many labelled ones, to be pooled over clips; arguments as in :func:`pck`."""
    hits, counted = joint_counts(predicted, truth, normaliser, alpha)
    return int(hits.sum()), int(counted.sum())


def joint_counts(
    predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float, alpha: float
) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`pck_counts`, joint by joint: (J,) hits and (J,) counted, both int."""
    error, limit, counted = _errors(predicted, truth, normaliser)
    axes = tuple(range(counted.ndim - 1))
    return (counted & (error <= alpha * limit)).sum(axes), counted.sum(axes)


def pck_curve(
    predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float, thresholds: Sequence[float] | np.ndarray
) -> np.ndarray:
    """:func:`pck_mean` at each of the thresholds: (n,) in 0..1, NaN if nothing is labelled."""
    return np.array([pck_mean(predicted, truth, normaliser, float(alpha)) for alpha in thresholds])


def auc(predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float, upto: float = 0.2) -> float:
    """Area under the curve of :func:`pck_mean` from 0 to ``upto``, divided by ``upto``: 0..1, NaN without labels.

    Exact, without a grid: a joint with error e is hit on the part of the axis above e, so it adds max(0, 1 − e / upto).
    """
    if not upto > 0:
        raise ConfigError(f"expected an area up to a threshold above 0, got upto={upto}")
    error, limit, counted = _errors(predicted, truth, normaliser)
    if not counted.any():
        return float("nan")
    share = error[counted] / (upto * np.broadcast_to(limit, error.shape)[counted])
    return float(np.where(share < 1, 1 - share, 0).mean())  # a missing prediction's NaN is not below 1


def joint_sigmas(skeleton: str | Skeleton) -> np.ndarray:
    """(J,) σ of COCO's object keypoint similarity; the comments in this file say whose value each is.

    Raises:
        ConfigError: the skeleton has a joint for which none is known.
    """
    skeleton = get_skeleton(skeleton)
    parts = [joint.removeprefix("left_").removeprefix("right_") for joint in skeleton.joints]
    if unknown := [part for part in parts if part not in _SIGMAS]:
        raise ConfigError(f"no OKS sigma is known for {', '.join(unknown)} of skeleton {skeleton.name!r}; add it here")
    return np.array([_SIGMAS[part] for part in parts])


def keypoint_similarity(
    predicted: np.ndarray, truth: np.ndarray, area: np.ndarray | float, skeleton: str | Skeleton
) -> np.ndarray:
    """exp(−d² / (2 · area · (2σ)²)) of each joint: what OKS is the mean of. Arguments as in :func:`oks`.

    Returns:
        (..., J) in 0..1; 0 where the prediction is missing, NaN where there is no label or no area.
    """
    squared = ((np.asarray(predicted, np.float64) - truth) ** 2).sum(-1)
    size = np.asarray(area, np.float64)[..., None]
    with np.errstate(invalid="ignore", divide="ignore"):
        similarity = np.exp(-squared / (2 * size * (2 * joint_sigmas(skeleton)) ** 2))
    known = np.isfinite(truth).all(-1) & (size > 0)
    return np.where(known, np.where(np.isnan(squared), 0.0, similarity), np.nan)


def oks(predicted: np.ndarray, truth: np.ndarray, area: np.ndarray | float, skeleton: str | Skeleton) -> np.ndarray:
    """COCO's object keypoint similarity: the mean over labelled joints of exp(−d² / (2 · area · (2σ)²)).

    Args:
        predicted: (..., J, 2) pixels; a missing prediction has similarity 0.
        truth: (..., J, 2) pixels; NaN where not labelled (COCO's v = 0). COCO counts hidden joints that are labelled.
        area: of the person's outline in px², broadcasts to the leading axes; of a box, ``OUTLINE_SHARE_OF_BOX``.
        skeleton: joint set of the axis J.

    Returns:
        (...) in 0..1, one value a frame; NaN where nothing is labelled or there is no area.
    """
    similarity = keypoint_similarity(predicted, truth, area, skeleton)
    n = np.isfinite(similarity).sum(-1)
    with np.errstate(invalid="ignore"):
        return np.nansum(similarity, -1) / np.where(n, n, np.nan)


def side_flips(
    predicted: np.ndarray,
    truth: np.ndarray,
    skeleton: str | Skeleton,
    normaliser: np.ndarray | float,
    alpha: float,
) -> np.ndarray:
    """Which joints were put on the body's other side: "inversion" of Ronchi & Perona (ICCV 2017).

    As in their published code, the part that it is confused with is that of the other side, not any other of the body:
    a joint is flipped when it is *not* within alpha of its own truth but is within alpha of its mirror's. Joints on the
    body's midline never are, nor is a joint whose mirror is not labelled.

    Args:
        predicted, truth, normaliser, alpha: as in :func:`pck`.
        skeleton: joint set of the axis J.

    Returns:
        (..., J) bool; False where the joint is not labelled.
    """
    mirror = list(get_skeleton(skeleton).flip_permutation)
    error, limit, counted = _errors(predicted, truth, normaliser)
    other, _, _ = _errors(predicted, np.asarray(truth)[..., mirror, :], normaliser)
    # NaN, where the mirror is not labelled, is not within any limit.
    paired = np.array(mirror) != np.arange(len(mirror))
    return counted & paired & ~(error <= alpha * limit) & (other <= alpha * limit)


def error_kinds(
    predicted: np.ndarray,
    truth: np.ndarray,
    skeleton: str | Skeleton,
    normaliser: np.ndarray | float,
    alpha: float,
    counted: np.ndarray | None = None,
    in_crop: np.ndarray | None = None,
) -> np.ndarray:
    """What kind of error each joint is, after Ronchi & Perona (ICCV 2017), as indices into :data:`KINDS`.

    The first that applies, in this order (our decision): *not counted*; *good*: within alpha; *outside crop*: the true
    joint was not in the square that the network saw, so it could not be found; *inversion*: see :func:`side_flips`;
    *jitter*: within ``JITTER_REACH`` × alpha; *miss*: all else, and a missing prediction. Their "swap" (another
    person's joint) needs labels of all people and is part of *miss* here.

    Args:
        predicted, truth, normaliser, alpha: as in :func:`pck`.
        skeleton: joint set of the axis J.
        counted: (..., J) bool, joints to count among the labelled ones; all by default.
        in_crop: (..., J) bool, whether the true joint lay in the network's square; all by default.

    Returns:
        (..., J) int8.
    """
    error, limit, valid = _errors(predicted, truth, normaliser)
    valid = valid if counted is None else valid & counted
    outside = np.zeros_like(valid) if in_crop is None else ~np.asarray(in_crop, bool)
    flipped = side_flips(predicted, truth, skeleton, normaliser, alpha)
    conditions = [~valid, error <= alpha * limit, outside, flipped, error <= JITTER_REACH * alpha * limit]
    names = ("not counted", "good", "outside crop", "inversion", "jitter")
    return np.select(conditions, [KINDS.index(name) for name in names], KINDS.index("miss")).astype(np.int8)


def _errors(
    predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(..., J) error in pixels, (..., 1) normaliser, and (..., J) bool: labelled, with a length to compare to."""
    labelled = np.isfinite(truth).all(-1)
    error = np.linalg.norm(np.asarray(predicted, np.float64) - truth, axis=-1)
    limit = np.asarray(normaliser, np.float64)[..., None]
    return error, limit, labelled & (limit > 0) & np.isfinite(limit)
