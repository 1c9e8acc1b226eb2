"""Interventions on the state: a model that starts again, or is handed on other maps than it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from dkd.pose.skeleton import Skeleton
from dkd.tracking.interventions.base import Intervention

StateChange = Literal["erase", "swap_sides", "shift"]


@dataclass(frozen=True)
class Restart(Intervention):
    """The model forgets its past, and the initializer looks at the frame, in the square where it would have been."""

    def restarts(self, t: int) -> bool:
        """In its frames, but for the first of the clip, where every run starts."""
        return t > 0 and self.acts(t)


@dataclass(frozen=True)
class ChangeState(Intervention):
    """H_t, as it is handed on to the distillator, is another one; what is reported in frame t stays as it was found.

    Attributes:
        change: ``"erase"`` makes maps zero; ``"swap_sides"`` calls left right and the other way round; ``"shift"``
            moves maps by whole cells, with zeros where nothing comes from.
        joint: whose map (with ``"swap_sides"``: and its counterpart's); ``None``: all.
        dx, dy: cells to the right and down, for ``"shift"``.
    """

    change: StateChange = "erase"
    joint: str | None = None
    dx: int = 0
    dy: int = 0

    needs_past = True

    def handed_on(self, heatmaps: Tensor, t: int, skeleton: Skeleton) -> Tensor:
        """The changed maps, in its frames."""
        if not self.acts(t):
            return heatmaps
        order = list(skeleton.flip_permutation)
        if self.change == "erase":
            changed = torch.zeros_like(heatmaps)
        elif self.change == "swap_sides":
            changed = heatmaps[:, order]
        else:
            changed = _shifted(heatmaps, self.dx, self.dy)
        if self.joint is None:
            return changed
        mine = {skeleton.index(self.joint)}
        if self.change == "swap_sides":
            mine |= {order[j] for j in mine}
        out = heatmaps.clone()
        for j in mine:
            out[:, j] = changed[:, j]
        return out


def _shifted(maps: Tensor, dx: int, dy: int) -> Tensor:
    """(B, J, H, W) moved by whole cells; zeros come in."""
    height, width = maps.shape[-2:]
    reach = max(abs(dx), abs(dy), 1)
    padded = F.pad(maps, (reach,) * 4)
    return padded[..., reach - dy : reach - dy + height, reach - dx : reach - dx + width]
