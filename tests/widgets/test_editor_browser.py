"""The editor in a real browser: what a pointer and keys do to a track, and what is then on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Lab, at_rest, expect_python, opened, place, python, screenshot, settle, show_in
from tests.support.two_people import T

ROOT = Path(__file__).resolve().parents[2]
SETUP = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
import torch
import dkd.tracking.replay
torch.set_num_threads(1)
from tests.support.two_people import two_people_traces
from widgets import Editor
traces = two_people_traces()"""
EDITOR = "document.querySelector('.dkd-editor')"
STATE = f"{EDITOR}.dkdEditing"
FRAME, WRIST = 8, "left_wrist"
# The editor shows its frame, with what the kernel said last.
SETTLED = f"""() => {{
    const {{ store, cursor }} = {EDITOR}?.dkd ?? {{}};
    return store?.shown && store.shown.frame === cursor.get('frame') && !store.raf && !{STATE}.held
        && !{STATE}.edits.busy.length && {STATE}.edits.of && cursor.unsaved.size === 0;
}}"""
# Where points of the frame are on the page: the canvas shows the frame at `scale`.
PLACE = f"""(points) => {{
    const canvas = {EDITOR}.querySelector('.dkd-frame');
    const {{ left, top, width }} = canvas.getBoundingClientRect();
    const scale = width / {EDITOR}.dkd.store.header.size[0];
    return points.map(([x, y]) => [left + (x + 0.5) * scale, top + (y + 0.5) * scale]);
}}"""
# The colours of the frame's canvas around a point of the frame: in the middle and on rings of these radii.
RING = f"""([x, y, ...radii]) => {{
    const canvas = {EDITOR}.querySelector('.dkd-frame');
    const context = canvas.getContext('2d');
    const ratio = canvas.width / {EDITOR}.dkd.store.header.size[0];
    const dpr = canvas.width / canvas.clientWidth;
    const at = (dx, dy) => [...context.getImageData(
        Math.round((x + 0.5) * ratio + dx * dpr), Math.round((y + 0.5) * ratio + dy * dpr), 1, 1).data].slice(0, 3);
    return [at(0, 0), ...radii.map((r) => at(0, r))];
}}"""
BLUE = np.array([0, 114, 178])  # of left limbs


@pytest.fixture(scope="module")
def editor_page(lab_window: Page, jupyter_lab: Lab) -> Iterator[Page]:
    """An editor of two people in a notebook."""
    cell = "editor = Editor(traces)\neditor"
    with opened(lab_window, jupyter_lab, "editor.ipynb", SETUP, cell, width=1366, height=900) as page:
        page.wait_for_function(SETTLED)
        yield page


@pytest.fixture
def page(editor_page: Page) -> Page:
    """The page of :func:`editor_page` without corrections: anna's left wrist in frame ``FRAME``, not zoomed."""
    settle(editor_page, f"{EDITOR}.dkd.cursor", "editor.cursor")
    python(
        editor_page,
        "while editor._tracked.can_undo: editor.undo()\n"
        f"editor.select('anna'); editor.frame, editor.joint = {FRAME}, {WRIST!r}\n"
        "editor.layers = {'heatmap': False}\n"
        "for one in editor.bookmarks: editor.remove_bookmark(one['frame'])",
    )
    editor_page.evaluate(f"() => {{ {STATE}.look.zoom = {{ factor: 1, x: 0, y: 0 }}; {STATE}.forget(); }}")
    editor_page.locator(".dkd-tools").scroll_into_view_if_needed()
    editor_page.wait_for_function(f"() => {STATE}.person === 'anna' && !{STATE}.edits.corrections.length")
    done(editor_page)
    return editor_page


def done(page: Page) -> None:
    """Wait until the kernel has traced everything and the page shows it."""
    assert python(page, "editor.wait(300)")
    generation = python(page, "editor._feed._generation")
    page.wait_for_function(f"() => {EDITOR}.dkd.store.header.generation === {generation}")
    page.wait_for_function(SETTLED)


def joint_at(page: Page, person: str = "anna", joint: str = WRIST) -> list[float]:
    """Where the kernel has a joint of the shown frame, in pixels of the frame."""
    code = f"(t := editor.traces[{person!r}]).joints[editor.frame, t.skeleton.index({joint!r})].tolist()"
    found: list[float] = python(page, code)
    return found


def clear_of_others(page: Page, person: str) -> list[float]:
    """The middle of the limb that lies farthest from the person's other limbs, where nothing is drawn over it."""
    joints = np.array(python(page, f"editor.traces[{person!r}].joints[editor.frame].tolist()"))
    skeleton = f"s = editor.traces[{person!r}].skeleton\n"
    limbs = np.array(python(page, f"{skeleton}[[s.index(a), s.index(b)] for a, b in s.limbs]"))
    along = np.linspace(0, 1, 21)[:, None, None]
    lines = joints[limbs[:, 0]] * (1 - along) + joints[limbs[:, 1]] * along  # (21, limbs, 2)
    away = [np.linalg.norm(np.delete(lines, i, 1) - lines[10, i], axis=-1).min() for i in range(len(limbs))]
    found: list[float] = lines[10, int(np.argmax(away))].tolist()
    return found


