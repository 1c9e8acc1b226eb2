"""Random numbers in geometry and measures: right by a property, or refused with a typed error."""

from __future__ import annotations

import contextlib
import warnings
from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dkd.errors import DKDError
from dkd.measures.coherence import motion
from dkd.measures.metrics import pck
from dkd.pose.crops import Crop, box_to_crop, check_box, joints_to_box
from dkd.pose.heatmaps import decode_peaks
from dkd.pose.smoothing import OneEuro

_any = st.floats(allow_subnormal=False)
_usual = st.floats(-1e5, 1e5).map(lambda value: round(value, 6))
_numbers = st.one_of(_usual, st.just(float("nan")))


@given(box=st.tuples(_any, _any, _any, _any), width=st.integers(1, 10**5), height=st.integers(1, 10**5))
def boxes(box: tuple[float, ...], width: int, height: int) -> None:
    with contextlib.suppress(DKDError), warnings.catch_warnings(action="error"):
        x0, y0, x1, y1 = check_box(box, width, height)
        assert x0 >= 0 and x1 <= width and y0 >= 0 and y1 <= height and min(x1 - x0, y1 - y0) >= 4
        crop = box_to_crop((x0, y0, x1, y1), 1.25)
        assert crop.side == 1.25 * max(x1 - x0, y1 - y0)


@given(
    left=_usual,
    top=_usual,
    side=st.floats(1e-3, 1e5),
    size=st.integers(1, 1024),
    points=arrays(float, (5, 2), elements=_usual),
)
def crops(left: float, top: float, side: float, size: int, points: np.ndarray) -> None:
    crop = Crop(left, top, side)
    back = crop.to_frame(crop.to_grid(points, size), size)
    np.testing.assert_allclose(back, points, atol=1e-6 * max(1, side))


@given(left=st.floats(-300, 300), top=st.floats(-300, 300), side=st.floats(0.5, 3000), size=st.integers(1, 64))
def cuts(left: float, top: float, side: float, size: int) -> None:
    """A grey frame on grey padding is grey wherever the square lies."""
    cut = Crop(left, top, side).extract(np.full((90, 120, 3), 128, np.uint8), size)
    assert cut.shape == (size, size, 3) and (cut == 128).all()


@given(
    maps=arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
        elements=st.floats(-1e6, 1e6, width=32),
    )
)
def peaks(maps: np.ndarray) -> None:
    found, scores = decode_peaks(torch.from_numpy(maps))
    for one, (x, y), score in zip(maps, found.numpy(), scores.numpy(), strict=True):
        assert score == one.max()
        near = [(c, r) for r, c in np.argwhere(one == one.max()) if abs(c - x) <= 0.5 and abs(r - y) <= 0.5]
        assert near, (x, y)


@given(joints=arrays(float, st.tuples(st.integers(0, 5), st.just(2)), elements=_numbers))
def joint_boxes(joints: np.ndarray) -> None:
    box = joints_to_box(joints)
    finite = joints[np.isfinite(joints).all(-1)]
    assert (box is None) == (len(finite) < 2)
    if box is not None:
        assert (finite >= box[:2]).all() and (finite <= box[2:]).all()


_tracks = st.integers(1, 6).flatmap(
    lambda t: st.tuples(
        *(arrays(float, (t, 3, 2), elements=_numbers) for _ in range(2)), arrays(float, t, elements=_numbers)
    )
)


@given(tracks=_tracks, alpha=st.floats(0, 2))
def measures(tracks: tuple[np.ndarray, ...], alpha: float) -> None:
    predicted, truth, length = tracks
    with warnings.catch_warnings(action="error"), contextlib.suppress(DKDError):
        share = pck(predicted, truth, length, alpha)
        for j in range(3):
            counted = [
                t
                for t in range(len(length))
                if np.isfinite(truth[t, j]).all() and length[t] > 0 and np.isfinite(length[t])
            ]
            hits = [
                t for t in counted if np.isfinite(predicted[t, j]).all()
                and np.hypot(*(predicted[t, j] - truth[t, j])) <= alpha * length[t]
            ]  # fmt: skip
            assert np.isnan(share[j]) if not counted else abs(share[j] - len(hits) / len(counted)) < 1e-12
        values = motion(predicted, truth, length)
        assert all(v.shape == predicted.shape[:2] and not np.isinf(v).any() and not (v < 0).any() for v in values)


@given(
    steps=st.lists(
        st.tuples(arrays(float, (2, 2), elements=_numbers), st.just(0.0) | st.floats(1e-6, 10)), min_size=1, max_size=6
    ),
    settings=st.tuples(st.floats(0.01, 100), st.floats(0, 100), st.floats(0.01, 100)),
)
def smoothers(steps: list[tuple[np.ndarray, float]], settings: tuple[float, float, float]) -> None:
    """What is smoothed lies between what was there before and what is there now."""
    smooth, now = OneEuro(*settings), 0.0
    low: Any = np.full((2, 2), np.inf)
    high: Any = -low
    for joints, step in steps:
        now += step
        found = smooth(joints, np.ones(2), now, 100.0)
        seen = np.isfinite(joints).all(-1)
        assert np.isfinite(found[seen]).all() and np.isnan(found[~seen]).all()
        low[seen], high[seen] = np.minimum(low, joints)[seen], np.maximum(high, joints)[seen]
        slack = 1e-6 * max(1.0, float(np.abs(joints[seen]).max(initial=0)))
        assert (found[seen] >= low[seen] - slack).all() and (found[seen] <= high[seen] + slack).all()


TARGETS = (boxes, crops, cuts, peaks, joint_boxes, measures, smoothers)
