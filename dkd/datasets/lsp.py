"""Leeds Sports Pose (Johnson & Everingham, BMVC 2010) and its extended training set (CVPR 2011): stills, 14 joints.

The third row has a different meaning in each: in LSP it is 1 if a joint is *occluded* (its position is still given), in
LSP Extended it is 1 if the joint is *labelled* (otherwise its position is meaningless). Coordinates are taken as
MATLAB's, from 1 (our decision): the data sets do not say so, and their labels are not precise enough to tell.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dkd.datasets.layout import Layout, check_split, numbered_files, read_mat
from dkd.datasets.people import PersonSequence
from dkd.errors import DatasetError
from dkd.pose.labels import as_joints, as_numbers
from dkd.pose.skeleton import convert_joints

LAYOUT = Layout(
    "lsp",
    "Leeds Sports Pose",
    """
lsp_dataset/
├── images/im0001.jpg … im2000.jpg
└── joints.mat
""",
    "http://sam.johnson.io/research/lsp.html",
)
EXTENDED_LAYOUT = Layout(
    "lsp_extended",
    "Leeds Sports Pose Extended",
    """
lspet_dataset/
├── images/im00001.jpg … im10000.jpg
└── joints.mat
""",
    "http://sam.johnson.io/research/lspet.html",
)


def load_lsp(root: Path | None = None, split: str = "train", skeleton: str = "penn_action") -> list[PersonSequence]:
    """Load Leeds Sports Pose: the first 1,000 stills are for training, the last 1,000 for testing.

    Args:
        root: folder with ``images`` and ``joints.mat``; ``None``: ``lsp`` in the data folder.
        split: "train" or "test".
        skeleton: skeleton to convert to; a joint that cannot be derived from the 14 is NaN.

    Returns:
        People with one image each, ``visible`` False where a joint is occluded, ``name`` "im0001".

    Raises:
        ConfigError: the split or the skeleton is unknown.
        DatasetError: the folder is not in the official layout, images are missing, or ``joints.mat`` is damaged.
    """
    check_split(split)
    folder = LAYOUT.find(root, "images", "joints.mat")
    joints = read_mat(folder / "joints.mat", "joints")["joints"]
    if joints.shape != (3, 14, 2000):
        raise DatasetError(f"expected joints of shape (3, 14, 2000) in {folder / 'joints.mat'}, got {joints.shape}")
    marked = _checked(joints.transpose(2, 1, 0), folder)  # (2000, 14, 3) x, y, occluded
    marked[..., 2] = 1 - marked[..., 2]
    first = 0 if split == "train" else 1000
    return _stills(folder, "im{:04d}.jpg", first, marked[first : first + 1000], skeleton)


def load_lsp_extended(
    root: Path | None = None, split: str = "train", skeleton: str = "penn_action"
) -> list[PersonSequence]:
    """Load Leeds Sports Pose Extended: 10,000 stills, all for training; crowd-sourced, with many swapped sides.

    Args:
        root: folder with ``images`` and ``joints.mat``; ``None``: ``lsp_extended`` in the data folder.
        split: only "train".
        skeleton: skeleton to convert to; a joint that is not labelled is NaN, and so is one derived from it.

    Returns:
        People with one image each, ``name`` "im00001". Labelled joints are visible.

    Raises:
        ConfigError: the skeleton is unknown, or the split is not "train".
        DatasetError: the folder is not in the official layout, images are missing, or ``joints.mat`` is damaged.
    """
    check_split(split, ("train",))
    folder = EXTENDED_LAYOUT.find(root, "images", "joints.mat")
    joints = read_mat(folder / "joints.mat", "joints")["joints"]
    if joints.ndim != 3 or joints.shape[:2] != (14, 3) or not joints.shape[2]:
        raise DatasetError(f"expected joints of shape (14, 3, N) in {folder / 'joints.mat'}, got {joints.shape}")
    marked = _checked(joints.transpose(2, 0, 1), folder)  # (N, 14, 3) x, y, labelled
    marked[marked[..., 2] == 0, :2] = np.nan
    return _stills(folder, "im{:05d}.jpg", 0, marked, skeleton)


def _checked(marked: np.ndarray, folder: Path) -> np.ndarray:
    """Return a copy as float64 after checking that all are real numbers, and none is infinite."""
    found = as_numbers(marked, None, f"joints in {folder / 'joints.mat'}").copy()
    as_joints(found[..., :2], None, f"joints in {folder / 'joints.mat'}")
    return found


def _stills(folder: Path, pattern: str, first: int, marked: np.ndarray, skeleton: str) -> list[PersonSequence]:
    """Make people from (N, 14, 3) x, y (from 1) and visibility (1 or 0), for images ``first`` + 1 and following."""
    marked = marked - (1, 1, 0)
    joints = convert_joints(marked, "lsp", skeleton)  # (N, J, 3)
    # A derived joint has the mean of its sources' visibilities: it is visible if all of them are.
    visible = joints[..., 2] > 0.999
    files = numbered_files(folder / "images", pattern, range(first + 1, first + 1 + len(joints)))
    return [
        PersonSequence(
            files[i : i + 1],
            joints[i : i + 1, :, :2],
            files.files[i].stem,
            skeleton=skeleton,
            visible=visible[i : i + 1],
        )
        for i in range(len(files))
    ]
