"""The widgets without a browser: messages, errors, and freed resources."""

from __future__ import annotations

import ast
import gc
import json
import re
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import ipywidgets
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import widgets.workbench.workbench
from dkd import Trace, build_model
from dkd.analysis.moments import worst_frames
from dkd.datasets.people import PersonSequence
from dkd.errors import ConfigError, DKDError, FrameIndexError
from dkd.tracking.reinitialise import Reinitialise
from tests.support.fake_trace import CELLS, SIDE, FakeClip, FakeTrace, read_number
from tests.support.joint_kernels import joints_model, joints_trace
from tests.support.server import until
from widgets import Cursor, Kernels, Matching, Player, Timeline, Workbench
from widgets.core.assets import ROOT, folder_modules, module, stylesheet
from widgets.core.filmstrip import HEIGHT, contact_sheet, filmstrip_html, strip_image
from widgets.core.shortcuts import SHORTCUTS, as_markdown
from widgets.core.view import View
from widgets.core.wire import (
    MAP_RANGE,
    MAX_RECORDS,
    encode_frame,
    image_size,
    quantize_maps,
    read_message,
    render_detail,
    render_header,
    render_records,
    write_message,
)
from widgets.page.cutting import part_header

FOLDERS = sorted({path.parent.name for path in ROOT.glob("*/*.js")})

VIEWS = (Player, Matching, Kernels, Timeline, Workbench)


@pytest.fixture(scope="module")
def trace() -> FakeTrace:
    return FakeTrace()


@pytest.fixture
def bench(trace: FakeTrace):
    workbench = Workbench(trace)
    yield workbench
    workbench.close()


