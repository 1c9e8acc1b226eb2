"""Which frames a video file holds, and when each is shown: found once, when a clip is opened.

A frame's number is its place in presentation order. To number frames without decoding a whole file, the packets are
read (not decoded) and sorted by presentation time. That is exact where a container stores a presentation time with each
packet and the codec gives one picture a packet: H.264, HEVC, VP9, AV1 and intra codecs in MP4, MOV and Matroska/WebM.
Every other file is decoded once from end to end ("scanned") and what comes out is counted: AVI and raw streams have no
presentation times, VP8 has packets that show nothing, MPEG-4 Part 2 has pictures that are announced and not coded.
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
_FALLBACK_RATE = 25.0  # frames a second, for a raw stream that states none
_LONG_PAUSE_S = 1.0


class KeyPoint(NamedTuple):
    """A packet that decoding can begin at: its presentation time, and the time to seek to (stream time base)."""

    pts: int
    seek: int


@dataclass(frozen=True)
class VideoIndex:
    """The frames of a file in presentation order.

    Attributes:
        times: (T,) float64, seconds from the first frame, ascending.
        fps: mean frames a second.
        pts: (T,) presentation times in the stream's time base, strictly ascending; ``None`` where the container has
            none that can be trusted: such a file is only ever decoded from its start, and frames are counted. (If it
            is damaged, what follows the damage may have moved up by the frames that left no trace.)
        keys: points where decoding can begin, by presentation time; empty where ``pts`` is ``None``.
        sizes: bytes of the packet of each presentation time, by which packets are recognised after a seek.
        damaged: frames known to be unreadable. Complete only if ``checked``.
        checked: every frame of the file was decoded once.
        truncated: the file ends before the frames that its header announces.
        announced: how many frames the header announces; ``None`` where it does not say.
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
    """One result of a decoder: a frame, or ``None`` for a packet that it could not decode."""

    frame: av.VideoFrame | None
    damaged: bool  # it, or a frame it may depend on, is incomplete
    draining: bool  # it came after the file's last packet


def open_video(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a file's first video track, set up to be decoded by a few threads.

    Raises:
        VideoNotFoundError, VideoEmptyError, VideoFormatError, VideoNoTrackError, VideoTruncatedError: see there.
        VideoError: the system does not let the file be read.
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
                f"{path.name} begins like a video, but what tells where its frames are is missing ({error.strerror}): "
                "the recording or the copy was cut short, 0 frames are readable; get the whole file",
                n_readable=0,
            ) from error
        raise VideoFormatError(
            f"expected a video, but {path.name} is none that the decoders know ({error.strerror}); "
            "give an MP4, MOV, MKV, WebM or AVI file"
        ) from error
    except OSError as error:
        raise VideoError(f"{str(path)!r} cannot be read ({error}); check its permissions") from error
    if container.format.name == "tty":  # FFmpeg draws a plain text file as a terminal's picture
        container.close()
        raise VideoFormatError(
            f"expected a video, but {path.name} is a text file; give an MP4, MOV, MKV, WebM or AVI file"
        )
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:  # that is a song's cover
            # Frame threads halve the time of a frame on two cores; more than four only cost memory.
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = min(4, os.cpu_count() or 1)
            return container, stream
    kinds = ", ".join(sorted({s.type for s in container.streams if s.type != "video"})) or "nothing"
    container.close()
    raise VideoNoTrackError(
        f"expected a video track in {path.name}, but it only has: {kinds}; give a file with pictures"
    )


def decoded(packets: Iterable[av.Packet]) -> Iterator[Decoded]:
    """Everything the decoder makes of these packets, in its order, and whether it can be believed.

    Decoders hide damage: they paint over what is missing and go on from there. So after a packet that fails, or a frame
    that the decoder itself marks as incomplete, frames count as damaged until the next whole key frame.
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
    """Find a file's frames, from its packets where these can be trusted, else by decoding it once.

    A file that was cut short gives the index of the frames that surely are all there: its last few may miss one between
    them, and would then have the wrong number. This is logged, and ``truncated`` says so.

    Raises:
        VideoError: one of its subclasses, for a file that holds no readable frame; see :func:`open_video`.
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
                f"{path.name} ends before its first whole frame: 0 frames are readable; get the whole file",
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
    hidden: bool  # an edit list cuts it away: decoded, but not shown
    corrupt: bool
    size: int


