"""A trace that is being computed, completed by the frames of a finished one, so that views always show whole clips."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dkd.tracking.protocols import TraceLike


class Spliced:
    """The frames of ``new`` that are there, around them those of ``old``: a :class:`~dkd.tracking.protocols.TraceLike`.

    Args:
        new: a snapshot of a run that continues, see :meth:`dkd.Trace.in_progress`.
        old: a finished run over the same clip, at least as long.
        length: number of frames.

    Attributes:
        new_frames: frames that are from ``new``.
    """

    complete = True

    def __init__(self, new: Any, old: Any, length: int):
        self._new, self._old, self._length = new, old, length
        self.new_frames = range(new.traced_frames.start, min(new.traced_frames.stop, length))
        self.clip, self.skeleton, self.model_name, self.conditions = (
            new.clip,
            new.skeleton,
            new.model_name,
            new.conditions,
        )
        self.calibrated, self.origin = new.calibrated, getattr(new, "origin", 0)
        self.ground_truth_kind = new.ground_truth_kind
        self.readout, self.bias = new.readout, new.bias

    def __len__(self) -> int:
        return self._length

    def _of(self, t: int) -> Any:
        return self._new if t in self.new_frames else self._old

    def _joined(self, read: Callable[[Any], np.ndarray]) -> np.ndarray:
        """Return one value per frame, of the run that has the frame."""
        first, stop = self.new_frames.start, self.new_frames.stop
        old = read(self._old)[: self._length]
        return np.concatenate([old[:first], read(self._new)[first:stop], old[stop:]]) if first < stop else old

    # --- one entry per frame ------------------------------------------------------------------------------------------

    @property
    def times(self) -> np.ndarray:
        return np.asarray(self._old.times)[: self._length]

    @property
    def ground_truth(self) -> np.ndarray | None:
        truth: np.ndarray | None = self._old.ground_truth
        return truth

    @property
    def crops(self) -> list[Any]:
        first, stop = self.new_frames.start, self.new_frames.stop
        old = self._old.crops[: self._length]
        return [*old[:first], *self._new.crops[first:stop], *old[stop:]]

    @property
    def joints(self) -> np.ndarray:
        return self._joined(lambda trace: trace.joints)

    @property
    def predicted_joints(self) -> np.ndarray:
        return self._joined(lambda trace: trace.predicted_joints)

    @property
    def corrected(self) -> np.ndarray:
        return self._joined(lambda trace: trace.corrected)

    @property
    def hidden(self) -> np.ndarray:
        return self._joined(lambda trace: trace.hidden)

    @property
    def scores(self) -> np.ndarray:
        return self._joined(lambda trace: trace.scores)

    @property
    def confidence(self) -> np.ndarray:
        return self._joined(lambda trace: trace.confidence)

    @property
    def strange(self) -> np.ndarray:
        return self._joined(lambda trace: trace.strange)

    @property
    def heatmaps(self) -> Any:
        return _Rows(self._new.heatmaps, self._old.heatmaps, self.new_frames, self._length)

    @property
    def kernels(self) -> Any:
        return _Rows(self._new.kernels, self._old.kernels, self.new_frames, self._length)

    @property
    def reinitialised(self) -> list[Any]:
        new = [one for one in self._new.reinitialised if one.frame in self.new_frames]
        old = [one for one in self._old.reinitialised if one.frame not in self.new_frames]
        return sorted([*new, *old], key=lambda one: one.frame)

    def speed(self) -> np.ndarray:
        return self._between(lambda trace: trace.speed())

    def kernel_drift(self) -> np.ndarray:
        return self._between(lambda trace: trace.kernel_drift())

    def _between(self, read: Callable[[Any], np.ndarray]) -> np.ndarray:
        """Return values that compare a frame with the one before: of the first new frame, ``new`` lacks that one."""
        values, first = self._joined(read), self.new_frames.start
        values[first] = read(self._old)[first]
        return values

    # --- of the run that has the frame --------------------------------------------------------------------------------

    def from_initializer(self, t: int) -> bool:
        return bool(self._of(t).from_initializer(t))

    def previous(self, t: int) -> int | None:
        before: int | None = self._of(t).previous(t)
        return before

    def picture(self, t: int) -> np.ndarray:
        return np.asarray(self._of(t).picture(t))

    def network_pixels(self, t: int) -> np.ndarray:
        return np.asarray(self._of(t).network_pixels(t))

    def projected(self, t: int) -> np.ndarray:
        return np.asarray(self._of(t).projected(t))

    def effective_kernel(self, t: int, joint: str | int) -> np.ndarray:
        return np.asarray(self._of(t).effective_kernel(t, joint))

    def contributions(self, t: int, joint: str | int) -> np.ndarray:
        return np.asarray(self._of(t).contributions(t, joint))

    # --- other versions, closing --------------------------------------------------------------------------------------

    def would_change(self, _policy: object, _refine: object = None) -> bool:
        return False

    def retrace(self, _policy: object, *, refine: object = None, cancel: object = None) -> Spliced:
        return self

    def close(self) -> None:
        """Do nothing: the two runs belong to others."""


class _Rows:
    """Large arrays of two runs, of which one frame at a time is read."""

    def __init__(self, new: np.ndarray, old: np.ndarray, new_frames: range, length: int):
        self._new, self._old, self._new_frames = new, old, new_frames
        self.shape = (length, *old.shape[1:])
        self.size = int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, t: int) -> np.ndarray:
        return np.asarray((self._new if t in self._new_frames else self._old)[t])


def changed_frames(one: TraceLike, other: TraceLike) -> range:
    """Return the frames from the first to the last that differ between two runs of the same length; maybe none.

    Runs whose joints, scores and squares agree in a frame were matched with the same kernels there: the scores are the
    heights of peaks, and would not agree to the last bit with others.
    """
    differs = np.array([a != b for a, b in zip(one.crops, other.crops, strict=True)], bool)
    for name in ("joints", "scores", "corrected", "hidden"):
        mine, yours = (np.asarray(getattr(trace, name)) for trace in (one, other))
        same = (mine == yours) | ((mine != mine) & (yours != yours))
        differs |= ~same.reshape(len(same), -1).all(1)
    found = np.flatnonzero(differs)
    return range(int(found[0]), int(found[-1]) + 1) if found.size else range(len(differs), len(differs))
