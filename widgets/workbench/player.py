"""Player: the clip's frames with the model's predictions."""

from __future__ import annotations

from widgets.core.library import script
from widgets.core.view import View


class Player(View):
    """Frames with skeleton, trails, crop, ground truth and one joint's heatmap, and controls to move in time.

    Predictions are filled, ground truth is hollow. Left limbs are blue, right limbs orange and dashed, others grey;
    joints with lower scores are paler. Click a joint to select it.
    """

    _module = script("workbench/player.js")
