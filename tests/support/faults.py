"""Faults while a file is written: a small shim counts what a process does to a folder, and fails or kills there."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dkd.errors import DKDError

# What is done to a folder, as Python's audit events name it. fsync has no event; it is wrapped.
_EVENTS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod", "os.link", "os.symlink"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Shim:
    """Counts the events below a folder; at the one with number ``at`` (from 0), calls ``act``. ``None``: at each."""

    def __init__(self, folder: Path, act: Callable[[], None], at: int | None):
        self.folder, self.act, self.at = str(folder), act, at
        self.count, self._acting = 0, False
        real = os.fsync

        def fsync(fd: Any) -> None:
            self._seen()
            real(fd)

        os.fsync = fsync
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = (*arguments, None, 0)[:3]
            writes = (flags or 0) & _WRITING or any(letter in (mode or "") for letter in "wax+")
            if writes and str(path).startswith(self.folder):
                self._seen()
        elif event in _EVENTS and any(str(a).startswith(self.folder) for a in arguments if isinstance(a, str | Path)):
            self._seen()

    def _seen(self) -> None:
        if self._acting:
            return
        number, self.count = self.count, self.count + 1
        if self.at is None or number == self.at:
            self._acting = True
            try:
                self.act()
            finally:
                self._acting = False


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_only() -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def limit_size(n_bytes: int, deadly: bool) -> None:
    """No file can grow beyond ``n_bytes`` from now on: writing more is an error, or the end of the process.

    This also holds for what libraries in other languages write.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL if deadly else signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))


def in_a_process(work: Callable[[], object], prepare: Callable[[], object] = lambda: None) -> str:
    """Run ``work`` in a forked process, after ``prepare``.

    Returns:
        What it returned as text; ``"error: …"`` for an error that the library raises on purpose, ``"UNTYPED: …"`` for
        another one, ``"killed"`` if it was killed.
    """
    here, there = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(here)
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            prepare()
            said = f"{work()}"
        except DKDError as error:
            said = f"error: {error}"
        except BaseException as error:
            said = f"UNTYPED: {type(error).__name__}: {error}"
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2) if os.getuid() == 0 else None
        os.write(there, said[:2000].encode())
        os._exit(0)
    os.close(there)
    parts = []
    while part := os.read(here, 65536):
        parts.append(part)
    os.close(here)
    _, status = os.waitpid(process, 0)
    return "killed" if os.WIFSIGNALED(status) else b"".join(parts).decode()


def remove_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
