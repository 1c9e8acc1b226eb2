"""What if? Methods of a :class:`dkd.Trace` that change one thing in a run and return the run that follows, a new trace.

    frozen = trace.freeze_kernel(12)                     # the kernels of frame 12, matched in every frame
    hidden = trace.occlude((60, 40, 120, 160), range(30, 40))
    both = hidden.restart(45)                            # one after the other
    both.undo() is hidden

Only frames that can differ are computed again. A trace knows the calls that made it (:attr:`Counterfactuals.calls`): on
the same first trace they give the same result, to the last bit on the same machine with as many threads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from dkd.errors import ConfigError
from dkd.pose.crops import check_box
from dkd.pose.skeleton import Skeleton
from dkd.tracking.interventions import (
    NOISE_SIGMA,
    AddNoise,
    Blur,
    ChangeState,
    Darken,
    DropFrames,
    EditKernel,
    Frames,
    Intervention,
    KernelOperation,
    Occlude,
    PutKernel,
    RepeatFrame,
    Restart,
    ShiftBox,
    StateChange,
    SwapReadouts,
    frames_of,
)
from dkd.tracking.perturbations import BLUR_SIGMA, DARK_GAIN
from dkd.video.protocols import ClipLike

Cancel = Callable[[], bool]


class Counterfactuals(ABC):
    """The part of a trace that asks what if. Every method returns a new trace and leaves this one unchanged.

    Frames are counted from 0. Where a method takes ``frames``, this is one frame (``30``), a range of step 1
    (``range(30, 40)``), or ``None`` for all frames. All methods take ``cancel``, as the trace does: what is stopped
    goes on with :meth:`dkd.Trace.run`. All raise :class:`~dkd.errors.ConfigError` for frames outside the run.

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

    @abstractmethod
    def _with(self, changes: Sequence[Intervention], call: str, cancel: Cancel | None) -> Self:
        """The run with more interventions, made by ``call``; stopped by ``cancel``."""

    @abstractmethod
    def _kernel(self, frame: int) -> np.ndarray:
        """(C, S, S) K̃ of a frame, a copy; raises :class:`~dkd.errors.ConfigError` where the model has none."""

    # --- kernels -----------------------------------------------------------------------------------------------------

    def freeze_kernel(self, frame: int, frames: Frames = None, *, cancel: Cancel | None = None) -> Self:
        """Match K̃ of ``frame`` instead of what is distilled from ``frames``; by default from all of them."""
        within = self._frames(frames)
        call = _call("freeze_kernel", int(frame), self._shown(within))
        return self._with([PutKernel(within, self._kernel(frame))], call, cancel)

    def average_kernel(self, of: range, frames: Frames = None, *, cancel: Cancel | None = None) -> Self:
        """Match the mean of K̃ over the frames ``of`` instead of what is distilled from ``frames``."""
        within, averaged = self._frames(frames), self._frames(of)
        mean = np.stack([self._kernel(t) for t in averaged]).mean(0)
        call = _call("average_kernel", averaged, self._shown(within))
        return self._with([PutKernel(within, mean)], call, cancel)

    def swap_kernels(self, first: int, second: int, *, cancel: Cancel | None = None) -> Self:
        """Exchange what was distilled from two frames."""
        changes = [PutKernel(self._frames(a), self._kernel(b)) for a, b in ((first, second), (second, first))]
        return self._with(changes, _call("swap_kernels", int(first), int(second)), cancel)

    def put_kernel(
        self,
        frames: Frames,
        other: Counterfactuals,
        other_frame: int,
        *,
        name: str = "other",
        cancel: Cancel | None = None,
    ) -> Self:
        """Match what another run distilled: of another clip, or another person.

        Args:
            frames: whose kernels are replaced.
            other: a run of a model with kernels of the same shape; of other weights its channels mean something else.
            other_frame: the frame that its kernels come from.
            name: what the other trace is called in :attr:`calls`.
            cancel: as for a trace.

        Raises:
            ConfigError: the other model's kernels have another shape, or it has none.
        """
        within = self._frames(frames)
        kernel = other._kernel(other_frame)
        mine = self._kernel(within.start)
        if kernel.shape != mine.shape:
            raise ConfigError(
                f"expected kernels of shape (C, S, S) = {mine.shape} as this model's, got {kernel.shape} of "
                f"{other.model_name}; take a run of the same model"
            )
        call = _call("put_kernel", _plain(within), _Name(name), int(other_frame))
        return self._with([PutKernel(within, kernel)], call, cancel)

    def edit_kernel(
        self,
        frames: Frames,
        operation: KernelOperation,
        channels: Sequence[int] = (),
        amount: float = 0.0,
        values: Any = None,
        *,
        cancel: Cancel | None = None,
    ) -> Self:
        """Edit what is distilled from ``frames``.

        Args:
            frames: whose kernels are edited.
            operation: ``"zero"`` (mute), ``"solo"``, ``"blur"``, ``"rotate"``, ``"paint"``: see
                :class:`dkd.tracking.interventions.EditKernel`.
            channels: which; all by default.
            amount: cells of the blur's σ, or degrees.
            values: (S, S), to paint.
            cancel: as for a trace.
        """
        within = self._frames(frames)
        painted = None if values is None else np.asarray(values, np.float32)
        one = EditKernel(within, operation, tuple(int(c) for c in channels), float(amount), painted)
        call = _call(
            "edit_kernel", _plain(within), operation, channels=one.channels or _LEFT_OUT, amount=amount or _LEFT_OUT,
            values=_LEFT_OUT if painted is None else [[_shortest(v) for v in row] for row in painted],
        )  # fmt: skip
        return self._with([one], call, cancel)

    def swap_readouts(self, joint: str, other: str, *, cancel: Cancel | None = None) -> Self:
        """Let two joints read with each other's row of U, in every frame whose maps are matched."""
        pair = (self.skeleton.index(joint), self.skeleton.index(other))
        matched = range(1, self.n_wanted)
        return self._with([SwapReadouts(matched, pair)], _call("swap_readouts", joint, other), cancel)

    # --- the input ---------------------------------------------------------------------------------------------------

    def occlude(
        self, box: tuple[float, float, float, float], frames: Frames = None, *, cancel: Cancel | None = None
    ) -> Self:
        """Put a grey rectangle (x0, y0, x1, y1), in pixels of the frame, over the picture.

        Raises:
            BoxError: it is degenerate, or outside the frame.
        """
        within = self._frames(frames)
        x0, y0, x1, y1 = check_box(box, self.clip.width, self.clip.height)
        rounded = (round(x0), round(y0), round(x1), round(y1))
        return self._with([Occlude(within, rounded)], _call("occlude", rounded, self._shown(within)), cancel)

    def blur(self, frames: Frames = None, sigma: float = BLUR_SIGMA, *, cancel: Cancel | None = None) -> Self:
        """Put the picture out of focus; ``sigma`` is a share of the square's side, 1/64 by default."""
        if not sigma > 0:
            raise ConfigError(f"expected sigma > 0, got {sigma}")
        within = self._frames(frames)
        return self._with([Blur(within, sigma)], _call("blur", self._shown(within), sigma=sigma), cancel)

    def add_noise(
        self, frames: Frames = None, sigma: float = NOISE_SIGMA, seed: int = 0, *, cancel: Cancel | None = None
    ) -> Self:
        """Add Gaussian noise of ``sigma`` grey levels (of 255)."""
        if not sigma > 0:
            raise ConfigError(f"expected sigma > 0, got {sigma}")
        within = self._frames(frames)
        call = _call("add_noise", self._shown(within), sigma=sigma, seed=seed)
        return self._with([AddNoise(within, sigma, seed)], call, cancel)

    def darken(self, frames: Frames = None, gain: float = DARK_GAIN, *, cancel: Cancel | None = None) -> Self:
        """Take light away; ``gain``, in 0..1, is left of it."""
        if not 0 <= gain <= 1:
            raise ConfigError(f"expected a gain in 0..1, got {gain}")
        within = self._frames(frames)
        return self._with([Darken(within, gain)], _call("darken", self._shown(within), gain=gain), cancel)

    def drop_frames(self, frames: Frames, *, cancel: Cancel | None = None) -> Self:
        """Let frames never arrive: the model's state waits, and the last joints are reported again."""
        within = self._frames(frames)
        return self._with([DropFrames(within)], _call("drop_frames", _plain(within)), cancel)

    def repeat_frame(self, frames: Frames, *, cancel: Cancel | None = None) -> Self:
        """Show the frame before ``frames`` again in each of them."""
        within = self._frames(frames)
        return self._with([RepeatFrame(within)], _call("repeat_frame", _plain(within)), cancel)

    def shift_box(
        self, frames: Frames, dx: float = 0.0, dy: float = 0.0, scale: float = 1.0, *, cancel: Cancel | None = None
    ) -> Self:
        """Let the network look elsewhere: dx and dy are shares of the square's side, ``scale`` a factor on it."""
        if not scale > 0:
            raise ConfigError(f"expected scale > 0, got {scale}")
        within = self._frames(frames)
        call = _call("shift_box", _plain(within), dx=dx, dy=dy, scale=scale)
        return self._with([ShiftBox(within, dx, dy, scale)], call, cancel)

    # --- the state ---------------------------------------------------------------------------------------------------

    def change_state(
        self,
        frames: Frames,
        change: StateChange,
        joint: str | None = None,
        dx: int = 0,
        dy: int = 0,
        *,
        cancel: Cancel | None = None,
    ) -> Self:
        """Hand on another H_t: erased, with its sides swapped, or shifted by whole cells.

        Args:
            frames: of each frame t, its own maps stay, its kernels are distilled from the changed ones.
            change: ``"erase"``, ``"swap_sides"`` or ``"shift"``.
            joint: whose map; all by default.
            dx, dy: cells to the right and down.
            cancel: as for a trace.
        """
        if joint is not None:
            self.skeleton.index(joint)
        if change not in ("erase", "swap_sides", "shift"):
            raise ConfigError(f"there is no change {change!r} of the state: erase, swap_sides or shift")
        within = self._frames(frames)
        call = _call(
            "change_state", _plain(within), change,
            joint=joint or _LEFT_OUT, dx=dx or _LEFT_OUT, dy=dy or _LEFT_OUT,
        )  # fmt: skip
        return self._with([ChangeState(within, change, joint, dx, dy)], call, cancel)

    def restart(self, frame: int, *, cancel: Cancel | None = None) -> Self:
        """Let the model forget its past, and the initializer look at ``frame``."""
        return self._with([Restart(self._frames(frame))], _call("restart", int(frame)), cancel)

    # --- back ------------------------------------------------------------------------------------------------------

    def undo(self) -> Self:
        """The trace that this one was made from.

        Raises:
            ConfigError: it was made from none.
        """
        if self.base is None:
            raise ConfigError("nothing to undo: this trace was not made from another one")
        return self.base

    def _frames(self, frames: Frames) -> range:
        return frames_of(frames, self.n_wanted)

    def _shown(self, frames: range) -> Any:
        """Frames as they stand in a call where all of them is the default."""
        return _LEFT_OUT if frames == range(self.n_wanted) else _plain(frames)


class _Name(str):
    """A variable's name: it stands in a call without quotes."""

    __repr__ = str.__str__


_LEFT_OUT = _Name()  # an argument that has its default


def _plain(frames: range) -> int | range:
    """Frames as they stand in a call: one as a number."""
    return frames.start if len(frames) == 1 else frames


def _call(name: str, *values: Any, **named: Any) -> str:
    """A call as Python."""
    given = [repr(v) for v in values if v is not _LEFT_OUT]
    given += [f"{k}={v!r}" for k, v in named.items() if v is not _LEFT_OUT]
    return f"{name}({', '.join(given)})"


def _shortest(value: np.floating[Any]) -> float:
    """A float32 as the shortest float that rounds to it."""
    return float(str(value))
