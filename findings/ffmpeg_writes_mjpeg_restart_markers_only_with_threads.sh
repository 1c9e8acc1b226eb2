#!/bin/bash
# PyAV 18.1.0 (FFmpeg 8): the MJPEG encoder writes restart markers if it has two threads or more, and none with one. The
# same settings thus give other files on another machine: PyAV lets FFmpeg choose the number of threads.
# Hurts: checksums of test files differ between machines, and so does what a damaged byte destroys: a picture without
# restart markers is lost from there to its end, one with them only to the end of a row.
# Seen: bytes and markers by threads: {1: (5473, 0), 2: (9955, 14), 4: (9955, 14)}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
from fractions import Fraction

import av
import numpy as np


def write(path, pictures, stamps=None, codec="libx264", options=None, rate=30, aspect=None, rotation=0, form="yuv420p"):
    """Encode pictures (H, W, 3) at a constant rate."""
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = form
        stream.codec_context.time_base = Fraction(1, rate)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = i if stamps is None else stamps[i], Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


noise = np.random.default_rng(0)
pictures = [noise.integers(0, 255, (96, 160, 3), dtype=np.uint8) for _ in range(60)]
smooth = np.kron(noise.integers(0, 255, (12, 20, 3)), np.ones((20, 16, 1))).astype(np.uint8)
found = {}
for threads in (1, 2, 4):
    options = {"threads": str(threads), "qmin": "2", "qmax": "2"}
    write("a.avi", [smooth] * 2, codec="mjpeg", options=options, form="yuvj420p")
    with av.open("a.avi") as container:
        data = bytes(next(container.demux(video=0)))
    found[threads] = (len(data), sum(data.count(bytes([0xFF, 0xD0 + k])) for k in range(8)))
print(f"bytes and markers by threads: {found}")
assert found[1][1] == 0 and found[2] == found[4] and found[2][1] > 0 and found[2][0] > found[1][0]
PYTHON
