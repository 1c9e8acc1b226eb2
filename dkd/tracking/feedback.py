"""Feedback functions: what a model is given instead of the maps H_t that it hands on to the next frame.

A feedback is called with (H_t, t) and returns maps of the same shape. :func:`erase` and the function that
:func:`swap_sides` returns remember nothing; that of :func:`shuffle_in_time` does, so every run needs a new one
(:class:`dkd.tracking.conditions.Conditions` takes a function that makes it).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dkd.models.base import Feedback
from dkd.pose.skeleton import Skeleton

_REMEMBERED = 256  # frames that shuffle_in_time keeps: 14 MB of 13 maps of 32×32


def erase(heatmaps: Tensor, t: int) -> Tensor:
    """A feedback that forgets the pose: all maps zero."""
    return torch.zeros_like(heatmaps)


def swap_sides(skeleton: Skeleton) -> Feedback:
    """A feedback that calls every left joint right and the other way round."""
    order = list(skeleton.flip_permutation)

    def swap(heatmaps: Tensor, t: int) -> Tensor:
        return heatmaps[:, order]

    return swap


def shuffle_in_time(seed: int = 0) -> Feedback:
    """A feedback that hands on the maps of a random *earlier* frame of the same stream instead of H_t.

    A pose that the person did have, at a wrong time: where H_t says only "a person, about here", this costs little.
    Drawn evenly from all frames before t; frame 0 has only its own. It never reads the future. The memory holds at most
    256 frames, an even sample of all that were seen, and is emptied where a stream starts (t = 0). The same seed
    draws the same frames.

    Args:
        seed: ≥ 0.

    Returns:
        a feedback with a memory: each stream needs its own.
    """
    seen: dict[int, Tensor] = {}

    def shuffle(heatmaps: Tensor, t: int) -> Tensor:
        if t == 0:
            seen.clear()
        random = np.random.default_rng((seed, t))  # of t alone: a trace that was stopped draws the same
        earlier = [s for s in seen if s < t]
        chosen = seen[earlier[int(random.integers(len(earlier)))]] if earlier else heatmaps
        if len(seen) >= _REMEMBERED and t not in seen and (slot := int(random.integers(t + 1))) < _REMEMBERED:
            del seen[list(seen)[slot]]  # an even sample of a stream of unknown length (reservoir sampling)
        if len(seen) < _REMEMBERED:
            seen[t] = heatmaps.detach().clone()
        return chosen

    return shuffle
