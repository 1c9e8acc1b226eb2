"""Warm start: initialise a model from existing weights, of a checkpoint or of an image classifier."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from dkd.errors import CheckpointError
from dkd.models.backbones import load_trunk_weights
from dkd.models.base import VideoPoseModel
from dkd.models.checkpoints import load_model
from dkd.models.dkd import DKD
from dkd.models.simple_baseline import SimpleBaseline

log = logging.getLogger(__name__)


def warm_start(model: VideoPoseModel, source: str | Path) -> list[str]:
    """Load the weights of ``source`` that fit into ``model``.

    From a checkpoint of this project, all tensors that agree in name and shape are loaded. A per-frame baseline
    provides the encoder and the initializer of a DKD, as far as they are the same networks; a DKD whose kernels have a
    bias then starts as that baseline (:meth:`~dkd.models.dkd.DKD.start_as_baseline`). An image classifier's weights are
    loaded into every trunk that they fit; a model without trunks cannot start from them.

    Args:
        model: changed in place.
        source: name of a shipped model, a ``.safetensors`` checkpoint, or a classifier's weights (``.pt``, ``.pth``).

    Returns:
        Names of the parameters and buffers that keep their random values.

    Raises:
        ConfigError: there is no shipped model with this name.
        CheckpointError: the file cannot be used, or none of its tensors fits.
    """
    is_classifier = Path(source).suffix in (".pt", ".pth")
    given = _classifier(model, Path(source)) if is_classifier else _checkpoint(model, source)
    own = list(model.state_dict())
    log.info("%d of %d tensors start from %s", len(given), len(own), source)
    return [name for name in own if name not in given]


def warm_start_initializer(model: DKD, source: str | Path) -> None:
    """Load all weights of a DKD's pose initializer from a per-frame baseline or from another DKD's initializer.

    Args:
        model: changed in place; the frame encoder stays unchanged.
        source: name of a shipped model, or a checkpoint of this project.

    Raises:
        CheckpointError: the file cannot be used, or it holds a different network.
    """
    initializer = model.initializer_alone()  # shares the weights
    missing = warm_start(initializer, source)
    if missing:
        raise CheckpointError(
            f"{source} lacks {len(missing)} tensors of the initializer {model.config.initializer!r}, the first is "
            f"{missing[0]!r}: expected the same network, trained frame by frame"
        )


def _classifier(model: VideoPoseModel, path: Path) -> set[str]:
    """Load the weights that fit into the trunks; return the model's names for what was loaded."""
    if not model.trunks():
        raise CheckpointError(
            f"{model.name} has no trunk that an image classifier's weights fit, so it cannot start from {path}; leave "
            "model.start empty, or give a checkpoint of this project"
        )
    if not path.is_file():
        raise CheckpointError(f"expected an image classifier's weights at {path}, found no file")
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch has no common type for the many ways in which a file may be wrong
        raise CheckpointError(f"{path} does not load as plain weights: {str(error).splitlines()[0]}") from error
    weights = weights.get("state_dict", weights) if isinstance(weights, dict) else weights
    if not isinstance(weights, dict) or not all(isinstance(v, torch.Tensor) for v in weights.values()):
        raise CheckpointError(f"expected a mapping of names to tensors in {path}, got {type(weights).__name__}")
    problems, given = [], set()
    for trunk in model.trunks():
        (prefix,) = (name for name, module in model.named_modules() if module is trunk)
        try:
            missing = load_trunk_weights(trunk, weights)
            given |= {f"{prefix}.{name}" for name in trunk.state_dict() if name not in missing}
        except CheckpointError as error:
            problems.append(str(error))
    if len(problems) == len(model.trunks()):
        raise CheckpointError(f"the weights in {path} fit no trunk of {model.name}: {problems[0]}")
    return given


def _checkpoint(model: VideoPoseModel, source: str | Path) -> set[str]:
    """Load the tensors that agree in name and shape; return their names."""
    donor = load_model(source)
    if donor.skeleton != model.skeleton:
        raise CheckpointError(
            f"{source} was trained on the joints of {donor.skeleton.name!r}, this model has {model.skeleton.name!r}"
        )
    given = donor.state_dict()
    if isinstance(donor, SimpleBaseline) and isinstance(model, DKD):
        frame = {k.removeprefix("net."): v for k, v in given.items() if k.startswith("net.")}
        given = {f"initializer.{k}": v for k, v in frame.items()}
        given |= {k: v for k, v in frame.items() if k.startswith("encoder.")}
    elif isinstance(donor, DKD) and isinstance(model, SimpleBaseline):
        given = {k.replace("initializer.", "net.", 1): v for k, v in given.items() if k.startswith("initializer.")}
    own = model.state_dict()
    usable = {k: v for k, v in given.items() if k in own and own[k].shape == v.shape}
    if not usable:
        raise CheckpointError(f"no tensor in {source} ({donor.name}) agrees in name and shape with {model.name}")
    model.load_state_dict(usable, strict=False)
    if isinstance(donor, SimpleBaseline) and isinstance(model, DKD) and model.config.kernel_bias:
        kinds = [(m.config.encoder, m.config.channels) for m in (donor, model)]
        if kinds[0] == kinds[1]:
            model.start_as_baseline(donor.net)
    return set(usable)
