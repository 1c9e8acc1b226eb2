"""The command ``dkd live``."""

from __future__ import annotations

import argparse
import csv
import json
import queue
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dkd.cli.outputs import check_new
from dkd.errors import ConfigError, DKDError
from dkd.io.escaping import csv_cell
from dkd.io.paths import DEFAULT_MODEL

if TYPE_CHECKING:
    from dkd.live.live import Live, Seen

_COLUMNS = ("frame", "time_s", "joint", "x", "y", "score", "confidence", "latency_ms")


def add_live_command(commands: Any) -> None:
    """Add the command to argparse's subparsers ``commands``."""
    live = commands.add_parser(
        "live", help="track a person in front of a camera, or in a video as if it were live, and print the joints"
    )
    live.add_argument("source", help="a camera's number or path (0, /dev/video0), or a video, played by its clock")
    live.add_argument("--box", help="the person in the first frame, x0,y0,x1,y1 in pixels (default: search the frame)")
    live.add_argument("--seconds", type=float, help="stop after so many seconds of the source (default: Ctrl-C)")
    live.add_argument("--loop", action="store_true", help="play a video again and again")
    live.add_argument(
        "--format", choices=["csv", "jsonl"], default="csv",
        help="what is printed: one row per joint per frame, or one JSON object per frame (default: %(default)s)",
    )  # fmt: skip
    live.add_argument(
        "--out", type=Path,
        help="also write all joints to a pose file at the end, as of dkd export-poses: .tidy.csv, .slp, .nc, …",
    )  # fmt: skip
    live.add_argument("--force", action="store_true", help="replace an existing file")
    live.add_argument(
        "--model", default=DEFAULT_MODEL, help="a shipped model or a checkpoint's path (default: %(default)s)"
    )
    live.add_argument(
        "--engine", choices=["auto", "torch", "onnxruntime", "openvino", "openvino-bf16", "cuda", "cuda-bf16"],
        help="what runs the network (default: the fastest on this machine, which is found out once)",
    )  # fmt: skip
    live.add_argument(
        "--refine", action="store_true",
        help="let the model's initializer make joints more exact, unlike the paper; the summary says what it costs",
    )  # fmt: skip
    live.add_argument("--quiet", action="store_true", help="print only joints and errors")
    live.set_defaults(command=_live)


def _live(arguments: argparse.Namespace) -> int:
    from dkd.cli.track import _box
    from dkd.formats.files import format_for
    from dkd.live.live import Live
    from dkd.live.sources import PlayedClip, as_source
    from dkd.tracking.conditions import Conditions
    from dkd.tracking.reinitialise import Reinitialise

    if arguments.seconds is not None and not arguments.seconds > 0:
        raise ConfigError(f"expected --seconds above 0, got {arguments.seconds:g}")
    if arguments.out is not None:
        if format_for(arguments.out).draws:  # before the run, not after it
            raise ConfigError(
                f"expected a pose file as --out, got {arguments.out.name}: the pictures of a live run are not kept. "
                "Record the video, and use dkd track"
            )
        check_new(arguments.out, arguments.force)
    box = None if arguments.box is None else _box(arguments.box)
    source = PlayedClip(arguments.source, loop=True) if arguments.loop else as_source(arguments.source)
    conditions = Conditions(reinitialise=Reinitialise(), refine=arguments.refine)
    live = Live(
        arguments.model, source, box, conditions, engine=arguments.engine, keep=60, progress=not arguments.quiet
    )  # fmt: skip
    write = _csv(live) if arguments.format == "csv" else _jsonl(live)
    closed: BrokenPipeError | None = None
    with _ends_on_signals():
        try:
            _print_all(live, write, arguments.seconds)
        except BrokenPipeError as error:  # the reader has seen enough: what was seen is kept all the same
            closed = error
    if arguments.out is not None and live.tracked:
        _record(live, arguments.out, arguments.seconds)
    if closed is not None:
        raise closed
    if not arguments.quiet:
        print(_summary(live), file=sys.stderr)
    if live.error is not None:
        raise live.error
    return 0


