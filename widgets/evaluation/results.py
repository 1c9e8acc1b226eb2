"""Results shown by the panel, assembled from the functions of :mod:`dkd.evaluation.summaries`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from dkd.evaluation.protocols import COLUMNS as GROUPS
from dkd.evaluation.protocols import get_protocol
from dkd.evaluation.summaries import pck_curves, per_joint, summarise, worst_moments
from widgets.evaluation.gallery import MOST
from widgets.evaluation.job import cost_name
from widgets.evaluation.plots import Figures
from widgets.evaluation.table import results_table

ALPHAS = (0.2, 0.1, 0.05)
_HIDDEN = MOST // 4  # pictures of hidden joints, which most protocols do not count
_REACH = {"box": 0.3, "torso": 0.6}  # largest threshold of PCK curves
_NAMES = dict(zip(GROUPS, ("head", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"), strict=True))


@dataclass(frozen=True)
class Results:
    """Results of an evaluation.

    Attributes:
        table: the tidy table.
        summary: one row per method and data set, as shown in the panel's table.
        note: description of the measurement in a few sentences.
        moments: rows of :func:`dkd.evaluation.summaries.worst_moments`.
    """

    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    summary: pd.DataFrame = field(default_factory=pd.DataFrame)
    note: str = ""
    moments: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def data(self) -> list[str]:
        """Data sets with results."""
        return [str(name) for name in self.summary["data"].unique()] if len(self.summary) else []


def digest(table: pd.DataFrame, cost: pd.DataFrame | None, normaliser: str, alpha: float) -> Results:
    """Summarise a tidy table.

    Args:
        table: table of a :class:`dkd.evaluation.results.Evaluation`.
        cost: table of :func:`dkd.evaluation.cost.profile`, or ``None``.
        normaliser, alpha: length and threshold of PCK, also used for the worst moments.

    Raises:
        ConfigError: the normaliser is unknown.
    """
    if not len(table):
        return Results()
    alphas = tuple(dict.fromkeys((alpha, *ALPHAS)))
    summary = summarise(table, ("data", "model"), normaliser, alphas).reset_index()
    summary = summary.rename(columns={"model": "method"}).astype({"method": str, "data": str})
    labels = {str(name): _labels(rows) for name, rows in table.groupby("data", observed=True, sort=False)}
    summary["labels"] = [labels[name] for name in summary["data"]]
    return Results(
        table,
        results_table(summary, cost, cost_name, f"PCK@{alpha:g}"),
        measured(table, summary, labels, cost, normaliser, alpha),
        moments(table, normaliser, alpha),
    )


def _labels(rows: pd.DataFrame) -> str:
    return ", ".join(str(name) for name in rows["labels"].unique())


def moments(table: pd.DataFrame, normaliser: str, alpha: float, most: int = MOST) -> pd.DataFrame:
    """Find the worst moments of each method, the same number for each; hidden joints are included.

    The column ``visible`` tells which are hidden; they are included although most protocols do not count them.
    """
    models = [str(name) for name in table["model"].unique()]
    found = []
    for model in models:
        rows = table[table["model"] == model]
        seen, hidden = (most - _HIDDEN) // len(models), _HIDDEN // len(models)
        visible = rows["visible"].to_numpy(bool)
        found.append(worst_moments(rows[visible], seen, normaliser, alpha, counted="labelled"))
        found.append(worst_moments(rows[~visible], hidden, normaliser, alpha, counted="labelled"))
    found = [part for part in found if len(part)]
    if not found:
        return worst_moments(table[:0], 0, normaliser, alpha)
    for part in found:
        part["kind"] = part["kind"].astype(str)
    out = pd.concat(found, ignore_index=True)
    return out.sort_values("error", ascending=False, kind="stable", na_position="first", ignore_index=True)


def figures(results: Results, methods: Sequence[str], data: str, normaliser: str, alpha: float) -> Figures:
    """Collect the data of the plots for one data set.

    Args:
        results: results from :func:`digest`.
        methods: all methods, in the order of their colours.
        data: name of the data set.
        normaliser, alpha: as for :func:`digest`.
    """
    if data not in results.data:
        return Figures(methods=tuple(methods), normaliser=normaliser, alpha=alpha)
    rows = results.table[results.table["data"] == data]
    joints = per_joint(rows, ("model",), normaliser, alpha, columns="groups")
    joints = joints[[name for name in GROUPS if name in joints]].rename(columns=_NAMES)
    thresholds = np.linspace(0, _REACH.get(normaliser, 0.5), 61)
    long = pck_curves(rows, ("model",), normaliser, thresholds)
    curves = long.pivot(index="threshold", columns="model", values="PCK")
    curves.columns = [str(name) for name in curves.columns]
    joints.index = [str(name) for name in joints.index]
    mine = results.summary[results.summary["data"] == data].set_index("method")
    columns = {
        "pck": f"PCK@{alpha:g}", "acceleration": "acceleration error %", "gmacs": "GMACs", "params": "params (M)",
        "ms": "ms a frame",
    }  # fmt: skip
    summary = pd.DataFrame({new: mine[old] for new, old in columns.items() if old in mine})
    return Figures(
        tuple(methods), data, str(mine["labels"].iloc[0]), normaliser, alpha, joints, curves, summary,
        int(mine["videos"].max()),
    )  # fmt: skip


def measured(
    table: pd.DataFrame,
    summary: pd.DataFrame,
    labels: dict[str, str],
    cost: pd.DataFrame | None,
    normaliser: str,
    alpha: float,
) -> str:
    """Describe the measurement: protocol, normaliser, α, labels, numbers of counted and skipped joints, machine."""
    unit = "larger side of the labelled person's box" if normaliser == "box" else "torso (left shoulder to right hip)"
    parts = [
        "Complete clips, tracked from the box in the first frame without re-initialisation. PCK@α: share of counted "
        f"joints within α × the {unit}; worst moments and flips at α = {alpha:g}."
    ]
    for name, label in labels.items():
        rows = summary[summary["data"] == name]
        counted, skipped = int(rows["joints counted"].max()), int(rows["joints skipped"].max())
        clips, frames = int(rows["videos"].max()), int(rows["frames"].max())
        parts.append(
            f"{name}: {_plural(clips, 'clip')}, {_plural(frames, 'frame')}, {counted} joints counted "
            f"({get_protocol(name).counts}), {skipped} skipped; labels: {label}."
        )
    if cost is not None:
        a: dict[str, Any] = dict(cost.attrs)
        parts.append(
            f"Cost: float32, batch 1, median of {a.get('rounds', '?')} interleaved rounds on {a.get('device', '?')}, "
            f"{a.get('threads', '?')} thread(s)."
        )
    return " ".join(parts)


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
