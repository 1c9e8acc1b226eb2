"""Refined joints in a real browser: the switch of the workbench, the words on the screen, studio and live view."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.browser import Lab, at_rest, expect_python, opened, python, screenshot

ROOT = Path(__file__).resolve().parents[2]
SETUP = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from dkd import Clip, Conditions, Trace, get_sample
from dkd.video.ranges import ClipRange
from widgets import LiveView, Studio, Workbench
walk = get_sample("rendered_walk")
clip = Clip(walk.path)"""
BENCH = "document.querySelector('.dkd-workbench').dkd"
WORDS = re.compile("refined joints")
# How far the mark of the joint is from the middle of the map's highest cell, in cells.
FROM_PEAK = f"""() => {{
    const {{ store }} = {BENCH};
    const [joint, record] = [store.joint(), store.shown];
    const mark = document.querySelector('.dkd-large .dkd-peak').getBoundingClientRect();
    const map = document.querySelector('.dkd-large').getBoundingClientRect();
    const n = store.header.map[0];
    const x = (mark.x + mark.width / 2 - map.x) / map.width * n - 0.5;
    const y = (mark.y + mark.height / 2 - map.y) / map.height * n - 0.5;
    return Math.hypot(x - record.peaks[2 * joint], y - record.peaks[2 * joint + 1]);
}}"""


def test_the_switch_of_the_workbench(lab_window: Page, jupyter_lab: Lab) -> None:
    cell = """\
trace = Trace("dkd-mobilenetv2", ClipRange(clip, 0, 12), walk.box, progress=False)
wb = Workbench(trace, frame=9, joint="right_ankle")
wb"""
    with opened(lab_window, jupyter_lab, "refined.ipynb", SETUP, cell) as page:
        page.wait_for_selector(".dkd-player[data-frame='9']")
        switch = page.get_by_label("Refined joints")
        title, note = page.locator(".dkd-title > .dkd-muted").first, page.locator(".dkd-matching header .dkd-muted")
        expect(switch).not_to_be_checked()
        expect(title).not_to_have_text(WORDS)
        switch.check()
        page.wait_for_function(f"() => {BENCH}.store.header.refined")
        expect(title).to_have_text(WORDS)
        expect(note).to_have_text("frame 9 · refined joints")
        peak = page.locator(".dkd-large .dkd-peak")
        expect(peak).to_have_attribute("title", re.compile("at most 2 cells from the map"))
        expect_python(page, "wb.trace.conditions.refine", True)
        page.wait_for_selector(".dkd-player[data-frame='9']")
        assert page.evaluate(FROM_PEAK) < 3
        at_rest(page)
        screenshot(page, "workbench_refined")
        moved = python(page, "float(abs(wb.trace.joints[9] - trace.joints[9]).max())")
        assert 0 < moved < 40
        page.locator(".dkd-workbench").focus()
        page.keyboard.press("Home")  # its maps are the initializer's already
        page.wait_for_selector(".dkd-player[data-frame='0']")
        expect(note).to_have_text("frame 0")
        switch.uncheck()
        expect(title).not_to_have_text(WORDS)
        expect_python(page, "wb.trace is trace", True)


def test_the_studio_asks_before_it_tracks_and_says_it_afterwards(
    lab_window: Page, jupyter_lab: Lab, tmp_path: Path
) -> None:
    cell = f"""\
import shutil
studio = Studio(shutil.copy(walk.path, {str(tmp_path / "walk.mp4")!r}))
studio.range = range(0, 6)
studio.add_person(walk.box)
studio"""
    with opened(lab_window, jupyter_lab, "refined_studio.ipynb", SETUP, cell) as page:
        switch = page.get_by_label("refined joints")
        expect(switch).not_to_be_checked()
        switch.check()
        expect_python(page, "studio._project.conditions.refine", True)
        screenshot(page, "studio_refine")
        page.get_by_role("button", name="Track 1 person through 6 frames").click()
        expect(page.locator(".dkd-bench .dkd-title .dkd-muted").first).to_have_text(WORDS)
        expect_python(page, "studio.wait() and studio.traces['person_1'].conditions.refine", True)
        at_rest(page)
        screenshot(page, "studio_refined")


def test_the_live_view_says_what_it_costs(lab_window: Page, jupyter_lab: Lab) -> None:
    cell = 'view = LiveView("dkd-mobilenetv2", str(walk.path), walk.box, Conditions(refine=True), loop=True)\nview'
    with opened(lab_window, jupyter_lab, "refined_live.ipynb", SETUP, cell) as page:
        expect(page.locator(".dkd-live header .dkd-muted")).to_have_text(WORDS)
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.locator(".dkd-live-budget")).to_have_text(re.compile(r"network \d+ · refine \d+"))
        screenshot(page, "live_refined")
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.locator(".dkd-live-state")).to_have_text("Stopped.")
