"""The workbench in a real JupyterLab and browser, on numbered frames with known maps.

One notebook is opened for the whole file, since starting Lab's page and a kernel takes longest; each test puts the
workbench where it needs it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from dkd.analysis.moments import worst_frames
from tests.support.browser import (
    Lab,
    at_rest,
    expect_python,
    open_notebook,
    opened,
    place,
    python,
    screenshot,
    settle,
    show_in,
)  # fmt: skip
from tests.support.fake_trace import BITS, BLOCK, CELLS, FakeTrace
from tests.support.server import until

ROOT = Path(__file__).resolve().parents[2]
SETUP = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.support.fake_trace import FakeTrace
from tests.support.server import until
from widgets import Cursor, Kernels, Matching, Player, Timeline, Workbench
trace = FakeTrace()
heard = []"""
BENCH = "document.querySelector('.dkd-workbench').dkd"
SETTLED = """() => {
    const { store, cursor } = document.querySelector('.dkd-workbench')?.dkd ?? {};
    return store?.shown && store.shown.frame === cursor.get('frame') && !store.raf
        && (store.shown.frame === 0 || store.detail?.frame === store.shown.frame);
}"""

# What is on the screen in one animation frame: the number in the picture, the frame that each view says it painted, the
# colour of the picture where the selected joint of that frame belongs, and the brightest cell of the large map.
LOOK = f"""() => {{
    const root = document.querySelector('.dkd-workbench');
    const {{ store }} = root.dkd;
    const views = ['player', 'matching', 'kernels', 'timeline'];
    const said = views.map((name) => Number(root.querySelector('.dkd-' + name).dataset.frame));
    const canvas = root.querySelector('.dkd-frame');
    const context = canvas.getContext('2d');
    const scale = canvas.width / 320;
    const at = (x, y) => [...context.getImageData(Math.round(x * scale), Math.round(y * scale), 1, 1).data];
    let number = 0;
    for (let bit = 0; bit < {BITS}; bit++) number += (at((bit + 0.5) * {BLOCK}, {BLOCK} / 4)[1] > 127) << bit;
    const joint = store.joint();
    const [x, y] = store.header.tracks.subarray(2 * (said[0] * store.header.joints.length + joint));
    const map = root.querySelector('.dkd-large .dkd-cells');
    const green = map.getContext('2d').getImageData(0, 0, map.width, map.height).data.filter((_, i) => i % 4 === 1);
    const cell = green.indexOf(Math.max(...green));
    return {{ number, said, joint: at(x + 0.5, y + 0.5), cell: [cell % map.width, Math.floor(cell / map.width)] }};
}}"""

# What sticks out of the workbench, is cut, or lies over something else.
PROBLEMS = """() => {
    const root = document.querySelector('.dkd-workbench');
    const outer = root.getBoundingClientRect();
    const all = (selector) => [...root.querySelectorAll(selector)]
        .filter((e) => e.checkVisibility() && !e.closest('canvas, svg, option'));
    const show = (what) => (e) => what + e.outerHTML.slice(0, 200);
    const wide = all('*').filter((e) => e.getBoundingClientRect().right > outer.right + 1);
    const cut = all('button, .dkd-term span, .dkd-where, .dkd-lane-labels small, h3')
        .filter((e) => e.clientWidth && e.scrollWidth > e.clientWidth + 1);
    const visible = (e) => {  // what scrolls cuts what is in it
        let { left, right, top, bottom } = e.getBoundingClientRect();
        for (const scroller of [e.closest('.dkd-maps'), e.closest('.dkd-below')].filter((s) => s?.clientHeight)) {
            const limit = scroller.getBoundingClientRect();
            [top, bottom] = [Math.max(top, limit.top), Math.min(bottom, limit.bottom)];
        }
        return { left, right, top, bottom };
    };
    const boxes = all('.dkd-panel, .dkd-transport, .dkd-timeline').map((e) => [e.className, visible(e)]);
    const meet = (p, q) => p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 1 && q.top < p.bottom - 1;
    const over = boxes.flatMap(([a, p], i) =>
        boxes.slice(i + 1).filter(([, q]) => meet(p, q)).map(([b]) => `${a} over ${b}`));
    return [...wide.map(show('sticks out: ')), ...cut.map(show('cut: ')), ...over];
}"""


