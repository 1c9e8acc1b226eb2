"""A small stand-in for :class:`dkd.Trace`: numbered frames and real matching arithmetic, in plain NumPy.

The widgets only use a Trace's attributes, so their tests need no network and no video. Every number
here is a closed form of the frame index, seeded noise, or computed from them by the matching step in plain NumPy, which
makes the stand-in an oracle: what a widget shows can be compared with it exactly.

* Frame ``i`` shows ``i`` as 12 black or white blocks along its top edge (:func:`read_number`).
* Channel ``c`` follows joint ``c % J``; maps are ``bias + Σ_c U[j,c] (K[c] ⊛ P[c])`` of the frame, as in the model.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dkd.errors import ConfigError, DKDError, FrameIndexError
from dkd.pose.crops import Crop
from dkd.pose.skeleton import get_skeleton
from dkd.tracking.conditions import Conditions
from dkd.tracking.reinitialise import Reinitialise, Reinitialised

BITS = 12
BLOCK = 20  # pixels: survives JPEG and a resize by any factor above 0.3
CELLS = 32
SIDE = 7


def number_image(index: int, width: int = 320, height: int = 240) -> np.ndarray:
    """(H, W, 3) uint8: a grey picture whose first ``BITS`` blocks of the top row spell ``index``, lowest bit first."""
    image = np.full((height, width, 3), 90, np.uint8)
    image[height // 2 :] = 120
    for bit in range(BITS):
        image[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 255 if index >> bit & 1 else 0
    return image


def read_number(image: np.ndarray) -> int:
    """Read the number from a picture of :func:`number_image`, (H, W, 3) of any size with the same proportions (4 :
    3)."""
    step = image.shape[1] * BLOCK / 320
    centres = ((np.arange(BITS) + 0.5) * step).astype(int)
    return int(sum(int(image[int(step / 2), x].mean() > 127) << bit for bit, x in enumerate(centres)))


class FakeClip:
    """Numbered frames with the interface of :class:`dkd.video.clip.Clip` that the widgets use."""

    width, height, backend = 320, 240, "numpy"

    def __init__(self, n_frames: int, fps: float = 30.0, name: str = "numbered"):
        self.fps, self.name, self.times = fps, name, np.arange(n_frames) / fps
        self.frames_read = 0

    def __len__(self) -> int:
        return len(self.times)

    def frame(self, i: int) -> np.ndarray:
        if not 0 <= i < len(self):
            raise FrameIndexError(f"expected a frame index in 0..{len(self) - 1}, got {i}")
        self.frames_read += 1
        return number_image(i, self.width, self.height)


def correlate(maps: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """Depthwise cross-correlation with zero padding: (C, H, W) and (C, S, S) → (C, H, W)."""
    pad = kernels.shape[-1] // 2
    padded = np.pad(maps, ((0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernels.shape[1:], axis=(1, 2))  # (C, H, W, S, S)
    return np.einsum("chwyx,cyx->chw", windows, kernels).astype(np.float32)


class FakeTrace:
    """Attributes and methods of :class:`dkd.Trace`.

    Args:
        n_frames, channels: T and C; without channels, the model has no kernels and finds each joint exactly.
        truth: whether there is ground truth.
        seed: seed of the noise.
        name: name of the clip.
        side, cells: S of the kernels, and H = W of the maps (at least 12).
        lost: frames in which a run with a policy re-initialises; :meth:`retrace` returns such a run.
        calibrated: whether there is a calibrated confidence: half the score.
        strange: frames in which the joints look like somebody else.
    """

    def __init__(
        self,
        n_frames: int = 60,
        channels: int = 26,
        truth: bool = True,
        seed: int = 0,
        name: str = "numbered",
        side: int = SIDE,
        cells: int = CELLS,
        lost: tuple[int, ...] = (),
        calibrated: bool = False,
        strange: tuple[int, ...] = (),
    ):
        self._made_of = dict(
            n_frames=n_frames, channels=channels, truth=truth, seed=seed, name=name, side=side, cells=cells, lost=lost,
            calibrated=calibrated, strange=strange,
        )  # fmt: skip
        self.conditions = Conditions()
        self.reinitialised: list[Reinitialised] = []
        self.calibrated, self.complete = calibrated, True
        self._size = cells
        random = np.random.default_rng(seed)
        self.clip = FakeClip(n_frames, name=name)
        self.skeleton = get_skeleton("penn_action")
        self.model = None
        self.model_name = "numpy-double"
        self.times = self.clip.times
        n_joints = len(self.skeleton)
        self.crops = [Crop(40.0 + 0.25 * t, 10.0, 220.0) for t in range(n_frames)]
        follows = np.arange(channels) % n_joints
        self.readout = (0.02 * random.standard_normal((n_joints, channels))).astype(np.float32)
        self.readout[follows, np.arange(channels)] += n_joints / max(channels, 1)
        self.bias = (0.01 * random.standard_normal(n_joints)).astype(np.float32)
        side = side if channels else 1
        self.kernels = (0.004 * random.standard_normal((n_frames, channels, side, side))).astype(np.float32)
        self.kernels[:, :, side // 2, side // 2] += (0.9 + 0.1 * np.cos(np.arange(n_frames) / 3))[:, None]
        self._follows, self._noise = follows, random.standard_normal((channels, cells, cells)).astype(np.float32)
        self.heatmaps = np.stack([self._maps(t) for t in range(n_frames)])
        flat = self.heatmaps.reshape(n_frames, n_joints, -1)
        self.scores = flat.max(-1)
        self.confidence = np.clip(self.scores / 2 if calibrated else self.scores, 0, 1)
        peaks = np.stack(np.divmod(flat.argmax(-1), cells)[::-1], -1)  # (T, J, 2) cells: x, y
        placed = [crop.to_frame(at, cells) for crop, at in zip(self.crops, peaks, strict=True)]
        self.joints = np.stack(placed).astype(np.float32)
        self.predicted_joints = self.joints
        self.corrected, self.hidden = np.zeros((2, n_frames, n_joints), bool)
        self.strange = np.isin(np.arange(n_frames), strange)
        self.ground_truth = self.joints + np.float32(3) if truth else None
        self.ground_truth_kind = "exact (rendered)" if truth else ""

    def __len__(self) -> int:
        return len(self.times)

    origin = 0

    def from_initializer(self, t: int) -> bool:
        return t == 0 or t in [anew.frame for anew in self.reinitialised]

    def previous(self, t: int) -> int | None:
        return None if self.from_initializer(t) else t - 1

    def would_change(self, reinitialise: Reinitialise | None, refine: bool | None = None) -> bool:
        if refine not in (None, self.conditions.refine):
            return True
        return bool(self._made_of["lost"]) and (reinitialise is None) != (self.conditions.reinitialise is None)

    def retrace(
        self,
        reinitialise: Reinitialise | None,
        *,
        refine: bool | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> FakeTrace:
        trace = FakeTrace(**self._made_of)  # type: ignore[arg-type]
        trace.conditions = Conditions(
            reinitialise=reinitialise, refine=self.conditions.refine if refine is None else refine
        )
        if reinitialise is not None:
            frames = self._made_of["lost"]
            trace.reinitialised = [Reinitialised(t, f"mean score below 0.2 until {t - 1}", 0.1, 0.7) for t in frames]  # type: ignore[attr-defined]
        return trace

    def close(self) -> None:
        pass

    def picture(self, t: int) -> np.ndarray:
        return self.clip.frame(t)

    def network_pixels(self, t: int) -> np.ndarray:
        return self.crops[t].extract(self.picture(t), 128)

    def cells(self, t: int) -> np.ndarray:
        """Return the cells (J, 2) of the joints in frame t, which differ in each of 24 consecutive frames."""
        j, period = np.arange(len(self.skeleton)), self._size - 8
        return np.stack([4 + (t + 5 * j) % period, 4 + (7 * t // 3 + 3 * j) % period], -1)

    def projected(self, t: int) -> np.ndarray:
        noise = 0.03 * np.roll(self._noise, t, 2)
        return (self._bumps(self.cells(t)[self._follows]) + noise).astype(np.float32)

    def _bumps(self, at: np.ndarray) -> np.ndarray:
        grid = np.arange(self._size)
        rows = np.exp(-((grid - at[:, 1:]) ** 2) / 4.5)
        columns = np.exp(-((grid - at[:, :1]) ** 2) / 4.5)
        return rows[:, :, None] * columns[:, None, :]

    features = projected

    def contributions(self, t: int, joint: str | int) -> np.ndarray:
        if not len(self.readout[0]):
            raise ConfigError("this model has no kernels")
        if self.from_initializer(t):
            raise DKDError(f"frame {t} has no contributions: its maps come from the initializer, there is no matching")
        j = self.skeleton.index(joint)
        return self.readout[j, :, None, None] * correlate(self.projected(t), self.kernels[t - 1])

    def _maps(self, t: int) -> np.ndarray:
        if not len(self.readout[0]):
            return self._bumps(self.cells(t)).astype(np.float32)
        kernels = self.kernels[max(t - 1, 0)]
        answer = correlate(self.projected(t), kernels)
        return (self.bias[:, None, None] + np.einsum("jc,chw->jhw", self.readout, answer)).astype(np.float32)

    def effective_kernel(self, t: int, joint: str | int) -> np.ndarray:
        return self.readout[self.skeleton.index(joint), :, None, None] * self.kernels[t]

    def speed(self) -> np.ndarray:
        steps = np.linalg.norm(np.diff(self.joints, axis=0), axis=-1) * self.clip.fps
        return np.concatenate([np.zeros((1, len(self.skeleton))), steps]).astype(np.float32)

    def kernel_drift(self) -> np.ndarray:
        if not self.kernels.size:
            return np.zeros(len(self), np.float32)
        flat = self.kernels.reshape(len(self), -1)
        unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
        return np.concatenate([[0.0], 1 - (unit[1:] * unit[:-1]).sum(1)]).astype(np.float32)
