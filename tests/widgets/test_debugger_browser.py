"""The coherence debugger: its messages, and its display and actions in a real JupyterLab and browser."""

from __future__ import annotations

import gc
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from dkd.analysis.diagnosis import LANES, diagnose, statistics
from dkd.analysis.moments import worst
from dkd.errors import ConfigError
from tests.analysis.test_diagnosis import SteadyTrace, better_trace, broken_trace
from tests.support.browser import Lab, opened, place, python, screenshot, settle
from tests.support.fake_trace import FakeTrace
from tests.support.server import until
from widgets import CoherenceDebugger, Cursor, Workbench
from widgets.coherence.debugger import MOST, render_diagnosis, render_statistics
from widgets.core.wire import read_message

ROOT = Path(__file__).resolve().parents[2]
SETUP = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.analysis.test_diagnosis import SteadyTrace, better_trace, broken_trace
from widgets import CoherenceDebugger, Workbench
trace, other = broken_trace(), better_trace()
wb = Workbench(trace)
debugger = CoherenceDebugger(trace, other, cursor=wb.cursor)"""
VIEW = "document.querySelector('.dkd-debugger')"
EDGE, STRIP, LANE = 7, 18, 44  # CSS pixels, as in core/lanes.js and coherence/draw_lanes.js


# ---- without a browser


def test_the_message_holds_lanes_and_moments() -> None:
    first = diagnose(broken_trace())
    second = diagnose(better_trace(channels=0), side=first.side)
    content, buffers = render_diagnosis(first, second, 5)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert (content["generation"], content["models"]) == (5, ["first", "second"])
    lanes = {lane["key"]: lane for lane in read_message(content, buffers)["lanes"]}
    assert list(lanes) == [name for name in LANES if name in first.lanes or name in second.lanes]
    for name, lane in lanes.items():
        for d, values in zip((first, second), lane["values"], strict=True):
            assert (values is None) == (name not in d.lanes)
            if values is not None:
                assert values.dtype == np.float32
                np.testing.assert_array_equal(values, d.lanes[name].astype(np.float32))
    assert lanes["kernel_drift"]["values"][1] is None and not lanes["kernel_drift"]["joints"]
    assert {"lane": "kernel drift", "why": "the model has no kernels", "which": "B"} in content["missing"]
    expected = worst(first, n=None, other=second)
    assert [m["text"] for m in content["moments"]] == [m.text for m in expected]
    assert next(m for m in content["moments"] if m["reason"] == "drift")["other"] is None


def test_a_restless_track_does_not_send_thousands() -> None:
    trace = SteadyTrace(400)
    trace.dip("head", slice(0, 400, 4), 0.3).dip("left_hip", [7], 0.5)
    moments = render_diagnosis(diagnose(trace), None, 0)[0]["moments"]
    assert [m["joint"] for m in moments] == ["head"] * MOST + ["left_hip"]


def test_the_figures_are_those_of_statistics() -> None:
    first, second = diagnose(broken_trace()), diagnose(better_trace(truth=False))
    content = render_statistics(first, second, 3, 31, "right_wrist", "k")
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert [r["key"] for r in content["rows"]] == [*(n for n in LANES if n in first.lanes), "PCK@0.1"]
    tables = [statistics(d, 3, 31, "right_wrist") for d in (first, second)]
    for row in content["rows"]:
        for table, values in zip(tables, row["values"], strict=True):
            if row["key"] not in table.index:
                assert values is None
            else:
                given = [np.nan if v is None else v for v in values]
                np.testing.assert_array_equal(given, table.loc[row["key"]].to_numpy(float))


def test_tables_in_python() -> None:
    trace, other = broken_trace(), better_trace()
    view = CoherenceDebugger(trace, other)
    assert view.other is other and view.diagnosis.model == "first"
    assert view.moments("left_ankle", 3, reason="flip") == worst(
        view.diagnosis, "left_ankle", 3, reason="flip", other=view.other_diagnosis
    )
    table = view.statistics(10, 20)
    assert table.loc["score", ("B", "mean")] == statistics(view.other_diagnosis, 10, 20).loc["score", "mean"]  # type: ignore[arg-type]
    np.testing.assert_array_equal(view.other_diagnosis.side, view.diagnosis.side)  # type: ignore[union-attr]
    view.cursor.range = (10, 20)
    scope: dict[str, Any] = {"trace": trace, "other": other}
    exec(view.code(), scope)
    again = scope["debugger"]
    assert (again.frame, again.joint, again.cursor.range) == (view.frame, view.joint, [10, 20])
    pd.testing.assert_frame_equal(scope["moments"], view.moments().to_frame())
    pd.testing.assert_frame_equal(scope["figures"], view.statistics(10, 20, view.joint))
    again.close()
    view.close()


def test_what_does_not_fit_is_refused() -> None:
    for other in (SteadyTrace(59), FakeTrace(12)):
        with pytest.raises(ConfigError, match="same frames"):
            CoherenceDebugger(broken_trace(), other)
    with pytest.raises(ConfigError, match="cursor over 60 frames"):
        CoherenceDebugger(broken_trace(), cursor=Cursor(59, broken_trace().skeleton.joints))
    with pytest.raises(TypeError, match="did you mean 'cursor'"):
        CoherenceDebugger(broken_trace(), curser=None)


def test_another_trace_in_the_workbench_is_measured() -> None:
    first = broken_trace()
    bench = Workbench(first)
    view = CoherenceDebugger(first, better_trace(), cursor=bench.cursor)
    assert view.diagnosis.model == "first" and view.other_diagnosis is not None
    shorter = SteadyTrace(40)
    shorter.model_name = "third"
    bench.trace = shorter
    assert (view.diagnosis.model, len(view.diagnosis), view.other_diagnosis) == ("third", 40, None)
    content, _ = view._answer({"type": "diagnose", "generation": 1})
    assert content["dropped"]
    view.close()
    bench.close()


def test_closing_frees_everything() -> None:
    gc.collect()
    before = set(ipywidgets.widgets.widget._instances)
    view = CoherenceDebugger(broken_trace(), better_trace())
    assert view.diagnosis is view.diagnosis  # measured once
    view.close()
    view.close()
    with pytest.raises(ConfigError):
        CoherenceDebugger(broken_trace(), SteadyTrace(59))
    assert set(ipywidgets.widgets.widget._instances) == before


def test_a_request_that_fails_is_shown() -> None:
    view = CoherenceDebugger(broken_trace())
    view._serve({"type": "statistics", "first": 9, "last": 3, "joint": None, "key": ""})
    assert view._error.startswith("FrameIndexError answering statistics")
    view.close()


# ---- in a browser


@pytest.fixture(scope="module")
def lab_page(lab_window: Page, jupyter_lab: Lab) -> Iterator[Page]:
    """A notebook with a workbench and a debugger on one cursor."""
    # In one cell: Lab takes the cells that are out of sight off the page.
    cell = "from ipywidgets import VBox\nVBox([debugger, wb])"
    with opened(lab_window, jupyter_lab, "debugger.ipynb", SETUP, cell, height=1200) as page:
        page.wait_for_selector(".dkd-debugger[data-figures]")
        page.locator(".dkd-debugger").scroll_into_view_if_needed()
        yield page


@pytest.fixture
def page(lab_page: Page) -> Page:
    """The page of :func:`lab_page` in its initial state."""
    page = lab_page
    settle(page, f"{VIEW}.dkd.cursor", "wb.cursor")
    python(page, "wb.cursor.range = None\nwb.frame, wb.joint = 5, 'left_wrist'")
    page.get_by_label("Reason", exact=True).select_option("")
    page.get_by_label("selected joint only").uncheck()
    page.get_by_label("Lanes of").select_option("joint")
    page.mouse.move(2, 2)
    wait_for_frame(page, 5)
    return page


@pytest.fixture(scope="module")
def both() -> tuple[Any, Any]:
    first = diagnose(broken_trace())
    return first, diagnose(better_trace(), side=first.side)


def wait_for_frame(page: Page, frame: int) -> None:
    page.wait_for_function(
        f"() => {VIEW}.dataset.frame === '{frame}' && {VIEW}.dkd.cursor.get('frame') === {frame}"
        f" && !{VIEW}.dkd.store.raf"
    )


def rows(page: Page) -> list[dict[str, str]]:
    found: list[dict[str, str]] = page.evaluate(
        """() => [...document.querySelectorAll('.dkd-moments tbody tr')].map((row) => ({
            ...row.dataset, text: row.lastChild.textContent, which: row.cells[3].querySelector('b').textContent,
        }))"""
    )
    return found


def x_of(page: Page, frame: int) -> float:
    """Return the position of a frame on the canvas, in CSS pixels from its left."""
    box = place(page.locator(".dkd-debugger-canvas"))
    return EDGE + frame / 59 * (box["width"] - 2 * EDGE)


def test_units_and_severity_are_explained_where_they_stand(page: Page) -> None:
    root = page.locator(".dkd-debugger")
    expect(root.locator(".dkd-debugger-hint").first).to_contain_text("“box”: the larger side of the person’s box")
    expect(root.locator(".dkd-debugger-hint").first).to_contain_text("A dotted line is a lane’s limit")
    expect(root.locator(".dkd-moments-about")).to_contain_text("divided by the limit above which it stands out")


def test_the_list_is_pythons(page: Page, both: tuple[Any, Any]) -> None:
    expected = worst(both[0], n=None, other=both[1])
    found = rows(page)
    assert [r["text"] for r in found] == [m.text for m in expected]
    told = ["both" if m.other is not None and m.other >= 1 else "AB"[m.which] for m in expected]
    assert [r["which"] for r in found] == told and set(told) == {"A", "B", "both"}
    assert [(int(r["frame"]), r["joint"]) for r in found] == [(m.frame, m.joint or "") for m in expected]
    screenshot(page, "coherence_debugger")


def test_a_click_or_enter_goes_to_the_moment(page: Page, both: tuple[Any, Any]) -> None:
    expected = worst(both[0], n=None, other=both[1])
    jump = next(i for i, m in enumerate(expected) if m.reason == "jump" and m.joint == "right_wrist")
    page.locator(".dkd-go").nth(jump).click()
    wait_for_frame(page, expected[jump].frame)
    until(lambda: python(page, "[wb.frame, wb.joint]") == [expected[jump].frame, "right_wrist"])
    expect(page.locator(".dkd-moments tr[aria-current=true]")).to_have_count(1)
    page.keyboard.press("ArrowDown")  # to the next row, not to another frame
    assert page.evaluate(f"() => {VIEW}.dkd.cursor.get('frame')") == expected[jump].frame
    page.keyboard.press("Enter")
    wait_for_frame(page, expected[jump + 1].frame)
    page.keyboard.press("p")
    wait_for_frame(page, expected[jump].frame)
    page.keyboard.press("n")
    wait_for_frame(page, expected[jump + 1].frame)
    # The words that a screen reader says have the reason, the frames and the sentence.
    label = page.locator(".dkd-go").nth(jump).get_attribute("aria-label") or ""
    assert label.startswith("jump, frames 30–31, worst in 30, severity 6.0; in A: A 6.0, B nothing")
    assert label.endswith(expected[jump].text)


def test_the_list_can_be_filtered(page: Page) -> None:
    page.get_by_label("Reason", exact=True).select_option("low score")
    page.wait_for_function("() => document.querySelectorAll('.dkd-moments tbody tr').length === 2")
    assert {(r["reason"], r["joint"]) for r in rows(page)} == {("low score", "head"), ("low score", "left_knee")}
    page.get_by_label("Reason", exact=True).select_option("")
    page.get_by_label("selected joint only").check()
    python(page, "wb.joint = 'right_ankle'")
    page.wait_for_function("() => document.querySelectorAll('.dkd-moments tbody tr[data-reason=flip]').length === 1")
    joints = {"right_ankle", "left_ankle", ""}  # a flip is of both sides, a drift of all
    until(lambda: {r["joint"] for r in rows(page)} == joints)
    found = rows(page)
    assert {r["reason"] for r in found if r["joint"] == "left_ankle"} == {"flip"}
    page.locator(".dkd-moments tr[data-reason=flip] .dkd-go").click()
    wait_for_frame(page, 20)
    assert page.evaluate(f"() => {VIEW}.dkd.cursor.get('joint')") == "right_ankle"


def read_figures(page: Page) -> dict[str, list[float]]:
    cells: dict[str, list[str]] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('.dkd-figures tbody tr')].map((row) =>
            [row.dataset.lane, [...row.querySelectorAll('td')].map((td) => td.textContent.replace('✓ ', ''))]))"""
    )
    return {lane: [float("nan" if v == "–" else v) for v in values] for lane, values in cells.items()}


