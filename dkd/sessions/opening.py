"""Opening of a session: find its video and model, track its people again, and apply their changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from dkd.engines.choice import accelerate, engine_of
from dkd.errors import DKDError, SessionError, StoppedError, VideoMovedError
from dkd.models.base import VideoPoseModel
from dkd.sessions.content import SavedPerson
from dkd.sessions.hashes import hash_joints, hash_video, hash_weights
from dkd.tracking.conditions import Conditions
from dkd.tracking.opening import OpenedClip, OpenedRange, as_model, as_part
from dkd.tracking.reinitialise import Reinitialise
from dkd.tracking.replay import replay
from dkd.tracking.trace import Trace
from dkd.tracking.two_way import trace_person
from dkd.video.clip import Clip
from dkd.video.folders import is_images
from dkd.video.protocols import ClipLike

if TYPE_CHECKING:
    from dkd.sessions.session import Session

Cancel = Callable[[], bool]
OnFrame = Callable[[str, int, int], object]


def open_session(
    session: Session,
    model: VideoPoseModel | str | os.PathLike[str] | None,
    video: Clip | str | os.PathLike[str] | None,
    cancel: Cancel | None,
    on_frame: OnFrame | None,
) -> tuple[dict[str, Trace], tuple[str, ...]]:
    """Return the traces of a session by name, and what differs in sentences; see :meth:`Session.open`."""
    warnings: list[str] = []
    own = None if isinstance(video, Clip) else open_video(session, video)
    clip = own if own is not None else video
    assert isinstance(clip, Clip)
    traces: dict[str, Trace] = {}
    try:
        if clip.path is not None:
            _compare_video(session, clip.path, warnings)
        loaded = as_model(session.model.name if model is None else model)
        if hash_weights(loaded) != session.model.sha256:
            warnings.append(
                f"The weights of the model {loaded.name} are not those that the session was saved with: joints differ."
            )
        part = _part(session, clip, own is not None)
        for person in session.people:
            running = _in_engine(loaded, person, warnings)
            trace = _track(session, person, running, part, traces, cancel, on_frame)
            if trace is None:  # cancelled
                break
            traces[person.name] = trace
            if person.joints is not None and not warnings and hash_joints(trace.joints) != person.joints:
                warnings.append(
                    f"The joints of {person.name} are not the same bit for bit as when the session was saved: another "
                    "machine, number of threads, or version of a library rounds in another way."
                )
    except BaseException:
        if own is not None:
            own.close()
        raise
    if own is not None and not traces:
        own.close()
    return traces, tuple(warnings)


def find_video(session: Session, moved_to: str | os.PathLike[str] | None = None) -> Path:
    """Return where a session's video is: at its path, or next to the session under the same name.

    Args:
        session: the session.
        moved_to: where it is now, if it was moved.

    Raises:
        VideoMovedError: there is nothing at these places; its ``looked`` has them.
    """
    looked = [Path(session.video.path)] if moved_to is None else [Path(moved_to)]
    if moved_to is None and session.path is not None:  # the session may have been moved together with the video
        looked.append(Path(os.path.abspath(session.path)).with_name(looked[0].name))
    looked = list(dict.fromkeys(looked))
    for place in looked:
        if place.exists() or (place.parent.is_dir() and is_images(place)):
            return place
    raise VideoMovedError(
        f"the video of the session is not at {' nor at '.join(str(place) for place in looked)}; if it was moved, say "
        "where it is: session.open(video=PATH)",
        looked,
    )


def open_video(session: Session, moved_to: str | os.PathLike[str] | None = None) -> Clip:
    """Open a session's video with the track and the rate that it was saved with; see :func:`find_video`."""
    return Clip(find_video(session, moved_to), fps=session.video.fps, track=session.video.track or None)


def _compare_video(session: Session, path: Path, warnings: list[str]) -> None:
    if hash_video(path) != session.video.sha256:
        warnings.append(
            f"{path.name} is not the video that the session was saved with, or it changed: joints may differ."
        )


def _part(session: Session, clip: Clip, owned: bool) -> ClipLike:
    if len(clip) < session.stop:
        raise SessionError(
            f"the session needs frames {session.start} to {session.stop - 1} of {clip.name}, which has {len(clip)}; "
            "give the video that it was saved with"
        )
    if not owned:
        return as_part(clip, session.start, session.stop)
    part = OpenedRange(clip, session.start, session.stop)
    part.owner = OpenedClip(clip)
    return part


def _in_engine(model: VideoPoseModel, person: SavedPerson, warnings: list[str]) -> VideoPoseModel:
    """Return the model in the engine with which a person was tracked, or in another one, which is said."""
    try:
        return accelerate(model, person.engine)
    except (DKDError, ImportError) as error:
        running = accelerate(model)
        warnings.append(
            f"{person.name} was tracked with the engine {person.engine}, which cannot be used here ({error}); now it "
            f"is {engine_of(running)}: joints may differ a little."
        )
        return running


def _track(
    session: Session,
    person: SavedPerson,
    model: VideoPoseModel,
    part: ClipLike,
    others: dict[str, Trace],
    cancel: Cancel | None,
    on_frame: OnFrame | None,
) -> Trace | None:
    """Track a person and apply the calls; ``None`` if it was cancelled."""
    total, asked = len(part), count()

    def before_frame() -> bool:
        if on_frame is not None:
            on_frame(person.name, min(next(asked), total), total)
        return cancel is not None and cancel()

    policy = Reinitialise() if person.reinitialise else None
    conditions = Conditions(reinitialise=policy, square=person.square, refine=person.refine)
    trace = trace_person(
        model, part, person.box, person.frame - session.start, conditions,
        engine=engine_of(model), progress=False, cancel=before_frame,
    )  # fmt: skip
    if not trace.complete:
        return None
    try:
        trace = replay(trace, person.calls, others, cancel=cancel)
    except StoppedError:
        return None
    return trace if trace.complete else None
