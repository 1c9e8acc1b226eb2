"""A coherence debugger in a page from disk, without a network: lanes, moments and figures are Python's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from dkd.analysis.diagnosis import LANES, diagnose, statistics
from dkd.analysis.moments import worst
from dkd.errors import ConfigError
from tests.analysis.test_diagnosis import better_trace, broken_trace
from tests.support.accessibility import violations
from tests.support.browser import screenshot
from tests.support.server import PATIENCE_S
from tests.widgets.test_debugger_browser import read_figures
from tests.widgets.test_page_browser import Visit, rest
from widgets import CoherenceDebugger

VIEW = "document.querySelector('.dkd-debugger')"


@pytest.fixture(params=["light", "dark"])
def offline(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1500, "height": 1900}, color_scheme=request.param)
    context.set_default_timeout(PATIENCE_S * 1e3)
    context.set_offline(True)
    yield context
    context.close()


def test_the_debugger_lives_in_a_page(offline: BrowserContext, tmp_path: Path) -> None:
    trace, other = broken_trace(), better_trace()
    view = CoherenceDebugger(trace, other)
    view.joint = "right_wrist"
    view.to_html(tmp_path / "why.html")
    view.close()
    visit = Visit(offline, tmp_path / "why.html")
    visit.wait(f"{VIEW}?.dataset.figures && {VIEW}.dataset.frame === '0'")
    page = visit.page
    first = diagnose(trace)
    second = diagnose(other, side=first.side)
    for joint in ("left_ankle", "right_wrist"):
        page.evaluate(f"(joint) => {VIEW}.dkd.cursor.set('joint', joint)", joint)
        visit.wait(f"{VIEW}.dataset.figures === '0,0,59,{joint}'")
        shown = read_figures(page)
        tables = [statistics(d, 0, 59, joint) for d in (first, second)]
        for lane in (name for name in LANES if all(name in table.index for table in tables)):
            wanted = [float(table.loc[lane, "mean"]) for table in tables]
            assert shown[lane][:2] == pytest.approx(wanted, rel=0.01, abs=0.01, nan_ok=True)
    listed = page.locator(".dkd-debugger .dkd-moments tbody tr").all_inner_texts()
    assert all(any(m.text in text for text in listed) for m in worst(first, n=3, other=second))
    # A click on a moment moves the workbench above it.
    moment = worst(first, n=1, other=second)[0]
    page.locator(".dkd-debugger .dkd-moments tbody button").first.click()
    expect(page.locator(".dkd-player")).to_have_attribute("data-frame", str(moment.frame))
    expect(page.locator(".dkd-debugger")).to_have_attribute("data-frame", str(moment.frame))
    # What needs Python is not there, and a range changes no figures.
    for name in ("CSV", "JSON", "copy as Python"):
        expect(page.locator(".dkd-debugger").get_by_role("button", name=name)).to_have_count(0)
    page.evaluate(f"() => {VIEW}.dkd.cursor.set('range', [3, 31])")
    rest(page)
    assert page.evaluate(f"() => {VIEW}.dataset.figures") == "0,0,59,right_wrist"
    expect(page.get_by_role("button", name="whole clip")).to_be_hidden()
    screenshot(page, f"page_debugger_{page.evaluate('() => matchMedia(`(prefers-color-scheme: dark)`).matches')}")
    assert violations(page) == []
    visit.check()


def test_a_part_of_the_clip_or_several_people_are_refused(tmp_path: Path) -> None:
    view = CoherenceDebugger(broken_trace())
    with pytest.raises(ConfigError, match="expected one run and all its frames"):
        view.to_html(tmp_path / "part.html", frames=range(10, 20))
    assert list(tmp_path.iterdir()) == []
    view.close()
