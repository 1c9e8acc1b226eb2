"""Presentation times of frames: the container's own, or, where it rounds them coarsely, those of a constant rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

# Rates that cameras and editors use, for files whose header states none or a wrong one.
_COMMON = tuple(
    rate
    for base in (10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 72, 90, 100, 120, 144, 150, 180, 200, 240, 250, 300, 400, 480,
                 500, 600, 960, 1000)
    for rate in (Fraction(base), Fraction(base * 1000, 1001))
)  # fmt: skip
_TICKS_TO_TELL_A_GAP = 2.5  # with a step this long or longer, a missing frame cannot be confused with rounding


@dataclass(frozen=True)
class Timing:
    """When a clip's frames are shown.

    Attributes:
        times: (T,) float64, seconds from the first frame, ascending.
        rate: frames per second, if it is constant (frames may be missing in between); ``None`` if it varies.
        tick: length in seconds of the container's unit of time, if ``times`` were corrected for its rounding.
        gaps: number of frames after which one or more are missing on the grid of the rate.
        assumed: whether nobody stated the rate, as for a folder of images.
    """

    times: np.ndarray
    rate: float | None
    tick: float | None = None
    gaps: tuple[int, ...] = ()
    assumed: bool = False

    def __str__(self) -> str:
        if self.rate is None:
            return (
                f"variable rate (mean {self.mean_rate:.5g} frames/s{', from an assumed rate' if self.assumed else ''})"
            )
        text = f"{self.rate:.6g} fps" + (" (assumed: images have no rate)" if self.assumed else "")
        if self.gaps:
            text += f" with {len(self.gaps)} gaps" if len(self.gaps) > 1 else " with a gap"
        return text if self.tick is None else f"{text} (times on its grid; the file rounds them to {self.tick:.3g} s)"

    @property
    def mean_rate(self) -> float:
        """Mean frames per second over the clip; the rate for one frame."""
        if len(self.times) < 2 or self.times[-1] <= 0:
            return self.rate or 25.0
        return self.rate if self.rate and not self.gaps else float((len(self.times) - 1) / self.times[-1])


def timing_of(ticks: np.ndarray, tick: Fraction, stated: Sequence[Fraction]) -> Timing:
    """Find the times of frames from their time stamps.

    A container with a coarse unit of time (1 ms in Matroska, WebM and FLV) rounds each time stamp. If all of them lie
    within one unit of the grid of a constant rate, the grid is the better estimate: at 240 frames per second, steps of
    4 and 5 ms would turn a uniform motion into speeds that differ by 25 %.

    Args:
        ticks: (T,) strictly ascending time stamps, T ≥ 1.
        tick: length of their unit in seconds.
        stated: rates that the file states, the most trusted first.

    Returns:
        The timing; the rate is ``None`` if no constant rate fits.
    """
    shift = np.asarray(ticks, np.int64) - int(ticks[0])
    own = shift * float(tick)
    candidates = [rate for rate in dict.fromkeys(stated) if rate > 0]
    if len(shift) == 1:
        return Timing(own, float(candidates[0]) if candidates else None)
    for rate in (*candidates, *_plausible(shift, tick)):
        number = _on_grid(shift, tick, rate)
        if number is not None:
            times = number / float(rate)
            rounded = bool(np.abs(times - own).max() > 1e-9)
            gaps = tuple(np.flatnonzero(np.diff(number) > 1).tolist())
            return Timing(times, float(rate), float(tick) if rounded else None, gaps)
    return Timing(own, None)


def _on_grid(shift: np.ndarray, tick: Fraction, rate: Fraction) -> np.ndarray | None:
    """Return the place of each frame on the grid of ``rate``, or ``None`` if one is more than a tick away from it."""
    step = float(1 / (rate * tick))  # in ticks
    number = np.rint(shift / step).astype(np.int64)
    exact = (np.abs(shift - number * step) < 1e-6).all()
    if not exact and step < _TICKS_TO_TELL_A_GAP:
        number = np.arange(len(shift))
    steps = np.diff(number)
    fits = (np.abs(shift - number * step) <= 1 + 1e-6).all() and (steps >= 1).all()
    return number if fits and np.median(steps) == 1 else None


def _plausible(shift: np.ndarray, tick: Fraction) -> list[Fraction]:
    """Return the rates that may have been rounded to these time stamps: common ones first, then the best fit."""
    median = float(np.median(np.diff(shift)))
    k = np.arange(1, len(shift))
    low, high = float(((shift[1:] - 1) / k).max()), float(((shift[1:] + 1) / k).min())
    if low <= high:  # no frame is missing: steps between low and high fit all time stamps
        exact = Fraction(int(shift[-1]), len(shift) - 1)
        fit = exact if low <= exact <= high else Fraction((low + high) / 2)
        near = [r for r in _COMMON if low <= 1 / (r * tick) <= high]
        near.sort(key=lambda r: (abs(float(1 / (r * tick)) - float(fit)), r.denominator))
        return [*near, 1 / (fit * tick)] if fit > 0 else near
    return [r for r in _COMMON if abs(float(1 / (r * tick)) - median) <= 1]
