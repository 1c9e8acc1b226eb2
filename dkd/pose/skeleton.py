"""Skeletons: named joint sets with the order of their joints and the limbs that connect them.

A skeleton is always requested by name and never guessed from the number of joints: two sets of 13 joints in a different
order would silently swap a wrist and a hip. "Left" is the subject's left, as in all data sets used here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dkd.errors import ConfigError, ShapeError, checked, nearest_name


@checked
@dataclass(frozen=True)
class Skeleton:
    """A named, ordered set of joints.

    Attributes:
        name: the name under which it is registered.
        joints: joint names, in the order of the joint axis of arrays.
        limbs: pairs of joint names that are connected by a line.
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[str, str], ...]

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str | int) -> int:
        """Return the position of ``joint`` (a name, or an index, which is checked) on the joint axis.

        Raises:
            ConfigError: the name is unknown (the nearest one is given), or the index is out of range.
        """
        if isinstance(joint, (int, np.integer)):
            if not 0 <= joint < len(self.joints):
                raise ConfigError(f"joint index {joint} is outside 0..{len(self.joints) - 1} of skeleton {self.name!r}")
            return int(joint)
        if joint not in self.joints:
            hint = nearest_name(joint, self.joints)
            raise ConfigError(f"skeleton {self.name!r} has no joint {joint!r}{hint} It has: {', '.join(self.joints)}.")
        return self.joints.index(joint)

    @cached_property
    def limb_indices(self) -> tuple[tuple[int, int], ...]:
        """:attr:`limbs` as pairs of indices."""
        return tuple((self.joints.index(a), self.joints.index(b)) for a, b in self.limbs)

    @cached_property
    def flip_permutation(self) -> tuple[int, ...]:
        """Index of the mirrored joint for each joint; joints without one, as on the midline, map to themselves."""
        at = {joint: i for i, joint in enumerate(self.joints)}
        return tuple(at.get(mirror_name(joint), i) for joint, i in at.items())

    def side(self, joint: str | int) -> str:
        """Return the side of a joint: ``"left"``, ``"right"`` or ``"centre"``."""
        name = self.joints[self.index(joint)]
        return name.split("_")[0] if name.startswith(("left_", "right_")) else "centre"


def mirror_name(joint: str) -> str:
    """Return the joint on the body's other side, ``left_wrist`` ↔ ``right_wrist``; a midline joint is returned as
    is."""
    if joint.startswith("left_"):
        return "right_" + joint.removeprefix("left_")
    if joint.startswith("right_"):
        return "left_" + joint.removeprefix("right_")
    return joint


def _both_sides(*parts: str) -> tuple[str, ...]:
    return tuple(f"{side}_{part}" for part in parts for side in ("left", "right"))


_BODY_LIMBS = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"))
) + (("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"))

SKELETONS: dict[str, Skeleton] = {
    s.name: s
    for s in (
        Skeleton(
            "penn_action",
            ("head", *_both_sides("shoulder", "elbow", "wrist", "hip", "knee", "ankle")),
            _BODY_LIMBS + (("head", "left_shoulder"), ("head", "right_shoulder")),
        ),
        Skeleton(
            "sub_jhmdb",
            (
                "neck",
                "belly",
                "head",
                *(
                    f"{side}_{part}"
                    for part in ("shoulder", "hip", "elbow", "knee", "wrist", "ankle")
                    for side in ("right", "left")
                ),
            ),
            _BODY_LIMBS + (("head", "neck"), ("neck", "belly")),
        ),
        Skeleton(
            "coco",
            ("nose", *_both_sides("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")),
            _BODY_LIMBS
            + (("nose", "left_eye"), ("nose", "right_eye"), ("left_eye", "left_ear"), ("right_eye", "right_ear")),
        ),
        Skeleton(
            "lsp",
            (
                "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "right_wrist",
                "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist", "neck", "head_top",
            ),
            _BODY_LIMBS + (("neck", "head_top"),),
        ),
        Skeleton(
            "mpii",
            (
                "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis", "thorax",
                "upper_neck", "head_top", "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow",
                "left_wrist",
            ),
            _BODY_LIMBS + (("pelvis", "thorax"), ("thorax", "upper_neck"), ("upper_neck", "head_top")),
        ),
    )
}  # fmt: skip

