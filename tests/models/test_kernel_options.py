"""Options for the kernel's side and for static kernels; the defaults change nothing."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from dkd.analysis.reliance import one_step_reliance
from dkd.errors import ConfigError
from dkd.evaluation.cost import count
from dkd.evaluation.methods import Method
from dkd.models import DKD, DKDConfig, SimpleBaseline, build_model
from dkd.models.checkpoints import load_model, read_tensors, save_model
from dkd.models.controls import FrozenKernel
from dkd.models.distillators import KernelDistillator, StaticKernel
from dkd.models.warm_start import warm_start
from dkd.tracking.feedback import erase
from dkd.tracking.people import follow
from dkd.tracking.trace import Trace
from dkd.training.trainer import train
from dkd.training.validation import validate
from tests.support.dotted_people import dotted_people, dotted_person, quick


def tiny(**options: Any) -> DKD:
    torch.manual_seed(0)
    model = build_model("dkd-tiny", **{"channels": 8, "input_size": 128, **options})
    assert isinstance(model, DKD)
    nn.init.normal_(model.readout.weight, std=0.3)  # maps that vary
    return model.eval()


def by_hand(layers: KernelDistillator, maps: torch.Tensor) -> torch.Tensor:
    """Compute Figure 2 of the paper in eval mode, from the layers' weights without calling a module."""
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    norms = [layer for layer in layers if isinstance(layer, nn.BatchNorm2d)]
    for i, (convolution, norm) in enumerate(zip(convolutions, norms, strict=True)):
        maps = F.conv2d(maps, convolution.weight, padding=0 if i == 0 else 1)
        assert norm.running_mean is not None and norm.running_var is not None
        maps = F.batch_norm(maps, norm.running_mean, norm.running_var, norm.weight, norm.bias)
        if i < 2:
            maps = F.max_pool2d(maps.relu(), 2)
    return maps


