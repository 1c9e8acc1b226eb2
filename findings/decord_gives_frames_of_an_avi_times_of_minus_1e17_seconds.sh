#!/bin/bash
# decord 0.6.0: VideoReader.get_frame_timestamp of an AVI file with H.264 returns times of about -3e17 seconds: FFmpeg's
# mark for "no time", multiplied by the unit of time. PyAV 18.1.0 gives the frames of the same file their times.
# Hurts: whoever asks decord for the times of frames, as one should, gets numbers without an error, and their
# differences overflow.
# Seen: decord: [-3.0744575e+17 -3.0744575e+17]; PyAV: [0.03333333333333333, 0.06666666666666667]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check av==18.1.0 decord==0.6.0 numpy==2.4.6
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
from fractions import Fraction

import av
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
write("plain.avi", pictures, options={"bf": "0"})
first = decord.VideoReader("plain.avi").get_frame_timestamp(0)
with av.open("plain.avi") as container:
    times = [frame.time for frame in container.decode(video=0)][:2]
print(f"decord: {first}; PyAV: {times}")
assert first[0] < -1e17 and times[1] - times[0] == 1 / 30
PYTHON
