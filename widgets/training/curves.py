"""Curves of training runs as a plotly figure and as a still picture."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from dkd.io.escaping import plain_label
from dkd.training.record import Record
from widgets.panels.figures import COLOURS, GRID, INK, STYLE, Figure

if TYPE_CHECKING:
    import pandas as pd

LIMIT = 500  # maximum number of points of a curve
OTHERS = ("dash", "dot", "dashdot", "longdash")  # dashes of other runs, in this order
_TEAL, _VIOLET, _OCHRE = COLOURS[:3]


@dataclass(frozen=True)
class Plot:
    """A plot: its title, and the columns of the log to draw, each with a name and a colour."""

    title: str
    curves: tuple[tuple[str, str, str], ...]
    log: bool = False
    needs_adversary: bool = False


PLOTS = (
    Plot("Pose loss", (("pose", "pose loss", _TEAL),), log=True),
    Plot(
        "PCK",
        (("pck@0.2", "@0.2", _TEAL), ("pck@0.1", "@0.1", _VIOLET), ("pck@0.05", "@0.05", _OCHRE)),
    ),
    Plot("Acceleration error, %", (("acceleration", "acceleration error", _TEAL),)),
    Plot("Reliance on the past", (("reliance", "reliance", _TEAL),)),
    Plot("Learning rate", (("learning_rate", "learning rate", _TEAL),)),
    Plot("Adversary", (("real", "L_real", _TEAL), ("fake", "L_fake", _VIOLET)), log=True, needs_adversary=True),
    Plot("Adversary: convergence", (("convergence", "convergence", _TEAL),), log=True, needs_adversary=True),
    Plot("Adversary: k", (("k", "k", _TEAL),), needs_adversary=True),
)
CURVES = tuple((number, *curve) for number, plot in enumerate(PLOTS) for curve in plot.curves)


class History:
    """History of a run, step by step: its log and the records since.

    Attributes:
        columns: columns of numbers with the same length; ``step`` is ascending.
    """

    def __init__(self) -> None:
        self.columns: dict[str, list[float]] = {"step": []}

    def __len__(self) -> int:
        return len(self.columns["step"])

    @classmethod
    def from_log(cls, table: pd.DataFrame) -> History:
        """Create a history from the rows of ``run.log()``."""
        out = cls()
        out.columns = {str(name): [float(v) for v in table[name]] for name in table.columns}
        return out

    def extend(self, records: Iterable[Record]) -> None:
        """Add records. A record of an earlier step means that the run was resumed: later entries are removed."""
        for record in records:
            row = record.row()
            while len(self) and self.columns["step"][-1] >= row["step"]:
                for values in self.columns.values():
                    values.pop()
            length = len(self)
            for name, value in row.items():
                self.columns.setdefault(name, [float("nan")] * length).append(float(value))

    def curve(self, name: str, limit: int = LIMIT) -> tuple[np.ndarray, np.ndarray]:
        """Return the steps and values of a column where known, thinned; empty if never known."""
        if name not in self.columns:
            return np.zeros(0), np.zeros(0)
        return thin(np.array(self.columns["step"]), np.array(self.columns[name]), limit)

    def last(self, name: str) -> float:
        """Return the last known value of a column, else NaN."""
        values = np.array(self.columns.get(name, []))
        known = values[np.isfinite(values)]
        return float(known[-1]) if len(known) else float("nan")


def thin(x: np.ndarray, y: np.ndarray, limit: int = LIMIT) -> tuple[np.ndarray, np.ndarray]:
    """Reduce a curve to at most ``limit`` points: means of groups of neighbours, and the last point unchanged.

    Points that are not finite are removed first.
    """
    known = np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) <= limit:
        return x, y
    edges = np.linspace(0, len(x) - 1, limit).astype(int)  # limit − 1 groups before the last point
    counts = np.diff(edges)
    means = [np.append(np.add.reduceat(v[:-1], edges[:-1]) / counts, v[-1]) for v in (x, y)]
    return means[0], means[1]


class Curves:
    """All curves of a run, with those of other runs drawn over them as dashed lines.

    Attributes:
        figure: the widget.
    """

    def __init__(self) -> None:
        self.figure = Figure(data=[self._trace(*curve) for curve in CURVES], layout=_layout(False))
        self._adversary = False
        self._others: tuple[str, ...] = ()

    def show(self, history: History) -> None:
        """Draw the current curves of a run."""
        adversary = len(history.curve("k")[0]) > 0
        curves = [history.curve(column) for _, column, _, _ in CURVES]
        with self.figure.batch_update():
            for trace, (x, y) in zip(self.figure.data[: len(CURVES)], curves, strict=True):
                trace.x, trace.y = x, y
                trace.mode = "lines+markers" if len(x) < 30 else "lines"
        if adversary != self._adversary:
            self._adversary = adversary
            self.figure.update_layout(_layout(adversary), overwrite=True)
            self.figure.fit()

    def compare(self, others: Mapping[str, History]) -> None:
        """Draw the histories of other runs, by name, as dashed lines, replacing earlier ones."""
        names = tuple(others)[: len(OTHERS)]
        if self._others:
            self.figure.data = self.figure.data[: len(CURVES)]
        self._others = names
        traces = []
        for name, dash in zip(names, OTHERS, strict=False):
            for curve in CURVES:
                x, y = others[name].curve(curve[1])
                if len(x):
                    trace = self._trace(*curve, run=name, dash=dash)
                    trace.x, trace.y = x, y
                    traces.append(trace)
        if traces:
            self.figure.add_traces(traces)

    @staticmethod
    def _trace(plot: int, column: str, name: str, colour: str, run: str = "", dash: str = "solid") -> go.Scatter:
        run = plain_label(run)
        label = f"{run}: {name}" if run else name
        return go.Scatter(
            name=run or name,
            mode="lines",
            line={"color": colour, "width": 1.6 if run else 2, "dash": dash},
            opacity=0.75 if run else 1,
            marker={"size": 5},
            xaxis=f"x{plot + 1}",
            yaxis=f"y{plot + 1}",
            showlegend=bool(run) and plot == 0,  # the other plots use the same dashes; colours are in the titles
            hovertemplate="step %{x:.0f}: %{y:.4g}<extra>" + label + "</extra>",
        )

    def close(self) -> None:
        """Free the figure."""
        self.figure.close()


def _layout(adversary: bool) -> dict[str, Any]:
    """Arrange the plots in one row, or in two with an adversary."""
    shown = [i for i, plot in enumerate(PLOTS) if adversary or not plot.needs_adversary]
    columns, rows = (4, 2) if adversary else (len(shown), 1)
    layout: dict[str, Any] = {
        **STYLE,
        "height": 210 * rows + 10,
        "margin": {"l": 42, "r": 8, "t": 26, "b": 34},
        "annotations": [],
        "legend": {
            "x": (1 - 0.05 * (columns - 1)) / columns,
            "y": 1.0,
            "xanchor": "right",
            "yanchor": "top",
            "bgcolor": "rgba(0,0,0,0)",
            "font": {"size": 10},
        },
    }
    for i, plot in enumerate(PLOTS):
        place = shown.index(i) if i in shown else 0
        gap = 0.05
        width, height = (1 - gap * (columns - 1)) / columns, (1 - 0.24 * (rows - 1)) / rows
        left = (place % columns) * (width + gap)
        bottom = (rows - 1 - place // columns) * (height + 0.24)
        axis = {"gridcolor": GRID, "zeroline": False, "linecolor": GRID, "visible": i in shown, "automargin": False}
        layout[f"xaxis{i + 1}"] = {
            **axis, "domain": [left, left + width], "anchor": f"y{i + 1}", "nticks": 5, "showgrid": False,
            "ticks": "outside", "tickcolor": GRID, "rangemode": "tozero",
        }  # fmt: skip
        layout[f"yaxis{i + 1}"] = {
            **axis, "domain": [bottom, bottom + height], "anchor": f"x{i + 1}", "nticks": 5,
            "type": "log" if plot.log else "linear", "exponentformat": "e",
            **({} if plot.log else {"rangemode": "tozero"}),
        }  # fmt: skip
        if i in shown:
            layout["annotations"].append(
                {
                    "text": _title(plot),
                    "x": left,
                    "y": bottom + height,
                    "xref": "paper",
                    "yref": "paper",
                    "xanchor": "left",
                    "yanchor": "bottom",
                    "showarrow": False,
                    "font": {"size": 11},
                    "yshift": 4,
                }  # fmt: skip
            )
    return layout


def _title(plot: Plot) -> str:
    """Return a plot's title; with several curves, their names in their colours."""
    names = [f'<span style="color:{colour}"><b>{name}</b></span>' for _, name, colour in plot.curves]
    return f"<b>{plot.title}</b>" + (f"  {'  '.join(names)}" if len(names) > 1 else "")


