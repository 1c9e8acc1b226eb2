"""Reliance on the past: two ways to measure it agree, and a model without a past raises an error."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dkd.analysis.reliance import _distilled, _replayed, one_step_reliance
from dkd.errors import ConfigError
from dkd.models import DKD, VideoPoseModel, build_model
from dkd.models.controls import RunningAverageKernel
from dkd.models.lstm_pose_machine import LSTMPoseMachine
from dkd.tracking.feedback import erase, swap_sides
from dkd.tracking.people import follow
from dkd.tracking.trace import Trace
from dkd.training.validation import validate
from tests.support.dotted_people import dotted_person


def random_model(name: str) -> VideoPoseModel:
    torch.manual_seed(0)
    model = build_model(name, input_size=128)
    for module in model.modules():  # maps that vary: the readouts start near zero
        if isinstance(module, torch.nn.Conv2d) and module.out_channels in (13, 14):
            torch.nn.init.normal_(module.weight, std=0.3)
    return model.eval()


@pytest.mark.parametrize("averaged", [False, True])
@torch.inference_mode()
def test_parts_alone_and_the_whole_model_run_again_agree(averaged: bool) -> None:
    model = random_model("dkd-tiny")
    assert isinstance(model, DKD)
    trace = follow(RunningAverageKernel(model, 0.3) if averaged else model, dotted_person(0, 6))
    changes = {"erased": erase, "sides_swapped": swap_sides(trace.skeleton)}
    pairs = list(zip(_distilled(trace, 2, changes), _replayed(trace, 2, changes), strict=True))
    assert len(pairs) == 3  # of frames 0, 2 and 4, the following ones
    for t, ((expected, changed), (again, changed_again)) in zip((1, 3, 5), pairs, strict=True):
        np.testing.assert_allclose(expected.heatmaps[0], trace.heatmaps[t], atol=1e-4)
        np.testing.assert_allclose(again.heatmaps, expected.heatmaps, atol=1e-4)
        for name, other in changed.items():
            np.testing.assert_allclose(changed_again[name].heatmaps, other.heatmaps, atol=1e-4)
            assert not np.allclose(other.heatmaps, expected.heatmaps, atol=1e-4)


def test_reliance_without_kernels_comes_from_the_maps() -> None:
    model = random_model("lstm-pm-tiny")
    assert isinstance(model, LSTMPoseMachine)
    measured = one_step_reliance(follow(model, dotted_person(0, 5)), every=1)
    assert (measured.map_change > 0).all() and measured.kernel_change.isna().all()
    assert validate(model, [dotted_person(0, 5)])["reliance"] > 0
    # A memory that is deaf to the maps handed on does not rely on them.
    features = model.config.features
    with torch.no_grad():
        model.lstm.from_input.weight[:, features : features + len(model.skeleton) + 1] = 0
    assert one_step_reliance(follow(model, dotted_person(0, 5)), every=1).map_change.tolist() == [0, 0]


def test_a_model_without_a_past_says_so() -> None:
    model = random_model("simple-baseline-tiny")
    assert not model.hands_on and random_model("dkd-tiny").hands_on and random_model("lstm-pm-tiny").hands_on
    trace: Trace = follow(model, dotted_person(0, 3))
    with pytest.raises(ConfigError, match="no past to rely on"):
        one_step_reliance(trace)
