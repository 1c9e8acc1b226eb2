"""The command ``dkd open``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dkd.serve.lab import DEFAULT_PORT, run_lab
from dkd.serve.studio_notebook import studio_notebook


def add_open_command(commands: Any) -> None:
    """Add the command to argparse's subparsers ``commands``."""
    command = commands.add_parser("open", help="open a video, a folder of images or a session in JupyterLab")
    command.add_argument("video", type=Path, help="video, folder of images, pattern (im_%%05d.png), or .dkd.json")
    command.add_argument(
        "--out", type=Path, metavar="FOLDER", help="folder of the notebook that is made (default: next to the video)"
    )
    command.add_argument("--port", type=int, default=DEFAULT_PORT, help="default: %(default)s, or the next free one")
    command.add_argument("--no-browser", action="store_true", help="do not open a browser; the URL is printed anyway")
    command.set_defaults(command=_open)


def _open(arguments: argparse.Namespace) -> int:
    check_openable(arguments.video)
    notebook = studio_notebook(arguments.video, arguments.out)

    def announce(url: str) -> None:
        print(
            f"{notebook} is open at {url}\nRun its cell with Shift-Enter. Stop JupyterLab with Ctrl-C, twice.",
            flush=True,
        )

    run_lab(notebook, port=arguments.port, open_browser=not arguments.no_browser, announce=announce)
    return 0


def check_openable(path: Path) -> None:
    """Check that a video or a session can be opened, before JupyterLab is started.

    Raises:
        VideoError: the video cannot be used.
        SessionError: the session cannot be used.
    """
    if path.name.endswith(".json"):
        from dkd.sessions.session import Session

        Session.load(path)
        return
    from dkd.video.clip import Clip

    Clip(path).close()
