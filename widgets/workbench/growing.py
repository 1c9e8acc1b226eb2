"""A trace that is made in a thread while a workbench shows the frames that are there already."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from dkd.errors import StoppedError
from dkd.io.background import start_thread
from dkd.tracking.trace import Trace

EVERY_S = 0.5  # the page is sent more frames no more often,
SHARE = 10  # and no more often than after ten times of what that takes: it grows with the trace


class Growing:
    """Runs a trace to its end in a thread.

    Args:
        trace: a trace without frames yet. Returns once it has one.

    Attributes:
        trace: the trace.
        error: what has ended the run early, or ``None``.

    Raises:
        Exception: what kept the first frame from being traced.
    """

    def __init__(self, trace: Trace):
        self.trace, self.error = trace, None
        self._grown: Callable[[], object] = lambda: None
        self._ended: Callable[[], object] = lambda: None
        self._has_first, self._is_shown, self._is_closed = (threading.Event() for _ in range(3))
        self._due = 0.0
        self._thread = start_thread(self._work, name="tracing", stop=self.close)
        self._has_first.wait()
        if not len(trace):
            self._is_shown.set()
            raise self.error or StoppedError("the run was stopped before its first frame; start it again")

    error: Exception | None

    def show(self, grown: Callable[[], object], ended: Callable[[], object]) -> None:
        """Call ``grown`` now and then while frames are added, and ``ended`` once at the end, in the thread."""
        self._grown, self._ended = grown, ended
        self._is_shown.set()

    def wait(self) -> None:
        """Wait until the run has ended and is shown.

        Raises:
            Exception: what has ended it early.
        """
        self._thread.join()
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        """Stop the run at its next frame."""
        self._is_closed.set()
        self._is_shown.set()

    def _work(self) -> None:
        try:
            self.trace.run(progress=False, cancel=self._before_frame)
        except Exception as error:  # shown under the view
            self.error = error
        self._has_first.set()
        self._is_shown.wait()
        if not self._is_closed.is_set():
            self._ended()

    def _before_frame(self) -> bool:
        if len(self.trace):
            self._has_first.set()
            if self._is_shown.is_set() and not self._is_closed.is_set() and time.monotonic() >= self._due:
                begin = time.monotonic()
                self._grown()
                end = time.monotonic()
                self._due = end + max(EVERY_S, SHARE * (end - begin))
        return self._is_closed.is_set()
