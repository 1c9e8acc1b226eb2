"""Videos that are odd in other ways: lying headers, several tracks, odd sizes, times and paths; and no videos."""

from __future__ import annotations

import gzip
import os
import shutil
import struct
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np

from dkd import Clip
from tests.corpus.cases import Case, Use, uses
from tests.corpus.videos import PICTURES, N, shown, whole
from tests.support.video_files import CODECS, HEIGHT, WIDTH, draw_number, read_number, remux, write_clip

HEADERS, FILES, ODD, PATHS = (
    "videos with lying headers",
    "cut and foreign files as videos",
    "videos of odd sizes, tracks and times",
    "odd paths",
)


# ---- headers --------------------------------------------------------------------------------------------------------


def _patched(ending: str, change: Callable[[bytearray], object], codec: str, folder: Path) -> Use:
    data = bytearray(whole(codec, ending).read_bytes())
    changed = change(data)
    path = folder / f"a{ending}"
    path.write_bytes(changed if isinstance(changed, bytes | bytearray) else data)
    return lambda: shown(path, counted=ending == ".avi")


def _set(tag: bytes, offset: int, form: str, *values: float) -> Callable[[bytearray], object]:
    """Return what overwrites numbers ``offset`` bytes after a tag."""

    def change(data: bytearray) -> None:
        at = data.index(tag) + len(tag) + offset
        data[at : at + struct.calcsize(form)] = struct.pack(form, *values)

    return change


def _rename(tag: bytes, other: bytes) -> Callable[[bytearray], object]:
    return lambda data: data.replace(tag, other)


MP4: dict[str, tuple[Callable[[bytearray], object], str]] = {
    "MP4: the film lasts 0 s": (_set(b"mvhd", 16, ">I", 0), "right"),
    "MP4: the film lasts 49 days": (_set(b"mvhd", 16, ">I", 2**32 - 1), "right"),
    "MP4: the track lasts 49 days": (_set(b"mdhd", 16, ">I", 2**32 - 1), "right"),
    "MP4: no units per second": (_set(b"mdhd", 12, ">I", 0), "warned"),
    "MP4: 4 billion units per second": (_set(b"mdhd", 12, ">I", 2**32 - 1), "warned"),
    "MP4: a picture of 65535 × 65535": (_set(b"tkhd", 76, ">II", 65535 << 16, 65535 << 16), "right"),
    "MP4: a picture of 0 × 0": (_set(b"tkhd", 76, ">II", 0, 0), "right"),
    "MP4: coded pictures of 9 × 9": (_set(b"avc1", 24, ">HH", 9, 9), "right"),
    "MP4: more sizes than packets": (_set(b"stsz", 8, ">I", 10**9), "refused"),
    "MP4: fewer sizes than packets": (_set(b"stsz", 8, ">I", 10), "warned"),
    "MP4: no sizes": (_set(b"stsz", 8, ">I", 0), "refused"),
    "MP4: packets behind the end of the file": (_set(b"stco", 8, ">I", 10**9), "refused"),
    "MP4: packets in the header": (_set(b"stco", 8, ">I", 4), "refused"),
    "MP4: a billion chunks": (_set(b"stco", 4, ">I", 10**9), "right"),
    "MP4: more times than packets": (_set(b"stts", 8, ">II", 10**6, 512), "warned"),
    "MP4: steps of no time": (_set(b"stts", 8, ">II", N, 0), "warned"),
    "MP4: steps of 24 hours": (_set(b"stts", 8, ">II", N, 2**31 - 1), "warned"),
    "MP4: a billion entries of times": (_set(b"stts", 4, ">I", 10**9), "refused"),
    "MP4: no key frame": (_set(b"stss", 4, ">I", 0), "right"),
    "MP4: key frames that are none": (_set(b"stss", 4, ">II", 1, 7), "right"),
    "MP4: the track is sound": (_rename(b"hdlr\0\0\0\0\0\0\0\0vide", b"hdlr\0\0\0\0\0\0\0\0soun"), "refused"),
    "MP4: another codec": (_rename(b"avc1", b"mp4v"), "refused"),
    "MP4: an unknown codec": (_rename(b"avc1", b"zzzz"), "refused"),
    "MP4: no settings of the decoder": (_rename(b"avcC", b"free"), "refused"),
    "MP4: no brand": (_rename(b"ftyp", b"free"), "right"),
    "MP4: the index in an atom that is called free": (_rename(b"moov", b"free"), "right"),
    "MP4: no table of packets": (_rename(b"stbl", b"free"), "refused"),
    "MP4: an atom larger than the file": (_set(b"udta", -8, ">I", 2**31), "right"),
    "MP4: an atom that contains itself": (_set(b"minf", -8, ">I", 4), "refused"),
    "MP4: the data have no size": (_set(b"mdat", -8, ">I", 0), "refused"),
}
MKV: dict[str, tuple[Callable[[bytearray], object], str]] = {
    "Matroska: no units of time": (_set(b"\x2a\xd7\xb1", 1, ">I", 0), "right"),
    "Matroska: a length that is no number": (_set(b"\x44\x89\x88", 0, ">d", float("nan")), "right"),
    "Matroska: an endless length": (_set(b"\x44\x89\x88", 0, ">d", float("inf")), "right"),
    "Matroska: another track in its blocks": (lambda d: d.replace(b"\xd7\x81\x01", b"\xd7\x81\x02"), "refused"),
    "Matroska: an unknown codec": (_rename(b"V_MPEG4/ISO/AVC", b"V_MPEG9/ISO/AVC"), "refused"),
    "Matroska: no width": (lambda d: d.replace(b"\xb0\x81\xa0", b"\xb0\x81\x00"), "refused"),
    "Matroska: a cluster of another name": (_rename(b"\x1f\x43\xb6\x75", b"\x1f\x43\xb6\x74"), "refused"),
    "Matroska: no EBML header": (lambda d: d[40:], "refused"),
}
AVI: dict[str, tuple[Callable[[bytearray], object], str]] = {
    "AVI: no frames announced": (_set(b"avih", 4 + 16, "<I", 0), "right"),
    "AVI: a million frames announced": (_set(b"avih", 4 + 16, "<I", 10**6), "right"),
    "AVI: a million frames in the track": (_set(b"strh", 4 + 32, "<I", 10**6), "right"),
    "AVI: no rate": (_set(b"strh", 4 + 20, "<II", 1, 0), "right"),
    "AVI: a rate of 1 in 0": (_set(b"strh", 4 + 20, "<II", 0, 25), "right"),
    "AVI: no index": (_rename(b"idx1", b"JUNK"), "right"),
    "AVI: another codec": (_rename(b"H264", b"XVID"), "refused"),
    "AVI: a picture of 9 × 9": (_set(b"strf", 4 + 4, "<II", 9, 9), "right"),
    "AVI: a list larger than the file": (_set(b"RIFF", 0, "<I", 2**32 - 1), "right"),
}


