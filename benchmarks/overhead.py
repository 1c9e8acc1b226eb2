"""What a trace costs besides decoding and the network, part by part.

    python -m benchmarks.overhead [--rounds 5] [--out figures.json]

The sample clip's frames are in memory, at their own size and with 720 lines, so nothing is decoded. Each part is timed
where the trace calls it; ``everything else`` is the rest of the loop. Medians over all frames and rounds. Time is that
of the thread on a processor, which other work on the machine changes little; on an idle machine it is the time that
passes.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import torch

from benchmarks.browser import keep
from benchmarks.growth import load_text
from dkd import Clip, Trace, load_model
from dkd.engines.choice import accelerate, engine_of
from dkd.tracking import tracker
from dkd.tracking.record import Record
from dkd.tracking.tracker import Tracker
from dkd.video.samples import default_sample

PARTS: dict[str, tuple[Any, str]] = {
    "crop": (Tracker, "_pixels"),
    "input of the network": (tracker, "as_input"),
    "peaks of the maps": (tracker, "_peaks"),
    "colours of the person": (Tracker, "_look_of"),
    "body": (Tracker, "_remember"),
    "next square": (Tracker, "_square"),
    "record": (Record, "_keep"),
}


@contextmanager
def timed(owner: Any, name: str, times: list[float]) -> Iterator[None]:
    """Note the seconds of each call of a function, those of other threads not counted."""
    inner: Callable[..., Any] = getattr(owner, name)

    def outer(*given: Any, **named: Any) -> Any:
        begin = time.thread_time()
        try:
            return inner(*given, **named)
        finally:
            times.append(time.thread_time() - begin)

    with patch.object(owner, name, outer):
        yield


def measure(lines: int | None, rounds: int) -> dict[str, Any]:
    """Print and return the ms per frame of each part."""
    sample, model = default_sample(), accelerate(load_model("dkd-mobilenetv2"))
    with Clip(sample.path) as clip:
        scale = 1.0 if lines is None else lines / clip.height
        size = round(clip.width * scale), round(clip.height * scale)
        frames = [clip.frame(t) for t in range(len(clip))]
        if lines is not None:
            frames = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]
        memory = Clip.from_array(np.stack(frames), clip.fps or 25)
    box = tuple(v * scale for v in sample.box)
    Trace(model, memory, box, stop=10, progress=False)  # type: ignore[arg-type]
    times: dict[str, list[float]] = {name: [] for name in ("frame", "network", *PARTS)}
    with ExitStack() as stack:
        for name, (owner, function) in PARTS.items():
            stack.enter_context(timed(owner, function, times[name]))
        stack.enter_context(timed(type(model), "start", times["network"]))
        stack.enter_context(timed(type(model), "step", times["network"]))
        stack.enter_context(timed(Trace, "_trace_next", times["frame"]))
        for _ in range(rounds):
            trace = Trace(model, memory, box, progress=False)  # type: ignore[arg-type]
    ms = {name: 1e3 * float(np.median(found)) for name, found in times.items()}
    parts = {name: ms[name] for name in PARTS}
    own = 1e3 * float(np.median(np.array(times["frame"]) - np.array(times["network"])))
    parts["everything else"] = own - sum(parts.values())
    side = float(np.median([crop.side for crop in trace.crops]))
    print(
        f"{size[0]}×{size[1]}, square of {side:.0f} px, {engine_of(model)}, {torch.get_num_threads()} threads, load "
        f"{load_text()}: everything that is neither decoding nor network takes {own:.2f} ms per frame"
    )
    for name, value in parts.items():
        print(f"  {name:24} {value:6.3f} ms")
    return {"size": size, "square": side, "own_ms": own, "parts": parts}


def main() -> int:
    """Print the tables, and write them as JSON to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--out", type=Path, help="write the results to this JSON file")
    arguments = parser.parse_args()
    figures = {"cores": os.cpu_count(), "clips": [measure(lines, arguments.rounds) for lines in (720, None)]}
    keep(figures, arguments.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
