"""Typed errors. Every message says what was expected, what was received, and what to do about it.

All derive from :class:`DKDError`, so ``except DKDError`` catches everything the library raises on purpose. Each also
derives from the built-in error that a Python user would expect, so that code that does not know this library still
works.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path


class DKDError(Exception):
    """Base class of all errors that the library raises on purpose."""


class ConfigError(DKDError, ValueError):
    """A setting is unknown, has the wrong type, or contradicts another one."""


class CheckpointError(DKDError, ValueError):
    """A checkpoint is missing, damaged, or does not fit the model it is loaded into."""


class BoxError(DKDError, ValueError):
    """A person box is degenerate, not finite, or lies outside the frame."""


class ShapeError(DKDError, ValueError):
    """An array has the wrong shape or type."""


class StorageError(DKDError, OSError):
    """A file cannot be written: the disk is full, or there is no permission."""


class RunBusyError(DKDError, RuntimeError):
    """Another process is already training in this run's folder."""


class TrainingError(DKDError, ArithmeticError):
    """Training cannot continue because the loss is not finite. Everything saved before is kept."""


class SampleError(DKDError, RuntimeError):
    """A sample clip could not be downloaded or does not have the expected content."""


class DatasetError(DKDError, ValueError):
    """A data set is missing, incomplete, or not in the expected layout."""


class VideoError(DKDError, ValueError):
    """A video cannot be used; the subclasses say why."""


class VideoNotFoundError(VideoError, FileNotFoundError):
    """There is no file at this path."""


class VideoEmptyError(VideoError):
    """The file is empty, or its video track has no frames."""


class VideoFormatError(VideoError):
    """The file is not a video, or the installed decoders cannot read it."""


class VideoNoTrackError(VideoFormatError):
    """The file is a media file without a video track (audio only)."""


class VideoCorruptError(VideoError):
    """The file is a damaged video: a frame that it announces cannot be decoded."""


class VideoTruncatedError(VideoCorruptError):
    """The file ends before the frames that its header announces; ``n_readable`` frames can be read."""

    def __init__(self, message: str, n_readable: int = 0):
        super().__init__(message)
        self.n_readable = n_readable


class SessionError(DKDError, ValueError):
    """A session cannot be used: it is damaged, or asks for something that does not fit its video or model."""


class VideoMovedError(VideoNotFoundError):
    """The video of a session is not where the session says; ``looked`` has the paths at which it was looked for."""

    def __init__(self, message: str, looked: Sequence[Path] = ()):
        super().__init__(message)
        self.looked = tuple(looked)


class FrameIndexError(VideoError, IndexError):
    """A frame index lies outside the clip."""


class StoppedError(DKDError, RuntimeError):
    """A computation was cancelled before it had a result."""


class MissingExtraError(DKDError, ImportError):
    """A feature needs an optional package that is not installed; the message names the extra to install."""


class ClosedError(DKDError, RuntimeError):
    """The object was closed and can no longer be used."""


def nearest_name(name: str, known: Iterable[object]) -> str:
    """Return the end of an error message about an unknown name.

    That is ``"; did you mean 'x'?"`` with the nearest of ``known``, or ``"."`` if none is near.
    """
    near = get_close_matches(str(name), [str(k) for k in known], n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else "."
