"""A study whose results are in an object store, a server that speaks S3: equal to one on a disk, whatever happens."""

from __future__ import annotations

import dataclasses
import io
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pandas as pd
import psutil
import pyarrow.parquet as pq
import pytest

from dkd import Study, load_poses
from dkd.cli.main import main
from dkd.errors import ConfigError, DatasetError, StorageError
from dkd.studies.settings import StudySettings, write_settings
from dkd.studies.store import Store
from dkd.studies.table import read_table, write_table
from tests.studies.test_study import FRAMES, SETTINGS, NoWorker, make, same_results
from tests.support.object_store import ObjectStore

STOPS = (5, 30)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The study with its results on a disk."""
    study = make(tmp_path_factory.mktemp("done"), *STOPS)
    assert [one.error for one in study.run(1)] == [None] * len(STOPS)
    return study


def stored(folder: Path, server: ObjectStore, *stops: int) -> tuple[Study, str]:
    """A study whose results go to the store, and the name of their folder there."""
    server.put("made", b"")  # the bucket
    name = f"results-{uuid.uuid4().hex[:8]}"
    study = make(folder, *(stops or STOPS))
    write_settings(study.folder / "study.yaml", dataclasses.replace(SETTINGS, results=f"s3://clips/{name}/"))
    study.read()
    return study, name


def whole_files(server: ObjectStore, name: str) -> list[str]:
    """The files in the store; each that ends as Parquet is checked to be a whole one."""
    import s3fs

    store = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
    names = server.names(name)
    for one in names:
        if one.endswith(".parquet"):
            pq.read_table(io.BytesIO(store.cat_file(f"clips/{name}/{one}")))
    return names


def test_the_results_are_those_on_a_disk_and_other_tools_read_them(
    tmp_path: Path, done: Study, server: ObjectStore, capsys: pytest.CaptureFixture[str]
) -> None:
    study, name = stored(tmp_path, server)
    assert main(["study", "run", str(study.folder), "--workers", "1", "--quiet"]) == 0
    same_results(study, done)
    assert sorted(path.name for path in study.folder.iterdir()) == [".lock", "study.csv", "study.yaml"]
    names = whole_files(server, name)
    rows = {row.name: row.groups["condition"] for row in study.rows}
    parts = [f"joints/condition={group}/{row}.parquet" for row, group in rows.items()]
    exports = [f"exports/{row}.slp" for row in rows]
    assert names == sorted([*parts, *exports, "clips.parquet", "study.csv", "study.yaml"])

    joints = pd.read_parquet(f"s3://clips/{name}/joints")  # as any tool that knows Hive's layout
    assert joints["condition"].value_counts().to_dict() == {"stand still": FRAMES * 13, "walk": FRAMES * 13}
    clips = pd.read_parquet(f"s3://clips/{name}/clips.parquet")
    pd.testing.assert_frame_equal(clips, study.clips())
    import s3fs

    data = s3fs.S3FileSystem(skip_instance_cache=True).cat_file(f"clips/{name}/{exports[0]}")
    (tmp_path / "a.slp").write_bytes(data)
    ours = study.joints_of(study.rows[0].name)
    assert load_poses(tmp_path / "a.slp").xy[:, 0].ravel() == pytest.approx(
        ours[["x", "y"]].to_numpy().ravel(), abs=1e-3
    )

    assert main(["study", "show", str(study.folder)]) == 0
    assert capsys.readouterr().out.startswith(f"2 of 2 clips are done, {2 * FRAMES} frames")
    assert list(study.run(engine=NoWorker({}))) == []  # nothing is done twice


def test_only_what_is_missing_or_changed_is_done_again(tmp_path: Path, done: Study, server: ObjectStore) -> None:
    study, name = stored(tmp_path, server)
    list(study.run(1))
    first, second = study.rows
    import s3fs

    store = s3fs.S3FileSystem(skip_instance_cache=True)
    store.rm_file(str(study._store.part(second.name, second.groups)))
    (one,) = study.run(1)
    assert one.name == second.name
    same_results(study, done)
    store.rm_file(f"clips/{name}/clips.parquet")  # made again from the parts
    assert list(study.run(engine=NoWorker({}))) == []
    same_results(study, done)

    rows = read_table(study.folder / "study.csv")
    rows[0].groups["condition"] = "a/b=c"
    write_table(study.folder / "study.csv", rows)
    assert list(study.run(engine=NoWorker({}))) == []
    assert study.joints().groupby("condition").size().to_dict() == {"a/b=c": FRAMES * 13, "walk": FRAMES * 13}
    write_table(study.folder / "study.csv", rows[:1])
    assert list(study.run(engine=NoWorker({}))) == []
    assert study.clips()["name"].tolist() == [first.name]
    removed = [one for one in whole_files(server, name) if one.startswith("removed/")]
    assert removed == [f"removed/exports/{second.name}.slp", f"removed/joints/condition=walk/{second.name}.parquet"]


def test_a_killed_driver_leaves_only_whole_files(tmp_path: Path, done: Study, server: ObjectStore) -> None:
    study, name = stored(tmp_path, server)
    command = [sys.executable, "-m", "dkd", "study", "run", str(study.folder), "--workers", "1", "--quiet"]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not any(one.startswith("joints/") for one in server.names(name)):
        assert driver.poll() is None, driver.communicate()[1]
        time.sleep(0.05)
    workers = psutil.Process(driver.pid).children()
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    assert psutil.wait_procs(workers, 120)[1] == []
    names = whole_files(server, name)
    assert main(["study", "run", str(study.folder), "--workers", "1", "--quiet"]) == 0
    same_results(study, done)
    assert set(names) <= set(whole_files(server, name))


def test_a_store_that_goes_away_ends_the_run_and_the_same_command_goes_on(
    tmp_path: Path, done: Study, server: ObjectStore
) -> None:
    study, name = stored(tmp_path, server)
    records = study.run(1)
    first = next(records)
    server.go_away()
    try:
        with pytest.raises(StorageError, match=f"cannot write s3://clips/{name}/.*run the study again to go on"):
            list(records)
        with pytest.raises(DatasetError, match=f"s3://clips/{name}/clips.parquet cannot be read.*network"):
            study.clips()
        with pytest.raises(DatasetError, match="cannot be read"):
            list(study.run(engine=NoWorker({})))
    finally:
        server.come_back()
    assert [one for one in whole_files(server, name) if one.startswith("joints/")] != []
    (second,) = study.run(1)
    assert {first.name, second.name} == {row.name for row in study.rows}
    same_results(study, done)


def test_an_upload_that_is_cut_leaves_the_old_file(tmp_path: Path, server: ObjectStore) -> None:
    server.put("made", b"")
    store = Store("s3://clips/cut")
    path = store.place.root / "study.csv"
    (tmp_path / "study.csv").write_bytes(b"old")
    store.copy_here([tmp_path / "study.csv"])
    (tmp_path / "study.csv").write_bytes(b"new" * 100_000)
    server.cut_after = 100_000
    store.copy_here([tmp_path / "study.csv"])  # s3fs tries it again
    assert server.cut_after is None and store.place.system.cat_file(str(path)) == b"new" * 100_000
    (tmp_path / "study.csv").write_bytes(b"newer" * 100_000)
    server.go_away()
    try:
        with pytest.raises(StorageError, match="cannot write s3://clips/cut/study.csv"):
            store.copy_here([tmp_path / "study.csv"])
    finally:
        server.come_back()
    assert store.place.system.cat_file(str(path)) == b"new" * 100_000


def test_results_of_another_study_are_not_touched(
    tmp_path: Path, server: ObjectStore, capsys: pytest.CaptureFixture[str]
) -> None:
    study, name = stored(tmp_path, server)
    list(study.run(1))
    before = server.names(name)
    table = study.folder / "study.csv"
    table.write_text(table.read_text().replace("Anna", "Ben"))
    with pytest.raises(ConfigError, match=f"the 2 results in s3://clips/{name}/ are of another study"):
        list(study.run(engine=NoWorker({})))
    assert server.names(name) == before
    for bad in ("http://a/b", "file:///a/b", "results", "memory://x"):
        with pytest.raises(ConfigError, match="expected the address of a folder in an object store"):
            StudySettings(results=bad)
    init = ["study", "init", str(tmp_path / "videos"), "-o", str(tmp_path / "other"), "--set"]
    assert main([*init, "results=http://a/b"]) == 2
    assert "s3://bucket/study" in capsys.readouterr().err and not (tmp_path / "other").exists()
    assert main([*init, "results=s3://no-bucket/a"]) == 0
    assert main(["study", "run", str(tmp_path / "other"), "--quiet"]) == 2
    assert "cannot write s3://no-bucket/a/study.csv" in capsys.readouterr().err
