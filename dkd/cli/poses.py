"""The command ``dkd export-poses``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dkd.errors import ConfigError

_HELP = (
    "poses.csv, .parquet, .dlc.csv, .h5, .slp, .nc, .nwb, .coco.json, .posetrack.json, .openpose, .trc, .npz; or the "
    "video with the poses drawn in, .mp4 or .gif (needs --video)"
)


def add_poses_command(commands: Any) -> None:
    """Add the command to argparse's subparsers ``commands``."""
    poses = commands.add_parser(
        "export-poses",
        help="convert poses between DeepLabCut, SLEAP, movement, COCO, NWB, …, or draw them into the video",
    )
    poses.add_argument("poses", nargs="+", type=Path, help="a pose file; one per person if they are in several")
    poses.add_argument("--out", nargs="+", type=Path, required=True, metavar="FILE", help=_HELP)
    poses.add_argument("--video", type=Path, help="the video: gives times, rate and size, and is checked")
    poses.add_argument("--fps", type=float, help="frames per second, for files without times")
    poses.add_argument("--size", metavar="WxH", help="size of the frames in pixels, for files without it")
    poses.add_argument("--skeleton", help="convert to these joints, by name: penn_action, coco, sub_jhmdb, mpii, lsp")
    poses.add_argument("--joints", action="store_true", help="print which joint fits which")
    poses.add_argument("--trail", type=int, default=0, metavar="N", help="overlay: show the last N frames' joints, too")
    poses.add_argument("--scale", type=float, default=1.0, help="overlay: size relative to the video's")
    poses.add_argument("--force", action="store_true", help="replace existing files")
    poses.set_defaults(command=_poses)


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().replace("×", "x").split("x"))
    except ValueError:
        raise ConfigError(f"expected --size WIDTHxHEIGHT in pixels, such as 1280x720, got {text!r}") from None
    return width, height


def _poses(arguments: argparse.Namespace) -> int:
    from dataclasses import replace

    from dkd.formats.files import export, format_for, load_poses
    from dkd.formats.names import match_joints
    from dkd.formats.track import join

    outs: list[Path] = arguments.out
    for out in outs:
        format_for(out)
        if out.exists() and not arguments.force:
            raise ConfigError(f"{out} exists already; add --force to replace it, or choose another name")
    found = [load_poses(path, video=arguments.video, fps=arguments.fps) for path in arguments.poses]
    if arguments.joints:
        print(match_joints(found[0].joints, arguments.skeleton or "penn_action"))
    if arguments.skeleton:
        from dkd.formats.names import to_skeleton

        found = [to_skeleton(track, arguments.skeleton) for track in found]
    if len(found) > 1:  # people of the same name are called by their files
        found = [
            replace(track, people=tuple(f"{path.stem}" if len(track.people) == 1 else name for name in track.people))
            for path, track in zip(arguments.poses, found, strict=True)
        ]
    track = join(found)
    print(track)
    size = None if arguments.size is None else _size(arguments.size)
    for out in outs:
        options: dict[str, Any] = {"size": size}
        if format_for(out).name in ("mp4", "gif"):
            options |= {"video": arguments.video, "trail": arguments.trail, "scale": arguments.scale}
        print(export(track, out, **options))
    return 0
