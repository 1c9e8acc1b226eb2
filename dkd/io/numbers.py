"""Numbers as text: the shortest that reads back to the same value of the array's type."""

from __future__ import annotations

import numpy as np


def text(values: np.ndarray, unknown: str = "") -> np.ndarray:
    """Return values as an array of shortest texts, ``unknown`` for NaN."""
    out = np.asarray(values).astype(str).astype(object)
    out[np.isnan(values)] = unknown
    return out
