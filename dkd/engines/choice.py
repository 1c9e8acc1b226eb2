"""Choice of an engine: by name, or the fastest one on this machine; each is compared with PyTorch first."""

from __future__ import annotations

import json
import logging
import os
import platform
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import torch

from dkd.engines.accelerated import Accelerated, accelerated
from dkd.engines.exporting import design, exported, fingerprint, is_exported
from dkd.engines.graphs import check_graphs
from dkd.engines.recorded import check_gpu, recorded_graphs
from dkd.engines.runtimes import ENGINES, is_installed, needs_gpu, open_graph
from dkd.errors import ConfigError, DKDError, nearest_name
from dkd.io.files import atomic_path
from dkd.io.paths import cache_folder
from dkd.models.base import VideoPoseModel
from dkd.models.dkd import DKD

log = logging.getLogger(__name__)

NAMES = ("auto", "torch", *ENGINES)
# Largest difference from eager PyTorch in float32, in maps of height 1 and in kernels as a share of the largest value.
# Ours: about fifty times what was measured in float32 (2e-6), and twice what was measured in bfloat16 (0.05, kernels).
TOLERANCE = {"float32": 1e-4, "bfloat16": 0.1}
# Frames of the comparison, and passes of the measurement: less than a second for the shipped model.
_COMPARED, _TIMED, _WARM_UP = 3, 15, 3
_ENOUGH_S = 1.0  # of measurement, after two passes
REMEMBERED = 200  # models and machines
_refused: set[str] = set()  # fingerprints of models that stay in PyTorch
_measuring = threading.Lock()


class _Made(dict[str, VideoPoseModel]):
    """A model's engines, kept by the model itself and freed with it; copies of the model have their own.

    In a table of all models, even one with weak keys, they would keep it as long as the process lives: each refers to
    its model.
    """

    def __init__(self, model: VideoPoseModel):
        super().__init__()
        self.of = weakref.ref(model)

    def __deepcopy__(self, memo: object) -> None:
        return None

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        return type(None), ()


def _made_of(model: VideoPoseModel) -> _Made:
    made: _Made | None = vars(model).get("_engines")
    if made is None or made.of() is not model:
        made = vars(model)["_engines"] = _Made(model)
    return made


class EngineDiffersError(DKDError, ArithmeticError):
    """An engine computes something else than PyTorch."""


def engine_of(model: VideoPoseModel) -> str:
    """Return the name of the engine in which a model runs."""
    return model.engine if isinstance(model, Accelerated) else "torch"


def accelerate(
    model: VideoPoseModel, engine: str | None = None, notify: Callable[[str], object] | None = None
) -> VideoPoseModel:
    """Return a model whose network runs in an engine; its maps are compared with those of PyTorch first.

    The network is exported once for each set of weights, which takes two seconds for the shipped model, and kept in the
    cache. The fastest engine is measured once for each machine and design of a network.

    Args:
        model: a model on the CPU.
        engine: ``"torch"``: eager PyTorch, which is the model itself. ``"onnxruntime"`` and ``"openvino"``: in float32.
            ``"openvino-bf16"``: in bfloat16, on processors that have it. ``"cuda"`` and ``"cuda-bf16"``: on a GPU, to
            which the model is copied. ``"auto"``: the one of these in float32 that is the fastest on this machine.
            PyTorch runs what no engine supports, models that are on a GPU, and models in train mode. ``None``:
            ``$DKD_ENGINE`` if it is set; else the engine in which the model runs already; else ``"auto"``.
        notify: called with a line of text before work that takes seconds.

    Returns:
        The model, or one that shares its weights and is read-only.

    Raises:
        ConfigError: the engine is unknown, or does not support this model, device or processor.
        MissingExtraError: the engine's package is not installed.
        EngineDiffersError: the engine's maps or kernels differ from those of PyTorch by more than the tolerance.
        StorageError: the cache cannot be written.
    """
    asked = engine or os.environ.get("DKD_ENGINE")
    if not asked:
        return model if isinstance(model, Accelerated) else _fastest(model, notify)
    if asked not in NAMES:
        raise ConfigError(f"unknown engine {asked!r}{nearest_name(asked, NAMES)} Known: {', '.join(NAMES)}.")
    if isinstance(model, Accelerated):
        model = model.eager
    if asked == "auto":
        return _fastest(model, notify)
    if asked == "torch":
        return model
    if model.device.type != "cpu":
        raise ConfigError(f"expected a model on the CPU for {asked}, got one on {model.device}; use engine='torch'")
    check_graphs(model)  # before a package is asked for
    if needs_gpu(asked):
        check_gpu()
    made = _made_of(model)
    key = f"{asked} {fingerprint(model)} {torch.get_num_threads()}"  # weights may have changed since
    if key not in made:
        made[key] = _opened(model, asked, notify)
        _check(made[key])
    return made[key]


