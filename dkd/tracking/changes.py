"""Base of the methods that change one thing in a run, and the calls that are recorded for them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from keyword import iskeyword
from typing import Any, Self

import numpy as np

from dkd.errors import ConfigError
from dkd.pose.skeleton import Skeleton
from dkd.tracking.interventions import Frames, Intervention, frames_of
from dkd.video.protocols import ClipLike

Cancel = Callable[[], bool]


class Changes(ABC):
    """Methods that change one thing in a run. Every method returns a new trace and leaves this one unchanged.

    Frames are counted from 0. Where a method takes ``frames``, this is one frame (``30``), a range of step 1
    (``range(30, 40)``), or ``None`` for all frames. All methods take ``cancel``, as the trace does: a stopped run
    continues with :meth:`dkd.Trace.run`. All raise :class:`~dkd.errors.ConfigError` for frames outside the run.

    Attributes:
        n_wanted: number of frames of the complete run.
        base: the trace that this one was made from by a change, or ``None``.
        calls: the calls that made this trace from the first one, as Python: ``("freeze_kernel(12)",)``.
    """

    clip: ClipLike
    skeleton: Skeleton
    model_name: str
    n_wanted: int
    base: Self | None = None
    calls: tuple[str, ...] = ()

    @property
    @abstractmethod
    def complete(self) -> bool:
        """Whether all frames are traced."""

    @abstractmethod
    def run(self, *, progress: bool = True, cancel: Cancel | None = None) -> None:
        """Trace the remaining frames."""

    @abstractmethod
    def _with(self, changes: Sequence[Intervention], call: str, cancel: Cancel | None) -> Self:
        """Return the run with more interventions, made by ``call`` and stopped by ``cancel``."""

    @abstractmethod
    def _kernel(self, frame: int) -> np.ndarray:
        """Return a copy of a frame's K̃, (C, S, S); raise :class:`~dkd.errors.ConfigError` if the model has none."""

    def undo(self) -> Self:
        """Return the trace from which this one was made.

        Raises:
            ConfigError: it was not made from another trace.
        """
        if self.base is None:
            raise ConfigError("nothing to undo: this trace was not made from another one")
        return self.base

    def _frames(self, frames: Frames) -> range:
        return frames_of(frames, self.n_wanted)

    def _shown(self, frames: range) -> Any:
        """Return frames as an argument of a call whose default is all frames."""
        return LEFT_OUT if frames == range(self.n_wanted) else plain(frames)


class Name(str):
    """Name of a variable, written in a call without quotes."""

    @classmethod
    def of(cls, name: str) -> str:
        """Return a name as it is written in a call: with quotes if it cannot be the name of a variable."""
        return cls(name) if name.isidentifier() and not iskeyword(name) else name

    __repr__ = str.__str__


LEFT_OUT = Name()  # an argument with its default value


def plain(frames: range) -> int | range:
    """Return frames as an argument of a call: a single one as a number."""
    return frames.start if len(frames) == 1 else frames


def call_text(name: str, *values: Any, **named: Any) -> str:
    """Format a call as Python."""
    given = [repr(v) for v in values if v is not LEFT_OUT]
    given += [f"{k}={v!r}" for k, v in named.items() if v is not LEFT_OUT]
    return f"{name}({', '.join(given)})"


def shortest(value: np.floating[Any]) -> float:
    """Convert a float32 to the shortest float that rounds to it."""
    return float(str(value))
