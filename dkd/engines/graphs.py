"""Graphs of a model: its network in parts that can be exported, cut where an intervention may act.

    see         (frame, K̃_{t−1}) → (F_t, H_t)                  a DKD: encoder and matching
    locate      (F_t, K̃_{t−1}) → H_t                           a DKD: matching in features that are known
    distil      (F_t, H_t handed on) → K̃_t                     a DKD: distillator
    refine      (H_t, F_t, joint kernels) → H_t                a DKD with kernels made at the joints: gate
    cut         (F_t, H_t handed on) → kernels of this frame    the same: kernels made at the joints
    initialise  frame → H_1                                     a DKD: pose initializer
    look        frame → (F_t, H_t)                              a per-frame model
    begin       frame, normalised → H_0                         an LSTM pose machine: maps from pixels alone
    encode      frame → F_t                                     the same: features
    remember    (F_t, H_{t−1}, h_{t−1}, c_{t−1}) → (H_t, h_t, c_t)       the same: memory and read-out

What is handed on from frame to frame is an input and an output: every feedback and every intervention works as in
PyTorch. All shapes are static, with a batch of one, as an exported matching step cannot have a number of groups that
depends on the batch.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dkd.errors import ConfigError
from dkd.models.base import VideoPoseModel
from dkd.models.cpm import CPM
from dkd.models.distillators import KernelDistillator
from dkd.models.dkd import DKD
from dkd.models.lstm_pose_machine import LSTMPoseMachine, LSTMPoseMachineState
from dkd.models.simple_baseline import SimpleBaseline

PER_FRAME = (SimpleBaseline, CPM)


class Graph(NamedTuple):
    """One graph: its module, examples of its inputs, and the names of both ends.

    Attributes:
        module: returns the outputs for the inputs.
        examples: one tensor per input.
        inputs, outputs: their names.
    """

    module: nn.Module
    examples: tuple[Tensor, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class SlicedMaxPool(nn.Module):
    """Adaptive max pooling as maxima over slices: the adaptive layer cannot be exported where windows overlap.

    Args:
        side: side of the output.
        size: side of the input.
    """

    def __init__(self, side: int, size: int):
        super().__init__()
        # The windows of nn.AdaptiveMaxPool2d: from the floor of the start to the ceiling of the end.
        self.windows = [(i * size // side, -(-(i + 1) * size // side)) for i in range(side)]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, size, size) → (B, C, side, side), the same values as the adaptive layer."""
        rows = torch.cat([x[:, :, a:b].amax(2, keepdim=True) for a, b in self.windows], 2)
        return torch.cat([rows[..., a:b].amax(3, keepdim=True) for a, b in self.windows], 3)


class Calls(nn.Module):
    """A module that calls a function; ``owner`` holds the weights that the function uses."""

    def __init__(self, owner: nn.Module, call: Callable[..., Any]):
        super().__init__()
        self.owner = owner
        self._call = call

    def forward(self, *inputs: Tensor) -> Any:
        return self._call(*inputs)


def check_graphs(model: VideoPoseModel) -> None:
    """Raise ConfigError unless this kind of model has graphs."""
    # Exact types: a control or a model in another engine is a subclass with other steps.
    known = type(model) in (*PER_FRAME, LSTMPoseMachine) or (
        type(model) is DKD and type(model.distillator) is KernelDistillator
    )
    if not known:
        raise ConfigError(
            f"expected a DKD that distils its kernels, a per-frame model or an LSTM pose machine for an engine, got "
            f"{model.name} of type {type(model).__name__}: it runs in PyTorch (engine='torch')"
        )


def graph_names(model: VideoPoseModel) -> tuple[str, ...]:
    """Return the names of a model's graphs.

    Raises:
        ConfigError: this kind of model has none.
    """
    check_graphs(model)
    if isinstance(model, DKD):
        return ("initialise", "see", "locate", "distil") + (("refine", "cut") if model.matches_joints else ())
    return ("begin", "encode", "remember") if isinstance(model, LSTMPoseMachine) else ("look",)


