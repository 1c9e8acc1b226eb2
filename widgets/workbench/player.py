"""The player: the clip's frames with what the model found drawn on them."""

from __future__ import annotations

from widgets.core.library import script
from widgets.core.view import View


class Player(View):
    """Frames with skeleton, trails, crop square, ground truth and one joint's heatmap; controls to move in time.

    The prediction is filled, ground truth hollow. Left limbs are blue, right limbs orange and dashed, the rest grey; a
    joint is the paler the lower its score. Click a joint to select it.
    """

    _module = script("workbench/player.js")
