"""A simple figure of a person: smooth tubes and ellipsoids on a rig, so that rendering needs no body model.

All lengths are drawn from a random generator, around the means of anthropometric tables (shares of the stature). The
figure has the bones of Anny's rig, so that posing and dressing work as for any
:class:`~dkd.datasets.rendering.body.Body`. Its appearance is our decision: it need not be pretty, but front and back,
left and right must be distinguishable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dkd.datasets.rendering.body import Body, body_from_rig
from dkd.datasets.rendering.mesh import Mesh, Weights, axis_vectors
from dkd.pose.skeleton import get_skeleton

# bone → its parent; parents come before children
_PARENTS: dict[str, str | None] = {
    "root": None, "spine05": "root", "spine04": "spine05", "spine03": "spine04", "spine01": "spine03",
    "neck01": "spine01", "neck02": "neck01", "head": "neck02",
    **{
        f"{bone}.{side}": parent if parent in ("root", "spine01") else f"{parent}.{side}"
        for side in "LR"
        for bone, parent in (
            ("shoulder01", "spine01"), ("upperarm01", "shoulder01"), ("lowerarm01", "upperarm01"),
            ("wrist", "lowerarm01"), ("upperleg01", "root"), ("lowerleg01", "upperleg01"), ("foot", "lowerleg01"),
        )
    },
}  # fmt: skip
# The bone with which each key point moves. The key point is at the start of that bone, or on the head.
_KEYPOINT_BONE = {
    "nose": "head", "eye": "head", "ear": "head", "shoulder": "upperarm01", "elbow": "lowerarm01", "wrist": "wrist",
    "hip": "upperleg01", "knee": "lowerleg01", "ankle": "foot",
}  # fmt: skip
_REST_ARM = np.deg2rad(50)  # arms are raised half-way at rest, so that skin stretches little in either direction

# Trunk: height; half width; depth to the front and to the back; in thousandths of the stature.
_TRUNK = np.array([
    (462, 30, 22, 30), (475, 72, 46, 58), (500, 92, 58, 72), (530, 97, 60, 73),
    (560, 93, 60, 64), (590, 84, 58, 54), (625, 79, 57, 50), (660, 82, 60, 54),
    (695, 90, 67, 60), (730, 99, 72, 64), (765, 106, 69, 64), (795, 103, 58, 58),
    (818, 84, 46, 50), (833, 58, 38, 42), (845, 37, 33, 36), (865, 33, 32, 34),
    (895, 34, 32, 36),
])  # fmt: skip
# Head: height from chin to crown; half width; extent to the front and to the back; in shares of half the head's size.
_HEAD = np.array([
    (0.00, 0.22, 0.62, -0.20), (0.03, 0.42, 0.78, 0.00), (0.10, 0.58, 0.86, 0.20), (0.18, 0.70, 0.87, 0.40),
    (0.25, 0.78, 0.86, 0.58), (0.32, 0.84, 0.86, 0.72), (0.40, 0.90, 0.87, 0.84), (0.48, 0.95, 0.86, 0.93),
    (0.55, 0.98, 0.86, 0.98), (0.62, 1.00, 0.90, 1.00), (0.70, 1.00, 0.91, 1.00), (0.78, 0.96, 0.87, 0.96),
    (0.86, 0.86, 0.76, 0.86), (0.93, 0.67, 0.58, 0.66), (0.98, 0.40, 0.34, 0.38), (1.00, 0.12, 0.10, 0.12),
])  # fmt: skip


@dataclass(frozen=True)
class Proportions:
    """Proportions of a figure, relative to the mean person unless stated otherwise.

    Attributes:
        stature: height of the standing person in metres.
        leg, arm: length of the legs and arms.
        shoulders, hips: width of shoulders and hips.
        girth: thickness of trunk and limbs.
        belly, chest: additional extent of waist and chest to the front, in shares of the trunk's depth.
        head: size of the head.
    """

    stature: float = 1.72
    leg: float = 1.0
    arm: float = 1.0
    shoulders: float = 1.0
    hips: float = 1.0
    girth: float = 1.0
    belly: float = 0.0
    chest: float = 0.0
    head: float = 1.0

    @classmethod
    def random(cls, rng: np.random.Generator) -> Proportions:
        """Draw an adult or an adolescent of any build."""
        broad = rng.uniform(-1, 1)  # broad shoulders come with narrow hips
        return cls(
            stature=float(np.clip(rng.normal(1.71, 0.1), 1.45, 1.98)),
            leg=float(rng.normal(1, 0.025)),
            arm=float(rng.normal(1, 0.03)),
            shoulders=float(1 + 0.07 * broad + rng.normal(0, 0.03)),
            hips=float(1 - 0.05 * broad + rng.normal(0, 0.03)),
            girth=float(np.clip(rng.gamma(16, 1 / 15), 0.78, 1.5)),
            belly=float(max(rng.normal(0.05, 0.15), -0.05)),
            chest=float(rng.choice([0.0, rng.uniform(0.1, 0.35)])),
            head=float(rng.normal(1, 0.04)),
        )


def figure_body(rng: np.random.Generator) -> Body:
    """Create an undressed figure whose proportions are drawn from ``rng``; about 2200 vertices.

    Its key points are exactly at the start of its bones, and nose, eyes and ears exactly on its head: each is a
    separate vertex that belongs to no triangle.
    """
    return build_figure(Proportions.random(rng))


def build_figure(size: Proportions) -> Body:
    """Build the undressed figure with these proportions, arms half raised to the sides."""
    heads = _bone_heads(size)
    mesh = Mesh(list(_PARENTS))
    _add_trunk(mesh, size, heads)
    face = _add_head(mesh, size, heads)
    for side in (1.0, -1.0):
        _add_arm(mesh, size, heads, side)
        _add_leg(mesh, size, heads, side)
    markers = []
    for joint in get_skeleton("coco").joints:
        name, _, part = joint.rpartition("_")
        bone = _KEYPOINT_BONE[part] + (f".{name[0].upper()}" if name and _KEYPOINT_BONE[part] != "head" else "")
        markers.append(mesh.add_point(face[joint] if bone == "head" else heads[bone], bone))
    vertices, faces, weights = mesh.arrays()
    names = list(_PARENTS)
    return body_from_rig(
        vertices=vertices,
        faces=faces,
        bone_names=names,
        bone_heads=np.array([heads[name] for name in names]),
        bone_parents=tuple(-1 if parent is None else names.index(parent) for parent in _PARENTS.values()),
        bone_weights=weights,
        keypoints=np.eye(len(vertices), dtype=np.float32)[markers],
    )


def _leg_scale(size: Proportions) -> float:
    """Return metres per share of the stature, below the hips."""
    return size.stature * size.leg


def _trunk_height(size: Proportions, share: np.ndarray | float) -> np.ndarray | float:
    """Return the height above the floor of a point at this share of the mean stature, at the hips or above."""
    hip = 0.53 * _leg_scale(size)
    return hip + (np.asarray(share) - 0.53) / 0.47 * (size.stature - hip)


def _bone_heads(size: Proportions) -> dict[str, np.ndarray]:
    """Compute the start of each bone, (3,) metres."""
    s, legs = size.stature, _leg_scale(size)

    def trunk(share: float, z: float) -> np.ndarray:
        return np.array([0.0, _trunk_height(size, share), z * s])

    heads = {
        "root": trunk(0.53, 0), "spine05": trunk(0.57, -0.01), "spine04": trunk(0.61, -0.015),
        "spine03": trunk(0.655, -0.015), "spine01": trunk(0.70, -0.015), "neck01": trunk(0.83, -0.012),
        "neck02": trunk(0.85, -0.008), "head": trunk(0.872, 0.0),
    }  # fmt: skip
    for letter, side in (("L", 1.0), ("R", -1.0)):
        outward = np.array([side, 1, 1])
        shoulder = np.array([0.113 * size.shoulders * s, float(_trunk_height(size, 0.808)), -0.006 * s])
        along = np.array([np.sin(_REST_ARM), -np.cos(_REST_ARM), 0.0])
        elbow = shoulder + 0.176 * size.arm * s * along
        hip_x = 0.052 * size.hips * s
        heads |= {
            f"shoulder01.{letter}": np.array([0.045 * size.shoulders * s, shoulder[1], -0.006 * s]) * outward,
            f"upperarm01.{letter}": shoulder * outward,
            f"lowerarm01.{letter}": elbow * outward,
            f"wrist.{letter}": (elbow + 0.150 * size.arm * s * along) * outward,
            f"upperleg01.{letter}": np.array([hip_x, 0.53 * legs, 0.0]) * outward,
            f"lowerleg01.{letter}": np.array([0.98 * hip_x, 0.283 * legs, 0.002 * s]) * outward,
            f"foot.{letter}": np.array([0.96 * hip_x, 0.042 * legs, -0.004 * s]) * outward,
        }
    return heads


def _add_trunk(mesh: Mesh, size: Proportions, heads: dict[str, np.ndarray]) -> None:
    share, half_width, front, back = _TRUNK.T / 1000
    neck = np.clip((share - 0.80) / 0.045, 0, 1)  # chest and belly do not change the neck
    girth = size.girth**0.8 * (1 - neck) + size.girth**0.35 * neck
    hips = np.clip((0.66 - share) / 0.1, 0, 1)
    half_width = half_width * girth * (hips * size.hips + (1 - hips) * (neck + (1 - neck) * size.shoulders))
    bump = size.belly * np.exp(-(((share - 0.60) / 0.05) ** 2)) + size.chest * np.exp(-(((share - 0.735) / 0.03) ** 2))
    s = size.stature
    y = np.asarray(_trunk_height(size, share))
    z = np.interp(share, [0.47, 0.61, 0.75, 0.83, 0.9], [0.0, 0.004, -0.004, -0.012, 0.0])
    rings = np.stack([np.zeros_like(y), y, z * s], axis=1)
    spine = ("root", "spine05", "spine04", "spine03", "spine01", "neck01", "neck02", "head")
    knots = [heads[bone][1] for bone in spine[1:]]
    widths = [0.05 * s] * 4 + [0.03 * s] * 3
    mesh.add_tube(
        rings,
        across=axis_vectors(half_width * s, 0),
        ahead=axis_vectors(front * girth * (1 + bump) * s, 2),
        behind=axis_vectors(back * girth * s, 2),
        columns=22,
        roundness=2.4,
        weights=_along(y, spine, knots, widths),
    )


def _add_head(mesh: Mesh, size: Proportions, heads: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Add skull, nose, eyes and ears; return the positions of the latter three by key point name."""
    s = size.stature * size.head
    crown = size.stature + 0.5 * (s - size.stature) * 0.135
    height, half_width, half_depth = 0.135 * s, 0.0435 * s * size.girth**0.25, 0.056 * s
    centre_z = heads["head"][2] + 0.012 * s
    share, wide, front, back = _HEAD.T
    y = crown - (1 - share) * height

    def at(level: float, x: float, z: float) -> np.ndarray:
        """Return a point of the head: level from chin to crown, x and z in shares of half width and half depth."""
        return np.array([x * half_width, crown - (1 - level) * height, centre_z + z * half_depth])

    centre = np.stack([np.zeros_like(y), y, np.full_like(y, centre_z)], axis=1)
    mesh.add_tube(
        centre,
        across=axis_vectors(wide * half_width, 0),
        ahead=axis_vectors(front * half_depth, 2),
        behind=axis_vectors(back * half_depth, 2),
        columns=24,
        roundness=2.2,
        weights={"head": 1.0},
    )
    nose = np.stack([at(0.33, 0, 0.80), at(0.36, 0, 0.84), at(0.40, 0, 0.85), at(0.55, 0, 0.80)])
    mesh.add_tube(
        nose,
        across=axis_vectors(half_width * np.array([0.10, 0.2, 0.2, 0.07]), 0),
        ahead=axis_vectors(half_depth * np.array([0.15, 0.30, 0.28, 0.08]), 2),
        behind=axis_vectors(np.full(4, 0.05 * half_depth), 2),
        columns=8,
        roundness=2.0,
        weights={"head": 1.0},
    )
    points = {"nose": nose[1] + [0, 0, 0.30 * half_depth]}
    for name, side in (("left", 1.0), ("right", -1.0)):
        points[f"{name}_eye"] = at(0.53, 0.42 * side, 0.80)
        points[f"{name}_ear"] = at(0.45, 0.97 * side, 0.02)
        mesh.add_ellipsoid(points[f"{name}_eye"], np.array([0.17, 0.13, 0.08]) * half_width, "head", columns=8, rows=4)
        mesh.add_ellipsoid(points[f"{name}_ear"], np.array([0.10, 0.33, 0.20]) * half_width, "head", columns=8, rows=5)
    return points


