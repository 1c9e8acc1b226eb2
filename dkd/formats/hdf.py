"""HDF5 files: opened with a typed error, names as text, and descriptions of columns read without unpickling them."""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dkd.errors import DatasetError
from dkd.io.limits import check_rows

if TYPE_CHECKING:
    import h5py


@contextmanager
def hdf(path: Path, mode: Literal["r", "w"] = "r", **options: Any) -> Iterator[h5py.File]:
    """Open an HDF5 file.

    Raises:
        DatasetError: a file to read is no HDF5 file, or lacks a part that is asked for.
    """
    import h5py

    if mode == "w":
        with h5py.File(path, "w", **options) as file:
            yield file
        return
    try:
        with h5py.File(path, "r") as file:
            file.visititems(lambda name, part: _check_length(part, f"{name} of {path}"))
            yield file
    except (OSError, KeyError, RuntimeError) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error


def _check_length(part: Any, where: str) -> None:
    """Check the length of numbers that may be read; equal ones take no space in a file. Pictures are not read."""
    if hasattr(part, "shape") and part.dtype.kind in "fciV" and part.dtype.itemsize > 1:
        check_rows(int(part.size or 0), where)


def strings(values: Any) -> list[str]:
    """Convert HDF5 text of any kind, one or an array, to a list of text."""
    flat = np.asarray(values, object).ravel().tolist()
    return [one.decode() if isinstance(one, bytes) else str(one) for one in flat]


def plain_literals(data: bytes) -> Any:
    """Read lists, tuples, dictionaries, text and numbers from a pickle, and nothing that could run code.

    PyTables stores the names of columns so. Only opcodes that build such values are followed; ``pickletools`` names
    opcodes but does not execute them.

    Raises:
        DatasetError: the pickle has anything else.
    """
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}
    try:
        for opcode, argument, _ in pickletools.genops(bytes(data)):
            name = opcode.name
            if name in ("PROTO", "FRAME"):
                continue
            if name == "STOP":
                (value,) = stack
                return value
            if name == "MARK":
                marks.append(len(stack))
            elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
                memo[int(argument or 0)] = stack[-1]
            elif name == "MEMOIZE":
                memo[len(memo)] = stack[-1]
            elif name in ("GET", "BINGET", "LONG_BINGET"):
                stack.append(memo[int(argument or 0)])
            elif name in _VALUES or name in _CONSTANTS:
                stack.append(_CONSTANTS[name]() if name in _CONSTANTS else argument)
            else:
                _build(name, stack, marks)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"the names of the columns cannot be read: {error}") from error
    raise DatasetError("the names of the columns cannot be read: their description ends early")


_VALUES = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE",
}  # fmt: skip
_CONSTANTS: dict[str, Any] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False, "EMPTY_LIST": list, "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
}  # fmt: skip


def _build(name: str, stack: list[Any], marks: list[int]) -> None:
    """Follow an opcode that makes a container or adds to one."""
    counts = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
    if name in counts:
        parts = stack[-counts[name] :]
        del stack[-counts[name] :]
        stack.append(tuple(parts))
    elif name in ("LIST", "TUPLE", "DICT", "APPENDS", "SETITEMS"):
        at = marks.pop()
        parts = stack[at:]
        del stack[at:]
        pairs = dict(zip(parts[::2], parts[1::2], strict=True)) if name in ("DICT", "SETITEMS") else {}
        if name == "APPENDS":
            stack[-1].extend(parts)
        elif name == "SETITEMS":
            stack[-1].update(pairs)
        else:
            stack.append({"LIST": parts, "TUPLE": tuple(parts), "DICT": pairs}[name])
    elif name == "APPEND":
        value = stack.pop()
        stack[-1].append(value)
    elif name == "SETITEM":
        value, key = stack.pop(), stack.pop()
        stack[-1][key] = value
    else:
        raise ValueError(f"it has {name}, which could run code")
