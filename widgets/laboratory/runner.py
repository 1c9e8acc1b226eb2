"""Runs traces to their end in one thread: always the one that was requested last."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum
from functools import partial

from dkd.io.background import start_thread
from dkd.tracking.trace import Trace


class _Nothing(Enum):
    NOTHING = "stop, and run nothing"


_NOTHING = _Nothing.NOTHING


class Runner:
    """Runs one trace at a time, in a thread that ends when there is nothing left to do.

    Args:
        on_frame: called with the trace before each of its frames, in the thread.
        on_end: called with each complete trace, in the thread.
        on_error: called with a trace and the exception that stopped it, in the thread.
    """

    def __init__(
        self,
        on_frame: Callable[[Trace], object],
        on_end: Callable[[Trace], object],
        on_error: Callable[[Trace, Exception], object],
    ):
        self._on_frame, self._on_end, self._on_error = on_frame, on_end, on_error
        self._changed = threading.Condition()
        self._requested: Trace | _Nothing | None = None  # a trace, _NOTHING to stop, or None
        self._thread: threading.Thread | None = None

    def complete(self, trace: Trace) -> None:
        """Run a trace to its end. A run under way stops at its next frame and keeps its frames."""
        with self._changed:
            self._requested = trace
            if self._thread is None:
                self._thread = start_thread(self._work, name="laboratory", stop=self.drop)

    def drop(self) -> None:
        """Stop the run under way; it keeps its frames."""
        with self._changed:
            self._requested = _NOTHING if self._thread else None

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until there is nothing left to do.

        Args:
            timeout: seconds; without limit by default.

        Returns:
            Whether there is nothing left to do.
        """
        with self._changed:
            return self._changed.wait_for(lambda: self._thread is None, timeout)

    def _work(self) -> None:
        while True:
            with self._changed:
                trace, self._requested = self._requested, None
                if trace is None or trace is _NOTHING:
                    self._thread = None
                    self._changed.notify_all()
                    return
            try:
                trace.run(progress=False, cancel=partial(self._is_replaced, trace))
                if trace.complete:
                    self._on_end(trace)
            except Exception as error:  # shown where the trace would have been
                self._on_error(trace, error)

    def _is_replaced(self, trace: Trace) -> bool:
        """Whether another trace was requested; otherwise notify of the next frame."""
        if self._requested is None:
            self._on_frame(trace)
        return self._requested is not None
