"""Sub-JHMDB (Jhuang et al., ICCV 2013): 316 videos of 12 actions with the whole body in view, 15 joints, 3 folds.

Joints and masks come from a puppet that annotators fitted to each frame, so every joint has a position, including
hidden ones and those outside the image; all count as labelled.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from dkd.datasets.layout import Layout, check_split, fill_boxes, numbered_files, read_mat
from dkd.datasets.people import PersonSequence
from dkd.errors import ConfigError, DatasetError
from dkd.pose.labels import as_joints

LAYOUT = Layout(
    "sub_jhmdb",
    "Sub-JHMDB",
    """
JHMDB/
├── Rename_Images/<class>/<video>/00001.png …
├── joint_positions/<class>/<video>/joint_positions.mat
├── puppet_mask/<class>/<video>/puppet_mask.mat
└── sub_splits/<class>_test_split_1.txt … three lists per class
""",
    "http://jhmdb.is.tue.mpg.de/",
)

ACTIONS = (
    "catch", "climb_stairs", "golf", "jump", "kick_ball", "pick", "pullup", "push", "run", "shoot_ball",
    "swing_baseball", "walk",
)  # fmt: skip
N_VIDEOS = 316


def read_split(folder: Path, fold: int) -> dict[tuple[str, str], str]:
    """Read the split, (class, video) → "train" or "test", from ``<class>_test_split_<fold>.txt`` (or ``_split<fold>``).

    Each line is ``<video>.avi 1`` for training, ``2`` for testing; J-HMDB's own lists also use 0, for neither.

    Raises:
        DatasetError: there are no lists of this fold, or a line has a different form.
    """
    split = {}
    lists = sorted(path for path in folder.glob("*.txt") if re.search(rf"_test_split_?{fold}$", path.stem))
    for file in lists:
        action = file.stem.split("_test_split")[0]
        try:
            text = file.read_text("utf-8")
        except (UnicodeDecodeError, OSError) as error:
            raise DatasetError(f"expected a list in UTF-8 at {file}, but it cannot be read: {error}") from error
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            match = re.fullmatch(r"(.+)\.avi\s+([012])", line.strip())
            if match is None:
                raise DatasetError(f"expected '<video>.avi 1' or '… 2' in {file} line {number}, got {line!r}")
            if match[2] != "0":
                split[action, match[1]] = {"1": "train", "2": "test"}[match[2]]
    if not split:
        raise LAYOUT.error(f"looked in {folder}: there are no lists of fold {fold}")
    return split


def load_sub_jhmdb(root: Path | None = None, split: str = "train", fold: int = 1) -> list[PersonSequence]:
    """Load one split of one of the three folds, sorted by class and video. Images are read on access.

    The lists are read from ``sub_splits``, else from ``splits``. Sub-JHMDB's own lists name its 316 videos, all of
    which must be on disk. J-HMDB's lists name 928 and do not say which belong to Sub-JHMDB: in that case all videos of
    its 12 classes that are on disk are used. That is correct for a folder with only Sub-JHMDB's videos; a folder with
    more is rejected, since its results would carry the name of the wrong data set.

    Args:
        root: folder as in :data:`LAYOUT`; ``None``: ``sub_jhmdb`` in the data folder.
        split: "train" or "test".
        fold: 1, 2 or 3; published results are means over the three.

    Returns:
        People with 15 joints (skeleton "sub_jhmdb"), 0-based, the mask's tight box (first to last pixel; the joints'
        box if the mask is empty), ``name`` "<class>/<video>" and ``action``. ``visible`` and ``fps`` are ``None``, as
        the data set gives neither.

    Raises:
        ConfigError: the split or the fold is unknown.
        DatasetError: the folder is not in the official layout, videos or images are missing, or a file is damaged.
    """
    check_split(split)
    if fold not in (1, 2, 3):
        raise ConfigError(f"expected fold 1, 2 or 3, got {fold!r}")
    folder = LAYOUT.find(root, "Rename_Images", "joint_positions", "puppet_mask")
    lists = next((folder / name for name in ("sub_splits", "splits") if (folder / name).is_dir()), None)
    if lists is None:
        raise LAYOUT.error(f"looked in {folder}: that folder has neither sub_splits nor splits")
    videos = _videos_on_disk(folder, read_split(lists, fold), lists)
    people = [_load_video(folder, *video) for video, part in sorted(videos.items()) if part == split]
    if not people:
        raise DatasetError(f"none of the {len(videos)} videos in {folder} is of {split} in fold {fold} of {lists}")
    return people


def _videos_on_disk(folder: Path, listed: dict[tuple[str, str], str], lists: Path) -> dict[tuple[str, str], str]:
    """Return the listed videos that make up Sub-JHMDB; see :func:`load_sub_jhmdb` for the rule."""
    there = {
        (action, video): part
        for (action, video), part in listed.items()
        if (folder / "joint_positions" / action / video / "joint_positions.mat").is_file()
        and (folder / "Rename_Images" / action / video).is_dir()
    }
    if len(listed) <= N_VIDEOS:
        if len(there) < len(listed):
            first = "/".join(next(video for video in listed if video not in there))
            raise LAYOUT.error(
                f"the lists in {lists} name {len(listed)} videos, of which {len(there)} have images and joints in "
                f"{folder}; the first without is {first}"
            )
        return there
    there = {video: part for video, part in there.items() if video[0] in ACTIONS}
    if not there:
        raise LAYOUT.error(f"looked in {folder}: none of the listed videos has images and joints there")
    if len(there) > N_VIDEOS:
        raise LAYOUT.error(
            f"the lists in {lists} are those of J-HMDB, and {folder} has {len(there)} videos of Sub-JHMDB's classes; "
            f"only Sub-JHMDB's own lists (sub_splits) tell which {N_VIDEOS} of them belong to it"
        )
    return there


def _load_video(folder: Path, action: str, video: str) -> PersonSequence:
    joints_file = folder / "joint_positions" / action / video / "joint_positions.mat"
    mask_file = folder / "puppet_mask" / action / video / "puppet_mask.mat"
    # MATLAB drops a last axis of length 1: a video with one frame has one axis less.
    positions = np.atleast_3d(read_mat(joints_file, "pos_img")["pos_img"])
    mask = np.atleast_3d(read_mat(mask_file, "part_mask")["part_mask"])
    if positions.ndim != 3 or positions.shape[:2] != (2, 15):
        raise DatasetError(f"expected pos_img of shape (2, 15, T) in {joints_file}, got {positions.shape}")
    n_frames = positions.shape[2]
    if mask.ndim != 3 or mask.shape[2] != n_frames:
        raise DatasetError(f"expected part_mask of shape (H, W, {n_frames}) in {mask_file}, got {mask.shape}")
    joints = (as_joints(positions.T, None, f"'pos_img' in {joints_file}") - 1).astype(np.float32)  # (T, 15, 2), from 0
    return PersonSequence(
        numbered_files(folder / "Rename_Images" / action / video, "{:05d}.png", range(1, n_frames + 1)),
        joints,
        f"{action}/{video}",
        skeleton="sub_jhmdb",
        boxes=fill_boxes(_mask_boxes(mask), joints),
        action=action,
    )


def _mask_boxes(mask: np.ndarray) -> np.ndarray:
    """Find the first and last column and row with a pixel of the person: (H, W, T) → (T, 4); NaN if there is none."""
    boxes = np.full((mask.shape[2], 4), np.nan, np.float32)
    for t in range(mask.shape[2]):
        columns, rows = (np.flatnonzero(mask[..., t].any(axis)) for axis in (0, 1))
        if len(columns):
            boxes[t] = columns[0], rows[0], columns[-1], rows[-1]
    return boxes
