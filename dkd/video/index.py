"""Index of the frames in a video file and their presentation times, built once when a clip is opened.

A frame's number is its position in presentation order. To number frames without decoding a whole file, the packets are
listed and sorted by presentation time: from the tables in the header of an MP4 or MOV file (:mod:`dkd.video.tables`),
else by reading all of them. That is exact if the container stores a presentation time with each
packet and each packet holds one picture: H.264, HEVC, VP9, AV1 and intra codecs in MP4, MOV and Matroska/WebM.
Every other file is decoded once from start to end ("scanned") and its frames are counted: AVI and raw streams have no
presentation times, VP8 has packets that show nothing, and MPEG-4 Part 2 has pictures that are announced but not coded.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from dkd.errors import VideoEmptyError, VideoError, VideoFormatError, VideoTruncatedError
from dkd.video.faults import VideoWarning, log_warnings, unseen_pictures, warnings_of
from dkd.video.integrity import decoded, make_checker
from dkd.video.opening import Track, choose_track, opened_video, readable_packets
from dkd.video.structure import Fault, bytes_missing, matroska_faults
from dkd.video.tables import Packet, packet_of, packets_of_tables
from dkd.video.times import Timing, timing_of

log = logging.getLogger(__name__)

_TIMED_CONTAINERS = {"mov", "matroska"}
_ONE_PICTURE_A_PACKET = {"h264", "hevc", "vp9", "av1", "mjpeg", "prores", "dnxhd", "ffv1", "png", "rawvideo"}
_FALLBACK_RATE = Fraction(25)  # frames per second, for a raw stream that states none
_LEAST_SHARE_WITH_TIMES = 0.9
_STEPS_MISSING_AT_END = 2.5  # a header's length may be rounded, and may count the last frame or not


class KeyPoint(NamedTuple):
    """A packet at which decoding can begin: its presentation time, and the time to seek to (stream time base)."""

    pts: int
    seek: int


@dataclass(frozen=True)
class VideoIndex:
    """The frames of a file in presentation order.

    Attributes:
        timing: times of the frames and their rate.
        pts: (T,) presentation times in the stream's time base, strictly ascending; ``None`` if the container has
            none that can be trusted. Such a file is always decoded from its start, and frames are counted. (In a
            damaged file, frames after the damage may then have too small a number.)
        keys: points where decoding can begin, by presentation time; empty if ``pts`` is ``None``.
        sizes: size in bytes of the packet with each presentation time, used to recognise packets after a seek.
        track: the video track.
        damaged: numbers of frames known to be unreadable. Complete only if ``checked``.
        checked: whether every frame of the file was decoded once.
        truncated: whether the file ends before the frames that its header announces.
        announced: number of frames that the header announces; ``None`` if it does not say.
        warnings: what a user should know about the file.
    """

    timing: Timing
    pts: np.ndarray | None
    keys: tuple[KeyPoint, ...]
    sizes: dict[int, int]
    track: Track = Track(0)
    damaged: frozenset[int] = field(default_factory=frozenset)
    checked: bool = False
    truncated: bool = False
    announced: int | None = None
    warnings: tuple[VideoWarning, ...] = ()

    def __len__(self) -> int:
        return len(self.times)

    @property
    def times(self) -> np.ndarray:
        """(T,) float64, seconds from the first frame, ascending."""
        return self.timing.times


def build_index(path: Path, wanted: int | None = None) -> VideoIndex:
    """Find a file's frames, from its packets if these can be trusted, otherwise by decoding it once.

    For a truncated file, the index holds only the frames that are certainly complete: among the last few, one may be
    missing, and those after it would then have the wrong number. This is logged, and ``truncated`` is set.

    Args:
        path: the file.
        wanted: number of the video track; ``None``: the one that a player would show.

    Raises:
        VideoError: one of its subclasses, if the file has no readable frame; see :mod:`dkd.video.opening`.
        ConfigError: there is no such track.
    """
    track = choose_track(path, wanted)
    with opened_video(path, track.number) as (container, stream):
        header = _read_header(container, stream)
        tables = packets_of_tables(path, container, stream) if header.family == "mov" else None
        packets, broken = (tables, False) if tables is not None else _read_packets(path, track.number)
    family, codec = header.family, header.codec
    truncated = broken or bytes_missing(path) or (family == "mov" and len(packets) < (header.announced or 0))
    if truncated and packets and packets[-1].corrupt:
        packets.pop()
    timed = family != "avi" and _have_times(packets)
    slots = None
    if timed and family in _TIMED_CONTAINERS and codec in _ONE_PICTURE_A_PACKET and packets[0].key:
        pts, damaged, scanned = _shown_times(packets, truncated), set[int](), False
    else:
        log.info("%s: %s in %s is decoded once to count its frames", path.name, codec, family)
        scan = _scan(path, track.number, packets, timed, truncated)
        pts, timed, damaged, truncated, slots = scan
        scanned = True
    if not pts:
        raise _no_frame(path, packets, truncated and bytes_missing(path), codec)
    if timed:
        timing = timing_of(np.array(pts), header.tick, header.rates)
    elif slots is not None:
        timing = timing_of(np.array(slots), header.tick, header.rates)
    else:
        timing = Timing(np.arange(len(pts)) / float(header.rates[0]), float(header.rates[0]))
    truncated = truncated or _ends_early(timing, header, float(pts[0] * header.tick) if timed else 0.0)
    faults = matroska_faults(path) if family == "matroska" else []
    counted = not truncated and codec in _ONE_PICTURE_A_PACKET
    unseen = unseen_pictures(family, packets, header.stored, len(pts)) if counted else 0
    number = {t: n for n, t in enumerate(pts)}
    damaged |= {number[t] for t in _after_holes(faults, packets) if t in number}
    index = VideoIndex(
        timing=timing,
        pts=np.array(pts, np.int64) if timed else None,
        keys=_key_points(packets, family) if timed else (),
        sizes={p.pts: p.size for p in packets if p.pts is not None} if timed else {},
        track=track,
        damaged=frozenset(damaged),
        checked=scanned,
        truncated=truncated,
        announced=header.announced,
        warnings=warnings_of(
            timing, track, damaged, truncated, header.announced, _frames_at(faults, packets, number), unseen,
        ),
    )  # fmt: skip
    log_warnings(path.name, index.warnings)
    return index


class _Header(NamedTuple):
    family: str
    codec: str
    tick: Fraction
    rates: list[Fraction]  # that the file states, the most trusted first; at least one
    announced: int | None
    duration: float | None  # seconds, of this track
    stored: int  # number of pictures that the header states, 0 if it does not


def _read_header(container: InputContainer, stream: VideoStream) -> _Header:
    family = container.format.name.split(",")[0]
    stated = [stream.average_rate, stream.guessed_rate, stream.base_rate]
    rates = [rate for rate in stated if rate is not None and rate > 0] or [_FALLBACK_RATE]
    announced = len(stream.index_entries) if family == "mov" else stream.frames if family == "avi" else None
    duration = None
    if family == "matroska":
        duration = _seconds(stream.metadata.get("DURATION", ""))
        if duration is None and len(container.streams) == 1 and container.duration:
            duration = container.duration / 1e6
    codec = stream.codec_context.codec.canonical_name
    return _Header(family, codec, stream.time_base or Fraction(1), rates, announced, duration, stream.frames)


def _seconds(text: str) -> float | None:
    """Convert ``hh:mm:ss.fraction`` to seconds; ``None`` if it has another form."""
    try:
        hours, minutes, seconds = (float(part) for part in text.split(":"))
    except ValueError:
        return None
    return 3600 * hours + 60 * minutes + seconds


def _ends_early(timing: Timing, header: _Header, start: float) -> bool:
    """Return whether the last frame lies well before the end that the header states.

    Args:
        timing: times of the frames, from 0 on.
        header: its duration may count from 0 or from the first frame, at ``start``.
        start: time of the first frame in the file, in seconds.
    """
    if header.duration is None or len(timing.times) < 2:
        return False
    steps = np.diff(timing.times)
    step = max(float(np.median(steps)), float(1 / header.rates[0]), 1e-3)
    end = float(timing.times[-1]) + max(0.0, start)
    return end + _STEPS_MISSING_AT_END * step < header.duration and end + 1.5 * float(steps.max()) < header.duration


def _read_packets(path: Path, track: int) -> tuple[list[Packet], bool]:
    """Return all packets in file order (which is decoding order), and whether reading stopped early."""
    packets: list[Packet] = []
    try:
        with opened_video(path, track) as (container, stream):
            packets.extend(packet_of(p) for p in container.demux(stream) if p.size)
    except FFmpegError:
        return packets, True
    return packets, bool(packets) and packets[-1].corrupt


def _no_frame(path: Path, packets: list[Packet], cut: bool, codec: str) -> VideoError:
    """Return the error for a file of which no frame can be read."""
    if cut:
        return VideoTruncatedError(
            f"{path.name} ends before its first complete frame: 0 frames are readable; get the whole file",
            n_readable=0,
        )
    if packets:
        return VideoFormatError(
            f"the installed FFmpeg can decode none of the {len(packets)} pictures of {path.name} (codec {codec}): it "
            "does not know this kind, or all are damaged; convert the video to H.264 in MP4"
        )
    return VideoEmptyError(f"expected frames in {path.name}, but its video track has none; check the file")


def _have_times(packets: list[Packet]) -> bool:
    """Return whether each packet has its own presentation time and time never jumps back, as in joined streams.

    Where a transport stream lost data, a few packets may lack theirs; their pictures are then left out.
    """
    lost_data = any(p.corrupt for p in packets)
    pts = [p.pts for p in packets if not (lost_data and p.pts is None)]
    if len(pts) < _LEAST_SHARE_WITH_TIMES * len(packets):
        return False
    dts = [p.dts for p in packets if p.dts is not None]
    return bool(pts) and None not in pts and len(set(pts)) == len(pts) and dts == sorted(dts)


def _surely_complete(pts: Iterable[int], packets: list[Packet]) -> list[int]:
    """Return the times in a truncated file before which no frame is missing.

    The missing frames come later in decoding order than all that are present, and no frame is shown before it is
    decoded.
    """
    last = packets[-1]
    end = last.dts if last.dts is not None else max((p.pts for p in packets if p.key and p.pts is not None), default=0)
    return [t for t in pts if t <= end]


def _shown_times(packets: list[Packet], truncated: bool) -> list[int]:
    # Pictures before the first key frame (a recording cut inside an open group) lack the frames they refer to.
    first = packets[0].pts or 0
    pts = sorted(p.pts for p in packets if p.pts is not None and p.pts >= first and not p.hidden)
    return _surely_complete(pts, packets) if truncated else pts


class _Scan(NamedTuple):
    times: list[int]  # or counts
    timed: bool  # whether they are times
    damaged: set[int]
    truncated: bool
    slots: list[int] | None  # time stamps of counted frames in the stream's time base, if they are sound


class _Result(NamedTuple):
    pts: int | None
    damaged: bool
    draining: bool


def _scan(path: Path, track: int, packets: list[Packet], timed: bool, truncated: bool) -> _Scan:
    """Decode the whole file and list its frames."""
    with opened_video(path, track) as (container, stream):
        if truncated:
            stream.thread_type = "SLICE"  # with frame threads, as many frames as cores come out only while draining
        source = readable_packets(container, stream)
        results = [
            _Result(frame.pts if frame else None, bad, late)
            for frame, bad, late, _ in decoded(source if timed else _numbered(source), make_checker(stream))
        ]
    times = [r.pts for r in results if r.pts is not None]
    is_damaged = any(r.damaged for r in results)
    slots: list[int] | None = None
    if timed and times and (is_damaged or times == sorted(set(times))):
        good = _good_times(results) - _after_lost_data(packets)
        shown = set(times)
        if is_damaged:  # failed packets keep their numbers: no frame may move up
            shown |= {p.pts for p in packets if p.pts is not None and p.pts >= min(times) and not p.hidden}
        order = sorted(shown)
        bad = [pts not in good for pts in order]
    else:
        # Frames that come out while draining may lack a neighbour that would be decoded after them.
        bad = [r.damaged for r in results if not (truncated and r.draining)]
        order, timed = list(range(len(bad))), False
        slots = _slots(path, track, len(results), packets)
    while bad and bad[-1]:  # a damaged end counts as truncation
        bad.pop()
        truncated = True
    order = order[: len(bad)]
    if truncated and timed:
        order = _surely_complete(order, packets)
    slots = slots[: len(order)] if slots is not None else None
    return _Scan(order, timed, {number for number in range(len(order)) if bad[number]}, truncated, slots)


def _numbered(packets: Iterable[av.Packet]) -> Iterator[av.Packet]:
    """Give packets their number as the time, which their frames then carry, so that checkers can recognise them."""
    for number, packet in enumerate(packets):
        if packet.size:
            packet.pts = number
        yield packet


def _after_lost_data(packets: list[Packet]) -> set[int]:
    """Return the times of the packets that lost data, and of those that may refer to them: up to the next key frame."""
    lost = set[int]()
    is_lost = False
    for p in packets:
        is_lost = p.corrupt or (is_lost and not p.key)
        if is_lost and p.pts is not None:
            lost.add(p.pts)
    return lost


def _good_times(results: list[_Result]) -> set[int]:
    """Return the times of the complete frames. One that comes later than it should, after damage, is not usable."""
    good, latest = set[int](), None
    for result in results:
        if result.pts is None or (latest is not None and result.pts <= latest):
            continue
        latest = result.pts
        if not result.damaged:
            good.add(result.pts)
    return good


def _slots(path: Path, track: int, n_frames: int, packets: list[Packet]) -> list[int] | None:
    """Return the time stamps of the frames of an AVI file, where a dropped frame leaves an empty slot.

    AVI stores the order of decoding only: a frame is shown when it leaves the decoder, which holds back a few frames
    to bring them into order. ``None`` if there is not one frame per packet, so that they cannot be matched.
    """
    slots = sorted({p.dts for p in packets if p.dts is not None})
    if len(slots) != n_frames or len(packets) != n_frames:
        return None
    delay = _held_back(path, track)
    return slots[delay:] + [slots[-1] + k + 1 for k in range(min(delay, n_frames))]


def _held_back(path: Path, track: int, n_packets: int = 32) -> int:
    """Return how many frames the decoder holds back, without the further ones that it decodes in parallel."""
    fed, came = 0, 0
    with opened_video(path, track) as (container, stream):
        stream.thread_type = "SLICE"
        for packet in readable_packets(container, stream):
            if not packet.size or fed == n_packets:
                break
            fed += 1
            with suppress(FFmpegError):
                came += len(packet.decode())
    return fed - came


def _key_points(packets: list[Packet], family: str) -> tuple[KeyPoint, ...]:
    # FFmpeg seeks by presentation times in Matroska, MP4 and MOV, and by decoding times in all other containers.
    by_pts = family in _TIMED_CONTAINERS
    keys = ((p.pts, p.dts) for p in packets if p.key and p.pts is not None)
    return tuple(sorted(KeyPoint(pts, pts if by_pts or dts is None else dts) for pts, dts in keys))


def _after_holes(faults: list[Fault], packets: list[Packet]) -> set[int]:
    """Return the times of the frames that may refer to one in an unreadable stretch: up to the next key frame."""
    lost = set[int]()
    for hole in (fault for fault in faults if fault.unreadable):
        key: int | None = None
        for p in packets:
            if p.pos < hole.begin or p.pts is None:
                continue
            if p.key and key is not None:
                break
            if p.key:
                key = p.pts
            elif key is None or p.pts < key:  # also leading pictures, which refer to the group before
                lost.add(p.pts)
    return lost


def _frames_at(faults: list[Fault], packets: list[Packet], number: dict[int, int]) -> list[tuple[int, ...]]:
    """Return, for each damaged stretch of the file, the numbers of the frames in it; of a hole, the frame before it."""
    found = []
    for fault in faults:
        inside = [p.pts for p in packets if fault.begin <= p.pos < fault.end]
        if fault.unreadable:
            inside = [max((p.pts for p in packets if 0 <= p.pos < fault.begin and p.pts is not None), default=None)]
        found.append(tuple(sorted(number[t] for t in inside if t in number)))
    return found
