"""How good is a model on a data set? Whole videos, recursively, as a user would run them; one tidy table.

    for progress in evaluate(["dkd-mobilenetv2", "dkd-mobilenetv2+erased"], ["rendered"], "runs/evaluation"):
        print(progress.method, progress.video)
    table = Evaluation("runs/evaluation").table()

Each video's rows are a part of their own: a parquet file that carries its provenance and is written whole or not at
all. What was measured once is not measured again, so an evaluation that was stopped or killed goes on when it is
started again, and processes or machines that share the folder share the work.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dkd.datasets.people import PersonSequence
from dkd.datasets.sources import load_people
from dkd.errors import ConfigError, DatasetError, DKDError, StorageError
from dkd.evaluation.methods import Method, get_method
from dkd.evaluation.people import measure_person
from dkd.evaluation.results import FORMAT, INDEX, write_parquet
from dkd.io.files import atomic_path
from dkd.io.provenance import provenance
from dkd.machine import MachineConfig, launch, torch_threads
from dkd.models.registry import kind_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """What is known after a video.

    Attributes:
        method, data, video: what was measured.
        videos, frames: measured or found so far, by this process.
        of_videos, of_frames: how many there will be.
        fresh: measured now; False: found.
        error: why this video could not be measured; None if it was.
    """

    method: str
    data: str
    video: str
    videos: int
    of_videos: int
    frames: int
    of_frames: int
    fresh: bool
    error: str | None = None


@dataclass(frozen=True)
class _Part:
    """One method on one video."""

    method: Method
    data: str
    person: PersonSequence
    n_frames: int
    file: Path
    identity: dict[str, Any]


def evaluate(
    methods: Sequence[str | Method],
    sources: Sequence[str],
    folder: str | Path,
    *,
    n_frames: int | None = None,
    n_clips: int | None = None,
    people: Mapping[str, Sequence[PersonSequence]] | None = None,
    machine: MachineConfig | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Iterator[Progress]:
    """Follow people through whole videos, from the box in the first frame on; re-initialised by ``+reinit`` only.

    Args:
        methods: specs such as ``"dkd-mobilenetv2+erased"`` (see :func:`dkd.evaluation.methods.get_method`), or methods.
        sources: names for :func:`dkd.datasets.sources.load_people`; their test split is taken. In the table,
            ``"penn_action=folder"`` is called ``"penn_action"``.
        folder: where parts and settings are kept.
        n_frames: of each video the first ones; all by default.
        n_clips: of each source the first ones; all by default.
        people: source name → people, for sources that are at hand already.
        machine: where it runs. With ``torchrun`` or ``devices`` > 1 the videos are dealt out to the processes. Weights
            and maps are float32 everywhere.
        cancel: called before each frame; once it is true, the video under way is given up and the generator ends.

    Yields:
        a :class:`Progress` a video, found parts first. A video that cannot be read is reported and left out.

    Raises:
        ConfigError: an unknown method or source; two methods of one name; joints that do not fit. Before anything runs.
        DatasetError, CheckpointError: a source or a model is not there.
        StorageError: a part cannot be written; those before it are kept.
    """
    machine = machine or MachineConfig()
    known = _load_methods(methods)
    given: Mapping[str, Sequence[PersonSequence]] = people or {}
    names = source_names(sources)
    chosen = {name: given[source] if source in given else load_people(source, "test") for source, name in names.items()}
    parts = _plan(known, chosen, Path(folder), n_frames, n_clips)
    with torch_threads(machine.threads):
        fabric = launch(machine)
        if fabric.is_global_zero:
            specs = [method.name if isinstance(method, Method) else str(method) for method in methods]
            asked = {
                "specs": dict(zip((method.name for method in known), specs, strict=True)),
                "given": {name: source for source, name in names.items()},
            }
            _write_index(Path(folder), parts, {**asked, "n_frames": n_frames, "n_clips": n_clips})
        for method in known:
            method.model.to(fabric.device)
        yield from _measure(parts[fabric.global_rank :: fabric.world_size], cancel)
        fabric.barrier()


def _measure(parts: Sequence[_Part], cancel: Callable[[], bool] | None) -> Iterator[Progress]:
    found = [part.file.is_file() for part in parts]
    videos = frames = 0
    total = sum(part.n_frames for part in parts)
    made = provenance()  # asking git for each of a thousand stills takes as long as they do
    for fresh in (False, True):
        for part, is_found in zip(parts, found, strict=True):
            if is_found == fresh:
                continue
            error = None
            if fresh:
                try:
                    table = measure_person(part.method, part.data, part.person, part.n_frames, cancel)
                except StorageError:
                    raise
                except DKDError as problem:
                    error = str(problem)
                    log.warning("%s was left out for %s: %s", part.person.name, part.method.name, problem)
                else:
                    if table is None:
                        return
                    write_parquet(part.file, table, {**part.identity, **made})
            videos, frames = videos + 1, frames + part.n_frames
            yield Progress(
                part.method.name, part.data, part.person.name, videos, len(parts), frames, total, fresh, error
            )  # fmt: skip


# --- what is to be measured -------------------------------------------------------------------------------------------


def _load_methods(methods: Sequence[str | Method]) -> list[Method]:
    known = [method if isinstance(method, Method) else get_method(method) for method in methods]
    names = [method.name for method in known]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        problem = f"two methods are called {twice[0]!r}" if twice else "there is none"
        raise ConfigError(f"expected methods of different names, but {problem}; give each by a name of its own")
    return known


def source_names(sources: Sequence[str]) -> dict[str, str]:
    """Source → what tables call it: without the folder of ``name=folder``, unless two would be called the same."""
    short = [source.partition("=")[0] for source in sources]
    return {source: name if short.count(name) == 1 else source for source, name in zip(sources, short, strict=True)}


def _plan(
    methods: Sequence[Method],
    people: dict[str, Sequence[PersonSequence]],
    folder: Path,
    n_frames: int | None,
    n_clips: int | None,
) -> list[_Part]:
    """All parts, video by video: so the methods can be compared before all is done."""
    if any(limit is not None and limit < 1 for limit in (n_frames, n_clips)):
        raise ConfigError(f"expected at least one frame and one clip, got n_frames={n_frames}, n_clips={n_clips}")
    weights = {method.name: _weights(method) for method in methods}
    parts = []
    for source, sequences in people.items():
        if not sequences:
            raise DatasetError(f"there is nobody in the test split of {source!r}")
        for person in sequences[:n_clips]:
            length = min(len(person), n_frames or len(person))
            truth = hashlib.sha256(np.ascontiguousarray(person.joints[:length]).tobytes())
            for array in (person.visible, person.boxes, person.start_box):
                truth.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
            for method in methods:
                if method.model.config.skeleton != person.skeleton:
                    raise ConfigError(
                        f"{method.name} has the joints of {method.model.config.skeleton!r}, {source} those of "
                        f"{person.skeleton!r}: take other data, or another model"
                    )
                identity = {
                    "format": FORMAT,
                    "method": method.name,
                    "model": {"kind": kind_of(method.model.config), "config": asdict(method.model.config)},
                    "weights_sha256": weights[method.name],
                    "data": source,
                    "video": person.name,
                    "labels": person.labels,
                    "labels_sha256": truth.hexdigest(),
                    "frames": length,
                    "precision": "float32",
                }
                key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
                place = folder / "parts" / _slug(method.name) / _slug(source)
                file = place / f"{_slug(person.name)}-{key}.parquet"
                parts.append(_Part(method, source, person, length, file, identity))
    return parts


def _weights(method: Method) -> str:
    """The checkpoint's SHA-256 (``sha256sum`` gives the same); of the tensors' bytes where there is no file."""
    digest = hashlib.sha256()
    if method.source is not None:
        with method.source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    for name, tensor in method.model.state_dict().items():
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _slug(name: str) -> str:
    """A name that every file system takes; the part's key tells apart what becomes the same."""
    return re.sub(r"[^A-Za-z0-9.+=-]+", "_", name)[-60:].strip("_.") or "_"


# --- the folder -------------------------------------------------------------------------------------------------------


def _write_index(folder: Path, parts: Sequence[_Part], settings: dict[str, Any]) -> None:
    """What was asked for last: which parts belong together."""
    content = {
        "format": FORMAT,
        "methods": list(dict.fromkeys(part.method.name for part in parts)),
        "sources": list(dict.fromkeys(part.data for part in parts)),
        **settings,
        **provenance(),
        "parts": [part.file.relative_to(folder).as_posix() for part in parts],
    }
    with atomic_path(folder / INDEX) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
