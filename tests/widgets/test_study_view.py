"""The view of a study without a browser: what is asked for, what is answered, what is opened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dkd import Study
from dkd.errors import ConfigError
from tests.support.many_clips import FRAMES, many_clips
from widgets import StudyView
from widgets.study.query import LANE, Column, lane_of, select, text_of

N = 12


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return many_clips(tmp_path_factory.mktemp("study"), N)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.none() | st.floats(0, 1), st.text("xY", max_size=2)), max_size=12),
    st.booleans(), st.sampled_from(["", "a", "b"]), st.sampled_from(["", "x", "Y", "yx"]),
)  # fmt: skip
def test_what_is_selected_is_what_a_plain_loop_selects(
    rows: list[tuple[str, float | None, str]], down: bool, status: str, find: str
) -> None:
    clips = pd.DataFrame(rows, columns=["status", "confidence", "video"])
    clips["confidence"] = clips["confidence"].astype(float)
    clips["person"] = "person"
    found = select(clips, down=down, where={"status": status}, find=find)
    kept = [
        i for i, (one, _, video) in enumerate(rows)
        if status in ("", one) and find.lower() in video.lower()
    ]  # fmt: skip
    values = {i: rows[i][1] for i in kept}
    known = sorted((i for i in kept if values[i] is not None), key=lambda i: (-1 if down else 1) * (values[i] or 0))
    assert found.tolist() == known + [i for i in kept if values[i] is None]


def test_an_unknown_column_is_named(study: Study) -> None:
    with pytest.raises(ConfigError, match="did you mean 'confidence'"):
        select(study.clips(), sort="confidense")


def test_values_are_shown_as_a_reader_wants_them() -> None:
    number, text = Column("a", "a", "", 2), Column("b", "b", "")
    assert [text_of(number, value) for value in (0.126, np.float64(2), float("nan"), None)] == ["0.13", "2.00", "", ""]
    assert [text_of(text, value) for value in ("<b>", None)] == ["<b>", ""]


def test_a_lane_has_the_lowest_confidence_of_each_part(study: Study, tmp_path: Path) -> None:
    name = study.rows[0].name
    with study.trace(name, progress=False) as trace:
        means = np.asarray(trace.confidence, float).mean(1)
        assert lane_of(study, name) == pytest.approx(means.tolist(), abs=1e-3)
    assert len(means) == FRAMES < LANE
    assert lane_of(study, study.rows[3].name) is None  # it failed


def test_the_page_is_answered_with_the_rows_it_asks_for(study: Study) -> None:
    view = StudyView(study)
    answer = view.table.answer({"request": 7, "first": 2, "count": 3, "sort": "jumps", "down": True})
    assert (answer["request"], answer["first"], answer["total"], len(answer["rows"])) == (7, 2, N, 3)
    assert [row["cells"][1] for row in answer["rows"]] == ["person 9", "person 8", "person 7"]
    assert view.clips["person"].tolist() == ["person 9", "person 8", "person 7"]
    failed = view.table.answer({"where": {"status": "failed"}})
    assert [row["about"] for row in failed["rows"]] == ["VideoNotFoundError: no such file"] and failed["total"] == 1
    found = view.table.answer({"find": "CLIP01", "sort": "video"})
    assert [row["cells"][0] for row in found["rows"]] == ["../videos/clip010.mp4", "../videos/clip011.mp4"]
    assert view.table._filters["condition"] == ["run", "walk"]
    assert repr(view).endswith(f"study: {N - 1} of {N} clips are done, {(N - 1) * FRAMES} frames, 1 failed>")
    assert len(view.table.answer({"count": 10**9})["rows"]) == N
    view.close()


def test_a_clip_opens_at_its_worst_frame_or_where_its_lane_was_clicked(study: Study) -> None:
    view = StudyView(study.folder)
    first = study.clips().iloc[0]
    view.open_clip(first["name"])
    view.wait()
    assert view.bench is not None and view.bench.frame == first["worst_frame"]
    stored = study.joints_of(first["name"])[["x", "y"]].to_numpy(np.float32).reshape(FRAMES, 13, 2)
    assert np.array_equal(view.bench.trace.joints, stored)
    call = f"Study({str(study.folder)!r}).trace({first['name']!r})"
    assert view.table._code == f"Workbench({call}, frame={view.bench.frame}, reinitialise=None)"
    view.table._hear(None, {"type": "open", "name": first["name"], "at": 0.999}, None)
    view.wait()
    assert view.bench.frame == FRAMES - 1
    view.close()
    view.close()


def test_what_cannot_be_opened_is_said(study: Study) -> None:
    view = StudyView(study)
    view.open_clip(study.rows[1].name)  # an empty file
    view.wait()
    assert view.table._message.startswith("It cannot be opened: ") and view.bench is None
    view.table._hear(None, {"type": "open", "name": "nobody"}, None)
    assert view.table._message.startswith("there is no row 'nobody'")
    with pytest.raises(ConfigError, match="expected a study in"):
        StudyView(study.folder / "none")
    view.close()


def test_the_still_names_the_worst_clips_and_escapes_names(study: Study) -> None:
    view = StudyView(study)
    view._clips.loc[0, "person"] = "<b>Anna</b>"
    still = view.still_html()
    assert "&lt;b&gt;Anna&lt;/b&gt;" in still and "<b>" not in still
    assert still.count("<tr>") == 11 and still.index("clip000") < still.index("clip001")
    view.close()
