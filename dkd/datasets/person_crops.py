"""Stills cropped around one person each, with joints labelled by a human and by two pose networks.

    crops.zip      00001.jpg …: one person each, with a margin
    labels.npz     index      (N,) integers: the images' numbers
                   joints     (N, 14, 3) x, y, labelled (1) or not (0): human labels, in LSP's order
                   movenet    (N, 17, 3) x, y, score: the better network, in COCO's order
                   blazepose  (N, 17, 3) the other network; all in pixels of the crop

Both may also be in a subfolder ``lspe``: the shipped models were trained on crops of Leeds Sports Pose Extended
(Johnson & Everingham, CVPR 2011). Training uses fused labels; evaluation uses the human labels only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dkd.datasets.layout import check_split, read_npz
from dkd.datasets.people import PersonSequence
from dkd.datasets.zipped import ImageZip, ZippedImages
from dkd.errors import DatasetError
from dkd.io.paths import data_folder
from dkd.pose.crops import joints_to_box
from dkd.pose.skeleton import convert_joints, get_skeleton

HELD_OUT_EVERY = 20  # stills whose number is a multiple of this are never used for training
MIN_JOINTS = 8  # people with fewer fused joints are not used for training
HUMAN = "human labels, crowd-sourced, as they came"
FUSED = "human and machine labels, fused"
_SHAPES = {"index": (), "joints": (14, 3), "movenet": (17, 3), "blazepose": (17, 3)}


def load_person_crops(
    root: Path | None = None, split: str = "train", only_upright: bool = False
) -> list[PersonSequence]:
    """Load one split of the stills, in the order of the label file. Images are decoded on access.

    Sports pictures often show gymnastics, but people in home videos mostly stand: therefore, for training, people who
    are upright and completely labelled are included twice, the second time after all others. (These are our decisions.)

    Args:
        root: folder with ``crops.zip`` and ``labels.npz``, or with a subfolder ``lspe`` that has them; ``None``:
            ``person_crops`` in the data folder.
        split: "train": all but every 20th number, with fused labels (:func:`fuse_labels`), with 8 joints or more;
            "test": every 20th, with the unchanged human labels, which have many swapped sides.
        only_upright: only include people who are :func:`upright`, once.

    Returns:
        People with one image each, Penn Action's joints, and the image's number as ``name``.

    Raises:
        ConfigError: the split is unknown.
        DatasetError: a file is missing or damaged, or the two files do not match.
    """
    check_split(split)
    archive, labels = _open(data_folder() / "person_crops" if root is None else root)
    chosen = (labels.index % HELD_OUT_EVERY == 0) == (split == "test")
    index, joints = labels.index[chosen], labels.human[chosen]
    if split == "train":
        networks = labels.teacher[chosen], labels.second[chosen]
        joints = np.array([fuse_labels(*marks) for marks in zip(joints, *networks, strict=True)], np.float32)
        joints = joints.reshape(-1, 13, 2)
        enough = np.isfinite(joints).all(-1).sum(-1) >= MIN_JOINTS
        index, joints = index[enough], joints[enough]
    people = [
        PersonSequence(
            ZippedImages(archive, [_image(number)]),
            marks[None],
            f"{number:05d}",
            labels=HUMAN if split == "test" else FUSED,
        )
        for number, marks in zip(index, joints, strict=True)
    ]
    standing = [person for person, stands in zip(people, upright(joints), strict=True) if stands]
    if only_upright:
        return standing
    return people + standing if split == "train" else people


def upright(joints: np.ndarray) -> np.ndarray:
    """Find upright people: (N, 13, 2) joints → (N,) bool: all labelled, the head above the hips above the ankles."""
    index = get_skeleton("penn_action").index
    hips, ankles = (
        joints[:, [index(f"left_{part}"), index(f"right_{part}")], 1].mean(1) for part in ("hip", "ankle")
    )  # fmt: skip
    return np.isfinite(joints).all((1, 2)) & (joints[:, index("head"), 1] < hips) & (hips < ankles)


def fuse_labels(human: np.ndarray, teacher: np.ndarray, second: np.ndarray, agree: float = 0.2) -> np.ndarray:
    """Clean one person's crowd-sourced joints with the predictions of two networks. (Our decision.)

    Crowd workers confuse left and right. Therefore the human labels' sides are first swapped if both networks fit
    better that way. Then, for each joint, with "near" meaning within ``agree`` × the person's extent:
    human near teacher → their mean; human near second → human; networks near each other → their mean; no human label →
    teacher if its score is above 0.3; otherwise no label.

    Args:
        human: (J, 2) in Penn Action's order, NaN where missing.
        teacher, second: (J, 3) x, y, score of two networks, same order.
        agree: share of the extent within which two labels agree.

    Returns:
        (J, 2) float32, NaN where no label can be trusted.
    """
    flip = list(get_skeleton("penn_action").flip_permutation)
    box = joints_to_box(human) or joints_to_box(teacher[:, :2])
    assert box is not None, "a network always predicts all joints"
    extent = max(box[2] - box[0], box[3] - box[1], 1.0)

    def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        d = np.linalg.norm(a[:, :2] - b[:, :2], axis=-1) / extent
        return np.where(np.isnan(d), np.inf, d)

    def misfit(candidate: np.ndarray, network: np.ndarray) -> float:
        return float(np.minimum(distance(candidate, network)[1:], 1.0).sum())

    swapped = human[flip]
    if all(misfit(swapped, net) < 0.8 * misfit(human, net) for net in (teacher, second)):
        human = swapped
    human_teacher, human_second, networks = distance(human, teacher), distance(human, second), distance(teacher, second)
    missing = np.isnan(human).any(-1)
    fused = np.select(
        [
            c[:, None]
            for c in (human_teacher < agree, human_second < agree, missing & (teacher[:, 2] > 0.3), networks < agree)
        ],
        [(human + teacher[:, :2]) / 2, human, teacher[:, :2], (teacher[:, :2] + second[:, :2]) / 2],
        np.nan,
    )
    return fused.astype(np.float32)


# --- the two files ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Labels:
    """Content of the label file: (N,); (N, 13, 2) Penn Action's joints, NaN where not labelled; twice (N, 13, 3)."""

    index: np.ndarray
    human: np.ndarray
    teacher: np.ndarray
    second: np.ndarray


