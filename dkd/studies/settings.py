"""The settings of a study, ``study.yaml``."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dkd.errors import ConfigError
from dkd.io.config import STRICT, from_mapping, read_yaml, to_yaml
from dkd.io.files import atomic_path
from dkd.io.paths import DEFAULT_MODEL, list_checkpoints
from dkd.studies.places import check_results
from dkd.studies.rows import Row

FORMAT = "dkd-study/1"
TABLE, SETTINGS = "study.csv", "study.yaml"  # files in the folder of a study


@dataclass(frozen=True)
class StudySettings:
    """What is done with each row of a study. A change is applied to all rows by the next run.

    Attributes:
        model: name of a shipped model, or path of a checkpoint.
        engine: as in :func:`dkd.engines.choice.accelerate`; ``auto`` is the fastest of the machine that does the work.
        square: what the network's square follows, ``person`` or ``joints``; see :class:`dkd.Conditions`.
        reinitialise: whether a lost person is searched for again, unlike the paper.
        refine: whether the model's initializer makes the joints more exact, unlike the paper; see
            :class:`dkd.Conditions`.
        export: endings of files for other tools that are written for each row, such as ``.slp``; see
            :func:`dkd.export`.
        results: address of a folder in an object store for the results, such as ``s3://bucket/study``; if empty, they
            are in the folder of the study. The table and the settings get a copy there.
    """

    __pydantic_config__ = STRICT

    model: str = DEFAULT_MODEL
    engine: Literal["auto", "torch", "onnxruntime", "openvino", "openvino-bf16", "cuda", "cuda-bf16"] = "auto"
    square: Literal["person", "joints"] = "person"
    reinitialise: bool = False
    refine: bool = False
    export: tuple[str, ...] = ()
    results: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.model, str):
            raise ConfigError(f"expected the name or path of a model, got {self.model!r}")
        if not isinstance(self.export, tuple | list):
            raise ConfigError(f"expected endings such as ('.slp',) as export, got {self.export!r}")
        for ending in self.export:
            if not isinstance(ending, str) or not ending.startswith(".") or "/" in ending or "\\" in ending:
                raise ConfigError(f"expected endings of files such as '.slp' as export, got {ending!r}")
        check_results(self.results)

    def check_export(self) -> None:
        """Check the endings of ``export``.

        Raises:
            ConfigError: one is of no format.
        """
        if self.export:
            from dkd.formats.files import format_for  # here: it takes long to import

            for ending in self.export:
                try:
                    format_for(Path(f"poses{ending}"))
                except ConfigError as error:
                    raise ConfigError(f"setting 'export' of the study has {ending!r}: {error}") from error

    def checkpoint(self) -> Path:
        """Return the file of the model.

        Raises:
            ConfigError: there is none.
        """
        path = Path(self.model)
        if path.suffix == ".safetensors" and path.is_file():
            return path
        shipped = list_checkpoints()
        if self.model in shipped:
            return shipped[self.model]
        raise ConfigError(
            f"expected the name of a shipped model ({', '.join(shipped)}) or the path of a .safetensors file as model "
            f"of the study, got {self.model!r}"
        )


def read_settings(path: Path) -> StudySettings:
    """Read the settings of a study.

    Raises:
        ConfigError: the file is missing or damaged, or a setting does not fit.
    """
    return from_mapping(StudySettings, read_yaml(path))


def write_settings(path: Path, settings: StudySettings) -> None:
    """Write settings, completely or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(to_yaml(settings), encoding="utf-8")


def model_hash(settings: StudySettings) -> str:
    """Return the SHA-256 of the model's file.

    Raises:
        ConfigError: there is no such model, or the file cannot be read.
    """
    path = settings.checkpoint()
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"the model of the study cannot be read: {path}: {error.strerror}") from error


def work_key(row: Row, settings: StudySettings, weights: str) -> str:
    """Return a hash of what decides a row's result, besides the content of its video.

    The engine is not part of it: engines agree within the tolerance of :mod:`dkd.engines.choice`, and with ``auto`` the
    machines of one study may choose differently.
    """
    facts = [
        FORMAT, weights, settings.square, settings.reinitialise, sorted(settings.export),
        row.video, row.person, row.box, row.frame, row.start, row.stop,
        *(["refine"] if settings.refine else []),  # else as before there was this setting: rows stay done
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def check_not_of_a_study(file: Path) -> None:
    """Check that a result is not written over the table or the settings of a study, which people made by hand.

    Raises:
        ConfigError: it would be.
    """
    if file.name in (TABLE, SETTINGS) and (file.parent / TABLE).is_file():
        raise ConfigError(f"{file} belongs to the study itself; choose another name")
