"""Measures of the rows of an evaluation table, which the group-bys of :mod:`dkd.evaluation.summaries` average.

Joints are arranged as frames × joints, video by video, so that :mod:`dkd.measures.metrics` and
:mod:`dkd.measures.coherence` can be used, and their values are then assigned to the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from dkd.errors import ConfigError, ShapeError, nearest_name
from dkd.evaluation.protocols import COUNTED, NORMALISERS, check_choice, get_protocol
from dkd.measures.coherence import losses_and_recoveries, motion, run_starts
from dkd.measures.metrics import OUTLINE_SHARE_OF_BOX, error_kinds, keypoint_similarity, side_flips
from dkd.pose.skeleton import Skeleton, get_skeleton

VIDEO = ["model", "data", "video"]
_NEEDED = (*VIDEO, "frame", "joint", "x", "y", "true_x", "true_y", "visible", "box_side", "skeleton")
_LENGTHS = {"box": "box_side", "torso": "torso"}
MOTION = ("velocity error", "acceleration error", "jitter", "jerk")


@dataclass(frozen=True)
class Video:
    """One model's rows of one video and their positions on a grid of frames × joints; cells without a row are empty."""

    rows: np.ndarray  # (n,) positions in the table
    cells: np.ndarray  # (n,) positions in the flat grid
    n_frames: int
    skeleton: Skeleton

    def lay(self, column: np.ndarray, empty: Any = np.nan) -> np.ndarray:
        """Arrange a column (N, …) of the table on the grid, (T, J, …)."""
        grid = np.full((self.n_frames * len(self.skeleton), *column.shape[1:]), empty, column.dtype)
        grid[self.cells] = column[self.rows]
        return grid.reshape(self.n_frames, len(self.skeleton), *column.shape[1:])

    def pick(self, grid: np.ndarray) -> np.ndarray:
        """Pick the values (n,) of a grid (T, J) that belong to ``rows``."""
        return grid.ravel()[self.cells]


@dataclass(frozen=True)
class Rows:
    """Measures of each row; ``frame`` numbers the frames of all videos of all models consecutively."""

    values: dict[str, np.ndarray]
    frame: np.ndarray
    videos: list[Video] = field(default_factory=list)