def _open(root: Path) -> tuple[ImageZip, _Labels]:
    needed = ("crops.zip", "labels.npz")
    folder = next((f for f in (root, root / "lspe") if any((f / name).is_file() for name in needed)), root)
    if missing := [name for name in needed if not (folder / name).is_file()]:
        found = f"that folder has no {' and no '.join(missing)}" if folder.is_dir() else "there is no such folder"
        raise DatasetError(
            "expected crops of people and their labels, crops.zip with 00001.jpg … and labels.npz with the arrays "
            f"{', '.join(_SHAPES)}; looked in {folder}: {found}. Give their folder "
            f"('person_crops=path/to/folder'), or place or link it at {data_folder() / 'person_crops'}."
        )
    archive, labels = ImageZip(folder / "crops.zip"), _read_labels(folder / "labels.npz")
    for number in labels.index:
        if _image(number) not in archive.names:
            raise DatasetError(
                f"{folder / 'labels.npz'} names image {number}, but {archive.file} has no {_image(number)}: do these "
                "files have different versions?"
            )
    return archive, labels


def _image(number: int) -> str:
    return f"{number:05d}.jpg"


def _read_labels(file: Path) -> _Labels:
    arrays = read_npz(file, *_SHAPES)
    n = len(arrays["index"]) if arrays["index"].ndim else 0
    for name, shape in _SHAPES.items():
        if arrays[name].shape != (n, *shape) or not n:
            raise DatasetError(
                f"expected {name!r} of shape {('N', *shape)} in {file}, one row per person, got {arrays[name].shape}"
            )
        if arrays[name].dtype.kind not in ("iu" if name == "index" else "iuf") or not np.isfinite(arrays[name]).all():
            raise DatasetError(f"expected {name!r} as finite numbers in {file}, got {arrays[name].dtype} with others")
    marked = arrays["joints"].astype(np.float32)
    marked[marked[..., 2] <= 0] = np.nan
    human = convert_joints(marked[..., :2], "lsp", "penn_action")
    teacher, second = (convert_joints(arrays[name], "coco", "penn_action") for name in ("movenet", "blazepose"))
    return _Labels(arrays["index"], human, teacher, second)
