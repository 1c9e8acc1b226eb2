"""Evaluation panel: accuracy, speed and coherence of methods, and the moments where they fail."""

from __future__ import annotations

import html
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ipywidgets as ipw
import numpy as np
import pandas as pd

from dkd.errors import ConfigError
from dkd.evaluation.protocols import NORMALISERS, check_choice
from dkd.evaluation.results import Evaluation
from dkd.video.protocols import pixel_aspect
from widgets.core.view import unknown_keyword
from widgets.evaluation.form import EvaluationForm, parse_all
from widgets.evaluation.gallery import Gallery, gallery_items, moment_key
from widgets.evaluation.head import STATES, facts, still
from widgets.evaluation.job import EvaluationJob, People, Request, load_cost, settings_of
from widgets.evaluation.plots import EvaluationPlots
from widgets.evaluation.results import Results, digest, figures
from widgets.evaluation.table import ResultsTable
from widgets.evaluation.views import IMPORTS, Moment, MomentViews
from widgets.panels.panel import LivePanel, PanelHead, section

FOLDER = "runs/evaluation"
RESULTS_S = 2.0  # interval of updates of plots and table while measuring
GALLERY_S = 8.0  # interval of updates of the pictures
_PATIENCE = 4  # results are read again after this multiple of the time that reading takes
_KEYWORDS = ("methods", "sources", "folder", "n_clips", "n_frames", "normaliser", "alpha", "root")


