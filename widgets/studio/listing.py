"""What the path field and the samples of the studio offer: folders, videos and sessions of the kernel's machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dkd.errors import SampleError
from dkd.video.samples import get_sample, list_samples

# Only files that are probably videos are offered; any other file can still be typed.
VIDEOS = {
    ".3gp", ".avi", ".flv", ".gif", ".h264", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv",
    ".ts", ".webm", ".wmv",
}  # fmt: skip
IMAGES = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
SESSION = ".dkd.json"
SHOWN = 40  # entries of one answer
SCANNED = 20_000  # entries of a folder that are looked at: a larger one would take seconds on a network drive


def complete_path(text: str) -> dict[str, Any]:
    """List what a path that is being typed may become.

    Args:
        text: the beginning of a path; relative to the kernel's folder, or with ``~`` for the home folder.

    Returns:
        ``entries``, folders first, each with ``path`` (to put into the field), ``name`` and ``kind`` (``"folder"``,
        ``"images"``: a folder with images, ``"video"`` or ``"session"``); and ``more``, the number of further ones.
    """
    head, _, begun = text.rpartition("/")
    shown = f"{head}/" if "/" in text else ""
    folder = Path(os.path.expanduser(shown or "."))
    found: list[tuple[int, str, str]] = []
    try:
        with os.scandir(folder) as scanned:
            for _, entry in zip(range(SCANNED), scanned, strict=False):
                if not entry.name.lower().startswith(begun.lower()) or (entry.name[0] == "." and begun[:1] != "."):
                    continue
                if kind := _kind(entry):
                    found.append((kind not in ("folder", "images"), entry.name, kind))
    except OSError:
        return {"entries": [], "more": 0}
    found.sort(key=lambda one: (one[0], one[1].lower()))
    entries = [
        {"path": f"{shown}{name}{'/' if not is_file else ''}", "name": name, "kind": kind}
        for is_file, name, kind in found[:SHOWN]
    ]
    return {"entries": entries, "more": max(0, len(found) - SHOWN)}


def _kind(entry: os.DirEntry[str]) -> str:
    """Return the kind of an entry, or ``""`` if it is not offered."""
    if entry.name.endswith(SESSION):
        return "session"
    try:
        if entry.is_dir():
            return "images" if _has_images(entry.path) else "folder"
    except OSError:
        return ""
    return "video" if Path(entry.name).suffix.lower() in VIDEOS else ""


def _has_images(folder: str, looked_at: int = 20) -> bool:
    """Whether one of the first entries of a folder is an image."""
    try:
        with os.scandir(folder) as scanned:
            return any(Path(one.name).suffix.lower() in IMAGES for _, one in zip(range(looked_at), scanned))  # noqa: B905
    except OSError:
        return False


def list_pictured_samples() -> list[dict[str, str]]:
    """List the sample clips at hand: ``name``, ``path`` and ``description`` of each."""
    try:
        samples = [get_sample(name) for name in list_samples()]
    except SampleError:
        return []
    return [{"name": s.name, "path": str(s.path), "description": s.description} for s in samples]
