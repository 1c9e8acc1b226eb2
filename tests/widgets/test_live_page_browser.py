"""Live pages opened from disk in a real browser without a network: what the model finds there is what Python finds."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, expect

from dkd.models.base import VideoPoseModel
from dkd.models.checkpoints import load_model
from dkd.models.registry import build_model
from dkd.pose.crops import box_to_crop
from dkd.tracking.trace import Trace
from dkd.video.clip import Clip
from dkd.video.ranges import ClipRange
from dkd.video.samples import get_sample
from tests.support.browser import CHROMIUM_ARGUMENTS, find_chromium, place, screenshot
from tests.support.fake_trace import FakeClip
from tests.support.server import PATIENCE_S
from tests.support.video_files import read_number, write_numbered
from tests.widgets.test_page import HOSTILE
from tests.widgets.test_page_browser import Visit
from widgets import save_live_page

N = 14
RUN = "document.querySelector('.dkd-workbench')?.dkdLive?.run"
PIXELS = f"""async (t) => {{
    const bitmap = await createImageBitmap({RUN}.frames[t].blob);
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const rgb = context.getImageData(0, 0, bitmap.width, bitmap.height).data.filter((_, i) => i % 4 < 3);
    let text = '';
    for (let i = 0; i < rgb.length; i += 8192) text += String.fromCharCode(...rgb.subarray(i, i + 8192));
    return [bitmap.width, bitmap.height, btoa(text)];
}}"""
STEP = f"""(t) => {{
    const {{ joints, scores, maps, kernels, square }} = {RUN}.steps[t];
    return {{ joints: [...joints], scores: [...scores], maps: [...maps], kernels: [...kernels], square }};
}}"""
# A worker of the page tries to connect; what its policy forbids is told to it.
CONNECTS = """() => new Promise((done) => {
    self.addEventListener('securitypolicyviolation', (event) => done(event.violatedDirective));
    fetch('https://example.org/x').then(() => done('connected'), () => setTimeout(() => done('failed'), 3000));
})"""


# WebGPU in software, and what lets the page take it for a graphics processor.
GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]
CLAIM = "if (navigator.gpu) navigator.gpu.requestAdapter = async () => ({ info: { isFallbackAdapter: false } });"


class Frames(FakeClip):
    """The pixels of a page's frames as a clip."""

    def __init__(self, frames: list[np.ndarray], rate: float = 30.0):
        super().__init__(len(frames), rate)
        self.height, self.width = frames[0].shape[:2]
        self.frames = frames

    def frame(self, i: int) -> np.ndarray:
        """Return frame ``i``."""
        return self.frames[i]


class LiveVisit(Visit):
    """A live page from disk."""

    def tracked(self, count: int) -> None:
        """Wait until the run has so many frames, and all of them are tracked."""
        self.wait(f"{RUN}?.frames.length >= {count} && {RUN}.steps.length === {RUN}.frames.length")

    def frames(self) -> list[np.ndarray]:
        """The pixels of all frames, as the page has them."""
        found = [self.page.evaluate(PIXELS, t) for t in range(int(self.page.evaluate(f"() => {RUN}.frames.length")))]
        return [np.frombuffer(base64.b64decode(text), np.uint8).reshape(h, w, 3) for w, h, text in found]

    def step(self, t: int) -> dict[str, Any]:
        """What the page found in a frame."""
        return {name: np.array(values) for name, values in self.page.evaluate(STEP, t).items()}


@pytest.fixture
def offline(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1500, "height": 1300})
    context.set_default_timeout(PATIENCE_S * 1e3)
    context.set_offline(True)
    yield context
    context.close()


