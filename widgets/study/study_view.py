"""The view of a study: a table of clips, the worst first; a click opens one in the workbench at its worst frame."""

from __future__ import annotations

import html
import os
import threading
import uuid
from pathlib import Path
from typing import Any

import ipywidgets as ipw

from dkd.errors import ConfigError, DKDError, checked
from dkd.formats.several import free_path
from dkd.io.background import is_ending, start_thread
from dkd.studies.methods import KINDS as METHODS
from dkd.studies.study import Study
from dkd.tracking.trace import Trace
from widgets.core.filmstrip import display_with_still
from widgets.core.view import close_below
from widgets.study.clip_table import ClipTable
from widgets.study.group_figure import GroupFigure
from widgets.study.query import select
from widgets.workbench.workbench import Workbench

STILL_ROWS = 10


@checked
class StudyView(ipw.VBox):
    """Look at the clips of a study: sort and filter the table, and open a clip.

        view = StudyView("study")
        view.open_clip("walk-anna-3f2a…")  # as a click on its row
        view.clips                         # the rows in sight, as a table

    A clip that is opened is traced again from its row of the table, which gives the joints that are stored.

    Args:
        study: a :class:`dkd.Study`, or its folder.

    Attributes:
        study: the study.
        groups: the figure below the table, with ``by``, ``measure`` and ``comparison``.
        bench: the workbench below the figure; ``None`` while no clip is open.

    Raises:
        ConfigError: there is no study in the folder.
        DatasetError: its table of clips is damaged.
    """

    _closed = True  # until it is complete: ipywidgets also closes incomplete widgets when they are deleted

    def __init__(self, study: Study | str | os.PathLike[str]):
        self.study = study if isinstance(study, Study) else Study(study)
        self.bench: Workbench | None = None
        self._lock = threading.RLock()
        self._wanted = 0  # number of the newest request: a trace of an older one is dropped
        self._thread: threading.Thread | None = None
        self._name = f"dkd-{uuid.uuid4().hex[:12]}"
        self.groups = GroupFigure(self.study, self._choose, self.open_clip, self._save)
        self.table = ClipTable(self.study, self._open_at, self._name, self.groups.filter, self.groups.clear)
        self._stage = ipw.VBox([])
        super().__init__([self.table, self.groups, self._stage])
        self._closed = False
        self.refresh()

    @property
    def clips(self) -> Any:
        """Rows that the page asked for last, in order, as a table."""
        return self.table.shown.copy()

    def refresh(self) -> None:
        """Read the results again, which a run may have changed.

        Raises:
            ConfigError, DatasetError: the study cannot be read.
        """
        self.study.read()
        self._clips = self.study.clips()
        self.table.show(self._clips, self.study.state(self._clips))
        self.groups.show(self._clips)

    def open_clip(self, name: str, frame: int | None = None) -> None:
        """Trace a clip in the background and show it; an earlier clip that is not traced yet is given up.

        Args:
            name: name of the row (column ``name``).
            frame: frame of the video to go to; the worst one by default.

        Raises:
            ConfigError: there is no such row.
        """
        row = self.study.row(name)
        at = self._clips.loc[self._clips["name"] == name]
        if frame is None and len(at) and at["worst_frame"].notna().any():
            frame = int(at["worst_frame"].iloc[0])
        frame = row.start if frame is None else frame
        with self._lock:
            self._wanted += 1
            request = self._wanted
        self.groups.mark(name)
        self.table.say(f"tracing {row.person} in {row.video} …", opened=name)
        self._thread = start_thread(self._trace, name, frame - row.start, request, name="trace of a clip")

    def wait(self) -> None:
        """Wait until the clip that was opened last is shown, or its error."""
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """Free the workbench and stop tracing. May be called twice."""
        if self._closed:
            return
        with self._lock:
            self._closed = True
            self._wanted += 1
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._show(None, 0)
        close_below(self)
        super().close()

    def __repr__(self) -> str:
        return f"<StudyView of {self.study.folder}: {self.table._state}>"

    def _open_at(self, name: str, share: float | None) -> None:
        if share is None:
            self.open_clip(name)
            return
        clip = self._clips.loc[self._clips["name"] == name].iloc[0]
        n = int(clip["frames"])
        self.open_clip(name, int(clip["first"]) + min(int(share * n), n - 1))

    def _choose(self, names: list[str] | None, text: str) -> None:
        self.table.choose(names, text)

    def _save(self, kind: str) -> None:
        """Write what the page asked for into the folder of the notebook, or show the methods paragraph."""
        if kind in METHODS:
            try:
                comparison = None if self.groups.by is None else self.study.compare(self.groups.by, self.groups.measure)
            except ConfigError:
                comparison = None  # too few clips, which the figure shows
            self.groups.head.say("", self.study.methods(kind, comparison))
            return
        stem = self.study.folder.resolve().name
        if kind == "csv":
            path = self.study.save_clips(free_path(Path.cwd() / f"{stem}-clips.csv"), self.table.ordered())
        else:
            comparison = self.groups.comparison
            if comparison is None:
                raise ConfigError("there is no figure: no clip has a value, or there are too many groups")
            path = comparison.save(free_path(Path.cwd() / f"{stem}-{comparison.measure}.{kind}"))
        self.groups.head.say(f"Saved {path.name}.")

    def _trace(self, name: str, t: int, request: int) -> None:
        def superseded() -> bool:
            return is_ending() or request != self._wanted

        try:
            trace = self.study.trace(name, progress=False, cancel=superseded)
        except DKDError as error:
            with self._lock:
                if request == self._wanted:
                    self.table.say(f"It cannot be opened: {error}", opened=name)
            return
        with self._lock:
            if superseded():
                trace.close()
                return
            self._show(trace, t)
            code = f"Workbench(Study({str(self.study.folder)!r}).trace({name!r}), frame={t}, reinitialise=None)"
            self.table.say(code=code, opened=name)

    def _show(self, trace: Trace | None, t: int) -> None:
        old, self.bench = self.bench, None
        if trace is not None:
            # Shown without changes: the table is about this track, not about one that searches for a lost person.
            self.bench = Workbench(trace, frame=min(t, len(trace) - 1), reinitialise=None)
        self._stage.children = [] if self.bench is None else [self.bench]
        if old is not None:
            shown = old.trace
            old.close()
            shown.close()

    def _ipython_display_(self) -> None:
        display_with_still(self, self.still_html())

    def still_html(self) -> str:
        """Return the HTML that stays in the notebook without a kernel: the clips to look at first."""
        worst = self._clips.iloc[select(self._clips)[:STILL_ROWS]]
        columns = ["video", "person", *self.study.groups, "status", "verdict", "confidence", "worst_frame"]
        head = "".join(f"<th>{html.escape(name.replace('_', ' '))}</th>" for name in columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_plain(row[name]))}</td>" for name in columns) + "</tr>"
            for row in worst.to_dict("records")
        )
        return (
            f'<figure data-dkd-filmstrip="{self._name}" style="margin:0"><table><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table><figcaption>{html.escape(self.table._state)}. "
            '<span class="dkd-in-lab">Run the cell for the live table.</span></figcaption></figure>'
        )


def _plain(value: Any) -> str:
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else f"{value:.3g}"
    return str(value)
