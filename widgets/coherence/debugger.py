"""Coherence debugger: where a track drifts or jumps, why, since which frame, and how another model does there."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from dkd.analysis.diagnosis import LANES, REASONS, Diagnosis, check_comparable, diagnose, statistics
from dkd.analysis.moments import Moment, Moments, worst
from dkd.errors import ConfigError
from dkd.formats.as_trace import as_trace
from dkd.formats.track import PoseTrack
from dkd.io.background import start_thread
from dkd.models.confidence import ALPHA
from dkd.tracking.protocols import TraceLike
from dkd.video.protocols import ClipLike
from widgets.core.cursor import Cursor
from widgets.core.library import script
from widgets.core.view import View, unknown_keyword
from widgets.core.wire import Message, write_message
from widgets.page.page import SavedPage, save_page
from widgets.page.recorded import RecordedView

MOST = 20  # moments sent per reason and joint: every filter finds some, and a lost track does not send thousands
# The names of the first and the second trace, as the browser shows them.
_NAMES: list[str] = json.loads((Path(__file__).parent / "traces.json").read_text(encoding="utf-8"))["names"]


class CoherenceDebugger(View):
    """Show lanes over the clip, the moments that stand out, and figures of a range of frames, of one or two traces.

    With a :class:`Workbench` on the same cursor, a click on a moment shows it there::

        bench = Workbench(trace)
        debugger = CoherenceDebugger(trace, other, cursor=bench.cursor)

    Click the lanes to go to a frame. Drag over them, or hold Shift and press the arrow keys, to select the range that
    the figures are computed for. N and P step through the list. :mod:`dkd.analysis.diagnosis` describes what is
    measured and what severity means; ``moments()`` and ``statistics()`` return the same as tables.

    Args:
        trace: A :class:`dkd.Trace`; ``A`` if there are two. Or a :class:`dkd.PoseTrack` of one person: jumps, swapped
            sides and low scores of another tool's track need no model; see :func:`dkd.as_trace`.
        other: Another trace of the same clip, ``B``, drawn over the first. Both are measured in shares of A's box. A
            track's joints are found by name.
        video: Clip or path of the video of a ``PoseTrack``; grey by default.
        cursor: A :class:`Cursor` to share with other views of the same trace.
        alpha: A joint that is further than this × the person's box from the ground truth is a miss.
        discriminator: A trained temporal discriminator, for its lane; see
            :meth:`dkd.training.run.Run.discriminator`.

    Raises:
        ConfigError: ``other`` has other frames or joints, or the cursor is of another clip.
        TypeError: An unknown keyword; the message names the nearest known one.
    """

    _module = script("coherence/debugger.js")

    def __init__(
        self,
        trace: TraceLike | PoseTrack,
        other: TraceLike | PoseTrack | None = None,
        *,
        cursor: Cursor | None = None,
        video: ClipLike | str | os.PathLike[str] | None = None,
        alpha: float = ALPHA,
        discriminator: Callable[[Tensor, Tensor], Tensor] | None = None,
        **unknown: Any,
    ):
        if unknown:
            known = ("cursor", "video", "alpha", "discriminator")
            raise unknown_keyword(type(self).__name__, next(iter(unknown)), known)
        if isinstance(trace, PoseTrack):
            trace = as_trace(trace, video)
        if isinstance(other, PoseTrack):
            other = as_trace(other, trace)
        if other is not None:
            check_comparable(trace, other)
        self._other, self._alpha, self._discriminator = other, alpha, discriminator
        self._measuring = threading.Lock()
        self._measured: tuple[Any, int, Diagnosis, Diagnosis | None] | None = None
        self._open(trace, cursor)
        self.on_msg(self._on_message)

    @property
    def other(self) -> Any:
        """The trace that is drawn over the first, or ``None``."""
        return self._other

    @property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis of the trace that is shown; measured when it is first needed."""
        return self._diagnoses()[0]

    @property
    def other_diagnosis(self) -> Diagnosis | None:
        """The diagnosis of the other trace; ``None`` without one, or if it does not fit the trace that is now shown."""
        return self._diagnoses()[1]

    def moments(self, joint: str | None = None, n: int | None = 20, *, reason: str | None = None) -> Moments:
        """Return the moments that stand out most, of both traces: :func:`dkd.analysis.moments.worst`."""
        first, second = self._diagnoses()
        return worst(first, joint, n, reason=reason, other=second)

    def statistics(self, first: int, last: int, joint: str | None = None) -> Any:
        """Return :func:`dkd.analysis.diagnosis.statistics` of a range; of two traces with column levels A and B."""
        return compared_statistics(*self._diagnoses(), first, last, joint)

    def code(self) -> str:
        """Return Python code that opens this view again and returns what it shows, with the list unfiltered."""
        state = {"frame": self.frame, "joint": self.joint, "range": self.cursor.range}
        return self._code({**state, "figures_joint": self.joint})

    def to_html(self, path: str | os.PathLike[str], **options: Any) -> SavedPage:
        """Save this view as one HTML file that needs no kernel and no network, below a workbench of the first trace.

        The page has the figures of the whole clip only, for each joint and for all.

        Args:
            path: the file, ``.html``; an existing one is replaced.
            options: see :func:`widgets.save_page`; not ``frames``, since the lanes are over the whole clip.

        Raises:
            ConfigError: an option does not fit.
            StorageError: the file cannot be written.
        """
        shown = {"frame": self.frame, "joint": self.joint}
        return save_page(self.trace, path, **{**shown, **options}, views=[self._recorded()])

    def _recorded(self) -> RecordedView:
        first, second = self._diagnoses()
        dropped = self._other is not None and second is None
        answers = {RecordedView.key("diagnose"): render_diagnosis(first, second, 0, dropped=dropped)}
        for joint in (None, *self.trace.skeleton.joints):
            figures = render_statistics(first, second, 0, len(self.trace) - 1, joint, "")
            answers[RecordedView.key("statistics", joint)] = write_message(figures)
        return RecordedView("coherence/debugger.js", answers, {"statistics": ["joint"]})

    def close(self) -> None:
        """Free the view; the traces stay. May be called twice."""
        if not self._closed:
            self.on_msg(self._on_message, remove=True)
        super().close()

    def _diagnoses(self) -> tuple[Diagnosis, Diagnosis | None]:
        """Measure each trace once. If another view of this feed has set another trace, that one is measured."""
        with self._measuring:
            trace = self._feed.trace
            if self._measured is None or self._measured[0] is not trace or self._measured[1] != len(trace):
                first = diagnose(trace, alpha=self._alpha, discriminator=self._discriminator)
                second = None
                if self._other is not None and _fits(trace, self._other):
                    second = diagnose(
                        self._other, alpha=self._alpha, side=first.side, discriminator=self._discriminator
                    )
                self._measured = trace, len(trace), first, second
            return self._measured[2:]

    def _code(self, state: Mapping[str, Any]) -> str:
        """Code for ``state``: frame, joint, range, joint of the figures, and the list's filters by joint and reason."""
        given = ["trace", *["other"] * (self._other is not None), *[f"alpha={self._alpha:g}"] * (self._alpha != ALPHA)]
        lines = [
            "from widgets import CoherenceDebugger",
            "",
            f"debugger = CoherenceDebugger({', '.join(given)})",
            f'debugger.frame, debugger.joint = {int(state["frame"])}, "{state["joint"]}"',
        ]
        if state.get("range"):
            first, last = (int(t) for t in state["range"])
            joint = f', joint="{state["figures_joint"]}"' if state.get("figures_joint") else ""
            lines.append(f"debugger.cursor.range = {first}, {last}")
            lines.append(f"figures = debugger.statistics({first}, {last}{joint})")
        filters = {"joint": state.get("list_joint"), "reason": state.get("reason")}
        chosen = ", ".join(f'{name}="{value}"' for name, value in filters.items() if value)
        lines.append(f"moments = debugger.moments({chosen}).to_frame()")
        return "\n".join([*lines, "debugger"])

    def _on_message(self, _widget: Any, content: dict, _buffers: list) -> None:
        # In a thread, so that the kernel stays responsive while the lanes are measured.
        start_thread(self._serve, content, name="coherence debugger")

    def _serve(self, content: dict) -> None:
        try:
            answer, buffers = self._answer(content)
        except Exception as error:
            if not self._closed:
                self.report(error, f"answering {content.get('type')}")
            return
        if not self._closed:
            self.send(answer, buffers)

    def _answer(self, content: Mapping[str, Any]) -> Message:
        """Build the message that answers a request of the browser."""
        kind = content.get("type")
        if kind == "code":
            return {"type": "code", "text": self._code(content["state"])}, []
        first, second = self._diagnoses()
        if kind == "diagnose":
            dropped = self._other is not None and second is None
            return render_diagnosis(first, second, int(content["generation"]), dropped=dropped)
        if kind == "statistics":
            span = int(content["first"]), int(content["last"])
            return render_statistics(first, second, *span, content["joint"], str(content["key"])), []
        if kind == "export":
            moments = worst(first, content["joint"], None, reason=content["reason"], other=second)
            text = moments.to_csv() if content["format"] == "csv" else moments.to_json()
            return {"type": "export", "format": content["format"], "text": text}, []
        raise ConfigError(f"expected a request of type diagnose, statistics, export or code, got {kind!r}")


