"""People for training in tests: figures of 13 dots, each in its joint's colour, and fast settings."""

from __future__ import annotations

from typing import Any

import numpy as np

from dkd.datasets.batches import Mixture
from dkd.datasets.people import PersonSequence
from dkd.io.config import from_mapping, with_words
from dkd.training.config import TrainConfig

# No chance but which person: what is drawn does not matter to most tests, that it is quick does.
QUICK = (
    "model.settings.channels=16", "model.settings.input_size=128", "batch=2",
    "n_frames=2", "steps=4", "save_every=2", "snapshot_every=0", "validate_every=0", "optimiser.warmup=2",
    "augment.rotation=0", "augment.motion=0", "augment.distractor=0", "augment.occluder=0", "augment.degrade=0",
    "machine.accelerator=cpu",
)  # fmt: skip


def dotted_person(seed: int = 0, n_frames: int = 1) -> PersonSequence:
    """Create a figure of 13 dots that moves to the right, two pixels per frame."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(60, 200, (13, 2)).astype(np.float32)
    joints = start + np.arange(n_frames, dtype=np.float32)[:, None, None] * np.array([2, 0], np.float32)
    images = []
    for t in range(n_frames):
        image = np.full((260, 260, 3), 60, np.uint8)
        for j, (x, y) in enumerate(joints[t]):
            image[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5] = (20 * j, 255 - 19 * j, 80 + 60 * (j % 3))
        images.append(image)
    return PersonSequence(images, joints, f"dots {seed}", fps=10.0)


def dotted_people() -> Mixture:
    return Mixture([[dotted_person(s) for s in range(3)], [dotted_person(9, 6)]])


def quick(*words: str, **settings: Any) -> TrainConfig:
    """Return settings for a run of seconds, with some replaced by ``key=value`` or by name."""
    given = [*QUICK, *(f"{k}={v}" for k, v in settings.items()), *words]
    return from_mapping(TrainConfig, with_words({}, given))
