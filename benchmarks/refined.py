"""What refined joints cost: a whole trace without and with them, the initializer after the step and beside it.

The ways take turns in one run, and the joints of the refined ones are compared bit for bit.

python -m benchmarks.refined [ENGINE …]
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from unittest.mock import patch

import numpy as np
import torch

from dkd import Clip, Conditions, Trace, load_model
from dkd.engines.choice import accelerate
from dkd.tracking import refined
from dkd.video.ranges import ClipRange
from dkd.video.samples import default_sample

ROUNDS, FRAMES = 5, 100
PLAIN, AFTER, BESIDE = "without", "initializer after the step", "initializer beside the step"


def main(engines: tuple[str, ...] = ("onnxruntime", "openvino")) -> None:
    sample = default_sample()
    most = torch.get_num_threads()
    print(f"{os.cpu_count()} cores, {sample.name}, {FRAMES} frames; ms per frame: median of {ROUNDS}, fastest")
    with Clip(sample.path) as clip:
        part = ClipRange(clip, 0, min(FRAMES, len(clip)))
        for engine in engines:
            for threads in dict.fromkeys((1, most)):
                torch.set_num_threads(threads)
                model = accelerate(load_model().eval(), engine)
                _compare(f"{engine}, {threads} threads", partial(_trace, model, part))
            torch.set_num_threads(most)


def _trace(model, clip, way: str) -> Trace:
    sample = default_sample()
    with patch.object(refined, "runs_beside", lambda _: way == BESIDE):
        return Trace(model, clip, sample.box, Conditions(refine=way != PLAIN), progress=False)


def _compare(what: str, trace: Callable[[str], Trace]) -> None:
    times: dict[str, list[float]] = {PLAIN: [], AFTER: [], BESIDE: []}
    joints = {}
    for _ in range(ROUNDS + 1):  # the first one warms up
        for way, found in times.items():
            begin = time.perf_counter()
            made = trace(way)
            found.append(1e3 * (time.perf_counter() - begin) / len(made))
            joints[way] = made.joints.copy()
    equal = np.array_equal(joints[AFTER], joints[BESIDE])
    print(f"{what}; equal bit for bit: {equal}")
    for way, found in times.items():
        print(f"  {way:28} {np.median(found[1:]):6.1f}, {min(found[1:]):.1f}")


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or ("onnxruntime", "openvino"))
