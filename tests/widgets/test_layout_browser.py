"""How much of the workbench is in sight at once: in JupyterLab on a small screen, in a narrow window, on the whole
screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Lab, at_rest, opened, screenshot
from tests.widgets.test_workbench_browser import PROBLEMS, SETTLED, SETUP

# The part of each element that is in sight with the workbench at the top of its window, as a share of its area.
SEEN = """async (selectors) => {
    const root = document.querySelector('.dkd-workbench');
    root.scrollIntoView({ block: 'start' });
    const elements = selectors.map((selector) => root.querySelector(selector));
    const shares = await new Promise((done) => {
        const observer = new IntersectionObserver((entries) => {
            observer.disconnect();
            done(new Map(entries.map((entry) => [entry.target, entry.intersectionRatio])));
        });
        for (const element of elements) observer.observe(element);
    });
    const share = (i) => Math.round(100 * shares.get(elements[i])) / 100;
    return Object.fromEntries(selectors.map((selector, i) => [selector, share(i)]));
}"""
ALWAYS = [".dkd-title", ".dkd-frame", ".dkd-transport", ".dkd-timeline"]
MAPS = [".dkd-area-matching", ".dkd-area-kernels"]


@pytest.fixture(scope="module")
def page(lab_window: Page, jupyter_lab: Lab) -> Iterator[Page]:
    """A notebook with a workbench between two other cells."""
    cell = "wb = Workbench(FakeTrace(calibrated=True), frame=20)\nwb"
    with opened(lab_window, jupyter_lab, "layout.ipynb", SETUP, cell, "'below'") as page:
        page.wait_for_function(SETTLED)
        yield page


def seen(page: Page, width: int, height: int, selectors: list[str]) -> dict[str, Any]:
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function(f"() => innerWidth === {width} && innerHeight === {height}")
    at_rest(page)
    shares: dict[str, Any] = page.evaluate(SEEN, selectors)
    at_rest(page)
    screenshot(page, f"layout_{width}x{height}")
    return shares


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1600, 1000), (1920, 1080)])
def test_a_laptop_shows_all_of_it_at_once(page: Page, width: int, height: int) -> None:
    """Picture, maps, kernels, transport and timeline are in sight together, and no map is cut."""
    names = [*ALWAYS, *MAPS, ".dkd-matching .dkd-smalls", ".dkd-kernels .dkd-smalls"]
    assert seen(page, width, height, names) == dict.fromkeys(names, 1)
    assert page.evaluate(PROBLEMS) == []
    ratio = page.evaluate("() => { const f = document.querySelector('.dkd-frame'); return f.width / f.height; }")
    assert ratio == pytest.approx(320 / 240, abs=0.01)


@pytest.mark.parametrize(("width", "height", "always"), [(1000, 800, ALWAYS), (700, 768, ALWAYS[:3])])
def test_in_a_narrow_window_the_maps_scroll_next_to_the_picture(
    page: Page, width: int, height: int, always: list[str]
) -> None:
    """What has no place is reached by scrolling a part of the workbench, while the picture stays in sight."""
    assert seen(page, width, height, always) == dict.fromkeys(always, 1)
    assert page.evaluate(PROBLEMS) == []
    tiles = page.locator(".dkd-kernels .dkd-tile").last
    tiles.scroll_into_view_if_needed()
    expect(tiles).to_be_in_viewport(ratio=0.98)  # a scroller stops at whole pixels, a tile ends between two of them
    for name in (".dkd-frame", ".dkd-transport"):
        expect(page.locator(f".dkd-workbench {name}")).to_be_in_viewport(ratio=1)
    screenshot(page, f"layout_{width}x{height}_scrolled")


def test_the_whole_screen_and_back(page: Page) -> None:
    seen(page, 1366, 768, ALWAYS)
    before = page.evaluate("() => document.querySelector('.dkd-frame').clientHeight")
    root = page.locator(".dkd-workbench")
    root.focus()
    page.keyboard.press("Shift+F")
    page.wait_for_function("() => document.fullscreenElement?.matches('.dkd-workbench')")
    at_rest(page)
    assert page.evaluate(SEEN, [*ALWAYS, *MAPS]) == dict.fromkeys([*ALWAYS, *MAPS], 1)
    assert page.evaluate("() => document.querySelector('.dkd-frame').clientHeight") > before
    screenshot(page, "layout_fullscreen")
    page.get_by_role("button", name="Leave full screen (Shift F or Esc)").click()
    page.wait_for_function("() => !document.fullscreenElement")
    expect(page.get_by_role("button", name="Full screen (Shift F)")).to_have_text("full screen")
    at_rest(page)
    assert page.evaluate("() => document.querySelector('.dkd-frame').clientHeight") == before


@pytest.mark.parametrize("width", [1366, 700])
def test_the_help_fits_the_window_and_escape_closes_it(page: Page, width: int) -> None:
    seen(page, width, 768, ALWAYS)
    help_panel = page.locator(".dkd-help")
    page.locator(".dkd-workbench").focus()
    page.keyboard.press("?")
    page.evaluate(SEEN, ALWAYS)
    expect(help_panel).to_be_in_viewport(ratio=1)
    help_panel.get_by_text("this table", exact=True).scroll_into_view_if_needed()
    screenshot(page, f"layout_help_{width}")
    page.keyboard.press("x")  # pins a cell, which Escape lets go of only when there is no help to close
    page.keyboard.press("Escape")
    expect(help_panel).to_be_hidden()
    pinned = "() => document.querySelector('.dkd-workbench').dkd.cursor.get('cell')"
    assert page.evaluate(pinned) is not None
    page.keyboard.press("Escape")
    assert page.evaluate(pinned) is None
