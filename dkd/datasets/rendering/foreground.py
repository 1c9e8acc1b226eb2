"""Foreground: an object that passes in front of the person, and the flaws of a camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dkd.datasets.rendering import textures

_SPARE = 64  # pixels by which the noise image is larger than a frame


@dataclass(frozen=True, eq=False)
class Occluder:
    """A picture that moves in a straight line across the image.

    Attributes:
        sprite: (h, w, 4) uint8, premultiplied.
        corners: (T, 2) position of its top-left pixel, in pixel indices.
    """

    sprite: np.ndarray
    corners: np.ndarray

    def layer(self, t: int, width: int, height: int) -> np.ndarray:
        """Draw the sprite at its position in frame t: (height, width, 4) uint8, premultiplied."""
        x, y = self.corners[t]
        return cv2.warpAffine(self.sprite, np.array([[1, 0, x], [0, 1, y]]), (width, height))


def random_occluder(joints: np.ndarray, width: int, height: int, fps: float, rng: np.random.Generator) -> Occluder:
    """Draw a pole, a box or a plant that is in front of the person (joints (T, 13, 2)) at some time."""
    kind = rng.integers(3)
    high, wide = height, int(height * rng.uniform(0.03, 0.12)) + 1
    if kind == 0:
        sprite = textures.opaque(textures.rounded(textures.mottled(rng, height, contrast=0.06)))
        sprite = np.ascontiguousarray(sprite[:, :: max(height // wide, 1)])
    else:
        high, wide = (int(height * rng.uniform(low, up)) + 1 for low, up in ((0.2, 0.5), (0.12, 0.4)))
        pick = textures.collage if rng.random() < 0.5 else textures.mottled
        picture = textures.opaque(pick(rng, 96)) if kind == 1 else textures.foliage(rng, 128)
        sprite = cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA)
    when = int(rng.integers(len(joints)))
    person = joints[when]
    x = rng.uniform(person[:, 0].min(), person[:, 0].max())  # its centre passes here at that time
    y = height - high * rng.uniform(0.75, 1.0) if kind else 0.0
    if kind == 1 and rng.random() < 0.3:  # carried past, does not stand on the floor
        y = rng.uniform(person[:, 1].min(), person[:, 1].max()) - high / 2
    speed = rng.choice([-1, 1]) * width * rng.uniform(0.05, 1.2) / fps
    left = x - wide / 2 + speed * (np.arange(len(joints)) - when)
    return Occluder(sprite, np.stack([left, np.full(len(joints), y)], axis=1))


def covered(alpha: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Find the joints (J, 2) behind a layer's alpha (H, W) of more than 0.5; return (J,) bool."""
    height, width = alpha.shape
    column, row = np.rint(joints).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
    return inside & (alpha[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)] > 127)


class Flaws:
    """Flaws of a camera: colour cast and contrast, a soft lens or low resolution, and noise. Drawn once per clip."""

    def __init__(self, width: int, height: int, rng: np.random.Generator):
        self._rng = rng
        gain = rng.uniform(0.85, 1.15) * rng.uniform(0.92, 1.08, 3)
        gamma = rng.uniform(0.75, 1.3)
        levels = np.linspace(0, 1, 256)[:, None] ** gamma * gain * 255 + rng.uniform(0, 20)
        self._table = np.clip(levels, 0, 255).astype(np.uint8)[None]  # (1, 256, 3)
        self._softness = rng.uniform(0.3, 1.1) * width / 192 if rng.random() < 0.5 else 0.0
        self._reduced = float(rng.uniform(0.45, 0.9)) if rng.random() < 0.25 else 1.0
        # one noise image, of which each frame uses a different part
        grain = rng.standard_normal((height + _SPARE, width + _SPARE, 3), np.float32)
        self._grain = np.rint(rng.gamma(1.5, 3.0) * grain).astype(np.int16)

    def apply(self, frame: np.ndarray) -> np.ndarray:
        """Return the next frame, (H, W, 3) uint8, as this camera records it."""
        height, width = frame.shape[:2]
        frame = cv2.LUT(frame, self._table)
        if self._reduced < 1:
            small = (max(int(width * self._reduced), 8), max(int(height * self._reduced), 8))
            frame = cv2.resize(cv2.resize(frame, small, interpolation=cv2.INTER_AREA), (width, height))
        if self._softness:
            frame = cv2.GaussianBlur(frame, (0, 0), self._softness)
        y, x = self._rng.integers(0, _SPARE, 2)
        return np.clip(frame + self._grain[y : y + height, x : x + width], 0, 255).astype(np.uint8)