def _opened(model: VideoPoseModel, engine: str, notify: Callable[[str], object] | None) -> VideoPoseModel:
    if needs_gpu(engine):
        return accelerated(model, engine, recorded_graphs(model, ENGINES[engine][1]))
    if not is_installed(engine):
        open_graph(engine, cache_folder())  # raises
    if notify is not None and not is_exported(model):
        notify(f"exporting {model.name}")
    return accelerated(model, engine, {name: open_graph(engine, file) for name, file in exported(model).items()})


def _check(model: VideoPoseModel) -> None:
    """Compare an engine with PyTorch; an engine that passed with these weights on this machine is not compared again.

    Raises:
        EngineDiffersError: it computes something else.
    """
    assert isinstance(model, Accelerated)
    file = cache_folder() / "engines" / "checked.json"
    key = f"{model.engine} {_key(model.eager)}"
    passed = _read(file)
    if key in passed:
        return
    differs, limit = difference(model), TOLERANCE[model.precision]
    if not differs <= limit:  # also if it is not a number
        raise EngineDiffersError(
            f"{model.engine} differs from PyTorch by {differs:.2g} in maps or kernels of {model.name}, expected at "
            f"most {limit:g}; use engine='torch', and report this with the versions of "
            f"{' and '.join(dict.fromkeys(('torch', ENGINES[model.engine][0])))}"
        )
    with suppress(DKDError):  # without a cache it is compared again next time
        _write(file, {**passed, key: differs})


