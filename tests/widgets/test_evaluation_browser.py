"""The evaluation panel in a real JupyterLab and browser, on a few small rendered people.

One notebook for the whole file: the tests follow one evaluation through its life, in their order.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Lab, at_rest, open_notebook, python, run_all, screenshot, show_in
from tests.support.panels import HEAD, SETTLED, button, opened_panel, said_wrong, wait_for_state
from tests.support.server import until

METHODS = ["dkd-mobilenetv2", "dkd-mobilenetv2+initializer", "dkd-mobilenetv2+erased"]
SHOWN = """(side) => {
    const { store, cursor } = document.querySelector(`.dkd-side-${side} .dkd-workbench`).dkd;
    return [store.shown.frame, cursor.get('joint')];
}"""


@pytest.fixture(scope="module")
def lab_page(lab_window: Page, jupyter_lab: Lab) -> Iterator[Page]:
    """A notebook with an evaluation panel that is ready to run."""
    call = (
        f"EvaluationPanel({METHODS!r}, ['rendered', 'samples'], 'browser_evaluations/watched', n_frames=16, "
        "alpha=0.05, root='browser_evaluations')"
    )
    with opened_panel(lab_window, jupyter_lab, "evaluation.ipynb", "EvaluationPanel", call) as page:
        yield page


@pytest.fixture
def page(lab_page: Page) -> Iterator[Page]:
    """The page; errors are shown in the test that caused them."""
    yield lab_page
    assert said_wrong(lab_page) == ""


def look_at(page: Page, selector: str, name: str) -> None:
    """Save a picture of a part of the panel."""
    page.locator(selector).first.evaluate("(e) => e.scrollIntoView({ block: 'start' })")
    at_rest(page)
    screenshot(page, name)


def tiles(page: Page) -> list[dict[str, Any]]:
    """Read error, frame, joint and key of the gallery's items, in screen order."""
    found: list[dict[str, Any]] = page.locator(".dkd-moment").evaluate_all(
        "(all) => all.map((e) => ({ error: Number(e.dataset.error), frame: Number(e.dataset.frame), "
        "joint: e.dataset.joint, key: e.dataset.key }))"
    )
    return found


def test_the_panel_shows_its_code(page: Page) -> None:
    expect(page.locator(".js-plotly-plot")).to_have_count(1)
    expect(button(page, "Run")).to_be_enabled()
    expect(button(page, "Stop")).to_be_disabled()
    form = page.locator(".dkd-evaluation")
    expect(form).to_contain_text("the last frame's maps are erased before they are used")
    expect(page.locator(".dkd-code").last).to_contain_text("dkd evaluate dkd-mobilenetv2 ")
    other = form.get_by_label("Other methods")
    other.fill("dkd-mobilenetv2+erasd")
    other.press("Enter")
    button(page, "Run").click()
    alert = page.locator(f"{HEAD} > .dkd-error")
    expect(alert).to_contain_text("did you mean 'erased'")
    wait_for_state(page, "failed")
    other.fill("")
    other.press("Enter")
    look_at(page, ".dkd-evaluation", "evaluation_ready")


def test_run_stop_resume(page: Page) -> None:
    python(page, "from tests.support.held import HeldEvaluation\nheld = HeldEvaluation(panel)")
    page.locator(".dkd-training-controls button").first.click()
    wait_for_state(page, "running")
    python(page, "held.hold()")
    page.wait_for_function(f"() => Number(document.querySelector('{HEAD}').dataset.done) >= 8")
    assert python(page, "1 + 1") == 2  # cells run meanwhile
    button(page, "Stop").click()
    wait_for_state(page, "stopping")
    python(page, "held.let_go()")
    wait_for_state(page, "stopped")
    assert python(page, "panel.evaluation.missing") == 8
    expect(page.locator(".dkd-results tbody tr").first).to_be_visible()
    button(page, "Resume").click()
    wait_for_state(page, "finished")
    assert python(page, "[panel.evaluation.missing, panel.job.progress.videos]") == [0, 9]
    expect(page.locator(".dkd-results tbody tr")).to_have_count(6)


