"""A trace that is being computed, continued by the frames of a finished one, so that views always show whole clips."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dkd.tracking.protocols import TraceLike


class Spliced:
    """The frames of ``new`` that are there, then those of ``old``: a :class:`~dkd.tracking.protocols.TraceLike`.

    Args:
        new: a snapshot of a run that continues.
        old: a finished run over the same clip, at least as long.
        length: number of frames.

    Attributes:
        n_new: number of frames that are from ``new``.
    """

    complete = True

    def __init__(self, new: Any, old: Any, length: int):
        self._new, self._old, self._length = new, old, length
        self.n_new = min(len(new), length)
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
        return self._new if t < self.n_new else self._old

    def _joined(self, read: Callable[[Any], np.ndarray]) -> np.ndarray:
        """Return one value per frame, of the run that has the frame."""
        n = self.n_new
        return (
            read(self._old)[: self._length]
            if not n
            else np.concatenate([read(self._new)[:n], read(self._old)[n : self._length]])
        )

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
        return [*self._new.crops[: self.n_new], *self._old.crops[self.n_new : self._length]]

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
    def heatmaps(self) -> Any:
        return _Rows(self._new.heatmaps, self._old.heatmaps, self.n_new, self._length)

    @property
    def kernels(self) -> Any:
        return _Rows(self._new.kernels, self._old.kernels, self.n_new, self._length)

    @property
    def reinitialised(self) -> list[Any]:
        new = [one for one in self._new.reinitialised if one.frame < self.n_new]
        return [*new, *(one for one in self._old.reinitialised if one.frame >= self.n_new)]

    def speed(self) -> np.ndarray:
        return self._joined(lambda trace: trace.speed())

    def kernel_drift(self) -> np.ndarray:
        return self._joined(lambda trace: trace.kernel_drift())

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

    def would_change(self, _policy: object) -> bool:
        return False

    def retrace(self, _policy: object, *, cancel: object = None) -> Spliced:
        return self

    def close(self) -> None:
        """Do nothing: the two runs belong to others."""


class _Rows:
    """Large arrays of two runs, one after the other, of which one frame at a time is read."""

    def __init__(self, new: np.ndarray, old: np.ndarray, n_new: int, length: int):
        self._new, self._old, self._n_new = new, old, n_new
        self.shape = (length, *old.shape[1:])
        self.size = int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, t: int) -> np.ndarray:
        return np.asarray((self._new if t < self._n_new else self._old)[t])


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
