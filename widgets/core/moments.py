"""The worst moments of a clip: where to look first. N and P jump between them."""

from __future__ import annotations

import numpy as np


def worst_moments(scores: np.ndarray, drift: np.ndarray, fps: float) -> list[int]:
    """Frames where the tracking of one joint was least sure, or where the kernels changed most.

    A frame counts if, within a quarter of a second on either side (at least 2 frames), it has the lowest score and
    that score is in the lower quarter of the clip's; or if it has the largest kernel drift of that window and the drift
    is in the upper quarter. The quarter keeps out the ripple of a part that is tracked well. Of equal neighbours the
    first counts; where a window is constant there is none.

    Args:
        scores: (T,) peak heights of the joint's maps; NaN never counts.
        drift: (T,) kernel drift 1 − cos(K_t, K_{t−1}); index 0 has no drift and never counts.
        fps: frames a second, > 0.

    Returns:
        Frame indices, ascending.
    """
    reach = max(2, round(fps / 4))
    rises = -np.asarray(drift, np.float64)
    rises[:1] = np.nan
    return [int(t) for t in np.flatnonzero(_dips(np.asarray(scores, np.float64), reach) | _dips(rises, reach))]


def _dips(curve: np.ndarray, reach: int) -> np.ndarray:
    """(T,) bool: minimum of its window of ±``reach`` frames (the first of equals) and in the curve's lower quarter."""
    finite = np.isfinite(curve)
    if not finite.any():
        return np.zeros(len(curve), bool)

    def windows(missing: float) -> np.ndarray:  # (T, 2·reach + 1), with `missing` for what is not known or outside
        padded = np.pad(np.where(finite, curve, missing), reach, constant_values=missing)
        return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)

    around = windows(np.inf)
    here = around[:, reach]
    lowest = (here < around[:, :reach].min(1)) & (here <= around[:, reach + 1 :].min(1))
    is_dip = lowest & (here < windows(-np.inf).max(1))
    return is_dip & (here <= np.quantile(curve[finite], 0.25))
