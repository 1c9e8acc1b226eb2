"""Kernels made at the joints in a real browser: the view's numbers are Python's, and no sum claims more than it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from dkd import Trace, joint_matching
from dkd.analysis.anatomy import anatomy
from tests.support.browser import Lab, at_rest, opened, python, screenshot
from tests.support.joint_kernels import joints_trace
from tests.support.server import until

ROOT = Path(__file__).resolve().parents[2]
SETUP = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.support.joint_kernels import *
from widgets import *
trace = joints_trace(8).restart(5)
cursor = Cursor.for_trace(trace)
cursor.frame, cursor.joint = 3, "left_wrist"
view = JointKernels(trace, cursor=cursor)
display(view, Matching(trace, cursor=cursor), Anatomy(trace, cursor=cursor))"""
PIXELS = "(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"


@pytest.fixture(scope="module")
def trace() -> Trace:
    """Make the trace of the notebook again, as the oracle."""
    return joints_trace(8).restart(5)


@pytest.fixture(scope="module")
def page(lab_window: Page, jupyter_lab: Lab) -> Iterator[Page]:
    with opened(lab_window, jupyter_lab, "joint_kernels.ipynb", SETUP, width=1500) as page:
        yield page


def go_to(page: Page, frame: int, joint: str) -> None:
    python(page, f"cursor.frame, cursor.joint = {frame}, {joint!r}")
    expect(page.locator(".dkd-joint-kernels")).to_have_attribute("data-shown", f"{frame},{joint}")


@pytest.mark.parametrize(("frame", "joint"), [(3, "left_wrist"), (7, "right_knee"), (1, "head")])
def test_what_was_found_is_what_python_says(page: Page, trace: Trace, frame: int, joint: str) -> None:
    go_to(page, frame, joint)
    found = joint_matching(trace, frame, joint)
    own, peak = found.found, np.unravel_index(found.found.heatmap.argmax(), (16, 16))
    expected = {
        "seen": (own.seen_fast, own.seen_slow),
        "best response": (own.fast.max(), own.slow.max()),
        "at the map’s peak": (own.fast[peak], own.slow[peak]),
    }
    if found.opposite is not None:
        name = f"{found.opposite.joint.replace('_', ' ')}’s there"
        expected[name] = (found.opposite.fast[peak], found.opposite.slow[peak])
    shown = page.locator(".dkd-joint-numbers [data-what]").evaluate_all("(e) => e.map((n) => ({...n.dataset}))")
    assert [one["what"] for one in shown] == list(expected)
    for one, values in zip(shown, expected.values(), strict=True):
        np.testing.assert_allclose([float(one["fast"]), float(one["slow"])], values, atol=1e-4)
    at = np.unravel_index(own.fast.argmax(), own.fast.shape)
    captions = page.locator(".dkd-joint-figure small")
    expect(captions.nth(0)).to_have_text(f"frame {frame - 1}: 5 × 5 cells around the {joint.replace('_', ' ')}")
    expect(captions.nth(1)).to_contain_text(f"best {own.fast.max():.2f} at ({at[1]}, {at[0]})")
    y, x = np.unravel_index(own.matched.argmax(), own.matched.shape)
    expect(captions.nth(3)).to_have_text(f"peak {own.matched.max():.2f} at ({x}, {y})".replace("-", "−"))
    # The enlarged patch has the picture's colours in the middles of its cells, apart from JPEG's changes.
    rgba = np.array(page.locator(".dkd-joint-figure canvas").first.evaluate(PIXELS)).reshape(240, 240, 4)
    centres = np.arange(5) * 48 + 24
    pixels = found.patch[4::8, 4::8].astype(int)
    assert np.abs(rgba[centres][:, centres, :3] - pixels).mean() < 12


def test_it_follows_the_cursor_and_says_where_nothing_was_looked_for(page: Page) -> None:
    go_to(page, 3, "left_wrist")
    view = page.locator(".dkd-joint-kernels")
    view.get_by_label("Joint", exact=True).select_option("right_elbow")
    expect(view).to_have_attribute("data-shown", "3,right_elbow")
    until(lambda: python(page, "view.joint") == "right_elbow")
    view.get_by_role("button", name="Next frame").click()
    expect(view).to_have_attribute("data-shown", "4,right_elbow")
    expect(view.locator("header")).to_contain_text("frame 4")
    python(page, "cursor.frame = 5")
    expect(view).to_contain_text("The maps of frame 5 come from the pose initializer: nothing was looked for in it.")
    expect(view.locator(".dkd-joint-row")).to_be_hidden()
    python(page, "cursor.frame = 6")
    expect(view).to_have_attribute("data-shown", "6,right_elbow")
    go_to(page, 3, "left_wrist")
    view.scroll_into_view_if_needed()
    at_rest(page)
    screenshot(page, "joint_kernels")


def test_sums_are_those_of_the_map_as_it_was_matched(page: Page, trace: Trace) -> None:
    """In the matching view up to the byte of a record; in the anatomy exactly."""
    go_to(page, 3, "left_wrist")
    j = trace.skeleton.index("left_wrist")
    y, x = np.unravel_index(trace.heatmaps[3, j].argmax(), (16, 16))
    matched, held = float(trace.as_matched(3)[j, y, x]), float(trace.heatmaps[3, j, y, x])
    assert abs(matched - held) > 0.02
    lines = page.locator(".dkd-matching .dkd-sum .dkd-term")
    expect(lines.first).to_have_text(f"{matched:.3f}matched = sum of")
    change, value = (lines.nth(lines.count() - i).locator("b").inner_text() for i in (2, 1))
    assert float(change.replace("−", "-")) == pytest.approx(held - matched, abs=0.01)
    assert float(value.strip("≈ ")) == pytest.approx(held, abs=0.01)
    expect(lines.nth(lines.count() - 2)).to_contain_text("≈ by the kernels at the joint")
    expect(lines.last).to_contain_text("the heatmap’s value")
    anatomy_view = page.locator(".dkd-anatomy")
    expect(anatomy_view).to_have_attribute("data-frame", "3")
    expect(anatomy_view).to_have_attribute("data-cell", f"{x},{y}")
    level = anatomy_view.locator(".dkd-level-3")
    found = anatomy(trace, 3, j)
    assert float(level.get_attribute("data-value") or "nan") == pytest.approx(
        found.contributions[:, y, x].sum() + found.bias, abs=1e-4
    )
    assert float(level.get_attribute("data-map") or "nan") == pytest.approx(held, abs=1e-6)
    sums = level.locator(".dkd-all-channels")
    for words in ("sum, matched", "kernels at the joint", "The sum is the matched map."):
        expect(sums).to_contain_text(words)
    assert "equal" not in sums.inner_text() and "differ" not in sums.inner_text()
    expect(anatomy_view).to_contain_text("Σ + bias, then the gate")
    anatomy_view.scroll_into_view_if_needed()
    at_rest(page)
    screenshot(page, "joint_kernels_anatomy")
    page.locator(".dkd-matching").scroll_into_view_if_needed()
    at_rest(page)
    screenshot(page, "joint_kernels_matching")
