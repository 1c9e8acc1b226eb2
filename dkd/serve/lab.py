"""Start JupyterLab for the workbench: on this machine only, with a random token and without delays of small messages.

Jupyter's kernel websocket uses Nagle's algorithm: the kernel's answer to a moved slider consists of several small
messages, and all but the first wait for the browser's delayed acknowledgement, about 40 ms. The server runs inside this
process, so that this can be switched off when a connection opens; the user's own Jupyter settings are never changed.
"""

from __future__ import annotations

import functools
import logging
import os
import secrets
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dkd.errors import ConfigError

PROJECT_ROOT = Path(__file__).resolve().parents[2]
START_NOTEBOOK = PROJECT_ROOT / "notebooks" / "00_start_here.ipynb"
LAB_DEFAULTS = Path(__file__).resolve().parent / "jupyter_config"
DEFAULT_PORT = 8888
# A browser sends them with requests of the page itself only, not of other sites.
COOKIES = {"samesite": "Strict"}


def run_lab(
    notebook: Path | None = None,
    *,
    port: int = DEFAULT_PORT,
    open_browser: bool = True,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve JupyterLab with ``notebook`` open, until stopped.

    Settings and open tabs are stored in the Python environment that runs the workbench (in ``JUPYTER_CONFIG_DIR`` if
    set), and kernels use this Python environment.

    Args:
        notebook: the notebook to open; by default the first lesson. Lab shows the project's folder, or the notebook's
            folder if it is outside the project.
        port: the port to serve on; if it is in use, the next free one.
        open_browser: whether to open the page in the user's browser.
        announce: called once with the URL, including the token, when the server accepts connections.

    Raises:
        ConfigError: the notebook does not exist, or there is no such port.
    """
    notebook = existing_notebook(notebook)
    if not 0 <= port <= 65535:
        raise ConfigError(f"expected a port in 0..65535, got {port}; leave it out to get {DEFAULT_PORT}")
    set_jupyter_environment()
    from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
    from jupyterlab.labapp import LabApp

    send_at_once(KernelWebsocketHandler)
    # Other users of the machine could read a token in a process's arguments; these stay inside this process.
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_urlsafe(32)
    keep_out_of_logs(token)
    server = LabApp.initialize_server(argv=server_arguments(notebook, port, open_browser, token))
    if announce is not None:
        # Jupyter's own URLs hide the token, so copying them would not work. The server listens once its loop runs.
        url = f"http://127.0.0.1:{server.port}{server.default_url}?token={quote(token)}"
        server.io_loop.add_callback(announce, url)
    server.start()


def keep_out_of_logs(secret: str) -> None:
    """Replace a token in every line that this process logs from now on: servers log addresses, which contain it."""
    make_record = logging.getLogRecordFactory()

    def without_secret(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        with suppress(Exception):  # a record that cannot be formatted is reported by logging itself
            if secret in (message := record.getMessage()):
                record.msg, record.args = message.replace(secret, "[secret]"), None
        return record

    logging.setLogRecordFactory(without_secret)


def existing_notebook(notebook: Path | None) -> Path:
    """Return the absolute path of ``notebook``, by default of the first lesson.

    Raises:
        ConfigError: the notebook does not exist.
    """
    notebook = (START_NOTEBOOK if notebook is None else notebook).resolve()
    if not notebook.is_file() or notebook.suffix != ".ipynb":
        raise ConfigError(f"expected a notebook (.ipynb) to open, got {notebook}; choose another one")
    return notebook


def server_arguments(notebook: Path, port: int, open_browser: bool, token: str) -> list[str]:
    """Return the command-line arguments of ``jupyter lab`` for :func:`run_lab`; ``notebook`` is an absolute path."""
    root = PROJECT_ROOT if notebook.is_relative_to(PROJECT_ROOT) else notebook.parent
    arguments = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={root}",
        f"--IdentityProvider.token={token}",
        f"--IdentityProvider.cookie_options={COOKIES!r}",
        f"--ServerApp.tornado_settings={ {'xsrf_cookie_kwargs': {**COOKIES, 'path': '/'}}!r}",
        f"--ServerApp.open_browser={open_browser}",
        f"--LabApp.default_url=/lab/tree/{quote(notebook.relative_to(root).as_posix())}",
        # Lets scripts in the page, such as browser tests, call Lab's commands.
        "--LabApp.expose_app_in_browser=True",
        # No network requests: no extension listing, no update check (and no news, see jupyter_config/).
        "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--ServerApp.log_level=WARN",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Jupyter refuses root by default; in a container it is often the only user, and only this machine is served.
        arguments.append("--ServerApp.allow_root=True")
    return arguments


def set_jupyter_environment() -> None:
    """Set Jupyter's configuration folders for this process and its kernels; call it before importing Jupyter."""
    os.environ.setdefault("JUPYTER_CONFIG_DIR", str(Path(sys.prefix) / "etc" / "dkd-jupyter"))
    # Defaults of the workbench: Lab does not ask about news at the first start, and Voilà, which would serve pictures
    # without authentication, is disabled (``dkd demo`` starts it separately). Widget messages do not use subshells of
    # the kernel: when a page is reloaded, Lab deletes subshells to which it still sends messages, which are then lost.
    inherited = os.environ.get("JUPYTER_CONFIG_PATH", "").split(os.pathsep)
    paths = dict.fromkeys([str(LAB_DEFAULTS), *filter(None, inherited)])
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(paths)
    # Otherwise a kernel called python3 in the user's home would take precedence over the environment's own.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"


def send_at_once(handler: type[Any]) -> None:
    """Make all websockets of ``handler`` (a tornado ``WebSocketHandler`` with an async ``open``) send without delay.

    This sets TCP_NODELAY when a connection opens. Wrapping the same class twice is harmless.
    """
    open_connection = handler.open

    @functools.wraps(open_connection)
    async def open_without_delay(self: Any, *args: Any, **kwargs: Any) -> None:
        self.set_nodelay(True)
        await open_connection(self, *args, **kwargs)

    handler.open = open_without_delay
