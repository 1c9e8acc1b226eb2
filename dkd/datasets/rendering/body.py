"""A person's body as a skinned mesh: its shape, and posing it with a motion.

The shape comes from Anny, a parametric body model (optional extra ``render``). Posing, dressing
and rendering work on any :class:`Body`, so that they can be tested, and used with another mesh, without Anny.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from dkd.datasets.rendering.motion import SEGMENTS
from dkd.datasets.rendering.rotations import blend_rotations, shortest_rotation
from dkd.errors import ConfigError, MissingExtraError, nearest_name
from dkd.pose.skeleton import get_skeleton

PHENOTYPE = ("gender", "age", "muscle", "weight", "height", "proportions")
# Segments that a bone of Anny's rig follows: a bone between two of them rotates by a share of the difference.
_BONE_SEGMENTS: tuple[tuple[str, str, str, float], ...] = (
    (r"root|pelvis\..", "pelvis", "pelvis", 0.0),
    (r"spine05", "pelvis", "chest", 0.25),
    (r"spine04", "pelvis", "chest", 0.5),
    (r"spine03", "pelvis", "chest", 0.75),
    (r"spine0[12]|clavicle\..", "chest", "chest", 0.0),
    (r"shoulder01\.(?P<side>.)", "chest", "{side}_upper_arm", 0.35),
    (r"neck01", "chest", "head", 0.33),
    (r"neck02", "chest", "head", 0.67),
    (r"neck03|head|eye\..", "head", "head", 0.0),
    (r"upperarm0.\.(?P<side>.)", "{side}_upper_arm", "{side}_upper_arm", 0.0),
    (r"lowerarm01\.(?P<side>.)", "{side}_forearm", "{side}_forearm", 0.0),
    (r"lowerarm02\.(?P<side>.)", "{side}_forearm", "{side}_hand", 0.5),
    (r"(wrist|finger.-.|metacarpal.)\.(?P<side>.)", "{side}_hand", "{side}_hand", 0.0),
    (r"upperleg0.\.(?P<side>.)", "{side}_thigh", "{side}_thigh", 0.0),
    (r"lowerleg0.\.(?P<side>.)", "{side}_shin", "{side}_shin", 0.0),
    (r"(foot|toe.-.)\.(?P<side>.)", "{side}_foot", "{side}_foot", 0.0),
)
_LIMB_BONES = {  # the two bones of Anny's rig whose heads span the segment
    "upper_arm": ("upperarm01", "lowerarm01"),
    "forearm": ("lowerarm01", "wrist"),
    "thigh": ("upperleg01", "lowerleg01"),
    "shin": ("lowerleg01", "foot"),
}


@dataclass(frozen=True, eq=False)
class Body:
    """A skinned mesh in its rest pose; metres, x to the person's left, y up, z forward.

    Attributes:
        vertices: (V, 3).
        faces: (F, 3) counter-clockwise seen from outside.
        bone_heads: (N, 3) start of each bone: the point about which it rotates.
        bone_parents: (N) index of the parent, −1 for the root; parents come before children.
        bone_segments: for each bone (i, j, share): it rotates as segment i, blended by ``share`` towards segment j.
        bone_weights: (V, N) linear blend skinning weights; each row sums to 1.
        rest_alignment: (15, 3, 3) rotation of each segment from this rest pose to the reference pose of a Motion.
        keypoints: (17, V) weights of the vertices whose mean is each joint, in COCO's order; each row sums to 1.
        hip_centre: (3,) midpoint between the hip joints.
        leg_length: distance from hip joint to ankle joint, metres.
        colours: (V, 3) linear RGB, 0..1.
    """

    vertices: np.ndarray
    faces: np.ndarray
    bone_heads: np.ndarray
    bone_parents: tuple[int, ...]
    bone_segments: tuple[tuple[int, int, float], ...]
    bone_weights: np.ndarray
    rest_alignment: np.ndarray
    keypoints: np.ndarray
    hip_centre: np.ndarray
    leg_length: float
    colours: np.ndarray

    def posed(self, rotations: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Pose the mesh: ``rotations`` (..., 15, 3, 3) and ``root`` (..., 3) as in a Motion → (..., V, 3) float32."""
        turned = rotations @ self.rest_alignment
        frames, n = root.shape[:-1], len(self.bone_heads)
        transforms = np.empty((*frames, n, 3, 4))  # rest position → posed position
        for bone, (parent, (i, j, share)) in enumerate(zip(self.bone_parents, self.bone_segments, strict=True)):
            rotation = turned[..., i, :, :]
            if share:
                rotation = blend_rotations(rotation, turned[..., j, :, :], share)
            head = self.bone_heads[bone]
            if parent < 0:
                posed_head = root * self.leg_length + rotation @ (head - self.hip_centre)
            else:
                posed_head = transforms[..., parent, :, :] @ np.append(head, 1.0)
            transforms[..., bone, :, :3] = rotation
            transforms[..., bone, :, 3] = posed_head - rotation @ head
        # Σ over bones of weight · (transform @ (x, y, z, 1)), as one matrix product for all frames
        place = np.concatenate([self.vertices, np.ones_like(self.vertices[:, :1])], axis=1)
        shares = (self.bone_weights[:, :, None] * place[:, None]).reshape(len(place), n * 4)
        by_place = np.moveaxis(transforms.reshape(-1, n, 3, 4), (1, 3), (0, 1)).reshape(n * 4, -1).astype(np.float32)
        posed = (shares @ by_place).reshape(len(place), -1, 3)  # (V, T, 3)
        return np.ascontiguousarray(np.moveaxis(posed, 0, 1)).reshape(*frames, len(place), 3)

    def joints(self, vertices: np.ndarray) -> np.ndarray:
        """Compute COCO joints (17, 3) of posed vertices (V, 3)."""
        return self.keypoints @ vertices


