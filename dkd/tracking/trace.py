"""Trace of a model's run over a clip, frame by frame, with all intermediate results for inspection.

Small results are kept for every frame (maps, kernels, joints); large ones (features) are recomputed on request
(:mod:`dkd.tracking.recompute`). The frames are tracked by a :class:`dkd.tracking.tracker.Tracker`.
"""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from dkd.engines.choice import accelerate, engine_of
from dkd.errors import ArgumentError, ConfigError, DKDError, ShapeError, checked
from dkd.io.background import is_ending
from dkd.models.base import VideoPoseModel
from dkd.pose.crops import check_box
from dkd.pose.labels import as_joints
from dkd.tracking.conditions import Conditions
from dkd.tracking.counterfactuals import Counterfactuals
from dkd.tracking.interventions import Intervention
from dkd.tracking.notes import Notes
from dkd.tracking.opening import as_clip, as_model
from dkd.tracking.patches import Patches
from dkd.tracking.pixels import frames_read
from dkd.tracking.progress import Preparation, ProgressBar
from dkd.tracking.record import Record
from dkd.tracking.reinitialise import Reinitialise, mean_confidence
from dkd.tracking.tracker import Tracker
from dkd.video.ahead import is_decoded, reading_ahead
from dkd.video.protocols import ClipLike

log = logging.getLogger(__name__)


