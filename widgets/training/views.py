"""Views of a model in training: the same clip with each snapshot of a run, in one or two workbenches."""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as ipw

from dkd.analysis.lineage import sample_frames
from dkd.errors import ConfigError, DKDError
from dkd.tracking.trace import Trace
from dkd.training.config import TrainConfig
from dkd.training.run import Run
from widgets.core.view import close_below
from widgets.page.page import SavedPage, save_page
from widgets.panels.side import Side
from widgets.training.form import alert
from widgets.training.traces import Job, SnapshotTraces

MOST_STEPS = 24  # snapshots in a page, if none are chosen


class _Side(Side):
    """One of two places: a run, a slider through its snapshots, and a workbench."""

    def __init__(self, name: str, moved: Callable[[_Side], None]):
        self.run: Run | None = None
        self.snapshots: dict[int, Path] = {}
        self.shown: int | None = None  # step whose trace is in the workbench
        self._moved = moved
        self._quiet = False
        self.slider = ipw.SelectionSlider(
            options=[("–", 0)], description="Training time", disabled=True, readout=False,
            tooltip="Training steps at which the model was stored; move it with the arrow keys",
        )  # fmt: skip
        self.slider.add_class("dkd-time")
        self.slider.observe(self._on_slider, "value")
        super().__init__(name, [self.slider])

    @property
    def step(self) -> int | None:
        """Step of the slider, ``None`` without snapshots."""
        return self.slider.value if self.snapshots else None

    def set_run(self, run: Run | None) -> None:
        """Show the snapshots of another run."""
        self.run, self.snapshots, self.shown = run, {}, None
        self.look()

    def look(self, newest: bool = False) -> bool:
        """Look for snapshots; return whether there are new ones.

        Args:
            newest: move to the newest one.
        """
        found = self.run.snapshots() if self.run else {}
        if found == self.snapshots:
            return False
        before, self.snapshots = self.step, found
        steps = list(found)
        self._quiet = True  # a slider jumps to its first option when the options change
        try:
            self.slider.options = [(str(step), step) for step in steps] or [("–", 0)]
            if steps:
                self.slider.value = steps[-1] if newest or before not in found else before
        finally:
            self._quiet = False
        self.slider.disabled = not steps
        return True

    def go(self, step: int) -> None:
        """Move the slider without a notification."""
        self._quiet = True
        try:
            self.slider.value = step
        finally:
            self._quiet = False

    def show(self, trace: Trace, step: int, cursor: Any) -> None:
        """Show the trace of a snapshot in the workbench."""
        run = f"{html.escape(self.run.name)}, " if self.run else ""
        label = f'<span class="dkd-muted">{run}step</span> <b class="dkd-step">{step}</b>'
        self.show_trace(trace, cursor, label)
        self.shown = step

    def clear(self) -> None:
        """Free the workbench."""
        super().clear()
        self.shown = None

    def _on_slider(self, _: Any) -> None:
        if not self._quiet and self.snapshots:
            self._moved(self)


