"""The checksums that FFV1 stores with each slice; FFmpeg's decoder fills wrong slices in, and says nothing.

Version 3 of FFV1 (RFC 9043) ends each slice with its size in three bytes and, if its encoder was asked to, as FFmpeg's
is by default, with a byte and a CRC-32 (polynomial 0x04C11DB7, highest bit first), which makes that of the whole 0.
"""

from __future__ import annotations

import zlib

_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_FOOTER = 8


def has_right_checksums(data: bytes) -> bool:
    """Return whether a packet is made of slices with right checksums; false for one without checksums."""
    end = len(data)
    while end > 0:
        size = int.from_bytes(data[end - _FOOTER : end - _FOOTER + 3], "big") + _FOOTER
        if size > end:
            return False
        # zlib has the same CRC-32, lowest bit first and inverted at both ends.
        part = data[end - size : end].translate(_REVERSED)
        if zlib.crc32(part, 0xFFFFFFFF) != 0xFFFFFFFF:
            return False
        end -= size
    return bool(data)
