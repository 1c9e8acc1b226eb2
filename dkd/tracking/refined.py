"""Joints read more exactly: near each peak of a map, the peak of its mean with the initializer's map. This is ours.

A map of 24×24 cells places a joint to a part of a cell. The initializer, another network that looks at the same crop,
errs there in its own way, so the mean of both is more exact. It may only move a joint by :data:`RADIUS` cells: which
knee it is, is decided by the model with a past. Only what is reported changes: maps, kernels and the crop do not.

The initializer needs nothing of the step in the same frame, but runs after it: beside it, in a thread of its own, a
frame took 18.5 instead of 14.5 ms in OpenVINO and 15.7 instead of 16.6 ms in ONNX Runtime, each with two threads on two
cores.
"""

from __future__ import annotations

import time

import numpy as np
import torch

from dkd.models.base import VideoPoseModel
from dkd.pose.crops import Crop
from dkd.pose.heatmaps import decode_peaks
from dkd.tracking.pixels import as_input

# Chosen on eight clips with a second person; docs/ablations.md has what they gain on others.
WEIGHT = 0.3  # of the initializer's map in the mean
RADIUS = 2.0  # cells


def refine(heatmaps: np.ndarray, initial: np.ndarray, crop: Crop, joints: np.ndarray) -> np.ndarray:
    """Return the peaks of 0.7 · H_t + 0.3 · H_init at most 2 cells from joints, with sub-cell precision.

    Args:
        heatmaps: (J, H, W) float32 H_t.
        initial: (J, H, W) float32, the initializer's maps of the same crop.
        crop: the crop of the frame that both are of.
        joints: (J, 2) pixels of the frame; those outside the crop are taken to be at its border.

    Returns:
        (J, 2) float64 pixels.
    """
    size = heatmaps.shape[-1]
    mean = (1 - WEIGHT) * heatmaps + WEIGHT * initial
    cells = np.clip(np.round(crop.to_grid(np.asarray(joints, np.float64), size)), 0, size - 1)
    rows, columns = np.mgrid[:size, :size]
    far = np.square(columns - cells[:, 0, None, None]) + np.square(rows - cells[:, 1, None, None]) > RADIUS**2
    # Below all others, and not positive: a peak at the rim of the disc is its cell's centre.
    near = np.where(far, min(float(mean.min()), 0.0) - 1, mean).astype(np.float32)
    return crop.to_frame(decode_peaks(torch.from_numpy(near))[0].numpy().astype(np.float64), size)


class Refiner:
    """Refine the joints of a run, one frame after the other.

    Args:
        model: the model with the initializer.

    Attributes:
        ms: milliseconds that the last frame took longer because of it; 0 where nothing was refined.
    """

    def __init__(self, model: VideoPoseModel):
        self._model = model
        self.ms = 0.0

    def refine(
        self, heatmaps: np.ndarray, pixels: np.ndarray, crop: Crop, joints: np.ndarray, fixed: np.ndarray
    ) -> np.ndarray:
        """Return the refined joints (J, 2) of a frame.

        Args:
            heatmaps, crop, joints: as for :func:`refine`.
            pixels: (N, N, 3) uint8 RGB, the network's input.
            fixed: (J,) bool, joints that stay as they are, because a person placed them.
        """
        begun = time.perf_counter()
        initial = _maps(self._model, pixels)
        found = np.where(fixed[:, None], joints, refine(heatmaps, initial, crop, joints))
        self.ms = 1e3 * (time.perf_counter() - begun)
        return found


@torch.inference_mode()
def _maps(model: VideoPoseModel, pixels: np.ndarray) -> np.ndarray:
    """Return the initializer's maps (J, H, W) float32 of a crop."""
    return model.initialise(as_input(pixels, model.device))[0].float().cpu().numpy()
