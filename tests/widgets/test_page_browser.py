"""Pages opened from disk in a real browser without a network: they ask for nothing, and show Python's numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dkd.models.checkpoints import load_model
from dkd.tracking.trace import Trace
from dkd.video.clip import Clip
from dkd.video.samples import get_sample
from tests.support.accessibility import violations
from tests.support.browser import _UNCHANGED, screenshot
from tests.support.fake_trace import BLOCK, FakeTrace
from tests.support.server import PATIENCE_S, until
from tests.widgets.test_page import HOSTILE
from widgets import save_page

STORE = "document.querySelector('.dkd-workbench').dkd.store"
CURSOR = "document.querySelector('.dkd-workbench').dkd.cursor"
PICTURE = f"""async (t) => {{
    const {{ store, cursor }} = document.querySelector('.dkd-workbench').dkd;
    cursor.seek(t);
    while (store.shown?.frame !== t) await new Promise(requestAnimationFrame);
    const bitmap = store.pictures.bitmaps.get(t);
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const step = bitmap.width * {BLOCK} / 320;
    const bits = Array.from({{ length: 12 }}, (_, i) =>
        Number(context.getImageData(Math.floor((i + 0.5) * step), Math.floor(step / 2), 1, 1).data[0] > 127));
    return bits.reduce((sum, bit, i) => sum + bit * 2 ** i, 0);
}}"""
DETAIL = """async (t) => {
    const { store, cursor } = document.querySelector('.dkd-workbench').dkd;
    cursor.seek(t);
    while (store.shown?.frame !== t || store.detail?.frame !== t) await new Promise(requestAnimationFrame);
    const { x, y } = store.cell();
    const { value, bias, parts } = store.explain(store.joint(), x, y);
    return { x, y, value, bias, parts: parts.map(({ channel, contribution }) => [channel, contribution]),
        kernels: [...store.detail.kernels], joints: [...store.shown.joints], scores: [...store.shown.scores],
        peaks: [...store.shown.peaks] };
}"""


SMALL = """(t) => {
    const { store } = document.querySelector('.dkd-workbench').dkd;
    const canvas = new OffscreenCanvas(64, 48);
    const context = canvas.getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(store.pictures.bitmaps.get(t), 0, 0, 64, 48);
    return [...context.getImageData(0, 0, 64, 48).data];
}"""


class Visit:
    """A page from disk, and what it asked a network for."""

    def __init__(self, context: BrowserContext, path: Path):
        self.asked: list[str] = []
        self.problems: list[str] = []
        self.page = context.new_page()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.goto(path.as_uri())
        self.wait("document.querySelector('.dkd-workbench')?.dkd?.store.shown != null")
        self.address = path.as_uri()

    def wait(self, condition: str) -> None:
        """Wait for JavaScript to be true: the page's policy forbids the way in which ``wait_for_function`` does it."""
        until(lambda: bool(self.page.evaluate(f"() => Boolean({condition})")))

    def check(self) -> None:
        """It asked for itself and the modules in it, and nothing failed."""
        assert self.problems == []
        others = [url for url in self.asked if not url.startswith(("blob:", "data:")) and url != self.address]
        assert others == []


@pytest.fixture
def offline(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1500, "height": 950})
    context.set_default_timeout(PATIENCE_S * 1e3)
    context.set_offline(True)
    yield context
    context.close()


@pytest.fixture(scope="module")
def walk() -> Iterator[Trace]:
    """A real run over a part of the sample clip."""
    sample = get_sample("rendered_walk")
    with Clip(sample.path) as clip:
        yield Trace(load_model("dkd-mobilenetv2"), clip, sample.box, stop=30, progress=False)


def rest(page: Page) -> None:
    """Wait until nothing on the page moves."""
    until(lambda: bool(page.evaluate(_UNCHANGED)))


@pytest.mark.parametrize("pictures", ["stills", "film"])
def test_every_frame_is_the_one_of_its_number(offline: BrowserContext, tmp_path: Path, pictures: str) -> None:
    saved = save_page(FakeTrace(), tmp_path / "numbered.html", max_mb=3, pictures=pictures)
    assert ("VP9" in saved.look) == (pictures == "film")
    visit = Visit(offline, tmp_path / "numbered.html")
    order = [*range(0, 60, 7), *range(59, -1, -1), 0, 59, 1, 58]  # jumps, backwards, end to end
    assert [visit.page.evaluate(PICTURE, t) for t in order] == order
    visit.check()


