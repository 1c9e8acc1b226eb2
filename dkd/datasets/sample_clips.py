"""The sample clips as labelled people, for evaluation without any data set.

``samples``: the shipped rendered clip with exactly known joints. ``pose2sim``: four filmed views with *machine labels*,
for those who have them; these are joints on which two networks agree, and they are described so everywhere.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dkd.datasets.layout import read_npz
from dkd.datasets.people import ClipFrames, PersonSequence
from dkd.errors import ConfigError, DatasetError
from dkd.pose.labels import as_flags, as_joints, as_numbers
from dkd.pose.skeleton import convert_joints
from dkd.video.clip import Clip
from dkd.video.samples import Sample, get_sample, list_samples, samples_folder

CAMERAS = ("pose2sim_cam01", "pose2sim_cam02", "pose2sim_cam03", "pose2sim_cam04")
MACHINE = "machine labels (two networks agree)"


def load_samples(root: Path | None = None, split: str = "test") -> list[PersonSequence]:
    """Load the sample clips whose true joints are known.

    Args:
        root: must be ``None``; the samples are in the data folder.
        split: only "test": they are not for training.

    Raises:
        ConfigError: the split is not "test", or a folder is given.
    """
    _only_test("samples", split)
    if root is not None:
        raise ConfigError(f"the source 'samples' takes no folder, got {root}; set DKD_DATA to another data folder")
    people = []
    for name in list_samples():
        sample = get_sample(name)
        joints = sample.joints()
        if joints is None or sample.ground_truth_path is None:
            continue
        with np.load(sample.ground_truth_path, allow_pickle=False) as archive:
            visible = archive["visible"]
        clip = Clip(sample.path)
        people.append(
            PersonSequence(
                ClipFrames(clip),
                joints,
                name,
                visible=visible,
                fps=clip.fps,
                start_box=sample.box,
                labels=str(sample.ground_truth_kind),
            )
        )
    return people


def load_pose2sim(root: Path | None = None, split: str = "test") -> list[PersonSequence]:
    """Load the four Pose2Sim views with machine labels, if those are available.

    Args:
        root: folder with ``pose2sim_cam01.npz`` …; ``None``: ``pose2sim/labels`` in the samples folder.
        split: only "test": they are not for training.

    Raises:
        ConfigError: the split is not "test".
        DatasetError: there are no labels, or they do not fit the clips.
        SampleError: the clips have not been downloaded yet.
    """
    _only_test("pose2sim", split)
    folder = samples_folder() / "pose2sim" / "labels" if root is None else root
    files = [folder / f"{camera}.npz" for camera in CAMERAS]
    if not any(file.is_file() for file in files):
        raise DatasetError(
            f"expected machine labels of the Pose2Sim clips in {folder}, found none: {CAMERAS[0]}.npz … with "
            "'consensus17' (T, 17, 2) in pixels and COCO's order, 'agree' (T, 17) and 'bbox_size' (T,). They are not "
            "shipped: make them with two pose networks and give their folder ('pose2sim=path/to/folder')"
        )
    return [_camera(get_sample(file.stem), file) for file in files if file.is_file()]


def _camera(sample: Sample, file: Path) -> PersonSequence:
    """Load one view. Joints on which the two networks disagree are not labelled."""
    coco, agree, side = read_npz(file, "consensus17", "agree", "bbox_size").values()
    clip = Clip(sample.path)
    if coco.shape != (len(clip), 17, 2):
        raise DatasetError(f"expected labels of shape ({len(clip)}, 17, 2) in {file}, got {coco.shape}")
    coco = as_joints(coco, None, f"'consensus17' in {file}", None)
    trusted = as_flags(agree, coco.shape[:2], f"'agree' in {file}")
    side = as_numbers(side, (len(clip),), f"'bbox_size' in {file}")
    if not ((side > 0) & np.isfinite(side)).all():
        raise DatasetError(f"expected 'bbox_size' in pixels, above 0, in {file}, got {side.min():g} to {side.max():g}")
    joints = convert_joints(np.where(trusted[..., None], coco, np.nan), "coco", "penn_action")
    # The labels only give the larger side of the person's box: the box is centred on the joints.
    middle = (coco.min(1) + coco.max(1)) / 2  # (T, 2)
    half = side[:, None] / 2
    boxes = np.concatenate([middle - half, middle + half], 1).astype(np.float32)
    return PersonSequence(
        ClipFrames(clip), joints, sample.name, boxes=boxes, fps=clip.fps, start_box=sample.box, labels=MACHINE
    )


def _only_test(name: str, split: str) -> None:
    if split != "test":
        raise ConfigError(f"the source {name!r} only has the split 'test', got {split!r}: train on another source")
