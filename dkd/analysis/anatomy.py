"""Anatomy of one joint's map in one frame: every tensor between the picture and the map, and the origin of K̃.

    frame t:    crop → F_t → V·F_t → K̃_{t−1} ⊛ V·F_t → × U[j,c] → Σ_c + bias = H_t[j]
    frame t−1:  (F_{t−1}, H_{t−1}) → conv1 → conv2 → conv3 (+ bias) = K̃_{t−1}

In a model with kernels made at the joints (:mod:`dkd.models.at_joints`), the sum is the matched map. Those
kernels then refine it to H_t; see :func:`dkd.analysis.joint_matching.joint_matching`.

Everything is recomputed from the trace's crops with the model's layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from dkd.errors import ConfigError, FrameIndexError, checked
from dkd.models.distillators import KernelBias, KernelDistillator
from dkd.models.dkd import DKD, match

if TYPE_CHECKING:
    from dkd.tracking.trace import Trace


@dataclass(frozen=True)
class Layer:
    """Activations of a layer of the distillator.

    Attributes:
        name: ``"conv1"``, ``"conv2"`` or ``"conv3"``.
        does: description of the layer, for instance ``"conv 3×3, norm, ReLU, pool 2×2"``.
        activations: (C, h, w) float32, after everything listed in ``does``.
    """

    name: str
    does: str
    activations: np.ndarray


@dataclass(frozen=True)
class Distillation:
    """Distillation of kernels from one frame.

    Attributes:
        frame: the frame from which they were distilled: t − 1, or t + 1 where the trace goes backwards in time.
        crop: (N, N, 3) uint8 RGB, the network's input in that frame.
        features: (C, H, W) float32 F_{t−1}.
        heatmaps: (J, H, W) float32 H_{t−1} as passed to the distillator: that of the trace, changed by corrections and
            other interventions; in a model with kernels made at the joints, the matched map.
        gain: factor on the heatmaps before they are concatenated with the features.
        layers: the convolutions in order; the activations of the last one are the kernels before the bias.
        bias: (C, S, S) float32, the learned kernel that is added in every frame, or ``None`` in a model without one.
        handed_on: whether the next frame was matched with these kernels; false in a control that passes on others
            (``dkd-mobilenetv2+frozen``), or if a feedback changed H_{t−1}.
    """

    frame: int
    crop: np.ndarray
    features: np.ndarray
    heatmaps: np.ndarray
    gain: float
    layers: tuple[Layer, ...]
    bias: np.ndarray | None
    handed_on: bool

    @property
    def distilled(self) -> np.ndarray:
        """Kernels from the frame alone, (C, S, S): conv3's activations."""
        return self.layers[-1].activations

    @property
    def kernels(self) -> np.ndarray:
        """(C, S, S) K̃_{t−1} = distilled + bias."""
        return self.distilled if self.bias is None else self.distilled + self.bias


@dataclass(frozen=True)
class Anatomy:
    """Everything between the picture and one joint's map; arrays are float32 unless stated otherwise.

    Attributes:
        frame: t.
        joint: name of the joint.
        crop: (N, N, 3) uint8 RGB, the network's input.
        features: (C, H, W) F_t ≥ 0.
        projection: (C, C) V, the static 1×1 projection: ``projected[c] = Σ_k projection[c, k] · features[k]``.
        projected: (C, H, W) V · F_t.
        kernels: (C, S, S) K̃_{t−1} as in the trace, distilled from frame t − 1.
        matched: (C, H, W) K̃_{t−1} ⊛ V·F_t.
        readout: (C,) U[j], the joint's row of the static read-out.
        contributions: (C, H, W) U[j, c] · matched[c]; their sum over c plus ``bias`` is the matched map,
            which is ``heatmap`` unless ``is_refined``.
        bias: bias of the joint.
        heatmap: (H, W) H_t[j] as in the trace.
        is_refined: whether kernels made at the joints changed the matched map into ``heatmap``.
        distillation: how the kernels were distilled; ``None`` in a model whose kernels are the same in all frames.
    """

    frame: int
    joint: str
    crop: np.ndarray
    features: np.ndarray
    projection: np.ndarray
    projected: np.ndarray
    kernels: np.ndarray
    matched: np.ndarray
    readout: np.ndarray
    contributions: np.ndarray
    bias: float
    heatmap: np.ndarray
    is_refined: bool
    distillation: Distillation | None


