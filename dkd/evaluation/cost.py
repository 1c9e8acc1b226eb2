"""Cost of models: parameters, multiply-adds and time per frame, measured in turns in one run.

Times on a typical machine vary by tens of percent within minutes, so a single time says little. Here the models take
turns many times in one run, and the *ratio* within a round is compared.
"""

from __future__ import annotations

import logging
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from dkd.errors import ConfigError, checked
from dkd.machine import torch_threads
from dkd.models.base import VideoPoseModel
from dkd.models.registry import make_model

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)
# Per turn, this many steps are timed, after one warm-up step (to fill the caches); but no step begins after this many
# ms, as a slow model would otherwise take most of the run.
_BURST, _BURST_MS = 3, 500.0


@dataclass(frozen=True)
class Cost:
    """Cost of one frame, batch 1.

    Attributes:
        params: number of parameters of all parts.
        step_params: number of parameters used in later frames (in a DKD: all but the initializer).
        first: multiply-adds (MACs) of the first frame.
        step: MACs of each later frame.
        step_on_outputs: the same, but with transposed convolutions counted as if each *output* cell used the whole
            kernel: 4 times too many at stride 2, but as in several published tables.
    """

    params: int
    step_params: int
    first: int
    step: int
    step_on_outputs: int


def _on_outputs(
    x_shape: Sequence[int],
    w_shape: Sequence[int],
    _bias: Any,
    _stride: Any,
    _padding: Any,
    _dilation: Any,
    transposed: bool,
    *_: Any,
    out_shape: Sequence[int],
    **__: Any,
) -> int:
    """Count the operations (two per MAC) of a convolution on its outputs."""
    return 2 * x_shape[0] * prod(out_shape[2:]) * prod(w_shape)


