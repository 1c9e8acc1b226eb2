"""How time and memory grow with the number of frames, the number of people, and the height of the video.

    python -m benchmarks.growth [--frames 1000 10000] [--people 4] [--heights 240 480 720 1080 2160] [--out FILE]

Frames: one trace over the sample clip's frames, again and again, from memory; maps and kernels of a long trace go to
temporary files. People: each has a trace of their own. Heights: the sample clip, encoded again by H.264 at each size,
so decoding is in the number. All with the fastest engine of this machine.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import av
import cv2
import numpy as np
import psutil

from benchmarks.browser import keep
from dkd import Clip, ImageClip, Trace, load_model
from dkd.engines.choice import accelerate
from dkd.models.base import VideoPoseModel
from dkd.video.samples import Sample, default_sample

MB = 1e6
SOME = 60  # frames of the parts about people and heights
ROUNDS = 5


class Repeated(Sequence[np.ndarray]):
    """Frames forwards and backwards, so that nobody jumps, as many as are asked for."""

    def __init__(self, frames: list[np.ndarray], count: int):
        self._frames, self._count = frames + frames[-2:0:-1], count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, t: Any) -> Any:
        return self._frames[t % len(self._frames)]


def load_text() -> float:
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else float("nan")


def own_memory() -> float:
    """Return the memory in MB that belongs to this process only, without pages of files."""
    info: Any = psutil.Process().memory_info()
    return (info.rss - getattr(info, "shared", 0)) / MB


def timed(model: VideoPoseModel, clip: ImageClip, sample: Sample) -> tuple[float, Trace]:
    """Return the ms per frame of a trace, and the trace."""
    begin = time.perf_counter()
    trace = Trace(model, clip, sample.box, progress=False)
    return 1e3 * (time.perf_counter() - begin) / len(clip), trace


def by_frames(model: VideoPoseModel, sample: Sample, counts: list[int]) -> list[dict[str, float]]:
    """Time and memory per number of frames, and the ratio to short traces before and after: what the load changes.

    Memory is the process's own: maps and kernels in temporary files are pages of files, which the system can drop.
    """
    rows = []
    with Clip(sample.path) as clip:
        frames = [clip.frame(t) for t in range(len(clip))]
    for count in counts:
        clip_of = lambda n: ImageClip(Repeated(frames, n))  # noqa: E731
        short = [timed(model, clip_of(SOME), sample)[0]]
        before = own_memory()
        per_frame, trace = timed(model, clip_of(count), sample)
        grown, kept = own_memory() - before, (trace.heatmaps.nbytes + trace.kernels.nbytes) / MB
        trace.close()
        short.append(timed(model, clip_of(SOME), sample)[0])
        row = {"frames": count, "ms_per_frame": per_frame, "ratio": 2 * per_frame / sum(short)}
        rows.append({**row, "grown_mb": grown, "maps_mb": kept, "load": load_text()})
        print(
            f"  {count:7} frames {per_frame:7.2f} ms per frame, {row['ratio']:.2f}× that of {SOME} frames, memory "
            f"+{grown:.0f} MB (maps and kernels {kept:.0f} MB), load {rows[-1]['load']}"
        )
    return rows


def by_people(model: VideoPoseModel, sample: Sample, most: int) -> list[dict[str, float]]:
    """Time per frame of the video for 1 to ``most`` people, each with a trace; medians, numbers taking turns."""
    found: dict[int, list[float]] = {people: [] for people in range(1, most + 1)}
    with Clip(sample.path) as clip:
        n = min(SOME, len(clip))
        for _ in range(ROUNDS):
            for people, times in found.items():
                begin = time.perf_counter()
                for _ in range(people):
                    Trace(model, clip, sample.box, stop=n, progress=False)
                times.append(1e3 * (time.perf_counter() - begin) / n)
    rows = []
    for people, times in found.items():
        row = {"people": people, "ms_per_frame": median(times), "ratio": median(times) / median(found[1])}
        rows.append({**row, "load": load_text()})
        print(f"  {people} people {row['ms_per_frame']:7.2f} ms per frame of the video, {row['ratio']:.2f}×")
    return rows


def by_height(model: VideoPoseModel, sample: Sample, heights: list[int], folder: Path) -> list[dict[str, float]]:
    """Time per frame for the sample clip at several heights; medians, heights taking turns."""
    found: dict[int, list[float]] = {height: [] for height in heights}
    scales: dict[int, float] = {}
    with Clip(sample.path) as clip:
        n, rate = min(SOME, len(clip)), round(clip.fps or 25)
        for height in heights:
            scale = scales[height] = height / clip.height
            width = 2 * round(clip.width * scale / 2)
            with av.open(str(folder / f"{height}.mp4"), "w") as out:
                stream: Any = out.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "20"})
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                for t in range(n):
                    frame: Any = cv2.resize(clip.frame(t), (width, height), interpolation=cv2.INTER_AREA)
                    out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
                out.mux(stream.encode())
    for _ in range(ROUNDS):
        for height, times in found.items():
            x0, y0, x1, y1 = (v * scales[height] for v in sample.box)
            with Clip(folder / f"{height}.mp4") as scaled:
                begin = time.perf_counter()
                Trace(model, scaled, (x0, y0, x1, y1), progress=False)
                times.append(1e3 * (time.perf_counter() - begin) / n)
    rows, least = [], median(found[heights[0]]) if heights else 0.0
    for height, times in found.items():
        row = {"height": height, "ms_per_frame": median(times), "ratio": median(times) / least, "load": load_text()}
        rows.append(row)
        print(f"  {height:5} rows {row['ms_per_frame']:7.2f} ms per frame, {row['ratio']:.2f}×, load {row['load']}")
    return rows


def main() -> int:
    """Print the tables, and write them as JSON to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--heights", type=int, nargs="*", default=[240, 480, 720, 1080, 2160])
    parser.add_argument("--out", type=Path, help="write the results to this JSON file")
    arguments = parser.parse_args()
    model, sample = accelerate(load_model("dkd-mobilenetv2")), default_sample()
    Trace(model, sample.path, sample.box, stop=10, progress=False)  # warm
    figures: dict[str, Any] = {"sample": sample.name, "engine": getattr(model, "engine", "torch")}
    print(f"{model.name} in {figures['engine']}, {sample.name}; {os.cpu_count()} cores")
    figures["frames"] = by_frames(model, sample, arguments.frames)
    figures["people"] = by_people(model, sample, arguments.people)
    with tempfile.TemporaryDirectory(prefix="dkd-bench-") as folder:
        figures["heights"] = by_height(model, sample, arguments.heights, Path(folder))
    keep(figures, arguments.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
