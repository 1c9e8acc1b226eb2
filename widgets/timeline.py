"""The timeline: how sure, how fast and how changing, over the whole clip.

It is a canvas like the other views, not plotly: a plotly FigureWidget sends 5 MB of script an instance, and redraws at
2 frames a second when its cursor line moves with every frame of a video.
"""

from __future__ import annotations

from widgets.assets import module
from widgets.view import View


class Timeline(View):
    """Three lanes over the clip: score (selected joint, and the mean over joints), speed of the joint, kernel drift.

    Kernel drift is 1 − cos(K_t, K_{t−1}) over all channels: 0 where the kernels stay, larger where they had to change.
    Click or drag to move; shift-drag selects a range that playing then repeats. Small marks show the worst moments
    (:func:`widgets.moments.worst_moments`); N and P jump between them.
    """

    _esm = module("timeline")
