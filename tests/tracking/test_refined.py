"""Joints that the initializer makes more exact: only what is reported changes, and by at most two cells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dkd import Trace, get_method
from dkd.errors import ConfigError
from dkd.formats.track import PoseTrack
from dkd.pose.crops import Crop
from dkd.pose.heatmaps import decode_peaks, gaussian_targets
from dkd.pose.smoothing import OneEuro
from dkd.tracking.conditions import Conditions
from dkd.tracking.pixels import as_input
from dkd.tracking.refined import RADIUS, WEIGHT, refine
from dkd.tracking.reinitialise import Reinitialise
from dkd.tracking.two_way import trace_person
from dkd.video.images import ImageClip
from tests.evaluation.test_variants import BOX, varied
from tests.support.dotted_people import dotted_person

SIZE, CROP = 24, Crop(100.0, 40.0, 192.0)
CELL = CROP.side / SIZE  # pixels
SHARP = 1.25  # σ of a peak in cells


def map_of(*peaks: tuple[float, float, float]) -> np.ndarray:
    """One map (1, H, W) with peaks x, y (cells) and height."""
    drawn = [s * gaussian_targets(torch.tensor([[x, y]]), SIZE, SHARP) for x, y, s in peaks]
    return torch.stack(drawn).amax(0).numpy()


def at(x: float, y: float) -> np.ndarray:
    return CROP.to_frame(np.array([[x, y]]), SIZE)


@given(x=st.floats(4, 19), y=st.floats(4, 19), dx=st.floats(-0.7, 0.7), dy=st.floats(-0.7, 0.7))
def test_two_peaks_that_nearly_agree_give_one_between_them(x: float, y: float, dx: float, dy: float) -> None:
    """The mean of two Gaussians that lie close is nearly a Gaussian at their weighted mean."""
    found = refine(map_of((x, y, 0.8)), map_of((x + dx, y + dy, 0.8)), CROP, at(x, y))
    np.testing.assert_allclose(found, at(x + WEIGHT * dx, y + WEIGHT * dy), atol=0.12 * CELL)


def test_another_place_is_not_taken_however_sure_the_initializer_is() -> None:
    """Which of two knees it is, is the model's decision."""
    matched = map_of((6.3, 12.2, 0.4))
    found = refine(matched, map_of((17.0, 12.0, 1.0), (6.3, 12.2, 0.4)), CROP, at(6.3, 12.2))
    np.testing.assert_allclose(found, at(6.3, 12.2), atol=0.02 * CELL)


@given(x=st.floats(-3, 27), y=st.floats(-3, 27), seed=st.integers(0, 99))
def test_a_joint_moves_by_the_radius_at_most(x: float, y: float, seed: int) -> None:
    """Also of noise, and from outside the crop, where the nearest cell of the border is the middle."""
    noise = np.random.default_rng(seed).normal(size=(2, 1, SIZE, SIZE)).astype(np.float32)
    found = CROP.to_grid(refine(noise[0], noise[1], CROP, at(x, y)), SIZE)[0]
    cell = np.clip(np.round([x, y]), 0, SIZE - 1)
    assert np.hypot(*(found - cell)) <= RADIUS + 0.5 * np.sqrt(2) + 1e-6


# --- in a run -----------------------------------------------------------------------------------------------------


def run(name: str = "dkd-tiny", **conditions: object) -> Trace:
    clip = ImageClip(dotted_person(1, 12).images, 10.0, "dots")
    return Trace(varied(name), clip, BOX, Conditions(**conditions), progress=False)  # type: ignore[arg-type]


def test_joints_are_refined_by_the_initializer_of_the_same_crop() -> None:
    trace = run(refine=True)
    np.testing.assert_array_equal(trace.joints[0], trace.raw_joints[0])
    for t in range(1, len(trace)):
        with torch.inference_mode():
            initial = trace.model.initialise(as_input(trace.network_pixels(t), trace.model.device))[0].numpy()
        peaks = decode_peaks(torch.from_numpy(np.array(trace.heatmaps[t])))[0].numpy()
        expected = refine(trace.heatmaps[t], initial, trace.crops[t], trace.crops[t].to_frame(peaks, initial.shape[-1]))
        np.testing.assert_allclose(trace.joints[t], expected, atol=1e-3)
    assert (np.abs(trace.joints - trace.raw_joints).max(-1) > 1).sum() > 20


