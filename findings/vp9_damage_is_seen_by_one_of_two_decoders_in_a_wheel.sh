#!/bin/bash
# PyAV 18.1.0 has two decoders of VP9. With bytes of one packet overwritten by noise, the default one ("vp9") shows other
# pictures for the rest of the group and reports nothing, with or without err_detect=explode; "libvpx-vp9", in the same
# wheel, raises errors from that packet on.
# Hurts: "no error from the decoder" is read as "the file is whole"; recordings of browsers are VP9.
# Seen: vp9: 0 errors, 17 changed pictures; vp9 with explode: 0 errors, 17 changed pictures; libvpx-vp9: 18 errors, 0 changed
# pictures
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


write("a.webm", [scene(i) for i in range(30)], "libvpx-vp9", {"g": "30", "b": "1M", "deadline": "realtime", "cpu-used": "8"})


def decode(damaged, decoder=None, options=None):
    errors, pictures = 0, {}
    with av.open("a.webm") as container:
        stream = container.streams.video[0]
        context = stream.codec_context if decoder is None else av.CodecContext.create(decoder, "r")
        context.options = options or {}
        for n, packet in enumerate(p for p in container.demux(stream) if p.size):
            if damaged and n == 12:
                data = bytearray(bytes(packet))
                third = len(data) // 3
                data[third : third + 64] = np.random.default_rng(5).integers(0, 256, len(data[third : third + 64]), dtype=np.uint8).tobytes()
                pts = packet.pts
                packet = av.Packet(bytes(data))
                packet.pts = pts
            try:
                pictures |= {frame.pts: frame.to_ndarray() for frame in context.decode(packet)}
            except av.FFmpegError:
                errors += 1
    return errors, pictures


_, whole = decode(False)
seen = {}
for name, arguments in (("vp9", ()), ("vp9 with explode", (None, {"err_detect": "explode"})), ("libvpx-vp9", ("libvpx-vp9",))):
    errors, pictures = decode(True, *arguments)
    changed = sum(not np.array_equal(picture, whole[pts]) for pts, picture in pictures.items() if pts in whole)
    seen[name] = errors, changed
print("; ".join(f"{name}: {errors} errors, {changed} changed pictures" for name, (errors, changed) in seen.items()))
assert seen["vp9"][0] == seen["vp9 with explode"][0] == 0 < seen["vp9"][1] and seen["libvpx-vp9"][0] > 0
PYTHON
