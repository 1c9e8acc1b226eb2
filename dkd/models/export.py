"""Export of a run's model to a file to share: optionally averaged with others and in half precision, with provenance,
without local paths."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from dkd.errors import CheckpointError, ConfigError
from dkd.io.provenance import provenance
from dkd.models.checkpoints import read_tensors, write_tensors
from dkd.models.sources import split_spec


def export_model(
    spec: str | Path, out: str | Path, half: bool = False, average_with: Sequence[str | Path] = ()
) -> Path:
    """Write a trained model to a new checkpoint.

    Its provenance is kept and extended with ``exported``: the SHA-256 of the source file, ``half``, the date, the
    commit and the versions. Folders of this machine are removed: ``"person_crops=/folder/of/mine/data"`` becomes
    ``"person_crops"``.

    Args:
        spec: name of a shipped model, a checkpoint, or a run's folder (its result, else its newest snapshot).
        out: the new file, ``….safetensors``, written atomically; an existing one is replaced.
        half: store floats as float16. The model is then loaded from these values as float32, so that measurements on
            the file are what its users get.
        average_with: other models of the same lineage. The file gets the mean of all weights ("model soup", Wortsman
            2022), which may track better than each of them where one was trained further from another one; models that
            were trained apart have no useful mean. They may lack parts of ``spec``, which then keep the mean of those
            that have them. The provenance is that of ``spec``, with those of the others in ``averaged``.

    Returns:
        ``out``.

    Raises:
        ConfigError: there is no such model, ``spec`` has variants, or ``out`` is not a new ``.safetensors`` file.
        CheckpointError: a model is damaged or does not fit the first one, or a weight is too large for half precision.
        StorageError: the file cannot be written.
    """
    source, out = source_and_target(spec, out)
    tensors, header = read_tensors(source)
    others = [source_and_target(one, out)[0] for one in average_with]
    facts = _without_folders(json.loads(header["provenance"]))
    if others:
        read = [read_tensors(one) for one in others]
        tensors = _mean([tensors, *(found for found, _ in read)], [source, *others])
        facts["averaged"] = [_without_folders(json.loads(found["provenance"])) for _, found in read]
        facts.pop("confidence", None)  # measured with other weights
    if half:
        tensors = {name: _halved(name, tensor) for name, tensor in tensors.items()}
    facts["exported"] = {"from_sha256": _digest(source), "half": half, **provenance()}
    if others:
        facts["exported"]["averaged_with_sha256"] = [_digest(one) for one in others]
    write_tensors(out, tensors, {**header, "provenance": json.dumps(facts)})
    return out


def source_and_target(spec: str | Path, out: str | Path) -> tuple[Path, Path]:
    """Return the checkpoint that another one is to be made of, and the file to write.

    Raises:
        ConfigError: there is no such model, ``spec`` has variants, or ``out`` is not a new ``.safetensors`` file.
    """
    source, variants = split_spec(spec)
    out = Path(out)
    if variants:
        raise ConfigError(f"expected a model without variants, got {spec}: variants share weights and confidence")
    if out.suffix != ".safetensors" or (out.exists() and out.samefile(source)):
        raise ConfigError(f"expected a new file that ends in .safetensors, got {out}")
    return source, out


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _mean(models: Sequence[dict[str, torch.Tensor]], files: Sequence[Path]) -> dict[str, torch.Tensor]:
    """Compute the mean of each weight of the first model over the models that have it; counters are the first's."""
    first = models[0]
    for found, file in zip(models, files, strict=True):
        wrong = [name for name in found if name not in first or found[name].shape != first[name].shape]
        if wrong:
            raise CheckpointError(
                f"expected {file} to have no other weights than {files[0]}, but {wrong[0]!r} differs; average models "
                "that were trained from one another, the one with the most parts first"
            )
    made = {}
    for name, tensor in first.items():
        known = [found[name].float() for found in models if name in found]
        made[name] = torch.stack(known).mean(0).to(tensor.dtype) if tensor.is_floating_point() else tensor
    return made


def _halved(name: str, tensor: torch.Tensor) -> torch.Tensor:
    if not tensor.is_floating_point():
        return tensor
    halved = tensor.half()
    if not halved.isfinite().all():
        raise CheckpointError(
            f"{name} has values up to {float(tensor.abs().max()):.3g}, half precision ends at 65504: export without it"
        )
    return halved


def _without_folders(value: Any) -> Any:
    """Return the same data with absolute paths shortened to names: a shared file should not reveal local folders."""
    if isinstance(value, dict):
        return {key: _without_folders(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_folders(part) for part in value]
    if isinstance(value, str):
        name, equals, folder = value.partition("=")
        if equals and Path(folder).expanduser().is_absolute():
            return name
        return Path(value).name if Path(value).expanduser().is_absolute() else value
    return value
