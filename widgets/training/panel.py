"""Training panel: settings, a run in the background, its curves, snapshots of the model, and other runs."""

from __future__ import annotations

import html
import logging
import math
import os
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as ipw

from dkd.errors import DKDError
from dkd.training.config import TrainConfig
from dkd.training.run import Run
from dkd.training.session import TrainingSession
from widgets.core.filmstrip import strip_image
from widgets.core.view import unknown_keyword
from widgets.page.page import SavedPage
from widgets.panels.panel import LivePanel, PanelHead, duration, section, still_figure
from widgets.training.curves import Curves, History, still_curves
from widgets.training.form import ConfigForm
from widgets.training.runs import RunsTable, runs_html
from widgets.training.views import SnapshotViews

log = logging.getLogger(__name__)
LIST_S = 5.0  # minimum interval for reading the table of runs while training
_RECENT = 20  # number of records for the average of speed and waiting
_KEYWORDS = ("run", "recipe", "words", "root")

# For each state: its label, whether start, pause, step and stop are possible, and the label of the start button.
STATES: dict[str, tuple[str, bool, bool, bool, bool, str]] = {
    "new": ("Ready to start", True, False, True, False, "Start"),
    "starting": ("Starting", False, True, False, True, "Start"),
    "running": ("Running", False, True, False, True, "Resume"),
    "paused": ("Paused", True, False, True, True, "Resume"),
    "stopping": ("Stopping, and saving the state", False, False, False, False, "Resume"),
    "stopped": ("Stopped", True, False, True, False, "Resume"),
    "finished": ("Finished", False, False, False, False, "Start"),
    "failed": ("Failed", True, False, False, False, "Resume"),
    "elsewhere": ("Running in another process", False, False, False, False, "Start"),
}


