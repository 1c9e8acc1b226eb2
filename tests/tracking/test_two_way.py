"""A two-way trace is two traces from one box: one of the clip from there on, one of the clip backwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dkd import Clip, ClipRange, Trace, TwoWayTrace, diagnose, save_joints, trace_person, trust
from dkd.analysis.anatomy import anatomy
from dkd.analysis.comparison import aftermath, divergence
from dkd.errors import BoxError, ClosedError, ConfigError, FrameIndexError, VideoCorruptError
from dkd.measures.divergence import recovery
from dkd.models import build_model, make_model, model_config
from dkd.models.dkd import DKD
from dkd.pose.smoothing import OneEuro
from dkd.tracking import notes
from dkd.tracking.conditions import Conditions
from dkd.tracking.feedback import shuffle_in_time
from dkd.tracking.interventions import DropFrames, Occlude, RepeatFrame
from dkd.tracking.reinitialise import Reinitialise
from dkd.video.ranges import Backwards
from dkd.video.samples import get_sample
from widgets.core.wire import read_message, render_detail, render_header, render_records

AT, N = 4, 9
BOX = (100.0, 20.0, 240.0, 230.0)
ARRAYS = (
    "joints", "raw_joints", "predicted_joints", "scores", "confidence", "corrected", "hidden", "heatmaps", "kernels",
)  # fmt: skip


def random_model(spread: float = 1.0) -> DKD:
    torch.manual_seed(0)
    made = make_model(model_config("dkd-tiny", input_size=128, channels=16, kernel_side=5))
    assert isinstance(made, DKD)
    torch.nn.init.normal_(made.readout.weight, std=spread)
    return made


@pytest.fixture(scope="module")
def model() -> DKD:
    return random_model()


@pytest.fixture(scope="module")
def faint() -> DKD:
    """Build a model whose matched maps are close to 0, so that a search finds something better."""
    return random_model(1e-3)


@pytest.fixture(scope="module")
def clip() -> ClipRange:
    return ClipRange(Clip(get_sample("rendered_walk").path), 0, N)


@pytest.fixture(scope="module")
def reversed_clip(clip: ClipRange) -> Clip:
    """The frames AT, AT − 1, … 0 as a clip of their own."""
    assert clip.fps is not None
    return Clip.from_array(np.stack([clip.frame(t) for t in range(AT, -1, -1)]), fps=clip.fps)


@pytest.fixture(scope="module")
def trace(model: DKD, clip: ClipRange) -> TwoWayTrace:
    return two_way(model, clip)


def two_way(model: DKD, clip: Any, conditions: Conditions | None = None, **options: Any) -> TwoWayTrace:
    made = trace_person(model, clip, BOX, AT, conditions, progress=False, **options)
    assert isinstance(made, TwoWayTrace)
    return made


def is_same(one: Trace, other: Trace, mine: slice = slice(None), its: slice = slice(None)) -> bool:
    arrays = all(np.array_equal(getattr(one, name)[mine], getattr(other, name)[its]) for name in ARRAYS)
    return arrays and one.crops[mine] == other.crops[its]


@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(),
        Conditions(smooth=OneEuro),
        Conditions(feedback=shuffle_in_time),
        Conditions(corrupt=lambda image, t: image // (t + 1)),
    ],
    ids=["plain", "smoothed", "shuffled", "corrupted"],
)
def test_each_direction_is_a_plain_trace(
    model: DKD, clip: ClipRange, reversed_clip: Clip, conditions: Conditions
) -> None:
    both = two_way(model, clip, conditions)
    forward = Trace(model, ClipRange(clip, AT), BOX, conditions, progress=False)
    backward = Trace(model, reversed_clip, BOX, conditions, progress=False)
    assert len(both) == both.n_wanted == both.n_traced == N
    assert both.complete
    assert is_same(both, forward, slice(AT, None))
    assert is_same(both, backward, slice(AT, None, -1))
    assert both.extra_passes == forward.extra_passes + backward.extra_passes


POLICY = Reinitialise(threshold=0.99, patience=2, cooldown=0, gain=0.0, same_person=False)


def test_a_lost_track_is_re_initialised_in_both_directions(faint: DKD, clip: ClipRange, reversed_clip: Clip) -> None:
    conditions = Conditions(reinitialise=POLICY)
    both = two_way(faint, clip, conditions)
    forward = Trace(faint, ClipRange(clip, AT), BOX, conditions, progress=False)
    backward = Trace(faint, reversed_clip, BOX, conditions, progress=False)
    assert is_same(both, forward, slice(AT, None))
    assert is_same(both, backward, slice(AT, None, -1))
    assert both.extra_passes == forward.extra_passes + backward.extra_passes > 0
    found = [AT - one.frame for one in backward.reinitialised[::-1]] + [AT + one.frame for one in forward.reinitialised]
    assert [one.frame for one in both.reinitialised] == found
    assert found[0] < AT < found[-1]
    assert [t for t in range(N) if both.previous(t) is None] == sorted([AT, *found])
    for one in both.reinitialised:  # the reason states the frames of the whole clip
        past = (one.frame + 2, one.frame + 1) if one.frame < AT else (one.frame - 2, one.frame - 1)
        assert one.reason.endswith("in frames {} to {}".format(*past))


def test_previous_frame(trace: TwoWayTrace, model: DKD, clip: ClipRange) -> None:
    assert [trace.previous(t) for t in range(N)] == [1, 2, 3, 4, None, 4, 5, 6, 7]
    assert [t for t in range(N) if trace.from_initializer(t)] == [AT]
    plain = Trace(model, clip, BOX, progress=False, stop=3)
    assert [plain.previous(t) for t in range(3)] == [None, 0, 1]
    with pytest.raises(FrameIndexError, match="frame 9 is outside"):
        trace.previous(N)


@pytest.mark.parametrize("t", [0, 3, 5, 8])
def test_matching_is_recomputed_in_both_directions(trace: TwoWayTrace, t: int) -> None:
    total = trace.contributions(t, "left_wrist").sum(0) + trace.bias[trace.skeleton.index("left_wrist")]
    np.testing.assert_allclose(total, trace.heatmaps[t, trace.skeleton.index("left_wrist")], rtol=1e-4, atol=1e-5)
    found = anatomy(trace, t, "left_wrist")
    assert found.distillation is not None
    assert found.distillation.frame == trace.previous(t)
    assert found.distillation.handed_on
    np.testing.assert_allclose(found.distillation.kernels, trace.kernels[trace.previous(t)], rtol=1e-4, atol=1e-5)


def test_messages_name_the_previous_frame(trace: TwoWayTrace) -> None:
    header = read_message(*render_header(trace, 0))
    assert (header["origin"], header["unmatched"], header["n_frames"]) == (AT, [AT], N)
    records = read_message(*render_records(trace, range(N), 0))["records"]
    assert [one["previous"] for one in records] == [trace.previous(t) for t in range(N)]
    for one in records:
        if one["previous"] is None:
            assert not one["kernels"].size
        else:
            kernels = trace.kernels[one["previous"]]
            np.testing.assert_allclose(one["kernels"] * one["kernel_scale"], kernels, atol=one["kernel_scale"])
    detail = read_message(*render_detail(trace, 0, 0))
    assert detail["previous"] == 1
    np.testing.assert_array_equal(detail["kernels"], trace.kernels[1])
    with pytest.raises(FrameIndexError, match="got 4: its maps come from the initializer"):
        render_detail(trace, AT, 0)


def test_measures_have_the_order_of_the_clip(trace: TwoWayTrace, tmp_path: Path) -> None:
    np.testing.assert_array_equal(trace.times, trace.clip.times)
    steps = np.linalg.norm(np.diff(trace.joints, axis=0), axis=-1) / np.diff(trace.times)[:, None]
    np.testing.assert_allclose(trace.speed()[1:], steps, rtol=1e-5)
    found = diagnose(trace)
    assert found.started == (AT,)
    assert trust(trace).n_frames == N
    save_joints(trace, tmp_path / "joints.csv", first=10)
    frames = [line.split(",")[0] for line in (tmp_path / "joints.csv").read_text().splitlines()[1::13]]
    assert frames == [str(t) for t in range(10, 10 + N)]


def test_people_are_rows_of_one_table(trace: TwoWayTrace, tmp_path: Path) -> None:
    hidden = trace.hide_joint(2, "head")
    save_joints({"Anna": trace, "Ben": hidden}, tmp_path / "joints.csv")
    table = pd.read_csv(tmp_path / "joints.csv")
    assert list(table.columns[:3]) == ["person", "frame", "time_s"]
    assert table.groupby("person", sort=False).size().to_dict() == {"Anna": N * 13, "Ben": N * 13}
    assert table.hidden.dtype == table.corrected.dtype == bool
    assert table[table.hidden][["person", "frame", "joint"]].to_numpy().tolist() == [["Ben", 2, "head"]]
    np.testing.assert_allclose(table[table.person == "Anna"][["x", "y"]], trace.joints.reshape(-1, 2), rtol=1e-5)
    with pytest.raises(ConfigError, match="at least one person"):
        save_joints({}, tmp_path / "none.csv")
    assert not (tmp_path / "none.csv").exists()


# --- counterfactuals --------------------------------------------------------------------------------------------------

CALLS = [
    "freeze_kernel(3)",
    "freeze_kernel(6, range(2, 5))",
    "swap_kernels(2, 6)",
    "edit_kernel(range(3, 9), 'solo', channels=(2,))",
    "swap_readouts('left_wrist', 'right_wrist')",
    "occlude((60, 40, 200, 200), range(1, 3))",
    "occlude((60, 40, 200, 200), 4)",
    "occlude((60, 40, 200, 200), range(6, 8))",
    "add_noise(range(3, 6), sigma=30.0, seed=3)",
    "drop_frames(range(2, 6))",
    "repeat_frame(range(1, 3))",
    "shift_box(3, dx=0.2, dy=-0.1, scale=1.2)",
    "change_state(range(3, 6), 'swap_sides', joint='left_wrist')",
    "restart(2)",
    "restart(7)",
    "correct_joint(2, 'left_wrist', 130.0, 90.5)",
    "correct_joint(4, 'left_wrist', 130.0, 90.5)",
    "correct_joint(6, 'left_wrist', 130.0, 90.5)",
    "hide_joint(range(3, 6), 'head')",
    "swap_sides(range(2, 7), 'leg')",
    "set_box(2, (90.0, 30.0, 260.0, 240.0))",
    "set_box(4, (90.0, 30.0, 260.0, 240.0), restart=True)",
    "interpolate('left_wrist', 1, 7)",
]


@pytest.mark.parametrize("call", CALLS)
def test_a_counterfactual_is_the_run_with_the_change_from_the_start(
    trace: TwoWayTrace, model: DKD, clip: ClipRange, call: str
) -> None:
    changed = eval(f"trace.{call}", {"trace": trace})
    from_scratch = two_way(model, clip, Conditions(interventions=changed.conditions.interventions))
    assert is_same(changed, from_scratch)
    assert changed.dropped == from_scratch.dropped
    assert [one.frame for one in changed.reinitialised] == [one.frame for one in from_scratch.reinitialised]
    assert not is_same(changed, trace)
    assert (changed.calls, changed.undo()) == ((call,), trace)


@pytest.mark.parametrize(
    ("frames", "same"),
    [
        (range(1, 3), range(3, 9)),  # goes on to frame 0
        (range(6, 7), range(6)),
        (range(4, 5), range(0)),  # of the frame with the box follow both directions
        (range(3, 6), range(0)),
    ],
)
def test_a_change_goes_on_away_from_the_box(trace: TwoWayTrace, frames: range, same: range) -> None:
    changed = trace.occlude((60, 40, 300, 220), frames)
    unchanged = [t for t in range(N) if np.array_equal(changed.heatmaps[t], trace.heatmaps[t])]
    assert unchanged == list(same)
    first = trace.first_change(changed.conditions.interventions)
    assert first <= min(set(range(N)) - set(unchanged))
    assert is_same(changed, trace, slice(first), slice(first))


def test_recovery_goes_in_the_direction_of_the_run(trace: TwoWayTrace, model: DKD) -> None:
    """The same numbers as for the plain run of that direction, with the frames of the clip."""
    for frames, run in ((range(2, 4), trace.backward), (range(5, 7), trace.forward)):
        changed = trace.occlude((60, 40, 300, 220), frames)
        found = aftermath(changed, divergence(trace, changed), changed.conditions.interventions)
        own = range(1, 3)  # these frames in the order of either run
        before = trace.heatmaps.copy()
        plain = run.occlude((60, 40, 300, 220), own)
        np.testing.assert_array_equal(trace.heatmaps, before)  # the run alone has arrays of its own
        expected = recovery(divergence(run, plain), own.stop)
        step = 1 if run is trace.forward else -1
        place = [
            None if t is None else AT + step * t for t in (expected.first, expected.peak_frame, expected.recovered)
        ]
        assert [found.recovery.first, found.recovery.peak_frame, found.recovery.recovered] == place
        assert (found.recovery.peak, found.recovery.frames) == (expected.peak, expected.frames)
        assert (found.end, found.lasts) == (AT + step * own.stop, False)
    both = trace.occlude((60, 40, 300, 220))
    assert aftermath(both, divergence(trace, both), both.conditions.interventions).lasts


def test_interventions_act_in_the_order_of_the_run(trace: TwoWayTrace) -> None:
    held = trace.repeat_frame(range(1, 3))
    np.testing.assert_array_equal(held.picture(1), trace.picture(3))  # its past is frame 3
    np.testing.assert_array_equal(held.picture(2), trace.picture(3))
    np.testing.assert_array_equal(held.picture(0), trace.picture(0))
    held = trace.repeat_frame(range(6, 8))
    np.testing.assert_array_equal(held.picture(7), trace.picture(5))
    dropped = trace.drop_frames(range(1, 3))
    np.testing.assert_array_equal(dropped.joints[1], trace.joints[3])
    assert [t for t in range(N) if dropped.previous(t) is None] == [1, 2, AT]


def test_positions_have_the_order_of_the_run(trace: TwoWayTrace) -> None:
    moved = trace.interpolate("left_wrist", 1, 7)
    j = trace.skeleton.index("left_wrist")
    share = (trace.times[1:8] - trace.times[1]) / (trace.times[7] - trace.times[1])
    line = trace.joints[1, j] + share[:, None] * (trace.joints[7, j] - trace.joints[1, j])
    np.testing.assert_allclose(moved.joints[1:8, j], line, atol=1e-3)
    assert np.flatnonzero(moved.corrected[:, j]).tolist() == list(range(1, 8))


@given(first=st.integers(0, 8), length=st.integers(1, 9), at=st.integers(0, 8))
def test_frames_of_an_intervention_in_the_order_of_a_run(first: int, length: int, at: int) -> None:
    frames = range(first, min(first + length, 9))
    for run in (range(at, 9), range(at, -1, -1)):
        placed = Occlude(frames, (0, 0, 9, 9)).renumbered(run)
        acts = [t in frames for t in run]
        assert acts == [placed is not None and placed.acts(i) for i in range(len(run))]


def test_a_change_without_frames_in_a_direction_is_left_out(trace: TwoWayTrace) -> None:
    changed = trace.drop_frames(7)
    assert changed.backward.conditions.interventions == ()
    assert changed.forward.conditions.interventions == (DropFrames(range(3, 4)),)
    changed = trace.repeat_frame(1)
    assert changed.backward.conditions.interventions == (RepeatFrame(range(3, 4)),)


# --- growing ----------------------------------------------------------------------------------------------------------


@settings(max_examples=5, deadline=None)
@given(stops=st.lists(st.integers(1, 10), max_size=3))
def test_a_run_in_progress(trace: TwoWayTrace, model: DKD, clip: ClipRange, stops: list[int]) -> None:
    made = two_way(model, clip, cancel=lambda: True)
    seen = [(made.n_traced, made.latest, len(made))]
    assert seen == [(0, None, 0)]

    def watch() -> bool:
        if made.n_traced != seen[-1][0]:
            assert made.n_traced == seen[-1][0] + 1
            seen.append((made.n_traced, made.latest, len(made)))
            known = np.flatnonzero(np.isfinite(made.partial_joints).all((1, 2)))
            assert len(known) == made.n_traced
            np.testing.assert_array_equal(made.partial_joints[known], trace.joints[known])
        return bool(stops) and made.n_traced >= stops[0]

    while stops:
        made.run(progress=False, cancel=watch)
        stops.pop(0)
    made.run(progress=False, cancel=watch)
    seen.append((made.n_traced, made.latest, len(made)))
    order = [None, 4, 3, 2, 1, 0, 5, 6, 7, 8]
    assert [latest for _, latest, _ in seen] == order
    assert all(length == (n if n > AT + 1 else 0) for n, _, length in seen if n != AT + 1)
    assert is_same(made, trace)


def test_a_snapshot_does_not_grow(trace: TwoWayTrace, model: DKD, clip: ClipRange) -> None:
    made = two_way(model, clip, cancel=lambda: True)
    made.run(progress=False, cancel=lambda: len(made) >= 6)
    shown = made.snapshot()
    made.run(progress=False)
    assert (len(shown), len(made)) == (6, N)
    assert is_same(shown, trace, slice(6), slice(6))
    np.testing.assert_array_equal(shown.picture(1), trace.picture(1))


def test_a_run_in_progress_is_shown_while_it_goes_backwards(trace: TwoWayTrace) -> None:
    """After a correction before the origin, the frames on its other side are there, and those before it come."""
    whole = trace.correct_joint(3, "head", 100, 90)
    made = trace.correct_joint(3, "head", 100, 90, cancel=lambda: True)
    seen = []
    first = 4

    def is_there() -> bool:
        return made.latest is not None and made.latest <= first

    for first in (4, 3, 2, 1):
        made.run(progress=False, cancel=is_there)
        shown = made.in_progress()
        seen.append((made.latest, made.traced_frames, shown.traced_frames, len(made), len(shown)))
        frames = shown.traced_frames
        assert is_same(shown, whole, slice(first, N), slice(first, N))
        assert shown.crops[first:] == whole.crops[first:]
        np.testing.assert_array_equal(shown.picture(first), whole.picture(first))
        if first < AT:
            np.testing.assert_array_equal(shown.contributions(first, "head"), whole.contributions(first, "head"))
    assert seen == [(t, range(t, N), range(t, N), 0, N) for t in (4, 3, 2, 1)]
    assert (len(shown), frames) == (N, range(1, N))
    made.run(progress=False)
    assert made.traced_frames == range(N) == made.in_progress().traced_frames
    assert is_same(made, whole) and is_same(made.in_progress(), whole)
    begun = trace.correct_joint(AT, "head", 100, 90, cancel=lambda: True)  # in both directions: nothing is kept
    assert len(begun.traced_frames) == len(begun.in_progress()) == 0


def test_a_counterfactual_of_a_run_in_progress_is_completed(trace: TwoWayTrace, model: DKD, clip: ClipRange) -> None:
    made = two_way(model, clip, cancel=lambda: True)
    made.run(progress=False, cancel=lambda: made.n_traced >= 3)
    changed = made.occlude((60, 40, 200, 200), 7)
    assert is_same(changed, trace.occlude((60, 40, 200, 200), 7))


def test_a_change_keeps_the_frames_of_the_other_direction(trace: TwoWayTrace) -> None:
    later = trace.occlude((60, 40, 200, 200), 7, cancel=lambda: True)
    assert (later.n_traced, len(later)) == (7, 7)
    earlier = trace.occlude((60, 40, 200, 200), 1, cancel=lambda: True)
    assert (len(earlier), len(earlier.backward), len(earlier.forward)) == (0, 3, 5)
    earlier.run(progress=False)
    assert is_same(earlier, trace.occlude((60, 40, 200, 200), 1))


def test_the_same_run_with_another_policy(trace: TwoWayTrace, faint: DKD, clip: ClipRange) -> None:
    assert not trace.would_change(None)
    assert trace.retrace(None) is trace
    lost = two_way(faint, clip)
    assert lost.would_change(POLICY)
    again = lost.retrace(POLICY)
    assert is_same(again, two_way(faint, clip, Conditions(reinitialise=POLICY)))
    assert not is_same(again, lost)
    assert is_same(again.retrace(None), lost)


# --- arguments --------------------------------------------------------------------------------------------------------


def test_without_a_box_the_person_is_searched_in_that_frame(model: DKD, clip: ClipRange) -> None:
    both = trace_person(model, clip, None, AT, progress=False)
    assert is_same(both, Trace(model, ClipRange(clip, AT), progress=False), slice(AT, None))


def test_a_part_of_a_clip(trace: TwoWayTrace, model: DKD, clip: ClipRange) -> None:
    made = trace_person(model, clip, BOX, AT, start=2, stop=7, progress=False)
    assert (made.origin, len(made)) == (AT - 2, 5)
    assert is_same(made, trace, its=slice(2, 7))
    last = trace_person(model, clip, BOX, AT, stop=AT + 1, progress=False)
    assert is_same(last, trace, its=slice(AT + 1))


def test_from_the_first_frame_it_is_a_plain_trace(model: DKD, clip: ClipRange) -> None:
    every: list[dict[str, Any]] = [{"at": 0}, {}, {"at": 3, "start": 3}, {"start": 3}]
    for options in every:
        made = trace_person(model, clip, BOX, progress=False, **options)
        assert type(made) is Trace
        start = options.get("start", 0)
        assert is_same(made, Trace(model, ClipRange(clip, start), BOX, progress=False))


def test_a_path_is_opened_and_closed_with_the_last_trace(model: DKD, trace: TwoWayTrace) -> None:
    path = get_sample("rendered_walk").path
    made = trace_person(model, path, BOX, AT, stop=N, progress=False)
    assert is_same(made, trace)
    changed = made.occlude((60, 40, 200, 200), 7)
    made.close()
    assert changed.picture(0).shape == (240 * 2, 640, 3)
    changed.close()
    with pytest.raises(ClosedError):
        made.clip.frame(8)
    with pytest.raises(ClosedError):
        len(changed)


@pytest.mark.parametrize("options", [{"at": N}, {"at": -1}, {"at": 1, "start": 2}, {"at": 5, "stop": 5}])
def test_a_frame_outside_the_part_is_refused(model: DKD, clip: ClipRange, options: dict[str, Any]) -> None:
    with pytest.raises(FrameIndexError, match="expected the frame of the box in the part that is traced"):
        trace_person(model, clip, BOX, progress=False, **options)
    with pytest.raises(FrameIndexError, match="expected the frame of the box in 0..8"):
        TwoWayTrace(model, clip, BOX, N, progress=False)


def test_arguments_are_checked_as_for_a_trace(trace: TwoWayTrace, model: DKD, clip: ClipRange) -> None:
    with pytest.raises(BoxError):
        trace_person(model, clip, (5, 5, 5, 9), AT, progress=False)
    with pytest.raises(ConfigError, match=r"expected frames within 0\.\.8"):
        trace.drop_frames(N)


class Unreadable(ClipRange):
    """A clip of which one frame is damaged."""

    broken = 7

    def frame(self, t: int) -> np.ndarray:
        if t == self.broken:
            raise VideoCorruptError(f"frame {t} is damaged")
        return super().frame(t)


def test_a_damaged_frame_keeps_the_frames_before_it(trace: TwoWayTrace, model: DKD, clip: ClipRange) -> None:
    with pytest.raises(VideoCorruptError) as caught:
        two_way(model, Unreadable(clip, 0, N))
    partial = caught.value.trace  # type: ignore[attr-defined]
    assert is_same(partial, trace, its=slice(7))


def test_backwards_is_a_clip_in_reverse(clip: ClipRange) -> None:
    back = Backwards(clip, AT)
    assert len(back) == AT + 1
    assert (back.fps, back.backend, back.width, back.height, back.name) == (
        clip.fps, clip.backend, clip.width, clip.height, clip.name,
    )  # fmt: skip
    np.testing.assert_allclose(back.times, clip.times[: AT + 1])  # a constant rate
    for t in range(AT + 1):
        np.testing.assert_array_equal(back.frame(t), clip.frame(AT - t))
    for t in (-1, AT + 1):
        with pytest.raises(FrameIndexError):
            back.frame(t)
    with pytest.raises(FrameIndexError, match="expected a frame from 0 to 8"):
        Backwards(clip, N)


@pytest.mark.parametrize("every", [2, 10**6], ids=["kept states", "from the start"])
def test_a_correction_of_a_model_with_kernels_made_at_the_joints_continues_its_run(
    every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the run forwards, and as if the whole of it had been computed again."""
    monkeypatch.setattr(notes, "NOTED_EVERY", every)
    torch.manual_seed(0)
    model = build_model("dkd-tiny", channels=16, input_size=128, distillation="both").eval()
    assert isinstance(model, DKD)
    torch.nn.init.normal_(model.joint_matching.gate[-1].weight, std=0.3)  # type: ignore[arg-type]
    walk = get_sample("rendered_walk")
    with Clip(walk.path) as clip:
        trace = trace_person(model, clip, walk.box, at=4, stop=12, engine="torch", progress=False)
        kept = [sorted(run._tracker.notes.states or {}) for run in trace.runs if run._tracker.notes is not None]
        assert kept == ([[2, 4], [2, 4, 6, 8]] if every == 2 else [[], []])
        made = trace.correct_joint(9, "left_wrist", 200.0, 150.0)
        forwards = made.runs[-1]
        whole = Trace(model, ClipRange(clip, 4, 12), walk.box, forwards.conditions, engine="torch", progress=False)
        np.testing.assert_array_equal(forwards.heatmaps, whole.heatmaps)
        np.testing.assert_array_equal(forwards.joints, whole.joints)
        assert not np.array_equal(made.heatmaps, trace.heatmaps)
