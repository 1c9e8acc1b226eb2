"""All formats in one go, into a folder, and names for files that replace none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from dkd.errors import ConfigError, MissingExtraError, StorageError, checked
from dkd.formats.files import FORMATS, Exported, export, format_for
from dkd.formats.track import as_track, traces_in
from dkd.video.protocols import ClipLike


def pose_formats() -> tuple[str, ...]:
    """Return the names of all formats of poses: those that are not a video or a picture."""
    return tuple(name for name, one in FORMATS.items() if not one.draws)


@checked
def export_all(
    poses: Any,
    folder: str | os.PathLike[str],
    *,
    name: str | None = None,
    formats: Iterable[str] | None = None,
    fps: float | None = None,
    size: tuple[int, int] | None = None,
    video: ClipLike | str | os.PathLike[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> list[Exported]:
    """Write poses in several formats into a folder, each file completely or not at all.

    Args:
        poses: as for :func:`~dkd.formats.files.export`.
        folder: the folder, which is made if there is none; existing files of these names are replaced.
        name: name of the files without the ending; by default the video's.
        formats: names of the formats; by default all of :func:`pose_formats`.
        fps, size, video: as for :func:`~dkd.formats.files.export`.
        progress: called after each file with the numbers of files done and of all.
        cancel: called before each file; if it returns true, the others are not written.

    Returns:
        One entry per format, in their order. If a format cannot be written, because it needs an optional package or
        what the track does not have, its ``complete`` is false and ``notes`` say why; the others are written.

    Raises:
        ConfigError: a format is unknown, or ``poses`` is something else.
        StorageError: the folder cannot be written.
    """
    poses = traces_in(poses)
    folder, track = Path(folder), as_track(poses)
    chosen = [format_for("", one) for one in (pose_formats() if formats is None else formats)]
    stem = name or Path(track.source or "poses").stem
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make the folder {folder}: {error}") from error
    done: list[Exported] = []
    for one in chosen:
        path = folder / f"{stem}{one.endings[0]}"
        if cancel is not None and cancel():
            done.append(Exported(path, one.name, ("Stopped; not written.",), complete=False))
            continue
        options = {"cancel": cancel} if cancel is not None and "cancel" in one.options else {}
        try:
            done.append(export(poses, path, format=one.name, fps=fps, size=size, video=video, **options))
        except (ConfigError, MissingExtraError) as error:
            done.append(Exported(path, one.name, (f"Not written: {error}",), complete=False))
        if progress is not None:
            progress(len(done), len(chosen))
    return done


def free_path(path: str | os.PathLike[str], *more: str) -> Path:
    """Return the path, or with a number before its ending if there is such a file: ``a-1.dlc.csv``.

    Args:
        path: the path.
        more: endings that are no format's.
    """
    path = Path(path)
    known = [*more, *(ending for one in FORMATS.values() for ending in one.endings)]
    endings = [ending for ending in known if path.name.lower().endswith(ending)]
    stem = path.name[: len(path.name) - max(map(len, endings), default=0)]
    ending = path.name[len(stem) :]
    return next(p for i in range(10_000) if not (p := path.with_name(f"{stem}{f'-{i}' * (i > 0)}{ending}")).exists())
