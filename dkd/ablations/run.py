"""Ablations: train the variants of a plan, each in its own run, and evaluate all of them in the same way.

plan = load_plan("tiny", ["steps=200"])
for progress in ablate(plan, "runs/ablations"):
    print(progress.variant, progress.done, progress.of)
print(make_results(plan, "runs/ablations").table)      # dkd.ablations.table
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from dkd.ablations.plan import EVALUATION, AblationPlan
from dkd.datasets.batches import Mixture
from dkd.datasets.people import PersonSequence
from dkd.errors import CheckpointError, DKDError, TrainingError, checked
from dkd.evaluation.methods import get_method
from dkd.evaluation.run import evaluate
from dkd.training.config import TrainConfig
from dkd.training.record import Record
from dkd.training.run import Run
from dkd.training.trainer import train

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """Progress after a training step or after an evaluated video.

    Attributes:
        phase: the training of a variant, or the evaluation of all.
        variant: the variant in training, or the method that was evaluated.
        done, of: steps of this variant, or frames of all methods.
        nth, variants: index of the variant and number of variants to train; 0 during the evaluation.
        record: record of the step; ``None`` for a finished run, and during the evaluation.
        problem: why this variant's training, or this video, was given up.
    """

    phase: Literal["train", "evaluate"]
    variant: str
    done: int
    of: int
    nth: int = 0
    variants: int = 0
    record: Record | None = None
    problem: str | None = None


@checked
def ablate(
    plan: AblationPlan,
    folder: str | Path,
    *,
    only: Sequence[str] = (),
    people: Mixture | None = None,
    validation: Sequence[PersonSequence] | None = None,
    measured: Mapping[str, Sequence[PersonSequence]] | None = None,
) -> Iterator[Progress]:
    """Train the variants that are not trained yet, then evaluate all trained ones.

    Each variant has its own run folder in ``folder``, in which an interrupted training is resumed; closing the
    generator saves the state. Finished runs are not trained again, failed ones are retried.

    Args:
        plan: what to train and evaluate.
        folder: folder of the runs, of ``evaluation`` and of the results.
        only: rows whose variants to train; all by default. Variants trained before are evaluated too.
        people, validation: as for :func:`dkd.training.trainer.train`.
        measured: people by source, as for :func:`dkd.evaluation.run.evaluate`.

    Yields:
        A :class:`Progress` per step, then one per video.

    Raises:
        CheckpointError: the settings of a run in ``folder`` differ from its variant's; raised before training.
        ConfigError, DatasetError, RunBusyError, StorageError: as in training and evaluation. A loss that is not finite
            (TrainingError) is reported, and the other variants are still trained.
    """
    folder, configs, chosen = Path(folder), plan.configs(), plan.trained(only)
    for name, config in configs.items():
        _check_settings(Run(folder / name), config)
    for nth, name in enumerate(chosen, 1):
        config, run, step = configs[name], Run(folder / name), 0
        if is_finished(run):
            yield Progress("train", name, config.steps, config.steps, nth, len(chosen))
            continue
        try:
            with closing(train(config, run.folder, people=people, validation=validation)) as records:  # type: ignore[type-var]
                for record in records:
                    step = record.step
                    yield Progress("train", name, step, config.steps, nth, len(chosen), record)
        except TrainingError as error:
            log.warning("variant %s was given up: %s", name, error)
            yield Progress("train", name, step, config.steps, nth, len(chosen), problem=str(error))
    specs = [spec for row in measurable(plan, folder) if row.problem is None for spec in (row.spec, row.erased) if spec]
    if not specs:
        return
    chosen_data, machine = plan.evaluation, configs[plan.compared_with].machine
    with closing(
        evaluate(  # type: ignore[type-var]
            list(dict.fromkeys(specs)),
            chosen_data.sources,
            folder / EVALUATION,
            n_frames=chosen_data.frames,
            n_clips=chosen_data.clips,
            people=measured,
            machine=machine,
        )  # fmt: skip
    ) as videos:
        for video in videos:
            yield Progress("evaluate", video.method, video.frames, video.of_frames, problem=video.error)


@dataclass(frozen=True)
class Measurable:
    """A row of the results that can be evaluated.

    Attributes:
        name: name in the plan.
        base: the variant whose weights it uses.
        spec: spec of the method, for :func:`dkd.evaluation.methods.get_method`.
        erased: spec of the same with its past erased, if it is a trained variant that uses the past.
        problem: why it cannot be evaluated.
    """

    name: str
    base: str
    spec: str
    erased: str | None = None
    problem: str | None = None


def measurable(plan: AblationPlan, folder: Path) -> list[Measurable]:
    """Return the rows available from the runs in ``folder``; failed ones say why, untrained ones are left out."""
    rows = []
    for name, spec in {**{name: name for name in plan.variants}, **plan.methods}.items():
        base = spec.split("+")[0]
        run, source = Run(folder / base), str(folder / spec)
        if run.failure_file.is_file():
            step = json.loads(run.failure_file.read_text(encoding="utf-8"))["record"]["step"]
            rows.append(Measurable(name, base, source, problem=f"training failed: no finite loss at step {step}"))
        elif is_finished(run):
            try:
                method = get_method(source)
            except DKDError as error:
                rows.append(Measurable(name, base, source, problem=str(error)))
                continue
            has_past = name in plan.variants and method.model.hands_on
            rows.append(Measurable(name, base, source, f"{source}+erased" if has_past else None))
    return rows


def is_finished(run: Run) -> bool:
    """Return whether the run is finished, so that its result exists."""
    return run.model_file.is_file()


def _check_settings(run: Run, config: TrainConfig) -> None:
    """Raise :class:`~dkd.errors.CheckpointError` if the folder holds a different run, ignoring machine settings."""
    if run.info_file.is_file() and replace(run.config(), machine=config.machine) != config:
        raise CheckpointError(
            f"{run.folder} holds a run whose settings differ from variant {run.name!r} of the plan; give another --run "
            "folder, or the settings it was started with"
        )
