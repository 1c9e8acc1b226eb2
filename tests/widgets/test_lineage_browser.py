"""The lineage view in a real browser: it paints the similarity, and all of it moves with the player."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, Position, expect

from dkd.analysis.lineage import channel_reliance, compare_kernels, drift, largest_jumps, similarity
from tests.support.browser import Lab, expect_python, opened, place, python, screenshot, settle, show_in
from tests.support.fake_trace import BITS, BLOCK, FakeTrace
from widgets.core.wire import read_message
from widgets.lineage.lineage import render_reliance

ROOT = Path(__file__).resolve().parents[2]
T, BREAK, WRIST = 40, 23, "left_wrist"


def changing_trace(n_frames: int = T) -> FakeTrace:
    """Make a trace whose kernels rotate slowly, and are completely different from frame ``BREAK`` on."""
    trace = FakeTrace(n_frames)
    random = np.random.default_rng(2)
    one, two, jump = 0.3 * random.standard_normal((3, *trace.kernels.shape[1:])).astype(np.float32)
    angle = (np.arange(n_frames) / 9)[:, None, None, None]
    trace.kernels = (trace.kernels + one * np.cos(angle) + two * np.sin(angle)).astype(np.float32)
    trace.kernels[BREAK:] += jump
    return trace


SETUP = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.support.fake_trace import FakeTrace
from tests.widgets.test_lineage_browser import changing_trace
from widgets import Cursor, Lineage, Player
trace = changing_trace()
cursor = Cursor.for_trace(trace)"""
FIRST, SECOND, NONE = (f"document.querySelectorAll('.dkd-lineage')[{i}]" for i in range(3))
SEEN = f"""() => {{
    const [first, second] = [{FIRST}, {SECOND}];
    return first?.dataset.pictures && second?.dataset.pictures && first.dataset.frame;
}}"""
# A canvas's pixels, (H, W, 3) as nested lists would be slow: flat, with its size.
PIXELS = """(canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return [canvas.height, canvas.width, [...data.filter((_, i) => i % 4 < 3)]];
}"""
# The number that a picture of a fake trace spells.
NUMBERS = f"""(images) => images.map((image) => {{
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [320, 240];
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0, 320, 240);
    let number = 0;
    for (let bit = 0; bit < {BITS}; bit++)
        number += (context.getImageData((bit + 0.5) * {BLOCK}, {BLOCK} / 2, 1, 1).data[1] > 127) << bit;
    return number;
}})"""
PROBLEMS = f"""() => {{
    const root = {FIRST};
    const outer = root.getBoundingClientRect();
    const all = [...root.querySelectorAll('*')].filter((e) => e.checkVisibility() && !e.closest('option, .dkd-unseen'));
    const wide = all.filter((e) => e.getBoundingClientRect().right > outer.right + 1);
    const cut = all.filter((e) => e.matches('button, h3, .dkd-where, .dkd-lineage-channels span, figcaption'))
        .filter((e) => e.clientWidth && e.scrollWidth > e.clientWidth + 1);
    const nameless = all.filter((e) => e.matches('button, input, select, canvas:not([aria-hidden]), progress'))
        .filter((e) => !e.ariaLabel && !e.textContent && !e.closest('label')?.textContent);
    return [...wide, ...cut, ...nameless].map((e) => e.outerHTML.slice(0, 200));
}}"""


@pytest.fixture(scope="module")
def trace() -> Any:
    return changing_trace()


@pytest.fixture(scope="module")
def lab_page(lab_window: Page, jupyter_lab: Lab) -> Iterator[Page]:
    """A player and a lineage on one cursor; below them two clips, and a model without kernels."""
    cells = (
        "view = Lineage(trace, cursor=cursor)\nview", "two = Lineage(trace, other=changing_trace(25))\ntwo",
        "Lineage(FakeTrace(4, channels=0))", "player = Player(trace, cursor=cursor)\nplayer",
    )  # fmt: skip
    with opened(lab_window, jupyter_lab, "lineage.ipynb", SETUP, *cells, width=1500, height=1300) as page:
        page.locator(".dkd-lineage").last.scroll_into_view_if_needed()
        page.wait_for_function(SEEN)
        page.locator(".dkd-lineage").first.scroll_into_view_if_needed()
        yield page


