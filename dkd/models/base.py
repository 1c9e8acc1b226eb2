"""Interface of all models, which track a person through a stream of frames and expose their intermediate results.

A model is started with the first frame and stepped with each later one. It carries a state from frame to frame and
returns a :class:`PoseOutput`. Training, traces, evaluation and the widgets only use this interface.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dkd.errors import ConfigError, ShapeError
from dkd.models.backbones import Encoder, Normalise, deconvolution
from dkd.pose.heatmaps import STRIDE, TARGET_SIGMA
from dkd.pose.skeleton import get_skeleton

Feedback = Callable[[Tensor, int], Tensor]


class PoseOutput(NamedTuple):
    """Output of a pass over frames. The axis T is missing if a single frame was passed.

    Attributes:
        heatmaps: (B, T, J, H, W) H_t, about 0..1 once trained.
        kernels: (B, T, C, S, S) K̃_t, distilled *from* frame t and matched *in* frame t+1; C = 0 in a model without
            kernels.
        features: (B, T, C, H, W) F_t ≥ 0.
        intermediate: (B, T, M, K, H, W) maps of the M stages with their own losses, of which the last are
            ``heatmaps``; if K = J + 1, the last map is the background. Only in train mode and for models with such
            stages; ``None`` otherwise. A frame with fewer than M stages repeats its last one.
    """

    heatmaps: Tensor
    kernels: Tensor
    features: Tensor
    intermediate: Tensor | None = None


LARGEST_INPUT = 2048  # pixels; the memory for maps grows with its square


def check_input_size(size: int, multiple: int = 32, least: int = 128) -> None:
    """Raise :class:`~dkd.errors.ConfigError` if encoders and distillator do not support an input of this side."""
    check_whole("input_size", size, least, LARGEST_INPUT)
    if size % multiple:
        raise ConfigError(f"input_size must be a multiple of {multiple} and at least {least}, got {size}")


def check_whole(name: str, value: int, low: int = 1, high: int = 4096) -> None:
    """Raise :class:`~dkd.errors.ConfigError` unless a setting is a whole number from ``low`` to ``high``."""
    if type(value) is not int or not low <= value <= high:
        raise ConfigError(f"expected {name}, a whole number from {low} to {high}, got {str(value)[:80]}")


class PoseInitializer(nn.Module):
    """Encoder and 1×1 classifier: the pose of one frame, from that frame alone.

    Args:
        encoder: encoder with its two deconvolutions.
        channels: number of channels C of its features.
        n_joints: number of joints J.
        deconvolutions: 2, or 3, in which case one more follows the encoder, and maps are twice as fine (Xiao 2018).
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
        """Compute the input of the classifier: (B, 3, N, N) normalised → (B, C, H, W) ≥ 0."""
        return self.upsample(self.encoder(image))


