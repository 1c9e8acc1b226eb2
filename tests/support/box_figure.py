"""A person made of boxes with the bones of the body model's rig: exact joints without an optional package."""

from __future__ import annotations

import numpy as np

from dkd.datasets.rendering.body import Body, body_from_rig
from dkd.datasets.rendering.motion import Motion, segment_rotations
from dkd.pose.skeleton import get_skeleton

COCO = get_skeleton("coco")

# A figure of boxes: bone → (parent, where it begins, where its box ends, half width). Arms stretched to the sides.
_BONES: dict[str, tuple[str | None, tuple[float, float, float], tuple[float, float, float], float]] = {
    "root": (None, (0, 0.9, 0), (0, 1.15, 0), 0.14),
    "spine01": ("root", (0, 1.15, 0), (0, 1.5, 0), 0.15),
    "head": ("spine01", (0, 1.55, 0), (0, 1.8, 0), 0.09),
}
for _s, _x in (("L", 1.0), ("R", -1.0)):
    _BONES |= {
        f"upperarm01.{_s}": ("spine01", (0.2 * _x, 1.45, 0), (0.5 * _x, 1.45, 0), 0.05),
        f"lowerarm01.{_s}": (f"upperarm01.{_s}", (0.5 * _x, 1.45, 0), (0.75 * _x, 1.45, 0), 0.04),
        f"wrist.{_s}": (f"lowerarm01.{_s}", (0.75 * _x, 1.45, 0), (0.9 * _x, 1.45, 0), 0.04),
        f"upperleg01.{_s}": ("root", (0.1 * _x, 0.95, 0), (0.1 * _x, 0.5, 0), 0.07),
        f"lowerleg01.{_s}": (f"upperleg01.{_s}", (0.1 * _x, 0.5, 0), (0.1 * _x, 0.08, 0), 0.05),
        f"foot.{_s}": (f"lowerleg01.{_s}", (0.1 * _x, 0.08, 0), (0.1 * _x, 0.02, 0.2), 0.04),
    }
_COCO_BONE = {
    "shoulder": "upperarm01", "elbow": "lowerarm01", "wrist": "wrist", "hip": "upperleg01", "knee": "lowerleg01",
    "ankle": "foot",
}  # fmt: skip


def box_figure() -> Body:
    """Build a body whose key points are exactly at the start of its bones; each box extends slightly beyond."""
    names = list(_BONES)
    vertices: list[np.ndarray] = []
    faces: list[tuple[int, int, int]] = []
    weights: list[np.ndarray] = []
    heads: list[tuple[float, float, float]] = []
    for index, (_, start, end, half) in enumerate(_BONES.values()):
        axis = np.subtract(end, start)
        along = axis / np.linalg.norm(axis)
        u = np.cross(along, [0.0, 0.0, 1.0] if abs(along[2]) < 0.9 else [0.0, 1.0, 0.0])
        u *= half / np.linalg.norm(u)
        v = np.cross(along, u)
        ring = [u + v, v - u, -u - v, u - v]  # counter-clockwise about the axis
        base = len(vertices)
        vertices += [np.add(p, r) for p in (start - half * along, end) for r in ring]
        sides = [(k, (k + 1) % 4, (k + 1) % 4 + 4, k + 4) for k in range(4)]
        for a, b, c, d in [(3, 2, 1, 0), (4, 5, 6, 7), *sides]:
            faces += [(base + a, base + b, base + c), (base + a, base + c, base + d)]
        weights += [np.eye(len(names))[index]] * 8
        heads.append(start)
    mesh = np.array(vertices)
    return body_from_rig(
        vertices=mesh,
        faces=np.array(faces),
        bone_names=names,
        bone_heads=np.array(heads, float),
        bone_parents=tuple(-1 if parent is None else names.index(parent) for parent, *_ in _BONES.values()),
        bone_weights=np.array(weights),
        keypoints=np.stack([_keypoint(joint, mesh, names) for joint in COCO.joints]),
    )


def _keypoint(joint: str, mesh: np.ndarray, names: list[str]) -> np.ndarray:
    """Return the weights (V,) of the vertices whose mean is this joint."""
    side, _, part = joint.rpartition("_")
    out = np.zeros(len(mesh), np.float32)
    if part in _COCO_BONE:  # on the line between the box's two ends, where the bone begins
        bone = f"{_COCO_BONE[part]}.{side[0].upper()}"
        _, start, end, half = _BONES[bone]
        share = half / (half + np.linalg.norm(np.subtract(end, start)))
        first = 8 * names.index(bone)
        out[first : first + 4], out[first + 4 : first + 8] = (1 - share) / 4, share / 4
    else:  # the middle of the head's face, or of the side of it
        first = 8 * names.index("head")
        outward = mesh[first : first + 8] @ {"left": [1, 0, 0], "right": [-1, 0, 0]}.get(
            side * (part == "ear"), [0, 0, 1]
        )
        out[first : first + 8][outward > outward.mean()] = 1 / 4
    return out


def standing(*, n_frames: int = 1, **angles: float) -> Motion:
    """Create a motion of a standing person, at hip height 1, with these anatomical angles."""
    rotations = segment_rotations({name: np.asarray(a) for name, a in angles.items()}, n_frames)
    return Motion(rotations, np.tile([0.0, 1.0, 0.0], (n_frames, 1)), fps=10)


def joint_position(body: Body, motion: Motion, joint: str) -> np.ndarray:
    return body.joints(body.posed(motion.rotations[0], motion.root[0]))[COCO.index(joint)]
