"""The results of a study on the disk: joints in one Parquet file per row, and one table of all clips.

::

    study/clips.parquet                                   one row per clip: what was found, what it cost, what failed
    study/joints/condition=walk/anna-3f2a….parquet        one row per joint per frame
    study/exports/anna-3f2a….slp                          files for other tools, if the settings ask for them
    study/removed/                                        results of rows that are no longer in the table

Each file is written whole or not at all. A part has its row of the table of clips in its metadata: what was finished
after ``clips.parquet`` was written last is found there.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dkd.errors import DatasetError, StorageError
from dkd.io.files import atomic_path
from dkd.studies.columns import CLIP_COLUMNS, LABEL_COLUMNS, SETTING_COLUMNS
from dkd.studies.settings import FORMAT

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pyarrow.dataset import Dataset

log = logging.getLogger(__name__)
CLIPS, JOINTS, EXPORTS, REMOVED = "clips.parquet", "joints", "exports", "removed"
CLIPS_FORMAT = "dkd-study/3"  # of clips.parquet; tables of versions 1 and 2 are read, too
_ADDED = {FORMAT: {**LABEL_COLUMNS, **SETTING_COLUMNS}, "dkd-study/2": SETTING_COLUMNS}  # since that version
_KEY = b"dkd"
_NO_GROUP = "__HIVE_DEFAULT_PARTITION__"  # how Hive, pyarrow and Spark write a missing value into a path


def clips_schema(groups: Sequence[str]) -> pa.Schema:
    """Return the schema of ``clips.parquet``: the groups follow the person."""
    import pyarrow as pa

    fields = [(name, getattr(pa, kind)()) for name, kind in CLIP_COLUMNS.items()]
    fields[3:3] = [(name, pa.string()) for name in groups]
    return pa.schema(fields, metadata={_KEY: json.dumps({"format": CLIPS_FORMAT, "groups": list(groups)}).encode()})


class Store:
    """Results of a study in a folder.

    Args:
        folder: folder of the study.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.clips_file = folder / CLIPS

    def part(self, name: str, groups: Mapping[str, str]) -> Path:
        """Return the file of a row's joints."""
        place = [f"{group}={quote(value, safe=' ') if value else _NO_GROUP}" for group, value in groups.items()]
        return self.folder.joinpath(JOINTS, *place, f"{name}.parquet")

    def parts(self) -> Iterator[str]:
        """Yield the paths of the files of joints that are there; each has the name of its row."""
        return (file for file in _files(self.folder / JOINTS) if file.endswith(".parquet"))

    def read_clips(self) -> pa.Table | None:
        """Read the table of clips; ``None`` if there is none yet.

        Raises:
            DatasetError: the file is damaged, or no table of clips.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not self.clips_file.exists():
            return None
        try:
            table = pq.read_table(self.clips_file)
            facts = json.loads(table.schema.metadata[_KEY])
            schema = clips_schema(facts["groups"])
            if (added := _ADDED.get(facts["format"])) is not None:
                for name in added:
                    none = pa.repeat(False, len(table)) if name == "refined" else pa.nulls(len(table))
                    table = table.append_column(schema.field(name), none.cast(schema.field(name).type))
                table = table.replace_schema_metadata(schema.metadata)
            if not table.schema.equals(schema):
                raise ValueError("other columns than expected")
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
            raise DatasetError(
                f"{self.clips_file} is damaged or no table of clips ({error}); delete it and run the study again: what "
                "is finished is read from the parts"
            ) from error
        return table

    def write_clips(self, table: pa.Table) -> None:
        """Write the table of clips, completely or not at all.

        Raises:
            StorageError: it cannot be written.
        """
        import pyarrow.parquet as pq

        with atomic_path(self.clips_file) as temporary:
            pq.write_table(table, temporary, compression="zstd")

    def write_part(self, path: Path, table: Any, clip: Mapping[str, Any]) -> None:
        """Write the joints of a row (a pandas table), with its row of the table of clips in the metadata.

        Raises:
            StorageError: it cannot be written.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        arrow = pa.Table.from_pandas(table, preserve_index=False)
        facts = json.dumps({"format": FORMAT, "clip": dict(clip)})
        arrow = arrow.replace_schema_metadata({_KEY: facts.encode()})
        with atomic_path(path) as temporary:
            pq.write_table(arrow, temporary, compression="zstd", use_dictionary=["video", "person", "joint"])

    def move(self, part: Path, to: Path) -> None:
        """Move a file of results to another place in the study.

        Raises:
            StorageError: it cannot be moved.
        """
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part, to)
        except OSError as error:
            raise StorageError(f"cannot move {part} to {to}: {error.strerror}; check the permissions") from error

    def set_aside(self, part: Path) -> None:
        """Move the results of a row that is no longer in the table to ``removed``.

        Raises:
            StorageError: they cannot be moved.
        """
        for file in (part, *(self.folder / EXPORTS).glob(f"{part.stem}.*")):
            self.move(file, self.folder / REMOVED / file.relative_to(self.folder))


