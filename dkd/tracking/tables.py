"""The joints of a trace as a file: CSV, TSV, JSON or Parquet, by the ending of its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dkd.errors import ConfigError, checked
from dkd.io.escaping import csv_cell
from dkd.io.files import atomic_path, check_place
from dkd.io.numbers import text

if TYPE_CHECKING:
    import pandas as pd

    from dkd.tracking.trace import Trace


def joints_table(trace: Trace | Mapping[str, Trace], first: int = 0, start_s: float = 0.0) -> pd.DataFrame:
    """Return a tidy table with one row per joint per frame: ``frame, time_s, joint, x, y, score, confidence``.

    Args:
        trace: the trace; or traces of several people by name, which gives a first column ``person``.
        first: number of its first frame in the video.
        start_s: time of that frame in seconds.

    Returns:
        ``x`` and ``y`` in pixels of the frame; ``score``, the height of the map's peak; ``confidence``, the calibrated
        probability that the joint was found, NaN for a model without a calibration. A trace with corrections has two
        more columns: ``corrected`` (a person changed the position) and ``hidden`` (a person marked it), true or false.

    Raises:
        ConfigError: there is no trace.
    """
    import pandas as pd

    if isinstance(trace, Mapping):
        if not trace:
            raise ConfigError("expected the trace of at least one person, got none; trace somebody first")
        tables = [joints_table(one, first, start_s) for one in trace.values()]
        marks = [name for name in ("corrected", "hidden") if any(name in table for table in tables)]
        for name, table in zip(trace, tables, strict=True):
            table.insert(0, "person", name)
            for mark in marks:  # of a person without corrections
                table[mark] = table.get(mark, False)
        return pd.concat(tables, ignore_index=True)
    table = trace.to_frame()
    table["frame"] += first
    table["time_s"] += start_s
    table["confidence"] = trace.confidence.ravel() if trace.calibrated else np.float32(np.nan)
    if trace.corrected.any() or trace.hidden.any():
        table["corrected"], table["hidden"] = trace.corrected.ravel(), trace.hidden.ravel()
    return table


def _text(separator: str) -> Callable[[pd.DataFrame, Path], None]:
    def write(table: pd.DataFrame, path: Path) -> None:
        numbers = table.select_dtypes("floating")
        # The shortest texts that read back to the same float32; times in fixed decimals, as spreadsheets like them.
        texts = {name: text(column.to_numpy()) for name, column in numbers.items()}
        texts["time_s"] = table["time_s"].map("{:.9f}".format).to_numpy(object)
        table.map(csv_cell).assign(**texts).to_csv(path, index=False, sep=separator)

    return write


def _json(table: pd.DataFrame, path: Path) -> None:
    table.to_json(path, orient="records", double_precision=9, indent=0)


def _parquet(table: pd.DataFrame, path: Path) -> None:
    table.to_parquet(path, index=False)


FORMATS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": _text(","), ".json": _json, ".parquet": _parquet, ".tsv": _text("\t"),
}  # fmt: skip


def check_table_path(path: Path) -> None:
    """Check that a table can be written to a path of this name.

    Raises:
        ConfigError: the ending is unknown, the path is a folder, or its folder is a file.
    """
    if path.suffix.lower() not in FORMATS:
        raise ConfigError(
            f"expected a file that ends in {', '.join(FORMATS)}, got {path.name!r}: the ending chooses the format"
        )
    check_place(path)


@checked
def save_joints(trace: Trace | Mapping[str, Trace], path: str | Path, first: int = 0, start_s: float = 0.0) -> None:
    """Write the table of :func:`joints_table`, completely or not at all; an existing file is replaced.

    Raises:
        ConfigError: see :func:`check_table_path`.
        StorageError: the file cannot be written.
    """
    path = Path(path)
    check_table_path(path)
    table = joints_table(trace, first, start_s)
    with atomic_path(path) as temporary:
        FORMATS[path.suffix.lower()](table, temporary)
