"""Tracking of labelled people of a data set: their images as a clip, the initial box, and the ground truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dkd.datasets.people import ClipFrames, PersonSequence
from dkd.models.base import VideoPoseModel
from dkd.pose.crops import person_box
from dkd.tracking.trace import Trace
from dkd.video.folders import ASSUMED_FPS
from dkd.video.images import ImageClip
from dkd.video.protocols import ClipLike


def first_box(person: PersonSequence) -> tuple[float, float, float, float]:
    """Return the initial box: the data set's, else that of the joints, enlarged to include head and feet."""
    if person.start_box is not None:
        return person.start_box
    if person.boxes is not None:
        x0, y0, x1, y1 = (float(v) for v in person.boxes[0])
        return x0, y0, x1, y1
    box = person_box(person.joints[0])
    if box is None:
        height, width = person.images[0].shape[:2]
        return 0.0, 0.0, float(width), float(height)
    return box


def person_clip(person: PersonSequence) -> ClipLike:
    """Return the person's images as a clip: the video itself if they come from one."""
    if isinstance(person.images, ClipFrames):
        return person.images.clip
    return ImageClip(person.images, person.fps or ASSUMED_FPS, person.name)


def truth_of(person: PersonSequence) -> dict[str, Any]:
    """Return options of a :class:`~dkd.tracking.trace.Trace`: the labels as ground truth, and no progress bar."""
    return {"ground_truth": person.joints, "ground_truth_kind": person.labels, "progress": False}


def follow(
    model: VideoPoseModel,
    person: PersonSequence,
    n_frames: int | None = None,
    cancel: Callable[[], bool] | None = None,
    engine: str | None = None,
) -> Trace:
    """Trace a data set's person from the box in the first frame, with the labels as ground truth."""
    clip, box = person_clip(person), first_box(person)
    return Trace(model, clip, box, **truth_of(person), stop=n_frames, cancel=cancel, engine=engine)
