"""What every model here can do: follow a person through a stream of frames, and show what it did.

A model is started with the first frame and stepped with each later one. What it carries over is its state; what it
gives is a :class:`PoseOutput`. Training, traces, evaluation and the widgets know models by this interface only.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dkd.errors import ConfigError, ShapeError
from dkd.models.backbones import Encoder, Normalise, deconvolution
from dkd.pose.heatmaps import STRIDE
from dkd.pose.skeleton import get_skeleton

Feedback = Callable[[Tensor, int], Tensor]


class PoseOutput(NamedTuple):
    """What a pass over frames gives. T is missing from all of them where a single frame was passed.

    Attributes:
        heatmaps: (B, T, J, H, W) H_t, about 0..1 once trained.
        kernels: (B, T, C, S, S) K̃_t, distilled *from* frame t and matched *in* frame t+1; C = 0 in a model without.
        features: (B, T, C, H, W) F_t ≥ 0.
        intermediate: (B, T, M, K, H, W) the maps of the M stages that are trained each on its own, the last of which
            are ``heatmaps``; where K = J + 1 the background is the last map. In train mode only, and only of models
            that have such stages; ``None`` otherwise. A frame with fewer stages than M repeats its last.
    """

    heatmaps: Tensor
    kernels: Tensor
    features: Tensor
    intermediate: Tensor | None = None


def check_input_size(size: int) -> None:
    """Raise :class:`~dkd.errors.ConfigError` where encoders and distillator cannot take an input of this side."""
    if size % 32 or size < 128:
        raise ConfigError(f"input_size must be a multiple of 32 and at least 128, got {size}")


class PoseInitializer(nn.Module):
    """Encoder and a 1×1 classifier: the pose of one frame, from that frame alone.

    Args:
        encoder: with its two deconvolutions.
        channels: width C of its features.
        n_joints: J.
        deconvolutions: 2, or 3: then one more follows the encoder, and maps are twice as fine (Xiao 2018).
    """

    def __init__(self, encoder: Encoder, channels: int, n_joints: int, deconvolutions: int = 2):
        super().__init__()
        self.encoder = encoder
        self.upsample: nn.Module = nn.Identity()
        if deconvolutions == 3:
            layers = deconvolution(channels, channels), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
            self.upsample = nn.Sequential(*layers)
        self.classifier = nn.Conv2d(channels, n_joints, 1)
        nn.init.normal_(self.classifier.weight, std=0.001)
        nn.init.zeros_(self.classifier.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, N, N) normalised → (B, J, H, W)."""
        return self.classifier(self.features(image))

    def features(self, image: Tensor) -> Tensor:
        """(B, 3, N, N) normalised → (B, C, H, W) ≥ 0, what the classifier sees."""
        return self.upsample(self.encoder(image))


