"""The anatomy view in a real browser with the shipped model: displayed numbers agree with the trace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from dkd import Clip, Trace, load_model
from dkd.analysis.anatomy import Anatomy, anatomy
from tests.support.browser import (
    Lab,
    at_rest,
    expect_python,
    opened,
    place,
    press_at_once,
    python,
    screenshot,
    settle,
    show_in,
)
from tests.support.fake_trace import correlate
from tests.support.server import until

ROOT = Path(__file__).resolve().parents[2]
SETUP = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from dkd import Clip, Trace, load_model
from tests.support.fake_trace import FakeTrace
from widgets import Anatomy
trace = Trace(load_model("dkd-mobilenetv2"), Clip({str(ROOT / "data" / "samples" / "rendered_walk.mp4")!r}), stop=6,
    progress=False)
view = Anatomy(trace)
view.frame, view.joint = 3, "left_wrist"
view"""
VIEW = "document.querySelector('.dkd-anatomy').dkd"
SETTLED = """() => {
    const root = document.querySelector('.dkd-anatomy');
    const { store, cursor } = root?.dkd ?? {};
    return store?.shown && store.shown.frame === cursor.get('frame') && !store.raf && !cursor.unsaved.size
        && root.dataset.frame === String(store.shown.frame) && !root.querySelector('.dkd-stale')
        && (store.header.initial.has(store.shown.frame) || root.dataset.cell);
}"""
PIXELS = "(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"

# What sticks out of the view, or is cut.
PROBLEMS = """() => {
    const root = document.querySelector('.dkd-anatomy');
    const edge = root.getBoundingClientRect().right + 1;
    const seen = [...root.querySelectorAll('*')].filter((e) => e.checkVisibility() && !e.closest('option, figure'));
    const wide = seen.filter((e) => e.getBoundingClientRect().right > edge);
    const cut = seen.filter((e) => e.matches('button, h3, h4, .dkd-box strong, .dkd-weight span') && e.clientWidth
        && e.scrollWidth > e.clientWidth + 1);
    return [...wide.map((e) => 'sticks out: ' + e.outerHTML.slice(0, 160)),
        ...cut.map((e) => 'cut: ' + e.outerHTML.slice(0, 160))];
}"""


@pytest.fixture(scope="module")
def trace() -> Trace:
    """Make the trace of the notebook again, as the oracle."""
    clip = Clip(ROOT / "data" / "samples" / "rendered_walk.mp4")
    return Trace(load_model("dkd-mobilenetv2"), clip, stop=6, progress=False)


@pytest.fixture(scope="module")
def lab_page(lab_window: Page, jupyter_lab: Lab) -> Iterator[Page]:
    with opened(lab_window, jupyter_lab, "anatomy.ipynb", SETUP, width=1400) as page:
        page.wait_for_function(SETTLED)
        yield page


@pytest.fixture
def page(lab_page: Page) -> Page:
    """The page with the view in its initial state: frame 3, left wrist, at the peak, the strongest channel."""
    lab_page.wait_for_function(SETTLED)
    settle(lab_page, f"{VIEW}.cursor", "view.cursor")
    python(lab_page, "view.frame, view.joint, view.cursor.cell = 3, 'left_wrist', None")
    lab_page.wait_for_function(f"() => {VIEW}.cursor.get('frame') === 3 && {VIEW}.cursor.get('cell') === null")
    lab_page.get_by_role("button", name="strongest").click()
    lab_page.mouse.move(2, 2)
    lab_page.wait_for_function(SETTLED)
    return lab_page


def numbers(page: Page, selector: str) -> dict[str, float]:
    """The numbers in an element's data attributes."""
    until(lambda: bool(page.evaluate(SETTLED)))  # a page from a file forbids what wait_for_function does
    data = page.locator(selector).evaluate("(e) => ({...e.dataset})")
    return {name: float(value) for name, value in data.items()}


