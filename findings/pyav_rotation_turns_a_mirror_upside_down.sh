#!/bin/bash
# PyAV 18.1.0: VideoFrame.rotation is -180 for a display matrix that mirrors left and right, and 0 for one that mirrors
# top and bottom. Only the angle is left of the matrix; whoever turns pictures by it shows a mirrored clip upside down.
# Hurts: clips of front cameras and mirrored exports: left and right of the person are exchanged, or the person stands
# on the head. The matrix itself is in frame.side_data.
# Seen: mirrored: rotation -180; upside down: rotation 0; transposed: rotation -90
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


import struct
from av.sidedata.sidedata import Type


def with_matrix(a, b, c, d):
    data = bytearray(open("a.mp4", "rb").read())
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    open("b.mp4", "wb").write(data)
    with av.open("b.mp4") as container:
        frame = next(container.decode(video=0))
        matrix = np.frombuffer(bytes(frame.side_data.get(Type.DISPLAYMATRIX)), np.int32)
        assert (matrix[[0, 1, 3, 4]] >> 16).tolist() == [a, b, c, d]
        return frame.rotation


write("a.mp4", [scene(i) for i in range(3)])
seen = {"mirrored": with_matrix(-1, 0, 0, 1), "upside down": with_matrix(1, 0, 0, -1), "transposed": with_matrix(0, 1, 1, 0)}
print("; ".join(f"{name}: rotation {angle}" for name, angle in seen.items()))
assert abs(seen["mirrored"]) == 180 and seen["upside down"] == 0 and abs(seen["transposed"]) == 90
PYTHON
