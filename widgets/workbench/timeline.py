"""The timeline: how sure, how fast and how changing, over the whole clip.

It is a canvas like the other views, not plotly, which redraws at 2 frames a second when its cursor line moves with
every frame of a video.
"""

from __future__ import annotations

from widgets.core.library import script
from widgets.core.view import View


class Timeline(View):
    """Three lanes over the clip: how sure (selected joint, and the mean over joints), speed of the joint, kernel drift.

    How sure is the confidence, the probability that the joint lies within 0.1 of the larger side of the person's box,
    where the model has a calibration; else it is the score, and called so.
    Kernel drift is 1 − cos(K_t, K_{t−1}) over all channels: 0 where the kernels stay, larger where they had to change.
    Click or drag to move; shift-drag selects a range that playing then repeats. Small marks show the worst moments
    (:func:`dkd.analysis.moments.worst_frames`); N and P jump between them. A dashed line with a flag R marks
    each frame in which a lost track was re-initialised (``trace.reinitialised``); pointing at it says why, M jumps to
    the next.
    """

    _module = script("workbench/timeline.js")
