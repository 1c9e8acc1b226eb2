"""Matching view: the maps that result from the kernels, and the arithmetic of each value."""

from __future__ import annotations

from widgets.core.library import script
from widgets.core.view import View


class Matching(View):
    """Heatmaps of all joints on one scale, with a large map and the peak of the selected one.

    Point at a cell to see its arithmetic: the bias plus the contributions of the channels, largest magnitude first, and
    the sum of the rest, equal the value. Click to pin the cell, and again to release it. The maps of frame 0 come from
    the pose initializer and have no such arithmetic; the view says so. In a model with kernels made at the joints, the
    sum is the matched value; the view then shows what these kernels made of it.
    """

    _module = script("workbench/matching.js")
