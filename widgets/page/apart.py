"""Pages of views that show more about single frames: for some of them, the page has what Python would answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from operator import index
from typing import Any

from dkd.errors import ArgumentError, ConfigError, FrameIndexError
from dkd.tracking.protocols import TraceLike
from widgets.core.view import View
from widgets.core.wire import Message
from widgets.page.page import SavedPage, save_page
from widgets.page.recorded import RecordedView

AROUND = 2  # frames before and after the shown one that a page has by default


def save_apart(
    view: View,
    kind: str,
    answer: Callable[[TraceLike, int, range], Message],
    path: str | os.PathLike[str],
    apart: Iterable[int] | None,
    options: Mapping[str, Any],
    *,
    is_exact: bool = False,
) -> SavedPage:
    """Save a view below a workbench of its trace; see :meth:`widgets.Anatomy.to_html`.

    Args:
        view: the view.
        kind: type of its requests.
        answer: (trace, frame of the trace, frames of the page) → what Python answers.
        path, apart, options: as for the view's own method.
        is_exact: whether the page has the arithmetic of these frames in float32.

    Raises:
        ArgumentError: ``apart`` has something else than whole numbers.
        FrameIndexError: a frame of ``apart`` is not in the page.
        ConfigError: nothing is matched in a frame of ``apart``, or an option does not fit.
        StorageError: the file cannot be written.
    """
    trace, here = view.trace, view.frame
    try:
        chosen = None if apart is None else sorted({index(t) for t in apart})
    except TypeError as error:
        raise ArgumentError(f"expected apart as numbers of frames, got {apart!r}") from error

    def record(part: range) -> RecordedView:
        around = range(here - AROUND, here + AROUND + 1)
        frames = [t for t in around if t in part and _is_matched(trace, t)] if chosen is None else chosen
        for t in frames:
            if t not in part:
                raise FrameIndexError(f"expected frames that are taken apart within {part}, got {t}")
            if not _is_matched(trace, t):
                raise ConfigError(f"expected frames whose maps come from matching, got {t}: its maps do not")
        shown = [t - part.start for t in frames]
        return RecordedView(
            view._module,
            {RecordedView.key(kind, n): answer(trace, t, part) for n, t in zip(shown, frames, strict=True)},
            {kind: ["frame"]},
            traits={"_apart": shown},
            note="Below, some frames are taken apart; in others this view says which these are." if frames else "",
            whole=False,
            exact=frames if is_exact else (),
        )

    return save_page(trace, path, **{"frame": here, "joint": view.joint, **options}, views=[record])


def _is_matched(trace: TraceLike, frame: int) -> bool:
    return bool(trace.kernels.size) and trace.previous(frame) is not None