@pytest.mark.parametrize("pictures", ["stills", "film"])
def test_pictures_have_the_colours_of_the_video(
    offline: BrowserContext, tmp_path: Path, walk: Trace, pictures: str
) -> None:
    save_page(walk, tmp_path / "walk.html", pictures=pictures)
    visit = Visit(offline, tmp_path / "walk.html")
    for t in (0, 13, 29):
        visit.page.evaluate(PICTURE, t)
        shown = np.reshape(visit.page.evaluate(SMALL, t), (48, 64, 4))[..., :3]
        wanted = cv2.resize(walk.picture(t), (64, 48), interpolation=cv2.INTER_AREA)
        assert np.abs(shown - wanted.astype(float)).mean() < 3
        assert np.abs(shown.mean((0, 1)) - wanted.mean((0, 1))).max() < 2
    visit.check()


def test_the_numbers_are_pythons(offline: BrowserContext, tmp_path: Path, walk: Trace) -> None:
    save_page(walk, tmp_path / "walk.html", joint="left_wrist")
    visit = Visit(offline, tmp_path / "walk.html")
    j = walk.skeleton.index("left_wrist")
    for t in (1, 12, 29):
        shown = visit.page.evaluate(DETAIL, t)
        assert np.array_equal(np.float32(shown["joints"]).reshape(-1, 2), walk.joints[t].astype(np.float32))
        assert np.array_equal(np.float32(shown["scores"]), walk.scores[t].astype(np.float32))
        maps = walk.heatmaps[t]
        y, x = np.unravel_index(maps[j].argmax(), maps[j].shape)
        assert (shown["x"], shown["y"]) == (x, y)
        kernels = walk.kernels[t - 1]
        back = np.reshape(shown["kernels"], kernels.shape)
        assert np.abs(back - kernels).max() <= 0.501 * np.abs(kernels).max() / 127
        contributions = walk.contributions(t, "left_wrist")[:, y, x]
        assert shown["bias"] == pytest.approx(float(walk.bias[j]), abs=1e-6)
        assert shown["value"] == pytest.approx(float(maps[j].max()), abs=0.01)
        ours = dict(map(tuple, shown["parts"]))
        assert np.abs([ours[c] - contributions[c] for c in range(len(contributions))]).max() < 0.005
        # What the page says is what it computed.
        expect(visit.page.locator(".dkd-sum .dkd-total b")).to_have_text(f"{shown['value']:.3f}")
    visit.check()


