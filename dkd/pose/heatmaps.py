"""Confidence maps: Gaussian targets for training, and decoding of a map's peak with sub-cell precision."""

from __future__ import annotations

import torch
from torch import Tensor

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
    """
    *lead, height, width = heatmaps.shape
    flat = heatmaps.reshape(-1, height, width).float()
    n = torch.arange(len(flat), device=flat.device)
    position = flat.flatten(1).argmax(1)  # unlike max(1), by one thread: for maps this small, threads only wait
    scores = flat.flatten(1)[n, position]
    row, column = position // width, position % width

    def offset(before: Tensor, here: Tensor, after: Tensor, interior: Tensor) -> Tensor:
        usable = interior & (before > 0) & (after > 0) & (here > 0)
        low, mid, high = (torch.log(torch.where(usable, v, torch.ones_like(v))) for v in (before, here, after))
        curvature = low - 2 * mid + high
        vertex = 0.5 * (low - high) / torch.where(curvature < -1e-6, curvature, -torch.ones_like(curvature))
        return torch.where(usable & (curvature < -1e-6), vertex.clamp(-0.5, 0.5), torch.zeros_like(mid))

    left, right = (column - 1).clamp(min=0), (column + 1).clamp(max=width - 1)
    up, down = (row - 1).clamp(min=0), (row + 1).clamp(max=height - 1)
    dx = offset(flat[n, row, left], scores, flat[n, row, right], (column > 0) & (column < width - 1))
    dy = offset(flat[n, up, column], scores, flat[n, down, column], (row > 0) & (row < height - 1))
    peaks = torch.stack([column + dx, row + dy], -1)
    return peaks.reshape(*lead, 2), scores.reshape(lead)
