"""The training panel in a real JupyterLab and browser, on a few small rendered people.

One notebook for the whole file: the tests follow one run through its life, in their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Lab, at_rest, expect_python, open_notebook, python, run_all, screenshot
from tests.support.panels import HEAD, SETTLED, button, opened_panel, said_wrong, wait_for_state

STEPS = 4000  # more than it ever comes to: the last tests stop it
SETTINGS = (
    "model.settings.input_size=128 model.settings.channels=16 model.settings.initializer=tiny model.pretrain=0 batch=2 "
    f"n_frames=2 steps={STEPS} snapshot_every=10 validate_every=20 save_every=50 data.validation_clips=2 "
    "data.validation_frames=8 machine.threads=1"
)
FIRST = "document.querySelector('.dkd-side-first .dkd-workbench').dkd"
# The pixels of the large map, and of all small ones, of one side.
MAPS = """(side) => [...document.querySelectorAll(`.dkd-side-${side} .dkd-matching .dkd-cells`)].map((canvas) =>
    [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data])"""
KERNELS = MAPS.replace("dkd-matching .dkd-cells", "dkd-kernels .dkd-smalls .dkd-cells")


@pytest.fixture(scope="module")
def lab_page(lab_window: Page, jupyter_lab: Lab) -> Iterator[Page]:
    """A notebook with a training panel that is ready to start."""
    call = f'TrainingPanel("browser_runs/watched", words="{SETTINGS}".split())'
    with opened_panel(lab_window, jupyter_lab, "training.ipynb", "TrainingPanel", call) as page:
        python(page, "from tests.support.held import between_steps")
        yield page


@pytest.fixture
def page(lab_page: Page) -> Iterator[Page]:
    """The page; errors are shown in the test that caused them."""
    yield lab_page
    assert said_wrong(lab_page) == ""


def step(page: Page) -> int:
    """Read the number of steps from the panel."""
    return int(page.locator(HEAD).get_attribute("data-done") or 0)


def wait_for_step(page: Page, at_least: int) -> None:
    page.wait_for_function(f"() => Number(document.querySelector('{HEAD}').dataset.done) >= {at_least}")


def wait_for_snapshot(page: Page, snapshot: int, side: str = "first") -> None:
    """Wait until a side's workbench has painted a snapshot's trace."""
    expect(page.locator(f".dkd-side-{side} .dkd-step")).to_have_text(str(snapshot))
    bench = f"document.querySelector('.dkd-side-{side} .dkd-workbench').dkd"
    page.wait_for_function(f"() => {bench}.store.header?.model.endsWith('step {snapshot}')")
    page.wait_for_function(SETTLED, arg=side)


def wait_between_steps(page: Page) -> int:
    """Wait until the panel shows that it is paused after the current step, and return that step."""
    wait_for_state(page, "paused")
    expect_python(page, "between_steps(panel.session)", True)
    done = int(python(page, "panel.session.steps_done"))
    expect(page.locator(HEAD)).to_have_attribute("data-done", str(done))
    return done


def test_the_panel_is_ready_and_shows_its_code(page: Page) -> None:
    expect(page.locator(".js-plotly-plot")).to_have_count(1)
    for name, enabled in {"Start": True, "Pause": False, "Step": True, "Stop": False}.items():
        expect(button(page, name)).to_be_enabled(enabled=enabled)
    expect(page.locator(".dkd-training")).to_contain_text("the first snapshot of the model comes after step 10")
    form = page.locator(".dkd-form")
    form.get_by_label("Batch").fill("0")
    form.get_by_label("Batch").press("Enter")
    alert = page.locator(".dkd-training [role=alert]")
    expect(alert.filter(has_text="expected batch from 1 to 65536, got 0")).to_be_visible()
    form.get_by_label("Batch").fill("2")
    form.get_by_label("Batch").press("Enter")
    expect(page.locator(".dkd-code").last).to_contain_text("--run browser_runs/watched")
    at_rest(page)
    screenshot(page, "training_ready")


def test_start_pause_step_resume(page: Page) -> None:
    button(page, "Start").click()
    wait_for_state(page, "running")
    wait_for_step(page, 12)
    button(page, "Pause").click()
    paused_at = wait_between_steps(page)
    button(page, "Step").click()
    wait_for_step(page, paused_at + 1)
    assert wait_between_steps(page) == paused_at + 1
    button(page, "Resume").click()
    wait_for_step(page, paused_at + 3)
    wait_for_state(page, "running")


def test_frames_can_be_scrubbed_while_it_trains(page: Page) -> None:
    page.wait_for_function(SETTLED, arg="first")
    before = step(page)
    painted = page.evaluate(f"() => {FIRST}.store.painted")
    slider = page.locator(".dkd-side-first .dkd-slider")
    for frame in (3, 6, 1, 7, 2, 5):
        slider.fill(str(frame))
        page.wait_for_function(
            f"() => document.querySelector('.dkd-side-first .dkd-player').dataset.frame === '{frame}'"
        )
        assert python(page, f"{frame} + 1") == frame + 1  # cells run meanwhile
    assert page.evaluate(f"() => {FIRST}.store.painted") >= painted + 6
    wait_for_step(page, before + 1)
    wait_for_state(page, "running")


def test_training_time_can_be_scrubbed(page: Page) -> None:
    python(page, "panel.views.first.bench.joint = 'head'")
    page.locator(".dkd-side-first .dkd-slider").fill("4")
    wait_for_step(page, 60)
    button(page, "Pause").click()
    wait_between_steps(page)
    newest = python(page, "max(panel.run.snapshots())")
    assert newest >= 60
    wait_for_snapshot(page, newest)
    late = page.evaluate(MAPS, "first")
    handle = page.locator(".dkd-side-first .dkd-time .noUi-handle")
    handle.focus()
    handle.press("Home")
    wait_for_snapshot(page, 10)
    early = page.evaluate(MAPS, "first")
    assert len(early) == len(late) == 14 and early != late
    handle.press("ArrowRight")
    wait_for_snapshot(page, 20)
    assert page.evaluate(f"() => [{FIRST}.cursor.get('frame'), {FIRST}.cursor.get('joint')]") == [4, "head"]
    assert not page.get_by_label("Follow the newest").is_checked()
    page.get_by_label("Follow the newest").check()
    wait_for_snapshot(page, newest)
    assert page.evaluate(MAPS, "first") == late


def test_two_steps_are_compared_on_one_cursor(page: Page) -> None:
    page.get_by_label("Compare two steps").check()
    wait_for_snapshot(page, 10, "second")
    page.locator(".dkd-side-first .dkd-slider").fill("6")
    for side in ("first", "second"):
        expect(page.locator(f".dkd-side-{side} .dkd-player")).to_have_attribute("data-frame", "6")
        page.wait_for_function(SETTLED, arg=side)
    for pixels in (MAPS, KERNELS):
        first, second = (page.evaluate(pixels, side) for side in ("first", "second"))
        assert len(first) == len(second) >= 13 and first != second
    page.locator(".dkd-sides").scroll_into_view_if_needed()
    at_rest(page)
    screenshot(page, "training_compare")
    page.get_by_label("Compare two steps").uncheck()
    expect(page.locator(".dkd-workbench")).to_have_count(1)


def test_stop_and_resume(page: Page) -> None:
    button(page, "Stop").click()
    wait_for_state(page, "stopped")
    stopped_at = python(page, "panel.run.steps_done()")
    assert stopped_at == step(page)
    button(page, "Resume").click()
    wait_for_state(page, "running")
    wait_for_step(page, stopped_at + 5)
    steps = python(page, "panel.run.log().step.tolist()")
    assert steps[: stopped_at + 5] == list(range(1, stopped_at + 6))


def test_curves_grow_and_runs_are_listed(page: Page) -> None:
    # The curves come a moment after the steps: the loss has a point a step, the PCK one a validation.
    points = "document.querySelector('.js-plotly-plot').data.map((t) => t.x.length)"
    page.wait_for_function(f"() => {{ const p = {points}; return p.length > 1 && p[0] >= 60 && p[1] >= 2; }}")
    table = page.locator(".dkd-training .dkd-runs")
    expect(table.locator("tbody tr")).to_have_count(1)
    expect(table).to_contain_text("watched")
    page.locator(".dkd-training").evaluate("(e) => e.scrollIntoView({ block: 'start' })")
    at_rest(page)
    screenshot(page, "training_running")


def test_after_a_reload_the_panel_is_there_and_live(page: Page, jupyter_lab: Lab) -> None:
    wait_for_state(page, "running")
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel != null")
    expect(page.locator(HEAD)).to_be_visible()
    now = step(page)
    wait_for_step(page, now + 5)
    page.wait_for_function(SETTLED, arg="first")
    points = "() => document.querySelector('.js-plotly-plot')?.data[0].x.length ?? 0"
    page.wait_for_function(f"() => ({points})() >= 60")
    before = page.evaluate(points)
    page.wait_for_function(f"() => ({points})() > {before}")
    page.locator(".dkd-side-first .dkd-slider").fill("2")
    expect(page.locator(".dkd-side-first .dkd-player")).to_have_attribute("data-frame", "2")
    button(page, "Pause").click()
    wait_between_steps(page)
    page.locator(".dkd-training").evaluate("(e) => e.scrollIntoView({ block: 'start' })")
    at_rest(page)
    screenshot(page, "training_reloaded")


def test_the_cell_run_again_finds_the_session(page: Page) -> None:
    python(page, "session = panel.session")
    assert run_all(page) == []
    wait_for_state(page, "paused")
    assert python(page, "panel.session is session") is True
    button(page, "Stop").click()
    wait_for_state(page, "stopped")


def test_without_a_kernel_a_still_picture_is_left(page: Page, jupyter_lab: Lab) -> None:
    expect(page.locator("[data-dkd-filmstrip]")).to_contain_text(re.compile(r"watched: stopped, step \d+"))
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    jupyter_lab.stop_kernels()
    expect(page.locator(f"{HEAD} > .dkd-gone")).to_be_visible()
    open_notebook(page, jupyter_lab, "training.ipynb")
    still = page.locator("[data-dkd-filmstrip]")
    expect(still).to_be_visible()
    expect(still).to_contain_text(re.compile(r"watched: stopped, step \d+"))
    assert still.locator("svg polyline").count() == 4 and still.locator("img").count() == 1
    still.scroll_into_view_if_needed()
    screenshot(page, "training_still")
