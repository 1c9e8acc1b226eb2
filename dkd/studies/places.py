"""Where the results of a study are: a folder on a disk, or one in an object store. Files are written whole or not at
all in both: on a disk under another name first, in a store by one upload, which counts only once it is complete.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property, partial
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, Protocol, TypeVar

from dkd.errors import ConfigError, DatasetError, DKDError, StorageError
from dkd.io.files import atomic_path
from dkd.io.leftovers import temporary_folder
from dkd.studies.sources import check_network, is_url, opened

T = TypeVar("T")
_OPTIONS = {"use_listings_cache": False}  # other machines write there, too
_NO_STORES = ("http://", "https://", "file://", "memory://")


class Place(Protocol):
    """A folder of results.

    Attributes:
        name: its path or address, for messages.
        root: its path as ``system`` takes it.
        system: file system of pyarrow's readers; ``None`` for a disk.
    """

    name: str

    @property
    def root(self) -> PurePath: ...

    @property
    def system(self) -> Any: ...

    def address(self, path: PurePath) -> str:
        """Return a path as the user knows it."""
        ...

    def has(self, path: PurePath) -> bool:
        """Return whether there is a file."""
        ...

    def has_folder(self, path: PurePath) -> bool:
        """Return whether there is a folder."""
        ...

    def ends_with(self, path: str, ending: bytes) -> bool:
        """Return whether a file ends so; it is only looked at on a disk, where it may be cut short."""
        ...

    def source(self, path: PurePath) -> Any:
        """Return what pyarrow reads a file from.

        Raises:
            DatasetError: an object store does not have it, or does not answer.
        """
        ...

    def files(self, below: PurePath) -> Iterator[str]:
        """Yield the paths of all files in a folder and below it; none if there is no folder."""
        ...

    def named(self, folder: PurePath, stem: str) -> list[PurePath]:
        """Return what is in a folder and is called ``stem`` and an ending."""
        ...

    def writing(self, path: PurePath) -> AbstractContextManager[Path]:
        """Yield the path of a file on this machine, which takes the place of ``path`` once it is written.

        Raises:
            StorageError: it cannot be written; what is there is unchanged.
        """
        ...

    def exporting(self, path: PurePath) -> AbstractContextManager[Path]:
        """Yield a path with the same ending on this machine, for a file or folder that is written in one step."""
        ...

    def move(self, path: PurePath, to: PurePath) -> None:
        """Move a file, and on a disk also a folder.

        Raises:
            StorageError: it cannot be moved.
        """
        ...


def place_of(results: str | os.PathLike[str]) -> Place:
    """Return the place of results: a path, or an address in an object store such as ``s3://bucket/study``."""
    text = os.fspath(results)
    return Away(text) if is_url(text) else Disk(Path(text))


def check_results(address: str) -> None:
    """Check the setting ``results``: empty, or the address of a folder in an object store.

    Raises:
        ConfigError: it is something else.
    """
    if not isinstance(address, str):
        raise ConfigError(f"expected the address of a folder such as s3://bucket/study as results, got {address!r}")
    if address and (not is_url(address) or address.lower().startswith(_NO_STORES)):
        raise ConfigError(
            "expected the address of a folder in an object store, such as s3://bucket/study, as results, or nothing "
            f"for the folder of the study, got {address!r}"
        )


