"""Traces of opened moments, made in a separate thread; only the newest request counts."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dkd.evaluation.methods import Method
from dkd.evaluation.people import follow_person
from dkd.evaluation.tracks import TrackMethod, find_method
from dkd.formats.as_trace import TrackTrace
from dkd.io.background import start_thread
from dkd.tracking.trace import Trace
from widgets.evaluation.job import People

Traced = Trace | TrackTrace

log = logging.getLogger(__name__)
KEPT = 6  # number of traces
MODELS_KEPT = 4


@dataclass(frozen=True)
class TraceRequest:
    """A request for a trace.

    Attributes:
        spec: spec of the method.
        data, video: data set and video of the person to track.
        n_frames: number of frames; ``None``: to the end.
    """

    spec: str
    data: str
    video: str
    n_frames: int | None = None


class MomentTraces:
    """Make traces in a thread; the last ones are kept.

    Args:
        people: source of the people.
    """

    def __init__(self, people: People):
        self._people = people
        self._traces: OrderedDict[TraceRequest, Traced] = OrderedDict()
        self._methods: OrderedDict[str, Method | TrackMethod] = OrderedDict()
        self._wanted: tuple[Sequence[TraceRequest], Callable[[int, Traced | Exception], None]] | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def want(self, requests: Sequence[TraceRequest], done: Callable[[int, Traced | Exception], None]) -> None:
        """Make traces in this order, and call ``done(number, trace or exception)`` with each, in this object's thread.

        Earlier requests are cancelled: none of their results is reported after the first of this call.
        """
        with self._changed:
            if self._closed:
                return
            self._wanted = requests, done
            if self._thread is None:
                self._thread = start_thread(self._work, name="traces of moments", stop=self.close)
            self._changed.notify_all()

    def close(self) -> None:
        """End the thread and free the traces."""
        with self._changed:
            self._closed, self._wanted = True, None
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(10)
        self._traces.clear()
        self._methods.clear()

    def _superseded(self) -> bool:
        return self._closed or self._wanted is not None

    def _work(self) -> None:
        while True:
            with self._changed:
                while self._wanted is None and not self._closed:
                    self._changed.wait()
                if self._closed or self._wanted is None:
                    return
                requests, done = self._wanted
                self._wanted = None
            for number, request in enumerate(requests):
                try:
                    result: Traced | Exception | None = self._make(request)
                except Exception as error:  # shown in place of the trace
                    log.warning("no trace of %s", request, exc_info=True)
                    result = error
                if result is None or self._superseded():
                    break
                try:
                    done(number, result)
                except Exception:
                    log.warning("a trace could not be shown", exc_info=True)

    def _make(self, request: TraceRequest) -> Traced | None:
        if request not in self._traces:
            trace = follow_person(
                self._method(request.spec),
                self._people.one(request.data, request.video),
                request.n_frames,
                self._superseded,
            )
            if not trace.complete:
                return None
            self._traces[request] = trace
            while len(self._traces) > KEPT:
                self._traces.popitem(last=False)
        self._traces.move_to_end(request)
        return self._traces[request]

    def _method(self, spec: str) -> Method | TrackMethod:
        if spec not in self._methods:
            self._methods[spec] = find_method(spec)
            while len(self._methods) > MODELS_KEPT:
                self._methods.popitem(last=False)
        self._methods.move_to_end(spec)
        return self._methods[spec]