def test_figures_and_cost(page: Page) -> None:
    data = "document.querySelector('.js-plotly-plot').data"
    page.wait_for_function(f"() => {data}.length === 12 && {data}[1].x.length > 20")
    assert page.evaluate(f"() => {data}[2].x.length") == 0  # no cost yet
    button(page, "Measure cost").click()
    page.wait_for_function(f"() => {data}.filter((t) => t.xaxis === 'x3' && t.x.length === 1).length === 3")
    wait_for_state(page, "finished")
    head = page.locator(".dkd-results thead")
    for column in ("GMACs", "params (M)", "ms a frame"):
        expect(head).to_contain_text(column)
    expect(page.locator(".dkd-measured")).to_contain_text("interleaved rounds")
    look_at(page, ".dkd-evaluation", "evaluation_results")


def test_the_table_is_sorted_copied_and_saved(page: Page) -> None:
    table = page.locator(".dkd-results-table")
    first = table.locator("tbody tr").first.locator("td").first
    table.locator("thead button", has_text="acceleration").click()
    errors = [float(text) for text in table.locator("tbody tr td:nth-child(8)").all_text_contents()]
    assert errors == sorted(errors) and len(errors) == 6
    expect(first).to_be_visible()
    with page.expect_download() as waiting:
        table.get_by_role("button", name="Download").click()
    saved = pd.read_csv(waiting.value.path())
    assert waiting.value.suggested_filename == "watched.csv"
    assert set(saved["method"]) == set(METHODS) and len(saved) == 6
    known = pd.read_json(io.StringIO(python(page, "panel.summary.to_json()")))
    assert (saved["PCK@0.1"] - known["PCK@0.1"].round(3)).abs().max() < 1e-9
    for kind, name, sign in (("markdown", "Markdown", "|:---"), ("latex", "LaTeX", r"\begin{tabular}")):
        table.get_by_label("Format").select_option(kind)
        table.get_by_role("button", name="Copy").click()
        expect(table.get_by_role("status")).to_have_text(f"copied as {name}")
        text = page.evaluate("() => navigator.clipboard.readText()")
        assert sign in text and METHODS[2] in text.replace("\\", "") and "labels: exact" in text


def test_the_gallery_is_sorted_and_filtered_in_the_browser(page: Page) -> None:
    found = tiles(page)
    assert len(found) > 5
    errors = [item["error"] for item in found]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] == pytest.approx(python(page, "float(panel.moments.error.max())"))
    gallery = page.locator(".dkd-gallery")
    gallery.get_by_label("Sort by", exact=True).select_option("frame")
    by_frame = tiles(page)
    assert [item["frame"] for item in by_frame] == sorted(item["frame"] for item in found)
    assert [item["key"] for item in by_frame] != [item["key"] for item in found]
    joint = by_frame[0]["joint"]
    gallery.get_by_label("Joint", exact=True).select_option(joint)
    expected = sum(item["joint"] == joint for item in found)
    expect(page.locator(".dkd-moment")).to_have_count(expected)
    expect(page.locator(".dkd-gallery-count")).to_have_text(f"{expected} of {len(found)} moments")
    gallery.get_by_label("Joint", exact=True).select_option("")
    gallery.get_by_label("Sort by", exact=True).select_option("error")
    assert [item["key"] for item in tiles(page)] == [item["key"] for item in found]
    images = "[...document.querySelectorAll('.dkd-moment img')]"
    page.wait_for_function(f"() => {images}.every((image) => image.naturalWidth === 224)")
    page.locator(".dkd-moment").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("() => document.activeElement.dataset.key") == found[1]["key"]


