"""Signs of damage in JPEG data, for pictures of a data set and for MJPEG video.

A JPEG has no checksum, and decoders fill in what is missing. Three things tell of damage all the same: the markers, the
length of the coded data, which must end where the picture does, and the mean of each block, which must be one that a
picture of 8-bit samples can have.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import simplejpeg

_FULL, _MIDDLE = 255, 128
# Webcams put up to nine bytes in front of a marker in each picture; libjpeg warns of them.
PADDING_BYTES = 16
_STEPS_OF_ROUNDING = 2.0
# Transform 0: the components are returned as stored, instead of as red, green and blue.
_AS_STORED = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"


def jpeg_is_whole(data: bytes) -> bool:
    """Return whether JPEG data goes from its start marker to its end marker, with only legal markers in the scans.

    A picture that lost its end has no end marker, or another file's bytes in place of it. This cannot notice bytes
    that were changed within a scan without forming a marker; :func:`jpeg_fault` notices most of them.
    """
    if not data.startswith(b"\xff\xd8"):
        return False
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return False
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker == 0xD9:
            return True
        elif marker == 0xDA:
            at = _end_of_scan(data, at + 2 + int.from_bytes(data[at + 2 : at + 4], "big"))
        elif marker == 0 or 0xD0 <= marker <= 0xD8:
            return False
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data[at : at + 2] == b"\xff\xd9"


def _end_of_scan(data: bytes, at: int) -> int:
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7 and data[at + 1] != 0xFF:
            return at
        at += 1 if data[at + 1] == 0xFF else 2
    return len(data)


def jpeg_fault(data: bytes, padding: float = PADDING_BYTES) -> str | None:
    """Return a sign of damage in the coded data of a JPEG, in words; ``None`` if there is none.

    The picture is decoded at an eighth of its size, from the means of its blocks alone: that takes less than half the
    time of decoding it. Two signs prove damage. First, the decoder needs more data than there are, or does not use them
    up. Second, a mean lies outside the range of 8-bit samples: means are stored as differences, so that one that is
    wrong changes all after it, up to the next restart marker. Data that the decoder does not know are not judged.

    Args:
        data: a JPEG, or a picture of MJPEG video.
        padding: number of bytes that may be left over in front of a marker.
    """
    header = _read_header(data)
    if header is None:
        return None
    try:
        means = simplejpeg.decode_jpeg(
            header.means_only(data), "GRAY" if header.grey else "RGB", min_height=1, min_width=1, min_factor=8
        )
    except ValueError as error:
        return _meaning(str(error), padding)
    offset = np.abs(means.astype(np.int16) - _MIDDLE).reshape(-1, means.shape[-1]).max(0)
    if any(offset > header.largest_offsets):
        return "a block is brighter or darker than a picture can be"
    return None


def _meaning(message: str, padding: float) -> str | None:
    """Return what an error of libjpeg means, if it proves damage."""
    padded = re.search(r"(\d+) extraneous bytes", message)
    if padded is not None:
        return f"{padded[1]} bytes of it are left over" if int(padded[1]) > padding else None
    if "premature end of data segment" in message:
        return "its data end too early"
    return "its data are no valid code" if "bad Huffman code" in message else None


class _Header(NamedTuple):
    kept: bytes  # the segments that a decoder needs, with quantisation tables for the means only
    scan: int  # where the first scan begins
    grey: bool
    largest_offsets: np.ndarray  # of a mean from the middle of the range, per component

    def means_only(self, data: bytes) -> bytes:
        """Return the picture with all but the means of its blocks set to zero, and these scaled by about a half."""
        end = b"" if data.rstrip(b"\0").endswith(b"\xff\xd9") else b"\xff\xd9"  # some cameras leave out the end marker
        return b"\xff\xd8" + (b"" if self.grey else _AS_STORED) + self.kept + data[self.scan :] + end


def _read_header(data: bytes) -> _Header | None:
    kept: list[bytes] = []
    steps: dict[int, int] = {}
    tables: list[int] = []
    at = 2
    while data.startswith(b"\xff\xd8") and at + 4 <= len(data) and data[at] == 0xFF:
        marker, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at:end]
        if marker == 0xDB:
            segment = _halved(segment, steps)
        elif marker in (0xC0, 0xC1, 0xC2) and len(segment) >= 10 + 3 * segment[9] and segment[4] == 8:
            tables = [segment[12 + 3 * k] for k in range(segment[9])]
        if marker == 0xDA:
            if len(tables) not in (1, 3) or not all(steps.get(t) for t in tables):
                return None
            largest = [_half(steps[t]) * (_MIDDLE / steps[t] + _STEPS_OF_ROUNDING / 8) + 1 for t in tables]
            return _Header(b"".join(kept), at, len(tables) == 1, np.array(largest))
        if not 0xE0 <= marker <= 0xEF and marker != 0xFE:  # applications' segments and comments change no sample
            kept.append(segment)
        at = end
    return None


def _half(step: int) -> int:
    return max(1, step // 2)


def _halved(segment: bytes, steps: dict[int, int]) -> bytes:
    """Return quantisation tables with half the step for the means and 0 for all else; note the steps in ``steps``."""
    changed, at = bytearray(segment), 4
    while at < len(segment):
        width = 1 + (segment[at] >> 4)
        step = int.from_bytes(segment[at + 1 : at + 1 + width], "big")
        steps[segment[at] & 15] = step
        changed[at + 1 : at + 1 + 64 * width] = _half(step).to_bytes(width, "big") + bytes(63 * width)
        at += 1 + 64 * width
    return bytes(changed[: len(segment)])
