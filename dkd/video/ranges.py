"""Part of a clip as a clip, so that a trace can start at any frame."""

from __future__ import annotations

import operator

import numpy as np

from dkd.errors import FrameIndexError
from dkd.video.protocols import ClipLike


class ClipRange:
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
    """

    def __init__(self, clip: ClipLike, start: int = 0, stop: int | None = None):
        start, stop = operator.index(start), len(clip) if stop is None else operator.index(stop)
        if not 0 <= start < stop <= len(clip):
            raise FrameIndexError(
                f"expected frames with 0 <= start < stop <= {len(clip)}, the length of {clip.name}, got start={start} "
                f"and stop={stop}"
            )
        self.clip, self.start, self.stop = clip, start, stop
        self.name, self.width, self.height = clip.name, clip.width, clip.height
        self.times = np.asarray(clip.times[start:stop]) - clip.times[start]

    @property
    def fps(self) -> float | None:
        """Frames per second, as the clip says; ``None`` if the rate varies."""
        return self.clip.fps

    @property
    def backend(self) -> str:
        """Short name of the decoder."""
        return self.clip.backend

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
