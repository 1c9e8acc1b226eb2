"""Plots of an evaluation: four in one plotly figure, two as a still picture.

A method has the same colour, symbol and dash in all of them: symbols and dashes distinguish methods in grey.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dkd.io.escaping import plain_label
from widgets.panels.figures import COLOURS, GRID, INK, STYLE, Figure

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "triangle-down")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "5px,2px", "2px,6px")
PLOTS = ("PCK of each joint", "PCK over the threshold", "Accuracy against cost", "Coherence against accuracy")
_GMACS = [mantissa * 10**power for power in range(-3, 4) for mantissa in (1, 2, 5)]
_WIDE = 1250  # minimum width in pixels for all plots in one row


@dataclass(frozen=True)
class Figures:
    """Data of the plots: methods on one data set.

    Attributes:
        methods: names in the order of their colours.
        data, labels: name of the data set and description of its labels.
        normaliser, alpha: length and threshold of PCK.
        joints: method × joint group, PCK at alpha, 0..1; NaN without labels.
        curves: threshold × method, 0..1.
        summary: one row per method with ``pck``, ``acceleration``, and ``gmacs, params, ms`` if cost was measured.
        videos: number of videos.
    """

    methods: Sequence[str] = ()
    data: str = ""
    labels: str = ""
    normaliser: str = "box"
    alpha: float = 0.2
    joints: pd.DataFrame = field(default_factory=pd.DataFrame)
    curves: pd.DataFrame = field(default_factory=pd.DataFrame)
    summary: pd.DataFrame = field(default_factory=pd.DataFrame)
    videos: int = 0


def look(number: int) -> tuple[str, str, str]:
    """Return colour, symbol and dash of the method with this number."""
    return tuple(kind[number % len(kind)] for kind in (COLOURS, SYMBOLS, DASHES))  # type: ignore[return-value]


class EvaluationPlots:
    """Plotly figure with the four plots.

    Attributes:
        figure: the widget.
        shown: the data it shows.
    """

    def __init__(self) -> None:
        self.shown = Figures()
        self._width = 1600
        self._layout_key: Any = None
        self.figure = Figure(layout=_layout(self.shown, self._width))

    def show(self, figures: Figures) -> None:
        """Draw."""
        self.shown = figures
        traces = [trace for i, name in enumerate(figures.methods) for trace in _traces(figures, i, name)]
        same = [(t.name, t.xaxis) for t in traces] == [(t.name, t.xaxis) for t in self.figure.data]
        with self.figure.batch_update():
            if same:  # during an evaluation, only update the data
                for old, new in zip(self.figure.data, traces, strict=True):
                    old.x, old.y, old.marker.size, old.customdata = new.x, new.y, new.marker.size, new.customdata
            else:
                self.figure.data = ()
        if not same:
            self.figure.add_traces(traces)
        self._lay_out()

    def set_width(self, width: int) -> None:
        """Set the panel's width in pixels: below about 1250, the plots are in two rows."""
        before, self._width = self._width, width
        if (before >= _WIDE) != (width >= _WIDE):
            self._lay_out()

    def _lay_out(self) -> None:
        layout = _layout(self.shown, self._width)
        key = str(layout)
        if key == self._layout_key:
            return
        fits = self._layout_key is not None and self.figure.layout.height == layout["height"]
        self._layout_key = key
        self.figure.update_layout(layout, overwrite=True)
        if not fits:
            self.figure.fit()

    def close(self) -> None:
        """Free the figure."""
        self.figure.close()


