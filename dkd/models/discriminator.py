"""Temporal discriminator: an auto-encoder of the change between heatmaps, used in training only.

The paper has such a discriminator, which follows BEGAN, but does not describe its layers. These are ours, small on
purpose, so that on a CPU it costs a tenth of a training step.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _down(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, stride, padding=1), nn.ELU(inplace=True))


class TemporalDiscriminator(nn.Module):
    """Reconstruct the change d of J maps, given the two frames: D(d | I_t, I_{t+1}).

    It uses no batch statistics, like BEGAN, because true and predicted changes must be judged by the same function.
    The bottleneck (an eighth of the resolution, ``width`` channels) makes reconstruction hard. The frames also enter
    the decoder, as they show where a true change should be.

    Args:
        n_joints: number of joints J.
        width: channels at full resolution; twice as many below.
    """

    def __init__(self, n_joints: int, width: int = 32):
        super().__init__()
        self.encoder = nn.Sequential(
            _down(n_joints + 6, width, 2),
            _down(width, 2 * width, 2),
            _down(2 * width, 2 * width, 2),
            nn.Conv2d(2 * width, width, 1),
        )
        self.condition = nn.Sequential(_down(6, width, 2), _down(width, width, 2))
        self.decoder = nn.ModuleList([_down(width, 2 * width, 1), _down(3 * width, width, 1), _down(width, width, 1)])
        self.out = nn.Conv2d(width, n_joints, 3, padding=1)

    def forward(self, changes: Tensor, pairs: Tensor) -> Tensor:
        """Map (B, J, H, W) changes and (B, 6, H, W) frame pairs in −1..1 to (B, J, H, W); H = W is a multiple of 8."""
        code = self.encoder(torch.cat([changes, pairs], 1))
        seen = self.condition(pairs)
        x = self.decoder[0](nn.functional.interpolate(code, size=seen.shape[-2:]))
        x = self.decoder[1](nn.functional.interpolate(torch.cat([x, seen], 1), scale_factor=2))
        x = self.decoder[2](nn.functional.interpolate(x, size=changes.shape[-2:]))
        return self.out(x)


def frame_pairs(frames: Tensor, size: int) -> Tensor:
    """The condition of the discriminator: frames t and t+1, scaled to the maps' size and to −1..1.

    Args:
        frames: (B, T, 3, N, N) in 0..1.
        size: side of the maps, in cells.

    Returns:
        (B·(T−1), 6, size, size).
    """
    small = F.interpolate(frames.flatten(0, 1), size=(size, size), mode="area").unflatten(0, frames.shape[:2]) * 2 - 1
    return torch.cat([small[:, :-1], small[:, 1:]], 2).flatten(0, 1)
