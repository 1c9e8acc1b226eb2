"""Speed of a step and of a whole track on a GPU, next to the engines of the CPU; a few minutes.

    python -m benchmarks.gpu [--rounds 300] [--models dkd-mobilenetv2 …] [--out figures.json]

Engines take turns, at batch 1, as a stream needs it: the state goes from the GPU to the CPU and back in every frame, in
this number too. ``gpu alone`` is the replay without these copies. Each engine on a GPU is compared with PyTorch on the
CPU first (``differs``); one that differs is left out, and the reason is printed. On a machine without a GPU it prints
the other engines and says so. ``DKD_CACHE`` is the folder for exported graphs.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.browser import keep
from benchmarks.engines import step_of, take_turns
from dkd import Clip, Trace, load_model
from dkd.engines.accelerated import Accelerated
from dkd.engines.choice import accelerate, difference
from dkd.engines.recorded import RecordedGraph
from dkd.engines.runtimes import ENGINES, is_installed, needs_gpu
from dkd.errors import DKDError
from dkd.models.base import VideoPoseModel
from dkd.models.registry import build_model
from dkd.video.samples import default_sample

SHIPPED, RANDOM = "dkd-mobilenetv2", ("dkd-resnet18", "dkd-resnet50")  # the others have no trained weights
SECONDS = 30  # per model at most


def opened(model: VideoPoseModel) -> dict[str, VideoPoseModel]:
    """Return the model in every engine that can be used here; print why the others cannot."""
    models: dict[str, VideoPoseModel] = {"torch": model}
    for name in ENGINES:
        if not is_installed(name) and not needs_gpu(name):
            continue
        try:
            models[name] = accelerate(model, name)
        except (DKDError, ImportError) as error:
            print(f"  {name}: {error}")
    return models


def replay_ms(graphs: dict[str, Any], rounds: int) -> float | None:
    """Return the median ms of a step's replays alone, from start to end on the GPU; ``None`` for other graphs."""
    recorded = [graph for name, graph in graphs.items() if name != "initialise" and isinstance(graph, RecordedGraph)]
    if not recorded:
        return None
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        for graph in recorded:
            with graph.recorder.in_order():
                graph.replay()
        times.append(1e3 * (time.perf_counter() - begin))
    return median(times)


def measure(model: VideoPoseModel, rounds: int) -> dict[str, Any]:
    """Print and return the step of one model in each engine."""
    print(f"{model.name}, {model.config.input_size}×{model.config.input_size}, batch 1:")
    models = opened(model)
    image = torch.rand(1, 3, model.config.input_size, model.config.input_size)
    steps = {name: step_of(one, image) for name, one in models.items()}
    begin = time.perf_counter()
    take_turns(steps, 0)
    once = (time.perf_counter() - begin) / 5
    times = take_turns(steps, max(5, min(rounds, int(SECONDS / max(once, 1e-4)))))
    base, rows = median(times["torch"]), {}
    for name, one in models.items():
        middle = median(times[name])
        row: dict[str, Any] = {"ms": middle, "slowest_ms": max(times[name]), "ratio": base / middle}
        row["differs"] = difference(one) if isinstance(one, Accelerated) else 0.0
        row["gpu_alone_ms"] = replay_ms(dict(one._graphs), 50) if isinstance(one, Accelerated) else None
        alone = "" if row["gpu_alone_ms"] is None else f", gpu alone {row['gpu_alone_ms']:.2f} ms"
        print(
            f"  {name:14} {middle:8.2f} ms, slowest {row['slowest_ms']:8.2f} ms, {row['ratio']:6.1f}×, "
            f"differs by {row['differs']:.1e}{alone}"
        )
        rows[name] = row
    return rows


def tracks(model: VideoPoseModel) -> dict[str, float]:
    """Print and return the ms per frame of a whole trace of the sample clip in each engine, decoding included."""
    sample, found = default_sample(), {}
    with Clip(sample.path) as clip:
        print(f"a whole trace of {sample.name} ({len(clip)} frames, {clip.width}×{clip.height}):")
        for name, one in opened(model).items():
            begin = time.perf_counter()
            Trace(one, clip, sample.box, engine=name, progress=False)
            found[name] = 1e3 * (time.perf_counter() - begin) / len(clip)
            print(f"  {name:14} {found[name]:8.2f} ms per frame")
    return found


def main() -> int:
    """Print the tables, and write them as JSON to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=300, help="steps of each engine at most (default: %(default)s)")
    parser.add_argument("--models", nargs="*", default=[SHIPPED, *RANDOM], help="default: %(default)s")
    parser.add_argument("--out", type=Path, help="write the results to this JSON file")
    arguments = parser.parse_args()
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU: the engines of the CPU only"
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{gpu}; {os.cpu_count()} cores, load {load:.1f}, torch {torch.__version__}")
    figures: dict[str, Any] = {"gpu": gpu, "cores": os.cpu_count(), "load": load, "steps": {}}
    for name in arguments.models:
        torch.manual_seed(0)
        model = load_model(name) if name == SHIPPED or "/" in name else build_model(name)
        figures["steps"][name] = measure(model.eval(), arguments.rounds)
    figures["tracks"] = tracks(load_model(SHIPPED))
    keep(figures, arguments.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
