"""The laboratory in a real browser: each intervention with its controls, against the method called directly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from dkd import Trace
from dkd.analysis.comparison import divergence
from dkd.models.dkd import match
from dkd.tracking.interventions import edit
from tests.support.browser import Lab, opened, place, python, screenshot, settle, show_in
from tests.support.small_laboratory import other_trace, same, small_trace
from tests.widgets.test_lineage_browser import PIXELS, viridis
from widgets.core.wire import MAP_RANGE, quantize_maps

ROOT = Path(__file__).resolve().parents[2]
JOINT, FRAME = "left_wrist", 6
SETUP = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.support.small_laboratory import other_trace, small_trace
from widgets import Laboratory
trace = small_trace()
other = other_trace(trace.model)"""
LAB = "document.querySelector('.dkd-laboratory')"
WHAT_IF = ".dkd-lab-what-if .dkd-cells"
# Both runs show the cursor's frame, and its exact numbers have arrived.
SETTLED = f"""() => {{
    const {{ store, other, cursor }} = {LAB}?.dkd ?? {{}};
    const frame = cursor?.get('frame');
    return other?.shown && store.shown && other.shown.frame === frame && store.shown.frame === frame
        && !store.raf && !other.raf && cursor.unsaved.size === 0
        && (other.header.initial.has(frame) || other.detail?.frame === frame);
}}"""
# Chip, what is filled in by label, and the call that it is.
FORMS: list[tuple[str, dict[str, Any], str]] = [
    ("freeze in all frames", {"of frame": 3}, "freeze_kernel(3)"),
    ("freeze from here on", {"of frame": 6, "from frame": 2}, "freeze_kernel(6, range(2, 12))"),
    ("swap two frames’", {"of frame": 2, "and frame": 5}, "swap_kernels(2, 5)"),
    ("average", {"of frames": 1, "to": 4, "from frame": 5, "frames": 2}, "average_kernel(range(1, 5), range(5, 7))"),
    (
        "take from another run",
        {"instead of frame": 4, "its frame": 1, "frames": 2},
        "put_kernel(range(4, 6), other, 1)",
    ),
    ("swap read-outs", {"of": "left_wrist", "and": "head"}, "swap_readouts('left_wrist', 'head')"),
    ("blur", {"from frame": 2, "frames": 6}, "blur(range(2, 8), sigma=0.015625)"),
    ("noise", {"from frame": 4, "frames": 4, "σ": 80}, "add_noise(range(4, 8), sigma=80, seed=0)"),
    ("darkness", {"frames": "", "left": 0.1}, "darken(range(6, 12), gain=0.1)"),
    ("dropped frames", {}, "drop_frames(6)"),
    ("repeated frame", {"from frame": 3, "frames": 4}, "repeat_frame(range(3, 7))"),
    ("shifted box", {}, "shift_box(6, dx=0.2, dy=0, scale=1)"),
    ("erase", {"in frame": 5, "joint": ""}, "change_state(5, 'erase')"),
    ("swap sides", {"in frame": 5, "joint": JOINT}, f"change_state(5, 'swap_sides', joint='{JOINT}')"),
    ("shift", {"in frame": 4, "joint": "", "frames": 2}, "change_state(range(4, 6), 'shift', dx=3)"),
    ("re-initialise here", {}, "restart(6)"),
]
# What sticks out of the view or is cut, and what has no name.
PROBLEMS = f"""() => {{
    const root = {LAB};
    const outer = root.getBoundingClientRect();
    const all = [...root.querySelectorAll('*')].filter((e) => e.checkVisibility() && !e.closest('option, .dkd-unseen'));
    const wide = all.filter((e) => e.getBoundingClientRect().right > outer.right + 1);
    const cut = all.filter((e) => e.matches('button, h3, h4, label, figcaption'))
        .filter((e) => e.clientWidth && e.scrollWidth > e.clientWidth + 1);
    const nameless = all.filter((e) => e.matches('button, input, select, canvas:not([aria-hidden])'))
        .filter((e) => !e.ariaLabel && !e.textContent && !e.closest('label')?.textContent);
    return [...wide, ...cut, ...nameless].map((e) => e.outerHTML.slice(0, 200));
}}"""