def _add_arm(mesh: Mesh, size: Proportions, heads: dict[str, np.ndarray], side: float) -> None:
    letter = "L" if side > 0 else "R"
    bones = [f"{bone}.{letter}" for bone in ("shoulder01", "upperarm01", "lowerarm01", "wrist")]
    shoulder, elbow, wrist = (heads[bone] for bone in bones[1:])
    upper, fore, s = float(np.linalg.norm(elbow - shoulder)), float(np.linalg.norm(wrist - elbow)), size.stature
    hand = 0.104 * size.arm * s
    along = (wrist - shoulder) / (upper + fore)
    thick = 0.5 * s * size.girth**0.75
    # position along the arm: upper arm 0..1, forearm 1..2, hand 2..3; half thickness across the arm, and front to back
    rings = np.array([
        (-0.30, 0.030, 0.052), (-0.16, 0.060, 0.072), (-0.04, 0.070, 0.078), (0.10, 0.068, 0.074), (0.28, 0.059, 0.066),
        (0.50, 0.053, 0.060), (0.72, 0.048, 0.054), (0.88, 0.046, 0.050), (1.00, 0.046, 0.048), (1.12, 0.047, 0.050),
        (1.28, 0.047, 0.051), (1.50, 0.041, 0.045), (1.72, 0.034, 0.039), (1.90, 0.028, 0.036), (2.00, 0.026, 0.036),
        (2.15, 0.026, 0.042), (2.42, 0.026, 0.050), (2.62, 0.024, 0.048), (2.82, 0.019, 0.040), (2.97, 0.010, 0.020),
    ])  # fmt: skip
    place = np.interp(rings[:, 0], [-1, 0, 1, 2, 3], [-upper, 0, upper, upper + fore, upper + fore + hand])
    is_hand = rings[:, 0] > 2
    thickness = np.where(is_hand, 0.5 * s * size.girth**0.2, thick)[:, None] * rings[:, 1:]
    across = np.array([side * np.cos(_REST_ARM), np.sin(_REST_ARM), 0.0])
    mesh.add_tube(
        shoulder + place[:, None] * along,
        across=thickness[:, :1] * across,
        ahead=axis_vectors(thickness[:, 1], 2),
        behind=axis_vectors(thickness[:, 1], 2),
        columns=12,
        roundness=2.2,
        weights=_along(place, bones, [0, upper, upper + fore], [0.10 * s, 0.055 * s, 0.03 * s]),
    )
    thumb = wrist + 0.42 * hand * along + np.array([0, 0, 0.024 * s])
    mesh.add_ellipsoid(thumb, np.array([0.0085, 0.022, 0.012]) * s, bones[3], columns=8, rows=5)


