"""Interventions on the kernels: distilled kernels are replaced or edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
import torch
from torch import Tensor

from dkd.errors import ConfigError, ShapeError
from dkd.tracking.interventions.base import Intervention

KernelOperation = Literal["zero", "solo", "blur", "rotate", "paint"]


@dataclass(frozen=True)
class SwapReadouts(Intervention):
    """Swap the rows of U (and the biases) of two joints: each is found where the other was, in all matched frames.

    Attributes:
        joints: indices of the two joints.
    """

    joints: tuple[int, int]

    needs_kernels = True

    def order(self, n_joints: int) -> list[int]:
        """Return the permutation of joints: row i of the result is row ``order[i]`` of the original."""
        order = list(range(n_joints))
        a, b = self.joints
        order[a], order[b] = b, a
        return order

    def maps(self, heatmaps: Tensor) -> Tensor:
        """Swap the two maps, which has the same effect as swapping rows of U and biases."""
        return heatmaps[:, self.order(heatmaps.shape[1])]


@dataclass(frozen=True, eq=False)
class PutKernel(Intervention):
    """Replace the kernels distilled from its frames.

    Attributes:
        values: (C, S, S) new kernels.
    """

    values: np.ndarray

    needs_kernels = True

    def kernels(self, kernels: Tensor, t: int) -> Tensor:
        """Return the new kernels in its frames.

        Raises:
            ShapeError: their shape differs.
        """
        if not self.acts(t):
            return kernels
        if self.values.shape != tuple(kernels.shape[1:]):
            expected = tuple(kernels.shape[1:])
            raise ShapeError(f"expected kernels of shape (C, S, S) = {expected}, got {self.values.shape}")
        return torch.from_numpy(self.values).to(kernels)[None].expand_as(kernels)


@dataclass(frozen=True, eq=False)
class EditKernel(Intervention):
    """Edit the kernels distilled from its frames.

    Attributes:
        operation: ``"zero"`` mutes channels; ``"solo"`` mutes all others; ``"blur"`` blurs with a Gaussian of
            ``amount`` cells; ``"rotate"`` rotates by ``amount`` degrees, counter-clockwise, exactly for quarter turns,
            else bilinearly; ``"paint"`` replaces them by ``values``.
        channels: indices of channels; empty: all.
        amount: see ``operation``.
        values: (S, S), for ``"paint"``.
    """

    operation: KernelOperation = "zero"
    channels: tuple[int, ...] = ()
    amount: float = 0.0
    values: np.ndarray | None = None

    needs_kernels = True

    def kernels(self, kernels: Tensor, t: int) -> Tensor:
        """Return the edited kernels in its frames.

        Raises:
            ConfigError: a channel does not exist.
            ShapeError: the shape of ``values`` differs.
        """
        if not self.acts(t):
            return kernels
        array = kernels.cpu().numpy()
        edited = [edit(one, self.operation, self.channels, self.amount, self.values) for one in array]
        return torch.from_numpy(np.stack(edited)).to(kernels)


def edit(
    kernels: np.ndarray,
    operation: KernelOperation,
    channels: Sequence[int] = (),
    amount: float = 0.0,
    values: np.ndarray | None = None,
) -> np.ndarray:
    """Edit one frame's kernels (C, S, S) as in :class:`EditKernel`; return a new array of the same type."""
    n_channels, side = kernels.shape[:2]
    wrong = [c for c in channels if not 0 <= c < n_channels]
    if wrong:
        raise ConfigError(f"expected channels in 0..{n_channels - 1}, got {wrong}")
    chosen = list(channels) or list(range(n_channels))
    out = kernels.copy()
    if operation == "zero":
        out[chosen] = 0
    elif operation == "solo":
        out[[c for c in range(n_channels) if c not in set(chosen)]] = 0
    elif operation == "blur":
        if not amount > 0:
            raise ConfigError(f"expected a blur of more than 0 cells, got {amount}")
        for c in chosen:
            out[c] = cv2.GaussianBlur(kernels[c], (0, 0), amount, borderType=cv2.BORDER_CONSTANT)
    elif operation == "rotate":
        for c in chosen:
            out[c] = _rotated(kernels[c], amount)
    elif operation != "paint":
        raise ConfigError(f"there is no operation {operation!r} on kernels: {', '.join(get_args(KernelOperation))}")
    else:
        values = np.asarray(values, kernels.dtype)
        if values.shape != (side, side):
            raise ShapeError(f"expected values of shape (S, S) = {(side, side)} to paint, got {values.shape}")
        out[chosen] = values
    return out


def _rotated(kernel: np.ndarray, degrees: float) -> np.ndarray:
    """Rotate a kernel (S, S) counter-clockwise about its centre, with zeros at the corners."""
    turns, rest = divmod(degrees, 90)
    if rest == 0:
        return np.rot90(kernel, int(turns))
    middle = (len(kernel) - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), degrees, 1.0)
    return cv2.warpAffine(kernel, matrix, kernel.shape[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
