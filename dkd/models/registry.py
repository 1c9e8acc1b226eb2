"""Registry: models and their configs by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from dkd.errors import ConfigError, checked, nearest_name
from dkd.models.base import VideoPoseModel
from dkd.models.cpm import CPM, CPMConfig
from dkd.models.dkd import DKD, DKDConfig
from dkd.models.lstm_pose_machine import LSTMPoseMachine, LSTMPoseMachineConfig
from dkd.models.simple_baseline import SimpleBaseline, SimpleBaselineConfig

ModelConfig = DKDConfig | SimpleBaselineConfig | CPMConfig | LSTMPoseMachineConfig

# Kinds of models, by the names used in checkpoints.
KINDS: dict[str, tuple[Callable[[Any], VideoPoseModel], type]] = {
    "dkd": (DKD, DKDConfig),
    "simple_baseline": (SimpleBaseline, SimpleBaselineConfig),
    "cpm": (CPM, CPMConfig),
    "lstm_pose_machine": (LSTMPoseMachine, LSTMPoseMachineConfig),
}

_TINY_POSE_MACHINE: dict[str, Any] = {
    "input_size": 128,
    "channels": 16,
    "features": 16,
    "kernel": 3,
    "context": 7,
    "batch_norm": True,
}

_MOBILENETV2: dict[str, Any] = {
    "encoder": "mobilenetv2-same",
    "initializer": "mobilenetv2-same-1.75",
    "channels": 128,
    "input_size": 192,
    "heatmap_gain": 8.0,
    "kernel_side": 7,
}

# The paper's variants are named after the frame encoder; their initializer is ResNet-101, as in a re-implementation.
MODELS: dict[str, ModelConfig] = {
    **{f"dkd-resnet{d}": DKDConfig(encoder=f"resnet{d}", initializer="resnet101") for d in (18, 34, 50, 101)},
    # Ours: trunks that can start from a pose network's weights, with the input size of that network. With the paper's
    # layers, kernels would be 5×5 here; 7×7 on 24×24 maps covers more of a person than 7×7 on 32×32 maps.
    "dkd-mobilenetv2": DKDConfig(**_MOBILENETV2, kernel_bias=True),
    # The same with kernels made at the joints. It starts from a trained one without them, so it needs no bias.
    "dkd-mobilenetv2-joints": DKDConfig(**_MOBILENETV2, distillation="both"),
    # Ours: small enough to learn from random weights on a laptop; the same encoder for both parts, so that one run can
    # train the initializer first and start the frame encoder from it.
    "dkd-tiny": DKDConfig(encoder="tiny", initializer="tiny", channels=64, heatmap_gain=8.0),
    **{f"simple-baseline-resnet{d}": SimpleBaselineConfig(encoder=f"resnet{d}") for d in (18, 34, 50, 101)},
    "simple-baseline-mobilenetv2": SimpleBaselineConfig(encoder="mobilenetv2-same", channels=128, input_size=192),
    "simple-baseline-mobilenetv2-1.75": SimpleBaselineConfig(
        encoder="mobilenetv2-same-1.75", channels=128, input_size=192
    ),
    "simple-baseline-tiny": SimpleBaselineConfig(encoder="tiny", channels=64),
    # Xiao's own Simple Baselines have a third deconvolution, after which a cell is 4 pixels.
    **{
        f"simple-baseline-3-resnet{d}": SimpleBaselineConfig(encoder=f"resnet{d}", deconvolutions=3)
        for d in (18, 34, 50, 101)
    },
    # The pose machines at the papers' 368×368, and two of our own that cost about as much as dkd-tiny at 128×128 and
    # learn from random weights: narrow, with smaller kernels (maps are only 16×16), and with BatchNorm.
    "cpm": CPMConfig(),
    "cpm-tiny": CPMConfig(**_TINY_POSE_MACHINE, stages=3),
    "lstm-pm": LSTMPoseMachineConfig(),
    "lstm-pm-tiny": LSTMPoseMachineConfig(**_TINY_POSE_MACHINE, hidden=24),
}


def model_config(name: str, **settings: Any) -> ModelConfig:
    """Return the config registered as ``name``, with ``settings`` replaced.

    Args:
        name: one of ``MODELS``.
        settings: fields of that model's config; they differ between kinds (a DKD has ``encoder``, a CPM ``stages``).

    Raises:
        ConfigError: the model or a setting is unknown; the nearest name is given.
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
    """Return the kind of model that this config builds: a key of ``KINDS``."""
    return next(kind for kind, (_, config_type) in KINDS.items() if type(config) is config_type)


def make_model(config: ModelConfig) -> VideoPoseModel:
    """Build a model with random weights from its config, in train mode."""
    return KINDS[kind_of(config)][0](config)


@checked
def build_model(name: str, skeleton: str = "penn_action", **settings: Any) -> VideoPoseModel:
    """Build a model with random weights by name, in train mode.

    Args:
        name: one of ``MODELS``: ``dkd-resnet18`` … ``-101``, ``dkd-mobilenetv2``, ``dkd-tiny``, and their per-frame
            baselines ``simple-baseline-…``; the peers ``simple-baseline-3-resnet18`` … ``-101`` (three deconvolutions,
            stride 4), ``cpm``, ``lstm-pm`` (368×368), ``cpm-tiny`` and ``lstm-pm-tiny`` (128×128).
        skeleton: name of the skeleton.
        settings: fields of the model's config (:class:`~dkd.models.dkd.DKDConfig`,
            :class:`~dkd.models.simple_baseline.SimpleBaselineConfig`, :class:`~dkd.models.cpm.CPMConfig` or
            :class:`~dkd.models.lstm_pose_machine.LSTMPoseMachineConfig`) to replace.

    Raises:
        ConfigError: the model, the skeleton or a setting is unknown; the nearest name is given.
    """
    return make_model(model_config(name, skeleton=skeleton, **settings))
