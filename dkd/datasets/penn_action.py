"""Penn Action (Zhang et al., ICCV 2013): 2,326 videos of 15 sports, 13 joints per frame, in its official layout.

The content of the 2,326 label files differs from their description in these points:

- **Sides.** The data set's description lists the left joint of each pair first, but the first one is the subject's
  *right*: in frontal views it is on the image's left (guitarists 3,632 frames of 3,632, weight lifters 8,785 of 8,785),
  from behind on its right (pull-ups 5,267 of 5,267); in people who face right, the first of each pair is nearer to the
  camera; it is the hand that throws, serves and strums in most videos. Here "left" is the subject's left, so the pairs
  are swapped.
- **Hidden joints.** Of 469,501 joints with visibility 0, 282,149 have a position, guessed by the annotator and mostly
  inside the person's box; it is kept, with ``visible`` False. The other 187,352 were never placed and have the corner
  pixel (1, 1) of the unscaled video, that is x = y ≤ 1.53 (0 in two videos); they become NaN. None of the placed ones
  has an x or y below 4, so the two cannot be confused.
- **Boxes.** Videos 1154 and 1865 have one box too few; the last is repeated. In ten videos some frames have a box
  without area, nearly always where at most one joint is visible: see :func:`dkd.datasets.layout.fill_boxes`.
- **Size.** ``dimensions`` is not that of the images in some videos (0979, 1021, 1024, 1032 have visible joints outside
  of it). It is not used here: the size is taken from the images.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from dkd.datasets.layout import Layout, check_split, files_with, fill_boxes, numbered_files, read_mat
from dkd.datasets.people import PersonSequence
from dkd.errors import ConfigError, DatasetError, nearest_name
from dkd.pose.labels import as_flags, as_joints, as_numbers
from dkd.pose.skeleton import get_skeleton

LAYOUT = Layout(
    "penn_action",
    "Penn Action",
    """
