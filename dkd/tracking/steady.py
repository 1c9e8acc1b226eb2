"""Joints that stay where they were: of several peaks of a map, the one that agrees with the last frame. This is ours.

A map often has two peaks of nearly equal height, for instance at both knees, and the higher one alternates. The cost of
a peak of height s at distance d (in heights of the person) from where the joint was is

    −log(s / highest) + WEIGHT · min(d² / 2σ², FAR)

and another peak than the highest is taken only if it is cheaper by :data:`MARGIN`. Only what is reported changes: the
square and what a model hands on to the next frame follow the highest peaks, so that a wrong choice loses nobody.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from dkd.pose.crops import Crop
from dkd.pose.heatmaps import decode_peaks

Peaks = Literal["highest", "steady"]  # which peak of a map is reported, see dkd.tracking.conditions.Conditions

# Chosen on eight clips with a second person; docs/ablations.md has what they gain on others.
CANDIDATES = 3  # peaks of a map that are compared
LEAST = 0.5  # of the highest peak's height: others do not count
SIGMA, WEIGHT, FAR = 0.1, 0.5, 4.0
MARGIN = 1.0


class SteadyPeaks:
    """Choose one peak per joint and frame, and remember it. Frames are given in order."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None

    def start(self, joints: np.ndarray) -> np.ndarray:
        """Begin with the joints (J, 2) in pixels of a frame without a past, and return them."""
        self._last = np.array(joints, np.float64)
        return joints

    def follow(
        self, heatmaps: np.ndarray, crop: Crop, joints: np.ndarray, height: float, fixed: np.ndarray | None = None
    ) -> np.ndarray:
        """Choose the joints of the next frame.

        Args:
            heatmaps: (J, H, W) float32 maps.
            crop: square of the frame that they are of.
            joints: (J, 2) pixels, their highest peaks, or positions given by a person.
            height: height of the person in pixels, > 0.
            fixed: (J,) bool, joints that stay as they are, because a person placed them.

        Returns:
            (J, 2) float64 pixels.
        """
        assert self._last is not None, "start comes first"
        size = heatmaps.shape[-1]
        before = crop.to_grid(self._last, size)
        unit = height / crop.side * size  # heights of the person → cells
        out = np.array(joints, np.float64)
        for j, heatmap in enumerate(heatmaps):
            cells = _peaks(heatmap)
            if len(cells) < 2 or (fixed is not None and fixed[j]):
                continue
            scores = heatmap[cells[:, 1], cells[:, 0]]
            far = np.square((cells - before[j]) / (unit * SIGMA)).sum(1) / 2
            cost = -np.log(scores / scores[0]) + WEIGHT * np.minimum(far, FAR)
            best = int(cost.argmin())
            if cost[best] < cost[0] - MARGIN:
                out[j] = crop.to_frame(_refined(heatmap, cells[best])[None], size)[0]
        self._last = out
        return out


def _peaks(heatmap: np.ndarray) -> np.ndarray:
    """Return cells (P, 2) x, y that are as high as all eight around them, and high enough; the highest first."""
    padded = np.pad(heatmap, 1, constant_values=-np.inf)
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).max((-2, -1))
    rows, columns = np.nonzero((heatmap >= around) & (heatmap >= LEAST * heatmap.max()) & (heatmap > 0))
    order = np.argsort(-heatmap[rows, columns], kind="stable")[:CANDIDATES]
    return np.stack([columns[order], rows[order]], 1)


def _refined(heatmap: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return a peak (2,) x, y with sub-cell precision, as :func:`~dkd.pose.heatmaps.decode_peaks` does the highest."""
    x, y = cell
    alone = np.zeros_like(heatmap)
    near = slice(max(y - 1, 0), y + 2), slice(max(x - 1, 0), x + 2)
    alone[near] = heatmap[near]
    return decode_peaks(torch.from_numpy(alone[None]))[0][0].numpy()
