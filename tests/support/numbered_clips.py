"""What the tests of the reader share: which codecs there are, and how to read, truncate and damage numbered clips."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import av

from dkd import Clip
from tests.support.video_files import CODECS, HEIGHT, WIDTH, has_encoder, read_number

N = 60
FRAME_BYTES = HEIGHT * WIDTH * 3
AVAILABLE = [name for name, (_, encoder, _) in CODECS.items() if has_encoder(encoder)]
HAS_DECORD = importlib.util.find_spec("decord") is not None
# What decord 0.6.0 cannot do: no AV1 decoder, no raw streams, and it begins a transport stream at its second key frame.
BEYOND_DECORD = {"av1", "h264_raw", "h264_transport_stream", "mpeg4_transport_stream"}
WITH_BACKENDS = [
    (name, backend)
    for name in AVAILABLE
    for backend in (["pyav", "decord"] if HAS_DECORD and name not in BEYOND_DECORD else ["pyav"])
]
rng = random.Random(7)
VFR_MS = [0]
for _ in range(N - 1):
    VFR_MS.append(VFR_MS[-1] + rng.choice((17, 33, 40, 120)))


def numbers(clip: Clip, order) -> list[int]:
    return [read_number(clip[i]) for i in order]


def cut(source: Path, target: Path, packet: int) -> Path:
    """Copy the file up to the middle of a packet, counted in the file's order."""
    with av.open(str(source)) as container:
        places = [(p.pos or 0, p.size) for p in container.demux(video=0) if p.size]
    begin, size = places[packet]
    target.write_bytes(source.read_bytes()[: begin + size // 2])
    return target


def damage(source: Path, target: Path, first: int, last: int, how: str) -> Path:
    """Overwrite packets ``first`` to ``last`` (exclusive, in file order) with zeros or, after a header, noise."""
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        places = [(packet.pos or 0, packet.size) for packet in container.demux(video=0) if packet.size]
    noise = random.Random(3)
    for begin, size in places[first:last]:
        end = begin + size
        if how == "zeros":
            data[begin:end] = bytes(end - begin)
        else:
            begin += (end - begin) // 3
            data[begin:end] = noise.randbytes(end - begin)
    target.write_bytes(data)
    return target
