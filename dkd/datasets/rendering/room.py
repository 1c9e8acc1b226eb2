"""A plain room: a floor of boards or tiles, a wall, and the shadow that a body casts on the floor."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from dkd.datasets.rendering.rasterizer import Camera, rasterize

_SHADOW = 0.5  # share of the floor's light that a full shadow removes


@dataclass(frozen=True)
class Room:
    """A room; colours are linear RGB, lengths are in metres.

    Attributes:
        floor, wall: base colours.
        tile: length and width of a board or tile.
        wall_distance: distance from the world's origin, behind it as seen by the camera.
        wall_turn_deg: angle between the wall and the image plane.
        seed: seed of the texture of floor and wall.
    """

    floor: tuple[float, float, float]
    wall: tuple[float, float, float]
    tile: tuple[float, float]
    wall_distance: float
    wall_turn_deg: float
    seed: int

    @classmethod
    def random(cls, rng: np.random.Generator) -> Room:
        """Draw a room with muted colours."""
        floor = rng.uniform(0.08, 0.4) * np.array([1.0, rng.uniform(0.65, 1), rng.uniform(0.4, 1)])
        wall = rng.uniform(0.25, 0.75) * rng.uniform(0.8, 1.0, 3)
        return cls(
            floor=(float(floor[0]), float(floor[1]), float(floor[2])),
            wall=(float(wall[0]), float(wall[1]), float(wall[2])),
            tile=(float(rng.uniform(0.4, 1.8)), float(rng.uniform(0.12, 0.5))),
            wall_distance=float(rng.uniform(2.0, 4.0)),
            wall_turn_deg=float(rng.uniform(-25, 25)),
            seed=int(rng.integers(2**31)),
        )


def wide_enough(room: Room, camera: Camera, vertices: np.ndarray) -> Room:
    """Return the room with its wall moved back if points (..., 3) would come closer to it than 0.8 m."""
    farthest = -float((vertices @ _from_wall(room, camera)).min())
    return replace(room, wall_distance=max(room.wall_distance, farthest + 0.8))


def _from_wall(room: Room, camera: Camera) -> np.ndarray:
    """Return the horizontal direction (3,) from the wall into the room."""
    turn = np.deg2rad(camera.azimuth_deg + room.wall_turn_deg)
    return np.array([np.sin(turn), 0.0, np.cos(turn)])


def draw_room(room: Room, camera: Camera, rays: int = 2) -> np.ndarray:
    """Draw the empty room: (H, W, 4) float32, sRGB 0..255, and 1 on the floor, 0 elsewhere.

    ``rays`` is the number of rays per pixel side.
    """
    fine = camera.scaled(rays)
    column, row = np.meshgrid(np.arange(fine.width), np.arange(fine.height))
    right, down = column - (fine.width - 1) / 2, row - (fine.height - 1) / 2
    seen = np.stack([right, down, np.full(column.shape, fine.focal)], axis=-1)
    ray = seen @ fine.rotation  # camera axes → world axes
    origin = fine.position
    outward = _from_wall(room, camera)
    along = np.array([outward[2], 0.0, -outward[0]])
    with np.errstate(divide="ignore", invalid="ignore"):
        to_floor = -origin[1] / ray[..., 1]
        to_wall = -(origin @ outward + room.wall_distance) / (ray @ outward)
    to_floor = np.where((ray[..., 1] < 0) & (origin[1] > 0), to_floor, np.inf)  # a camera below the floor sees the wall
    to_wall = np.where(to_wall > 0, to_wall, np.inf)
    is_floor = to_floor < to_wall
    distance = np.minimum(np.minimum(to_floor, to_wall), 1e3)
    point = origin + distance[..., None] * ray

    rng = np.random.default_rng(room.seed)
    across = point @ along
    floor = np.asarray(room.floor) * _tiles(across, point @ outward, room.tile, rng)[..., None]
    height = point[..., 1]
    shade = 0.75 + 0.25 * np.clip(height / 2.5, 0, 1)  # lighter towards the ceiling
    shade = (
        shade * _uneven(across, height, rng) * np.where((height > 0) & (height < 0.09), 0.45, 1.0)
    )  # a skirting board
    wall = np.asarray(room.wall) * shade[..., None]
    colour = np.where(is_floor[..., None], floor, wall)
    out = np.concatenate([colour, is_floor[..., None]], axis=-1)
    out = out.reshape(camera.height, rays, camera.width, rays, 4).mean(axis=(1, 3))
    out[..., :3] = 255 * np.clip(out[..., :3], 0, 1) ** (1 / 2.2)
    return out.astype(np.float32)


def draw_shadow(
    plate: np.ndarray, camera: Camera, vertices: np.ndarray, faces: np.ndarray, sun: tuple[float, float, float]
) -> np.ndarray:
    """Draw the room of :func:`draw_room` with a body's shadow on its floor.

    Args:
        plate: (H, W, 4) from :func:`draw_room`.
        camera: the camera for which the plate was drawn.
        vertices, faces: the posed body, (V, 3) and (F, 3).
        sun: direction towards the light, y above 0.

    Returns:
        (H, W, 3) float32, sRGB 0..255.
    """
    soft = shadow_on_floor(camera, vertices, faces, sun)
    dark = (1 - _SHADOW * soft * plate[..., 3]) ** (1 / 2.2)
    return plate[..., :3] * dark[..., None]


def shadow_on_floor(
    camera: Camera, vertices: np.ndarray, faces: np.ndarray, sun: tuple[float, float, float]
) -> np.ndarray:
    """Compute a body's shadow as if there were floor everywhere: (H, W) float32, 0..1. Arguments as above."""
    direction = np.asarray(sun)
    on_floor = vertices - direction * (vertices[:, 1:2] / direction[1])
    xy, depth = camera.project(on_floor)
    # half the size is enough, as a shadow's edge is soft; of a closed body, the side that faces the sun is sufficient
    width, height = (camera.width + 1) // 2, (camera.height + 1) // 2
    mask = np.zeros(width * height, np.float32)
    mask[rasterize((xy + 0.5) / 2 - 0.5, depth, faces, width, height).pixels] = 1
    soft = cv2.GaussianBlur(mask.reshape(height, width), (0, 0), sigmaX=camera.focal / camera.distance * 0.012 + 0.6)
    return cv2.resize(soft, (camera.width, camera.height), interpolation=cv2.INTER_LINEAR)


def _tiles(u: np.ndarray, v: np.ndarray, tile: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Compute the brightness of a floor of staggered tiles, each with its own shade, with dark joints."""
    row = np.floor(v / tile[1])
    along = u / tile[0] + 0.37 * row
    cell = np.floor(along)
    shades = rng.uniform(0.78, 1.12, 4096)
    shade = shades[((cell * 73 + row * 179) % 4096).astype(int)]
    gap = np.minimum(np.abs(along - np.rint(along)) * tile[0], np.abs(v / tile[1] - np.rint(v / tile[1])) * tile[1])
    return shade * np.where(gap < 0.004, 0.5, 1.0) * _uneven(u, v, rng)


def _uneven(u: np.ndarray, v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Compute a slow variation of brightness around 1."""
    out = np.ones(u.shape)
    for _ in range(5):
        k = rng.normal(0, 4, 2)
        out += rng.uniform(0.01, 0.04) * np.sin(k[0] * u + k[1] * v + rng.uniform(0, 2 * np.pi))
    return out
