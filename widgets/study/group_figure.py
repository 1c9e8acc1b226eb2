"""The figure of a study: how a measure is distributed over the clips of each group, linked with the table of clips."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as ipw
import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dkd.io.escaping import plain_label
from dkd.studies.columns import MEASURE_TITLES
from dkd.studies.compare import MOST_GROUPS, RESAMPLES, GroupComparison, describe, differences, values_of
from dkd.studies.figures import SPREAD, drawn_of, spread_out
from dkd.studies.study import Study
from widgets.panels.figures import COLOURS, GRID, INK, STYLE, Figure
from widgets.study.group_head import GroupHead

ALL = ""  # the choice of all clips as one group
MOST_DRAWN = 4000  # points
MOST_RESAMPLED = 20_000  # clips; of more, an interval takes seconds
HEIGHT = 300  # pixels
BY = ("verdict", "status")
MEASURES = (
    "confidence", "lowest_confidence", "lost_frames", "strange_frames", "jumps", "flips", "worst_severity",
    "kernel_drift", "pck_20", "pck_10", "pck_05", "auc", "acceleration_error", "velocity_error", "side_flips",
)  # fmt: skip


class GroupFigure(ipw.VBox):
    """One column of points per group, with quartiles, and the mean with its 95 % interval.

    Args:
        study: the study.
        chosen: called with the names of the clips that were chosen in the figure, and the choice in words; with
            ``None`` if the choice was given up.
        opened: called with the name of a clip whose point was clicked.
        export: called with what the page wants to save; see :class:`GroupHead`.

    Attributes:
        figure: the plotly figure.
        by, measure: what is shown; ``by`` is ``None`` for all clips as one group.
        comparison: the numbers that are shown; ``None`` if there are none.
    """

    def __init__(
        self,
        study: Study,
        chosen: Callable[[list[str] | None, str], None],
        opened: Callable[[str], None],
        export: Callable[[str], None],
    ):
        self._study, self._on_choice, self._on_open = study, chosen, opened
        self._clips = pd.DataFrame()
        self._fits = np.ones(0, bool)
        self._chosen: set[str] | None = None
        self._opened = ""
        self._has_rectangle = False
        self._drawn: list[str] = []  # names of the clips of the points
        self.by: str | None = None
        self.measure = "confidence"
        self.comparison: GroupComparison | None = None
        self.head = GroupHead(self._choose_axes, export)
        self.figure = Figure(data=_traces(), layout=_layout())
        _, points, _, _ = self.figure.data
        points.on_selection(self._select)
        points.on_deselect(self._deselect)
        points.on_click(self._click)
        super().__init__([self.head, self.figure])

    def show(self, clips: pd.DataFrame) -> None:
        """Show the table of clips; the axes stay if they are there."""
        self._clips, self._fits, self._chosen = clips, np.ones(len(clips), bool), None
        groups = [name for name in (*self._study.groups, *BY) if clips[name].replace("", None).nunique() > 1]
        measures = [name for name in MEASURES if clips[name].notna().any()]
        if not self.head.is_filled:
            self.by = next((name for name in groups if clips[name].nunique() <= MOST_GROUPS), None)
        self.by = self.by if self.by in groups else None
        self.measure = self.measure if self.measure in measures or not measures else measures[0]
        self.head.offer(
            [[ALL, "all clips"], *([name, name.replace("_", " ")] for name in groups)],
            [[name, MEASURE_TITLES[name]] for name in measures],
        )
        self._update()

    def filter(self, fits: np.ndarray) -> None:
        """Show only the clips that fit, (N,) bool."""
        if len(fits) == len(self._clips) and not np.array_equal(fits, self._fits):
            self._fits = fits
            self._update()

    def mark(self, name: str) -> None:
        """Mark the clip that is open."""
        self._opened = name
        self._mark()

    def clear(self) -> None:
        """Give up what was chosen."""
        if self._chosen is None:
            return
        self._chosen = None
        self._update()
        self._on_choice(None, "")

    def close(self) -> None:
        """Free the widgets."""
        self.figure.close()
        self.head.close()
        super().close()

    # --- what the page does -------------------------------------------------------------------------------------------

    def _choose_axes(self, by: str, measure: str) -> None:
        self.by, self.measure = by or None, measure
        self._update()

    def _select(self, _: Any, points: Any, selector: Any) -> None:
        values = self.comparison.values if self.comparison is not None else pd.DataFrame()
        if len(self._drawn) == len(values):
            names = [self._drawn[i] for i in points.point_inds]
        else:  # not all clips have a point: those in the rectangle
            names = _within(values, list(self.comparison.groups.index) if self.comparison else [], selector)
        if not names:
            if self._has_rectangle:  # otherwise the page only tells that ours has no points
                self.clear()
            return
        self._chosen = set(names)
        self._has_rectangle = True
        one = len(names) == 1
        self._on_choice(names, f"{len(names)} clip{'' if one else 's'} chosen in the figure")

    def _deselect(self, _: Any, __: Any) -> None:
        if self._has_rectangle:  # otherwise the page only tells that we removed it
            self.clear()

    def _click(self, _: Any, points: Any, __: Any) -> None:
        for i in points.point_inds[:1]:
            self._on_open(self._drawn[i])

    # --- what is drawn ------------------------------------------------------------------------------------------------

    def _update(self) -> None:
        values = values_of(self._clips[self._fits], self.by, self.measure)
        names = sorted(values["group"].unique())
        if not names or len(names) > MOST_GROUPS:
            self.comparison = None
            why = f"{len(names)} groups are too many to draw: filter the table" if names else "no clip has a value"
            self._draw(values.iloc[:0], [])
            self._tell(f"{why}.")
            return
        n_resamples = RESAMPLES if len(values) <= MOST_RESAMPLED else 0
        table = describe(values, names, n_resamples, 0)
        between = differences(values, names, n_resamples, 0) if len(names) == 2 and n_resamples else pd.DataFrame()
        left_out = int(self._fits.sum()) - len(values)
        self.comparison = GroupComparison(
            self.by or "all clips", self.measure, table, between, values, left_out, n_resamples, 0
        )
        self._draw(values, names)
        self._tell(_sentence(self.comparison))

    def _tell(self, sentence: str) -> None:
        self.head.tell(self.by or ALL, self.measure, sentence)

    def _draw(self, values: pd.DataFrame, names: list[str]) -> None:
        group, value = values["group"].to_numpy(), values["value"].to_numpy()
        parts = [np.flatnonzero(group == name) for name in names]
        each = max(MOST_DRAWN // max(len(names), 1), 1)
        parts = [part[drawn_of(value[part], each)] for part in parts]
        place = [k + SPREAD * spread_out(value[part]) for k, part in enumerate(parts)]
        rows = np.concatenate([*parts, np.zeros(0, int)]).astype(int)
        self._drawn = values["name"].iloc[rows].tolist()
        ticks = [f"{plain_label(name)}<br>n = {int((group == name).sum())}" for name in names]
        table = self.comparison.groups if names and self.comparison is not None else _NO_GROUPS
        at = list(range(len(names)))
        chosen = self._chosen
        box, points, means, _ = self.figure.data
        # Trace by trace: what one batch sets for some traces, plotly's widget takes from the others.
        box.update(
            x=at, q1=table["q25"], median=table["median"], q3=table["q75"], lowerfence=table["q25"],
            upperfence=table["q75"],
        )  # fmt: skip
        points.update(
            x=np.concatenate([*place, np.zeros(0)]), y=value[rows],
            marker_color=[COLOURS[k % len(COLOURS)] for k, part in enumerate(parts) for _ in part],
            customdata=[plain_label(video) for video in values["video"].iloc[rows]],
            selectedpoints=None if chosen is None else [i for i, name in enumerate(self._drawn) if name in chosen],
        )  # fmt: skip
        means.update(
            x=at, y=table["mean"], error_y_array=(table["high"] - table["mean"]).fillna(0),
            error_y_arrayminus=(table["mean"] - table["low"]).fillna(0),
        )  # fmt: skip
        self.figure.update_layout(
            xaxis={"tickvals": at, "ticktext": ticks, "range": [-0.6, max(len(names), 1) - 0.4]},
            yaxis_title_text=MEASURE_TITLES[self.measure],
        )
        if self._has_rectangle:  # it was about other points
            self._has_rectangle = False
            # Only a change is sent, and plotly's widget does not know that the page has drawn one.
            self.figure.layout.selections = [{"type": "rect", "x0": 0, "x1": 0, "y0": 0, "y1": 0}]
            self.figure.layout.selections = []
        self._mark()

    def _mark(self) -> None:
        _, points, _, ring = self.figure.data
        at = [i for i, name in enumerate(self._drawn) if name == self._opened]
        ring.update(x=[points.x[i] for i in at], y=[points.y[i] for i in at])


_NO_GROUPS = pd.DataFrame({name: [] for name in ("q25", "median", "q75", "mean", "low", "high")}, dtype=float)


def _traces() -> list[Any]:
    """Create quartiles, points, means, and the ring around the clip that is open; without data."""
    faint = "rgba(128,128,128,0.14)"
    return [
        go.Box(
            x=[], q1=[], median=[], q3=[], lowerfence=[], upperfence=[], width=0.72, whiskerwidth=0, fillcolor=faint,
            line={"width": 1.2, "color": "rgba(128,128,128,0.7)"}, hoverinfo="skip",
        ),
        go.Scatter(
            x=[], y=[], mode="markers", marker={"size": 7, "opacity": 0.8, "line": {"width": 0}},
            unselected={"marker": {"opacity": 0.14}}, selected={"marker": {"opacity": 0.95}},
            hovertemplate="%{customdata}<br>%{y:.4g}<extra></extra>",
        ),
        go.Scatter(
            x=[], y=[], mode="markers", hovertemplate="mean %{y:.4g}<extra></extra>",
            marker={"size": 9, "color": INK, "line": {"width": 1.5, "color": "white"}},
            selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}},
            error_y={"type": "data", "symmetric": False, "array": [], "arrayminus": [], "color": INK, "width": 6},
        ),
        go.Scatter(
            x=[], y=[], mode="markers", hoverinfo="skip",
            marker={"size": 15, "symbol": "circle-open", "color": "#d55e00", "line": {"width": 2.5}},
        ),
    ]  # fmt: skip


def _layout() -> dict[str, Any]:
    axis: dict[str, Any] = {"gridcolor": GRID, "zeroline": False, "fixedrange": True, "automargin": True}
    return {
        **STYLE, "height": HEIGHT, "showlegend": False, "dragmode": "select", "hovermode": "closest",
        "margin": {"l": 56, "r": 16, "t": 10, "b": 44},
        "xaxis": {**axis, "showgrid": False}, "yaxis": {**axis, "title": {"text": ""}},
        "newselection": {"line": {"color": INK, "width": 1.5}},
    }  # fmt: skip


def _within(values: pd.DataFrame, names: list[str], selector: Any) -> list[str]:
    """Return the names of the clips in a rectangle: of the groups whose columns it meets, in its range of values."""
    (x0, x1), (y0, y1) = (sorted(edges) for edges in (selector.xrange, selector.yrange))
    groups = [name for k, name in enumerate(names) if x0 <= k + SPREAD and x1 >= k - SPREAD]
    inside = values["group"].isin(groups) & values["value"].between(y0, y1)
    return values.loc[inside, "name"].tolist()


def _sentence(comparison: GroupComparison) -> str:
    """Return means, intervals and the difference of two groups in words."""
    if not comparison.n_resamples:
        return f"{len(comparison.values):,} clips. For intervals: study.compare(…)."
    if len(comparison.groups) > 4:
        return f"{len(comparison.groups)} groups; points: clips, boxes: quartiles, dots: means with 95 % intervals."
    parts = []
    for name, row in comparison.groups.iterrows():
        interval = "" if np.isnan(row["low"]) else f" [{row['low']:.3g}, {row['high']:.3g}]"
        parts.append(f"{name} {row['mean']:.3g}{interval}")
    for one in comparison.differences.itertuples(index=False):
        first, second, value, low, high, paired, n = one
        how = f", paired in {n} videos" if paired else ""
        parts.append(f"{first} − {second}: {value:.2g} [{low:.2g}, {high:.2g}]{how}")
    return "Mean [95 % interval]: " + " · ".join(parts).replace("-", "−")
