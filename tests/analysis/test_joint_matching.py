"""Kernels made at the joints, as they are computed again from a trace: those of the model run frame by frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from dkd import Clip, Conditions, Trace, joint_matching, trace_person
from dkd.analysis.anatomy import anatomy
from dkd.analysis.joint_matching import KEPT_EVERY, JointMatch, JointSearch, _states_of, cells_around
from dkd.errors import ConfigError, FrameIndexError
from dkd.models.controls import RunningAverageKernel
from dkd.tracking.feedback import erase
from dkd.tracking.pixels import as_input
from dkd.video.samples import get_sample
from tests.support.fake_trace import FakeTrace
from tests.support.joint_kernels import BOX, joints_model, joints_trace

LONG = KEPT_EVERY + 6


@pytest.fixture(scope="module")
def trace() -> Trace:
    return joints_trace(LONG)


def read_by_the_gate(trace: Trace) -> list[np.ndarray | None]:
    """Run the model frame by frame, and return what its gate reads of each frame, (J, 14, H, W); ``None``: nothing."""
    model: Any = trace.model
    read: list[np.ndarray | None] = []
    seen: list[torch.Tensor] = []
    hook = model.joint_matching.gate.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    state = None
    with torch.inference_mode():
        for t in range(len(trace)):
            image = as_input(trace.network_pixels(t), model.device)
            seen.clear()
            started = trace.from_initializer(t)
            output, state = model.start(image) if started else model.step(image, state)
            np.testing.assert_allclose(output.heatmaps[0], trace.heatmaps[t], atol=1e-4)
            assert len(seen) == (0 if started else 1)
            read.append(None if started else seen[0].numpy())
    hook.remove()
    return read


def check_search(found: JointSearch, read: np.ndarray, heatmap: np.ndarray) -> None:
    """``read``: of the joint, (7, H, W): map, response, how far it is below the largest, how much was seen; twice."""
    np.testing.assert_allclose(found.matched, read[0], atol=1e-4)
    np.testing.assert_allclose(found.fast, read[1], atol=1e-4)
    np.testing.assert_allclose(found.slow, read[4], atol=1e-4)
    np.testing.assert_allclose(found.seen_fast, read[3], atol=1e-4)
    np.testing.assert_allclose(found.seen_slow, read[6], atol=1e-4)
    np.testing.assert_allclose(found.heatmap, heatmap, atol=1e-4)


def check(trace: Trace, frames: list[int]) -> None:
    read = read_by_the_gate(trace)
    names = list(trace.skeleton.joints)
    for t in frames:
        gate = read[t]
        assert gate is not None
        for name in ("left_wrist", "right_knee", "head"):
            j, found = names.index(name), joint_matching(trace, t, name)
            assert (found.frame, found.found.joint) == (t, name)
            check_search(found.found, gate[j, :7], trace.heatmaps[t, j])
            if name == "head":
                assert found.opposite is None
                continue
            other = trace.skeleton.flip_permutation[j]
            assert found.opposite is not None and found.opposite.joint == names[other] != name
            check_search(found.opposite, gate[j, 7:], trace.heatmaps[t, other])


def test_responses_are_those_that_the_gate_reads(trace: Trace) -> None:
    """In any order of frames: after those that are kept, and from the start."""
    check(trace, [LONG - 1, 1, KEPT_EVERY + 2, 5, 6])
    assert np.abs(trace.heatmaps[5] - trace.as_matched(5)).max() > 1e-2  # the gate changes maps
    kept = _states_of(trace)._kept
    assert sorted(kept) == [0, KEPT_EVERY]


def test_of_a_long_run_fewer_kernels_are_kept(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dkd.analysis.joint_matching.KEPT", 2)
    monkeypatch.setattr("dkd.analysis.joint_matching.KEPT_EVERY", 2)
    other = trace.restart(0)
    for t in (LONG - 1, 7, 3, 12):
        ours, known = (joint_matching(one, t, "left_knee").found for one in (other, trace))
        np.testing.assert_array_equal(ours.slow, known.slow)
    assert sorted(_states_of(other)._kept) == [0, 16]


def test_after_a_new_start_the_kernels_are_those_made_since(trace: Trace) -> None:
    made = trace.restart(3)
    check(made, [2, 4, 5, LONG - 1])
    with pytest.raises(FrameIndexError, match="got 3, whose maps are the pose initializer's"):
        joint_matching(made, 3, 0)
    assert not np.allclose(joint_matching(made, 5, 0).found.slow, joint_matching(trace, 5, 0).found.slow, atol=1e-3)


def test_kernels_come_from_corrected_maps_and_do_not_change_in_dropped_frames() -> None:
    """The state of such a run is compared by what follows from it: the maps of the trace."""
    plain = joints_trace(7)
    made = plain.correct_joint(1, "left_wrist", 300.0, 200.0).hide_joint(2, "right_knee").drop_frames(range(4, 6))
    for t in (2, 3, 6):
        for j in range(len(made.skeleton)):
            found = joint_matching(made, t, j)
            np.testing.assert_allclose(found.found.heatmap, made.heatmaps[t, j], atol=1e-4)
            assert found.previous == (3 if t == 6 else t - 1)
    wrist = made.skeleton.index("left_wrist")
    assert joint_matching(made, 2, wrist).peak != joint_matching(plain, 2, wrist).peak
    swapped = plain.swap_readouts("left_wrist", "head")
    for j in range(len(swapped.skeleton)):
        np.testing.assert_allclose(joint_matching(swapped, 4, j).found.heatmap, swapped.heatmaps[4, j], atol=1e-4)


def test_backwards_in_time_the_past_is_the_frame_after() -> None:
    clip = Clip(get_sample("rendered_walk").path)
    made = trace_person(joints_model(), clip, BOX, at=3, stop=6, engine="torch", progress=False)
    for t, before in ((2, 3), (0, 1), (4, 3), (5, 4)):
        found = joint_matching(made, t, "left_ankle")
        assert found.previous == before
        np.testing.assert_allclose(found.found.heatmap, made.heatmaps[t, made.skeleton.index("left_ankle")], atol=1e-4)


@pytest.mark.parametrize("control", [False, True])
def test_all_forms_of_the_model(control: bool) -> None:
    model = joints_model(distillation="both" if control else "at_joints")
    made = joints_trace(4, RunningAverageKernel(model, 0.3) if control else model)
    np.testing.assert_allclose(joint_matching(made, 3, "head").found.heatmap, made.heatmaps[3, 0], atol=1e-4)


def test_an_engine_finds_the_same() -> None:
    made = joints_trace(4, engine="onnxruntime")
    assert made.engine == "onnxruntime"
    np.testing.assert_allclose(joint_matching(made, 3, "head").found.heatmap, made.heatmaps[3, 0], atol=1e-4)
    found = anatomy(made, 3, "head")
    np.testing.assert_allclose(found.contributions.sum(0) + found.bias, made.as_matched(3)[0], atol=1e-4)


def test_the_patch_is_what_the_network_saw_around_the_peak(trace: Trace) -> None:
    found: JointMatch = joint_matching(trace, 4, "right_hip")
    heatmap = trace.heatmaps[3, trace.skeleton.index("right_hip")]
    x, y = found.peak
    assert heatmap[y, x] == heatmap.max() and found.previous == 3
    np.testing.assert_array_equal(found.crop, trace.network_pixels(3))
    assert found.patch.shape == (40, 40, 3)
    np.testing.assert_array_equal(found.patch[16:24, 16:24], found.crop[8 * y : 8 * y + 8, 8 * x : 8 * x + 8])
    corner = cells_around(found.crop, (0, 15), 8, 5)
    np.testing.assert_array_equal(corner[:24, 16:], found.crop[104:, :24])
    assert (corner[24:] == 128).all() and (corner[:, :16] == 128).all()


def test_contributions_sum_to_the_map_as_it_was_matched(trace: Trace) -> None:
    j = trace.skeleton.index("left_elbow")
    found = anatomy(trace, 5, j)
    assert found.is_refined and found.distillation is not None and found.distillation.handed_on
    total = found.contributions.sum(0) + found.bias
    np.testing.assert_allclose(total, trace.as_matched(5)[j], atol=1e-4)
    np.testing.assert_allclose(trace.contributions(5, j).sum(0) + trace.bias[j], trace.as_matched(5)[j], atol=1e-4)
    np.testing.assert_allclose(total, joint_matching(trace, 5, j).found.matched, atol=1e-4)
    np.testing.assert_array_equal(found.heatmap, trace.heatmaps[5, j])
    assert np.abs(total - found.heatmap).max() > 1e-2
    np.testing.assert_array_equal(found.distillation.heatmaps, trace.as_matched(4))
    corrected = trace.correct_joint(4, j, 300.0, 200.0)
    maps = anatomy(corrected, 5, j).distillation
    assert maps is not None and maps.handed_on
    np.testing.assert_array_equal(maps.heatmaps[j], corrected.handed_on(4)[j])
    np.testing.assert_array_equal(maps.heatmaps[0], corrected.as_matched(4)[0])


def test_swapped_read_outs_are_swapped_in_all_maps(trace: Trace) -> None:
    made = joints_trace(4).swap_readouts("left_wrist", "head")
    found = anatomy(made, 3, "head")
    np.testing.assert_allclose(found.contributions.sum(0) + found.bias, made.as_matched(3)[0], atol=1e-4)
    assert found.distillation is not None and found.distillation.handed_on


def test_without_kernels_at_the_joints_maps_are_as_they_were_matched() -> None:
    plain = joints_trace(3, joints_model(distillation="pooled"))
    np.testing.assert_array_equal(plain.as_matched(2), plain.heatmaps[2])
    np.testing.assert_array_equal(plain.distilled_from(1), plain.heatmaps[1])
    assert not anatomy(plain, 2, 0).is_refined
    with pytest.raises(ConfigError, match="kernels made at the joints, got one of dkd-"):
        joint_matching(plain, 2, 0)


def test_what_cannot_be_computed_is_refused(trace: Trace) -> None:
    with pytest.raises(FrameIndexError, match="got 0, whose maps"):
        joint_matching(trace, 0, "head")
    for t in (-1, LONG):
        with pytest.raises(FrameIndexError):
            joint_matching(trace, t, "head")
    with pytest.raises(ConfigError, match="left_wirst"):
        joint_matching(trace, 2, "left_wirst")
    erased = joints_trace(3, conditions=Conditions(feedback=lambda: erase))
    with pytest.raises(ConfigError, match="without a feedback"):
        joint_matching(erased, 2, "head")
    with pytest.raises(ConfigError, match="got one of .*, which has none"):
        joint_matching(FakeTrace(3), 2, "head")  # type: ignore[arg-type]
