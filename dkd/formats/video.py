"""A track and its video: times, rate and size from the video, and sentences about what does not fit."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np

from dkd.formats.track import PoseTrack
from dkd.video.clip import Clip
from dkd.video.protocols import ClipLike, rate_text

OUTSIDE = 0.05  # share of the joints outside the picture that is still no reason to ask whether it is the right video


def with_video(track: PoseTrack, video: ClipLike | str | os.PathLike[str]) -> PoseTrack:
    """Return the track with the times, rate and size of its video; frames beyond its end are left out, and said so.

    Args:
        track: the track.
        video: a clip, or the path of the video.

    Raises:
        VideoError: the video cannot be opened.
    """
    if isinstance(video, str | os.PathLike):
        with Clip(video) as clip:
            return _fitted(track, clip, str(video))
    return _fitted(track, video, str(getattr(video, "path", None) or video.name))


def _fitted(track: PoseTrack, clip: ClipLike, source: str) -> PoseTrack:
    notes = [*track.notes, *mismatches(track, clip)]
    inside = track.frames < len(clip)
    if not inside.any():
        inside[0] = True  # a track has at least one frame; the note says that none fits
        times = track.times[inside]
    else:
        times = np.asarray(clip.times)[track.frames[inside]]
    sure = None if track.confidence is None else track.confidence[inside]
    return replace(
        track, xy=track.xy[inside], scores=track.scores[inside], confidence=sure, frames=track.frames[inside],
        times=times, fps=clip.fps, size=(clip.width, clip.height), source=source, notes=tuple(notes),
    )  # fmt: skip


def mismatches(track: PoseTrack, clip: ClipLike) -> list[str]:
    """Say what does not fit: length, rate, size, or joints outside the picture; empty if all fits."""
    out = []
    last = int(track.frames[-1])
    if last >= len(clip):
        out.append(f"The file has frames up to {last}, the video {len(clip)} frames: the frames after it are left out.")
    elif len(track) > 1 and last + 1 < len(clip):
        out.append(f"The file ends with frame {last}, the video with frame {len(clip) - 1}.")
    if track.fps is not None and (clip.fps is None or abs(track.fps / clip.fps - 1) > 1e-4):
        out.append(f"The file says {track.fps:.6g} fps, the video has {rate_text(clip)}: the video's times are used.")
    elif track.fps is None and not np.isnan(track.times[0]):
        both = track.frames < len(clip)
        apart = np.abs(np.asarray(clip.times)[track.frames[both]] - track.times[both])
        if len(apart) and apart.max() > 0.5 / 30:
            out.append(f"The file's times differ from the video's by up to {apart.max():.3g} s: the video's are used.")
    if track.size is not None and track.size != (clip.width, clip.height):
        out.append(f"The file is of {track.size[0]}×{track.size[1]} pixels, the video has {clip.width}×{clip.height}.")
    found = track.xy[~track.missing]
    outside = (found < -0.5) | (found > np.array([clip.width, clip.height]) - 0.5)
    if len(found) and outside.any(-1).mean() > OUTSIDE:
        share = float(outside.any(-1).mean())
        out.append(f"{share:.0%} of the joints are outside the video's picture: is it another video, or another size?")
    return out
