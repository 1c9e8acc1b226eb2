#!/bin/bash
# PyAV 18.1.0, opencv-python-headless 5.0.0.93, decord 0.6.0: a camera of 30 frames per second dropped a third of its
# frames. In MP4, all three report 20 frames per second, in Matroska and AVI 30, for the same frames at the same times.
# OpenCV counts the dropped frames in Matroska and AVI, but not in MP4.
# Hurts: speeds that are computed from "fps" change by a third when a file is copied into another container, and loops
# over CAP_PROP_FRAME_COUNT end in empty reads.
# Seen: mp4: PyAV 20, OpenCV 20.0 with 40 frames, decord 20.0; mkv: PyAV 30, OpenCV 30.0 with 60 frames, decord 30.0;
#       avi: PyAV 30, OpenCV 30.0 with 60 frames, decord 30.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check av==18.1.0 opencv-python-headless==5.0.0.93 decord==0.6.0 numpy==2.4.6
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
from fractions import Fraction

import av
import cv2
import decord
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
kept = [*range(20), *range(40, 60)]
found = {}
for ending in ("mp4", "mkv", "avi"):
    path = f"gap.{ending}"
    write(path, [pictures[i] for i in kept], kept, options={"bf": "0"})
    with av.open(path) as container:
        rate = container.streams.video[0].average_rate
        assert sum(1 for _ in container.decode(video=0)) == 40
    capture = cv2.VideoCapture(path)
    fps, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    by_decord = decord.VideoReader(path).get_avg_fps()
    found[ending] = (rate, fps, count, by_decord)
    print(f"{ending}: PyAV {rate}, OpenCV {fps} with {count:.0f} frames, decord {by_decord}")
assert found == {"mp4": (20, 20, 40, 20), "mkv": (30, 30, 60, 30), "avi": (30, 30, 60, 30)}
PYTHON
