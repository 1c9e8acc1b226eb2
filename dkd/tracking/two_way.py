"""Tracing of a person forwards and backwards in time from a box on any frame. This is ours: in the paper, the first
frame of a clip has the box.

    frames    0 ◀── 1 ◀── 2 ◀── origin ──▶ 4 ──▶ 5        an arrow: the kernels of one frame are matched in the next

Both directions are runs of the same model that start in the same frame with the same square, so that frame is the same
in both. The model was trained on motion forwards in time; it is used backwards unchanged.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from dkd.errors import FrameIndexError, checked
from dkd.models.base import VideoPoseModel
from dkd.tracking.conditions import Conditions
from dkd.tracking.interventions import Intervention
from dkd.tracking.opening import as_clip, as_part
from dkd.tracking.reinitialise import Reinitialise, Reinitialised
from dkd.tracking.trace import Trace
from dkd.tracking.tracker import Tracker
from dkd.video.protocols import ClipLike
from dkd.video.ranges import Backwards, ClipRange

Box = tuple[float, float, float, float]


@checked
def trace_person(
    model: VideoPoseModel | str | os.PathLike[str],
    clip: ClipLike | str | os.PathLike[str],
    box: Box | None = None,
    at: int | None = None,
    conditions: Conditions | None = None,
    *,
    start: int = 0,
    stop: int | None = None,
    engine: str | None = None,
    progress: bool = True,
    cancel: Callable[[], bool] | None = None,
) -> Trace:
    """Trace a person whose box is in any frame, forwards and backwards from it.

        trace_person("dkd-mobilenetv2", "video.mp4", box=(60, 40, 200, 220), at=120)

    Args:
        model, clip: as for :class:`~dkd.Trace`.
        box: box of the person (x0, y0, x1, y1) in pixels of frame ``at``; if omitted, the initializer searches for the
            person in that frame.
        at: frame of the clip that has the box; by default the first one of the part.
        conditions: as for a trace.
        start, stop: the part of the clip to trace, ``stop`` exclusive; by default all of it. Frames of the trace are
            counted from ``start``.
        engine, progress, cancel: as for a trace. ``cancel`` is called before each frame.

    Returns:
        A :class:`TwoWayTrace`; a plain :class:`~dkd.Trace` if ``at`` is the first frame of the part.

    Raises:
        FrameIndexError: unless 0 ≤ start ≤ at < stop ≤ the length of the clip.
        DKDError: as for :class:`~dkd.Trace`.
    """
    part = as_part(clip, start, stop)
    try:
        at = start if at is None else at
        if not start <= at < start + len(part):
            raise FrameIndexError(
                f"expected the frame of the box in the part that is traced, frames {start} to "
                f"{start + len(part) - 1}, got {at}"
            )
        if at == start:
            return Trace(model, part, box, conditions, engine=engine, progress=progress, cancel=cancel)
        return TwoWayTrace(model, part, box, at - start, conditions, engine=engine, progress=progress, cancel=cancel)
    except BaseException as error:
        _, opened = as_clip(part)
        if opened is not None and getattr(error, "trace", None) is None:
            opened.clip.close()
        raise


@checked
class TwoWayTrace(Trace):
    """Trace of a person from a box in the frame ``origin``, forwards and backwards; :func:`trace_person` makes one.

    It has everything that a :class:`~dkd.Trace` has, with frames numbered in the order of the clip. Before ``origin``,
    frame t + 1 is the past of frame t: its kernels are matched in t (:meth:`previous`), and an intervention in frame t
    changes frames t, t − 1, … 0. An intervention in ``origin`` changes both directions.

    The backward part runs first. Until it is complete, ``len()`` is 0; then the trace grows frame by frame like every
    trace, beginning with ``origin`` frames. A run in progress is described by ``n_traced``, ``latest`` and
    ``partial_joints``.

    Args:
        model, clip, conditions, ground_truth, ground_truth_kind, engine, progress, cancel: as for a trace. A corruption
            and a feedback get the number of frames since ``origin`` as t, in both directions.
        box: box of the person in pixels of frame ``origin``; if omitted, the initializer searches for the person there.
        origin: frame with the box.

    Attributes:
        forward, backward: the two runs, as traces whose frame 0 is ``origin``. They share the arrays of this one.

    Raises:
        FrameIndexError: there is no frame ``origin``.
        DKDError: as for a trace. If a frame cannot be read, the error's ``trace`` attribute has the frames up to it.
    """

    def __init__(
        self,
        model: VideoPoseModel | str | os.PathLike[str],
        clip: ClipLike | str | os.PathLike[str],
        box: Box | None = None,
        origin: int = 0,
        conditions: Conditions | None = None,
        *,
        ground_truth: np.ndarray | None = None,
        ground_truth_kind: str | None = None,
        engine: str | None = None,
        progress: bool = True,
        cancel: Callable[[], bool] | None = None,
    ):
        self._origin = int(origin)
        super().__init__(
            model, clip, box, conditions, ground_truth=ground_truth, ground_truth_kind=ground_truth_kind,
            engine=engine, progress=progress, cancel=cancel,
        )  # fmt: skip

    @property
    def origin(self) -> int:
        """Frame with the person's box, from which the run goes in both directions."""
        return self._origin

    # --- running -----------------------------------------------------------------------------------------------------

    def _begin(self, conditions: Conditions, n_wanted: int) -> None:
        if not 0 <= self._origin < len(self.clip):
            raise FrameIndexError(
                f"expected the frame of the box in 0..{len(self.clip) - 1} of {self.clip.name}, got {self._origin}"
            )
        super()._begin(conditions, max(n_wanted, self._origin + 1))
        self.backward = _Side(self, range(self._origin, -1, -1))
        self.forward = _Side(self, range(self._origin, self.n_wanted))
        self.calibration = self.forward.calibration

    def _start_tracker(self) -> None:
        """Do nothing: each direction has its tracker."""

    def _advance(self, notify: Callable[[], object], cancel: Callable[[], bool] | None) -> None:
        self.backward._advance(notify, cancel)
        if not self.backward.complete:
            return
        if self.forward._tracker.first_square is None:  # searched for only once
            self.forward._tracker.first_square = self.backward._tracker.first_square
        self._join()

        def joined() -> None:
            self._join()
            if len(self.forward) > 1:  # the frame of the box was counted in the other direction
                notify()

        self.forward._advance(joined, cancel)

    def _join(self) -> None:
        """Count the frames of the forward run that were traced since the last call."""
        self._collect_events()
        if not self._crops:
            self._crops = self.backward.crops[:0:-1]
        self._crops.extend(self.forward.crops[len(self._crops) - self._origin :])

    def _collect_events(self) -> None:
        runs = (self.backward, self.forward)
        self.reinitialised = sorted((one for run in runs for one in run.events()), key=lambda one: one.frame)
        self.dropped = sorted(run.frames[t] for run in runs for t in run.dropped)
        self._passes = {run.frames[t]: passes for run in runs for t, passes in dict(run._passes).items()}

    @property
    def n_traced(self) -> int:
        """Number of frames traced so far in both directions."""
        return len(self.backward) + max(len(self.forward) - 1, 0)

    @property
    def traced_frames(self) -> range:
        """Frames traced so far, around :attr:`origin`."""
        if self.backward.complete:
            return range(len(self))
        back, on = len(self.backward), len(self.forward)
        return range(self._origin - back + 1, self._origin + max(on, 1)) if back else range(0)

    @property
    def latest(self) -> int | None:
        """Frame that was traced last; ``None`` before the first one."""
        run = self.forward if self.backward.complete and len(self.forward) else self.backward
        return run.frames[len(run) - 1] if len(run) else None

    def in_progress(self) -> Trace:
        """Return a snapshot that has all of :attr:`traced_frames`, also while the backward part is not complete.

        In the frames before them it has no values, though ``len()`` counts them.
        """
        shown = copy.copy(self)
        shown._share_clip()
        runs = shown.backward, shown.forward = copy.copy(self.backward), copy.copy(self.forward)
        for run in runs:
            run._crops = run._crops.copy()
        crops = [*runs[0].crops[::-1], *runs[1].crops[1:]]
        shown._crops = crops[:1] * (self._origin + 1 - len(runs[0])) + crops if len(runs[0]) else []
        shown._collect_events()
        return shown

    @property
    def runs(self) -> tuple[Trace, ...]:
        """The backward and the forward run, as traces whose frame 0 is ``origin``."""
        return self.backward, self.forward

    # --- the same run under other conditions -------------------------------------------------------------------------

    def would_change(self, reinitialise: Reinitialise | None, refine: bool | None = None) -> bool:
        """Return whether :meth:`retrace` would change anything in one of the directions."""
        return any(run.would_change(reinitialise, refine) for run in (self.backward, self.forward))

    def first_change(self, changes: Sequence[Intervention]) -> int:
        """Return the first frame that interventions can change: 0 if one acts in ``origin`` or before it."""
        first = super().first_change(changes)
        return first if first > self._origin else 0

    def _copy_unchanged(self, base: Trace, changes: Sequence[Intervention]) -> None:
        assert isinstance(base, TwoWayTrace)
        for mine, its in ((self.backward, base.backward), (self.forward, base.forward)):
            mine._copy_unchanged(its, _renumbered(changes, mine.frames))
        if self.backward.complete:
            self._join()

    # --- recomputed by the run that has the frame ---------------------------------------------------------------------

    def picture(self, t: int) -> np.ndarray:
        """Return the whole frame t after interventions; see :meth:`dkd.Trace.picture`."""
        run, i = self._place(t)
        return run.picture(i)

    def network_pixels(self, t: int) -> np.ndarray:
        """Return the network's input in frame t; see :meth:`dkd.Trace.network_pixels`."""
        run, i = self._place(t)
        return run.network_pixels(i)

    def _place(self, t: int) -> tuple[_Side, int]:
        """Return the run that has frame t, and the frame's index in it."""
        run = self.forward if self._index(t) >= self._origin else self.backward
        return run, abs(t - self._origin)

    def close(self) -> None:
        """Free maps and kernels (and temporary files); see :meth:`dkd.Trace.close`."""
        for run in (self.backward, self.forward):
            run.close()
        super().close()


