"""Corrections: methods of a :class:`dkd.Trace` with which a person corrects the track.

    better = trace.correct_joint(12, "left_wrist", 103.5, 88.0)   # the joint is there in frame 12
    better = better.hide_joint(range(30, 34), "right_ankle")      # it cannot be seen
    better = better.swap_sides(range(40, 52), "leg")              # left and right were confused
    better = better.set_box(60, (120, 80, 260, 330))              # the person is here
    better = better.interpolate("left_wrist", 12, 20)             # straight from frame 12 to frame 20

They are what-if methods like those of :class:`~dkd.tracking.counterfactuals.Counterfactuals`: each returns a new trace,
which can be undone. The corrected pose is reported, the next crop follows it, and it enters H_t, so that the frames
after it are tracked with kernels that were distilled from the correction. How it does so is our decision: see
:mod:`dkd.tracking.interventions.corrections`.
"""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Sequence
from typing import Self

import numpy as np

from dkd.errors import ConfigError, nearest_name
from dkd.pose.crops import check_box
from dkd.tracking.changes import LEFT_OUT, Cancel, Changes, call_text, plain
from dkd.tracking.interventions import Frames, HideJoint, PlaceJoint, SetBox, SwapSides

# A limb of the body, from the trunk outwards.
LIMBS = {"arm": ("shoulder", "elbow", "wrist"), "leg": ("hip", "knee", "ankle")}


