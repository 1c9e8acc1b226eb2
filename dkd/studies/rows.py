"""The rows of a study as arrays: a hundred thousand of them need some megabytes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

_CHUNK = 1024  # rows that are objects at a time
_DIGITS = 10  # of the hash in the name of a row


@dataclass(frozen=True, slots=True)
class Row:
    """A row: one person in one video.

    Attributes:
        number: line of the table, from 2 (line 1 has the names of the columns).
        video: path as it is written in the table.
        person: name of the person.
        box: box in pixels of ``frame``; ``None``: the person is searched for there.
        frame: frame of the video that has the box; ``None``: the first one of the part.
        start, stop: the part of the video, ``stop`` exclusive; ``None``: the end.
        groups: value of each group, by column; empty text if there is none.
        labels: path of the labels as it is written in the table; empty text if there are none.
    """

    number: int
    video: str
    person: str = "person"
    box: tuple[float, float, float, float] | None = None
    frame: int | None = None
    start: int = 0
    stop: int | None = None
    groups: dict[str, str] = field(default_factory=dict)
    labels: str = ""

    @property
    def name(self) -> str:
        """Name of the row in the results: readable, and different for each row of a table."""
        facts = json.dumps([self.video, self.person, self.start, self.stop])
        words = re.sub(r"[^A-Za-z0-9.+=-]+", "_", f"{Path(self.video).stem}-{self.person}")[-60:].strip("_.")
        return f"{words}-{hashlib.sha256(facts.encode()).hexdigest()[:_DIGITS]}"


class Rows(Sequence[Row]):
    """The rows of a table. Each one is made when it is asked for, so that few are in memory.

    Args:
        rows: the rows, read once.
        groups: names of the groups.

    Attributes:
        groups: names of the groups.
    """

    def __init__(self, rows: Iterable[Row], groups: Sequence[str]):
        self.groups = list(groups)
        self._parts: list[pa.RecordBatch] = []
        waiting = iter(rows)
        while chunk := list(islice(waiting, _CHUNK)):
            self._parts.append(_as_arrays(chunk, self.groups))
        self._length = sum(len(part) for part in self._parts)
        self._made: tuple[int, list[Row]] = -1, []  # the part of which all rows were made
        self._last = -1
        self._lookup: tuple[np.ndarray, np.ndarray, list[Any]] | None = None

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, i: int) -> Row: ...
    @overload
    def __getitem__(self, i: slice) -> list[Row]: ...
    def __getitem__(self, i: int | slice) -> Row | list[Row]:
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(self._length))]
        i = i + self._length if i < 0 else i
        if not 0 <= i < self._length:
            raise IndexError(f"row {i} of {self._length}")
        at, k = divmod(i, _CHUNK)
        made, rows = self._made
        if made == at:
            return rows[k]
        follows, self._last = i == self._last + 1, i
        if not follows:  # one of them: the others of its part may not be needed
            return _as_row(self._parts[at].slice(k, 1).to_pylist()[0], self.groups)
        rows = [_as_row(cells, self.groups) for cells in self._parts[at].to_pylist()]
        self._made = at, rows
        return rows[k]

    def __iter__(self) -> Iterator[Row]:
        for part in self._parts:
            for cells in part.to_pylist():
                yield _as_row(cells, self.groups)

    def place(self, name: str) -> int | None:
        """Return the position of the row with this name; ``None`` if there is none."""
        if self._lookup is None:
            self._lookup = self._names()
        hashes, order, names = self._lookup
        try:
            wanted = int(name[-_DIGITS:], 16)
        except ValueError:
            return None
        k = int(np.searchsorted(hashes, wanted))
        while k < self._length and hashes[k] == wanted:
            i = int(order[k])
            if names[i // _CHUNK][i % _CHUNK].as_py() == name:
                return i
            k += 1
        return None

    def _names(self) -> tuple[np.ndarray, np.ndarray, list[Any]]:
        """Return the hashes in the names, sorted; the positions of their rows; and the names."""
        import pyarrow as pa

        hashes, names = np.empty(self._length, np.int64), []
        for at, part in enumerate(self._parts):
            each = [_as_row(cells, ()).name for cells in part.to_pylist()]
            hashes[at * _CHUNK : at * _CHUNK + len(each)] = [int(name[-_DIGITS:], 16) for name in each]
            names.append(pa.array(each, pa.string()))
        order = np.argsort(hashes, kind="stable").astype(np.int32)
        return hashes[order], order, names


def _as_arrays(rows: Sequence[Row], groups: Sequence[str]) -> pa.RecordBatch:
    import pyarrow as pa

    kinds = {"number": pa.int32(), "video": pa.string(), "person": pa.string(), "box": pa.list_(pa.float64(), 4),
             "frame": pa.int32(), "start": pa.int32(), "stop": pa.int32(), "labels": pa.string()}  # fmt: skip
    columns = {name: pa.array([getattr(row, name) for row in rows], kind) for name, kind in kinds.items()}
    columns |= {f"={name}": pa.array([row.groups.get(name, "") for row in rows], pa.string()) for name in groups}
    return pa.RecordBatch.from_pydict(columns)


def _as_row(cells: Mapping[str, Any], groups: Sequence[str]) -> Row:
    box = cells["box"]
    return Row(
        cells["number"], cells["video"], cells["person"], None if box is None else tuple(box), cells["frame"],
        cells["start"], cells["stop"], {name: cells[f"={name}"] for name in groups}, cells["labels"],
    )  # fmt: skip
