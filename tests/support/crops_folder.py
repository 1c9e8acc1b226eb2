"""Small drawn folders of person crops with labels and of labelled videos, with the structure of the real ones."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.support.dotted_people import dotted_person
from tests.support.video_files import write_clip

# Upright in LSP's order: ankles, knees and hips of both sides, wrists, elbows and shoulders, neck, head top.
STANDING = np.array(
    [
        (90, 190), (90, 150), (90, 110), (120, 110), (120, 150), (120, 190), (70, 110), (75, 80), (85, 50), (125, 50),
        (135, 80), (140, 110), (105, 45), (105, 20),
    ],
    np.float32,
)  # fmt: skip
# COCO's body joints, shoulders to ankles, left first, by their places in LSP's order.
_FROM_LSP = (9, 8, 10, 7, 11, 6, 3, 2, 4, 1, 5, 0)


def standing_coco() -> np.ndarray:
    """Return the same person in COCO's order, (17, 2)."""
    face = np.array([(105, 32), (108, 30), (102, 30), (112, 33), (98, 33)], np.float32)
    return np.concatenate([face, STANDING[list(_FROM_LSP)]])


def crop_labels(n: int) -> dict[str, np.ndarray]:
    """Create the arrays of a label file for ``n`` standing people, numbered from 1; all labels agree to a pixel."""
    human = np.concatenate([np.stack([STANDING] * n), np.ones((n, 14, 1), np.float32)], -1)
    coco = np.concatenate([np.stack([standing_coco()] * n), np.full((n, 17, 1), 0.9, np.float32)], -1)
    return {"index": np.arange(1, n + 1, dtype=np.int32), "joints": human, "movenet": coco, "blazepose": coco + 1}


def write_crops(folder: Path, n: int = 40, **changed: Any) -> Path:
    """Write ``crops.zip`` with ``n`` stills of dots and ``labels.npz``, with optional changes of its arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "crops.zip", "w") as archive:
        for number in range(1, n + 1):
            image = dotted_person(number).images[0][..., ::-1]
            archive.writestr(f"{number:05d}.jpg", cv2.imencode(".jpg", image)[1].tobytes())
    np.savez(folder / "labels.npz", **{**crop_labels(n), **changed})
    return folder


def write_videos(folder: Path, names: tuple[str, ...] = ("a", "b"), n_frames: int = 6) -> Path:
    """Write ``videos/NAME.mp4`` of dots and ``labels/NAME.npz``; in the last frame the networks disagree on an
    ankle."""
    for name in ("videos", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    agree = np.ones((n_frames, 17), bool)
    agree[-1, 16] = False
    for seed, name in enumerate(names):
        write_clip(folder / "videos" / f"{name}.mp4", list(dotted_person(seed, n_frames).images))
        coco = np.stack([standing_coco() + 2 * t for t in range(n_frames)])
        np.savez(folder / "labels" / f"{name}.npz", consensus17=coco, agree=agree)
    return folder
