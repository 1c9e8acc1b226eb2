"""Summaries of the tidy evaluation table: group-bys with a few numbers, each with a name and a unit.

The table has one row per joint per frame (:data:`COLUMNS`; :mod:`dkd.evaluation.run` writes it). It may be filtered
first: missing rows are not measured, and frames around a gap are not treated as consecutive. By default, every summary
uses the protocol of the row's data (:mod:`dkd.evaluation.protocols`), and pools: a mean is over all joints of all
frames. An empty table has an empty summary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from dkd.analysis.moments import worst_of_runs
from dkd.errors import ConfigError, checked, nearest_name
from dkd.evaluation.protocols import COLUMNS as PAPER_COLUMNS
from dkd.evaluation.protocols import check_choice, paper_columns
from dkd.evaluation.rows import MOTION, VIDEO, Groups, check_columns, means, measure
from dkd.measures.coherence import run_starts
from dkd.measures.metrics import KINDS

COLUMNS = (
    "model", "data", "video", "action", "frame", "time_s", "joint", "x", "y", "score", "true_x", "true_y", "visible",
    "box_side", "box_area", "torso", "in_crop", "kernel_drift", "labels", "skeleton",
)  # fmt: skip


@checked
def add_errors(
    table: pd.DataFrame, normaliser: str = "box", alpha: float = 0.2, counted: str | None = None
) -> pd.DataFrame:
    """Add five columns to the table.

    Args:
        table: an evaluation table, or rows of one.
        normaliser: "box" or "torso".
        alpha: threshold as a share of the normaliser.
        counted: "visible" or "labelled"; ``None``: according to the protocol of each row's data.

    Returns:
        A copy with ``counted`` (bool; also False if there is no length to compare with), ``error_px`` (of all labelled
        joints, counted or not), ``error`` (as a share of the normaliser), ``hit`` (counted, and error ≤ alpha) and
        ``kind`` (one of :data:`dkd.measures.metrics.KINDS`).

    Raises:
        ShapeError: columns are missing, rows are duplicated, or joints do not belong to their skeleton.
        ConfigError: an option is unknown.
    """
    rows = measure(table, normaliser, alpha, counted, kinds=True)
    out = table.copy()
    for name in ("counted", "error_px", "error", "hit"):
        out[name] = rows.values[name]
    out["kind"] = pd.Categorical.from_codes(rows.values["kind"], list(KINDS))
    return out


@checked
def summarise(
    table: pd.DataFrame,
    by: str | Sequence[str] = ("model",),
    normaliser: str = "box",
    alphas: Sequence[float] = (0.2, 0.1, 0.05),
    counted: str | None = None,
) -> pd.DataFrame:
    """Summarise the table: one row per group, in order of appearance.

    Args:
        table, normaliser, counted: as in :func:`add_errors`.
        by: columns to group by, such as "model", "data", "action", "video", "joint", "visible".
        alphas: thresholds of PCK; the first is also used for flips and losses.

    Returns:
        A table indexed by ``by``, with

        - ``PCK@…`` and ``AUC`` (up to 0.2; both 0..1), pooled over counted joints; ``OKS``, the mean over frames of the
          mean over the frame's counted joints (COCO also counts hidden labelled joints: ``counted="labelled"``);
        - ``velocity error %``, ``acceleration error %``: over counted joints; ``jitter %``, ``jerk %``: over all
          predicted ones, labelled or not. In percent of the *box side* per frame, frame² or frame³;
        - ``flips``: number of times a joint moved to the other side of the body, and ``lost``: number of times a joint
          was no longer hit, both per 100 frames of the group; ``recovered``: share of these losses after which the
          joint was hit again, and ``frames to recovery``, the mean over those;
        - ``kernel drift``: mean over frames; ``videos``, ``frames``; ``joints counted``, and ``joints skipped``: those
          that would have counted in frames without a length to compare with.

        Values that cannot be measured are NaN.

    Raises:
        As :func:`add_errors`; also ConfigError if splits of one data set would be pooled, which must be averaged
        instead (also group by "data", then see :func:`dkd.evaluation.protocols.average_folds`).
    """
    if not len(alphas):
        raise ConfigError("expected at least one threshold in alphas, got none")
    check_columns(table, ("box_area", "kernel_drift"))
    groups = Groups.of(table, by)
    rows = measure(table, normaliser, alphas[0], counted, over_time=True)
    v, mean = rows.values, groups.mean
    out: dict[str, Any] = {}
    for alpha in alphas:
        out[f"PCK@{alpha:g}"] = mean(v["error_px"] <= alpha * v["length"], v["counted"])
    with np.errstate(invalid="ignore"):
        out["AUC"] = mean(np.where(v["error"] < 0.2, 1 - v["error"] / 0.2, 0), v["counted"])
    # For each frame of each group: mean similarity and drift.
    frame_group, frame_of_row = groups.frames(rows.frame)
    per_frame = Groups(groups.keys, frame_group)
    similarity = means(frame_of_row, len(frame_group), v["similarity"], np.isfinite(v["similarity"]))
    out["OKS"] = per_frame.mean(similarity, np.isfinite(similarity))
    for name in MOTION:
        out[f"{name} %"] = 100 * mean(v[name], np.isfinite(v[name]))
    n_frames = np.bincount(frame_group, minlength=groups.n)
    lost = groups.sum(v["lost"])
    out["flips"] = 100 * groups.sum(v["flip"]) / n_frames
    out["lost"] = 100 * lost / n_frames
    back = np.isfinite(v["recovery"])
    out["recovered"] = mean(back, v["lost"])
    out["frames to recovery"] = mean(v["recovery"], back)
    drift = table["kernel_drift"].to_numpy(np.float64)
    drift = means(frame_of_row, len(frame_group), drift, np.isfinite(drift))
    out["kernel drift"] = per_frame.mean(drift, np.isfinite(drift))
    videos = table.groupby(["data", "video"], observed=True, sort=False, dropna=False).ngroup().to_numpy()
    out["videos"] = np.bincount(groups.frames(videos)[0], minlength=groups.n)
    out["frames"] = n_frames
    out["joints counted"] = groups.sum(v["counted"]).astype(np.int64)
    out["joints skipped"] = groups.sum(v["skipped"]).astype(np.int64)
    return pd.DataFrame(out, index=groups.keys)


def per_joint(
    table: pd.DataFrame,
    by: str | Sequence[str] = ("model",),
    normaliser: str = "box",
    alpha: float = 0.2,
    columns: str = "joints",
    counted: str | None = None,
) -> pd.DataFrame:
    """Compute PCK (0..1) per joint, or in the columns of the papers' tables.

    Args:
        table, normaliser, alpha, counted: as in :func:`add_errors`.
        by: columns to group by, without "joint".
        columns: "joints", in the table's order; or "groups", the papers' seven columns and the named means of
            :func:`dkd.evaluation.protocols.paper_columns`.

    Returns:
        A table indexed by ``by``; NaN for joints that never count.

    Raises:
        As :func:`summarise`.
    """
    check_choice("columns", columns, ("joints", "groups"))
    groups = Groups.of(table, by)
    if "joint" in groups.keys.names:
        raise ConfigError("expected 'by' without 'joint': the joints are the columns")
    v = measure(table, normaliser, alpha, counted).values
    codes, names = pd.factorize(table["joint"])
    cell = groups.group * len(names) + codes
    shape = groups.n, len(names)
    hits, n = (np.bincount(cell, v[k], groups.n * len(names)).reshape(shape) for k in ("hit", "counted"))
    if columns == "joints":
        with np.errstate(invalid="ignore"):
            return pd.DataFrame(hits / n, groups.keys, pd.Index(names, dtype=object, name="joint"))
    if not groups.n:
        return pd.DataFrame(columns=list(PAPER_COLUMNS), index=groups.keys, dtype=float)
    there = np.bincount(cell, minlength=hits.size).reshape(hits.shape) > 0  # groups may differ in their skeleton
    rows = [paper_columns(h[t], m[t], names[t].astype(str)) for h, m, t in zip(hits, n, there, strict=True)]
    return pd.DataFrame(rows, index=groups.keys)[_in_paper_order(rows)]


def pck_curves(
    table: pd.DataFrame,
    by: str | Sequence[str] = ("model",),
    normaliser: str = "box",
    thresholds: Sequence[float] | np.ndarray | None = None,
    counted: str | None = None,
) -> pd.DataFrame:
    """Compute PCK over the threshold in long form: one row per group per threshold.

    The columns are ``by``…, ``threshold`` and ``PCK`` (0..1).

    Args:
        table, normaliser, counted: as in :func:`add_errors`.
        by: columns to group by.
        thresholds: shares of the normaliser; 0 to 0.5 in steps of 0.005 by default.
    """
    thresholds = np.linspace(0, 0.5, 101) if thresholds is None else np.asarray(thresholds, np.float64)
    groups = Groups.of(table, by)
    v = measure(table, normaliser, 0.2, counted).values
    keep = v["counted"]
    group, error, length = groups.group[keep], v["error_px"][keep], v["length"][keep]
    n = np.bincount(group, minlength=groups.n)
    hits = np.array([np.bincount(group[error <= t * length], minlength=groups.n) for t in thresholds])
    with np.errstate(invalid="ignore"):
        pck = hits.reshape(len(thresholds), groups.n) / n
    long = groups.keys.to_frame(index=False).loc[np.repeat(np.arange(groups.n), len(thresholds))].reset_index(drop=True)
    return long.assign(threshold=np.tile(thresholds, groups.n), PCK=pck.T.ravel())


def paired(
    table: pd.DataFrame,
    baseline: str,
    by: str | Sequence[str] = ("model",),
    normaliser: str = "box",
    alpha: float = 0.2,
    counted: str | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare methods with a baseline on the same joints (data, video, frame, joint).

    The interval is a bootstrap over *videos*, not over joints: joints of one video fail together, and an interval that
    assumed independent joints would be far too narrow.

    Args:
        table, normaliser, alpha, counted: as in :func:`add_errors`.
        baseline: the ``model`` with which the others are compared.
        by: columns to group by; "model" is added if it is missing.
        n_resamples, seed: settings of the bootstrap.

    Returns:
        A table indexed by ``by``, without the baseline's own rows: ``PCK@…`` and ``baseline`` (0..1, both on the shared
        joints), ``difference``, ``low`` and ``high`` (ends of the 95 % interval; NaN with fewer than two videos),
        ``videos``, and ``joints counted``. NaN if no joint is shared.

    Raises:
        As :func:`summarise`; also ConfigError if there are no rows of the baseline.
    """
    models = [str(model) for model in table["model"].unique()] if "model" in table else []
    if baseline not in models:
        raise ConfigError(
            f"the table has no model {baseline!r} to compare with{nearest_name(baseline, models)} "
            f"It has: {', '.join(models) or 'none'}."
        )
    by = [by] if isinstance(by, str) else list(by)
    v = measure(table, normaliser, alpha, counted).values
    joint = ["data", "video", "frame", "joint"]
    key = table.groupby(joint, observed=True, sort=False, dropna=False).ngroup().to_numpy()
    is_base = (table["model"] == baseline).to_numpy()
    base = np.full(key.max() + 1, -1, np.int8)  # per joint: −1 not counted, 0 missed, 1 hit
    of_base = is_base & v["counted"]
    base[key[of_base]] = v["hit"][of_base]
    groups = Groups.of(table[~is_base], by if "model" in by else ["model", *by])
    video = table[~is_base].groupby(["data", "video"], observed=True, sort=False, dropna=False).ngroup().to_numpy()
    shared = (v["counted"] & (base[key] >= 0))[~is_base]
    hit, base_hit = v["hit"][~is_base], base[key][~is_base] == 1
    rows = []
    for g in range(groups.n):
        mine = shared & (groups.group == g)
        _, videos = np.unique(video[mine], return_inverse=True)
        n, ours, theirs = (np.bincount(videos, w[mine]) for w in (np.ones(len(hit)), hit, base_hit))
        rows.append(_compare(n, ours, theirs, n_resamples, seed))
    names = [f"PCK@{alpha:g}", "baseline", "difference", "low", "high", "videos", "joints counted"]
    return pd.DataFrame(rows, groups.keys, names).astype({"videos": np.int64, "joints counted": np.int64})


