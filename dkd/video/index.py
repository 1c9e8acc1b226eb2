"""Index of the frames in a video file and their presentation times, built once when a clip is opened.

A frame's number is its position in presentation order. To number frames without decoding a whole file, the packets are
read (not decoded) and sorted by presentation time. That is exact if the container stores a presentation time with each
packet and each packet holds one picture: H.264, HEVC, VP9, AV1 and intra codecs in MP4, MOV and Matroska/WebM.
Every other file is decoded once from start to end ("scanned") and its frames are counted: AVI and raw streams have no
presentation times, VP8 has packets that show nothing, and MPEG-4 Part 2 has pictures that are announced but not coded.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from dkd.errors import (
    VideoEmptyError,
    VideoError,
    VideoFormatError,
    VideoNotFoundError,
    VideoNoTrackError,
    VideoTruncatedError,
)

log = logging.getLogger(__name__)

_TIMED_CONTAINERS = {"mov", "matroska"}
_ONE_PICTURE_A_PACKET = {"h264", "hevc", "vp9", "av1", "mjpeg", "prores", "dnxhd", "ffv1", "png", "rawvideo"}
_FALLBACK_RATE = 25.0  # frames per second, for a raw stream that states none
_LONG_PAUSE_S = 1.0


class KeyPoint(NamedTuple):
    """A packet at which decoding can begin: its presentation time, and the time to seek to (stream time base)."""

    pts: int
    seek: int


@dataclass(frozen=True)
class VideoIndex:
    """The frames of a file in presentation order.

    Attributes:
        times: (T,) float64, seconds from the first frame, ascending.
        fps: mean frames per second.
        pts: (T,) presentation times in the stream's time base, strictly ascending; ``None`` if the container has
            none that can be trusted. Such a file is always decoded from its start, and frames are counted. (In a
            damaged file, frames after the damage may then have too small a number.)
        keys: points where decoding can begin, by presentation time; empty if ``pts`` is ``None``.
        sizes: size in bytes of the packet with each presentation time, used to recognise packets after a seek.
        damaged: numbers of frames known to be unreadable. Complete only if ``checked``.
        checked: whether every frame of the file was decoded once.
        truncated: whether the file ends before the frames that its header announces.
        announced: number of frames that the header announces; ``None`` if it does not say.
    """

    times: np.ndarray
    fps: float
    pts: np.ndarray | None
    keys: tuple[KeyPoint, ...]
    sizes: dict[int, int]
    damaged: frozenset[int] = field(default_factory=frozenset)
    checked: bool = False
    truncated: bool = False
    announced: int | None = None

    def __len__(self) -> int:
        return len(self.times)


class Decoded(NamedTuple):
    """One result of a decoder: a frame, or ``None`` for a packet that could not be decoded."""

    frame: av.VideoFrame | None
    damaged: bool  # the frame, or one that it may depend on, is incomplete
    draining: bool  # it came after the file's last packet


def open_video(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a file's first video track for decoding with a few threads.

    Raises:
        VideoNotFoundError, VideoEmptyError, VideoFormatError, VideoNoTrackError, VideoTruncatedError: see their
        docstrings.
        VideoError: the operating system does not allow the file to be read.
    """
    if not path.exists():
        raise VideoNotFoundError(f"expected a video file, but there is nothing at {str(path)!r}; check the path")
    if path.is_dir():
        raise VideoFormatError(f"expected a video file, but {str(path)!r} is a directory; give one of the files in it")
    try:
        with path.open("rb") as file:
            head = file.read(12)
        if not head:
            raise VideoEmptyError(f"expected a video file, but {str(path)!r} has 0 bytes; copy or download it again")
        container = av.open(str(path), metadata_errors="replace")
    except FFmpegError as error:
        if head[4:8] == b"ftyp" or head.startswith((b"\x1aE\xdf\xa3", b"RIFF")):
            raise VideoTruncatedError(
                f"{path.name} begins like a video, but the index of its frames is missing ({error.strerror}): "
                "the recording or the copy was cut short, 0 frames are readable; get the whole file",
                n_readable=0,
            ) from error
        raise VideoFormatError(
            f"expected a video, but {path.name} is not in a format that the decoders know ({error.strerror}); "
            "give an MP4, MOV, MKV, WebM or AVI file"
        ) from error
    except OSError as error:
        raise VideoError(f"{str(path)!r} cannot be read ({error}); check its permissions") from error
    if container.format.name == "tty":  # FFmpeg renders a plain text file as a terminal screen
        container.close()
        raise VideoFormatError(
            f"expected a video, but {path.name} is a text file; give an MP4, MOV, MKV, WebM or AVI file"
        )
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:  # a song's cover picture
            # Frame threads halve the decoding time on two cores; more than four only cost memory.
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = min(4, os.cpu_count() or 1)
            return container, stream
    kinds = ", ".join(sorted({s.type for s in container.streams if s.type != "video"})) or "nothing"
    container.close()
    raise VideoNoTrackError(
        f"expected a video track in {path.name}, but it only has: {kinds}; give a file with pictures"
    )


