"""Divergence of two tracks of one person: how far apart their joints are, and when the second is back with the first.

The paper has no such measure; all of this is our decision. Distances are shares of the larger side of the person's box,
so that 0.1 means what it means in PCK.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dkd.errors import checked
from dkd.pose.labels import as_joints, as_numbers

TOLERANCE = 0.05  # share of the box: half the tolerance of PCK@0.1
STAYS = 5  # frames it must stay within; otherwise a track that only crosses the other would count as recovered


class Recovery(NamedTuple):
    """Effect of an intervention on a track.

    Attributes:
        first: the first frame in which a joint is further away than the tolerance; ``None`` if there is none.
        peak: the largest distance of a joint, as a share of the box.
        peak_frame: frame of the peak.
        recovered: the first frame after ``end`` from which all joints stay within the tolerance for :data:`STAYS`
            frames (or to the end of the clip); ``None`` if they do not, or if the track never left.
        frames: ``recovered − end``, the number of frames after the end of the intervention; 0 if the track never left;
            ``None`` if it did not recover.
    """

    first: int | None
    peak: float
    peak_frame: int
    recovered: int | None
    frames: int | None


def distances(joints: np.ndarray, other: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Measure how far apart two tracks of the same joints are.

    Args:
        joints, other: (T, J, 2) pixels.
        side: (T,) larger side of the person's box in pixels, > 0.

    Returns:
        (T, J) float32 distance of each joint, in shares of the box; NaN where a joint is missing.

    Raises:
        ShapeError: the arrays do not fit each other.
    """
    joints = as_joints(joints, ("T", "J", 2), "joints", None)
    other = as_joints(other, joints.shape, "other joints", None)
    side = as_numbers(side, joints.shape[:1], "side", None)
    return (np.linalg.norm(joints - other, axis=-1) / side[:, None]).astype(np.float32)


@checked
def recovery(distances: np.ndarray, end: int, tolerance: float = TOLERANCE) -> Recovery:
    """Find when the track left, how far it went, and when it was back.

    Args:
        distances: (T, J) of :func:`distances`, T ≥ 1.
        end: the first frame after the intervention, ≤ T; T where it lasts to the clip's end.
        tolerance: distance that counts as the same place, > 0, in shares of the box.
    """
    worst = as_numbers(distances, ("T", "J"), "distances", None).max(1)
    off = worst > tolerance
    peak = int(worst.argmax())
    if not off.any():
        return Recovery(None, float(worst[peak]), peak, None, 0)
    first = int(off.argmax())
    recovered = next((t for t in range(end, len(off)) if not off[t : t + STAYS].any()), None)
    frames = None if recovered is None else recovered - end
    return Recovery(first, float(worst[peak]), peak, recovered, frames)
