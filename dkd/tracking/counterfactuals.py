"""What if? Methods of a :class:`dkd.Trace` that change one thing in a run and give the run that follows, a new trace.

    frozen = trace.freeze_kernel(12)                     # the kernel of frame 12, matched in every frame
    hidden = trace.occlude((60, 40, 120, 160), start=30, stop=40)
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
    Intervention,
    KernelOperation,
    Occlude,
    PutKernel,
    RepeatFrame,
    Restart,
    ShiftBox,
    StateChange,
    SwapReadouts,
)
from dkd.tracking.perturbations import BLUR_SIGMA, DARK_GAIN
from dkd.video.protocols import ClipLike

Cancel = Callable[[], bool]


class Counterfactuals(ABC):
    """The part of a trace that asks what if. Every method returns a new trace and leaves this one unchanged.

    Frames are counted from 0; ``stop`` is exclusive, and ``None`` is the end of the clip. All methods take ``cancel``,
    as the trace does: what is stopped goes on with :meth:`dkd.Trace.run`.

    Attributes:
        calls: the calls that made this trace from the first one, as Python: ``("freeze_kernel(12)",)``.
    """

    clip: ClipLike
    skeleton: Skeleton
    model_name: str
    base: Self | None = None
    calls: tuple[str, ...] = ()

    @abstractmethod
    def _with(self, changes: Sequence[Intervention], call: str, cancel: Cancel | None) -> Self:
        """The run with more interventions, made by ``call``; stopped by ``cancel``."""

    @abstractmethod
    def _kernel(self, frame: int) -> np.ndarray:
        """(C, S, S) K̃ of a frame, a copy; raises :class:`~dkd.errors.ConfigError` where the model has none."""

    # --- kernels -----------------------------------------------------------------------------------------------------

    def freeze_kernel(
        self, frame: int, start: int = 0, stop: int | None = None, *, cancel: Cancel | None = None
    ) -> Self:
        """Match K̃ of ``frame`` instead of what is distilled from frames start..stop−1; by default in every frame."""
        call = _call("freeze_kernel", frame, start=start or _LEFT_OUT, stop=_to_the_end(stop))
        return self._with([PutKernel(start, stop, self._kernel(frame))], call, cancel)

    def average_kernel(
        self, first: int, last: int, start: int = 0, stop: int | None = None, *, cancel: Cancel | None = None
    ) -> Self:
        """Match the mean of K̃ over frames first..last, both included, instead of what start..stop−1 leave."""
        if first > last:
            raise ConfigError(f"expected first ≤ last, got {first} and {last}")
        mean = np.stack([self._kernel(t) for t in range(first, last + 1)]).mean(0)
        call = _call("average_kernel", first, last, start=start or _LEFT_OUT, stop=_to_the_end(stop))
        return self._with([PutKernel(start, stop, mean)], call, cancel)

    def swap_kernels(self, first: int, second: int, *, cancel: Cancel | None = None) -> Self:
        """Exchange what was distilled from two frames."""
        changes = [PutKernel(a, a + 1, self._kernel(b)) for a, b in ((first, second), (second, first))]
        return self._with(changes, _call("swap_kernels", first, second), cancel)

    def put_kernel(
        self,
        frame: int,
        other: Counterfactuals,
        other_frame: int,
        stop: int | None = -1,
        *,
        name: str = "other",
        cancel: Cancel | None = None,
    ) -> Self:
        """Match what another run distilled: of another clip, or another person.

        Args:
            frame: the first frame whose kernel is replaced.
            other: a run of a model with kernels of the same shape; of other weights its channels mean something else.
            other_frame: the frame that its kernel comes from.
            stop: where the replacing ends, exclusive; by default after ``frame``.
            name: what the other trace is called in :attr:`calls`.
            cancel: as for a trace.

        Raises:
            ConfigError: the other model's kernels have another shape, or it has none.
        """
        kernel = other._kernel(other_frame)
        mine = self._kernel(frame)
        if kernel.shape != mine.shape:
            raise ConfigError(
                f"expected kernels of shape (C, S, S) = {mine.shape} as this model's, got {kernel.shape} of "
                f"{other.model_name}; take a run of the same model"
            )
        call = _call("put_kernel", frame, _Name(name), other_frame, stop=_one_frame(frame, stop))
        return self._with([PutKernel(frame, _end(frame, stop), kernel)], call, cancel)

    def edit_kernel(
        self,
        frame: int,
        operation: KernelOperation,
        channels: Sequence[int] = (),
        amount: float = 0.0,
        values: Any = None,
        stop: int | None = -1,
        *,
        cancel: Cancel | None = None,
    ) -> Self:
        """Edit what is distilled from ``frame``.

        Args:
            frame: the first frame whose kernel is edited.
            operation: ``"zero"`` (mute), ``"solo"``, ``"blur"``, ``"rotate"``, ``"paint"``: see
                :class:`dkd.tracking.interventions.EditKernel`.
            channels: which; all by default.
            amount: cells of the blur's σ, or degrees.
            values: (S, S), to paint.
            stop: where the editing ends, exclusive; by default after ``frame``; ``None``: at the end of the clip.
            cancel: as for a trace.
        """
        painted = None if values is None else np.asarray(values, np.float32)
        one = EditKernel(frame, _end(frame, stop), operation, tuple(int(c) for c in channels), float(amount), painted)
        call = _call(
            "edit_kernel", frame, operation, channels=one.channels or _LEFT_OUT, amount=amount or _LEFT_OUT,
            values=_LEFT_OUT if painted is None else [[_plain(v) for v in row] for row in painted],
            stop=_one_frame(frame, stop),
        )  # fmt: skip
        return self._with([one], call, cancel)

    def swap_readouts(self, joint: str, other: str, *, cancel: Cancel | None = None) -> Self:
        """Let two joints read with each other's row of U, in every frame whose maps are matched."""
        pair = (self.skeleton.index(joint), self.skeleton.index(other))
        return self._with([SwapReadouts(1, None, pair)], _call("swap_readouts", joint, other), cancel)

    # --- the input ---------------------------------------------------------------------------------------------------

    def occlude(
        self,
        box: tuple[float, float, float, float],
        start: int,
        stop: int | None = None,
        *,
        cancel: Cancel | None = None,
    ) -> Self:
        """Put a grey rectangle (x0, y0, x1, y1), in pixels of the frame, over the picture.

        Raises:
            BoxError: it is degenerate, or outside the frame.
        """
        clip = self.clip
        x0, y0, x1, y1 = check_box(box, clip.width, clip.height)
        rounded = (round(x0), round(y0), round(x1), round(y1))
        call = _call("occlude", rounded, start, stop=_to_the_end(stop))
        return self._with([Occlude(start, stop, rounded)], call, cancel)

    def blur(
        self, start: int, stop: int | None = None, sigma: float = BLUR_SIGMA, *, cancel: Cancel | None = None
    ) -> Self:
        """Out of focus; ``sigma`` is a share of the square's side, 1/64 by default."""
        if not sigma > 0:
            raise ConfigError(f"expected sigma > 0, got {sigma}")
        call = _call("blur", start, stop=_to_the_end(stop), sigma=sigma)
        return self._with([Blur(start, stop, sigma)], call, cancel)

    def add_noise(
        self,
        start: int,
        stop: int | None = None,
        sigma: float = NOISE_SIGMA,
        seed: int = 0,
        *,
        cancel: Cancel | None = None,
    ) -> Self:
        """Gaussian noise of ``sigma`` grey levels (of 255)."""
        if not sigma > 0:
            raise ConfigError(f"expected sigma > 0, got {sigma}")
        call = _call("add_noise", start, stop=_to_the_end(stop), sigma=sigma, seed=seed)
        return self._with([AddNoise(start, stop, sigma, seed)], call, cancel)

    def darken(
        self, start: int, stop: int | None = None, gain: float = DARK_GAIN, *, cancel: Cancel | None = None
    ) -> Self:
        """Less light; ``gain``, in 0..1, is left of it."""
        if not 0 <= gain <= 1:
            raise ConfigError(f"expected a gain in 0..1, got {gain}")
        call = _call("darken", start, stop=_to_the_end(stop), gain=gain)
        return self._with([Darken(start, stop, gain)], call, cancel)

    def drop_frames(self, start: int, stop: int | None = -1, *, cancel: Cancel | None = None) -> Self:
        """Frames that never arrive; by default one. The model's state waits."""
        call = _call("drop_frames", start, stop=_one_frame(start, stop))
        return self._with([DropFrames(start, _end(start, stop))], call, cancel)

    def repeat_frame(self, start: int, stop: int | None = -1, *, cancel: Cancel | None = None) -> Self:
        """The frame before ``start`` is seen again, by default once."""
        call = _call("repeat_frame", start, stop=_one_frame(start, stop))
        return self._with([RepeatFrame(start, _end(start, stop))], call, cancel)

    def shift_box(
        self,
        frame: int,
        dx: float = 0.0,
        dy: float = 0.0,
        scale: float = 1.0,
        stop: int | None = -1,
        *,
        cancel: Cancel | None = None,
    ) -> Self:
        """Look elsewhere in ``frame``: dx and dy are shares of the square's side, ``scale`` a factor on it."""
        if not scale > 0:
            raise ConfigError(f"expected scale > 0, got {scale}")
        end = _end(frame, stop)
        call = _call("shift_box", frame, dx=dx, dy=dy, scale=scale, stop=_one_frame(frame, stop))
        return self._with([ShiftBox(frame, end, dx, dy, scale)], call, cancel)

    # --- the state ---------------------------------------------------------------------------------------------------

    def change_state(
        self,
        frame: int,
        change: StateChange,
        joint: str | None = None,
        dx: int = 0,
        dy: int = 0,
        stop: int | None = -1,
        *,
        cancel: Cancel | None = None,
    ) -> Self:
        """Hand on another H_t: erased, with its sides swapped, or shifted by whole cells.

        Args:
            frame: t; its own maps stay, its kernels are distilled from the changed ones.
            change: ``"erase"``, ``"swap_sides"`` or ``"shift"``.
            joint: whose map; all by default.
            dx, dy: cells to the right and down.
            stop: where it ends, exclusive; by default after ``frame``.
            cancel: as for a trace.
        """
        if joint is not None:
            self.skeleton.index(joint)
        if change not in ("erase", "swap_sides", "shift"):
            raise ConfigError(f"there is no change {change!r} of the state: erase, swap_sides or shift")
        end = _end(frame, stop)
        call = _call(
            "change_state", frame, change, joint=joint or _LEFT_OUT, dx=dx or _LEFT_OUT, dy=dy or _LEFT_OUT,
            stop=_one_frame(frame, stop),
        )  # fmt: skip
        return self._with([ChangeState(frame, end, change, joint, dx, dy)], call, cancel)

    def restart(self, frame: int, *, cancel: Cancel | None = None) -> Self:
        """Let the model forget its past, and the initializer look at ``frame``."""
        return self._with([Restart(frame, frame + 1)], _call("restart", frame), cancel)

    # --- back ------------------------------------------------------------------------------------------------------

    def undo(self) -> Self:
        """The trace that this one was made from.

        Raises:
            ConfigError: it was made from none.
        """
        if self.base is None:
            raise ConfigError("nothing to undo: this trace was not made from another one")
        return self.base


def _end(start: int, stop: int | None) -> int | None:
    """−1, the default of what acts in one frame, is the frame after."""
    return start + 1 if stop == -1 else stop


class _Name(str):
    """A variable's name: it stands in a call as it is."""

    __repr__ = str.__str__


_LEFT_OUT = _Name()  # an argument that has its default


def _one_frame(start: int, stop: int | None) -> Any:
    return _LEFT_OUT if stop in (-1, start + 1) else stop


def _to_the_end(stop: int | None) -> Any:
    return _LEFT_OUT if stop is None else stop


def _call(name: str, *values: Any, **named: Any) -> str:
    """A call as Python."""
    given = [repr(v) for v in values] + [f"{k}={v!r}" for k, v in named.items() if v is not _LEFT_OUT]
    return f"{name}({', '.join(given)})"


def _plain(value: np.floating[Any]) -> float:
    """A float32 as the shortest float that rounds to it."""
    return float(str(value))