def on_page(page: Page, *points: list[float]) -> list[list[float]]:
    place(page.locator(".dkd-editor .dkd-frame"))
    found: list[list[float]] = page.evaluate(PLACE, list(points))
    return found


def drag(page: Page, start: list[float], end: list[float], release: bool = True) -> None:
    """Drag from one point of the frame to another."""
    first, last = on_page(page, start, end)
    page.mouse.move(*first)
    page.mouse.down()
    page.mouse.move(*last, steps=4)
    if release:
        page.mouse.up()


def look(page: Page, at: list[float], *radii: float) -> list[np.ndarray]:
    return [np.array(colour) for colour in page.evaluate(RING, [*at, *radii])]


def is_blue(colour: np.ndarray) -> bool:
    return bool(np.abs(colour - BLUE).max() < 40)


def test_a_dragged_joint_is_in_the_kernels_trace_where_it_was_dropped(page: Page) -> None:
    start = joint_at(page)
    end = [start[0] + 30, start[1] - 18]
    assert not is_blue(look(page, start)[0])  # a prediction is hollow: the picture is seen through it
    drag(page, start, end, release=False)
    page.wait_for_function(f"() => {STATE}.held && !{EDITOR}.dkd.store.raf")
    assert is_blue(look(page, end)[0])  # it moves with the pointer, before the kernel knows
    assert python(page, "editor.calls['anna']") == []
    page.mouse.up()
    expect_python(page, "len(editor.calls['anna'])", 1)
    done(page)
    found = joint_at(page)
    assert np.abs(np.array(found) - end).max() <= 1
    # Filled where it is corrected; hollow where the model finds it in this run.
    middle, inside, ring = look(page, found, 3, 9)
    assert is_blue(middle) and is_blue(inside) and not is_blue(ring)
    assert not is_blue(look(page, start)[0])
    assert python(page, f"[int(editor.trace.corrected.sum()), int(editor.trace.corrected[{FRAME}].sum())]") == [1, 1]


def test_the_frames_after_a_correction_have_other_kernels_and_those_before_the_same(page: Page) -> None:
    start = joint_at(page)
    shown = f"() => Array.from({EDITOR}.dkd.store.records.get({FRAME + 1})?.kernels ?? [])"
    page.wait_for_function(f"() => {EDITOR}.dkd.store.records.has({FRAME + 1})")
    before = page.evaluate(shown)
    drag(page, start, [start[0] + 40, start[1]])
    expect_python(page, "len(editor.calls['anna'])", 1)
    done(page)
    page.wait_for_function(f"() => {EDITOR}.dkd.store.records.has({FRAME + 1})")
    assert page.evaluate(shown) != before
    same = f"[bool((editor.trace.kernels[t] == traces['anna'].kernels[t]).all()) for t in range({T})]"
    assert python(page, same) == [t < FRAME for t in range(T)]
    expect(page.get_by_role("list", name="Corrections")).to_have_text(f"{FRAME}left wrist · moved×")
    screenshot(page, "editor_corrected")


def test_undo_redo_and_remove_by_keys_and_buttons(page: Page) -> None:
    start = joint_at(page)
    drag(page, start, [start[0] + 25, start[1] + 10])
    expect_python(page, "len(editor.calls['anna'])", 1)
    done(page)
    moved = joint_at(page)
    page.keyboard.press("Control+z")
    expect_python(page, "len(editor.calls['anna'])", 0)
    done(page)
    assert joint_at(page) == start
    page.get_by_role("button", name="Redo").click()
    expect_python(page, "len(editor.calls['anna'])", 1)
    done(page)
    assert joint_at(page) == moved
    page.get_by_role("button", name=f"Remove: left wrist · moved, frame {FRAME}").click()
    expect_python(page, "len(editor.calls['anna'])", 0)
    done(page)
    assert joint_at(page) == start and page.get_by_text("None yet. Drag a joint").is_visible()


