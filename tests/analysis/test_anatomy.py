"""Anatomy of a map: each step against plain NumPy, and all steps together against the trace's map and kernels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dkd import Clip, Trace, load_model
from dkd.analysis.anatomy import Anatomy, anatomy
from dkd.errors import ConfigError, FrameIndexError
from dkd.models import build_model
from dkd.models.controls import FrozenKernel
from dkd.models.distillators import KernelDistillator
from dkd.tracking.conditions import Conditions
from dkd.tracking.feedback import erase
from dkd.tracking.reinitialise import Reinitialised
from tests.models.test_kernel_options import tiny
from tests.support.fake_trace import correlate
from widgets.anatomy.anatomy import Anatomy as View
from widgets.anatomy.anatomy import quantise_channels, render_anatomy
from widgets.core.wire import read_message

WALK = Path(__file__).resolve().parents[2] / "data" / "samples" / "rendered_walk.mp4"
BOX = (180.0, 40.0, 460.0, 460.0)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return Clip(WALK)


@pytest.fixture(scope="module")
def trace(clip: Clip) -> Trace:
    """The shipped model on the sample clip."""
    return Trace(load_model("dkd-mobilenetv2"), clip, stop=4, progress=False)


def traced(model: Any, clip: Clip, **options: Any) -> Trace:
    return Trace(model, clip, box=BOX, stop=3, progress=False, **options)


@pytest.fixture(scope="module", params=[(1, "left_wrist"), (3, "head")])
def found(trace: Trace, request: pytest.FixtureRequest) -> Anatomy:
    return anatomy(trace, *request.param)


def check(found: Anatomy, trace: Trace) -> None:
    """Check that every step follows from the previous one, in plain NumPy, and that the ends agree with the trace."""
    t, j = found.frame, trace.skeleton.index(found.joint)
    np.testing.assert_array_equal(found.heatmap, trace.heatmaps[t, j])
    np.testing.assert_array_equal(found.kernels, trace.kernels[t - 1])
    np.testing.assert_array_equal(found.crop, trace.network_pixels(t))
    np.testing.assert_array_equal(found.features, trace.features(t))
    mixed = np.einsum("ck,khw->chw", found.projection.astype(np.float64), found.features)
    np.testing.assert_allclose(found.projected, mixed, atol=1e-4)
    np.testing.assert_allclose(found.matched, correlate(found.projected, found.kernels), atol=1e-4)
    np.testing.assert_allclose(found.contributions, found.readout[:, None, None] * found.matched, atol=1e-6)
    np.testing.assert_allclose(found.contributions.sum(0) + found.bias, found.heatmap, atol=1e-5)


def test_contributions_and_bias_are_the_map(found: Anatomy, trace: Trace) -> None:
    check(found, trace)


def test_distilled_kernels_and_bias_sum_to_the_kernels(found: Anatomy, trace: Trace) -> None:
    made = found.distillation
    assert made is not None and made.frame == found.frame - 1 and made.handed_on
    np.testing.assert_allclose(made.kernels, found.kernels, atol=1e-6)
    np.testing.assert_array_equal(made.heatmaps, trace.heatmaps[made.frame])
    assert (made.bias is not None) == trace.model.config.kernel_bias


def test_the_distillator_in_plain_numpy(found: Anatomy, trace: Trace) -> None:
    """Compute its first and last layers in plain NumPy: sum over inputs, normalisation, ReLU, maximum of four."""
    made, distillator = found.distillation, trace.model.distillator
    assert made is not None and isinstance(distillator, KernelDistillator)
    modules: list[Any] = list(distillator)
    seen = np.concatenate([made.features, made.heatmaps * made.gain]).astype(np.float64)

    def normed(inputs: np.ndarray, at: int, pad: int) -> np.ndarray:
        weight = modules[at].weight.detach().numpy().astype(np.float64)
        padded = np.pad(inputs, ((0, 0), (pad, pad), (pad, pad)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
        sums = np.einsum("khwyx,ckyx->chw", windows, weight, optimize=True)
        norm = modules[at + 1]
        mean, var, scale, shift = (
            v.detach().numpy()[:, None, None] for v in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        )
        return (sums - mean) / np.sqrt(var + norm.eps) * scale + shift

    first = np.maximum(normed(seen, 0, 0), 0)
    c, h, w = first.shape
    pooled = first[:, : h // 2 * 2, : w // 2 * 2].reshape(c, h // 2, 2, w // 2, 2).max((2, 4))
    np.testing.assert_allclose(made.layers[0].activations, pooled, atol=1e-3)
    np.testing.assert_allclose(made.distilled, normed(made.layers[1].activations, 8, 1), atol=1e-3)


def test_layers_have_names_and_say_what_they_do(trace: Trace) -> None:
    made = anatomy(trace, 1, "head").distillation
    assert made is not None
    assert [layer.name for layer in made.layers] == ["conv1", "conv2", "conv3"]
    assert made.layers[0].does == "conv 3×3, norm, ReLU, pool 2×2" and made.layers[2].does == "conv 3×3, norm"
    assert [bool((layer.activations < 0).any()) for layer in made.layers] == [False, False, True]  # kernels are signed
    channels, side, _ = trace.kernels.shape[1:]
    assert made.layers[1].activations.shape == made.distilled.shape == (channels, side, side)


@pytest.mark.parametrize("options", [{}, {"kernel_bias": True}, {"kernel_side": 5}, {"distillation": "static"}])
def test_other_models(options: dict, clip: Clip) -> None:
    """The paper's form, with a bias, with another side; a static kernel is distilled of nothing."""
    trace = traced(tiny(**options), clip)
    found = anatomy(trace, 2, 0)
    check(found, trace)
    made = found.distillation
    if options.get("distillation") == "static":
        assert made is None
        return
    assert made is not None and made.handed_on and (made.bias is None) != bool(options.get("kernel_bias"))
    np.testing.assert_allclose(made.kernels, trace.kernels[1], atol=1e-6)


