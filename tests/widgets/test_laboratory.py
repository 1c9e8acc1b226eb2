"""The laboratory without a browser: what its messages do is what the methods of a trace do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dkd import Trace
from dkd.analysis.comparison import divergence
from dkd.errors import ConfigError, DKDError
from dkd.measures.divergence import recovery
from dkd.models import make_model, model_config
from dkd.pose.smoothing import OneEuro
from dkd.tracking.conditions import Conditions
from dkd.tracking.counterfactuals import Counterfactuals
from dkd.video.clip import Clip
from dkd.video.samples import get_sample
from tests.support.server import until
from tests.support.small_laboratory import BOX, T, other_trace, same, small_trace
from widgets import Cursor, Laboratory
from widgets.core.wire import read_message, render_records
from widgets.laboratory.forms import FORMS, METHODS, as_records
from widgets.laboratory.laboratory import render_effect

ROOT = Path(__file__).resolve().parents[2]
# What the page sends for each form, and the same as Python.
STEPS: list[tuple[str, dict[str, Any], str]] = [
    ("freeze_kernel", {"frame": 3}, "freeze_kernel(3)"),
    ("freeze_kernel", {"frame": 6, "frames": [2, T]}, "freeze_kernel(6, range(2, 12))"),
    ("swap_kernels", {"first": 2, "second": 6}, "swap_kernels(2, 6)"),
    ("average_kernel", {"of_first": 1, "of_last": 4, "frames": [5, 7]}, "average_kernel(range(1, 5), range(5, 7))"),
    ("put_kernel", {"frames": [4, 6], "other": "other", "other_frame": 1}, "put_kernel(range(4, 6), other, 1)"),
    ("swap_readouts", {"joint": "left_wrist", "other": "head"}, "swap_readouts('left_wrist', 'head')"),
    ("occlude", {"box": [60, 40, 300, 200], "frames": [3, 6]}, "occlude((60, 40, 300, 200), range(3, 6))"),
    ("blur", {"frames": [2, 4], "sigma": 0.03}, "blur(range(2, 4), sigma=0.03)"),
    ("add_noise", {"frames": [4, 6], "sigma": 30, "seed": 3}, "add_noise(range(4, 6), sigma=30, seed=3)"),
    ("darken", {"frames": [0, T], "gain": 0.5}, "darken(gain=0.5)"),
    ("drop_frames", {"frames": [4, 5]}, "drop_frames(4)"),
    ("repeat_frame", {"frames": [4, 6]}, "repeat_frame(range(4, 6))"),
    ("shift_box", {"frames": [3, 4], "dx": 0.2, "dy": -0.1, "scale": 1.2}, "shift_box(3, dx=0.2, dy=-0.1, scale=1.2)"),
    ("change_state", {"frames": [4, 5], "change": "erase"}, "change_state(4, 'erase')"),
    ("change_state", {"frames": [4, 7], "change": "swap_sides", "joint": "left_wrist"},
     "change_state(range(4, 7), 'swap_sides', joint='left_wrist')"),
    ("change_state", {"frames": [4, 5], "change": "shift", "dx": 2, "dy": -1},
     "change_state(4, 'shift', dx=2, dy=-1)"),
    ("restart", {"frame": 5}, "restart(5)"),
    ("edit_kernel", {"frames": 3, "operation": "zero", "channels": [0, 5]}, "edit_kernel(3, 'zero', channels=(0, 5))"),
    ("edit_kernel", {"frames": 2, "operation": "rotate", "channels": [4], "amount": 90},
     "edit_kernel(2, 'rotate', channels=(4,), amount=90)"),
    ("edit_kernel", {"frames": 6, "operation": "paint", "channels": [1], "values": [[0.1] * 5] * 5},
     f"edit_kernel(6, 'paint', channels=(1,), values={[[0.1] * 5] * 5})"),
]  # fmt: skip


@pytest.fixture(scope="module")
def trace() -> Trace:
    return small_trace()


@pytest.fixture(scope="module")
def other(trace: Trace) -> Trace:
    return other_trace(trace.model)


@pytest.fixture
def lab(trace: Trace, other: Trace) -> Iterator[Laboratory]:
    lab = Laboratory(trace, others={"other": other})
    yield lab
    lab.close()


def ask(lab: Laboratory, *steps: tuple[str, dict[str, Any]]) -> None:
    """As the page does."""
    lab._hear(lab, {"type": "apply", "steps": [{"name": n, "arguments": a} for n, a in steps]}, [])


@pytest.mark.parametrize(("name", "arguments", "line"), STEPS, ids=[line for _, _, line in STEPS])
def test_what_the_page_asks_for_is_the_method(
    lab: Laboratory, trace: Trace, other: Trace, name: str, arguments: dict[str, Any], line: str
) -> None:
    ask(lab, (name, arguments))
    assert lab.wait() and lab._problem == ""
    expected = eval(f"trace.{line}", {"trace": trace, "other": other})
    assert same(lab.what_if, expected) and not same(lab.what_if, trace)
    assert lab.code() == f"lab_trace = trace.{line}" and lab._effect["calls"] == [line]
    assert lab.trace is trace


def test_every_form_is_a_method_with_these_arguments(trace: Trace) -> None:
    import inspect

    for form in FORMS:
        known = set(inspect.signature(getattr(Counterfactuals, form.method)).parameters)
        names = {"count": "frames", "of_first": "of", "of_last": "of"}
        given = {names.get(field.name, field.name) for field in form.fields} | set(form.fixed)
        assert given <= known, form.key
    assert {name for name, _, _ in STEPS} == METHODS
    assert len({form.key for form in FORMS}) == len(FORMS)
    assert "put" not in {form["key"] for form in as_records(True, [])}
    assert {form["group"] for form in as_records(False, ["a"])} == {"Input", "State"}


def test_the_copied_line_makes_the_same_trace_in_a_fresh_process(lab: Laboratory, tmp_path: Path, trace: Trace) -> None:
    ask(lab, *[(name, arguments) for name, arguments, _ in STEPS])
    assert lab.wait() and lab._problem == "" and len(lab._effect["calls"]) == len(STEPS)
    assert lab._effect["code"] == lab.code() == "lab_trace = trace." + ".".join(line for _, _, line in STEPS)
    file = tmp_path / "lab.npz"
    code = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
import numpy as np
from tests.support.small_laboratory import other_trace, small_trace
trace = small_trace()
other = other_trace(trace.model)
{lab.code()}
np.savez({str(file)!r}, heatmaps=lab_trace.heatmaps, kernels=lab_trace.kernels, joints=lab_trace.joints)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    with np.load(file) as made:
        for name in ("heatmaps", "kernels", "joints"):
            assert np.array_equal(made[name], getattr(lab.what_if, name)), name


def test_changes_made_together_are_undone_together(lab: Laboratory, trace: Trace) -> None:
    zero = {"frames": 4, "operation": "zero", "channels": [1]}
    ask(lab, ("edit_kernel", zero), ("edit_kernel", {**zero, "channels": [2]}))
    assert lab.wait() and same(lab.what_if, trace.edit_kernel(4, "zero", [1, 2])) and len(lab.what_if.calls) == 2
    lab.undo()
    assert lab.what_if is trace


def test_undo_redo_and_clear_keep_the_traces(lab: Laboratory, trace: Trace) -> None:
    lab.apply("darken", range(3, T))
    lab.apply("restart", 5)
    assert lab.wait()
    both = lab.what_if
    lab.undo()
    one = lab.what_if
    assert len(one.calls) == 1 and one.calls == both.calls[:1]
    lab.undo()
    lab.undo()  # nothing more
    assert lab.what_if is trace and lab.code() == "lab_trace = trace"
    lab.redo()
    assert lab.what_if is one
    lab.redo()
    lab.redo()
    assert lab.what_if is both
    lab.clear()
    assert lab.what_if is trace
    lab.undo()
    assert lab.what_if is both
    lab.undo()
    lab.apply("restart", 4)  # what was undone is gone
    lab.redo()
    assert lab.wait() and lab.what_if.calls[-1] == "restart(4)"


def test_effect_and_recovery(lab: Laboratory, trace: Trace) -> None:
    nothing = render_effect(trace, trace)
    assert nothing["recovery"] is None and nothing["calls"] == [] and not nothing["distances"].any()
    lab.apply("occlude", (230, 80, 420, 300), range(3, 5))
    assert lab.wait()
    apart = divergence(trace, lab.what_if)
    effect = read_message(lab._effect, lab._effect["buffers"])
    assert np.array_equal(effect["distances"], apart)
    assert effect["spans"] == [[3, 5]] and (effect["frames"], effect["of"]) == (T, T)
    assert lab.recovery() == recovery(apart, 5)
    found = effect["recovery"]
    assert found["peak"] == apart.max() and found["end"] == 5 and not found["lasts"]
    assert found["peak_joint"] == trace.skeleton.joints[apart[found["peak_frame"]].argmax()]
    lab.apply("darken", range(6, T))
    assert lab.wait() and lab._effect["recovery"]["lasts"] and lab._effect["spans"] == [[3, 5], [6, T]]


def test_the_page_keeps_frames_that_are_equal_in_both_runs(lab: Laboratory, trace: Trace) -> None:
    """The feed says how many first frames stay, and their records are equal indeed; the next one is not."""
    sent: list[tuple[dict[str, Any], list[bytes]]] = []
    lab._other_feed.send = lambda content, buffers=None: sent.append((content, buffers or []))
    steps = [
        lambda: lab.apply("freeze_kernel", 3, range(5, T)),
        lambda: lab.apply("occlude", (230, 80, 420, 300), range(7, T)),
        lab.undo,
        lab.undo,
        lab.redo,
    ]
    before: Any = trace
    for step, keep in zip(steps, (5, 7, 7, 5, 5), strict=True):
        sent.clear()
        step()
        assert lab.wait()
        header = next(content for content, _ in sent if content["type"] == "header")
        assert header["keep"] == keep
        for t in range(keep):
            assert render_records(before, [t], 0) == render_records(lab.what_if, [t], 0)
        assert render_records(before, [keep + 1], 0) != render_records(lab.what_if, [keep + 1], 0)
        assert {content["generation"] for content, _ in sent if content["type"] == "header"} == {header["generation"]}
        last = [content for content, _ in sent if content["type"] == "header"][-1]
        assert last["n_frames"] == T
        before = lab.what_if


def test_frames_are_shown_while_the_run_grows(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent never has more frames than were computed, and a run that is overtaken stops."""
    monkeypatch.setattr("widgets.laboratory.laboratory.FIRST_S", 0.0)
    monkeypatch.setattr("widgets.laboratory.laboratory.EVERY_S", 0.0)
    lab = Laboratory(trace)
    lengths: list[tuple[int, int]] = []

    def send(content: dict[str, Any], buffers: Any = None) -> None:
        if content["type"] == "header":
            lengths.append((content["generation"], content["n_frames"]))

    lab._other_feed.send = send
    lab.apply("freeze_kernel", 3)  # from frame 0: everything is computed again
    assert lab.wait()
    first = [n for generation, n in lengths if generation == 1]
    assert first == sorted(first) and first[0] < T and first[-1] == T and len(first) > 4
    lab.apply("darken")
    unfinished = lab.what_if
    lab.apply("restart", 11)  # needs frame 11 of a run that is not there yet: it only acts there
    assert lab.wait() and lab.what_if.calls[-1] == "restart(11)" and lab.what_if.base is unfinished
    assert same(lab.what_if, trace.freeze_kernel(3).darken().restart(11))
    lab.undo()
    assert lab.wait() and lab.what_if is unfinished and unfinished.complete  # it goes on where it was stopped
    assert same(unfinished, trace.freeze_kernel(3).darken())
    lab.close()