def decode(jpeg: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture[..., ::-1]


def ask(view: View, content: dict) -> list[tuple[dict, list[bytes]]]:
    """Return the answer of the feed of ``view`` to a request of the browser."""
    sent: list[tuple[dict, list[bytes]]] = []
    feed = view._feed
    feed.send = lambda answer, buffers=None: sent.append((answer, buffers or []))
    feed._handle_custom_msg(content, [])
    return sent


# ---- messages


def test_a_message_names_its_parts_and_is_read_again() -> None:
    content = {
        "type": "x",
        "rows": [{"n": 1, "values": np.arange(6, dtype=np.float32).reshape(2, 3)}, {"n": 2, "jpeg": b"abc"}],
        "none": np.zeros((0, 2), np.int8),
        "strided": np.arange(8, dtype=np.uint8)[::2],
        "pair": (1, [2, None]),
    }
    sent, buffers = write_message(content)
    json.dumps(sent)
    assert sent["parts"] == [
        [["rows", 0, "values"], "float32", [2, 3]],
        [["rows", 1, "jpeg"], "bytes", [3]],
        [["none"], "int8", [0, 2]],
        [["strided"], "uint8", [4]],
    ]
    read = read_message(sent, buffers)
    assert set(read) == set(content) and read["pair"] == [1, [2, None]] and read["rows"][1] == {"n": 2, "jpeg": b"abc"}
    for name in ("none", "strided"):
        np.testing.assert_array_equal(read[name], content[name])
        assert read[name].dtype == content[name].dtype  # type: ignore[attr-defined]
    np.testing.assert_array_equal(read["rows"][0]["values"], content["rows"][0]["values"])  # type: ignore[index]
    with pytest.raises(TypeError, match=r"a\.0 .* float16"):
        write_message({"a": [np.zeros(3, np.float16)]})
    with pytest.raises(ValueError):
        read_message(sent, buffers[:-1])


def test_header_holds_the_whole_clip(trace: FakeTrace) -> None:
    header = read_message(*render_header(trace, generation=3))
    assert not header["calibrated"] and header["reinitialised"] == []
    n, j = len(trace), len(trace.skeleton)
    assert (header["generation"], header["n_frames"], header["size"]) == (3, n, [320, 240])
    assert header["joints"] == list(trace.skeleton.joints)
    assert header["sides"][header["joints"].index("right_knee")] == "right"
    assert header["truth"].shape == (n, j, 2) and header["times"].dtype == np.float64
    expected = {
        "times": trace.times, "tracks": trace.joints, "scores": trace.scores, "speed": trace.speed(),
        "drift": trace.kernel_drift(), "truth": trace.ground_truth, "readout": trace.readout, "bias": trace.bias,
        "confidence": trace.scores.clip(0, 1),
    }  # fmt: skip
    for name, values in expected.items():
        np.testing.assert_array_equal(header[name], values)


def test_a_header_says_whether_maps_are_refined_at_the_joints(trace: FakeTrace) -> None:
    """Also that of a page: its sums are then those of the matched maps."""
    plain = joints_trace(2, joints_model(distillation="pooled"))
    for one, expected in ((trace, False), (plain, False), (joints_trace(3), True)):
        assert read_message(*render_header(one, 0))["at_joints"] is expected
        assert part_header(one, range(1, 2))["at_joints"] is expected


def test_a_clip_without_truth_says_so() -> None:
    header = read_message(*render_header(FakeTrace(3, truth=False), 0))
    assert header["truth_kind"] == "" and not header["truth"].size


def test_a_record_holds_all_of_one_frame(trace: FakeTrace) -> None:
    frames = [7, 0, 59, 8]
    records = read_message(*render_records(trace, frames, generation=1))["records"]
    assert [record["frame"] for record in records] == frames
    for t, record in zip(frames, records, strict=True):
        assert read_number(decode(record["jpeg"])) == t
        np.testing.assert_array_equal(record["joints"], trace.joints[t])
        np.testing.assert_array_equal(record["scores"], trace.scores[t])
        low, high = MAP_RANGE
        np.testing.assert_allclose(low + (high - low) * record["maps"] / 255, trace.heatmaps[t], atol=0.003)
        for peak, heatmap in zip(record["peaks"], trace.heatmaps[t], strict=True):
            assert heatmap[peak[1], peak[0]] == heatmap.max()
        assert record["crop"] == [trace.crops[t].left, trace.crops[t].top, trace.crops[t].side]
        if t == 0:
            assert record["kernels"].size == 0
        else:  # those used in frame t come from frame t − 1
            difference = np.abs(record["kernels"] * np.float32(record["kernel_scale"]) - trace.kernels[t - 1])
            assert difference.max() <= 0.5 * record["kernel_scale"] * 1.001


def test_a_calibrated_trace_sends_its_confidence() -> None:
    trace = FakeTrace(5, calibrated=True)
    header = read_message(*render_header(trace, 0))
    assert header["calibrated"]
    np.testing.assert_array_equal(header["confidence"], trace.confidence)


def test_frames_of_somebody_else_are_sent() -> None:
    assert render_header(FakeTrace(9, strange=(3, 4, 8)), 0)[0]["strange"] == [3, 4, 8]
    assert render_header(FakeTrace(9), 0)[0]["strange"] == []


def test_a_reinitialised_frame_is_like_frame_0() -> None:
    """It has a reason, but no kernels and no arithmetic; the next frame uses its kernels."""
    trace = FakeTrace(9, lost=(4,)).retrace(Reinitialise())
    content, _ = render_header(trace, 0)
    (start,) = content["reinitialised"]
    assert start == {"frame": 4, "reason": "mean score below 0.2 until 3", "before": 0.1, "after": 0.7}
    records = read_message(*render_records(trace, [3, 4, 5], 0))["records"]
    assert [bool(record["kernels"].size) for record in records] == [True, False, True]
    assert records[1]["kernel_scale"] == 0
    with pytest.raises(FrameIndexError, match="re-initialised"):
        render_detail(trace, 4, 0)
    np.testing.assert_array_equal(read_message(*render_detail(trace, 5, 0))["kernels"], trace.kernels[4])
    assert "re-initialised in frame 4" in filmstrip_html(trace, "x")
    assert "re-initialised" not in filmstrip_html(FakeTrace(3), "x")


# ---- the two versions of a lost track


def test_a_track_that_was_not_lost_is_shown_as_it_is(trace: FakeTrace) -> None:
    bench = Workbench(trace)
    assert bench.reinitialise and bench.trace is trace and bench._new_starts == ""
    bench.reinitialise = False
    assert bench.trace is trace
    assert bench.code().endswith("reinitialise=False)")
    bench.close()


def test_a_lost_track_is_followed_again_and_the_toggle_goes_back() -> None:
    trace = FakeTrace(9, lost=(4, 7))
    bench = Workbench(trace, frame=5)
    until(lambda: bench.trace is not trace)
    found = bench.trace
    assert [event.frame for event in found.reinitialised] == [4, 7]
    until(lambda: bench._new_starts == "in frames 4, 7")
    assert bench.frame == 5
    bench.reinitialise = False
    assert bench.trace is trace and bench._new_starts == ""
    bench.reinitialise = True
    assert bench.trace is found  # it was kept
    other = FakeTrace(9, name="other")
    bench.trace = other
    assert bench.trace is other
    bench.close()


def test_off_it_stays_as_it_was_made_and_none_means_each_as_it_was_made() -> None:
    lost = FakeTrace(9, lost=(4,))
    found = lost.retrace(Reinitialise())
    off, as_made = Workbench(lost, reinitialise=False), Workbench(lost, reinitialise=None)
    assert off.trace is as_made.trace is lost
    assert not off.reinitialise and not as_made.reinitialise
    as_made.trace = found
    assert as_made.trace is found and as_made.reinitialise
    assert "reinitialise" not in as_made.code()
    on = Workbench(found)
    assert on.trace is found and on._new_starts == "in frame 4"
    for bench in (off, as_made, on):
        bench.close()


def test_what_cannot_be_followed_again_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = FakeTrace(9, lost=(4,))
    monkeypatch.setattr(failing, "retrace", lambda *_, **__: 1 / 0)
    bench = Workbench(failing)
    until(lambda: "ZeroDivisionError" in bench._error)
    assert bench.trace is failing and bench._new_starts == ""
    bench.close()


def test_a_version_that_is_no_longer_requested_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, begun, go_on = FakeTrace(9, lost=(4,)), threading.Event(), threading.Event()
    asked: list[bool] = []

    def retrace(policy: Reinitialise | None, *, refine: bool, cancel: Callable[[], bool]) -> FakeTrace:
        begun.set()
        assert go_on.wait(60)
        asked.append(cancel())
        return FakeTrace.retrace(slow, policy)

    monkeypatch.setattr(slow, "retrace", retrace)
    bench = Workbench(slow)
    assert begun.wait(60) and bench._new_starts.startswith("tracking")
    bench.reinitialise = False
    go_on.set()
    until(lambda: asked == [True])
    assert bench.trace is slow and bench._new_starts == ""
    bench.close()


def test_the_browsers_arithmetic_is_the_models(trace: FakeTrace) -> None:
    """From the header and a detail alone, with explicit loops: bias + Σ U[j,c] Σ K·patch is the heatmap's value."""
    header = read_message(*render_header(trace, 0))
    j_count = len(trace.skeleton)
    readout, bias = header["readout"], header["bias"]
    random = np.random.default_rng(5)
    for t in (1, 30, 59):
        detail = read_message(*render_detail(trace, t, 0))
        features, weights = detail["projected"], detail["kernels"]
        corners = [(0, 0), (CELLS - 1, 0), (3, CELLS - 1)]
        for x, y in [*corners, *random.integers(0, CELLS, (4, 2)).tolist()]:
            j = int(random.integers(j_count))
            value = float(bias[j])
            for c in range(len(features)):
                for dy in range(SIDE):
                    for dx in range(SIDE):
                        row, column = y + dy - SIDE // 2, x + dx - SIDE // 2
                        if 0 <= row < CELLS and 0 <= column < CELLS:
                            value += float(readout[j, c]) * float(weights[c, dy, dx]) * float(features[c, row, column])
            assert value == pytest.approx(float(trace.heatmaps[t, j, y, x]), abs=1e-5)


def test_a_tall_frame_is_reduced_and_a_small_one_is_not() -> None:
    assert image_size(1920, 1080) == (1280, 720)
    assert image_size(1088, 1920) == (408, 720)
    assert image_size(640, 480) == (640, 480)
    clip = FakeClip(6)
    clip.width, clip.height = 1600, 1200
    picture = decode(encode_frame(clip.frame(5)))
    assert picture.shape == (720, 960, 3)


@given(st.floats(-5, 5, width=32))
def test_map_bytes_round_to_the_nearest_step(value: float) -> None:
    low, high = MAP_RANGE
    back = low + (high - low) * int(quantize_maps(np.array([value]))[0]) / 255
    assert abs(back - min(max(value, low), high)) <= (high - low) / 255 / 2 + 1e-6


def test_a_trace_without_kernels_has_none_on_the_wire() -> None:
    trace = FakeTrace(6, channels=0)
    header = read_message(*render_header(trace, 0))
    assert header["channels"] == 0 and header["worst"] is not None
    assert not header["drift"].any() and not header["readout"].size
    records = read_message(*render_records(trace, range(6), 0))["records"]
    for t, record in enumerate(records):
        assert not record["kernels"].size
        np.testing.assert_array_equal(record["maps"], quantize_maps(trace.heatmaps[t]))


def test_a_real_per_frame_model_can_be_shown() -> None:
    clip: Any = FakeClip(4)
    trace = Trace(build_model("simple-baseline-tiny", input_size=128), clip, (40, 20, 200, 220), progress=False)
    assert render_header(trace, 0)[0]["channels"] == 0
    records = read_message(*render_records(trace, range(4), 0))["records"]
    assert [record["maps"].size > 0 for record in records] == [True] * 4
    assert not trace.kernel_drift().any()
    workbench = Workbench(trace)
    workbench.close()


@pytest.mark.parametrize(("side", "cells"), [(3, 16), (5, 24)])
def test_kernels_and_maps_of_other_sizes_travel_whole(side: int, cells: int) -> None:
    trace = FakeTrace(5, side=side, cells=cells)
    content, _ = render_header(trace, 0)
    assert (content["kernel"], content["map"]) == (side, [cells, cells])
    (record,) = read_message(*render_records(trace, [3], 0))["records"]
    kernels = record["kernels"] * record["kernel_scale"]
    np.testing.assert_allclose(kernels, trace.kernels[2], atol=0.51 * record["kernel_scale"])
    detail = read_message(*render_detail(trace, 3, 0))
    assert detail["projected"].shape == (trace.kernels.shape[1], cells, cells)
    np.testing.assert_array_equal(detail["kernels"], trace.kernels[2])


def test_a_contact_sheet_shows_each_person_with_joints() -> None:
    frames = [np.full((40, 60, 3), 40 * i, np.uint8) for i in range(3)]
    joints = np.tile(np.array([30.0, 20.0], np.float32), (1, 13, 1))
    people = [PersonSequence([frame], joints, f"{i}") for i, frame in enumerate(frames)]
    sheet = decode(contact_sheet(people, columns=2, side=120))
    assert sheet.shape == (246, 246, 3)
    for (y, x), shade in zip(((5, 5), (5, 131), (131, 5)), (0, 40, 80), strict=True):
        assert abs(int(sheet[y, x, 0]) - shade) < 8
        assert np.ptp(sheet[y + 35, x + 45 : x + 65].astype(int)) > 50  # a joint in its middle


@pytest.mark.parametrize("frames", [[-1], [60], [3, 400]])
def test_frames_outside_the_trace_are_refused(trace: FakeTrace, frames: list[int]) -> None:
    with pytest.raises(FrameIndexError, match=r"expected a frame in 0\.\.59"):
        render_records(trace, frames, 0)


def test_frame_0_has_no_detail(trace: FakeTrace) -> None:
    with pytest.raises(FrameIndexError, match="got 0: its maps come from the initializer"):
        render_detail(trace, 0, 0)


# ---- feed


def test_the_feed_answers(bench: Workbench) -> None:
    bench.frame = 7
    (header, _), (first, _) = ask(bench, {"type": "hello"})
    assert header["type"] == "header" and header["record_follows"]
    assert [r["frame"] for r in first["records"]] == [7]  # the current frame, which would be the next request
    ((records, _),) = ask(bench, {"type": "records", "generation": header["generation"], "frames": [4, 5]})
    assert [r["frame"] for r in records["records"]] == [4, 5]
    ((detail, _),) = ask(bench, {"type": "detail", "generation": header["generation"], "frame": 4})
    assert (detail["type"], detail["frame"]) == ("detail", 4)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"type": "records", "generation": 0, "frames": [99]}, "FrameIndexError: expected a frame in 0..59, got 99"),
        ({"type": "records", "generation": 0, "frames": list(range(MAX_RECORDS + 1))}, "at most 32 frames"),
        ({"type": "detail", "generation": 0, "frame": 0}, "maps come from matching"),
        ({"type": "nonsense", "generation": 0}, "expected a request of type"),
        ({"type": "records", "generation": 0}, "KeyError"),
    ],
)
def test_a_bad_request_is_answered_with_the_error(bench: Workbench, request_: dict, message: str) -> None:
    ((answer, _),) = ask(bench, request_)
    assert answer["type"] == "error" and answer["asked"] == request_["type"]
    assert message in answer["message"]


