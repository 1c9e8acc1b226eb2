"""The studio in a real browser: from a video to a corrected, saved track, with the mouse and with keys."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import pytest
from playwright.sync_api import Page, expect

from dkd.video.clip import Clip
from dkd.video.samples import get_sample
from tests.support.accessibility import violations
from tests.support.browser import (
    Lab,
    at_rest,
    close_notebooks,
    expect_python,
    open_notebook,
    opened,
    place,
    python,
    run_all,
    screenshot,
    show_in,
)
from tests.support.phone import N_FRAMES, SIZE, phone_person, write_phone_clip
from tests.support.video_files import write_clip

SETUP = "from widgets import Studio"
# Drops a file on the studio, as the browser does when somebody lets go of one over it.
DROP = """([name, content]) => {
    const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, { type: 'video/mp4', lastModified: 1.7e12 }));
    const target = document.querySelector('.dkd-drop');
    for (const type of ['dragenter', 'dragover', 'drop'])
        target.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
# What sticks out of the studio, and what has no name for a screen reader.
PROBLEMS = """() => {
    const root = document.querySelector('.dkd-studio');
    const outer = root.getBoundingClientRect();
    const all = [...root.querySelectorAll('*')].filter((e) => e.checkVisibility() && !e.closest('option, .dkd-bench'));
    const wide = all.filter((e) => e.getBoundingClientRect().right > outer.right + 1);
    const cut = all.filter((e) => e.matches('button:not(.dkd-picture-box), h3, label'))
        .filter((e) => e.clientWidth && e.scrollWidth > e.clientWidth + 1);
    const nameless = all.filter((e) => e.matches('button, input, select, progress, [role=slider], [tabindex="0"]'))
        .filter((e) => !e.ariaLabel && !e.textContent.trim() && !e.closest('label')?.textContent.trim());
    return [...wide, ...cut, ...nameless].map((e) => e.outerHTML.slice(0, 200));
}"""
# Where points of the shown frame are on the page: the canvas shows the frame at `scale`.
PLACE = """(points) => {
    const root = document.querySelector('.dkd-bench .dkd-workbench');
    const { left, top, width } = root.querySelector('.dkd-frame').getBoundingClientRect();
    const scale = width / root.dkd.store.header.size[0];
    return points.map(([x, y]) => [left + (x + 0.5) * scale, top + (y + 0.5) * scale]);
}"""
FRAME = "document.querySelector('.dkd-picture')?.dataset.frame"


