"""Models by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from dkd.errors import ConfigError, nearest_name
from dkd.models.base import VideoPoseModel
from dkd.models.dkd import DKD, DKDConfig
from dkd.models.simple_baseline import SimpleBaseline, SimpleBaselineConfig

ModelConfig = DKDConfig | SimpleBaselineConfig

# Kinds of models, as checkpoints name them.
KINDS: dict[str, tuple[Callable[[Any], VideoPoseModel], type]] = {
    "dkd": (DKD, DKDConfig),
    "simple_baseline": (SimpleBaseline, SimpleBaselineConfig),
}

# The paper's variants are named after the frame encoder; their initializer is ResNet-101, as in a re-implementation.
MODELS: dict[str, ModelConfig] = {
    **{f"dkd-resnet{d}": DKDConfig(encoder=f"resnet{d}", initializer="resnet101") for d in (18, 34, 50, 101)},
    "dkd-mobilenetv2": DKDConfig(encoder="mobilenetv2", initializer="mobilenetv2", channels=128, heatmap_gain=8.0),
    # Ours: small enough to learn from random weights on a laptop; one encoder for both parts, so that one run can train
    # the initializer first and let the frame encoder start from it.
    "dkd-tiny": DKDConfig(encoder="tiny", initializer="tiny", channels=64, heatmap_gain=8.0),
    **{f"simple-baseline-resnet{d}": SimpleBaselineConfig(encoder=f"resnet{d}") for d in (18, 34, 50, 101)},
    "simple-baseline-mobilenetv2": SimpleBaselineConfig(encoder="mobilenetv2", channels=128),
    "simple-baseline-tiny": SimpleBaselineConfig(encoder="tiny", channels=64),
}


def model_config(name: str, **settings: Any) -> ModelConfig:
    """The config registered as ``name``, with ``settings`` replaced.

    Raises:
        ConfigError: unknown model or setting; the nearest name is given.
    """
    if name not in MODELS:
        raise ConfigError(f"unknown model {name!r}{nearest_name(name, MODELS)} Known: {', '.join(MODELS)}.")
    known = [f.name for f in dataclasses.fields(MODELS[name])]
    for key in settings:
        if key not in known:
            raise ConfigError(
                f"unknown setting {key!r} of model {name!r}{nearest_name(key, known)} Known: {', '.join(known)}."
            )
    return dataclasses.replace(MODELS[name], **settings)


def kind_of(config: ModelConfig) -> str:
    """The kind of model that this config builds: a key of ``KINDS``."""
    return next(kind for kind, (_, config_type) in KINDS.items() if type(config) is config_type)


def make_model(config: ModelConfig) -> VideoPoseModel:
    """A model with random weights, in train mode."""
    return KINDS[kind_of(config)][0](config)


def build_model(name: str, skeleton: str = "penn_action", **settings: Any) -> VideoPoseModel:
    """A model with random weights, in train mode.

    Args:
        name: one of ``MODELS``: ``dkd-resnet18`` … ``-101``, ``dkd-mobilenetv2``, ``dkd-tiny``, and their per-frame
            baselines ``simple-baseline-…``.
        skeleton: name of the joint set.
        settings: fields of the model's config (:class:`~dkd.models.dkd.DKDConfig` or
            :class:`~dkd.models.simple_baseline.SimpleBaselineConfig`) to replace.

    Raises:
        ConfigError: unknown model, skeleton or setting; the nearest name is given.
    """
    return make_model(model_config(name, skeleton=skeleton, **settings))
