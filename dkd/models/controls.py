"""Controls for DKD, made of its own parts: nothing is trained, all weights are those of the wrapped model.

    FrozenKernel          K̃₁ in all frames                       does the kernel have to follow the person?
    RunningAverageKernel  K̄_t = (1 − r) K̄_{t−1} + r K̃_t           is an average over the past enough?
    FlowMoved             H₁, then moved by optical flow          is a network needed at all after frame 1?
    RunningMean           H̄_t = (1 − r) H̄_{t−1} + r H_t           is it memory, or is it smoothness?

The fifth control is :meth:`dkd.models.DKD.initializer_alone`, the per-frame baseline in a DKD. All of them are ours.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dkd.errors import ConfigError
from dkd.models.backbones import Encoder
from dkd.models.base import Feedback, PoseOutput, VideoPoseModel
from dkd.models.dkd import DKD, DKDState

# Bolme et al. 2010 (MOSSE) found 0.125 to adapt quickly and stay robust; later filters use less (KCF: 0.02 on gradient
# features), but the appearance of a joint changes faster than the content of a box. The weight of a frame is halved
# after five frames.
KERNEL_RATE = 0.125
# A mean age of (1 − r) / r = 1 frame: as smooth as possible without losing fast wrists.
MEAN_RATE = 0.5


def check_rate(rate: float) -> float:
    """Raise :class:`~dkd.errors.ConfigError` unless 0 < rate ≤ 1."""
    if not 0 < rate <= 1:
        raise ConfigError(f"expected a rate of more than 0 and at most 1 (the share of the new frame), got {rate}")
    return rate


# --- a DKD with a different rule for its kernels ----------------------------------------------------------------------


class KernelControl(DKD):
    """A DKD (its parts are shared, not copied) that passes on other kernels than those distilled from the last frame.

    ``kernels`` of its outputs are those that it passes on, so that a trace's contributions sum to its heatmaps.

    Args:
        dkd: DKD whose parts are used.
        suffix: suffix of its name.
    """

    def __init__(self, dkd: DKD, suffix: str):
        VideoPoseModel.__init__(self, dkd.config, f"{dkd.name}+{suffix}")
        for name, part in dkd.named_children():
            self.add_module(name, part)
        self.provenance = dkd.provenance
        self.train(dkd.training)

    @abstractmethod
    def hand_on(self, before: Tensor, features: Tensor, heatmaps: Tensor) -> Tensor:
        """Return the kernels that frame t ≥ 1 passes on: see :meth:`dkd.models.dkd.DKD.hand_on`."""

    def forward(self, clip: Tensor, feedback: Feedback | None = None) -> PoseOutput:
        """Process a clip frame by frame in both modes: see :meth:`~dkd.models.base.VideoPoseModel.forward`."""
        return VideoPoseModel.forward(self, clip, feedback)


class FrozenKernel(KernelControl):
    """Match the kernels of the first frame in all later ones, like the template of a Siamese tracker.

    A feedback only has an effect in frame 0, as later maps are not passed on.
    """

    def __init__(self, dkd: DKD):
        super().__init__(dkd, "frozen")

    def hand_on(self, before: Tensor, features: Tensor, heatmaps: Tensor) -> Tensor:
        """Return the first frame's kernels."""
        return before

    def keep_joint_kernels(self, before: tuple[Tensor, Tensor], made: Tensor) -> tuple[Tensor, Tensor]:
        """Return those of the first frame."""
        return before


class RunningAverageKernel(KernelControl):
    """Match K̄_t = (1 − rate) · K̄_{t−1} + rate · K̃_t, with K̄₁ = K̃₁, like the update of a correlation filter.

    K̃_t is distilled from maps that were matched with the average, so errors feed back as in a DKD, only more slowly.

    Args:
        dkd: DKD whose parts are used.
        rate: share of the new kernels, 0 < rate ≤ 1; 1 is the DKD itself.
    """

    def __init__(self, dkd: DKD, rate: float = KERNEL_RATE):
        super().__init__(dkd, "average")
        self.rate = check_rate(rate)

    def hand_on(self, before: Tensor, features: Tensor, heatmaps: Tensor) -> Tensor:
        """Return the average including this frame's kernels."""
        return (1 - self.rate) * before + self.rate * self.distil(features, heatmaps)


class PooledOnly(KernelControl):
    """Leave out the kernels made at the joints: the maps are those that the pooled kernels matched, as in the paper.

    Args:
        dkd: DKD with kernels made at the joints.
    """

    def __init__(self, dkd: DKD):
        super().__init__(dkd, "pooled")

    @property
    def matches_joints(self) -> bool:
        """False."""
        return False

    def hand_on(self, before: Tensor, features: Tensor, heatmaps: Tensor) -> Tensor:
        """Return the kernels distilled from this frame, as a DKD does."""
        return self.distil(features, heatmaps)


