"""Engines on a GPU: without one, their buffers, copies and order are tested by running the same work on the CPU."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from dkd.engines import choice, recorded
from dkd.engines.choice import EngineDiffersError, accelerate, difference, engine_of, prepare
from dkd.engines.graphs import Graph, graphs_of
from dkd.engines.recorded import WARM_UP, RecordedGraph, Recorder, Repeater, recorded_graphs
from dkd.engines.runtimes import ENGINES, is_installed
from dkd.errors import ConfigError
from dkd.models.checkpoints import load_model
from dkd.models.registry import build_model
from dkd.tracking.trace import Trace
from dkd.video.clip import Clip
from dkd.video.samples import get_sample

needs_no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the CPU stand in for a GPU, with an empty cache."""
    monkeypatch.setenv("DKD_CACHE", str(tmp_path))
    monkeypatch.delenv("DKD_ENGINE", raising=False)
    monkeypatch.setattr(recorded, "CudaRecorder", Repeater)
    monkeypatch.setattr(choice, "check_gpu", lambda: None)
    monkeypatch.setattr(choice, "is_installed", lambda engine: engine in ("torch", "onnxruntime", "cuda"))


class Journal(Repeater):
    """Writes down what a GPU would be asked to do, and refuses what a recording cannot do."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        self.calls.append("record")
        once = super().record(work)

        def replay() -> None:
            self.calls.append("replay")
            once()

        return replay

    @contextmanager
    def in_order(self) -> Iterator[None]:
        self.calls.append("begin")
        yield
        self.calls.append("end")


def doubled(recorder: Recorder, runs: list[torch.Tensor]) -> RecordedGraph:
    class Double(torch.nn.Module):
        def forward(self, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            runs.append(a)
            return 2 * a, a + b

    examples = torch.zeros(1, 3), torch.zeros(1, 3)
    graph = Graph(Double(), examples, ("a", "b"), ("twice", "sum"))
    return RecordedGraph(graph, recorder, "float32", threading.Lock())


def test_inputs_and_outputs_stay_where_they_were_recorded() -> None:
    """A replay reads the memory of the recording, so inputs must be copied into it, and outputs out of it."""
    journal = Journal()
    runs: list[torch.Tensor] = []
    call = doubled(journal, runs)
    assert journal.calls == ["record"] and len(runs) == WARM_UP + 1
    one, two = np.array([[1, 2, 3]], np.float32), np.array([[10, 20, 30]], np.float32)
    first = call(one, two)
    second = call(two, one)
    assert journal.calls == ["record", *["begin", "replay", "end"] * 2]
    assert len({run.data_ptr() for run in runs}) == 1
    np.testing.assert_array_equal(first[0], [[2, 4, 6]])  # not overwritten by the second call
    np.testing.assert_array_equal(first[1], second[1])
    np.testing.assert_array_equal(second[0], [[20, 40, 60]])
    np.testing.assert_array_equal(one, [[1, 2, 3]])


def test_other_shapes_than_recorded_are_refused() -> None:
    call = doubled(Repeater(), [])
    with pytest.raises(ConfigError, match=r"expected inputs of shapes \[\(1, 3\), \(1, 3\)\]"):
        call(np.zeros((2, 3), np.float32), np.zeros((2, 3), np.float32))


def test_threads_take_turns() -> None:
    call = doubled(Repeater(), [])
    wrong: list[float] = []

    def work(value: float) -> None:
        for _ in range(200):
            given = np.full((1, 3), value, np.float32)
            twice, total = call(given, given)
            if not ((twice == 2 * value).all() and (total == 2 * value).all()):
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(value,)) for value in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("kind", ["dkd-tiny", "simple-baseline-tiny", "cpm-tiny", "lstm-pm-tiny"])
def test_recorded_graphs_stream_as_the_model(kind: str, stand_in: None) -> None:
    """All outputs of every frame, with the state and a feedback handed on."""
    torch.manual_seed(0)
    model = build_model(kind).eval()
    fast = accelerate(model, "cuda")
    assert (engine_of(fast), fast.precision) == ("cuda", "float32")
    clip = torch.rand(1, 4, 3, model.config.input_size, model.config.input_size)
    with torch.inference_mode():
        expected, got = (one(clip, lambda maps, t: maps.flip(1) * 0.5) for one in (model, fast))
    for one, other in zip(expected[:3], got[:3], strict=True):
        assert one.shape == other.shape
        tolerance = 1e-6 * max([1.0, *one.abs().flatten().tolist()])
        np.testing.assert_allclose(other.numpy(), one.numpy(), rtol=0, atol=tolerance)


def test_a_trace_and_a_what_if_are_those_of_pytorch(stand_in: None) -> None:
    model, sample = load_model("dkd-mobilenetv2"), get_sample("rendered_walk")
    with Clip(sample.path) as clip:
        eager, fast = (
            Trace(model, clip, sample.box, stop=8, engine=name, progress=False).freeze_kernel(2, range(3, 6))
            for name in ("torch", "cuda")
        )
    assert fast.engine == "cuda"
    np.testing.assert_allclose(fast.heatmaps, eager.heatmaps, rtol=0, atol=1e-4)
    np.testing.assert_allclose(fast.joints, eager.joints, rtol=0, atol=0.01)


def test_the_copy_on_the_gpu_does_not_follow_the_model() -> None:
    """The model stays on the CPU, unchanged; when its weights change, it is copied again (see ``accelerate``)."""
    model = build_model("dkd-tiny", input_size=128).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    frame = np.random.default_rng(0).random((1, 3, 128, 128), np.float32)
    graphs = recorded_graphs(model, "float32", Repeater())
    assert set(graphs) == set(graphs_of(model))
    first = graphs["initialise"](frame)[0]
    with torch.no_grad():
        model.initializer.classifier.bias.add_(1)  # type: ignore[union-attr, operator]
    np.testing.assert_array_equal(graphs["initialise"](frame)[0], first)
    model.load_state_dict(before)
    assert all(one.device.type == "cpu" for one in model.state_dict().values())


def test_half_precision_is_held_to_its_own_tolerance(stand_in: None) -> None:
    fast = accelerate(build_model("dkd-tiny", input_size=128).eval(), "cuda-bf16")
    assert fast.precision == "bfloat16"
    assert 1e-5 < difference(fast) < 0.1


def test_a_gpu_that_computes_something_else_is_refused(stand_in: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As TF32 would, for instance, which is a thousandth off."""

    class Inexact(RecordedGraph):
        def __call__(self, *inputs: np.ndarray) -> list[np.ndarray]:
            return [one * np.float32(1.001) for one in super().__call__(*inputs)]

    monkeypatch.setattr(recorded, "RecordedGraph", Inexact)
    with pytest.raises(EngineDiffersError, match="cuda differs from PyTorch by .* the versions of torch$"):
        accelerate(build_model("dkd-tiny", input_size=128).eval(), "cuda")


