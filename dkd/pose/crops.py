"""Conversion between a person's box, the network's square input and the frame.

One rule for pixel centres applies everywhere: the pixel with index *i* covers the interval [i, i + 1) of its image, so
its centre is at i + 0.5. Coordinates that users see (joints, boxes) are pixel *indices* (the centre of the top-left
pixel is (0, 0)), as in the data sets. Frame, network input and map cells are three images of the same square:

    (x_frame + 0.5 − left) / side  =  (x_net + 0.5) / N  =  (x_cell + 0.5) / W
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import NamedTuple

import cv2
import numpy as np

from dkd.errors import BoxError, ShapeError

PADDING_GREY = 128  # fills what is outside the frame, as is usual in video pose estimation
# Our decisions: training crops are 1.0–1.8 × the joints' extent, so inference stays in the middle of that range.
BOX_MARGIN = 1.25  # crop side / side of a box around the whole person
JOINTS_MARGIN = 1.4  # crop side / extent of the joints, which end at the ankles and mid-head
CROP_STEPS = 4  # per pixel, see Crop.rounded


@dataclass(frozen=True)
class Crop:
    """A square of a frame, in continuous frame coordinates (pixel i covers [i, i + 1)).

    Attributes:
        left, top: top-left corner of the square; may be negative (outside the frame is padded with grey).
        side: side of the square in frame pixels, > 0.
    """

    left: float
    top: float
    side: float

    def rounded(self) -> Crop:
        """Return the crop with position and side rounded to 1/:data:`CROP_STEPS` of a pixel.

        Ours: a crop that follows found joints would otherwise change with the last bits of the maps, which differ
        between engines, processors and numbers of threads. One grey level that is rounded the other way then changes
        the next maps by 1e-3, and after a few frames an unsure joint jumps elsewhere. With rounded crops, the runs of
        two engines differ by less than 0.001 px.
        """
        return Crop(*(round(v * CROP_STEPS) / CROP_STEPS for v in (self.left, self.top, self.side)))

    def to_grid(self, points: np.ndarray, size: int) -> np.ndarray:
        """Convert frame pixel indices (..., 2) to pixel or cell indices on a ``size`` × ``size`` grid over the crop."""
        points = np.asarray(points, dtype=np.float64)
        return (points + 0.5 - (self.left, self.top)) * (size / self.side) - 0.5

    def to_frame(self, points: np.ndarray, size: int) -> np.ndarray:
        """Convert indices on a ``size`` × ``size`` grid (..., 2) to frame pixel indices; inverse of :meth:`to_grid`."""
        points = np.asarray(points, dtype=np.float64)
        return (points + 0.5) * (self.side / size) + (self.left, self.top) - 0.5

    def extract(self, frame: np.ndarray, size: int) -> np.ndarray:
        """Cut the square out of a frame and resample it to ``size`` × ``size``.

        Interpolation is bilinear. A square much larger than ``size`` is first averaged over whole blocks, since
        ``warpAffine`` alone would alias (which can cost up to 0.08 PCK, as others have measured).

        Args:
            frame: (H, W, 3) uint8.
            size: side of the result in pixels.

        Returns:
            (size, size, 3) uint8, grey outside the frame.
        """
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise ShapeError(f"expected a frame of shape (H, W, 3) and type uint8, got {frame.shape} {frame.dtype}")
        height, width = frame.shape[:2]
        area = self.area(size, width, height)
        return self.resample(frame if area.block == 1 else area.take(frame), size, area)

    def area(self, size: int, width: int, height: int) -> Area:
        """Return the part of a frame from which :meth:`extract` resamples, in blocks that are averaged first.

        Args:
            size: side of the result of :meth:`extract`.
            width, height: size of the frame in pixels.
        """
        block = int(1 / (size / self.side))
        if block >= 2:
            x0, y0 = (max(0, int(v) // block * block - block) for v in (self.left, self.top))
            x1, y1 = (int(v + self.side) + 2 * block for v in (self.left, self.top))
            columns, rows = (min(width, x1) - x0) // block, (min(height, y1) - y0) // block
            if columns >= 1 and rows >= 1:
                return Area(block, x0 // block, y0 // block, x0 // block + columns, y0 // block + rows)
        x0, y0 = (max(0, floor(v) - 1) for v in (self.left, self.top))
        x1, y1 = min(width, ceil(self.left + self.side) + 1), min(height, ceil(self.top + self.side) + 1)
        return Area(1, min(x0, width), min(y0, height), max(x1, min(x0, width)), max(y1, min(y0, height)))

    def resample(self, image: np.ndarray, size: int, area: Area) -> np.ndarray:
        """Do the second half of :meth:`extract`.

        Args:
            image: for blocks of one pixel the whole frame, of which only the pixels in ``area`` matter; else the
                averaged blocks of ``area``, from :meth:`Area.take`.
            size: side of the result in pixels.
            area: from :meth:`area`.
        """
        scale, shift = size / self.side, np.array([self.left, self.top])
        if area.block > 1:
            shift = (shift - (area.x0 * area.block, area.y0 * area.block)) / area.block
            scale *= area.block
        # warpAffine works on indices: destination d holds source s where (s + 0.5 − shift)·scale = d + 0.5.
        forward = np.array([[scale, 0, (0.5 - shift[0]) * scale - 0.5], [0, scale, (0.5 - shift[1]) * scale - 0.5]])
        return cv2.warpAffine(
            image,
            forward,
            (size, size),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(PADDING_GREY,) * 3,
        )


class Area(NamedTuple):
    """Rectangle of a frame in blocks of ``block`` × ``block`` pixels, counted from its top-left corner.

    Attributes:
        block: side of a block in pixels.
        x0, y0, x1, y1: columns x0 to x1 − 1 and rows y0 to y1 − 1 of blocks.
    """

    block: int
    x0: int
    y0: int
    x1: int
    y1: int

    def take(self, frame: np.ndarray) -> np.ndarray:
        """Average each block of a frame (H, W, 3): (y1 − y0, x1 − x0, 3) uint8."""
        n = self.block
        part = frame[self.y0 * n : self.y1 * n, self.x0 * n : self.x1 * n]
        return (
            part if n == 1 else cv2.resize(part, (self.x1 - self.x0, self.y1 - self.y0), interpolation=cv2.INTER_AREA)
        )

    def grown(self, share: float, width: int, height: int) -> Area:
        """Return the area with a margin of ``share`` × its larger side all around, within a frame's size in pixels."""
        more = ceil(share * max(self.x1 - self.x0, self.y1 - self.y0))
        columns, rows = width // self.block, height // self.block
        return Area(
            self.block, max(0, self.x0 - more), max(0, self.y0 - more),
            min(columns, self.x1 + more), min(rows, self.y1 + more),
        )  # fmt: skip

    def contains(self, other: Area) -> bool:
        """Return whether all blocks of ``other`` are blocks of this area."""
        return (
            self.block == other.block
            and self.x0 <= other.x0 and self.y0 <= other.y0
            and other.x1 <= self.x1 and other.y1 <= self.y1
        )  # fmt: skip


