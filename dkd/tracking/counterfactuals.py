"""Counterfactuals: methods of a :class:`dkd.Trace` that change one thing in a run and return the resulting new trace.

    frozen = trace.freeze_kernel(12)                     # the kernels of frame 12, matched in every frame
    hidden = trace.occlude((60, 40, 120, 160), range(30, 40))
    both = hidden.restart(45)                            # one after the other
    both.undo() is hidden

Only frames that can differ are computed again. A trace records the calls that made it (:attr:`Counterfactuals.calls`):
applied to the same first trace they give the same result, bit-identical on the same machine with the same number of
threads.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from math import inf
from typing import Any, Self

import numpy as np

from dkd.errors import ConfigError
from dkd.pose.crops import check_box
from dkd.pose.labels import as_numbers
from dkd.tracking.changes import LEFT_OUT, Cancel, Name, call_text, plain, shortest
from dkd.tracking.corrections import Corrections
from dkd.tracking.interventions import (
    NOISE_SIGMA,
    AddNoise,
    Blur,
    ChangeState,
    Darken,
    DropFrames,
    EditKernel,
    Frames,
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


class Counterfactuals(Corrections):
    """What-if methods of a trace, in addition to its corrections. Every method returns a new trace."""

    # --- kernels -----------------------------------------------------------------------------------------------------

    def freeze_kernel(self, frame: int, frames: Frames = None, *, cancel: Cancel | None = None) -> Self:
        """Match K̃ of ``frame`` instead of the kernels distilled from ``frames``, by default from all frames."""
        within = self._frames(frames)
        call = call_text("freeze_kernel", int(frame), self._shown(within))
        return self._with([PutKernel(within, self._kernel(frame))], call, cancel)

    def average_kernel(self, of: range, frames: Frames = None, *, cancel: Cancel | None = None) -> Self:
        """Match the mean of K̃ over the frames ``of`` instead of the kernels distilled from ``frames``."""
        within, averaged = self._frames(frames), self._frames(of)
        mean = np.stack([self._kernel(t) for t in averaged]).mean(0)
        call = call_text("average_kernel", averaged, self._shown(within))
        return self._with([PutKernel(within, mean)], call, cancel)

    def swap_kernels(self, first: int, second: int, *, cancel: Cancel | None = None) -> Self:
        """Swap the kernels distilled from two frames."""
        changes = [PutKernel(self._frames(a), self._kernel(b)) for a, b in ((first, second), (second, first))]
        return self._with(changes, call_text("swap_kernels", int(first), int(second)), cancel)

    def put_kernel(
        self,
        frames: Frames,
        other: Counterfactuals,
        other_frame: int,
        *,
        name: str = "other",
        cancel: Cancel | None = None,
    ) -> Self:
        """Match kernels from another run, of another clip or another person.

        Args:
            frames: frames whose kernels are replaced.
            other: a run of a model with kernels of the same shape; with other weights, channels have other meanings.
            other_frame: frame of the other run from which the kernels come.
            name: name of the other trace in :attr:`calls`.
            cancel: as for a trace.

        Raises:
            ConfigError: the other model has no kernels, or their shape differs.
        """
        within = self._frames(frames)
        kernel = other._kernel(other_frame)
        mine = self._kernel(within.start)
        if kernel.shape != mine.shape:
            raise ConfigError(
                f"expected kernels of shape (C, S, S) = {mine.shape} as this model's, got {kernel.shape} of "
                f"{other.model_name}; use a run of the same model"
            )
        call = call_text("put_kernel", plain(within), Name.of(name), int(other_frame))
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
        """Edit the kernels distilled from ``frames``.

        Args:
            frames: frames whose kernels are edited.
            operation: ``"zero"`` (mute), ``"solo"``, ``"blur"``, ``"rotate"``, ``"paint"``: see
                :class:`dkd.tracking.interventions.EditKernel`.
            channels: indices of channels; all by default.
            amount: σ of the blur in cells, or degrees.
            values: (S, S), to paint.
            cancel: as for a trace.
        """
        within = self._frames(frames)
        painted = None if values is None else as_numbers(values, ("S", "S"), "values", np.float32)
        try:
            numbers = tuple(operator.index(c) for c in channels)
        except TypeError:
            raise ConfigError(f"expected numbers of channels, such as [0, 3], got {channels!r}") from None
        if not abs(amount) < inf:
            raise ConfigError(f"expected a finite amount, got {amount}")
        one = EditKernel(within, operation, numbers, float(amount), painted)
        call = call_text(
            "edit_kernel", plain(within), operation, channels=one.channels or LEFT_OUT, amount=amount or LEFT_OUT,
            values=LEFT_OUT if painted is None else [[shortest(v) for v in row] for row in painted],
        )  # fmt: skip
        return self._with([one], call, cancel)

    def swap_readouts(self, joint: str, other: str, *, cancel: Cancel | None = None) -> Self:
        """Swap the rows of U of two joints in every frame whose maps are matched."""
        pair = (self.skeleton.index(joint), self.skeleton.index(other))
        matched = range(1, self.n_wanted)
        return self._with([SwapReadouts(matched, pair)], call_text("swap_readouts", joint, other), cancel)

    # --- the input ---------------------------------------------------------------------------------------------------

    def occlude(
        self, box: tuple[float, float, float, float], frames: Frames = None, *, cancel: Cancel | None = None
    ) -> Self:
        """Cover a rectangle (x0, y0, x1, y1) of the picture, in pixels of the frame, with grey.

        Raises:
            BoxError: it is degenerate, or outside the frame.
        """
        within = self._frames(frames)
        x0, y0, x1, y1 = check_box(box, self.clip.width, self.clip.height)
        rounded = (round(x0), round(y0), round(x1), round(y1))
        return self._with([Occlude(within, rounded)], call_text("occlude", rounded, self._shown(within)), cancel)

    def blur(self, frames: Frames = None, sigma: float = BLUR_SIGMA, *, cancel: Cancel | None = None) -> Self:
        """Blur the picture; ``sigma`` is a share of the crop's side, 1/64 by default."""
        if not 0 < sigma <= 1:
            raise ConfigError(f"expected sigma above 0 and at most 1, got {sigma}")
        within = self._frames(frames)
        return self._with([Blur(within, sigma)], call_text("blur", self._shown(within), sigma=sigma), cancel)

    def add_noise(
        self, frames: Frames = None, sigma: float = NOISE_SIGMA, seed: int = 0, *, cancel: Cancel | None = None
    ) -> Self:
        """Add Gaussian noise of ``sigma`` grey levels (of 255)."""
        if not 0 < sigma < inf:
            raise ConfigError(f"expected sigma > 0, got {sigma}")
        if seed < 0:
            raise ConfigError(f"expected a seed of 0 or more, got {seed}")
        within = self._frames(frames)
        call = call_text("add_noise", self._shown(within), sigma=sigma, seed=seed)
        return self._with([AddNoise(within, sigma, seed)], call, cancel)

    def darken(self, frames: Frames = None, gain: float = DARK_GAIN, *, cancel: Cancel | None = None) -> Self:
        """Darken the picture; ``gain``, in 0..1, is the remaining share of the light."""
        if not 0 <= gain <= 1:
            raise ConfigError(f"expected a gain in 0..1, got {gain}")
        within = self._frames(frames)
        return self._with([Darken(within, gain)], call_text("darken", self._shown(within), gain=gain), cancel)

    def drop_frames(self, frames: Frames, *, cancel: Cancel | None = None) -> Self:
        """Drop frames: the model's state does not change, and the last joints are reported again."""
        within = self._frames(frames)
        return self._with([DropFrames(within)], call_text("drop_frames", plain(within)), cancel)

    def repeat_frame(self, frames: Frames, *, cancel: Cancel | None = None) -> Self:
        """Show the frame before ``frames`` again in each of them."""
        within = self._frames(frames)
        return self._with([RepeatFrame(within)], call_text("repeat_frame", plain(within)), cancel)

    def shift_box(
        self, frames: Frames, dx: float = 0.0, dy: float = 0.0, scale: float = 1.0, *, cancel: Cancel | None = None
    ) -> Self:
        """Move the crop: dx and dy are shares of its side, ``scale`` is a factor on it."""
        if not (0 < scale < inf and abs(dx) < inf and abs(dy) < inf):  # NaN compares false
            raise ConfigError(f"expected finite numbers and scale > 0, got dx={dx}, dy={dy}, scale={scale}")
        within = self._frames(frames)
        call = call_text("shift_box", plain(within), dx=dx, dy=dy, scale=scale)
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
        """Pass on a changed H_t: erased, with swapped sides, or shifted by whole cells.

        Args:
            frames: frames t whose own maps stay, but whose kernels are distilled from the changed maps.
            change: ``"erase"``, ``"swap_sides"`` or ``"shift"``.
            joint: joint whose map is changed; all by default.
            dx, dy: cells to the right and down.
            cancel: as for a trace.
        """
        if joint is not None:
            self.skeleton.index(joint)
        if change not in ("erase", "swap_sides", "shift"):
            raise ConfigError(f"there is no change {change!r} of the state: erase, swap_sides or shift")
        within = self._frames(frames)
        call = call_text(
            "change_state", plain(within), change,
            joint=joint or LEFT_OUT, dx=dx or LEFT_OUT, dy=dy or LEFT_OUT,
        )  # fmt: skip
        return self._with([ChangeState(within, change, joint, dx, dy)], call, cancel)

    def restart(self, frame: int, *, cancel: Cancel | None = None) -> Self:
        """Re-initialise the model in ``frame``, so that it forgets its past."""
        return self._with([Restart(self._frames(frame))], call_text("restart", int(frame)), cancel)
