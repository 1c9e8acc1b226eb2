"""Result of one frame of a run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dkd.pose.crops import Crop
from dkd.tracking.reinitialise import Reinitialised


class Step(NamedTuple):
    """Result of one frame.

    Attributes:
        crop: crop of the frame, the network's input.
        heatmaps: (J, H, W) float32 H_t.
        kernels: (C, S, S) float32 K̃_t; C = 0 in a model without kernels.
        raw_joints: (J, 2) float32 x, y in pixels of the frame: the maps' peaks, or corrected positions.
        joints: (J, 2) the same; another peak, refined or smoothed, if the conditions say so.
        scores: (J,) float32 heights of the peaks; 1 where a person placed the joint, 0 where it is hidden.
        reinitialised: set if the model was re-initialised in this frame.
        searched: whether there was a search for the person because the track was lost.
        extra_passes: number of network passes of the search.
        dropped: whether the frame was dropped; everything else is then that of the previous frame.
        marks: set if there are corrections in the run.
        look: (P, 3) float32 colours at the joints, see :func:`dkd.tracking.appearance.look_at`.
        counted: (J,) bool, which joints can be parts of the person's body, see :class:`dkd.tracking.body.Body`.
        strange: whether the joints look like somebody else, or most of them jumped.
    """

    crop: Crop
    heatmaps: np.ndarray
    kernels: np.ndarray
    raw_joints: np.ndarray
    joints: np.ndarray
    scores: np.ndarray
    reinitialised: Reinitialised | None = None
    searched: bool = False
    extra_passes: int = 0
    dropped: bool = False
    marks: Marks | None = None
    look: np.ndarray = np.zeros((0, 3), np.float32)
    counted: np.ndarray = np.zeros(0, bool)
    strange: bool = False


class Marks(NamedTuple):
    """What corrections did in one frame.

    Attributes:
        predicted: (J, 2) float32 the maps' peaks in pixels of the frame.
        corrected: (J,) bool, True where ``raw_joints`` is not the prediction.
        hidden: (J,) bool, True where a person marked the joint as hidden.
    """

    predicted: np.ndarray
    corrected: np.ndarray
    hidden: np.ndarray
