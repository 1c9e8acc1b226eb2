"""Graphs that PyTorch records once and replays: CUDA graphs.

A step of a small network is hundreds of short operations, and starting each of them from Python takes longer than the
GPU needs for it. A CUDA graph starts all of them at once. Whatever is recorded reads and writes the same memory in
every replay, so inputs are copied into buffers that stay, and outputs out of them.

What a GPU does is behind :class:`Recorder`. :class:`Repeater` stands in for it on the CPU: it runs the same work again
instead of replaying it, so that buffers, copies and order are tested where there is no GPU.
"""

from __future__ import annotations

import copy
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import torch
from torch import Tensor

from dkd.engines.graphs import Graph, check_graphs, graphs_of
from dkd.engines.runtimes import Runtime
from dkd.errors import ConfigError
from dkd.models.base import VideoPoseModel

WARM_UP = 3  # runs before a recording: libraries choose their algorithms and allocate memory in the first ones


class Recorder(ABC):
    """Device that records work and replays it.

    Attributes:
        device: device on which the work runs.
    """

    device: torch.device

    @abstractmethod
    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """Run some work a few times, record it, and return the function that replays it.

        Args:
            work: reads and writes tensors that exist already. It must do the same in every call.
        """

    @abstractmethod
    def host_buffer(self, shape: Sequence[int]) -> Tensor:
        """Return a float32 tensor on the CPU from and to which the device copies fast."""

    @contextmanager
    @abstractmethod
    def in_order(self) -> Iterator[None]:
        """Run copies and replays in the order in which they are called; all are done at the end."""
        yield


class CudaRecorder(Recorder):
    """Records CUDA graphs on the current GPU.

    Raises:
        ConfigError: PyTorch sees no GPU.
    """

    def __init__(self) -> None:
        check_gpu()
        self.device = torch.device("cuda", torch.cuda.current_device())
        self._stream = torch.cuda.Stream(self.device)

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """See :meth:`Recorder.record`. In full float32, by algorithms that give the same bits in every run."""
        # By default, convolutions of float32 tensors are computed in TF32, with ten bits of the mantissa.
        exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
        with exact, torch.cuda.device(self.device):
            self._stream.wait_stream(torch.cuda.current_stream())  # weights and buffers are there
            with torch.cuda.stream(self._stream):
                for _ in range(WARM_UP):
                    work()
            self._stream.synchronize()
            graph = torch.cuda.CUDAGraph()
            # Another thread, such as a training, may use the GPU meanwhile.
            with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                work()
        return graph.replay

    def host_buffer(self, shape: Sequence[int]) -> Tensor:
        """Return pinned memory."""
        return torch.empty(tuple(shape), dtype=torch.float32, pin_memory=True)

    @contextmanager
    def in_order(self) -> Iterator[None]:
        """Use one stream, and wait for it."""
        with torch.cuda.device(self.device), torch.cuda.stream(self._stream):
            yield
            self._stream.synchronize()


class Repeater(Recorder):
    """Stands in for a GPU on the CPU: a replay is another run of the same work."""

    device = torch.device("cpu")

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """Run the work as often as a recording does, and return it."""
        for _ in range(WARM_UP + 1):
            work()
        return work

    def host_buffer(self, shape: Sequence[int]) -> Tensor:
        """Return ordinary memory."""
        return torch.empty(tuple(shape), dtype=torch.float32)

    @contextmanager
    def in_order(self) -> Iterator[None]:
        """Do nothing: the CPU runs everything in order."""
        yield


class RecordedGraph(Runtime):
    """A graph that was recorded. Any number of threads may call it; they take turns.

    Args:
        graph: the graph, on the recorder's device.
        recorder: what records it.
        precision: ``"float32"``, or ``"bfloat16"`` for layers that compute in it; inputs and outputs stay float32.
        lock: shared by the graphs of one recorder, whose copies and replays must not mix.

    Attributes:
        recorder: what recorded it.
        replay: runs what was recorded, from buffers to buffers.
    """

    def __init__(self, graph: Graph, recorder: Recorder, precision: str, lock: threading.Lock):
        self.precision = precision
        self.recorder, self._lock = recorder, lock
        module = graph.module.eval()
        with torch.inference_mode():
            self._inputs = [one.to(recorder.device, copy=True) for one in graph.examples]
            self._given = [recorder.host_buffer(one.shape) for one in graph.examples]
            kept: list[Tensor] = []

            def work() -> None:
                with torch.inference_mode(), _computing_in(precision, recorder.device):
                    found = module(*self._inputs)
                outputs = [found] if isinstance(found, Tensor) else list(found)
                if not kept:  # in the first run: the buffers must exist before the recording
                    kept.extend(torch.empty_like(one, dtype=torch.float32) for one in outputs)
                for buffer, output in zip(kept, outputs, strict=True):
                    buffer.copy_(output)

            self.replay = recorder.record(work)
            self._outputs = kept
            self._found = [recorder.host_buffer(one.shape) for one in kept]

    def __call__(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        """Run the graph: float32 arrays in, new float32 arrays out.

        Raises:
            ConfigError: an input has another shape than the graph was recorded for.
        """
        shapes = [tuple(one.shape) for one in self._inputs]
        if (got := [one.shape for one in inputs]) != shapes:
            raise ConfigError(f"expected inputs of shapes {shapes}, for which the graph was recorded, got {got}")
        with self._lock, torch.inference_mode():
            for host, one in zip(self._given, inputs, strict=True):
                host.copy_(torch.from_numpy(one))
            with self.recorder.in_order():
                for buffer, host in zip(self._inputs, self._given, strict=True):
                    buffer.copy_(host, non_blocking=True)
                self.replay()
                for host, buffer in zip(self._found, self._outputs, strict=True):
                    host.copy_(buffer, non_blocking=True)
            return [host.numpy().copy() for host in self._found]  # the next call writes into the buffers


def _computing_in(precision: str, device: torch.device) -> AbstractContextManager[object]:
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)  # a cache does not outlive the recording


def check_gpu() -> None:
    """Raise ConfigError unless PyTorch sees a GPU."""
    if torch.cuda.is_available():
        return
    if torch.version.cuda is None:
        what = f"PyTorch {torch.__version__} is built without CUDA: install the CUDA build of the same version"
    else:
        what = "PyTorch sees none: look at what nvidia-smi says, and at the variable CUDA_VISIBLE_DEVICES"
    raise ConfigError(f"expected a GPU of Nvidia for the engine 'cuda', but {what}; or use engine='auto'")


def recorded_graphs(model: VideoPoseModel, precision: str, recorder: Recorder | None = None) -> dict[str, Runtime]:
    """Copy a model to the GPU and record its graphs there.

    Args:
        model: a model on the CPU, which is unchanged. Later changes of its weights do not reach the copy.
        precision: ``"float32"`` or ``"bfloat16"``.
        recorder: what records the graphs; by default the current GPU.

    Raises:
        ConfigError: PyTorch sees no GPU, the GPU cannot run the model, or this kind of model has no graphs.
    """
    check_graphs(model)
    recorder = recorder or CudaRecorder()
    lock = threading.Lock()
    try:
        graphs = graphs_of(copy.deepcopy(model).eval().to(recorder.device))
        return {name: RecordedGraph(graph, recorder, precision, lock) for name, graph in graphs.items()}
    except RuntimeError as error:  # no memory, or a GPU for which PyTorch is not built
        raise ConfigError(
            f"expected {recorder.device} to run {model.name}, but PyTorch says: {str(error).splitlines()[0]}; use "
            "engine='auto'"
        ) from error
