"""OpenPose's folder of JSON files, one per frame, with the 25 joints of BODY_25; confidence 0 is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from dkd.errors import DatasetError
from dkd.formats.names import left_out, match_joints
from dkd.formats.numbers import number_in, shortest
from dkd.formats.track import PERSON, PoseTrack
from dkd.io.limits import check_size
from dkd.pose.skeleton import Skeleton

BODY_25 = Skeleton(
    "body_25",
    (
        "Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "MidHip", "RHip", "RKnee",
        "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar", "LBigToe", "LSmallToe", "LHeel", "RBigToe",
        "RSmallToe", "RHeel",
    ),
    (
        ("Neck", "RShoulder"), ("RShoulder", "RElbow"), ("RElbow", "RWrist"), ("Neck", "LShoulder"),
        ("LShoulder", "LElbow"), ("LElbow", "LWrist"), ("Neck", "MidHip"), ("MidHip", "RHip"), ("RHip", "RKnee"),
        ("RKnee", "RAnkle"), ("MidHip", "LHip"), ("LHip", "LKnee"), ("LKnee", "LAnkle"), ("Neck", "Nose"),
        ("Nose", "REye"), ("Nose", "LEye"), ("REye", "REar"), ("LEye", "LEar"), ("LAnkle", "LHeel"),
        ("LAnkle", "LBigToe"), ("LBigToe", "LSmallToe"), ("RAnkle", "RHeel"), ("RAnkle", "RBigToe"),
        ("RBigToe", "RSmallToe"),
    ),
)  # fmt: skip
_LOWEST = 1e-6  # confidence of a joint that was found with a score of 0 or less: 0 would mean that it is missing
_KEY = "pose_keypoints_2d"
_EMPTY = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d", "pose_keypoints_3d",
          "face_keypoints_3d", "hand_left_keypoints_3d", "hand_right_keypoints_3d")  # fmt: skip


def notes(track: PoseTrack) -> tuple[str, ...]:
    """Say what the format cannot hold."""
    several = ("OpenPose has no names of people: their order in each file is kept.",) if len(track.people) > 1 else ()
    return (*left_out(track, BODY_25), *several)


def write(track: PoseTrack, folder: Path) -> None:
    """Write one file per frame into a folder; every person is in every file, so that their order is their identity."""
    fits = match_joints(track.joints, BODY_25)
    missing = track.missing
    points = np.zeros((*missing.shape[:2], len(BODY_25), 3))
    scores = shortest(track.scores)
    sure = np.where(np.isnan(scores), 1.0, np.maximum(scores, _LOWEST))
    xy = shortest(track.xy)
    for j, match in enumerate(fits.matches):
        if len(match.theirs) == 1:
            source = track.joints.index(match.theirs[0])
            there = ~missing[..., source]
            points[..., j, :2] = np.where(there[..., None], xy[..., source, :], 0)
            points[..., j, 2] = np.where(there, sure[..., source], 0)
    stem = Path(track.source or "video").stem
    empty: dict[str, list[float]] = {name: [] for name in _EMPTY}
    for t, f in enumerate(track.frames):
        people = [{"person_id": [p], _KEY: points[t, p].ravel().tolist(), **empty} for p in range(len(track.people))]
        file = folder / f"{stem}_{f:012d}_keypoints.json"
        file.write_text(json.dumps({"version": 1.3, "people": people}, separators=(",", ":")), encoding="utf-8")


def read(folder: Path) -> PoseTrack:
    """Read a folder; the frame is the last number of a file's name, the person their ``person_id`` or their order.

    Raises:
        DatasetError: there is no such file, or it has another number of joints than BODY_25.
    """
    files = {}
    for path in folder.glob("*.json"):
        number = number_in(path.name)
        if number is None or number in files:
            raise DatasetError(f"expected one file per frame, NAME_000000000012_keypoints.json, got {path}")
        files[number] = path
    if not files:
        raise DatasetError(f"expected JSON files of OpenPose in {folder}, got none")
    frames = sorted(files)
    found = [_people(files[number]) for number in frames]
    n_people = max([*(p + 1 for one in found for p in one), 1])
    out = np.full((len(frames), n_people, len(BODY_25), 3), np.nan)
    for t, people in enumerate(found):
        for p, points in people.items():
            out[t, p] = points
    gone = ~(out[..., 2] > 0)
    out[gone] = np.nan
    names = [PERSON] if n_people == 1 else [f"{PERSON}_{i + 1}" for i in range(n_people)]
    note = "OpenPose does not track: people are numbered by their order in each file; that is no identity."
    return PoseTrack(
        out[..., :2], out[..., 2], BODY_25, np.array(frames), np.full(len(frames), np.nan), tuple(names),
        notes=(note,) if n_people > 1 else (),
    )  # fmt: skip


def _people(path: Path) -> dict[int, np.ndarray]:
    check_size(path, json=True)
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        people = content["people"]
        points = [np.asarray(one[_KEY], np.float64) for one in people]
        ids = [int(np.append(np.ravel(one.get("person_id", -1)), -1)[0]) for one in people]
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"expected a frame of OpenPose in {path}: {error}") from error
    wrong = next((len(one) for one in points if len(one) != 3 * len(BODY_25)), None)
    if wrong is not None:
        raise DatasetError(f"expected {3 * len(BODY_25)} numbers per person (BODY_25) in {path}, got {wrong}")
    known = len(set(ids)) == len(ids) and all(0 <= one < 1000 for one in ids)
    return {ids[i] if known else i: one.reshape(-1, 3) for i, one in enumerate(points)}
