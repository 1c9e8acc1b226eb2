"""Label people in filmed clips, to measure tracking of people who were not trained on, and to train: *machine labels*.

    python scripts/label_clips.py DATA data/filmed
    dkd evaluate dkd-mobilenetv2 --data data/filmed/alone data/filmed/together

Three folders in Penn Action's layout come out: people who are alone, people with somebody else near, and somebody to
train on (``training``), whom no clip of the other folders shows, filmed by another camera. The man of
``pose2sim_multi`` has the labels that come with it. All others are labelled by MoveNet Thunder from a box drawn by hand
in the first frame: a joint is labelled where two crops of different sizes agree within 0.05 of the person's extent and
both are sure. The next frame's crop follows these joints. A frame in which fewer than half of the joints agree has no
labels. Whether labels go over to somebody else was looked for by eye: ``aisle_right`` ends before they do.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from dkd.datasets.penn_files import penn_labels
from dkd.io.files import atomic_path
from dkd.pose.crops import Crop, box_to_crop
from dkd.pose.skeleton import convert_joints
from dkd.video.clip import Clip

SIZE, SURE, AGREE = 256, 0.3, 0.05  # MoveNet's input; its least score; largest distance, of the person's extent
CROPS = (1.25, 1.6)  # sides of the two crops, of the person's box

Box = tuple[float, float, float, float]


class Person(NamedTuple):
    """A person in frames first to stop − 1 of a video, with a box in the first one or the name of a label file."""

    group: str
    name: str
    video: str
    first: int
    stop: int
    box: Box | None = None


def _one(first: int, stop: int, box: Box) -> Person:
    return Person("alone", f"corridor-{first}", "intel/one-by-one-person-detection.mp4", first, stop, box)


PEOPLE = [
    _one(100, 150, (380, 10, 510, 392)),
    _one(300, 350, (380, 3, 542, 384)),
    _one(1100, 1150, (390, 8, 525, 378)),
    _one(1300, 1350, (357, 0, 506, 392)),
    Person("training", "worker", "intel/worker-zone-detection.gif", 20, 71, (146, 78, 217, 266)),
    Person("together", "pose2sim_multi_man_cam02", "pose2sim_multi/cam02.mp4", 0, 100),
    Person("together", "pose2sim_multi_man_cam04", "pose2sim_multi/cam04.mp4", 0, 100),
    Person("together", "pose2sim_multi_woman_cam02", "pose2sim_multi/cam02.mp4", 0, 100, (30, 620, 360, 1460)),
    Person("together", "pose2sim_multi_woman_cam04", "pose2sim_multi/cam04.mp4", 0, 100, (650, 405, 950, 915)),
    Person("together", "aisle_left", "intel/store-aisle-detection.gif", 0, 67, (245, 60, 320, 250)),
    Person("together", "aisle_right", "intel/store-aisle-detection.gif", 0, 22, (345, 85, 420, 270)),
    Person("together", "street_left", "intel/face-demographics-walking.gif", 0, 35, (250, 115, 295, 265)),
    Person("together", "street_right", "intel/face-demographics-walking.gif", 0, 35, (298, 100, 345, 250)),
]


class Teacher:
    """MoveNet Thunder: (17, 3) x, y in pixels of a frame and score, of the person in a crop."""

    def __init__(self, file: Path):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(file.read_bytes(), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def __call__(self, frame: np.ndarray, crop: Crop) -> np.ndarray:
        picture = crop.extract(frame, SIZE)[None].astype(np.int32)
        y, x, score = self._session.run(None, {self._input: picture})[0][0, 0].T
        at = crop.to_frame(np.stack([x, y], 1).astype(np.float64) * SIZE - 0.5, SIZE)
        return np.concatenate([at, score[:, None]], 1)


def label(teacher: Teacher, clip: Clip, person: Person) -> tuple[np.ndarray, np.ndarray]:
    """Return joints (T, 17, 2) in pixels, NaN where not labelled, and boxes (T, 4)."""
    assert person.box is not None
    joints, boxes, box = [], [], np.array(person.box, np.float64)
    for t in range(person.first, person.stop):
        a, b = (teacher(clip.frame(t), box_to_crop(tuple(box), scale)) for scale in CROPS)
        extent = max(box[2] - box[0], box[3] - box[1])
        near = np.linalg.norm(a[:, :2] - b[:, :2], axis=1) < AGREE * extent
        agree = near & (np.minimum(a[:, 2], b[:, 2]) > SURE)
        found = (a[:, :2] + b[:, :2]) / 2
        if agree.sum() >= 9:
            low, high = found[agree].min(0), found[agree].max(0)
            # Feet and the top of the head lie beyond the joints.
            margin = 0.08 * (high - low).max()
            box = 0.5 * box + 0.5 * np.concatenate([low - margin, high + margin])
        joints.append(np.where((agree & (agree.sum() >= 9))[:, None], found, np.nan))
        boxes.append(box.copy())
    boxes[0] = np.array(person.box, np.float64)
    return np.array(joints), np.array(boxes)


def read(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the same of a label file of two networks."""
    with np.load(file, allow_pickle=False) as archive:
        coco, agree, side = archive["consensus17"], archive["agree"], archive["bbox_size"]
    middle, half = (coco.min(1) + coco.max(1)) / 2, side[:, None] / 2
    return np.where(agree[..., None], coco, np.nan), np.concatenate([middle - half, middle + half], 1)


def write(out: Path, clip: Clip, person: Person, coco: np.ndarray, boxes: np.ndarray) -> None:
    """Write frames and labels in Penn Action's layout."""
    folder = out / person.group
    for i, t in enumerate(range(person.first, person.stop)):
        jpeg = cv2.imencode(".jpg", clip.frame(t)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
        with atomic_path(folder / "frames" / person.name / f"{i + 1:06d}.jpg") as temporary:
            temporary.write_bytes(jpeg.tobytes())
    joints = convert_joints(coco, "coco", "penn_action")
    visible, size = np.isfinite(joints).all(-1), (clip.height, clip.width)
    contents = penn_labels(
        joints, visible, boxes, size, action="machine labels", view="-", train=person.group == "training"
    )
    with atomic_path(folder / "labels" / f"{person.name}.mat") as temporary:
        temporary.write_bytes(contents)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with videos/, labels/ and teacher/")
    parser.add_argument("out", type=Path, help="folder of the labelled people")
    arguments = parser.parse_args()
    data: Path = arguments.data
    teacher = Teacher(data / "teacher" / "movenet_thunder.onnx")
    for person in PEOPLE:
        with Clip(data / "videos" / person.video) as clip:
            if person.box is None:
                coco, boxes = read(data / "labels" / f"{person.name}.npz")
            else:
                coco, boxes = label(teacher, clip, person)
            write(arguments.out, clip, person, coco, boxes)
        share = np.isfinite(coco[:, 5:]).all(-1).mean()
        print(f"{person.group}/{person.name}: {len(coco)} frames, {share:.2f} of the limb joints labelled")


if __name__ == "__main__":
    main()
