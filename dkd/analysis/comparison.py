"""Comparison of two runs over the same clip, frame by frame and joint by joint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dkd.errors import ShapeError, checked
from dkd.measures.divergence import Recovery, distances, recovery
from dkd.pose.crops import BOX_MARGIN
from dkd.tracking.interventions import Intervention
from dkd.tracking.protocols import TraceLike

if TYPE_CHECKING:
    from dkd.tracking.trace import Trace


@checked
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


class Aftermath(NamedTuple):
    """What follows from interventions.

    Attributes:
        recovery: when the track leaves the original, how far, and when it is back. Frames are those of the trace.
        end: the first frame after the interventions, in the direction of the run.
        lasts: whether they act to the end of the run.
    """

    recovery: Recovery
    end: int
    lasts: bool


def aftermath(changed: Trace, apart: np.ndarray, changes: Sequence[Intervention]) -> Aftermath:
    """Find when a changed track left the original and was back, in the direction in which it was traced.

    Where a trace goes backwards in time (before its ``origin``), the frames after an intervention are those before it
    in the clip. With interventions in both directions, the result is that of the larger distance.

    Args:
        changed: the run with the interventions.
        apart: (T, J) of :func:`divergence`, T ≥ 1, for the frames traced so far.
        changes: the interventions, at least one.
    """
    n, n_wanted = len(apart), changed.n_wanted
    runs = [range(changed.origin, n_wanted)] + [range(changed.origin, -1, -1)] * (changed.origin > 0)
    found = []
    for run in runs:
        acting = [one.renumbered(run) for one in changes]
        stops = [one.frames.stop for one in acting if one is not None]
        seen = [t for t in run if t < n]
        if not stops or not seen:
            continue
        stop = max(stops)
        one = recovery(apart[seen], min(stop, len(seen)))
        first, recovered = (None if t is None else run[t] for t in (one.first, one.recovered))
        one = one._replace(first=first, peak_frame=run[one.peak_frame], recovered=recovered)
        found.append(Aftermath(one, run.start + run.step * min(stop, len(seen)), stop >= len(run)))
    return max(found, key=lambda one: one.recovery.peak)