class Disk:
    """A folder on a disk."""

    system = None

    def __init__(self, root: Path):
        self.root, self.name = root, str(root)

    def address(self, path: PurePath) -> str:
        return str(path)

    def has(self, path: PurePath) -> bool:
        return Path(path).exists()

    def has_folder(self, path: PurePath) -> bool:
        return Path(path).is_dir()

    def ends_with(self, path: str, ending: bytes) -> bool:
        try:
            with open(path, "rb") as file:
                file.seek(-len(ending), os.SEEK_END)
                return file.read() == ending
        except OSError:  # empty, gone, or not readable
            return False

    def source(self, path: PurePath) -> Any:
        return path

    def files(self, below: PurePath) -> Iterator[str]:
        try:
            entries = list(os.scandir(below))
        except FileNotFoundError:
            return
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from self.files(Path(entry.path))
            else:
                yield entry.path

    def named(self, folder: PurePath, stem: str) -> list[PurePath]:
        return [*Path(folder).glob(f"{stem}.*")]

    def writing(self, path: PurePath) -> AbstractContextManager[Path]:
        return atomic_path(Path(path))

    @contextmanager
    def exporting(self, path: PurePath) -> Iterator[Path]:
        yield Path(path)

    def move(self, path: PurePath, to: PurePath) -> None:
        try:
            Path(to).parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, to)
        except OSError as error:
            raise StorageError(f"cannot move {path} to {to}: {error.strerror}; check the permissions") from error


class Away:
    """A folder in an object store."""

    def __init__(self, url: str):
        self.name = url.rstrip("/")
        check_network(url)

    @cached_property
    def _opened(self) -> tuple[Any, PurePosixPath]:
        with opened(self.name, DatasetError, DatasetError, "file", **_OPTIONS) as (system, path):
            return system, PurePosixPath(path)

    @property
    def root(self) -> PurePosixPath:
        return self._opened[1]

    @property
    def system(self) -> Any:
        return self._opened[0]

    def address(self, path: PurePath) -> str:
        return f"{self.name}/{path.relative_to(self.root).as_posix()}"

    def has(self, path: PurePath) -> bool:
        return self._read(path, lambda: bool(self.system.exists(str(path))))

    def has_folder(self, path: PurePath) -> bool:
        return self._read(path, lambda: bool(self.system.isdir(str(path))))

    def ends_with(self, path: str, ending: bytes) -> bool:
        return True  # an upload is there as a whole, or not at all

    def source(self, path: PurePath) -> Any:
        import pyarrow as pa

        # Whole, in one request: parts are small.
        return pa.BufferReader(self._read(path, lambda: self.system.cat_file(str(path))))

    def files(self, below: PurePath) -> Iterator[str]:
        yield from self._find(below)

    def named(self, folder: PurePath, stem: str) -> list[PurePath]:
        paths = [PurePosixPath(one) for one in self._find(folder, prefix=f"{stem}.")]
        return [one for one in paths if one.relative_to(folder).parts[0].startswith(f"{stem}.")]

    @contextmanager
    def writing(self, path: PurePath) -> Iterator[Path]:
        with temporary_folder("result") as folder:
            here = folder / path.name
            try:
                yield here
            except DKDError:
                raise
            except OSError as error:
                raise StorageError(f"cannot write {here}: {error}; free some space") from error
            files = sorted(one for one in here.rglob("*") if one.is_file()) if here.is_dir() else [here]
            for file in files:
                key = path / file.relative_to(here)  # of a single file, the path itself
                self._write(key, partial(self.system.put_file, str(file), str(key)))

    exporting = writing

    def move(self, path: PurePath, to: PurePath) -> None:
        def copy_and_remove() -> None:
            self.system.cp_file(str(path), str(to))
            self.system.rm_file(str(path))

        self._write(to, copy_and_remove)

    def _read(self, path: PurePath, action: Callable[[], T]) -> T:
        with opened(self.address(path), DatasetError, DatasetError, "file", **_OPTIONS):
            return action()

    def _find(self, folder: PurePath, **how: str) -> list[str]:
        def find() -> list[str]:
            try:
                return list(self.system.find(str(folder), **how))
            except FileNotFoundError:
                return []

        return self._read(folder, find)

    def _write(self, path: PurePath, action: Callable[[], object]) -> None:
        try:
            action()
        except DKDError:
            raise
        except Exception as error:  # each store has errors of its own
            raise StorageError(
                f"cannot write {self.address(path)} ({type(error).__name__}: {error}); check the address, the network "
                "and the credentials. What is finished is kept: run the study again to go on"
            ) from error
