"""How much a file of results may hold: checked before it is parsed, so that a small file cannot fill the memory."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from dkd.errors import DatasetError

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 50_000_000  # joints × people × frames: two people with 17 joints take 13 hours at 30 frames per second
MOST_BYTES = 4 * 2**30  # of text, which has about 60 bytes per row
MOST_JSON_BYTES = 2**29  # Python's values take some ten times as much


def check_rows(n: int, path: Path | str) -> None:
    """Check how many rows, or numbers of one kind, a file has.

    Raises:
        DatasetError: more than :data:`MOST_ROWS`.
    """
    if n > MOST_ROWS:
        raise DatasetError(f"expected at most {MOST_ROWS:,} rows in {path}, got {n:,}; split it into several files")


def check_size(path: Path, json: bool = False) -> None:
    """Check the size of a file of text; a folder passes.

    Raises:
        DatasetError: it has more than :data:`MOST_BYTES`, or as JSON more than :data:`MOST_JSON_BYTES`.
    """
    most = MOST_JSON_BYTES if json else MOST_BYTES
    if path.is_file() and (size := path.stat().st_size) > most:
        raise DatasetError(
            f"expected at most {most / 2**30:g} GiB of text in {path}, got {size / 2**30:.1f} GiB; split it, or store "
            "it as Parquet"
        )


def check_archive(path: Path) -> None:
    """Check what the arrays of an NPZ file take once they are unpacked.

    Raises:
        DatasetError: one has more than :data:`MOST_ROWS` numbers of 16 bytes.
        OSError, ValueError: it is no archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {part.filename: part.file_size for part in archive.infolist()}
    except zipfile.BadZipFile as error:
        raise ValueError(str(error)) from error
    for name, size in sizes.items():
        if not name.startswith(("heatmaps", "kernels")) and size > 16 * MOST_ROWS:  # these are not read
            raise DatasetError(f"expected at most {16 * MOST_ROWS:,} bytes for {name} in {path}, got {size:,}")


def read_parquet(path: Path) -> pa.Table:
    """Read a Parquet file; the number of rows is checked first: a column of equal values takes no space in it.

    Raises:
        DatasetError: it has more than :data:`MOST_ROWS` rows.
        pyarrow.ArrowException, OSError, ValueError: it is no Parquet file.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        check_rows(file.metadata.num_rows, path)
        return file.read()
