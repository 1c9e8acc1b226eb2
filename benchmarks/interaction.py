"""Responsiveness of the workbench: from a moved slider to the painted frame, and frames per second while playing.

It starts a real JupyterLab (``dkd lab``) and a real Chromium, opens the workbench on a sample clip with the shipped
model, and measures in the page. It needs the test extra and a browser. On the command line, in the project's folder:

    python -m benchmarks.interaction [--sample rendered_walk] [--out figures.json]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.browser import keep, ran_notebook
from dkd.video.samples import default_sample, get_sample

PROJECT = Path(__file__).resolve().parent.parent
BENCH = "document.querySelector('.dkd-workbench').dkd"
NOTEBOOK = """\
import sys
sys.path.insert(0, {project!r})
from dkd import Clip, Trace, load_model
from dkd.video.samples import get_sample
from widgets import Workbench
sample = get_sample({sample!r})
trace = Trace(load_model("dkd-mobilenetv2"), Clip(sample.path), box=sample.box, progress=False)
wb = Workbench(trace)
wb"""

# Baseline of the page: the duration of an animation frame when idle.
IDLE = """async () => {
    const stamps = [];
    for (let i = 0; i < 120; i++) stamps.push(await new Promise(requestAnimationFrame));
    return stamps.slice(1).map((t, i) => t - stamps[i]);
}"""

# Move the slider at a random moment within an animation frame, and wait until the player has painted the requested
# frame: from 'input' event to painted canvas. `cold` first drops the frame, so that it is fetched again.
SCRUB = f"""async ([moves, cold]) => {{
    const {{ store }} = {BENCH};
    const slider = document.querySelector('.dkd-slider');
    const player = document.querySelector('.dkd-player');
    const times = [];
    for (const frame of moves) {{
        await new Promise((done) => setTimeout(done, 60 + 40 * Math.random()));
        if (cold) {{
            store.records.drop(frame);
            store.pictures.drop(frame);
        }}
        const start = performance.now();
        slider.value = frame;
        slider.dispatchEvent(new Event('input'));
        while (Number(player.dataset.frame) !== frame) {{
            await new Promise(requestAnimationFrame);
            await new Promise((done) => setTimeout(done)); // after what this animation frame paints
        }}
        times.push(performance.now() - start);
    }}
    return times;
}}"""

PLAY = f"""async (seconds) => {{
    const {{ store, cursor }} = {BENCH};
    cursor.seek(0);
    await new Promise((done) => setTimeout(done, 800));
    const painted = store.painted;
    const from = cursor.get('frame');
    const start = performance.now();
    cursor.set('playing', true);
    const goesOn = () => performance.now() - start < seconds * 1000 && cursor.get('playing');
    while (goesOn()) await new Promise(requestAnimationFrame);
    cursor.set('playing', false);
    const elapsed = (performance.now() - start) / 1000;
    return {{ elapsed, painted: store.painted - painted, passed: cursor.get('frame') - from }};
}}"""


def spread(values: list[float]) -> dict[str, float]:
    """Return median and 95th percentile (ms), and the number of values."""
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"median_ms": round(statistics.median(ordered), 1), "p95_ms": round(p95, 1), "n": len(ordered)}


def measure(page: Page) -> dict[str, Any]:
    """Measure the workbench on ``page``."""
    page.wait_for_function("() => document.querySelector('.dkd-workbench')?.dkd.store.shown")
    n_frames = page.evaluate(f"() => {BENCH}.store.header.n_frames")
    page.wait_for_function(f"() => {BENCH}.store.records.size === {n_frames}")
    page.wait_for_timeout(1000)
    moves = [(37 * i + 11) % n_frames for i in range(150)]
    play_seconds = page.evaluate(f"() => {BENCH}.store.header.times.at(-1)")
    figures: dict[str, Any] = {"clip_fps": page.evaluate(f"() => {BENCH}.store.header.fps"), "frames": n_frames}
    figures["idle_frame"] = spread(page.evaluate(IDLE))
    figures["scrub"] = spread(page.evaluate(SCRUB, [moves, False]))
    figures["scrub_not_in_browser"] = spread(page.evaluate(SCRUB, [moves[:40], True]))
    played = page.evaluate(PLAY, min(10.0, play_seconds))
    figures["play"] = {
        "painted_per_s": round(played["painted"] / played["elapsed"], 1),
        "dropped": max(0, played["passed"] - played["painted"]),
        "of": played["passed"],
    }
    figures["browser_bytes"] = page.evaluate(f"() => {BENCH}.store.records.bytes")
    return figures


def run(sample: str) -> dict[str, Any]:
    """Start Lab and the browser, open the workbench on ``sample``, measure, and stop both."""
    with (
        tempfile.TemporaryDirectory(prefix="dkd-bench-") as folder,
        ran_notebook(Path(folder), NOTEBOOK.format(project=str(PROJECT), sample=sample)) as page,
    ):
        figures = measure(page)
        browser = page.context.browser
        figures["chromium"] = browser.version if browser else None
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    machine = {"cores": os.cpu_count(), "load_1min": load, "python": platform.python_version()}
    return {"sample": sample, **machine, **figures}


def main() -> int:
    """Print the results, and write them as JSON to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", help="name of a sample clip; default: the best available one")
    parser.add_argument("--out", type=Path, help="write the results to this JSON file")
    arguments = parser.parse_args()
    sample = get_sample(arguments.sample) if arguments.sample else default_sample()
    figures = run(sample.name)
    for name, value in figures.items():
        print(f"{name:22} {value}")
    print(f"{'slider to painted':22} p95 {figures['scrub']['p95_ms']} ms (target 33)")
    print(f"{'playing':22} {figures['play']['painted_per_s']} frames/s (target 30)")
    keep(figures, arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
