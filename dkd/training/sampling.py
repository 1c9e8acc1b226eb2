"""Scheduled sampling: sometimes the model gets the ground truth instead of its own last estimate."""

from __future__ import annotations

import torch
from torch import Tensor

from dkd.models.base import Feedback
from dkd.pose.heatmaps import gaussian_targets
from dkd.training.config import FeedbackConfig


def scheduled_sampling(
    config: FeedbackConfig,
    joints: Tensor,
    sigma: float,
    generator: torch.Generator,
    mine: slice = slice(None),
    batch: int | None = None,
) -> Feedback:
    """Create a feedback function that sometimes passes on jittered ground truth instead of the model's own maps.

    This is scheduled sampling (Bengio et al. 2015) with fixed probabilities.

    Args:
        config: how often, and how much jitter.
        joints: (B, T, J, 2) in cells.
        sigma: of the targets.
        generator: source of randomness.
        mine: indices of this process's clips in the whole batch. Random numbers are drawn for the whole batch, so that
            processes that share a batch do the same as a single process.
        batch: number of clips in the whole batch; by default B.
    """

    def choose(heatmaps: Tensor, t: int) -> Tensor:
        total = len(joints) if batch is None else batch
        share = config.truth_later if t else config.truth_first
        use = (torch.rand(total, generator=generator) < share)[mine].to(heatmaps.device)
        noise = torch.randn((total, *joints.shape[2:]), generator=generator)[mine].to(heatmaps.device)
        at = joints[:, t] + noise * config.jitter
        truth = gaussian_targets(at, heatmaps.shape[-1], sigma)
        usable = use[:, None] & ~at.isnan().any(-1)
        return torch.where(usable[..., None, None], truth.to(heatmaps.dtype), heatmaps)

    return choose
