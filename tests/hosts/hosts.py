"""``make hosts``: the workbench in hosts other than ``dkd lab``, from PyPI, and pages in Debian's Firefox.

They take minutes and need a network, so they are no part of the suite: pytest runs this file when it is named. What
they saw is in docs/hosts.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.hosts.firefox import Firefox
from tests.hosts.hosting import HOSTS, TOKEN, Environment, Running
from tests.support.accessibility import AXE
from tests.support.browser import OUTPUT, screenshot
from tests.support.fake_trace import BLOCK, FakeTrace
from tests.support.server import PATIENCE_S, until
from widgets import save_page

# What a view shows: the frame, the number that its picture spells, and the joints. Called with the view's element.
SEEN = f"""async (root) => {{
    const {{ store, cursor }} = root.dkd;
    while (store.shown?.frame !== cursor.get('frame')) await new Promise(requestAnimationFrame);
    const frame = store.shown.frame;
    const bitmap = store.pictures.bitmaps.get(frame);
    const small = document.createElement('canvas');
    [small.width, small.height] = [bitmap.width, bitmap.height];
    const context = small.getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const step = bitmap.width * {BLOCK} / 320;
    const bits = Array.from({{ length: 12 }}, (_, i) =>
        Number(context.getImageData(Math.floor((i + 0.5) * step), Math.floor(step / 2), 1, 1).data[0] > 127));
    const canvas = root.querySelector('.dkd-frame');
    const {{ data }} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return {{ frame, number: bits.reduce((sum, bit, i) => sum + bit * 2 ** i, 0), joints: [...store.shown.joints],
        colours: new Set(new Uint32Array(data.buffer)).size }};
}}"""
CONTRAST = """async (root) => {
    document.body.style.minHeight = "100vh"; // JupyterLab's body has no height: text would count as invisible
    const rules = { "heading-order": { enabled: false } }; // the headings around a view are the host's
    const { violations } = await axe.run(root, { rules, resultTypes: ["violations"] });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, any }) => `${id} ${any[0]?.message} ${html}`));
}"""
# What may be there after a reload, besides a view that lives.
RELOADED = {"[data-dkd-filmstrip] img": "the still picture", ":text('Model not found for key')": "an error of the host"}
RELOAD_MS = 60_000  # as long as a host may take until its widgets live again
READY = "(root) => root.dkd?.store?.shown?.frame === 7 && root.dkd.store.detail?.frame === 7"


@pytest.fixture(scope="module", params=HOSTS)
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(HOSTS[request.param], tmp_path_factory.mktemp("environment"))


@pytest.fixture(params=["light", "dark"])
def running(environment: Environment, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    host = Running(environment, tmp_path, request.param)
    yield host
    host.stop()


@pytest.fixture
def page(browser: Browser, running: Running) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1500, "height": 1000}, color_scheme=running.theme)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_S * 1e3)
    yield context.new_page()
    context.close()


def show(page: Page, running: Running) -> Locator:
    """Open the page, run its cells where that is for the user to do, and return the workbench."""
    page.goto(running.url)
    if running.environment.host.kind == "jupyter":
        expect(page.locator(".jp-Notebook .jp-CodeCell").first).to_be_visible()
        # A kernel that is said to be idle may not be connected yet: then Run would ask which kernel to take.
        sessions = f"{urljoin(running.url, '/api/sessions')}?token={TOKEN}"

        def is_connected() -> bool:
            kernels = [session["kernel"] for session in page.request.get(sessions).json()]
            return [kernel["execution_state"] for kernel in kernels if kernel["connections"]] == ["idle"]

        until(is_connected)
        expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first).to_be_attached()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    return painted(page)


def painted(page: Page) -> Locator:
    """The workbench once it has painted its first frame."""
    root = page.locator(".dkd-workbench").first
    root.wait_for(state="attached")
    handle = root.element_handle()
    assert handle is not None
    page.wait_for_function(READY, arg=handle)
    return root


def seen_after_reload(page: Page) -> str:
    """What is on the page: a view that lives, in the end; else what is left of it."""
    try:
        page.locator(".dkd-workbench .dkd-player[data-frame]").first.wait_for(timeout=RELOAD_MS)
        return "a live view"
    except PlaywrightTimeout:
        return next(what for selector, what in RELOADED.items() if page.locator(selector).first.is_visible())


def check_frame(root: Locator, trace: FakeTrace, frame: int) -> None:
    """The player shows this frame, whole and with Python's joints."""
    expect(root.locator(".dkd-player")).to_have_attribute("data-frame", str(frame))
    seen: dict[str, Any] = root.evaluate(SEEN)
    assert (seen["frame"], seen["number"]) == (frame, frame)
    assert np.array_equal(np.float32(seen["joints"]).reshape(-1, 2), trace.joints[frame])
    assert seen["colours"] > 50  # heatmap and skeleton are over the picture


