"""Rendering of a person without surroundings: lit, with an alpha channel and labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from dkd.datasets.rendering.body import Body
from dkd.datasets.rendering.rasterizer import Camera, rasterize, vertex_normals
from dkd.errors import ConfigError
from dkd.pose.skeleton import convert_joints, get_skeleton

SKELETON = "penn_action"
# Maximum depth of a joint under its skin plus a few centimetres, in leg lengths. A surface that is further in front of
# the joint belongs to another part of the body.
_COVER = {"head": 0.24, "shoulder": 0.19, "elbow": 0.12, "wrist": 0.10, "hip": 0.24, "knee": 0.14, "ankle": 0.12}
_EXPOSURES = np.linspace(-0.5, 0.5, 5)  # sample times of a blurred frame within the exposure


@dataclass(frozen=True)
class Light:
    """A sun and a sky.

    Attributes:
        direction: (3,) unit vector towards the sun, world axes; its y must be above 0.
        sun, sky, ground: brightness of the sun, of the light from above, and of the light from below.
    """

    direction: tuple[float, float, float]
    sun: float
    sky: float
    ground: float

    def __post_init__(self) -> None:
        if self.direction[1] <= 0:
            raise ConfigError(f"expected a sun above the horizon (direction y > 0), got direction {self.direction}")


class PersonLayer(NamedTuple):
    """A rendered person without surroundings.

    Attributes:
        rgba: (T, H, W, 4) uint8; colours are not premultiplied, alpha 0 outside the person.
        joints: (T, 13, 2) float32 pixel indices; may lie outside the image.
        visible: (T, 13) bool; False if behind another part of the body or outside the image.
    """

    rgba: np.ndarray
    joints: np.ndarray
    visible: np.ndarray


def render_person(
    body: Body, vertices: np.ndarray, cameras: list[Camera], light: Light, supersample: int = 2, shutter: float = 0.0
) -> PersonLayer:
    """Render posed vertices (T, V, 3) of a body, with one camera per frame.

    ``shutter`` is the share of the time between two frames in which the shutter is open: fast motion is blurred.
    """
    xy, depth = (
        np.stack(parts) for parts in zip(*(c.project(v) for c, v in zip(cameras, vertices, strict=True)), strict=True)
    )
    velocity = np.gradient(xy, axis=0) if len(xy) > 1 else np.zeros_like(xy)
    layers = []
    for t, camera in enumerate(cameras):
        blur = (shutter * velocity[t]).astype(np.float32) if shutter else None
        layers.append(_render_frame(body, vertices[t], xy[t], depth[t], camera, light, supersample, blur))
    return PersonLayer(*(np.stack(parts) for parts in zip(*layers, strict=True)))


def _render_frame(
    body: Body,
    vertices: np.ndarray,
    xy: np.ndarray,
    depth: np.ndarray,
    camera: Camera,
    light: Light,
    supersample: int,
    blur: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Render one frame: rgba (H, W, 4), joints (13, 2), visible (13,). ``blur`` (V, 2) is each vertex's smear."""
    width, height = camera.width * supersample, camera.height * supersample
    raster = rasterize((xy + 0.5) * supersample - 0.5, depth, body.faces, width, height)
    parts = [vertex_normals(vertices, body.faces).astype(np.float32), body.colours]
    at_vertex = np.concatenate(parts if blur is None else [*parts, blur], axis=1)
    corners, weights = body.faces[raster.faces], raster.weights
    surface = sum(weights[:, k, None] * at_vertex[corners[:, k]] for k in range(3))  # (P, 6 or 8)

    normal, colour = surface[:, :3], surface[:, 3:6]
    length = np.maximum(np.sqrt(np.einsum("pd,pd->p", normal, normal)), 1e-6)
    brightness = light.ground + (light.sky - light.ground) * (0.5 + 0.5 * normal[:, 1] / length)
    brightness += light.sun * np.maximum(normal @ np.asarray(light.direction, np.float32) / length, 0)
    lit = np.concatenate([colour * brightness[:, None], np.ones_like(brightness)[:, None], surface[:, 6:]], axis=1)
    rgba = np.zeros((camera.height, camera.width, 4), np.uint8)
    if len(lit):
        _draw_pixels(rgba, raster.pixels, lit, supersample)

    points = convert_joints(body.joints(vertices), "coco", SKELETON)  # the same means are valid in space
    joints, joint_depth = camera.project(points.astype(np.float64))
    front = np.full(height * width, np.inf, np.float32)
    front[raster.pixels] = raster.depth
    column, row = np.rint((joints + 0.5) * supersample - 0.5).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
    in_front = front[np.clip(row, 0, height - 1) * width + np.clip(column, 0, width - 1)]
    cover = body.leg_length * np.array([_COVER[name.split("_")[-1]] for name in get_skeleton(SKELETON).joints])
    visible = inside & (joint_depth > 0) & (joint_depth - in_front < cover)
    return rgba, joints.astype(np.float32), visible


def _draw_pixels(rgba: np.ndarray, pixels: np.ndarray, lit: np.ndarray, supersample: int) -> None:
    """Set ``rgba`` (H, W, 4) from the rays with these flat indices (P, 4 or 6): light, 1, optionally the path."""
    row, column = np.divmod(pixels, rgba.shape[1] * supersample)
    margin = int(np.abs(lit[:, 4:]).max(initial=0) / 2) + 1  # process only the rectangle that the person can cover
    top, left = (max(int(n.min()) // supersample - margin, 0) for n in (row, column))
    height = min(int(row.max()) // supersample + 1 + margin, rgba.shape[0]) - top
    width = min(int(column.max()) // supersample + 1 + margin, rgba.shape[1]) - left
    image = np.zeros((height * supersample, width * supersample, lit.shape[1]), np.float32)
    image[row - top * supersample, column - left * supersample] = lit
    if supersample > 1:
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)  # mean of the rays
    if lit.shape[1] > 4:
        image = _smeared(image)
    row, column = np.nonzero(image[..., 3] > 1 / 512)
    light = image[row, column]
    colour = np.clip(light[:, :3] / light[:, 3:], 0, 1) ** np.float32(1 / 2.2)  # gamma of a display
    rgba[row + top, column + left] = np.rint(255 * np.concatenate([colour, light[:, 3:]], axis=1))


def _smeared(image: np.ndarray) -> np.ndarray:
    """Average ``image`` (H, W, 6) along its last two channels, the path during the exposure; return (H, W, 4).

    Both are premultiplied with alpha. A pixel next to the person gets the path of the adjacent part of the person, so
    that an arm is smeared beyond its outline.
    """
    reach = 1 + 2 * int(np.clip(np.abs(image[..., 4:]).max() / 2, 1, 12))
    near = cv2.blur(image[..., 3:], (reach, reach), borderType=cv2.BORDER_REPLICATE)
    path = near[..., 1:] / np.maximum(near[..., :1], 1e-4)
    column, row = np.meshgrid(np.arange(image.shape[1], dtype=np.float32), np.arange(image.shape[0], dtype=np.float32))
    light = np.ascontiguousarray(image[..., :4])
    out = np.zeros_like(light)
    for share in _EXPOSURES.astype(np.float32):
        out += cv2.remap(light, column - share * path[..., 0], row - share * path[..., 1], cv2.INTER_LINEAR)
    return out / len(_EXPOSURES)
