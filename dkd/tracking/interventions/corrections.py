"""Corrections: a person says where a joint is, that it is hidden, which side it is on, or where the person is.

A correction changes what is reported for its frames, the crop that follows from it, and H_t as passed to the
distillator, so that the kernels K̃_t, and all later frames, follow from the corrected pose. The model's own maps of the
frame stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dkd.pose.crops import BOX_MARGIN, Crop, box_to_crop
from dkd.pose.heatmaps import gaussian_targets
from dkd.pose.skeleton import Skeleton
from dkd.tracking.interventions.base import Context, Intervention, Pose


@dataclass(frozen=True, eq=False)
class PlaceJoint(Intervention):
    """Place a joint. H_t of the joint becomes the map on which the model was trained: a Gaussian of height 1.

    It has the training targets' form and σ, because scheduled sampling passes on just such maps in training. A joint
    outside the crop gets a map of zeros, also as in training; the next crop then follows it.

    Attributes:
        joint: index of the joint.
        positions: (F, 2) float64 x, y in pixels of the frame, one per frame of ``frames``.
    """

    joint: int
    positions: np.ndarray

    corrects = True
    per_frame = ("positions",)

    def handed_on(self, heatmaps: Tensor, t: int, context: Context) -> Tensor:
        """Replace the joint's map in its frames."""
        if not self.acts(t):
            return heatmaps
        size = heatmaps.shape[-1]
        cell = torch.from_numpy(context.crop.to_grid(self.position(t), size)).to(heatmaps.device, torch.float32)
        out = heatmaps.clone()
        out[:, self.joint] = gaussian_targets(cell[None], size, context.sigma)[0].to(heatmaps.dtype)
        return out

    def reported(self, pose: Pose, t: int, skeleton: Skeleton) -> Pose:
        """Report the given position, with a score of 1; the joint is not hidden."""
        if not self.acts(t):
            return pose
        return _changed(pose, self.joint, joints=self.position(t), scores=1, given=True, corrected=True, hidden=False)

    def position(self, t: int) -> np.ndarray:
        """Return its position (2,) in frame t, one of its frames."""
        return self.positions[t - self.frames.start]


@dataclass(frozen=True)
class HideJoint(Intervention):
    """Mark a joint as hidden: its map H_t is passed on as zeros, as that of an unlabelled joint in training.

    The position stays, with a score of 0: it is not trusted, and the crop does not follow it.

    Attributes:
        joint: index of the joint.
    """

    joint: int

    corrects = True

    def handed_on(self, heatmaps: Tensor, t: int, context: Context) -> Tensor:
        """Erase the joint's map in its frames."""
        if not self.acts(t):
            return heatmaps
        out = heatmaps.clone()
        out[:, self.joint] = 0
        return out

    def reported(self, pose: Pose, t: int, skeleton: Skeleton) -> Pose:
        """Mark the joint, and set its score to 0."""
        return _changed(pose, self.joint, scores=0, hidden=True) if self.acts(t) else pose


@dataclass(frozen=True, eq=False)
class SwapSides(Intervention):
    """Swap left and right of some joints: positions, scores and the maps passed on.

    The person who swaps the sides sees one run, but the maps passed on change the next frames, in which the model may
    then name the sides correctly. Swapping those again would undo the correction. So a pair is swapped in a frame only
    if that brings it closer to the swapped positions of the run that was seen. (Our decision.)

    Attributes:
        pairs: indices of the joints of each pair.
        seen: (F, J, 2) pixels, the run's positions before the swap, one per frame of ``frames``.
    """

    pairs: tuple[tuple[int, int], ...]
    seen: np.ndarray

    corrects = True
    per_frame = ("seen",)

    def handed_on(self, heatmaps: Tensor, t: int, context: Context) -> Tensor:
        """Swap the maps of the pairs that are swapped in this frame."""
        swapped = self.swapped(context.pose, t)
        return heatmaps[:, _order(swapped, heatmaps.shape[1])] if swapped else heatmaps

    def reported(self, pose: Pose, t: int, skeleton: Skeleton) -> Pose:
        """Swap everything that is reported about these pairs."""
        swapped = self.swapped(pose, t)
        if not swapped:
            return pose
        pose = Pose(*(values[_order(swapped, len(skeleton))] for values in pose))
        pose.corrected[[j for pair in swapped for j in pair]] = True
        return pose

    def swapped(self, pose: Pose, t: int) -> list[tuple[int, int]]:
        """Return the pairs that are swapped in a frame with this pose."""
        if not self.acts(t):
            return []
        seen, now = self.seen[t - self.frames.start], pose.joints

        def distance(a: int, b: int) -> float:
            return float(np.linalg.norm(now[a] - seen[a]) + np.linalg.norm(now[b] - seen[b]))

        def crossed(a: int, b: int) -> float:
            return float(np.linalg.norm(now[a] - seen[b]) + np.linalg.norm(now[b] - seen[a]))

        return [pair for pair in self.pairs if distance(*pair) <= crossed(*pair)]


@dataclass(frozen=True)
class SetBox(Intervention):
    """Make the crop of its frames from a box around the person; later crops follow from the joints found in it.

    Attributes:
        box: (x0, y0, x1, y1) in pixels of the frame.
        restart: whether the model is also re-initialised there.
    """

    box: tuple[float, float, float, float]
    restart: bool = False

    def square(self, square: Crop, t: int) -> Crop:
        """Return the box's crop in its frames, with the margin of a first box."""
        return box_to_crop(self.box, BOX_MARGIN) if self.acts(t) else square

    def holds_square(self, t: int) -> bool:
        """Return True in its frames: a person has drawn the box."""
        return self.acts(t)

    def restarts(self, t: int) -> bool:
        """Return whether the model is re-initialised in frame t."""
        return self.restart and t > 0 and self.acts(t)


def _changed(pose: Pose, joint: int, **values: object) -> Pose:
    """Return a pose in which one joint has other values."""
    changed = {}
    for name, value in values.items():
        changed[name] = getattr(pose, name).copy()
        changed[name][joint] = value
    return pose._replace(**changed)


def _order(pairs: Sequence[tuple[int, int]], n_joints: int) -> list[int]:
    """Return the permutation of joints that swaps these pairs."""
    order = list(range(n_joints))
    for a, b in pairs:
        order[a], order[b] = b, a
    return order
