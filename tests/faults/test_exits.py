"""A process that used a workbench on a long clip ends cleanly, whatever its threads are doing.

``make faults`` counts 50 exits in a row, ``make test`` three.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.video_files import CODECS, draw_number, write_clip

EXITS = 50 if os.environ.get("DKD_LONG") else 3
# The trace was made without re-initialisation, so the workbench computes it again in a thread, which reads ahead.
_PROGRAM = """
import sys
import torch
from dkd import Clip, Trace, build_model
from widgets import Workbench
torch.manual_seed(0)
clip = Clip(sys.argv[1])
model = build_model("dkd-tiny", channels=16, input_size=128).eval()
workbench = Workbench(Trace(model, clip, (10, 10, 150, 90), progress=False, stop=int(sys.argv[2])))
workbench.frame = 7
print(workbench.trace.joints[7].sum() != 0, flush=True)
"""


def test_a_process_with_a_workbench_ends_cleanly_each_time(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", [draw_number(i) for i in range(400)], "libx264", CODECS["h264_closed_gop"][2])
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "DKD_ENGINE": "torch"}
    for number in range(EXITS):
        stop = 8 + number % 5
        command = [sys.executable, "-c", _PROGRAM, str(path), str(stop)]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
        assert ended.returncode == 0 and not ended.stderr.strip(), f"exit {number}: {ended.returncode}, {ended.stderr}"
        assert ended.stdout == "True\n"
