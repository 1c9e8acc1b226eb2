"""Tidy tables, CSV, TSV, Parquet or JSON: one row per joint per person per frame."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dkd.errors import DatasetError
from dkd.formats.rates import rate_of
from dkd.formats.track import PERSON, PoseTrack
from dkd.io import limits
from dkd.io.escaping import csv_cell, from_csv_cell
from dkd.io.limits import check_rows
from dkd.io.numbers import text
from dkd.pose.skeleton import SKELETONS, Skeleton

if TYPE_CHECKING:
    import pandas as pd

_KEY = b"dkd"  # of a Parquet file's metadata
COLUMNS = ("frame", "time_s", "person", "joint", "x", "y", "score", "confidence")
MISSING = ("", "NaN", "nan", "NA", "N/A", "null", "None")  # texts of a missing number, of pandas, R and others


def to_table(track: PoseTrack) -> pd.DataFrame:
    """Return the columns :data:`COLUMNS`; all joints of all people in all frames, NaN where missing or unknown."""
    import pandas as pd

    t, p, j = track.scores.shape
    sure = np.full(track.scores.shape, np.nan, np.float32) if track.confidence is None else track.confidence
    return pd.DataFrame(
        {
            "frame": np.repeat(track.frames, p * j),
            "time_s": np.repeat(track.times, p * j),
            "person": np.tile(np.repeat(np.array(track.people, object), j), t),
            "joint": np.tile(np.array(track.joints, object), t * p),
            "x": track.xy[..., 0].ravel(),
            "y": track.xy[..., 1].ravel(),
            "score": track.scores.ravel(),
            "confidence": sure.ravel(),
        }
    )


def write_csv(track: PoseTrack, path: Path) -> None:
    _write_text(track, path, ",")


def write_tsv(track: PoseTrack, path: Path) -> None:
    _write_text(track, path, "\t")


def _write_text(track: PoseTrack, path: Path, separator: str) -> None:
    table = to_table(track)
    for column in ("time_s", "x", "y", "score", "confidence"):
        table[column] = text(table[column].to_numpy())
    for column in ("person", "joint"):
        table[column] = table[column].map(csv_cell)
    table.to_csv(path, index=False, sep=separator, encoding="utf-8")


def write_parquet(track: PoseTrack, path: Path) -> None:
    """Write the table, and in the file's metadata what has no column: rate, size, video, limbs."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = pa.Table.from_pandas(to_table(track), preserve_index=False)
    about = {
        "fps": track.fps, "size": track.size, "source": track.source, "software": track.software,
        "skeleton": track.skeleton.name, "limbs": track.skeleton.limbs, "confidence": track.confidence is not None,
    }  # fmt: skip
    pq.write_table(made.replace_schema_metadata({**(made.schema.metadata or {}), _KEY: json.dumps(about)}), path)


def read_text(path: Path) -> PoseTrack:
    """Read a CSV or TSV file; the separator is the one of the header."""
    import pandas as pd

    with path.open(encoding="utf-8-sig") as file:
        header = file.readline()
    separator = "\t" if header.count("\t") > header.count(",") else ","
    names = header.strip().split(separator)
    if twice := [name for name in COLUMNS if names.count(name) > 1]:
        raise DatasetError(f"expected each column once in {path}, but {twice[0]!r} is there twice")
    kinds = {"person": str, "joint": str}
    try:
        table = pd.read_csv(path, sep=separator, dtype=kinds, encoding="utf-8-sig", keep_default_na=False,
                            na_values={c: MISSING for c in COLUMNS if c not in kinds})  # fmt: skip
    except (ValueError, pd.errors.ParserError) as error:
        raise DatasetError(f"expected a table with the columns {', '.join(COLUMNS)} in {path}: {error}") from error
    for column in kinds:
        if column in table:
            table[column] = table[column].map(from_csv_cell)
    track = from_table(table, path)
    return replace(track, notes=(*track.notes, *ends_early(path)))


def ends_early(path: Path) -> tuple[str, ...]:
    """Return a note if a text file does not end with the end of a line, as all tools write it."""
    with path.open("rb") as file:
        file.seek(-1, 2)
        complete = file.read(1) in b"\r\n"
    return () if complete else ("The last line has no end: is the file cut short?",)


