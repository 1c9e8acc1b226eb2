"""Training: a generator of records that a script, a panel or a test consumes.

Two stages. ``"initializer"`` trains the pose initializer on single frames; ``"dkd"`` starts encoder and initializer
from it and trains the whole recursion on clips, the initializer held fixed. Same seed, same threads: same weights.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dkd.checkpoints import read_tensors, write_tensors
from dkd.datasets.augment import AugmentConfig, ClipSample, make_clip
from dkd.datasets.people import PersonSequence
from dkd.errors import CheckpointError, ConfigError, DKDError
from dkd.heatmaps import gaussian_targets
from dkd.models.backbones import STRIDE
from dkd.models.dkd import DKD

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainConfig:
    """A stage of training.

    Attributes:
        stage: ``"initializer"`` or ``"dkd"``.
        steps: optimiser steps in all.
        batch: clips a step (images in the first stage).
        n_frames: T; 1 in the first stage.
        sizes: input side by share of the steps: ``((0.7, 192), (1.0, 256))`` is 192 for the first 70 %, then 256.
        learning_rate: of all that starts from scratch; the trunk, which starts from ImageNet, has ``trunk_rate`` × it.
        sigma: of the Gaussian targets, in cells.
        weight_decay, warmup, clip_norm, ema: AdamW's, steps of linear warm-up, gradient clipping, averaging of weights.
        frozen_blocks: leading blocks of the trunk that keep their ImageNet weights (they cost most and change least).
        mixture: shares of stills, videos and cut-outs among the clips.
        truth_first, truth_later: probability that the distillator is given jittered ground truth instead of the model's
            own maps, in the first frame and in later ones. With too much of it recursion collapses (exposure bias).
        jitter: standard deviation of that jitter, in cells.
        fix_statistics_after: share of the steps after which the distillator's batch statistics stand still.
        save_every: steps between checkpoints.
        seed: of everything.
    """

    stage: str
    steps: int
    batch: int = 32
    n_frames: int = 1
    sizes: tuple[tuple[float, int], ...] = ((1.0, 256),)
    learning_rate: float = 2e-3
    trunk_rate: float = 0.3
    sigma: float = 1.25
    weight_decay: float = 1e-3
    warmup: int = 80
    clip_norm: float = 20.0
    ema: float = 0.998
    frozen_blocks: int = 4
    mixture: tuple[float, float, float] = (0.7, 0.1, 0.2)
    truth_first: float = 0.5
    truth_later: float = 0.1
    jitter: float = 0.7
    fix_statistics_after: float = 0.7
    save_every: int = 100
    seed: int = 0
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        if self.stage not in ("initializer", "dkd"):
            raise ConfigError(f"stage must be 'initializer' or 'dkd', got {self.stage!r}")
        if self.stage == "initializer" and self.n_frames != 1:
            raise ConfigError(f"the initializer sees single frames: n_frames must be 1, got {self.n_frames}")
        if min(self.steps, self.batch, self.n_frames, self.save_every) < 1:
            raise ConfigError("steps, batch, n_frames and save_every must be at least 1")

    def size_at(self, step: int) -> int:
        """Input side N at this step."""
        return next((size for share, size in self.sizes if step < share * self.steps), self.sizes[-1][1])

    def rate_at(self, step: int) -> float:
        """Learning rate as a share of its peak: linear warm-up, then half a cosine."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        return 0.5 * (1 + math.cos(math.pi * (step - self.warmup) / max(1, self.steps - self.warmup)))


@dataclass(frozen=True)
class People:
    """Who to train on. ``backgrounds`` go behind the cut-outs; where a kind is empty, its share goes to the stills."""

    stills: list[PersonSequence]
    videos: list[PersonSequence] = field(default_factory=list)
    cutouts: list[PersonSequence] = field(default_factory=list)
    backgrounds: list[np.ndarray] = field(default_factory=list)

    def draw(self, config: TrainConfig, size: int, rng: np.random.Generator) -> ClipSample:
        """One random clip."""
        kinds = [self.stills, self.videos, self.cutouts]
        weights = np.array([w * bool(k) for w, k in zip(config.mixture, kinds, strict=True)])
        kind = kinds[rng.choice(3, p=weights / weights.sum())]
        person = kind[rng.integers(len(kind))]
        indices = _draw_indices(len(person.images), config.n_frames, rng)
        others = self.cutouts if self.cutouts and rng.random() < 0.6 else self.stills
        return make_clip(
            person,
            indices,
            size,
            rng,
            config.augment,
            background=self.backgrounds[rng.integers(len(self.backgrounds))] if self.backgrounds else None,
            other=others[rng.integers(len(others))],
        )


