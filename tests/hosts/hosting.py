"""Hosts of widgets other than ours: each installed from PyPI into an environment of its own, and started there."""

from __future__ import annotations

import json
import os
import re
import site
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from tests.support.browser import write_notebook
from tests.support.server import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "hosts"  # each server listens to this machine only
# A clip whose frames show their numbers, and numbers that Python knows; the same in each process.
MAKE = "trace = FakeTrace(24, calibrated=True)\nwb = Workbench(trace, frame=7, joint='left_wrist')"
SETUP = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom tests.support.fake_trace import FakeTrace\n"
SETUP += "from widgets import Workbench\n"
_NEEDED = ("anywidget", "ipywidgets", "ipykernel")


@dataclass(frozen=True)
class Host:
    """A host, and how it is started.

    Attributes:
        name: as in docs/hosts.md.
        package: what is installed from PyPI.
        kind: ``"jupyter"`` (a notebook, whose cells are run by its menu), ``"voila"`` or ``"marimo"``.
    """

    name: str
    package: str
    kind: str


HOSTS = {
    host.name: host
    for host in (
        Host("JupyterLab 4.4", "jupyterlab==4.4.*", "jupyter"),
        Host("JupyterLab", "jupyterlab", "jupyter"),
        Host("Notebook", "notebook", "jupyter"),
        Host("Voilà", "voila", "voila"),
        Host("marimo", "marimo", "marimo"),
    )
}


class Environment:
    """A Python environment with a host in it. Of the project's own environment it takes what it lacks, such as PyTorch.

    Attributes:
        version: version of the host.
    """

    def __init__(self, host: Host, folder: Path):
        self.host, self.folder = host, folder
        self.python = folder / "bin" / "python"
        if not self.python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, host.package, *_NEEDED], check=True)
        packages = next((folder / "lib").glob("python*")) / "site-packages"
        # Behind the environment's own packages, so that the host and its parts are those of PyPI.
        ours = dict.fromkeys([sysconfig.get_path("purelib"), *site.getsitepackages()])
        (packages / "zz_project.pth").write_text("\n".join(ours) + "\n")
        name = re.split("[=<>]", host.package)[0]
        asked = f"import importlib.metadata as m; print(m.version({name!r}))"
        self.version = subprocess.check_output([str(self.python), "-c", asked], text=True).strip()


class Running:
    """A started host with a page that shows a workbench.

    Args:
        environment: where it is installed.
        folder: for its notebook, settings and log.
        theme: ``"light"`` or ``"dark"``.

    Attributes:
        url: the address of the page.
    """

    def __init__(self, environment: Environment, folder: Path, theme: str):
        self.environment, self.folder, self.theme = environment, folder, theme
        self.log = folder / "server.log"
        variables = {name: value for name, value in os.environ.items() if name != "JUPYTER_TOKEN"}
        for kind in ("CONFIG", "RUNTIME", "DATA"):
            variables[f"JUPYTER_{kind}_DIR"] = str(folder / kind.lower())
        variables |= {
            "IPYTHONDIR": str(folder / "ipython"), "XDG_CONFIG_HOME": str(folder / "xdg"), "DKD_ENGINE": "torch",
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "lab"), "JUPYTER_PREFER_ENV_PATH": "1", "OMP_NUM_THREADS": "1",
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        }  # fmt: skip
        arguments, announced = getattr(self, f"_{environment.host.kind}")(folder)
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(environment.python), "-m", *arguments], cwd=folder, env=variables, stdout=output,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            self.url = self._wait(announced)
        except BaseException:
            self.stop()
            raise

    def _jupyter(self, folder: Path) -> tuple[Sequence[str], str]:
        write_notebook(folder / "page.ipynb", SETUP + MAKE + "\nwb")
        settings = folder / "lab" / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps({"theme": f"JupyterLab {self.theme.title()}"}))
        notify = settings.with_name("notification.jupyterlab-settings")
        notify.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
        name, path = ("jupyterlab", "lab/tree") if "lab" in self.environment.host.package else ("notebook", "notebooks")
        arguments = [
            name, "--no-browser", "--ServerApp.port=0", "--ServerApp.allow_root=True",
            f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}",
        ]  # fmt: skip
        self._path = f"{path}/page.ipynb?token={TOKEN}"
        return arguments, r"(http://127\.0\.0\.1:\d+/)\S*\?token="

    def _voila(self, folder: Path) -> tuple[Sequence[str], str]:
        write_notebook(folder / "page.ipynb", SETUP + MAKE + "\nwb")
        self._path = ""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        arguments = ["voila", "page.ipynb", "--no-browser", f"--port={port}", f"--theme={self.theme}"]
        return arguments, r"(http://(?:localhost|127\.0\.0\.1):\d+/)"

    def _marimo(self, folder: Path) -> tuple[Sequence[str], str]:
        cell = indent(f"{SETUP}{MAKE}\nwb\nreturn", "    ")
        (folder / "page.py").write_text(f"import marimo\n\napp = marimo.App()\n\n\n@app.cell\ndef _():\n{cell}\n")
        settings = folder / "xdg" / "marimo" / "marimo.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text(f'[display]\ntheme = "{self.theme}"\n')
        self._path = ""
        return ["marimo", "run", "page.py", "--headless", "--no-token"], r"(http://(?:localhost|127\.0\.0\.1):\d+/?)"

    def _wait(self, announced: str) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := re.search(announced, self.log.read_text(errors="replace")):
                return found[1].rstrip("/") + "/" + self._path
            time.sleep(0.1)
        raise RuntimeError(f"{self.environment.host.name} did not start:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        """Stop it, with its kernels."""
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
