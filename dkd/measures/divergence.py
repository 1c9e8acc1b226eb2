"""Two runs over the same frames: how far apart their joints are, and when the second is back with the first.

All of it is ours. Distances are shares of the person's box (:data:`dkd.tracking.trace.BOX_MARGIN` gives it from the square that
the first run looked at), so that 0.1 means what it means in PCK.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dkd.errors import ShapeError
from dkd.tracking.trace import BOX_MARGIN, Trace

TOLERANCE = 0.05  # of the box: half of what PCK@0.1 forgives
STAYS = 5  # frames that it must stay within, or a track that only crosses the other would count as back


class Recovery(NamedTuple):
    """What an intervention did to a track.

    Attributes:
        first: the first frame in which a joint is further off than the tolerance; ``None`` if none ever is.
        peak: the largest distance of a joint, in shares of the box.
        peak_frame: where.
        recovered: the first frame after ``end`` from which all joints stay within the tolerance for :data:`STAYS`
            frames (or to the clip's end); ``None`` if they do not, or never left it.
        frames: ``recovered − end``, the number of frames it took after the intervention ended; 0 where the track was
            never off; ``None`` where it did not recover.
    """

    first: int | None
    peak: float
    peak_frame: int
    recovered: int | None
    frames: int | None


def divergence(reference: Trace, other: Trace) -> np.ndarray:
    """(T, J) float32 distance of the same joint in two runs, in shares of the person's box in the first.

    Args:
        reference, other: over the same clip, with the same joints; T is the length of the shorter one.

    Raises:
        ShapeError: they have other joints.
    """
    if reference.skeleton != other.skeleton:
        names = f"{reference.skeleton.name} and {other.skeleton.name}"
        raise ShapeError(f"expected two runs with the same joints, got {names}")
    n = min(len(reference), len(other))
    box = np.array([crop.side for crop in reference.crops[:n]]) / BOX_MARGIN
    apart = np.linalg.norm(reference.joints[:n] - other.joints[:n], axis=-1)
    return (apart / box[:, None]).astype(np.float32)


def recovery(distances: np.ndarray, end: int, tolerance: float = TOLERANCE) -> Recovery:
    """When did the track leave, how far, and when was it back?

    Args:
        distances: (T, J) of :func:`divergence`, T ≥ 1.
        end: the first frame after the intervention, ≤ T; T where it lasts to the clip's end.
        tolerance: distance that counts as the same place, > 0, in shares of the box.
    """
    worst = np.asarray(distances).max(1)
    off = worst > tolerance
    peak = int(worst.argmax())
    if not off.any():
        return Recovery(None, float(worst[peak]), peak, None, 0)
    first = int(off.argmax())
    recovered = next((t for t in range(end, len(off)) if not off[t : t + STAYS].any()), None)
    frames = None if recovered is None else recovered - end
    return Recovery(first, float(worst[peak]), peak, recovered, frames)