def _draw_indices(length: int, n_frames: int, rng: np.random.Generator) -> list[int]:
    """n_frames in order, with a stride of 1 to 4, half of them backwards in time."""
    if length == 1:
        return [0] * n_frames
    stride = int(rng.integers(1, max(2, min(4, (length - 1) // max(1, n_frames - 1)) + 1)))
    start = int(rng.integers(max(1, length - stride * (n_frames - 1))))
    indices = [min(start + stride * k, length - 1) for k in range(n_frames)]
    return indices[::-1] if rng.random() < 0.5 else indices


@dataclass(frozen=True)
class Record:
    """What is known after a step: ``loss`` is the step's own; ``frames_per_s`` since the last record."""

    step: int
    loss: float
    learning_rate: float
    frames_per_s: float
    waited: float


def pose_loss(heatmaps: Tensor, joints: Tensor, sigma: float) -> Tensor:
    """Squared error of the maps, summed over cells, averaged over labelled joints.

    Args:
        heatmaps: (..., J, H, W) predicted.
        joints: (..., J, 2) in cells; NaN: not labelled, not counted; infinite: outside the crop, trained to a zero map.
        sigma: of the targets, in cells.
    """
    labelled = ~joints.isnan().any(-1)
    error = (heatmaps.float() - gaussian_targets(joints, heatmaps.shape[-1], sigma)).square().sum((-2, -1))
    return torch.where(labelled, error, 0.0).sum() / labelled.sum().clamp(min=1)


def _batches(people: People, config: TrainConfig, first: int) -> Iterator[tuple[Tensor, Tensor]]:
    """(B, T, 3, N, N) float 0..1 and (B, T, J, 2) joints in cells, drawn ahead by a thread (OpenCV frees the GIL)."""

    def prepare(step: int) -> tuple[Tensor, Tensor]:
        size = config.size_at(step)
        clips = [people.draw(config, size, np.random.default_rng((config.seed, step, i))) for i in range(config.batch)]
        frames = torch.from_numpy(np.stack([c.frames for c in clips])).permute(0, 1, 4, 2, 3)
        joints = torch.from_numpy(np.stack([c.joints for c in clips]))
        return frames, (joints + 0.5) / STRIDE - 0.5

    with ThreadPoolExecutor(1, "batches") as pool:
        ahead: list[Future[tuple[Tensor, Tensor]]] = []
        for step in range(first, config.steps):
            while len(ahead) < 3 and step + len(ahead) < config.steps:
                ahead.append(pool.submit(prepare, step + len(ahead)))
            frames, joints = ahead.pop(0).result()
            yield frames.float() / 255, joints


def _optimiser(model: DKD, config: TrainConfig) -> torch.optim.AdamW:
    if config.stage == "initializer":
        active: nn.Module = model.initializer
        blocks = model.initializer.encoder.trunk_blocks()
    else:
        model.initializer.requires_grad_(False)
        active, blocks = model, model.encoder.trunk_blocks()
    for block in blocks[: config.frozen_blocks]:
        block.requires_grad_(False)
    trunk = [p for b in blocks[config.frozen_blocks :] for p in b.parameters()]
    known = set(map(id, trunk))
    rest = [p for p in active.parameters() if p.requires_grad and id(p) not in known]
    return torch.optim.AdamW(
        [{"params": trunk, "share": config.trunk_rate}, {"params": rest, "share": 1.0}],
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
    )


def _set_modes(model: DKD, config: TrainConfig, step: int) -> None:
    """Train mode, but for the parts whose batch statistics stand still (their weights may learn all the same)."""
    model.train()
    if config.stage == "initializer":
        fixed = model.initializer.encoder.trunk_blocks()[: config.frozen_blocks]
    else:
        fixed = [model.initializer, model.encoder]
        if step >= config.fix_statistics_after * config.steps:
            fixed.append(model.distillator)
    for module in fixed:
        module.eval()


def _feedback(config: TrainConfig, joints: Tensor, generator: torch.Generator) -> Callable[[Tensor, int], Tensor]:
    """Sometimes jittered ground truth instead of the model's own maps; the model's own are detached from nothing."""

    def choose(heatmaps: Tensor, t: int) -> Tensor:
        share = config.truth_later if t else config.truth_first
        use = torch.rand(len(heatmaps), generator=generator) < share
        if not use.any():
            return heatmaps
        at = joints[:, t] + torch.randn(joints[:, t].shape, generator=generator) * config.jitter
        truth = gaussian_targets(at, heatmaps.shape[-1], config.sigma)
        usable = use[:, None] & ~at.isnan().any(-1)
        return torch.where(usable[..., None, None], truth.to(heatmaps.dtype), heatmaps)

    return choose


def train(model: DKD, config: TrainConfig, people: People, run: Path) -> Iterator[Record]:
    """Train ``model`` in place; a killed run, called again, goes on from its last whole checkpoint.

    Args:
        model: its weights are changed; at the end it holds the averaged ones.
        config: what to do.
        people: on whom.
        run: folder for ``state.safetensors`` (weights, average, optimiser, step) and ``log.csv``.

    Yields:
        a :class:`Record` a step.

    Raises:
        CheckpointError: the run folder holds another run.
        DKDError: the loss is not finite; the last checkpoint is kept.
    """
    run.mkdir(parents=True, exist_ok=True)
    optimiser = _optimiser(model, config)
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(config.ema), use_buffers=True
    )
    first = _resume(run, config, model, average, optimiser)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    clock, waited_since = time.perf_counter(), time.perf_counter()
    with (run / "log.csv").open("a") as table:
        for step, (frames, joints) in enumerate(_batches(people, config, first), first):
            waited = time.perf_counter() - waited_since
            _set_modes(model, config, step)
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * config.rate_at(step) * group["share"]
            generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
            with torch.autocast("cpu", torch.bfloat16):
                if config.stage == "initializer":
                    heatmaps = model.initialise(frames[:, 0].contiguous(memory_format=torch.channels_last))[:, None]
                    loss = pose_loss(heatmaps, joints, config.sigma)
                else:
                    heatmaps = model(frames, _feedback(config, joints, generator)).heatmaps
                    loss = pose_loss(heatmaps[:, 1:], joints[:, 1:], config.sigma)
            if not torch.isfinite(loss):
                raise DKDError(f"the loss is {loss.item()} at step {step}; the last checkpoint in {run} is kept")
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_([p for g in optimiser.param_groups for p in g["params"]], config.clip_norm)
            optimiser.step()
            average.update_parameters(model)
            seconds = time.perf_counter() - clock
            clock = time.perf_counter()
            record = Record(
                step,
                loss.item(),
                optimiser.param_groups[1]["lr"],
                config.batch * config.n_frames / seconds,
                waited / seconds,
            )
            table.write(",".join(f"{v:.6g}" for v in dataclasses.astuple(record)) + "\n")
            table.flush()
            if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
                _save(run, config, step + 1, model, average, optimiser)
            yield record
            waited_since = time.perf_counter()
    model.load_state_dict(average.module.state_dict())


def _state_file(run: Path) -> Path:
    return run / "state.safetensors"


def _fingerprint(config: TrainConfig) -> str:
    return json.dumps(dataclasses.asdict(config), sort_keys=True)


def _save(
    run: Path, config: TrainConfig, step: int, model: DKD, average: nn.Module, optimiser: torch.optim.Optimizer
) -> None:
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in average.state_dict().items()}
    for i, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{i}.{k}": v for k, v in state.items()}
    # Tensors shared between modules would be refused; a clone of each is small here.
    write_tensors(
        _state_file(run),
        {k: v.clone() for k, v in tensors.items()},
        {"step": str(step), "config": _fingerprint(config)},
    )


def _resume(run: Path, config: TrainConfig, model: DKD, average: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    if not _state_file(run).is_file():
        return 0
    tensors, header = read_tensors(_state_file(run))
    if header.get("config") != _fingerprint(config):
        raise CheckpointError(
            f"{run} holds a run with other settings; give another folder, or the settings it was started with"
        )
    model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
    average.load_state_dict({k.removeprefix("average."): v for k, v in tensors.items() if k.startswith("average.")})
    states: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
            _, i, key = name.split(".")
            states.setdefault(int(i), {})[key] = tensor
    optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})
    log.info("going on with %s at step %s", run, header["step"])
    return int(header["step"])
