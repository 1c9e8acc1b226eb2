"""Tracking of a labelled person with a method: predictions and labels, one row per joint per frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

import numpy as np
import pandas as pd

from dkd.datasets.people import PersonSequence
from dkd.errors import checked
from dkd.evaluation.methods import Method
from dkd.evaluation.protocols import box_areas, normaliser, torso_lengths
from dkd.evaluation.tracks import TrackMethod
from dkd.formats.as_trace import TrackTrace
from dkd.tracking.people import first_box, person_clip, truth_of
from dkd.tracking.trace import Trace

TEXT = ("model", "data", "video", "action", "joint", "labels", "skeleton")  # columns that are categories


@overload
def follow_person(
    method: Method, person: PersonSequence, n_frames: int | None = None, cancel: Callable[[], bool] | None = None
) -> Trace: ...
@overload
def follow_person(
    method: Method | TrackMethod,
    person: PersonSequence,
    n_frames: int | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Trace | TrackTrace: ...
@checked
def follow_person(
    method: Method | TrackMethod,
    person: PersonSequence,
    n_frames: int | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Trace | TrackTrace:
    """Trace a labelled person with a method, as evaluation does; the labels are its ground truth.

    Pose files of another tool are read instead: their track is lined up with the person's video.
    """
    options: dict[str, Any] = {**truth_of(person), "stop": n_frames, "cancel": cancel}
    if isinstance(method, TrackMethod):
        options["skeleton"] = person.skeleton
    return method.trace(person_clip(person), first_box(person), **options)


def measure_person(
    method: Method | TrackMethod,
    data: str,
    person: PersonSequence,
    n_frames: int | None = None,
    cancel: Callable[[], bool] | None = None,
) -> pd.DataFrame | None:
    """Measure one method on one video, one row per joint per frame; ``None`` if ``cancel`` stopped it.

    Returns:
        ``model, data, video, action, frame, time_s, joint``; ``x, y`` (px) and ``score`` (the peak's height);
        ``true_x, true_y`` (px, NaN where not labelled); ``visible``: labelled and not hidden; ``box_side`` (px) and
        ``box_area`` (px²) of the labelled person, ``torso`` (px), NaN if unknown; ``in_crop``: whether the true joint
        was in the network's square; ``kernel_drift`` of the frame, NaN without kernels; ``labels``: their description;
        ``skeleton``.
    """
    trace = follow_person(method, person, n_frames, cancel)
    try:
        if not trace.complete:
            return None
        return _rows(trace, method.name, data, person)
    finally:
        trace.close()


def _rows(trace: Trace | TrackTrace, name: str, data: str, person: PersonSequence) -> pd.DataFrame:
    n, skeleton = len(trace), trace.skeleton
    truth = person.joints[:n]
    labelled = np.isfinite(truth).all(-1)
    visible = labelled if person.visible is None else labelled & person.visible[:n]
    if isinstance(trace, Trace):
        size = trace.model.config.input_size
        inside = np.stack([crop.to_grid(joints, size) for crop, joints in zip(trace.crops, truth, strict=True)])
        in_crop = ((inside > -0.5) & (inside < size - 0.5)).all(-1)
    else:
        in_crop = np.ones(truth.shape[:2], bool)  # a track of another tool has no square
    drift = trace.kernel_drift() if trace.kernels.size else np.full(n, np.nan)

    def each_frame(values: Any) -> np.ndarray:
        return np.repeat(np.asarray(values, np.float32), len(skeleton))

    table = trace.to_frame()
    table["frame"] = table["frame"].astype(np.int32)
    table = table.assign(
        true_x=truth[..., 0].ravel(),
        true_y=truth[..., 1].ravel(),
        visible=visible.ravel(),
        box_side=each_frame(normaliser(person)[:n]),
        box_area=each_frame(box_areas(person)[:n]),
        torso=each_frame(torso_lengths(truth, trace.joints, skeleton)),
        in_crop=in_crop.ravel(),
        kernel_drift=each_frame(drift),
    )
    for column, value in {"action": person.action or "", "video": person.name, "data": data, "model": name}.items():
        table.insert(0, column, value)
    return table.assign(labels=person.labels, skeleton=skeleton.name).astype(dict.fromkeys(TEXT, "category"))