def check_arithmetic(page: Page, found: Anatomy) -> dict[str, float]:
    """Level 3 against Python, number by number."""
    shown = numbers(page, ".dkd-level-3")
    c, x, y = (int(shown[name]) for name in ("channel", "x", "y"))
    patch, kernel, products = (
        np.array(page.locator(f".dkd-number-tables figure:nth-of-type({i}) td").evaluate_all(
            "(cells) => cells.map((cell) => Number(cell.dataset.value))"
        ))
        for i in (1, 2, 3)
    )  # fmt: skip
    side = found.kernels.shape[-1]
    pad = side // 2
    around = np.pad(found.projected[c], pad)[y : y + side, x : x + side]
    np.testing.assert_allclose(patch, around.ravel(), atol=1e-5)
    np.testing.assert_allclose(kernel, found.kernels[c].ravel(), atol=1e-6)
    np.testing.assert_allclose(products, patch * kernel, atol=1e-9)
    assert shown["matched"] == pytest.approx(products.sum(), abs=1e-9)
    assert shown["matched"] == pytest.approx(found.matched[c, y, x], abs=1e-5)
    assert shown["contribution"] == pytest.approx(shown["matched"] * found.readout[c], abs=1e-6)
    assert shown["map"] == pytest.approx(found.heatmap[y, x], abs=1e-9)  # the very float32
    assert shown["value"] == pytest.approx(shown["map"], abs=1e-5)
    terms = page.locator(".dkd-all-channels [data-contribution]").evaluate_all(
        "(rows) => rows.map((row) => Number(row.dataset.contribution))"
    )
    assert len(terms) == 8 + 2 and terms[-1] == pytest.approx(found.bias, abs=1e-7)
    assert sum(terms) == pytest.approx(shown["map"], abs=1e-5)
    expected = sorted(np.abs(found.contributions[:, y, x]), reverse=True)[:8]
    np.testing.assert_allclose(np.abs(terms[:8]), expected, atol=1e-5)
    return shown


def pressed(page: Page) -> set[tuple[str, str]]:
    """Read the selected channel of each box of the chain from the page."""
    return {
        tuple(pair)
        for pair in page.locator(".dkd-flow [aria-pressed='true']").evaluate_all(
            "(e) => e.map((b) => [b.closest('.dkd-box').className.split('dkd-box-')[1], b.dataset.channel])"
        )
    }


def test_the_arithmetic_of_the_peak_is_the_traces(page: Page, trace: Trace) -> None:
    found = anatomy(trace, 3, "left_wrist")
    shown = check_arithmetic(page, found)
    peak = np.unravel_index(found.heatmap.argmax(), found.heatmap.shape)
    assert (shown["y"], shown["x"]) == peak
    assert shown["channel"] == np.abs(found.contributions[:, peak[0], peak[1]]).argmax()
    page.locator(".dkd-anatomy").scroll_into_view_if_needed()
    screenshot(page, "anatomy_1400")


def test_boxes_show_the_real_tensors(page: Page, trace: Trace) -> None:
    """Shapes and ranges are the tensors'; a painted channel's darkest cell is its largest value's."""
    found = anatomy(trace, 3, "left_wrist")
    made = found.distillation
    assert made is not None
    for name, values in {
        "features": found.features, "projected": found.projected, "matched": found.matched,
        "contributions": found.contributions, "kernels": found.kernels,
        "conv1": made.layers[0].activations, "conv2": made.layers[1].activations,
    }.items():  # fmt: skip
        said = page.locator(f".dkd-box-{name} > small").first.inner_text()
        assert said.startswith("×".join(map(str, values.shape)) + " · "), said
        ends = [float(v.replace("−", "-")) for v in said.split(" · ")[1].split(" to ")]
        np.testing.assert_allclose(ends, [values.min(), values.max()], atol=0.012)
        tile = page.locator(f".dkd-box-{name} .dkd-tile").first
        channel = int(tile.get_attribute("data-channel") or -1)
        rgba = np.array(tile.locator("canvas").evaluate(PIXELS)).reshape(*values.shape[1:], 4)
        dark = rgba[..., :3].sum(-1)
        loud = np.abs(values[channel])
        assert loud[np.unravel_index(dark.argmin(), dark.shape)] >= 0.9 * loud.max(), name
    expect(page.locator(".dkd-box-kernels .dkd-equation")).to_be_visible(visible=made.bias is not None)


