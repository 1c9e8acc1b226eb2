"""Form for the settings of a training run, with the equivalent line of Python and of a shell."""

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
    "corrections": "the shipped model, trained further on frames that you corrected",
}


@dataclass(frozen=True)
class Field:
    """A setting with its own control.

    Attributes:
        key: name in :class:`~dkd.training.config.TrainConfig`, with dots for nested settings.
        label, tooltip: displayed texts.
        kind: type of the input.
        options: options to choose from; suggestions for a ``list``.
    """

    key: str
    label: str
    tooltip: str
    kind: Literal["choice", "int", "float", "list", "text"]
    options: tuple[str, ...] = ()


_DATA = tuple(dict.fromkeys(("rendered", *SOURCES)))
FIELDS: tuple[Field, ...] = (
    Field("model.name", "Model", "Which network learns: a DKD, its baseline, or a peer", "choice", tuple(MODELS)),
    Field("steps", "Steps", "Total number of optimiser steps", "int"),
    Field("batch", "Batch", "Clips per step", "int"),
    Field("n_frames", "T frames", "Frames of a training clip; a DKD learns from consecutive frames", "int"),
    Field("optimiser.learning_rate", "Learning rate", "Peak learning rate", "float"),
    Field("seed", "Seed", "Seed of the initial weights, the order of the data and all random draws", "int"),
    Field("data.train", "Train on", "Data sets or folders in Penn Action's layout, separated by commas", "list", _DATA),
    Field("data.validation", "Validate on", "The data set whose test people are tracked", "text", _DATA),
    Field("adversary.eta", "Adversary η", "Weight of the temporal adversary in the loss; 0 disables it", "float"),
    Field("adversary.gamma", "Adversary γ", "Target balance: L_fake = γ · L_real", "float"),
    Field("adversary.lambda_k", "Adversary λ", "Step size of its balance k", "float"),
)


def differences(config: TrainConfig, base: TrainConfig) -> list[str]:
    """Return the ``key=value`` arguments that turn the settings ``base`` into ``config``."""
    words: list[str] = []

    def compare(new: dict[str, Any], old: dict[str, Any], prefix: str) -> None:
        for key, value in new.items():
            before = old.get(key)
            # A free mapping that lost a key can only be replaced as a whole.
            whole = isinstance(before, dict) and isinstance(value, dict) and bool(before.keys() - value.keys())
            if isinstance(value, dict) and isinstance(before, dict) and not whole:
                compare(value, before, f"{prefix}{key}.")
            elif value != before or key not in old:
                words.append(f"{prefix}{key}={value_text(value)}")

    compare(to_mapping(config), to_mapping(base), "")
    return words


def value_text(value: Any) -> str:
    """Format a value as one line of YAML, as in a ``key=value`` argument."""
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def lines_to_words(text: str) -> list[str]:
    """Split a text with one ``key=value`` per line; empty lines and comments (``#``) are ignored."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def as_python(recipe: str, words: Sequence[str], folder: str | Path) -> str:
    """Return the Python call that trains with these settings."""
    given = f", [{', '.join(_quoted(word) for word in words)}]" if words else ""
    return f"train(load_recipe({_quoted(recipe)}{given}), {_quoted(str(folder))})"


def as_command(recipe: str, words: Sequence[str], folder: str | Path) -> str:
    """Return the shell command that trains with these settings."""
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
    """Form with a recipe, a run's folder, the most used settings, and a text field for all others.

    Args:
        recipe: initial recipe.
        folder: folder of the run.
        words: settings to replace, ``key=value``.
        changed: called after each change, without arguments.

    Raises:
        ConfigError: the recipe or a setting is unknown.
    """

    def __init__(self, recipe: str, folder: str, words: Sequence[str], changed: Callable[[], None]):
        config = load_recipe(recipe, words)
        self._changed = changed
        self._quiet = True
        named = [(f"{name}: {RECIPE_HELP[name]}" if name in RECIPE_HELP else name, name) for name in list_recipes()]
        self.recipe = ipw.Dropdown(
            options=named, value=recipe, description="Recipe", tooltip="Initial settings",
        )  # fmt: skip
        self.folder = ipw.Text(
            value=folder, description="Run folder", continuous_update=False,
            tooltip="Folder of the run; an existing run is resumed with its own settings",
        )  # fmt: skip
        self.fields = {field.key: _control(field, _value(config, field.key)) for field in FIELDS}
        self.more = ipw.Textarea(
            description="More settings", continuous_update=False, rows=3,
            tooltip="Any other setting, one key=value per line, such as augment.rotation=10",
            placeholder="one key=value per line, such as\naugment.rotation=10\nvalidate_every=100",
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

    # --- input -------------------------------------------------------------------------------------------------------

    def words(self) -> list[str]:
        """Return the differences from the recipe as ``key=value``; entries of the text field come last."""
        words = []
        for field in FIELDS:
            value = _typed(field, self.fields[field.key].value)
            if value != _plain(_value(self._base, field.key)):
                words.append(f"{field.key}={value_text(value)}")
        return words + lines_to_words(self.more.value)

    def config(self) -> TrainConfig:
        """Return the settings.

        Raises:
            ConfigError: one of them is unknown or does not fit.
        """
        return load_recipe(self.recipe.value, self.words())

    def set(self, *words: str) -> None:
        """Enter settings as ``key=value``; all others stay.

        Raises:
            ConfigError: a setting is unknown or does not fit; nothing is changed.
        """
        config = load_recipe(self.recipe.value, [*self.words(), *words])
        self._fill(config)
        self._show()
        self._changed()

    def show_run(self, config: TrainConfig | None) -> None:
        """Show the fixed settings of an existing run; ``None`` makes the form editable."""
        fixed = config is not None
        if config is not None:
            self._fill(config)
        for control in (self.recipe, *self.fields.values(), self.more):
            control.disabled = fixed
        self._show()

    # --- display -----------------------------------------------------------------------------------------------------

    def _fill(self, config: TrainConfig) -> None:
        """Set the controls to these settings."""
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
        if change["owner"] is self.recipe:  # unchanged settings follow the recipe
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
        """Mark differences from the recipe and show the code; explain a setting that does not fit."""
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
        same, named = ", ".join(html.escape(word) for word in words), html.escape(str(recipe))
        self.lines.value = (
            f'<p class="dkd-differs">{f"Differs from “{named}”: <b>{same}</b>" if words else f"As in “{named}”."}</p>'
            f'<p class="dkd-code"><span>Python</span><code>{html.escape(as_python(recipe, words, folder))}</code></p>'
            f'<p class="dkd-code"><span>Shell</span><code>{html.escape(as_command(recipe, words, folder))}</code></p>'
        )


def alert(text: str) -> str:
    """Format an error as HTML that screen readers announce; empty for no error."""
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