def decoded(packets: Iterable[av.Packet]) -> Iterator[Decoded]:
    """Decode packets and yield every result in the decoder's order, with whether it is damaged.

    Decoders hide damage: they conceal missing parts and continue. Therefore, after a packet that fails, or a frame that
    the decoder itself marks as incomplete, frames count as damaged until the next complete key frame.
    """
    damaged = False
    for packet in packets:
        try:
            frames = packet.decode()
        except FFmpegError:
            damaged = True
            yield Decoded(None, True, not packet.size)
            continue
        for frame in frames:
            damaged = frame.is_corrupt or (damaged and not frame.key_frame)
            yield Decoded(frame, damaged, not packet.size)


def build_index(path: Path) -> VideoIndex:
    """Find a file's frames, from its packets if these can be trusted, otherwise by decoding it once.

    For a truncated file, the index holds only the frames that are certainly complete: among the last few, one may be
    missing, and those after it would then have the wrong number. This is logged, and ``truncated`` is set.

    Raises:
        VideoError: one of its subclasses, if the file has no readable frame; see :func:`open_video`.
    """
    container, stream = open_video(path)
    with container:
        family = container.format.name.split(",")[0]
        codec = stream.codec_context.codec.canonical_name
        time_base = float(stream.time_base or 0)
        rate = float(stream.average_rate or stream.guessed_rate or _FALLBACK_RATE)
        announced = len(stream.index_entries) if family == "mov" else stream.frames if family == "avi" else None
        packets, broken = _read_packets(container, stream)
    truncated = broken or _bytes_missing(path, family) or (family == "mov" and len(packets) < (announced or 0))
    if truncated and packets and packets[-1].corrupt:
        packets.pop()
    timed = family != "avi" and _have_times(packets)
    if timed and family in _TIMED_CONTAINERS and codec in _ONE_PICTURE_A_PACKET and packets[0].key:
        pts, damaged, scanned = _shown_times(packets, truncated), set[int](), False
    else:
        log.info("%s: %s in %s is decoded once to count its frames", path.name, codec, family)
        pts, damaged, truncated = _scan(path, packets, timed, truncated)
        scanned = True
        timed = timed and pts == sorted(set(pts))
    if not pts:
        if truncated:
            raise VideoTruncatedError(
                f"{path.name} ends before its first complete frame: 0 frames are readable; get the whole file",
                n_readable=0,
            )
        raise VideoEmptyError(f"expected frames in {path.name}, but its video track has none; check the file")
    times = (np.array(pts) - pts[0]) * time_base if timed else np.arange(len(pts)) / rate
    index = VideoIndex(
        times=times.astype(np.float64),
        fps=_mean_rate(times, rate),
        pts=np.array(pts, np.int64) if timed else None,
        keys=_key_points(packets, family) if timed else (),
        sizes={p.pts: p.size for p in packets if p.pts is not None} if timed else {},
        damaged=frozenset(damaged),
        checked=scanned,
        truncated=truncated,
        announced=announced,
    )
    _log_faults(path, index)
    return index


class _Packet(NamedTuple):
    pts: int | None
    dts: int | None
    key: bool
    hidden: bool  # removed by an edit list: decoded, but not shown
    corrupt: bool
    size: int


def _read_packets(container: InputContainer, stream: VideoStream) -> tuple[list[_Packet], bool]:
    """Return all packets in file order (which is decoding order), and whether reading stopped early."""
    packets: list[_Packet] = []
    try:
        for p in container.demux(stream):
            if p.size:
                packets.append(_Packet(p.pts, p.dts, p.is_keyframe, p.is_discard, p.is_corrupt, p.size))
    except FFmpegError:
        return packets, True
    return packets, bool(packets) and packets[-1].corrupt


def _bytes_missing(path: Path, family: str) -> bool:
    """Return whether the file is shorter than its header says (MP4 has an index; a transport stream cannot tell)."""
    with path.open("rb") as file:
        head = file.read(4096)
    expected = 0
    if family == "avi":
        size = int.from_bytes(head[4:8], "little")
        expected = size + 8 if size < 0xFFFFFFFF else 0
    elif family == "matroska" and (at := head.find(b"\x18\x53\x80\x67")) >= 0:  # the Segment, the root
        width = 9 - head[at + 4].bit_length()  # EBML: bytes that follow = leading zero bits
        unknown = (1 << 7 * width) - 1
        size = int.from_bytes(head[at + 4 : at + 4 + width], "big") & unknown
        expected = at + 4 + width + size if size != unknown else 0
    return path.stat().st_size < expected


