"""Kernels made at the joints: what the features look like around each joint, searched for in the next frame.

    S^j_t(c, i, j')  = Σ_p max(H^j_t(p), 0) · E_t(c, p + (i, j'))        the picture of joint j in frame t
    K^j_t            = (1 − rate) · K^j_{t−1} + rate · S^j_t,  K_1 = S_1   one S×S kernel per joint and channel
    R^j_{t+1}(p)     = Σ_{c, i, j'} K^j_t(c, i, j') · E_{t+1}(c, p + (i, j')) / (S · ‖K^j_t‖)    the response, −1..1

E is a static 1×1 projection of the features, of unit length in every cell. This is template matching, as in a Siamese
tracker (Bertinetto 2016), with a template per joint that the model's own heatmaps cut out. A joint that is hidden has a
low heatmap, so that it changes its kernel little: what was seen last is remembered. There are two such memories, a fast
and a slow one. Ours: the paper's kernels are a pooled picture of the whole square.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dkd.errors import ShapeError
from dkd.pose.heatmaps import TARGET_SIGMA

EMBEDDED = 32  # channels of E
SIDE = 5  # of a kernel, in cells
RATES = 0.6, 0.1  # share of the newest frame in the fast and in the slow kernels
_HIDDEN = 16  # channels of the gate
_SEEN = 7  # what the gate sees of a joint
_REACH = 2  # cells around a peak within which both maps say where it is
_LEAST = 0.1  # value of a matched map below which it says nothing
_MASS = 2 * math.pi * TARGET_SIGMA**2  # sum of a target's cells
_TINY = 1e-6


def joint_kernels(embedded: Tensor, heatmaps: Tensor, side: int = SIDE) -> Tensor:
    """Cut out one kernel per joint: the features around it, weighted by its map.

    Args:
        embedded: (B, E, H, W) features.
        heatmaps: (B, J, H, W) maps of the same frame; values below zero count as zero.
        side: side S of the kernels; odd.

    Returns:
        (B, J, E, S, S) sums; all zeros for a joint whose map has no value above zero.
    """
    if embedded.shape[0] != heatmaps.shape[0] or embedded.shape[-2:] != heatmaps.shape[-2:]:
        raise ShapeError(
            f"expected features and heatmaps of the same frames, got {tuple(embedded.shape)}, {tuple(heatmaps.shape)}"
        )
    summed = heatmaps.clamp(min=0).flatten(2) @ _patches(embedded, side).transpose(1, 2)  # (B, J, S·S·E)
    return summed.unflatten(2, (side * side, embedded.shape[1])).transpose(2, 3).unflatten(3, (side, side))


def _patches(embedded: Tensor, side: int) -> Tensor:
    """Return the S×S cells around every cell: (B, E, H, W) → (B, S·S·E, H·W). Cells outside the map count as zero."""
    height, width = embedded.shape[-2:]
    padded = F.pad(embedded, (side // 2,) * 4)
    shifted = [padded[:, :, i : i + height, j : j + width] for i in range(side) for j in range(side)]
    return torch.cat(shifted, 1).flatten(2)


def settle(gated: Tensor, matched: Tensor) -> Tensor:
    """Let the gate say at which peak a joint is, and both maps exactly where.

    Within two cells of a gated map's largest value, the result is the mean of the gated map and of the matched map,
    which is scaled to the same height there. Elsewhere, and where the matched map has next to nothing there, it is the
    gated map. (Ours: a remembered template finds the right joint, but fits about as well one cell away. On rendered
    people with exact labels PCK@0.05 rises from 0.961 to 0.967, see docs/ablations.md.)

    Args:
        gated, matched: (B, J, H, W) maps after and before the gate.

    Returns:
        (B, J, H, W) maps; ``gated``, bit for bit, if it is equal to ``matched``.
    """
    highest = gated.amax((-2, -1), keepdim=True)
    near = F.max_pool2d((gated >= highest).to(gated.dtype), 2 * _REACH + 1, 1, _REACH) > 0
    there = torch.where(near, matched, -1.0).amax((-2, -1), keepdim=True)  # the matched map's largest value near it
    mean = 0.5 * (matched * (highest / there.clamp(min=_LEAST))) + 0.5 * gated
    return torch.where(near & (there > _LEAST), mean, gated)


def _norm(kernels: Tensor) -> Tensor:
    """Norm of each joint's kernel: (B, J, E, S, S) → (B, J, 1, 1, 1)."""
    return kernels.square().sum((2, 3, 4), keepdim=True).clamp(min=_TINY**2).sqrt()


