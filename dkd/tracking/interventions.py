"""What can be changed in a run, as data: each intervention says in which frames, and does one thing there.

    pixels of frame t ─▶ square ─▶ network ─▶ maps H_t ─▶ distillator ─▶ kernels K̃_t ─▶ matched in frame t+1
         ▲                ▲                     ▲                            ▲
    DropFrames,        ShiftBox,            ChangeState              PutKernel, EditKernel
    RepeatFrame,       Restart              (SwapReadouts: of
    Occlude, Blur,                           every matched map)
    AddNoise, Darken

A trace is made anew with them by the methods of :class:`dkd.tracking.counterfactuals.Counterfactuals`. Frames are counted from
0, ``stop`` is exclusive, ``None`` stands for the end of the clip. All of this is ours: the paper has no interventions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dkd.errors import ConfigError, ShapeError
from dkd.pose.crops import PADDING_GREY, Crop
from dkd.pose.skeleton import Skeleton
from dkd.tracking.perturbations import BLUR_SIGMA, DARK_GAIN

StateChange = Literal["erase", "swap_sides", "shift"]
KernelOperation = Literal["zero", "solo", "blur", "rotate", "paint"]

NOISE_SIGMA = 40.0  # grey levels of 255: a person is still seen by people, small joints are not


@dataclass(frozen=True)
class Intervention:
    """One change of a run. A subclass overrides the hook that it acts on; the others hand on what they are given.

    Attributes:
        start, stop: the frames in which it acts, ``stop`` exclusive; ``None``: to the end.
    """

    start: int
    stop: int | None

    needs_kernels = False  # acts on kernels, which only a DKD has
    needs_past = False  # acts on maps that are handed on

    def acts(self, t: int) -> bool:
        """Whether frame t is one of its frames."""
        return self.start <= t and (self.stop is None or t < self.stop)

    def drops(self, t: int) -> bool:
        """Whether the model never sees frame t ≥ 1: what was found in the frame before is reported again."""
        return False

    def source(self, t: int) -> int:
        """Which frame of the clip is shown as frame t."""
        return t

    def picture(self, image: np.ndarray, t: int, square: Crop) -> np.ndarray:
        """(H, W, 3) uint8 RGB of the whole frame t → the same; ``square`` is what the network will cut out."""
        return image

    def square(self, square: Crop, t: int) -> Crop:
        """Where the network looks in frame t."""
        return square

    def starts_anew(self, t: int) -> bool:
        """Whether the model forgets its past before frame t ≥ 1: its maps are the initializer's there."""
        return False

    def maps(self, heatmaps: Tensor) -> Tensor:
        """(B, J, H, W) of every frame whose maps were matched."""
        return heatmaps

    def handed_on(self, heatmaps: Tensor, t: int, skeleton: Skeleton) -> Tensor:
        """H_t (B, J, H, W) as the distillator is given it."""
        return heatmaps

    def kernels(self, kernels: Tensor, t: int) -> Tensor:
        """K̃_t (B, C, S, S), distilled from frame t, as it will be matched in frame t+1."""
        return kernels


# --- the input --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DropFrames(Intervention):
    """Frames that never arrive, as on a bad line: the model's state waits, the last joints are reported again."""

    def drops(self, t: int) -> bool:
        """In its frames."""
        return t > 0 and self.acts(t)


@dataclass(frozen=True)
class RepeatFrame(Intervention):
    """The camera stands still: the frame before ``start`` is seen again and again, and the model runs on it."""

    def source(self, t: int) -> int:
        """The last frame before the camera stopped."""
        return max(self.start - 1, 0) if self.acts(t) else t


@dataclass(frozen=True)
class Occlude(Intervention):
    """A grey rectangle that stands in the picture.

    Attributes:
        box: (x0, y0, x1, y1) in pixels of the frame; what lies outside the frame is left out.
    """

    box: tuple[float, float, float, float]

    def picture(self, image: np.ndarray, t: int, square: Crop) -> np.ndarray:
        """With the rectangle, in the grey that lies outside frames."""
        if not self.acts(t):
            return image
        x0, y0, x1, y1 = (max(0, round(v)) for v in self.box)
        image = image.copy()
        image[y0:y1, x0:x1] = PADDING_GREY
        return image


