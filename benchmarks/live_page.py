"""A live page's frames per second: how fast the model in the page tracks the sample, in a browser without a network.

The page with the shipped model and the shipped clip is written first, unless one is given. After the first second of
tracking, which warms up, frames are counted until all are tracked; a step is what the worker takes from pixels to
kernels. On the command line, in the project's folder:

    python -m benchmarks.live_page [page.html]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.support.browser import CHROMIUM_ARGUMENTS, find_chromium
from widgets import save_live_page

WARM_S = 1.0
RUN = "document.querySelector('.dkd-workbench')?.dkdLive?.run"
COUNTS = f"() => [{RUN}?.steps.length ?? 0, {RUN}?.frames.length ?? 0]"


def measure(path: Path) -> dict[str, Any]:
    """Open a live page and let it track its sample; a load of more than the number of cores makes it slower."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
        context = browser.new_context(viewport={"width": 1500, "height": 1300}, offline=True)
        page = context.new_page()
        opened = time.perf_counter()
        page.goto(path.as_uri())
        _until(page, lambda steps, frames: steps > 0)
        first = time.perf_counter() - opened
        time.sleep(WARM_S)
        begun, before = time.perf_counter(), page.evaluate(COUNTS)[0]
        steps = _until(page, lambda steps, frames: steps == frames > 1)
        seconds = time.perf_counter() - begun
        times = page.evaluate(f"() => {RUN}.steps.map((step) => step.ms)")[before:]
        browser.close()
    return {
        "first_frame_s": first,
        "frames_per_s": (steps - before) / seconds,
        "step_ms_median": statistics.median(times),
        "step_ms_95": statistics.quantiles(times, n=20)[-1],
        "frames": steps - before,
        "load_1min": os.getloadavg()[0],
        "cores": os.cpu_count(),
    }


def _until(page: Page, done: Any) -> int:
    """Wait until the numbers of steps and frames are ``done``; return that of steps."""
    while not done(*(counts := page.evaluate(COUNTS))):
        time.sleep(0.02)
    return int(counts[0])


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path, nargs="?")
    given = parser.parse_args().page
    with tempfile.TemporaryDirectory() as folder:
        if given is None:
            given = Path(folder) / "dkd.html"
            save_live_page(given)
        for name, value in measure(given.resolve()).items():
            print(f"{name:16} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
