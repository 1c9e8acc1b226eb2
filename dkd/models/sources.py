"""Sources of checkpoints by name: a shipped model, a file, or the folder of a training run."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from dkd.errors import ConfigError, nearest_name
from dkd.io.paths import folders_text, list_checkpoints
from dkd.models.registry import MODELS

# Files in the folder of a training run, written by dkd.training.run.
RUN_INFO, RUN_RESULT, RUN_SNAPSHOTS = "run.json", "model.safetensors", "snapshots"


def split_spec(spec: str | Path, variants: Collection[str] = ()) -> tuple[Path, list[str]]:
    """Split ``SOURCE[+variant[+variant…]]`` into the checkpoint and the names after it.

    Args:
        spec: the source is the name of a shipped model, a ``.safetensors`` file, or the folder of a training run (its
            result, else its newest snapshot). It may contain ``+`` itself: the longest part that is a source is used.
        variants: names that may follow, for the error message; the names are not checked against them.

    Returns:
        The checkpoint's file and the names of the variants, in order.

    Raises:
        ConfigError: there is no such source (the nearest name is given), or the run has no model yet.
    """
    rest, names = str(spec), list[str]()
    while (source := find_checkpoint(rest)) is None:
        rest, plus, name = rest.rpartition("+")
        if not plus:
            raise _no_source(str(spec), variants)
        names.insert(0, name)
    return source, names


def find_checkpoint(text: str) -> Path | None:
    """Return the checkpoint with the name ``text`` (without variants), or ``None``.

    Raises:
        ConfigError: the name is a training run that has no model yet.
    """
    path = Path(text)
    if not text.strip():
        return None
    if text in (shipped := list_checkpoints()):
        return shipped[text].resolve()
    if path.suffix == ".safetensors" and path.is_file():
        return path.resolve()
    result = path / RUN_RESULT
    if (path / RUN_INFO).is_file() or result.is_file():
        files = [result] if result.is_file() else list(snapshots_of(path).values())
        if not files:
            raise ConfigError(
                f"the run in {text} has no model yet: train until its first snapshot, or choose another run"
            )
        return files[-1].resolve()
    return None


def snapshots_of(run: Path) -> dict[int, Path]:
    """Return the checkpoints of the averaged model in a run's folder, by step, in order."""
    found = sorted((run / RUN_SNAPSHOTS).glob("step_*.safetensors"))
    steps = ((re.fullmatch(r"step_([0-9]{1,12})", path.stem), path) for path in found)
    return {int(step[1]): path for step, path in steps if step}


def checkpoint_name(source: Path) -> str:
    """Return a checkpoint's name in tables: ``RUN`` for a run's result, ``RUN@STEP`` for a snapshot, else the file."""
    step = re.fullmatch(r"step_(\d+)", source.stem)
    if step and source.parent.name == RUN_SNAPSHOTS:
        return f"{source.parent.parent.name}@{int(step[1])}"
    return source.parent.name if source.name == RUN_RESULT else source.stem


def _no_source(spec: str, variants: Collection[str]) -> ConfigError:
    """Create the error for a ``spec`` that does not begin with a source."""
    names = spec.split("+")
    while len(names) > 1 and names[-1] in variants:
        names.pop()
    text = "+".join(names)
    if text in MODELS:
        return ConfigError(
            f"the model {text!r} is registered, but no trained weights are shipped, nor are there any in the "
            f"folder checkpoints of {folders_text()}; train it and give the run's folder"
        )
    shipped = list(list_checkpoints())
    near = nearest_name(names[0] if names[0] in shipped else text, shipped)
    followed = f", followed by +variants ({', '.join(variants)})" if variants else ""
    return ConfigError(
        f"there is no model {text!r}: expected a shipped one ({', '.join(shipped) or 'there are none'}), a "
        f".safetensors file or the folder of a training run{followed}{near}"
    )
