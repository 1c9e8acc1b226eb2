"""Part of a clip as a clip, so that a trace can start at any frame."""

from __future__ import annotations

import operator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from dkd.errors import FrameIndexError, checked
from dkd.video.faults import VideoWarning
from dkd.video.protocols import ClipLike, pixel_aspect, warnings_about


class _Part:
    """What frames of a clip, read from it in another order or in part, share with it."""

    def __init__(self, clip: ClipLike):
        self.clip = clip
        self.name, self.width, self.height = clip.name, clip.width, clip.height

    @property
    def fps(self) -> float | None:
        """Frames per second, as the clip says; ``None`` if the rate varies."""
        return self.clip.fps

    @property
    def pixel_aspect(self) -> Fraction:
        """Width / height of a pixel, as the clip says."""
        return pixel_aspect(self.clip)

    @property
    def backend(self) -> str:
        """Short name of the decoder."""
        return self.clip.backend


@checked
class ClipRange(_Part):
    """The frames ``start`` to ``stop`` (exclusive) of a clip, numbered from 0. Frames are read from the clip itself.

    Args:
        clip: the clip, which stays open as long as it is needed.
        start: its first frame.
        stop: the frame after its last one; by default the end of the clip.

    Attributes:
        clip, start, stop: as given.
        times: (T,) seconds from the first frame of the range.

    Raises:
        FrameIndexError: unless 0 ≤ start < stop ≤ len(clip).
        ConfigError: this is no clip.
    """

    def __init__(self, clip: ClipLike, start: int = 0, stop: int | None = None):
        try:
            start, stop = operator.index(start), len(clip) if stop is None else operator.index(stop)
        except TypeError:
            raise FrameIndexError(f"expected numbers of frames, got start={start!r} and stop={stop!r}") from None
        if not 0 <= start < stop <= len(clip):
            raise FrameIndexError(
                f"expected frames with 0 <= start < stop <= {len(clip)}, the length of {clip.name}, got start={start} "
                f"and stop={stop}"
            )
        super().__init__(clip)
        self.start, self.stop = start, stop
        self.times = np.asarray(clip.times[start:stop]) - clip.times[start]

    @property
    def warnings(self) -> tuple[VideoWarning, ...]:
        """The clip's warnings that concern these frames or the whole file, with the numbers that frames have here.

        The text of a warning keeps the numbers of the clip.
        """
        return _renumbered(self.clip, range(self.start, self.stop))

    @property
    def truncated(self) -> bool:
        """Whether the clip's file ends early, and this range reaches to its end."""
        return bool(getattr(self.clip, "truncated", False)) and self.stop == len(self.clip)

    def __len__(self) -> int:
        return self.stop - self.start

    def frame(self, t: int) -> np.ndarray:
        """Return frame ``t`` of the range, which is frame ``start + t`` of the clip: (H, W, 3) uint8 RGB.

        Raises:
            FrameIndexError: there is no such frame.
            VideoError: it cannot be read.
        """
        if not 0 <= t < len(self):
            raise FrameIndexError(f"expected a frame from 0 to {len(self) - 1} of this range, got {t}")
        return self.clip.frame(self.start + t)

    def __repr__(self) -> str:
        return f"<ClipRange of {self.name!r}: frames {self.start} to {self.stop - 1}>"


def place_in_video(clip: ClipLike) -> tuple[int, float]:
    """Return number and time in seconds of a clip's first frame in the video; the clip may be a part of a part."""
    start, seconds = 0, 0.0
    while isinstance(clip, ClipRange):
        start, seconds, clip = start + clip.start, seconds + float(clip.clip.times[clip.start]), clip.clip
    return start, seconds


class Backwards(_Part):
    """The frames ``first``, ``first`` − 1, … 0 of a clip, numbered from 0, so that a trace can run backwards in time.

    Args:
        clip: the clip, which stays open as long as it is needed.
        first: the frame of the clip that is frame 0 here.

    Attributes:
        clip, first: as given.
        times: (T,) seconds before frame ``first``, increasing.

    Raises:
        FrameIndexError: the clip has no frame ``first``.
    """

    def __init__(self, clip: ClipLike, first: int):
        super().__init__(clip)
        self.first = operator.index(first)
        if not 0 <= self.first < len(clip):
            raise FrameIndexError(f"expected a frame from 0 to {len(clip) - 1} of {clip.name}, got {first}")
        self.times = clip.times[self.first] - np.asarray(clip.times[: self.first + 1])[::-1]

    @property
    def warnings(self) -> tuple[VideoWarning, ...]:
        """The clip's warnings as those of a :class:`ClipRange`. A gap lies after the later of its two frames."""
        return _renumbered(self.clip, range(self.first, -1, -1))

    def __len__(self) -> int:
        return self.first + 1

    def frame(self, t: int) -> np.ndarray:
        """Return the frame ``t`` before frame ``first``: (H, W, 3) uint8 RGB. Raises as :meth:`ClipRange.frame`."""
        if not 0 <= t < len(self):
            raise FrameIndexError(f"expected a frame from 0 to {len(self) - 1} of this range, got {t}")
        return self.clip.frame(self.first - t)

    def __repr__(self) -> str:
        return f"<Backwards of {self.name!r}: frames {self.first} to 0>"


def _renumbered(clip: ClipLike, frames: range) -> tuple[VideoWarning, ...]:
    """Return a clip's warnings about these frames, or about the whole file, with their positions in ``frames``."""
    found = []
    for warning in warnings_about(clip):
        later = int(warning.kind == "gap" and frames.step < 0)  # it follows the frame on its other side
        inside = tuple(sorted(frames.index(t + later) for t in warning.frames if t + later in frames))
        if inside or not warning.frames:
            found.append(replace(warning, frames=inside))
    return tuple(found)
