"""Settings of a training run: a tree of frozen dataclasses, and the shipped recipes.

    config = load_recipe("laptop", ["steps=500", "adversary.eta=0.1"])

All settings are checked when a config is created.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dkd.datasets.augment import AugmentConfig
from dkd.errors import ConfigError, checked, nearest_name
from dkd.io.config import STRICT, check_ranges, from_mapping, read_yaml, with_words
from dkd.machine import MachineConfig
from dkd.models.registry import ModelConfig, model_config
from dkd.pose.heatmaps import TARGET_SIGMA
from dkd.training.losses import AdversaryConfig

RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class ModelChoice:
    """Model and initial weights.

    Attributes:
        name: one of ``dkd.models.MODELS``.
        settings: fields of that model's config to replace, such as ``channels`` or ``input_size``.
        start: weights to start from: name of a shipped model, a checkpoint of this project, or an image classifier's
            weights (``.pt``, ``.pth``; torchvision's names for ResNets, the flat port's for the encoder
            ``mobilenetv2``). ``None``: random.
        initializer_start: for a DKD: a per-frame baseline's checkpoint for its pose initializer only, loaded after
            ``start``; for an initializer whose network differs from the frame encoder.
        initializer: ``"train"`` to also train the pose initializer, as in the paper, or ``"fixed"``.
        trains: ``"all"``, or ``"joint_matching"``: only what a DKD with ``distillation`` ``"at_joints"`` or ``"both"``
            adds to another one, whose weights it starts from and keeps.
        pretrain: share of the steps in which only the initializer is trained, on every frame of the clips; then the
            frame encoder starts from it if the two are the same network, and the recursion begins. The paper's
            networks are also pre-trained on single images; here one run does both.
        bias_fades: for a DKD with a ``kernel_bias``: the shares of the run between which the bias is gradually reduced
            to 0. It is not trained, and the result is a DKD without bias, as in the paper, although it started as a
            per-frame model, which only a bias makes possible. Empty: the bias is trained like other weights.
    """

    __pydantic_config__ = STRICT

    name: str = "dkd-tiny"
    settings: dict[str, Any] = field(default_factory=dict)
    start: str | None = None
    initializer_start: str | None = None
    initializer: Literal["train", "fixed"] = "train"
    trains: Literal["all", "joint_matching"] = "all"
    pretrain: float = 0.0
    bias_fades: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.bias_fades and not (len(self.bias_fades) == 2 and 0 <= self.bias_fades[0] < self.bias_fades[1] <= 1):
            raise ConfigError(
                f"expected model.bias_fades, two increasing shares of the run in 0..1, or none, got {self.bias_fades}"
            )
        if not 0 <= self.pretrain < 1:
            raise ConfigError(f"expected model.pretrain, a share of the steps, in 0..1, got {self.pretrain}")
        if self.initializer_start is not None and not self.name.startswith("dkd-"):
            raise ConfigError(f"only a DKD has an initializer: use model.start for {self.name}, not initializer_start")
        if self.pretrain and self.initializer == "fixed":
            raise ConfigError("model.pretrain trains the initializer, but model.initializer=fixed does not: choose one")


@dataclass(frozen=True)
class DataConfig:
    """Data for training and validation.

    Attributes:
        train: sources, as for :func:`dkd.datasets.sources.load_people`; their training split is used.
        shares: how often each source is drawn; equally often by default.
        validation: source whose test people are tracked recursively in complete clips.
        validation_clips: number of clips, from the first on; 0 disables validation.
        validation_frames: number of frames of each clip, from the first on.
    """

    __pydantic_config__ = STRICT

    train: tuple[str, ...] = ("rendered",)
    shares: tuple[float, ...] = ()
    validation: str = "rendered"
    validation_clips: int = 8
    validation_frames: int = 48

    def __post_init__(self) -> None:
        if not self.train:
            raise ConfigError("expected at least one source in data.train, got none")
        if self.shares and (len(self.shares) != len(self.train) or min(self.shares) < 0 or sum(self.shares) <= 0):
            raise ConfigError(
                f"expected data.shares, one for each of the {len(self.train)} sources, ≥ 0 and not all 0, "
                f"got {self.shares}"
            )
        check_ranges(
            self, shares=(0, 1e9), validation_clips=(0, 10**9), validation_frames=(3, 10**9)
        )  # three frames for an acceleration
        if self.validation_clips < 0 or self.validation_frames < 3:
            raise ConfigError("expected data.validation_clips ≥ 0 and data.validation_frames ≥ 3 (for accelerations)")


@dataclass(frozen=True)
class OptimiserConfig:
    """Settings of the optimiser.

    Attributes:
        name: ``"adamw"``, or ``"rmsprop"`` as in re-implementations of the paper.
        learning_rate: peak learning rate of weights that start from scratch.
        trunk_rate: learning rate of an image classifier's trunk, as a share of ``learning_rate``.
        frozen_blocks: number of leading blocks of the trunks that are frozen (they cost most and change least).
        weight_decay: weight decay of AdamW.
        schedule: ``"cosine"`` decays to 0 in half a period; ``"steps"`` is multiplied by 0.1 at each milestone.
        milestones: for ``"steps"``: shares of the run.
        warmup: steps of linear warm-up.
        clip_norm: maximum norm of the gradient.
        ema: decay of the average of the weights, which is used for validation, snapshots and the result. It starts
            small and grows to this value, so that the average is useful from the first steps on.
        fixed_statistics: parts (the frame ``"encoder"``; in a DKD also ``"initializer"``, ``"distillator"``) whose
            batch statistics are fixed from the start to those of a trained checkpoint.
        fix_statistics_after: share of the run after which all batch statistics are fixed, so that the end of the
            training uses the same function as inference.
    """

    __pydantic_config__ = STRICT

    name: Literal["adamw", "rmsprop"] = "adamw"
    learning_rate: float = 2e-3
    trunk_rate: float = 1.0
    frozen_blocks: int = 0
    weight_decay: float = 1e-3
    schedule: Literal["cosine", "steps"] = "cosine"
    milestones: tuple[float, ...] = ()
    warmup: int = 80
    clip_norm: float = 20.0
    ema: float = 0.998
    fixed_statistics: tuple[Literal["encoder", "initializer", "distillator"], ...] = ()
    fix_statistics_after: float = 0.8

    def __post_init__(self) -> None:
        check_ranges(
            self, learning_rate=(0, 1e3), trunk_rate=(0, 1e3), frozen_blocks=(0, 1000), weight_decay=(0, 1e3),
            milestones=(0, 1), warmup=(0, 10**9), clip_norm=(0, 1e9), ema=(0, 1), fix_statistics_after=(0, 1),
        )  # fmt: skip
        if not (self.learning_rate > 0 and self.trunk_rate >= 0 and self.clip_norm > 0 and 0 <= self.ema < 1):
            raise ConfigError(
                "expected an optimiser with learning_rate > 0, trunk_rate ≥ 0, clip_norm > 0 and 0 ≤ ema < 1, got "
                f"{self.learning_rate}, {self.trunk_rate}, {self.clip_norm}, {self.ema}"
            )

    def rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate at a step as a share of its peak."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        if self.schedule == "steps":
            return 0.1 ** sum(step >= share * steps for share in self.milestones)
        return 0.5 * (1 + math.cos(math.pi * (step - self.warmup) / max(1, steps - self.warmup)))


@dataclass(frozen=True)
class FeedbackConfig:
    """Scheduled sampling: how often the distillator gets ground truth instead of the model's own maps in training.

    With too much ground truth the loss decreases but the recursion collapses (exposure bias); with none, learning is
    slow.

    Attributes:
        truth_first, truth_later: probability of jittered ground truth in the first frame, and in later ones.
        jitter: standard deviation of that jitter, in cells.
    """

    __pydantic_config__ = STRICT

    truth_first: float = 0.5
    truth_later: float = 0.1
    jitter: float = 0.7

    def __post_init__(self) -> None:
        check_ranges(self, truth_first=(0, 1), truth_later=(0, 1), jitter=(0, 1000))


@checked
@dataclass(frozen=True)
class TrainConfig:
    """Settings of a training run.

    Attributes:
        model, data, optimiser, feedback, augment, adversary, machine: see their classes.
        steps: total number of optimiser steps.
        batch: clips per step over all processes.
        n_frames: number of frames T of a training clip.
        sigma: standard deviation of the Gaussian targets in cells.
        motion_weight: weight of :func:`dkd.training.losses.motion_loss`, added to the pose loss; 0 in the paper.
        hidden_weight: weight of labelled but hidden joints in the loss (our decision: their labels are guesses).
        validate_every, snapshot_every, save_every: number of steps between validations, between snapshots of the
            averaged model (shown by the panel's slider), and between states to resume from. 0: only at the end.
        seed: seed of weights, data and feedback.
    """

    __pydantic_config__ = STRICT

    model: ModelChoice = field(default_factory=ModelChoice)
    data: DataConfig = field(default_factory=DataConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    feedback: FeedbackConfig = field(default_factory=FeedbackConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    adversary: AdversaryConfig = field(default_factory=AdversaryConfig)
    machine: MachineConfig = field(default_factory=MachineConfig)
    steps: int = 1000
    batch: int = 8
    n_frames: int = 5
    sigma: float = TARGET_SIGMA
    motion_weight: float = 0.0
    hidden_weight: float = 0.5
    validate_every: int = 200
    snapshot_every: int = 100
    save_every: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        check_ranges(
            self, steps=(1, 10**9), batch=(1, 2**16), n_frames=(1, 4096), sigma=(0, 1000), motion_weight=(0, 1e9),
            hidden_weight=(0, 1e9), validate_every=(0, 10**9), snapshot_every=(0, 10**9), save_every=(0, 10**9),
            seed=(0, 2**63 - 1),
        )  # fmt: skip
        if (
            min(self.steps, self.batch, self.n_frames) < 1
            or not self.sigma > 0
            or min(self.hidden_weight, self.motion_weight) < 0
        ):
            raise ConfigError(
                "expected steps, batch and n_frames of at least 1, sigma > 0, hidden_weight and motion_weight ≥ 0, got "
                f"{self.steps}, {self.batch}, {self.n_frames}, {self.sigma}, {self.hidden_weight}, {self.motion_weight}"
            )
        if min(self.validate_every, self.snapshot_every, self.save_every) < 0:
            raise ConfigError("expected validate_every, snapshot_every and save_every of at least 0")
        if self.model.name.startswith(("dkd-", "lstm-pm")) and self.n_frames < 2:
            raise ConfigError(
                f"expected n_frames ≥ 2 for {self.model.name}, which learns from consecutive frames, "
                f"got {self.n_frames}"
            )
        if (self.adversary.eta or self.motion_weight) and self.n_frames < 2:
            raise ConfigError(
                "the adversary and the motion loss use changes of maps: they need n_frames ≥ 2, or a weight of 0"
            )
        if self.model.bias_fades and not getattr(self.model_config(), "kernel_bias", False):
            raise ConfigError(f"model.bias_fades reduces a DKD's kernel_bias; {self.model.name} has none")
        config = self.model_config()
        if self.model.trains != "all" and getattr(config, "distillation", None) not in ("at_joints", "both"):
            raise ConfigError(
                f"model.trains={self.model.trains} needs a DKD that has one: set model.settings.distillation to "
                "at_joints or both"
            )

    def pretrained_steps(self) -> int:
        """Return the number of steps in which only the initializer is trained; 0 for a per-frame baseline."""
        return round(self.model.pretrain * self.steps) if self.model.name.startswith("dkd-") else 0

    def bias_at(self, step: int) -> float:
        """Return the remaining share of the kernels' bias after this many steps; 1 if it is not reduced."""
        if not self.model.bias_fades:
            return 1.0
        first, last = (share * self.steps for share in self.model.bias_fades)
        return min(1.0, max(0.0, (last - step) / (last - first)))

    def model_config(self) -> ModelConfig:
        """Return the config of the model to train."""
        return model_config(self.model.name, **self.model.settings)


def list_recipes() -> list[str]:
    """Return the names of the shipped recipes."""
    return sorted(p.stem for p in RECIPES.glob("*.yaml"))


@checked
def load_recipe(name_or_path: str | Path | None = None, words: Sequence[str] = ()) -> TrainConfig:
    """Load settings from a recipe and replace some of them.

    Args:
        name_or_path: name of a shipped recipe, or a YAML file; ``None``: the defaults.
        words: ``key=value``, with dots for nested settings: ``optimiser.learning_rate=1e-3``.

    Raises:
        ConfigError: there is no such recipe or file, a key is unknown (the nearest one is given), or a value does not
            fit.
    """
    values: dict[str, Any] = {}
    if name_or_path is not None:
        path = Path(name_or_path)
        if path.suffix not in (".yaml", ".yml"):
            path = RECIPES / f"{name_or_path}.yaml"
            if not path.is_file():
                known = list_recipes()
                raise ConfigError(
                    f"there is no recipe {str(name_or_path)!r}{nearest_name(str(name_or_path), known)} There are: "
                    f"{', '.join(known)}; your own file must end in .yaml."
                )
        values = read_yaml(path)
    return from_mapping(TrainConfig, with_words(values, words))