@pytest.fixture(scope="module")
def trace() -> Trace:
    return small_trace()


@pytest.fixture(scope="module")
def other(trace: Trace) -> Trace:
    return other_trace(trace.model)


@pytest.fixture(scope="module")
def lab_page(lab_window: Page, jupyter_lab: Lab) -> Iterator[Page]:
    """A laboratory in a notebook."""
    cell = "lab = Laboratory(trace, others={'other': other})\nlab"
    with opened(lab_window, jupyter_lab, "laboratory.ipynb", SETUP, cell, width=1400, height=1100) as page:
        page.wait_for_function(SETTLED)
        page.locator(".dkd-laboratory").scroll_into_view_if_needed()
        yield page


@pytest.fixture
def page(lab_page: Page) -> Page:
    """The page of :func:`lab_page` without interventions, at frame 6."""
    settle(lab_page, f"{LAB}.dkd.cursor", "lab.cursor")
    python(lab_page, f"lab.clear()\nlab.frame, lab.joint = {FRAME}, {JOINT!r}")
    done(lab_page, 0)
    return lab_page


def done(page: Page, calls: int) -> None:
    """Wait until this many calls and their results are shown."""
    page.wait_for_function(f"() => {LAB}.dataset.calls === '{calls}'")
    assert python(page, "lab.wait(60)")
    n, generation = python(page, "[len(lab.what_if), lab._other_feed._generation]")
    header = f"{LAB}.dkd.other.header"
    page.wait_for_function(f"() => {header}.n_frames === {n} && {header}.generation === {generation}")
    page.wait_for_function(SETTLED)


def pixels(page: Page, selector: str) -> np.ndarray:
    height, width, flat = page.locator(selector).evaluate(PIXELS)
    return np.array(flat, int).reshape(height, width, 3)


def on_the_wire(values: np.ndarray) -> np.ndarray:
    low, high = MAP_RANGE
    return low + (high - low) * quantize_maps(values).astype(np.float64) / 255


def assert_colours(found: np.ndarray, expected: np.ndarray, within: int = 8) -> None:
    assert found.shape == expected.shape and np.abs(found - expected).max() <= within


def difference(trace: Trace, changed: Trace, t: int, joint: int) -> np.ndarray:
    """Compute the second run's map minus the first's at the same place, cell by cell; NaN outside the first."""
    first, second = (on_the_wire(one.heatmaps[t, joint]) for one in (trace, changed))
    size = len(first)
    out = np.full((size, size), np.nan)
    for y in range(size):
        for x in range(size):
            u, v = trace.crops[t].to_grid(changed.crops[t].to_frame(np.array([x, y]), size), size)
            if not (-0.5 <= u <= size - 0.5 and -0.5 <= v <= size - 0.5):
                continue
            u, v = np.clip([u, v], 0, size - 1)
            i, k = min(int(u), size - 2), min(int(v), size - 2)
            rows = [(1 - (u - i)) * first[k + d, i] + (u - i) * first[k + d, i + 1] for d in (0, 1)]
            out[y, x] = second[y, x] - ((1 - (v - k)) * rows[0] + (v - k) * rows[1])
    return out


def diverging(values: np.ndarray) -> np.ndarray:
    """Map values −1..1 to RGB of the light theme; grey without a value."""
    negative, zero, positive = np.array([[118, 42, 131], [247, 247, 247], [27, 120, 55]], float)
    share = np.clip(np.abs(values), 0, 1)[..., None]
    colours = zero + (np.where(values[..., None] < 0, negative, positive) - zero) * share
    return np.where(np.isnan(values)[..., None], 136, colours)


