"""The model and the clip of a trace, given as objects, names or paths."""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import Any

from dkd.errors import ConfigError
from dkd.models.base import VideoPoseModel
from dkd.models.checkpoints import load_model
from dkd.video.clip import Clip
from dkd.video.protocols import ClipLike
from dkd.video.ranges import ClipRange


def as_model(model: VideoPoseModel | str | os.PathLike[str]) -> VideoPoseModel:
    """Return a model; the name of a shipped one, or the path of a checkpoint, is loaded.

    Raises:
        ConfigError: it is neither a model nor a name or path, or the name is unknown.
        CheckpointError: the file cannot be used.
    """
    if isinstance(model, (str, os.PathLike)):
        return load_model(model if isinstance(model, str) else Path(model))
    if not isinstance(model, VideoPoseModel):
        raise ConfigError(
            f"expected a model, or the name or path of one, got {_kind(model)}; give a name such as 'dkd-mobilenetv2'"
        )
    return model


class OpenedClip:
    """A clip that was opened for a trace, and is closed with the last trace that uses it.

    Attributes:
        clip: the clip.
        traces: open traces that use it.
    """

    def __init__(self, clip: Clip):
        self.clip = clip
        self.traces: weakref.WeakSet[Any] = weakref.WeakSet()

    def release(self, trace: Any) -> None:
        """Close the clip if no other trace uses it."""
        self.traces.discard(trace)
        if not self.traces:
            self.clip.close()


class OpenedRange(ClipRange):
    """Part of a clip that was opened for a trace.

    Attributes:
        owner: owner of the clip.
    """

    owner: OpenedClip


def as_part(clip: ClipLike | str | os.PathLike[str], start: int = 0, stop: int | None = None) -> ClipLike:
    """Return the frames ``start`` to ``stop`` (exclusive) of a clip as a clip; the clip itself if these are all.

    A path is opened, and closed with the last trace of the part.

    Raises:
        FrameIndexError: unless 0 ≤ start < stop ≤ the length of the clip.
        ConfigError, VideoError: as :func:`as_clip`.
    """
    whole, opened = as_clip(clip)
    if opened is None:
        return whole if start == 0 and stop in (None, len(whole)) else ClipRange(whole, start, stop)
    try:
        part = OpenedRange(whole, start, stop)
    except BaseException:
        opened.clip.close()
        raise
    part.owner = opened
    return part


def as_clip(clip: ClipLike | str | os.PathLike[str]) -> tuple[ClipLike, OpenedClip | None]:
    """Return a clip; a path is opened.

    Returns:
        The clip; and its owner if it was opened here, else ``None``.

    Raises:
        ConfigError: it is neither a clip nor a path.
        VideoError: the file cannot be used.
    """
    if isinstance(clip, (str, os.PathLike)):
        opened = Clip(clip)
        return opened, OpenedClip(opened)
    if not all(hasattr(clip, name) for name in ("frame", "times", "width", "height")):
        raise ConfigError(f"expected a clip, or the path of a video, got {_kind(clip)}; open a video with Clip(path)")
    return clip, clip.owner if isinstance(clip, OpenedRange) else None


def _kind(value: Any) -> str:
    return f"an object of type {type(value).__name__}"
