"""Child processes that start at once: they are forked from a process that has only imported what they need."""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import torch
from filelock import FileLock

from dkd.errors import StorageError
from dkd.evaluation.run import evaluate
from dkd.training.trainer import train
from tests.support.dotted_people import dotted_people, quick

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.support.processes", "lightning_fabric"])


def start(work: Callable[..., None], *arguments: Any) -> tuple[BaseProcess, Connection]:
    """Run ``work(connection, *arguments)`` in a process of its own, with as many threads as this one.

    Returns:
        The process and this end of the connection. Reading from it raises EOFError once the process has ended.
    """
    here, there = _context.Pipe()
    process = _context.Process(target=_work, args=(work, torch.get_num_threads(), there, *arguments), daemon=True)
    process.start()
    there.close()
    return process, here


def _work(work: Callable[..., None], threads: int, connection: Connection, *arguments: Any) -> None:
    torch.set_num_threads(threads)
    work(connection, *arguments)


def tell_steps(connection: Connection, folder: str, words: tuple[str, ...]) -> None:
    """Train and send the number of each step."""
    for record in train(quick(*words), folder, people=dotted_people(), validation=()):
        connection.send(record.step)


def train_on_a_full_disk(connection: Connection, folder: str) -> None:
    """Train; after step 3 no file can grow beyond 10 kB. Send the error."""
    try:
        for record in train(quick("steps=6", "save_every=2"), folder, people=dotted_people(), validation=()):
            if record.step == 3:
                resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
    except StorageError as error:
        connection.send(str(error))


def evaluate_until_told(connection: Connection, methods: list[str], folder: str, people: Any) -> None:
    """Evaluate methods on the clips called "dots"; send the number of each part, and continue after an answer."""
    for progress in evaluate(methods, ["dots"], folder, people=people):
        connection.send(progress.videos)
        connection.recv()


def evaluate_on_a_full_disk(connection: Connection, methods: list[str], folder: str, people: Any) -> None:
    """Evaluate; after the first part no file can grow beyond 100 bytes. Send the error."""
    try:
        for progress in evaluate(methods, ["dots"], folder, people=people):
            if progress.videos == 1:
                resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    except StorageError as error:
        connection.send(str(error))


def hold(connection: Connection, path: str) -> None:
    """Hold a lock file until told to end."""
    with FileLock(path):
        connection.send("held")
        connection.recv()
