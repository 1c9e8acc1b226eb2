"""Base of the panels: they show work in another thread, refresh themselves, and leave a still picture.

A panel is a column of ipywidgets under a head. It is changed by callbacks of the user, by the panel's thread and by the
threads of its parts: one at a time, with its lock held.
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

from dkd.errors import DKDError, checked
from dkd.io.background import is_ending, start_thread
from widgets.core.filmstrip import display_with_still, still_bundle
from widgets.core.library import ModuleWidget, script
from widgets.core.view import close_below, describe_error

log = logging.getLogger(__name__)
_panels: dict[tuple[type, Path], LivePanel] = {}


class PanelHead(ModuleWidget):
    """Head of a panel, with its state and errors. It hides the panel's still picture while it is live.

    Args:
        kind: part of its CSS class, ``dkd-<kind>-head``.
        label: label for screen readers.
        counted: label of its progress bar for screen readers.
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
    """Base class of the panels. Subclasses create their parts, then call :meth:`_live`, and implement

    - ``_refresh()``: show changes; called with the lock held, regularly and after each action of the user;
    - ``_release_parts()``: free parts that are not in the column; called once;
    - ``still_html()``: return the HTML that stays in the notebook without a kernel.
    """

    _about: ClassVar[str]  # name of the work it shows, for messages
    _refresh_s: ClassVar[float]  # minimum interval between refreshes
    _poll_s: ClassVar[float]  # maximum interval: another process may be working
    _still_s: ClassVar[float]  # minimum interval between updates of the still picture
    _is_closed = True  # until it is complete: ipywidgets also closes incomplete widgets when they are deleted
    head: PanelHead

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        checked(cls)

    def _prepare(self) -> None:
        """Prepare the panel; called before any part is created."""
        self._lock = threading.RLock()
        self._wake, self._ended = threading.Event(), threading.Event()
        self._end_listening: Callable[[], None] = lambda: None
        self._name = f"dkd-{uuid.uuid4().hex[:12]}"
        self._state = ""
        self._still: Any = None
        self._still_made = 0.0
        self._still_due = False

    def _live(self, parts: list[Any], attach: Callable[[], None], where: str, folder: Path) -> None:
        """Show ``parts``, open the content with ``attach``, and start refreshing.

        Args:
            folder: folder that is shown; another panel of this kind on the same folder is closed.
        """
        super().__init__(parts)
        self._is_closed = False
        self._act(attach, where)
        key = type(self), folder.resolve()
        if key in _panels:
            _panels[key].close()
        _panels[key] = self
        ended, wake = self._ended, self._wake

        def stop() -> None:  # without the panel itself, which would never be freed
            ended.set()
            wake.set()

        self._thread = start_thread(self._refresh_loop, name=f"{self._about} panel", stop=stop)

    @property
    def state(self) -> str:
        """Current state in one word. Waits during a refresh, so that the whole panel shows this state."""
        with self._lock:
            return self._state

    def report(self, error: BaseException, where: str) -> None:
        """Show an exception under the panel's head, without traceback for errors that the library raises on purpose."""
        self.head._error = str(error) if isinstance(error, DKDError) else describe_error(error, where)

    def close(self) -> None:
        """Free threads, traces and figures of the panel. The work itself continues. May be called twice."""
        if self._is_closed:
            return
        with self._lock:
            self._is_closed = True
            self._end_listening()
        self._wake.set()
        self._ended.set()
        if self._thread is not threading.current_thread():
            self._thread.join(10)
        self._release_parts()
        close_below(self)
        super().close()
        for key in [key for key, panel in _panels.items() if panel is self]:
            del _panels[key]

    def still_html(self) -> str:
        """Return the HTML that stays in the notebook without a kernel."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def _refresh(self) -> None:
        raise NotImplementedError

    def _release_parts(self) -> None:
        raise NotImplementedError

    # --- locking -----------------------------------------------------------------------------------------------------

    def _refresh_loop(self) -> None:
        while not (self._is_closed or is_ending()):
            self._wake.wait(self._poll_s)
            self._wake.clear()
            self._locked(self._refresh, f"while showing the {self._about}")
            self._ended.wait(self._refresh_s)

    def _locked(self, action: Callable[[], None], where: str) -> None:
        """Run ``action`` with the lock held; show an exception in the panel."""
        with self._lock:
            if self._is_closed:
                return
            try:
                action()
            except Exception as error:
                log.warning("the %s panel failed %s", self._about, where, exc_info=True)
                self.report(error, where)

    def _act(self, action: Callable[[], None], where: str) -> None:
        """Run an action of the user, and show its result."""
        self.head._error = ""
        self._locked(action, where)
        self._wake.set()

    # --- still picture -----------------------------------------------------------------------------------------------

    def _make_still(self, at_once: bool) -> None:
        """Update the still picture if it is due."""
        now = time.monotonic()
        if self._still is None or not self._still_due or not (at_once or now - self._still_made > self._still_s):
            return
        self._still_made, self._still_due = now, False
        self._still.update(still_bundle(self, self.still_html()), raw=True)

    def _ipython_display_(self) -> None:
        with self._lock:
            self._still = display_with_still(self, self.still_html())


def still_figure(name: str, parts: list[str], caption: str) -> str:
    """Create a self-contained HTML figure from parts, one below the other; empty parts are left out.

    Args:
        name: marks the figure (``data-dkd-filmstrip``), so that the live widget can hide it.
        parts: HTML of the parts.
        caption: text that needs no escaping.
    """
    body = "".join(f'<div style="margin:8px 0">{part}</div>' for part in parts if part)
    return (
        f'<figure data-dkd-filmstrip="{name}" style="margin:0">{body}'
        f'<figcaption style="font-size:13px;opacity:.75">{caption} '
        '<span class="dkd-in-lab">Run the cell for the live panel.</span>'
        "</figcaption></figure>"
    )


def section(title: str, content: Any) -> Any:
    """Create a collapsible section of a panel."""
    out = ipw.Accordion([content], titles=[title], selected_index=0)
    out.add_class("dkd-section")
    return out


def duration(seconds: float) -> str:
    """Format a duration: ``"40 s"``, ``"12 min"``, ``"3 h 20 min"``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
