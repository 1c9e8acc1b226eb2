"""Open a video file: check what is at the path, name the true reason if it cannot be read, and choose a track."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import av
from av.codec.codec import UnknownCodecError
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from dkd.errors import (
    ConfigError,
    VideoEmptyError,
    VideoError,
    VideoFormatError,
    VideoNotFoundError,
    VideoNoTrackError,
    VideoTruncatedError,
)
from dkd.video.structure import bytes_missing, is_text, lacks_index

_SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}
# Decoders that report damage only if they are asked to. The H.264 decoder marks incomplete pictures by itself.
_STRICT = {"hevc", "mjpeg"}
_SIDE_TRACKS = Disposition.attached_pic | Disposition.timed_thumbnails  # a song's cover, a player's preview pictures


@dataclass(frozen=True)
class Track:
    """The video track that is read, and the ones that are not.

    Attributes:
        number: position among the file's video tracks, from 0.
        left_out: one line per video track that is not read.
    """

    number: int
    left_out: tuple[str, ...] = ()


def check_path(path: Path) -> None:
    """Check that a regular file with at least one byte lies at ``path``.

    Special files are refused at once: opening a pipe without a writer would wait indefinitely.

    Raises:
        VideoNotFoundError, VideoFormatError, VideoEmptyError, VideoError: see their docstrings.
    """
    shown = str(path) if len(str(path)) <= 200 else f"{str(path)[:100]}…"
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        url = "://" in str(path) or ":/" in str(path)
        hint = "; a clip is a file: download the video first" if url else "; check the path"
        raise VideoNotFoundError(f"expected a video file, but there is nothing at {shown!r}{hint}") from error
    except (OSError, ValueError) as error:  # a name that is too long; a null character in it
        reason = getattr(error, "strerror", None) or error
        raise VideoError(f"expected the path of a video file, got {shown!r} ({reason}); check the path") from error
    if stat.S_ISDIR(status.st_mode):
        raise VideoFormatError(f"expected a video file, but {shown!r} is a directory; a folder of images is a Clip")
    if not stat.S_ISREG(status.st_mode):
        kind = _SPECIAL.get(stat.S_IFMT(status.st_mode), "a special file")
        raise VideoFormatError(
            f"expected a regular file, but {shown!r} is {kind}, in which frames cannot be found again; "
            "write the video to a file first"
        )
    if status.st_size == 0:
        raise VideoEmptyError(f"expected a video file, but {shown!r} has 0 bytes; copy or download it again")


def open_container(path: Path) -> InputContainer:
    """Open a media file with FFmpeg.

    Raises:
        VideoError: one of its subclasses; the message names the cause.
    """
    check_path(path)
    try:
        with path.open("rb"):
            pass
        # An absolute path: FFmpeg takes a relative name with a colon for the address of a server.
        container = av.open(os.path.abspath(path), metadata_errors="replace")
    except FFmpegError as error:
        raise _unreadable(path, error) from error
    except OSError as error:
        raise VideoError(f"{str(path)!r} cannot be read ({error}); check its permissions") from error
    if container.format.name == "tty":  # FFmpeg renders a plain text file as a terminal screen
        container.close()
        raise _text(path)
    return container


def _text(path: Path) -> VideoFormatError:
    return VideoFormatError(
        f"expected a video, but {path.name} is a text file; give an MP4, MOV, MKV, WebM or AVI file"
    )


def _unreadable(path: Path, error: FFmpegError) -> VideoError:
    missing = bytes_missing(path)
    if missing or lacks_index(path):
        return VideoTruncatedError(
            f"{path.name} begins like a video, but the index of its frames is missing ({error.strerror}): "
            "the recording or the copy was cut short, 0 frames are readable; get the whole file",
            n_readable=0,
        )
    if is_text(path):
        return _text(path)
    return VideoFormatError(
        f"expected a video, but {path.name} is not in a format that the installed decoders know ({error.strerror}); "
        "give an MP4, MOV, MKV, WebM or AVI file"
    )


def open_video(path: Path, track: int) -> tuple[InputContainer, VideoStream]:
    """Open video track number ``track`` of a file for decoding with a few threads.

    Raises:
        VideoError: one of its subclasses; see :func:`open_container` and :func:`choose_track`.
    """
    container = open_container(path)
    stream = container.streams.video[track]
    try:
        context = stream.codec_context
    except (UnknownCodecError, ValueError):
        context = None
    if context is None:
        container.close()
        raise VideoFormatError(
            f"the pictures of {path.name} are coded in a format for which the installed FFmpeg has no decoder; "
            "convert it to H.264 in MP4"
        )
    # Frame threads halve the decoding time on two cores; more than four only cost memory.
    stream.thread_type = "AUTO"
    context.thread_count = min(4, os.cpu_count() or 1)
    if context.codec.canonical_name in _STRICT:
        context.options = {"err_detect": "explode"}
    return container, stream


def close_video(container: InputContainer, stream: VideoStream) -> None:
    """Close a file that was opened for decoding.

    Its decoder first finishes what it works on in other threads. Freeing a decoder waits for these threads while it
    holds Python's lock; if one of them then logs a message to Python, both would wait indefinitely.
    """
    stream.codec_context.flush_buffers()
    container.close()


@contextmanager
def opened_video(path: Path, track: int) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a video track with :func:`open_video`, and close it when the block ends."""
    container, stream = open_video(path, track)
    try:
        yield container, stream
    finally:
        close_video(container, stream)


