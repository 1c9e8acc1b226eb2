"""The figure of a study without a browser: what it shows, what is chosen in it, what is saved."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dkd import Study
from tests.support.many_clips import many_clips
from widgets import StudyView
from widgets.study import group_figure

N = 40


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return many_clips(tmp_path_factory.mktemp("study"), N)


def ask(view: StudyView, **question: Any) -> dict[str, Any]:
    """Ask for rows as the page does."""
    sent: list[dict[str, Any]] = []
    view.table.send = sent.append
    view.table._hear(None, {"type": "rows", "request": 1, "sort": "confidence", **question}, None)
    return next(one for one in sent if one["type"] == "rows")  # filmstrips come, too


def drag(view: StudyView, x: tuple[float, float], y: tuple[float, float]) -> None:
    """Choose what a rectangle holds, as plotly's page tells of it."""
    points = view.groups.figure.data[1]
    inside = [i for i in range(len(points.x)) if x[0] <= points.x[i] <= x[1] and y[0] <= points.y[i] <= y[1]]
    view.groups._select(points, SimpleNamespace(point_inds=inside), SimpleNamespace(xrange=x, yrange=y))


def test_the_figure_has_the_numbers_of_the_comparison(study: Study) -> None:
    view = StudyView(study)
    wanted = study.compare("condition", "confidence")
    assert (view.groups.by, view.groups.measure) == ("condition", "confidence")
    assert view.groups.comparison is not None
    pd.testing.assert_frame_equal(view.groups.comparison.groups, wanted.groups)
    box, points, means, _ = view.groups.figure.data
    assert list(means.y) == wanted.groups["mean"].tolist() and list(box.q1) == wanted.groups["q25"].tolist()
    assert list(means.error_y.array) == (wanted.groups["high"] - wanted.groups["mean"]).tolist()
    clips = study.clips().set_index("name")
    assert len(points.x) == N - 1 and all(
        clips.loc[name, "confidence"] == y and clips.loc[name, "condition"] == ("run", "walk")[round(x)]
        for name, x, y in zip(view.groups._drawn, points.x, points.y, strict=True)
    )
    assert list(view.groups.figure.layout.xaxis.ticktext) == ["run<br>n = 20", "walk<br>n = 19"]
    view.close()


def test_table_and_figure_are_linked_both_ways(study: Study) -> None:
    view = StudyView(study)
    clips = study.clips()
    drag(view, (0.5, 1.5), (0.96, 0.97))
    wanted = clips[(clips["condition"] == "walk") & clips["confidence"].between(0.96, 0.97)]
    assert view.table._chosen == f"{len(wanted)} clips chosen in the figure"
    assert ask(view)["total"] == len(wanted) and sorted(view.table.ordered()["name"]) == sorted(wanted["name"])
    # The choice goes through filters and other measures, and the figure marks what is left of it.
    assert ask(view, where={"verdict": "followed"})["total"] == (wanted["verdict"] == "followed").sum() > 0
    points = view.groups.figure.data[1]
    assert len(points.x) == (clips["verdict"] == "followed").sum()
    assert len(points.selectedpoints) == (wanted["verdict"] == "followed").sum()
    view.groups.head._hear(None, {"type": "axes", "by": "verdict", "measure": "jumps"}, None)
    assert view.groups.comparison is not None and list(view.groups.comparison.groups.index) == ["followed"]
    view.table._hear(None, {"type": "all"}, None)
    assert view.table._chosen == "" and points.selectedpoints is None
    assert ask(view)["total"] == N and len(points.x) == N - 1
    drag(view, (3.0, 4.0), (0, 1))  # where nothing is
    assert view.table._chosen == "" and ask(view)["total"] == N
    view.groups.head._hear(None, {"type": "axes", "by": "nothing", "measure": "video"}, None)
    assert (view.groups.by, view.groups.measure) == ("verdict", "jumps")  # not on offer
    view.close()