class VideoPoseModel(nn.Module):
    """The interface. Frames are RGB in 0..1; ImageNet normalisation happens inside.

    Args:
        config: the model's own frozen dataclass, with at least ``skeleton`` and ``input_size``.
        name: what it is called in tables.
    """

    def __init__(self, config: Any, name: str):
        super().__init__()
        self.config = config
        self.name = name
        self.provenance: dict = {}  # what a checkpoint says of itself; empty for random weights
        self.skeleton = get_skeleton(config.skeleton)
        self.normalise = Normalise()

    @property
    def stride(self) -> int:
        """Input pixels per cell of the maps, along each axis; 8 but where a model says otherwise."""
        return STRIDE

    @property
    def map_size(self) -> int:
        """Side H = W of the maps in cells."""
        return self.config.input_size // self.stride

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    @property
    def kernel_shape(self) -> tuple[int, int, int]:
        """(C, S, S) of the kernels that a frame leaves to the next one; (0, 1, 1) in a model without."""
        return (0, 1, 1)

    @property
    def has_kernels(self) -> bool:
        """Whether its maps are made by matching kernels; what traces show of kernels needs a model that has them."""
        return False

    @property
    def hands_on(self) -> bool:
        """Whether a frame's maps reach the next frame, so that a feedback is asked."""
        return True

    def trunks(self) -> list[Encoder]:
        """The encoders in it: what may start from an image classifier's weights; empty where there are none."""
        return []

    @abstractmethod
    def initialise(self, frame: Tensor) -> Tensor:
        """The pose of one frame alone: (B, 3, N, N) → (B, J, H, W)."""

    @abstractmethod
    def start(self, frame: Tensor, feedback: Feedback | None = None) -> tuple[PoseOutput, Any]:
        """The first frame of a stream.

        Args:
            frame: (B, 3, N, N) RGB in 0..1.
            feedback: what is handed on to the next frame instead of H_t: called with (H_t, t), returns maps of the same
                shape. For training with perturbed maps and for measuring how much the past matters.

        Returns:
            its output (without the T axis) and the state for :meth:`step`.

        Raises:
            ShapeError: the frame has another shape.
        """

    @abstractmethod
    def step(self, frame: Tensor, state: Any, feedback: Feedback | None = None) -> tuple[PoseOutput, Any]:
        """The next frame of a stream; arguments and result as in :meth:`start`."""

    def state_after(self, t: int, kernels: Tensor) -> Any:
        """The state of a stream after its frame t, from what a trace keeps of that frame.

        Args:
            t: index of the frame in its stream.
            kernels: (1, C, S, S) that it left, as in its output.

        Returns:
            the state for :meth:`step`; ``None`` where kernels are not enough to tell it.
        """
        return None

    def forward(self, clip: Tensor, feedback: Feedback | None = None) -> PoseOutput:
        """A clip, recursively from its first frame.

        Args:
            clip: (B, T, 3, N, N) RGB in 0..1, T ≥ 1.
            feedback: as in :meth:`start`.

        Raises:
            ShapeError: the clip has another shape.
        """
        self._check(clip, "clip", "(B, T, 3, N, N)")
        output, state = self.start(clip[:, 0], feedback)
        outputs = [output]
        for t in range(1, clip.shape[1]):
            output, state = self.step(clip[:, t], state, feedback)
            outputs.append(output)
        return stack_frames(outputs)

    def _check(self, frames: Tensor, name: str, layout: str) -> None:
        size = self.config.input_size
        if frames.ndim != layout.count(",") + 1 or tuple(frames.shape[-3:]) != (3, size, size) or 0 in frames.shape:
            raise ShapeError(f"expected {name} of shape {layout} with N = {size}, got {tuple(frames.shape)}")


class PerFrameModel(VideoPoseModel):
    """A model without a past: the same network on every frame.

    ``feedback`` is taken and never asked, for there is nothing to change. A subclass gives :meth:`look`, what it does
    with one frame; the state of a stream is the frame's index.
    """

    @property
    def hands_on(self) -> bool:
        """Nothing reaches the next frame."""
        return False

    @abstractmethod
    def look(self, frame: Tensor) -> PoseOutput:
        """One frame, whose shape is known to be right: (B, 3, N, N) → its output without the T axis."""

    def start(self, frame: Tensor, feedback: Feedback | None = None) -> tuple[PoseOutput, int]:
        """Any frame; the state is its index."""
        self._check(frame, "frame", "(B, 3, N, N)")
        return self.look(frame), 0

    def step(self, frame: Tensor, state: int, feedback: Feedback | None = None) -> tuple[PoseOutput, int]:
        """The next frame, on its own."""
        return self.start(frame)[0], state + 1

    def state_after(self, t: int, kernels: Tensor) -> int:
        """The frame's index."""
        return t

    def forward(self, clip: Tensor, feedback: Feedback | None = None) -> PoseOutput:
        """A clip: (B, T, 3, N, N) → as :meth:`VideoPoseModel.forward`; in train mode all frames in one batch."""
        if not self.training:  # frame by frame, so that a clip equals its stream bit for bit
            return super().forward(clip)
        self._check(clip, "clip", "(B, T, 3, N, N)")
        output = self.look(clip.flatten(0, 1))
        parts: list[Any] = [None if part is None else part.unflatten(0, clip.shape[:2]) for part in output]
        return PoseOutput(*parts)


def stack_frames(outputs: list[PoseOutput]) -> PoseOutput:
    """Outputs of T single frames → one with a T axis behind the batch's; a part that is ``None`` stays so."""
    columns = zip(*outputs, strict=True)
    parts: list[Any] = [None if column[0] is None else torch.stack(column, 1) for column in columns]
    return PoseOutput(*parts)