def test_kernels_that_do_not_come_from_the_previous_frame_are_marked(clip: Clip) -> None:
    """A frozen kernel is not that of frame 1; a feedback that erases H changes the distillator's input."""
    frozen = traced(FrozenKernel(tiny()), clip)
    assert [anatomy(frozen, t, 0).distillation.handed_on for t in (1, 2)] == [True, False]  # type: ignore[union-attr]
    erased = traced(tiny(), clip, conditions=Conditions(feedback=lambda: erase))
    check(anatomy(erased, 2, 0), erased)
    assert not anatomy(erased, 2, 0).distillation.handed_on  # type: ignore[union-attr]


def test_frames_and_models_without_matching(trace: Trace, clip: Clip) -> None:
    with pytest.raises(FrameIndexError, match="got 0, whose maps are the pose initializer's"):
        anatomy(trace, 0, "head")
    with pytest.raises(FrameIndexError, match=r"frames 0\.\.3"):
        anatomy(trace, 4, "head")
    with pytest.raises(ConfigError, match="left_rist"):
        anatomy(trace, 1, "left_rist")
    trace.reinitialised.append(Reinitialised(2, "a test", 0.1, 0.9))
    with pytest.raises(FrameIndexError, match="such as 3"):
        anatomy(trace, 2, "head")
    trace.reinitialised.clear()
    with pytest.raises(ConfigError, match="which has no kernels"):
        anatomy(traced(build_model("simple-baseline-tiny"), clip), 1, "head")


def test_the_message(trace: Trace) -> None:
    """Pictures are within half a step of the numbers, maps are exact, and the size is well below a megabyte."""
    content, buffers = render_anatomy(trace, 3, 7)
    json.dumps(content)
    assert (content["type"], content["generation"], content["frame"]) == ("anatomy", 7, 3)
    assert sum(map(len, buffers)) < 1e6
    sent = read_message(content, buffers)
    picture = cv2.imdecode(np.frombuffer(sent["jpeg"], np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None and picture.shape == trace.network_pixels(3).shape
    np.testing.assert_array_equal(sent["maps"], trace.heatmaps[3])
    np.testing.assert_array_equal(sent["before"], trace.heatmaps[2])
    found = anatomy(trace, 3, 0)
    weights = sent["projection"] * sent["projection_scale"]
    np.testing.assert_allclose(weights, found.projection, atol=sent["projection_scale"] * 0.51)
    made = found.distillation
    assert made is not None
    expected = {
        "features": found.features,
        "matched": found.matched,
        "before": made.features,
        **{layer.name: layer.activations for layer in made.layers},
    }
    if made.bias is not None:
        expected["bias"] = made.bias
    assert sent["tensors"].keys() == expected.keys()
    for name, values in expected.items():
        tensor = sent["tensors"][name]
        assert tuple(tensor["shape"]) == tensor["values"].shape == values.shape
        low, high = tensor["ranges"].reshape(-1, 2, 1, 1).swapaxes(0, 1)
        seen = low + (high - low) / 255 * tensor["values"]
        assert (np.abs(seen - values) <= (high - low) * 0.51 / 255 + 1e-6).all()


def test_a_flat_channel_is_quantised_without_a_division_by_zero() -> None:
    data, ranges = quantise_channels(np.full((2, 3, 3), 1.5, np.float32))
    assert not data.any() and ranges.tolist() == [[1.5, 1.5]] * 2


def test_a_model_without_kernels_is_an_error_not_a_crash(clip: Clip) -> None:
    net = build_model("simple-baseline-tiny", input_size=128)
    with pytest.raises(ConfigError, match="simple-baseline-tiny"):
        render_anatomy(traced(net, clip), 2, 0)


def test_the_view_answers_requests_until_it_is_closed(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    view = View(trace)
    sent: list[dict] = []
    monkeypatch.setattr(view, "send", lambda content, buffers: sent.append(content))
    view._answer({"type": "anatomy", "generation": 0, "frame": 2})
    assert [(s["type"], s["frame"]) for s in sent] == [("anatomy", 2)]
    view._answer({"type": "anatomy", "generation": 1, "frame": 2})  # of another trace
    assert len(sent) == 1
    view._answer({"type": "anatomy", "generation": 0, "frame": 0})
    assert sent[1]["type"] == "error" and "pose initializer" in sent[1]["message"]
    view.close()
    view.close()
    view._answer({"type": "anatomy", "generation": 0, "frame": 2})
    assert len(sent) == 2
