"""Dynamic Kernel Distillation (Nie et al., ICCV 2019): find the joints of frame t+1 with kernels distilled from frame
t.

    frame 1:    H₁ = initializer(I₁)
    every t:    F_t = encoder(I_t)                      features
                K̃_t = distillator(concat(F_t, H_t))     one S×S kernel for each channel
                H_{t+1} = U · (K̃_t ⊛ (V · F_{t+1}))     the matching step

Letters: B clips, T frames, J joints, C channels (256), S kernel side (7), H×W map size (32×32), N input side (256).
⊛ is the convolution of deep learning (cross-correlation), depthwise, with zero padding.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Annotated, Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from pydantic import BeforeValidator
from torch import Tensor, nn

from dkd.errors import ConfigError, ShapeError
from dkd.io.config import check_ranges
from dkd.models.at_joints import JointMatching
from dkd.models.backbones import Encoder, build_encoder
from dkd.models.base import (
    Feedback,
    PoseInitializer,
    PoseOutput,
    VideoPoseModel,
    check_input_size,
    check_whole,
    stack_frames,
)
from dkd.models.distillators import LAST_NORM, KernelDistillator, StaticKernel
from dkd.models.simple_baseline import SimpleBaseline, SimpleBaselineConfig
from dkd.pose.skeleton import get_skeleton

Distillation = Literal["pooled", "at_joints", "both", "static"]
_QUIET, _FAINT = 0.02, 0.003  # initial scales of DKD.start_as_baseline
_SIDES = range(3, 12, 2)  # of kernels; odd, so that a kernel has a centre


def _todays_name(distillation: object) -> object:
    """Name of a form of distillation: ``"pooled"`` was ``"distilled"`` when it was the only one."""
    return "pooled" if distillation == "distilled" else distillation


@dataclass(frozen=True)
class DKDConfig:
    """Settings needed to build a DKD.

    Attributes:
        encoder: frame encoder, one of ``dkd.models.backbones.ENCODERS``; runs on every frame.
        initializer: encoder of the pose initializer; runs on frame 1 only, and may be deeper.
        skeleton: name of the skeleton.
        channels: number of channels C of features and kernels (256 in the paper).
        input_size: side N of the square input in pixels. The distillator's pooling gives S = 7 for N = 256 only.
        heatmap_gain: factor on H_t before it is concatenated with F_t. 1 in the paper's figure; larger for our small
            model: 13 sparse maps of height ≤ 1 have little weight compared with 128 dense feature channels initially.
        kernel_side: side S. ``None``: the paper's layers, whose S follows from ``input_size`` (7 for 256 px). An odd
            number 3..11: the second pooling becomes an adaptive one to S×S (ours), so that S is independent of the
            input size.
        distillation: ``"pooled"``, as in the paper (``"distilled"`` in older checkpoints); or one of ours, for
            comparison. ``"static"``: one learned kernel per channel, the same for all clips and frames. V, U and their
            cost stay the same, but there is no distillator, and frames are independent. ``"at_joints"``: the maps of
            ``"static"``, refined by kernels made at the joints of earlier frames (:mod:`dkd.models.at_joints`).
            ``"both"``: those of ``"pooled"``, refined in the same way.
        kernel_bias: the distillator adds a learned kernel, the same for all frames, to the distilled one (ours). With
            it a DKD can start as the per-frame baseline of its encoder: see :meth:`DKD.start_as_baseline`.
    """

    encoder: str = "resnet50"
    initializer: str = "resnet101"
    skeleton: str = "penn_action"
    channels: int = 256
    input_size: int = 256
    heatmap_gain: float = 1.0
    kernel_side: int | None = None
    distillation: Annotated[Distillation, BeforeValidator(_todays_name)] = "pooled"
    kernel_bias: bool = False

    def __post_init__(self) -> None:
        check_input_size(self.input_size)
        check_whole("channels", self.channels)
        check_ranges(self, heatmap_gain=(1e-6, 1e6))
        get_skeleton(self.skeleton)
        side = self.kernel_side
        if side is not None and (type(side) is not int or side not in _SIDES):
            sides = f"an odd number from {_SIDES[0]} to {_SIDES[-1]}, or None for the paper's layers"
            raise ConfigError(f"expected kernel_side, {sides}, got {side!r}")
        object.__setattr__(self, "distillation", _todays_name(self.distillation))
        if self.distillation not in get_args(Distillation):
            known = ", ".join(get_args(Distillation))
            raise ConfigError(f"expected distillation to be one of {known}, got {self.distillation!r}")


class DKDState(NamedTuple):
    """State that a stream carries from one frame to the next.

    Attributes:
        kernels: (B, C, S, S) kernels distilled from the last frame.
        t: index of that frame in its stream.
        at_joints: fast and slow kernels made at the joints, (B, J, E, S, S) each; ``None`` in a model without them.
    """

    kernels: Tensor
    t: int
    at_joints: tuple[Tensor, Tensor] | None = None


def match(projected: Tensor, kernels: Tensor) -> Tensor:
    """Match each channel of each sample with its own kernel, the dynamic part of the matching step.

        out[b, c, y, x] = Σ_{i,j} kernels[b, c, i, j] · projected[b, c, y + i − S//2, x + j − S//2]

    Args:
        projected: (B, C, H, W) V · F of the frame to search.
        kernels: (B, C, S, S) distilled from the previous frame; S is odd.

    Returns:
        (B, C, H, W) matched channels; values outside the map count as zero.
    """
    if kernels.shape[:2] != projected.shape[:2]:
        raise ShapeError(f"expected kernels for (B, C) = {tuple(projected.shape[:2])}, got {tuple(kernels.shape[:2])}")
    batch, channels, height, width = projected.shape
    side = kernels.shape[-1]
    # One convolution with B·C groups equals B·C separate ones.
    out = F.conv2d(
        projected.reshape(1, batch * channels, height, width),
        kernels.reshape(batch * channels, 1, side, side),
        padding=side // 2,
        groups=batch * channels,
    )
    return out.view(batch, channels, height, width)


class DKD(VideoPoseModel):
    """The complete model. Frames are RGB in 0..1; ImageNet normalisation is part of the model.

    Args:
        config: see :class:`DKDConfig`. Weights are random; see ``dkd.load_model`` for trained ones.
    """

    config: DKDConfig

    def __init__(self, config: DKDConfig):
        super().__init__(config, f"dkd-{config.encoder}")
        n_joints, channels = len(self.skeleton), config.channels
        self.initializer = PoseInitializer(build_encoder(config.initializer, channels), channels, n_joints)
        self.encoder = build_encoder(config.encoder, channels)
        side = self.kernel_shape[1]
        self.distillator: KernelDistillator | StaticKernel = (
            KernelDistillator(channels, n_joints, side, config.kernel_side is not None, config.kernel_bias)
            if self.distils
            else StaticKernel(channels, side)
        )
        self.projection = nn.Conv2d(channels, channels, 1, bias=False)  # V
        self.readout = nn.Conv2d(channels, n_joints, 1)  # U
        nn.init.zeros_(self.readout.bias)  # type: ignore[arg-type]
        if self.matches_joints:
            self.joint_matching = JointMatching(channels, self.skeleton.flip_permutation)

    @property
    def kernel_shape(self) -> tuple[int, int, int]:
        """Shape (C, S, S); the paper's layers give S = 7 for 32×32 maps, 5 for 24×24, 3 for 16×16."""
        side = self.config.kernel_side or ((self.map_size - 2) // 2) // 2
        return self.config.channels, side, side

    @property
    def has_kernels(self) -> bool:
        """True: maps come from matching kernels."""
        return True

    @property
    def distils(self) -> bool:
        """Whether the kernels K̃ are distilled from frames; if not, they are the same in all frames."""
        return self.config.distillation in ("pooled", "both")

    @property
    def matches_joints(self) -> bool:
        """Whether there are kernels made at the joints, which refine the maps (``joint_matching``)."""
        return self.config.distillation in ("at_joints", "both")

    @property
    def hands_on(self) -> bool:
        """Whether a frame's maps are passed on, through kernels that are made with them."""
        return self.config.distillation != "static"

    def trunks(self) -> list[Encoder]:
        """Return the frame encoder and the initializer's encoder."""
        return [self.encoder, self.initializer.encoder]

    def initializer_alone(self) -> SimpleBaseline:
        """Return the pose initializer as a per-frame model that shares its weights."""
        config = SimpleBaselineConfig(
            self.config.initializer, self.config.skeleton, self.config.channels, self.config.input_size
        )
        return SimpleBaseline(config, self.initializer)

    def start_encoder_from_initializer(self) -> bool:
        """Copy the initializer's weights to the frame encoder if they are the same network; return whether they are."""
        if self.config.encoder != self.config.initializer:
            return False
        self.encoder.load_state_dict(self.initializer.encoder.state_dict())
        return True

    @torch.no_grad()
    def start_as_baseline(self, net: PoseInitializer) -> None:
        """Initialise matching as the classifier of a per-frame network with the same features.

        Channel j of V · F is then joint j's map, its kernel copies it (1 in the centre, and little from the
        distillator), and U passes it through. All other channels start as usual, with a weak read-out: their
        contributions are those of the past. Ours: from random weights, matching with a strong encoder first collapses
        (all maps zero), and needs hundreds of steps to recover.

        Args:
            net: network with the same encoder, C and J; its classifier is copied, its encoder is not.

        Raises:
            ConfigError: the kernels have no bias (``kernel_bias``), or there are fewer channels than joints.
        """
        n_joints, channels = len(self.skeleton), self.config.channels
        if channels < n_joints or not (self.config.kernel_bias or not self.distils):
            raise ConfigError(
                f"expected a DKD with kernel_bias and at least {n_joints} channels to start as its per-frame baseline, "
                f"got kernel_bias={self.config.kernel_bias} and {channels} channels"
            )
        self.projection.weight[:n_joints] = net.classifier.weight
        self.readout.weight.normal_(std=_FAINT)
        self.readout.weight[:, :n_joints] = torch.eye(n_joints)[:, :, None, None]
        self.readout.bias.copy_(net.classifier.bias)  # type: ignore[union-attr,arg-type]
        if isinstance(self.distillator, StaticKernel):
            kernel = self.distillator.kernel
        else:
            self.distillator[LAST_NORM].weight[:n_joints] = _QUIET  # type: ignore[operator]
            kernel = self.distillator[-1].kernel  # type: ignore[assignment]
        middle = kernel.shape[-1] // 2
        kernel[:n_joints] = 0
        kernel[:n_joints, middle, middle] = 1

    @property
    def kernel_bias(self) -> nn.Parameter:
        """Bias (C, S, S) that the distillator adds to every frame's kernels.

        Raises:
            ConfigError: there is no bias (``kernel_bias``).
        """
        if not (self.distils and self.config.kernel_bias):
            raise ConfigError(f"expected a DKD whose config has kernel_bias, got {self.config}")
        return self.distillator[-1].kernel  # type: ignore[index,return-value]

    def without_kernel_bias(self) -> DKD:
        """Return a copy in the paper's form, whose kernels come only from frames.

        Raises:
            ConfigError: there is no bias to remove, or it is not all zeros.
        """
        if self.kernel_bias.count_nonzero():
            raise ConfigError("expected a kernel bias of zeros, got one that changes kernels; let it fade in training")
        bare = copy.deepcopy(self)
        bare.config = replace(self.config, kernel_bias=False)
        del bare.distillator[-1]  # type: ignore[operator]
        return bare

    # --- steps -------------------------------------------------------------------------------------------------------

    def initialise(self, frame: Tensor) -> Tensor:
        """H₁: (B, 3, N, N) → (B, J, H, W)."""
        return self.initializer(self.normalise(frame))

    def encode(self, frame: Tensor) -> Tensor:
        """F_t: (B, 3, N, N) → (B, C, H, W)."""
        return self.encoder(self.normalise(frame))

    def distil(self, features: Tensor, heatmaps: Tensor) -> Tensor:
        """Distil K̃_t from features (B, C, H, W) and heatmaps (B, J, H, W) of the same frame → (B, C, S, S)."""
        if not self.distils:
            return self.distillator(features)
        return self.distillator(torch.cat([features, heatmaps * self.config.heatmap_gain], 1))

    def hand_on(self, before: Tensor, features: Tensor, heatmaps: Tensor) -> Tensor:
        """Return the kernels that frame t ≥ 1 passes on: here K̃_t, distilled only from frame t.

        Args:
            before: (B, C, S, S) kernels that were matched in frame t.
            features, heatmaps: features and maps of frame t; H_t after the feedback.
        """
        return self.distil(features, heatmaps)

    def locate(self, features: Tensor, kernels: Tensor) -> Tensor:
        """H_{t+1} = U · (K̃_t ⊛ (V · F_{t+1})): (B, C, H, W) features, (B, C, S, S) kernels → (B, J, H, W).

        These are the maps before :meth:`refine`.
        """
        return self.readout(match(self.projection(features), kernels))

    def see(self, frame: Tensor, kernels: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (B, 3, N, N), match kernels (B, C, S, S) in it → F_{t+1} (B, C, H, W), H_{t+1} (B, J, H, W)."""
        features = self.encode(frame)
        return features, self.locate(features, kernels)

    def refine(self, heatmaps: Tensor, features: Tensor, state: DKDState) -> Tensor:
        """Refine matched maps by the kernels made at the joints; the same maps in a model without them."""
        if state.at_joints is None:
            return heatmaps
        return self.joint_matching(heatmaps, features, *state.at_joints)

    def cut(self, features: Tensor, heatmaps: Tensor) -> Tensor:
        """Make the joint kernels of a frame: features (B, C, H, W), maps (B, J, H, W) → (B, J, E, S, S)."""
        return self.joint_matching.kernels(features, heatmaps)

    # --- frame by frame ----------------------------------------------------------------------------------------------

    def start(self, frame: Tensor, feedback: Feedback | None = None) -> tuple[PoseOutput, DKDState]:
        """Process the first frame of a stream: see :meth:`~dkd.models.base.VideoPoseModel.start`."""
        self._check(frame, "frame", "(B, 3, N, N)")
        return self._remember(self.encode(frame), self.initialise(frame), None, feedback)

    def step(self, frame: Tensor, state: DKDState, feedback: Feedback | None = None) -> tuple[PoseOutput, DKDState]:
        """Process the next frame of a stream: see :meth:`~dkd.models.base.VideoPoseModel.start`."""
        self._check(frame, "frame", "(B, 3, N, N)")
        features, matched = self.see(frame, state.kernels)
        return self._remember(features, matched, state, feedback)

    def step_again(
        self, features: Tensor, state: DKDState, feedback: Feedback | None = None
    ) -> tuple[PoseOutput, DKDState]:
        """Process the next frame as :meth:`step` does, if its features F_t (B, C, H, W) are known."""
        return self._remember(features, self.locate(features, state.kernels), state, feedback)

    def state_after(self, t: int, kernels: Tensor) -> DKDState | None:
        """Return the state of a stream after frame t: its kernels; ``None`` if it has others, made at the joints."""
        return None if self.matches_joints else DKDState(kernels, t)

    def keep_joint_kernels(self, before: tuple[Tensor, Tensor], made: Tensor) -> tuple[Tensor, Tensor]:
        """Return the fast and slow joint kernels that frame t ≥ 1 passes on.

        Args:
            before: those that were matched in frame t.
            made: (B, J, E, S, S) those made in frame t.
        """
        return self.joint_matching.remember(before, made)

    def _remember(
        self, features: Tensor, matched: Tensor, before: DKDState | None, feedback: Feedback | None
    ) -> tuple[PoseOutput, DKDState]:
        """Refine the maps of a frame, and make the kernels that it passes on; ``before`` is the state that it got.

        K̃ is distilled from the maps as they were matched, the joint kernels from the refined ones. (Ours: a distillator
        that gets maps refined in a way that it was not trained with loses the person.) What a feedback changes, it
        changes for both.
        """
        t = 0 if before is None else before.t + 1
        heatmaps = matched if before is None else self.refine(matched, features, before)
        handed_on = feedback(heatmaps, t) if feedback is not None and self.hands_on else heatmaps
        pooled = handed_on if heatmaps is matched else torch.where(handed_on == heatmaps, matched, handed_on)
        kernels = self.distil(features, pooled) if before is None else self.hand_on(before.kernels, features, pooled)
        at_joints = None
        if self.matches_joints:
            made = self.cut(features, handed_on)
            known = None if before is None else before.at_joints
            at_joints = (made, made) if known is None else self.keep_joint_kernels(known, made)
        return PoseOutput(heatmaps, kernels, features), DKDState(kernels, t, at_joints)

    def forward(self, clip: Tensor, feedback: Feedback | None = None) -> PoseOutput:
        """Process a clip, recursively from its first frame: see :meth:`~dkd.models.base.VideoPoseModel.forward`.

        In eval mode the frames go through :meth:`start` and :meth:`step` one by one, with bit-identical results; in
        train mode all frames are encoded in one batch, which is faster.
        """
        if not self.training:
            return super().forward(clip, feedback)
        self._check(clip, "clip", "(B, T, 3, N, N)")
        # Time first: a frame's features are then contiguous, and no step has to copy them.
        encoded = self.encode(clip.transpose(0, 1).flatten(0, 1)).split(len(clip))
        output, state = self._remember(encoded[0], self.initialise(clip[:, 0]), None, feedback)
        outputs = [output]
        for features in encoded[1:]:
            output, state = self._remember(features, self.locate(features, state.kernels), state, feedback)
            outputs.append(output)
        return stack_frames(outputs)