# Joints that the source set lacks, each as the mean of joints that it has; from the annotation guides of the data sets.
_DERIVED: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {
    ("lsp", "penn_action"): {"head": ("neck", "head_top")},
    ("coco", "penn_action"): {"head": ("nose", "left_ear", "right_ear")},
    ("lsp", "sub_jhmdb"): {"head": ("neck", "head_top"), "belly": ("neck", "left_hip", "right_hip")},
    ("mpii", "penn_action"): {"head": ("upper_neck", "head_top")},
    ("mpii", "sub_jhmdb"): {
        "neck": ("upper_neck",),
        "head": ("upper_neck", "head_top"),
        "belly": ("upper_neck", "left_hip", "right_hip"),
    },
}
_WEIGHTS = {
    ("lsp", "sub_jhmdb", "belly"): (0.5, 0.25, 0.25),
    ("mpii", "sub_jhmdb", "belly"): (0.5, 0.25, 0.25),
    ("coco", "penn_action", "head"): (0.5, 0.25, 0.25),
}


def derived_joints(target: Skeleton, joint: str, source: str | None = None) -> list[tuple[str, ...]]:
    """Return the joints from whose mean a joint of ``target`` is derived, for each skeleton (or one) that lacks it."""
    rows = ((a, joints) for (a, b), joints in _DERIVED.items() if b == target.name and source in (None, a))
    return [joints[joint] for _, joints in rows if joint in joints]


@checked
def get_skeleton(skeleton: str | Skeleton) -> Skeleton:
    """Return the skeleton with this name (a :class:`Skeleton` is returned unchanged).

    Raises:
        ConfigError: no skeleton has this name; the nearest name is given.
    """
    if isinstance(skeleton, Skeleton):
        return skeleton
    if skeleton not in SKELETONS:
        raise ConfigError(
            f"unknown skeleton {skeleton!r}{nearest_name(skeleton, SKELETONS)} Known: {', '.join(SKELETONS)}."
        )
    return SKELETONS[skeleton]


def convert_joints(joints: np.ndarray, source: str | Skeleton, target: str | Skeleton) -> np.ndarray:
    """Convert joints from one skeleton to another.

    Args:
        joints: (..., J_source, D) coordinates, NaN where missing; D is 2, or 3 with a score as the last column
            (a derived joint gets the mean of its sources' scores).
        source, target: names of the two skeletons.

    Returns:
        (..., J_target, D) float32; a joint about which the source has no information is NaN, not invented.

    Raises:
        ShapeError: the joint axis does not have the source's number of joints.
    """
    source, target = get_skeleton(source), get_skeleton(target)
    joints = np.asarray(joints, dtype=np.float32)
    if joints.ndim < 2 or joints.shape[-2] != len(source):
        raise ShapeError(f"expected joints of shape (..., {len(source)}, D) for {source.name!r}, got {joints.shape}")
    out = np.full((*joints.shape[:-2], len(target), joints.shape[-1]), np.nan, dtype=np.float32)
    derived = _DERIVED.get((source.name, target.name), {})
    for j, name in enumerate(target.joints):
        if name in derived:
            parents = [source.joints.index(p) for p in derived[name]]
            weights = _WEIGHTS.get((source.name, target.name, name), (1 / len(parents),) * len(parents))
            out[..., j, :] = np.einsum("p,...pd->...d", np.asarray(weights, np.float32), joints[..., parents, :])
        elif name in source.joints:
            out[..., j, :] = joints[..., source.joints.index(name), :]
    return out
