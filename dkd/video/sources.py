"""Where a clip's frames come from, a file or an array, and the cache of frames that were decoded."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np

from dkd.errors import VideoCorruptError, VideoFormatError
from dkd.video.decord_reader import DecordReader, DecordUnfitError
from dkd.video.index import VideoIndex
from dkd.video.orientation import Orientation
from dkd.video.readers import PyAVReader

log = logging.getLogger(__name__)


class FrameCache:
    """Cache of the most recently used frames, never more than ``limit_bytes``. Not thread-safe: its owner holds a lock.

    Attributes:
        limit_bytes: upper limit in bytes; 0 keeps nothing.
        nbytes: bytes held now.
    """

    def __init__(self, limit_bytes: int):
        self.limit_bytes = limit_bytes
        self.nbytes = 0
        self._frames: OrderedDict[int, np.ndarray] = OrderedDict()

    def __len__(self) -> int:
        return len(self._frames)

    def get(self, number: int) -> np.ndarray | None:
        """Return the frame and mark it as the most recently used, or return ``None``."""
        if number in self._frames:
            self._frames.move_to_end(number)
        return self._frames.get(number)

    def put(self, number: int, frame: np.ndarray) -> None:
        """Keep a frame and drop the least recently used ones to make room. A frame above the limit is not kept."""
        if (old := self._frames.pop(number, None)) is not None:
            self.nbytes -= old.nbytes
        if frame.nbytes > self.limit_bytes:
            return
        self._frames[number] = frame
        self.nbytes += frame.nbytes
        while self.nbytes > self.limit_bytes:
            self.nbytes -= self._frames.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        """Drop everything."""
        self._frames.clear()
        self.nbytes = 0


class Source(Protocol):
    """Source of a clip's frames."""

    @property
    def backend(self) -> str:
        """Name of the decoder that reads forward."""

    @property
    def damaged(self) -> frozenset[int]:
        """Numbers of the frames that are known to be damaged."""

    def read(self, number: int, keep_from: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield frame ``number`` last, before it the frames from ``keep_from`` on that are decoded on the way."""

    def fresh(self) -> Source:
        """Return a source of the same frames with no file open."""

    def close(self) -> None:
        """Close open files."""


class ArraySource:
    """Frames in memory."""

    backend = "memory"
    damaged: frozenset[int] = frozenset()

    def __init__(self, frames: np.ndarray):
        self._frames = frames

    def read(self, number: int, keep_from: int) -> Iterator[tuple[int, np.ndarray]]:
        yield number, self._frames[number]

    def fresh(self) -> ArraySource:
        return self

    def close(self) -> None:
        self._frames = self._frames[:0]


class FileSource:
    """Frames of a file: PyAV for any frame; decord, if it is used, for frames read in order from the first."""

    def __init__(self, path: Path, index: VideoIndex):
        self._path = path
        self._index = index
        self._pyav = PyAVReader(path, index)
        self._decord: DecordReader | None = None

    @property
    def damaged(self) -> frozenset[int]:
        """Numbers of the frames that are known to be damaged; reading finds more."""
        return frozenset(self._pyav.damaged)

    @property
    def orientation(self) -> Orientation:
        """How stored pictures are turned; known once a frame was read."""
        return self._pyav.orientation

    @property
    def pixel_aspect(self) -> Fraction:
        """Width / height of a pixel of the upright picture; known once a frame was read."""
        return self._pyav.pixel_aspect

    @property
    def backend(self) -> str:
        return "pyav" if self._decord is None else "decord"

    def use_decord(self) -> None:
        """Read forward with decord if all of its frames equal PyAV's, which costs decoding the file once by each.

        Raises:
            DecordUnfitError: it cannot be used for this file.
        """
        if self._index.track.left_out:
            raise DecordUnfitError("the file has several video tracks, among which decord chooses by itself")
        if self._index.damaged or self._index.truncated:
            raise DecordUnfitError("the file is damaged, which decord hides")
        reader = DecordReader(self._path, len(self._index))
        try:
            reader.prove(image for t in range(len(self._index)) for _, image in self._pyav.read(t, t))
        except (VideoCorruptError, VideoFormatError) as error:
            raise DecordUnfitError(str(error)) from error
        self._decord = reader

    def read(self, number: int, keep_from: int) -> Iterator[tuple[int, np.ndarray]]:
        if self._decord is not None and number in (0, self._decord.position):
            try:
                if number == 0:
                    self._decord.rewind()
                yield number, self._decord.read()
                return
            except DecordUnfitError as reason:
                log.warning("%s is read by PyAV from here on: %s", self._path.name, reason)
                self._decord = None
        yield from self._pyav.read(number, keep_from)

    def fresh(self) -> FileSource:
        return FileSource(self._path, self._index)

    def close(self) -> None:
        self._pyav.close()
        self._decord = None
