"""Training: a generator of records that a panel, a progress bar, a log and a test consume.

    for record in train(load_recipe("laptop"), "runs/first"):
        print(record.step, record.loss)

Whoever asks for the next record lets the next step happen: not asking is a pause, closing the generator a stop, and a
run that was stopped, killed or has failed goes on when ``train`` is called on its folder again. On one machine, with
the same number of threads, it then comes to the same weights, to the last bit.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.fx.experimental.optimization import fuse

from dkd.datasets.batches import Batch, BatchPlan, Mixture, batches
from dkd.datasets.people import PersonSequence
from dkd.errors import ConfigError, DKDError, TrainingError
from dkd.machine import launch, synchronise_batch_norm
from dkd.models.base import Feedback, PoseOutput, VideoPoseModel
from dkd.models.discriminator import TemporalDiscriminator
from dkd.models.dkd import DKD
from dkd.models.registry import make_model
from dkd.models.warm_start import warm_start, warm_start_initializer
from dkd.pose.heatmaps import gaussian_targets
from dkd.training.config import FeedbackConfig, OptimiserConfig, TrainConfig
from dkd.training.losses import (
    convergence,
    frame_pairs,
    map_changes,
    motion_loss,
    next_k,
    pose_loss,
    reconstruction_loss,
    stages_loss,
)
from dkd.training.run import Run
from dkd.training.validation import MEASURES, validate

if TYPE_CHECKING:
    from lightning_fabric import Fabric

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Record:
    """What is known after a step.

    Attributes:
        step: steps done, from 1.
        loss: what the pose network minimised in this step.
        terms: ``pose``, the loss of the maps that are the answer: what is minimised, but where a model's stages are
            trained each on its own; then it is what can be compared between models. With the adversary also ``real``
            (L_real), ``fake`` (L_fake), ``k`` and ``convergence``; with a motion weight ``motion``.
        learning_rate: of what starts from scratch.
        gradient_norm: before clipping.
        frames_per_s: since the last record, over all processes.
        waited: share of that time spent waiting for data.
        validation: measures of :func:`dkd.training.validation.validate`, at the steps where it was done.
        snapshot: where the averaged model of this step was stored, at the steps where it was.
    """

    step: int
    loss: float
    terms: dict[str, float]
    learning_rate: float
    gradient_norm: float
    frames_per_s: float
    waited: float
    validation: dict[str, float] = field(default_factory=dict)
    snapshot: Path | None = None

    def row(self) -> dict[str, Any]:
        """One flat row for tables and the log; the same columns at every step."""
        nan = math.nan
        return {
            "step": self.step,
            "loss": self.loss,
            **{name: self.terms.get(name, nan) for name in ("pose", "motion", "real", "fake", "k", "convergence")},
            "learning_rate": self.learning_rate,
            "gradient_norm": self.gradient_norm,
            "frames_per_s": self.frames_per_s,
            "waited": self.waited,
            **{name: self.validation.get(name, nan) for name in MEASURES},
        }


def train(
    config: TrainConfig,
    folder: str | Path,
    *,
    people: Mixture | None = None,
    validation: Sequence[PersonSequence] | None = None,
) -> Iterator[Record]:
    """Train; a folder with an unfinished run of the same settings goes on from its last whole state.

    Args:
        config: what to do.
        folder: of the run, see :mod:`dkd.training.run`.
        people: whom to train on, instead of ``config.data``'s sources.
        validation: whom to validate on, instead of those.

    Yields:
        a :class:`Record` a step, after what it tells of is on the disk.

    Raises:
        ConfigError, DatasetError: a source is not there or does not fit the model; before anything is written.
        RunBusyError: another process trains in this folder.
        CheckpointError: the folder holds a run with other settings; or ``config.model.start`` cannot be used, and a new
            run was not begun.
        TrainingError: the loss is not finite; ``failure.json`` has the record, the state before it is kept.
        StorageError: the disk is full; what was saved is kept.
    """
    threads = torch.get_num_threads()
    if config.machine.threads is not None:
        torch.set_num_threads(config.machine.threads)
    try:
        fabric = _fabric(config)
        if people is None:
            people = load_mixture(config)
        if validation is None:
            validation = load_validation(config)
        _check_skeletons(config, people, validation)
        run = Run(folder)
        if fabric.is_global_zero:
            run.open(config)
        try:
            fabric.barrier()
            trainer = Trainer(config, run, fabric, people, validation)
            yield from trainer.records()
        finally:
            if fabric.is_global_zero:
                run.close()
    finally:
        torch.set_num_threads(threads)


def load_mixture(config: TrainConfig) -> Mixture:
    """The training people of the sources in ``config.data``."""
    from dkd.datasets.sources import load_people

    return Mixture([load_people(source, "train") for source in config.data.train], config.data.shares)


def load_validation(config: TrainConfig) -> list[PersonSequence]:
    """The validation people of ``config.data``."""
    from dkd.datasets.sources import load_people

    count = config.data.validation_clips
    return load_people(config.data.validation, "test")[:count] if count else []


def _check_skeletons(config: TrainConfig, people: Mixture, validation: Sequence[PersonSequence]) -> None:
    expected = config.model_config().skeleton
    found = {people.skeleton.name, *(person.skeleton for person in validation)}
    if found != {expected}:
        raise ConfigError(
            f"{config.model.name} has the joints of {expected!r}, the data those of {', '.join(sorted(found))}; set "
            "model.settings.skeleton, or take other data"
        )


def _fabric(config: TrainConfig) -> Fabric:
    machine = config.machine
    precision: str = machine.precision
    if precision == "auto":
        on_gpu = machine.accelerator in ("auto", "cuda", "gpu") and torch.cuda.is_available()
        precision = "bf16-mixed" if on_gpu and torch.cuda.is_bf16_supported() else "32-true"
    # While the initializer learns alone, the other parts have no gradient.
    return launch(machine, "ddp_find_unused_parameters_true" if config.pretrained_steps() else "ddp", precision)


class Trainer:
    """What :func:`train` does between opening and closing the run's folder."""

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
        is_new = not run.state_file.is_file()
        with torch.random.fork_rng(devices=[]):  # a notebook's own random numbers are not disturbed
            torch.manual_seed(config.seed)
            model = make_model(config.model_config())
            discriminator = TemporalDiscriminator(len(model.skeleton), config.adversary.width)
        if is_new:
            try:
                if config.model.start is not None:
                    warm_start(model, config.model.start)
                if config.model.initializer_start is not None:
                    assert isinstance(model, DKD)  # the config has seen to that
                    warm_start_initializer(model, config.model.initializer_start)
            except DKDError:
                run.forget()  # or the mended settings would be refused as another run's
                raise
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        _freeze(model, config)
        self.average = torch.optim.swa_utils.AveragedModel(
            model, multi_avg_fn=_growing_average(config.optimiser.ema), use_buffers=True
        ).to(fabric.device)
        if fabric.world_size > 1:
            synchronise_batch_norm(model, fabric.device)
        self.plain: VideoPoseModel = model  # for its parts; calls go through the wrapped one
        self.model, self.optimiser = fabric.setup(model, _optimiser(model, config.optimiser))
        self.model.mark_forward_method("initialise")
        self.adversary, self.adversary_optimiser = None, None
        if config.adversary.eta:
            adam = torch.optim.Adam(discriminator.parameters(), config.adversary.learning_rate, (0.5, 0.999))
            self.adversary, self.adversary_optimiser = fabric.setup(discriminator, adam)
        self.k = 0.0
        self.step = self._resume()
        _fold_frozen(self.plain, config)

    # --- the run -----------------------------------------------------------------------------------------------------

    def records(self) -> Iterator[Record]:
        """A record a step; when closed in between, the state is saved."""
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
            self.plain.stride,
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
                loss, terms, norm = self._learn(batch)
                now = time.perf_counter()
                record = Record(
                    self.step + 1,
                    loss,
                    terms,
                    self.optimiser.param_groups[-1]["lr"],
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
                if time.perf_counter() - clock > 1:  # a pause is no work
                    clock = time.perf_counter()
        except GeneratorExit:
            if saved != self.step:
                self._save()
            raise
        finally:
            ahead.close()  # type: ignore[attr-defined]

    def _alone(self) -> bool:
        """The initializer still learns alone, frame by frame."""
        return self.step < self.config.pretrained_steps()

    def _due(self, every: int) -> bool:
        return self.step == self.config.steps or (every > 0 and self.step % every == 0)

    def _write(self, record: Record) -> Record:
        """Validate and take a snapshot where it is time for them, and log; only the first process does."""
        if self.fabric.is_global_zero:
            measured: dict[str, float] = {}
            averaged: VideoPoseModel = self.average.module  # type: ignore[assignment]
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

    # --- one step ----------------------------------------------------------------------------------------------------

    def _learn(self, batch: Batch) -> tuple[float, dict[str, float], float]:
        """Move the weights once; returns the loss, its terms, and the gradient's norm."""
        config, fabric = self.config, self.fabric
        if isinstance(self.plain, DKD) and self.step == config.pretrained_steps() > 0:
            averaged: DKD = self.average.module  # type: ignore[assignment]
            for model in (self.plain, averaged):
                model.start_encoder_from_initializer()
        _set_modes(self.plain, config, self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = (
                config.optimiser.learning_rate * config.optimiser.rate_at(self.step, config.steps) * group["share"]
            )
        frames, joints, weights = (fabric.to_device(part) for part in batch)
        frames = frames.float() / 255
        stages = None
        if self._alone():
            heatmaps = self.model.initialise(frames.flatten(0, 1)).float().unflatten(0, frames.shape[:2])
        else:
            output: PoseOutput = self.model(frames, self._feedback(joints))
            heatmaps, stages = output.heatmaps.float(), output.intermediate
        first = 1 if config.model.initializer == "fixed" and isinstance(self.plain, DKD) else 0
        counted = weights[:, first:]
        count = self._mean(counted.sum())
        loss = pose_loss(heatmaps[:, first:], joints[:, first:], counted, config.sigma, count)
        terms = {"pose": loss}
        if stages is not None:  # the answer is the last of them
            loss = stages_loss(stages, joints, weights, config.sigma, self._mean)
        if config.motion_weight and not self._alone():
            terms["motion"] = motion_loss(heatmaps[:, first:], joints[:, first:], counted, config.sigma, self._mean)
            loss = loss + config.motion_weight * terms["motion"]
        if self.adversary is not None and not self._alone():
            judged = self._judge(frames, heatmaps, joints, weights > 0)
            loss = loss + config.adversary.eta * judged.pop("for_pose")
            terms |= judged
        self.optimiser.zero_grad()
        fabric.backward(loss)
        limit = config.optimiser.clip_norm
        norm = fabric.clip_gradients(self.model, self.optimiser, max_norm=limit, error_if_nonfinite=False)
        finite = torch.isfinite(loss) & torch.isfinite(norm)  # type: ignore[arg-type]
        if finite:
            self.optimiser.step()
            self.average.update_parameters(self.plain)
            self._fade_bias()
        means = {name: float(self._mean(value.detach())) for name, value in terms.items()}
        if "fake" in means:
            self.k = next_k(self.k, means["real"], means["fake"], config.adversary)
            means |= {"k": self.k, "convergence": convergence(means["real"], means["fake"], config.adversary)}
        return float(self._mean(loss.detach())), means, float(norm)  # type: ignore[arg-type]

    def _fade_bias(self) -> None:
        """Take some of the kernels' bias away, of the model's and of the average's; see ``bias_fades``."""
        before, after = self.config.bias_at(self.step), self.config.bias_at(self.step + 1)
        if after == before:
            return
        for model in (self.plain, self.average.module):
            model.kernel_bias.mul_(after / before)  # type: ignore[operator]

    def _judge(self, frames: Tensor, heatmaps: Tensor, joints: Tensor, usable: Tensor) -> dict[str, Tensor]:
        """Move the discriminator once; returns ``real``, ``fake``, and ``for_pose``: L_fake as the pose net sees it."""
        adversary, optimiser = self.adversary, self.adversary_optimiser
        assert adversary is not None and optimiser is not None
        targets = gaussian_targets(joints, heatmaps.shape[-1], self.config.sigma)
        true, made = (map_changes(maps, usable, self._mean) for maps in (targets, heatmaps))
        pairs = frame_pairs(frames, heatmaps.shape[-1])
        both = adversary(torch.cat([true, made.detach()]), torch.cat([pairs, pairs]))
        real = reconstruction_loss(both[: len(true)], true)
        fake = reconstruction_loss(both[len(true) :], made.detach())
        optimiser.zero_grad()
        self.fabric.backward(real - self.k * fake)
        optimiser.step()
        module: nn.Module = adversary.module
        module.requires_grad_(False)  # what follows is for the pose network alone
        for_pose = reconstruction_loss(module(made, pairs), made)
        module.requires_grad_(True)
        return {"real": real, "fake": fake, "for_pose": for_pose}

    def _mean(self, value: Tensor) -> Tensor:
        """The mean over the processes that share the batch."""
        return self.fabric.all_reduce(value, reduce_op="mean")  # type: ignore[return-value]

    def _feedback(self, joints: Tensor) -> Feedback:
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.step)
        return truth_now_and_then(
            self.config.feedback,
            joints,
            self.config.sigma,
            generator,
            slice(self.fabric.global_rank, None, self.fabric.world_size),
            self.config.batch,
        )

    # --- state -------------------------------------------------------------------------------------------------------

    def _parts(self) -> dict[str, nn.Module]:
        parts: dict[str, nn.Module] = {"model": self.plain, "average": self.average}
        return parts if self.adversary is None else parts | {"adversary": self.adversary.module}

    def _optimisers(self) -> dict[str, Any]:
        optimisers = {"optimiser": self.optimiser}
        return optimisers if self.adversary is None else optimisers | {"adversary_optimiser": self.adversary_optimiser}

    def _save(self) -> None:
        if not self.fabric.is_global_zero:
            return
        tensors = {f"{part}.{k}": v for part, module in self._parts().items() for k, v in module.state_dict().items()}
        for part, optimiser in self._optimisers().items():
            for i, state in optimiser.state_dict()["state"].items():
                tensors |= {f"{part}.{i}.{k}": torch.as_tensor(v) for k, v in state.items()}
        tensors["k"] = torch.tensor(self.k, dtype=torch.float64)
        # safetensors refuses tensors that share memory; clones are small here
        self.run.save_state(self.step, {k: v.detach().clone() for k, v in tensors.items()})

    def _resume(self) -> int:
        """Take up the stored state; returns its step."""
        stored = self.run.load_state()
        if stored is None:
            if self.fabric.is_global_zero:
                self.run.rewind(0)
            return 0
        step, tensors = stored
        by_part: dict[str, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            part, _, rest = name.partition(".")
            by_part.setdefault(part, {})[rest] = tensor
        for part, module in self._parts().items():
            module.load_state_dict(by_part[part])
        for part, optimiser in self._optimisers().items():
            states: dict[int, dict[str, Tensor]] = {}
            for name, tensor in by_part.get(part, {}).items():
                i, key = name.split(".")
                states.setdefault(int(i), {})[key] = tensor
            optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})
        self.k = float(tensors["k"])
        if self.fabric.is_global_zero:
            self.run.rewind(step)
        log.info("going on with %s at step %d", self.run.folder, step)
        return step


