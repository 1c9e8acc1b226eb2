"""Cells that are run again: what they displayed before gives back what it holds, in the kernel and in the page.

ipywidgets keeps every widget until it is closed, so each run of a cell would leave its views behind, with the frames
that they hold in the browser. The page cannot tell a cell that is run again from a page that is reloaded, or from an
output that is shown in another tab; but the kernel knows which cell displayed a view, and that this cell was run again.
Then the page has removed its old outputs.

The old views are not closed: somebody may still have one in a variable. Their connections to the page are, and they are
opened when such a view is displayed again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any
from weakref import ref

import ipywidgets

_lock = threading.RLock()


class Displays:
    """Which views the cells of the notebook show."""

    def __init__(self) -> None:
        self._runs = 0  # cells run so far, to tell the outputs of a run from those of the run before
        self._shown: dict[str, list[tuple[int, ref[ipywidgets.Widget]]]] = {}  # per cell
        self._shell: Any = None

    def add(self, widget: ipywidgets.Widget) -> None:
        """Note that ``widget`` is displayed by the cell that runs now; outside of cells nothing is noted."""
        shell = _shell()
        if shell is None or not (cell := _cell_of(shell)):
            return
        with _lock:
            if shell is not self._shell:
                self._shell = shell
                shell.events.register("pre_run_cell", self._begin)
                shell.events.register("post_run_cell", self._end)
            self._shown.setdefault(cell, []).append((self._runs, ref(widget)))

    def _begin(self, _info: Any) -> None:
        with _lock:
            self._runs += 1

    def _end(self, result: Any) -> None:
        if cell := getattr(result.info, "cell_id", None):
            self.has_run(cell)

    def has_run(self, cell: str) -> None:
        """Put to sleep what ``cell`` displayed in earlier runs and no cell displays now."""
        with _lock:
            entries = self._shown.pop(cell, [])
            before = [widget() for run, widget in entries if run != self._runs]
            if now := [(run, widget) for run, widget in entries if run == self._runs]:
                self._shown[cell] = now
            if not before:
                return
            shown = [widget() for entries in self._shown.values() for _, widget in entries]
            keep = {id(part) for part in parts(shown)}
            for part in list(parts(before)):
                if id(part) not in keep:
                    _close(part)


displays = Displays()


def parts(widgets: Iterable[ipywidgets.Widget | None]) -> Iterator[ipywidgets.Widget]:
    """Yield each of ``widgets`` that is one, after all widgets that its synchronised traits lead to."""
    seen: set[int] = set()

    def walk(value: Any) -> Iterator[ipywidgets.Widget]:
        if isinstance(value, ipywidgets.Widget):
            if id(value) not in seen:
                seen.add(id(value))
                for name in value.keys:
                    yield from walk(value._trait_values.get(name))
                yield value
        elif isinstance(value, (list, tuple)):
            for item in value:
                yield from walk(item)
        elif isinstance(value, dict):
            yield from walk(list(value.values()))

    for widget in widgets:
        yield from walk(widget)


def wake(widget: ipywidgets.Widget) -> None:
    """Connect ``widget``, and what it consists of, with the page if they were put to sleep."""
    with _lock:
        for part in parts([widget]):
            if part.comm is None and not getattr(part, "_closed", False):
                part._model_id = None  # a model of its own: the page may still be closing the one before
                part.open()


def _close(widget: ipywidgets.Widget) -> None:
    """Close the connection to the page, but nothing else: subclasses close more."""
    ipywidgets.Widget.close(widget)
    widget.__dict__.pop("_repr_mimebundle_", None)  # which close() has set: displaying it wakes it


def _shell() -> Any:
    """Return IPython's shell of a kernel, or ``None`` elsewhere."""
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    return shell if hasattr(shell, "get_parent") else None


def _cell_of(shell: Any) -> str:
    """Return the id of the cell whose code is running, or ``""``: a callback of a widget belongs to no cell."""
    return ((shell.get_parent() or {}).get("metadata") or {}).get("cellId") or ""
