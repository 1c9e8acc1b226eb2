"""Pictures of a page, exact by index: stills in WebP, or a film in VP9, in parts that are decoded on their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from dkd.errors import ConfigError

WEBP, VP9 = "image/webp", "vp09.00.31.08"
KINDS = ("auto", "stills", "film")


@dataclass(frozen=True)
class Look:
    """How large and how good pictures are.

    Attributes:
        height: pixels; lower frames keep their size.
        quality: of WebP, 1..100; of VP9 the quantiser, 0..63, where less is better.
        film: whether it is VP9, else WebP.
    """

    height: int
    quality: int
    film: bool = False

    @property
    def type(self) -> str:
        """MIME type of a still, or the codec of a film."""
        return VP9 if self.film else WEBP

    def __str__(self) -> str:
        how = f"VP9 quantiser {self.quality}" if self.film else f"WebP quality {self.quality}"
        return f"at most {self.height} pixels high, {how}"


# From the best to the smallest that still shows where a joint is.
STILLS = (
    Look(720, 80), Look(720, 65), Look(720, 50), Look(720, 35), Look(540, 45), Look(540, 30), Look(432, 35),
    Look(360, 35), Look(288, 30),
)  # fmt: skip
FILMS = (Look(720, 28, True), Look(720, 36, True), Look(720, 44, True), Look(540, 44, True), Look(360, 44, True))


def looks(kind: str) -> tuple[Look, ...]:
    """Return the looks of a kind of pictures, the best first.

    Stills are shown by every browser, so ``"auto"`` takes them where good ones fit, else a film.

    Raises:
        ConfigError: the kind is unknown.
    """
    if kind not in KINDS:
        raise ConfigError(f"expected pictures as one of {', '.join(KINDS)}, got {kind!r}")
    return {"stills": STILLS, "film": FILMS, "auto": (*STILLS[:2], *FILMS)}[kind]


def shrunk(frame: np.ndarray, height: int) -> np.ndarray:
    """Return a frame (H, W, 3) at most ``height`` pixels high."""
    if frame.shape[0] <= height:
        return frame
    size = (max(1, round(frame.shape[1] * height / frame.shape[0])), height)
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA)


def encode(frames: Sequence[np.ndarray], look: Look) -> list[bytes]:
    """Encode the frames of a chunk, (H, W, 3) uint8 RGB: a picture each, or the packets of a film that begins there."""
    small = [shrunk(frame, look.height) for frame in frames]
    if look.film:
        return _film(small, look.quality)
    encoded = []
    for frame in small:
        options = [cv2.IMWRITE_WEBP_QUALITY, look.quality]
        encoded.append(cv2.imencode(".webp", np.ascontiguousarray(frame[..., ::-1]), options)[1].tobytes())
    return encoded


def _film(frames: Sequence[np.ndarray], quantiser: int) -> list[bytes]:
    """Encode frames as VP9: one packet for each, in order, the first a key frame; BT.709, limited range."""
    context = av.CodecContext.create("libvpx-vp9", "w")
    height, width = frames[0].shape[:2]
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 30), Fraction(30)
    context.thread_count = 1
    # No frame is looked ahead at, and none is hidden: the n-th packet is the n-th frame.
    context.options = {
        "crf": str(quantiser), "b": "0", "deadline": "good", "cpu-used": "4", "lag-in-frames": "0", "auto-alt-ref": "0",
    }  # fmt: skip
    packets = []
    for i, frame in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        picture.pts = i
        packets += context.encode(picture)
    packets += context.encode(None)
    if len(packets) != len(frames) or not packets[0].is_keyframe:
        raise ConfigError(f"expected {len(frames)} packets of VP9, got {len(packets)}; choose pictures='stills'")
    return [bytes(packet) for packet in packets]