@torch.inference_mode()
def count(model: VideoPoseModel) -> Cost:
    """Count a model's parameters and multiply-adds by running two frames through it (torch's ``FlopCounterMode``).

    Matrix products and convolutions are counted, which is all that matters here; additions, activations, pooling and
    operations outside torch (optical flow) are not. Convolutions are counted including their padding, as usual.

    Args:
        model: put into eval mode, and back to its mode afterwards.
    """
    frame = torch.zeros(1, 3, model.config.input_size, model.config.input_size, device=model.device)
    convolution = {torch.ops.aten.convolution: _on_outputs}
    used: dict[int, int] = {}  # parameters of the modules that ran: identity → size

    def ran(module: torch.nn.Module, *_: Any) -> None:
        used.update({id(p): p.numel() for p in module.parameters(recurse=False)})

    with _in_eval_mode(model):
        with FlopCounterMode(display=False) as first:
            _, state = model.start(frame)
        hooks = [module.register_forward_hook(ran) for module in model.modules()]
        try:
            with FlopCounterMode(display=False) as step:
                _, state = model.step(frame, state)
        finally:
            for hook in hooks:
                hook.remove()
        with FlopCounterMode(display=False, custom_mapping=convolution) as on_outputs:
            model.step(frame, state)
    flops = (counter.get_total_flops() // 2 for counter in (first, step, on_outputs))
    return Cost(sum(p.numel() for p in model.parameters()), sum(used.values()), *flops)


def at_input_size(model: VideoPoseModel, size: int) -> VideoPoseModel | None:
    """Build the same kind of model with random weights for another input side; ``None`` if that is impossible."""
    try:
        return make_model(replace(model.config, input_size=size)).eval()
    except ConfigError:
        return None


@checked
@torch.inference_mode()
def profile(
    models: dict[str, VideoPoseModel],
    *,
    rounds: int = 20,
    threads: int | None = None,
    cancel: Callable[[], bool] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> pd.DataFrame:
    """Measure the cost of models in interleaved turns; float32, batch 1, channels last in memory.

    A turn of a model is one warm-up step and up to three timed steps, of which the median is taken; the order of the
    models changes from round to round. A model's time is the median over rounds; its ratio is the median over rounds of
    its time divided by the first model's in the same round, with quartiles.

    Args:
        models: models by name; the others are compared with the first one. They run on their own device.
        rounds: number of turns of each model.
        threads: number of torch threads during the measurement; unchanged by default.
        cancel: called before each turn; if it returns true, the results so far are returned.
        progress: called with the number of turns done and the total number.

    Returns:
        One row per model: ``input``, ``params (M)``, ``params, later frames (M)``, ``GMACs``, ``GMACs on outputs``,
        ``GMACs, first frame``, ``ms``, ``ms 25 %``, ``ms 75 %``, ``ratio``, ``ratio 25 %``, ``ratio 75 %``,
        ``ms, first frame``. ``attrs`` describes the machine: ``device``, ``threads``, ``precision``, ``rounds``,
            ``torch``.

    Raises:
        ConfigError: there is no model, or ``rounds`` is 0.
    """
    import pandas as pd

    if not models or rounds < 1:
        raise ConfigError(f"expected at least one model and one round, got {len(models)} and {rounds}")
    with torch_threads(threads):
        costs = {name: count(model) for name, model in models.items()}
        steps, firsts = _take_turns(models, rounds, cancel or (lambda: False), progress or (lambda done, of: None))
        used = torch.get_num_threads()
    reference = np.array(steps[next(iter(models))])
    rows = []
    for name, model in models.items():
        own, cost = np.array(steps[name]), costs[name]  # (rounds,)
        n = min(len(own), len(reference))
        ratios = own[:n] / reference[:n] if n else np.array([np.nan])
        low, middle, high = np.percentile(own, (25, 50, 75)) if own.size else (np.nan,) * 3
        rows.append(
            {
                "model": name,
                "input": model.config.input_size,
                "params (M)": cost.params / 1e6,
                "params, later frames (M)": cost.step_params / 1e6,
                "GMACs": cost.step / 1e9,
                "GMACs on outputs": cost.step_on_outputs / 1e9,
                "GMACs, first frame": cost.first / 1e9,
                "ms": middle,
                "ms 25 %": low,
                "ms 75 %": high,
                "ratio": float(np.median(ratios)),
                "ratio 25 %": float(np.percentile(ratios, 25)),
                "ratio 75 %": float(np.percentile(ratios, 75)),
                "ms, first frame": float(np.median(firsts[name])) if firsts[name] else np.nan,
            }
        )
    table = pd.DataFrame(rows).set_index("model")
    table.attrs = {
        "device": _device_name(next(iter(models.values())).device),
        "threads": used,
        "precision": "float32",
        "rounds": len(reference),
        "torch": torch.__version__,
    }
    return table


def _take_turns(
    models: dict[str, VideoPoseModel],
    rounds: int,
    cancel: Callable[[], bool],
    progress: Callable[[int, int], object],
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Measure the milliseconds of a step and of a first frame, for each model in each round."""
    steps: dict[str, list[float]] = {name: [] for name in models}
    firsts: dict[str, list[float]] = {name: [] for name in models}
    order, chance = list(models), np.random.default_rng(0)
    done = 0
    for _ in range(rounds):
        chance.shuffle(order)
        for name in order:
            if cancel():
                return steps, firsts
            model = models[name].to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            with _in_eval_mode(model):
                size = model.config.input_size
                frame = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0)).to(model.device)
                (_, state), first = _timed(lambda m=model, f=frame: m.start(f), model.device)  # type: ignore[misc]
                times: list[float] = []
                while len(times) < 2 or (len(times) <= _BURST and sum(times) < _BURST_MS):
                    (_, state), passed = _timed(lambda m=model, f=frame, s=state: m.step(f, s), model.device)  # type: ignore[misc]
                    times.append(passed)
            steps[name].append(float(np.median(times[1:])))
            firsts[name].append(first)
            done += 1
            progress(done, rounds * len(models))
    return steps, firsts


def _timed(call: Callable[[], Any], device: torch.device) -> tuple[Any, float]:
    """Return the call's result and its duration in ms, including work started on the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    begin = time.perf_counter()
    result = call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return result, 1e3 * (time.perf_counter() - begin)


@contextmanager
def _in_eval_mode(model: VideoPoseModel) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def _device_name(device: torch.device) -> str:
    """Return a readable name of the device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    info = Path("/proc/cpuinfo")  # on Linux
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor() or platform.machine()}, {os.cpu_count()} cores"