@torch.inference_mode()
def difference(model: VideoPoseModel) -> float:
    """Compute how far an engine is from eager PyTorch: the largest difference of maps and kernels over a few frames.

    The frames are noise that is smooth over a few pixels, as pictures are, always the same. The state of PyTorch is
    handed on to both, so that differences do not add up. Kernels are compared as a share of their largest value.
    """
    assert isinstance(model, Accelerated)
    eager, size = model.eager, model.config.input_size
    generator = torch.Generator().manual_seed(0)
    state: Any = None
    worst = 0.0
    for _ in range(_COMPARED):
        coarse = torch.rand(1, 3, size // 8, size // 8, generator=generator)
        frame = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bilinear")
        if state is None:
            (expected, after), (got, _) = eager.start(frame), model.start(frame)
        else:
            (expected, after), (got, _) = eager.step(frame, state), model.step(frame, state)
        pairs = [(expected.heatmaps, got.heatmaps), (expected.kernels, got.kernels)]
        if isinstance(eager, DKD) and isinstance(model, DKD):
            known = expected.features, after.kernels
            pairs.append((eager.locate(*known), model.locate(*known)))
        state = after
        for one, other in pairs:
            if one.numel():
                scale = float(one.abs().max()) if one is expected.kernels else max(1.0, float(one.abs().max()))
                worst = max(worst, float((one - other).abs().max()) / max(scale, 1e-12))
    return worst


# --- the fastest ------------------------------------------------------------------------------------------------------


class Timing(NamedTuple):
    """Time of one engine: median and slowest of some steps, in milliseconds."""

    median_ms: float
    slowest_ms: float


def measure(
    model: VideoPoseModel, engines: tuple[str, ...], rounds: int | None = None, notify: Callable[[], object] = int
) -> dict[str, Timing]:
    """Measure a step of the model in several engines, which take turns.

    An engine that cannot be used is left out, with its reason in the log.

    Args:
        model: a model on the CPU.
        engines: names of the engines.
        rounds: how many steps of each; by default as many as take about a second.
        notify: called after each round.
    """
    steps: dict[str, Callable[[], object]] = {}
    for engine in engines:
        try:
            steps[engine] = _step_of(accelerate(model, engine))
        except (DKDError, ImportError) as error:
            log.info("the engine %s is not used: %s", engine, error)
    times: dict[str, list[float]] = {engine: [] for engine in steps}
    begun = time.perf_counter()
    for i in range(_WARM_UP + (rounds or _TIMED)):
        if rounds is None and i >= 2 and time.perf_counter() - begun > _ENOUGH_S:
            break
        for engine, step in steps.items():
            start = time.perf_counter()
            step()
            times[engine].append(1e3 * (time.perf_counter() - start))
        notify()
    # A slow model is timed from its second pass on.
    timed = {engine: found[min(_WARM_UP, len(found) - 1) :] for engine, found in times.items()}
    return {engine: Timing(median(found), max(found)) for engine, found in timed.items()}


def _step_of(model: VideoPoseModel) -> Callable[[], object]:
    model.eval()
    frame = torch.rand(1, 3, model.config.input_size, model.config.input_size)
    with torch.inference_mode():
        state = model.start(frame)[1]

    @torch.inference_mode()
    def step() -> object:
        return model.step(frame, state)

    return step


def prepare(model: VideoPoseModel, notify: Callable[[str], object] | None = None) -> dict[str, Timing]:
    """Export a model, measure it in all installed engines in float32, and remember the fastest one for this machine.

    Args:
        model: a model on the CPU.
        notify: as for :func:`accelerate`.

    Returns:
        The time of a step by engine, the fastest first.

    Raises:
        ConfigError: no engine supports this model.
        StorageError: the cache cannot be written.
    """
    check_graphs(model)
    if notify is not None and not is_exported(model):
        notify(f"exporting {model.name}")
    exported(model)
    if notify is not None:
        notify(f"measuring engines for {model.name}")
    candidates = ("torch", *(name for name, (_, precision) in ENGINES.items() if precision == "float32"))
    found = measure(model, tuple(name for name in candidates if is_installed(name)))
    times = dict(sorted(found.items(), key=lambda one: one[1].median_ms))
    _write(_fastest_file(), {**_known(), _speed_key(model): next(iter(times))})
    log.info("the fastest engine for %s: %s", model.name, times)
    return times


def _fastest(model: VideoPoseModel, notify: Callable[[str], object] | None) -> VideoPoseModel:
    """Return the model in the engine that is the fastest here; it is measured if that is not known.

    Where no engine can be used, the log says why, once.
    """
    if model.device.type != "cpu" or model.training:
        return model
    try:
        check_graphs(model)
    except ConfigError as error:
        log.info("%s", error)
        return model
    refused = fingerprint(model)
    if refused in _refused:
        return model
    try:
        with _measuring:
            engine = _known().get(_speed_key(model)) or next(iter(prepare(model, notify)))
        return accelerate(model, engine, notify)
    except (DKDError, ImportError) as error:
        log.warning("%s stays in PyTorch: %s", model.name, error)
        _refused.add(refused)
        return model


def _fastest_file() -> Path:
    return cache_folder() / "engines" / "fastest.json"


def _known() -> dict[str, str]:
    """Return the fastest engine by model and machine, where it is known."""
    return {key: value for key, value in _read(_fastest_file()).items() if value in NAMES}


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):  # none yet, or damaged: found out again
        return {}
    return found if isinstance(found, dict) else {}


def _write(file: Path, known: dict[str, Any]) -> None:
    with atomic_path(file) as temporary:
        temporary.write_text(json.dumps(dict(list(known.items())[-REMEMBERED:]), indent=0))


def _key(model: VideoPoseModel) -> str:
    return f"{fingerprint(model)} on {_machine()}"


def _speed_key(model: VideoPoseModel) -> str:
    """Return the key of a speed, which does not depend on weights, and so is known for every snapshot of a training."""
    return f"{design(model)} on {_machine()}"


def _machine() -> str:
    """Return what the order of engines depends on: processor, GPU and versions.

    Not the number of threads, which a training in this process changes: a run would then go on in another engine.
    """
    packages = [(name, version(name)) for name in ("onnxruntime", "openvino") if is_installed(_engine_with(name))]
    gpu = [torch.cuda.get_device_name()] if torch.cuda.is_available() else []
    return json.dumps([platform.machine(), _processor(), os.cpu_count(), torch.__version__, *packages, *gpu])


def _engine_with(package: str) -> str:
    return next(name for name, (needs, _) in ENGINES.items() if needs == package)


def _processor() -> str:
    with suppress(OSError), open("/proc/cpuinfo") as file:
        return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "")
    return platform.processor()
