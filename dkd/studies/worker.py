"""A process that does rows of a study, one after the other: ``python -m dkd.studies.worker``.

It reads tasks as lines of JSON from its standard input, and writes answers as lines of JSON to its standard output.
It ends when its input ends: no worker outlives the process that started it by more than a frame.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from dkd.errors import DKDError
from dkd.io.config import from_mapping
from dkd.studies.settings import StudySettings
from dkd.studies.table import Row

BEAT_S = 1.0  # between two signs of life


def main() -> int:
    """Answer tasks until the input ends; return the exit status."""
    # Whatever a library prints goes to standard error: standard output has answers only.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    try:
        return _serve(sys.stdin, answers)
    except (BrokenPipeError, KeyboardInterrupt):  # nobody listens any more
        return 1


def _serve(tasks: TextIO, answers: TextIO) -> int:
    setup = json.loads(tasks.readline() or "null")
    if setup is None:
        return 0
    settings, folder = from_mapping(StudySettings, setup["settings"]), Path(setup["folder"])
    # Imported after the first line: the imports take seconds, and the other side may be gone by then.
    import cv2
    import torch

    from dkd.studies.work import do_row, open_model

    torch.set_num_threads(1)  # as many workers as cores; threads that wait for one another are slower
    cv2.setNumThreads(1)
    beat = _Beat(answers)
    try:
        model = open_model(settings)
    except DKDError as error:
        _answer(answers, {"fatal": str(error), "kind": type(error).__name__})
        return 2
    _answer(answers, {"ready": True})
    for line in tasks:
        task = json.loads(line)
        row = Row(**{**task["row"], "box": tuple(task["row"]["box"]) if task["row"]["box"] else None})
        try:
            clip = do_row(model, row, Path(task["video"]), settings, folder, task["facts"], beat)
        except DKDError as error:
            _answer(answers, {"error": str(error), "kind": type(error).__name__})
        else:
            _answer(answers, {"clip": clip, "error": clip["error"]})
    return 0


def _answer(answers: TextIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


class _Beat:
    """Signs of life, one a second at most. A worker whose driver has ended finds out by the first one."""

    def __init__(self, answers: TextIO):
        self._answers, self._last = answers, time.monotonic()

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self._last >= BEAT_S:
            self._last = now
            _answer(self._answers, {"beat": True})


if __name__ == "__main__":
    sys.exit(main())
