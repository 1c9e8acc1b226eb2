"""Rendered people without the optional body model: camera, rasteriser, figure, places, clips; and the sample."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dkd.datasets.rendered import (
    PLACES,
    VARIED,
    Light,
    RenderConfig,
    RenderedClip,
    Surroundings,
    person_box,
    posed_vertices,
    render_clip,
)
from dkd.datasets.rendering import body as body_module
from dkd.datasets.rendering.body import anny_body
from dkd.datasets.rendering.clothes import dressed
from dkd.datasets.rendering.figure import Proportions, build_figure, figure_body
from dkd.datasets.rendering.foreground import Occluder, covered
from dkd.datasets.rendering.generators import GENERATORS, make_motion
from dkd.datasets.rendering.motion import Motion
from dkd.datasets.rendering.person import _smeared, render_person
from dkd.datasets.rendering.rasterizer import Camera, rasterize, vertex_normals
from dkd.datasets.rendering.room import Room, draw_room, wide_enough
from dkd.datasets.rendering.scene import Panel
from dkd.datasets.rendering.textures import mirrored
from dkd.errors import ConfigError, MissingExtraError
from dkd.pose.skeleton import get_skeleton
from tests.support.box_figure import box_figure, standing

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"
PENN = get_skeleton("penn_action")

# --- camera and rasteriser ------------------------------------------------------------------------------------------


def front_camera(size: int = 128, **changes: float) -> Camera:
    values = {"azimuth_deg": 0.0, "elevation_deg": 0.0, "distance": 4.0, "focal": size * 1.6, **changes}
    return Camera(target=(0.0, 0.9, 0.0), width=size, height=size, **values)


def test_camera_against_closed_form():
    camera = front_camera(101, focal=200.0)
    np.testing.assert_allclose(camera.position, [0, 0.9, 4])
    xy, depth = camera.project(np.array([[0, 0.9, 0], [0.5, 0.9, 0], [0, 1.9, 2]]))
    np.testing.assert_allclose(xy, [[50, 50], [50 + 200 * 0.5 / 4, 50], [50, 50 - 200 * 1 / 2]], atol=1e-9)
    np.testing.assert_allclose(depth, [4, 4, 2])
    left = front_camera(101, azimuth_deg=90.0)  # from the person's left, who then looks to the image's left
    np.testing.assert_allclose(left.position, [4, 0.9, 0], atol=1e-12)
    assert left.project(np.array([0, 0.9, 0.5]))[0][0] < 50
    above = front_camera(101, elevation_deg=30.0)
    np.testing.assert_allclose(above.position, [0, 0.9 + 2, 4 * np.cos(np.pi / 6)], atol=1e-12)
    rolled = front_camera(101, roll_deg=90.0, focal=200.0)  # counter-clockwise: what was at the right is at the top
    np.testing.assert_allclose(rolled.project(np.array([0.5, 0.9, 0]))[0], [50, 50 - 25], atol=1e-9)
    for c in (camera, left, above, rolled):
        np.testing.assert_allclose(c.rotation @ c.rotation.T, np.eye(3), atol=1e-12)


@given(st.integers(2, 4), st.floats(-60, 60), st.floats(-20, 20))
def test_a_finer_camera_sees_the_same_at_finer_pixels(factor, azimuth, roll):
    camera = front_camera(64, azimuth_deg=azimuth, roll_deg=roll)
    point = np.array([0.3, 1.2, -0.4])
    coarse, fine = camera.project(point)[0], camera.scaled(factor).project(point)[0]
    np.testing.assert_allclose((coarse + 0.5) * factor - 0.5, fine, atol=1e-9)


def test_camera_rejects_nonsense():
    with pytest.raises(ConfigError, match="focal and distance above 0"):
        front_camera(focal=0.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_rasterizer_against_explicit_loops(seed, cull):
    rng = np.random.default_rng(seed)
    n, width, height = 5, 13, 11
    xy, depth = rng.uniform(-4, 16, (3 * n, 2)), rng.uniform(0.2, 5, 3 * n)
    depth[0] = 0.01  # a corner in front of the near plane: its triangle is left out
    faces = rng.permutation(3 * n).reshape(n, 3)
    got = rasterize(xy, depth, faces, width, height, cull=cull)

    expected_face = np.full((height, width), -1)
    nearest = np.full((height, width), np.inf)
    for f, corners in enumerate(faces):
        matrix = np.vstack([xy[corners].T, np.ones(3)])
        if 0 in corners or (cull and np.linalg.det(matrix) >= 0):
            continue
        to_weights = np.linalg.inv(matrix)
        for y in range(height):
            for x in range(width):
                w = to_weights @ [x, y, 1]
                z = w @ depth[corners]
                if w.min() >= 0 and z < nearest[y, x]:
                    nearest[y, x], expected_face[y, x] = z, f
    image = np.full(height * width, -1)
    image[got.pixels] = got.faces
    # float32 may decide otherwise exactly on an edge, never inside
    assert (image.reshape(height, width) != expected_face).sum() <= 1
    same = image[got.pixels] == expected_face.ravel()[got.pixels]
    np.testing.assert_allclose(got.depth[same], nearest.ravel()[got.pixels][same], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(got.weights.sum(axis=1), 1, atol=1e-5)


def test_vertex_normals_point_outward():
    body = box_figure()
    normals = vertex_normals(body.vertices, body.faces)
    boxes = body.vertices.reshape(-1, 8, 3)
    outward = boxes - boxes.mean(axis=1, keepdims=True)
    assert ((normals.reshape(-1, 8, 3) * outward).sum(axis=-1) > 0).all()
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)


# --- whole clips, of the box figure ---------------------------------------------------------------------------------


def render_standing(azimuth: float, motion: Motion | None = None) -> RenderedClip:
    camera = front_camera(128, azimuth_deg=azimuth)
    config = RenderConfig(n_frames=1, width=128, height=128, motion=motion or standing(), camera=camera)
    return render_clip(config, body=box_figure())


def test_left_and_right_from_the_front_and_from_behind():
    front, back = render_standing(0), render_standing(180)
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        left, right = PENN.index(f"left_{joint}"), PENN.index(f"right_{joint}")
        assert front.joints[0, left, 0] > front.joints[0, right, 0], "seen from the front, left is at the image's right"
        assert back.joints[0, left, 0] < back.joints[0, right, 0]


def test_config_rejects_what_does_not_fit():
    with pytest.raises(ConfigError, match="n_frames"):
        RenderConfig(n_frames=0)
    with pytest.raises(ConfigError, match="320×320"):
        RenderConfig(camera=front_camera(64))
    with pytest.raises(ConfigError, match=r"use Motion\.resample"):
        render_clip(RenderConfig(n_frames=3, motion=standing(n_frames=2)), body=box_figure())
    with pytest.raises(ConfigError, match="above the horizon"):
        Light((1, 0, 0), 1, 1, 1)


def test_joints_lie_on_the_person_and_hidden_ones_are_marked():
    side_hides = {f"right_{joint}" for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")}
    for azimuth, hidden in ((0, set()), (90, side_hides), (180, set())):
        clip = render_standing(azimuth)
        column, row = np.rint(clip.joints[0]).astype(int).T
        assert (clip.rgba[0, row, column, 3] == 255).all()
        assert {name for name, seen in zip(PENN.joints, clip.visible[0], strict=True) if not seen} == hidden, azimuth
    reaching = render_standing(0, standing(left_shoulder_flex=np.pi / 2 - np.arctan(0.5 / 4)))  # an arm at the camera
    hidden = {name for name, seen in zip(PENN.joints, reaching.visible[0], strict=True) if not seen}
    assert "left_shoulder" in hidden and hidden <= {"left_shoulder", "left_elbow", "left_wrist"}


def test_a_joint_outside_the_image_is_not_visible():
    camera = front_camera(64, focal=400.0)
    config = RenderConfig(n_frames=1, width=64, height=64, motion=standing(), camera=camera)
    clip = render_clip(config, body=box_figure())
    outside = (clip.joints[0] < -0.5).any(axis=1) | (clip.joints[0] > 63.5).any(axis=1)
    assert outside.any() and not outside.all()
    assert not clip.visible[0, outside].any()


def test_the_sun_brightens_the_side_that_it_shines_on():
    motion = standing(pelvis_yaw=np.pi / 4)  # edge-on: one side of the boxes faces left, the other right
    turned = RenderConfig(n_frames=1, width=128, height=128, motion=motion, camera=front_camera(128))
    left, right = (
        render_clip(replace(turned, light=Light((x, 0.5, 0.5), sun=1, sky=0.2, ground=0.2)), body=box_figure()).rgba[0]
        for x in (0.7, -0.7)
    )
    solid = left[..., 3] == 255
    west, east = solid.copy(), solid.copy()
    west[:, 64:], east[:, :64] = False, False
    assert left[..., 0][east].mean() > right[..., 0][east].mean()
    assert left[..., 0][west].mean() < right[..., 0][west].mean()


def test_render_clip_is_repeatable_and_keeps_the_person_in_the_picture():
    body = dressed(box_figure(), np.random.default_rng(0))
    assert len(np.unique(body.colours.round(2), axis=0)) > 4, "skin, hair, shirt, trousers and shoes differ"
    config = RenderConfig(seed=7, n_frames=5, fps=10, width=96, height=80)
    clip, again, other = (render_clip(c, body=body) for c in (config, config, replace(config, seed=8)))
    for name in ("frames", "rgba", "joints", "visible"):
        np.testing.assert_array_equal(getattr(clip, name), getattr(again, name))
    assert (clip.frames != other.frames).mean() > 0.5
    assert clip.frames.shape == (5, 80, 96, 3) and clip.rgba.shape == (5, 80, 96, 4)
    assert clip.frames.dtype == clip.rgba.dtype == np.uint8 and clip.joints.dtype == np.float32
    assert (clip.joints >= 0).all() and (clip.joints <= [95, 79]).all()
    solid = clip.rgba[..., 3] == 255
    np.testing.assert_array_equal(clip.frames[solid], clip.rgba[..., :3][solid])
    assert solid.any(axis=(1, 2)).all()


def test_the_wall_stays_behind_a_person_who_walks_towards_it():
    room = Room.random(np.random.default_rng(0))
    camera = front_camera(64, azimuth_deg=30.0)
    path = np.array([[0, 0, 0], [-3.0, 1.0, -5.0]])
    wide = wide_enough(room, camera, path)
    turn = np.deg2rad(30 + room.wall_turn_deg)
    before_wall = path @ [np.sin(turn), 0, np.cos(turn)] + wide.wall_distance
    assert before_wall.min() == pytest.approx(0.8)
    assert wide_enough(room, camera, path[:1]) == room, "where there is space nothing moves"


def test_floor_and_wall_meet_where_they_should():
    room = replace(Room.random(np.random.default_rng(0)), wall_turn_deg=0.0, wall_distance=2.0)
    camera = front_camera(65)
    floor = draw_room(room, camera)[..., 3]
    edge = camera.project(np.array([0.0, 0.0, -2.0]))[0][1]  # the foot of the wall
    rows = np.arange(65)
    np.testing.assert_array_equal(floor[rows > edge + 1], 1)
    np.testing.assert_array_equal(floor[rows < edge - 1], 0)
    below = replace(camera, elevation_deg=-40.0)
    assert below.position[1] < 0
    assert not draw_room(room, below)[..., 3].any(), "the floor is not seen from underneath"


def test_people_do_not_sink_into_the_floor_and_walkers_touch_it():
    body = box_figure()
    walking = posed_vertices(body, make_motion("walk", 12, 15, 0))[..., 1].min(axis=1)
    np.testing.assert_allclose(walking, 0, atol=1e-6)
    running = posed_vertices(body, make_motion("run", 24, 15, 0))[..., 1].min(axis=1)
    assert running.min() == pytest.approx(0, abs=1e-6) and running.max() > 0.02


def test_person_box_holds_pixels_and_joints():
    rgba = np.zeros((20, 30, 4), np.uint8)
    rgba[5:9, 10:15, 3] = 255
    np.testing.assert_array_equal(person_box(np.array([[12, 6], [17.5, 8]]), rgba), [10, 5, 17.5, 8])


def test_the_figure_needs_no_extra_and_anny_says_how_to_get_it(monkeypatch):
    body_module._anny.cache_clear()
    monkeypatch.setitem(sys.modules, "anny", None)
    with pytest.raises(MissingExtraError, match=r"dkd-workbench\[render\]"):
        render_clip(RenderConfig(n_frames=1, body="anny"))
    assert render_clip(RenderConfig(n_frames=1, width=32, height=32)).rgba.any()


def test_phenotype_is_checked_before_the_model_is_loaded():
    with pytest.raises(ConfigError, match="'gender'"):
        anny_body(gendr=1.0)
    with pytest.raises(ConfigError, match=r"within 0\.\.1"):
        anny_body(age=30)


# --- the figure -----------------------------------------------------------------------------------------------------

COCO = get_skeleton("coco")


def components(faces: np.ndarray) -> np.ndarray:
    """Return the connected component (F,) of each triangle of the mesh."""
    part = np.arange(faces.max() + 1)
    while True:
        lowest = part[faces].min(axis=1)
        smaller = part.copy()
        np.minimum.at(smaller, faces.ravel(), np.repeat(lowest, 3))
        if (smaller == part).all():
            return part[faces[:, 0]]
        part = smaller


@pytest.mark.parametrize("seed", range(3))
def test_the_figure_is_made_of_closed_surfaces_that_face_outward(seed):
    body = figure_body(np.random.default_rng(seed))
    edges = np.concatenate([body.faces[:, [0, 1]], body.faces[:, [1, 2]], body.faces[:, [2, 0]]])
    there, back = ({tuple(e) for e in directed.tolist()} for directed in (edges, edges[:, ::-1]))
    assert len(there) == len(edges) and there == back, "each edge belongs to two triangles, once in either direction"
    a, b, c = (body.vertices[body.faces[:, k]].astype(float) for k in range(3))
    volume = (a * np.cross(b, c)).sum(axis=1) / 6
    part = components(body.faces)
    assert all(volume[part == p].sum() > 0 for p in np.unique(part))
    assert 0.03 < volume.sum() < 0.18, "cubic metres, as people have"
    np.testing.assert_allclose(body.bone_weights.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(body.vertices, figure_body(np.random.default_rng(seed)).vertices)
    assert not np.array_equal(body.vertices, figure_body(np.random.default_rng(seed + 10)).vertices)


def test_the_figure_has_the_proportions_that_were_asked_for():
    tall, short = build_figure(Proportions(stature=1.9)), build_figure(Proportions(stature=1.5))
    for body, stature in ((tall, 1.9), (short, 1.5)):
        assert np.ptp(body.vertices[:, 1]) == pytest.approx(stature, rel=0.02)
    np.testing.assert_allclose(tall.joints(tall.vertices) / 1.9, short.joints(short.vertices) / 1.5, atol=1e-6)
    wide = build_figure(Proportions(girth=1.4))
    slim = build_figure(Proportions())
    np.testing.assert_array_equal(wide.bone_heads, slim.bone_heads)  # flesh, not bone
    assert np.ptp(wide.vertices[:, 2]) > np.ptp(slim.vertices[:, 2])


@pytest.mark.parametrize("motion", sorted(GENERATORS))
def test_joints_are_where_the_bones_turn(motion):
    """Limbs keep their length in any pose, up to rounding, which they would not if key points were off their joints."""
    body = dressed(figure_body(np.random.default_rng(1)), np.random.default_rng(1))
    vertices = posed_vertices(body, make_motion(motion, 12, 8.0, 3))
    joints, rest = body.keypoints @ vertices, body.joints(body.vertices)
    trunk = {"shoulder", "hip"}  # the spine bends, so these are not rigid to one another
    parts = [tuple(name.rpartition("_")[2] for name in limb) for limb in COCO.limbs]
    rigid = [limb for limb, ends in zip(COCO.limb_indices, parts, strict=True) if not trunk >= {*ends}]
    assert len(rigid) >= 12
    for a, b in rigid:
        lengths = np.linalg.norm(joints[:, a] - joints[:, b], axis=1)
        np.testing.assert_allclose(lengths, np.linalg.norm(rest[a] - rest[b]), atol=2e-5)


@pytest.mark.parametrize("motion", sorted(GENERATORS))
def test_joints_of_the_figure_lie_on_one_whole_person(motion):
    for seed in range(3):
        config = RenderConfig(seed=seed, n_frames=3, fps=4, width=120, height=120, motion=motion, supersample=1)
        clip = render_clip(config)
        for alpha, joints in zip(clip.rgba[..., 3], clip.joints, strict=True):
            column, row = np.rint(joints).astype(int).T
            assert (alpha[row, column] == 255).all()
            assert cv2.connectedComponents((alpha > 0).astype(np.uint8))[0] == 2, "the ground and one person, no gap"


@pytest.mark.parametrize("seed", range(3))
def test_the_figure_has_a_front_and_a_back_a_left_and_a_right(seed):
    body = dressed(figure_body(np.random.default_rng(seed)), np.random.default_rng(seed))
    motion = standing(left_shoulder_abduct=0.3, right_shoulder_abduct=0.3)
    vertices = posed_vertices(body, motion)
    joints = body.joints(vertices[0])
    front, back = (front_camera(200, azimuth_deg=azimuth) for azimuth in (0.0, 180.0))
    for camera, sign in ((front, 1), (back, -1)):
        layer = render_person(body, vertices, [camera], Light((0, 1, 0), 0, 1, 1))
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
            left, right = (layer.joints[0, PENN.index(f"{side}_{part}"), 0] for side in ("left", "right"))
            assert sign * (left - right) > 0, part
        assert layer.visible.all()
        for name, marker in zip(COCO.joints[:3], joints[:3], strict=True):  # nose and eyes: seen from the front only
            xy, depth = camera.project(marker)
            raster = rasterize(*camera.project(vertices[0]), body.faces, 200, 200)
            column, row = np.rint(xy).astype(int)
            hidden_by = depth - raster.depth[raster.pixels == row * 200 + column][0]
            assert abs(hidden_by) < 0.025 if sign > 0 else hidden_by > 0.1, name
    feet = body.bone_weights[:, [-1, -8]].sum(axis=1) > 0.99  # the last bone of either side
    ankles = joints[[COCO.index("left_ankle"), COCO.index("right_ankle")], 2].mean()
    reach = vertices[0, feet, 2] - ankles
    assert reach.max() > 2 * -reach.min() > 0, "toes point forward"


# --- surroundings ---------------------------------------------------------------------------------------------------


def test_a_panel_is_where_the_camera_sees_it():
    rng = np.random.default_rng(0)
    camera = front_camera(80, azimuth_deg=25.0, elevation_deg=12.0, roll_deg=5.0)
    corner, across, down = np.array([-0.6, 1.6, -0.2]), np.array([1.1, 0.1, 0.2]), np.array([0.0, -1.2, 0.1])
    panel = Panel(corner, across, down, rng.integers(0, 255, (7, 9, 4)).astype(np.uint8))
    for column, row in ((0, 0), (8, 6), (3, 5)):
        point = panel.homography(camera) @ [column, row, 1]
        world = corner + (column + 0.5) / 9 * across + (row + 0.5) / 7 * down  # the pixel's centre
        xy, depth = camera.project(world)
        np.testing.assert_allclose(point, [*(xy * depth), depth], atol=1e-9)


@pytest.mark.parametrize("repeat", [None, (-np.inf, -np.inf, np.inf, 1.4)])
def test_a_panel_shows_only_its_picture(repeat):
    v, u = np.mgrid[0:64, 0:64].astype(np.float32)
    picture = np.stack([4 * u, 4 * v, np.full_like(u, 200)], axis=-1).astype(np.uint8)
    texture = picture if repeat else np.concatenate([picture, np.full((64, 64, 1), 255, np.uint8)], axis=-1)
    camera = front_camera(90, azimuth_deg=20.0)
    corner, across, down = np.array([-0.5, 1.5, 0.0]), np.array([1.0, 0, 0]), np.array([0, -1.0, 0])
    canvas = np.zeros((90, 90, 3), np.uint8)
    Panel(corner, across, down, texture, repeat).draw(canvas, camera, np.zeros(3, np.float32))

    def seen(x: float, y: float) -> np.ndarray:
        column, row = np.rint(camera.project(corner + x * across + y * down)[0]).astype(int)
        return canvas[row, column].astype(int)

    for x, y in ((0.2, 0.3), (0.8, 0.6), (0.5, 0.5)):
        np.testing.assert_allclose(seen(x, y), [256 * x, 256 * y, 200], atol=12)
    if repeat:
        np.testing.assert_allclose(seen(1.3, 0.4), [256 * 0.7, 256 * 0.4, 200], atol=12)  # mirrored at the edge
        np.testing.assert_allclose(seen(0.4, 1.3), [256 * 0.4, 256 * 0.7, 200], atol=12)
        assert seen(0.5, 1.35).all() and not seen(0.5, 1.45).any(), "it ends where it was told to"
    else:
        assert (seen(1.15, 0.5) == 0).all() and (seen(0.5, -0.15) == 0).all()


def test_mirrored_textures_have_no_seam():
    texture = np.random.default_rng(0).integers(0, 255, (5, 6, 3)).astype(np.uint8)
    tile = mirrored(texture)
    assert tile.shape == (10, 12, 3)
    np.testing.assert_array_equal(tile, tile[::-1])
    np.testing.assert_array_equal(tile, tile[:, ::-1])
    np.testing.assert_array_equal(tile[:5, :6], texture)


def varied(places: tuple[str, ...] = VARIED.places, **probabilities: float) -> Surroundings:
    """Return surroundings in any place, with only the given events."""
    return Surroundings(places, **probabilities)


SMALL = RenderConfig(n_frames=4, fps=5, width=96, height=96, supersample=1)


@pytest.mark.parametrize("place", PLACES)
def test_every_place_is_repeatable_and_leaves_the_person_alone(place):
    config = replace(SMALL, seed=5, surroundings=varied(places=(place,)))
    clip, again = render_clip(config), render_clip(config)
    np.testing.assert_array_equal(clip.frames, again.frames)
    solid = clip.rgba[..., 3] == 255
    np.testing.assert_array_equal(clip.frames[solid], clip.rgba[..., :3][solid])
    elsewhere = render_clip(replace(config, surroundings=varied(places=("plain" if place != "plain" else "room",))))
    np.testing.assert_array_equal(clip.rgba, elsewhere.rgba)
    assert (clip.frames[~solid] != elsewhere.frames[~solid]).mean() > 0.5
    busy = replace(config, surroundings=Surroundings((place,), occluder=1, passer_by=1, motion_blur=1, flaws=1))
    np.testing.assert_array_equal(render_clip(busy).frames, render_clip(busy).frames)


def test_joints_behind_what_passes_in_front_are_marked():
    hidden_in_all = 0
    for seed in range(6):
        config = replace(SMALL, seed=seed, motion="walk", surroundings=varied(occluder=0.0))
        free = render_clip(config)
        clip = render_clip(replace(config, surroundings=varied(occluder=1.0)))
        np.testing.assert_array_equal(free.joints, clip.joints)
        np.testing.assert_array_equal(free.rgba, clip.rgba)
        assert not (clip.visible & ~free.visible).any()
        hidden = free.visible & ~clip.visible
        t, j = np.nonzero(free.visible)
        column, row = np.rint(clip.joints[t, j]).astype(int).T
        painted_over = (clip.frames[t, row, column] != free.frames[t, row, column]).any(axis=-1)
        assert (painted_over == hidden[t, j]).mean() > 0.9, "but for the soft edges"
        hidden_in_all += hidden.sum()
    assert hidden_in_all > 5


def test_an_occluder_moves_and_covers_joints():
    sprite = np.full((10, 4, 4), 255, np.uint8)
    occluder = Occluder(sprite, np.array([[2.0, 3.0], [8.0, 5.0]]))
    for t, (x, y) in enumerate(((2, 3), (8, 5))):
        alpha = occluder.layer(t, 20, 20)[..., 3]
        expected = np.zeros((20, 20), np.uint8)
        expected[y : y + 10, x : x + 4] = 255
        np.testing.assert_array_equal(alpha, expected)
        points = np.array([[x, y], [x + 3.4, y + 9.4], [x - 1, y], [x + 4, y], [-5, y], [x, 50]], float)
        np.testing.assert_array_equal(covered(alpha, points), [True, True, False, False, False, False])


def test_a_passer_by_changes_the_picture_but_not_the_labels():
    config = replace(SMALL, seed=2, surroundings=varied(places=("outdoors",)))
    alone = render_clip(config)
    crowded = render_clip(replace(config, surroundings=varied(places=("outdoors",), passer_by=1.0)))
    np.testing.assert_array_equal(alone.joints, crowded.joints)
    np.testing.assert_array_equal(alone.rgba, crowded.rgba)
    assert (alone.frames != crowded.frames).any(axis=(1, 2, 3)).any()


def test_what_moves_is_smeared_along_its_path():
    image = np.zeros((9, 15, 6), np.float32)
    image[:, 7, :4] = 1
    image[:, 7, 4] = 4.0  # four pixels to the right while the shutter is open
    smeared = _smeared(image)
    np.testing.assert_allclose(smeared[4, :, 3], np.where(np.abs(np.arange(15) - 7) <= 2, 0.2, 0), atol=1e-5)
    np.testing.assert_allclose(smeared.sum(), image[..., :4].sum(), rtol=1e-5)  # no light is lost


def test_only_what_moves_is_smeared():
    body = dressed(figure_body(np.random.default_rng(0)), np.random.default_rng(0))
    light, camera = Light((0, 1, 0), 1, 1, 1), front_camera(96)
    raised = standing(n_frames=3, left_shoulder_abduct=np.array([1.0, 1.6, 2.2]))
    vertices = posed_vertices(body, raised)
    sharp, blurred = (render_person(body, vertices, [camera] * 3, light, 1, shutter) for shutter in (0.0, 0.8))
    np.testing.assert_array_equal(sharp.joints, blurred.joints)
    changed = sharp.rgba[1] != blurred.rgba[1]
    assert changed[:, 50:].any(), "the left arm, at the image's right"
    assert not changed[60:].any(), "the legs stand still"


def test_surroundings_reject_what_does_not_fit():
    with pytest.raises(ConfigError, match="'outdoors'"):
        Surroundings(places=("outdoor",))
    with pytest.raises(ConfigError, match="at least one place"):
        Surroundings(places=())
    with pytest.raises(ConfigError, match=r"occluder within 0\.\.1"):
        Surroundings(occluder=30)
    with pytest.raises(ConfigError, match="'figure'"):
        RenderConfig(body="figur")


# --- the shipped sample ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample():
    """Load frames (T, H, W, 3), frame rate and labels of the shipped clip."""
    with av.open(str(SAMPLES / "rendered_walk.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264" and stream.codec_context.pix_fmt == "yuv420p"
        rate = float(stream.average_rate or 0)
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(stream)])
    with np.load(SAMPLES / "rendered_walk.npz", allow_pickle=False) as labels:
        return frames, rate, {name: labels[name] for name in labels.files}


def test_sample_labels_fit_its_frames(sample):
    frames, rate, labels = sample
    assert frames.shape == (120, 480, 640, 3)
    assert labels["joints"].shape == (120, 13, 2) and labels["joints"].dtype == np.float32
    assert labels["visible"].shape == (120, 13) and labels["visible"].dtype == bool
    assert rate == pytest.approx(float(labels["fps"])) == 30
    assert (labels["joints"] > 0).all() and (labels["joints"] < [639, 479]).all()
    assert (SAMPLES / "rendered_walk.mp4").stat().st_size < 1.5e6
    x0, y0, x1, y1 = labels["box"]
    first = labels["joints"][0]
    assert (first >= [x0, y0]).all() and (first <= [x1, y1]).all()
    assert y1 - y0 < 1.4 * np.ptp(first[:, 1]), "a tight box"


def test_sample_joints_lie_on_the_person(sample):
    frames, _, labels = sample
    plate = np.median(frames[::6], axis=0).astype(np.int16)  # nowhere does the person stay for half the time

    def differs(t: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """Return whether the frames ``t`` (n,) differ from the empty room at ``joints`` (n, J, 2)."""
        column, row = np.rint(joints).astype(int).transpose(2, 0, 1)
        return np.abs(frames[t[:, None], row, column] - plate[row, column]).max(axis=-1) > 20

    t, joints = np.arange(120), labels["joints"]
    on_person = differs(t, joints)
    assert on_person.mean() > 0.97
    elsewhere = differs(t, np.stack([(joints[..., 0] + 320) % 639, joints[..., 1]], axis=-1))
    assert elsewhere.mean() < 0.05
    # frame by frame, not only on the whole: labels that lag by 4 frames miss a quarter
    assert differs(t[4:], joints[:-4]).mean() < on_person.mean() - 0.2


def test_sample_shows_all_sides_and_keeps_left_and_right(sample):
    _, _, labels = sample
    joints = labels["joints"]
    height = np.ptp(joints[..., 1], axis=1)

    def across(part: str) -> np.ndarray:
        return (joints[:, PENN.index(f"left_{part}"), 0] - joints[:, PENN.index(f"right_{part}"), 0]) / height

    shoulders = across("shoulder")
    assert shoulders.max() > 0.15 and shoulders.min() < -0.15, "seen from the front and from behind"
    assert (np.abs(shoulders) < 0.04).sum() >= 6, "and from the side"
    clear = np.abs(shoulders) > 0.1
    np.testing.assert_array_equal(np.sign(across("hip"))[clear], np.sign(shoulders)[clear])


def test_sample_moves_smoothly_with_limbs_of_one_length(sample):
    _, _, labels = sample
    joints = labels["joints"]
    height = np.ptp(joints[..., 1], axis=1)
    step = np.diff(joints, axis=0)
    # an ankle swings by a tenth of the person's height a frame, smoothly; a jump would be a change of speed
    assert (np.linalg.norm(step, axis=-1) / height[:-1, None]).max() < 0.11
    assert (np.linalg.norm(np.diff(step, axis=0), axis=-1) / height[1:-1, None]).max() < 0.03
    assert np.linalg.norm(step, axis=-1).max(axis=0).min() > 1, "every joint moves"
    a, b = np.array(PENN.limb_indices).T
    lengths = np.linalg.norm(joints[:, a] - joints[:, b], axis=-1) / height[:, None]
    # a picture shortens a limb that points at the camera; the longest that it ever looks must agree left and right
    longest = dict(zip(PENN.limbs, lengths.max(axis=0), strict=True))
    for (start, end), length in longest.items():
        if start.startswith("left_") and end.startswith("left_"):
            mirrored = longest[start.replace("left", "right"), end.replace("left", "right")]
            assert length == pytest.approx(mirrored, rel=0.2), (start, end)
    assert np.abs(np.diff(lengths, axis=0)).max() < 0.06
