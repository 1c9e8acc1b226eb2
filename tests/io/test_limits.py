"""Small files that hold very much are refused before they are parsed."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dkd import load_poses
from dkd.errors import DatasetError
from dkd.formats.files import export
from dkd.io import limits
from dkd.pose.skeleton import SKELETONS
from tests.support.tracks import make_track

ENDINGS = (".parquet", ".csv", ".dlc.csv", ".h5", ".slp", ".nc", ".nwb", ".coco.json", ".openpose", ".trc", ".npz")


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_reader_has_a_limit(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = export(make_track(1, 60, 1, SKELETONS["penn_action"], 30.0), tmp_path / f"a{ending}", size=(640, 480)).path
    assert len(load_poses(path)) == 60
    for name in ("MOST_ROWS", "MOST_BYTES", "MOST_JSON_BYTES"):
        monkeypatch.setattr(limits, name, 30)
    with pytest.raises(DatasetError, match="expected at most"):
        load_poses(path)


def test_a_small_file_of_very_many_rows_is_refused(tmp_path: Path) -> None:
    """Equal values take no space: the whole memory would."""
    n = 2_000_000
    joint = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int8)), ["head"])
    table = pa.table({"frame": np.zeros(n, np.int64), "joint": joint, "x": np.zeros(n), "y": np.zeros(n)})
    with pq.ParquetWriter(tmp_path / "a.parquet", table.schema, compression="zstd") as writer:
        for _ in range(26):
            writer.write_table(table)
    assert (tmp_path / "a.parquet").stat().st_size < 1_000_000
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("df_with_missing/block0_values", (10**9, 26), "f8", chunks=(1000, 26))
    for name in ("a.parquet", "a.h5"):
        with pytest.raises(DatasetError, match="expected at most 50,000,000 rows"):
            load_poses(tmp_path / name)


def test_few_rows_far_apart_are_refused(tmp_path: Path) -> None:
    """Each row has a frame, a person and a joint of its own: the array of all of them would have 10¹² places."""
    lines = ["frame,person,joint,x,y", *(f"{i},p{i},j{i},1,2" for i in range(10_000))]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(DatasetError, match="got 1,000,000,000,000"):
        load_poses(tmp_path / "a.csv")
