"""Results of an evaluation: the folder with its parts and their provenance, and all rows as one tidy table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from dkd.errors import ConfigError, DatasetError
from dkd.evaluation.summaries import COLUMNS
from dkd.io.files import atomic_path

FORMAT = "dkd-evaluation/1"
INDEX = "evaluation.json"
_KEY = b"dkd"  # key of our provenance in a parquet file's metadata


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
            self._files = [self.folder / name for name in self.settings["parts"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
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

        table = pa.concat_tables(map(_with_room, tables)).unify_dictionaries().to_pandas()
        order = {"model": self.methods, "data": self.sources}
        for column, names in order.items():
            table[column] = table[column].cat.set_categories([n for n in names if n in table[column].cat.categories])
        return table.sort_values(["model", "data"], kind="stable", ignore_index=True)

    def provenance(self) -> pd.DataFrame:
        """Read one row per part: model, SHA-256 of its file, data, video, labels, frames, versions, commit, time."""
        facts = [json.loads(_read(file, rows=False).metadata[_KEY]) for file in self._files if file.is_file()]
        return pd.json_normalize(facts)

    def save(self, file: str | Path) -> Path:
        """Write all rows to one parquet file; settings and provenance are in its metadata under the key ``dkd``."""
        facts = {**{k: v for k, v in self.settings.items() if k != "parts"}}
        facts["parts"] = json.loads(self.provenance().to_json(orient="records"))
        write_parquet(Path(file), self.table(), facts)
        return Path(file)

    def __repr__(self) -> str:
        done, of = len(self._files) - self.missing, len(self._files)
        return f"<Evaluation of {', '.join(self.methods)} on {', '.join(self.sources)}: {done} of {of} parts>"


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
        return pq.read_table(file) if rows else pq.read_schema(file)
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(f"{file} is damaged ({error}); delete it and evaluate again: only it is missing then") from (
            error
        )