def respond(embedded: Tensor, kernels: Tensor) -> Tensor:
    """Search for each joint's kernel.

    Args:
        embedded: (B, E, H, W) features of unit length in each cell.
        kernels: (B, J, E, S, S), see :func:`joint_kernels`; their norm makes no difference.

    Returns:
        (B, J, H, W) cosines in −1..1; cells outside the map count as zero.
    """
    batch, _, channels, side, _ = kernels.shape
    if embedded.shape[:2] != (batch, channels):
        raise ShapeError(f"expected features (B, E) = {(batch, channels)}, got {tuple(embedded.shape[:2])}")
    templates = (kernels / _norm(kernels)).flatten(3).transpose(2, 3).flatten(2)  # (B, J, S·S·E)
    return (templates @ _patches(embedded, side)).unflatten(2, embedded.shape[-2:]) / side


class JointMatching(nn.Module):
    """Refine maps by kernels made at the joints of earlier frames.

    A small gate, the same for all joints, reads of a joint and of the same joint on the other side of the body: its
    map, the responses of its fast and slow kernels, how far these are below their largest value, and how much was seen
    of it (the kernels' norms). It returns a factor and an addend for the map: H' = H · (1 + a) + b. Both are 0
    initially, so that the maps are unchanged, bit for bit. When it is not training, :func:`settle` follows; in training
    the loss reaches the gate with its full strength.

    Args:
        channels: number of channels C of the features.
        opposite: for each joint, the index of the same joint on the other side; its own index if there is none.
        side: side S of the kernels.
        embedded: number of channels E.
    """

    def __init__(self, channels: int, opposite: Sequence[int], side: int = SIDE, embedded: int = EMBEDDED):
        super().__init__()
        self.opposite, self.side = list(opposite), side
        self.embedding = nn.Conv2d(channels, embedded, 1)  # E
        self.gate = nn.Sequential(
            nn.Conv2d(2 * _SEEN, _HIDDEN, 3, padding=1), nn.ReLU(), nn.Conv2d(_HIDDEN, 2, 3, padding=1)
        )
        for weight in self.gate[-1].parameters():
            nn.init.zeros_(weight)

    def embed(self, features: Tensor) -> Tensor:
        """Compute E: (B, C, H, W) → (B, E, H, W), of unit length in each cell."""
        embedded = self.embedding(features)
        return embedded / embedded.square().sum(1, keepdim=True).clamp(min=_TINY**2).sqrt()

    def kernels(self, features: Tensor, heatmaps: Tensor) -> Tensor:
        """Make the kernels S of a frame: features (B, C, H, W), its maps (B, J, H, W) → (B, J, E, S, S)."""
        return joint_kernels(self.embed(features), heatmaps, self.side)

    def remember(self, before: tuple[Tensor, Tensor], made: Tensor) -> tuple[Tensor, Tensor]:
        """Return the fast and the slow kernels K_t, from those of the frame before and from S_t."""
        fast, slow = (torch.lerp(one, made, rate) for one, rate in zip(before, RATES, strict=True))
        return fast, slow

    def forward(self, heatmaps: Tensor, features: Tensor, fast: Tensor, slow: Tensor) -> Tensor:
        """Refine maps (B, J, H, W) of a frame by the kernels (B, J, E, S, S) of the frames before."""
        gated = self.gated(heatmaps, features, fast, slow)
        return gated if self.training else settle(gated, heatmaps)

    def gated(self, heatmaps: Tensor, features: Tensor, fast: Tensor, slow: Tensor) -> Tensor:
        """Compute what the gate makes of the maps; arguments as for :meth:`forward`."""
        embedded = self.embed(features)
        seen = [heatmaps]
        for kernels in (fast, slow):
            response = respond(embedded, kernels)
            below = response - response.amax((-2, -1), keepdim=True)  # how much better it is elsewhere
            much = _norm(kernels)[:, :, 0] / (self.side * _MASS)  # about 1 for a joint that was seen clearly
            seen += [response, below, much.expand_as(heatmaps)]
        each = torch.stack(seen, 2)  # (B, J, 7, H, W)
        both = torch.cat([each, each[:, self.opposite]], 2)
        factor, addend = self.gate(both.flatten(0, 1)).unflatten(0, heatmaps.shape[:2]).unbind(2)
        return heatmaps * (1 + factor) + addend
