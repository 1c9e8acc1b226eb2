"""Lineage view: which frames have similar kernels, where they change, and on which channels a joint relies."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import traitlets

from dkd.analysis.lineage import (
    N_MAX,
    Reliance,
    channel_reliance,
    check_comparable,
    compare_kernels,
    drift,
    largest_jumps,
    principal_components,
    similarity,
    top_channels,
)
from dkd.errors import ArgumentError, ConfigError, FrameIndexError, nearest_name
from dkd.io.background import start_thread
from dkd.tracking.protocols import TraceLike
from dkd.video.protocols import pixel_aspect
from widgets.core.cursor import Cursor
from widgets.core.filmstrip import draw_skeleton
from widgets.core.library import script
from widgets.core.view import View, unknown_keyword
from widgets.core.wire import Message, encode_frame, write_message
from widgets.lineage.lineage_page import MOST, recorded_lineage
from widgets.page.page import SavedPage, save_page
from widgets.page.recorded import RecordedView

_log = logging.getLogger(__name__)
_KEYWORDS = ("cursor", "other", "kernel", "centred")
# What `kernel` may be besides a joint, and the browser's labels of it.
_CHOICES: dict[str, str] = json.loads((Path(__file__).parent / "kernels.json").read_text(encoding="utf-8"))
PICTURE_HEIGHT = 240  # pixels; shown at about half of that


class Lineage(View):
    """Show how the distilled kernels change over the clip.

    The matrix holds the cosine of the kernels of each pair of frames: t, the cursor's frame, from left to right, and s
    from top to bottom. A click, or arrow keys and Enter, shows the pictures of both frames side by side and moves the
    cursor to t. Below the matrix is the drift from frame to frame, with its largest jumps. To the right are the two
    principal components of the kernels, one point per frame, with a ring at the cursor's frame. Further below, on
    request, the view shows which channels the joint relies on. Each frame is encoded again for this, so it is computed
    in a thread, for a sample of the frames, and can be stopped.

    Args:
        trace: A :class:`dkd.Trace`.
        cursor: A :class:`Cursor` to share with other views of the same trace, for instance a workbench's.
        other: A second trace of the same model: its frames are the rows of the matrix.
        kernel: ``"whole"``, ``"selected"`` (the effective kernel of the cursor's joint), or the name of a joint.
        centred: Whether to subtract the clip's mean kernel first; see :func:`dkd.analysis.lineage.similarity`.

    Attributes:
        kernel: The current choice; set it to change it.
        centred: The current choice; set it to change it.
        reliance: Whether the reliance on channels is shown, and computed if it is not known yet.

    Raises:
        ConfigError: ``other`` is of another model, ``kernel`` is not a joint, or the cursor is of another clip.
        TypeError: An unknown keyword; the message names the nearest known one.
    """

    _module = script("lineage/lineage.js")
    kernel = traitlets.Unicode("whole").tag(sync=True)
    centred = traitlets.Bool(False).tag(sync=True)
    reliance = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        trace: TraceLike,
        *,
        cursor: Cursor | None = None,
        other: TraceLike | None = None,
        kernel: str = "whole",
        centred: bool = False,
        **unknown: Any,
    ):
        if unknown:
            raise unknown_keyword("Lineage", next(iter(unknown)), _KEYWORDS)
        if other is not None:
            check_comparable(trace, other)
        _check_choice(kernel, trace.skeleton.joints)
        self._other = other
        self._matrices, self._reliances = _LatestTask(), _LatestTask()
        self._stop = threading.Event()
        self._known: dict[tuple[int, str], Message] = {}  # (generation, joint) → its reliance
        self._open(trace, cursor, kernel=kernel, centred=centred)
        self.on_msg(self._on_message)
        self.observe(lambda _: self._ask_matrix(), ["kernel", "centred"])
        self.observe(lambda _: self._ask_reliance(), ["kernel", "reliance"])
        self.on_joint(self._joint_changed)

    @property
    def other(self) -> Any:
        """The second trace, or ``None``."""
        return self._other

    def to_html(
        self, path: str | os.PathLike[str], *, reliance: Sequence[str] | None = None, **options: Any
    ) -> SavedPage:
        """Save this view as one HTML file that needs no kernel and no network, below a workbench of the trace.

        A reader can choose any kernel, and any two frames: of long clips, 200 frames are compared, evenly spaced. The
        cosines are rounded by at most 0.0001; drift and components are exact.

        Args:
            path: the file, ``.html``; an existing one is replaced.
            reliance: joints of which the page shows the channels that they rely on. Each takes about 30 ms per frame,
                for at most 60 frames. By default those that this view has shown.
            options: see :func:`widgets.save_page`; not ``frames``, since the view is of the whole clip.

        Raises:
            ArgumentError: ``reliance`` has something else than names.
            ConfigError: a joint is unknown, or an option does not fit.
            StorageError: the file cannot be written.
        """
        trace, other, generation = self.trace, self._other, self._feed._generation
        known = {joint: message for (number, joint), message in self._known.items() if number == generation}
        wanted = list(known if reliance is None else reliance)
        if not all(isinstance(joint, str) for joint in wanted):
            raise ArgumentError(f"expected reliance as names of joints, got {reliance!r}")
        joints = [trace.skeleton.joints[trace.skeleton.index(joint)] for joint in wanted]
        traits = {"kernel": self.kernel, "centred": self.centred, "reliance": self.reliance and bool(joints)}

        def reliance_of(joint: str) -> Message:
            if joint not in known:
                content, buffers = render_reliance(channel_reliance(trace, joint), joint)
                known[joint] = {**content, "complete": True}, buffers
            return known[joint]

        def record(_: range) -> RecordedView:
            return recorded_lineage(
                trace, other, traits, {joint: reliance_of(joint) for joint in joints},
                lambda joint, centred: render_matrix(trace, other, joint, centred, MOST), _picture,
            )  # fmt: skip

        shown = {"frame": self.frame, "joint": self.joint}
        return save_page(trace, path, **{**shown, **options}, views=[record])

    def close(self) -> None:
        """Free what the view holds; a thread that is computing stops at its next frame. May be called twice."""
        if not self._closed:
            self._matrices.drop()
            self._reliances.drop()
            self.on_msg(self._on_message, remove=True)
            self.unobserve_all()
            self._known.clear()
            self._other = None
        super().close()

    @traitlets.validate("kernel")
    def _check_kernel(self, proposal: Any) -> str:
        return _check_choice(proposal["value"], self._cursor.joint_names)

    def _joint_changed(self, _: str) -> None:
        if self.kernel == "selected":
            self._ask_matrix()
        self._ask_reliance()

    def _on_message(self, _widget: Any, content: dict, _buffers: list) -> None:
        kind = content.get("type")
        try:
            if kind == "hello":
                self._ask_matrix()
                self._ask_reliance()
            elif kind == "pictures":
                self.send(*render_pictures(self.trace, self._other, int(content["s"]), int(content["t"])))
            elif kind == "stop":
                self._stop.set()
            elif kind == "again":
                self._ask_reliance()
        except Exception as error:  # else it would only reach the server's log
            self.report(error, f"answering {kind!r}")

    def _ask_matrix(self) -> None:
        trace, other, centred, generation = self.trace, self._other, self.centred, self._feed._generation
        if not trace.kernels.size:
            return
        joint = {"whole": None, "selected": self.joint}.get(self.kernel, self.kernel)
        self._matrices.ask(
            lambda _: render_matrix(trace, other, joint, centred),
            lambda message: self._deliver(message, generation),
            lambda error: self._failed(error, "matrix"),
        )

    def _ask_reliance(self) -> None:
        self._reliances.drop()
        trace, generation = self.trace, self._feed._generation
        if not self.reliance or not trace.kernels.size:
            return
        joint = self.joint if self.kernel in _CHOICES else self.kernel
        if known := self._known.get((generation, joint)):
            return self._deliver(known, generation)
        self._stop = stop = threading.Event()

        def work(dropped: Callable[[], bool]) -> Message:
            def progress(done: int, of: int) -> None:
                if not dropped():
                    self.send({"type": "progress", "joint": joint, "done": done, "of": of})

            found = channel_reliance(trace, joint, cancel=lambda: dropped() or stop.is_set(), progress=progress)
            content, buffers = render_reliance(found, joint)
            return {**content, "complete": not stop.is_set()}, buffers

        def deliver(message: Message) -> None:
            if message[0]["complete"]:
                self._known[generation, joint] = message
            self._deliver(message, generation)

        self._reliances.ask(work, deliver, lambda error: self._failed(error, "reliance"))

    def _deliver(self, message: Message, generation: int) -> None:
        content, buffers = message
        self.send({**content, "generation": generation}, buffers)

    def _failed(self, error: Exception, what: str) -> None:
        _log.warning("computing the %s failed", what, exc_info=error)
        self.report(error, f"computing the {what}")
        self.send({"type": "failed", "what": what})


def render_matrix(
    trace: TraceLike, other: TraceLike | None, joint: str | None, centred: bool, at_most: int = N_MAX
) -> Message:
    """Compute the similarity of all pairs of frames, the path of the kernels, and their drift.

    Arrays: values (n,m) float32, rows (n,) and columns (m,) int32; drift (T,) and scores (k,2), the points of the path,
    float32; frames (k,) int32, those of the path. ``range`` are the values that the colours span: −1 and 1 if centred,
    else the least similarity of two different frames and 1. ``jumps`` are the frames where the drift is largest,
    ``shares`` the shares of the variance that the path's two axes hold.

    Args:
        trace: The trace of the columns.
        other: A second trace of the model, for the rows; ``None`` if the rows are the frames of ``trace`` too.
        joint: Whose effective kernels to compare; ``None`` for the whole kernels.
        centred: Whether to subtract the mean kernel.
        at_most: Frames that are compared, evenly spaced.

    Raises:
        ConfigError: The model has no kernels, or ``other`` is of another model.
    """
    if other is None:
        found = similarity(trace, joint, centred=centred, at_most=at_most)
    else:
        found = compare_kernels(other, trace, joint, centred=centred, at_most=at_most)
    path, curve = principal_components(trace, joint=joint, at_most=at_most), drift(trace, joint)
    content = {
        "type": "matrix",
        "joint": joint or "",
        "centred": centred,
        "other": None if other is None else other.clip.name,
        "range": [-1, 1] if centred else [_least(found.values, other is None), 1],
        "jumps": largest_jumps(curve),
        "shares": path.shares.tolist(),
        "values": found.values,
        "rows": found.rows.astype(np.int32),
        "columns": found.columns.astype(np.int32),
        "drift": curve,
        "scores": path.scores,
        "frames": path.frames.astype(np.int32),
    }
    return write_message(content)


def render_pictures(trace: TraceLike, other: TraceLike | None, s: int, t: int) -> Message:
    """Render frame s (of ``other``, if given) and frame t as small JPEGs with the skeleton that was found.

    Raises:
        FrameIndexError: There is no such frame.
    """
    first = trace if other is None else other
    return write_message({"type": "pictures", "s": s, "t": t, "images": [_picture(first, s), _picture(trace, t)]})


def render_reliance(reliance: Reliance, joint: str) -> Message:
    """Rank the channels that a joint relies on, over time.

    Arrays: frames (n,) int32; shares (rows, n) float32, one row per channel of ``channels``, strongest first, and one
    for all others together, if there are others.
    """
    channels = top_channels(reliance.shares)
    rows = reliance.shares[:, channels].T
    if len(channels) < reliance.shares.shape[1]:
        rest = np.delete(reliance.shares, channels, axis=1).sum(1)
        rows = np.concatenate([rows, rest[None]])
    content = {"type": "reliance", "joint": joint, "channels": channels.tolist()}
    return write_message({**content, "frames": reliance.frames.astype(np.int32), "shares": rows.astype(np.float32)})


def _least(values: np.ndarray, is_square: bool) -> float:
    """The least similarity of two different frames, a little below 1 at most, so that the colours have a span."""
    others = values[~np.eye(len(values), dtype=bool)] if is_square else values
    return min(float(others[np.isfinite(others)].min(initial=1)), 1 - 1e-6)


def _picture(trace: TraceLike, t: int) -> bytes:
    if not 0 <= t < len(trace):
        raise FrameIndexError(f"expected a frame in 0..{len(trace) - 1}, got {t}")
    drawn = draw_skeleton(trace.clip.frame(t), np.asarray(trace.joints[t]), trace.skeleton)
    scale = min(1.0, PICTURE_HEIGHT / drawn.shape[0])
    across = scale * float(pixel_aspect(trace.clip))
    size = (max(1, round(drawn.shape[1] * across)), max(1, round(drawn.shape[0] * scale)))
    return encode_frame(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA))


def _check_choice(kernel: str, joints: Any) -> str:
    known = [*_CHOICES, *joints]
    if kernel not in known:
        raise ConfigError(f"there is no kernel {kernel!r}{nearest_name(kernel, known)} There are: {', '.join(known)}.")
    return kernel


class _LatestTask:
    """Runs tasks in a thread, one at a time; a new task replaces the one before, whose result is dropped."""

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self._current: object = None

    def ask(
        self,
        work: Callable[[Callable[[], bool]], Message],
        deliver: Callable[[Message], object],
        failed: Callable[[Exception], object],
    ) -> None:
        """Run ``work`` and call ``deliver`` with its result, or ``failed`` with the error that it raises.

        ``work`` is called with a function that tells whether the task was dropped meanwhile.
        """
        self._current = task = object()

        def dropped() -> bool:
            return self._current is not task

        def run() -> None:
            with self._busy:
                try:
                    result = None if dropped() else work(dropped)
                except Exception as error:
                    if not dropped():
                        failed(error)
                    return
            if result is not None and not dropped():
                deliver(result)

        start_thread(run, name="lineage")

    def drop(self) -> None:
        """Drop the task that is running, if any: its result is not delivered."""
        self._current = None