@dataclass(frozen=True)
class Filter(Intervention):
    """Something done to the part of the frame that the network cuts out; what lies around it stays as it is."""

    def picture(self, image: np.ndarray, t: int, square: Crop) -> np.ndarray:
        """With that part changed."""
        if not self.acts(t):
            return image
        height, width = image.shape[:2]
        x0, y0 = (max(0, int(np.floor(v))) for v in (square.left, square.top))
        x1, y1 = int(np.ceil(square.left + square.side)), int(np.ceil(square.top + square.side))
        x1, y1 = min(width, x1), min(height, y1)
        if x0 >= x1 or y0 >= y1:
            return image
        image = image.copy()
        image[y0:y1, x0:x1] = self.change(np.ascontiguousarray(image[y0:y1, x0:x1]), t, square.side)
        return image

    def change(self, part: np.ndarray, t: int, side: float) -> np.ndarray:
        """(h, w, 3) uint8 → the same; ``side`` of the network's square in pixels of the frame."""
        raise NotImplementedError


@dataclass(frozen=True)
class Blur(Filter):
    """Out of focus.

    Attributes:
        sigma: of the Gaussian, as a share of the square's side.
    """

    sigma: float = BLUR_SIGMA

    def change(self, part: np.ndarray, t: int, side: float) -> np.ndarray:
        """Blurred."""
        return cv2.GaussianBlur(part, (0, 0), self.sigma * side, borderType=cv2.BORDER_REPLICATE)


