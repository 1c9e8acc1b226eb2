"""What panels have in common: they show something that goes on in another thread, and outlive it; and leave a picture.

A panel is a column of ipywidgets under a head. Callbacks of the user, the panel's own thread and those of its parts
all change it: one at a time, with its lock held.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import ipywidgets as ipw
import traitlets
from IPython.display import HTML, display

from dkd.errors import DKDError
from widgets.core.library import ModuleWidget, script
from widgets.core.view import close_below, describe_error

log = logging.getLogger(__name__)
_panels: dict[tuple[type, Path], LivePanel] = {}


class PanelHead(ModuleWidget):
    """What is going on, and what went wrong. It hides the panel's still picture while it lives.

    Args:
        kind: part of its class in the page, ``dkd-<kind>-head``.
        label: what a screen reader calls it.
        counted: the same of its bar.
        filmstrip: name of the still picture.
    """

    _module = script("panels/panel.js")
    _about = traitlets.Dict().tag(sync=True)
    _shown = traitlets.Dict({"state": "new", "text": "", "facts": [], "done": 0, "of": 0}).tag(sync=True)
    _error = traitlets.Unicode("").tag(sync=True)
    _filmstrip = traitlets.Unicode().tag(sync=True)
    _width = traitlets.Int(0).tag(sync=True)

    def __init__(self, kind: str, label: str, counted: str, filmstrip: str):
        super().__init__(_about={"kind": kind, "label": label, "bar": counted}, _filmstrip=filmstrip)


class LivePanel(ipw.VBox):
    """The base of the panels. Subclasses make their parts, then call :meth:`_live`; and give

    - ``_refresh()``: show what is new; called with the lock held, now and then and after whatever the user does;
    - ``_part_ways()``: free what is not in the column; called once;
    - ``still_html()``: what stays in the notebook without a kernel.
    """

    _about: ClassVar[str]  # what it shows, in messages
    _refresh_s: ClassVar[float]  # at most so often
    _poll_s: ClassVar[float]  # and at least so often: another process may be at work
    _still_s: ClassVar[float]  # the still picture is made anew at most so often
    _is_closed = True  # until it is whole: ipywidgets closes what is dropped, half-made widgets, too
    head: PanelHead

    def _prepare(self) -> None:
        """Before any part is made."""
        self._lock = threading.RLock()
        self._stirred, self._ended = threading.Event(), threading.Event()
        self._end_listening: Callable[[], None] = lambda: None
        self._name = f"dkd-{uuid.uuid4().hex[:12]}"
        self._state = ""
        self._still: Any = None
        self._still_made = 0.0
        self._still_due = False

    def _live(self, parts: list[Any], attach: Callable[[], None], where: str, folder: Path) -> None:
        """Show ``parts``, open what is shown with ``attach``, and begin to refresh.

        Args:
            folder: another panel of this kind on the same one is closed.
        """
        super().__init__(parts)
        self._is_closed = False
        self._act(attach, where)
        key = type(self), folder.resolve()
        if key in _panels:
            _panels[key].close()
        _panels[key] = self
        self._thread = threading.Thread(target=self._refresh_now_and_then, name=f"{self._about} panel", daemon=True)
        self._thread.start()

    @property
    def state(self) -> str:
        """What it is doing, in one word. Waits while the panel is refreshed, so that all of it shows this state."""
        with self._lock:
            return self._state

    def report(self, error: BaseException, where: str) -> None:
        """Show an exception under the panel's head; one that the library raises on purpose says all that is needed."""
        self.head._error = str(error) if isinstance(error, DKDError) else describe_error(error, where)

    def close(self) -> None:
        """Free all that the panel holds: threads, traces, figures. What goes on goes on. May be called twice."""
        if self._is_closed:
            return
        with self._lock:
            self._is_closed = True
            self._end_listening()
        self._stirred.set()
        self._ended.set()
        if self._thread is not threading.current_thread():
            self._thread.join(10)
        self._part_ways()
        close_below(self)
        super().close()
        for key in [key for key, panel in _panels.items() if panel is self]:
            del _panels[key]

    def still_html(self) -> str:
        """What stays in the notebook without a kernel."""
        raise NotImplementedError

    def _refresh(self) -> None:
        raise NotImplementedError

    def _part_ways(self) -> None:
        raise NotImplementedError

    # --- one at a time -----------------------------------------------------------------------------------------------

    def _refresh_now_and_then(self) -> None:
        while not self._is_closed:
            self._stirred.wait(self._poll_s)
            self._stirred.clear()
            self._locked(self._refresh, f"while showing the {self._about}")
            self._ended.wait(self._refresh_s)

    def _locked(self, action: Callable[[], None], where: str) -> None:
        """Do something with the lock held; an exception is shown in the panel."""
        with self._lock:
            if self._is_closed:
                return
            try:
                action()
            except Exception as error:
                log.warning("the %s panel failed %s", self._about, where, exc_info=True)
                self.report(error, where)

    def _act(self, action: Callable[[], None], where: str) -> None:
        """Do what the user asks for, and show what has come of it."""
        self.head._error = ""
        self._locked(action, where)
        self._stirred.set()

    # --- the picture that stays --------------------------------------------------------------------------------------

    def _make_still(self, at_once: bool) -> None:
        """Renew the still picture, if it is time."""
        now = time.monotonic()
        if self._still is None or not self._still_due or not (at_once or now - self._still_made > self._still_s):
            return
        self._still_made, self._still_due = now, False
        self._still.update(HTML(self.still_html()))

    def _ipython_display_(self) -> None:
        bundle = self._repr_mimebundle_()
        display(*bundle if isinstance(bundle, tuple) else (bundle,), raw=True)
        with self._lock:
            self._still = display(HTML(self.still_html()), display_id=f"{self._name}-{uuid.uuid4().hex[:6]}")


def still_figure(name: str, parts: list[str], caption: str) -> str:
    """A self-contained figure of HTML parts, one below the other; empty ones are left out.

    Args:
        name: marks the figure (``data-dkd-filmstrip``), so that the live widget can hide it while it lives.
        parts: as HTML.
        caption: as text that needs no escape.
    """
    body = "".join(f'<div style="margin:8px 0">{part}</div>' for part in parts if part)
    return (
        f'<figure data-dkd-filmstrip="{name}" style="margin:0">{body}'
        f'<figcaption style="font-size:13px;opacity:.75">{caption} Run the cell for the live panel.'
        "</figcaption></figure>"
    )


def section(title: str, content: Any) -> Any:
    """A part of a panel that can be folded."""
    out = ipw.Accordion([content], titles=[title], selected_index=0)
    out.add_class("dkd-section")
    return out


def duration(seconds: float) -> str:
    """A time for people: ``"40 s"``, ``"12 min"``, ``"3 h 20 min"``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
