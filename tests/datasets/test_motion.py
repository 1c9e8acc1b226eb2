"""Motion of rendered people: rotations, kinematics, generators and BVH files, against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dkd.datasets.rendering.bvh import load_bvh, read_bvh
from dkd.datasets.rendering.generators import GENERATORS, gait, make_motion
from dkd.datasets.rendering.motion import SEGMENTS, Motion, segment_rotations
from dkd.datasets.rendering.rotations import axis_rotation, blend_rotations, shortest_rotation
from dkd.errors import ConfigError, DatasetError, ShapeError
from tests.support.box_figure import box_figure, joint_position, standing

# --- rotations ------------------------------------------------------------------------------------------------------

directions = st.tuples(*[st.floats(-1, 1)] * 3).map(np.array).filter(lambda v: np.linalg.norm(v) > 0.1)


@given(directions, directions)
def test_shortest_rotation_turns_one_direction_into_the_other(a, b):
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    r = shortest_rotation(a, b)
    np.testing.assert_allclose(r @ a, b, atol=1e-4)
    np.testing.assert_allclose(r @ r.T, np.eye(3), atol=1e-4)
    assert np.linalg.det(r) == pytest.approx(1, abs=1e-4)
    assert (np.trace(r) - 1) / 2 == pytest.approx(a @ b, abs=1e-4), "and by no larger an angle than needed"


def test_shortest_rotation_between_opposite_directions():
    for axis in np.eye(3):
        r = shortest_rotation(axis, -axis)
        np.testing.assert_allclose(r @ axis, -axis, atol=1e-12)
        assert np.linalg.det(r) == pytest.approx(1)


@given(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
def test_blend_half_way_is_the_mean_angle(a, b):
    blend = blend_rotations(axis_rotation("y", a), axis_rotation("y", b), 0.5)
    np.testing.assert_allclose(blend, axis_rotation("y", (a + b) / 2), atol=1e-6)


# --- motion ---------------------------------------------------------------------------------------------------------


def test_forward_kinematics_against_closed_form():
    body = box_figure()
    thigh, shin, upper_arm, forearm = 0.45, 0.42, 0.3, 0.25
    hip_height = thigh + shin
    assert body.leg_length == pytest.approx(hip_height)

    def check(motion: Motion, joint: str, expected: np.ndarray | list[float]) -> None:
        np.testing.assert_allclose(joint_position(body, motion, joint), expected, atol=1e-6)

    shoulder = np.array([0.2, hip_height + 0.5, 0])
    upright = standing()
    check(upright, "left_hip", [0.1, hip_height, 0])
    check(upright, "left_ankle", [0.1, 0, 0])
    check(upright, "left_shoulder", shoulder)
    check(upright, "left_wrist", shoulder - [0, upper_arm + forearm, 0])

    sitting = standing(left_hip_flex=np.pi / 2, left_knee_flex=np.pi / 2)
    check(sitting, "left_knee", [0.1, hip_height, thigh])
    check(sitting, "left_ankle", [0.1, hip_height - shin, thigh])
    check(sitting, "right_ankle", [-0.1, 0, 0])

    angle = 0.7
    arms = standing(left_shoulder_abduct=angle, right_shoulder_abduct=angle, left_elbow_flex=np.pi / 2)
    elbow = shoulder + upper_arm * np.array([np.sin(angle), -np.cos(angle), 0])
    check(arms, "left_elbow", elbow)
    check(arms, "left_wrist", elbow + [0, 0, forearm])
    check(arms, "right_elbow", elbow * [-1, 1, 1])

    check(standing(pelvis_yaw=np.pi / 2), "left_shoulder", [0, hip_height + 0.5, -0.2])  # what was left is now behind
    check(standing(spine_pitch=np.pi / 2), "left_shoulder", [0.2, hip_height + 0.2, 0.3])  # about the spine's beginning


def test_unknown_angle_names_the_nearest():
    with pytest.raises(ConfigError, match="left_knee_flex"):
        segment_rotations({"left_kneeflex": np.zeros(2)}, 2)


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_generators_are_repeatable_and_make_rotations(name):
    motion, again, other = (make_motion(name, 20, 15.0, seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(motion.rotations, again.rotations)
    np.testing.assert_array_equal(motion.root, again.root)
    assert np.abs(motion.rotations - other.rotations).max() > 0.01
    r = motion.rotations
    np.testing.assert_allclose(r @ r.swapaxes(-1, -2), np.broadcast_to(np.eye(3), r.shape), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(r), 1, atol=1e-9)
    legs = motion.leg_joints()
    lengths = np.linalg.norm(np.diff(legs, axis=2), axis=-1)
    np.testing.assert_allclose(lengths.sum(axis=-1), 1)  # in leg lengths
    assert (legs[..., 2, 1].min(axis=1) > -1e-9).all(), "no ankle below the floor"
    speed = np.linalg.norm(np.diff(motion.root, axis=0), axis=1) * motion.fps
    assert speed.max() < 12, "leg lengths a second; nobody is faster"


@pytest.mark.parametrize("heading", [0.0, 0.9, -2.0])
def test_a_walker_travels_where_he_heads_on_feet_that_do_not_slide(heading):
    motion = gait(120, 60.0, np.random.default_rng(1), heading=heading)
    travelled = motion.root[-1] - motion.root[0]
    direction = np.array([np.sin(heading), 0, np.cos(heading)])
    speed = travelled @ direction / 2
    assert 0.7 < speed < 2.6, "leg lengths a second"
    sideways = (travelled - (travelled @ direction) * direction)[[0, 2]]
    assert np.linalg.norm(sideways) < 0.1 * np.linalg.norm(travelled)
    ankles = motion.leg_joints()[:, :, 2]
    velocity = np.linalg.norm(np.diff(ankles, axis=0)[..., [0, 2]], axis=-1) * 60
    standing_foot = ankles[:-1, :, 1].argmin(axis=1)
    sliding = velocity[np.arange(len(velocity)), standing_foot]
    assert np.median(sliding) < 0.15 * speed


@pytest.mark.parametrize("running", [False, True])
def test_knees_and_elbows_bend_one_way_only_in_a_gait(running):
    motion = gait(60, 30.0, np.random.default_rng(3), running=running)
    for side in ("left", "right"):
        thigh, shin, arm, forearm = (
            motion.rotations[:, SEGMENTS.index(f"{side}_{s}")] for s in ("thigh", "shin", "upper_arm", "forearm")
        )
        knee = (thigh.swapaxes(1, 2) @ shin)[:, 2, 1]  # sine of the bend; positive is backward
        elbow = (arm.swapaxes(1, 2) @ forearm)[:, 2, 1]
        assert knee.min() > 0 and elbow.max() < 0


def test_resample_takes_the_nearest_frame_and_returns():
    motion = replace(standing(n_frames=5), root=np.arange(15.0).reshape(5, 3))
    picked = motion.resample(fps=5, n_frames=6)
    np.testing.assert_array_equal(picked.root[:, 0] / 3, [0, 2, 4, 2, 0, 2])
    assert picked.fps == 5
    np.testing.assert_array_equal(motion.resample(10, 3, start_s=0.2).root[:, 0] / 3, [2, 3, 4])


def test_motion_rejects_what_does_not_fit():
    with pytest.raises(ShapeError, match="rotations"):
        Motion(np.zeros((3, 4, 3, 3)), np.zeros((3, 3)), 10)
    with pytest.raises(ConfigError, match="frame rate"):
        replace(standing(), fps=0)
    with pytest.raises(ConfigError, match="'walk'"):
        make_motion("wlak", 5, 10, 0)
    with pytest.raises(ConfigError, match="at least one frame"):
        make_motion("walk", 0, 10, 0)


# --- BVH ------------------------------------------------------------------------------------------------------------

ARM = """HIERARCHY
ROOT Base
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Elbow
  {
    OFFSET 0 2 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 1 0 0
    }
  }
}
MOTION
Frames: 3
Frame Time: 0.04
0 0 0 0 0 0 0 0 0
1 2 3 90 0 0 0 0 0
0 0 0 90 0 0 0 0 90
"""


def test_bvh_against_positions_worked_out_by_hand(tmp_path):
    path = tmp_path / "arm.bvh"
    path.write_text(ARM)
    bvh = read_bvh(path)
    assert bvh.names == ("Base", "Elbow", "Elbow_end") and bvh.parents == (-1, 0, 1) and bvh.frame_time == 0.04
    positions, rotations = bvh.forward()
    np.testing.assert_allclose(positions[0], [[0, 0, 0], [0, 2, 0], [1, 2, 0]], atol=1e-12)
    # z by 90°: up (0, 2, 0) becomes (−2, 0, 0), right (1, 0, 0) becomes (0, 1, 0)
    np.testing.assert_allclose(positions[1], [[1, 2, 3], [-1, 2, 3], [-1, 3, 3]], atol=1e-12)
    # the elbow turns about its own y first: (1, 0, 0) becomes (0, 0, −1), which the base's z leaves alone
    np.testing.assert_allclose(positions[2], [[0, 0, 0], [-2, 0, 0], [-2, 0, -1]], atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotations), 1)


def human_bvh(z_up: bool = False, left_arm: tuple[float, float, float] = (0, 0, 0)) -> str:
    """A person in a T-pose on legs of 10 units; the left upper arm is turned by these degrees about z, x and y."""

    def xyz(x: float, y: float, z: float) -> str:
        return f"OFFSET {x} {-z} {y}" if z_up else f"OFFSET {x} {y} {z}"

    def joint(name: str, offset: tuple[float, float, float], *children: str) -> str:
        inside = " ".join(children) or "End Site { OFFSET 0 0 0 }"
        return f"JOINT {name} {{ {xyz(*offset)} CHANNELS 3 Zrotation Xrotation Yrotation {inside} }}"

    def leg(side: str, x: float) -> str:
        foot = joint(f"{side}Foot", (0, -5, 0))
        return joint(f"{side}UpLeg", (x, 0, 0), joint(f"{side}Leg", (0, -5, 0), foot))

    def arm(side: str, x: float) -> str:
        hand = joint(f"{side}Hand", (3 * x, 0, 0))
        return joint(f"{side}Arm", (2 * x, 6, 0), joint(f"{side}ForeArm", (3 * x, 0, 0), hand))

    spine = joint("Spine", (0, 1, 0), arm("Left", 1), arm("Right", -1), joint("Head", (0, 8, 0)))
    channels = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    body = f"HIERARCHY ROOT Hips {{ {xyz(0, 0, 0)} {channels} {leg('Left', 1)} {leg('Right', -1)} {spine} }}"
    values = np.zeros((2, 3 + 3 * 15))  # three positions, then three angles for each of 15 joints, depth first:
    values[:, 2 if z_up else 1] = 10
    values[:, 27:30] = left_arm  # Hips 3, left leg 6, 9, 12, right leg 15, 18, 21, Spine 24, LeftArm 27
    rows = "\n".join(" ".join(map(str, row)) for row in values)
    return f"{body}\nMOTION\nFrames: 2\nFrame Time: 0.1\n{rows}\n"


@pytest.mark.parametrize("z_up", [False, True])
def test_load_bvh_gives_the_same_person_in_either_axes(tmp_path, z_up):
    path = tmp_path / "person.bvh"
    path.write_text(human_bvh(z_up))
    motion = load_bvh(path)
    assert motion.fps == pytest.approx(10) and len(motion) == 2
    np.testing.assert_allclose(motion.root, [[0, 1, 0]] * 2, atol=1e-9)  # 10 units high on legs of 10 units
    body = box_figure()
    # the T-pose of the file, on a figure whose own rest pose is a T-pose: nothing moves
    posed = body.posed(motion.rotations[0], motion.root[0])
    shift = [0, body.leg_length - body.hip_centre[1], 0]
    np.testing.assert_allclose(posed, body.vertices + np.float32(shift), atol=1e-5)


def test_load_bvh_moves_the_arm_that_the_file_moves(tmp_path):
    path = tmp_path / "person.bvh"
    path.write_text(human_bvh(left_arm=(90, 0, 0)))  # about z: from the left side straight up
    motion = load_bvh(path)
    body = box_figure()
    wrist, shoulder = (joint_position(body, motion, f"left_{j}") for j in ("wrist", "shoulder"))
    np.testing.assert_allclose(wrist - shoulder, [0, 0.55, 0], atol=1e-5)
    other = joint_position(body, motion, "right_wrist") - joint_position(body, motion, "right_shoulder")
    np.testing.assert_allclose(other, [-0.55, 0, 0], atol=1e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "HIERARCHY and MOTION"),
        (ARM.replace("Frames: 3", "Frames: 4"), "expected 4 frames of 9 numbers, 36 in all"),
        (ARM.rsplit("\n", 2)[0], "truncated"),
        (ARM.replace("0 0 0 0 0 0 0 0 0", "0 0 0 zero 0 0 0 0 0"), "well-formed"),
        (ARM.replace("  }\n}\nMOTION", "  }\nMOTION"), "unbalanced braces"),
        (ARM.replace("Frame Time", "Time"), "Frame Time"),
        (ARM, "no joint for head"),
        (human_bvh().replace("0 -5 0", "0 5 0"), "standing rest pose"),
        (human_bvh().replace("0 -5 0", "0 0 0"), "standing rest pose"),
    ],
)
def test_bvh_that_cannot_be_used_is_refused_with_the_reason(tmp_path, text, message):
    path = tmp_path / "bad.bvh"
    path.write_text(text)
    with pytest.raises(DatasetError, match=message):
        load_bvh(path)


def test_missing_bvh(tmp_path):
    with pytest.raises(DatasetError, match="check the path"):
        load_bvh(tmp_path / "none.bvh")
