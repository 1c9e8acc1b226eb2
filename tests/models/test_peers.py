"""The peers of DKD against their papers' counts, plain loops, closed forms, and themselves in other modes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from dkd.datasets.augment import AugmentConfig
from dkd.datasets.batches import BatchPlan, Mixture, Steps
from dkd.datasets.people import PersonSequence
from dkd.errors import CheckpointError, ConfigError
from dkd.models import CPM, LSTMPoseMachine, SimpleBaseline, VideoPoseModel, build_model
from dkd.models.checkpoints import FORMAT, load_model, save_model, write_tensors
from dkd.models.lstm_pose_machine import ConvLSTM, hand_on
from dkd.models.pose_machine_parts import centre_map
from dkd.models.warm_start import warm_start
from dkd.pose.heatmaps import decode_peaks, gaussian_targets
from dkd.tracking.trace import Trace
from dkd.training.losses import background_targets, pose_loss, stages_loss
from dkd.training.run import Run
from dkd.training.trainer import train
from dkd.training.validation import MEASURES, validate
from dkd.video.images import ImageClip
from tests.support.dotted_people import dotted_people, dotted_person, quick

# Small models of each kind: few channels. The plain pose machines have no BatchNorm, as the papers'.
SMALL: dict[str, tuple[str, dict[str, Any]]] = {
    "simple-baseline-3": ("simple-baseline-tiny", {"input_size": 128, "channels": 8, "deconvolutions": 3}),
    "cpm": ("cpm-tiny", {"input_size": 64, "channels": 4, "stages": 3, "batch_norm": False}),
    "cpm with norm": ("cpm-tiny", {"input_size": 64, "channels": 4}),
    "lstm-pm": ("lstm-pm-tiny", {"input_size": 64, "channels": 4, "batch_norm": False}),
    "lstm-pm with norm": ("lstm-pm-tiny", {"input_size": 64, "channels": 4}),
}
POSE_MACHINES = [name for name in SMALL if "pm" in name]


def small_model(kind: str, seed: int = 0) -> VideoPoseModel:
    """Build a model in eval mode, with weights and batch statistics for which current and past frames matter."""
    torch.manual_seed(seed)
    name, settings = SMALL[kind]
    model = build_model(name, **settings).train()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.Conv2d) and module.kernel_size == (1, 1) and module.bias is not None:
                torch.nn.init.normal_(module.weight, std=0.3)
        for _ in range(4):
            model(torch.rand(2, 2, 3, model.config.input_size, model.config.input_size))
    return model.eval()


def clip_for(model: VideoPoseModel, batch: int = 1, n_frames: int = 4, seed: int = 1) -> torch.Tensor:
    size = model.config.input_size
    return torch.rand(batch, n_frames, 3, size, size, generator=torch.Generator().manual_seed(seed))


# --- the papers' numbers ----------------------------------------------------------------------------------------------


def counts(model: VideoPoseModel) -> tuple[float, float, float]:
    """Count GMACs of the first frame and of a later one, and parameters in M. The model is on the meta device."""
    frame = torch.zeros(1, 3, model.config.input_size, model.config.input_size, device="meta")
    with FlopCounterMode(display=False) as first:
        _, state = model.start(frame)
    with FlopCounterMode(display=False) as later:
        model.step(frame, state)
    n_parameters = sum(p.numel() for p in model.parameters())
    return first.get_total_flops() / 2e9, later.get_total_flops() / 2e9, n_parameters / 1e6


def test_lstm_pose_machines_have_the_recounted_cost() -> None:
    """With 14 joints at 368×368: 70.94 GMACs per frame, 64.0 more in the first, 12.1 M parameters, 7.7 M per frame."""
    with torch.device("meta"):
        model = build_model("lstm-pm", skeleton="lsp").eval()
    assert isinstance(model, LSTMPoseMachine) and model.config.n_maps == 15
    first, later, parameters = counts(model)
    assert later == pytest.approx(70.94, rel=1e-3)
    assert first - later == pytest.approx(64.0, rel=1e-3)
    assert parameters == pytest.approx(12.1, rel=0.01)
    once = sum(p.numel() for p in model.first_stage.parameters()) / 1e6
    assert parameters - once == pytest.approx(7.7, rel=0.01)
    assert model.lstm.from_input.in_channels == model.lstm.from_hidden.in_channels == 48


def test_convolutional_pose_machines_have_the_recounted_cost() -> None:
    with torch.device("meta"):
        model = build_model("cpm", skeleton="lsp").eval()
    assert isinstance(model, CPM) and len(model.stages) == 5
    first, later, parameters = counts(model)
    assert first == later == pytest.approx(175.4, rel=1e-3)
    assert parameters == pytest.approx(31.2, rel=1e-3)


@pytest.mark.parametrize(("depth", "gmacs"), [(18, 3.86), (34, 6.27), (50, 7.23), (101, 12.08)])
def test_a_third_deconvolution_costs_what_its_shape_says(depth: int, gmacs: float) -> None:
    """16 · 256² multiply-adds for each of its 32² input cells, and four times as many cells to classify."""
    with torch.device("meta"):
        two, three = (build_model(f"simple-baseline-{kind}resnet{depth}").eval() for kind in ("", "3-"))
    (_, before, fewer), (_, after, more) = counts(two), counts(three)
    assert after - before == pytest.approx((16 * 256**2 * 32**2 + 256 * 13 * (64**2 - 32**2)) / 1e9)
    assert after == pytest.approx(gmacs, abs=0.005)
    assert more - fewer == pytest.approx((16 * 256**2 + 2 * 256) / 1e6)
    assert isinstance(three, SimpleBaseline) and three.name == f"simple-baseline-3-resnet{depth}"
    assert (three.stride, three.map_size, two.stride, two.map_size) == (4, 64, 8, 32)


def test_the_third_deconvolution_begins_as_the_paper_says() -> None:
    model = build_model("simple-baseline-3-resnet18")
    assert isinstance(model, SimpleBaseline)
    layers = [module for module in model.modules() if isinstance(module, torch.nn.ConvTranspose2d)]
    assert [module.kernel_size for module in layers] == [(4, 4)] * 3
    for module in layers:
        assert float(module.weight.detach().std()) == pytest.approx(0.001, rel=0.05)
    assert float(model.net.classifier.weight.detach().std()) == pytest.approx(0.001, rel=0.05)


@pytest.mark.parametrize("name", ["cpm-tiny", "lstm-pm-tiny"])
def test_the_tiny_ones_cost_tens_of_millions(name: str) -> None:
    with torch.device("meta"):
        tiny, other = build_model(name).eval(), build_model("dkd-tiny", input_size=128).eval()
    assert 0.5 < counts(tiny)[1] / counts(other)[1] < 2
    assert counts(tiny)[1] < 0.1


# --- shapes, and one frame after the other ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SMALL)
@torch.inference_mode()
def test_outputs_have_the_documented_shapes(kind: str) -> None:
    model = small_model(kind)
    size, side = model.config.input_size, model.map_size
    assert side * model.stride == size
    assert model.trunks() == [] or kind == "simple-baseline-3"
    output, _ = model.start(clip_for(model, 2)[:, 0])
    assert output.heatmaps.shape == model.initialise(clip_for(model, 2)[:, 0]).shape == (2, 13, side, side)
    assert tuple(output.kernels.shape[1:]) == model.kernel_shape == (0, 1, 1)
    assert output.features.shape[-2:] == (side, side) and (output.features >= 0).all()
    assert output.intermediate is None
    whole = model.train()(clip_for(model, 2, 3))
    assert whole.heatmaps.shape == (2, 3, 13, side, side)
    if kind == "simple-baseline-3":
        assert whole.intermediate is None
    else:
        n_stages = 3 if "cpm" in kind else 2
        assert whole.intermediate is not None and whole.intermediate.shape == (2, 3, n_stages, 14, side, side)
        assert torch.equal(whole.intermediate[:, :, -1, :-1], whole.heatmaps)


@pytest.mark.parametrize("kind", SMALL)
@torch.inference_mode()
def test_streaming_equals_the_whole_clip_bit_for_bit(kind: str) -> None:
    model = small_model(kind)
    clip = clip_for(model)
    whole = model(clip)
    assert whole.heatmaps.std() > 1e-3 and whole.intermediate is None
    output, state = model.start(clip[:, 0])
    for t in range(clip.shape[1]):
        if t:
            output, state = model.step(clip[:, t], state)
        for part, name in zip(output[:3], output._fields[:3], strict=True):
            assert torch.equal(part, getattr(whole, name)[:, t]), (name, t)


@pytest.mark.parametrize("kind", SMALL)
@torch.inference_mode()
def test_train_mode_and_batches_compute_the_same_function(kind: str) -> None:
    model = small_model(kind)
    clip = clip_for(model, 2, 3)
    evaluated = model(clip)
    for b in range(2):
        for part, alone in zip(evaluated[:3], model(clip[b : b + 1])[:3], strict=True):
            torch.testing.assert_close(part[b : b + 1], alone, rtol=1e-3, atol=1e-4)
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()  # only the order of work may differ
    for part, trained in zip(evaluated[:3], model(clip)[:3], strict=True):
        torch.testing.assert_close(part, trained, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", SMALL)
@torch.inference_mode()
def test_frame_t_sees_no_later_frame_and_its_past_if_it_has_one(kind: str) -> None:
    model = small_model(kind)
    clip = clip_for(model)
    changed = clip.clone()
    changed[:, 2] = 1 - changed[:, 2]
    a, b = model(clip).heatmaps, model(changed).heatmaps
    assert torch.equal(a[:, :2], b[:, :2])
    assert not torch.allclose(a[:, 2], b[:, 2])
    assert torch.equal(a[:, 3], b[:, 3]) != isinstance(model, LSTMPoseMachine)


# --- LSTM Pose Machines -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["lstm-pm", "lstm-pm with norm"])
@torch.inference_mode()
def test_feedback_replaces_the_maps_that_are_handed_on(kind: str) -> None:
    model = small_model(kind)
    clip = clip_for(model, n_frames=3)
    seen: list[int] = []

    def erase(heatmaps: torch.Tensor, t: int) -> torch.Tensor:
        assert heatmaps.shape == (1, 13, 8, 8)
        seen.append(t)
        return torch.zeros_like(heatmaps)

    plain, erased = model(clip), model(clip, erase)
    assert seen == [0, 1, 2]
    assert torch.equal(erased.heatmaps[:, 0], plain.heatmaps[:, 0])
    assert not torch.allclose(erased.heatmaps[:, 1], plain.heatmaps[:, 1])
    assert torch.equal(model(clip, lambda maps, t: maps.clone()).heatmaps, plain.heatmaps)


@torch.inference_mode()
def test_the_state_is_memory_maps_and_time() -> None:
    """Frame 1 gets ConvNet1's maps; later frames only depend on the state, step by step."""
    model = small_model("lstm-pm")
    assert isinstance(model, LSTMPoseMachine)
    clip = clip_for(model, 2, 2)
    centre = centre_map(64).expand(2, -1, -1, -1)
    nothing = torch.zeros(2, model.config.hidden, 8, 8)
    hidden, cell, maps = nothing, nothing, model.first_stage(model.normalise(clip[:, 0]))
    output, state = model.start(clip[:, 0])
    torch.testing.assert_close(output.heatmaps, model.initialise(clip[:, 0]))
    for t in range(2):
        if t:
            output, state = model.step(clip[:, t], state)
        hidden, cell = model.lstm(torch.cat([model.encode(clip[:, t]), maps, centre], 1), hidden, cell)
        maps = model.readout(hidden)
        for expected, got in zip((hidden, cell, maps), state[:3], strict=True):
            torch.testing.assert_close(expected, got)
        assert torch.equal(state.maps[:, :-1], output.heatmaps)
        assert state.t == t


