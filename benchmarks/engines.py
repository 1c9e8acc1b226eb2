"""Speed of one step of the shipped model in each engine, alone and next to other work; engines take turns.

python -m benchmarks.engines
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import torch

from dkd import Clip, Trace, load_model
from dkd.engines.choice import accelerate
from dkd.engines.runtimes import ENGINES, is_installed
from dkd.errors import DKDError
from dkd.models.base import VideoPoseModel
from dkd.video.samples import default_sample

ROUNDS = 500


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Run Python processes that only count, as a training or a browser would take the cores."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        time.sleep(1)
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def step_of(model: VideoPoseModel, image: torch.Tensor) -> Callable[[], object]:
    with torch.inference_mode():
        state = model.start(image)[1]

    @torch.inference_mode()
    def step() -> object:
        return model.step(image, state)

    return step


def take_turns(steps: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Measure each step in ms, one after the other, so that all have the same neighbours."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for i in range(rounds + 5):
        for name, step in steps.items():
            begin = time.perf_counter()
            step()
            if i >= 5:
                times[name].append(1e3 * (time.perf_counter() - begin))
    return times


def main(rounds: int = ROUNDS) -> None:
    model, sample = load_model("dkd-mobilenetv2"), default_sample()
    models: dict[str, VideoPoseModel] = {"torch": model}
    for name in ENGINES:
        if not is_installed(name):
            continue
        try:
            models[name] = accelerate(model, name)
        except DKDError as error:
            print(f"{name} is left out: {error}")
    print(f"{model.name}, one step, {rounds} in each engine in turn; {torch.get_num_threads()} threads")
    with Clip(sample.path) as clip:
        trace = Trace(model, clip, sample.box, stop=2, engine="torch", progress=False)
        image = torch.from_numpy(trace.network_pixels(1)).permute(2, 0, 1)[None] / 255
        steps = {name: step_of(one, image) for name, one in models.items()}
        for title, loops in (("alone", 0), ("next to two busy loops", 2)):
            with busy_loops(loops):
                print(f"{title} (load {os.getloadavg()[0]:.1f}):")
                times = take_turns(steps, rounds if not loops else rounds // 5)
            base = median(times["torch"])
            for name, found in times.items():
                middle = median(found)
                print(f"  {name:14} {middle:7.1f} ms, slowest {max(found):7.1f} ms, {base / middle:5.1f}×")
        print(f"a whole trace of {sample.name} ({len(clip)} frames, {clip.width}×{clip.height}):")
        for name, one in models.items():
            begin = time.perf_counter()
            Trace(one, clip, sample.box, engine=name, progress=False)
            print(f"  {name:14} {1e3 * (time.perf_counter() - begin) / len(clip):7.1f} ms per frame")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
