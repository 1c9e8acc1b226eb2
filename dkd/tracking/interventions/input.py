"""Interventions on the input: frames that do not arrive, pictures that are changed, a square that looks elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dkd.pose.crops import PADDING_GREY, Crop
from dkd.tracking.interventions.base import Intervention
from dkd.tracking.perturbations import BLUR_SIGMA, DARK_GAIN

NOISE_SIGMA = 40.0  # grey levels of 255: a person is still seen by people, small joints are not


@dataclass(frozen=True)
class DropFrames(Intervention):
    """Frames that never arrive, as on a bad line: the model's state waits, the last joints are reported again."""

    def drops(self, t: int) -> bool:
        """In its frames."""
        return t > 0 and self.acts(t)


@dataclass(frozen=True)
class RepeatFrame(Intervention):
    """The camera stands still: the frame before its first is seen again and again, and the model runs on it."""

    def source(self, t: int) -> int:
        """The last frame before the camera stopped."""
        return max(self.frames.start - 1, 0) if self.acts(t) else t


@dataclass(frozen=True)
class Occlude(Intervention):
    """A grey rectangle that stands in the picture.

    Attributes:
        box: (x0, y0, x1, y1) in pixels of the frame; what lies outside the frame is left out.
    """

    box: tuple[float, float, float, float]

    def picture(self, image: np.ndarray, t: int, square: Crop) -> np.ndarray:
        """With the rectangle, in the grey that lies outside frames."""
        if not self.acts(t):
            return image
        x0, y0, x1, y1 = (max(0, round(v)) for v in self.box)
        image = image.copy()
        image[y0:y1, x0:x1] = PADDING_GREY
        return image


@dataclass(frozen=True)
class Filter(Intervention):
    """Something done to the part of the frame that the network cuts out; what lies around it stays as it is."""

    def picture(self, image: np.ndarray, t: int, square: Crop) -> np.ndarray:
        """With that part changed."""
        if not self.acts(t):
            return image
        height, width = image.shape[:2]
        x0, y0 = (max(0, int(np.floor(v))) for v in (square.left, square.top))
        x1, y1 = int(np.ceil(square.left + square.side)), int(np.ceil(square.top + square.side))
        x1, y1 = min(width, x1), min(height, y1)
        if x0 >= x1 or y0 >= y1:
            return image
        image = image.copy()
        image[y0:y1, x0:x1] = self.change(np.ascontiguousarray(image[y0:y1, x0:x1]), t, square.side)
        return image

    def change(self, part: np.ndarray, t: int, side: float) -> np.ndarray:
        """(h, w, 3) uint8 → the same; ``side`` of the network's square in pixels of the frame."""
        raise NotImplementedError


@dataclass(frozen=True)
class Blur(Filter):
    """Out of focus.

    Attributes:
        sigma: of the Gaussian, as a share of the square's side.
    """

    sigma: float = BLUR_SIGMA

    def change(self, part: np.ndarray, t: int, side: float) -> np.ndarray:
        """Blurred."""
        return cv2.GaussianBlur(part, (0, 0), self.sigma * side, borderType=cv2.BORDER_REPLICATE)


@dataclass(frozen=True)
class AddNoise(Filter):
    """Gaussian noise, another one in each frame, the same each time it is asked for.

    Attributes:
        sigma: standard deviation in grey levels of 255, each channel on its own.
        seed: of the noise.
    """

    sigma: float = NOISE_SIGMA
    seed: int = 0

    def change(self, part: np.ndarray, t: int, side: float) -> np.ndarray:
        """With noise, clipped to 0..255."""
        noise = np.random.default_rng((self.seed, t)).standard_normal(part.shape, np.float32) * self.sigma
        return np.clip(np.rint(part + noise), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Darken(Filter):
    """Less light.

    Attributes:
        gain: what is left of it, 0..1.
    """

    gain: float = DARK_GAIN

    def change(self, part: np.ndarray, t: int, side: float) -> np.ndarray:
        """Darker."""
        return np.rint(part * self.gain).astype(np.uint8)


@dataclass(frozen=True)
class ShiftBox(Intervention):
    """The square is put elsewhere; later squares follow from what is found in it.

    Attributes:
        dx, dy: shares of its side, to the right and down.
        scale: factor on its side, about its centre.
    """

    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0

    def square(self, square: Crop, t: int) -> Crop:
        """Moved, in its frames."""
        if not self.acts(t):
            return square
        side = square.side * self.scale
        grown = (side - square.side) / 2
        return Crop(square.left + self.dx * square.side - grown, square.top + self.dy * square.side - grown, side)
