"""Accuracy of the joints in a frame. Every threshold is a share of a length that is given with it.

Measures over several frames (smoothness, losses, recoveries) are in :mod:`dkd.measures.coherence`. Which joints a
published protocol counts, and which length it divides by, is defined in :mod:`dkd.evaluation.protocols`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dkd.errors import ConfigError, checked
from dkd.measures.coherence import (
    acceleration_errors as acceleration_errors,  # defined there, imported from here by callers
)
from dkd.pose.labels import as_flags, as_joints, as_lengths
from dkd.pose.skeleton import Skeleton, get_skeleton

# Video data sets have boxes, but OKS needs the area of the person's outline. For data sets without areas, the Extended
# COCO API (xtcocotools, MMPose's evaluator; cited by Ultralytics' pose validation) uses 0.53 of the box.
OUTLINE_SHARE_OF_BOX = 0.53

# COCO's values, from 5,000 images that were annotated repeatedly; left and right share one value.
_SIGMAS = {
    "nose": 0.026, "eye": 0.025, "ear": 0.035, "shoulder": 0.079, "elbow": 0.072, "wrist": 0.062, "hip": 0.107,
    "knee": 0.087, "ankle": 0.089,
    # COCO has none of these (our decision): head and neck as the shoulder, as in MMPose for CrowdPose; the middle of
    # the body as the hip. For Sub-JHMDB, MMPose uses an eye's 0.025 for head and neck; we do not, as nobody can locate
    # the middle of a head as precisely as an eye.
    "head": 0.079, "head_top": 0.079, "neck": 0.079, "upper_neck": 0.079, "thorax": 0.079, "belly": 0.107,
    "pelvis": 0.107,
}  # fmt: skip

KINDS = ("good", "jitter", "inversion", "miss", "outside crop", "not counted")
# Ronchi & Perona call an error jitter if the keypoint similarity is between 0.85 and 0.5, a ratio of distances of
# sqrt(ln 0.5 / ln 0.85) = 2.07. We start at alpha, as PCK does, and keep their ratio, rounded.
JITTER_REACH = 2.0


def pck(predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float, alpha: float) -> np.ndarray:
    """Compute the share of predictions within ``alpha`` × ``normaliser`` of the ground truth, for each joint.

    Args:
        predicted: (..., J, 2) pixels; a missing prediction (NaN) is a miss.
        truth: (..., J, 2) pixels; NaN where not labelled, which is not counted.
        normaliser: one length in pixels, or one per frame (the leading axes), such as the larger side of the person's
            box. Frames where it is NaN or not above 0 are not counted.
        alpha: threshold as a share of the normaliser; an error of exactly this size is a hit.

    Returns:
        (J,) in 0..1; NaN for a joint that is never labelled. For the mean over all labelled joints,
        ``hits.sum() / labelled.sum()``, see :func:`pck_mean`.

    Raises:
        ShapeError: the arrays do not have these shapes, or are not numbers. Nothing is broadcast.
    """
    hits, counted = joint_counts(predicted, truth, normaliser, alpha)
    with np.errstate(invalid="ignore"):
        return hits / counted


@checked
def pck_mean(predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float, alpha: float) -> float:
    """Compute the pooled share of hits among all labelled joints; arguments as in :func:`pck`. NaN without labels."""
    hits, counted = pck_counts(predicted, truth, normaliser, alpha)
    return hits / counted if counted else float("nan")


def pck_counts(
    predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float, alpha: float
) -> tuple[int, int]:
    """Count hits and labelled joints, to be pooled over clips; arguments as in :func:`pck`."""
    hits, counted = joint_counts(predicted, truth, normaliser, alpha)
    return int(hits.sum()), int(counted.sum())


def joint_counts(
    predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float, alpha: float
) -> tuple[np.ndarray, np.ndarray]:
    """Count hits and labelled joints as :func:`pck_counts`, for each joint: both (J,) int."""
    if not alpha >= 0:
        raise ConfigError(f"expected a threshold alpha of 0 or more, a share of the normaliser, got {alpha}")
    error, limit, counted = _errors(predicted, truth, normaliser)
    axes = tuple(range(counted.ndim - 1))
    return (counted & (error <= alpha * limit)).sum(axes), counted.sum(axes)


def pck_curve(
    predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float, thresholds: Sequence[float] | np.ndarray
) -> np.ndarray:
    """Compute :func:`pck_mean` at each threshold: (n,) in 0..1, NaN without labels."""
    return np.array([pck_mean(predicted, truth, normaliser, float(alpha)) for alpha in thresholds])


def auc(predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float, upto: float = 0.2) -> float:
    """Compute the area under the curve of :func:`pck_mean` from 0 to ``upto``, divided by ``upto``; NaN without labels.

    The result, in 0..1, is exact and uses no grid: a joint with error e is a hit for all thresholds above e, so it adds
    max(0, 1 − e / upto).
    """
    if not upto > 0:
        raise ConfigError(f"expected an area up to a threshold above 0, got upto={upto}")
    error, limit, counted = _errors(predicted, truth, normaliser)
    if not counted.any():
        return float("nan")
    share = error[counted] / (upto * np.broadcast_to(limit, error.shape)[counted])
    return float(np.where(share < 1, 1 - share, 0).mean())  # the NaN of a missing prediction is not below 1


def joint_sigmas(skeleton: str | Skeleton) -> np.ndarray:
    """Return σ of COCO's object keypoint similarity, (J,); the comments in this file give the source of each value.

    Raises:
        ConfigError: the skeleton has a joint without a known value.
    """
    skeleton = get_skeleton(skeleton)
    parts = [joint.removeprefix("left_").removeprefix("right_") for joint in skeleton.joints]
    if unknown := [part for part in parts if part not in _SIGMAS]:
        raise ConfigError(f"no OKS sigma is known for {', '.join(unknown)} of skeleton {skeleton.name!r}; add it here")
    return np.array([_SIGMAS[part] for part in parts])


def keypoint_similarity(
    predicted: np.ndarray, truth: np.ndarray, area: np.ndarray | float, skeleton: str | Skeleton
) -> np.ndarray:
    """Compute exp(−d² / (2 · area · (2σ)²)) of each joint, whose mean is OKS. Arguments as in :func:`oks`.

    Returns:
        (..., J) in 0..1; 0 where the prediction is missing, NaN where there is no label or no area.
    """
    truth = as_joints(truth, None, "truth")
    predicted = as_joints(predicted, truth.shape, "predicted")
    squared = ((predicted - truth) ** 2).sum(-1)
    size = as_lengths(area, truth.shape[:-2], "area")[..., None]
    with np.errstate(invalid="ignore", divide="ignore"):
        similarity = np.exp(-squared / (2 * size * (2 * joint_sigmas(skeleton)) ** 2))
    known = np.isfinite(truth).all(-1) & (size > 0)
    return np.where(known, np.where(np.isnan(squared), 0.0, similarity), np.nan)


def oks(predicted: np.ndarray, truth: np.ndarray, area: np.ndarray | float, skeleton: str | Skeleton) -> np.ndarray:
    """Compute COCO's object keypoint similarity: the mean over labelled joints of exp(−d² / (2 · area · (2σ)²)).

    Args:
        predicted: (..., J, 2) pixels; a missing prediction has similarity 0.
        truth: (..., J, 2) pixels; NaN where not labelled (COCO's v = 0). COCO counts hidden joints that are labelled.
        area: area of the person's outline in px², one or one per frame (the leading axes); ``OUTLINE_SHARE_OF_BOX`` ×
            a box's.
        skeleton: skeleton of the axis J.

    Returns:
        (...) in 0..1, one value per frame; NaN without labels or area.
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
    """Find joints that were placed on the other side of the body: the "inversion" of Ronchi & Perona (ICCV 2017).

    As in their published code, a joint is only compared with its mirrored joint, not with any other: it is flipped if
    it is *not* within alpha of its own ground truth but is within alpha of that of its mirrored joint. Joints on the
    body's midline are never flipped, nor are joints whose mirrored joint is not labelled.

    Args:
        predicted, truth, normaliser, alpha: as in :func:`pck`.
        skeleton: skeleton of the axis J.

    Returns:
        (..., J) bool; False where the joint is not labelled.
    """
    mirror = list(get_skeleton(skeleton).flip_permutation)
    error, limit, counted = _errors(predicted, truth, normaliser)
    other, _, _ = _errors(predicted, np.asarray(truth)[..., mirror, :], normaliser)
    # NaN (the mirrored joint is not labelled) is not within any limit.
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
    """Classify the error of each joint, after Ronchi & Perona (ICCV 2017), as indices into :data:`KINDS`.

    The first kind that applies, in this order (our decision): *not counted*; *good*: within alpha; *outside crop*: the
    true joint was outside the network's square, so it could not be found; *inversion*: see :func:`side_flips`;
    *jitter*: within ``JITTER_REACH`` × alpha; *miss*: everything else, including a missing prediction. Their "swap"
    (another person's joint) needs labels of all people and is part of *miss* here.

    Args:
        predicted, truth, normaliser, alpha: as in :func:`pck`.
        skeleton: skeleton of the axis J.
        counted: (..., J) bool, joints to count among the labelled ones; all by default.
        in_crop: (..., J) bool, whether the true joint was in the network's square; all by default.

    Returns:
        (..., J) int8.
    """
    error, limit, valid = _errors(predicted, truth, normaliser)
    valid = valid if counted is None else valid & as_flags(counted, valid.shape, "counted")
    outside = np.zeros_like(valid) if in_crop is None else ~as_flags(in_crop, valid.shape, "in_crop")
    flipped = side_flips(predicted, truth, skeleton, normaliser, alpha)
    conditions = [~valid, error <= alpha * limit, outside, flipped, error <= JITTER_REACH * alpha * limit]
    names = ("not counted", "good", "outside crop", "inversion", "jitter")
    return np.select(conditions, [KINDS.index(name) for name in names], KINDS.index("miss")).astype(np.int8)


def _errors(
    predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute (..., J) errors in pixels, (..., 1) normaliser, and (..., J) bool: labelled, with a valid normaliser."""
    truth = as_joints(truth, None, "truth")
    predicted = as_joints(predicted, truth.shape, "predicted")
    labelled = np.isfinite(truth).all(-1)
    error = np.linalg.norm(predicted - truth, axis=-1)
    limit = as_lengths(normaliser, truth.shape[:-2])[..., None]
    return error, limit, labelled & (limit > 0) & np.isfinite(limit)
