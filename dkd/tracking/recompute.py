"""What a trace does not keep but computes again when asked for: pixels, features, what each channel adds to a map.

The same pixels go through the same layers, so results are those of the run itself, to the last bit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from dkd.errors import ConfigError, FrameIndexError
from dkd.models.base import VideoPoseModel
from dkd.models.dkd import DKD, match
from dkd.pose.crops import Crop
from dkd.pose.skeleton import Skeleton
from dkd.tracking.conditions import Conditions
from dkd.tracking.interventions import SwapReadouts
from dkd.tracking.pixels import as_input, network_pixels, picture
from dkd.video.protocols import ClipLike


class Recomputed(ABC):
    """The part of a trace that is computed again."""

    model: VideoPoseModel
    model_name: str
    clip: ClipLike
    conditions: Conditions
    skeleton: Skeleton

    @property
    @abstractmethod
    def crops(self) -> list[Crop]:
        """T squares of the frame that the network saw."""

    @property
    @abstractmethod
    def kernels(self) -> np.ndarray:
        """(T, C, S, S) float32 K̃_t."""

    @abstractmethod
    def from_initializer(self, t: int) -> bool:
        """Whether frame t's maps are not matched."""

    @abstractmethod
    def _index(self, t: int) -> int:
        """``t``, checked."""

    # --- pixels ------------------------------------------------------------------------------------------------------

    def picture(self, t: int) -> np.ndarray:
        """(H, W, 3) uint8 RGB of the whole frame t, as interventions left it; the clip's where there are none."""
        return picture(self.clip, self.conditions, self._index(t), self.crops[t])

    def network_pixels(self, t: int) -> np.ndarray:
        """(N, N, 3) uint8 RGB that the network saw in frame t: cropped, and corrupted where the conditions say so."""
        size = self.model.config.input_size
        return network_pixels(self.clip, self.conditions, self._index(t), self.crops[t], size)

    # --- what is matched ---------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def features(self, t: int) -> np.ndarray:
        """(C, H, W) float32 F_t ≥ 0, encoded again from the same crop.

        Raises:
            ConfigError: the model has no kernels.
            FrameIndexError: t is outside the trace.
        """
        model = self._matching_model()
        return model.encode(as_input(self.network_pixels(t), model.device))[0].cpu().numpy()

    @torch.inference_mode()
    def projected(self, t: int) -> np.ndarray:
        """(C, H, W) float32 V · F_t: what the kernels are matched with. Raises as :meth:`features`."""
        model = self._matching_model()
        return model.projection(torch.from_numpy(self.features(t)).to(model.device)[None])[0].cpu().numpy()

    # --- how it is read out ------------------------------------------------------------------------------------------

    @property
    def readout(self) -> np.ndarray:
        """(J, C) U, the static read-out; C = 0 in a model without kernels."""
        if not self.model.has_kernels:
            return np.zeros((len(self.skeleton), 0), np.float32)
        return _array(self._matching_model().readout.weight)[self._readout_order(), :, 0, 0]

    @property
    def bias(self) -> np.ndarray:
        """(J,) the read-out's bias; zeros in a model without kernels."""
        if not self.model.has_kernels:
            return np.zeros(len(self.skeleton), np.float32)
        bias = self._matching_model().readout.bias
        assert bias is not None
        return _array(bias)[self._readout_order()]

    def _readout_order(self) -> list[int]:
        """Which row of U each joint reads with: its own, unless an intervention swapped them."""
        order = list(range(len(self.skeleton)))
        for one in self.conditions.interventions:
            if isinstance(one, SwapReadouts):
                order = [order[i] for i in one.order(len(order))]
        return order

    def effective_kernel(self, t: int, joint: str | int) -> np.ndarray:
        """(C, S, S) the kernel of one joint as distilled from frame t: channel c is U[joint, c] · K̃_t[c]."""
        return self.readout[self.skeleton.index(joint)][:, None, None] * self.kernels[self._index(t)]

    @torch.inference_mode()
    def contributions(self, t: int, joint: str | int) -> np.ndarray:
        """(C, H, W) what each channel adds to ``heatmaps[t, joint]``: U[joint, c] · (K̃_{t−1}[c] ⊛ (V F_t)_c).

        Their sum over c plus ``bias[joint]`` is the heatmap.

        Raises:
            FrameIndexError: t is outside the trace, or its maps are the initializer's, not matched: frame 0, and where
                the model was re-initialised (:meth:`from_initializer`).
        """
        if self.from_initializer(self._index(t)):
            raise FrameIndexError(
                f"frame {t} has no contributions: its maps come from the initializer; ask for "
                + ("t ≥ 1" if t == 0 else f"another frame, such as {t + 1}")
            )
        projected, kernels = torch.from_numpy(self.projected(t)), torch.from_numpy(np.array(self.kernels[t - 1]))
        matched = match(projected[None], kernels[None])[0]
        return self.readout[self.skeleton.index(joint)][:, None, None] * matched.numpy()

    def _kernel(self, frame: int) -> np.ndarray:
        """(C, S, S) K̃ of a frame, a copy."""
        self._matching_model()
        return np.array(self.kernels[self._index(frame)])

    def _matching_model(self) -> DKD:
        """The model, which is known to match kernels."""
        if not isinstance(self.model, DKD):
            raise ConfigError(
                f"expected a DKD, got {self.model_name}, which has no kernels; trace a DKD to see features matched"
            )
        return self.model


def _array(weights: Tensor) -> np.ndarray:
    return weights.detach().cpu().numpy()