class SnapshotViews(ipw.VBox):
    """Workbenches with a slider through training time, for one or two runs and steps, on one cursor.

    Args:
        locked: calls a function of this object with the panel's lock held and shows its errors; needed because the
            traces come from another thread.
    """

    def __init__(self, locked: Callable[[Callable[[], None], str], None]):
        self._locked = locked
        self._traces = SnapshotTraces()
        self._config: TrainConfig | None = None
        self.first, self.second = _Side("first", self._on_move), _Side("second", self._on_move)
        self.person = ipw.Dropdown(options=[], description="Person", tooltip="Person of the validation clips to show")
        self.follow = ipw.Checkbox(
            value=True, description="Follow the newest", indent=False,
            tooltip="Show each new snapshot; moving the slider ends this",
        )  # fmt: skip
        self.comparing = ipw.Checkbox(
            value=False, description="Compare two steps", indent=False,
            tooltip="Show a second snapshot next to the first, at the same frame and joint",
        )  # fmt: skip
        self._quiet = False
        self.person.observe(self._on(lambda: self._want_all()), "value")
        self.follow.observe(self._on(self._on_follow), "value")
        self.comparing.observe(self._on(self._on_compare), "value")
        self.message = ipw.HTML()
        controls = ipw.HBox([self.person, self.follow, self.comparing])
        controls.add_class("dkd-views-row")
        self.sides = ipw.Box([self.first.box])
        self.sides.add_class("dkd-sides")
        super().__init__([controls, self.message, self.sides])

    # --- interface of the panel --------------------------------------------------------------------------------------

    def set_run(self, run: Run | None, config: TrainConfig | None) -> None:
        """Show another run's snapshots."""
        self._config = config
        self.first.set_run(run)
        if self.second.run is None or not self.comparing.value:
            self.second.set_run(run)
        self._quiet = True
        self.person.options = []
        self._quiet = False
        self.show_waiting(self._config)
        self._want(self.first)

    def compare_with(self, run: Run) -> None:
        """Show another run's snapshots next to those of the open one."""
        self.second.set_run(run)
        if self.comparing.value:
            self._want(self.second)
        else:
            self.comparing.value = True

    def look(self) -> None:
        """Look for new snapshots; show the newest if that is selected."""
        changed = self.first.look(newest=self.follow.value)
        if changed:
            self.show_waiting(self._config)
            if self.first.step != self.first.shown:
                self._want(self.first)
        if self.second.look() and self.comparing.value:
            self._want(self.second)

    def trace(self) -> Trace | None:
        """Trace in the first workbench."""
        return self.first.bench.trace if self.first.bench else None

    def to_html(self, path: str | os.PathLike[str], *, steps: Sequence[int] | None = None, **options: Any) -> SavedPage:
        """Save what the run's snapshots see as one HTML file: the same clip, with a slider through training time.

        Each snapshot tracks the chosen person first. The page starts at the earliest one.

        Args:
            path: the file, ``.html``; an existing one is replaced.
            steps: the steps whose snapshots are in the page; by default all, at most 24, evenly
                spaced.
            options: see :func:`widgets.save_page`.

        Raises:
            ConfigError: the run has no snapshots, or not at a step of ``steps``, or an option does not fit.
            DKDError: a snapshot or the validation clips cannot be read.
            StorageError: the file cannot be written.
        """
        found = self.first.run.snapshots() if self.first.run is not None else {}
        if self._config is None or not found:
            raise ConfigError("expected a run with snapshots, got none; train first")
        chosen = (
            [list(found)[i] for i in sample_frames(len(found), MOST_STEPS)] if steps is None else sorted(set(steps))
        )
        for step in chosen:
            if step not in found:
                raise ConfigError(f"there is no snapshot of step {step!r}. There are: {', '.join(map(str, found))}.")
        traces = {}
        try:
            for step in chosen:
                traces[f"step {step}"] = self._traces.make(Job(found[step], self._config, self.person.index or 0))
            return save_page(traces, path, **options, arrange="steps")
        finally:
            for trace in traces.values():
                trace.close()

    def close(self) -> None:
        """Free traces and workbenches."""
        self._traces.close()
        for side in (self.second, self.first):
            side.clear()
            close_below(side.box)  # it has no container while nothing is compared
            side.box.close()
        super().close()

    # --- user actions ------------------------------------------------------------------------------------------------

    def _on(self, action: Callable[[], None]) -> Callable[[Any], None]:
        return lambda _: None if self._quiet else self._locked(action, "showing a snapshot")

    def _on_move(self, side: _Side) -> None:
        def act() -> None:
            if side is self.first and self.follow.value and side.step != list(side.snapshots)[-1]:
                self.follow.value = False
            self._want(side)

        self._locked(act, "moving through training time")

    def _on_follow(self) -> None:
        if self.follow.value and self.first.snapshots:
            self.first.go(list(self.first.snapshots)[-1])
            self._want(self.first)

    def _on_compare(self) -> None:
        if self.comparing.value:
            self.second.look()
            steps = list(self.second.snapshots)
            if steps and self.second.shown is None:  # the earliest next to the newest, to show the effect of training
                self.second.go(steps[0])
            self.sides.children = [self.first.box, self.second.box]
            self._want(self.second)
        else:
            self.sides.children = [self.first.box]
            self.second.clear()

    # --- traces ------------------------------------------------------------------------------------------------------

    def _want_all(self) -> None:
        self._want(self.first)
        if self.comparing.value:
            self._want(self.second)

    def _want(self, side: _Side) -> None:
        if side.step is None or self._config is None:
            return
        run, step, snapshot, config = side.run, side.step, side.snapshots[side.step], self._config
        job = Job(snapshot, config, self.person.index or 0)

        def done(result: Trace | Exception) -> None:
            def show() -> None:
                if side.run is not run or self._config is not config:
                    return  # another run has been opened
                if isinstance(result, Exception):
                    if isinstance(result, (DKDError, FileNotFoundError)):
                        self.message.value = alert(f"Step {step} cannot be shown: {result}")
                        return
                    raise result
                self._name_people(config)
                self.message.value = ""
                if side is self.second:
                    if self.first.bench is not None and self.comparing.value:
                        side.show(result, step, self.first.bench.cursor)
                    return
                is_new = self.first.bench is None
                side.show(result, step, None)
                if is_new and self.comparing.value:
                    self._want(self.second)

            self._locked(show, f"showing step {step}")

        self._traces.want(side.name, job, done)

    def _name_people(self, config: TrainConfig) -> None:
        if len(self.person.options):
            return
        people = self._traces.people(config)
        self._quiet = True
        self.person.options = [
            (f"{i + 1}: {Path(person.name).name}{f' ({person.action})' if person.action else ''}", i)
            for i, person in enumerate(people)
        ]
        self.person.index = 0
        self._quiet = False

    def show_waiting(self, config: TrainConfig | None) -> None:
        """Show when the first snapshot of a run with these settings will come, while there is none."""
        if self.first.snapshots or config is None:
            self.message.value = ""
            return
        self.second.clear()  # it uses the first one's cursor
        self.first.clear()
        steps = min(config.snapshot_every or config.steps, config.steps)
        self.message.value = (
            f'<p class="dkd-muted">Nothing to see yet: the first snapshot of the model comes after step {steps}. Each '
            "snapshot then tracks the same clip, and the slider moves through them.</p>"
        )
