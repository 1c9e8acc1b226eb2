"""Comparison of methods in one table: accuracy, coherence, cost, and published results.

    comparison = make_comparison(Evaluation("runs/comparison").table(), costs)
    print(comparison.text("markdown"))

Results measured here and results published by others are in separate groups of columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dkd.errors import ConfigError, checked, nearest_name
from dkd.evaluation.cost import at_input_size
from dkd.evaluation.methods import Method, get_method
from dkd.evaluation.published import SOURCES, published
from dkd.io.escaping import csv_cell, csv_comment, latex, markdown
from dkd.io.files import atomic_path
from dkd.io.paths import list_checkpoints
from dkd.models.base import VideoPoseModel
from dkd.models.registry import MODELS, build_model

if TYPE_CHECKING:
    import pandas as pd

FORMATS = {"markdown": ".md", "csv": ".csv", "latex": ".tex"}
# The paper's comparison: its model, the previous one, and the baselines that explain both.
HEADLINE = ("dkd-resnet50", "lstm-pm")
PEERS = ("dkd-resnet50", "dkd-resnet18", "simple-baseline-resnet50", "cpm", "lstm-pm")
CONTROLS = ("initializer", "initializer+mean", "initializer+one-euro", "frozen", "average", "flow")
EQUAL_SIZE = 256  # input side at which all models are also compared: DKD's own
_ACCURACY = {  # column of dkd.evaluation.summaries.summarise → format of text tables
    "PCK@0.2": ".3f", "PCK@0.1": ".3f", "PCK@0.05": ".3f", "AUC": ".3f", "acceleration error %": ".2f",
    "jitter %": ".2f", "flips": ".2f", "lost": ".2f", "frames": ".0f", "joints counted": ".0f", "joints skipped": ".0f",
}  # fmt: skip
_COST = {
    "input": ".0f", "params (M)": ".2f", "params, later frames (M)": ".2f", "GMACs": ".2f", "GMACs on outputs": ".2f",
    "ms": ".1f", "ratio": ".2f",
}  # fmt: skip


def resolve(specs: Sequence[str]) -> list[Method]:
    """Load methods by their specs; a registered model without trained weights gets random ones.

    For those only the cost is meaningful: their ``source`` is ``None``.

    Raises:
        ConfigError, CheckpointError: a spec is neither a method nor registered.
    """
    methods = []
    for spec in specs:
        try:
            methods.append(get_method(spec))
        except ConfigError as error:
            name, *variants = spec.split("+")
            if name in MODELS and name not in list_checkpoints():
                untrained = Method(name, build_model(name).eval())
                methods.append(reduce(Method.with_variant, variants, untrained))
                continue
            near = nearest_name(name, MODELS)
            hint = f" (a model without trained weights can only be compared by cost{near})" if near != "." else ""
            raise ConfigError(f"{error}{hint}") from error
    return methods


def cost_models(methods: Sequence[Method], size: int = EQUAL_SIZE) -> dict[str, VideoPoseModel]:
    """Return the models to profile, by name.

    These are the methods' models, and, for models with random weights and a different input size, the same model at
    ``size``, as ``name @size``. (A trained model is only used at the size at which it was trained.)
    """
    models = {method.name: method.costed() for method in methods}
    for method in methods:
        if method.source is None and method.model.config.input_size != size:
            same = at_input_size(method.model, size)
            if same is not None:
                models[f"{method.name} @{size}"] = same
    return models


@checked
@dataclass(frozen=True)
class Comparison:
    """Result of a comparison.

    Attributes:
        table: one row per method; columns with two levels, group and measure. Groups: one per data source (accuracy and
            coherence), ``cost`` (on this machine), ``published``.
        notes: information needed to read the table, one line each.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]

    def text(self, kind: str = "markdown") -> str:
        """Format the table as ``markdown`` or ``latex`` (one table per group, then the notes), or ``csv`` (one table).

        Raises:
            ConfigError: the kind is unknown.
        """
        if kind not in FORMATS:
            raise ConfigError(f"unknown format {kind!r}{nearest_name(kind, FORMATS)} Known: {', '.join(FORMATS)}.")
        if kind == "csv":
            flat = self.table.copy()
            flat.columns = [csv_cell(f"{group}: {figure}") for group, figure in self.table.columns]
            flat.index = flat.index.map(csv_cell)
            notes = "".join(f"# {csv_comment(note)}\n" for note in self.notes)
            return notes + flat.to_csv(float_format="%.6g")
        parts = []
        for group in self.table.columns.unique(0):
            shown = _formatted(self.table[group].dropna(how="all"))
            escape = markdown if kind == "markdown" else latex
            shown = shown.rename(index=escape, columns=escape).rename_axis(index=escape(shown.index.name or ""))
            shown = shown.map(escape)
            if kind == "markdown":
                parts.append(f"**{markdown(group)}**\n\n{shown.to_markdown(disable_numparse=True)}")
            else:
                parts.append(shown.to_latex(caption=latex(group), escape=False))
        lines = [
            f"- {markdown(note)}" if kind == "markdown" else f"% {' '.join(note.split())}" for note in self.notes
        ]  # a comment of LaTeX ends with its line
        return "\n\n".join([*parts, "\n".join(lines)]) + "\n"

    def save(self, file: str | Path) -> Path:
        """Write the table in the format given by the file's suffix (.md, .csv or .tex).

        Raises:
            ConfigError: the suffix is unknown.
            StorageError: the file cannot be written.
        """
        file = Path(file)
        kinds = {ending: kind for kind, ending in FORMATS.items()}
        if file.suffix not in kinds:
            raise ConfigError(f"expected a file that ends in {', '.join(kinds)}, got {file}")
        with atomic_path(file) as temporary:
            temporary.write_text(self.text(kinds[file.suffix]), encoding="utf-8")
        return file


