"""Kernels made at the joints: their closed form, the gate, streams, checkpoints, controls, training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dkd.errors import ConfigError, ShapeError
from dkd.models import DKD, build_model
from dkd.models.at_joints import RATES, JointMatching, joint_kernels, respond, settle
from dkd.models.checkpoints import load_model, save_model
from dkd.models.controls import FrozenKernel, RunningAverageKernel
from dkd.models.stored import read_config
from dkd.models.warm_start import warm_start
from dkd.pose.heatmaps import TARGET_SIGMA, decode_peaks, gaussian_targets

FORMS = "at_joints", "both"


def tiny(seed: int = 0, **settings: Any) -> DKD:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = build_model("dkd-tiny", channels=16, input_size=128, **settings)
    assert isinstance(model, DKD)
    return model.eval()


def opened(model: DKD) -> DKD:
    """The model with a gate that changes maps."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        nn.init.normal_(model.joint_matching.gate[-1].weight, std=0.3)  # type: ignore[arg-type]
    return model


def clip(n_frames: int = 4, batch: int = 1) -> torch.Tensor:
    return torch.rand(batch, n_frames, 3, 128, 128, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("side", [3, 5])
def test_kernels_and_responses_are_those_of_naive_loops(side: int) -> None:
    rng = np.random.default_rng(0)
    features, maps = rng.normal(size=(2, 4, 6, 7)), rng.normal(size=(2, 3, 6, 7))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    half = side // 2
    padded = np.pad(features, ((0, 0), (0, 0), (half, half), (half, half)))
    kernels, responses = np.zeros((2, 3, 4, side, side)), np.zeros((2, 3, 6, 7))
    for b, j in np.ndindex(2, 3):
        for y, x in np.ndindex(6, 7):
            kernels[b, j] += maps[b, j, y, x].clip(0) * padded[b, :, y : y + side, x : x + side]
        template = kernels[b, j] / np.linalg.norm(kernels[b, j])
        for y, x in np.ndindex(6, 7):
            responses[b, j, y, x] = (template * padded[b, :, y : y + side, x : x + side]).sum() / side
    made = joint_kernels(torch.tensor(features), torch.tensor(maps), side)
    np.testing.assert_allclose(made, kernels, atol=1e-12)
    np.testing.assert_allclose(respond(torch.tensor(features), made), responses, atol=1e-12)


def test_a_patch_is_found_where_it_went() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.nn.functional.normalize(torch.randn(1, 8, 20, 20, generator=generator), dim=1)
    maps = gaussian_targets(torch.tensor([[[6.0, 7.0], [11.0, 9.0]]]), 20, 0.3)
    moved = torch.roll(features, (3, -2), (2, 3))
    responses = respond(moved, joint_kernels(features, maps))
    peaks, heights = decode_peaks(responses)
    np.testing.assert_allclose(peaks[0], [[4, 10], [9, 12]], atol=0.5)
    assert heights.min() > 0.99 and responses.abs().max() <= 1 + 1e-6


def test_a_joint_without_a_map_has_no_kernel() -> None:
    features = torch.rand(1, 4, 6, 6)
    kernels = joint_kernels(features, -torch.ones(1, 2, 6, 6))
    assert not kernels.any() and not respond(features, kernels).any()


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match="same frames"):
        joint_kernels(torch.zeros(1, 4, 6, 6), torch.zeros(1, 2, 5, 6))
    with pytest.raises(ShapeError, match=r"\(1, 4\)"):
        respond(torch.zeros(1, 3, 6, 6), torch.zeros(1, 2, 4, 5, 5))


def bump(x: float, y: float, height: float = 1.0) -> torch.Tensor:
    """A map of 12×12 cells with a Gaussian of the targets' width."""
    grid = torch.arange(12.0)
    return height * torch.exp(-((grid - x)[None] ** 2 + (grid - y)[:, None] ** 2) / (2 * TARGET_SIGMA**2))


def settled(gated: torch.Tensor, matched: torch.Tensor) -> torch.Tensor:
    return settle(gated[None, None], matched[None, None])[0, 0]


def test_the_gate_says_at_which_peak_a_joint_is_and_both_maps_where() -> None:
    matched = bump(3, 3) + bump(8.5, 8, 0.5)  # the matched map prefers another peak
    gated = bump(8, 8, 0.9) + bump(3, 3, 0.2)
    found = settled(gated, matched)
    x, y = decode_peaks(found)[0].tolist()
    assert 8.1 < x < 8.4 and abs(y - 8) < 0.05
    near = slice(6, 11)
    outside = torch.ones(12, 12, dtype=torch.bool)
    outside[near, near] = False
    assert torch.equal(found[outside], gated[outside])
    scaled = matched * (gated.max() / matched[near, near].max())
    torch.testing.assert_close(found[near, near], (scaled[near, near] + gated[near, near]) / 2)


