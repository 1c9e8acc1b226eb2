"""Corrections: they are reported exactly, enter H_t as in training, and the frames after them follow from them."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dkd import Trace, load_model, save_joints, trace_person, trust
from dkd.analysis.anatomy import anatomy
from dkd.errors import BoxError, ConfigError, DKDError, FrameIndexError
from dkd.models import make_model, model_config
from dkd.models.dkd import DKD
from dkd.pose.crops import BOX_MARGIN, box_to_crop
from dkd.pose.heatmaps import TARGET_SIGMA, gaussian_targets
from dkd.pose.skeleton import get_skeleton
from dkd.pose.smoothing import OneEuro
from dkd.tracking.conditions import Conditions
from dkd.tracking.interventions import Pose, SwapSides
from dkd.tracking.reinitialise import Reinitialise
from dkd.tracking.squares import next_square
from dkd.video.clip import Clip
from dkd.video.samples import get_sample

T, BOX = 8, (100.0, 20.0, 240.0, 230.0)
SKELETON = get_skeleton("penn_action")
WRIST, LEFT_KNEE, RIGHT_KNEE = (SKELETON.index(name) for name in ("left_wrist", "left_knee", "right_knee"))


@pytest.fixture(scope="module")
def model() -> DKD:
    torch.manual_seed(0)
    made = make_model(model_config("dkd-tiny", input_size=128, channels=16, kernel_side=5))
    assert isinstance(made, DKD)
    torch.nn.init.normal_(made.readout.weight)
    return made


@pytest.fixture(scope="module")
def clip() -> Clip:
    return Clip(get_sample("rendered_walk").path)


@pytest.fixture(scope="module")
def trace(model: DKD, clip: Clip) -> Trace:
    return Trace(model, clip, BOX, progress=False, stop=T)


def gaussian(trace: Trace, t: int, position: np.ndarray) -> np.ndarray:
    """The target of training for a joint at a position of the frame, (H, W)."""
    size = trace.heatmaps.shape[-1]
    cell = torch.from_numpy(trace.crops[t].to_grid(position, size)).float()
    return gaussian_targets(cell[None], size, TARGET_SIGMA)[0].numpy()


@given(st.integers(0, T - 2), st.integers(0, len(SKELETON) - 1))
@settings(max_examples=15, deadline=None)
def test_a_joint_placed_where_the_model_found_it_changes_the_map_passed_on_only(trace: Trace, t: int, j: int) -> None:
    x, y = (float(v) for v in trace.joints[t, j])
    made = trace.correct_joint(t, j, x, y, cancel=lambda: True)
    made.run(progress=False, cancel=lambda: len(made) > t + 1)
    assert np.array_equal(made.joints[: t + 1], trace.joints[: t + 1])
    assert np.array_equal(made.heatmaps[: t + 1], trace.heatmaps[: t + 1])
    assert np.array_equal(made.kernels[:t], trace.kernels[:t])
    assert made.scores[t, j] == 1 and np.array_equal(np.delete(made.scores[t], j), np.delete(trace.scores[t], j))
    expected = trace.heatmaps[t].copy()
    expected[j] = gaussian(trace, t, trace.joints[t, j].astype(np.float64))
    assert np.array_equal(made.handed_on(t), expected)
    with torch.inference_mode():
        tensors = [torch.from_numpy(one)[None] for one in (made.features(t), expected)]
        kernels = made.model.distil(*tensors)[0].numpy()  # type: ignore[operator]
    assert np.array_equal(made.kernels[t], kernels)
    assert made.undo() is trace


def test_the_position_is_reported_and_the_next_crop_follows_it(trace: Trace) -> None:
    made = trace.correct_joint(3, "left_wrist", 31.5, 200.25)
    assert made.joints[3, WRIST].tolist() == made.raw_joints[3, WRIST].tolist() == [31.5, 200.25]
    assert made.predicted_joints[3, WRIST].tolist() == trace.joints[3, WRIST].tolist()
    assert np.argwhere(made.corrected).tolist() == [[3, WRIST]] and not made.hidden.any()
    for j in range(7):  # the crop follows once more than half of the joints are certain
        made = made.correct_joint(3, j, 50 + 10 * j, 200 - 10 * j, cancel=lambda: True)
    made.run(progress=False)
    assert made.counted[3, :7].all()
    assert made.crops[4] != trace.crops[4] and made.crops[3] == trace.crops[3]
    assert not trace.corrected.any() and np.array_equal(trace.predicted_joints, trace.raw_joints)


def test_the_square_of_the_joints_follows_a_correction_too(trace: Trace) -> None:
    made = Trace(trace.model, trace.clip, trace.box, Conditions(square="joints"), progress=False, stop=5)
    for j in range(7):
        made = made.correct_joint(3, j, 50 + 10 * j, 200 - 10 * j)
    size = trace.clip.width, trace.clip.height
    assert made.crops[4] == next_square(made.crops[3], made.joints[3], made.scores[3], *size)


def test_a_hidden_joint_hands_on_zeros_keeps_its_position_and_does_not_count(trace: Trace) -> None:
    made = trace.hide_joint(range(3, 5), "left_wrist")
    for t in (3, 4):
        expected = made.heatmaps[t].copy()
        expected[WRIST] = 0
        assert np.array_equal(made.handed_on(t), expected)
        assert made.scores[t, WRIST] == made.confidence[t, WRIST] == 0
    assert np.array_equal(made.joints[3], trace.joints[3])
    assert np.argwhere(made.hidden).tolist() == [[3, WRIST], [4, WRIST]] and not made.corrected.any()
    others = np.delete(made.confidence[3].astype(np.float64), WRIST).mean()
    rest = np.delete(made.confidence.astype(np.float64).mean(-1), [3, 4])
    fourth = np.delete(made.confidence[4].astype(np.float64), WRIST).mean()
    assert trust(made).confidence == pytest.approx((rest.sum() + others + fourth) / T)
    shown = made.correct_joint(3, "left_wrist", 100, 100)
    assert not shown.hidden[3].any() and shown.corrected[3, WRIST] and shown.scores[3, WRIST] == 1
    both = shown.hide_joint(3, "left_wrist")
    assert both.hidden[3, WRIST] and both.corrected[3, WRIST] and both.joints[3, WRIST].tolist() == [100, 100]


def test_swapped_sides_swap_positions_scores_and_maps(trace: Trace) -> None:
    made = trace.swap_sides(4, "knee")
    assert np.array_equal(made.joints[4, LEFT_KNEE], trace.joints[4, RIGHT_KNEE])
    assert np.array_equal(made.joints[4, RIGHT_KNEE], trace.joints[4, LEFT_KNEE])
    assert made.scores[4, LEFT_KNEE] == trace.scores[4, RIGHT_KNEE]
    order = list(range(len(SKELETON)))
    order[LEFT_KNEE], order[RIGHT_KNEE] = RIGHT_KNEE, LEFT_KNEE
    assert np.array_equal(made.handed_on(4), trace.heatmaps[4][order])
    assert np.argwhere(made.corrected).tolist() == [[4, LEFT_KNEE], [4, RIGHT_KNEE]]
    whole = trace.swap_sides(4)
    assert np.array_equal(whole.joints[4], trace.joints[4][list(SKELETON.flip_permutation)])
    limb = {SKELETON.joints[j] for j in np.flatnonzero(trace.swap_sides(4, ("arm", "left_ankle")).corrected[4])}
    assert limb == {f"{side}_{part}" for side in ("left", "right") for part in ("shoulder", "elbow", "wrist", "ankle")}


def test_sides_that_the_model_names_correctly_after_a_swap_are_not_swapped_again() -> None:
    seen = np.zeros((2, len(SKELETON), 2))
    seen[:, LEFT_KNEE], seen[:, RIGHT_KNEE] = (10, 10), (50, 10)
    one = SwapSides(range(3, 5), ((LEFT_KNEE, RIGHT_KNEE),), seen)
    scores = np.linspace(0, 1, len(SKELETON), dtype=np.float32)
    confused = Pose.of_model(seen[0] + 1, scores)
    order = list(SKELETON.flip_permutation)
    right = Pose.of_model(seen[0][order] + 1, scores)
    for t in (3, 4):
        assert one.reported(right, t, SKELETON) is right
        assert one.reported(confused, t, SKELETON).joints[LEFT_KNEE].tolist() == [51, 11]
    assert one.reported(confused, 5, SKELETON) is confused


def test_a_saved_table_says_which_joints_are_corrected(trace: Trace, tmp_path: Path) -> None:
    save_joints(trace, tmp_path / "plain.csv")
    assert "corrected" not in pd.read_csv(tmp_path / "plain.csv").columns
    made = trace.correct_joint(3, "left_wrist", 31.5, 200.25).hide_joint(4, "head")
    for ending, read in ((".csv", pd.read_csv), (".json", pd.read_json), (".parquet", pd.read_parquet)):
        save_joints(made, tmp_path / f"joints{ending}", first=100)
        table = read(tmp_path / f"joints{ending}")
        (corrected,), (hidden,) = (
            table[table["corrected"]].to_dict("records"),
            table[table["hidden"]].to_dict("records"),
        )
        assert (corrected["frame"], corrected["joint"], corrected["x"], corrected["score"]) == (
            103,
            "left_wrist",
            31.5,
            1,
        )
        assert (hidden["frame"], hidden["joint"], hidden["score"]) == (104, "head", 0)


def test_a_drawn_box_makes_the_crop_and_later_crops_follow_the_joints(trace: Trace) -> None:
    box = (60.0, 10.0, 200.0, 220.0)
    made = trace.set_box(4, box)
    assert made.crops[:4] == trace.crops[:4] and made.crops[4] == box_to_crop(box, BOX_MARGIN)
    clip = trace.clip
    assert made.crops[5] == next_square(made.crops[4], made.joints[4], made.scores[4], clip.width, clip.height)
    assert made.reinitialised == [] and not made.corrected.any()
    restarted = trace.set_box(4, box, restart=True)
    assert [event.frame for event in restarted.reinitialised] == [4] and restarted.crops[4] == made.crops[4]
    first = trace.set_box(0, box, restart=True)
    assert first.crops[0] == box_to_crop(box, BOX_MARGIN) and first.reinitialised == []


def test_between_two_corrections_a_joint_moves_in_a_straight_line(trace: Trace) -> None:
    ends = trace.correct_joint(2, WRIST, 100, 60).correct_joint(6, WRIST, 140, 40)
    made = ends.interpolate(WRIST, 2, 6)
    assert made.joints[2:7, WRIST].tolist() == [[100, 60], [110, 55], [120, 50], [130, 45], [140, 40]]
    assert made.calls[-1] == "interpolate('left_wrist', 2, 6)"
    for t in range(2, 7):
        assert np.array_equal(made.handed_on(t)[WRIST], gaussian(made, t, made.joints[t, WRIST].astype(np.float64)))
    assert made.corrected[:, WRIST].nonzero()[0].tolist() == [2, 3, 4, 5, 6]


def test_a_placed_joint_is_not_smoothed(model: DKD, clip: Clip) -> None:
    smooth = Trace(model, clip, BOX, Conditions(smooth=OneEuro), progress=False, stop=T)
    made = smooth.correct_joint(3, WRIST, 31.5, 200.25)
    assert made.joints[3, WRIST].tolist() == made.raw_joints[3, WRIST].tolist() == [31.5, 200.25]
    others = [j for j in range(len(SKELETON)) if j != WRIST]
    assert np.array_equal(made.joints[3, others], smooth.joints[3, others])
    whole = Trace(model, clip, BOX, made.conditions, progress=False, stop=T)
    assert np.array_equal(made.joints, whole.joints)


def test_corrections_of_dropped_frames_are_reported_only(trace: Trace) -> None:
    dropped = trace.correct_joint(3, WRIST, 31.5, 200.25).drop_frames(range(4, 6))
    made = dropped.correct_joint(5, LEFT_KNEE, 90, 90)
    assert made.joints[4, WRIST].tolist() == [31.5, 200.25] and not made.corrected[4].any()
    assert made.joints[5, LEFT_KNEE].tolist() == [90, 90] and made.corrected[5].nonzero()[0].tolist() == [LEFT_KNEE]
    assert np.array_equal(made.kernels[5], dropped.kernels[3])  # nothing is distilled from a frame that was not seen
    assert np.array_equal(np.delete(made.joints[5], LEFT_KNEE, 0), np.delete(dropped.joints[5], LEFT_KNEE, 0))


def test_a_search_for_a_lost_person_respects_a_drawn_box(model: DKD, clip: Clip) -> None:
    """The policy considers every frame lost; a frame with a box of its own is not searched."""
    policy = Reinitialise(threshold=1.0, patience=1, cooldown=0, gain=0.0, same_person=False)
    searched = Trace(model, clip, BOX, Conditions(reinitialise=policy), progress=False, stop=T)
    assert 4 in searched._passes
    made = searched.set_box(4, BOX)
    assert made.crops[4] == box_to_crop(BOX, BOX_MARGIN) and 4 not in made._passes and 5 in made._passes


def test_the_policy_ignores_hidden_joints(model: DKD, clip: Clip) -> None:
    """A person who hides joints has not lost the track; the mean is over the others."""
    plain = Trace(model, clip, BOX, progress=False, stop=T)
    weak = [int(j) for j in np.argsort(plain.confidence[2])[:6]]
    made = plain
    for j in weak:
        made = made.hide_joint(2, j)
    others = np.delete(made.confidence[2], weak).mean()
    all_of_them = made.confidence[2].mean()
    assert all_of_them < others
    policy = Reinitialise(
        threshold=float(all_of_them + others) / 2, patience=1, cooldown=0, gain=0.0, same_person=False
    )
    again = Trace(model, clip, BOX, Conditions(reinitialise=policy, interventions=made.conditions.interventions),
                  progress=False, stop=4)  # fmt: skip
    lost = again.confidence[2][~again.hidden[2]].mean() < policy.limit(again.calibrated)
    assert (3 in again._passes) == lost and not lost


def test_the_anatomy_of_the_next_frame_starts_from_the_corrected_map(trace: Trace) -> None:
    made = trace.correct_joint(3, WRIST, 120, 90)
    found = anatomy(made, 4, WRIST)
    distillation = found.distillation
    assert distillation is not None and distillation.handed_on
    assert np.array_equal(distillation.heatmaps, made.handed_on(3))
    assert not np.array_equal(distillation.heatmaps, made.heatmaps[3])
    np.testing.assert_allclose(distillation.kernels, made.kernels[3], atol=1e-6)


@pytest.mark.parametrize("name", ["simple-baseline-tiny", "lstm-pm-tiny"])
def test_every_model_can_be_corrected(clip: Clip, name: str) -> None:
    """Without a past, only the report and the next crop change; with another kind of past, its maps do."""
    torch.manual_seed(1)
    net = make_model(model_config(name, input_size=128))
    plain = Trace(net, clip, BOX, progress=False, stop=5)
    made = plain.correct_joint(2, WRIST, 31.5, 200.25).swap_sides(3, "leg").hide_joint(3, WRIST)
    whole = Trace(net, clip, BOX, made.conditions, progress=False, stop=5)
    assert np.array_equal(made.joints, whole.joints) and made.joints[2, WRIST].tolist() == [31.5, 200.25]
    later = np.abs(made.heatmaps[3] - plain.heatmaps[3]).max()
    assert (later > 0) == net.hands_on and np.array_equal(made.heatmaps[:3], plain.heatmaps[:3])


def test_the_sigma_is_that_of_the_models_training(model: DKD) -> None:
    assert model.target_sigma == TARGET_SIGMA
    shipped = load_model("dkd-mobilenetv2")
    assert shipped.target_sigma == shipped.provenance["config"]["sigma"] == 1.25
    shipped.provenance["config"]["sigma"] = 2
    assert shipped.target_sigma == 2.0
    for damaged in ({"sigma": "wide"}, {"sigma": -1}, "none", {}):
        shipped.provenance["config"] = damaged
        assert shipped.target_sigma == TARGET_SIGMA


@pytest.mark.parametrize(
    ("call", "error", "what"),
    [
        ("correct_joint(8, 'head', 1, 1)", ConfigError, r"within 0\.\.7"),
        ("correct_joint(range(2), 'head', 1, 1)", ConfigError, "frame of Trace.correct_joint.. to be a whole number"),
        ("correct_joint(None, 'head', 1, 1)", ConfigError, "frame of Trace.correct_joint.. to be a whole number"),
        ("correct_joint(1, 'left_rist', 1, 1)", ConfigError, "left_wrist"),
        ("correct_joint(1, 'head', float('nan'), 1)", ConfigError, "near the picture"),
        ("correct_joint(1, 'head', 1, 1e6)", ConfigError, "hide_joint"),
        ("hide_joint(9, 'head')", ConfigError, r"within 0\.\.7"),
        ("swap_sides(3, 'head')", ConfigError, "a left and a right one"),
        ("swap_sides(3, 'rist')", ConfigError, "did you mean 'wrist'"),
        ("swap_sides(3, ())", ConfigError, "got none"),
        ("swap_sides(range(4, 9))", ConfigError, r"within 0\.\.7"),
        ("set_box(3, (5, 5, 2, 9))", BoxError, "x0 < x1"),
        ("interpolate('head', 3, 4)", ConfigError, "at least one frame between"),
        ("interpolate('head', 6, 2)", ConfigError, "at least one frame between"),
        ("interpolate('head', 2, 9)", ConfigError, r"within 0\.\.7"),
    ],
)
def test_impossible_corrections_are_errors(trace: Trace, call: str, error: type[DKDError], what: str) -> None:
    with pytest.raises(error, match=what):
        eval(f"trace.{call}", {"trace": trace, "float": float})


def test_what_is_not_tracked_yet_cannot_be_swapped_or_interpolated(trace: Trace) -> None:
    begun = trace.correct_joint(2, "head", 100, 100, cancel=lambda: True)
    for change in (lambda: begun.swap_sides(5), lambda: begun.interpolate("head", 2, 5)):
        with pytest.raises(FrameIndexError, match="frame 5 is outside"):
            change()


@pytest.mark.parametrize("origin", [0, 4])
def test_a_released_trace_frees_its_frames_and_traces_them_again(model: DKD, clip: Clip, origin: int) -> None:
    plain = trace_person(model, clip, BOX, origin, stop=T, progress=False)
    made = plain.correct_joint(2, WRIST, 150, 90).hide_joint(5, "head")
    before, crops = [made.heatmaps.copy(), made.kernels.copy(), made.joints.copy()], list(made.crops)
    arrays = [weakref.ref(array) for array in (made._heatmaps, made._kernels)]
    made.release()
    gc.collect()
    assert len(made) == 0 and not made.complete and made.calls[-1] == "hide_joint(5, 'head')"
    assert made.undo().complete and [array() for array in arrays] == [None, None]
    made.run(progress=False)
    after = [made.heatmaps, made.kernels, made.joints]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)) and made.crops == crops
    with pytest.raises(ConfigError, match="original one"):
        plain.release()


def test_a_correction_changes_the_kernels_of_its_frame_and_the_maps_of_the_next(clip: Clip) -> None:
    """With the shipped model: frames before it stay the same; its effect fades over the frames after it."""
    plain = Trace("dkd-mobilenetv2", clip, progress=False, stop=18)
    x, y = (float(v) for v in plain.joints[5, WRIST])
    made = plain.correct_joint(5, WRIST, x + 80, y)
    for name in ("heatmaps", "kernels", "joints", "scores"):
        assert np.array_equal(getattr(made, name)[:5], getattr(plain, name)[:5]), name
    assert np.array_equal(made.heatmaps[5], plain.heatmaps[5]) and made.crops[5] == plain.crops[5]
    a, b = made.kernels[5].ravel(), plain.kernels[5].ravel()
    assert 1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.003
    changed = np.abs(made.heatmaps - plain.heatmaps).max((1, 2, 3))
    moved = np.linalg.norm(made.joints - plain.joints, axis=-1)[:, WRIST]
    assert changed[6] > 0.1 and moved[6] > 0.5 and moved[5] == pytest.approx(80, abs=1e-3)
    assert changed[17] < changed[6] / 5 and moved[17] < 1
    with pytest.raises(ConfigError, match="nothing to undo"):
        made.undo().undo()
