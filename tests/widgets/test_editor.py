"""The editor without a browser: its corrections are those of a trace, its history loses nothing, and no view breaks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dkd import Trace, replay, trace_person
from dkd.errors import ConfigError, FrameIndexError
from dkd.video.clip import Clip
from dkd.video.ranges import ClipRange
from dkd.video.samples import get_sample
from tests.support.fake_trace import FakeTrace
from tests.support.server import PATIENCE_S
from tests.support.small_laboratory import BOX, T, other_trace, same, small_trace
from widgets import Editor
from widgets.core.feed import Feed
from widgets.core.wire import read_message, render_detail, render_header, render_records
from widgets.studio import editor as editor_module
from widgets.studio.correcting import READ
from widgets.studio.edits import CORRECTIONS, Edit
from widgets.studio.people import COLOURS, KEPT, People
from widgets.studio.spliced import Spliced, changed_frames

WRIST = "left_wrist"


@pytest.fixture(scope="module")
def trace() -> Trace:
    return small_trace()


@pytest.fixture(scope="module")
def other(trace: Trace) -> Trace:
    clip = Clip(get_sample("rendered_walk").path)
    return Trace(trace.model, clip, (20, 10, 300, 400), progress=False, stop=T)


@pytest.fixture(scope="module")
def two_way(trace: Trace) -> Trace:
    clip = Clip(get_sample("rendered_walk").path)
    return trace_person(trace.model, clip, BOX, at=5, stop=T, progress=False)


@pytest.fixture
def editor(trace: Trace, other: Trace) -> Iterator[Editor]:
    editor = Editor({"anna": trace, "ben": other})
    yield editor
    editor.close()


def test_a_long_history_keeps_only_recent_frames_and_every_step_can_be_reached(trace: Trace) -> None:
    corrected = trace.correct_joint(1, "head", 100, 100)
    editor = Editor({"anna": corrected})
    versions = [corrected]
    for k in range(KEPT + 4):
        editor.hide_joint(k % T, k // T)
        versions.append(done(editor))
    assert len(corrected) == len(trace) == T, "traces that were given are not released"
    assert [len(one) for one in versions[1:4]] == [0, 0, 0] and all(len(one) == T for one in versions[-KEPT:])
    for _ in range(KEPT + 3):
        editor.undo()
    assert done(editor) is versions[1] and same(versions[1], corrected.hide_joint(0, trace.skeleton.joints[0]))
    editor.close()


def done(editor: Editor) -> Any:
    assert editor.wait(PATIENCE_S)
    return editor.trace


def ask(editor: Editor, content: dict[str, Any]) -> None:
    """As the page does."""
    editor._on_edit(editor, content, [])


def edit(editor: Editor, name: str, **arguments: Any) -> None:
    ask(editor, {"type": "edit", "name": name, "arguments": arguments})
    assert editor._problem == ""


# ---- corrections


@pytest.mark.parametrize(
    ("name", "arguments", "call"),
    [
        ("correct_joint", {"frame": 4, "joint": WRIST, "x": 300.5, "y": 200.25},
         f"correct_joint(4, '{WRIST}', 300.5, 200.25)"),
        ("correct_joint", {"frame": 0, "joint": "head", "x": 300, "y": 90}, "correct_joint(0, 'head', 300.0, 90.0)"),
        ("hide_joint", {"frame": 4, "joint": WRIST}, f"hide_joint(4, '{WRIST}')"),
        ("swap_sides", {"first": 3, "last": 6, "joints": None}, "swap_sides(range(3, 7))"),
        ("swap_sides", {"first": 3, "last": 3, "joints": "wrist"}, "swap_sides(3, 'wrist')"),
        ("set_box", {"frame": 4, "box": [200, 50, 420, 430], "restart": False},
         "set_box(4, (200.0, 50.0, 420.0, 430.0))"),
        ("interpolate", {"joint": WRIST, "first": 3, "last": 7}, f"interpolate('{WRIST}', 3, 7)"),
    ],
)  # fmt: skip
def test_what_the_page_asks_for_is_what_the_method_of_the_trace_does(
    editor: Editor, trace: Trace, name: str, arguments: dict[str, Any], call: str
) -> None:
    edit(editor, name, **arguments)
    made = done(editor)
    assert made.calls == (call,)
    assert editor.calls["anna"] == (call,)
    assert same(made, replay(trace, [call]))
    assert np.array_equal(made.corrected, replay(trace, [call]).corrected)
    assert editor._feed.trace is made
    assert [one["text"] for one in editor.corrections] == [call]


def test_a_correction_changes_the_kernels_from_its_frame_on_and_keeps_the_frames_before(
    editor: Editor, trace: Trace
) -> None:
    editor.correct_joint(5, WRIST, 120.25, 300.5)
    made = done(editor)
    assert made.joints[5][trace.skeleton.index(WRIST)].tolist() == [120.25, 300.5]
    assert np.array_equal(made.kernels[:5], trace.kernels[:5])
    assert all((made.kernels[t] != trace.kernels[t]).any() for t in range(5, T))
    assert editor.uncorrected["anna"] is trace


def test_the_forms_of_the_page_are_all_methods(editor: Editor) -> None:
    assert set(CORRECTIONS) < READ.keys() and all(callable(getattr(editor, name)) for name in READ)


def test_edits_that_wait_for_frames_come_when_the_frames_are_there(editor: Editor, trace: Trace) -> None:
    calls = [f"correct_joint(1, '{WRIST}', 300.0, 200.0)", "swap_sides(range(8, 11))", f"interpolate('{WRIST}', 1, 9)"]
    for name, arguments in [
        ("correct_joint", (1, WRIST, 300.0, 200.0)),
        ("swap_sides", (range(8, 11),)),
        ("interpolate", (WRIST, 1, 9)),
    ]:
        getattr(editor, name)(*arguments)
    assert list(editor.calls["anna"]) == calls  # also those that wait
    assert same(done(editor), replay(trace, calls))


def test_an_impossible_correction_changes_nothing(editor: Editor, trace: Trace) -> None:
    for wrong in (
        lambda: editor.correct_joint(T, WRIST, 1, 1),
        lambda: editor.correct_joint(1, "nose", 1, 1),
        lambda: editor.correct_joint(1, WRIST, float("nan"), 1),
        lambda: editor.swap_sides(2, "head"),
        lambda: editor.set_box(2, (5, 5, 5, 5)),
        lambda: editor.interpolate(WRIST, 3, 4),
        lambda: editor.remove_correction(0),
    ):
        with pytest.raises((ConfigError, ValueError)):
            wrong()
    assert editor.trace is trace and not editor._edits["undo"]
    ask(editor, {"type": "edit", "name": "close", "arguments": {}})
    assert "close" in editor._problem and not editor._closed
    ask(editor, {"type": "edit", "name": "correct_joint", "arguments": {"frame": 99, "joint": WRIST, "x": 1, "y": 1}})
    assert "frame" in editor._problem
    editor.correct_joint(1, WRIST, 1, 1)
    assert editor._problem == ""


def test_another_position_of_the_same_joint_replaces_the_first(editor: Editor, trace: Trace) -> None:
    editor.correct_joint(4, WRIST, 300, 200)
    editor.correct_joint(6, "head", 300, 80)
    editor.correct_joint(4, WRIST, 310, 210)
    assert same(done(editor), trace.correct_joint(6, "head", 300, 80).correct_joint(4, WRIST, 310, 210))
    editor.hide_joint(4, WRIST)
    assert [one["action"] for one in editor.corrections] == ["hidden", "moved"]
    editor.undo()
    editor.undo()
    assert [(one["first"], one["joint"]) for one in editor.corrections] == [(4, WRIST), (6, "head")]


def test_positions_on_which_a_swap_depends_are_kept(editor: Editor) -> None:
    editor.correct_joint(4, WRIST, 300, 200)
    editor.swap_sides(4)
    editor.correct_joint(4, WRIST, 310, 210)
    assert len(editor.calls["anna"]) == 3


def test_a_hidden_joint_is_shown_again_in_one_frame_of_a_range(editor: Editor, trace: Trace) -> None:
    editor.hide_joint(range(2, 9), WRIST)
    edit(editor, "toggle_joint", frame=4, joint=WRIST)
    hidden = done(editor).hidden[:, trace.skeleton.index(WRIST)]
    assert np.flatnonzero(hidden).tolist() == [2, 3, 5, 6, 7, 8]
    editor.show_joint(10, WRIST)  # it is not hidden there
    assert len(editor.calls["anna"]) == 2
    edit(editor, "toggle_joint", frame=10, joint=WRIST)
    assert np.flatnonzero(done(editor).hidden[:, trace.skeleton.index(WRIST)]).tolist() == [2, 3, 5, 6, 7, 8, 10]
    editor.correct_joint(10, WRIST, 300, 200)
    edit(editor, "toggle_joint", frame=10, joint=WRIST)  # the correction had made it visible
    assert editor.corrections[-1]["action"] == "hidden"


def test_one_correction_is_removed_and_the_others_stay(editor: Editor, trace: Trace) -> None:
    editor.correct_joint(6, WRIST, 300, 200)
    editor.correct_joint(3, "head", 300, 80)
    editor.hide_joint(8, "left_ankle")
    assert [one["first"] for one in editor.corrections] == [3, 6, 8]  # by frame
    ask(editor, {"type": "remove", "index": editor.corrections[0]["index"]})
    assert same(done(editor), trace.correct_joint(6, WRIST, 300, 200).hide_joint(8, "left_ankle"))
    editor.undo()
    assert [one["first"] for one in editor.corrections] == [3, 6, 8]


def test_corrections_of_a_reopened_trace_can_be_removed(trace: Trace) -> None:
    calls = [f"correct_joint(4, '{WRIST}', 300.0, 200.0)", "hide_joint(6, 'head')"]
    editor = Editor(replay(trace, calls))
    assert editor.person == "person" and editor.uncorrected["person"] is trace
    editor.remove_correction(0)
    assert same(done(editor), trace.hide_joint(6, "head"))
    editor.close()


# ---- history


def test_undo_and_redo_go_through_the_changes_of_all_people(editor: Editor, trace: Trace, other: Trace) -> None:
    editor.correct_joint(4, WRIST, 300, 200)
    editor.select("ben")
    editor.hide_joint(2, "head")
    done(editor)
    changed = editor.traces
    editor.select("anna")
    editor.undo()
    assert editor.person == "ben" and editor.trace is other  # what is undone is shown
    editor.undo()
    assert editor.person == "anna" and editor.traces == {"anna": trace, "ben": other}
    editor.undo()
    ask(editor, {"type": "redo"})
    editor.redo()
    editor.redo()
    assert editor.traces == changed and editor.person == "ben"
    editor.undo()
    editor.set_box(3, (20, 10, 300, 400))
    assert not editor._edits["redo"]


def test_the_current_run_is_completed_whatever_was_done_meanwhile(editor: Editor, trace: Trace, other: Trace) -> None:
    for k in range(6):
        editor.select(("anna", "ben")[k % 2])
        editor.correct_joint(k, WRIST, 200 + 10 * k, 150)
    editor.undo()
    editor.select("anna")
    assert editor.wait(PATIENCE_S)
    start = {"anna": trace, "ben": other}
    for name, calls in editor.calls.items():
        assert len(calls) == {"anna": 3, "ben": 2}[name]
        assert same(editor.traces[name], replay(start[name], calls))


def test_the_code_makes_the_same_tracks(editor: Editor, trace: Trace, other: Trace) -> None:
    editor.correct_joint(4, WRIST, 300, 200)
    editor.select("ben")
    editor.swap_sides(range(2, 5), "arm")
    done(editor)
    *lines, view = editor.code().splitlines()
    traces = {"anna": trace, "ben": other}
    exec("\n".join(lines), {"traces": traces})
    assert same(traces["anna"], editor.traces["anna"]) and same(traces["ben"], editor.traces["ben"])
    assert view.startswith("Editor(traces, person='ben', frame=0")
    again = eval(view, {"traces": traces, "Editor": Editor})
    assert again.person == "ben"
    again.close()


def test_callbacks_are_called_after_every_change_and_their_errors_are_shown(editor: Editor) -> None:
    heard: list[tuple[str, int, int]] = []
    stop = editor.on_change(lambda e: heard.append((e.person, len(e.calls[e.person]), len(e.bookmarks))))
    editor.correct_joint(4, WRIST, 300, 200)
    editor.bookmark(3, "look")
    editor.undo()
    editor.undo()  # nothing to undo
    editor.rename("anna", "carla")
    assert heard == [("anna", 1, 0), ("anna", 1, 1), ("anna", 0, 1), ("carla", 0, 1)]
    stop()
    editor.on_change(lambda e: 1 / 0)
    editor.redo()
    assert len(heard) == 4 and "ZeroDivisionError" in editor._error


# ---- people


def test_people_are_added_renamed_and_removed_without_losing_the_history(editor: Editor, trace: Trace) -> None:
    editor.correct_joint(4, WRIST, 300, 200)
    carla = trace.hide_joint(3, "head")
    editor.add("carla", carla, "#123456")
    editor.rename("anna", "dora")
    assert editor.person == "dora" and list(editor.traces) == ["dora", "ben", "carla"]
    assert editor.colours == {"dora": COLOURS[0], "ben": COLOURS[1], "carla": "#123456"}
    editor.undo()
    assert editor.trace is trace and editor.traces["carla"] is carla
    editor.remove("dora")
    assert editor.person == "ben"
    editor.recolour("ben", "red")
    assert [one["colour"] for one in editor._people] == ["red", "#123456"]
    editor.redo()
    assert list(editor.traces) == ["ben", "carla"]
    for wrong in (
        lambda: editor.select("anna"),
        lambda: editor.rename("ben", "carla"),
        lambda: editor.add("ben", carla),
        lambda: editor.add("", carla),
        lambda: editor.recolour("x", "red"),
        lambda: Editor({}),
        lambda: Editor({"a": carla}, colours={"b": "red"}),
        lambda: Editor({"a": carla}, person="b"),
        lambda: setattr(editor, "trace", carla),
    ):
        with pytest.raises(ConfigError):
            wrong()
    editor.remove("ben")
    with pytest.raises(ConfigError, match="only one"):
        editor.remove("carla")


def test_the_page_knows_where_the_others_are_and_where_the_joints_were(
    editor: Editor, trace: Trace, other: Trace
) -> None:
    def told() -> dict[str, Any]:
        return read_message({k: v for k, v in editor._tracks.items() if k != "buffers"}, editor._tracks["buffers"])

    assert [one["name"] for one in told()["people"]] == ["ben"] and "uncorrected" not in told()
    assert np.array_equal(told()["people"][0]["joints"], other.joints)
    editor.correct_joint(4, WRIST, 300, 200)
    assert np.array_equal(told()["uncorrected"], trace.joints)
    anna = done(editor)
    ask(editor, {"type": "select", "name": "ben"})
    assert editor._person == "ben" and editor._feed.trace is other and "uncorrected" not in told()
    assert np.array_equal(told()["people"][0]["joints"], anna.joints)
    assert editor._edits["busy"] == []


def test_traces_that_do_not_fit_together_are_refused(trace: Trace, other: Trace) -> None:
    with pytest.raises(ConfigError, match="one clip"):
        People({"a": trace, "b": FakeTrace()})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="colours"):
        Editor(trace, colors={})


def test_stopped_traces_keep_their_lengths(trace: Trace) -> None:
    short = other_trace(trace.model)  # of 3 frames
    stop = iter([False] * 5 + [True] * 99)
    stopped = Trace(trace.model, short.clip, BOX, progress=False, stop=T, cancel=lambda: next(stop))
    assert (len(short), len(stopped), stopped.complete) == (3, 5, False)
    editor = Editor({"a": stopped, "b": short}, frame=4)
    editor.correct_joint(2, WRIST, 300, 200)
    assert len(done(editor)) == 5 and len(editor._feed.trace) == editor.cursor.n_frames == 5
    editor.select("b")
    assert editor.cursor.n_frames == 3 and editor.frame == 2
    editor.swap_sides(None)
    assert done(editor).calls == ("swap_sides(range(0, 3))",)
    editor.close()


# ---- two-way traces


def test_a_trace_of_both_directions_is_corrected_before_and_after_its_origin(two_way: Trace) -> None:
    assert two_way.origin == 5
    editor = Editor(two_way)
    for frame, calls in ((8, 1), (2, 2)):
        editor.correct_joint(frame, WRIST, 300, 200)
        made = done(editor)
        assert len(made.calls) == calls and made.joints[frame][two_way.skeleton.index(WRIST)].tolist() == [300, 200]
    assert same(made, two_way.correct_joint(8, WRIST, 300, 200).correct_joint(2, WRIST, 300, 200))
    assert (made.kernels[1] != two_way.kernels[1]).any() and np.array_equal(made.kernels[4], two_way.kernels[4])
    editor.undo()
    editor.undo()
    assert editor.trace is two_way
    editor.close()


# ---- what the page is sent while frames are traced again


def test_frames_are_sent_as_they_are_traced_and_the_others_are_kept(
    trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = Editor(trace, frame=6)
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(editor._feed, "send", lambda content, buffers=None: sent.append(content))
    editor.correct_joint(5, WRIST, 300, 200)
    done(editor)
    headers = [one for one in sent if one["type"] == "header"]
    assert headers and all(one["n_frames"] == T for one in headers)  # never a shorter clip
    changed = {t for one in headers for t in range(one["keep"], one["keep_from"])}
    assert changed == set(range(5, T))
    assert [one["generation"] for one in headers] == sorted({one["generation"] for one in headers})
    editor.undo()
    assert (sent[-2]["keep"], sent[-2]["keep_from"]) == (5, T)
    editor.close()


def test_a_spliced_trace_is_the_one_run_and_then_the_other(trace: Trace) -> None:
    whole = trace.correct_joint(4, WRIST, 300, 200)
    begun = trace.correct_joint(4, WRIST, 300, 200, cancel=iter([False] * 3 + [True] * 99).__next__)
    assert len(begun) == 7
    spliced = Spliced(begun.snapshot(), trace, T)
    for name in ("joints", "scores", "confidence", "corrected", "hidden", "strange", "predicted_joints", "times"):
        values = getattr(spliced, name)
        assert np.array_equal(values[:7], getattr(whole, name)[:7]) and np.array_equal(
            values[7:], getattr(trace, name)[7:]
        )
    assert render_records(spliced, range(7), 1) == render_records(whole, range(7), 1)
    assert render_records(spliced, range(8, T), 1) == render_records(trace, range(8, T), 1)
    assert render_detail(spliced, 6, 1) == render_detail(whole, 6, 1)
    assert render_header(spliced, 1)[0]["n_frames"] == T
    assert changed_frames(spliced, trace) == range(4, 7) and changed_frames(spliced, whole) == range(7, T)
    assert list(changed_frames(trace, trace)) == []
    assert render_header(Spliced(begun.snapshot(), trace, T), 1)[0]["reinitialised"] == []


def test_a_trace_that_goes_backwards_is_spliced_in_the_middle(two_way: Trace) -> None:
    whole = two_way.correct_joint(4, WRIST, 300, 200)
    begun = two_way.correct_joint(4, WRIST, 300, 200, cancel=lambda: True)
    begun.run(progress=False, cancel=lambda: begun.latest == 3)
    assert (len(begun), begun.traced_frames) == (0, range(3, T))
    spliced = Spliced(begun.in_progress(), two_way, T)
    for name in ("joints", "scores", "confidence", "corrected", "hidden", "predicted_joints"):
        expected = np.concatenate([getattr(two_way, name)[:3], getattr(whole, name)[3:]])
        assert np.array_equal(getattr(spliced, name), expected)
    assert render_records(spliced, range(3, T), 1) == render_records(whole, range(3, T), 1)
    assert render_records(spliced, range(2), 1) == render_records(two_way, range(2), 1)  # 2 has kernels of 3
    assert np.isfinite(spliced.speed()).all() and np.array_equal(spliced.speed()[4:], whole.speed()[4:])
    assert np.array_equal(spliced.kernel_drift()[4:], whole.kernel_drift()[4:])
    assert changed_frames(spliced, two_way) == range(3, 5)


def test_frames_before_the_box_are_sent_as_they_are_traced(two_way: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A correction before the origin is traced backwards: its frame comes first, frame 0 last."""
    monkeypatch.setattr(editor_module, "FIRST_S", 0.0)
    monkeypatch.setattr(editor_module, "EVERY_S", 0.0)
    editor = Editor(two_way, frame=3)
    sent: list[dict[str, Any]] = []
    progress: list[int] = []
    editor.observe(lambda change: progress.append(change["new"]["traced"]), "_edits")
    monkeypatch.setattr(editor._feed, "send", lambda content, buffers=None: sent.append(content))
    editor.correct_joint(4, WRIST, 300, 200)
    done(editor)
    firsts = [one["keep"] for one in sent if one["type"] == "header"]
    assert firsts == sorted(firsts, reverse=True) and firsts[-1] == 0 and max(firsts) > 0
    assert sorted(set(progress)) == progress[: len(set(progress))] and {T - 3, T - 2} <= set(progress)
    editor.close()


