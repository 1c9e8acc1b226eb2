"""A process is killed, or the disk fails, at each step of writing: the old or the new file is whole, and it goes on.

``make faults`` takes every step and more sizes; ``make test`` a part of them. ``docs/reliability.md`` has the counts.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from tests.faults.kinds import KINDS, NEW, OLD
from tests.support.faults import Shim, full, in_a_process, kill, limit_size, read_only, remove_folder
from tests.support.processes import start

LONG = bool(os.environ.get("DKD_LONG"))
_SIZES = 24 if LONG else 2
# One process writes these: a run has a lock.
_LOCKED = {"log of a training"}
FAULTS = ("killed", "disk full", "read-only", "folder removed", "two writers")


def check_kinds(connection: Connection, place: str) -> None:
    """Check each kind when its name is received; send the number of tries per fault, and what went wrong."""
    while name := connection.recv():
        (folder := Path(place) / str(list(KINDS).index(name))).mkdir()
        connection.send(check_kind(name, str(folder)))


def check_kind(name: str, place: str) -> tuple[dict[str, int], list[str]]:
    """Try all faults on one kind of file."""
    counts, wrong = dict.fromkeys(FAULTS, 0), list[str]()
    kind = KINDS[name]
    read = {version: _read_of(name, Path(place), version) for version in (OLD, NEW)}
    for number, (fault, about, prepare) in enumerate(_faults(name, Path(place))):
        folder = Path(place) / str(number)
        shutil.copytree(Path(place) / "old", folder)
        counts[fault] += 1
        said = in_a_process(partial(kind.write, folder, NEW), partial(prepare, folder))
        found = _read(name, folder)
        if said.startswith("UNTYPED"):
            wrong.append(f"{about}: {said}")
        if fault != "folder removed" and not (
            found in (read[OLD], read[NEW]) or (name == "rendered people" and found.startswith("UNTYPED: FileNotFound"))
            or name == "log of a training" and found in map(str, range(OLD, NEW + 1))
        ):  # fmt: skip
            wrong.append(f"{about}: found {found[:200]} after {said[:200]}")
        if said == "None" and fault not in ("folder removed",) and found != read[NEW]:
            wrong.append(f"{about}: said that all is well, but the new version is not there")
        again = in_a_process(partial(kind.write, folder, NEW))
        after = _read(name, folder)
        if again.startswith(("UNTYPED", "error")) or after != read[NEW]:
            wrong.append(f"{about}: does not go on: {again[:200]}, {after[:200]}")
        left = [p.name for p in folder.rglob("*") if re.search(r"\.(tmp|old)$", p.name)]
        if left:
            wrong.append(f"{about}: left {left}")
        shutil.rmtree(folder, ignore_errors=True)
    return counts, wrong


def _read_of(name: str, place: Path, version: int) -> str:
    if name == "rendered people":  # it has one version, which is complete or not
        (place / "old").mkdir(exist_ok=True)
        return str(version)
    folder = place / ("old" if version == OLD else "new")
    folder.mkdir()
    in_a_process(lambda: KINDS[name].write(folder, version))
    return _read(name, folder)


def _read(name: str, folder: Path) -> str:
    try:
        return repr(KINDS[name].read(folder))[-1900:]
    except Exception as error:
        return f"UNTYPED: {type(error).__name__}: {error}"


def _faults(name: str, place: Path) -> Iterator[tuple[str, str, Callable[[Path], Any]]]:
    """Yield the kind of each fault, its description, and what prepares a process for it."""
    folder = shutil.copytree(place / "old", place / "counted")

    def counted() -> int:
        shim = Shim(folder, lambda: None, None)
        KINDS[name].write(folder, NEW)
        return shim.count

    steps = int(in_a_process(counted))
    size = max((p.stat().st_size for p in folder.rglob("*") if p.is_file()), default=0)
    taken = range(steps) if LONG else sorted({0, steps // 2, steps - 2, steps - 1})
    for at in taken:
        yield "killed", f"killed at step {at} of {steps}", partial(Shim, act=kill, at=at)
        yield "disk full", f"disk full at step {at} of {steps}", partial(Shim, act=full, at=at)
        yield "folder removed", f"removed at step {at} of {steps}", partial(_removed, at=at)
    for part in range(_SIZES):
        n = size * part // _SIZES
        yield "killed", f"killed at byte {n} of {size}", partial(_limited, n=n, deadly=True)
        yield "disk full", f"disk full at byte {n} of {size}", partial(_limited, n=n, deadly=False)
    yield "read-only", "read-only", partial(Shim, act=read_only, at=None)
    for turn in range(0 if name in _LOCKED else 4 if LONG else 1):
        yield "two writers", f"two writers, turn {turn}", partial(_fork_another, name)


def _removed(folder: Path, at: int) -> None:
    Shim(folder, partial(remove_folder, folder), at)


def _limited(folder: Path, n: int, deadly: bool) -> None:
    limit_size(n, deadly)


def _fork_another(name: str, folder: Path) -> None:
    """Start a second process that writes the same; both run on."""
    if os.fork() == 0:
        try:
            KINDS[name].write(folder, NEW)
        finally:
            os._exit(0)


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A process without threads, which can be forked for each fault."""
    process, connection = start(check_kinds, str(tmp_path_factory.mktemp("faults")))
    yield connection
    connection.send("")
    process.join()


@pytest.mark.parametrize("name", KINDS)
def test_the_old_or_the_new_file_is_whole_and_the_next_try_succeeds(name: str, checker: Connection) -> None:
    checker.send(name)
    counts, wrong = checker.recv()
    assert not wrong, "\n".join(wrong[:12])
    assert all(count for fault, count in counts.items() if fault != "two writers" or name not in _LOCKED), counts
    if LONG:
        print("|", name, "|", " | ".join(str(counts[fault]) for fault in FAULTS), "|")
