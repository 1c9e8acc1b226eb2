"""What the studio cannot use is refused in one sentence, in Python and on the page, and changes nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dkd.errors import (
    ConfigError,
    DKDError,
    SessionError,
    VideoEmptyError,
    VideoFormatError,
    VideoNotFoundError,
)
from dkd.video.samples import get_sample
from widgets import Studio
from widgets.studio.persons import SMALLEST, checked_box

BOX = (196.0, 64.0, 299.0, 356.0)


@given(st.lists(st.floats(-2000, 2000), min_size=4, max_size=4), st.integers(20, 2000), st.integers(20, 2000))
def test_a_box_lies_in_the_frame_with_its_corners_in_order(box: list[float], width: int, height: int) -> None:
    (left, right), (top, bottom) = sorted(box[0::2]), sorted(box[1::2])
    inside = max(left, 0.0), max(top, 0.0), min(right, float(width)), min(bottom, float(height))
    if inside[2] - inside[0] >= SMALLEST and inside[3] - inside[1] >= SMALLEST:
        assert checked_box(box, width, height) == inside
    else:
        with pytest.raises(ConfigError, match=r"at least 8×8 pixels in the frame of .* around the whole person"):
            checked_box(box, width, height)


def test_a_box_inside_the_frame_stays_as_it_is() -> None:
    assert checked_box(BOX, 640, 480) == BOX
    assert checked_box((299, 356, 196, 64), 640, 480) == BOX
    assert checked_box((-5, -5, 99, 99), 6, 6) == (0, 0, 6, 6)  # a frame that is smaller than the smallest box
    for wrong in (None, (1, 2, 3), "abcd", (1, 2, 3, float("nan")), (1, 2, 3, float("inf"))):
        with pytest.raises(ConfigError, match="expected a box"):
            checked_box(wrong, 640, 480)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("", VideoNotFoundError, "got an empty text"),
        ("nothing.mp4", VideoNotFoundError, "nothing at .*nothing.mp4.*check the path"),
        ("notes.txt", VideoFormatError, "notes.txt is a text file"),
        ("labels.json", VideoFormatError, "labels.json is a text file"),
        ("labels.dkd.json", SessionError, "labels.dkd.json is not a session.* give one that the studio"),
        ("folder", VideoEmptyError, "expected images in the directory .*folder.* found no files; give"),
        ("nothing.dkd.json", SessionError, "expected a session at .*check the path"),
    ],
)
def test_what_is_no_video_is_said_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: type[Exception], words: str
) -> None:
    (tmp_path / "folder").mkdir()
    for file in ("notes.txt", "labels.json", "labels.dkd.json"):
        (tmp_path / file).write_text('{"version": "5.4", "shapes": []}')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=words):
        Studio(name)
    studio = Studio()
    studio._on_open({"path": name})  # as the page does
    assert studio.wait(60)
    problem = studio._state["problems"]["source"]
    assert re.search(words, problem, re.IGNORECASE) and problem.endswith(".") and studio.video is None
    assert problem[0].isupper() or problem.startswith(name)
    studio.close()


def test_what_does_not_fit_the_video_is_said_and_changes_nothing(tmp_path: Path) -> None:
    studio = Studio(get_sample("rendered_walk").path)
    for action, words in (
        (lambda: studio.add_person((10, 10, 10, 200)), "at least 8×8 pixels in the frame of 640×480, got one of 0×190"),
        (lambda: studio.add_person((900, 900, 1000, 1000)), "got one of 0×0"),
        (lambda: studio.add_person(BOX, frame=999), "expected a frame from 0 to 119, got 999"),
        (lambda: studio.add_person(BOX, frame=1.5), "whole number or None, got 1.5"),  # type: ignore[arg-type]
        (lambda: studio.add_person(BOX, colour="reddish"), "expected a colour such as '#2ec4b6', got 'reddish'"),
        (lambda: setattr(studio, "range", (0, 5)), r"expected frames such as range\(30, 90\), got \(0, 5\)"),
        (lambda: setattr(studio, "range", range(0, 9, 3)), "expected frames such as"),
        (lambda: studio.save("clip.json"), "which ends in .dkd.json, got 'clip.json'"),
        (lambda: Studio(session=tmp_path / "clip.json"), "which ends in .dkd.json, got 'clip.json'"),
    ):
        with pytest.raises(DKDError, match=words):
            action()
    assert studio.people == () and studio.range == range(120)
    studio._hear(studio, {"type": "add", "box": [50, 50, 52, 300], "frame": 0, "place": "who"}, [])
    assert "got one of 2×250" in studio._state["problems"]["who"]
    studio.close()
