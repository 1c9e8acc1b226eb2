"""Counterfactuals: changing a run gives the same result as running with the change from the first frame on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dkd import Trace
from dkd.analysis.comparison import divergence
from dkd.errors import BoxError, ConfigError, DKDError, ShapeError
from dkd.measures.divergence import recovery
from dkd.models import make_model, model_config
from dkd.models.dkd import DKD
from dkd.pose.crops import Crop
from dkd.pose.skeleton import get_skeleton
from dkd.pose.smoothing import OneEuro
from dkd.tracking import notes
from dkd.tracking.conditions import Conditions
from dkd.tracking.feedback import shuffle_in_time
from dkd.tracking.interventions import ChangeState, Context, Occlude, Pose, edit
from dkd.tracking.perturbations import crowd
from dkd.tracking.reinitialise import Reinitialise
from dkd.video.clip import Clip
from dkd.video.samples import get_sample

T = 9
CALLS = [
    "freeze_kernel(3)",
    "freeze_kernel(6, range(2, 5))",
    "average_kernel(range(1, 5), range(5, 9))",
    "swap_kernels(2, 6)",
    "put_kernel(4, other, 1)",
    "put_kernel(range(4, 7), other, 1)",
    "edit_kernel(3, 'zero', channels=(0, 5))",
    "edit_kernel(range(3, 9), 'solo', channels=(2,))",
    "edit_kernel(3, 'blur', amount=0.8)",
    "edit_kernel(range(2, 6), 'rotate', amount=90)",
    "swap_readouts('left_wrist', 'right_wrist')",
    "occlude((60, 40, 200, 200), range(3, 6))",
    "blur(range(2, 4), sigma=0.03)",
    "add_noise(range(4, 6), sigma=30.0, seed=3)",
    "darken(range(5, 9), gain=0.5)",
    "darken(gain=0.5)",
    "drop_frames(4)",
    "drop_frames(range(3, 9))",
    "repeat_frame(range(4, 6))",
    "shift_box(3, dx=0.2, dy=-0.1, scale=1.2)",
    "change_state(4, 'erase')",
    "change_state(range(4, 7), 'swap_sides', joint='left_wrist')",
    "change_state(4, 'shift', dx=2, dy=-1)",
    "restart(5)",
    "correct_joint(0, 'head', 150.0, 40.5)",
    "correct_joint(4, 'left_wrist', 150.0, 120.0)",
    "hide_joint(4, 'left_wrist')",
    "hide_joint(range(3, 6), 'head')",
    "swap_sides(range(3, 6))",
    "swap_sides(4, ('wrist', 'left_ankle'))",
    "swap_sides(range(4, 9), 'leg')",
    "set_box(4, (60.0, 10.0, 200.0, 220.0))",
    "set_box(4, (60.0, 10.0, 200.0, 220.0), restart=True)",
    "interpolate('left_wrist', 2, 6)",
    "correct_joint(2, 'head', 150.0, 40.0).correct_joint(6, 'head', 170.0, 44.0).interpolate('head', 2, 6)",
    "correct_joint(3, 'head', 150.0, 40.0).drop_frames(range(4, 6)).hide_joint(5, 'left_knee').restart(7)",
    "freeze_kernel(3).occlude((0, 0, 90, 90), range(4, 9)).restart(6)",
]


@pytest.fixture(scope="module")
def model() -> DKD:
    """Build a model with random weights, as interventions only have to change numbers."""
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
    return Trace(model, clip, (100.0, 20.0, 240.0, 230.0), progress=False, stop=T)


@pytest.fixture(scope="module")
def other(model: DKD, clip: Clip) -> Trace:
    return Trace(model, clip, (20.0, 10.0, 120.0, 200.0), progress=False, stop=3)


def asked(trace: Trace, call: str, other: Trace) -> Trace:
    made = eval(f"trace.{call}", {"trace": trace, "other": other})
    assert isinstance(made, Trace)
    return made


def same(a: Trace, b: Trace) -> bool:
    return len(a) == len(b) and all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("heatmaps", "kernels", "joints", "scores", "predicted_joints", "corrected", "hidden")
    )


@pytest.mark.parametrize("call", CALLS)
def test_frames_taken_over_are_those_of_a_run_with_the_change_from_its_start(
    trace: Trace, other: Trace, call: str
) -> None:
    made = asked(trace, call, other)
    whole = Trace(trace.model, trace.clip, trace.box, made.conditions, progress=False, stop=T)
    assert same(made, whole) and made.crops == whole.crops
    assert made.dropped == whole.dropped and made.reinitialised == whole.reinitialised
    assert not same(made, trace)
    first = min(one.frames.start for one in made.conditions.interventions)
    assert np.array_equal(made.heatmaps[:first], trace.heatmaps[:first])
    assert np.array_equal(made.picture(0), trace.clip.frame(0)) == (not call.startswith("darken(gain"))


@pytest.mark.parametrize("call", CALLS)
def test_the_calls_of_a_trace_make_it_again_and_undo_takes_them_back(trace: Trace, other: Trace, call: str) -> None:
    made = asked(trace, call, other)
    assert same(asked(trace, ".".join(made.calls), other), made)
    assert ".".join(made.calls) == call
    back = made
    for _ in made.calls:
        back = back.undo()
    assert back is trace and trace.calls == ()
    with pytest.raises(ConfigError, match="nothing to undo"):
        trace.undo()


@pytest.mark.parametrize("call", CALLS)
def test_contributions_still_add_up_to_the_maps(trace: Trace, other: Trace, call: str) -> None:
    made = asked(trace, call, other)
    for t in range(1, T):
        if made.from_initializer(t):
            continue
        for j in (0, made.skeleton.index("left_wrist")):
            total = made.contributions(t, j).sum(0) + made.bias[j]
            np.testing.assert_allclose(total, made.heatmaps[t, j], atol=1e-4)


def test_a_frozen_kernel_is_matched_in_every_frame(trace: Trace) -> None:
    made = trace.freeze_kernel(3)
    assert all(np.array_equal(k, trace.kernels[3]) for k in made.kernels)
    swapped = trace.swap_kernels(2, 6)
    assert np.array_equal(swapped.kernels[2], trace.kernels[6])
    assert np.array_equal(swapped.kernels[6], trace.kernels[2])


def test_a_change_in_one_frame_is_visible_in_the_next(trace: Trace) -> None:
    """K̃_t and the passed-on H_t come from frame t and are used in t+1: maps of frame t itself stay the same."""
    for made in (trace.edit_kernel(4, "zero"), trace.change_state(4, "erase")):
        assert np.array_equal(made.heatmaps[:5], trace.heatmaps[:5])
        assert not np.array_equal(made.heatmaps[5], trace.heatmaps[5])
    silent = trace.edit_kernel(4, "zero").heatmaps[5]
    np.testing.assert_allclose(silent, np.broadcast_to(trace.bias[:, None, None], silent.shape), atol=1e-6)


def test_muting_channels_takes_their_contributions_away(trace: Trace) -> None:
    made = trace.edit_kernel(4, "zero", [1, 7])
    j = 3
    gone = trace.contributions(5, j)[[1, 7]].sum(0)
    np.testing.assert_allclose(made.heatmaps[5, j], trace.heatmaps[5, j] - gone, atol=1e-4)
    solo = trace.edit_kernel(4, "solo", [1, 7])
    np.testing.assert_allclose(solo.heatmaps[5, j], gone + trace.bias[j], atol=1e-4)


def test_swapped_readouts_exchange_maps_rows_and_biases(trace: Trace) -> None:
    made = trace.swap_readouts("left_wrist", "head")
    a, b = trace.skeleton.index("left_wrist"), trace.skeleton.index("head")
    assert np.array_equal(made.heatmaps[1, a], trace.heatmaps[1, b])
    assert np.array_equal(made.readout[a], trace.readout[b]) and made.bias[b] == trace.bias[a]
    assert same(made.swap_readouts("head", "left_wrist"), trace)


def test_the_picture_shows_what_the_network_was_shown(trace: Trace) -> None:
    hidden = trace.occlude((60, 40, 200, 200), range(3, 6))
    expected = trace.clip.frame(4).copy()
    expected[40:200, 60:200] = 128
    assert np.array_equal(hidden.picture(4), expected)
    assert np.array_equal(hidden.picture(6), trace.clip.frame(6))
    still = trace.repeat_frame(range(4, 6))
    assert np.array_equal(still.picture(5), trace.clip.frame(3))
    dark = trace.darken(range(2, T), gain=0.5)
    square = dark.crops[3]
    inside, outside = np.ones(dark.picture(3).shape[:2], bool), trace.clip.frame(3)
    left, top = (max(0, int(np.floor(v))) for v in (square.left, square.top))
    right, bottom = (int(np.ceil(v + square.side)) for v in (square.left, square.top))
    inside[top:bottom, left:right] = False
    assert np.array_equal(dark.picture(3)[inside], outside[inside])
    assert np.array_equal(dark.picture(3)[~inside], np.rint(outside[~inside] * 0.5).astype(np.uint8))


def test_a_dropped_frame_reports_the_one_before(trace: Trace) -> None:
    made = trace.drop_frames(range(4, 6))
    assert made.dropped == [4, 5] and made.from_initializer(5) and not made.from_initializer(6)
    for t in (4, 5):
        assert np.array_equal(made.joints[t], trace.joints[3]) and np.array_equal(made.kernels[t], trace.kernels[3])
    assert made.reinitialised == []


def test_a_restart_is_noted_and_its_maps_are_the_initializers(trace: Trace) -> None:
    made = trace.restart(5)
    (event,) = made.reinitialised
    assert event.frame == 5 and event.reason == "asked for" and made.from_initializer(5)
    pixels = torch.from_numpy(made.network_pixels(5)).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        maps = made.model.initialise(pixels)[0].numpy()
    np.testing.assert_allclose(made.heatmaps[5], maps, atol=1e-6)


def test_the_state_changes_as_plain_arrays_say() -> None:
    maps = torch.arange(2 * 3 * 4, dtype=torch.float32).reshape(1, 2, 3, 4) + 1
    skeleton = get_skeleton("penn_action")
    pose = Pose.of_model(np.zeros((len(skeleton), 2)), np.zeros(len(skeleton), np.float32))
    context = Context(skeleton, Crop(0.0, 0.0, 100.0), 1.25, pose)
    moved = ChangeState(range(1), "shift", dx=1, dy=-2).handed_on(maps, 0, context)[0].numpy()
    expected = np.zeros((2, 3, 4), np.float32)
    expected[:, 0, 1:] = maps[0, :, 2, :3]
    assert np.array_equal(moved, expected)
    whole = torch.rand(1, len(skeleton), 3, 3)
    swapped = ChangeState(range(1), "swap_sides", "left_knee").handed_on(whole, 0, context)
    left, right = skeleton.index("left_knee"), skeleton.index("right_knee")
    assert torch.equal(swapped[:, left], whole[:, right]) and torch.equal(swapped[:, right], whole[:, left])
    others = [j for j in range(len(skeleton)) if j not in (left, right)]
    assert torch.equal(swapped[:, others], whole[:, others])
    assert ChangeState(range(1)).handed_on(whole, 1, context) is whole


@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_edits_of_kernels(half: int, seed: int) -> None:
    side = 2 * half + 1
    kernels = np.random.default_rng(seed).standard_normal((5, side, side)).astype(np.float32)
    turned = kernels
    for _ in range(4):
        turned = edit(turned, "rotate", (), 90)
    assert np.array_equal(turned, kernels)
    assert np.array_equal(edit(kernels, "rotate", (1,), 180)[1], kernels[1, ::-1, ::-1])
    assert np.array_equal(edit(kernels, "zero", (0, 2)) + edit(kernels, "solo", (0, 2)), kernels)
    painted = edit(kernels, "paint", (3,), values=np.ones((side, side)))
    assert np.array_equal(painted[3], np.ones((side, side))) and np.array_equal(painted[:3], kernels[:3])
    middle = np.zeros((1, side, side), np.float32)
    middle[0, half, half] = 1
    blurred = edit(middle, "blur", amount=0.5)[0]
    assert blurred[half, half] == blurred.max() < 1
    np.testing.assert_allclose(blurred, blurred[::-1, ::-1], atol=1e-7)


@pytest.mark.parametrize(
    ("call", "error", "what"),
    [
        ("freeze_kernel(9)", DKDError, "outside the trace"),
        ("occlude((50, 40, 50, 200), 3)", BoxError, "x0 < x1"),
        ("occlude((5000, 40, 5100, 200), 3)", BoxError, "outside the frame"),
        ("edit_kernel(3, 'sharpen')", ConfigError, "zero, solo, blur, rotate, paint"),
        ("occlude((50, 40, 90, 200), range(3, 3))", ConfigError, r"within 0\.\.8 .* got range\(3, 3\)"),
        ("darken(range(0, 9, 2))", ConfigError, "range of step 1 such as"),
        ("drop_frames(-1)", ConfigError, "got -1"),
        ("blur(range(-3, 4))", ConfigError, r"got range\(-3, 4\)"),
        ("blur('all')", ConfigError, "None for all; got 'all'"),
        ("darken(gain=2)", ConfigError, "gain in 0..1"),
        ("edit_kernel(3, 'zero', channels=(16,))", ConfigError, "channels in 0..15"),
        ("edit_kernel(3, 'paint', values=[[1, 2], [3, 4]])", ShapeError, "to paint"),
        ("edit_kernel(3, 'blur')", ConfigError, "more than 0 cells"),
        ("change_state(3, 'forget')", ConfigError, "erase, swap_sides or shift"),
        ("change_state(3, 'erase', joint='left_rist')", DKDError, "left_wrist"),
        ("swap_readouts('left_wrist', 'tail')", DKDError, "tail"),
        ("restart(40)", ConfigError, r"within 0\.\.8 of this trace"),
        ("average_kernel(range(4, 2))", ConfigError, r"got range\(4, 2\)"),
    ],
)
def test_impossible_requests_are_errors(
    trace: Trace, other: Trace, call: str, error: type[Exception], what: str
) -> None:
    with pytest.raises(error, match=what):
        asked(trace, call, other)


def test_models_without_kernels_take_changes_of_their_input_only(clip: Clip) -> None:
    net = make_model(model_config("simple-baseline-tiny", input_size=128))
    plain = Trace(net, clip, (100.0, 20.0, 240.0, 230.0), progress=False, stop=4)
    dark = plain.darken(range(2, 4))
    assert np.array_equal(dark.heatmaps[:2], plain.heatmaps[:2])
    assert not np.array_equal(dark.heatmaps[2], plain.heatmaps[2])
    for call in ("freeze_kernel(1)", "edit_kernel(1, 'zero')", "change_state(1, 'erase')"):
        with pytest.raises(ConfigError, match="kernels|passed-on maps"):
            asked(plain, call, plain)


@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(smooth=OneEuro),
        Conditions(peaks="steady"),
        Conditions(feedback=shuffle_in_time),
        Conditions(
            feedback=shuffle_in_time, smooth=OneEuro, reinitialise=Reinitialise(1.0, 2, 1, 0.0, False), corrupt=crowd
        ),
    ],
    ids=["smoothed", "chosen peaks", "shuffled", "all"],
)
@pytest.mark.parametrize(
    "call",
    [
        "freeze_kernel(2, range(5, 9))",
        "drop_frames(3).restart(6)",
        "restart(4)",
        "darken(range(5, 9), gain=0.3)",
        "correct_joint(3, 'head', 150.0, 40.0).drop_frames(5).swap_sides(range(6, 8)).hide_joint(7, 'left_wrist')",
        "set_box(5, (60.0, 10.0, 200.0, 220.0)).interpolate('head', 2, 6)",
    ],
)
def test_a_run_that_remembers_is_changed_as_if_from_its_start(
    model: DKD, clip: Clip, other: Trace, conditions: Conditions, call: str
) -> None:
    """The state of a smoother or feedback before the change is the same as in a complete run."""
    plain = Trace(model, clip, (100.0, 20.0, 240.0, 230.0), conditions, progress=False, stop=T)
    made = asked(plain, call, other)
    whole = Trace(model, clip, plain.box, made.conditions, progress=False, stop=T)
    assert same(made, whole) and not same(made, plain)
    assert np.array_equal(made.raw_joints, whole.raw_joints) and made.extra_passes == whole.extra_passes
    assert ".".join(made.calls) == call


@pytest.mark.parametrize("name", ["dkd-tiny", "lstm-pm-tiny"])
def test_a_model_whose_state_is_not_recorded_continues_from_a_kept_one(
    clip: Clip, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels made at the joints and the memory of an LSTM: every second state is kept, then every fourth."""
    monkeypatch.setattr(notes, "NOTED_EVERY", 2)
    monkeypatch.setattr(notes, "STATES", 3)
    torch.manual_seed(0)
    form: dict[str, Any] = {"distillation": "both", "channels": 16} if name == "dkd-tiny" else {}
    net = make_model(model_config(name, input_size=128, **form))
    if isinstance(net, DKD):
        torch.nn.init.normal_(net.joint_matching.gate[-1].weight, std=0.3)  # type: ignore[arg-type]
    plain = Trace(net, clip, (100.0, 20.0, 240.0, 230.0), progress=False, stop=T, engine="torch")
    assert plain._tracker.notes is not None and set(plain._tracker.notes.states or ()) == {4, 8}
    for call in ("darken(range(5, 9), gain=0.3)", "darken(range(8, 9), gain=0.3)", "shift_box(3, dx=0.2)"):
        made = asked(plain, call, plain)
        whole = Trace(net, clip, plain.box, made.conditions, progress=False, stop=T, engine="torch")
        assert same(made, whole) and not same(made, plain), call
        again = made.darken(range(7, 9), gain=0.5)
        twice = Trace(net, clip, plain.box, again.conditions, progress=False, stop=T, engine="torch")
        assert same(again, twice) and not same(again, made), call
    stopped = plain.darken(range(7, 9), gain=0.3, cancel=lambda: True)
    assert len(stopped) == 4  # taken over up to the last kept state


