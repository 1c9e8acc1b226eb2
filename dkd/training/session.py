"""Training in a background thread: start, pause, step, stop and resume, while a notebook can be used.

    session = TrainingSession.on("runs/first", load_recipe("laptop"))
    session.start()
    session.pause(); session.step(10); session.resume(); session.stop()

It only consumes :func:`dkd.training.trainer.train`: during a pause, it does not request the next record.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from dkd.datasets.batches import Mixture
from dkd.datasets.people import PersonSequence
from dkd.errors import ConfigError, checked
from dkd.io.paths import as_path
from dkd.machine import yield_to_others
from dkd.training.config import TrainConfig
from dkd.training.record import Record
from dkd.training.run import Run
from dkd.training.trainer import train

log = logging.getLogger(__name__)
State = Literal["idle", "starting", "running", "paused", "stopping", "stopped", "finished", "failed"]
ACTIVE: tuple[State, ...] = ("starting", "running", "paused", "stopping")
_sessions: dict[Path, TrainingSession] = {}


@checked
class TrainingSession:
    """A run trained by a thread of this process.

    Args:
        folder: folder of the run.
        config: settings of the run.
        people, validation: as in :func:`~dkd.training.trainer.train`.

    Attributes:
        config: settings of the run.
        run: folder of the run.
        records: records since this session began, oldest first; earlier ones are in ``run.log()``.
        error: the exception with which it failed, or ``None``.
    """

    def __init__(
        self,
        folder: str | Path,
        config: TrainConfig,
        people: Mixture | None = None,
        validation: Sequence[PersonSequence] | None = None,
    ):
        self.config = config
        self.run = Run(folder)
        self.records: list[Record] = []
        self.error: Exception | None = None
        self._people, self._validation = people, validation
        self._state: State = "idle"
        self._allowed = 0  # steps allowed while paused
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._listeners: list[Callable[[TrainingSession], None]] = []

    @classmethod
    def on(cls, folder: str | Path, config: TrainConfig) -> TrainingSession:
        """Return the session of this process for a folder; an active one is reused when a cell is run again.

        Raises:
            ConfigError: a session with different settings is active in that folder.
        """
        key = as_path(folder, "the folder of a run").resolve()
        session = _sessions.get(key)
        if session is not None and session.active:
            if session.config != config:
                raise ConfigError(f"{folder} is being trained with different settings; stop it, or use another folder")
            return session
        _sessions[key] = cls(folder, config)
        return _sessions[key]

    @staticmethod
    def active_on(folder: str | Path) -> TrainingSession | None:
        """Return the active session for a folder, or ``None``."""
        session = _sessions.get(as_path(folder, "the folder of a run").resolve())
        return session if session is not None and session.active else None

    # --- control -----------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Current state of the session."""
        return self._state

    @property
    def active(self) -> bool:
        """Whether a thread is working or waiting for a step to be requested."""
        return self._state in ACTIVE

    @property
    def steps_done(self) -> int:
        """Number of steps of this run, including earlier sessions."""
        return self.records[-1].step if self.records else self.run.steps_done()

    def start(self, paused: bool = False) -> None:
        """Start, or continue with the content of the folder. An active session is resumed.

        Args:
            paused: make no step until one is requested.
        """
        with self._changed:
            if self.active:
                self._set("running" if not paused else "paused")
                return
            self.error, self._allowed = None, 0
            self._thread = threading.Thread(
                target=self._work, args=(paused,), name=f"training {self.run.name}", daemon=True
            )
            self._set("starting")
            self._thread.start()
            atexit.register(self._save_at_exit)

    def pause(self) -> None:
        """Pause after the current step; nothing else changes."""
        with self._changed:
            if self._state in ("starting", "running"):
                self._set("paused")

    def resume(self) -> None:
        """Continue after a pause or a stop."""
        self.start()

    def step(self, count: int = 1) -> None:
        """Make ``count`` steps, then pause; an idle or stopped session is started first."""
        if count < 1:
            raise ConfigError(f"expected at least one step, got {count}")
        with self._changed:
            if not self.active:
                self.start(paused=True)
            self._allowed += count
            self._set("paused")

    def stop(self, wait: bool = True, timeout: float | None = None) -> None:
        """Save the state and end the thread; :meth:`start` continues from there.

        Args:
            wait: whether to wait until it has ended.
            timeout: maximum time to wait in seconds.
        """
        with self._changed:
            if self.active:
                self._set("stopping")
        if wait:
            self.wait(timeout)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the thread has ended, because the run is finished, stopped or has failed."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def listen(self, callback: Callable[[TrainingSession], None]) -> Callable[[], None]:
        """Call ``callback(session)`` after each record and each change of state, in the training thread.

        The callback must be fast, as training waits for it. Its exceptions are logged and do not stop the run.

        Returns:
            A function that removes the callback.
        """
        self._listeners.append(callback)

        def end() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return end

    # --- the thread --------------------------------------------------------------------------------------------------

    def _work(self, paused: bool) -> None:
        outcome: State = "failed"
        yield_to_others()  # the notebook comes first
        records = train(self.config, self.run.folder, people=self._people, validation=self._validation)
        try:
            with self._changed:
                if self._state == "starting":
                    self._set("paused" if paused else "running")
            while self._may_step():
                record = next(records, None)
                if record is None:
                    outcome = "finished"
                    return
                self.records.append(record)
                self._tell()
            outcome = "stopped"
        except Exception as error:  # shown with the session, as nobody sees a thread's traceback
            log.warning("training in %s failed", self.run.folder, exc_info=True)
            self.error = error
        finally:
            try:
                records.close()  # type: ignore[attr-defined]  # saves the state
            except Exception as error:
                self.error, outcome = error, "failed"
            atexit.unregister(self._save_at_exit)
            with self._changed:
                self._set(outcome)

    def _may_step(self) -> bool:
        """Wait while paused; return False if stopped."""
        with self._changed:
            while self._state == "paused" and not self._allowed:
                self._changed.wait()
            if self._state == "paused":
                self._allowed -= 1
            return self._state != "stopping"

    def _set(self, state: State) -> None:
        """Change the state, wake the thread and notify the listeners. Requires the lock."""
        if state == "running":
            self._allowed = 0
        self._state = state
        self._changed.notify_all()
        self._tell()

    def _tell(self) -> None:
        for callback in list(self._listeners):
            try:
                callback(self)
            except Exception:
                log.warning("a listener of %r failed", self, exc_info=True)

    def _save_at_exit(self) -> None:
        """Save the state when the process ends."""
        self.stop(timeout=60)

    def __repr__(self) -> str:
        return f"<TrainingSession {self.run.name!r}: {self.state}, {self.steps_done} of {self.config.steps} steps>"