# ---- other files ----------------------------------------------------------------------------------------------------


def _bytes(data: bytes | Callable[[], bytes], folder: Path, name: str = "a.mp4") -> Use:
    (folder / name).write_bytes(data() if callable(data) else data)
    return uses(lambda: Clip(folder / name))


def _cut(ending: str, n: int, folder: Path) -> Use:
    (folder / f"a{ending}").write_bytes(whole("H.264", ending).read_bytes()[:n])
    return uses(lambda: Clip(folder / f"a{ending}"))


FOREIGN: dict[str, bytes] = {
    "nothing": b"",
    "one byte": b"\0",
    "zeros": bytes(100_000),
    "text": b"walk.mp4 is on the other disk\n" * 50,
    "a page of an error": b"<!DOCTYPE html><html><body>404</body></html>",
    "a pointer of Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n",
    "a table": b"frame,x,y\n0,1,2\n" * 100,
    "JSON": b'{"video": "walk.mp4"}',
    "a zip": b"PK\x03\x04" + bytes(2000),
    "a PDF": b"%PDF-1.7\n" + bytes(2000),
    "an ELF program": b"\x7fELF" + bytes(range(256)) * 20,
    "gzip": gzip.compress(bytes(10_000), mtime=0),
    "noise": np.random.default_rng(0).bytes(50_000),
    "UTF-16": "walk".encode("utf-16") * 500,
    "a header of MP4": b"\0\0\0\x18ftypisom" + bytes(16),
    "a playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\nother.ts\n",
    "a list of files": b"ffconcat version 1.0\nfile other.mp4\n",
    "a session description": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5000 RTP/AVP 96\n",
}


# ---- odd, but valid -------------------------------------------------------------------------------------------------


