"""Reading ahead: a thread decodes the next frames of a clip while a model works on the current one."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from dkd.video.clip import Clip
from dkd.video.protocols import ClipLike
from dkd.video.ranges import Backwards, ClipRange

DEPTH = 4  # frames that wait at most: 25 MB at 1080p
_WORTH_IT = 4  # frames; fewer are read as they are needed


class Ahead:
    """A clip whose next frames are read by a thread; every frame is the one that the clip itself returns.

    Frames that are not in ``order``, or not read in that order, are read from the clip directly. So is a frame that
    cannot be read: the error is then raised where the frame is asked for. Use :func:`reading_ahead`.

    Args:
        clip: the clip; any number of threads may read it.
        order: the frames in the order in which they will be asked for.
    """

    def __init__(self, clip: ClipLike, order: Sequence[int]):
        self._clip = clip
        self._order = [t for i, t in enumerate(order) if i == 0 or t != order[i - 1]]
        self._next = 0  # index in the order of the frame that the thread reads next, or is reading
        self._ready: dict[int, tuple[int, np.ndarray]] = {}  # by number: index in the order, and the frame
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="dkd-reading-ahead", daemon=True)
        self._thread.start()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clip, name)

    def __len__(self) -> int:
        return len(self._clip)

    def frame(self, t: int) -> np.ndarray:
        """Return frame ``t`` of the clip."""
        with self._changed:
            while not self._ended and t not in self._ready and t in self._order[self._next : self._next + DEPTH]:
                self._forget(self._next)  # otherwise the thread may wait for room, and this call for the thread
                self._changed.wait()
            if t in self._ready:
                index, image = self._ready[t]
                self._forget(index)
                return image
        return self._clip.frame(t)

    def _forget(self, index: int) -> None:
        """Drop frames that come before this one in the order, which were asked for, or never will be."""
        for t in [t for t, (i, _) in self._ready.items() if i < index]:
            del self._ready[t]
        self._changed.notify_all()

    def _work(self) -> None:
        for index, t in enumerate(self._order):
            with self._changed:
                self._next = index
                self._changed.wait_for(lambda: self._ended or len(self._ready) < DEPTH)
                if self._ended:
                    return
            try:
                image = self._clip.frame(t)
            except Exception:  # it is raised again where the frame is asked for
                break
            with self._changed:
                self._ready[t] = index, image
                self._changed.notify_all()
        with self._changed:
            self._next = len(self._order)
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """End the thread; frames are then read from the clip directly."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join()
        self._ready.clear()


def is_decoded(clip: ClipLike) -> bool:
    """Return whether a clip's frames are decoded from files, by a reader for any number of threads."""
    if isinstance(clip, (ClipRange, Backwards)):
        return is_decoded(clip.clip)
    return isinstance(clip, Clip) and clip.backend != "memory"


@contextmanager
def reading_ahead(clip: ClipLike, order: Sequence[int]) -> Iterator[ClipLike]:
    """Read the next frames of a clip ahead: see :class:`Ahead`. Other clips than files are yielded unchanged."""
    if len(order) < _WORTH_IT or not is_decoded(clip):
        yield clip
        return
    ahead = Ahead(clip, order)
    try:
        yield ahead
    finally:
        ahead.close()
