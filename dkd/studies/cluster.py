"""Rows of a study on a Ray cluster: one on this machine, or one of many machines.

Ray only carries text: the task there, the row of the table of clips back. Videos and results are read and written by
the workers. Each task is tried once by Ray, since the study itself counts attempts.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import dkd
from dkd.errors import ConfigError, MissingExtraError
from dkd.io.leftovers import temporary_folder
from dkd.studies.local import PATIENCE_S, Outcome, WorkerError, check_workers, cores

log = logging.getLogger(__name__)
_AHEAD = 2  # tasks given to Ray for each processor: the next one is there when one ends
_CONNECT_S = 10.0
_STARTS = 3
_LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
_STORE_BYTES = 80 * 2**20  # the smallest that Ray takes; nothing large is put there


class RayEngine:
    """Workers on a Ray cluster, each with one thread for the network. Use it in a ``with`` statement.

    A cluster that Ray is connected to already is used, and left running.

    Args:
        setup: what each worker is told: ``settings`` and ``folder``, of the results.
        workers: number of rows at the same time; by default one for each processor of the cluster.
        address: ``HOST:PORT`` of a running cluster, or ``auto`` for the one of this machine; ``None``: one is started
            on this machine, which nobody else can reach, and ends with the study.
        patience_s: a worker that is silent for so long ends itself.

    Raises:
        ConfigError: there would be no worker, or more than 1,024, or the address is none.
        MissingExtraError: Ray is not installed.
    """

    def __init__(
        self,
        setup: Mapping[str, Any],
        workers: int | None = None,
        address: str | None = None,
        patience_s: float = PATIENCE_S,
    ):
        check_workers(workers)
        if importlib.util.find_spec("ray") is None:
            raise MissingExtraError(
                "a study on a cluster needs Ray; install it with: pip install 'dkd-workbench[cluster]'"
            )
        self._workers, self._address = workers, address
        self._setup = json.dumps({**setup, "version": dkd.__version__, "patience_s": patience_s})
        self._stack = ExitStack()
        self._pending: dict[Any, Mapping[str, Any]] = {}
        if address not in (None, "auto"):
            _check_address(str(address))

    def __enter__(self) -> RayEngine:
        loaded = sys.modules.get("ray")
        if loaded is None or not loaded.is_initialized():
            cluster = _local(self._workers or cores()) if self._address is None else _connected(self._address)
            self._stack.enter_context(cluster)
        if self._processors() < 1:
            self.close()
            raise WorkerError("expected a cluster with a processor for the work, got none; start a machine with one")
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the rows in progress, which are lost, and the cluster if it was started here."""
        with suppress(Exception):  # the cluster may be gone
            import ray

            for reference in self._pending:
                ray.cancel(reference, force=True)
            if self._pending:
                ray.wait(list(self._pending), num_returns=len(self._pending), timeout=_CONNECT_S)
        self._pending = {}
        self._stack.close()

    def run(self, tasks: Iterable[Mapping[str, Any]]) -> Iterator[Outcome]:
        """Do tasks, and yield one outcome for each, in the order in which they end.

        Args:
            tasks: read one at a time, when they can be done soon. Each has ``row``, ``video`` and ``facts``.

        Raises:
            WorkerError: the cluster cannot be used, or the model cannot be used there.
        """
        import ray
        from ray.exceptions import RayError, RayTaskError

        from dkd.studies.remote import do_task

        work = ray.remote(num_cpus=1, max_retries=0)(do_task)
        waiting = iter(tasks)
        upcoming = next(waiting, None)
        while upcoming is not None or self._pending:
            most = self._workers if self._workers and self._address else _AHEAD * max(1, int(self._processors()))
            while upcoming is not None and len(self._pending) < most:
                self._pending[work.remote(self._setup, json.dumps(upcoming))] = upcoming
                upcoming = next(waiting, None)
            try:
                # With a limit of time: machines may join meanwhile.
                ended, _ = ray.wait(list(self._pending), timeout=10.0)
            except RayError as error:
                raise WorkerError(f"the cluster is gone ({error}); what is finished is kept") from error
            for reference in ended:
                task = self._pending.pop(reference)
                try:
                    answer = json.loads(ray.get(reference))
                except RayTaskError as error:  # no row does this: the errors of rows are in the answers
                    raise WorkerError(f"a machine of the cluster cannot do the work: {error}") from error
                except RayError as error:
                    yield Outcome(task, None, _lost(error), "WorkerDied")
                    continue
                if "fatal" in answer:
                    raise WorkerError(f"the study cannot start ({answer['kind']}): {answer['fatal']}")
                yield Outcome(task, answer.get("clip"), answer.get("error"), answer.get("kind"))

    def _processors(self) -> float:
        import ray

        return float(ray.cluster_resources().get("CPU", 0.0))


