"""Tracker of one person through a clip: in each frame, choose a crop, run the model, and decide on the result.

A :class:`Tracker` keeps only what the next step needs; a :class:`dkd.tracking.trace.Trace` records all steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from dkd.engines.accelerated import AcceleratedDKD
from dkd.models.base import Feedback, PoseOutput, VideoPoseModel
from dkd.models.confidence import Calibration, calibration_of
from dkd.models.dkd import DKD
from dkd.pose.crops import BOX_MARGIN, Crop, box_to_crop
from dkd.pose.heatmaps import decode_peaks
from dkd.tracking.appearance import look_at, places
from dkd.tracking.body import Body
from dkd.tracking.conditions import Conditions
from dkd.tracking.interventions import Context, Pose, change_handed_on
from dkd.tracking.notes import Notes
from dkd.tracking.patches import Patches
from dkd.tracking.pixels import as_input, network_pixels, unchanged_source
from dkd.tracking.refined import Refiner
from dkd.tracking.reinitialise import Reinitialise, Reinitialised, approach, mean_confidence, search
from dkd.tracking.squares import next_square
from dkd.tracking.steady import SteadyPeaks
from dkd.tracking.step import Marks, Step
from dkd.video.protocols import ClipLike


class Tracker:
    """Track a person through a clip with a model.

    Args:
        model: the model, which is set to eval mode.
        clip: frames by index.
        conditions: conditions of the run; by default as in the paper. New feedback and smoother objects are created
            for this run.
        box: box of the person (x0, y0, x1, y1) in pixels of the first frame; ``None``: the initializer searches for
            the person in the whole frame, in a few rounds.
        name_frame: converts an index of ``clip`` to the frame number that texts state.

    Attributes:
        t: index of the next frame.
        last: result of the previous frame; ``None`` at first.
        first_square: crop of frame 0, before interventions; ``None`` until it is determined.
        calibration: calibration of the model's scores, or ``None``.
        refiner: what makes joints more exact; ``None`` if nothing does.
        patches: parts of frames that are used instead of the frames, and kept; ``None`` by default.
        notes: what another run needs to continue this one; ``None``, by default, if no other will.
    """

    def __init__(
        self,
        model: VideoPoseModel,
        clip: ClipLike,
        conditions: Conditions | None = None,
        box: tuple[float, float, float, float] | None = None,
        name_frame: Callable[[int], int] = int,
    ):
        self.model = model.eval()
        self.clip = clip
        self.conditions = conditions = conditions or Conditions()
        self.box = box
        self.calibration = calibration_of(model)
        self._name_frame = name_frame
        self.t = 0
        self.last: Step | None = None
        self.first_square: Crop | None = None
        self.patches: Patches | None = None
        self._feedback = conditions.feedback() if conditions.feedback else None
        self.refiner = Refiner(self.model) if conditions.refine else None
        self._steady = SteadyPeaks() if conditions.peaks == "steady" else None
        self._smooth = conditions.smooth() if conditions.smooth else None
        self._state: Any = None
        policy = conditions.reinitialise
        self._recent: deque[Step] = deque(maxlen=policy.patience if policy else 0)
        self._corrects = any(one.corrects for one in conditions.interventions)
        self._searched: int | None = None  # the last frame with a search
        self._places = places(model.skeleton)
        self._body, self._seen_at = Body(model.skeleton), 0  # and the last frame that was not dropped
        self.notes: Notes | None = None

    @torch.inference_mode()
    def step(self) -> Step:
        """Track the next frame.

        Returns:
            The result. After an error or an interrupt, the next call retries the same frame.

        Raises:
            VideoError: the frame cannot be read.
        """
        t = self.t
        if any(one.drops(t) for one in self.conditions.interventions):
            return self._commit(self._dropped(t))
        square = self._square(t)
        going_on = self._see(t, square, self._state)
        seen, reinitialised, passes = self._decide(t, square, going_on)
        pose = self._corrected(t, seen.joints, seen.scores)
        raw = pose.joints.astype(np.float32)
        joints = self._reported(t, pose, seen.heatmaps, seen.crop, reinitialised is not None, seen.pixels)
        joints = np.where(pose.given[:, None], raw, joints) if self._corrects else joints
        kernels = seen.output.kernels[0].float().cpu().numpy()
        self._state = seen.state
        marks = Marks(seen.joints.astype(np.float32), pose.corrected, pose.hidden) if self._corrects else None
        return self._commit(
            Step(
                seen.crop, seen.heatmaps, kernels, raw, joints, pose.scores,
                reinitialised, passes is not None, passes or 0,
                marks=marks, look=self._look_of(seen.pixels, seen.crop, raw),
            )
        )  # fmt: skip

    def _corrected(self, t: int, joints: np.ndarray, scores: np.ndarray, hidden: np.ndarray | None = None) -> Pose:
        """Apply the corrections of frame t to a pose: the model's, or that of the frame before a dropped one."""
        pose = Pose.of_model(joints, scores)
        pose = pose if hidden is None else pose._replace(hidden=hidden)
        for one in self.conditions.interventions:
            pose = one.reported(pose, t, self.model.skeleton)
        return pose

    def _reported(
        self, t: int, pose: Pose, heatmaps: np.ndarray, crop: Crop, is_new: bool, pixels: np.ndarray
    ) -> np.ndarray:
        """Return the joints (J, 2) that are reported for frame t; ``is_new``: after a new start there is no past."""
        joints, fixed = pose.joints, pose.given | pose.corrected
        if self._steady is not None:
            height = None if is_new else self._body.height
            joints = (
                self._steady.start(joints)
                if height is None
                else self._steady.follow(heatmaps, crop, joints, height, fixed)
            )
        if self.refiner is not None and t and not is_new:  # else the maps are the initializer's already
            joints = self.refiner.refine(heatmaps, pixels, crop, joints, fixed)
        if self._smooth is not None:
            joints = self._smooth(joints, pose.scores, float(self.clip.times[t]), crop.side)
        return joints.astype(np.float32)

    def _dropped(self, t: int) -> Step:
        """Report the last frame again; a correction of the dropped frame only changes what is reported."""
        assert self.last is not None, "frame 0 is never dropped"
        step = self.last._replace(dropped=True, reinitialised=None, searched=False, extra_passes=0)
        if self._corrects:
            assert step.marks is not None
            pose = self._corrected(t, step.raw_joints, step.scores, step.marks.hidden)
            raw = pose.joints.astype(np.float32)
            joints = np.where(pose.corrected[:, None], raw, step.joints)
            marks = Marks(step.raw_joints, pose.corrected, pose.hidden)
            step = step._replace(raw_joints=raw, joints=joints, scores=pose.scores, marks=marks)
        return step

    def _commit(self, step: Step) -> Step:
        if not step.dropped:
            self._remember(self.t, step)
            step = step._replace(counted=self._body.counted, strange=self._body.strange)
        self._recent.append(step)
        if step.searched:
            self._searched = self.t
        self.last, self.t = step, self.t + 1
        self._note_body(self.t)
        if self.notes is not None:
            self.notes.note_state(self.t, self._state)
        return step

    def _note_body(self, t: int) -> None:
        if self.notes is not None:
            self.notes.note_body(t, self._body, self._seen_at)

    def _remember(self, t: int, step: Step) -> None:
        """Let the remembered body follow the result of frame t."""
        joints = step.raw_joints.astype(np.float64)
        if any(one.holds_square(t) for one in self.conditions.interventions):
            self._body = Body(self.model.skeleton)  # a person has drawn the box, perhaps of somebody else
        is_sure = self._mean_confidence(step.scores) >= Reinitialise().limit(self.calibration is not None)
        if self._body.height is None or step.reinitialised is not None:
            self._body.start(joints, step.scores, step.crop, step.look, is_sure)
        else:
            given = None if step.marks is None else step.marks.corrected
            self._body.follow(joints, step.scores, step.look, self._seconds(t), given, is_sure)
        self._seen_at = t

    def _seconds(self, t: int) -> float:
        """Return the time between the last frame that was not dropped and frame t."""
        return float(self.clip.times[t] - self.clip.times[self._seen_at])

    def _look_of(self, pixels: np.ndarray, crop: Crop, joints: np.ndarray) -> np.ndarray:
        """Measure the colours at joints (J, 2) in pixels of the frame, in the network's input of a crop."""
        return look_at(pixels, self._places @ crop.to_grid(joints, len(pixels)))

    @torch.inference_mode()
    def resume(self, t: int, state: Any, past: Callable[[int], Step], searched: int | None, notes: Notes) -> None:
        """Continue after frames that another run has tracked in the same way.

        Args:
            t: index of the next frame, ≥ 1.
            state: state of the model after the previous frame.
            past: returns one of those t frames; they are passed to what chooses and smooths the reported joints.
            searched: the last of them with a search.
            notes: the other run's.
        """
        self.notes = notes = notes.until(t)
        begin, has_past = max(notes.bodies, default=0), self._smooth is not None or self._steady is not None
        if begin and not has_past:
            body, self._seen_at = notes.bodies[begin]
            self._body = body.copy()
        for frame in range(0 if has_past else begin, t):
            step = past(frame)
            if has_past and not step.dropped:
                # The peaks in full precision, as they were: the recorded ones are rounded.
                heatmaps = np.array(step.heatmaps)
                pose = self._corrected(frame, *_peaks(torch.from_numpy(heatmaps), step.crop))
                pixels = self._pixels(frame, step.crop, self.conditions) if self.conditions.refine else np.zeros(0)
                self._reported(frame, pose, heatmaps, step.crop, step.reinitialised is not None, pixels)
            if not step.dropped:
                self._remember(frame, step)
            self._note_body(frame + 1)
        self.last = past(t - 1)
        self._recent.extend(past(frame) for frame in range(max(0, t - (self._recent.maxlen or 0)), t))
        self.t, self._state, self._searched = t, state, searched

    # --- crop --------------------------------------------------------------------------------------------------------

    def _square(self, t: int) -> Crop:
        if self.last is not None:
            last, size = self.last, (self.clip.width, self.clip.height)
            if self.conditions.square == "person":
                square = self._body.square(last.crop, self._seconds(t), *size)
            else:
                square = next_square(last.crop, last.raw_joints, last.scores, *size)
        else:
            if self.first_square is None:
                self.first_square = self._first_square()
            square = self.first_square
        for one in self.conditions.interventions:
            square = one.square(square, t)
        return square

    def _first_square(self) -> Crop:
        if self.box is not None:
            return box_to_crop(self.box, BOX_MARGIN)
        whole = box_to_crop((0, 0, self.clip.width, self.clip.height), 1.0)
        return approach(lambda crop: self._look(0, crop, Conditions()), whole)[1]

    # --- passes of the model -----------------------------------------------------------------------------------------

    def _see(self, t: int, crop: Crop, state: Any) -> _Seen:
        """Run the model on a crop of frame t from a state, or start it if there is none."""
        interventions = self.conditions.interventions
        pixels = self._pixels(t, crop, self.conditions)
        if self.refiner is not None:
            self.refiner.ms = 0.0  # until a frame is refined
        hand_on = self._handing_on(t, crop, state is not None)
        output, after = self._run(t, crop, pixels, state, hand_on)
        maps, kernels = output.heatmaps, output.kernels
        for one in interventions:
            maps = maps if state is None else one.maps(maps)
            kernels = one.kernels(kernels, t)
        if kernels is not output.kernels:
            after = after._replace(kernels=kernels)
        output = output._replace(heatmaps=maps, kernels=kernels)
        heatmaps = maps[0].float().cpu()
        joints, scores = _peaks(heatmaps, crop)
        return _Seen(crop, output, after, heatmaps.numpy(), joints, scores, pixels)

    def _run(
        self, t: int, crop: Crop, pixels: np.ndarray, state: Any, hand_on: Feedback | None
    ) -> tuple[PoseOutput, Any]:
        """Run the model on the pixels of a crop of frame t; features that are kept are not computed again."""
        model = self.model
        # A control is a DKD with other steps.
        patches = self.patches if type(model) in (DKD, AcceleratedDKD) and model.device.type == "cpu" else None
        source = None if patches is None else unchanged_source(self.conditions, t)
        if patches is not None and source is not None and state is not None:
            features = patches.features(source, crop)
            if features is not None:
                assert isinstance(model, DKD)
                return model.step_again(features, state, hand_on)
        image = as_input(pixels, model.device)
        output, after = model.start(image, hand_on) if state is None else model.step(image, state, hand_on)
        if patches is not None and source is not None:
            patches.put_features(source, crop, output.features)
        return output, after

    def _handing_on(self, t: int, crop: Crop, matched: bool) -> Feedback | None:
        """Return the function that changes H_t for the distillator: the user's feedback, then interventions."""
        interventions, feedback = self.conditions.interventions, self._feedback
        if not interventions:
            return feedback

        def hand_on(maps: Tensor, streamed: int) -> Tensor:
            for one in interventions:
                maps = one.maps(maps) if matched else maps
            peaks = _peaks(maps[0].float().cpu(), crop)
            maps = maps if feedback is None else feedback(maps, streamed)
            context = Context(self.model.skeleton, crop, self.model.target_sigma, Pose.of_model(*peaks))
            return change_handed_on(interventions, maps, t, context)

        return hand_on

    def _look(self, t: int, crop: Crop, conditions: Conditions) -> tuple[np.ndarray, np.ndarray]:
        """Run the initializer on a crop of frame t: (J, 2) joints in pixels of the frame, (J,) scores."""
        image = as_input(self._pixels(t, crop, conditions), self.model.device)
        maps = self.model.initialise(image)[0].float().cpu()
        return _peaks(maps, crop)

    def _pixels(self, t: int, crop: Crop, conditions: Conditions) -> np.ndarray:
        return network_pixels(self.clip, conditions, t, crop, self.model.config.input_size, self.patches)

    # --- decision ----------------------------------------------------------------------------------------------------

    def _decide(self, t: int, square: Crop, going_on: _Seen) -> tuple[_Seen, Reinitialised | None, int | None]:
        """Decide between continuing and re-initialising; return the result, the event, and the passes of a search."""
        if any(one.restarts(t) for one in self.conditions.interventions):
            return *self._reinitialise(t, going_on, square, "asked for"), None
        if any(one.holds_square(t) for one in self.conditions.interventions) or not self._is_search_due(t):
            return going_on, None, None
        policy = self.conditions.reinitialise
        assert policy is not None
        strange = policy.same_person and self._body.strange
        if strange and self._is_person(t, going_on.crop, going_on.joints):
            return going_on, None, None  # the person is back
        accept = partial(self._is_person, t) if policy.same_person else None
        begin = self._body.place() if strange else going_on.crop
        size = self.clip.width, self.clip.height
        found = search(lambda crop: self._look(t, crop, self.conditions), begin, *size, accept)
        if found.crop is None:
            return going_on, None, found.passes
        calibrated = self.calibration is not None
        limit, what = policy.limit(calibrated), "confidence" if calibrated else "score"
        before, after = (self._mean_confidence(scores) for scores in (going_on.scores, found.scores))
        if after <= (limit if strange else before + policy.gain):
            return going_on, None, found.passes
        first, last = self._name_frame(t - policy.patience), self._name_frame(t - 1)
        why = "somebody else, or a jump," if strange else f"mean {what} below {limit:g}"
        reason = f"{why} in frames {first} to {last}"
        return *self._reinitialise(t, going_on, found.crop, reason), found.passes + 1

    def _is_search_due(self, t: int) -> bool:
        policy = self.conditions.reinitialise
        if policy is None or t < policy.patience:
            return False
        scores = np.stack([step.scores for step in self._recent])
        none = np.zeros(scores.shape[1], bool)
        hidden = np.stack([none if step.marks is None else step.marks.hidden for step in self._recent])
        means = mean_confidence(confidence(scores, self.calibration), hidden)
        strange = np.array([step.strange for step in self._recent])
        return policy.is_due(means, t, self._searched, self.calibration is not None, strange)

    def _is_person(self, t: int, crop: Crop, joints: np.ndarray) -> bool:
        """Return whether joints that were found in a crop of frame t are probably those of the person."""
        look = self._look_of(self._pixels(t, crop, self.conditions), crop, joints)
        return self._body.accepts(crop, joints, look, self._seconds(t))

    def _reinitialise(self, t: int, going_on: _Seen, crop: Crop, reason: str) -> tuple[_Seen, Reinitialised]:
        """Re-initialise in frame t with a crop, and return the result and the event."""
        seen = self._see(t, crop, None)
        before, after = (self._mean_confidence(one.scores) for one in (going_on, seen))
        return seen, Reinitialised(t, reason, before, after)

    def _mean_confidence(self, scores: np.ndarray) -> float:
        return float(confidence(scores, self.calibration).mean())


class _Seen(NamedTuple):
    """One pass of the model over a crop: (J, H, W) maps, (J, 2) joints in the frame, (J,) scores, (N, N, 3) input."""

    crop: Crop
    output: PoseOutput
    state: Any
    heatmaps: np.ndarray
    joints: np.ndarray
    scores: np.ndarray
    pixels: np.ndarray


def _peaks(heatmaps: Tensor, crop: Crop) -> tuple[np.ndarray, np.ndarray]:
    """Decode maps (J, H, W) of a crop: (J, 2) float64 joints in pixels of the frame, (J,) scores."""
    peaks, scores = decode_peaks(heatmaps)
    return crop.to_frame(peaks.numpy(), heatmaps.shape[-1]), scores.numpy()


def confidence(scores: np.ndarray, calibration: Calibration | None) -> np.ndarray:
    """Convert scores to confidence in 0..1, with a calibration, or by clipping if there is none."""
    return np.clip(scores, 0, 1) if calibration is None else calibration(scores)
