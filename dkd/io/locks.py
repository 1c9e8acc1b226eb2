"""Whether another process holds a lock file, without writing anything: the folder may be read-only."""

from __future__ import annotations

import os
from pathlib import Path

from filelock import FileLock, Timeout


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock file ``path``, as :class:`filelock.FileLock` does.

    A file that is missing, or of which this cannot be found out, is not locked.
    """
    try:
        if os.name == "nt":
            with FileLock(path, timeout=0) if path.exists() else open(os.devnull):
                return False
        import fcntl

        handle = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(handle)  # this also releases the lock
    except (Timeout, BlockingIOError):
        return True
    except OSError:
        return False
    return False
