"""decord reader of a clip: frames in order from the first on, for a file on which it was proven equal to PyAV.

Not thread-safe: the clip that owns a reader holds a lock.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np


class DecordUnfitError(Exception):
    """decord is not installed, or cannot be trusted with this file; the message says why."""


class DecordReader:
    """Frames in order from the first on, decoded by decord.

    decord's seeks are silently wrong in several codecs, so there are none here: ``position`` is the only frame that
    can be read, and ``rewind`` goes back to frame 0.

    Args:
        path: the file.
        n_frames: number of frames that PyAV counts; decord must count as many.

    Raises:
        DecordUnfitError: raised by all methods.
    """

    def __init__(self, path: Path, n_frames: int):
        try:
            import decord
        except (ImportError, OSError) as error:  # OSError: libraries in the wheel that cannot be loaded on this machine
            raise DecordUnfitError(f"decord is not installed ({error})") from error
        decord.logging.set_level(decord.logging.QUIET)
        self._decord = decord
        self._path = path
        self._n_frames = n_frames
        self.rewind()

    def prove(self, frames: Iterator[np.ndarray]) -> None:
        """Compare every frame with PyAV's ``frames``, then go back to frame 1 (the clip has frame 0 already).

        A sample would not do: two video tracks may both begin in black, and a file may change its size in the middle.
        """
        for number, frame in enumerate(frames):
            if not np.array_equal(self.read(), frame):
                raise DecordUnfitError(f"frame {number} decoded by decord differs from PyAV's")
        self.rewind()
        self.read()

    def rewind(self) -> None:
        """Go back to frame 0."""
        self.position = 0
        try:
            path = os.path.abspath(self._path)  # a relative name with a colon would be taken for a server's address
            self._reader = self._decord.VideoReader(path, num_threads=min(4, os.cpu_count() or 1))
            count = len(self._reader)
        except Exception as error:  # decord raises DECORDError, RuntimeError or AssertionError for the same failure
            raise DecordUnfitError(f"decord cannot open it ({_first_line(error)})") from error
        if count != self._n_frames:
            raise DecordUnfitError(f"decord counts {count} frames where there are {self._n_frames}")

    def read(self) -> np.ndarray:
        """The frame at ``position`` as (H, W, 3) uint8 RGB, upright; ``position`` moves on by one."""
        try:
            frame = self._reader.next()
            # Another library may have configured decord, for this thread, to return torch tensors.
            image: np.ndarray = frame.asnumpy() if hasattr(frame, "asnumpy") else frame.numpy()
        except Exception as error:
            raise DecordUnfitError(f"decord fails at frame {self.position} ({_first_line(error)})") from error
        self.position += 1
        return image


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:120]
