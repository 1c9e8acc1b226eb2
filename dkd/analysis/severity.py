"""Severity of a diagnosis's values: the value divided by its limit. The limits are our decisions.

The clip's own limit of a lane is the median plus (for the score: minus) ``SPREADS`` robust standard deviations of the
joint over the clip; a robust standard deviation is 1.4826 times the median absolute deviation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dkd.analysis.lanes import jumps

if TYPE_CHECKING:
    from dkd.analysis.diagnosis import Diagnosis

SPREADS = 6.0  # robust standard deviations from the median; one frame in 500 million with normal noise
MAD_TO_SIGMA = 1.4826  # for a normal distribution
JUMP_LIMIT = 0.05  # share of the box per frame: about two cells of a map, more than decoding noise
FLIP_LIMIT = 0.05  # share of the box: sides that are closer cannot be distinguished
DRIFT_LIMIT = 1e-3  # smaller changes of kernels are not visible
CONFIDENCE_SPREAD = 0.02  # minimum spread, as a saturated confidence has none: smaller dips are ignored
CONFIDENCE_FLOOR = 0.05  # lower confidences are equally lost


def severities(d: Diagnosis) -> dict[str, np.ndarray]:
    jump = jumps(d.lanes["acceleration"], d.lanes["speed"])
    sure, _, limit = d.confidence_and_limits
    out = {
        "jump": jump / _own_limit(jump, JUMP_LIMIT),
        "flip": d.lanes["swapped" if has_true_sides(d) else "flip"] / FLIP_LIMIT,
        "low score": np.where(sure < limit, limit / np.fmax(sure, CONFIDENCE_FLOOR), sure * 0),
    }
    if "border" in d.lanes:
        border = d.lanes["border"]
        outside = -border * (d.cell / (d.alpha * d.side))[:, None]
        out["out of crop"] = np.where(border < 0, 2 + outside, np.where(border <= 1, 2 - border, border * 0))
    if "kernel_drift" in d.lanes:
        drift = d.lanes["kernel_drift"][:, None]
        out["drift"] = drift / _own_limit(drift, DRIFT_LIMIT)
    if "error" in d.lanes:
        # Slightly above 1: an error of exactly alpha is a hit, as in PCK.
        share = d.lanes["error"] / d.alpha
        out["miss"] = np.where(share == 1, np.nextafter(1, 0), share)
    return out


def has_true_sides(d: Diagnosis) -> bool:
    return "swapped" in d.lanes and bool(np.isfinite(d.lanes["swapped"]).any())


def _own_limit(values: np.ndarray, least: float) -> np.ndarray:
    """Compute median + SPREADS robust standard deviations of each column of (T, K), at least ``least``: (K,)."""
    middle, spread = middle_and_spread(values)
    return np.fmax(middle + SPREADS * spread, least)


def middle_and_spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute median and 1.4826 × median absolute deviation (K,) of the columns of (T, K); NaN without values."""
    known = np.isfinite(values).any(0)
    middle, spread = (np.full(values.shape[1], np.nan) for _ in range(2))
    middle[known] = np.nanmedian(values[:, known], 0)
    spread[known] = MAD_TO_SIGMA * np.nanmedian(np.abs(values[:, known] - middle[known]), 0)
    return middle, spread
