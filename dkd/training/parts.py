"""Set-up of a run or a step: frozen parts, modes of parts, optimiser, and averaging of weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.fx.experimental.optimization import fuse

from dkd.models.base import VideoPoseModel
from dkd.models.dkd import DKD
from dkd.training.config import OptimiserConfig, TrainConfig


def freeze(model: VideoPoseModel, config: TrainConfig) -> None:
    """Switch off gradients of frozen parts."""
    for trunk in model.trunks():
        for block in trunk.trunk_blocks()[: config.optimiser.frozen_blocks]:
            block.requires_grad_(False)
    if isinstance(model, DKD) and config.model.initializer == "fixed":
        model.initializer.requires_grad_(False)
    if config.model.bias_fades and isinstance(model, DKD):
        model.kernel_bias.requires_grad_(False)
    if config.model.trains == "joint_matching" and isinstance(model, DKD):
        model.requires_grad_(False)
        model.joint_matching.requires_grad_(True)


def fold_frozen(model: VideoPoseModel, config: TrainConfig) -> None:
    """Fold the norms of the trunks' frozen blocks into their convolutions: the same function, twice as fast.

    These blocks process the largest maps, and on a CPU each norm is one more pass over them. The blocks keep their own
    weights, which are saved; the average of the weights is an earlier copy and keeps its norms.
    """
    for trunk in model.trunks():
        for block in trunk.trunk_blocks()[: config.optimiser.frozen_blocks]:
            folded = fuse(block.eval()).requires_grad_(False)
            folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            block.forward = folded.forward


def make_optimiser(model: VideoPoseModel, config: OptimiserConfig) -> torch.optim.Optimizer:
    """Create the optimiser with two groups: trunks, with their share of the learning rate, and the rest."""
    trunk = {id(p) for t in model.trunks() for block in t.trunk_blocks() for p in block.parameters()}
    learning = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learning if id(p) in trunk], "share": config.trunk_rate},
        {"params": [p for p in learning if id(p) not in trunk], "share": 1.0},
    ]
    groups = [g for g in groups if g["params"]]
    if config.name == "rmsprop":
        return torch.optim.RMSprop(groups, lr=config.learning_rate)
    return torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)


def set_modes(model: VideoPoseModel, config: TrainConfig, step: int) -> None:
    """Set train mode, except for parts with fixed batch statistics (whose weights may still be trained)."""
    model.train()
    fixed: list[nn.Module] = [
        block for trunk in model.trunks() for block in trunk.trunk_blocks()[: config.optimiser.frozen_blocks]
    ]
    if step >= config.optimiser.fix_statistics_after * config.steps:
        fixed += list(model.children())
    if "encoder" in config.optimiser.fixed_statistics:
        fixed.append(model.trunks()[0])
    if isinstance(model, DKD):
        names = [name for name in config.optimiser.fixed_statistics if name != "encoder"]
        names += ["initializer"] if config.model.initializer == "fixed" else []
        fixed += [getattr(model, name) for name in names]
        if config.model.trains == "joint_matching":
            fixed += [part for part in model.children() if part is not model.joint_matching]
    for module in fixed:
        module.eval()


def growing_average(longest: float) -> Callable[[Any, Any, Any], None]:
    """Create an exponential average that forgets its random start: decay (1 + n) / (10 + n), at most ``longest``."""

    @torch.no_grad()
    def update(averages: Any, values: Any, n: Any) -> None:
        decay = min(longest, (1 + float(n)) / (10 + float(n)))
        if averages[0].is_floating_point():
            torch._foreach_lerp_(averages, values, 1 - decay)
        else:  # counters
            torch._foreach_copy_(averages, values)

    return update
