"""Figures of a study for a paper: the clips of each group, their quartiles, and the mean with its interval."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context

from dkd.formats.figures import SVG, ViewFigure
from dkd.io.files import atomic_path
from dkd.studies.columns import MEASURE_TITLES

if TYPE_CHECKING:
    from dkd.studies.compare import GroupComparison

INK, FAINT = "#333333", "#9aa0a6"
# Distinguishable with any kind of colour vision; the groups also have their places.
COLOURS = ("#14929b", "#8a63c9", "#b57d0c", "#c2496a", "#5f8f2f", "#4f7fc0", "#8c6f5a", "#7a7a7a")
MOST_POINTS = 3000  # of a group; of more, evenly spaced ranks are drawn
SPREAD = 0.28  # of the points of a group to either side


def spread_out(values: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return offsets -1..1 of points (N,), the same for the same values, that keep equal values apart."""
    return np.random.default_rng(seed + len(values)).uniform(-1, 1, len(values))


def drawn_of(values: np.ndarray, most: int = MOST_POINTS) -> np.ndarray:
    """Return positions of the points to draw: all, or ``most`` of evenly spaced ranks, with both ends."""
    if len(values) <= most:
        return np.arange(len(values))
    ranks = np.unique(np.linspace(0, len(values) - 1, most).round().astype(int))
    return np.sort(np.argsort(values, kind="stable")[ranks])


def plot_groups(comparison: GroupComparison) -> ViewFigure:
    """Plot the groups of a comparison next to each other."""
    names = list(comparison.groups.index)
    figure = ViewFigure(figsize=(max(3.2, 1.6 + 0.95 * len(names)), 3.6), dpi=200, layout="constrained")
    axes: Any = figure.add_subplot()
    axes.set_axisbelow(True)
    axes.grid(axis="y", color="#e6e6e6", lw=0.8)
    for k, (name, row) in enumerate(comparison.groups.iterrows()):
        colour = COLOURS[k % len(COLOURS)]
        x = comparison.values.loc[comparison.values["group"] == name, "value"].to_numpy()
        x = x[drawn_of(x)]
        places = k + SPREAD * spread_out(x)
        axes.scatter(places, x, s=10, color=colour, alpha=max(0.15, min(0.75, 30 / len(x))), lw=0, zorder=2)
        axes.bar(
            k, row["q75"] - row["q25"], 0.72, row["q25"], color=colour, alpha=0.16, edgecolor=colour, lw=0, zorder=1
        )
        axes.plot([k - 0.36, k + 0.36], [row["median"]] * 2, color=colour, lw=1.6, zorder=3)
        reach = np.array([[row["mean"] - row["low"]], [row["high"] - row["mean"]]])
        axes.errorbar(
            k, row["mean"], np.nan_to_num(reach), fmt="o", ms=5, color=INK, capsize=4, lw=1.4, zorder=4,
            markeredgecolor="white", markeredgewidth=0.8,
        )  # fmt: skip
    labels = [f"{name}\nn = {n}" for name, n in zip(names, comparison.groups["clips"], strict=True)]
    axes.set_xticks(range(len(names)), labels, parse_math=False, rotation=0 if len(names) < 9 else 45)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_ylabel(MEASURE_TITLES.get(comparison.measure, comparison.measure.replace("_", " ")))
    axes.set_xlabel(comparison.by.replace("_", " "), parse_math=False)
    axes.tick_params(axis="x", length=0)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def save_figure(figure: ViewFigure, file: Path) -> None:
    """Write a figure as SVG, PNG or PDF by its ending, completely or not at all; equal figures are equal files.

    Raises:
        StorageError: the file cannot be written.
    """
    kind = file.suffix.lower().lstrip(".")
    dates: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with atomic_path(file) as temporary, rc_context({**SVG, "pdf.fonttype": 42}):
        figure.savefig(temporary, format=kind, metadata=dates.get(kind, {}))
