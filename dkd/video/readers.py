"""The two decoders of a clip: PyAV, exact at any frame, and decord, for reading forward.

Neither is thread-safe: the clip that owns a reader holds a lock.
"""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import chain, dropwhile
from pathlib import Path

import av
import numpy as np

from dkd.errors import VideoCorruptError
from dkd.video.index import KeyPoint, VideoIndex, decoded, open_video

_Numbered = tuple[int, av.VideoFrame | None, bool]  # frame number, the frame if there is one, whether it is damaged


class PyAVReader:
    """Frames by number, decoded by PyAV from the nearest key frame, each recognised by its presentation time.

    Frames are never counted after a seek: a seek may land elsewhere, and pictures around it may be dropped or
    incomplete. A frame is accepted only if its own time is the requested one and no frame before it, back to a key
    frame, was lost. Files without times (``index.pts is None``) are decoded from their start and counted.
    """

    def __init__(self, path: Path, index: VideoIndex):
        self._path = path
        self._index = index
        self._pts: list[int] | None = None if index.pts is None else index.pts.tolist()
        self._key_times = [key.pts for key in index.keys]
        self._damaged = set(index.damaged)
        self._container: av.container.InputContainer | None = None
        self._run: Iterator[_Numbered] = iter(())
        self._next: int | None = None  # number of the frame that the decoder yields next
        self._astray = False  # the last seek did not land where the index says

    def read(self, number: int, keep_from: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (number, (H, W, 3) uint8 RGB, upright) for ``number``, last.

        Before it come the frames from ``keep_from`` on that have to be decoded on the way to it.

        Raises:
            VideoCorruptError: the frame is damaged.
        """
        reached = False
        for begin in self._attempts(number) if number not in self._damaged else ():
            if begin == "start" and reached:  # damaged: decoding from further back does not help
                break
            if begin != "go on":
                self._begin(begin)
            before = self._next is not None and self._next <= number
            for n, frame, damaged in self._run:
                if n > number:
                    break
                if frame is not None and not damaged and n >= keep_from:
                    yield n, to_rgb(frame)
                    if n == number:
                        return
            reached = reached or (before and not self._astray)
        self._damaged.add(number)
        raise VideoCorruptError(
            f"frame {number} of {self._path.name} (at {self._index.times[number]:.3f} s) is damaged: it cannot be "
            "decoded completely; copy the file again from its source, or use the frames before it"
        )

    def find_damage(self) -> frozenset[int]:
        """Decode everything once, without converting to RGB, and return the numbers of unreadable frames."""
        self._begin("start")
        good = {n for n, frame, damaged in self._run if frame is not None and not damaged}
        self.close()
        self._damaged |= set(range(len(self._index))) - good
        return frozenset(self._damaged)

    def close(self) -> None:
        """Close the file. The reader opens it again when it is used next."""
        self._run, self._next = iter(()), None
        if self._container is not None:
            self._container.close()
            self._container = None

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
            self._container, self._stream = open_video(self._path)
        packets = self._container.demux(self._stream)
        if isinstance(at, KeyPoint):
            self._container.seek(at.seek, stream=self._stream)  # this also flushes the decoder
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
            yield number, result.frame, result.damaged

    def _recognise(self, packets: Iterator[av.Packet], pts: list[int]) -> Iterator[_Numbered]:
        """Number frames by their times. After a missing frame, all count as damaged up to the next key frame."""
        lost = False
        expected = self._next or 0
        for frame, damaged, _ in decoded(packets):
            if frame is None or frame.pts is None:
                continue
            number = bisect_left(pts, frame.pts)
            # Not in the index: hidden by an edit list. Before the key frame of the start: a leading picture of an open
            # group.
            if number < expected or number == len(pts) or pts[number] != frame.pts:
                continue
            lost = not frame.key_frame and (lost or number > expected)
            self._next = expected = number + 1
            yield number, frame, damaged or lost


class DecordUnfitError(Exception):
    """decord is not installed, or cannot be trusted with this file; the message says why."""


class DecordReader:
    """Frames in order from the first on, decoded by decord.

    decord's seeks are silently wrong in several codecs, so there are none here: ``position`` is the only frame that
    can be read, and ``rewind`` goes back to frame 0. Opening checks that decord agrees with PyAV on this file: the same
    number of frames, and a first frame that is equal in every pixel (a clip may change its decoder between frames, and
    colours must not jump).

    Raises:
        DecordUnfitError: raised by all methods.
    """

    def __init__(self, path: Path, n_frames: int, first: np.ndarray):
        try:
            import decord
        except (ImportError, OSError) as error:  # OSError: libraries in the wheel that cannot be loaded on this machine
            raise DecordUnfitError(f"decord is not installed ({error})") from error
        decord.logging.set_level(decord.logging.QUIET)
        self._decord = decord
        self._path = path
        self._n_frames = n_frames
        self.rewind()
        seen = self.read()
        if seen.shape != first.shape or not np.array_equal(seen, first):
            raise DecordUnfitError("the first frame decoded by decord differs from PyAV's")

    def rewind(self) -> None:
        """Go back to frame 0."""
        self.position = 0
        try:
            self._reader = self._decord.VideoReader(str(self._path), num_threads=min(4, os.cpu_count() or 1))
            count = len(self._reader)
        except Exception as error:  # decord raises DECORDError, RuntimeError or AssertionError for the same failure
            raise DecordUnfitError(f"decord cannot open it ({_first_line(error)})") from error
        if count != self._n_frames:
            raise DecordUnfitError(f"decord counts {count} frames where there are {self._n_frames}")

    def read(self) -> np.ndarray:
        """The frame at ``position`` as (H, W, 3) uint8 RGB, upright; ``position`` moves on by one."""
        try:
            frame = self._reader.next()
            # Another library may have configured decord, for this thread, to return torch tensors.
            image: np.ndarray = frame.asnumpy() if hasattr(frame, "asnumpy") else frame.numpy()
        except Exception as error:
            raise DecordUnfitError(f"decord fails at frame {self.position} ({_first_line(error)})") from error
        self.position += 1
        return image


def to_rgb(frame: av.VideoFrame) -> np.ndarray:
    """Convert a decoded frame to (H, W, 3) uint8 RGB, rotated upright as its file says."""
    # One thread: starting several per frame costs more than it saves (measured at 1080p: 2.3 versus 3.0 ms).
    image = frame.to_ndarray(format="rgb24", threads=1)
    quarter_turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarter_turns)) if quarter_turns else image


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:120]
