"""PyAV reader of a clip: any frame by its number, exact, with damage noticed.

Not thread-safe: the clip that owns a reader holds a lock.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, dropwhile
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.error import FFmpegError

from dkd.errors import VideoCorruptError
from dkd.video.index import KeyPoint, VideoIndex
from dkd.video.integrity import decoded, make_checker
from dkd.video.opening import close_video, open_video, readable_packets
from dkd.video.orientation import UPRIGHT, Orientation


class _Numbered(NamedTuple):
    number: int
    frame: av.VideoFrame | None
    damaged: bool
    orientation: Orientation


class PyAVReader:
    """Frames by number, decoded by PyAV from the nearest key frame, each recognised by its presentation time.

    Frames are never counted after a seek: a seek may land elsewhere, and pictures around it may be dropped or
    incomplete. A frame is accepted only if its own time is the requested one and no frame before it, back to a key
    frame, was lost. Files without times (``index.pts is None``) are decoded from their start and counted.
    """

    _container: av.container.InputContainer | None = None

    def __init__(self, path: Path, index: VideoIndex):
        self._path = path
        self._index = index
        self.orientation = UPRIGHT
        self.pixel_aspect = Fraction(1)
        self._pts: list[int] | None = None if index.pts is None else index.pts.tolist()
        self._key_times = [key.pts for key in index.keys]
        self.damaged = set(index.damaged)
        self._compared: set[int] = set()  # frames on which two decoders agreed
        self._run: Iterator[_Numbered] = iter(())
        self._next: int | None = None  # number of the frame that the decoder yields next
        self._astray = False  # the last seek did not land where the index says

    def read(self, number: int, keep_from: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (number, (H, W, 3) uint8 RGB, upright) for ``number``, last.

        Before it come the frames from ``keep_from`` on that have to be decoded on the way to it.

        Raises:
            VideoCorruptError: the frame is damaged; it is then in ``damaged``.
        """
        reached = False
        for begin in self._attempts(number) if number not in self.damaged else ():
            if begin == "start" and reached:  # damaged: decoding from further back does not help
                break
            if begin != "go on":
                self._begin(begin)
            before = self._next is not None and self._next <= number
            for n, frame, damaged, orientation in self._run:
                if n > number:
                    break
                if frame is not None and not damaged and n >= keep_from:
                    yield n, self._upright(frame, orientation)
                    if n == number:
                        return
            reached = reached or (before and not self._astray)
        self.damaged.add(number)
        raise VideoCorruptError(
            f"frame {number} of {self._path.name} (at {self._index.times[number]:.3f} s) is damaged: it cannot be "
            "decoded completely; copy the file again from its source, or use the frames before it"
        )

    def _upright(self, frame: av.VideoFrame, orientation: Orientation) -> np.ndarray:
        """Convert a decoded frame to (H, W, 3) uint8 RGB, turned and mirrored as its file says."""
        self.orientation = orientation
        stored = self._stream.sample_aspect_ratio or self._stream.codec_context.sample_aspect_ratio
        self.pixel_aspect = self.orientation.pixel_aspect(stored)
        # One thread: starting several per frame costs more than it saves (measured at 1080p: 2.3 versus 3.0 ms).
        return self.orientation.apply(frame.to_ndarray(format="rgb24", threads=1))

    def close(self) -> None:
        """Close the file. The reader opens it again when it is used next."""
        self._run, self._next = iter(()), None
        if self._container is not None:
            close_video(self._container, self._stream)
            self._container = None

    def __del__(self) -> None:
        self.close()

    def _attempts(self, number: int) -> Iterator[KeyPoint | str]:
        """Yield points at which to begin decoding to reach ``number``, the cheapest first.

        The key frame before the nearest one comes second: some "key" frames only begin a recovery over several frames,
        and seeks in some containers land a little late. The start of the file is the last resort.
        """
        near = bisect_right(self._key_times, self._pts[number]) - 1 if self._pts else -1
        if self._next is not None and self._next <= number:
            gains_nothing = near < 0 or self._pts is None or self._key_times[near] <= self._pts[self._next]
            if gains_nothing:
                yield "go on"
        for k in range(near, max(near - 2, -1), -1):
            yield self._index.keys[k]
        yield "start"

    def _begin(self, at: KeyPoint | str) -> None:
        self._astray = False
        if self._container is None or not isinstance(at, KeyPoint):
            self.close()
            self._container, self._stream = open_video(self._path, self._index.track.number)
        packets = readable_packets(self._container, self._stream)
        if isinstance(at, KeyPoint):
            try:
                self._container.seek(at.seek, stream=self._stream)  # this also flushes the decoder
            except FFmpegError:  # the file's list of key frames is wrong
                self._astray, packets = True, iter(())
            # A seek may land between key frames; what is decoded from those packets is not usable.
            packets = dropwhile(lambda packet: packet.size and not packet.is_keyframe, packets)
            packets = self._known(packets)
        if self._pts is None:
            self._next = 0
            self._run = self._count(packets)
            return
        first = next(packets, None)
        self._next = bisect_left(self._pts, first.pts) if first and first.pts is not None else len(self._pts)
        self._run = self._recognise(chain((first,), packets) if first else packets, self._pts)

    def _known(self, packets: Iterator[av.Packet]) -> Iterator[av.Packet]:
        """Yield packets as long as each has the size that the index lists for its time.

        In a program stream (.mpg) not every packet carries its time; after a seek the demuxer guesses it, wrongly.
        """
        for packet in packets:
            if packet.size and (packet.pts is None or self._index.sizes.get(packet.pts) != packet.size):
                self._astray = True
                return
            yield packet

    def _count(self, packets: Iterator[av.Packet]) -> Iterator[_Numbered]:
        for number, result in enumerate(decoded(packets)):
            self._next = number + 1
            yield _Numbered(number, result.frame, result.damaged, result.orientation)

    def _recognise(self, packets: Iterator[av.Packet], pts: list[int]) -> Iterator[_Numbered]:
        """Number frames by their times. After a missing frame, all count as damaged up to the next key frame."""
        lost = False
        expected = self._next or 0
        checker = None if self._index.checked else make_checker(self._stream, self._not_compared)
        for frame, damaged, _, orientation in decoded(packets, checker):
            if frame is None or frame.pts is None:
                continue
            number = bisect_left(pts, frame.pts)
            # Not in the index: hidden by an edit list. Before the key frame of the start: a leading picture of an open
            # group.
            if number < expected or number == len(pts) or pts[number] != frame.pts:
                continue
            lost = not frame.key_frame and (lost or number > expected)
            self._next = expected = number + 1
            if not (damaged or lost):
                self._compared.add(number)
            yield _Numbered(number, frame, damaged or lost, orientation)

    def _not_compared(self, key: int) -> bool:
        """Return whether a frame from the key frame at time ``key`` to the next one was not yet compared."""
        pts = self._pts or []
        following = bisect_right(self._key_times, key)
        stop = bisect_left(pts, self._key_times[following]) if following < len(self._key_times) else len(pts)
        return not self._compared.issuperset(range(bisect_left(pts, key), stop))
