"""Kernels view: the kernels distilled from the previous frame and used in this one."""

from __future__ import annotations

from widgets.core.library import script
from widgets.core.view import View


class Kernels(View):
    """Pose kernels distilled from frame t − 1 and matched in frame t.

    The upper part shows, for the selected joint, the channels that contribute most at the peak (or at the cell that is
    pinned or pointed at in the matching view): the 7×7 patch of projected features there, the joint's effective kernel
    ``U[j,c] K[c]``, and the sum of their products, which is the channel's contribution. The lower part shows the energy
    ``sqrt(Σ_c (U[j,c] K[c])²)`` of every joint's kernel, on one scale.
    """

    _module = script("workbench/kernels.js")
