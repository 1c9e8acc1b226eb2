#!/bin/bash
# decord 0.6.0: of two video tracks of one size it shows the one with the higher bit rate, though the file marks the other
# as its default, which FFmpeg 8, OpenCV and players show. There is no argument to choose a track.
# Hurts: screen recordings with a camera, stereo and multi-view files: one tool tracks the person, the other the screen.
# Seen: mean grey of frame 5: track 0 (default) 60, track 1 126, decord 126
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check decord==0.6.0 av==18.1.0 numpy==2.4.6
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
import av
import numpy as np
from fractions import Fraction


def write(path, pictures, codec="libx264", options=None, stamps=None, container_options=None):
    """Encode pictures (H, W, 3) at 30 frames per second."""
    with av.open(path, "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=30, options=options or {})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = i if stamps is None else stamps[i], Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def scene(i):
    """A smooth random scene that moves to the left."""
    coarse = np.random.default_rng(0).integers(0, 255, (6, 12, 3))
    picture = np.kron(coarse, np.ones((20, 20, 1))).astype(np.uint8)
    return np.roll(picture, -2 * i, 1)


import decord

dull = [np.full((120, 240, 3), 60, np.uint8) for _ in range(30)]
rng = np.random.default_rng(0)
busy = [rng.integers(0, 255, (120, 240, 3), dtype=np.uint8) for _ in range(30)]
with av.open("a.mp4", "w") as container:
    streams = [container.add_stream("libx264", rate=30) for _ in range(2)]
    for stream in streams:
        stream.width, stream.height, stream.pix_fmt = 240, 120, "yuv420p"
    for i in range(30):
        for stream, pictures in zip(streams, (dull, busy)):
            frame = av.VideoFrame.from_ndarray(pictures[i], format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 30)
            container.mux(stream.encode(frame))
    for stream in streams:
        container.mux(stream.encode(None))
means = []
for track in (0, 1):
    with av.open("a.mp4") as container:
        means.append(next(f for i, f in enumerate(container.decode(video=track)) if i == 5).to_ndarray(format="rgb24").mean())
with av.open("a.mp4") as container:
    best = container.streams.best("video").index
reader = decord.VideoReader("a.mp4")
seen = [reader.next().asnumpy().mean() for _ in range(6)][5]
print(f"mean grey of frame 5: track 0 (default) {means[0]:.0f}, track 1 {means[1]:.0f}, decord {seen:.0f}")
assert best == 0 and abs(means[0] - 60) < 5 and abs(seen - means[1]) < 5
PYTHON