def test_a_click_selects_a_channel_everywhere(page: Page, trace: Trace) -> None:
    chain = {"projected", "matched", "contributions", "kernels", "readout"}
    for box, tile in (("matched", 2), ("kernels", 4), ("readout", 1)):
        button = page.locator(f".dkd-box-{box} button").nth(tile)
        channel = button.get_attribute("data-channel")
        button.click()
        page.wait_for_function(f"() => document.querySelector('.dkd-anatomy').dataset.channel === '{channel}'")
        assert pressed(page) == {(name, channel) for name in chain}
        assert numbers(page, ".dkd-slide")["channel"] == float(channel or "nan")
        assert check_arithmetic(page, anatomy(trace, 3, "left_wrist"))["channel"] == float(channel or "nan")
    field = page.get_by_role("spinbutton", name="Channel")
    field.fill("77")  # any channel at all
    field.press("Enter")
    page.wait_for_function("() => document.querySelector('.dkd-anatomy').dataset.channel === '77'")
    assert pressed(page) == {(name, "77") for name in chain}


def test_the_window_steps_over_the_map(page: Page, trace: Trace) -> None:
    """Buttons and keys move it; each step's sum is the matched channel's value there, and fills the output map."""
    found = anatomy(trace, 3, "left_wrist")
    stage = page.locator(".dkd-slide")
    height, width = found.heatmap.shape
    start = numbers(page, ".dkd-slide")
    assert start["step"] == start["y"] * width + start["x"]
    answer = correlate(found.projected, found.kernels)[int(start["channel"])]
    step = int(start["step"])
    box = page.locator(".dkd-window")
    before = place(box)
    stage.focus()
    for key, by in (("ArrowRight", 1), ("ArrowDown", width), ("ArrowLeft", -1), ("ArrowUp", -width), ("ArrowRight", 1)):
        page.keyboard.press(key)
        step += by
        shown = numbers(page, ".dkd-slide")
        assert shown["step"] == step
        assert shown["sum"] == pytest.approx(answer[step // width, step % width], abs=1e-5)
    after = place(box)
    assert after["x"] > before["x"] + 3  # the picture shows it, too
    page.keyboard.press("Home")
    assert numbers(page, ".dkd-slide")["step"] == 0
    grey = page.locator(".dkd-slide-output canvas").evaluate(PIXELS)
    cells = np.array(grey).reshape(height, width, 4)
    assert (cells.reshape(-1, 4)[1:, :3] == 222).all() and not (cells[0, 0, :3] == 222).all()
    page.get_by_role("button", name="One cell on").click()
    assert numbers(page, ".dkd-slide")["step"] == 1
    page.get_by_role("button", name="Last cell").click()
    assert numbers(page, ".dkd-slide")["step"] == height * width - 1
    assert page.evaluate(f"() => {VIEW}.cursor.get('frame')") == 3  # the arrows were the window's


def test_it_plays_when_asked_and_not_where_motion_is_reduced(page: Page) -> None:
    stage = page.locator(".dkd-slide")
    stage.focus()
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    page.wait_for_function("() => Number(document.querySelector('.dkd-slide').dataset.step) > 3")
    page.emulate_media(reduced_motion="reduce")
    expect(page.get_by_role("button", name="slide the kernel")).to_be_hidden()
    rested = numbers(page, ".dkd-slide")["step"]
    stage.focus()
    page.keyboard.press(" ")
    at_rest(page)  # it would have begun in the next animation frame
    assert numbers(page, ".dkd-slide")["step"] == rested
    expect(page.locator(".dkd-slide [aria-label='Pause']")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    assert numbers(page, ".dkd-slide")["step"] == rested + 1
    page.emulate_media(reduced_motion="no-preference")
    expect(page.get_by_role("button", name="slide the kernel")).to_be_visible()


def test_cell_joint_and_frame_follow_the_cursor(page: Page, trace: Trace) -> None:
    """A cell can be selected by a click or by keys, also in the corner; other joints and frames show their numbers."""
    canvas = page.locator(".dkd-anatomy-map")
    area = place(canvas)
    height, width = trace.heatmaps.shape[2:]
    canvas.click(position={"x": area["width"] * 5.5 / width, "y": area["height"] * 9.5 / height})
    page.wait_for_function("() => document.querySelector('.dkd-anatomy').dataset.cell === '5,9'")
    check_arithmetic(page, anatomy(trace, 3, "left_wrist"))
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    page.wait_for_function("() => document.querySelector('.dkd-anatomy').dataset.cell === '6,10'")
    expect_python(page, "view.cursor.cell", [6, 10])
    for keys, cell in ((["ArrowLeft", "ArrowUp"], "5,9"), (["ArrowRight", "ArrowDown"], "6,10")):
        press_at_once(canvas, *keys)
        page.wait_for_function(f"() => document.querySelector('.dkd-anatomy').dataset.cell === '{cell}'")
    assert numbers(page, ".dkd-slide")["step"] == 10 * width + 6
    python(page, "view.cursor.cell = (0, 23)\nview.joint = 'right_ankle'\nview.frame = 5")
    page.wait_for_function("() => document.querySelector('.dkd-anatomy').dataset.frame === '5'")
    page.wait_for_function("() => document.querySelector('.dkd-anatomy').dataset.cell === '0,23'")
    check_arithmetic(page, anatomy(trace, 5, "right_ankle"))
    expect(page.locator(".dkd-anatomy h3")).to_have_text("Anatomy · right ankle")
    page.locator(".dkd-anatomy").focus()
    page.keyboard.press("ArrowLeft")  # outside the map and the window the arrows are the frame's
    page.wait_for_function("() => document.querySelector('.dkd-anatomy').dataset.frame === '4'")
    page.keyboard.press("Escape")
    check_arithmetic(page, anatomy(trace, 4, "right_ankle"))


def test_frames_and_models_without_matching_are_errors(page: Page) -> None:
    python(page, "view.frame = 0")
    expect(page.locator(".dkd-anatomy .dkd-panel > p")).to_contain_text("come from the pose initializer")
    expect(page.locator(".dkd-anatomy .dkd-body")).to_be_hidden()
    python(page, "view._feed.set_trace(FakeTrace(6, channels=0, name='per frame'), 0)")
    expect(page.locator(".dkd-anatomy .dkd-panel > p")).to_contain_text("This model has no kernels")
    assert page.locator(".dkd-note:visible").count() == 0
    python(page, "view._feed.set_trace(trace, 3)")


@pytest.mark.parametrize(("theme", "width"), [("Light", 1400), ("Dark", 1400), ("Light", 600)])
def test_it_fits_the_page(page: Page, theme: str, width: int) -> None:
    show_in(page, theme, width, 1500 if width > 1000 else 3400)
    page.wait_for_function(SETTLED)
    page.locator(".dkd-anatomy .dkd-panel").scroll_into_view_if_needed()
    screenshot(page, f"anatomy_{theme.lower()}_{width}")
    problems = page.evaluate(PROBLEMS)
    show_in(page, "Light", 1400, 1000)
    assert problems == []


def test_every_control_has_a_name_and_a_tooltip(page: Page) -> None:
    bare: Any = page.evaluate(
        """() => [...document.querySelectorAll('.dkd-anatomy :is(button, input, select)')]
            .filter((e) => e.checkVisibility() && (!(e.getAttribute('aria-label') || e.textContent.trim()) || !e.title))
            .map((e) => e.outerHTML.slice(0, 200))"""
    )
    assert bare == []
