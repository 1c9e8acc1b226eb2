"""A thread for work that a page must not wait for: the most urgent job first, and of each kind only the latest."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from dkd.io.background import start_thread

Cancelled = Callable[[], bool]
Job = Callable[[Cancelled], object]

_log = logging.getLogger(__name__)


class Worker:
    """Runs jobs one after another, in a thread that ends when there is nothing left to do.

    Args:
        name: name of the thread.
        kinds: kinds of jobs, the most urgent first.
        on_error: called with the kind and the exception of a job that failed, in the thread.
        on_end: called after each job, in the thread, when :meth:`is_busy` no longer counts it.
    """

    def __init__(
        self,
        name: str,
        kinds: tuple[str, ...],
        on_error: Callable[[str, Exception], object],
        on_end: Callable[[], object] = lambda: None,
    ):
        self._name, self._kinds, self._on_error, self._on_end = name, kinds, on_error, on_end
        self._changed = threading.Condition()
        self._waiting: dict[str, Job] = {}
        self._running = ""  # kind of the job under way
        self._stop = threading.Event()  # set if that job should end
        self._thread: threading.Thread | None = None
        self._closed = False

    def do(self, kind: str, job: Job) -> None:
        """Do a job; it replaces a job of its kind that has not begun, and one under way is told to end.

        Args:
            kind: one of the kinds.
            job: called with a function that returns true once the job should end.
        """
        with self._changed:
            if self._closed:
                return
            if kind == self._running and threading.current_thread() is not self._thread:
                self._stop.set()
            self._waiting[kind] = job
            if self._thread is None:
                self._thread = start_thread(self._work, name=self._name, stop=self.cancel)

    def cancel(self, *kinds: str) -> None:
        """Drop the waiting jobs of these kinds, and tell one under way to end. By default: of all kinds."""
        with self._changed:
            for kind in kinds or self._kinds:
                self._waiting.pop(kind, None)
                if kind == self._running:
                    self._stop.set()

    def is_busy(self, *kinds: str) -> bool:
        """Return whether a job of one of these kinds waits or is under way."""
        with self._changed:
            return any(kind in self._waiting or kind == self._running for kind in kinds or self._kinds)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until there is nothing left to do, at most ``timeout`` seconds; return whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: self._thread is None, timeout)

    def close(self) -> None:
        """Take no more jobs; one under way is told to end."""
        with self._changed:
            self._closed = True
        self.cancel()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._running = next((kind for kind in self._kinds if kind in self._waiting), "")
                if not self._running:
                    self._thread = None
                    self._changed.notify_all()
                    return
                job = self._waiting.pop(self._running)
                self._stop = stop = threading.Event()
            try:
                job(stop.is_set)
            except Exception as error:  # shown on the page
                _log.info("%s failed", self._running, exc_info=True)
                self._on_error(self._running, error)
            kind = self._running
            with self._changed:
                self._running = ""
            try:
                self._on_end()
            except Exception as error:  # the thread goes on: somebody may wait for it
                _log.warning("after %s", kind, exc_info=True)
                self._on_error(kind, error)
