"""Traces of a run's snapshots, made in a separate thread, so that a slider through training time does not block."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dkd.datasets.people import PersonSequence
from dkd.errors import ConfigError
from dkd.io.background import start_thread
from dkd.io.config import to_mapping
from dkd.models.checkpoints import load_model
from dkd.tracking.people import follow
from dkd.tracking.trace import Trace
from dkd.training.config import TrainConfig
from dkd.training.trainer import load_validation

log = logging.getLogger(__name__)
KEPT = 24  # traces: at most 0.1 MB per frame each, for models trained on a laptop
PATIENCE_S = 1.0  # a trace that takes longer is cancelled when another one is requested


@dataclass(frozen=True)
class Job:
    """A request for a trace.

    Attributes:
        snapshot: the checkpoint.
        config: settings of the run whose validation people are tracked.
        person: index of the person, from 0.
    """

    snapshot: Path
    config: TrainConfig
    person: int

    def key(self) -> Hashable:
        """Key of the trace. A resumed run may write a snapshot again, so the key includes its time."""
        data = to_mapping(self.config.data)
        return self.snapshot, self.snapshot.stat().st_mtime_ns, self.person, str(data)


class SnapshotTraces:
    """Make traces in a thread, the latest request of each place first; the last ones are kept.

    Args:
        keep: number of traces to keep.
    """

    def __init__(self, keep: int = KEPT):
        self._keep = keep
        self._kept: OrderedDict[Hashable, Trace] = OrderedDict()
        self._people: tuple[str, list[PersonSequence]] | None = None
        self._wanted: dict[str, tuple[Job, Callable[[Trace | Exception], None]]] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def want(self, place: str, job: Job, done: Callable[[Any], None]) -> None:
        """Request a trace; ``done`` is called with it, or with an exception, in this object's thread.

        Of several requests for one place, the last one is fulfilled; an earlier one may be, if it was started.
        """
        with self._changed:
            if self._closed:
                return
            self._wanted[place] = job, done
            if self._thread is None:
                self._thread = start_thread(self._work, name="traces of snapshots", stop=self.close)
            self._changed.notify_all()

    def people(self, config: TrainConfig) -> list[PersonSequence]:
        """Load the validation people of a run's settings; the last ones are kept.

        Raises:
            DatasetError, ConfigError: the data are missing, or there are no people.
        """
        key = str(to_mapping(config.data))
        if self._people is None or self._people[0] != key:
            people = load_validation(config)
            if not people:
                raise ConfigError("this run has no validation clips: it was started with data.validation_clips=0")
            self._people = key, people
        return self._people[1]

    def close(self) -> None:
        """End the thread and free the traces."""
        with self._changed:
            self._closed = True
            self._wanted.clear()
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(10)
        self._kept.clear()
        self._people = None

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._wanted and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                job, done = self._wanted.pop(next(iter(self._wanted)))
            try:
                result: Trace | Exception | None = self._make(job)
            except Exception as error:  # shown in place of the trace
                log.warning("no trace of %s", job.snapshot, exc_info=True)
                result = error
            if result is not None and not self._closed:
                try:
                    done(result)
                except Exception:
                    log.warning("a trace could not be shown", exc_info=True)

    def make(self, job: Job, cancel: Callable[[], bool] | None = None) -> Trace:
        """Make a trace, now; the caller closes it.

        Raises:
            DKDError: the snapshot or the people cannot be read.
        """
        people = self.people(job.config)
        person = people[min(job.person, len(people) - 1)]
        model = load_model(job.snapshot)
        model.name = f"{job.snapshot.parent.parent.name}, step {model.provenance.get('step', '?')}"
        return follow(model, person, job.config.data.validation_frames, cancel)

    def _make(self, job: Job) -> Trace | None:
        key = job.key()
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        started = time.monotonic()

        def superseded() -> bool:
            return self._closed or (bool(self._wanted) and time.monotonic() - started > PATIENCE_S)

        trace = self.make(job, superseded)
        if not trace.complete:
            return None
        self._kept[key] = trace
        while len(self._kept) > self._keep:
            self._kept.popitem(last=False)
        return trace
