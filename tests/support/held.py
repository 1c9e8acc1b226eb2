"""Holding work in other threads: an evaluation after its first part, a session between two steps."""

from __future__ import annotations

import sys
import threading
from typing import Any

from dkd.training.session import TrainingSession
from tests.support.server import PATIENCE_S


class HeldEvaluation:
    """The next evaluation of a panel does its first part and then waits, so that there is something left to stop.

        held = HeldEvaluation(panel)  # before "Run" is pressed
        held.hold()                   # after it
        held.let_go()                 # once "Stop" is pressed

    Args:
        panel: an evaluation panel.
    """

    def __init__(self, panel: Any):
        self._panel, self._go_on = panel, threading.Event()
        self._people = panel._people._lock
        self._people.acquire()  # a job reads people first

    def hold(self) -> None:
        """Let the job start."""
        self._job = self._panel.job
        self._job.listen(self._wait)
        self._people.release()

    def _wait(self) -> None:
        if threading.current_thread() is self._job._thread and self._job.progress is not None:
            self._go_on.wait(PATIENCE_S)

    def let_go(self) -> None:
        """Let it continue, or end if it was stopped."""
        self._go_on.set()


def between_steps(session: TrainingSession) -> bool:
    """Return whether a paused session waits for a step to be requested, with the current step done."""
    thread = session._thread
    frame = None if thread is None else sys._current_frames().get(thread.ident or 0)
    return (
        session.state == "paused" and not session._allowed and frame is not None and frame.f_back is not None
        and frame.f_code is threading.Condition.wait.__code__
        and frame.f_back.f_code is TrainingSession._may_step.__code__
    )  # fmt: skip
