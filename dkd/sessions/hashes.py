"""Hashes that tell whether a video, a model or a track is still the one that a session was saved with."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dkd.errors import VideoError
from dkd.models.base import VideoPoseModel
from dkd.video.folders import is_images, list_images

PART = 2**20  # bytes
MOST_PARTS = 64


def hash_video(path: Path) -> str:
    """Return the SHA-256 of a video file, of a folder of images, or of numbered images, in hexadecimal.

    At most 64 MiB are read, so that it takes less than a second whatever the size (our decision). Of a file up to 64
    MiB, that is all of it. Of a larger one, it is its size and 64 parts of 1 MiB at equal distances, the first at its
    start and the last at its end: a file that was cut, encoded again or replaced differs, single changed bytes
    elsewhere stay unseen. Of images, it is all names and sizes, and the contents of up to 64 of them.

    Raises:
        VideoError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        if not is_images(path):
            size = path.stat().st_size
            digest.update(f"file {size}\n".encode())
            with path.open("rb") as video:
                for begin in _begins(size):
                    video.seek(begin)
                    digest.update(video.read(PART))
            return digest.hexdigest()
        files = list_images(path, None).files
        for file in files:
            digest.update(f"{len(file.name)} {file.name} {file.stat().st_size}\n".encode("utf-8", "surrogateescape"))
        for k in sorted({round(k) for k in np.linspace(0, len(files) - 1, MOST_PARTS)}):
            with files[k].open("rb") as image:
                digest.update(image.read(PART))
    except OSError as error:
        raise VideoError(f"{os.fspath(path)!r} cannot be read ({error.strerror}); check its permissions") from error
    return digest.hexdigest()


def _begins(size: int) -> Iterator[int]:
    """Yield where the parts of a file begin."""
    if size <= MOST_PARTS * PART:
        yield from range(0, size, PART)
        return
    for k in range(MOST_PARTS):
        yield (size - PART) * k // (MOST_PARTS - 1)


def hash_weights(model: VideoPoseModel) -> str:
    """Return the SHA-256 of a model's weights and buffers: their names, shapes, types and values in memory order."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        values = np.ascontiguousarray(tensor.detach().cpu().numpy())
        digest.update(f"{name} {values.shape} {values.dtype.str}\n".encode())
        digest.update(values.data)
    return digest.hexdigest()


def hash_joints(joints: np.ndarray) -> str:
    """Return the SHA-256 of joints (T, J, 2): equal only if all numbers are the same bit for bit, NaN included."""
    values = np.ascontiguousarray(joints, np.float32)
    return hashlib.sha256(f"{values.shape}\n".encode() + values.tobytes()).hexdigest()
