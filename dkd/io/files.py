"""Atomic file writing: a file is written completely or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dkd.errors import ConfigError, DKDError, StorageError
from dkd.io.leftovers import exchange, put_back, remove, temporary_name, tidy


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield the path of a temporary file in the same folder, which replaces ``path`` once it is written.

    The folder is created if it is missing; a symbolic link stays one, and the file that it stands for is written. If
    writing fails, an existing file at ``path`` stays unchanged. Temporary
    files that killed processes left in the folder are removed.

    Raises:
        StorageError: the disk is full, or there is no permission to write.
    """
    path = _checked(path)
    try:
        path = path.resolve() if path.is_symlink() else path  # the file that a link stands for is replaced
    except (OSError, RuntimeError) as error:  # a circle of links
        raise StorageError(f"cannot write {path}: {error}; choose another path") from error
    temporary = path.with_name(temporary_name(path.name))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tidy(path.parent)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())  # otherwise a power cut could leave the new name on unwritten blocks
        os.replace(temporary, path)
    except DKDError:  # some are an OSError too, such as that of a video that is not there
        raise
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error}. An existing file is unchanged; free some space, or choose another path"
        ) from error
    finally:
        remove(temporary)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder next to ``path``, which takes its place once it is written.

    The parent is created if it is missing. If writing fails, an existing folder at ``path`` stays unchanged. Linux can
    exchange two folders in one step. Elsewhere it takes two renames, and a process that is killed between them leaves
    no folder at ``path``; the next call that writes next to it puts the old one back.

    Raises:
        StorageError: the disk is full, or there is no permission to write.
    """
    path = _checked(path)
    temporary, old = path.with_name(temporary_name(path.name)), path.with_name(temporary_name(path.name, "old"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tidy(path.parent)
        temporary.mkdir()
        yield temporary
        if not (path.exists() and exchange(temporary, path)):
            if path.exists():
                os.replace(path, old)
            os.replace(temporary, path)
    except DKDError:
        raise
    except OSError as error:
        put_back(old)
        raise StorageError(
            f"cannot write {path}: {error}. An existing folder is unchanged; free some space, or choose another path"
        ) from error
    finally:
        for left in (temporary, old):
            remove(left)


def check_place(path: str | Path) -> None:
    """Check before long work that there can be a file at ``path``; folders that are missing are created later.

    Raises:
        ConfigError: there is a folder at ``path``, or a file where a folder is needed.
        StorageError: the path cannot be used at all.
    """
    path = _checked(path)
    there = _there(path)
    if there == path.absolute():
        if there.is_dir():
            raise ConfigError(f"expected the name of a file, got the folder {path}; add a name")
    elif not there.is_dir():
        raise ConfigError(f"expected a folder, got the file {there} in {path}; choose another path")


def check_folder(path: str | Path) -> None:
    """Check before long work that there can be a folder at ``path``; it is created later.

    Raises:
        ConfigError: there is a file at ``path``, or where a folder above it is needed.
        StorageError: the path cannot be used at all.
    """
    path = _checked(path)
    there = _there(path)
    if not there.is_dir():
        where = "" if there == path.absolute() else f" in {path}"
        raise ConfigError(f"expected a folder, got the file {there}{where}; choose another path")


def _there(path: Path) -> Path:
    """Return what is at a path, or the nearest folder or file above it, as an absolute path."""
    try:
        return next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error}; choose another path") from error


def _checked(path: str | Path) -> Path:
    if not Path(path).name:
        raise StorageError(f"cannot write {str(path)!r}: expected the name of a file or folder; choose one")
    if "\0" in str(path):
        raise StorageError(f"cannot write {str(path)!r}: a path has no null character; choose another one")
    return Path(path)
