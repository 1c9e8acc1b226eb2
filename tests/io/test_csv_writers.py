"""Whatever writes a table as CSV: no name that a user chose is a formula in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dkd import as_trace, export, save_joints
from dkd.ablations.table import AblationResults
from dkd.analysis.moments import Moment, Moments
from dkd.cli.live import _csv
from dkd.evaluation.compare import Comparison
from dkd.io.escaping import csv_cell
from dkd.live.seen import Seen
from dkd.models.confidence import reliability
from dkd.pose.crops import Crop
from dkd.pose.skeleton import Skeleton
from dkd.studies.compare import GroupComparison
from dkd.studies.reports import Reports
from dkd.studies.table import Row, read_table, write_table
from dkd.training.record import Record
from tests.support.fake_trace import FakeTrace
from tests.support.tracks import make_track
from widgets.evaluation.table import exports

ROOT = Path(__file__).parents[2]
FORMULA = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|-?inf")
BOX = re.compile(r"-?[\d.]+(,-?[\d.]+){3}")
STARTS = st.sampled_from(["=", "+", "-", "@", "'=", "''-", "=1+1", "-1", "+a.mp4", "@SUM(A1)", "a", "", "'", '"', ","])
NAMES = st.lists(
    st.builds(str.__add__, STARTS, st.text(st.sampled_from("ab1=+-@'\",;: "), max_size=6)).filter(
        lambda name: name == name.strip() != ""  # as the names of a track are
    ),
    min_size=4,
    max_size=4,
    unique=True,
)
FRAME = FakeTrace(2, channels=2, cells=16)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _poses(ending: str, names: list[str], folder: Path) -> str:
    skeleton = Skeleton("probe", tuple(names), ((names[0], names[1]),))
    track = make_track(1, 3, 4, skeleton, 30.0, gaps=False)
    return _text(export(replace(track, people=tuple(names)), folder / f"a{ending}").path)


def _study(names: list[str], folder: Path) -> str:
    rows = [
        Row(
            i + 2,
            name,
            names[i - 1],
            (-5.0, -4.0, 30.0, 60.5),
            groups={"condition": names[i - 2]},
            labels=f"{name}.csv",
        )
        for i, name in enumerate(names)
    ]
    write_table(folder / "study.csv", rows)
    found = read_table(folder / "study.csv")
    for one, other in zip(found, rows, strict=True):
        for name in ("video", "person", "labels"):
            assert getattr(one, name) == getattr(other, name)
        assert one.groups == other.groups
    return _text(folder / "study.csv")


def _clips(names: list[str], folder: Path) -> str:
    table = pd.DataFrame({"name": names, "condition": names[::-1], "frames": -1})
    return _text(Reports().save_clips(folder / "clips.csv", table))


def _groups(names: list[str], folder: Path) -> str:
    table = pd.DataFrame({"mean": [-0.5] * len(names)}, pd.Index(names, name="condition"))
    return GroupComparison("condition", "confidence", table, table, table, 0, 10, 0).text("csv")


def _comparison(names: list[str], folder: Path) -> str:
    columns = pd.MultiIndex.from_tuples([(name, "PCK@0.2") for name in names])
    table = pd.DataFrame(np.full((4, 4), -0.5), pd.Index(names, name="model"), columns)
    return Comparison(table, tuple(names)).text("csv")


def _joints(names: list[str], folder: Path) -> str:
    skeleton = Skeleton("probe", tuple(names), ())
    trace: Any = as_trace(make_track(1, 2, 1, skeleton, 30.0, gaps=False))
    save_joints({name: trace for name in names}, folder / "a.csv")
    save_joints(trace, folder / "a.tsv")
    out = io.StringIO(_text(folder / "a.csv"))
    out.seek(0, io.SEEK_END)
    csv.writer(out).writerows(csv.reader(io.StringIO(_text(folder / "a.tsv")), delimiter="\t"))
    return out.getvalue()


def _moments(names: list[str], folder: Path) -> str:
    return Moments(Moment(1, 1, 2, name, "jump", 1.5, name, name, -0.5) for name in names).to_csv()


def _ablations(names: list[str], folder: Path) -> str:
    table = pd.DataFrame({"variant": names, "data": names[::-1], "PCK@0.2": -0.5})
    return _text(AblationResults(table, {}).save(folder / "ablations.csv"))


def _table(names: list[str], folder: Path) -> str:
    return exports(pd.DataFrame({"method": names, "data": names, "labels": names, "PCK@0.2": 0.5}), "note")["csv"]


def _live(names: list[str], folder: Path) -> str:
    live: Any = SimpleNamespace(skeleton=Skeleton("probe", tuple(names), ()), calibration=None)
    joints, scores = np.full((4, 2), -1.5, np.float32), np.full(4, -0.25, np.float32)
    seen = Seen(3, 0.1, FRAME.clip.frame(0), joints, scores, scores, np.zeros((4, 8, 8), np.float32),
                Crop(0, 0, 9), False, 1.0, 1.0, 1.0, 0)  # fmt: skip
    with redirect_stdout(io.StringIO()) as out:
        _csv(live)(seen)
    return out.getvalue()


# Of each module that writes CSV, what it writes with these names.
WRITERS: dict[str, list[Callable[[list[str], Path], str]]] = {
    "dkd/formats/tidy.py": [lambda names, folder: _poses(".csv", names, folder)],
    "dkd/formats/deeplabcut.py": [lambda names, folder: _poses(".dlc.csv", names, folder)],
    "dkd/studies/table.py": [_study],
    "dkd/studies/reports.py": [_clips],
    "dkd/studies/compare.py": [_groups],
    "dkd/evaluation/compare.py": [_comparison],
    "dkd/tracking/tables.py": [_joints],
    "dkd/analysis/moments.py": [_moments],
    "dkd/ablations/table.py": [_ablations],
    "dkd/cli/live.py": [_live],
    "widgets/evaluation/table.py": [_table],
}
# These write numbers below headings of ours.
NUMBERS = {"dkd/training/run.py", "dkd/cli/confidence.py"}


@pytest.mark.parametrize("module", WRITERS)
@settings(max_examples=25)
@given(names=NAMES)
def test_no_name_is_a_formula(module: str, names: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("csv")
    for write in WRITERS[module]:
        text = write(names, folder)
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        formulas = [cell for cell in cells if cell.startswith(FORMULA)]
        assert [one for one in formulas if not NUMBER.fullmatch(one) and not BOX.fullmatch(one)] == []
        written = {cell.strip() for cell in cells}
        assert {str(csv_cell(name)).strip() for name in names} & written, "the names are not in this table"


def test_each_writer_of_csv_is_among_them() -> None:
    writes = re.compile(r"(?<!def )\b(to_csv\(|csv\.(writer|DictWriter)\()")
    found = {
        path.relative_to(ROOT).as_posix()
        for room in ("dkd", "widgets")
        for path in (ROOT / room).rglob("*.py")
        if writes.search(path.read_text(encoding="utf-8"))
    }
    asks_another = {"widgets/coherence/debugger.py"}  # moments.to_csv()
    assert found - asks_another == WRITERS.keys() | NUMBERS


def test_what_writes_numbers_writes_only_numbers() -> None:
    row = Record(1, 0.5, {}, 1e-3, 1.0, 30.0, 0.1).row()
    table = reliability(np.array([0.2, 0.7]), np.array([True, False]))
    assert all(isinstance(value, int | float) for value in row.values()) and not table.select_dtypes(object).size
    assert not any(str(name).startswith(FORMULA) for name in [*row, *table])
