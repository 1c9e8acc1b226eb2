"""movement's netCDF data sets: ``position`` (time, space, keypoint, individual) and ``confidence``, as netCDF 4.

netCDF 4 is HDF5 with dimension scales, so h5py writes it; tests read the files with xarray and movement. movement up to
0.15 calls the dimensions ``keypoints`` and ``individuals``, later versions ``keypoint`` and ``individual``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dkd.errors import DatasetError
from dkd.formats.hdf import hdf, strings
from dkd.formats.rates import frames_of, rate_of
from dkd.formats.tidy import skeleton_of
from dkd.formats.track import PoseTrack

if TYPE_CHECKING:
    import h5py

_NAMES = {False: ("time", "space", "keypoint", "individual"), True: ("time", "space", "keypoints", "individuals")}


def write(track: PoseTrack, path: Path, plural: bool = False) -> None:
    """Write a track; times in seconds if they are known, else in frames, as movement does.

    Args:
        track, path: what and where.
        plural: name the dimensions as movement up to 0.15 does.
    """
    timed = not np.isnan(track.times[0])
    time, space, keypoint, individual = _NAMES[plural]
    about: dict[str, Any] = {
        "ds_type": "poses", "source_software": track.software or "dkd", "source_file": track.source or "",
        "time_unit": "seconds" if timed else "frames", "skeleton": track.skeleton.name,
        "skeleton_edges": json.dumps(track.skeleton.limbs),
    }  # fmt: skip
    if timed and track.fps is not None:
        about["fps"] = track.fps
    if track.size is not None:
        about["frame_width"], about["frame_height"] = track.size
    with hdf(path, "w", track_order=True) as file:
        for name, value in about.items():
            file.attrs[name] = value
        file.attrs["_NCProperties"] = np.bytes_(b"version=2,h5py=3")
        times = track.times if timed else track.frames.astype(np.float64)
        scales = [
            _scale(file, time, times), _scale(file, space, ["x", "y"]), _scale(file, keypoint, track.joints),
            _scale(file, individual, track.people),
        ]  # fmt: skip
        position = np.moveaxis(track.xy, (1, 2, 3), (3, 2, 1))
        _variable(file, "position", position, scales).attrs["coordinates"] = "frame"
        by_joint = [scales[0], *scales[2:]]
        _variable(file, "confidence", np.moveaxis(track.scores, 1, 2), by_joint)
        if track.confidence is not None:
            _variable(file, "probability", np.moveaxis(track.confidence, 1, 2), by_joint)
        _variable(file, "frame", track.frames, scales[:1])


def _scale(file: h5py.File, name: str, values: Any) -> Any:
    import h5py

    kind = h5py.string_dtype() if isinstance(values, list | tuple) else None
    place = file.create_dataset(name, data=values, dtype=kind)
    place.make_scale(name)
    place.attrs["_Netcdf4Dimid"] = np.int32(len(file) - 1)
    return place


def _variable(file: h5py.File, name: str, values: np.ndarray, scales: list[Any]) -> Any:
    place = file.create_dataset(name, data=np.ascontiguousarray(values), compression="gzip", shuffle=True)
    if values.dtype.kind == "f":
        place.attrs["_FillValue"] = values.dtype.type(np.nan)
    for axis, scale in enumerate(scales):
        place.dims[axis].attach_scale(scale)
    return place


def read(path: Path) -> PoseTrack:
    """Read a pose data set of any version of movement: axes are found by the names of their dimensions.

    Raises:
        DatasetError: it is not a pose data set, or a netCDF 3 file.
    """
    with hdf(path) as file:
        if "position" not in file:
            raise DatasetError(f"expected a movement data set with 'position' in {path}, got {', '.join(file)}")
        about = {name: value for name, value in file.attrs.items()}
        people = _coordinate(file, "individual")
        joints = _coordinate(file, "keypoint")
        position = _ordered(file["position"], ("time", "individual", "keypoint", "space"), path)
        if position.shape[-1] != 2:
            raise DatasetError(f"expected positions in the picture, x and y, in {path}, got {position.shape[-1]} axes")
        axes = [strings(file["space"][()]).index(name) for name in ("x", "y")] if "space" in file else [0, 1]
        scores, sure = (
            _ordered(file[name], ("time", "individual", "keypoint"), path) if name in file else None
            for name in ("confidence", "probability")
        )
        times = np.asarray(file["time"][()], np.float64)
        frames = file["frame"][()] if "frame" in file else None
    unit = _text(about.get("time_unit")) or "seconds"
    fps = float(np.asarray(about["fps"]).ravel()[0]) if "fps" in about and about["fps"] is not None else None
    fps = fps if fps and np.isfinite(fps) else None
    notes: tuple[str, ...] = ()
    if unit == "frames":
        frames, times = times.astype(np.int64), np.full(len(times), np.nan)
    elif frames is None:
        fps = fps or rate_of(np.arange(len(times)), times)
        frames = frames_of(times, fps) if fps else None
        if frames is None:
            frames, notes = np.arange(len(times)), ("The file has no frame numbers; frames are counted from 0.",)
    edges = json.loads(_text(about.get("skeleton_edges")) or "[]")
    size = tuple(int(np.asarray(about[k]).ravel()[0]) for k in ("frame_width", "frame_height") if k in about)
    return PoseTrack(
        position[..., axes], np.full(position.shape[:3], np.nan) if scores is None else scores,
        skeleton_of(joints, {"limbs": edges, "skeleton": _text(about.get("skeleton"))}), np.asarray(frames), times,
        people, fps, (size[0], size[1]) if len(size) == 2 else None, _text(about.get("source_file")),
        _text(about.get("source_software")), sure, notes,
    )  # fmt: skip


def _text(value: Any) -> str | None:
    return (strings(value)[0] or None) if value is not None and np.size(value) else None


def _coordinate(file: h5py.File, name: str) -> tuple[str, ...]:
    found = next((one for one in (name, f"{name}s") if one in file), None)
    return tuple(strings(file[found][()])) if found else ()


def _ordered(place: Any, wanted: tuple[str, ...], path: Path) -> np.ndarray:
    """Return an array with its axes in the wanted order, by the names of their scales."""
    names = [dim[0].name.rsplit("/", 1)[-1] if len(dim) else "" for dim in place.dims]
    at = [next((i for i, one in enumerate(names) if one in (name, f"{name}s")), None) for name in wanted]
    if None in at or len(names) != len(wanted):
        raise DatasetError(f"expected the dimensions {', '.join(wanted)} in {path}, got {', '.join(names)}")
    return np.transpose(place[()], [i for i in at if i is not None])
