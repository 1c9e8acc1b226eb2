"""``load_poses`` and ``export``: the formats by name, and which one a file has."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from dkd.errors import ConfigError, DatasetError, MissingExtraError, checked, nearest_name
from dkd.formats.names import to_skeleton
from dkd.formats.stopping import StoppedError
from dkd.formats.track import PoseTrack, as_track, traces_in
from dkd.formats.video import with_video
from dkd.io.files import atomic_folder, atomic_path
from dkd.io.limits import check_size
from dkd.pose.skeleton import Skeleton
from dkd.video.protocols import ClipLike

log = logging.getLogger(__name__)
_SAME_TIME_S = 1e-3  # times in files are often rounded to milliseconds


@dataclass(frozen=True)
class Format:
    """A file format of pose tracks.

    Attributes:
        name: name for ``format=``.
        title: name in menus and tables.
        endings: endings of file names, the first one is ours; one with two dots is unmistakable.
        write: name of the function that writes it, ``module.function`` below ``dkd.formats``.
        read: name of the function that reads it, or empty.
        notes: name of a function that says what the format cannot hold of a track, or empty.
        folder: whether it is a folder of files.
        options: names of further arguments of ``write``.
    """

    name: str
    title: str
    endings: tuple[str, ...]
    write: str
    read: str = ""
    notes: str = ""
    folder: bool = False
    options: tuple[str, ...] = ()

    @property
    def draws(self) -> bool:
        """Whether it is a video or a picture, which needs the video, not a file of poses."""
        return not self.read and self.name not in ("coco", "posetrack")


_STYLE = ("trail", "heatmap", "joint", "colours", "names", "confidence", "scale")
_OVERLAY = ("progress", "cancel", "quality", "preset", *_STYLE)
_PICTURE = ("view", "frame", *_STYLE)
FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        Format("csv", "table, CSV", (".csv",), "tidy.write_csv", "tidy.read_text"),
        Format("tsv", "table, TSV", (".tsv",), "tidy.write_tsv", "tidy.read_text"),
        Format("parquet", "table, Parquet", (".parquet",), "tidy.write_parquet", "tidy.read_parquet"),
        Format("deeplabcut-csv", "DeepLabCut CSV", (".dlc.csv",), "deeplabcut.write_csv", "deeplabcut.read_csv"),
        Format("deeplabcut-h5", "DeepLabCut H5", (".h5", ".hdf5"), "deeplabcut.write_h5", "deeplabcut.read_h5"),
        Format("sleap", "SLEAP", (".slp",), "sleap.write", "sleap.read"),
        Format("movement", "movement netCDF", (".nc",), "netcdf.write", "netcdf.read", options=("plural",)),
        Format("nwb", "NWB ndx-pose", (".nwb",), "nwb.write", "nwb.read", options=("started",)),
        Format("coco", "COCO keypoints", (".coco.json", ".json"), "coco.write_coco"),
        Format("posetrack", "PoseTrack", (".posetrack.json",), "coco.write_posetrack", notes="coco.notes"),
        Format(
            "openpose", "OpenPose JSON", (".openpose",), "openpose.write", "openpose.read", "openpose.notes",
            folder=True,
        ),
        Format("trc", "TRC", (".trc",), "trc.write", "trc.read", "trc.notes"),
        Format("npz", "NumPy NPZ with maps and kernels", (".npz",), "npz.write", "npz.read"),
        Format("mp4", "overlay video, MP4", (".mp4",), "overlay.write_mp4", options=_OVERLAY),
        Format("gif", "overlay video, GIF", (".gif",), "overlay.write_gif", options=_OVERLAY),
        Format("svg", "picture, SVG", (".svg",), "figures.write_svg", options=_PICTURE),
        Format("png", "picture, PNG", (".png",), "figures.write_png", options=_PICTURE),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        path: the file or folder.
        format: name of its format.
        notes: sentences about what the format cannot hold.
        complete: false if ``cancel`` stopped it; then nothing was written.
    """

    path: Path
    format: str
    notes: tuple[str, ...] = ()
    complete: bool = True

    def __str__(self) -> str:
        what = f"{self.path}: {FORMATS[self.format].title}." if self.complete else f"{self.path}:"
        return " ".join([what, *self.notes])


