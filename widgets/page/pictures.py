"""Pictures of a page: stills in WebP, one per frame, so each frame is exact by its index and none waits for another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

TYPE = "image/webp"


@dataclass(frozen=True)
class Look:
    """How large and how good pictures are.

    Attributes:
        height: pixels; lower frames keep their size.
        quality: of WebP, 1..100.
    """

    height: int
    quality: int

    def __str__(self) -> str:
        return f"at most {self.height} pixels high, WebP quality {self.quality}"


# From the best to the smallest that still shows where a joint is.
LOOKS = (
    Look(720, 80), Look(720, 65), Look(720, 50), Look(720, 35), Look(540, 45), Look(540, 30), Look(432, 35),
    Look(360, 35), Look(288, 30),
)  # fmt: skip


def encode(frame: np.ndarray, look: Look) -> bytes:
    """Encode (H, W, 3) uint8 RGB as WebP."""
    height, width = frame.shape[:2]
    if height > look.height:
        size = (max(1, round(width * look.height / height)), look.height)
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    picture = np.ascontiguousarray(frame[..., ::-1])
    _, data = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, look.quality])
    return data.tobytes()


def mean_bytes(frames: Iterable[np.ndarray], look: Look) -> float:
    """Return the mean size in bytes of some frames with this look."""
    return float(np.mean([len(encode(frame, look)) for frame in frames]))
