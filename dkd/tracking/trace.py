"""A trace: one model run over one clip, frame by frame, with everything that a person wants to look at afterwards.

Small things are kept for every frame (maps, kernels, joints); large ones (features) are computed again when asked for,
from the same pixels, so they are the same to the last bit. The square that the network sees follows the person: each
frame's crop is made from the joints of the frame before.
"""

from __future__ import annotations

import copy
import logging
import os
import tempfile
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from dkd.errors import ClosedError, ConfigError, DKDError, FrameIndexError, ShapeError, StorageError
from dkd.models.base import Feedback, PerFrameModel, PoseOutput, VideoPoseModel
from dkd.models.confidence import calibration_of
from dkd.models.dkd import DKD, DKDState, match
from dkd.pose.crops import BOX_MARGIN, JOINTS_MARGIN, Crop, box_to_crop, check_box, joints_to_box
from dkd.pose.heatmaps import decode_peaks
from dkd.pose.smoothing import Smoother
from dkd.tracking.counterfactuals import Counterfactuals
from dkd.tracking.interventions import Intervention, SwapReadouts, check_frames
from dkd.tracking.perturbations import Corruption
from dkd.tracking.reinitialise import CONFIDENT, Reinitialise, Reinitialised, approach, search

if TYPE_CHECKING:
    import pandas as pd

    from dkd.video.protocols import ClipLike

log = logging.getLogger(__name__)

# Our decision.
CENTRE_INERTIA, SIDE_INERTIA = 0.3, 0.8  # share of the old crop in the next one: scale should not pump
DEFAULT_MEMORY = 512 * 2**20


