"""Pose files of other tools as a method: their tracks are measured as those of a model, without running one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dkd.errors import ConfigError, DatasetError
from dkd.evaluation.methods import Method, get_method
from dkd.formats.as_trace import TrackTrace, as_trace
from dkd.formats.files import FORMATS, load_poses
from dkd.formats.track import PoseTrack
from dkd.pose.skeleton import get_skeleton
from dkd.video.protocols import ClipLike


@dataclass(frozen=True)
class TrackMethod:
    """Tracks in files, one file per video.

    Attributes:
        name: name in tables: that of the file or folder.
        source: a pose file, or a folder with one per video, ``VIDEO.slp`` or ``VIDEO….h5``, as DeepLabCut names them.
    """

    name: str
    source: Path

    def file_of(self, clip: ClipLike) -> Path:
        """Return the file of a video, by its name.

        Raises:
            DatasetError: there is none, or several.
        """
        if not self.source.is_dir() or self.source.suffix == ".openpose":
            return self.source
        stem = Path(clip.name).stem
        files = [path for path in pose_files(self.source) if path.name.startswith(stem)]
        exact = [path for path in files if path.name.split(".")[0] == stem]
        found = exact or files
        if len(found) != 1:
            names = ", ".join(path.name for path in found) or "none"
            raise DatasetError(
                f"expected one pose file of {clip.name} in {self.source}, {stem}.slp or alike, got {names}"
            )
        return found[0]

    def trace(
        self,
        clip: ClipLike,
        box: tuple[float, float, float, float] | None = None,
        *,
        skeleton: str,
        ground_truth: np.ndarray | None = None,
        ground_truth_kind: str = "",
        stop: int | None = None,
        progress: bool = False,
        cancel: Callable[[], bool] | None = None,
    ) -> TrackTrace:
        """Return the track of a clip as a trace; of several people, the one who is nearest to the box at first.

        Raises:
            DatasetError: there is no file of this clip, or it names another video.
        """
        path = self.file_of(clip)
        track = load_poses(path)
        stem = Path(clip.name).stem
        if path == self.source and track.source is not None and Path(track.source).stem != stem:
            raise DatasetError(f"{path.name} has poses of {Path(track.source).name}, not of {clip.name}")
        trace = as_trace(track, clip, person=_nearest(track, box), skeleton=get_skeleton(skeleton))
        return trace.measured(self.name, ground_truth, ground_truth_kind, stop)

    @property
    def identity(self) -> dict[str, Any]:
        """What distinguishes these tracks from others, for the parts of an evaluation."""
        return {"kind": "tracks", "config": {}}

    @property
    def digest(self) -> str:
        """SHA-256 of the files."""
        files = [self.source] if self.source.is_file() else sorted(p for p in self.source.rglob("*") if p.is_file())
        found = hashlib.sha256()
        for path in files:
            with path.open("rb") as file:
                found.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
        return found.hexdigest()


def pose_files(folder: Path) -> list[Path]:
    """Return the pose files of a folder, in order; a folder of OpenPose is one."""
    endings = tuple(ending for one in FORMATS.values() if not one.draws for ending in one.endings)
    return sorted(path for path in folder.iterdir() if path.name.lower().endswith(endings))


def find_tracks(spec: str | Path) -> TrackMethod | None:
    """Return the method of a pose file, or of a folder of such files; ``None`` if it is neither."""
    path = Path(spec)
    if path.suffix == ".safetensors" or not path.exists() or (path / "run.json").exists():
        return None
    endings = tuple(ending for one in FORMATS.values() if not one.draws for ending in one.endings)
    is_file = path.name.lower().endswith(endings)
    if not is_file and not (path.is_dir() and pose_files(path)):
        return None
    name = path.name.removesuffix(next((e for e in sorted(endings, key=len)[::-1] if path.name.endswith(e)), ""))
    if not name:
        raise ConfigError(f"expected a name before the ending, got {path.name!r}")
    return TrackMethod(name, path)


def find_method(spec: str | Path) -> Method | TrackMethod:
    """Return the method of a spec: pose files of another tool, or a model with variants.

    Raises:
        ConfigError, CheckpointError: it is neither; see :func:`dkd.evaluation.methods.get_method`.
    """
    return find_tracks(spec) or get_method(spec)


def _nearest(track: PoseTrack, box: tuple[float, float, float, float] | None) -> str:
    """Return the person whose joints are nearest to the box's centre when they are first seen."""
    if len(track.people) == 1 or box is None:
        return track.people[0]
    centre = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    there: np.ndarray = np.asarray(~track.missing.all(-1))
    first = int(np.argmax(there.any(1)))
    distance = [
        float(np.linalg.norm(np.nanmean(track.xy[first, p], 0) - centre)) if there[first, p] else np.inf
        for p in range(len(track.people))
    ]
    return track.people[int(np.argmin(distance))]
