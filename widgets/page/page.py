"""``save_page``: a recorded run with all its views as one HTML file."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dkd.errors import ConfigError, FrameIndexError, checked, nearest_name
from dkd.io.files import atomic_path, check_place
from dkd.sessions.content import Bookmark
from dkd.sessions.session import Session
from dkd.tracking.protocols import TraceLike
from widgets.core.cursor import Cursor
from widgets.page.about import CODE, facts_about
from widgets.page.contents import Contents, spread
from widgets.page.html import render, still_picture
from widgets.page.pictures import STILLS, Look, looks
from widgets.page.recorded import RecordedView

_log = logging.getLogger(__name__)
ENDINGS = (".html", ".htm")
MAX_MB = 20.0  # what most mail servers take
MB = 10**6
_AROUND = 150_000  # bytes of a page besides its blocks: the still picture, texts, numbers of blocks
_ONE = "person"  # name of a run that was given without one
_SHARE = 0.5  # of the room, what pictures take at most if the arithmetic of all frames does not fit


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
    views: Sequence[RecordedView] = (),
    progress: Callable[[int, int], object] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> SavedPage:
    """Write a run as one HTML file with player, matching, kernels and timeline, completely or not at all.

    ::

        save_page(trace, "walk.html")
        save_page({"anna": first, "ben": second}, "two.html", frames=range(40, 90), max_mb=8)
        save_page(Session.load("walk.dkd.json"), "walk.html", caption="Watch the left wrist.")

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
        views: what is shown below the workbench; see :meth:`widgets.CoherenceDebugger.to_html`. They are of all frames.
        progress: called with the number of steps that are done, and of all.
        cancel: called before each step; if it returns true, nothing is written.

    Returns:
        What was written, with its size; before writing, the size that is expected is logged.

    Raises:
        ConfigError: the name has another ending; there is no run, or the runs are of different clips; a name is
            unknown; or the frames do not fit into ``max_mb``.
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
        traces = _chosen(run, people)
        part = _part(next(iter(traces.values())), frames)
        if views and (len(traces) > 1 or len(part) < len(next(iter(traces.values())))):
            raise ConfigError(
                f"expected one run and all its frames, as {views[0].module} shows, got {len(traces)} and {part}; "
                "leave frames and people out"
            )
        shown = _shown(traces, part, frame, joint, layers, cell, speed)
        marks = [(int(m.frame), m.note) for m in map(_bookmark, bookmarks) if m.frame in part]
        stop = _Steps(progress, cancel, (len(traces) + 1) * len(part))
        contents = Contents(traces, part)
        texts = {"caption": caption, "licence": licence, "code": CODE}
        choice = looks(pictures)
        libraries = contents.add_libraries(views)
        made = _fill(contents, choice, marks, shown["frame"] + part.start, max_mb * MB - _AROUND, stop)
        if made is None:
            return SavedPage(path, 0.0, 0.0, len(part), 0, "", complete=False)
        expected, look, arithmetic = made
        first = next(iter(traces.values()))
        title = f"{first.clip.name} · {first.model_name}"
        about = [facts_about(trace) for trace in traces.values()]
        for person, facts in zip(contents.people, about, strict=True):
            person["facts"] = facts
        whole = {
            "format": "dkd-page/1", "shown": shown, **contents.to_json(), **libraries, **texts,
            "bookmarks": [{"frame": t - part.start, "note": note} for t, note in sorted(marks)],
            "look": str(look), "arithmetic": arithmetic,
        }  # fmt: skip
        still = still_picture(first, shown["frame"] + part.start)
        how: Any = {"encoding": "utf-8", "errors": "replace", "newline": "\n"}  # names of files may be no Unicode
        with atomic_path(path) as temporary:
            with temporary.open("w", **how) as file:
                file.writelines(render(title, still, whole, contents.blocks))
            size = temporary.stat().st_size
        return SavedPage(path, size / MB, expected / MB, len(part), arithmetic, str(look))
    finally:
        for trace in opened.values():
            trace.close()


class _Stopped(Exception):
    """``cancel`` returned true."""


class _Steps:
    """Counts steps, and stops between two of them."""

    def __init__(self, progress: Callable[[int, int], object] | None, cancel: Callable[[], bool] | None, total: int):
        self._progress, self._cancel, self._total, self._done = progress, cancel, total, 0

    def __call__(self) -> None:
        if self._cancel is not None and self._cancel():
            raise _Stopped
        self._done = min(self._done + 1, self._total)
        if self._progress is not None:
            self._progress(self._done, self._total)


