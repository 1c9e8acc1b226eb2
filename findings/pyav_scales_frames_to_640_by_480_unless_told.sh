#!/bin/bash
# PyAV 18.1.0: a video stream that is not given a width and height does not take them from the first frame. It is
# 640 × 480, and every frame is scaled to that without a word.
# Hurts: a video made of a clip's own frames has another size and another shape, so that joints drawn later, or read by
# another tool, are in the wrong place.
# Seen: frames of 320 × 200, the file 640 × 480; with stream.width and stream.height set: 320 × 200
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
import av
import numpy as np


def size_of(told):
    with av.open("a.mp4", "w") as file:
        stream = file.add_stream("libx264", rate=30)
        stream.pix_fmt = "yuv420p"
        if told:
            stream.width, stream.height = 320, 200
        for _ in range(5):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((200, 320, 3), 90, np.uint8), format="rgb24")))
        file.mux(stream.encode(None))
    with av.open("a.mp4") as file:
        return file.streams.video[0].width, file.streams.video[0].height


print("not told:", size_of(False), "told:", size_of(True))
assert size_of(False) == (640, 480) and size_of(True) == (320, 200)
PYTHON
