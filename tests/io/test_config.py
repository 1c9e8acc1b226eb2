"""Settings survive a round trip, and errors in them are explained."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dkd.errors import ConfigError
from dkd.io.config import STRICT, from_mapping, read_yaml, to_mapping, to_yaml, with_words
from dkd.training.config import TrainConfig, list_recipes, load_recipe


@dataclass(frozen=True)
class Inner:
    __pydantic_config__ = STRICT
    share: float = 0.5
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outer:
    __pydantic_config__ = STRICT
    steps: int = 3
    inner: Inner = field(default_factory=Inner)


@given(steps=st.integers(-5, 5), share=st.floats(allow_nan=False, allow_infinity=False), names=st.lists(st.text()))
def test_settings_survive_yaml(steps: int, share: float, names: list[str]) -> None:
    settings = Outer(steps, Inner(share, tuple(names)))
    assert from_mapping(Outer, yaml.safe_load(to_yaml(settings))) == settings
    assert from_mapping(Outer, to_mapping(settings)) == settings


def test_words_reach_into_nested_settings_and_leave_the_rest() -> None:
    given_values = {"inner": {"share": 0.1}}
    values = with_words(given_values, ["steps=7", "inner.names=[a, b]", "inner.share=1e-3"])
    assert from_mapping(Outer, values) == Outer(7, Inner(0.001, ("a", "b")))
    assert given_values == {"inner": {"share": 0.1}}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["stepps=7"], r"unknown setting 'stepps'; did you mean 'steps'\? Known here: steps, inner\."),
        (["inner.shares=7"], r"unknown setting 'inner.shares'; did you mean 'share'\?"),
        (["steps=many"], "setting 'steps': input should be a valid integer.*got 'many'"),
        (["steps"], "expected key=value, got 'steps'"),
        (["steps.more=1", "steps=3"], None),
        (["inner=3"], "setting 'inner'"),
        (["steps=[1"], "expected a value in"),
    ],
)
def test_errors_are_reported(words: list[str], message: str | None) -> None:
    if message is None:
        assert from_mapping(Outer, with_words({}, words)).steps == 3
        return
    with pytest.raises(ConfigError, match=message):
        from_mapping(Outer, with_words({}, words))


def test_a_word_does_not_reach_into_a_number() -> None:
    with pytest.raises(ConfigError, match="'steps' holds 3, not nested settings"):
        with_words({"steps": 3}, ["steps.more=1"])


def test_files_that_are_no_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_yaml(tmp_path / "none.yaml")
    file = tmp_path / "some.yaml"
    for content, message in (("a: [1", "expected YAML"), ("- 1\n- 2\n", "got list"), ("", "got NoneType")):
        file.write_text(content)
        with pytest.raises(ConfigError, match=message):
            read_yaml(file)


@pytest.mark.parametrize("name", list_recipes())
def test_every_shipped_recipe_is_whole(name: str) -> None:
    config = load_recipe(name)
    assert isinstance(config, TrainConfig)
    assert from_mapping(TrainConfig, to_mapping(config)) == config


def test_the_papers_recipe_has_the_papers_values() -> None:
    config = load_recipe("paper")
    assert (config.n_frames, config.batch, config.optimiser.name, config.optimiser.learning_rate) == (
        5, 8, "rmsprop", 5e-4,
    )  # fmt: skip
    epoch = 1258 / 8
    rates = [config.optimiser.rate_at(int(e * epoch), config.steps) for e in (1, 14, 16, 24, 26)]
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.01])
    assert config.adversary.eta > 0
    assert config.model.name == "dkd-resnet50"


def test_a_recipe_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="did you mean 'laptop'"):
        load_recipe("labtop")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["model.name=dkd-tinny"], "did you mean 'dkd-tiny'"),
        (["model.settings.chanels=3"], "did you mean 'channels'"),
        (["n_frames=1"], "n_frames ≥ 2"),
        (["model.name=simple-baseline-tiny", "adversary.eta=1", "n_frames=1"], "need n_frames ≥ 2"),
        (["data.shares=[1, 2]"], "one for each of the 1 sources"),
        (["model.pretrain=1"], "in 0..1"),
        (["model.pretrain=0.5", "model.initializer=fixed"], "choose one"),
        (["optimiser.name=sgd"], "'adamw' or 'rmsprop'"),
        (["steps=0"], "expected steps from 1 to"),
    ],
)
def test_contradictions_are_named(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_recipe("laptop", words)