@lru_cache(maxsize=1)
def _anny() -> tuple[Any, Any]:
    """Load Anny's model and COCO key-point regressor. The first time takes a minute; then Anny caches it on disk."""
    try:
        import anny
    except ImportError as error:
        raise MissingExtraError(
            "expected the body model 'anny', but it is not installed, or lacks one of its dependencies; "
            "install it with: pip install 'dkd-workbench[render]'"
        ) from error
    model = anny.Anny(rig="anny", topology="anny")
    return model, anny.KeypointsRegressor.coco(model)


def anny_body(**phenotype: float) -> Body:
    """Create an undressed body of the given phenotype.

    Args:
        phenotype: any of ``gender`` (0 female-typical … 1 male-typical), ``age`` (0 newborn, 0.33 child, 0.67 young
            adult, 1 old), ``muscle``, ``weight``, ``height``, ``proportions``; each 0..1. The default is 0.5, and 0.67
            for age.

    Raises:
        MissingExtraError: Anny is not installed.
        ConfigError: a name is unknown, or a value is outside 0..1.
    """
    for name, value in phenotype.items():
        if name not in PHENOTYPE:
            hint = nearest_name(name, PHENOTYPE)
            raise ConfigError(f"unknown phenotype {name!r}{hint} Known: {', '.join(PHENOTYPE)}.")
        if not 0 <= value <= 1:
            raise ConfigError(f"expected phenotype {name} within 0..1, got {value}")
    model, regressor = _anny()
    output = model(phenotype_kwargs={**dict.fromkeys(PHENOTYPE, 0.5), "age": 0.67, **phenotype})

    def ours(points: Any) -> np.ndarray:  # Anny: z up, facing −y
        x, y, z = points.detach().cpu().numpy()[0].astype(np.float32).T
        return np.stack([x, z, -y], axis=1)

    order = [regressor.labels.index(name) for name in get_skeleton("coco").joints]
    weights = np.zeros((len(model.vertex_bone_indices), len(model.bone_labels)), np.float32)
    np.add.at(
        weights,
        (np.arange(len(weights))[:, None], model.vertex_bone_indices.cpu().numpy()),
        model.vertex_bone_weights.detach().cpu().numpy(),
    )
    return body_from_rig(
        vertices=ours(output["rest_vertices"]),
        faces=model.faces.cpu().numpy().astype(np.int64),
        bone_names=list(model.bone_labels),
        bone_heads=ours(output["rest_bone_heads"]),
        bone_parents=tuple(int(p) for p in model.bone_parents),
        bone_weights=weights,
        keypoints=regressor.regression_weights.detach().cpu().numpy().astype(np.float32)[order],
    )


def body_from_rig(
    *,
    vertices: np.ndarray,
    faces: np.ndarray,
    bone_names: list[str],
    bone_heads: np.ndarray,
    bone_parents: tuple[int, ...],
    bone_weights: np.ndarray,
    keypoints: np.ndarray,
) -> Body:
    """Build a body from a mesh whose bones are named as in Anny's rig; arrays as in :class:`Body`."""
    head = dict(zip(bone_names, bone_heads.astype(np.float64), strict=True))
    alignment = np.broadcast_to(np.eye(3), (len(SEGMENTS), 3, 3)).copy()
    for side, letter in (("left", "L"), ("right", "R")):
        for part, (start, end) in _LIMB_BONES.items():
            direction = head[f"{end}.{letter}"] - head[f"{start}.{letter}"]
            alignment[SEGMENTS.index(f"{side}_{part}")] = shortest_rotation(direction, np.array([0.0, -1.0, 0.0]))
        alignment[SEGMENTS.index(f"{side}_hand")] = alignment[SEGMENTS.index(f"{side}_forearm")]
    legs = [
        np.linalg.norm(head[f"upperleg01.{s}"] - head[f"lowerleg01.{s}"])
        + np.linalg.norm(head[f"lowerleg01.{s}"] - head[f"foot.{s}"])
        for s in "LR"
    ]
    return Body(
        vertices=vertices.astype(np.float32),
        faces=faces,
        bone_heads=bone_heads.astype(np.float64),
        bone_parents=bone_parents,
        bone_segments=tuple(_segments_of(name) for name in bone_names),
        bone_weights=bone_weights.astype(np.float32),
        rest_alignment=alignment,
        keypoints=keypoints,
        hip_centre=(head["upperleg01.L"] + head["upperleg01.R"]) / 2,
        leg_length=float(np.mean(legs)),
        colours=np.full((len(vertices), 3), 0.5, np.float32),
    )


def _segments_of(bone: str) -> tuple[int, int, float]:
    for pattern, first, second, share in _BONE_SEGMENTS:
        if match := re.fullmatch(pattern, bone):
            side = {"L": "left", "R": "right"}.get(match.groupdict().get("side") or "", "")
            return SEGMENTS.index(first.format(side=side)), SEGMENTS.index(second.format(side=side)), share
    raise ConfigError(f"expected a bone of Anny's rig, got {bone!r}; use rig='anny'")
