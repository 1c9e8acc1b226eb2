"""A sequence of images as a clip, so that a data set's sequence can be traced and shown like a video."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dkd.errors import FrameIndexError, ShapeError, checked


@checked
class ImageClip:
    """Clip over a sequence of images of one size, with the part of :class:`dkd.Clip` that traces and widgets use.

    Args:
        images: T arrays (H, W, 3) uint8 RGB; the sequence may read them from disk on access.
        fps: frames per second.
        name: name of the clip.
    """

    backend = "images"

    def __init__(self, images: Sequence[np.ndarray], fps: float = 25.0, name: str = "images"):
        if not len(images):
            raise ShapeError("expected at least one image, got none")
        self._images = images
        self.fps: float | None = fps
        self.name = name
        self.height, self.width = images[0].shape[:2]
        self.times = np.arange(len(images)) / fps

    def __len__(self) -> int:
        return len(self._images)

    def frame(self, t: int) -> np.ndarray:
        """Return frame ``t``: (H, W, 3) uint8 RGB.

        Raises:
            FrameIndexError: ``t`` is outside 0..T−1.
            ShapeError: the frame differs in size from the first one.
        """
        if not 0 <= t < len(self):
            raise FrameIndexError(f"frame {t} is outside 0..{len(self) - 1} of {self.name}")
        image = self._images[t]
        if image.shape != (self.height, self.width, 3):
            raise ShapeError(
                f"expected frames of {self.width}×{self.height} in RGB, got {image.shape} at frame {t} of {self.name}"
            )
        return image

    def close(self) -> None:
        """Do nothing: no file is open."""

    def __enter__(self) -> ImageClip:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