@pytest.fixture(scope="module")
def trace() -> FakeTrace:
    return FakeTrace()


@pytest.fixture(scope="module")
def lab_page(lab_window: Page, jupyter_lab: Lab) -> Iterator[Page]:
    """A notebook with a live workbench."""
    cell = "wb = Workbench(trace)\nwb.on_frame(heard.append)\nwb"
    with opened(lab_window, jupyter_lab, "workbench.ipynb", SETUP, cell) as page:
        page.wait_for_function(SETTLED)
        page.locator(".dkd-workbench").scroll_into_view_if_needed()
        yield page


@pytest.fixture
def page(lab_page: Page) -> Page:
    """The page of :func:`lab_page`, with the workbench in its initial state."""
    settle(lab_page, f"{BENCH}.cursor", "wb.cursor")
    python(lab_page, "heard.clear()")
    python(lab_page, "wb.frame, wb.joint = 20, 'left_wrist'")
    python(lab_page, "wb.cursor.cell = wb.cursor.range = None")
    lab_page.mouse.move(2, 2)
    names = ["joint", "cell", "range"]
    lab_page.wait_for_function(
        f"(names) => JSON.stringify(names.map((name) => {BENCH}.cursor.get(name))) === '[\"left_wrist\",null,null]'",
        arg=names,
    )
    wait_for_frame(lab_page, 20)
    return lab_page


def wait_for_frame(page: Page, frame: int) -> None:
    """Wait until the browser has painted ``frame`` and has its exact numbers."""
    page.wait_for_function(f"() => {BENCH}.cursor.get('frame') === {frame}")
    page.wait_for_function(SETTLED)


def state(page: Page, name: str) -> Any:
    return page.evaluate(f"() => {BENCH}.cursor.get('{name}')")


def press(page: Page, *keys: str) -> None:
    page.locator(".dkd-workbench").focus()
    for key in keys:
        page.keyboard.press(key)


def test_picture_skeleton_and_maps_are_always_of_one_frame(page: Page, trace: FakeTrace) -> None:
    """While the slider jumps about, every animation frame shows one and the same frame in all views."""
    page.get_by_label("over picture").uncheck()  # so that the large map's colours are the scale's own
    for layer in ("Truth", "Heatmap"):
        page.get_by_label(layer, exact=True).uncheck()  # only the joint over the picture
    jumps = random.Random(3).choices(range(len(trace)), k=60)
    samples = page.evaluate(
        f"""async (jumps) => {{
            const look = {LOOK};
            const slider = document.querySelector('.dkd-workbench .dkd-slider');
            const samples = [];
            for (const frame of jumps) {{
                slider.value = frame;
                slider.dispatchEvent(new Event('input'));
                for (let i = 0; i < 3; i++) {{
                    await new Promise(requestAnimationFrame);
                    await new Promise((done) => setTimeout(done)); // after all that this animation frame painted
                    samples.push(look());
                }}
            }}
            return samples;
        }}""",
        jumps,
    )
    wrist = trace.skeleton.index("left_wrist")
    assert len({s["number"] for s in samples}) > 20
    for sample in samples:
        t = sample["number"]
        assert sample["said"] == [t] * 4
        red, _, blue, _ = sample["joint"]
        assert blue > red + 60, f"no blue joint where frame {t} has it"
        x, y = sample["cell"]
        # The wire's rounding may make a neighbour as bright as the peak, never brighter by more than its step.
        assert trace.heatmaps[t, wrist, y, x] >= min(1.0, trace.heatmaps[t, wrist].max()) - 0.007
    page.get_by_label("over picture").check()
    for layer in ("Truth", "Heatmap"):
        page.get_by_label(layer, exact=True).check()


