"""Runs cases of the corpus, each in a process of its own with limits of time and memory."""

from __future__ import annotations

import hashlib
import logging
import os
import resource
import select
import shutil
import signal
import time
import warnings
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from dkd.errors import DKDError
from tests.corpus.cases import Case
from tests.corpus.collection import CASES

SECONDS = 60  # of a processor's time for one input
PATIENCE_S = 600  # for the process, on a busy machine
MEMORY = 600 * 2**20  # bytes for one input, on top of the libraries
_ROOM = 3 * 2**30  # bytes that may be reserved, such as stacks of threads


def run_cases(connection: Connection, place: str) -> None:
    """Run the cases whose numbers are received, and send an outcome for each: a word, and what was said."""
    os.environ["DKD_CORPUS"] = str(Path(place) / "shared")
    while (number := connection.recv()) is not None:
        folder = Path(place) / str(number)
        folder.mkdir()
        connection.send(run_case(CASES[number], folder))
        shutil.rmtree(folder, ignore_errors=True)


def run_case(case: Case, folder: Path) -> tuple[str, str]:
    """Run a case in a forked process.

    Returns:
        ``right``, ``warned`` or ``refused``; else ``wrong``, ``untyped``, ``crash``, ``hang``, ``memory`` or ``files``.
        And the words that go with it.
    """
    here, there = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(here)
        said = "crash: of the test itself"
        try:
            said = _child(case, folder)
        finally:
            os.write(there, said[:4000].encode(errors="replace"))
            os._exit(0)
    os.close(there)
    heard, end = b"", time.monotonic() + PATIENCE_S
    while select.select([here], [], [], max(0.0, end - time.monotonic()))[0]:
        if not (part := os.read(here, 65536)):
            break
        heard += part
    else:
        os.kill(process, signal.SIGKILL)
    os.close(here)
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = "hang" if number in (signal.SIGXCPU, signal.SIGKILL) else "crash"
        return name, signal.Signals(number).name
    word, _, rest = heard.decode(errors="replace").partition(": ")
    return word, rest


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def _child(case: Case, folder: Path) -> str:
    os.dup2(os.open(os.devnull, os.O_RDWR), 2)
    os.chdir(folder)
    warnings.simplefilter("error", RuntimeWarning)
    heard = _Heard()
    logging.getLogger("dkd").addHandler(heard)
    logging.getLogger("dkd").propagate = False
    try:
        use = case.make(folder)
    except Exception as error:
        return f"crash: of the test itself: {type(error).__name__}: {error}{_where(error)}"
    before, base = _content(folder), _memory("VmRSS")
    heard.said.clear()
    with suppress(OSError):  # so that VmHWM is the peak from now on
        Path("/proc/self/clear_refs").write_text("5")
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + SECONDS
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    room = _memory("VmData") + _ROOM
    resource.setrlimit(resource.RLIMIT_DATA, (room, room))
    try:
        said = [*heard.said, *(use() or ()), *heard.said]
        result = f"warned: {said[0]}" if said else "right: "
    except DKDError as error:
        result = f"refused: {type(error).__name__}: {error}"
        if not str(error).strip() or len(str(error)) > 2000:
            result = f"untyped: a message of {len(str(error))} characters: {error}"
    except AssertionError as error:
        result = f"wrong: {error}"
    except BaseException as error:
        result = f"untyped: {type(error).__name__}: {error}{_where(error)}"
    grown = _memory("VmHWM") - base
    if grown > MEMORY:
        return f"memory: {grown >> 20} MB more than before; {result}"
    if (after := _content(folder)) != before and not result.startswith(("right", "warned")):
        changed = sorted(before.items() ^ after.items())
        return f"files: {[name for name, _ in changed][:4]} changed; {result}"
    return result


def _where(error: BaseException) -> str:
    places, trace = [], error.__traceback__
    while trace is not None:
        places.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " at " + " < ".join(places[:-4:-1])


def _content(folder: Path) -> dict[str, str]:
    """Return what lies in a folder: names, and hashes of files."""
    found = {}
    for path in sorted(folder.rglob("*")):
        is_file = path.is_file() and not path.is_symlink()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if is_file else "no file"
        found[str(path.relative_to(folder))] = digest
    return found


def _memory(name: str) -> int:
    """Return a number of bytes from Linux's record of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {name}")
