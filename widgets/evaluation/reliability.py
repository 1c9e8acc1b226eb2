"""Reliability diagram: the share of hits among joints with a similar confidence.

from dkd.evaluation.calibrate import measure_reliability
    reliability_figure(measure_reliability("dkd-mobilenetv2", ["samples"]))
"""

from __future__ import annotations

import plotly.graph_objects as go

from dkd.evaluation.calibrate import Reliability
from dkd.io.escaping import plain_label
from widgets.panels.figures import COLOURS, GRID, INK, STYLE


def reliability_figure(measured: Reliability, height: int = 420) -> go.Figure:
    """Create a plotly figure: one bar per bin, as wide as the bin, with Wilson's 95 % interval; the diagonal is ideal.

    Args:
        measured: reliability of one method, from :func:`dkd.evaluation.calibrate.measure_reliability` or, for existing
            rows of an evaluation, from :func:`dkd.evaluation.calibrate.reliability_of`.
        height: height in pixels.
    """
    table = measured.table[measured.table.n > 0]
    what = "confidence" if measured.calibrated else "score, not calibrated"
    middle, width = (table.low + table.high) / 2, table.high - table.low
    interval = {"symmetric": False, "array": table.upper - table.hits, "arrayminus": table.hits - table.lower}
    bars = go.Bar(
        x=middle, y=table.hits, width=width, name="share of hits", marker={"color": COLOURS[0], "opacity": 0.6},
        error_y={"type": "data", "color": INK, "thickness": 1.2, **interval},
        customdata=table[["confidence", "n", "lower", "upper"]],
        hovertemplate=f"mean {what} %{{customdata[0]:.3f}}<br>"
        "hits %{y:.3f} (%{customdata[2]:.3f}–%{customdata[3]:.3f})<br>n = %{customdata[1]}<extra></extra>",
    )  # fmt: skip
    points = go.Scatter(
        x=table.confidence, y=table.hits, mode="markers", name=f"mean {what}", hoverinfo="skip",
        marker={"color": INK, "size": 7, "symbol": "diamond"},
    )  # fmt: skip
    diagonal = go.Scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="perfect",
        hoverinfo="skip",
        line={"color": INK, "dash": "dash", "width": 1},
    )
    axis = {"range": [0, 1.02], "gridcolor": GRID, "zeroline": False}
    title = f"{plain_label(measured.method)}: ECE {measured.ece:.3f}, Brier {measured.brier:.3f}, n = {measured.n}"
    where = plain_label(f"{', '.join(measured.data)}: {'; '.join(measured.labels)}")
    return go.Figure([bars, points, diagonal]).update_layout(
        **STYLE, height=height, bargap=0, title={"text": title, "font": {"size": 13}},
        margin={"l": 60, "r": 20, "t": 40, "b": 50}, legend={"x": 0.02, "y": 0.98},
        xaxis={**axis, "title": {"text": f"{what} ({where})"}},
        yaxis={**axis, "title": {"text": f"share within {measured.alpha:g} of the box's larger side"}},
    )  # fmt: skip