def _fits(trace: TraceLike, other: TraceLike | None) -> bool:
    try:
        check_comparable(trace, other)
    except ConfigError:
        return False
    return True


def compared_statistics(
    first: Diagnosis, second: Diagnosis | None, start: int, stop: int, joint: str | None = None
) -> Any:
    """Compute :func:`dkd.analysis.diagnosis.statistics` of one or both, in frames ``start`` to ``stop`` inclusive."""
    import pandas as pd

    figures = statistics(first, start, stop, joint)
    if second is None:
        return figures
    both = pd.concat(dict(zip(_NAMES, (figures, statistics(second, start, stop, joint)), strict=True)), axis=1)
    return both.reindex(sorted(both.index, key=lambda name: list(LANES).index(name) if name in LANES else len(LANES)))


def render_diagnosis(first: Diagnosis, second: Diagnosis | None, generation: int, dropped: bool = False) -> Message:
    """Build the message with all that the view shows of one or two diagnoses.

    ``lanes`` says of each lane what it is. Its ``values`` are those of each diagnosis, float32 (T, J), or (T,) where
    ``joints`` is false; ``None`` if a diagnosis does not have the lane. ``moments`` are ranked, at most ``MOST`` per
    reason and joint.

    Args:
        first: The diagnosis of the trace that is shown.
        second: The diagnosis of the other trace, if any.
        generation: Number of the trace in the feed; sent back.
        dropped: Whether there is a second trace that does not fit the first.
    """
    both = [first] if second is None else [first, second]
    lanes = []
    for name, lane in LANES.items():
        values = [d.lanes[name].astype(np.float32) if name in d.lanes else None for d in both]
        if any(v is not None for v in values):
            about = {"key": name, **lane._asdict(), "limit": first.limit(name), "joints": name != "kernel_drift"}
            lanes.append({**about, "values": values})
    missing = [
        {"lane": LANES[name].label, "why": why, "which": _NAMES[i] if second else ""}
        for i, d in enumerate(both)
        for name, why in d.missing.items()
    ]
    content = {
        "type": "diagnosis",
        "generation": generation,
        "models": [d.model for d in both],
        "alpha": first.alpha,
        "lanes": lanes,
        "missing": missing,
        "dropped": dropped,
        "reasons": list(REASONS),
        "moments": [_plain(m) for m in _listed(worst(first, n=None, other=second))],
    }
    return write_message(content)


