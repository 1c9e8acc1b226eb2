"""An evaluation in a thread of the kernel, which continues when panels are closed and opened."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from dkd.datasets.people import PersonSequence
from dkd.datasets.sources import load_people
from dkd.errors import ConfigError, RunBusyError
from dkd.evaluation.cost import profile
from dkd.evaluation.methods import VARIANTS, Method, changes_cost
from dkd.evaluation.results import Evaluation
from dkd.evaluation.run import Progress, evaluate
from dkd.evaluation.tracks import find_method, find_tracks
from dkd.io.background import start_thread
from dkd.io.files import atomic_path

log = logging.getLogger(__name__)
State = Literal["running", "stopping", "stopped", "finished", "failed"]
COST_FILE = "cost.json"
ROUNDS = 12  # turns of each model for measuring its cost
_SOURCES_KEPT = 4
_jobs: dict[Path, EvaluationJob] = {}
_guard = threading.Lock()


@dataclass(frozen=True)
class Request:
    """Settings of an evaluation.

    Attributes:
        methods, sources: specs and data, as for :func:`dkd.evaluation.run.evaluate`.
        n_clips, n_frames: number of clips per source and frames per video, from the first on; ``None``: all.
    """

    methods: tuple[str, ...]
    sources: tuple[str, ...]
    n_clips: int | None = None
    n_frames: int | None = None


class People:
    """Labelled people of data sources, loaded on demand; the last few sources are kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, list[PersonSequence]] = OrderedDict()

    def of(self, source: str) -> list[PersonSequence]:
        """Load the test split of a source.

        Raises:
            ConfigError, DatasetError: there is no such source, or it is not available.
        """
        with self._lock:
            if source not in self._kept:
                self._kept[source] = list(load_people(source, "test"))
                while len(self._kept) > _SOURCES_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(source)
            return self._kept[source]

    def one(self, source: str, name: str) -> PersonSequence:
        """Load the person with this name.

        Raises:
            ConfigError: the source has no such person: its version differs from the one that was measured.
        """
        for person in self.of(source):
            if person.name == name:
                return person
        raise ConfigError(f"there is no {name!r} in the test split of {source!r} any more; run the evaluation again")


