"""How kernels made at the joints found a joint: what was looked for, where it fits, and what a gate made of it.

    S^j_t  the features around joint j in frame t, weighted by its map
    K^j_t  a fast and a slow running memory of S^j, see :mod:`dkd.models.at_joints`
    R^j_t  the response, −1..1: how well K^j_{t−1} fits at each cell of frame t
    H^j_t  the map: as K̃_{t−1} matched it, refined by a gate that reads R^j_t

A trace does not keep K^j. It depends on all frames since the model was started, which are encoded again; some of the
states are kept for later calls with the same trace.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from dkd.errors import ConfigError, FrameIndexError, checked
from dkd.models.at_joints import respond
from dkd.models.dkd import DKD, DKDState
from dkd.pose.crops import PADDING_GREY
from dkd.pose.heatmaps import TARGET_SIGMA

if TYPE_CHECKING:
    from dkd.tracking.trace import Trace

KEPT_EVERY = 16  # frames of a run whose kernels are kept
KEPT = 64  # of a run, at most: 5 MB
_MASS = 2 * math.pi * TARGET_SIGMA**2  # sum of the cells of a joint that is seen clearly

_State = tuple[Tensor, Tensor]  # fast and slow kernels K_t, (1, J, E, S, S)


@dataclass(frozen=True)
class JointSearch:
    """The search for one joint in frame t; arrays are (H, W) float32.

    Attributes:
        joint: name of the joint.
        fast, slow: responses of its fast and slow kernels, −1..1; 0 if nothing was seen of it.
        seen_fast, seen_slow: how much was seen of it in the frames before, ≥ 0: the norm of the kernels, about 1 for a
            joint that was seen clearly.
        matched: the map as K̃ matched it, before the gate.
        heatmap: H_t, after the gate.
    """

    joint: str
    fast: np.ndarray
    slow: np.ndarray
    seen_fast: float
    seen_slow: float
    matched: np.ndarray
    heatmap: np.ndarray


@dataclass(frozen=True)
class JointMatch:
    """How a joint was found in frame t.

    Attributes:
        frame: t.
        previous: the frame from which the kernels were last updated: t − 1, or t + 1 where the trace goes backwards in
            time; an earlier one if frames were dropped.
        crop: (N, N, 3) uint8 RGB, the network's input in the frame ``previous``.
        peak: cell x, y of the largest value of the joint's map in the frame ``previous``, as passed on.
        patch: (S·n, S·n, 3) uint8 RGB, the S×S cells of ``crop`` around the peak, n = N/H pixels each; grey outside.
        found: the search for the joint.
        opposite: the search for the same joint on the other side of the body, which the gate reads, too; ``None`` if
            there is none.
    """

    frame: int
    previous: int
    crop: np.ndarray
    peak: tuple[int, int]
    patch: np.ndarray
    found: JointSearch
    opposite: JointSearch | None


@checked
def joint_matching(trace: Trace, t: int, joint: str | int) -> JointMatch:
    """Compute how kernels made at the joints found ``joint`` in frame ``t``.

    The first call encodes all frames from the last start of the model to ``t``, later calls for these frames at most 17
    in a run of up to 1,024 frames, 33 in one of twice that, and so on; two if they go on with the next frame.

    Raises:
        ConfigError: the model has no kernels made at the joints, the run has a feedback (which may have state), or
            there is no such joint.
        FrameIndexError: ``t`` is outside the trace, or its maps come from the initializer, not from matching: frame 0
            and frames with a re-initialisation.
    """
    _model_of(trace)
    j = trace.skeleton.index(joint)
    return search_joints(trace, t)[j]


@torch.inference_mode()
def search_joints(trace: Trace, t: int) -> list[JointMatch]:
    """Compute :func:`joint_matching` of all joints, at the cost of one."""
    model, before = _model_of(trace), trace.previous(t)
    if before is None:
        raise FrameIndexError(
            f"expected a frame whose maps come from matching, got {t}, whose maps are the pose initializer's; "
            f"choose another one, such as {t + 1}"
        )
    last = _undropped(trace, before)
    state = _states_of(trace).after(trace, last)
    features = _batch(trace.features(t), model)
    kernels = _batch(np.array(trace.kernels[before]), model)
    matched = model.locate(features, kernels)
    refined = model.refine(matched, features, DKDState(kernels, before, state))
    embedded, side = model.joint_matching.embed(features), model.joint_matching.side
    fast, slow = (respond(embedded, one)[0].cpu().numpy() for one in state)
    seen_fast, seen_slow = ((one[0].flatten(1).norm(dim=1) / (side * _MASS)).tolist() for one in state)
    maps, found_maps = (one[0].cpu().numpy() for one in (matched, refined))
    order = trace._readout_order()  # of the model's maps, which an intervention may have swapped
    searches = [
        JointSearch(name, fast[i], slow[i], seen_fast[i], seen_slow[i], maps[i], found_maps[i])
        for name, i in zip(trace.skeleton.joints, order, strict=True)
    ]
    crop, handed_on = trace.network_pixels(last), trace.handed_on(last)
    matches = []
    for j, i in enumerate(order):
        other = order.index(model.joint_matching.opposite[i])
        heatmap = handed_on[i] if (handed_on[i] > 0).any() else trace.heatmaps[last, i]
        y, x = divmod(int(np.argmax(heatmap)), heatmap.shape[-1])
        patch = cells_around(crop, (x, y), len(crop) // heatmap.shape[-1], side)
        matches.append(JointMatch(t, last, crop, (x, y), patch, searches[j], None if other == j else searches[other]))
    return matches


def cells_around(crop: np.ndarray, cell: tuple[int, int], pixels: int, side: int) -> np.ndarray:
    """Cut the cells around one out of a network's input.

    Args:
        crop: (N, N, 3) uint8.
        cell: x, y of the middle one.
        pixels: side of a cell in pixels.
        side: number of cells across; odd.

    Returns:
        (side · pixels, side · pixels, 3) uint8, grey outside the input.
    """
    x, y = cell
    reach = (side // 2) * pixels
    padded = np.pad(crop, ((reach, reach), (reach, reach), (0, 0)), constant_values=PADDING_GREY)
    return padded[y * pixels : (y + side) * pixels, x * pixels : (x + side) * pixels]


class _States:
    """Kernels of a trace that are kept: after the last frame that was asked for, and after frames at regular distances.

    The distance is :data:`KEPT_EVERY` frames. It doubles when more than :data:`KEPT` are kept.
    """

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self._every = KEPT_EVERY
        self._kept: dict[int, _State] = {}
        self._last: tuple[int, _State] | None = None

    def after(self, trace: Trace, t: int) -> _State:
        """Compute the kernels that frame t passes on."""
        with self._busy:
            way: list[int] = []  # the frames to go through, the last one first
            state, at = None, t
            while (state := self._known(at)) is None:
                way.append(at)
                before = trace.previous(at)
                if before is None:
                    break
                at = _undropped(trace, before)
            for at in reversed(way):
                state = _follow(trace, at, state)
                self._keep(at, state, trace.origin)
            assert state is not None
            self._last = t, state
            return state

    def _keep(self, t: int, state: _State, origin: int) -> None:
        if (t - origin) % self._every == 0:
            self._kept[t] = state
        if len(self._kept) > KEPT:
            self._every *= 2
            self._kept = {at: one for at, one in self._kept.items() if (at - origin) % self._every == 0}

    def _known(self, t: int) -> _State | None:
        return self._last[1] if self._last is not None and self._last[0] == t else self._kept.get(t)


_states: WeakKeyDictionary[Trace, _States] = WeakKeyDictionary()
_lock = threading.Lock()


def _states_of(trace: Trace) -> _States:
    with _lock:
        return _states.setdefault(trace, _States())


def _follow(trace: Trace, t: int, before: _State | None) -> _State:
    """Compute the kernels that frame t passes on from those that it got; ``None``: the model was started in it."""
    model = _model_of(trace)
    maps = _batch(trace.handed_on(t), model)
    made = model.cut(_batch(trace.features(t), model), maps)
    if before is None:
        return made, made
    return model.keep_joint_kernels(before, made)


def _undropped(trace: Trace, t: int) -> int:
    """Return frame t, or the nearest one in the run's past that was not dropped."""
    step = -1 if t > trace.origin else 1
    while t in trace.dropped:
        t += step
    return t


def _model_of(trace: Trace) -> DKD:
    """Return the model after checking that its kernels can be computed again."""
    model = trace.model
    if not isinstance(model, DKD) or not model.matches_joints:
        raise ConfigError(
            f"expected a trace of a DKD with kernels made at the joints, got one of {trace.model_name}, which has none"
        )
    if trace.conditions.feedback is not None:
        raise ConfigError("expected a run without a feedback: it may have state, so kernels cannot be computed again")
    return model


def _batch(array: np.ndarray, model: DKD) -> Tensor:
    return torch.from_numpy(array).to(model.device)[None]
