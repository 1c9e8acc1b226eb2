"""Batches of training clips. Each clip is drawn only from the seed, the step and its position in the batch.

A resumed run therefore draws the same clips as an uninterrupted one, and processes that share a batch draw the same
clips as a single process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from dkd.datasets.augment import AugmentConfig, ClipSample, make_clip
from dkd.datasets.people import PersonSequence
from dkd.errors import ConfigError, DatasetError
from dkd.pose.heatmaps import STRIDE
from dkd.pose.skeleton import Skeleton, get_skeleton

_AHEAD = 3  # batches prepared in advance


class Batch(NamedTuple):
    """A batch of clips.

    Attributes:
        frames: (B, T, 3, N, N) uint8 RGB.
        joints: (B, T, J, 2) float32 in map cells; infinite outside the crop, NaN where there is no label.
        weights: (B, T, J) float32, weight of each joint in the loss; 0 where there is no label.
    """

    frames: Tensor
    joints: Tensor
    weights: Tensor


class Mixture:
    """Training data: groups of people, each drawn with its share.

    Args:
        groups: lists of people; empty ones are ignored. All people must have the same skeleton.
        shares: how often each group is drawn; equally often by default.

    Raises:
        DatasetError: there are no people, or their skeletons differ.
        ConfigError: the number of shares differs from the number of groups.
    """

    def __init__(self, groups: Sequence[Sequence[PersonSequence]], shares: Sequence[float] = ()):
        shares = shares or [1.0] * len(groups)
        if len(shares) != len(groups):
            raise ConfigError(f"expected a share for each of {len(groups)} groups of people, got {len(shares)}")
        kept = [(group, share) for group, share in zip(groups, shares, strict=True) if group and share > 0]
        if not kept:
            raise DatasetError("expected people to train on, got none: every group is empty or has a share of 0")
        names = {person.skeleton for group, _ in kept for person in group}
        if len(names) > 1:
            raise DatasetError(
                f"expected people with one skeleton, got {', '.join(sorted(names))}; use sources of the same one"
            )
        self.groups = [group for group, _ in kept]
        self.shares = np.array([share for _, share in kept]) / sum(share for _, share in kept)
        self.skeleton: Skeleton = get_skeleton(names.pop())

    def draw(self, n_frames: int, size: int, rng: np.random.Generator, augment: AugmentConfig) -> ClipSample:
        """Draw a random clip of ``n_frames`` frames with side ``size``."""
        person = self._draw_person(rng)
        indices = draw_indices(len(person), n_frames, rng)
        other = self._draw_person(rng)
        company = [self._draw_person(rng) for _ in range(2)] if augment.company else []
        return make_clip(person, indices, size, rng, augment, other, company)

    def _draw_person(self, rng: np.random.Generator) -> PersonSequence:
        group = self.groups[int(rng.choice(len(self.groups), p=self.shares))]
        return group[int(rng.integers(len(group)))]

    def __repr__(self) -> str:
        groups = ", ".join(f"{len(g)} ({s:.0%})" for g, s in zip(self.groups, self.shares, strict=True))
        return f"<Mixture of {groups} people, {self.skeleton.name}>"


def draw_indices(length: int, n_frames: int, rng: np.random.Generator) -> list[int]:
    """Draw ``n_frames`` consecutive frame indices with a stride of 1 to 4, half of the time backwards."""
    if length == 1:
        return [0] * n_frames
    stride = int(rng.integers(1, max(2, min(4, (length - 1) // max(1, n_frames - 1)) + 1)))
    start = int(rng.integers(max(1, length - stride * (n_frames - 1))))
    indices = [min(start + stride * k, length - 1) for k in range(n_frames)]
    return indices[::-1] if rng.random() < 0.5 else indices


@dataclass(frozen=True)
class BatchPlan:
    """Settings of the batches.

    Attributes:
        batch: clips per step over all processes; this process prepares every ``world``-th of them, from ``rank`` on.
        n_frames, size: T and N.
        seed: seed of the run.
        hidden_weight: weight of joints that are labelled but hidden.
        augment: settings of the augmentation.
        rank, world: index of this process and number of processes.
        stride: input pixels per cell of the model's maps; joints are given in cells. A length in cells means half as
            many pixels at stride 4 as at stride 8: a target's σ of 2 cells (Simple Baselines, 64×64) is 8 pixels, the
            same as one cell at stride 8.
    """

    batch: int
    n_frames: int
    size: int
    seed: int
    hidden_weight: float = 1.0
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    rank: int = 0
    world: int = 1
    stride: int = STRIDE


class Steps(Dataset[Batch]):
    """Batches by step number."""

    def __init__(self, mixture: Mixture, plan: BatchPlan):
        self.mixture, self.plan = mixture, plan

    def __getitem__(self, step: int) -> Batch:
        plan = self.plan
        clips = [
            self.mixture.draw(plan.n_frames, plan.size, np.random.default_rng((plan.seed, step, i)), plan.augment)
            for i in range(plan.rank, plan.batch, plan.world)
        ]
        joints = np.stack([c.joints for c in clips])
        weights = np.where(np.stack([c.visible for c in clips]), 1.0, plan.hidden_weight).astype(np.float32)
        weights[np.isnan(joints).any(-1)] = 0
        frames = torch.from_numpy(np.stack([c.frames for c in clips])).permute(0, 1, 4, 2, 3)
        return Batch(frames, (torch.from_numpy(joints) + 0.5) / plan.stride - 0.5, torch.from_numpy(weights))


def batches(mixture: Mixture, plan: BatchPlan, first: int, end: int, workers: int = 0) -> Iterator[Batch]:
    """Yield the batches of steps ``first`` … ``end − 1``, prepared in advance.

    Args:
        mixture, plan: the people to draw from, and the settings.
        first, end: range of steps.
        workers: number of processes that prepare batches; 0 uses a thread (OpenCV releases the GIL). Processes are
            spawned, not forked: a video reader hangs after a fork.
    """
    steps = Steps(mixture, plan)
    if workers:
        loader = DataLoader(
            steps,
            batch_size=None,
            sampler=range(first, end),
            num_workers=workers,
            prefetch_factor=_AHEAD,
            multiprocessing_context="spawn",
            worker_init_fn=_limit_threads,
        )
        yield from loader
        return
    with ThreadPoolExecutor(1, "batches") as pool:
        ahead: list[Future[Batch]] = []
        try:
            for step in range(first, end):
                while len(ahead) < _AHEAD and step + len(ahead) < end:
                    ahead.append(pool.submit(steps.__getitem__, step + len(ahead)))
                yield ahead.pop(0).result()
        finally:
            for future in ahead:
                future.cancel()


def _limit_threads(_index: int) -> None:
    """Limit a worker to one thread, as there is one worker per core."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
