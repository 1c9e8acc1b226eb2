"""Small pictures of a clip for the page, made one at a time in a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dkd.errors import VideoError
from dkd.video.clip import Clip
from dkd.video.protocols import mean_rate
from widgets.core.wire import JPEG_QUALITY
from widgets.studio.listing import list_pictured_samples
from widgets.studio.worker import Cancelled, Worker

MAX_SIDE = 1280  # pixels of the larger side of a picture
MAX_THUMBNAILS = 48
THUMBNAIL_HEIGHT = 96
SAMPLE_HEIGHT = 150
CACHE_BYTES = 64 * 2**20

Send = Callable[[dict[str, Any], list[bytes]], object]


def encode(frame: np.ndarray, height: int, aspect: float = 1.0) -> bytes:
    """Encode (H, W, 3) uint8 RGB as JPEG, at most ``height`` high and ``MAX_SIDE`` wide; never enlarged.

    Args:
        frame: the picture.
        height: largest height in pixels.
        aspect: width / height of a pixel; the JPEG has square ones.
    """
    h, w = frame.shape[:2]
    scale = min(1.0, height / h, MAX_SIDE / (w * aspect))
    size = max(1, round(w * aspect * scale)), max(1, round(h * scale))
    if size != (w, h):
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return data.tobytes()


def coarse_to_fine(count: int) -> Iterator[int]:
    """Yield 0..count−1 so that any beginning of the sequence is spread over the whole: 0, 8, 4, 12, 2, …"""
    seen = set()
    step = 1 << max(0, (count - 1).bit_length())
    while step:
        for i in range(0, count, step):
            if i not in seen:
                seen.add(i)
                yield i
        step //= 2


def spread(first: int, stop: int, count: int) -> list[int]:
    """Return ``count`` frames (fewer in a short range) in the middle of equal parts of ``first``..``stop`` − 1."""
    count = max(1, min(count, stop - first))
    return [first + int((i + 0.5) * (stop - first) / count) for i in range(count)]


class Pictures:
    """Pictures of one clip. It is opened a second time here, so that looking at frames does not disturb a trace.

    Args:
        send: sends a message with buffers to the page; called in a thread.
        on_error: called with an exception, in the thread.
    """

    def __init__(self, send: Send, on_error: Callable[[str, Exception], object]):
        self._send = send
        self._worker = Worker("studio pictures", ("frame", "thumbnails", "samples"), on_error)
        self._clip: Any = None
        self._generation = 0

    def show(self, clip: Any, generation: int) -> None:
        """Make pictures of another clip from now on, or of none."""
        self._worker.cancel("frame", "thumbnails")
        self._clip, self._generation = clip, generation

    def frame(self, number: int, height: int) -> None:
        """Send a frame, at most ``height`` high; only the latest request is answered."""

        def job(cancelled: Cancelled) -> None:
            clip, generation = self._clip, self._generation
            if clip is not None and not cancelled():
                about = {"type": "frame", "frame": number, "generation": generation}
                try:
                    picture = clip.frame(number)
                except VideoError as error:
                    self._send({**about, "problem": str(error)}, [])
                    return
                self._send(about, [encode(picture, height, float(getattr(clip, "pixel_aspect", 1)))])

        self._worker.do("frame", job)

    def thumbnails(self, first: int, stop: int, count: int) -> None:
        """Send thumbnails that are spread over a range, the coarse ones first; a frame is more urgent."""
        frames = spread(first, stop, min(count, MAX_THUMBNAILS))
        order = list(coarse_to_fine(len(frames)))

        def job(cancelled: Cancelled) -> None:
            clip, generation = self._clip, self._generation
            if clip is None or not order or cancelled():
                return
            i = order.pop(0)
            about = {"type": "thumbnail", "index": i, "of": len(frames), "frame": frames[i], "generation": generation}
            try:
                picture = encode(clip.frame(frames[i]), THUMBNAIL_HEIGHT, float(getattr(clip, "pixel_aspect", 1)))
            except VideoError:
                pass  # a damaged frame: its place stays empty, and the player says why
            else:
                self._send({**about, "window": [first, stop]}, [picture])
            if order and not cancelled():
                self._worker.do("thumbnails", job)

        self._worker.do("thumbnails", job)

    def samples(self) -> None:
        """Send a picture of each sample clip."""

        def job(cancelled: Cancelled) -> None:
            for sample in list_pictured_samples():
                if cancelled():
                    return
                with Clip(Path(sample["path"]), cache_bytes=0) as clip:
                    picture = encode(clip.frame(0), SAMPLE_HEIGHT)
                    self._send({"type": "sample", **sample, "text": facts(clip)}, [picture])

        self._worker.do("samples", job)

    def close(self) -> None:
        """Stop."""
        self._worker.close()
        self._clip = None


def facts(clip: Any) -> str:
    """Return size and length of a clip in words: ``1920×1080, 12.0 s, 300 frames``."""
    n = len(clip)
    return f"{clip.width}×{clip.height}, {duration(n / mean_rate(clip))}, {n:,} frame{'s' * (n > 1)}"


def duration(seconds: float) -> str:
    """Format a duration: ``9.5 s``, ``2 min 05 s``, ``1 h 02 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
