"""The results of a study: joints in one Parquet file per row, and one table of all clips.

::

    study/clips.parquet                                   one row per clip: what was found, what it cost, what failed
    study/joints/condition=walk/anna-3f2a….parquet        one row per joint per frame
    study/exports/anna-3f2a….slp                          files for other tools, if the settings ask for them
    study/removed/                                        results of rows that are no longer in the table

They are in the folder of the study, or in an object store if the settings say so (:mod:`dkd.studies.places`). Each file
is written whole or not at all. A part has its row of the table of clips in its metadata: what was finished
after ``clips.parquet`` was written last is found there.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dkd.errors import DatasetError
from dkd.studies.columns import CLIP_COLUMNS, LABEL_COLUMNS, SETTING_COLUMNS
from dkd.studies.places import place_of
from dkd.studies.settings import FORMAT

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pyarrow.dataset import Dataset

log = logging.getLogger(__name__)
CLIPS, JOINTS, EXPORTS, REMOVED = "clips.parquet", "joints", "exports", "removed"
CLIPS_FORMAT = "dkd-study/3"  # of clips.parquet; tables of versions 1 and 2 are read, too
_ADDED = {FORMAT: {**LABEL_COLUMNS, **SETTING_COLUMNS}, "dkd-study/2": SETTING_COLUMNS}  # since that version
CHUNK = 4096  # rows of the table of clips in memory at a time
_KEY = b"dkd"
_NO_GROUP = "__HIVE_DEFAULT_PARTITION__"  # how Hive, pyarrow and Spark write a missing value into a path


def clips_schema(groups: Sequence[str]) -> pa.Schema:
    """Return the schema of ``clips.parquet``: the groups follow the person."""
    import pyarrow as pa

    fields = [(name, getattr(pa, kind)()) for name, kind in CLIP_COLUMNS.items()]
    fields[3:3] = [(name, pa.string()) for name in groups]
    return pa.schema(fields, metadata={_KEY: json.dumps({"format": CLIPS_FORMAT, "groups": list(groups)}).encode()})


class Store:
    """Results of a study.

    Args:
        results: the folder: a path, or an address in an object store.
    """

    def __init__(self, results: str | os.PathLike[str]):
        self.place = place_of(results)

    def __repr__(self) -> str:
        return f"<Store {self.place.name}>"

    @property
    def clips_file(self) -> PurePath:
        """File of the table of clips."""
        return self.place.root / CLIPS

    def part(self, name: str, groups: Mapping[str, str]) -> Any:
        """Return the file of a row's joints: a path on the disk, or in the store."""
        place = [f"{group}={quote(value, safe=' ') if value else _NO_GROUP}" for group, value in groups.items()]
        return self.place.root.joinpath(JOINTS, *place, f"{name}.parquet")

    def parts(self) -> Iterator[str]:
        """Yield the paths of the files of joints that are there; each has the name of its row."""
        return (file for file in self.place.files(self.place.root / JOINTS) if file.endswith(".parquet"))

    def is_whole(self, file: str) -> bool:
        """Return whether a part on a disk has the end of a Parquet file; those in an object store are whole."""
        return self.place.ends_with(file, b"PAR1")

    def has(self, part: PurePath) -> bool:
        """Return whether a file of results is there."""
        return self.place.has(part)

    def copy_here(self, files: Sequence[Path]) -> None:
        """Copy files of the study to its results: so they say what they are of, and it is known whether they can be
        written before the work begins.

        Raises:
            StorageError: they cannot be written.
        """
        for file in files:
            with self.place.writing(self.place.root / file.name) as temporary:
                shutil.copyfile(file, temporary)

    # --- the table of clips -------------------------------------------------------------------------------------------

    def read_clips(self) -> pa.Table | None:
        """Read the table of clips; ``None`` if there is none yet.

        Raises:
            DatasetError: the file is damaged, or no table of clips.
        """
        import pyarrow as pa

        tables = list(self.clip_batches())
        return pa.concat_tables(tables).combine_chunks() if tables else None

    def clip_batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Yield the table of clips in parts of some thousand rows; nothing if there is none.

        Args:
            columns: only these columns, as far as it has them.

        Raises:
            DatasetError: the file is damaged, or no table of clips.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not self.place.has(self.clips_file):
            return
        source = self.place.source(self.clips_file)
        try:
            with pq.ParquetFile(source) as file:
                stored = file.schema_arrow
                facts = json.loads(stored.metadata[_KEY])
                schema = clips_schema(facts["groups"])
                missing = _ADDED.get(facts["format"], {})
                expected = [field for field in schema if field.name not in missing]
                if not stored.remove_metadata().equals(pa.schema(expected)):
                    raise ValueError("other columns than expected")
                wanted = schema.names if columns is None else [name for name in columns if name in schema.names]
                there = [name for name in wanted if name not in missing]
                nothing = [pa.RecordBatch.from_pylist([], pa.schema(expected)).select(there)]
                found = (  # a row group at a time: of several it reads ahead
                    batch
                    for i in range(file.num_row_groups)
                    for batch in file.iter_batches(CHUNK, row_groups=[i], columns=there, use_threads=False)
                )
                for batch in found if file.metadata.num_rows else nothing:
                    table = pa.Table.from_batches([batch])
                    for name in set(wanted) & set(missing):
                        field = schema.field(name)
                        none = pa.repeat(False, len(table)) if name == "refined" else pa.nulls(len(table))
                        table = table.append_column(field, none.cast(field.type))
                    yield table.select(wanted).replace_schema_metadata(schema.metadata)
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
            raise DatasetError(
                f"{self.place.address(self.clips_file)} is damaged or no table of clips ({error}); delete it and run "
                "the study again: what is finished is read from the parts"
            ) from error

    def write_clips(self, tables: pa.Table | Iterable[pa.Table], schema: pa.Schema | None = None) -> None:
        """Write the table of clips, or its parts one after the other, completely or not at all.

        Args:
            tables: the table, or its parts.
            schema: schema of the parts; that of the table by default.

        Raises:
            StorageError: it cannot be written.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        with self.place.writing(self.clips_file) as temporary:
            if isinstance(tables, pa.Table):
                schema, tables = tables.schema, [tables]
            with pq.ParquetWriter(temporary, schema, compression="zstd") as file:
                for table in tables:
                    file.write_table(table)

    # --- the joints ---------------------------------------------------------------------------------------------------

    def write_part(self, path: PurePath, table: Any, clip: Mapping[str, Any]) -> None:
        """Write the joints of a row (a pandas table), with its row of the table of clips in the metadata.

        Raises:
            StorageError: it cannot be written.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        arrow = pa.Table.from_pandas(table, preserve_index=False)
        facts = json.dumps({"format": FORMAT, "clip": dict(clip)})
        arrow = arrow.replace_schema_metadata({_KEY: facts.encode()})
        with self.place.writing(path) as temporary:
            pq.write_table(arrow, temporary, compression="zstd", use_dictionary=["video", "person", "joint"])

    def read_part(self, part: PurePath, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read the joints of a row, or some of their columns.

        Raises:
            DatasetError: there is no such file, or it is damaged.
        """
        import pandas as pd
        import pyarrow as pa

        source = self.place.source(part)
        try:
            return pd.read_parquet(source, columns=None if columns is None else [*columns])
        except (pa.ArrowException, OSError, ValueError) as error:
            raise DatasetError(
                f"the joints in {self.place.address(part)} cannot be read ({error}); run the study"
            ) from error

    def clip_of(self, part: PurePath) -> dict[str, Any] | None:
        """Return the row of the table of clips in the metadata of a file of joints; ``None`` if it is not one of ours.

        Raises:
            DatasetError: an object store does not answer.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        source = self.place.source(part)
        try:
            facts = json.loads((pq.read_schema(source).metadata or {})[_KEY])
            clip: dict[str, Any] = facts["clip"]
            if facts["format"] != FORMAT or clip["name"] != part.stem:
                raise ValueError("the part of another row or version")
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s is left out: it is not what its name says (%s)", self.place.address(part), error)
            return None
        return clip

    def exporting(self, name: str) -> AbstractContextManager[Path]:
        """Yield the path for a file of a row for other tools, which then takes its place in the results.

        Raises:
            StorageError: it cannot be written.
        """
        return self.place.exporting(self.place.root / EXPORTS / name)

    def move(self, part: PurePath, to: PurePath) -> None:
        """Move a file of results to another place in the study.

        Raises:
            StorageError: it cannot be moved.
        """
        self.place.move(part, to)

    def set_aside(self, part: PurePath) -> None:
        """Move the results of a row that is no longer in the table to ``removed``.

        Raises:
            StorageError: they cannot be moved.
        """
        root = self.place.root
        for file in (part, *self.place.named(root / EXPORTS, part.stem)):
            self.place.move(file, root / REMOVED / file.relative_to(root))

    def dataset(self, groups: Sequence[str], parts: Sequence[PurePath] | None = None) -> Dataset:
        """Return the files of joints, or some of them, as a data set with the groups as columns.

        Raises:
            DatasetError: there is no folder of joints.
            ArrowException, OSError: the first file is damaged.
        """
        import pyarrow as pa
        import pyarrow.dataset

        folder = self.place.root / JOINTS
        if not self.place.has_folder(folder):
            raise DatasetError(f"there are no results in {self.place.name} yet; run the study first")
        kind = pyarrow.dataset.HivePartitioning(pa.schema([(name, pa.string()) for name in groups]))
        return pyarrow.dataset.dataset(
            str(folder) if parts is None else [str(part) for part in parts], filesystem=self.place.system,
            format="parquet", partitioning=kind, partition_base_dir=str(folder), exclude_invalid_files=False,
        )  # fmt: skip

    def read_joints(self, groups: Sequence[str], columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read all joints, or some of their columns; a damaged file is left out, with a warning that names it.

        Raises:
            DatasetError: there is no folder of joints, or nothing in it can be read.
        """
        import pyarrow as pa

        chosen = None if columns is None else [*columns]
        try:
            return self.dataset(groups).to_table(columns=chosen).to_pandas()
        except (pa.ArrowException, OSError):
            whole = self._whole_parts()
        try:
            return self.dataset(groups, whole).to_table(columns=chosen).to_pandas()
        except (pa.ArrowException, OSError) as error:
            raise DatasetError(f"the joints in {self.place.name}/{JOINTS} cannot be read: {error}") from error

    def _whole_parts(self) -> list[PurePath]:
        """Return the files that are whole Parquet files, sorted; a warning names each other."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        parts, whole = sorted(PurePath(file) for file in self.parts()), []
        for part in parts:
            source = self.place.source(part)
            try:
                pq.read_metadata(source)
            except (pa.ArrowException, OSError) as error:
                name = self.place.address(part)
                log.warning("%s is damaged and left out (%s); run the study again to make it again", name, error)
            else:
                whole.append(part)
        if parts and not whole:
            raise DatasetError(
                f"none of the {len(parts)} files of joints can be read; delete them and run the study again"
            )
        return whole
