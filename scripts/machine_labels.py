"""Turn videos with machine labels into a folder in Penn Action's layout, which ``dkd evaluate --data FOLDER`` reads.

    python scripts/machine_labels.py --out runs/two_people videos/cam02.mp4=labels/man_cam02.npz …

A label file has what those of the four Pose2Sim cameras have: ``consensus17`` (T, 17, 2) in pixels and COCO's order,
``agree`` (T, 17), which joints two networks agree on, and ``bbox_size`` (T,), the larger side of the person's box. Only
the joints with agreement are labelled. With ``--height``, larger frames are made smaller.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from dkd.datasets.penn_files import penn_labels
from dkd.io.files import atomic_path
from dkd.pose.skeleton import convert_joints
from dkd.video.clip import Clip


def write_person(video: Path, labels: Path, out: Path, height: int | None) -> int:
    """Write one labelled person, and return the number of frames."""
    with np.load(labels, allow_pickle=False) as archive, Clip(video) as clip:
        coco, agree, side = (archive[name] for name in ("consensus17", "agree", "bbox_size"))
        scale = 1.0 if height is None else min(1.0, height / clip.height)
        size = (round(clip.width * scale), round(clip.height * scale))
        middle, half = (coco.min(1) + coco.max(1)) / 2, side[:, None] / 2
        boxes = (np.concatenate([middle - half, middle + half], 1) + 0.5) * scale - 0.5
        joints = convert_joints(np.where(agree[..., None], coco, np.nan), "coco", "penn_action")
        joints = (joints + 0.5) * scale - 0.5
        frames = out / "frames" / labels.stem
        for t in range(len(joints)):
            picture = cv2.resize(clip.frame(t), size, interpolation=cv2.INTER_AREA) if scale < 1 else clip.frame(t)
            with atomic_path(frames / f"{t + 1:06d}.jpg") as temporary:
                temporary.write_bytes(cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1])
        content = penn_labels(
            joints, np.isfinite(joints).all(-1), boxes, size[::-1], action="machine labels", view="any", train=False
        )
        with atomic_path(out / "labels" / f"{labels.stem}.mat") as temporary:
            temporary.write_bytes(content)
        return len(joints)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("people", nargs="+", metavar="VIDEO=LABELS")
    parser.add_argument("--out", type=Path, required=True, help="the folder")
    parser.add_argument("--height", type=int, help="largest height of a frame in pixels (default: as filmed)")
    arguments = parser.parse_args()
    for text in arguments.people:
        video, _, labels = text.partition("=")
        n = write_person(Path(video), Path(labels), arguments.out, arguments.height)
        print(f"{Path(labels).stem}: {n} frames")


if __name__ == "__main__":
    main()
