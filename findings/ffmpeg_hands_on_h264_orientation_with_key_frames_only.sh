#!/bin/bash
# PyAV 18.1.0 (FFmpeg 8): the orientation that an H.264 stream itself states (a supplemental message, here "mirror left
# and right", persistent) comes as side data of key frames only. The frames between them carry none.
# Hurts: a reader that asks each frame for its orientation mirrors the first frame of a sequence and not the others; one that
# asks only the container sees none at all.
# Seen: frames with a display matrix: [0] of 30, which are one coded sequence; key frames: [0]
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


from av.sidedata.sidedata import Type

write("a.mkv", [scene(i) for i in range(30)], options={"g": "300", "bf": "0", "sc_threshold": "0"})
with av.open("a.mkv") as reader, av.open("b.mkv", "w") as writer:
    stream = reader.streams.video[0]
    target = writer.add_stream_from_template(stream)
    insert = av.BitStreamFilterContext("h264_metadata=display_orientation=insert:flip=horizontal", stream)
    for packet in [q for p in reader.demux(stream) for q in insert.filter(p if p.size else None)]:
        packet.stream = target
        writer.mux(packet)
with av.open("b.mkv") as container:
    frames = list(container.decode(video=0))
told = [i for i, frame in enumerate(frames) if frame.side_data.get(Type.DISPLAYMATRIX) is not None]
keys = [i for i, frame in enumerate(frames) if frame.key_frame]
print(f"frames with a display matrix: {told} of {len(frames)}, which are one coded sequence; key frames: {keys}")
assert told == keys == [0] and len(frames) == 30
PYTHON
