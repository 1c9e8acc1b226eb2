"""``dkd bench --all``: a row for each engine, whose numbers agree with each other."""

from __future__ import annotations

import re

import pytest

from dkd.cli.main import main
from dkd.engines.runtimes import ENGINES, is_installed

ROW = re.compile(r"^  (\S+) +([\d.]+) ms, slowest +([\d.]+) ms, +([\d.]+)×$", re.MULTILINE)


def test_each_engine_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "dkd-mobilenetv2", "--all", "--rounds", "3"]) == 0
    text = capsys.readouterr().out
    assert re.search(r"^dkd-mobilenetv2: a step at 192×192, 3 in each engine in turn; \d+ of \d+ cores, load", text)
    rows = {name: tuple(map(float, numbers)) for name, *numbers in ROW.findall(text)}
    left_out = set(re.findall(r"openvino-bf16", text.partition("cannot be used here")[2]))  # by this processor
    assert set(rows) == {"torch", *filter(is_installed, ENGINES)} - left_out and rows["torch"][2] == 1
    assert [row[0] for row in rows.values()] == sorted(row[0] for row in rows.values())
    for middle, slowest, ratio in rows.values():
        assert slowest >= middle
        assert ratio == pytest.approx(rows["torch"][0] / middle, rel=0.05)


def test_a_model_without_graphs_runs_in_torch_and_says_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dkd.errors import ConfigError

    def refuse(model: object) -> None:
        raise ConfigError("no graphs of this one")

    monkeypatch.setattr("dkd.engines.graphs.check_graphs", refuse)
    assert main(["bench", "--all", "--rounds", "1"]) == 0
    text = capsys.readouterr().out
    assert [name for name, *_ in ROW.findall(text)] == ["torch"] and "no graphs of this one" in text


def test_rounds_are_counted_from_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--all", "--rounds", "0"]) == 2
    assert "expected --rounds of at least 1, got 0" in capsys.readouterr().err
    assert main(["bench", "--all", "--device", "cuda"]) == 2
    assert "expected --device cpu with --all" in capsys.readouterr().err
