"""Whether two traces follow one person: their joints coincide, for longer than people need to pass each other.

All limits are our decisions. In one frame, two traces are on one person if the median distance of their joints is below
``NEAR`` of the person's extent, where a joint may also be at the other's mirrored joint (so that confused sides do not
hide it), and if the boxes around their joints overlap. Frames in which a track is lost do not count
(:mod:`dkd.analysis.trust`): there it is on nobody.

When somebody passes behind a person, the trace of the hidden one is often on the other's body for a moment. Therefore
only ranges of at least ``LASTING_S`` seconds and ``LASTING_FRAMES`` frames are reported, without gaps of more than
``GAP`` frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np

from dkd.errors import ConfigError, checked
from dkd.tracking.protocols import TraceLike
from dkd.tracking.reinitialise import Reinitialise, mean_confidence

NEAR = 0.1  # of the smaller extent of the two; as for confidence, this is the distance at which a joint counts as found
OVERLAP = 0.5  # intersection over union of the boxes around the joints
LASTING_S, LASTING_FRAMES = 0.5, 5
GAP = 2


class SamePerson(NamedTuple):
    """Frames in which two traces follow one person.

    Attributes:
        first, second: names of the traces.
        frames: the frames, without gaps.
    """

    first: str
    second: str
    frames: range

    def __str__(self) -> str:
        """Return a sentence."""
        where = f"frame{'s' * (len(self.frames) > 1)} {self.frames[0]}"
        where += f" to {self.frames[-1]}" if len(self.frames) > 1 else ""
        return (
            f"{self.first} and {self.second} follow the same person in {where}. Draw the box of one of them in frame "
            f"{self.frames[0]}, or remove it."
        )


@checked
def same_person(traces: Mapping[str, TraceLike], first: int = 0) -> list[SamePerson]:
    """Find the frames in which two traces follow one person.

    Args:
        traces: traces of one clip by name, all with the same first frame. Only frames that both have are compared.
        first: number of the traces' first frame in the video; added to all frame numbers of the result.

    Returns:
        For each pair of traces the ranges of frames, by pair in the order given, then by frame; empty if all traces
        follow different people.

    Raises:
        ConfigError: the traces have different skeletons.
    """
    found = []
    for (name, one), (other_name, other) in combinations(traces.items(), 2):
        if one.skeleton.joints != other.skeleton.joints:
            raise ConfigError(
                f"expected traces with the same joints, got {one.skeleton.name} of {name} and {other.skeleton.name} "
                f"of {other_name}; trace them with models of one skeleton"
            )
        n = min(len(one), len(other))
        for frames in lasting(coincide(one, other), np.asarray(one.times[:n])):
            found.append(SamePerson(name, other_name, range(frames.start + first, frames.stop + first)))
    return found


def coincide(one: TraceLike, other: TraceLike) -> np.ndarray:
    """Return in which frames two traces are on one person, (T,) bool, for the frames that both have."""
    n = min(len(one), len(other))
    a, b = (np.asarray(trace.joints[:n], np.float64) for trace in (one, other))
    boxes = [np.concatenate([joints.min(1), joints.max(1)], -1) for joints in (a, b)]
    extents = [(box[:, 2:] - box[:, :2]).max(-1) for box in boxes]
    flipped = b[:, list(one.skeleton.flip_permutation)]
    distances = np.minimum(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a - flipped, axis=-1))
    near = np.median(distances, 1) < NEAR * np.minimum(*extents)
    followed = ~(_lost(one, n) | _lost(other, n))
    return near & (_overlap(*boxes) > OVERLAP) & followed


def lasting(same: np.ndarray, times: np.ndarray) -> list[range]:
    """Return the ranges of true values (T,) that last long enough, with short gaps filled."""
    frames = np.flatnonzero(same)
    if not len(frames):
        return []
    groups = np.split(frames, np.flatnonzero(np.diff(frames) > GAP + 1) + 1)
    ranges = [range(int(group[0]), int(group[-1]) + 1) for group in groups]
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return [r for r in ranges if len(r) >= LASTING_FRAMES and times[r[-1]] - times[r[0]] + step >= LASTING_S]


def _overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return intersection over union (T,) of boxes (T, 4)."""
    sides = np.maximum(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0)
    shared = sides.prod(-1)
    areas = [(box[:, 2:] - box[:, :2]).prod(-1) for box in (a, b)]
    return shared / np.maximum(sum(areas) - shared, np.finfo(float).tiny)


def _lost(trace: TraceLike, n: int) -> np.ndarray:
    """Return in which of the first n frames a track is lost, (n,) bool."""
    limit = Reinitialise().limit(bool(trace.calibrated))
    return mean_confidence(np.asarray(trace.confidence[:n], np.float64), trace.hidden[:n]) < limit
