"""A version of a person's track: a trace, perhaps still being computed, and the edits that wait for its frames."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from dkd.errors import ConfigError, StoppedError
from dkd.io.background import start_thread
from dkd.tracking.trace import Trace
from widgets.studio.edits import Edit, edits_of


class Version:
    """One step in the history of a person's track.

    Args:
        trace: where to start.
        edits: edits to apply to it, in this order. Those that need frames which are not traced yet wait for them.
        before: the version from which this one was made, or ``None``.
        others: traces of other people by name.

    Attributes:
        trace: the trace with the edits applied so far.
        length: number of frames to trace.
        behind: a finished trace of the same frames, which is shown where this one has none yet; or ``None``.
        n_kept: number of frames that it took over from the version before.
        failed: whether tracing it raised an error.

    Raises:
        DKDError: an edit cannot be applied. Nothing is changed then.
    """

    def __init__(
        self,
        trace: Trace,
        edits: Sequence[Edit] = (),
        before: Version | None = None,
        others: Mapping[str, Trace] | None = None,
    ):
        self.trace, self._waiting, self._others = trace, list(edits), others or {}
        self.length: int = len(trace) if before is None else before.length
        self.behind: Trace | None = None if before is None else before.trace if before.done else before.behind
        self.failed = False
        self._apply()
        self.n_kept = 0 if before is None else self.trace.n_traced

    @property
    def done(self) -> bool:
        """Whether all edits are applied and all frames are traced."""
        return not self._waiting and len(self.trace) >= self.length

    @property
    def is_visible(self) -> bool:
        """Whether it has a frame that the version before did not have, so that there is something to show."""
        return self.done or (not self._waiting and self.trace.n_traced > self.n_kept)

    @property
    def waiting(self) -> tuple[Edit, ...]:
        """Edits that wait for frames."""
        return tuple(self._waiting)

    @property
    def edits(self) -> list[Edit]:
        """All edits, also those that wait."""
        return [*edits_of(self.trace), *self._waiting]

    def advance(self, cancel: Callable[[], bool]) -> None:
        """Trace the remaining frames and apply the waiting edits, until done, or until ``cancel()`` is true.

        Args:
            cancel: called before each frame.
        """
        while not self.done:
            self.trace.run(progress=False, cancel=lambda: len(self.trace) >= self.length or cancel())
            if len(self.trace) < self.length:
                return
            waiting = len(self._waiting)
            self._apply()
            if waiting and len(self._waiting) == waiting:
                raise ConfigError(
                    f"{self._waiting[0].text} needs frames after the end of this trace, frame {self.length - 1}"
                )

    def _apply(self) -> None:
        """Apply the edits that have all the frames they need."""
        while self._waiting:
            try:
                self.trace = self._waiting[0].apply(self.trace, self._others)
            except StoppedError:
                return
            self._waiting.pop(0)


class Worker:
    """Advances versions in one thread, which ends when there is nothing left to do.

    Args:
        choose: returns the version to advance, or ``None``; called before each frame, so that a newer one comes first.
        on_frame: called with the version before each of its frames.
        on_end: called with each version that is done.
        on_error: called with a version and the exception that stopped it; it is not chosen again.
    """

    def __init__(
        self,
        choose: Callable[[], Version | None],
        on_frame: Callable[[Version], object],
        on_end: Callable[[Version], object],
        on_error: Callable[[Version, Exception], object],
    ):
        self._choose, self._on_frame, self._on_end, self._on_error = choose, on_frame, on_end, on_error
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Begin to work if there is anything to do."""
        with self._changed:
            if self._thread is None and self._choose() is not None:
                self._thread = start_thread(self._work, name="corrections")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until there is nothing left to do; return whether that is so after ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._thread is None, timeout)

    def _work(self) -> None:
        while True:
            with self._changed:
                version = self._choose()
                if version is None:
                    self._thread = None
                    self._changed.notify_all()
                    return
            try:
                version.advance(lambda one=version: self._is_replaced(one))  # type: ignore[misc]
                if version.done:
                    self._on_end(version)
            except Exception as error:  # shown on the page
                version.failed = True
                self._on_error(version, error)

    def _is_replaced(self, version: Version) -> bool:
        if self._choose() is not version:
            return True
        self._on_frame(version)
        return False