@contextmanager
def _ends_on_signals() -> Iterator[None]:
    """End the run as Ctrl-C does when the process is told to end, or its terminal is closed: what was seen is kept."""

    def end(*_: Any) -> None:
        raise KeyboardInterrupt

    is_main = threading.current_thread() is threading.main_thread()
    wanted = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)] if is_main else []
    changed = [one for one in wanted if signal.getsignal(one) is signal.SIG_DFL]  # nohup ignores SIGHUP: so do we
    for one in changed:
        signal.signal(one, end)
    try:
        yield
    finally:
        for one in changed:
            signal.signal(one, signal.SIG_DFL)


def _record(live: Live, out: Path, seconds: float | None) -> None:
    """Write the joints of a run. It cannot be repeated: if they cannot be written there, they are kept elsewhere.

    Raises:
        DKDError: as of :func:`dkd.export`; the message says where the joints are kept.
    """
    from dkd.formats.files import export

    poses = live.poses()
    if seconds is not None:  # those that are printed: the run itself ends a little later
        rows = poses.times <= seconds
        sure = None if poses.confidence is None else poses.confidence[rows]
        poses = replace(
            poses, xy=poses.xy[rows], scores=poses.scores[rows], confidence=sure, frames=poses.frames[rows],
            times=poses.times[rows],
        )  # fmt: skip
    try:
        export(poses, out)
    except DKDError as error:
        try:
            kept = export(poses, Path(tempfile.mkdtemp(prefix="dkd-live-")) / "poses.npz").path
        except (DKDError, OSError):  # the first error is the one to show
            raise error from None
        raise type(error)(
            f"{error}. The joints of this run are kept in {kept}; once {out} can be written, use dkd export-poses"
        ) from error


def _print_all(live: Live, write: Callable[[Seen], None], seconds: float | None) -> None:
    """Print each result when it is there, in this thread: a slow reader does not slow the tracking down."""
    results: queue.SimpleQueue[Seen | None] = queue.SimpleQueue()
    live.subscribe(results.put)

    def is_late(seen: Seen) -> bool:
        return seconds is not None and seen.time_s > seconds

    def end() -> None:
        live.join()
        results.put(None)

    try:
        with live:
            threading.Thread(target=end, daemon=True, name="dkd-live-end").start()
            while (seen := results.get()) is not None and not is_late(seen):
                write(seen)
    except KeyboardInterrupt:  # how a live run usually ends
        pass
    with suppress(queue.Empty):  # what was tracked until the run stood still
        while True:
            seen = results.get_nowait()
            if seen is not None and not is_late(seen):
                write(seen)


def _csv(live: Live) -> Callable[[Seen], None]:
    """Return a function that prints one row per joint."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(_COLUMNS)

    def write(seen: Seen) -> None:
        for joint, x, y, score, sure in _rows(live, seen):
            probability = "" if sure is None else f"{sure:.3f}"
            numbers = (f"{x:.2f}", f"{y:.2f}", f"{score:.3f}", probability, f"{seen.latency_ms:.1f}")
            writer.writerow((seen.number, f"{seen.time_s:.6f}", csv_cell(joint), *numbers))
        sys.stdout.flush()

    return write


def _jsonl(live: Live) -> Callable[[Seen], None]:
    """Return a function that prints one object per frame."""

    def write(seen: Seen) -> None:
        joints = [
            {"joint": joint, "x": round(x, 2), "y": round(y, 2), "score": round(score, 3),
             "confidence": None if sure is None else round(sure, 3)}
            for joint, x, y, score, sure in _rows(live, seen)
        ]  # fmt: skip
        content = {"frame": seen.number, "time_s": round(seen.time_s, 6), "latency_ms": round(seen.latency_ms, 1)}
        print(json.dumps({**content, "joints": joints}), flush=True)

    return write


def _rows(live: Live, seen: Seen) -> Iterator[tuple[str, float, float, float, float | None]]:
    """Yield name, x, y, score and confidence of each joint; no confidence without a calibration."""
    for j, joint in enumerate(live.skeleton.joints):
        sure = None if live.calibration is None else float(seen.confidence[j])
        yield joint, float(seen.joints[j, 0]), float(seen.joints[j, 1]), float(seen.scores[j]), sure


def _summary(live: Live) -> str:
    parts = live.budget()
    latency = parts.pop("latency", None)
    where = " + ".join(f"{name} {value:.1f}" for name, value in parts.items())
    times = "" if latency is None else f"; {latency:.1f} ms late ({where}), medians of the last frames"
    return f"dkd: {live.tracked} of {live.captured} frames tracked, {live.dropped} dropped{times}; {live.engine}"
