"""Lesson 6 shows the shipped ablations; tests/notebooks/test_notebooks.py runs it without any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import plotly.io
import pytest

from dkd.ablations.plan import load_plan
from dkd.ablations.table import COLUMNS, FIGURES, AblationResults, with_differences
from dkd.evaluation.methods import VARIANTS
from dkd.models import MODELS
from tests.conftest import ROOT

NOTEBOOK = json.loads((ROOT / "notebooks" / "06_does_the_past_help.ipynb").read_text(encoding="utf-8"))
CODE = ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
TEXT = "".join("".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "markdown")


def cell(marked: str) -> str:
    """Find the one code cell with these words."""
    (found,) = [source for source in CODE if marked in source]
    return found


def results() -> AblationResults:
    rows = [
        {"variant": name, "data": data, "labels": "exact", "changed": changed, "seed": seed, "steps": 9, "problem": "",
         **dict.fromkeys(FIGURES, value)}
        for data in ("rendered", "samples")
        for name, changed, seed, value in (("dkd", "", 0, 0.5), ("again", "", 1, 0.4), ("S3", "S=3", 0, 0.9))
    ]  # fmt: skip
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS))
    return AblationResults(with_differences(table, "dkd"), {"runs": {}})


def test_shipped_and_own_ablations_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DKD_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    shown: list[Any] = []
    monkeypatch.setattr(plotly.io, "show", lambda figure, *_, **__: shown.append(figure))
    results().save(tmp_path / "data" / "ablations" / "tiny.csv")
    results().save(tmp_path / "runs" / "mine" / "ablations.csv")
    names: dict[str, Any] = {"display": shown.append}
    exec("import plotly.express as px\n" + cell("read_results"), names)
    tables = [item for item in shown if isinstance(item, pd.DataFrame)]
    assert [list(table.index) for table in tables] == [["dkd", "again", "S3"]] * 4
    assert tables[0].reading["S3"] == "better: PCK@0.2, PCK@0.1, PCK@0.05; worse: acceleration error"
    exec(cell("add_vrect"), names)
    figures = [item for item in shown if isinstance(item, go.Figure)]
    assert len(figures) == 2
    assert [(shape.x0, shape.x1) for shape in figures[0].layout.shapes] == [(-0.1, 0.1)] * 2, "the band is the noise"


def test_the_notebook_names_what_there_is() -> None:
    """The model is given in one place only; rows, variants and settings in its text exist in plans and code."""
    assert sum(source.count("dkd-mobilenetv2") for source in CODE) == 1
    plan = load_plan("tiny")
    for row in ("static", "frozen", "per-frame", "initializer", "adversary", "S3", "S9"):
        assert f"`{row}`" in TEXT and (row in plan.variants or row in plan.methods)
    names: dict[str, Any] = {}
    exec(cell("MODEL = "), names)
    base, *suffixes = names["TWIN"].split("+")
    assert base in MODELS and set(suffixes) <= set(VARIANTS)