def test_the_background_follows_the_passed_maps() -> None:
    """The background is 1 − max of the passed maps if it was so before; otherwise it changes by the same amount."""
    joints = gaussian_targets(torch.tensor([[[2.0, 2.0], [5.0, 4.0]]]), 8, 1.0)
    maps = torch.cat([joints, background_targets(joints)], 1)
    other = gaussian_targets(torch.tensor([[[6.0, 1.0], [1.0, 6.0]]]), 8, 1.0)
    given = hand_on(maps, 0, lambda *_: other)
    torch.testing.assert_close(given, torch.cat([other, background_targets(other)], 1))
    erased = hand_on(maps, 0, lambda heatmaps, t: 0 * heatmaps)
    torch.testing.assert_close(erased, torch.cat([torch.zeros(1, 2, 8, 8), torch.ones(1, 1, 8, 8)], 1))
    assert hand_on(maps, 0, None) is maps


def test_the_memory_is_its_equations() -> None:
    """Each gate with NumPy, with convolutions as explicit sums over 3×3 cells; outside the map counts as 0."""
    rng = np.random.default_rng(0)
    n_in, n_hidden, side = 3, 2, 4
    lstm = ConvLSTM(n_in, n_hidden).double()
    with torch.no_grad():
        for parameter in lstm.parameters():
            parameter.copy_(torch.from_numpy(rng.normal(size=parameter.shape)))
    x, h, c = (rng.normal(size=(n, side, side)) for n in (n_in, n_hidden, n_hidden))

    def at(field: np.ndarray, y: int, x: int) -> np.ndarray:
        return field[:, y, x] if 0 <= y < side and 0 <= x < side else np.zeros(len(field))

    w_x, w_h = (w.weight.detach().numpy() for w in (lstm.from_input, lstm.from_hidden))
    scale, bias = lstm.scale.detach().numpy()[:, 0, 0], lstm.bias.detach().numpy()[:, 0, 0]
    next_h, next_c = np.zeros_like(h), np.zeros_like(c)
    for y, column in np.ndindex(side, side):
        total = np.zeros(4 * n_hidden)
        for i, j in np.ndindex(3, 3):
            total += w_x[:, :, i, j] @ at(x, y + i - 1, column + j - 1)
            total += w_h[:, :, i, j] @ at(h, y + i - 1, column + j - 1)
        i_gate, f_gate, o_gate, new = (scale * total + bias).reshape(4, n_hidden)
        sigmoid = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
        next_c[:, y, column] = sigmoid(f_gate) * c[:, y, column] + sigmoid(i_gate) * np.tanh(new)
        next_h[:, y, column] = sigmoid(o_gate) * np.tanh(next_c[:, y, column])
    got_h, got_c = (v.detach().numpy()[0] for v in lstm(*(torch.from_numpy(v)[None] for v in (x, h, c))))
    np.testing.assert_allclose(got_h, next_h, atol=1e-12)
    np.testing.assert_allclose(got_c, next_c, atol=1e-12)


