"""Runs of the people of a studio, one after another, with what the page shows meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from dkd.analysis.trust import trust
from dkd.errors import DKDError
from dkd.tracking.conditions import Conditions
from dkd.tracking.two_way import trace_person
from widgets.studio.persons import Person
from widgets.studio.worker import Cancelled

Changed = Callable[[Person, Any, int], object]

EVERY_S = 0.2  # the page is told of a run under way no more often


def track(
    people: Sequence[Person],
    model: Any,
    clip: Any,
    frames: range,
    conditions: Conditions,
    cancelled: Cancelled,
    changed: Changed,
) -> None:
    """Track people through the same frames.

    Args:
        people: those to track; state, progress, trace and text of each are kept up to date.
        model: the model.
        clip: the clip.
        frames: the frames, in numbers of the clip.
        conditions: conditions of the runs.
        cancelled: whether to stop; the person under way keeps the frames that were tracked.
        changed: called with a person whose state or progress changed and, where a frame was tracked, the trace under
            way and that frame of it.
    """
    for person in people:
        if cancelled():
            person.forget()
            changed(person, None, 0)
            continue
        try:
            _track(person, model, clip, frames, conditions, cancelled, changed)
        except DKDError as error:
            person.state, person.text, person.verdict = "failed", str(error), "nobody"
            partial = getattr(error, "trace", None)
            person.trace = partial if partial is not None and len(partial) else None
        changed(person, None, 0)


def _track(
    person: Person,
    model: Any,
    clip: Any,
    frames: range,
    conditions: Conditions,
    cancelled: Cancelled,
    changed: Changed,
) -> None:
    person.state, person.done, person.of, person.text = "tracking", 0, len(frames), ""
    changed(person, None, 0)
    trace = trace_person(
        model, clip, person.box, person.frame, conditions,
        start=frames.start, stop=frames.stop, progress=False, cancel=lambda: True,
    )  # fmt: skip
    person.of = trace.n_wanted
    told = 0.0

    def look() -> bool:
        nonlocal told
        if trace.latest is not None and time.monotonic() - told > EVERY_S:
            told, person.done = time.monotonic(), trace.n_traced
            changed(person, trace, trace.latest)
        return cancelled()

    trace.run(progress=False, cancel=look)
    finish(person, trace, frames.start)


def finish(person: Person, trace: Any, start: int) -> None:
    """Give a person the trace, and say how good it is.

    Args:
        person: the person.
        trace: a complete or stopped trace; without any frame, the person is as before.
        start: number of the range's first frame in the clip.
    """
    if not len(trace):
        person.forget()
        return
    person.trace, person.done, person.of = trace, len(trace), trace.n_wanted
    person.state = "done" if trace.complete else "stopped"
    judge(person, trace, start)


def judge(person: Person, trace: Any, start: int) -> None:
    """Say how good a person's track is; ``trace`` has it with all corrections, the rest as for :func:`finish`."""
    judged = trust(trace, start)
    person.text, person.verdict = judged.text, judged.verdict
