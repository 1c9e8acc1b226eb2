"""The notebooks as students open them: in a real JupyterLab and browser, with all cells run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ROOT
from tests.support.browser import Lab, close_notebooks, python, run_all, screenshot, switch_notebook

# Those that have a test of their own below, which runs all their cells, too.
OWN_TEST = {"00_start_here.ipynb", "04_train.ipynb"}
# Sizes that a notebook names in its first cell, for as many frames and steps as show that every cell runs.
SIZES = {
    "06_does_the_past_help.ipynb": {
        "CAMERAS, FRAMES = 2, 24 ": "CAMERAS, FRAMES = 1, 8 ",
        "STEPS = 40 ": "STEPS = 5 ",
    },
    "08_a_study.ipynb": {
        "FRAMES = 24 ": "FRAMES = 6 ",
        "in list_samples():": "in list_samples()[-1:]:",
        "workers=2": "workers=1",
    },
}
NOTEBOOKS = {p.name for p in (ROOT / "notebooks").glob("*.ipynb")}


@pytest.fixture
def page(lab_window: Page, jupyter_lab: Lab) -> Iterator[Page]:
    """Lab's window, with no notebook open before and after."""
    lab_window.set_viewport_size({"width": 1600, "height": 1000})
    yield lab_window
    close_notebooks(lab_window, jupyter_lab)


def test_no_answer_is_on_the_screen_before_it_is_asked_for(page: Page, jupyter_lab: Lab) -> None:
    """Code that has answers in it is folded, and so is what a check prints; JupyterLab shows neither."""
    folded = 0
    for name in NOTEBOOKS:
        for cell in json.loads((ROOT / "notebooks" / name).read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] != "code" or not any(text in source for text in ("Question(", ".try_answer(")):
                continue
            folded += 1
            state = cell["metadata"].get("jupyter", {})
            assert state.get("source_hidden"), f"{name}: {cell['id']} shows its answers"
            assert "print(" not in source or state.get("outputs_hidden"), f"{name}: {cell['id']} prints answers"
    assert folded > 20
    switch_notebook(page, jupyter_lab, "01_what_is_a_pose_kernel.ipynb")
    expect(page.locator(".jp-CodeCell").filter(has_text="lesson = Lesson")).to_be_visible()
    expect(page.locator(".jp-InputArea-editor:visible").filter(has_text="Question(")).to_have_count(0)
    expect(page.locator(".jp-CodeCell .jp-Placeholder:visible").first).to_be_visible()


@pytest.mark.parametrize("name", sorted(NOTEBOOKS - OWN_TEST))
def test_a_notebook_runs_top_to_bottom(page: Page, jupyter_lab: Lab, name: str) -> None:
    copy = jupyter_lab.root / name
    source = copy.read_text(encoding="utf-8")
    for said, smaller in SIZES.get(name, {}).items():
        assert source.count(said) == 1, f"{said!r} is no size of {name} any more"
        source = source.replace(said, smaller)
    copy.write_text(source, encoding="utf-8")
    switch_notebook(page, jupyter_lab, name)
    assert run_all(page) == []
    screenshot(page, name.removesuffix(".ipynb"))


def test_the_training_notebook_trains(page: Page, jupyter_lab: Lab) -> None:
    """Run All does not train and says so; after Start, later cells show the run and its model on a real clip."""
    shutil.rmtree(jupyter_lab.root / "runs", ignore_errors=True)  # of another test
    switch_notebook(page, jupyter_lab, "04_train.ipynb")
    assert run_all(page) == []
    expect(page.locator(".jp-OutputArea").filter(has_text="No run yet: press Start")).to_be_visible()
    head = page.locator(".dkd-panel-head")
    expect(head).to_have_attribute("data-state", "new")
    quick = "steps=20 batch=2 n_frames=2 validate_every=10 snapshot_every=10 data.validation_clips=1 machine.threads=1"
    python(page, f"panel.form.set(*{quick!r}.split())")
    page.locator(".dkd-training-controls button", has_text="Start").click()
    expect(head).to_have_attribute("data-state", "finished")
    assert run_all(page) == []
    expect(head).to_have_attribute("data-state", "finished")
    for said in ("of your joints are within", "pck@0.2"):
        expect(page.locator(".jp-OutputArea-output").filter(has_text=said).first).to_be_attached()
    page.wait_for_function("() => [...document.querySelectorAll('.dkd-workbench')].every((w) => w.dkd?.store?.shown)")
    assert page.locator(".dkd-workbench").count() == 2
    screenshot(page, "train_finished")


def test_the_first_notebook_shows_a_tracked_person(page: Page, jupyter_lab: Lab) -> None:
    switch_notebook(page, jupyter_lab, "00_start_here.ipynb")
    assert run_all(page) == []
    bench = page.locator(".dkd-workbench").first
    bench.scroll_into_view_if_needed()
    page.wait_for_function(
        "() => { const s = document.querySelector('.dkd-workbench')?.dkd?.store;"
        " return s?.shown?.frame === 24 && s.detail?.frame === 24 && !s.raf; }"
    )
    # A picture of a person is neither empty nor flat, and the skeleton's two colours are on it.
    colours = bench.evaluate(
        """(root) => {
            const canvases = [...root.querySelectorAll('.dkd-player canvas')];
            const seen = new Set();
            for (const canvas of canvases) {
                const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                for (let i = 0; i < data.length; i += 16)
                    seen.add(((data[i] >> 4) << 8) + ((data[i + 1] >> 4) << 4) + (data[i + 2] >> 4));
            }
            return seen.size;
        }"""
    )
    assert colours > 100
    for view in ("player", "matching", "kernels", "timeline"):
        assert bench.locator(f".dkd-{view}").is_visible(), view
    screenshot(page, "start_here_workbench")
    bench.screenshot(path=ROOT / "tests" / "output" / "workbench.png")