def test_keys_move_and_lab_does_not_get_them(page: Page, trace: FakeTrace) -> None:
    cells = page.locator(".jp-Cell").count()
    for key, frame in (
        ("ArrowRight", 21), ("ArrowLeft", 20), ("Shift+ArrowRight", 25), ("Shift+ArrowLeft", 20),
        ("Home", 0), ("End", 59), ("PageUp", 9), ("PageDown", 59), ("PageDown", 59), ("PageUp", 9),
    ):  # fmt: skip
        press(page, key)
        wait_for_frame(page, frame)
    wrist = trace.skeleton.index("left_wrist")
    worst = worst_frames(trace.scores[:, wrist], trace.kernel_drift(), trace.clip.fps)
    assert len(worst) > 3
    for expected in [t for t in worst if t > 9][:2]:
        press(page, "n")
        wait_for_frame(page, expected)
    press(page, "p")
    wait_for_frame(page, [t for t in worst if t > 9][0])
    # In Lab's command mode these would add, cut, paste or convert cells.
    before = state(page, "layers")
    press(page, "b", "a", "x", "Escape", "v", "d", "d", "y", "m", "b", "j", "Shift+J")
    assert page.locator(".jp-Cell").count() == cells
    assert state(page, "layers") == before
    assert state(page, "joint") == "left_wrist"


def test_holding_a_key_accelerates(page: Page) -> None:
    press(page, "Home")
    page.locator(".dkd-workbench").focus()
    for _ in range(20):  # the first press, then the browser's repeats
        page.keyboard.down("ArrowRight")
    page.keyboard.up("ArrowRight")
    wait_for_frame(page, 12 + 2 * 8)


def test_a_number_can_be_typed(page: Page) -> None:
    press(page, "f")
    page.keyboard.type("37")
    page.keyboard.press("Enter")
    wait_for_frame(page, 37)
    expect(page.locator(".dkd-seconds")).to_have_text(f"{37 / 30:.3f} s")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    wait_for_frame(page, 38)


def test_a_click_on_a_joint_selects_it(page: Page, trace: FakeTrace) -> None:
    knee = trace.skeleton.index("right_knee")
    box = place(page.locator(".dkd-frame"))
    x, y = ((trace.joints[20, knee] + 0.5) * box["width"] / trace.clip.width).tolist()
    page.mouse.click(box["x"] + x, box["y"] + y)
    page.wait_for_function(f"() => {BENCH}.cursor.get('joint') === 'right_knee'")
    expect(page.locator(".dkd-matching h3")).to_have_text("Matching · right knee")
    expect_python(page, "wb.joint", "right_knee")


@pytest.mark.parametrize("cell", [(12, 9), (0, 0), (31, 17)])
def test_the_arithmetic_at_the_pointer_is_pythons(page: Page, trace: FakeTrace, cell: tuple[int, int]) -> None:
    large = page.locator(".dkd-large")
    box = place(large)
    x, y = cell
    page.mouse.move(box["x"] + (x + 0.5) * box["width"] / CELLS, box["y"] + (y + 0.5) * box["height"] / CELLS)
    expect(page.locator(".dkd-sum .dkd-where")).to_have_text(f"cell ({x}, {y}) · pointer")
    value = float(page.locator(".dkd-sum").get_attribute("data-value") or "nan")
    wrist = trace.skeleton.index("left_wrist")
    assert value == pytest.approx(float(trace.heatmaps[20, wrist, y, x]), abs=1e-5)
    shares = trace.contributions(20, "left_wrist")[:, y, x]
    order = np.argsort(-np.abs(shares))[:6]
    lines = page.locator(".dkd-sum .dkd-term").all_inner_texts()
    expected = [(f"{shares[c]:+.3f}", f"channel {c}") for c in order]
    shown = [tuple(line.replace("−", "-").split("\n")) for line in lines[2:8]]
    assert shown == expected
    numbers = [float(line.replace("−", "-").split("\n")[0]) for line in lines]
    assert numbers[0] == pytest.approx(sum(numbers[1:]), abs=0.0045)  # nine numbers, each rounded to 0.001
    # The kernels view tells of the same cell.
    rows = page.locator(".dkd-kernels .dkd-channel:not(.dkd-heads) b")
    expect(rows).to_have_text([number.replace("-", "−") for number, _ in expected])


def test_a_cell_can_be_pinned(page: Page) -> None:
    large = page.locator(".dkd-large")
    large.click(position={"x": 30, "y": 40})
    pinned = state(page, "cell")
    page.mouse.move(2, 2)
    expect(page.locator(".dkd-sum .dkd-where")).to_have_text(f"cell ({pinned[0]}, {pinned[1]}) · pinned")
    expect_python(page, "wb.cursor.cell", pinned)
    press(page, "Escape")
    expect(page.locator(".dkd-sum .dkd-where")).to_contain_text("peak")