def _read_packets(container: InputContainer, stream: VideoStream) -> tuple[list[_Packet], bool]:
    """All packets in the file's order (which is decoding order), and whether reading them broke off."""
    packets: list[_Packet] = []
    try:
        for p in container.demux(stream):
            if p.size:
                packets.append(_Packet(p.pts, p.dts, p.is_keyframe, p.is_discard, p.is_corrupt, p.size))
    except FFmpegError:
        return packets, True
    return packets, bool(packets) and packets[-1].corrupt


def _bytes_missing(path: Path, family: str) -> bool:
    """Whether the file is shorter than its header says. (MP4 tells by its index; a transport stream cannot tell.)"""
    with path.open("rb") as file:
        head = file.read(4096)
    expected = 0
    if family == "avi":
        size = int.from_bytes(head[4:8], "little")
        expected = size + 8 if size < 0xFFFFFFFF else 0
    elif family == "matroska" and (at := head.find(b"\x18\x53\x80\x67")) >= 0:  # the Segment, which holds all the rest
        width = 9 - head[at + 4].bit_length()  # EBML: as many leading zero bits as bytes follow
        unknown = (1 << 7 * width) - 1
        size = int.from_bytes(head[at + 4 : at + 4 + width], "big") & unknown
        expected = at + 4 + width + size if size != unknown else 0
    return path.stat().st_size < expected


def _have_times(packets: list[_Packet]) -> bool:
    """Whether each packet has a presentation time of its own, and the file never jumps back (joined streams do)."""
    pts = [p.pts for p in packets]
    dts = [p.dts for p in packets if p.dts is not None]
    return bool(pts) and None not in pts and len(set(pts)) == len(pts) and dts == sorted(dts)


def _surely_complete(pts: Iterable[int], packets: list[_Packet]) -> list[int]:
    """Of a file that was cut short, the times with none missing before them: what was lost is decoded later than all
    that is there, and nothing is shown before it is decoded."""
    last = packets[-1]
    end = last.dts if last.dts is not None else max((p.pts for p in packets if p.key and p.pts is not None), default=0)
    return [t for t in pts if t <= end]


def _shown_times(packets: list[_Packet], truncated: bool) -> list[int]:
    # Pictures before the first key frame (a recording cut inside an open group) have lost what they refer to.
    first = packets[0].pts or 0
    pts = sorted(p.pts for p in packets if p.pts is not None and p.pts >= first and not p.hidden)
    return _surely_complete(pts, packets) if truncated else pts


def _scan(path: Path, packets: list[_Packet], timed: bool, truncated: bool) -> tuple[list[int], set[int], bool]:
    """Decode the whole file: (times, or mere counts, of its frames; the damaged ones' numbers; was it cut short)."""
    container, stream = open_video(path)
    with container:
        if truncated:
            stream.thread_type = "SLICE"  # frame threads come out while draining, too, as many as the machine has cores
        results = [(d.frame.pts if d.frame else None, d.damaged, d.draining) for d in decoded(container.demux(stream))]
    times = [pts for pts, _, _ in results if pts is not None]
    if timed and times and times == sorted(set(times)):
        good = {pts for pts, damaged, _ in results if not damaged and pts is not None}
        shown = set(times)
        if any(damaged for _, damaged, _ in results):  # a failed packet keeps its number: no frame may move up
            shown |= {p.pts for p in packets if p.pts is not None and p.pts >= times[0] and not p.hidden}
        order = sorted(shown)
        bad = [pts not in good for pts in order]
    else:
        # What comes out while draining may have lost a neighbour that was to be decoded after it.
        bad = [damaged for _, damaged, draining in results if not (truncated and draining)]
        order, timed = list(range(len(bad))), False
    while bad and bad[-1]:  # a damaged end is an end that came too early
        bad.pop()
        truncated = True
    order = order[: len(bad)]
    if truncated and timed:
        order = _surely_complete(order, packets)
    return order, {number for number in range(len(order)) if bad[number]}, truncated


def _key_points(packets: list[_Packet], family: str) -> tuple[KeyPoint, ...]:
    # Matroska is searched by presentation time, all others by decoding time.
    by_pts = family == "matroska"
    keys = ((p.pts, p.dts) for p in packets if p.key and p.pts is not None)
    return tuple(sorted(KeyPoint(pts, pts if by_pts or dts is None else dts) for pts, dts in keys))


def _mean_rate(times: np.ndarray, stated: float) -> float:
    """Frames a second over the clip; the stated rate where that says the same without rounding to the time base."""
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
    """Warn that frames of a file cannot be read; ``damaged`` holds at least one number."""
    text = "%s: %d of %d frames are damaged, the first is frame %d"
    log.warning(text, path.name, len(damaged), n_frames, min(damaged))
