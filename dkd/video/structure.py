"""Structure of container files, read without FFmpeg: what is missing, and what their own checksums say is damaged.

FFmpeg skips what it cannot read and says nothing. The sizes in a file's headers, and the checksums that Matroska may
hold, tell more.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

_SEGMENT, _CLUSTER, _CRC32 = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75", 0xBF
_KNOWN_LEVEL_1 = {
    0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, 0xEC, 0xBF,
}  # fmt: skip
_LONGEST_LENGTH = 8


def bytes_missing(path: Path) -> bool:
    """Return whether the file is shorter than its header says: AVI, Matroska/WebM, and MP4/MOV."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(4096)
        if head.startswith(b"RIFF"):
            stated = int.from_bytes(head[4:8], "little")
            return stated < 0xFFFFFFFF and size < stated + 8
        if (at := head.find(_SEGMENT)) >= 0 and head.startswith(b"\x1aE\xdf\xa3"):
            length = _ebml_length(head, at + 4)
            return length is not None and size < length[1] + length[0]
        if head[4:8] == b"ftyp":
            return any(end > size for _, _, end in boxes(file, 0, size))
    return False


def is_text(path: Path) -> bool:
    """Return whether a file begins like a text: UTF-8 without control characters."""
    with path.open("rb") as file:
        head = file.read(4096)
    for cut in range(4):  # the last character may be cut
        with suppress(UnicodeDecodeError):
            text = head[: len(head) - cut].decode()
            return not any(c < " " and c not in "\t\n\r\f" for c in text)
    return False


def lacks_index(path: Path) -> bool:
    """Return whether an MP4 or MOV file has pictures (``mdat``) but no index of them (``moov`` or ``moof``)."""
    with path.open("rb") as file:
        if file.read(8)[4:8] not in (b"ftyp", b"wide", b"mdat"):
            return False
        names = {name for name, _, _ in boxes(file, 0, path.stat().st_size)}
    return b"mdat" in names and not names & {b"moov", b"moof", b"meta"}


def boxes(file: BinaryIO, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, first byte of the content, end) of the boxes of an MP4 file that lie one after the other.

    The last one may state an end beyond ``end``, if the file was cut.
    """
    at = begin
    while at + 8 <= end:
        file.seek(at)
        head = file.read(16)
        length, width = int.from_bytes(head[:4], "big"), 8
        if length == 1 and len(head) == 16:
            length, width = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:  # to the end of the file
            length = end - at
        if length < width:
            return
        yield head[4:8], at + width, at + length
        at += length


class Fault(NamedTuple):
    """A stretch of a file that is damaged: its first byte, its last byte + 1, and whether its frames were skipped."""

    begin: int
    end: int
    unreadable: bool


def matroska_faults(path: Path) -> list[Fault]:
    """Find damaged stretches of a Matroska file: clusters that cannot be found, and ones with a wrong checksum.

    FFmpeg writes a CRC-32 for each cluster of an MKV (not of a WebM); its demuxer does not compare it.
    """
    size = path.stat().st_size
    faults: list[Fault] = []
    with path.open("rb") as file:
        head = file.read(4096)
        at = head.find(_SEGMENT)
        length = _ebml_length(head, at + 4) if at >= 0 else None
        if length is None:  # unknown: a live recording, whose clusters have no lengths either
            return []
        at, end = length[0], min(size, length[0] + length[1])
        while at < end:
            file.seek(at)
            start = file.read(12)
            identity, width = _ebml_id(start)
            inner = _ebml_length(start, width) if identity in _KNOWN_LEVEL_1 else None
            if inner is None:
                following = _next_cluster(file, at + 1, end)
                faults.append(Fault(at, following, True))
                at = following
                continue
            begin, after = at + inner[0], at + inner[0] + inner[1]
            if identity == 0x1F43B675 and after <= end and not _sound(file, begin, after):
                faults.append(Fault(at, after, False))
            at = after
    return faults


def _sound(file: BinaryIO, begin: int, after: int) -> bool:
    """Return whether a cluster has no checksum, or the right one."""
    file.seek(begin)
    head = file.read(6)
    if len(head) < 6 or head[0] != _CRC32 or head[1] != 0x84:
        return True
    checksum, left = 0, after - begin - 6
    while left > 0:
        block = file.read(min(left, 2**20))
        if not block:
            return True
        checksum = zlib.crc32(block, checksum)
        left -= len(block)
    return checksum == int.from_bytes(head[2:6], "little")


def _next_cluster(file: BinaryIO, at: int, end: int) -> int:
    while at < end:
        file.seek(at)
        block = file.read(min(2**20, end - at) + 3)
        if (found := block.find(_CLUSTER)) >= 0:
            return at + found
        at += 2**20
    return end


def _ebml_id(data: bytes) -> tuple[int, int]:
    width = 9 - data[0].bit_length() if data else 9
    return (int.from_bytes(data[:width], "big"), width) if width <= 4 and len(data) >= width else (-1, 0)


def _ebml_length(data: bytes, at: int) -> tuple[int, int] | None:
    """Return (bytes up to the content, counted from the start of ``data``; length), ``None`` if it is unknown."""
    if at >= len(data) or (width := 9 - data[at].bit_length()) > _LONGEST_LENGTH or at + width > len(data):
        return None
    unknown = (1 << 7 * width) - 1
    length = int.from_bytes(data[at : at + width], "big") & unknown
    return None if length == unknown else (at + width, length)