def test_auto_uses_a_gpu_only_if_it_is_faster(stand_in: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The measurement decides; a GPU that fails is left out, and the reason is in the log."""
    model = build_model("dkd-tiny", input_size=128).eval()
    assert set(prepare(model)) == {"torch", "onnxruntime", "cuda"}
    times = {"torch": (3.0, 4.0), "onnxruntime": (2.0, 3.0), "cuda": (1.0, 2.0)}
    for fastest in times:
        timing = {**times, fastest: (0.5, 1.0)}
        monkeypatch.setattr(choice, "measure", lambda *_, t=timing: {k: choice.Timing(*v) for k, v in t.items()})
        prepare(model)
        assert engine_of(accelerate(model)) == fastest


def test_a_gpu_that_fails_is_left_out(stand_in: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(Repeater):
        def host_buffer(self, shape: object) -> torch.Tensor:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB.\nmore")

    monkeypatch.setattr(recorded, "CudaRecorder", Full)
    model = build_model("dkd-tiny", input_size=128).eval()
    with pytest.raises(ConfigError, match=r"expected cpu to run dkd-tiny, but PyTorch says: CUDA out of memory.*MiB.;"):
        accelerate(model, "cuda")
    assert set(prepare(model)) == {"torch", "onnxruntime"}


@needs_no_gpu
def test_without_a_gpu_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_model("dkd-tiny", input_size=128).eval()
    for engine in (name for name, (package, _) in ENGINES.items() if package == "torch"):
        assert not is_installed(engine)
        monkeypatch.setattr(torch.version, "cuda", None)
        with pytest.raises(ConfigError, match="built without CUDA: install the CUDA build .* use engine='auto'"):
            accelerate(model, engine)
        monkeypatch.setattr(torch.version, "cuda", "13.0")
        with pytest.raises(ConfigError, match="CUDA_VISIBLE_DEVICES"):
            accelerate(model, engine)
    with pytest.raises(ConfigError, match="expected a GPU"):
        recorded_graphs(model, "float32")
