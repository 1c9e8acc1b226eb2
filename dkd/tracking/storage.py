"""Storage of a trace's large arrays: in memory if they fit, else in temporary files."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import weakref
from pathlib import Path

import numpy as np

from dkd.errors import StorageError
from dkd.io.leftovers import remove

# Maps and kernels of a trace that need more than this are stored in temporary files. A 10-minute clip at 30 frames/s
# needs 1.0 GB with the default model (55 kB per frame).
IN_MEMORY = 512 * 2**20  # bytes


def zeros(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Allocate zeroed float32 arrays, which share one budget of :data:`IN_MEMORY` bytes.

    Raises:
        StorageError: the temporary files do not fit on the disk.
    """
    in_memory = 4 * sum(int(np.prod(shape)) for shape in shapes) <= IN_MEMORY
    return [np.zeros(shape, np.float32) if in_memory or 0 in shape else _on_disk(shape) for shape in shapes]


def _on_disk(shape: tuple[int, ...]) -> np.ndarray:
    """Allocate a zeroed float32 array in a temporary file that is deleted with the array.

    The file has no name once it is mapped, so that nothing is left over if the process is killed. Windows cannot do
    that: there, it is deleted with the array. It is fully written first, so that a full disk raises an error here, not
    a bus error during a run.
    """
    handle, name = tempfile.mkstemp(prefix="dkd-trace-", suffix=".tmp")
    n_bytes = 4 * int(np.prod(shape))
    try:
        with os.fdopen(handle, "wb") as file:
            if shutil.disk_usage(name).free < n_bytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            block, remaining = bytes(2**24), n_bytes
            while remaining > 0:
                remaining -= file.write(block[:remaining])
        array = np.memmap(name, np.float32, mode="r+", shape=shape)
    except OSError as error:
        remove(Path(name))
        raise StorageError(
            f"a trace of this length needs {n_bytes / 1e9:.1f} GB in {tempfile.gettempdir()}: {error}. "
            "Free some space, set TMPDIR to a larger disk, or trace fewer frames (stop=...)."
        ) from error
    if os.name == "nt":
        weakref.finalize(array, Path(name).unlink, missing_ok=True)
    else:
        os.unlink(name)
    return array
