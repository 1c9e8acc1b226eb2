#!/bin/bash
# PyAV 18.1.0 (FFmpeg 8): a seek to the decoding time of a key frame, which FFmpeg's documentation of av_seek_frame does
# not rule out and which lands on that key frame in a transport stream, lands one key frame earlier in an MP4 with
# B-frames. There, FFmpeg takes the time for a presentation time.
# Hurts: random access decodes up to two groups of pictures instead of one (measured at 1080p: 1.4 s instead of 0.3 s).
# Seen: key frame 120: its decoding time leads to frame 60 in a.mp4 and to frame 120 in a.ts, its presentation time to
# frame 120 in a.mp4
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

RATE = 30


def write(path):
    """Encode 180 pictures with a key frame every 60 and two B-frames in a row."""
    options = {"bf": "2", "b_strategy": "0", "g": "60", "x264-params": "open-gop=0:scenecut=0"}
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for i in range(180):
            picture = np.roll(np.kron(np.random.default_rng(0).integers(0, 255, (6, 10, 3)), np.ones((16, 16, 1))), i, 1)
            frame = av.VideoFrame.from_ndarray(picture.astype(np.uint8), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def landed(path, kind):
    """Seek to the decoding or the presentation time of key frame 120; return the number of the frame reached."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        packets = [p for p in container.demux(stream) if p.size]
        first = min(p.pts for p in packets)
        number = lambda p: round(float((p.pts - first) * p.time_base) * RATE)
        key = next(p for p in packets if p.is_keyframe and number(p) == 120)
        container.seek(getattr(key, kind), stream=stream)
        return number(next(p for p in container.demux(stream) if p.is_keyframe))


for path in ("a.mp4", "a.ts"):
    write(path)
found = landed("a.mp4", "dts"), landed("a.ts", "dts"), landed("a.mp4", "pts")
print(f"key frame 120: its decoding time leads to frame {found[0]} in a.mp4 and to frame {found[1]} in a.ts, "
      f"its presentation time to frame {found[2]} in a.mp4")
assert found == (60, 120, 120)
PYTHON
