"""Results of ablations: a tidy table with its provenance, and an estimate of noise.

Two runs that differ only in their seed differ by chance; differences to the reference that are no larger are called
noise (our decision; with two seeds this is a rough measure, but the only one available). A row is one run, with its
seed and steps.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dkd.ablations.plan import EVALUATION, AblationPlan
from dkd.ablations.run import Measurable, measurable
from dkd.errors import ConfigError, DatasetError, checked
from dkd.evaluation.cost import count
from dkd.evaluation.methods import get_method
from dkd.evaluation.results import Evaluation
from dkd.evaluation.summaries import summarise
from dkd.io.config import flat, to_mapping
from dkd.io.escaping import csv_cell, from_csv_cell
from dkd.io.files import atomic_path
from dkd.io.provenance import provenance
from dkd.training.config import TrainConfig
from dkd.training.run import Run

FORMAT = "dkd-ablations/1"
RESULTS = "ablations.csv"  # in the folder; its provenance is in a .json file next to it
FIGURES = ("PCK@0.2", "PCK@0.1", "PCK@0.05", "acceleration error %")
_LESS_IS_BETTER = ("acceleration error %",)
_WORDS = ("better", "worse", "noise", "?")  # "?": unknown without a second seed
# Columns in this order; each measure also has the columns "Δ measure" and "noise of measure".
COLUMNS = (
    "variant", "data", "labels", "changed", "seed", "steps", "T", "batch", "S", *FIGURES, "reading",
    "erased: PCK@0.2 lost", "reliance", "GMACs", "params (M)", "training s", "videos", "problem",
)  # fmt: skip
_TEXTS = dict.fromkeys(("variant", "data", "labels", "changed", "reading", "problem"), str)
_NUMBERS = [
    *(c for c in COLUMNS if c not in _TEXTS), *(f"{of} {figure}" for of in ("Δ", "noise of") for figure in FIGURES)
]  # fmt: skip


@checked
@dataclass(frozen=True)
class AblationResults:
    """Results of ablations.

    Attributes:
        table: one row per variant per data source, see :func:`make_results`.
        facts: provenance as plain values: ``plan``, ``runs`` (settings, date, commit, versions and SHA-256 of the
            weights by name), ``evaluation``.
    """

    table: pd.DataFrame
    facts: dict[str, Any]

    def save(self, file: str | Path) -> Path:
        """Write the table as CSV and the provenance as JSON next to it, each atomically.

        The JSON file has the table's SHA-256, so that :func:`read_results` detects files that do not match.

        Raises:
            ConfigError: the file name does not end in .csv.
            StorageError: a file cannot be written.
        """
        file = Path(file)
        if file.suffix != ".csv":
            raise ConfigError(f"expected a file that ends in .csv, got {file}")
        text = self.table.map(csv_cell).to_csv(index=False, float_format="%.6g").encode()
        facts = {"format": FORMAT, "table": file.name, "table_sha256": hashlib.sha256(text).hexdigest(), **self.facts}
        with atomic_path(file) as temporary:
            temporary.write_bytes(text)
        with atomic_path(file.with_suffix(".json")) as temporary:
            temporary.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return file


@checked
def read_results(file: str | Path) -> AblationResults:
    """Read results written by :meth:`AblationResults.save`.

    Raises:
        DatasetError: the table or its provenance is missing or damaged, or they do not match.
    """
    file = Path(file)
    try:
        text = file.read_bytes()
        facts = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        if facts.pop("format") != FORMAT or facts.pop("table_sha256") != hashlib.sha256(text).hexdigest():
            raise ValueError("the table does not match its provenance")
        facts.pop("table")
        table = pd.read_csv(file, keep_default_na=False, na_values={c: [""] for c in _NUMBERS}, dtype=_TEXTS)
        for name in _TEXTS:
            table[name] = table[name].map(from_csv_cell)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"expected ablations in {file}, and their provenance in {file.with_suffix('.json').name}: {error}; make "
            "them with dkd ablate"
        ) from error
    return AblationResults(table, facts)


@checked
def make_results(plan: AblationPlan, folder: str | Path) -> AblationResults:
    """Make the table of everything trained and evaluated in ``folder``.

    Returns:
        One row per variant (or method) per source, with ``changed``: settings that differ from the reference's, without
        the seed; ``S`` of its kernels; PCK of the box's larger side (0..1, joints pooled) and the acceleration error (%
        of that side per frame²); ``Δ …``: difference to the reference; ``noise of …``: the largest difference between
        two seeds of one variant on these data, NaN without such a pair; ``reading``: interpretation of these; ``erased:
        PCK@0.2 lost``: loss with blank maps instead of H_t; ``reliance``: from the last validation; ``GMACs`` of a
        later frame; ``params (M)`` of all parts; ``training s``: time of the training steps on the machine that
        trained;
        ``problem``: why there are no results. Values that were not measured are NaN.

    Raises:
        ConfigError: no variant of the plan was trained in ``folder``.
    """
    folder = Path(folder)
    rows = measurable(plan, folder)
    if not rows:
        raise ConfigError(f"expected trained variants of the plan in {folder}, found none; run dkd ablate first")
    configs = plan.configs()
    measured = _figures(folder) if any(row.problem is None for row in rows) else {}
    fixed = {row.name: _of_variant(row, plan, configs, folder) for row in rows}
    out = []
    for data, (labels, by_method) in measured.items() or {"": ("", {})}.items():
        for row in rows:
            out.append({**fixed[row.name], "data": data, "labels": labels, **_of_data(row, by_method)})
    table = pd.DataFrame(out).reindex(columns=list(COLUMNS))
    return AblationResults(with_differences(table, plan.compared_with), _facts(plan, rows, folder))


def with_differences(table: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Add ``Δ …`` and ``noise of …`` of each measure, and ``reading``: better, worse or noise.

    Args:
        table: table with ``variant``, ``data``, ``changed``, ``seed`` and the measures.
        reference: name of the reference variant; its rows may be missing.
    """
    table = table.copy()
    says: list[dict[str, list[str]]] = [{word: [] for word in _WORDS} for _ in range(len(table))]
    for figure in FIGURES:
        of_reference = table[table["variant"] == reference].set_index("data")[figure]
        difference = table[figure] - table["data"].map(of_reference)
        noise = table["data"].map(_noise(table, figure))
        table[f"Δ {figure}"], table[f"noise of {figure}"] = difference, noise
        sign = -1 if figure in _LESS_IS_BETTER else 1
        for i, (delta, chance) in enumerate(zip(sign * difference, noise, strict=True)):
            if table["variant"].iloc[i] != reference and np.isfinite(delta):
                word = "better" if delta > 0 else "worse"
                word = "?" if np.isnan(chance) else "noise" if abs(delta) <= chance else word
                says[i][word].append(figure.removesuffix(" %"))
    table["reading"] = [_sentence(words) for words in says]
    its_settings = table.loc[table["variant"] == reference, "changed"]
    table.loc[table["changed"].isin(its_settings), "reading"] = "the reference, another seed"
    table.loc[table["variant"] == reference, "reading"] = "reference"
    return table


