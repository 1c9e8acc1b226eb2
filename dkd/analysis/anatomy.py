"""How one joint's map in one frame came about: every tensor between the picture and the map, and where K̃ is from.

    frame t:    crop → F_t → V·F_t → K̃_{t−1} ⊛ V·F_t → × U[j,c] → Σ_c + bias = H_t[j]
    frame t−1:  (F_{t−1}, H_{t−1}) → conv1 → conv2 → conv3 (+ bias) = K̃_{t−1}

All of it is computed again from the trace's own crops, with the model's own layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from dkd.errors import ConfigError, FrameIndexError
from dkd.models.dkd import DKD, KernelBias, KernelDistillator, match

if TYPE_CHECKING:
    from dkd.tracking.trace import Trace


@dataclass(frozen=True)
class Layer:
    """A layer of the distillator at work.

    Attributes:
        name: ``"conv1"``, ``"conv2"`` or ``"conv3"``.
        does: the layer in words, for instance ``"conv 3×3, norm, ReLU, pool 2×2"``.
        activations: (C, h, w) float32, after all that ``does`` says.
    """

    name: str
    does: str
    activations: np.ndarray


@dataclass(frozen=True)
class Distillation:
    """How the distillator made kernels of one frame.

    Attributes:
        frame: t − 1, the frame that they were made of.
        crop: (N, N, 3) uint8 RGB, what the network saw of it.
        features: (C, H, W) float32 F_{t−1}.
        heatmaps: (J, H, W) float32 H_{t−1} as the trace has them.
        gain: the factor on the heatmaps before they are stacked on the features.
        layers: the convolutions one after the other; the last one's activations are the kernels before the bias.
        bias: (C, S, S) float32, the learned kernel that is added in every frame, or ``None`` in a model without.
        handed_on: whether the next frame was matched with just these kernels; not so in a control that hands on others
            (``dkd-mobilenetv2+frozen``) or where a feedback changed H_{t−1}.
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
        """(C, S, S) what the frame alone gives: conv3's activations."""
        return self.layers[-1].activations

    @property
    def kernels(self) -> np.ndarray:
        """(C, S, S) K̃_{t−1} = distilled + bias."""
        return self.distilled if self.bias is None else self.distilled + self.bias


@dataclass(frozen=True)
class Anatomy:
    """Everything between the picture and one joint's map; arrays are float32 where nothing else is said.

    Attributes:
        frame: t.
        joint: its name.
        crop: (N, N, 3) uint8 RGB, what the network saw.
        features: (C, H, W) F_t ≥ 0.
        projection: (C, C) V, the static 1×1 projection: ``projected[c] = Σ_k projection[c, k] · features[k]``.
        projected: (C, H, W) V · F_t.
        kernels: (C, S, S) K̃_{t−1} as the trace has them: made of frame t − 1.
        matched: (C, H, W) K̃_{t−1} ⊛ V·F_t.
        readout: (C,) U[j], the joint's row of the static read-out.
        contributions: (C, H, W) U[j, c] · matched[c]; their sum over c plus ``bias`` is the map.
        bias: the joint's bias.
        heatmap: (H, W) H_t[j] as the trace has it.
        distillation: how the kernels were made; ``None`` in a model whose kernels are the same in all frames.
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
    distillation: Distillation | None


@torch.inference_mode()
def anatomy(trace: Trace, t: int, joint: str | int) -> Anatomy:
    """Take the map of ``joint`` in frame ``t`` apart; costs two passes of the frame encoder and one distillation.

    Raises:
        ConfigError: the model has no kernels, or there is no such joint.
        FrameIndexError: t is outside the trace, or its maps are the initializer's, not matched: frame 0, and where the
            model was started anew.
    """
    model = trace.model
    if not isinstance(model, DKD):
        raise ConfigError(
            f"expected a DKD, got {trace.model_name}, which matches no kernels: there is no anatomy of its maps; "
            "trace a DKD"
        )
    j = trace.skeleton.index(joint)
    features = trace.features(t)
    if trace.from_initializer(t):
        raise FrameIndexError(
            f"expected a frame whose maps come from matching, got {t}, whose maps are the pose initializer's; "
            f"ask for another one, such as {t + 1}"
        )
    projected = model.projection(_batch(features, model))[0].cpu()
    kernels = np.array(trace.kernels[t - 1])  # a copy: a long trace's lie in a file
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
        distillation=_distillation(trace, model, t - 1, kernels),
    )


def _distillation(trace: Trace, model: DKD, t: int, handed_on: np.ndarray) -> Distillation | None:
    distillator = model.distillator
    if not isinstance(distillator, KernelDistillator):
        return None
    features, heatmaps, gain = trace.features(t), np.array(trace.heatmaps[t]), model.config.heatmap_gain
    seen = torch.cat([_batch(features, model), _batch(heatmaps, model) * gain], 1)
    layers, bias = _run(distillator, seen)
    made = layers[-1].activations if bias is None else layers[-1].activations + bias
    same = np.allclose(made, handed_on, rtol=1e-4, atol=1e-5)
    return Distillation(t, trace.network_pixels(t), features, heatmaps, gain, layers, bias, same)


def _run(distillator: KernelDistillator, seen: Tensor) -> tuple[tuple[Layer, ...], np.ndarray | None]:
    """The distillator's layers one by one, and its bias: a layer is a convolution with what follows up to the next."""
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