def check_figures(page: Page, both: tuple[Any, Any], first: int, last: int, joint: str | None) -> None:
    key = f"{first},{last},{joint or ''}"
    page.wait_for_function(f"() => {VIEW}.dataset.figures.endsWith(',{key}')")
    shown = read_figures(page)
    tables = [statistics(d, first, last, joint) for d in both]
    assert list(shown) == list(tables[0].index)
    for lane, values in shown.items():
        columns = ("mean", "median", "min", "max")
        expected = [float(t.loc[lane, c]) for c in columns for t in tables]
        np.testing.assert_allclose(values, expected, rtol=0.05, atol=6e-4, err_msg=lane)


def test_a_range_is_dragged_and_its_figures_are_pythons(page: Page, both: tuple[Any, Any]) -> None:
    check_figures(page, both, 0, 59, "left_wrist")
    python(page, "wb.joint = 'right_wrist'")
    box = place(page.locator(".dkd-debugger-canvas"))
    y = box["y"] + STRIP + LANE / 2
    page.mouse.move(box["x"] + x_of(page, 18), y)
    page.mouse.down()
    page.mouse.move(box["x"] + x_of(page, 26), y)
    page.mouse.move(box["x"] + x_of(page, 33), y)
    page.mouse.up()
    check_figures(page, both, 18, 33, "right_wrist")
    until(lambda: python(page, "wb.cursor.range") == [18, 33])
    assert page.evaluate(f"() => {VIEW}.dkd.cursor.get('frame')") == 5  # a drag selects, it does not move
    page.get_by_label("Lanes of").select_option("worst")
    check_figures(page, both, 18, 33, None)
    screenshot(page, "coherence_debugger_range")
    page.get_by_role("button", name="whole clip").click()
    check_figures(page, both, 0, 59, None)
    page.mouse.click(box["x"] + x_of(page, 42), y)
    wait_for_frame(page, 42)


