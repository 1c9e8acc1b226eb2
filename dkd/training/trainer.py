"""Training as a generator of records, consumed by a panel, a progress bar, a log or a test.

    for record in train(load_recipe("laptop"), "runs/first"):
        print(record.step, record.loss)

Requesting the next record makes the next step: not requesting one is a pause, and closing the generator is a stop. A
run that was stopped, killed or has failed resumes when ``train`` is called with its folder again. On the same machine,
with the same number of threads, the resulting weights are bit-identical.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dkd.datasets.batches import BatchPlan, Mixture, batches
from dkd.datasets.people import PersonSequence
from dkd.errors import ConfigError, DKDError, TrainingError, checked
from dkd.machine import launch, torch_threads, training_precision
from dkd.models.base import VideoPoseModel
from dkd.models.dkd import DKD
from dkd.training.config import TrainConfig
from dkd.training.run import Run
from dkd.training.validation import validate

if TYPE_CHECKING:
    from lightning_fabric import Fabric

from dkd.training.record import Record
from dkd.training.step import Learner

log = logging.getLogger(__name__)


@checked
def train(
    config: TrainConfig,
    folder: str | Path,
    *,
    people: Mixture | None = None,
    validation: Sequence[PersonSequence] | None = None,
) -> Iterator[Record]:
    """Train a model; an unfinished run with the same settings resumes from its last complete state.

    Args:
        config: settings of the run.
        folder: folder of the run, see :mod:`dkd.training.run`.
        people: training data to use instead of ``config.data``'s sources.
        validation: validation data to use instead of those.

    Yields:
        A :class:`Record` per step, after everything it refers to was written to disk.

    Raises:
        ConfigError, DatasetError: a source is missing or does not fit the model; raised before anything is written.
        RunBusyError: another process is training in this folder.
        CheckpointError: the folder contains a run with different settings; or ``config.model.start`` cannot be used, in
            which case a new run is not created.
        TrainingError: the loss is not finite; ``failure.json`` has the record, and the previous state is kept.
        StorageError: the disk is full; everything saved before is kept.
    """
    with torch_threads(config.machine.threads):
        fabric = make_fabric(config)
        run = Run(folder)
        if fabric.is_global_zero:
            run.check(config)  # before data are loaded
        if people is None:
            people = load_mixture(config)
        if validation is None:
            validation = load_validation(config)
        _check_skeletons(config, people, validation)
        if fabric.is_global_zero:
            run.open(config)
        try:
            fabric.barrier()
            trainer = Trainer(config, run, fabric, people, validation)
            yield from trainer.records()
        finally:
            if fabric.is_global_zero:
                run.close()


def load_mixture(config: TrainConfig) -> Mixture:
    """Load the training people of the sources in ``config.data``."""
    from dkd.datasets.sources import load_people

    return Mixture([load_people(source, "train") for source in config.data.train], config.data.shares)


def load_validation(config: TrainConfig) -> list[PersonSequence]:
    """Load the validation people of ``config.data``."""
    from dkd.datasets.sources import load_people

    count = config.data.validation_clips
    return load_people(config.data.validation, "test")[:count] if count else []


def _check_skeletons(config: TrainConfig, people: Mixture, validation: Sequence[PersonSequence]) -> None:
    expected = config.model_config().skeleton
    found = {people.skeleton.name, *(person.skeleton for person in validation)}
    if found != {expected}:
        raise ConfigError(
            f"{config.model.name} has the joints of {expected!r}, the data those of {', '.join(sorted(found))}; set "
            "model.settings.skeleton, or use other data"
        )


def make_fabric(config: TrainConfig) -> Fabric:
    """Create the Fabric on which a run trains, in its precision."""
    machine, precision = config.machine, training_precision(config.machine)
    # While only the initializer is trained, the other parts have no gradient.
    return launch(machine, "ddp_find_unused_parameters_true" if config.pretrained_steps() else "ddp", precision)


class Trainer:
    """Training between opening and closing the run's folder; see :func:`train`."""

    def __init__(
        self,
        config: TrainConfig,
        run: Run,
        fabric: Fabric,
        people: Mixture,
        validation: Sequence[PersonSequence],
    ):
        self.config, self.run, self.fabric = config, run, fabric
        self.people, self.validation = people, validation
        try:
            self.learner = Learner(config, fabric, is_new=not run.state_file.is_file())
        except DKDError:
            if not run.state_file.is_file():
                run.forget()  # otherwise corrected settings would be rejected as those of another run
            raise
        self.step = self._resume()
        self.learner.fold_frozen()

    # --- the run -----------------------------------------------------------------------------------------------------

    def records(self) -> Iterator[Record]:
        """Yield one record per step; if closed early, save the state."""
        config, fabric = self.config, self.fabric
        plan = BatchPlan(
            config.batch,
            config.n_frames,
            config.model_config().input_size,
            config.seed,
            config.hidden_weight,
            config.augment,
            fabric.global_rank,
            fabric.world_size,
            self.learner.plain.stride,
        )
        if config.batch % fabric.world_size:
            raise ConfigError(f"expected a batch that {fabric.world_size} processes can share, got {config.batch}")
        ahead = batches(self.people, plan, self.step, config.steps, config.machine.workers)
        saved = self.step
        try:
            clock = time.perf_counter()
            while self.step < config.steps:
                asked = time.perf_counter()
                batch = next(ahead)
                waited = time.perf_counter() - asked
                loss, terms, norm = self.learner.learn(batch, self.step)
                now = time.perf_counter()
                record = Record(
                    self.step + 1,
                    loss,
                    terms,
                    self.learner.learning_rate,
                    norm,
                    config.batch * config.n_frames / (now - clock),
                    waited / (now - clock),
                )
                if not math.isfinite(loss) or not math.isfinite(norm):
                    self._give_up(record, saved)
                self.step += 1
                record = self._write(record)
                if self._due(config.save_every):
                    self._save()
                    saved = self.step
                clock = time.perf_counter()
                yield record
                if time.perf_counter() - clock > 1:  # exclude pauses
                    clock = time.perf_counter()
        except GeneratorExit:
            if saved != self.step:
                self._save()
            raise
        finally:
            ahead.close()  # type: ignore[attr-defined]

    def _due(self, every: int) -> bool:
        return self.step == self.config.steps or (every > 0 and self.step % every == 0)

    def _write(self, record: Record) -> Record:
        """Validate and take a snapshot if they are due, and write the log; only in the first process."""
        if self.fabric.is_global_zero:
            measured: dict[str, float] = {}
            averaged: VideoPoseModel = self.learner.average.module  # type: ignore[assignment]
            if isinstance(averaged, DKD) and self.step <= self.config.pretrained_steps():
                averaged = averaged.initializer_alone()
            if self.validation and self._due(self.config.validate_every):
                measured = validate(averaged, self.validation, self.config.data.validation_frames)
            snapshot = None
            if self._due(self.config.snapshot_every):
                snapshot = self.run.save_snapshot(averaged, self.step, {"validation": measured})
            if self.step == self.config.steps:
                if self.config.model.bias_fades and isinstance(averaged, DKD):
                    averaged = averaged.without_kernel_bias()
                self.run.save_result(averaged, self.step, {"validation": measured})
            record = Record(**{**record.__dict__, "validation": measured, "snapshot": snapshot})
            self.run.append_log(record.row())
        self.fabric.barrier()
        return record

    def _give_up(self, record: Record, saved: int) -> None:
        reason = (
            f"the loss is {record.loss} and its gradient's norm {record.gradient_norm} at step {record.step}; the "
            f"state of step {saved} is kept in {self.run.folder}. Try a smaller optimiser.learning_rate or clip_norm, "
            "and look at the last rows of log.csv"
        )
        if self.fabric.is_global_zero:
            self.run.fail(record.row(), reason)
        raise TrainingError(reason)

    # --- state -------------------------------------------------------------------------------------------------------

    def _save(self) -> None:
        if self.fabric.is_global_zero:
            self.run.save_state(self.step, self.learner.state())

    def _resume(self) -> int:
        """Restore the stored state and return its step."""
        stored = self.run.load_state()
        step = 0 if stored is None else stored[0]
        if stored is not None:
            self.learner.load(stored[1])
        if self.fabric.is_global_zero:
            self.run.rewind(step)
        if stored is not None:
            log.info("resuming %s at step %d", self.run.folder, step)
        return step
