"""All formats in one go; sessions; names that replace nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dkd import Session, Trace, export, export_all, load_model, load_poses
from dkd.cli.main import main
from dkd.errors import ConfigError, StorageError
from dkd.formats.files import FORMATS
from dkd.formats.several import free_path, pose_formats
from dkd.pose.skeleton import SKELETONS
from dkd.sessions.content import SavedPerson
from dkd.video.samples import get_sample
from tests.support.fake_trace import FakeTrace
from tests.support.tracks import make_track, same

PENN = SKELETONS["penn_action"]


def test_two_people_leave_as_all_formats_and_come_back(tmp_path: Path) -> None:
    track = replace(make_track(2, 8, 2, PENN, 30, gaps=False), people=("woman", "man"))
    done: list[tuple[int, int]] = []
    written = export_all(track, tmp_path / "out", progress=lambda *n: done.append(n))
    assert [one.format for one in written] == list(pose_formats()) and all(one.complete for one in written)
    assert done == [(n, len(written)) for n in range(1, len(written) + 1)] and len(written) == 13
    assert {path.name for path in (tmp_path / "out").iterdir()} == {one.path.name for one in written}
    assert all(one.path.name == f"anna{FORMATS[one.format].endings[0]}" for one in written)
    for one in written:
        back = load_poses(one.path, skeleton="penn_action")
        there = ~back.missing
        assert there.any(1).sum() and same(track.xy[there], back.xy[there])
        assert back.people == ("woman", "man") or one.format == "openpose" and len(back.people) == 2
        assert len(back) == 8


def test_a_format_that_cannot_be_written_does_not_stop_the_others(tmp_path: Path) -> None:
    track = make_track(2, 8, 1, PENN, 30)
    timeless = replace(track, times=np.full(8, np.nan), fps=None)
    written = {one.format: one for one in export_all(timeless, tmp_path, name="a")}
    assert {name for name, one in written.items() if not one.complete} == {"nwb", "trc"}
    assert "add fps" in str(written["nwb"]) and not written["nwb"].path.exists() and written["csv"].path.exists()
    assert all(one.complete for one in export_all(timeless, tmp_path, name="a", fps=30))
    stop = export_all(track, tmp_path / "b", cancel=lambda: (tmp_path / "b" / "anna.tsv").exists())
    assert [one.complete for one in stop] == [True, True] + [False] * 11 and "Stopped" in str(stop[2])
    with pytest.raises(ConfigError, match="unknown format"):
        export_all(track, tmp_path, formats=["slep"])
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError):
        export_all(track, tmp_path / "file")


def test_free_names_keep_the_whole_ending(tmp_path: Path) -> None:
    for name in ("a.dlc.csv", "a.mp4", "poses"):
        path = tmp_path / name
        assert free_path(path) == path
        path.touch()
    names = [free_path(tmp_path / name).name for name in ("a.dlc.csv", "a.mp4", "poses")]
    assert names == ["a-1.dlc.csv", "a-1.mp4", "poses-1"]
    (tmp_path / "a-1.mp4").touch()
    assert free_path(tmp_path / "a.mp4").name == "a-2.mp4"


def test_traces_of_a_studio_are_exported_and_other_objects_are_refused(tmp_path: Path) -> None:
    class Studio:
        traces = {"anna": FakeTrace(4), "ben": FakeTrace(4)}

    assert load_poses(export(Studio(), tmp_path / "a.csv").path).people == ("anna", "ben")
    with pytest.raises(ConfigError, match="a Session"):
        export(object(), tmp_path / "a.csv")


@pytest.mark.parametrize("by_command", [False, True])
def test_a_session_is_tracked_again_and_exported(tmp_path: Path, by_command: bool) -> None:
    sample = get_sample("rendered_walk")
    with Trace(load_model("dkd-mobilenetv2"), sample.path, sample.box, stop=5, progress=False) as trace:
        made: Any = trace.correct_joint(2, "left_wrist", 33.5, 44.25)
        made.run(progress=False)
        people = [SavedPerson.of("anna", made)]
        joints = made.joints.copy()
    session = Session.of(sample.path, "dkd-mobilenetv2", people=people, stop=5)
    path = session.save(tmp_path / "walk.dkd.json")
    if by_command:
        assert main(["export-poses", str(path), "--all", str(tmp_path / "all")]) == 0
        assert len(list((tmp_path / "all").iterdir())) == 13
        assert main(["export-poses", str(path), "--out", str(tmp_path / "a.png"), "--frame", "2", "--heatmap"]) == 0
        assert (tmp_path / "a.png").read_bytes()[1:4] == b"PNG"
        assert main(["export-poses", str(path), "--all", str(tmp_path / "all")]) == 2  # nothing is replaced
        back = load_poses(tmp_path / "all" / "walk.slp")
    else:
        back = load_poses(export(Session.load(path), tmp_path / "a.slp").path)
    assert back.people == ("anna",) and same(joints[:, None], back.xy)
    assert back.xy[2, 0, PENN.index("left_wrist")].tolist() == [33.5, 44.25]
