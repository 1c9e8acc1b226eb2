"""Serves a trace to the browser, in chunks ahead of the cursor, one request at a time.

The browser asks, this answers; what to ask for next, and what to forget, is decided in ``feed.js``, which knows where
the cursor is. An answer bears the generation of its trace: after :meth:`Feed.set_trace` what is still under way for
the old one is dropped there.
"""

from __future__ import annotations

import logging
import threading
from typing import Any
from weakref import WeakKeyDictionary

from widgets.core.cursor import Cursor
from widgets.core.library import ModuleWidget, script
from widgets.core.wire import Message, render_detail, render_header, render_records

_log = logging.getLogger(__name__)
_shared: WeakKeyDictionary[Cursor, list[Feed]] = WeakKeyDictionary()


class Feed(ModuleWidget):
    """The data of one trace for the views in the browser. It has no view of its own.

    Views of the same trace on the same cursor share a feed: get it with :meth:`shared`, give it back with
    :meth:`release`; the last one to give it back closes it.

    Args:
        trace: a :class:`dkd.Trace`.
    """

    _module = script("core/feed.js")

    def __init__(self, trace: Any):
        # Requests may arrive in another thread than the one that changes the trace, and in several at once.
        self._lock = threading.RLock()
        self._trace = trace
        self._generation = 0
        self._users = 0
        super().__init__()
        self.on_msg(self._on_message)

    @classmethod
    def shared(cls, trace: Any, cursor: Cursor) -> Feed:
        """The feed of ``trace`` on ``cursor``, made if there is none yet; one more user counts on it."""
        feeds = _shared.setdefault(cursor, [])
        feed = next((f for f in feeds if f.trace is trace), None)
        if feed is None:
            feed = cls(trace)
            feeds.append(feed)
        feed._users += 1
        return feed

    def release(self) -> None:
        """One user less; the last one closes the feed, here and in the browser, and lets the trace go."""
        self._users -= 1
        if self._users > 0:
            return
        for feeds in _shared.values():
            if self in feeds:
                feeds.remove(self)
        layout = self.layout
        self.on_msg(self._on_message, remove=True)
        with self._lock:
            self._trace = None
        super().close()
        if layout is not None:
            layout.close()

    @property
    def trace(self) -> Any:
        """The trace that is served; ``None`` once closed."""
        return self._trace

    def set_trace(self, trace: Any, frame: int = 0, keep: int = 0) -> None:
        """Serve another trace from now on; the browser drops what it holds of the old one.

        Args:
            trace: the other one.
            frame: what is looked at: it is sent without being asked for, so that the picture changes at once, also
                where traces follow each other faster than requests are answered.
            keep: so many first frames are the same in both, and are not dropped.
        """
        with self._lock:
            self._trace = trace
            self._generation += 1
            content, buffers = render_header(trace, self._generation)
            first = render_records(trace, [min(frame, len(trace) - 1)], self._generation)
        self.send({**content, "record_follows": True, "keep": keep}, buffers)
        self.send(*first)

    def grow(self, trace: Any) -> None:
        """Serve the same run with more frames: the browser keeps all that it holds.

        Args:
            trace: as it is now (:meth:`dkd.Trace.snapshot`): what is served must not grow while it is sent.
        """
        with self._lock:
            before, self._trace = len(self._trace), trace
            content, buffers = render_header(trace, self._generation)
        self.send({**content, "keep": before}, buffers)

    def _on_message(self, _widget: Any, content: dict, _buffers: list) -> None:
        try:
            with self._lock:
                answer = self._answer(content)
        except Exception as error:
            # An exception here would only reach the server's log: it is shown under the widget instead.
            _log.warning("request %s failed", content, exc_info=True)
            answer = {"type": "error", "asked": content.get("type"), "message": f"{type(error).__name__}: {error}"}, []
        if answer is not None:
            self.send(*answer)

    def _answer(self, content: dict) -> Message | None:
        """The message that answers a request; ``None`` for one about a trace that is no longer served."""
        if self._trace is None:
            return None
        kind = content.get("type")
        if kind == "hello":
            return render_header(self._trace, self._generation)
        if content.get("generation") != self._generation:
            return None
        if kind == "records":
            return render_records(self._trace, [int(t) for t in content["frames"]], self._generation)
        if kind == "detail":
            return render_detail(self._trace, int(content["frame"]), self._generation)
        raise ValueError(f"expected a request of type hello, records or detail, got {kind!r}")
