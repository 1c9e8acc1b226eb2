#!/bin/bash
# opencv-python-headless 5.0.0.93: VideoCapture turns the frames of a phone's video by 90 degrees, as the file says, but
# CAP_PROP_SAR_NUM and _DEN stay those of the stored picture: 4:3 for pixels that are now 3:4.
# Hurts: whoever applies the reported shape, as one should, stretches the frame along the wrong side.
# Seen: stored 160x96, 4:3; OpenCV: frames of 96x160, pixels 4:3
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check av==18.1.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
from fractions import Fraction

import av
import cv2
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
write("phone.mp4", pictures[:5], aspect=Fraction(4, 3), rotation=90)
capture = cv2.VideoCapture("phone.mp4")
_, frame = capture.read()
shape = capture.get(cv2.CAP_PROP_SAR_NUM), capture.get(cv2.CAP_PROP_SAR_DEN)
print(f"stored 160x96, 4:3; OpenCV: frames of {frame.shape[1]}x{frame.shape[0]}, pixels {shape[0]:.0f}:{shape[1]:.0f}")
assert frame.shape == (160, 96, 3) and shape == (4, 3)
PYTHON
