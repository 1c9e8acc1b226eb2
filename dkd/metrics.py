"""How good are the joints? Every threshold comes with the length that it is a share of."""

from __future__ import annotations

import numpy as np


def pck(predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float, alpha: float) -> np.ndarray:
    """Share of joints that lie within ``alpha`` × ``normaliser`` of the truth, for each joint.

    Args:
        predicted: (..., J, 2) pixels; a missing prediction (NaN) is a miss.
        truth: (..., J, 2) pixels; NaN where not labelled: not counted.
        normaliser: length in pixels that broadcasts to the leading axes, such as the larger side of the person's box.
        alpha: threshold as a share of it.

    Returns:
        (J,) in 0..1; NaN for a joint that is nowhere labelled. The mean over all labelled joints is
        ``hits.sum() / labelled.sum()``: see :func:`pck_mean`.
    """
    hit, labelled = _hits(predicted, truth, normaliser, alpha)
    axes = tuple(range(hit.ndim - 1))
    with np.errstate(invalid="ignore"):
        return hit.sum(axes) / labelled.sum(axes)


def pck_mean(predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float, alpha: float) -> float:
    """Share of all labelled joints that are hit, pooled; arguments as in :func:`pck`. NaN if nothing is labelled."""
    hit, labelled = _hits(predicted, truth, normaliser, alpha)
    return float(hit.sum() / labelled.sum()) if labelled.any() else float("nan")


def pck_counts(
    predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float, alpha: float
) -> tuple[int, int]:
    """How many joints are hit, and of how many labelled ones, to be pooled over clips; arguments as in :func:`pck`."""
    hit, labelled = _hits(predicted, truth, normaliser, alpha)
    return int(hit.sum()), int(labelled.sum())


def acceleration_errors(predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray) -> np.ndarray:
    """‖Δ²predicted − Δ²truth‖ of each joint, as a share of the normaliser; Δ² is x_{t+1} − 2 x_t + x_{t−1}.

    The smoothness measure of the field's video pose work (there as a mean in mm/s²): it does not punish true motion.

    Args:
        predicted, truth: (T, J, 2) pixels, T ≥ 3; a joint that is not labelled in all three frames is left out.
        normaliser: (T,) length in pixels; that of the middle frame counts.

    Returns:
        (n,) one value for each joint and frame that has one, in units of the normaliser a frame²; empty for T < 3.
    """
    difference = np.diff(np.asarray(predicted, np.float64) - truth, 2, axis=0)
    errors = np.linalg.norm(difference, axis=-1) / np.asarray(normaliser, np.float64)[1:-1, None]
    return errors[np.isfinite(errors)]


def _hits(
    predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray | float, alpha: float
) -> tuple[np.ndarray, np.ndarray]:
    labelled = np.isfinite(truth).all(-1)
    error = np.linalg.norm(np.asarray(predicted, np.float64) - truth, axis=-1)
    limit = alpha * np.asarray(normaliser, np.float64)[..., None]
    return labelled & (error <= limit), labelled