@pytest.fixture
def page(lab_page: Page) -> Page:
    """The page of :func:`lab_page` with the view in its initial state, at frame 12."""
    settle(lab_page, f"{FIRST}.dkd.cursor", "cursor")
    python(lab_page, f"view.kernel, view.centred, view.reliance, view.joint = 'whole', False, False, {WRIST!r}")
    go_to(lab_page, 12)
    lab_page.wait_for_function(f"() => {FIRST}.dataset.shown === 'whole'")
    lab_page.mouse.move(2, 2)
    return lab_page


def go_to(page: Page, frame: int) -> None:
    python(page, f"cursor.frame = {frame}")
    wait_for_frame(page, frame)


def wait_for_frame(page: Page, frame: int) -> None:
    """Wait until the player and the view have painted ``frame``."""
    page.wait_for_function(
        f"() => document.querySelector('.dkd-player').dataset.frame == {frame} && {FIRST}.dataset.frame == {frame}"
    )


def pixels(page: Page, selector: str, index: int = 0) -> np.ndarray:
    height, width, flat = page.locator(selector).nth(index).evaluate(PIXELS)
    return np.array(flat, int).reshape(height, width, 3)


def viridis(values: np.ndarray) -> np.ndarray:
    """Map values 0..1 to RGB with OpenCV's table."""
    steps = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return cv2.applyColorMap(steps, cv2.COLORMAP_VIRIDIS)[..., ::-1].astype(int)


def assert_painted(found: np.ndarray, shares: np.ndarray) -> None:
    """Compare within one step of the table, as float32 and the browser's numbers round differently."""
    assert found.shape[:2] == shares.shape
    assert np.abs(found - viridis(shares)).max() <= 8


def spanned(values: np.ndarray) -> np.ndarray:
    low = values.min()
    return (values - low) / (1 - low)


def cell_position(page: Page, s: int, t: int) -> Position:
    """Return the position of the centre of a cell on the canvas."""
    box = place(page.locator(".dkd-lineage-cells").first)
    outer = place(page.locator(".dkd-lineage-marks").first)
    return {
        "x": box["x"] - outer["x"] + (t + 0.5) / T * box["width"],
        "y": box["y"] - outer["y"] + (s + 0.5) / T * box["height"],
    }


def test_each_pixel_is_the_similarity_of_two_frames(page: Page, trace: Any) -> None:
    assert_painted(pixels(page, ".dkd-lineage-cells"), spanned(similarity(trace).values))
    low = similarity(trace).values.min()
    about = page.locator(".dkd-lineage-about").first
    expect(about).to_contain_text("two frames: s, down the side, and t, along the bottom")
    expect(about).to_contain_text("The long lines cross in the current frame. The small square is the pair of pictures")
    expect(page.locator(".dkd-lineage-legend").first).to_contain_text(f"{low:.2f}".replace("-", "−"))
    page.locator(".dkd-lineage-marks").first.hover(position=cell_position(page, 7, 31))
    value = similarity(trace).values[7, 31]
    expect(page.locator(".dkd-lineage-reading").first).to_have_text(
        f"s: frame 7 · t: frame 31 · cosine {value:.4f}".replace("-", "−")
    )
    screenshot(page, "lineage")


