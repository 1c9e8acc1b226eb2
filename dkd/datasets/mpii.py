"""MPII Human Pose (Andriluka et al., CVPR 2014): 25,000 stills from videos, several people each, 16 joints.

The label file contains nested MATLAB structs in which any field may be absent or empty: an image without people, a
person without joints, a joint without ``is_visible`` (never set for the head's two joints, which count as visible).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dkd.datasets.layout import Layout, check_split, read_mat
from dkd.datasets.people import FrameFiles, PersonSequence
from dkd.errors import DatasetError
from dkd.pose.labels import as_joints
from dkd.pose.skeleton import convert_joints

LAYOUT = Layout(
    "mpii",
    "MPII Human Pose",
    """
mpii_human_pose/
├── images/000001163.jpg …
└── mpii_human_pose_v1_u12_1.mat
""",
    "http://human-pose.mpi-inf.mpg.de/",
)
LABELS = "mpii_human_pose_v1_u12_1.mat"
_PERSON_HEIGHT = 200.0  # MPII's ``scale`` is a person's height in units of this many pixels


def load_mpii(root: Path | None = None, split: str = "train", skeleton: str = "penn_action") -> list[PersonSequence]:
    """Load the labelled people of MPII, each a sequence of one image; an image with three people is used three times.

    Args:
        root: folder with ``images`` and the label file; ``None``: ``mpii`` in the data folder.
        split: only "train": the labels of the test images are not published.
        skeleton: skeleton to convert to; a joint that is not labelled, or cannot be derived from the 16, is NaN.

    Returns:
        People with ``visible``, ``name`` "<image>/<index among the image's people>", and, as box, the square that MPII
        gives (``objpos`` and ``scale``) if present: the box of the joints is too small for someone partly in view.

    Raises:
        ConfigError: the skeleton is unknown, or the split is not "train".
        DatasetError: the folder is not in the official layout, images are missing, or the label file is damaged.
    """
    check_split(split, ("train",))
    folder = LAYOUT.find(root, "images", LABELS)
    release: Any = read_mat(folder / LABELS, "RELEASE", simplify=True)["RELEASE"]
    if not isinstance(release, Mapping) or not {"annolist", "img_train"} <= release.keys():
        raise DatasetError(f"expected a struct RELEASE with annolist and img_train in {folder / LABELS}")
    images, train = _items(release["annolist"]), np.atleast_1d(release["img_train"])
    if len(images) != len(train):
        raise DatasetError(f"{folder / LABELS} has {len(images)} images, but train flags for {len(train)}")
    present = {path.name for path in (folder / "images").iterdir()}
    people: list[PersonSequence] = []
    missing: list[str] = []
    for image in (image for image, wanted in zip(images, train, strict=True) if wanted):
        marked = {number: rect for number, rect in enumerate(_items(image.get("annorect"))) if _points(rect)}
        name = "".join(str(header.get("name")) for header in _items(image.get("image")))
        if marked and name not in present:
            missing.append(name)
            continue
        people += [_person(folder / "images" / name, number, rect, skeleton) for number, rect in marked.items()]
    if missing:
        raise DatasetError(f"{len(missing)} labelled images are missing in {folder / 'images'}, first {missing[0]!r}")
    if not people:
        raise DatasetError(f"{folder / LABELS} has no labelled people")
    return people


def _person(file: Path, number: int, rect: Mapping[str, Any], skeleton: str) -> PersonSequence:
    marked = np.full((16, 3), np.nan, np.float32)  # x, y, visible
    for point in _points(rect):
        joint, x, y = _numbers(point, "id", "x", "y") or (-1, 0, 0)
        if joint not in range(16):
            raise DatasetError(f"expected joint ids 0 to 15 in {LABELS}, got {point['id']!r} of {file.name}")
        # It may be a number, a text, an empty array, or absent: only a 0 says that a joint is hidden.
        visible = str(point.get("is_visible")) not in ("0", "0.0", "False")
        marked[int(joint)] = x - 1, y - 1, visible  # MATLAB counts pixels from 1
    as_joints(marked[:, :2], None, f"joints of {file.name} in {LABELS}")
    joints = convert_joints(marked[None], "mpii", skeleton)  # (1, J, 3)
    return PersonSequence(
        FrameFiles([file]),
        joints[..., :2],
        f"{file.stem}/{number}",
        skeleton=skeleton,
        visible=joints[..., 2] > 0.999,  # a derived joint is visible if all its sources are
        boxes=_box(rect),
    )


def _points(rect: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a person's labelled joints, often none: structs with ``id``, ``x``, ``y`` and perhaps ``is_visible``."""
    points = rect.get("annopoints")
    found = _items(points.get("point")) if isinstance(points, Mapping) else []
    return [point for point in found if _numbers(point, "id", "x", "y")]


def _box(rect: Mapping[str, Any]) -> np.ndarray | None:
    """Return the square of the person's height around its centre, (1, 4), 0-based; ``None`` if MPII has none."""
    middle, scale = _items(rect.get("objpos")), _numbers(rect, "scale")
    position = _numbers(middle[0], "x", "y") if middle else None
    if position is None or scale is None:
        return None
    x, y, half = position[0] - 1, position[1] - 1, _PERSON_HEIGHT * scale[0] / 2
    return np.array([[x - half, y - half, x + half, y + half]], np.float32)


def _items(structs: Any) -> list[Mapping[str, Any]]:
    """Return a struct array as a list: when read, an array of one is a single struct, an empty one is no struct."""
    if isinstance(structs, Mapping):
        return [structs]
    # Not np.ravel, which would convert each struct.
    return [item for item in structs if isinstance(item, Mapping)] if isinstance(structs, (list, np.ndarray)) else []


def _numbers(struct: Mapping[str, Any], *keys: str) -> tuple[float, ...] | None:
    """Return the fields ``keys`` as numbers; ``None`` if one is absent, empty or not a number."""
    try:
        return tuple(float(struct[key]) for key in keys)
    except (KeyError, TypeError, ValueError):
        return None
