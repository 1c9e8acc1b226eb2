"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dkd.errors import StorageError


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Give the path of a temporary file beside ``path``; once it is written, it takes that name.

    The folder is made where it is missing. Where writing fails, what stood at ``path`` before is untouched.

    Raises:
        StorageError: there is no room, or no right to write.
    """
    path = Path(path)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())  # or a power cut could leave the new name with the old disk's blocks
        os.replace(temporary, path)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error}. What stood there is untouched; free some space, or name another place"
        ) from error
    finally:
        with suppress(NotADirectoryError):  # a file stands where the folder should be
            temporary.unlink(missing_ok=True)
