"""Atomic file writing: a file is written completely or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dkd.errors import StorageError


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield the path of a temporary file in the same folder, which replaces ``path`` once it is written.

    The folder is created if it is missing. If writing fails, an existing file at ``path`` stays unchanged.

    Raises:
        StorageError: the disk is full, or there is no permission to write.
    """
    path = Path(path)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())  # otherwise a power cut could leave the new name on unwritten blocks
        os.replace(temporary, path)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error}. An existing file is unchanged; free some space, or choose another path"
        ) from error
    finally:
        with suppress(NotADirectoryError):  # a file is where the folder should be
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder next to ``path``, which takes its place once it is written.

    The parent is created if it is missing. If writing fails, an existing folder at ``path`` stays unchanged.

    Raises:
        StorageError: the disk is full, or there is no permission to write.
    """
    path = Path(path)
    temporary, old = (path.with_name(f"{path.name}.{os.getpid()}.{end}") for end in ("tmp", "old"))
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if path.exists():
            os.replace(path, old)
        os.replace(temporary, path)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error}. An existing folder is unchanged; free some space, or choose another path"
        ) from error
    finally:
        for left in (temporary, old):
            shutil.rmtree(left, ignore_errors=True)
