"""When a track is lost, look for the person anew. Ours: the paper starts once, in the first frame.

A track is lost when the mean confidence over its joints stayed below a threshold for some frames in a row. Then the
model's initializer looks at the present square, at a larger one and at the whole frame, and at each of them again,
closer. The best of what it saw starts the model anew, if that is surer than going on.

What it costs: nothing while the track is sure. In a frame that is searched, at most ``3 · SEARCH_ROUNDS`` passes of the
initializer and, if it starts anew, one more of the model; once in ``cooldown`` + 1 frames at most, so that a person who
is gone for good makes a clip about twice as dear (``Trace.extra_passes`` counts).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dkd.errors import ConfigError
from dkd.pose.crops import JOINTS_MARGIN, Crop, box_to_crop, joints_to_box
from dkd.tracking.squares import CONFIDENT

# Where a model has a calibration, its confidence is a probability, and this one means the same for all of them.
# Of people who are followed well no frame's mean was below 0.59 (filmed clips, the shipped model).
# An empty grey picture has 0.35, not 0: of those who are labelled a third of such faint peaks are right all the same.
LOST_CONFIDENCE = 0.45
# Where it has none: a track that is lost has scores near 0, one that follows near 1, so far for every model trained on
# maps of height 1. Close to what a joint needs to steer the square.
LOST_SCORE = 0.2

SEARCH_ROUNDS = 3  # how often the initializer looks, each time closer
LARGER = 2.0  # side of the second candidate over the present square's

Look = Callable[[Crop], tuple[np.ndarray, np.ndarray]]  # a square → (J, 2) joints in pixels of the frame, (J,) scores


@dataclass(frozen=True)
class Reinitialise:
    """When to look for the person anew.

    Attributes:
        threshold: mean confidence over joints, in 0..1, below which a frame counts as lost; 0: never. ``None``:
            ``LOST_CONFIDENCE`` where the model has a calibration, else ``LOST_SCORE``.
        patience: so many lost frames in a row make a lost track, ≥ 1; the next frame is searched.
        cooldown: frames after a search in which there is no other, ≥ 0.
        gain: by how much the new start must be surer than going on, in 0..1: else the two would take turns.

    Raises:
        ConfigError: a value is out of its range.
    """

    threshold: float | None = None
    patience: int = 3
    cooldown: int = 10
    gain: float = 0.05

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ConfigError(f"expected a threshold in 0..1 (a mean confidence), got {self.threshold}")
        if self.patience < 1 or self.cooldown < 0 or not 0 <= self.gain <= 1:
            raise ConfigError(
                "expected patience ≥ 1 and cooldown ≥ 0 frames and a gain in 0..1, got "
                f"{self.patience}, {self.cooldown} and {self.gain}"
            )

    def limit(self, calibrated: bool) -> float:
        """The threshold that holds for a model with or without a calibration."""
        if self.threshold is not None:
            return self.threshold
        return LOST_CONFIDENCE if calibrated else LOST_SCORE

    def is_due(self, means: np.ndarray, t: int, searched: int | None, calibrated: bool) -> bool:
        """Whether frame ``t`` is to be searched.

        Args:
            means: mean confidence of the frames before t, of all or of the last ``patience``.
            t: index of the frame.
            searched: the last frame that was searched, ``None`` if none was.
            calibrated: whether ``means`` are of calibrated confidence.
        """
        if t < self.patience or (searched is not None and t - searched <= self.cooldown):
            return False
        return bool((means[-self.patience :] < self.limit(calibrated)).all())

    def first_loss(self, means: np.ndarray, calibrated: bool) -> int | None:
        """The first frame that would be searched in a run with these (T,) means; ``None``: the run is never changed."""
        lost = np.asarray(means) < self.limit(calibrated)
        run = 0
        for t, is_lost in enumerate(lost[:-1]):
            run = run + 1 if is_lost else 0
            if run >= self.patience:
                return t + 1
        return None


@dataclass(frozen=True)
class Reinitialised:
    """A frame in which the model was started anew: like frame 0, its maps are the initializer's.

    Attributes:
        frame: index.
        reason: why, in words.
        before, after: mean confidence in this frame, had the track gone on, and as it was started anew; 0..1.
    """

    frame: int
    reason: str
    before: float
    after: float


class Found(NamedTuple):
    """The best of a search: its square, the (J,) scores there, and how many passes of the initializer it took."""

    crop: Crop
    scores: np.ndarray
    passes: int


def approach(look: Look, crop: Crop) -> tuple[list[tuple[Crop, np.ndarray]], Crop]:
    """Look at a square, and again at the square around what was found there, closer each time.

    Args:
        look: the initializer, a pass a call.
        crop: where to begin.

    Returns:
        the squares that were looked at, :data:`SEARCH_ROUNDS` at most, fewer where nothing confident was found, each
        with the (J,) scores there; and the square that follows from the last look.
    """
    looked = []
    for _ in range(SEARCH_ROUNDS):
        joints, scores = look(crop)
        looked.append((crop, scores))
        box = joints_to_box(joints[scores >= CONFIDENT])
        if box is None or max(box[2] - box[0], box[3] - box[1]) < 1:
            break
        crop = box_to_crop(box, JOINTS_MARGIN)
    return looked, crop


def search(look: Look, present: Crop, width: int, height: int) -> Found:
    """Where in the frame does the initializer see a person best?

    Args:
        look: the initializer, a pass a call.
        present: the track's square.
        width, height: of the frame, in pixels.

    Returns:
        the square with the highest mean score over joints; of equals the one that was looked at first.
    """
    side = min(LARGER * present.side, 3.0 * max(width, height))
    shift = (side - present.side) / 2
    larger = Crop(present.left - shift, present.top - shift, side)
    whole = box_to_crop((0, 0, width, height), 1.0)
    looked = [step for candidate in (present, larger, whole) for step in approach(look, candidate)[0]]
    crop, scores = max(looked, key=lambda step: float(step[1].mean()))
    return Found(crop, scores, len(looked))
