"""Table of the runs in a folder, and actions on the selected ones."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from dkd.training.runs import list_runs

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = (
    "run", "model", "adversary", "status", "step", "steps", "loss", "PCK@0.2", "PCK@0.1", "acceleration %", "started",
)  # fmt: skip
_DIGITS = {"loss": 4, "PCK@0.2": 3, "PCK@0.1": 3, "acceleration %": 2}


def runs_html(table: pd.DataFrame, here: str = "") -> str:
    """Format the table of :func:`dkd.training.runs.list_runs` as HTML.

    Args:
        table: table with one row per run.
        here: folder of the open run; its row is marked.
    """
    if not len(table):
        return '<p class="dkd-muted">No runs yet. The first one that you start is listed here.</p>'
    columns = [name for name in _SHOWN if name in table]
    numeric = {name for name in columns if name not in ("run", "model", "status", "started")}

    def cell(name: str, value: Any) -> str:
        if isinstance(value, float):
            value = "–" if math.isnan(value) else f"{value:.{_DIGITS[name]}f}" if name in _DIGITS else f"{value:g}"
        return f"<td{' class=dkd-number' if name in numeric else ''}>{html.escape(str(value))}</td>"

    head = "".join(
        f'<th scope="col"{" class=dkd-number" if name in numeric else ""}>{html.escape(name)}</th>' for name in columns
    )
    rows = []
    for row in table.to_dict("records"):
        mark = ' class="dkd-here" aria-current="true"' if here and _same(row["folder"], here) else ""
        rows.append(f"<tr{mark}>{''.join(cell(name, row[name]) for name in columns)}</tr>")
    return f'<table class="dkd-runs"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _same(a: str, b: str) -> bool:
    return Path(a).resolve() == Path(b).resolve()


class RunsTable(ipw.VBox):
    """The table, a list for the selection, and buttons.

    Args:
        root: folder of the runs.
        picked: called with the folders of the selected runs when the selection changes.
        opened: called with the folder of a run to open.
        compared: called with the folder of a run whose snapshots are to be shown next to those of the open one.
        attempt: called with each action and its description, to perform it and to show its errors.
    """

    def __init__(
        self,
        root: Path,
        *,
        picked: Callable[[list[str]], None],
        opened: Callable[[str], None],
        compared: Callable[[str], None],
        attempt: Callable[[Callable[[], None], str], None],
    ):
        self.root, self.here = root, ""
        self.frame: Any = None
        self.table = ipw.HTML()
        self.pick = ipw.SelectMultiple(
            description="Runs", rows=4,
            tooltip="Selected runs are drawn over the curves as dashed lines; Ctrl or Shift selects several",
        )  # fmt: skip
        self.open_button = _button("Open", "Show the selected run here, with its snapshots; it can then be resumed")
        self.compare_button = _button("Compare snapshots", "Show its snapshots next to those of the open run")
        self.refresh_button = _button("Refresh", "Read the list of runs again")
        self.pick.observe(lambda _: attempt(lambda: self._on_pick(picked), "picking runs"), "value")
        self.open_button.on_click(lambda _: attempt(lambda: self._with_one(opened), "opening a run"))
        self.compare_button.on_click(lambda _: attempt(lambda: self._with_one(compared), "comparing runs"))
        self.refresh_button.on_click(lambda _: attempt(self.update, "listing the runs"))
        buttons = ipw.VBox([self.open_button, self.compare_button, self.refresh_button])
        buttons.add_class("dkd-runs-buttons")
        row = ipw.HBox([self.table, ipw.HBox([self.pick, buttons])])
        row.add_class("dkd-runs-row")
        super().__init__([row])
        self.update()

    def update(self, here: str | None = None) -> None:
        """Read the runs again.

        Args:
            here: folder of the open run, if it has changed.
        """
        self.here = self.here if here is None else here
        self.frame = list_runs(self.root)
        shown = runs_html(self.frame, self.here)
        if shown != self.table.value:
            self.table.value = shown
        names = [(_name(folder, self.root), folder) for folder in self.frame["folder"]] if len(self.frame) else []
        if list(self.pick.options) != names:
            kept = tuple(folder for folder in self.pick.value if folder in {f for _, f in names})
            self.pick.options = names
            self.pick.value = kept
        self._enable()

    def _on_pick(self, picked: Callable[[list[str]], None]) -> None:
        self._enable()
        picked(list(self.pick.value))

    def _enable(self) -> None:
        self.open_button.disabled = self.compare_button.disabled = len(self.pick.value) != 1

    def _with_one(self, action: Callable[[str], None]) -> None:
        if len(self.pick.value) == 1:
            action(self.pick.value[0])


def _name(folder: str, root: Path) -> str:
    """Return a run's folder relative to the root, or the full path."""
    path = Path(folder)
    return str(path.relative_to(root)) if path.is_relative_to(root) and path != root else str(path)


def _button(text: str, tooltip: str) -> Any:
    return ipw.Button(description=text, tooltip=tooltip)
