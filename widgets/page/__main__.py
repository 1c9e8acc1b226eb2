"""What ``dkd page`` runs: its only argument are the settings of :mod:`dkd.cli.page`, as JSON."""

from __future__ import annotations

import argparse
import json
import logging
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dkd.cli.track import check_frames, people_of
from dkd.cli.words import Spoken, as_options
from dkd.engines.choice import accelerate
from dkd.errors import ConfigError, DKDError
from dkd.models.checkpoints import load_model
from dkd.sessions.session import ENDING, Session
from dkd.tracking.conditions import Conditions
from dkd.tracking.progress import Preparation
from dkd.tracking.reinitialise import Reinitialise
from dkd.tracking.two_way import trace_person
from dkd.video.clip import Clip
from dkd.video.ranges import ClipRange
from widgets.page.page import save_page

_ONE = "person"  # name of the only person


def main(settings: str) -> int:
    """Write a page, and return the exit status of the command."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(Spoken())
    given = json.loads(settings)
    given |= {"video": Path(given["video"]), "out": Path(given["out"])}
    return run_command(write, argparse.Namespace(**given))


def run_command(write: Callable[[argparse.Namespace], None], arguments: argparse.Namespace) -> int:
    """Write a page, say what is wrong in the command's words, and return its exit status."""
    try:
        write(arguments)
        return 0
    except DKDError as error:
        print(f"dkd: {as_options(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("dkd: stopped; nothing was written", file=sys.stderr)
        return 130


def write(arguments: argparse.Namespace) -> None:
    """Track the people and write the page.

    Raises:
        DKDError: as :func:`widgets.save_page`, or the video, the people or the model do not fit.
    """
    frames = _frames(arguments.frames)
    if not (math.isfinite(arguments.max_mb) and arguments.max_mb > 0):
        raise ConfigError(f"expected the largest size in MB, such as --max-mb 8, got {arguments.max_mb:g}")
    if arguments.video.name.endswith(ENDING):
        session = Session.load(arguments.video)
        _save(session, session.start, frames, arguments)
        return
    people = people_of(arguments)
    policy = Reinitialise() if arguments.reinitialise else None
    conditions = Conditions(reinitialise=policy, square=arguments.square, refine=arguments.refine)
    with Preparation(not arguments.quiet) as prepared:
        model = accelerate(load_model(arguments.model).eval(), arguments.engine, prepared)
    with Clip(arguments.video, fps=arguments.fps) as clip:
        part = ClipRange(clip, arguments.start, arguments.stop)
        check_frames(people, part)
        if frames is not None and not part.start <= frames.start < frames.stop <= part.stop:
            raise ConfigError(
                f"expected --frames FIRST:STOP among the frames that are tracked, {part.start}:{part.stop}, got "
                f"{arguments.frames}"
            )
        traces = {}
        for one in people:
            at = None if one.frame is None else one.frame - part.start
            name = _ONE if one.name is None else one.name
            traces[name] = trace_person(model, part, one.box, at, conditions, progress=not arguments.quiet)
            if not traces[name].complete:
                raise KeyboardInterrupt
        _save(traces, part.start, frames, arguments)


def _frames(text: str | None) -> range | None:
    """Return the frames of ``--frames FIRST:STOP``, in numbers of the video."""
    if text is None:
        return None
    try:
        first, stop = (int(number) for number in text.split(":"))
    except ValueError:
        raise ConfigError(f"expected --frames FIRST:STOP, such as --frames 40:90, got {text!r}") from None
    return range(first, stop)


def _save(run: Any, start: int, frames: range | None, arguments: argparse.Namespace) -> None:
    with tqdm(unit="step", desc=arguments.out.name, disable=True if arguments.quiet else None, leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        page = save_page(
            run, arguments.out, frames=None if frames is None else range(frames.start - start, frames.stop - start),
            caption=arguments.caption, licence=arguments.licence, max_mb=arguments.max_mb,
            pictures=arguments.pictures, progress=progress,
        )  # fmt: skip
    if not arguments.quiet:
        print(page)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
