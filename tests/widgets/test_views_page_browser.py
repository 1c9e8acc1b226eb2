"""Views besides the workbench in pages from disk, without a network: they are operated, their numbers are Python's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dkd.analysis.anatomy import anatomy
from dkd.analysis.joint_matching import joint_matching
from dkd.analysis.lineage import channel_reliance, compare_kernels, similarity, top_channels
from dkd.errors import ConfigError, FrameIndexError
from dkd.io.paths import DEFAULT_MODEL
from dkd.models.checkpoints import load_model
from dkd.tracking.trace import Trace
from dkd.video.clip import Clip
from dkd.video.samples import get_sample
from tests.support.accessibility import violations
from tests.support.browser import screenshot
from tests.support.fake_trace import FakeTrace
from tests.support.server import PATIENCE_S, until
from tests.support.small_laboratory import small_trace
from tests.widgets.test_anatomy_browser import check_arithmetic
from tests.widgets.test_lineage_browser import (
    NUMBERS,
    assert_painted,
    cell_position,
    changing_trace,
    pixels,
    spanned,
)
from tests.widgets.test_page_browser import CURSOR, STORE, Visit, rest
from widgets import Anatomy, JointKernels, Laboratory, Lineage, save_page
from widgets.core.wire import encode_frame
from widgets.evaluation.gallery import Gallery

LINEAGE = "document.querySelector('.dkd-lineage')"
ANATOMY = "document.querySelector('.dkd-anatomy')"
JOINT_KERNELS = "document.querySelector('.dkd-joint-kernels')"
SIDES = "[...document.querySelectorAll('.dkd-workbench')].map((root) => root.dkd)"


@pytest.fixture(params=["light", "dark"])
def offline(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1500, "height": 1900}, color_scheme=request.param)
    context.set_default_timeout(PATIENCE_S * 1e3)
    context.set_offline(True)
    yield context
    context.close()


@pytest.fixture(scope="module")
def walk() -> Iterator[Trace]:
    """A real run over the start of the sample clip."""
    sample = get_sample("rendered_walk")
    with Clip(sample.path) as clip:
        yield Trace(load_model("dkd-mobilenetv2"), clip, sample.box, stop=12, progress=False)


def look_at(page: Page, name: str, selector: str | None = None) -> None:
    """Save a picture, light or dark, of the page or from an element on, and expect no barriers."""
    rest(page)
    if selector is not None:
        page.locator(selector).first.evaluate("(e) => e.scrollIntoView({ block: 'start' })")
        rest(page)
    dark = page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
    screenshot(page, f"page_{name}_{'dark' if dark else 'light'}")
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    found = violations(page)
    assert found == [], "\n".join(found)


# ---- lineage


def cosine(text: str) -> float:
    return float(text.rsplit(" ", 1)[1].replace("−", "-"))


def test_the_lineage_of_any_kernel_lives_in_a_page(offline: BrowserContext, tmp_path: Path) -> None:
    trace: Any = changing_trace()
    view = Lineage(trace)
    view.joint = "left_wrist"
    view.to_html(tmp_path / "kernels.html", reliance=["left_wrist"])
    view.close()
    visit = Visit(offline, tmp_path / "kernels.html")
    page = visit.page
    visit.wait(f"{LINEAGE}?.dataset.shown === 'whole' && {LINEAGE}.dataset.pictures")
    assert_painted(pixels(page, ".dkd-lineage-cells"), spanned(similarity(trace).values))
    marks = page.locator(".dkd-lineage-marks")
    said = page.locator(".dkd-lineage-reading").first
    for joint, centred in (("left_wrist", False), ("right_ankle", True), ("head", False)):
        page.locator(".dkd-lineage").get_by_label("Kernel", exact=True).select_option(joint)
        page.get_by_label("without the clip's mean kernel").set_checked(centred)
        visit.wait(f"{LINEAGE}.dataset.shown === '{joint}{' centred' if centred else ''}'")
        values = similarity(trace, joint, centred=centred).values
        if not centred:  # else the colours are others
            assert_painted(pixels(page, ".dkd-lineage-cells"), spanned(values))
        marks.hover(position=cell_position(page, 30, 11))
        expect(said).to_contain_text("s: frame 30 · t: frame 11 · cosine")
        assert cosine(said.inner_text()) == pytest.approx(values[30, 11], abs=2e-4)
        page.mouse.move(2, 2)
    # The cursor's joint, which Python would hear of.
    page.locator(".dkd-lineage").get_by_label("Kernel", exact=True).select_option("selected")
    page.get_by_label("without the clip's mean kernel").set_checked(False)
    for joint in ("right_knee", "left_wrist"):
        page.evaluate(f"(joint) => {CURSOR}.set('joint', joint)", joint)
        visit.wait(f"{LINEAGE}.dataset.shown === '{joint}'")
    # Any two frames, with their pictures; the workbench above goes to the second.
    for s, t in ((7, 31), (39, 0)):
        marks.click(position=cell_position(page, s, t))
        visit.wait(f"{LINEAGE}.dataset.pictures === '{s},{t}'")
        images = f"[...{LINEAGE}.querySelectorAll('.dkd-lineage-pictures img')]"
        visit.wait(f"{images}.every((i) => i.complete && i.naturalWidth)")
        assert page.evaluate(f"() => ({NUMBERS})({images})") == [s, t]
        expect(page.locator(".dkd-player")).to_have_attribute("data-frame", str(t))
    marks.hover(position=cell_position(page, 7, 31))
    expect(said).to_contain_text("s: frame 7 · t: frame 31 · cosine")
    wanted = similarity(trace, "left_wrist").values[7, 31]
    assert cosine(said.inner_text()) == pytest.approx(wanted, abs=2e-4)
    # What needs the model is there for the joints that were asked for; for others the page says so.
    page.get_by_label("show", exact=True).check()
    lower = page.locator(".dkd-lineage-lower")
    expect(lower).to_have_attribute("data-shown", "left_wrist")
    strongest = top_channels(channel_reliance(trace, "left_wrist").shares)[0]
    expect(lower.locator(".dkd-lineage-channels span").first).to_have_text(f"channel {strongest}")
    look_at(page, "lineage", ".dkd-lineage")
    page.evaluate(f"() => {CURSOR}.set('joint', 'head')")
    expect(lower).to_contain_text("This page has the channels of the left wrist only.")
    visit.check()


def test_the_lineage_of_two_clips_has_the_rows_of_the_other(offline: BrowserContext, tmp_path: Path) -> None:
    trace: Any = changing_trace()
    other: Any = changing_trace(25)
    view = Lineage(trace, other=other)
    view.to_html(tmp_path / "two.html")
    view.close()
    visit = Visit(offline, tmp_path / "two.html")
    visit.wait(f"{LINEAGE}?.dataset.shown === 'whole'")
    assert_painted(pixels(visit.page, ".dkd-lineage-cells"), spanned(compare_kernels(other, trace).values))
    expect(visit.page.locator(".dkd-lineage-lower")).to_contain_text("This page does not have these figures")
    visit.check()


def test_a_long_clip_is_sampled(tmp_path: Path, browser: Browser) -> None:
    view = Lineage(FakeTrace(240, channels=4))
    saved = view.to_html(tmp_path / "long.html", max_mb=40)
    view.close()
    assert saved.megabytes < 20
    context = browser.new_context(viewport={"width": 1500, "height": 1900})
    visit = Visit(context, tmp_path / "long.html")
    visit.wait(f"{LINEAGE}?.dataset.shown === 'whole'")
    expect(visit.page.locator(".dkd-lineage header").first).to_contain_text("200 of 240 frames")
    visit.check()
    context.close()


def test_what_the_lineage_cannot_save_is_refused(tmp_path: Path) -> None:
    view = Lineage(FakeTrace(9))
    with pytest.raises(ConfigError, match="left_wrist"):
        view.to_html(tmp_path / "a.html", reliance=["left_wirst"])
    with pytest.raises(ConfigError, match="expected one run and all its frames"):
        view.to_html(tmp_path / "a.html", frames=range(2, 5))
    assert list(tmp_path.iterdir()) == []
    view.close()


# ---- anatomy


def test_frames_are_taken_apart_in_a_page_with_pythons_numbers(
    offline: BrowserContext, tmp_path: Path, walk: Trace
) -> None:
    view = Anatomy(walk)
    view.frame, view.joint = 6, "left_wrist"
    saved = view.to_html(tmp_path / "apart.html", frames=range(2, 12), apart=[5, 6, 9])
    view.close()
    assert saved.megabytes < 10
    visit = Visit(offline, tmp_path / "apart.html")
    page = visit.page
    settled = f"{ANATOMY}?.dataset.cell && !{ANATOMY}.querySelector('.dkd-stale')"
    visit.wait(settled)
    shown = check_arithmetic(page, anatomy(walk, 6, "left_wrist"))
    peak = np.unravel_index(walk.heatmaps[6][walk.skeleton.index("left_wrist")].argmax(), walk.heatmaps[6].shape[1:])
    assert (shown["y"], shown["x"]) == peak
    look_at(page, "anatomy", ".dkd-anatomy")
    # Another joint, another cell, another channel, and another frame: the numbers of the video are shown.
    page.locator(".dkd-anatomy").get_by_label("Joint", exact=True).select_option("right_knee")
    page.evaluate(f"() => {CURSOR}.set('cell', [11, 20])")
    visit.wait(f"{settled} && {ANATOMY}.dataset.cell === '11,20'")
    shown = check_arithmetic(page, anatomy(walk, 6, "right_knee"))
    assert (shown["x"], shown["y"]) == (11, 20)
    page.get_by_role("spinbutton", name="Channel").fill("77")
    page.keyboard.press("Enter")
    visit.wait(f"{ANATOMY}.dataset.channel === '77'")
    assert check_arithmetic(page, anatomy(walk, 6, "right_knee"))["channel"] == 77
    page.evaluate(f"() => {CURSOR}.seek(7)")
    visit.wait(f"{ANATOMY}.dataset.frame === '7' && {settled} && {STORE}.detail?.frame === 7")
    expect(page.locator(".dkd-anatomy header").first).to_contain_text("frame 9")
    for words in ("frame 9: find the right knee", "frame 8: distil the kernels"):
        expect(page.locator(".dkd-anatomy")).to_contain_text(words)
    check_arithmetic(page, anatomy(walk, 9, "right_knee"))
    page.evaluate(f"() => {CURSOR}.seek(5)")
    words = "Frame 7 cannot be taken apart in this page: frames 5 to 6, 9 can."
    expect(page.locator(".dkd-anatomy")).to_contain_text(words)
    expect(page.locator(".dkd-anatomy .dkd-body")).to_be_hidden()
    visit.check()


def test_what_cannot_be_taken_apart_is_refused(tmp_path: Path, walk: Trace) -> None:
    view = Anatomy(walk)
    with pytest.raises(ConfigError, match="whose maps come from matching, got 0"):
        view.to_html(tmp_path / "a.html", apart=[0])
    with pytest.raises(FrameIndexError, match=r"within range\(3, 9\), got 9"):
        view.to_html(tmp_path / "a.html", apart=[9], frames=range(3, 9), frame=4)
    with pytest.raises(ConfigError, match="frames need at least"):
        view.to_html(tmp_path / "a.html", apart=[4, 5, 6, 7], max_mb=2)
    assert list(tmp_path.iterdir()) == []
    view.close()


# ---- kernels made at the joints


def test_what_kernels_at_the_joints_found_is_in_a_page(offline: BrowserContext, tmp_path: Path, walk: Trace) -> None:
    box = get_sample("rendered_walk").box
    with Trace(load_model(DEFAULT_MODEL), walk.clip, box, stop=12, progress=False) as trace:
        view = JointKernels(trace)
        view.frame, view.joint = 6, "left_wrist"
        saved = view.to_html(tmp_path / "joints.html", frames=range(2, 12), apart=[6, 7])
        view.close()
        assert saved.megabytes < 5
        visit = Visit(offline, tmp_path / "joints.html")
        for frame, joint in ((6, "left_wrist"), (7, "right_knee")):
            visit.page.evaluate(f"() => {{ {CURSOR}.seek({frame - 2}); {CURSOR}.set('joint', '{joint}'); }}")
            visit.wait(f"{JOINT_KERNELS}?.dataset.shown === '{frame - 2},{joint}'")
            found = joint_matching(trace, frame, joint)
            seen = visit.page.locator(".dkd-joint-numbers [data-what=seen]")
            for name, value in (("fast", found.found.seen_fast), ("slow", found.found.seen_slow)):
                assert float(seen.get_attribute(f"data-{name}") or "") == pytest.approx(value, abs=1e-4)
            caption = visit.page.locator(".dkd-joint-figure small").first
            expect(caption).to_have_text(f"frame {frame - 1}: 5 × 5 cells around the {joint.replace('_', ' ')}")
        look_at(visit.page, "joint_kernels", ".dkd-joint-kernels")
        visit.page.evaluate(f"() => {CURSOR}.seek(6)")
        words = "Frame 8 cannot be taken apart in this page: frames 6 to 7 can."
        expect(visit.page.locator(".dkd-joint-kernels")).to_contain_text(words)
        visit.check()


def test_a_page_of_kernels_at_the_joints_needs_a_model_with_them(tmp_path: Path, walk: Trace) -> None:
    view = JointKernels(walk)
    with pytest.raises(ConfigError, match="made at the joints"):
        view.to_html(tmp_path / "a.html", apart=[4])
    assert list(tmp_path.iterdir()) == []
    view.close()


# ---- two runs next to each other


def test_a_what_if_stands_beside_the_original(offline: BrowserContext, tmp_path: Path) -> None:
    laboratory = Laboratory(small_trace())
    with pytest.raises(ConfigError, match="expected a run with interventions"):
        laboratory.to_html(tmp_path / "both.html")
    laboratory.apply("freeze_kernel", 3)
    laboratory.to_html(tmp_path / "both.html", frame=2)
    original, changed = laboratory.trace, laboratory.what_if
    visit = Visit(offline, tmp_path / "both.html")
    page = visit.page
    visit.wait(f"{SIDES}.length === 2 && {SIDES}.every((one) => one.store.shown?.frame === 2)")
    expect(page.locator(".dkd-page-name")).to_have_text(["Original", "What if"])
    expect(page.locator(".dkd-page-caption")).to_contain_text("freeze_kernel(3")
    for t in (2, 5, 11):
        page.locator(".dkd-slider").last.fill(str(t))  # either side moves both
        visit.wait(f"{SIDES}.every((one) => one.store.shown?.frame === {t})")
        shown = page.evaluate(f"() => {SIDES}.map((one) => [...one.store.shown.joints])")
        for joints, trace in zip(shown, (original, changed), strict=True):
            assert np.array_equal(np.float32(joints).reshape(-1, 2), trace.joints[t].astype(np.float32))
    assert not np.array_equal(original.joints[11], changed.joints[11])
    page.evaluate(f"() => {CURSOR}.seek(0)")
    visit.wait(f"{SIDES}.every((one) => one.store.shown?.frame === 0)")
    page.locator(".dkd-workbench").first.focus()
    page.keyboard.press("k")
    visit.wait(f"!{CURSOR}.get('playing') && {SIDES}.every((one) => one.store.shown.frame === 11)")  # to the end
    look_at(page, "beside")
    visit.check()
    laboratory.close()


def test_three_runs_do_not_stand_beside_each_other(tmp_path: Path) -> None:
    runs: Any = {name: FakeTrace(n_frames=5, seed=i) for i, name in enumerate("abc")}
    with pytest.raises(ConfigError, match="expected two runs for arrange='beside', got 3"):
        save_page(runs, tmp_path / "a.html", arrange="beside")
    with pytest.raises(ConfigError, match="arrange as one of choice, steps, beside, got 'side'"):
        save_page(runs, tmp_path / "a.html", arrange="side")
    assert list(tmp_path.iterdir()) == []


# ---- steps of a training


def test_a_slider_goes_through_training_time(offline: BrowserContext, tmp_path: Path) -> None:
    runs: Any = {f"step {100 * i}": FakeTrace(n_frames=9, seed=i) for i in range(4)}
    save_page(runs, tmp_path / "steps.html", arrange="steps", frame=4)
    visit = Visit(offline, tmp_path / "steps.html")
    page = visit.page
    slider = page.get_by_label("Training time")
    expect(slider).to_have_attribute("aria-valuetext", "step 0")
    for i in (2, 3, 1):
        slider.fill(str(i))
        expect(page.locator(".dkd-page-steps output")).to_have_text(f"step {100 * i}")
        visit.wait(f"{STORE}.header.tracks && {STORE}.shown?.frame === 4")
        until(partial(shows, page, list(runs.values())[i].joints[4].astype(np.float32)))
    slider.focus()
    page.keyboard.press("ArrowRight")  # steps, not frames
    expect(slider).to_have_attribute("aria-valuetext", "step 200")
    expect(page.locator(".dkd-player")).to_have_attribute("data-frame", "4")
    look_at(page, "steps")
    visit.check()


def shows(page: Page, wanted: np.ndarray) -> bool:
    return np.array_equal(shown_joints(page), wanted)


def shown_joints(page: Page) -> np.ndarray:
    joints = page.evaluate(f"() => [...({STORE}.shown?.joints ?? [])]")
    return np.float32(joints).reshape(-1, 2)


# ---- a gallery


def test_a_click_on_a_tile_shows_the_video_around_the_moment(offline: BrowserContext, tmp_path: Path) -> None:
    traces: dict[str, Any] = {"first": FakeTrace(n_frames=40), "second": small_trace(), "third": FakeTrace(n_frames=20)}
    joints = {key: trace.joints.astype(np.float32) for key, trace in traces.items()}  # traces are closed
    moments = {"first": (30, "left_knee", 0.9), "second": (6, "left_wrist", 0.5), "third": (11, "head", 0.2)}
    made: list[str] = []

    def traced(key: str) -> Any:
        made.append(key)
        return traces[key]

    gallery = Gallery(lambda key: None, traced)
    with pytest.raises(ConfigError, match="expected moments in the gallery, got none"):
        gallery.to_html(tmp_path / "fails.html")
    jpeg = small_picture()
    gallery.show(
        [
            {
                "key": key, "model": "dkd", "data": "drawn", "video": f"clip {key}", "joint": joint, "kind": "jump",
                "labels": "exact", "action": "–", "visibility": "visible", "frame": frame, "time": frame / 30, "run": 3,
                "error": error, "error_px": 9.0, "score": 0.5, "picture": jpeg,
            }
            for key, (frame, joint, error) in reversed(moments.items())
        ],
        "box",
    )  # fmt: skip
    saved = gallery.to_html(tmp_path / "fails.html", moments=2, around=5)
    assert made == ["first", "second"] and saved.frames == 11 + 11
    visit = Visit(offline, tmp_path / "fails.html")
    page = visit.page
    tiles = page.locator(".dkd-moment")
    assert [tile.get_attribute("data-key") for tile in tiles.all()] == ["first", "second", "third"]
    visit.wait("[...document.querySelectorAll('.dkd-moment img')].every((i) => i.complete && i.naturalWidth)")
    expect(page.locator(".dkd-page-note")).to_contain_text("this page has those of 2 of 3 moments")
    for key in ("second", "first", "second"):
        frame, joint, _ = moments[key]
        page.locator(f".dkd-moment[data-key='{key}']").click()
        expect(page.get_by_label("Go to frame")).to_have_value(str(frame))  # the number in the video
        visit.wait(f"{STORE}.shown?.frame === 5 && {CURSOR}.get('joint') === '{joint}'")
        assert np.array_equal(shown_joints(page), joints[key][frame])
        expect(page.locator(f".dkd-moment[data-key='{key}']")).to_have_attribute("aria-current", "true")
        page.get_by_label("Frame", exact=True).fill("10")
        visit.wait(f"{STORE}.shown?.frame === 10")
        assert np.array_equal(shown_joints(page), joints[key][frame + 5])
    page.locator(".dkd-moment[data-key='third']").click()
    words = "The video of this moment is not in this page: it has those of 2 of 3 moments."
    expect(page.locator(".dkd-gallery-message")).to_have_text(words)
    page.get_by_label("Sort by").select_option("frame")
    assert [tile.get_attribute("data-key") for tile in tiles.all()] == ["second", "third", "first"]
    page.get_by_label("Joint", exact=True).select_option("head")
    expect(tiles).to_have_count(1)
    expect(page.locator(".dkd-gallery-count")).to_have_text(re.compile("1 of 3 moments"))
    page.get_by_label("Joint", exact=True).select_option("")
    look_at(page, "gallery")
    visit.check()


def small_picture() -> bytes:
    """Return a small JPEG."""
    return encode_frame(np.full((60, 60, 3), 90, np.uint8))
