"""The studio in a real browser: folders of images that are dropped or chosen, what cannot be opened, and re-runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from benchmarks.long_video import GROUP, RATE, repeat
from dkd.video.clip import DEFAULT_CACHE_BYTES, Clip
from dkd.video.samples import get_sample
from tests.support.browser import Lab, at_rest, expect_python, opened, place, python, screenshot
from tests.support.video_files import draw_number, read_number, write_clip
from tests.widgets.test_studio_browser import PROBLEMS, drag_box, open_path, track, wait_for_frame
from widgets.studio.pictures import spread

SETUP = "import ipywidgets\nfrom widgets import Studio"
COUNT = "len([w for w in ipywidgets.widgets.widget._instances.values() if w.comm is not None])"
STORE = "document.querySelector('.dkd-bench .dkd-workbench').dkd?.store"
MODELS = "Object.keys(document.querySelector('.dkd-studio').dkd.link.model.widget_manager._models).length"
# From here on, the page counts the pictures that it holds.
COUNT_URLS = """() => {
    window.dkdUrls = new Set();
    const { createObjectURL, revokeObjectURL } = URL;
    URL.createObjectURL = (blob) => {
        const url = createObjectURL.call(URL, blob);
        window.dkdUrls.add(url);
        return url;
    };
    URL.revokeObjectURL = (url) => { window.dkdUrls.delete(url); revokeObjectURL.call(URL, url); };
}"""
RUN = """async () => {
    const { content } = window.jupyterapp.shell.currentWidget;
    content.activeCellIndex = 1;
    await window.jupyterapp.commands.execute('notebook:run-cell');
}"""


@pytest.fixture
def page(lab_window: Page, jupyter_lab: Lab) -> Iterator[Page]:
    cell = "studio = Studio()\nstudio"
    with opened(lab_window, jupyter_lab, "sources.ipynb", SETUP, cell, width=1366, height=768) as page:
        page.locator(".dkd-studio").scroll_into_view_if_needed()
        yield page


def write_images(folder: Path, n: int) -> Path:
    folder.mkdir()
    with Clip(get_sample("rendered_walk").path) as clip:
        for t in range(n):
            cv2.imwrite(str(folder / f"im_{t:03}.png"), clip.frame(t)[..., ::-1])
    (folder / "notes.txt").write_text("about these images")
    (folder / "other").mkdir()
    cv2.imwrite(str(folder / "other" / "im_999.png"), np.zeros((8, 8, 3), np.uint8))
    return folder


def drop(page: Page, *paths: Path) -> None:
    """Drop files or folders, as the operating system does when somebody lets go of them over the page."""
    target = place(page.locator(".dkd-drop"))
    x, y = target["x"] + target["width"] / 2, target["y"] + 30
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        session.send("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data})
        if kind == "dragOver":
            expect(page.locator(".dkd-studio.dkd-dropping")).to_be_visible()
    session.detach()


def frames_of(page: Page) -> list[list[float]]:
    code = "c = studio._project.clip\n[c.frame(t).mean((0, 1)).tolist() for t in range(len(c))]"
    means: list[list[float]] = python(page, code)
    return means


def test_a_folder_of_images_is_dropped_and_tracked(page: Page, tmp_path: Path) -> None:
    folder = write_images(tmp_path / "walking", 12)
    drop(page, folder)
    wait_for_frame(page, 0)
    expect(page.locator(".dkd-studio-title strong")).to_have_text("walking")
    with Clip(folder) as clip:
        assert frames_of(page) == [clip.frame(t).mean((0, 1)).tolist() for t in range(12)]
    assert python(page, "studio.video.parent.name") == "uploads"
    drag_box(page, (196, 64, 299, 356), (640, 480))
    track(page)
    assert python(page, "[len(studio.traces['person_1']), studio._project.people[0].verdict]") == [12, "followed"]


def test_a_folder_is_chosen_and_an_upload_shows_progress_and_is_cancelled(page: Page, tmp_path: Path) -> None:
    folder = write_images(tmp_path / "chosen", 12)
    # The kernel receives no more than the first three files for now.
    python(
        page,
        "import threading\ngo_on, real = threading.Event(), studio._uploads.handle\nseen = []\n"
        "def slow(content, buffers=()):\n"
        "    seen.append(content['do'])\n"
        "    return None if not go_on.is_set() and seen.count('chunk') > 3 else real(content, buffers)\n"
        "studio._uploads.handle = slow",
    )
    page.get_by_label("Folder of images", exact=True).set_input_files(folder)
    text = page.locator(".dkd-upload")
    expect(text).to_contain_text("chosen: 3 of 12 images")
    at_rest(page)
    screenshot(page, "studio_folder_upload")
    assert page.evaluate(PROBLEMS) == []
    python(page, "go_on.set()")
    page.get_by_role("button", name="Cancel").click()
    expect(text).to_be_hidden()
    uploads = "[p.name for p in (studio._uploads.folder / '.partial').glob('*') if p.is_dir()]"
    expect_python(page, uploads, [])
    page.get_by_label("Folder of images", exact=True).set_input_files(folder)
    wait_for_frame(page, 0)
    assert len(frames_of(page)) == 12


def test_what_cannot_be_used_is_said_on_the_page(page: Page, tmp_path: Path) -> None:
    problem = page.locator(".dkd-source .dkd-error")
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("about the video")
    (tmp_path / "labels.dkd.json").write_text('{"version": "5.4"}')
    drop(page, tmp_path / "empty")
    expect(problem).to_contain_text("There are no images in the folder empty.")
    drop(page, tmp_path / "notes.txt", tmp_path / "labels.dkd.json")
    expect(problem).to_contain_text("Drop one video, one folder of images, or several images at once.")
    drop(page, tmp_path / "notes.txt")
    expect(problem).to_contain_text("notes.txt is a text file; give an MP4")
    drop(page, tmp_path / "labels.dkd.json")
    expect(problem).to_contain_text("labels.dkd.json is not a session")
    at_rest(page)
    screenshot(page, "studio_no_session")
    open_path(page, Path(get_sample("rendered_walk").path))
    drag_box(page, (100, 100, 108, 104), (640, 480))  # a slip of the hand
    expect(page.locator(".dkd-who .dkd-error")).to_contain_text("Expected a box of at least 8×8 pixels")
    expect(page.locator(".dkd-picture-box-person")).to_have_count(0)
    at_rest(page)
    screenshot(page, "studio_small_box")
    drag_box(page, (196, 64, 299, 356), (640, 480))
    expect(page.locator(".dkd-picture-box-person")).to_have_count(1)
    expect(page.locator(".dkd-who .dkd-error")).to_be_hidden()


def test_an_hour_of_video_opens_at_its_first_minute_and_any_frame_can_be_shown(page: Page, tmp_path: Path) -> None:
    """108,000 frames, a key frame every 60, of which each shows its number within these."""
    milliseconds = [round(1000 * t / RATE) for t in range(GROUP)]
    options = {"g": str(GROUP), "bf": "2", "crf": "28", "x264-params": "open-gop=0:scenecut=0"}
    pictures = [draw_number(t) for t in range(GROUP)]
    group = write_clip(tmp_path / "group.mp4", pictures, options=options, milliseconds=milliseconds)
    repeat(group, tmp_path / "hour.mp4", 3600)
    n = 3600 * RATE
    field = page.get_by_role("combobox", name="Path of a video")
    field.fill(str(tmp_path / "hour.mp4"))
    field.press("Enter")
    wait_for_frame(page, 0)
    expect(page.locator(".dkd-studio-facts")).to_contain_text("1 h 00 min, 108,000 frames")
    expect(page.locator(".dkd-strip-note")).to_contain_text("This is a long video of 108,000 frames. Its first minute")
    assert python(page, "[studio.range.start, studio.range.stop]") == [0, 60 * RATE]
    thumbs = page.locator(".dkd-strip-thumbs span")
    expect(page.locator(".dkd-strip-thumbs span:empty")).to_have_count(0)
    count = thumbs.count()
    # The middle of each thumbnail's blocks says which frame it shows.
    shown = page.evaluate(
        """(n) => [...document.querySelectorAll('.dkd-strip-thumbs img')].map((image) => {
            const canvas = Object.assign(document.createElement('canvas'), { width: 160, height: 96 });
            const context = canvas.getContext('2d');
            context.drawImage(image, 0, 0, 160, 96);
            return Array.from({ length: n }, (_, k) =>
                Number(context.getImageData(16 + 32 * (k % 5), 16 + 32 * Math.floor(k / 5), 1, 1).data[0] > 127));
        })""",
        10,
    )
    numbers = [int("".join(map(str, bits)), 2) for bits in shown]
    assert numbers == [frame % GROUP for frame in spread(0, n, count)]
    slider = page.get_by_role("slider", name="Frame that is shown")
    slider.focus()
    page.keyboard.press("End")
    wait_for_frame(page, n - 1)
    assert python(page, "int(studio._pictures._clip.cached_bytes)") <= DEFAULT_CACHE_BYTES
    at_rest(page)
    screenshot(page, "studio_hour")
    with Clip(tmp_path / "hour.mp4") as clip:
        assert [read_number(clip.frame(t)) for t in (n - 1, 54_321, 0)] == [GROUP - 1, 54_321 % GROUP, 0]


def test_a_cell_that_is_run_again_leaves_no_pictures_and_no_widgets(lab_window: Page, jupyter_lab: Lab) -> None:
    cell = (
        f"studio = Studio({str(get_sample('rendered_walk').path)!r})\nstudio.range = range(8)\n"
        "_ = studio.add_person((196, 64, 299, 356))\nstudio.track()\nstudio.wait()\nstudio"
    )
    with opened(lab_window, jupyter_lab, "studio_reruns.ipynb", SETUP, cell) as page:

        def wait_for_all() -> None:
            expect(page.locator(".dkd-bench .dkd-workbench")).to_have_count(1)
            page.wait_for_function(f"() => {STORE}?.records.size === 8 && {STORE}.pictures.bitmaps.size === 8")
            page.get_by_role("button", name="Change frames or people").click()
            expect(page.locator(".dkd-strip-thumbs span:empty")).to_have_count(0)
            wait_for_frame(page, 0)
            at_rest(page)

        wait_for_all()
        page.evaluate(COUNT_URLS)
        counts: list[list[int]] = []
        for _ in range(4):
            page.evaluate(RUN)
            wait_for_all()
            page.evaluate(f"() => (window.dkdStores ??= []).push({STORE})")
            counts.append([python(page, COUNT), *page.evaluate(f"() => [{MODELS}, window.dkdUrls.size]")])
        assert counts == [counts[0]] * 4 and counts[0][2] > 0
        left = "({ records, pictures, views }) => [records.size, pictures.bitmaps.size, views.size]"
        assert page.evaluate(f"() => window.dkdStores.slice(0, -1).map({left})") == [[0, 0, 0]] * 3
