"""A network as small graphs: half of the bytes, and the same numbers as PyTorch."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

from dkd.engines.compact import compact_graphs
from dkd.models.checkpoints import load_model
from dkd.models.dkd import DKD


@pytest.fixture(scope="module")
def model() -> DKD:
    model = load_model("dkd-mobilenetv2").eval()
    assert isinstance(model, DKD)
    return model


@torch.inference_mode()
def test_they_compute_what_the_model_does_from_half_of_the_bytes(model: DKD) -> None:
    files = compact_graphs(model)
    stored = sum(tensor.numel() for name, tensor in model.state_dict().items() if tensor.is_floating_point())
    assert sum(map(len, files.values())) < 2.1 * stored  # bytes
    sessions = {name: onnxruntime.InferenceSession(file) for name, file in files.items()}

    def run(name: str, **inputs: torch.Tensor) -> list[torch.Tensor]:
        feeds = {key: value.numpy() for key, value in inputs.items()}
        return [torch.from_numpy(found) for found in sessions[name].run(None, feeds)]

    size = model.config.input_size
    coarse = torch.rand(2, 3, size // 8, size // 8, generator=torch.Generator().manual_seed(0))
    first, second = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bilinear").split(1)
    (heatmaps,) = run("initialise", frame=first)
    features, _ = run("encode", frame=first)
    (kernels,) = run("distil", features=features, heatmaps=heatmaps)
    following, projected = run("encode", frame=second)
    (matched,) = run("match", projected=projected, kernels=kernels)
    expected, state = model.start(first)
    assert torch.allclose(heatmaps, expected.heatmaps, atol=1e-5)
    assert torch.allclose(kernels, expected.kernels, atol=1e-5)
    after, _ = model.step(second, state)
    assert torch.allclose(matched, after.heatmaps, atol=1e-5)
    assert torch.allclose(following, after.features, atol=1e-3)
    assert torch.allclose(projected, model.projection(following), atol=1e-4)


def test_nothing_of_a_shipped_checkpoint_is_lost(model: DKD) -> None:
    """Its weights are half precision, and they are in the graphs as they are: not as products with others."""
    known = {tensor.numpy().tobytes() for tensor in model.state_dict().values() if tensor.dtype == torch.float32}
    count = 0
    for file in compact_graphs(model).values():
        for weight in onnx.load_from_string(file).graph.initializer:
            values = numpy_helper.to_array(weight)
            if values.dtype == np.float16:
                assert values.astype(np.float32).tobytes() in known, weight.name
                count += 1
    assert count > 300
