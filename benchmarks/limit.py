"""How far a step of the shipped model is from what the processor could do, and where the rest of the time goes.

    python -m benchmarks.limit [--rounds 200] [--out figures.json]

The limit is the time that the step's multiply-adds would take at the speed of a large matrix product in float32 with
the same threads. Engines and the product take turns. The layers are those of OpenVINO, by its own counters, for which
the graph is compiled a second time.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.browser import keep
from benchmarks.engines import step_of, take_turns
from dkd import load_model
from dkd.engines.choice import accelerate
from dkd.engines.exporting import exported
from dkd.engines.runtimes import ENGINES, _core, is_installed, needs_gpu
from dkd.evaluation.cost import count
from dkd.models.base import VideoPoseModel

SIDE = 1024  # of the matrices


def limits(model: VideoPoseModel, rounds: int) -> dict[str, Any]:
    """Print and return the time of a step in each float32 engine, and its ratio to the limit."""
    size = model.config.input_size
    image = torch.rand(1, 3, size, size)
    names = [name for name, (_, precision) in ENGINES.items() if precision == "float32" and not needs_gpu(name)]
    steps = {name: step_of(accelerate(model, name), image) for name in ("torch", *names) if is_installed(name)}
    one, other = torch.rand(2, SIDE, SIDE)
    times = take_turns({"product": lambda: one @ other, **steps}, rounds)
    speed = SIDE**3 / 1e6 / median(times.pop("product"))  # multiply-adds per second, in units of 1e9
    gmacs = count(model).step / 1e9
    limit = 1e3 * gmacs / speed
    print(
        f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}: {speed:.0f} GMACs per second in a product "
        f"of {SIDE}×{SIDE} matrices; the {gmacs:.2f} GMACs of a step would take {limit:.2f} ms"
    )
    found = {name: median(ms) for name, ms in times.items()}
    for name, ms in found.items():
        print(f"  {name:12} {ms:6.2f} ms, {ms / limit:4.1f}× the limit")
    return {"gmacs_per_s": speed, "limit_ms": limit, "steps_ms": found}


def layers(model: VideoPoseModel, rounds: int) -> dict[str, Any]:
    """Print and return the time of a step in OpenVINO by kind of layer."""
    core = _core()
    settings: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY", "PERF_COUNT": True,
    }  # fmt: skip
    requests, given = [], []
    for name in ("see", "distil"):
        compiled = core.compile_model(core.read_model(exported(model)[name]), "CPU", settings)
        requests.append(compiled.create_infer_request())
        given.append([np.random.default_rng(0).random(tuple(one.shape), np.float32) for one in compiled.inputs])
    spent: dict[str, list[float]] = defaultdict(list)
    counts: dict[str, int] = {}
    for _ in range(rounds):
        begin = time.perf_counter()
        for request, inputs in zip(requests, given, strict=True):
            request.infer(inputs)
        spent["whole"].append(1e3 * (time.perf_counter() - begin))
        kinds: dict[str, list[float]] = defaultdict(list)
        for node in (node for request in requests for node in request.profiling_info):
            if ms := 1e3 * node.real_time.total_seconds():
                kinds[f"{node.node_type} ({node.exec_type})"].append(ms)
        for kind, ms_of in kinds.items():
            spent[kind].append(sum(ms_of))
            counts[kind] = len(ms_of)
    found = {kind: median(ms_of) for kind, ms_of in spent.items()}
    whole = found.pop("whole")
    print(f"a step in OpenVINO with its counters: {whole:.2f} ms")
    for kind, ms in sorted(found.items(), key=lambda one: -one[1]):
        if ms >= 0.01 * whole:
            print(f"  {kind:50} {counts[kind]:3} layers {ms:6.2f} ms, {ms / whole:4.0%}")
    return {"whole_ms": whole, "layers_ms": found}


def main() -> int:
    """Print both tables, and write them as JSON to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200, help="default: %(default)s")
    parser.add_argument("--out", type=Path, help="write the results to this JSON file")
    arguments = parser.parse_args()
    model = load_model("dkd-mobilenetv2")
    keep({**limits(model, arguments.rounds), **layers(model, arguments.rounds)}, arguments.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