def test_shift_and_arrows_select_a_range(page: Page) -> None:
    def range_is(value: list[int] | None) -> None:
        text = json.dumps(value, separators=(",", ":"))
        page.wait_for_function(f"() => JSON.stringify({VIEW}.dkd.cursor.get('range')) === '{text}'")

    page.locator(".dkd-debugger-canvas").focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    wait_for_frame(page, 8)
    range_is([5, 8])
    page.keyboard.press("Shift+ArrowLeft")
    range_is([5, 7])
    for _ in range(2):
        page.keyboard.press("Shift+ArrowLeft")
    page.wait_for_function(f"() => {VIEW}.dkd.cursor.get('range') === null")
    page.keyboard.press("Shift+ArrowLeft")
    range_is([4, 5])
    page.keyboard.press("Escape")
    page.wait_for_function(f"() => {VIEW}.dkd.cursor.get('range') === null")


def test_the_canvas_has_a_description(page: Page, both: tuple[Any, Any]) -> None:
    python(page, "wb.frame, wb.joint = 30, 'right_wrist'")
    wait_for_frame(page, 30)
    canvas = page.locator(".dkd-debugger-canvas")
    expect(canvas).to_have_attribute("aria-valuenow", "30")
    expect(canvas).to_have_attribute("aria-valuetext", re.compile("^frame 30; right wrist: "))
    text = canvas.get_attribute("aria-valuetext") or ""
    assert text.startswith("frame 30; right wrist: score A 0.900, B 0.900; speed A 0.3")
    speed = [float(v) for v in re.search(r"speed A ([\d.]+), B ([\d.]+)", text).groups()]  # type: ignore[union-attr]
    assert speed == pytest.approx([d.lanes["speed"][30, 6] for d in both], abs=6e-4)
    page.get_by_label("Lanes of").select_option("worst")
    expect(canvas).to_have_attribute("aria-valuetext", re.compile("all joints, the worst"))
    # Hovering reads out another frame.
    box = place(canvas)
    page.mouse.move(box["x"] + x_of(page, 41), box["y"] + 60)
    expect(page.locator(".dkd-debugger .dkd-tooltip")).to_contain_text("frame 41")
    expect(page.locator(".dkd-debugger .dkd-tooltip")).to_contain_text("score A 0.300, B 0.900")


