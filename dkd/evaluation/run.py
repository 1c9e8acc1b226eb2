"""Evaluation of methods on data sets: complete videos, tracked recursively as by a user, in one tidy table.

    for progress in evaluate(["dkd-mobilenetv2", "dkd-mobilenetv2+erased"], ["rendered"], "runs/evaluation"):
        print(progress.method, progress.video)
    table = Evaluation("runs/evaluation").table()

The rows of each video are a separate part: a parquet file with its provenance, written atomically. Existing parts are
not measured again, so an interrupted evaluation resumes when it is started again, and processes or machines that share
the folder share the work.
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
from dkd.errors import ConfigError, DatasetError, DKDError, StorageError, checked
from dkd.evaluation.methods import Method
from dkd.evaluation.people import measure_person
from dkd.evaluation.results import FORMAT, INDEX, is_part, part_key, write_parquet
from dkd.evaluation.tracks import TrackMethod, find_method
from dkd.io.files import atomic_path
from dkd.io.provenance import provenance
from dkd.machine import MachineConfig, launch, torch_threads
from dkd.models.registry import kind_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """Progress after a video.

    Attributes:
        method, data, video: the method, data and video just measured.
        videos, frames: numbers measured or found so far by this process.
        of_videos, of_frames: total numbers.
        fresh: True if measured now, False if found.
        error: why this video could not be measured; ``None`` if it was.
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

    method: Method | TrackMethod
    data: str
    person: PersonSequence
    n_frames: int
    file: Path
    identity: dict[str, Any]


