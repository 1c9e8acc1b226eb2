"""The engines of one model, taking turns: ``dkd bench --all``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dkd.errors import ConfigError

if TYPE_CHECKING:
    from dkd.models.base import VideoPoseModel


_ROUNDS = 100


def compare_engines(names: Sequence[str], rounds: int | None, threads: int | None, device: str) -> int:
    """Print a table of the engines of each model, which take turns.

    Args:
        names: shipped models or paths of checkpoints; none: the shipped DKD.
        rounds: steps of each engine; ``None``: 100.
        threads: number of torch threads, and of those of the engines; ``None``: unchanged.
        device: engines take a model on the CPU, so only ``"cpu"``; those on a GPU copy it.

    Raises:
        ConfigError: an argument is out of range, or a name is unknown.
    """
    from dkd.machine import torch_threads
    from dkd.models.checkpoints import load_model

    if device != "cpu":
        raise ConfigError(f"expected --device cpu with --all, got {device!r}: engines on a GPU copy the model")
    if rounds is not None and rounds < 1:
        raise ConfigError(f"expected --rounds of at least 1, got {rounds}")
    with torch_threads(threads):
        for name in names or ["dkd-mobilenetv2"]:
            _measure(load_model(name), rounds or _ROUNDS)
    return 0


def _measure(model: VideoPoseModel, rounds: int) -> None:
    """Measure one model, and print its table."""
    import torch
    from tqdm import tqdm

    from dkd.engines.choice import measure
    from dkd.engines.graphs import check_graphs
    from dkd.engines.runtimes import ENGINES, is_installed, needs_gpu

    engines, why = ["torch"], ""
    try:
        check_graphs(model)
        engines += [name for name in ENGINES if is_installed(name)]
        missing = {
            "not installed": [name for name in ENGINES if not is_installed(name) and not needs_gpu(name)],
            "no GPU for": [name for name in ENGINES if not is_installed(name) and needs_gpu(name)],
        }
        why = "; ".join(f"{reason}: {', '.join(names)}" for reason, names in missing.items() if names)
    except ConfigError as error:
        why = str(error)
    before = _load()
    with tqdm(desc=f"measuring {model.name}", unit="round", leave=False) as bar:
        times = measure(model, tuple(engines), rounds, bar.update)
    if left_out := [name for name in engines if name not in times]:
        why = "; ".join(filter(None, [why, f"cannot be used here: {', '.join(left_out)}"]))
    threads, load = torch.get_num_threads(), [before, _load()]
    side = model.config.input_size
    print(
        f"{model.name}: a step at {side}×{side}, {rounds} in each engine in turn; {threads} of {os.cpu_count()} cores, "
        f"load {load[0]:.1f} before and {load[1]:.1f} after"
    )
    base = times["torch"].median_ms
    for engine, (middle, slowest) in sorted(times.items(), key=lambda one: one[1].median_ms):
        print(f"  {engine:14} {middle:8.2f} ms, slowest {slowest:8.2f} ms, {base / middle:5.2f}×")
    if why:
        print(f"  {why}")


def _load() -> float:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
