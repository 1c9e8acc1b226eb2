"""Interventions: changes of a run as data, each with one effect in some frames.

    pixels of frame t ─▶ square ─▶ network ─▶ maps H_t ─▶ distillator ─▶ kernels K̃_t ─▶ matched in frame t+1
         ▲                ▲                     ▲                            ▲
    DropFrames,        ShiftBox,            ChangeState              PutKernel, EditKernel
    RepeatFrame,       Restart              (SwapReadouts: of
    Occlude, Blur,                           every matched map)
    AddNoise, Darken

The methods of :class:`dkd.tracking.counterfactuals.Counterfactuals` run a trace again with them. Frames are counted
from 0. All of this is our decision: the paper has no interventions.
"""

from dkd.tracking.interventions.base import Frames, Intervention, frames_of
from dkd.tracking.interventions.input import (
    NOISE_SIGMA,
    AddNoise,
    Blur,
    Darken,
    DropFrames,
    Occlude,
    RepeatFrame,
    ShiftBox,
)
from dkd.tracking.interventions.kernels import EditKernel, KernelOperation, PutKernel, SwapReadouts, edit
from dkd.tracking.interventions.state import ChangeState, Restart, StateChange

__all__ = [
    "NOISE_SIGMA", "AddNoise", "Blur", "ChangeState", "Darken", "DropFrames", "EditKernel", "Frames", "Intervention",
    "KernelOperation", "Occlude", "PutKernel", "RepeatFrame", "Restart", "ShiftBox", "StateChange", "SwapReadouts",
    "edit", "frames_of",
]  # fmt: skip
