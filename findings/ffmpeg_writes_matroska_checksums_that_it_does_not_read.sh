#!/bin/bash
# PyAV 18.1.0 (FFmpeg 8): its muxer writes a CRC-32 into each cluster of an MKV by default; its demuxer never compares
# them, not even with err_detect=crccheck+explode. One changed byte of a picture is read without an error.
# Hurts: archives in Matroska, chosen because "it has checksums", are as silent about damage as any other container.
# Seen: 30 of 30 frames, no error, 1 of 3 checksums does not match
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


import zlib

write("a.mkv", [scene(i) for i in range(30)], options={"g": "30"}, container_options={"cluster_time_limit": "300"})
data = bytearray(open("a.mkv", "rb").read())
with av.open("a.mkv") as container:
    packet = [p for p in container.demux(video=0) if p.size][12]
    data[packet.pos + packet.size - 2] ^= 1
open("b.mkv", "wb").write(data)
wrong = checked = at = 0
while (at := data.find(b"\x1f\x43\xb6\x75", at)) >= 0:
    width = 9 - data[at + 4].bit_length()
    length = int.from_bytes(data[at + 4 : at + 4 + width], "big") & ((1 << 7 * width) - 1)
    body = data[at + 4 + width : at + 4 + width + length]
    if body[:2] == b"\xbf\x84":
        checked += 1
        wrong += zlib.crc32(body[6:]) != int.from_bytes(body[2:6], "little")
    at += 4
with av.open("b.mkv", options={"err_detect": "crccheck+explode"}) as container:
    frames = [frame for frame in container.decode(video=0) if not frame.is_corrupt]
print(f"{len(frames)} of 30 frames, no error, {wrong} of {checked} checksums does not match")
assert len(frames) == 30 and wrong == 1 and checked > 1
PYTHON
