"""A study in real worker processes: results, failures, kills, changes; each compared with a plain trace."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from filelock import FileLock

from dkd import Conditions, Study, get_sample, load_poses, trace_person, trust
from dkd.cli.main import main
from dkd.errors import ConfigError, DatasetError, RunBusyError
from dkd.io.config import to_mapping
from dkd.io.paths import DEFAULT_MODEL
from dkd.studies.local import LocalEngine, Outcome, WorkerError, _Worker
from dkd.studies.settings import StudySettings, read_settings, write_settings
from dkd.studies.table import read_table, write_table

FRAMES = 5
SETTINGS = StudySettings(engine="torch", export=(".slp",))


def make(folder: Path, *stops: int) -> Study:
    """A study of copies of a sample clip, each with its first frames."""
    sample = get_sample("rendered_walk")
    box = ",".join(f"{edge:g}" for edge in sample.box)
    (folder / "videos").mkdir()
    lines = ["video,person,box,start,stop,condition"]
    for i, stop in enumerate(stops):
        shutil.copy(sample.path, folder / "videos" / f"clip{i}.mp4")
        lines.append(f'../videos/clip{i}.mp4,Anna,"{box}",{stop - FRAMES},{stop},{"walk" if i % 2 else "stand still"}')
    (folder / "study").mkdir()
    (folder / "study" / "study.csv").write_text("\n".join(lines) + "\n")
    write_settings(folder / "study" / "study.yaml", SETTINGS)
    return Study(folder / "study")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study of two clips that was run; the tests that share it only read it."""
    study = make(tmp_path_factory.mktemp("done"), 5, 30)
    assert [(one.done, one.failed, one.error) for one in study.run(1)] == [(1, 0, None), (2, 0, None)]
    return study


@pytest.fixture
def copied(done: Study, tmp_path: Path) -> Study:
    """A copy of that study, to change."""
    shutil.copytree(done.folder.parent, tmp_path, dirs_exist_ok=True)
    return Study(tmp_path / done.folder.name)


class NoWorker(LocalEngine):
    """An engine that must not be asked to do anything."""

    def run(self, tasks: object) -> Iterator[Outcome]:
        raise AssertionError(f"expected nothing to do, got {list(tasks)}")  # type: ignore[call-overload]


def test_the_joints_are_those_of_a_plain_trace(done: Study) -> None:
    for row in done.rows:
        with trace_person(
            DEFAULT_MODEL, done.video(row), row.box, row.start, Conditions(square="person"), start=row.start,
            stop=row.stop, engine="torch", progress=False,
        ) as trace:  # fmt: skip
            part = pd.read_parquet(done._store.part(row.name, row.groups))
            assert " ".join(part.columns) == "video person frame time_s joint x y score confidence"
            assert np.array_equal(part[["x", "y"]].to_numpy(np.float32).reshape(trace.joints.shape), trace.joints)
            assert part["frame"].unique().tolist() == list(range(row.start, row.stop or 0))
            assert part["time_s"].iloc[0] == pytest.approx(row.start / 30)
            clip = done.clips().set_index("name").loc[row.name]
            assert clip.confidence == pytest.approx(trust(trace).confidence) and clip.verdict == trust(trace).verdict
            assert (clip.x0, clip.y0, clip.x1, clip.y1) == pytest.approx(row.box)
            assert np.array_equal(done.trace(row.name, progress=False).joints, trace.joints)
            track = load_poses(done.folder / "exports" / f"{row.name}.slp")
            assert np.allclose(track.xy[:, 0], trace.joints, atol=1e-3)


def test_all_results_are_read_as_one_data_set(done: Study) -> None:
    joints = done.joints()
    assert joints.groupby("condition").size().to_dict() == {"stand still": FRAMES * 13, "walk": FRAMES * 13}
    plain = pd.read_parquet(done.folder / "joints")  # any reader of Hive's layout finds the group in the path
    assert plain["condition"].value_counts().to_dict() == {"stand still": FRAMES * 13, "walk": FRAMES * 13}
    assert done.joints(["condition", "x"]).columns.tolist() == ["condition", "x"]
    clips = done.clips()
    assert clips["status"].tolist() == ["done", "done"] and clips["frames"].tolist() == [FRAMES, FRAMES]
    assert clips["condition"].tolist() == ["stand still", "walk"]  # in the order of the table
    assert {(c.fps, c.width, c.height, c.engine, c.warnings) for c in clips.itertuples()} == {
        (30, 640, 480, "torch", 0)
    }


