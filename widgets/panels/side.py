"""One of two places that stand side by side: a workbench under a head, on a cursor that both may share."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import ipywidgets as ipw

from dkd.tracking.trace import Trace
from widgets.workbench.workbench import Workbench


class Side:
    """A place for traces, one at a time.

    Args:
        name: "first" or "second"; part of its class in the page.
        controls: what stands above the workbench, before the label.

    Attributes:
        bench: the workbench, None while nothing is shown.
        label: HTML above it.
        box: the whole, to be put on the page.
    """

    def __init__(self, name: str, controls: Sequence[Any] = ()):
        self.name = name
        self.bench: Workbench | None = None
        self.label = ipw.HTML()
        self.place = ipw.VBox([])
        self.box = ipw.VBox([ipw.HBox([*controls, self.label]), self.place])
        self.box.add_class("dkd-side")
        self.box.add_class(f"dkd-side-{name}")

    def show_trace(self, trace: Trace, cursor: Any, label: str) -> None:
        """Put a trace into the workbench; frame, joint and layers stay where they are.

        Args:
            trace: what to show.
            cursor: of the other side, or None for one of its own; counts for the first trace.
            label: as HTML.
        """
        if self.bench is None:
            # A copy, since two workbenches that show one trace on one cursor would share its feed for good. It is shown
            # as it was made: figures beside it were measured on it.
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