def test_a_click_opens_the_frame_next_to_a_second_model(page: Page) -> None:
    worst = tiles(page)[0]
    size = page.viewport_size
    page.set_viewport_size({"width": 1600, "height": 640})
    at_rest(page)
    page.locator(".dkd-moment").first.focus()
    expect(page.locator(".dkd-side-first")).not_to_be_in_viewport()
    page.locator(".dkd-moment").first.press("Enter")
    for side in ("first", "second"):
        page.wait_for_function(SETTLED, arg=side)
    expect(page.locator(".dkd-side-first .dkd-player")).to_have_attribute("data-frame", str(worst["frame"]))
    for side in ("first", "second"):
        until(lambda side=side: page.evaluate(SHOWN, side) == [worst["frame"], worst["joint"]])  # type: ignore[misc]
    for part in (".dkd-title", ".dkd-stage", ".dkd-slider"):  # the rows above may change afterwards
        expect(page.locator(f".dkd-side-first {part}")).to_be_in_viewport(ratio=0.2)
    assert size is not None
    page.set_viewport_size(size)
    views = "panel.views.first.bench, panel.views.second.bench"
    assert python(page, f"a, b = {views}\n[a.cursor is b.cursor, a.trace.ground_truth is not None]") == [True, True]
    names = python(page, f"[bench.trace.model_name for bench in ({views})]")
    assert names[0] == worst["key"].split("|")[0] != names[1]
    for side, name in zip(("first", "second"), names, strict=True):
        expect(page.locator(f".dkd-side-{side} .dkd-player")).to_contain_text("labels: exact")
        expect(page.locator(f".dkd-side-{side}")).to_contain_text(name)
    # The trace that is shown is what was measured: the same joint at the same place.
    same = (
        "m = panel.moments.iloc[0]\nt = panel.table\n"
        "r = t[(t.model == m.model) & (t.data == m.data) & (t.video == m.video) & (t.frame == m.frame) "
        "& (t.joint == m.joint)].iloc[0]\na = panel.views.first.bench.trace\nj = a.skeleton.index(m.joint)\n"
        "float(abs(a.joints[m.frame, j] - [r.x, r.y]).max())"
    )
    assert python(page, same) < 1e-3
    expect(page.locator(".dkd-gallery-code")).to_contain_text(f"frame={worst['frame']}")
    slider = page.locator(".dkd-side-first .dkd-slider")
    slider.fill("3")
    for side in ("first", "second"):
        expect(page.locator(f".dkd-side-{side} .dkd-player")).to_have_attribute("data-frame", "3")
    slider.fill(str(worst["frame"]))
    look_at(page, ".dkd-gallery", "evaluation_gallery")
    look_at(page, ".dkd-sides", "evaluation_opened")


def test_light_dark_narrow(page: Page) -> None:
    show_in(page, "Dark", 1600, 1300)
    look_at(page, ".dkd-evaluation", "evaluation_dark")
    look_at(page, ".dkd-gallery", "evaluation_gallery_dark")
    show_in(page, "Light", 1000, 1300)
    domain = "document.querySelector('.js-plotly-plot').layout.yaxis.domain[0]"
    page.wait_for_function(f"() => {domain} > 0.4")  # two rows
    at_rest(page)
    wide = "(e) => e.scrollWidth - e.clientWidth"
    assert page.locator(".dkd-evaluation").evaluate(wide) <= 1
    look_at(page, ".dkd-evaluation", "evaluation_narrow")
    show_in(page, "Light", 1600, 1300)
    page.wait_for_function(f"() => {domain} < 0.1")


def test_after_a_reload_and_a_second_run_all_is_there(page: Page) -> None:
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel != null")
    wait_for_state(page, "finished")
    data = "document.querySelector('.js-plotly-plot')?.data"
    page.wait_for_function(f"() => ({data})?.length === 12 && {data}[1].x.length > 20")
    expect(page.locator(".dkd-results tbody tr")).to_have_count(6)
    until(lambda: len(tiles(page)) > 5)
    python(page, "before = panel")
    assert run_all(page) == []
    wait_for_state(page, "finished")
    expect(page.locator(".dkd-results tbody tr")).to_have_count(6)
    assert python(page, "before is not panel and before._is_closed and panel.evaluation.missing == 0") is True


def test_without_a_kernel_a_still_picture_is_left(page: Page, jupyter_lab: Lab) -> None:
    still = page.locator("[data-dkd-filmstrip]")
    expect(still).to_contain_text(re.compile("watched.*finished"))
    expect(still.locator("img")).to_have_count(6)
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    jupyter_lab.stop_kernels()
    expect(page.locator(f"{HEAD} > .dkd-gone")).to_be_visible()
    open_notebook(page, jupyter_lab, "evaluation.ipynb")
    expect(still).to_be_visible()
    expect(still).to_contain_text(re.compile("watched.*finished"))
    assert still.locator("svg polyline").count() == 3 and still.locator("img").count() == 6
    assert still.locator("tbody tr").count() == 6
    look_at(page, "[data-dkd-filmstrip]", "evaluation_still")