def test_what_is_done_is_not_done_again(copied: Study) -> None:
    before = copied.clips()
    os.utime(copied.video(copied.rows[0]))  # touched: the content says that it is the same
    assert list(copied.run(engine=NoWorker({}))) == []
    pd.testing.assert_frame_equal(copied.clips(), before)


def test_only_what_changed_is_done_again(copied: Study) -> None:
    rows = read_table(copied.folder / "study.csv")
    stamps = copied.clips().set_index("name")["finished"]
    x0, y0, x1, y1 = rows[0].box or (0, 0, 0, 0)
    rows[0] = type(rows[0])(
        0, rows[0].video, "Anna", (x0 - 4, y0, x1, y1), None, rows[0].start, rows[0].stop, rows[0].groups
    )
    write_table(copied.folder / "study.csv", rows)
    assert rows[0].name in stamps.index  # another box is the same row
    ran = list(Study(copied.folder).run(1))
    assert [(one.name, one.done, one.of) for one in ran] == [(rows[0].name, 2, 2)]
    after = Study(copied.folder).clips().set_index("name")
    assert after.loc[rows[1].name, "finished"] == stamps[rows[1].name]
    assert after.loc[rows[0].name, "x0"] == x0 - 4


def test_another_video_or_model_setting_is_noticed(copied: Study) -> None:
    with copied.video(copied.rows[1]).open("ab") as file:
        file.write(b"\0")
    waiting: list[str] = []

    class Asked(NoWorker):
        def run(self, tasks: object) -> Iterator[Outcome]:
            waiting.extend(task["name"] for task in tasks)  # type: ignore[attr-defined]
            yield from ()

    list(copied.run(engine=Asked({})))
    assert waiting == [copied.rows[1].name]
    waiting.clear()
    write_settings(copied.folder / "study.yaml", StudySettings(engine="torch", square="joints"))
    list(copied.run(engine=Asked({})))
    assert waiting == [row.name for row in copied.rows]


def test_results_are_kept_while_the_videos_are_away(copied: Study, caplog: pytest.LogCaptureFixture) -> None:
    before = copied.clips()
    videos = copied.folder.parent / "videos"
    videos.rename(videos.with_name("away"))
    assert list(copied.run(engine=NoWorker({}))) == []
    assert "the videos of 2 finished rows are not there" in caplog.text
    videos.with_name("away").rename(videos)
    assert list(copied.run(engine=NoWorker({}))) == []
    pd.testing.assert_frame_equal(copied.clips(), before)


def test_an_old_result_is_set_aside_when_its_row_fails(copied: Study) -> None:
    first, second = read_table(copied.folder / "study.csv")
    first = dataclasses.replace(first, box=(9000.0, 9000.0, 9999.0, 9999.0))
    write_table(copied.folder / "study.csv", [first, second])
    (one,) = copied.run(1, attempts=1)
    assert one.error is not None and one.failed == 1
    assert copied.joints()["video"].unique().tolist() == [second.video]
    assert [path.stem for path in (copied.folder / "removed").rglob("*.parquet")] == [first.name]


def test_settings_and_groups_are_checked_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "a.mp4").touch()
    init = ["study", "init", str(tmp_path / "videos"), "-o", str(tmp_path / "study")]
    assert main([*init, "--set", "export=.foo"]) == 2
    assert "setting 'export' of the study has '.foo'" in capsys.readouterr().err
    assert main([*init, "--folders", "status"]) == 2
    assert "another name for the group 'status'" in capsys.readouterr().err
    assert not (tmp_path / "study").exists()
    assert main([*init, "--set", "export=.slp"]) == 0
    assert Study(tmp_path / "study").settings.export == (".slp",)
    assert main(["study", "run", str(tmp_path / "study"), "--workers", "0"]) == 2
    assert "expected 1 to 1024 workers" in capsys.readouterr().err