def make_comparison(table: pd.DataFrame | None, costs: pd.DataFrame | None) -> Comparison:
    """Combine the results of :func:`dkd.evaluation.run.evaluate` and :func:`dkd.evaluation.cost.profile`.

    Args:
        table: tidy evaluation table; ``None`` or empty for a comparison without accuracies.
        costs: table of costs with the machine in its ``attrs``; ``None`` for a comparison without costs.
    """
    import pandas as pd

    from dkd.evaluation.summaries import summarise

    groups: dict[str, pd.DataFrame] = {}
    notes: list[str] = []
    if table is not None and len(table):
        for data, rows in table.groupby("data", observed=True, sort=False):
            kinds = ", ".join(rows["labels"].astype(str).unique())
            figures = summarise(rows, by=("model",))
            groups[f"{data}: {kinds}"] = figures[[c for c in _ACCURACY if c in figures]]
        notes.append(
            "PCK@α: share of counted joints within α × the larger side of the person's box; complete videos, tracked "
            "recursively from the box in the first frame, no re-initialisation. Motion errors in % of that side per "
            "frame²."
        )
    if costs is not None:
        groups["cost"] = costs[[c for c in _COST if c in costs]]
        machine = costs.attrs
        notes.append(
            f"Cost: batch 1, per frame from the second on; {machine['device']}, {machine['threads']} threads, "
            f"{machine['precision']}, torch {machine['torch']}; medians of {machine['rounds']} rounds in which the "
            f"models take turns. Ratio: time divided by that of {costs.index[0]} in the same round."
        )
        notes += headline(costs)
    known = published()
    order = [] if costs is None else list(costs.index)  # times are compared with the first
    names = list(dict.fromkeys([*order, *(name for group in groups.values() for name in group.index)]))
    beside = known.reindex([name for name in names if name in known.index])
    if len(beside):
        groups["published"] = beside
        notes.append(f"Published, not measured here: {SOURCES}.")
    if not groups:
        return Comparison(pd.DataFrame(), ())
    whole = pd.concat({group: figures.reindex(names) for group, figures in groups.items()}, axis=1)
    whole.index.name = "model"
    return Comparison(whole, tuple(notes))


def headline(costs: pd.DataFrame) -> list[str]:
    """State the paper's claim: the extra cost of the previous model, at its own and at the same input size."""
    ours, theirs = HEADLINE
    said = []
    for name in (theirs, f"{theirs} @{EQUAL_SIZE}"):
        if ours not in costs.index or name not in costs.index:
            continue
        a, b = costs.loc[ours], costs.loc[name]
        time = f"{b['ratio'] / a['ratio']:.1f} × the time" if b["ms"] == b["ms"] and a["ms"] == a["ms"] else "no time"
        said.append(
            f"{theirs} at {b['input']:.0f} px against {ours} at {a['input']:.0f} px: "
            f"{b['GMACs'] / a['GMACs']:.1f} × the multiply-adds, {time} per frame."
        )
    return said


def _formatted(frame: pd.DataFrame) -> pd.DataFrame:
    formats: dict[str, str] = {**_ACCURACY, **_COST}

    def text(value: Any, column: str) -> str:
        if value != value:
            return "–"
        small = column.startswith("GMACs") and value < 1  # small networks need more digits
        return format(value, ".3f" if small else formats.get(column, ".1f" if "PCK" in column else ".2f"))

    return frame.apply(lambda column: column.map(lambda value: text(value, str(column.name))))
