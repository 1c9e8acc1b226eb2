"""Interventions: changes of a run as data, each with one effect in some frames.

    pixels of frame t ─▶ square ─▶ network ─▶ maps H_t ─▶ distillator ─▶ kernels K̃_t ─▶ matched in frame t+1
         ▲                ▲                     ▲                            ▲
    DropFrames,        ShiftBox,            ChangeState,             PutKernel, EditKernel
    RepeatFrame,       SetBox,              PlaceJoint, HideJoint,
    Occlude, Blur,     Restart              SwapSides
    AddNoise, Darken                        (SwapReadouts: of every matched map)

Corrections (PlaceJoint, HideJoint, SwapSides) also change the reported joints of their frames.

The methods of :class:`dkd.tracking.counterfactuals.Counterfactuals` run a trace again with them. Frames are counted
from 0. All of this is our decision: the paper has no interventions.
"""

from dkd.tracking.interventions.base import Context, Frames, Intervention, Pose, change_handed_on, frames_of
from dkd.tracking.interventions.corrections import HideJoint, PlaceJoint, SetBox, SwapSides
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
    "NOISE_SIGMA", "AddNoise", "Blur", "ChangeState", "Context", "Darken", "DropFrames", "EditKernel", "Frames",
    "HideJoint", "Intervention", "KernelOperation", "Occlude", "PlaceJoint", "Pose", "PutKernel", "RepeatFrame",
    "Restart", "SetBox", "ShiftBox", "StateChange", "SwapReadouts", "SwapSides", "change_handed_on", "edit",
    "frames_of",
]  # fmt: skip
