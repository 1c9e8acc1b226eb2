"""Effect of training on the responsiveness of the notebook, and time that training waits for data.

* The time from a moved slider to the painted frame in the workbench, alternately with and without a run in the
  background, on one page, of which the ratio matters; and the same for a round trip to the kernel.
* The share of time that training waits for data, over the first steps of the laptop recipe.

It starts a real JupyterLab (``dkd lab``) and a real Chromium, renders a small set of people, and trains on them. In the
project's folder:

    python -m benchmarks.training [--steps 60] [--threads 1] [--out figures.json]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.browser import keep, ran_notebook
from benchmarks.interaction import PROJECT, SCRUB, spread
from dkd.datasets.render_set import RenderSetConfig, render_set
from dkd.training.config import load_recipe
from dkd.training.trainer import train

ROUNDS = 3  # alternate idle and training, so that fluctuations of the machine affect both
FIRST = 5  # warm-up steps
NOTEBOOK = """\
import sys
sys.path.insert(0, {project!r})
from dkd import Clip, Trace, load_model
from dkd.video.samples import get_sample
from dkd.training.session import TrainingSession
from dkd.training.config import load_recipe
from widgets import Workbench
sample = get_sample("rendered_walk")
trace = Trace(load_model("dkd-mobilenetv2"), Clip(sample.path), box=sample.box, progress=False)
session = TrainingSession.on({run!r}, load_recipe("laptop", {words!r}))
wb = Workbench(trace)
wb"""
TRIP = """async (count) => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const times = [];
    for (let i = 0; i < count; i++) {
        const start = performance.now();
        await kernel.requestExecute({ code: '1 + 1' }).done;
        times.push(performance.now() - start);
        await new Promise((done) => setTimeout(done, 50));
    }
    return times;
}"""


def execute(page: Page, code: str) -> str:
    """Run code in the page's kernel and return the value of its variable ``out`` as text."""
    answer: str = page.evaluate(
        """async (code) => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const { content } = await kernel.requestExecute({ code, user_expressions: { out: 'out' } }).done;
            return content.status === 'ok' ? content.user_expressions.out.data['text/plain'] : content.evalue;
        }""",
        code,
    )
    return answer


def measure(page: Page) -> dict[str, Any]:
    """Measure slider and kernel, alternately idle and during training."""
    page.wait_for_function("() => document.querySelector('.dkd-workbench')?.dkd.store.shown")
    frames = page.evaluate("() => document.querySelector('.dkd-workbench').dkd.store.header.n_frames")
    page.wait_for_function(
        f"() => document.querySelector('.dkd-workbench').dkd.store.records.size === {frames}", timeout=600_000
    )
    moves = [(37 * i + 11) % frames for i in range(40)]
    times: dict[str, dict[str, list[float]]] = {
        name: {"idle": [], "training": []} for name in ("slider", "slider_asks_kernel", "kernel")
    }
    steps = 0
    for _ in range(ROUNDS):
        for mood in ("idle", "training"):
            if mood == "training":
                before = int(execute(page, "session.start(); out = session.steps_done"))
                while int(execute(page, "out = session.steps_done")) < before + 2:
                    page.wait_for_timeout(200)
            else:
                execute(page, "session.pause(); out = 0")
                page.wait_for_timeout(3000)  # wait for the current step
            times["slider"][mood] += page.evaluate(SCRUB, [moves, False])
            times["slider_asks_kernel"][mood] += page.evaluate(SCRUB, [moves[:15], True])
            times["kernel"][mood] += page.evaluate(TRIP, 20)
            if mood == "training":
                steps += int(execute(page, "out = session.steps_done")) - before
    execute(page, "session.stop(); out = 0")
    figures: dict[str, Any] = {"steps_meanwhile": steps}
    for name, moods in times.items():
        figures[name] = {mood: spread(values) for mood, values in moods.items()}
        medians = [statistics.median(moods[mood]) for mood in ("training", "idle")]
        figures[f"{name}_ratio"] = round(medians[0] / medians[1], 2)
    return figures


def responsiveness(people: Path, folder: Path, more: list[str]) -> dict[str, Any]:
    """Start Lab and the browser, measure, and stop both."""
    source = f"rendered={people}"
    words = [f"data.train=['{source}']", f"data.validation={source}", "steps=100000", "validate_every=0", *more]
    code = NOTEBOOK.format(project=str(PROJECT), run=str(folder / "run"), words=words)
    with ran_notebook(folder, code) as page:
        return measure(page)


def waiting(people: Path, folder: Path, steps: int, more: list[str]) -> dict[str, Any]:
    """Train the laptop recipe for some steps: frames per second, and the share of time spent waiting for data."""
    source = f"rendered={people}"
    words = [f"data.train=['{source}']", f"data.validation={source}", f"steps={steps}", "data.validation_clips=0"]
    config = load_recipe("laptop", [*words, *more])
    started = time.perf_counter()
    records = list(train(config, folder / "waiting"))[FIRST:]
    elapsed = time.perf_counter() - started
    seconds = [config.batch * config.n_frames / record.frames_per_s for record in records]
    waited = sum(s * record.waited for s, record in zip(seconds, records, strict=True)) / sum(seconds)
    return {
        "steps": steps,
        "seconds": round(elapsed, 1),
        "frames_per_s": round(config.batch * config.n_frames * len(seconds) / sum(seconds), 1),
        "waited_share": round(waited, 3),
    }


def run(steps: int, threads: int | None = None) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory(prefix="dkd-bench-") as name:
        folder = Path(name)
        more = [] if threads is None else [f"machine.threads={threads}"]
        for _ in render_set(folder / "people", RenderSetConfig(n_train=40, n_test=2), workers=1):
            pass
        figures: dict[str, Any] = {"cores": os.cpu_count(), "threads": threads}
        if hasattr(os, "getloadavg"):
            figures["load_1min"] = os.getloadavg()[0]
        figures["data"] = waiting(folder / "people", folder, steps, more)
        return figures | responsiveness(folder / "people", folder, more)


def main() -> int:
    """Print the results, and write them as JSON to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60, help="number of measured steps (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="threads of training (default: the recipe's)")
    parser.add_argument("--out", type=Path, help="write the results to this JSON file")
    arguments = parser.parse_args()
    figures = run(arguments.steps, arguments.threads)
    for name, value in figures.items():
        print(f"{name:26} {value}")
    keep(figures, arguments.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