def test_only_what_is_reported_changes() -> None:
    plain, refined = run(), run(refine=True)
    for attribute in ("heatmaps", "kernels", "scores", "raw_joints", "predicted_joints", "counted"):
        np.testing.assert_array_equal(getattr(plain, attribute), getattr(refined, attribute), err_msg=attribute)
    assert plain.crops == refined.crops


@pytest.mark.parametrize("others", [{}, {"smooth": OneEuro}, {"peaks": "steady"}])
def test_a_what_if_is_the_run_with_the_change_from_its_beginning(others: dict[str, Any]) -> None:
    trace = run(refine=True, **others)
    made = trace.correct_joint(7, "left_wrist", 100.0, 90.0)
    whole = replace(trace.conditions, interventions=made.conditions.interventions)
    again = Trace(trace.model, trace.clip, BOX, whole, progress=False)
    np.testing.assert_array_equal(made.joints, again.joints)
    np.testing.assert_array_equal(made.joints[:7], trace.joints[:7])
    if "smooth" not in others:
        np.testing.assert_allclose(made.joints[7, trace.skeleton.index("left_wrist")], (100, 90), atol=1e-4)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="a per-frame model without an initializer beside it"):
        run("simple-baseline-tiny", refine=True)
    with pytest.raises(ConfigError, match="'refined' asks the initializer beside a model with a past"):
        get_method("simple-baseline-mobilenetv2+refined")
    assert get_method("dkd-mobilenetv2+refined").conditions.refine


def test_a_trace_is_run_again_with_and_without() -> None:
    plain, refined = run(), run(refine=True)
    for one, other in ((plain, refined), (refined, plain)):
        made = one.retrace(None, refine=other.conditions.refine)
        np.testing.assert_array_equal(made.joints, other.joints)
        assert made.conditions == other.conditions and made is not one
    assert refined.retrace(None) is refined and refined.retrace(None, refine=True) is refined
    assert refined.would_change(None, False) and not refined.would_change(None, True)
    again = plain.retrace(Reinitialise(), refine=True)
    assert again.conditions == Conditions(refine=True, reinitialise=Reinitialise())
    with pytest.raises(ConfigError, match="a per-frame model without an initializer beside it"):
        run("simple-baseline-tiny").retrace(None, refine=True)


def test_both_directions_from_a_box_are_refined() -> None:
    clip = ImageClip(dotted_person(1, 12).images, 10.0, "dots")
    plain, refined = (
        trace_person(varied("dkd-tiny"), clip, BOX, 5, Conditions(refine=on), progress=False) for on in (False, True)
    )
    moved = (plain.joints != refined.joints).any((-2, -1))
    assert moved.tolist() == [True] * 5 + [False] + [True] * 6
    np.testing.assert_array_equal(plain.raw_joints, refined.raw_joints)
    np.testing.assert_array_equal(plain.retrace(None, refine=True).joints, refined.joints)
    covered = refined.occlude((60, 60, 120, 120), range(7, 9))
    assert all(one.conditions.refine for one in (covered, *covered.runs))


def test_a_what_if_of_a_refined_run_differs_only_where_it_acts() -> None:
    """Like is compared with like: before the change, and where only the picture of other frames changed, all agree."""
    trace = run(refine=True)
    made = trace.freeze_kernel(3, range(8, 10))
    assert made.conditions.refine
    np.testing.assert_array_equal(made.joints[:9], trace.joints[:9])
    assert (made.joints[9] != trace.joints[9]).any()
    np.testing.assert_array_equal(made.undo().joints, trace.joints)


def test_poses_name_what_made_them() -> None:
    plain, refined = run(), run(refine=True)
    assert PoseTrack.from_trace(plain).software == plain.model_name
    assert PoseTrack.from_trace(refined).software == f"{refined.model_name}+refined"
    refined.model_name += "+refined"  # as in an evaluation
    assert PoseTrack.from_trace(refined).software == refined.model_name
    assert PoseTrack.from_traces({"a": plain, "b": refined}).software is None