class GateOnly(KernelControl):
    """Take the peaks of the gated maps as they are, without :func:`dkd.models.at_joints.settle`.

    Args:
        dkd: DKD with kernels made at the joints.
    """

    def __init__(self, dkd: DKD):
        super().__init__(dkd, "gated")

    def refine(self, heatmaps: Tensor, features: Tensor, state: DKDState) -> Tensor:
        """Return the gated maps; the same maps where the state has no kernels made at the joints."""
        kernels = state.at_joints
        return heatmaps if kernels is None else self.joint_matching.gated(heatmaps, features, *kernels)

    def hand_on(self, before: Tensor, features: Tensor, heatmaps: Tensor) -> Tensor:
        """Return the kernels distilled from this frame, as a DKD does."""
        return self.distil(features, heatmaps)


# --- wrappers of any model--------------------------------------------------------------------------------------------


class Wrapped(VideoPoseModel):
    """A model that wraps another one. It has no kernels and features (C = 0), as its maps do not come from matching.

    Args:
        inner: the wrapped model; its weights are shared, not copied.
        suffix: suffix of its name.
    """

    def __init__(self, inner: VideoPoseModel, suffix: str):
        super().__init__(inner.config, f"{inner.name}+{suffix}")
        self.inner = inner
        self.skeleton = inner.skeleton
        self.provenance = inner.provenance
        self.train(inner.training)

    @property
    def map_size(self) -> int:
        """That of the wrapped model."""
        return self.inner.map_size

    @property
    def stride(self) -> int:
        """That of the wrapped model."""
        return self.config.input_size // self.map_size

    @property
    def device(self) -> torch.device:
        """That of the wrapped model."""
        return self.inner.device

    def trunks(self) -> list[Encoder]:
        """Return those of the wrapped model."""
        return self.inner.trunks()

    def initialise(self, frame: Tensor) -> Tensor:
        """Compute the pose of one frame alone with the wrapped model: (B, 3, N, N) → (B, J, H, W)."""
        return self.inner.initialise(frame)

    def _output(self, heatmaps: Tensor) -> PoseOutput:
        kernels = heatmaps.new_zeros((len(heatmaps), *self.kernel_shape))
        return PoseOutput(heatmaps, kernels, heatmaps.new_zeros((len(heatmaps), 0, *heatmaps.shape[-2:])))


class LookingTwice(Wrapped):
    """A model whose initializer looks at every later frame, too, as where joints are refined: to measure its cost.

    Args:
        model: any model that hands on; its maps and state are unchanged.
    """

    def __init__(self, model: VideoPoseModel):
        super().__init__(model, "refined")

    def start(self, frame: Tensor, feedback: Feedback | None = None) -> tuple[PoseOutput, Any]:
        """Process the first frame with the wrapped model."""
        return self.inner.start(frame, feedback)

    def step(self, frame: Tensor, state: Any, feedback: Feedback | None = None) -> tuple[PoseOutput, Any]:
        """Process the next frame with the wrapped model and its initializer, one after the other."""
        self.inner.initialise(frame)
        return self.inner.step(frame, state, feedback)


class MeanState(NamedTuple):
    """State of a :class:`RunningMean`: the state of the wrapped model, and its last mean (B, J, H, W)."""

    inner: object
    mean: Tensor


class RunningMean(Wrapped):
    """Report H̄_t = (1 − rate) · H̄_{t−1} + rate · H_t of the wrapped model's maps, with H̄₁ = H₁.

    The wrapped model continues with its own H_t and gets the feedback. Maps are averaged cell by cell in the network's
    crop, which follows the person, so only motion within the crop lags.

    Args:
        model: any model.
        rate: share of the new maps, 0 < rate ≤ 1; 1 is the model itself.
    """

    def __init__(self, model: VideoPoseModel, rate: float = MEAN_RATE):
        super().__init__(model, "mean")
        self.rate = check_rate(rate)

    @property
    def hands_on(self) -> bool:
        """That of the wrapped model."""
        return self.inner.hands_on

    def start(self, frame: Tensor, feedback: Feedback | None = None) -> tuple[PoseOutput, MeanState]:
        """Process the first frame with the wrapped model."""
        output, inner = self.inner.start(frame, feedback)
        return self._output(output.heatmaps), MeanState(inner, output.heatmaps)

    def step(self, frame: Tensor, state: MeanState, feedback: Feedback | None = None) -> tuple[PoseOutput, MeanState]:
        """Process the next frame of a stream: see :meth:`~dkd.models.base.VideoPoseModel.start`."""
        output, inner = self.inner.step(frame, state.inner, feedback)
        mean = (1 - self.rate) * state.mean + self.rate * output.heatmaps
        return self._output(mean), MeanState(inner, mean)


