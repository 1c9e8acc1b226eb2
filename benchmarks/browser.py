"""Run a notebook in a real JupyterLab and browser for measurements, and store results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from dkd.io.files import atomic_path
from tests.support.browser import CHROMIUM_ARGUMENTS, Lab, find_chromium, open_notebook, run_all


@contextmanager
def ran_notebook(folder: Path, code: str) -> Iterator[Page]:
    """Yield a page on which a notebook with the single cell ``code`` has run; stop Lab and browser afterwards.

    Args:
        folder: existing folder for files that Lab writes.

    Raises:
        RuntimeError: the cell failed; the message has its traceback.
    """
    empty = folder / "empty"
    empty.mkdir()
    lab = Lab(folder, empty)
    try:
        name = lab.write_notebook("bench.ipynb", code)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
            page = browser.new_context(viewport={"width": 1600, "height": 1000}).new_page()
            page.set_default_timeout(600_000)
            open_notebook(page, lab, name)
            if errors := run_all(page):
                raise RuntimeError("\n".join(errors))
            yield page
            browser.close()
    finally:
        lab.stop()


def keep(figures: dict[str, Any], file: Path | None) -> None:
    """Write results as JSON if a file is given."""
    if file is not None:
        with atomic_path(file) as temporary:
            temporary.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
