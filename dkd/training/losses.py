"""Losses of training: the pose loss, and the temporal adversary with its equilibrium.

The paper trains with a *temporal discriminator* that follows BEGAN (Berthelot 2017): an auto-encoder that reconstructs
the *changes* of maps from frame to frame, well for true changes and badly for predicted ones. Each function says what
the paper specifies and what is our decision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dkd.errors import ConfigError
from dkd.io.config import STRICT, check_ranges
from dkd.pose.heatmaps import gaussian_targets

_SMALLEST_CHANGE = 1e-3  # root mean square of map changes below which a clip counts as motionless


def pose_loss(heatmaps: Tensor, joints: Tensor, weights: Tensor, sigma: float, count: Tensor | None = None) -> Tensor:
    """Compute the squared error of the maps, summed over cells, weighted average over joints (the paper's L2).

    Args:
        heatmaps: (..., J, H, W) predicted maps.
        joints: (..., J, 2) in cells; infinite: outside the crop, with an all-zero target; NaN: not labelled.
        weights: (..., J) ≥ 0: 0 if a joint is not labelled and so not trained, less than 1 if it is hidden.
        sigma: standard deviation of the Gaussian targets in cells.
        count: divisor of the sum; by default the sum of ``weights``. Several processes pass their common sum.
    """
    error = (heatmaps.float() - gaussian_targets(joints, heatmaps.shape[-1], sigma)).square().sum((-2, -1))
    return _weighted(error, weights, weights.sum() if count is None else count)


def _weighted(error: Tensor, weights: Tensor, count: Tensor) -> Tensor:
    """Compute Σ weights · error / count."""
    # use where, not a product: the error of an unlabelled joint may be NaN, and 0 × NaN is NaN
    return torch.where(weights > 0, error * weights, 0.0).sum() / count.clamp(min=1e-6)


def motion_loss(
    heatmaps: Tensor, joints: Tensor, weights: Tensor, sigma: float, mean: Callable[[Tensor], Tensor] = lambda x: x
) -> Tensor:
    """Compute the loss of map changes: ‖(H_{t+1} − H_t) − (G_{t+1} − G_t)‖², G the Gaussian targets. (Ours.)

    This equals the squared *change of the error* from frame to frame. It is 0 if a joint has the same error in both
    frames, and largest if errors come and go, which is seen as jitter.

    Args:
        heatmaps: (B, T, J, H, W) predicted maps, T ≥ 2.
        joints: (B, T, J, 2) in cells, as in :func:`pose_loss`.
        weights: (B, T, J) ≥ 0; a change has the smaller weight of its two frames.
        sigma: standard deviation of the Gaussian targets in cells.
        mean: averages a number over the processes that share the batch.
    """
    change = (heatmaps.float() - gaussian_targets(joints, heatmaps.shape[-1], sigma)).diff(dim=1)
    pairs = torch.minimum(weights[:, 1:], weights[:, :-1])
    return _weighted(change.square().sum((-2, -1)), pairs, mean(pairs.sum()))


def background_targets(targets: Tensor) -> Tensor:
    """Compute the background target, 1 − max_j of the joints' targets: (..., J, H, W) → (..., 1, H, W).

    The papers have a background map but do not define its target; this definition is ours.
    """
    return 1 - targets.amax(-3, keepdim=True)


def stages_loss(
    stages: Tensor,
    joints: Tensor,
    weights: Tensor,
    sigma: float,
    mean: Callable[[Tensor], Tensor] = lambda x: x,
) -> Tensor:
    """Compute :func:`pose_loss` of each stage's maps, averaged over stages (Wei 2016: intermediate supervision).

    Wei sums the stages' losses. The average differs only by a factor, and makes the loss and the norm of its gradient
    comparable with those of a model without stages.

    The background counts as one more joint, with the smallest weight of the frame's joints: if a joint has no label,
    the background is unknown, and its map is not trained (our decision).

    Args:
        stages: (..., M, K, H, W) predicted maps, K = J, or J + 1 with the background last; a frame with fewer stages
            repeats its last one, so that all frames have the same weight (``PoseOutput.intermediate``).
        joints: (..., J, 2) in cells, as in :func:`pose_loss`.
        weights: (..., J) ≥ 0.
        sigma: standard deviation of the Gaussian targets in cells.
        mean: averages a number over the processes that share the batch.
    """
    targets = gaussian_targets(joints, stages.shape[-1], sigma)
    if stages.shape[-3] == targets.shape[-3] + 1:
        targets = torch.cat([targets, background_targets(targets)], -3)
        weights = torch.cat([weights, weights.amin(-1, keepdim=True)], -1)
    error = (stages.float() - targets.unsqueeze(-4)).square().sum((-2, -1)).mean(-2)  # (..., K)
    return _weighted(error, weights, mean(weights.sum()))


@dataclass(frozen=True)
class AdversaryConfig:
    """Settings of temporally adversarial training.

    Attributes:
        eta: weight of L_fake in the pose network's loss; 0 disables the adversary. The usual start value of BEGAN for
            pose estimation, 1e-4, is for losses on a different scale; with ours it would have no effect.
        gamma: target balance, L_fake = γ L_real (BEGAN's diversity ratio).
        lambda_k: step size of k.
        width: channels of the auto-encoder.
        learning_rate: learning rate of the discriminator, with Adam.
    """

    __pydantic_config__ = STRICT

    eta: float = 0.0
    gamma: float = 0.5
    lambda_k: float = 0.01
    width: int = 32
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        check_ranges(self, eta=(0, 1e6), gamma=(0, 1e6), lambda_k=(0, 1e6), width=(1, 4096), learning_rate=(0, 1e3))
        if self.eta < 0 or self.gamma <= 0 or self.lambda_k < 0 or self.width < 1 or self.learning_rate <= 0:
            raise ConfigError(
                "expected an adversary with eta ≥ 0, gamma > 0, lambda_k ≥ 0, width ≥ 1 and learning_rate > 0, got "
                f"eta={self.eta}, gamma={self.gamma}, lambda_k={self.lambda_k}, width={self.width}, "
                f"learning_rate={self.learning_rate}"
            )


def map_changes(heatmaps: Tensor, usable: Tensor, mean: Callable[[Tensor], Tensor] = lambda x: x) -> Tensor:
    """Compute d_t = H_{t+1} − H_t, scaled to a root mean square of 1.

    Using changes of maps is our decision, as the paper is ambiguous. The scaling is ours too: a network whose peaks are
    half as high makes squared changes that are a quarter as large, so that its L_fake would be small for that reason
    alone, and BEGAN's balance needs L_real and L_fake on one scale. The factor is one number for the whole batch,
    without gradient, so that the size of a change still matters within the batch.

    Args:
        heatmaps: (B, T, J, H, W), T ≥ 2.
        usable: (B, T, J) bool; a change to or from a map without a label is 0.
        mean: averages a number over the processes that share the batch.

    Returns:
        (B·(T−1), J, H, W).
    """
    change = (heatmaps[:, 1:] - heatmaps[:, :-1]).float()
    change = torch.where((usable[:, 1:] & usable[:, :-1])[..., None, None], change, 0.0)
    scale = mean(change.detach().square().mean()).sqrt().clamp(min=_SMALLEST_CHANGE)
    return (change / scale).flatten(0, 1)


def reconstruction_loss(reconstructed: Tensor, changes: Tensor) -> Tensor:
    """Compute mean‖D(d) − d‖²: 0 is perfect, 1 is the value of a discriminator that outputs 0 at unit scale."""
    return (reconstructed.float() - changes).square().mean()


def next_k(k: float, real: float, fake: float, config: AdversaryConfig) -> float:
    """Update k ← clip(k + λ (γ L_real − L_fake), 0, 1): BEGAN's equilibrium (Berthelot 2017, equation 6)."""
    return min(max(k + config.lambda_k * (config.gamma * real - fake), 0.0), 1.0)


def convergence(real: float, fake: float, config: AdversaryConfig) -> float:
    """Compute L_real + |γ L_real − L_fake|: BEGAN's measure of convergence (Berthelot 2017, 3.4.1); less is better."""
    return real + abs(config.gamma * real - fake)
