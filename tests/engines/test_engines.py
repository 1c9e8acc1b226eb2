"""Engines: the same network in another runtime, held to eager PyTorch."""

from __future__ import annotations

import copy
import ctypes
import faulthandler
import gc
import json
import os
import pickle
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dkd.cli.main import main
from dkd.engines import choice
from dkd.engines.accelerated import Accelerated
from dkd.engines.choice import EngineDiffersError, accelerate, difference, engine_of
from dkd.engines.exporting import KEPT, exported, fingerprint, graph_files
from dkd.engines.files import export_onnx
from dkd.engines.graphs import SlicedMaxPool
from dkd.engines.runtimes import ENGINES, needs_gpu
from dkd.errors import ConfigError, StorageError
from dkd.models.base import VideoPoseModel
from dkd.models.checkpoints import load_model
from dkd.models.controls import FrozenKernel
from dkd.models.dkd import DKD
from dkd.models.registry import build_model
from dkd.tracking.trace import Trace
from dkd.video.clip import Clip
from dkd.video.samples import get_sample, list_samples

# Those on a GPU: tests/engines/test_recorded.py.
FLOAT32 = [name for name, (_, precision) in ENGINES.items() if precision == "float32" and not needs_gpu(name)]
SHIPPED = "dkd-mobilenetv2"


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One cache for this file: the shipped model is exported once."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("engine-cache")
        patch.setenv("DKD_CACHE", str(folder))
        patch.delenv("DKD_ENGINE", raising=False)
        yield folder


@pytest.fixture(scope="module")
def model() -> DKD:
    model = load_model(SHIPPED)
    assert isinstance(model, DKD)
    return model


def picture(model: VideoPoseModel, seed: int = 0) -> torch.Tensor:
    size = model.config.input_size
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(seed))


@given(st.integers(1, 11), st.integers(1, 40), st.integers(0, 2**31))
def test_pooling_over_slices_is_adaptive_pooling(side: int, size: int, seed: int) -> None:
    """The layer that cannot be exported, and what stands in its place, are the same bits."""
    x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(SlicedMaxPool(side, size)(x), torch.nn.AdaptiveMaxPool2d(side)(x))


# --- what an engine computes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", FLOAT32)
def test_every_part_is_that_of_pytorch(model: DKD, engine: str) -> None:
    fast = accelerate(model, engine)
    assert isinstance(fast, Accelerated) and isinstance(fast, DKD)
    assert (fast.engine, fast.precision, fast.name) == (engine, "float32", model.name)
    frame = picture(model)
    with torch.inference_mode():
        features, kernels = model.encode(frame), torch.randn(1, *model.kernel_shape) / 7
        heatmaps = model.locate(features, kernels)
        pairs = {
            "features": (features, fast.see(frame, kernels)[0]),
            "features alone": (features, fast.encode(frame)),
            "maps": (heatmaps, fast.see(frame, kernels)[1]),
            "maps of known features": (heatmaps, fast.locate(features, kernels)),
            "kernels": (model.distil(features, heatmaps), fast.distil(features, heatmaps)),
            "first maps": (model.initialise(frame), fast.initialise(frame)),
        }
        known, maps = fast.see(frame, kernels)
        assert torch.equal(maps, fast.locate(known, kernels))  # a what-if that uses features again is the same run
    for name, (expected, got) in pairs.items():
        tolerance = 1e-5 * float(expected.abs().max())
        np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("engine", FLOAT32)
