"""Speed and memory of tracking, and the time until the first result. Medians within one run.

python -m benchmarks.tracking
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import psutil
import torch

from dkd import Clip, Trace, load_model
from dkd.video.samples import default_sample

ROUNDS = 3


def milliseconds(work, rounds: int = 30) -> float:
    """Measure the median time of one call in ms, after three warm-up calls."""
    times = []
    for i in range(rounds + 3):
        begin = time.perf_counter()
        work()
        if i >= 3:
            times.append(1e3 * (time.perf_counter() - begin))
    return float(np.median(times))


def main() -> None:
    sample, process = default_sample(), psutil.Process()
    print(f"{os.cpu_count()} cores, torch {torch.__version__} with {torch.get_num_threads()} threads, float32")
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import dkd, widgets; dkd.Trace; dkd.load_model()"], check=True)
    print(f"fresh process: imports and the loaded model after {time.perf_counter() - begin:.1f} s")

    model = load_model("dkd-mobilenetv2")
    with Clip(sample.path) as clip:
        per_frame = []
        for _ in range(ROUNDS):
            before = process.memory_info().rss
            begin = time.perf_counter()
            trace = Trace(model, clip, sample.box, progress=False)
            per_frame.append(1e3 * (time.perf_counter() - begin) / len(trace))
            grown = process.memory_info().rss - before
        frame, crop, size = clip.frame(50), trace.crops[50], model.config.input_size
        image = torch.from_numpy(crop.extract(frame, size)).permute(2, 0, 1)[None] / 255
        with torch.inference_mode():
            _, state = trace.model.start(image)
            step = milliseconds(lambda: trace.model.step(image, state))
            first = milliseconds(lambda: trace.model.start(image))
        cut = milliseconds(lambda: crop.extract(frame, size))
        print(f"{sample.name}, {clip.width}×{clip.height}, {len(clip)} frames, decoded by {clip.backend}")
        whole = np.median(per_frame)
        print(f"whole trace in {trace.engine}: {whole:.1f} ms per frame ({1e3 / whole:.0f} frames/s)")
        print(f"of this, the model's step: {step:.1f} ms, the crop: {cut:.2f} ms; the first frame: {first:.1f} ms")
        kept = trace.heatmaps[0].nbytes + trace.kernels[0].nbytes
        print(f"kept per frame: {kept / 1e3:.0f} kB; resident memory grew by {grown / 1e6:.0f} MB in the last round")
        features = milliseconds(lambda: trace.projected(50))
        print(f"recomputing the features of a frame: {features:.1f} ms ({features / step:.2f} of a step)")


if __name__ == "__main__":
    main()
