"""Models by name."""

from __future__ import annotations

import dataclasses

from dkd.errors import ConfigError, nearest_name
from dkd.models.dkd import DKD, DKDConfig

# The paper's variants are named after the frame encoder; their initializer is ResNet-101, as in a re-implementation.
MODELS: dict[str, DKDConfig] = {
    **{f"dkd-resnet{d}": DKDConfig(encoder=f"resnet{d}", initializer="resnet101") for d in (18, 34, 50, 101)},
    "dkd-mobilenetv2": DKDConfig(encoder="mobilenetv2", initializer="mobilenetv2", channels=128, heatmap_gain=8.0),
}


def model_config(name: str, **settings) -> DKDConfig:
    """The config registered as ``name``, with ``settings`` replaced.

    Raises:
        ConfigError: unknown model or setting; the nearest name is given.
    """
    if name not in MODELS:
        raise ConfigError(f"unknown model {name!r}{nearest_name(name, MODELS)} Known: {', '.join(MODELS)}.")
    known = [f.name for f in dataclasses.fields(DKDConfig)]
    for key in settings:
        if key not in known:
            raise ConfigError(f"unknown setting {key!r}{nearest_name(key, known)} Known: {', '.join(known)}.")
    return dataclasses.replace(MODELS[name], **settings)


def build_model(name: str, skeleton: str = "penn_action", **settings) -> DKD:
    """A model with random weights, in train mode.

    Args:
        name: ``dkd-resnet18``, ``-34``, ``-50``, ``-101`` or ``dkd-mobilenetv2``.
        skeleton: name of the joint set.
        settings: fields of :class:`~dkd.models.dkd.DKDConfig` to replace.

    Raises:
        ConfigError: unknown model, skeleton or setting; the nearest name is given.
    """
    return DKD(model_config(name, skeleton=skeleton, **settings))
