"""Reliance of a model on its past: the effect of changing the maps that it passes on to the next frame.

A DKD can track well and ignore H_t; it is then in effect a per-frame network. There are two measures, both on real
runs: *one step*, the change of the next maps when only H_t is changed; *whole clip*, the loss of accuracy when every
H_t is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dkd.errors import ConfigError, checked
from dkd.models.base import Feedback, PoseOutput
from dkd.models.dkd import DKD
from dkd.pose.heatmaps import decode_peaks
from dkd.tracking.feedback import erase, swap_sides
from dkd.tracking.trace import Trace


@checked
@torch.inference_mode()
def one_step_reliance(trace: Trace, every: int = 5) -> pd.DataFrame:
    """Change H_t in frame t, and compare the maps of frame t+1 with those of the unchanged run.

    Args:
        trace: a run of at least two frames, of a model that passes its maps on. Frames with a re-initialisation do not
            depend on the past and are left out.
        every: measure every n-th frame.

    Returns:
        One row per change (``erased``, ``sides_swapped``) with ``map_change``: ‖H′ − H‖ / ‖H‖ over frame t+1, 0 if H_t
        is ignored; ``kernel_change``: the same for K̃_t, NaN without kernels; and ``peak_shift``: mean distance of the
        peaks from the unchanged ones in cells; each averaged over the frames.

    Raises:
        ConfigError: the model is a per-frame model.
    """
    if not trace.model.hands_on:
        raise ConfigError(
            f"expected a trace of a model that passes its maps on, got one of {trace.model_name}, which has no past to "
            "rely on"
        )
    changes: dict[str, Feedback] = {"erased": erase, "sides_swapped": swap_sides(trace.skeleton)}
    from_parts = isinstance(trace.model, DKD) and not trace.model.matches_joints
    follow = _distilled if from_parts else _replayed
    following = chain.from_iterable(follow(run, every, changes) for run in trace.runs)
    rows: list[dict[str, float | str]] = []
    for expected, others in following:
        for name, other in others.items():
            shift = (decode_peaks(other.heatmaps)[0] - decode_peaks(expected.heatmaps)[0]).norm(dim=-1).mean()
            rows.append(
                {
                    "change": name,
                    "map_change": _change(other.heatmaps, expected.heatmaps),
                    "kernel_change": _change(other.kernels, expected.kernels) if expected.kernels.numel() else np.nan,
                    "peak_shift": float(shift),
                }
            )
    return pd.DataFrame(rows).groupby("change", sort=False).mean()


class _Following(NamedTuple):
    """Maps (1, J, H, W) of a frame, and the kernels with which they were matched, if any."""

    heatmaps: Tensor
    kernels: Tensor


_Followings = Iterator[tuple[_Following, dict[str, _Following]]]  # unchanged, and by change


def _distilled(trace: Trace, every: int, changes: Mapping[str, Feedback]) -> _Followings:
    """Compute the next maps of a DKD from its parts, without running other frames."""
    model = trace.model
    assert isinstance(model, DKD)

    def follow(t: int, features: Tensor, heatmaps: Tensor, following: Tensor) -> _Following:
        if trace.from_initializer(t):
            kernels = model.distil(features, heatmaps)
        else:
            before = torch.from_numpy(np.array(trace.kernels[t - 1])).to(model.device)[None]
            kernels = model.hand_on(before, features, heatmaps)
        return _Following(model.locate(following, kernels), kernels)

    for t in range(0, len(trace) - 1, every):
        if trace.from_initializer(t + 1):
            continue
        features, following = (torch.from_numpy(trace.features(i)).to(model.device)[None] for i in (t, t + 1))
        heatmaps = torch.from_numpy(np.array(trace.heatmaps[t])).to(model.device)[None]
        changed = {name: follow(t, features, change(heatmaps, t), following) for name, change in changes.items()}
        yield follow(t, features, heatmaps, following), changed


def _replayed(trace: Trace, every: int, changes: Mapping[str, Feedback]) -> _Followings:
    """Compute the next maps of any model: run it again, and once more from each measured frame with changed maps."""
    model, state = trace.model, None

    def advance(t: int, state: Any, feedback: Feedback | None = None) -> tuple[PoseOutput, Any]:
        pixels = torch.from_numpy(trace.network_pixels(t)).to(model.device).permute(2, 0, 1)[None] / 255
        return model.start(pixels, feedback) if trace.from_initializer(t) else model.step(pixels, state, feedback)

    for t in range(len(trace) - 1):
        before = state
        _, state = advance(t, before)
        if t % every == 0 and not trace.from_initializer(t + 1):
            outputs = {name: advance(t + 1, advance(t, before, change)[1])[0] for name, change in changes.items()}
            unchanged = advance(t + 1, state)[0]
            yield (
                _Following(unchanged.heatmaps, unchanged.kernels),
                {name: _Following(output.heatmaps, output.kernels) for name, output in outputs.items()},
            )


def _change(other: Tensor, expected: Tensor) -> float:
    return float((other - expected).norm() / expected.norm())
