"""A study on a Ray cluster of two workers, and videos in a server that speaks S3: equal to a run in one process."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest

from dkd import Study
from dkd.cli.main import main
from dkd.errors import ConfigError, VideoError, VideoNotFoundError
from dkd.studies.cluster import _local
from dkd.studies.local import WorkerError
from dkd.studies.settings import write_settings
from dkd.studies.sources import Listing, Videos
from tests.studies.test_study import SETTINGS, NoWorker, make
from tests.support.object_store import ObjectStore

STOPS = (5, 30, 10, 20)
LONG = pytest.mark.skipif("DKD_LONG" not in os.environ, reason="workers are started again; make cluster runs it")
TIMES = ["seconds", "finished", "attempts", "video", "key", "video_mtime_ns", "video_bytes", "name"]


@pytest.fixture(scope="module")
def cluster(server: ObjectStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Ray on this machine with two workers, which find the server of S3."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        with _local(2):
            yield
        assert list(Path.home().rglob("*token*")) == []


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The study as one process of this machine does it."""
    study = make(tmp_path_factory.mktemp("done"), *STOPS)
    assert [one.error for one in study.run(1)] == [None] * len(STOPS)
    return study


def same_results(study: Study, done: Study) -> None:
    """Joints and clips are the same bit for bit, but for times, attempts, and where the videos are."""
    both = []
    for each in (study, done):
        starts = pd.DataFrame({"video": [row.video for row in each.rows], "start": [row.start for row in each.rows]})
        joints = each.joints().merge(starts, on="video").drop(columns="video")
        both.append(joints.sort_values(["start", "frame", "joint"], ignore_index=True))
    pd.testing.assert_frame_equal(both[0], both[1], check_exact=True)
    clips = [each.clips().drop(columns=TIMES) for each in (study, done)]
    pd.testing.assert_frame_equal(clips[0], clips[1], check_exact=True)


def processes() -> list[psutil.Process]:
    """The processes of the cluster."""
    return psutil.Process().children(recursive=True)


def busy() -> list[psutil.Process]:
    """The workers of the cluster that do a row now."""
    found = []
    for process in processes():
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name() == "ray::do_task":
                found.append(process)
    return found


def test_an_address_without_a_cluster_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = make(tmp_path, 5)
    with pytest.raises(WorkerError, match="there is no Ray cluster at 127.0.0.1:9 .*ray start --head"):
        list(study.run(engine="ray", address="127.0.0.1:9"))
    for address, engine, said in (("ray://a:1", "ray", "HOST:PORT"), ("a:1", "local", "only the engine 'ray'")):
        with pytest.raises(ConfigError, match=said):
            list(study.run(engine=engine, address=address))
    assert main(["study", "run", str(study.folder), "--engine", "rey"]) == 2
    assert "did you mean 'ray'?" in capsys.readouterr().err


def test_a_cluster_equals_one_process_and_listens_on_loopback_only(
    tmp_path: Path, done: Study, cluster: None, capfd: pytest.CaptureFixture[str]
) -> None:
    study = make(tmp_path, *STOPS)
    assert main(["study", "run", str(study.folder), "--engine", "ray", "--quiet"]) == 0
    same_results(study, done)
    assert study.clips()["attempts"].tolist() == [1] * len(STOPS)
    listening = set()
    for process in processes():
        with contextlib.suppress(psutil.NoSuchProcess):
            listening |= {one.laddr.ip for one in process.net_connections("inet") if one.status == "LISTEN"}
    assert listening and listening <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    assert list(study.run(engine=NoWorker({}))) == []
    assert capfd.readouterr().out == ""


def test_a_killed_worker_and_a_bad_video_cost_only_their_rows(tmp_path: Path, done: Study, cluster: None) -> None:
    study = make(tmp_path, *STOPS)
    bad = study.rows[-1]  # the first two are in work when the worker is killed
    video = study.video(bad)
    whole = video.read_bytes()
    video.write_bytes(whole[:5000])

    def kill() -> None:
        while not (found := busy()):
            time.sleep(0.005)
        os.kill(found[0].pid, signal.SIGKILL)  # it opens the model of this study now, before its first row

    killer = threading.Thread(target=kill)
    killer.start()
    *_, last = study.run(2, engine="ray", attempts=3)
    killer.join()
    assert (last.done, last.failed) == (3, 1)
    *_, failed = clips = list(study.clips().itertuples())  # in the order of the table
    assert (failed.status, failed.attempts) == ("failed", 3) and failed.error.startswith("VideoTruncatedError: ")
    assert sorted(clip.attempts for clip in clips) == [1, 1, 2, 3]
    video.write_bytes(whole)
    (again,) = study.run(2, engine="ray")
    assert again.name == bad.name
    same_results(study, done)


