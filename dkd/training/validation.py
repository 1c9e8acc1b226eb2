"""How good is a model that is being trained? Whole clips of people it has not seen, followed as a user would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dkd.analysis.reliance import hands_on, one_step_reliance
from dkd.datasets.people import ClipFrames, PersonSequence
from dkd.measures.metrics import acceleration_errors, pck_counts
from dkd.models.base import VideoPoseModel
from dkd.pose.crops import joints_to_box
from dkd.tracking.trace import BOX_MARGIN, JOINTS_MARGIN, Trace
from dkd.video.images import ImageClip

if TYPE_CHECKING:
    from dkd.video.clip import Clip

ASSUMED_FPS = 25.0  # of image sequences whose data set does not say
MEASURES = ("pck@0.2", "pck@0.1", "pck@0.05", "acceleration", "reliance")
_RELIANCE_EVERY = 12  # frames


def first_box(person: PersonSequence) -> tuple[float, float, float, float]:
    """The box that tracking starts from: the data set's, else the joints' own, larger by what head and feet add."""
    if person.start_box is not None:
        return person.start_box
    if person.boxes is not None:
        x0, y0, x1, y1 = (float(v) for v in person.boxes[0])
        return x0, y0, x1, y1
    box = joints_to_box(person.joints[0])
    if box is None:
        height, width = person.images[0].shape[:2]
        return 0.0, 0.0, float(width), float(height)
    grow = (JOINTS_MARGIN / BOX_MARGIN - 1) / 2 * max(box[2] - box[0], box[3] - box[1])
    return box[0] - grow, box[1] - grow, box[2] + grow, box[3] + grow


def person_clip(person: PersonSequence) -> Clip:
    """The person's images as a clip: the video itself, where they come from one."""
    if isinstance(person.images, ClipFrames):
        return person.images.clip
    clip = ImageClip(person.images, person.fps or ASSUMED_FPS, person.name)
    return clip  # type: ignore[return-value]  # all that traces and widgets use of one


def truth_of(person: PersonSequence) -> dict[str, Any]:
    """What a :class:`~dkd.tracking.trace.Trace` is told of the labels; and that no bar is wanted, where many are made."""
    return {"ground_truth": person.joints, "ground_truth_kind": person.labels, "progress": False}


def follow(
    model: VideoPoseModel,
    person: PersonSequence,
    n_frames: int | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Trace:
    """A trace of a data set's person, with the labels as its truth, from the box in the first frame on."""
    return Trace(model, person_clip(person), first_box(person), **truth_of(person), stop=n_frames, cancel=cancel)


def validate(
    model: VideoPoseModel,
    people: Sequence[PersonSequence],
    n_frames: int | None = None,
    cancel: Callable[[], bool] | None = None,
) -> dict[str, float]:
    """Follow people through whole clips, recursively from the first frame, without re-initialisation.

    Args:
        model: is put into eval mode for it, and back.
        people: sequences with labels, of the model's joint set. Joints that are marked as hidden are not counted, as in
            Penn Action's protocol.
        n_frames: of each, the first ones; all by default.
        cancel: called before each frame; once it is true, what was seen until then is measured.

    Returns:
        ``pck@0.2``, ``pck@0.1``, ``pck@0.05``: share of labelled joints within that part of the larger side of the
        person's box, pooled over all; ``acceleration``: mean error of the joints' acceleration, in % of that side a
        frame²; ``reliance``: how far the next maps move when H_t is erased, ‖H′ − H‖ / ‖H‖, NaN for a model that
        looks at each frame on its own. All are NaN where nothing could be measured.
    """
    hits = np.zeros((3, 2))
    accelerations: list[np.ndarray] = []
    reliance: list[float] = []
    training = model.training
    try:
        for person in people:
            trace = follow(model, person, n_frames, cancel)
            n = len(trace)
            if not n:
                break
            side = np.array([person.extent(t) for t in range(n)])
            truth = person.joints[:n].copy()
            if person.visible is not None:  # Penn Action's protocol: what is hidden is not counted
                truth[~person.visible[:n]] = np.nan
            for row, alpha in zip(hits, (0.2, 0.1, 0.05), strict=True):
                row += pck_counts(trace.joints, truth, side, alpha)
            accelerations.append(acceleration_errors(trace.joints, truth, side))
            if n > 1 and hands_on(model):
                reliance.append(float(one_step_reliance(trace, _RELIANCE_EVERY).loc["erased", "map_change"]))
            trace.close()
    finally:
        model.train(training)
    pooled = np.concatenate(accelerations) if accelerations else np.zeros(0)
    with np.errstate(invalid="ignore"):
        scores = hits[:, 0] / hits[:, 1]
    values = (*scores, 100 * pooled.mean() if pooled.size else np.nan, np.mean(reliance) if reliance else np.nan)
    return {name: float(value) for name, value in zip(MEASURES, values, strict=True)}