@checked
def load_poses(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    skeleton: str | Skeleton | None = None,
    video: ClipLike | str | os.PathLike[str] | None = None,
    fps: float | None = None,
) -> PoseTrack:
    """Read a pose file of DeepLabCut, SLEAP, movement, COCO, PoseTrack, OpenPose, NWB, OpenSim (TRC), or our own.

    Args:
        path: the file, or OpenPose's folder.
        format: name in :data:`FORMATS`; by default it is found from the ending and the content.
        skeleton: joints to return, found by name (:func:`dkd.formats.names.match_joints`); by default the file's.
        video: the clip or the video's path, which gives times, rate and size; what does not fit is said in ``notes``.
        fps: frames per second, for files that have no times, or in place of theirs.

    Returns:
        The track; its ``notes`` say what is missing or does not fit, and are logged as warnings.

    Raises:
        DatasetError: there is no such file, it is damaged, or it is none of these formats.
        ConfigError: the format or skeleton is unknown.
    """
    path = Path(path)
    if not path.exists():
        raise DatasetError(f"there is no file {path}")
    track = _read(path, format)
    if fps is not None:
        told, track = track, track.timed(fps)
        if (np.abs(told.times - track.times) > _SAME_TIME_S).any():  # False where the file says none
            rate = f"{told.fps:g} frames per second" if told.fps else "other times"
            note = f"The file says {rate}; they are replaced by those of fps={fps:g}."
            track = replace(track, notes=(*track.notes, note))
    if video is not None:
        track = with_video(track, video)
    if skeleton is not None:
        track = to_skeleton(track, skeleton)
    for note in track.notes:
        log.warning("%s: %s", path.name, note)
    return track


def _read(path: Path, format: str | None) -> PoseTrack:
    if format is not None and format not in FORMATS:
        raise ConfigError(f"unknown format {format!r}{nearest_name(format, FORMATS)} Known: {', '.join(FORMATS)}.")
    try:
        if format in ("coco", "posetrack") or (format is None and path.suffix.lower() == ".json"):
            check_size(path, json=True)
            return _read_json(path)
        format = format or _format_of(path)
        if path.suffix.lower() in (".csv", ".tsv", ".txt", ".trc"):
            check_size(path)
        found: PoseTrack = _function(FORMATS[format].read)(path)
    except (DatasetError, MissingExtraError):
        raise
    except Exception as error:  # of a damaged file, the libraries raise errors of many kinds, RuntimeError among them
        kind = f" as {FORMATS[format].title}" if format in FORMATS else ""
        raise DatasetError(f"{path} cannot be read{kind}: {error}") from error
    return found


def _read_json(path: Path) -> PoseTrack:
    """Read a JSON file by its content: our records, COCO or PoseTrack."""
    from dkd.formats import coco, tidy

    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise DatasetError(f"expected JSON in {path}: {error}") from error
    if isinstance(content, list) and content and isinstance(content[0], dict) and "joint" in content[0]:
        return tidy.read_json(content, path)
    if isinstance(content, dict) and "annotations" in content:
        return coco.read(content, path)
    if isinstance(content, dict) and "people" in content:
        raise DatasetError(f"{path} is one frame of OpenPose; give the folder of all frames")
    raise DatasetError(f"expected COCO keypoints, PoseTrack, or our records in {path}; COCO results need their images")


def _format_of(path: Path) -> str:
    if path.is_dir():
        return "openpose"
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            start = file.readline(100)
        return "deeplabcut-csv" if start.startswith("scorer") else "csv"
    readable = [one for one in FORMATS.values() if one.read or one.name in ("coco", "posetrack")]
    found = next((one for one in readable if path.suffix.lower() in one.endings), None)
    if found is None:
        endings = ", ".join(sorted({ending for one in readable for ending in one.endings}))
        raise DatasetError(f"expected a pose file that ends in {endings}, got {path.name!r}; or add format=…")
    return found.name


