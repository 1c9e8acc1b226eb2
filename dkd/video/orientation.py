"""Orientation and shape of pixels: the display matrix that a file gives, applied as FFmpeg and players apply it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
import cv2
import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type


@dataclass(frozen=True)
class Orientation:
    """How stored pictures are turned to be shown.

    Attributes:
        transpose: rows become columns, first.
        flip_x, flip_y: then mirror left and right, top and bottom.
        degrees: then turn by this angle, clockwise, within the same picture size; 0 for nearly all files.
    """

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False
    degrees: float = 0.0

    def apply(self, picture: np.ndarray) -> np.ndarray:
        """Turn a picture (H, W, 3) uint8; the result is contiguous."""
        # By OpenCV: it turns a large picture ten times faster than NumPy copies a turned view.
        if self.transpose:
            picture = np.asarray(cv2.transpose(picture))
        if self.flip_x or self.flip_y:
            picture = np.asarray(cv2.flip(picture, -1 if self.flip_x and self.flip_y else int(self.flip_x)))
        picture = np.ascontiguousarray(picture)
        if self.degrees:
            height, width = picture.shape[:2]
            turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -self.degrees, 1)
            picture = np.asarray(cv2.warpAffine(picture, turn, (width, height)))
        return picture

    def pixel_aspect(self, stored: Fraction | None) -> Fraction:
        """Return width / height of a shown pixel, from that of a stored one (``None`` or 0: not stated, so 1)."""
        if not stored or stored <= 0:
            return Fraction(1)
        return 1 / stored if self.transpose else stored

    def __str__(self) -> str:
        if self.degrees:
            return f"turned by {self.degrees:.4g}°"
        names = {
            (False, False, False): "as stored", (False, True, False): "mirrored", (False, False, True): "upside down, "
            "mirrored", (False, True, True): "turned by 180°", (True, True, False): "turned by 90°",
            (True, False, True): "turned by 270°", (True, False, False): "transposed", (True, True, True):
            "transposed over the other diagonal",
        }  # fmt: skip
        return names[self.transpose, self.flip_x, self.flip_y]


UPRIGHT = Orientation()


def orientation_of(frame: av.VideoFrame) -> Orientation | None:
    """Return the orientation that a decoded frame carries, from its container or its own coded data; else ``None``.

    PyAV's ``frame.rotation`` is only the angle of the matrix, in which a mirror looks like half a turn.
    """
    # Not ``frame.side_data``, which the frame keeps, and which keeps the frame: the pair is freed only when Python next
    # looks for cycles. It counts objects, not bytes, so hundreds of megabytes of frames would wait for that.
    matrix = cast(Any, SideDataContainer)(frame).get(Type.DISPLAYMATRIX)
    return None if matrix is None else from_matrix(np.frombuffer(bytes(matrix), np.int32))


def from_matrix(matrix: np.ndarray) -> Orientation:
    """Return the orientation of a display matrix, with FFmpeg's rules (``ffmpeg -autorotate``).

    Args:
        matrix: (9,) int32 a, b, u, c, d, v, x, y, w in 16.16 fixed point: a stored point (p, q) is shown at
            (a p + c q, b p + d q).
    """
    a, b, c, d = (int(matrix[k]) for k in (0, 1, 3, 4))
    scale = math.hypot(a, c), math.hypot(b, d)
    if not all(scale):
        return UPRIGHT
    angle = math.degrees(math.atan2(b / scale[1], a / scale[0])) % 360  # clockwise
    quarter = round(angle / 90) % 4
    if abs(angle - 90 * round(angle / 90)) >= 1:
        return Orientation(degrees=angle)
    if quarter % 2:
        return Orientation(transpose=True, flip_x=c < 0, flip_y=b < 0)
    return Orientation(flip_x=a < 0, flip_y=d < 0)
