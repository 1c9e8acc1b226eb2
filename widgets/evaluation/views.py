"""Workbenches for a moment of the gallery, with an optional second method on the same cursor."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets as ipw

from dkd.errors import DKDError
from dkd.evaluation.people import follow_person
from dkd.evaluation.tracks import find_method
from widgets.core.view import close_below
from widgets.evaluation.job import People
from widgets.evaluation.traces import MomentTraces, Traced, TraceRequest
from widgets.panels.side import Side
from widgets.training.form import alert


@dataclass(frozen=True)
class Moment:
    """A moment to open.

    Attributes:
        spec: spec of the method.
        data, video, frame, joint: its place.
        labels: description of the labels.
        n_frames: number of measured frames of the video.
    """

    spec: str
    data: str
    video: str
    frame: int
    joint: str
    labels: str = ""
    n_frames: int | None = None

    def code(self) -> str:
        """Lines of Python that open this moment."""
        n_frames = f", n_frames={self.n_frames}" if self.n_frames else ""
        return (
            f"person = next(p for p in load_people({self.data!r}, 'test') if p.name == {self.video!r})\n"
            f"trace = follow_person(find_method({self.spec!r}), person{n_frames})\n"
            f'Workbench(trace, frame={self.frame}, joint="{self.joint}")'
        )


IMPORTS = (
    "from dkd.datasets.sources import load_people\nfrom dkd.evaluation.people import follow_person\n"
    "from dkd.evaluation.tracks import find_method\nfrom widgets import Workbench\n"
)


class MomentViews(ipw.VBox):
    """Workbenches below the gallery.

    Args:
        people: source of the people.
        locked: calls a function of this object with the panel's lock held and shows its errors; needed because the
            traces come from another thread.
        say: called with a message (empty: none) to show below the gallery.
    """

    def __init__(self, people: People, locked: Callable[[Callable[[], None], str], None], say: Callable[[str], None]):
        self._locked, self._say = locked, say
        self._people, self._traces = people, MomentTraces(people)
        self._quiet = False
        self.moment: Moment | None = None
        self.first, self.second = Side("first"), Side("second")
        self.second_method = ipw.Dropdown(
            options=[("nothing", "")], description="Compare with",
            tooltip="A second method on the same video, at the same frame and joint",
        )  # fmt: skip
        self.second_method.observe(self._on_second_method, "value")
        self.message = ipw.HTML()
        row = ipw.HBox([self.second_method])
        row.add_class("dkd-views-row")
        self.sides = ipw.Box([self.first.box])
        self.sides.add_class("dkd-sides")
        super().__init__([row, self.message, self.sides])

    def offer(self, methods: Mapping[str, str]) -> None:
        """Offer methods (specs by name) for the second place; the selected one stays if it is offered."""
        options = [("nothing", ""), *methods.items()]
        if list(self.second_method.options) == options:
            return
        chosen = self.second_method.value
        was_empty = len(self.second_method.options) < 2
        self._quiet = True
        self.second_method.options = options
        # The comparison is the purpose of this view, so a second method is selected from the start.
        fallback = options[1][1] if was_empty and len(options) > 2 else ""
        self.second_method.value = chosen if chosen in methods.values() else fallback
        self._quiet = False

    def show(self, moment: Moment) -> None:
        """Show a moment as soon as it is traced, cancelling an earlier one that is not traced yet."""
        self.moment = moment
        self._want()

    def trace(self, moment: Moment) -> Traced:
        """Track the person of a moment, now; the caller closes the trace.

        Raises:
            DKDError: the method or the person is not there any more.
        """
        person = self._people.one(moment.data, moment.video)
        return follow_person(find_method(moment.spec), person, moment.n_frames)

    def close(self) -> None:
        """Free traces and workbenches."""
        self._traces.close()
        for side in (self.second, self.first):
            side.clear()
            close_below(side.box)  # it has no container while there is no second method
            side.box.close()
        super().close()

    def _on_second_method(self, _: Any) -> None:
        if not self._quiet and self.moment is not None:
            self._locked(self._want, "choosing the second method")

    def _want(self) -> None:
        moment = self.moment
        assert moment is not None
        specs = [moment.spec]
        if self.second_method.value == moment.spec:  # the same method: use the first other one
            others = [spec for _, spec in self.second_method.options if spec not in ("", moment.spec)]
            self._quiet = True
            self.second_method.value = others[0] if others else ""
            self._quiet = False
        if self.second_method.value:
            specs.append(self.second_method.value)
        else:
            self._one()
        requests = [TraceRequest(spec, moment.data, moment.video, moment.n_frames) for spec in specs]
        self.message.value = ""
        self._say(f"Tracing {moment.video} with {specs[0]} …")

        def done(number: int, result: Traced | Exception) -> None:
            def show() -> None:
                if self.moment is moment:  # otherwise another one has been opened
                    self._show(moment, specs, number, result)

            self._locked(show, f"opening {moment.video}")

        self._traces.want(requests, done)

    def _show(self, moment: Moment, specs: list[str], number: int, result: Traced | Exception) -> None:
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
            # The second one uses the first one's cursor, so it cannot stay for a different clip.
            if self.second.bench is not None and not _same_clip(self.second.bench.trace, result):
                self.second.clear()
            self.first.show_trace(result, None, label)
            bench = self.first.bench
            assert bench is not None
            bench.frame, bench.joint = moment.frame, moment.joint
            bench.reveal()  # it is below the gallery, which may fill the window
            return
        if self.first.bench is not None:
            self.second.show_trace(result, self.first.bench.cursor, label)
            self.sides.children = [self.first.box, self.second.box]

    def _one(self) -> None:
        """Hide the second workbench."""
        self.sides.children = [self.first.box]
        self.second.clear()


def _same_clip(a: Traced, b: Traced) -> bool:
    return (a.clip.name, len(a), a.skeleton.name) == (b.clip.name, len(b), b.skeleton.name)
