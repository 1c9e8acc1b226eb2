"""A track as a trace: what views and analyses need of one, without a model, maps or kernels."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dkd.errors import ConfigError, FrameIndexError, checked
from dkd.formats.names import plain_name, to_skeleton
from dkd.formats.track import PoseTrack
from dkd.pose.crops import Crop
from dkd.pose.skeleton import Skeleton, get_skeleton
from dkd.tracking.conditions import Conditions
from dkd.tracking.protocols import TraceLike
from dkd.tracking.reinitialise import Reinitialise, Reinitialised
from dkd.video.clip import Clip
from dkd.video.protocols import ClipLike

if TYPE_CHECKING:
    import pandas as pd

_GREY = 128  # of a picture that there is no video for


@checked
def as_trace(
    track: PoseTrack,
    on: TraceLike | ClipLike | str | os.PathLike[str] | None = None,
    *,
    person: str | None = None,
    skeleton: str | Skeleton | None = None,
) -> TrackTrace:
    """Return one person's track in the form of a trace, with one row per frame of a clip.

    ::

        CoherenceDebugger(as_trace(load_poses("theirs.h5"), "clip.mp4"))
        Trace(model, clip, ground_truth=as_trace(track, clip, skeleton="penn_action").joints)

    Args:
        track: the track.
        on: a trace to compare with, whose clip and joints are used; or a clip, or the path of a video. By default the
            frames from the track's first to its last, in front of grey.
        person: name of the person; needed if there are several.
        skeleton: joints, found by name; by default the trace's, else the track's. Joints whose side is recognised are
            called ``left_wrist``, as everywhere here, so that swapped sides are found.

    Returns:
        The trace; joints are NaN in frames that the track does not have, and where it has no such joint.

    Raises:
        ConfigError: there are several people and none is named, or a name is unknown.
        VideoError: the video cannot be opened.
    """
    if person is None and len(track.people) > 1:
        raise ConfigError(f"expected the name of one person, person=…, of {', '.join(track.people)}")
    track = track.person(person or track.people[0])
    opened = Clip(on) if isinstance(on, str | os.PathLike) else None
    n_frames: int | None = None
    clip: Any = opened if opened is not None else on
    if clip is not None and hasattr(clip, "heatmaps"):
        skeleton = clip.skeleton if skeleton is None else skeleton
        n_frames, clip = len(clip), clip.clip
    track = _own_names(track) if skeleton is None else to_skeleton(track, get_skeleton(skeleton))
    return TrackTrace(track, clip, n_frames, opened)


def _own_names(track: PoseTrack) -> PoseTrack:
    """Call joints as everywhere here, unless two would have the same name, or one would have none."""
    names = tuple(plain_name(name) for name in track.joints)
    if len(set(names)) < len(names) or "" in names or names == track.joints:
        return track
    renamed = dict(zip(track.joints, names, strict=True))
    limbs = tuple((renamed[a], renamed[b]) for a, b in track.skeleton.limbs)
    return replace(track, skeleton=Skeleton(track.skeleton.name, names, limbs))


class BlankClip:
    """Grey pictures with the times of a track, for a track without its video.

    Args:
        n_frames: number of frames T.
        times: (T,) seconds.
        fps: rate, or ``None``.
        size: (width, height) in pixels.
        name: name in titles.
    """

    backend = "none"

    def __init__(self, n_frames: int, times: np.ndarray, fps: float | None, size: tuple[int, int], name: str):
        self.times, self.fps, self.name = times, fps, name
        self.width, self.height = size
        self._n_frames = n_frames

    def __len__(self) -> int:
        return self._n_frames

    def frame(self, t: int) -> np.ndarray:
        """Return a grey picture (H, W, 3) uint8."""
        if not 0 <= t < len(self):
            raise FrameIndexError(f"expected a frame from 0 to {len(self) - 1}, got {t}")
        return np.full((self.height, self.width, 3), _GREY, np.uint8)


def _blank(track: PoseTrack) -> BlankClip:
    first, last = int(track.frames[0]), int(track.frames[-1])
    if last - first > 100 * len(track) + 10_000:
        raise ConfigError(f"the track has {len(track)} frames of {last - first + 1}; give its video")
    numbers = np.arange(first, last + 1)
    if np.isnan(track.times[0]):
        times, fps = (numbers - first) / 30.0, None
    else:
        times, fps = np.interp(numbers, track.frames, track.times), track.fps
        times = times - times[0]
    corner = np.nanmax(track.xy.reshape(-1, 2), 0) if (~track.missing).any() else np.array([1.0, 1.0])
    size = track.size or (int(max(corner[0], 1)) + 2, int(max(corner[1], 1)) + 2)
    return BlankClip(len(numbers), times, fps, size, os.path.basename(track.source or "") or "no video")


@checked
class TrackTrace:
    """A track with the interface of a trace (:class:`dkd.tracking.protocols.TraceLike`); see :func:`as_trace`.

    There are no kernels (C = 0), the maps have a single cell of value 0, and the network's square is the picture.

    Args:
        track: the track of one person.
        clip: the clip; ``None``: grey pictures.
        n_frames: number of frames T; by default those of the clip.
        opened: a clip to close with this trace.

    Attributes:
        notes: what the track lacks.
        is_track: true, unlike a run of a model; views draw its joints hollow.
    """

    is_track = True
    origin, complete, calibration = 0, True, None
    conditions = Conditions()
    ground_truth: np.ndarray | None = None
    ground_truth_kind = ""
    reinitialised: Sequence[Reinitialised] = ()

    def __init__(
        self,
        track: PoseTrack,
        clip: ClipLike | None = None,
        n_frames: int | None = None,
        opened: Clip | None = None,
    ):
        self.clip: ClipLike = clip if clip is not None else _blank(track)
        self.skeleton, self.model_name, self.notes = track.skeleton, track.software or "track", track.notes
        self._opened = opened
        first = 0 if clip is not None else int(track.frames[0])
        inner: Any = clip
        while hasattr(inner, "clip") and hasattr(inner, "start"):  # a ClipRange
            first, inner = first + inner.start, inner.clip
        n = len(self.clip) if n_frames is None else n_frames
        rows = track.frames - first
        inside = (rows >= 0) & (rows < n)
        n_joints = len(self.skeleton)
        self.joints = np.full((n, n_joints, 2), np.nan, np.float32)
        self.scores = np.full((n, n_joints), np.nan, np.float32)
        self.joints[rows[inside]] = track.xy[inside, 0]
        self.scores[rows[inside]] = track.scores[inside, 0]
        self.calibrated = track.confidence is not None
        self.confidence = np.clip(self.scores, 0, 1)
        if track.confidence is not None:
            self.confidence = np.full_like(self.scores, np.nan)
            self.confidence[rows[inside]] = track.confidence[inside, 0]
        self.predicted_joints = self.joints
        self.corrected, self.hidden = np.zeros((2, n, n_joints), bool)
        self.strange = np.zeros(n, bool)  # nobody looked
        self.times = np.asarray(self.clip.times)[:n]
        side = float(max(self.clip.width, self.clip.height))
        self.crops = [Crop(0.0, 0.0, side)] * n
        self.heatmaps = np.broadcast_to(np.float32(0), (n, n_joints, 1, 1))
        self.kernels = np.zeros((n, 0, 1, 1), np.float32)
        self.readout, self.bias = np.zeros((n_joints, 0), np.float32), np.zeros(n_joints, np.float32)

    def __len__(self) -> int:
        return len(self.joints)

    def measured(self, name: str, truth: np.ndarray | None, kind: str, stop: int | None) -> TrackTrace:
        """Return this track under a name, up to frame ``stop``, with ground truth (T, J, 2)."""
        made = copy.copy(self)
        n = len(self) if stop is None else min(stop, len(self))
        made.model_name = name
        for each in (
            "joints", "predicted_joints", "scores", "confidence", "corrected", "hidden", "strange", "times", "crops",
        ):  # fmt: skip
            setattr(made, each, getattr(self, each)[:n])
        made.heatmaps, made.kernels = self.heatmaps[:n], self.kernels[:n]
        made.ground_truth, made.ground_truth_kind = None if truth is None else truth[:n], kind
        return made

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy table with one row per joint per frame: ``frame, time_s, joint, x, y, score``."""
        import pandas as pd

        n, names = len(self), self.skeleton.joints
        return pd.DataFrame(
            {
                "frame": np.repeat(np.arange(n), len(names)),
                "time_s": np.repeat(self.times, len(names)),
                "joint": np.tile(np.array(names), n),
                "x": self.joints[..., 0].ravel(),
                "y": self.joints[..., 1].ravel(),
                "score": self.scores.ravel(),
            }
        )

    def from_initializer(self, t: int) -> bool:
        """Whether frame t is the first: a track is not re-initialised, as far as we know."""
        return t == 0

    def previous(self, t: int) -> int | None:
        """``None``: no frame is matched with another."""
        return None

    def speed(self) -> np.ndarray:
        """Compute the speed (T, J) from the previous frame in pixels per second; 0 in frame 0, NaN where unknown."""
        out = np.zeros(self.scores.shape, np.float32)
        if len(self) > 1:
            step = np.linalg.norm(np.diff(self.joints, axis=0), axis=-1)
            out[1:] = step / np.maximum(np.diff(self.times), 1e-6)[:, None]
        return out

    def kernel_drift(self) -> np.ndarray:
        """Return zeros (T,): there are no kernels."""
        return np.zeros(len(self), np.float32)

    def picture(self, t: int) -> np.ndarray:
        """Return the clip's frame t, (H, W, 3) uint8 RGB."""
        return self.clip.frame(t)

    def network_pixels(self, t: int) -> np.ndarray:
        """Return the frame: no network has seen it."""
        return self.picture(t)

    def projected(self, t: int) -> np.ndarray:
        raise ConfigError("a track of another tool has no features: trace the clip with a model to see them")

    def effective_kernel(self, t: int, joint: str | int) -> np.ndarray:
        raise ConfigError("a track of another tool has no kernels: trace the clip with a model to see them")

    contributions = effective_kernel

    def would_change(self, reinitialise: Reinitialise | None, refine: bool | None = None) -> bool:
        """``False``: a track of another tool cannot be run again."""
        return False

    def retrace(
        self,
        reinitialise: Reinitialise | None,
        *,
        refine: bool | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> TrackTrace:
        """Return this track: it cannot be run again."""
        return self

    def close(self) -> None:
        """Close a video that was given as a path."""
        if self._opened is not None:
            self._opened.close()

    def __repr__(self) -> str:
        return f"<TrackTrace of {self.clip.name!r} by {self.model_name}: {len(self)} frames, {self.skeleton.name}>"
