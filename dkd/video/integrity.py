"""Decoding that notices damage.

Decoders conceal damage: they fill in what is missing and report success. Six signs tell of it: an error, the mark that
the H.264 and MPEG decoders put on an incomplete picture, a frame that depends on a damaged one, for HEVC, VP8 and VP9 a
second decoder that gives another picture, for H.264 a gap in the numbers of its pictures (:mod:`dkd.video.h264`), and
for MJPEG what :mod:`dkd.video.jpeg` finds. On a whole file all decoders
of a codec agree in every bit; on a damaged one they read beyond the damage in different ways.

The second decoder of HEVC gets noise behind the data of each slice. The decoder of a whole slice stops at the slice's
last bit, which the standard guarantees; one that lost its place in the data and needs more of them reads the noise.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol, cast

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from dkd.video.ffv1 import has_right_checksums
from dkd.video.h264 import LostPictures
from dkd.video.jpeg import jpeg_fault
from dkd.video.orientation import UPRIGHT, Orientation, orientation_of

# Codec → the decoder that its own one is compared with. HEVC has only one, which takes another way through the picture
# when it decodes the rows in parallel instead of several frames.
_SECOND = {"hevc": "hevc", "vp8": "libvpx", "vp9": "libvpx-vp9"}
# No zeros: they would have to be escaped.
_NOISE = bytes(random.Random(5).randrange(0x40, 0x100) for _ in range(64))
_FIRST_HEVC_UNIT_WITHOUT_PICTURE = 32
_ZEROS = bytes(64)  # no coder of VP8 or VP9 writes so many; files that lost a part often have them


class Decoded(NamedTuple):
    """One result of a decoder: a frame, or ``None`` for a packet that could not be decoded."""

    frame: av.VideoFrame | None
    damaged: bool  # the frame, or one that it may depend on, is incomplete
    draining: bool  # it came after the file's last packet
    orientation: Orientation  # of the frame


def decoded(packets: Iterable[av.Packet], checker: Checker | None = None) -> Iterator[Decoded]:
    """Decode packets and yield every result in the decoder's order, with whether it is damaged.

    After a packet that fails, a frame that the decoder marks as incomplete, or one that the second decoder sees
    differently, frames count as damaged until the next complete key frame.

    An orientation holds until the next key frame: FFmpeg hands on that of H.264 with key frames only.
    """
    damaged, orientation = False, UPRIGHT
    for packet in packets:
        if checker is not None:
            checker.feed(packet)
        try:
            frames = packet.decode()
        except FFmpegError:
            damaged = True
            yield Decoded(None, True, not packet.size, orientation)
            continue
        for frame in frames:
            differs = checker is not None and checker.differs(frame)
            damaged = frame.is_corrupt or differs or (damaged and not frame.key_frame)
            stated = orientation_of(frame)
            if stated is not None or frame.key_frame:
                orientation = stated or UPRIGHT
            yield Decoded(frame, damaged, not packet.size, orientation)


class Checker(Protocol):
    """What looks for damage next to a decoder."""

    def feed(self, packet: av.Packet) -> None:
        """Look at a packet, before it is decoded."""

    def differs(self, frame: av.VideoFrame) -> bool:
        """Return whether a decoded frame is damaged."""


class JpegChecker:
    """Checks the coded data of each picture of MJPEG.

    Args:
        wanted: called with the presentation time of a picture: whether it is to be checked.
    """

    def __init__(self, wanted: Callable[[int], bool]):
        self._wanted = wanted
        self._damaged: set[int] = set()

    def feed(self, packet: av.Packet) -> None:
        """Check the picture of a packet, unless it was checked before."""
        is_due = packet.size and packet.dts is not None and (packet.pts is None or self._wanted(packet.pts))
        if is_due and jpeg_fault(bytes(packet)) is not None:
            self._damaged.add(packet.dts or 0)

    def differs(self, frame: av.VideoFrame) -> bool:
        """Return whether the frame's data are damaged."""
        return frame.dts is not None and frame.dts in self._damaged


class ChecksumChecker:
    """Checks the checksums of FFV1, if the first picture has them."""

    def __init__(self) -> None:
        self._has_checksums: bool | None = None
        self._damaged: set[int] = set()

    def feed(self, packet: av.Packet) -> None:
        """Compare the checksums of a packet."""
        if not packet.size or packet.dts is None:
            return
        is_right = has_right_checksums(bytes(packet))
        if self._has_checksums is None:
            self._has_checksums = is_right
        if self._has_checksums and not is_right:
            self._damaged.add(packet.dts)

    def differs(self, frame: av.VideoFrame) -> bool:
        """Return whether a checksum of the frame's data is wrong."""
        return frame.dts is not None and frame.dts in self._damaged