def _lost(error: Exception) -> str:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    return f"the worker process ended, or gave no sign of life: {reason}"


def _check_address(address: str) -> None:
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdigit():
        raise ConfigError(f"expected HOST:PORT of a Ray cluster, or auto, as address, got {address!r}")


@contextmanager
def _connected(address: str) -> Iterator[None]:
    """Connect to a cluster, and disconnect at the end."""
    if address != "auto":
        host, _, port = address.rpartition(":")
        try:  # Ray would try for a minute, and end the whole process then
            socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()
        except OSError as error:
            raise WorkerError(
                f"there is no Ray cluster at {address} ({error}); start one with: ray start --head"
            ) from error
    with _started(address=address):
        yield


@contextmanager
def _local(workers: int) -> Iterator[None]:
    """Start a cluster on this machine that only this process can use: on loopback, with a token of its own."""
    environment = {
        "RAY_AUTH_TOKEN": _token(),  # without one, Ray writes one into the home folder
        "RAY_USAGE_STATS_ENABLED": "0",
        _LOOPBACK: "0",
    }
    before = {name: os.environ.get(name) for name in (*environment, "RAY_AUTH_MODE")}
    os.environ.update({name: value for name, value in environment.items() if name == _LOOPBACK or not before[name]})
    try:
        with _on_loopback(), _ray_folder() as folder, _started(
            num_cpus=workers, include_dashboard=False, object_store_memory=_STORE_BYTES, _temp_dir=os.fspath(folder)
        ):  # fmt: skip
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _on_loopback() -> Iterator[None]:
    """Let a cluster that is started here listen on loopback only.

    Ray replaces the address 127.0.0.1 by that of the network, unless this machine cannot be part of a larger cluster,
    as by default on macOS and Windows. It reads that from the environment when it is imported.
    """
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


@functools.cache
def _token() -> str:
    """Return the token of this process; Ray reads it once."""
    return secrets.token_hex(32)


@contextmanager
def _ray_folder() -> Iterator[Path]:
    """Yield a folder for the sockets of Ray, whose paths the system limits to about 100 characters."""
    before = tempfile.tempdir
    if os.name == "posix" and len(tempfile.gettempdir()) > 10:
        tempfile.tempdir = "/tmp"
    try:
        with temporary_folder("ray") as folder:
            tempfile.tempdir = before
            yield folder
    finally:
        tempfile.tempdir = before


@contextmanager
def _started(**options: Any) -> Iterator[None]:
    import ray

    on_main_thread = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGTERM) if on_main_thread else None
    for attempt in range(1, _STARTS + 1):
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
            break
        except Exception as error:  # Ray raises that itself if a busy machine does not start it within 30 s
            ray.shutdown()
            if "address" in options or attempt == _STARTS:
                raise WorkerError(f"the Ray cluster cannot be used: {error}") from error
            log.info("Ray did not start, attempt %d of %d: %s", attempt, _STARTS, error)
        finally:
            if on_main_thread:  # Ray takes it over
                signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        ray.shutdown()
        sys.stderr.flush()