@pytest.fixture(scope="module")
def phone_clip(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_phone_clip(shared_data, tmp_path_factory.mktemp("phone") / "IMG_0042.mp4")


@pytest.fixture
def page(lab_window: Page, jupyter_lab: Lab) -> Iterator[Page]:
    """An empty studio in a notebook, at the size of a small laptop."""
    cell = "studio = Studio()\nstudio"
    with opened(lab_window, jupyter_lab, "studio.ipynb", SETUP, cell, width=1366, height=768) as page:
        page.locator(".dkd-studio").scroll_into_view_if_needed()
        yield page
        show_in(page, "Light", 1600, 1000)


def open_path(page: Page, path: Path) -> None:
    field = page.get_by_role("combobox", name="Path of a video")
    field.fill(str(path))
    field.press("Enter")
    wait_for_frame(page, 0)


def wait_for_frame(page: Page, frame: int) -> None:
    page.wait_for_function(f"() => {FRAME} === '{frame}'")


def drag_box(page: Page, box: Sequence[float], size: Sequence[int]) -> None:
    """Drag a box in pixels of the frame over the picture."""
    page.locator(".dkd-picture-boxes").scroll_into_view_if_needed()
    boxes = place(page.locator(".dkd-picture-boxes"))
    scale = boxes["width"] / size[0], boxes["height"] / size[1]
    x0, x1 = (boxes["x"] + value * scale[0] for value in box[0::2])
    y0, y1 = (boxes["y"] + value * scale[1] for value in box[1::2])
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move((x0 + x1) / 2, (y0 + y1) / 2)
    page.mouse.move(x1, y1)
    page.mouse.up()


def drag_handle(page: Page, name: str, frame: int, n: int) -> None:
    """Drag an end of the range to a frame."""
    strip = place(page.locator(".dkd-strip"))
    handle = place(page.get_by_role("slider", name=name))
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(strip["x"] + strip["width"] * frame / n, handle["y"] + 20, steps=4)
    page.mouse.up()


def track(page: Page) -> None:
    """Press the button, and wait until everybody is tracked and the session is saved."""
    page.locator(".dkd-track").click()
    expect(page.locator(".dkd-bench .dkd-workbench")).to_be_visible()
    expect(page.locator(".dkd-saved")).to_contain_text("Saved at")
    assert python(page, "studio.wait()")


def correct(page: Page, frame: int, joint: str, by: tuple[float, float]) -> None:
    """Drag a joint in a frame of the trace, and wait until the frames after it are traced again and all is saved."""
    python(page, f"editor = studio._editor\neditor.frame, editor.joint = {frame}, {joint!r}")
    shown = "document.querySelector('.dkd-bench .dkd-workbench').dkd.store"
    page.wait_for_function(f"() => {shown}.shown?.frame === {frame} && !{shown}.raf")
    where = f"(t := studio.traces['person_1']).joints[{frame}, t.skeleton.index({joint!r})].tolist()"
    x, y = python(page, where)
    page.locator(".dkd-bench .dkd-frame").scroll_into_view_if_needed()
    place(page.locator(".dkd-bench .dkd-frame"))
    count = python(page, "len(editor.calls['person_1'])")
    start, end = page.evaluate(PLACE, [[x, y], [x + by[0], y + by[1]]])
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()
    expect_python(page, "len(editor.calls['person_1'])", count + 1)
    assert python(page, "studio.wait()")
    assert python(page, where) == pytest.approx([x + by[0], y + by[1]], abs=1)


def test_a_phone_clip_is_dropped_tracked_corrected_and_reopened(
    page: Page, jupyter_lab: Lab, phone_clip: Path, shared_data: Path
) -> None:
    """The man's box is drawn in a frame in the middle, and he is tracked both ways in a part of the clip."""
    page.evaluate(DROP, [phone_clip.name, base64.b64encode(phone_clip.read_bytes()).decode()])
    wait_for_frame(page, 0)
    about = python(page, "[studio._clip['n'], studio._clip['size'], studio._project.clip.fps]")
    assert about == [N_FRAMES, list(SIZE), None]
    drag_handle(page, "First frame to track", 40, N_FRAMES)
    drag_handle(page, "Last frame to track", 80, N_FRAMES)
    expect_python(page, "[studio.range.start, studio.range.stop]", [40, 80])
    page.get_by_role("slider", name="Frame that is shown").focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    wait_for_frame(page, 59)
    drag_box(page, phone_person(shared_data, 59), SIZE)
    expect(page.locator(".dkd-picture-box-person")).to_be_focused()
    expect(page.locator(".dkd-strip-thumbs span:empty")).to_have_count(0)
    at_rest(page)
    screenshot(page, "studio_phone_box")
    assert page.evaluate(PROBLEMS) == []
    track(page)
    at_rest(page)
    screenshot(page, "studio_phone_tracked")
    assert page.evaluate(PROBLEMS) == []
    # The editor numbers the frames as the studio does, as in the video; Python as the trace does.
    go_to = page.locator(".dkd-bench").get_by_label("Go to frame")
    expect(go_to).to_have_value("40")
    expect(page.locator(".dkd-bench .dkd-clock")).to_have_text("last 79")
    times = python(page, "studio._project.clip.times[[40, 52]].tolist()")
    expect(page.locator(".dkd-bench .dkd-seconds")).to_have_text(f"{times[0]:.3f} s")
    go_to.fill("52")
    go_to.press("Enter")
    expect_python(page, "studio._editor.frame", 12)
    expect(page.locator(".dkd-bench .dkd-seconds")).to_have_text(f"{times[1]:.3f} s")
    # Frame 52 lies before the one with the box, so its past is frame 53.
    expect(page.get_by_text("distilled from frame 53, matched in frame 52")).to_be_visible()
    found = python(page, "t = studio.traces['person_1']\n[t.origin, len(t), studio._project.people[0].verdict]")
    assert found == [19, 40, "followed"]

    correct(page, 25, "left_wrist", (14.0, -12.0))
    correct(page, 8, "right_ankle", (-10.0, 6.0))
    assert python(page, "[len(p.calls) for p in studio.session.people]") == [2]
    expect(page.locator(".dkd-edits").get_by_text("65")).to_be_visible()  # frame 25 of the trace
    assert python(page, "[bool(p.joints) for p in studio.session.people]") == [True]
    at_rest(page)
    screenshot(page, "studio_phone_corrected")

    joints = python(page, "studio.traces['person_1'].joints.tolist()")
    session = python(page, "str(studio.session.path)")
    close_notebooks(page, jupyter_lab)
    cell = f"studio = Studio({session!r})\nstudio"
    open_notebook(page, jupyter_lab, jupyter_lab.write_notebook("studio_again.ipynb", SETUP, cell))  # loads the page
    assert run_all(page) == []
    expect(page.locator(".dkd-bench .dkd-workbench")).to_be_visible()
    assert python(page, "studio.wait()")
    assert python(page, "studio.traces['person_1'].joints.tolist()") == joints
    assert python(page, "studio._state['warnings']") == []
    expect(page.locator(".dkd-edits").get_by_text("65")).to_be_visible()
    page.locator(".dkd-studio").scroll_into_view_if_needed()
    show_in(page, "Dark", 1366, 768)
    screenshot(page, "studio_phone_reopened")
    assert page.evaluate(PROBLEMS) == []


@pytest.mark.shared
def test_two_people_have_a_track_each_with_a_name_and_a_colour(page: Page, shared_data: Path, tmp_path: Path) -> None:
    with Clip(shared_data / "videos" / "pose2sim_multi" / "cam02.mp4") as clip:
        frames = [cv2.resize(clip.frame(t), (272, 480), interpolation=cv2.INTER_AREA) for t in range(0, 48, 2)]
    open_path(page, write_clip(tmp_path / "two.mp4", frames, options={"crf": "18"}))
    drag_box(page, (24, 150, 108, 376), (272, 480))
    drag_box(page, (112, 100, 192, 300), (272, 480))
    expect(page.locator(".dkd-picture-box-person")).to_have_count(2)
    for i, name in enumerate(("woman", "man")):
        field = page.locator(".dkd-person-name").nth(i)
        field.fill(name)
        field.press("Enter")
    page.locator(".dkd-person-colour").nth(1).fill("#ff8800")
    expect_python(page, "[(p.name, p.colour) for p in studio._project.people][1]", ["man", "#ff8800"])
    expect_python(page, "list(studio.people)", ["woman", "man"])
    at_rest(page)
    screenshot(page, "studio_two_boxes")
    assert page.evaluate(PROBLEMS) == []
    track(page)
    page.locator(".dkd-studio").scroll_into_view_if_needed()
    at_rest(page)
    screenshot(page, "studio_two_tracks")
    assert python(page, "list(studio.traces)") == ["woman", "man"]
    assert python(page, "[p.verdict for p in studio._project.people]") == ["followed", "followed"]
    apart = "a, b = (t.joints.mean(1)[:, 0] for t in studio.traces.values())\nfloat(abs(a - b).min())"
    assert python(page, apart) > 40  # neither went over to the other
    assert python(page, "studio._state['same']") == []
    saved = python(page, "[[p.name, p.colour] for p in studio.session.people]")
    assert [name for name, _ in saved] == ["woman", "man"] and saved[1][1] == "#ff8800"
    page.get_by_role("button", name="Save the joints").click()
    expect(page.get_by_text("Saved in two-joints.csv")).to_be_visible()
    page.locator(".dkd-save").scroll_into_view_if_needed()
    screenshot(page, "studio_two_saved")
    show_in(page, "Light", 700, 900)
    page.locator(".dkd-studio").scroll_into_view_if_needed()
    page.get_by_role("button", name="Change frames or people").click()
    at_rest(page)
    screenshot(page, "studio_two_narrow")
    assert page.evaluate(PROBLEMS) == []


def test_a_folder_of_images_is_tracked_with_keys_alone(page: Page, tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    with Clip(get_sample("rendered_walk").path) as clip:
        for t in range(8):
            cv2.imwrite(str(tmp_path / "frames" / f"im_{t:03}.png"), clip.frame(t)[..., ::-1])
    field = page.get_by_role("combobox", name="Path of a video")
    field.focus()
    page.keyboard.type(f"{tmp_path}/fra")
    option = page.get_by_role("option", name="frames folder of images")
    expect(option).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    screenshot(page, "studio_path")
    page.keyboard.press("Enter")
    expect(field).to_have_value(f"{tmp_path}/frames/")
    page.keyboard.press("Enter")
    wait_for_frame(page, 0)
    page.get_by_role("button", name="Add a box").focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("group", name="Box of person_1: left 266, top 120, 108 wide, 240 high")
    expect(box).to_be_focused()
    for key, times in (("ArrowLeft", 14), ("ArrowUp", 11), ("Shift+ArrowDown", 10)):
        for _ in range(times):
            page.keyboard.press(key)
    expect_python(page, "[round(v) for v in studio._project.people[0].box]", [196, 65, 304, 355])
    screenshot(page, "studio_keys")
    page.locator(".dkd-track").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".dkd-bench .dkd-workbench")).to_be_visible()
    assert python(page, "studio.wait()")
    assert python(page, "[len(studio.traces['person_1']), studio._project.people[0].verdict]") == [8, "followed"]
    assert python(page, "str(studio.session.path)") == str(tmp_path / "frames.dkd.json")


