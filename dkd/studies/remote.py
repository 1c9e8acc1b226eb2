"""A task of a study in a worker process of Ray. The process keeps its model for the tasks that follow."""

from __future__ import annotations

import atexit
import json
import os
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dkd
from dkd.errors import DKDError
from dkd.io.config import from_mapping
from dkd.studies.settings import StudySettings, model_hash
from dkd.studies.sources import Videos, is_url
from dkd.studies.store import Store
from dkd.studies.worker import attempt, prepare

if TYPE_CHECKING:
    from dkd.models.base import VideoPoseModel

SILENT_STATUS = 75  # of a process that ended itself
_opened: tuple[str, StudySettings, VideoPoseModel, Videos] | None = None


def do_task(setup: str, task: str) -> str:
    """Do a task of a study; all of it as JSON, so that only text goes over the network.

    Args:
        setup: ``settings``, ``folder`` (of the results), ``version`` and ``patience_s``.
        task: ``row``, ``video`` and ``facts``.

    Returns:
        The answer of :func:`dkd.studies.worker.attempt`; or ``fatal`` and ``kind`` if this machine can do no row at
        all.
    """
    facts, work = json.loads(setup), json.loads(task)
    try:
        settings, model, videos = _open(setup, facts, work["facts"]["model_sha256"])
    except (DKDError, ImportError) as error:
        return json.dumps({"fatal": f"on {socket.gethostname()}: {error}", "kind": type(error).__name__})
    with _Watch(facts["patience_s"]) as watch:
        return json.dumps(attempt(model, work, settings, Store(facts["folder"]), videos, watch))


def _open(setup: str, facts: dict[str, Any], weights: str) -> tuple[StudySettings, VideoPoseModel, Videos]:
    """Return what the tasks of a run share; opened by the first one in this process."""
    global _opened
    if _opened is None or _opened[0] != setup:
        if facts["version"] != dkd.__version__:
            raise DKDError(f"expected dkd {facts['version']} as on the driver, got {dkd.__version__}; install the same")
        if not is_url(facts["folder"]) and not (Path(facts["folder"]) / "study.csv").is_file():
            raise DKDError(
                f"the folder of the study is not there: {facts['folder']}; put it on a disk that all machines share, "
                "at the same path, or let the setting results be an address in an object store"
            )
        settings = from_mapping(StudySettings, facts["settings"])
        if model_hash(settings) != weights:
            raise DKDError(f"the file of the model {settings.model} is another one than on the driver; copy it there")
        model = prepare(settings)
        videos = Videos().__enter__()
        atexit.register(videos.forget)
        _opened = setup, settings, model, videos
    return _opened[1:]


class _Watch:
    """Ends this process if a task gives no sign of life: a disk that does not answer cannot be interrupted."""

    def __init__(self, patience_s: float):
        self._patience_s, self._last, self._done = patience_s, time.monotonic(), threading.Event()

    def __call__(self) -> None:
        self._last = time.monotonic()

    def __enter__(self) -> _Watch:
        threading.Thread(target=self._look, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def _look(self) -> None:
        while not self._done.wait(min(1.0, self._patience_s)):
            if time.monotonic() - self._last > self._patience_s:
                os._exit(SILENT_STATUS)
