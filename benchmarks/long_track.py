"""Time and memory of tracking a very long file, window by window: neither may grow.

    python -m benchmarks.long_track [--frames 100000] [--windows 10] [--out figures.json]

The rendered sample clip, forwards and backwards so that nobody jumps, is encoded once and its packets are written again
and again with later times. The file is opened and decoded like any other; only its pictures repeat. Memory is what
belongs to this process only: maps and kernels of a long trace are in temporary files, whose pages the system can drop.
It takes some GB in the temporary folder, which are freed at the end.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from benchmarks.browser import keep
from benchmarks.growth import MB, load_text, own_memory
from dkd import Clip, Trace, load_model
from dkd.video.samples import get_sample

RATE, TICKS = 30, 512  # frames per second, and units of time per frame


def write_group(path: Path) -> int:
    """Encode the sample clip forwards and backwards; return the number of frames."""
    with Clip(get_sample("rendered_walk").path) as clip, av.open(str(path), "w") as out:
        order = [*range(len(clip)), *range(len(clip) - 2, 0, -1)]
        stream: Any = out.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "23", "g": "60"})
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, "yuv420p"
        for t in order:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(clip.frame(t), format="rgb24")))
        out.mux(stream.encode())
    return len(order)


def write_long(group: Path, n_group: int, path: Path, frames: int) -> int:
    """Write the group's packets until there are at least that many frames; return how many there are."""
    with av.open(str(group)) as reader, av.open(str(path), "w") as writer:
        source = reader.streams.video[0]
        packets = [packet for packet in reader.demux(source) if packet.size]
        numbers = [round(float((packet.pts or 0) * (source.time_base or 1)) * RATE) for packet in packets]
        stored = [(bytes(p), n - min(numbers), p.is_keyframe) for p, n in zip(packets, numbers, strict=True)]
        delay = max(place - number for place, (_, number, _) in enumerate(stored))
        stream = writer.add_stream_from_template(source)
        stream.time_base = tick = Fraction(1, RATE * TICKS)
        rounds = -(-frames // n_group)
        for k in range(rounds):
            for place, (data, number, key) in enumerate(stored):
                packet = av.Packet(data)
                packet.stream, packet.time_base, packet.is_keyframe, packet.duration = stream, tick, key, TICKS
                packet.pts, packet.dts = (number + k * n_group) * TICKS, (place - delay + k * n_group) * TICKS
                writer.mux(packet)
    return rounds * n_group


class Watch:
    """Called before each frame: prints a row at the end of each window, and stops the run after the last one."""

    def __init__(self, frames: int, windows: int):
        self._frames, self._each, self._next = frames, frames // windows, 0
        self._since, self._first = time.perf_counter(), own_memory()
        self.rows: list[dict[str, float]] = []

    def __call__(self) -> bool:
        done, self._next = self._next, self._next + 1
        if done and done % self._each == 0:
            now, memory = time.perf_counter(), own_memory()
            row = {"frames": done, "ms_per_frame": 1e3 * (now - self._since) / self._each, "memory_mb": memory}
            self.rows.append({**row, "grown_mb": memory - self._first, "load": load_text()})
            print(
                f"  to frame {done:7}: {row['ms_per_frame']:6.2f} ms per frame, memory {memory:5.0f} MB "
                f"({memory - self._first:+.0f}), load {load_text()}",
                flush=True,
            )
            self._since = now
        return done >= self._frames


def measure(frames: int, windows: int) -> dict[str, Any]:
    """Track the file, and print and return time and memory of each window."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="dkd-bench-") as name:
        group, path = Path(name) / "group.mkv", Path(name) / "long.mp4"
        begin = time.perf_counter()
        written = write_long(group, write_group(group), path, frames)
        print(f"{written} frames, {path.stat().st_size / MB:.0f} MB, written in {time.perf_counter() - begin:.0f} s")
        begin = time.perf_counter()
        with Clip(path) as clip:
            print(f"opened in {time.perf_counter() - begin:.1f} s, {clip.width}×{clip.height}", flush=True)
            watch = Watch(frames, windows)
            trace = Trace(
                load_model("dkd-mobilenetv2"), clip, get_sample("rendered_walk").box, progress=False, cancel=watch
            )
            figures["windows"] = watch.rows
            kept = (trace._heatmaps.nbytes + trace._kernels.nbytes) / MB
            figures |= {
                "frames": len(trace),
                "engine": trace.engine,
                "maps_mb": kept,
                "score": float(trace.scores.mean()),
            }
            print(
                f"{len(trace)} frames in {trace.engine}; maps and kernels {kept:.0f} MB in temporary files; mean score "
                f"{figures['score']:.2f}, in the last 100 frames {trace.scores[-100:].mean():.2f}"
            )
            trace.close()
    figures["cores"] = os.cpu_count()
    return figures


def main() -> int:
    """Print the table, and write it as JSON to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100_000, help="default: %(default)s")
    parser.add_argument("--windows", type=int, default=10, help="default: %(default)s")
    parser.add_argument("--out", type=Path, help="write the results to this JSON file")
    arguments = parser.parse_args()
    keep(measure(arguments.frames, arguments.windows), arguments.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