@checked
def evaluate(
    methods: Sequence[str | Method | TrackMethod],
    sources: Sequence[str],
    folder: str | Path,
    *,
    n_frames: int | None = None,
    n_clips: int | None = None,
    people: Mapping[str, Sequence[PersonSequence]] | None = None,
    machine: MachineConfig | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Iterator[Progress]:
    """Track people in complete videos, from the box in the first frame; only ``+reinit`` re-initialises.

    Args:
        methods: specs such as ``"dkd-mobilenetv2+erased"`` (see :func:`dkd.evaluation.methods.get_method`), or methods;
            or pose files of other tools, such as ``"theirs.slp"``, or a folder with one per video.
        sources: names for :func:`dkd.datasets.sources.load_people`; their test split is used. In the table,
            ``"penn_action=folder"`` is called ``"penn_action"``.
        folder: folder of the parts and settings.
        n_frames: number of frames of each video, from the first on; all by default.
        n_clips: number of clips of each source, from the first on; all by default.
        people: people by source name, for sources that are already loaded.
        machine: where it runs. With ``torchrun`` or ``devices`` > 1 the videos are distributed over processes. Weights
            and maps are always float32.
        cancel: called before each frame; if it returns true, the current video is discarded and the generator ends.

    Yields:
        A :class:`Progress` per video, existing parts first. A video that cannot be read is reported and skipped.

    Raises:
        ConfigError: a method or source is unknown, two methods have the same name, or skeletons differ; raised before
            anything runs.
        DatasetError, CheckpointError: a source or a model is missing.
        StorageError: a part cannot be written; earlier parts are kept.
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
            specs = [method.name if isinstance(method, Method | TrackMethod) else str(method) for method in methods]
            asked = {
                "specs": dict(zip((method.name for method in known), specs, strict=True)),
                "given": {name: source for source, name in names.items()},
            }
            _write_index(Path(folder), parts, {**asked, "n_frames": n_frames, "n_clips": n_clips})
        for method in known:
            if isinstance(method, Method):
                method.model.to(fabric.device)
        yield from _measure(parts[fabric.global_rank :: fabric.world_size], cancel)
        fabric.barrier()


def _measure(parts: Sequence[_Part], cancel: Callable[[], bool] | None) -> Iterator[Progress]:
    found = [is_part(part.file) for part in parts]
    videos = frames = 0
    total = sum(part.n_frames for part in parts)
    made = provenance()  # once: asking git for each of a thousand stills would take as long as measuring them
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
                    log.warning("%s was skipped for %s: %s", part.person.name, part.method.name, problem)
                else:
                    if table is None:
                        return
                    write_parquet(part.file, table, {**part.identity, **made})
            videos, frames = videos + 1, frames + part.n_frames
            yield Progress(
                part.method.name, part.data, part.person.name, videos, len(parts), frames, total, fresh, error
            )  # fmt: skip


# --- what to measure --------------------------------------------------------------------------------------------------


def _load_methods(methods: Sequence[str | Method | TrackMethod]) -> list[Method | TrackMethod]:
    known = [method if isinstance(method, Method | TrackMethod) else find_method(method) for method in methods]
    names = [method.name for method in known]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        problem = f"two methods are called {twice[0]!r}" if twice else "there is none"
        raise ConfigError(f"expected methods of different names, but {problem}; give each a different name")
    return known


def source_names(sources: Sequence[str]) -> dict[str, str]:
    """Map sources to names in tables: without the folder of ``name=folder``, unless two would have the same name."""
    short = [source.partition("=")[0] for source in sources]
    return {source: name if short.count(name) == 1 else source for source, name in zip(sources, short, strict=True)}


def _plan(
    methods: Sequence[Method | TrackMethod],
    people: dict[str, Sequence[PersonSequence]],
    folder: Path,
    n_frames: int | None,
    n_clips: int | None,
) -> list[_Part]:
    """List all parts, video by video, so that methods can be compared before everything is done."""
    if any(limit is not None and limit < 1 for limit in (n_frames, n_clips)):
        raise ConfigError(f"expected at least one frame and one clip, got n_frames={n_frames}, n_clips={n_clips}")
    weights = {method.name: _weights(method) for method in methods}
    parts = []
    for source, sequences in people.items():
        if not sequences:
            raise DatasetError(f"there are no people in the test split of {source!r}")
        for person in sequences[:n_clips]:
            length = min(len(person), n_frames or len(person))
            truth = hashlib.sha256(np.ascontiguousarray(person.joints[:length]).tobytes())
            for array in (person.visible, person.boxes, person.start_box):
                truth.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
            for method in methods:
                if isinstance(method, Method) and method.model.config.skeleton != person.skeleton:
                    raise ConfigError(
                        f"{method.name} has the joints of {method.model.config.skeleton!r}, {source} those of "
                        f"{person.skeleton!r}: use other data, or another model"
                    )
                identity = {
                    "format": FORMAT,
                    "method": method.name,
                    "model": _identity(method),
                    "weights_sha256": weights[method.name],
                    "data": source,
                    "video": person.name,
                    "labels": person.labels,
                    "labels_sha256": truth.hexdigest(),
                    "frames": length,
                    "precision": "float32",
                }
                key = part_key(identity)
                place = folder / "parts" / _slug(method.name) / _slug(source)
                file = place / f"{_slug(person.name)}-{key}.parquet"
                parts.append(_Part(method, source, person, length, file, identity))
    return parts


def _identity(method: Method | TrackMethod) -> dict[str, Any]:
    if isinstance(method, TrackMethod):
        return method.identity
    config = asdict(method.model.config)
    return {"kind": kind_of(method.model.config), "config": config, "square": method.conditions.square}


def _weights(method: Method | TrackMethod) -> str:
    """Return the checkpoint's SHA-256 (as ``sha256sum``), or that of the tensors' bytes if there is no file."""
    if isinstance(method, TrackMethod):
        return method.digest
    digest = hashlib.sha256()
    if method.source is not None:
        with method.source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    for name, tensor in method.model.state_dict().items():
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _slug(name: str) -> str:
    """Return a name that every file system accepts; the part's key distinguishes equal ones."""
    return re.sub(r"[^A-Za-z0-9.+=-]+", "_", name)[-60:].strip("_.") or "_"


# --- the folder -------------------------------------------------------------------------------------------------------


def _write_index(folder: Path, parts: Sequence[_Part], settings: dict[str, Any]) -> None:
    """Write the index: the parts requested last."""
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