def test_the_memory_begins_with_an_open_forget_gate() -> None:
    lstm = ConvLSTM(3, 2)
    assert lstm.bias.flatten().tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    assert lstm.scale.unique().tolist() == [1]


@pytest.mark.parametrize("size", [368, 128, 64])
def test_the_centre_map_is_a_gaussian_at_the_crops_centre(size: int) -> None:
    sigma = 21 * size / 368
    maps = centre_map(size)
    n = size // 8
    assert maps.shape == (1, 1, n, n)
    for row, column in [(0, 0), (n // 2, n // 2), (3, 5)]:
        dx, dy = (8 * (i - (n - 1) / 2) for i in (column, row))
        assert float(maps[0, 0, row, column]) == pytest.approx(np.exp(-(dx**2 + dy**2) / (2 * sigma**2)), rel=1e-4)
    assert torch.equal(maps, maps.flip(-1)) and torch.equal(maps, maps.transpose(-1, -2))


# --- what training needs ----------------------------------------------------------------------------------------------


def test_the_background_is_one_minus_the_highest_joint() -> None:
    joints = torch.tensor([[3.0, 4.0], [4.0, 4.0], [float("inf"), 0.0]])
    background = background_targets(gaussian_targets(joints, 8, 1.5))
    assert background.shape == (1, 8, 8)
    for row, column in np.ndindex(8, 8):
        nearest = min((column - x) ** 2 + (row - y) ** 2 for x, y in ((3, 4), (4, 4)))
        assert float(background[0, row, column]) == pytest.approx(1 - np.exp(-nearest / (2 * 1.5**2)), abs=1e-6)
    nobody = background_targets(gaussian_targets(torch.full((2, 2), torch.inf), 8, 1.5))
    assert nobody.unique().tolist() == [1]


def test_the_loss_of_stages_is_the_average_of_theirs() -> None:
    generator = torch.Generator().manual_seed(0)
    joints = torch.rand(2, 3, 4, 2, generator=generator) * 8
    weights = torch.rand(2, 3, 4, generator=generator)
    stages = torch.rand(2, 3, 5, 4, 8, 8, generator=generator)
    expected = torch.stack([pose_loss(stages[:, :, m], joints, weights, 1.0) for m in range(5)]).mean()
    torch.testing.assert_close(stages_loss(stages, joints, weights, 1.0), expected)


def test_processes_that_share_a_batch_have_one_loss() -> None:
    """Each divides its part by the common mean count: the mean of the parts equals the loss of one process."""
    generator = torch.Generator().manual_seed(0)
    joints = torch.rand(2, 3, 4, 2, generator=generator) * 8
    weights = torch.rand(2, 3, 4, generator=generator).round(decimals=1)
    stages = torch.rand(2, 3, 2, 5, 8, 8, generator=generator)
    count = torch.cat([weights, weights.amin(-1, keepdim=True)], -1).sum() / 2
    parts = [stages_loss(stages[b], joints[b], weights[b], 1.0, lambda _: count) for b in range(2)]
    torch.testing.assert_close((parts[0] + parts[1]) / 2, stages_loss(stages, joints, weights, 1.0))


def test_the_background_has_the_smallest_weight_of_the_frames_joints() -> None:
    """One frame with two joints and correct maps, except the background, which is wrong by 1 in all 64 cells."""
    joints = torch.tensor([[[2.0, 2.0], [5.0, 5.0]]])
    targets = gaussian_targets(joints, 8, 1.0)
    maps = torch.cat([targets, background_targets(targets)], 1)
    maps[:, -1] += 1

    def loss(*weights: float) -> float:
        return float(stages_loss(maps[:, None], joints, torch.tensor([weights]), 1.0))

    assert loss(1, 1) == pytest.approx(64 / 3)
    assert loss(1, 0.5) == pytest.approx(0.5 * 64 / 2)  # a hidden joint: nobody is sure what is background there
    assert loss(1, 0) == 0  # no label
    joints[0, 1] = torch.nan
    assert loss(1, 0) == 0


def test_a_joints_target_peaks_where_it_is_in_the_image() -> None:
    """A dot at a pixel is at ((pixel + ½) / stride − ½) cells; decoded, it is at the same pixel."""
    joints = np.full((1, 13, 2), 99.5, np.float32)
    joints[0, 0] = 70.0, 120.0
    person = PersonSequence([np.zeros((200, 200, 3), np.uint8)], joints, "x")
    plain = AugmentConfig(scale=(1, 1), rotation=0, shift=0, motion=0, distractor=0, occluder=0, degrade=0)
    cells = {}
    for stride in (8, 4):
        plan = BatchPlan(1, 1, 128, 0, 1.0, plain, stride=stride)
        cells[stride] = Steps(Mixture([[person]]), plan)[0].joints[0, 0]
        targets = gaussian_targets(cells[stride], 128 // stride, 2.0)
        peaks, _ = decode_peaks(targets[:1])
        torch.testing.assert_close(peaks[0], cells[stride][0], atol=1e-3, rtol=0)
    torch.testing.assert_close((cells[8] + 0.5) * 8, (cells[4] + 0.5) * 4)


WORDS = {
    "simple-baseline-3": ("model.name=simple-baseline-tiny", "model.settings.deconvolutions=3", "n_frames=1"),
    "cpm": ("model.name=cpm-tiny", "n_frames=1"),
    "lstm-pm": ("model.name=lstm-pm-tiny", "feedback.truth_first=0", "feedback.truth_later=0"),
}


@pytest.mark.parametrize("kind", WORDS)
def test_it_learns_the_dots(kind: str, tmp_path: Path) -> None:
    words = ("steps=50", "batch=3", "save_every=50", "validate_every=50", "data.validation_frames=3")
    config = quick(*words, *WORDS[kind])
    records = list(train(config, tmp_path, people=dotted_people(), validation=[dotted_person(5, 4)]))
    first, last = (np.mean([r.terms["pose"] for r in part]) for part in (records[:5], records[-10:]))
    assert last < 0.9 * first
    assert np.mean([r.loss for r in records[-10:]]) < 0.9 * np.mean([r.loss for r in records[:5]])
    assert (records[-1].loss == records[-1].terms["pose"]) == (kind == "simple-baseline-3")
    result = load_model(tmp_path / "model.safetensors")
    assert type(result).__name__ == {"simple-baseline-3": "SimpleBaseline", "cpm": "CPM"}.get(kind, "LSTMPoseMachine")
    assert set(records[-1].validation) == set(MEASURES)
    assert records[-1].validation == pytest.approx(validate(result, [dotted_person(5, 4)], 3), nan_ok=True)


@pytest.mark.parametrize("kind", ["cpm", "lstm-pm"])
def test_a_stopped_run_resumes_to_the_same_weights(kind: str, tmp_path: Path) -> None:
    """Also with settings of DKD that have no effect here: no trunk to freeze, no initializer to pre-train."""
    config = quick(
        *WORDS[kind], "model.pretrain=0.5", "optimiser.frozen_blocks=2", "optimiser.fix_statistics_after=0.7"
    )
    assert config.pretrained_steps() == 0
    whole = list(train(config, tmp_path / "whole", people=dotted_people(), validation=()))
    running = train(config, tmp_path / "stopped", people=dotted_people(), validation=())
    next(running)
    running.close()  # type: ignore[attr-defined]
    rest = list(train(config, tmp_path / "stopped", people=dotted_people(), validation=()))
    assert [r.loss for r in whole[1:]] == [r.loss for r in rest]
    a, b = (load_model(Run(tmp_path / name).folder / "model.safetensors").state_dict() for name in ("whole", "stopped"))
    assert all(torch.equal(v, b[k]) for k, v in a.items())


def test_every_parameter_of_a_pose_machine_learns() -> None:
    for kind in POSE_MACHINES:
        model = small_model(kind).train()
        clip = clip_for(model, 2, 2)
        output = model(clip)
        joints = torch.rand(2, 2, 13, 2) * 8
        assert output.intermediate is not None
        stages_loss(output.intermediate, joints, torch.ones(2, 2, 13), 1.0).backward()
        still = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        assert not still, (kind, still)


def test_the_first_frames_own_stage_is_trained_once() -> None:
    """M = 2 in frame 1: ConvNet1's maps, then the memory's. In later frames the single stage is used for both."""
    model = small_model("lstm-pm").train()
    assert isinstance(model, LSTMPoseMachine)
    clip = clip_for(model, 1, 3)
    stages = model(clip).intermediate
    assert stages is not None
    torch.testing.assert_close(stages[:, 0, 0], model.first_stage(model.normalise(clip[:, 0])))
    assert not torch.equal(stages[:, 0, 0], stages[:, 0, 1])
    assert torch.equal(stages[:, 1:, 0], stages[:, 1:, 1])


# --- files, traces, errors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SMALL)
@torch.inference_mode()
def test_a_saved_model_is_the_model(kind: str, tmp_path: Path) -> None:
    model = small_model(kind)
    save_model(model, tmp_path / "m.safetensors", {"seed": 0})
    loaded = load_model(tmp_path / "m.safetensors")
    assert type(loaded) is type(model) and loaded.config == model.config
    clip = clip_for(model, n_frames=2)
    torch.testing.assert_close(loaded(clip).heatmaps, model(clip).heatmaps, rtol=1e-4, atol=1e-5)


def test_a_baseline_of_before_the_third_deconvolution_loads(tmp_path: Path) -> None:
    model = build_model("simple-baseline-tiny", input_size=128, channels=8)
    config = {"encoder": "tiny", "skeleton": "penn_action", "channels": 8, "input_size": 128}  # of earlier files
    header = {
        "format": FORMAT,
        "kind": "simple_baseline",
        "config": json.dumps(config),
        "joints": json.dumps(model.skeleton.joints),
        "provenance": "{}",
    }
    assert not [name for name in model.state_dict() if not name.startswith(("net.encoder.", "net.classifier."))]
    write_tensors(tmp_path / "old.safetensors", model.state_dict(), header)
    loaded = load_model(tmp_path / "old.safetensors")
    assert isinstance(loaded, SimpleBaseline) and loaded.config.deconvolutions == 2 and loaded.stride == 8
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


@pytest.mark.parametrize(
    ("name", "settings", "side"),
    [
        ("simple-baseline-tiny", {"input_size": 256, "channels": 8, "deconvolutions": 3}, 64),
        ("cpm-tiny", {"input_size": 368, "channels": 4}, 46),
        ("lstm-pm-tiny", {"input_size": 368, "channels": 4}, 46),
    ],
)
def test_a_trace_shows_it(name: str, settings: dict[str, Any], side: int) -> None:
    model = build_model(name, **settings)
    person = dotted_person(3, 3)
    clip = ImageClip(person.images, 10.0, "dots")
    trace = Trace(model, clip, (50, 50, 220, 220), progress=False)
    assert len(trace) == 3 and trace.heatmaps.shape == (3, 13, side, side)
    assert trace.kernels.shape == (3, 0, 1, 1) and trace.readout.shape == (13, 0)
    # joints are where the maps' peaks are, in pixels of the frame
    crop, (peaks, _) = trace.crops[1], decode_peaks(torch.from_numpy(trace.heatmaps[1].copy()))
    pixels = (peaks.numpy() + 0.5) * crop.side / side - 0.5 + np.array([crop.left, crop.top])
    np.testing.assert_allclose(trace.joints[1], pixels, atol=1e-3)
    with pytest.raises(ConfigError, match="has no kernels"):
        trace.features(0)


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("cpm", {"input_size": 370}, "multiple of 8 and at least 64, got 370"),
        ("lstm-pm", {"input_size": 56}, "from 64 to 2048, got 56"),
        ("cpm", {"kernel": 4}, "kernel and context must be odd"),
        ("cpm", {"stages": 1}, "expected stages, a whole number from 2"),
        ("lstm-pm", {"hidden": 0}, "expected hidden, a whole number from 1"),
        ("lstm-pm", {"channels": 0}, "expected channels, a whole number from 1"),
        ("lstm-pm", {"stages": 6}, "unknown setting 'stages' of model 'lstm-pm'"),
        ("cpm", {"skeleton": "lps"}, "did you mean 'lsp'"),
        ("simple-baseline-3-resnet18", {"deconvolutions": 4}, "deconvolutions must be 2"),
        ("lstm-pm-tny", {}, "did you mean 'lstm-pm-tiny'"),
    ],
)
def test_settings_that_cannot_be_are_named(name: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build_model(name, **settings)


@pytest.mark.parametrize("kind", POSE_MACHINES)
def test_a_classifiers_weights_are_refused_by_a_model_without_trunks(kind: str, tmp_path: Path) -> None:
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "resnet.pth")
    with pytest.raises(CheckpointError, match="has no trunk that an image classifier's weights fit"):
        warm_start(small_model(kind), tmp_path / "resnet.pth")


def test_an_lstm_pose_machine_starts_from_a_cpm(tmp_path: Path) -> None:
    """Shared layers have the same names, as in the paper, which starts from a network trained on single images."""
    cpm, machine = small_model("cpm with norm"), small_model("lstm-pm with norm", seed=1)
    save_model(cpm, tmp_path / "cpm.safetensors", {})
    random = warm_start(machine, tmp_path / "cpm.safetensors")
    assert {name.split(".")[0] for name in random} == {"feature_layer", "lstm", "readout"}
    given, own = cpm.state_dict(), machine.state_dict()
    common = [name for name in given if name.startswith(("first_stage.", "image_layers."))]
    assert common and all(torch.equal(own[name], given[name]) for name in common)
