"""The kernels view: what was distilled from the last frame, at work in this one."""

from __future__ import annotations

from widgets.core.library import script
from widgets.core.view import View


class Kernels(View):
    """The pose kernels that were distilled from frame t − 1 and matched in frame t.

    Above, for the selected joint, the channels that contribute most at the peak (or at the cell that is pinned or
    pointed at in the matching view): the 7×7 patch of projected features there, the joint's effective kernel
    ``U[j,c] K[c]``, and the sum of their products, which is the channel's contribution. Below, for every joint, the
    energy ``sqrt(Σ_c (U[j,c] K[c])²)`` of its kernel, on one scale.
    """

    _module = script("workbench/kernels.js")
