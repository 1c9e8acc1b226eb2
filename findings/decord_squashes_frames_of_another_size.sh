#!/bin/bash
# decord 0.6.0: where the size of the picture changes in the file, as in WebRTC recordings and window captures, later
# frames come scaled to the size of the first one, with another shape, and nothing says so. PyAV gives each its own size.
# Hurts: a person becomes half as wide between two frames; joints in pixels no longer fit the video.
# Seen: PyAV: frame 15 is 240x240; decord: frame 15 is 240x120
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

tall = [np.concatenate([scene(i), scene(i)]) for i in range(10)]
options = {"deadline": "realtime", "cpu-used": "8"}
write("a.webm", [scene(i) for i in range(10)], "libvpx-vp9", options)
write("b.webm", tall, "libvpx-vp9", options)
with av.open("ab.webm", "w") as writer:
    target = None
    for k, name in enumerate(("a.webm", "b.webm")):
        with av.open(name) as reader:
            target = target or writer.add_stream_from_template(reader.streams.video[0])
            for packet in reader.demux(video=0):
                if packet.size:
                    packet.pts, packet.dts = packet.pts + 334 * k, packet.dts + 334 * k
                    packet.stream = target
                    writer.mux(packet)
with av.open("ab.webm") as container:
    own = [(f.width, f.height) for f in container.decode(video=0)][15]
reader = decord.VideoReader("ab.webm")
height, width = [reader.next().shape for _ in range(16)][15][:2]
print(f"PyAV: frame 15 is {own[0]}x{own[1]}; decord: frame 15 is {width}x{height}")
assert own == (240, 240) and (width, height) == (240, 120)
PYTHON
