"""The settings of a training run as a form, and as the line of Python or of a shell that does the same."""

from __future__ import annotations

import html
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import ipywidgets as ipw
import yaml

from dkd.datasets.sources import SOURCES
from dkd.errors import DKDError
from dkd.io.config import to_mapping
from dkd.models.registry import MODELS
from dkd.training.config import TrainConfig, list_recipes, load_recipe

RECIPE_HELP = {
    "laptop": "minutes on a laptop",
    "movenet-encoder": "the shipped model, 1 of 3: its encoder, from filmed people",
    "movenet-initializer": "the shipped model, 2 of 3: its initializer",
    "movenet-dkd": "the shipped model, 3 of 3: the DKD",
    "paper": "the paper's values, for a GPU",
}


@dataclass(frozen=True)
class Field:
    """A setting with a control of its own.

    Attributes:
        key: its name in :class:`~dkd.training.config.TrainConfig`, with dots into nested settings.
        label, tooltip: what people read.
        kind: what is typed in.
        options: to choose from; of a ``list`` they are suggestions.
    """

    key: str
    label: str
    tooltip: str
    kind: Literal["choice", "int", "float", "list", "text"]
    options: tuple[str, ...] = ()


_DATA = tuple(dict.fromkeys(("rendered", *SOURCES)))
FIELDS: tuple[Field, ...] = (
    Field("model.name", "Model", "Which network learns: a DKD, its baseline, or a peer", "choice", tuple(MODELS)),
    Field("steps", "Steps", "Optimiser steps in all", "int"),
    Field("batch", "Batch", "Clips in a step", "int"),
    Field("n_frames", "T frames", "Frames of a training clip; a DKD learns from one frame to the next", "int"),
    Field("optimiser.learning_rate", "Learning rate", "How far a step moves the weights, at its peak", "float"),
    Field("seed", "Seed", "Of the first weights, the order of the data and all chance", "int"),
    Field("data.train", "Train on", "Data sets or folders in Penn Action's layout, with commas between", "list", _DATA),
    Field("data.validation", "Validate on", "The data set whose test people are followed", "text", _DATA),
    Field("adversary.eta", "Adversary η", "Weight of the temporal adversary in the loss; 0 switches it off", "float"),
    Field("adversary.gamma", "Adversary γ", "The balance it keeps: L_fake = γ · L_real", "float"),
    Field("adversary.lambda_k", "Adversary λ", "How fast its balance k moves", "float"),
)


def differences(config: TrainConfig, base: TrainConfig) -> list[str]:
    """The ``key=value`` words that turn the settings ``base`` into ``config``."""
    words: list[str] = []

    def compare(new: dict[str, Any], old: dict[str, Any], prefix: str) -> None:
        for key, value in new.items():
            before = old.get(key)
            # A free mapping that lost a key can only be named whole.
            whole = isinstance(before, dict) and isinstance(value, dict) and bool(before.keys() - value.keys())
            if isinstance(value, dict) and isinstance(before, dict) and not whole:
                compare(value, before, f"{prefix}{key}.")
            elif value != before or key not in old:
                words.append(f"{prefix}{key}={value_text(value)}")

    compare(to_mapping(config), to_mapping(base), "")
    return words


