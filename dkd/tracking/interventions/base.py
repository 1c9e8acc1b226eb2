"""Base class of interventions: a change of a run in some frames, as data."""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from dkd.errors import ConfigError
from dkd.pose.crops import Crop
from dkd.pose.skeleton import Skeleton

Frames = int | range | None  # one frame, a range of step 1, or all frames


@dataclass(frozen=True)
class Intervention:
    """A change of a run. A subclass overrides the hook on which it acts; the other hooks return their input.

    Attributes:
        frames: frames in which it acts, without gaps.
    """

    frames: range

    needs_kernels = False  # acts on kernels, which only a DKD has
    needs_past = False  # acts on maps that are passed on

    def acts(self, t: int) -> bool:
        """Return whether frame t is one of its frames."""
        return t in self.frames

    def drops(self, t: int) -> bool:
        """Return whether frame t ≥ 1 is dropped: the result of the previous frame is then reported again."""
        return False

    def source(self, t: int) -> int:
        """Return the frame of the clip that is shown as frame t."""
        return t

    def picture(self, image: np.ndarray, t: int, square: Crop) -> np.ndarray:
        """Change the whole frame t, (H, W, 3) uint8 RGB; ``square`` is the crop of the network."""
        return image

    def square(self, square: Crop, t: int) -> Crop:
        """Change the crop of frame t."""
        return square

    def restarts(self, t: int) -> bool:
        """Return whether the model is re-initialised in frame t ≥ 1, so that its maps come from the initializer."""
        return False

    def maps(self, heatmaps: Tensor) -> Tensor:
        """Change the maps (B, J, H, W) of every frame whose maps were matched."""
        return heatmaps

    def handed_on(self, heatmaps: Tensor, t: int, skeleton: Skeleton) -> Tensor:
        """Change H_t (B, J, H, W) as passed to the distillator."""
        return heatmaps

    def kernels(self, kernels: Tensor, t: int) -> Tensor:
        """Change K̃_t (B, C, S, S), distilled from frame t, before it is matched in frame t+1."""
        return kernels


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