def test_what_needs_frames_that_are_not_there_yet_waits_for_them(trace: Trace) -> None:
    lab = Laboratory(trace)
    lab.apply("darken")
    lab.apply("freeze_kernel", 11)  # of a run that is being computed
    until(lambda: lab.wait() and len(lab.what_if.calls) == 2)
    assert lab.wait() and same(lab.what_if, trace.darken().freeze_kernel(11))
    lab.close()


@pytest.mark.parametrize(
    ("name", "arguments", "what"),
    [
        ("freeze_kernel", {"frame": 40}, "outside the trace"),
        ("occlude", {"box": [50, 40, 50, 200], "frames": 3}, "x0 < x1"),
        ("put_kernel", {"frames": 4, "other": "another", "other_frame": 0}, "no other run 'another'"),
        ("freeze", {"frame": 4}, "no intervention 'freeze'"),
        ("darken", {"frames": 3, "brightness": 1}, "brightness"),
    ],
)
def test_an_error_is_one_line_and_keeps_the_results(
    lab: Laboratory, name: str, arguments: dict[str, Any], what: str
) -> None:
    lab.apply("restart", 5)
    assert lab.wait()
    before = lab.what_if
    ask(lab, (name, arguments))
    assert what in lab._problem and "\n" not in lab._problem
    assert lab.what_if is before and lab.wait()
    with pytest.raises((DKDError, TypeError), match=what):
        lab.apply(name, **arguments)
    lab.undo()
    assert lab._problem == ""


