"""Runtimes: an exported graph as a function of arrays."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dkd.errors import ConfigError, MissingExtraError


class Runtime(ABC):
    """A graph that is ready to run.

    Attributes:
        precision: number format in which it computes, as read back from the runtime: ``"float32"`` or ``"bfloat16"``.
    """

    precision = "float32"

    @abstractmethod
    def __call__(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        """Run the graph: float32 arrays in, new float32 arrays out."""


class OnnxRuntime(Runtime):
    """A graph in ONNX Runtime, on the CPU, in float32. Results are the same bits in every run, for any threads.

    Args:
        file: the graph.
        threads: number of threads.
    """

    def __init__(self, file: Path, threads: int):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors
        # Threads that wait in a loop after each run would take a core from the decoder, the browser and a training.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(file.read_bytes(), options, providers=["CPUExecutionProvider"])
        self._names = [one.name for one in self._session.get_inputs()]

    def __call__(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        return self._session.run(None, dict(zip(self._names, inputs, strict=True)))


class OpenVino(Runtime):
    """A graph in OpenVINO, on the CPU.

    Args:
        file: the graph.
        threads: number of threads.
        precision: ``"float32"``, or ``"bfloat16"``. It has to be asked for: OpenVINO chooses bfloat16 for a float32
            model if the processor has instructions for it.

    Raises:
        ConfigError: the processor computes in another precision than the one asked for.
    """

    def __init__(self, file: Path, threads: int, precision: str = "float32"):
        hint = {"float32": "f32", "bfloat16": "bf16"}[precision]
        settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads,
        }  # fmt: skip
        core = _core()
        self._model = core.compile_model(core.read_model(file), "CPU", settings)
        used = self._model.get_property("INFERENCE_PRECISION_HINT")
        self.precision = {"f32": "float32", "bf16": "bfloat16"}.get(used.get_type_name(), used.get_type_name())
        if self.precision != precision:
            raise ConfigError(
                f"expected OpenVINO to compute in {precision}, but on this processor it uses {self.precision}; use "
                "engine='openvino' or 'onnxruntime'"
            )
        self._request = self._model.create_infer_request()
        self._outputs = list(self._model.outputs)
        self._lock = threading.Lock()

    def __call__(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        with self._lock:  # a request serves one thread at a time, and reuses its buffers: hence the copies
            found = self._request.infer(list(inputs), share_inputs=True)
            return [np.array(found[one]) for one in self._outputs]


@cache
def _core() -> Any:
    """Return OpenVINO's core, one for the whole process, which is never freed.

    Each core gives the thread that loads its CPU plugin a stack for signals, and puts back the stack that it found when
    it is freed. Of two cores that are freed in the order in which they were made, the second puts back the first one's,
    which is gone by then: the process crashes at the next signal, for instance when a child process ends.
    """
    import openvino

    return openvino.Core()


# Engines other than torch: package and precision. Those of torch are recorded on a GPU (dkd.engines.recorded), the
# others run an exported graph on the CPU.
ENGINES: dict[str, tuple[str, str]] = {
    "onnxruntime": ("onnxruntime", "float32"),
    "openvino": ("openvino", "float32"),
    "openvino-bf16": ("openvino", "bfloat16"),
    "cuda": ("torch", "float32"),
    "cuda-bf16": ("torch", "bfloat16"),
}


def needs_gpu(engine: str) -> bool:
    """Return whether an engine runs on a GPU."""
    return engine in ENGINES and ENGINES[engine][0] == "torch"


def is_installed(engine: str) -> bool:
    """Return whether an engine's package is installed, or its GPU is there."""
    if needs_gpu(engine):
        return torch.cuda.is_available()
    return engine == "torch" or find_spec(ENGINES[engine][0]) is not None


def open_graph(engine: str, file: Path) -> Runtime:
    """Open a graph with an engine, with as many threads as torch uses.

    Raises:
        MissingExtraError: the engine's package is not installed.
    """
    package, precision = ENGINES[engine]
    if not is_installed(engine):
        raise MissingExtraError(
            f"the engine {engine!r} needs the package {package}: install it with pip install {package}, "
            "or use engine='torch'"
        )
    threads = torch.get_num_threads()
    return OnnxRuntime(file, threads) if package == "onnxruntime" else OpenVino(file, threads, precision)
