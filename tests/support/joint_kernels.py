"""Small runs of a model that matches kernels made at the joints, with random weights and a gate that changes maps."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from dkd import Clip, Trace
from dkd.models import DKD, build_model
from dkd.video.samples import get_sample

BOX = (220.0, 60.0, 440.0, 440.0)


def joints_model(**settings: Any) -> DKD:
    """A DKD, the same in each process. Its gate is open."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build_model("dkd-tiny", input_size=128, channels=16, **{"distillation": "both"} | settings)
        assert isinstance(model, DKD)
        nn.init.normal_(model.initializer.classifier.weight, std=0.3)
        nn.init.normal_(model.readout.weight, std=1.5)
        nn.init.constant_(model.readout.bias, 0.3)  # type: ignore[arg-type]
        if model.matches_joints:
            torch.manual_seed(3)  # with it, maps stay between about −1 and 1.5 from frame to frame
            nn.init.normal_(model.joint_matching.gate[-1].weight, std=0.03)  # type: ignore[arg-type]
    return model.eval()


def joints_trace(stop: int = 6, model: DKD | None = None, **options: Any) -> Trace:
    """A run over the sample clip."""
    torch.set_num_threads(1)  # sums in one order
    clip = Clip(get_sample("rendered_walk").path)
    settings: dict[str, Any] = {"engine": "torch", "progress": False, "stop": stop} | options
    return Trace(model or joints_model(), clip, BOX, **settings)
