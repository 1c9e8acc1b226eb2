"""Videos with machine labels: joints from two pose networks where they agree.

    videos/NAME.mp4    any video; other files are left out with a warning, subfolders without one
    labels/NAME.npz    consensus17 (T, 17, 2) joints in pixels, in COCO's order; agree (T, 17), which of them to trust

Labels without a video are ignored: a folder may also hold labels of clips for testing.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from dkd.datasets.layout import check_split, files_with, read_npz
from dkd.datasets.people import PersonSequence
from dkd.datasets.sample_clips import MACHINE
from dkd.errors import DatasetError
from dkd.io.paths import data_folder
from dkd.pose.crops import joints_to_box
from dkd.pose.labels import as_flags, as_joints
from dkd.pose.skeleton import convert_joints
from dkd.video.clip import Clip
from dkd.video.endings import VIDEO_ENDINGS

SMALLEST = 4.0  # pixels; smaller people are a sign of coordinates in another unit
EXTENT = 300.0  # pixels; training never uses a finer resolution


def load_labelled_videos(root: Path | None = None, split: str = "train") -> list[PersonSequence]:
    """Load all videos of a folder, sorted by name.

    Args:
        root: folder with ``videos`` and ``labels``; ``None``: ``labelled_videos`` in the data folder.
        split: only "train": machine labels are not suited for evaluation.

    Raises:
        ConfigError: the split is not "train".
        DatasetError: there are no videos, a video has no labels, or labels do not fit their video.
        VideoError: a video cannot be read.
    """
    check_split(split, ("train",))
    folder = data_folder() / "labelled_videos" if root is None else root
    videos = files_with(folder / "videos", VIDEO_ENDINGS, "videos")
    if not videos:
        raise DatasetError(
            f"expected videos/NAME.mp4 with labels/NAME.npz in {folder}, found no such video; give the folder "
            f"('labelled_videos=path/to/folder'), or place or link it at {data_folder() / 'labelled_videos'}"
        )
    return [load_labelled_video(video, folder / "labels" / f"{video.stem}.npz") for video in videos]


def load_labelled_video(video: Path, labels: Path, extent: float = EXTENT) -> PersonSequence:
    """Load a video with COCO joints into memory, scaled down so that the person is about ``extent`` pixels large.

    Args:
        video: any file that :class:`dkd.video.clip.Clip` can read.
        labels: file as described above; T may be smaller than the number of frames.
        extent: target for the median of the larger side of the joints' box; videos are never enlarged.

    Raises:
        DatasetError: the labels are missing, or do not fit the video.
        VideoError: the video cannot be read.
    """
    joints = read_machine_labels(labels)
    with Clip(video) as clip:
        if len(clip) < len(joints):
            raise DatasetError(f"{labels} has {len(joints)} frames, {video} has {len(clip)}: of another video?")
        sides = [max(b[2] - b[0], b[3] - b[1]) for b in map(joints_to_box, joints) if b is not None]
        if not sides:
            raise DatasetError(f"expected joints on which the networks agree in {labels}, found none in any frame")
        side = float(np.median(sides))
        if not SMALLEST <= side <= 4 * max(clip.width, clip.height):
            raise DatasetError(
                f"expected joints in pixels of a picture of {clip.width}×{clip.height} in {labels}, got people of "
                f"{side:.3g} pixels: labels in another unit, or of another video?"
            )
        scale = min(1.0, extent / side)
        size = (max(round(clip.width * scale), 1), max(round(clip.height * scale), 1))
        images = [cv2.resize(clip.frame(t), size, interpolation=cv2.INTER_AREA) for t in range(len(joints))]
        ratio = np.array([size[0] / clip.width, size[1] / clip.height], np.float32)
        fps = clip.fps
    return PersonSequence(
        images, ((joints + 0.5) * ratio - 0.5).astype(np.float32), video.stem, fps=fps, labels=MACHINE
    )


def read_machine_labels(file: Path) -> np.ndarray:
    """Read joints (T, 13, 2) in Penn Action's order, NaN where the networks disagree.

    Raises:
        DatasetError: the file is missing, damaged, or has other arrays.
    """
    coco, agree = read_npz(file, "consensus17", "agree").values()
    if coco.ndim != 3 or coco.shape[1:] != (17, 2) or agree.shape != coco.shape[:2]:
        raise DatasetError(
            f"expected 'consensus17' (T, 17, 2) and 'agree' (T, 17) in {file}, got {coco.shape} and {agree.shape}"
        )
    coco = as_joints(coco, None, f"'consensus17' in {file}", None)
    trusted = as_flags(agree, coco.shape[:2], f"'agree' in {file}")
    return convert_joints(np.where(trusted[..., None], coco, np.nan), "coco", "penn_action")
