"""Rendered people: clips of a moving person with exactly known joints, for training, tests and the shipped sample.

    clip = render_clip(RenderConfig(seed=3, motion="walk"))
    clip.frames   # (T, H, W, 3) uint8
    clip.joints   # (T, 13, 2) pixel indices, order of the "penn_action" skeleton

Everything is drawn from the seed: body, clothes, light, camera, motion. The body is our own figure, or Anny's, which
needs the optional extra ``render``. The joints are not predictions of a network but the body model's own key points,
moved with the body and projected.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dkd.datasets.rendering.body import Body, anny_body
from dkd.datasets.rendering.bvh import load_bvh
from dkd.datasets.rendering.clothes import dressed
from dkd.datasets.rendering.figure import figure_body
from dkd.datasets.rendering.foreground import Flaws, covered, random_occluder
from dkd.datasets.rendering.generators import GENERATORS, gait, make_motion
from dkd.datasets.rendering.motion import SEGMENTS, Motion
from dkd.datasets.rendering.person import Light, PersonLayer, render_person
from dkd.datasets.rendering.rasterizer import Camera
from dkd.datasets.rendering.room import Room, draw_room, draw_shadow, wide_enough
from dkd.datasets.rendering.scene import paint_over, random_scene
from dkd.errors import ConfigError, nearest_name
from dkd.io.config import STRICT

BODIES = ("figure", "anny")
PLACES = ("plain", "room", "outdoors", "abstract")


@dataclass(frozen=True)
class Surroundings:
    """Place of the person and possible occlusions; each probability is drawn once per clip.

    Attributes:
        places: any of :data:`PLACES`, drawn uniformly. ``"plain"`` is an empty room, ray-traced: slow and exact.
        occluder: probability that a pole, a box or a plant passes in front.
        passer_by: probability that a second person walks by, mostly behind.
        motion_blur: probability that fast motion is blurred.
        flaws: probability that the camera has a colour cast, is out of focus, and is noisy.
    """

    __pydantic_config__ = STRICT

    places: tuple[str, ...] = ("plain",)
    occluder: float = 0.0
    passer_by: float = 0.0
    motion_blur: float = 0.0
    flaws: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", tuple(self.places))
        for place in self.places:
            if place not in PLACES:
                raise ConfigError(f"unknown place {place!r}{nearest_name(place, PLACES)} Known: {', '.join(PLACES)}.")
        for name in ("occluder", "passer_by", "motion_blur", "flaws"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"expected the probability {name} within 0..1, got {getattr(self, name)}")
        if not self.places:
            raise ConfigError(f"expected at least one place, got none. Known: {', '.join(PLACES)}.")


VARIED = Surroundings(("room", "outdoors", "abstract"), occluder=0.3, passer_by=0.2, motion_blur=0.6, flaws=0.8)
# Realistic places with few occlusions: a small network learns this from random weights within minutes.
EVERYDAY = Surroundings(("room", "outdoors"), occluder=0.1, passer_by=0.1, motion_blur=0.3, flaws=0.4)


@dataclass(frozen=True)
class RenderConfig:
    """Settings of a rendered clip. Everything that is ``None`` is drawn from the seed.

    Attributes:
        seed: seed of body, clothes, light, and everything that is ``None`` below.
        n_frames, fps: length and frame rate of the clip.
        width, height: size of the frames in pixels.
        motion: name of one of :data:`~dkd.datasets.rendering.generators.GENERATORS`, the path of a ``.bvh`` file, or a
            Motion, which must have ``n_frames`` frames.
        camera: a fixed camera; ``None`` is one that follows the person.
        azimuths: lowest and highest angle of a following camera around the person, in degrees: 0 is in front at the
            beginning of the clip, 90 at the person's left; people turn while they move.
        light: sun and sky.
        supersample: rays per pixel side; 2 smooths edges, 1 is four times faster.
        body: ``"figure"``, our own, which is always available, or ``"anny"``, which needs the extra ``render``.
        surroundings: place and occlusions; :data:`VARIED` is meant for training.
    """

    seed: int = 0
    n_frames: int = 24
    fps: float = 15.0
    width: int = 320
    height: int = 320
    motion: str | Path | Motion | None = None
    camera: Camera | None = None
    azimuths: tuple[float, float] = (0.0, 360.0)
    light: Light | None = None
    supersample: int = 2
    body: str = "figure"
    surroundings: Surroundings = Surroundings()

    def __post_init__(self) -> None:
        if self.n_frames < 1 or not self.fps > 0 or min(self.width, self.height, self.supersample) < 1:
            raise ConfigError(
                "expected n_frames, width, height and supersample of at least 1 and fps above 0, got "
                f"{self.n_frames}, {self.width}×{self.height}, {self.supersample}, {self.fps}"
            )
        _check_body(self.body)
        if self.camera is not None and (self.camera.width, self.camera.height) != (self.width, self.height):
            raise ConfigError(
                f"expected a camera of {self.width}×{self.height}, got {self.camera.width}×{self.camera.height}"
            )


class RenderedClip(NamedTuple):
    """A rendered clip: :class:`PersonLayer`, and the person in a room.

    Attributes:
        frames: (T, H, W, 3) uint8.
        rgba, joints, visible: as in :class:`~dkd.datasets.rendering.person.PersonLayer`.
        fps: frames per second.
        view: side of the person seen in the middle of the clip: ``front``, ``back``, ``left`` or ``right``.
    """

    frames: np.ndarray
    rgba: np.ndarray
    joints: np.ndarray
    visible: np.ndarray
    fps: float
    view: str


def render_clip(config: RenderConfig, body: Body | None = None) -> RenderedClip:
    """Render a clip; the same config gives the same clip.

    Args:
        config: what to render.
        body: a dressed body, used instead of one drawn from the seed.

    Raises:
        MissingExtraError: Anny's body is requested, but the extra ``render`` is not installed.
        ConfigError: the motion is unknown.
        DatasetError: the BVH file cannot be used.
    """
    rngs = np.random.default_rng(config.seed).spawn(8)
    around = config.surroundings
    if body is None:
        body = random_body(rngs[0], config.body)
    motion = _choose_motion(config, rngs[1])
    vertices = posed_vertices(body, motion)
    light = config.light or random_light(rngs[2])
    cameras = [config.camera] * len(vertices) if config.camera else following_cameras(vertices, config, rngs[3])
    shutter = float(rngs[5].uniform(0.2, 0.9)) if rngs[5].random() < around.motion_blur else 0.0
    layer = render_person(body, vertices, cameras, light, config.supersample, shutter)
    people = [_Person(body, vertices, layer)]
    in_front = False
    if rngs[6].random() < around.passer_by:
        in_front = bool(rngs[6].random() < 0.15)
        people.append(_passer_by(config, vertices, cameras, light, in_front, rngs[6], shutter))
    occluder = None
    if rngs[7].random() < around.occluder:
        occluder = random_occluder(layer.joints, config.width, config.height, config.fps, rngs[7])
    flaws = Flaws(config.width, config.height, rngs[7]) if rngs[7].random() < around.flaws else None

    frames = np.empty((*layer.rgba.shape[:3], 3), np.uint8)
    visible = layer.visible.copy()
    for t, background in enumerate(_backgrounds(around.places, people, cameras, light, rngs[4])):
        canvas = background
        for person in people if in_front else people[::-1]:
            canvas = _over(canvas, person.layer.rgba[t])
        frame = np.rint(canvas).astype(np.uint8)
        if in_front:
            visible[t] &= ~covered(people[1].layer.rgba[t, ..., 3], layer.joints[t])
        if occluder:
            patch = occluder.layer(t, config.width, config.height)
            visible[t] &= ~covered(patch[..., 3], layer.joints[t])
            paint_over(frame, patch)
        frames[t] = flaws.apply(frame) if flaws else frame
    return RenderedClip(frames, layer.rgba, layer.joints, visible, config.fps, seen_side(motion, cameras))


class _Person(NamedTuple):
    body: Body
    vertices: np.ndarray  # (T, V, 3)
    layer: PersonLayer


def _backgrounds(
    places: tuple[str, ...], people: list[_Person], cameras: list[Camera], light: Light, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield the surroundings of each frame (H, W, 3), with all shadows."""
    place = places[rng.integers(len(places))] if len(places) > 1 else places[0]
    everybody = np.concatenate([person.vertices.reshape(-1, 3) for person in people])
    if place != "plain":
        scene = random_scene(place, cameras[len(cameras) // 2], everybody, rng)
        for t, camera in enumerate(cameras):
            yield scene.draw(camera, [(p.vertices[t], p.body.faces) for p in people], light.direction)
        return
    room = wide_enough(Room.random(rng), cameras[0], everybody)
    plate, plate_of = draw_room(room, cameras[0]), cameras[0]
    for t, camera in enumerate(cameras):
        if camera != plate_of:
            plate, plate_of = draw_room(room, camera), camera
        ground = plate
        for person in people:
            shaded = draw_shadow(ground, camera, person.vertices[t], person.body.faces, light.direction)
            ground = np.concatenate([shaded, plate[..., 3:]], axis=-1)
        yield ground[..., :3]


def _over(canvas: np.ndarray, rgba: np.ndarray) -> np.ndarray:
    """Blend a layer (H, W, 4) over a canvas (H, W, 3); return (H, W, 3) float32."""
    out = canvas.astype(np.float32)
    rows, columns = (np.flatnonzero(rgba[..., 3].any(axis=k)) for k in (1, 0))
    if len(rows):
        part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        alpha = rgba[part][..., 3:] * np.float32(1 / 255)
        out[part] += alpha * (rgba[part][..., :3] - out[part])
    return out


def _passer_by(
    config: RenderConfig,
    vertices: np.ndarray,
    cameras: list[Camera],
    light: Light,
    in_front: bool,
    rng: np.random.Generator,
    shutter: float,
) -> _Person:
    """Create a person who walks across the picture, behind or in front of the person (T, V, 3)."""
    body = random_body(rng, config.body)
    when = int(rng.integers(len(cameras)))  # the frame in which they are side by side
    away = cameras[when].rotation[2] * [1, 0, 1]
    away /= np.linalg.norm(away)
    heading = np.arctan2(away[0], away[2]) + rng.choice([-1, 1]) * np.pi / 2 + rng.uniform(-0.5, 0.5)
    walk = gait(config.n_frames, config.fps, rng, heading=float(heading))
    path = posed_vertices(body, walk)
    depth = vertices[when] @ away
    if in_front:
        eye = float(cameras[when].position @ away)
        target = max(float(depth.min()) - rng.uniform(0.5, 1.2), eye + 1.5)
    else:
        target = float(depth.max()) + rng.uniform(0.4, 3.0)
    aside = np.cross(away, [0.0, 1.0, 0.0])
    centre, own = vertices[when].mean(axis=0), path[when].mean(axis=0)
    shift = (target - own @ away) * away + ((centre - own) @ aside + rng.normal(0, 0.7)) * aside
    path = path + shift.astype(np.float32)
    return _Person(body, path, render_person(body, path, cameras, light, config.supersample, shutter))


def seen_side(motion: Motion, cameras: list[Camera]) -> str:
    """Return the side seen in the middle of the clip: ``front``, ``left`` (the person's), ``back`` or ``right``."""
    middle = len(motion) // 2
    forward = motion.rotations[middle, SEGMENTS.index("pelvis")] @ [0.0, 0.0, 1.0]
    turned = cameras[middle].azimuth_deg - np.rad2deg(np.arctan2(forward[0], forward[2]))
    return ("front", "left", "back", "right")[int(np.rint(turned / 90)) % 4]


def random_body(rng: np.random.Generator, kind: str = "figure") -> Body:
    """Draw a dressed adult of any build; ``kind`` is one of :data:`BODIES`.

    Raises:
        ConfigError: the kind is unknown.
        MissingExtraError: Anny's body is requested, but the extra ``render`` is not installed.
    """
    _check_body(kind)
    if kind == "figure":
        return dressed(figure_body(rng), rng)
    shape = {
        "gender": float(rng.beta(0.5, 0.5)),
        "age": float(rng.uniform(0.6, 1)),
        "muscle": float(rng.uniform(0.2, 0.9)),
        "weight": float(rng.beta(2, 2)),
        "height": float(rng.uniform(0.2, 0.85)),
        "proportions": float(rng.uniform(0.2, 1)),
    }
    return dressed(anny_body(**shape), rng)


def _check_body(kind: str) -> None:
    if kind not in BODIES:
        raise ConfigError(f"unknown body {kind!r}{nearest_name(kind, BODIES)} Known: {', '.join(BODIES)}.")


def random_light(rng: np.random.Generator) -> Light:
    """Draw a light: a sun from any direction and height, hard or soft."""
    azimuth, elevation = rng.uniform(0, 2 * np.pi), np.deg2rad(rng.uniform(20, 80))
    direction = (
        float(np.cos(elevation) * np.sin(azimuth)),
        float(np.sin(elevation)),
        float(np.cos(elevation) * np.cos(azimuth)),
    )
    sun = float(rng.uniform(0.2, 1.3))
    return Light(direction, sun, sky=float(rng.uniform(0.6, 1.0)), ground=float(rng.uniform(0.2, 0.6)))


def _choose_motion(config: RenderConfig, rng: np.random.Generator) -> Motion:
    name = config.motion if config.motion is not None else str(rng.choice(sorted(GENERATORS)))
    if isinstance(name, Motion):
        if len(name) != config.n_frames:
            raise ConfigError(f"expected a motion of {config.n_frames} frames, got {len(name)}; use Motion.resample")
        return name
    if str(name).lower().endswith(".bvh"):
        recorded = load_bvh(name)
        spare = (len(recorded) - 1) / recorded.fps - (config.n_frames - 1) / config.fps
        return recorded.resample(config.fps, config.n_frames, start_s=rng.uniform(0, max(spare, 0)))
    return make_motion(str(name), config.n_frames, config.fps, int(rng.integers(2**31)))


def posed_vertices(body: Body, motion: Motion) -> np.ndarray:
    """Compute world vertices (T, V, 3) float32 in metres, standing on the floor y = 0."""
    out = body.posed(motion.rotations, motion.root)
    lowest = out[..., 1].min(axis=1)
    out[..., 1] -= (lowest if motion.grounded else np.full_like(lowest, lowest.min()))[:, None]
    return out


def following_cameras(vertices: np.ndarray, config: RenderConfig, rng: np.random.Generator) -> list[Camera]:
    """Create one camera per frame that follows the person (T, V, 3) and keeps all of the person in the picture."""
    centre = (vertices.min(axis=1) + vertices.max(axis=1)) / 2  # (T, 3)
    half_width = max(int(rng.uniform(0.1, 1.0) * config.fps), 1)  # the camera operator reacts quickly or slowly
    kernel = np.hanning(2 * half_width + 3)[1:-1]
    padded = np.pad(centre, ((half_width, half_width), (0, 0)), mode="edge")
    path = np.stack([np.convolve(padded[:, k], kernel / kernel.sum(), mode="valid") for k in range(3)], axis=1)
    view = Camera(
        target=(0.0, 0.0, 0.0),
        azimuth_deg=float(rng.uniform(*config.azimuths)),
        elevation_deg=float(np.clip(rng.gamma(1.5, 9) - 12, -15, 40)),
        roll_deg=float(np.clip(rng.normal(0, 5), -15, 15)),
        distance=float(rng.uniform(2.8, 7)),
        focal=1.0,
        width=config.width,
        height=config.height,
    )
    views = [replace(view, target=(x, y, z)) for x, y, z in path.tolist()]
    middle = np.array([config.width - 1, config.height - 1]) / 2
    reach = max(
        float((np.abs(camera.project(v)[0] - middle) / middle).max()) for camera, v in zip(views, vertices, strict=True)
    )
    focal = float(rng.uniform(0.78, 0.97)) / reach
    return [replace(camera, focal=focal) for camera in views]


def person_box(joints: np.ndarray, rgba: np.ndarray) -> np.ndarray:
    """Compute the tight box around a frame's joints (13, 2) and the person's pixels in ``rgba`` (H, W, 4).

    Returns:
        (4,) float32: x0, y0, x1, y1, pixel indices.
    """
    rows, columns = np.nonzero(rgba[..., 3])
    x, y = np.append(columns, joints[:, 0]), np.append(rows, joints[:, 1])
    return np.array([x.min(), y.min(), x.max(), y.max()], np.float32)
