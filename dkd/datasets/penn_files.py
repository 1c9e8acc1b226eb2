"""Label files in Penn Action's format, for people that are labelled or rendered here."""

from __future__ import annotations

import io

import numpy as np
from scipy.io import savemat

from dkd.pose.skeleton import get_skeleton

SKELETON = "penn_action"
MAT_HEADER = b"MATLAB 5.0 MAT-file, written by DKD Workbench".ljust(116)  # SciPy's default contains the date


def penn_labels(
    joints: np.ndarray,
    visible: np.ndarray,
    boxes: np.ndarray,
    size: tuple[int, int],
    *,
    action: str,
    view: str,
    train: bool,
) -> bytes:
    """Encode the labels of one person as one of Penn Action's ``.mat`` files: pixel coordinates counted from 1.

    In each pair of joints the subject's right one comes first, as in the real files; see
    :mod:`dkd.datasets.penn_action`, which swaps them.

    Args:
        joints: (T, 13, 2) pixel indices in the order of the skeleton "penn_action". A joint with NaN is written as one
            that was never placed: hidden, at the corner pixel.
        visible: (T, 13) bool.
        boxes: (T, 4) x0, y0, x1, y1, clipped to the picture.
        size: height and width of the pictures.
        action, view: texts, not empty.
        train: whether it belongs to the training split.
    """
    n_frames, (height, width) = len(joints), size
    right_first = list(get_skeleton(SKELETON).flip_permutation)
    placed = np.isfinite(joints).all(-1)
    at = np.where(placed[..., None], joints.astype(np.float64) + 1, 1.0)[:, right_first]
    content = {
        "action": action,
        "pose": view,
        "x": at[..., 0],
        "y": at[..., 1],
        "visibility": (visible & placed)[:, right_first].astype(np.float64),
        "train": 1.0 if train else -1.0,
        "bbox": np.clip(boxes, 0, [width - 1, height - 1] * 2).astype(np.float64) + 1,
        "dimensions": np.array([height, width, n_frames], np.float64),
        "nframes": float(n_frames),
    }
    out = io.BytesIO()
    savemat(out, content, do_compression=True)
    data = out.getvalue()
    return MAT_HEADER + data[len(MAT_HEADER) :]