class Corrections(Changes):
    """Correction methods of a trace. Every method returns a new trace and leaves this one unchanged."""

    @property
    @abstractmethod
    def joints(self) -> np.ndarray:
        """Joints (T, J, 2) as reported."""

    @abstractmethod
    def _index(self, t: int) -> int:
        """``t``, checked against the frames run so far."""

    def correct_joint(self, frame: int, joint: str | int, x: float, y: float, *, cancel: Cancel | None = None) -> Self:
        """Place a joint in a frame.

        The position is reported exactly, without smoothing, with a score of 1. The joint is no longer hidden.

        Args:
            frame: index of the frame.
            joint: name or index of the joint.
            x, y: position in pixels of the frame; may be outside the picture, by its width or height at most.
            cancel: as for a trace.

        Raises:
            ConfigError: there is no such joint, or the position is too far away or not finite.
        """
        within, j = self._frame(frame), self.skeleton.index(joint)
        at, size = np.array([x, y], np.float64), np.array([self.clip.width, self.clip.height])
        if not ((at >= -size) & (at <= 2 * size)).all():  # NaN compares false
            raise ConfigError(
                f"expected a position in or near the picture of {size[0]}×{size[1]} pixels, got ({x}, {y}); "
                "mark a joint that cannot be seen as hidden (hide_joint)"
            )
        call = call_text("correct_joint", within.start, self.skeleton.joints[j], float(x), float(y))
        return self._with([PlaceJoint(within, j, at[None])], call, cancel)

    def hide_joint(self, frames: Frames, joint: str | int, *, cancel: Cancel | None = None) -> Self:
        """Mark a joint as hidden: its map is passed on as zeros; its position stays, with a score of 0.

        Args:
            frames: frames in which it cannot be seen.
            joint: name or index of the joint.
            cancel: as for a trace.

        Raises:
            ConfigError: there is no such joint.
        """
        within, j = self._frames(frames), self.skeleton.index(joint)
        call = call_text("hide_joint", plain(within), self.skeleton.joints[j])
        return self._with([HideJoint(within, j)], call, cancel)

    def swap_sides(
        self, frames: Frames, joints: str | Sequence[str] | None = None, *, cancel: Cancel | None = None
    ) -> Self:
        """Swap left and right: positions, scores and the maps passed on.

        Args:
            frames: frames in which they were confused, already tracked.
            joints: what to swap, one or several of: a pair (``"wrist"``), a joint of a pair (``"left_wrist"``), a limb
                (``"arm"``, ``"leg"``); ``None``: the whole body.
            cancel: as for a trace.

        Raises:
            ConfigError: there is no such joint, or it has no other side.
            FrameIndexError: the frames are not tracked yet.
        """
        within, pairs = self._frames(frames), self._pairs(joints)
        self._index(within.stop - 1)
        named = joints if joints is None or isinstance(joints, str) else tuple(joints)
        call = call_text("swap_sides", plain(within), LEFT_OUT if named is None else named)
        seen = np.array(self.joints[within.start : within.stop], np.float64)
        return self._with([SwapSides(within, pairs, seen)], call, cancel)

    def set_box(
        self,
        frame: int,
        box: tuple[float, float, float, float],
        *,
        restart: bool = False,
        cancel: Cancel | None = None,
    ) -> Self:
        """Draw the person's box in a frame; later crops follow from the joints found in it.

        Args:
            frame: index of the frame.
            box: (x0, y0, x1, y1) in pixels of the frame.
            restart: whether the model is also re-initialised there, so that it forgets what it followed before. The
                shipped model does not need it: on four filmed cameras, ten frames after a box on nobody, it found 94 %
                of the joints in the new box with its old kernels, and 94 % re-initialised (within 0.1 of the box).
            cancel: as for a trace.

        Raises:
            BoxError: the box is degenerate, or outside the frame.
        """
        within, checked = self._frame(frame), check_box(box, self.clip.width, self.clip.height)
        call = call_text("set_box", within.start, checked, restart=restart or LEFT_OUT)
        return self._with([SetBox(within, checked, bool(restart))], call, cancel)

    def interpolate(self, joint: str | int, first: int, last: int, *, cancel: Cancel | None = None) -> Self:
        """Move a joint in a straight line from one frame to another, linearly in time, without asking the model.

        The positions at both ends are those reported now, usually corrected before. They are kept as corrections.

        Args:
            joint: name or index of the joint.
            first, last: frames at both ends, already tracked, with at least one frame between them.
            cancel: as for a trace.

        Raises:
            ConfigError: there is no such joint, or no frame between the two.
            FrameIndexError: the last frame is not tracked yet.
        """
        j = self.skeleton.index(joint)
        first, last = self._frame(first).start, self._frame(last).start
        if last - first < 2:
            raise ConfigError(f"expected at least one frame between first and last, got {first} and {last}")
        self._index(last)
        within, ends = range(first, last + 1), np.array(self.joints[[first, last], j], np.float64)
        times = np.asarray(self.clip.times[first : last + 1], np.float64)
        positions = np.stack([np.interp(times, times[[0, -1]], ends[:, axis]) for axis in (0, 1)], -1)
        positions[[0, -1]] = ends
        call = call_text("interpolate", self.skeleton.joints[j], first, last)
        return self._with([PlaceJoint(within, j, positions)], call, cancel)

    def _frame(self, frame: int) -> range:
        """Return one frame as a range.

        Raises:
            ConfigError: it is not a single frame of the run.
        """
        try:
            return self._frames(operator.index(frame))
        except TypeError:
            raise ConfigError(f"expected the index of one frame, such as 12, got {frame!r}") from None

    def _pairs(self, joints: str | Sequence[str] | None) -> tuple[tuple[int, int], ...]:
        """Return the pairs of indices that are to be swapped, left and right."""
        skeleton = self.skeleton
        flip = skeleton.flip_permutation
        every = tuple((j, k) for j, k in enumerate(flip) if skeleton.side(j) == "left" and j != k)
        if joints is None:
            return every
        asked = (joints,) if isinstance(joints, str) else tuple(joints)
        chosen = set()
        if wrong := [one for one in asked if not isinstance(one, str)]:
            raise ConfigError(f"expected names of joints, got {wrong[0]!r}")
        for name in (part for one in asked for part in LIMBS.get(one, (one,))):
            found = [pair for pair in every if name in _names(skeleton.joints[pair[0]])]
            if not found:
                known = [*LIMBS, *(n for j, _ in every for n in _names(skeleton.joints[j]))]
                raise ConfigError(
                    f"expected joints with a left and a right one, got {name!r}{nearest_name(name, known)} "
                    f"Known: {', '.join(known)}."
                )
            chosen.update(found)
        if not chosen:
            raise ConfigError("expected joints to swap, got none; leave them out to swap the whole body")
        return tuple(pair for pair in every if pair in chosen)


def _names(left: str) -> tuple[str, str, str]:
    """Return the names by which a pair can be given, from that of its left joint."""
    part = left.removeprefix("left_")
    return part, left, f"right_{part}"
