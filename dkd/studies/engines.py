"""What runs the rows of a study: processes on this machine, or a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Protocol

from dkd.errors import ConfigError, nearest_name
from dkd.studies.local import LocalEngine, Outcome

ENGINES = ("local", "ray")


class Engine(Protocol):
    """Does tasks. Each of its workers is a process with one thread for the network."""

    def __enter__(self) -> Engine: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def run(self, tasks: Iterable[Mapping[str, Any]]) -> Iterator[Outcome]:
        """Do tasks, and yield one outcome for each, in any order."""
        ...


def check_engine(engine: str | Engine, address: str | None) -> None:
    """Check the choice of an engine.

    Raises:
        ConfigError: there is no such engine, or it has no address.
    """
    if isinstance(engine, str) and engine not in ENGINES:
        raise ConfigError(f"unknown engine {engine!r}{nearest_name(engine, ENGINES)} Known: {', '.join(ENGINES)}.")
    if address is not None and engine != "ray":
        raise ConfigError(f"only the engine 'ray' has an address, got {address!r} with {engine!r}")


def start_engine(engine: str | Engine, setup: Mapping[str, Any], workers: int | None, address: str | None) -> Engine:
    """Return the engine of a run, to be used in a ``with`` statement; see :meth:`dkd.Study.run`.

    Raises:
        ConfigError: the number of workers or the address cannot be used.
        MissingExtraError: Ray is not installed.
    """
    if not isinstance(engine, str):
        return engine
    if engine == "local":
        return LocalEngine(setup, workers)
    from dkd.studies.cluster import RayEngine  # here: a study on this machine needs no Ray

    return RayEngine(setup, workers, address)