@pytest.fixture(scope="module")
def model() -> VideoPoseModel:
    return load_model("dkd-mobilenetv2")


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory, model: VideoPoseModel) -> Path:
    """A page with the shipped model and a part of the shipped clip."""
    path = tmp_path_factory.mktemp("live") / "dkd.html"
    sample = get_sample("rendered_walk")
    with Clip(sample.path) as clip:
        saved = save_live_page(path, model, ClipRange(clip, 0, N), sample.box)
    assert saved.megabytes < 40
    return path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small page: random weights, and two frames with a name that is markup."""
    path = tmp_path_factory.mktemp("live") / "tiny.html"
    tiny = build_model("dkd-tiny")
    tiny.name = HOSTILE
    save_live_page(path, tiny, FakeClip(2), (60, 40, 200, 220), name=HOSTILE)
    return path


def compare(visit: LiveVisit, trace: Trace, frames: range) -> None:
    """What the page found in some frames is what a run in Python found in the same pixels."""
    for t in frames:
        step, crop = visit.step(t), trace.crops[t]
        assert step["square"].tolist() == [crop.left, crop.top, crop.side], t
        assert np.abs(step["joints"].reshape(-1, 2) - trace.joints[t]).max() < 0.01  # pixels
        assert np.abs(step["scores"] - trace.scores[t]).max() < 1e-4
        assert np.abs(step["maps"].reshape(trace.heatmaps[t].shape) - trace.heatmaps[t]).max() < 1e-4
        assert np.abs(step["kernels"].reshape(trace.kernels[t].shape) - trace.kernels[t]).max() < 1e-4


def drag(canvas: Locator, begin: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag over the player, between two points in shares of the canvas."""
    x, y, width, height = (place(canvas)[name] for name in ("x", "y", "width", "height"))
    mouse = canvas.page.mouse
    mouse.move(x + begin[0] * width, y + begin[1] * height)
    mouse.down()
    mouse.move(x + end[0] * width, y + end[1] * height, steps=4)
    mouse.up()


def test_the_run_is_pythons_and_so_is_what_follows_from_an_edited_kernel_and_a_cover(
    offline: BrowserContext, walk: Path, model: VideoPoseModel
) -> None:
    visit = LiveVisit(offline, walk)
    page = visit.page
    visit.tracked(N)
    clip, box = Frames(visit.frames()), get_sample("rendered_walk").box
    trace = Trace(model, clip, box, progress=False)
    compare(visit, trace, range(N))

    # The views show it: the arithmetic of a cell adds up to the map, and contributions are Python's.
    page.evaluate("() => document.querySelector('.dkd-workbench').dkd.cursor.seek(7)")
    expect(page.locator(".dkd-player")).to_have_attribute("data-frame", "7")
    j = trace.skeleton.index("left_wrist")
    y, x = np.unravel_index(trace.heatmaps[7][j].argmax(), trace.heatmaps[7][j].shape)
    expect(page.locator(".dkd-sum .dkd-total b")).to_have_text(f"{trace.heatmaps[7][j].max():.3f}")
    strongest = int(np.abs(trace.contributions(7, "left_wrist")[:, y, x]).argmax())
    editor = page.locator(".dkd-kernel-editor")
    expect(editor.get_by_label("Channel", exact=True)).to_have_value(str(strongest))
    screenshot(page, "live_page")

    # The strongest channel's kernel is set to zero: frame 7 and all that follow change.
    editor.get_by_role("button", name="zero", exact=True).click()
    changes = page.locator(".dkd-live-page-changes")
    expect(changes).to_contain_text(f"zero, channel {strongest}, of the kernels distilled from frame 6")
    visit.tracked(N)
    edited = trace.edit_kernel(6, "zero", [strongest])
    compare(visit, edited, range(N))
    assert np.abs(edited.joints[7:] - trace.joints[7:]).max() > 0.01
    expect(page.locator(".dkd-sum .dkd-total b")).to_have_text(f"{edited.heatmaps[7][j].max():.3f}")

    # A part of the picture is covered from this frame on; then all is taken back.
    page.get_by_label("is covered").check()
    canvas = page.locator(".dkd-player canvas").first
    drag(canvas, (0.3, 0.5), (0.5, 0.8))
    expect(changes).to_contain_text("a part covered from frame 7")
    visit.tracked(N)
    covered = page.evaluate(f"() => {RUN}.list.at(-1).cover.box")
    compare(visit, edited.occlude(tuple(covered), range(7, N)), range(N))
    screenshot(page, "live_page_covered")
    page.get_by_role("button", name="Undo all").click()
    visit.tracked(N)
    compare(visit, trace, range(N))
    visit.check()