def test_keys_alone_correct_a_joint_and_jump_between_corrections(page: Page) -> None:
    start = joint_at(page)
    page.locator(".dkd-editor").focus()
    page.keyboard.press("ArrowUp")
    expect_python(page, "editor.joint", "right_elbow")
    page.keyboard.press("ArrowDown")
    expect_python(page, "editor.joint", WRIST)
    page.keyboard.down("Alt")
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    page.wait_for_function(f"() => {STATE}.held")
    assert python(page, "editor.calls['anna']") == []  # one correction for all of them
    page.keyboard.up("Alt")
    expect_python(page, "len(editor.calls['anna'])", 1)
    done(page)
    assert joint_at(page) == pytest.approx([start[0] - 8, start[1] - 1], abs=1e-3)
    page.keyboard.press("Home")
    expect_python(page, "editor.frame", 0)
    page.keyboard.press("e")
    expect_python(page, "editor.frame", FRAME)
    page.keyboard.press("Delete")
    expect_python(page, "int(editor.trace.hidden.sum())", 1)
    done(page)  # the page knows that it is hidden, too: the same key shows it again
    page.keyboard.press("Delete")
    expect_python(page, "int(editor.trace.hidden.sum())", 0)
    page.keyboard.press("Shift+B")
    field = page.get_by_label(f"Note on frame {FRAME}")
    expect(field).to_be_focused()
    field.fill("the hand is blurred")
    page.keyboard.press("Tab")
    expect_python(page, "editor.bookmarks", [{"frame": FRAME, "note": "the hand is blurred"}])


def test_a_right_click_hides_a_joint_and_it_is_crossed(page: Page) -> None:
    at = joint_at(page)
    [point] = on_page(page, at)
    page.mouse.click(*point, button="right")
    expect_python(page, "int(editor.trace.hidden.sum())", 1)
    done(page)
    arm = look(page, [at[0], at[1]], 0)[0]
    assert is_blue(arm)  # the cross goes through the middle
    expect(page.get_by_role("button", name="Hidden", exact=True)).to_have_attribute("aria-pressed", "true")
    page.mouse.click(*point, button="right")
    expect_python(page, "int(editor.trace.hidden.sum())", 0)


def test_another_person_is_selected_by_a_click_and_drawn_in_the_own_colour(page: Page) -> None:
    middle = clear_of_others(page, "ben")
    pink = np.array([0xCC, 0x79, 0xA7])
    # The line is 2.5 px wide, and a pixel of the page is two of the frame.
    around = [look(page, [middle[0] + dx, middle[1] + dy])[0] for dx in (-4, -2, 0, 2, 4) for dy in (-4, -2, 0, 2, 4)]
    assert min(np.abs(colour - pink).max() for colour in around) < 40
    [point] = on_page(page, middle)
    page.mouse.click(*point)
    expect_python(page, "editor.person", "ben")
    page.wait_for_function(f"() => {STATE}.person === 'ben'")
    done(page)
    assert python(page, "editor.calls") == {"anna": [], "ben": []}
    drag(page, joint_at(page, "ben"), [600.0, 200.0])
    expect_python(page, "len(editor.calls['ben'])", 1)
    done(page)
    assert python(page, "[len(c) for c in editor.calls.values()]") == [0, 1]
    assert joint_at(page, "ben") == pytest.approx([600, 200], abs=1)
    page.locator(".dkd-editor").focus()
    page.keyboard.press("1")
    expect_python(page, "editor.person", "anna")


def test_a_zoomed_frame_is_corrected_to_a_part_of_a_pixel(page: Page) -> None:
    page.locator(".dkd-editor").focus()
    page.keyboard.press("z")
    page.wait_for_function(f"() => {STATE}.look.zoom.factor > 1 && !{EDITOR}.dkd.store.raf")
    start = joint_at(page)
    to_page = f"""([x, y]) => {{
        const canvas = {EDITOR}.querySelector('.dkd-frame');
        const {{ left, top, width, height }} = canvas.getBoundingClientRect();
        const {{ size }} = {EDITOR}.dkd.store.header;
        const {{ zoom }} = {STATE}.look;
        const scale = (width / size[0]) * zoom.factor;
        const corner = (length, frame, middle) =>
            Math.min(0, Math.max(length - frame * scale, length / 2 - middle * scale));
        return [left + corner(width, size[0], zoom.x) + (x + 0.5) * scale,
            top + corner(height, size[1], zoom.y) + (y + 0.5) * scale];
    }}"""
    end = [start[0] + 6.25, start[1] - 3.5]
    page.mouse.move(*page.evaluate(to_page, start))
    page.mouse.down()
    page.mouse.move(*page.evaluate(to_page, end), steps=3)
    page.mouse.up()
    expect_python(page, "len(editor.calls['anna'])", 1)
    done(page)
    assert joint_at(page) == pytest.approx(end, abs=0.3)
    page.keyboard.press("z")
    page.wait_for_function(f"() => {STATE}.look.zoom.factor === 1")


