"""Descriptions of moments in one sentence with numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from dkd.analysis.severity import has_true_sides

if TYPE_CHECKING:
    from dkd.analysis.diagnosis import Diagnosis


def number(value: float) -> str:
    """Format a number with two significant digits: 0.31, 0.0024, 1.3, 12."""
    return f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}"


def _describe_jump(d: Diagnosis, t: int, j: int) -> str:
    steps = d.lanes["speed"][:, j]
    text = (
        f"{d.skeleton.joints[j]} jumps {number(steps[t])} of the box in one frame; "
        f"its median step is {number(d.medians['speed'][j])}"
    )
    if d.truth is not None:
        true = np.linalg.norm(d.truth[t, j] - d.truth[t - 1, j]) / d.side[t]
        text += f", the true one here {number(true)}" if np.isfinite(true) else ""
    return text


def _describe_flip(d: Diagnosis, t: int, j: int) -> str:
    mirror = d.skeleton.flip_permutation[j]
    names = f"{d.skeleton.joints[j]} and {d.skeleton.joints[mirror]}"
    if has_true_sides(d):
        share = number(d.lanes["swapped"][t, j])
        return f"{names} are swapped: both are {share} of the box closer to the other's true place"
    here, before = d.joints[t], d.joints[t - 1]
    kept, exchanged = (
        sum(np.linalg.norm(here[a] - before[b]) for a, b in pairs) / d.side[t]
        for pairs in (((j, j), (mirror, mirror)), ((j, mirror), (mirror, j)))
    )
    return f"{names} swap places: they move {number(kept)} of the box, swapped back it would be {number(exchanged)}"


def _describe_low_score(d: Diagnosis, t: int, j: int) -> str:
    what = "confidence" if d.calibrated else "score"
    (sure, middle, limit), name = d.confidence_and_limits, d.skeleton.joints[j]
    return f"{name} has a {what} of {sure[t, j]:.2f}; its median is {middle[j]:.2f}, the limit {limit[j]:.2f}"


def _describe_out_of_crop(d: Diagnosis, t: int, j: int) -> str:
    border = d.lanes["border"][t, j]
    name = d.skeleton.joints[j]
    if border < 0:
        share = -border * d.cell[t] / d.side[t]
        return f"the true {name} is {number(share)} of the box outside the network's crop"
    return f"{name} is {number(border)} cells from the border of the network's crop"


def _describe_miss(d: Diagnosis, t: int, j: int) -> str:
    error = number(d.lanes["error"][t, j])
    return f"{d.skeleton.joints[j]} is {error} of the box from the ground truth; up to {d.alpha:g} it counts as found"


def _describe_drift(d: Diagnosis, t: int, _: int) -> str:
    drift = d.lanes["kernel_drift"]
    return (
        f"the kernels change by {number(drift[t])} (1 − cos) from the previous frame; "
        f"the median is {number(d.medians['kernel_drift'][0])}"
    )


SENTENCES: dict[str, Callable[[Diagnosis, int, int], str]] = {
    "drift": _describe_drift, "flip": _describe_flip, "jump": _describe_jump, "low score": _describe_low_score,
    "out of crop": _describe_out_of_crop, "miss": _describe_miss,
}  # fmt: skip
