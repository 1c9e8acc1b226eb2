"""Small runs for the laboratory's tests, with random weights, as interventions only have to change numbers."""

from __future__ import annotations

import numpy as np
import torch

from dkd import Trace
from dkd.models import make_model, model_config
from dkd.models.base import VideoPoseModel
from dkd.models.dkd import DKD
from dkd.video.clip import Clip
from dkd.video.samples import get_sample

T = 12
BOX = (220.0, 60.0, 440.0, 440.0)


def small_trace(box: tuple[float, float, float, float] = BOX, stop: int = T) -> Trace:
    """A run over the sample clip, the same in each process."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # sums in one order
    model = make_model(model_config("dkd-tiny", input_size=128, channels=16, kernel_side=5))
    assert isinstance(model, DKD)
    torch.nn.init.normal_(model.readout.weight, std=1.5)
    torch.nn.init.constant_(model.readout.bias, 0.3)  # type: ignore[arg-type]
    return Trace(model, Clip(get_sample("rendered_walk").path), box, progress=False, stop=stop)


def other_trace(model: VideoPoseModel) -> Trace:
    """Another run of the same model."""
    return Trace(model, Clip(get_sample("rendered_walk").path), (20, 10, 300, 400), progress=False, stop=3)


def same(a: Trace, b: Trace) -> bool:
    """Return whether two runs are bit-identical."""
    return len(a) == len(b) and all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in ("heatmaps", "kernels", "joints", "scores")
    )
