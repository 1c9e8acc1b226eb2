"""The command ``dkd export-poses``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dkd.errors import ConfigError

_HELP = (
    "poses.csv, .parquet, .dlc.csv, .h5, .slp, .nc, .nwb, .coco.json, .posetrack.json, .openpose, .trc, .npz; or the "
    "video with the poses drawn in, .mp4 or .gif, or one frame of it, .svg or .png (with --video)"
)


def add_poses_command(commands: Any) -> None:
    """Add the command to argparse's subparsers ``commands``."""
    poses = commands.add_parser(
        "export-poses",
        help="convert poses between DeepLabCut, SLEAP, movement, COCO, NWB, …, or draw them into the video",
    )
    poses.add_argument(
        "poses", nargs="+", type=Path,
        help="a pose file; one per person if they are in several; or a session, clip.dkd.json, which is tracked again",
    )  # fmt: skip
    out = poses.add_mutually_exclusive_group()
    out.add_argument("--out", nargs="+", type=Path, default=[], metavar="FILE", help=_HELP)
    out.add_argument("--all", type=Path, metavar="FOLDER", help="write all pose formats into a folder")
    poses.add_argument("--video", type=Path, help="the video: gives times, rate and size, and is checked")
    poses.add_argument("--fps", type=float, help="frames per second, for files without times")
    poses.add_argument("--size", metavar="WxH", help="size of the frames in pixels, for files without it")
    poses.add_argument("--skeleton", help="convert to these joints, by name: penn_action, coco, sub_jhmdb, mpii, lsp")
    poses.add_argument("--joints", action="store_true", help="print which joint fits which; needs no --out")
    poses.add_argument("--trail", type=int, default=0, metavar="N", help="overlay: show the last N frames' joints, too")
    poses.add_argument("--heatmap", action="store_true", help="overlay of a session: the heatmaps, too")
    poses.add_argument("--joint", help="overlay: the joint whose trail and heatmap are drawn (default: all)")
    poses.add_argument("--frame", type=int, help="picture: number of the frame (default: the first)")
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
    from tqdm import tqdm

    from dkd.formats.files import FORMATS, export, format_for
    from dkd.formats.names import match_joints, to_skeleton
    from dkd.formats.several import export_all, pose_formats
    from dkd.formats.track import as_track

    outs: list[Path] = arguments.out
    if not (outs or arguments.all or arguments.joints):
        raise ConfigError("expected --out FILE, --all FOLDER, or --joints, got none of them")
    name = arguments.poses[0].name.partition(".")[0]
    if arguments.all is not None:
        outs = [arguments.all / f"{name}{FORMATS[one].endings[0]}" for one in pose_formats()]
    for out in outs:
        format_for(out)
        if out.exists() and not arguments.force:
            raise ConfigError(f"{out} exists already; add --force to replace it, or choose another name")
    poses = _read(arguments)
    track = as_track(poses)
    if arguments.joints:
        print(match_joints(track.joints, arguments.skeleton or "penn_action"))
    if arguments.skeleton:
        poses = track = to_skeleton(track, arguments.skeleton)
    print(track)
    size = None if arguments.size is None else _size(arguments.size)
    if arguments.all is not None:
        written = export_all(poses, arguments.all, name=name, size=size)
        print("\n".join(map(str, written)))
        return 0 if all(one.complete for one in written) else 1
    for out in outs:
        options: dict[str, Any] = {"size": size}
        if format_for(out).draws:
            options |= {"video": arguments.video, "trail": arguments.trail, "scale": arguments.scale}
            options |= {"heatmap": arguments.heatmap, "joint": arguments.joint}
        if "frame" in format_for(out).options:
            options["frame"] = arguments.frame
        with tqdm(unit="frame", desc=out.name, disable=None, leave=False) as bar:
            if "progress" in format_for(out).options:
                options["progress"] = lambda done, total, bar=bar: _show(bar, done, total)
            one = export(poses, out, **options)
        print(one)
    return 0


def _show(bar: Any, done: int, total: int) -> None:
    bar.total = total
    bar.update(done - bar.n)


def _read(arguments: argparse.Namespace) -> Any:
    """Return the poses of the files: the traces of a session, which knows its video, or a track.

    Raises:
        ConfigError: there are several files, and a session is among them.
    """
    from dataclasses import replace

    from dkd.formats.files import load_poses
    from dkd.formats.track import join
    from dkd.sessions.session import Session

    paths: list[Path] = arguments.poses
    if any(path.name.endswith(".dkd.json") for path in paths):
        if len(paths) > 1:
            raise ConfigError(f"expected one session, or pose files, got {', '.join(map(str, paths))}")
        return Session.load(paths[0]).open(video=arguments.video)
    found = [load_poses(path, video=arguments.video, fps=arguments.fps) for path in paths]
    if len(found) > 1:  # people of the same name are called by their files
        found = [
            replace(track, people=tuple(f"{path.stem}" if len(track.people) == 1 else name for name in track.people))
            for path, track in zip(paths, found, strict=True)
        ]
    return join(found)