def test_frame_0_says_that_there_is_no_matching(page: Page) -> None:
    press(page, "Home")
    expect(page.locator(".dkd-matching")).to_contain_text("come from the pose initializer")
    expect(page.locator(".dkd-kernels")).to_contain_text("Frame 0 has no kernels to show")
    press(page, "ArrowRight")
    expect(page.locator(".dkd-kernels header")).to_contain_text("distilled from frame 0, matched in frame 1")


def test_python_drives_and_hears(page: Page) -> None:
    python(page, "wb.frame = 41")
    wait_for_frame(page, 41)
    assert python(page, "wb.frame") == 41
    press(page, "ArrowRight")
    wait_for_frame(page, 42)
    expect_python(page, "heard[-2:]", [41, 42])
    python(page, "wb.layers = {'trails': True}")
    expect(page.get_by_label("Trails", exact=True)).to_be_checked()
    python(page, "wb.layers = {'trails': False}")


def test_a_late_echo_does_not_move_the_frame_back(page: Page) -> None:
    """The kernel echoes each frame it receives; the echo of an older one must not undo a later move."""
    seen = page.evaluate(
        f"""async () => {{
            const {{ cursor }} = {BENCH};
            const seen = [];
            cursor.on((name) => name === 'frame' && seen.push(cursor.get('frame')));
            const saved = async () => {{
                while (cursor.unsaved.size) await new Promise(requestAnimationFrame);
            }};
            cursor.seek(30);
            await saved();
            cursor.seek(50);
            cursor.model.set('frame', 30); // what the widget manager does with an echo
            await saved();
            return [...new Set(seen)];
        }}"""
    )
    assert seen == [30, 50]
    expect_python(page, "wb.frame", 50)
    at_rest(page)
    assert state(page, "frame") == 50


def test_python_wins_over_a_move_that_it_has_not_heard_of(page: Page) -> None:
    page.evaluate(
        f"""() => {{
            const {{ cursor }} = {BENCH};
            cursor.seek(31);
            cursor.set('frame', 32, {{ now: false }});
            cursor.model.set('frame', 7); // as when wb.frame = 7 arrives before the browser has said where it is
        }}"""
    )
    page.wait_for_function(f"() => {BENCH}.cursor.saveTimer === null")  # it would have said 32
    at_rest(page)
    assert page.evaluate(f"() => [{BENCH}.cursor.get('frame'), {BENCH}.cursor.model.get('frame')]") == [7, 7]


def test_playing_shows_every_frame(page: Page) -> None:
    """At a tenth of the speed, which any machine can follow, each frame is painted, in order, in all views."""
    python(page, "wb.cursor.speed = 0.1\nwb.frame = 5")
    wait_for_frame(page, 5)
    said = page.evaluate(
        f"""async () => {{
            const look = {LOOK};
            const said = [];
            {BENCH}.cursor.set('playing', true);
            while ({BENCH}.cursor.get('frame') < 12) {{
                await new Promise(requestAnimationFrame);
                await new Promise((done) => setTimeout(done));
                const {{ number, said: views }} = look();
                if (views.some((t) => t !== number)) return 'out of step';
                if (said.at(-1) !== number) said.push(number);
            }}
            {BENCH}.cursor.set('playing', false);
            return said;
        }}"""
    )
    python(page, "wb.cursor.speed = 1.0")
    assert said == list(range(5, 13))


def test_playing_continues_and_stops(page: Page) -> None:
    python(page, "wb.cursor.range = (10, 40)\nwb.frame = 12\nwb.play()")
    page.wait_for_function(f"() => {BENCH}.cursor.get('frame') > 20")
    press(page, " ")
    page.wait_for_function(f"() => !{BENCH}.cursor.get('playing')")
    assert 10 <= state(page, "frame") <= 40
    expect_python(page, "[wb.cursor.playing, wb.frame]", [False, state(page, "frame")])


