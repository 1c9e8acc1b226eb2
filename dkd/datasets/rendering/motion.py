"""Motion of a person, independent of the person's appearance.

A :class:`Motion` has the rotation of each of 15 body segments in each frame, in the same axes for all sources: x to the
person's left, y up, z forward; in the reference pose (all rotations identity) the person stands straight, arms hanging
down. One motion can therefore drive any body, and each source (a BVH file, a generator) is converted only once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dkd.datasets.rendering.rotations import axis_rotation
from dkd.errors import ConfigError, ShapeError, nearest_name

SEGMENTS = (
    "pelvis", "chest", "head",
    "left_upper_arm", "left_forearm", "left_hand", "right_upper_arm", "right_forearm", "right_hand",
    "left_thigh", "left_shin", "left_foot", "right_thigh", "right_shin", "right_foot",
)  # fmt: skip
_THIGH, _SHIN = 0.51, 0.49  # shares of the leg's length
_HALF_HIP_WIDTH = 0.11  # in leg lengths

Angles = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Motion:
    """Motion of a person.

    Attributes:
        rotations: (T, 15, 3, 3) rotation of each of :data:`SEGMENTS` from the reference pose, in world axes.
        root: (T, 3) position of the midpoint between the hip joints, in leg lengths (hip to ankle), y up.
        fps: frames per second, > 0.
        grounded: whether some part of the body touches the floor in every frame (true for walking, false for jumping).
    """

    rotations: np.ndarray
    root: np.ndarray
    fps: float
    grounded: bool = False

    def __post_init__(self) -> None:
        n = len(self.root)
        if self.rotations.shape != (n, len(SEGMENTS), 3, 3) or self.root.shape != (n, 3):
            raise ShapeError(
                f"expected rotations (T, {len(SEGMENTS)}, 3, 3) and root (T, 3), "
                f"got {self.rotations.shape} and {self.root.shape}"
            )
        if not self.fps > 0:
            raise ConfigError(f"expected a frame rate above 0, got {self.fps}")

    def __len__(self) -> int:
        return len(self.root)

    def resample(self, fps: float, n_frames: int, start_s: float = 0.0) -> Motion:
        """Return the frames nearest to ``start_s + i / fps``; a motion that is too short is played back and forth.

        Frames are not interpolated: motion capture is recorded at 60–120 Hz, finer than needed here.
        """
        index = np.rint((start_s + np.arange(n_frames) / fps) * self.fps).astype(int)
        period = max(2 * (len(self) - 1), 1)
        index = index % period
        index = np.where(index < len(self), index, period - index)
        return replace(self, rotations=self.rotations[index], root=self.root[index], fps=fps)

    def leg_joints(self) -> np.ndarray:
        """Compute hip, knee and ankle of the left and the right leg, (T, 2, 3, 3), in leg lengths."""
        sides = []
        for side, sign in (("left", 1.0), ("right", -1.0)):
            hip = self.root + self.rotations[:, 0] @ np.array([sign * _HALF_HIP_WIDTH, 0, 0])
            knee = hip + self.rotations[:, SEGMENTS.index(f"{side}_thigh")] @ np.array([0, -_THIGH, 0])
            ankle = knee + self.rotations[:, SEGMENTS.index(f"{side}_shin")] @ np.array([0, -_SHIN, 0])
            sides.append(np.stack([hip, knee, ankle], axis=1))
        return np.stack(sides, axis=1)


def segment_rotations(angles: Angles, n_frames: int) -> np.ndarray:
    """Compute world rotations from anatomical angles.

    Args:
        angles: radians by name, each (T,) or a number; missing ones are 0. ``pelvis|spine|neck`` have ``_yaw`` (to
            the left), ``_pitch`` (forward) and ``_roll`` (to the right). ``left|right`` have ``_shoulder|_hip`` with
            ``_flex`` (forward), ``_abduct`` (away from the body) and ``_twist`` (inward); and ``_elbow_flex``,
            ``_wrist_flex``, ``_knee_flex`` (the joint bends) and ``_ankle_flex`` (toes down).
            n_frames: number of frames T.

    Returns:
        (T, 15, 3, 3) in the order of :data:`SEGMENTS`.

    Raises:
        ConfigError: an angle has an unknown name.
    """
    unknown = [name for name in angles if name not in _ANGLE_NAMES]
    if unknown:
        raise ConfigError(f"unknown angle {unknown[0]!r}{nearest_name(unknown[0], _ANGLE_NAMES)}")

    def turn(axis: str, name: str, sign: float = 1.0) -> np.ndarray:
        return axis_rotation(axis, sign * np.broadcast_to(angles.get(name, 0.0), (n_frames,)))

    def trunk(part: str) -> np.ndarray:
        return turn("y", f"{part}_yaw") @ turn("x", f"{part}_pitch") @ turn("z", f"{part}_roll", -1)

    out = {"pelvis": trunk("pelvis")}
    out["chest"] = out["pelvis"] @ trunk("spine")
    out["head"] = out["chest"] @ trunk("neck")
    for side, sign in (("left", 1.0), ("right", -1.0)):

        def ball(part: str, side: str = side, sign: float = sign) -> np.ndarray:
            joint = f"{side}_{part}"
            return (
                turn("x", f"{joint}_flex", -1) @ turn("z", f"{joint}_abduct", sign) @ turn("y", f"{joint}_twist", -sign)
            )

        out[f"{side}_upper_arm"] = out["chest"] @ ball("shoulder")
        out[f"{side}_forearm"] = out[f"{side}_upper_arm"] @ turn("x", f"{side}_elbow_flex", -1)
        out[f"{side}_hand"] = out[f"{side}_forearm"] @ turn("z", f"{side}_wrist_flex", -sign)
        out[f"{side}_thigh"] = out["pelvis"] @ ball("hip")
        out[f"{side}_shin"] = out[f"{side}_thigh"] @ turn("x", f"{side}_knee_flex")
        out[f"{side}_foot"] = out[f"{side}_shin"] @ turn("x", f"{side}_ankle_flex")
    return np.stack([out[s] for s in SEGMENTS], axis=1)


_ANGLE_NAMES = (
    *(f"{part}_{turn}" for part in ("pelvis", "spine", "neck") for turn in ("yaw", "pitch", "roll")),
    *(
        f"{side}_{joint}"
        for side in ("left", "right")
        for joint in (
            "shoulder_flex", "shoulder_abduct", "shoulder_twist", "elbow_flex", "wrist_flex",
            "hip_flex", "hip_abduct", "hip_twist", "knee_flex", "ankle_flex",
        )
    ),
)  # fmt: skip
