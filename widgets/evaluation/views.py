"""A moment that was picked in the gallery, in the workbench; a second method beside it, on the same cursor."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets as ipw

from dkd.errors import DKDError
from dkd.tracking.trace import Trace
from widgets.core.view import close_below
from widgets.evaluation.job import People
from widgets.evaluation.traces import MomentTraces, Wish
from widgets.panels.side import Side
from widgets.training.form import alert


@dataclass(frozen=True)
class Moment:
    """What is opened.

    Attributes:
        spec: of the method.
        data, video, frame, joint: where.
        labels: what the truth is.
        n_frames: how much of the video was measured.
    """

    spec: str
    data: str
    video: str
    frame: int
    joint: str
    labels: str = ""
    n_frames: int | None = None

    def code(self) -> str:
        """Lines of Python that open the same."""
        n_frames = f", n_frames={self.n_frames}" if self.n_frames else ""
        return (
            f"person = next(p for p in load_people({self.data!r}, 'test') if p.name == {self.video!r})\n"
            f"trace = follow_person(get_method({self.spec!r}), person{n_frames})\n"
            f'Workbench(trace, frame={self.frame}, joint="{self.joint}")'
        )


IMPORTS = (
    "from dkd.datasets.sources import load_people\nfrom dkd.evaluation.people import follow_person\n"
    "from dkd.evaluation.methods import get_method\nfrom widgets import Workbench\n"
)


class MomentViews(ipw.VBox):
    """The workbenches below the gallery.

    Args:
        people: where people are read from.
        locked: calls a function of this object with the panel's lock held and shows its errors: traces come from a
            thread of their own.
        say: called with a message (empty: none) for the place below the gallery.
    """

    def __init__(self, people: People, locked: Callable[[Callable[[], None], str], None], say: Callable[[str], None]):
        self._locked, self._say = locked, say
        self._traces = MomentTraces(people)
        self._quiet = False
        self.moment: Moment | None = None
        self.first, self.second = Side("first"), Side("second")
        self.beside = ipw.Dropdown(
            options=[("nothing", "")], description="Beside it",
            tooltip="A second method on the same video, at the same frame and joint",
        )  # fmt: skip
        self.beside.observe(self._on_beside, "value")
        self.message = ipw.HTML()
        row = ipw.HBox([self.beside])
        row.add_class("dkd-views-row")
        self.sides = ipw.Box([self.first.box])
        self.sides.add_class("dkd-sides")
        super().__init__([row, self.message, self.sides])

    def offer(self, methods: Mapping[str, str]) -> None:
        """Offer methods, name → spec, for the second place; the one that is chosen stays if it is offered."""
        options = [("nothing", ""), *methods.items()]
        if list(self.beside.options) == options:
            return
        chosen = self.beside.value
        was_empty = len(self.beside.options) < 2
        self._quiet = True
        self.beside.options = options
        # What it is compared with is the point of it: so a second one from the start.
        fallback = options[1][1] if was_empty and len(options) > 2 else ""
        self.beside.value = chosen if chosen in methods.values() else fallback
        self._quiet = False

    def show(self, moment: Moment) -> None:
        """Show a moment, once it is traced; one that was opened before and is not there yet is given up."""
        self.moment = moment
        self._want()

    def close(self) -> None:
        """Free traces and workbenches."""
        self._traces.close()
        for side in (self.second, self.first):
            side.clear()
            close_below(side.box)  # it is in no container while nothing is beside
            side.box.close()
        super().close()

    def _on_beside(self, _: Any) -> None:
        if not self._quiet and self.moment is not None:
            self._locked(self._want, "choosing what stands beside it")

    def _want(self) -> None:
        moment = self.moment
        assert moment is not None
        specs = [moment.spec]
        if self.beside.value == moment.spec:  # nothing to compare: the first other one instead
            others = [spec for _, spec in self.beside.options if spec not in ("", moment.spec)]
            self._quiet = True
            self.beside.value = others[0] if others else ""
            self._quiet = False
        if self.beside.value:
            specs.append(self.beside.value)
        else:
            self._one()
        wishes = [Wish(spec, moment.data, moment.video, moment.n_frames) for spec in specs]
        self.message.value = ""
        self._say(f"Tracing {moment.video} with {specs[0]} …")

        def done(number: int, result: Trace | Exception) -> None:
            def show() -> None:
                if self.moment is moment:  # else another one was opened meanwhile
                    self._show(moment, specs, number, result)

            self._locked(show, f"opening {moment.video}")

        self._traces.want(wishes, done)

    def _show(self, moment: Moment, specs: list[str], number: int, result: Trace | Exception) -> None:
        self._say(f"Tracing {moment.video} with {specs[number + 1]} …" if number + 1 < len(specs) else "")
        if isinstance(result, Exception):
            if not isinstance(result, DKDError):
                raise result
            self.message.value = alert(f"{specs[number]} cannot be shown: {result}")
            return
        label = (
            f'<b>{html.escape(result.model_name)}</b> <span class="dkd-muted">on {html.escape(moment.video)} · '
            f"labels: {html.escape(moment.labels or result.ground_truth_kind)}</span>"
        )
        if number == 0:
            # The second one uses the first one's cursor: it cannot stay where the clip is another.
            if self.second.bench is not None and not _same_clip(self.second.bench.trace, result):
                self.second.clear()
            self.first.show_trace(result, None, label)
            bench = self.first.bench
            assert bench is not None
            bench.frame, bench.joint = moment.frame, moment.joint
            return
        if self.first.bench is not None:
            self.second.show_trace(result, self.first.bench.cursor, label)
            self.sides.children = [self.first.box, self.second.box]

    def _one(self) -> None:
        """Nothing beside the first."""
        self.sides.children = [self.first.box]
        self.second.clear()


def _same_clip(a: Trace, b: Trace) -> bool:
    return (a.clip.name, len(a), a.skeleton.name) == (b.clip.name, len(b), b.skeleton.name)