def test_with_videos_and_results_in_a_store_the_machines_need_share_no_disk(
    tmp_path: Path, done: Study, cluster: None, server: ObjectStore
) -> None:
    study = stored(tmp_path, server)
    write_settings(study.folder / "study.yaml", dataclasses.replace(SETTINGS, results="s3://clips/all"))
    assert main(["study", "run", str(study.folder), "--engine", "ray", "--workers", "2", "--quiet"]) == 0
    study.read()
    same_results(study, done)
    assert not (study.folder / "joints").exists() and len(server.names("all/joints")) == len(STOPS)
    assert list(study.run(engine=NoWorker({}))) == []


@LONG
@pytest.mark.parametrize("how", ["the same", "an empty one"])
def test_a_stopped_run_goes_on_and_a_store_that_vanishes_costs_what_is_not_done(
    tmp_path: Path, done: Study, cluster: None, server: ObjectStore, how: str
) -> None:
    study = stored(tmp_path, server)
    records = study.run(2, engine="ray")
    first = next(records)
    records.close()  # type: ignore[attr-defined]
    assert psutil.wait_procs(busy(), 10)[1] == []
    before = study.clips().set_index("name")["finished"]
    assert before.index.tolist() == [first.name]
    server.go_away()
    failed = list(study.run(2, engine="ray", attempts=1))
    assert failed and first.name not in {one.name for one in failed}
    assert all(one.error is not None and "s3://clips/" in one.error for one in failed)
    after = study.clips().set_index("name")
    assert after["status"][first.name] == "done" and after["finished"][first.name] == before[first.name]
    if how == "an empty one":
        server.restart()
    server.come_back()
    if how == "an empty one":
        study = stored(tmp_path, server)  # all videos are newer now
    again = list(study.run(2, engine="ray"))
    assert [one.error for one in again] == [None] * (len(STOPS) - (how == "the same"))
    same_results(study, done)
    assert list(study.run(engine=NoWorker({}))) == []
    with study.trace(study.rows[0].name, progress=False) as trace:
        assert len(trace) == 5


def stored(folder: Path, server: ObjectStore) -> Study:
    """The study with its videos in the store."""
    if not (folder / "study").exists():
        make(folder, *STOPS)
    for video in sorted((folder / "videos").iterdir()):
        server.put(f"walk/{video.name}", video.read_bytes())
    table = folder / "study" / "study.csv"
    table.write_text(table.read_text().replace("../videos/", "s3://clips/walk/"))
    return Study(folder / "study")


def test_one_video_of_a_store_is_kept_at_a_time(
    tmp_path: Path, server: ObjectStore, capsys: pytest.CaptureFixture[str]
) -> None:
    server.put("few/a/one.mp4", b"1" * 1000)
    server.put("few/two.mov", b"2" * 2000)
    server.put("few/.trash/three.mp4", b"3")
    server.put("few/notes.txt", b"4")
    told: list[int] = []
    with Videos() as videos:
        one, state = videos.get("s3://clips/few/a/one.mp4", lambda: told.append(1))
        assert one.read_bytes() == b"1" * 1000 and state["video_bytes"] == 1000 and told
        assert state == Listing().state("s3://clips/few/a/one.mp4")
        assert videos.get("s3://clips/few/a/one.mp4") == (one, state)  # another person in it: not fetched again
        two, _ = videos.get("s3://clips/few/two.mov")
        assert two.stat().st_size == 2000 and not one.exists()
        assert videos.get("here.mp4") == (Path("here.mp4"), {}) and two.exists()
        with pytest.raises(VideoNotFoundError, match="there is no video at s3://clips/few/three"):
            videos.get("s3://clips/few/three.mp4")
    assert not two.parent.exists()
    assert Listing().state("s3://clips/few/three.mp4") is None
    assert main(["study", "init", "s3://clips/few", "-o", str(tmp_path / "study"), "--folders", "who"]) == 0
    rows = Study(tmp_path / "study").rows
    assert [(row.video, row.groups["who"]) for row in rows] == [
        ("s3://clips/few/a/one.mp4", "a"), ("s3://clips/few/two.mov", ""),
    ]  # fmt: skip
    with pytest.raises(VideoError, match="nonsense"):
        Videos().get("nonsense://a/b.mp4")


def test_a_study_on_this_machine_needs_no_ray() -> None:
    program = (
        "import sys; from dkd import Study; import dkd.cli.study, dkd.studies.study, dkd.studies.worker\n"
        "assert not {'ray', 's3fs', 'fsspec'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