@checked
class Trace(Record, Counterfactuals):
    """Run a model over a clip and record its results.

        Trace("dkd-mobilenetv2", "video.mp4")
        Trace(model, clip, box=(60, 40, 200, 220))
        Trace(model, clip, box, Conditions(smooth=OneEuro, reinitialise=Reinitialise()))

    Args:
        model: the model, which is set to eval mode; or the name of a shipped model, or the path of a checkpoint.
        clip: frames by index; or the path of a video, which is opened, and closed with the trace.
        box: box of the person (x0, y0, x1, y1) in pixels of the first frame; if omitted, the initializer searches for
            the person in the whole frame, in a few rounds.
        conditions: conditions of the run: feedback, corruption, smoother, re-initialisation, refinement, interventions;
            by default none of them, as in the paper.
        ground_truth: (T, J, 2) pixels, NaN where unknown, shown with the prediction.
        ground_truth_kind: description of the ground truth, such as ``"exact (rendered)"`` or ``"machine labels"``.
        stop: number of frames to run; all by default.
        engine: what runs the network: ``"torch"``, ``"onnxruntime"``, ``"openvino"``, ``"openvino-bf16"``, ``"cuda"``,
            ``"cuda-bf16"``, or ``"auto"`` for the fastest on this machine, which takes some seconds once. By default
            ``$DKD_ENGINE``, else ``"auto"``; see :func:`dkd.engines.choice.accelerate`.
        progress: whether to show a progress bar.
        cancel: called before each frame; if it returns true, the run stops there.

    A stopped trace (by ``cancel``, or by interrupting a cell) keeps its frames; ``complete`` is false, and :meth:`run`
    continues. All arrays have the length of the frames run so far. Maps and kernels of a long clip are stored in
    temporary files (:data:`dkd.tracking.storage.IN_MEMORY`).

    Attributes:
        model_name: name of the model in tables.
        skeleton: skeleton of the model.
        base: the trace from which this one was made by a change, or ``None``.
        calls: see :class:`~dkd.tracking.changes.Changes`.

    Raises:
        BoxError: the box is degenerate or outside the frame.
        ShapeError: the ground truth does not fit.
        ConfigError: an intervention acts on no frame of the clip, or on something the model does not have; or the
            engine is unknown or does not support the model.
        MissingExtraError: the engine's package is not installed.
        StorageError: a temporary file does not fit on the disk.
        CheckpointError: a model's file cannot be used.
        VideoError: the video cannot be opened; or a frame cannot be read: the trace of the frames before it is in the
            error's ``trace`` attribute.
    """

    def __init__(
        self,
        model: VideoPoseModel | str | os.PathLike[str],
        clip: ClipLike | str | os.PathLike[str],
        box: tuple[float, float, float, float] | None = None,
        conditions: Conditions | None = None,
        *,
        ground_truth: np.ndarray | None = None,
        ground_truth_kind: str | None = None,
        stop: int | None = None,
        engine: str | None = None,
        progress: bool = True,
        cancel: Callable[[], bool] | None = None,
    ):
        with Preparation(progress) as prepared:
            model = accelerate(as_model(model).eval(), engine, prepared)
        clip, self._opened = as_clip(clip)
        try:
            self._prepare(model, clip, box, conditions or Conditions(), ground_truth, ground_truth_kind, stop)
        except BaseException:
            if self._opened is not None:
                self._opened.clip.close()
            raise
        self._share_clip()
        self.run(progress=progress, cancel=cancel)

    @property
    def engine(self) -> str:
        """Name of the engine that runs the network, such as ``"torch"``."""
        return engine_of(self.model)

    # --- running -----------------------------------------------------------------------------------------------------

    def _prepare(
        self,
        model: VideoPoseModel,
        clip: ClipLike,
        box: tuple[float, float, float, float] | None,
        conditions: Conditions,
        ground_truth: np.ndarray | None,
        ground_truth_kind: str | None,
        stop: int | None,
    ) -> None:
        """Check the arguments, and start without frames."""
        if stop is not None and not isinstance(stop, int | np.integer):
            raise ShapeError(f"expected stop as a whole number of frames, got {stop!r}")
        n_wanted = len(clip) if stop is None else min(stop, len(clip))
        if n_wanted < 1:
            raise ShapeError(f"expected at least one frame to trace, got stop={stop} for a clip of {len(clip)}")
        n_joints = len(model.skeleton)
        if ground_truth is not None:
            ground_truth = as_joints(ground_truth, ("T", n_joints, 2), "ground truth", np.float32)
        if ground_truth is not None and len(ground_truth) < n_wanted:
            raise ShapeError(f"expected ground truth for {n_wanted} frames, got {len(ground_truth)}")
        self.box = None if box is None else check_box(box, clip.width, clip.height)
        self.model, self.model_name, self.skeleton, self.clip = model, model.name, model.skeleton, clip
        self._patches = Patches(clip.width, clip.height, model.config.input_size) if is_decoded(clip) else None
        self._ground_truth = ground_truth
        self.ground_truth_kind = ground_truth_kind or "ground truth"
        self._begin(conditions, n_wanted)

    def _begin(self, conditions: Conditions, n_wanted: int) -> None:
        """Start without frames, and allocate memory for all."""
        conditions.check(self.model, n_wanted)
        self.conditions = conditions
        self.base, self.calls = None, ()
        self._start_tracker()
        self._make_room(n_wanted)

    def _start_tracker(self) -> None:
        self._tracker = Tracker(self.model, self.clip, self.conditions, self.box)
        self._tracker.notes = self._new_notes()
        self.calibration = self._tracker.calibration

    def _new_notes(self) -> Notes:
        is_recorded = self.model.state_after(0, torch.zeros(1, *self.model.kernel_shape)) is not None
        return Notes(keeps_states=not is_recorded)

    def run(self, *, progress: bool = True, cancel: Callable[[], bool] | None = None) -> None:
        """Trace the remaining frames; a stopped trace continues with the same result."""
        bar = ProgressBar(
            total=self.n_wanted,
            initial=self.n_traced,
            desc=f"tracing {self.clip.name}",
            unit="frame",
            disable=not progress,
        )
        try:
            with bar:
                self._advance(bar.update, cancel)
        except KeyboardInterrupt:
            if not self.n_traced:
                raise
        except DKDError as error:
            error.trace = self  # type: ignore[attr-defined]
            raise
        if not self.complete:
            # A counterfactual is often stopped immediately on purpose: another thread continues it.
            is_news = self.base is None and self.n_traced and not is_ending()
            level = logging.WARNING if is_news else logging.INFO
            log.log(level, "stopped after %d of %d frames; trace.run() continues", self.n_traced, self.n_wanted)

    def _advance(self, notify: Callable[[], object], cancel: Callable[[], bool] | None) -> None:
        """Trace the remaining frames, and call ``notify`` after each. The next frames are decoded meanwhile."""
        if self._stops(cancel):
            return
        # The first run needs each frame once; those that change it look at the same places again.
        self._tracker.patches = patches = self._patches if self.base is not None else None
        self._tracker.clip = self.clip
        self._trace_next(notify)  # nothing is decoded ahead yet: a run may be stopped after one frame
        if self._stops(cancel):
            return
        frames = frames_read(self.conditions, range(len(self), self.n_wanted), patches)
        with reading_ahead(self.clip, frames) as self._tracker.clip:
            while True:
                self._trace_next(notify)
                if self._stops(cancel):
                    return

    def _stops(self, cancel: Callable[[], bool] | None) -> bool:
        return self.complete or bool(cancel and cancel()) or is_ending()

    def _trace_next(self, notify: Callable[[], object]) -> None:
        if self._tracker.t == len(self):  # otherwise it was interrupted between step and record
            self._tracker.step()
        assert self._tracker.last is not None
        self._keep(self._tracker.last)
        notify()

    @property
    def runs(self) -> tuple[Trace, ...]:
        """The runs of this trace in which each frame's past is the frame before it: only itself."""
        return (self,)

    # --- the same run under other conditions -------------------------------------------------------------------------

    def retrace(
        self,
        reinitialise: Reinitialise | None,
        *,
        refine: bool | None = None,
        progress: bool = False,
        cancel: Callable[[], bool] | None = None,
    ) -> Trace:
        """Run the same frames with a different policy for a lost track, or with none, or with joints refined or not.

        Args:
            reinitialise: the new policy.
            refine: whether the initializer refines the joints, see :class:`~dkd.Conditions`; ``None``: as in this run.
            progress, cancel: as for the trace itself.

        Returns:
            A new trace, which shares no mutable state with this one; or this trace itself if nothing would change, for
            instance because the track was never lost.

        Raises:
            ConfigError: joints of a per-frame model are to be refined.
        """
        if not self.would_change(reinitialise, refine):
            return self
        refined = self.conditions.refine if refine is None else refine
        made = self._under(replace(self.conditions, reinitialise=reinitialise, refine=refined), len(self))
        made.run(progress=progress, cancel=cancel)
        return made

    def would_change(self, reinitialise: Reinitialise | None, refine: bool | None = None) -> bool:
        """Return whether :meth:`retrace` would change anything: the track is or was lost, or joints differ."""
        if refine not in (None, self.conditions.refine):
            return True
        if reinitialise == self.conditions.reinitialise:
            return False
        if self.reinitialised or reinitialise is None:
            return bool(self.reinitialised)
        means = mean_confidence(self.confidence, self.hidden)
        return reinitialise.first_loss(means, self.calibrated, self.strange) is not None

    def _with(self, changes: Sequence[Intervention], call: str, cancel: Callable[[], bool] | None) -> Trace:
        """Return the run with more interventions; frames before them are copied from this one."""
        self._check_open()
        interventions = (*self.conditions.interventions, *changes)
        made = self._under(replace(self.conditions, interventions=interventions), self.n_wanted)
        made.base, made.calls = self, (*self.calls, call)
        made._copy_unchanged(self, changes)
        made.run(progress=False, cancel=cancel)
        return made

    def _under(self, conditions: Conditions, n_wanted: int) -> Trace:
        """Create a trace of the same model, clip and box, without any frames yet."""
        made = copy.copy(self)
        made._share_clip()
        made._begin(conditions, n_wanted)
        return made

    def first_change(self, changes: Sequence[Intervention]) -> int:
        """Return the first frame that interventions can change: all frames before it stay the same."""
        if wrong := [one for one in changes if not isinstance(one, Intervention)]:
            raise ArgumentError(f"expected interventions, got {wrong[0]!r}")
        return min([one.frames.start for one in changes], default=self.n_wanted)

    def _copy_unchanged(self, base: Trace, changes: Sequence[Intervention]) -> None:
        """Copy the frames that cannot differ from those of a run that lacks the last ``changes``.

        They are computed again if the run could not continue bit-identically after them: with a feedback, which may
        have state; and those after the last kept state of a model whose state the recorded data do not contain.
        """
        self._tracker.first_square = base._tracker.first_square
        stop = min(self.first_change(changes), len(base), self.n_wanted)
        if stop == 0 or (self.conditions.feedback is not None and self.model.hands_on):
            return
        state, notes = base._state_after(stop - 1), base._tracker.notes
        assert notes is not None, "a trace notes what others need to continue it"
        if state is None:
            stop, state = notes.last_state(stop)
        if stop == 0:
            return
        self._copy_frames(base, stop)
        searched = max(self._passes, default=None)
        self._tracker.resume(stop, state, self._step, searched, notes)

    def _state_after(self, t: int) -> Any:
        """Reconstruct the model's state after frame t from the recorded data; ``None`` if that is not possible."""
        started = max([0, *(one.frame for one in self.reinitialised if one.frame <= t)])
        streamed = t - started - sum(started < dropped <= t for dropped in self.dropped)
        kernels = torch.from_numpy(np.array(self._kernels[t]))[None].to(self.model.device)
        return self.model.state_after(streamed, kernels)

    def snapshot(self) -> Trace:
        """Return a trace of the current frames only, while another thread continues. Arrays are shared."""
        shown = copy.copy(self)
        shown._share_clip()
        n = len(self)
        shown._crops = self._crops[:n]
        shown._copy_events(self, n)
        return shown

    def in_progress(self) -> Trace:
        """Return a snapshot that has all of :attr:`traced_frames`."""
        return self.snapshot()

    def release(self) -> None:
        """Free the frames of a trace that was made by a change; :meth:`run` traces them again, with the same result.

        A history of many changes needs little memory if old traces are released. Frames in temporary files are kept.

        Raises:
            ConfigError: the trace was not made by a change (:attr:`base`).
        """
        self._check_open()
        if self.base is None:
            raise ConfigError("expected a trace that was made by a change, got an original one, which is not released")
        if isinstance(self._heatmaps, np.memmap):
            return
        base, calls = self.base, self.calls
        self._begin(self.conditions, self.n_wanted)
        self.base, self.calls = base, calls

    # --- closing -----------------------------------------------------------------------------------------------------

    def _share_clip(self) -> None:
        if self._opened is not None:
            self._opened.traces.add(self)

    def close(self) -> None:
        """Free maps and kernels (and temporary files).

        A clip that was given as a path is closed with the last trace that was made from it; a clip that was given as an
        object stays open, as it belongs to the caller.
        """
        super().close()
        if self.base is None and self._patches is not None:
            self._patches.clear()
        if self._opened is not None:
            self._opened.release(self)

    def __enter__(self) -> Trace:
        self._check_open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