def test_a_feed_offers_the_first_frame_until_a_page_asks(trace: FakeTrace, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its state, as the kernel may be busy with the cells below: what it offers is the answer to a greeting."""
    monkeypatch.setattr("widgets.core.view.display_with_still", lambda *_: None)
    bench = Workbench(trace, frame=7)
    feed = bench._feed
    bench._ipython_display_()
    offered = feed._offered
    state, _, buffers = ipywidgets.widgets.widget._remove_buffers(feed.get_state("_offered"))
    json.dumps(state)
    assert ask(bench, {"type": "hello"}) == [] == feed._offered  # that page has it
    expected = ask(bench, {"type": "hello"})  # a page that was reloaded has not
    assert [(content, parts) for content, parts in offered] == expected
    assert buffers == [buffer for _, parts in expected for buffer in parts]
    bench._ipython_display_()  # in a second cell: the page has it already
    assert feed._offered == []
    bench.close()


def test_an_offer_is_of_the_trace_that_is_shown(trace: FakeTrace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("widgets.core.view.display_with_still", lambda *_: None)
    bench = Workbench(trace)
    bench._ipython_display_()
    assert bench._feed._offered != []
    bench.trace = FakeTrace(10, name="other", seed=1)
    assert bench._feed._offered == []
    bench._ipython_display_()
    (header, _), (first, _) = bench._feed._offered
    assert (header["clip"], header["generation"], first["records"][0]["frame"]) == ("other", 1, 0)
    bench.close()


def test_requests_about_an_old_trace_are_dropped(bench: Workbench) -> None:
    sent = ask(bench, {"type": "hello"})
    other = FakeTrace(10, name="other", seed=1)
    bench.frame = 30
    bench.trace = other
    (header, _), (first, _) = sent[-2:]  # the frame that is looked at comes unasked
    assert header["clip"] == "other" and header["generation"] == first["generation"] == 1
    assert [record["frame"] for record in first["records"]] == [9]
    assert bench.trace is other
    assert (bench.frame, bench.cursor.n_frames, bench.joint) == (9, 10, "left_wrist")
    assert ask(bench, {"type": "records", "generation": 0, "frames": [4]}) == []
    assert len(ask(bench, {"type": "records", "generation": 1, "frames": [4]})) == 1
    with pytest.raises(FrameIndexError):
        bench.frame = 30


def test_requests_may_come_from_several_threads(bench: Workbench) -> None:
    sent: list[tuple[dict, list[bytes]]] = []
    bench._feed.send = lambda content, buffers=None: sent.append((content, buffers))

    def request(t: int) -> None:
        bench._feed._handle_custom_msg({"type": "records", "generation": 0, "frames": [t]}, [])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(request, range(40)))
    assert sorted(read_number(decode(buffers[0])) for _, buffers in sent) == list(range(40))
    assert all(read_number(decode(buffers[0])) == content["records"][0]["frame"] for content, buffers in sent)


def test_views_on_one_cursor_share_a_feed(trace: FakeTrace) -> None:
    cursor = Cursor.for_trace(trace)
    player, kernels = Player(trace, cursor=cursor), Kernels(trace, cursor=cursor)
    assert player._feed is kernels._feed
    assert Player(FakeTrace(), cursor=cursor)._feed is not player._feed
    player.close()
    assert ask(kernels, {"type": "hello"})
    kernels.close()
    assert ask(kernels, {"type": "hello"}) == []
    cursor.frame = 3  # a cursor that was given is not closed with the views
    cursor.close()


# ---- cursor


@pytest.mark.parametrize("bad", [-1, 60, 10**9, 1.5, "3", None, True])
def test_a_bad_frame_is_refused_and_changes_nothing(bench: Workbench, bad: Any) -> None:
    bench.frame = 5
    with pytest.raises(FrameIndexError, match="expected a (frame in 0..59|whole number)"):
        bench.frame = bad
    assert bench.frame == 5


def test_numpy_integers_are_frames(bench: Workbench) -> None:
    bench.frame = np.int64(41)  # type: ignore[assignment]
    assert bench.frame == 41 and type(bench.frame) is int


def test_an_unknown_joint_names_the_nearest(bench: Workbench) -> None:
    with pytest.raises(ConfigError, match="did you mean 'left_wrist'"):
        bench.joint = "left_rist"
    assert bench.joint == "left_wrist"


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("layers", {"skeletons": True}), ("layers", {"opacity": 2}), ("speed", 0), ("range", (5, 5)),
        ("range", (5, 60)), ("range", 7), ("cell", (-1, 2)), ("cell", "ab"),
    ],
)  # fmt: skip
def test_bad_state_is_refused(bench: Workbench, name: str, bad: Any) -> None:
    before = getattr(bench.cursor, name)
    with pytest.raises(DKDError):
        setattr(bench.cursor, name, bad)
    assert getattr(bench.cursor, name) == before


def test_layers_not_named_stay_as_they_are(bench: Workbench) -> None:
    bench.layers = {"trails": True}
    bench.layers = {"opacity": 0.25}
    shown = {"skeleton": True, "trails": True, "heatmap": True, "box": False, "truth": True}
    assert bench.layers == {**shown, "opacity": 0.25}


def test_a_cursor_of_another_clip_is_refused(trace: FakeTrace) -> None:
    cursor = Cursor(12, trace.skeleton.joints)
    with pytest.raises(ConfigError, match="expected a cursor over 60 frames"):
        Player(trace, cursor=cursor)
    with pytest.raises(ConfigError, match="at least one frame"):
        Cursor(0, trace.skeleton.joints)


@pytest.mark.parametrize("kind", VIEWS)
def test_an_unknown_keyword_names_the_nearest(trace: FakeTrace, kind: type[View]) -> None:
    before = len(ipywidgets.widgets.widget._instances)
    with pytest.raises(TypeError, match=f"{kind.__name__}.. has no keyword 'cursr'; did you mean 'cursor'"):
        kind(trace, cursr=1)
    assert len(ipywidgets.widgets.widget._instances) == before


# ---- Python's handle


def test_on_frame_and_on_joint_hear_until_they_are_unsubscribed(bench: Workbench) -> None:
    heard: list[Any] = []
    stop = bench.on_frame(heard.append)
    stop_joint = bench.on_joint(heard.append)
    bench.frame = 3
    bench.joint = "head"
    bench.cursor.set_state({"frame": 9})  # as the browser does
    stop()
    stop()
    stop_joint()
    bench.frame = 4
    bench.joint = "left_hip"
    assert heard == [3, "head", 9]


def test_an_error_in_a_callback_is_shown_and_does_not_stop_others(bench: Workbench) -> None:
    heard: list[int] = []

    def broken(frame: int) -> None:
        raise ValueError(f"no <b>such</b> thing as {frame}")

    bench.on_frame(broken)
    bench.on_frame(heard.append)
    bench.frame = 8
    assert heard == [8]
    assert re.fullmatch(
        r"ValueError in the on_frame callback \(line \d+ of broken\): no <b>such</b> thing as 8", bench._error
    )


def test_play_and_pause(bench: Workbench) -> None:
    bench.play()
    assert bench.cursor.playing
    bench.pause()
    assert not bench.cursor.playing


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"frame": 41, "joint": "right_knee"},
        {"frame": 3, "layers": {"trails": True, "opacity": 0.25}, "cell": (4, 30), "speed": 0.5},
    ],
)
def test_code_restores_the_view(trace: FakeTrace, state: dict) -> None:
    first = Workbench(trace, **state)
    call = ast.parse(first.code(), mode="eval").body
    assert isinstance(call, ast.Call)
    second = Workbench(trace, **{k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg})
    for name in ("frame", "joint", "layers", "cell", "speed"):
        assert getattr(second.cursor, name) == getattr(first.cursor, name), name
    first.close()
    second.close()


def test_opening_and_closing_thirty_times_frees_all(trace: FakeTrace) -> None:
    instances = ipywidgets.widgets.widget._instances
    gc.collect()
    before = set(instances)
    alive: list[weakref.ref[Any]] = []
    for _ in range(30):
        own = FakeTrace(4, channels=13)
        workbench = Workbench(own)
        workbench.on_frame(lambda frame: None)
        workbench.frame = 2
        ask(workbench, {"type": "records", "generation": 0, "frames": [1, 2]})
        alive += [weakref.ref(own), weakref.ref(workbench), weakref.ref(workbench._feed), weakref.ref(workbench.cursor)]
        workbench.close()
        workbench.close()
    del own, workbench
    gc.collect()
    assert set(instances) == before
    assert [reference for reference in alive if reference() is not None] == []


def test_a_failed_construction_leaves_no_widgets(trace: FakeTrace) -> None:
    gc.collect()
    before = set(ipywidgets.widgets.widget._instances)
    for bad in ({"frame": 60}, {"joint": "tail"}, {"layers": {"x": 1}}, {"cell": (1,)}, {"speed": -1.0}):
        with pytest.raises(DKDError):
            Workbench(trace, **bad)
    assert set(ipywidgets.widgets.widget._instances) == before


# ---- worst moments


def test_worst_moments_of_known_curves() -> None:
    score, drift = np.ones(60), np.zeros(60)
    score[[20, 21]] = 0.2  # of equals the first
    score[23] = 0.1  # lower, within a quarter of a second of 20 at 30 frames a second
    score[50] = 0.4
    drift[0] = 9.0  # frame 0 has no drift
    drift[35] = 1.0
    assert worst_frames(score, drift, fps=30) == [23, 35, 50]
    assert worst_frames(score, drift, fps=8) == [20, 23, 35, 50]  # the window is 2 frames then
    assert worst_frames(np.ones(60), np.zeros(60), 30) == []
    assert worst_frames(np.full(5, np.nan), np.full(5, np.nan), 30) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=80), st.sampled_from([5.0, 30.0, 60.0]))
def test_moments_are_minima_of_their_window(scores: list[float], fps: float) -> None:
    curve = np.array(scores)
    reach = max(2, round(fps / 4))
    moments = worst_frames(curve, np.zeros(len(curve)), fps)
    assert moments == sorted(set(moments))
    for t in moments:
        assert curve[t] == curve[max(0, t - reach) : t + reach + 1].min()
    assert all(b - a > reach for a, b in zip(moments, moments[1:], strict=False))
    lowest = int(curve.argmin())
    if len(set(curve[max(0, lowest - reach) : lowest + reach + 1])) > 1:
        assert lowest in moments


# ---- shortcuts, assets, filmstrip


def test_no_key_means_two_things_and_every_action_exists() -> None:
    keys = [key for shortcut in SHORTCUTS for key in shortcut.keys]
    assert len(keys) == len(set(keys))
    source = "".join(module(f"{name}.js").source for name in ("core/keys", "workbench/workbench", "studio/actions"))
    known = re.findall(r'^    "?([a-z-]+)"?: \(', source, re.MULTILINE)
    assert {s.action.partition(":")[0] for s in SHORTCUTS} <= set(known)


def test_the_docs_table_has_every_shortcut() -> None:
    table = as_markdown()
    assert all(s.help in table for s in SHORTCUTS)
    assert "| Shift ← | 5 frames back |" in table
    assert {label for s in SHORTCUTS for label in s.labels} >= {"Space", "←", "Shift J", "?", "Esc", "N"}


def test_modules_need_no_network_and_no_markup_from_data() -> None:
    for one in (one for folder in FOLDERS for one in folder_modules(folder)):
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", one.source), one.name
        assert "innerHTML" not in one.source, one.name  # names of clips and errors are text, never markup


def test_every_control_of_the_style_sheet_shows_its_focus() -> None:
    assert ":focus-visible" in stylesheet("core") and "outline: 2px" in stylesheet("core")
    assert all("url(" not in stylesheet(folder) for folder in FOLDERS)


def test_filmstrip_shows_numbered_frames_with_their_skeleton(trace: FakeTrace) -> None:
    jpeg, frames = strip_image(trace)
    strip = decode(jpeg)
    assert frames == [0, 15, 30, 44, 59]
    width = strip.shape[0] * 4 // 3
    step = (strip.shape[1] - width) / (len(frames) - 1)
    for i, t in enumerate(frames):
        picture = strip[:, round(i * step) : round(i * step) + width]
        assert read_number(picture) == t
        scale = 2 * HEIGHT / trace.clip.height
        x, y = ((trace.joints[t, trace.skeleton.index("left_ankle")] + 0.5) * scale).astype(int)
        others = np.delete(trace.joints[t], trace.skeleton.index("left_ankle"), axis=0)
        if np.linalg.norm(others - trace.joints[t, trace.skeleton.index("left_ankle")], axis=1).min() > 12:
            assert np.abs(picture[y, x].astype(int) - (0, 114, 178)).max() < 60


def test_filmstrip_html_is_self_contained_and_escapes(trace: FakeTrace) -> None:
    short = FakeTrace(2, name="<script>alert(1)</script>")
    page = filmstrip_html(short, "dkd-1")
    assert 'data-dkd-filmstrip="dkd-1"' in page and "frames 0, 1 of 2" in page
    assert "<script" not in page and "&lt;script&gt;" in page and "alt=" in page
    assert re.findall(r'(?:src|href)="(?!data:image/jpeg;base64,)', page) == []


def test_displaying_leaves_the_widget_and_the_filmstrip(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple] = []
    monkeypatch.setattr(widgets.core.filmstrip, "display", lambda *args, **kwargs: shown.append((args, kwargs)))
    bench._ipython_display_()
    (live, options), (still, _) = shown
    assert options["raw"] and list(live[0]) == ["application/vnd.jupyter.widget-view+json"]
    assert bench._filmstrip in still[0]["text/html"] and "0x" not in still[0]["text/plain"]
