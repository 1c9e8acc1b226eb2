"""The command ``dkd track``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dkd.errors import BoxError, ConfigError, DKDError, FrameIndexError
from dkd.io.files import check_place
from dkd.io.paths import DEFAULT_MODEL

if TYPE_CHECKING:
    from dkd.tracking.trace import Trace
    from dkd.video.ranges import ClipRange


def add_track_command(commands: Any) -> None:
    """Add the command to argparse's subparsers ``commands``."""
    track = commands.add_parser("track", help="track people in a video, write the joints, and say if they are good")
    add_tracking_options(track)
    track.add_argument(
        "--out", type=Path, required=True,
        help="table of frame, time_s, joint, x, y, score, confidence; ends in .csv, .tsv, .json or .parquet. Or a file "
        "for another tool, as of dkd export-poses: .slp, .nc, .dlc.csv, …; or the video with the joints, .mp4 or .gif",
    )  # fmt: skip
    track.add_argument("--force", action="store_true", help="replace an existing file")
    track.add_argument("--quiet", action="store_true", help="print only errors, and no progress bar")
    track.set_defaults(command=_track)


def add_tracking_options(parser: argparse.ArgumentParser, needs_video: bool = True) -> None:
    """Add what a command that tracks people is told of the video, the people and the model."""
    parser.add_argument(
        "video", type=Path, nargs=None if needs_video else "?",
        help="a video, a folder of images, or a pattern such as im_%%05d.png",
    )  # fmt: skip
    parser.add_argument(
        "--fps", type=float, help="frames per second of images (default: 25); a video has its own times"
    )
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--box", help="the person in the first frame, x0,y0,x1,y1 in pixels (default: search the frame)")
    who.add_argument(
        "--person", action="append", metavar="x0,y0,x1,y1@FRAME[=NAME]",
        help="a person in any frame, followed forwards and backwards from it; several times for several people, who "
        "are told apart by their names",
    )  # fmt: skip
    parser.add_argument("--start", type=int, default=0, metavar="FRAME", help="first frame (default: %(default)s)")
    parser.add_argument("--stop", type=int, metavar="FRAME", help="frame after the last one (default: the end)")
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, help=f"a shipped model or a checkpoint's path (default: {DEFAULT_MODEL})"
    )
    parser.add_argument(
        "--engine", choices=["auto", "torch", "onnxruntime", "openvino", "openvino-bf16", "cuda", "cuda-bf16"],
        help="what runs the network (default: the fastest on this machine, which is found out once)",
    )  # fmt: skip
    parser.add_argument(
        "--reinitialise", action="store_true", help="search the person again when the track is lost, unlike the paper"
    )
    parser.add_argument(
        "--square", choices=["person", "joints"], default="person",
        help="what the network's crop follows: the person, as fast and as large as a body can be, or all joints of the "
        "last frame (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--refine", action="store_true",
        help="let the model's initializer look at every frame and make joints more exact, unlike the paper, at nearly "
        "three times the multiply-adds of the default model",
    )  # fmt: skip


class Person(NamedTuple):
    """A person, named ``None`` if there is only one to track; without a box, the first frame is searched."""

    name: str | None
    box: tuple[float, float, float, float] | None
    frame: int | None


def _box(text: str, option: str = "--box x0,y0,x1,y1") -> tuple[float, float, float, float]:
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError:
        raise BoxError(f"expected {option} (four numbers, in pixels), got {text!r}") from None
    return x0, y0, x1, y1


def people_of(arguments: argparse.Namespace) -> list[Person]:
    """Return the people of the options.

    Raises:
        BoxError, ConfigError: an option cannot be read, or two people have one name.
    """
    if not arguments.person:
        return [Person(None, None if arguments.box is None else _box(arguments.box), None)]
    people: list[Person] = []
    for i, text in enumerate(arguments.person, 1):
        place, _, name = text.partition("=")
        box, at, frame = place.partition("@")
        if not at or not frame.strip().isdecimal():
            raise ConfigError(
                f"expected --person x0,y0,x1,y1@FRAME, such as --person 60,40,200,220@120=Anna, got {text!r}: the box "
                "needs the number of its frame"
            )
        one = Person(name.strip() or f"person {i}", _box(box, "--person x0,y0,x1,y1@FRAME"), int(frame))
        if any(one.name == other.name for other in people):
            raise ConfigError(f"expected a different name for each --person, got {one.name!r} twice")
        people.append(one)
    return people


