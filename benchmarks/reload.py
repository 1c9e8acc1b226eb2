"""How long a reloaded page takes to paint its workbenches, in two builds side by side.

It starts one JupyterLab and one Chromium and opens two notebooks with some workbenches each: one runs the code of this
folder, the other that of a commit, which is checked out into a temporary folder. Then it reloads the two pages in turn.
The machine's load is thus the same for both, and the ratio of the two is what counts. Times are measured in the page:

- ``whole``: from the navigation to the last workbench painted;
- ``widgets``: from the page's request for the widgets' states, that is without Lab's own start;
- ``states``: of that, until the states have arrived.

It needs the test extra and a browser. On the command line, in the project's folder:

    python -m benchmarks.reload COMMIT [--workbenches 3] [--rounds 7] [--out figures.json]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.browser import keep
from tests.support.browser import CHROMIUM_ARGUMENTS, Lab, find_chromium, open_notebook, run_all

PROJECT = Path(__file__).resolve().parent.parent
SETUP = """\
import sys
sys.path.insert(0, {project!r})
try:
    from tests.support.fake_trace import FakeTrace
except ImportError:  # where it was before
    from tests.fake_trace import FakeTrace
from widgets import Workbench"""
BENCH = "wb{n} = Workbench(FakeTrace(60, name='clip {n}'))\nwb{n}"
STATE = """\
import json
from ipywidgets import Widget
from ipywidgets.widgets.widget import _instances, _remove_buffers
def size(widget):
    state, _, buffers = _remove_buffers(widget.get_state())
    return len(json.dumps(state).encode()) + sum(memoryview(b).nbytes for b in buffers)
print(sum(map(size, _instances.values())))"""

# Runs before the page's own scripts: notes when the states are requested and received, and when all have painted.
WATCH = """(count) => {
    window.dkdTimes = {};
    const seen = (name) => (window.dkdTimes[name] ??= performance.now());
    const has = (data, word) => typeof data === 'string'
        ? data.includes(word)
        : new TextDecoder('latin1').decode(data instanceof ArrayBuffer ? data.slice(0, 4096) : data).includes(word);
    const Original = window.WebSocket;
    window.WebSocket = class extends Original {
        constructor(...given) {
            super(...given);
            this.addEventListener('message', ({ data }) => {
                if (window.dkdTimes.asked && !window.dkdTimes.states && has(data, 'update_states')) seen('states');
            });
        }
        send(data) {
            if (!window.dkdTimes.asked && has(data, 'request_states')) seen('asked');
            super.send(data);
        }
    };
    const look = () => {
        const benches = [...document.querySelectorAll('.dkd-workbench')];
        const views = ['player', 'matching', 'kernels', 'timeline'].map((name) => `.dkd-${name}[data-frame]`);
        const painted = benches.filter((b) => views.every((view) => b.querySelector(view)));
        if (painted.length > 0) seen('first');
        if (painted.length >= count) return seen('painted');
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """The project's files at ``commit``, in a worktree below ``folder`` that is removed afterwards."""
    place = folder / "commit"
    git = ["git", "-C", str(PROJECT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(place), commit], check=True)
    try:
        yield place
    finally:
        subprocess.run([*git, "remove", "--force", str(place)], check=True)


def open_page(browser: Any, lab: Lab, name: str, project: Path, workbenches: int) -> tuple[Page, int]:
    """A page with that many workbenches of a build, saved; and the bytes of all widget states in its kernel."""
    page = browser.new_context(viewport={"width": 1600, "height": 1000}).new_page()
    page.set_default_timeout(600_000)
    page.add_init_script(f"({WATCH})({workbenches})")
    cells = [BENCH.format(n=n) for n in range(workbenches)]
    open_notebook(page, lab, lab.write_notebook(name, SETUP.format(project=str(project)), *cells, STATE))
    if errors := run_all(page):
        raise RuntimeError("\n".join(errors))
    page.wait_for_function("() => window.dkdTimes.painted")
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    text = "window.jupyterapp.shell.currentWidget.content.widgets.at(-1).model.outputs.toJSON()[0].text"
    return page, int(page.evaluate(f"() => {text}"))


# All frames are here: the page has nothing left to do that would slow down the next reload.
RESTS = """() => [...document.querySelectorAll('.dkd-workbench')].every(({ dkd: { store } }) =>
    store.header && store.records.size === store.header.n_frames && !store.raf)"""


def reload(page: Page) -> dict[str, float]:
    """Reload a page, wait until it rests; milliseconds, see the module."""
    page.reload()
    page.wait_for_function("() => window.dkdTimes.painted")
    times = page.evaluate("() => window.dkdTimes")
    page.wait_for_function(RESTS)
    page.wait_for_timeout(500)
    return {
        "whole": times["painted"],
        "widgets": times["painted"] - times["asked"],
        "states": times["states"] - times["asked"],
    }


def measure(commit: str, workbenches: int = 3, rounds: int = 7) -> dict[str, Any]:
    """Reload both builds in turn.

    Returns:
        ``before`` and ``now``, each with ``state_bytes`` and a list of milliseconds for each time; ``ratio`` of the
        medians, now / before.
    """
    with tempfile.TemporaryDirectory() as temporary, checked_out(commit, Path(temporary)) as old:
        folder = Path(temporary)
        (folder / "empty").mkdir()
        lab = Lab(folder, folder / "empty")
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
                builds = {"before": old, "now": PROJECT}
                pages = {
                    name: open_page(browser, lab, f"{name}.ipynb", project, workbenches)
                    for name, project in builds.items()
                }
                figures: dict[str, Any] = {name: {"state_bytes": size} for name, (_, size) in pages.items()}
                for round_ in range(-1, rounds):  # the first is not counted: Chromium has its caches to fill
                    for name in list(pages) if round_ % 2 else reversed(list(pages)):
                        for time, value in reload(pages[name][0]).items():
                            if round_ >= 0:
                                figures[name].setdefault(time, []).append(value)
                browser.close()
        finally:
            lab.stop()
    medians = {
        name: {time: statistics.median(values) for time, values in build.items() if isinstance(values, list)}
        for name, build in figures.items()
    }
    figures["ratio"] = {time: medians["now"][time] / medians["before"][time] for time in medians["now"]}
    return figures


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reload", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("commit", help="the other build")
    parser.add_argument("--workbenches", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    figures = measure(options.commit, options.workbenches, options.rounds)
    for name in ("before", "now"):
        build = figures[name]
        print(f"{name}: {build['state_bytes'] / 1e3:.0f} kB of widget state")
        for time in ("whole", "widgets", "states"):
            values = build[time]
            low, middle, high = min(values), statistics.median(values), max(values)
            print(f"  {time}: {middle:.0f} ms ({low:.0f}–{high:.0f})")
    print("ratio now / before: " + ", ".join(f"{time} {ratio:.2f}" for time, ratio in figures["ratio"].items()))
    keep(figures, options.out)


if __name__ == "__main__":
    main()
