"""Labelled people as read from disk: a sequence of images with joints in pixels.

All later steps (motion, augmentation, batches) work on one type, :class:`PersonSequence`; a still is a sequence of one
image.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dkd.errors import DatasetError, FrameIndexError, checked
from dkd.pose.crops import joints_to_box
from dkd.pose.labels import as_boxes, as_joints, as_visible
from dkd.pose.skeleton import get_skeleton
from dkd.video.pictures import decode_image

if TYPE_CHECKING:
    from dkd.video.clip import Clip


@checked
@dataclass(frozen=True)
class PersonSequence:
    """One person in one or more images: the sample type of all data sets.

    Attributes:
        images: T arrays (H, W, 3) uint8 RGB. A :class:`FrameFiles` reads them from disk on access.
        joints: (T, J, 2) float32 pixel indices (0-based); NaN where there is no label.
        name: name of the sequence, unique within its data set.
        skeleton: name of the skeleton; J is its length.
        visible: (T, J) bool, False where a labelled joint is hidden; ``None``: all labelled joints are visible.
            Numbers are converted, see :func:`dkd.pose.labels.as_visible`.
        boxes: (T, 4) float32 x0, y0, x1, y1, boxes of the data set; ``None``: the box of the joints is used.
        action: action of the person, if the data set gives it.
        fps: frames per second; ``None`` for stills, or if unknown.
        start_box: x0, y0, x1, y1 of the person in the first frame, if given separately from ``boxes``.
        labels: description of the labels, shown with every result on them. Machine labels are described as such, and
            never called ground truth.

    Raises:
        ShapeError: an array has the wrong shape, type or range.
    """

    images: Sequence[np.ndarray]
    joints: np.ndarray
    name: str
    skeleton: str = "penn_action"
    visible: np.ndarray | None = None
    boxes: np.ndarray | None = None
    action: str | None = None
    fps: float | None = None
    start_box: tuple[float, float, float, float] | None = None
    labels: str = "labels of the data set"

    def __post_init__(self) -> None:
        shape = (len(self.images), len(get_skeleton(self.skeleton)))
        checked = {"joints": as_joints(self.joints, (*shape, 2), f"joints of {self.name}", None)}
        if self.visible is not None:
            checked["visible"] = as_visible(self.visible, shape, f"visible of {self.name}")
        if self.boxes is not None:
            checked["boxes"] = as_boxes(self.boxes, shape[0], f"boxes of {self.name}")
        for name, array in checked.items():
            object.__setattr__(self, name, array)  # the dataclass is frozen

    def __len__(self) -> int:
        return len(self.images)

    def extent(self, t: int) -> float:
        """Return the larger side of the person's box, else of its joints' box, in frame t: pixels, at least 1."""
        if not 0 <= t < len(self):
            raise FrameIndexError(f"expected a frame in 0..{len(self) - 1} of {self.name}, got {t}")
        box = joints_to_box(self.joints[t]) if self.boxes is None else self.boxes[t]
        return 1.0 if box is None else float(max(box[2] - box[0], box[3] - box[1], 1.0))


class FrameFiles(Sequence[np.ndarray]):
    """Images of a folder, read on access: (H, W, 3) uint8 RGB each.

    Args:
        files: the images in order.

    Raises:
        DatasetError: on access, if a file is missing or cannot be decoded.
    """

    def __init__(self, files: Sequence[Path]):
        self.files = tuple(files)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return FrameFiles(self.files[index])
        return read_image(self.files[index])


@checked
class ClipFrames(Sequence[np.ndarray]):
    """The frames of a video as a sequence, decoded on access: (H, W, 3) uint8 RGB each.

    Args:
        clip: stays open and may be used by others.
    """

    def __init__(self, clip: Clip):
        self.clip = clip

    def __len__(self) -> int:
        return len(self.clip)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self.clip.frame(t) for t in range(*index.indices(len(self)))]
        return self.clip.frame(operator.index(index))


def read_image(file: Path) -> np.ndarray:
    """Read an image file as (H, W, 3) uint8 RGB.

    Raises:
        DatasetError: the file is missing or cannot be decoded.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise DatasetError(f"expected an image at {file}; it {reason}") from error
    image = decode_image(content)
    if image is None:
        raise DatasetError(f"expected an image at {file}; it cannot be decoded: is it damaged or truncated?")
    return image
