"""A trace with and without new starts of a lost track: made when first asked for, by a thread, and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from dkd.tracking.reinitialise import Reinitialise


class Versions:
    """The two versions of a trace, of which one is wanted.

    Args:
        show: called with the version to show, in the caller's thread or in the one that made it.
        say: called with what there is to say.
        failed: called with an exception, where a version could not be made.
    """

    def __init__(
        self,
        show: Callable[[Any], object],
        say: Callable[[str], object],
        failed: Callable[[Exception], object],
    ):
        self._show, self._say, self._failed = show, say, failed
        self._lock = threading.RLock()
        self._wish: object = None  # the latest; what was made for another one is dropped
        self._trace: Any = None
        self._other: Any = None

    @property
    def given(self) -> Any:
        """The trace as it was given. Set another one to forget this one and what was made of it."""
        return self._trace

    @given.setter
    def given(self, trace: Any) -> None:
        with self._lock:
            self._wish, self._trace, self._other = None, trace, None

    def want(self, reinitialise: bool) -> None:
        """Show the version with or without new starts: at once if it is there, else once the thread has made it."""
        with self._lock:
            trace, self._wish = self._trace, (wish := object())
            if trace is None:
                return
            policy = (trace.conditions.reinitialise or Reinitialise()) if reinitialise else None
            if not trace.would_change(policy):
                self._present(trace)
            elif self._other is not None:
                self._present(self._other)
            else:
                self._say("following the person again …")
                args = (trace, policy, wish)
                threading.Thread(target=self._make, args=args, name="following again", daemon=True).start()

    def close(self) -> None:
        """Let the traces go; a thread that makes one stops at its next frame."""
        self.given = None

    def _make(self, trace: Any, policy: Reinitialise | None, wish: object) -> None:
        try:
            other = trace.retrace(policy, cancel=lambda: self._wish is not wish)
        except Exception as error:  # shown where the trace would have been
            with self._lock:
                if self._wish is wish:
                    self._say("")
                    self._failed(error)
            return
        with self._lock:
            if self._wish is wish and other.complete:
                self._other = other
                self._present(other)
            elif other is not trace:
                other.close()

    def _present(self, trace: Any) -> None:
        self._show(trace)
        frames = [str(anew.frame) for anew in trace.reinitialised]
        few = f"frame{'s' * (len(frames) > 1)} {', '.join(frames)}"
        self._say("" if not frames else f"in {few if len(frames) <= 3 else f'{len(frames)} frames'}")