def graphs_of(model: VideoPoseModel) -> dict[str, Graph]:
    """Return a model's graphs by name.

    Raises:
        ConfigError: this kind of model has none: it runs in PyTorch.
    """
    check_graphs(model)
    size = model.config.input_size
    frame = torch.zeros(1, 3, size, size)
    if isinstance(model, DKD):
        return _of_dkd(model, frame)
    if isinstance(model, LSTMPoseMachine):
        return _of_lstm(model, frame)

    def look(frame: Tensor) -> tuple[Tensor, Tensor]:
        output = model.look(frame)  # type: ignore[operator]
        return output.features, output.heatmaps

    return {"look": Graph(Calls(model, look), (frame,), ("frame",), ("features", "heatmaps"))}


def _of_dkd(model: DKD, frame: Tensor) -> dict[str, Graph]:
    side, channels = model.map_size, model.config.channels
    kernels = torch.zeros(1, *model.kernel_shape)
    features, heatmaps = torch.zeros(1, channels, side, side), torch.zeros(1, len(model.skeleton), side, side)
    graphs = {
        "initialise": Graph(Calls(model, model.initialise), (frame,), ("frame",), ("heatmaps",)),
        "see": Graph(Calls(model, seeing(model)), (frame, kernels), ("frame", "kernels"), ("features", "heatmaps")),
        "locate": Graph(Calls(model, locating(model)), (features, kernels), ("features", "kernels"), ("heatmaps",)),
        "distil": Graph(distilling(model), (features, heatmaps), ("features", "heatmaps"), ("kernels",)),
    }
    if model.matches_joints:
        matching = model.joint_matching
        fast = matching.kernels(features, heatmaps)
        graphs["refine"] = Graph(
            matching, (heatmaps, features, fast, fast.clone()), ("maps", "features", "fast", "slow"), ("heatmaps",)
        )
        graphs["cut"] = Graph(
            Calls(matching, matching.kernels), (features, heatmaps), ("features", "heatmaps"), ("kernels",)
        )
    return graphs


def _of_lstm(model: LSTMPoseMachine, frame: Tensor) -> dict[str, Graph]:
    config, side = model.config, model.map_size
    features, maps, hidden = (torch.zeros(1, n, side, side) for n in (config.features, config.n_maps, config.hidden))

    def remember(features: Tensor, maps: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return model.remember(features, LSTMPoseMachineState(hidden, cell, maps, 0))

    return {
        "begin": Graph(Calls(model, model.begin), (frame,), ("image",), ("maps",)),
        "encode": Graph(Calls(model, model.encode), (frame,), ("frame",), ("features",)),
        "remember": Graph(
            Calls(model, remember), (features, maps, hidden, hidden.clone()), ("features", "maps", "hidden", "cell"),
            ("next_maps", "next_hidden", "next_cell"),
        ),
    }  # fmt: skip


def seeing(model: DKD) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return :meth:`~dkd.models.dkd.DKD.see` of a batch of one, with shapes that are known to the exporter."""
    locate = locating(model)

    def see(frame: Tensor, kernels: Tensor) -> tuple[Tensor, Tensor]:
        features = model.encode(frame)
        return features, locate(features, kernels)

    return see


def locating(model: DKD) -> Callable[[Tensor, Tensor], Tensor]:
    """Return :meth:`~dkd.models.dkd.DKD.locate` of a batch of one, with shapes that are known to the exporter."""
    channels, side, _ = model.kernel_shape

    def locate(features: Tensor, kernels: Tensor) -> Tensor:
        weights = kernels.reshape(channels, 1, side, side)
        matched = F.conv2d(model.projection(features), weights, padding=side // 2, groups=channels)
        return model.readout(matched)

    return locate


def distilling(model: DKD) -> nn.Module:
    """Return a module (F_t, H_t) → K̃_t of a DKD, in layers that can be exported."""
    distillator = copy.deepcopy(model.distillator)
    assert isinstance(distillator, KernelDistillator)
    pooled = (model.map_size - 2) // 2  # after the first convolution and pooling
    for i, layer in enumerate(distillator):
        if isinstance(layer, nn.AdaptiveMaxPool2d):
            distillator[i] = SlicedMaxPool(int(layer.output_size), pooled)  # type: ignore[arg-type]
    gain = model.config.heatmap_gain

    def distil(features: Tensor, heatmaps: Tensor) -> Tensor:
        return distillator(torch.cat([features, heatmaps * gain], 1))

    return Calls(distillator, distil)