def test_keys_scrub_and_play_and_what_needs_the_model_is_absent(
    offline: BrowserContext, tmp_path: Path, walk: Trace
) -> None:
    save_page(walk, tmp_path / "walk.html", frames=range(6, 30), licence="CC0-1.0")
    visit = Visit(offline, tmp_path / "walk.html")
    page = visit.page
    player = page.locator(".dkd-player")
    expect(player).to_have_attribute("data-frame", "0")
    expect(page.get_by_label("Go to frame")).to_have_value("6")  # the number in the video
    expect(page.locator(".dkd-seconds")).to_have_text(f"{walk.times[6]:.3f} s")
    page.keyboard.press("ArrowRight")  # the views have the focus
    expect(player).to_have_attribute("data-frame", "1")
    page.keyboard.press("End")
    expect(player).to_have_attribute("data-frame", "23")
    page.keyboard.press("Home")
    page.get_by_label("Frame", exact=True).fill("11")
    expect(player).to_have_attribute("data-frame", "11")
    page.keyboard.press("n")
    worst = page.evaluate(f"() => {STORE}.header.worst[{STORE}.joint()].find((t) => t > 11) ?? 11")
    expect(player).to_have_attribute("data-frame", str(worst))
    page.keyboard.press("Home")
    page.keyboard.press("k")
    visit.wait(f"!{CURSOR}.get('playing') && {STORE}.shown.frame === 23")  # played to the end
    page.keyboard.press("?")
    help_ = page.get_by_role("region", name="Keyboard shortcuts")
    expect(help_).to_contain_text("next worst moment")
    for absent in ("copy this view as Python", "re-initialise when lost", "Studio:"):
        expect(help_).not_to_contain_text(absent)
    page.keyboard.press("Escape")
    expect(help_).to_be_hidden()
    for name in ("copy as Python", "export"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(page.get_by_label("Re-initialise when lost")).to_have_count(0)
    page.get_by_text("About this page", exact=True).click()
    about = page.get_by_role("region", name="About this page")
    expect(about).to_contain_text("a page from a file cannot do them, the notebook can")
    expect(about).to_contain_text("weights, SHA-256")
    expect(about).to_contain_text("Video: CC0-1.0. The views of this page are part of the DKD Workbench")
    visit.check()


def test_hostile_names_are_text_and_the_page_can_connect_to_nothing(offline: BrowserContext, tmp_path: Path) -> None:
    traces = {HOSTILE: FakeTrace(n_frames=12, name=HOSTILE), "ben": FakeTrace(n_frames=12, name=HOSTILE, seed=1)}
    marks = [{"frame": 7, "note": HOSTILE}]
    save_page(traces, tmp_path / "two.html", caption=HOSTILE, licence=HOSTILE, bookmarks=marks)
    visit = Visit(offline, tmp_path / "two.html")
    page = visit.page
    expect(page.get_by_role("region", name="Bookmarks").get_by_role("listitem")).to_contain_text("<!--")
    page.get_by_role("button", name="frame 7").click()
    expect(page.locator(".dkd-player")).to_have_attribute("data-frame", "7")
    expect(page.locator(".dkd-page-caption")).to_have_text(HOSTILE)
    assert page.title().startswith("</script><script>")  # as text
    assert page.evaluate("() => document.querySelectorAll('main img').length") == 1  # the still picture
    before = page.evaluate(f"() => [...{STORE}.shown.joints]")
    page.get_by_label("Person").select_option("ben")
    visit.wait(f"{STORE}.header.generation === 1 && {STORE}.shown?.frame === 7")
    after = page.evaluate(f"() => [...{STORE}.shown.joints]")
    assert np.array_equal(np.float32(after).reshape(-1, 2), traces["ben"].joints[7])
    assert np.array_equal(np.float32(before).reshape(-1, 2), traces[HOSTILE].joints[7])
    visit.check()
    for attempt in (
        "fetch('https://example.org/x')",
        "new Promise((done, no) => Object.assign(new Image(), { onload: done, onerror: no, src: 'https://x.org/' }))",
        "import('data:text/javascript,export default 1')",
        "new Promise((done, no) => setTimeout(() => { try { done(Function('return 1')()); } catch (e) { no(e); } }))",
    ):
        refused = page.evaluate(f"() => {attempt}.then(() => 'done', () => 'refused')")
        assert refused == "refused", attempt
    page.evaluate(
        "() => { const s = document.createElement('script'); s.text = 'window.ran = 1'; document.body.append(s); }"
    )
    assert page.evaluate("() => window.ran === undefined")


def test_a_frame_whose_arithmetic_was_left_out_says_so(offline: BrowserContext, tmp_path: Path) -> None:
    trace = FakeTrace()
    whole = save_page(trace, tmp_path / "whole.html").megabytes
    save_page(trace, tmp_path / "small.html", max_mb=whole * 0.8, frame=20)
    visit = Visit(offline, tmp_path / "small.html")
    page = visit.page
    expect(page.locator(".dkd-channels")).to_be_visible()
    expect(page.locator(".dkd-sum .dkd-total")).to_contain_text("= sum of")
    left_out = page.evaluate(f"() => Math.min(...[...{STORE}.header.unexplained])")
    page.evaluate(f"() => {CURSOR}.seek({left_out})")
    words = "The arithmetic of this frame was left out to keep the page small"
    expect(page.locator(".dkd-sum")).to_contain_text(words)
    expect(page.locator(".dkd-kernels")).to_contain_text(words)
    expect(page.locator(".dkd-channels")).to_be_hidden()
    visit.check()


@pytest.mark.parametrize(
    ("scheme", "width", "height"), [("light", 1500, 950), ("dark", 1500, 950), ("dark", 420, 900), ("light", 900, 700)]
)
def test_a_page_is_light_or_dark_as_the_reader_wants(
    browser: Browser, tmp_path: Path, walk: Trace, scheme: Any, width: int, height: int
) -> None:
    marks = [{"frame": 12, "note": "the arm passes the trunk"}, {"frame": 25, "note": "turns round"}]
    save_page(walk, tmp_path / "walk.html", frame=12, caption="Watch the left wrist.", bookmarks=marks, licence="CC0")
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    context.set_default_timeout(PATIENCE_S * 1e3)
    visit = Visit(context, tmp_path / "walk.html")
    expect(visit.page.locator(".dkd-workbench")).to_have_attribute("data-dkd-theme", scheme)
    expect(visit.page.locator(".dkd-sum .dkd-total")).to_contain_text("= sum of")
    expect(visit.page.locator("figure")).to_be_hidden()  # the still picture
    rest(visit.page)
    overflow = visit.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0
    back = visit.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert back == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(22, 22, 22)")
    screenshot(visit.page, f"page_{scheme}_{width}")
    assert violations(visit.page) == []
    visit.page.get_by_text("About this page", exact=True).click()
    visit.page.keyboard.press("?")
    assert violations(visit.page) == []
    visit.check()
    context.close()
