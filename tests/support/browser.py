"""A real JupyterLab and a real browser for the tests: start the server, open a notebook, run it, take a picture."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import FloatRect, Locator, Page

from tests.support.server import Server, until

OUTPUT = Path(__file__).parents[1] / "output"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",  # with it, Chromium refuses to run as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",  # a moving test picture stands for the webcam
]

_PANEL = "window.jupyterapp?.shell?.currentWidget"
_KERNEL = f"{_PANEL}?.sessionContext?.session?.kernel"
_RUN_ALL = f"""async () => {{
    const panel = {_PANEL};
    await panel.sessionContext.ready;
    await window.jupyterapp.commands.execute('notebook:run-all-cells');
    return panel.content.widgets.flatMap((cell, index) => (cell.model.outputs?.toJSON() ?? [])
        .filter((output) => output.output_type === 'error')
        .map((output) => `cell ${{index}}: ${{output.ename}}: ${{output.evalue}}\\n${{output.traceback.join('\\n')}}`));
}}"""

# Whether views, canvases and plots have the sizes and places that they had when this was last asked. An animation frame
# paints what was scheduled for it, and what follows from that is scheduled for the next one.
_UNCHANGED = """async () => {
    for (let i = 0; i < 4; i++) await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const seen = [...document.querySelectorAll('.dkd, canvas, .js-plotly-plot')].map((e) => {
        const { x, y, width, height } = e.getBoundingClientRect();
        return [x, y, width, height].map(Math.round);
    });
    const now = JSON.stringify([innerWidth, seen]);
    const before = window.dkdSeen;
    window.dkdSeen = now;
    return now === before;
}"""


def find_chromium() -> str:
    """Path of a Chromium: ``DKD_CHROMIUM`` if set, else the first of the usual names on the PATH.

    Raises:
        RuntimeError: there is none. Tests without a browser would prove nothing, so this is a failure, not a skip.
    """
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("DKD_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if not found:
        raise RuntimeError(f"expected a browser ({', '.join(names)}), found none; install one or set DKD_CHROMIUM")
    return found


class Lab(Server):
    """A running ``dkd lab`` on a copy of notebooks.

    Args:
        folder: for all that it writes.
        notebooks: to be copied.
        data: the data folder that notebooks see; the project's own by default.
        port: to serve on, or near it if it is taken. By default any free one: two workers that looked for the next free
            one at the same time would find the same.

    Attributes:
        root: the folder that it shows; tests may write notebooks there.
    """

    def __init__(self, folder: Path, notebooks: Path, data: Path | None = None, port: int = 0):
        self.root = folder / "root"
        shutil.copytree(notebooks, self.root, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        first = self.root / "harness.ipynb"
        write_notebook(first)
        # A kernel that is stopped is killed at once: it has nothing to save, and to take torch apart takes it a second.
        (folder / "config").mkdir(exist_ok=True)
        settings = {"KernelManager": {"shutdown_wait_time": 0.0}}
        (folder / "config" / "jupyter_server_config.json").write_text(json.dumps(settings))
        super().__init__(["lab", "--no-browser", "--port", str(port), str(first)], folder, "JupyterLab runs at", data)

    def request(self, method: str, path: str) -> Any:
        """Ask the server's REST interface; the decoded JSON answer, None where it is empty."""
        headers = {"Authorization": f"token {self.token}"}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, method=method, headers=headers)) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def write_notebook(self, name: str, *sources: str) -> str:
        """Write a notebook with a code cell for each of ``sources``; returns its name for :func:`open_notebook`."""
        write_notebook(self.root / name, *sources)
        return name

    def stop_kernels(self) -> None:
        """Stop every kernel, so that what one test computed does not weigh on the next."""
        for kernel in self.request("GET", "/api/kernels"):
            self.request("DELETE", f"/api/kernels/{kernel['id']}")

    def stop(self) -> None:
        """Stop the kernels, then the server: a server that is killed first leaves its kernels behind."""
        if self.process.poll() is None:
            self.stop_kernels()
            self.process.terminate()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def write_notebook(path: Path, *sources: str) -> None:
    """Write a notebook with a code cell for each of ``sources``."""
    # Without a kernel's name Lab would ask for one in a dialog.
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)


def open_notebook(page: Page, lab: Lab, name: str) -> None:
    """Open the notebook ``name`` (path below ``lab.root``) alone in Lab, without the side bar, kernel ready."""
    # `reset` drops the tabs of the test before; simple mode leaves the whole page to one document.
    page.goto(f"{lab.url}/doc/tree/{name}?reset&token={lab.token}")
    wait_for_kernel(page)


def wait_for_kernel(page: Page) -> None:
    """Wait until the open notebook's kernel is ready; a server that starts one cannot say yet which there are."""
    page.wait_for_function(f"() => {_KERNEL} != null")
    page.evaluate(f"async () => {{ await {_PANEL}.sessionContext.ready; }}")


