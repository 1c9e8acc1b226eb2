"""Memory of a tracked body, and the joints of a frame that can be parts of it. This is ours.

A network that looks at one square finds joints, not people: beside a second person, an arm or a leg may be found on the
neighbour. A body cannot do that between two frames. Its parts have a largest speed, and its limbs a largest length,
both in proportion to its height. Joints beyond these limits do not count (:attr:`Body.counted`): the crop of the next
frame follows the others.

Limits are from biomechanics, not fitted: segment lengths as shares of the height by Drillis and Contini (1966), as
printed in Winter, *Biomechanics and Motor Control of Human Movement*; runners move by 3 heights per second (5 m/s), and
their hands and feet about twice as fast. A sprinter or a ball player is faster, but only the crop is concerned, which
such a joint reaches a frame or two later.
"""

from __future__ import annotations

import copy

import numpy as np

from dkd.pose.crops import JOINTS_MARGIN, Crop, box_to_crop, joints_to_box
from dkd.pose.skeleton import Skeleton
from dkd.tracking.appearance import Appearance, median
from dkd.tracking.squares import CONFIDENT, bounded_square

# Lengths between joints as shares of the height. A picture shows them shortened, never longer.
LENGTHS = {
    ("shoulder", "elbow"): 0.186,
    ("elbow", "wrist"): 0.146,
    ("shoulder", "hip"): 0.288,
    ("hip", "knee"): 0.245,
    ("knee", "ankle"): 0.246,
    ("shoulder", "shoulder"): 0.259,
    ("hip", "hip"): 0.191,
    ("head", "shoulder"): 0.177,
    ("head", "neck"): 0.11,
    ("neck", "belly"): 0.24,
}
STRETCH = 1.3  # a limb may look longer by this factor: people differ, cameras are near, and the height is an estimate

SLACK = 0.06  # of the height: joints that stand still are found with such errors
TRUNK_SPEED, LIMB_SPEED = 3.0, 6.0  # heights per second: of the trunk and head, of arms and legs
PANNED_SPEED = 10.0  # heights per second: of a sprinter who was lost, or of anybody while the camera turns
GROWTH, SHRINKAGE = 1.0, 0.3  # per second: largest relative change of the height, as the person comes nearer or leaves
TALLEST = 1.3  # largest extent of the joints, with raised arms, as a share of the height

FORGOTTEN = 1.0  # seconds after which a joint that does not count no longer influences the crop
WAIT = 3.0  # seconds that the crop waits for the person, as long as somebody may take to pass; then it follows others
# Side of the crop / extent of the joints that are believed. Less than JOINTS_MARGIN, so that the person is seen larger:
# a crop that follows one body does not need room for joints found elsewhere.
MARGIN = 1.3


