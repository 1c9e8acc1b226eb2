"""Results of an evaluation as a table: on the page, to copy and to download."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import Any

import pandas as pd
import traitlets

from dkd.io.escaping import csv_cell, latex, markdown
from widgets.core.library import ModuleWidget, script


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        name: header on the page and in copies.
        digits: decimal places of its numbers; ``None``: text.
        best: whether the largest or the smallest value is the best; empty: neither.
        about: explanation in one line.
    """

    name: str
    digits: int | None
    best: str
    about: str


UNSEEN = ("joints counted", "joints skipped")  # given in the note below the table; copies include them
COLUMNS: tuple[Column, ...] = (
    Column("method", None, "", "The model and its variants"),
    Column("data", None, "", "Data on which it was measured"),
    Column("labels", None, "", "Source of the true joints: exact, a data set's, or another network's"),
    Column("PCK@0.2", 3, "max", "Share of counted joints within 0.2 of the normaliser"),
    Column("PCK@0.1", 3, "max", "Share of counted joints within 0.1 of the normaliser"),
    Column("PCK@0.05", 3, "max", "Share of counted joints within 0.05 of the normaliser"),
    Column("AUC", 3, "max", "Area under the PCK curve, as a share of the maximum"),
    Column("acceleration error %", 2, "min", "Mean error of the joints' acceleration, % of the box side per frame²"),
    Column(
        "jitter %", 2, "min", "Mean acceleration of the predictions, % of the box side per frame²; with true motion"
    ),
    Column("flips", 1, "min", "Number of times a joint moved to the other side of the body, per 100 frames"),
    Column("lost", 1, "min", "Number of times a joint was no longer hit, per 100 frames"),
    Column("recovered", 2, "max", "Share of these losses after which the joint was hit again"),
    Column("params (M)", 2, "min", "Parameters, in millions"),
    Column("GMACs", 2, "min", "Multiply-adds per frame, from the second on, in billions"),
    Column("ms a frame", 1, "min", "Median time per frame, measured in interleaved turns"),
    Column("videos", 0, "", "Number of videos"),
    Column("frames", 0, "", "Number of frames of these videos"),
    Column("joints counted", 0, "", "Number of joints that count: labelled and visible"),
    Column("joints skipped", 0, "", "Number of joints that would count, in frames without a length to compare with"),
)


def results_table(summary: pd.DataFrame, cost: pd.DataFrame | None, cost_name: Any, rank: str) -> pd.DataFrame:
    """Create a table with one row per method and data set, sorted by data, the best first.

    Args:
        summary: table with ``method, data, labels`` and columns of :data:`COLUMNS`.
        cost: table of :func:`dkd.evaluation.cost.profile`, or ``None``.
        cost_name: function from a method to its row of ``cost``.
        rank: column to sort by.
    """
    table = summary.copy()
    if cost is not None:
        named = {"params (M)": "params (M)", "GMACs": "GMACs", "ms": "ms a frame"}
        rows = [cost_name(str(method)) for method in table["method"]]
        for source, target in named.items():
            values = [float(cost[source][row]) if row in cost.index else math.nan for row in rows]
            if any(math.isfinite(v) for v in values):
                table[target] = values
    if rank in table:
        table = table.sort_values(["data", rank], ascending=[True, False], kind="stable")
    known = [column.name for column in COLUMNS if column.name in table]
    if rank not in known and rank in table:  # a threshold other than the usual ones
        known.insert(known.index("labels") + 1, rank)
    return table[known].reset_index(drop=True)


def column(name: str) -> Column:
    """Return the description of a column of the table."""
    for known in COLUMNS:
        if known.name == name:
            return known
    return Column(name, 3, "max", f"Share of counted joints within {name.partition('@')[2]} of the normaliser")


def best(table: pd.DataFrame) -> dict[str, list[bool]]:
    """Find, for each column, the rows with the best value on their data; none if there is only one row."""
    out = {}
    for name in map(str, table.columns):
        kind = column(name)
        if not kind.best:
            continue
        values = table[name].round(kind.digits or 0)
        grouped = values.groupby(table["data"])
        several = grouped.transform("nunique") > 1
        out[name] = ((values == grouped.transform(kind.best)) & several).tolist()
    return out


