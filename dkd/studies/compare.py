"""Comparison of the groups of a study: how a measure of the clips is distributed, and whether groups differ.

    comparison = study.compare(by="condition", measure="confidence")
    comparison.groups, comparison.differences  # tables
    comparison.save("confidence.svg")

Intervals are bootstrapped (Efron & Tibshirani, *An Introduction to the Bootstrap*, 1993; percentile method). A resample
draws *videos* with replacement, each with all its clips: two people in one video, or two parts of it, are not
independent. ``unit="subject"`` draws subjects instead. The mean is over clips.

A difference is *paired* if some videos have clips in both groups: then both means are of the same resample of all
videos of the two groups, so that what a video adds to both groups cancels. Otherwise each group is resampled by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dkd.errors import ConfigError, checked, nearest_name
from dkd.io.escaping import csv_cell, latex, markdown
from dkd.io.files import atomic_path
from dkd.io.paths import as_path
from dkd.studies.columns import CLIP_COLUMNS, MEASURE_TITLES
from dkd.studies.settings import check_not_of_a_study

if TYPE_CHECKING:
    import pandas as pd

    from dkd.formats.figures import ViewFigure

RESAMPLES = 2000
FEW = 10  # units of a group: of fewer, percentiles of resamples underestimate the spread
MOST_GROUPS = 24  # more cannot be told apart in a figure, nor read in a table
EMPTY = "(empty)"
_BLOCK = 4_000_000  # numbers of a block of resamples
_TEXT = ("person", "status", "verdict", "worst_reason", "engine", "version", "model_sha256")
_FIGURES = (".svg", ".png", ".pdf")
_TABLES = {".csv": "csv", ".md": "markdown", ".tex": "latex"}


@checked
@dataclass(frozen=True)
class GroupComparison:
    """The groups of a study, by one measure of their clips.

    Attributes:
        by, measure: columns of the table of clips.
        groups: one row per group, in the order of the names: ``clips`` with a value, ``units`` (videos), ``mean``,
            ``low`` and ``high`` (ends of the 95 % interval of the mean), ``sd``, ``min``, ``q25``, ``median``, ``q75``,
            ``max``.
        differences: one row per pair of groups: ``first``, ``second``, ``difference`` (mean of the first minus that of
            the second), ``low``, ``high``, ``paired`` and ``in both``: how many units have clips in both groups.
        values: one row per clip that counts: ``name``, ``video``, ``group``, ``value``.
        left_out: number of clips without a value, or of a group that was not asked for.
        unit: column of what is resampled.
        n_resamples, seed: settings of the bootstrap.
    """

    by: str
    measure: str
    groups: pd.DataFrame
    differences: pd.DataFrame
    values: pd.DataFrame
    left_out: int
    n_resamples: int
    seed: int
    unit: str = "video"

    def note(self) -> str:
        """Return in a sentence how the intervals were made."""
        few = f" Intervals of fewer than {FEW} {self.unit}s are too narrow as a rule."
        return (
            f"95 % intervals: percentile bootstrap of the mean over clips, {self.n_resamples} resamples of "
            f"{self.unit}s, seed {self.seed}; a difference is paired if some {self.unit}s are in both groups."
            f"{few if (self.groups['units'] < FEW).any() else ''}"
        )

    def text(self, kind: str = "markdown") -> str:
        """Return the two tables as ``markdown`` or ``latex``, or that of the groups as ``csv``.

        Raises:
            ConfigError: the kind is unknown.
        """
        if kind not in _TABLES.values():
            known = ", ".join(_TABLES.values())
            raise ConfigError(f"unknown format {kind!r}{nearest_name(kind, _TABLES.values())} Known: {known}.")
        if kind == "csv":
            return self.groups.rename(index=csv_cell).to_csv(float_format="%.6g")
        escape = markdown if kind == "markdown" else latex
        parts = []
        for table in (self.groups.reset_index(), self.differences):
            if not len(table):
                continue
            shown = table.map(_short).map(escape).rename(columns=escape)
            if kind == "markdown":
                parts.append(shown.to_markdown(index=False, disable_numparse=True))
            else:
                parts.append(shown.to_latex(index=False, escape=False).strip())
        parts.append(escape(f"{_title(self.measure)} by {self.by}. {self.note()}"))
        return "\n\n".join(parts) + "\n"

    def figure(self) -> ViewFigure:
        """Return a figure for a paper: each clip, the quartiles, and the mean with its interval, for each group."""
        from dkd.studies.figures import plot_groups

        return plot_groups(self)

    def save(self, file: str | Path) -> Path:
        """Write the figure (``.svg``, ``.png``, ``.pdf``) or the tables (``.csv``, ``.md``, ``.tex``).

        Raises:
            ConfigError: the ending is of another kind, or the file is the table of a study.
            StorageError: the file cannot be written.
        """
        file = as_path(file, "the file of the comparison")
        check_not_of_a_study(file)
        ending = file.suffix.lower()
        if ending not in (*_FIGURES, *_TABLES):
            raise ConfigError(f"expected a file that ends in {', '.join((*_FIGURES, *_TABLES))}, got {file}")
        if ending in _FIGURES:
            from dkd.studies.figures import save_figure

            save_figure(self.figure(), file)
        else:
            with atomic_path(file) as temporary:
                temporary.write_text(self.text(_TABLES[ending]), encoding="utf-8")
        return file

    def __str__(self) -> str:
        parts = [self.groups.round(4).to_string()]
        if len(self.differences):
            parts.append(self.differences.round(4).to_string(index=False))
        if self.left_out:
            parts.append(f"Left out, without a value or of another group: {self.left_out} of the clips.")
        return "\n\n".join([*parts, self.note()])

    def _repr_png_(self) -> bytes:
        return self.figure()._repr_png_()


def compare_groups(
    clips: pd.DataFrame,
    by: str,
    measure: str = "confidence",
    *,
    groups: Sequence[str] | None = None,
    unit: str = "video",
    n_resamples: int = RESAMPLES,
    seed: int = 0,
) -> GroupComparison:
    """Compare groups of clips; see :meth:`dkd.Study.compare`."""
    by, measure = check_columns(clips, by, measure)
    if unit != "video":
        check_columns(clips, unit, measure)
    if not (isinstance(n_resamples, int) and 100 <= n_resamples <= 100_000):
        raise ConfigError(f"expected 100 to 100000 resamples, got {n_resamples!r}")
    if not (isinstance(seed, int) and seed >= 0):
        raise ConfigError(f"expected a seed of 0 or more, got {seed!r}")
    values = values_of(clips, by, measure, unit)
    names = _names(values, by, measure, groups)
    values = values[values["group"].isin(names)].reset_index(drop=True)
    for name in names:
        mine = values[values["group"] == name]
        if mine["video"].nunique() < 2:
            raise ConfigError(
                f"expected clips of at least two {unit}s with a value of {measure!r} in each group, got {len(mine)} of "
                f"{mine['video'].nunique()} in {by}={name!r}; add clips, or choose other groups with groups=[…]"
            )
    return GroupComparison(
        by, measure, describe(values, names, n_resamples, seed), differences(values, names, n_resamples, seed),
        values, len(clips) - len(values), n_resamples, seed, unit,
    )  # fmt: skip


def check_columns(clips: pd.DataFrame, by: str, measure: str) -> tuple[str, str]:
    """Return the names of the columns.

    Raises:
        ConfigError: there is no such column, or it is of the other kind.
    """
    own = [name for name in clips.columns if name not in CLIP_COLUMNS]
    numbers = [name for name in clips.columns if CLIP_COLUMNS.get(name, "string") in ("float64", "int64", "int32")]
    for name, known, what in ((by, [*own, *_TEXT], "a group"), (measure, numbers, "a measure")):
        if name not in known:
            raise ConfigError(
                f"expected the column of {what}, got {name!r}{nearest_name(str(name), known)} There are: "
                f"{', '.join(known)}."
            )
    return by, measure


def values_of(clips: pd.DataFrame, by: str | None, measure: str, unit: str = "video") -> pd.DataFrame:
    """Return ``name, video, group, value`` of the clips that have a value, in the order of the table.

    ``video`` is what is resampled: the value of the column ``unit``.
    """
    import pandas as pd

    value = pd.to_numeric(clips[measure], errors="coerce").astype(float)
    group = "all clips" if by is None else clips[by].fillna("").replace("", EMPTY).astype(str)
    table = pd.DataFrame({"name": clips["name"], "video": clips[unit].fillna(""), "group": group, "value": value})
    return table[np.isfinite(value)].reset_index(drop=True)


def _names(values: pd.DataFrame, by: str, measure: str, groups: Sequence[str] | None) -> list[str]:
    there = sorted(values["group"].unique())
    if not there:
        raise ConfigError(f"no clip has a value of {measure!r}; run the study, or choose another measure")
    if groups is None:
        if len(there) > MOST_GROUPS:
            raise ConfigError(
                f"expected at most {MOST_GROUPS} groups, got {len(there)} values of {by!r}; choose with groups=[…]"
            )
        return there
    if not isinstance(groups, str | Sequence):
        raise ConfigError(f"expected groups as a list of values of {by!r}, got {groups!r}")
    names = [groups] if isinstance(groups, str) else list(dict.fromkeys(groups))
    for name in names:
        if name not in there:
            raise ConfigError(
                f"no clip with a value of {measure!r} has {by}={name!r}{nearest_name(str(name), there)} There are: "
                f"{', '.join(there)}."
            )
    if not 1 <= len(names) <= MOST_GROUPS:
        raise ConfigError(f"expected 1 to {MOST_GROUPS} groups, got {len(names)}")
    return names


def describe(values: pd.DataFrame, names: Iterable[str], n_resamples: int, seed: int) -> pd.DataFrame:
    """Return the table of the groups; the interval is NaN where a group has clips of fewer than two videos."""
    import pandas as pd

    rows = []
    for name in names:
        mine = values[values["group"] == name]
        x = mine["value"].to_numpy()
        sums, counts = _by_video(mine, [name])
        low = high = np.nan
        if len(sums) > 1:
            low, high = _interval(_means(sums, counts, n_resamples, np.random.default_rng(seed))[:, 0])
        low_quartile, median, high_quartile = np.percentile(x, (25, 50, 75))
        rows.append({
            "group": name, "clips": len(x), "units": len(sums), "mean": x.mean(), "low": low, "high": high,
            "sd": x.std(ddof=1) if len(x) > 1 else np.nan, "min": x.min(), "q25": low_quartile, "median": median,
            "q75": high_quartile, "max": x.max(),
        })  # fmt: skip
    return pd.DataFrame(rows).set_index("group")


def differences(values: pd.DataFrame, names: Sequence[str], n_resamples: int, seed: int) -> pd.DataFrame:
    """Return the table of the differences of all pairs of groups."""
    import pandas as pd

    columns = ["first", "second", "difference", "low", "high", "paired", "in both"]
    rows: list[tuple[Any, ...]] = []
    for first, second in combinations(names, 2):
        both = values[values["group"].isin((first, second))]
        sums, counts = _by_video(both, [first, second])
        n_both = int((counts > 0).all(1).sum())
        random = np.random.default_rng(seed)
        if n_both:
            means = _means(sums, counts, n_resamples, random)
            drawn = means[:, 0] - means[:, 1]
        else:
            one, other = (
                _means(sums[mine, k : k + 1], counts[mine, k : k + 1], n_resamples, random)[:, 0]
                for k, mine in enumerate(counts.T > 0)
            )
            drawn = one - other
        totals = sums.sum(0) / counts.sum(0)
        rows.append((first, second, totals[0] - totals[1], *_interval(drawn), n_both > 0, n_both))
    return pd.DataFrame(rows, columns=columns)


def _by_video(values: pd.DataFrame, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return sums and numbers of the values of each video (V, G) in each of the groups."""
    video, _ = values["video"].factorize()
    cell = video * len(names) + values["group"].map({name: k for k, name in enumerate(names)}).to_numpy(int)
    size = (int(video.max()) + 1) * len(names)
    shape = (-1, len(names))
    return (
        np.bincount(cell, values["value"].to_numpy(), size).reshape(shape),
        np.bincount(cell, minlength=size).reshape(shape).astype(float),
    )


def _means(sums: np.ndarray, counts: np.ndarray, n_resamples: int, random: np.random.Generator) -> np.ndarray:
    """Return the mean of each group in each resample of videos, (n_resamples, G); NaN if none of its clips is drawn."""
    n = len(sums)
    block, out = max(1, _BLOCK // n), []
    for start in range(0, n_resamples, block):
        times = random.multinomial(n, np.full(n, 1 / n), min(block, n_resamples - start))
        with np.errstate(invalid="ignore", divide="ignore"):
            out.append((times @ sums) / (times @ counts))
    return np.concatenate(out)


def _interval(drawn: np.ndarray) -> tuple[float, float]:
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return float(low), float(high)


def _title(measure: str) -> str:
    return MEASURE_TITLES.get(measure, measure.replace("_", " "))


def _short(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return "–" if np.isnan(value) else f"{value:.4g}"
    return str(value)