@pytest.mark.parametrize("name", list_samples())
def test_a_track_is_that_of_pytorch(model: DKD, engine: str, name: str) -> None:
    """With the state handed on from frame to frame: no peak of a map lies in another cell, no joint is elsewhere."""
    sample = get_sample(name)
    with Clip(sample.path) as clip:
        n = min(len(clip), 40)
        eager, fast = (Trace(model, clip, sample.box, stop=n, engine=e, progress=False) for e in ("torch", engine))
    assert (eager.engine, fast.engine) == ("torch", engine)
    assert fast.crops == eager.crops
    np.testing.assert_allclose(fast.heatmaps, eager.heatmaps, rtol=0, atol=1e-4)
    peaks = [trace.heatmaps.reshape(n, len(model.skeleton), -1).argmax(-1) for trace in (eager, fast)]
    np.testing.assert_array_equal(*peaks)
    np.testing.assert_allclose(fast.joints, eager.joints, rtol=0, atol=0.01)  # pixels of a frame of up to 1920
    np.testing.assert_allclose(fast.kernels, eager.kernels, rtol=0, atol=1e-4 * np.abs(eager.kernels).max())


@pytest.mark.parametrize("engine", FLOAT32)
def test_a_stream_equals_itself(model: DKD, engine: str) -> None:
    sample = get_sample("rendered_walk")
    with Clip(sample.path) as clip:
        one, two = (Trace(model, clip, sample.box, stop=12, engine=engine, progress=False) for _ in range(2))
    for name in ("heatmaps", "kernels", "joints", "scores"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)


@pytest.mark.parametrize("engine", FLOAT32)
def test_what_ifs_and_the_read_out_work(model: DKD, engine: str) -> None:
    sample = get_sample("rendered_walk")
    with Clip(sample.path) as clip:
        trace, eager = (Trace(model, clip, sample.box, stop=12, engine=e, progress=False) for e in (engine, "torch"))
        changed, expected = (
            one.freeze_kernel(3, range(4, 8)).change_state(8, "swap_sides").occlude((200, 80, 240, 160), range(9, 11))
            for one in (trace, eager)
        )
        assert changed.engine == engine
        np.testing.assert_array_equal(changed.heatmaps[:5], trace.heatmaps[:5])
        assert np.abs(changed.heatmaps[6:] - trace.heatmaps[6:]).max() > 0.01
        np.testing.assert_allclose(changed.heatmaps, expected.heatmaps, rtol=0, atol=1e-4)
        joint = "left_wrist"
        sums = trace.contributions(7, joint).sum(0) + trace.bias[trace.skeleton.index(joint)]
        np.testing.assert_allclose(sums, trace.heatmaps[7, trace.skeleton.index(joint)], rtol=0, atol=1e-4)


def test_bfloat16_only_when_it_is_asked_for(model: DKD) -> None:
    """OpenVINO computes a float32 model in bfloat16 by itself where it can: the precision is set, and read back."""
    assert accelerate(model, "openvino").precision == "float32"
    try:
        fast = accelerate(model, "openvino-bf16")
    except ConfigError as error:  # a processor without instructions for it
        assert "bfloat16" in str(error)
    else:
        assert fast.precision == "bfloat16"
        assert 1e-4 < difference(fast) < 0.1


def test_a_batch_is_run_one_by_one(model: DKD) -> None:
    fast = accelerate(model, "onnxruntime")
    frames = torch.cat([picture(model, seed) for seed in range(3)])
    one_by_one = torch.cat([fast.initialise(frame[None]) for frame in frames])
    assert torch.equal(fast.initialise(frames), one_by_one)


# --- which engine -----------------------------------------------------------------------------------------------------


