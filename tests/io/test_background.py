"""A process ends cleanly while its threads compute."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from dkd.io import background
from dkd.io.background import start_thread

# What a workbench does: a trace is made in a thread, and the process ends meanwhile.
_TRACES = """
import threading
import numpy as np
from dkd import Clip, Trace, build_model
from dkd.io.background import start_thread
frames = np.random.default_rng(0).integers(0, 255, (2000, 96, 128, 3), dtype=np.uint8)
begun = threading.Event()
model = build_model("dkd-tiny", channels=16).eval()
start_thread(lambda: Trace(model, Clip.from_array(frames), (10, 10, 110, 90), progress=False,
                           cancel=lambda: begun.set()), name="traces")
begun.wait()
"""


def test_a_process_whose_thread_runs_a_network_ends_cleanly_each_time() -> None:
    """With a plain daemon thread, two of three such processes were aborted."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DKD_ENGINE": "torch"}
    started = [
        subprocess.Popen([sys.executable, "-c", _TRACES], env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in started:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0 and "terminate" not in said, said


def test_threads_are_told_to_stop_and_waited_for(monkeypatch) -> None:
    monkeypatch.setattr(background, "_ending", threading.Event())
    told, ended = threading.Event(), threading.Event()

    def fail() -> None:
        raise RuntimeError("a stop that fails does not keep the others running")

    def work() -> None:
        told.wait()
        ended.set()

    start_thread(told.wait, name="first", stop=fail)
    start_thread(work, name="second", stop=told.set)
    background._end()
    assert ended.is_set() and background.is_ending()