class SecondDecoder:
    """A second decoder next to the first. It is fed the same packets, and its pictures are compared.

    Args:
        name: name of the decoder in FFmpeg.
        stream: the video track that is decoded.
        wanted: called with the presentation time of each key frame: whether the frames from there to the next key frame
            are to be compared. Those that were compared before need not be.
    """

    def __init__(self, name: str, stream: VideoStream, wanted: Callable[[int], bool]):
        self._name = name
        self._extradata = stream.codec_context.extradata
        self._wanted = wanted
        self._decoder: VideoCodecContext | None = None
        self._start = 0
        self._due: set[int] = set()
        self._with_zeros: set[int] = set()
        self._frames: dict[int, av.VideoFrame] = {}

    def feed(self, packet: av.Packet) -> None:
        """Decode a packet, unless nothing of it is to be compared."""
        if packet.size and packet.is_keyframe and packet.pts is not None:
            if not self._wanted(packet.pts):
                self._drain()
            elif self._decoder is None:
                self._decoder = self._open()
                self._start = packet.pts
        if self._decoder is None:
            return
        if self._name != "hevc" and packet.pts is not None and _ZEROS in bytes(packet):
            self._with_zeros.add(packet.pts)
        if not packet.size:
            self._drain()
        elif packet.pts is not None:
            # Leading pictures of the group at which this decoder begins lack what they refer to.
            if packet.pts >= self._start:
                self._due.add(packet.pts)
            self._decode(self._with_noise(packet) if self._name == "hevc" else packet)

    def differs(self, frame: av.VideoFrame) -> bool:
        """Return whether the second decoder has another picture at the frame's time, or none."""
        if frame.pts is None or frame.pts not in self._due:
            return False
        self._due.discard(frame.pts)
        other = self._frames.pop(frame.pts, None)
        return frame.pts in self._with_zeros or other is None or not same_picture(frame, other)

    def _open(self) -> VideoCodecContext:
        decoder = av.CodecContext.create(self._name, "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.extradata = self._extradata
        decoder.thread_type = "SLICE"
        decoder.thread_count = 2
        return decoder

    def _decode(self, packet: av.Packet | None) -> None:
        assert self._decoder is not None
        try:
            for frame in self._decoder.decode(packet):
                if frame.pts is not None:
                    self._frames[frame.pts] = frame
        except FFmpegError:
            pass  # the frame will be missing

    def _with_noise(self, packet: av.Packet) -> av.Packet:
        changed = av.Packet(noise_behind_slices(bytes(packet), self._extradata))
        changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
        changed.is_keyframe = packet.is_keyframe
        return changed

    def _drain(self) -> None:
        if self._decoder is not None:
            self._decode(None)
            self._decoder = None


def make_checker(
    stream: VideoStream, wanted: Callable[[int], bool] = lambda _: True, timed: bool = True
) -> Checker | None:
    """Return a checker for the codec of ``stream``; ``None`` if there is none for it.

    Args:
        stream: the video track.
        wanted: see the checkers.
        timed: whether frames can be recognised by their presentation times; without them, two decoders cannot be
            compared.
    """
    codec = stream.codec_context.codec.canonical_name
    if codec == "mjpeg":
        return JpegChecker(wanted)
    if codec == "ffv1":
        return ChecksumChecker()
    if codec == "h264":
        return LostPictures(stream.codec_context.extradata)
    name = _SECOND.get(codec)
    if name is None or not timed:
        return None
    try:
        av.Codec(name, "r")
    except UnknownCodecError:
        return None
    return SecondDecoder(name, stream, wanted)


def noise_behind_slices(data: bytes, extradata: bytes | None) -> bytes:
    """Return a packet of HEVC with noise at the end of each slice.

    Args:
        data: the packet: units of data, each after its length (MP4, Matroska) or after a start code (all others).
        extradata: the decoder's configuration, which tells the two forms apart.
    """
    if not extradata or len(extradata) < 23 or extradata[0] != 1:
        start = b"\0\0\1"
        return start.join(_extended(unit) for unit in data.split(start))
    width = (extradata[21] & 3) + 1
    parts, at = [], 0
    while at + width < len(data):
        begin = at + width
        at = begin + int.from_bytes(data[at:begin], "big")
        unit = _extended(data[begin:at])
        if at > len(data) or len(unit) >= 256**width:
            return data
        parts.append(len(unit).to_bytes(width, "big") + unit)
    return b"".join(parts)


def _extended(unit: bytes) -> bytes:
    """Return a unit of HEVC data, with noise at its end if it is a slice; zeros behind that end do not belong to it."""
    inner = unit.rstrip(b"\0")
    is_slice = inner and (inner[0] >> 1) & 63 < _FIRST_HEVC_UNIT_WITHOUT_PICTURE
    return inner + _NOISE + unit[len(inner) :] if is_slice else unit


def same_picture(a: av.VideoFrame, b: av.VideoFrame) -> bool:
    """Return whether two decoded frames are equal in every sample of their colour planes; transparency is ignored."""
    if (a.width, a.height) != (b.width, b.height):
        return False
    return all(np.array_equal(_samples(a, k), _samples(b, k)) for k in range(min(len(a.planes), len(b.planes), 3)))


def _samples(frame: av.VideoFrame, k: int) -> np.ndarray:
    plane = frame.planes[k]
    n_bytes = plane.width * ((frame.format.components[k].bits + 7) // 8)
    return np.frombuffer(cast(Any, plane), np.uint8).reshape(-1, plane.line_size)[: plane.height, :n_bytes]