@torch.inference_mode()
@pytest.mark.parametrize("size", [128, 256])
def test_left_alone_it_is_figure_2_bit_for_bit(size: int) -> None:
    model = tiny(input_size=size)
    maps = torch.rand(2, 8 + 13, size // 8, size // 8)
    assert torch.equal(model.distillator(maps), by_hand(model.distillator, maps))  # type: ignore[arg-type]
    torch.manual_seed(0)
    again = build_model("dkd-tiny", channels=8, input_size=size, kernel_side=None, distillation="pooled")
    torch.manual_seed(0)
    before = [nn.Conv2d(21, 8, 3, bias=False), *(nn.Conv2d(8, 8, 3, padding=1, bias=False) for _ in range(2))]
    torch.manual_seed(0)
    convolutions = [layer for layer in KernelDistillator(8, 13) if isinstance(layer, nn.Conv2d)]
    assert all(torch.equal(a.weight, b.weight) for a, b in zip(before, convolutions, strict=True))
    assert [k for k, v in again.state_dict().items() if not k.startswith("readout") and not torch.equal(
        v, model.state_dict()[k])] == []  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(
    side=st.sampled_from([3, 5, 7, 9, 11]), size=st.sampled_from([128, 192, 256]),
    distillation=st.sampled_from(["pooled", "static"]), channels=st.integers(1, 6), batch=st.integers(1, 2),
)  # fmt: skip
@torch.inference_mode()
def test_any_side_at_any_input_size(side: int, size: int, distillation: str, channels: int, batch: int) -> None:
    model = tiny(channels=channels, input_size=size, kernel_side=side, distillation=distillation)
    output = model(torch.rand(batch, 2, 3, size, size))
    assert model.kernel_shape == (channels, side, side)
    assert output.kernels.shape == (batch, 2, channels, side, side)
    assert output.heatmaps.shape == (batch, 2, 13, size // 8, size // 8)


@torch.inference_mode()
def test_a_traces_contributions_follow_the_side() -> None:
    for options in ({"kernel_side": 9}, {"kernel_side": 5, "distillation": "static"}):
        trace = follow(tiny(**options), dotted_person(0, 3))
        bias = trace.bias[trace.skeleton.index("left_wrist")]
        total = trace.contributions(2, "left_wrist").sum(0) + bias
        expected = trace.heatmaps[2, trace.skeleton.index("left_wrist")]
        np.testing.assert_allclose(total, expected, atol=1e-3 * float(expected.std()))
        assert trace.kernels.shape[1:] == trace.model.kernel_shape


@torch.inference_mode()
def test_a_static_kernel_is_one_for_all_and_knows_no_past() -> None:
    model = tiny(distillation="static")
    assert isinstance(model.distillator, StaticKernel)
    clips = torch.rand(2, 3, 3, 128, 128)
    asked: list[int] = []

    def forget(heatmaps: torch.Tensor, t: int) -> torch.Tensor:
        asked.append(t)
        return erase(heatmaps, t)

    plain, erased = model(clips), model(clips, forget)
    assert torch.equal(plain.heatmaps, erased.heatmaps) and not asked
    assert torch.equal(plain.kernels, model.distillator.kernel.expand_as(plain.kernels))
    # Frame t sees frame t alone: another past, the same maps.
    other = clips.clone()
    other[:, :2] = 1 - other[:, :2]
    assert torch.equal(model(other).heatmaps[:, 2], plain.heatmaps[:, 2])
    assert torch.equal(FrozenKernel(model)(clips).heatmaps, plain.heatmaps)


def test_a_static_kernel_says_that_it_has_no_past() -> None:
    static, distilled = tiny(distillation="static"), tiny()
    assert not static.hands_on and distilled.hands_on
    with pytest.raises(ConfigError, match="no past to rely on"):
        one_step_reliance(follow(static, dotted_person(0, 3)))
    with pytest.raises(ConfigError, match="passes nothing on"):
        Method("static", static).with_variant("erased")
    trace: Trace = follow(static, dotted_person(0, 3))
    assert trace.kernel_drift().tolist() == pytest.approx([0, 0, 0], abs=1e-6)


def test_gradient_reaches_the_static_kernel_and_training_moves_it(tmp_path: Path) -> None:
    model = tiny(distillation="static", kernel_side=5).train()
    model(torch.rand(2, 2, 3, 128, 128)).heatmaps.square().mean().backward()
    kernel = model.distillator.kernel
    assert isinstance(kernel, nn.Parameter) and kernel.grad is not None
    assert (kernel.grad.flatten(1).norm(dim=1) > 0).all()

    words = "model.settings.distillation=static", "model.settings.kernel_side=5", "adversary.eta=0.1"
    config = quick(*words, "adversary.width=8", "optimiser.fixed_statistics=[distillator]", "model.pretrain=0.25")
    people = [dotted_person(20, 4)]
    records = list(train(config, tmp_path / "run", people=dotted_people(), validation=people))
    assert len(records) == config.steps and np.isnan(records[-1].validation["reliance"])
    trained = load_model(tmp_path / "run" / "model.safetensors")
    assert isinstance(trained, DKD) and trained.config.distillation == "static" and trained.config.kernel_side == 5
    torch.manual_seed(config.seed)
    fresh = DKD(trained.config).distillator.kernel
    assert not torch.equal(trained.distillator.kernel, fresh)  # type: ignore[arg-type]
    assert np.isfinite(validate(trained, people)["pck@0.2"])


def test_costs_are_counted_in_closed_form() -> None:
    """Cost of S: S² per channel per cell for matching, and the distillator's last convolution on S×S cells."""
    sides = [3, 5, 7, 9]
    costs = [count(tiny(kernel_side=side)) for side in sides]
    for (a, b), (small, large) in zip(pairwise(costs), pairwise(sides), strict=True):
        more = large**2 - small**2
        assert b.step - a.step == 8 * 16**2 * more + 8 * 8 * 9 * more
        assert a.step_params == b.step_params
    static, distilled = count(tiny(kernel_side=5, distillation="static")), costs[1]
    layers = (8 * 21 * 9 * 14**2) + (8 * 8 * 9 * 7**2) + (8 * 8 * 9 * 5**2)  # of the distillator, which does not run
    assert distilled.step - static.step == layers
    weights = (8 * 21 * 9) + 2 * (8 * 8 * 9) + 3 * 2 * 8
    assert distilled.step_params - static.step_params == weights - 8 * 5**2, "the kernel is a parameter that is used"


@pytest.mark.parametrize("options", [{"kernel_side": 9}, {"distillation": "static", "kernel_side": 3}])
def test_both_come_back_from_a_checkpoint(options: dict[str, Any], tmp_path: Path) -> None:
    model = tiny(**options)
    save_model(model, tmp_path / "mine.safetensors", {})
    loaded = load_model(tmp_path / "mine.safetensors")
    assert loaded.config == model.config
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


def test_a_checkpoint_from_before_has_the_papers_layers(tmp_path: Path) -> None:
    model = tiny()
    save_model(model, tmp_path / "new.safetensors", {})
    tensors, header = read_tensors(tmp_path / "new.safetensors")
    config = json.loads(header["config"])
    del config["kernel_side"], config["distillation"]
    save_file(tensors, tmp_path / "old.safetensors", metadata=header | {"config": json.dumps(config)})
    assert load_model(tmp_path / "old.safetensors").config == model.config == DKDConfig(**config)


@pytest.mark.parametrize("side", [1, 4, 13, 7.0, True, "7"])
def test_a_side_that_makes_no_kernel_is_refused(side: Any) -> None:
    with pytest.raises(ConfigError, match=f"odd number from 3 to 11, or None for the paper's layers, got {side!r}"):
        DKDConfig(kernel_side=side)


def test_an_unknown_distillation_is_refused() -> None:
    with pytest.raises(ConfigError, match="one of pooled, at_joints, both, static, got 'none'"):
        DKDConfig(distillation="none")  # type: ignore[arg-type]


# --- a kernel that is the same for all frames -------------------------------------------------------------------------


def test_a_kernel_bias_is_added_to_every_frames_kernel() -> None:
    torch.manual_seed(0)
    plain, biased = (build_model("dkd-tiny", channels=16, kernel_bias=bias).eval() for bias in (False, True))
    assert isinstance(plain, DKD) and isinstance(biased, DKD)
    assert not any("distillator.10" in name for name in plain.state_dict())
    biased.load_state_dict(plain.state_dict(), strict=False)
    clip = torch.rand(1, 3, 3, 256, 256)
    assert torch.equal(biased(clip).kernels, plain(clip).kernels), "zeros at the start"
    extra = torch.randn(16, 7, 7)
    biased.distillator[-1].kernel.data.copy_(extra)  # type: ignore[index,operator]
    first = (biased(clip).kernels - plain(clip).kernels)[:, 0]  # of the same frame and maps
    torch.testing.assert_close(first[0], extra, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("distillation", ["pooled", "static"])
def test_a_dkd_can_start_as_its_per_frame_baseline(distillation: str) -> None:
    torch.manual_seed(0)
    baseline = build_model("simple-baseline-tiny", channels=16).eval()
    model = build_model("dkd-tiny", channels=16, kernel_bias=True, distillation=distillation).eval()
    assert isinstance(baseline, SimpleBaseline) and isinstance(model, DKD)
    torch.nn.init.normal_(baseline.net.classifier.weight)
    torch.nn.init.normal_(baseline.net.classifier.bias)  # type: ignore[arg-type]
    model.encoder.load_state_dict(baseline.net.encoder.state_dict())
    model.start_as_baseline(baseline.net)
    with torch.no_grad():
        if distillation == "pooled":  # silence what is made of the past
            model.distillator[9].weight.zero_()  # type: ignore[index,operator]
        model.readout.weight[:, 13:] = 0
    clip = torch.rand(1, 3, 3, 256, 256)
    torch.testing.assert_close(model(clip).heatmaps[:, 1:], baseline(clip).heatmaps[:, 1:], rtol=1e-4, atol=1e-4)


def test_a_warm_start_is_the_baselines(tmp_path: Path) -> None:
    baseline = build_model("simple-baseline-tiny", channels=16)
    assert isinstance(baseline, SimpleBaseline)
    save_model(baseline, tmp_path / "baseline.safetensors", {})
    model = build_model("dkd-tiny", channels=16, kernel_bias=True)
    assert isinstance(model, DKD)
    warm_start(model, tmp_path / "baseline.safetensors")
    assert torch.equal(model.projection.weight[:13], baseline.net.classifier.weight)
    paper = build_model("dkd-tiny", channels=16)
    assert isinstance(paper, DKD)
    warm_start(paper, tmp_path / "baseline.safetensors")
    assert not torch.equal(paper.projection.weight[:13], baseline.net.classifier.weight)
    with pytest.raises(ConfigError, match="expected a DKD with kernel_bias"):
        paper.start_as_baseline(baseline.net)
