"""Speed of the laboratory: from the pointer on a kernel to the repainted map, and from an intervention to its frame.

It starts a real JupyterLab (``dkd lab``) and a real Chromium, opens the laboratory on the sample clip with the shipped
model, and measures in the page. In the project's folder:

    python -m benchmarks.laboratory [--out figures.json]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.browser import keep, ran_notebook
from benchmarks.interaction import IDLE, PROJECT, spread

LAB = "document.querySelector('.dkd-laboratory')"
NOTEBOOK = """\
import sys
sys.path.insert(0, {project!r})
from dkd import Clip, Trace, load_model
from dkd.video.samples import get_sample
from widgets import Laboratory
sample = get_sample("rendered_walk")
trace = Trace(load_model("dkd-mobilenetv2"), Clip(sample.path), box=sample.box, progress=False)
lab = Laboratory(trace)
lab.frame = 40
lab"""
# A pointer that paints cell by cell: from each of its moves to the animation frame that has painted the map.
PAINT = f"""async (count) => {{
    const grid = document.querySelector('.dkd-kernel-grid');
    const map = document.querySelector('.dkd-lab-what-if .dkd-cells');
    const {{ left, top, width }} = grid.getBoundingClientRect();
    const side = {LAB}.dkd.other.header.kernel;
    const send = (type, k) => grid.dispatchEvent(new PointerEvent(type, {{
        pointerId: 1, bubbles: true, shiftKey: Math.floor(k / (side * side)) % 2 === 1,
        clientX: left + ((k % side) + 0.5) * width / side,
        clientY: top + ((Math.floor(k / side) % side) + 0.5) * width / side,
    }}));
    grid.setPointerCapture = null; // of a pointer that is none
    send('pointerdown', 0);
    const times = [];
    for (let k = 1; k <= count; k++) {{
        await new Promise((done) => setTimeout(done, 30 + 40 * Math.random()));
        const before = map.dataset.version;
        const start = performance.now();
        send('pointermove', k);
        while (map.dataset.version === before) {{
            if (performance.now() - start > 5000) throw new Error('nothing was painted');
            await new Promise(requestAnimationFrame);
            await new Promise((done) => setTimeout(done));
        }}
        times.push(performance.now() - start);
    }}
    send('pointerup', 0);
    return times;
}}"""
# From "Apply" to the first frame of the new run on the screen, the cursor's frame.
APPLY = f"""async () => {{
    const {{ other }} = {LAB}.dkd;
    const button = document.querySelector('.dkd-lab-form button[type=submit]');
    const generation = other.header.generation;
    const start = performance.now();
    button.click();
    while (other.header.generation === generation || !other.shown)
        await new Promise((done) => setTimeout(done, 5));
    return performance.now() - start;
}}"""


def measure(page: Page) -> dict[str, Any]:
    """Measure the laboratory on ``page``."""
    page.wait_for_function(f"() => {LAB}?.dkd?.other?.detail?.frame === 40")
    page.wait_for_timeout(2000)
    figures: dict[str, Any] = {"idle_frame": spread(page.evaluate(IDLE))}
    figures["paint_to_map"] = spread(page.evaluate(PAINT, 120))
    page.locator(".dkd-lab-panel").get_by_role("button", name="darkness").click()
    page.get_by_label("from frame", exact=True).fill("40")
    figures["apply_to_frame"] = spread([page.evaluate(APPLY) for _ in range(5)])
    figures["ratio_to_idle_frame"] = round(figures["paint_to_map"]["p95_ms"] / figures["idle_frame"]["p95_ms"], 2)
    return figures


def main() -> int:
    """Print the results, and write them as JSON to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the results to this JSON file")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="dkd-bench-") as folder,
        ran_notebook(Path(folder), NOTEBOOK.format(project=str(PROJECT))) as page,
    ):
        figures = measure(page)
    figures |= {"cores": os.cpu_count(), "load_1min": os.getloadavg()[0] if hasattr(os, "getloadavg") else None}
    for name, value in figures.items():
        print(f"{name:22} {value}")
    print(f"{'pointer to map':22} p95 {figures['paint_to_map']['p95_ms']} ms (target 50)")
    print(f"{'apply to first frame':22} p95 {figures['apply_to_frame']['p95_ms']} ms (target 1000)")
    keep(figures, arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