@dataclass(frozen=True)
class Groups:
    """Groups of rows: their keys in order of appearance, and the group of each row."""

    keys: pd.Index
    group: np.ndarray

    @classmethod
    def of(cls, table: pd.DataFrame, by: str | Sequence[str]) -> Groups:
        names = [by] if isinstance(by, str) else list(by)
        if not names:
            raise ConfigError("expected at least one column to group by, got none")
        check_columns(table, (*names, "data"))
        if "data" not in names:
            _check_splits(table)
        group = table.groupby(names, observed=True, sort=False, dropna=False).ngroup().to_numpy()
        first = np.unique(group, return_index=True)[1]
        frame = table[names].iloc[first]
        # Plain values: a categorical index would not accept a name from another table.
        categories = {
            n: frame[n].cat.categories.dtype for n in names if isinstance(frame[n].dtype, pd.CategoricalDtype)
        }
        frame = frame.astype(categories)
        keys = pd.Index(frame[names[0]], name=names[0]) if len(names) == 1 else pd.MultiIndex.from_frame(frame)
        return cls(keys, group)

    @property
    def n(self) -> int:
        return len(self.keys)

    def sum(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.group, values, self.n)

    def mean(self, values: np.ndarray, where: np.ndarray) -> np.ndarray:
        return means(self.group, self.n, values, where)

    def frames(self, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the group of each distinct (group, number), and for each row which of these it belongs to."""
        if not len(number):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        step = int(number.max()) + 1
        distinct, inverse = np.unique(self.group * step + number, return_inverse=True)
        return distinct // step, inverse


def means(group: np.ndarray, n: int, values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Compute the mean of the selected values of each group, (n,); NaN for empty groups."""
    count = np.bincount(group[where], minlength=n)
    with np.errstate(invalid="ignore"):
        return np.bincount(group[where], values[where], n) / count


def measure(
    table: pd.DataFrame,
    normaliser: str,
    alpha: float,
    counted: str | None,
    *,
    kinds: bool = False,
    over_time: bool = False,
) -> Rows:
    """Measure row by row.

    Args:
        table, normaliser, alpha, counted: as in :func:`dkd.evaluation.summaries.add_errors`.
        kinds: whether to classify errors.
        over_time: whether to compute measures over several frames, and the similarities that OKS averages.
    """
    check_choice("normaliser", normaliser, NORMALISERS)
    check_columns(table, (*_NEEDED, _LENGTHS[normaliser]))
    x, truth, length = (
        _floats(table, "x", "y"),
        _floats(table, "true_x", "true_y"),
        _floats(table, _LENGTHS[normaliser]),
    )
    which = _counted(table, counted) & np.isfinite(truth).all(-1)
    measurable = np.isfinite(length) & (length > 0)
    error_px = np.linalg.norm(x - truth, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.where(measurable, error_px / length, np.nan)
    values = {
        "x": x,
        "truth": truth,
        "which": which,
        "length": length,
        "counted": which & measurable,
        "skipped": which & ~measurable,
        "error_px": error_px,
        "error": error,
        "hit": which & measurable & (error_px <= alpha * length),
    }
    rows = Rows(values, np.zeros(len(table), np.int64))
    rows.videos.extend(_videos(table, rows.frame))
    if kinds:
        values["in_crop"] = table["in_crop"].to_numpy(bool) if "in_crop" in table else np.ones(len(table), bool)
        values["kind"] = np.zeros(len(table), np.int8)
        for video in rows.videos:
            _kinds(values, video, alpha)
    if over_time:
        values |= {"side": _floats(table, "box_side"), "area": OUTLINE_SHARE_OF_BOX * _floats(table, "box_area")}
        values |= {name: np.full(len(table), np.nan) for name in (*MOTION, "recovery", "similarity")}
        values |= {name: np.zeros(len(table), bool) for name in ("flip", "lost")}
        for video in rows.videos:
            _over_time(values, video, alpha)
    return rows


def _kinds(v: dict[str, np.ndarray], video: Video, alpha: float) -> None:
    kind = error_kinds(
        video.lay(v["x"]),
        video.lay(v["truth"]),
        video.skeleton,
        _of_frame(video.lay(v["length"])),
        alpha,
        video.lay(v["counted"], False),
        video.lay(v["in_crop"], True),
    )
    v["kind"][video.rows] = video.pick(kind)


def _over_time(v: dict[str, np.ndarray], video: Video, alpha: float) -> None:
    x, truth, counted = video.lay(v["x"]), video.lay(v["truth"]), video.lay(v["counted"], False)
    scored = np.where(video.lay(v["which"], False)[..., None], truth, np.nan)
    flipped = side_flips(x, truth, video.skeleton, _of_frame(video.lay(v["length"])), alpha)
    losses = losses_and_recoveries(video.lay(v["hit"], False), counted)
    measured = {
        **dict(zip(MOTION, motion(x, scored, _of_frame(video.lay(v["side"]))), strict=True)),
        "similarity": keypoint_similarity(x, scored, _of_frame(video.lay(v["area"])), video.skeleton),
        "flip": run_starts(flipped, counted),
        "lost": losses.lost,
        "recovery": losses.frames,
    }
    for name, grid in measured.items():
        v[name][video.rows] = video.pick(grid)


def _floats(table: pd.DataFrame, *names: str) -> np.ndarray:
    """Return a column (N,) or columns (N, k) as float64."""
    columns = [table[name].to_numpy(np.float64) for name in names]
    return columns[0] if len(names) == 1 else np.stack(columns, -1)


def _videos(table: pd.DataFrame, frame_numbers: np.ndarray) -> Iterator[Video]:
    """Yield each model's rows of each video; fill ``frame_numbers`` (N,) with consecutive frame numbers."""
    if not len(table):
        return
    video = table.groupby(VIDEO, observed=True, sort=False, dropna=False).ngroup().to_numpy()
    order = np.argsort(video, kind="stable")
    joint, joint_names = pd.factorize(table["joint"])
    skeleton, skeleton_names = pd.factorize(table["skeleton"])
    places = [
        np.array([s.joints.index(str(j)) if j in s.joints else -1 for j in joint_names])
        for s in map(get_skeleton, map(str, skeleton_names))
    ]
    frame = table["frame"].to_numpy(np.int64)
    n_before = 0
    for rows in np.split(order, np.flatnonzero(np.diff(video[order])) + 1):
        first = skeleton[rows[0]]
        place = places[first][joint[rows]]
        if (skeleton[rows] != first).any() or (place < 0).any():
            raise ShapeError(
                f"expected the rows of {_name(table, rows)} to have one skeleton and its joints, but some differ"
            )
        t = frame[rows] - frame[rows].min()
        n_frames, body = int(t.max()) + 1, get_skeleton(str(skeleton_names[first]))
        cells = t * len(body) + place
        if np.bincount(cells).max() > 1:
            raise ShapeError(
                f"expected one row per joint per frame, but {_name(table, rows)} has duplicates: was it added twice?"
            )
        frame_numbers[rows] = n_before + t
        n_before += n_frames
        yield Video(rows, cells, n_frames, body)


def _name(table: pd.DataFrame, rows: np.ndarray) -> str:
    return "/".join(str(table[column].iloc[rows[0]]) for column in VIDEO)


def _of_frame(grid: np.ndarray) -> np.ndarray:
    """Reduce a frame's value, repeated for its joints, (T, J) → (T,); NaN if no joint has one."""
    return np.fmax.reduce(grid, axis=1)


def _counted(table: pd.DataFrame, counted: str | None) -> np.ndarray:
    """Return which joints count if they are labelled, (N,) bool."""
    if counted is not None:
        check_choice("counted joints", counted, COUNTED)
    codes, sources = pd.factorize(table["data"])
    hidden_too = np.array([(counted or get_protocol(str(s)).counts) == "labelled" for s in sources], bool)
    return table["visible"].to_numpy(bool) | (hidden_too[codes] if len(sources) else False)


def _check_splits(table: pd.DataFrame) -> None:
    splits: dict[str, set[str]] = {}
    for data in map(str, table["data"].unique()):
        if (protocol := get_protocol(data)).folds:
            splits.setdefault(protocol.name, set()).add(data)
    for name, found in splits.items():
        if len(found) > 1:
            raise ConfigError(
                f"the table has several splits of {name} ({', '.join(sorted(found))}), whose results are averaged, "
                "not pooled: also group by 'data' and average the rows with "
                "dkd.evaluation.protocols.average_folds, or choose one split"
            )


def check_columns(table: pd.DataFrame, needed: Sequence[str]) -> None:
    """Raise ShapeError if a column is missing."""
    if missing := [name for name in dict.fromkeys(needed) if name not in table]:
        hint = nearest_name(missing[0], table.columns)
        raise ShapeError(
            f"expected the columns of an evaluation table, found no {', '.join(missing)}{hint} "
            f"It has: {', '.join(map(str, table.columns)) or 'none'}."
        )
