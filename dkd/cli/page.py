"""The command ``dkd page``.

The views are in ``widgets``, which the library does not import. So they are run as ``dkd lab`` runs JupyterLab: in a
process of their own, ``python -m widgets.page``, which is told what this command was told.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from dkd.cli.outputs import check_new
from dkd.cli.track import add_tracking_options
from dkd.errors import ConfigError
from dkd.io.files import check_place
from dkd.io.paths import DEFAULT_MODEL

LIVE_MODEL = "dkd-mobilenetv2"


def add_page_command(commands: Any) -> None:
    """Add the command to argparse's subparsers ``commands``."""
    page = commands.add_parser(
        "page", help="track people in a video and write all views as one HTML file, which opens without a server",
        description="Track people in a video and write all views as one HTML file, which opens without a server. "
        "Instead of a video, VIDEO may be a session of the studio (clip.dkd.json): its people are tracked again. With "
        "--live, the model itself runs in the page, and VIDEO is the sample that it begins with.",
    )  # fmt: skip
    add_tracking_options(page, needs_video=False)
    page.set_defaults(model=None)
    page.add_argument(
        "--live", action="store_true",
        help="write a page that tracks any video that is dropped on it; VIDEO is optional (default: the shipped clip), "
        "and of the options only --box, --fps, --start, --stop, --model, --max-mb, --force and --quiet count; the "
        f"default --model is {LIVE_MODEL}, as kernels made at the joints do not run in a page",
    )  # fmt: skip
    page.add_argument("-o", "--out", type=Path, required=True, help="the page, .html")
    page.add_argument("--frames", metavar="FIRST:STOP", help="frames of the video in the page (default: all tracked)")
    page.add_argument("--max-mb", type=float, help="largest size in MB (default: 20, and 40 with --live)")
    page.add_argument(
        "--pictures", choices=["auto", "stills", "film"], default="auto",
        help="stills for every browser, or a film, which is smaller (default: stills where they fit)",
    )  # fmt: skip
    page.add_argument("--caption", default="", help="text above the views, such as what to look for")
    page.add_argument("--licence", default="", help="licence of the video, named in the page")
    page.add_argument("--force", action="store_true", help="replace an existing file")
    page.add_argument("--quiet", action="store_true", help="print only errors, and no progress bar")
    page.set_defaults(command=_page)


def _page(arguments: argparse.Namespace) -> int:
    check_new(arguments.out, arguments.force)
    if arguments.live:
        _check_live(arguments)
    elif arguments.video is None:
        raise ConfigError("expected a video, such as dkd page walk.mp4 -o walk.html; only --live does without one")
    if arguments.model is None:
        arguments.model = LIVE_MODEL if arguments.live else DEFAULT_MODEL
    if arguments.max_mb is None:
        arguments.max_mb = 40.0 if arguments.live else 20.0
    check_place(arguments.out)
    given = {name: value for name, value in vars(arguments).items() if name != "command"}
    module = "widgets.live_page" if arguments.live else "widgets.page"
    code = str(Path(__file__).resolve().parents[2])  # widgets lies next to dkd
    paths = [code, *filter(None, [os.environ.get("PYTHONPATH")])]
    # -P: a folder `widgets` in the current folder is not taken for ours.
    command = [sys.executable, "-P", "-m", module, json.dumps(given, default=os.fspath)]
    try:
        return subprocess.run(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)}).returncode
    except KeyboardInterrupt:
        return 130


def _check_live(arguments: argparse.Namespace) -> None:
    """Raise ConfigError for options that a live page has no use for: people are chosen, and tracked, in the page."""
    defaults = {
        "person": None,
        "engine": None,
        "reinitialise": False,
        "refine": False,
        "frames": None,
        "pictures": "auto",
        "caption": "",
        "licence": "",
    }
    for name, default in defaults.items():
        if getattr(arguments, name) != default:
            raise ConfigError(f"--{name} has no meaning with --live: the page tracks by itself; leave it out")