def test_a_matched_map_with_nothing_there_leaves_the_gates() -> None:
    gated = bump(8, 8, 0.9)
    for matched in (torch.zeros(12, 12), bump(2, 2), -gated, 0.1 * gated):
        assert torch.equal(settled(gated, matched), gated)
    assert torch.equal(settled(gated, gated), gated)
    assert torch.equal(settled(torch.zeros(12, 12), torch.zeros(12, 12)), torch.zeros(12, 12))


@pytest.mark.parametrize(("form", "plain"), [("both", "pooled"), ("at_joints", "static")])
def test_a_closed_gate_changes_no_bit(form: str, plain: str) -> None:
    model, expected = tiny(distillation=form), tiny(1, distillation=plain)
    missing = model.load_state_dict(expected.state_dict(), strict=False)
    assert {name.split(".")[0] for name in missing.missing_keys} == {"joint_matching"}
    with torch.inference_mode():
        got, wanted = model(clip()), expected(clip())
    assert torch.equal(got.heatmaps, wanted.heatmaps) and torch.equal(got.kernels, wanted.kernels)


def test_the_pooled_kernels_are_those_of_the_pooled_form() -> None:
    model, plain = opened(tiny(distillation="both")), tiny(1)
    model.load_state_dict(plain.state_dict(), strict=False)
    with torch.inference_mode():
        got, expected = model(clip()), plain(clip())
        same = model(clip(), lambda maps, t: maps.clone())
        swapped, other = (one(clip(), lambda maps, t: maps.flip(1)) for one in (model, plain))
    assert torch.equal(got.kernels, expected.kernels) and torch.equal(same.kernels, expected.kernels)
    assert not torch.allclose(got.heatmaps[:, 1:], expected.heatmaps[:, 1:], atol=1e-4)
    assert torch.equal(swapped.kernels[:, 0], other.kernels[:, 0])