def value_text(value: Any) -> str:
    """A value as one line of YAML, as it stands in a ``key=value`` word."""
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def lines_to_words(text: str) -> list[str]:
    """The words of a text with one ``key=value`` a line; empty lines and those that begin with ``#`` say nothing."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def as_python(recipe: str, words: Sequence[str], folder: str | Path) -> str:
    """The call that trains with these settings."""
    given = f", [{', '.join(_quoted(word) for word in words)}]" if words else ""
    return f"train(load_recipe({_quoted(recipe)}{given}), {_quoted(str(folder))})"


def as_command(recipe: str, words: Sequence[str], folder: str | Path) -> str:
    """The shell command that trains with these settings."""
    given = f" --set {shlex.join(words)}" if words else ""
    return f"dkd train --config {shlex.quote(recipe)}{given} --run {shlex.quote(str(folder))}"


def _quoted(text: str) -> str:
    return repr(text) if '"' in text or "\\" in text else f'"{text}"'


def _value(config: TrainConfig, key: str) -> Any:
    out: Any = config
    for part in key.split("."):
        out = getattr(out, part)
    return out


class ConfigForm(ipw.VBox):
    """A recipe, a run's folder, the settings that people change, and lines for all others.

    Args:
        recipe: the one to begin with.
        folder: of the run.
        words: settings to replace, ``key=value``.
        changed: called after each change, with nothing.

    Raises:
        ConfigError: the recipe or a word is unknown.
    """

    def __init__(self, recipe: str, folder: str, words: Sequence[str], changed: Callable[[], None]):
        config = load_recipe(recipe, words)
        self._changed = changed
        self._quiet = True
        named = [(f"{name}: {RECIPE_HELP[name]}" if name in RECIPE_HELP else name, name) for name in list_recipes()]
        self.recipe = ipw.Dropdown(
            options=named, value=recipe, description="Recipe", tooltip="Where the settings start from",
        )  # fmt: skip
        self.folder = ipw.Text(
            value=folder, description="Run folder", continuous_update=False,
            tooltip="Where the run is stored; one that is there already is gone on with, with its own settings",
        )  # fmt: skip
        self.fields = {field.key: _control(field, _value(config, field.key)) for field in FIELDS}
        self.more = ipw.Textarea(
            description="More settings", continuous_update=False, rows=3,
            tooltip="Any other setting, one key=value a line, such as augment.rotation=10",
            placeholder="one key=value a line, such as\naugment.rotation=10\nvalidate_every=100",
        )  # fmt: skip
        self.message = ipw.HTML()
        self.lines = ipw.HTML()
        self._base = load_recipe(recipe)
        self._fill(config)
        for control in (self.recipe, self.folder, *self.fields.values(), self.more):
            control.add_class("dkd-field")
            control.observe(self._on_change, "value")
        self.recipe.add_class("dkd-field-wide")
        self.folder.add_class("dkd-field-wide")
        self.more.add_class("dkd-field-all")
        grid = ipw.Box([self.recipe, self.folder, *self.fields.values(), self.more])
        grid.add_class("dkd-form")
        super().__init__([grid, self.message, self.lines])
        self._quiet = False
        self._show()

    # --- what was typed ----------------------------------------------------------------------------------------------

    def words(self) -> list[str]:
        """What differs from the recipe, as ``key=value``; what was typed into the lines comes last."""
        words = []
        for field in FIELDS:
            value = _typed(field, self.fields[field.key].value)
            if value != _plain(_value(self._base, field.key)):
                words.append(f"{field.key}={value_text(value)}")
        return words + lines_to_words(self.more.value)

    def config(self) -> TrainConfig:
        """The settings.

        Raises:
            ConfigError: one of them is unknown or does not fit.
        """
        return load_recipe(self.recipe.value, self.words())

    def set(self, *words: str) -> None:
        """Type settings in, as ``key=value``: what is not named stays.

        Raises:
            ConfigError: one is unknown or does not fit; nothing is changed.
        """
        config = load_recipe(self.recipe.value, [*self.words(), *words])
        self._fill(config)
        self._show()
        self._changed()

    def show_run(self, config: TrainConfig | None) -> None:
        """Show the settings of a run that is there and cannot be changed any more; None: let them be typed."""
        fixed = config is not None
        if config is not None:
            self._fill(config)
        for control in (self.recipe, *self.fields.values(), self.more):
            control.disabled = fixed
        self._show()

    # --- what is shown -----------------------------------------------------------------------------------------------

    def _fill(self, config: TrainConfig) -> None:
        """Put settings into the controls."""
        self._quiet = True
        try:
            shown = {field.key for field in FIELDS}
            for field in FIELDS:
                self.fields[field.key].value = _shown(field, _value(config, field.key))
            words = [word for word in differences(config, self._base) if word.partition("=")[0] not in shown]
            self.more.value = "\n".join(words)
        finally:
            self._quiet = False

    def _on_change(self, change: Any) -> None:
        if self._quiet:
            return
        if change["owner"] is self.recipe:  # settings that nobody has changed follow the recipe
            old, self._base = self._base, load_recipe(self.recipe.value)
            self._quiet = True
            for field in FIELDS:
                control = self.fields[field.key]
                if _typed(field, control.value) == _plain(_value(old, field.key)):
                    control.value = _shown(field, _value(self._base, field.key))
            self._quiet = False
        self._show()
        self._changed()

    def _show(self) -> None:
        """Mark what differs from the recipe, and say the same as code; a setting that does not fit is explained."""
        for field in FIELDS:
            control = self.fields[field.key]
            differs = _typed(field, control.value) != _plain(_value(self._base, field.key))
            (control.add_class if differs else control.remove_class)("dkd-changed")
        try:
            words = differences(self.config(), self._base)
        except DKDError as error:
            self.message.value = alert(str(error))
            self.lines.value = ""
            return
        self.message.value = ""
        recipe, folder = self.recipe.value, self.folder.value
        same = ", ".join(html.escape(word) for word in words)
        self.lines.value = (
            f'<p class="dkd-differs">{f"Differs from “{recipe}”: <b>{same}</b>" if words else f"As in “{recipe}”."}</p>'
            f'<p class="dkd-code"><span>Python</span><code>{html.escape(as_python(recipe, words, folder))}</code></p>'
            f'<p class="dkd-code"><span>Shell</span><code>{html.escape(as_command(recipe, words, folder))}</code></p>'
        )


def alert(text: str) -> str:
    """An error as HTML that a screen reader reads out; empty for none."""
    return f'<div class="dkd-note dkd-error" role="alert">{html.escape(text)}</div>' if text else ""


def _control(field: Field, value: Any) -> Any:
    about = {"description": field.label, "tooltip": field.tooltip}
    if field.kind == "choice":
        return ipw.Dropdown(options=list(field.options), value=value, **about)
    if field.kind == "int":
        return ipw.IntText(value=value, continuous_update=False, **about)
    if field.kind == "float":
        return ipw.FloatText(value=value, continuous_update=False, step=None, **about)
    return ipw.Combobox(
        value=_shown(field, value), options=list(field.options), ensure_option=False, continuous_update=False, **about
    )


def _shown(field: Field, value: Any) -> Any:
    return ", ".join(value) if field.kind == "list" else value


def _typed(field: Field, value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if field.kind == "list" else value


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
