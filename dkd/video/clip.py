"""``Clip``: frames of a video by exact index, upright, in bounded memory, thread-safe and fork-safe.

A clip uses two decoders; ``Clip.backend`` names the one that reads it forward:

- PyAV reads any frame in any order and detects damage: one frame is never shown in place of another.
  - decord is used for reading forward only (its seeks are silently wrong in several codecs), and only for a file on
    which
  it was compared with PyAV when the clip was opened. Because decord hides damage, PyAV decodes the file once first.
  decord also decodes ahead of the reader and keeps all of those frames in memory. With ``backend="auto"`` it therefore
  reads only clips that fit into the cache as a whole, and PyAV reads longer ones. If decord fails, PyAV takes over.

Measured on two cores, with real clips of 720p and 1080p: PyAV takes 1.3–3.4 ms per frame and decord 1.8–4.9 ms.

Pixels are returned as stored: a clip with non-square pixels is not stretched.
"""

from __future__ import annotations

import logging
import operator
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import numpy as np

from dkd.errors import (
    ClosedError,
    ConfigError,
    FrameIndexError,
    ShapeError,
    VideoFormatError,
    VideoTruncatedError,
    nearest_name,
)
from dkd.video.index import VideoIndex, build_index, log_damage
from dkd.video.readers import DecordReader, DecordUnfitError, PyAVReader

log = logging.getLogger(__name__)

Backend = Literal["auto", "decord", "pyav"]
DEFAULT_CACHE_BYTES = 256 * 2**20


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


