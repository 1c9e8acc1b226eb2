"""How much does a DKD use its past? Change what the kernels are distilled from, and see what follows.

A network can track well and ignore H_t: then it is a per-frame net in DKD's clothes. Two measures, both on real runs:
*one step*, how far the next maps move when H_t alone is changed; *whole clip*, what tracking loses when every H_t is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dkd.errors import ConfigError
from dkd.heatmaps import decode_peaks
from dkd.models.base import Feedback
from dkd.models.controls import KernelControl
from dkd.models.dkd import DKD
from dkd.skeleton import Skeleton
from dkd.trace import Trace

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


@torch.inference_mode()
def one_step_reliance(trace: Trace, every: int = 5) -> pd.DataFrame:
    """Change H_t in frame t, and compare the maps of frame t+1 with those of the unchanged run.

    Args:
        trace: a run of at least two frames.
        every: measure each n-th frame.

    Returns:
        a row for each change (``erased``, ``sides_swapped``) with ``map_change``: ‖H′ − H‖ / ‖H‖ over frame t+1, 0 if
        H_t is ignored; ``kernel_change``, the same of K̃_t; and ``peak_shift``: mean distance of the peaks from where
        they were, in cells; each averaged over the frames.
    """
    model = trace.model
    if not isinstance(model, DKD):
        raise ConfigError(f"expected a trace of a DKD, got one of {trace.model_name}, which has no past to rely on")

    def handed_on(t: int, features: Tensor, heatmaps: Tensor) -> Tensor:
        if isinstance(model, KernelControl) and t:
            before = torch.from_numpy(np.array(trace.kernels[t - 1])).to(model.device)[None]
            return model.hand_on(before, features, heatmaps)
        return model.distil(features, heatmaps)

    changes: dict[str, Callable[[Tensor, int], Tensor]] = {"erased": erase, "sides_swapped": swap_sides(trace.skeleton)}
    rows: list[dict[str, float | str]] = []
    for t in range(0, len(trace) - 1, every):
        features, following = (torch.from_numpy(trace.features(i)).to(model.device)[None] for i in (t, t + 1))
        heatmaps = torch.from_numpy(np.array(trace.heatmaps[t])).to(model.device)[None]
        kernels = handed_on(t, features, heatmaps)
        expected = model.locate(following, kernels)
        for name, change in changes.items():
            other_kernels = handed_on(t, features, change(heatmaps, t))
            got = model.locate(following, other_kernels)
            rows.append(
                {
                    "change": name,
                    "map_change": float((got - expected).norm() / expected.norm()),
                    "kernel_change": float((other_kernels - kernels).norm() / kernels.norm()),
                    "peak_shift": float((decode_peaks(got)[0] - decode_peaks(expected)[0]).norm(dim=-1).mean()),
                }
            )
    return pd.DataFrame(rows).groupby("change", sort=False).mean()
