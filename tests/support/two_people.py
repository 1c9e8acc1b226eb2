"""A clip of two people: the rendered walk, and next to it the same walk mirrored and a little later."""

from __future__ import annotations

import numpy as np

from dkd import Trace, load_model
from dkd.video.clip import Clip
from dkd.video.images import ImageClip
from dkd.video.samples import get_sample

T = 24
LATER = 9  # frames
CUT = slice(120, 560)  # columns of the sample around the person
LEFT, RIGHT = (100.0, 60.0, 320.0, 440.0), (560.0, 60.0, 780.0, 440.0)  # boxes in frame 0


def two_people_clip() -> ImageClip:
    """``T`` frames of 880×480 pixels."""
    clip = Clip(get_sample("rendered_walk").path)
    frames = [
        np.concatenate([clip.frame(t)[:, CUT], np.ascontiguousarray(clip.frame(t + LATER)[:, CUT][:, ::-1])], 1)
        for t in range(T)
    ]
    return ImageClip(frames, fps=clip.fps or 30.0, name="two people")


def two_people_traces() -> dict[str, Trace]:
    """The tracks of both by the model that ships, in a place of one process always the same."""
    model, clip = load_model("dkd-mobilenetv2"), two_people_clip()
    return {name: Trace(model, clip, box, progress=False) for name, box in (("anna", LEFT), ("ben", RIGHT))}
