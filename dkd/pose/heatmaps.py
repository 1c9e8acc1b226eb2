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
    flat = heatmaps.reshape(-1, height * width).float()
    position = flat.argmax(1)  # unlike max(1), by one thread: for maps this small, threads only wait
    row, column = position // width, position % width
    # Both axes in one tensor (2, …), x first: these tensors are so small that only the number of operations counts.
    place, last = torch.stack([column, row]), torch.tensor([[width - 1], [height - 1]], device=flat.device)
    step = torch.tensor([[1], [width]], device=flat.device)
    interior = (place > 0) & (place < last)
    around = torch.cat([position - step * interior, position + step * interior, position[None]])  # (5, …)
    values = flat.gather(1, around.T).T
    before, after, here = values[:2], values[2:4], values[4:].expand(2, -1)
    usable = interior & (before > 0) & (after > 0) & (here > 0)
    low, high, mid = (torch.log(torch.where(usable, v, 1.0)) for v in (before, after, here))
    curvature = low - 2 * mid + high
    curved = usable & (curvature < -1e-6)
    vertex = 0.5 * (low - high) / torch.where(curved, curvature, -1.0)
    peaks = place + torch.where(curved, vertex.clamp(-0.5, 0.5), 0.0)
    return peaks.T.reshape(*lead, 2), values[4].reshape(lead)
