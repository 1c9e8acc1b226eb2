"""The model against the paper's numbers, explicit loops, and itself in other modes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dkd.errors import CheckpointError, ConfigError, ShapeError
from dkd.models import DKD, MODELS, DKDConfig, SimpleBaselineConfig, build_model
from dkd.models.backbones import ENCODERS, MobileNetV2Encoder, build_encoder, load_trunk_weights
from dkd.models.distillators import KernelDistillator
from dkd.models.dkd import match


def scene(batch: int, n_frames: int, seed: int = 0) -> torch.Tensor:
    """Return (B, T, 3, 256, 256) with large soft blobs, as random pixels would all look similar to a network."""
    coarse = torch.rand(batch * n_frames, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.interpolate(coarse, size=(256, 256), mode="bicubic").clamp(0, 1)
    return smooth.unflatten(0, (batch, n_frames))


def varied_model(seed: int = 0) -> DKD:
    """The default model with random weights and batch statistics that fit them, so that maps and kernels vary."""
    torch.manual_seed(seed)
    model = build_model("dkd-mobilenetv2", input_size=256).train()
    assert isinstance(model, DKD)
    with torch.no_grad():
        torch.nn.init.normal_(model.initializer.classifier.weight, std=0.1)
        torch.nn.init.normal_(model.readout.weight, std=0.3)
        for clip in range(8):
            model(scene(2, 2, clip))
    return model.eval()


@pytest.fixture(scope="module")
def small() -> DKD:
    return varied_model()


# What they cost is counted in test_profiling.py.
@pytest.mark.parametrize("name", ["dkd-resnet50", "simple-baseline-resnet50"])
def test_maps_and_kernels_have_the_papers_shape(name: str) -> None:
    with torch.device("meta"):
        model = build_model(name).eval()
        output, _ = model.start(torch.zeros(1, 3, 256, 256))
    assert output.kernels.shape == ((1, 256, 7, 7) if name.startswith("dkd") else (1, 0, 1, 1))
    assert output.heatmaps.shape == (1, 13, 32, 32)


@pytest.mark.parametrize("name", ["dkd-tiny", "simple-baseline-tiny"])
@pytest.mark.parametrize(("size", "side"), [(128, 3), (192, 5), (256, 7)])
def test_kernels_have_the_documented_shape(name: str, size: int, side: int) -> None:
    model = build_model(name, input_size=size, channels=8).eval()
    with torch.inference_mode():
        output, _ = model.start(torch.rand(2, 3, size, size))
    assert output.heatmaps.shape == (2, 13, size // 8, size // 8)
    assert tuple(output.kernels.shape[1:]) == model.kernel_shape == ((8, side, side) if "dkd" in name else (0, 1, 1))


@torch.inference_mode()
def test_the_baseline_is_the_initializer_on_every_frame() -> None:
    """Frames are independent, in a batch or one by one, with any feedback."""
    torch.manual_seed(0)
    baseline = build_model("simple-baseline-tiny", input_size=128, channels=8).train()
    clips = torch.rand(2, 3, 3, 128, 128)
    for _ in range(3):
        baseline(clips)  # batch statistics that fit
    baseline.eval()
    whole = baseline(clips, feedback=lambda maps, t: maps * float("nan"))
    output, state = baseline.start(clips[:, 0])
    for t in range(3):
        if t:
            output, state = baseline.step(clips[:, t], state)
        torch.testing.assert_close(whole.heatmaps[:, t], output.heatmaps, rtol=0, atol=0)
        torch.testing.assert_close(whole.heatmaps[:, t], baseline.initialise(clips[:, t]))
    assert whole.kernels.shape == (2, 3, 0, 1, 1)
    assert baseline.train()(clips).heatmaps.shape == whole.heatmaps.shape


def test_distillator_is_figure_2() -> None:
    layers = KernelDistillator(256, 13)
    x = torch.zeros(1, 269, 32, 32)
    sides = []
    for layer in layers:
        x = layer(x)
        sides.append((type(layer).__name__, x.shape[1], x.shape[-1]))
    block = ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"]
    assert [s[0] for s in sides] == block + block + ["Conv2d", "BatchNorm2d"]
    assert [s[2] for s in sides] == [30, 30, 30, 15, 15, 15, 15, 7, 7, 7]
    assert all(s[1] == 256 for s in sides)


@given(
    batch=st.integers(1, 3), channels=st.integers(1, 4), side=st.sampled_from([1, 3, 5, 7]),
    height=st.integers(1, 9), width=st.integers(1, 9), seed=st.integers(0, 2**16),
)  # fmt: skip
def test_matching_is_the_explicit_sum(batch: int, channels: int, side: int, height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    features, kernels = (
        rng.normal(size=(batch, channels, height, width)),
        rng.normal(size=(batch, channels, side, side)),
    )
    expected = np.zeros_like(features)
    for b, c, y, x in np.ndindex(expected.shape):
        for i, j in np.ndindex(side, side):
            row, column = y + i - side // 2, x + j - side // 2
            if 0 <= row < height and 0 <= column < width:
                expected[b, c, y, x] += kernels[b, c, i, j] * features[b, c, row, column]
    got = match(torch.from_numpy(features), torch.from_numpy(kernels)).numpy()
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_matching_refuses_kernels_of_other_samples() -> None:
    with pytest.raises(ShapeError, match=r"expected kernels for \(B, C\) = \(2, 4\), got \(1, 4\)"):
        match(torch.zeros(2, 4, 8, 8), torch.zeros(1, 4, 7, 7))


@torch.inference_mode()
def test_channels_and_bias_sum_to_the_heatmap(small: DKD) -> None:
    output = small(scene(1, 2))
    matched = match(small.projection(output.features[:, 1]), output.kernels[:, 0])[0]  # (C, H, W)
    weights, bias = small.readout.weight[:, :, 0, 0], small.readout.bias
    assert bias is not None
    total = (weights[:, :, None, None] * matched).double().sum(1) + bias[:, None, None]
    assert output.heatmaps.std() > 0.01, "the maps must differ from their bias for this to mean anything"
    torch.testing.assert_close(total.float(), output.heatmaps[0, 1], rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_streaming_equals_the_whole_clip_bit_for_bit(small: DKD) -> None:
    clip = scene(1, 4)
    whole = small(clip)
    output, state = small.start(clip[:, 0])
    outputs = [output]
    for t in range(1, 4):
        output, state = small.step(clip[:, t], state)
        outputs.append(output)
    for t, output in enumerate(outputs):
        for part, name in zip(output[:3], output._fields[:3], strict=True):
            assert torch.equal(part, getattr(whole, name)[:, t]), (name, t)
        assert output.intermediate is whole.intermediate is None


@torch.inference_mode()
def test_a_batch_of_clips_is_the_clips_one_by_one(small: DKD) -> None:
    clips = scene(3, 2)
    together = small(clips)
    for b in range(3):
        for part, alone in zip(together[:3], small(clips[b : b + 1])[:3], strict=True):
            torch.testing.assert_close(part[b : b + 1], alone, rtol=1e-3, atol=1e-4)


@torch.inference_mode()
def test_train_mode_computes_the_same_function() -> None:
    model = build_model("dkd-mobilenetv2", input_size=256).train()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()  # only the order of work may differ
    clip = scene(2, 3)
    trained = model(clip)
    for part, evaluated in zip(trained[:3], model.eval()(clip)[:3], strict=True):
        torch.testing.assert_close(part, evaluated, rtol=1e-3, atol=1e-4)


@torch.inference_mode()
def test_frame_t_sees_no_later_frame_and_its_past(small: DKD) -> None:
    clip = scene(1, 4)
    changed = clip.clone()
    changed[:, 2] = 1 - changed[:, 2]
    a, b = small(clip).heatmaps, small(changed).heatmaps
    assert torch.equal(a[:, :2], b[:, :2])
    assert not torch.allclose(a[:, 2], b[:, 2])
    assert not torch.allclose(a[:, 3], b[:, 3]), "frame 3 must depend on frame 2 through its kernels"


@torch.inference_mode()
def test_feedback_replaces_what_is_distilled(small: DKD) -> None:
    clip = scene(1, 3)
    seen: list[int] = []

    def erase(heatmaps: torch.Tensor, t: int) -> torch.Tensor:
        seen.append(t)
        return torch.zeros_like(heatmaps)

    erased, plain = small(clip, erase), small(clip)
    assert seen == [0, 1, 2]
    assert torch.equal(erased.heatmaps[:, 0], plain.heatmaps[:, 0])
    expected = small.distil(plain.features[:, 0], torch.zeros(1, 13, 32, 32))
    assert torch.equal(erased.kernels[:, 0], expected)
    assert not torch.equal(erased.heatmaps[:, 1], plain.heatmaps[:, 1])


@pytest.mark.parametrize("shape", [(3, 256, 256), (1, 3, 128, 128), (1, 1, 256, 256), (0, 3, 256, 256)])
def test_a_wrong_frame_is_named(small: DKD, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="expected frame of shape"):
        small.start(torch.zeros(shape))


@pytest.mark.parametrize("shape", [(1, 3, 256, 256), (1, 0, 3, 256, 256), (1, 2, 3, 256, 128)])
def test_a_wrong_clip_is_named(small: DKD, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="expected clip of shape"):
        small(torch.zeros(shape))


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'dkd-resnet50'"):
        build_model("dkd-resnet-50")
    with pytest.raises(ConfigError, match="did you mean 'penn_action'"):
        build_model("dkd-resnet18", skeleton="penn-action")
    with pytest.raises(ConfigError, match="did you mean 'channels'"):
        build_model("dkd-mobilenetv2", channel=64)
    with pytest.raises(ConfigError, match="did you mean 'resnet18'"):
        build_encoder("resnet81", 64)
    with pytest.raises(ConfigError, match="multiple of 32"):
        build_model("dkd-mobilenetv2", input_size=250)


def test_other_joint_sets_change_the_number_of_maps() -> None:
    with torch.device("meta"):
        model = build_model("dkd-resnet18", skeleton="sub_jhmdb")
        assert model.eval().start(torch.zeros(1, 3, 256, 256))[0].heatmaps.shape == (1, 15, 32, 32)


@pytest.mark.parametrize("name", ENCODERS)
def test_imagenet_weights_load_by_name(name: str) -> None:
    """Names are those of the public files: extra layers of a classifier are ignored, missing ones are an error."""
    encoder = build_encoder(name, 32)
    head = ("up", "lateral", "deconv_layers")
    weights = {k: torch.full_like(v, 0.5) for k, v in encoder.state_dict().items() if not k.startswith(head)}
    missing = load_trunk_weights(
        encoder, weights | {"fc.weight": torch.zeros(3), "classifier.1.weight": torch.zeros(3)}
    )
    assert missing
    assert all(k.startswith(head) for k in missing)
    assert all((encoder.state_dict()[k] == 0.5).all() for k in weights if "num_batches" not in k)
    first = next(iter(weights))
    with pytest.raises(CheckpointError, match="missing"):
        load_trunk_weights(encoder, {k: v for k, v in weights.items() if k != first})
    with pytest.raises(CheckpointError, match="another network"):
        load_trunk_weights(encoder, weights | {first: torch.zeros(3)})


@pytest.mark.shared
def test_the_real_mobilenetv2_file_loads(shared_data) -> None:
    weights = torch.load(shared_data / "init/mobilenetv2_imagenet.pt", weights_only=True)
    encoder = MobileNetV2Encoder(64)
    load_trunk_weights(encoder, weights)
    assert torch.equal(encoder.state_dict()["features.17.conv.6.weight"], weights["features.17.conv.6.weight"])


@pytest.mark.parametrize("same", [False, True])
def test_padding_decides_where_a_cell_looks(same: bool) -> None:
    """With TensorFlow's "SAME", output cell i of a stride-2 convolution is centred on 2i + 1, with ours on 2i."""
    trunk = MobileNetV2Encoder(8, same=same).features
    stem = trunk[0]
    assert isinstance(stem, torch.nn.Sequential)
    (convolution,) = [m for m in stem if isinstance(m, torch.nn.Conv2d)]
    torch.nn.init.zeros_(convolution.weight)
    with torch.no_grad():
        convolution.weight[:, :, 1, 1] = 1  # copies the pixel under its middle
        image = torch.zeros(1, 3, 64, 64)
        image[:, :, 20 + same, 34 + same] = 1
        out = stem.eval()(image)[0, 0]
    assert out.shape == (32, 32)
    assert out[10, 17] > 0.9 and out.count_nonzero() == 1


