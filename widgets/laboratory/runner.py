"""Runs traces to their end in one thread: always the newest that was asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class Runner:
    """One thread at a time, which ends when there is nothing left to do.

    Args:
        on_frame: called with the trace before each of its frames, in the thread.
        on_end: called with a trace that is complete, in the thread.
        on_error: called with a trace and the exception that stopped it.
    """

    def __init__(
        self,
        on_frame: Callable[[Any], object],
        on_end: Callable[[Any], object],
        on_error: Callable[[Any, Exception], object],
    ):
        self._on_frame, self._on_end, self._on_error = on_frame, on_end, on_error
        self._changed = threading.Condition()
        self._wish: Any = None
        self._thread: threading.Thread | None = None

    def complete(self, trace: Any) -> None:
        """Run a trace to its end; one that is under way stops at its next frame, and keeps what it has."""
        with self._changed:
            self._wish = trace
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="laboratory", daemon=True)
                self._thread.start()

    def drop(self) -> None:
        """Nothing is wanted any more: what is under way stops."""
        with self._changed:
            self._wish = _NOTHING if self._thread else None

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until there is nothing left to do, at most so many seconds; returns whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: self._thread is None, timeout)

    def _work(self) -> None:
        while True:
            with self._changed:
                trace, self._wish = self._wish, None
                if trace is None or trace is _NOTHING:
                    self._thread = None
                    self._changed.notify_all()
                    return
            try:
                trace.run(progress=False, cancel=lambda trace=trace: self._newer_than(trace))
                if trace.complete:
                    self._on_end(trace)
            except Exception as error:  # shown where the trace would have been
                self._on_error(trace, error)

    def _newer_than(self, trace: Any) -> bool:
        if self._wish is None:
            self._on_frame(trace)
        return self._wish is not None


_NOTHING = object()
