"""What training minimises: the pose loss, and the temporal adversary with its equilibrium.

The paper trains with a *temporal discriminator* that follows BEGAN (Berthelot 2017): an auto-encoder that reconstructs
how the maps *change* from frame to frame, well for true changes and badly for predicted ones. What is certain and what
is our decision stands at each piece.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dkd.errors import ConfigError
from dkd.io.config import STRICT
from dkd.pose.heatmaps import gaussian_targets

_SMALLEST_CHANGE = 1e-3  # root mean square of map changes below which a clip counts as standing still


def pose_loss(heatmaps: Tensor, joints: Tensor, weights: Tensor, sigma: float, count: Tensor | None = None) -> Tensor:
    """Squared error of the maps, summed over cells, averaged over joints by weight. (The paper's L2.)

    Args:
        heatmaps: (..., J, H, W) predicted.
        joints: (..., J, 2) in cells; infinite: outside the crop, trained to an all-zero map; NaN: not labelled.
        weights: (..., J) ≥ 0: 0 where a joint is not labelled and so not trained, less than 1 where it is hidden.
        sigma: of the Gaussian targets, in cells.
        count: what the sum is divided by; by default the sum of ``weights``. Several processes give their common one.
    """
    error = (heatmaps.float() - gaussian_targets(joints, heatmaps.shape[-1], sigma)).square().sum((-2, -1))
    return _weighted(error, weights, weights.sum() if count is None else count)


def _weighted(error: Tensor, weights: Tensor, count: Tensor) -> Tensor:
    """Σ weights · error / count."""
    # where, not times: the error of an unlabelled joint may be anything, and 0 × NaN is NaN
    return torch.where(weights > 0, error * weights, 0.0).sum() / count.clamp(min=1e-6)


def motion_loss(
    heatmaps: Tensor, joints: Tensor, weights: Tensor, sigma: float, mean: Callable[[Tensor], Tensor] = lambda x: x
) -> Tensor:
    """:func:`pose_loss` of how the maps change: ‖(H_{t+1} − H_t) − (G_{t+1} − G_t)‖², G the Gaussian targets. (Ours.)

    The same as the squared *change of the error* from frame to frame. It costs nothing where a joint is off by the same
    in both frames, and most where errors come and go: what is seen as trembling.

    Args:
        heatmaps: (B, T, J, H, W) predicted, T ≥ 2.
        joints: (B, T, J, 2) in cells, as in :func:`pose_loss`.
        weights: (B, T, J) ≥ 0; a change counts as the less sure one of its two frames.
        sigma: of the Gaussian targets, in cells.
        mean: averages a number over the processes that share the batch.
    """
    change = (heatmaps.float() - gaussian_targets(joints, heatmaps.shape[-1], sigma)).diff(dim=1)
    pairs = torch.minimum(weights[:, 1:], weights[:, :-1])
    return _weighted(change.square().sum((-2, -1)), pairs, mean(pairs.sum()))


def background_targets(targets: Tensor) -> Tensor:
    """1 − max_j of the joints' targets, where no joint is. (..., J, H, W) → (..., 1, H, W).

    The papers name a background map and do not define its target; that it is what the highest Gaussian leaves is ours.
    """
    return 1 - targets.amax(-3, keepdim=True)


def stages_loss(
    stages: Tensor,
    joints: Tensor,
    weights: Tensor,
    sigma: float,
    mean: Callable[[Tensor], Tensor] = lambda x: x,
) -> Tensor:
    """:func:`pose_loss` of each stage's maps, averaged over the stages (Wei 2016: intermediate supervision).

    Wei adds the stages' losses up. The average differs by a factor, and it makes the loss, its gradient's norm and
    their limits mean the same as in a model without stages.

    The background counts as one more joint, as sure as the frame's least sure one: where a joint has no label nobody
    knows what is background, and its map is not trained there (ours).

    Args:
        stages: (..., M, K, H, W) predicted, K = J, or J + 1 with the background last; a frame with fewer stages repeats
            its last, so that each frame has the same say (``PoseOutput.intermediate``).
        joints: (..., J, 2) in cells, as in :func:`pose_loss`.
        weights: (..., J) ≥ 0.
        sigma: of the Gaussian targets, in cells.
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
    """Temporally adversarial training.

    Attributes:
        eta: weight of L_fake in the pose network's loss; 0 switches the adversary off. The starting point of the
            field's BEGAN for pose, 1e-4, belongs to losses on another scale; with ours it would do nothing.
        gamma: the balance aimed at, L_fake = γ L_real (BEGAN's diversity ratio).
        lambda_k: step size of k.
        width: channels of the auto-encoder.
        learning_rate: of the discriminator, with Adam.
    """

    __pydantic_config__ = STRICT

    eta: float = 0.0
    gamma: float = 0.5
    lambda_k: float = 0.01
    width: int = 32
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        if self.eta < 0 or self.gamma <= 0 or self.lambda_k < 0 or self.width < 1 or self.learning_rate <= 0:
            raise ConfigError(
                "expected an adversary with eta ≥ 0, gamma > 0, lambda_k ≥ 0, width ≥ 1 and learning_rate > 0, got "
                f"eta={self.eta}, gamma={self.gamma}, lambda_k={self.lambda_k}, width={self.width}, "
                f"learning_rate={self.learning_rate}"
            )


def map_changes(heatmaps: Tensor, usable: Tensor, mean: Callable[[Tensor], Tensor] = lambda x: x) -> Tensor:
    """d_t = H_{t+1} − H_t, scaled to a root mean square of 1. (Changes of the maps: a decision, the paper is not sure.)

    The scaling is ours: a net whose peaks are half as high makes changes a quarter as large, squared, and its L_fake
    would be small for that reason alone, and BEGAN's balance needs L_real and L_fake on one scale. The factor is one
    number for the whole batch and no gradient flows through it, so the size of a change still counts within the batch.

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
    """mean‖D(d) − d‖²: 0 where it is perfect, 1 for a discriminator that answers 0 to changes of unit scale."""
    return (reconstructed.float() - changes).square().mean()


def next_k(k: float, real: float, fake: float, config: AdversaryConfig) -> float:
    """k ← clip(k + λ (γ L_real − L_fake), 0, 1): BEGAN's equilibrium (Berthelot 2017, equation 6)."""
    return min(max(k + config.lambda_k * (config.gamma * real - fake), 0.0), 1.0)


def convergence(real: float, fake: float, config: AdversaryConfig) -> float:
    """L_real + |γ L_real − L_fake|: BEGAN's measure of convergence (Berthelot 2017, 3.4.1); smaller is better."""
    return real + abs(config.gamma * real - fake)