def worst_moments(
    table: pd.DataFrame,
    n: int = 50,
    normaliser: str = "box",
    alpha: float = 0.2,
    per_video: int | None = None,
    include_hidden: bool = False,
    counted: str | None = None,
) -> pd.DataFrame:
    """Find the worst errors, worst first: one per bad run of a joint, at the worst frame of the run.

    A bad run consists of a joint's counted frames that are not hits, up to the next hit; frames that are not counted
    neither end nor begin one.

    Args:
        table, normaliser, alpha, counted: as in :func:`add_errors`.
        n: maximum number of moments.
        per_video: maximum number per video per model.
        include_hidden: count all labelled joints.

    Returns:
        Columns ``model, data, video, action, frame, time_s, joint, error`` (share of the normaliser; a missing
        prediction is the worst, and NaN), ``error_px, kind, visible, score, labels, n_frames`` (bad frames of the run).
    """
    if n < 0 or (per_video is not None and per_video < 1):
        raise ConfigError(f"expected n of at least 0 and per_video of at least 1, got {n} and {per_video}")
    check_columns(table, ("action", "time_s", "score", "labels"))
    rows = measure(table, normaliser, alpha, "labelled" if include_hidden else counted, kinds=True)
    v = rows.values
    bad = v["counted"] & ~v["hit"]
    run = np.full(len(table), -1)
    n_runs = 0
    for video in rows.videos:
        starts = run_starts(video.lay(bad, False), video.lay(v["counted"], False))
        ids = np.cumsum(starts.T.ravel()).reshape(starts.T.shape).T - 1 + n_runs  # joint by joint
        run[video.rows] = video.pick(ids)
        n_runs += int(starts.sum())
    at = worst_of_runs(v["error"], bad, run)
    events = table.iloc[at].assign(
        error=v["error"][at],
        error_px=v["error_px"][at],
        kind=pd.Categorical.from_codes(v["kind"][at], list(KINDS)),
        n_frames=np.bincount(run[bad], minlength=n_runs)[run[at]],
    )
    if per_video is not None:
        events = events[(events.groupby(VIDEO, observed=True, dropna=False).cumcount() < per_video).to_numpy(bool)]
    columns = [*COLUMNS[:7], "error", "error_px", "kind", "visible", "score", "labels", "n_frames"]
    return events.head(n)[columns].reset_index(drop=True)


def _compare(n: np.ndarray, ours: np.ndarray, theirs: np.ndarray, n_resamples: int, seed: int) -> tuple[float, ...]:
    """Compute a row of :func:`paired` from the counts of each video."""
    total, n_videos = n.sum(), len(n)
    if not total:
        return (*(float("nan"),) * 5, 0, 0)
    low = high = float("nan")
    if n_videos > 1:
        times = np.random.default_rng(seed).multinomial(n_videos, np.full(n_videos, 1 / n_videos), n_resamples)
        low, high = np.percentile((times @ (ours - theirs)) / (times @ n), (2.5, 97.5))
    a, b = ours.sum() / total, theirs.sum() / total
    return a, b, (ours - theirs).sum() / total, low, high, n_videos, total


def _in_paper_order(rows: list[dict[str, float]]) -> list[str]:
    """Return all names of the rows, in the order of the row with the most names."""
    return list(dict.fromkeys(name for row in sorted(rows, key=len, reverse=True) for name in row))
