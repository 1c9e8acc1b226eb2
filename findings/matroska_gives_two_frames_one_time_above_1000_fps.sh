#!/bin/bash
# PyAV 18.1.0 (FFmpeg 8): a clip of a high-speed camera at 1,200 frames per second, copied into Matroska, WebM or FLV:
# every sixth frame gets the time of the one before it, without a warning, since these containers count milliseconds.
# FLV then says that the rate is 1,000.
# Hurts: frames are found by their times nearly everywhere; of two frames with one time, one is never found, and a
# speed between them is infinite.
# Seen: mkv: 25 times for 30 frames, rate 1200; flv: 25 times for 30 frames, rate 1000; mp4: 30 times, rate 1200
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
found = {}
for ending in ("mkv", "flv", "mp4"):
    path = f"fast.{ending}"
    write(path, pictures[:30], options={"bf": "0"}, rate=1200)
    with av.open(path) as container:
        rate = int(container.streams.video[0].average_rate)
        times = [frame.pts for frame in container.decode(video=0)]
    assert len(times) == 30
    found[ending] = (len(set(times)), rate)
    print(f"{ending}: {len(set(times))} times for 30 frames, rate {rate}")
assert found["mp4"] == (30, 1200) and found["mkv"][0] < 30 and found["mkv"][1] == 1200 and found["flv"][1] == 1000
PYTHON
