"""Proposals of people in one frame: the pose initializer over windows of the whole picture. This is our decision.

A detector would be one more network to install: we found no well-kept package that has its weights inside, and OpenCV
5's wheel lacks the people detector of OpenCV 4. The initializer is good enough. Measured with the shipped model on 41
frames of filmed clips (``scripts/measure_proposals.py``): it finds 22 of 22 people in frames with two, 25 of 26 in
frames with one, and 3 of 6 in two frames with three who hide each other. There are 6 false proposals in all 41 frames,
each less confident than the person in the frame. It takes about 90 passes of the initializer per frame. People smaller
than about a sixth of the picture's larger side are not found.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dkd.engines.choice import accelerate
from dkd.errors import checked
from dkd.models.base import VideoPoseModel
from dkd.models.confidence import calibration_of
from dkd.pose.crops import JOINTS_MARGIN, Crop, box_to_crop, joints_to_box, person_box
from dkd.pose.heatmaps import decode_peaks
from dkd.tracking.opening import as_clip, as_model
from dkd.tracking.pixels import as_input
from dkd.tracking.squares import CONFIDENT
from dkd.tracking.tracker import confidence
from dkd.video.protocols import ClipLike

# Windows: the largest covers the whole picture, each level is smaller by SHRINK, as the initializer was trained on
# crops of 1.0 to 1.8 times the joints' extent; neighbours are STRIDE of a side apart.
SHRINK, STRIDE, SMALLEST = 1.6, 0.4, 0.22
KEPT = 24  # number of windows from which people are approached
FAINT = 0.35  # mean confidence below which a window is dropped: nobody is near
ROUNDS = 2  # passes over closer crops, as in dkd.tracking.reinitialise
BATCH = 8  # windows in one pass

LIKELY_CONFIDENCE = 0.6  # mean over joints of a proposal, with a calibration; chosen on the frames named above
LIKELY_SCORE = 0.3  # without one

# Two results are of one person if their boxes overlap this much, or if this share of the joints is at a joint of a more
# confident proposal (so that a body made of the halves of two people is not proposed).
OVERLAP, SHARED, NEAR = 0.5, 0.4, 0.1  # NEAR: distance as a share of the smaller person's extent


@dataclass(frozen=True, eq=False)
class Proposal:
    """A person who may be in a frame.

    Attributes:
        box: box of the whole person (x0, y0, x1, y1) in pixels of the frame, as :func:`dkd.trace_person` takes it.
        joints: (J, 2) float64 x, y in pixels of the frame.
        confidence: mean confidence over the joints, 0..1; the mean score, clipped, if the model has no calibration.
    """

    box: tuple[float, float, float, float]
    joints: np.ndarray
    confidence: float


@checked
def find_people(
    model: VideoPoseModel | str | os.PathLike[str],
    clip: ClipLike | str | os.PathLike[str],
    frame: int = 0,
    *,
    least: float | None = None,
    engine: str | None = None,
    cancel: Callable[[], bool] | None = None,
) -> list[Proposal]:
    """Propose the people in a frame.

    Args:
        model, clip: as for :class:`~dkd.Trace`.
        frame: frame of the clip.
        least: minimum confidence of a proposal; by default 0.6, or a score of 0.3 for a model without calibration.
        engine: as for a trace.
        cancel: called between passes; if it returns true, nobody is proposed.

    Returns:
        The proposals, the most confident first; none if there is probably nobody.

    Raises:
        FrameIndexError: there is no such frame.
        DKDError: the model or the clip cannot be used.
    """
    model = accelerate(as_model(model).eval(), engine)
    clip, opened = as_clip(clip)
    try:
        search = _Search(model, clip.frame(frame), cancel or (lambda: False))
    finally:
        if opened is not None:
            opened.clip.close()
    if least is None:
        least = LIKELY_SCORE if calibration_of(model) is None else LIKELY_CONFIDENCE
    return [one for one in search.people() if one.confidence >= least]


class _Search:
    """Search of one frame; ``image`` is (H, W, 3) uint8 RGB."""

    def __init__(self, model: VideoPoseModel, image: np.ndarray, cancel: Callable[[], bool]):
        self._model, self._image, self._cancel = model, image, cancel
        self._calibration = calibration_of(model)
        self._flip = np.array(model.skeleton.flip_permutation)

    def people(self) -> list[Proposal]:
        height, width = self._image.shape[:2]
        found = self._look(windows(width, height))
        found = sorted((one for one in found if one.confidence >= FAINT), key=_confidence)[:KEPT]
        for _ in range(ROUNDS):
            found = self._look(_distinct([one.crop for one in found if one.crop is not None]))
        kept: list[Proposal] = []
        for one in sorted(found, key=_confidence):
            box = person_box(one.joints[one.scores >= CONFIDENT])
            box = None if box is None else _clipped(box, width, height)
            if box is None or self._is_known(one.joints, box, kept):
                continue
            kept.append(Proposal(box, one.joints, one.confidence))
        return kept

    @torch.inference_mode()
    def _look(self, crops: Sequence[Crop]) -> list[_Seen]:
        size, seen = self._model.config.input_size, []
        for i in range(0, len(crops), BATCH):
            if self._cancel():
                return []
            part = crops[i : i + BATCH]
            pixels = [as_input(crop.extract(self._image, size), self._model.device) for crop in part]
            for crop, maps in zip(part, self._model.initialise(torch.cat(pixels)).float().cpu(), strict=True):
                peaks, scores = decode_peaks(maps)
                joints = crop.to_frame(peaks.numpy(), maps.shape[-1])
                box = joints_to_box(joints[scores.numpy() >= CONFIDENT])
                closer = None
                if box is not None and max(box[2] - box[0], box[3] - box[1]) >= 1:
                    closer = box_to_crop(box, JOINTS_MARGIN)
                mean = float(confidence(scores.numpy(), self._calibration).mean())
                seen.append(_Seen(joints, scores.numpy(), mean, closer))
        return seen

    def _is_known(self, joints: np.ndarray, box: tuple[float, ...], known: Sequence[Proposal]) -> bool:
        if any(overlap(box, one.box) > OVERLAP for one in known):
            return True
        extent = _extent(joints)
        shared = np.zeros(len(joints), bool)
        for one in known:
            near = NEAR * min(extent, _extent(one.joints))
            for other in (one.joints, one.joints[self._flip]):  # the sides may be swapped
                shared |= np.linalg.norm(joints - other, axis=-1) < near
        return bool(shared.mean() >= SHARED)


@dataclass(frozen=True, eq=False)
class _Seen:
    """Result of one pass: joints (J, 2) in pixels, scores (J,), mean confidence, the crop around confident joints."""

    joints: np.ndarray
    scores: np.ndarray
    confidence: float
    crop: Crop | None


def windows(width: int, height: int) -> list[Crop]:
    """Return overlapping square windows of several sizes that cover a picture; the first contains all of it."""
    found, side = [], float(max(width, height))
    while side >= SMALLEST * max(width, height):
        lefts, tops = (_places(length, side) for length in (width, height))
        found += [Crop(left, top, side) for top in tops for left in lefts]
        side /= SHRINK
    return found


def _places(length: int, side: float) -> list[float]:
    """Return the first pixels of windows along one axis: evenly from end to end, or one in the middle."""
    if length <= side:
        return [(length - side) / 2]
    return np.linspace(0, length - side, int(np.ceil((length - side) / (STRIDE * side))) + 1).tolist()


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Return intersection over union of two boxes (x0, y0, x1, y1), 0..1."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def _distinct(crops: Sequence[Crop]) -> list[Crop]:
    """Leave out crops that are nearly the same as an earlier one."""
    kept: list[Crop] = []
    for crop in crops:
        if all(overlap(_corners(crop), _corners(other)) < 0.8 for other in kept):
            kept.append(crop)
    return kept


def _corners(crop: Crop) -> tuple[float, float, float, float]:
    return crop.left, crop.top, crop.left + crop.side, crop.top + crop.side


def _clipped(box: Sequence[float], width: int, height: int) -> tuple[float, float, float, float] | None:
    """Clip a box to the picture; ``None`` if fewer than 4 pixels remain."""
    x0, y0 = max(box[0], 0.0), max(box[1], 0.0)
    x1, y1 = min(box[2], float(width)), min(box[3], float(height))
    return (float(x0), float(y0), float(x1), float(y1)) if min(x1 - x0, y1 - y0) >= 4 else None


def _extent(joints: np.ndarray) -> float:
    return float(np.ptp(joints, axis=0).max())


def _confidence(one: _Seen) -> float:
    return -one.confidence
