"""What a run of a study has to do, and the table of clips that it keeps.

A hundred thousand rows need a few megabytes: the table of clips stays in its file, and is read and written in parts.
"""

from __future__ import annotations

import json
import logging
import os
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import dkd
from dkd.errors import ConfigError, VideoError
from dkd.studies.evaluate import STATE, label_values
from dkd.studies.local import Outcome
from dkd.studies.merge import merged
from dkd.studies.rows import Row, Rows
from dkd.studies.settings import StudySettings, work_key
from dkd.studies.sources import Listing, is_url
from dkd.studies.store import Store, clips_schema
from dkd.video.folders import is_images

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)
_OBJECTS = 512  # rows of the table of clips that are Python objects at a time
_PLANNED = ("name", "status", "key", "video_sha256", "video_bytes", "video_mtime_ns")


class Plan:
    """The rows to run, and the results so far. Parts of rows that left the table, or changed group, are moved.

    Args:
        store: results of the study.
        folder: folder of the study.
        rows, settings: of the study.
        weights: SHA-256 of the model's file.

    Attributes:
        waiting: positions of the rows to run, in the order of the table.
        n_done, n_failed: how many rows are done, and failed in this run.
        n_missing: how many done rows have a video that is not there; their results stay.

    Raises:
        ConfigError: the results there are those of another study.
        DatasetError: the table of clips is damaged, or an object store does not answer.
        StorageError: a part cannot be moved.
    """

    def __init__(self, store: Store, folder: Path, rows: Rows, settings: StudySettings, weights: str):
        self._store, self._rows, self._settings, self._weights = store, rows, settings, weights
        self._folder = folder.resolve()
        self._new: dict[int, bytes] = {}  # rows of the table of clips that are not in its file yet, as JSON: a fifth of
        # what they need as objects
        self._labels: dict[str, dict[str, Any]] = {}  # their new values, by the name of the row
        self._is_stale, self._is_ordered = False, True  # whether its file has other rows or groups; or their order
        self._stored_away = Listing()
        self.n_missing = 0
        has_part = self._check_parts()
        is_done, is_known = bytearray(len(rows)), bytearray(len(rows))
        last = -1
        for facts in self._facts([*_PLANNED, *rows.groups], clips_schema(rows.groups).metadata):
            i = rows.place(facts["name"])
            self._is_stale |= i is None  # it left the study
            if i is not None:
                self._is_ordered &= i > last
                last, is_known[i] = i, True
                self._is_stale |= any(facts.get(name) != value for name, value in rows[i].groups.items())
                is_done[i] = has_part[i] and facts["status"] == "done" and self._is_done(rows[i], facts)
        for i in range(len(rows)):
            if has_part[i] and not is_known[i]:  # finished after the table of clips was written last
                clip = store.clip_of(store.part(rows[i].name, rows[i].groups))
                if clip is not None:
                    self._new[i] = json.dumps(clip).encode()
                    is_done[i] = clip["status"] == "done" and self._is_done(rows[i], clip)
        self.waiting = array("l", (i for i, done in enumerate(is_done) if not done))
        self.n_done, self.n_failed = len(rows) - len(self.waiting), 0
        if self.n_missing:
            log.warning(
                "the videos of %d finished rows are not there; their results are kept as they are", self.n_missing
            )

    def _check_parts(self) -> bytearray:
        """Return which rows have a part; move those in other places, and those of rows that the table does not have."""
        rows, store = self._rows, self._store
        folders: dict[str, int] = {}
        folder_of = array("i", [-1]) * len(rows)
        strange: list[str] = []
        damaged: list[str] = []
        twice: list[tuple[int, str]] = []  # a store that was left in the middle of a move has both
        for file in store.parts():
            folder, name = os.path.split(file)
            if (i := rows.place(name.removesuffix(".parquet"))) is None:
                strange.append(file)
            elif not store.is_whole(file):
                damaged.append(file)  # as if it were not there: the row is run again
            elif folder_of[i] < 0:
                folder_of[i] = folders.setdefault(folder, len(folders))
            else:
                twice.append((i, file))
        if len(strange) > 0 and not folders and self._settings.results:
            raise ConfigError(
                f"the {len(strange)} results in {self._settings.results} are of another study: it has none of these "
                "videos. Choose another address as setting results"
            )
        if damaged:
            log.warning("%d files of joints are cut short, and made again: %s", len(damaged), ", ".join(damaged[:3]))
        for file in strange:
            store.set_aside(PurePath(file))
        names = list(folders)
        right: dict[tuple[str, ...], str] = {}
        for i, row in enumerate(rows):
            values = tuple(row.groups.values())
            if values not in right:
                right[values] = str(store.part("", row.groups).parent)
            if folder_of[i] >= 0 and names[folder_of[i]] != right[values]:
                store.move(PurePath(names[folder_of[i]], f"{row.name}.parquet"), store.part(row.name, row.groups))
        for i, file in twice:
            if PurePath(file) != (place := store.part(rows[i].name, rows[i].groups)):
                store.move(PurePath(file), place)
        return bytearray(at >= 0 for at in folder_of)

    def _facts(self, columns: Sequence[str], expected: Any = None) -> Iterator[dict[str, Any]]:
        """Yield these columns of each row of the table of clips, as far as it has them."""
        for table in self._store.clip_batches(columns):
            self._is_stale |= expected is not None and table.schema.metadata != expected
            for k in range(0, len(table), _OBJECTS):
                yield from table.slice(k, _OBJECTS).to_pylist()

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
        return os.path.normpath(self._folder / row.video)

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
            if self._store.has(part := self._store.part(row.name, row.groups)):
                self._store.set_aside(part)  # of an earlier box, video or setting
        self.n_failed += outcome.error is not None
        self.n_done += outcome.error is None
        self._new[index] = json.dumps(dict(clip)).encode()

    @property
    def n_unsaved(self) -> int:
        """How many rows of the table of clips are not in its file yet."""
        return len(self._new)

    def measure_labels(self) -> None:
        """Measure the rows whose labels changed, from their stored joints.

        Raises:
            DatasetError: the joints of a row cannot be read.
        """
        self.save()

        def read_joints(row: Row) -> pd.DataFrame:
            return self._store.read_part(self._store.part(row.name, row.groups), ["frame", "joint", "x", "y"])

        def stored() -> Iterator[tuple[Row, tuple[str | None, ...]]]:
            for facts in self._facts(["name", "status", *STATE]):
                i = self._rows.place(facts["name"])
                if i is not None and facts["status"] != "failed":
                    yield self._rows[i], tuple(facts[name] for name in STATE)

        self._labels = label_values(stored(), self._folder, read_joints)

    def save(self) -> None:
        """Write the table of clips, if it changed.

        Raises:
            StorageError: it cannot be written; what is finished is in the parts.
        """
        if self._new or self._labels or self._is_stale or not self._is_ordered:
            schema, stored = clips_schema(self._rows.groups), self._store.clip_batches()
            parts = merged(stored, schema, self._rows, self._new, self._labels, self._is_ordered)
            self._store.write_clips(parts, schema)
            self._new, self._labels, self._is_stale, self._is_ordered = {}, {}, False, True
