"""The view of a study of 300 clips in a real JupyterLab: sort, filter, scroll, open the worst clip."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from dkd import Study
from tests.support.browser import Lab, at_rest, expect_python, opened, place, python, screenshot, show_in
from tests.support.many_clips import FRAMES, many_clips
from tests.support.panels import ROOT

N = 300
TIMEOUT = 0
ROWS = ".dkd-study-table tbody tr[data-name]"
SETTLED = """() => {
    const { store, cursor } = document.querySelector('.dkd-workbench')?.dkd ?? {};
    const frame = cursor?.get('frame');
    return store?.shown && store.shown.frame === frame && !store.raf
        && (store.header.initial.has(frame) || store.detail?.frame === frame);
}"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return many_clips(tmp_path_factory.mktemp("study"), N)


@pytest.fixture(scope="module")
def page(lab_window: Page, jupyter_lab: Lab, study: Study) -> Iterator[Page]:
    setup = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom widgets import StudyView"
    cell = f"view = StudyView({str(study.folder)!r})\nview"
    with opened(lab_window, jupyter_lab, "study.ipynb", setup, cell, height=1300) as page:
        expect(page.locator(ROWS).first).to_contain_text("clip000")
        yield page


def first_cells(page: Page, column: int, n: int = 5) -> list[str]:
    return [page.locator(ROWS).nth(i).locator("td").nth(column).inner_text() for i in range(n)]


def sort_by(page: Page, label: str, state: str) -> None:
    heading = page.locator(".dkd-study-table th:not(.dkd-study-lane)", has_text=label)
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", state)
    expect(page.locator(".dkd-study-scroll")).to_have_attribute("aria-busy", "false")


def test_the_worst_clips_come_first(page: Page) -> None:
    expect(page.locator(".dkd-study header")).to_contain_text(f"{N - 1} of {N} clips are done")
    expect(page.locator(".dkd-study-table th", has_text="confidence ▲")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator(ROWS)).to_have_count(12)
    expect(page.locator(f"{ROWS} polyline")).to_have_count(12)
    picture = page.locator(ROWS).first.locator("img")  # the other videos are empty
    expect(picture).to_be_visible()
    assert picture.evaluate("(one) => one.naturalWidth / one.naturalHeight") == 5
    expect(page.locator(f"{ROWS} img")).to_have_count(1)
    expect(page.locator("figure[data-dkd-filmstrip]")).to_be_hidden()  # the still picture
    at_rest(page)
    screenshot(page, "study_table")


def test_a_click_on_a_heading_sorts(page: Page) -> None:
    sort_by(page, "jumps", "descending")
    expect(page.locator(ROWS).first).to_contain_text(f"person {N - 1}")
    assert first_cells(page, 3) == [f"person {N - 1 - i}" for i in range(5)]
    sort_by(page, "jumps", "ascending")
    expect(page.locator(ROWS).nth(1)).to_contain_text("person 1")
    sort_by(page, "confidence", "ascending")
    expect(page.locator(ROWS).first).to_contain_text("clip000")


def test_text_and_groups_filter(page: Page) -> None:
    page.get_by_label("Find").fill("clip29")
    expect(page.locator(".dkd-study header")).to_contain_text("10 shown")
    page.get_by_label("condition", exact=True).select_option("walk")
    expect(page.locator(".dkd-study header")).to_contain_text("5 shown")
    assert first_cells(page, 2) == [f"../videos/clip{i}.mp4" for i in (291, 293, 295, 297, 299)]
    page.get_by_label("Find").fill("")
    page.get_by_label("condition", exact=True).select_option("")
    page.get_by_label("status", exact=True).select_option("failed")
    expect(page.locator(".dkd-study header")).to_contain_text("1 shown")
    expect(page.locator(ROWS).locator("td").nth(5)).to_have_attribute("title", "VideoNotFoundError: no such file")
    page.get_by_label("status", exact=True).select_option("")
    expect(page.locator(ROWS).first).to_contain_text("clip000")


def test_rows_come_as_they_scroll_into_sight_and_keys_go_through_them(page: Page) -> None:
    assert page.locator(ROWS).count() < 20
    sort_by(page, "video", "ascending")
    expect(page.locator(ROWS).first).to_contain_text("clip000")
    page.locator(ROWS).first.get_by_role("button").focus()
    page.keyboard.press("End")
    expect(page.locator(ROWS).last).to_contain_text(f"clip{N - 1}")
    expect(page.locator(ROWS).last.get_by_role("button")).to_be_focused()
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator(f"{ROWS} button:focus")).to_have_count(1)
    page.keyboard.press("Home")
    expect(page.locator(ROWS).first.get_by_role("button")).to_be_focused()
    expect(page.locator(ROWS).first).to_contain_text("clip000")
    sort_by(page, "confidence", "ascending")
    expect(page.locator(ROWS).first).to_contain_text("clip000")


def test_a_click_opens_the_worst_clip_at_its_worst_frame(page: Page, study: Study) -> None:
    page.locator(ROWS).first.get_by_role("button").click()
    page.wait_for_function(SETTLED)
    worst = int(study.clips().iloc[0]["worst_frame"])
    expect_python(page, "view.bench.frame", worst)
    expect(page.locator(ROWS).first).to_have_attribute("aria-current", "true")
    expect(page.locator(".dkd-study-code")).to_contain_text(f"frame={worst}, reinitialise=None)")
    at_rest(page)
    screenshot(page, "study_opened")
    lane = place(page.locator(ROWS).first.locator("svg"))
    page.mouse.click(lane["x"] + lane["width"] - 2, lane["y"] + lane["height"] / 2)
    expect_python(page, "view.bench.frame", FRAMES - 1)


def test_the_table_in_the_dark_and_in_a_narrow_window(page: Page) -> None:
    show_in(page, "Dark", 900, 1000)
    expect(page.locator(ROWS).first).to_contain_text("clip000")
    at_rest(page)
    screenshot(page, "study_dark_narrow")
    show_in(page, "Light", 1600, 1300)


def test_a_clip_that_cannot_be_opened_is_said(page: Page) -> None:
    page.locator(ROWS).nth(1).get_by_role("button").click()
    expect(page.locator(".dkd-study .dkd-study-message")).to_contain_text("It cannot be opened: ")
    assert python(page, "view.bench.frame") == FRAMES - 1  # what was open stays
