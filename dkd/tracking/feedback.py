"""Feedback functions, which replace the maps H_t that a model passes on to the next frame.

A feedback is called with (H_t, t) and returns maps of the same shape. :func:`erase` and the function returned by
:func:`swap_sides` have no state; that of :func:`shuffle_in_time` has, so every run needs a new one
(:class:`dkd.tracking.conditions.Conditions` takes a function that creates it).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dkd.models.base import Feedback
from dkd.pose.skeleton import Skeleton

_REMEMBERED = 256  # frames kept by shuffle_in_time: 14 MB with 13 maps of 32×32


def erase(heatmaps: Tensor, t: int) -> Tensor:
    """Erase the pose: return all-zero maps."""
    return torch.zeros_like(heatmaps)


def swap_sides(skeleton: Skeleton) -> Feedback:
    """Create a feedback that swaps the maps of left and right joints."""
    order = list(skeleton.flip_permutation)

    def swap(heatmaps: Tensor, t: int) -> Tensor:
        return heatmaps[:, order]

    return swap


def shuffle_in_time(seed: int = 0) -> Feedback:
    """Create a feedback that passes on the maps of a random *earlier* frame of the same stream instead of H_t.

    It is a true pose of the person, at the wrong time: if the model only reads "there is a person about here" from H_t,
    this costs little. The frame is drawn uniformly from all frames before t; frame 0 only has its own. The future is
    never used. The memory holds at most 256 frames, a uniform sample of all earlier ones, and is cleared when a stream
    starts (t = 0). The same seed draws the same frames.

    Args:
        seed: seed of the random draws, ≥ 0.

    Returns:
        A feedback with state: each stream needs its own.
    """
    seen: dict[int, Tensor] = {}

    def shuffle(heatmaps: Tensor, t: int) -> Tensor:
        if t == 0:
            seen.clear()
        random = np.random.default_rng((seed, t))  # depends only on t, so that a resumed trace draws the same frames
        earlier = [s for s in seen if s < t]
        chosen = seen[earlier[int(random.integers(len(earlier)))]] if earlier else heatmaps
        if len(seen) >= _REMEMBERED and t not in seen and (slot := int(random.integers(t + 1))) < _REMEMBERED:
            del seen[list(seen)[slot]]  # a uniform sample of a stream of unknown length (reservoir sampling)
        if len(seen) < _REMEMBERED:
            seen[t] = heatmaps.detach().clone()
        return chosen

    return shuffle
