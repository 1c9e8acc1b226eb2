"""Every view in a real JupyterLab, light and dark: axe-core finds no barrier, and the Tab key has few stops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.accessibility import tab_stops, violations
from tests.support.browser import Lab, at_rest, opened, press_at_once, screenshot, show_in

ROOT = Path(__file__).resolve().parents[2]
SETUP = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.analysis.test_diagnosis import better_trace, broken_trace
from tests.support.fake_trace import FakeTrace
from tests.support.small_laboratory import small_trace
from widgets import *
trace = small_trace()"""
WORKBENCH = "wb = Workbench(FakeTrace(calibrated=True, lost=(20,), strange=(8,)), frame=12)\nwb"
# The other views by their elements: the code that shows each, and what is then on the page.
VIEWS = {
    ".dkd-lineage": (
        "view = Lineage(trace)\nview.frame, view.reliance = 4, True\ndisplay(view)",
        "[data-pictures] .dkd-lineage-lower:not([data-shown=''])",
    ),
    ".dkd-debugger": (
        "view = CoherenceDebugger(broken_trace(), better_trace())\nview.cursor.range = 3, 31\ndisplay(view)",
        " .dkd-results td",
    ),
    ".dkd-editor": (
        "view = Editor({'anna': trace, 'ben': small_trace()})\nview.correct_joint(4, 'head', 300.0, 90.0)\n"
        "view.bookmark(5, 'look')\nview.wait()\ndisplay(view)",
        " .dkd-edits li",
    ),
    ".dkd-anatomy": ("view = Anatomy(trace)\nview.frame = 4\ndisplay(view)", "[data-cell]"),
    ".dkd-joint-kernels": (
        "from tests.support.joint_kernels import joints_trace\n"
        "view = JointKernels(joints_trace(5))\nview.frame, view.joint = 4, 'left_wrist'\ndisplay(view)",
        "[data-shown]",
    ),
    ".dkd-laboratory": (
        "laboratory = Laboratory(trace)\nlaboratory.apply('freeze_kernel', 3)\nlaboratory.wait()\n"
        "laboratory.frame = 5\ndisplay(laboratory)",
        "[data-calls='1'][data-other='5']",
    ),
    ".dkd-studio": (
        "from dkd.video.samples import get_sample\nsample = get_sample('rendered_walk')\n"
        "studio = Studio(sample.path, session='browser_studio/seen.dkd.json')\n"
        "studio.add_person(sample.box, frame=0)\ndisplay(studio)",
        " .dkd-track:not(:disabled)",
    ),
    ".dkd-live": ("display(LiveView('dkd-mobilenetv2', box=(220, 20, 460, 460)))", " .dkd-live-state"),
    ".dkd-lesson": ("lesson = Lesson('Title', 'Purpose', 5)\ndisplay(lesson)", " h2"),
    ".dkd-question": (
        "ask = lambda *given: display(lesson.ask(Question(*given, hints=['Look.'])))\n"
        "ask('Which one?', Choice({'this': True, 'that': 'No.'}))\nask('How many?', Number(lambda: 3))",
        " fieldset",
    ),
    ".dkd-training": (
        "display(TrainingPanel('browser_runs/seen'))\n"
        "display(EvaluationPanel(['dkd-mobilenetv2'], ['samples'], 'browser_evaluations/seen'))",
        " .dkd-panel-head",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def page(lab_window: Page, jupyter_lab: Lab) -> Iterator[Page]:
    with opened(lab_window, jupyter_lab, "accessibility.ipynb", SETUP, WORKBENCH) as page:
        page.wait_for_function("() => document.querySelector('.dkd-workbench')?.dkd.store.detail?.frame === 12")
        yield page


@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_the_workbench_in_all_its_states(page: Page, theme: str) -> None:
    show_in(page, theme, 1600, 1000)
    root = page.locator(".dkd-workbench")
    assert violations(page, ".dkd-workbench") == []
    root.focus()
    page.keyboard.press("x")  # a pinned cell
    page.keyboard.press("?")
    expect(page.locator(".dkd-help")).to_be_visible()
    at_rest(page)
    assert violations(page, ".dkd-workbench") == []
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="export", exact=True).click()
    expect(page.get_by_role("group", name="Export", exact=True)).to_be_visible()
    root.focus()
    page.keyboard.press("Home")  # without kernels
    expect(page.locator(".dkd-player")).to_have_attribute("data-frame", "0")
    at_rest(page)
    screenshot(page, f"accessibility_workbench_{theme}")
    assert violations(page, ".dkd-workbench") == []
    page.keyboard.press("Escape")
    page.get_by_label("Frame", exact=True).fill("12")


def test_barriers_are_found(page: Page) -> None:
    """What has no name, or can hardly be read, is said with its rule."""
    show_in(page, "Light", 1600, 1000)
    at_rest(page)
    barriers = "<button></button><p style='color: #aaa; background: #fff'>faint</p>"
    page.locator(".dkd-title").evaluate(f'(e) => {{ e.insertAdjacentHTML("beforeend", "{barriers}"); }}')
    found = {line.partition(":")[0] for line in violations(page, ".dkd-workbench")}
    page.locator(".dkd-title").evaluate("(e) => { e.lastChild.remove(); e.lastChild.remove(); }")
    assert found == {"button-name", "color-contrast"} and violations(page, ".dkd-workbench") == []


def test_the_tab_key_stops_once_at_each_grid_of_joints(page: Page) -> None:
    """Of 48 stops, 26 were tiles: now ↑ and ↓ go from tile to tile, and take the selected joint along."""
    page.get_by_label("Frame", exact=True).fill("12")
    expect(page.locator(".dkd-kernels")).to_have_attribute("data-frame", "12")
    stops = tab_stops(page, ".dkd-workbench")
    assert "" not in stops and len(stops) == len(set(stops))
    for what in ("heatmap", "kernel"):
        assert len([name for name in stops if f": {what}" in name]) == 1
    joint = "() => document.querySelector('.dkd-workbench').dkd.cursor.get('joint')"
    tiles = page.get_by_role("group", name="heatmap").get_by_role("button")
    before = page.evaluate(joint)
    page.locator(".dkd-matching .dkd-tile[tabindex='0']").focus()
    names = []
    for _ in range(tiles.count()):
        page.keyboard.press("ArrowDown")
        names.append(page.evaluate(joint))
        expect(page.locator(":focus")).to_have_attribute("tabindex", "0")
    assert len(set(names)) == tiles.count() and names[-1] == before
    page.keyboard.press("ArrowUp")
    assert page.evaluate(joint) == names[-2]
    press_at_once(page.locator(":focus"), "ArrowUp", "ArrowUp")
    assert page.evaluate(joint) == names[-4]


@pytest.fixture(scope="module")
def others(page: Page, jupyter_lab: Lab) -> Iterator[Page]:
    """A notebook with the other views, one below the other."""
    # In one cell: Lab takes the cells that are out of sight off the page.
    cell = "\n".join(code for code, _ in VIEWS.values())
    with opened(page, jupyter_lab, "accessible_views.ipynb", SETUP, cell):
        yield page
        show_in(page, "Light", 1600, 1000)


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_no_barriers(others: Page, view: str) -> None:
    expect(others.locator(view + VIEWS[view][1]).first).to_be_attached()
    others.locator(view).first.evaluate("(root) => root.scrollIntoView({ block: 'start' })")
    for theme in ("Dark", "Light"):
        show_in(others, theme, 1600, 1000)
        screenshot(others, f"accessibility_{view.removeprefix('.dkd-')}_{theme}")
        found = violations(others, view)
        assert found == [], "\n".join(found)