def test_the_box_is_moved_sides_are_swapped_and_a_joint_is_interpolated(page: Page) -> None:
    page.get_by_role("button", name="Box", exact=True).click()
    *crop, side = python(
        page, f"(c := editor.trace.crops[{FRAME}]) and [c.left + c.side / 2, c.top + c.side / 2, c.side]"
    )
    drag(page, crop, [crop[0] + 20, crop[1]])
    expect_python(page, "[c.partition('(')[0] for c in editor.calls['anna']]", ["set_box"])
    done(page)
    # Moved from the person's box in the square of the network, which may reach out of the frame.
    box = python(page, "list(dkd.tracking.replay.read_call(editor.calls['anna'][0])[1][1])")
    rim = side / 2 / 1.25
    assert box[0] == pytest.approx(max(0, crop[0] - rim) + 20, abs=1)
    assert box[2] == pytest.approx(crop[0] + rim + 20, abs=1)
    assert python(page, f"editor.trace.crops[{FRAME}] != traces['anna'].crops[{FRAME}]")
    page.keyboard.press("w")
    expect_python(page, "editor.calls['anna'][-1]", f"swap_sides({FRAME})")
    page.keyboard.press("Control+z")
    expect_python(page, "len(editor.calls['anna'])", 1)
    for frame, x, y in ((FRAME - 4, 300, 200), (FRAME + 4, 320, 240)):
        python(page, f"editor.correct_joint({frame}, {WRIST!r}, {x}, {y})")
    page.wait_for_function(f"() => {STATE}.edits.corrections.length === 3")
    done(page)
    page.keyboard.press("i")
    expect_python(page, "editor.calls['anna'][-1]", f"interpolate('{WRIST}', {FRAME - 4}, {FRAME + 4})")
    done(page)
    assert joint_at(page) == pytest.approx([310, 220], abs=1e-3)


def test_the_model_is_re_initialised_in_a_box_where_that_is_chosen(page: Page) -> None:
    choice = page.get_by_label("Re-initialise here")
    expect(choice).to_be_hidden()
    page.get_by_role("button", name="Box", exact=True).click()
    expect(choice).not_to_be_checked()
    choice.check()
    middle = python(page, f"(c := editor.trace.crops[{FRAME}]) and [c.left + c.side / 2, c.top + c.side / 2]")
    drag(page, middle, [middle[0] + 10, middle[1]])
    expect_python(page, "[c.endswith('restart=True)') for c in editor.calls['anna']]", [True])
    expect(choice).to_be_hidden()
    done(page)
    assert python(page, f"editor.trace.from_initializer({FRAME})")
    page.get_by_role("button", name="Box", exact=True).click()
    expect(choice).not_to_be_checked()  # it was for that box only
    page.keyboard.press("Escape")


def test_an_error_is_shown_and_the_joint_goes_back(page: Page) -> None:
    python(page, "editor._tracked.edit, kept = lambda *a, **k: 1 / 0, editor._tracked.edit")
    start = joint_at(page)
    drag(page, start, [start[0] + 30, start[1]])
    expect(page.get_by_role("alert").filter(has_text="division by zero")).to_be_visible()
    page.wait_for_function(f"() => !{STATE}.held")
    python(page, "editor._tracked.edit = kept")
    drag(page, start, [start[0] + 30, start[1]])
    expect_python(page, "len(editor.calls['anna'])", 1)
    expect(page.get_by_role("alert").filter(has_text="division by zero")).to_be_hidden()


@pytest.mark.parametrize(("theme", "width", "height"), [("Light", 1366, 768), ("Dark", 1366, 768), ("Light", 700, 768)])
def test_it_fits_the_page(page: Page, theme: str, width: int, height: int) -> None:
    start = joint_at(page)
    drag(page, start, [start[0] + 30, start[1] - 20])
    expect_python(page, "len(editor.calls['anna'])", 1)
    python(page, "editor.hide_joint(range(12, 15), 'left_ankle'); editor.bookmark(15, 'the hand is blurred')")
    done(page)
    show_in(page, theme, width, height)
    python(page, "editor.layers = {'heatmap': True}")
    page.evaluate(f"() => {EDITOR}.scrollIntoView()")
    at_rest(page)
    screenshot(page, f"editor_{theme.lower()}_{width}")
    if width == 1366:  # on a small laptop, picture, timeline and corrections are in sight at the same time
        for part in (".dkd-frame", ".dkd-timeline", ".dkd-edit-lane"):
            expect(page.locator(f".dkd-editor {part}")).to_be_in_viewport(ratio=1)
    wide: list[Any] = page.evaluate(
        f"""() => [...{EDITOR}.querySelectorAll('*')].filter((e) => e.checkVisibility()
            && e.getBoundingClientRect().right > {EDITOR}.getBoundingClientRect().right + 1)
            .map((e) => e.outerHTML.slice(0, 90))"""
    )
    page.evaluate("() => document.querySelector('.dkd-lists').scrollIntoView({ block: 'end' })")
    at_rest(page)
    screenshot(page, f"editor_{theme.lower()}_{width}_below")
    show_in(page, "Light", 1366, 900)
    assert wide == []
