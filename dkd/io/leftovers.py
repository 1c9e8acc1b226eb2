"""Temporary files and folders that a killed process left behind: recognised by name, owner and age, and removed.

The name of a temporary file says which process made it: ``model.safetensors.1f3a9c20-4711-0.tmp`` was made by process
4711 of the machine 1f3a9c20. It is left over if that process has ended; on a shared disk, if another machine made it
and nobody has written to it for a day.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import re
import shutil
import socket
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

# Each name of a temporary file is used once: two threads may write the same file at the same time.
_numbers = itertools.count()
_NAME = re.compile(r"\.([0-9a-f]{8})-(\d+)-\d+\.(tmp|old)$")
_LONGEST_STEM = 80  # characters; file systems allow 255 bytes
_DAY_S = 24 * 3600.0
_PREFIX = "dkd-"
_tidied: set[Path] = set()


def temporary_name(name: str, ending: str = "tmp") -> str:
    """Return a new name for a temporary file or folder, which says who made it.

    Args:
        name: name of the file that will take its place.
        ending: ``"tmp"``, or ``"old"`` for what is replaced.
    """
    stem = name if ending == "old" else name[:_LONGEST_STEM]  # of what is replaced, the whole name must be known
    return f"{stem}.{_machine()}-{os.getpid()}-{next(_numbers)}.{ending}"


def is_left_over(path: Path) -> bool:
    """Return whether a path is a temporary file or folder of this project whose maker has ended."""
    found = _NAME.search(path.name)
    if found is None:
        return False
    machine, process = found[1], int(found[2])
    if machine == _machine():
        return process != os.getpid() and not _is_alive(process)
    try:
        return time.time() - path.stat().st_mtime > _DAY_S
    except OSError:
        return False


def tidy(folder: Path) -> None:
    """Remove what killed processes left in a folder, once per process and folder. It never raises.

    A folder that was about to be replaced gets its name back if nothing has taken its place.
    """
    folder = folder.absolute()
    if folder in _tidied:
        return
    _tidied.add(folder)
    with suppress(OSError):
        for entry in os.scandir(folder):
            if is_left_over(Path(entry.path)):
                put_back(Path(entry.path))
                remove(Path(entry.path))


def put_back(old: Path) -> None:
    """Give a folder that was to be replaced its name again, if nothing has taken its place."""
    found = _NAME.search(old.name)
    if found is not None and found[3] == "old" and old.exists():
        place = old.with_name(old.name[: found.start()])
        with suppress(OSError):
            if not place.exists():
                os.replace(old, place)


def exchange(one: Path, other: Path) -> bool:
    """Let two files or folders of one file system change their names, in one step; return whether that is possible."""
    try:
        rename: Any = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    here, at_once = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return rename(here, os.fsencode(one), here, os.fsencode(other), at_once) == 0


def remove(path: Path) -> None:
    """Remove a file or folder if it exists and can be removed. A link is removed, not what it leads to."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """Yield a new folder for temporary files, which is removed when the block ends.

    Folders that killed processes of this user left there are removed first.

    Args:
        purpose: a word for its name.
    """
    place = Path(tempfile.gettempdir())
    with suppress(OSError):
        for entry in os.scandir(place):
            is_ours = entry.name.startswith(_PREFIX) and (
                not hasattr(os, "getuid") or entry.stat(follow_symlinks=False).st_uid == os.getuid()
            )
            if is_ours and is_left_over(Path(entry.path)):
                remove(Path(entry.path))
    folder = place / temporary_name(f"{_PREFIX}{purpose}")
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        remove(folder)


def _machine() -> str:
    """Return eight hexadecimal digits for this machine since it was started; a container is a machine of its own."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text())
    return f"{zlib.crc32(' '.join(parts).encode()):08x}"


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
