"""Decoding that notices damage.

Decoders conceal damage: they fill in what is missing and report success. Four signs tell of it: an error, the mark that
the H.264 and MPEG decoders put on an incomplete picture, a frame that depends on a damaged one, and, for HEVC, VP8 and
VP9, a second decoder that gives another picture. On a whole file all decoders of a codec agree in every bit; on a
damaged one they read beyond the damage in different ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, cast

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from dkd.video.orientation import UPRIGHT, Orientation, orientation_of

# Codec → the decoder that its own one is compared with. HEVC has only one, which takes another way through the picture
# when it decodes the rows in parallel instead of several frames.
_SECOND = {"hevc": "hevc", "vp8": "libvpx", "vp9": "libvpx-vp9"}


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


class Checker:
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
        if not packet.size:
            self._drain()
        elif packet.pts is not None:
            # Leading pictures of the group at which this decoder begins lack what they refer to.
            if packet.pts >= self._start:
                self._due.add(packet.pts)
            self._decode(packet)

    def differs(self, frame: av.VideoFrame) -> bool:
        """Return whether the second decoder has another picture at the frame's time, or none."""
        if frame.pts is None or frame.pts not in self._due:
            return False
        self._due.discard(frame.pts)
        other = self._frames.pop(frame.pts, None)
        return other is None or not same_picture(frame, other)

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

    def _drain(self) -> None:
        if self._decoder is not None:
            self._decode(None)
            self._decoder = None


def make_checker(stream: VideoStream, wanted: Callable[[int], bool] = lambda _: True) -> Checker | None:
    """Return a checker for the codec of ``stream``; ``None`` if the installed FFmpeg has no second decoder for it."""
    name = _SECOND.get(stream.codec_context.codec.canonical_name)
    if name is None:
        return None
    try:
        av.Codec(name, "r")
    except UnknownCodecError:
        return None
    return Checker(name, stream, wanted)


def same_picture(a: av.VideoFrame, b: av.VideoFrame) -> bool:
    """Return whether two decoded frames are equal in every sample of their colour planes; transparency is ignored."""
    if (a.width, a.height) != (b.width, b.height):
        return False
    return all(np.array_equal(_samples(a, k), _samples(b, k)) for k in range(min(len(a.planes), len(b.planes), 3)))


def _samples(frame: av.VideoFrame, k: int) -> np.ndarray:
    plane = frame.planes[k]
    n_bytes = plane.width * ((frame.format.components[k].bits + 7) // 8)
    return np.frombuffer(cast(Any, plane), np.uint8).reshape(-1, plane.line_size)[: plane.height, :n_bytes]
