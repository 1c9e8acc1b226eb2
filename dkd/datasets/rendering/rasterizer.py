"""Core of a small software renderer: a pinhole camera and a z-buffer for triangles. Uses only NumPy, no GPU or driver.

It is designed for meshes whose triangles cover a few pixels each, such as a body: all candidate pixels of all triangles
are tested at once. The cost depends on the triangles' bounding boxes, so large triangles would be slow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from dkd.datasets.rendering.rotations import axis_rotation
from dkd.errors import ConfigError

_NEAR = 0.05  # metres; closer surfaces are not drawn


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in a world with y up; images have x to the right and y down, coordinates are pixel indices.

    Attributes:
        target: world point (metres) at the image's centre.
        azimuth_deg: direction of the camera as seen from the target; 0 shows a person who faces +z from the front, 90
            shows the person's left side.
        elevation_deg: angle above the target's height, −89 to 89.
        roll_deg: rotation about the viewing direction; positive turns the picture counter-clockwise.
        distance: distance to the target, metres.
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

    @cached_property
    def rotation(self) -> np.ndarray:
        """Rotation (3, 3) from world axes to camera axes: x right, y down, z into the picture."""
        azimuth, elevation, roll = np.deg2rad([self.azimuth_deg, self.elevation_deg, self.roll_deg])
        flip = np.diag([1.0, -1.0, -1.0])  # a camera in front looks along −z, its y points down
        return axis_rotation("z", -roll) @ flip @ axis_rotation("x", elevation) @ axis_rotation("y", -azimuth)

    @cached_property
    def position(self) -> np.ndarray:
        """World position (3,) of the pinhole."""
        return np.asarray(self.target) - self.distance * self.rotation[2]

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project world points (..., 3) to pixel indices (..., 2) and depth along the view (...) in metres."""
        seen = (points - self.position) @ self.rotation.T
        depth = seen[..., 2]
        centre = (np.array([self.width, self.height]) - 1) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.focal * seen[..., :2] / depth[..., None] + centre, depth

    def scaled(self, factor: int) -> Camera:
        """Return the same view with ``factor`` times as many pixels per side."""
        return replace(self, focal=self.focal * factor, width=self.width * factor, height=self.height * factor)


class Raster(NamedTuple):
    """Front-most surface at each of P covered pixels.

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
    """Find the front-most triangle at each pixel centre.

    Args:
        xy: (V, 2) pixel indices of the vertices.
        depth: (V,) metres; triangles with a corner nearer than 5 cm are left out.
        faces: (F, 3) vertex indices, counter-clockwise seen from outside.
        width, height: size of the image.
        cull: ignore triangles seen from inside.

    Within a triangle, depth is interpolated linearly in the image, which is accurate enough for small triangles.
    """
    # One row per corner: (3, F) for each coordinate.
    x, y, z = (np.ascontiguousarray(column[faces.T], np.float32) for column in (xy[:, 0], xy[:, 1], depth))
    # Twice the signed area; outside faces are clockwise in an image whose y points down, so negative in these axes.
    with np.errstate(invalid="ignore", over="ignore"):  # corners next to or behind the camera; removed below
        area = (x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0])
    kept = np.flatnonzero((z.min(axis=0) > _NEAR) & ((area < 0) if cull else (area != 0)))
    x, y, z, area = x[:, kept], y[:, kept], z[:, kept], area[kept]
    left, top = (np.ceil(np.clip(c.min(axis=0), 0, 1e6)).astype(np.int64) for c in (x, y))
    right, bottom = (np.floor(np.clip(c.max(axis=0), -1, n - 1)).astype(np.int64) for c, n in ((x, width), (y, height)))
    columns, rows = right - left + 1, bottom - top + 1
    covers = np.flatnonzero((columns > 0) & (rows > 0))
    x, y, z, area = x[:, covers], y[:, covers], z[:, covers], area[covers]
    left, top, columns, rows = left[covers], top[covers], columns[covers], rows[covers]

    # Weights and depth are linear in the image: values at the box's first pixel, and steps along x and y.
    u, v = x - left, y - top
    steps = np.stack(
        [
            (v[2] - v[0]) * -u[0] + (u[2] - u[0]) * v[0], v[2] - v[0], u[0] - u[2],
            (u[1] - u[0]) * -v[0] + (v[1] - v[0]) * u[0], v[0] - v[1], u[1] - u[0],
        ]
    ) / area  # fmt: skip

    # One entry per candidate: each pixel of each triangle's bounding box.
    count = columns * rows
    triangle = np.repeat(np.arange(len(covers)), count)
    offset = np.arange(len(triangle)) - np.repeat(np.cumsum(count) - count, count)
    down, across = np.divmod(offset, columns[triangle])
    w_b, w_c = (steps[k][triangle] + across * steps[k + 1][triangle] + down * steps[k + 2][triangle] for k in (0, 3))
    inside = np.flatnonzero((w_b >= 0) & (w_c >= 0) & (w_b + w_c <= 1))
    triangle, w_b, w_c = triangle[inside], w_b[inside].astype(np.float32), w_c[inside].astype(np.float32)
    pixel = (top[triangle] + down[inside]) * width + left[triangle] + across[inside]
    w_a = 1 - w_b - w_c
    z_pixel = w_a * z[0][triangle] + w_b * z[1][triangle] + w_c * z[2][triangle]

    nearest = np.full(width * height, np.inf, np.float32)
    np.minimum.at(nearest, pixel, z_pixel)
    winners = np.flatnonzero(z_pixel == nearest[pixel])[::-1]
    winner = np.full(width * height, -1)
    winner[pixel[winners]] = winners  # at equal depth the first triangle wins: it is written last
    pixels = np.flatnonzero(winner >= 0)
    front = winner[pixels]
    weights = np.stack([w_a[front], w_b[front], w_c[front]], axis=1)
    return Raster(pixels, kept[covers[triangle[front]]], weights, z_pixel[front])


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Compute unit outward normals (V, 3): the mean of the adjacent triangles' normals, weighted by area."""
    ax, ay, az, bx, by, bz = (
        column[faces[:, k]] - column[faces[:, 0]] for k in (1, 2) for column in np.ascontiguousarray(vertices.T)
    )
    corners = faces.T.ravel()
    total = np.empty(vertices.shape)
    for k, part in enumerate((ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)):
        total[:, k] = np.bincount(corners, np.tile(part, 3), minlength=len(vertices))
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
