"""A pose file of another tool in the coherence debugger and in the evaluation panel, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, expect

from dkd import PoseTrack, as_trace, diagnose, export, load_people, worst
from dkd.pose.skeleton import Skeleton
from tests.analysis.test_diagnosis import SteadyTrace
from tests.support.browser import Lab, at_rest, expect_python, opened, python, screenshot
from tests.support.panels import SETTLED, button, opened_panel, said_wrong, wait_for_state

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


# The colour inside of the selected joint in a side's player, 3.6 CSS pixels from its middle, away from the limb: RGB.
INSIDE = """([side, joint, before]) => {
    const { store } = document.querySelector(`.dkd-side-${side} .dkd-workbench`).dkd;
    const canvas = document.querySelector(`.dkd-side-${side} .dkd-frame`);
    const { header, shown } = store;
    const scale = Math.min(canvas.width / header.size[0], canvas.height / header.size[1]);
    const at = (j) => [0, 1].map((k) =>
        (k ? canvas.height : canvas.width) / 2 + (shown.joints[2 * j + k] + 0.5 - header.size[k] / 2) * scale);
    const [[x, y], [u, v]] = [at(joint), at(before)];
    const step = (3.6 * devicePixelRatio) / Math.hypot(x - u, y - v);
    const pixel = [x + (x - u) * step, y + (y - v) * step].map(Math.round);
    return Array.from(canvas.getContext('2d').getImageData(...pixel, 1, 1).data).slice(0, 3);
}"""


def show_skeleton(page: Page, shown: bool) -> None:
    python(page, f"panel.views.first.bench.layers = {{'skeleton': {shown}, 'heatmap': False, 'truth': False}}")
    query = """([side, shown]) => {
        const { cursor, store } = document.querySelector(`.dkd-side-${side} .dkd-workbench`).dkd;
        return cursor.get('layers').skeleton === shown && !cursor.get('layers').truth && !store.raf;
    }"""
    for side in ("first", "second"):
        page.wait_for_function(query, arg=[side, shown])
    at_rest(page)


def test_the_evaluation_panel_opens_a_track_next_to_a_model(lab_window: Page, jupyter_lab: Lab) -> None:
    """The labels as another tool's file, with one wrist far off: measured, listed, and shown hollow on one cursor."""
    person = load_people("samples", "test")[0]
    wrist = SteadyTrace().skeleton.index("left_wrist")
    names = tuple(name.title().replace("_", " ") for name in SteadyTrace().skeleton.joints)
    xy = np.array(person.joints[:8, None], np.float64)
    xy[5, 0, wrist] += (40, 0)
    track = PoseTrack(xy, np.full((8, 1, 13), 0.9), Skeleton("theirs", names, ()), np.arange(8), np.full(8, np.nan))
    export(track, jupyter_lab.root / "theirs.h5")
    call = (
        "EvaluationPanel(['theirs.h5', 'dkd-mobilenetv2'], ['samples'], 'track_evaluation', n_frames=8, n_clips=1, "
        "alpha=0.05)"
    )
    with opened_panel(lab_window, jupyter_lab, "track_gallery.ipynb", "EvaluationPanel", call) as page:
        expect(page.get_by_label("Other methods")).to_have_value("theirs.h5")
        button(page, "Run").click()
        wait_for_state(page, "finished")
        page.locator('.dkd-moment[data-frame="5"][data-joint="left_wrist"][data-key^="theirs|"]').focus()
        page.keyboard.press("Enter")
        for side in ("first", "second"):
            page.wait_for_function(SETTLED, arg=side)
        expect(page.locator(".dkd-side-first .dkd-player")).to_have_attribute("data-frame", "5")
        first, second = (page.locator(f".dkd-side-{side}") for side in ("first", "second"))
        expect(first.locator(".dkd-title")).to_contain_text("theirs, a track of another tool")
        expect(first.locator(".dkd-legend")).to_contain_text("track of another tool")
        expect(first).to_contain_text("a file with joints, but without maps")
        expect(second.locator(".dkd-legend")).not_to_contain_text("track")
        assert python(page, "panel.views.first.bench.cursor is panel.views.second.bench.cursor") is True
        limb = [SteadyTrace().skeleton.index(name) for name in ("left_wrist", "left_elbow")]
        show_skeleton(page, False)
        without = [np.array(page.evaluate(INSIDE, [side, *limb])) for side in ("first", "second")]
        show_skeleton(page, True)
        inside = [np.array(page.evaluate(INSIDE, [side, *limb])) for side in ("first", "second")]
        hollow, filled = (np.abs(a - b).max() for a, b in zip(without, inside, strict=True))
        assert hollow < 10 < 40 < filled
        code = page.locator(".dkd-gallery-code code").inner_text()
        assert "find_method('theirs.h5')" in code
        last = 'Workbench(trace, frame=5, joint="left_wrist")'
        assert code.strip().endswith(last)
        made = f"exec(panel.gallery._code.removesuffix({last!r}))\n[trace.model_name, len(trace)]"
        assert python(page, made) == ["theirs", 8]
        assert said_wrong(page) == ""
        page.locator(".dkd-sides").evaluate("(e) => e.scrollIntoView({ block: 'start' })")
        at_rest(page)
        screenshot(page, "evaluation_track")
