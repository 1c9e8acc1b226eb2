"""Labelled people as they come from disk: a sequence of images, joints in pixels, perhaps an alpha channel.

Everything later (motion, augmentation, batches) works on this one type, :class:`PersonSequence`; a still is a sequence
of one image.
"""

from __future__ import annotations

import operator
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from dkd.crops import joints_to_box
from dkd.errors import DatasetError, ShapeError
from dkd.skeleton import convert_joints, get_skeleton

if TYPE_CHECKING:
    from dkd.video import Clip


@dataclass(frozen=True)
class PersonSequence:
    """One person in one or more images: the one sample type of all data sets.

    Attributes:
        images: T arrays (H, W, 3) uint8 RGB, or (H, W, 4) with the person's alpha. A :class:`FrameFiles` reads them
            from disk when they are asked for.
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


def fuse_labels(human: np.ndarray, teacher: np.ndarray, second: np.ndarray, agree: float = 0.2) -> np.ndarray:
    """Clean one person's crowd-sourced joints with two networks' opinions. (Our decision.)

    Crowd workers confuse a person's left and right. So first the human's sides are swapped where both networks fit
    better that way. Then, joint by joint, with "near" meaning within ``agree`` × the person's extent:
    human near teacher → their mean; human near second → human; networks near each other → their mean; no human label →
    the teacher where its score is above 0.3; else no label.

    Args:
        human: (J, 2) in Penn Action's order, NaN where missing.
        teacher, second: (J, 3) x, y, score of two networks, same order.
        agree: share of the extent within which two labels count as one.

    Returns:
        (J, 2) float32, NaN where nobody is to be trusted.
    """
    flip = list(get_skeleton("penn_action").flip_permutation)
    box = joints_to_box(human) or joints_to_box(teacher[:, :2])
    assert box is not None, "a network always gives all joints"
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


def load_person_crops(images: Path, labels: Path) -> tuple[list[PersonSequence], np.ndarray, np.ndarray]:
    """Stills from a zip of person crops and a label file with a human's and two networks' joints.

    Args:
        images: zip with ``%05d.jpg``.
        labels: npz with ``index`` (N,), ``joints`` (N, 14, 3) x, y, visible in LSP's order, ``movenet`` and
            ``blazepose`` (N, 17, 3) x, y, score in COCO's order, all in pixels of the crop.

    Returns:
        the people with fused labels (Penn Action's joints), their indices (N,), and the human labels as they came
        (N, 13, 2), NaN where not labelled, to evaluate against.

    Raises:
        DatasetError: a file is missing, or the two do not belong together.
    """
    for path in (images, labels):
        if not path.is_file():
            raise DatasetError(f"expected a file at {path}, found none")
    with np.load(labels, allow_pickle=False) as archive:
        index, marked = archive["index"], archive["joints"].astype(np.float32)
        networks = [convert_joints(archive[k], "coco", "penn_action") for k in ("movenet", "blazepose")]
    marked[marked[..., 2] <= 0] = np.nan
    human = convert_joints(marked[..., :2], "lsp", "penn_action")
    people = []
    with zipfile.ZipFile(images) as archive:
        names = set(archive.namelist())
        for i, number in enumerate(index):
            file = f"{number:05d}.jpg"
            if file not in names:
                raise DatasetError(f"{labels} names image {number}, but {images} has no {file}: files of two versions?")
            image = cv2.imdecode(np.frombuffer(archive.read(file), np.uint8), cv2.IMREAD_COLOR_RGB)
            if image is None:
                raise DatasetError(f"{file} in {images} is not an image that can be decoded: a damaged zip?")
            fused = fuse_labels(human[i], networks[0][i], networks[1][i])
            people.append(PersonSequence([image], fused[None], f"{images.stem}/{file}"))
    return people, index, human


def load_labelled_video(video: Path, labels: Path, extent: float = 300.0) -> PersonSequence:
    """A video with COCO joints, shrunk so that the person is about ``extent`` pixels large (finer is never trained on).

    Args:
        video: any file that :class:`dkd.video.Clip` reads.
        labels: npz with ``consensus17`` (T, 17, 2) in pixels and ``agree`` (T, 17), the joints to be trusted.
    """
    from dkd.video import Clip

    with np.load(labels, allow_pickle=False) as archive:
        coco = np.where(archive["agree"][..., None], archive["consensus17"], np.nan)
    joints = convert_joints(coco, "coco", "penn_action")
    with Clip(video) as clip:
        if len(clip) < len(joints):
            raise DatasetError(f"{labels} has {len(joints)} frames, {video} has {len(clip)}")
        sides = [max(b[2] - b[0], b[3] - b[1]) for b in map(joints_to_box, joints) if b is not None]
        scale = min(1.0, extent / float(np.median(sides)))
        size = (round(clip.width * scale), round(clip.height * scale))
        images = [cv2.resize(clip.frame(t), size, interpolation=cv2.INTER_AREA) for t in range(len(joints))]
    ratio = np.array([size[0] / clip.width, size[1] / clip.height], np.float32)
    return PersonSequence(images, ((joints + 0.5) * ratio - 0.5).astype(np.float32), video.stem)


def load_cutout(file: Path) -> PersonSequence:
    """A person with an alpha channel: npz with ``rgba`` (T, H, W, 4) uint8 and ``joints`` (T, 13, 2) pixels."""
    with np.load(file, allow_pickle=False) as archive:
        if "rgba" not in archive or "joints" not in archive:
            raise DatasetError(f"expected arrays 'rgba' and 'joints' in {file}, found {archive.files}")
        return PersonSequence(list(archive["rgba"]), archive["joints"].astype(np.float32), file.stem)