def test_rows_that_left_are_set_aside_and_groups_move(copied: Study) -> None:
    first, second = read_table(copied.folder / "study.csv")
    second.groups["condition"] = "a/b=c"
    write_table(copied.folder / "study.csv", [second])
    assert list(Study(copied.folder).run(engine=NoWorker({}))) == []
    study = Study(copied.folder)
    assert study.clips()["name"].tolist() == [second.name]
    assert study.joints()["condition"].unique().tolist() == ["a/b=c"] == study.clips()["condition"].tolist()
    removed = sorted(path.name for path in (copied.folder / "removed").rglob("*.*"))
    assert removed == [f"{first.name}.parquet", f"{first.name}.slp"]


def test_a_lost_table_of_clips_is_made_again_from_the_parts(copied: Study) -> None:
    before = copied.clips()
    (copied.folder / "clips.parquet").unlink()
    list(copied.run(engine=NoWorker({})))
    pd.testing.assert_frame_equal(copied.clips(), before)
    (copied.folder / "clips.parquet").write_bytes(b"not parquet")
    with pytest.raises(DatasetError, match="delete it and run the study again"):
        list(copied.run(engine=NoWorker({})))


def test_a_part_under_another_name_is_not_taken(copied: Study) -> None:
    one, other = (copied._store.part(row.name, row.groups) for row in copied.rows)
    shutil.copy(one, other)
    assert copied._store.clip_of(other) is None and copied._store.clip_of(one) is not None


