"""A study: many videos, traced row by row, with results in one place.

    study = Study.create("videos/", "study/", folders=["condition"])
    for progress in study.run(workers=2):
        print(progress)
    study.clips().sort_values("confidence")
    study.joints()

A study is a folder with a table (:mod:`dkd.studies.table`), settings, and results (:mod:`dkd.studies.store`).
"""

from __future__ import annotations

import logging
import os
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from dkd.errors import ConfigError, DKDError, RunBusyError, StorageError, checked, nearest_name
from dkd.io.paths import as_path
from dkd.studies.adding import Adding
from dkd.studies.engines import Engine, check_engine, start_engine
from dkd.studies.listing import list_rows
from dkd.studies.local import check_workers, is_count
from dkd.studies.plan import Plan
from dkd.studies.reports import Reports
from dkd.studies.rows import Row
from dkd.studies.settings import SETTINGS, TABLE, StudySettings, model_hash, read_settings, write_settings
from dkd.studies.sources import Videos, is_url
from dkd.studies.store import Store, clips_schema
from dkd.studies.table import read_rows, write_table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow.dataset

    from dkd.tracking.trace import Trace

log = logging.getLogger(__name__)
ATTEMPTS = 2
# The table of clips is written during a run after so many seconds, or so many rows, which are in memory until then.
SAVE_S, MOST_UNSAVED = 30.0, 5000


@dataclass(frozen=True)
class StudyProgress:
    """Progress after a row.

    Attributes:
        name, video, person: the row.
        error: why it failed, or why only a part of the frames is stored; ``None`` if it is done.
        done, failed, of: rows that are done, rows that failed or are done in part, and all rows.
        seconds_left: estimate from the rows of this run.
    """

    name: str
    video: str
    person: str
    error: str | None
    done: int
    failed: int
    of: int
    seconds_left: float

    def __str__(self) -> str:
        what = "done" if self.error is None else f"failed: {self.error}"
        return f"{self.done + self.failed} of {self.of}: {self.video} ({self.person}) {what}"


