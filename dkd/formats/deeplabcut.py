"""DeepLabCut tables, CSV and H5, of one or several animals: one row per frame of the video.

The H5 file is pandas' fixed format under ``df_with_missing``, written and read without pandas: pandas needs PyTables
for it, and PyTables unpickles attributes. Layout: ``pandas.io.pytables``, storers ``frame`` and ``appendable_frame``.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dkd.errors import DatasetError
from dkd.formats.hdf import hdf, plain_literals, strings
from dkd.formats.numbers import number_in, spread
from dkd.formats.tidy import ends_early, skeleton_of
from dkd.formats.track import PERSON, PoseTrack
from dkd.io.escaping import csv_cell, from_csv_cell
from dkd.io.numbers import text

if TYPE_CHECKING:
    import h5py

KEY = "df_with_missing"
_LEVELS = ("scorer", "individuals", "bodyparts", "coords")
_COORDS = ("x", "y", "likelihood")


def _columns(track: PoseTrack) -> list[tuple[str, ...]]:
    scorer = track.software or "dkd"
    several = len(track.people) > 1
    return [
        (scorer, *([person] if several else []), joint, coordinate)
        for person in track.people
        for joint in track.joints
        for coordinate in _COORDS
    ]


def _values(track: PoseTrack) -> np.ndarray:
    """(rows, P, J, 3) one row per frame from 0 on. A missing joint has likelihood 0, as DeepLabCut writes it.

    Blank, it would be read as 1 by sleap-io; and a first row that is all blank is lost by ``pandas.read_csv``.
    """
    rows = track.dense_from_zero
    n = int(rows[-1]) + 1
    missing = spread(rows, track.missing, n, fill=True)
    score = spread(rows, track.scores, n)
    score[missing & np.isnan(score)] = 0
    return np.concatenate([spread(rows, track.xy, n), score[..., None].astype(track.xy.dtype)], -1)


def write_csv(track: PoseTrack, path: Path) -> None:
    import pandas as pd

    columns, values = _columns(track), _values(track)
    names = _LEVELS if len(track.people) > 1 else tuple(name for name in _LEVELS if name != "individuals")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for level, name in enumerate(names):
            writer.writerow([name, *(csv_cell(column[level]) for column in columns)])
        table = pd.DataFrame(values.reshape(len(values), -1))
        table.apply(lambda column: text(column.to_numpy())).to_csv(file, header=False)


def write_h5(track: PoseTrack, path: Path) -> None:
    columns = _columns(track)
    values = _values(track).reshape(-1, len(columns))
    names = _LEVELS if len(track.people) > 1 else tuple(name for name in _LEVELS if name != "individuals")
    with hdf(path, "w") as file:
        standard = {"CLASS": "GROUP", "TITLE": "", "VERSION": "1.0"}
        _set(file, {**standard, "PYTABLES_FORMAT_VERSION": "2.1"})
        group = file.create_group(KEY)
        depth = np.int64(len(names))
        about = {
            "pandas_type": "frame", "encoding": "UTF-8", "errors": "strict", "ndim": np.int64(2),
            "nblocks": np.int64(1), "axis0_variety": "multi", "axis1_variety": "regular",
            "block0_items_variety": "multi", "axis0_nlevels": depth, "block0_items_nlevels": depth,
        }  # fmt: skip
        _set(group, {**standard, **about})
        for axis in ("axis0", "block0_items"):
            for level, name in enumerate(names):
                known, codes = np.unique([column[level] for column in columns], return_inverse=True)
                encoded = np.array([one.encode() for one in known])
                about = {"kind": "string", "nan_rep": "", "name": name, f"{axis}_name{name}": name}
                _array(group, f"{axis}_level{level}", encoded, about)
                _array(group, f"{axis}_label{level}", codes.astype(np.int8 if len(known) < 128 else np.int32), {})
        # b"N." is how PyTables stores None: an index without a name.
        _array(group, "axis1", np.arange(len(values)), {"kind": "integer", "name": b"N."})
        _array(group, "block0_values", np.asarray(values, np.float64), {})


def _set(place: Any, attributes: dict[str, Any]) -> None:
    """Set attributes as PyTables does: text is UTF-8 of fixed length; bytes are what it pickles, such as None."""
    import h5py

    for name, value in attributes.items():
        if isinstance(value, str):
            text = value.encode()
            kind = h5py.string_dtype("utf-8", len(text)) if text else None
            place.attrs.create(name, np.array(text, kind) if text else h5py.Empty("S1"), dtype=kind)
        else:
            place.attrs[name] = np.bytes_(value) if isinstance(value, bytes) else value


def _array(group: h5py.Group, name: str, values: np.ndarray, attributes: dict[str, Any]) -> None:
    place = group.create_dataset(name, data=values)
    standard = {"CLASS": "ARRAY", "FLAVOR": "numpy", "TITLE": "", "VERSION": "2.4", "transposed": np.uint8(1)}
    _set(place, {**standard, **attributes})


# --- reading ----------------------------------------------------------------------------------------------------------


def read_csv(path: Path) -> PoseTrack:
    import pandas as pd

    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        levels: list[list[str]] = []
        for row in rows:
            levels.append(row)
            if row and row[0] == "coords":
                break
            if len(levels) == len(_LEVELS):
                raise DatasetError(f"expected the rows scorer, (individuals,) bodyparts, coords at the top of {path}")
    width = next((i for i, cell in enumerate(levels[-1]) if cell in _COORDS), 0)
    names = [row[0] for row in levels]
    kinds = {i: str for i in range(width)}
    table = pd.read_csv(path, skiprows=len(levels), header=None, encoding="utf-8-sig", dtype=kinds)
    if not width or not len(table) or table.shape[1] != len(levels[-1]):
        raise DatasetError(f"expected rows of {len(levels[-1])} cells, one per frame, in {path}, got {table.shape}")
    cells = ([from_csv_cell(cell) for cell in row[width:]] for row in levels)
    columns = [dict(zip(names, column, strict=True)) for column in zip(*cells, strict=True)]
    index = [_frame_number(str(name), path) for name in table[width - 1]]
    track = _track(columns, table.iloc[:, width:].to_numpy(np.float64), index, path)
    return replace(track, notes=(*track.notes, *ends_early(path)))


def _frame_number(name: str, path: Path) -> int:
    found = int(name) if name.isdigit() else number_in(name)
    if found is None:
        raise DatasetError(f"expected a frame number or an image's name with a number in {path}, got {name!r}")
    return found


def read_h5(path: Path) -> PoseTrack:
    """Read pandas' fixed or table format, the latter without unpickling what describes its columns."""
    with hdf(path) as file:
        keys = [key for key in file if "pandas_type" in file[key].attrs]
        if not keys:
            raise DatasetError(f"expected a DeepLabCut H5 file with {KEY!r} in {path}, got {', '.join(file) or 'none'}")
        group = file[KEY if KEY in keys else keys[0]]
        if "table" in group:
            table = group["table"][()]
            axes = plain_literals(group.attrs["non_index_axes"])
            names = plain_literals(group.attrs["info"])[1]["names"]
            tuples = axes[0][1]
            blocks = sorted(name for name in table.dtype.names if name.startswith("values_block"))
            values = np.concatenate([table[name].reshape(len(table), -1) for name in blocks], 1)
            if len(blocks) > 1:
                raise DatasetError(f"expected numbers of one type in {path}, got {len(blocks)} blocks of columns")
            index = table["index"]
        else:
            depth = int(group.attrs["axis0_nlevels"])
            names = [strings(group[f"axis0_level{i}"].attrs["name"])[0] for i in range(depth)]
            known = [strings(group[f"block0_items_level{i}"][()]) for i in range(depth)]
            codes = [group[f"block0_items_label{i}"][()] for i in range(depth)]
            tuples = [tuple(level[c] for level, c in zip(known, at, strict=True)) for at in zip(*codes, strict=True)]
            values = group["block0_values"][()]
            index = group["axis1"][()] if "axis1" in group else _image_names(group)
        if values.shape != (len(index), len(tuples)):
            values = values.T
    numbers = [
        int(one) if isinstance(one, np.integer | float) else _frame_number(strings(one)[0], path) for one in index
    ]
    return _track([dict(zip(names, map(str, one), strict=True)) for one in tuples], values, numbers, path)


