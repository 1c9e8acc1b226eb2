"""``save_page``: a recorded run with all its views as one HTML file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dkd.errors import checked
from dkd.io.files import atomic_path
from dkd.sessions.content import Bookmark
from dkd.sessions.session import Session
from dkd.tracking.protocols import TraceLike
from widgets.page.about import CODE, facts_about
from widgets.page.choices import (
    as_bookmark,
    check_arrangement,
    check_page,
    check_views,
    chosen_runs,
    part_of,
    shown_first,
)
from widgets.page.contents import Contents
from widgets.page.filling import AROUND, MB, Steps, Stopped, fill
from widgets.page.html import render, still_picture
from widgets.page.pictures import STILLS, looks
from widgets.page.recorded import RecordedView

FORMAT = "dkd-page/1"
MAX_MB = 20.0  # what most mail servers take
_FEWER = "fewer frames=range(first, stop)"  # what can be left out of a page
_LESS = {"choice": f"{_FEWER}, or fewer people", "steps": f"{_FEWER}, or fewer steps", "beside": _FEWER}


@dataclass(frozen=True)
class SavedPage:
    """What was written.

    Attributes:
        path: the file.
        megabytes: its size in 10⁶ bytes.
        expected: size that was expected before it was written.
        frames: number of frames of each run.
        arithmetic: of how many frames the page can show the arithmetic of the cells, for each run.
        look: size and quality of the pictures, in words.
        complete: false if ``cancel`` stopped it; then nothing was written.
    """

    path: Path
    megabytes: float
    expected: float
    frames: int
    arithmetic: int
    look: str
    complete: bool = True

    @property
    def notes(self) -> tuple[str, ...]:
        """What the page does not have, in sentences."""
        if not self.complete:
            return ("Stopped; nothing was written.",)
        said = [f"{self.megabytes:.1f} MB."]
        if self.look != str(STILLS[0]):
            said.append(f"Pictures are {self.look}.")
        if self.arithmetic < self.frames:
            said.append(f"The arithmetic of cells is in {self.arithmetic} of {self.frames} frames.")
        return tuple(said)

    def __str__(self) -> str:
        return " ".join([f"{self.path}:", *self.notes])


@checked
def save_page(
    run: TraceLike | Mapping[str, TraceLike] | Session,
    path: str | os.PathLike[str],
    *,
    frames: range | None = None,
    people: Sequence[str] | None = None,
    bookmarks: Iterable[Bookmark | Mapping[str, Any]] = (),
    caption: str = "",
    licence: str = "",
    max_mb: float = MAX_MB,
    pictures: str = "auto",
    frame: int | None = None,
    joint: str | None = None,
    layers: Mapping[str, bool | float] | None = None,
    cell: tuple[int, int] | None = None,
    speed: float | None = None,
    arrange: str = "choice",
    views: Sequence[RecordedView | Callable[[range], RecordedView]] = (),
    progress: Callable[[int, int], object] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> SavedPage:
    """Write a run as one HTML file with player, matching, kernels and timeline, completely or not at all.

    ::

        save_page(trace, "walk.html")
        save_page({"anna": first, "ben": second}, "two.html", frames=range(40, 90), max_mb=8)
        save_page(Session.load("walk.dkd.json"), "walk.html", caption="Watch the left wrist.")
        save_page({"unchanged": trace, "frozen": trace.freeze_kernel()}, "frozen.html", arrange="beside")

    It opens with a double click and asks no network for anything. Frames are exact by their index: each is a picture of
    its own. What does not fit into ``max_mb`` is left out in this order: quality and size of the pictures, then the
    arithmetic of cells in frames that are not among the shown one, the bookmarks and the worst moments.

    Args:
        run: a trace; several by name, of the same frames of one clip; or a session, which is tracked again.
        path: the file, ``.html``; an existing one is replaced, and a folder that is missing is created.
        frames: frames of the trace, such as ``range(40, 90)``; by default all.
        people: names of those of several people who are in the page; by default all.
        bookmarks: ``{"frame": …, "note": …}`` with frames of the trace; those of a session are added.
        caption: text under the views, such as what to look for.
        licence: licence of the video, for the page's last line.
        max_mb: size of the file in 10⁶ bytes, at most.
        pictures: ``"stills"``, which every browser shows; ``"film"``, which takes a fifth of that, and which current
            browsers decode (WebCodecs); ``"auto"``: stills where good ones fit into ``max_mb``, else a film.
        frame: frame of the trace that is shown first; by default the first one.
        joint, layers, cell, speed: what is shown first, as in :class:`widgets.Workbench`.
        arrange: how several runs are shown: ``"choice"``, one of them, chosen by name; ``"steps"``, one of them, chosen
            on a slider in the given order, such as a model at steps of its training; or ``"beside"``, two of them next
            to each other, which move together.
        views: what is shown below the workbench, or a function that makes it for the page's frames; see
            :meth:`widgets.CoherenceDebugger.to_html`.
        progress: called with the number of steps that are done, and of all.
        cancel: called before each step; if it returns true, nothing is written.

    Returns:
        What was written, with its size; before writing, the size that is expected is logged.

    Raises:
        ConfigError: the name has another ending; there is no run, or the runs are of different clips; a name or an
            arrangement is unknown; or the frames do not fit into ``max_mb``.
        FrameIndexError: the run does not have these frames.
        VideoError: a frame cannot be read.
        StorageError: the file cannot be written.
    """
    path = check_page(path, max_mb)
    opened: dict[str, Any] = {}
    if isinstance(run, Session):
        bookmarks = [*run.bookmarks, *bookmarks]
        run = opened = run.open()
    try:
        traces = chosen_runs(run, people)
        check_arrangement(arrange, len(traces))
        first = next(iter(traces.values()))
        part = part_of(first, frames)
        recorded = [view if isinstance(view, RecordedView) else view(part) for view in views]
        check_views(recorded, traces, part)
        shown = shown_first(first, part, frame, joint, layers, cell, speed)
        marks = [(int(m.frame), m.note) for m in map(as_bookmark, bookmarks) if m.frame in part]
        steps = Steps(progress, cancel, (len(traces) + 1) * len(part))
        contents = Contents(traces, part, less=_LESS[arrange])
        texts = {"caption": caption, "licence": licence, "code": CODE, "arrange": arrange}
        choice = looks(pictures)
        libraries = contents.add_libraries(recorded)
        exact = {t for view in recorded for t in view.exact}
        important = [shown["frame"] + part.start, *(t for t, _ in marks)]
        try:
            expected, look, count = fill(contents, choice, important, max_mb * MB - AROUND, steps, exact)
        except Stopped:
            return SavedPage(path, 0.0, 0.0, len(part), 0, "", complete=False)
        for person, trace in zip(contents.people, traces.values(), strict=True):
            person["facts"] = facts_about(trace)
        whole = {
            "format": FORMAT, "shown": shown, **contents.to_json(), **libraries, **texts,
            "bookmarks": [{"frame": t - part.start, "note": note} for t, note in sorted(marks)],
            "look": str(look), "arithmetic": count,
        }  # fmt: skip
        still = still_picture(first, shown["frame"] + part.start)
        size = write_page(path, f"{first.clip.name} · {first.model_name}", still, whole, contents.blocks)
        return SavedPage(path, size / MB, expected / MB, len(part), count, str(look))
    finally:
        for trace in opened.values():
            trace.close()


def write_page(path: Path, title: str, still: str, contents: Mapping[str, Any], blocks: Sequence[bytes]) -> int:
    """Write a page, completely or not at all, and return its size in bytes.

    Raises:
        StorageError: the file cannot be written.
    """
    how: Any = {"encoding": "utf-8", "errors": "replace", "newline": "\n"}  # names of files may be no Unicode
    with atomic_path(path) as temporary:
        with temporary.open("w", **how) as file:
            file.writelines(render(title, still, dict(contents), blocks))
        return temporary.stat().st_size
