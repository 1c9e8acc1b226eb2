"""Rendered people: clips of a moving person whose joints are known exactly, for training, tests and the shipped sample.

    clip = render_clip(RenderConfig(seed=3, motion="walk"))
    clip.frames   # (T, H, W, 3) uint8
    clip.joints   # (T, 13, 2) pixel indices, order of the "penn_action" skeleton

Everything is drawn from the seed: body, clothes, light, camera, movement. The body is a figure of our own, or Anny's,
which needs the optional extra ``render``. The joints are not a network's guess: they are the body model's own key
points, moved with the body and projected.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dkd.datasets.rendering.body import Body, anny_body
from dkd.datasets.rendering.bvh import load_bvh
from dkd.datasets.rendering.clothes import dressed
from dkd.datasets.rendering.figure import figure_body
from dkd.datasets.rendering.generators import GENERATORS, make_motion
from dkd.datasets.rendering.motion import SEGMENTS, Motion
from dkd.datasets.rendering.rasterizer import Camera, rasterize, vertex_normals
from dkd.datasets.rendering.room import Room, draw_room, draw_shadow, wide_enough
from dkd.errors import ConfigError, nearest_name
from dkd.skeleton import convert_joints, get_skeleton

SKELETON = "penn_action"
BODIES = ("figure", "anny")
# How deep a joint lies under its own skin, at most, and a few centimetres more; in leg lengths. What is in front of the
# joint by more than this is another part of the body.
_COVER = {"head": 0.24, "shoulder": 0.19, "elbow": 0.12, "wrist": 0.10, "hip": 0.24, "knee": 0.14, "ankle": 0.12}


@dataclass(frozen=True)
class Light:
    """A sun and a sky.

    Attributes:
        direction: (3,) unit vector towards the sun, world axes; its y must be above 0.
        sun, sky, ground: brightness of the sun, and of the light from above and from below.
    """

    direction: tuple[float, float, float]
    sun: float
    sky: float
    ground: float

    def __post_init__(self) -> None:
        if self.direction[1] <= 0:
            raise ConfigError(f"expected a sun above the horizon (direction y > 0), got direction {self.direction}")


@dataclass(frozen=True)
class RenderConfig:
    """What to render. All that is ``None`` is drawn from the seed.

    Attributes:
        seed: of body, clothes, light, and what is None below.
        n_frames, fps: length and frame rate of the clip.
        width, height: of the frames, pixels.
        motion: the name of one of :data:`~dkd.datasets.rendering.generators.GENERATORS`, the path of a ``.bvh`` file,
            or a Motion, which must have ``n_frames`` frames.
        camera: a fixed camera; None is one that follows the person, from any side.
        light: sun and sky.
        supersample: rays a pixel's side; 2 smooths edges, 1 is four times faster.
        body: ``"figure"``, our own and always there, or ``"anny"``, which needs the extra ``render``.
    """

    seed: int = 0
    n_frames: int = 24
    fps: float = 15.0
    width: int = 320
    height: int = 320
    motion: str | Path | Motion | None = None
    camera: Camera | None = None
    light: Light | None = None
    supersample: int = 2
    body: str = "figure"

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


class PersonLayer(NamedTuple):
    """A person without surroundings.

    Attributes:
        rgba: (T, H, W, 4) uint8; colours are not premultiplied, alpha 0 outside the person.
        joints: (T, 13, 2) float32 pixel indices; may lie outside the image.
        visible: (T, 13) bool; False behind another part of the body, or outside the image.
    """

    rgba: np.ndarray
    joints: np.ndarray
    visible: np.ndarray


class RenderedClip(NamedTuple):
    """A rendered clip: :class:`PersonLayer`, and the person in a room.

    Attributes:
        frames: (T, H, W, 3) uint8.
        rgba, joints, visible: as in :class:`PersonLayer`.
        fps: frames a second.
        view: the side of the person that is seen in the middle of the clip: ``front``, ``back``, ``left`` or ``right``.
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
        body: a dressed body to use instead of one drawn from the seed.

    Raises:
        MissingExtraError: Anny's body is asked for and the extra ``render`` is not installed.
        ConfigError: unknown motion.
        DatasetError: the BVH file cannot be used.
    """
    rngs = np.random.default_rng(config.seed).spawn(5)
    if body is None:
        body = random_body(rngs[0], config.body)
    motion = _choose_motion(config, rngs[1])
    vertices = posed_vertices(body, motion)
    light = config.light or random_light(rngs[2])
    cameras = [config.camera] * len(vertices) if config.camera else following_cameras(vertices, config, rngs[3])
    layer = render_person(body, vertices, cameras, light, config.supersample)
    room = wide_enough(Room.random(rngs[4]), cameras[0], vertices)
    frames = np.empty((*layer.rgba.shape[:3], 3), np.uint8)
    plate, plate_of = None, None
    for t, camera in enumerate(cameras):
        if plate is None or camera != plate_of:
            plate, plate_of = draw_room(room, camera), camera
        ground = draw_shadow(plate, camera, vertices[t], body.faces, light.direction)
        alpha = layer.rgba[t, ..., 3:] / 255
        frames[t] = np.rint(alpha * layer.rgba[t, ..., :3] + (1 - alpha) * ground)
    return RenderedClip(frames, layer.rgba, layer.joints, layer.visible, config.fps, seen_side(motion, cameras))


def seen_side(motion: Motion, cameras: list[Camera]) -> str:
    """``front``, ``left`` (the person's left), ``back`` or ``right``: what is seen in the middle of the clip."""
    middle = len(motion) // 2
    forward = motion.rotations[middle, SEGMENTS.index("pelvis")] @ [0.0, 0.0, 1.0]
    turned = cameras[middle].azimuth_deg - np.rad2deg(np.arctan2(forward[0], forward[2]))
    return ("front", "left", "back", "right")[int(np.rint(turned / 90)) % 4]


def random_body(rng: np.random.Generator, kind: str = "figure") -> Body:
    """A dressed adult of any build; ``kind`` is one of :data:`BODIES`.

    Raises:
        ConfigError: unknown kind.
        MissingExtraError: Anny's body is asked for and the extra ``render`` is not installed.
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
    """A sun from any side and height, hard or soft."""
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
    """(T, V, 3) float32 vertices in the world, standing on the floor y = 0; metres."""
    out = np.stack([body.posed(r, p) for r, p in zip(motion.rotations, motion.root, strict=True)]).astype(np.float32)
    lowest = out[..., 1].min(axis=1)
    out[..., 1] -= (lowest if motion.grounded else np.full_like(lowest, lowest.min()))[:, None]
    return out


def following_cameras(vertices: np.ndarray, config: RenderConfig, rng: np.random.Generator) -> list[Camera]:
    """A camera per frame that goes along with the person and keeps all of the person (T, V, 3) in the picture."""
    centre = (vertices.min(axis=1) + vertices.max(axis=1)) / 2  # (T, 3)
    half_width = max(int(rng.uniform(0.1, 1.0) * config.fps), 1)  # a camera man reacts quickly or slowly
    kernel = np.hanning(2 * half_width + 3)[1:-1]
    padded = np.pad(centre, ((half_width, half_width), (0, 0)), mode="edge")
    path = np.stack([np.convolve(padded[:, k], kernel / kernel.sum(), mode="valid") for k in range(3)], axis=1)
    view = Camera(
        target=(0.0, 0.0, 0.0),
        azimuth_deg=float(rng.uniform(0, 360)),
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


def render_person(
    body: Body, vertices: np.ndarray, cameras: list[Camera], light: Light, supersample: int = 2
) -> PersonLayer:
    """Render posed vertices (T, V, 3) of a body, one camera a frame."""
    layers = [_render_frame(body, v, c, light, supersample) for v, c in zip(vertices, cameras, strict=True)]
    return PersonLayer(*(np.stack(parts) for parts in zip(*layers, strict=True)))


def _render_frame(
    body: Body, vertices: np.ndarray, camera: Camera, light: Light, supersample: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One frame: rgba (H, W, 4), joints (13, 2), visible (13,)."""
    fine = camera.scaled(supersample)
    xy, depth = fine.project(vertices)
    raster = rasterize(xy, depth, body.faces, fine.width, fine.height)
    corners = body.faces[raster.faces]  # (P, 3)

    normals = vertex_normals(vertices, body.faces).astype(np.float32)
    normal = np.einsum("pc,pcd->pd", raster.weights, normals[corners])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    albedo = np.einsum("pc,pcd->pd", raster.weights, body.colours[corners])
    upward = 0.5 + 0.5 * normal[:, 1]
    brightness = light.ground + (light.sky - light.ground) * upward
    brightness += light.sun * np.maximum(normal @ np.asarray(light.direction, np.float32), 0)
    image = np.zeros((fine.height * fine.width, 4), np.float32)
    image[raster.pixels, :3] = albedo * brightness[:, None]
    image[raster.pixels, 3] = 1
    # the mean of the covered rays' light, then the display's gamma
    image = image.reshape(camera.height, supersample, camera.width, supersample, 4).mean(axis=(1, 3))
    alpha = image[..., 3:]
    colour = np.clip(image[..., :3] / np.maximum(alpha, 1e-6), 0, 1) ** (1 / 2.2)
    rgba = np.rint(255 * np.concatenate([colour, alpha], axis=-1)).astype(np.uint8)

    points = convert_joints(body.joints(vertices), "coco", SKELETON)  # the same means hold in space
    joints, joint_depth = camera.project(points.astype(np.float64))
    front = np.full(fine.height * fine.width, np.inf, np.float32)
    front[raster.pixels] = raster.depth
    column, row = np.rint((joints + 0.5) * supersample - 0.5).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < fine.width) & (row < fine.height)
    in_front = front[np.clip(row, 0, fine.height - 1) * fine.width + np.clip(column, 0, fine.width - 1)]
    cover = body.leg_length * np.array([_COVER[name.split("_")[-1]] for name in get_skeleton(SKELETON).joints])
    visible = inside & (joint_depth > 0) & (joint_depth - in_front < cover)
    return rgba, joints.astype(np.float32), visible


def person_box(joints: np.ndarray, rgba: np.ndarray) -> np.ndarray:
    """The tight box of a frame's joints (13, 2) and of the person's pixels in ``rgba`` (H, W, 4).

    Returns:
        (4,) float32: x0, y0, x1, y1, pixel indices.
    """
    rows, columns = np.nonzero(rgba[..., 3])
    x, y = np.append(columns, joints[:, 0]), np.append(rows, joints[:, 1])
    return np.array([x.min(), y.min(), x.max(), y.max()], np.float32)