class VideoPoseModel(nn.Module):
    """Base class of all models. Frames are RGB in 0..1; ImageNet normalisation is part of the model.

    Args:
        config: frozen dataclass of the model's settings, with at least ``skeleton`` and ``input_size``.
        name: name in tables.
    """

    def __init__(self, config: Any, name: str):
        super().__init__()
        self.config = config
        self.name = name
        self.provenance: dict = {}  # provenance of the checkpoint; empty for random weights
        self.skeleton = get_skeleton(config.skeleton)
        self.normalise = Normalise()

    @property
    def stride(self) -> int:
        """Input pixels per cell of the maps, along each axis; 8 by default."""
        return STRIDE

    @property
    def map_size(self) -> int:
        """Side H = W of the maps in cells."""
        return self.config.input_size // self.stride

    @property
    def device(self) -> torch.device:
        """Device of its weights."""
        return next(self.parameters()).device

    @property
    def kernel_shape(self) -> tuple[int, int, int]:
        """Shape (C, S, S) of the kernels passed on to the next frame; (0, 1, 1) in a model without kernels."""
        return (0, 1, 1)

    @property
    def target_sigma(self) -> float:
        """Standard deviation in cells of the Gaussians on which it was trained, from its checkpoint.

        That of our recipes if the checkpoint does not say it.
        """
        config = self.provenance.get("config")
        sigma = config.get("sigma") if isinstance(config, Mapping) else None
        known = isinstance(sigma, (int, float)) and 0 < sigma < float("inf")
        return float(sigma) if known else TARGET_SIGMA  # type: ignore[arg-type]

    @property
    def has_kernels(self) -> bool:
        """Whether its maps come from matching kernels, which traces and views of kernels require."""
        return False

    @property
    def hands_on(self) -> bool:
        """Whether a frame's maps are passed on to the next frame, so that a feedback is called."""
        return True

    def trunks(self) -> list[Encoder]:
        """Return its encoders, which can start from an image classifier's weights; may be empty."""
        return []

    @abstractmethod
    def initialise(self, frame: Tensor) -> Tensor:
        """Compute the pose of one frame alone: (B, 3, N, N) → (B, J, H, W)."""

    @abstractmethod
    def start(self, frame: Tensor, feedback: Feedback | None = None) -> tuple[PoseOutput, Any]:
        """Process the first frame of a stream.

        Args:
            frame: (B, 3, N, N) RGB in 0..1.
            feedback: function that returns the maps to pass on to the next frame instead of H_t: called with (H_t, t),
                returns maps of the same shape. For training with perturbed maps and for measuring reliance on the past.

        Returns:
            The output (without the T axis) and the state for :meth:`step`.

        Raises:
            ShapeError: the frame has a different shape.
        """

    @abstractmethod
    def step(self, frame: Tensor, state: Any, feedback: Feedback | None = None) -> tuple[PoseOutput, Any]:
        """Process the next frame of a stream; arguments and result as in :meth:`start`."""

    def state_after(self, t: int, kernels: Tensor) -> Any:
        """Reconstruct the state of a stream after frame t, from the data that a trace keeps.

        Args:
            t: index of the frame in its stream.
            kernels: (1, C, S, S) kernels from its output.

        Returns:
            The state for :meth:`step`; ``None`` if it cannot be determined from kernels.
        """
        return None

    def forward(self, clip: Tensor, feedback: Feedback | None = None) -> PoseOutput:
        """Process a clip, recursively from its first frame.

        Args:
            clip: (B, T, 3, N, N) RGB in 0..1, T ≥ 1.
            feedback: as in :meth:`start`.

        Raises:
            ShapeError: the clip has a different shape.
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
    """A model without a past, which applies the same network to every frame.

    ``feedback`` is accepted but never called, as there is nothing to change. A subclass implements :meth:`look`, which
    processes one frame; the state of a stream is the frame's index.
    """

    @property
    def hands_on(self) -> bool:
        """False: nothing is passed on to the next frame."""
        return False

    @abstractmethod
    def look(self, frame: Tensor) -> PoseOutput:
        """Process one frame, whose shape has been checked: (B, 3, N, N) → its output without the T axis."""

    def start(self, frame: Tensor, feedback: Feedback | None = None) -> tuple[PoseOutput, int]:
        """Process any frame; the state is its index."""
        self._check(frame, "frame", "(B, 3, N, N)")
        return self.look(frame), 0

    def step(self, frame: Tensor, state: int, feedback: Feedback | None = None) -> tuple[PoseOutput, int]:
        """Process the next frame, independently."""
        return self.start(frame)[0], state + 1

    def state_after(self, t: int, kernels: Tensor) -> int:
        """Return the frame's index."""
        return t

    def forward(self, clip: Tensor, feedback: Feedback | None = None) -> PoseOutput:
        """Process a clip (B, T, 3, N, N) as in :meth:`VideoPoseModel.forward`; in train mode in one batch."""
        if not self.training:  # frame by frame, so that a clip and its stream are bit-identical
            return super().forward(clip)
        self._check(clip, "clip", "(B, T, 3, N, N)")
        output = self.look(clip.flatten(0, 1))
        parts: list[Any] = [None if part is None else part.unflatten(0, clip.shape[:2]) for part in output]
        return PoseOutput(*parts)


def stack_frames(outputs: list[PoseOutput]) -> PoseOutput:
    """Stack the outputs of T single frames along a T axis after the batch axis; ``None`` stays ``None``."""
    columns = zip(*outputs, strict=True)
    parts: list[Any] = [None if column[0] is None else torch.stack(column, 1) for column in columns]
    return PoseOutput(*parts)