class _Source(Protocol):
    """Source of a clip's frames."""

    @property
    def backend(self) -> str:
        """Name of the decoder that reads forward."""

    def read(self, number: int, keep_from: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield frame ``number`` last, before it the frames from ``keep_from`` on that are decoded on the way."""

    def fresh(self) -> _Source:
        """Return a source of the same frames with no file open."""

    def close(self) -> None:
        """Close open files."""


class _ArraySource:
    backend = "memory"

    def __init__(self, frames: np.ndarray):
        self._frames = frames

    def read(self, number: int, keep_from: int) -> Iterator[tuple[int, np.ndarray]]:
        yield number, self._frames[number]

    def fresh(self) -> _ArraySource:
        return self

    def close(self) -> None:
        self._frames = self._frames[:0]


class _FileSource:
    """Frames of a file: PyAV for any frame, decord for frames read in order from the first."""

    def __init__(self, path: Path, index: VideoIndex):
        self._path = path
        self._index = index
        self._pyav = PyAVReader(path, index)
        self._decord: DecordReader | None = None

    @property
    def backend(self) -> str:
        return "pyav" if self._decord is None else "decord"

    def use_decord(self, first: np.ndarray) -> None:
        """Read forward with decord if it passes the checks; ``first`` is frame 0 as decoded by PyAV.

        Raises:
            DecordUnfitError: it fails a check.
        """
        reader = DecordReader(self._path, len(self._index), first)
        damaged = self._index.damaged
        if not self._index.checked and (damaged := self._pyav.find_damage()):
            log_damage(self._path, damaged, len(self._index))
        if damaged:
            raise DecordUnfitError(f"{len(damaged)} frames are damaged, which decord hides")
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

    def fresh(self) -> _FileSource:
        return _FileSource(self._path, self._index)

    def close(self) -> None:
        self._pyav.close()
        self._decord = None


class Clip:
    """Frames of a video by number; a number always gives the same picture, whatever was read before.

    ``clip[i]`` and ``clip.frame(i)`` return one frame; ``for frame in clip`` and ``clip.frames(start, stop)`` iterate
    over many. Any number of threads may read at the same time: they take turns. In a forked process, a clip opens its
    file again, with PyAV. Close a clip after use, or use it in a ``with`` statement.

    A truncated file gives a shorter clip: ``truncated`` is true, a warning is logged, and reading a frame beyond the
    end raises :class:`~dkd.errors.VideoTruncatedError` with the number of readable frames. A damaged frame raises
    :class:`~dkd.errors.VideoCorruptError`; all other frames of the file can still be read.

    Args:
        path: path of the video file.
        backend: ``"auto"``, ``"decord"`` or ``"pyav"``; see the module's docstring. ``"decord"`` forces decord even for
            a long clip, of which it may then hold every frame in memory.
        cache_bytes: maximum size of the decoded frames kept in memory, in bytes. An active decoder holds about ten more
            frames.

    Attributes:
        path: path of the file, or ``None`` for a clip in memory.
        name: name of the clip: the file's name.
        width, height: size of the upright picture in pixels.
        fps: mean frames per second.
        times: (T,) float64, presentation time of each frame in seconds; the first is 0. Read-only.
        truncated: whether the file ends before all of its frames.

    Raises:
        VideoError: the file cannot be used as a clip. The subclasses (``VideoNotFoundError``, ``VideoEmptyError``,
            ``VideoFormatError``, ``VideoNoTrackError``, ``VideoTruncatedError``, ``VideoCorruptError``) say why.
        ConfigError: ``backend`` is unknown, or ``cache_bytes`` is negative.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, backend: Backend = "auto", cache_bytes: int = DEFAULT_CACHE_BYTES
    ):
        known = get_args(Backend)
        if backend not in known:
            hint = nearest_name(backend, known)
            raise ConfigError(f"unknown video backend {backend!r}{hint} Known: {', '.join(known)}.")
        if cache_bytes < 0:
            raise ConfigError(f"expected cache_bytes of 0 or more, got {cache_bytes}; 0 keeps no frame")
        file = Path(path)
        index = build_index(file)
        source = _FileSource(file, index)
        *_, (_, first) = source.read(0, 0)
        if backend == "decord" or (backend == "auto" and first.nbytes * len(index) <= cache_bytes):
            try:
                source.use_decord(first)
            except DecordUnfitError as reason:
                if backend == "decord":
                    raise VideoFormatError(
                        f"{file.name} cannot be read by decord: {reason}; use backend='auto' or 'pyav'"
                    ) from reason
                log.info("%s is read by PyAV: %s", file.name, reason)
        self.path: Path | None = file
        self._set_up(source, file.name, index.fps, index.times, first, cache_bytes, index.truncated)

    @classmethod
    def from_array(cls, frames: np.ndarray, fps: float = 25.0, name: str = "array") -> Clip:
        """Create a clip from frames in memory. They are not copied: do not change them while the clip is in use.

        Args:
            frames: (T, H, W, 3) uint8 RGB, T ≥ 1.
            fps: frames per second, > 0.
            name: name of the clip.

        Raises:
            ShapeError: ``frames`` has the wrong shape or type.
            ConfigError: ``fps`` is not a positive number.
        """
        frames = np.asarray(frames)
        if frames.ndim != 4 or frames.shape[3] != 3 or 0 in frames.shape or frames.dtype != np.uint8:
            raise ShapeError(
                "expected frames of shape (T, H, W, 3), none of them 0, and type uint8, "
                f"got {frames.shape} {frames.dtype}"
            )
        if not 0 < fps < float("inf"):
            raise ConfigError(f"expected fps > 0, got {fps}; give frames per second")
        clip = cls.__new__(cls)
        clip.path = None
        clip._set_up(_ArraySource(frames), name, float(fps), np.arange(len(frames)) / fps, frames[0])
        return clip

    def _set_up(
        self,
        source: _Source,
        name: str,
        fps: float,
        times: np.ndarray,
        first: np.ndarray,
        cache_bytes: int = 0,
        truncated: bool = False,
    ) -> None:
        self.name = name
        self.fps = fps
        self.times = times
        self.times.flags.writeable = False
        self.height, self.width = first.shape[:2]
        self.truncated = truncated
        self._source = source
        self._cache = FrameCache(cache_bytes)
        self._last_asked = 0
        self._closed = False
        self._lock = threading.RLock()
        self._keep(0, first)
        _live_clips.add(self)

    @property
    def backend(self) -> str:
        """The decoder that reads forward: ``"decord"``, ``"pyav"`` or ``"memory"``. PyAV takes over if decord fails."""
        return self._source.backend

    @property
    def cached_bytes(self) -> int:
        """Bytes of decoded frames in the cache; never more than ``cache_bytes``."""
        return self._cache.nbytes

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        state = "closed" if self._closed else self.backend
        return f"<Clip {self.name!r}: {len(self)} frames, {self.width}×{self.height}, {self.fps:.5g} fps, {state}>"

    def frame(self, i: int) -> np.ndarray:
        """Return frame ``i`` in presentation order, 0 ≤ i < len(clip): (H, W, 3) uint8 RGB, upright, read-only.

        Raises:
            FrameIndexError: there is no such frame; negative indices do not count from the end.
            VideoTruncatedError: the file ends before this frame.
            VideoCorruptError: the frame is damaged.
            ClosedError: the clip was closed.
        """
        number = operator.index(i)
        with self._lock:
            self._check_open()
            self._check_index(number)
            image = self._cache.get(number)
            if image is None:
                image = self._decode(number)
            self._last_asked = number
            return image

    def __getitem__(self, i: int) -> np.ndarray:
        return self.frame(i)

    def __iter__(self) -> Iterator[np.ndarray]:
        return self.frames()

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[np.ndarray]:
        """Iterate over the frames from ``start`` to ``stop`` (exclusive; by default the end); see :meth:`frame`.

        Raises:
            FrameIndexError: unless 0 ≤ start ≤ stop ≤ len(clip); raised by the call, not when iterating.
        """
        stop = len(self) if stop is None else operator.index(stop)
        if not 0 <= operator.index(start) <= stop <= len(self):
            raise FrameIndexError(
                f"expected 0 ≤ start ≤ stop ≤ {len(self)}, the length of {self.name}, got {start} and {stop}"
            )
        return (self.frame(i) for i in range(start, stop))

    def close(self) -> None:
        """Release the file and the cache. Closing twice is allowed; reading from a closed clip raises ClosedError."""
        with self._lock:
            self._closed = True
            self._source.close()
            self._cache.clear()

    def __enter__(self) -> Clip:
        self._check_open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError(f"the clip {self.name} was closed; open it again with Clip(path)")

    def _check_index(self, number: int) -> None:
        if 0 <= number < len(self):
            return
        if self.truncated and number > 0:
            raise VideoTruncatedError(
                f"frame {number} of {self.name} is missing: the file is cut short, {len(self)} frames are readable; "
                "get the whole file",
                n_readable=len(self),
            )
        raise FrameIndexError(f"expected a frame from 0 to {len(self) - 1} of {self.name}, got {number}")

    def _decode(self, number: int) -> np.ndarray:
        # When stepping backward, the frames decoded on the way will be read next: keep as many as fill half the cache.
        # After a jump forward they will not be read, and converting them to RGB costs as much as decoding them.
        window = self._cache.limit_bytes // (2 * self.width * self.height * 3)
        keep_from = max(0, number - window) if number < self._last_asked else number
        for n, image in self._source.read(number, keep_from):
            image = self._keep(n, image)
        return image

    def _keep(self, number: int, image: np.ndarray) -> np.ndarray:
        if image.shape != (self.height, self.width, 3):
            raise VideoFormatError(
                f"expected all frames of {self.name} to be {self.width}×{self.height}, but frame {number} is "
                f"{image.shape[1]}×{image.shape[0]}; re-encode the video to one size"
            )
        image = image.view()
        image.flags.writeable = False
        self._cache.put(number, image)
        return image

    def _after_fork_in_child(self) -> None:
        # Decoder threads do not exist in a forked child, and the lock may be held by a thread that does not either. The
        # old source must not be freed: its destructor would wait for those threads indefinitely.
        _abandoned.append(self._source)
        self._source = self._source.fresh()
        self._cache = FrameCache(self._cache.limit_bytes)
        self._lock = threading.RLock()


_live_clips: weakref.WeakSet[Clip] = weakref.WeakSet()
_abandoned: list[Any] = []


def _renew_clips() -> None:
    for clip in list(_live_clips):
        clip._after_fork_in_child()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_renew_clips)
