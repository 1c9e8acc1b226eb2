"""Quantities that a trace does not keep but recomputes on request: pixels, features, contributions of channels.

The same pixels go through the same layers, so results are bit-identical to those of the run.
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
from dkd.pose.heatmaps import decode_peaks
from dkd.pose.skeleton import Skeleton
from dkd.tracking.conditions import Conditions
from dkd.tracking.interventions import Context, Pose, SwapReadouts, change_handed_on
from dkd.tracking.pixels import as_input, network_pixels, picture
from dkd.video.protocols import ClipLike


class Recomputed(ABC):
    """Part of a trace that is recomputed."""

    model: VideoPoseModel
    model_name: str
    clip: ClipLike
    conditions: Conditions
    skeleton: Skeleton

    @property
    @abstractmethod
    def crops(self) -> list[Crop]:
        """T crops of the frame, the network's inputs."""

    @property
    @abstractmethod
    def heatmaps(self) -> np.ndarray:
        """(T, J, H, W) float32 H_t."""

    @property
    @abstractmethod
    def kernels(self) -> np.ndarray:
        """(T, C, S, S) float32 K̃_t."""

    @property
    @abstractmethod
    def origin(self) -> int:
        """Frame in which the run starts."""

    @abstractmethod
    def previous(self, t: int) -> int | None:
        """Return the frame whose kernels are matched in frame t; ``None`` if its maps do not come from matching."""

    @abstractmethod
    def _index(self, t: int) -> int:
        """``t``, checked."""

    # --- pixels ------------------------------------------------------------------------------------------------------

    def picture(self, t: int) -> np.ndarray:
        """Return the whole frame t after interventions, (H, W, 3) uint8 RGB; the clip's frame if there are none."""
        return picture(self.clip, self.conditions, self._index(t), self.crops[t])

    def network_pixels(self, t: int) -> np.ndarray:
        """Return the network's input in frame t, (N, N, 3) uint8 RGB, cropped and perhaps corrupted."""
        size = self.model.config.input_size
        return network_pixels(self.clip, self.conditions, self._index(t), self.crops[t], size)

    # --- matching ----------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def features(self, t: int) -> np.ndarray:
        """Encode F_t again from the same crop: (C, H, W) float32 ≥ 0.

        Raises:
            ConfigError: the model has no kernels.
            FrameIndexError: t is outside the trace.
        """
        model = self._matching_model()
        return model.encode(as_input(self.network_pixels(t), model.device))[0].cpu().numpy()

    @torch.inference_mode()
    def projected(self, t: int) -> np.ndarray:
        """Compute V · F_t, with which kernels are matched: (C, H, W) float32. Raises as :meth:`features`."""
        model = self._matching_model()
        return model.projection(torch.from_numpy(self.features(t)).to(model.device)[None])[0].cpu().numpy()

    @torch.inference_mode()
    def handed_on(self, t: int) -> np.ndarray:
        """Return H_t as passed on to the next frame: (J, H, W) float32; ``heatmaps[t]`` if no intervention changes it.

        A feedback (:attr:`Conditions.feedback`) is not applied: it may have state.
        """
        maps, crop = torch.from_numpy(np.array(self.heatmaps[self._index(t)])), self.crops[t]
        peaks, scores = decode_peaks(maps)
        pose = Pose.of_model(crop.to_frame(peaks.numpy(), maps.shape[-1]), scores.numpy())
        context = Context(self.skeleton, crop, self.model.target_sigma, pose)
        return change_handed_on(self.conditions.interventions, maps[None], t, context)[0].numpy()

    @torch.inference_mode()
    def as_matched(self, t: int) -> np.ndarray:
        """Return the maps of frame t as K̃ matched them: (J, H, W) float32.

        These are ``heatmaps[t]``, but in a model that refines them by kernels made at the joints
        (:mod:`dkd.models.at_joints`): there they are computed again. Raises as :meth:`features`.
        """
        model, before = self._matching_model(), self.previous(t)
        if before is None or not model.matches_joints:
            return np.array(self.heatmaps[t])
        known = self.features(t), self._kernel(before)
        features, kernels = (torch.from_numpy(one).to(model.device)[None] for one in known)
        return model.locate(features, kernels)[0].cpu().numpy()[self._readout_order()]

    def distilled_from(self, t: int) -> np.ndarray:
        """Return the maps from which K̃_t is distilled: (J, H, W) float32.

        Those of :meth:`handed_on`. A model that refines its maps by kernels made at the joints distils from them
        :meth:`as_matched`, where no intervention changes them. Raises as :meth:`features`.
        """
        maps = self.handed_on(t)
        if not self._matching_model().matches_joints or self.previous(t) is None:
            return maps
        order = np.argsort(self._readout_order())  # the model compares before read-outs are swapped
        return np.where(maps == self.heatmaps[t][order], self.as_matched(t)[order], maps)

    # --- read-out ----------------------------------------------------------------------------------------------------

    @property
    def readout(self) -> np.ndarray:
        """Static read-out U, (J, C); C = 0 in a model without kernels."""
        if not self.model.has_kernels:
            return np.zeros((len(self.skeleton), 0), np.float32)
        return _array(self._matching_model().readout.weight)[self._readout_order(), :, 0, 0]

    @property
    def bias(self) -> np.ndarray:
        """Bias of the read-out, (J,); zeros in a model without kernels."""
        if not self.model.has_kernels:
            return np.zeros(len(self.skeleton), np.float32)
        bias = self._matching_model().readout.bias
        assert bias is not None
        return _array(bias)[self._readout_order()]

    def _readout_order(self) -> list[int]:
        """Return the row of U used by each joint: its own, unless an intervention swapped them."""
        order = list(range(len(self.skeleton)))
        for one in self.conditions.interventions:
            if isinstance(one, SwapReadouts):
                order = [order[i] for i in one.order(len(order))]
        return order

    def effective_kernel(self, t: int, joint: str | int) -> np.ndarray:
        """Compute the effective kernel of a joint from frame t, (C, S, S): channel c is U[joint, c] · K̃_t[c]."""
        return self.readout[self.skeleton.index(joint)][:, None, None] * self.kernels[self._index(t)]

    @torch.inference_mode()
    def contributions(self, t: int, joint: str | int) -> np.ndarray:
        """Compute each channel's contribution to ``heatmaps[t, joint]``, (C, H, W): U[joint, c] · (K̃[c] ⊛ (V F_t)_c).

        K̃ are the kernels of the frame :meth:`previous` (t). Their sum over c plus ``bias[joint]`` is the heatmap; in a
        model that refines it by kernels made at the joints, it is the map before that (:meth:`as_matched`).

        Raises:
            FrameIndexError: ``t`` is outside the trace, or its maps come from the initializer, not from matching: the
                first frame of the run, and frames with a re-initialisation (:meth:`from_initializer`).
        """
        before = self.previous(self._index(t))
        if before is None:
            raise FrameIndexError(
                f"frame {t} has no contributions: its maps come from the initializer; choose "
                + ("t ≥ 1" if t == self.origin == 0 else f"another frame, such as {t + 1}")
            )
        projected, kernels = torch.from_numpy(self.projected(t)), torch.from_numpy(np.array(self.kernels[before]))
        matched = match(projected[None], kernels[None])[0]
        return self.readout[self.skeleton.index(joint)][:, None, None] * matched.numpy()

    def _kernel(self, frame: int) -> np.ndarray:
        """Return a copy of a frame's K̃, (C, S, S)."""
        self._matching_model()
        return np.array(self.kernels[self._index(frame)])

    def _matching_model(self) -> DKD:
        """Return the model after checking that it matches kernels."""
        if not isinstance(self.model, DKD):
            raise ConfigError(
                f"expected a DKD, got {self.model_name}, which has no kernels; trace a DKD to see the matching"
            )
        return self.model


def _array(weights: Tensor) -> np.ndarray:
    return weights.detach().cpu().numpy()
