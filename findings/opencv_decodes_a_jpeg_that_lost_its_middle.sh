#!/bin/bash
# opencv-python-headless 5.0.0.93, simplejpeg 1.9.0: a third of the bytes in the middle of a JPEG are zero, as after a
# lost block of a disk. cv2.imdecode, which refuses a JPEG that was cut at its end, returns a picture. libjpeg, which
# OpenCV uses, does warn; OpenCV keeps the warning to itself, simplejpeg raises it.
# Hurts: a data set is trained and measured on with pictures of which a part is noise or grey, although every picture
# was read with the check that is recommended.
# Seen: OpenCV: (240, 320, 3), 70% of its pixels are wrong; simplejpeg: Corrupt JPEG data: premature end of data
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 simplejpeg==1.9.0 av==18.1.0 numpy==2.4.6
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
from fractions import Fraction

import av
import cv2
import simplejpeg
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
smooth = np.kron(noise.integers(0, 255, (12, 16, 3)), np.ones((20, 20, 1))).astype(np.uint8)
data = cv2.imencode(".jpg", smooth)[1].tobytes()
third = len(data) // 3
holed = data[:third] + bytes(third) + data[2 * third :]
whole, read = (cv2.imdecode(np.frombuffer(d, np.uint8), cv2.IMREAD_COLOR) for d in (data, holed))
wrong = float((np.abs(read.astype(int) - whole).max(-1) > 30).mean())
try:
    said = simplejpeg.decode_jpeg(holed).shape
except ValueError as error:
    said = str(error)
print(f"OpenCV: {read.shape}, {wrong:.0%} of its pixels are wrong; simplejpeg: {said}")
assert read.shape == whole.shape and wrong > 0.2 and "Corrupt JPEG data" in said
PYTHON
