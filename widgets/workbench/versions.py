"""Versions of a trace with and without re-initialisation and refinement, made in a thread on request, and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from dkd.io.background import start_thread
from dkd.tracking.protocols import TraceLike
from dkd.tracking.reinitialise import Reinitialise


class Versions:
    """The versions of a trace, of which one is shown.

    Args:
        show: called with the version to show, in the caller's thread or in the thread that made it.
        say: called with a status message.
        failed: called with an exception if a version could not be made.
    """

    def __init__(
        self,
        show: Callable[[TraceLike], object],
        say: Callable[[str], object],
        failed: Callable[[Exception], object],
    ):
        self._show, self._say, self._failed = show, say, failed
        self._lock = threading.RLock()
        self._request: object = None  # the latest request; results of earlier ones are dropped
        self._trace: TraceLike | None = None
        self._others: dict[tuple[bool, bool], TraceLike] = {}  # by whether it is re-initialised and refined

    @property
    def given(self) -> Any:
        """The original trace. Set another one to replace it and its other versions."""
        return self._trace

    @given.setter
    def given(self, trace: TraceLike | None) -> None:
        with self._lock:
            self._request, self._trace, self._others = None, trace, {}

    def want(self, reinitialise: bool, refine: bool | None = None) -> None:
        """Show a version, immediately or as soon as the thread has made it.

        Args:
            reinitialise: whether a lost track is re-initialised.
            refine: whether joints are refined by the initializer; ``None``: as in the original trace.
        """
        with self._lock:
            trace, self._request = self._trace, (request := object())
            if trace is None:
                return
            policy = (trace.conditions.reinitialise or Reinitialise()) if reinitialise else None
            refine = trace.conditions.refine if refine is None else refine
            if not trace.would_change(policy, refine):
                self._present(trace)
            elif (other := self._others.get((reinitialise, refine))) is not None:
                self._present(other)
            else:
                self._say("tracking the person again …")
                args = (trace, policy, refine, request)
                start_thread(self._make, *args, name="tracking again")

    def close(self) -> None:
        """Free the traces; a running thread stops at its next frame."""
        self.given = None

    def _make(self, trace: TraceLike, policy: Reinitialise | None, refine: bool, request: object) -> None:
        try:
            other = trace.retrace(policy, refine=refine, cancel=lambda: self._request is not request)
        except Exception as error:  # shown in place of the trace
            with self._lock:
                if self._request is request:
                    self._say("")
                    self._failed(error)
            return
        with self._lock:
            if self._request is request and other.complete:
                self._others[policy is not None, refine] = other
                self._present(other)
            elif other is not trace:
                other.close()

    def _present(self, trace: TraceLike) -> None:
        self._show(trace)
        frames = [str(event.frame) for event in trace.reinitialised]
        few = f"frame{'s' * (len(frames) > 1)} {', '.join(frames)}"
        self._say("" if not frames else f"in {few if len(frames) <= 3 else f'{len(frames)} frames'}")
