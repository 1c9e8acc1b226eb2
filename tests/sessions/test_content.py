"""Session files: what is written is read again, and damaged or hostile files are refused in words."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dkd.errors import SessionError, StorageError
from dkd.sessions import content as module
from dkd.sessions.content import FORMAT, Bookmark, ModelFile, SavedPerson, VideoFile, parse
from dkd.sessions.session import Session, session_path

HASH = "0123456789abcdef" * 4


def example(folder: Path, **changes: Any) -> Session:
    people = [
        SavedPerson("Anna", "#ff8800", (1.5, 2.0, 30.25, 40.0), 7, True, ("restart(3)", "hide_joint(2, 'left_wrist')")),
        SavedPerson("b", frame=5),
    ]
    values: dict[str, Any] = {
        "video": VideoFile(str(folder / "walk.mp4"), HASH, 100),
        "model": ModelFile("dkd-mobilenetv2", HASH),
        "start": 5,
        "stop": 60,
        "people": people,
        "bookmarks": [Bookmark(3, "here “it” jumps\n")],
        "view": {
            "frame": 3,
            "joint": "left_wrist",
            "layers": {"heatmap": True},
            "zoom": 1.5,
            "open": ["kernels", None],
        },
    }
    return Session(**values | changes)


def raw(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(example(folder).to_json(folder))
    return values


def test_a_saved_session_is_read_again_the_same(tmp_path) -> None:
    session = example(tmp_path)
    path = session.save(tmp_path / "walk.dkd.json")
    assert session.path == path
    again = Session.load(path)
    assert again == session and again.path == path and again.people[0].box == (1.5, 2.0, 30.25, 40.0)
    assert again.save() == path and Session.load(path) == session


numbers = st.floats(-1e6, 1e6, allow_nan=False)


@given(
    calls=st.lists(st.integers(0, 99).map(lambda t: f"restart({t})"), max_size=5),
    box=st.tuples(numbers, numbers, numbers, numbers).filter(lambda b: b[0] < b[2] and b[1] < b[3]),
    note=st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    frame=st.integers(0, 99),
)
def test_any_values_in_range_are_read_again_the_same(tmp_path_factory, calls, box, note, frame) -> None:
    folder = tmp_path_factory.getbasetemp()
    person = SavedPerson("x", box=box, frame=frame, calls=tuple(calls))
    session = example(folder, start=0, stop=100, people=[person], bookmarks=[Bookmark(frame, note)])
    assert Session.load(session.save(folder / "any.dkd.json")) == session


def test_paths_are_relative_so_that_all_can_be_moved_together(tmp_path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    model = ModelFile(str(before / "models" / "my.safetensors"), HASH)
    session = example(before / "videos", model=model)
    path = session.save(before / "sessions" / "walk.dkd.json")
    text = path.read_text()
    assert '"../videos/walk.mp4"' in text and '"../models/my.safetensors"' in text and str(tmp_path) not in text
    before.rename(after)
    moved = Session.load(after / "sessions" / "walk.dkd.json")
    assert moved.video.path == str(after / "videos" / "walk.mp4")
    assert moved.model.name == str(after / "models" / "my.safetensors")


def test_a_session_that_cannot_be_written_leaves_the_old_one(tmp_path) -> None:
    path = example(tmp_path).save(tmp_path / "walk.dkd.json")
    before = path.read_bytes()
    for bad in (
        example(tmp_path, view={"x": object()}),
        example(tmp_path, view={"x": float("nan")}),
        example(tmp_path, view={"x": "\ud800"}),
        example(tmp_path, stop=101),
        example(tmp_path, people=[SavedPerson("a", frame=5), SavedPerson("a", frame=5)]),
        example(tmp_path, people=[SavedPerson("a", colour="red", frame=5)]),
    ):
        with pytest.raises(SessionError):
            bad.save(path)
        assert path.read_bytes() == before
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        example(tmp_path).save(tmp_path / "file" / "walk.dkd.json")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "walk.dkd.json"]


def test_a_file_that_is_no_session_is_not_replaced(tmp_path) -> None:
    other = tmp_path / "package.json"
    other.write_text('{"name": "other"}')
    with pytest.raises(SessionError, match="exists and is not a session"):
        example(tmp_path).save(other)
    assert other.read_text() == '{"name": "other"}'


def changed(folder: Path, key: str, value: Any) -> str:
    """The text of a session in which one value differs; ``key`` is a path such as ``people.0.name``."""
    values = place = raw(folder)
    *parents, last = key.split(".")
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    place[last] = value
    return json.dumps(values)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("peple", [], "unknown key 'peple'; did you mean 'people'"),
        ("people.0.colr", "#000000", "unknown key 'people.0.colr'; did you mean 'colour'"),
        ("video.__class__", "x", "unknown key 'video.__class__'"),
        ("video", None, "'video'"),
        ("video", [], "'video'"),
        ("video.path", "", "'video.path'"),
        ("video.path", "a\0b", "'video.path'"),
        ("video.path", "x" * 5000, "'video.path'"),
        ("video.sha256", "abc", "'video.sha256'"),
        ("video.n_frames", 0, "'video.n_frames'"),
        ("video.n_frames", 10**30, "'video.n_frames'"),
        ("video.n_frames", "100", "'video.n_frames': input should be a valid integer, got '100'"),
        ("video.fps", 0, "'video.fps'"),
        ("start", True, "'start'"),
        ("start", -1, "'start'"),
        ("start", 60, "start < stop <= 100 frames, got start=60 and stop=60"),
        ("stop", 101, "start < stop <= 100 frames"),
        ("stop", 12.5, "'stop'"),
        ("people", {}, "'people'"),
        ("people.0.name", "", "'people.0.name'"),
        ("people.0.name", "a\nb", "'people.0.name'"),
        ("people.0.name", "b", "two people are called 'b'"),
        ("people.0.colour", "#FFF", "'people.0.colour'"),
        ("people.0.colour", "#fff;background:url(x)", "'people.0.colour'"),
        ("people.0.box", [1, 2, 3], "'people.0.box"),
        ("people.0.box", [1, 2, 3, "4"], "'people.0.box.3'"),
        ("people.0.box", [30, 2, 3, 4], "expected a box x0 < x1"),
        ("people.0.frame", 4, "the frame of Anna is 4, expected one from 5 to 59"),
        ("people.0.frame", 60, "the frame of Anna is 60"),
        ("people.0.reinitialise", 1, "'people.0.reinitialise'"),
        ("people.0.calls", "restart(3)", "'people.0.calls'"),
        ("people.0.calls", [3], "'people.0.calls.0'"),
        ("people.0.calls", ["__import__('os').system('true')"], "a call of Anna cannot be read"),
        ("people.0.calls", ["close()"], "a call of Anna cannot be read"),
        ("people.0.calls", ["x" * 30_000], "'people.0.calls.0'"),
        ("bookmarks", [{"frame": 55}], "expected bookmarks in frames 0 to 54, got 55"),
        ("bookmarks", [{"note": "x"}], "the key 'bookmarks.0.frame' is missing"),
        ("view", [], "'view'"),
        ("format", "dkd-session/2", "newer version"),
        ("format", "other", "is not a session"),
        ("format", None, "is not a session"),
        ("format", ["dkd-session/1"], "is not a session"),
    ],
)
def test_a_wrong_value_is_named(tmp_path, key, value, words) -> None:
    with pytest.raises(SessionError) as caught:
        parse(changed(tmp_path, key, value), "walk.dkd.json")
    assert words in str(caught.value) and str(caught.value).startswith("walk.dkd.json")
    assert len(str(caught.value)) < 500


def test_a_missing_key_is_named(tmp_path) -> None:
    for key in ("video", "model", "start", "stop"):
        values = raw(tmp_path)
        del values[key]
        with pytest.raises(SessionError, match=f"the key '{key}' is missing"):
            parse(json.dumps(values), "x")


@pytest.mark.parametrize(
    "text",
    ["", "null", "3", "[]", "{", '{"format": "dkd-session/1"', "not JSON", "\x00", '"dkd-session/1"', "[" * 100_000,
     '{"a":' * 100_000, '{"view": ' + "[" * 40 + "]" * 40 + ', "format": "dkd-session/1"}'],
)  # fmt: skip
def test_what_is_no_session_is_refused(text) -> None:
    with pytest.raises(SessionError):
        parse(text, "x")


def test_special_numbers_and_repeated_keys_are_refused(tmp_path) -> None:
    text = example(tmp_path).to_json()
    for bad in ("NaN", "Infinity", "1e999", "1" * 5000):
        with pytest.raises(SessionError):
            parse(text.replace('"zoom": 1.5', f'"zoom": {bad}'), "x")
    with pytest.raises(SessionError, match="the key 'start' occurs twice"):
        parse(text.replace('"start": 5', '"start": 5, "start": 6'), "x")


def test_every_cut_of_a_session_is_refused(tmp_path) -> None:
    path = example(tmp_path).save(tmp_path / "walk.dkd.json")
    data = path.read_bytes()
    for length in range(0, len(data.rstrip()), 7):
        path.write_bytes(data[:length])
        with pytest.raises(SessionError):
            Session.load(path)


def test_what_is_not_a_readable_file_is_refused(tmp_path, monkeypatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "latin.json").write_bytes(b'{"format": "dkd-session/1", "view": "\xe9"}')
    for name, words in (
        ("nowhere.json", "No such file"),
        (".", "not a regular file"),
        ("pipe", "not a regular file"),
        ("a\0b", "null"),
        ("latin.json", "byte 37 is not UTF-8"),
    ):
        with pytest.raises(SessionError, match=words):
            Session.load(tmp_path / name)
    path = example(tmp_path).save(tmp_path / "walk.dkd.json")
    monkeypatch.setattr(module, "MOST_BYTES", path.stat().st_size)
    Session.load(path)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(SessionError, match="more than"):
        Session.load(path)


def test_the_example_has_the_documented_format(tmp_path) -> None:
    values = raw(tmp_path)
    assert values["format"] == FORMAT == "dkd-session/1" and values["written_by"].startswith("dkd ")
    assert list(values) == ["format", "video", "model", "start", "stop", "people", "bookmarks", "view", "written_by"]
    assert values["video"] == {"path": "walk.mp4", "sha256": HASH, "n_frames": 100, "track": 0, "fps": None}


def test_the_usual_place_of_a_session(tmp_path) -> None:
    assert session_path(tmp_path / "walk.mp4") == tmp_path / "walk.dkd.json"
    assert session_path(tmp_path / "im_%05d.png") == tmp_path / "im.dkd.json"
    assert session_path(tmp_path / "%05d.png") == tmp_path / f"{tmp_path.name}.dkd.json"
    (tmp_path / "frames.1").mkdir()
    assert session_path(tmp_path / "frames.1") == tmp_path / "frames.1.dkd.json"
    example(tmp_path).save(session_path(tmp_path / "walk.mp4"))
    assert session_path(tmp_path / "walk.mp4") == tmp_path / "walk.dkd.json"
    assert session_path(tmp_path / "walk.MOV") == tmp_path / "walk.MOV.dkd.json"  # the other one is of walk.mp4
    (tmp_path / "run.dkd.json").write_text("damaged")
    assert session_path(tmp_path / "run.mp4") == tmp_path / "run.mp4.dkd.json"