def text_of(kind: Column, value: Any) -> str:
    """Format a cell."""
    if kind.digits is None:
        return str(value)
    number = float(value)
    return "–" if not math.isfinite(number) else f"{number:.{kind.digits}f}"


def exports(table: pd.DataFrame, note: str) -> dict[str, str]:
    """Export the table as ``csv``, ``latex`` and ``markdown``, with the note as a comment or a caption."""
    digits = {str(name): column(str(name)).digits for name in table.columns}
    shown = table.copy()
    for name, count in digits.items():
        if count is not None:
            shown[name] = [text_of(column(name), value) for value in shown[name]]
    numbers = table.round({name: count for name, count in digits.items() if count})
    if not len(table):
        return {"csv": "", "latex": "", "markdown": ""}
    escaped = shown.rename(columns=latex).map(latex)
    marked = shown.rename(columns=markdown).map(markdown)
    align = "".join("l" if digits.get(name) is None else "r" for name in table.columns)
    return {
        "csv": numbers.map(csv_cell).to_csv(index=False),
        "latex": escaped.to_latex(index=False, escape=False, column_format=align, caption=latex(note)),
        "markdown": f"{marked.to_markdown(index=False, disable_numparse=True)}\n\n{markdown(note)}\n",
    }


def table_html(table: pd.DataFrame) -> str:
    """Format the table as HTML for the still picture."""
    if not len(table):
        return ""
    marks = best(table)

    def cell(name: str, row: int) -> str:
        kind = column(name)
        text = html.escape(text_of(kind, table[name].iloc[row]))
        text = f"<b>{text}</b>" if marks.get(name, [False] * len(table))[row] else text
        return f"<td{style(name)}>{text}</td>"

    def style(name: str) -> str:  # without a kernel, there is no style sheet
        side = "left" if column(name).digits is None else "right"
        return f' style="text-align:{side};vertical-align:top{";min-width:130px" if name == "labels" else ""}"'

    names = [str(name) for name in table.columns if name not in UNSEEN]
    head = "".join(f'<th scope="col"{style(name)}>{html.escape(name)}</th>' for name in names)
    rows = "".join(f"<tr>{''.join(cell(name, i) for name in names)}</tr>" for i in range(len(table)))
    return f'<table class="dkd-runs"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


class ResultsTable(ModuleWidget):
    """Table with buttons; sorting, copying and downloading are done in the browser.

    Attributes:
        table: the table that is shown.
    """

    _module = script("evaluation/table.js")
    _columns = traitlets.List(traitlets.Dict()).tag(sync=True)
    _rows: Any = traitlets.List().tag(sync=True)
    _note = traitlets.Unicode("").tag(sync=True)
    _exports = traitlets.Dict().tag(sync=True)
    _name = traitlets.Unicode("evaluation").tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self.table = pd.DataFrame()

    def show(self, table: pd.DataFrame, note: str, name: str = "evaluation") -> None:
        """Show a table of :func:`results_table`.

        Args:
            table: the table to show.
            note: description of the measurement, shown below and included in copies.
            name: name of downloaded files, without suffix.
        """
        self.table = table
        marks = best(table)
        names = [str(name) for name in table.columns if name not in UNSEEN]
        columns = [
            {
                "name": name_, "about": column(name_).about, "best": column(name_).best,
                "number": column(name_).digits is not None,
            }
            for name_ in names
        ]  # fmt: skip
        rows = [
            [
                {
                    "text": text_of(column(c), table[c].iloc[i]),
                    "value": str(table[c].iloc[i]) if column(c).digits is None else _plain(table[c].iloc[i]),
                    "best": marks.get(c, [False] * len(table))[i],
                }
                for c in names
            ]
            for i in range(len(table))
        ]
        with self.hold_sync():
            self._columns, self._rows, self._note, self._name = columns, rows, note, name
            self._exports = exports(table, note)


def _plain(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
