"""Temporary files: removed when their maker has ended, and never before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dkd.errors import StorageError, VideoNotFoundError
from dkd.io import leftovers
from dkd.io.files import atomic_folder, atomic_path
from dkd.io.leftovers import is_left_over, temporary_folder, temporary_name

_KILLED = """
import os, signal, sys
from pathlib import Path
from dkd.io.files import atomic_folder, atomic_path
from dkd.io.leftovers import temporary_folder
target = Path(sys.argv[2])
manager = {"path": atomic_path, "folder": atomic_folder}[sys.argv[1]](target) if sys.argv[1] != "temporary" else (
    temporary_folder("samples"))
with manager as temporary:
    (temporary / "half" if temporary.is_dir() else temporary).write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_while_writing(kind: str, target: Path, temporary: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, kind, str(target)], env={**os.environ, "TMPDIR": str(temporary)}
    )
    assert done.returncode == -signal.SIGKILL


@pytest.fixture(autouse=True)
def nothing_is_tidied_yet(monkeypatch) -> None:
    monkeypatch.setattr(leftovers, "_tidied", set())


@pytest.mark.parametrize("kind", ["path", "folder"])
def test_what_a_killed_process_left_is_removed_by_the_next_one(tmp_path, kind) -> None:
    killed_while_writing(kind, tmp_path / "result", tmp_path)
    (left,) = tmp_path.iterdir()
    assert is_left_over(left) and left.name.startswith("result.")
    with atomic_path(tmp_path / "other.txt") as temporary:
        temporary.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]


def test_a_temporary_folder_of_a_killed_process_is_removed_by_the_next_one(tmp_path, monkeypatch) -> None:
    killed_while_writing("temporary", tmp_path, tmp_path)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 1
    with temporary_folder("samples") as folder:
        assert list(tmp_path.iterdir()) == [folder] and folder.stat().st_mode & 0o077 == 0
    assert not list(tmp_path.iterdir())


def test_what_others_are_writing_is_kept(tmp_path, monkeypatch) -> None:
    mine = tmp_path / temporary_name("mine")
    theirs = tmp_path / mine.name.replace(f"-{os.getpid()}-", f"-{os.getppid()}-")
    elsewhere = tmp_path / "a.00000000-1-0.tmp"
    not_ours = [tmp_path / "notes.tmp", tmp_path / "clip.1234.tmp", tmp_path / "a.b-1-0.tmp"]
    for path in (mine, theirs, elsewhere, *not_ours):
        path.write_text("")
    leftovers.tidy(tmp_path)
    assert {*tmp_path.iterdir()} == {mine, theirs, elsewhere, *not_ours}
    two_days_ago = elsewhere.stat().st_mtime - 2 * 86400
    os.utime(elsewhere, (two_days_ago, two_days_ago))  # another machine's, which nobody has written to for two days
    monkeypatch.setattr(leftovers, "_tidied", set())
    leftovers.tidy(tmp_path)
    assert not elsewhere.exists() and {*tmp_path.iterdir()} == {mine, theirs, *not_ours}


def test_a_folder_that_was_about_to_be_replaced_gets_its_name_back(tmp_path) -> None:
    place = tmp_path / "poses"
    place.mkdir()
    (place / "0.json").write_text("old")
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    old = tmp_path / temporary_name("poses", "old").replace(f"-{os.getpid()}-", f"-{ended.stdout.strip()}-")
    os.replace(place, old)  # killed between the two renames
    leftovers.tidy(tmp_path)
    assert (place / "0.json").read_text() == "old" and not old.exists()


def test_two_threads_may_write_one_file(tmp_path) -> None:
    ready = threading.Barrier(2)

    def write(letter: str) -> None:
        with atomic_path(tmp_path / "file") as temporary:
            ready.wait()
            temporary.write_text(letter * 1000)
            ready.wait()

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "file").read_text() in ("a" * 1000, "b" * 1000)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("manager", [atomic_path, atomic_folder])
def test_the_first_error_is_the_one_that_is_told(tmp_path, monkeypatch, manager) -> None:
    """On a read-only disk, removing the temporary file fails as well."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    for name in ("unlink", "replace", "mkdir", "rmdir"):
        monkeypatch.setattr(os, name, refuse)
    with pytest.raises(StorageError, match="Read-only file system"), manager(tmp_path / "a") as temporary:
        (temporary / "b" if manager is atomic_folder else temporary).write_text("x")


def test_an_error_of_what_is_written_keeps_its_type(tmp_path) -> None:
    with pytest.raises(VideoNotFoundError, match="there is no"), atomic_path(tmp_path / "a.mp4"):
        raise VideoNotFoundError("there is no clip.mp4")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_the_file_that_a_link_stands_for_is_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "a.csv", tmp_path / "link.csv"
    link.symlink_to(target)
    for text in ("new", "newer"):  # at first, nothing is there yet
        with atomic_path(link) as temporary:
            temporary.write_text(text)
        assert link.is_symlink() and target.read_text() == text
    assert os.listdir(tmp_path / "there") == ["a.csv"]
    (tmp_path / "round").symlink_to(tmp_path / "round")
    with pytest.raises(StorageError), atomic_path(tmp_path / "round"):
        raise AssertionError("nothing can be written there")
