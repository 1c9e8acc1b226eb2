"""Protocol of clips: the interface that traces, data sets and widgets use."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

import numpy as np

from dkd.video.faults import VideoWarning


class ClipLike(Protocol):
    """Frames by index: a :class:`dkd.video.clip.Clip`, a :class:`dkd.video.images.ImageClip`, or your own class.

    ``warnings`` and ``pixel_aspect`` of :class:`~dkd.video.clip.Clip` are optional: :func:`warnings_about` and
    :func:`pixel_aspect` read them.
    """

    @property
    def name(self) -> str:
        """Name in titles and tables."""
        ...

    @property
    def backend(self) -> str:
        """Short name of the decoder."""
        ...

    @property
    def fps(self) -> float | None:
        """Frames per second if the rate is constant; ``None`` if it varies."""
        ...

    @property
    def width(self) -> int:
        """Size of every frame in pixels."""
        ...

    @property
    def height(self) -> int:
        """Size of every frame in pixels."""
        ...

    @property
    def times(self) -> np.ndarray:
        """Times (T,) in seconds from the start, never decreasing."""
        ...

    def __len__(self) -> int:
        """Return the number of frames T."""
        ...

    def frame(self, t: int, /) -> np.ndarray:
        """Return frame ``t``, counted from 0: (H, W, 3) uint8 RGB, with the same values each time."""
        ...


def mean_rate(clip: ClipLike) -> float:
    """Return the mean frames per second of a clip, for what needs one number, such as the length of a slide."""
    if clip.fps is not None:
        return float(clip.fps)
    return float((len(clip) - 1) / (clip.times[-1] - clip.times[0])) if len(clip) > 1 else 25.0


def rate_text(clip: ClipLike) -> str:
    """Return the rate in words: a mean rate is not called fps."""
    if clip.fps is None:
        return f"variable rate, mean {mean_rate(clip):.4g} frames/s"
    return f"{clip.fps:.6g} fps"


def pixel_aspect(clip: ClipLike) -> Fraction:
    """Return the width of a pixel divided by its height; 1 for a clip that does not state it."""
    return Fraction(getattr(clip, "pixel_aspect", 1))


def warnings_about(clip: ClipLike) -> tuple[VideoWarning, ...]:
    """Return what to know before trusting a clip, as far as it says so."""
    return tuple(getattr(clip, "warnings", ()))
