"""What commands check of the file that they are to write, before the work."""

from __future__ import annotations

from pathlib import Path

from dkd.errors import ConfigError
from dkd.io.files import check_place


def check_new(path: Path, force: bool) -> None:
    """Check that a file can be written to a path, and replaces none unless it is asked to.

    Raises:
        ConfigError: there is one already, or a folder, or a file where a folder is needed.
        StorageError: the path cannot be used at all.
    """
    check_place(path)
    if path.exists() and not force:
        raise ConfigError(f"{path} exists already; add --force to replace it, or choose another name")
