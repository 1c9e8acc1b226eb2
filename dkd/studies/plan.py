"""What a run of a study has to do, and the table of clips that it keeps. Columns are arrays, for a hundred thousand
rows."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dkd
from dkd.errors import VideoError
from dkd.studies.columns import LABEL_COLUMNS
from dkd.studies.evaluate import STATE, label_values
from dkd.studies.local import Outcome
from dkd.studies.settings import StudySettings, work_key
from dkd.studies.sources import Listing, is_url
from dkd.studies.store import Store, clip_of, clips_schema, read_part
from dkd.studies.table import Row
from dkd.video.folders import is_images

_PLANNED = ("name", "status", "key", "video_sha256", "video_bytes", "video_mtime_ns")


class Plan:
    """The rows to run, and the results so far. Parts of rows that left the table, or changed group, are moved.

    Args:
        store: results of the study.
        rows, groups, settings: of the study.
        weights: SHA-256 of the model's file.

    Attributes:
        index: position of each row by its name.
        waiting: positions of the rows to run, in the order of the table.
        n_done, n_failed: how many rows are done, and failed in this run.
        n_missing: how many done rows have a video that is not there; their results stay.

    Raises:
        DatasetError: the table of clips is damaged.
        StorageError: a part cannot be moved.
    """

    def __init__(self, store: Store, rows: Sequence[Row], groups: Sequence[str], settings: StudySettings, weights: str):
        self._store, self._rows, self._groups = store, rows, groups
        self._settings, self._weights = settings, weights
        self._schema = clips_schema(groups)
        self.index = {row.name: i for i, row in enumerate(rows)}
        self._new: list[dict[str, Any]] = []
        stored = store.read_clips()
        self._table = self._schema.empty_table() if stored is None else self._fitted(stored)
        has_part = self._check_parts()
        self._fold()
        self._stored_away = Listing()
        self.n_missing = 0
        is_done = bytearray(len(rows))
        for facts in self._facts():
            i = self.index[facts["name"]]
            if facts["status"] == "done" and has_part[i]:
                is_done[i] = self._is_done(rows[i], facts)
        self.waiting = [i for i, done in enumerate(is_done) if not done]
        self.n_done, self.n_failed = len(rows) - len(self.waiting), 0

    def _check_parts(self) -> bytearray:
        """Return which rows have a part; move those in other places, and take in those that the table does not know."""
        known = bytearray(len(self._rows))
        for facts in self._facts():
            known[self.index[facts["name"]]] = True
        has_part = bytearray(len(self._rows))
        for file in self._store.parts():
            part, i = Path(file), self.index.get(Path(file).stem)
            if i is None:
                self._store.set_aside(part)
                continue
            has_part[i] = True
            row = self._rows[i]
            if not known[i] and (clip := clip_of(part)) is not None:
                self._new.append(clip)  # finished after the table of clips was written last
            if part != (place := self._store.part(row.name, row.groups)):
                self._store.move(part, place)
        return has_part

    def _facts(self) -> Iterator[dict[str, Any]]:
        """Yield what the plan needs of each row of the table of clips; a batch at a time, which keeps memory small."""
        for batch in self._table.select(list(_PLANNED)).to_batches(max_chunksize=4096):
            yield from batch.to_pylist()

    def _fitted(self, table: Any) -> Any:
        """Return the stored table without rows that left the study, with the groups of today."""
        import pyarrow as pa

        names = table.column("name").to_pylist()
        kept = [i for i, name in enumerate(names) if name in self.index]
        table = table.take(pa.array(kept, pa.int64()))
        columns = {name: table.column(name) for name in table.schema.names if name in self._schema.names}
        for group in self._groups:
            columns[group] = pa.array([self._rows[self.index[names[i]]].groups[group] for i in kept], pa.string())
        return pa.table([columns[name] for name in self._schema.names], schema=self._schema)

    def _is_done(self, row: Row, facts: Mapping[str, Any]) -> bool:
        """Return whether a row need not be run: same key, and same video by size and time, else by content."""
        if facts["key"] != self._key(row):
            return False
        digest, size, changed = facts["video_sha256"], facts["video_bytes"], facts["video_mtime_ns"]
        if is_url(row.video):
            found = self._stored_away.state(row.video)
            self.n_missing += found is None
            return found is None or tuple(found.values()) == (size, changed)
        video = Path(self.video(row))
        if not is_images(video) and not video.exists():
            self.n_missing += 1
            return True  # its result stays: the disk of the videos may be away
        try:
            state = None if is_images(video) else video.stat()
            if state is not None and (state.st_size, state.st_mtime_ns) == (size, changed):
                return True
            from dkd.sessions.hashes import hash_video  # here: it brings torch, which a finished study does not need

            return (state is None or state.st_size == size) and hash_video(video) == digest
        except (OSError, VideoError):
            return False  # the run says what is wrong with it

    def _key(self, row: Row) -> str:
        return work_key(row, self._settings, self._weights)

    def task(self, index: int, attempt: int) -> dict[str, Any]:
        """Return the message to a worker for a row."""
        row = self._rows[index]
        facts = {"key": self._key(row), "model_sha256": self._weights, "attempts": attempt}
        plain = {name: getattr(row, name) for name in Row.__slots__}
        return {"name": row.name, "row": plain, "video": self.video(row), "facts": facts}

    def video(self, row: Row) -> str:
        """Return the path of a row's video, or its address in an object store."""
        if is_url(row.video):
            return row.video
        # Without "..": through a folder that is missing, it would lead nowhere.
        return os.path.normpath(self._store.folder.resolve() / row.video)

    def record(self, index: int, outcome: Outcome, attempt: int) -> None:
        """Keep the outcome of a row."""
        clip: Mapping[str, Any] | None = outcome.clip
        if clip is None:
            row = self._rows[index]
            clip = {
                "name": row.name, "video": row.video, "person": row.person, **row.groups, "status": "failed",
                "error": f"{outcome.kind}: {outcome.error}", "attempts": attempt, "key": self._key(row),
                "model_sha256": self._weights, "version": dkd.__version__,
                "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            }  # fmt: skip
            if (part := self._store.part(row.name, row.groups)).exists():
                self._store.set_aside(part)  # of an earlier box, video or setting
        self.n_failed += outcome.error is not None
        self.n_done += outcome.error is None
        self._new.append(dict(clip))

    def _fold(self) -> None:
        """Put the new rows into the table, in place of older ones of the same name, in the order of the rows."""
        import pyarrow as pa

        if not self._new:
            return
        new = {clip["name"]: {**clip, **self._rows[self.index[clip["name"]]].groups} for clip in self._new}
        old = self._table.column("name").to_pylist()
        table = pa.concat_tables(
            [
                self._table.take(pa.array([i for i, name in enumerate(old) if name not in new], pa.int64())),
                pa.Table.from_pylist(list(new.values()), schema=self._schema),
            ]
        )
        places = [self.index[name] for name in table.column("name").to_pylist()]
        order = sorted(range(len(table)), key=places.__getitem__)
        self._table, self._new = table.take(pa.array(order, pa.int64())).combine_chunks(), []

    def measure_labels(self) -> None:
        """Measure the rows whose labels changed, from their stored joints.

        Raises:
            DatasetError: the joints of a row cannot be read.
        """
        import pandas as pd
        import pyarrow as pa

        self._fold()
        known = self._table.select(["name", "status", *STATE]).to_pydict()
        states = zip(known["name"], known["status"], zip(*(known[name] for name in STATE), strict=True), strict=True)
        rows = ((self._rows[self.index[name]], state) for name, status, state in states if status != "failed")

        def read_joints(row: Row) -> pd.DataFrame:
            return read_part(self._store.part(row.name, row.groups), ["frame", "joint", "x", "y"])

        if found := label_values(rows, self._store.folder, read_joints):
            for column in LABEL_COLUMNS:
                i, values = self._schema.get_field_index(column), self._table.column(column).to_pylist()
                for k, name in enumerate(known["name"]):
                    values[k] = found[name][column] if name in found else values[k]
                self._table = self._table.set_column(
                    i, self._schema.field(i), pa.array(values, self._schema.field(i).type)
                )

    def save(self) -> None:
        """Write the table of clips.

        Raises:
            StorageError: it cannot be written; what is finished is in the parts.
        """
        self._fold()
        self._store.write_clips(self._table)
