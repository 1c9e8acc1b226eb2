"""The command ``dkd track``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dkd.errors import BoxError, ConfigError, DKDError

if TYPE_CHECKING:
    from dkd.tracking.trace import Trace
    from dkd.video.ranges import ClipRange


def add_track_command(commands: Any) -> None:
    """Add the command to argparse's subparsers ``commands``."""
    track = commands.add_parser("track", help="track a person in a video, write the joints, and say if they are good")
    track.add_argument("video", type=Path, help="any video file that FFmpeg can read")
    track.add_argument("--box", help="the person in the first frame, x0,y0,x1,y1 in pixels (default: search the frame)")
    track.add_argument("--start", type=int, default=0, metavar="FRAME", help="first frame (default: %(default)s)")
    track.add_argument("--stop", type=int, metavar="FRAME", help="frame after the last one (default: the end)")
    track.add_argument(
        "--model", default="dkd-mobilenetv2", help="a shipped model or a checkpoint's path (default: %(default)s)"
    )
    track.add_argument(
        "--engine", choices=["auto", "torch", "onnxruntime", "openvino", "openvino-bf16"],
        help="what runs the network (default: the fastest that `dkd engines` has found, else torch)",
    )  # fmt: skip
    track.add_argument(
        "--reinitialise", action="store_true", help="search the person again when the track is lost, unlike the paper"
    )
    track.add_argument(
        "--out", type=Path, required=True,
        help="table of frame, time_s, joint, x, y, score, confidence; ends in .csv, .tsv, .json or .parquet",
    )  # fmt: skip
    track.add_argument("--force", action="store_true", help="replace an existing file")
    track.add_argument("--quiet", action="store_true", help="print only errors, and no progress bar")
    track.set_defaults(command=_track)


def _box(text: str) -> tuple[float, float, float, float]:
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError:
        raise BoxError(f"expected --box x0,y0,x1,y1 (four numbers, in pixels), got {text!r}") from None
    return x0, y0, x1, y1


def _track(arguments: argparse.Namespace) -> int:
    # Imported here: importing torch takes seconds, and `dkd --help` should be fast.
    from dkd.analysis.trust import trust
    from dkd.engines.choice import accelerate
    from dkd.models.checkpoints import load_model
    from dkd.tracking.conditions import Conditions
    from dkd.tracking.reinitialise import Reinitialise
    from dkd.tracking.tables import check_table_path
    from dkd.tracking.trace import Trace
    from dkd.video.clip import Clip
    from dkd.video.ranges import ClipRange

    out: Path = arguments.out
    check_table_path(out)
    if out.exists() and not arguments.force:
        raise ConfigError(f"{out} exists already; add --force to replace it, or choose another name")
    box = None if arguments.box is None else _box(arguments.box)
    conditions = Conditions(reinitialise=Reinitialise() if arguments.reinitialise else None)
    model = accelerate(load_model(arguments.model), arguments.engine)
    with Clip(arguments.video) as clip:
        part = ClipRange(clip, arguments.start, arguments.stop)
        try:
            trace = Trace(model, part, box, conditions, progress=not arguments.quiet)
        except DKDError as error:
            partial: Trace | None = getattr(error, "trace", None)
            if partial is not None and len(partial):  # a damaged video: keep the frames tracked before the damage
                _save(partial, out, part)
                print(f"dkd: wrote the {len(partial)} frames before the damage to {out}", file=sys.stderr)
            raise
        _save(trace, out, part)
        if not trace.complete:
            print(f"dkd: stopped; wrote {len(trace)} of {len(part)} frames to {out}", file=sys.stderr)
            return 130
    if not arguments.quiet:
        print(f"{len(trace)} frames, {len(trace.skeleton)} joints: {out}")
        if trace.reinitialised:
            frames = ", ".join(str(one.frame + part.start) for one in trace.reinitialised)
            print(f"The lost track was re-initialised in frame {frames}.")
        print(trust(trace, part.start))
    return 0


def _save(trace: Trace, out: Path, part: ClipRange) -> None:
    from dkd.tracking.tables import save_joints

    save_joints(trace, out, part.start, float(part.clip.times[part.start]))
