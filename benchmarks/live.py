"""Delay of the live view, from a camera's picture to the painted skeleton, by a clock in the picture.

It starts a real JupyterLab (``dkd lab``) and a real Chromium. In place of a camera, a page's canvas of 640×480 shows a
filmed or rendered person, and the time in ms as a bar code, which is drawn again in each animation frame; its stream of
30 frames per second goes through the browser as a webcam's does. When a skeleton was painted and the animation frame
has ended, the code under it is read back. What a real camera adds, exposure and its cable, is not in this number.

    python -m benchmarks.live [--seconds 15] [--engine onnxruntime] [--out figures.json]
"""

from __future__ import annotations

import argparse
import base64
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

import cv2
import simplejpeg
from playwright.sync_api import Page, sync_playwright

from benchmarks.browser import keep
from benchmarks.engines import busy_loops
from benchmarks.interaction import PROJECT
from dkd import Clip
from dkd.engines.choice import prepare
from dkd.models.checkpoints import load_model
from dkd.video.samples import default_sample
from tests.support.browser import CHROMIUM_ARGUMENTS, Lab, find_chromium, open_notebook, python, run_all

SIZE = (640, 480)
BITS, COLUMNS, BLOCK = 16, 8, 16  # of the code, in two rows in the lower left corner: 65 seconds of ms
CELL = """\
import sys
sys.path.insert(0, {project!r})
from widgets import LiveView
view = LiveView("dkd-mobilenetv2", engine={engine!r})
view"""

# The page's camera: people from JPEG files, and the clock.
CAMERA = f"""(pictures) => {{
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = {list(SIZE)};
    const context = canvas.getContext('2d');
    let shown = 0;
    const ready = Promise.all(pictures.map(async (data) => {{
        const image = new Image();
        image.src = 'data:image/jpeg;base64,' + data;
        await image.decode();
        return createImageBitmap(image);
    }}));
    const draw = (bitmaps) => {{
        const now = performance.now();
        context.drawImage(bitmaps[Math.floor(now / 33.3) % bitmaps.length], 0, 0);
        context.fillStyle = '#808080';
        context.fillRect(0, {SIZE[1] - 2 * BLOCK - 16}, {COLUMNS * BLOCK + 16}, {2 * BLOCK + 16});
        const code = Math.round(now) % {2**BITS};
        for (let k = 0; k < {BITS}; k++) {{
            context.fillStyle = (code >> k) & 1 ? '#fff' : '#000';
            const [column, row] = [k % {COLUMNS}, Math.floor(k / {COLUMNS})];
            context.fillRect(8 + {BLOCK} * column, {SIZE[1] - 8 - 2 * BLOCK} + {BLOCK} * row, {BLOCK}, {BLOCK});
        }}
        requestAnimationFrame(() => draw(bitmaps));
    }};
    ready.then(draw);
    navigator.mediaDevices.getUserMedia = async () => {{ await ready; return canvas.captureStream(30); }};
}}"""

WATCH = f"""(ms) => new Promise((done) => {{
    const canvas = document.querySelector('.dkd-live-frame');
    const context = canvas.getContext('2d');
    const delays = [];
    const read = () => {{
        const scale = Math.min(canvas.width / {SIZE[0]}, canvas.height / {SIZE[1]});
        const [left, top] = [(canvas.width - {SIZE[0]} * scale) / 2, (canvas.height - {SIZE[1]} * scale) / 2];
        let code = 0;
        for (let k = 0; k < {BITS}; k++) {{
            const x = 8 + {BLOCK} * (k % {COLUMNS} + 0.5);
            const y = {SIZE[1] - 8 - 2 * BLOCK} + {BLOCK} * (Math.floor(k / {COLUMNS}) + 0.5);
            const [i, j] = [Math.round(left + x * scale), Math.round(top + y * scale)];
            const [r, g, b] = context.getImageData(i, j, 1, 1).data;
            if (r + g + b > 384) code |= 1 << k;
        }}
        return code;
    }};
    const observer = new MutationObserver(() => {{
        const code = read();
        requestAnimationFrame(() => setTimeout(() => {{
            delays.push((Math.round(performance.now()) - code + {2**BITS}) % {2**BITS});
        }}));
    }});
    const start = performance.now();
    observer.observe(canvas, {{ attributes: true, attributeFilter: ['data-frame'] }});
    setTimeout(() => {{
        observer.disconnect();
        const budget = document.querySelector('.dkd-live').dkd.budget.medians();
        done({{ delays, seconds: (performance.now() - start) / 1000, stages: budget?.stages ?? {{}} }});
    }}, ms);
}})"""


def pictures(count: int = 60) -> list[str]:
    """Frames of the sample clip around its person, 640×480, as JPEG in base64."""
    sample, found = default_sample(), []
    with Clip(sample.path) as clip:
        for t in range(min(count, len(clip))):
            small = cv2.resize(clip.frame(t), SIZE, interpolation=cv2.INTER_AREA)
            found.append(base64.b64encode(simplejpeg.encode_jpeg(small, 90, "RGB")).decode())
    return found


def measure(page: Page, seconds: float) -> dict[str, Any]:
    """Watch the live view for some seconds."""
    found = page.evaluate(WATCH, 1e3 * seconds)
    delays = sorted(found["delays"])
    return {
        "median_ms": statistics.median(delays),
        "p95_ms": delays[int(0.95 * (len(delays) - 1))],
        "worst_ms": delays[-1],
        "painted_per_s": round(len(delays) / found["seconds"], 1),
        "stages_ms": {name: round(value, 1) for name, value in found["stages"].items()},
        "load_1min": round(os.getloadavg()[0], 1),
    }


def main() -> int:
    """Print the delays, and write them as JSON to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15, help="seconds of each part (default: %(default)s)")
    parser.add_argument("--engine", default="auto", help="engine of the network (default: the fastest)")
    parser.add_argument("--out", type=Path, help="write the results to this JSON file")
    arguments = parser.parse_args()
    if arguments.engine == "auto":
        prepare(load_model("dkd-mobilenetv2"))
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="dkd-bench-") as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder), PROJECT / "notebooks")
        try:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
            page = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
            page.set_default_timeout(600_000)
            cell = CELL.format(project=str(PROJECT), engine=arguments.engine)
            open_notebook(page, lab, lab.write_notebook("bench.ipynb", cell))
            page.evaluate(CAMERA, pictures())
            if errors := run_all(page):
                raise RuntimeError("\n".join(errors))
            page.get_by_role("button", name="Start", exact=True).click()
            page.wait_for_selector(".dkd-live-frame[data-frame]")
            page.wait_for_timeout(3000)
            for title, loops in (("alone", 0), ("next to two busy loops", 2)):
                with busy_loops(loops):
                    figures[title] = measure(page, arguments.seconds)
                one = figures[title]
                print(
                    f"{title}: {one['median_ms']:.0f} ms from picture to painted skeleton, p95 {one['p95_ms']:.0f}, "
                    f"worst {one['worst_ms']:.0f}; {one['painted_per_s']} painted per second (load {one['load_1min']})"
                )
                print("  " + " · ".join(f"{name} {value}" for name, value in one["stages_ms"].items()))
            figures["engine"] = python(page, "view._about['engine']")
            counts = python(page, "[view.live.captured, view.live.tracked, view.live.dropped]")
            print(f"{figures['engine']}; {counts[1]} of {counts[0]} frames tracked, {counts[2]} dropped; target 100 ms")
            browser.close()
        finally:
            lab.stop()
    keep(figures, arguments.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
