"""Sources of live frames: a video that is played by its clock, a camera, and frames that a program makes.

A source yields frames as time goes by. What is not fetched in time is lost, and counted.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np

from dkd.errors import ConfigError, ShapeError, VideoError, VideoNotFoundError
from dkd.tracking.opening import as_clip
from dkd.video.protocols import ClipLike

CAMERA_SIZE, CAMERA_RATE = (640, 480), 30  # what a camera is asked for; it may choose otherwise


class Captured(NamedTuple):
    """A frame of a live source.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        number: number of the frame in the source, from 0; numbers of lost frames are left out.
        time_s: seconds from the source's first frame, never decreasing.
        taken: when the frame was there to be seen, in seconds of :func:`time.perf_counter`.
        decode_ms: how long it took to make ``image`` of what arrived.
        skipped: how many frames the source has lost since the one before.
    """

    image: np.ndarray
    number: int
    time_s: float
    taken: float
    decode_ms: float = 0.0
    skipped: int = 0


class LiveSource(Protocol):
    """Source of live frames."""

    @property
    def name(self) -> str:
        """Name in titles and tables."""
        ...

    def frames(self, ended: Event) -> Iterator[Captured]:
        """Yield frames when they are due, until the source or the run has ended."""
        ...

    def close(self) -> None:
        """Free what the source has opened."""
        ...


class Clock:
    """The time that a :class:`PlayedClip` follows; tests have another one."""

    def now(self) -> float:
        """Return the time in seconds."""
        return time.perf_counter()

    def wait(self, ended: Event, seconds: float) -> None:
        """Wait for so long, or until the run has ended."""
        ended.wait(seconds)


class PlayedClip:
    """A video as if it were live: each frame comes at its time, and one that is overdue is left out.

    Args:
        clip: the clip; or the path of a video, which is opened and closed here.
        loop: whether to begin again after the last frame; numbers and times go on.
        clock: the time to follow.

    Raises:
        ConfigError, VideoError: as for :class:`dkd.Trace`.
    """

    def __init__(self, clip: ClipLike | str | os.PathLike[str], loop: bool = False, clock: Clock | None = None):
        self._clip, self._opened = as_clip(clip)
        self._loop = loop
        self._clock = clock or Clock()
        self.name = self._clip.name

    def frames(self, ended: Event) -> Iterator[Captured]:
        """Yield frames when they are due, until the clip or the run has ended."""
        clip, clock = self._clip, self._clock
        times, n = np.asarray(clip.times, np.float64), len(clip)
        # The last frame is shown as long as the one before.
        length = float(times[-1] + (times[-1] - times[-2] if n > 1 else 0.04))
        begin, last = clock.now(), -1
        while (self._loop or last < n - 1) and not ended.is_set():
            rounds, now = divmod(clock.now() - begin, length) if self._loop else (0, clock.now() - begin)
            due = int(rounds) * n + int(np.searchsorted(times, now, "right")) - 1
            if due <= last:
                following = last + 1
                at = following // n * length + float(times[following % n])
                clock.wait(ended, max(1e-4, begin + at - clock.now()))
                continue
            time_s = due // n * length + float(times[due % n])
            before = time.perf_counter()
            image = clip.frame(due % n)
            decode_ms = 1e3 * (time.perf_counter() - before)
            yield Captured(image, due, time_s, begin + time_s, decode_ms, due - last - 1)
            last = due

    def close(self) -> None:
        """Close the clip if it was opened here."""
        if self._opened is not None:
            self._opened.clip.close()


class Camera:
    """A camera of this machine, read by OpenCV.

    Args:
        device: its number, 0 for the first; or its path, such as ``"/dev/video0"``.
        size, rate: width and height in pixels and frames per second to ask for; the camera may choose others.

    Raises:
        VideoNotFoundError: there is no such camera.
        VideoError: it cannot be opened: another program may be using it.
    """

    def __init__(self, device: int | str = 0, size: tuple[int, int] = CAMERA_SIZE, rate: float = CAMERA_RATE):
        if isinstance(device, str) and not Path(device).exists():
            raise VideoNotFoundError(
                f"expected a camera at {device!r}, but there is nothing; plug it in, or look which devices there are"
            )
        self.name = f"camera {device}"
        self._device = device
        self._capture = cv2.VideoCapture(device)
        if not self._capture.isOpened():
            raise VideoError(
                f"the camera {device!r} cannot be opened; plug it in, close other programs that use it, or check that "
                "you may read it (on Linux, members of the group 'video' may)"
            )
        for what, value in (
            (cv2.CAP_PROP_FRAME_WIDTH, size[0]),
            (cv2.CAP_PROP_FRAME_HEIGHT, size[1]),
            (cv2.CAP_PROP_FPS, rate),
            (cv2.CAP_PROP_BUFFERSIZE, 1),  # otherwise OpenCV keeps frames that are old already
        ):
            self._capture.set(what, value)

    def frames(self, ended: Event) -> Iterator[Captured]:
        """Yield frames as they arrive.

        Raises:
            VideoError: the camera stops sending frames.
        """
        number, begin = 0, 0.0
        while not ended.is_set():
            if not self._capture.grab():
                if ended.is_set():
                    return
                raise VideoError(f"{self.name} sends no more frames after frame {number - 1}; it may be unplugged")
            taken = time.perf_counter()
            begin = begin or taken
            isthere, image = self._capture.retrieve()
            if not isthere:
                continue
            image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            yield Captured(image, number, taken - begin, taken, 1e3 * (time.perf_counter() - taken))
            number += 1

    def close(self) -> None:
        """Give the camera back."""
        self._capture.release()


class Frames:
    """Frames of a program, in the order and as fast as it makes them.

    Args:
        items: images (H, W, 3) uint8 RGB, or pairs of a time in seconds and an image. Without times, it counts when
            they come.
        name: name in titles and tables.
    """

    def __init__(self, items: Iterable[Any], name: str = "frames"):
        self._items = items
        self.name = name

    def frames(self, ended: Event) -> Iterator[Captured]:
        """Yield the frames.

        Raises:
            ShapeError: a frame is not an image, or its time is before that of the frame before it.
        """
        begin, last = None, 0.0
        for number, item in enumerate(self._items):
            if ended.is_set():
                return
            taken = time.perf_counter()
            given, image = item if isinstance(item, tuple) and len(item) == 2 else (taken, item)
            begin = float(given) if begin is None else begin
            time_s = float(given) - begin
            if not time_s >= last:
                raise ShapeError(f"expected times that never decrease, got {time_s:g} s after {last:g} s")
            last = time_s
            yield Captured(check_image(image), number, time_s, taken)

    def close(self) -> None:
        """Close the iterator if it can be closed, as a generator can."""
        getattr(self._items, "close", lambda: None)()


def check_image(image: Any) -> np.ndarray:
    """Return an image if it is one.

    Raises:
        ShapeError: it is not an array (H, W, 3) of uint8.
    """
    shape, kind = getattr(image, "shape", None), getattr(image, "dtype", None)
    if shape is None or len(shape) != 3 or shape[2] != 3 or 0 in shape or kind != np.uint8:
        found = type(image).__name__ if shape is None else f"{tuple(shape)} {kind}"
        raise ShapeError(f"expected frames as arrays (H, W, 3) of uint8 in RGB, got {found}")
    return np.asarray(image)


def as_source(source: Any) -> LiveSource:
    """Return the source that something stands for.

    Args:
        source: a :class:`LiveSource`; the number or the path (``"/dev/video0"``) of a camera; a clip, or the path of a
            video, played by its clock; a function that returns the next frame, ``None`` at the end; or any iterable of
            frames, see :class:`Frames`.

    Raises:
        ConfigError: it is none of these.
        VideoError: a video or camera cannot be used.
    """
    check_source(source)
    if _is_source(source):
        found: LiveSource = source
        return found
    if isinstance(source, int):
        return Camera(source)
    if isinstance(source, str | os.PathLike):
        text = os.fspath(source)
        if isinstance(text, str) and (text.isdecimal() or re.fullmatch(r"/dev/video\d+", text)):
            return Camera(int(text) if text.isdecimal() else text)
        return PlayedClip(source)
    if hasattr(source, "frame") and hasattr(source, "times"):
        return PlayedClip(source)
    return Frames(_calls(source) if callable(source) else source)


def check_source(source: Any) -> None:
    """Check that something stands for a source, without opening it.

    Raises:
        ConfigError: it does not.
    """
    is_number = isinstance(source, int) and not isinstance(source, bool)
    is_other = isinstance(source, str | os.PathLike | Iterable) or callable(source)
    if not (is_number or is_other or _is_source(source) or (hasattr(source, "frame") and hasattr(source, "times"))):
        raise ConfigError(
            "expected a live source: the path of a video, the number of a camera, a function that returns frames, or "
            f"an iterable of frames; got an object of type {type(source).__name__}"
        )


def _is_source(source: Any) -> bool:
    return hasattr(source, "frames") and hasattr(source, "close") and not hasattr(source, "times")


def _calls(function: Callable[[], Any]) -> Iterator[Any]:
    while (item := function()) is not None:
        yield item