class Trace(Counterfactuals):
    """Run ``model`` over ``clip`` and keep what it did.

    Args:
        model: in eval mode is what you want; the trace sets it.
        clip: frames by index.
        box: the person (x0, y0, x1, y1) in pixels of the first frame; the whole frame if omitted, in which the
            initializer then searches for the person in a few rounds.
        ground_truth: (T, J, 2) pixels, NaN where unknown, to be shown beside the prediction.
        ground_truth_kind: what it is, for instance ``"exact (rendered)"`` or ``"machine labels"``.
        stop: number of frames to run, all if omitted.
        feedback: what the distillator is given instead of each H_t: see :meth:`dkd.models.DKD.start`.
        corrupt: changes the network's input (N, N, 3) uint8 RGB of frame t after cropping, for instance
            :func:`dkd.tracking.perturbations.occlude`; a pure function of both. Not asked in the search for the first box.
        smooth: changes the joints that are kept: called once a frame with (J, 2) pixels, (J,) scores, the time in
            seconds and the side of the network's square in pixels, for instance a :class:`dkd.pose.smoothing.OneEuro`. It
            may remember, so each trace needs its own. The square follows the joints as the model found them: what is
            seen does not depend on how it is reported.
        reinitialise: when to look for a lost person anew; by default never, which is the paper's mode. A frame in which
            the model was started anew is like frame 0: its maps are the initializer's, and a feedback's t is 0 there.
        interventions: what is changed in this run, one after the other; see :mod:`dkd.tracking.interventions`. The methods of
            :class:`~dkd.tracking.counterfactuals.Counterfactuals` make them.
        base: a run of the same model over the same clip, with the first of these interventions or none: its frames
            before the others act are taken over, not computed again. Of a model whose state is not kept (one that is
            neither a DKD nor a per-frame net) all frames are computed again.
        progress: show a progress bar.
        cancel: called before each frame; when it returns true the trace stops there.
        memory: bytes that maps and kernels may take in memory; a longer clip keeps them in a temporary file. A
            10-minute clip at 30 frames/s needs 1.0 GB with the default model (55 kB a frame).

    A trace that is stopped (``cancel``, or an interrupted cell) keeps the frames it has; ``complete`` is false and
    :meth:`run` goes on. All arrays have the length of what was run.

    Raises:
        BoxError: the box is degenerate or outside the frame.
        ShapeError: the ground truth does not fit.
        ConfigError: an intervention acts on no frame of the clip, or on something that the model does not have.
        StorageError: the temporary file does not fit on the disk.
        VideoError: a frame cannot be read; what was traced before it is in the error's ``trace`` attribute.
    """

    def __init__(
        self,
        model: VideoPoseModel,
        clip: ClipLike,
        box: tuple[float, float, float, float] | None = None,
        *,
        ground_truth: np.ndarray | None = None,
        ground_truth_kind: str | None = None,
        stop: int | None = None,
        feedback: Feedback | None = None,
        corrupt: Corruption | None = None,
        smooth: Smoother | None = None,
        reinitialise: Reinitialise | None = None,
        interventions: Sequence[Intervention] = (),
        base: Trace | None = None,
        progress: bool = True,
        cancel: Callable[[], bool] | None = None,
        memory: int = DEFAULT_MEMORY,
    ):
        self.model = model.eval()
        self.clip = clip
        self.skeleton = model.skeleton
        self.model_name = model.name
        n_joints, size = len(self.skeleton), model.map_size
        self._n_wanted = len(clip) if stop is None else min(stop, len(clip))
        if self._n_wanted < 1:
            raise ShapeError(f"expected at least one frame to trace, got stop={stop} for a clip of {len(clip)}")
        if ground_truth is not None and np.shape(ground_truth)[1:] != (n_joints, 2):
            raise ShapeError(f"expected ground truth of shape (T, {n_joints}, 2), got {np.shape(ground_truth)}")
        if ground_truth is not None and len(ground_truth) < self._n_wanted:
            raise ShapeError(f"expected ground truth for {self._n_wanted} frames, got {len(ground_truth)}")
        self._ground_truth = None if ground_truth is None else np.asarray(ground_truth, np.float32)
        self.ground_truth_kind = ground_truth_kind or "ground truth"
        self.box = None if box is None else check_box(box, clip.width, clip.height)
        self._feedback, self._corrupt, self._smooth = feedback, corrupt, smooth
        self.calibration = calibration_of(model)
        self.reinitialise = reinitialise
        self.reinitialised: list[Reinitialised] = []
        self.extra_passes = 0
        self._searched: list[int] = []
        self.dropped: list[int] = []
        self.interventions = tuple(interventions)
        self._check_interventions()
        self.base = base
        self._memory = memory
        # The two large arrays share one budget.
        shapes = [(self._n_wanted, n_joints, size, size), (self._n_wanted, *model.kernel_shape)]
        in_memory = 4 * sum(int(np.prod(s)) for s in shapes) <= memory
        self._heatmaps, self._kernels = (
            np.zeros(s, np.float32) if in_memory or 0 in s else _on_disk(s) for s in shapes
        )
        self._joints = np.full((self._n_wanted, n_joints, 2), np.nan, np.float32)
        self._raw_joints = self._joints if smooth is None else np.full_like(self._joints, np.nan)
        self._scores = np.zeros((self._n_wanted, n_joints), np.float32)
        self._crops: list[Crop] = []
        self._first_square: Crop | None = None
        self._state: Any = None
        self._closed = False
        if base is not None:
            self._take_over(base)
        self.run(progress=progress, cancel=cancel)

    # --- running -----------------------------------------------------------------------------------------------------

    def run(self, *, progress: bool = True, cancel: Callable[[], bool] | None = None) -> None:
        """Trace the frames that are still missing: a trace that was stopped goes on, with the same result."""
        self._check_open()
        bar = tqdm(
            total=self._n_wanted,
            initial=len(self),
            desc=f"tracing {self.clip.name}",
            unit="frame",
            disable=not progress,
        )
        try:
            with bar:
                while not self.complete and not (cancel and cancel()):
                    self._advance()
                    bar.update()
        except KeyboardInterrupt:
            if not len(self):
                raise
        except DKDError as error:
            error.trace = self  # type: ignore[attr-defined]
            raise
        if not self.complete:
            # A counterfactual is often stopped at once, on purpose: another thread runs it on.
            level = logging.WARNING if self.base is None else logging.INFO
            log.log(level, "stopped after %d of %d frames; trace.run() goes on", len(self), self._n_wanted)

    @torch.inference_mode()
    def _advance(self) -> None:
        t = len(self)
        if any(one.drops(t) for one in self.interventions):
            return self._hold(t)
        if t == 0 and self._first_square is None:
            self._first_square = self._first_crop()
        square = self._next_crop() if t else self._first_square
        assert square is not None
        for one in self.interventions:
            square = one.square(square, t)
        seen = self._see(t, square, self._state)
        found, anew = None, None
        if any(one.starts_anew(t) for one in self.interventions):
            anew, seen = self._started_anew(t, seen, square, "asked for")
        elif self._is_search_due(t):
            found, anew, seen = self._search(t, seen)
        self._heatmaps[t] = seen.heatmaps
        self._kernels[t] = seen.output.kernels[0].float().cpu().numpy()
        joints = seen.joints
        self._raw_joints[t] = joints
        self._scores[t] = seen.scores
        if self._smooth is not None:
            self._joints[t] = self._smooth(joints, self._scores[t], float(self.clip.times[t]), seen.crop.side)
        self._state = seen.state
        if found is not None:
            self._searched.append(t)
            self.extra_passes += found
        if anew is not None:
            self.reinitialised.append(anew)
        self._crops.append(seen.crop)  # last: len(self) counts whole frames only

    def _hold(self, t: int) -> None:
        """A frame that never arrives: all stays as it was."""
        for kept in (self._heatmaps, self._kernels, self._raw_joints, self._joints, self._scores):
            kept[t] = kept[t - 1]
        self.dropped.append(t)
        self._crops.append(self._crops[t - 1])

    def _see(self, t: int, crop: Crop, state: Any) -> _Seen:
        """One pass of the model over a square of frame t, from a state; without one it is started."""
        image, hand_on = self._network_input(t, crop), self._handing_on(t, state is not None)
        if state is None:
            output, after = self.model.start(image, hand_on)
        else:
            output, after = self.model.step(image, state, hand_on)
        maps, kernels = output.heatmaps, output.kernels
        for one in self.interventions:
            maps = maps if state is None else one.maps(maps)
            kernels = one.kernels(kernels, t)
        if kernels is not output.kernels:
            after = after._replace(kernels=kernels)
        output = output._replace(heatmaps=maps, kernels=kernels)
        heatmaps = maps[0].float().cpu()
        peaks, scores = decode_peaks(heatmaps)
        joints = crop.to_frame(peaks.numpy(), self.model.map_size)
        return _Seen(crop, output, after, heatmaps.numpy(), joints, scores.numpy())

    def _handing_on(self, t: int, matched: bool) -> Feedback | None:
        """What H_t becomes on its way to the distillator: by the user's feedback, then by interventions."""
        if not self.interventions:
            return self._feedback

        def hand_on(maps: Tensor, streamed: int) -> Tensor:
            for one in self.interventions:
                maps = one.maps(maps) if matched else maps
            maps = maps if self._feedback is None else self._feedback(maps, streamed)
            for one in self.interventions:
                maps = one.handed_on(maps, t, self.skeleton)
            return maps

        return hand_on

    def _look(self, t: int, crop: Crop, clean: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """What the initializer sees in a square of frame t: (J, 2) joints in pixels of the frame, (J,) scores."""
        maps = self.model.initialise(self._network_input(t, crop, clean))[0].float().cpu()
        peaks, scores = decode_peaks(maps)
        return crop.to_frame(peaks.numpy(), self.model.map_size), scores.numpy()

    def _is_search_due(self, t: int) -> bool:
        policy = self.reinitialise
        if policy is None:
            return False
        means = self._confidence(self._scores[max(0, t - policy.patience) : t]).mean(-1)
        return policy.is_due(means, t, self._searched[-1] if self._searched else None, self.calibrated)

    def _search(self, t: int, going_on: _Seen) -> tuple[int, Reinitialised | None, _Seen]:
        """Look for the person anew in frame t: passes that it took, what is noted, and what holds for the frame."""
        policy = self.reinitialise
        assert policy is not None
        found = search(lambda crop: self._look(t, crop), going_on.crop, self.clip.width, self.clip.height)
        before, after = (float(self._confidence(s).mean()) for s in (going_on.scores, found.scores))
        if after <= before + policy.gain:
            return found.passes, None, going_on
        limit, what = policy.limit(self.calibrated), "confidence" if self.calibrated else "score"
        reason = f"mean {what} below {limit:g} in frames {t - policy.patience} to {t - 1}"
        return found.passes + 1, *self._started_anew(t, going_on, found.crop, reason)

    def _started_anew(self, t: int, going_on: _Seen, crop: Crop, reason: str) -> tuple[Reinitialised, _Seen]:
        """Frame t seen by the initializer in a square, beside what it would have been."""
        seen = self._see(t, crop, None)
        before, after = (float(self._confidence(one.scores).mean()) for one in (going_on, seen))
        return Reinitialised(t, reason, before, after), seen

    def _network_input(self, t: int, crop: Crop, clean: bool = False) -> Tensor:
        pixels = self._pixels(t, crop, clean)
        return torch.from_numpy(pixels).to(self.model.device).permute(2, 0, 1)[None] / 255

    def _pixels(self, t: int, crop: Crop, clean: bool = False) -> np.ndarray:
        frame = self.clip.frame(t) if clean else self._picture(t, crop)
        pixels = crop.extract(frame, self.model.config.input_size)
        if self._corrupt is None or clean:
            return pixels
        corrupted = self._corrupt(pixels, t)
        if corrupted.shape != pixels.shape or corrupted.dtype != np.uint8:
            raise ShapeError(
                f"expected corrupt to return {pixels.shape} uint8, got {corrupted.shape} {corrupted.dtype} at frame {t}"
            )
        return np.ascontiguousarray(corrupted)

    def _picture(self, t: int, crop: Crop) -> np.ndarray:
        shown = t
        for one in self.interventions:
            shown = one.source(shown)
        image = self.clip.frame(shown)
        for one in self.interventions:
            image = one.picture(image, t, crop)
        return image

    def _first_crop(self) -> Crop:
        if self.box is not None:
            return box_to_crop(self.box, BOX_MARGIN)
        whole = box_to_crop((0, 0, self.clip.width, self.clip.height), 1.0)
        return approach(lambda crop: self._look(0, crop, clean=True), whole)[1]

    def _next_crop(self) -> Crop:
        """The crop after the last traced frame: around its confident joints, with some inertia."""
        old = self._crops[-1]
        confident = self._scores[len(self) - 1] >= CONFIDENT
        joints = self._raw_joints[len(self) - 1]
        box = joints_to_box(joints[confident]) if confident.sum() * 2 >= len(confident) else None
        if box is None:
            return old
        new = box_to_crop(box, JOINTS_MARGIN)
        side = SIDE_INERTIA * old.side + (1 - SIDE_INERTIA) * new.side
        side = min(max(side, 32.0), 3.0 * max(self.clip.width, self.clip.height))
        x = CENTRE_INERTIA * (old.left + old.side / 2) + (1 - CENTRE_INERTIA) * (new.left + new.side / 2)
        y = CENTRE_INERTIA * (old.top + old.side / 2) + (1 - CENTRE_INERTIA) * (new.top + new.side / 2)
        return Crop(x - side / 2, y - side / 2, side)

    # --- from another run -------------------------------------------------------------------------------------------

    def _check_interventions(self) -> None:
        for one in self.interventions:
            check_frames(one, self._n_wanted)
            if (one.needs_kernels and not self.model.has_kernels) or (one.needs_past and not self.model.hands_on):
                what = "kernels" if one.needs_kernels else "maps that it hands on"
                raise ConfigError(
                    f"{type(one).__name__} changes a model's {what}; {self.model.name} has none: change the input "
                    "instead, or trace a DKD"
                )

    def _take_over(self, base: Trace) -> None:
        """Take the frames of another run over that this one's interventions leave as they are."""
        base._check_open()
        known = base.interventions
        if (base.model, base.clip, base.box) != (self.model, self.clip, self.box) or (
            self.interventions[: len(known)] != known
        ):
            raise ConfigError("expected a base of the same model, clip and box, with the first of these interventions")
        self._first_square = base._first_square
        first = min([one.start for one in self.interventions[len(known) :]], default=len(base))
        first = min(first, len(base), self._n_wanted)
        if first == 0:
            return
        state = base._state_after(first - 1)
        if state is None:
            return
        for name in ("_heatmaps", "_kernels", "_joints", "_raw_joints", "_scores"):
            getattr(self, name)[:first] = getattr(base, name)[:first]
        self._crops = base._crops[:first]
        self.reinitialised = [anew for anew in base.reinitialised if anew.frame < first]
        self._searched, self.dropped = ([t for t in ts if t < first] for ts in (base._searched, base.dropped))
        self._state = state

    def _state_after(self, t: int) -> Any:
        """What the model carried on from frame t, made again from what was kept; ``None`` if that was not kept."""
        started = max([0, *(anew.frame for anew in self.reinitialised if anew.frame <= t)])
        streamed = t - started - sum(started < dropped <= t for dropped in self.dropped)
        if isinstance(self.model, DKD):
            return DKDState(torch.from_numpy(np.array(self._kernels[t]))[None].to(self.model.device), streamed)
        return streamed if isinstance(self.model, PerFrameModel) else None

    def retrace(
        self,
        reinitialise: Reinitialise | None,
        *,
        progress: bool = False,
        cancel: Callable[[], bool] | None = None,
    ) -> Trace:
        """The same run over the same frames with another policy for a lost track, or with none.

        Args:
            reinitialise: the other policy.
            progress, cancel: as for the trace itself.

        Returns:
            a new trace, which shares nothing with this one that changes; this trace itself where the other policy would
            change nothing: the track was never lost.

        Raises:
            ConfigError: this trace has a feedback or a smoother, which may remember what it saw: make the trace anew.
        """
        self._check_open()
        if not self.would_change(reinitialise):
            return self
        if not self.can_retrace:
            raise ConfigError(
                f"expected a trace without a feedback and a smoother, which may remember; {self.model_name} was given "
                "one: make the trace anew, with reinitialise=..."
            )
        trace = Trace(
            self.model, self.clip, self.box,
            ground_truth=self._ground_truth, ground_truth_kind=self.ground_truth_kind, stop=len(self),
            corrupt=self._corrupt, reinitialise=reinitialise, interventions=self.interventions,
            progress=progress, cancel=cancel, memory=self._memory,
        )  # fmt: skip
        trace.model_name = self.model_name
        return trace

    @property
    def can_retrace(self) -> bool:
        """Whether :meth:`retrace` can make this run anew: it has no feedback and no smoother, which may remember."""
        return self._feedback is None and self._smooth is None

    def would_change(self, reinitialise: Reinitialise | None) -> bool:
        """Whether :meth:`retrace` has anything to do with this policy: the track is lost, or was found anew."""
        if reinitialise == self.reinitialise:
            return False
        if self.reinitialised or reinitialise is None:
            return bool(self.reinitialised)
        return reinitialise.first_loss(self.confidence.mean(-1), self.calibrated) is not None

    # --- what was kept -----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Number T of frames traced so far."""
        return len(self._crops)

    @property
    def complete(self) -> bool:
        """All wanted frames are traced."""
        return len(self) == self._n_wanted

    def snapshot(self) -> Trace:
        """This trace as it is now: its length stays, while another thread runs this one on. Shares all arrays."""
        shown = copy.copy(self)
        shown._crops = list(self._crops)
        n = len(shown)
        shown.reinitialised = [anew for anew in self.reinitialised if anew.frame < n]
        shown.dropped = [t for t in self.dropped if t < n]
        return shown

    @property
    def n_wanted(self) -> int:
        """Number of frames that it has once it is complete."""
        return self._n_wanted

    @property
    def times(self) -> np.ndarray:
        """(T,) seconds from the clip's start."""
        return self.clip.times[: len(self)]

    @property
    def joints(self) -> np.ndarray:
        """(T, J, 2) float32 x, y in pixels of the frame; smoothed, where the trace was given a smoother."""
        return self._joints[: len(self)]

    @property
    def raw_joints(self) -> np.ndarray:
        """(T, J, 2) the joints before smoothing: the maps' peaks, which the crop follows."""
        return self._raw_joints[: len(self)]

    @property
    def scores(self) -> np.ndarray:
        """(T, J) float32 height of each map's peak, about 0..1."""
        return self._scores[: len(self)]

    @property
    def calibrated(self) -> bool:
        """Whether :attr:`confidence` is a probability: the model's checkpoint has a calibration (``calibration``)."""
        return self.calibration is not None

    @property
    def confidence(self) -> np.ndarray:
        """(T, J) float32 in 0..1: the probability that the joint lies within 0.1 × the larger side of the person's box.

        It is read off the score by the model's :class:`~dkd.models.confidence.Calibration`. A model without one has none:
        then these are the scores, clipped to 0..1, and :attr:`calibrated` is false.
        """
        return self._confidence(self.scores)

    def _confidence(self, scores: np.ndarray) -> np.ndarray:
        return np.clip(scores, 0, 1) if self.calibration is None else self.calibration(scores)

    def from_initializer(self, t: int) -> bool:
        """Whether frame t's maps are not matched: the initializer's in frame 0 and where the model was started anew; or
        those of the frame before, where t was dropped by an intervention (``dropped``, a list of frames).

        Frames that were started anew are noted in ``reinitialised``, a list of
        :class:`~dkd.tracking.reinitialise.Reinitialised`; the passes of the network beyond one a frame, in ``extra_passes``.
        """
        return t == 0 or t in self.dropped or any(anew.frame == t for anew in self.reinitialised)

    @property
    def heatmaps(self) -> np.ndarray:
        """(T, J, H, W) float32 H_t; the initializer's in frame 0 and where :meth:`from_initializer` says so."""
        return self._heatmaps[: len(self)]

    @property
    def kernels(self) -> np.ndarray:
        """(T, C, S, S) float32 K̃_t, distilled *from* frame t and matched *in* frame t+1; C = 0 in a model without."""
        return self._kernels[: len(self)]

    @property
    def crops(self) -> list[Crop]:
        """T squares of the frame that the network saw."""
        return self._crops

    @property
    def ground_truth(self) -> np.ndarray | None:
        """(T, J, 2) pixels, or ``None``."""
        return None if self._ground_truth is None else self._ground_truth[: len(self)]

    @property
    def readout(self) -> np.ndarray:
        """(J, C) U, the static read-out; C = 0 in a model without kernels."""
        if not isinstance(self.model, DKD):
            return np.zeros((len(self.skeleton), 0), np.float32)
        return self.model.readout.weight.detach().cpu().numpy()[self._readout_order(), :, 0, 0]

    @property
    def bias(self) -> np.ndarray:
        """(J,) the read-out's bias; zeros in a model without kernels."""
        if not isinstance(self.model, DKD):
            return np.zeros(len(self.skeleton), np.float32)
        return self.model.readout.bias.detach().cpu().numpy()[self._readout_order()]  # type: ignore[union-attr]

    def _readout_order(self) -> list[int]:
        """Which row of U each joint reads with: its own, unless an intervention swapped them."""
        order = list(range(len(self.skeleton)))
        for one in self.interventions:
            if isinstance(one, SwapReadouts):
                order = [order[i] for i in one.order(len(order))]
        return order

    # --- what is computed again --------------------------------------------------------------------------------------

    def picture(self, t: int) -> np.ndarray:
        """(H, W, 3) uint8 RGB of the whole frame t, as interventions left it; that of the clip where there are none."""
        return self._picture(self._index(t), self._crops[t])

    def network_pixels(self, t: int) -> np.ndarray:
        """(N, N, 3) uint8 RGB that the network saw in frame t: cropped, and corrupted where the trace was told to."""
        return self._pixels(self._index(t), self._crops[t])

    @torch.inference_mode()
    def features(self, t: int) -> np.ndarray:
        """(C, H, W) float32 F_t ≥ 0, encoded again from the same crop."""
        return self._dkd().encode(self._network_input(self._index(t), self._crops[t]))[0].cpu().numpy()

    @torch.inference_mode()
    def projected(self, t: int) -> np.ndarray:
        """(C, H, W) float32 V · F_t: what the kernels are matched with."""
        return self._dkd().projection(torch.from_numpy(self.features(t)).to(self.model.device)[None])[0].cpu().numpy()

    def effective_kernel(self, t: int, joint: str | int) -> np.ndarray:
        """(C, S, S) the kernel of one joint as distilled from frame t: channel c is U[joint, c] · K̃_t[c]."""
        return self.readout[self.skeleton.index(joint)][:, None, None] * self._kernels[self._index(t)]

    @torch.inference_mode()
    def contributions(self, t: int, joint: str | int) -> np.ndarray:
        """(C, H, W) what each channel adds to ``heatmaps[t, joint]``: U[joint, c] · (K̃_{t−1}[c] ⊛ (V F_t)_c).

        Their sum over c plus ``bias[joint]`` is the heatmap.

        Raises:
            FrameIndexError: t is outside the trace, or its maps are the initializer's, not matched: frame 0, and where
                the model was started anew (:meth:`from_initializer`).
        """
        if self.from_initializer(self._index(t)):
            raise FrameIndexError(
                f"frame {t} has no contributions: its maps come from the initializer; ask for "
                + ("t ≥ 1" if t == 0 else f"another frame, such as {t + 1}")
            )
        projected, kernels = torch.from_numpy(self.projected(t)), torch.from_numpy(np.array(self._kernels[t - 1]))
        matched = match(projected[None], kernels[None])[0]
        return self.readout[self.skeleton.index(joint)][:, None, None] * matched.numpy()

    def _dkd(self) -> DKD:
        if not isinstance(self.model, DKD):
            raise ConfigError(
                f"expected a DKD, got {self.model_name}, which has no kernels; trace a DKD to see features matched"
            )
        return self.model

    # --- measures over time ------------------------------------------------------------------------------------------

    def speed(self) -> np.ndarray:
        """(T, J) pixels a second from the frame before; 0 in frame 0."""
        out = np.zeros(self.scores.shape, np.float32)
        if len(self) > 1:
            step = np.linalg.norm(np.diff(self.joints, axis=0), axis=-1)
            out[1:] = step / np.maximum(np.diff(self.times), 1e-6)[:, None]
        return out

    def kernel_drift(self) -> np.ndarray:
        """(T,) 1 − cos(K̃_t, K̃_{t−1}), all channels as one vector; 0 to 2; 0 in frame 0 and without kernels."""
        out = np.zeros(len(self), np.float32)
        if not self._kernels.size:
            return out
        for t in range(1, len(self)):  # one frame at a time: a long trace's kernels lie on disk
            a, b = self._kernels[t].ravel(), self._kernels[t - 1].ravel()
            out[t] = 1 - a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12)
        return out

    def to_frame(self) -> pd.DataFrame:
        """A tidy table, a row a joint a frame: ``frame, time_s, joint, x, y, score``."""
        import pandas as pd

        n, joints = len(self), self.skeleton.joints
        return pd.DataFrame(
            {
                "frame": np.repeat(np.arange(n), len(joints)),
                "time_s": np.repeat(self.times, len(joints)),
                "joint": np.tile(np.array(joints), n),
                "x": self.joints[..., 0].ravel(),
                "y": self.joints[..., 1].ravel(),
                "score": self.scores.ravel(),
            }
        )

    # --- the end -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Give maps and kernels back (and the temporary file). The clip stays open: it is the caller's."""
        self._closed = True
        self._heatmaps = self._kernels = np.zeros((0,), np.float32)
        self._crops = []
        self._state = None

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("this trace was closed; make a new one")

    def _index(self, t: int) -> int:
        self._check_open()
        if not 0 <= t < len(self):
            raise FrameIndexError(f"frame {t} is outside the trace's frames 0..{len(self) - 1}")
        return int(t)

    def __repr__(self) -> str:
        state = "" if self.complete else f" of {self._n_wanted} (stopped)"
        return f"<Trace of {self.clip.name!r} by {self.model_name}: {len(self)}{state} frames, {self.skeleton.name}>"