def _image_names(group: h5py.Group) -> list[bytes]:
    """Names of the labelled images, the last level of an index with several."""
    last = int(group.attrs["axis1_nlevels"]) - 1
    return [group[f"axis1_level{last}"][()][code] for code in group[f"axis1_label{last}"][()]]


def _track(columns: list[dict[str, str]], values: np.ndarray, index: list[int], path: Path) -> PoseTrack:
    """Place columns by their names, never by their order."""
    people = tuple(dict.fromkeys(column.get("individuals", PERSON) for column in columns))
    joints = tuple(dict.fromkeys(column["bodyparts"] for column in columns))
    if len({tuple(column.items()) for column in columns}) < len(columns):
        raise DatasetError(f"expected each coordinate of a joint once in {path}, but one is there twice")
    out = np.full((len(index), len(people), len(joints), 3), np.nan)
    for i, column in enumerate(columns):
        at = people.index(column.get("individuals", PERSON)), joints.index(column["bodyparts"])
        if column["coords"] in _COORDS:
            out[:, at[0], at[1], _COORDS.index(column["coords"])] = values[:, i]
    order = np.argsort(index, kind="stable")
    frames = np.asarray(index)[order]
    if (np.diff(frames) <= 0).any():
        raise DatasetError(f"expected each frame once in {path}, but two rows have the same number")
    return PoseTrack(
        out[order][..., :2], out[order][..., 2], skeleton_of(joints, {}), frames, np.full(len(frames), np.nan), people,
        software=columns[0].get("scorer"),
    )  # fmt: skip