def readable_packets(container: InputContainer, stream: VideoStream) -> Iterator[av.Packet]:
    """Yield the packets of a track up to the end of the file or to where it cannot be read further.

    The last one is empty: it makes the decoder hand out the frames that it holds back.
    """
    try:
        yield from container.demux(stream)
    except FFmpegError:
        last = av.Packet()
        last.stream = stream
        yield last


def choose_track(path: Path, wanted: int | None) -> Track:
    """Choose the track that a player would show, or check the one that was asked for.

    Cover pictures and previews are never chosen by default. Among the others, a track with more than one picture comes
    before a still, then one that the file marks as its default, then the first in the file.

    Raises:
        ConfigError: there is no video track with the number ``wanted``.
        VideoNoTrackError: the file has no video track.
        VideoError: one of its other subclasses, if the file cannot be opened.
    """
    container = open_container(path)
    with container:
        streams = container.streams.video
        numbers = [n for n, s in enumerate(streams) if not s.disposition & _SIDE_TRACKS]
        if not streams or (wanted is None and not numbers):
            kinds = ", ".join(sorted({s.type for s in container.streams if s.type != "video"})) or "nothing"
            raise VideoNoTrackError(
                f"expected a video track in {path.name}, but it only has: {kinds}; give a file with pictures"
            )
        if wanted is not None and not 0 <= wanted < len(streams):
            raise ConfigError(f"expected a track from 0 to {len(streams) - 1} of {path.name}, got track={wanted}")
        if len(streams) == 1 and wanted is None:
            return Track(0)
        counts = _count_packets(container, [streams[n] for n in numbers])
        moving = {n: counts[streams[n].index] > 1 for n in numbers}
        chosen = wanted
        if chosen is None:
            default = {n: bool(streams[n].disposition & Disposition.default) for n in numbers}
            chosen = max(numbers, key=lambda n: (moving[n], default[n], -n))
        left_out = [f"track {n} ({_describe(streams[n], counts)})" for n in numbers if n != chosen]
        return Track(chosen, tuple(left_out))


def _count_packets(container: InputContainer, streams: list[VideoStream]) -> Counter[int]:
    if container.format.name.startswith("mov") and all(stream.frames for stream in streams):
        return Counter({stream.index: stream.frames for stream in streams})  # from the header; 0 in fragmented files
    counts: Counter[int] = Counter()
    with suppress(FFmpegError):  # damaged further on: what was counted tells a film from a still
        counts.update(packet.stream.index for packet in container.demux(*streams) if packet.size)
    return counts


def _describe(stream: VideoStream, counts: Counter[int]) -> str:
    context = stream.codec_context
    size = f"{context.width}×{context.height}" if context is not None else "unknown coding"
    return f"{size}, {counts[stream.index]} frames"
