"""A square that follows a person: what a body can do between two frames, and how it looks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dkd import Clip, Trace, load_model
from dkd.errors import ConfigError
from dkd.measures.metrics import pck_mean
from dkd.models.registry import build_model
from dkd.pose.crops import Crop, box_to_crop, joints_to_box
from dkd.pose.skeleton import Skeleton, convert_joints, get_skeleton
from dkd.tracking import body as limits
from dkd.tracking.appearance import STRANGE, Appearance, look_at, places
from dkd.tracking.body import Body
from dkd.tracking.conditions import Conditions
from dkd.tracking.squares import CENTRE_INERTIA, SIDE_INERTIA, SMALLEST, next_square
from dkd.video.images import ImageClip
from tests.evaluation.test_variants import BOX, varied
from tests.support.dotted_people import dotted_person

PENN = get_skeleton("penn_action")
N = len(PENN)
HEIGHT, FRAME = 200.0, 1 / 25
WIDTH, TALL = 640, 480
SURE = np.ones(N, np.float32)
LOOK = np.zeros((len(places(PENN)), 3), np.float32)
OTHER = LOOK + np.float32(2 * STRANGE)


def standing(x: float = 300.0, y: float = 240.0, height: float = HEIGHT) -> np.ndarray:
    """Joints of somebody who stands upright at (x, y), arms down, with the lengths of the table."""
    at = {
        "head": (0, -0.43), "shoulder": (0.13, -0.31), "elbow": (0.13, -0.125), "wrist": (0.13, 0.02),
        "hip": (0.095, -0.03), "knee": (0.095, 0.215), "ankle": (0.095, 0.46),
    }  # fmt: skip
    joints = [(at[name.split("_")[-1]], -1 if name.startswith("right") else 1) for name in PENN.joints]
    return np.array([(x + sign * dx * height, y + dy * height) for (dx, dy), sign in joints])


def body(joints: np.ndarray | None = None, look: np.ndarray = LOOK) -> tuple[Body, Crop]:
    """A body that was seen in one frame, and the crop of that frame."""
    joints = standing() if joints is None else joints
    box = joints_to_box(joints)
    assert box is not None
    crop = box_to_crop(box, limits.MARGIN)
    made = Body(PENN)
    made.start(joints, SURE, crop, look)
    return made, crop


# --- joints that can be parts of a body ---------------------------------------------------------------------------


def test_the_height_is_read_from_the_limbs() -> None:
    made, _ = body()
    assert made.height == pytest.approx(HEIGHT, rel=0.06)
    sitting = standing()
    for side in ("left", "right"):  # thighs towards the camera, shanks unchanged: half of the limbs still tell
        knee, ankle = PENN.index(f"{side}_knee"), PENN.index(f"{side}_ankle")
        sitting[[knee, ankle], 1] -= 0.2 * HEIGHT
    again, _ = body(sitting)
    assert again.height == pytest.approx(HEIGHT, rel=0.1)


@pytest.mark.parametrize("joint", ["head", "left_wrist", "right_ankle", "left_hip"])
def test_a_joint_that_jumps_to_a_neighbour_does_not_move_the_square(joint: str) -> None:
    """The closed form: the square is the one that follows from the same joints without the jump."""
    j = PENN.index(joint)
    jumping, still = body()[0], body()[0]
    crop = body()[1]
    jumped = standing()
    jumped[j] += (HEIGHT, 0)
    jumping.follow(jumped, SURE, LOOK, FRAME)
    still.follow(standing(), SURE, LOOK, FRAME)
    assert not jumping.counted[j] and jumping.counted.sum() == N - 1 and still.counted.all() and not jumping.strange
    squares = [one.square(crop, FRAME, WIDTH, TALL) for one in (jumping, still)]
    assert squares[0] == squares[1]
    # the square of the joints would have gone along
    gone = next_square(crop, jumped, SURE, WIDTH, TALL)
    assert gone.side > next_square(crop, standing(), SURE, WIDTH, TALL).side + 5


def test_a_limb_that_grows_too_long_does_not_count() -> None:
    """A wrist that leaves slowly, so that no step is too fast: it counts as long as the arm can reach."""
    made, _ = body()
    wrist, elbow = PENN.index("left_wrist"), PENN.index("left_elbow")
    longest = 0.0
    for step in range(40):
        joints = standing()
        joints[wrist] += (step * 0.02 * HEIGHT, 0)
        made.follow(joints, SURE, LOOK, FRAME)
        if made.counted[wrist]:
            longest = max(longest, float(np.linalg.norm(joints[wrist] - joints[elbow])))
    assert not made.counted[wrist] and made.counted.sum() == N - 1
    assert made.height is not None
    limit = limits.STRETCH * limits.LENGTHS["elbow", "wrist"] * made.height
    assert 0.8 * limit < longest <= limit


def test_a_walk_counts_entirely_and_is_followed_with_the_usual_inertia() -> None:
    made, crop = body()
    for step in range(1, 50):  # 1.5 heights per second
        joints = standing(300 + step * 1.5 * HEIGHT * FRAME)
        made.follow(joints, SURE, LOOK, FRAME)
        assert made.counted.all() and not made.strange
        new = made.square(crop, FRAME, 10_000, TALL)
        box = joints_to_box(joints)
        assert box is not None
        target = box_to_crop(box, limits.MARGIN)
        side = SIDE_INERTIA * crop.side + (1 - SIDE_INERTIA) * target.side
        x = CENTRE_INERTIA * (crop.left + crop.side / 2) + (1 - CENTRE_INERTIA) * (target.left + target.side / 2)
        assert new.side == pytest.approx(side, abs=0.2) and new.left + new.side / 2 == pytest.approx(x, abs=0.4)
        crop = new


def test_a_hidden_joint_moves_with_the_body() -> None:
    made, _ = body()
    ankle = PENN.index("left_ankle")
    scores = SURE.copy()
    scores[ankle] = 0
    joints = standing(310)
    joints[ankle] = (0, 0)
    made.follow(joints, scores, LOOK, FRAME)
    np.testing.assert_allclose(made.joints[ankle], standing(310)[ankle])
    assert made.unseen[ankle] == pytest.approx(FRAME)


def test_a_corrected_joint_always_counts() -> None:
    made, _ = body()
    joints = standing()
    joints[0] += (2 * HEIGHT, 0)
    given = np.arange(N) == 0
    made.follow(joints, SURE, OTHER, FRAME, given)
    assert made.counted[0] and not made.strange


found = arrays(np.float64, (N, 2), elements=st.floats(-500, 1500, allow_nan=False))


@given(
    frames=st.lists(st.tuples(found, arrays(np.float32, N, elements=st.sampled_from([0.0, 0.5, 1.0]))), max_size=6),
    seconds=st.sampled_from([1 / 120, 1 / 25, 1 / 5]),
    strange=st.booleans(),
)
def test_whatever_is_found_the_square_changes_by_what_a_body_can_do(
    frames: list[tuple[np.ndarray, np.ndarray]], seconds: float, strange: bool
) -> None:
    made, crop = body()
    for joints, scores in frames:
        before = made.height
        made.follow(joints, scores, OTHER if strange else LOOK, seconds)
        assert before is not None and made.height is not None
        growth = np.log(made.height / before)
        assert -limits.SHRINKAGE * seconds - 1e-9 <= growth <= limits.GROWTH * seconds + 1e-9
        new = made.square(crop, seconds, WIDTH, TALL)
        far = np.hypot(
            new.left + new.side / 2 - crop.left - crop.side / 2, new.top + new.side / 2 - crop.top - crop.side / 2
        )
        assert far <= made.height * (limits.SLACK + limits.TRUNK_SPEED * seconds) + 1
        assert SMALLEST <= new.side <= max(limits.MARGIN * limits.TALLEST * made.height, crop.side) + 0.25
        assert (
            new.side
            >= min(SIDE_INERTIA * crop.side, SIDE_INERTIA * limits.MARGIN * limits.TALLEST * made.height) - 0.25
        )
        assert np.isfinite(made.joints).all()
        crop = new


# --- somebody else ------------------------------------------------------------------------------------------------


def test_places_are_mixtures_of_joints() -> None:
    for name in ("penn_action", "sub_jhmdb", "coco", "mpii"):
        weights = places(get_skeleton(name))
        np.testing.assert_allclose(weights.sum(1), 1)
    chest = places(PENN)[:6] @ standing()
    assert (np.abs(chest[:, 0] - 300) < 0.13 * HEIGHT).all() and (
        chest[:, 1] < standing()[PENN.index("left_hip"), 1]
    ).all()


def test_colours_do_not_depend_on_the_light() -> None:
    random = np.random.default_rng(0)
    picture = np.kron(random.integers(40, 200, (6, 6, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    points = random.uniform(0, 96, (20, 2))
    bright, dark = look_at(picture, points), look_at((picture // 2).astype(np.uint8), points)
    np.testing.assert_allclose(bright, dark, atol=1.5)
    assert np.isnan(look_at(picture, np.array([[-5.0, 3.0], [3.0, 96.0]]))).all()
    grey = look_at(np.full((64, 64, 3), 90, np.uint8), points / 2)
    np.testing.assert_allclose(grey[:, 1:], 0, atol=0.1)


def test_other_clothes_are_noticed_and_slow_changes_are_learnt() -> None:
    seen = Appearance()
    seen.remember(LOOK, 0)
    assert not seen.is_other(LOOK) and seen.is_other(OTHER)
    half = LOOK.copy()
    half[: len(half) // 2 - 1] = OTHER[0]
    assert not seen.is_other(half)  # something in front of less than half of the body
    for _ in range(400):  # within 16 seconds the light changes as much as clothes
        half = np.asarray(seen.colours) + np.float32(0.05)
        assert not seen.is_other(half)
        seen.remember(half, FRAME)
    assert not seen.is_other(half) and seen.difference(LOOK) > 0
    assert seen.difference(np.full_like(LOOK, np.nan)) == 0


def test_the_square_waits_while_somebody_else_is_seen_and_not_longer_than_that() -> None:
    made, crop = body()
    waited = 0
    for step in range(1, 200):
        made.follow(standing(300 + 3 * step), SURE, OTHER, FRAME)  # the other one walks away, as fast as a person
        if not made.strange or made.counted.any():
            break
        waited = step
        new = made.square(crop, FRAME, WIDTH, TALL)
        assert np.abs(np.subtract((new.left, new.top, new.side), (crop.left, crop.top, crop.side))).max() <= 0.25
    assert waited * FRAME == pytest.approx(limits.WAIT, abs=2 * FRAME)
    assert not made.appearance.is_other(OTHER)


def test_who_comes_back_is_followed_again() -> None:
    made, crop = body()
    for _ in range(20):
        made.follow(standing(390), SURE, OTHER, FRAME)
    made.follow(standing(320), SURE, LOOK, FRAME)
    assert made.counted.all() and not made.strange and made.lost == 0
    assert made.square(crop, FRAME, WIDTH, TALL).left > crop.left


def test_a_whole_body_that_jumps_is_strange() -> None:
    made, _ = body()
    made.follow(standing(300 + HEIGHT), SURE, LOOK, FRAME)
    assert made.strange and not made.counted.any()


@pytest.mark.parametrize(
    ("x", "height", "look", "is_same"),
    [
        (310, HEIGHT, LOOK, True), (310, HEIGHT, OTHER, False), (310, 2.5 * HEIGHT, LOOK, False),
        (310, HEIGHT / 2.5, LOOK, False), (300 + HEIGHT, HEIGHT, LOOK, False),
    ],
)  # fmt: skip
def test_a_search_takes_nobody_else(x: float, height: float, look: np.ndarray, is_same: bool) -> None:
    made, crop = body()
    assert made.accepts(crop, standing(x, height=height), look, FRAME) is is_same
    whole = Crop(0, 0, 2 * crop.side)
    assert not made.accepts(whole, standing(x, height=height), look, FRAME)


def test_a_person_may_be_farther_away_the_longer_nobody_was_seen() -> None:
    made, crop = body()
    for _ in range(10):
        made.follow(standing(), np.zeros(N, np.float32), LOOK, FRAME)
    assert made.lost == pytest.approx(10 * FRAME)
    assert made.accepts(crop, standing(300 + HEIGHT), LOOK, FRAME)


# --- in a run -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dkd-tiny", "simple-baseline-tiny"])
def test_the_square_of_the_joints_is_still_there(name: str) -> None:
    clip = ImageClip(dotted_person(1, 8).images, 10.0, "dots")
    trace = Trace(varied(name), clip, BOX, Conditions(square="joints"), progress=False)
    for t in range(1, len(trace)):
        expected = next_square(
            trace.crops[t - 1], trace.raw_joints[t - 1], trace.scores[t - 1], clip.width, clip.height
        )
        assert trace.crops[t] == expected


def test_a_what_if_continues_with_the_remembered_body_bit_for_bit() -> None:
    """The frames before the change are copied; what is remembered of the body is made from them again."""
    clip = ImageClip(dotted_person(1, 12).images, 10.0, "dots")
    model = varied("dkd-tiny")
    trace = Trace(model, clip, BOX, progress=False)
    made = trace.correct_joint(7, "left_wrist", 100.0, 90.0)
    again = Trace(
        model, clip, BOX, replace(trace.conditions, interventions=made.conditions.interventions), progress=False
    )
    for attribute in ("joints", "heatmaps", "kernels", "counted", "strange", "scores"):
        np.testing.assert_array_equal(getattr(made, attribute), getattr(again, attribute), err_msg=attribute)
    assert made.crops == again.crops
    assert made.crops[:8] == trace.crops[:8]


def test_an_unknown_square_is_refused() -> None:
    with pytest.raises(ConfigError, match="person, joints; got 'face'"):
        Conditions(square="face")  # type: ignore[arg-type]


@pytest.mark.shared
@pytest.mark.parametrize(("camera", "least"), [(2, 0.93), (4, 0.86)])
def test_the_man_is_followed_beside_the_woman(shared_data: Path, camera: int, least: float) -> None:
    with np.load(shared_data / f"labels/pose2sim_multi_man_cam0{camera}.npz") as archive:
        labels = np.where(archive["agree"][..., None], archive["consensus17"], np.nan)
        truth, side, box = convert_joints(labels, "coco", "penn_action"), archive["bbox_size"], tuple(archive["box"])
    with Clip(shared_data / f"videos/pose2sim_multi/cam0{camera}.mp4") as clip:
        trace = Trace(load_model(), clip, box, progress=False)
    assert pck_mean(trace.joints, truth, side, 0.2) >= least
    assert trace.counted.mean() > 0.9


def test_a_skeleton_without_known_joints_is_tracked_by_nothing_else() -> None:
    """Joints of other names have no places on the body: nobody looks strange."""
    joints = tuple("abcdefghijklm")
    assert places(Skeleton("letters", joints, ())).shape == (0, 13)
    model = build_model("dkd-tiny", channels=4, input_size=128).eval()
    model.skeleton = Skeleton("letters", joints, (("a", "b"),))
    frames = np.random.default_rng(0).integers(0, 255, (3, 96, 160, 3)).astype(np.uint8)
    trace = Trace(model, Clip.from_array(frames), (10, 10, 90, 90), progress=False)
    assert len(trace) == 3 and not trace.strange.any()