@given(st.lists(st.integers(0, 11), unique=True))
def test_changed_frames_reach_from_the_first_to_the_last(frames: list[int]) -> None:
    one, two = FakeTrace(12), FakeTrace(12)
    for t in frames:
        two.scores[t, t] += 1
    found = changed_frames(one, two)
    assert list(found) == (list(range(min(frames), max(frames) + 1)) if frames else [])


def test_a_closed_editor_stops_tracing_and_leaves_the_traces_open(trace: Trace) -> None:
    editor = Editor(trace)
    editor.correct_joint(2, WRIST, 300, 200)
    made = editor.trace
    editor.close()
    editor.close()
    assert editor._worker.wait(PATIENCE_S)
    made.run(progress=False)
    assert made.complete and not [t for t in threading.enumerate() if t.name == "corrections"]


# ---- numbers of frames


def test_frames_of_a_part_are_numbered_as_in_the_video_where_that_is_wanted(
    trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = ClipRange(ClipRange(trace.clip, 10, 60), 20, 26)
    short = Trace(trace.model, part, BOX, progress=False)
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(Feed, "send", lambda _self, content, buffers=None: sent.append(content))
    plain = Editor(short)
    assert plain._feed._answers({"type": "hello"})[0][0]["first"] == 0 and not sent
    editor = Editor(short, in_video=True, frame=3)
    header, _ = editor._feed._answers({"type": "hello"})[0]
    assert (header["first"], header["first_s"]) == (30, pytest.approx(trace.clip.times[30]))
    # A page that was faster is told again.
    assert [one["first"] for one in sent if one["type"] == "header"] == [30]
    assert editor.frame == 3 and editor.cursor.n_frames == 6
    editor.correct_joint(4, WRIST, 300, 200)
    assert done(editor).calls == (f"correct_joint(4, '{WRIST}', 300.0, 200.0)",)
    assert {one["first"] for one in sent if one["type"] == "header"} == {30}
    plain.close()
    editor.close()


# ---- bookmarks, edits as text


def test_bookmarks_are_sorted_and_a_frame_has_one(editor: Editor) -> None:
    editor.bookmark(7, "late")
    editor.frame = 2
    editor.bookmark()
    ask(editor, {"type": "bookmark", "frame": 7, "note": "later"})
    assert editor.bookmarks == [{"frame": 2, "note": ""}, {"frame": 7, "note": "later"}]
    ask(editor, {"type": "unbookmark", "frame": 2})
    assert [one["frame"] for one in editor.bookmarks] == [7]
    with pytest.raises(FrameIndexError, match="0..11"):
        editor.bookmark(T)
    again = Editor(editor.trace, bookmarks=editor.bookmarks)
    assert again.bookmarks == editor.bookmarks
    again.close()


def test_an_edit_says_its_frames_and_its_joint() -> None:
    said = {
        "correct_joint(4, 'head', 1.0, 2.0)": (range(4, 5), "head"),
        "hide_joint(range(2, 4), 'head')": (range(2, 4), "head"),
        "swap_sides(range(2, 4))": (range(2, 4), None),
        "swap_sides(3, ('arm', 'leg'))": (range(3, 4), "arm, leg"),
        "set_box(3, (0.0, 0.0, 9.0, 9.0), restart=True)": (range(3, 4), None),
        "interpolate('head', 2, 6)": (range(2, 7), "head"),
        "freeze_kernel(3)": (None, None),
    }
    for text, (frames, joint) in said.items():
        assert (Edit(text).frames, Edit(text).joint) == (frames, joint)
        assert Edit(text).is_correction == (frames is not None)
