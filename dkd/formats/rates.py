"""Frame rates: found from times, and frame numbers found from times and a rate."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

# Times of a constant rate may be rounded, to milliseconds at worst.
_ROUNDED = 5.1e-4
# Rates that are n or n × 1000/1001, or a simple fraction, are returned exactly.
_SNAP = 1e-4


def rate_of(frames: np.ndarray, times: np.ndarray) -> float | None:
    """Find the constant rate of times in frames per second.

    Args:
        frames: (T,) increasing frame numbers.
        times: (T,) seconds.

    Returns:
        The rate, as a fraction of 1001 or of a small number where it is one within 1 in 10,000; ``None`` if the times
        are unknown, do not increase evenly (within half a millisecond), or are fewer than two.
    """
    if len(frames) < 2 or np.isnan(times).any() or not times[-1] > times[0]:
        return None
    steps = frames - frames[0]
    slope = float((times[-1] - times[0]) / steps[-1])
    uneven = float(np.abs(times - times[0] - steps * slope).max())
    if uneven > 2 * _ROUNDED:
        return None
    # How exactly the times are written shows in how even they are: 29.97 in full digits is not taken for 30000/1001.
    return snapped(1 / slope, 2 * uneven / float(times[-1] - times[0]))


def snapped(rate: float, tolerance: float = _SNAP) -> float:
    """Return the usual rate next to ``rate``, such as 30000/1001; ``rate`` itself if none is within ``tolerance``.

    Args:
        rate: frames per second.
        tolerance: largest relative difference, at least 1e-9 and at most 1e-4, so that 29.97 is never 30.
    """
    usual = [Fraction(round(rate * 1.001) * 1000, 1001), Fraction(round(rate)), Fraction(rate).limit_denominator(100)]
    near = [float(one) for one in usual if one and abs(float(one) / rate - 1) <= min(max(tolerance, 1e-9), _SNAP)]
    return min(near, key=lambda one: abs(one - rate)) if near else rate


def frames_of(times: np.ndarray, fps: float) -> np.ndarray | None:
    """Find the frame numbers of times at a constant rate; ``None`` if they are not near whole numbers, or repeated."""
    exact = np.asarray(times, np.float64) * fps
    whole = np.rint(exact)
    if not np.isfinite(exact).all() or np.abs(exact - whole).max() > 0.2 or (np.diff(whole) <= 0).any():
        return None
    return whole.astype(np.int64)