@checked
class Study(Adding, Reports):
    """A study in a folder; :meth:`create` makes one.

    Args:
        folder: folder of the study.

    Attributes:
        folder: folder of the study.
        settings: its settings.
        rows: rows of its table, a sequence of :class:`dkd.studies.rows.Row`.

    Raises:
        ConfigError: there is no study in the folder, or its table or settings cannot be used.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = as_path(folder, "the folder of a study")
        if not (self.folder / TABLE).is_file():
            below = sorted(str(table.parent) for table in self.folder.glob(f"*/{TABLE}"))
            hint = f"did you mean {below[0]}?" if below else "see dkd study init"
            raise ConfigError(f"expected a study in {self.folder}, got no {TABLE} there; {hint}")
        self._videos = Videos()
        weakref.finalize(self, self._videos.forget)
        self.read()

    def read(self) -> None:
        """Read the table and the settings again, which may have been edited; :meth:`run` and :meth:`add` do so first.

        Raises:
            ConfigError: they cannot be used.
        """
        self.settings = read_settings(self.folder / SETTINGS)
        self.rows = read_rows(self.folder / TABLE)
        self._store = Store(self.settings.results or self.folder)

    @classmethod
    def create(
        cls,
        videos: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        folder: str | os.PathLike[str],
        *,
        folders: Sequence[str] = (),
        settings: StudySettings | None = None,
    ) -> Study:
        """Make a study of all videos in a folder: the most confident person in each, in all frames.

        Change ``study.csv`` to give boxes, several people, parts of videos, or groups.

        Args:
            videos: a folder, which is searched with all folders below it; or paths of videos.
            folder: folder of the study; it is created.
            folders: names of groups: the first is the name of the folder below ``videos`` in which a video lies, the
                next of the folder below that, and so on.
            settings: settings; those of :class:`StudySettings` by default.

        Raises:
            ConfigError: there is a study already, or there are no videos.
            StorageError: files cannot be written.
        """
        folder = as_path(folder, "the folder of the new study")
        settings = StudySettings() if settings is None else settings
        if not isinstance(settings, StudySettings):
            raise ConfigError(f"expected settings=StudySettings(…), got {type(settings).__name__}")
        settings.check_export()
        settings.checkpoint()  # raises if there is no such model
        if (folder / TABLE).exists():
            raise ConfigError(f"there is a study in {folder} already; add videos with dkd study add, or choose another")
        rows = list_rows(videos, folder, folders)
        write_settings(folder / SETTINGS, settings)
        write_table(folder / TABLE, rows)
        return cls(folder)

    def change(self, **settings: Any) -> None:
        """Change settings of the study, such as ``refine=True``; the next run applies them to all rows.

        Args:
            settings: new values, by the names of :class:`StudySettings`.

        Raises:
            ConfigError: a setting is unknown or does not fit.
            StorageError: the settings cannot be written.
        """
        from dkd.io.config import from_mapping, to_mapping

        self.read()
        changed = from_mapping(StudySettings, {**to_mapping(self.settings), **settings})
        changed.check_export()
        changed.checkpoint()  # raises if there is no such model
        if changed != self.settings:
            write_settings(self.folder / SETTINGS, changed)
            self.settings = changed

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"<Study of {len(self)} rows in {self.folder}>"

    @property
    def groups(self) -> list[str]:
        """Names of the groups: the columns of the table that are the user's own."""
        return list(self.rows.groups)

    # --- running ------------------------------------------------------------------------------------------------------

    def run(
        self,
        workers: int | None = None,
        *,
        attempts: int = ATTEMPTS,
        engine: str | Engine = "local",
        address: str | None = None,
    ) -> Iterator[StudyProgress]:
        """Do all rows that are not done yet, or whose video, model or settings changed since.

        Rows with labels are measured against them at the end, from the stored joints: new or other labels need no new
        trace.

        A row that fails is tried again at the end, and by the next run; its error is in the table of clips. Closing the
        generator stops the workers: what is finished is kept, and the next run goes on. Results of rows that are no
        longer in the table are moved to ``removed`` in the folder of the study.

        Args:
            workers: number of processes; by default one for each core.
            attempts: how often a row is tried in this run.
            engine: ``"local"``: processes on this machine. ``"ray"``: a cluster, see :mod:`dkd.studies.cluster`. Or
                anything that has ``run`` and is a context manager, as these are.
            address: with ``"ray"``: ``HOST:PORT`` of a running cluster, or ``auto`` for the one of this machine; one is
                started here by default.

        Yields:
            A :class:`StudyProgress` after each row that was done now, or failed for the last time.

        Raises:
            ConfigError: there is no such model, the numbers are out of range, or the results in an object store are of
                another study.
            RunBusyError: another process runs this study.
            DatasetError: the table of clips is damaged, or the object store of the results does not answer.
            StorageError: results cannot be written, for instance because the disk is full or the object store does not
                answer. What is finished is kept.
            WorkerError: the workers cannot start, or the cluster is gone.
            MissingExtraError: Ray, or what reads the addresses of videos, is not installed.
        """
        if not is_count(attempts, 100):
            raise ConfigError(f"expected 1 to 100 attempts, got {attempts!r}")
        check_workers(workers)
        check_engine(engine, address)
        self.read()
        self.settings.check_export()
        weights = model_hash(self.settings)
        try:
            lock = FileLock(self.folder / ".lock", timeout=0)
            lock.acquire()
        except Timeout:
            raise RunBusyError(f"the study in {self.folder} is being run by another process; wait for it") from None
        except OSError as error:
            raise StorageError(f"cannot write to {self.folder}: {error.strerror}; check the permissions") from error
        try:
            plan = Plan(self._store, self.folder, self.rows, self.settings, weights)
            if self.settings.results:
                self._store.copy_here([self.folder / TABLE, self.folder / SETTINGS])
            yield from self._run(plan, attempts, lambda setup: start_engine(engine, setup, workers, address))
        finally:
            lock.release()

    def _run(self, plan: Plan, attempts: int, start: Callable[[dict[str, Any]], Engine]) -> Iterator[StudyProgress]:
        from dkd.io.config import to_mapping

        folder = self.settings.results or os.fspath(self.folder.resolve())  # of the results
        setup = {"settings": to_mapping(self.settings), "folder": folder}
        began = saved = time.monotonic()
        finished = 0
        try:
            waiting: Sequence[int] = plan.waiting
            if not waiting:
                plan.measure_labels()
                plan.save()
                return
            with start(setup) as running:
                for attempt in range(1, attempts + 1):
                    again: list[int] = []
                    for outcome in running.run(plan.task(index, attempt) for index in waiting):
                        index = self.rows.place(outcome.task["name"])
                        assert index is not None
                        if outcome.kind == StorageError.__name__:
                            raise StorageError(outcome.error)
                        if outcome.error is not None and attempt < attempts:
                            again.append(index)
                            continue
                        plan.record(index, outcome, attempt)
                        finished += 1
                        elapsed = time.monotonic() - began
                        row = self.rows[index]
                        yield StudyProgress(
                            outcome.task["name"], row.video, row.person, outcome.error, plan.n_done, plan.n_failed,
                            len(self.rows), elapsed / finished * (len(plan.waiting) - finished),
                        )  # fmt: skip
                        if time.monotonic() - saved > SAVE_S or plan.n_unsaved >= MOST_UNSAVED:
                            plan.save()
                            saved = time.monotonic()
                    waiting = again
            plan.measure_labels()
        except BaseException:
            with suppress(DKDError):  # if it cannot be written either, the next run finds what is finished in the parts
                plan.save()
            raise
        plan.save()

    # --- results ------------------------------------------------------------------------------------------------------

    def clips(self) -> pd.DataFrame:
        """Return one row per clip: what was found, what it cost, why it failed; see :mod:`dkd.studies.store`.

        ``status`` is ``done``, ``partial`` (a frame cannot be read: only those before it are stored) or ``failed``;
        rows of the table that were not run yet are left out.

        Raises:
            DatasetError: the table of clips is damaged.
        """
        table = self._store.read_clips()
        return (clips_schema(self.groups).empty_table() if table is None else table).to_pandas()

    def dataset(self) -> pyarrow.dataset.Dataset:
        """Return all joints as a pyarrow data set, to filter or read it in parts; groups are columns.

        Raises:
            DatasetError: there are no results yet.
        """
        return self._store.dataset(self.groups)

    def joints(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row per joint per frame of all rows that are done, with the groups as columns.

        A file that is not a whole Parquet file is left out, with a warning that names it.

        Args:
            columns: only these columns; fewer need less memory.

        Raises:
            DatasetError: there are no results yet, or none can be read.
        """
        return self._store.read_joints(self.groups, columns)

    def row(self, name: str) -> Row:
        """Return the row with this name (column ``name`` of :meth:`clips`).

        Raises:
            ConfigError: there is none.
        """
        if isinstance(name, str) and (i := self.rows.place(name)) is not None:
            return self.rows[i]
        raise ConfigError(
            f"there is no row {name!r} in {self.folder}{nearest_name(str(name), (r.name for r in self.rows))}"
        )

    def video(self, row: Row) -> Path:
        """Return the path of a row's video; one from an object store is fetched, and kept until the next one is.

        Raises:
            MissingExtraError: what reads its address is not installed.
            VideoError: it cannot be fetched.
        """
        if is_url(row.video):
            return self._videos.get(row.video)[0]
        return Path(os.path.normpath(self.folder.resolve() / row.video))

    def joints_of(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row per joint per frame of one row of the table.

        Args:
            name: name of the row (column ``name`` of :meth:`clips`).
            columns: only these columns.

        Raises:
            ConfigError: there is no such row.
            DatasetError: nothing is stored for it, or its file is damaged.
        """
        row = self.row(name)
        return self._store.read_part(self._store.part(name, row.groups), columns)

    def trace(self, name: str, *, progress: bool = True, cancel: Callable[[], bool] | None = None) -> Trace:
        """Trace a row again, to look at it: ``Workbench(study.trace(name))``.

        The joints are the stored ones, bit for bit, in the same engine on the same machine. Frames are counted from the
        row's ``start``.

        Args:
            name: name of the row (column ``name`` of :meth:`clips`).
            progress: whether to show a progress bar.
            cancel: called before each frame; if it returns true, the trace stops there.

        Raises:
            ConfigError: there is no such row.
            DKDError: as of :func:`dkd.trace_person`.
        """
        from dkd.studies.work import open_model, trace_row

        row = self.row(name)
        return trace_row(
            open_model(self.settings), row, self.video(row), self.settings, progress=progress, cancel=cancel
        )
