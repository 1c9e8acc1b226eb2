"""Timeline: confidence, speed and kernel drift over the whole clip.

It is drawn on a canvas like the other views, not with plotly, which redraws at 2 frames per second when its cursor line
moves with every frame of a video.
"""

from __future__ import annotations

from widgets.core.library import script
from widgets.core.view import View


class Timeline(View):
    """Three lanes over the clip: confidence (selected joint, and mean over joints), speed of the joint, kernel drift.

    Confidence is the probability that the joint is within 0.1 of the larger side of the person's box, if the model has
    a calibration; otherwise the score is shown, with that name.
    Kernel drift is 1 − cos(K_t, K_{t−1}) over all channels: 0 if the kernels stay the same, larger if they change.
    Click or drag to move; shift-drag selects a range that playing then repeats. Small marks show the worst moments
    (:func:`dkd.analysis.moments.worst_frames`); N and P jump between them. A dashed line with a flag R marks each frame
    in which a lost track was re-initialised (``trace.reinitialised``); point at it to see the reason, M jumps to the
    next. A thin bar below the confidence marks frames in which the joints look like somebody else, or most of them
    jumped (``trace.strange``): there the confidence says how sure the model is of a joint, not whose it is. Bars with
    an exclamation mark below the lanes are at frames that ``clip.warnings`` are about; point at one to read it.
    """

    _module = script("workbench/timeline.js")
