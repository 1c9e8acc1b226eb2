"""Time from "Run All" in the first lesson to the first painted frame, in PyTorch and in the fastest engine, in turn.

It starts a real JupyterLab (``dkd lab``) and a real Chromium, opens notebook 00, and runs all of its cells in a fresh
kernel each time. The engine is found out before the first round, as ``make lab`` does. In the project's folder:

    python -m benchmarks.start [--rounds 3] [--out figures.json]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.browser import keep
from benchmarks.interaction import PROJECT
from dkd.engines.choice import prepare
from dkd.models.checkpoints import load_model
from tests.support.browser import CHROMIUM_ARGUMENTS, Lab, find_chromium, open_notebook, python

# From the click to the animation frame after the one in which the player has painted; the rest of the cells runs on.
RUN = """async () => {
    const start = performance.now();
    const ran = window.jupyterapp.commands.execute('notebook:run-all-cells');
    while (!document.querySelector('.dkd-player[data-frame]')) await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    const painted = performance.now() - start;
    await ran;
    return { painted: painted / 1000, ran: (performance.now() - start) / 1000 };
}"""


def measure(page: Page, lab: Lab, engine: str) -> dict[str, float]:
    """Open the first lesson in a fresh kernel and run it: seconds until the first frame, and until the last cell."""
    open_notebook(page, lab, "00_start_here.ipynb")
    python(page, f"import os; os.environ['DKD_ENGINE'] = {engine!r}")
    times: dict[str, float] = page.evaluate(RUN)
    page.goto("about:blank")
    lab.stop_kernels()
    return times


def main() -> int:
    """Print the medians, and write them as JSON to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each engine (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="write the results to this JSON file")
    arguments = parser.parse_args()
    prepare(load_model("dkd-mobilenetv2"))
    times: dict[str, list[dict[str, float]]] = {"torch": [], "auto": []}
    with tempfile.TemporaryDirectory(prefix="dkd-bench-") as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder), PROJECT / "notebooks")
        try:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
            page = browser.new_context(viewport={"width": 1600, "height": 1000}).new_page()
            page.set_default_timeout(600_000)
            for _ in range(arguments.rounds):
                for engine, found in times.items():
                    found.append(measure(page, lab, engine))
            browser.close()
        finally:
            lab.stop()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    figures: dict[str, Any] = {"cores": os.cpu_count(), "load_1min": load}
    print(f"notebook 00 in a fresh kernel, {os.cpu_count()} cores, load {load}; seconds after Run All")
    for engine, found in times.items():
        middle = {name: round(statistics.median(one[name] for one in found), 1) for name in found[0]}
        best = min(one["painted"] for one in found)
        figures[engine] = {**middle, "best": round(best, 1)}
        print(f"  {engine:6} first frame {middle['painted']:.1f} (best {best:.1f}), last cell {middle['ran']:.1f}")
    keep(figures, arguments.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
