"""A reader that has seen enough, as in ``dkd train --show | head``, ends a command quietly."""

from __future__ import annotations

import os
import subprocess
import sys


def test_a_closed_pipe_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)  # nobody will read
    command = [sys.executable, "-m", "dkd", "train", "--show"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.stderr == "" and done.returncode == 141
