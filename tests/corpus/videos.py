"""Videos of every codec in every container that PyAV writes: under another's name, cut, holed, with more bytes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import av

from dkd import Clip
from dkd.errors import VideoCorruptError
from tests.corpus.cases import Case, Use
from tests.support.video_files import CODECS, RATE, draw_number, read_number, write_clip

N = 24
PICTURES = [draw_number(i) for i in range(N)]
_LIBVPX = {"deadline": "good", "cpu-used": "8", "threads": "1", "g": "12", "b": "600k"}
_MPEG = {"bf": "2", "g": "12", "b": "1500k", "threads": "1"}
_TIMED = ".mp4 .mov .mkv"
# name → (encoder, settings, pixel format, endings of the containers in which FFmpeg writes and reads it)
CODED: dict[str, tuple[str, dict[str, str], str, str]] = {
    "H.264": ("libx264", CODECS["h264_open_gop"][2], "yuv420p", f"{_TIMED} .avi .flv .ts .mpg .h264"),
    "HEVC": ("libx265", CODECS["hevc"][2], "yuv420p", f"{_TIMED} .flv .ts .mpg .h265"),
    "VP8": ("libvpx", _LIBVPX, "yuv420p", ".mkv .webm .avi .ivf"),
    "VP9": ("libvpx-vp9", _LIBVPX, "yuv420p", ".mp4 .mkv .webm .avi .flv .ivf"),
    "AV1": ("libsvtav1", CODECS["av1"][2], "yuv420p", ".mp4 .mkv .webm .avi .flv .obu"),
    "MPEG-4": ("mpeg4", _MPEG, "yuv420p", f"{_TIMED} .avi .ts .mpg .m4v"),
    "MPEG-2": ("mpeg2video", _MPEG, "yuv420p", f"{_TIMED} .avi .ts .mpg .m2v"),
    "MJPEG": ("mjpeg", {"qmax": "3"}, "yuvj420p", f"{_TIMED} .avi .mjpeg"),
    "ProRes": ("prores_ks", {}, "yuv422p10le", ".mov .mkv"),
    "FFV1": ("ffv1", {"level": "3"}, "yuv420p", ".mp4 .mkv .avi"),
}
RAW = {".h264", ".h265", ".ivf", ".obu", ".m4v", ".m2v", ".mjpeg"}
_COUNTED = {*RAW, ".avi", ".mpg"}  # frames after a lost one may have too small a number


def whole(codec: str, ending: str) -> Path:
    """Return the whole clip, which is encoded once for all cases."""
    folder = Path(os.environ["DKD_CORPUS"])
    path = folder / f"{codec}{ending}"
    if not path.exists():
        folder.mkdir(exist_ok=True)
        encoder, options, pixel_format, _ = CODED[codec]
        write_clip(folder / f"new{ending}", PICTURES, encoder, options, pixel_format=pixel_format).rename(path)
    return path


def shown(
    path: Path, numbers: Sequence[int] = range(N), *, counted: bool = False, exact: bool = False, **options: object
) -> Sequence[str]:
    """Read all frames; each shows the number that its time says, or is said to be damaged.

    A picture that refers to a lost one may be wrong, but only after the first frame that a warning names.

    Args:
        path: file to read.
        numbers: what the frames of the whole clip show.
        counted: without times; frames then show numbers that ascend.
        exact: nothing may be missing or wrong.
        options: for :class:`Clip`.

    Returns:
        The warnings.
    """
    with Clip(path, **options) as clip:  # type: ignore[arg-type]
        found: dict[int, int | None] = {}
        for t in range(len(clip)):
            try:
                found[t] = _number(clip.frame(t))
            except VideoCorruptError:
                continue
        times, said = clip.times, clip.warnings
    expected = {t: t if counted else round(times[t] * RATE) for t in found}
    if counted:
        last = -1
        for t, number in found.items():
            if number is not None and t <= number < len(numbers) and number > last:
                expected[t] = last = number
    expected = {t: numbers[at] if 0 <= at < len(numbers) else -1 for t, at in expected.items()}
    wrong = [t for t, number in found.items() if number != expected[t]]
    if exact or not said:
        assert len(found) == len(numbers), f"{len(found)} of {len(numbers)} frames, warnings {said}"
        assert not wrong, f"frames {wrong} are wrong, warnings {said}"
    first = min((w.frames[0] for w in said if w.frames), default=0)
    first -= 3  # pictures that refer to a later one may be wrong, too
    assert not [t for t in wrong if t < first], f"frames {wrong} are wrong, but the warnings begin at {first}"
    assert len(wrong) <= 12, f"frames {wrong} are wrong: more than up to the next key frame"
    return [str(one) for one in said]


def _number(picture: object) -> int | None:
    try:
        return read_number(picture)  # type: ignore[arg-type]
    except AssertionError:
        return None


def places(path: Path) -> list[tuple[int, int]]:
    """Return position and size of each packet of a file, as far as FFmpeg knows the position."""
    with av.open(str(path)) as container:
        return [(p.pos if p.pos is not None else -1, p.size) for p in container.demux(video=0) if p.size]


def _renamed(codec: str, ending: str, folder: Path) -> Use:
    other = ".avi" if ending in (".mp4", ".mov") else ".mp4"
    shutil.copy(whole(codec, ending), folder / f"a{other}")
    return lambda: shown(folder / f"a{other}", exact=True)


def _cut(codec: str, ending: str, folder: Path) -> Use:
    data = whole(codec, ending).read_bytes()
    (folder / f"a{ending}").write_bytes(data[: int(len(data) * 0.6)])
    return lambda: _part(folder / f"a{ending}")


def _part(path: Path) -> Sequence[str]:
    """The beginning of a stream that states no length: fewer frames, but right ones."""
    with Clip(path) as clip:
        n = len(clip)
        assert n <= N
    return shown(path, range(n), counted=path.suffix in _COUNTED)


def _holed(codec: str, ending: str, folder: Path) -> Use:
    """One packet in the middle is zeros, or gone where packets have no fixed place."""
    path = folder / f"a{ending}"
    data = bytearray(whole(codec, ending).read_bytes())
    found = [place for place in places(whole(codec, ending)) if place[0] >= 0]
    begin, size = found[min(14, len(found) - 3)] if len(found) > 3 else (int(len(data) * 0.6), 500)
    begin = min(begin, len(data) - size)
    data[begin + size // 4 : begin + size] = bytes(size - size // 4)
    path.write_bytes(data)
    return lambda: shown(path, counted=ending in _COUNTED)


def _longer(codec: str, ending: str, folder: Path) -> Use:
    """A page of text at the end, as of a download that went wrong after the file."""
    path = folder / f"a{ending}"
    path.write_bytes(whole(codec, ending).read_bytes() + b"<html>Gateway timeout</html>\n" * 40)
    return lambda: shown(path, counted=ending in _COUNTED)


# What comes of each change: usually, and in some containers, or of some codecs in them. An index at the end is cut off;
# a text at the end looks like a part of an MP4 that is cut; what states no length may be cut between two pictures.
CHANGES: dict[str, tuple[Callable[[str, str, Path], Use], str, dict[str, str]]] = {
    "under another ending": (_renamed, "right", {}),
    "cut at 60%": (
        _cut,
        "warned",
        {
            "refused": ".mp4 .mov H.264.avi HEVC.mkv HEVC.flv VP9.avi AV1.avi MPEG-4.m4v",
            "right": "AV1.obu MPEG-4.ts MPEG-2.ts",
        },
    ),
    "a picture of zeros": (_holed, "warned", {"right": "HEVC.ts HEVC.mpg MPEG-4.ts"}),  # within the padding of these
    "text at the end": (_longer, "right", {"warned": ".mp4 .mov .ivf .obu .m4v .m2v"}),
}


def _outcome(usual: str, others: dict[str, str], codec: str, ending: str) -> str:
    return next((word for word, names in others.items() if {ending, codec + ending} & {*names.split()}), usual)


def cases() -> Iterator[Case]:
    for codec, (_, _, _, endings) in CODED.items():
        for ending in endings.split():
            for name, (make, usual, others) in CHANGES.items():
                outcome = _outcome(usual, others, codec, ending)
                yield Case("videos, by codec and container", f"{codec}{ending}: {name}", outcome,
                           partial(make, codec, ending))  # fmt: skip
