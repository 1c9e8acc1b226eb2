"""The frames of a live run as clips: the newest one, for the tracker, and the last ones, for a trace."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from dkd.errors import FrameIndexError, ShapeError
from dkd.video.images import ImageClip

_TIMES = 4  # a tracker asks for the times of the newest frame and the one before


class NewestFrame:
    """A clip that grows frame by frame, and of which only the newest frame can be read. Memory does not grow.

    Args:
        name: name of the source.
        width, height: size of all frames in pixels.
    """

    backend = "live"
    fps = None

    def __init__(self, name: str, width: int, height: int):
        self.name, self.width, self.height = name, width, height
        self._length = 0
        self._image: np.ndarray | None = None
        self.times: Any = RecentTimes()  # indexed like an array of all times

    def show(self, image: np.ndarray, time_s: float) -> None:
        """Add a frame.

        Raises:
            ShapeError: it has another size.
        """
        if image.shape != (self.height, self.width, 3):
            raise ShapeError(
                f"expected frames of {self.width}×{self.height} as before, got {image.shape[1]}×{image.shape[0]} from "
                f"{self.name}; start again after the camera was turned or changed"
            )
        self._image, self._length = image, self._length + 1
        self.times.append(time_s)

    def __len__(self) -> int:
        return self._length

    def frame(self, t: int) -> np.ndarray:
        """Return the newest frame.

        Raises:
            FrameIndexError: ``t`` is another one.
        """
        if self._image is None or t != self._length - 1:
            raise FrameIndexError(f"only the newest frame, {self._length - 1}, can be read of {self.name}; got {t}")
        return self._image


class RecentTimes:
    """The times of the last frames by index, in seconds."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=_TIMES)
        self._length = 0

    def append(self, time_s: float) -> None:
        """Add the time of the next frame."""
        self._last.append(time_s)
        self._length += 1

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, t: int) -> float:
        first = self._length - len(self._last)
        if not first <= t < self._length:
            raise FrameIndexError(f"expected a frame in {first}..{self._length - 1}, got {t}")
        return self._last[t - first]


class _Kept(Protocol):
    @property
    def image(self) -> np.ndarray: ...
    @property
    def time_s(self) -> float: ...


class SeenClip(ImageClip):
    """The kept frames of a live run, with the times at which they were taken.

    Args:
        kept: at least one frame.
        name: name of the source.
    """

    backend = "live"

    def __init__(self, kept: Sequence[_Kept], name: str):
        super().__init__([one.image for one in kept], name=name)
        times = np.array([one.time_s for one in kept])
        self.times, self.fps = times - times[0], None
