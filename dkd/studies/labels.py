"""The labels of a row: joints that are known, to measure the track against.

Read are all files of poses (:func:`dkd.load_poses`), label files of Penn Action (``.mat``), and NPZ files with
``joints`` (T, 13, 2) in the order of Penn Action, as those of the sample clips, or with machine labels
(:mod:`dkd.datasets.labelled_videos`). Frames are counted as in the video. Joints are found by name.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dkd.errors import ConfigError, DatasetError
from dkd.measures.coherence import motion, run_starts
from dkd.measures.metrics import auc, joint_counts, pck_mean, side_flips
from dkd.pose.crops import joints_to_box
from dkd.pose.labels import as_flags, as_joints
from dkd.pose.skeleton import Skeleton, convert_joints

PENN = "penn_action"
THRESHOLDS = {"pck_20": 0.2, "pck_10": 0.1, "pck_05": 0.05}  # shares of the extent; the first also decides on flips


class Labels(NamedTuple):
    """Labelled joints of one person.

    Attributes:
        frames: (N,) numbers of the frames in the video.
        joints: (N, J, 2) pixels, NaN where a joint is not labelled.
        visible: (N, J) bool, False where a joint is hidden: it is part of the extent, but it is not counted.
    """

    frames: np.ndarray
    joints: np.ndarray
    visible: np.ndarray


def read_labels(path: Path, skeleton: str | Skeleton, person: str) -> Labels:
    """Read the labels of a person.

    Args:
        path: the file; see above.
        skeleton: joints to return.
        person: name of the person; it counts only if the file has several.

    Raises:
        DatasetError: the file is missing, damaged or of another kind, or no joint of the skeleton is labelled.
        ConfigError: the file has several people, and none of this name.
    """
    if path.suffix.lower() == ".mat":
        from dkd.datasets.penn_action import read_labels as read_penn

        penn = read_penn(path)
        found = _of_penn(penn.joints, penn.visible, skeleton)
    elif path.suffix.lower() == ".npz" and (arrays := _arrays(path)) & {"joints", "consensus17"}:
        found = _of_arrays(path, arrays, skeleton)
    else:
        found = _of_poses(path, skeleton, person)
    if not np.isfinite(found.joints).all(-1).any():
        raise DatasetError(f"expected labels of joints that the model finds in {path}, got none; see dkd.match_joints")
    return found


def _of_poses(path: Path, skeleton: str | Skeleton, person: str) -> Labels:
    from dkd.formats.files import load_poses

    track = load_poses(path, skeleton=skeleton)
    if len(track.people) > 1 and person not in track.people:
        names = ", ".join(track.people)
        raise ConfigError(f"{path} has the people {names}; give the row's person one of these names, got {person!r}")
    track = track.person(person if person in track.people else track.people[0])
    joints = np.asarray(track.xy[:, 0], np.float64)
    return Labels(np.asarray(track.frames), joints, np.asarray(np.isfinite(joints).all(-1)))


def _of_arrays(path: Path, arrays: set[str], skeleton: str | Skeleton) -> Labels:
    from dkd.datasets.labelled_videos import read_machine_labels
    from dkd.datasets.layout import read_npz

    if "joints" not in arrays:
        joints = read_machine_labels(path)
        return _of_penn(joints, np.isfinite(joints).all(-1), skeleton)
    joints = as_joints(read_npz(path, "joints")["joints"], ("T", 13, 2), f"'joints' in {path}")
    visible = np.isfinite(joints).all(-1)
    if "visible" in arrays:
        visible &= as_flags(read_npz(path, "visible")["visible"], visible.shape, f"'visible' in {path}")
    return _of_penn(joints, visible, skeleton)


def _of_penn(joints: np.ndarray, visible: np.ndarray, skeleton: str | Skeleton) -> Labels:
    """Take joints (T, 13, 2) in the order of Penn Action; a joint is visible if all that it is made of is."""
    shown = np.where(visible[..., None], joints, np.nan)
    return Labels(
        np.arange(len(joints)), convert_joints(joints, PENN, skeleton).astype(np.float64),
        np.isfinite(convert_joints(shown, PENN, skeleton)).all(-1),
    )  # fmt: skip


def _arrays(path: Path) -> set[str]:
    """Return the names of the arrays of an NPZ file; none if it is damaged."""
    try:
        with zipfile.ZipFile(path) as file:
            return {name.removesuffix(".npy") for name in file.namelist()}
    except (OSError, zipfile.BadZipFile):
        return set()


def measure_against(joints: np.ndarray, first: int, labels: Labels, skeleton: str | Skeleton) -> dict[str, Any]:
    """Measure a track against labels; the length is the larger side of the labelled joints' box in each frame.

    Args:
        joints: (T, J, 2) pixels of consecutive frames, NaN where missing.
        first: number of the first frame in the video.
        labels: the labels; frames outside the track are left out.
        skeleton: skeleton of the axis J.

    Returns:
        Those of :data:`dkd.studies.columns.LABEL_COLUMNS` that are measured: the numbers of labelled frames and of
        joints that were counted (labelled and visible); PCK and AUC, 0..1; velocity and acceleration error, in percent
        of the length per frame and per frame²; and how often a joint moved to the other side of the body. ``None``
        where nothing can be measured.

    Raises:
        DatasetError: the labels have none of the track's frames.
    """
    row = labels.frames - first
    inside = (row >= 0) & (row < len(joints))
    if not inside.any():
        last = first + len(joints) - 1
        raise DatasetError(
            f"expected labels of the frames {first} to {last} of the video, got those of {labels.frames.min()} to "
            f"{labels.frames.max()}"
        )
    truth, visible = np.full(joints.shape, np.nan), np.zeros(joints.shape[:2], bool)
    truth[row[inside]], visible[row[inside]] = labels.joints[inside], labels.visible[inside]
    boxes = np.array([joints_to_box(frame) or (np.nan,) * 4 for frame in truth])
    side = (boxes[:, 2:] - boxes[:, :2]).max(1)
    counted = np.where(visible[..., None], truth, np.nan)
    _, n = joint_counts(joints, counted, side, 0.0)
    is_counted = np.isfinite(counted).all(-1) & (side > 0)[:, None]
    moved = motion(joints, counted, side)
    found = {name: pck_mean(joints, counted, side, alpha) for name, alpha in THRESHOLDS.items()}
    found["auc"] = auc(joints, counted, side)
    for name, values in (("velocity_error", moved.velocity_error), ("acceleration_error", moved.acceleration_error)):
        known = values[np.isfinite(values)]
        found[name] = float(100 * known.mean()) if len(known) else np.nan
    flipped = side_flips(joints, truth, skeleton, side, THRESHOLDS["pck_20"])
    return {
        **{name: value if np.isfinite(value) else None for name, value in found.items()},
        "side_flips": int(run_starts(flipped, is_counted).sum()),
        "labelled_frames": int(np.isfinite(truth).all(-1).any(1).sum()), "labelled_joints": int(n.sum()),
    }  # fmt: skip


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file of labels, or of the names and contents of a folder's files.

    Raises:
        DatasetError: it cannot be read.
    """
    found = hashlib.sha256()
    try:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            found.update(file.name.encode() if path.is_dir() else b"")
            found.update(file.read_bytes())
    except OSError as error:
        raise DatasetError(f"the labels cannot be read: {path}: {error.strerror}") from error
    return found.hexdigest()
