"""Crop of the network, which follows the person from frame to frame. How it does so is our decision."""

from __future__ import annotations

import numpy as np

from dkd.pose.crops import JOINTS_MARGIN, Crop, box_to_crop, joints_to_box

CONFIDENT = 0.15  # joints with lower peaks do not influence the crop
CENTRE_INERTIA, SIDE_INERTIA = 0.3, 0.8  # share of the old crop in the next one, so that the scale does not oscillate
SMALLEST, LARGEST = 32.0, 3.0  # side of a crop: in pixels, and relative to the larger side of the frame


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
    new = box_to_crop(box, JOINTS_MARGIN)
    side = SIDE_INERTIA * old.side + (1 - SIDE_INERTIA) * new.side
    side = min(max(side, SMALLEST), LARGEST * max(width, height))
    x = CENTRE_INERTIA * (old.left + old.side / 2) + (1 - CENTRE_INERTIA) * (new.left + new.side / 2)
    y = CENTRE_INERTIA * (old.top + old.side / 2) + (1 - CENTRE_INERTIA) * (new.top + new.side / 2)
    return Crop(x - side / 2, y - side / 2, side).rounded()