def _have_times(packets: list[_Packet]) -> bool:
    """Return whether each packet has its own presentation time and time never jumps back, as in joined streams."""
    pts = [p.pts for p in packets]
    dts = [p.dts for p in packets if p.dts is not None]
    return bool(pts) and None not in pts and len(set(pts)) == len(pts) and dts == sorted(dts)


def _surely_complete(pts: Iterable[int], packets: list[_Packet]) -> list[int]:
    """Return the times in a truncated file before which no frame is missing.

    The missing frames come later in decoding order than all that are present, and no frame is shown before it is
    decoded.
    """
    last = packets[-1]
    end = last.dts if last.dts is not None else max((p.pts for p in packets if p.key and p.pts is not None), default=0)
    return [t for t in pts if t <= end]


def _shown_times(packets: list[_Packet], truncated: bool) -> list[int]:
    # Pictures before the first key frame (a recording cut inside an open group) lack the frames they refer to.
    first = packets[0].pts or 0
    pts = sorted(p.pts for p in packets if p.pts is not None and p.pts >= first and not p.hidden)
    return _surely_complete(pts, packets) if truncated else pts


def _scan(path: Path, packets: list[_Packet], timed: bool, truncated: bool) -> tuple[list[int], set[int], bool]:
    """Decode the whole file: (times, or counts, of its frames; numbers of damaged ones; whether it is truncated)."""
    container, stream = open_video(path)
    with container:
        if truncated:
            stream.thread_type = "SLICE"  # with frame threads, as many frames as cores come out only while draining
        results = [(d.frame.pts if d.frame else None, d.damaged, d.draining) for d in decoded(container.demux(stream))]
    times = [pts for pts, _, _ in results if pts is not None]
    if timed and times and times == sorted(set(times)):
        good = {pts for pts, damaged, _ in results if not damaged and pts is not None}
        shown = set(times)
        if any(damaged for _, damaged, _ in results):  # failed packets keep their numbers: no frame may move up
            shown |= {p.pts for p in packets if p.pts is not None and p.pts >= times[0] and not p.hidden}
        order = sorted(shown)
        bad = [pts not in good for pts in order]
    else:
        # Frames that come out while draining may lack a neighbour that would be decoded after them.
        bad = [damaged for _, damaged, draining in results if not (truncated and draining)]
        order, timed = list(range(len(bad))), False
    while bad and bad[-1]:  # a damaged end counts as truncation
        bad.pop()
        truncated = True
    order = order[: len(bad)]
    if truncated and timed:
        order = _surely_complete(order, packets)
    return order, {number for number in range(len(order)) if bad[number]}, truncated


def _key_points(packets: list[_Packet], family: str) -> tuple[KeyPoint, ...]:
    # Seeking uses presentation times in Matroska, and decoding times in all other containers.
    by_pts = family == "matroska"
    keys = ((p.pts, p.dts) for p in packets if p.key and p.pts is not None)
    return tuple(sorted(KeyPoint(pts, pts if by_pts or dts is None else dts) for pts, dts in keys))


def _mean_rate(times: np.ndarray, stated: float) -> float:
    """Frames per second over the clip; the stated rate if it agrees, as it is not rounded to the time base."""
    if len(times) < 2 or times[-1] <= 0:
        return stated
    mean = float((len(times) - 1) / times[-1])
    return stated if abs(mean / stated - 1) < 0.01 else mean


def _log_faults(path: Path, index: VideoIndex) -> None:
    if index.truncated:
        of = f" of {index.announced}" if index.announced and index.announced > len(index) else ""
        log.warning("%s is cut short or damaged at its end: %d%s frames are readable", path.name, len(index), of)
    if index.damaged:
        log_damage(path, index.damaged, len(index))
    steps = np.diff(index.times)
    if len(steps) and steps.max() > max(_LONG_PAUSE_S, 20 * float(np.median(steps))):
        text = "%s: %.1f s without a frame after frame %d; frames may be lost there"
        log.warning(text, path.name, steps.max(), steps.argmax())


def log_damage(path: Path, damaged: frozenset[int], n_frames: int) -> None:
    """Log a warning that frames of a file cannot be read; ``damaged`` has at least one number."""
    text = "%s: %d of %d frames are damaged, the first is frame %d"
    log.warning(text, path.name, len(damaged), n_frames, min(damaged))
