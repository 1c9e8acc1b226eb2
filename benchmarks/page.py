"""Scrubbing of a page from a file: how many of the screen's refreshes show a new frame while the slider moves.

The slider moves by one frame at each refresh of the screen, back and forth through the clip: first right after the
page was opened, when pictures still have to be decoded, then again. A busy machine refreshes less often, so the share
counts, and the rate of a page that only asks for refreshes is measured next to it. On the command line, in the
project's folder:

    python -m benchmarks.page [page.html]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.support.browser import CHROMIUM_ARGUMENTS, find_chromium

PROJECT = Path(__file__).resolve().parent.parent
REFRESHES = 300
STARTED = "() => document.querySelector('.dkd-workbench')?.dkd?.store.shown != null"
IDLE = """async (count) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) await new Promise(requestAnimationFrame);
    return 1000 * count / (performance.now() - start);
}"""
SCRUB = """async (count) => {
    const { store } = document.querySelector('.dkd-workbench').dkd;
    const slider = document.querySelector('.dkd-slider');
    const last = store.header.n_frames - 1;
    let shown = 0;
    let before = store.shown.frame;
    const start = performance.now();
    for (let i = 1; i <= count; i++) {
        slider.value = last - Math.abs(last - (i % (2 * last)));
        slider.dispatchEvent(new Event('input'));
        await new Promise(requestAnimationFrame);
        await new Promise((done) => setTimeout(done)); // after what this refresh paints
        if (store.shown.frame !== before) shown += 1;
        before = store.shown.frame;
    }
    const seconds = (performance.now() - start) / 1000;
    return { per_s: shown / seconds, refreshes_per_s: count / seconds, share: shown / count };
}"""


def measure(path: Path) -> dict[str, Any]:
    """Open a page and scrub it twice; a load of more than the number of cores says that the rates are too low."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(viewport={"width": 1500, "height": 950})
        page.goto(path.as_uri())
        while not page.evaluate(STARTED):
            time.sleep(0.02)
        figures: dict[str, Any] = {"first": page.evaluate(SCRUB, REFRESHES), "again": page.evaluate(SCRUB, REFRESHES)}
        page.goto("about:blank")
        figures["idle_refreshes_per_s"] = page.evaluate(IDLE, REFRESHES)
        browser.close()
    return {**figures, "load_1min": os.getloadavg()[0], "cores": os.cpu_count()}


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path, nargs="?", default=PROJECT / "docs" / "walk.html")
    for name, value in measure(parser.parse_args().page.resolve()).items():
        print(f"{name:22} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
