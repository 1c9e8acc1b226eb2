"""NumPy's NPZ: everything of a track, and of a trace its heatmaps, kernels and crops; no pickles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from dkd.errors import DatasetError
from dkd.formats.tidy import skeleton_of
from dkd.formats.track import PoseTrack
from dkd.io.limits import check_archive


def write(track: PoseTrack, path: Path, traces: dict[str, Any] | None = None) -> None:
    """Write a track's arrays, and ``about``, JSON with the rest.

    Args:
        track, path: what and where.
        traces: traces by person; of each, ``heatmaps``, ``kernels`` and ``crops`` (left, top, side in pixels) are
            written, followed by ``_0``, ``_1``, … in the order of the people.
    """
    about = {
        "people": track.people, "joints": track.joints, "limbs": track.skeleton.limbs, "skeleton": track.skeleton.name,
        "fps": track.fps, "size": track.size, "source": track.source, "software": track.software, "notes": track.notes,
    }  # fmt: skip
    arrays: dict[str, Any] = {
        "xy": track.xy, "scores": track.scores, "frames": track.frames, "times": track.times,
        "about": np.array(json.dumps(about)),
    }  # fmt: skip
    if track.confidence is not None:
        arrays["confidence"] = track.confidence
    for p, trace in enumerate((traces or {}).values()):
        n = len(trace)
        arrays[f"heatmaps_{p}"], arrays[f"kernels_{p}"] = trace.heatmaps, trace.kernels
        arrays[f"crops_{p}"] = np.array([(c.left, c.top, c.side) for c in trace.crops[:n]], np.float64)
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read(path: Path) -> PoseTrack:
    """Read the track of an NPZ file; maps and kernels are read with :func:`numpy.load`."""
    try:
        check_archive(path)
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            sure = file.get("confidence")
            size = about["size"]
            return PoseTrack(
                file["xy"], file["scores"], skeleton_of(tuple(about["joints"]), about), file["frames"], file["times"],
                tuple(about["people"]), about["fps"], None if size is None else (size[0], size[1]), about["source"],
                about["software"], sure, tuple(about["notes"]),
            )  # fmt: skip
    except DatasetError:
        raise
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(f"expected a track that dkd wrote in {path}: {error}") from error
