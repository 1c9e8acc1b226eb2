"""One of two workbenches side by side, each under a head, which may share a cursor."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import ipywidgets as ipw

from dkd.tracking.protocols import TraceLike
from widgets.workbench.workbench import Workbench


class Side:
    """A place that shows one trace at a time.

    Args:
        name: "first" or "second"; part of its CSS class.
        controls: widgets above the workbench, before the label.

    Attributes:
        bench: the workbench, ``None`` while nothing is shown.
        label: HTML above it.
        box: container of everything, for the page.
    """

    def __init__(self, name: str, controls: Sequence[Any] = ()):
        self.name = name
        self.bench: Workbench | None = None
        self.label = ipw.HTML()
        self.place = ipw.VBox([])
        self.box = ipw.VBox([ipw.HBox([*controls, self.label]), self.place])
        self.box.add_class("dkd-side")
        self.box.add_class(f"dkd-side-{name}")

    def show_trace(self, trace: TraceLike, cursor: Any, label: str) -> None:
        """Show a trace in the workbench; frame, joint and layers stay unchanged.

        Args:
            trace: the trace to show.
            cursor: cursor of the other side, or ``None`` for its own; only used for the first trace.
            label: label as HTML.
        """
        if self.bench is None:
            # A copy, since two workbenches with one trace on one cursor would share its feed permanently. The trace is
            # shown without changes, because the figures next to it were measured on it.
            self.bench = Workbench(copy.copy(trace), cursor=cursor, reinitialise=None)
            self.place.children = [self.bench]
        elif self.bench.trace is not trace:
            self.bench.trace = trace
        self.label.value = label

    def clear(self) -> None:
        """Free the workbench."""
        self.place.children = []
        if self.bench is not None:
            self.bench.close()
        self.bench, self.label.value = None, ""