def _listed(moments: Moments) -> list[Moment]:
    """The first ``MOST`` of each reason and joint, in the given order."""
    seen: Counter[tuple[str, str | None]] = Counter()
    out = []
    for moment in moments:
        seen[moment.reason, moment.joint] += 1
        if seen[moment.reason, moment.joint] <= MOST:
            out.append(moment)
    return out


def _plain(moment: Moment) -> dict[str, Any]:
    return {name: _number(value) for name, value in vars(moment).items()}


def _number(value: Any) -> Any:
    """A number that JSON can hold: NaN becomes ``None``, NumPy numbers become Python's."""
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


def render_statistics(
    first: Diagnosis, second: Diagnosis | None, start: int, stop: int, joint: str | None, key: str
) -> dict[str, Any]:
    """Build the message with the figures of a range of frames.

    ``rows`` has one row per lane. A row's ``values`` are lists, one per diagnosis and in the order of ``columns``, or
    ``None`` where a diagnosis does not have the lane.
    """
    tables = [statistics(d, start, stop, joint) for d in (first, second) if d is not None]
    names = [*(n for n in LANES if any(n in t.index for t in tables)), f"PCK@{first.alpha:g}"]
    rows = []
    for name in (n for n in names if any(n in t.index for t in tables)):
        values = [[_number(v) for v in t.loc[name]] if name in t.index else None for t in tables]
        label = LANES[name].label if name in LANES else name
        low_is_bad = name not in LANES or LANES[name].low_is_bad
        rows.append({"key": name, "label": label, "low_is_bad": low_is_bad, "values": values})
    columns = list(tables[0].columns)
    span = {"first": start, "last": stop, "joint": joint}
    return {"type": "statistics", "key": key, **span, "columns": columns, "rows": rows}