class TrainingPanel(LivePanel):
    """Train a model and watch it learn.

    The run is a :class:`dkd.training.session.TrainingSession` in a thread of the kernel: other cells can run at the
    same time, and running the panel's cell again reconnects to it. A new panel for the same run closes the previous
    one.

    Args:
        run: folder of the run. An existing run is opened, and resumed with its own settings.
        recipe: initial settings of a new run.
        words: settings that differ from the recipe, ``key=value``.
        root: folder of other runs; by default the parent folder of ``run``.

    Raises:
        ConfigError: the recipe or a setting is unknown.
        CheckpointError: ``run`` contains something other than a run.
        TypeError: a keyword is unknown; the nearest one is given.
    """

    _about, _refresh_s, _poll_s, _still_s = "training", 0.5, 2.0, 10.0

    def __init__(
        self,
        run: str | Path = "runs/first",
        recipe: str = "laptop",
        *,
        words: Sequence[str] = (),
        root: str | Path | None = None,
        **unknown: Any,
    ):
        if unknown:
            raise unknown_keyword("TrainingPanel", next(iter(unknown)), _KEYWORDS)
        self._prepare()
        self._session: TrainingSession | None = None
        self._config: TrainConfig | None = None
        self._n_taken = 0  # number of the session's records that are in the history
        self._history = History()
        self._logged = 0.0  # modification time of the log when it was last read
        self._listed = 0.0
        self._run = Run(run)

        self.form = ConfigForm(recipe, str(run), words, self._on_form)
        self.head = PanelHead("training", "Training run", "Steps done", self._name)
        self.start_button = _button("Start", "play", "Start or resume the run", self._start)
        self.pause_button = _button("Pause", "pause", "Pause after the current step", self._pause)
        self.step_button = _button("Step", "step-forward", "Make this many steps, then pause", self._step)
        self.count = ipw.BoundedIntText(
            value=1, min=1, max=100_000, description="steps", tooltip="How many steps “Step” makes"
        )
        self.stop_button = _button("Stop", "stop", "Save the state and stop; Resume continues from there", self._stop)
        self.curves = Curves()
        self.views = SnapshotViews(self._locked)
        self.runs = RunsTable(
            Path(run).parent if root is None else Path(root),
            picked=self._compare_curves, opened=self._open, compared=lambda f: self.views.compare_with(Run(f)),
            attempt=self._act,
        )  # fmt: skip
        for button in (self.start_button, self.pause_button, self.step_button, self.stop_button):
            button.on_click(lambda b: self._act(b.action, f"in “{b.description}”"))
        controls = ipw.HBox([self.start_button, self.pause_button, self.step_button, self.count, self.stop_button])
        controls.add_class("dkd-training-controls")
        self._settings = section("Settings", self.form)
        parts = [
            self.head,
            controls,
            self._settings,
            section("Curves", self.curves.figure),
            section("What it sees", self.views),
            section("Runs", self.runs),
        ]
        self._live(parts, self._attach, "opening the run", Path(run))
        self.add_class("dkd-training")

    # --- for Python --------------------------------------------------------------------------------------------------

    @property
    def run(self) -> Run:
        """Run that is open."""
        return self._run

    @property
    def session(self) -> TrainingSession | None:
        """Session that trains it in this process, or ``None``."""
        return self._session

    @property
    def history(self) -> History:
        """History of the open run."""
        return self._history

    def to_html(self, path: str | os.PathLike[str], *, steps: Sequence[int] | None = None, **options: Any) -> SavedPage:
        """Save what the run's snapshots see as a page: :meth:`widgets.training.views.SnapshotViews.to_html`."""
        return self.views.to_html(path, steps=steps, **options)

    def _release_parts(self) -> None:
        self.views.close()
        self.curves.close()

    # --- buttons -----------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._begin().start()

    def _pause(self) -> None:
        if self._session is not None:
            self._session.pause()

    def _step(self) -> None:
        self._begin().step(self.count.value)

    def _stop(self) -> None:
        if self._session is not None:
            self._session.stop(wait=False)

    def _begin(self) -> TrainingSession:
        """Return the active session of the open folder, else a new one that continues with its content."""
        if self._session is not None and self._session.active:
            return self._session
        config = self._run.config() if self._run.info_file.is_file() else self.form.config()
        session = TrainingSession.on(self._run.folder, config)
        self._take(session)
        self.form.show_run(config)
        self._settings.selected_index = None
        self.views.set_run(self._run, config)
        return session

    def _open(self, folder: str) -> None:
        if self.form.folder.value == folder:
            self._attach()
        else:
            self.form.folder.value = folder  # _on_form attaches

    def _on_form(self) -> None:
        if self.form.folder.value != str(self._run.folder):
            self._act(self._attach, "opening the run")
        elif self._config is None:
            self._locked(lambda: self.views.show_waiting(self._form_config()), "reading the settings")

    def _compare_curves(self, folders: list[str]) -> None:
        runs = [Run(folder) for folder in folders if Path(folder).resolve() != self._run.folder.resolve()]
        self.curves.compare({run.name: History.from_log(run.log()) for run in runs})

    # --- the open run ------------------------------------------------------------------------------------------------

    def _attach(self) -> None:
        """Open the run in the form's folder: an active session, a run on disk, or a new one."""
        self._run = Run(self.form.folder.value)
        self._end_listening()
        self._end_listening = lambda: None
        self._session, self._config, self._n_taken, self._state = None, None, 0, ""
        session = TrainingSession.active_on(self._run.folder)
        if session is not None:
            self._take(session)
        elif self._run.info_file.is_file():
            self._config = self._run.config()
        self.form.show_run(self._config)
        self._history = History.from_log(self._run.log())
        self._logged = _changed_at(self._run.log_file)
        self.views.set_run(self._run if self._config else None, self._config)
        if self._config is None:
            self.views.show_waiting(self._form_config())
        self.curves.show(self._history)
        self._refresh()

    def _form_config(self) -> TrainConfig | None:
        """Return the settings of the form if they are valid."""
        try:
            return self.form.config()
        except DKDError:
            return None

    def _take(self, session: TrainingSession) -> None:
        self._end_listening()
        self._session, self._config, self._n_taken = session, session.config, 0
        wake = self._wake  # no reference to self: the training thread must not keep a closed panel alive
        self._end_listening = session.listen(lambda _: wake.set())

    def _refresh(self) -> None:
        """Show changes. Called with the lock held."""
        state = self._now()  # before the records: the state "finished" then comes with the last record
        is_new = self._take_records()
        changed, before = state != self._state, self._state
        self._state = state
        self._show_head()
        if changed:
            text, start, pause, step, stop, name = STATES[state]
            buttons = (self.start_button, self.pause_button, self.step_button, self.stop_button)
            for button, possible in zip(buttons, (start, pause, step, stop), strict=True):
                button.disabled = not possible
            self.start_button.description = name
            self.start_button.button_style = "primary" if start else ""
            self.form.folder.disabled = state in ("starting", "running", "stopping")
            if state == "failed" and not self._run.info_file.is_file():
                self.form.show_run(None)  # it failed before anything was written: the settings can be corrected
                self._settings.selected_index = 0
                self._config = None
            error = self._session.error if self._session is not None and state == "failed" else None
            if error is not None or before == "failed":
                if error is None:
                    self.head._error = ""
                else:
                    self.report(error, "in training")
        if is_new:
            self.curves.show(self._history)
        if self._config is not None:
            self.views.look()
        if state != "starting" and (changed or (is_new and time.monotonic() - self._listed > LIST_S)):
            self.runs.update(str(self._run.folder))
            self._listed = time.monotonic()
        self._still_due |= is_new or changed
        self._make_still(at_once=changed and state not in ("starting", "running"))

    def _take_records(self) -> bool:
        """Add new records, or those logged by another process, to the history; return whether there were any."""
        if self._session is not None:
            news = self._session.records[self._n_taken :]
            self._n_taken += len(news)
            self._history.extend(news)
            return bool(news)
        if _changed_at(self._run.log_file) == self._logged:
            return False
        self._logged = _changed_at(self._run.log_file)
        self._history = History.from_log(self._run.log())
        if self._config is None:  # another process has started it
            self._config = self._run.config()
            self.form.show_run(self._config)
            self.views.set_run(self._run, self._config)
        return True

    def _now(self) -> str:
        if self._session is not None and self._session.state != "idle":
            return self._session.state
        if not self._run.info_file.is_file():
            return "new"
        status = self._run.status()
        return "elsewhere" if status == "running" else status

    # --- display -----------------------------------------------------------------------------------------------------

    def _show_head(self) -> None:
        config = self._config
        step = int(self._history.columns["step"][-1]) if len(self._history) else 0
        shown: dict[str, Any] = {
            "state": self._state,
            "text": STATES[self._state][0],
            "facts": facts(self._history, config, self._state in ("running", "elsewhere")),
            "done": step,
            "of": config.steps if config else 0,
        }
        if shown != self.head._shown:
            self.head._shown = shown

    def still_html(self) -> str:
        """Return the HTML without a kernel: state, curves, a filmstrip, the table of runs."""
        step = int(self._history.columns["step"][-1]) if len(self._history) else 0
        state = STATES[self._state][0].lower() if self._state else ""
        parts = [f"<b>{html.escape(self._run.name)}</b>: {state}, step {step}"]
        parts.append(still_curves(self._history))
        trace = self.views.trace()
        if trace is not None:
            jpeg, _ = strip_image(trace)
            parts.append(
                f'<img alt="The validation clip with {html.escape(trace.model_name)}" '
                f'style="width:100%;max-width:1000px" src="data:image/jpeg;base64,{b64encode(jpeg).decode()}">'
            )
        if self.runs.frame is not None and len(self.runs.frame):
            parts.append(runs_html(self.runs.frame, str(self._run.folder)))
        return still_figure(self._name, parts, "A training run.")