def truth_now_and_then(
    config: FeedbackConfig,
    joints: Tensor,
    sigma: float,
    generator: torch.Generator,
    mine: slice = slice(None),
    batch: int | None = None,
) -> Feedback:
    """A feedback that now and then hands on jittered ground truth instead of the model's own maps.

    Args:
        config: how often, and how much jitter.
        joints: (B, T, J, 2) in cells.
        sigma: of the targets.
        generator: the source of chance.
        mine: which clips of the whole batch are here: chance is drawn for all, so that processes which share a batch do
            what one would.
        batch: clips in the whole batch; by default B.
    """

    def choose(heatmaps: Tensor, t: int) -> Tensor:
        total = len(joints) if batch is None else batch
        share = config.truth_later if t else config.truth_first
        use = (torch.rand(total, generator=generator) < share)[mine].to(heatmaps.device)
        noise = torch.randn((total, *joints.shape[2:]), generator=generator)[mine].to(heatmaps.device)
        at = joints[:, t] + noise * config.jitter
        truth = gaussian_targets(at, heatmaps.shape[-1], sigma)
        usable = use[:, None] & ~at.isnan().any(-1)
        return torch.where(usable[..., None, None], truth.to(heatmaps.dtype), heatmaps)

    return choose


def _freeze(model: VideoPoseModel, config: TrainConfig) -> None:
    """Switch gradients off for what keeps its weights."""
    for trunk in model.trunks():
        for block in trunk.trunk_blocks()[: config.optimiser.frozen_blocks]:
            block.requires_grad_(False)
    if isinstance(model, DKD) and config.model.initializer == "fixed":
        model.initializer.requires_grad_(False)
    if config.model.bias_fades and isinstance(model, DKD):
        model.kernel_bias.requires_grad_(False)