def test_an_engine_that_computes_something_else_is_refused(
    model: DKD, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The graphs of a model with other weights under this model's name: each engine is compared before it is used."""
    other = load_model(SHIPPED)
    assert isinstance(other, DKD)
    with torch.no_grad():
        other.readout.weight.mul_(1.01)
    assert fingerprint(other) != fingerprint(model)
    files = exported(model)
    wrong = {name: tmp_path / "engines" / f"{fingerprint(other)}-{name}.onnx" for name in files}
    for name, file in files.items():
        wrong[name].parent.mkdir(exist_ok=True)
        wrong[name].write_bytes(file.read_bytes())
    monkeypatch.setenv("DKD_CACHE", str(tmp_path))
    with pytest.raises(EngineDiffersError, match="onnxruntime differs from PyTorch by"):
        accelerate(other, "onnxruntime")
    assert accelerate(other, "torch") is other


def test_changed_weights_are_another_network(model: DKD) -> None:
    """Also if they change in place, as in a training: a stale graph is never used."""
    tiny = build_model("dkd-tiny", input_size=128).eval()
    first = fingerprint(tiny)
    assert fingerprint(tiny) == first
    with torch.no_grad():
        next(tiny.parameters()).add_(1e-3)
    assert fingerprint(tiny) != first


def test_what_has_no_graphs_says_so(model: DKD) -> None:
    with pytest.raises(ConfigError, match="expected a DKD that distils its kernels, a per-frame"):
        accelerate(FrozenKernel(model), "onnxruntime")
    with pytest.raises(ConfigError, match="expected a DKD that distils its kernels"):
        accelerate(build_model("dkd-tiny", input_size=128, distillation="static"), "onnxruntime")
    with pytest.raises(ConfigError, match="unknown engine 'onxruntime'; did you mean 'onnxruntime'"):
        accelerate(model, "onxruntime")
    with pytest.raises(ConfigError, match="train the model without engine"):
        accelerate(model, "onnxruntime").train()


def test_without_preparation_an_engine_is_chosen_once(
    model: DKD, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By itself, and remembered for the machine and the design of the network: new weights are only exported."""
    monkeypatch.setenv("DKD_CACHE", str(tmp_path))
    said: list[str] = []
    first = build_model("dkd-tiny", input_size=128).eval()
    chosen = engine_of(accelerate(first, notify=said.append))
    assert said == [f"exporting {first.name}", f"measuring engines for {first.name}"]
    (note,) = json.loads((tmp_path / "engines" / "fastest.json").read_text()).values()
    assert note == chosen
    # Another snapshot of the same training, with another engine in the note: nothing is measured again.
    file = tmp_path / "engines" / "fastest.json"
    file.write_text(file.read_text().replace(f'"{chosen}"', '"onnxruntime"'))
    said.clear()
    second = build_model("dkd-tiny", input_size=128).eval()
    assert engine_of(accelerate(second, notify=said.append)) == "onnxruntime"
    assert said == [f"exporting {second.name}"]
    said.clear()
    assert accelerate(second, notify=said.append) is accelerate(second)
    assert said == []


def test_what_no_engine_runs_stays_in_pytorch(
    model: DKD, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    control = FrozenKernel(model)
    assert accelerate(control) is control
    training = build_model("dkd-tiny", input_size=128)
    assert accelerate(training) is training is accelerate(training, "auto")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DKD_CACHE", str(tmp_path / "file"))
    training.eval()
    with caplog.at_level("WARNING"):
        assert accelerate(training) is training is accelerate(training)
    (record,) = caplog.records  # said once
    assert "Set DKD_CACHE to a folder" in record.message


def test_a_trace_runs_in_the_fastest_engine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also of a new model, which is in train mode, and says what takes time."""
    sample, new = get_sample("rendered_walk"), build_model("dkd-tiny", input_size=128)
    with Clip(sample.path) as clip:
        trace = Trace(new, clip, sample.box, stop=3)
        again = Trace(new, clip, sample.box, stop=3)
    assert trace.engine == again.engine == engine_of(accelerate(new))
    np.testing.assert_array_equal(trace.heatmaps, again.heatmaps)
    assert "exporting" in capsys.readouterr().err or trace.engine == "torch"


PEERS: dict[str, dict[str, Any]] = {
    "dkd-resnet18": {"input_size": 128}, "dkd-tiny": {}, "simple-baseline-3-resnet18": {"input_size": 128},
    "simple-baseline-tiny": {}, "cpm-tiny": {}, "lstm-pm-tiny": {},
}  # fmt: skip


@pytest.mark.parametrize("engine", FLOAT32)
def test_kernels_made_at_the_joints_are_matched_in_an_engine(tmp_path: Path, engine: str) -> None:
    """In the graphs of the engine; files for other programs lack them, and say so."""
    torch.manual_seed(0)
    model = build_model("dkd-tiny", channels=16, input_size=128, distillation="both").eval()
    assert isinstance(model, DKD)
    clip = torch.rand(2, 4, 3, 128, 128)
    with torch.inference_mode():
        closed = model(clip).heatmaps
        for weight in model.joint_matching.gate.parameters():
            weight.normal_(std=0.3)
        fast = accelerate(model, engine)
        expected, got = (one(clip, lambda maps, t: maps.flip(1) * 0.5).heatmaps for one in (model, fast))
    assert not torch.allclose(closed[:, 1:], expected[:, 1:], atol=1e-3)
    np.testing.assert_allclose(got, expected, atol=2e-5 * float(expected.abs().max()))
    with pytest.raises(ConfigError, match="pooled kernels only"):
        export_onnx(model, tmp_path)


@pytest.mark.parametrize("engine", FLOAT32)
@pytest.mark.parametrize("kind", PEERS)
def test_every_kind_of_model_streams_as_in_pytorch(kind: str, engine: str) -> None:
    """Two clips in one batch, the state and a feedback handed on; all outputs of every frame."""
    torch.manual_seed(0)
    model = build_model(kind, **PEERS[kind])
    for name, buffer in model.named_buffers():  # statistics that are not those of an untrained layer
        if name.endswith("running_mean"):
            buffer.normal_(std=0.1)
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
    model.eval()
    fast = accelerate(model, engine)
    assert isinstance(fast, type(model))
    assert fast.name == model.name
    clip = torch.rand(2, 4, 3, model.config.input_size, model.config.input_size)
    with torch.inference_mode():
        expected, got = (one(clip, lambda maps, t: maps.flip(1) * 0.5) for one in (model, fast))
        first = model.initialise(clip[:, 0]), fast.initialise(clip[:, 0])
    pairs = {"maps": (expected[0], got[0]), "kernels": (expected[1], got[1]), "features": (expected[2], got[2])}
    for part, (one, other) in {**pairs, "first maps": first}.items():
        assert one.shape == other.shape
        if one.numel():
            tolerance = 2e-5 * float(one.abs().max())
            assert tolerance > 0
            np.testing.assert_allclose(other.numpy(), one.numpy(), rtol=0, atol=tolerance, err_msg=part)


def test_a_prepared_model_runs_in_the_fastest_engine(
    model: DKD, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["engines", SHIPPED]) == 0
    lines = capsys.readouterr().out.splitlines()
    order = [line.split()[0] for line in lines[1:]]
    assert sorted(order) == sorted(["torch", *FLOAT32])
    assert lines[0] == f"{SHIPPED}: runs in {order[0]}"
    times = [float(line.split()[1]) for line in lines[1:]]
    assert times == sorted(times)
    assert engine_of(accelerate(model)) == order[0]
    assert all(file.is_file() for file in graph_files(model).values())
    # The note says which engine is used, not the measurement: with another one in it, that one is.
    note = cache / "engines" / "fastest.json"
    for engine in ("torch", *FLOAT32):
        note.write_text(json.dumps({key: engine for key in json.loads(note.read_text())}))
        assert engine_of(accelerate(model)) == engine
        assert engine_of(accelerate(model, "auto")) == engine
    note.write_text("{")  # damaged: measured again
    assert engine_of(accelerate(model)) in json.loads(note.read_text()).values()


def test_the_environment_chooses(model: DKD, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DKD_ENGINE", "onnxruntime")
    assert engine_of(accelerate(model)) == "onnxruntime"
    assert engine_of(accelerate(model, "torch")) == "torch"  # what is asked for comes first
    monkeypatch.setenv("DKD_ENGINE", "cuda13")
    with pytest.raises(ConfigError, match="unknown engine 'cuda13'"):
        accelerate(model)


def test_a_cache_that_cannot_be_written(model: DKD, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DKD_CACHE", str(tmp_path / "file"))
    with pytest.raises(StorageError, match="Set DKD_CACHE to a folder"):
        accelerate(load_model(SHIPPED), "onnxruntime")


def test_the_cache_keeps_what_was_used_last(
    model: DKD, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "engines"
    folder.mkdir()
    for i in range(KEPT + 3):
        (folder / f"{i:03d}-see.onnx").write_bytes(b"")
    monkeypatch.setenv("DKD_CACHE", str(tmp_path))
    monkeypatch.setattr("dkd.engines.exporting.to_onnx", lambda graph: b"graph")
    files: dict[str, Any] = exported(model)
    left = sorted(file.name for file in folder.glob("*.onnx"))
    assert len(left) == KEPT
    assert {file.name for file in files.values()} <= set(left)


def test_a_model_of_which_a_graph_is_missing_gets_all_of_them(
    model: DKD, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its other graphs are the oldest of a full cache: they were removed when the missing one was added."""
    monkeypatch.setenv("DKD_CACHE", str(tmp_path))
    monkeypatch.setattr("dkd.engines.exporting.to_onnx", lambda graph: b"graph")
    files = exported(model)
    for i, file in enumerate(files.values()):
        os.utime(file, (i, i))
    next(iter(files.values())).unlink()
    folder = tmp_path / "engines"
    for i in range(KEPT):
        (folder / f"{i:03d}-see.onnx").write_bytes(b"")
    assert exported(model) == files
    assert all(file.is_file() for file in files.values())
    assert len(list(folder.glob("*.onnx"))) == KEPT


def test_the_measurement_leaves_out_what_cannot_be_used(model: DKD, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(engine: str, file: Path) -> Any:
        raise ConfigError("not on this processor")

    monkeypatch.setattr(choice, "open_graph", broken)
    assert list(choice.measure(load_model(SHIPPED), ("torch", "onnxruntime"))) == ["torch"]


def test_a_model_and_its_engines_are_freed_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook that opens a model by its name again and again does not grow."""
    model = build_model("dkd-tiny", channels=4, input_size=128).eval()
    fast = accelerate(model, "onnxruntime")
    assert accelerate(model, "onnxruntime") is fast and accelerate(fast, "onnxruntime") is fast
    renamed, deep, stored = copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))
    renamed.name = "other"
    assert accelerate(renamed, "onnxruntime").name == "other"
    for other in (deep, stored):
        assert accelerate(other, "onnxruntime") is not fast
    gone = [weakref.ref(one) for one in (model, fast, renamed, deep, stored)]
    del model, fast, renamed, deep, stored, other
    gc.collect()
    assert [one() for one in gone] == [None] * 5


class SignalStack(ctypes.Structure):
    """The C library's ``stack_t``."""

    _fields_ = (("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))

    @classmethod
    def of_this_thread(cls) -> SignalStack:
        found = cls()
        assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found)) == 0
        return found

    def is_in_memory(self) -> bool:
        ranges = [line.split()[0].split("-") for line in Path("/proc/self/maps").read_text().splitlines()]
        return any(int(low, 16) <= self.start < int(high, 16) for low, high in ranges)


@pytest.mark.skipif(sys.platform != "linux", reason="only there OpenVINO changes the stack of signals")
def test_freed_engines_leave_the_thread_a_stack_for_signals(tmp_path: Path) -> None:
    """Python handles signals there: without it, the process would crash when a child process ends."""
    assert faulthandler.is_enabled()  # by pytest: it sets such a stack
    assert SignalStack.of_this_thread().is_in_memory()
    models = [build_model("dkd-tiny", channels=channels, input_size=128).eval() for channels in (4, 8)]
    engines = [accelerate(model, "openvino") for model in models]
    while models:  # the first one first
        del models[0], engines[0]
        gc.collect()
    assert SignalStack.of_this_thread().is_in_memory()