def assert_shown(page: Page, trace: Trace, expected: Trace) -> None:
    """Maps, difference, track and numbers of the shown frame are those of two traces."""
    joint = trace.skeleton.index(JOINT)
    for name, run in (("original", trace), ("what-if", expected)):
        shares = on_the_wire(run.heatmaps[FRAME, joint])
        assert_colours(pixels(page, f".dkd-lab-{name} .dkd-cells"), viridis(shares))
    apart = difference(trace, expected, FRAME, joint)
    limit = float(page.locator(".dkd-lab-difference .dkd-cells").get_attribute("data-limit") or 0)
    assert np.nanmax(np.abs(apart)) <= limit + 1e-6
    assert_colours(pixels(page, ".dkd-lab-difference .dkd-cells"), diverging(apart / limit), within=3)
    track = page.evaluate(f"() => [...{LAB}.dkd.other.header.tracks]")
    np.testing.assert_array_equal(np.array(track, np.float32), expected.joints.ravel())
    distances = divergence(trace, expected)[FRAME]
    expect(page.locator(".dkd-lab-lane-place")).to_contain_text(
        f"frame {FRAME}: worst {distances.max():.3f}, left wrist {distances[joint]:.3f}"
    )


def fill(page: Page, chip: str, values: dict[str, Any]) -> None:
    page.locator(".dkd-lab-panel").get_by_role("button", name=chip, exact=True).click()
    form = page.locator(".dkd-lab-form")
    for label, value in values.items():
        field = form.get_by_label(label, exact=True)
        if field.evaluate("(e) => e.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(str(value))


def test_each_intervention_through_its_controls(page: Page, trace: Trace, other: Trace) -> None:
    last = page.locator(".dkd-lab-calls li").first
    for chip, values, call in FORMS:
        fill(page, chip, values)
        page.locator(".dkd-lab-form").get_by_role("button", name="Apply").click()
        done(page, 1)
        expect(last).to_have_text(call)
        expected = eval(f"trace.{call}", {"trace": trace, "other": other})
        assert_shown(page, trace, expected)
        page.get_by_role("button", name="Undo").click()
        done(page, 0)
    assert_shown(page, trace, trace)
    expect(page.locator(".dkd-lab-recovery")).to_have_text("no interventions: both runs are the same")


def test_a_rectangle_is_dragged_over_the_picture(page: Page, trace: Trace) -> None:
    canvas = page.locator(".dkd-lab-run-what-if .dkd-frame")
    box = place(canvas)
    scale = box["width"] / trace.clip.width
    for k, (x, y) in enumerate([(240, 100), (300, 200), (400, 320)]):
        page.mouse.move(box["x"] + x * scale, box["y"] + y * scale)
        if k == 0:
            page.mouse.down()
    page.mouse.up()
    x0, y0, x1, y1 = (int(page.get_by_label(f"{name} in pixels").input_value()) for name in ("x0", "y0", "x1", "y1"))
    assert np.abs(np.array([x0, y0, x1, y1]) - [240, 100, 400, 320]).max() <= 2
    page.get_by_label("from frame", exact=True).fill("3")
    page.locator(".dkd-lab-form").get_by_role("button", name="Apply").click()
    done(page, 1)
    expected = trace.occlude((x0, y0, x1, y1), range(3, 12))  # 10 frames reach beyond the end
    assert_shown(page, trace, expected)
    screenshot(page, "laboratory_covered")
    python(page, "lab.cursor.layers = {'heatmap': False, 'skeleton': False}")
    page.wait_for_function(f"() => !{LAB}.dkd.cursor.get('layers').skeleton && !{LAB}.dkd.other.raf")
    colour = canvas.evaluate(
        """(e, [x, y]) => {
            const [px, py] = [x * e.width / 640, y * e.height / 480].map(Math.round);
            return [...e.getContext('2d').getImageData(px, py, 1, 1).data].slice(0, 3);
        }""",
        [320, 210],
    )
    python(page, "lab.cursor.layers = {'heatmap': True, 'skeleton': True}")
    assert np.abs(np.array(colour) - 128).max() <= 6


def test_painting_repaints_the_map_and_apply_makes_the_run(page: Page, trace: Trace) -> None:
    """While the pointer moves, the map agrees with NumPy for the edited kernel; then Python computes the same."""
    joint = trace.skeleton.index(JOINT)
    contributions = trace.contributions(FRAME, JOINT)
    x, y = (trace.heatmaps[FRAME, joint].argmax() % 16, trace.heatmaps[FRAME, joint].argmax() // 16)
    strongest = int(np.abs(contributions[:, y, x]).argmax())
    page.wait_for_function(f"() => {LAB}.dataset.channel === '{strongest}'")
    grid = page.locator(".dkd-kernel-grid")
    box = place(grid)
    cell = box["width"] / 5
    value = float(page.get_by_label("Value of the brush").input_value())
    version = int(page.locator(WHAT_IF).get_attribute("data-version") or 0)
    page.mouse.move(box["x"] + 0.5 * cell, box["y"] + 0.5 * cell)
    page.mouse.down()
    page.mouse.move(box["x"] + 1.5 * cell, box["y"] + 0.5 * cell)
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + 1.5 * cell, box["y"] + 1.5 * cell)
    page.keyboard.up("Shift")
    page.wait_for_function(f"() => {LAB}.querySelector('{WHAT_IF}').dataset.version === '{version + 3}'")
    kernel = trace.kernels[FRAME - 1][strongest].copy()
    kernel[0, :2], kernel[1, 1] = value, 0
    after = edit(trace.kernels[FRAME - 1], "paint", (strongest,), values=kernel)
    matched = match(torch.from_numpy(trace.projected(FRAME))[None], torch.from_numpy(after)[None])[0].numpy()
    expected = np.einsum("c,chw->hw", trace.readout[joint], matched) + trace.bias[joint]
    assert_colours(pixels(page, WHAT_IF), viridis(expected))
    expect(page.locator(".dkd-lab-what-if figcaption")).to_contain_text("with your edits")
    assert python(page, "len(lab.what_if.calls)") == 0  # nothing was asked of Python so far
    page.mouse.up()
    page.locator(".dkd-kernel-editor").get_by_role("button", name="Apply").click()
    done(page, 1)
    assert_shown(page, trace, trace.edit_kernel(FRAME - 1, "paint", [strongest], values=kernel))
    expect(page.locator(".dkd-lab-what-if figcaption")).to_contain_text("what if")


def test_edits_of_the_kernel_are_those_of_python(page: Page, trace: Trace) -> None:
    """The map after using buttons, before and after Python computes the run; several edits are one step."""
    joint = trace.skeleton.index(JOINT)
    page.wait_for_function(f"() => {LAB}.querySelectorAll('.dkd-kernel-row').length > 2")
    rows = page.locator(".dkd-kernel-channel").evaluate_all("(all) => all.map((e) => Number(e.dataset.channel))")
    editor = page.locator(".dkd-kernel-editor")
    expected = trace
    steps: list[tuple[str, str, list[int], float]] = [
        ("rotate 90°", "rotate", rows[:1], 90), ("blur", "blur", rows[:1], 0.7),
    ]  # fmt: skip
    version = int(page.locator(WHAT_IF).get_attribute("data-version") or 0)
    for name, operation, channels, amount in steps:
        editor.get_by_role("button", name=name, exact=True).click()
        expected = expected.edit_kernel(FRAME - 1, operation, channels, amount)  # type: ignore[arg-type]
    page.wait_for_function(f"() => {LAB}.querySelector('{WHAT_IF}').dataset.version === '{version + 2}'")
    assert_colours(pixels(page, WHAT_IF), viridis(on_the_wire(expected.heatmaps[FRAME, joint])), 12)
    editor.get_by_role("button", name="Apply").click()
    done(page, 2)
    assert_shown(page, trace, expected)
    page.get_by_label(f"channel {rows[1]} too").check()
    editor.get_by_role("button", name="solo").click()
    shown = int(page.evaluate(f"() => {LAB}.dataset.channel"))
    editor.get_by_role("button", name="Apply").click()
    done(page, 3)
    assert_shown(page, trace, expected.edit_kernel(FRAME - 1, "solo", sorted({shown, rows[1]})))


def test_by_keyboard_alone(page: Page, trace: Trace) -> None:
    """Paint, apply, undo, redo and change the input without a pointer."""
    channel = int(page.evaluate(f"() => {LAB}.dataset.channel"))
    page.locator(".dkd-kernel-grid").focus()
    for key in ("ArrowUp", "ArrowLeft", "0", "ArrowRight", "+", "+", "-"):
        page.keyboard.press(key)
    step = 2 * float(np.abs(trace.kernels[FRAME - 1]).max()) / 20
    page.locator(".dkd-kernel-editor").get_by_role("button", name="Apply").focus()
    page.keyboard.press("Enter")
    done(page, 1)
    kernel = trace.kernels[FRAME - 1][channel].copy()
    kernel[1, 1] = 0
    found = np.array(python(page, f"lab.what_if.kernels[{FRAME - 1}][{channel}].tolist()"))
    kernel[1, 2] += step
    np.testing.assert_allclose(found, kernel, atol=1e-6)
    page.locator(".dkd-kernel-grid").focus()
    page.keyboard.press("Control+z")
    done(page, 0)
    assert_shown(page, trace, trace)
    page.keyboard.press("Control+Shift+z")
    done(page, 1)
    page.keyboard.press("Control+z")
    done(page, 0)
    page.get_by_role("button", name="darkness").focus()
    page.keyboard.press("Enter")
    page.get_by_label("from frame", exact=True).focus()
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    done(page, 1)
    assert_shown(page, trace, trace.darken(range(4, 12)))
    assert page.locator(".jp-Cell").count() == 2


def test_an_error_is_one_line_and_goes_away(page: Page, trace: Trace) -> None:
    fill(page, "freeze in all frames", {"of frame": 40})
    page.locator(".dkd-lab-form").get_by_role("button", name="Apply").click()
    line = page.locator(".dkd-lab-problem")
    expect(line).to_contain_text("frame 40 is outside the trace’s frames 0..11".replace("’", "'"))
    fill(page, "re-initialise here", {})
    page.locator(".dkd-lab-form").get_by_role("button", name="Apply").click()
    done(page, 1)
    expect(line).to_be_hidden()
    code = python(page, "lab.code()")
    assert code == f"lab_trace = trace.restart({FRAME})"
    assert same(eval(code.removeprefix("lab_trace = "), {"trace": trace}), trace.restart(FRAME))


def test_a_run_that_grows_says_how_far_it_is(page: Page) -> None:
    """Of frames 4 to 11, the first comes with the answer; the others are marked, and appear without another request."""
    python(page, "lab._runner.complete = lambda trace: None\nlab.apply('occlude', (240, 100, 330, 300), range(4, 12))")
    page.wait_for_function(f"() => {LAB}.dataset.calls === '1'")
    expect(page.locator(".dkd-lab-cover")).to_have_text("computing … frame 5 of 12")
    python(page, "del lab._runner.complete\nlab._runner.complete(lab.what_if)")
    done(page, 1)
    expect(page.locator(".dkd-lab-cover")).to_be_hidden()


@pytest.mark.parametrize("width", [1400, 600])
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_it_fits_the_page(page: Page, width: int, theme: str) -> None:
    """Nothing is cut or sticks out, every control has a name; pictures are saved for inspection."""
    python(page, "lab.apply('occlude', (240, 100, 330, 300), range(3, 6))")
    done(page, 1)
    show_in(page, theme, width, 1100 if width > 1000 else 2200)
    page.locator(".dkd-laboratory").scroll_into_view_if_needed()
    screenshot(page, f"laboratory_{theme.lower()}_{width}")
    problems = page.evaluate(PROBLEMS)
    show_in(page, "Light", 1400, 1100)
    assert problems == []
