#!/bin/bash
# PyAV 18.1.0: av.open takes a pathlib.Path, but hands it to FFmpeg as text, where "take:2.mp4" is the protocol "take".
# A file that exists, given as a Path, is "Protocol not found". The absolute path works.
# Hurts: names with a time of day or a take number, in scripts that run in the folder of the videos.
# Seen: exists: True; av.open(Path("take:2.mp4")): ProtocolNotFoundError; absolute: 3 frames
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
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


import os
from pathlib import Path

write("a.mp4", [scene(i) for i in range(3)])
os.rename("a.mp4", "take:2.mp4")
path = Path("take:2.mp4")
try:
    av.open(path)
    said = "opened"
except Exception as error:
    said = type(error).__name__
with av.open(path.absolute()) as container:
    count = sum(1 for _ in container.decode(video=0))
print(f'exists: {path.exists()}; av.open(Path("take:2.mp4")): {said}; absolute: {count} frames')
assert said == "ProtocolNotFoundError" and count == 3
PYTHON
