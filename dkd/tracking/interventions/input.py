"""Interventions on the input: dropped or repeated frames, changed pictures, and a moved crop."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dkd.pose.crops import PADDING_GREY, Crop
from dkd.tracking.interventions.base import Intervention
from dkd.tracking.perturbations import BLUR_SIGMA, DARK_GAIN

NOISE_SIGMA = 40.0  # grey levels of 255: people are still visible, small joints are not


@dataclass(frozen=True)
class DropFrames(Intervention):
    """Drop frames, as on a bad connection: the model's state stays, and the last joints are reported again."""

    def drops(self, t: int) -> bool:
        """Return True in its frames."""
        return t > 0 and self.acts(t)


@dataclass(frozen=True)
class RepeatFrame(Intervention):
    """Freeze the picture: the frame before the first one is shown in all frames, and the model runs on it."""

    def source(self, t: int) -> int:
        """Return the last frame before the picture froze."""
        return max(self.frames.start - 1, 0) if self.acts(t) else t


@dataclass(frozen=True)
class Occlude(Intervention):
    """Cover a fixed rectangle of the picture with grey.

    Attributes:
        box: (x0, y0, x1, y1) in pixels of the frame, clipped to the frame.
    """

    box: tuple[float, float, float, float]

    def picture(self, image: np.ndarray, t: int, square: Crop) -> np.ndarray:
        """Draw the rectangle in the grey used outside frames."""
        if not self.acts(t):
            return image
        x0, y0, x1, y1 = (max(0, round(v)) for v in self.box)
        image = image.copy()
        image[y0:y1, x0:x1] = PADDING_GREY
        return image


@dataclass(frozen=True)
class Filter(Intervention):
    """Change the part of the frame in the crop; the rest stays unchanged."""

    def picture(self, image: np.ndarray, t: int, square: Crop) -> np.ndarray:
        """Change the part in the crop."""
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
        """Change a part (h, w, 3) uint8; ``side`` is the side of the crop in pixels of the frame."""
        raise NotImplementedError


@dataclass(frozen=True)
class Blur(Filter):
    """Blur the input.

    Attributes:
        sigma: σ of the Gaussian as a share of the crop's side.
    """

    sigma: float = BLUR_SIGMA

    def change(self, part: np.ndarray, t: int, side: float) -> np.ndarray:
        """Blurred."""
        return cv2.GaussianBlur(part, (0, 0), self.sigma * side, borderType=cv2.BORDER_REPLICATE)


@dataclass(frozen=True)
class AddNoise(Filter):
    """Add Gaussian noise, different in each frame, but reproducible.

    Attributes:
        sigma: standard deviation in grey levels of 255, independent for each channel.
        seed: seed of the noise.
    """

    sigma: float = NOISE_SIGMA
    seed: int = 0

    def change(self, part: np.ndarray, t: int, side: float) -> np.ndarray:
        """Add noise and clip to 0..255."""
        noise = np.random.default_rng((self.seed, t)).standard_normal(part.shape, np.float32) * self.sigma
        return np.clip(np.rint(part + noise), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Darken(Filter):
    """Darken the input.

    Attributes:
        gain: remaining share of the light, 0..1.
    """

    gain: float = DARK_GAIN

    def change(self, part: np.ndarray, t: int, side: float) -> np.ndarray:
        """Darker."""
        return np.rint(part * self.gain).astype(np.uint8)


@dataclass(frozen=True)
class ShiftBox(Intervention):
    """Move the crop; later crops follow from the joints found in it.

    Attributes:
        dx, dy: shift to the right and down, as shares of its side.
        scale: factor on its side, about its centre.
    """

    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0

    def square(self, square: Crop, t: int) -> Crop:
        """Move the crop in its frames."""
        if not self.acts(t):
            return square
        side = square.side * self.scale
        grown = (side - square.side) / 2
        return Crop(square.left + self.dx * square.side - grown, square.top + self.dy * square.side - grown, side)