def read_json(records: list[dict[str, Any]], path: Path) -> PoseTrack:
    """Convert a list of records, as ``dkd track --out x.json`` writes them."""
    import pandas as pd

    return from_table(pd.DataFrame.from_records(records), path)


def read_parquet(path: Path) -> PoseTrack:
    try:
        table = limits.read_parquet(path)
    except DatasetError:
        raise
    except (OSError, ValueError) as error:
        raise DatasetError(f"expected a Parquet table in {path}: {error}") from error
    about = json.loads((table.schema.metadata or {}).get(_KEY, b"{}"))
    return from_table(table.to_pandas(), path, about)


def from_table(table: pd.DataFrame, path: Path | str, about: dict[str, Any] | None = None) -> PoseTrack:
    """Convert a tidy table to a track.

    Needed are the columns ``frame``, ``joint``, ``x`` and ``y``; ``person`` only if there are several.

    Raises:
        DatasetError: a column is missing, or a joint of a person has two rows in a frame.
    """
    import pandas as pd

    about = about or {}
    lacking = [name for name in ("frame", "joint", "x", "y") if name not in table]
    if lacking or not len(table):
        raise DatasetError(
            f"expected a table with the columns {', '.join(COLUMNS)} in {path}, "
            f"got {', '.join(map(str, table.columns))[:300]!r} and {len(table)} rows"
        )
    people, person = _codes(table["person"] if "person" in table else pd.Series(PERSON, table.index))
    joints, joint = _codes(table["joint"])
    frames, frame = np.unique(table["frame"].to_numpy(), return_inverse=True)
    place = (frame, person, joint)
    shape = len(frames), len(people), len(joints)
    check_rows(len(frames) * len(people) * len(joints), path)  # also of those that the file leaves out
    if len(np.unique(np.ravel_multi_index(place, shape))) < len(table):
        raise DatasetError(f"expected one row per joint, person and frame in {path}, but one has two")

    def column(name: str) -> np.ndarray:
        values = table[name].to_numpy() if name in table else np.full(len(table), np.nan)
        if values.dtype.kind != "f":
            values = pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64)
            wrong = np.isnan(values) & table[name].notna().to_numpy()
            if wrong.any():
                row = int(wrong.argmax())
                raise DatasetError(
                    f"expected numbers in the column {name!r} of {path}, got {str(table[name].iloc[row])[:60]!r} in "
                    f"row {row + 1} below the header; leave unknown values empty"
                )
        out = np.full(shape, np.nan, values.dtype)
        out[place] = values
        return out

    time = column("time_s").astype(np.float64)
    times = np.full(len(frames), np.nan)
    known = ~np.isnan(time).all((1, 2))
    if known.all():
        times = np.nanmax(time.reshape(len(frames), -1), -1)
    sure = column("confidence")
    has_confidence = about.get("confidence", bool(np.isfinite(sure).any()))
    size = about.get("size")
    return PoseTrack(
        np.stack([column("x"), column("y")], -1), column("score"), skeleton_of(joints, about),
        frames, times, people, about["fps"] if "fps" in about else rate_of(frames, times),
        None if size is None else (size[0], size[1]), about.get("source"), about.get("software"),
        sure if has_confidence else None,
    )  # fmt: skip


def skeleton_of(joints: tuple[str, ...], about: dict[str, Any]) -> Skeleton:
    """Return our skeleton of exactly these joints in this order; else one of these names with the given limbs."""
    limbs = tuple((str(a), str(b)) for a, b in about.get("limbs") or () if a in joints and b in joints)
    known = next((one for one in SKELETONS.values() if one.joints == tuple(joints)), None)
    if known is not None and about.get("skeleton") in (None, known.name) and (not limbs or limbs == known.limbs):
        return known
    return Skeleton(str(about.get("skeleton") or "file"), tuple(joints), limbs)


def _codes(column: pd.Series) -> tuple[tuple[str, ...], np.ndarray]:
    """Return names in the order of their first row, and each row's index."""
    import pandas as pd

    codes, names = pd.factorize(column.astype(str), sort=False)
    return tuple(str(name) for name in names), np.asarray(codes)