def test_the_slider_and_the_lanes_move_together(page: Page) -> None:
    lanes = place(page.locator(".dkd-lanes"))
    slider = place(page.locator(".dkd-slider"))
    assert lanes["x"] == pytest.approx(slider["x"], abs=1) and lanes["width"] == pytest.approx(slider["width"], abs=1)
    page.mouse.click(lanes["x"] + 7 + (lanes["width"] - 14) * 30 / 59, lanes["y"] + 40)
    wait_for_frame(page, 30)
    expect(page.locator(".dkd-slider")).to_have_value("30")


def test_an_error_in_a_callback_is_shown_under_the_widget(page: Page) -> None:
    python(page, "def broken(frame):\n    raise ValueError(f'no frame {frame} for me')\nstop = wb.on_frame(broken)")
    press(page, "ArrowRight")
    expect(page.locator(".dkd-error")).to_contain_text("no frame 21 for me")
    python(page, "stop()\nwb._error = ''")
    expect(page.locator(".dkd-error")).to_be_hidden()


def test_an_error_of_the_feed_is_shown_and_the_view_lives_on(page: Page) -> None:
    python(page, "from unittest import mock")
    python(page, "patch = mock.patch.object(trace, 'projected', side_effect=OSError('disk gone'))")
    python(page, "failing = patch.start()")
    press(page, "ArrowRight")
    expect(page.locator(".dkd-status")).to_contain_text("OSError: disk gone")
    at_rest(page)
    assert python(page, "failing.call_count") == 1  # an error does not repeat itself
    python(page, "patch.stop()")
    press(page, "ArrowRight")
    wait_for_frame(page, 22)
    expect(page.locator(".dkd-status")).to_be_hidden()


def test_copy_as_python(page: Page) -> None:
    press(page, "ArrowRight", "c")
    expect(page.locator(".dkd-copy input")).to_have_value('Workbench(trace, frame=21, joint="left_wrist")')


def test_the_latency_readout_can_be_switched_on(page: Page) -> None:
    press(page, "l", "ArrowRight")
    expect(page.locator(".dkd-latency")).to_contain_text(re.compile(r"^\d+ ms, slowest \d+ ms$"))
    press(page, "l")
    expect(page.locator(".dkd-latency")).to_be_hidden()


