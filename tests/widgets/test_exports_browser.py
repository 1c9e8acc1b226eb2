"""The export menu in a real browser: two filmed people leave in all formats, as a video and as pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from dkd import load_poses
from dkd.formats.files import FORMATS
from dkd.formats.several import pose_formats
from dkd.video.clip import Clip
from tests.support.browser import Lab, at_rest, expect_python, opened, python, screenshot
from tests.support.fake_trace import FakeTrace
from tests.support.server import PATIENCE_S
from tests.support.video_files import write_clip
from tests.widgets.test_page_browser import PICTURE, Visit

FRAMES, SIZE = 24, (272, 480)
# From now on drawing waits until the gate is opened.
HOLD = """\
import threading
import dkd.formats.overlay as overlay
gate, real = threading.Event(), overlay.draw
overlay.draw = lambda *given: (gate.wait(), real(*given))[1]"""
# The poses as they are in the kernel: frames × people × joints × 2.
POSES = "[[[[float(v) for v in xy] for xy in t.joints[i]] for t in studio.traces.values()] for i in range(24)]"


@pytest.mark.shared
def test_two_people_leave_as_all_formats_in_one_go(
    lab_window: Page, jupyter_lab: Lab, shared_data: Path, tmp_path: Path
) -> None:
    with Clip(shared_data / "videos" / "pose2sim_multi" / "cam02.mp4") as clip:
        frames = [cv2.resize(clip.frame(t), SIZE, interpolation=cv2.INTER_AREA) for t in range(0, 2 * FRAMES, 2)]
    video = write_clip(tmp_path / "two.mp4", frames, options={"crf": "18"})
    cell = (
        f"studio = Studio({str(video)!r})\nstudio.add_person((24, 150, 108, 376), 0, 'woman')\n"
        "studio.add_person((112, 100, 192, 300), 0, 'man')\nstudio.track()\nstudio"
    )
    with opened(lab_window, jupyter_lab, "exports.ipynb", "from widgets import Studio", cell) as page:
        menu = page.get_by_role("group", name="Export", exact=True)
        expect(menu).to_be_visible()
        expect_python(page, "[p.state for p in studio._project.people]", ["done", "done"])
        said = menu.get_by_role("status")
        button = menu.get_by_role("button", name="Export the poses")
        expect(menu.get_by_label("Format of the poses")).to_have_value("all")
        button.click()
        expect(said).to_have_text("Saved two-poses.")
        folder = tmp_path / "two-poses"
        poses = np.array(python(page, POSES), np.float32)
        check_all(folder, poses)

        menu.get_by_label("Format of the poses").select_option("sleap")
        button.click()
        expect(said).to_have_text("Saved two-poses.slp.")
        button.click()  # nothing is replaced
        expect(said).to_have_text("Saved two-poses-1.slp.")
        menu.get_by_label("Format of the poses").select_option("openpose")
        button.click()
        expect(said).to_contain_text("has no place for head")

        python(page, HOLD)
        menu.get_by_label("heatmaps").check()
        menu.get_by_label("trails").check()
        menu.get_by_role("button", name="Export the video").click()
        expect(said).to_have_text("Writing overlay video, MP4 …")
        expect(button).to_be_disabled()
        screenshot(page, "exports_writing")
        menu.get_by_role("button", name="Cancel").click()
        python(page, "gate.set()")
        expect(said).to_have_text("Stopped; nothing was written.")
        assert not list(tmp_path.glob("*overlay*"))
        menu.get_by_role("button", name="Export the video").click()
        expect(said).to_have_text("Saved two-overlay.mp4.")
        with Clip(tmp_path / "two-overlay.mp4") as overlay, Clip(video) as clip:
            assert len(overlay) == FRAMES and (overlay.width, overlay.height) == SIZE
            assert np.allclose(overlay.times, clip.times)
            assert np.abs(overlay.frame(20).astype(int) - clip.frame(20)).max() > 60

        python(page, "studio._bench.editor.frame, studio._bench.editor.joint = 12, 'left_knee'")
        names = {"player": "frame-12", "lanes": "lanes-left_knee", "kernels": "kernels-left_knee-frame-12"}
        for view, ending in names.items():
            menu.get_by_label("What the picture shows").select_option(view)
            for kind in ("svg", "png"):
                menu.get_by_label("Format of the picture").select_option(kind)
                menu.get_by_role("button", name="Export the picture").click()
                expect(said).to_have_text(f"Saved two-{ending}.{kind}.")
                data = (tmp_path / f"two-{ending}.{kind}").read_bytes()
                assert data.startswith(b"<?xml" if kind == "svg" else b"\x89PNG")
        assert all(name in (tmp_path / "two-frame-12.svg").read_text() for name in ("woman", "man"))
        at_rest(page)
        menu.scroll_into_view_if_needed()
        screenshot(page, "exports_done")


def check_all(folder: Path, poses: np.ndarray) -> None:
    """Each file of the folder has both people at the same places."""
    files = {one.name: folder / f"two{one.endings[0]}" for one in FORMATS.values() if not one.draws}
    assert {path.name for path in folder.iterdir()} == {path.name for path in files.values()}
    assert len(files) == len(pose_formats()) == 13
    for name, path in files.items():
        back = load_poses(path, skeleton="penn_action")
        assert len(back) == FRAMES and len(back.people) == 2
        assert back.people == ("woman", "man") or name == "openpose"
        there = ~back.missing
        assert there.any(-1).all() and there.mean() > 0.9
        assert np.array_equal(back.xy[there].astype(np.float32), poses[there])


def test_a_workbench_has_the_menu_in_its_title_bar(browser: Browser, lab_window: Page, jupyter_lab: Lab) -> None:
    root = Path(__file__).resolve().parents[2]
    setup = (
        f"import sys\nsys.path.insert(0, {str(root)!r})\nfrom tests.support.fake_trace import FakeTrace\n"
        "from widgets import Workbench\nwb = Workbench(FakeTrace(), frame=7)"
    )
    with opened(lab_window, jupyter_lab, "wb_export.ipynb", setup, "wb") as page:
        button = page.get_by_role("button", name="export", exact=True)
        menu = page.get_by_role("group", name="Export", exact=True)
        expect(menu).to_be_hidden()
        button.click()
        expect(menu).to_be_visible()
        expect(button).to_have_attribute("aria-expanded", "true")
        menu.get_by_role("button", name="Export the picture").click()
        expect(menu.get_by_role("status")).to_have_text("Saved numbered-frame-7.svg.")
        assert (jupyter_lab.root / "numbered-frame-7.svg").read_text().startswith("<?xml")
        check_page_export(browser, page, jupyter_lab)
        at_rest(page)
        screenshot(page, "exports_workbench")
        python(page, "str(wb.save('mine.png', view='lanes'))")
        assert (jupyter_lab.root / "mine.png").read_bytes().startswith(b"\x89PNG")
        page.locator(".dkd-workbench").focus()
        page.keyboard.press("Escape")
        expect(menu).to_be_hidden()


def check_page_export(browser: Browser, page: Page, lab: Lab) -> None:
    """*Export ▸ Page* writes what is shown now; the file opens from disk without a network, with Python's joints."""
    python(page, "wb.joint = 'left_knee'")
    menu = page.get_by_role("group", name="Export", exact=True)
    menu.get_by_label("Size of the page").select_option("8")
    menu.get_by_role("button", name="Export the page").click()
    expect(menu.get_by_role("status")).to_contain_text("Saved numbered.html.")
    context = browser.new_context(viewport={"width": 1500, "height": 950})
    context.set_default_timeout(PATIENCE_S * 1e3)
    context.set_offline(True)
    visit = Visit(context, lab.root / "numbered.html")
    expect(visit.page.locator(".dkd-player")).to_have_attribute("data-frame", "7")
    expect(visit.page.get_by_role("heading", name="Matching · left knee")).to_be_visible()
    trace = FakeTrace()
    for t in (41, 7):
        assert visit.page.evaluate(PICTURE, t) == t
        shown = visit.page.evaluate("() => [...document.querySelector('.dkd-workbench').dkd.store.shown.joints]")
        assert np.array_equal(np.float32(shown).reshape(-1, 2), trace.joints[t])
    screenshot(visit.page, "exports_page")
    visit.check()
    context.close()
