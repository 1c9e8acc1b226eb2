"""The live view in a real browser: a webcam that plays a file, and a video that is played by its clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import (
    CHROMIUM_ARGUMENTS,
    Lab,
    at_rest,
    expect_python,
    find_chromium,
    open_notebook,
    opened,
    place,
    python,
    run_all,
    screenshot,
)
from tests.support.fake_webcam import READ_NUMBER, number_in, numbered_walk, write_webcam
from tests.support.server import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
N = 60
SETUP = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from dkd.video.samples import get_sample
from widgets import LiveView"""
FRAME = ".dkd-live-frame"
# What is on the canvas each time that it was painted: the frame's number, and the one that is read in the picture.
WATCH = f"""() => {{
    const canvas = document.querySelector('{FRAME}');
    const read = {READ_NUMBER};
    window.painted = [];
    new MutationObserver(() => {{
        window.painted.push([Number(canvas.dataset.frame), read(canvas)]);
    }}).observe(canvas, {{ attributes: true, attributeFilter: ['data-frame'] }});
}}"""


@pytest.fixture
def webcam_page(browser: Browser, jupyter_lab: Lab, tmp_path: Path) -> Iterator[Page]:
    """A page of a browser whose webcam is the numbered walk."""
    file = write_webcam(tmp_path / "webcam.mjpeg", N)
    arguments = [*CHROMIUM_ARGUMENTS, f"--use-file-for-fake-video-capture={file}", "--use-fake-ui-for-media-stream"]
    chromium = browser.browser_type.launch(executable_path=find_chromium(), args=arguments)
    context = chromium.new_context(viewport={"width": 1200, "height": 1000})
    context.set_default_timeout(PATIENCE_S * 1e3)
    yield context.new_page()
    chromium.close()
    jupyter_lab.stop_kernels()


def test_the_code_is_read_as_it_was_drawn() -> None:
    assert [number_in(frame) for frame in numbered_walk(5)] == [0, 1, 2, 3, 4]


def test_a_webcam_is_tracked_and_each_skeleton_is_on_its_own_picture(webcam_page: Page, jupyter_lab: Lab) -> None:
    page = webcam_page
    cell = 'view = LiveView("dkd-mobilenetv2", box=(220, 20, 460, 460))\nview'
    open_notebook(page, jupyter_lab, jupyter_lab.write_notebook("webcam.ipynb", SETUP, cell))
    assert run_all(page) == []
    expect(page.locator(".dkd-live-state")).to_have_text("Press Start.")
    page.evaluate(WATCH)
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_function("() => window.painted.length >= 12")
    expect(page.locator(".dkd-live-budget")).to_contain_text("transport")
    page.get_by_label("Joint whose heatmap is shown").select_option("head")
    expect_python(page, "view.joint", "head")
    page.evaluate("() => { window.painted = []; }")
    page.wait_for_function("() => window.painted.length >= 8")
    screenshot(page, "live_webcam")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".dkd-live-state")).to_have_text("Stopped.")
    assert page.evaluate("() => document.querySelector('.dkd-live').dkd.camera.stream") is None
    painted = page.evaluate("() => window.painted")
    numbers = [number for number, _ in painted]
    assert numbers == sorted(set(numbers))
    # The kernel's picture of the same number has the same code: what was found in it is drawn on it.
    python(page, f"sys.path.insert(0, {str(ROOT)!r})\nfrom tests.support.fake_webcam import is_near, number_in")
    kept = dict(python(page, "[[s.number, number_in(s.image)] for s in view.live.kept if not is_near(s.joints)]"))
    compared = [(code, kept[number]) for number, code in painted if number in kept]
    assert len(compared) >= 4 and all(there == here for there, here in compared), compared
    python(page, "view.live.join()")
    counts = python(page, "[view.live.captured, view.live.tracked, view.live.dropped, view.live.state]")
    assert counts[3] == "stopped" and counts[0] == counts[1] + counts[2]
    times = np.diff(python(page, "view.live.poses().times.tolist()"))
    assert np.all(times > 0)
    assert python(page, "len(view.live.trace())") > 0
    # A second run begins at 0.
    page.get_by_role("button", name="Start", exact=True).click()
    expect_python(page, "view.live.tracked > 3 and view.live.state", "running")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".dkd-live-state")).to_have_text("Stopped.")


def test_a_video_is_played_and_a_person_is_chosen_by_a_box(lab_window: Page, jupyter_lab: Lab) -> None:
    cell = (
        'sample = get_sample("rendered_walk")\n'
        'view = LiveView("dkd-mobilenetv2", sample.path, sample.box, loop=True)\nview'
    )
    with opened(lab_window, jupyter_lab, "live.ipynb", SETUP, cell) as page:
        page.get_by_role("button", name="Start", exact=True).click()
        page.wait_for_selector(f"{FRAME}[data-frame]")
        expect(page.locator(".dkd-live-budget")).to_contain_text("browser")
        expect_python(page, "view.live.latest.run", 0)
        canvas = page.locator(FRAME)
        size = place(canvas)
        width, height = size["width"], size["height"]
        canvas.drag_to(
            canvas,
            source_position={"x": 0.3 * width, "y": 0.2 * height},
            target_position={"x": 0.7 * width, "y": 0.8 * height},
        )
        expect_python(page, "view.live.latest.run", 1)
        page.get_by_role("button", name="Middle").click()
        expect_python(page, "view.live.latest.run", 2)
        page.get_by_role("button", name="Search").click()
        expect_python(page, "view.live.latest.run", 3)
        screenshot(page, "live_video")
        python(page, "view.stop()")
        expect(page.locator(".dkd-live-state")).to_have_text("Stopped.")
        at_rest(page)
        expect(page.get_by_role("button", name="Middle")).to_be_disabled()


def test_a_camera_that_is_not_there_is_said(lab_window: Page, jupyter_lab: Lab) -> None:
    with opened(lab_window, jupyter_lab, "none.ipynb", SETUP, 'view = LiveView(source="/dev/video77")\nview') as page:
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.locator(".dkd-live .dkd-error")).to_contain_text("expected a camera at '/dev/video77'")
        expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled()