def test_both_curves_are_painted_the_others_dashed(page: Page) -> None:
    """Where only B dips, its row of pixels is painted with gaps; A's, above, without."""
    python(page, "wb.joint = 'left_knee'\nwb.frame = 50")
    wait_for_frame(page, 50)
    rows_of = """([x0, x1, ys]) => {
        const canvas = document.querySelector('.dkd-debugger-canvas');
        const ratio = canvas.width / canvas.clientWidth;
        const context = canvas.getContext('2d');
        return ys.map((y) => {
            const width = Math.round((x1 - x0) * ratio);
            const data = context.getImageData(Math.round(x0 * ratio), Math.round((y - 1) * ratio), width, 3).data;
            let painted = 0;
            for (let x = 0; x < width; x++)
                painted += [0, 1, 2].some((row) => data[4 * (row * width + x) + 3] > 100);
            return painted / width;
        });
    }"""
    y = [STRIP + LANE * (1 - v) for v in (0.9, 0.45, 0.7)]
    span = [x_of(page, 10) + 1, x_of(page, 11) - 1]
    a, b, nothing = page.evaluate(rows_of, [*span, y])
    assert a == 1 and 0.2 < b < 1 and nothing == 0, (a, b, nothing)


def test_lanes_can_be_hidden(page: Page) -> None:
    names = page.locator(".dkd-debugger-names > div")
    before = names.count()
    page.locator(".dkd-debugger-toggles").get_by_label("speed").uncheck()
    expect(names).to_have_count(before - 1)
    page.locator(".dkd-debugger-toggles").get_by_label("border").check()
    expect(names.last).to_contain_text("border")
    page.locator(".dkd-debugger-toggles").get_by_label("border").uncheck()
    page.locator(".dkd-debugger-toggles").get_by_label("speed").check()
    expect(names).to_have_count(before)
    page.locator(".dkd-debugger summary").click()
    expect(page.locator(".dkd-debugger details")).to_contain_text("run.discriminator()")
    page.locator(".dkd-debugger summary").click()