def _fold_frozen(model: VideoPoseModel, config: TrainConfig) -> None:
    """Run the trunks' frozen blocks with their norms folded into their convolutions: the same function, twice as fast.

    They see the largest maps, and on a CPU each norm is one more pass over them. The blocks keep their own weights,
    which are what is saved; the average of the weights is a copy from before, and keeps its norms.
    """
    for trunk in model.trunks():
        for block in trunk.trunk_blocks()[: config.optimiser.frozen_blocks]:
            folded = fuse(block.eval()).requires_grad_(False)
            folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            block.forward = folded.forward


def _optimiser(model: VideoPoseModel, config: OptimiserConfig) -> torch.optim.Optimizer:
    """Two groups: trunks, with their share of the rate, and the rest."""
    trunk = {id(p) for t in model.trunks() for block in t.trunk_blocks() for p in block.parameters()}
    learning = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learning if id(p) in trunk], "share": config.trunk_rate},
        {"params": [p for p in learning if id(p) not in trunk], "share": 1.0},
    ]
    groups = [g for g in groups if g["params"]]
    if config.name == "rmsprop":
        return torch.optim.RMSprop(groups, lr=config.learning_rate)
    return torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)


def _set_modes(model: VideoPoseModel, config: TrainConfig, step: int) -> None:
    """Train mode, but for the parts whose batch statistics stand still (their weights may learn all the same)."""
    model.train()
    fixed: list[nn.Module] = [
        block for trunk in model.trunks() for block in trunk.trunk_blocks()[: config.optimiser.frozen_blocks]
    ]
    if step >= config.optimiser.fix_statistics_after * config.steps:
        fixed += list(model.children())
    if isinstance(model, DKD):
        names = list(config.optimiser.fixed_statistics)
        names += ["initializer"] if config.model.initializer == "fixed" else []
        fixed += [getattr(model, name) for name in names]
    for module in fixed:
        module.eval()


def _growing_average(longest: float) -> Callable[[Any, Any, Any], None]:
    """An exponential average that forgets its random beginning: decay (1 + n) / (10 + n), at most ``longest``."""

    @torch.no_grad()
    def update(averages: Any, values: Any, n: Any) -> None:
        decay = min(longest, (1 + float(n)) / (10 + float(n)))
        if averages[0].is_floating_point():
            torch._foreach_lerp_(averages, values, 1 - decay)
        else:  # counters
            torch._foreach_copy_(averages, values)

    return update
