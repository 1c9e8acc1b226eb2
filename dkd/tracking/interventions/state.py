"""Interventions on the state: the model is re-initialised, or gets changed maps from the previous frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from dkd.tracking.interventions.base import Context, Intervention

StateChange = Literal["erase", "swap_sides", "shift"]


@dataclass(frozen=True)
class Restart(Intervention):
    """Re-initialise the model in the same crop: it forgets its past, and the initializer provides the maps."""

    def restarts(self, t: int) -> bool:
        """Return True in its frames, except the first one of the clip, in which every run starts."""
        return t > 0 and self.acts(t)


@dataclass(frozen=True)
class ChangeState(Intervention):
    """Change H_t as passed to the distillator; the result of frame t itself is unchanged.

    Attributes:
        change: ``"erase"`` sets maps to zero; ``"swap_sides"`` swaps left and right; ``"shift"`` moves maps by whole
            cells, filled with zeros.
        joint: joint whose map is changed (``"swap_sides"``: also its mirrored joint); ``None``: all.
        dx, dy: cells to the right and down, for ``"shift"``.
    """

    change: StateChange = "erase"
    joint: str | None = None
    dx: int = 0
    dy: int = 0

    needs_past = True

    def handed_on(self, heatmaps: Tensor, t: int, context: Context) -> Tensor:
        """Return the changed maps in its frames."""
        if not self.acts(t):
            return heatmaps
        skeleton = context.skeleton
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
    """Shift maps (B, J, H, W) by whole cells, filled with zeros."""
    height, width = maps.shape[-2:]
    reach = max(abs(dx), abs(dy), 1)
    padded = F.pad(maps, (reach,) * 4)
    return padded[..., reach - dy : reach - dy + height, reach - dx : reach - dx + width]
