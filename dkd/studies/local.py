"""Processes on this machine that do the rows of a study. One that is killed or hangs costs only its own row."""

from __future__ import annotations

import collections
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dkd.errors import ConfigError, DKDError

PATIENCE_S = 300.0  # without a sign of life; a search for the person in a 4K frame takes some seconds
_STARTS = 3  # attempts to start a worker
_SAID = 20  # lines that a worker wrote to standard error, for the message if it dies


class WorkerError(DKDError, RuntimeError):
    """The worker processes of a study cannot start."""


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Attributes:
        task: the task, as given.
        clip: its row of the table of clips; ``None`` if nothing is stored.
        error: why it failed, or why only a part of the frames is stored; else ``None``.
        kind: name of the error's class if nothing is stored; ``"WorkerDied"`` or ``"WorkerSilent"`` without one.
    """

    task: Mapping[str, Any]
    clip: dict[str, Any] | None
    error: str | None = None
    kind: str | None = None


class LocalEngine:
    """Worker processes on this machine, each with one thread for the network. Use it in a ``with`` statement.

    Args:
        setup: first message to each worker: ``settings`` and ``folder``, of the results.
        workers: number of processes; by default one for each core that this process may use.
        patience_s: a worker that is silent for so long is killed.

    Raises:
        ConfigError: there would be no worker, or more than 1,024.
    """

    def __init__(self, setup: Mapping[str, Any], workers: int | None = None, patience_s: float = PATIENCE_S):
        check_workers(workers)
        workers = cores() if workers is None else workers
        self.n_workers, self._setup, self._patience_s = workers, dict(setup), patience_s
        self._messages: queue.Queue[tuple[_Worker, dict[str, Any] | None]] = queue.Queue()
        self._workers: list[_Worker] = []

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop all workers. Rows in progress are lost, finished ones are stored."""
        for worker in self._workers:
            worker.kill()
        self._workers = []

    def run(self, tasks: Iterable[Mapping[str, Any]]) -> Iterator[Outcome]:
        """Do tasks, and yield one outcome for each, in the order in which they end.

        Args:
            tasks: read one at a time, when a worker is free. Each has ``row``, ``video`` and ``facts``.

        Raises:
            WorkerError: a worker cannot start, or the model cannot be used.
        """
        waiting = iter(tasks)
        upcoming = next(waiting, None)
        given: dict[_Worker, Mapping[str, Any]] = {}
        failures = 0  # workers in a row that did not start

        def hand_out(worker: _Worker) -> None:
            nonlocal upcoming
            if upcoming is not None:
                given[worker] = upcoming
                worker.send(upcoming)
                upcoming = next(waiting, None)

        for worker in [one for one in self._workers if one.is_ready]:
            hand_out(worker)
        while True:
            # One at a time: the first one may have to find out the fastest engine of this machine, undisturbed.
            starting = [worker for worker in self._workers if not worker.is_ready]
            if upcoming is not None and not starting and len(self._workers) < self.n_workers:
                self._workers.append(_Worker(self._setup, self._messages))
            if upcoming is None and not given:
                return
            found = self._next_message()
            if found is None:
                for worker in self._workers:
                    if time.monotonic() - worker.heard > self._patience_s:
                        worker.kill()  # its end is the next message
                        worker.is_silent = True
                continue
            worker, message = found
            if worker not in self._workers:
                continue  # of one that was stopped
            worker.heard = time.monotonic()
            if message is None:
                self._workers.remove(worker)
                if not worker.is_ready:
                    failures += 1
                    if failures == _STARTS:
                        raise WorkerError(
                            f"the workers of the study do not start; the last one:\n{worker.last_words()}"
                        )
                if (task := given.pop(worker, None)) is not None:
                    yield _lost(worker, task, self._patience_s)
            elif "fatal" in message:
                raise WorkerError(f"the study cannot start ({message['kind']}): {message['fatal']}")
            elif message.get("ready"):
                worker.is_ready, failures = True, 0
                hand_out(worker)
            elif not message.get("beat"):
                task = given.pop(worker)
                hand_out(worker)  # before the outcome is dealt with: the worker need not wait for that
                yield Outcome(task, message.get("clip"), message.get("error"), message.get("kind"))

    def _next_message(self) -> tuple[_Worker, dict[str, Any] | None] | None:
        with suppress(queue.Empty):
            return self._messages.get(timeout=1.0)
        return None


class _Worker:
    """One process and the threads that read what it says."""

    def __init__(self, setup: Mapping[str, Any], messages: queue.Queue[Any]):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dkd.studies.worker"], text=True, encoding="utf-8", env=environment, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="replace",
            start_new_session=True,  # Ctrl-C reaches the driver, which stops its workers
        )  # fmt: skip
        self.is_ready, self.is_silent, self.heard = False, False, time.monotonic()
        self._said: collections.deque[str] = collections.deque(maxlen=_SAID)
        self._messages = messages
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._listen, self._keep_words)]
        for reader in self._readers:
            reader.start()
        self.send(setup)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a line. If the process has ended, the end of its output says so."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join(10)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def end(self) -> str:
        """Return in words how the process ended."""
        status = self._process.wait()
        return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"

    def last_words(self) -> str:
        """Return the last lines that it wrote to standard error."""
        self._process.wait()
        self._readers[1].join(10)
        return "\n".join(self._said) or "It said nothing."

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with suppress(ValueError):  # closed
            for line in self._process.stdout:
                with suppress(json.JSONDecodeError):  # cut by the end of the process
                    self._messages.put((self, json.loads(line)))
        self._messages.put((self, None))

    def _keep_words(self) -> None:
        assert self._process.stderr is not None
        with suppress(ValueError):
            for line in self._process.stderr:
                self._said.append(line.rstrip("\n"))


def _lost(worker: _Worker, task: Mapping[str, Any], patience_s: float) -> Outcome:
    if worker.is_silent:
        text = f"the worker gave no sign of life for {patience_s:g} s and was stopped; is the video's disk reachable?"
        return Outcome(task, None, text, "WorkerSilent")
    return Outcome(task, None, f"the worker process {worker.end()}", "WorkerDied")


def check_workers(count: int | None) -> None:
    """Raise ConfigError unless ``count`` is ``None`` or from 1 to 1,024."""
    if count is not None and not is_count(count, 1024):
        raise ConfigError(f"expected 1 to 1024 workers, got {count!r}")


def is_count(value: object, most: int) -> bool:
    """Return whether a value is a whole number from 1 to ``most``."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