def format_for(path: str | os.PathLike[str], format: str | None = None) -> Format:
    """Return the format of a file to write, by ``format`` or by the longest ending that fits.

    Raises:
        ConfigError: there is none.
    """
    if format is not None:
        if format not in FORMATS:
            raise ConfigError(f"unknown format {format!r}{nearest_name(format, FORMATS)} Known: {', '.join(FORMATS)}.")
        return FORMATS[format]
    name = Path(path).name.lower()
    fits = [(len(ending), one) for one in FORMATS.values() for ending in one.endings if name.endswith(ending)]
    if not fits:
        endings = ", ".join(ending for one in FORMATS.values() for ending in one.endings)
        raise ConfigError(f"expected a name that ends in {endings}, got {Path(path).name!r}: the ending is the format")
    return max(fits, key=lambda fit: fit[0])[1]


@checked
def export(
    poses: Any,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    fps: float | None = None,
    size: tuple[int, int] | None = None,
    video: ClipLike | str | os.PathLike[str] | None = None,
    **options: Any,
) -> Exported:
    """Write poses to a file that another tool reads, completely or not at all; an existing file is replaced.

    ::

        export(trace, "poses.slp")
        export({"anna": first, "ben": second}, "poses.dlc.csv")
        export(load_poses("poses.slp"), "poses.nc")
        export(trace, "overlay.mp4", trail=15, heatmap=True)
        export(trace, "frame.svg", frame=41)

    Args:
        poses: a trace, several traces by name or in a sequence, a :class:`PoseTrack`, or a session
            (:class:`dkd.Session`), whose people are then tracked again.
        path: the file; its ending chooses the format (:data:`FORMATS`).
        format: name of the format, if the ending is another or not the only one.
        fps: frames per second, for a track without times.
        size: (width, height) in pixels, for a track that does not know it.
        video: clip or path of the video, for the overlay of a track; a trace knows its own.
        options: further arguments of the format: ``plural`` (movement), ``started`` (NWB); ``progress`` and ``cancel``,
            ``quality``, ``preset``, and what to draw (:class:`dkd.formats.drawing.OverlayStyle`) for an overlay;
            ``view``, ``frame`` and what to draw for a picture (:func:`dkd.formats.figures.write`).

    Returns:
        The file, and in ``notes`` what the format cannot hold; see docs/formats.md for what survives.

    Raises:
        ConfigError: the ending or an option is unknown, or the format needs what the track does not have.
        MissingExtraError: the format needs an optional package.
        StorageError: the file cannot be written.
    """
    path, chosen = Path(path), format_for(path, format)
    unknown = next((name for name in options if name not in chosen.options), None)
    if unknown is not None:
        raise ConfigError(f"{chosen.title} has no option {unknown!r}{nearest_name(unknown, chosen.options)}")
    poses = traces_in(poses)
    track = as_track(poses)
    track = track.timed(fps) if fps is not None else track
    track = replace(track, size=size) if size is not None else track
    if chosen.name == "npz" or chosen.draws:
        options["traces"] = traces_of(poses)
    if chosen.draws:
        traces = list(options["traces"].values())
        options["clip"] = video if video is not None else traces[0].clip if traces else None
        if _path_of(options["clip"]) == path.resolve():
            raise ConfigError(f"{path} is the video itself; choose another name")
    if chosen.folder and path.exists() and not (path.is_dir() and all(p.suffix == ".json" for p in path.iterdir())):
        raise ConfigError(f"{path} exists and is not a folder of {chosen.title}; choose another name")
    notes = _function(chosen.notes)(track) if chosen.notes else ()
    try:
        with (atomic_folder if chosen.folder else atomic_path)(path) as temporary:
            _function(chosen.write)(track, temporary, **options)
    except StoppedError:
        return Exported(path, chosen.name, ("Stopped; nothing was written.",), complete=False)
    return Exported(path, chosen.name, notes)


def _path_of(clip: Any) -> Path | None:
    """Return the path of a video, a clip or a part of one."""
    while hasattr(clip, "clip") and hasattr(clip, "start"):
        clip = clip.clip
    found = clip if isinstance(clip, str | os.PathLike) else getattr(clip, "path", None)
    return None if found is None else Path(found).resolve()


def traces_of(poses: Any) -> dict[str, Any]:
    """Return the traces among what is exported, for their maps and kernels."""
    many = poses.values() if isinstance(poses, Mapping) else poses if isinstance(poses, list | tuple) else [poses]
    return {str(i): one for i, one in enumerate(many) if hasattr(one, "heatmaps")}


def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(".")
    found: Callable[..., Any] = getattr(import_module(f"dkd.formats.{module}"), function)
    return found
