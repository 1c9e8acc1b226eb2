"""TRC, the marker files of OpenSim and Pose2Sim: a table with frame, time, and x, y, z of each marker.

Written so that OpenSim's axes are right: x is the picture's, y points up (so −y), z is 0, and one pixel is one
millimetre. Missing markers are empty. Names of several people are ``person:joint``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dkd.errors import ConfigError, DatasetError
from dkd.formats.rates import rate_of
from dkd.formats.tidy import ends_early, skeleton_of
from dkd.formats.track import PERSON, PoseTrack
from dkd.io.numbers import text

_AXES = 3


def write(track: PoseTrack, path: Path) -> None:
    if np.isnan(track.times[0]):
        raise ConfigError("a TRC file needs times, which the track does not have; add fps=…, the video's rate")
    rate = track.rate or 1.0  # of a single frame without one
    several = len(track.people) > 1
    joints, people = ([name.replace(" ", "_") for name in names] for names in (track.joints, track.people))
    names = [f"{person}:{joint}" if several else joint for person in people for joint in joints]
    n, m = len(track), len(names)
    wrong = next((name for name in (*joints, *people) if ":" in name), None)
    if wrong is not None or len(set(names)) < m:
        raise ConfigError(f"names in a TRC file must differ without spaces and have no colon, got {wrong or names}")
    xy = track.xy.reshape(n, m, 2)
    columns = np.full((n, 2 + _AXES * m), "", object)
    columns[:, 0], columns[:, 1] = track.frames.astype(str), text(track.times)
    there = ~np.isnan(xy[..., 0])
    for axis, values in enumerate((text(xy[..., 0]), text(-xy[..., 1]), np.where(there, "0", ""))):
        columns[:, 2 + axis :: _AXES] = values
    header = [
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate!r}\t{rate!r}\t{n}\t{m}\tmm\t{rate!r}\t{track.frames[0]}\t{n}",
        "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t",
        "\t\t" + "\t".join(f"{axis}{i + 1}" for i in range(m) for axis in "XYZ"),
        "",
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("\n".join(header) + "\n")
        file.writelines("\t".join(row) + "\n" for row in columns)


def notes(track: PoseTrack) -> tuple[str, ...]:
    """Say what the format cannot hold."""
    several = len(track.people) > 1
    spaced = any(" " in name for name in (*track.joints, *(track.people if several else ())))
    return ("TRC has no scores.", *(("Spaces in names are written as underscores.",) if spaced else ()))


def read(path: Path) -> PoseTrack:
    """Read a TRC file as points in the picture: x, and −y; the third axis must be 0, or the file is not of a picture.

    Raises:
        DatasetError: it is no TRC file, or has three dimensions.
    """
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    try:
        keys, values = lines[1].split("\t"), lines[2].split("\t")
        about = dict(zip(keys, values, strict=False))
        names = [name.strip() for name in lines[3].split("\t")[2::_AXES] if name.strip()]
        rows = [line.split("\t") for line in lines[5:] if line.strip()]
        n, m = len(rows), len(names)
        table = np.array(
            [[float(cell) if cell.strip() else np.nan for cell in (*row, *[""] * (2 + 3 * m - len(row)))[: 2 + 3 * m]]
             for row in rows]
        ).reshape(n, 2 + 3 * m)  # fmt: skip
        fps = float(about["DataRate"])
    except (IndexError, ValueError, KeyError) as error:
        raise DatasetError(f"expected a TRC file in {path}: {error}") from error
    if not m or not n or not (table[:, 0] == np.floor(table[:, 0])).all():
        raise DatasetError(f"expected markers, and rows that begin with a whole number of a frame, in {path}")
    points = table[:, 2:].reshape(n, m, _AXES)
    if (np.abs(points[..., 2]) > 0).any():
        raise DatasetError(f"expected markers in the picture (z = 0) in {path}, got some in space: project them first")
    split = [name.rpartition(":") for name in names]
    people = tuple(dict.fromkeys(one[0] or PERSON for one in split))
    joints = tuple(dict.fromkeys(one[2] for one in split))
    xy = np.full((n, len(people), len(joints), 2), np.nan)
    for i, (person, _, joint) in enumerate(split):
        xy[:, people.index(person or PERSON), joints.index(joint)] = points[:, i, :2] * (1, -1)
    frames, times = table[:, 0].astype(np.int64), table[:, 1]
    even = rate_of(frames, times)
    constant = even is not None and abs(even / fps - 1) < 1e-3
    return PoseTrack(
        xy, np.full(xy.shape[:3], np.nan), skeleton_of(joints, {}), frames, times, people,
        fps if constant or n < 2 else even, notes=ends_early(path),
    )  # fmt: skip
