"""Shared parts of the panels' plotly figures: the widget, and colours that are readable in both themes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import plotly.graph_objects as go

from widgets.core.library import ModuleWidget, script

INK = "#7a7a7a"  # contrast 4.3 : 1 on white and 4.4 : 1 on Lab's dark grey: readable in both themes
GRID = "rgba(128,128,128,0.18)"
# Distinguishable with any kind of colour vision, and from the blue and orange of a person's left and right; in grey,
# they differ by their dashes and symbols.
COLOURS = ("#14929b", "#8a63c9", "#b57d0c", "#c2496a", "#5f8f2f", "#4f7fc0", "#8c6f5a", "#7a7a7a")
STYLE: dict[str, Any] = {
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"color": INK, "size": 11, "family": "system-ui, sans-serif"},
    "hoverlabel": {"font": {"size": 11}},
    "autosize": True,
    "uirevision": "kept",
    "template": "none",
}


class Figure(ModuleWidget, go.FigureWidget):
    """A FigureWidget whose current state reaches a reloaded page quickly.

    Plotly stores its initial state and then only sends changes; a page that requests the state later would get the
    initial one. It also has 5 MB of script in the state of every figure; here a page requests the script once.
    """

    _module = script("panels/figure.js")

    def __init__(self, data: Any = None, layout: Any = None):
        super().__init__(data=data, layout=layout)
        self.on_msg(self._bring_plotly)
        self._config = {"displaylogo": False, "displayModeBar": False, "responsive": True}

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        if key is None and getattr(self, "_layout_obj", None) is not None:
            self._trait_values["_widget_layout"] = deepcopy(self._layout_obj._props)
            self._trait_values["_widget_data"] = deepcopy(self._data)
        return super().get_state(key, drop_defaults)

    def _bring_plotly(self, _: Any, message: Any, __: Any) -> None:
        if message.get("kind") == "plotly":
            self.send(message, [str(go.FigureWidget._esm).encode()])

    def fit(self) -> None:
        """Fit into the page again after a change of the layout's height.

        Plotly stops fitting into the page when the height is set, and then also stores the width.
        """
        self._send_relayout_msg({"width": None, "autosize": True})
