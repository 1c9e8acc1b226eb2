"""Confidence maps: Gaussian targets for training, and decoding of a map's peak with sub-cell precision."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dkd.errors import ArgumentError

STRIDE = 8  # input pixels per cell of the maps, for all encoders here
TARGET_SIGMA = 1.25  # cells; σ of our training targets, unless a run's config says otherwise


def gaussian_targets(joints: Tensor, size: int, sigma: float) -> Tensor:
    """Create maps with a Gaussian of height 1 at each joint, as in Simple Baselines (Xiao 2018).

    A joint that is missing (NaN) or outside the map has an all-zero map, as in the training of LSTM Pose Machines and
    DKD.

    Args:
        joints: (..., J, 2) x, y in map cells.
        size: map side H = W in cells.
        sigma: standard deviation in cells.

    Returns:
        (..., J, H, W) float32 in 0..1.
    """
    cells = torch.arange(size, dtype=torch.float32, device=joints.device)
    x, y = joints[..., 0, None], joints[..., 1, None]  # (..., J, 1)
    column = torch.exp(-((cells - x) ** 2) / (2 * sigma**2))  # (..., J, W)
    row = torch.exp(-((cells - y) ** 2) / (2 * sigma**2))  # (..., J, H)
    inside = ((joints > -0.5) & (joints < size - 0.5)).all(-1)  # NaN compares false
    maps = row[..., :, None] * column[..., None, :]
    return torch.where(inside[..., None, None], maps, torch.zeros((), device=joints.device)).float()


def decode_peaks(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """Find the peak of each map, with sub-cell precision, and its height.

    The peak cell is refined by the vertex of the parabola through it and its two neighbours, separately on each axis,
    in the logarithm of the map (exact for a sampled Gaussian; the first step of DARK, Zhang 2020). At the border, or if
    a neighbour is not positive, the cell's centre is returned.

    Args:
        heatmaps: (..., H, W), any real values.

    Returns:
        Peaks (..., 2) x, y in cells (float32, within half a cell of the maximum) and scores (...), the peak values.

    Raises:
        ArgumentError: ``heatmaps`` is no tensor.
    """
    if not isinstance(heatmaps, Tensor):
        raise ArgumentError(f"expected maps as a tensor (..., H, W), got an object of type {type(heatmaps).__name__}")
    *lead, height, width = heatmaps.shape
    # By NumPy: maps are so small that only the number of operations counts, and torch takes longer to start each.
    flat = heatmaps.detach().cpu().float().contiguous().numpy().reshape(-1, height * width)
    position, every = flat.argmax(1), np.arange(len(flat))
    row, column = np.divmod(position, width)
    place = np.stack([column, row])  # both axes in one array, x first
    inside = (place > 0) & (place < np.array([[width - 1], [height - 1]]))
    step = np.array([[1], [width]]) * inside
    here, before, after = flat[every, position], flat[every, position - step], flat[every, position + step]
    usable = inside & (before > 0) & (after > 0) & (here > 0)
    around = np.stack([before, after, np.broadcast_to(here, before.shape)])
    with np.errstate(invalid="ignore"):  # of infinite maps, whose peak is the cell's centre
        low, high, mid = np.log(np.where(usable, around, np.float32(1)))
        curvature = low - 2 * mid + high
        curved = usable & (curvature < -1e-6)
        vertex = 0.5 * (low - high) / np.where(curved, curvature, np.float32(-1))
        shift = np.where(curved, np.clip(vertex, -0.5, 0.5), np.float32(0))
    peaks = torch.from_numpy(np.ascontiguousarray((place + shift).T, np.float32)).to(heatmaps.device)
    return peaks.reshape(*lead, 2), torch.from_numpy(here).to(heatmaps.device).reshape(lead)
