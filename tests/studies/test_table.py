"""The table of a study: what is written is read back, and each bad row is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dkd.errors import ConfigError
from dkd.studies.rows import Row
from dkd.studies.table import COLUMNS, SHOWN, read_table, write_table

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12)
EDGE = st.integers(-500, 2000)


@st.composite
def rows(draw: st.DrawFn) -> Row:
    start = draw(st.integers(0, 50))
    stop = draw(st.none() | st.integers(start + 1, 100))
    frame = draw(st.none() | st.integers(start, (stop or 100) - 1))
    x, y = draw(EDGE), draw(EDGE)
    box = draw(st.none() | st.just((float(x), float(y), x + 10.5, y + 20.25)))
    return Row(0, draw(TEXT), draw(TEXT), box, frame, start, stop, {"condition": draw(st.just("") | TEXT)})


@settings(max_examples=30)  # each is written to a disk
@given(st.lists(rows(), min_size=1, max_size=6, unique_by=lambda row: row.name))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, wanted: list[Row]) -> None:
    path = tmp_path_factory.mktemp("study") / "study.csv"
    write_table(path, wanted)
    found = read_table(path)
    assert [row.number for row in found] == list(range(2, len(wanted) + 2))
    for one, other in zip(found, wanted, strict=True):
        for name in (*COLUMNS, "groups", "name"):
            assert getattr(one, name) == getattr(other, name)


def table(folder: Path, *lines: str, columns: str = "video,person,box,frame,start,stop,condition") -> Path:
    path = folder / "study.csv"
    path.write_text("\n".join([columns, *lines]) + "\n")
    return path


def test_what_a_spreadsheet_adds_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "study.csv"
    path.write_bytes(b"\xef\xbb\xbfvideo, person,box\r\n,,\r\na.mp4,Anna,Find\r\n\r\n,,\r\n")
    assert read_table(path) == [Row(3, "a.mp4", "Anna")]


def test_only_the_video_is_needed(tmp_path: Path) -> None:
    (row,) = read_table(table(tmp_path, "walk.mp4", columns="video"))
    assert row == Row(2, "walk.mp4")


def test_each_bad_row_is_named_by_its_line(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "a.mp4,,find,,,,walk",
        ",,,,,,walk",
        'b.mp4,,"1,2,3",,,,walk',
        'c.mp4,,"9,9,3,4",,,,walk',
        'd.mp4,,"0,0,nan,4",,,,walk',
        "e.mp4,,,-1,,,walk",
        "f.mp4,,,,20,10,walk",
        "g.mp4,,,40,0,30,walk",
        "a.mp4,,find,,,,run",
        "h.mp4,,",
    )
    with pytest.raises(ConfigError) as error:
        read_table(path)
    first, *lines = str(error.value).splitlines()
    assert first.startswith("9 rows of ")
    expected = {
        3: "expected the path of a video, got nothing",
        4: "expected box to be x0,y0,x1,y1 in pixels, or 'find', got '1,2,3'",
        5: "expected a box with x0 < x1 and y0 < y1, got '9,9,3,4'",
        6: "expected a box with x0 < x1 and y0 < y1, got '0,0,nan,4'",
        7: "expected frame to be the number of a frame, 0 or more, got '-1'",
        8: "expected stop above start, got start=20 and stop=10",
        9: "expected the frame of the box between start and stop, got 40",
        10: "the same video, person and frames as line 2",
        11: "expected 7 cells, as in the first line; put a box in quotes",
    }
    assert lines == [f"  line {number}: {text}" for number, text in expected.items()]


def test_of_many_bad_rows_the_first_are_named(tmp_path: Path) -> None:
    path = table(tmp_path, *[f"{i}.mp4,,wrong,,,," for i in range(SHOWN + 5)])
    with pytest.raises(ConfigError, match="and 5 more") as error:
        read_table(path)
    assert len(str(error.value).splitlines()) == SHOWN + 2


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ("file,person", "one of them 'video'"),
        ("video,side,side", "two columns are called 'side'"),
        ("video;person", "separated by commas"),
        ("video,score", "another name for the group 'score'"),
        ("video,verdict", "another name for the group 'verdict'"),
        ("video,_batch", "got a column '_batch'"),
        ("video,left/right", "got a column 'left/right'"),
        ("video,", "got a column ''"),
    ],
)
def test_columns_that_cannot_be_are_refused(tmp_path: Path, columns: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read_table(table(tmp_path, "a.mp4,x,y"[: 4 + 2 * columns.count(",") + 1], columns=columns))


def test_a_table_without_rows_or_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected at least one row"):
        read_table(table(tmp_path))
    with pytest.raises(ConfigError, match="expected the table of a study"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes("video\ncaf\xe9.mp4\n".encode("latin-1"))
    with pytest.raises(ConfigError, match="expected a table as CSV in UTF-8"):
        read_table(tmp_path / "latin.csv")