def test_a_wider_trunk_has_the_published_widths() -> None:
    """MoveNet Thunder's file has these: 1.75 × MobileNetV2's, in multiples of 8."""
    encoder = build_encoder("mobilenetv2-same-1.75", 8)
    assert isinstance(encoder, MobileNetV2Encoder)
    last = {
        block: [m for m in encoder.features[block].modules() if isinstance(m, torch.nn.Conv2d)][-1]
        for block in range(18)
    }
    assert [last[b].out_channels for b in (0, 1, 2, 4, 7, 11, 14, 17)] == [56, 32, 40, 56, 112, 168, 280, 560]


def test_resnet_names_are_torchvisions() -> None:
    names = {k for k in build_encoder("resnet50", 256).state_dict() if not k.startswith("deconv")}
    assert {"conv1.weight", "bn1.running_var", "layer1.0.downsample.0.weight", "layer4.2.bn3.bias"} <= names
    assert len(names) == 318  # torchvision's resnet50 has 320 entries, two of them the classifier


def test_every_registered_model_has_its_kind_and_name() -> None:
    mobile = {"mobilenetv2-same", "mobilenetv2-same-1.75"}
    encoders = set()
    for name, config in MODELS.items():
        if isinstance(config, DKDConfig):
            encoders.add(config.encoder)
            form = "-joints" if config.distillation == "both" else ""
            assert name == f"dkd-{config.encoder.replace('-same', '')}{form}"
        elif isinstance(config, SimpleBaselineConfig):
            deconvolutions = "3-" * (config.deconvolutions == 3)
            assert name == f"simple-baseline-{deconvolutions}{config.encoder.replace('-same', '')}"
    # each DKD has the per-frame baseline of its encoder, to be held against
    baselines = [c for c in MODELS.values() if isinstance(c, SimpleBaselineConfig)]
    # and so has the initializer that is a wider one
    assert {c.encoder for c in baselines if c.deconvolutions == 2} == encoders | mobile
    assert {"resnet18", "resnet34", "resnet50", "resnet101", "tiny", "mobilenetv2-same"} == encoders
    # and the paper that the baseline is from, its own four
    assert {c.encoder for c in baselines if c.deconvolutions == 3} == encoders - {"tiny", *mobile}