class EvaluationJob:
    """An evaluation in progress, at most one per folder.

    Args:
        folder: folder of its parts.
        request: settings; ``None`` only measures cost.
        cost_of: methods whose cost is measured afterwards.
        people: cache of people.

    Raises:
        RunBusyError: another job of this process is writing to the folder.
    """

    def __init__(
        self, folder: Path, request: Request | None, cost_of: Sequence[str] = (), people: People | None = None
    ):
        self.folder, self.request, self.cost_of = Path(folder), request, tuple(cost_of)
        self.state: State = "running"
        self.doing: Literal["accuracy", "cost"] = "accuracy" if request else "cost"
        self.progress: Progress | None = None
        self.turns = 0, 0  # of the cost measurement, done and total
        self.error: Exception | None = None
        self.failures: list[Progress] = []  # videos that could not be read
        self.version = 0  # increases with each new part
        self._people = people or People()
        self._fresh: tuple[float, int] | None = None  # start time of the first video, number of frames found
        self._listeners: list[Callable[[], None]] = []
        self._cancelled = threading.Event()
        with _guard:
            key = self.folder.resolve()
            if key in _jobs and _jobs[key].active:
                raise RunBusyError(f"an evaluation is in progress in {self.folder}; stop it, or choose another folder")
            _jobs[key] = self
        self._thread = start_thread(self._work, name="evaluation", stop=self._cancelled.set)

    @classmethod
    def of(cls, folder: str | Path) -> EvaluationJob | None:
        """Return the last job of this process for a folder, active or not."""
        with _guard:
            return _jobs.get(Path(folder).resolve())

    @property
    def active(self) -> bool:
        """Whether it is in progress."""
        return self.state in ("running", "stopping")

    def stop(self, wait: bool = True) -> None:
        """Stop after the current frame; results are kept."""
        if self.state == "running":
            self.state = "stopping"
        self._cancelled.set()
        self._tell()
        if wait and self._thread is not threading.current_thread():
            self._thread.join()

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback()`` at each change, in the job's thread; return a function that removes it."""
        self._listeners.append(callback)

        def end() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return end

    def seconds_left(self) -> float | None:
        """Estimate the remaining time in seconds from the videos measured so far; ``None`` before the first one."""
        if self._fresh is None or self.progress is None:
            return None
        begun, found = self._fresh
        measured = self.progress.frames - found
        if measured <= 0:
            return None
        return (time.monotonic() - begun) / measured * (self.progress.of_frames - self.progress.frames)

    def _work(self) -> None:
        try:
            if self.request is not None:
                self._measure(self.request)
            if self.cost_of and not self._cancelled.is_set():
                self.doing = "cost"
                self._tell()
                self._measure_cost()
            last: State = "stopped" if self._cancelled.is_set() else "finished"
        except Exception as error:
            log.warning("the evaluation in %s failed", self.folder, exc_info=True)
            self.error, last = error, "failed"
        self.version += 1  # before the state, so that nobody sees the end without the new version
        self.state = last
        self._tell()

    def _measure(self, request: Request) -> None:
        people: dict[str, Sequence[PersonSequence]] = {s: self._people.of(s) for s in request.sources}
        self._fresh = time.monotonic(), 0
        steps = evaluate(
            request.methods, request.sources, self.folder, n_frames=request.n_frames,
            n_clips=request.n_clips, people=people, cancel=self._cancelled.is_set,
        )  # fmt: skip
        for progress in steps:
            self.progress = progress
            if progress.error is not None:
                self.failures.append(progress)
            if not progress.fresh:
                self._fresh = time.monotonic(), progress.frames
            self.version += 1
            self._tell()

    def _measure_cost(self) -> None:
        methods = [find_method(spec) for spec in self.cost_of if find_tracks(spec) is None]
        models = {cost_name(method): method.costed() for method in methods if isinstance(method, Method)}
        if not models:
            raise ConfigError("pose files of other tools have no cost to measure: add a model")

        def progress(done: int, of: int) -> None:
            self.turns = done, of
            self._tell()

        table = profile(models, rounds=ROUNDS, cancel=self._cancelled.is_set, progress=progress)
        if not self._cancelled.is_set():
            save_cost(self.folder, table)

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def cost_name(method: Method | str) -> str:
    """Return the name for a method's cost: without the variants that do not change the network."""
    name = method if isinstance(method, str) else method.name
    first, *variants = name.split("+")
    return "+".join([first, *(v for v in variants if v not in VARIANTS or changes_cost(v))])


def save_cost(folder: Path, table: pd.DataFrame) -> None:
    """Store a table of :func:`dkd.evaluation.cost.profile` next to the parts.

    It replaces the last one, because times of different runs cannot be compared.
    """
    content = {"attrs": table.attrs, "rows": json.loads(table.reset_index().to_json(orient="records"))}
    with atomic_path(Path(folder) / COST_FILE) as temporary:
        temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")


def load_cost(folder: Path) -> pd.DataFrame | None:
    """Load the table stored by :func:`save_cost`; ``None`` if there is none or it cannot be read."""
    try:
        content = json.loads((Path(folder) / COST_FILE).read_text(encoding="utf-8"))
        table = pd.DataFrame(content["rows"]).set_index("model")
    except (OSError, ValueError, KeyError):
        return None
    table.attrs = content["attrs"]
    return table


def settings_of(evaluation: Evaluation) -> Request:
    """Return the settings of a stored evaluation, as specs."""
    settings = evaluation.settings
    methods, sources = tuple(evaluation.specs.values()), tuple(evaluation.given.values())
    return Request(methods, sources, settings.get("n_clips"), settings.get("n_frames"))
