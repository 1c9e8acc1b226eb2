"""Parts of a clip's frames around a tracked person, kept so that another run over them need not decode them again.

A what-if looks at nearly the same squares as the run that it changes. Of each frame, the square with a margin is kept,
at the resolution from which the network's input is resampled: 0.1 to 0.6 MB, where a frame of 1080p has 6 MB. What is
resampled from it is the same, bit by bit, as from the whole frame. Where even the square is the same, so are the
network's features, which do not depend on kernels: they are kept too.
"""

from __future__ import annotations

import threading

import numpy as np
from torch import Tensor

from dkd.pose.crops import Area, Crop

MARGIN = 0.1  # of the square's side, around it: in filmed clips, squares of what-ifs were up to 6 % of it elsewhere
# Bytes of one store, of patches and of features; beyond it nothing is added, so that at least the first frames stay.
LIMIT = FEATURES_LIMIT = 128 * 2**20


class Patches:
    """Patches of one person in one clip, shared by a trace and the traces made from it. Any thread may use it.

    Args:
        width, height: size of the frames in pixels.
        size: side of the network's input.
        limit: most bytes that are kept.

    Attributes:
        nbytes: bytes that are kept.
        hits: how often a patch was used instead of a frame.
        features_hits: how often features were used again.
    """

    def __init__(self, width: int, height: int, size: int, limit: int = LIMIT):
        self.nbytes = self.hits = self.features_hits = 0
        self._size, self._limit = size, limit
        self._width, self._height = width, height
        self._kept: dict[int, tuple[Area, np.ndarray]] = {}
        self._whole: np.ndarray | None = None  # a frame of which only the patch that is in use is valid
        self._features: dict[int, tuple[Crop, Tensor]] = {}
        self._features_bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, t: int) -> bool:
        return t in self._kept

    def get(self, t: int, square: Crop) -> np.ndarray | None:
        """Return the square of frame t as (N, N, 3) uint8 RGB; ``None`` if it is not within what is kept."""
        needed = square.area(self._size, self._width, self._height)
        with self._lock:
            area, patch = self._kept.get(t, (None, None))
            if area is None or patch is None or not area.contains(needed):
                return None
            self.hits += 1
            if needed.block > 1:
                part = patch[needed.y0 - area.y0 : needed.y1 - area.y0, needed.x0 - area.x0 : needed.x1 - area.x0]
                return square.resample(part, self._size, needed)
            # Coordinates within a part of the frame would be rounded differently, by one grey level here and there.
            if self._whole is None:
                self._whole = np.zeros((self._height, self._width, 3), np.uint8)
            self._whole[area.y0 : area.y1, area.x0 : area.x1] = patch
            return square.resample(self._whole, self._size, needed)

    def put(self, t: int, image: np.ndarray, square: Crop) -> np.ndarray:
        """Keep the part of frame t around a square if there is room, and return the square as :meth:`get` does.

        Args:
            t: index of the frame in the clip.
            image: the frame, (H, W, 3) uint8 RGB.
            square: the crop of the network.
        """
        needed = square.area(self._size, self._width, self._height)
        area = needed.grown(MARGIN, self._width, self._height)
        n_bytes = 3 * (area.x1 - area.x0) * (area.y1 - area.y0)
        with self._lock:
            if (old := self._kept.pop(t, None)) is not None:  # another square of the frame takes its place
                self.nbytes -= old[1].nbytes
            if not 0 < n_bytes <= self._limit - self.nbytes:
                return square.extract(image, self._size)
            patch = np.array(area.take(image))
            self._kept[t] = area, patch
            self.nbytes += patch.nbytes
        if needed.block == 1:
            return square.resample(image, self._size, needed)
        part = patch[needed.y0 - area.y0 : needed.y1 - area.y0, needed.x0 - area.x0 : needed.x1 - area.x0]
        return square.resample(part, self._size, needed)

    def features(self, t: int, square: Crop) -> Tensor | None:
        """Return the features of exactly this square of frame t, if they are kept."""
        kept = self._features.get(t)
        if kept is None or kept[0] != square:
            return None
        self.features_hits += 1
        return kept[1]

    def put_features(self, t: int, square: Crop, features: Tensor) -> None:
        """Keep the features (1, C, H, W) of a square of frame t if there is room. They must not be changed later."""
        with self._lock:
            if t not in self._features and self._features_bytes + features.nbytes > FEATURES_LIMIT:
                return
            self._features_bytes += 0 if t in self._features else features.nbytes
            self._features[t] = square, features

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._kept.clear()
            self._features.clear()
            self._whole, self.nbytes, self._features_bytes = None, 0, 0
