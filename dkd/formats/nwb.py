"""NWB files with the ndx-pose extension: one ``PoseEstimation`` per person in the module ``behavior``.

Written with pynwb and ndx-pose (the extra ``nwb``), which hold the schema; read with h5py.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dkd.errors import ConfigError, DatasetError, MissingExtraError
from dkd.formats.hdf import hdf, strings
from dkd.formats.rates import frames_of, rate_of
from dkd.formats.tidy import skeleton_of
from dkd.formats.track import PERSON, PoseTrack

if TYPE_CHECKING:
    import h5py

_ONLY = "PoseEstimation"  # name of the only person's, which movement expects
_ORIGIN = "(0, 0) is the centre of the top-left pixel, x points right, y down"


def write(track: PoseTrack, path: Path, started: datetime | None = None) -> None:
    """Write a track.

    Args:
        track, path: what and where.
        started: start of the recording, which NWB needs; by default the time of writing.

    Raises:
        MissingExtraError: pynwb or ndx-pose is not installed.
        ConfigError: times are unknown, or a name has ``/`` or ``:``, which NWB does not allow.
    """
    try:
        import ndx_pose
        import pynwb
    except ImportError as error:
        raise MissingExtraError('NWB files need pynwb and ndx-pose: pip install "dkd-workbench[nwb]"') from error
    if np.isnan(track.times[0]):
        raise ConfigError("an NWB file needs times, which the track does not have; add fps=…, the video's rate")
    for name in (*track.people, *track.joints):
        if set(name) & set("/:"):
            raise ConfigError(f"a name in an NWB file must not have '/' or ':', got {name!r}; rename it")
    file = pynwb.NWBFile(
        session_description=f"poses of {Path(track.source or 'a video').name}", identifier=str(uuid.uuid4()),
        session_start_time=started or datetime.now(UTC),
    )  # fmt: skip
    even = track.fps is not None and bool((np.diff(track.frames) == 1).all())
    clock: dict[str, Any] = {"timestamps": track.times}
    if even:
        clock = {"starting_time": float(track.times[0]), "rate": float(track.fps or 0)}
    module = file.create_processing_module("behavior", "poses, one PoseEstimation per person")
    skeleton = ndx_pose.Skeleton(
        name=track.skeleton.name.replace("/", "_"), nodes=list(track.joints),
        edges=np.array(track.skeleton.limb_indices, np.uint8).reshape(-1, 2),
    )  # fmt: skip
    module.add(ndx_pose.Skeletons(skeletons=[skeleton]))
    video = None
    if track.source is not None:
        about: dict[str, Any] = {} if track.size is None else {"dimension": list(track.size)}
        if even:
            about |= {"rate": clock["rate"], "starting_time": clock["starting_time"], "num_samples": len(track)}
        else:
            about["timestamps"] = track.times
        video = pynwb.image.ImageSeries(
            name="video", external_file=[track.source], format="external", starting_frame=[int(track.frames[0])],
            unit="n/a", **about,
        )  # fmt: skip
        file.add_acquisition(video)
    for p, person in enumerate(track.people):
        series = [
            ndx_pose.PoseEstimationSeries(
                name=joint, data=track.xy[:, p, j], confidence=track.scores[:, p, j], reference_frame=_ORIGIN,
                unit="pixels", confidence_definition="the model's score", description=person, **clock,
            )
            for j, joint in enumerate(track.joints)
        ]  # fmt: skip
        about = {} if track.software is None else {"scorer": track.software}
        name = _ONLY if len(track.people) == 1 else person
        module.add(
            ndx_pose.PoseEstimation(
                name=name, pose_estimation_series=series, description=person, source_software="dkd", skeleton=skeleton,
                source_video=video, **about,
            )
        )  # fmt: skip
    numbers = {"data": track.frames, "unit": "frames", "description": "numbers of the frames in the video, from 0"}
    # The file has its groups from A to Z.
    order = json.dumps({"people": track.people}, ensure_ascii=False)
    module.add(pynwb.TimeSeries(name="frame_numbers", comments=order, **numbers, **clock))
    with hdf(path, "w") as storage, pynwb.NWBHDF5IO(file=storage, mode="w") as io:
        io.write(file)


def read(path: Path) -> PoseTrack:
    """Read all ``PoseEstimation`` groups of a file; joints in the order of the skeleton's nodes, not A to Z.

    Raises:
        DatasetError: there is none, or people have different times.
    """
    with hdf(path) as file:
        found: list[h5py.Group] = []
        file.visititems(lambda _, place: found.append(place) if _kind(place) == "PoseEstimation" else None)
        if not found:
            raise DatasetError(f"expected a PoseEstimation of ndx-pose in {path}, got none")
        found = _in_order(found)
        first = found[0]
        joints, limbs, name = _skeleton(first)
        data, clocks = [], []
        for place in found:
            series = [place[joint] for joint in joints]
            clocks.append(_times(series[0]))
            xy = np.stack([one["data"][()] for one in series], 1)
            if xy.shape[-1] != 2:
                raise DatasetError(f"expected positions in the picture, x and y, in {path}, got {xy.shape[-1]} axes")
            scores = [
                one["confidence"][()] if "confidence" in one else np.full(len(xy), np.nan, xy.dtype) for one in series
            ]
            data.append((xy, np.stack(scores, 1)))
        (times, fps), *others = clocks
        if any(len(one[0]) != len(times) or not np.allclose(one[0], times) for one in others):
            raise DatasetError(f"expected people with the same times in {path}; read them one by one with pynwb")
        parent = first.parent
        frames = parent["frame_numbers/data"][()] if "frame_numbers/data" in parent else None
        people = [_person(place) for place in found]
        source, size = _video(first)
        scorer = strings(first["scorer"][()])[0] if "scorer" in first else None
    fps = fps or rate_of(np.arange(len(times)) if frames is None else frames, times)
    notes: tuple[str, ...] = ()
    if frames is None:
        frames = frames_of(times, fps) if fps else None
    if frames is None:
        frames, notes = np.arange(len(times)), ("The file has no frame numbers; frames are counted from 0.",)
    return PoseTrack(
        np.stack([one[0] for one in data], 1), np.stack([one[1] for one in data], 1),
        skeleton_of(joints, {"limbs": limbs, "skeleton": name}), frames, times, tuple(people), fps, size, source,
        scorer, notes=notes,
    )  # fmt: skip


def _in_order(found: list[h5py.Group]) -> list[h5py.Group]:
    """Return the people in the order in which we wrote them, which the numbers of the frames say."""
    numbers = found[0].parent.get("frame_numbers")
    try:
        people = json.loads(strings(numbers.attrs["comments"])[0])["people"]
        return sorted(found, key=lambda place: people.index(_person(place)))
    except (AttributeError, KeyError, ValueError, TypeError):  # of another tool
        return found


def _kind(place: Any) -> str:
    return strings(place.attrs["neurodata_type"])[0] if "neurodata_type" in place.attrs else ""


def _person(place: h5py.Group) -> str:
    name = place.name.rsplit("/", 1)[-1]
    if name != _ONLY:
        return str(name)
    ours = "source_software" in place and strings(place["source_software"][()])[0] == "dkd"
    return strings(place["description"][()])[0] if ours and "description" in place else PERSON


def _skeleton(place: h5py.Group) -> tuple[tuple[str, ...], list[tuple[str, str]], str | None]:
    """Return joints, limbs and name of the linked skeleton; of old files, from the group itself."""
    linked = [one for one in place.values() if _kind(one) == "Skeleton"]  # ndx-pose names the link as the skeleton
    home = linked[0] if linked else place
    if "nodes" not in home:
        names = sorted(name for name, one in place.items() if _kind(one) == "PoseEstimationSeries")
        return tuple(names), [], None
    joints = tuple(strings(home["nodes"][()]))
    edges = home["edges"][()] if "edges" in home else np.zeros((0, 2), int)
    name = strings(home.attrs["name"])[0] if "name" in home.attrs else home.name.rsplit("/", 1)[-1]
    return joints, [(joints[int(a)], joints[int(b)]) for a, b in edges], str(name)


def _times(series: h5py.Group) -> tuple[np.ndarray, float | None]:
    """Return times in seconds, and the rate if it is given."""
    if "timestamps" in series:
        return series["timestamps"][()], None
    start = series["starting_time"]
    rate = float(start.attrs["rate"])
    return float(start[()]) + np.arange(len(series["data"])) / rate, rate


def _video(place: h5py.Group) -> tuple[str | None, tuple[int, int] | None]:
    if "source_video" in place:
        video = place["source_video"]
        size = video["dimension"][()] if "dimension" in video else None
        name = strings(video["external_file"][()])[0] if "external_file" in video else None
        return name, None if size is None else (int(size[0]), int(size[1]))
    name = strings(place["original_videos"][()])[0] if "original_videos" in place else None
    return name, None
