"""Base class of interventions: a change of a run in some frames, as data."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple, Self

import numpy as np
from torch import Tensor

from dkd.errors import ConfigError
from dkd.pose.crops import Crop
from dkd.pose.skeleton import Skeleton

Frames = int | range | None  # one frame, a range of step 1, or all frames


class Pose(NamedTuple):
    """Pose of one frame as it is reported: the model's, changed by corrections.

    Attributes:
        joints: (J, 2) float64 x, y in pixels of the frame.
        scores: (J,) float32 heights of the peaks; 1 for a position given by a person, 0 for a hidden joint.
        given: (J,) bool, True where a person gave the position, which is then reported exactly, without smoothing.
        corrected: (J,) bool, True where the position is not the model's.
        hidden: (J,) bool, True where a person marked the joint as hidden.
    """

    joints: np.ndarray
    scores: np.ndarray
    given: np.ndarray
    corrected: np.ndarray
    hidden: np.ndarray

    @classmethod
    def of_model(cls, joints: np.ndarray, scores: np.ndarray) -> Pose:
        """Return the model's pose, without corrections."""
        given, corrected, hidden = np.zeros((3, len(scores)), bool)
        return cls(joints, scores, given, corrected, hidden)


class Context(NamedTuple):
    """What is known about a frame when its maps are passed to the distillator.

    Attributes:
        skeleton: of the model.
        crop: of the frame, which the maps cover.
        sigma: standard deviation in cells of the Gaussians on which the model was trained.
        pose: the frame's pose, with the corrections of earlier interventions.
    """

    skeleton: Skeleton
    crop: Crop
    sigma: float
    pose: Pose


@dataclass(frozen=True)
class Intervention:
    """A change of a run. A subclass overrides the hook on which it acts; the other hooks return their input.

    Attributes:
        frames: frames in which it acts, without gaps.
    """

    frames: range

    needs_kernels = False  # acts on kernels, which only a DKD has
    needs_past = False  # acts on maps that are passed on
    corrects = False  # changes the reported joints
    per_frame: ClassVar[tuple[str, ...]] = ()  # attributes that are arrays with one entry per frame of ``frames``

    def acts(self, t: int) -> bool:
        """Return whether frame t is one of its frames."""
        return t in self.frames

    def renumbered(self, run: range) -> Self | None:
        """Return the same change for a run whose frame i is frame ``run[i]`` of this one.

        Args:
            run: frames of this run in the order in which the other one goes through them; its step is 1 or −1.

        Returns:
            The change; ``None`` if it acts on none of those frames.
        """
        at = [i for i, t in enumerate(run) if t in self.frames]
        if not at:
            return None
        rows = [run[i] - self.frames.start for i in at]
        values = {name: getattr(self, name)[rows] for name in self.per_frame}
        return replace(self, frames=range(at[0], at[-1] + 1), **values)

    def drops(self, t: int) -> bool:
        """Return whether frame t ≥ 1 is dropped: the result of the previous frame is then reported again."""
        return False

    def source(self, t: int) -> int:
        """Return the frame of the clip that is shown as frame t."""
        return t

    def picture(self, image: np.ndarray, t: int, square: Crop) -> np.ndarray:
        """Change the whole frame t, (H, W, 3) uint8 RGB; ``square`` is the crop of the network."""
        return image

    def paints(self, t: int) -> bool:
        """Return whether it changes the picture of frame t."""
        return type(self).picture is not Intervention.picture and self.acts(t)

    def square(self, square: Crop, t: int) -> Crop:
        """Change the crop of frame t."""
        return square

    def holds_square(self, t: int) -> bool:
        """Return whether the crop of frame t is given, so that no search may replace it."""
        return False

    def restarts(self, t: int) -> bool:
        """Return whether the model is re-initialised in frame t ≥ 1, so that its maps come from the initializer."""
        return False

    def maps(self, heatmaps: Tensor) -> Tensor:
        """Change the maps (B, J, H, W) of every frame whose maps were matched."""
        return heatmaps

    def handed_on(self, heatmaps: Tensor, t: int, context: Context) -> Tensor:
        """Change H_t (B, J, H, W) as passed to the distillator."""
        return heatmaps

    def reported(self, pose: Pose, t: int, skeleton: Skeleton) -> Pose:
        """Change the pose that is reported for frame t, and that the next crop follows."""
        return pose

    def kernels(self, kernels: Tensor, t: int) -> Tensor:
        """Change K̃_t (B, C, S, S), distilled from frame t, before it is matched in frame t+1."""
        return kernels


def change_handed_on(interventions: Iterable[Intervention], heatmaps: Tensor, t: int, context: Context) -> Tensor:
    """Apply interventions, in order, to H_t (B, J, H, W) as passed to the distillator.

    Args:
        interventions: those of the run.
        heatmaps: maps of frame t, after the feedback if there is one.
        t: index of the frame.
        context: with the model's pose, without corrections.
    """
    for one in interventions:
        heatmaps = one.handed_on(heatmaps, t, context)
        context = context._replace(pose=one.reported(context.pose, t, context.skeleton))
    return heatmaps


def frames_of(frames: Frames, n_frames: int) -> range:
    """Check the frames given by a user and return them as a range.

    Args:
        frames: one frame, a range without gaps, or ``None`` for all frames.
        n_frames: length of the run.

    Raises:
        ConfigError: they are empty, have gaps, or are outside the run.
    """
    within: range | None
    if frames is None or isinstance(frames, range):
        within = range(n_frames) if frames is None else frames
    else:
        try:
            frame = operator.index(frames)
            within = range(frame, frame + 1)
        except TypeError:
            within = None
    if within is None or within.step != 1 or not 0 <= within.start < within.stop <= n_frames:
        raise ConfigError(
            f"expected frames within 0..{n_frames - 1} of this trace: one number, a range of step 1 such as "
            f"range(0, {n_frames}), or None for all; got {frames!r}"
        )
    return within
