"""A pose file of another tool in the coherence debugger, next to a workbench of a model, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, expect

from dkd import PoseTrack, as_trace, diagnose, export, worst
from dkd.pose.skeleton import Skeleton
from tests.analysis.test_diagnosis import SteadyTrace
from tests.support.browser import Lab, at_rest, expect_python, opened, screenshot

ROOT = Path(__file__).resolve().parents[2]
SETUP = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from dkd import as_trace, load_poses
from tests.analysis.test_diagnosis import SteadyTrace
from widgets import CoherenceDebugger, Workbench
wb = Workbench(trace := SteadyTrace())
track = load_poses("theirs.h5")
debugger = CoherenceDebugger(as_trace(track, trace), cursor=wb.cursor)"""


def their_track(trace: Any) -> PoseTrack:
    """The fake trace's joints in another order and spelling, with a jump, swapped knees, and a gap."""
    names = tuple(name.title().replace("_", " ") for name in reversed(trace.skeleton.joints))
    xy = trace.joints[:, None, ::-1].copy()
    xy[30, 0, names.index("Left Wrist")] += (120, 0)
    at = [names.index("Left Knee"), names.index("Right Knee")]
    xy[40:45, 0, at] = xy[40:45, 0, at[::-1]]
    xy[50:53, 0, names.index("Head")] = np.nan
    frames = np.arange(60)
    return PoseTrack(xy, np.full((60, 1, 13), 0.9, np.float32), Skeleton("theirs", names, ()), frames, frames / 30)


def test_the_worst_moments_of_a_deeplabcut_file_are_listed_and_clicked(lab_window: Page, jupyter_lab: Lab) -> None:
    trace: Any = SteadyTrace()
    track = their_track(trace)
    export(track, jupyter_lab.root / "theirs.h5")
    expected = worst(diagnose(as_trace(track, trace)), n=None)
    cell = "from ipywidgets import VBox\nVBox([debugger, wb])"
    with opened(lab_window, jupyter_lab, "track.ipynb", SETUP, cell, height=1200) as page:
        page.wait_for_selector(".dkd-debugger[data-figures]")
        rows = page.locator(".dkd-moments tbody tr")
        expect(rows.first).to_have_attribute("data-reason", expected[0].reason)
        page.get_by_label("Reason", exact=True).select_option("jump")
        page.locator('.dkd-moments tbody tr[data-frame="30"][data-joint="left_wrist"]').click()
        page.wait_for_function("() => document.querySelector('.dkd-debugger').dataset.frame === '30'")
        expect_python(page, "wb.frame", 30)
        expect(page.locator(".dkd-debugger")).to_contain_text("track of another tool")
        at_rest(page)
        screenshot(page, "coherence_debugger_track")
