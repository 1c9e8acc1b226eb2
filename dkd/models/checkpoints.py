"""Checkpoints: one safetensors file with the full config, the skeleton and the provenance in its header.

Pickle files are never read, and files are written atomically. Trained weights may be stored in half precision; they
are always loaded as float32.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from dkd.errors import CheckpointError, ConfigError, checked, nearest_name
from dkd.io.files import atomic_path
from dkd.io.paths import DEFAULT_MODEL, folders_text, list_checkpoints
from dkd.models.base import VideoPoseModel
from dkd.models.confidence import calibration_of
from dkd.models.registry import MODELS, kind_of
from dkd.models.stored import build, read_config, read_json
from dkd.pose.skeleton import get_skeleton

FORMAT = "dkd-workbench/1"


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor], header: Mapping[str, str]) -> None:
    """Write a safetensors file atomically (a temporary file in the same folder is moved into place).

    Raises:
        StorageError: the disk is full, or there is no permission to write.
    """
    with atomic_path(path) as temporary:
        try:
            save_file({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, temporary, metadata=dict(header))
        except SafetensorError as error:  # also raised if the disk is full
            size = sum(v.nbytes for v in tensors.values()) / 1e6
            raise OSError(f"{size:.0f} MB of weights cannot be written: {error}") from error
        os.chmod(temporary, 0o644)  # safetensors makes files that only their owner can read


def _read(path: Path, tensors: bool = True) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    if not path.is_file():
        raise CheckpointError(f"expected a checkpoint at {path}, found no file")
    try:
        with safe_open(path, framework="pt") as file:
            names = file.keys() if tensors else []
            return {k: file.get_tensor(k) for k in names}, file.metadata() or {}
    except (SafetensorError, OSError, ValueError, AttributeError, TypeError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} is not a complete safetensors file ({error}). Expected a checkpoint written by this project; "
            "was it cut short while copying, or is it a pickle (.pt, .pth)? Those are never loaded."
        ) from error


def read_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read all tensors and the header of a safetensors file.

    Raises:
        CheckpointError: the file does not exist, or is not a complete safetensors file.
    """
    return _read(path)


def read_header(path: Path) -> dict[str, str]:
    """Read the header of a safetensors file, without its tensors.

    Raises:
        CheckpointError: see :func:`read_tensors`.
    """
    return _read(path, tensors=False)[1]


@checked
def save_model(model: VideoPoseModel, path: str | Path, provenance: Mapping[str, Any], half: bool = False) -> None:
    """Save a model that :func:`load_model` can load again.

    Args:
        model: model in any mode; weights and buffers are saved, the mode is not.
        path: path of the file; ends in ``.safetensors``.
        provenance: what a user of the file should know: data, recipe, commit, seeds, results. JSON-serialisable.
        half: store floats as float16 (half the size; the model card must say so).
    """
    state = {k: v.half() if half and v.is_floating_point() else v for k, v in model.state_dict().items()}
    header = {
        "format": FORMAT,
        "kind": kind_of(model.config),
        "config": json.dumps(dataclasses.asdict(model.config)),
        "joints": json.dumps(model.skeleton.joints),
        "provenance": json.dumps(dict(provenance)),
    }
    write_tensors(Path(path), state, header)


@checked
def load_model(name_or_path: str | Path = DEFAULT_MODEL) -> VideoPoseModel:
    """Load a trained model, in eval mode, as float32, on the CPU.

    Args:
        name_or_path: name of a shipped checkpoint, or path of your own one. ``model.provenance`` (a dict) says what the
            model was trained on and, under ``confidence``, what its scores mean if ``dkd calibrate`` has measured it.

    Raises:
        ConfigError: the name is neither a shipped model nor a file.
        CheckpointError: the file is damaged, is not a checkpoint of this project, or does not fit its own config.
    """
    path = Path(name_or_path)
    if path.suffix != ".safetensors":
        shipped = list_checkpoints()
        if (name := str(name_or_path)) in shipped:
            path = shipped[name]
        else:
            reason = "is registered, but no trained weights are shipped" if name in MODELS else "is unknown"
            raise ConfigError(
                f"the model {name!r} {reason}{nearest_name(name, shipped)} Trained and shipped: "
                f"{', '.join(shipped) or 'none'} (looked in the folder checkpoints of {folders_text()}). For random "
                "weights use build_model; for a file, give a path that ends in .safetensors."
            )
    tensors, header = read_tensors(path)
    if header.get("format") != FORMAT:
        found = header.get("format", "")[:80]
        raise CheckpointError(f"{path} has format {found!r}, expected {FORMAT!r}: not a checkpoint of this project?")
    try:
        # The first files have no kind: there was only one.
        config = read_config(header.get("kind", "dkd"), header["config"])
        if list(get_skeleton(config.skeleton).joints) != read_json(header["joints"], "the names of the joints"):
            raise CheckpointError(f"its joints are not those of the skeleton {config.skeleton!r}")
        model = build(config, tensors)
        model.provenance = read_json(header["provenance"], "the provenance")
        if not isinstance(model.provenance, dict):
            raise CheckpointError(f"expected the provenance as an object, got {type(model.provenance).__name__}")
        calibration_of(model)  # raises if it is damaged
    except (KeyError, ConfigError, CheckpointError) as error:
        reason = f"its header has no {error}" if isinstance(error, KeyError) else str(error)
        raise CheckpointError(f"{path} cannot be loaded: {reason}") from error
    model.name = path.stem
    # Channels last in memory: 20 % faster on a CPU, with the same numbers up to rounding.
    return model.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