def test_a_stopped_counterfactual_resumes_to_the_same_result(trace: Trace) -> None:
    box = (60.0, 40.0, 200.0, 200.0)
    halfway = trace.occlude(box, range(4, T), cancel=lambda: True)
    assert len(halfway) == 4 and not halfway.complete
    halfway.run(progress=False)
    assert same(halfway, trace.occlude(box, range(4, T))) and halfway.conditions.interventions == (
        Occlude(range(4, T), (60, 40, 200, 200)),
    )


def test_divergence_and_recovery(trace: Trace) -> None:
    assert not divergence(trace, trace).any()
    made = trace.occlude((60, 40, 200, 200), range(3, 5))
    apart = divergence(trace, made)
    j, t = 4, 4
    box = trace.crops[t].side / 1.25
    assert apart[t, j] == pytest.approx(np.hypot(*(trace.joints[t, j] - made.joints[t, j])) / box, abs=1e-6)
    assert not apart[:3].any()

    def after(*worst: float, end: int) -> Any:
        return recovery(np.array(worst)[:, None], end)

    assert after(0, 0.01, 0.02, 0, end=1) == (None, pytest.approx(0.02), 2, None, 0)
    assert after(0, 0.3, 0.2, 0.1, 0, 0, 0, end=2) == (1, pytest.approx(0.3), 1, 4, 2)
    assert after(0, 0.3, 0.2, 0, 0, 0.2, end=2) == (1, pytest.approx(0.3), 1, None, None)
    assert after(0, 0.3, 0, 0, 0, 0, 0, 0.2, end=2)[3:] == (2, 0)  # five frames together are enough
    assert after(0, 0.3, 0.4, end=3) == (1, pytest.approx(0.4), 2, None, None)
