"""What an intervention is: a change of a run in some frames, as data."""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from dkd.errors import ConfigError
from dkd.pose.crops import Crop
from dkd.pose.skeleton import Skeleton

Frames = int | range | None  # one frame; those of a range of step 1; all


@dataclass(frozen=True)
class Intervention:
    """One change of a run. A subclass overrides the hook that it acts on; the others hand on what they are given.

    Attributes:
        frames: in which it acts, without gaps.
    """

    frames: range

    needs_kernels = False  # acts on kernels, which only a DKD has
    needs_past = False  # acts on maps that are handed on

    def acts(self, t: int) -> bool:
        """Whether frame t is one of its frames."""
        return t in self.frames

    def drops(self, t: int) -> bool:
        """Whether the model never sees frame t ≥ 1: what was found in the frame before is reported again."""
        return False

    def source(self, t: int) -> int:
        """Which frame of the clip is shown as frame t."""
        return t

    def picture(self, image: np.ndarray, t: int, square: Crop) -> np.ndarray:
        """(H, W, 3) uint8 RGB of the whole frame t → the same; ``square`` is what the network will cut out."""
        return image

    def square(self, square: Crop, t: int) -> Crop:
        """Where the network looks in frame t."""
        return square

    def restarts(self, t: int) -> bool:
        """Whether the model forgets its past before frame t ≥ 1: its maps are the initializer's there."""
        return False

    def maps(self, heatmaps: Tensor) -> Tensor:
        """(B, J, H, W) of every frame whose maps were matched."""
        return heatmaps

    def handed_on(self, heatmaps: Tensor, t: int, skeleton: Skeleton) -> Tensor:
        """H_t (B, J, H, W) as the distillator is given it."""
        return heatmaps

    def kernels(self, kernels: Tensor, t: int) -> Tensor:
        """K̃_t (B, C, S, S), distilled from frame t, as it will be matched in frame t+1."""
        return kernels


def frames_of(frames: Frames, n_frames: int) -> range:
    """The frames that a user names, checked.

    Args:
        frames: one frame, a range without gaps, or ``None`` for all frames.
        n_frames: length of the run.

    Raises:
        ConfigError: they are none, have gaps, or lie outside the run.
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
