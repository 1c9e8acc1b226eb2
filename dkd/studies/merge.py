"""The table of clips with new rows, made part by part: it need not be in memory as a whole."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from dkd.studies.columns import CLIP_COLUMNS, LABEL_COLUMNS
from dkd.studies.rows import Rows

if TYPE_CHECKING:
    import pyarrow as pa


_OBJECTS = 512  # new rows that are Python objects at a time


def merged(
    stored: Iterator[pa.Table],
    schema: pa.Schema,
    rows: Rows,
    new: Mapping[int, bytes],
    labels: Mapping[str, Mapping[str, Any]],
    is_ordered: bool,
) -> Iterator[pa.Table]:
    """Yield the table of clips in parts, in the order of the rows of the study, with their groups.

    Args:
        stored: the parts of the stored table; rows that left the study are left out.
        schema: schema of the result.
        rows: rows of the study.
        new: new rows of the table as JSON, by the position of the row; they replace those that are there.
        labels: new values of the label columns, by the name of the row.
        is_ordered: whether the stored table has the order of the rows; if not, the result is a single part.
    """
    import pyarrow as pa

    if not is_ordered:
        stored = iter([pa.concat_tables(stored)])
    waiting = sorted(new, reverse=True)
    for table in chain(stored, [None]):
        upto, places, parts = math.inf, list[int](), list[pa.Table]()
        if table is not None:
            found = [rows.place(name) for name in table.column("name").to_pylist()]
            upto = max((i for i in found if i is not None), default=-1)
            kept = [(k, i) for k, i in enumerate(found) if i is not None and i not in new]
            places = [i for _, i in kept]
            parts = [_fitted(table.take(pa.array([k for k, _ in kept], pa.int64())), places, rows, schema)]
        here = []
        while waiting and waiting[-1] <= upto:
            here.append(waiting.pop())
        for k in range(0, len(here), _OBJECTS):
            made = [{**json.loads(new[i]), **rows[i].groups} for i in here[k : k + _OBJECTS]]
            parts.append(pa.Table.from_pylist(made, schema=schema))
        places = [*places, *here]
        order = sorted(range(len(places)), key=places.__getitem__)
        if order:  # then there are parts
            yield _with_labels(pa.concat_tables(parts).take(pa.array(order, pa.int64())), labels)


def _fitted(table: pa.Table, places: Sequence[int], rows: Rows, schema: pa.Schema) -> pa.Table:
    """Return a part of the stored table with the groups of today."""
    import pyarrow as pa

    columns = {name: table.column(name) for name in CLIP_COLUMNS}
    groups = [rows[i].groups for i in places] if rows.groups else []
    for name in rows.groups:
        columns[name] = pa.chunked_array([pa.array([one[name] for one in groups], pa.string())])
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _with_labels(table: pa.Table, labels: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    """Return a part with new values of the label columns."""
    import pyarrow as pa

    names = table.column("name").to_pylist() if labels else []
    if not any(name in labels for name in names):
        return table
    for column in LABEL_COLUMNS:
        i, values = table.schema.get_field_index(column), table.column(column).to_pylist()
        values = [labels[name][column] if name in labels else value for name, value in zip(names, values, strict=True)]
        table = table.set_column(i, table.schema.field(i), pa.array(values, table.schema.field(i).type))
    return table
