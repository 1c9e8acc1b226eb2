"""The studio without a browser: work in threads, people, pictures, paths, and what is saved."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from shutil import copyfile
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dkd.analysis.trust import trust
from dkd.errors import ConfigError, FrameIndexError, VideoNotFoundError
from dkd.sessions.hashes import hash_joints
from dkd.video.clip import Clip
from dkd.video.samples import get_sample
from tests.support.fake_trace import FakeTrace
from widgets import Studio
from widgets.studio.bench import known
from widgets.studio.listing import complete_path
from widgets.studio.persons import Person, checked_name, new_colour, new_name
from widgets.studio.pictures import coarse_to_fine, encode, spread
from widgets.studio.project import LONG, first_range
from widgets.studio.worker import Worker

BOX = (196.0, 64.0, 299.0, 356.0)
FRAMES = range(0, 8)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return Path(copyfile(get_sample("rendered_walk").path, tmp_path / "walk.mp4"))


@pytest.fixture
def studio(video: Path) -> Iterator[Studio]:
    made = Studio(video)
    made.range = FRAMES
    yield made
    made.close()


def tracked(studio: Studio, *boxes: Any) -> None:
    for box in boxes or (BOX,):
        studio.add_person(box)
    studio.track()
    assert studio.wait(60)
    assert [person.state for person in studio._project.people] == ["done"] * len(boxes or (BOX,))


# --- the thread -------------------------------------------------------------------------------------------------------


def test_a_worker_does_the_most_urgent_job_and_of_each_kind_the_latest() -> None:
    done: list[str] = []
    begun, may_go_on = threading.Event(), threading.Event()
    worker = Worker("test", ("urgent", "patient"), lambda kind, error: done.append(f"{kind}: {error}"))

    def first(_: Any) -> None:
        begun.set()
        may_go_on.wait(10)

    worker.do("patient", first)
    assert begun.wait(10)
    worker.do("patient", lambda _: done.append("patient 1"))
    worker.do("patient", lambda _: done.append("patient 2"))
    worker.do("urgent", lambda _: done.append("urgent"))
    assert worker.is_busy("urgent") and worker.is_busy("patient")
    may_go_on.set()
    assert worker.wait(10) and not worker.is_busy()
    assert done == ["urgent", "patient 2"]


def _note(seen: list[str], _cancelled: Any) -> None:
    seen.append("next")


def test_a_job_that_is_replaced_or_cancelled_is_told_to_end() -> None:
    for end in ("replace", "cancel", "close"):
        begun = threading.Event()
        seen: list[str] = []
        worker = Worker("test", ("job",), lambda *_: None)

        def job(cancelled: Any, begun: threading.Event = begun, seen: list[str] = seen) -> None:
            begun.set()
            while not cancelled():
                pass
            seen.append("ended")

        worker.do("job", job)
        assert begun.wait(10)
        if end == "replace":
            worker.do("job", partial(_note, seen))
        else:
            getattr(worker, end)()
        assert worker.wait(10)
        assert seen == ["ended", "next"] if end == "replace" else ["ended"]


def test_a_job_that_fails_is_reported_and_the_next_one_is_done() -> None:
    said: list[str] = []
    worker = Worker("test", ("a", "b"), lambda kind, error: said.append(f"{kind}: {error}"), lambda: said.append("end"))

    def fails(_: Any) -> None:
        worker.do("b", lambda _: said.append("b"))
        raise ConfigError("wrong")

    worker.do("a", fails)
    assert worker.wait(10)
    assert said == ["a: wrong", "end", "b", "end"]


def test_a_worker_whose_end_fails_can_be_waited_for() -> None:
    said: list[str] = []

    def fails() -> None:
        raise ConfigError("wrong")

    worker = Worker("test", ("a",), lambda kind, error: said.append(f"{kind}: {error}"), fails)
    worker.do("a", lambda _: said.append("done"))
    assert worker.wait(10)
    assert said == ["done", "a: wrong"]


def test_a_stored_view_that_does_not_fit_is_left_out() -> None:
    person: Any = SimpleNamespace(trace=FakeTrace(5))
    view = {"frame": 2, "joint": [], "layers": {"opacity": "x", "kernel": None, "heatmap": False, "unknown": True}}
    assert known(view, person) == {"frame": 2, "layers": {"heatmap": False}}
    assert known({"frame": -1, "layers": {"opacity": 0.5}}, person) == {"layers": {"opacity": 0.5}}


# --- people -----------------------------------------------------------------------------------------------------------


def test_names_are_unique_variables_and_colours_differ() -> None:
    people: list[Person] = []
    for i in range(6):
        people.append(Person(i, new_name(people), new_colour(people), BOX, 0))
    assert [p.name for p in people] == [f"person_{i}" for i in range(1, 7)]
    assert len({p.colour for p in people}) == 6
    assert checked_name(" Anna B. ", people[0], people) == "Anna_B"
    assert checked_name("2 left", people[0], people) == "person_2_left"
    with pytest.raises(ConfigError, match="already"):
        checked_name("person_2", people[0], people)
    with pytest.raises(ConfigError, match="a letter"):
        checked_name("!?", people[0], people)


# --- pictures and paths -----------------------------------------------------------------------------------------------


@given(st.integers(1, 300))
def test_thumbnails_come_coarse_first_and_all_of_them(count: int) -> None:
    order = list(coarse_to_fine(count))
    assert sorted(order) == list(range(count))
    for n in range(1, count):  # no gap between those that are there is more than twice as wide as it must be
        there = sorted(order[:n])
        gaps = np.diff([*there, count])
        assert gaps.max() <= 2 * 2 ** np.ceil(np.log2(count / n))


@given(st.integers(0, 10_000), st.integers(1, 10_000), st.integers(1, 60))
def test_frames_of_thumbnails_are_spread_over_the_range(first: int, n: int, count: int) -> None:
    frames = spread(first, first + n, count)
    assert len(frames) == min(n, count) and len(set(frames)) == len(frames)
    assert first <= frames[0] and frames[-1] < first + n and frames == sorted(frames)


def test_a_picture_is_scaled_down_with_square_pixels() -> None:
    frame = np.zeros((480, 640, 3), np.uint8)
    for height, aspect, expected in ((120, 1.0, (120, 160, 3)), (120, 2.0, (120, 320, 3)), (9999, 1.0, (480, 640, 3))):
        picture = cv2.imdecode(np.frombuffer(encode(frame, height, aspect), np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None and picture.shape == expected


def test_a_path_is_completed_with_what_can_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.mp4", "a.MOV", "notes.txt", "a.dkd.json", ".hidden.mp4"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "im_1.png").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "c.webm").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    found = complete_path("")
    assert [(one["path"], one["kind"]) for one in found["entries"]] == [
        ("folder/", "folder"), ("images/", "images"), ("a.dkd.json", "session"), ("a.MOV", "video"), ("b.mp4", "video"),
    ]  # fmt: skip
    assert [one["path"] for one in complete_path("A.m")["entries"]] == ["a.MOV"]
    assert [one["path"] for one in complete_path("folder/")["entries"]] == ["folder/c.webm"]
    assert [one["path"] for one in complete_path(f"{tmp_path}/b")["entries"]] == [f"{tmp_path}/b.mp4"]
    assert complete_path("nowhere/x") == {"entries": [], "more": 0}


def test_many_entries_are_counted_and_not_sent(tmp_path: Path) -> None:
    for i in range(60):
        (tmp_path / f"{i:03}.mp4").write_bytes(b"")
    found = complete_path(f"{tmp_path}/")
    assert len(found["entries"]) == 40 and found["more"] == 20


# --- range ------------------------------------------------------------------------------------------------------------


class _Long:
    """A clip of which only length and rate are asked."""

    fps = 30.0

    def __init__(self, n: int):
        self.n = n

    def __len__(self) -> int:
        return self.n


def test_of_a_long_video_the_first_minute_is_chosen_and_that_is_said() -> None:
    assert first_range(_Long(LONG)) == (LONG, "")
    stop, note = first_range(_Long(108_000))
    assert stop == 1800 and "108,000 frames" in note and "0 to 1799" in note


def test_a_range_that_is_not_in_the_clip_is_refused(studio: Studio) -> None:
    for start, stop in ((-1, 5), (5, 5), (6, 5), (0, 121)):
        with pytest.raises(FrameIndexError, match="frames of the clip"):
            studio.range = range(start, stop)
    assert studio.range == FRAMES


# --- from a video to a session ----------------------------------------------------------------------------------------


def test_without_a_video_there_is_nothing_to_do() -> None:
    studio = Studio()
    assert studio.video is None and studio.traces == {} and studio.session is None
    for action in (studio.track, studio.save, lambda: studio.add_person(BOX)):
        with pytest.raises(ConfigError, match="open_video"):
            action()
    with pytest.raises(VideoNotFoundError):
        studio.open_video("nothing.mp4")
    with pytest.raises(TypeError, match="did you mean 'model'"):
        Studio(modell="dkd-tiny")
    studio.close()
    studio.close()


def test_tracking_asks_for_a_person_inside_the_range(studio: Studio) -> None:
    with pytest.raises(ConfigError, match="got nobody"):
        studio.track()
    studio.add_person(BOX, frame=60)
    with pytest.raises(ConfigError, match="frame 60, outside the chosen frames 0 to 7"):
        studio.track()


def test_a_session_is_saved_after_each_change_and_reopens_to_the_same_joints(studio: Studio, video: Path) -> None:
    tracked(studio)
    assert studio.session is not None and studio.session.path == video.with_name("walk.dkd.json")
    joints = studio.traces["person_1"].joints.copy()
    studio._project.change_person("person_1", name="Anna", colour="#123456")
    assert studio.wait(60)
    content = json.loads(studio.session.path.read_text())
    assert [(p["name"], p["colour"], p["box"]) for p in content["people"]] == [("Anna", "#123456", list(BOX))]
    assert (content["start"], content["stop"]) == (FRAMES.start, FRAMES.stop)

    again = Studio(studio.session.path)
    assert again.wait(60)
    assert again.range == FRAMES and again.people == ("Anna",) and again._state["warnings"] == []
    assert np.array_equal(again.traces["Anna"].joints, joints)
    again.close()


def test_another_video_does_not_touch_the_session_of_the_one_before(studio: Studio, tmp_path: Path) -> None:
    tracked(studio)
    assert studio.session is not None and studio.session.path is not None
    path = studio.session.path
    text = path.read_text()
    other = Path(copyfile(get_sample("rendered_walk").path, tmp_path / "other.mp4"))
    studio.open_video(other)
    studio.range = FRAMES
    studio.add_person(BOX)
    assert studio.wait(60)
    assert path.read_text() == text and studio.session is None
    assert not (tmp_path / "other.dkd.json").exists()  # nothing was tracked in it yet


def test_an_earlier_session_is_offered_and_never_replaced(studio: Studio, video: Path) -> None:
    tracked(studio)
    first = video.with_name("walk.dkd.json")
    text = first.read_text()
    again = Studio(video)
    assert again._state["earlier"] == str(first)
    again.range = FRAMES
    tracked(again)
    assert again.session is not None and again.session.path == video.with_name("walk-2.dkd.json")
    assert first.read_text() == text
    again.close()


def test_two_people_have_a_trace_each_and_one_table(studio: Studio, video: Path) -> None:
    tracked(studio, BOX, (300, 100, 420, 400))
    assert list(studio.traces) == ["person_1", "person_2"]
    for name in ("walk-joints.csv", "walk-joints-2.csv"):  # no file is replaced
        studio.save_joints(".csv")
        assert studio.wait(60)
        lines = video.with_name(name).read_text().splitlines()
        assert lines[0].startswith("person,") and lines[1].startswith("person_1,")
        assert len(lines) == 1 + 2 * len(FRAMES) * len(studio.traces["person_1"].skeleton)
    with pytest.raises(ConfigError, match="as the ending"):
        studio.save_joints(".xlsx")
    studio.remove_person("person_1")
    assert studio.wait(60) and list(studio.traces) == ["person_2"]


def test_people_are_proposed_and_tracking_does_not_wait_for_proposals(studio: Studio) -> None:
    studio.find_people()
    assert studio.wait(60)
    assert studio._state["proposed_in"] == 0 and studio._state["proposals"]
    best = np.array(studio._state["proposals"][0]["box"])
    assert np.abs(best - BOX).max() < 40
    studio.find_people(1)
    studio.add_person(best.tolist())
    studio.track()
    assert studio.wait(60) and list(studio.traces) == ["person_1"]
    assert not studio._state["finding"]
    assert studio._state["proposals"] or studio._state["proposed_in"] is None  # it is not said that nobody was found


def test_another_box_or_range_forgets_the_track(studio: Studio) -> None:
    tracked(studio)
    studio._project.change_person("person_1", box=(190, 60, 300, 360))
    assert studio.traces == {} and studio._editor is None
    studio.track()
    assert studio.wait(60) and len(studio.traces["person_1"]) == len(FRAMES)
    studio.range = range(0, 4)
    assert studio.traces == {}


def test_a_person_is_tracked_both_ways_from_a_box_in_any_frame(studio: Studio) -> None:
    studio.add_person(BOX, frame=4)
    studio.track()
    assert studio.wait(60)
    assert studio.traces["person_1"].origin == 4 and len(studio.traces["person_1"]) == len(FRAMES)


def test_a_session_says_where_its_video_was_looked_for_and_takes_another_place(studio: Studio, video: Path) -> None:
    tracked(studio)
    assert studio.session is not None and studio.session.path is not None
    moved = video.rename(video.with_name("moved.mp4"))
    with pytest.raises(VideoNotFoundError, match=r"walk\.mp4"):
        Studio(studio.session.path)
    asking = Studio()
    asking._on_open({"path": str(studio.session.path)})  # as the page does
    assert asking.wait(60) and asking._state["moved"] == f"The video of this session is not at {video}."
    asking.close()
    again = Studio(moved, session=studio.session.path)
    assert again.wait(60)
    assert np.array_equal(again.traces["person_1"].joints, studio.traces["person_1"].joints)
    assert again._state["warnings"] == []
    again.close()
    third = Studio(studio.session.path)  # it was saved with the new place
    assert third.wait(60) and list(third.traces) == ["person_1"]
    third.close()


def test_a_session_whose_opening_was_stopped_loses_nothing(studio: Studio, video: Path) -> None:
    tracked(studio)
    studio.close()
    path = video.with_name("walk.dkd.json")
    people = json.loads(path.read_text())["people"]
    again = Studio(path)
    again.stop()
    again.add_person((300, 100, 420, 400), name="Bo")
    again.save()
    assert again.wait(60)
    saved = json.loads(path.read_text())["people"]
    assert saved[:1] == people and saved[1]["name"] == "Bo"
    again.close()


def test_after_a_correction_the_sentence_and_the_session_are_those_of_the_corrected_track(
    studio: Studio, video: Path
) -> None:
    tracked(studio)
    editor, person = studio._editor, studio._project.people[0]
    tracked_first = studio.traces["person_1"]
    assert person.text == str(trust(tracked_first, FRAMES.start))
    for joint in ("left_wrist", "right_wrist", "left_ankle"):
        editor.hide_joint(None, joint)
    assert studio.wait(60)
    corrected = studio.traces["person_1"]
    assert studio._state["people"][0]["text"] == person.text == str(trust(corrected, FRAMES.start))
    assert (corrected.scores != tracked_first.scores).any()
    (saved,) = json.loads(video.with_name("walk.dkd.json").read_text())["people"]
    assert len(saved["calls"]) == 3 and saved["joints"] == hash_joints(corrected.joints)
    assert saved["engine"] == corrected.engine
    for _ in range(3):
        editor.undo()
    assert studio.wait(60)
    assert person.text == str(trust(tracked_first, FRAMES.start))


def test_the_clip_is_closed_with_the_studio(video: Path) -> None:
    studio = Studio(video)
    clip: Clip = studio._project.clip
    studio.close()
    assert "closed" in repr(clip)
