"""Packets of an MP4 or MOV file from the tables in its header, so that hours of video open without reading them.

FFmpeg keeps a list of a track's samples (place, size, decoding time, key frame) but not their presentation times. These
are the decoding times plus the offsets of the table ``ctts``. The result is only used if it is beyond doubt: one plain
table that describes the whole track, all of it in the file, and the same as FFmpeg's own packets at the start and at
places over the whole file. In all other cases the packets are read.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from dkd.video.structure import boxes

_COMPARED_AT_START, _PLACES, _COMPARED_AT_PLACE = 64, 8, 8  # packets


class Packet(NamedTuple):
    """What is known of a packet without its content: times in the stream's time base, and where it is in the file."""

    pts: int | None
    dts: int | None
    key: bool
    hidden: bool  # removed by an edit list: decoded, but not shown
    corrupt: bool
    size: int
    pos: int


def packet_of(p: av.Packet) -> Packet:
    """Describe a packet of PyAV."""
    at = -1 if p.pos is None else p.pos
    return Packet(p.pts, p.dts, p.is_keyframe, p.is_discard, p.is_corrupt, p.size, at)


def packets_of_tables(path: Path, container: InputContainer, stream: VideoStream) -> list[Packet] | None:
    """Return a track's packets in file order, or ``None`` if the tables do not describe them beyond doubt."""
    entries = stream.index_entries
    if not len(entries):
        return None
    offsets = _offsets(path, stream.id, len(entries))
    if offsets is None:
        return None
    size = path.stat().st_size
    found = [
        Packet(e.timestamp + offset, e.timestamp, e.is_keyframe, e.is_discard, False, e.size, e.pos)
        for e, offset in zip(entries, offsets.tolist(), strict=True)
    ]
    if any(p.size <= 0 or p.pos < 0 or p.pos + p.size > size for p in found):
        return None
    try:
        return _agreed(found, container, stream)
    except FFmpegError:
        return None


def _agreed(found: list[Packet], container: InputContainer, stream: VideoStream) -> list[Packet] | None:
    """Return the packets with FFmpeg's shift of presentation times, if they equal those that FFmpeg reads."""
    first = next((packet_of(p) for p in container.demux(stream) if p.size), None)
    if first is None or first.pts is None or found[0].pts is None:
        return None
    shift = first.pts - found[0].pts
    found = [p._replace(pts=p.pts + shift) for p in found if p.pts is not None]
    by_place: dict[int | None, Packet] = {p.pos: p for p in found}
    keys = [p for p in found if p.key] or found[:1]
    starts = [keys[k] for k in sorted({round(k) for k in np.linspace(0, len(keys) - 1, _PLACES)})]
    for n, start in enumerate(starts):
        container.seek(start.pts, stream=stream)
        wanted = _COMPARED_AT_START if n == 0 else _COMPARED_AT_PLACE
        for packet in container.demux(stream):
            if not packet.size or wanted == 0:
                break
            if by_place.get(packet.pos) != packet_of(packet):
                return None
            wanted -= 1
    return found


def _offsets(path: Path, track: int, n: int) -> np.ndarray | None:
    """Return (n,) differences between presentation and decoding time; ``None`` if there is not one plain table."""
    with path.open("rb") as file:
        top = {name: (begin, end) for name, begin, end in boxes(file, 0, path.stat().st_size)}
        if b"moov" not in top or b"moof" in top:
            return None
        movie = list(boxes(file, *top[b"moov"]))
        if any(name == b"mvex" for name, _, _ in movie):  # fragments follow
            return None
        for name, begin, end in movie:
            if name == b"trak" and _track_number(file, begin, end) == track:
                return _of_track(file, begin, end, n)
    return None


def _track_number(file: BinaryIO, begin: int, end: int) -> int | None:
    header = _content(file, begin, end, b"tkhd")
    at = 20 if header[:1] == b"\1" else 12
    return int.from_bytes(header[at : at + 4], "big") if len(header) >= at + 4 else None


def _of_track(file: BinaryIO, begin: int, end: int, n: int) -> np.ndarray | None:
    edits = _content(file, begin, end, b"edts", b"elst")
    if edits and _shown_parts(edits) != 1:
        return None
    table = b"mdia", b"minf", b"stbl"
    sizes = _content(file, begin, end, *table, b"stsz")
    if int.from_bytes(sizes[8:12], "big") != n:
        return None
    stored = _content(file, begin, end, *table, b"ctts")
    if not stored:
        return np.zeros(n, np.int64)
    runs = int.from_bytes(stored[4:8], "big")
    if not 0 < runs <= n or len(stored) < 8 + 8 * runs:
        return None
    pairs = np.frombuffer(stored, ">i4", 2 * runs, 8).reshape(runs, 2).astype(np.int64)
    if (pairs[:, 0] <= 0).any() or pairs[:, 0].sum() != n:
        return None
    return np.repeat(pairs[:, 1], pairs[:, 0])


def _shown_parts(edits: bytes) -> int:
    """Return how many parts of the track an edit list shows; initial silence is none."""
    long = edits[:1] == b"\1"
    width = 20 if long else 12
    count = min(int.from_bytes(edits[4:8], "big"), (len(edits) - 8) // width)
    at = 8 if long else 4
    starts = (edits[8 + k * width :][at : 2 * at] for k in range(count))
    return sum(int.from_bytes(start, "big", signed=True) >= 0 for start in starts)


def _content(file: BinaryIO, begin: int, end: int, *names: bytes) -> bytes:
    """Return the content of a box inside others, by their names from the outside; empty if there is none."""
    for name in names:
        inside = next(((b, e) for found, b, e in boxes(file, begin, end) if found == name), None)
        if inside is None:
            return b""
        begin, end = inside
    file.seek(begin)
    return file.read(end - begin)
