"""What all tests share: the data beside the checkout, the real JupyterLab, the real browser.

`make test` runs files side by side in worker processes (pytest-xdist). Each worker has a JupyterLab and folders of its
own; what a test writes lies below pytest's temporary folder, or has the test's name. `pytest tests/test_x.py` runs in
one process, as ever.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dkd.datasets.render_set import RenderSetConfig, render_set
from dkd.io.paths import data_folder
from tests.support.browser import CHROMIUM_ARGUMENTS, Lab, find_chromium, open_notebook
from tests.support.server import PATIENCE_S

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"

# A busy machine must not fail a property, and a run must be the same when it is repeated.
settings.register_profile("workbench", deadline=None, derandomize=True)
settings.load_profile("workbench")
expect.set_options(timeout=PATIENCE_S * 1e3)

# Files of more than 6 seconds of a core, the longest first; all others together take a minute.
LONGEST = [
    "test_notebooks", "test_training", "test_workbench_browser", "test_studio_browser", "test_evaluation_browser",
    "test_laboratory_browser", "test_editor_browser",
    "test_live_page_browser",
    "test_training_browser", "test_engines", "test_lab", "test_evaluation", "test_demo", "test_ablations",
    "test_live_browser", "test_lineage_browser", "test_round_trip", "test_joint_kernels_browser",
    "test_anatomy_browser", "test_tracking", "test_frames", "test_debugger_browser", "test_peers",
    "test_evaluation_panel", "test_person_crops", "test_models", "test_laboratory", "test_editor",
    "test_counterfactuals",
    "test_lessons", "test_reinitialise", "test_variants", "test_profiling", "test_training_panel", "test_trace",
    "test_opening", "test_live", "test_live_command",
]  # fmt: skip

_left_out = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """One thread for each of several workers and for all that they start: two on one core wait for each other."""
    if config.getoption("numprocesses", None):
        os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put what takes longest first, so that workers end together, and leave out what needs data that are not here.

    Only the developers' data may be missing, and never in CI, where a missing folder is a failure.
    """
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
    if SHARED_DATA.is_dir() or os.environ.get("CI"):
        return
    needs_data = [item for item in items if item.get_closest_marker("shared") or "shared_data" in _fixtures(item)]
    config.hook.pytest_deselected(items=needs_data)
    items[:] = [item for item in items if item not in needs_data]
    config.stash[_left_out] = len(needs_data)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands its count to the process that started it, which collects no tests itself."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(_left_out, 0)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_testnodedown(node: Any) -> None:
    """Take a worker's count: each collects all tests, so all counts are the same, and one that crashed gives none."""
    if count := getattr(node, "workeroutput", {}).get("left_out"):
        node.config.stash[_left_out] = count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many tests were left out: silence would look like success."""
    if count := config.stash.get(_left_out, 0):
        terminalreporter.write_line(f"{count} tests were left out: they need the developers' data in ../shared/data")


def _fixtures(item: pytest.Item) -> list[str]:
    return getattr(item, "fixturenames", [])


@pytest.fixture(scope="session", autouse=True)
def empty_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests run in eager PyTorch, whatever was measured on this machine; tests/engines tests the default."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DKD_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("DKD_ENGINE", "torch")
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The developers' data beside the checkout; a test that asks for it is left out in a clone that lacks it."""
    if not SHARED_DATA.is_dir():
        pytest.fail(f"CI is set, so the data must be at {SHARED_DATA}, but there is nothing")
    return SHARED_DATA


@pytest.fixture(scope="session")
def lab_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's data folder, but with few and small rendered people: notebooks find them, and render none.

    What was uploaded into the project's folder is not touched.
    """
    folder = tmp_path_factory.mktemp("data")
    for path in data_folder().iterdir():
        if path.name not in ("rendered", "uploads"):
            (folder / path.name).symlink_to(path)
    for _ in render_set(folder / "rendered", RenderSetConfig(n_train=6, n_test=2, n_frames=8, size=128), workers=1):
        pass
    return folder


@pytest.fixture(scope="session")
def jupyter_lab(tmp_path_factory: pytest.TempPathFactory, lab_data: Path) -> Iterator[Lab]:
    """A real JupyterLab on a copy of the notebooks, started by ``dkd lab`` with settings of its own."""
    lab = Lab(tmp_path_factory.mktemp("lab"), ROOT / "notebooks", lab_data)
    yield lab
    lab.stop()


# Playwright keeps an event loop running in this thread, so a test that needs another one takes a thread of its own.
@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium; fails where there is none."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def lab_window(browser: Browser, jupyter_lab: Lab) -> Page:
    """A page in which Lab is open, for all tests that open a notebook: Lab takes 4 seconds of a core to come up."""
    context = browser.new_context(
        viewport={"width": 1600, "height": 1000}, permissions=["clipboard-read", "clipboard-write"]
    )
    context.set_default_timeout(PATIENCE_S * 1e3)
    page = context.new_page()
    open_notebook(page, jupyter_lab, "harness.ipynb")
    return page


@pytest.fixture
def page(browser: Browser, jupyter_lab: Lab) -> Iterator[Page]:
    """A page of its own, with nothing remembered; kernels that the test started are stopped after it."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    context.set_default_timeout(PATIENCE_S * 1e3)
    yield context.new_page()
    context.close()
    jupyter_lab.stop_kernels()
