"""Methods by name, and each control against its formula."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from dkd.analysis.reliance import one_step_reliance
from dkd.errors import ConfigError, ShapeError
from dkd.evaluation.methods import VARIANTS, Method, get_method
from dkd.models import DKD, SimpleBaseline, SimpleBaselineConfig, VideoPoseModel, build_model
from dkd.models.checkpoints import save_model
from dkd.models.controls import FlowMoved, FrozenKernel, KernelControl, RunningAverageKernel, RunningMean
from dkd.models.registry import make_model
from dkd.pose.heatmaps import decode_peaks, gaussian_targets
from dkd.pose.smoothing import OneEuro
from dkd.tracking.conditions import Conditions
from dkd.tracking.feedback import erase, shuffle_in_time
from dkd.tracking.perturbations import CROWD_CROSSES_IN, CROWD_HEIGHT, OCCLUDER_STAYS, blur, crowd, darken, occlude
from dkd.tracking.trace import Trace
from dkd.video.images import ImageClip
from tests.support.dotted_people import dotted_person

SIZE = 128
SHIPPED = "data/checkpoints/shipped.safetensors"
SNAPSHOTS = "runs/young/snapshots"
BOX = (40.0, 40.0, 230.0, 230.0)


def varied(name: str, seed: int = 0) -> VideoPoseModel:
    """A small model with random weights whose maps vary from frame to frame."""
    torch.manual_seed(seed)
    model = build_model(name, input_size=SIZE, channels=8).train()
    with torch.no_grad():
        for part, std in (("initializer.classifier", 0.3), ("net.classifier", 0.3), ("readout", 0.5)):
            if f"{part}.weight" in dict(model.named_parameters()):
                torch.nn.init.normal_(model.get_parameter(f"{part}.weight"), std=std)
        for _ in range(6):
            model(torch.rand(2, 3, 3, SIZE, SIZE))  # batch statistics that fit
    return model.eval()


@pytest.fixture(scope="module")
def dkd() -> DKD:
    model = varied("dkd-tiny")
    assert isinstance(model, DKD)
    return model


@pytest.fixture(scope="module")
def per_frame() -> VideoPoseModel:
    return varied("simple-baseline-tiny")


@pytest.fixture(scope="module")
def clip() -> ImageClip:
    return ImageClip(dotted_person(1, 8).images, 10.0, "dots")


@pytest.fixture(scope="module")
def frames() -> Tensor:
    return torch.rand(5, 2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(3))


def stream(model: VideoPoseModel, frames: Tensor, feedback=None) -> tuple[Tensor, Tensor]:
    """Return maps and kernels (T, B, …)."""
    with torch.inference_mode():
        output, state = model.start(frames[0], feedback)
        outputs = [output]
        for frame in frames[1:]:
            output, state = model.step(frame, state, feedback)
            outputs.append(output)
    return torch.stack([o.heatmaps for o in outputs]), torch.stack([o.kernels for o in outputs])


# --- controls ---------------------------------------------------------------------------------------------------------


@torch.inference_mode()
def test_frozen_kernels_are_those_of_the_first_frame(dkd: DKD, frames: Tensor) -> None:
    heatmaps, kernels = stream(FrozenKernel(dkd), frames)
    first = dkd.initialise(frames[0])
    template = dkd.distil(dkd.encode(frames[0]), first)
    torch.testing.assert_close(heatmaps[0], first, rtol=0, atol=0)
    for t in range(len(frames)):
        torch.testing.assert_close(kernels[t], template, rtol=0, atol=0)
        if t:
            torch.testing.assert_close(heatmaps[t], dkd.locate(dkd.encode(frames[t]), template), rtol=0, atol=0)
    assert not torch.equal(heatmaps[2:], stream(dkd, frames)[0][2:])


@torch.inference_mode()
def test_averaged_kernels_in_closed_form(dkd: DKD, frames: Tensor) -> None:
    """K̄_t = (1−r)^t K̃_0 + Σ_s r (1−r)^(t−s) K̃_s, each K̃_s distilled from maps matched with the average."""
    rate = 0.3
    heatmaps, kernels = stream(RunningAverageKernel(dkd, rate), frames)
    distilled = [dkd.distil(dkd.encode(f), h) for f, h in zip(frames, heatmaps, strict=True)]
    for t in range(len(frames)):
        weights = [(1 - rate) ** t] + [rate * (1 - rate) ** (t - s) for s in range(1, t + 1)]
        assert sum(weights) == pytest.approx(1)
        expected = sum(w * k for w, k in zip(weights, distilled, strict=False))
        torch.testing.assert_close(kernels[t], expected, rtol=1e-4, atol=1e-5)
        if t:
            torch.testing.assert_close(heatmaps[t], dkd.locate(dkd.encode(frames[t]), kernels[t - 1]), rtol=0, atol=0)
    for got, expected in zip(stream(RunningAverageKernel(dkd, 1.0), frames), stream(dkd, frames), strict=True):
        torch.testing.assert_close(got, expected, rtol=0, atol=0)


def test_mean_maps_in_closed_form(dkd: DKD, per_frame: VideoPoseModel, frames: Tensor) -> None:
    """The wrapped model continues with its own maps, not with their mean."""
    rate = 0.4
    for model in (dkd, per_frame):
        own, _ = stream(model, frames)
        mean, kernels = stream(RunningMean(model, rate), frames)
        for t in range(len(frames)):
            weights = [(1 - rate) ** t] + [rate * (1 - rate) ** (t - s) for s in range(1, t + 1)]
            expected = sum(w * h for w, h in zip(weights, own, strict=False))
            torch.testing.assert_close(mean[t], expected, rtol=1e-4, atol=1e-6)
        assert kernels.shape == (5, 2, 0, 1, 1)


class OnePeak(SimpleBaseline):
    """A stand-in for a trained model: a Gaussian at a known position of the first frame."""

    def __init__(self, cells: tuple[float, float], cell: int):
        super().__init__(SimpleBaselineConfig("tiny", channels=8))
        self.cell = cell
        self.maps = gaussian_targets(torch.tensor([cells] * 13), self.map_size, 1.0)

    @property
    def map_size(self) -> int:
        return 256 // self.cell

    def initialise(self, frame: Tensor) -> Tensor:
        return self.maps.expand(len(frame), -1, -1, -1)


def textured(shift: tuple[float, float], size: int = 256) -> Tensor:
    """Return a texture (1, 3, N, N) moved by (x, y) pixels, which continues outside."""
    noise = np.random.default_rng(0).uniform(0, 255, (3 * size, 3 * size, 3)).astype(np.float32)
    texture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)  # type: ignore[call-overload]
    move = np.array([[1, 0, shift[0] - size], [0, 1, shift[1] - size]], np.float32)
    image = cv2.warpAffine(texture, move, (size, size))
    return torch.from_numpy(image).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize("cell", [4, 8])
@pytest.mark.parametrize("step", [(2.0, 0.0), (-1.6, 2.4)])
def test_flow_moves_a_peak_as_the_picture_moves(step: tuple[float, float], cell: int) -> None:
    """Over twenty steps, the peak moves by pixels / cell side, and keeps its height."""
    start, n = (14.0, 12.0), 20
    flow = FlowMoved(OnePeak(start, cell)).eval()
    with torch.inference_mode():
        output, state = flow.start(textured((0, 0)))
        for t in range(1, n + 1):
            output, state = flow.step(textured((t * step[0], t * step[1])), state)
    assert flow.stride == cell
    peaks, scores = decode_peaks(output.heatmaps[0])
    assert np.abs(peaks.numpy() - (np.array(start) + n * np.array(step) / cell)).max() < 0.4
    assert scores.min() > 0.8


@torch.inference_mode()
def test_flow_continues_from_the_feedback(per_frame: VideoPoseModel, frames: Tensor) -> None:
    """A motionless picture keeps its maps; the maps of a feedback are moved instead."""
    flow, still = FlowMoved(per_frame), frames[:1].expand(4, -1, -1, -1, -1)
    heatmaps, kernels = stream(flow, still)
    torch.testing.assert_close(heatmaps[3], per_frame.initialise(frames[0]), rtol=1e-4, atol=1e-4)
    assert kernels.shape == (4, 2, 0, 1, 1)
    seen: list[int] = []

    def count(maps: Tensor, t: int) -> Tensor:
        seen.append(t)
        return torch.full_like(maps, t)

    heatmaps, _ = stream(flow, still, count)
    assert seen == [0, 1, 2, 3]
    for t in (1, 2, 3):
        torch.testing.assert_close(heatmaps[t], torch.full_like(heatmaps[t], t - 1))


def test_controls_share_the_weights(dkd: DKD) -> None:
    own = {id(p) for p in dkd.parameters()}
    for control in (FrozenKernel(dkd), RunningAverageKernel(dkd), FlowMoved(dkd), RunningMean(dkd)):
        assert {id(p) for p in control.parameters()} == own
        assert (control.map_size, control.stride, control.config) == (SIZE // 8, 8, dkd.config)
        assert control.device == dkd.device
        assert not control.training
        assert len(control.trunks()) == 2
    assert FrozenKernel(dkd).kernel_shape == dkd.kernel_shape
    with pytest.raises(ConfigError, match="more than 0 and at most 1"):
        RunningMean(dkd, 0.0)
    with pytest.raises(ConfigError, match="more than 0 and at most 1"):
        RunningAverageKernel(dkd, 1.5)


@pytest.mark.parametrize("name", ["dkd-tiny", "simple-baseline-tiny", "lstm-pm-tiny", "cpm-tiny"])
@torch.inference_mode()
def test_a_model_hands_on_where_a_feedback_is_asked(name: str) -> None:
    model = build_model(name).eval()
    frame = torch.zeros(1, 3, model.config.input_size, model.config.input_size)
    controls: list[VideoPoseModel] = [RunningMean(model), FlowMoved(model)]
    if model.has_kernels:
        assert isinstance(model, DKD)
        controls += [FrozenKernel(model), RunningAverageKernel(model), build_model(name, distillation="static").eval()]
    for one in (model, *controls):
        asked = list[int]()

        def ask(maps: Tensor, t: int, asked: list[int] = asked) -> Tensor:
            asked.append(t)
            return maps

        one.start(frame, ask)
        assert one.hands_on == bool(asked), one.name
        assert one.has_kernels == (one.kernel_shape[0] > 0), one.name


@pytest.mark.parametrize("make", [FrozenKernel, RunningAverageKernel])
def test_contributions_of_a_control_sum_to_its_maps(make, dkd: DKD, clip: ImageClip) -> None:
    trace = Trace(make(dkd), clip, BOX, progress=False)
    for t in (1, 2, 7):
        for j in (0, 12):
            total = trace.contributions(t, j).sum(0, dtype=np.float64) + trace.bias[j]
            np.testing.assert_allclose(total, trace.heatmaps[t, j], atol=1e-3)
    frozen = make is FrozenKernel
    assert (trace.kernel_drift()[1:] < 1e-6).all() == frozen
    change = one_step_reliance(trace, every=3).map_change  # a template forgets H_t but for the first frame's
    whole = one_step_reliance(Trace(dkd, clip, BOX, progress=False), every=3).map_change
    assert (change > 0).all()
    assert (change < whole).all()


# --- what is handed on, and what is seen ------------------------------------------------------------------------------


def test_shuffled_maps_come_from_the_past_and_are_the_same_each_time() -> None:
    maps = [torch.full((1, 13, 4, 4), float(t)) for t in range(600)]

    def run(seed: int) -> list[int]:
        feedback = shuffle_in_time(seed)
        return [int(feedback(m, t)[0, 0, 0, 0]) for t, m in enumerate(maps)]

    drawn = run(0)
    assert drawn[:2] == [0, 0]
    assert all(s < t for t, s in enumerate(drawn) if t)
    assert drawn == run(0) != run(1)
    again = shuffle_in_time(0)
    assert [int(again(m, t)[0, 0, 0, 0]) for _ in range(2) for t, m in enumerate(maps)] == 2 * drawn  # a new stream
    share = np.array(drawn[300:]) / np.arange(300, 600)  # evenly drawn, though only 256 are remembered
    assert abs(share.mean() - 0.5) < 0.06
    assert share.min() < 0.05
    assert share.max() > 0.95


def test_corruptions_are_pure_and_leave_the_first_frame_alone() -> None:
    image = np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    before = image.copy()
    for corrupt in (occlude, blur, darken):
        np.testing.assert_array_equal(corrupt(image, 0), before)
        for t in (1, 7):
            got = corrupt(image, t)
            assert (got.shape, got.dtype) == (image.shape, np.uint8)
            assert not np.array_equal(got, before)
            np.testing.assert_array_equal(got, corrupt(image, t))
        np.testing.assert_array_equal(image, before)


def test_the_square_hides_a_ninth_and_jumps() -> None:
    """The positions are the same at each size, and it never covers the whole person."""
    white = np.full((96, 96, 3), 255, np.uint8)
    hidden = [(occlude(white, t) == 128).all(-1) for t in range(1, 61)]
    for t, mask in enumerate(hidden):
        assert mask.sum() == 32 * 32
        assert (t % OCCLUDER_STAYS == 0) or np.array_equal(mask, hidden[t - 1])
    assert len({mask.tobytes() for mask in hidden}) == 12
    assert np.mean(hidden, 0)[32:64, 32:64].mean() > 2 * np.mean(hidden)
    large = (occlude(np.full((192, 192, 3), 255, np.uint8), 1) == 128).all(-1)
    assert np.abs(np.argwhere(large).mean(0) / 2 - np.argwhere(hidden[0]).mean(0)).max() < 1


def test_corrupted_frames_are_recomputed_from_the_same_pixels(dkd: DKD, clip: ImageClip) -> None:
    asked: list[int] = []

    def corrupt(image: np.ndarray, t: int) -> np.ndarray:
        asked.append(t)
        return occlude(image, t)[:, ::-1]  # a view with negative strides

    trace = Trace(dkd, clip, conditions=Conditions(corrupt=corrupt), progress=False)
    assert asked == list(range(8))  # not in the search for the first box
    state = None
    with torch.inference_mode():
        for t, crop in enumerate(trace.crops):
            pixels = np.ascontiguousarray(occlude(crop.extract(clip.frame(t), SIZE), t)[:, ::-1])
            np.testing.assert_array_equal(trace.network_pixels(t), pixels)
            image = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
            output, state = dkd.start(image) if state is None else dkd.step(image, state)
            np.testing.assert_array_equal(trace.features(t), output.features[0].numpy())
            np.testing.assert_array_equal(trace.heatmaps[t], output.heatmaps[0].numpy())
    clean = Trace(dkd, clip, progress=False, stop=1)
    assert clean.crops[0] == trace.crops[0]
    with pytest.raises(ShapeError, match="corrupt to return"):
        Trace(dkd, clip, BOX, Conditions(corrupt=lambda image, t: image[::2]), progress=False)


# --- methods ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, dkd: DKD, per_frame: VideoPoseModel) -> Path:
    """Create checkpoints and runs, some with ``+`` in their names; ``shipped`` is the shipped one."""
    root = tmp_path_factory.mktemp("place")
    for name in ("own+erased.safetensors", "own.safetensors", "data/checkpoints/shipped.safetensors"):
        save_model(dkd, root / name, {})
    save_model(per_frame, root / "frames.safetensors", {})
    for run in ("DKD-+-adversary-seed0", "young", "empty"):
        (root / "runs" / run).mkdir(parents=True)
        (root / "runs" / run / "run.json").write_text(json.dumps({"format": "dkd-run/1"}))
    save_model(dkd, root / "runs/DKD-+-adversary-seed0/model.safetensors", {})
    for step in (100, 2000):
        save_model(dkd, root / f"runs/young/snapshots/step_{step:07d}.safetensors", {})
    return root


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DKD_DATA", str(place / "data"))
    monkeypatch.chdir(place)
    return place


@pytest.mark.parametrize(
    ("spec", "name", "source", "variants"),
    [
        ("shipped", "shipped", SHIPPED, ()),
        ("shipped+erased+occluded", "shipped+erased+occluded", SHIPPED, ("erased", "occluded")),
        ("own.safetensors+frozen", "own+frozen", "own.safetensors", ("frozen",)),
        ("own+erased.safetensors", "own+erased", "own+erased.safetensors", ()),
        ("own+erased.safetensors+mean", "own+erased+mean", "own+erased.safetensors", ("mean",)),
        ("own+erased.safetensors+erased", "own+erased+erased", "own+erased.safetensors", ("erased",)),
        ("runs/DKD-+-adversary-seed0", "DKD-+-adversary-seed0", "runs/DKD-+-adversary-seed0/model.safetensors", ()),
        (
            "runs/DKD-+-adversary-seed0/+initializer+one-euro",
            "DKD-+-adversary-seed0+initializer+one-euro",
            "runs/DKD-+-adversary-seed0/model.safetensors",
            ("initializer", "one-euro"),
        ),
        ("runs/young+average", "young@2000+average", f"{SNAPSHOTS}/step_0002000.safetensors", ("average",)),
        (f"{SNAPSHOTS}/step_0000100.safetensors", "young@100", f"{SNAPSHOTS}/step_0000100.safetensors", ()),
    ],
)
def test_a_method_by_name(here: Path, spec: str, name: str, source: str, variants: tuple[str, ...]) -> None:
    for given in (spec, Path(spec)):
        method = get_method(given)
        assert (method.name, method.variants, method.source) == (name, variants, (here / source).resolve())
        assert not method.model.training


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("shipped+erasd", "unknown variant 'erasd'.*did you mean 'erased'"),
        ("shipped+", "unknown variant ''"),
        ("shiped+erased", "there is no model 'shiped'.*did you mean 'shipped'"),
        ("dkd-tiny+erased", "'dkd-tiny' is registered, but no trained weights"),
        ("runs/nobody+flow", "there is no model 'runs/nobody'.*folder of a training run"),
        ("runs/empty+flow", "has no model yet"),
        ("", "there is no model ''"),
        ("+erased", "there is no model ''"),
        ("shipped+mean+mean", "already has 'mean'"),
        ("frames.safetensors+frozen", "needs a model that distils kernels"),
        ("frames.safetensors+initializer", "needs a model that distils kernels"),
        ("frames.safetensors+erased", "is a per-frame model and passes nothing on"),
        ("frames.safetensors+mean+shuffled", "is a per-frame model and passes nothing on"),
        ("shipped+initializer+swapped", "is a per-frame model and passes nothing on"),
        ("shipped+swapped+initializer", "'initializer' passes nothing on"),
        ("shipped+frozen+average", "use only one of them"),
        ("shipped+mean+frozen", "use only one of them, and 'frozen' first"),
        ("shipped+flow+initializer", "use only one of them"),
    ],
)
def test_unknown_and_unfit_names_are_errors(here: Path, spec: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        get_method(spec)


@pytest.mark.parametrize("size", [128, 256])
def test_somebody_else_crosses_from_left_to_right(size: int) -> None:
    image = np.full((size, size, 3), 7, np.uint8)
    assert np.array_equal(crowd(image, 0), image)
    middles = []
    for t in range(1, CROWD_CROSSES_IN + 1):
        out = crowd(image, t)
        assert np.array_equal(out, crowd(image, t)) and out.dtype == np.uint8 and out.shape == image.shape
        columns, rows = ((out != 7).all(-1).any(axis).nonzero()[0] for axis in (0, 1))
        middles.append(columns.mean())
        assert abs((rows[-1] - rows[0] + 1) / size - CROWD_HEIGHT) < 0.06
        assert len(columns) < size / 2
    assert (np.diff(middles) > 0).all()
    assert min(middles) < 0.15 * size and max(middles) > 0.85 * size
    assert (image == 7).all()


def test_each_variant_is_described() -> None:
    assert set(VARIANTS) >= {
        "initializer", "frozen", "average", "flow", "mean", "one-euro", "erased", "shuffled", "swapped", "occluded",
        "blurred", "darkened", "crowded", "reinit",
    }  # fmt: skip
    for name, variant in VARIANTS.items():
        assert variant.name == name
        assert variant.kind in {"control", "feedback", "input", "smoothing", "policy"}
        assert variant.summary
        assert "\n" not in variant.summary
        assert "+" not in name


@pytest.mark.parametrize(
    "name",
    [*sorted({*VARIANTS} - {"pooled", "gated"}), "frozen+mean", "flow+erased", "swapped+shuffled", "occluded+blurred"],
)
def test_every_variant_is_reproducible_and_starts_equally(name: str, dkd: DKD, clip: ImageClip) -> None:
    """Traces do not share memory; the first frame is that of the model alone."""
    plain = Method("plain", dkd)
    method = plain
    for variant in name.split("+"):
        method = method.with_variant(variant)
    assert method.name == f"plain+{name}"
    first, second = (method.trace(clip, BOX, progress=False) for _ in range(2))
    assert first.model_name == method.name
    assert len(first) == 8
    assert np.isfinite(first.joints).all()
    np.testing.assert_array_equal(first.joints, second.joints)
    np.testing.assert_array_equal(first.heatmaps, second.heatmaps)
    own = plain.trace(clip, BOX, progress=False)
    np.testing.assert_array_equal(first.heatmaps[0], own.heatmaps[0])
    np.testing.assert_array_equal(first.joints[0], own.joints[0])
    assert np.array_equal(first.joints, own.joints) == (name == "square-person")  # which is the default
    assert dkd.name == "dkd-tiny"  # the given model is unchanged


@pytest.fixture
def both(dkd: DKD) -> DKD:
    """The same model with kernels made at the joints and an open gate."""
    model = make_model(replace(dkd.config, distillation="both"))
    assert isinstance(model, DKD)
    model.load_state_dict(dkd.state_dict(), strict=False)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.nn.init.normal_(model.joint_matching.gate[-1].weight, std=0.3)  # type: ignore[arg-type]
    return model.eval()


def test_without_kernels_made_at_the_joints_the_maps_are_those_of_the_pooled_ones(
    dkd: DKD, both: DKD, clip: ImageClip
) -> None:
    method = Method("m", both)
    changed, pooled = (m.trace(clip, BOX, progress=False) for m in (method, method.with_variant("pooled")))
    expected = Method("m", dkd).trace(clip, BOX, progress=False)
    np.testing.assert_allclose(pooled.heatmaps, expected.heatmaps, atol=1e-5)
    assert not np.allclose(changed.heatmaps, expected.heatmaps, atol=1e-3)
    with pytest.raises(ConfigError, match="but m makes none"):
        Method("m", dkd).with_variant("pooled")


def test_gated_maps_are_those_before_they_settle(both: DKD, clip: ImageClip, monkeypatch: pytest.MonkeyPatch) -> None:
    method = Method("m", both)
    plain, gated = (m.trace(clip, BOX, progress=False) for m in (method, method.with_variant("gated")))
    monkeypatch.setattr("dkd.models.at_joints.settle", lambda gated, matched: gated)
    expected = method.trace(clip, BOX, progress=False)
    np.testing.assert_allclose(gated.heatmaps, expected.heatmaps, atol=1e-5)
    assert not np.allclose(plain.heatmaps, expected.heatmaps, atol=1e-3)


def test_a_method_has_its_name_and_variants(dkd: DKD, clip: ImageClip) -> None:
    plain = Method("m", dkd)
    erased = plain.with_variant("erased").trace(clip, BOX, progress=False)
    np.testing.assert_array_equal(
        erased.heatmaps,
        Trace(dkd, clip, BOX, Conditions(feedback=lambda: erase), progress=False).heatmaps,
    )
    alone = plain.with_variant("initializer").trace(clip, BOX, progress=False)
    with torch.inference_mode():
        image = torch.from_numpy(alone.network_pixels(5)).permute(2, 0, 1)[None] / 255
        np.testing.assert_allclose(alone.heatmaps[5], dkd.initialise(image)[0].numpy(), rtol=1e-5, atol=1e-6)
    both = plain.with_variant("occluded").with_variant("blurred")
    corrupt = both.conditions.corrupt
    assert corrupt is not None
    image_ = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    np.testing.assert_array_equal(corrupt(image_, 3), blur(occlude(image_, 3), 3))
    swapped = plain.with_variant("swapped").with_variant("erased").conditions.feedback
    assert swapped is not None
    assert not swapped()(torch.ones(1, 13, 4, 4), 1).any()
    assert isinstance(plain.with_variant("average").model, KernelControl)


def test_smoothing_changes_the_reported_joints_but_not_the_crop(dkd: DKD, clip: ImageClip) -> None:
    raw = Method("m", dkd).trace(clip, BOX, progress=False)
    smooth = Method("m", dkd).with_variant("one-euro").trace(clip, BOX, progress=False)
    assert smooth.crops == raw.crops
    np.testing.assert_array_equal(smooth.raw_joints, raw.joints)
    np.testing.assert_array_equal(raw.raw_joints, raw.joints)
    by_hand = OneEuro()
    for t in range(8):
        expected = by_hand(raw.joints[t], raw.scores[t], t / 10, raw.crops[t].side)
        np.testing.assert_allclose(smooth.joints[t], expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["one-euro", "shuffled", "occluded", "flow", "average"])
def test_a_stopped_method_resumes_identically(name: str, dkd: DKD, clip: ImageClip) -> None:
    method, asked = Method("m", dkd).with_variant(name), []

    def cancel() -> bool:
        asked.append(1)
        return len(asked) > 3

    partial = method.trace(clip, BOX, progress=False, cancel=cancel)
    assert len(partial) == 3
    partial.run(progress=False)
    whole = method.trace(clip, BOX, progress=False)
    np.testing.assert_array_equal(partial.heatmaps, whole.heatmaps)
    np.testing.assert_array_equal(partial.joints, whole.joints)
