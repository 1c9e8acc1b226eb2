"""The figure of a study in a real JupyterLab: dragging in it filters the table, filters of the table change it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from dkd import Study
from tests.support.browser import Lab, at_rest, expect_python, opened, place, python, screenshot, show_in
from tests.support.many_clips import many_clips
from tests.support.panels import ROOT

N = 60
ROWS = ".dkd-study-table tbody tr[data-name]"
PLOT = ".js-plotly-plot"
SENTENCE = ".dkd-study-means"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return many_clips(tmp_path_factory.mktemp("study"), N)


@pytest.fixture(scope="module")
def page(lab_window: Page, jupyter_lab: Lab, study: Study) -> Iterator[Page]:
    setup = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom widgets import StudyView"
    cell = f"view = StudyView({str(study.folder)!r})\nview"
    with opened(lab_window, jupyter_lab, "study_groups.ipynb", setup, cell, height=1300) as page:
        expect(page.locator(ROWS).first).to_contain_text("clip000")
        expect(page.locator(f"{PLOT} .scatterlayer .point").first).to_be_visible()
        yield page


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """The place on the page of a point of the plot, by its axes."""
    found = page.locator(PLOT).evaluate(
        """(plot, [x, y]) => {
            const { xaxis, yaxis } = plot._fullLayout;
            return [xaxis._offset + xaxis.d2p(x), yaxis._offset + yaxis.d2p(y)];
        }""",
        [x, y],
    )
    box = place(page.locator(PLOT))
    return box["x"] + found[0], box["y"] + found[1]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*at(page, *start))
    page.mouse.down()
    page.mouse.move(*at(page, *end), steps=6)
    page.mouse.up()


def test_the_figure_shows_all_clips_by_group(page: Page, study: Study) -> None:
    expect(page.get_by_label("Groups", exact=True)).to_have_value("condition")
    clips = study.clips().dropna(subset="confidence")
    points = page.locator(f"{PLOT} .scatterlayer .trace").first.locator(".point")
    expect(points).to_have_count(N - 1)
    expect(page.locator(f"{PLOT} .xtick", has_text="walk")).to_contain_text(
        f"n = {(clips['condition'] == 'walk').sum()}"
    )
    means = clips.groupby("condition")["confidence"].mean()
    expect(page.locator(SENTENCE)).to_contain_text(f"run {means['run']:.3g} [")
    expect(page.locator(SENTENCE)).to_contain_text("run − walk: ")
    at_rest(page)
    screenshot(page, "study_groups")


def test_a_drag_in_the_figure_filters_the_table(page: Page, study: Study) -> None:
    clips = study.clips().dropna(subset="confidence")
    low, high = 0.96067, 0.97  # between two clips
    wanted = clips[(clips["condition"] == "walk") & clips["confidence"].between(low, high)]
    drag(page, (0.55, low), (1.45, high))
    expect(page.locator(".dkd-study-chosen")).to_contain_text(f"{len(wanted)} clips chosen in the figure")
    expect(page.locator(".dkd-study > header")).to_contain_text(f"{len(wanted)} shown")
    expect(page.locator(ROWS)).to_have_count(min(len(wanted), 12))
    expect_python(page, "sorted(view.table.ordered()['name']) == " + repr(sorted(wanted["name"])), True)
    faint = f"{PLOT} .scatterlayer .trace:first-child .point"
    page.wait_for_function(
        "([points, n]) => [...document.querySelectorAll(points)].filter((p) => +p.style.opacity < 0.2).length === n",
        arg=[faint, N - 1 - len(wanted)],
    )
    at_rest(page)
    screenshot(page, "study_groups_chosen")


def test_the_choice_stays_for_another_measure_until_it_is_given_up(page: Page) -> None:
    before = page.locator(".dkd-study-chosen").inner_text()
    page.get_by_label("Measure", exact=True).select_option("jumps")
    expect(page.locator(f"{PLOT} .ytitle")).to_have_text("jumps")
    # The rectangle was about confidence.
    page.wait_for_function("() => !document.querySelector('.js-plotly-plot')._fullLayout.selections.length")
    assert page.locator(".dkd-study-chosen").inner_text() == before
    page.get_by_label("Measure", exact=True).select_option("confidence")
    expect(page.locator(f"{PLOT} .ytitle")).to_have_text("confidence")
    page.locator(".dkd-study-chosen").click()
    expect(page.locator(".dkd-study-chosen")).to_be_hidden()
    expect(page.locator(".dkd-study > header")).not_to_contain_text("shown")
    expect_python(page, "view.groups.figure.data[1].selectedpoints is None", True)


def test_a_filter_of_the_table_changes_the_figure(page: Page) -> None:
    page.get_by_label("condition", exact=True).select_option("walk")
    expect(page.locator(f"{PLOT} .xtick")).to_have_count(1)
    page.get_by_label("Find").fill("clip01")
    expect(page.locator(f"{PLOT} .xtick")).to_contain_text("n = 5")
    expect(page.locator(f"{PLOT} .scatterlayer .trace").first.locator(".point")).to_have_count(5)
    page.get_by_label("Find").fill("")
    page.get_by_label("condition", exact=True).select_option("")
    expect(page.locator(f"{PLOT} .xtick")).to_have_count(2)
    page.get_by_label("Groups", exact=True).select_option("verdict")
    expect(page.locator(f"{PLOT} .xtick")).to_have_count(3)
    page.get_by_label("Groups", exact=True).select_option("condition")
    expect(page.locator(f"{PLOT} .xtick")).to_have_count(2)


def test_a_click_on_a_point_opens_its_clip(page: Page, study: Study) -> None:
    first = study.clips().iloc[0]  # the only one that was really traced
    x = python(page, f"float(view.groups.figure.data[1].x[view.groups._drawn.index({first['name']!r})])")
    page.mouse.click(*at(page, x, first["confidence"]))
    expect(page.locator(".dkd-study-code")).to_contain_text(first["name"])
    expect(page.locator(".dkd-workbench")).to_be_visible()
    expect_python(page, "view.bench.frame", int(first["worst_frame"]))
    expect_python(page, "len(view.groups.figure.data[3].x)", 1)  # it is marked


def test_tables_figures_and_the_paragraph_are_saved(page: Page, study: Study) -> None:
    for kind, name in (("csv", "study-clips.csv"), ("svg", "study-confidence.svg"), ("pdf", "study-confidence.pdf")):
        page.get_by_label("What to save").select_option(kind)
        page.get_by_role("button", name="Save the table").click()
        expect(page.locator(".dkd-study-groups header")).to_contain_text(f"Saved {name}.")
        assert python(page, f"__import__('os').path.getsize({name!r})") > 2000
    page.get_by_label("What to save").select_option("markdown")
    page.get_by_role("button", name="Save the table").click()
    expect(page.locator(".dkd-study-paragraph")).to_contain_text(study.methods("markdown", study.compare("condition")))
    at_rest(page)
    screenshot(page, "study_methods")


def test_the_figure_in_the_dark_and_in_a_narrow_window(page: Page) -> None:
    show_in(page, "Dark", 900, 1300)
    expect(page.locator(f"{PLOT} .xtick")).to_have_count(2)
    at_rest(page)
    screenshot(page, "study_groups_dark_narrow")
    show_in(page, "Light", 1600, 1300)