class FlowState(NamedTuple):
    """State of a :class:`FlowMoved`.

    Attributes:
        images: B grey (N, N) uint8 images of the last frame.
        source: (B, J, H, W) maps that are being moved.
        offsets: (B, H, W, 2) x, y in cells: a cell of the last frame shows ``source`` at its own position plus this.
        t: index of the last frame.
    """

    images: list[np.ndarray]
    source: Tensor
    offsets: Tensor
    t: int


class FlowMoved(Wrapped):
    """Move the model's pose of frame 1 with dense optical flow (DIS, Kroeger et al. 2016), without a network.

    Flow is computed between consecutive *inputs of the network*, so it includes the motion of the crop. It is backward
    flow, from each pixel to its position in the previous frame, averaged over each cell. Positions are accumulated, not
    maps: maps that are resampled in each of a hundred frames would lose their peaks. Values from outside the crop are
    zero. The maps of a feedback replace the moved maps.

    Args:
        model: any model; only its ``initialise`` is used.
    """

    def __init__(self, model: VideoPoseModel):
        super().__init__(model, "flow")

    def start(self, frame: Tensor, feedback: Feedback | None = None) -> tuple[PoseOutput, FlowState]:
        """Process the first frame with the model's initialiser."""
        self._check(frame, "frame", "(B, 3, N, N)")
        heatmaps = self.initialise(frame)
        offsets = heatmaps.new_zeros((len(heatmaps), *heatmaps.shape[-2:], 2))
        return self._hand_on(_grey(frame), heatmaps, heatmaps, offsets, 0, feedback)

    def step(self, frame: Tensor, state: FlowState, feedback: Feedback | None = None) -> tuple[PoseOutput, FlowState]:
        """Process the next frame of a stream: see :meth:`~dkd.models.base.VideoPoseModel.start`."""
        self._check(frame, "frame", "(B, 3, N, N)")
        images, size = _grey(frame), self.map_size
        back = np.stack([_flow(now, before, size) for now, before in zip(images, state.images, strict=True)])
        moved = torch.from_numpy(back).to(state.offsets)  # (B, H, W, 2) cells
        # The position of this cell in the last frame, plus the offset stored there.
        before = _sample(state.offsets.permute(0, 3, 1, 2), moved, "bilinear", "border").permute(0, 2, 3, 1)
        offsets = moved + before
        heatmaps = _sample(state.source, offsets, "bicubic", "zeros")
        return self._hand_on(images, heatmaps, state.source, offsets, state.t + 1, feedback)

    def _hand_on(
        self,
        images: list[np.ndarray],
        heatmaps: Tensor,
        source: Tensor,
        offsets: Tensor,
        t: int,
        feedback: Feedback | None,
    ) -> tuple[PoseOutput, FlowState]:
        if feedback is not None:
            source, offsets = feedback(heatmaps, t), torch.zeros_like(offsets)
        return self._output(heatmaps), FlowState(images, source, offsets, t)


def _grey(frame: Tensor) -> list[np.ndarray]:
    """Convert (B, 3, N, N) RGB in 0..1 to B grey images (N, N) uint8."""
    pixels = (frame.detach() * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
    return [cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY) for image in pixels]


def _flow(now: np.ndarray, before: np.ndarray, size: int) -> np.ndarray:
    """Compute the offset of each cell of ``now`` to its position in ``before``: (size, size, 2) x, y in cells."""
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = method.calc(now, before, None)  # type: ignore[call-overload]  # its stub forgets that None asks for a new one
    return cv2.resize(flow, (size, size), interpolation=cv2.INTER_AREA) * (size / now.shape[0])


def _sample(maps: Tensor, offsets: Tensor, mode: str, padding: str) -> Tensor:
    """Sample maps (B, C, H, W) at each cell's position plus offsets (B, H, W, 2) in cells.

    ``align_corners=False`` is the pixel-centre rule of ``dkd.pose.crops``: −1..1 spans W complete cells.
    """
    height, width = maps.shape[-2:]
    rows, columns = torch.meshgrid(
        torch.arange(height, device=maps.device), torch.arange(width, device=maps.device), indexing="ij"
    )
    places = torch.stack([columns, rows], -1) + offsets
    grid = (2 * places + 1) / places.new_tensor([width, height]) - 1
    return F.grid_sample(maps, grid, mode=mode, padding_mode=padding, align_corners=False)
