"""Kernels made at the joints: what the features look like around each joint, searched for in the next frame.

    K^j_t(c, i, j')  = Σ_p H^j_t(p) · E_t(c, p + (i, j'))                   one S×S kernel per joint and channel
    R^j_{t+1}(p)     = Σ_{c, i, j'} K^j_t(c, i, j') · E_{t+1}(c, p + (i, j'))    the response

E is a static 1×1 projection of the features, of unit length in every cell; kernels have unit norm, so that a response
lies in −1..1 and is 1 where the patch is the kernel itself. This is one-shot template matching, as in a Siamese tracker
(Bertinetto 2016), with a template per joint that the model's own heatmaps cut out. Ours: the paper's kernels are a
pooled picture of the whole square.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dkd.errors import ShapeError

EMBEDDED = 32  # channels of E
SIDE = 5  # of a kernel, in cells
_HIDDEN = 12  # channels of the gate
_TINY = 1e-6


def joint_kernels(embedded: Tensor, heatmaps: Tensor, side: int = SIDE) -> Tensor:
    """Cut out one kernel per joint: the features around it, weighted by its map.

    Args:
        embedded: (B, E, H, W) features.
        heatmaps: (B, J, H, W) maps of the same frame; values below zero count as zero.
        side: side S of the kernels; odd.

    Returns:
        (B, J, E, S, S) of unit norm; all zeros for a joint whose map has no value above zero.
    """
    if embedded.shape[0] != heatmaps.shape[0] or embedded.shape[-2:] != heatmaps.shape[-2:]:
        raise ShapeError(
            f"expected features and heatmaps of the same frames, got {tuple(embedded.shape)}, {tuple(heatmaps.shape)}"
        )
    height, width = embedded.shape[-2:]
    padded = F.pad(embedded, (side // 2,) * 4)
    shifted = [padded[:, :, i : i + height, j : j + width] for i in range(side) for j in range(side)]
    patches = torch.stack(shifted, 1).flatten(1, 2).flatten(2)  # (B, S·S·E, H·W)
    weights = heatmaps.clamp(min=0).flatten(2)
    summed = weights @ patches.transpose(1, 2)  # (B, J, S·S·E)
    kernels = summed.unflatten(2, (side * side, embedded.shape[1])).transpose(2, 3)
    norm = kernels.square().sum((2, 3), keepdim=True).clamp(min=_TINY**2).sqrt()
    return (kernels / norm).unflatten(3, (side, side))


def respond(embedded: Tensor, kernels: Tensor) -> Tensor:
    """Search for each joint's kernel.

    Args:
        embedded: (B, E, H, W) features of unit length in each cell.
        kernels: (B, J, E, S, S) of unit norm, see :func:`joint_kernels`.

    Returns:
        (B, J, H, W) cosines in −1..1; cells outside the map count as zero.
    """
    batch, n_joints, channels, side, _ = kernels.shape
    if embedded.shape[:2] != (batch, channels):
        raise ShapeError(f"expected features (B, E) = {(batch, channels)}, got {tuple(embedded.shape[:2])}")
    height, width = embedded.shape[-2:]
    out = F.conv2d(
        embedded.reshape(1, batch * channels, height, width),
        kernels.reshape(batch * n_joints, channels, side, side),
        padding=side // 2,
        groups=batch,
    )
    return out.view(batch, n_joints, height, width) / side


class JointMatching(nn.Module):
    """Refine maps by kernels made at the joints of the last frame and of the first one.

    A small gate, the same for all joints, reads a joint's map, its two responses, and how far these are below their
    largest value. It returns a factor and an addend for the map: H' = H · (1 + a) + b. Both are 0 initially, so that
    the maps are unchanged, bit for bit.

    Args:
        channels: number of channels C of the features.
        side: side S of the kernels.
        embedded: number of channels E.
    """

    def __init__(self, channels: int, side: int = SIDE, embedded: int = EMBEDDED):
        super().__init__()
        self.side = side
        self.embedding = nn.Conv2d(channels, embedded, 1)  # E
        self.gate = nn.Sequential(nn.Conv2d(5, _HIDDEN, 3, padding=1), nn.ReLU(), nn.Conv2d(_HIDDEN, 2, 3, padding=1))
        for weight in self.gate[-1].parameters():
            nn.init.zeros_(weight)

    def embed(self, features: Tensor) -> Tensor:
        """Compute E: (B, C, H, W) → (B, E, H, W), of unit length in each cell."""
        embedded = self.embedding(features)
        return embedded / embedded.square().sum(1, keepdim=True).clamp(min=_TINY**2).sqrt()

    def kernels(self, features: Tensor, heatmaps: Tensor) -> Tensor:
        """Make the kernels of a frame: features (B, C, H, W), its maps (B, J, H, W) → (B, J, E, S, S)."""
        return joint_kernels(self.embed(features), heatmaps, self.side)

    def forward(self, heatmaps: Tensor, features: Tensor, last: Tensor, first: Tensor) -> Tensor:
        """Refine maps (B, J, H, W) of a frame by the kernels (B, J, E, S, S) of the last and of the first frame."""
        embedded = self.embed(features)
        responses = [respond(embedded, last), respond(embedded, first)]
        below = [one - one.amax((-2, -1), keepdim=True) for one in responses]  # how much better it is elsewhere
        seen = torch.stack([heatmaps, *responses, *below], 2)  # (B, J, 5, H, W)
        factor, addend = self.gate(seen.flatten(0, 1)).unflatten(0, heatmaps.shape[:2]).unbind(2)
        return heatmaps * (1 + factor) + addend