def test_a_click_shows_both_frames_and_moves_the_player(page: Page) -> None:
    page.locator(".dkd-lineage-marks").first.click(position=cell_position(page, 7, 31))
    wait_for_frame(page, 31)
    page.wait_for_function(f"() => {FIRST}.dataset.pictures === '7,31'")
    images = f"[...{FIRST}.querySelectorAll('.dkd-lineage-pictures img')]"
    page.wait_for_function(f"() => {images}.every((i) => i.complete && i.naturalWidth)")
    assert page.evaluate(f"() => ({NUMBERS})({images})") == [7, 31]
    expect(page.locator(".dkd-lineage-pictures figcaption").first).to_have_text("s · frame 7")
    expect_python(page, "cursor.frame", 31)


def test_keys_move_the_selected_cell_and_enter_goes_there(page: Page) -> None:
    cells = page.locator(".jp-Cell").count()
    marks, reading = page.locator(".dkd-lineage-marks").first, page.locator(".dkd-lineage-reading").first
    marks.click(position=cell_position(page, 7, 12))
    page.mouse.move(2, 2)
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "ArrowRight", "Shift+ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    expect(reading).to_contain_text("s: frame 8 · t: frame 22")
    assert page.evaluate(f"() => {FIRST}.dkd.cursor.get('frame')") == 12  # only the cell moved
    page.keyboard.press("Enter")
    wait_for_frame(page, 22)
    page.wait_for_function(f"() => {FIRST}.dataset.pictures === '8,22'")
    for key in ("Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft"):  # stops at the edge
        page.keyboard.press(key)
    expect(reading).to_contain_text("t: frame 0 ")
    expect(page.locator(".dkd-lineage .dkd-unseen").first).to_contain_text("t: frame 0 ")
    assert page.locator(".jp-Cell").count() == cells


def test_the_ring_follows_the_player_and_a_click_on_the_path_moves_it(page: Page) -> None:
    def ring(frame: int) -> Position:
        go_to(page, frame)
        page.wait_for_function(f"() => {FIRST}.dataset.ring === '{frame}'")
        x, y = page.evaluate(f"() => {FIRST}.dataset.ringAt").split(",")
        return {"x": float(x), "y": float(y)}

    path = page.locator(".dkd-lineage-path").first
    accent = page.evaluate(
        f"""() => {{
            const probe = document.createElement('span');
            probe.style.color = 'var(--dkd-accent)';
            {FIRST}.append(probe);
            const colour = getComputedStyle(probe).color.match(/\\d+/g).map(Number).slice(0, 3);
            probe.remove();
            return colour;
        }}"""
    )
    for frame in (3, 30):
        at = ring(frame)
        painted = pixels(page, ".dkd-lineage-path")
        around = painted[round(at["y"]) - 11 : round(at["y"]) + 12, round(at["x"]) - 11 : round(at["x"]) + 12]
        close = np.abs(around - accent).max(-1) < 40
        assert close.sum() > 40  # most of a ring of radius 8
        middle = around[9:14, 9:14].reshape(-1, 3)
        assert np.abs(middle - viridis(np.array([[frame / (T - 1)]]))[0]).max(1).min() < 8
    ring(5)
    path.click(position=at)
    wait_for_frame(page, 30)
    page.wait_for_function(f"() => {FIRST}.dataset.ring === '30'")


def test_the_drift_and_its_jumps_lead_to_where_it_breaks(page: Page, trace: Any) -> None:
    jumps = largest_jumps(drift(trace))
    assert jumps[0] == BREAK
    buttons = page.locator(".dkd-lineage-jumps").first.get_by_role("button")
    expect(buttons).to_have_text([f"frame {t} · {_precise(drift(trace)[t])}" for t in jumps])
    buttons.first.click()
    wait_for_frame(page, BREAK)
    drifted = page.locator(".dkd-lineage-drift").first
    width = place(drifted)["width"]
    drifted.click(position={"x": 48 + (6.5 / T) * (width - 48), "y": 30})
    wait_for_frame(page, 6)
    said = re.escape(f"Drift at frame 6: {_precise(drift(trace)[6])}")
    expect(drifted).to_have_attribute("aria-label", re.compile(said))


def _precise(value: float) -> str:
    """Format like JavaScript's toPrecision(2)."""
    return f"{value:#.2g}"