def test_a_workbench_in_a_host(page: Page, running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    trace = FakeTrace(24, calibrated=True)
    root = show(page, running)
    check_frame(root, trace, 7)
    # Scrubbing.
    slider = root.get_by_label("Frame", exact=True)
    for frame in (20, 3, 23, 0, 12):
        slider.fill(str(frame))
        check_frame(root, trace, frame)
    # Keys, which hosts use for other things: b makes a cell, 0 twice restarts a kernel, d twice deletes.
    cells = page.locator(".jp-Cell").count()
    root.locator(".dkd-frame").click(position={"x": 20, "y": 120})
    for key in ("ArrowRight", "b", "b", "d", "d", "h", "h", "ArrowLeft", "End"):
        page.keyboard.press(key)
    check_frame(root, trace, 23)
    assert page.locator(".jp-Cell").count() == cells
    assert root.evaluate("(root) => root.dkd.cursor.get('layers').box") is False
    # A number that is typed while the clip plays is not overwritten, in a shadow root, too.
    page.keyboard.press("Home")
    field = root.get_by_label("Go to frame")
    field.click()
    field.fill("1")
    root.evaluate("(root) => root.dkd.cursor.step(1)")
    check_frame(root, trace, 1)
    field.press("End")
    field.type("4")
    assert field.input_value() == "14"
    field.press("Enter")
    check_frame(root, trace, 14)
    # Colours.
    assert root.get_attribute("data-dkd-theme") == running.theme
    page.evaluate(f"() => {{ {AXE.read_text(encoding='utf-8')} }}")
    name = running.environment.host.name
    screenshot(page, f"host_{name.replace(' ', '_')}_{running.theme}")
    found = root.evaluate(CONTRAST)
    # After a reload it lives again, or has left a picture.
    if running.environment.host.kind == "jupyter":
        page.get_by_role("menuitem", name="File", exact=True).click()
        page.get_by_role("menuitem", name="Save Notebook").first.click()
        until(lambda: "data-dkd-filmstrip" in (running.folder / "page.ipynb").read_text())
    page.reload()
    what = seen_after_reload(page)
    screenshot(page, f"host_{name.replace(' ', '_')}_{running.theme}_reloaded")
    with capsys.disabled():
        print(f"\n{name} {running.environment.version}, {running.theme}: painted, scrubbed; reloaded: {what}")
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("pictures", ["stills", "film"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_in_firefox(tmp_path: Path, pictures: str, theme: str, capsys: pytest.CaptureFixture[str]) -> None:
    trace = FakeTrace(24, calibrated=True)
    save_page(trace, tmp_path / "page.html", frame=7, pictures=pictures)
    firefox = Firefox(tmp_path / "profile", theme == "dark")
    root = "document.querySelector('.dkd-workbench')"
    seen = f"() => ({SEEN})({root})"
    try:
        firefox.goto((tmp_path / "page.html").as_uri())
        firefox.wait(f"{root}?.dkd?.store.detail?.frame === 7")
        first = firefox.evaluate(seen)
        assert (first["frame"], first["number"]) == (7, 7) and first["colours"] > 50
        for frame in (20, 3, 23, 0, 12):
            firefox.evaluate(f"(frame) => {{ {root}.dkd.cursor.seek(frame); }}", frame)
            one = firefox.evaluate(seen)
            assert (one["frame"], one["number"]) == (frame, frame)
            assert np.array_equal(np.float32(one["joints"]).reshape(-1, 2), trace.joints[frame])
        firefox.press("ArrowRight", "ArrowRight", "ArrowLeft")
        assert firefox.evaluate(seen)["number"] == 13
        firefox.press("End")
        assert firefox.evaluate(seen)["number"] == 23
        firefox.wait(f"{root}.dataset.dkdTheme === '{theme}'")
        firefox.screenshot(OUTPUT / f"firefox_{pictures}_{theme}.png")
        with capsys.disabled():
            print(f"\nFirefox {firefox.version}, a page of {pictures}, {theme}: painted, scrubbed")
    finally:
        firefox.close()
