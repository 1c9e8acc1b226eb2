"""``PoseTrack``: the joints of one or more people over the frames of a video, whichever tool found them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dkd.errors import ConfigError, ShapeError, checked, nearest_name
from dkd.formats.rates import rate_of
from dkd.pose.labels import as_joints, as_numbers
from dkd.pose.skeleton import Skeleton

if TYPE_CHECKING:
    from dkd.tracking.protocols import TraceLike

PERSON = "person"  # name of the only person of a track


@checked
@dataclass(frozen=True, eq=False)
class PoseTrack:
    """Joints of P people in T frames: what all pose formats have in common.

    Arrays are checked, copied and made read-only. ``xy`` and ``scores`` keep their floating-point type.

    Attributes:
        xy: (T, P, J, 2) pixels of the frame, origin at the centre of the top-left pixel; NaN where a joint is missing.
        scores: (T, P, J), the tool's own score, as a rule 0..1; NaN where unknown.
        skeleton: joint names, in the order of the axis J, and limbs.
        frames: (T,) int64 numbers of the frames in the video, counted from 0, increasing.
        times: (T,) seconds from the start of the video; all NaN if the tool's file does not say.
        people: P names, all different.
        fps: frames per second if the rate is constant; ``None`` if it varies or is unknown.
        size: (width, height) of the frame in pixels, or ``None``.
        source: path or name of the video, or ``None``.
        software: name of the model or tool, or ``None``.
        confidence: (T, P, J) calibrated probability that a joint was found, or ``None``.
        notes: sentences about what a reader did not find, or what does not fit the video.

    Raises:
        ShapeError: an array has another shape, type or range; frames do not increase.
        ConfigError: names are empty, repeated, or contain control characters; the rate or size is not positive.
    """

    xy: np.ndarray
    scores: np.ndarray
    skeleton: Skeleton
    frames: np.ndarray
    times: np.ndarray
    people: tuple[str, ...] = (PERSON,)
    fps: float | None = None
    size: tuple[int, int] | None = None
    source: str | None = None
    software: str | None = None
    confidence: np.ndarray | None = None
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        xy = as_joints(self.xy, ("T", "P", len(self.skeleton), 2), "xy", None)
        shape = xy.shape[:3]
        scores = as_numbers(self.scores, shape, "scores", None)
        times = as_numbers(self.times, shape[:1], "times")
        frames = _frames(self.frames, shape[0])
        if not shape[0]:
            raise ShapeError("expected at least one frame, got none")
        unknown = np.isnan(times)
        if np.isinf(times).any() or (unknown.any() and not unknown.all()) or (np.diff(times) < 0).any():
            raise ShapeError("expected times in seconds that never decrease, or NaN in all frames if they are unknown")
        sure = None if self.confidence is None else as_numbers(self.confidence, shape, "confidence", None)
        people = tuple(str(name) for name in self.people)
        _check_names("people", people, shape[1])
        _check_names("joints", self.skeleton.joints, shape[2])
        if self.fps is not None and not (np.isfinite(self.fps) and self.fps > 0):
            raise ConfigError(f"expected fps above 0, or None if the rate is unknown or varies, got {self.fps}")
        if self.size is not None and not (len(self.size) == 2 and min(self.size) > 0):
            raise ConfigError(f"expected size as (width, height) in pixels, got {self.size}")
        values: dict[str, Any] = {
            "xy": xy, "scores": scores, "times": times, "frames": frames, "confidence": sure, "people": people,
            "fps": None if self.fps is None else float(self.fps), "notes": tuple(self.notes),
            "size": None if self.size is None else (int(self.size[0]), int(self.size[1])),
        }  # fmt: skip
        for name, value in values.items():
            object.__setattr__(self, name, _read_only(value) if isinstance(value, np.ndarray) else value)

    # --- making one ---------------------------------------------------------------------------------------------------

    @classmethod
    def from_trace(cls, trace: TraceLike, person: str = PERSON) -> PoseTrack:
        """Take the joints of a trace; frames and times are those of the video, also for a part of a clip.

        Raises:
            ShapeError: the trace has no frames.
        """
        clip: Any = trace.clip
        first, start_s = 0, 0.0
        while hasattr(clip, "clip") and hasattr(clip, "start"):  # a ClipRange
            first, start_s, clip = first + clip.start, start_s + float(clip.clip.times[clip.start]), clip.clip
        n = len(trace)
        joints, scores = np.asarray(trace.joints)[:n, None], np.asarray(trace.scores)[:n, None]
        sure = np.asarray(trace.confidence)[:n, None] if trace.calibrated else None
        times = np.asarray(trace.times, np.float64)[:n]
        path = getattr(clip, "path", None)
        return cls(
            joints, scores, trace.skeleton, first + np.arange(n), times + start_s if first else times, (person,),
            clip.fps, (clip.width, clip.height), str(path or clip.name), made_by(trace), sure,
        )  # fmt: skip

    @classmethod
    def from_traces(cls, traces: Mapping[str, TraceLike] | Sequence[TraceLike]) -> PoseTrack:
        """Take the joints of several people's traces of one video; NaN in frames that a trace does not have.

        Args:
            traces: traces by the names of the people; or a sequence, whose people are called ``person_1``, ….

        Raises:
            ConfigError: there is none, or they are of different videos, models or skeletons.
        """
        if not isinstance(traces, Mapping):
            traces = {f"{PERSON}_{i + 1}" if len(traces) > 1 else PERSON: one for i, one in enumerate(traces)}
        return join([cls.from_trace(trace, str(name)) for name, trace in traces.items()])

    # --- parts and views ----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Return the number of frames T."""
        return len(self.frames)

    @property
    def joints(self) -> tuple[str, ...]:
        """Names of the joints."""
        return self.skeleton.joints

    @property
    def missing(self) -> np.ndarray:
        """(T, P, J) bool: where a joint is missing."""
        return np.isnan(self.xy[..., 0])

    def person(self, name: str) -> PoseTrack:
        """Return the track of one person.

        Raises:
            ConfigError: nobody has this name; the nearest one is given.
        """
        if name not in self.people:
            raise ConfigError(f"nobody is called {name!r}{nearest_name(name, self.people)} There are: {self.people}.")
        p = self.people.index(name)
        sure = None if self.confidence is None else self.confidence[:, p : p + 1]
        return replace(
            self, xy=self.xy[:, p : p + 1], scores=self.scores[:, p : p + 1], people=(name,), confidence=sure
        )

    def timed(self, fps: float) -> PoseTrack:
        """Return the track with the times of a constant rate: frame / fps.

        Raises:
            ConfigError: the rate is not a positive number.
        """
        if isinstance(fps, str) or not 0 < fps < np.inf:
            raise ConfigError(f"expected fps above 0, the video's rate, got {fps!r}")
        return replace(self, times=self.frames / fps, fps=fps)

    @property
    def rate(self) -> float | None:
        """:attr:`fps`; else the mean rate of the frames, or ``None`` if times are unknown."""
        if self.fps is not None:
            return self.fps
        found = rate_of(self.frames, self.times)
        if found is not None or len(self) < 2 or not self.times[-1] > self.times[0]:
            return found
        return float((self.frames[-1] - self.frames[0]) / (self.times[-1] - self.times[0]))

    @property
    def dense_from_zero(self) -> np.ndarray:
        """(T,) rows of a table that has one row per frame of the video from frame 0: the frame numbers, checked.

        Raises:
            ConfigError: such a table would be more than 100 times longer than the track.
        """
        rows = int(self.frames[-1]) + 1
        if rows > 100 * len(self) + 1_000_000:
            raise ConfigError(
                f"this format has one row per frame from frame 0 on: {rows} rows for {len(self)} frames; choose another"
            )
        return self.frames

    def __repr__(self) -> str:
        rate = f"{self.fps:.6g} fps" if self.fps else "rate unknown" if np.isnan(self.times[0]) else "variable rate"
        lines = [
            f"<PoseTrack: {len(self)} frames {self.frames[0]}..{self.frames[-1]}, {len(self.people)} people, "
            f"{len(self.joints)} joints, {rate}>",
            *self.notes,
        ]
        return "\n".join(lines)


