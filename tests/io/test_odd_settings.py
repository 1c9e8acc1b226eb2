"""Odd recipes: refused with one short error, quickly, before anything is built."""

from __future__ import annotations

import contextlib
import math
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dkd.errors import ConfigError
from dkd.io.config import parse_yaml, read_yaml, to_yaml
from dkd.training.config import load_recipe

NUMBERS = {
    "machine.threads": ["0", "-1", "5000", "1.5", ".nan"],
    "machine.workers": ["-1", "1000000000", ".inf"],
    "machine.devices": ["0", "-3", "1000000"],
    "batch": ["0", "-1", "1000000000", "2.5", "two", "[2]", "null", "9" * 5000],
    "steps": ["0", "-1", ".inf", ".nan", "1" + "0" * 30],
    "n_frames": ["0", "1", "1000000000"],
    "sigma": ["0", "-1", ".inf", ".nan", "-.inf", "1e400"],
    "seed": ["-1", "1" + "0" * 30, "1.5"],
    "motion_weight": ["-1", ".nan", ".inf"],
    "hidden_weight": ["-0.5", ".nan", ".inf"],
    "save_every": ["-1", ".nan"],
    "feedback.jitter": ["-1", ".nan", ".inf"],
    "feedback.truth_first": ["-0.1", "1.1", ".nan"],
    "augment.rotation": ["-1", ".nan", "1e9"],
    "augment.scale": ["[1.5, 0.5]", "[0, 1]", "[.nan, 1]", "[1, .inf]", "[1]", "3"],
    "augment.distractor": ["-1", "2", ".nan"],
    "adversary.eta": ["-1", ".nan", ".inf"],
    "adversary.width": ["0", "1000000000"],
    "optimiser.learning_rate": ["0", "-1", ".nan", ".inf"],
    "optimiser.warmup": ["-1", ".nan"],
    "optimiser.clip_norm": ["0", ".nan", ".inf"],
    "optimiser.ema": ["1", "-0.1", ".nan"],
    "optimiser.weight_decay": ["-1", ".inf"],
    "data.shares": ["[.nan]", "[-1]", "[.inf]", "[0]"],
    "data.validation_clips": ["-1", ".inf"],
    "model.settings.channels": ["0", "-1", "1000000000", "2.5", ".nan", "true", "[1]"],
    "model.settings.input_size": ["0", "100", "1000000000", ".inf"],
    "model.settings.heatmap_gain": [".nan", ".inf", "0", "-1"],
    "model.pretrain": ["-0.1", "1", ".nan"],
}  # fmt: skip


@pytest.mark.parametrize(("key", "text"), [(key, text) for key, texts in NUMBERS.items() for text in texts])
def test_numbers_out_of_range_are_refused_by_name(key, text) -> None:
    with pytest.raises(ConfigError) as caught:
        load_recipe("laptop", [f"{key}={text}"])
    assert re.search(rf"\b{key.split('.')[-1]}\b|\b{key.split('.')[0]}\b|key=value|value in", str(caught.value))
    assert len(str(caught.value)) < 700


DOCUMENTS = {
    "doubled a hundred times": "a0: &a0 [1, 1]\n"
    + "\n".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 100)),
    "contains itself": "steps: &a [*a]",
    "nested deeply": "steps: " + "[" * 5000,
    "nested deeply in blocks": "\n".join("  " * i + "a:" for i in range(400)),
    "a number of thousands of digits": "steps: " + "9" * 5000,
    "a tag of Python": "steps: !!python/object/apply:os.getcwd []",
    "an unknown tag": "steps: !thing 3",
    "not a mapping": "- steps\n- 3",
    "a number": "3",
    "nothing": "",
    "two documents": "steps: 3\n---\nsteps: 4",
    "no YAML": "steps: [1",
    "a control character": "steps: \x07",
    "keys that are no names": "1: 2",
    "a list as a key": "[1, 2]: 3",
    "too long": "# " + "x" * 2**19 + "\nsteps: 3",
    "binary": "steps: !!binary aGk=",
    "a date": "steps: 2026-01-01",
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_that_are_no_recipe(tmp_path: Path, name: str) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(DOCUMENTS[name], encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_recipe(file)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"# f\xfcr\nsteps: 3\n", bytes(range(256))])
def test_files_that_are_no_text(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "recipe.yaml").write_bytes(content)
    with pytest.raises(ConfigError):
        load_recipe(tmp_path / "recipe.yaml")


def test_a_folder_with_the_name_of_a_recipe(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").mkdir()
    with pytest.raises(ConfigError):
        read_yaml(tmp_path / "recipe.yaml")


@given(text=st.text(st.sampled_from("steps:[]{}&*!|>-#? \n\t'\"0123456789.~,"), max_size=80))
def test_any_text_is_a_value_or_an_error_of_yaml(text: str) -> None:
    with contextlib.suppress(yaml.YAMLError):
        parse_yaml(text)


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "again.yaml").write_text(to_yaml(load_recipe("laptop")), encoding="utf-8")
    assert load_recipe(tmp_path / "again.yaml") == load_recipe("laptop")
    assert math.isfinite(load_recipe("laptop").sigma)
