"""Lost pictures in H.264: the standard numbers the pictures that others refer to, so a missing one leaves a gap.

A decoder fills such a gap with the picture before it and reports success; what it shows is wrong up to the next key
frame. A picture that was dropped before it was encoded leaves no gap in these numbers (ITU-T H.264, 7.4.3: frame_num).
"""

from __future__ import annotations

import re
from typing import NamedTuple

import av

_SLICE, _KEY_SLICE, _SEQUENCE, _PICTURE = 1, 5, 7, 8
# Profiles whose sequence parameters also describe the colour format and scaling lists.
_HIGH_PROFILES = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}
_LONGEST_SLICE_HEADER = 32  # bytes, up to and including frame_num
_BITS_OF_LONGEST_CODE = 32


class _Sequence(NamedTuple):
    """What a sequence parameter set says about the numbers of its pictures."""

    bits: int
    gaps_allowed: bool
    separate_planes: bool


class LostPictures:
    """Finds pictures of H.264 that refer to a lost one; a checker for :func:`dkd.video.integrity.decoded`.

    Numbers that fall back to 0 or 1 are not judged: the encoder may have begun to count again.

    Args:
        extradata: the decoder's configuration.
    """

    def __init__(self, extradata: bytes | None):
        self._sequences: dict[int, _Sequence] = {}
        self._pictures: dict[int, int] = {}  # picture parameter set → sequence parameter set
        self._length_bytes = 0  # 0: units stand after start codes
        self._last: int | None = None  # number of the last picture that others may refer to
        self._is_lost = False
        self._lost: set[int] = set()  # times of packets
        if extradata and extradata[0] == 1 and len(extradata) > 6:
            self._length_bytes = (extradata[4] & 3) + 1
            self._parameters(_of_configuration(extradata))
        elif extradata:
            self._parameters(_after_start_codes(extradata))

    def feed(self, packet: av.Packet) -> None:
        """Look at a packet, before it is decoded."""
        if not packet.size:
            return
        data = bytes(packet)
        units = _after_lengths(data, self._length_bytes) if self._length_bytes else _after_start_codes(data)
        self._parameters(units)
        slices = [unit for unit in units if unit and unit[0] & 31 in (_SLICE, _KEY_SLICE)]
        if slices:
            self._follow(slices[0])
        if self._is_lost and packet.pts is not None:
            self._lost.add(packet.pts)

    def differs(self, frame: av.VideoFrame) -> bool:
        """Return whether a decoded frame may refer to a lost one."""
        return frame.pts is not None and frame.pts in self._lost

    def _follow(self, unit: bytes) -> None:
        """Compare a picture's number with the one before it."""
        kind, is_reference = unit[0] & 31, bool(unit[0] & 0x60)
        try:
            number, sequence = self._number(unit)
        except (ValueError, KeyError):  # its parameters are not known, or it is damaged: the decoder will say so
            return
        if kind == _KEY_SLICE:
            self._is_lost = False
        elif self._last is not None and not sequence.gaps_allowed:
            step = (number - self._last) % (1 << sequence.bits)
            self._is_lost |= step > 1 and number > 1
        if is_reference or kind == _KEY_SLICE or self._is_lost:
            self._last = number

    def _number(self, unit: bytes) -> tuple[int, _Sequence]:
        bits = _Bits(unit[1:_LONGEST_SLICE_HEADER])
        bits.code()  # first macroblock
        bits.code()  # kind of slice
        sequence = self._sequences[self._pictures[bits.code()]]
        if sequence.separate_planes:
            bits.take(2)
        return bits.take(sequence.bits), sequence

    def _parameters(self, units: list[bytes]) -> None:
        for unit in units:
            kind = unit[0] & 31 if unit else 0
            try:
                if kind == _SEQUENCE:
                    name, sequence = _read_sequence(unit)
                    self._sequences[name] = sequence
                elif kind == _PICTURE:
                    bits = _Bits(unit[1:_LONGEST_SLICE_HEADER])
                    self._pictures[bits.code()] = bits.code()
            except ValueError:
                pass  # damaged, or cut short


class _Bits:
    """Reads bits from a unit of H.264, highest first.

    Raises:
        ValueError: (by its methods) there are not enough bits.
    """

    def __init__(self, data: bytes):
        data = data.replace(b"\0\0\3", b"\0\0")  # the third byte only keeps data from looking like a start code
        self._value, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, n: int) -> int:
        """Return the next ``n`` bits as a number."""
        if n > self._left:
            raise ValueError("the unit ends early")
        self._left -= n
        return (self._value >> self._left) & ((1 << n) - 1)

    def code(self) -> int:
        """Return the next Exp-Golomb code as an unsigned number."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > _BITS_OF_LONGEST_CODE:
                raise ValueError("no valid code")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """Return the next Exp-Golomb code as a signed number."""
        code = self.code()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def _read_sequence(unit: bytes) -> tuple[int, _Sequence]:
    """Return the number of a sequence parameter set, and what it says."""
    bits = _Bits(unit[1:])
    profile = bits.take(8)
    bits.take(16)  # constraints, level
    name = bits.code()
    separate = False
    if profile in _HIGH_PROFILES:
        colour = bits.code()
        separate = colour == 3 and bool(bits.take(1))
        bits.code()  # bits per sample of luminance
        bits.code()  # and of colour
        bits.take(1)
        if bits.take(1):
            for k in range(12 if colour == 3 else 8):
                if bits.take(1):
                    _skip_scaling_list(bits, 16 if k < 6 else 64)
    n_bits = bits.code() + 4
    order = bits.code()
    if order == 0:
        bits.code()
    elif order == 1:
        bits.take(1)
        for _ in range(2):
            bits.code()
        for _ in range(min(bits.code(), 255)):
            bits.code()
    bits.code()  # number of reference pictures
    if n_bits > 16:
        raise ValueError("no valid sequence parameter set")
    return name, _Sequence(n_bits, bool(bits.take(1)), separate)


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last, following = 8, 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _after_start_codes(data: bytes) -> list[bytes]:
    return re.split(b"\0\0\1", data)[1:]


def _after_lengths(data: bytes, width: int) -> list[bytes]:
    units, at = [], 0
    while at + width <= len(data):
        begin = at + width
        at = begin + int.from_bytes(data[at:begin], "big")
        units.append(data[begin:at])
    return units


def _of_configuration(data: bytes) -> list[bytes]:
    """Return the parameter sets in the configuration of MP4, Matroska and FLV ("avcC")."""
    units: list[bytes] = []
    at, count = 6, data[5] & 31  # sequence parameter sets; then comes the number of picture parameter sets
    for _ in range(2):
        for _ in range(count):
            size = int.from_bytes(data[at : at + 2], "big")
            units.append(data[at + 2 : at + 2 + size])
            at += 2 + size
        count, at = data[at] if at < len(data) else 0, at + 1
    return units
