"""Two workbenches beside each other, as in lesson 6, on a page that has shown nothing else before."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from tests.support.browser import Lab, open_notebook, place, run_all, screenshot
from tests.support.panels import SETTLED

ROOT = Path(__file__).resolve().parents[2]
CELL = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
import ipywidgets as ipw
from tests.support.fake_trace import FakeTrace
from widgets.panels.side import Side
left, right = Side("first"), Side("second")
left.show_trace(FakeTrace(6), None, "<b>one</b>")
right.show_trace(FakeTrace(6), left.bench.cursor, "<b>the other</b>")
beside = ipw.Box([left.box, right.box])
beside.add_class("dkd-sides")
beside"""


def test_two_sides_share_the_width_without_a_panel_on_the_page(jupyter_lab: Lab, page: Page) -> None:
    page.set_viewport_size({"width": 1500, "height": 1000})
    open_notebook(page, jupyter_lab, jupyter_lab.write_notebook("sides.ipynb", CELL))
    assert run_all(page) == []
    for side in ("first", "second"):
        page.wait_for_function(SETTLED, arg=side)
    whole, first, second = (place(page.locator(f".dkd-{name}")) for name in ("sides", "side-first", "side-second"))
    assert whole["width"] > 900
    assert abs(first["width"] - second["width"]) < 2
    assert first["width"] + second["width"] > 0.95 * whole["width"]
    screenshot(page, "two_sides")
