"""Ablations: train the variants of a plan, each in a run of its own, and measure all of them alike.

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
from dkd.errors import CheckpointError, DKDError, TrainingError
from dkd.evaluation.methods import get_method
from dkd.evaluation.run import evaluate
from dkd.training.config import TrainConfig
from dkd.training.record import Record
from dkd.training.run import Run
from dkd.training.trainer import train

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """What is known after a step of training, or after a video that was measured.

    Attributes:
        phase: of a variant's training, or of the evaluation of all.
        variant: that is trained; or the method that was measured.
        done, of: steps of this variant; or frames of all methods.
        nth, variants: of the trainings; 0 while measuring.
        record: of the step; None for a run that was found finished, and while measuring.
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


def ablate(
    plan: AblationPlan,
    folder: str | Path,
    *,
    only: Sequence[str] = (),
    people: Mixture | None = None,
    validation: Sequence[PersonSequence] | None = None,
    measured: Mapping[str, Sequence[PersonSequence]] | None = None,
) -> Iterator[Progress]:
    """Train what is not trained yet, then measure all that is.

    Each variant has a run's folder in ``folder``, where training goes on after a stop or a kill; closing the generator
    is a stop that saves. A run that was finished is not trained again, one that failed is tried again.

    Args:
        plan: what to do.
        folder: of the runs, of ``evaluation`` and of the results.
        only: rows to train for; all by default. Whatever was trained before is measured, too.
        people, validation: as :func:`dkd.training.trainer.train` takes them.
        measured: source → people, as :func:`dkd.evaluation.run.evaluate` takes them.

    Yields:
        a :class:`Progress` a step, then one a video.

    Raises:
        CheckpointError: a run in ``folder`` has other settings than its variant; before anything is trained.
        ConfigError, DatasetError, RunBusyError, StorageError: as training and evaluation do. A loss that is not finite
            (TrainingError) does not end it: it is reported, and the other variants go on.
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
    """A row of the results to be.

    Attributes:
        name: in the plan.
        base: the variant whose weights it has.
        spec: of the method, for :func:`dkd.evaluation.methods.get_method`.
        erased: the same without a past, where it is a trained variant that has one.
        problem: why there is nothing to measure.
    """

    name: str
    base: str
    spec: str
    erased: str | None = None
    problem: str | None = None


def measurable(plan: AblationPlan, folder: Path) -> list[Measurable]:
    """The rows that the runs in ``folder`` allow; those that failed say why, what was not trained is left out."""
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
    """Whether the run has come to its end: its result is there."""
    return run.model_file.is_file()


def _check_settings(run: Run, config: TrainConfig) -> None:
    """Raise :class:`~dkd.errors.CheckpointError` where the folder holds another run; where it runs does not count."""
    if run.info_file.is_file() and replace(run.config(), machine=config.machine) != config:
        raise CheckpointError(
            f"{run.folder} holds a run with other settings than variant {run.name!r} of the plan; give another --run "
            "folder, or the settings it was started with"
        )
