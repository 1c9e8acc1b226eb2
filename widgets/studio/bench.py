"""The editor of a studio, kept in line with the people who were tracked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from widgets.core.tables import LAYERS
from widgets.studio.editor import Editor
from widgets.studio.persons import Person


class Bench:
    """Opens an editor for the first track, gives it the others, and closes it after the last.

    Args:
        show: called with the editor that is to be shown, or ``None``; closes the one before.
        on_change: called after each correction, and when the frames after it are traced again.

    Attributes:
        editor: the editor, ``None`` while there is no track.
    """

    def __init__(self, show: Callable[[Any], object], on_change: Callable[[], object]):
        self._show, self._on_change = show, on_change
        self._lock = threading.RLock()
        self._given: dict[int, tuple[str, str, Any]] = {}  # by key of the person: name, colour and trace
        self.editor: Any = None

    @property
    def calls(self) -> dict[str, tuple[str, ...]]:
        """The calls that lead to each trace, also those still to be done, by name."""
        return {} if self.editor is None else dict(self.editor.calls)

    @property
    def traces(self) -> dict[str, Any]:
        """The traces with all corrections, by name."""
        return {} if self.editor is None else dict(self.editor.traces)

    @property
    def finished(self) -> dict[str, Any]:
        """Those of the traces of which no frame is to be traced again, by name."""
        return {} if self.editor is None else dict(self.editor.finished)

    def sync(self, people: Sequence[Person], view: Mapping[str, Any], bookmarks: Sequence[Mapping[str, Any]]) -> None:
        """Add, rename, recolour and remove people.

        Args:
            people: all people; those without a trace are not shown.
            view: what a new editor shows first: ``frame``, ``joint``, ``layers``, ``person``.
            bookmarks: bookmarks of a new editor.
        """
        with self._lock:
            tracked = {person.key: person for person in people if person.trace is not None}
            for key, (name, _, trace) in list(self._given.items()):
                if key not in tracked or tracked[key].trace is not trace:
                    self._remove(key, name)
            for key, person in tracked.items():
                self._update(key, person, view, bookmarks)

    def close(self) -> None:
        """Close the editor."""
        with self._lock:
            self._given.clear()
            self._put(None)

    def _update(
        self, key: int, person: Person, view: Mapping[str, Any], bookmarks: Sequence[Mapping[str, Any]]
    ) -> None:
        now = person.name, person.colour, person.trace
        before = self._given.get(key)
        if before is not None:
            if before[0] != person.name:
                self.editor.rename(before[0], person.name)
            if before[1] != person.colour:
                self.editor.recolour(person.name, person.colour)
        elif self.editor is None:
            traces, colours = {person.name: person.trace}, {person.name: person.colour}
            shown = known(view, person)
            editor = Editor(
                traces, colours=colours, on_change=self._corrected, bookmarks=bookmarks, in_video=True, **shown
            )
            self._put(editor)
        else:
            self.editor.add(person.name, person.trace, person.colour)
        self._given[key] = now

    def _corrected(self, _editor: Editor) -> None:
        self._on_change()

    def _remove(self, key: int, name: str) -> None:
        del self._given[key]
        if self._given:
            self.editor.remove(name)
        else:
            self._put(None)

    def _put(self, editor: Any) -> None:
        before, self.editor = self.editor, editor
        self._show(editor)
        if before is not None:
            before.close()


def known(view: Mapping[str, Any], person: Person) -> dict[str, Any]:
    """Return what of a stored view still fits a person's trace."""
    kept: dict[str, Any] = {}
    if isinstance(frame := view.get("frame"), int) and 0 <= frame < len(person.trace):
        kept["frame"] = frame
    if view.get("joint") in person.trace.skeleton.joints:
        kept["joint"] = view["joint"]
    if isinstance(layers := view.get("layers"), Mapping):
        kept["layers"] = {name: value for name, value in layers.items() if name in LAYERS and _fits(name, value)}
    return kept


def _fits(layer: str, value: object) -> bool:
    """Return whether a value of a stored layer is one of those that the cursor takes."""
    return isinstance(value, bool) if layer != "opacity" else isinstance(value, int | float) and 0 <= value <= 1
