"""Names of uploaded files: made safe for every file system, and never the name of a file that exists."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from itertools import count
from pathlib import Path

_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}  # on Windows
_LONGEST = 150  # bytes of UTF-8; file systems take 255, and a number may follow


def safe_name(name: str, otherwise: str = "video") -> str:
    """Return a file name for what a browser calls ``name``.

    Folders in front are cut off, characters that a file system may refuse become ``_``, dots in front are dropped (the
    file would be hidden), and a long name is shortened before its ending. A name of which nothing is left becomes
    ``otherwise``.
    """
    # Lone surrogates cannot be written to a disk; macOS sends accents as characters of their own.
    name = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    name = _UNSAFE.sub("_", re.split(r"[/\\]", name)[-1]).strip().lstrip(".").rstrip(". ").lstrip()
    stem, ending = os.path.splitext(name)
    if len(ending.encode()) > 16:
        stem, ending = name, ""
    room = _LONGEST - len(ending.encode())
    stem = stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ")
    if stem.split(".")[0].lower() in _RESERVED:
        stem = f"_{stem}"
    return f"{stem}{ending}" if stem else otherwise


def numbered(path: Path) -> Iterator[Path]:
    """Yield ``path``, then ``NAME-2.mp4``, ``NAME-3.mp4``, …"""
    yield path
    for n in count(2):
        yield path.with_name(f"{path.stem}-{n}{path.suffix}")


def move_into_place(source: Path, wanted: Path) -> Path:
    """Move a file or folder to ``wanted``, or to the first free numbered name, and return where it is.

    Nothing is replaced, even if another process takes the name at the same moment.

    Raises:
        OSError: the folder cannot be written.
    """
    for place in numbered(wanted):
        try:
            if source.is_dir():
                place.mkdir()  # renaming a folder replaces an empty one only
            else:
                os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            continue
        try:
            if os.name == "nt" and source.is_dir():
                place.rmdir()  # Windows replaces no folder
            os.replace(source, place)
        except OSError:
            if place.is_dir():
                place.rmdir()
            else:
                place.unlink(missing_ok=True)
            raise
        return place
    raise AssertionError("numbers do not end")