def check_box(box, width: int, height: int) -> tuple[float, float, float, float]:
    """Validate a person box ``(x0, y0, x1, y1)`` in pixels against a frame's size, and clip it to the frame.

    Raises:
        BoxError: not four finite numbers, x1 ≤ x0 or y1 ≤ y0, smaller than 4 pixels, or fully outside the frame.
    """
    x0, y0, x1, y1 = four_numbers(box)
    if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
        raise BoxError(
            f"the box {(x0, y0, x1, y1)} lies outside the frame of {width}×{height} pixels; give a box on the person"
        )
    x0, y0, x1, y1 = max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))
    if min(x1 - x0, y1 - y0) < 4:
        raise BoxError(
            f"only {x1 - x0:.1f}×{y1 - y0:.1f} pixels of the box lie inside the frame; expected at least 4×4"
        )
    return x0, y0, x1, y1


def four_numbers(box) -> tuple[float, float, float, float]:
    """Validate a person box whose frame is not known yet.

    Raises:
        BoxError: not four finite numbers, or x1 ≤ x0 or y1 ≤ y0.
    """
    try:
        given = np.asarray(box)
        values = given.astype(np.float64).ravel() if given.size == 4 and given.dtype.kind in "iuf" else np.empty(0)
    except ValueError:  # rows of different lengths
        values = np.empty(0)
    if values.size != 4 or not np.isfinite(values).all():
        shown = repr(box)[:200]
        raise BoxError(f"expected a box of four finite numbers (x0, y0, x1, y1) in pixels, got {shown}")
    x0, y0, x1, y1 = (float(v) for v in values)
    if x1 <= x0 or y1 <= y0:
        raise BoxError(
            f"expected a box with x0 < x1 and y0 < y1, got {(x0, y0, x1, y1)}; it is (x0, y0, x1, y1), not (x, y, w, h)"
        )
    return x0, y0, x1, y1


def box_to_crop(box: tuple[float, float, float, float], margin: float) -> Crop:
    """Return the square around a box: same centre, side = ``margin`` × the box's larger side, no stretching."""
    x0, y0, x1, y1 = box
    side = margin * max(x1 - x0, y1 - y0)
    return Crop((x0 + x1 - side) / 2, (y0 + y1 - side) / 2, side)


def joints_to_box(joints: np.ndarray) -> tuple[float, float, float, float] | None:
    """Return the tight box (x0, y0, x1, y1) around the finite joints of (J, 2); ``None`` if there are fewer than 2."""
    finite = np.asarray(joints)[np.isfinite(joints).all(-1)]
    if len(finite) < 2:
        return None
    (x0, y0), (x1, y1) = finite.min(0), finite.max(0)
    return float(x0), float(y0), float(x1), float(y1)


def person_box(joints: np.ndarray) -> tuple[float, float, float, float] | None:
    """Return a box around a whole person: that of the joints (J, 2), enlarged to include head and feet.

    ``None`` if fewer than 2 joints are finite. :func:`box_to_crop` makes the same crop from it with ``BOX_MARGIN`` as
    from the joints' box with ``JOINTS_MARGIN``.
    """
    box = joints_to_box(joints)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    grow = (JOINTS_MARGIN / BOX_MARGIN - 1) / 2 * max(x1 - x0, y1 - y0)
    return x0 - grow, y0 - grow, x1 + grow, y1 + grow
