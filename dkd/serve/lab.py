"""Starts JupyterLab for the workbench: on this machine only, behind a random token, without waiting on small messages.

Jupyter's kernel websocket leaves Nagle's algorithm on: the kernel's answer to a moved slider is several small messages,
and all but the first wait for the browser's delayed acknowledgement, some 40 ms. The server runs inside this process so
that the one call that mends it can be made where the connection opens; a user's own Jupyter settings are never touched.
"""

from __future__ import annotations

import functools
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dkd.errors import ConfigError

PROJECT_ROOT = Path(__file__).resolve().parents[2]
START_NOTEBOOK = PROJECT_ROOT / "notebooks" / "00_start_here.ipynb"
LAB_DEFAULTS = Path(__file__).resolve().parent / "jupyter_config"
DEFAULT_PORT = 8888


def run_lab(
    notebook: Path | None = None,
    *,
    port: int = DEFAULT_PORT,
    open_browser: bool = True,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve JupyterLab, opened on ``notebook``, until it is stopped.

    Settings and open tabs are kept in the Python environment that runs the workbench (in ``JUPYTER_CONFIG_DIR`` if that
    is set), and a kernel is this very Python.

    Args:
        notebook: the notebook to open; default the first lesson. Lab shows the project's folder, or the notebook's own
            folder if it lies outside the project.
        port: the port to serve on; the next free one is taken when it is in use.
        open_browser: open the page in the user's browser too.
        announce: is called once with the URL, token included, when the server accepts connections.

    Raises:
        ConfigError: there is no such notebook.
    """
    notebook = existing_notebook(notebook)
    set_jupyter_environment()
    from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
    from jupyterlab.labapp import LabApp

    send_at_once(KernelWebsocketHandler)
    # A token in the arguments of a process could be read by every user of the machine; these stay inside this one.
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_urlsafe(32)
    server = LabApp.initialize_server(argv=server_arguments(notebook, port, open_browser, token))
    if announce is not None:
        # Jupyter's own URLs hide the token; without it they are of no use to copy.
        announce(f"http://127.0.0.1:{server.port}{server.default_url}?token={quote(token)}")
    server.start()


def existing_notebook(notebook: Path | None) -> Path:
    """The absolute path of ``notebook``, by default of the first lesson.

    Raises:
        ConfigError: there is no such notebook.
    """
    notebook = (START_NOTEBOOK if notebook is None else notebook).resolve()
    if not notebook.is_file() or notebook.suffix != ".ipynb":
        raise ConfigError(f"expected a notebook (.ipynb) to open, got {notebook}, which is none; name another one")
    return notebook


def server_arguments(notebook: Path, port: int, open_browser: bool, token: str) -> list[str]:
    """Command-line arguments of ``jupyter lab`` for :func:`run_lab`; ``notebook`` is an absolute path."""
    root = PROJECT_ROOT if notebook.is_relative_to(PROJECT_ROOT) else notebook.parent
    arguments = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={root}",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.open_browser={open_browser}",
        f"--LabApp.default_url=/lab/tree/{quote(notebook.relative_to(root).as_posix())}",
        # Lets scripts in the page, the browser tests among them, call Lab's commands.
        "--LabApp.expose_app_in_browser=True",
        # Nothing asks the network: no extension listing, no update check (and no news, see jupyter_config/).
        "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--ServerApp.log_level=WARN",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Jupyter refuses root by default; in a container there is often no one else, and only this machine is served.
        arguments.append("--ServerApp.allow_root=True")
    return arguments


def set_jupyter_environment() -> None:
    """Tell Jupyter, in this process and its kernels, where settings lie; call it before its first import."""
    os.environ.setdefault("JUPYTER_CONFIG_DIR", str(Path(sys.prefix) / "etc" / "dkd-jupyter"))
    # Defaults of the workbench: Lab does not ask about news at the first start, and Voilà, which would serve pictures
    # to whoever asks, stays out of it (``dkd demo`` starts it by itself). Widgets' messages do not go over subshells of
    # the kernel: while a page is loaded anew Lab deletes subshells that it still sends to, and what is sent is lost.
    inherited = os.environ.get("JUPYTER_CONFIG_PATH", "").split(os.pathsep)
    paths = dict.fromkeys([str(LAB_DEFAULTS), *filter(None, inherited)])
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(paths)
    # A kernel called python3 in the user's home would otherwise be taken before the environment's own.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"


def send_at_once(handler: type[Any]) -> None:
    """Make every websocket of ``handler`` (a tornado ``WebSocketHandler`` with an async ``open``) send without delay.

    Sets TCP_NODELAY when a connection opens. Wrapping the same class twice is harmless.
    """
    open_connection = handler.open

    @functools.wraps(open_connection)
    async def open_without_delay(self: Any, *args: Any, **kwargs: Any) -> None:
        self.set_nodelay(True)
        await open_connection(self, *args, **kwargs)

    handler.open = open_without_delay
