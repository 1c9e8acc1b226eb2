"""Sessions of a sample clip with the shipped model: reopened, the joints are the same bit for bit."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from dkd.errors import ConfigError, SessionError, VideoMovedError
from dkd.models.checkpoints import load_model
from dkd.pose.smoothing import OneEuro
from dkd.sessions import hashes
from dkd.sessions.content import Bookmark, SavedPerson
from dkd.sessions.hashes import hash_joints, hash_video, hash_weights
from dkd.sessions.opening import find_video
from dkd.sessions.session import Session
from dkd.tracking.conditions import Conditions
from dkd.tracking.reinitialise import Reinitialise
from dkd.tracking.trace import Trace
from dkd.tracking.two_way import trace_person
from dkd.video.clip import Clip
from dkd.video.ranges import ClipRange
from dkd.video.samples import default_sample
from tests.support.video_files import draw_number, write_clip

START, STOP = 5, 17


@pytest.fixture(scope="module")
def model():
    return load_model("dkd-mobilenetv2")


@pytest.fixture(scope="module")
def people(model) -> dict[str, Trace]:
    """Two people: one with corrections and interventions, one tracked from the first frame, with re-initialisation."""
    with Clip(default_sample().path) as clip:
        first = trace_person(model, clip, None, 10, start=START, stop=STOP, progress=False)
        changed = (
            first.correct_joint(7, "left_wrist", 100.25, 80.5)
            .hide_joint(range(3, 6), "right_ankle")
            .swap_sides(range(6, 8), "arm")
            .set_box(8, (30.0, 20.0, 300.0, 400.0))
            .freeze_kernel(6, range(9, 11))
        )
        box = (10.0, 10.0, clip.width - 10.0, clip.height - 10.0)
        policy = Conditions(reinitialise=Reinitialise())
        second = trace_person(model, clip, box, START, policy, start=START, stop=STOP, progress=False)
        borrowed = second.put_kernel(4, changed, 2, name="Anna")
        assert not np.array_equal(borrowed.joints, second.joints) and not np.array_equal(changed.joints, first.joints)
    return {"Anna": changed, "b": borrowed}


@pytest.fixture
def video(tmp_path) -> Path:
    return Path(shutil.copy(default_sample().path, tmp_path / "walk.mp4"))


@pytest.fixture
def session(video, people, model) -> Session:
    saved = [SavedPerson.of(name, trace, "#FF8800") for name, trace in people.items()]
    made = Session.of(video, "dkd-mobilenetv2", start=START, stop=STOP, people=saved, bookmarks=[Bookmark(3, "here")])
    assert made.save() == video.with_name("walk.dkd.json")
    return made


def same(opened: dict[str, Trace], people: dict[str, Trace]) -> bool:
    assert list(opened) == list(people)
    return all(opened[name].joints.tobytes() == trace.joints.tobytes() for name, trace in people.items())


def test_reopening_gives_the_same_joints_bit_for_bit(session, people, video) -> None:
    loaded = Session.load(video.with_name("walk.dkd.json"))
    assert loaded == session
    frames: list[tuple[str, int, int]] = []
    opened = loaded.open(on_frame=lambda *progress: frames.append(progress))
    assert same(opened, people) and loaded.warnings == ()
    for name, trace in people.items():
        again = opened[name]
        assert (again.calls, again.origin, again.complete) == (trace.calls, trace.origin, True)
        np.testing.assert_array_equal(again.corrected, trace.corrected)
        np.testing.assert_array_equal(again.hidden, trace.hidden)
        np.testing.assert_array_equal(again.scores, trace.scores)
        assert SavedPerson.of(name, again, "#ff8800") == session.people[list(people).index(name)]
    total = STOP - START
    assert {name for name, _, _ in frames} == set(people) and all(0 <= done <= of == total for _, done, of in frames)
    assert opened["Anna"].undo().calls == people["Anna"].calls[:-1]
    clip = opened["b"].clip
    while isinstance(clip, ClipRange):
        clip = clip.clip
    for trace in opened.values():
        trace.close()
    for trace in opened.values():
        while trace.base is not None:
            trace = trace.base
            trace.close()
    assert "closed" in repr(clip)  # the session opened it, so it is closed with the last trace


def test_an_open_clip_and_a_model_can_be_given_and_the_clip_stays_open(session, people, video, model) -> None:
    with Clip(video) as clip:
        opened = session.open(model, clip)
        assert same(opened, people) and session.warnings == ()
        for trace in opened.values():
            trace.close()
        assert clip.frame(3).shape == (clip.height, clip.width, 3)


def test_cancelling_leaves_people_out(session, people) -> None:
    asked: list[int] = []

    def cancel() -> bool:
        asked.append(1)
        return len(asked) > 40  # in the second person's first run, or in the changes of the first person

    opened = session.open(cancel=cancel)
    assert set(opened) < set(people) and all(trace.complete for trace in opened.values())
    assert session.open(cancel=lambda: True) == {}


def test_a_video_that_was_moved_is_looked_for_and_can_be_given(session, people, video, tmp_path) -> None:
    for name in ("walk.mp4", "walk.dkd.json"):  # moved together
        (tmp_path / "new").mkdir(exist_ok=True)
        (tmp_path / name).rename(tmp_path / "new" / name)
    loaded = Session.load(tmp_path / "new" / "walk.dkd.json")
    assert find_video(loaded) == tmp_path / "new" / "walk.mp4"
    far = tmp_path / "far" / "other name.mp4"
    far.parent.mkdir()
    (tmp_path / "new" / "walk.mp4").rename(far)
    with pytest.raises(VideoMovedError, match="if it was moved, say where it is") as caught:
        loaded.open()
    assert caught.value.looked == (tmp_path / "new" / "walk.mp4",)
    with pytest.raises(VideoMovedError):
        loaded.open(video=tmp_path / "nowhere.mp4")
    opened = loaded.open(video=far)
    assert same(opened, people) and loaded.warnings == ()  # the same content in another place


def test_the_session_alone_finds_a_video_next_to_it(session, video, tmp_path) -> None:
    moved = dataclasses.replace(
        session, video=dataclasses.replace(session.video, path=str(tmp_path / "gone" / "walk.mp4"))
    )
    with pytest.raises(VideoMovedError) as caught:
        find_video(dataclasses.replace(moved, path=tmp_path / "sub" / "walk.dkd.json"))
    assert caught.value.looked == (tmp_path / "gone" / "walk.mp4", tmp_path / "sub" / "walk.mp4")
    assert find_video(dataclasses.replace(moved, path=tmp_path / "walk.dkd.json")) == video


def test_a_changed_video_is_said(session, people, video) -> None:
    data = bytearray(video.read_bytes())
    data[data.index(b"moov") - 1000] ^= 0xFF  # within the pictures, or between them
    video.write_bytes(data)
    one = dataclasses.replace(session, people=[])
    assert one.open() == {} and len(one.warnings) == 1 and "walk.mp4 is not the video" in one.warnings[0]


def test_a_shorter_video_is_an_error(session, tmp_path) -> None:
    short = write_clip(tmp_path / "short.mp4", [draw_number(n) for n in range(10)])
    with pytest.raises(SessionError, match="needs frames 5 to 16 of short.mp4, which has 10"):
        session.open(video=short)


def test_another_model_is_said(session, model) -> None:
    other = load_model("dkd-mobilenetv2")
    next(other.parameters()).data.mul_(1.001)
    one = dataclasses.replace(session, people=[])
    assert one.open(other) == {} and "weights of the model" in one.warnings[0]
    with pytest.raises(ConfigError, match="is unknown"):
        one.open("no-such-model")


def test_joints_that_are_not_the_same_are_said(session) -> None:
    person = dataclasses.replace(session.people[1], calls=(), joints=hash_joints(np.zeros((3, 4, 2))))
    one = dataclasses.replace(session, people=[person])
    assert set(one.open()) == {"b"} and "joints of b are not the same bit for bit" in one.warnings[0]


def test_people_are_tracked_again_in_their_engine(model, video, monkeypatch, tmp_path) -> None:
    """Engines differ in the last bits, so the one of each person is used, whatever is the default now."""
    monkeypatch.setenv("DKD_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DKD_ENGINE", raising=False)
    with Clip(video) as clip:
        made = {
            name: trace_person(model, clip, None, 4, stop=6, engine=name, progress=False)
            for name in ("torch", "onnxruntime")
        }
    saved = [SavedPerson.of(name, trace) for name, trace in made.items()]
    assert [person.engine for person in saved] == ["torch", "onnxruntime"]
    path = Session.of(video, "dkd-mobilenetv2", stop=6, people=saved).save()
    for default in ("onnxruntime", "torch"):
        monkeypatch.setenv("DKD_ENGINE", default)
        session = Session.load(path)
        opened = session.open()
        assert same(opened, made) and session.warnings == ()
        assert [trace.engine for trace in opened.values()] == ["torch", "onnxruntime"]


def test_an_engine_that_is_not_here_is_said_and_another_one_is_used(session, monkeypatch) -> None:
    monkeypatch.delenv("DKD_ENGINE", raising=False)
    person = dataclasses.replace(session.people[1], calls=(), engine="abacus")
    one = dataclasses.replace(session, people=[person])
    (trace,) = one.open().values()
    (warning,) = one.warnings
    assert "with the engine abacus, which cannot be used here" in warning
    assert f"now it is {trace.engine}: joints may differ" in warning


def test_a_session_without_an_engine_is_opened_in_the_usual_one(session, people) -> None:
    one = dataclasses.replace(session, people=[dataclasses.replace(p, engine=None) for p in session.people])
    assert same(one.open(), people) and one.warnings == ()


def test_what_a_session_cannot_repeat_is_refused(people, model) -> None:
    with Clip(default_sample().path) as clip:
        smooth = Trace(model, clip, None, Conditions(smooth=OneEuro), stop=2, progress=False)
        other = Conditions(reinitialise=Reinitialise(patience=1))
        strict = Trace(model, clip, None, other, stop=2, progress=False)
        unnamed = Trace(model, clip, None, people["Anna"].undo().conditions, stop=STOP - START, progress=False)
        for trace, words in (
            (smooth, "smooth"),
            (strict, "settings of reinitialise"),
            (unnamed, "interventions given"),
        ):
            with pytest.raises(SessionError, match=f"cannot repeat the {words}"):
                SavedPerson.of("x", trace)
    with pytest.raises(SessionError, match="is in memory"):
        Session.of(Clip.from_array(np.zeros((3, 32, 32, 3), np.uint8)), model)


def test_a_checkpoint_of_ones_own_moves_with_the_session(session, model, tmp_path) -> None:
    from dkd.models.checkpoints import save_model

    (tmp_path / "a" / "models").mkdir(parents=True)
    save_model(model, tmp_path / "a" / "models" / "my.safetensors", model.provenance)
    video = Path(shutil.copy(default_sample().path, tmp_path / "a" / "walk.mp4"))
    made = Session.of(video, tmp_path / "a" / "models" / "my.safetensors", stop=3)
    made.save()
    (tmp_path / "a").rename(tmp_path / "b")
    loaded = Session.load(tmp_path / "b" / "walk.dkd.json")
    assert loaded.model.name == str(tmp_path / "b" / "models" / "my.safetensors")
    assert loaded.open() == {} and loaded.warnings == ()


def test_images_keep_their_rate(tmp_path, model) -> None:
    from tests.video.test_folders import write_image

    for number in range(4):
        write_image(tmp_path / "frames" / f"im_{number:03d}.png", number)
    for place, fps in ((tmp_path / "frames", 50.0), (tmp_path / "frames" / "im_%03d.png", None)):
        with Clip(place, fps=fps) as clip:
            made = Session.of(clip, model)
        made.save(tmp_path / "x.dkd.json")
        loaded = Session.load(tmp_path / "x.dkd.json")
        assert loaded.video.fps == fps and loaded.video.path == str(place) and loaded.open() == {}
        assert loaded.warnings == ()
    before = hash_video(tmp_path / "frames")
    write_image(tmp_path / "frames" / "im_002.png", 3)
    assert hash_video(tmp_path / "frames") != before


def test_the_hash_of_a_large_file_reads_64_parts_of_it(tmp_path) -> None:
    path = tmp_path / "large.bin"
    size = 200 * 2**20 + 12345
    with path.open("wb") as file:
        file.truncate(size)
    first = hash_video(path)
    begins = list(hashes._begins(size))
    assert len(begins) == 64 and begins[0] == 0 and begins[-1] + hashes.PART == size

    def change(at: int) -> str:
        with path.open("r+b") as file:
            file.seek(at)
            file.write(b"x")
        found = hash_video(path)
        with path.open("r+b") as file:
            file.seek(at)
            file.write(b"\0")
        return found

    assert change(0) != first != change(size - 1) and change(begins[17] + 5) != first
    assert change(begins[17] - 5) == first  # between two parts: as documented
    os.truncate(path, size - 1)
    assert hash_video(path) != first


def test_the_hash_of_a_small_file_reads_all_of_it(tmp_path) -> None:
    path = tmp_path / "small.bin"
    data = bytearray(np.random.default_rng(0).bytes(3 * 2**20 + 7))
    path.write_bytes(data)
    first = hash_video(path)
    for at in (0, 2**20, len(data) - 1):
        changed = bytearray(data)
        changed[at] ^= 1
        path.write_bytes(changed)
        assert hash_video(path) != first


def test_hashes_of_weights_and_joints_differ_with_single_bits(model) -> None:
    other = load_model("dkd-mobilenetv2")
    assert hash_weights(other) == hash_weights(model)
    joints = np.array([[[1.0, np.nan]]], np.float32)
    assert hash_joints(joints) == hash_joints(joints.copy()) != hash_joints(np.nextafter(joints, 2))
    assert hash_joints(joints) != hash_joints(joints.reshape(1, 2, 1))


def test_what_the_square_follows_is_kept_and_older_files_followed_the_joints(video, model) -> None:
    with Clip(video) as clip:
        box = (10.0, 10.0, clip.width - 10.0, clip.height - 10.0)
        traces = {
            name: trace_person(
                model, clip, box, START, Conditions(square=name), start=START, stop=START + 6, progress=False
            )
            for name in ("person", "joints")
        }
        assert traces["person"].crops != traces["joints"].crops
        saved = [SavedPerson.of(name, trace) for name, trace in traces.items()]
        made = Session.of(video, "dkd-mobilenetv2", start=START, stop=START + 6, people=saved)
        assert [one.square for one in made.people] == ["person", "joints"]
        assert same(made.open(), traces)
    values = json.loads(made.to_json())
    for one in values["people"]:
        one.pop("square", None)
    path = video.with_name("older.dkd.json")
    path.write_text(json.dumps(values), encoding="utf-8")
    assert [one.square for one in Session.load(path).people] == ["joints", "joints"]


def test_a_refined_person_is_refined_again_and_older_files_were_not(video, model) -> None:
    """Next to one who is not, with a correction, reopened bit for bit."""
    with Clip(video) as clip:
        box = (10.0, 10.0, clip.width - 10.0, clip.height - 10.0)
        traces = {
            str(on): trace_person(
                model, clip, box, START + 2, Conditions(refine=on), start=START, stop=START + 6, progress=False
            )
            for on in (False, True)
        }
        assert not np.array_equal(traces["True"].joints, traces["False"].joints)
        traces["True"] = traces["True"].correct_joint(4, "left_wrist", 100.25, 80.5)
        saved = [SavedPerson.of(name, trace) for name, trace in traces.items()]
        made = Session.of(video, "dkd-mobilenetv2", start=START, stop=START + 6, people=saved)
        made.save(video.with_name("refined.dkd.json"))
        loaded = Session.load(video.with_name("refined.dkd.json"))
        assert [one.refine for one in loaded.people] == [False, True]
        opened = loaded.open()
        assert same(opened, traces) and loaded.warnings == ()
        assert [trace.conditions.refine for trace in opened.values()] == [False, True]
    values = json.loads(made.to_json())
    for one in values["people"]:
        one.pop("refine")
    path = video.with_name("older.dkd.json")
    path.write_text(json.dumps(values), encoding="utf-8")
    assert [one.refine for one in Session.load(path).people] == [False, False]