def test_of_more_clips_than_points_a_rectangle_takes_all_in_it(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_figure, "MOST_DRAWN", 10)
    view = StudyView(study)
    clips = study.clips()
    assert len(view.groups.figure.data[1].x) == 10
    drag(view, (-0.4, 0.4), (0.96, 0.98))
    wanted = clips[(clips["condition"] == "run") & clips["confidence"].between(0.96, 0.98)]
    assert sorted(view.table.ordered()["name"]) == sorted(wanted["name"])
    view.close()


def test_names_are_no_markup_and_a_small_group_has_no_interval(study: Study) -> None:
    view = StudyView(study)
    clips = study.clips()
    clips.loc[clips.index[:1], "condition"] = "<b>$x$</b>"
    view.groups.show(clips)
    assert view.groups.figure.layout.xaxis.ticktext[0] == "&lt;b&gt;&#36;x&#36;&lt;/b&gt;<br>n = 1"
    assert view.groups.comparison is not None and np.isnan(view.groups.comparison.groups["low"].iloc[0])
    assert view.groups.figure.data[2].error_y.array[0] == 0
    clips["condition"] = [f"c{i}" for i in range(N)]
    view.groups.show(clips)
    assert view.groups.head._sentence == f"{N - 1} groups are too many to draw: filter the table."
    assert len(view.groups.figure.data[1].x) == 0
    view.close()


def test_what_is_shown_is_saved(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    view = StudyView(study)
    ask(view, where={"condition": "walk"}, sort="jumps", down=True)
    for kind in ("csv", "csv", "svg", "png", "pdf"):
        view.groups.head._hear(None, {"type": "export", "kind": kind}, None)
    files = {"study-clips.csv", "study-clips-1.csv", *(f"study-confidence.{end}" for end in ("svg", "png", "pdf"))}
    assert {
        path.name for path in tmp_path.iterdir()
    } == files and view.groups.head._said == "Saved study-confidence.pdf."
    table = pd.read_csv(tmp_path / "study-clips.csv")
    assert (
        table["jumps"].dropna().is_monotonic_decreasing and len(table) == N / 2 and set(table["condition"]) == {"walk"}
    )
    assert "walk" in (tmp_path / "study-confidence.svg").read_text() and "run" not in view.groups.head._sentence
    view.groups.head._hear(None, {"type": "export", "kind": "latex"}, None)
    assert view.groups.head._paragraph == study.methods("latex", study.compare("condition"))
    view.groups.show(study.clips().assign(confidence=np.nan))  # nothing to draw
    view.groups.comparison = None
    view.groups.head._hear(None, {"type": "export", "kind": "svg"}, None)
    assert view.groups.head._said.startswith("Not saved: there is no figure")
    view.close()


def test_measures_against_labels_are_columns_of_the_table_if_there_are_labels(study: Study) -> None:
    view = StudyView(study)
    assert "PCK@0.2" not in [column["label"] for column in view.table._columns]
    clips = study.clips()
    clips.loc[0, ["labelled_joints", "pck_20", "pck_10", "pck_05", "acceleration_error"]] = [90, 0.9, 0.5, 0.25, 1.5]
    view.table.show(clips, "")
    view.groups.show(clips)
    assert [column["label"] for column in view.table._columns][-4:] == [
        "PCK@0.2",
        "PCK@0.1",
        "PCK@0.05",
        "accel. error",
    ]
    answer = ask(view, sort="pck_20", count=2)
    assert [row["cells"][-4:] for row in answer["rows"]] == [["0.900", "0.500", "0.250", "1.50"], [""] * 4]
    assert ["pck_20", "PCK@0.2"] in view.groups.head._measures
    view.close()


@pytest.mark.parametrize("wrong", [None, 5, "", ["study"]])
def test_what_is_no_study_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="expected .* (as a path|or a path), got"):
        StudyView(wrong)
