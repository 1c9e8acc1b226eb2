"""A DKD as small ONNX graphs, for a place with little room: weights in half precision, and the matching step apart.

    initialise  frame (1, 3, N, N) → heatmaps (1, J, H, W)                          the pose initializer
    encode      frame → features F_t (1, C, H, W), projected V · F_t (1, C, H, W)   the frame encoder
    match       projected, kernels (1, C, S, S) → heatmaps                          U · (K̃ ⊛ V · F)
    distil      features, heatmaps → kernels                                        the distillator

A frame is RGB in 0..1, float32; normalisation is part of the graphs. Weights are stored as float16 and become float32
when a graph is loaded: what is computed with them is float32. The shipped checkpoints are float16, too, so nothing is
lost; batch normalisation stays apart for that reason, as its product with a weight is no float16. The matching step has
no weights but U, and kernels that somebody has changed are matched again without the encoder.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dkd.engines.exporting import to_onnx
from dkd.engines.graphs import Calls, Graph, check_graphs, distilling
from dkd.errors import CheckpointError, ConfigError
from dkd.models.base import VideoPoseModel
from dkd.models.dkd import DKD

_SMALL = 64  # numbers: shorter constants stay as they are


def compact_graphs(model: VideoPoseModel) -> dict[str, bytes]:
    """Return the graphs of a DKD by name, as ONNX files.

    Args:
        model: a DKD that distils its kernels and makes none at the joints.

    Raises:
        ConfigError: the model is of another kind.
        CheckpointError: a weight is too large for half precision.
        MissingExtraError: a package that exports is not installed.
    """
    if not isinstance(model, DKD) or model.matches_joints:
        raise ConfigError(f"expected a DKD that hands on pooled kernels only, got {model.name}")
    check_graphs(model)
    channels, side, _ = model.kernel_shape

    def encode(frame: Tensor) -> tuple[Tensor, Tensor]:
        features = model.encode(frame)
        return features, model.projection(features)

    def match(projected: Tensor, kernels: Tensor) -> Tensor:
        weights = kernels.reshape(channels, 1, side, side)
        return model.readout(F.conv2d(projected, weights, padding=side // 2, groups=channels))

    size = model.map_size
    frame = torch.zeros(1, 3, model.config.input_size, model.config.input_size)
    features, heatmaps = torch.zeros(1, channels, size, size), torch.zeros(1, len(model.skeleton), size, size)
    kernels = torch.zeros(1, channels, side, side)
    graphs = {
        "initialise": Graph(Calls(model, model.initialise), (frame,), ("frame",), ("heatmaps",)),
        "encode": Graph(Calls(model, encode), (frame,), ("frame",), ("features", "projected")),
        "match": Graph(Calls(model, match), (features, kernels), ("projected", "kernels"), ("heatmaps",)),
        "distil": Graph(distilling(model), (features, heatmaps), ("features", "heatmaps"), ("kernels",)),
    }
    return {name: halved(to_onnx(graph, fused=False)) for name, graph in graphs.items()}


def halved(file: bytes) -> bytes:
    """Return an ONNX file whose float32 weights are stored as float16, each followed by a cast to float32.

    Raises:
        CheckpointError: a weight is too large for half precision.
    """
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load_from_string(file)
    graph, casts = model.graph, []
    for weight in graph.initializer:
        if weight.data_type != onnx.TensorProto.FLOAT or np.prod(weight.dims) < _SMALL:
            continue
        name = weight.name
        with np.errstate(over="ignore"):  # it is told below
            values = numpy_helper.to_array(weight).astype(np.float16)
        if not np.isfinite(values).all():
            raise CheckpointError(f"{name} has values beyond 65504, where half precision ends; use the model in Python")
        weight.CopyFrom(numpy_helper.from_array(values, f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return model.SerializeToString()
