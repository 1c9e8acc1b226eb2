"""Threads that compute in the background, and end before the process does.

A daemon thread that is inside PyTorch, OpenCV or another library in C++ when Python ends is stopped in the middle of a
function that must not be left: the process is then aborted ("terminate called without an active exception"). So the
threads of this module are asked to stop and waited for at exit. What takes long looks at :func:`is_ending` now and
then; a trace does so before each frame.
"""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

PATIENCE_S = 20.0  # a step of the largest model takes a few seconds
_ending = threading.Event()
_threads: weakref.WeakKeyDictionary[threading.Thread, Callable[[], object]] = weakref.WeakKeyDictionary()


def start_thread(
    work: Callable[..., object], *args: Any, name: str, stop: Callable[[], object] = lambda: None
) -> threading.Thread:
    """Start a daemon thread that is waited for when the process ends.

    Args:
        work: function to run; it must end soon after :func:`is_ending` has become true.
        args: its arguments.
        name: name of the thread.
        stop: called at exit, before the thread is waited for: to wake it up, if it waits for something to do.
    """
    thread = threading.Thread(target=work, args=args, name=name, daemon=True)
    _threads[thread] = stop
    thread.start()
    return thread


def is_ending() -> bool:
    """Return whether the process is about to end."""
    return _ending.is_set()


@atexit.register
def _end() -> None:
    _ending.set()
    deadline = time.monotonic() + PATIENCE_S
    alive = [(thread, stop) for thread, stop in list(_threads.items()) if thread.is_alive()]
    for _, stop in alive:
        with suppress(Exception):  # nobody would see it, and the other threads are to be stopped as well
            stop()
    for thread, _ in alive:
        if thread is not threading.current_thread():
            thread.join(max(0.0, deadline - time.monotonic()))
