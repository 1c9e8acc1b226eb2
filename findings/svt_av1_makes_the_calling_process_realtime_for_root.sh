#!/bin/bash
# PyAV 18.1.0 (the SVT-AV1 in its wheel), Linux, as root: encoding a few AV1 frames puts the thread that calls the encoder,
# and all of the encoder's own, under SCHED_FIFO at priority 99. It stays so after the container is closed, and each process
# that is started later inherits it: a fork, a subprocess, the workers of a pool.
# Hurts: containers and continuous integration run as root. After one test that writes an AV1 clip, that test process and
# all its children keep every other process of the machine waiting: on two cores, two busy workers stopped all else for
# ten minutes. Restore the policy of every thread after encoding, or encode in a process of its own.
# Seen: before: SCHED_OTHER; closed: SCHED_FIFO 99; child process: SCHED_FIFO 99; threads left behind: more than 10
set -euo pipefail
if [ "$(uname -s)" != Linux ] || [ "$(id -u)" != 0 ]; then
    echo "This shows itself on Linux, as root, only." >&2
    exit 2
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
import os
import subprocess
import sys

import av
import numpy as np

NAMES = {os.SCHED_OTHER: "SCHED_OTHER", os.SCHED_FIFO: "SCHED_FIFO", os.SCHED_RR: "SCHED_RR"}


def policy():
    priority = os.sched_getparam(0).sched_priority
    return NAMES[os.sched_getscheduler(0)] + (f" {priority}" if priority else "")


before, threads = policy(), len(os.listdir("/proc/self/task"))
with av.open("clip.mkv", "w") as container:
    stream = container.add_stream("libsvtav1", rate=30)
    stream.width = stream.height = 128
    stream.pix_fmt = "yuv420p"
    for i in range(3):
        picture = np.full((128, 128, 3), 40 * i, np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
    container.mux(stream.encode(None))
after, left = policy(), len(os.listdir("/proc/self/task")) - threads
code = "import os; print(os.sched_getscheduler(0), os.sched_getparam(0).sched_priority)"
child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
print(f"before: {before}; closed: {after}; child process: {NAMES[int(child[0])]} {child[1]}; threads left behind: {left}")
assert before == "SCHED_OTHER" and after == "SCHED_FIFO 99" and child == [str(os.SCHED_FIFO), "99"] and left > 10
PYTHON
