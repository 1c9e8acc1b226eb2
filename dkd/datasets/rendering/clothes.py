"""Clothes, hair and a face for a :class:`~dkd.datasets.rendering.body.Body`: colours and some thickness."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dkd.datasets.rendering.body import Body
from dkd.datasets.rendering.motion import SEGMENTS
from dkd.datasets.rendering.rasterizer import vertex_normals
from dkd.pose.skeleton import get_skeleton


def dressed(body: Body, rng: np.random.Generator) -> Body:
    """Return the body with skin, hair, eyes, a shirt, trousers or shorts, and shoes, all drawn from ``rng``.

    Clothes are colours and some thickness on the body's surface, not separate meshes.
    """
    v = body.vertices.astype(np.float64)
    segment = _dominant_segment(body)
    along_arm, along_leg = _along_limb(body, segment, "upper_arm"), _along_limb(body, segment, "thigh")
    ear, nose = body.joints(v)[3:5].mean(axis=0), body.joints(v)[0]
    face_depth = np.linalg.norm(nose - ear)
    height = (v[:, 1] - ear[1]) / face_depth  # above the ears, in units of face depth
    forward = (v[:, 2] - ear[2]) / face_depth

    is_head = segment == SEGMENTS.index("head")
    is_trunk = np.isin(segment, [SEGMENTS.index("pelvis"), SEGMENTS.index("chest")])
    is_foot = np.isin(segment, [SEGMENTS.index("left_foot"), SEGMENTS.index("right_foot")])
    shoulders = body.joints(v)[5:7]
    neckline = shoulders[:, 1].mean() + rng.uniform(0.03, 0.075)
    below_collar = (v[:, 1] < neckline) | (np.abs(v[:, 0]) > 0.6 * np.abs(shoulders[:, 0]).mean())
    waist = body.hip_centre[1] + rng.uniform(0.0, 0.14)
    sleeve = rng.choice([rng.uniform(0.15, 0.9), rng.uniform(1.7, 1.95)])
    leg_end = rng.choice([rng.uniform(0.4, 1.0), rng.uniform(1.8, 1.98)], p=[0.35, 0.65])
    shirt = (is_trunk & (v[:, 1] >= waist) & below_collar) | ((along_arm >= 0) & (along_arm < sleeve))
    trousers = (is_trunk & (v[:, 1] < waist)) | ((along_leg >= 0) & (along_leg < leg_end))
    hair = is_head & (height > 0.18 + 0.62 * forward + rng.uniform(-0.08, 0.15))
    if rng.random() < 0.35:  # long hair
        on_back = is_trunk & (v[:, 1] > neckline - 0.12) & (np.abs(v[:, 0]) < 0.9 * face_depth)
        hair |= (is_head | on_back) & (forward < -0.15) & (height > -rng.uniform(1, 2))
    if rng.random() < 0.08:  # bald
        hair[:] = False

    skin_colour = _mix((0.13, 0.06, 0.035), (0.72, 0.47, 0.36), rng.uniform(0, 1) ** 0.6)
    colours = np.tile(skin_colour, (len(v), 1))
    colours[trousers] = _cloth(v[trousers], rng, patterned=0.15)
    colours[shirt] = _cloth(v[shirt], rng, patterned=0.45)
    if rng.random() < 0.92:
        colours[is_foot | (along_leg > 1.93)] = _plain_colour(rng)
    hair_colour = _mix((0.012, 0.01, 0.008), (0.35, 0.22, 0.09), rng.beta(1, 2.2))
    colours[hair] = hair_colour * rng.uniform(0.85, 1.15, (hair.sum(), 1))
    for eye in body.joints(v)[1:3]:
        near = np.linalg.norm(v - eye, axis=1) < 0.16 * face_depth
        colours[near & is_head & (forward > 0.4)] = (0.05, 0.04, 0.04)
    mouth = nose + [0, -0.42 * face_depth, -0.1 * face_depth]
    near = (np.abs(v - mouth) < np.array([0.26, 0.09, 0.4]) * face_depth).all(axis=1)
    colours[near & is_head] = np.asarray(skin_colour) * (0.9, 0.45, 0.45)

    thickness = np.zeros(len(v))
    thickness[shirt] = rng.uniform(0.004, 0.03)
    thickness[trousers] = rng.uniform(0.004, 0.025)
    thickness[is_foot] = 0.012
    thickness[hair] = rng.uniform(0.005, 0.025)
    vertices = v + thickness[:, None] * vertex_normals(v, body.faces)
    return replace(body, vertices=vertices.astype(np.float32), colours=np.clip(colours, 0, 1).astype(np.float32))


def _dominant_segment(body: Body) -> np.ndarray:
    """Find the segment with the largest weight for each vertex, (V,)."""
    main_segment = np.array([i if share < 0.5 else j for i, j, share in body.bone_segments])
    totals = np.stack([body.bone_weights[:, main_segment == s].sum(axis=1) for s in range(len(SEGMENTS))], axis=1)
    return totals.argmax(axis=1)


def _along_limb(body: Body, segment: np.ndarray, first: str) -> np.ndarray:
    """Compute the position (V,) along the arm (``first="upper_arm"``) or leg (``"thigh"``).

    0 at its root, 1 at the elbow or knee, 2 at the wrist or ankle; −1 for vertices on other parts.
    """
    second = {"upper_arm": "forearm", "thigh": "shin"}[first]
    coco = get_skeleton("coco")
    joints = body.joints(body.vertices)
    chain = {"upper_arm": ("shoulder", "elbow", "wrist"), "thigh": ("hip", "knee", "ankle")}[first]
    out = np.full(len(segment), -1.0)
    for side in ("left", "right"):
        points = [joints[coco.index(f"{side}_{name}")] for name in chain]
        for part, start, end, base in ((first, points[0], points[1], 0.0), (second, points[1], points[2], 1.0)):
            on = segment == SEGMENTS.index(f"{side}_{part}")
            axis = end - start
            out[on] = base + np.clip((body.vertices[on] - start) @ axis / (axis @ axis), 0, 1)
    return out


def _mix(dark: tuple[float, ...], light: tuple[float, ...], share: float) -> np.ndarray:
    return (1 - share) * np.asarray(dark) + share * np.asarray(light)


def _plain_colour(rng: np.random.Generator) -> np.ndarray:
    """Draw a colour of cloth: mostly muted, sometimes vivid, often black, grey or white; linear RGB."""
    grey = rng.uniform(0.01, 0.75)
    saturation = rng.beta(1.0, 1.6)
    hue = rng.dirichlet([0.6, 0.6, 0.6]) * 1.4
    return np.clip((1 - saturation) * grey + saturation * hue * rng.uniform(0.15, 0.9), 0.008, 0.85)


def _cloth(v: np.ndarray, rng: np.random.Generator, patterned: float) -> np.ndarray:
    """Draw colours (n, 3) of uneven cloth at the points ``v`` (n, 3), with probability ``patterned`` with a pattern."""
    first, second = _plain_colour(rng), _plain_colour(rng)
    share = np.zeros(len(v))
    if rng.random() < patterned:
        kind, period = rng.integers(4), rng.uniform(0.05, 0.14)
        waves = np.sin(2 * np.pi * v / period) > rng.uniform(-0.3, 0.6)
        share = [
            waves[:, 1],
            waves[:, 0],
            waves[:, 1] ^ waves[:, 0],
            (np.abs(v[:, 0]) < rng.uniform(0.05, 0.12)) & (np.abs(v[:, 1] - np.median(v[:, 1])) < 0.1) & (v[:, 2] > 0),
        ][kind].astype(float)
    uneven = np.ones(len(v))
    for _ in range(4):
        uneven += rng.uniform(0.02, 0.09) * np.sin(v @ rng.normal(0, 25, 3) + rng.uniform(0, 2 * np.pi))
    return (first + share[:, None] * (second - first)) * uneven[:, None]
