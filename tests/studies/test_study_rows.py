"""Rows as arrays are the rows that were given, and a table of clips that is merged in parts is the one made at once."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dkd import Study
from dkd.studies import rows as rows_module
from dkd.studies import store as store_module
from dkd.studies import study as study_module
from dkd.studies.columns import CLIP_COLUMNS, LABEL_COLUMNS
from dkd.studies.local import Outcome
from dkd.studies.merge import merged
from dkd.studies.rows import Row, Rows
from dkd.studies.settings import StudySettings, write_settings
from dkd.studies.store import Store, clips_schema
from dkd.studies.table import write_table

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@st.composite
def row(draw: st.DrawFn) -> Row:
    box = draw(st.none() | st.just((-1.5, 2.0, 10.25, 20.0)))
    start = draw(st.integers(0, 99))
    return Row(
        draw(st.integers(2, 10**6)), draw(TEXT), draw(TEXT), box, draw(st.none() | st.integers(0, 99)), start,
        draw(st.none() | st.integers(start, 10**9 - 1)), {"number": draw(TEXT), "b": draw(TEXT)}, draw(TEXT),
    )  # fmt: skip


@given(st.lists(row(), max_size=20, unique_by=lambda one: one.name), st.lists(st.integers(0, 19)), st.integers(1, 6))
def test_rows_are_those_that_were_given(wanted: list[Row], order: list[int], chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "_CHUNK", chunk)
        found = Rows(iter(wanted), ["number", "b"])
        assert list(found) == wanted and len(found) == len(wanted) and found[1:4] == wanted[1:4]
        assert [found[i] for i in order if i < len(wanted)] == [wanted[i] for i in order if i < len(wanted)]
        assert [found[i] for i in range(-len(wanted), 0)] == wanted
        assert [found.place(one.name) for one in wanted] == list(range(len(wanted)))
        for name in ("", "x", "a-0123456789", *(f"x{one.name}" for one in wanted)):
            assert found.place(name) is None
        with pytest.raises(IndexError):
            found[len(wanted)]


def test_a_hundred_thousand_rows_need_some_megabytes() -> None:
    before = pa.total_allocated_bytes()
    rows = Rows((Row(i, f"../videos/clip{i}.mp4", groups={"who": f"{i % 9}"}) for i in range(100_000)), ["who"])
    assert rows.place(rows[77_777].name) == 77_777
    assert pa.total_allocated_bytes() - before < 25e6


class Fake:
    """An engine that has each row done at once."""

    def __enter__(self) -> Fake:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, tasks: Iterable[Mapping[str, Any]]) -> Iterator[Outcome]:
        for task in tasks:
            row = task["row"]
            facts = {"name": task["name"], "video": row["video"], "person": row["person"], **row["groups"]}
            yield Outcome(task, {**dict.fromkeys(CLIP_COLUMNS), **facts, "status": "done", **task["facts"]})


def test_a_run_keeps_few_rows_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The objects of all 4,000 rows would need 5 kB each."""
    n = 4000
    monkeypatch.setattr(study_module, "MOST_UNSAVED", 500)
    write_table(tmp_path / "study.csv", [Row(0, "a.mp4", f"p{i}", groups={"who": f"{i % 9}"}) for i in range(n)])
    write_settings(tmp_path / "study.yaml", StudySettings())
    (tmp_path / "a.mp4").touch()
    study = Study(tmp_path)
    study.clips()  # what is imported is no part of it
    tracemalloc.start()
    try:
        done = [one.done for one in study.run(engine=Fake())]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert done == list(range(1, n + 1)) and peak < 8e6
    assert study.clips()["person"].tolist() == [f"p{i}" for i in range(n)]


def clip(i: int, value: int) -> dict[str, Any]:
    return {"name": people(i).name, "video": "a.mp4", "person": f"p{i}", "group": "old", "frames": value}


def people(i: int) -> Row:
    return Row(0, "a.mp4", f"p{i}", groups={"group": f"g{i}"})


@settings(max_examples=60)
@given(st.permutations(range(9)), st.integers(0, 9), st.sets(st.integers(0, 11)), st.integers(1, 5), st.booleans())
def test_a_table_merged_in_parts_is_the_one_made_at_once(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], n: int, new: set[int], chunk: int, is_sorted: bool
) -> None:
    """Of the rows 0 to 8 some are stored, in some order; rows 2 to 11 are those of today."""
    stored = sorted(order[:n]) if is_sorted else order[:n]
    rows = Rows((people(i) for i in range(2, 12)), ["group"])
    schema = clips_schema(["group"])
    store = Store(tmp_path_factory.mktemp("merged"))
    store.write_clips(pa.Table.from_pylist([clip(i, i) for i in stored], schema=schema))
    fresh = {i - 2: json.dumps(clip(i, 100 + i)).encode() for i in new if i >= 2}
    labels = {people(3).name: {**dict.fromkeys(LABEL_COLUMNS), "pck_20": 0.5}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_module, "CHUNK", chunk)
        store.write_clips(merged(store.clip_batches(), schema, rows, fresh, labels, stored == sorted(stored)), schema)
        table = store.read_clips()
    assert table is not None and table.schema.equals(schema, check_metadata=True)
    wanted = sorted({i for i in (*stored, *new) if i >= 2})
    assert table.column("name").to_pylist() == [people(i).name for i in wanted]
    assert table.column("group").to_pylist() == [f"g{i}" for i in wanted]
    assert table.column("frames").to_pylist() == [100 + i if i in new else i for i in wanted]
    assert table.column("pck_20").to_pylist() == [0.5 if i == 3 else None for i in wanted]


def test_parts_of_the_table_of_clips_are_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "CHUNK", 7)
    store = Store(tmp_path)
    store.write_clips(pa.Table.from_pylist([clip(i, i) for i in range(30)], schema=clips_schema(["group"])))
    parts = list(store.clip_batches(["frames", "name", "nothing"]))
    assert [len(part) for part in parts] == [7, 7, 7, 7, 2]
    assert {tuple(part.schema.names) for part in parts} == {("frames", "name")}
    assert np.concatenate([part.column("frames") for part in parts]).tolist() == list(range(30))