def test_a_bad_video_costs_only_its_row_and_is_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = make(tmp_path, 5, 30)
    video = study.video(study.rows[0])
    whole = video.read_bytes()
    video.write_bytes(whole[:5000])
    first, last = study.run(1)
    assert (first.name, first.error, first.done, first.failed) == (study.rows[1].name, None, 1, 0)
    assert last.error is not None and "0 frames are readable" in last.error and (last.done, last.failed) == (1, 1)
    failed = study.clips().iloc[0]
    assert failed.status == "failed" and failed.error.startswith("VideoTruncatedError: ") and failed.attempts == 2
    assert main(["study", "show", str(study.folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[3:5] == [str(FRAMES), "followed"]
    video.write_bytes(whole)
    (again,) = study.run(1)
    assert again.error is None and study.clips()["status"].tolist() == ["done", "done"]


def test_a_damaged_file_of_joints_is_left_out_and_named(copied: Study, caplog: pytest.LogCaptureFixture) -> None:
    """The other rows are read; the next run makes the damaged ones again, with the same joints."""
    first, second = sorted((copied.folder / "joints").rglob("*.parquet"))
    whole, everything = first.read_bytes(), copied.joints()
    first.write_bytes(whole[: len(whole) // 2])
    left = copied.joints()
    assert len(left) == len(everything) // 2
    assert f"{first} is damaged and left out" in caplog.text and str(second) not in caplog.text
    second.write_bytes(b"")
    with pytest.raises(DatasetError, match="none of the 2 files of joints can be read"):
        copied.joints()
    assert [one.error for one in copied.run(1)] == [None, None]
    assert "2 files of joints are cut short, and made again" in caplog.text
    pd.testing.assert_frame_equal(copied.joints(), everything)


def test_of_a_damaged_video_the_frames_before_the_damage_are_kept(tmp_path: Path) -> None:
    study = make(tmp_path, 60)
    (row,) = study.rows
    table = tmp_path / "study" / "study.csv"
    table.write_text(table.read_text().replace(",55,60,", ",,,"))
    data = bytearray(study.video(row).read_bytes())
    data[60_000:64_000] = bytes(4000)
    study.video(row).write_bytes(data)
    (one,) = study.run(1, attempts=1)
    assert one.error is not None and one.error.startswith("VideoCorruptError: ") and one.failed == 1
    (clip,) = study.clips().itertuples()
    assert clip.status == "partial" and 0 < clip.frames < 60 and clip.warnings == 1
    assert "; 1 with a warning about the video" in study.state() and "noted in the table of clips" in study.methods()
    assert study.joints()["frame"].max() == clip.frames - 1


class Killing(LocalEngine):
    """Kills its worker in the middle of the first rows that it is given, ``times`` times."""

    times = 2

    def _next_message(self) -> tuple[_Worker, dict[str, object] | None] | None:
        found = super()._next_message()
        if found is not None and (found[1] or {}).get("ready") and self.times:
            self.times -= 1
            os.kill(found[0].pid, signal.SIGKILL)  # it is given a row next, and cannot finish it
        return found


def same_results(study: Study, done: Study) -> None:
    """The joints and measures of two studies are the same, bit for bit."""
    order = ["video", "frame", "joint"]
    one, other = (each.joints().sort_values(order, ignore_index=True) for each in (study, done))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    columns = ["name", "status", "confidence", "worst_frame", "x0", "kernel_drift", "key"]
    pd.testing.assert_frame_equal(study.clips()[columns], done.clips()[columns], check_exact=True)


def setup_of(study: Study) -> dict[str, object]:
    return {"settings": to_mapping(study.settings), "folder": str(study.folder)}


def test_killed_workers_cost_an_attempt_of_their_row(tmp_path: Path, done: Study) -> None:
    study = make(tmp_path, 5, 30)
    *_, last = study.run(engine=Killing(setup_of(study), 1), attempts=3)
    assert (last.done, last.failed) == (2, 0)
    assert sorted(study.clips()["attempts"]) == [2, 2]
    same_results(study, done)


def test_a_row_whose_worker_always_dies_is_recorded(tmp_path: Path) -> None:
    study = make(tmp_path, 5)
    (one,) = study.run(engine=Killing(setup_of(study), 1), attempts=2)
    assert one.error == "the worker process was killed by signal 9" and one.failed == 1
    assert study.clips()["error"].tolist() == ["WorkerDied: the worker process was killed by signal 9"]


def test_a_killed_driver_loses_nothing_and_leaves_no_worker(tmp_path: Path, done: Study) -> None:
    study = make(tmp_path, 5, 30)
    first = study._store.part(study.rows[0].name, study.rows[0].groups)
    command = [sys.executable, "-m", "dkd", "study", "run", str(study.folder), "--workers", "1", "--quiet"]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not first.exists():
        assert driver.poll() is None, driver.communicate()[1]
        time.sleep(0.02)
    workers = psutil.Process(driver.pid).children()
    driver.kill()
    driver.communicate()
    assert len(workers) == 1 and psutil.wait_procs(workers, 120)[1] == []
    before = first.stat().st_mtime_ns
    assert main(["study", "run", str(study.folder), "--workers", "1", "--quiet"]) == 0
    assert first.stat().st_mtime_ns == before  # it was finished, and is not done again
    same_results(study, done)


def test_a_silent_worker_is_stopped(tmp_path: Path) -> None:
    study = make(tmp_path, 5)

    class Sleeping(LocalEngine):
        """Stops the process once it has a row, as a disk that does not answer would."""

        def _next_message(self) -> tuple[_Worker, dict[str, object] | None] | None:
            found = super()._next_message()
            if found is not None and (found[1] or {}).get("ready"):
                os.kill(found[0].pid, signal.SIGSTOP)
                self._patience_s = 0.0  # from now on: a worker that starts takes longer
            return found

    (one,) = study.run(engine=Sleeping(setup_of(study), 1), attempts=1)
    assert one.error is not None and one.error.startswith("the worker gave no sign of life for 0 s and was stopped")


def test_a_full_disk_ends_the_run_and_keeps_what_is_done(copied: Study, done: Study) -> None:
    second = copied.rows[1]
    copied._store.part(second.name, second.groups).unlink()
    program = (  # no file of the driver or its workers can grow beyond 2 kB
        "import resource, sys; from dkd.cli.main import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program, "study", "run", str(copied.folder), "--workers", "1", "--quiet"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 2 and "cannot write" in ran.stderr and "Traceback" not in ran.stderr
    assert Study(copied.folder).clips()["name"].tolist() == done.clips()["name"].tolist()  # the old table is whole
    assert main(["study", "run", str(copied.folder), "--workers", "1", "--quiet"]) == 0
    same_results(copied, done)


def test_two_drivers_do_not_run_one_study(copied: Study) -> None:
    with FileLock(copied.folder / ".lock"), pytest.raises(RunBusyError, match="is being run by another process"):
        list(copied.run())


def test_a_model_that_cannot_be_used_is_said_once(copied: Study) -> None:
    (copied.folder / "mine.safetensors").write_bytes(b"no model")
    write_settings(
        copied.folder / "study.yaml", StudySettings(model=str(copied.folder / "mine.safetensors"), engine="torch")
    )
    with pytest.raises(WorkerError, match="the study cannot start .CheckpointError."):
        list(Study(copied.folder).run(1))
    write_settings(copied.folder / "study.yaml", StudySettings(model="dkd-mobilnet"))
    with pytest.raises(ConfigError, match="expected the name of a shipped model"):
        list(Study(copied.folder).run(1))


def test_a_study_is_made_of_a_folder_and_grows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (
        "walk/anna/a.mp4",
        "walk/ben/b.MOV",
        "top.avi",
        "run/frames/1.png",
        "run/frames/2.png",
        ".trash/x.mp4",
    ):
        (tmp_path / "videos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "videos" / name).touch()
    command = [
        "study",
        "init",
        str(tmp_path / "videos"),
        "-o",
        str(tmp_path / "study"),
        "--folders",
        "condition",
        "who",
    ]
    assert main(command) == 0 and capsys.readouterr().out.startswith("4 videos: ")
    study = Study(tmp_path / "study")
    assert [(row.video, *row.groups.values()) for row in study.rows] == [
        ("../videos/run/frames", "run", ""),
        ("../videos/top.avi", "", ""),
        ("../videos/walk/anna/a.mp4", "walk", "anna"),
        ("../videos/walk/ben/b.MOV", "walk", "ben"),
    ]
    assert study.settings == StudySettings() == read_settings(tmp_path / "study" / "study.yaml")
    assert main(command) == 2 and "there is a study in" in capsys.readouterr().err
    (tmp_path / "videos" / "new.webm").touch()
    assert main(["study", "add", str(tmp_path / "videos"), "-o", str(tmp_path / "study")]) == 0
    assert capsys.readouterr().out == "1 videos added: 5 rows\n"
    assert study.add(tmp_path / "videos") == 0
    assert main(["study", "init", str(tmp_path / "study"), "-o", str(tmp_path / "other")]) == 2
    assert "there is no video in" in capsys.readouterr().err and not (tmp_path / "other").exists()


def test_the_clips_to_look_at_first_are_shown(done: Study, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "show", str(done.folder), "-n", "1", "--by", "kernel_drift"]) == 0
    shown = capsys.readouterr().out.splitlines()
    drift = done.clips().set_index("video")["kernel_drift"]
    assert shown[0] == f"2 of 2 clips are done, {2 * FRAMES} frames" and len(shown) == 3
    assert shown[2].split()[0] == drift.idxmax()
    assert main(["study", "show", str(done.folder.parent)]) == 2
    assert f"did you mean {done.folder}?" in capsys.readouterr().err
    assert main(["study", "show", str(done.folder), "--by", "confidense"]) == 2
    assert "did you mean 'confidence'?" in capsys.readouterr().err


def test_refined_joints_are_a_setting_of_the_study(copied: Study, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows are done again where it changes, the table and the paragraph say it, and a plain trace finds the same."""
    assert not copied.clips()["refined"].any() and "refined" not in copied.methods()
    before = copied.joints()
    assert main(["study", "run", str(copied.folder), "--refine", "--workers", "1", "--quiet"]) == 0
    refined = Study(copied.folder)
    assert refined.settings == dataclasses.replace(SETTINGS, refine=True)
    assert refined.clips()["refined"].all()
    assert "joints were refined by up to two cells of the heatmap with the model's initializer" in refined.methods()
    joints = refined.joints()
    assert (joints[["frame", "joint", "score"]] == before[["frame", "joint", "score"]]).all().all()
    assert 0 < np.abs(joints[["x", "y"]] - before[["x", "y"]]).to_numpy().max() < 60
    row = refined.rows[0]
    with refined.trace(row.name, progress=False) as trace:
        stored = refined.joints_of(row.name, ["x", "y"]).to_numpy(np.float32)
        assert np.array_equal(stored.reshape(trace.joints.shape), trace.joints) and trace.conditions.refine
    poses = load_poses(refined.folder / "exports" / f"{row.name}.slp")
    assert poses.software == f"{DEFAULT_MODEL}+refined"
    assert list(refined.run(engine=NoWorker({}))) == []
    assert main(["study", "run", str(copied.folder), "--no-refine", "--workers", "1", "--quiet"]) == 0
    pd.testing.assert_frame_equal(Study(copied.folder).joints(), before)
    with pytest.raises(ConfigError, match="did you mean 'refine'"):
        copied.change(refined=True)
