"""Results of an evaluation: the folder with its parts and their provenance, and all rows as one tidy table."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dkd.errors import ConfigError, DatasetError, checked
from dkd.evaluation.summaries import COLUMNS
from dkd.io.files import atomic_path, check_place
from dkd.io.limits import read_parquet

log = logging.getLogger(__name__)
FORMAT = "dkd-evaluation/1"
INDEX = "evaluation.json"
_KEY = b"dkd"  # key of our provenance in a parquet file's metadata


# What a part is about. The hash of these facts is in the name of its file, so that it can prove who it is.
_IDENTITY = (
    "format", "method", "model", "weights_sha256", "data", "video", "labels", "labels_sha256", "frames", "precision",
)  # fmt: skip


def part_key(identity: Mapping[str, Any]) -> str:
    """Return the end of the name of a part's file: a hash of what it is about."""
    facts = {name: identity[name] for name in _IDENTITY}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def is_part(file: Path) -> bool:
    """Return whether a file is the part that its name says; a file that is not is named in the log."""
    if not file.is_file():
        return False
    try:
        _facts(_read(file, rows=False), file)
    except DatasetError as error:
        log.warning("%s", error)
        return False
    return True


@checked
class Evaluation:
    """Evaluation stored in a folder: the parts requested last.

    Args:
        folder: folder that was passed to :func:`evaluate`.

    Raises:
        ConfigError: the folder contains no evaluation.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        file = self.folder / INDEX
        try:
            self.settings: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            if self.settings["format"] != FORMAT:
                raise ValueError(f"format {self.settings['format']!r}")
            for name in ("methods", "sources", "parts"):
                names = self.settings[name]
                if not isinstance(names, list) or not all(isinstance(text, str) for text in names):
                    raise ValueError(f"{name} that are no names")
            self._files = [self.folder / name for name in self.settings["parts"]]
            if outside := [f for f in self._files if not f.resolve().is_relative_to(self.folder.resolve())]:
                raise ValueError(f"a part outside of the folder, {outside[0]}")
            if not all(isinstance(self.settings[name], dict) for name in ("specs", "given")):
                raise ValueError("no record of what was asked for")
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise ConfigError(
                f"expected an evaluation in {self.folder}: {error}; make one with dkd evaluate --out {self.folder}"
            ) from error

    @property
    def methods(self) -> list[str]:
        """Names of the methods, in the requested order."""
        return list(self.settings["methods"])

    @property
    def specs(self) -> dict[str, str]:
        """Requested spec of each method, by name: ``"first+erased"`` → ``"runs/first+erased"``."""
        return dict(self.settings["specs"])

    @property
    def sources(self) -> list[str]:
        """Names of the data, as in the table."""
        return list(self.settings["sources"])

    @property
    def given(self) -> dict[str, str]:
        """Requested source of each data name: ``"pose2sim"`` → ``"pose2sim=folder"``."""
        return dict(self.settings["given"])

    @property
    def missing(self) -> int:
        """Number of parts that have not been measured yet."""
        return sum(not file.is_file() for file in self._files)

    def table(self) -> pd.DataFrame:
        """Read all available rows, as in :func:`measure`, in the order of methods, sources and videos.

        Raises:
            DatasetError: a part is damaged.
        """
        tables = [_read(file) for file in self._files if file.is_file()]
        if not tables:
            return pd.DataFrame(columns=[*COLUMNS])
        import pyarrow as pa

        try:
            table = pa.concat_tables(map(_with_room, tables)).unify_dictionaries().to_pandas()
        except pa.ArrowException as error:
            raise DatasetError(
                f"the parts in {self.folder} have columns of different types ({str(error)[:200]}); evaluate again"
            ) from error
        order = {"model": self.methods, "data": self.sources}
        for column, names in order.items():
            table[column] = table[column].cat.set_categories([n for n in names if n in table[column].cat.categories])
        return table.sort_values(["model", "data"], kind="stable", ignore_index=True)

    def provenance(self) -> pd.DataFrame:
        """Read one row per part: model, SHA-256 of its file, data, video, labels, frames, versions, commit, time."""
        facts = [_facts(_read(file, rows=False), file) for file in self._files if file.is_file()]
        return pd.json_normalize(facts)

    def save(self, file: str | Path) -> Path:
        """Write all rows to one Parquet file; settings and provenance are in its metadata under the key ``dkd``.

        Raises:
            ConfigError: see :func:`check_rows_path`.
            StorageError: the file cannot be written.
        """
        check_rows_path(file)
        facts = {**{k: v for k, v in self.settings.items() if k != "parts"}}
        facts["parts"] = json.loads(self.provenance().to_json(orient="records"))
        write_parquet(Path(file), self.table(), facts)
        return Path(file)

    def __repr__(self) -> str:
        done, of = len(self._files) - self.missing, len(self._files)
        return f"<Evaluation of {', '.join(self.methods)} on {', '.join(self.sources)}: {done} of {of} parts>"


def check_rows_path(file: str | Path) -> None:
    """Check that rows can be saved as this file.

    Raises:
        ConfigError: its name does not end in .parquet, or there is a folder of this name.
    """
    file = Path(file)
    if file.suffix.lower() != ".parquet":
        raise ConfigError(f"expected a file that ends in .parquet, got {file.name!r}")
    check_place(file)


def write_parquet(file: Path, table: pd.DataFrame, facts: dict[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), _KEY: json.dumps(facts).encode()})
    with atomic_path(file) as temporary:
        pq.write_table(arrow, temporary, compression="zstd")


def _with_room(table: Any) -> Any:
    """Widen the categories of a part: its index has 8 bits, but a data set may have thousands of videos."""
    import pyarrow as pa

    schema = pa.schema(
        field.with_type(pa.dictionary(pa.int32(), field.type.value_type))
        if pa.types.is_dictionary(field.type)
        else field
        for field in table.schema
    )
    return table.cast(schema)


def _read(file: Path, rows: bool = True) -> Any:
    """Read a part's table, or only its schema, which has the provenance in its metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if not rows:
            return pq.read_schema(file)
        table = read_parquet(file)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f"{file} is damaged ({error}); evaluate again: it is then measured again") from error
    facts = _facts(table.schema, file)
    for column, expected in (("model", facts["method"]), ("data", facts["data"]), ("video", facts["video"])):
        found = {str(value) for value in table[column].unique().to_pylist()}
        if found != {str(expected)}:
            raise DatasetError(f"{file} has rows of another {column} than it says; evaluate again")
    if table.num_rows > table.group_by(["frame", "joint"]).aggregate([]).num_rows:
        raise DatasetError(f"{file} has rows twice; evaluate again")
    return table


def _facts(schema: Any, file: Path) -> dict[str, Any]:
    """Return a part's provenance after checking that it is a part, and the one that its name says.

    Raises:
        DatasetError: it is not.
    """
    try:
        facts: dict[str, Any] = json.loads(schema.metadata[_KEY])
        key = part_key(facts)
    except (KeyError, TypeError, ValueError, RecursionError):
        raise DatasetError(f"{file} is no part of an evaluation; evaluate again: it is then measured") from None
    if facts["format"] != FORMAT or not file.stem.endswith(f"-{key}"):
        raise DatasetError(f"{file} is a part of another method or video; evaluate again: the right one is measured")
    if missing := [name for name in COLUMNS if name not in schema.names]:
        raise DatasetError(f"{file} has no column {missing[0]!r}; evaluate again: it is then measured")
    return facts
