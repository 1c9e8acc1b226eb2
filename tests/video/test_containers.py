"""Every codec in every container that FFmpeg writes: what is exact, applied and detected. A table of docs/video.md."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest
from av.error import FFmpegError

from dkd import Clip
from dkd.errors import VideoError
from tests.support.video_files import CODECS, RATE, draw_number, read_number, write_clip

N = 24
PICTURES = [draw_number(i) for i in range(N)]
TURNED = [np.ascontiguousarray(np.rot90(picture, -1)) for picture in PICTURES]
IRREGULAR_MS = np.cumsum(np.random.default_rng(2).choice([20, 40, 60, 100], N)).tolist()
IRREGULAR_MS = [t - IRREGULAR_MS[0] for t in IRREGULAR_MS]
_LIBVPX = {"deadline": "good", "cpu-used": "8", "threads": "1", "g": "12", "b": "600k"}
_MPEG = {"bf": "2", "g": "12", "b": "1500k"}
# name → (encoder, settings, pixel format, ending of the raw stream)
KINDS = {
    "H.264": ("libx264", CODECS["h264_open_gop"][2], "yuv420p", ".h264"),
    "HEVC": ("libx265", CODECS["hevc"][2], "yuv420p", ".h265"),
    "VP8": ("libvpx", _LIBVPX, "yuv420p", ".ivf"),
    "VP9": ("libvpx-vp9", _LIBVPX, "yuv420p", ".ivf"),
    "AV1": ("libsvtav1", CODECS["av1"][2], "yuv420p", ".obu"),
    "MPEG-4": ("mpeg4", _MPEG, "yuv420p", ".m4v"),
    "MPEG-2": ("mpeg2video", _MPEG, "yuv420p", ".m2v"),
    "MJPEG": ("mjpeg", {"qmax": "3"}, "yuvj420p", ".mjpeg"),
    "ProRes": ("prores_ks", {}, "yuv422p10le", ""),
    "FFV1": ("ffv1", {"level": "3"}, "yuv420p", ""),
}
CONTAINERS = {
    "MP4": ".mp4",
    "MOV": ".mov",
    "MKV": ".mkv",
    "WebM": ".webm",
    "AVI": ".avi",
    "FLV": ".flv",
    "TS": ".ts",
    "PS": ".mpg",
}
# FFmpeg writes these, but no player knows them in there, nor does FFmpeg when it reads.
UNREADABLE = {(codec, name) for codec in ("VP8", "VP9", "AV1", "MJPEG", "ProRes", "FFV1") for name in ("TS", "PS")}


def written(folder: Path, kind: str, suffix: str, pictures: list[np.ndarray], **more) -> Path | None:
    """The clip, or ``None`` if FFmpeg cannot write this codec, or this setting, in this container."""
    codec, options, pixel_format, _ = KINDS[kind]
    try:
        return write_clip(folder / f"a{suffix}", pictures, codec, options, pixel_format=pixel_format, **more)
    except (FFmpegError, ValueError, AttributeError):
        return None


def is_exact(path: Path) -> bool:
    """Whether every frame shows its number, in order and out of order, at its time."""
    order = list(range(N))
    random.Random(3).shuffle(order)
    with Clip(path, cache_bytes=0) as clip:
        return (
            [read_number(frame) for frame in clip] == list(range(N))
            and [read_number(clip[t]) for t in order] == order
            and np.allclose(clip.times, np.arange(N) / RATE, atol=1e-6)
            and clip.fps == RATE
            and clip.warnings == ()
        )


def keeps_times(path: Path) -> bool:
    with Clip(path) as clip:
        return len(clip) == N and np.allclose(clip.times, np.array(IRREGULAR_MS) / 1000, atol=1e-3)


def is_turned(path: Path) -> bool:
    with Clip(path) as clip:
        return (clip.height, clip.width) == PICTURES[0].shape[:2] and read_number(clip[N - 1]) == N - 1


def says_that_it_is_cut(path: Path) -> bool:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    try:
        with Clip(path) as clip:
            if path.suffix not in (".h264", ".h265", ".m4v", ".m2v"):  # raw streams have no times
                assert all(read_number(clip[t]) == round(time * RATE) for t, time in enumerate(clip.times))
            return clip.truncated and len(clip) < N
    except VideoError:
        return True


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_of_codecs_and_containers(tmp_path, kind):
    """The row in docs/video.md has, for each container, the letters of the statements that hold."""
    found = []
    for name, suffix in {**CONTAINERS, "raw": KINDS[kind][3]}.items():
        path = None if (kind, name) in UNREADABLE or not suffix else written(tmp_path, kind, suffix, PICTURES)
        letters = ["F"] if path and is_exact(path) else []
        if path and name not in ("AVI", "raw"):  # of a constant rate; tests/video/test_times.py has the gaps of AVI
            other = written(tmp_path, kind, f"_i{suffix}", PICTURES, milliseconds=IRREGULAR_MS)
            letters += ["I"] if other and keeps_times(other) else []
            other = written(tmp_path, kind, f"_r{suffix}", TURNED, rotation=90)
            letters += ["R"] if other and is_turned(other) else []
        letters += ["C"] if path and says_that_it_is_cut(path) else []
        found.append(" ".join(letters) or "–")
    text = (Path(__file__).parents[2] / "docs" / "video.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| {re.escape(kind)} \|((?: [FIRC –]+ \|){{9}})$", text, re.MULTILINE)
    assert [cell.strip() for cell in row.strip("|").split("|")] == found
