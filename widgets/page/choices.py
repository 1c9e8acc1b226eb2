"""What is chosen for a page: its runs, their frames, what is shown first, and its file; checked before any work."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dkd.errors import ConfigError, FrameIndexError, nearest_name
from dkd.io.files import check_place
from dkd.sessions.content import Bookmark
from dkd.tracking.protocols import TraceLike
from widgets.core.cursor import Cursor
from widgets.page.recorded import RecordedView

ENDINGS = (".html", ".htm")
ARRANGEMENTS = ("choice", "steps", "beside")  # how the page shows several runs
_ONE = "person"  # name of a run that was given without one


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


def chosen_runs(run: TraceLike | Mapping[str, TraceLike], people: Sequence[str] | None) -> dict[str, TraceLike]:
    """Return the runs of a page by name.

    Raises:
        ConfigError: there is none, a name is unknown, or the runs are not of the same frames of one clip.
    """
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


def check_arrangement(arrange: str, count: int) -> None:
    """Check how several runs are shown.

    Raises:
        ConfigError: there is no such arrangement, or not two runs that stand beside each other.
    """
    if arrange not in ARRANGEMENTS:
        hint = nearest_name(arrange, ARRANGEMENTS)
        raise ConfigError(f"expected arrange as one of {', '.join(ARRANGEMENTS)}, got {arrange!r}{hint}")
    if arrange == "beside" and count != 2:
        raise ConfigError(f"expected two runs for arrange='beside', got {count}; give the two as a mapping by name")


def check_views(views: Sequence[RecordedView], traces: Mapping[str, TraceLike], part: range) -> None:
    """Check that the page has what the views below the workbench are of.

    Raises:
        ConfigError: there are several runs, or a view of the whole clip is to stand in a page of a part of it.
    """
    count = len(next(iter(traces.values())))
    for view in views:
        if len(traces) > 1 or (view.whole and len(part) < count):
            raise ConfigError(
                f"expected one run and all its frames, as {view.module} shows, got {len(traces)} and {part}; "
                "leave frames and people out"
            )


def part_of(trace: TraceLike, frames: range | None) -> range:
    """Return the frames of a run that a page has, by default all.

    Raises:
        FrameIndexError: the run does not have these frames, or they are not consecutive.
    """
    if frames is None:
        return range(len(trace))
    if not isinstance(frames, range) or frames.step != 1:
        raise FrameIndexError(f"expected frames such as range(40, 90), got {frames!r}")
    if not 0 <= frames.start < frames.stop <= len(trace):
        raise FrameIndexError(f"expected frames within range(0, {len(trace)}), got {frames!r}")
    return frames


def as_bookmark(mark: Bookmark | Mapping[str, Any]) -> Bookmark:
    """Return a bookmark of a frame of the trace."""
    return mark if isinstance(mark, Bookmark) else Bookmark(int(mark["frame"]), str(mark.get("note", "")))


def shown_first(
    trace: TraceLike,
    part: range,
    frame: int | None,
    joint: str | None,
    layers: Mapping[str, bool | float] | None = None,
    cell: tuple[int, int] | None = None,
    speed: float | None = None,
) -> dict[str, Any]:
    """Return the cursor of the page, checked as that of a workbench.

    Raises:
        FrameIndexError, ConfigError: the page does not have this frame, joint, layer or cell, or the speed is invalid.
    """
    if frame is not None and frame not in part:
        raise FrameIndexError(f"expected the first shown frame within {part}, got {frame!r}")
    cursor = Cursor(len(part), trace.skeleton.joints)
    try:
        state = {"joint": joint, "layers": None if layers is None else dict(layers), "cell": cell, "speed": speed}
        for name, value in {"frame": None if frame is None else frame - part.start, **state}.items():
            if value is not None:
                setattr(cursor, name, value)
        names = ("n_frames", "joint_names", "frame", "joint", "layers", "cell", "playing", "speed", "range")
        return {name: getattr(cursor, name) for name in names}
    finally:
        cursor.close()