class _Seen(NamedTuple):
    """One pass of the model over a square of a frame: (J, H, W) maps, (J, 2) joints in the frame, (J,) scores."""

    crop: Crop
    output: PoseOutput
    state: Any
    heatmaps: np.ndarray
    joints: np.ndarray
    scores: np.ndarray


def _on_disk(shape: tuple[int, ...]) -> np.ndarray:
    """A zeroed float32 array in a temporary file that goes with the array.

    The file is written out first: a full disk is an error here and now, not a bus error in the middle of a run.
    """
    handle, name = tempfile.mkstemp(prefix="dkd-trace-", suffix=".tmp")
    remaining = 4 * int(np.prod(shape))
    block = bytes(2**24)
    try:
        with os.fdopen(handle, "wb") as file:
            while remaining > 0:
                remaining -= file.write(block[: min(len(block), remaining)])
        array = np.memmap(name, np.float32, mode="r+", shape=shape)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise StorageError(
            f"a trace of this length needs {4 * int(np.prod(shape)) / 1e9:.1f} GB in {tempfile.gettempdir()}: {error}. "
            "Free some space, set TMPDIR to a larger disk, or trace fewer frames (stop=...)."
        ) from error
    weakref.finalize(array, Path(name).unlink, missing_ok=True)
    return array
