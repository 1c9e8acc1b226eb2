"""The machine that something runs on: threads, devices, and processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch

from dkd.io.config import STRICT

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass(frozen=True)
class MachineConfig:
    """Where it runs. Not part of what a run *is*: a run may go on on another machine, though not to the same last bit.

    Attributes:
        accelerator, devices, nodes, strategy: as Lightning Fabric takes them; ``torchrun``'s own numbers win.
        precision: ``"32-true"`` or ``"bf16-mixed"``; ``"auto"`` is bf16 on a GPU that has it, else 32 bits. (Not
            ``"16-mixed"``: its loss scale is a state that a resumed run would lack.)
        workers: processes that prepare clips; 0 is a thread of this one, enough for a small model on a CPU.
        threads: of torch, for this process, while it trains; None leaves them.
    """

    __pydantic_config__ = STRICT

    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    strategy: str = "auto"
    precision: Literal["auto", "32-true", "bf16-mixed"] = "auto"
    workers: int = 0
    threads: int | None = None


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Give torch ``count`` threads in this process for a while; None leaves them unchanged."""
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def launch(machine: MachineConfig, strategy: str = "ddp", precision: Any = "32-true") -> Fabric:
    """Fabric as ``machine`` says, its processes started; on one device nothing is started.

    Args:
        machine: where to run; ``torchrun``'s own numbers win.
        strategy: of several processes, where ``machine.strategy`` leaves it open.
        precision: as Fabric takes it.
    """
    from lightning_fabric import Fabric  # here: who only looks at a trace need not wait for its import

    devices, nodes = machine.devices, machine.nodes
    if "TORCHELASTIC_RUN_ID" in os.environ:  # started by torchrun, which has decided already
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // devices
    if machine.strategy != "auto" or devices * nodes == 1:
        strategy = machine.strategy
    fabric = Fabric(
        accelerator=machine.accelerator, devices=devices, num_nodes=nodes, strategy=strategy, precision=precision
    )
    if devices * nodes > 1:
        fabric.launch()
    return fabric
