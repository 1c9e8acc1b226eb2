"""Simple Baselines (Xiao 2018) with two deconvolutions: each frame on its own. DKD's per-frame baseline.

It is the pose initializer run on every frame: the encoder of a DKD and a 1×1 classifier, nothing dynamic, no past. What
DKD gains over it, with the same encoder, data, seed and steps, is what distillation buys.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from dkd.errors import ConfigError
from dkd.models.backbones import Encoder, build_encoder
from dkd.models.base import Feedback, PoseInitializer, PoseOutput, VideoPoseModel, check_input_size
from dkd.skeleton import get_skeleton


@dataclass(frozen=True)
class SimpleBaselineConfig:
    """Everything needed to build a per-frame baseline.

    Attributes:
        encoder: one of ``dkd.models.backbones.ENCODERS``.
        skeleton: name of the joint set.
        channels: width C of the features.
        input_size: side N of the square input in pixels.
    """

    encoder: str = "resnet50"
    skeleton: str = "penn_action"
    channels: int = 256
    input_size: int = 256

    def __post_init__(self) -> None:
        check_input_size(self.input_size)
        if self.channels < 1:
            raise ConfigError(f"channels must be at least 1, got {self.channels}")
        get_skeleton(self.skeleton)


class SimpleBaseline(VideoPoseModel):
    """The same network on every frame. ``feedback`` is taken and never asked: there is no past to change.

    Args:
        config: see :class:`SimpleBaselineConfig`.
        net: the network, where there is one already (its weights are shared then); by default one with random weights.
    """

    config: SimpleBaselineConfig

    def __init__(self, config: SimpleBaselineConfig, net: PoseInitializer | None = None):
        super().__init__(config, f"simple-baseline-{config.encoder}")
        if net is None:
            encoder = build_encoder(config.encoder, config.channels)
            net = PoseInitializer(encoder, config.channels, len(self.skeleton))
        self.net = net

    @property
    def kernel_shape(self) -> tuple[int, int, int]:
        """(0, 1, 1): there are no kernels."""
        return (0, 1, 1)

    def trunks(self) -> list[Encoder]:
        """Its one encoder."""
        return [self.net.encoder]

    def initialise(self, frame: Tensor) -> Tensor:
        """(B, 3, N, N) → (B, J, H, W)."""
        return self.net(self.normalise(frame))

    def start(self, frame: Tensor, feedback: Feedback | None = None) -> tuple[PoseOutput, int]:
        """Any frame; the state is its index."""
        self._check(frame, "frame", "(B, 3, N, N)")
        features = self.net.encoder(self.normalise(frame))
        empty = features.new_zeros((len(frame), *self.kernel_shape))
        return PoseOutput(self.net.classifier(features), empty, features), 0

    def step(self, frame: Tensor, state: int, feedback: Feedback | None = None) -> tuple[PoseOutput, int]:
        """The next frame, on its own."""
        return self.start(frame)[0], state + 1

    def forward(self, clip: Tensor, feedback: Feedback | None = None) -> PoseOutput:
        """All frames in one batch: (B, T, 3, N, N) → as :meth:`~dkd.models.base.VideoPoseModel.forward`."""
        self._check(clip, "clip", "(B, T, 3, N, N)")
        if not self.training:  # frame by frame, so that a clip equals its stream bit for bit
            return super().forward(clip)
        output, _ = self.start(clip.flatten(0, 1))
        return PoseOutput(*(part.unflatten(0, clip.shape[:2]) for part in output))
