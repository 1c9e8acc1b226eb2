"""What looking for damage costs: reading all frames of a clip for the first time, compared with the second time.

python -m benchmarks.video

On the first read, HEVC, VP8 and VP9 are decoded twice, and the data of MJPEG are judged. The clips are made here, of
moving noise and shapes. Medians and ratios within one run.
"""

from __future__ import annotations

import os
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.video.stream import VideoStream

from dkd import Clip

ROUNDS = 5
N_FRAMES = 60
SIZES = ((640, 360), (1280, 720))
KINDS: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "H.264 in MP4": (".mp4", "libx264", "yuv420p", {"preset": "veryfast"}),
    "HEVC in MP4": (".mp4", "libx265", "yuv420p", {"preset": "ultrafast", "x265-params": "log-level=none"}),
    "HEVC in MP4, one row after the other": (
        ".mp4", "libx265", "yuv420p", {"preset": "ultrafast", "x265-params": "log-level=none:wpp=0"},
    ),
    "VP9 in WebM": (".webm", "libvpx-vp9", "yuv420p", {"b": "2M", "deadline": "realtime", "cpu-used": "8"}),
    "MJPEG in MOV": (".mov", "mjpeg", "yuvj420p", {"qmin": "3", "qmax": "3"}),
}  # fmt: skip


def scene(width: int, height: int) -> list[np.ndarray]:
    """Return frames (H, W, 3) uint8: a textured background that moves, and noise as a camera adds it."""
    chance = np.random.default_rng(0)
    coarse = chance.integers(0, 255, (height // 20, width // 10, 3), dtype=np.uint8)
    wide = cv2.resize(coarse, (2 * width, height)).astype(np.int16)
    noise = chance.integers(-6, 7, (8, height, width, 3), dtype=np.int16)
    return [np.clip(wide[:, 4 * t : 4 * t + width] + noise[t % 8], 0, 255).astype(np.uint8) for t in range(N_FRAMES)]


def write(path: Path, frames: list[np.ndarray], codec: str, pixel_format: str, options: dict[str, str]) -> None:
    """Encode frames at 30 frames per second."""
    with av.open(str(path), "w") as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=30, options=options))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixel_format
        for t, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = t, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def reading_ms(clip: Clip) -> float:
    """Return the time to read all frames in order, in ms per frame."""
    begin = time.perf_counter()
    for _ in clip:
        pass
    return 1e3 * (time.perf_counter() - begin) / len(clip)


def main() -> None:
    print(f"{os.cpu_count()} cores; ms per frame, median of {ROUNDS}")
    print("| clip | first read | second read | ratio |")
    print("| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for width, height in SIZES:
            frames = scene(width, height)
            for name, (suffix, codec, pixel_format, options) in KINDS.items():
                path = Path(folder) / f"clip{suffix}"
                write(path, frames, codec, pixel_format, options)
                times = []
                for _ in range(ROUNDS):
                    with Clip(path, cache_bytes=0) as clip:
                        times.append((reading_ms(clip), reading_ms(clip)))
                first, second = np.median(times, 0)
                ratio = np.median([a / b for a, b in times])
                print(f"| {name}, {height}p | {first:.1f} | {second:.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
