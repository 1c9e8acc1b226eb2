"""What ``dkd page --live`` runs: its only argument are the settings of :mod:`dkd.cli.page`, as JSON."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from dkd.cli.track import people_of
from dkd.video.clip import Clip
from dkd.video.ranges import ClipRange
from widgets.live_page.live_page import save_live_page
from widgets.page.__main__ import run_command


def main(settings: str) -> int:
    """Write a live page, and return the exit status of the command."""
    return run_command(write, argparse.Namespace(**json.loads(settings)))


def write(arguments: argparse.Namespace) -> None:
    """Write the page.

    Raises:
        DKDError: as :func:`widgets.save_live_page`, or the video cannot be read.
    """
    (one,) = people_of(arguments)
    with _sample(arguments) as clip:
        page = save_live_page(
            Path(arguments.out), arguments.model, clip, one.box, max_mb=arguments.max_mb,
            progress=None if arguments.quiet else print,
        )  # fmt: skip
    if not arguments.quiet:
        print(page)


@contextlib.contextmanager
def _sample(arguments: argparse.Namespace) -> Iterator[ClipRange | None]:
    """Open the part of the video that becomes the sample; ``None``: the shipped clip."""
    if arguments.video is None:
        yield None
        return
    with Clip(Path(arguments.video), fps=arguments.fps) as clip:
        yield ClipRange(clip, arguments.start, arguments.stop)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
