"""An evaluation in a thread of the kernel: what it does now, and what stops it. Panels come and go; it stays."""

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
from dkd.evaluation.methods import VARIANTS, Method, get_method
from dkd.evaluation.results import Evaluation
from dkd.evaluation.run import Progress, evaluate
from dkd.io.files import atomic_path

log = logging.getLogger(__name__)
State = Literal["running", "stopping", "stopped", "finished", "failed"]
COST_FILE = "cost.json"
ROUNDS = 12  # turns of each model when cost is measured
_SOURCES_KEPT = 4
_jobs: dict[Path, EvaluationJob] = {}
_guard = threading.Lock()


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        methods, sources: specs and data, as :func:`dkd.evaluation.run.evaluate` takes them.
        n_clips, n_frames: of each source and of each video the first so many; None: all.
    """

    methods: tuple[str, ...]
    sources: tuple[str, ...]
    n_clips: int | None = None
    n_frames: int | None = None


class People:
    """The labelled people of data sources, read when they are asked for; the last few sources are kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, list[PersonSequence]] = OrderedDict()

    def of(self, source: str) -> list[PersonSequence]:
        """The test split of a source.

        Raises:
            ConfigError, DatasetError: there is no such source, or it is not here.
        """
        with self._lock:
            if source not in self._kept:
                self._kept[source] = list(load_people(source, "test"))
                while len(self._kept) > _SOURCES_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(source)
            return self._kept[source]

    def one(self, source: str, name: str) -> PersonSequence:
        """The person of this name.

        Raises:
            ConfigError: the source has none; it is another version than the one that was measured.
        """
        for person in self.of(source):
            if person.name == name:
                return person
        raise ConfigError(f"there is no {name!r} in the test split of {source!r} any more; run the evaluation again")


class EvaluationJob:
    """One evaluation under way, at most one a folder.

    Args:
        folder: where its parts are kept.
        request: what is measured; None measures cost alone.
        cost_of: methods whose cost is measured afterwards.
        people: where people are kept that were read before.

    Raises:
        RunBusyError: another job of this process writes into the folder.
    """

    def __init__(
        self, folder: Path, request: Request | None, cost_of: Sequence[str] = (), people: People | None = None
    ):
        self.folder, self.request, self.cost_of = Path(folder), request, tuple(cost_of)
        self.state: State = "running"
        self.doing: Literal["accuracy", "cost"] = "accuracy" if request else "cost"
        self.progress: Progress | None = None
        self.turns = 0, 0  # of the cost, done and in all
        self.error: Exception | None = None
        self.failures: list[Progress] = []  # videos that could not be read
        self.version = 0  # rises with each part that is new
        self._people = people or People()
        self._fresh: tuple[float, int] | None = None  # when the first video was begun, frames that were found
        self._listeners: list[Callable[[], None]] = []
        self._cancelled = threading.Event()
        with _guard:
            key = self.folder.resolve()
            if key in _jobs and _jobs[key].active:
                raise RunBusyError(f"an evaluation is under way in {self.folder}; stop it, or name another folder")
            _jobs[key] = self
        self._thread = threading.Thread(target=self._work, name="evaluation", daemon=True)
        self._thread.start()

    @classmethod
    def of(cls, folder: str | Path) -> EvaluationJob | None:
        """The last job of this process on a folder, active or not."""
        with _guard:
            return _jobs.get(Path(folder).resolve())

    @property
    def active(self) -> bool:
        """It is under way."""
        return self.state in ("running", "stopping")

    def stop(self, wait: bool = True) -> None:
        """End after the frame under way; what was measured is kept."""
        if self.state == "running":
            self.state = "stopping"
        self._cancelled.set()
        self._tell()
        if wait and self._thread is not threading.current_thread():
            self._thread.join()

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback()`` at each change, in the job's thread; returns a function that ends that."""
        self._listeners.append(callback)

        def end() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return end

    def seconds_left(self) -> float | None:
        """How long the videos that are left will take, judged by those that were measured; None before the first."""
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
        self.version += 1  # first: who sees that it has ended must see that there is something new
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
        methods = [get_method(spec) for spec in self.cost_of]
        models = {cost_name(method): method.model for method in methods}

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
    """What a method's cost is listed under: without the variants that leave the network as it is."""
    name = method if isinstance(method, str) else method.name
    first, *variants = name.split("+")
    return "+".join([first, *(v for v in variants if v not in VARIANTS or VARIANTS[v].kind == "control")])


def save_cost(folder: Path, table: pd.DataFrame) -> None:
    """Keep a table of :func:`dkd.evaluation.cost.profile` beside the parts, in place of the last one: times of two runs are
    not to be compared."""
    content = {"attrs": table.attrs, "rows": json.loads(table.reset_index().to_json(orient="records"))}
    with atomic_path(Path(folder) / COST_FILE) as temporary:
        temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")


def load_cost(folder: Path) -> pd.DataFrame | None:
    """What :func:`save_cost` kept; None where there is nothing that can be read."""
    try:
        content = json.loads((Path(folder) / COST_FILE).read_text(encoding="utf-8"))
        table = pd.DataFrame(content["rows"]).set_index("model")
    except (OSError, ValueError, KeyError):
        return None
    table.attrs = content["attrs"]
    return table


def settings_of(evaluation: Evaluation) -> Request:
    """What a stored evaluation was asked for, as specs."""
    settings = evaluation.settings
    methods, sources = tuple(evaluation.specs.values()), tuple(evaluation.given.values())
    return Request(methods, sources, settings.get("n_clips"), settings.get("n_frames"))