def check_frames(people: list[Person], part: ClipRange) -> None:
    """Raise :class:`~dkd.errors.FrameIndexError` if the box of a person is in a frame outside ``part``."""
    for one in people:
        if one.frame is not None and not part.start <= one.frame < part.stop:
            raise FrameIndexError(
                f"expected the frame of {one.name} in the part that is tracked, {part.start} to {part.stop - 1}, "
                f"got {one.frame}"
            )


def _track(arguments: argparse.Namespace) -> int:
    # Imported here: importing torch takes seconds, and `dkd --help` should be fast.
    from dkd.engines.choice import accelerate
    from dkd.models.checkpoints import load_model
    from dkd.tracking.conditions import Conditions
    from dkd.tracking.progress import Preparation
    from dkd.tracking.reinitialise import Reinitialise
    from dkd.tracking.tables import check_table_path
    from dkd.tracking.two_way import trace_person
    from dkd.video.clip import Clip
    from dkd.video.ranges import ClipRange

    out: Path = arguments.out
    if _is_table(out):
        check_table_path(out)
    elif not out.is_dir():  # a folder of OpenPose is replaced
        check_place(out)
    if out.exists() and not arguments.force:
        raise ConfigError(f"{out} exists already; add --force to replace it, or choose another name")
    if out.exists() and arguments.video.exists() and out.samefile(arguments.video):
        raise ConfigError(f"{out} is the video itself: choose another name for --out")
    people = people_of(arguments)
    policy = Reinitialise() if arguments.reinitialise else None
    conditions = Conditions(reinitialise=policy, square=arguments.square, refine=arguments.refine)
    with Preparation(not arguments.quiet) as prepared:
        model = accelerate(load_model(arguments.model).eval(), arguments.engine, prepared)
    traces: dict[str | None, Trace] = {}
    with Clip(arguments.video, fps=arguments.fps) as clip:
        part = ClipRange(clip, arguments.start, arguments.stop)
        check_frames(people, part)
        for one in people:
            at = None if one.frame is None else one.frame - part.start
            try:
                trace = trace_person(model, part, one.box, at, conditions, progress=not arguments.quiet)
            except DKDError as error:
                partial: Trace | None = getattr(error, "trace", None)
                if partial is not None and len(partial):  # a damaged video: keep the frames tracked before the damage
                    _save({**traces, one.name: partial}, out, part)
                    print(f"dkd: wrote the {len(partial)} frames before the damage to {out}", file=sys.stderr)
                raise
            traces[one.name] = trace
            if not trace.complete:
                break
        _save(traces, out, part)
        if not trace.complete:
            print(f"dkd: stopped; wrote {len(trace)} of {len(part)} frames to {out}", file=sys.stderr)
            return 130
    if not arguments.quiet:
        _print(traces, out, part.start)
    return 0


def _print(traces: dict[str | None, Trace], out: Path, first: int) -> None:
    """Print what was tracked, how good it is, and whether two traces follow one person."""
    from dkd.analysis.identity import same_person
    from dkd.analysis.trust import trust

    trace = next(iter(traces.values()))
    people = f"{len(traces)} people, " if len(traces) > 1 else ""
    refined = ", refined by the initializer" if trace.conditions.refine else ""
    print(f"{people}{len(trace)} frames, {len(trace.skeleton)} joints{refined}: {out}")
    for name, trace in traces.items():
        who = "" if name is None else f"{name}: "
        if trace.reinitialised:
            frames = ", ".join(str(one.frame + first) for one in trace.reinitialised)
            print(f"{who}The lost track was re-initialised in frame {frames}.")
        print(f"{who}{trust(trace, first)}")
    for shared in same_person({str(name): trace for name, trace in traces.items()}, first):
        print(shared)


def _is_table(out: Path) -> bool:
    """Return whether the joints are written as a table, not in a format of :func:`dkd.formats.files.export`."""
    from dkd.formats.files import FORMATS, format_for
    from dkd.tracking.tables import FORMATS as TABLES

    format_for(out)  # says which endings there are, if it is none of them
    others = tuple(ending for one in FORMATS.values() for ending in one.endings if ending.count(".") > 1)
    return out.suffix.lower() in TABLES and not out.name.lower().endswith(others)


def _save(traces: dict[str | None, Trace], out: Path, part: ClipRange) -> None:
    from dkd.tracking.tables import save_joints

    named = {name: trace for name, trace in traces.items() if name is not None}
    if not _is_table(out):
        from dkd.formats.files import export

        export(named or traces[None], out)
        return
    first, start_s = part.start, float(part.clip.times[part.start])
    save_joints(named or traces[None], out, first, start_s)