def _traces(figures: Figures, number: int, name: str) -> list[Any]:
    """Create a method's dots, line, bubble and point. All four always exist, possibly without data."""
    colour, symbol, dash = look(number)
    marker = {"color": colour, "symbol": symbol, "size": 9, "line": {"width": 0.5, "color": "rgba(255,255,255,0.6)"}}
    shared: dict[str, Any] = {"name": plain_label(name), "legendgroup": name, "showlegend": False}
    where = f"{plain_label(name)}<br>{plain_label(_where(figures))}"

    def axes(plot: int) -> dict[str, Any]:
        return {**shared, "xaxis": f"x{plot + 1}", "yaxis": f"y{plot + 1}"}

    groups = figures.joints.columns
    dodge = 0.62 * ((number + 0.5) / max(1, len(figures.methods)) - 0.5)
    values = figures.joints.loc[name].to_numpy(float) if name in figures.joints.index else np.full(len(groups), np.nan)
    dots = go.Scatter(
        x=np.arange(len(groups)) + dodge, y=values, mode="markers", marker=marker, **{**axes(0), "showlegend": True},
        customdata=[plain_label(group) for group in groups],
        hovertemplate="%{customdata}: %{y:.3f}<extra>" + where + "</extra>",
    )  # fmt: skip
    curve = figures.curves[name] if name in figures.curves else pd.Series(dtype=float)
    line = go.Scatter(
        x=curve.index.to_numpy(float), y=curve.to_numpy(float), mode="lines", **axes(1),
        line={"color": colour, "width": 2.2, "dash": dash},
        hovertemplate="within %{x:.3f}: %{y:.3f}<extra>" + where + "</extra>",
    )  # fmt: skip
    row = figures.summary.loc[name] if name in figures.summary.index else pd.Series(dtype=float)
    pck, acceleration = row.get("pck", math.nan), row.get("acceleration", math.nan)
    gmacs, params = row.get("gmacs", math.nan), row.get("params", math.nan)
    has_cost = math.isfinite(gmacs) and math.isfinite(pck)
    largest = figures.summary["params"].max() if "params" in figures.summary else math.nan
    size = 34 * math.sqrt(params / largest) if has_cost and largest > 0 else 10
    bubble = go.Scatter(
        x=[gmacs] if has_cost else [], y=[pck] if has_cost else [], mode="markers", **axes(2),
        marker={**marker, "size": max(8.0, size), "opacity": 0.8},
        customdata=[[params, row.get("ms", math.nan)]] if has_cost else [],
        hovertemplate="PCK %{y:.3f}<br>%{x:.2f} GMACs per frame<br>%{customdata[0]:.2f} M parameters<br>"
        "%{customdata[1]:.1f} ms per frame<extra>" + where + "</extra>",
    )  # fmt: skip
    point = go.Scatter(
        x=[pck], y=[acceleration], mode="markers", marker={**marker, "size": 12}, **axes(3),
        hovertemplate="PCK %{x:.3f}<br>acceleration error %{y:.2f} %<extra>" + where + "</extra>",
    )  # fmt: skip
    return [dots, line, bubble, point]


def _where(figures: Figures) -> str:
    return f"{figures.data}, {figures.labels}" if figures.labels else figures.data