def test_the_list_can_be_taken_away(page: Page, both: tuple[Any, Any]) -> None:
    page.get_by_label("Reason", exact=True).select_option("flip")
    expected = worst(both[0], n=None, reason="flip", other=both[1])
    texts = {}
    for name in ("CSV", "JSON"):
        with page.expect_download() as download:
            page.locator(".dkd-debugger").get_by_role("button", name=name).click()
        assert download.value.suggested_filename == f"moments.{name.lower()}"
        texts[name] = Path(download.value.path()).read_text(encoding="utf-8")
    assert texts["JSON"] == expected.to_json()
    assert pd.read_csv(io.StringIO(texts["CSV"]))["text"].tolist() == [m.text for m in expected]
    page.locator(".dkd-debugger").get_by_role("button", name="copy as Python").click()
    expect(page.locator(".dkd-debugger .dkd-results-bar")).to_contain_text("copied")
    code = page.evaluate("() => navigator.clipboard.readText()")
    assert 'moments = debugger.moments(reason="flip").to_frame()' in code
    python(page, f"there = dict(trace=trace, other=other)\nexec({code!r}, there)")
    assert python(page, "list(there['moments']['text'])") == [m.text for m in expected]
    python(page, "there['debugger'].close()")


def test_another_trace_in_the_workbench_is_shown_here_too(page: Page) -> None:
    python(page, "third = SteadyTrace(60)\nthird.model_name = 'third'\nwb.trace = third")
    expect(page.locator(".dkd-debugger-legend")).to_contain_text("third")
    until(lambda: {r["which"] for r in rows(page)} == {"B"})
    python(page, "wb.trace = trace")
    expect(page.locator(".dkd-debugger-legend")).to_contain_text("first")
    expect(page.locator(".dkd-moments tbody tr[data-reason=drift]")).to_have_count(1)
