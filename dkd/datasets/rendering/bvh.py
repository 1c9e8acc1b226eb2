"""Motion capture from BVH files: parse the text format, recognise the skeleton, and convert the poses to a Motion."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dkd.datasets.rendering.motion import SEGMENTS, Motion
from dkd.datasets.rendering.rotations import axis_rotation, shortest_rotation
from dkd.errors import DatasetError

# Names of a segment's joint in common skeletons (CMU's conversions, MotionBuilder, Mixamo), in order of preference:
# "LeftShoulder" is the upper arm in a file without "LeftArm", and the collar bone in one with it.
_JOINT_NAMES = {
    "upper_arm": ("arm", "uparm", "upperarm", "shoulder"),
    "forearm": ("forearm", "elbow", "lowarm", "lowerarm"),
    "hand": ("hand", "wrist"),
    "thigh": ("upleg", "thigh", "hip", "upperleg"),
    "shin": ("leg", "shin", "knee", "lowleg", "lowerleg"),
    "foot": ("foot", "ankle"),
}
_DOWN = np.array([0.0, -1.0, 0.0])


@dataclass(frozen=True)
class BvhFile:
    """Content of a BVH file.

    Attributes:
        names: (N) joint names; an end site is called ``<parent>_end``.
        parents: (N) index of each joint's parent, −1 for the root; parents come before children.
        offsets: (N, 3) position in the parent's coordinates, in the file's unit of length.
        channels: channels of each joint in order, such as ``("Xposition", …, "Zrotation")``.
        values: (T, number of channels) channel values; degrees for rotations.
        frame_time: seconds per frame.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    channels: tuple[tuple[str, ...], ...]
    values: np.ndarray
    frame_time: float

    def forward(self) -> tuple[np.ndarray, np.ndarray]:
        """Compute the world positions (T, N, 3) and world rotations (T, N, 3, 3) of all joints."""
        n_frames = len(self.values)
        positions = np.zeros((n_frames, len(self.names), 3))
        rotations = np.broadcast_to(np.eye(3), (n_frames, len(self.names), 3, 3)).copy()
        column = 0
        for j, parent in enumerate(self.parents):
            local = np.broadcast_to(np.eye(3), (n_frames, 3, 3))
            shift = np.broadcast_to(self.offsets[j], (n_frames, 3)).copy()
            moved = False
            for channel in self.channels[j]:
                axis, kind = channel[0].lower(), channel[1:].lower()
                if kind == "position":
                    if not moved:  # position channels replace the offset
                        shift[:], moved = 0.0, True
                    shift[:, "xyz".index(axis)] = self.values[:, column]
                else:
                    local = local @ axis_rotation(axis, np.deg2rad(self.values[:, column]))
                column += 1
            if parent < 0:
                positions[:, j], rotations[:, j] = shift, local
            else:
                positions[:, j] = positions[:, parent] + np.einsum("tab,tb->ta", rotations[:, parent], shift)
                rotations[:, j] = rotations[:, parent] @ local
        return positions, rotations


def read_bvh(path: str | Path) -> BvhFile:
    """Parse a BVH file.

    Raises:
        DatasetError: the file is missing, is not BVH, or its motion does not have the stated size.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DatasetError(f"expected a BVH file at {path}, got: {error.strerror}; check the path") from error
    head, separator, tail = text.partition("MOTION")
    if not separator or not head.lstrip().startswith("HIERARCHY"):
        raise DatasetError(f"expected {path.name} to hold HIERARCHY and MOTION, as BVH does; is it another format?")
    try:
        names, parents, offsets, channels = _parse_hierarchy(head.split())
        match = re.match(r"\s*Frames:\s*(\d+)\s+Frame Time:\s*(\S+)", tail)
        if match is None:
            raise ValueError("no 'Frames:' and 'Frame Time:' lines")
        n_frames, frame_time = int(match[1]), float(match[2])
        values = np.array(tail[match.end() :].split(), dtype=np.float64)
    except (ValueError, IndexError) as error:
        raise DatasetError(f"expected a well-formed BVH file, got {path.name} with: {error}") from error
    n_channels = sum(map(len, channels))
    if n_frames < 1 or frame_time <= 0 or values.size != n_frames * n_channels:
        raise DatasetError(
            f"expected {n_frames} frames of {n_channels} numbers, {n_frames * n_channels} in all, in {path.name}; "
            f"got {values.size} at {frame_time} s per frame; the file is truncated or damaged"
        )
    return BvhFile(
        tuple(names), tuple(parents), np.array(offsets), tuple(channels), values.reshape(n_frames, -1), frame_time
    )


def _parse_hierarchy(
    tokens: list[str],
) -> tuple[list[str], list[int], list[list[float]], list[tuple[str, ...]]]:
    """Parse names, parents, offsets and channels of all joints, including end sites, from the first part's tokens."""
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    channels: list[tuple[str, ...]] = []
    open_joints: list[int] = []
    position = 1  # after HIERARCHY
    while position < len(tokens):
        token = tokens[position]
        if token in ("ROOT", "JOINT", "End"):
            parent = open_joints[-1] if open_joints else -1
            if token == "ROOT" and names:
                raise ValueError("more than one ROOT")
            names.append(f"{names[parent]}_end" if token == "End" else tokens[position + 1])
            parents.append(parent)
            offsets.append([0.0, 0.0, 0.0])
            channels.append(())
            position += 2
        elif token == "{":
            open_joints.append(len(names) - 1)
            position += 1
        elif token == "}":
            open_joints.pop()
            position += 1
        elif token == "OFFSET":
            offsets[-1] = [float(x) for x in tokens[position + 1 : position + 4]]
            position += 4
        elif token == "CHANNELS":
            count = int(tokens[position + 1])
            channels[-1] = tuple(tokens[position + 2 : position + 2 + count])
            position += 2 + count
        else:
            raise ValueError(f"unexpected word {token!r}")
    if open_joints or not names:
        raise ValueError("unbalanced braces")
    return names, parents, offsets, channels


