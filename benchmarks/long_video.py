"""How long an hour of 1080p takes to open, how long any of its frames takes, and how much memory that needs.

A few seconds are encoded once and then repeated with later times, without encoding them again, so that the file is like
one from a camera. It takes about 3 GB of disk space, which are freed at the end. On the command line, in the project's
folder:

    python -m benchmarks.long_video [--ending .mp4] [--codec libx264] [--seconds 3600] [--folder DIR]

The file is opened twice: first with its pages dropped from memory (on Linux), as after a restart; then again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.video.stream import VideoStream

RATE, GROUP = 30, 60
OPTIONS = {
    "libx264": {"preset": "veryfast", "bf": "2", "g": "60", "crf": "23", "x264-params": "open-gop=0:scenecut=0"},
    "libvpx-vp9": {"g": "60", "b": "6M", "deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
}
MEASURE = """
import json, resource, sys, time
from dkd.video.clip import Clip
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begin = time.perf_counter()
clip = Clip(sys.argv[1])
found = {"frames": len(clip), "open_s": time.perf_counter() - begin}
for share in (0.926, 0.503, 0.9999):
    begin = time.perf_counter()
    clip.frame(int(share * len(clip)))
    found.setdefault("frame_s", []).append(time.perf_counter() - begin)
found["memory_mb"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) / 1024
print(json.dumps(found))
"""


def encode_group(codec: str, path: Path) -> None:
    """Encode one group of pictures with texture, motion and noise."""
    noise = np.random.default_rng(0)
    y, x = np.mgrid[0:1080, 0:1920]
    with av.open(str(path), "w") as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=RATE, options=OPTIONS[codec]))
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        for t in range(GROUP):
            wave = 128 + 90 * np.sin((x + 6 * t) / 37) * np.cos((y - 4 * t) / 31)
            picture = np.stack([wave, (x / 8 + t) % 256, (y / 5 + 2 * t) % 256], -1)
            picture += noise.integers(-12, 13, picture.shape)
            frame = av.VideoFrame.from_ndarray(picture.clip(0, 255).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def repeat(group: Path, path: Path, seconds: int) -> None:
    """Write the packets of a group again and again, with later times."""
    tick = Fraction(1, RATE * 512)
    with av.open(str(group)) as reader, av.open(str(path), "w") as writer:
        source = reader.streams.video[0]
        packets = [p for p in reader.demux(source) if p.size]
        numbers = [round(float((p.pts or 0) * (source.time_base or 1)) * RATE) for p in packets]
        stored = [(bytes(p), n - min(numbers), p.is_keyframe) for p, n in zip(packets, numbers, strict=True)]
        delay = max(place - number for place, (_, number, _) in enumerate(stored))
        stream = writer.add_stream_from_template(source)
        stream.time_base = tick
        for k in range(seconds * RATE // GROUP):
            for place, (data, number, key) in enumerate(stored):
                packet = av.Packet(data)
                packet.stream, packet.time_base, packet.is_keyframe, packet.duration = stream, tick, key, 512
                packet.pts, packet.dts = (number + k * GROUP) * 512, (place - delay + k * GROUP) * 512
                writer.mux(packet)


def forget(path: Path) -> None:
    """Drop a file's pages from memory."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)


def measure(path: Path) -> dict[str, Any]:
    """Open a file and read frames far apart, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ending", default=".mp4", help="default: %(default)s")
    parser.add_argument("--codec", default="libx264", choices=sorted(OPTIONS), help="default: %(default)s")
    parser.add_argument("--seconds", type=int, default=3600, help="length of the video (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where the file is written (default: a temporary folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        group, path = Path(folder) / "group.mkv", Path(folder) / f"long{arguments.ending}"
        encode_group(arguments.codec, group)
        begin = time.perf_counter()
        repeat(group, path, arguments.seconds)
        size = path.stat().st_size / 1e9
        print(f"{path.name}: {size:.2f} GB, written in {time.perf_counter() - begin:.0f} s")
        for title in ("from the disk", "again"):
            if title == "from the disk":
                forget(path)
            found = measure(path)
            frames = ", ".join(f"{value:.2f}" for value in found["frame_s"])
            print(
                f"{title}: {found['frames']} frames open in {found['open_s']:.2f} s; three of them take {frames} s; "
                f"memory {found['memory_mb']:.0f} MB"
            )


if __name__ == "__main__":
    main()
