"""Models from what a file says: everything is checked before it is built, and before memory is taken for it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError

from dkd.errors import CheckpointError, ConfigError
from dkd.models.base import VideoPoseModel
from dkd.models.registry import KINDS, ModelConfig, make_model

LARGEST_HEADER = 2**22  # bytes of text of one entry; ours have a few thousand
_FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def read_json(text: str, what: str) -> Any:
    """Parse an entry of a checkpoint's header.

    Raises:
        CheckpointError: it is too large, nested too deeply, or no JSON.
    """
    if len(text) > LARGEST_HEADER:
        raise CheckpointError(f"expected {what} of at most {LARGEST_HEADER >> 20} MB, got {len(text) / 2**20:.0f} MB")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"expected {what} in JSON, got: {error}") from error


def read_config(kind: str, text: str) -> ModelConfig:
    """Build the config of a model of this kind from the text in a checkpoint's header.

    Raises:
        CheckpointError: the kind is unknown, or a key or the type of a value does not fit.
        ConfigError: a value is out of range.
    """
    if kind not in KINDS:
        raise CheckpointError(f"expected a model of one of the kinds {', '.join(KINDS)}, got {kind[:80]!r}")
    values, config_type = read_json(text, "the settings of the model"), KINDS[kind][1]
    if not isinstance(values, dict):
        raise CheckpointError(f"expected the settings of the model as an object, got {type(values).__name__}")
    known = [field.name for field in dataclasses.fields(config_type)]
    if unknown := [key for key in values if key not in known]:
        raise CheckpointError(f"the settings of the model have an unknown {unknown[0][:80]!r}")
    try:
        config: ModelConfig = TypeAdapter(config_type).validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "value_error":  # the config's own check
            raise ConfigError(str(first["ctx"]["error"])) from error
        where = ".".join(str(part) for part in first["loc"])
        raise CheckpointError(f"the model's setting {where!r}: {first['msg']}") from error
    return config


def build(config: ModelConfig, tensors: Mapping[str, torch.Tensor]) -> VideoPoseModel:
    """Build a model and load weights into it.

    The names and shapes of the weights are compared with those of a model that takes no memory (on torch's device
    "meta"), then their types and values are checked; only then is the model built.

    Raises:
        CheckpointError: the weights do not fit the config, are no real numbers, or are not finite.
    """
    own = _layout(config)
    wrong = sorted(own.keys() ^ tensors.keys()) or [k for k in own if own[k].shape != tensors[k].shape]
    if wrong:
        raise CheckpointError(f"it does not fit its own config: {len(wrong)} tensors differ, the first is {wrong[0]!r}")
    state = {}
    for name, tensor in tensors.items():
        expected = own[name].dtype
        if (tensor.dtype not in _FLOATS) if expected.is_floating_point else (tensor.dtype != expected):
            raise CheckpointError(f"expected {name} of type {_word(expected)}, got {_word(tensor.dtype)}")
        state[name] = tensor.to(expected)
        if not torch.isfinite(state[name]).all():
            raise CheckpointError(f"{name} has values that are not finite: the model would only give NaN")
    model = make_model(config)
    model.load_state_dict(state)
    return model


def _layout(config: ModelConfig) -> dict[str, torch.Tensor]:
    """Return the weights that a model of this config has, without memory for their values."""
    try:
        with torch.device("meta"):
            return make_model(config).state_dict()
    except (RuntimeError, ValueError, TypeError, OverflowError, MemoryError) as error:
        if isinstance(error, ConfigError):
            raise
        raise CheckpointError(f"no model can be built from its config: {str(error).splitlines()[0]}") from error


def _word(kind: torch.dtype) -> str:
    return str(kind).removeprefix("torch.")