@checked
@torch.inference_mode()
def anatomy(trace: Trace, t: int, joint: str | int) -> Anatomy:
    """Compute all steps to the map of ``joint`` in frame ``t``; costs two passes of the frame encoder and a
    distillation, and one more pass in a model with kernels made at the joints.

    Raises:
        ConfigError: the model has no kernels, or there is no such joint.
        FrameIndexError: ``t`` is outside the trace, or its maps come from the initializer, not from matching: frame 0
            and frames with a re-initialisation.
    """
    model = trace.model
    if not isinstance(model, DKD):
        raise ConfigError(
            f"expected a DKD, got {trace.model_name}, which has no kernels: there is no anatomy of its maps; "
            "trace a DKD"
        )
    j = trace.skeleton.index(joint)
    features = trace.features(t)
    before = trace.previous(t)
    if before is None:
        raise FrameIndexError(
            f"expected a frame whose maps come from matching, got {t}, whose maps are the pose initializer's; "
            f"choose another one, such as {t + 1}"
        )
    projected = model.projection(_batch(features, model))[0].cpu()
    kernels = np.array(trace.kernels[before])  # a copy: those of a long trace are in a file
    matched = match(projected[None], torch.from_numpy(kernels)[None])[0].numpy()
    readout = trace.readout[j]
    return Anatomy(
        frame=t,
        joint=trace.skeleton.joints[j],
        crop=trace.network_pixels(t),
        features=features,
        projection=model.projection.weight.cpu().numpy()[:, :, 0, 0],
        projected=projected.numpy(),
        kernels=kernels,
        matched=matched,
        readout=readout,
        contributions=readout[:, None, None] * matched,
        bias=float(trace.bias[j]),
        heatmap=np.array(trace.heatmaps[t, j]),
        is_refined=model.matches_joints,
        distillation=_distillation(trace, model, before, kernels),
    )


def _distillation(trace: Trace, model: DKD, t: int, handed_on: np.ndarray) -> Distillation | None:
    distillator = model.distillator
    if not isinstance(distillator, KernelDistillator):
        return None
    features, heatmaps, gain = trace.features(t), trace.distilled_from(t), model.config.heatmap_gain
    seen = torch.cat([_batch(features, model), _batch(heatmaps, model) * gain], 1)
    layers, bias = _run(distillator, seen)
    made = layers[-1].activations if bias is None else layers[-1].activations + bias
    same = np.allclose(made, handed_on, rtol=1e-4, atol=1e-5)
    return Distillation(t, trace.network_pixels(t), features, heatmaps, gain, layers, bias, same)


def _run(distillator: KernelDistillator, seen: Tensor) -> tuple[tuple[Layer, ...], np.ndarray | None]:
    """Run the distillator layer by layer; return layers (a convolution and what follows it) and the bias."""
    stages: list[list[nn.Module]] = []
    bias = None
    for module in distillator:
        if isinstance(module, KernelBias):
            bias = module.kernel.cpu().numpy()
        elif isinstance(module, nn.Conv2d):
            stages.append([module])
        else:
            stages[-1].append(module)
    layers, x = [], seen
    for i, stage in enumerate(stages, 1):
        for module in stage:
            x = module(x)
        layers.append(Layer(f"conv{i}", ", ".join(map(_does, stage)), x[0].cpu().numpy()))
    return tuple(layers), bias


def _does(module: nn.Module) -> str:
    if isinstance(module, nn.Conv2d):
        return f"conv {module.kernel_size[0]}×{module.kernel_size[1]}"
    if isinstance(module, nn.MaxPool2d):
        return f"pool {module.kernel_size}×{module.kernel_size}"
    if isinstance(module, nn.AdaptiveMaxPool2d):
        return f"pool to {module.output_size}×{module.output_size}"
    return {"BatchNorm2d": "norm"}.get(type(module).__name__, type(module).__name__)


def _batch(array: np.ndarray, model: DKD) -> Tensor:
    return torch.from_numpy(array).to(model.device)[None]
