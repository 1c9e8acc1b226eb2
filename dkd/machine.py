"""Machine settings: threads, devices, and processes."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch

from dkd.errors import ConfigError
from dkd.io.config import STRICT, check_ranges

if TYPE_CHECKING:
    from lightning_fabric import Fabric

NICENESS = 10  # of 19: a tenth of the share of a thread that wants the same core


@dataclass(frozen=True)
class MachineConfig:
    """Settings of the machine. They do not define a run: it may be resumed on another machine, but not bit-identically.

    Attributes:
        accelerator, devices, nodes, strategy: as in Lightning Fabric; ``torchrun`` takes precedence.
        precision: ``"32-true"`` or ``"bf16-mixed"``; ``"auto"`` is bf16 on a GPU that supports it, else 32 bits;
            ``"fast"`` is bf16 also on a processor that has instructions for it. (``"16-mixed"`` is not supported: its
            loss scale is state that a resumed run would lack.)
        workers: number of processes that prepare clips; 0 uses a thread, which is enough for a small model on a CPU.
        threads: number of torch threads of this process while it trains; ``None`` leaves it unchanged.
    """

    __pydantic_config__ = STRICT

    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    strategy: str = "auto"
    precision: Literal["auto", "32-true", "bf16-mixed", "fast"] = "auto"
    workers: int = 0
    threads: int | None = None

    def __post_init__(self) -> None:
        check_ranges(self, devices=(1, 4096), nodes=(1, 4096), workers=(0, 1024))
        check_threads(self.threads)


def check_threads(count: int | None) -> None:
    """Raise ConfigError unless ``count`` is ``None`` or from 1 to 1024."""
    if count is not None and not 1 <= count <= 1024:
        raise ConfigError(f"expected 1 to 1024 threads, got threads={count}; leave it out for torch's own number")


def training_precision(machine: MachineConfig) -> str:
    """Return the precision in which a training computes on this machine, ``"32-true"`` or ``"bf16-mixed"``."""
    if machine.precision not in ("auto", "fast"):
        return machine.precision
    if machine.accelerator in ("auto", "cuda", "gpu") and torch.cuda.is_available():
        has_bf16 = torch.cuda.is_bf16_supported()
    else:
        has_bf16 = machine.precision == "fast" and computes_bf16()
    return "bf16-mixed" if has_bf16 else "32-true"


def computes_bf16() -> bool:
    """Return whether this processor has instructions for bfloat16; without them it is slower than float32."""
    asks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # private in torch 2, which has no public function
    return any(bool(getattr(torch.cpu, name, bool)()) for name in asks)


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Temporarily set the number of torch threads of this process; ``None`` leaves it unchanged."""
    check_threads(count)
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def yield_to_others() -> None:
    """Lower the priority of this thread, and of threads and processes that it starts from now on, for its lifetime.

    On Linux, where each thread has a priority of its own; elsewhere nothing changes. Its work takes no longer on a core
    that nobody else wants.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):  # a container may forbid it
            os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))


def launch(machine: MachineConfig, strategy: str = "ddp", precision: Any = "32-true") -> Fabric:
    """Create a Fabric from ``machine`` and start its processes (none on a single device).

    Args:
        machine: settings of the machine; ``torchrun`` takes precedence.
        strategy: strategy for several processes if ``machine.strategy`` is ``"auto"``.
        precision: as in Fabric.

    Raises:
        ConfigError: the machine does not have what is asked for, such as a GPU.
    """
    from lightning_fabric import Fabric  # imported here: not needed to show a trace

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it would print which precision it uses
    devices, nodes = machine.devices, machine.nodes
    if "TORCHELASTIC_RUN_ID" in os.environ:  # started by torchrun, which has set these
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // devices
    if machine.strategy != "auto" or devices * nodes == 1:
        strategy = machine.strategy
    try:
        fabric = Fabric(
            accelerator=machine.accelerator, devices=devices, num_nodes=nodes, strategy=strategy, precision=precision
        )
    except (RuntimeError, ValueError, TypeError) as error:  # Lightning has no error of its own
        first = " ".join(str(error).split())[:300]
        raise ConfigError(
            f"this machine cannot run on accelerator={machine.accelerator!r}, devices={devices}, "
            f"strategy={strategy!r}, precision={precision!r}: {first}"
        ) from error
    if devices * nodes > 1:
        fabric.launch()
    return fabric
