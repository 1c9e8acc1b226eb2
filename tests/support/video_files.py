"""Test clips whose frames show their own number, in every codec and container that the reader must get right.

A picture is a grid of 32-pixel blocks, large enough to survive any codec's quantisation:

    row 0, row 1   ten blocks, white or black: the number's bits, highest first
    row 2          white, black (so a turned or mirrored picture is noticed), then three blocks of moving texture,
                   which give the encoder something to predict, so that it really uses its B-frames
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.video.stream import VideoStream

BLOCK = 32
COLUMNS, ROWS = 5, 3
WIDTH, HEIGHT = COLUMNS * BLOCK, ROWS * BLOCK
BITS = 2 * COLUMNS
RATE = 25


def draw_number(number: int) -> np.ndarray:
    """The picture of ``number`` (0..1023): (96, 160, 3) uint8 RGB."""
    if not 0 <= number < 2**BITS:
        raise ValueError(f"expected a number of {BITS} bits, got {number}")
    bits = [(number >> (BITS - 1 - k)) & 1 for k in range(BITS)]
    blocks = np.array([*bits, 1, 0, 0, 0, 0], np.uint8).reshape(ROWS, COLUMNS) * 255
    picture = np.repeat(np.repeat(blocks, BLOCK, 0), BLOCK, 1)
    picture = np.repeat(picture[..., None], 3, 2)
    y, x = np.mgrid[0:BLOCK, 0 : 3 * BLOCK]
    wave = 128 + 90 * np.sin((x + 3 * number) / 7.0) * np.cos((y - 2 * number) / 5.0)
    picture[2 * BLOCK :, 2 * BLOCK :] = np.stack([wave, 255 - wave, np.full_like(wave, 90)], -1).astype(np.uint8)
    return picture


def read_number(picture: np.ndarray) -> int:
    """The number that a decoded picture shows.

    Raises:
        AssertionError: the picture has another size, is turned or mirrored, or a block is neither black nor white.
    """
    assert picture.shape == (HEIGHT, WIDTH, 3) and picture.dtype == np.uint8, (picture.shape, picture.dtype)
    inner = picture.reshape(ROWS, BLOCK, COLUMNS, BLOCK, 3)[:, 8:-8, :, 8:-8].mean((1, 3, 4)).ravel()[: BITS + 2]
    assert ((inner < 70) | (inner > 185)).all(), f"blocks are neither black nor white: {inner.round()}"
    assert inner[BITS] > 128 > inner[BITS + 1], "the picture is not upright"
    return int("".join("1" if value > 128 else "0" for value in inner[:BITS]), 2)


@contextmanager
def usual_scheduling() -> Iterator[None]:
    """Give the threads of this process their usual share of the machine again when the block ends.

    SVT-AV1 makes all its threads, and the one that calls it, real-time threads if the user is root. They would then
    keep every other process of a small machine waiting, and so would all processes that this one starts later.
    """
    try:
        yield
    finally:
        if hasattr(os, "sched_setscheduler"):
            for thread in os.listdir("/proc/self/task"):
                if os.sched_getscheduler(int(thread)) != os.SCHED_OTHER:
                    os.sched_setscheduler(int(thread), os.SCHED_OTHER, os.sched_param(0))


def write_clip(
    path: Path,
    pictures: Sequence[np.ndarray],
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    milliseconds: Sequence[int] | None = None,
    rotation: int = 0,
    container_options: dict[str, str] | None = None,
    pixel_format: str = "yuv420p",
) -> Path:
    """Encode pictures of one size into ``path`` (the container is chosen by its suffix).

    Args:
        pictures: each (H, W, 3) uint8 RGB.
        options: encoder settings, as FFmpeg names them.
        milliseconds: presentation time of each frame; by default ``RATE`` frames a second.
        rotation: degrees, counter-clockwise, that a player must turn the stored picture by (phones write this).
        container_options: muxer settings, as FFmpeg names them.
    """
    with usual_scheduling(), av.open(str(path), "w", options=container_options or {}) as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=RATE, options=options or {}))
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixel_format
        time_base = Fraction(1, RATE) if milliseconds is None else Fraction(1, 1000)
        stream.codec_context.time_base = time_base
        if rotation:
            stream.set_display_rotation(rotation)
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index if milliseconds is None else milliseconds[index]
            frame.time_base = time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def remux(
    source: Path, target: Path, first_key: int, hide: bool = False, container_options: dict[str, str] | None = None
) -> Path:
    """Copy a clip's packets, from its key frame number ``first_key`` on, without encoding them again.

    Args:
        hide: keep all packets, and only set the clock so that what lies before that key frame is not shown (an MP4
            says so by an edit list).
        container_options: muxer settings, as FFmpeg names them.
    """
    with av.open(str(source)) as reader, av.open(str(target), "w", options=container_options or {}) as writer:
        stream = reader.streams.video[0]
        copy = writer.add_stream_from_template(stream)
        packets = [packet for packet in reader.demux(stream) if packet.size]
        key = [packet for packet in packets if packet.is_keyframe][first_key]
        begin = key.pts
        for packet in packets if hide else packets[packets.index(key) :]:
            assert packet.pts is not None and packet.dts is not None and begin is not None, "no times to shift"
            packet.pts -= begin
            packet.dts -= begin
            packet.stream = copy
            writer.mux(packet)
    return target


_X264 = {"preset": "veryfast", "bf": "3", "g": "12", "crf": "20", "threads": "1"}
_CLOSED = {**_X264, "x264-params": "open-gop=0:b-adapt=0:scenecut=0"}
_OPEN = {**_X264, "x264-params": "open-gop=1:b-adapt=0:scenecut=0"}
_HEVC = "keyint=12:min-keyint=12:bframes=3:open-gop=1:b-adapt=0:scenecut=0:log-level=none:pools=1:frame-threads=1"
_LIBVPX = {"g": "20", "b": "600k", "auto-alt-ref": "1", "lag-in-frames": "10", "threads": "1"}
_MPEG = {"bf": "2", "g": "12", "b": "1500k"}

# name → (suffix, encoder, encoder settings)
CODECS: dict[str, tuple[str, str, dict[str, str]]] = {
    "h264_closed_gop": (".mp4", "libx264", _CLOSED),
    "h264_open_gop": (".mp4", "libx264", _OPEN),
    "h264_vfr": (".mp4", "libx264", _CLOSED),
    "h264_matroska": (".mkv", "libx264", _OPEN),
    "h264_transport_stream": (".ts", "libx264", _OPEN),
    "h264_avi": (".avi", "libx264", _OPEN),
    "h264_raw": (".h264", "libx264", _OPEN),
    "hevc": (".mp4", "libx265", {"preset": "ultrafast", "x265-params": _HEVC}),
    "vp9": (".webm", "libvpx-vp9", {**_LIBVPX, "deadline": "realtime", "cpu-used": "8"}),
    "vp8": (".webm", "libvpx", {**_LIBVPX, "deadline": "realtime", "cpu-used": "8"}),
    "mpeg4_avi": (".avi", "mpeg4", _MPEG),
    "mpeg4_mp4": (".mp4", "mpeg4", _MPEG),
    "mpeg4_transport_stream": (".ts", "mpeg4", _MPEG),
    "mpeg2_program_stream": (".mpg", "mpeg2video", _MPEG),
    "av1": (".mp4", "libsvtav1", {"preset": "8", "crf": "20", "g": "12", "svtav1-params": "lp=1"}),
}


def has_encoder(name: str) -> bool:
    """Whether the installed PyAV can encode with ``name``."""
    try:
        Codec(name, "w")
    except UnknownCodecError:
        return False
    return True


def write_numbered(folder: Path, name: str, count: int = 60, **settings: Any) -> Path:
    """A clip of ``CODECS[name]`` whose frame i shows i; ``settings`` go to :func:`write_clip`."""
    suffix, codec, options = CODECS[name]
    return write_clip(folder / f"{name}{suffix}", [draw_number(i) for i in range(count)], codec, options, **settings)
