#!/bin/bash
# PyAV 18.1.0: reading frame.side_data makes the frame and its side data keep each other. Such frames are not freed when
# they are dropped, but when Python next looks for cycles, which counts objects and not bytes.
# Hurts: a loop over a video that asks each frame for its display matrix holds hundreds of megabytes of frames.
# Seen: alive without side_data: 0; with it: 60; with SideDataContainer(frame): 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
import gc
from fractions import Fraction

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type

with av.open("a.mp4", "w") as container:
    stream = container.add_stream("libx264", rate=25)
    stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
    for i in range(60):
        frame = av.VideoFrame.from_ndarray(np.full((96, 160, 3), 4 * i, np.uint8), format="rgb24")
        frame.pts, frame.time_base = i, Fraction(1, 25)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
del frame


def alive(use):
    gc.collect()
    with av.open("a.mp4") as container:
        for frame in container.decode(video=0):
            use(frame)
    del frame
    return sum(isinstance(one, av.VideoFrame) for one in gc.get_objects())


gc.disable()
plain = alive(lambda frame: frame.pts)
cycle = alive(lambda frame: frame.side_data.get(Type.DISPLAYMATRIX))
apart = alive(lambda frame: SideDataContainer(frame).get(Type.DISPLAYMATRIX))
print(f"alive without side_data: {plain}; with it: {cycle}; with SideDataContainer(frame): {apart}")
assert (plain, cycle, apart) == (0, 60, 0)
PYTHON
