"""A clip as a phone writes it: upright only by its display matrix, its frames at uneven times; from a filmed clip."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from dkd.video.clip import Clip
from tests.support.video_files import write_clip

N_FRAMES, SECONDS = 300, 30
LEFT, WIDTH, HEIGHT = 548, 400, 720  # of the filmed clip, where the person stays
SCALE = 0.5
SIZE = (int(WIDTH * SCALE), int(HEIGHT * SCALE))


def _filmed_frame(i: int, n: int) -> int:
    """The frame of the filmed clip that is shown in frame ``i``: forwards to its end, and back."""
    j = round(i * 2.4) % (2 * n - 2)
    return min(j, 2 * n - 2 - j)


def write_phone_clip(shared_data: Path, path: Path) -> Path:
    """Write a man with a ball as a portrait clip of 30 seconds and 300 frames."""
    with Clip(shared_data / "videos" / "sam2_juggle.mp4") as clip:
        n = len(clip)
        wanted = [_filmed_frame(i, n) for i in range(N_FRAMES)]
        small = {
            j: cv2.resize(clip.frame(j)[:, LEFT : LEFT + WIDTH], SIZE, interpolation=cv2.INTER_AREA)
            for j in sorted(set(wanted))
        }
    stored = [np.ascontiguousarray(np.rot90(small[j], -1)) for j in wanted]
    jitter = np.random.default_rng(0).integers(-25, 26, N_FRAMES)
    milliseconds = (np.arange(N_FRAMES) * 1000 * SECONDS // N_FRAMES + jitter).clip(0)
    options = {"preset": "veryfast", "crf": "20", "g": "30"}
    return write_clip(path, stored, options=options, milliseconds=[int(t) for t in milliseconds], rotation=90)


def phone_person(shared_data: Path, frame: int) -> tuple[float, float, float, float]:
    """Box of the man in a frame of the phone clip, from machine labels, head and feet included."""
    labels = np.load(shared_data / "labels" / "sam2_juggle.npz")["consensus17"]
    joints = labels[_filmed_frame(frame, len(labels))]
    (x0, y0), (x1, y1) = np.nanmin(joints, 0), np.nanmax(joints, 0)
    margin = 0.12 * (y1 - y0)
    box = (x0 - margin - LEFT, y0 - margin, x1 + margin - LEFT, y1 + margin)
    limits = (*SIZE, *SIZE)
    return tuple(float(np.clip(v * SCALE, 0, limit)) for v, limit in zip(box, limits, strict=True))  # type: ignore[return-value]
