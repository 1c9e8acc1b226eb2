"""Comparison of two runs over the same clip, frame by frame and joint by joint."""

from __future__ import annotations

import numpy as np

from dkd.errors import ShapeError
from dkd.measures.divergence import distances
from dkd.pose.crops import BOX_MARGIN
from dkd.tracking.protocols import TraceLike


def divergence(reference: TraceLike, other: TraceLike) -> np.ndarray:
    """Measure how far apart the same joints are in two runs.

    Args:
        reference, other: runs over the same clip, with the same joints; T is the length of the shorter one.

    Returns:
        (T, J) float32 distance as a share of the person's box, derived from the crop of the first run (our decision:
        without ground truth there is no other box).

    Raises:
        ShapeError: the runs have different joints.
    """
    if reference.skeleton != other.skeleton:
        names = f"{reference.skeleton.name} and {other.skeleton.name}"
        raise ShapeError(f"expected two runs with the same joints, got {names}")
    n = min(len(reference), len(other))
    side = np.array([crop.side for crop in reference.crops[:n]]) / BOX_MARGIN
    return distances(reference.joints[:n], other.joints[:n], side)
