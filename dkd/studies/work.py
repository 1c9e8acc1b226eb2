"""The work on one row of a study: trace the person, measure the track, write the joints."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import dkd
from dkd.analysis.diagnosis import diagnose
from dkd.analysis.moments import worst
from dkd.analysis.trust import trust
from dkd.engines.choice import accelerate, engine_of
from dkd.errors import DKDError
from dkd.formats.files import export
from dkd.models.base import VideoPoseModel
from dkd.models.checkpoints import load_model
from dkd.sessions.hashes import hash_video
from dkd.studies.rows import Row
from dkd.studies.settings import StudySettings
from dkd.studies.store import Store
from dkd.tracking.conditions import Conditions
from dkd.tracking.reinitialise import Reinitialise, mean_confidence
from dkd.tracking.tables import joints_table
from dkd.tracking.two_way import trace_person
from dkd.video.folders import is_images
from dkd.video.protocols import mean_rate, warnings_about
from dkd.video.ranges import ClipRange

if TYPE_CHECKING:
    from dkd.tracking.trace import Trace


def open_model(settings: StudySettings) -> VideoPoseModel:
    """Return the model of a study in its engine.

    Raises:
        DKDError: as of :func:`dkd.load_model` and :func:`dkd.engines.choice.accelerate`.
    """
    path = settings.checkpoint()
    model = load_model(path if Path(settings.model) == path else settings.model)
    return accelerate(model.eval(), None if settings.engine == "auto" else settings.engine)


def trace_row(
    model: VideoPoseModel,
    row: Row,
    video: Path,
    settings: StudySettings,
    *,
    progress: bool = False,
    cancel: Callable[[], bool] | None = None,
) -> Trace:
    """Trace the person of a row. The video is closed with the trace.

    Args:
        model: from :func:`open_model`.
        row, video, settings: the row, the path of its video, and the settings of the study.
        progress: whether to show a progress bar.
        cancel: called before each frame; if it returns true, the trace stops there.

    Raises:
        DKDError: as of :func:`dkd.trace_person`.
    """
    policy = Reinitialise() if settings.reinitialise else None
    conditions = Conditions(square=settings.square, reinitialise=policy, refine=settings.refine)
    at = row.start if row.frame is None else row.frame
    return trace_person(
        model, video, row.box, at, conditions, start=row.start, stop=row.stop, progress=progress, cancel=cancel
    )


def do_row(
    model: VideoPoseModel,
    row: Row,
    video: Path,
    settings: StudySettings,
    store: Store,
    facts: Mapping[str, Any],
    notify: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Trace, measure and store a row.

    Args:
        model: from :func:`open_model`.
        row: the row.
        video: path of its video.
        settings: settings of the study.
        store: where the results go.
        facts: values of the table of clips that are known already: ``key``, ``model_sha256``, ``attempts``.
        notify: called before each frame.

    Returns:
        The row of the table of clips (:data:`dkd.studies.store.CLIP_COLUMNS`). If a frame cannot be read, its status
        is ``partial``: the frames before it are stored, and ``error`` says why there are no more.

    Raises:
        DKDError: the video, the box or the model cannot be used, or a file cannot be written. Nothing is stored then.
    """

    def go_on() -> bool:
        notify()
        return False

    began = time.perf_counter()
    state, digest = file_state(video), hash_video(video)
    status, problem = "done", None
    try:
        trace = trace_row(model, row, video, settings, cancel=go_on)
    except DKDError as error:
        partial: Trace | None = getattr(error, "trace", None)
        if partial is None or not len(partial):
            raise
        trace, status, problem = partial, "partial", f"{type(error).__name__}: {error}"
    with trace:
        clip = trace.clip.clip if isinstance(trace.clip, ClipRange) else trace.clip
        table = joints_table(trace, row.start, float(clip.times[row.start]))
        table.insert(0, "person", row.person)
        table.insert(0, "video", row.video)
        for ending in settings.export:
            with store.exporting(f"{row.name}{ending}") as file:
                export(trace, file)
        warnings = [str(one) for one in warnings_about(clip)]
        found = {
            "name": row.name, "video": row.video, "person": row.person, **row.groups, "status": status,
            "error": problem, "fps": mean_rate(clip), "width": clip.width, "height": clip.height,
            **measure(trace, row.start), "warnings": len(warnings), "warning": " ".join(warnings) or None,
            "engine": engine_of(model), "refined": settings.refine,
            "video_sha256": digest, **state, "version": dkd.__version__, **facts,
            "seconds": time.perf_counter() - began, "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        }  # fmt: skip
    store.write_part(store.part(row.name, row.groups), table, found)
    return found


def measure(trace: Trace, first: int) -> dict[str, Any]:
    """Return what the table of clips says of a track; frames are counted as in the video.

    Args:
        trace: the trace.
        first: number of its first frame in the video.
    """
    judged = trust(trace, first)
    means = mean_confidence(np.asarray(trace.confidence, np.float64), np.asarray(trace.hidden))
    diagnosis = diagnose(trace)
    moments = worst(diagnosis, n=None)
    reasons = Counter(one.reason for one in moments)
    drift = diagnosis.lanes.get("kernel_drift", np.empty(0))
    at_worst = moments[0] if moments else None
    x0, y0, x1, y1 = box_of(trace)
    return {
        "frames": len(trace), "first": first, "verdict": judged.verdict, "confidence": judged.confidence,
        "lowest_confidence": float(means.min()), "lost_frames": judged.n_lost,
        "strange_frames": int(trace.strange.sum()),
        "jumps": reasons["jump"], "flips": reasons["flip"], "drifts": reasons["drift"],
        "kernel_drift": float(np.nanmedian(drift)) if np.isfinite(drift).any() else None,
        "worst_frame": None if at_worst is None else at_worst.frame + first,
        "worst_reason": None if at_worst is None else at_worst.reason,
        "worst_severity": None if at_worst is None else float(at_worst.severity),
        "x0": x0, "y0": y0, "x1": x1, "y1": y1,
    }  # fmt: skip


def box_of(trace: Trace) -> tuple[float, float, float, float]:
    """Return the box that starts a trace: as given, else the square in which the person was found."""
    if trace.box is not None:
        x0, y0, x1, y1 = (float(edge) for edge in trace.box)
        return x0, y0, x1, y1
    crop = trace.crops[trace.origin]
    return float(crop.left), float(crop.top), float(crop.left + crop.side), float(crop.top + crop.side)


def file_state(video: Path) -> dict[str, int | None]:
    """Return size and time of change of a video, by which a later run sees that it did not change.

    A folder of images has none: its content is compared.
    """
    if is_images(video):
        return {"video_bytes": None, "video_mtime_ns": None}
    try:
        found = video.stat()
    except OSError:
        return {"video_bytes": None, "video_mtime_ns": None}
    return {"video_bytes": found.st_size, "video_mtime_ns": found.st_mtime_ns}
