"""Simple Baselines (Xiao 2018): each frame alone. With two deconvolutions it is DKD's per-frame baseline.

It is then DKD's pose initializer run on every frame: the encoder of a DKD and a 1×1 classifier, with no dynamic kernels
and no past. With the same encoder, data, seed and steps, the difference to DKD is the gain from distillation. With
three deconvolutions it is the network of the Simple Baselines paper, whose maps are twice as fine: 64×64 cells of 4
pixels at 256×256.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from dkd.errors import ConfigError
from dkd.models.backbones import Encoder, build_encoder
from dkd.models.base import PerFrameModel, PoseInitializer, PoseOutput, check_input_size, check_whole
from dkd.pose.skeleton import get_skeleton


@dataclass(frozen=True)
class SimpleBaselineConfig:
    """Settings needed to build a per-frame baseline.

    Attributes:
        encoder: one of ``dkd.models.backbones.ENCODERS``.
        skeleton: name of the skeleton.
        channels: number of channels C of the features.
        input_size: side N of the square input in pixels.
        deconvolutions: 2 for maps at stride 8, like DKD's; 3 for stride 4, as in the paper. The targets' σ is in cells,
            so the same value means half as many pixels with 3: the paper uses 2 cells of 4 pixels.
    """

    encoder: str = "resnet50"
    skeleton: str = "penn_action"
    channels: int = 256
    input_size: int = 256
    deconvolutions: int = 2

    def __post_init__(self) -> None:
        check_input_size(self.input_size)
        check_whole("channels", self.channels)
        if self.deconvolutions not in (2, 3):
            raise ConfigError(f"deconvolutions must be 2 (stride 8) or 3 (stride 4), got {self.deconvolutions}")
        get_skeleton(self.skeleton)


class SimpleBaseline(PerFrameModel):
    """The same network on every frame. ``feedback`` is accepted but never called: there is no past to change.

    Args:
        config: see :class:`SimpleBaselineConfig`.
        net: an existing network, whose weights are then shared; by default a new one with random weights.
    """

    config: SimpleBaselineConfig

    def __init__(self, config: SimpleBaselineConfig, net: PoseInitializer | None = None):
        kind = "simple-baseline" if config.deconvolutions == 2 else f"simple-baseline-{config.deconvolutions}"
        super().__init__(config, f"{kind}-{config.encoder}")
        if net is None:
            encoder = build_encoder(config.encoder, config.channels)
            net = PoseInitializer(encoder, config.channels, len(self.skeleton), config.deconvolutions)
        self.net = net

    @property
    def stride(self) -> int:
        """Input pixels per map cell: 8 with two deconvolutions, 4 with three (the trunk's 32, halved by each)."""
        return 32 >> self.config.deconvolutions

    def trunks(self) -> list[Encoder]:
        """Return the encoder."""
        return [self.net.encoder]

    def initialise(self, frame: Tensor) -> Tensor:
        """(B, 3, N, N) → (B, J, H, W)."""
        return self.net(self.normalise(frame))

    def look(self, frame: Tensor) -> PoseOutput:
        """Process one frame: (B, 3, N, N) → maps, empty kernels, features."""
        features = self.net.features(self.normalise(frame))
        empty = features.new_zeros((len(frame), *self.kernel_shape))
        return PoseOutput(self.net.classifier(features), empty, features)
