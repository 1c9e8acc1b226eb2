"""The rows of a new study: which videos there are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from dkd.errors import ConfigError
from dkd.io.paths import as_path
from dkd.studies.rows import Row
from dkd.studies.sources import is_url, list_videos
from dkd.studies.table import check_groups
from dkd.video.endings import IMAGE_ENDINGS, VIDEO_ENDINGS

_EXPECTED = f"expected files that end in {', '.join(sorted(VIDEO_ENDINGS))}"


def list_rows(
    videos: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], folder: Path, folders: Sequence[str] = ()
) -> list[Row]:
    """Return a row for each video, by path; without boxes.

    Args:
        videos: a folder, searched with those below it: video files, and folders that hold images and no videos; or
            a folder in an object store (``s3://bucket/videos``): video files; or paths of videos.
        folder: folder of the study, to which paths are relative.
        folders: names of groups by the level of folder, for a folder of videos.

    Raises:
        ConfigError: there are no videos, a group is wanted of paths, or its name cannot be used.
        VideoError: the object store cannot be read.
    """
    folders = [folders] if isinstance(folders, str) else folders
    if not isinstance(folders, Sequence) or not all(isinstance(name, str) for name in folders):
        raise ConfigError(f"expected names of groups as folders, such as ['condition'], got {folders!r}")
    check_groups(folders)
    if isinstance(videos, str) and is_url(videos):
        root = videos.rstrip("/")
        found = [(url, url.removeprefix(f"{root}/").split("/")[:-1]) for url in list_videos(videos)]
        if not found:
            raise ConfigError(f"there is no video at {videos} or below it: {_EXPECTED}")
    elif isinstance(videos, str | os.PathLike):
        place = as_path(videos, "a folder of videos")
        if not place.is_dir():
            raise ConfigError(f"expected a folder of videos, got {place}; check the path")
        paths = sorted(_videos(place))
        found = [(_relative(path, folder), list(path.relative_to(place).parts[:-1])) for path in paths]
        if not found:
            raise ConfigError(f"there is no video in {place} or below it: {_EXPECTED}")
    else:
        if not isinstance(videos, Iterable) or isinstance(videos, bytes):
            raise ConfigError(f"expected a folder of videos, or paths of videos, got {videos!r}")
        found = [(_relative(video, folder), []) for video in videos]
        if folders or not found:
            problem = "groups of folders need a folder of videos" if folders else "expected at least one video"
            raise ConfigError(f"{problem}, got a list of {len(found)} paths")
    rows = []
    for number, (video, levels) in enumerate(found, 2):
        groups = {name: levels[i] if i < len(levels) else "" for i, name in enumerate(folders)}
        rows.append(Row(number, video, groups=groups))
    return rows


def _videos(folder: Path) -> Iterator[Path]:
    """Yield the videos in a folder and below it; hidden files are left out."""
    images = False
    below: list[Path] = []
    found: list[Path] = []
    for entry in os.scandir(folder):
        ending = os.path.splitext(entry.name)[1].lower()
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            below.append(Path(entry.path))
        elif ending in VIDEO_ENDINGS:
            found.append(Path(entry.path))
        images |= ending in IMAGE_ENDINGS
    if images and not found and not below:
        yield folder
    yield from found
    for path in below:
        yield from _videos(path)


def _relative(video: str | os.PathLike[str], folder: Path) -> str:
    """Return a path relative to the study, so that both can be moved together; absolute on another drive."""
    if isinstance(video, str) and is_url(video):
        return video
    video = as_path(video, "a video")
    try:
        return Path(os.path.relpath(video.absolute(), folder.absolute())).as_posix()
    except ValueError:
        return video.absolute().as_posix()