def _picture(size: tuple[int, int], codec: str, pixel_format: str, name: str, error: float, folder: Path) -> Use:
    """Three pictures of a size; ``error`` is the largest mean difference in grey levels."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    plain = [np.stack([(20 * k + 3 * x) % 256, (2 * y) % 256, 0 * x + 99], -1).astype(np.uint8) for k in range(3)]
    path = write_clip(folder / name, plain, codec, pixel_format=pixel_format)

    def use() -> Sequence[str]:
        with Clip(path) as clip:
            assert len(clip) == 3 and (clip.width, clip.height) == size
            for k, picture in enumerate(plain):
                expected = picture.astype(int)
                if pixel_format.startswith("gray"):
                    expected = np.repeat((picture @ [0.299, 0.587, 0.114])[..., None], 3, -1)
                assert np.abs(clip[k] - expected).mean() <= error, k
            return [str(w) for w in clip.warnings]

    return use


SIZES = {
    "2 × 2": ((2, 2), "ffv1", "yuv444p", "a.mkv", 4),
    "1 × 1": ((1, 1), "png", "rgb24", "a.mov", 0),
    "17 × 3": ((17, 3), "ffv1", "yuv444p", "a.avi", 4),
    "1 × 200": ((1, 200), "png", "rgb24", "a.mov", 0),
    "4000 × 2": ((4000, 2), "png", "rgb24", "a.mov", 0),
    "odd sides in JPEG": ((33, 17), "mjpeg", "yuvj444p", "a.avi", 9),
    "grey": ((64, 48), "ffv1", "gray", "a.mkv", 1.5),
    "grey of 16 bits": ((64, 48), "ffv1", "gray16le", "a.mkv", 1.5),
    "with alpha": ((64, 48), "png", "rgba", "a.mov", 0),
    "uncompressed": ((64, 48), "rawvideo", "bgr24", "a.avi", 0),
    "10 bits": ((64, 48), "ffv1", "yuv444p10le", "a.mkv", 4),
    "12 bits, planar RGB": ((64, 48), "ffv1", "gbrp12le", "a.mkv", 2),
    "4:1:1": ((64, 48), "ffv1", "yuv411p", "a.avi", 60),
    "H.264 in 4:4:4": ((64, 48), "libx264", "yuv444p", "a.mp4", 9),
    "HuffYUV": ((64, 48), "huffyuv", "rgb24", "a.avi", 0),
    "a GIF": ((64, 48), "gif", "rgb8", "a.gif", 40),
    "an animated PNG": ((64, 48), "apng", "rgb24", "a.apng", 0),
    "Ut Video": ((64, 48), "utvideo", "gbrp", "a.avi", 0),
}


def _times(milliseconds: list[int], ending: str, folder: Path) -> Use:
    path = write_clip(folder / f"a{ending}", PICTURES[: len(milliseconds)], "libx264", {**CODECS["h264_closed_gop"][2]},
                      milliseconds)  # fmt: skip

    def use() -> Sequence[str]:
        with Clip(path) as clip:
            expected = (np.array(milliseconds) - milliseconds[0]) / 1000
            assert len(clip) == len(milliseconds) and np.abs(clip.times - expected).max() < 2e-3, clip.times
            assert [read_number(clip[t]) for t in range(len(clip))] == list(range(len(clip)))
            return [str(w) for w in clip.warnings]

    return use


STEPS = {
    "irregular": ([0, 20, 80, 100, 200, 240, 300, 310], "right"),
    "a pause of an hour": ([0, 40, 80, 3_600_000], "warned"),
    "a start after ten hours": ([36_000_000 + 40 * k for k in range(8)], "right"),
    "one frame": ([0], "right"),
    "a thousand frames per second": (list(range(12)), "right"),
    "one frame per minute": ([60_000 * k for k in range(5)], "right"),
    "a frame lost": ([0, 40, 80, 160, 200, 240], "warned"),
}


def _tracks(ending: str, first: Sequence[int], second: Sequence[int], right: int, folder: Path, **options: Any) -> Use:
    """Two tracks; the frames of the one that is read show the numbers ``first`` or ``second``."""
    path = folder / f"a{ending}"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=25, options=CODECS["h264_closed_gop"][2]) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for stream, numbers in zip(streams, (first, second), strict=True):
            for i, number in enumerate(numbers):
                frame = av.VideoFrame.from_ndarray(draw_number(number), format="rgb24")
                frame.pts, frame.time_base = i, Fraction(1, 25)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    return lambda: shown(path, (first, second)[right], exact=True, **options)


def _sound(with_pictures: bool, folder: Path) -> Use:
    path = folder / "a.mp4"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=8000)
        video = None
        if with_pictures:
            video = container.add_stream("libx264", rate=25, options=CODECS["h264_closed_gop"][2])
            video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            for i, picture in enumerate(PICTURES):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = i, Fraction(1, 25)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
        noise = av.AudioFrame.from_ndarray(np.zeros((1, 8192), np.float32), format="fltp", layout="mono")
        noise.sample_rate, noise.pts = 8000, 0
        container.mux(sound.encode(noise))
        container.mux(sound.encode(None))
    return (lambda: shown(path, exact=True)) if with_pictures else uses(lambda: Clip(path))


def _hidden_start(folder: Path) -> Use:
    source = write_clip(folder / "a.mp4", PICTURES, "libx264", CODECS["h264_closed_gop"][2])
    remux(source, folder / "b.mp4", 1, hide=True)
    return lambda: shown(folder / "b.mp4", range(12, N), exact=True)


def _joined(folder: Path) -> Use:
    """Another size in the middle."""
    small = [np.ascontiguousarray(picture[:, : WIDTH // 2]) for picture in PICTURES]
    for name, pictures in (("a.ts", PICTURES), ("b.ts", small)):
        write_clip(folder / name, pictures, "mpeg2video", {"g": "12", "threads": "1"})
    data = (folder / "a.ts").read_bytes() + (folder / "b.ts").read_bytes()
    (folder / "c.ts").write_bytes(data)
    return lambda: shown(folder / "c.ts")


# ---- paths ----------------------------------------------------------------------------------------------------------


def _named(name: str, folder: Path) -> Use:
    shutil.copy(whole("H.264", ".mp4"), folder / name)
    return lambda: shown(Path(name), exact=True)


def _leads_to(path: str, folder: Path) -> Use:
    os.symlink("nowhere.mp4", folder / "dangling.mp4")
    os.symlink("loop.mp4", folder / "loop.mp4")
    os.mkfifo(folder / "pipe.mp4")
    (folder / "folder.mp4").mkdir()
    (folder / "file").write_bytes(b"x")
    return uses(lambda: Clip(path))


NAMES = ("a:b.mp4", "http:film.mp4", "pipe:0", "100%.mp4", "a|b.mp4", "#1 é.mp4", "-i.mp4", "  .mp4", "a\nb.mp4",
         "%d.mp4", "$(x).mp4", "日本.mp4", "x" * 250 + ".mp4")  # fmt: skip
NOWHERE = ("", "nowhere.mp4", "dangling.mp4", "loop.mp4", "pipe.mp4", "folder.mp4", "file/a.mp4", "/dev/null",
           "a\0b.mp4", "x" * 5000, "https://example.org/a.mp4", "%d_%d.png", "%05d.png", "/proc/self/mem")  # fmt: skip


def cases() -> Iterator[Case]:
    for ending, table in ((".mp4", MP4), (".mkv", MKV), (".avi", AVI)):
        for name, (change, outcome) in table.items():
            yield Case(HEADERS, name, outcome, partial(_patched, ending, change, "H.264"))
    for name, data in FOREIGN.items():
        yield Case(FILES, name, "refused", partial(_bytes, data))
    for ending in (".mp4", ".mkv", ".avi", ".ts", ".flv"):
        for n in (1, 20, 300):
            yield Case(FILES, f"the first {n} bytes of {ending}", "refused", partial(_cut, ending, n))
    for name, (size, codec, pixel_format, file, error) in SIZES.items():
        yield Case(ODD, name, "right", partial(_picture, size, codec, pixel_format, file, error))
    for ending in (".mp4", ".mkv"):
        for name, (milliseconds, outcome) in STEPS.items():
            yield Case(ODD, f"{ending}: times, {name}", outcome, partial(_times, milliseconds, ending))
        film, other = range(N), range(100, 100 + N)
        yield Case(ODD, f"{ending}: two tracks", "warned", partial(_tracks, ending, film, other, 0))
        yield Case(ODD, f"{ending}: the second track", "warned", partial(_tracks, ending, film, other, 1, track=1))
        yield Case(ODD, f"{ending}: a track that is not there", "refused",
                   partial(_tracks, ending, film, other, 1, track=2))  # fmt: skip
        yield Case(ODD, f"{ending}: a still, then a film", "warned", partial(_tracks, ending, [500], film, 1))
    yield Case(ODD, "a film with sound", "right", partial(_sound, True))
    yield Case(ODD, "sound only", "refused", partial(_sound, False))
    yield Case(ODD, "half hidden by an edit list", "warned", _hidden_start)
    yield Case(ODD, "another size in the middle", "refused", _joined)
    for name in NAMES:
        yield Case(PATHS, f"a video called {name[:20]!r}", "right", partial(_named, name))
    for name in NOWHERE:
        yield Case(PATHS, f"nothing at {name[:30]!r}", "refused", partial(_leads_to, name))
