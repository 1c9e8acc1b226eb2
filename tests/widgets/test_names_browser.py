"""Names that look like markup, in live views: they are shown as they are, and nothing is made of them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ROOT
from tests.support.browser import Lab, at_rest, opened, screenshot

# Harmless, but seen if a browser, MathJax or a table takes them for more than text.
PROBES = ["<b class=probe>x</b>", "$a_b$ and \\(c\\)", "a | b", "=1+1", "<img class=probe>", "&lt;b&gt;",
          "`code` **x**"]  # fmt: skip
SETUP = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from dkd.pose.skeleton import Skeleton
from tests.analysis.test_diagnosis import broken_trace
from tests.support.fake_trace import FakeTrace
from widgets import CoherenceDebugger, Workbench
PROBES = {PROBES!r}

def named(trace):
    joints = tuple(f"{{PROBES[i % len(PROBES)]}} {{i}}" for i in range(len(trace.skeleton)))
    limbs = tuple((joints[a], joints[b]) for a, b in trace.skeleton.limb_indices)
    trace.skeleton = Skeleton(PROBES[0], joints, limbs)
    trace.model_name = trace.clip.name = PROBES[0]
    trace.ground_truth_kind = PROBES[1]
    return trace"""
# Everything that is written in a view, also in tooltips and for screen readers.
TEXTS = """(view) => [view, ...view.querySelectorAll('*')]
    .map((e) => `${e.title ?? ''} ${e.ariaLabel ?? ''} ${e.textContent}`).join()"""
VIEWS = {
    "workbench": "view = Workbench(named(FakeTrace(calibrated=True)), frame=20)\nview",
    "debugger": "view = CoherenceDebugger(named(broken_trace()))\nview",
}  # fmt: skip


@pytest.mark.parametrize("name", VIEWS)
def test_names_are_shown_as_they_are(lab_window: Page, jupyter_lab: Lab, name: str) -> None:
    with opened(lab_window, jupyter_lab, f"names_{name}.ipynb", SETUP, VIEWS[name]) as page:
        view = page.locator(f".dkd-{name}").first
        expect(view).to_contain_text(PROBES[0])
        at_rest(page)
        screenshot(page, f"names_{name}")
        shown = view.evaluate(TEXTS)
        expected = PROBES if name == "workbench" else PROBES[:1]  # the debugger names the selected joint
        assert [probe for probe in expected if probe not in shown] == []
        assert page.locator(".jp-OutputArea .probe, .jp-OutputArea mjx-container, .jp-OutputArea .MathJax").count() == 0
