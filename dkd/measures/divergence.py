"""Divergence of two runs over the same frames: how far apart their joints are, and when they agree again.

All of this is our own. Distances are shares of the person's box (derived from the first run's crop by
:data:`dkd.pose.crops.BOX_MARGIN`), so that 0.1 means the same as in PCK.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dkd.errors import ShapeError
from dkd.tracking.trace import BOX_MARGIN, Trace

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


def divergence(reference: Trace, other: Trace) -> np.ndarray:
    """Compute the distance of each joint between two runs: (T, J) float32, as a share of the first run's person box.

    Args:
        reference, other: runs over the same clip, with the same skeleton; T is the length of the shorter one.

    Raises:
        ShapeError: their skeletons differ.
    """
    if reference.skeleton != other.skeleton:
        names = f"{reference.skeleton.name} and {other.skeleton.name}"
        raise ShapeError(f"expected two runs with the same joints, got {names}")
    n = min(len(reference), len(other))
    box = np.array([crop.side for crop in reference.crops[:n]]) / BOX_MARGIN
    apart = np.linalg.norm(reference.joints[:n] - other.joints[:n], axis=-1)
    return (apart / box[:, None]).astype(np.float32)


def recovery(distances: np.ndarray, end: int, tolerance: float = TOLERANCE) -> Recovery:
    """Find when the track left, how far it went, and when it was back.

    Args:
        distances: (T, J) from :func:`divergence`, T ≥ 1.
        end: the first frame after the intervention, ≤ T; T if it lasts to the end of the clip.
        tolerance: distance up to which two places count as the same, > 0, as a share of the box.
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