class _Side(Trace):
    """One direction of a two-way trace: a run over its part of the clip, which writes into the arrays of the whole.

    Args:
        whole: the two-way trace; its arrays are allocated.
        frames: frames of the whole in the order of this run; the first one has the box.

    Attributes:
        frames: as given.
    """

    def __init__(self, whole: TwoWayTrace, frames: range):
        self.frames = frames
        forward = frames.step > 0
        clip = ClipRange(whole.clip, frames[0], frames[-1] + 1) if forward else Backwards(whole.clip, frames[0])
        self._rows = {
            name: getattr(whole, name)[frames[0] : frames[-1] + 1 if forward else None : frames.step]
            for name in self._ARRAYS
        }
        self._opened = None  # the whole one closes the clip
        changes = _renumbered(whole.conditions.interventions, frames)
        self._prepare(
            whole.model, clip, whole.box, replace(whole.conditions, interventions=changes), None, None, None
        )  # fmt: skip

    def _allocate(self, n_wanted: int) -> None:
        rows, self._rows = self._rows, {}
        if not rows:  # a counterfactual of this run alone has arrays of its own
            super()._allocate(n_wanted)
        for name, values in rows.items():
            setattr(self, name, values)

    def _start_tracker(self) -> None:
        self._tracker = Tracker(self.model, self.clip, self.conditions, self.box, self.frames.__getitem__)
        self._tracker.notes = self._new_notes()
        self.calibration = self._tracker.calibration

    def events(self) -> list[Reinitialised]:
        """Return the re-initialisations with the frame numbers of the whole."""
        return [replace(one, frame=self.frames[one.frame]) for one in self.reinitialised]


def _renumbered(changes: Sequence[Intervention], frames: range) -> tuple[Intervention, ...]:
    """Return interventions with the frames of one direction, without those that do not act in it."""
    placed = (one.renumbered(frames) for one in changes)
    return tuple(one for one in placed if one is not None)
