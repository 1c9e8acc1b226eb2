"""Measures against labels, for the rows of a study that have some.

They are taken from the stored joints, by the process that runs the study: labels can be given, corrected or removed at
any time, and nothing is traced again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dkd.errors import DKDError
from dkd.studies.columns import LABEL_COLUMNS
from dkd.studies.rows import Row

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)
STATE = ("labels", "labels_sha256", "labels_error")  # columns by which a change of the labels is noticed


def label_values(
    rows: Iterable[tuple[Row, tuple[str | None, ...]]], folder: Path, read_joints: Callable[[Row], pd.DataFrame]
) -> dict[str, dict[str, Any]]:
    """Return new values of all label columns, by the name of the row, for the rows whose labels changed.

    Args:
        rows: rows with stored joints, each with what is known of its labels (:data:`STATE`).
        folder: folder of the study, to which paths of labels are relative.
        read_joints: returns the stored joints of a row: ``frame, joint, x, y``.
    """
    found: dict[str, dict[str, Any]] = {}
    n_problems = 0
    for row, (labels, known, problem) in rows:
        if not row.labels:
            if labels is not None:
                found[row.name] = dict.fromkeys(LABEL_COLUMNS)
            continue
        values = _measure(row, folder, read_joints, known if labels == row.labels and problem is None else None)
        if values is not None:
            found[row.name] = values
            n_problems += values["labels_error"] is not None
    if n_problems:
        log.warning("the labels of %d rows cannot be used; dkd study show says why", n_problems)
    return found


def _measure(
    row: Row, folder: Path, read_joints: Callable[[Row], pd.DataFrame], known: str | None
) -> dict[str, Any] | None:
    """Measure a row; ``None`` if its labels still have the digest ``known``."""
    from dkd.studies.labels import digest_of, measure_against, read_labels  # here: a study without labels needs none

    values: dict[str, Any] = {**dict.fromkeys(LABEL_COLUMNS), "labels": row.labels}
    path = Path(os.path.normpath(folder.resolve() / row.labels))
    try:
        values["labels_sha256"] = digest_of(path)
        if values["labels_sha256"] == known:
            return None
        joints, first, skeleton = joints_of_table(read_joints(row))
        labels = read_labels(path, skeleton, row.person)
        return {**values, **measure_against(joints, first, labels, skeleton)}
    except DKDError as error:
        return {**values, "labels_error": f"{type(error).__name__}: {error}"}


def joints_of_table(table: pd.DataFrame) -> tuple[np.ndarray, int, Any]:
    """Return joints (T, J, 2), the number of the first frame, and the skeleton of the stored joints of a row."""
    from dkd.formats.tidy import skeleton_of

    names = tuple(table["joint"].astype(str).iloc[: table["joint"].nunique()])
    joints = table[["x", "y"]].to_numpy(np.float64).reshape(-1, len(names), 2)
    return joints, int(table["frame"].iloc[0]), skeleton_of(names, {})