def _add_leg(mesh: Mesh, size: Proportions, heads: dict[str, np.ndarray], side: float) -> None:
    letter = "L" if side > 0 else "R"
    bones = ["root", *(f"{bone}.{letter}" for bone in ("upperleg01", "lowerleg01", "foot"))]
    hip, knee, ankle = (heads[bone] for bone in bones[1:])
    thigh, shin, s = float(np.linalg.norm(knee - hip)), float(np.linalg.norm(ankle - knee)), size.stature
    thick = 0.5 * s * size.girth**0.75
    # position along the leg: thigh 0..1, shin 1..2; half width, and extent to the front and to the back
    rings = np.array([
        (-0.10, 0.080, 0.080, 0.100), (0.02, 0.096, 0.100, 0.120), (0.15, 0.098, 0.104, 0.118),
        (0.30, 0.093, 0.102, 0.106), (0.50, 0.083, 0.094, 0.090), (0.70, 0.071, 0.080, 0.075),
        (0.86, 0.063, 0.070, 0.065), (0.95, 0.061, 0.068, 0.060), (1.00, 0.060, 0.068, 0.058),
        (1.06, 0.058, 0.063, 0.060), (1.18, 0.058, 0.056, 0.072), (1.34, 0.060, 0.052, 0.080),
        (1.52, 0.052, 0.046, 0.066), (1.72, 0.041, 0.038, 0.048), (1.90, 0.034, 0.034, 0.038),
        (2.02, 0.034, 0.034, 0.038), (2.10, 0.030, 0.030, 0.034),
    ])  # fmt: skip
    place = np.interp(rings[:, 0], [-1, 0, 1, 2, 3], [-thigh, 0, thigh, thigh + shin, thigh + 2 * shin])
    knots = np.array([hip - (knee - hip), hip, knee, ankle, ankle + (ankle - knee)])
    centre = np.stack([np.interp(rings[:, 0], [-1, 0, 1, 2, 3], knots[:, k]) for k in range(3)], axis=1)
    mesh.add_tube(
        centre,
        across=axis_vectors(thick * rings[:, 1], 0),
        ahead=axis_vectors(thick * rings[:, 2], 2),
        behind=axis_vectors(thick * rings[:, 3], 2),
        columns=14,
        roundness=2.0,
        weights=_along(place, bones, [0.0, thigh, thigh + shin], [0.09 * s, 0.07 * s, 0.03 * s]),
    )
    # foot: distance in front of the ankle; half width; height of the instep
    foot = np.array([
        (-42, 16, 30), (-34, 21, 44), (-15, 23, 52), (8, 24, 52), (34, 26, 42),
        (60, 29, 30), (82, 29, 24), (100, 24, 20), (110, 13, 14),
    ]) * s / 1000  # fmt: skip
    lift = 0.5 * foot[:, 2]
    mesh.add_tube(
        np.stack([np.full(len(foot), ankle[0]), lift, ankle[2] + foot[:, 0]], axis=1) + [[0.004 * s * side, 0, 0]],
        across=axis_vectors(foot[:, 1], 0),
        ahead=axis_vectors(lift, 1),
        behind=axis_vectors(lift, 1),
        columns=12,
        roundness=2.6,
        weights={bones[3]: 1.0},
    )


def _along(place: np.ndarray, bones: Sequence[str], knots: Sequence[float], widths: Sequence[float]) -> Weights:
    """Skin weights of a chain of bones: one hands over to the next about each knot, smoothly over that width."""
    passed = [np.ones_like(place)]
    for knot, width in zip(knots, widths, strict=True):
        t = np.clip((place - knot) / width + 0.5, 0, 1)
        passed.append(np.minimum(t * t * (3 - 2 * t), passed[-1]))
    passed.append(np.zeros_like(place))
    return {bone: passed[i] - passed[i + 1] for i, bone in enumerate(bones)}
