"""Re-initialisation of lost tracks. This is ours: the paper only initialises in the first frame.

A track is lost when the mean confidence over its joints is below a threshold for several consecutive frames. Then the
model's initializer is applied to the current crop, to a larger one and to the whole frame, each of them repeatedly with
closer crops. The best result re-initialises the model if it is more confident than continuing.

Cost: none while the track is confident. In a frame with a search, at most ``3 · SEARCH_ROUNDS`` passes of the
initializer and, if the model is re-initialised, one more of the model; at most once per ``cooldown`` + 1 frames, so
that a clip in which the person has left costs about twice as much (counted in ``Trace.extra_passes``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dkd.errors import ConfigError, checked
from dkd.pose.crops import JOINTS_MARGIN, Crop, box_to_crop, joints_to_box
from dkd.pose.labels import as_flags, as_numbers
from dkd.tracking.squares import CONFIDENT

# With a calibration, confidence is a probability, so one threshold suits all models. For people who are tracked well,
# no frame had a mean below 0.55 (filmed clips, the shipped model). An empty grey picture has 0.24, not 0: among
# labelled people, a third of such faint peaks are correct.
LOST_CONFIDENCE = 0.45
# Without a calibration: lost tracks have scores near 0 and good tracks near 1, so far for every model trained on maps
# of height 1. This is close to the threshold at which a joint influences the crop.
LOST_SCORE = 0.2

SEARCH_ROUNDS = 3  # number of passes of the initializer, each with a closer crop
LARGER = 2.0  # side of the second candidate / side of the current crop

Look = Callable[[Crop], tuple[np.ndarray, np.ndarray]]  # crop → (J, 2) joints in pixels of the frame, (J,) scores
Accept = Callable[[Crop, np.ndarray], bool]  # crop, joints found in it → whether they are of the person


@checked
@dataclass(frozen=True)
class Reinitialise:
    """Policy of re-initialisation.

    Attributes:
        threshold: mean confidence over joints, in 0..1, below which a frame counts as lost; 0: never. ``None``:
            ``LOST_CONFIDENCE`` if the model has a calibration, else ``LOST_SCORE``.
        patience: number of consecutive lost frames after which a track is lost, ≥ 1; the next frame is searched.
        cooldown: minimum number of frames between two searches, ≥ 0.
        same_person: whether only the same person is taken: a result of the search must be where the person can be by
            now, as large, and look alike (:meth:`dkd.tracking.body.Body.accepts`); else the track stays lost. Then a
            track also counts as lost while its joints look like somebody else (``Trace.strange``).
        gain: minimum increase of the mean confidence by re-initialising, in 0..1; avoids alternating between the two.

    Raises:
        ConfigError: a value is out of range.
    """

    threshold: float | None = None
    patience: int = 3
    cooldown: int = 10
    gain: float = 0.05
    same_person: bool = True

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ConfigError(f"expected a threshold in 0..1 (a mean confidence), got {self.threshold}")
        if self.patience < 1 or self.cooldown < 0 or not 0 <= self.gain <= 1:
            raise ConfigError(
                "expected patience ≥ 1 and cooldown ≥ 0 frames and a gain in 0..1, got "
                f"{self.patience}, {self.cooldown} and {self.gain}"
            )

    def limit(self, calibrated: bool) -> float:
        """Return the threshold for a model with or without a calibration."""
        if self.threshold is not None:
            return self.threshold
        return LOST_CONFIDENCE if calibrated else LOST_SCORE

    def is_due(
        self, means: np.ndarray, t: int, searched: int | None, calibrated: bool, strange: np.ndarray | None = None
    ) -> bool:
        """Return whether to search in frame ``t``.

        Args:
            means: mean confidence of the frames before t, of all or of the last ``patience``.
            t: index of the frame.
            searched: index of the last frame with a search, ``None`` if there was none.
            calibrated: whether ``means`` come from calibrated confidence.
            strange: whether the joints of these frames look like somebody else, bool.
        """
        if t < self.patience or (searched is not None and t - searched <= self.cooldown):
            return False
        return bool(self._lost(means, calibrated, strange)[-self.patience :].all())

    def _lost(self, means: np.ndarray, calibrated: bool, strange: np.ndarray | None) -> np.ndarray:
        lost = as_numbers(means, ("T",), "means", None) < self.limit(calibrated)
        if not self.same_person or strange is None:
            return lost
        return lost | as_flags(strange, lost.shape, "strange")

    def first_loss(self, means: np.ndarray, calibrated: bool, strange: np.ndarray | None = None) -> int | None:
        """Return the first frame with a search in a run with these means (T,); ``None`` if the run is never changed."""
        lost = self._lost(means, calibrated, strange)
        run = 0
        for t, is_lost in enumerate(lost[:-1]):
            run = run + 1 if is_lost else 0
            if run >= self.patience:
                return t + 1
        return None


@dataclass(frozen=True)
class Reinitialised:
    """A frame with a re-initialisation: as in frame 0, its maps come from the initializer.

    Attributes:
        frame: index of the frame.
        reason: reason in words.
        before, after: mean confidence in this frame without and with the re-initialisation; 0..1.
    """

    frame: int
    reason: str
    before: float
    after: float


def mean_confidence(confidence: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Average the confidence (T, J) over the joints that nobody marked as hidden: (T,); 0 where all are hidden."""
    if not hidden.any():
        return confidence.mean(-1)
    return np.where(hidden, 0, confidence).sum(-1) / np.maximum((~hidden).sum(-1), 1)


class Found(NamedTuple):
    """Best result of a search: its crop, or ``None``, the scores (J,), and the number of passes of the initializer."""

    crop: Crop | None
    scores: np.ndarray
    passes: int


def approach(look: Look, crop: Crop) -> tuple[list[tuple[Crop, np.ndarray, np.ndarray]], Crop]:
    """Apply the initializer to a crop, and repeatedly to the crop around the joints found, closer each time.

    Args:
        look: the initializer, one pass per call.
        crop: initial crop.

    Returns:
        The crops used, at most :data:`SEARCH_ROUNDS`, fewer if nothing confident was found, each with the joints (J, 2)
        and scores (J,) found in it; and the crop that follows from the last one.
    """
    looked = []
    for _ in range(SEARCH_ROUNDS):
        joints, scores = look(crop)
        looked.append((crop, joints, scores))
        box = joints_to_box(joints[scores >= CONFIDENT])
        if box is None or max(box[2] - box[0], box[3] - box[1]) < 1:
            break
        crop = box_to_crop(box, JOINTS_MARGIN).rounded()
    return looked, crop


def search(look: Look, present: Crop, width: int, height: int, accept: Accept | None = None) -> Found:
    """Search the frame for the crop in which the initializer is most confident.

    Args:
        look: the initializer, one pass per call.
        present: the track's current crop.
        width, height: size of the frame in pixels.
        accept: whether a result counts; by default every one does.

    Returns:
        The crop with the highest mean score over joints among those that count; ties by the first one.
    """
    side = min(LARGER * present.side, 3.0 * max(width, height))
    shift = (side - present.side) / 2
    larger = Crop(present.left - shift, present.top - shift, side)
    whole = box_to_crop((0, 0, width, height), 1.0)
    looked = [step for candidate in (present, larger, whole) for step in approach(look, candidate)[0]]
    best_first = sorted(looked, key=lambda step: -float(step[2].mean()))
    for crop, joints, scores in best_first:
        if accept is None or accept(crop, joints):
            return Found(crop, scores, len(looked))
    return Found(None, best_first[0][2], len(looked))
