"""``Clip``: frames of a video by exact index, upright, in bounded memory, thread-safe and fork-safe.

PyAV reads any frame in any order and notices damage: one frame is never shown in place of another. ``Clip.backend``
names the decoder that reads forward. decord can do that instead if it is asked for, on a file for which all of its
frames were compared with PyAV's when the clip was opened: it seeks to wrong frames in several codecs, chooses among
video tracks by itself, squashes frames of another size, and hides damage. It is never used for anything else.

Measured on two cores, with real clips of 720p and 1080p: PyAV takes 1.3–3.4 ms per frame and decord 1.8–4.9 ms. The
first time that frames of HEVC, VP8, VP9 or MJPEG are read, they are checked for damage, which takes up to the same time
again (``docs/video.md``).

Pixels are returned as stored: a clip with non-square pixels is not stretched. ``pixel_aspect`` states their shape, and
the widgets apply it when they show a frame.
"""

from __future__ import annotations

import operator
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from dkd.errors import (
    ClosedError,
    ConfigError,
    FrameIndexError,
    ShapeError,
    VideoCorruptError,
    VideoFormatError,
    VideoNotFoundError,
    VideoTruncatedError,
    checked,
    nearest_name,
)
from dkd.video.decord_reader import DecordUnfitError
from dkd.video.faults import VideoWarning, damage_warning
from dkd.video.folders import FolderSource, is_images, list_images
from dkd.video.index import build_index
from dkd.video.orientation import UPRIGHT
from dkd.video.sources import ArraySource, FileSource, FrameCache, Source, log
from dkd.video.times import Timing

Backend = Literal["auto", "decord", "pyav"]
DEFAULT_CACHE_BYTES = 256 * 2**20