def test_the_kernel_follows_the_choice_and_the_selected_joint(page: Page, trace: Any) -> None:
    page.get_by_label("Kernel", exact=True).first.select_option("selected")
    page.wait_for_function(f"() => {FIRST}.dataset.shown === '{WRIST}'")
    assert_painted(pixels(page, ".dkd-lineage-cells"), spanned(similarity(trace, WRIST).values))
    python(page, "player.joint = 'right_knee'")
    page.wait_for_function(f"() => {FIRST}.dataset.shown === 'right_knee'")
    assert_painted(pixels(page, ".dkd-lineage-cells"), spanned(similarity(trace, "right_knee").values))
    expect(page.locator(".dkd-lineage h3").first).to_have_text("Kernel lineage · kernel of the right knee")
    page.get_by_label("without the clip's mean kernel").first.check()
    page.wait_for_function(f"() => {FIRST}.dataset.shown === 'right_knee centred'")
    found, values = pixels(page, ".dkd-lineage-cells"), similarity(trace, "right_knee", centred=True).values
    green, purple = found[..., 1] > found[..., 0] + 5, found[..., 0] > found[..., 1] + 5
    assert green[values > 0.1].all() and purple[values < -0.1].all()
    expect(page.locator(".dkd-lineage-legend").first).to_have_text("−1+1 cosine")
    expect_python(page, "[view.kernel, view.centred]", ["selected", True])


def test_reliance_is_painted_and_follows_the_joint(page: Page, trace: Any) -> None:
    lower = page.locator(".dkd-lineage-lower").first
    lower.get_by_label("compute", exact=True).check()
    for joint in (WRIST, "head"):
        python(page, f"view.joint = {joint!r}")
        expect(lower).to_have_attribute("data-shown", joint)
        content = read_message(*render_reliance(channel_reliance(trace, joint), joint))
        rows = content["shares"]
        shares = np.concatenate([rows[:12] / rows[:12].max(), rows[12:]])
        assert_painted(pixels(page, ".dkd-lineage-strip canvas"), shares)
        labels = [*(f"channel {c}" for c in content["channels"]), "all others"]
        expect(lower.locator(".dkd-lineage-channels span")).to_have_text(labels)
    canvas = lower.locator(".dkd-lineage-strip canvas")
    width = place(canvas)["width"]
    canvas.click(position={"x": width * 29.5 / (T - 1), "y": 20})
    wait_for_frame(page, 30)  # the first column is frame 1
    screenshot(page, "lineage_reliance")
    lower.get_by_label("compute", exact=True).uncheck()
    expect(lower.locator(".dkd-lineage-strip")).to_be_hidden()


def test_two_clips_are_compared_frame_by_frame(page: Page, trace: Any) -> None:
    values = compare_kernels(changing_trace(25), trace).values
    assert_painted(pixels(page, ".dkd-lineage-cells", 1), spanned(values))
    expect(page.locator(".dkd-lineage").nth(1).locator("figcaption").first).to_contain_text("s · numbered, frame")


def test_a_model_without_kernels_says_so(page: Page) -> None:
    empty = page.locator(".dkd-lineage").nth(2)
    expect(empty).to_contain_text("This model has no kernels")
    assert empty.locator("canvas").filter(visible=True).count() == 0
    expect(page.locator(".dkd-lineage .dkd-error").filter(visible=True)).to_have_count(0)


@pytest.mark.parametrize("width", [1500, 700])
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_it_fits_the_page(page: Page, width: int, theme: str) -> None:
    """Nothing is cut or sticks out, every control has a name; pictures are saved for inspection."""
    show_in(page, theme, width, 1300)
    page.locator(".dkd-lineage").first.scroll_into_view_if_needed()
    screenshot(page, f"lineage_{theme.lower()}_{width}")
    problems = page.evaluate(PROBLEMS)
    show_in(page, "Light", 1500, 1300)
    assert problems == []
