"""Feed of a trace to the browser: chunks ahead of the cursor, one request at a time.

This module answers requests of the browser. ``feed.js``, which knows the position of the cursor, decides what to
request next and what to drop. Each answer contains the generation of its trace: after :meth:`Feed.set_trace`, answers
for the old trace are dropped there.
"""

from __future__ import annotations

import logging
import threading
from typing import Any
from weakref import WeakKeyDictionary, ref

import traitlets

from dkd.tracking.protocols import TraceLike
from widgets.core.cursor import Cursor
from widgets.core.filmstrip import small_still
from widgets.core.library import HiddenWidget, script
from widgets.core.wire import Message, render_detail, render_header, render_records

_log = logging.getLogger(__name__)
_shared: WeakKeyDictionary[Cursor, list[Feed]] = WeakKeyDictionary()


class Feed(HiddenWidget):
    """Data of one trace for the views in the browser. The feed itself is not displayed.

    Views of the same trace on the same cursor share a feed: get it with :meth:`shared` and release it with
    :meth:`release`; the last release closes it.

    Args:
        trace: a :class:`dkd.Trace`.

    Attributes:
        first: number and time in seconds of the trace's first frame, as the views show them; see :meth:`count_from`.
    """

    first = (0, 0.0)
    _module = script("core/feed.js")
    _greeting = traitlets.Dict({"type": "hello"}).tag(sync=True)  # a page sends it before it has loaded the module
    _still = traitlets.Bytes().tag(sync=True)  # small picture to show until the kernel has answered
    _offered: Any = traitlets.List().tag(sync=True)  # the answer to the greeting, see offer()

    def __init__(self, trace: TraceLike, cursor: Cursor | None = None):
        # Requests may arrive in several threads, also while another thread changes the trace.
        self._lock = threading.RLock()
        self._trace: TraceLike | None = trace
        self._generation = 0
        self._users = 0
        self._was_asked = False  # whether a page has asked for something
        self._cursor = None if cursor is None else ref(cursor)  # weak: the feed is found by its cursor, see shared()
        super().__init__(_still=small_still(trace, 0 if cursor is None else cursor.frame))
        self.on_msg(self._on_message)

    @classmethod
    def shared(cls, trace: TraceLike, cursor: Cursor) -> Feed:
        """Return the feed of ``trace`` on ``cursor``, created if necessary, and count one more user."""
        feeds = _shared.setdefault(cursor, [])
        feed = next((f for f in feeds if f.trace is trace), None)
        if feed is None:
            feed = cls(trace, cursor)
            feeds.append(feed)
        feed._users += 1
        return feed

    def release(self) -> None:
        """Count one user less; the last one closes the feed in kernel and browser, and frees the trace."""
        self._users -= 1
        if self._users > 0:
            return
        for feeds in _shared.values():
            if self in feeds:
                feeds.remove(self)
        self.on_msg(self._on_message, remove=True)
        with self._lock:
            self._trace = None
        super().close()

    def offer(self) -> None:
        """Send the answer to the greeting with the feed's state, before a page asks for it.

        Of the cells of *Run All*, the kernel answers a page after the last one only. The state carries the answer until
        a page has asked for something; a page that is reloaded later asks itself.
        """
        with self._lock:
            if self._trace is not None and not self._was_asked:
                self._offered = [[content, buffers] for content, buffers in self._introduce(self._trace)]

    @property
    def trace(self) -> Any:
        """The served trace; ``None`` when closed."""
        return self._trace

    def set_trace(self, trace: TraceLike, frame: int = 0, keep: int = 0, keep_from: int | None = None) -> None:
        """Serve another trace from now on; the browser drops the data of the old one.

        Args:
            trace: the new trace.
            frame: current frame, which is sent without a request, so that the picture changes immediately, even if
                traces change faster than requests are answered.
            keep: number of first frames that are equal in both traces and are not dropped.
            keep_from: first of the last frames that are also equal; ``None`` if there are none.
        """
        with self._lock:
            self._trace = trace
            self._offered = []
            self._generation += 1
            content, buffers = render_header(trace, self._generation, self.first)
            first = render_records(trace, [min(frame, len(trace) - 1)], self._generation)
        kept = {"keep": keep} if keep_from is None else {"keep": keep, "keep_from": keep_from}
        self.send({**content, "record_follows": True, **kept}, buffers)
        self.send(*first)

    def count_from(self, first: tuple[int, float]) -> None:
        """Show other numbers and times: those of the first frame are ``first``. A page may have asked already."""
        with self._lock:
            self.first = first
            if self._trace is not None:
                cursor = self._cursor() if self._cursor is not None else None
                self.set_trace(self._trace, 0 if cursor is None else cursor.frame, keep=len(self._trace))

    def grow(self, trace: TraceLike) -> None:
        """Serve the same run with more frames: the browser keeps its data.

        Args:
            trace: a snapshot (:meth:`dkd.Trace.snapshot`), as a served trace must not grow while it is being sent.
        """
        with self._lock:
            before = 0 if self._trace is None else len(self._trace)
            self._trace = trace
            self._offered = []
            content, buffers = render_header(trace, self._generation, self.first)
        self.send({**content, "keep": before}, buffers)

    def _on_message(self, _widget: Any, content: dict, _buffers: list) -> None:
        try:
            with self._lock:
                answers = self._answers(content)
        except Exception as error:
            # An exception here would only appear in the server's log: show it under the widget instead.
            _log.warning("request %s failed", content, exc_info=True)
            message = f"{type(error).__name__}: {error}"
            answers = [({"type": "error", "asked": content.get("type"), "message": message}, [])]
        for answer in answers:
            self.send(*answer)

    def _answers(self, content: dict) -> list[Message]:
        """Build the messages that answer a request: none if its trace is no longer served."""
        if self._trace is None:
            return []
        self._was_asked = True
        offered, self._offered = self._offered, []
        kind = content.get("type")
        if kind == "hello":
            return [] if offered else self._introduce(self._trace)
        if content.get("generation") != self._generation:
            return []
        if kind == "records":
            return [render_records(self._trace, [int(t) for t in content["frames"]], self._generation)]
        if kind == "detail":
            return [render_detail(self._trace, int(content["frame"]), self._generation)]
        raise ValueError(f"expected a request of type hello, records or detail, got {kind!r}")

    def _introduce(self, trace: TraceLike) -> list[Message]:
        """Build the header and the record of the current frame, which would be the next request."""
        content, buffers = render_header(trace, self._generation, self.first)
        cursor = self._cursor() if self._cursor is not None else None
        frame = min(0 if cursor is None else cursor.frame, len(trace) - 1)
        try:
            first = render_records(trace, [frame], self._generation)
        except Exception:  # shown under the widget when a view requests it
            _log.warning("the first record failed", exc_info=True)
            return [(content, buffers)]
        return [({**content, "record_follows": True}, buffers), first]
