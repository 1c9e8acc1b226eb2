"""Base class of all views: cursor, feed, Python interface, and closing."""

from __future__ import annotations

import traceback
import uuid
from collections.abc import Callable
from typing import Any, Self

import anywidget
import ipywidgets
import traitlets
from ipywidgets.widgets.trait_types import InstanceDict

from dkd.errors import ConfigError, nearest_name
from dkd.tracking.protocols import TraceLike
from widgets.core import cells
from widgets.core.cursor import Cursor
from widgets.core.feed import Feed
from widgets.core.filmstrip import display_with_still, filmstrip_html
from widgets.core.library import ModuleWidget


class View(ModuleWidget):
    """A view of a trace. Subclasses only give the JavaScript module that draws them.

    Args:
        trace: a :class:`dkd.Trace`.
        cursor: a :class:`Cursor` to share with other views of the same trace; by default a new one.

    Raises:
        ConfigError: the cursor belongs to a clip with a different length or different joints.
        TypeError: a keyword is unknown; the nearest one is given.
    """

    _cursor = anywidget.WidgetTrait().tag(sync=True)
    _feed = anywidget.WidgetTrait().tag(sync=True)
    _error = traitlets.Unicode("").tag(sync=True)
    _filmstrip = traitlets.Unicode().tag(sync=True)  # marks the still picture that the view leaves in the notebook
    layout = InstanceDict(ipywidgets.Layout, allow_none=True).tag(sync=True, **ipywidgets.widget_serialization)
    _closed = True  # until it is opened: ipywidgets also closes incomplete views when they are deleted

    def __init__(self, trace: TraceLike, *, cursor: Cursor | None = None, **unknown: Any):
        if unknown:
            raise unknown_keyword(type(self).__name__, next(iter(unknown)), ("cursor",))
        self._open(trace, cursor)

    @traitlets.default("_filmstrip")
    def _name_filmstrip(self) -> str:
        return f"dkd-{uuid.uuid4().hex[:12]}"

    @traitlets.default("layout")
    def _make_layout(self) -> ipywidgets.Layout:
        return ipywidgets.Layout()

    @classmethod
    def within(cls, trace: TraceLike, cursor: Cursor) -> Self:
        """Create a view for a place in another one: without a layout, which would be one more model for each page."""
        view = cls.__new__(cls)
        view._open(trace, cursor, layout=None)
        return view

    def _open(self, trace: TraceLike, cursor: Cursor | None, **traits: Any) -> None:
        if cursor is not None and (cursor.n_frames, cursor.joint_names) != (len(trace), list(trace.skeleton.joints)):
            raise ConfigError(
                f"expected a cursor over {len(trace)} frames and {len(trace.skeleton)} joints of this trace, got one "
                f"over {cursor.n_frames} frames and {len(cursor.joint_names)} joints; use Cursor.for_trace(trace)"
            )
        self._owns_cursor = cursor is None
        self._closed = False
        self._subscriptions: list[Callable[[], None]] = []
        cursor = Cursor.for_trace(trace) if cursor is None else cursor
        feed = Feed.shared(trace, cursor)
        for part in (cursor, feed):
            cells.wake(part)  # where they belonged to a view of a cell that was run again
        super().__init__(_cursor=cursor, _feed=feed, **traits)

    def __repr__(self) -> str:
        trace = self._feed.trace
        name = type(self).__name__
        about = "" if trace is None else f" of {trace.clip.name!r}, {trace.model_name}, {len(trace)} frames"
        return f"<{name}{about}>"

    @property
    def cursor(self) -> Cursor:
        """State that this view shares with other views on the same cursor."""
        return self._cursor

    @property
    def trace(self) -> Any:
        """Trace that is shown."""
        return self._feed.trace

    @property
    def frame(self) -> int:
        """Current frame, 0..T−1. Set it to move; an invalid one raises :class:`~dkd.errors.FrameIndexError`."""
        return self._cursor.frame

    @frame.setter
    def frame(self, value: int) -> None:
        self._cursor.frame = value

    @property
    def joint(self) -> str:
        """Name of the selected joint. Set it to select; an unknown one raises :class:`~dkd.errors.ConfigError`."""
        return self._cursor.joint

    @joint.setter
    def joint(self, value: str) -> None:
        self._cursor.joint = value

    def play(self) -> None:
        """Play in the browser from the current frame."""
        self._cursor.playing = True

    def pause(self) -> None:
        """Stop playing."""
        self._cursor.playing = False

    def on_frame(self, callback: Callable[[int], object]) -> Callable[[], None]:
        """Call ``callback(frame)`` at each change of the frame, by Python or by the browser.

        While the user scrubs or plays, the kernel is notified about 10 times per second, and always of the final
        frame. An exception in the callback is shown under the widget.

        Returns:
            A function that removes the callback.
        """
        return self._subscribe("frame", callback)

    def on_joint(self, callback: Callable[[str], object]) -> Callable[[], None]:
        """Call ``callback(joint)`` whenever another joint is selected; see :meth:`on_frame`."""
        return self._subscribe("joint", callback)

    def _ipython_display_(self) -> None:
        display_with_still(self, filmstrip_html(self.trace, self._filmstrip))

    def _subscribe(self, name: str, callback: Callable[[Any], object]) -> Callable[[], None]:
        cursor = self._cursor

        def hear(change: Any) -> None:
            try:
                callback(change["new"])
            except Exception as error:
                self.report(error, f"in the on_{name} callback")

        def unsubscribe() -> None:
            if hear in cursor._trait_notifiers.get(name, {}).get("change", []):
                cursor.unobserve(hear, name)

        cursor.observe(hear, name)
        self._subscriptions.append(unsubscribe)
        return unsubscribe

    def report(self, error: BaseException, where: str) -> None:
        """Show an exception under the widget, with the line of the user's code that raised it."""
        self._error = describe_error(error, where)

    def close(self) -> None:
        """Free the view in kernel and browser; a cursor that was passed in stays open. May be called twice."""
        if self._closed:
            return
        self._closed = True
        for unsubscribe in self._subscriptions:
            unsubscribe()
        self._subscriptions.clear()
        cursor, feed, layout = self._cursor, self._feed, self.layout
        super().close()
        if layout is not None:
            layout.close()
        feed.release()
        if self._owns_cursor:
            cursor.close()


def close_below(widget: Any) -> None:
    """Free the children of an ipywidgets container, with layouts and styles; ipywidgets only frees the container."""
    for child in getattr(widget, "children", ()):
        close_below(child)
        if child.comm is not None:
            child.close()
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if isinstance(part, ipywidgets.Widget) and part.comm is not None:
            part.close()


def describe_error(error: BaseException, where: str) -> str:
    """Describe an exception in one line: its type, its origin and its message."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    at = f" (line {last[0].lineno} of {last[0].name})" if last else ""
    return f"{type(error).__name__} {where}{at}: {error}"


def unknown_keyword(owner: str, name: str, known: tuple[str, ...]) -> TypeError:
    """Create the error for a keyword that ``owner`` does not accept, with the nearest one that it does."""
    return TypeError(f"{owner}() has no keyword {name!r}{nearest_name(name, known)} It takes: {', '.join(known)}.")