def test_a_model_without_kernels_has_changes_of_its_input_only() -> None:
    net = make_model(model_config("simple-baseline-tiny", input_size=128))
    lab = Laboratory(Trace(net, Clip(get_sample("rendered_walk").path), BOX, progress=False, stop=4))
    assert {form["group"] for form in lab._forms} == {"Input", "State"}
    ask(lab, ("freeze_kernel", {"frame": 1}))
    assert "kernels" in lab._problem
    ask(lab, ("darken", {"frames": [2, 4]}))
    assert lab.wait() and lab._problem == "" and lab._effect["calls"]
    lab.close()


def test_what_cannot_be_shown_is_explained(trace: Trace, other: Trace) -> None:
    with pytest.raises(TypeError, match="others"):
        Laboratory(trace, other={"a": other})
    with pytest.raises(ConfigError, match="valid variable name"):
        Laboratory(trace, others={"a run": other})
    with pytest.raises(ConfigError, match="cursor over 12 frames"):
        Laboratory(trace, cursor=Cursor.for_trace(other))
    stopped = Trace(trace.model, trace.clip, BOX, progress=False, stop=4, cancel=lambda: True)
    with pytest.raises(ConfigError, match="0 of 4 frames"):
        Laboratory(stopped)


def test_a_smoothed_run_can_be_changed_too(trace: Trace) -> None:
    smoothed = Trace(trace.model, trace.clip, BOX, Conditions(smooth=OneEuro), progress=False, stop=5)
    lab = Laboratory(smoothed)
    ask(lab, ("restart", {"frame": 3}))
    assert lab.wait() and lab._problem == "" and same(lab.what_if, smoothed.restart(3))
    lab.close()


def test_a_snapshot_does_not_grow(trace: Trace) -> None:
    growing = trace.drop_frames(7, cancel=lambda: True)
    seen = growing.snapshot()
    growing.run(progress=False)
    assert (len(seen), len(growing)) == (7, T) and seen.dropped == [] and growing.dropped == [7]
    assert len(seen.scores) == len(seen.kernel_drift()) == 7


def test_close_stops_the_running_computation(trace: Trace) -> None:
    lab = Laboratory(trace)
    lab.apply("darken")
    lab.close()
    lab.close()
    assert lab._runner.wait(60) and lab._other_feed is not None
