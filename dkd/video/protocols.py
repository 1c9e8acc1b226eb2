"""What traces, data sets and widgets need of a clip, whatever it is made of."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class ClipLike(Protocol):
    """Frames by index: a :class:`dkd.video.clip.Clip`, an :class:`dkd.video.images.ImageClip`, or a class of your own."""

    @property
    def name(self) -> str:
        """What it is called in titles and tables."""
        ...

    @property
    def backend(self) -> str:
        """What decodes its frames, in a word or two."""
        ...

    @property
    def fps(self) -> float:
        """Frames per second."""
        ...

    @property
    def width(self) -> int:
        """Of every frame, in pixels."""
        ...

    @property
    def height(self) -> int:
        """Of every frame, in pixels."""
        ...

    @property
    def times(self) -> np.ndarray:
        """(T,) seconds from the start, not decreasing."""
        ...

    def __len__(self) -> int:
        """Number T of frames."""
        ...

    def frame(self, t: int, /) -> np.ndarray:
        """(H, W, 3) uint8 RGB of frame ``t``, counted from 0; the same values each time."""
        ...
