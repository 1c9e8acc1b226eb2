"""Labelled people as they come from disk: a sequence of images, joints in pixels.

Everything later (motion, augmentation, batches) works on this one type, :class:`PersonSequence`; a still is a sequence
of one image.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from dkd.errors import DatasetError, ShapeError
from dkd.pose.crops import joints_to_box
from dkd.pose.skeleton import get_skeleton

if TYPE_CHECKING:
    from dkd.video.clip import Clip


@dataclass(frozen=True)
class PersonSequence:
    """One person in one or more images: the one sample type of all data sets.

    Attributes:
        images: T arrays (H, W, 3) uint8 RGB. A :class:`FrameFiles` reads them from disk when they are asked for.
        joints: (T, J, 2) float32 pixel indices (0-based); NaN where there is no label.
        name: where it came from, unique within its data set.
        skeleton: name of the joint set; J is its length.
        visible: (T, J) bool, False where a labelled joint is hidden; None: all labelled joints count as visible.
        boxes: (T, 4) float32 x0, y0, x1, y1, the person as the data set marks it; None: the joints' own box serves.
        action: what is done, where the data set says so.
        fps: frames a second; None for stills, or where it is not known.
        start_box: x0, y0, x1, y1 of the person in the first frame, where it is marked apart from ``boxes``.
        labels: what the joints are, in words that stand wherever figures on them are shown. Machine labels are said to
            be such, and never called ground truth.

    Raises:
        ShapeError: the arrays do not belong together.
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
        for array, expected in (
            (self.joints, (*shape, 2)),
            (self.visible, shape),
            (self.boxes, (shape[0], 4)),
        ):
            if array is not None and array.shape != expected:
                raise ShapeError(f"expected an array of shape {expected} for {self.name}, got {array.shape}")

    def __len__(self) -> int:
        return len(self.images)

    def extent(self, t: int) -> float:
        """Larger side of the person in frame t, in pixels, at least 1: of its box, else of the box of its joints."""
        box = joints_to_box(self.joints[t]) if self.boxes is None else self.boxes[t]
        return 1.0 if box is None else float(max(box[2] - box[0], box[3] - box[1], 1.0))


class FrameFiles(Sequence[np.ndarray]):
    """Images of a folder, read when they are asked for: (H, W, 3) uint8 RGB each.

    Args:
        files: the images in order.

    Raises:
        DatasetError: on access, where a file is missing or is no image that can be decoded.
    """

    def __init__(self, files: Sequence[Path]):
        self.files = tuple(files)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return FrameFiles(self.files[index])
        return read_image(self.files[index])


class ClipFrames(Sequence[np.ndarray]):
    """The frames of a video as a sequence: (H, W, 3) uint8 RGB each, decoded when they are asked for.

    Args:
        clip: stays open; whoever has the frames may use it.
    """

    def __init__(self, clip: Clip):
        self.clip = clip

    def __len__(self) -> int:
        return len(self.clip)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self.clip.frame(t) for t in range(*index.indices(len(self)))]
        return self.clip.frame(operator.index(index))


def read_image(file: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB.

    Raises:
        DatasetError: the file is missing or is no image that can be decoded.
    """
    image = cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)
    if image is None:
        reason = "cannot be decoded: is it damaged, or cut short?" if file.is_file() else "is not there"
        raise DatasetError(f"expected an image at {file}; it {reason}")
    return image
