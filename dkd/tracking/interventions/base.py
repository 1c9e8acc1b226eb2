"""What an intervention is: a change of a run in some frames, as data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from dkd.errors import ConfigError
from dkd.pose.crops import Crop
from dkd.pose.skeleton import Skeleton


@dataclass(frozen=True)
class Intervention:
    """One change of a run. A subclass overrides the hook that it acts on; the others hand on what they are given.

    Attributes:
        start, stop: the frames in which it acts, ``stop`` exclusive; ``None``: to the end.
    """

    start: int
    stop: int | None

    needs_kernels = False  # acts on kernels, which only a DKD has
    needs_past = False  # acts on maps that are handed on

    def acts(self, t: int) -> bool:
        """Whether frame t is one of its frames."""
        return self.start <= t and (self.stop is None or t < self.stop)

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


def check_frames(intervention: Intervention, n_frames: int) -> None:
    """Raise :class:`~dkd.errors.ConfigError` where it would act on no frame of a clip, or on some outside it."""
    start, stop = intervention.start, intervention.stop
    last = n_frames if stop is None else stop
    if not 0 <= start < last <= n_frames:
        raise ConfigError(
            f"expected frames start ≥ 0 and start < stop ≤ {n_frames} of this trace, got start={start}, stop={stop}"
        )