def _sentence(words: Mapping[str, list[str]]) -> str:
    """Return ``better: acceleration error; noise: PCK@0.2, …``, or a single word if it holds for all measures."""
    said = {word: figures for word, figures in words.items() if figures}
    if len(said) == 1:
        return next(iter(said))
    return "; ".join(f"{word}: {', '.join(figures)}" for word, figures in said.items())


def _noise(table: pd.DataFrame, figure: str) -> dict[str, float]:
    """Compute the largest difference between two seeds with the same settings, by data."""
    known = table[table[figure].notna()]
    spread = known.groupby(["data", "changed"])[figure].agg(lambda v: v.max() - v.min() if len(v) > 1 else np.nan)
    return spread.groupby("data").max().to_dict() if len(spread) else {}


def _of_variant(
    row: Measurable, plan: AblationPlan, configs: Mapping[str, TrainConfig], folder: Path
) -> dict[str, Any]:
    """Return the values of a variant that are the same for all data."""
    config, run = configs[row.base], Run(folder / row.base)
    changed = _changed(config, configs[plan.compared_with])
    suffix = Path(row.spec).name.removeprefix(row.base)
    texts = [*([f"run as {suffix}"] if suffix else []), *(f"{k}={v}" for k, v in changed.items())]
    log = run.log()
    facts = {
        "variant": row.name,
        "changed": ", ".join(texts),
        "seed": config.seed,
        "steps": config.steps if row.problem is None else run.steps_done(),
        "T": config.n_frames,
        "batch": config.batch,
        "training s": float((config.batch * config.n_frames / log["frames_per_s"]).sum()) if len(log) else np.nan,
        "problem": row.problem or "",
    }
    if row.problem is not None:
        return facts
    model = get_method(row.spec).model
    cost, (channels, side, _) = count(model), model.kernel_shape
    reliance = log["reliance"].dropna() if "reliance" in log and not suffix else []
    return {
        **facts,
        "S": side if channels else np.nan,
        "reliance": float(reliance.iloc[-1]) if len(reliance) else np.nan,  # type: ignore[union-attr]
        "GMACs": cost.step / 1e9,
        "params (M)": cost.params / 1e6,
    }


def _changed(config: TrainConfig, reference: TrainConfig) -> dict[str, Any]:
    """Return the settings that differ from the reference's, except the seed and machine settings."""
    mine, theirs = flat(to_mapping(config)), flat(to_mapping(reference))
    names = [k for k in {**mine, **theirs} if mine.get(k) != theirs.get(k)]
    return {k: mine.get(k) for k in names if k != "seed" and not k.startswith("machine.")}


def _figures(folder: Path) -> dict[str, tuple[str, dict[str, pd.Series]]]:
    """Return, by data, the description of its labels and the summaries by method."""
    table = Evaluation(folder / EVALUATION).table()
    out = {}
    for data, rows in table.groupby("data", observed=True, sort=False):
        figures = summarise(rows, by=("model",))
        labels = ", ".join(rows["labels"].astype(str).unique())
        out[str(data)] = labels, {str(name): figure for name, figure in figures.iterrows()}
    return out


def _of_data(row: Measurable, by_method: Mapping[str, pd.Series]) -> dict[str, Any]:
    """Return the measures of one row on one source."""
    name = Path(row.spec).name
    if name not in by_method:
        return {}
    mine, erased = by_method[name], by_method.get(f"{name}+erased") if row.erased else None
    lost = np.nan if erased is None else float(mine["PCK@0.2"] - erased["PCK@0.2"])
    return {**{f: float(mine[f]) for f in FIGURES}, "videos": int(mine["videos"]), "erased: PCK@0.2 lost": lost}


def _facts(plan: AblationPlan, rows: list[Measurable], folder: Path) -> dict[str, Any]:
    runs = {}
    for name in dict.fromkeys(row.base for row in rows):
        run = Run(folder / name)
        weights = run.model_file.read_bytes() if run.model_file.is_file() else None
        digest = None if weights is None else hashlib.sha256(weights).hexdigest()
        runs[name] = {**{k: v for k, v in run.info().items() if k != "format"}, "weights_sha256": digest}
    return {"plan": {**asdict(plan), "recipe": Path(plan.recipe).name}, "runs": runs, "made": provenance()}