def test_a_range_is_selected_by_shift_drag(page: Page) -> None:
    lanes = place(page.locator(".dkd-lanes"))
    x = [lanes["x"] + 7 + (lanes["width"] - 14) * t / 59 for t in (15, 25)]
    page.keyboard.down("Shift")
    page.mouse.move(x[0], lanes["y"] + 40)
    page.mouse.down()
    page.mouse.move(x[1], lanes["y"] + 40, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    page.wait_for_function(f"() => {BENCH}.cursor.unsaved.size === 0")
    assert state(page, "range") == [15, 25] and state(page, "frame") == 20
    press(page, "Escape")
    assert state(page, "range") is None


def test_help_lists_the_keys(page: Page) -> None:
    page.get_by_role("button", name="? keys").click()
    expect(page.locator(".dkd-help")).to_contain_text("next worst moment")
    screenshot(page, "workbench_help")
    press(page, "?")
    expect(page.locator(".dkd-help")).to_be_hidden()


def test_every_control_has_a_name_and_a_tooltip(page: Page) -> None:
    bare = page.evaluate(
        """() => [...document.querySelectorAll('.dkd-workbench :is(button, input, select)')]
            .filter((e) => !(e.getAttribute('aria-label') || e.closest('label')?.textContent.trim()
                || (e.matches('button') && e.textContent.trim())) || !(e.title || e.closest('label')?.title))
            .map((e) => e.outerHTML)"""
    )
    assert bare == []


def test_the_browser_holds_no_more_than_its_budget(page: Page) -> None:
    """With room for 20 records, the browser keeps those near the cursor, and does not fetch in circles."""
    page.wait_for_function(f"() => {BENCH}.store.records.size === 60")
    python(page, "wb.frame = 30")
    wait_for_frame(page, 30)
    budget = page.evaluate(f"() => {BENCH}.store.records.budget")
    page.evaluate(
        f"() => {{ const {{ store }} = {BENCH}, {{ records }} = store;"
        " records.budget = records.bytes / 3; records.forget(store.place()); }"
    )
    for key in ("ArrowRight", "ArrowLeft", "ArrowLeft"):
        press(page, key)
    wait_for_frame(page, 29)
    page.wait_for_function(f"() => !{BENCH}.store.asked")
    python(page, "before = trace.clip.frames_read")
    at_rest(page)  # a circle would be closed by now: each answer asks for what is missing at once
    assert python(page, "trace.clip.frames_read - before") == 0
    held, size, limit = page.evaluate(
        f"() => {{ const {{ records }} = {BENCH}.store; return [[...records.keys()], records.bytes, records.budget]; }}"
    )
    assert size <= limit and len(held) > 15
    assert set(range(18, 32)) <= set(held)  # mostly in the direction of travel, which is back
    press(page, "End")
    wait_for_frame(page, 59)  # what was forgotten comes again
    page.evaluate(f"() => {{ {BENCH}.store.records.budget = {budget}; {BENCH}.store.fetch(); }}")
    page.wait_for_function(f"() => {BENCH}.store.records.size === 60")


def test_the_filmstrip_hides_while_the_widget_lives(page: Page) -> None:
    expect(page.locator("[data-dkd-filmstrip]")).to_have_count(1)
    expect(page.locator("[data-dkd-filmstrip]")).to_be_hidden()


@pytest.mark.parametrize("width", [1600, 1000, 700])
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_it_fits_the_page(page: Page, width: int, theme: str) -> None:
    """Nothing is cut or overlaps, at any width, in either theme; pictures are saved for inspection."""
    show_in(page, theme, width, 1000)
    page.locator(".dkd-title").scroll_into_view_if_needed()
    screenshot(page, f"workbench_{theme.lower()}_{width}")
    problems = page.evaluate(PROBLEMS)
    look = page.evaluate(f"() => ({LOOK})()")
    show_in(page, "Light", 1600, 1000)
    assert problems == []
    assert look["number"] == 20 and look["said"] == [20] * 4


def test_a_model_without_kernels_is_shown_without_arithmetic(page: Page) -> None:
    """Its maps are shown, a sentence replaces kernels and sums, and no error is reported."""
    python(page, "wb.trace = FakeTrace(channels=0, name='per frame')")
    page.wait_for_function(f"() => {BENCH}.store.header?.clip === 'per frame'")
    for frame in (20, 0, 21):
        python(page, f"wb.frame = {frame}")
        page.wait_for_function(f"() => {BENCH}.store.shown?.frame === {frame}")
        expect(page.locator(".dkd-kernels")).to_contain_text("This model has no kernels")
        expect(page.locator(".dkd-kernels .dkd-channels")).to_be_hidden()
        expect(page.locator(".dkd-kernels .dkd-smalls")).to_be_hidden()
        expect(page.locator(".dkd-sum")).to_contain_text("This model matches nothing")
    expect(page.locator(".dkd-timeline")).to_contain_text("no kernels")
    at_rest(page)
    assert page.locator(".dkd-note:visible").count() == 0
    assert page.evaluate(PROBLEMS) == []
    screenshot(page, "workbench_no_kernels")
    python(page, "wb.trace = trace")
    page.wait_for_function(f"() => {BENCH}.store.header?.clip === 'numbered'")


@pytest.mark.parametrize(("side", "cells"), [(3, 16), (5, 24)])
def test_other_sizes_of_kernels_and_maps(page: Page, side: int, cells: int) -> None:
    """Another model on the same clip: the cursor stays, and the arithmetic is that of its kernels."""
    python(page, f"wb.trace = other = FakeTrace(side={side}, cells={cells}, name='other')")
    page.wait_for_function(f"() => {BENCH}.store.header?.clip === 'other'")
    wait_for_frame(page, 20)
    sizes = "(selector) => [...document.querySelectorAll(selector)].map((c) => c.width)"
    assert set(page.evaluate(sizes, ".dkd-kernels .dkd-channel:not(.dkd-heads) .dkd-cells")) == {side}
    assert set(page.evaluate(sizes, ".dkd-kernels .dkd-smalls .dkd-cells")) == {side}
    assert set(page.evaluate(sizes, ".dkd-matching .dkd-smalls .dkd-cells")) == {cells}
    value = float(page.locator(".dkd-sum").get_attribute("data-value") or "nan")
    peak = python(page, "float(other.heatmaps[20, other.skeleton.index(wb.joint)].max())")
    assert value == pytest.approx(peak, abs=1e-5)
    assert page.evaluate(PROBLEMS) == []
    screenshot(page, f"workbench_kernels_{side}")
    python(page, "wb.trace = trace")
    page.wait_for_function(f"() => {BENCH}.store.header?.clip === 'numbered'")


def test_another_trace_in_the_same_place(page: Page) -> None:
    python(page, "wb.trace = FakeTrace(10, seed=4, name='another')")
    page.wait_for_function(f"() => {BENCH}.store.header?.clip === 'another'")
    wait_for_frame(page, 9)
    expect(page.locator(".dkd-title strong")).to_have_text("another")
    assert page.evaluate(f"() => ({LOOK})()")["number"] == 9
    python(page, "wb.trace = trace")
    page.wait_for_function(f"() => {BENCH}.store.header?.clip === 'numbered'")
    wait_for_frame(page, 9)


def test_a_lost_track_is_marked_and_the_toggle_takes_the_mark_away(page: Page) -> None:
    """A flag in the timeline, a reason at the pointer, M to get there; no kernels where nothing was matched."""
    event = f"() => {BENCH}.store.header?.clip === 'lost' && {BENCH}.store.header.starts"
    toggle = page.get_by_label("Re-initialise when lost")
    expect(toggle).to_be_checked()
    python(page, "wb.trace = FakeTrace(lost=(24, 52), name='lost', calibrated=True)")
    page.wait_for_function(f"{event}.length === 2")
    expect(page.locator(".dkd-policy")).to_contain_text("in frames 24, 52")
    expect(page.locator(".dkd-lane-labels")).to_contain_text("confidence")
    press(page, "m")
    page.wait_for_function(f"() => {BENCH}.store.shown?.frame === 24")
    expect(page.locator(".dkd-kernels")).to_contain_text("the model was re-initialised")
    expect(page.locator(".dkd-kernels .dkd-channels")).to_be_hidden()
    expect(page.locator(".dkd-sum")).to_contain_text("the model was re-initialised")
    expect(page.locator(".dkd-sum")).not_to_have_class(re.compile("dkd-stale"))
    expect(page.locator(".dkd-lanes")).to_have_attribute(
        "aria-label", re.compile("re-initialised here: mean score below 0.2")
    )
    lanes = place(page.locator(".dkd-lanes"))
    x = 7 + (lanes["width"] - 14) * 24 / 59
    page.mouse.move(lanes["x"] + x, lanes["y"] + 90)
    tooltip = page.locator(".dkd-timeline .dkd-tooltip")
    expect(tooltip).to_contain_text("R · re-initialised")
    expect(tooltip).to_contain_text("mean score below 0.2 until 23")
    expect(tooltip).to_contain_text("score here 0.70; 0.10 without")
    flag = f"""() => {{
        const canvas = document.querySelector('.dkd-lanes');
        const ratio = canvas.width / canvas.clientWidth;
        return [...canvas.getContext('2d').getImageData(({x} + 4) * ratio, 12 * ratio, 1, 1).data];
    }}"""
    assert page.evaluate(flag)[3] == 255  # the flag's corner; else the lane is clear there
    screenshot(page, "workbench_lost")
    press(page, "m", "Shift+M", "m")
    page.wait_for_function(f"() => {BENCH}.store.shown?.frame === 52")
    press(page, "ArrowRight")
    wait_for_frame(page, 53)  # with the arithmetic of the kernels that the new start left
    expect(page.locator(".dkd-kernels")).to_contain_text("distilled from frame 52, matched in frame 53")
    for width in (1600, 700):
        show_in(page, "Light", width, 1000)
        assert page.evaluate(PROBLEMS) == []
    show_in(page, "Dark", 700, 1000)
    page.locator(".dkd-timeline").scroll_into_view_if_needed()
    screenshot(page, "workbench_lost_dark_700")
    show_in(page, "Light", 1600, 1000)
    toggle.focus()
    page.keyboard.press("Space")
    page.wait_for_function(f"{event}.length === 0")
    expect(toggle).not_to_be_checked()
    assert python(page, "[wb.reinitialise, len(wb.trace.reinitialised)]") == [False, 0]
    expect(page.locator(".dkd-starts")).to_be_hidden()
    page.wait_for_function(SETTLED)
    assert page.evaluate(flag)[3] == 0
    press(page, "c")
    expect(page.locator(".dkd-copy input")).to_have_value(re.compile(r"reinitialise=False\)$"))
    press(page, "r")
    page.wait_for_function(f"{event}.length === 2")
    expect(toggle).to_be_checked()
    python(page, "wb.trace = trace")
    page.wait_for_function(f"() => {BENCH}.store.header?.clip === 'numbered'")


def test_frames_of_somebody_else_have_a_bar(page: Page) -> None:
    """A thin bar below the confidence over exactly these frames, a key in the foot, and words at the pointer."""
    python(page, "wb.trace = FakeTrace(strange=(*range(20, 31), 45), name='crossed', calibrated=True)")
    page.wait_for_function(f"() => {BENCH}.store.header?.clip === 'crossed'")
    python(page, "wb.frame = 25")
    wait_for_frame(page, 25)
    expect(page.locator(".dkd-strange")).to_have_text(re.compile(r"somebody else\? *in 12 frames"))
    expect(page.locator(".dkd-strange")).to_be_visible()
    page.wait_for_function(SETTLED)
    opaque = """([share]) => {
        const canvas = document.querySelector('.dkd-lanes');
        const ratio = canvas.width / canvas.clientWidth;
        const x = 7 + (canvas.clientWidth - 14) * share;
        const y = 10 + (canvas.clientHeight - 20) / 3 - 10 + 4 + 1.5;
        return canvas.getContext('2d').getImageData(Math.round(x * ratio), Math.floor(y * ratio), 1, 1).data[3] > 200;
    }"""
    marked = [t for t in range(60) if page.evaluate(opaque, [t / 59])]
    assert marked == [*range(20, 31), 45]  # the cursor's line, which is there too, is in one of these frames
    lanes = place(page.locator(".dkd-lanes"))
    page.mouse.move(lanes["x"] + 7 + (lanes["width"] - 14) * 25 / 59, lanes["y"] + 90)
    expect(page.locator(".dkd-timeline .dkd-tooltip")).to_contain_text(
        "looks like somebody else, or most joints jumped"
    )
    screenshot(page, "workbench_somebody_else")
    python(page, "wb.trace = trace")
    page.wait_for_function(f"() => {BENCH}.store.header?.clip === 'numbered'")
    expect(page.locator(".dkd-strange")).to_be_hidden()


def test_a_reader_without_a_kernel_sees_the_filmstrip(lab_page: Page, jupyter_lab: Lab) -> None:
    """Without a kernel a message is shown and loaded frames still work; after a reload the strip remains.

    The last test on the file's page, whose notebook it closes.
    """
    cells = ("wb = Workbench(trace)\nwb", "cursor = Cursor.for_trace(trace)\nPlayer(trace, cursor=cursor)")
    with opened(lab_page, jupyter_lab, "reload.ipynb", SETUP, *cells) as page:
        page.wait_for_function(SETTLED)
        page.wait_for_function(f"() => {BENCH}.store.records.size === 60")
        # A view alone works alone: it has its own state and its own keys.
        single = page.locator(".jp-OutputArea-output > .dkd-player, .jp-OutputArea-output .dkd-player").last
        expect(single).to_have_attribute("data-frame", "0")
        single.focus()
        page.keyboard.press("ArrowRight")
        expect(single).to_have_attribute("data-frame", "1")
        until(lambda: python(page, "[wb.frame, cursor.frame]") == [0, 1])  # the kernel hears of it later
        page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
        jupyter_lab.stop_kernels()
        expect(page.locator(".dkd-workbench > .dkd-gone")).to_be_visible()
        page.locator(".dkd-workbench").focus()
        page.keyboard.press("End")
        expect(page.locator(".dkd-workbench .dkd-player")).to_have_attribute("data-frame", "59")
        open_notebook(page, jupyter_lab, "reload.ipynb")
        strips = page.locator("[data-dkd-filmstrip]")
        expect(strips).to_have_count(2)  # each view leaves one
        strip = strips.first
        expect(strip).to_be_visible()
        expect(strip).to_contain_text("numbered · numpy-double · frames 0, 15, 30, 44, 59 of 60")
        strip.scroll_into_view_if_needed()
        screenshot(page, "workbench_reloaded")
