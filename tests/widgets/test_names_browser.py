"""Names that look like markup, in live views: they are shown as they are, and nothing is made of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ROOT
from tests.support.browser import Lab, at_rest, opened, screenshot
from tests.support.hostile_views import FILE, MATH, PROBES, VIEWS

# Everything that is written on the page, also in tooltips, fields and for screen readers.
TEXTS = """(page) => [page, ...page.querySelectorAll('*')]
    .map((e) => `${e.title ?? ''} ${e.ariaLabel ?? ''} ${e.value ?? ''} ${e.textContent}`).join()"""
# What a browser or MathJax would make of a name. A probe that is a link would have no class.
MADE = ".probe, mjx-container, .MathJax, a[href='b'], a[href$='/b']"
JOINTS = [f"{probe} {i}" for i, probe in enumerate(PROBES)]
# The view's element, and names that it shows.
SHOWN = {
    "workbench": (".dkd-workbench", [*JOINTS, MATH]),
    "debugger": (".dkd-debugger", [MATH]),
    "laboratory": (".dkd-laboratory", [*JOINTS, "swap_readouts("]),
    "lineage": (".dkd-lineage", [*JOINTS]),
    "anatomy": (".dkd-anatomy", [*JOINTS]),
    "joint_kernels": (".dkd-joint-kernels", [*JOINTS]),
    "editor": (".dkd-workbench", [*JOINTS, MATH, *PROBES]),
    "studio": (".dkd-studio", [f"{FILE}.mp4"]),
    "live": (".dkd-live", [*JOINTS, MATH, f"{FILE}.mp4"]),
    "study": (".dkd-study", [MATH, f"{FILE}000.mp4"]),
    "training": (".dkd-training", [FILE, "&lt;i&gt; =1+1", "[a](b) `c` **d**"]),
    "evaluation": (".dkd-evaluation", [MATH, f"{MATH} 1", "=1+1 [a](b)", FILE]),
}  # fmt: skip


@pytest.mark.parametrize("name", VIEWS)
def test_names_are_shown_as_they_are(lab_window: Page, jupyter_lab: Lab, name: str, tmp_path: Path) -> None:
    setup = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom tests.support import hostile_views"
    cell = f"view = hostile_views.make({name!r}, {str(tmp_path)!r})\nview"
    with opened(lab_window, jupyter_lab, f"names_{name}.ipynb", setup, cell) as page:
        element, names = SHOWN[name]
        view = page.locator(element).first
        expect(view).to_be_visible()
        for one in names[:1]:
            expect(page.locator(".jp-OutputArea").filter(has_text=one.split("\n")[0]).first).to_be_attached()
        at_rest(page)
        screenshot(page, f"names_{name}")
        shown = page.locator(".jp-Notebook").evaluate(TEXTS)
        assert [one for one in names if one not in shown] == []
        assert page.locator(".jp-Notebook").locator(MADE).count() == 0
