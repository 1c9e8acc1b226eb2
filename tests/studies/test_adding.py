"""People who were marked in the studio become rows of a study."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from dkd import Session, Study, get_sample, load_model, trace_person
from dkd.cli.main import main
from dkd.errors import ConfigError, SessionError
from dkd.sessions.content import SavedPerson
from dkd.studies.settings import StudySettings
from dkd.video.clip import Clip
from dkd.video.ranges import ClipRange

WALK = get_sample("rendered_walk")
SETTINGS = StudySettings(engine="torch")


@pytest.fixture
def study(tmp_path: Path) -> Study:
    for folder in ("run", "walk"):
        (tmp_path / "videos" / folder).mkdir(parents=True)
        shutil.copy(WALK.path, tmp_path / "videos" / folder / "a.mp4")
    return Study.create(tmp_path / "videos", tmp_path / "study", folders=["condition"], settings=SETTINGS)


def session_of(video: Path, *names: str) -> Session:
    """Frames 3 to 8 of a video, with people whose boxes are in frame 5, of coordinates with many digits."""
    x0, y0, x1, y1 = WALK.box
    people = [SavedPerson(name, box=(x0 + 1 / 3 + i, y0, x1, y1), frame=5) for i, name in enumerate(names)]
    return Session.of(video, start=3, stop=8, people=people)


def test_a_video_of_the_study_gets_its_people_and_keeps_its_groups(study: Study) -> None:
    video = study.folder.parent / "videos" / "walk" / "a.mp4"
    names = study.add_session(session_of(video, "anna", "ben"))
    first, *people = study.rows
    assert first.groups == {"condition": "run"} and first.box is None
    assert [row.name for row in people] == names
    for row in people:
        assert (row.frame, row.start, row.stop, row.groups) == (5, 3, 8, {"condition": "walk"})
    study.add_session(session_of(video, "ben", "carl"), {"condition": "other"})
    assert [(row.person, row.groups["condition"]) for row in study.rows[1:]] == [
        ("anna", "walk"), ("ben", "walk"), ("carl", "other"),
    ]  # fmt: skip


def test_the_study_finds_the_joints_of_the_session(study: Study) -> None:
    video = study.folder.parent / "videos" / "run" / "a.mp4"
    session = session_of(video, "anna")
    (name,) = study.add_session(session)
    with Clip(video) as clip:
        part = ClipRange(clip, 3, 8)
        expected = trace_person(load_model(), part, session.people[0].box, 2, engine="torch", progress=False).joints
    assert all(one.error is None for one in study.run(1))
    found = study.joints_of(name, ["x", "y"]).to_numpy(np.float32).reshape(expected.shape)
    np.testing.assert_array_equal(found, expected)


def test_a_session_of_another_video_is_added_by_the_command(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(WALK.path, tmp_path / "new.mp4")
    session_of(tmp_path / "new.mp4", "anna").save(tmp_path / "new.dkd.json")
    assert main(["study", "add", str(tmp_path / "new.dkd.json"), "-o", str(study.folder)]) == 0
    assert capsys.readouterr().out == "people of the session added: 1, the study has 3 rows\n"
    study.read()
    row = study.rows[2]
    assert (row.video, row.person, row.groups) == ("../new.mp4", "anna", {"condition": ""})


def test_what_cannot_be_added_changes_nothing(study: Study, tmp_path: Path) -> None:
    before = (study.folder / "study.csv").read_bytes()
    (tmp_path / "bad.dkd.json").write_text("{}")
    with pytest.raises(SessionError):
        study.add_session(tmp_path / "bad.dkd.json")
    with pytest.raises(ConfigError, match="at least one person"):
        study.add_session(session_of(WALK.path))
    with pytest.raises(ConfigError, match="group"):
        study.add_session(session_of(WALK.path, "anna"), {"_condition": "walk"})
    assert (study.folder / "study.csv").read_bytes() == before
