"""Models whose network runs in an engine. They behave as the model they are made of, whose weights they share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dkd.engines.runtimes import Runtime
from dkd.errors import ConfigError
from dkd.models.base import PerFrameModel, PoseOutput, VideoPoseModel
from dkd.models.cpm import CPM
from dkd.models.dkd import DKD, DKDState
from dkd.models.lstm_pose_machine import LSTMPoseMachine, LSTMPoseMachineState
from dkd.models.simple_baseline import SimpleBaseline


class Accelerated(VideoPoseModel):
    """Mixin: a model whose network runs in an engine, for one frame at a time; larger batches are run one by one.

    It is read-only: for training, use the model itself.

    Attributes:
        engine: name of the engine.
        precision: number format in which it computes.
        eager: the model it was made of.
    """

    engine: str
    precision: str
    eager: VideoPoseModel
    _graphs: Mapping[str, Runtime]

    def _take(self, model: VideoPoseModel, engine: str, graphs: Mapping[str, Runtime]) -> None:
        VideoPoseModel.__init__(self, model.config, model.name)
        for name, part in model.named_children():
            self.add_module(name, part)
        for name, buffer in model.named_buffers(recurse=False):
            self.register_buffer(name, buffer, persistent=False)
        self.skeleton, self.provenance = model.skeleton, model.provenance
        self.engine, self._graphs = engine, graphs
        self.precision = next(iter(graphs.values())).precision
        # Not as a part: its weights are this model's already.
        object.__setattr__(self, "eager", model)
        super().train(False)

    def train(self, mode: bool = True) -> Any:
        """Stay in eval mode.

        Raises:
            ConfigError: train mode is asked for.
        """
        if mode:
            raise ConfigError(
                f"expected eval mode, as {self.name} runs in {self.engine}; train the model without engine"
            )
        return super().train(False)

    def run_graph(self, name: str, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Run one graph on a batch: tensors (B, …) in, tensors (B, …) out."""
        arrays = [np.ascontiguousarray(one.detach().numpy(), np.float32) for one in inputs]
        graph = self._graphs[name]
        if len(inputs[0]) == 1:
            return tuple(torch.from_numpy(out) for out in graph(*arrays))
        each = [graph(*(one[b : b + 1] for one in arrays)) for b in range(len(inputs[0]))]
        return tuple(torch.from_numpy(np.concatenate(out)) for out in zip(*each, strict=True))


class AcceleratedDKD(Accelerated, DKD):
    """A DKD that runs in an engine.

    Args:
        model: the model.
        engine: name of the engine.
        graphs: its graphs, see :mod:`dkd.engines.graphs`.
    """

    def __init__(self, model: DKD, engine: str, graphs: Mapping[str, Runtime]):
        self._take(model, engine, graphs)

    def initialise(self, frame: Tensor) -> Tensor:
        """H₁: (B, 3, N, N) → (B, J, H, W)."""
        return self.run_graph("initialise", frame)[0]

    def see(self, frame: Tensor, kernels: Tensor) -> tuple[Tensor, Tensor]:
        """Encode a frame and match kernels in it: see :meth:`dkd.models.dkd.DKD.see`."""
        features, heatmaps = self.run_graph("see", frame, kernels)
        return features, heatmaps

    def locate(self, features: Tensor, kernels: Tensor) -> Tensor:
        """Match kernels in known features: see :meth:`dkd.models.dkd.DKD.locate`."""
        return self.run_graph("locate", features, kernels)[0]

    def encode(self, frame: Tensor) -> Tensor:
        """F_t: (B, 3, N, N) → (B, C, H, W), the same bits as those of :meth:`see`."""
        return self.see(frame, frame.new_zeros((len(frame), *self.kernel_shape)))[0]

    def distil(self, features: Tensor, heatmaps: Tensor) -> Tensor:
        """Distil K̃_t from features (B, C, H, W) and heatmaps (B, J, H, W) of the same frame → (B, C, S, S)."""
        return self.run_graph("distil", features, heatmaps)[0]

    def refine(self, heatmaps: Tensor, features: Tensor, state: DKDState) -> Tensor:
        """Refine matched maps by the kernels made at the joints: see :meth:`dkd.models.dkd.DKD.refine`."""
        return (
            heatmaps if state.at_joints is None else self.run_graph("refine", heatmaps, features, *state.at_joints)[0]
        )

    def cut(self, features: Tensor, heatmaps: Tensor) -> Tensor:
        """Make the joint kernels of a frame: see :meth:`dkd.models.dkd.DKD.cut`."""
        return self.run_graph("cut", features, heatmaps)[0]


class AcceleratedFrames(Accelerated, PerFrameModel):
    """Mixin: a per-frame model that runs in an engine; arguments as for :class:`AcceleratedDKD`."""

    def __init__(self, model: VideoPoseModel, engine: str, graphs: Mapping[str, Runtime]):
        self._take(model, engine, graphs)

    def initialise(self, frame: Tensor) -> Tensor:
        """Compute the pose of one frame: (B, 3, N, N) → (B, J, H, W)."""
        return self.run_graph("look", frame)[1]

    def look(self, frame: Tensor) -> PoseOutput:
        """Process one frame: (B, 3, N, N) → maps, empty kernels, features."""
        features, heatmaps = self.run_graph("look", frame)
        return PoseOutput(heatmaps, features.new_zeros((len(frame), *self.kernel_shape)), features)


class AcceleratedBaseline(AcceleratedFrames, SimpleBaseline):
    """A Simple Baseline that runs in an engine."""


class AcceleratedCPM(AcceleratedFrames, CPM):
    """A Convolutional Pose Machine that runs in an engine."""


class AcceleratedLSTM(Accelerated, LSTMPoseMachine):
    """An LSTM Pose Machine that runs in an engine; arguments as for :class:`AcceleratedDKD`."""

    def __init__(self, model: LSTMPoseMachine, engine: str, graphs: Mapping[str, Runtime]):
        self._take(model, engine, graphs)

    def encode(self, frame: Tensor) -> Tensor:
        """F_t: (B, 3, N, N) → (B, features, H, W)."""
        return self.run_graph("encode", frame)[0]

    def begin(self, image: Tensor) -> Tensor:
        """Compute the maps of a frame from its pixels alone: (B, 3, N, N) normalised → (B, K, H, W)."""
        return self.run_graph("begin", image)[0]

    def remember(self, features: Tensor, state: LSTMPoseMachineState) -> tuple[Tensor, Tensor, Tensor]:
        """Advance the memory by a frame: see :meth:`dkd.models.lstm_pose_machine.LSTMPoseMachine.remember`."""
        maps, hidden, cell = self.run_graph("remember", features, state.maps, state.hidden, state.cell)
        return maps, hidden, cell


def accelerated(model: VideoPoseModel, engine: str, graphs: Mapping[str, Runtime]) -> Accelerated:
    """Return a model whose network runs in an engine: one that has graphs, see :mod:`dkd.engines.graphs`."""
    if isinstance(model, DKD):
        return AcceleratedDKD(model, engine, graphs)
    if isinstance(model, LSTMPoseMachine):
        return AcceleratedLSTM(model, engine, graphs)
    made = AcceleratedCPM if isinstance(model, CPM) else AcceleratedBaseline
    return made(model, engine, graphs)
