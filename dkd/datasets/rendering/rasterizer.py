"""A small software renderer's core: a pinhole camera, and triangles through a z-buffer. NumPy only, no GPU, no driver.

Made for meshes whose triangles cover a few pixels each, as a body's do: all candidate pixels of all triangles are
tested at once. Its cost is that of the triangles' bounding boxes, so few but large triangles would be slow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from dkd.datasets.rendering.rotations import axis_rotation
from dkd.errors import ConfigError

_NEAR = 0.05  # metres: what is closer to the camera is not drawn


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in a world with y up; images have x to the right and y down, coordinates are pixel indices.

    Attributes:
        target: the world point (metres) at the image's centre.
        azimuth_deg: where the camera stands around the target; 0 sees a person who faces +z from the front, 90 sees the
            person's left side.
        elevation_deg: above the target's height, −89 to 89.
        roll_deg: about the viewing direction; positive turns the picture counter-clockwise.
        distance: to the target, metres.
        focal: focal length in pixels.
        width, height: image size in pixels.
    """

    target: tuple[float, float, float]
    azimuth_deg: float
    elevation_deg: float
    distance: float
    focal: float
    width: int
    height: int
    roll_deg: float = 0.0

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 1 or self.focal <= 0 or self.distance <= 0 or abs(self.elevation_deg) > 89:
            raise ConfigError(
                "expected width, height >= 1, focal and distance above 0 and an elevation within ±89 degrees, "
                f"got {self.width}×{self.height}, {self.focal}, {self.distance}, {self.elevation_deg}"
            )

    @property
    def rotation(self) -> np.ndarray:
        """(3, 3) from world axes to camera axes: x right, y down, z into the picture."""
        azimuth, elevation, roll = np.deg2rad([self.azimuth_deg, self.elevation_deg, self.roll_deg])
        flip = np.diag([1.0, -1.0, -1.0])  # a camera in front looks along −z, its y points down
        return axis_rotation("z", -roll) @ flip @ axis_rotation("x", elevation) @ axis_rotation("y", -azimuth)

    @property
    def position(self) -> np.ndarray:
        """(3,) world position of the pinhole."""
        return np.asarray(self.target) - self.distance * self.rotation[2]

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """World points (..., 3) to pixel indices (..., 2) and depth along the viewing direction (...), metres."""
        seen = (points - self.position) @ self.rotation.T
        depth = seen[..., 2]
        centre = (np.array([self.width, self.height]) - 1) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.focal * seen[..., :2] / depth[..., None] + centre, depth

    def scaled(self, factor: int) -> Camera:
        """The same view with ``factor`` times as many pixels a side."""
        return replace(self, focal=self.focal * factor, width=self.width * factor, height=self.height * factor)


class Raster(NamedTuple):
    """What is in front at each covered pixel, P of them.

    Attributes:
        pixels: (P,) flat index, row · width + column, ascending.
        faces: (P,) index of the front-most triangle.
        weights: (P, 3) barycentric weights of its corners at the pixel's centre, in the image plane.
        depth: (P,) depth at the pixel's centre, metres.
    """

    pixels: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    depth: np.ndarray


def rasterize(
    xy: np.ndarray, depth: np.ndarray, faces: np.ndarray, width: int, height: int, cull: bool = True
) -> Raster:
    """Find the triangle in front at each pixel centre.

    Args:
        xy: (V, 2) pixel indices of the vertices.
        depth: (V,) metres; triangles with a corner nearer than 5 cm are left out.
        faces: (F, 3) vertex indices, counter-clockwise seen from outside.
        width, height: of the image.
        cull: leave out triangles that are seen from inside.

    Within a triangle depth is interpolated linearly in the image: exact enough where triangles are small.
    """
    corners, z = xy[faces].astype(np.float32), depth[faces].astype(np.float32)  # (F, 3, 2), (F, 3)
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    # Twice the signed area; outside faces are clockwise in an image whose y points down, hence negative in these axes.
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    keep = (z.min(axis=1) > _NEAR) & ((area < 0) if cull else (area != 0))
    with np.errstate(invalid="ignore"):
        low = np.ceil(np.nan_to_num(corners.min(axis=1), nan=-1))
        high = np.floor(np.nan_to_num(corners.max(axis=1), nan=-1))
    low = np.clip(low, 0, [width, height]).astype(np.int64)
    high = np.clip(high, -1, [width - 1, height - 1]).astype(np.int64)
    size = high - low + 1
    kept = np.flatnonzero(keep & (size > 0).all(axis=1))
    count = size[kept].prod(axis=1)

    # One row a candidate: each pixel of each kept triangle's bounding box.
    triangle = np.repeat(kept, count)
    offset = np.arange(len(triangle)) - np.repeat(np.cumsum(count) - count, count)
    px = low[triangle, 0] + offset % size[triangle, 0]
    py = low[triangle, 1] + offset // size[triangle, 0]
    p = np.stack([px, py], axis=1).astype(np.float32)
    a, b, c = corners[triangle, 0], corners[triangle, 1], corners[triangle, 2]
    w_b = ((p[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (p[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])) / area[triangle]
    w_c = ((b[:, 0] - a[:, 0]) * (p[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (p[:, 0] - a[:, 0])) / area[triangle]
    inside = (w_b >= 0) & (w_c >= 0) & (w_b + w_c <= 1)
    triangle, pixel = triangle[inside], (py * width + px)[inside]
    weights = np.stack([1 - w_b[inside] - w_c[inside], w_b[inside], w_c[inside]], axis=1)
    z_pixel = (weights * z[triangle]).sum(axis=1)

    order = np.lexsort((z_pixel, pixel))  # by pixel, nearest first
    first = np.ones(len(order), bool)
    first[1:] = np.diff(pixel[order]) > 0
    front = order[first]
    return Raster(pixel[front], triangle[front], weights[front], z_pixel[front])


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) unit outward normals: the mean of the adjacent triangles', weighted by their area."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    total = np.stack(
        [np.bincount(faces.ravel(), np.repeat(normal[:, k], 3), minlength=len(vertices)) for k in range(3)], axis=1
    )
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