def switch_notebook(page: Page, lab: Lab, name: str) -> None:
    """Open the notebook ``name`` in the Lab that the page shows, in place of what is open there; kernel ready.

    As a student goes from lesson to lesson: Lab's own page is loaded once. What was open is closed without being saved,
    and its kernel is stopped.
    """
    close_notebooks(page, lab)
    page.evaluate("(path) => window.jupyterapp.commands.execute('docmanager:open', { path }).then(() => {})", name)
    page.wait_for_function(f"(path) => {_PANEL}?.sessionContext?.path === path", arg=name)
    wait_for_kernel(page)


def close_notebooks(page: Page, lab: Lab) -> None:
    """Close all notebooks that the page shows, and stop all kernels: what was computed does not weigh on the next."""
    page.evaluate(
        "() => [...window.jupyterapp.shell.widgets('main')].filter((w) => w.sessionContext).forEach((w) => w.dispose())"
    )
    lab.stop_kernels()


@contextmanager
def opened(page: Page, lab: Lab, name: str, *sources: str, width: int = 1600, height: int = 1000) -> Iterator[Page]:
    """The page with a new notebook ``name`` of these cells, which have run. It is closed at the end."""
    page.set_viewport_size({"width": width, "height": height})
    switch_notebook(page, lab, lab.write_notebook(name, *sources))
    assert run_all(page) == []
    yield page
    close_notebooks(page, lab)


def run_all(page: Page) -> list[str]:
    """Run all cells of the open notebook, wait for the last, and return the errors as text: empty if all went well."""
    errors: list[str] = page.evaluate(_RUN_ALL)
    return errors


def python(page: Page, code: str) -> Any:
    """Run ``code`` in the notebook's kernel and return the value of its last line, if that is an expression of JSON."""
    statement, _, expression = ("\n" + code).rpartition("\n")
    try:
        compile(expression, "", "eval")
    except SyntaxError:
        statement, expression = code, "None"
    answer = page.evaluate(
        """async ([code, expression]) => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const { content } = await kernel.requestExecute({ code, user_expressions: { out: expression } }).done;
            return content.status === 'ok' ? content.user_expressions.out : content;
        }""",
        [f"import json\n{statement}", f"json.dumps({expression})"],
    )
    assert answer["status"] == "ok", answer
    text = answer["data"]["text/plain"]
    return json.loads(text[1:-1].replace("\\\\", "\\").replace("\\'", "'"))


def settle(page: Page, view: str, kernel: str) -> None:
    """Wait until the kernel has heard all that the browser did with a cursor, which would undo what a test sets next.

    ``view`` is the cursor's JavaScript, ``kernel`` its Python. ipywidgets holds a message back while the one before it
    is on its way, so that the browser has nothing unsaved does not say that the kernel has heard it.
    """
    page.wait_for_function(f"() => {view}.unsaved.size === 0")
    names = ["frame", "joint", "cell", "range"]
    seen = f"(names) => names.map((name) => {view}.get(name))"
    heard = f"[getattr({kernel}, name) for name in {names}]"
    until(lambda: page.evaluate(seen, names) == python(page, heard))


def expect_python(page: Page, code: str, expected: object) -> None:
    """Wait until ``code`` has this value in the notebook's kernel: it is told later of what the browser did."""
    said: list[Any] = []

    def agrees() -> bool:
        said[:] = [python(page, code)]
        return said == [expected]

    try:
        until(agrees)
    except AssertionError:
        raise AssertionError(f"{code}: expected {expected!r}, the kernel says {said[0]!r}") from None


def at_rest(page: Page) -> None:
    """Wait until the page has done what it began: messages to the kernel and back, layout, painting.

    For a picture, and before a test asserts that something does not happen or is not there: all that is under way is
    then over. A page that is busy with something else makes this take longer, not end earlier.
    """

    def unchanged() -> bool:
        python(page, "None")  # the kernel answers one thing after the other, and the page hears in that order
        return bool(page.evaluate(_UNCHANGED))

    until(unchanged)


def place(target: Locator) -> FloatRect:
    """Where ``target`` lies in the window, in CSS pixels, once nothing on the page moves: for clicks and drags in it.

    A place that is asked for while the page is still being laid out is soon another element's.
    """
    until(lambda: bool(target.page.evaluate(_UNCHANGED)))
    box = target.bounding_box()
    assert box is not None, f"{target} is not shown"
    return box


def press_at_once(target: Locator, *keys: str) -> None:
    """Press keys on ``target`` faster than the page is painted, as on a busy machine."""
    press = "(e, keys) => keys.forEach((key) => e.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })))"
    target.evaluate(press, list(keys))


def show_in(page: Page, theme: str, width: int, height: int) -> None:
    """Give the page a theme of JupyterLab's ("Light" or "Dark") and a size, and wait until it is laid out so."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate(f"() => jupyterapp.commands.execute('apputils:change-theme', {{ theme: 'JupyterLab {theme}' }})")
    page.wait_for_function(f"() => document.body.dataset.jpThemeLight === '{str(theme == 'Light').lower()}'")
    page.wait_for_function(f"() => innerWidth === {width} && innerHeight === {height}")
    at_rest(page)


def screenshot(page: Page, name: str) -> Path:
    """Save what is on the page as ``tests/output/<name>.png`` and return its path."""
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / f"{name}.png"
    page.screenshot(path=path)
    return path