def _fill(
    contents: Contents,
    choice: Sequence[Look],
    marks: Sequence[tuple[int, str]],
    shown: int,
    room: float,
    notify: _Steps,
) -> tuple[float, Look, int] | None:
    """Fill a page; return the expected size, the look, and in how many frames there is arithmetic.

    ``None`` if it was stopped.
    """
    records, details = contents.expected()
    fixed = contents.size + records
    sizes = [(look, contents.expected_pictures(look)) for look in choice]
    fits = [(look, size) for look, size in sizes if fixed + size + details <= room]
    fits = fits or [(look, size) for look, size in sizes if size <= _SHARE * (room - fixed)] or sizes[-1:]
    look, size = fits[0]
    expected = min(room, fixed + size + details) + _AROUND
    _log.info("the page will have about %.1f MB; its pictures are %s", expected / MB, look)
    try:
        contents.add_runs(look, notify)
        while contents.size > room:
            if look is choice[-1]:
                least, most = (contents.size + _AROUND) / MB, (room + _AROUND) / MB
                raise ConfigError(
                    f"{len(contents.frames)} frames need at least {least:.1f} MB, got max_mb={most:g}; "
                    "give fewer frames=range(first, stop), or fewer people"
                )
            look = choice[choice.index(look) + 1]
            contents.encode_again(look)
        count = 0
        if contents.has_kernels:
            worst = [t for one in _worst(contents) for t in one]
            order = spread(contents.frames, [shown, *(t for t, _ in marks), *worst])
            count = contents.add_details(order, room - contents.size, notify)
    except _Stopped:
        return None
    return expected, look, count


def _worst(contents: Contents) -> list[list[int]]:
    from dkd.analysis.moments import worst_frames
    from dkd.video.protocols import mean_rate

    trace = contents.first
    drift, rate = trace.kernel_drift(), mean_rate(trace.clip)
    return [worst_frames(trace.scores[:, j], drift, rate) for j in range(len(trace.skeleton))]


def _chosen(run: TraceLike | Mapping[str, TraceLike], people: Sequence[str] | None) -> dict[str, TraceLike]:
    """Return the runs of a page by name."""
    traces: dict[str, Any] = dict(run) if isinstance(run, Mapping) else {_ONE: run}
    for name in people or ():
        if name not in traces:
            hint = nearest_name(name, traces)
            raise ConfigError(f"there is no person {name!r}{hint} There are: {', '.join(traces)}.")
    if people is not None:
        traces = {name: traces[name] for name in people}
    if not traces:
        raise ConfigError("expected a trace, got none; track a person first")
    first = next(iter(traces.values()))
    for name, trace in traces.items():
        if not len(trace):
            raise ConfigError(f"expected frames in the trace of {name}, got none; run it first")
        same = (len(trace), trace.clip.name, trace.skeleton.joints) == (
            len(first), first.clip.name, first.skeleton.joints,
        )  # fmt: skip
        if not same:
            raise ConfigError(
                f"expected runs over the same frames of one clip with the same joints, but {name} is of {len(trace)} "
                f"frames of {trace.clip.name}, the first of {len(first)} of {first.clip.name}"
            )
    return traces


def _part(trace: TraceLike, frames: range | None) -> range:
    if frames is None:
        return range(len(trace))
    if not isinstance(frames, range) or frames.step != 1:
        raise FrameIndexError(f"expected frames such as range(40, 90), got {frames!r}")
    if not 0 <= frames.start < frames.stop <= len(trace):
        raise FrameIndexError(f"expected frames within range(0, {len(trace)}), got {frames!r}")
    return frames


def _bookmark(mark: Bookmark | Mapping[str, Any]) -> Bookmark:
    return mark if isinstance(mark, Bookmark) else Bookmark(int(mark["frame"]), str(mark.get("note", "")))


def _shown(
    traces: Mapping[str, TraceLike],
    part: range,
    frame: int | None,
    joint: str | None,
    layers: Mapping[str, bool | float] | None,
    cell: tuple[int, int] | None,
    speed: float | None,
) -> dict[str, Any]:
    """Return the cursor of the page, checked as that of a workbench."""
    if frame is not None and frame not in part:
        raise FrameIndexError(f"expected the first shown frame within {part}, got {frame!r}")
    cursor = Cursor(len(part), next(iter(traces.values())).skeleton.joints)
    try:
        state = {"joint": joint, "layers": None if layers is None else dict(layers), "cell": cell, "speed": speed}
        for name, value in {"frame": None if frame is None else frame - part.start, **state}.items():
            if value is not None:
                setattr(cursor, name, value)
        names = ("n_frames", "joint_names", "frame", "joint", "layers", "cell", "playing", "speed", "range")
        return {name: getattr(cursor, name) for name in names}
    finally:
        cursor.close()


def check_page(path: str | os.PathLike[str], max_mb: float) -> Path:
    """Return the path of a page that is to be written, before any work is done for it.

    Raises:
        ConfigError: the name has another ending, the path is a folder, or the largest size is no positive number.
    """
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise ConfigError(f"expected the name of a page, which ends in {ENDINGS[0]}, got {path.name!r}")
    if not (isinstance(max_mb, int | float) and math.isfinite(max_mb) and max_mb > 0):
        raise ConfigError(f"expected the largest size in MB, such as max_mb=20, got {max_mb!r}")
    check_place(path)
    return path