class EvaluationPanel(LivePanel):
    """Measure models, compare them, and open frames in which one fails.

    The evaluation runs in a thread of the kernel and is stored in a folder part by part: other cells can run at the
    same time, running the panel's cell again reconnects to it, and existing results are shown immediately.

    Args:
        methods: specs such as ``"dkd-mobilenetv2+erased"`` (see :func:`dkd.evaluation.methods.get_method`); by default
            those in the folder, else the shipped model, its per-frame baseline, and the model with its memory erased.
        sources: data by name, as for :func:`dkd.datasets.sources.load_people`; by default those in the folder, else
            the small sources that are available.
        folder: folder of the results.
        n_clips, n_frames: number of clips per data set and frames per clip, from the first on; 0: all.
        normaliser: length that thresholds are relative to: "box" or "torso".
        alpha: threshold.
        root: folder of trained runs.

    Raises:
        ConfigError: the normaliser is unknown, or the threshold is outside 0..1.
        TypeError: a keyword is unknown; the nearest one is given.
    """

    _about, _refresh_s, _poll_s, _still_s = "evaluation", 0.4, RESULTS_S, 15.0

    def __init__(
        self,
        methods: Sequence[str] | str | None = None,
        sources: Sequence[str] | str | None = None,
        folder: str | Path = FOLDER,
        *,
        n_clips: int | None = None,
        n_frames: int | None = None,
        normaliser: str = "box",
        alpha: float = 0.2,
        root: str | Path = "runs",
        **unknown: Any,
    ):
        if unknown:
            raise unknown_keyword("EvaluationPanel", next(iter(unknown)), _KEYWORDS)
        check_choice("normaliser", normaliser, NORMALISERS)
        if not 0 < alpha <= 1:
            raise ConfigError(f"expected a threshold alpha above 0 and at most 1, got {alpha!r}")
        self._prepare()
        self._folder = Path(folder)
        self._people = People()
        self._job: EvaluationJob | None = None
        self._seen = -1  # version of the job's results that are shown
        self._evaluation: Evaluation | None = None
        self._results = Results()
        self._cost: pd.DataFrame | None = None
        self._pictures: dict[str, bytes] = {}
        self._next_results = self._next_gallery = 0.0
        self._gallery_due = self._quiet = False

        self.form = EvaluationForm(None, str(folder), Path(root), self._on_form)
        self.head = PanelHead("evaluation", "Evaluation", "Measured so far", self._name)
        self.run_button = _button("Run", "play", "Measure missing results; existing ones are not measured again")
        self.stop_button = _button("Stop", "stop", "Stop after this frame; results are kept")
        self.cost_button = _button("Measure cost", "clock-o", "Compare multiply-adds, parameters and time per frame")
        self.with_cost = ipw.Checkbox(
            value=False, indent=False, description="including cost",
            tooltip="Also measure multiply-adds, parameters and time per frame after the accuracy",
        )  # fmt: skip
        self.data = ipw.Dropdown(options=[], description="Data set", tooltip="Data set of the plots")
        self.normaliser = ipw.Dropdown(
            options=[("box side", "box"), ("torso", "torso")], value=normaliser, description="Normaliser",
            tooltip="Length that thresholds are relative to",
        )  # fmt: skip
        self.alpha = ipw.BoundedFloatText(
            value=alpha, min=0.005, max=1.0, step=0.05, description="α",
            tooltip="A joint within α times that length counts as found",
        )  # fmt: skip
        self.plots = EvaluationPlots()
        self.results = ResultsTable()
        self.gallery = Gallery(self._on_open, lambda key: self.views.trace(self._moment(self._item(key))))
        self.views = MomentViews(self._people, self._locked, lambda text: self.gallery.say(text))
        for button, act in (
            (self.run_button, self._run), (self.stop_button, self._stop), (self.cost_button, self._measure_cost),
        ):  # fmt: skip
            button.on_click(lambda b, act=act: self._act(act, f"in “{b.description}”"))
        for control in (self.data, self.normaliser, self.alpha):
            control.observe(lambda _: self._locked(self._on_view, "drawing the figures"), "value")
        self.head.observe(lambda c: self._locked(lambda: self.plots.set_width(c["new"]), "laying out"), "_width")
        controls = ipw.HBox([self.run_button, self.stop_button, self.with_cost, self.cost_button])
        view = ipw.HBox([self.data, self.normaliser, self.alpha])
        controls.add_class("dkd-training-controls")
        view.add_class("dkd-views-row")
        self._nothing = ipw.HTML('<p class="dkd-muted">Nothing has been measured yet: press Run.</p>')
        self._figures = ipw.VBox([view, self.plots.figure, self.results])
        self._settings = section("Settings", self.form)
        parts = [
            self.head,
            controls,
            self._settings,
            section("Accuracy, coherence, speed", ipw.VBox([self._nothing, self._figures])),
            section("Where it fails", ipw.VBox([self.gallery, self.views])),
        ]

        def attach() -> None:
            self._attach(parse_all(methods), parse_all(sources), n_clips, n_frames)

        self._live(parts, attach, "opening the results", self._folder)
        self.add_class("dkd-training")
        self.add_class("dkd-evaluation")

    # --- for Python --------------------------------------------------------------------------------------------------

    @property
    def evaluation(self) -> Evaluation | None:
        """Evaluation in the folder, or ``None`` before the first run."""
        return self._evaluation

    @property
    def table(self) -> pd.DataFrame:
        """Tidy table with one row per joint per frame; empty before the first result."""
        return self._results.table

    @property
    def summary(self) -> pd.DataFrame:
        """Table of results, one row per method and data set."""
        return self._results.summary

    @property
    def moments(self) -> pd.DataFrame:
        """Moments in the gallery: rows of :func:`dkd.evaluation.summaries.worst_moments`."""
        return self._results.moments

    @property
    def cost(self) -> pd.DataFrame | None:
        """Cost of the models, as measured by :func:`dkd.evaluation.cost.profile`; ``None`` before the measurement."""
        return self._cost

    @property
    def job(self) -> EvaluationJob | None:
        """Current or last job of this process; ``None`` if there was none."""
        return self._job

    def show_moment(self, number: int = 0) -> None:
        """Open a row of :attr:`moments` in the workbench, like a click on it.

        Raises:
            ConfigError: there is no such row.
        """
        if not 0 <= number < len(self.moments):
            raise ConfigError(f"expected a row of the {len(self.moments)} moments, counted from 0, got {number}")
        self.gallery.choose(moment_key(self.moments.iloc[number].to_dict()))

    def _release_parts(self) -> None:
        self.views.close()
        self.plots.close()
        self._pictures.clear()

    # --- user actions ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        request = self.form.request()
        cost_of = request.methods if self.with_cost.value else ()
        self._take(EvaluationJob(self._folder, request, cost_of, self._people))
        self._settings.selected_index = None

    def _stop(self) -> None:
        if self._job is not None:
            self._job.stop(wait=False)

    def _measure_cost(self) -> None:
        self._take(EvaluationJob(self._folder, None, self.form.request().methods, self._people))

    def _on_form(self) -> None:
        if self.form.folder.value != str(self._folder):
            self._act(lambda: self._attach(None, None, None, None), "opening the results")
        elif self._job is not None and self._job.state == "failed":  # the settings are being corrected
            self._end_listening()
            self._job = None
            self.head._error = ""
            self._locked(self._refresh, "showing the settings")  # now: later it would remove a newer error message
        self._wake.set()

    def _on_view(self) -> None:
        """Recompute the results from the same rows for another data set, normaliser or threshold."""
        if self._quiet:
            return
        self._digest()
        self._fill_gallery()

    def _on_open(self, key: str) -> None:
        self._locked(lambda: self._open(key), "opening a moment")

    def _open(self, key: str) -> None:
        if (item := self._item(key)) is None:
            return  # it has been replaced
        moment = self._moment(item)
        self.gallery.say(code=IMPORTS + "\n" + moment.code(), opened=key)
        self.views.show(moment)

    def _item(self, key: str) -> Any:
        return next((item for item in self.gallery._items if item["key"] == key), None)

    def _moment(self, item: Any) -> Moment:
        rows = self.table[(self.table["data"] == item["data"]) & (self.table["video"] == item["video"])]
        return Moment(
            self._specs().get(item["model"], item["model"]), self._source(item["data"]), item["video"], item["frame"],
            item["joint"], item["labels"], int(rows["frame"].max()) + 1,
        )  # fmt: skip

    def _specs(self) -> dict[str, str]:
        """Return the specs of the methods with results, by name."""
        return {} if self._evaluation is None else self._evaluation.specs

    def _source(self, data: str) -> str:
        """Return the source of a table's data set, whose name there has no folder."""
        return data if self._evaluation is None else self._evaluation.given.get(data, data)

    # --- the open folder ---------------------------------------------------------------------------------------------

    def _attach(
        self,
        methods: tuple[str, ...] | None,
        sources: tuple[str, ...] | None,
        n_clips: int | None,
        n_frames: int | None,
    ) -> None:
        """Open the form's folder: an active evaluation, one on disk, or none."""
        self._folder = Path(self.form.folder.value)
        self._end_listening()
        self._end_listening = lambda: None
        self._job, self._seen, self._state = None, -1, ""
        self._evaluation, self._results, self._pictures = None, Results(), {}
        job = EvaluationJob.of(self._folder)
        stored = self._stored()
        shown = job.request if job is not None and job.active else None
        shown = shown or (settings_of(stored) if stored is not None else None)
        default = shown or self.form.request()
        given = {"n_clips": n_clips, "n_frames": n_frames}
        limits = {k: getattr(default, k) if v is None else v or None for k, v in given.items()}
        self.form.set(Request(methods or default.methods, sources or default.sources, **limits))
        if job is not None:
            self._take(job)
        self._cost = load_cost(self._folder)
        self._read()
        self._fill_gallery()
        self._refresh()

    def _stored(self) -> Evaluation | None:
        return Evaluation(self._folder) if (self._folder / "evaluation.json").is_file() else None

    def _take(self, job: EvaluationJob) -> None:
        self._end_listening()
        self._job, self._seen = job, -1
        wake = self._wake  # no reference to self: the job's thread must not keep a closed panel alive
        self._end_listening = job.listen(wake.set)
        self._next_results = 0.0

    def _refresh(self) -> None:
        """Show changes. Called with the lock held."""
        job, now = self._job, time.monotonic()
        ended = job is not None and not job.active
        if job is not None and job.version != self._seen and (ended or now >= self._next_results):
            self._seen = job.version
            self._cost = load_cost(self._folder)
            self._read()
            self._gallery_due = True
            self._next_results = time.monotonic() + max(RESULTS_S, _PATIENCE * (time.monotonic() - now))
        if self._gallery_due and (ended or now >= self._next_gallery):
            self._fill_gallery()
            self._next_gallery = time.monotonic() + GALLERY_S
        if job is not None and not job.active and job.version != self._seen:
            self._wake.set()  # it has ended since: this is shown together with its last results
            return
        state = self._now()
        changed, before = state != self._state, self._state
        self._state = state
        self._show_head()
        if changed:
            _, can_run, can_stop, name = STATES[state]
            self.run_button.disabled, self.stop_button.disabled = not can_run, not can_stop
            self.cost_button.disabled = not can_run
            self.run_button.description = name
            self.run_button.button_style = "primary" if can_run and state != "finished" else ""
            self.form.fix(not can_run)
            if can_run:
                self.form.look()
            if job is not None and job.error is not None and state == "failed":
                self.report(job.error, "in the evaluation")
                self._settings.selected_index = 0
            elif before == "failed":
                self.head._error = ""
        self._still_due |= changed
        self._make_still(at_once=changed and state not in ("running", "cost"))

    def _now(self) -> str:
        job = self._job
        if job is not None and job.active:
            return "stopping" if job.state == "stopping" else "cost" if job.doing == "cost" else "running"
        if job is not None and job.state == "failed":
            return "failed"
        if self._evaluation is None:
            return "new"
        try:
            wanted = self.form.request()
        except ConfigError:
            return "new"
        stored = settings_of(self._evaluation)
        same = set(wanted.methods) == set(stored.methods) and set(wanted.sources) == set(stored.sources)
        if not same or (wanted.n_clips, wanted.n_frames) != (stored.n_clips, stored.n_frames):
            return "new"
        return "stopped" if self._evaluation.missing > len(job.failures if job else ()) else "finished"

    # --- display -----------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        """Read the available rows and show their results."""
        self._evaluation = self._stored()
        table = pd.DataFrame() if self._evaluation is None else self._evaluation.table()
        self._results = Results(table)
        self._digest()

    def _digest(self) -> None:
        normaliser, alpha = self.normaliser.value, round(self.alpha.value, 4)
        self._results = digest(self._results.table, self._cost, normaliser, alpha)
        results = self._results
        if list(self.data.options) != results.data:
            chosen = self.data.value
            largest = max(results.data, key=lambda name: int((results.table["data"] == name).sum()), default=None)
            self._quiet = True  # a list jumps to its first option when the options change
            try:
                self.data.options = results.data
                self.data.value = chosen if chosen in results.data else largest
            finally:
                self._quiet = False
        methods = self._evaluation.methods if self._evaluation is not None else []
        self.plots.show(figures(results, methods, self.data.value or "", normaliser, alpha))
        self._nothing.layout.display = "none" if results.data else ""
        self._figures.layout.display = "" if results.data else "none"
        self.results.show(results.summary, results.note, self._folder.name or "evaluation")
        self.views.offer(self._specs())
        self._still_due = True

    def _fill_gallery(self) -> None:
        self._gallery_due = False

        def image(data: str, video: str, frame: int) -> np.ndarray:
            return np.asarray(self._people.one(self._source(data), video).images[frame])

        def aspect(data: str, video: str) -> float:
            clip = getattr(self._people.one(self._source(data), video).images, "clip", None)
            return 1.0 if clip is None else float(pixel_aspect(clip))

        items = gallery_items(self.moments, self.table, image, self._pictures, aspect) if len(self.moments) else ()
        self.gallery.show(list(items), self.normaliser.value)

    def _show_head(self) -> None:
        shown = {"state": self._state, "text": STATES[self._state][0]} | facts(self._job, self._evaluation, self.table)
        if shown != self.head._shown:
            self.head._shown = shown

    def still_html(self) -> str:
        """Return the HTML without a kernel: state, curves, the table, and the worst moments."""
        state = STATES[self._state][0].lower() if self._state else ""
        title = f"<b>Evaluation in {html.escape(str(self._folder))}</b>: {html.escape(state)}"
        return still(self._name, title, self.plots.shown, self._results, self.gallery._items)


def _button(text: str, icon: str, tooltip: str) -> Any:
    return ipw.Button(description=text, icon=icon, tooltip=tooltip)
