"""A real JupyterLab and a real browser for the tests: start the server, open a notebook, run it, take a picture."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import nbformat
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

OUTPUT = Path(__file__).parent / "output"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",  # with it, Chromium refuses to run as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# What takes a second on a quiet machine takes a minute on a busy one; waits only bound a hang.
PATIENCE_S = 300.0

_PANEL = "window.jupyterapp?.shell?.currentWidget"
_RUN_ALL = f"""async () => {{
    const panel = {_PANEL};
    await panel.sessionContext.ready;
    await window.jupyterapp.commands.execute('notebook:run-all-cells');
    return panel.content.widgets.flatMap((cell, index) => (cell.model.outputs?.toJSON() ?? [])
        .filter((output) => output.output_type === 'error')
        .map((output) => `cell ${{index}}: ${{output.ename}}: ${{output.evalue}}\\n${{output.traceback.join('\\n')}}`));
}}"""


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


@dataclass
class Lab:
    """A running JupyterLab.

    Attributes:
        root: the folder that it shows; tests may write notebooks there.
        process: the server.
        log: file with what the server printed.
        printed_url: the address that it printed for its user.
    """

    root: Path
    process: subprocess.Popen[bytes]
    log: Path
    printed_url: str = ""

    @classmethod
    def start(cls, folder: Path, notebooks: Path, data: Path | None = None, port: int = 0) -> Lab:
        """Start ``dkd lab`` on a copy of ``notebooks``; settings, runtime files and the copy lie in ``folder``.

        Args:
            folder: for all that it writes.
            notebooks: to be copied.
            data: the data folder that notebooks see; the project's own by default.
            port: to serve on, or near it if it is taken. By default any free one: two workers that looked for the next
                free one at the same time would find the same.
        """
        root, log = folder / "root", folder / "lab.log"
        shutil.copytree(notebooks, root, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        first = root / "harness.ipynb"
        _write_notebook(first)
        environment = {name: value for name, value in os.environ.items() if name != "JUPYTER_TOKEN"}
        for kind in ("CONFIG", "RUNTIME", "DATA"):
            environment[f"JUPYTER_{kind}_DIR"] = str(folder / kind.lower())
        environment["IPYTHONDIR"] = str(folder / "ipython")  # of its own, too: the history is a file that kernels lock
        if data is not None:
            environment["DKD_DATA"] = str(data)
        command = [sys.executable, "-m", "dkd.cli", "lab", "--no-browser", "--port", str(port), str(first)]
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        lab = cls(root, process, log)
        try:
            lab.printed_url = lab._wait_for_url()
        except BaseException:
            process.kill()
            process.wait()
            raise
        return lab

    @property
    def url(self) -> str:
        """Address of the server, without a slash at the end."""
        return "http://" + urlsplit(self.printed_url).netloc

    @property
    def token(self) -> str:
        """What the server lets its user in with."""
        return parse_qs(urlsplit(self.printed_url).query)["token"][0]

    def request(self, method: str, path: str) -> Any:
        """Ask the server's REST interface; the decoded JSON answer, None where it is empty."""
        headers = {"Authorization": f"token {self.token}"}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, method=method, headers=headers)) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def write_notebook(self, name: str, *sources: str) -> str:
        """Write a notebook with a code cell for each of ``sources``; returns its name for :func:`open_notebook`."""
        _write_notebook(self.root / name, *sources)
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

    def _wait_for_url(self) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := re.search(r"JupyterLab runs at (\S+)\n", self.log.read_text()):
                return found[1]
            time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()[-3000:]}")


def _write_notebook(path: Path, *sources: str) -> None:
    # Without a kernel's name Lab would ask for one in a dialog.
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)


def open_notebook(page: Page, lab: Lab, name: str) -> None:
    """Open the notebook ``name`` (path below ``lab.root``) alone in Lab, without the side bar, kernel ready."""
    # `reset` drops the tabs of the test before; simple mode leaves the whole page to one document.
    page.goto(f"{lab.url}/doc/tree/{name}?reset&token={lab.token}")
    page.wait_for_function(f"() => {_PANEL}?.sessionContext?.session?.kernel != null")
    page.evaluate(f"async () => {{ await {_PANEL}.sessionContext.ready; }}")


def reload(page: Page, view: str) -> None:
    """Load the page again until ``view`` (a selector) is there: as a user would, at most four times.

    anywidget gives a widget two seconds to start; on a busy machine that is too little now and then, and its view stays
    away until the page is loaded again.
    """
    for _ in range(3):
        page.reload()
        try:
            page.locator(view).first.wait_for(timeout=40e3)
            return
        except PlaywrightTimeout:
            continue
    page.reload()
    page.locator(view).first.wait_for()


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
    while page.evaluate(f"(names) => names.map((name) => {view}.get(name))", names) != python(
        page, f"[getattr({kernel}, name) for name in {names}]"
    ):
        page.wait_for_timeout(50)


def screenshot(page: Page, name: str) -> Path:
    """Save what is on the page as ``tests/output/<name>.png`` and return its path."""
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / f"{name}.png"
    page.screenshot(path=path)
    return path
