"""What a user should know about a video file before trusting it, as data: a log shows it, and so can a timeline."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dkd.video.opening import Track
from dkd.video.tables import Packet
from dkd.video.times import Timing

log = logging.getLogger("dkd.video")

_LONG_PAUSE_S = 1.0


@dataclass(frozen=True)
class VideoWarning:
    """One fault or peculiarity of a video.

    Attributes:
        kind: ``"damaged"``: these frames cannot be read. ``"suspect"``: the file's own checksum says that bytes among
            these frames changed; a decoder may or may not notice. ``"gap"``: after each of these frames, others are
            missing. ``"truncated"``: the file ends early, after this frame. ``"track"``: there are other video tracks.
            ``"files"``: files of a folder were left out, or may not belong together.
        text: the warning in words.
        frames: numbers of the frames that it is about, ascending; empty if it is about the whole file.
    """

    kind: Literal["damaged", "suspect", "gap", "truncated", "track", "files"]
    text: str
    frames: tuple[int, ...] = ()

    def __str__(self) -> str:
        return self.text


def warnings_of(
    timing: Timing,
    track: Track,
    damaged: Collection[int],
    truncated: bool,
    announced: int | None,
    faults: Sequence[tuple[int, ...]],
    unseen: int = 0,
) -> tuple[VideoWarning, ...]:
    """Collect the warnings about a file.

    Args:
        timing: times of its T frames.
        track: the video track that is read.
        damaged: numbers of damaged frames, as far as they are known.
        truncated: whether the file ends early.
        announced: number of frames that the header announces.
        faults: frames in each stretch of the file whose bytes are damaged.
        unseen: number of pictures that are stored, but are no frames.
    """
    n = len(timing.times)
    found = []
    if track.left_out:
        text = f"the file has several video tracks: track {track.number} is read, left out: {', '.join(track.left_out)}"
        found.append(VideoWarning("track", f"{text}; choose one with track=NUMBER"))
    if truncated:
        of = f" of {announced}" if announced and announced > n else ""
        text = f"the file is cut short or damaged at its end: {n}{of} frames are readable"
        found.append(VideoWarning("truncated", text, (n - 1,)))
    if damaged:
        found.append(damage_warning(damaged, n))
    for frames in faults:
        where = f"around frame {frames[0]}" if len(frames) == 1 else f"in frames {frames[0]} to {frames[-1]}" \
            if frames else "outside its frames"  # fmt: skip
        text = f"bytes of the file are damaged {where}: its checksum does not match, or a stretch cannot be read"
        found.append(VideoWarning("suspect", text, frames))
    if unseen:
        text = f"{unseen} of {unseen + n} stored pictures are not shown: they are damaged, or their times are wrong"
        found.append(VideoWarning("suspect", text))
    if (gap := _gaps(timing)) is not None:
        found.append(gap)
    return tuple(found)


def unseen_pictures(family: str, packets: Sequence[Packet], stored: int, n_frames: int) -> int:
    """Return how many pictures of a whole MP4, MOV or AVI file are not among its frames; 0 if that is usual.

    Args:
        family: name of the container.
        packets: all packets of the track, one picture each.
        stored: number of pictures that the header states, 0 if it does not.
        n_frames: number of frames.
    """
    if family == "avi":
        return max(len(packets) - n_frames, 0)
    if family != "mov":
        return 0
    if 2 * n_frames <= stored:  # an edit list usually hides a few
        return stored - n_frames
    return max(sum(not p.hidden for p in packets) - n_frames, 0)


def damage_warning(damaged: Collection[int], n_frames: int) -> VideoWarning:
    """Return the warning that frames cannot be read; ``damaged`` has at least one number."""
    frames = tuple(sorted(damaged))
    return VideoWarning(
        "damaged", f"{len(frames)} of {n_frames} frames are damaged, the first is frame {frames[0]}", frames
    )


def _gaps(timing: Timing) -> VideoWarning | None:
    steps = np.diff(timing.times)
    if timing.gaps:
        longest = max(timing.gaps, key=lambda t: steps[t])
        missing = sum(round(steps[t] * (timing.rate or 0)) - 1 for t in timing.gaps)
        text = (
            f"{missing} frames are missing (number of gaps: {len(timing.gaps)}): they were dropped while recording, or "
            f"lost; the longest gap is {steps[longest]:.3g} s after frame {longest}"
        )
        return VideoWarning("gap", text, timing.gaps)
    if len(steps) and steps.max() > max(_LONG_PAUSE_S, 20 * float(np.median(steps))):
        text = f"{steps.max():.1f} s without a frame after frame {steps.argmax()}; frames may be lost there"
        return VideoWarning("gap", text, (int(steps.argmax()),))
    return None


def log_warnings(name: str, warnings: Sequence[VideoWarning]) -> None:
    """Log warnings about the file called ``name``."""
    for warning in warnings:
        log.warning("%s: %s", name, warning.text)
