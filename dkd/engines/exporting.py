"""Export of a model's graphs to ONNX files, and the cache that keeps them by the hash of the weights."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import threading
import warnings
import weakref
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

from dkd.engines.graphs import Graph, graph_names, graphs_of
from dkd.errors import MissingExtraError, StorageError
from dkd.io.files import atomic_path
from dkd.io.paths import cache_folder
from dkd.models.base import VideoPoseModel

FORMAT = 4  # of what is exported; a higher one makes the graphs of earlier builds again
OPSET = 18
KEPT = 48  # graphs in the cache: those of about eight models


_fingerprints: weakref.WeakKeyDictionary[VideoPoseModel, tuple[Any, str]] = weakref.WeakKeyDictionary()


def design(model: VideoPoseModel) -> str:
    """Return a hash of all that the graphs depend on except weights: kind of model, settings, exporter's version."""
    facts = [FORMAT, OPSET, torch.__version__, type(model).__name__, asdict(model.config)]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def fingerprint(model: VideoPoseModel) -> str:
    """Return a hash of all that the graphs depend on: the :func:`design` and the weights."""
    state = model.state_dict()
    # PyTorch counts the changes of a tensor in place: unchanged weights are not hashed again.
    version = [(name, tensor.data_ptr(), tensor._version) for name, tensor in state.items()]
    known = _fingerprints.get(model)
    if known is not None and known[0] == version:
        return known[1]
    digest = hashlib.sha256(design(model).encode())
    for name, tensor in sorted(state.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    found = digest.hexdigest()[:32]
    _fingerprints[model] = version, found
    return found


def graph_files(model: VideoPoseModel) -> dict[str, Path]:
    """Return where the cache keeps a model's graphs, by name; see :func:`exported`."""
    key, folder = fingerprint(model), cache_folder() / "engines"
    return {name: folder / f"{key}-{name}.onnx" for name in graph_names(model)}


def is_exported(model: VideoPoseModel) -> bool:
    """Return whether the cache has all graphs of a model with these weights."""
    return all(file.is_file() for file in graph_files(model).values())


def exported(model: VideoPoseModel) -> dict[str, Path]:
    """Return the files of a model's graphs by name; those that are not in the cache are exported, in seconds.

    Raises:
        ConfigError: this kind of model has no graphs.
        MissingExtraError: a package that exports is not installed.
        StorageError: the cache cannot be written.
    """
    files = graph_files(model)
    if all(file.is_file() for file in files.values()):
        _touch(files.values())
        return files
    folder = cache_folder() / "engines"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{fingerprint(model)}.lock")
        lock.acquire()  # another process may be exporting the same model
    except OSError as error:
        raise StorageError(
            f"cannot write to the cache {folder}: {error}. Set DKD_CACHE to a folder that you can write to"
        ) from error
    try:
        graphs = graphs_of(model)
        for name, file in files.items():
            if not file.is_file():
                with atomic_path(file) as temporary:
                    temporary.write_bytes(to_onnx(graphs[name]))
    finally:
        lock.release()
    _touch(files.values())  # those that were there may be the oldest, and the first to be removed
    _forget(folder)
    return files


def _touch(files: Iterable[Path]) -> None:
    """Note that files were used: the cache keeps what was used last."""
    for file in files:
        with contextlib.suppress(OSError):
            file.touch()


def _forget(folder: Path) -> None:
    """Remove the graphs that were not used for longest: each training snapshot that was looked at has left some."""
    with contextlib.suppress(OSError):  # another process may be doing the same
        newest = sorted(folder.glob("*.onnx"), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in newest[KEPT:]:
            file.unlink(missing_ok=True)


_exporting = threading.Lock()  # PyTorch's exporter has state of its own


def to_onnx(graph: Graph, fused: bool = True) -> bytes:
    """Return a graph as an ONNX file.

    Args:
        graph: the graph.
        fused: batch normalisation becomes a part of the convolution before it. If not, the file has the model's own
            weights, and the runtime does that.

    By PyTorch's exporter of TorchScript, which is deprecated: it takes 2 seconds for the shipped DKD, and the one that
    is to take its place 12.

    Raises:
        MissingExtraError: a package that exports is not installed.
    """
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            f"expected the package onnx, which exports a network: {error}. Install it with pip install onnx"
        ) from error
    out: Any = io.BytesIO()  # its type is not in the exporter's signature
    with _exporting, torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.module.eval(), graph.examples, out, dynamo=False, opset_version=OPSET,
            input_names=list(graph.inputs), output_names=list(graph.outputs),
            training=torch.onnx.TrainingMode.EVAL if fused else torch.onnx.TrainingMode.PRESERVE,
        )  # fmt: skip
    return out.getvalue()
