"""What traces, data sets and widgets need of a clip, whatever it is made of."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class ClipLike(Protocol):
    """Frames by index: a :class:`dkd.video.clip.Clip`, an :class:`dkd.video.images.ImageClip`, or a class of your own.

    Attributes:
        name: what it is called in titles and tables.
        backend: what decodes its frames, in a word or two.
        fps: frames per second.
        width, height: of every frame, in pixels.
        times: (T,) seconds from the start, not decreasing.
    """

    name: str
    fps: float
    width: int
    height: int
    times: np.ndarray

    @property
    def backend(self) -> str: ...

    def __len__(self) -> int:
        """Number T of frames."""
        ...

    def frame(self, t: int, /) -> np.ndarray:
        """(H, W, 3) uint8 RGB of frame ``t``, 0-based; the same array values each time."""
        ...

    def close(self) -> None:
        """Release what it holds open."""
        ...
