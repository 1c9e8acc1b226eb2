"""Base class of views that show more about a frame than the feed sends: they ask for it once the cursor rests."""

from __future__ import annotations

import logging
import threading
from abc import abstractmethod
from typing import Any

from dkd.io.background import start_thread
from dkd.tracking.protocols import TraceLike
from widgets.core.cursor import Cursor
from widgets.core.view import View
from widgets.core.wire import Message

_log = logging.getLogger(__name__)


class AnsweringView(View):
    """A view whose JavaScript asks for frames with ``core/request.js``. Subclasses give :meth:`_render`."""

    def _open(self, trace: TraceLike, cursor: Cursor | None, **traits: Any) -> None:
        super()._open(trace, cursor, **traits)
        self._busy = threading.Lock()
        self.on_msg(self._on_request)

    def close(self) -> None:
        """Close the view; see :meth:`widgets.core.view.View.close`."""
        if not self._closed:
            self.on_msg(self._on_request, remove=True)
        super().close()

    @abstractmethod
    def _render(self, trace: Any, frame: int, generation: int) -> Message:
        """Return the answer for a frame; its message has the ``generation``."""

    def _on_request(self, _widget: Any, content: dict, _buffers: list) -> None:
        # Passes of the networks: in a thread, so that the kernel keeps serving the other views.
        start_thread(self._answer, content, name=type(self).__name__.lower())

    def _answer(self, content: dict) -> None:
        generation, trace = content.get("generation"), self.trace
        if trace is None or generation != self._feed._generation:
            return  # closed, or another trace is shown now
        try:
            with self._busy:
                answer = self._render(trace, int(content["frame"]), int(generation))
        except Exception as error:
            _log.warning("request %s failed", content, exc_info=True)
            answer = {"type": "error", "message": f"{type(error).__name__}: {error}"}, []
        if not self._closed:
            self.send(*answer)
