"""Cheap surroundings: flat pictures in space, each drawn into the image by one warp.

A place is a sky, a floor and several :class:`Panel`: walls, posters, boxes, poles, plants, houses. Everything is drawn
from a random generator and placed behind the people, as seen by the camera.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from dkd.datasets.rendering import textures
from dkd.datasets.rendering.rasterizer import Camera
from dkd.datasets.rendering.room import shadow_on_floor

_UP = np.array([0.0, 1.0, 0.0])
_SIZE = 256  # side of large textures in pixels
_FLOOR_SEEN = 0.05  # metres; a camera that is higher above the floor sees it
_SHADOW = 0.5  # share of the floor's light that a full shadow removes


@dataclass(frozen=True, eq=False)
class Panel:
    """A flat picture in the world.

    Attributes:
        corner: (3,) position of the picture's top-left corner, metres.
        across, down: (3,) vectors from there to its top-right and bottom-left corners.
        texture: (h, w, 4) uint8, premultiplied with alpha; (h, w, 3) if it repeats.
        repeat: range over which it is repeated, mirrored, in widths and heights: left, top, right, bottom.
        haze: distance in metres at which it starts to fade into the sky.
    """

    corner: np.ndarray
    across: np.ndarray
    down: np.ndarray
    texture: np.ndarray
    repeat: tuple[float, float, float, float] | None = None
    haze: float = np.inf

    def homography(self, camera: Camera) -> np.ndarray:
        """Compute the map (3, 3) from texture pixels (column, row, 1) to image pixels times their depth in metres."""
        h, w = self.texture.shape[:2]
        u, v = self.across / w, self.down / h
        seen = camera.rotation @ np.stack([u, v, self.corner + (u + v) / 2 - camera.position], axis=1)
        cx, cy = (camera.width - 1) / 2, (camera.height - 1) / 2
        return np.array([[camera.focal, 0, cx], [0, camera.focal, cy], [0, 0, 1]]) @ seen

    def draw(self, canvas: np.ndarray, camera: Camera, haze_colour: np.ndarray) -> None:
        """Draw it over the canvas (H, W, 3) uint8."""
        matrix = self.homography(camera)
        if abs(np.linalg.det(matrix)) < 1e-9:  # seen edge-on
            return
        if self.repeat is None:
            self._draw_once(canvas, matrix)
        else:
            self._draw_repeated(canvas, matrix, self.repeat, haze_colour)

    def _draw_once(self, canvas: np.ndarray, matrix: np.ndarray) -> None:
        h, w = self.texture.shape[:2]
        ends = matrix @ np.array([[-1, w, w, -1], [-1, -1, h, h], [1, 1, 1, 1]])  # one more pixel: edges are soft
        if ends[2].min() < 0.1:  # extends next to or behind the camera
            return
        x, y = ends[:2] / ends[2]
        left, top = max(int(np.floor(x.min())), 0), max(int(np.floor(y.min())), 0)
        right, bottom = min(int(np.ceil(x.max())) + 1, canvas.shape[1]), min(int(np.ceil(y.max())) + 1, canvas.shape[0])
        if left >= right or top >= bottom:
            return
        shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]])
        patch = cv2.warpPerspective(self.texture, shift @ matrix, (right - left, bottom - top))
        paint_over(canvas[top:bottom, left:right], patch)

    def _draw_repeated(
        self, canvas: np.ndarray, matrix: np.ndarray, repeat: tuple[float, float, float, float], haze_colour: np.ndarray
    ) -> None:
        height, width = canvas.shape[:2]
        back = np.linalg.inv(matrix).astype(np.float32)  # image pixel → (column, row, 1) of the texture / depth
        x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        u, v, w = (np.add.outer(b * y + c, a * x) for a, b, c in back)
        inside = w > 1e-6
        left, top, right, bottom = np.multiply(repeat, np.tile(self.texture.shape[1::-1], 2)) - np.float32(0.5)
        for low, place, high in ((left, u, right), (top, v, bottom)):
            if np.isfinite(low):
                inside &= place >= np.float32(low) * w
            if np.isfinite(high):
                inside &= place <= np.float32(high) * w
        rows = np.flatnonzero(inside.any(axis=1))
        if not len(rows):
            return
        first, last = int(rows[0]), int(rows[-1]) + 1
        shift = np.array([[1, 0, 0], [0, 1, -first], [0, 0, 1]])
        # OpenCV's 16-bit coordinates are inexact for large values, far away, which is not visible
        patch = cv2.warpPerspective(self.texture, shift @ matrix, (width, last - first), borderMode=cv2.BORDER_REFLECT)
        if np.isfinite(self.haze):
            clear = np.minimum(w[first:last] * np.float32(self.haze), 1)[..., None]
            patch = (haze_colour + clear * (patch - haze_colour)).astype(np.uint8)
        cv2.copyTo(patch, inside[first:last].view(np.uint8), canvas[first:last])


def paint_over(canvas: np.ndarray, patch: np.ndarray) -> None:
    """Blend a premultiplied picture (h, w, 4) over a canvas (h, w, 3), both uint8, in place."""
    remains = 255 - patch[..., 3:].astype(np.uint16)
    canvas[:] = patch[..., :3] + (canvas * remains + 127) // 255


@dataclass(frozen=True, eq=False)
class Scene:
    """A place: ``sky`` (2, 3) colours at the horizon and at the zenith; ``floor``; ``panels`` on and behind it."""

    sky: np.ndarray
    floor: Panel
    panels: tuple[Panel, ...]

    def draw(self, camera: Camera, casters: Iterable[tuple[np.ndarray, np.ndarray]], sun: tuple) -> np.ndarray:
        """Draw what the camera sees: (H, W, 3) uint8. ``casters``: vertices (V, 3) and faces (F, 3) of the people."""
        canvas = self._draw_sky(camera)
        horizon = self.sky[0].astype(np.float32)
        if camera.position[1] > _FLOOR_SEEN:
            self.floor.draw(canvas, camera, horizon)
            shadow = np.zeros(canvas.shape[:2], np.float32)
            for vertices, faces in casters:
                np.maximum(shadow, shadow_on_floor(camera, vertices, faces, sun), out=shadow)
            rows = np.flatnonzero(shadow.max(axis=1) > 1 / 256)
            if len(rows):
                part = slice(rows[0], rows[-1] + 1)
                dark = (1 - _SHADOW * shadow[part]) ** np.float32(1 / 2.2)
                canvas[part] = canvas[part] * dark[..., None]
        eye = camera.position
        for panel in sorted(self.panels, key=lambda p: -_distance(p, eye)):
            panel.draw(canvas, camera, horizon)
        return canvas

    def _draw_sky(self, camera: Camera) -> np.ndarray:
        horizon, zenith = (tuple(map(float, colour)) for colour in self.sky)
        return _sky(horizon, zenith, replace(camera, target=(0.0, 0.0, 0.0))).copy()  # the sky is infinitely far away


@lru_cache(maxsize=2)
def _sky(horizon: tuple[float, ...], zenith: tuple[float, ...], camera: Camera) -> np.ndarray:
    """(H, W, 3) uint8."""
    right = np.arange(camera.width) - (camera.width - 1) / 2
    down = np.arange(camera.height) - (camera.height - 1) / 2
    up = camera.rotation[:, 1]  # the world's up axis in camera coordinates
    height = np.add.outer(up[1] * down + up[2] * camera.focal, up[0] * right) / camera.focal  # tangent of the elevation
    share = np.clip(1.5 * height, 0, 1)[..., None]
    return (np.array(horizon) + share * np.subtract(zenith, horizon)).astype(np.uint8)


def _distance(panel: Panel, eye: np.ndarray) -> float:
    """Return the distance of a panel; repeated panels are walls, with everything else in front of them."""
    if panel.repeat is not None:
        return np.inf
    middle = panel.corner + (panel.across + panel.down) / 2 - eye
    return float(np.linalg.norm(middle[[0, 2]]))


def random_scene(place: str, camera: Camera, people: np.ndarray, rng: np.random.Generator) -> Scene:
    """Draw a place for people (..., 3) seen by this camera: ``room``, ``outdoors`` or ``abstract``."""
    away = camera.rotation[2] * [1, 0, 1]
    away /= np.linalg.norm(away)
    right = np.cross(away, _UP)  # to the image's right
    stand = np.asarray(camera.target) * [1, 0, 1]
    behind = float(((people - stand) @ away).max()) + 0.8  # nothing is closer than this
    frame = _Frame(stand, right, away, behind, float(camera.position[1]), rng)
    return {"room": _room, "outdoors": _outdoors, "abstract": _abstract}[place](frame)


@dataclass(frozen=True, eq=False)
class _Frame:
    """Coordinates of a place: ``x`` metres to the right of the people as seen by the camera, ``z`` metres behind them.

    ``behind`` is the distance beyond which no person comes, ``eye`` the camera's height; below the floor it sees walls
    that continue.
    """

    origin: np.ndarray
    right: np.ndarray
    away: np.ndarray
    behind: float
    eye: float
    rng: np.random.Generator

    def at(self, x: float, y: float, z: float) -> np.ndarray:
        return self.origin + x * self.right + y * _UP + z * self.away

    def floor(self, texture: np.ndarray, scale: float, haze: float = np.inf) -> Panel:
        """Create an endless floor; ``scale`` metres per texture."""
        turn = self.rng.uniform(0, 2 * np.pi)
        u = scale * (np.cos(turn) * self.right + np.sin(turn) * self.away)
        v = scale * (np.cos(turn) * self.away - np.sin(turn) * self.right)
        return Panel(
            self.origin - u + v, 2 * u, -2 * v, textures.mirrored(texture), (-np.inf, -np.inf, np.inf, np.inf), haze
        )

    def wall(self, texture: np.ndarray, z: float, turn: float, scale: float) -> Panel:
        """Create an endless wall ``z`` behind the people, rotated out of the image plane by ``turn`` radians."""
        along = np.cos(turn) * self.right + np.sin(turn) * self.away
        repeat = (-np.inf, -np.inf, np.inf, 1.0 if self.eye > _FLOOR_SEEN else np.inf)
        corner = self.at(0, 2 * scale, z) - scale * along
        return Panel(corner, 2 * scale * along, -2 * scale * _UP, textures.mirrored(texture), repeat)

    def upright(self, texture: np.ndarray, x: float, z: float, width: float, height: float, y: float = 0.0) -> Panel:
        """Create a picture that faces the camera, with its lower edge ``y`` above the floor."""
        return Panel(self.at(x - width / 2, y + height, z), width * self.right, -height * _UP, texture)

    def box(self, x: float, z: float, size: np.ndarray) -> list[Panel]:
        """Create the three visible faces of a box; ``size`` (3,) is width, height and depth."""
        rng = self.rng
        turn = rng.uniform(-0.7, 0.7)
        u = size[0] * (np.cos(turn) * self.right + np.sin(turn) * self.away)
        w = size[2] * (np.cos(turn) * self.away - np.sin(turn) * self.right)
        base, top = textures.mottled(rng, 48, contrast=0.03), size[1] * _UP
        if rng.random() < 0.4:
            base = textures.collage(rng, 64)
        near = self.at(x, 0, z)
        shaded = [textures.opaque((base * shade).astype(np.uint8)) for shade in (0.85, rng.uniform(0.4, 0.75), 1.0)]
        side = Panel(near + u + top, w, -top, shaded[1]) if turn < 0 else Panel(near + w + top, -w, -top, shaded[1])
        return [side, Panel(near + w + top, u, -w, shaded[2]), Panel(near + top, u, -top, shaded[0])]


def _clutter(frame: _Frame, low: float, high: float, count: int) -> list[Panel]:
    """Draw boxes, poles and plants between ``low`` and ``high`` metres behind the people."""
    rng, out = frame.rng, []
    for _ in range(count):
        x, z, kind = rng.uniform(-3.5, 3.5), rng.uniform(low, high), rng.integers(4)
        if kind <= 1:
            out += frame.box(x, z, rng.uniform([0.3, 0.3, 0.3], [1.4, 1.5, 0.6]))
        elif kind == 2:
            width = rng.uniform(0.05, 0.3)
            texture = textures.opaque(textures.rounded(textures.mottled(rng, 24, contrast=0.05)))
            out.append(frame.upright(texture, x, z, width, rng.uniform(1.5, 5)))
        else:
            side = rng.uniform(0.7, 2.0)
            out.append(frame.upright(textures.foliage(rng, 96), x, z, side, side))
    return out


def _room(frame: _Frame) -> Scene:
    rng = frame.rng
    far = frame.behind + rng.uniform(0.3, 2.5)
    turn = rng.uniform(-0.4, 0.4)
    plain = textures.mottled(rng, _SIZE, textures.colour(rng, vivid=0.2), contrast=rng.uniform(0.01, 0.06))
    wall = [plain, textures.bricks(rng, _SIZE), textures.stripes(rng, _SIZE)][rng.choice([0, 0, 0, 1, 2])]
    boards = textures.bricks(rng, _SIZE, textures.colour(rng, 40, 200, 0.2))
    carpet = textures.mottled(rng, _SIZE, textures.colour(rng, vivid=0.2), contrast=rng.uniform(0.02, 0.1))
    floor = boards if rng.random() < 0.6 else carpet
    panels = [frame.wall(wall, far, turn, rng.uniform(2, 5))]
    along = np.cos(turn) * frame.right + np.sin(turn) * frame.away
    for _ in range(int(rng.integers(0, 5))):  # posters, pictures, windows, doors
        texture = [textures.collage, textures.mottled, textures.cells, textures.windows][rng.integers(4)](rng, 96)
        width, height = rng.uniform(0.4, 1.6), rng.uniform(0.4, 1.6)
        cv2.rectangle(texture, (0, 0), (95, 95), tuple(float(c) for c in textures.colour(rng)), int(rng.integers(1, 8)))
        corner = frame.at(0, rng.uniform(height, 2.6), far - 0.02) + rng.uniform(-3.5, 3.0) * along
        panels.append(Panel(corner, width * along, -height * _UP, textures.opaque(texture)))
    panels += _clutter(frame, frame.behind, far, int(rng.integers(0, 5)))
    ceiling = textures.colour(rng, 150, 250, 0.1)
    return Scene(np.stack([ceiling, ceiling]), frame.floor(floor, rng.uniform(1.5, 4)), tuple(panels))


def _outdoors(frame: _Frame) -> Scene:
    rng = frame.rng
    horizon = np.clip(rng.uniform(150, 245) * np.array([1, 1, rng.uniform(0.9, 1.1)]), 0, 250)
    zenith = np.clip(horizon * [rng.uniform(0.35, 1), rng.uniform(0.55, 1), rng.uniform(0.8, 1.05)], 0, 250)
    grounds = [(95, 120, 60), (120, 120, 118), (190, 170, 130), (130, 105, 80), (225, 228, 232)]
    base = np.array(grounds[rng.integers(len(grounds))]) * rng.uniform(0.6, 1.1) * rng.uniform(0.9, 1.1, 3)
    floor = textures.mottled(rng, _SIZE, base, contrast=rng.uniform(0.04, 0.14))
    if rng.random() < 0.25:
        floor = textures.bricks(rng, _SIZE, base)
    panels = []
    for _ in range(int(rng.integers(2, 9))):  # houses
        width, height, z = rng.uniform(6, 20), rng.uniform(3, 16), rng.uniform(15, 50)
        front = textures.opaque(textures.windows(rng, 96))
        panels.append(frame.upright(front, rng.uniform(-0.7, 0.7) * z, z, width, height))
    for _ in range(int(rng.integers(2, 14))):  # trees
        side, z = rng.uniform(2, 7), frame.behind + rng.gamma(2, 6)
        panels.append(frame.upright(textures.foliage(rng, 96), rng.uniform(-0.8, 0.8) * (z + 5), z, side, side))
    panels += _clutter(frame, frame.behind, frame.behind + 5, int(rng.integers(0, 4)))
    if rng.random() < 0.3:  # a fence or a hedge
        z, high = frame.behind + rng.uniform(0.5, 8), rng.uniform(0.5, 1.8)
        texture = textures.opaque([textures.stripes, textures.mottled, textures.bricks][rng.integers(3)](rng, 128))
        for x in np.arange(-12, 12, 3.0):
            panels.append(frame.upright(texture, x, z, 3.02, high))
    return Scene(np.stack([horizon, zenith]), frame.floor(floor, rng.uniform(2, 6), haze=20.0), tuple(panels))


def _abstract(frame: _Frame) -> Scene:
    """Draw an abstract background: the model must not rely on what is behind the people."""
    rng = frame.rng
    kinds = [textures.collage, textures.cells, textures.stripes, textures.mottled, textures.bricks]
    wall, floor = (kinds[rng.choice(len(kinds), p=[0.4, 0.2, 0.15, 0.15, 0.1])](rng, _SIZE) for _ in range(2))
    far = frame.behind + rng.uniform(0.2, 2)
    panels = [frame.wall(wall, far, rng.uniform(-0.4, 0.4), rng.uniform(1.5, 4))]
    panels += _clutter(frame, frame.behind, far, int(rng.integers(0, 6)))
    sky = np.stack([textures.colour(rng), textures.colour(rng)])
    return Scene(sky, frame.floor(floor, rng.uniform(1.5, 4)), tuple(panels))