@pytest.mark.parametrize("form", FORMS)
def test_frame_by_frame_equals_the_clip_and_training_mode(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, frames = opened(tiny(distillation=form)), clip(batch=2)
    with torch.inference_mode():
        whole = model(frames).heatmaps
        output, state = model.start(frames[:, 0])
        each = [output.heatmaps]
        for t in range(1, frames.shape[1]):
            output, state = model.step(frames[:, t], state)
            each.append(output.heatmaps)
        assert torch.equal(whole, torch.stack(each, 1))
        monkeypatch.setattr("dkd.models.at_joints.settle", lambda gated, matched: gated)  # as in training
        whole = model(frames).heatmaps
        model.train()
        for part in model.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.eval()
        np.testing.assert_allclose(model(frames).heatmaps, whole, atol=1e-4)
    assert model.hands_on and model.state_after(3, output.kernels) is None


def test_a_fast_and_a_slow_memory_of_the_joints_are_matched() -> None:
    model, frames = opened(tiny(distillation="both")), clip(5)
    with torch.inference_mode():
        _, first = model.start(frames[:, 0])
        output, second = model.step(frames[:, 1], first)
        made = model.joint_matching.kernels(output.features, output.heatmaps)
    assert first.at_joints is not None and second.at_joints is not None
    for before, after, rate in zip(first.at_joints, second.at_joints, RATES, strict=True):
        np.testing.assert_allclose(after, (1 - rate) * before + rate * made, atol=1e-5)


def test_a_hidden_joint_is_remembered() -> None:
    """Its map is silent: the kernels keep their direction, and only their size tells that nothing was seen."""
    matching = JointMatching(8, (0,), side=3, embedded=4)
    features = torch.randn(2, 1, 8, 9, 9, generator=torch.Generator().manual_seed(0))
    peak = gaussian_targets(torch.tensor([[[4.0, 4.0]]]), 9, 1.0)
    with torch.no_grad():
        seen = matching.kernels(features[0], peak)
        kept = (seen, seen)
        for _ in range(3):
            kept = matching.remember(kept, matching.kernels(features[1], -peak))
        embedded = matching.embed(features[1])
        for kernels, rate in zip(kept, RATES, strict=True):
            np.testing.assert_allclose(respond(embedded, kernels), respond(embedded, seen), atol=1e-5)
            np.testing.assert_allclose(kernels.norm() / seen.norm(), (1 - rate) ** 3, rtol=1e-5)


def test_the_gate_sees_the_other_side_of_the_body() -> None:
    """Only joints whose opposite changed may change too: the gate reads a pair, and nothing of the others."""
    torch.manual_seed(0)
    matching = JointMatching(4, (1, 0, 2), side=3, embedded=4)
    nn.init.normal_(matching.gate[-1].weight)  # type: ignore[arg-type]
    features, maps = torch.randn(1, 4, 8, 8), torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        made = matching.kernels(features, maps)
        before = matching(maps, features, made, made)
        changed = maps.clone()
        changed[:, 1] += 1
        after = matching(changed, features, made, made)
    moved = (after - before).abs().amax((0, 2, 3))
    assert moved[0] > 1e-3 and moved[1] > 1e-3 and moved[2] == 0


@pytest.mark.parametrize("form", FORMS)
def test_what_is_handed_on_reaches_the_next_maps(form: str) -> None:
    model, frames = opened(tiny(distillation=form)), clip(2)
    with torch.inference_mode():
        plain, erased = (model(frames, feedback).heatmaps for feedback in (None, lambda maps, t: maps * 0))
    assert torch.equal(plain[:, 0], erased[:, 0]) and not torch.allclose(plain[:, 1], erased[:, 1], atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_every_part_learns_from_maps(form: str) -> None:
    model = opened(tiny(distillation=form)).train()
    model(clip(batch=2)).heatmaps[:, 1:].square().sum().backward()
    for name, weight in model.joint_matching.named_parameters():
        assert weight.grad is not None and weight.grad.abs().max() > 0, name


def test_gradients_are_those_of_finite_differences() -> None:
    torch.manual_seed(0)
    matching = JointMatching(3, (1, 0), side=3, embedded=2).double()
    nn.init.normal_(matching.gate[-1].weight)  # type: ignore[arg-type]
    features, maps = torch.randn(2, 1, 3, 6, 6).double(), torch.rand(2, 1, 2, 6, 6).double()

    def refined(before: torch.Tensor, now: torch.Tensor) -> torch.Tensor:
        made = matching.kernels(features[0], before)
        return matching(now, features[1], made, made)

    assert torch.autograd.gradcheck(refined, [one.clone().requires_grad_() for one in maps])


@pytest.mark.parametrize("form", FORMS)
def test_a_checkpoint_keeps_the_form(tmp_path: Path, form: str) -> None:
    model = opened(tiny(distillation=form))
    save_model(model, tmp_path / "model.safetensors", {})
    again = load_model(tmp_path / "model.safetensors")
    assert again.config == model.config
    with torch.inference_mode():
        np.testing.assert_allclose(again(clip()).heatmaps, model(clip()).heatmaps, atol=1e-5)


def test_a_pooled_checkpoint_starts_both(tmp_path: Path) -> None:
    pooled, model = tiny(), tiny(1, distillation="both")
    save_model(pooled, tmp_path / "pooled.safetensors", {})
    random = warm_start(model, tmp_path / "pooled.safetensors")
    assert random and all(name.startswith("joint_matching.") for name in random)
    with torch.inference_mode():
        np.testing.assert_allclose(model(clip()).heatmaps, pooled(clip()).heatmaps, atol=1e-5)


def test_controls_keep_the_refinement() -> None:
    model, frames = opened(tiny(distillation="both")), clip(5)
    frozen, average = FrozenKernel(model), RunningAverageKernel(model, 1.0)
    with torch.inference_mode():
        expected = model(frames)
        assert torch.equal(average(frames).heatmaps, expected.heatmaps)  # a rate of 1 is the model itself
        output, state = frozen.start(frames[:, 0])
        kept = state.at_joints
        for t in range(1, 5):
            output, state = frozen.step(frames[:, t], state)
            assert state.at_joints is kept
    assert not torch.allclose(output.heatmaps, expected.heatmaps[:, -1], atol=1e-6)


def test_its_cost_is_small() -> None:
    counts = [sum(p.numel() for p in tiny(distillation=form).parameters()) for form in ("pooled", "both")]
    assert 0 < counts[1] - counts[0] < 5_000


def test_the_old_name_of_the_pooled_form_still_loads() -> None:
    assert tiny(distillation="distilled").config == tiny().config
    assert read_config("dkd", '{"distillation": "distilled"}') == read_config("dkd", "{}")
    with pytest.raises(ConfigError, match="pooled, at_joints, both, static"):
        tiny(distillation="at_joint")
