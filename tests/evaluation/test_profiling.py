"""Cost of models: counts against the architecture and published ones; times with a simulated clock."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from dkd.errors import ConfigError
from dkd.evaluation import cost as profiling
from dkd.evaluation.cost import at_input_size, count, profile
from dkd.models import build_model


# Of the part that later frames pass through: parameters (M), GMACs, and those with transposed convolutions counted on
# outputs; and the GMACs of the initializer, through which the first frame passes, too.
@pytest.mark.parametrize(
    ("name", "params", "true", "on_outputs", "initializer"),
    [
        ("dkd-resnet18", 16.2, 3.57, 4.78, 11.0),
        ("dkd-resnet34", 26.3, 5.99, 7.20, 11.0),
        ("dkd-resnet50", 34.8, 6.95, 9.36, 11.0),
        ("dkd-resnet101", 53.8, 11.80, 14.21, 11.0),
        ("dkd-mobilenetv2", 3.22, 0.388, 0.572, 0.695),
    ],
)
def test_counts_are_those_of_the_architecture(
    name: str, params: float, true: float, on_outputs: float, initializer: float
) -> None:
    with torch.device("meta"):
        model = build_model(name)
    cost = count(model)
    assert model.training, "the mode it had"
    assert cost.step / 1e9 == pytest.approx(true, rel=0.01)
    assert cost.step_on_outputs / 1e9 == pytest.approx(on_outputs, rel=0.01)
    assert cost.step_params / 1e6 == pytest.approx(params, rel=0.01)
    width = model.config.channels
    matching = width * model.map_size**2 * (width + 49 + 13) / 1e9  # V, K̃ and U, which the first frame does not need
    assert cost.first / 1e9 == pytest.approx(true - matching + initializer, rel=0.01)
    assert cost.params == sum(p.numel() for p in model.parameters())


def test_the_per_frame_baseline_costs_what_the_papers_table_says() -> None:
    with torch.device("meta"):
        cost = count(build_model("simple-baseline-resnet50"))
    assert cost.first == cost.step
    assert cost.step / 1e9 == pytest.approx(6.15, rel=0.01) and cost.params / 1e6 == pytest.approx(33.0, rel=0.01)


def test_a_tiny_model_in_closed_form() -> None:
    """Two deconvolutions, counted by hand: once on inputs, once on outputs."""
    model = build_model("simple-baseline-tiny", channels=8, input_size=128)
    cost = count(model)
    first = 128 * 8 * 16 * 4**2  # 4×4 cells at stride 32, 16 weights of 128 → 8 channels each
    second = 8 * 8 * 16 * 8**2
    assert cost.step_on_outputs - cost.step == 3 * (first + second)  # stride 2: four times as many outputs
    assert cost.first == cost.step and cost.step_params == cost.params


class Clock:
    """A clock that only advances while a model runs, by a given number of ms per step."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(profiling.time, "perf_counter", clock)
    return clock


def timed_model(clock: Clock, milliseconds: float, log: list[str], name: str):
    model = build_model("simple-baseline-tiny", channels=4, input_size=128).eval()
    step = model.step

    def slow(*args, **kwargs):
        clock.now += milliseconds / 1e3
        log.append(name)
        return step(*args, **kwargs)

    model.step = slow  # type: ignore[method-assign]
    return model


def test_times_are_medians_of_turns_and_ratios_are_within_a_round(clock: Clock) -> None:
    log: list[str] = []
    models = {name: timed_model(clock, ms, log, name) for name, ms in {"a": 10.0, "b": 25.0, "slow": 400.0}.items()}
    log.clear()
    table = profile(models, rounds=4, threads=1)
    assert table.ms.round(6).tolist() == [10.0, 25.0, 400.0]
    assert table.ratio.round(6).tolist() == [1.0, 2.5, 40.0]
    assert table.attrs["rounds"] == 4 and table.attrs["threads"] == 1 and table.attrs["precision"] == "float32"
    # Two steps each were for counting. Of a turn one step does not count, three do; none is begun after half a second.
    for begin in range(6, 46, 10):
        assert Counter(log[begin : begin + 10]) == {"a": 4, "b": 4, "slow": 2}, "all take a turn in each round"


def test_a_stopped_profile_has_the_results_so_far(clock: Clock) -> None:
    log: list[str] = []
    models = {name: timed_model(clock, 10.0, log, name) for name in "ab"}
    asked: list[int] = []

    def cancel() -> bool:
        asked.append(0)
        return len(asked) > 1

    table = profile(models, rounds=5, cancel=cancel)
    assert table.ms.notna().sum() == 1
    assert table["params (M)"].notna().all(), "counts need no clock"


def test_the_same_model_at_another_size() -> None:
    model = build_model("dkd-tiny", input_size=128)
    larger = at_input_size(model, 256)
    assert larger is not None and larger.config.input_size == 256
    assert count(larger).step_params != 0
    assert at_input_size(model, 250) is None, "a side that it cannot take"


def test_nothing_to_profile_is_an_error() -> None:
    with pytest.raises(ConfigError, match="at least one model"):
        profile({})
    with pytest.raises(ConfigError, match="one round"):
        profile({"a": build_model("simple-baseline-tiny", channels=4, input_size=128)}, rounds=0)
