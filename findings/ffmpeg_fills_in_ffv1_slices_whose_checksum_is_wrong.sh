#!/bin/bash
# FFmpeg in PyAV 18.1.0: FFV1 of version 3 stores a CRC-32 with each slice. The decoder compares it, writes a line to
# its log, and returns a picture all the same, with no error and without the mark of a damaged frame; it does so with
# err_detect=crccheck+explode, too.
# Hurts: archives choose FFV1 for its checksums; a program that reads them sees wrong pictures and no sign of it.
# Seen: 12 frames, errors: 0, marked as damaged: 0, changed pictures: 6
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
from fractions import Fraction

import av
import numpy as np

noise = np.random.default_rng(0).integers(0, 255, (96, 160, 3), dtype=np.uint8)
pictures = [np.roll(noise, 3 * i, 1) for i in range(12)]
with av.open("a.avi", "w") as container:
    stream = container.add_stream("ffv1", rate=25, options={"level": "3", "slicecrc": "1"})
    stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
    for i, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = i, Fraction(1, 25)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def read(change):
    errors, marked, shown = 0, 0, []
    with av.open("a.avi") as container:
        stream = container.streams.video[0]
        stream.codec_context.options = {"err_detect": "crccheck+explode"}
        for n, packet in enumerate(container.demux(stream)):
            if n == change:
                data = bytearray(bytes(packet))
                data[len(data) // 4 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 4)
                other = av.Packet(bytes(data))
                other.pts, other.dts, other.time_base, other.stream = packet.pts, packet.dts, packet.time_base, stream
                other.is_keyframe = packet.is_keyframe
                packet = other
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                errors += 1
                continue
            marked += sum(frame.is_corrupt for frame in frames)
            shown += [frame.to_ndarray(format="rgb24") for frame in frames]
    return errors, marked, shown


whole, (errors, marked, shown) = read(None)[2], read(6)
changed = sum(not np.array_equal(a, b) for a, b in zip(whole, shown))
print(f"{len(shown)} frames, errors: {errors}, marked as damaged: {marked}, changed pictures: {changed}")
assert len(shown) == 12 and not errors and not marked and changed
PYTHON
