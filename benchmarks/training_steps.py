"""Time of a training step of a recipe in float32 and in bfloat16, step by step in turn; a minute.

    python -m benchmarks.training_steps [--recipe laptop] [--steps 20] [--out figures.json]

On random clips, always the same: preparing them is not in the number (see ``benchmarks.training``). The recipe's two
parts are measured separately: the initializer alone, then the whole network. The seconds of the processors are printed
next to those that pass, as other work on the machine changes them less.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.browser import keep
from benchmarks.growth import load_text
from dkd.datasets.batches import Batch
from dkd.machine import computes_bf16, torch_threads
from dkd.training.config import TrainConfig, load_recipe
from dkd.training.step import Learner
from dkd.training.trainer import make_fabric

PRECISIONS = ("32-true", "bf16-mixed")
WARM_UP = 3


def random_batch(config: TrainConfig, joints: int, stride: int) -> Batch:
    """Return clips of noise, with joints anywhere."""
    random, size = np.random.default_rng(0), config.model_config().input_size
    frames = random.integers(0, 256, (config.batch, config.n_frames, size, size, 3), np.uint8)
    shape = config.batch, config.n_frames, joints
    places = torch.from_numpy(random.uniform(0, size / stride - 1, (*shape, 2)).astype(np.float32))
    return Batch(torch.from_numpy(frames).permute(0, 1, 4, 2, 3), places, torch.ones(shape))


def measure(recipe: str, steps: int) -> dict[str, Any]:
    """Print and return the ms of a step in both precisions."""
    configs = {name: load_recipe(recipe, [f"machine.precision={name}"]) for name in PRECISIONS}
    config = configs["32-true"]
    learners = {name: Learner(one, make_fabric(one), is_new=True) for name, one in configs.items()}
    for learner in learners.values():
        learner.fold_frozen()
    plain = learners["32-true"].plain
    batch = random_batch(config, len(plain.skeleton), plain.stride)
    figures: dict[str, Any] = {"recipe": recipe, "has_bf16": computes_bf16()}
    begins = {"initializer alone": 0} if config.pretrained_steps() else {}
    with torch_threads(config.machine.threads):
        for part, begin in {**begins, "whole": config.pretrained_steps()}.items():
            times: dict[str, list[tuple[float, float]]] = {name: [] for name in learners}
            for step in range(begin, begin + WARM_UP + steps):
                for name, learner in learners.items():
                    passed, worked = time.perf_counter(), time.process_time()
                    learner.learn(batch, step)
                    times[name].append((time.perf_counter() - passed, time.process_time() - worked))
            wall, work = ({k: 1e3 * median(v[i] for v in each[WARM_UP:]) for k, each in times.items()} for i in (0, 1))
            ratios = wall["32-true"] / wall["bf16-mixed"], work["32-true"] / work["bf16-mixed"]
            figures[part] = {"wall_ms": wall, "processors_ms": work, "ratio": ratios[0], "processors_ratio": ratios[1]}
            print(
                f"{part:18} {wall['32-true']:6.0f} ms in float32, {wall['bf16-mixed']:6.0f} ms in bfloat16, "
                f"{ratios[0]:.2f}×; of the processors {work['32-true']:6.0f} and {work['bf16-mixed']:6.0f} ms, "
                f"{ratios[1]:.2f}×; load {load_text()}",
                flush=True,
            )
    return figures


def main() -> int:
    """Print the table, and write it as JSON to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="laptop", help="default: %(default)s")
    parser.add_argument("--steps", type=int, default=20, help="of each part (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="write the results to this JSON file")
    arguments = parser.parse_args()
    keep(measure(arguments.recipe, arguments.steps), arguments.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
