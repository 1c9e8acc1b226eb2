#!/bin/bash
# trc-data-reader 0.4.1 splits the rows of a TRC file at any white space. A gap, which OpenSim, Vicon and Pose2Sim write
# as empty cells between tabs, therefore takes no column: the markers after it move forward.
# Hurts: in a frame in which the head is not seen, the foot is read as the head, and the last marker as missing.
# Seen: head: [[1, 2, 3], [4, 5, 6]], foot: [[4, 5, 6], [nan, nan, nan]]; in the file, the second frame has only a foot
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check trc-data-reader==0.4.1
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
import math

from trc import TRCData

rows = [
    "PathFileType\t4\t(X/Y/Z)\ta.trc",
    "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
    "30\t30\t2\t2\tmm\t30\t1\t2",
    "Frame#\tTime\thead\t\t\tfoot\t\t",
    "\t\tX1\tY1\tZ1\tX2\tY2\tZ2",
    "",
    "1\t0.0\t1\t2\t3\t4\t5\t6",
    "2\t0.1\t\t\t\t4\t5\t6",
]
open("a.trc", "w").write("\n".join(rows) + "\n")
data = TRCData()
data.load("a.trc")
print(f"head: {data['head']}, foot: {data['foot']}")
assert data["head"][1] == [4, 5, 6] and all(math.isnan(value) for value in data["foot"][1])
PYTHON