def test_the_laboratorys_interventions_do_what_they_do_in_python(
    offline: BrowserContext, walk: Path, model: VideoPoseModel
) -> None:
    visit = LiveVisit(offline, walk)
    page = visit.page
    visit.tracked(N)
    trace = Trace(model, Frames(visit.frames()), get_sample("rendered_walk").box, progress=False)
    panel = page.locator(".dkd-lab-panel")
    changes = page.locator(".dkd-live-page-changes")

    def apply(chip: str, values: dict[str, str], said: str) -> None:
        panel.get_by_role("button", name=chip, exact=True).click()
        for label, value in values.items():
            field = panel.get_by_label(label, exact=True)
            if field.evaluate("(e) => e.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        panel.get_by_role("button", name="Apply").click()
        expect(changes).to_contain_text(said)
        visit.tracked(N)

    run = trace
    steps: list[tuple[str, dict[str, str], str, Any]] = [
        (
            "shifted box", {"in frame": "5", "right": "0.15", "down": "-0.1", "scale": "1.2", "frames": "2"},
            "the square moved in frame 5", lambda run: run.shift_box(range(5, 7), 0.15, -0.1, 1.2),
        ),
        (
            "swap two frames’", {"of frame": "4", "and frame": "2"},
            "kernels of frames 4 and 2 swapped", lambda run: run.swap_kernels(4, 2),
        ),
        (
            "swap sides", {"in frame": "3", "joint": "", "frames": "2"},
            "maps of frame 3 handed on with swapped sides", lambda run: run.change_state(range(3, 5), "swap_sides"),
        ),
        (
            "shift", {"in frame": "6", "joint": "left_wrist", "right": "3", "down": "-2", "frames": "1"},
            "maps of frame 6 handed on shifted",
            lambda run: run.change_state(range(6, 7), "shift", "left_wrist", 3, -2),
        ),
        ("erase", {"in frame": "8", "joint": "head", "frames": "1"}, "maps of frame 8 handed on erased",
         lambda run: run.change_state(range(8, 9), "erase", "head")),
        ("swap read-outs", {"of": "left_knee", "and": "right_knee"}, "read-outs of left knee and right knee swapped",
         lambda run: run.swap_readouts("left_knee", "right_knee")),
        ("re-initialise here", {"in frame": "9"}, "re-initialised in frame 9", lambda run: run.restart(9)),
        ("freeze from here on", {"of frame": "2", "from frame": "10", "frames": ""},
         "kernels of frame 2 from frame 10 on", lambda run: run.freeze_kernel(2, range(10, N))),
    ]  # fmt: skip
    for chip, values, said, changed in steps:
        apply(chip, values, said)
        before, run = run, changed(run)
        compare(visit, run, range(N))
        differs = [t for t in range(N) if not np.array_equal(run.kernels[t], before.kernels[t])]
        assert differs, chip  # it does something
    screenshot(page, "live_page_laboratory")
    apply("freeze in all frames", {"of frame": "1"}, "kernels of frame 1 from frame 0 on")
    compare(visit, run.freeze_kernel(1), range(N))
    page.get_by_role("button", name="Undo", exact=True).click()
    visit.tracked(N)
    compare(visit, run, range(N))
    # What cannot be done is said, and changes nothing.
    panel.get_by_role("button", name="re-initialise here", exact=True).click()
    panel.get_by_label("in frame", exact=True).fill("99")
    panel.get_by_role("button", name="Apply").click()
    expect(panel.get_by_role("alert")).to_contain_text("There is no frame 99 yet: frames 0 to 13 are tracked.")
    assert page.evaluate(f"() => {RUN}.list.length") == 1 + len(steps)  # and the first box
    visit.check()


def test_a_box_that_is_drawn_starts_the_person_anew(offline: BrowserContext, walk: Path, model: VideoPoseModel) -> None:
    visit = LiveVisit(offline, walk)
    page = visit.page
    visit.tracked(N)
    page.evaluate("() => document.querySelector('.dkd-workbench').dkd.cursor.seek(5)")
    expect(page.locator(".dkd-player")).to_have_attribute("data-frame", "5")
    drag(page.locator(".dkd-player canvas").first, (0.25, 0.1), (0.55, 0.85))
    expect(page.locator(".dkd-live-page-changes")).to_contain_text("a box in frame 5")
    visit.tracked(N)
    box = tuple(page.evaluate(f"() => {RUN}.list.at(-1).box"))
    alone = Trace(model, Frames(visit.frames()[5:]), box, progress=False)  # a new start has no past
    for t in range(5, N):
        step = visit.step(t)
        assert np.abs(step["joints"].reshape(-1, 2) - alone.joints[t - 5]).max() < 0.01
    crop = box_to_crop(box, 1.25)
    assert visit.step(5)["square"].tolist() == pytest.approx([crop.left, crop.top, crop.side])
    expect(page.locator(".dkd-starts")).to_contain_text("re-initialised")
    visit.check()


def test_a_video_that_is_dropped_is_read_frame_by_frame(offline: BrowserContext, tiny: Path, tmp_path: Path) -> None:
    video = write_numbered(tmp_path, "h264_open_gop", 30).rename(tmp_path / "<b>walk.mp4")
    visit = LiveVisit(offline, tiny)
    page = visit.page
    visit.tracked(2)
    page.locator("input[type=file]").set_input_files(video)
    visit.wait(f"{RUN}.name.includes('walk')")
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    visit.tracked(25)
    numbers = [read_number(frame) for frame in visit.frames()]
    assert numbers == list(range(30))
    times = np.array(page.evaluate(f"() => {RUN}.frames.map((one) => one.time)"))
    with Clip(video) as clip:
        assert np.abs(times - clip.times).max() < 0.002
    expect(page.locator(".dkd-title strong")).to_have_text("<b>walk.mp4")
    visit.check()


def test_what_is_no_video_is_refused_and_the_run_stays(offline: BrowserContext, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("no video")
    visit = LiveVisit(offline, tiny)
    visit.tracked(2)
    visit.page.locator("input[type=file]").set_input_files(tmp_path / "notes.mp4")
    expect(visit.page.get_by_role("alert")).to_contain_text("notes.mp4 cannot be opened: this browser cannot play it")
    visit.tracked(2)


def test_nothing_leaves_the_page_and_names_are_text(offline: BrowserContext, tiny: Path) -> None:
    visit = LiveVisit(offline, tiny)
    page = visit.page
    visit.tracked(2)
    assert page.title().startswith("</script><script>")  # as text
    expect(page.locator(".dkd-title strong")).to_have_text(HOSTILE)
    expect(page.locator(".dkd-live-page-private")).to_contain_text("Nothing leaves this computer")
    visit.check()
    (worker,) = page.workers
    assert worker.evaluate(CONNECTS) == "connect-src"
    for attempt in (
        "fetch('https://example.org/x')",
        "import('data:text/javascript,export default 1')",
        "new Promise((done, no) => setTimeout(() => { try { done(Function('return 1')()); } catch (e) { no(e); } }))",
    ):
        assert page.evaluate(f"() => {attempt}.then(() => 'done', () => 'refused')") == "refused", attempt


def test_the_network_runs_on_webgpu_where_there_is_one(browser: Browser, offline: BrowserContext, tiny: Path) -> None:
    """Here it is Chromium's own, in software, whose numbers are those of WebAssembly."""
    plain = LiveVisit(offline, tiny)
    plain.tracked(2)
    expect(plain.page.locator(".dkd-title")).to_contain_text("on WebAssembly")
    other = browser.browser_type.launch(executable_path=find_chromium(), args=[*CHROMIUM_ARGUMENTS, *GPU])
    try:
        context = other.new_context(offline=True)
        software = LiveVisit(context, tiny)  # a graphics processor in software is not taken: it would be slower
        software.tracked(2)
        expect(software.page.locator(".dkd-title")).to_contain_text("on WebAssembly")
        context.add_init_script(CLAIM)
        visit = LiveVisit(context, tiny)
        visit.tracked(2)
        expect(visit.page.locator(".dkd-title")).to_contain_text("on WebGPU")
        for t in range(2):
            for name in ("maps", "kernels"):
                found, wanted = visit.step(t)[name], plain.step(t)[name]
                assert np.abs(found - wanted).max() < 1e-3 * np.abs(wanted).max(), (t, name)
        visit.check()
    finally:
        other.close()


def test_where_webgpu_does_not_start_the_network_webassembly_does(offline: BrowserContext, tiny: Path) -> None:
    offline.add_init_script(CLAIM)  # but there is none
    visit = LiveVisit(offline, tiny)
    visit.tracked(2)
    expect(visit.page.locator(".dkd-title")).to_contain_text("on WebAssembly")
    expect(visit.page.get_by_role("alert").filter(visible=True)).to_have_count(0)
    visit.check()


def test_the_webcam_is_tracked_until_it_is_stopped(browser: Browser, tiny: Path) -> None:
    context = browser.new_context(permissions=["camera"])
    context.set_default_timeout(PATIENCE_S * 1e3)
    visit = LiveVisit(context, tiny)
    visit.tracked(2)
    visit.page.get_by_role("button", name="Webcam").click()
    visit.wait(f"{RUN}.name === 'webcam' && {RUN}.steps.length >= 3")
    visit.page.get_by_role("button", name="Stop").click()
    expect(visit.page.get_by_role("button", name="Stop")).to_be_hidden()
    count = len(visit.frames())
    assert count >= 3 and visit.step(2)["joints"].shape == (26,)
    visit.check()
    context.close()
