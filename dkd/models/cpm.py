"""Convolutional Pose Machines (Wei 2016): each frame alone, in stages that get the maps of the previous stage.

    stage 1:       H¹ = first_stage(I)
    once:          F = image_layers(I)                                      shared by all later stages
    stage s ≥ 2:   H^s = readout_s(concat(conv5×5_s(F), H^{s−1}, centre map))

Each stage has a loss on its own maps; the maps of the last stage are the result. At 368×368 with 14 joints and six
stages: 31.2 M parameters and 175.4 GMACs per frame, 25 times those of DKD with ResNet-50.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dkd.models.base import PerFrameModel, PoseOutput, check_whole
from dkd.models.pose_machine_parts import (
    PoseMachineConfig,
    centre_map,
    feature_layer,
    first_stage,
    image_layers,
    readout,
)


@dataclass(frozen=True)
class CPMConfig(PoseMachineConfig):
    """Everything needed to build a CPM; see also :class:`~dkd.models.pose_machine_parts.PoseMachineConfig`.

    Attributes:
        stages: number of stages M, including the first; at least 2.
    """

    stages: int = 6

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("stages", self.stages, 2, 32)


class Stage(nn.Module):
    """A later stage, which gets the image's features and the maps of the previous stage (Wei 2016, Figure 2)."""

    def __init__(self, config: CPMConfig):
        super().__init__()
        self.image = feature_layer(config)
        self.readout = readout(config, config.features + config.n_maps + 1)

    def forward(self, features: Tensor, maps: Tensor, centre: Tensor) -> Tensor:
        """Map (B, C, H, W) features, (B, K, H, W) maps and the (1, 1, H, W) centre map to (B, K, H, W) maps."""
        return self.readout(torch.cat([self.image(features), maps, centre.expand(len(maps), -1, -1, -1)], 1))


class CPM(PerFrameModel):
    """The complete model. ``PoseOutput.features`` are those the stages share, (B, C, H, W), before their own 5×5
    layers.

    Args:
        config: see :class:`CPMConfig`. Weights are random.
    """

    config: CPMConfig
    centre: Tensor

    def __init__(self, config: CPMConfig):
        super().__init__(config, "cpm")
        self.first_stage = first_stage(config)
        self.image_layers = image_layers(config)
        self.stages = nn.ModuleList(Stage(config) for _ in range(config.stages - 1))
        self.register_buffer("centre", centre_map(config.input_size), persistent=False)

    def initialise(self, frame: Tensor) -> Tensor:
        """Compute the last stage's maps without the background: (B, 3, N, N) → (B, J, H, W)."""
        return self.look(frame).heatmaps

    def look(self, frame: Tensor) -> PoseOutput:
        """Process one frame: (B, 3, N, N) → maps, empty kernels, features; in train mode also all stages' maps."""
        image = self.normalise(frame)
        features = self.image_layers(image)
        maps = [self.first_stage(image)]
        for stage in self.stages:
            maps.append(stage(features, maps[-1], self.centre))
        empty = features.new_zeros((len(frame), *self.kernel_shape))
        trained = torch.stack(maps, 1) if self.training else None  # (B, M, K, H, W)
        return PoseOutput(maps[-1][:, :-1], empty, features, trained)
