"""The editor: a workbench in whose player joints are corrected, for one or several people of a clip."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import traitlets

from dkd.errors import ConfigError, FrameIndexError
from dkd.pose.crops import BOX_MARGIN
from dkd.tracking.trace import Trace
from dkd.video.ranges import place_in_video
from widgets.core.cursor import Cursor
from widgets.core.library import script
from widgets.core.view import unknown_keyword
from widgets.core.wire import write_message
from widgets.studio.correcting import READ, Correcting
from widgets.studio.edits import as_python, uncorrected
from widgets.studio.people import People, named_traces
from widgets.studio.showing import render_progress, render_tracks, shown_trace
from widgets.studio.spliced import changed_frames
from widgets.studio.stage import Stage
from widgets.studio.version import Version, Worker
from widgets.workbench.kernels import Kernels
from widgets.workbench.matching import Matching
from widgets.workbench.timeline import Timeline
from widgets.workbench.workbench import Workbench, view_code

_log = logging.getLogger(__name__)
_VIEW = ("cursor", "frame", "joint", "layers", "cell", "speed")  # as of a workbench
_KEYWORDS = ("colours", "person", "bookmarks", "on_change", "in_video", *_VIEW)
FIRST_S, EVERY_S = 0.25, 1.0  # frames traced again are shown after FIRST_S, then every EVERY_S
Changed = Callable[["Editor"], object]


class Editor(Correcting, Workbench):
    """A :class:`~widgets.Workbench` in which tracks are corrected.

        editor = Editor({"anna": trace, "ben": other})
        editor.correct_joint(12, "left_wrist", 103.5, 88.0)   # the same as dragging it there
        editor.traces["anna"].corrected                       # which joints are corrections

    Drag a joint in the player, or use the keys (``?`` shows them). A correction is a method of
    :class:`~dkd.tracking.corrections.Corrections`: it is reported, enters H_t, and the frames after it are traced again
    in a thread and replace the old ones as they come. Predictions are hollow, corrections filled, hidden joints
    crossed. The views show the selected person; the others are drawn in their colours. Every change can be undone.

    Args:
        traces: a trace, or traces of one clip by the person's name, complete or stopped. A stopped one stays as long as
            it is. Corrections that a trace already has can be removed like new ones.
        colours: a CSS colour by name, for some or all people.
        person: who is selected; the first by default.
        bookmarks: ``{"frame": …, "note": …}`` for each bookmark.
        on_change: see :meth:`on_change`.
        in_video: whether the page numbers the frames of a part of a video as in the whole one. Python does not.
        cursor, frame, joint, layers, cell, speed: as for a workbench.

    Raises:
        ConfigError: there is no trace, or they do not fit together; or as for a workbench.
        TypeError: a keyword is unknown; the nearest one is given.
    """

    _module = script("studio/editor.js")
    _views, _can_grow = (Stage, Matching, Kernels, Timeline), False
    _people: traitlets.List = traitlets.List().tag(sync=True)
    _person = traitlets.Unicode().tag(sync=True)
    _tracks: traitlets.Dict = traitlets.Dict().tag(sync=True)
    _edits: traitlets.Dict = traitlets.Dict().tag(sync=True)
    _bookmarks: traitlets.List = traitlets.List().tag(sync=True)
    _problem = traitlets.Unicode().tag(sync=True)
    _margin = traitlets.Float(BOX_MARGIN).tag(sync=True)

    def __init__(
        self,
        traces: Trace | Mapping[str, Trace],
        *,
        colours: Mapping[str, str] | None = None,
        person: str | None = None,
        bookmarks: Iterable[Mapping[str, Any]] = (),
        on_change: Changed | None = None,
        in_video: bool = False,
        cursor: Cursor | None = None,
        frame: int | None = None,
        joint: str | None = None,
        layers: Mapping[str, bool | float] | None = None,
        cell: tuple[int, int] | None = None,
        speed: float | None = None,
        **unknown: Any,
    ):
        if unknown:
            raise unknown_keyword("Editor", next(iter(unknown)), _KEYWORDS)
        self._tracked = People(named_traces(traces), colours)
        self._selected = self._tracked.check(person) if person is not None else self._tracked.names[0]
        self._state = threading.RLock()
        self._callbacks: list[Changed] = [] if on_change is None else [on_change]
        self._shown: Version = self._tracked.versions[self._selected]
        self._shown_person = self._selected
        self._sent = 0.0
        self._worker = Worker(self._next, self._on_traced, self._on_done, self._on_run_error)
        super().__init__(
            self._shown.trace, cursor=cursor, frame=frame, joint=joint, layers={"truth": False, **(layers or {})},
            cell=cell, speed=speed, reinitialise=None,
        )  # fmt: skip
        if in_video:
            self._feed.count_from(place_in_video(self._shown.trace.clip))
        for one in bookmarks:
            self._mark(one["frame"], one.get("note", ""))
        self._tell()
        self.on_msg(self._on_edit)

    # --- people -------------------------------------------------------------------------------------------------------

    @property
    def traces(self) -> dict[str, Trace]:
        """The current trace of each person. It grows while frames are traced again; see :meth:`wait`."""
        return self._tracked.traces

    @property
    def finished(self) -> dict[str, Trace]:
        """The current trace of each person of whom no frame is to be traced again."""
        return {name: version.trace for name, version in self._tracked.versions.items() if version.done}

    @property
    def calls(self) -> dict[str, tuple[str, ...]]:
        """The calls that lead to each person's trace, as :func:`dkd.replay` takes them, also those still to be done."""
        return self._tracked.calls

    @property
    def uncorrected(self) -> dict[str, Trace]:
        """The trace of each person before its corrections."""
        return {name: uncorrected(trace) for name, trace in self.traces.items()}

    @property
    def trace(self) -> Any:
        """The current trace of the selected person."""
        return self._tracked.traces[self._selected]

    @trace.setter
    def trace(self, trace: object) -> None:
        raise ConfigError("expected a person for a new trace of an editor; use add(name, trace)")

    @property
    def person(self) -> str:
        """Name of the selected person. Set it to select; an unknown one raises :class:`~dkd.errors.ConfigError`."""
        return self._selected

    @person.setter
    def person(self, name: str) -> None:
        self.select(name)

    @property
    def colours(self) -> dict[str, str]:
        """Colour of each person."""
        return dict(self._tracked.colours)

    def select(self, name: str) -> None:
        """Select a person: the views show its track, and corrections are made to it.

        Raises:
            ConfigError: there is no such person.
        """
        with self._state:
            self._selected = self._tracked.check(name)
            self._serve()
            self._tell()
        self._worker.wake()

    def add(self, name: str, trace: Trace, colour: str | None = None) -> None:
        """Add a person; see :class:`Editor`. The selection and the history of the others stay."""
        with self._state:
            self._tracked.add(name, trace, colour)
        self._changed()

    def remove(self, name: str) -> None:
        """Remove a person. The trace stays open. This cannot be undone.

        Raises:
            ConfigError: there is no such person, or no other one.
        """
        with self._state:
            self._tracked.remove(name)
            if self._selected == name:
                self._selected = self._tracked.names[0]
        self._changed()

    def rename(self, old: str, new: str) -> None:
        """Give a person another name.

        Raises:
            ConfigError: there is no such person, or the name is taken or empty.
        """
        with self._state:
            self._tracked.rename(old, new)
            self._selected = new if self._selected == old else self._selected
        self._changed()

    def recolour(self, name: str, colour: str) -> None:
        """Give a person another CSS colour.

        Raises:
            ConfigError: there is no such person.
        """
        self._tracked.colours[self._tracked.check(name)] = colour
        self._changed()

    # --- history -----------------------------------------------------------------------------------------------------

    def undo(self) -> None:
        """Undo the last change of a track, if there is one, and select whose track it is."""
        self._go(-1)

    def redo(self) -> None:
        """Redo what was undone last, if there is anything."""
        self._go(1)

    # --- bookmarks ----------------------------------------------------------------------------------------------------

    @property
    def bookmarks(self) -> list[dict[str, Any]]:
        """Bookmarks by frame: ``{"frame": …, "note": …}``."""
        return [dict(one) for one in self._bookmarks]

    def bookmark(self, frame: int | None = None, note: str = "") -> None:
        """Bookmark a frame, by default the current one; another note replaces the old one.

        Raises:
            FrameIndexError: there is no such frame.
        """
        self._mark(self.frame if frame is None else frame, note)
        self._notify()

    def remove_bookmark(self, frame: int) -> None:
        """Remove the bookmark of a frame, if there is one."""
        self._bookmarks = [one for one in self._bookmarks if one["frame"] != frame]
        self._notify()

    # --- for others ---------------------------------------------------------------------------------------------------

    def on_change(self, callback: Changed) -> Callable[[], None]:
        """Call ``callback(editor)`` after every change of a track, a name, a colour or a bookmark.

        Frames may still be traced then: it is called again once they are (see :attr:`finished`), in the thread that
        traces. An exception in the callback is shown under the widget.

        Returns:
            A function that removes the callback.
        """
        self._callbacks.append(callback)

        def unsubscribe() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return unsubscribe

    def code(self) -> str:
        """Return the Python that makes these tracks from uncorrected ``traces`` and opens this view."""
        return self._code(self.cursor.get_state())

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all frames are traced; return whether that is so after ``timeout`` seconds (default: no limit)."""
        self._worker.wait(timeout)
        return all(version.done for version in self._tracked.versions.values())

    def close(self) -> None:
        """Close the view. Tracing stops; the traces stay open. May be called twice."""
        if not self._closed:
            self.on_msg(self._on_edit, remove=True)
            super().close()

    # --- implementation -----------------------------------------------------------------------------------------------

    def _go(self, by: int) -> None:
        with self._state:
            name = self._tracked.go(by)
            if name is None:
                return
            self._selected = name
        self._changed()

    def _next(self) -> Version | None:
        """Return what is to be traced next. It takes no lock: the worker asks before each frame, with its own held."""
        return None if self._closed else self._tracked.unfinished(self._selected)

    def _changed(self) -> None:
        """Show a new state, and notify of it."""
        with self._state:
            self._problem = ""
            self._serve()
            self._tell()
        self._worker.wake()
        self._notify()

    def _notify(self) -> None:
        for callback in list(self._callbacks):
            try:
                callback(self)
            except Exception as error:  # shown under the widget
                self.report(error, "in the on_change callback")

    def _mark(self, frame: int, note: str) -> None:
        if not 0 <= frame < self.cursor.n_frames:
            raise FrameIndexError(f"expected a frame in 0..{self.cursor.n_frames - 1} to bookmark, got {frame}")
        others = [one for one in self._bookmarks if one["frame"] != frame]
        self._bookmarks = sorted([*others, {"frame": int(frame), "note": str(note)}], key=lambda one: one["frame"])

    def _serve(self) -> None:
        """Show the selected person's current version.

        A version without a new frame waits for its first one: until then the version before it stays on the page.
        """
        version = self._tracked.versions[self._selected]
        is_waiting = not version.is_visible and version.behind is not None
        if is_waiting and self._shown_person == self._selected:
            return
        trace = shown_trace(version)
        if version is not self._shown:
            self._sent = time.monotonic() - EVERY_S + FIRST_S
        self._shown, self._shown_person = version, self._selected
        before = self._feed.trace
        if trace is before:
            return
        if (len(before), before.skeleton) == (len(trace), trace.skeleton):  # pictures that stay the same are kept
            changed = changed_frames(before, trace)
            self._feed.set_trace(trace, self.cursor.frame, changed.start, changed.stop)
        else:
            self._feed.set_trace(trace, self.cursor.frame)
            self.cursor.retarget(trace)

    def _tell(self) -> None:
        """Tell the page who is there, what was corrected and what is still to be traced."""
        versions = self._tracked.versions
        self._people = [{"name": name, "colour": colour} for name, colour in self._tracked.colours.items()]
        self._person = self._selected
        self._edits = {
            "corrections": self.corrections,
            "undo": self._tracked.can_undo,
            "redo": self._tracked.can_redo,
            **render_progress(versions, self._selected),
        }
        message, buffers = write_message(render_tracks(versions, self._selected))
        self._tracks = {**message, "buffers": buffers}

    def _on_traced(self, version: Version) -> None:
        with self._state:
            if self._closed or version is not self._tracked.versions.get(self._selected) or not version.is_visible:
                return
            is_due = time.monotonic() - self._sent > EVERY_S or version.trace.latest == self.cursor.frame
            if version is self._shown and not is_due:
                return
            if version is self._shown:
                self._sent = time.monotonic()
            self._serve()
            self._edits = {**self._edits, "traced": min(version.trace.n_traced, version.length)}

    def _on_done(self, version: Version) -> None:
        with self._state:
            if self._closed:
                return
            self._serve()
            self._tell()
        self._notify()

    def _on_run_error(self, version: Version, error: Exception) -> None:
        _log.warning("tracing a correction failed", exc_info=error)
        with self._state:
            if not self._closed:
                self._problem = str(error)
                self._tell()

    def _on_edit(self, _widget: Any, content: dict, _buffers: list) -> None:
        kind = content.get("type")
        try:
            if kind == "edit":
                read = READ.get(content["name"])
                if read is None:
                    raise ConfigError(f"there is no correction {content['name']!r}")
                getattr(self, content["name"])(**read(content["arguments"]))
            elif kind in ("undo", "redo"):
                getattr(self, kind)()
            elif kind == "remove":
                self.remove_correction(int(content["index"]))
            elif kind == "select":
                self.select(content["name"])
            elif kind == "bookmark":
                self.bookmark(int(content["frame"]), content.get("note", ""))
            elif kind == "unbookmark":
                self.remove_bookmark(int(content["frame"]))
        except Exception as error:  # shown on the page: otherwise it would only reach the server's log
            _log.info("%s failed", content, exc_info=True)
            self._problem = str(error)

    def _code(self, state: Mapping[str, Any]) -> str:
        lines = [as_python(name, trace) for name, trace in self.traces.items() if trace is not uncorrected(trace)]
        view = view_code(state).removeprefix("Workbench(trace, ").removesuffix(")")
        return "\n".join([*lines, f"Editor(traces, person={self._selected!r}, {view})"])
