"""What refined joints cost: a whole trace without and with them, which take turns in one run.

python -m benchmarks.refined [ENGINE …]
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np
import torch

from dkd import Clip, Conditions, Trace, load_model
from dkd.engines.choice import accelerate
from dkd.models.base import VideoPoseModel
from dkd.video.ranges import ClipRange
from dkd.video.samples import default_sample

ROUNDS, FRAMES = 5, 100


def main(engines: tuple[str, ...] = ("onnxruntime", "openvino")) -> None:
    """Print the table, by engine and number of threads."""
    sample = default_sample()
    most = torch.get_num_threads()
    print(f"{os.cpu_count()} cores, {sample.name}, {FRAMES} frames; ms per frame: median of {ROUNDS}, fastest")
    with Clip(sample.path) as clip:
        part = ClipRange(clip, 0, min(FRAMES, len(clip)))
        for engine in engines:
            for threads in dict.fromkeys((1, most)):
                torch.set_num_threads(threads)
                print(f"{engine}, {threads} threads")
                compare(accelerate(load_model("dkd-mobilenetv2").eval(), engine), part, sample.box)
            torch.set_num_threads(most)


def compare(model: VideoPoseModel, clip: ClipRange, box: tuple[float, float, float, float]) -> None:
    """Print the ms per frame without and with refined joints."""
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(ROUNDS + 1):  # the first one warms up
        for refine, found in times.items():
            begin = time.perf_counter()
            made = Trace(model, clip, box, Conditions(refine=refine), progress=False)
            found.append(1e3 * (time.perf_counter() - begin) / len(made))
    for refine, found in times.items():
        print(f"  {'refined' if refine else 'plain':8} {np.median(found[1:]):6.1f}, {min(found[1:]):.1f}")


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or ("onnxruntime", "openvino"))