def facts(history: History, config: TrainConfig | None, running: bool) -> list[tuple[str, str]]:
    """Return the numbers next to the state: step, speed, waiting, time left, and the last validation."""
    if config is None:
        return []
    steps = history.columns["step"]
    step = int(steps[-1]) if steps else 0
    out = [("step", f"{step} of {config.steps}")]
    if running and steps:
        recent = {name: history.columns[name][-_RECENT:] for name in ("frames_per_s", "waited")}
        speeds = [v for v in recent["frames_per_s"] if v > 0 and math.isfinite(v)]
        if speeds:
            seconds = sum(config.batch * config.n_frames / v for v in speeds) / len(speeds)  # per step
            out.append(("frames/s", f"{config.batch * config.n_frames / seconds:.0f}"))
            waited = [v for v in recent["waited"] if math.isfinite(v)]
            out.append(("waiting for data", f"{100 * sum(waited) / max(1, len(waited)):.0f} %"))
            out.append(("left", duration(seconds * (config.steps - step))))
    loss, pck = history.last("pose"), history.last("pck@0.2")
    if math.isfinite(loss):
        out.append(("pose loss", f"{loss:.3g}"))
    if math.isfinite(pck):
        out.append(("PCK@0.2", f"{pck:.3f}"))
    return out


def _changed_at(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


class _ActionButton(ipw.Button):
    action: Callable[[], None]


def _button(text: str, icon: str, tooltip: str, action: Callable[[], None]) -> _ActionButton:
    button = _ActionButton(description=text, icon=icon, tooltip=tooltip)
    button.action = action
    return button
