"""Writing the overlay video, compared with tracing the same clip.

python -m benchmarks.overlay

Tracing and writing take turns on each clip; medians and ratios within one run. The trace is run as ``Trace`` does by
default, in the fastest engine.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from dkd import Clip, Trace, export, load_model
from dkd.video.samples import get_sample, list_samples

ROUNDS = 5
N_FRAMES = 60
STYLES: dict[str, dict[str, Any]] = {
    "skeleton": {},
    "trails and heatmaps": {"trail": 15, "heatmap": True},
    "half the size": {"scale": 0.5},
}


def main() -> None:
    model = load_model("dkd-mobilenetv2")
    print(f"{os.cpu_count()} cores; ms per frame, median of {ROUNDS}; ratio: tracing ÷ writing")
    print("| clip | drawn | tracing | writing | ratio |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for sample in map(get_sample, list_samples()):
            for name, style in STYLES.items():
                times = []
                for _ in range(ROUNDS):
                    with Clip(sample.path) as clip:  # neither finds the other's frames in a cache
                        begin = time.perf_counter()
                        trace = Trace(model, clip, sample.box, stop=N_FRAMES, progress=False)
                        traced = time.perf_counter() - begin
                        n = len(trace)
                    with Clip(sample.path) as clip:
                        begin = time.perf_counter()
                        export(trace, Path(folder) / "overlay.mp4", video=clip, **style)
                        written = time.perf_counter() - begin
                    times.append((1e3 * traced / n, 1e3 * written / n))
                a, b = np.median(times, 0)
                ratio = np.median([x / y for x, y in times])
                size = f"{clip.width}×{clip.height}"
                print(f"| {sample.name}, {size} | {name} | {a:.1f} | {b:.1f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