def _legend_rows(methods: Sequence[str], width: int) -> int:
    """Compute the number of lines of the legend; Plotly gives every name the width of the longest."""
    each = 48 + 6.6 * max((len(name) for name in methods), default=0)
    return -(-max(1, len(methods)) // max(1, int((width - 90) / each)))


def _heading(figures: Figures) -> str:
    """Create the heading of all four plots, before the names of the methods; machine labels are highlighted."""
    if not figures.data:
        return ""
    labels = plain_label(figures.labels)
    labels = f"<b>{labels}</b>" if "machine" in labels.lower() else labels
    return f"<b>{plain_label(figures.data)}</b>, labels: {labels}  "


def _layout(figures: Figures, width: int) -> dict[str, Any]:
    columns, rows = (4, 1) if width >= _WIDE else (2, 2)
    high, top = 230, 56 + 19 * _legend_rows(figures.methods, width)
    height = top + rows * (high + 48) - (0 if rows == 1 else 8)
    inner = height - top - 46
    share = f"PCK@{figures.alpha:g} of the {figures.normaliser}"
    titles = (f"{share}, by joint", *PLOTS[1:])
    layout: dict[str, Any] = {
        **STYLE,
        "height": height,
        "margin": {"l": 46, "r": 10, "t": top, "b": 46},
        "annotations": [],
        "shapes": [],
        "legend": {
            "orientation": "h", "x": 0, "y": 1 + (top - 4) / inner, "yanchor": "top", "xanchor": "left",
            "bgcolor": "rgba(0,0,0,0)", "font": {"size": 12}, "itemsizing": "constant",
            "title": {"text": _heading(figures), "side": "top", "font": {"size": 12}},
        },
    }  # fmt: skip
    across, down = (0.045, 0.0) if rows == 1 else (0.08, 82 / inner)
    wide = (1 - across * (columns - 1)) / columns
    tall = (1 - down * (rows - 1)) / rows
    for i, title in enumerate(titles):
        left = (i % columns) * (wide + across)
        bottom = (rows - 1 - i // columns) * (tall + down)
        axis = {"gridcolor": GRID, "zeroline": False, "linecolor": GRID, "ticks": "outside", "tickcolor": GRID}
        layout[f"xaxis{i + 1}"] = {**axis, "domain": [left, left + wide], "anchor": f"y{i + 1}", "nticks": 6}
        layout[f"yaxis{i + 1}"] = {**axis, "domain": [bottom, bottom + tall], "anchor": f"x{i + 1}", "nticks": 6}
        layout["annotations"].append(_note(f"<b>{title}</b>", left, bottom + tall, "left", "bottom", 4))
    names = [plain_label(_short(str(name))) for name in figures.joints.columns]
    layout["xaxis1"] |= {
        "tickvals": list(range(len(names))), "ticktext": names, "showgrid": False, "range": [-0.6, len(names) - 0.4],
        "ticks": "", "tickangle": 0 if len(names) <= 9 else -45,
    }  # fmt: skip
    layout["yaxis1"] |= {"range": [0, 1.03]}
    for i in range(1, len(names)):
        layout["shapes"].append(_line("x", "y domain", i - 0.5, GRID, "solid"))
    reach = float(figures.curves.index.max()) if len(figures.curves) else 0.3
    unit = {"box": "box side", "torso": "torso"}.get(figures.normaliser, figures.normaliser)
    layout["xaxis2"] |= {"range": [0, reach], "title": _axis_title(f"threshold, share of the {unit}")}
    layout["yaxis2"] |= {"range": [0, 1.03]}
    layout["shapes"].append(_line("x2", "y2 domain", figures.alpha, INK, "dot"))
    layout["xaxis3"] |= {"type": "log", "title": _axis_title("GMACs per frame (log); area: parameters")}
    layout["xaxis3"] |= {"tickvals": _GMACS, "ticktext": [f"{tick:g}" for tick in _GMACS]}
    layout["xaxis3"].pop("nticks")
    layout["yaxis3"] |= {"title": _axis_title(f"PCK@{figures.alpha:g}")}
    layout["xaxis4"] |= {"title": _axis_title(f"PCK@{figures.alpha:g}")}
    layout["yaxis4"] |= {"title": _axis_title("acceleration error, %"), "rangemode": "tozero"}
    known = figures.summary["gmacs"].dropna() if "gmacs" in figures.summary else pd.Series(dtype=float)
    if len(known):
        low, high_ = math.log10(float(known.min())), math.log10(float(known.max()))
        layout["xaxis3"] |= {"range": [low - 0.3, high_ + 0.3]}
    else:
        layout["annotations"].append(
            {
                **_note("not measured yet:<br>press “Measure cost”", 0.5, 0.5, "center", "middle", 0),
                "xref": "x3 domain",
                "yref": "y3 domain",
            }  # fmt: skip
        )
        layout["xaxis3"] |= {"range": [-1, 1]}
    for axis_name, values in (("yaxis3", "pck"), ("xaxis4", "pck")):
        if values in figures.summary and figures.summary[values].notna().any():
            layout[axis_name] |= {"range": _room(figures.summary[values])}
    return layout


def _axis_title(text: str) -> dict[str, Any]:
    return {"text": text, "standoff": 4, "font": {"size": 11}}


def _note(text: str, x: float, y: float, across: str, down: str, shift: int) -> dict[str, Any]:
    return {
        "text": text, "x": x, "y": y, "xref": "paper", "yref": "paper", "xanchor": across, "yanchor": down,
        "showarrow": False, "font": {"size": 12}, "yshift": shift,
    }  # fmt: skip


def _line(xref: str, yref: str, x: float, colour: str, dash: str) -> dict[str, Any]:
    return {
        "type": "line", "xref": xref, "yref": yref, "x0": x, "x1": x, "y0": 0, "y1": 1, "layer": "below",
        "line": {"color": colour, "width": 1, "dash": dash},
    }  # fmt: skip


def _room(values: pd.Series) -> list[float]:
    """Compute a range with margins for the symbols, wide enough not to exaggerate differences."""
    low, high = float(values.min()), float(values.max())
    half = max(0.05, (high - low) * 0.75)
    middle = (low + high) / 2
    return [max(-0.04, middle - half), min(1.04, middle + half)]


def _short(name: str) -> str:
    """Return a joint group's name, shortened to fit below its dots."""
    text = name.replace("_", " ")
    for long, brief in {"left ": "L ", "right ": "R ", "shoulder": "should."}.items():
        text = text.replace(long, brief)
    return text


# ---- the still picture


def still_plots(figures: Figures) -> str:
    """Draw PCK over the threshold of all methods as one self-contained SVG; empty without data."""
    if not len(figures.curves):
        return ""
    width, height, left = 420, 170, 30
    reach = float(figures.curves.index.max())
    parts = [
        f'<text x="{left}" y="12" font-weight="600">PCK over the threshold, share of the '
        f"{html.escape(figures.normaliser)} – {html.escape(_where(figures))}</text>",
        f'<path d="M{left} 24V{height + 24}H{left + width}" stroke="{INK}" fill="none" opacity=".5"/>',
        f'<text x="{left - 4}" y="32" text-anchor="end">1</text>',
        f'<text x="{left - 4}" y="{height + 24}" text-anchor="end">0</text>',
        f'<text x="{left + width}" y="{height + 40}" text-anchor="end">{reach:g}</text>',
    ]
    dashes = {"solid": "", "dash": "8 4", "dot": "2 4", "dashdot": "8 4 2 4", "longdash": "14 5"}
    at = left + figures.alpha / reach * width
    parts.append(f'<path d="M{at:.1f} 24V{height + 24}" stroke="{INK}" stroke-dasharray="2 3"/>')
    for i, name in enumerate(figures.methods):
        if name not in figures.curves:
            continue
        colour, _, dash = look(i)
        points = " ".join(
            f"{left + x / reach * width:.1f},{24 + height * (1 - y):.1f}"
            for x, y in figures.curves[name].items()
            if math.isfinite(y)
        )
        stroke = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes.get(dash, "5 2")}"'
        row = 40 + 18 * i
        parts.append(
            f'<polyline points="{points}" fill="none" {stroke}/>'
            f'<path d="M{left + width + 20} {row - 4}h26" {stroke}/>'
            f'<text x="{left + width + 54}" y="{row}">{html.escape(name)}</text>'
        )
    total = left + width + 330
    return (
        f'<svg viewBox="0 0 {total} {height + 48}" style="max-width:{total}px;width:100%" role="img" '
        f'aria-label="PCK over the threshold" font-size="12" font-family="sans-serif" fill="{INK}">'
        f"{''.join(parts)}</svg>"
    )