Penn_Action/
├── frames/0001/000001.jpg … one folder per video
└── labels/0001.mat … one file per video
""",
    "http://dreamdragon.github.io/PennAction/",
)

ACTIONS = (
    "baseball_pitch", "baseball_swing", "bench_press", "bowl", "clean_and_jerk", "golf_swing", "jump_rope",
    "jumping_jacks", "pullup", "pushup", "situp", "squat", "strum_guitar", "tennis_forehand", "tennis_serve",
)  # fmt: skip

# Between the corner pixel of any video (x = y up to 1.53) and the placed joints (x and y from 4 on).
_UNPLACED_BELOW = 2.0


class PennLabels(NamedTuple):
    """The labels of one video.

    Attributes:
        joints: (T, 13, 2) float32 pixel indices (0-based) in the order of skeleton "penn_action"; NaN where the
            annotator placed none.
        visible: (T, 13) bool; False where a joint is hidden or was not placed.
        boxes: (T, 4) float32 x0, y0, x1, y1, 0-based. They may extend beyond the image.
        action: one of :data:`ACTIONS`.
        viewpoint: side from which the camera sees the subject: front, back, left or right.
        train: whether the video belongs to the training split.
        size: height and width of the frames according to the label file; not reliable, use the images.
    """

    joints: np.ndarray
    visible: np.ndarray
    boxes: np.ndarray
    action: str
    viewpoint: str
    train: bool
    size: tuple[int, int]


def read_labels(file: Path) -> PennLabels:
    """Read one ``labels/%04d.mat``. T is the number of labelled frames; ``nframes`` is not used.

    Raises:
        DatasetError: the file is missing or damaged, or the shapes of its arrays do not match.
    """
    names = ("x", "y", "visibility", "bbox", "action", "pose", "train", "dimensions")
    mat = read_mat(file, *names)
    # Coordinates are stored in different types (uint8, uint16, double): unsigned ones would wrap below 0.
    x, y, visibility, boxes = (as_numbers(mat[name], None, f"{name!r} in {file}") for name in names[:4])
    n_frames = len(x)
    if not x.shape == y.shape == visibility.shape == (n_frames, 13):
        raise DatasetError(
            f"expected x, y, visibility of one shape (T, 13) in {file}, got {x.shape}, {y.shape}, {visibility.shape}"
        )
    if n_frames > 1 and len(boxes) == n_frames - 1:
        boxes = np.concatenate([boxes, boxes[-1:]])
    if boxes.shape != (n_frames, 4):
        raise DatasetError(f"expected bbox of shape ({n_frames}, 4), or one box less, in {file}, got {boxes.shape}")
    if any(mat[name].size < size for name, size in (("action", 1), ("pose", 1), ("train", 1), ("dimensions", 2))):
        raise DatasetError(f"expected action, pose, train and dimensions to be filled in {file}, found one empty")

    if mat["train"].dtype.kind not in "iuf" or np.isinf(boxes).any():
        raise DatasetError(f"expected 'train' as a number and boxes in pixels in {file}, got other values")

    visible = as_flags(visibility, None, f"'visibility' in {file}")
    joints = as_joints(np.stack([x, y], axis=-1), None, f"x and y in {file}").copy()  # (T, 13, 2)
    joints[~visible & (x == y) & (x < _UNPLACED_BELOW)] = np.nan
    to_subjects_sides = list(get_skeleton("penn_action").flip_permutation)
    joints = (joints - 1)[:, to_subjects_sides].astype(np.float32)  # MATLAB counts pixels from 1
    height, width = (int(side) for side in mat["dimensions"].flat[:2])
    return PennLabels(
        joints,
        visible[:, to_subjects_sides],
        fill_boxes(boxes - 1, joints),
        str(mat["action"].flat[0]),
        str(mat["pose"].flat[0]),
        mat["train"].flat[0] == 1,
        (height, width),
    )


def load_penn_action(
    root: Path | None = None, split: str = "train", *, actions: tuple[str, ...] | None = None
) -> list[PersonSequence]:
    """Load one split of Penn Action, sorted by video number. Images are read on access.

    Labels and frames are matched by number: label t belongs to image t + 1. A video with fewer images than labels was
    not unpacked completely and is an error; images beyond the last label are ignored.

    Args:
        root: folder with ``frames`` and ``labels``; ``None``: ``penn_action`` in the data folder.
        split: "train" (1,258 videos) or "test" (1,068).
        actions: only load videos of these actions; ``None``: all 15.

    Returns:
        People with ``name`` ("0001"), ``action``, ``visible`` and ``boxes``; ``fps`` is ``None``, as the data set does
        not give it.

    Raises:
        ConfigError: the split or an action is unknown.
        DatasetError: the folder is not in the official layout, images are missing, or a label file is damaged.
    """
    check_split(split)
    for action in actions or ():
        if action not in ACTIONS:
            raise ConfigError(
                f"Penn Action has no action {action!r}{nearest_name(action, ACTIONS)} Known: {', '.join(ACTIONS)}."
            )
    folder = LAYOUT.find(root, "frames", "labels")
    files = files_with(folder / "labels", {".mat"}, "label files")
    if not files:
        raise LAYOUT.error(f"looked in {folder / 'labels'}: there are no label files")
    people = []
    for file in files:
        labels = read_labels(file)
        if labels.train != (split == "train") or (actions is not None and labels.action not in actions):
            continue
        people.append(
            PersonSequence(
                numbered_files(folder / "frames" / file.stem, "{:06d}.jpg", range(1, len(labels.joints) + 1)),
                labels.joints,
                file.stem,
                visible=labels.visible,
                boxes=labels.boxes,
                action=labels.action,
            )
        )
    if not people:
        raise DatasetError(f"none of the {len(files)} label files in {folder / 'labels'} is of {split} {actions or ''}")
    return people
