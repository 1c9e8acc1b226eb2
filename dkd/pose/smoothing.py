"""Smoothing of joints after the model: the usual alternative to giving a per-frame model a memory.

A smoother has state and is called once per frame, in order: ``(joints (J, 2) pixels, scores (J,), time in seconds, side
of the network's square in pixels) → (J, 2) pixels``. Each trace needs its own.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, pi

import numpy as np

from dkd.errors import ConfigError, ShapeError, checked
from dkd.pose.labels import as_numbers

Smoother = Callable[[np.ndarray, np.ndarray, float, float], np.ndarray]


@checked
class OneEuro:
    """The 1 € filter (Casiez, Roussel and Vogel, CHI 2012): a low-pass filter whose cut-off rises with the speed.

        x̂ ← x̂ + α(f_c) · (x − x̂),   f_c = min_cutoff + beta · |v̂|,   α(f) = 1 / (1 + 1 / (2π f Δt))

    where v̂ is the velocity relative to the last x̂, itself low-pass filtered at ``speed_cutoff``. The jitter of a
    joint at rest is smoothed away, while a fast joint is followed closely. Two decisions are ours: speed is measured in
    *sides of the network's square per second* (the square is about 1.4 × the person), because in pixels ``beta`` would
    mean something different in each video; and a joint has one speed, the length of its velocity, because otherwise
    smoothing would depend on the direction of the axes.

    The defaults are ours too. They were chosen on the shipped rendered walk with the shipped model, where they remove a
    third of the acceleration error and cost 0.5 points of PCK@0.05.

    Args:
        min_cutoff: cut-off at rest in Hz, > 0; lower is smoother, with more lag.
        beta: Hz per (side per second), ≥ 0; higher follows fast joints more closely. 0 is a plain low-pass filter.
        speed_cutoff: cut-off for the speed in Hz, > 0; 1 in the paper.

    Raises:
        ConfigError: a parameter is out of range.
    """

    def __init__(self, min_cutoff: float = 1.0, beta: float = 20.0, speed_cutoff: float = 1.0):
        if not (0 < min_cutoff < inf and 0 < speed_cutoff < inf and 0 <= beta < inf):
            raise ConfigError(
                "expected finite min_cutoff > 0 Hz, speed_cutoff > 0 Hz and beta ≥ 0, got "
                f"{min_cutoff}, {speed_cutoff} and {beta}"
            )
        self.min_cutoff, self.beta, self.speed_cutoff = min_cutoff, beta, speed_cutoff
        self._joints: np.ndarray | None = None  # (J, 2) x̂, NaN for a joint that was never seen
        self._velocity = np.zeros((0, 2))  # (J, 2) v̂, sides per second
        self._times = np.zeros((0, 1))  # (J, 1) time at which each was last seen

    def __call__(self, joints: np.ndarray, scores: np.ndarray, time_s: float, side: float) -> np.ndarray:
        """Smooth the joints of the next frame.

        Args:
            joints: (J, 2) pixels; a missing joint (NaN) stays missing and leaves its state unchanged.
            scores: (J,), not used by this smoother; others may weight by them.
            time_s: time in seconds; steps may have any length. A second call for the same time changes nothing.
            side: side of the network's square in pixels, > 0.

        Raises:
            ShapeError: the number of joints changes, or time goes backwards.
        """
        now = as_numbers(joints, ("J", 2), "joints")
        if self._joints is None:
            self._joints, self._velocity = np.full_like(now, np.nan), np.zeros_like(now)
            self._times = np.full((len(now), 1), -np.inf)
        if now.shape != self._joints.shape or time_s < self._times.max(initial=-np.inf):
            raise ShapeError(
                f"expected joints of shape {self._joints.shape} at {self._times.max(initial=-np.inf)} s or later, got "
                f"{now.shape} at {time_s} s; a smoother serves one stream, create a new one for each"
            )
        seen = np.isfinite(now).all(-1, keepdims=True)  # (J, 1)
        known = seen & np.isfinite(self._joints).all(-1, keepdims=True)
        step = np.where(known, time_s - self._times, 0.0)  # seconds
        change = np.where(known, now - self._joints, 0.0)
        new = np.broadcast_to(step > 0, change.shape)
        velocity = np.divide(change / side, step, out=np.zeros_like(change), where=new)
        self._velocity = self._velocity + _alpha(self.speed_cutoff, step) * (velocity - self._velocity)
        cutoff = self.min_cutoff + self.beta * np.linalg.norm(self._velocity, axis=-1, keepdims=True)
        followed = self._joints + _alpha(cutoff, step) * change
        self._joints = np.where(known, followed, np.where(seen, now, self._joints))
        self._times = np.where(seen, time_s, self._times)
        return np.where(seen, self._joints, np.nan)


def _alpha(cutoff: np.ndarray | float, step: np.ndarray) -> np.ndarray:
    """Weight of the new value in a first-order low-pass filter: 1 / (1 + τ/Δt), τ = 1 / (2π · cutoff); 0 if Δt = 0."""
    turns = 2 * pi * cutoff * step
    return turns / (1 + turns)
