"""Lists of runs: what is on the disk decides, and one bad folder does not hide the others."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from dkd.cli.main import main
from dkd.errors import CheckpointError, DKDError
from dkd.io.locks import is_locked
from dkd.training.run import Run
from dkd.training.runs import list_runs
from dkd.training.trainer import train
from tests.support.dotted_people import dotted_people, quick
from tests.support.processes import hold, start


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "good"
    list(train(quick("steps=2", "snapshot_every=1"), folder, people=dotted_people(), validation=()))
    return folder


@pytest.fixture
def root(finished, tmp_path) -> Path:
    shutil.copytree(finished, tmp_path / "runs" / "good")
    shutil.copytree(finished, tmp_path / "runs" / "bad")
    return tmp_path / "runs"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def without(path: Path, *keys: str) -> None:
    content = json.loads(path.read_text())
    for key in keys:
        del content[key]
    path.write_text(json.dumps(content))


def with_steps(path: Path, value: object) -> None:
    content = json.loads(path.read_text())
    content["config"]["steps"] = value
    path.write_text(json.dumps(content))


def _lock_folder(folder: Path) -> None:
    (folder / "lock").unlink(missing_ok=True)
    (folder / "lock").mkdir()


LEFT_OUT: dict[str, Callable[[Path], object]] = {
    "a cut state": lambda f: cut(f / "state.safetensors"),
    "an empty state": lambda f: (f / "state.safetensors").write_bytes(b""),
    "a cut result": lambda f: cut(f / "model.safetensors"),
    "a cut run.json": lambda f: cut(f / "run.json"),
    "an empty run.json": lambda f: (f / "run.json").write_text(""),
    "a run.json of another kind": lambda f: (f / "run.json").write_text("[]"),
    "a run.json without settings": lambda f: without(f / "run.json", "config"),
    "a run.json without a start": lambda f: without(f / "run.json", "started"),
    "a run.json in Latin-1": lambda f: (f / "run.json").write_bytes(b'{"format": "f\xfcr"}'),
    "a run.json nested deeply": lambda f: (f / "run.json").write_text("[" * 100_000),
    "a setting that is not a number": lambda f: with_steps(f / "run.json", float("nan")),
    "a log of another kind": lambda f: (f / "log.csv").write_text("a,b\n1,2\n"),
    "a log in another encoding": lambda f: (f / "log.csv").write_bytes(b"step,loss\n1,\xff\xfe\n"),
}  # fmt: skip
SHOWN: dict[str, Callable[[Path], object]] = {
    "an empty log": lambda f: (f / "log.csv").write_text(""),
    "a log with only a header": lambda f: (f / "log.csv").write_text("step,loss\n"),
    "a cut log": lambda f: cut(f / "log.csv"),
    "words in the log": lambda f: (f / "log.csv").write_text("step,loss\n1,many\n"),
    "no log": lambda f: (f / "log.csv").unlink(),
    "a strange snapshot": lambda f: (f / "snapshots" / "step_last.safetensors").write_bytes(b""),
    "a folder called lock": _lock_folder,
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_run_that_cannot_be_read_is_left_out_and_named(root, name, caplog) -> None:
    LEFT_OUT[name](root / "bad")
    assert list_runs(root)["run"].tolist() == ["good"]
    (line,) = [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]
    assert "bad" in line and "\n" not in line[:-1]
    run = Run(root / "bad")
    with pytest.raises(DKDError):
        run.info(), run.config(), run.log(), run.steps_done()


@pytest.mark.parametrize("name", SHOWN)
def test_a_run_that_lost_something_is_shown(root, name) -> None:
    SHOWN[name](root / "bad")
    table = list_runs(root).set_index("run")
    assert set(table.index) == {"good", "bad"}
    assert table.loc["bad", "status"] == "finished" and table.loc["bad", "step"] == 2


def test_a_disk_that_fills_up_between_the_result_and_the_state(root) -> None:
    """The result is written first; the run is finished, and says so."""
    (root / "bad" / "state.safetensors").unlink()
    row = list_runs(root).set_index("run").loc["bad"]
    assert (row["status"], row["step"], row["steps"]) == ("finished", 2, 2)
    (root / "bad" / "model.safetensors").unlink()
    row = list_runs(root).set_index("run").loc["bad"]
    assert (row["status"], row["step"]) == ("stopped", 0)


def test_a_run_on_a_read_only_disk_is_not_running(root, monkeypatch) -> None:
    FileLock(root / "good" / "lock").acquire().lock.release()
    real = os.open

    def read_only(path, flags, *arguments, **more):
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(30, "Read-only file system")
        return real(path, flags, *arguments, **more)

    monkeypatch.setattr(os, "open", read_only)
    assert list_runs(root)["status"].tolist() == ["finished", "finished"]


def test_a_run_that_another_process_trains_is_running_also_on_a_read_only_disk(root, monkeypatch) -> None:
    process, connection = start(hold, str(root / "good" / "lock"))
    assert connection.recv() == "held"
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, flags, *more, **named: real(path, flags & ~os.O_RDWR, *more, **named))
    assert is_locked(root / "good" / "lock") and Run(root / "good").busy
    connection.send("end")
    process.join()
    assert not is_locked(root / "good" / "lock")


def test_a_state_that_is_none(root) -> None:
    from safetensors.torch import save_file
    from torch import zeros

    save_file({"x": zeros(1)}, root / "bad" / "state.safetensors", metadata={"format": "dkd-run/1"})
    with pytest.raises(CheckpointError, match="no step"):
        Run(root / "bad").load_state()
    with pytest.raises(DKDError):
        list(train(quick("steps=2", "snapshot_every=1"), root / "bad", people=dotted_people(), validation=()))


def test_a_run_goes_on_with_its_own_settings(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--run", str(root / "good"), "--show"]) == 0
    assert "steps: 2\n" in capsys.readouterr().out


REFUSED_FOLDERS: dict[str, tuple[list[str], str]] = {
    "other settings": (["--set", "steps=3"], "holds a run with different settings"),
    "a file": ([], "expected a folder, got the file"),
}


@pytest.mark.parametrize("case", list(REFUSED_FOLDERS))
def test_the_folder_is_checked_before_the_data(root: Path, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    """There are no rendered people here, which a training would miss next."""
    words, message = REFUSED_FOLDERS[case]
    assert main(["train", "--run", str(root / "good" / ("log.csv" if case == "a file" else "")), *words]) != 0
    err = capsys.readouterr().err
    assert message in err and len(err.strip().splitlines()) == 1, err


def test_a_run_in_use_is_named_before_the_data(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process, connection = start(hold, str(root / "good" / "lock"))
    assert connection.recv() == "held"
    assert main(["train", "--run", str(root / "good")]) != 0
    assert "another process is training in" in capsys.readouterr().err
    connection.send(None)
    process.join()
