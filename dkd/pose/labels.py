"""The one door through which label and prediction arrays come in: type, rank, shape and range, checked or converted.

NumPy would take what does not fit: flags that are numbers select rows instead of masking, a normaliser of the wrong
rank makes T × T pairs, and one prediction is broadcast to all frames. Every loader and measure uses these functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dkd.errors import ShapeError

Shape = Sequence[int | str]  # the name of an axis, such as "T", stands for any length


def as_numbers(values: Any, shape: Shape | None, name: str, dtype: Any = np.float64) -> np.ndarray:
    """Convert to an array of real numbers.

    Args:
        values: anything that NumPy takes as numbers; a flag is none.
        shape: the expected shape, such as ("T", 13, 2): a letter is an axis of any length; ``None``: any shape.
        name: what it is, for the error message.
        dtype: floating-point type of the result; ``None`` keeps that of a floating-point array. Nothing is copied
            without need.

    Raises:
        ShapeError: it is not an array of real numbers, or has another shape.
    """
    array = _array(values, name)
    if array.dtype.kind not in "iuf":
        raise ShapeError(f"expected {name} as numbers, got {_kind(array)}; convert it first")
    _check_shape(array, shape, name)
    if dtype is None:
        dtype = array.dtype if array.dtype.kind == "f" else np.float64
    return np.asarray(array, dtype)


def as_joints(values: Any, shape: Shape | None, name: str = "joints", dtype: Any = np.float64) -> np.ndarray:
    """Convert to joints in pixels, (..., J, 2), NaN where missing.

    A joint is missing if either of its coordinates is; its other one is then NaN, too.

    Raises:
        ShapeError: it is not an array of real numbers, has another shape, or has an infinite coordinate.
    """
    array = as_numbers(values, shape, name, dtype)
    if array.ndim < 2 or array.shape[-1] != 2:
        raise ShapeError(f"expected {name} of shape (…, J, 2), x and y of each joint, got {array.shape}")
    if np.isinf(array).any():
        raise ShapeError(f"expected {name} in pixels, NaN where missing, got an infinite coordinate")
    half = np.isnan(array).any(-1) & ~np.isnan(array).all(-1)
    if half.any():
        array = np.where(half[..., None], np.asarray(np.nan, array.dtype), array)
    return array


def as_flags(values: Any, shape: Shape | None, name: str) -> np.ndarray:
    """Convert to an array of bool: True and False, or the numbers 1 and 0.

    Raises:
        ShapeError: it has other values or another shape.
    """
    array = _array(values, name)
    _check_shape(array, shape, name)
    if array.dtype.kind == "b":
        return array
    if array.dtype.kind not in "iuf" or not np.isin(array, (0, 1)).all():
        raise ShapeError(f"expected {name} as bool, or 0 and 1, got {_kind(array)}")
    return array == 1


def as_visible(values: Any, shape: Shape | None, name: str = "visible") -> np.ndarray:
    """Convert visibility flags to bool: whether a labelled joint is visible.

    Taken are True and False; 1 and 0; and COCO's numbers, which are recognised by a 2: 2 is visible, 1 is labelled but
    hidden, 0 is not labelled. (COCO's numbers without any 2 cannot be told from 1 and 0: convert them first by
    ``v == 2``.)

    Raises:
        ShapeError: it has other values, such as scores, or another shape.
    """
    array = _array(values, name)
    if array.dtype.kind in "iuf" and (array == 2).any() and np.isin(array, (0, 1, 2)).all():
        _check_shape(array, shape, name)
        return array == 2
    try:
        return as_flags(array, shape, name)
    except ShapeError as error:
        raise ShapeError(f"{error} (or COCO's 0, 1 and 2); for scores, choose a threshold: scores > 0.3") from None


def as_boxes(values: Any, n_frames: int | str, name: str = "boxes", dtype: Any = None) -> np.ndarray:
    """Convert to boxes (T, 4): x0, y0, x1, y1 in pixels, NaN where missing.

    Raises:
        ShapeError: it is not an array of real numbers of that shape, a coordinate is infinite, or a corner comes before
            the other one (x, y, width, height?).
    """
    array = as_numbers(values, (n_frames, 4), name, dtype)
    if np.isinf(array).any():
        raise ShapeError(f"expected {name} in pixels, NaN where missing, got an infinite coordinate")
    if (array[:, 2:] < array[:, :2]).any():
        t = int(np.flatnonzero((array[:, 2:] < array[:, :2]).any(-1))[0])
        raise ShapeError(
            f"expected {name} as x0, y0, x1, y1 with x1 ≥ x0 and y1 ≥ y0, got {array[t].tolist()} in frame {t}; "
            "boxes as x, y, width, height must be converted first"
        )
    return array


def as_lengths(values: Any, shape: Sequence[int], name: str = "normaliser") -> np.ndarray:
    """Convert one length, or one per frame, to an array of ``shape``, the shape of the frames' axes.

    Raises:
        ShapeError: it is neither one number nor an array of that shape.
    """
    array = as_numbers(values, None, name)
    if array.shape not in ((), tuple(shape)):
        raise ShapeError(f"expected a {name} of shape {_text(shape)} or one number, got {array.shape}")
    return np.broadcast_to(array, tuple(shape))


def _array(values: Any, name: str) -> np.ndarray:
    try:
        return np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise ShapeError(f"expected {name} as an array, got rows of different lengths ({error})") from error


def _check_shape(array: np.ndarray, shape: Shape | None, name: str) -> None:
    if shape is None:
        return
    fits = [isinstance(n, str) or n == m for n, m in zip(shape, array.shape, strict=False)]
    if array.ndim != len(shape) or not all(fits):
        raise ShapeError(f"expected {name} of shape {_text(shape)}, got {array.shape}")


def _text(shape: Shape) -> str:
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


def _kind(array: np.ndarray) -> str:
    if array.dtype.kind == "f" and np.isnan(array).any():
        return f"{array.dtype} with NaN"
    if array.dtype.kind in "iuf" and array.size:
        return f"{array.dtype} from {array.min()} to {array.max()}"
    return str(array.dtype)
