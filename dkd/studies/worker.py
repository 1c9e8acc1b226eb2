"""A process that does rows of a study, one after the other: ``python -m dkd.studies.worker``.

It reads tasks as lines of JSON from its standard input, and writes answers as lines of JSON to its standard output.
It ends when its input ends: no worker outlives the process that started it by more than a frame.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from dkd.errors import DKDError
from dkd.io.config import from_mapping
from dkd.studies.rows import Row
from dkd.studies.settings import StudySettings
from dkd.studies.sources import Videos
from dkd.studies.store import Store

if TYPE_CHECKING:
    from dkd.models.base import VideoPoseModel

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
    settings, store = from_mapping(StudySettings, setup["settings"]), Store(setup["folder"])
    beat = _Beat(answers)
    try:
        model = prepare(settings)
    except DKDError as error:
        _answer(answers, {"fatal": str(error), "kind": type(error).__name__})
        return 2
    _answer(answers, {"ready": True})
    with Videos() as videos:
        for line in tasks:
            _answer(answers, attempt(model, json.loads(line), settings, store, videos, beat))
    return 0


def prepare(settings: StudySettings) -> VideoPoseModel:
    """Return the model of a study, to be used by one thread of this process; see :func:`dkd.studies.work.open_model`.

    The imports take seconds. They are here, so that a process whose driver is gone by then does not begin with them.
    """
    import cv2
    import torch

    from dkd.studies.work import open_model

    torch.set_num_threads(1)  # as many workers as cores; threads that wait for one another are slower
    cv2.setNumThreads(1)
    return open_model(settings)


def attempt(
    model: VideoPoseModel,
    task: Mapping[str, Any],
    settings: StudySettings,
    store: Store,
    videos: Videos,
    notify: Callable[[], object],
) -> dict[str, Any]:
    """Do a task, and return what became of it: ``clip`` if something is stored, ``error`` and ``kind`` otherwise.

    Args:
        model: from :func:`prepare`.
        task: ``row``, ``video`` and ``facts``, from the plan.
        settings: of the study.
        store: where the results go.
        videos: where videos from object stores are put meanwhile.
        notify: called before each frame.
    """
    from dkd.studies.work import do_row

    row = Row(**{**task["row"], "box": tuple(task["row"]["box"]) if task["row"]["box"] else None})
    try:
        video, state = videos.get(task["video"], notify)
        clip = do_row(model, row, video, settings, store, {**task["facts"], **state}, notify)
    except Exception as error:  # of a library, too: it costs this row, and not the process
        return {"error": str(error), "kind": type(error).__name__}
    return {"clip": clip, "error": clip["error"]}


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
