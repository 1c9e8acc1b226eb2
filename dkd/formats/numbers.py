"""Numbers of pose files: the shortest text that reads back to the same value, and numbers in names."""

from __future__ import annotations

import re
from pathlib import PurePath

import numpy as np


def shortest(array: np.ndarray) -> np.ndarray:
    """Return float64 values whose shortest decimal text is that of the given float32 or float64 values.

    ``float(np.float32(0.1))`` would be written as 0.10000000149011612; this returns 0.1, which becomes the same float32
    when it is read.
    """
    array = np.asarray(array)
    if array.dtype == np.float64:
        return array
    return array.astype(str).astype(np.float64)


def number_in(name: str) -> int | None:
    """Return the last number in a file's name without its ending, such as 12 for ``clip7_000012.png``."""
    found = re.findall(r"\d+", PurePath(name).name.rsplit(".", 1)[0])
    return int(found[-1]) if found else None


def spread(rows: np.ndarray, values: np.ndarray, n: int, fill: float = np.nan) -> np.ndarray:
    """Return (n, …) values with ``values`` in the given rows and ``fill`` elsewhere."""
    out = np.full((n, *values.shape[1:]), fill, values.dtype)
    out[rows] = values
    return out