def _find_segments(bvh: BvhFile) -> dict[str, int]:
    """Find the joint index of each segment of :data:`SEGMENTS`; hands may be missing."""
    plain = [re.sub(r"[^a-z]", "", name.split(":")[-1].lower()) for name in bvh.names]
    found = {"pelvis": 0}
    for side in ("left", "right"):
        for segment, candidates in _JOINT_NAMES.items():
            index = next((plain.index(side + c) for c in candidates if side + c in plain), None)
            if index is not None:
                found[f"{side}_{segment}"] = index
    if "head" in plain:
        found["head"] = plain.index("head")
    missing = [s for s in SEGMENTS if s not in found and s not in ("chest", "left_hand", "right_hand")]
    if missing:
        raise DatasetError(
            f"expected a human skeleton, found no joint for {', '.join(missing)} among {', '.join(bvh.names)}; "
            "rename the joints as in CMU's or Mixamo's files (Hips, LeftUpLeg, LeftArm, Head, …)"
        )
    ancestors = [_ancestors(bvh, found[f"{side}_upper_arm"]) for side in ("left", "right")]
    found["chest"] = next(j for j in ancestors[0] if j in ancestors[1])
    return found


def _ancestors(bvh: BvhFile, joint: int) -> list[int]:
    """Return the ancestors of a joint, nearest first."""
    out = []
    while bvh.parents[joint] >= 0:
        joint = bvh.parents[joint]
        out.append(joint)
    return out


def load_bvh(path: str | Path) -> Motion:
    """Read a person's motion from a BVH file with any rest pose, unit and up axis.

    The directions of limbs are exact; the twist about a limb's own axis is relative to the file's rest pose.

    Raises:
        DatasetError: the file is not BVH, is damaged, or its skeleton is not recognised as human.
    """
    bvh = read_bvh(path)
    segments = _find_segments(bvh)
    positions, rotations = bvh.forward()
    rest = np.zeros_like(bvh.offsets)
    for j, parent in enumerate(bvh.parents):
        if parent >= 0:
            rest[j] = rest[parent] + bvh.offsets[j]

    # Axes of the rest pose: left, up and forward in the file's coordinates.
    left = rest[segments["left_thigh"]] - rest[segments["right_thigh"]]
    up = rest[segments["head"]] - (rest[segments["left_thigh"]] + rest[segments["right_thigh"]]) / 2
    forward = np.cross(left, up)
    leg = sum(
        float(np.linalg.norm(rest[segments[f"left_{b}"]] - rest[segments[f"left_{a}"]]))
        for a, b in (("thigh", "shin"), ("shin", "foot"))
    )
    downward = (rest[segments["left_foot"]] - rest[segments["left_thigh"]]) @ up
    if not (np.linalg.norm(forward) > 0 and leg > 0 and downward < 0):
        raise DatasetError(
            f"expected a standing rest pose in {Path(path).name}, got one whose legs do not point away from the head; "
            "export it again with a T-pose or a standing pose as the rest pose"
        )
    forward /= np.linalg.norm(forward)
    up /= np.linalg.norm(up)
    rest_axes = np.stack([np.cross(up, forward), up, forward], axis=1)
    # The world's up axis is the one along which the trunk points most of the time.
    mean_up = (rotations[:, segments["pelvis"]] @ up).mean(axis=0)
    world_up = np.zeros(3)
    world_up[np.abs(mean_up).argmax()] = np.sign(mean_up[np.abs(mean_up).argmax()])
    to_y_up = shortest_rotation(world_up, np.array([0.0, 1.0, 0.0]))

    out = np.empty((len(positions), len(SEGMENTS), 3, 3))
    for s, name in enumerate(SEGMENTS):
        joint = segments.get(name, segments.get(name.replace("hand", "forearm"), 0))
        align = np.eye(3)
        if "_" in name and not name.endswith("foot"):
            side, part = name.split("_", 1)
            end = {"upper_arm": "forearm", "forearm": "hand", "thigh": "shin", "shin": "foot"}.get(part)
            # a hand continues the forearm's direction: its tip is a thumb in some files, and missing in others
            a, b = (part, end) if end and f"{side}_{end}" in segments else ("upper_arm", "forearm")
            direction = rest[segments[f"{side}_{b}"]] - rest[segments[f"{side}_{a}"]]
            align = shortest_rotation(_DOWN, rest_axes.T @ direction)
        out[:, s] = to_y_up @ rotations[:, joint] @ rest_axes @ align

    hips = (positions[:, segments["left_thigh"]] + positions[:, segments["right_thigh"]]) / 2
    return Motion(out, (hips @ to_y_up.T) / leg, 1 / bvh.frame_time)
