"""Graphs of a model: its network as ONNX files, cut where an intervention may act.

    see         (frame, K̃_{t−1}) → (F_t, H_t)        a DKD: encoder and matching
    distil      (F_t, H_t handed on) → K̃_t           a DKD: distillator
    initialise  frame → H_1                           any model with a pose initializer
    look        frame → (F_t, H_t)                    a per-frame model

Kernels are an input of ``see``, and the maps that are handed on are an input of ``distil``: every feedback and every
intervention works as in PyTorch. All shapes are static, with a batch of one, as an exported matching step cannot have
a number of groups that depends on the batch.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import io
import json
import logging
import warnings
import weakref
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
from filelock import FileLock
from torch import Tensor, nn

from dkd.errors import ConfigError, MissingExtraError, StorageError
from dkd.io.files import atomic_path
from dkd.io.paths import cache_folder
from dkd.models.base import VideoPoseModel
from dkd.models.dkd import DKD, KernelDistillator
from dkd.models.simple_baseline import SimpleBaseline

FORMAT = 1  # of what is exported; a higher one makes the graphs of earlier builds again
OPSET = 18
KEPT = 24  # graphs in the cache: those of about eight models


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


def graphs_of(model: VideoPoseModel) -> dict[str, Graph]:
    """Return a model's graphs by name.

    Raises:
        ConfigError: this kind of model has none: it runs in PyTorch.
    """
    size = model.config.input_size
    frame = torch.zeros(1, 3, size, size)
    initialise = Graph(Calls(model, model.initialise), (frame,), ("frame",), ("heatmaps",))
    if type(model) is SimpleBaseline:
        look = Graph(Calls(model, _looking(model)), (frame,), ("frame",), ("features", "heatmaps"))
        return {"initialise": initialise, "look": look}
    if type(model) is not DKD or not model.distils:
        raise ConfigError(
            f"expected a DKD or a per-frame baseline for an engine, got {model.name} of type {type(model).__name__}: "
            "it runs in PyTorch (engine='torch')"
        )
    size, channels = model.map_size, model.config.channels
    kernels = torch.zeros(1, *model.kernel_shape)
    features, heatmaps = torch.zeros(1, channels, size, size), torch.zeros(1, len(model.skeleton), size, size)
    return {
        "initialise": initialise,
        "see": Graph(Calls(model, model.see), (frame, kernels), ("frame", "kernels"), ("features", "heatmaps")),
        "distil": Graph(distilling(model), (features, heatmaps), ("features", "heatmaps"), ("kernels",)),
    }


def _looking(model: SimpleBaseline) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    def look(frame: Tensor) -> tuple[Tensor, Tensor]:
        features = model.net.features(model.normalise(frame))
        return features, model.net.classifier(features)

    return look


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


# --- files ------------------------------------------------------------------------------------------------------------


_fingerprints: weakref.WeakKeyDictionary[VideoPoseModel, tuple[Any, str]] = weakref.WeakKeyDictionary()


def fingerprint(model: VideoPoseModel) -> str:
    """Return a hash of all that the graphs depend on: settings, weights, the exporter's version."""
    state = model.state_dict()
    # PyTorch counts the changes of a tensor in place: unchanged weights are not hashed again.
    version = [(name, tensor.data_ptr(), tensor._version) for name, tensor in state.items()]
    known = _fingerprints.get(model)
    if known is not None and known[0] == version:
        return known[1]
    digest = hashlib.sha256()
    facts = [FORMAT, OPSET, torch.__version__, type(model).__name__, asdict(model.config)]
    digest.update(json.dumps(facts, sort_keys=True, default=str).encode())
    for name, tensor in sorted(state.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    found = digest.hexdigest()[:32]
    _fingerprints[model] = version, found
    return found


def exported(model: VideoPoseModel) -> dict[str, Path]:
    """Return the files of a model's graphs by name; those that are not in the cache are exported, in seconds.

    Raises:
        ConfigError: this kind of model has no graphs.
        MissingExtraError: the packages that export are not installed.
        StorageError: the cache cannot be written.
    """
    graphs = graphs_of(model)
    folder = cache_folder() / "engines"
    key = fingerprint(model)
    files = {name: folder / f"{key}-{name}.onnx" for name in graphs}
    if all(file.is_file() for file in files.values()):
        for file in files.values():
            with contextlib.suppress(OSError):
                file.touch()  # the cache keeps what was used last
        return files
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{key}.lock")
        lock.acquire()  # another process may be exporting the same model
    except OSError as error:
        raise StorageError(
            f"cannot write to the cache {folder}: {error}. Set DKD_CACHE to a folder that you can write to"
        ) from error
    try:
        for name, file in files.items():
            if not file.is_file():
                with atomic_path(file) as temporary:
                    temporary.write_bytes(to_onnx(graphs[name]))
    finally:
        lock.release()
    _forget(folder)
    return files


def _forget(folder: Path) -> None:
    """Remove the graphs that were not used for longest: each training snapshot that was looked at has left some."""
    with contextlib.suppress(OSError):  # another process may be doing the same
        newest = sorted(folder.glob("*.onnx"), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in newest[KEPT:]:
            file.unlink(missing_ok=True)


def to_onnx(graph: Graph) -> bytes:
    """Return a graph as an ONNX file.

    Raises:
        MissingExtraError: the packages that export are not installed.
    """
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            f"expected the packages onnx and onnxscript, which export a network: {error}. Install them with "
            "pip install onnx onnxscript"
        ) from error
    # The exporter warns of packages that it does not need here (torchvision).
    with torch.no_grad(), _quiet():
        program = torch.onnx.export(
            graph.module.eval(), graph.examples, dynamo=True, opset_version=OPSET, external_data=False, verbose=False,
            input_names=list(graph.inputs), output_names=list(graph.outputs),
        )  # fmt: skip
        assert program is not None
    return program.model_proto.SerializeToString()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