def read_part(part: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read the joints of a row, or some of their columns.

    Raises:
        DatasetError: there is no such file, or it is damaged.
    """
    import pandas as pd
    import pyarrow as pa

    try:
        return pd.read_parquet(part, columns=None if columns is None else [*columns])
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f"the joints in {part} cannot be read ({error}); run the study") from error


def clip_of(part: Path) -> dict[str, Any] | None:
    """Return the row of the table of clips in the metadata of a file of joints; ``None`` if it is not one of ours."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        facts = json.loads((pq.read_schema(part).metadata or {})[_KEY])
        clip: dict[str, Any] = facts["clip"]
        if facts["format"] != FORMAT or clip["name"] != part.stem:
            raise ValueError("the part of another row or version")
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s is left out: it is not what its name says (%s)", part, error)
        return None
    return clip


def _files(folder: Path) -> Iterator[str]:
    """Yield all files in a folder and those below it; none if there is no folder."""
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path))
        else:
            yield entry.path


def joints_dataset(folder: Path, groups: Sequence[str], parts: Sequence[Path] | None = None) -> Dataset:
    """Return the files of joints in a folder, or some of them, as a data set with the groups as columns.

    Raises:
        DatasetError: there is no such folder.
        ArrowException, OSError: the first file is damaged.
    """
    import pyarrow as pa
    import pyarrow.dataset

    if not folder.is_dir():
        raise DatasetError(f"there are no results in {folder.parent} yet; run the study first")
    kind = pyarrow.dataset.HivePartitioning(pa.schema([(name, pa.string()) for name in groups]))
    return pyarrow.dataset.dataset(
        str(folder) if parts is None else [str(part) for part in parts],
        format="parquet", partitioning=kind, partition_base_dir=str(folder), exclude_invalid_files=False,
    )  # fmt: skip


def read_joints(folder: Path, groups: Sequence[str], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read all joints of a folder, or some of their columns; a damaged file is left out, with a warning that names it.

    Raises:
        DatasetError: there is no such folder, or nothing in it can be read.
    """
    import pyarrow as pa

    chosen = None if columns is None else [*columns]
    try:
        return joints_dataset(folder, groups).to_table(columns=chosen).to_pandas()
    except (pa.ArrowException, OSError):
        whole = _whole_parts(folder)
    try:
        return joints_dataset(folder, groups, whole).to_table(columns=chosen).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(f"the joints in {folder} cannot be read: {error}") from error


def _whole_parts(folder: Path) -> list[Path]:
    """Return the files below a folder that are whole Parquet files, sorted; a warning names each other."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts, whole = sorted(folder.rglob("*.parquet")), []
    for part in parts:
        try:
            pq.read_metadata(part)
        except (pa.ArrowException, OSError) as error:
            log.warning("%s is damaged and left out (%s); delete it and run the study again", part, error)
        else:
            whole.append(part)
    if parts and not whole:
        raise DatasetError(f"none of the {len(parts)} files of joints can be read; delete them and run the study again")
    return whole
