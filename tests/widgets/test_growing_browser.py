"""A workbench whose trace is being made, in a real browser: it is used meanwhile, and grows."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.browser import Lab, at_rest, expect_python, opened, python, screenshot

ROOT = Path(__file__).resolve().parents[2]
CELL = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.widgets.test_growing import WALK, HeldClip
from widgets import Workbench
from widgets.workbench import growing
growing.EVERY_S = growing.SHARE = 0  # each frame is shown
clip = HeldClip(4)
wb = Workbench.tracing("dkd-mobilenetv2", clip, WALK.box)
wb"""


def test_frames_are_used_while_the_others_are_traced(lab_window: Page, jupyter_lab: Lab) -> None:
    with opened(lab_window, jupyter_lab, "growing.ipynb", CELL) as page:
        page.wait_for_selector(".dkd-player[data-frame='0']")
        expect(page.locator(".dkd-growing")).to_contain_text("of 12 frames are traced")
        python(page, "clip.allow(8)")
        page.wait_for_function("() => document.querySelector('.dkd-workbench').dkd.store.header.n_frames >= 6")
        page.locator(".dkd-workbench").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        expect(page.locator(".dkd-player")).to_have_attribute("data-frame", "2")
        expect_python(page, "wb.frame", 2)
        screenshot(page, "workbench_growing")
        python(page, "clip.allow(12)")
        expect(page.locator(".dkd-growing")).to_be_hidden()
        expect(page.locator(".dkd-player")).to_have_attribute("data-frame", "2")
        page.locator(".dkd-workbench").focus()
        page.keyboard.press("End")
        expect(page.locator(".dkd-player")).to_have_attribute("data-frame", "11")
        expect_python(page, "[wb.frame, len(wb.wait()), wb.trace.complete]", [11, 12, True])
        at_rest(page)
        expect(page.locator(".dkd-workbench .dkd-error")).to_be_hidden()
