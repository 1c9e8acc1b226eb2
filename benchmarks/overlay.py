"""Writing the overlay video, compared with tracing the same clip.

python -m benchmarks.overlay

Tracing and writing take turns on each clip; medians and ratios within one run, of the time and of the processors' work,
which says more on a machine that is busy. The trace is run as ``Trace`` does by default, in the fastest engine.
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


def clocks() -> np.ndarray:
    """Return the time, and the work of this process, in ms."""
    return 1e3 * np.array([time.perf_counter(), time.process_time()])


def main() -> None:
    model = load_model("dkd-mobilenetv2")
    print(f"{os.cpu_count()} cores; ms per frame, time and (work), median of {ROUNDS}; ratio: tracing ÷ writing")
    print("| clip | drawn | tracing | writing | ratio |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for sample in map(get_sample, list_samples()):
            for name, style in STYLES.items():
                rounds = []
                for _ in range(ROUNDS):
                    with Clip(sample.path) as clip:  # neither finds the other's frames in a cache
                        begin = clocks()
                        trace = Trace(model, clip, sample.box, stop=N_FRAMES, progress=False)
                        traced = clocks() - begin
                    with Clip(sample.path) as clip:
                        begin = clocks()
                        export(trace, Path(folder) / "overlay.mp4", video=clip, **style)
                        rounds.append((traced / len(trace), (clocks() - begin) / len(trace)))
                (a, x), (b, y) = np.median(rounds, 0)
                ratio, work = np.median([one / other for one, other in rounds], 0)
                size = f"{clip.width}×{clip.height}"
                cells = f"{a:.1f} ({x:.1f}) | {b:.1f} ({y:.1f}) | {ratio:.2f} ({work:.2f})"
                print(f"| {sample.name}, {size} | {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
