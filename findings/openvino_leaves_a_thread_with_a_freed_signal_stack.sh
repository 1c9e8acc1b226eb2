#!/bin/bash
# OpenVINO 2026.4.1 on Linux: an openvino.Core gives the thread that first compiles a model for the CPU a new stack for
# signals (sigaltstack), in place of the one that faulthandler.enable() had set. When the core is freed, it puts back the
# stack that it had found. Of two cores that are freed in the order in which they were made, the second one puts back the
# stack of the first, whose memory has been returned by then.
# Hurts: Python handles all signals on that stack. Much later, at the next signal, the process ends with a segmentation
# fault, and neither faulthandler nor a debugger's stack shows where it comes from. A training whose data loader ends a
# child process does this, long after two models were compiled and freed. Keep one core for the whole process.
# Seen: faulthandler's stack: in memory; with a core: another one; both cores freed: the first core's, not in memory
set -euo pipefail
if [ "$(uname -s)" != Linux ]; then
    echo "This shows itself on Linux only." >&2
    exit 2
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check openvino==2026.4.1 numpy==2.4.6
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
import ctypes
import faulthandler

import numpy as np
import openvino
from openvino import opset13 as op


class Stack(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


def signal_stack():
    """Only asks: no signal is sent."""
    found = Stack()
    assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found)) == 0
    return found.start


def is_in_memory(address):
    with open("/proc/self/maps") as file:
        ranges = [[int(end, 16) for end in line.split()[0].split("-")] for line in file]
    return any(low <= address < high for low, high in ranges)


x = op.parameter([1, 4], np.float32)
model = openvino.Model([op.relu(x)], [x])


def make():
    core = openvino.Core()
    core.compile_model(model, "CPU")
    return core


faulthandler.enable()
own = signal_stack()
before = is_in_memory(own)
one = make()
first = signal_stack()
other = make()
del one
del other
after = signal_stack()
whose = {own: "faulthandler's", first: "the first core's"}.get(after, "some other")
print(
    f"faulthandler's stack: {'' if before else 'not '}in memory; with a core: "
    f"{'the same' if first == own else 'another one'}; both cores freed: {whose}, "
    f"{'' if after and is_in_memory(after) else 'not '}in memory",
    flush=True,
)
assert before and first != own and after == first and not is_in_memory(after)
PYTHON
