"""Small folders in the official layouts of the data sets."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from scipy.io import savemat

from dkd.datasets.mpii import LABELS


def write_images(folder: Path, names: list[str], size: tuple[int, int] = (48, 64)) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _, content = cv2.imencode(Path(names[0]).suffix, np.full((*size, 3), (10, 90, 200), np.uint8))
    for name in names:
        (folder / name).write_bytes(content.tobytes())


def write_mat(file: Path, **arrays: object) -> Path:
    """Write a compressed MATLAB file, like the official ones."""
    file.parent.mkdir(parents=True, exist_ok=True)
    savemat(file, arrays, do_compression=True)
    return file


def write_penn(root: Path, number: int = 1, n_frames: int = 3, n_images: int | None = None, **arrays: object) -> Path:
    """Write a video of Penn Action. The first joint of a pair is the subject's right, as in the real files."""
    t, j = np.mgrid[:n_frames, :13]
    arrays = {
        "x": 10.0 + j + t,
        "y": 20.0 + 2 * j,
        "visibility": np.ones((n_frames, 13), np.uint8),
        "bbox": np.tile([5.0, 6.0, 60.0, 47.0], (n_frames, 1)),
        "action": "squat",
        "pose": "front",
        "train": 1,
        "dimensions": np.array([[48, 64, n_frames]], np.uint16),
        "nframes": n_frames,
    } | arrays
    n_images = n_frames if n_images is None else n_images
    if n_images:
        write_images(root / f"frames/{number:04d}", [f"{i + 1:06d}.jpg" for i in range(n_images)])
    return write_mat(root / f"labels/{number:04d}.mat", **arrays)


def write_jhmdb(
    root: Path,
    split: str = "1",
    name: str = "catch/a",
    n_frames: int = 2,
    mask: np.ndarray | None = None,
    listed: str = "sub_splits/{}_test_split_1.txt",
) -> np.ndarray:
    """Write a video of Sub-JHMDB and its line in the lists; return pos_img."""
    rng = np.random.default_rng(len(name))
    positions = rng.uniform(5, 40, (2, 15, n_frames))
    if mask is None:
        mask = np.zeros((48, 64, n_frames), np.uint8)
        mask[10:31, 7:20] = 1
    write_images(root / "Rename_Images" / name, [f"{i + 1:05d}.png" for i in range(n_frames)])
    write_mat(root / "joint_positions" / name / "joint_positions.mat", pos_img=positions)
    write_mat(root / "puppet_mask" / name / "puppet_mask.mat", part_mask=mask)
    write_list(root, listed, name, split)
    return positions


def write_list(root: Path, listed: str, name: str, split: str) -> None:
    action, video = name.split("/")
    file = root / listed.format(action)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lines:
        lines.write(f"{video}.avi {split}\n")


def struct_array(*structs: dict[str, object]) -> np.ndarray:
    """Create a MATLAB struct array: each element has all fields; missing ones are empty."""
    fields = sorted({key for struct in structs for key in struct})
    array = np.empty(len(structs), [(key, object) for key in fields])
    for i, struct in enumerate(structs):
        for key in fields:
            array[i][key] = struct.get(key, np.empty((0, 0)))
    return array


def mpii_point(joint: int, x: float, y: float, **fields: object) -> dict[str, object]:
    return {"id": joint, "x": x, "y": y} | fields


def write_mpii(root: Path, train: tuple[int, ...] = (1, 0, 1, 1)) -> None:
    first = struct_array(*(mpii_point(j, 10 + j, 2 * j, is_visible=int(j != 10)) for j in range(16) if j != 4))
    first[8]["is_visible"] = first[7]["is_visible"] = np.empty((0, 0))  # the head's joints are never marked
    annolist = struct_array(
        {
            "image": {"name": "a.jpg"},
            "annorect": struct_array(
                {"annopoints": {"point": first}, "objpos": {"x": 51, "y": 41}, "scale": 0.25},
                {"objpos": {"x": 9, "y": 9}, "scale": 1},  # somebody without joints
                {"annopoints": {"point": struct_array(mpii_point(2, 7, 8, is_visible="0"), mpii_point(3, 5, 8))}},
            ),
        },
        {"image": {"name": "secret.jpg"}, "annorect": {"objpos": {"x": 9, "y": 9}, "scale": 1}},
        {"image": {"name": "b.jpg"}, "annorect": {"annopoints": {"point": mpii_point(0, 3.5, 4.5, is_visible="1")}}},
        {"image": {"name": "nobody.jpg"}, "annorect": np.empty((0, 0))},
    )
    write_images(root / "images", ["a.jpg", "b.jpg"])
    write_mat(root / LABELS, RELEASE={"annolist": annolist, "img_train": np.array(train)})
