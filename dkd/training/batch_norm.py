"""Batch normalisation over the batches of all processes, including on a CPU."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation over all processes, as :class:`torch.nn.SyncBatchNorm`, which does not support the CPU.

    All processes must have batches of the same size.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (B, C, H, W); in eval mode with the stored statistics, as the base class."""
        if not self.training:
            return super().forward(input)
        x = input.float()
        moments = torch.stack([x.mean((0, 2, 3)), x.square().mean((0, 2, 3))])
        mean, square = all_reduce(moments) / dist.get_world_size()  # differentiable: gradients also cross processes
        variance = (square - mean.square()).clamp(min=0)
        if self.track_running_stats and self.running_mean is not None and self.running_var is not None:
            count = x.numel() / x.shape[1] * dist.get_world_size()
            momentum = 0.1 if self.momentum is None else self.momentum
            with torch.no_grad():
                self.running_mean.lerp_(mean.detach(), momentum)
                self.running_var.lerp_(variance.detach() * count / (count - 1), momentum)
                if self.num_batches_tracked is not None:
                    self.num_batches_tracked.add_(1)
        scale = torch.rsqrt(variance + self.eps)
        if self.weight is not None:
            scale = scale * self.weight
        shift = -mean * scale if self.bias is None else self.bias - mean * scale
        return (x * scale[:, None, None] + shift[:, None, None]).to(input.dtype)


def synchronise_batch_norm(module: nn.Module, device: torch.device) -> nn.Module:
    """Synchronise the module's batch normalisations over processes, keeping the names of parameters and buffers."""
    if device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(module)
    for child in module.modules():
        if type(child) is nn.BatchNorm2d:
            child.__class__ = SyncedBatchNorm2d  # same parameters and buffers, different forward
    return module
