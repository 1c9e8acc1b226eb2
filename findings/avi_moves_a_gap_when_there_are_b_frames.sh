#!/bin/bash
# PyAV 18.1.0 (FFmpeg 8): a recording drops frames 10 to 29. Written to AVI as H.264 with B-frames and read back by the
# same library, the gap has moved. AVI stores the order of decoding only; FFmpeg then computes presentation times from it.
# In MP4 the times are right.
# Hurts: speeds around a gap; the frame numbers at which a video is joined with other sensors.
# Seen: the gap of 20 frames is after frame 9 in a.mp4 and after frame 8 in a.avi
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


stamps = [*range(10), *range(30, 60)]
places = {}
for name in ("a.mp4", "a.avi"):
    write(name, [scene(i) for i in stamps], options={"bf": "3", "b_strategy": "0"}, stamps=stamps)
    with av.open(name) as container:
        times = np.array([float(frame.pts * frame.time_base) for frame in container.decode(video=0)])
    steps = np.diff(times)
    places[name] = int(steps.argmax())
print("the gap of 20 frames is after frame " + " and after frame ".join(f"{at} in {name}" for name, at in places.items()))
assert places["a.mp4"] == 9 and places["a.avi"] != 9
PYTHON
