"""What the table of clips shows: columns, rows that were asked for, and the lane of a clip."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dkd.errors import ConfigError, DatasetError, nearest_name
from dkd.studies.study import Study

LANE = 72  # values of a lane at most: one for two pixels of its width
ALL = ""  # the choice of a filter that leaves nothing out


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        name: column of ``clips.parquet``.
        label: heading.
        about: explanation in one line.
        digits: decimal places of its numbers; ``None``: text.
        down: whether the largest values are those to look at first.
    """

    name: str
    label: str
    about: str
    digits: int | None = None
    down: bool = True


COLUMNS = (
    Column("video", "video", "The video, relative to the study", None, False),
    Column("person", "person", "Name of the person", None, False),
    Column("status", "status", "done; partial: stored up to a damaged frame; failed", None),
    Column("verdict", "verdict", "Whether the track can be trusted, by its confidence", None),
    Column("confidence", "confidence", "Mean over all frames and joints", 2, False),
    Column("lowest_confidence", "lowest", "Confidence of the worst frame, mean over its joints", 2, False),
    Column("lost_frames", "lost", "Frames in which the person is lost", 0),
    Column("strange_frames", "strange", "Frames whose joints look like somebody else", 0),
    Column("jumps", "jumps", "Moments in which a joint jumps", 0),
    Column("flips", "flips", "Moments in which left and right are swapped", 0),
    Column("worst_severity", "worst", "Severity of the worst moment: 1 is just noticed", 1),
    Column("frames", "frames", "Number of frames that were traced", 0),
)
LABELLED = (
    Column("pck_20", "PCK@0.2", "Share of the labelled joints within 0.2 × the labelled extent", 3, False),
    Column("pck_10", "PCK@0.1", "Share of the labelled joints within 0.1 × the labelled extent", 3, False),
    Column("pck_05", "PCK@0.05", "Share of the labelled joints within 0.05 × the labelled extent", 3, False),
    Column("acceleration_error", "accel. error", "Acceleration error, % of the labelled extent per frame²", 2),
)  # if some clip has labels


def columns_of(groups: list[str], is_labelled: bool = False) -> list[Column]:
    """Return all columns; groups follow the person, and measures against labels come last, if there are labels."""
    own = [Column(name, name.replace("_", " "), f"Group: {name}", None, False) for name in groups]
    return [*COLUMNS[:2], *own, *COLUMNS[2:], *(LABELLED if is_labelled else ())]


def matches(clips: pd.DataFrame, find: str = "", where: Mapping[str, str] | None = None) -> np.ndarray:
    """Return which clips fit, (N,) bool; arguments as for :func:`select`.

    Raises:
        ConfigError: there is no such column.
    """
    kept = np.ones(len(clips), bool)
    if find:
        found = [clips[name].str.contains(find, case=False, regex=False, na=False) for name in ("video", "person")]
        kept &= (found[0] | found[1]).to_numpy(bool)
    for name, value in (where or {}).items():
        _check_column(clips, name)
        if value != ALL:
            kept &= (clips[name] == value).to_numpy(bool)
    return kept


def select(
    clips: pd.DataFrame, *, find: str = "", where: Mapping[str, str] | None = None, sort: str = "confidence",
    down: bool = False, among: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Return the positions of the clips to show, in order.

    Args:
        clips: table of :meth:`dkd.Study.clips`.
        find: text that the video or the person contains, in any case.
        where: value by column, for ``status``, ``verdict`` and groups; :data:`ALL`: any.
        sort: column to sort by; clips without a value come last.
        down: largest first.
        among: (N,) bool, which clips to select from; all by default.

    Raises:
        ConfigError: there is no such column.
    """
    _check_column(clips, sort)
    kept = matches(clips, find, where)
    if among is not None:
        kept &= among
    chosen = clips.loc[kept, sort]
    order = chosen.reset_index(drop=True).sort_values(ascending=not down, kind="stable", na_position="last").index
    positions: np.ndarray = np.flatnonzero(kept)[order.to_numpy()]
    return positions


def _check_column(clips: pd.DataFrame, name: str) -> None:
    if name not in clips:
        raise ConfigError(f"there is no column {name!r}{nearest_name(name, clips.columns)}")


def text_of(column: Column, value: Any) -> str:
    """Return a value as it is shown; empty if there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
        return ""
    return str(value) if column.digits is None else f"{value:.{column.digits}f}"


def lane_of(study: Study, name: str) -> list[float] | None:
    """Return the mean confidence of a clip's frames, the lowest of each of at most :data:`LANE` parts.

    ``None`` if nothing is stored, or the model has no calibration.
    """
    try:
        table = study.joints_of(name, ["frame", "confidence"])
    except (ConfigError, DatasetError):
        return None
    means = table.groupby("frame", sort=True)["confidence"].mean().to_numpy(float)
    if not len(means) or not np.isfinite(means).all():
        return None
    parts = np.array_split(means, min(LANE, len(means)))
    return [round(float(part.min()), 3) for part in parts]
