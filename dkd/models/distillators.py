"""Distillators: the layers that make a frame's kernels, or learned ones in their place."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LAST_NORM = 9  # index among a distillator's layers


class KernelDistillator(nn.Sequential):
    """Distil one S×S kernel per channel from features and pose of a frame, in one forward pass (Figure 2 of the paper).

    For 32×32 maps: 32² → conv 30² → pool 15² → conv 15² → pool 7² → conv 7². There is no final ReLU: kernels are
    signed.

    Args:
        channels: number of channels C.
        n_joints: number of joints J.
        side: side S of the kernels.
        adaptive: the second pooling reduces any map to S×S. Ours: its windows overlap if S does not divide the map's
            side (15 → 7: 3×3 cells, a stride of about 2), and repeat cells if S is larger.
        bias: a learned kernel, the same for all frames, is added at the end; initialised with zeros.
    """

    def __init__(self, channels: int, n_joints: int, side: int = 7, adaptive: bool = False, bias: bool = False):
        super().__init__(
            nn.Conv2d(channels + n_joints, channels, 3, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.AdaptiveMaxPool2d(side) if adaptive else nn.MaxPool2d(2),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )
        # Ours: kernels initially have unit norm (S² · (1/S)² = 1), so that matching neither amplifies nor attenuates.
        nn.init.constant_(self[LAST_NORM].weight, 1 / side)  # type: ignore[arg-type]
        if bias:
            self.append(KernelBias(channels, side))


class KernelBias(nn.Module):
    """Add one learned S×S kernel per channel, the same for all frames (ours; see ``kernel_bias``).

    Args:
        channels: number of channels C.
        side: side S.

    Attributes:
        kernel: (C, S, S), initialised with zeros.
    """

    def __init__(self, channels: int, side: int):
        super().__init__()
        self.kernel = nn.Parameter(torch.zeros(channels, side, side))

    def forward(self, kernels: Tensor) -> Tensor:
        """Add the kernel: (B, C, S, S) → the same shape."""
        return kernels + self.kernel


class StaticKernel(nn.Module):
    """Replace a distillator by one learned S×S kernel per channel, for any input (ours; see ``distillation``).

    Args:
        channels: number of channels C.
        side: side S.

    Attributes:
        kernel: (C, S, S), initially with a mean norm of 1 per channel, like those of the distillator.
    """

    def __init__(self, channels: int, side: int):
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(channels, side, side) / side)

    def forward(self, features: Tensor) -> Tensor:
        """Return the kernel for each of B samples: (B, …) → (B, C, S, S)."""
        return self.kernel.repeat(len(features), 1, 1, 1)
