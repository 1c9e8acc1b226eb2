"""Crop of the network, which follows the person from frame to frame. How it does so is our decision."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dkd.pose.crops import JOINTS_MARGIN, Crop, box_to_crop, joints_to_box

Square = Literal["person", "joints"]  # what the crop follows, see dkd.tracking.conditions.Conditions

CONFIDENT = 0.15  # joints with lower peaks do not influence the crop
CENTRE_INERTIA, SIDE_INERTIA = 0.3, 0.8  # share of the old crop in the next one, so that the scale does not oscillate
SMALLEST, LARGEST = 32.0, 3.0  # side of a crop: in pixels, and relative to the larger side of the frame

Box = tuple[float, float, float, float]


def next_square(old: Crop, joints: np.ndarray, scores: np.ndarray, width: int, height: int) -> Crop:
    """Compute the crop of the next frame: around the confident joints of this one, with some inertia.

    Args:
        old: crop of this frame.
        joints: (J, 2) pixels, the maps' peaks in this frame.
        scores: (J,) heights of the peaks.
        width, height: size of the frame in pixels.

    Returns:
        The crop, rounded (:meth:`~dkd.pose.crops.Crop.rounded`); ``old`` if fewer than half of the joints are
        confident.
    """
    confident = scores >= CONFIDENT
    box = joints_to_box(joints[confident]) if confident.sum() * 2 >= len(confident) else None
    if box is None:
        return old
    x, y, side = _with_inertia(old, box, JOINTS_MARGIN, width, height)
    return Crop(x - side / 2, y - side / 2, side).rounded()


def bounded_square(old: Crop, box: Box, margin: float, reach: float, largest: float, width: int, height: int) -> Crop:
    """Compute the crop around a box like :func:`next_square`, with a limited size and a limited way to go.

    Args:
        old: crop of the last frame.
        box: (x0, y0, x1, y1) pixels, of the joints.
        margin: side of the crop / extent of the joints.
        reach: largest distance in pixels between the centres of the two crops.
        largest: largest side of the crop in pixels.
        width, height: size of the frame in pixels.
    """
    x, y, side = _with_inertia(old, box, margin, width, height)
    side = max(min(side, largest), SMALLEST)
    old_x, old_y = old.left + old.side / 2, old.top + old.side / 2
    far = float(np.hypot(x - old_x, y - old_y))
    if far > reach:
        x, y = old_x + (x - old_x) * reach / far, old_y + (y - old_y) * reach / far
    return Crop(x - side / 2, y - side / 2, side).rounded()


def _with_inertia(old: Crop, box: Box, margin: float, width: int, height: int) -> tuple[float, float, float]:
    """Return the centre x, y and the side of the crop around the joints' box, between it and the old crop."""
    new = box_to_crop(box, margin)
    side = SIDE_INERTIA * old.side + (1 - SIDE_INERTIA) * new.side
    side = min(max(side, SMALLEST), LARGEST * max(width, height))
    x = CENTRE_INERTIA * (old.left + old.side / 2) + (1 - CENTRE_INERTIA) * (new.left + new.side / 2)
    y = CENTRE_INERTIA * (old.top + old.side / 2) + (1 - CENTRE_INERTIA) * (new.top + new.side / 2)
    return x, y, side
