"""Typed errors. Every message says what was expected, what came, and what to do about it.

All derive from :class:`DKDError`, so ``except DKDError`` catches whatever the library raises on purpose. Each also
derives from the built-in error a Python user would expect, so that code that knows nothing of us still works.
"""

from collections.abc import Iterable
from difflib import get_close_matches


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
    """There is no room on the disk for what has to be written."""


class RunBusyError(DKDError, RuntimeError):
    """Another process trains in this run's folder."""


class TrainingError(DKDError, ArithmeticError):
    """Training cannot go on: the loss is not finite. What was saved before is kept."""


class SampleError(DKDError, RuntimeError):
    """A sample clip could not be brought here or does not have the content that was expected."""


class DatasetError(DKDError, ValueError):
    """A data set is missing, incomplete, or not in the layout that was expected."""


class VideoError(DKDError, ValueError):
    """A video cannot be used. The subclasses say why."""


class VideoNotFoundError(VideoError, FileNotFoundError):
    """There is no file at this path."""


class VideoEmptyError(VideoError):
    """The file has no bytes, or its video track has no frame."""


class VideoFormatError(VideoError):
    """The file is not a video, or not one that the installed decoders can read."""


class VideoNoTrackError(VideoFormatError):
    """The file is a media file without a video track (audio only)."""


class VideoCorruptError(VideoError):
    """The file is a video, but damaged: a frame that it announces cannot be decoded."""


class VideoTruncatedError(VideoCorruptError):
    """The file ends before the frames that its header announces; ``n_readable`` frames can be read."""

    def __init__(self, message: str, n_readable: int = 0):
        super().__init__(message)
        self.n_readable = n_readable


class FrameIndexError(VideoError, IndexError):
    """A frame index lies outside the clip."""


class MissingExtraError(DKDError, ImportError):
    """A feature needs a package that is optional and not installed; the message names the extra to install."""


class ClosedError(DKDError, RuntimeError):
    """The object was closed and can no longer be used."""


def nearest_name(name: str, known: Iterable[object]) -> str:
    """The end of a sentence on an unknown name: ``"; did you mean 'x'?"``, the nearest of ``known``, else ``"."``."""
    near = get_close_matches(str(name), [str(k) for k in known], n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else "."
