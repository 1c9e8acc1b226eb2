"""A model as ONNX files for other programs: one file starts a track, one continues it."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor, nn

from dkd.engines.exporting import to_onnx
from dkd.engines.graphs import Calls, Graph, check_graphs, distilling, seeing
from dkd.errors import ConfigError
from dkd.io.files import atomic_path, check_folder
from dkd.models.base import VideoPoseModel
from dkd.models.dkd import DKD


def export_onnx(model: VideoPoseModel, folder: Path) -> list[Path]:
    """Write a DKD as ``start.onnx`` and ``step.onnx``, whose state is an input and an output, and ``model.json``.

        start.onnx    frame (1, 3, N, N) → heatmaps (1, J, H, W), next_kernels (1, C, S, S)
        step.onnx     frame, kernels (the next_kernels of the previous frame) → heatmaps, next_kernels

    A frame is RGB in 0..1, float32; normalisation is part of the graphs. ``model.json`` says N and the names of the
    joints, in the order of the heatmaps.

    Args:
        model: a DKD that distils its kernels and makes none at the joints.
        folder: created if missing; files of these names are replaced.

    Returns:
        The three files.

    Raises:
        ConfigError: the model is of another kind, or there is a file in place of the folder.
        StorageError: a file cannot be written.
    """
    if not isinstance(model, DKD) or model.matches_joints:
        raise ConfigError(f"expected a DKD that hands on pooled kernels only, got {model.name}")
    check_graphs(model)
    check_folder(folder)
    distil, see = distilling(model), seeing(model)

    def start(frame: Tensor) -> tuple[Tensor, Tensor]:
        heatmaps = model.initialise(frame)
        return heatmaps, distil(model.encode(frame), heatmaps)

    def step(frame: Tensor, kernels: Tensor) -> tuple[Tensor, Tensor]:
        features, heatmaps = see(frame, kernels)
        return heatmaps, distil(features, heatmaps)

    frame = torch.zeros(1, 3, model.config.input_size, model.config.input_size)
    kernels = torch.zeros(1, *model.kernel_shape)
    parts, names = nn.ModuleList([model, distil]), ("heatmaps", "next_kernels")
    graphs = {
        "start.onnx": Graph(Calls(parts, start), (frame,), ("frame",), names),
        "step.onnx": Graph(Calls(parts, step), (frame, kernels), ("frame", "kernels"), names),
    }
    written = []
    for name, graph in graphs.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_bytes(to_onnx(graph))
        written.append(folder / name)
    facts = {
        "name": model.name,
        "input_size": model.config.input_size,
        "joints": list(model.skeleton.joints),
        "limbs": [list(pair) for pair in model.skeleton.limb_indices],
    }
    with atomic_path(folder / "model.json") as temporary:
        temporary.write_text(json.dumps(facts, indent=1))
    return [*written, folder / "model.json"]