@checked
class Clip:
    """Frames of a video by number; a number always gives the same picture, whatever was read before.

        Clip("walk.mp4")
        Clip("frames/", fps=50)                 # images of a folder, sorted by name
        Clip("frames/im_%05d.png", fps=50)      # numbered images

    ``clip[i]`` and ``clip.frame(i)`` return one frame; ``for frame in clip`` and ``clip.frames(start, stop)`` iterate
    over many. Any number of threads may read at the same time: they take turns. In a forked process, a clip opens its
    file again, with PyAV. Close a clip after use, or use it in a ``with`` statement.

    A truncated file gives a shorter clip: ``truncated`` is true, a warning is logged, and reading a frame beyond the
    end raises :class:`~dkd.errors.VideoTruncatedError` with the number of readable frames. A damaged frame raises
    :class:`~dkd.errors.VideoCorruptError`; all other frames of the file can still be read.

    Args:
        path: path of a video file, of a folder of images, or of numbered images with ``%05d`` or ``%d`` in their name;
            see :func:`dkd.video.folders.list_images`.
        fps: frames per second, for images only; by default 25, which ``repr`` then calls assumed.
        track: number of the video track, from 0; by default the one that a player would show: a track with more than
            one picture before a still, then the one that the file marks as its default, then the first.
        backend: ``"auto"`` and ``"pyav"``: PyAV. ``"decord"``: decord for reading forward, if all of its frames equal
            PyAV's, which opening the clip then checks; otherwise PyAV, with a warning in the log.
        cache_bytes: maximum size of the decoded frames kept in memory, in bytes. An active decoder holds about ten more
            frames.

    Attributes:
        path: path of the file, folder or pattern, or ``None`` for a clip in memory.
        name: name of the clip: the file's or folder's name.
        given_fps: the ``fps`` that was given for images; ``None`` for a video, or if the rate is assumed.
        width, height: size of the upright picture in pixels.
        fps: frames per second if the rate is constant, even where frames are missing; ``None`` if it varies.
        mean_rate: mean frames per second.
        times: (T,) float64, presentation time of each frame in seconds; the first is 0. Read-only. These are the
            container's times, unless it rounds those of a constant rate: then they lie on the grid of that rate.
        pixel_aspect: width / height of a pixel of the upright picture; 1 for nearly all videos.
        orientation: how stored pictures are turned or mirrored; frames are returned upright.
        track: number of the video track.
        truncated: whether the file ends before all of its frames.

    Raises:
        VideoError: the file cannot be used as a clip. The subclasses (``VideoNotFoundError``, ``VideoEmptyError``,
            ``VideoFormatError``, ``VideoNoTrackError``, ``VideoTruncatedError``, ``VideoCorruptError``) say why.
        ConfigError: ``backend`` is unknown, there is no such ``track``, ``cache_bytes`` is negative, or ``fps`` is
            given for a video, which has its own times.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        fps: float | None = None,
        track: int | None = None,
        backend: Backend = "auto",
        cache_bytes: int = DEFAULT_CACHE_BYTES,
    ):
        known = get_args(Backend)
        if backend not in known:
            hint = nearest_name(backend, known)
            raise ConfigError(f"unknown video backend {backend!r}{hint} Known: {', '.join(known)}.")
        if cache_bytes < 0:
            raise ConfigError(f"expected cache_bytes of 0 or more, got {cache_bytes}; 0 keeps no frame")
        if not isinstance(path, str | os.PathLike):
            raise ConfigError(
                f"expected the path of a video or of a folder of images, got {type(path).__name__}; "
                "Clip.from_array takes frames in memory"
            )
        if not os.fspath(path):  # as a Path, it would be the current folder
            raise VideoNotFoundError("expected the path of a video or of a folder of images, got an empty text")
        file = Path(path)
        if is_images(file):
            self._open_images(file, fps, track, cache_bytes)
            return
        if fps is not None:
            raise ConfigError(f"fps={fps} is for images only: {file.name} has its own times; leave fps out")
        index = build_index(file, None if track is None else operator.index(track))
        source = FileSource(file, index)
        *_, (_, first) = source.read(0, 0)
        self.path: Path | None = file
        self.track = index.track.number
        self.orientation, self.pixel_aspect = source.orientation, source.pixel_aspect
        self._stated = index.warnings
        self._set_up(source, file.name, index.timing, first, cache_bytes, index.truncated)
        if backend == "decord":
            try:
                source.use_decord()
            except DecordUnfitError as reason:
                log.warning("%s is read by PyAV instead of decord: %s", file.name, reason)

    def _open_images(self, path: Path, fps: float | None, track: int | None, cache_bytes: int) -> None:
        if track not in (None, 0):
            raise ConfigError(f"track={track} is for video files only: {path.name} is a sequence of images")
        images = list_images(path, fps)
        name = path.name or path.resolve().name
        source = FolderSource(name, images.files)
        self.path = path
        self.track, self.orientation, self.pixel_aspect, self._stated = 0, UPRIGHT, Fraction(1), images.warnings
        *_, (_, first) = source.read(0, 0)
        self._set_up(source, name, images.timing, first, cache_bytes, given_fps=None if fps is None else float(fps))
        for number in source.compared_at_opening():
            with suppress(VideoCorruptError):
                self.frame(number)
        self._last_asked = 0

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
        try:
            frames = np.asarray(frames)
        except ValueError as error:  # lists of different lengths
            raise ShapeError(f"expected frames of one size, got lists of different lengths: {error}") from None
        if frames.ndim != 4 or frames.shape[3] != 3 or 0 in frames.shape or frames.dtype != np.uint8:
            raise ShapeError(
                "expected frames of shape (T, H, W, 3), none of them 0, and type uint8, "
                f"got {frames.shape} {frames.dtype}"
            )
        if isinstance(fps, str) or not 0 < fps < float("inf"):
            raise ConfigError(f"expected fps > 0, got {fps!r}; give frames per second")
        clip = cls.__new__(cls)
        clip.path = None
        clip.track, clip.orientation, clip.pixel_aspect, clip._stated = 0, UPRIGHT, Fraction(1), ()
        clip._set_up(ArraySource(frames), name, Timing(np.arange(len(frames)) / fps, float(fps)), frames[0])
        return clip

    def _set_up(
        self,
        source: Source,
        name: str,
        timing: Timing,
        first: np.ndarray,
        cache_bytes: int = 0,
        truncated: bool = False,
        given_fps: float | None = None,
    ) -> None:
        self.name = name
        self.fps = timing.rate
        self.mean_rate = timing.mean_rate
        self.times = timing.times
        self.times.flags.writeable = False
        self.height, self.width = first.shape[:2]
        self.truncated = truncated
        self.given_fps = given_fps
        self._timing = timing
        self._source = source
        self._cache = FrameCache(cache_bytes)
        self._last_asked = 0
        self._closed = False
        self._lock = threading.RLock()
        self._keep(0, first)
        _live_clips.add(self)

    @property
    def backend(self) -> str:
        """The decoder that reads forward: ``"decord"``, ``"pyav"``, ``"images"`` or ``"memory"``.

        PyAV takes over if decord fails.
        """
        return self._source.backend

    @property
    def warnings(self) -> tuple[VideoWarning, ...]:
        """What to know before trusting this video: damaged frames, gaps, other tracks; see :class:`VideoWarning`.

        Damage within a picture is found when the frame is read, so there may be more after reading all of them.
        """
        damaged = self._source.damaged
        stated = [w for w in self._stated if w.kind != "damaged"]
        return (*stated, damage_warning(damaged, len(self))) if damaged else tuple(stated)

    @property
    def cached_bytes(self) -> int:
        """Bytes of decoded frames in the cache; never more than ``cache_bytes``."""
        return self._cache.nbytes

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        state = "closed" if self._closed else self.backend
        size = f"{self.width}×{self.height}"
        if self.pixel_aspect != 1:
            size += f" (pixels {self.pixel_aspect.numerator}:{self.pixel_aspect.denominator})"
        return f"<Clip {self.name!r}: {len(self)} frames, {size}, {self._timing}, {state}>"

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
            at, (height, width) = self._first_of_other_size(number)
            file, remedy = "", "re-encode the video to one size"
            if isinstance(self._source, FolderSource):
                file, remedy = f" ({self._source.files[at].name})", "scale the images to one size, or move it away"
            raise VideoFormatError(
                f"expected all frames of {self.name} to be {self.width}×{self.height}, but frame {at}{file} is "
                f"{width}×{height}; {remedy}"
            )
        image = image.view()
        image.flags.writeable = False
        self._cache.put(number, image)
        return image

    def _first_of_other_size(self, last: int) -> tuple[int, tuple[int, int]]:
        """Return the first frame that differs in size from frame 0, so that the error does not depend on the order."""
        for number in range(last + 1):
            with suppress(VideoCorruptError):
                *_, (_, image) = self._source.read(number, number)
                if image.shape[:2] != (self.height, self.width):
                    return number, image.shape[:2]
        raise AssertionError("called only if a frame up to the last one has another size")

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