def test_what_cannot_be_opened_is_said_in_place(page: Page, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("no video")
    field = page.get_by_role("combobox", name="Path of a video")
    for path in (tmp_path / "notes.mp4", tmp_path / "nothing.mp4"):
        field.fill(str(path))
        field.press("Enter")
        expect(page.locator(".dkd-source .dkd-error")).to_contain_text(path.name)
    at_rest(page)
    screenshot(page, "studio_error")


def test_the_webcam_records_a_clip(page: Page, lab_window: Page) -> None:
    """Chromium's own test picture stands for the camera."""
    lab_window.context.grant_permissions(["camera", "clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Record with the webcam").click()
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_role("timer")).not_to_have_text("0:00.00")
    page.wait_for_function("() => document.querySelector('.dkd-camera-video').currentTime > 0.5")
    page.get_by_role("button", name="Stop and use it").click()
    wait_for_frame(page, 0)
    assert python(page, "studio.video.name.startswith('webcam-') and len(studio._project.clip) > 3")


def test_a_sample_is_a_picture_to_click(page: Page) -> None:
    expect(page.locator(".dkd-sample")).to_have_count(5)
    at_rest(page)
    screenshot(page, "studio_source")
    assert page.evaluate(PROBLEMS) == []
    for theme in ("Dark", "Light"):
        show_in(page, theme, 1366, 768)
        found = violations(page, ".dkd-studio")
        assert found == [], "\n".join(found)
    page.get_by_role("button", name="rendered walk").click()
    wait_for_frame(page, 0)
    expect(page.locator(".dkd-studio-title strong")).to_have_text("rendered_walk.mp4")