def join(tracks: Sequence[PoseTrack]) -> PoseTrack:
    """Join the people of several tracks of one video; a frame that a track does not have is NaN for its people.

    Raises:
        ConfigError: there is none, they differ in skeleton, rate, size or video, or two people have the same name.
    """
    if not tracks:
        raise ConfigError("expected at least one trace or track, got none")
    first = tracks[0]
    for other in tracks[1:]:
        for what, a, b in (
            ("joints", first.joints, other.joints), ("rate", first.fps, other.fps), ("size", first.size, other.size),
            ("video", first.source, other.source),
        ):  # fmt: skip
            if a != b:
                raise ConfigError(f"expected people of one video in one file, but their {what} differ: {a} and {b}")
    if len(tracks) == 1:
        return first
    frames = np.unique(np.concatenate([track.frames for track in tracks]))
    times = np.full(len(frames), np.nan)
    parts: dict[str, list[np.ndarray]] = {"xy": [], "scores": [], "confidence": []}
    for track in tracks:
        at = np.searchsorted(frames, track.frames)
        times[at] = track.times
        for name, found in parts.items():
            values = getattr(track, name)
            if values is None:
                continue
            padded = np.full((len(frames), *values.shape[1:]), np.nan, values.dtype)
            padded[at] = values
            found.append(padded)
    sure = np.concatenate(parts["confidence"], 1) if len(parts["confidence"]) == len(tracks) else None
    names = {track.software for track in tracks}
    return replace(
        first, xy=np.concatenate(parts["xy"], 1), scores=np.concatenate(parts["scores"], 1), confidence=sure,
        frames=frames, times=times, people=tuple(name for track in tracks for name in track.people),
        software=first.software if len(names) == 1 else None,
        notes=tuple(dict.fromkeys(note for track in tracks for note in track.notes)),
    )  # fmt: skip