@dataclass(frozen=True)
class AddNoise(Filter):
    """Gaussian noise, another one in each frame, the same each time it is asked for.

    Attributes:
        sigma: standard deviation in grey levels of 255, each channel on its own.
        seed: of the noise.
    """

    sigma: float = NOISE_SIGMA
    seed: int = 0

    def change(self, part: np.ndarray, t: int, side: float) -> np.ndarray:
        """With noise, clipped to 0..255."""
        noise = np.random.default_rng((self.seed, t)).standard_normal(part.shape, np.float32) * self.sigma
        return np.clip(np.rint(part + noise), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Darken(Filter):
    """Less light.

    Attributes:
        gain: what is left of it, 0..1.
    """

    gain: float = DARK_GAIN

    def change(self, part: np.ndarray, t: int, side: float) -> np.ndarray:
        """Darker."""
        return np.rint(part * self.gain).astype(np.uint8)


@dataclass(frozen=True)
class ShiftBox(Intervention):
    """The square is put elsewhere; later squares follow from what is found in it.

    Attributes:
        dx, dy: shares of its side, to the right and down.
        scale: factor on its side, about its centre.
    """

    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0

    def square(self, square: Crop, t: int) -> Crop:
        """Moved, in its frames."""
        if not self.acts(t):
            return square
        side = square.side * self.scale
        grown = (side - square.side) / 2
        return Crop(square.left + self.dx * square.side - grown, square.top + self.dy * square.side - grown, side)


@dataclass(frozen=True)
class Restart(Intervention):
    """The model forgets its past, and the initializer looks at the frame, in the square where it would have been."""

    def starts_anew(self, t: int) -> bool:
        """In its frames, but for the first of the clip, where every run starts."""
        return t > 0 and self.acts(t)


# --- the state --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ChangeState(Intervention):
    """H_t, as it is handed on to the distillator, is another one; what is reported in frame t stays as it was found.

    Attributes:
        change: ``"erase"`` makes maps zero; ``"swap_sides"`` calls left right and the other way round; ``"shift"``
            moves maps by whole cells, with zeros where nothing comes from.
        joint: whose map (with ``"swap_sides"``: and its counterpart's); ``None``: all.
        dx, dy: cells to the right and down, for ``"shift"``.
    """

    change: StateChange = "erase"
    joint: str | None = None
    dx: int = 0
    dy: int = 0

    needs_past = True

    def handed_on(self, heatmaps: Tensor, t: int, skeleton: Skeleton) -> Tensor:
        """The changed maps, in its frames."""
        if not self.acts(t):
            return heatmaps
        order = list(skeleton.flip_permutation)
        if self.change == "erase":
            changed = torch.zeros_like(heatmaps)
        elif self.change == "swap_sides":
            changed = heatmaps[:, order]
        else:
            changed = _shifted(heatmaps, self.dx, self.dy)
        if self.joint is None:
            return changed
        mine = {skeleton.index(self.joint)}
        if self.change == "swap_sides":
            mine |= {order[j] for j in mine}
        out = heatmaps.clone()
        for j in mine:
            out[:, j] = changed[:, j]
        return out


def _shifted(maps: Tensor, dx: int, dy: int) -> Tensor:
    """(B, J, H, W) moved by whole cells; zeros come in."""
    height, width = maps.shape[-2:]
    reach = max(abs(dx), abs(dy), 1)
    padded = F.pad(maps, (reach,) * 4)
    return padded[..., reach - dy : reach - dy + height, reach - dx : reach - dx + width]


# --- the kernels ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SwapReadouts(Intervention):
    """Two joints exchange their rows of U (and their biases): each is found where the other was, in all matched frames.

    Attributes:
        joints: indices of the two.
    """

    joints: tuple[int, int]

    needs_kernels = True

    def order(self, n_joints: int) -> list[int]:
        """The permutation of joints: row i of what results is row ``order[i]`` of what was."""
        order = list(range(n_joints))
        a, b = self.joints
        order[a], order[b] = b, a
        return order

    def maps(self, heatmaps: Tensor) -> Tensor:
        """With the two maps exchanged, which is what exchanged rows of U and biases give."""
        return heatmaps[:, self.order(heatmaps.shape[1])]


@dataclass(frozen=True, eq=False)
class PutKernel(Intervention):
    """Other kernels in place of those that were distilled from its frames.

    Attributes:
        values: (C, S, S).
    """

    values: np.ndarray

    needs_kernels = True

    def kernels(self, kernels: Tensor, t: int) -> Tensor:
        """The other ones, in its frames.

        Raises:
            ShapeError: they are of another shape.
        """
        if not self.acts(t):
            return kernels
        if self.values.shape != tuple(kernels.shape[1:]):
            expected = tuple(kernels.shape[1:])
            raise ShapeError(f"expected kernels of shape (C, S, S) = {expected}, got {self.values.shape}")
        return torch.from_numpy(self.values).to(kernels)[None].expand_as(kernels)


@dataclass(frozen=True, eq=False)
class EditKernel(Intervention):
    """The kernels that were distilled from its frames, edited.

    Attributes:
        operation: ``"zero"`` mutes channels; ``"solo"`` mutes all others; ``"blur"``, a Gaussian of ``amount`` cells;
            ``"rotate"``, by ``amount`` degrees, counter-clockwise, exact for quarter turns, else bilinear; ``"paint"``
            puts ``values`` there.
        channels: which; empty: all.
        amount: see above.
        values: (S, S), for ``"paint"``.
    """

    operation: KernelOperation = "zero"
    channels: tuple[int, ...] = ()
    amount: float = 0.0
    values: np.ndarray | None = None

    needs_kernels = True

    def kernels(self, kernels: Tensor, t: int) -> Tensor:
        """The edited ones, in its frames.

        Raises:
            ConfigError: a channel that is not there.
            ShapeError: ``values`` of another shape.
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
    """One frame's kernels (C, S, S), edited as :class:`EditKernel` says; a new array of the same type."""
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
    """(S, S) turned counter-clockwise about its middle; zeros come in at the corners."""
    turns, rest = divmod(degrees, 90)
    if rest == 0:
        return np.rot90(kernel, int(turns))
    middle = (len(kernel) - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), degrees, 1.0)
    return cv2.warpAffine(kernel, matrix, kernel.shape[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def check_frames(intervention: Intervention, n_frames: int) -> None:
    """Raise :class:`~dkd.errors.ConfigError` where it would act on no frame of a clip, or on some outside it."""
    start, stop = intervention.start, intervention.stop
    last = n_frames if stop is None else stop
    if not 0 <= start < last <= n_frames:
        raise ConfigError(
            f"expected frames start ≥ 0 and start < stop ≤ {n_frames} of this trace, got start={start}, stop={stop}"
        )
