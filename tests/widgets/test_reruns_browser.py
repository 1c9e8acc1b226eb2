"""A cell that is run again: its old views leave nothing behind, in the kernel and in the page, and no other view is
touched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Lab, at_rest, expect_python, opened, python, screenshot, wait_for_kernel
from tests.widgets.test_workbench_browser import BENCH, SETTLED, SETUP

COUNT = "len(ipywidgets.widgets.widget._instances)"
PANEL = "window.jupyterapp.shell.currentWidget"
MODELS = f"Object.keys({BENCH}.store.model.widget_manager._models).length"


@pytest.fixture(scope="module")
def page(lab_window: Page, jupyter_lab: Lab) -> Iterator[Page]:
    """A notebook whose second cell displays a workbench; the third does nothing yet."""
    with opened(
        lab_window, jupyter_lab, "again.ipynb", f"{SETUP}\nimport ipywidgets", "wb = Workbench(trace)\nwb", "None"
    ) as page:
        wait_for_all(page)
        yield page


def wait_for_all(page: Page) -> None:
    """Wait until one workbench is on the page and holds all frames of its clip, most of them decoded."""
    expect(page.locator(".dkd-workbench")).to_have_count(1)
    page.wait_for_function(SETTLED)
    page.wait_for_function(f"() => {BENCH}.store.records.size === 60 && {BENCH}.store.pictures.bitmaps.size >= 59")


def run(page: Page, cell: int, source: str | None = None) -> None:
    """Run a cell as a user does, with another source if one is given, and remember what the workbench before held."""
    page.evaluate(
        f"""async ([cell, source]) => {{
            const store = document.querySelector('.dkd-workbench')?.dkd.store;
            if (store) (window.before ??= []).push(store);
            const {{ content }} = {PANEL};
            content.activeCellIndex = cell;
            if (source !== null) content.activeCell.model.sharedModel.setSource(source);
            await window.jupyterapp.commands.execute('notebook:run-cell');
        }}""",
        [cell, source],
    )


def held_before(page: Page) -> list[list[int]]:
    """Records, decoded pictures and views that are left in the stores of the workbenches before."""
    left = "({ records, pictures, views }) => [records.size, pictures.bitmaps.size, views.size]"
    found: list[list[int]] = page.evaluate(f"() => window.before.splice(0).map({left})")
    return found


def test_ten_runs_leave_no_widgets_and_no_frames(page: Page) -> None:
    widgets, models = python(page, COUNT), page.evaluate(f"() => {MODELS}")
    for _ in range(10):
        run(page, 1)
        wait_for_all(page)
    at_rest(page)
    assert held_before(page) == [[0, 0, 0]] * 10
    assert python(page, COUNT) == widgets
    assert page.evaluate(f"() => {MODELS}") == models


def test_a_view_that_somebody_still_has_can_be_displayed_again(page: Page) -> None:
    python(page, "wb.frame = 7")
    page.wait_for_function(f"() => {BENCH}.store.shown?.frame === 7")
    run(page, 1, "old = wb")  # displays nothing
    expect(page.locator(".dkd-workbench")).to_have_count(0)
    assert python(page, "[old.comm is None, old.cursor.comm is None]") == [True, True]
    assert held_before(page) == [[0, 0, 0]]
    python(page, "old.frame = 9")
    run(page, 2, "old")
    wait_for_all(page)
    assert page.evaluate(f"() => {BENCH}.store.shown.frame") == 9
    page.locator(".dkd-workbench").focus()
    page.keyboard.press("ArrowRight")
    expect_python(page, "old.frame", 10)
    run(page, 2, "None")
    run(page, 1, "wb = Workbench(trace)\nwb")
    wait_for_all(page)


def test_the_same_view_is_displayed_by_the_cell_that_is_run_again(page: Page) -> None:
    """``wb`` at the end of a cell that does not make it: the view is the same, and so is its cursor."""
    run(page, 1, "None")
    run(page, 2, "wb")
    wait_for_all(page)
    model, widgets = python(page, "wb.model_id"), python(page, COUNT)
    for _ in range(2):
        run(page, 2)
        wait_for_all(page)
    assert [python(page, "wb.model_id"), python(page, COUNT)] == [model, widgets]
    run(page, 2, "None")
    run(page, 1, "wb = Workbench(trace)\nwb")
    wait_for_all(page)


def test_a_cursor_that_other_views_share_stays(page: Page) -> None:
    run(page, 2, "single = Player(trace, cursor=wb.cursor)\nsingle")
    alone = page.locator(".jp-OutputArea-output .dkd-player").last
    widgets = python(page, COUNT)
    for frame in (11, 12):
        run(page, 2)
        python(page, f"wb.frame = {frame}")
        expect(alone).to_have_attribute("data-frame", str(frame))
        page.wait_for_function(f"() => {BENCH}.store.shown?.frame === {frame}")
    assert python(page, COUNT) == widgets
    run(page, 2, "None")
    at_rest(page)
    python(page, "wb.frame = 13")
    page.wait_for_function(f"() => {BENCH}.store.shown?.frame === 13")


def test_an_output_in_another_tab_is_no_end(page: Page) -> None:
    """The page holds frames as long as one of the views is there, wherever it is."""
    views = page.evaluate(f"() => {BENCH}.store.views.size")
    page.evaluate(
        f"""async () => {{
            window.store = {BENCH}.store;
            {PANEL}.content.activeCellIndex = 1;
            await window.jupyterapp.commands.execute('notebook:create-output-view');
        }}"""
    )
    page.wait_for_function("(views) => store.views.size === 2 * views", arg=views)
    page.evaluate("() => [...jupyterapp.shell.widgets('down')].forEach((w) => w.dispose())")
    page.wait_for_function("(views) => store.views.size === views", arg=views)
    wait_for_all(page)


def test_a_deleted_cell_frees_frames_and_comes_back(page: Page) -> None:
    def command(name: str) -> Any:
        return page.evaluate(
            f"""async (name) => {{
                window.before = [document.querySelector('.dkd-workbench')?.dkd.store];
                {PANEL}.content.activeCellIndex = 1;
                await window.jupyterapp.commands.execute(name);
            }}""",
            name,
        )

    command("notebook:delete-cell")
    expect(page.locator(".dkd-workbench")).to_have_count(0)
    assert held_before(page) == [[0, 0, 0]]
    assert python(page, "wb.comm is None") is False  # the deletion may be undone
    command("notebook:undo-cell-action")
    wait_for_all(page)


def test_a_reload_brings_the_view_back(page: Page) -> None:
    python(page, "wb.frame = 21")
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    wait_for_kernel(page)
    page.wait_for_function(f"() => document.querySelector('.dkd-workbench') && {BENCH}.store?.shown?.frame === 21")
    wait_for_all(page)
    run(page, 1)
    wait_for_all(page)
    assert held_before(page) == [[0, 0, 0]]


@contextmanager
def busy_below(page: Page, jupyter_lab: Lab, source: str) -> Iterator[None]:
    """Run a cell with this source, and below it one that keeps the kernel busy until the block ends: as in Run All."""
    wait_for_all(page)
    go_on = jupyter_lab.root / "go_on"
    run(page, 1, "None")
    page.evaluate(
        f"""([source, path]) => {{
            const {{ content }} = {PANEL};
            content.widgets[1].model.sharedModel.setSource(source);
            content.widgets[2].model.sharedModel.setSource(`from pathlib import Path\nuntil(Path(${{path}}).exists)`);
            content.activeCellIndex = 1;
            window.jupyterapp.commands.execute('notebook:run-all-below'); // not awaited: it ends when the test wants it
        }}""",
        [source, repr(str(go_on))],
    )
    try:
        yield
    finally:
        go_on.touch()
        wait_for_all(page)
        go_on.unlink()


def test_the_first_frame_is_shown_while_the_kernel_is_busy(page: Page, jupyter_lab: Lab) -> None:
    """It comes with the cell's output, with the header; frames that are not there yet follow."""
    with busy_below(page, jupyter_lab, "wb = Workbench(trace, frame=12)\nwb"):
        shown = "() => document.querySelector('.dkd-workbench')?.dkd?.store?.shown?.frame === 12"
        page.wait_for_function(shown)
        for part in (".dkd-transport", ".dkd-title", ".dkd-grid"):
            expect(page.locator(f".dkd-workbench {part}")).to_be_visible()
        assert page.evaluate(f"() => {BENCH}.store.records.size") == 1
        expect(page.locator(".dkd-starting-cover")).to_have_count(0)
        page.locator(".dkd-workbench").scroll_into_view_if_needed()
        screenshot(page, "workbench_first_frame")
    assert python(page, "wb._feed._offered") == []


def test_while_the_kernel_is_busy_the_view_says_so(page: Page, jupyter_lab: Lab) -> None:
    """As on a page that is reloaded meanwhile, which asks itself. There is no player without a clip."""
    cover = page.locator(".dkd-starting-cover")
    with busy_below(page, jupyter_lab, "wb = Workbench(trace, frame=33)\nwb._feed._was_asked = True\nwb"):
        expect(cover).to_contain_text("The kernel is busy with other cells. This view starts as soon as it is free.")
        page.wait_for_function("() => document.querySelector('.dkd-starting-cover img').naturalWidth === 160")
        for part in (".dkd-transport", ".dkd-title", ".dkd-grid"):
            expect(page.locator(f".dkd-workbench {part}")).to_be_hidden()
        page.locator(".dkd-workbench").scroll_into_view_if_needed()
        screenshot(page, "workbench_busy")
    expect(cover).to_have_count(0)
    assert page.evaluate(f"() => {BENCH}.store.shown.frame") == 33
    for part in (".dkd-transport", ".dkd-title", ".dkd-grid"):
        expect(page.locator(f".dkd-workbench {part}")).to_be_visible()