class Body:
    """What is remembered of a tracked body.

    Args:
        skeleton: names of the joints.

    Attributes:
        height: estimated height in pixels if the person stood upright; ``None`` before the first frame.
        joints: (J, 2) positions that are believed: where a joint counts, the one found; else it moves with the others.
        unseen: (J,) seconds since the joint counted last.
        counted: (J,) bool, whether the joints of the last frame can be parts of the body.
        appearance: how the person looks.
        strange: whether the joints of the last frame look like somebody else, or most of them jumped.
        lost: seconds since a sure frame in which at least half of the joints counted.
    """

    def __init__(self, skeleton: Skeleton):
        self._limbs, self._lengths = _known_limbs(skeleton)
        ends = ("elbow", "wrist", "knee", "ankle")
        self._speed = np.array([LIMB_SPEED if name.endswith(ends) else TRUNK_SPEED for name in skeleton.joints])
        self.height: float | None = None
        self.appearance, self.strange, self.lost = Appearance(), False, 0.0
        n = len(skeleton)
        self.joints, self.unseen, self.counted = np.full((n, 2), np.nan), np.zeros(n), np.zeros(n, bool)

    def copy(self) -> Body:
        """Return a body that goes on from here on its own. Arrays are shared, as they are replaced, not changed."""
        other = copy.copy(self)
        other.appearance = copy.copy(self.appearance)
        return other

    def start(
        self, joints: np.ndarray, scores: np.ndarray, square: Crop, look: np.ndarray, is_sure: bool = True
    ) -> None:
        """Begin with the joints (J, 2), scores (J,) and look found in a crop that was drawn or searched for.

        The look is remembered if none is yet: after a search it is the same person. If the track is not sure, nobody
        may be there, and nothing is remembered.
        """
        extent = square.side / JOINTS_MARGIN
        self.counted = np.asarray(scores >= CONFIDENT)
        seen = self._stature(joints, self.counted)
        self.height = extent if seen is None else float(np.clip(seen, 0.8 * extent, 2 * extent))
        self.joints, self.unseen = np.array(joints, np.float64), np.where(self.counted, 0.0, FORGOTTEN)
        self.strange, self.lost = False, 0.0
        if self.appearance.colours is None and is_sure:
            self.appearance.remember(look, 0.0)

    def follow(
        self,
        joints: np.ndarray,
        scores: np.ndarray,
        look: np.ndarray,
        seconds: float,
        given: np.ndarray | None = None,
        is_sure: bool = True,
    ) -> None:
        """Take over the joints of the next frame that can be parts of the body.

        Args:
            joints: (J, 2) pixels, as found.
            scores: (J,) heights of the peaks.
            look: colours at the joints, see :func:`dkd.tracking.appearance.look_at`.
            seconds: time since the frame before.
            given: (J,) bool, joints placed by a person, which always count.
            is_sure: whether the track is sure enough not to be lost.
        """
        assert self.height is not None, "start comes first"
        age = self.unseen + seconds
        moved = joints - self.joints
        share = np.linalg.norm(moved, axis=1) / (self.height * (SLACK + self._speed * age))
        confident = scores >= CONFIDENT
        counted = self._of_one_body(joints, confident & (share <= 1), share)
        self.strange = bool(counted.sum() * 2 < confident.sum()) or self.appearance.is_other(look)
        if self.strange:
            counted = np.zeros(len(counted), bool)
        if given is not None and given.any():
            counted, self.strange = counted | given, False
        is_seen = is_sure and not self.strange and counted.sum() * 2 >= len(counted)
        self.lost = 0.0 if is_seen else self.lost + seconds
        if self.strange and self.lost > WAIT:
            self._believe(joints, confident, look)
            return
        common = median(moved[counted]) if is_seen else np.zeros(2)
        self.joints = np.where(counted[:, None], joints, self.joints + common)
        self.unseen, self.counted = np.where(counted, 0.0, age), counted
        if is_seen:
            self.appearance.remember(look, seconds)
            seen = self._stature(joints, counted)
            low, high = self.height * np.exp(np.array([-SHRINKAGE, GROWTH]) * seconds)
            self.height = self.height if seen is None else float(np.clip(seen, low, high))

    def _believe(self, joints: np.ndarray, confident: np.ndarray, look: np.ndarray) -> None:
        """Take whoever is there for the person, who changed clothes, light or place, or has left."""
        self.counted = confident
        self.joints, self.unseen = np.array(joints, np.float64), np.where(confident, 0.0, FORGOTTEN)
        self.lost, self.appearance = 0.0, Appearance()
        self.appearance.remember(look, 0.0)

    def _of_one_body(self, joints: np.ndarray, counted: np.ndarray, share: np.ndarray) -> np.ndarray:
        """Take away joints until no limb is too long: of each limb's ends, the one that moved more suddenly."""
        assert self.height is not None
        counted = counted.copy()
        a, b = self._limbs.T
        length = np.linalg.norm(joints[a] - joints[b], axis=1)
        excess = length / (STRETCH * self._lengths * self.height)
        while True:
            wrong = np.where(counted[a] & counted[b], excess, 0)
            worst = int(wrong.argmax()) if len(wrong) else 0
            if not len(wrong) or wrong[worst] <= 1:
                return counted
            ends = self._limbs[worst]
            counted[ends[share[ends].argmax()]] = False

    def _stature(self, joints: np.ndarray, counted: np.ndarray) -> float | None:
        """Estimate the height from the limbs that count: only a few are seen unshortened; ``None`` without any."""
        a, b = self._limbs.T
        known = counted[a] & counted[b]
        if not known.any():
            return None
        lengths = np.linalg.norm(joints[a] - joints[b], axis=1)[known] / self._lengths[known]
        return float(median(lengths))

    def accepts(self, square: Crop, joints: np.ndarray, look: np.ndarray, seconds: float) -> bool:
        """Return whether a person who was searched for can be this one: by look, size and place.

        Args:
            square: crop in which the joints were found: one that shows the person small says little.
            joints: (J, 2) pixels, as found.
            look: colours at the joints.
            seconds: time since the last frame.
        """
        assert self.height is not None
        if self.appearance.colours is None:
            return True  # nobody was seen so far
        stature = self._stature(joints, np.ones(len(joints), bool)) or self.height
        far = float(np.linalg.norm(np.median(joints, axis=0) - np.median(self.joints, axis=0)))
        return (
            self.appearance.is_alike(look)
            and square.side <= JOINTS_MARGIN * TALLEST * self.height
            and 1 / STRETCH**2 < stature / self.height < STRETCH**2
            and far <= self.height * (SLACK + PANNED_SPEED * (self.lost + seconds))
        )

    def place(self) -> Crop:
        """Return the crop around the joints that are believed."""
        box = joints_to_box(self.joints)
        assert box is not None, "joints that are believed are finite"
        return box_to_crop(box, JOINTS_MARGIN).rounded()

    def square(self, old: Crop, seconds: float, width: int, height: int) -> Crop:
        """Compute the crop of the next frame: around the joints that are believed, with a bounded change.

        Args:
            old: crop of the last frame.
            seconds: time since the frame before it.
            width, height: size of the frame in pixels.

        Returns:
            The crop, rounded; ``old`` if fewer than half of the joints were seen lately.
        """
        assert self.height is not None
        lately = self.unseen < FORGOTTEN
        box = joints_to_box(self.joints[lately]) if lately.sum() * 2 >= len(lately) else None
        if box is None:
            return old
        reach = self.height * (SLACK + TRUNK_SPEED * seconds)
        return bounded_square(old, box, MARGIN, reach, MARGIN * TALLEST * self.height, width, height)


def _known_limbs(skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of joints (L, 2) whose distance is known, and that distance (L,) as a share of the height."""
    pairs, lengths = [], []
    for a, b in skeleton.limbs:
        one, other = (name.removeprefix("left_").removeprefix("right_") for name in (a, b))
        length = LENGTHS.get((one, other), LENGTHS.get((other, one)))
        if length is not None:
            pairs.append((skeleton.joints.index(a), skeleton.joints.index(b)))
            lengths.append(length)
    return np.array(pairs, int).reshape(-1, 2), np.array(lengths)