def made_by(trace: TraceLike) -> str:
    """Return the name of what made a trace's joints: the model, with ``+refined`` if its initializer refined them."""
    name = trace.model_name
    return name if not trace.conditions.refine or "refined" in name.split("+") else f"{name}+refined"


def as_track(given: Any) -> PoseTrack:
    """Convert a track, a trace, several traces (by name, in a sequence, or in ``traces``), or a session to a track.

    Raises:
        ConfigError: it is something else.
    """
    if isinstance(given, PoseTrack):
        return given
    if hasattr(given, "heatmaps") and hasattr(given, "joints"):
        return PoseTrack.from_trace(given)
    if isinstance(given, Mapping) or (isinstance(given, Sequence) and not isinstance(given, str)):
        many: Any = given
        if many and all(isinstance(one, PoseTrack) for one in (many.values() if isinstance(many, Mapping) else many)):
            return join(list(many.values() if isinstance(many, Mapping) else many))
        return PoseTrack.from_traces(many)
    if (traces := traces_in(given)) is not given:
        return as_track(traces)
    raise ConfigError(
        f"expected a Trace, several traces by name, a Session, or a PoseTrack, got {type(given).__name__}; "
        "dkd.load_poses(path) reads a file"
    )


def traces_in(given: Any) -> Any:
    """Return the traces of a studio, or of a session, whose people are tracked again; anything else unchanged."""
    if isinstance(given, PoseTrack) or hasattr(given, "heatmaps"):
        return given
    if hasattr(given, "traces"):
        return given.traces
    return given.open() if hasattr(given, "open") and hasattr(given, "people") else given


def _read_only(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


def _frames(values: Any, n: int) -> np.ndarray:
    frames = as_numbers(values, (n,), "frames")
    whole = frames.astype(np.int64)
    if (whole != frames).any() or (whole < 0).any() or (np.diff(whole) <= 0).any():
        raise ShapeError("expected frames as whole numbers from 0 on that increase")
    return whole


def _check_names(what: str, names: Sequence[str], n: int) -> None:
    if len(names) != n:
        raise ConfigError(f"expected {n} names of {what}, got {len(names)}: {', '.join(names)}")
    for name in names:
        if not name.strip() or name != name.strip() or not name.isprintable():
            raise ConfigError(f"expected names of {what} that can be printed, without space around them, got {name!r}")
    if len(set(names)) != len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise ConfigError(f"expected {what} of different names, but {twice!r} is there twice; rename one")
