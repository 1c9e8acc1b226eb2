"""The matching view: the maps that the kernels made, and how each value in them came about."""

from __future__ import annotations

from widgets.core.library import script
from widgets.core.view import View


class Matching(View):
    """All joints' heatmaps on one scale, the selected one large with its peak.

    Point at a cell and read its arithmetic: bias plus the largest contributions of the channels, largest magnitude
    first, and the sum of the others, equal the value. Click to pin the cell, click again to let it go. The maps of
    frame 0 come from the pose initializer and have no such arithmetic; the view says so.
    """

    _module = script("workbench/matching.js")
