"""Filmstrips of the clips in sight: the person in some frames, made in a thread while the table is looked at."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable

import cv2
import numpy as np

from dkd.errors import DKDError
from dkd.io.background import is_ending, start_thread
from dkd.studies.sources import is_url
from dkd.studies.study import Study
from dkd.video.clip import Clip

PICTURES = 5
SIDE = 84  # pixels of a picture: three for each CSS pixel of a row
MARGIN = 1.3  # side of the square, in units of the larger side of the joints' box
KEPT = 400  # strips
_QUALITY = 80


class Strips:
    """Makes the strips that are wanted, the latest request first, and keeps some of them.

    Args:
        study: the study.
        ready: called in the thread with the name of a row and its strip, a JPEG.
    """

    def __init__(self, study: Study, ready: Callable[[str, bytes], object]):
        self._study, self._ready = study, ready
        self._lock = threading.Lock()
        self._wanted: deque[str] = deque()
        self._known: OrderedDict[str, bytes | None] = OrderedDict()
        self._thread: threading.Thread | None = None
        self._closed = False

    def want(self, names: Iterable[str]) -> None:
        """Make strips of these rows, instead of those that were wanted before."""
        with self._lock:
            self._wanted = deque(names)
            if self._thread is None and self._wanted and not self._closed:
                self._thread = start_thread(self._work, name="filmstrips")

    def forget(self) -> None:
        """Forget the strips, since the results may have changed."""
        with self._lock:
            self._known.clear()

    def wait(self) -> None:
        """Wait until all that is wanted is made."""
        while (thread := self._thread) is not None:
            thread.join()

    def close(self) -> None:
        """Make no more strips."""
        with self._lock:
            self._closed = True
        if self._thread is not threading.current_thread():
            self.wait()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._wanted or self._closed or is_ending():
                    self._thread = None
                    return
                name = self._wanted.popleft()
                is_known = name in self._known
            strip = self._known.get(name) if is_known else strip_of(self._study, name)
            with self._lock:
                self._known[name] = strip
                self._known.move_to_end(name)
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)
                if self._closed:
                    continue
            if strip is not None:
                self._ready(name, strip)


def strip_of(study: Study, name: str) -> bytes | None:
    """Return pictures of the person in frames that are spread over a clip, side by side, as JPEG.

    ``None`` if nothing is stored, the video cannot be read, or it would have to be fetched from an object store.
    """
    try:
        row = study.row(name)
        if is_url(row.video):
            return None
        table = study.joints_of(name, ["frame", "x", "y"])
        frames = table["frame"].unique()
        joints = table[["x", "y"]].to_numpy(float).reshape(len(frames), -1, 2)
        n = min(PICTURES, len(frames))
        with Clip(study.video(row), cache_bytes=0) as clip:
            pictures = [
                person_in(clip.frame(int(frames[t])), joints[t])
                for t in (int((i + 0.5) * len(frames) / n) for i in range(n))
            ]
    except DKDError:
        return None
    if not pictures:
        return None
    sheet = np.ascontiguousarray(np.concatenate(pictures, axis=1)[..., ::-1])
    return bytes(cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1])


def person_in(frame: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Return the square around joints (J, 2) of a frame (H, W, 3), scaled to :data:`SIDE` pixels; grey outside.

    Without joints, the square is the middle of the frame.
    """
    height, width = frame.shape[:2]
    known = joints[np.isfinite(joints).all(-1)]
    low, high = (known.min(0), known.max(0)) if len(known) else (np.zeros(2), np.array([width, height], float))
    side = min(height, width) if not len(known) else max(MARGIN * float((high - low).max()), 8.0)
    side = int(round(min(side, 2.0 * max(height, width))))
    left, top = (int(round(float(edge))) for edge in np.clip((low + high) / 2, 0, (width, height)) - side / 2)
    square = np.full((side, side, 3), 128, np.uint8)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    square[y0 - top : y1 - top, x0 - left : x1 - left] = frame[y0:y1, x0:x1]
    way = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (SIDE, SIDE), interpolation=way), np.uint8)