# ---- the still picture


def still_curves(history: History, plots: Sequence[Plot] = PLOTS[:2]) -> str:
    """Draw the first plots as one self-contained SVG, for readers without a kernel; empty without data."""
    width, height, gap = 420, 150, 40
    parts = []
    for number, plot in enumerate(plots):
        curves = [(name, colour, *history.curve(column, 150)) for column, name, colour in plot.curves]
        curves = [curve for curve in curves if len(curve[2])]
        if not curves:
            continue
        drawn = [np.log10(np.maximum(y, 1e-12)) if plot.log else y for _, _, _, y in curves]
        low = min(float(y.min()) for y in drawn) if plot.log else 0.0
        high = max(float(y.max()) for y in drawn)
        right = max(float(x[-1]) for _, _, x, _ in curves)
        left = number * (width + gap)
        label = f"{10**high if plot.log else high:.3g}"
        parts.append(
            f'<text x="{left}" y="12" font-weight="600">{html.escape(plot.title)}</text>'
            f'<text x="{left}" y="28">{label}</text>'
            f'<text x="{left}" y="{height + 46}">{10**low if plot.log else low:.3g}</text>'
            f'<text x="{left + width}" y="{height + 46}" text-anchor="end">step {right:.0f}</text>'
            f'<path d="M{left} 32V{height + 32}H{left + width}" stroke="{INK}" fill="none" opacity=".5"/>'
        )
        for row, ((name, colour, x, _), y) in enumerate(zip(curves, drawn, strict=True)):
            across = left + x / max(right, 1) * width
            down = 32 + height - (y - low) / max(high - low, 1e-12) * height
            points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, down, strict=True))
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
            if len(curves) > 1:
                line = height - 8 - 15 * (len(curves) - 1 - row)
                parts.append(
                    f'<text x="{left + width}" y="{line}" text-anchor="end" fill="{colour}">{html.escape(name)}</text>'
                )
    if not parts:
        return ""
    total = len(plots) * (width + gap)
    return (
        f'<svg viewBox="-4 0 {total} {height + 52}" style="max-width:{total}px;width:100%" role="img" '
        f'aria-label="Curves of the run" font-size="12" font-family="sans-serif" fill="{INK}">{"".join(parts)}</svg>'
    )
