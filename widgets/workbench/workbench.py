"""Workbench: player, matching, kernels and timeline of one trace in one layout."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import anywidget
import traitlets

from dkd.errors import ArgumentError, ConfigError, DKDError
from dkd.formats.files import Exported, export, format_for
from dkd.models.base import VideoPoseModel
from dkd.tracking.conditions import Conditions
from dkd.tracking.protocols import TraceLike
from dkd.tracking.reinitialise import Reinitialise
from dkd.tracking.trace import Trace
from dkd.video.protocols import ClipLike
from widgets.core.cursor import Cursor
from widgets.core.library import script
from widgets.core.tables import LAYERS
from widgets.core.view import View, describe_error, unknown_keyword
from widgets.exports.exports import Exports, menu, options_for
from widgets.page.page import SavedPage, save_page
from widgets.workbench.growing import Growing
from widgets.workbench.kernels import Kernels
from widgets.workbench.matching import Matching
from widgets.workbench.player import Player
from widgets.workbench.timeline import Timeline
from widgets.workbench.versions import Versions

_KEYWORDS = ("cursor", "frame", "joint", "layers", "cell", "speed", "reinitialise", "refine")


class Workbench(View):
    """All views of a trace on one cursor, stacked if the notebook is narrow.

    Displaying it also leaves a filmstrip in the notebook, which the live widget hides: readers see it after a reload or
    without a kernel. Focus the widget and press ``?`` for the keys.

    Args:
        trace: a :class:`dkd.Trace`.
        cursor: a :class:`Cursor` to share with other views of this trace.
        frame: the first frame to show, 0..T−1.
        joint: the joint to select.
        layers: layers to show or hide, as in :attr:`Cursor.layers`; the others keep their default.
        cell: a map cell (x, y) to pin.
        speed: playing speed as a factor.
        reinitialise: whether to re-initialise a lost track. A trace that was made with the other setting is computed
            again in a thread, if that changes anything, and then replaced. ``None``: show each trace unchanged.
        refine: whether the initializer refines the joints, which is not in the paper (:class:`dkd.Conditions`); a trace
            that was made with the other setting is computed again, too. ``None``: as each trace was made.

    Attributes:
        reinitialise, refine: the current settings; set them to change them. ``trace`` is the trace that is shown.

    Raises:
        FrameIndexError, ConfigError: the trace does not have this frame, joint, layer or cell, the speed is invalid, or
            the model has no initializer beside it to refine the joints.
        TypeError: a keyword is unknown; the nearest one is given.
    """

    _module = script("workbench/workbench.js")
    _player = anywidget.WidgetTrait().tag(sync=True)
    _matching = anywidget.WidgetTrait().tag(sync=True)
    _kernels = anywidget.WidgetTrait().tag(sync=True)
    _timeline = anywidget.WidgetTrait().tag(sync=True)
    _can_grow: ClassVar[bool] = True  # whether it can show a trace that is being made
    _views: tuple[type[View], ...] = (Player, Matching, Kernels, Timeline)  # in the order of the four traits above
    reinitialise = traitlets.Bool(True).tag(sync=True)
    refine = traitlets.Bool(False).tag(sync=True)
    _can_refine = traitlets.Bool(False).tag(sync=True)
    _new_starts = traitlets.Unicode().tag(sync=True)
    _reveal = traitlets.Bool(False).tag(sync=True)
    _export_menu = traitlets.Dict().tag(sync=True)  # empty: without the menu
    _exporting = traitlets.Dict().tag(sync=True)
    _growing: Any = traitlets.List().tag(sync=True)  # frames traced and wanted, while the trace is being made

    def __init__(
        self,
        trace: TraceLike,
        *,
        cursor: Cursor | None = None,
        frame: int | None = None,
        joint: str | None = None,
        layers: Mapping[str, bool | float] | None = None,
        cell: tuple[int, int] | None = None,
        speed: float | None = None,
        reinitialise: bool | None = True,
        refine: bool | None = None,
        **unknown: Any,
    ):
        if unknown:
            raise unknown_keyword("Workbench", next(iter(unknown)), _KEYWORDS)
        if refine and not can_refine(trace):
            raise ConfigError(
                f"expected refine=None for {trace.model_name}, which has no initializer beside it; show a run of a DKD"
            )
        own = Cursor.for_trace(trace) if cursor is None else cursor
        state = {"frame": frame, "joint": joint, "layers": layers, "cell": cell, "speed": speed}
        try:
            for name, value in state.items():
                if value is not None:
                    setattr(own, name, dict(value) if isinstance(value, Mapping) else value)
        except Exception:
            if cursor is None:
                own.close()
            raise
        names = ("_player", "_matching", "_kernels", "_timeline")
        parts = {name: view.within(trace, own) for name, view in zip(names, self._views, strict=True)}
        self._parts = list(parts.values())
        self._open(trace, own, **parts)
        self._owns_cursor = cursor is None
        self.on_msg(self._on_message)
        self._exports = Exports(lambda state: setattr(self, "_exporting", state))
        self._exporting = self._exports.state
        if self._views[0] is Player:  # else it is the editor of a studio, which has the menu for all people
            self._export_menu = menu()
        self._run: Growing | None = None
        self._as_made, self._refine_as_made = reinitialise is None, refine is None
        self._versions = Versions(
            self._show, self._say_new_starts, lambda e: self.report(e, "tracking the person again")
        )
        self.reinitialise, self.refine = bool(reinitialise), bool(refine)
        self.observe(lambda _: self._versions.want(self.reinitialise, self.refine), ["reinitialise", "refine"])
        self._given(trace)

    @classmethod
    def tracing(
        cls,
        model: VideoPoseModel | str | os.PathLike[str],
        clip: ClipLike | str | os.PathLike[str],
        box: tuple[float, float, float, float] | None = None,
        conditions: Conditions | None = None,
        *,
        engine: str | None = None,
        stop: int | None = None,
        **view: Any,
    ) -> Self:
        """Show a trace while it is being made: the first frame at once, the others as a thread traces them.

            wb = Workbench.tracing("dkd-mobilenetv2", "video.mp4", box)
            wb                  # in a cell of its own: it can be used while it grows
            trace = wb.wait()   # the complete trace

        Args:
            model, clip, box, engine, stop: as for :class:`dkd.Trace`.
            conditions: as for :class:`dkd.Trace`; by default a lost track is re-initialised, as a workbench shows it.
            view: settings of the workbench.

        Raises:
            DKDError: as for :class:`dkd.Trace`, if the first frame cannot be traced. A later error is shown under the
                view, and raised by :meth:`wait`.
        """
        if not cls._can_grow:
            raise ConfigError(
                f"{cls.__name__} shows a trace that is made; use Workbench.tracing(…), then {cls.__name__}"
            )
        conditions = conditions or Conditions(reinitialise=Reinitialise())
        trace = Trace(
            model, clip, box, conditions, engine=engine, stop=stop, progress=False, cancel=lambda: True
        )  # fmt: skip
        run = Growing(trace)
        try:
            made = cls(trace.snapshot(), reinitialise=None, **view)
        except BaseException:
            run.close()
            raise
        made._run = run
        made._versions.given = None  # the other version is made of the complete trace
        # From the start: what the thread has traced before it is told whom to notify is notified with the next frame.
        made._growing = [len(made.trace), trace.n_wanted]
        run.show(made._grow, made._grown)
        return made

    def wait(self) -> Any:
        """Wait until the trace that is being made is complete, and return it.

        Raises:
            DKDError: a frame cannot be traced; the frames before it are shown.
        """
        if self._run is not None:
            self._run.wait()
        return self.trace

    def _grow(self) -> None:
        """Show the frames that were traced so far. Called by the thread that traces."""
        if (run := self._run) is not None:
            self._show_grown(run.trace.snapshot())

    def _grown(self) -> None:
        """Show the complete trace, or the error that has ended it. Called by the thread that traces."""
        run = self._run
        if run is None:
            return
        self._show_grown(run.trace)
        self._growing = []
        if run.error is not None:
            self._error = str(run.error) if isinstance(run.error, DKDError) else describe_error(run.error, "in the run")
        self._versions.given = run.trace
        self._versions.want(self.reinitialise, self.refine)

    def _show_grown(self, trace: Trace) -> None:
        self._growing = [len(trace), trace.n_wanted]
        self._feed.grow(trace)  # first: the browser must know the frames before the cursor can go there
        self.cursor.extend(len(trace))

    @property
    def trace(self) -> Any:
        """Trace that is shown. Set another one to show it in the same place."""
        return self._feed.trace

    @trace.setter
    def trace(self, trace: TraceLike) -> None:
        if self._run is not None:
            self._run.close()
            self._run, self._growing = None, []
        self._show(trace)
        self._given(trace)

    def _show(self, trace: TraceLike) -> None:
        if trace is self._feed.trace:
            return
        # The feed first: the browser must know the new clip's length before the cursor moves.
        self._feed.set_trace(trace, self.cursor.frame)
        self.cursor.retarget(trace)

    def _given(self, trace: TraceLike) -> None:
        self._versions.given = None  # until both switches are set
        self._can_refine = can_refine(trace)
        if self._as_made:
            self.reinitialise = trace.conditions.reinitialise is not None
        if self._refine_as_made or not self._can_refine:
            self.refine = trace.conditions.refine
        self._versions.given = trace
        self._versions.want(self.reinitialise, self.refine)

    def _say_new_starts(self, text: str) -> None:
        self._new_starts = text

    @property
    def layers(self) -> dict[str, Any]:
        """Layers that are shown, as in :attr:`Cursor.layers`. Set a dict with some of them to change those."""
        return dict(self.cursor.layers)

    @layers.setter
    def layers(self, value: Mapping[str, bool | float]) -> None:
        if not isinstance(value, Mapping):
            raise ArgumentError(f"expected layers such as {{'heatmap': True}}, got {value!r}")
        self.cursor.layers = dict(value)

    def reveal(self) -> None:
        """Scroll the page to the workbench, once; on a page that shows it later, as soon as it does."""
        self._reveal = True

    def save(self, path: str | os.PathLike[str], *, view: str = "player", **style: Any) -> Exported:
        """Save a picture of what is shown as ``.svg`` or ``.png``; an existing file is replaced.

        Args:
            path: the file.
            view: ``"player"``, ``"lanes"`` or ``"kernels"``.
            style: see :class:`dkd.formats.drawing.OverlayStyle`; by default the layers that are shown.

        Raises:
            ConfigError: the ending or the view is unknown, or the trace does not have what the view shows.
            StorageError: the file cannot be written.
        """
        layers = self.cursor.layers
        shown = {"trails": layers["trails"], "heatmap": layers["heatmap"], "frame": self.frame, "joint": self.joint}
        options = options_for(format_for(path).name, self.trace, {**shown, "view": view})
        return export(self.trace, path, **{**options, **style})

    def to_html(self, path: str | os.PathLike[str], **options: Any) -> SavedPage:
        """Save all views as one HTML file that needs no kernel and no network, with what is shown now shown first.

        Args:
            path: the file, ``.html``; an existing one is replaced.
            options: see :func:`widgets.save_page`.

        Raises:
            ConfigError: an option does not fit.
            StorageError: the file cannot be written.
        """
        return save_page(self.trace, path, **{**self._page_state(), **options})

    def _page_state(self) -> dict[str, Any]:
        """Return the state of the cursor, for a page."""
        cursor = self.cursor
        state = {"frame": cursor.frame, "joint": cursor.joint, "layers": dict(cursor.layers)}
        return {**state, "cell": cursor.cell, "speed": cursor.speed}

    def code(self) -> str:
        """Return the line of Python that opens this view again, with all settings that differ from the defaults."""
        return self._code(self.cursor.get_state())

    def _code(self, state: Mapping[str, Any]) -> str:
        code = view_code(state)
        if not (self.reinitialise or self._as_made):
            code = f"{code[:-1]}, reinitialise=False)"
        given = self._versions.given
        if given is not None and self.refine != given.conditions.refine:
            code = f"{code[:-1]}, refine={self.refine})"
        return code

    def close(self) -> None:
        """Free the views, the feed and, unless passed in, the cursor. The filmstrip stays. May be called twice."""
        if self._closed:
            return
        self.on_msg(self._on_message, remove=True)
        if self._run is not None:
            self._run.close()
        self._versions.close()
        self._exports.close()
        self.unobserve_all("reinitialise")
        self.unobserve_all("refine")
        super().close()
        for part in self._parts:
            part.close()
        self._parts.clear()

    def _on_message(self, _widget: Any, content: dict, _buffers: list) -> None:
        # The browser sends its own state, as its last changes may not have reached the cursor here yet.
        kind = content.get("type")
        if kind == "code":
            self.send({"type": "code", "code": self._code(content["state"])})
        elif kind == "export" and self._export_menu:
            try:
                stem = Path.cwd() / (Path(self.trace.clip.name).stem or "clip")
                self._exports.start(str(content["kind"]), self.trace, stem, {**self._page_state(), **content})
            except Exception as error:  # shown on the page: otherwise it would only reach the server's log
                text = str(error) if isinstance(error, DKDError) else describe_error(error, "in the export")
                self._exporting = {**self._exports.state, "problem": text}
        elif kind == "export_cancel":
            self._exports.cancel()

    def _ipython_display_(self) -> None:
        if self._run is None:  # else a page that opens a moment later would find fewer frames than there are
            self._feed.offer()
        super()._ipython_display_()


def can_refine(trace: TraceLike) -> bool:
    """Return whether the joints of a trace can be refined: it is a run of a model with a past and an initializer."""
    model = getattr(trace, "model", None)
    return isinstance(model, VideoPoseModel) and model.hands_on


def view_code(state: Mapping[str, Any]) -> str:
    """Return the ``Workbench(...)`` call for a cursor's ``frame``, ``joint``, ``layers``, ``cell`` and ``speed``."""
    given = [f"frame={int(state['frame'])}", f'joint="{state["joint"]}"']
    layers = {name: value for name, value in state["layers"].items() if LAYERS.get(name) != value}
    if layers:
        given.append(f"layers={layers!r}")
    if state.get("cell"):
        given.append(f"cell={tuple(state['cell'])!r}")
    if state.get("speed", 1) != 1:
        given.append(f"speed={state['speed']:g}")
    return f"Workbench(trace, {', '.join(given)})"
