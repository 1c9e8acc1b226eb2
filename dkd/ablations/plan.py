"""Plans of ablations: one model, trained several times with one change each.

    plan = load_plan("tiny", ["steps=200"])

A YAML file gives a recipe, settings common to all variants, the settings that each variant replaces, ways to run a
trained variant (``dkd+frozen``), and the data for the evaluation.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dkd.errors import ConfigError, checked, nearest_name
from dkd.evaluation.methods import VARIANTS
from dkd.io.config import STRICT, check_ranges, from_mapping, parse_yaml, read_yaml, to_mapping, with_words
from dkd.training.config import TrainConfig, load_recipe

PLANS = Path(__file__).parent / "plans"
EVALUATION = "evaluation"  # folder of the evaluation, next to those of the variants
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # a valid folder name without '+', which begins a suffix
_OF_PLAN = ("frames_a_step", "evaluation", "reference")  # settings of a plan for --set; all others belong to the recipe


@checked
@dataclass(frozen=True)
class EvaluationChoice:
    """Data on which the variants are evaluated.

    Attributes:
        sources: as for :func:`dkd.evaluation.run.evaluate`; the people of their test split are tracked.
        clips: number of clips of each source, from the first on; all by default.
        frames: number of frames of each clip, from the first on; all by default.
    """

    __pydantic_config__ = STRICT

    sources: tuple[str, ...] = ("rendered",)
    clips: int | None = None
    frames: int | None = None

    def __post_init__(self) -> None:
        check_ranges(self, clips=(1, 10**9), frames=(1, 10**9))


@checked
@dataclass(frozen=True)
class AblationPlan:
    """Plan of what to train and evaluate.

    Attributes:
        recipe: name of a shipped recipe, or a file, which is searched next to the plan's own file first.
        variants: settings that each variant replaces, by name, with dots: ``model.settings.kernel_side: 5``. Two
            variants that differ only in ``seed`` show the effect of chance.
        common: settings replaced in all variants.
        methods: ``VARIANT+suffix`` by name: a trained variant, run in a different way (see ``dkd evaluate list``).
        reference: the variant with which the others are compared; by default the first.
        frames_a_step: frames per step in every variant: ``batch`` becomes this / ``n_frames``, unless a variant sets
            it. Values of T are then compared with equal numbers of frames, and nearly equal times; the number of
            *recursive steps* still grows with T: (T − 1) / T of the frames. ``None``: ``batch`` is unchanged.
        evaluation: data for the evaluation.
    """

    __pydantic_config__ = STRICT

    recipe: str
    variants: dict[str, dict[str, Any]]
    common: dict[str, Any] = field(default_factory=dict)
    methods: dict[str, str] = field(default_factory=dict)
    reference: str | None = None
    frames_a_step: int | None = None
    evaluation: EvaluationChoice = field(default_factory=EvaluationChoice)

    def __post_init__(self) -> None:
        names = [*self.variants, *self.methods]
        wrong = next((n for n in names if not _NAME.fullmatch(n) or n == EVALUATION or names.count(n) > 1), None)
        if wrong is not None or not self.variants:
            raise ConfigError(
                "expected at least one variant, and names of letters, digits, '.', '_' and '-', each once and none "
                f"{EVALUATION!r}; got {'no variant' if wrong is None else repr(wrong)}"
            )
        if self.reference is not None and self.reference not in self.variants:
            raise _unknown("reference", self.reference, self.variants)
        for spec in self.methods.values():
            base, *suffixes = spec.split("+")
            if base not in self.variants:
                raise _unknown("variant", base, self.variants)
            for suffix in suffixes or [""]:
                if suffix not in VARIANTS:
                    raise _unknown(f"way to run {base!r}:", suffix, VARIANTS)
        if self.frames_a_step is not None and "batch" in self.common:
            raise ConfigError("frames_a_step sets the batch: remove one of the two from the common settings")
        self.configs()

    def configs(self) -> dict[str, TrainConfig]:
        """Return the settings of each variant's run, by name.

        Raises:
            ConfigError: a setting is unknown or does not fit; the message names the variant.
        """
        base = to_mapping(load_recipe(self.recipe))
        for key, value in self.common.items():
            _put(base, key, value)
        out = {}
        for name, settings in self.variants.items():
            values = copy.deepcopy(base)
            try:
                for key, value in settings.items():
                    _put(values, key, value)
                if self.frames_a_step is not None and "batch" not in settings:
                    values["batch"] = self._batch(values["n_frames"])
                out[name] = from_mapping(TrainConfig, values)
            except ConfigError as error:
                raise ConfigError(f"variant {name!r}: {error}") from error
        return out

    def _batch(self, n_frames: Any) -> int:
        assert self.frames_a_step is not None
        if type(n_frames) is not int or n_frames < 1 or self.frames_a_step < 1 or self.frames_a_step % n_frames:
            raise ConfigError(f"expected n_frames that divides frames_a_step = {self.frames_a_step}, got {n_frames!r}")
        return self.frames_a_step // n_frames

    @property
    def compared_with(self) -> str:
        """Name of the reference variant."""
        return self.reference or next(iter(self.variants))

    def trained(self, only: Sequence[str] = ()) -> list[str]:
        """Return the variants to train for the rows ``only`` (variants or methods); all by default.

        Raises:
            ConfigError: a name is not in the plan.
        """
        needed = set()
        for name in only:
            if not isinstance(name, str) or (name not in self.variants and name not in self.methods):
                raise _unknown("variant", name, [*self.variants, *self.methods])
            needed.add(self.methods.get(name, name).split("+")[0])
        return [name for name in self.variants if not only or name in needed]


def list_plans() -> list[str]:
    """Return the names of the shipped plans."""
    return sorted(p.stem for p in PLANS.glob("*.yaml"))


@checked
def load_plan(name_or_path: str | Path, words: Sequence[str] = ()) -> AblationPlan:
    """Load a plan and replace some of its settings.

    Args:
        name_or_path: name of a shipped plan, or a YAML file.
        words: ``key=value``, with a key of the plan (``frames_a_step``, ``evaluation.clips``, ``reference``) or a
            setting of the recipe, for all variants. Settings that a variant replaces itself stay.

    Raises:
        ConfigError: there is no such plan, a key is unknown (the nearest one is given), or a value does not fit.
    """
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        path = PLANS / f"{name_or_path}.yaml"
        if not path.is_file():
            raise ConfigError(
                f"there is no plan {str(name_or_path)!r}{nearest_name(str(name_or_path), list_plans())} There are: "
                f"{', '.join(list_plans())}; your own file must end in .yaml."
            )
    values = read_yaml(path)
    own = [word for word in words if word.partition("=")[0].split(".")[0] in _OF_PLAN]
    values = with_words(values, own)
    for word in words:
        if word not in own:
            with_words({}, [word])  # raises unless it is key=value
            key, _, text = word.partition("=")
            values["common"] = {**(values.get("common") or {}), key: parse_yaml(text)}
    recipe = values.get("recipe")
    if isinstance(recipe, str) and recipe.endswith((".yaml", ".yml")) and (path.parent / recipe).is_file():
        values["recipe"] = str(path.parent / recipe)
    return from_mapping(AblationPlan, values)


def _put(values: dict[str, Any], key: str, value: Any) -> None:
    """Set the value at a dotted key.

    Raises:
        ConfigError: a parent of the key is not a mapping.
    """
    *parents, last = key.split(".")
    for parent in parents:
        inner = values.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"cannot set {key!r}: {parent!r} holds {inner!r}, not nested settings")
        values = inner
    values[last] = value


def _unknown(what: str, name: str, known: Any) -> ConfigError:
    return ConfigError(f"unknown {what} {name!r}{nearest_name(name, known)} Known: {', '.join(known)}.")
