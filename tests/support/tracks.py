"""Random pose tracks for the tests of formats, and what a format must give back of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from dkd.formats.track import PoseTrack
from dkd.pose.skeleton import SKELETONS, Skeleton

RATES: tuple[float | None, ...] = (30.0, 30000 / 1001, 60000 / 1001, 25.0, None)  # None: a variable rate


def make_track(
    seed: int,
    n: int,
    people: int,
    skeleton: Skeleton,
    fps: float | None,
    first: int = 0,
    *,
    gaps: bool = True,
    single: bool = True,
    scored: bool = True,
    holes: bool = False,
    unscored: bool = False,
) -> PoseTrack:
    """Make a track of ``n`` frames from frame ``first`` on.

    Args:
        seed, n, people, skeleton, fps, first: what it has; with ``fps`` ``None``, steps of time vary.
        gaps: leave out single joints, whole people for a while, and everybody in the second frame.
        single: float32, as traces have it; else float64.
        scored: whether scores are known, also of missing joints.
        holes: leave frames of the video out, up to three between two that are there.
        unscored: some of the scores are unknown, also of joints that were found.
    """
    rng = np.random.default_rng(seed)
    kind = np.float32 if single else np.float64
    shape = n, people, len(skeleton)
    xy = rng.uniform(-20, 1300, (*shape, 2)).astype(kind)
    scores = rng.uniform(0.01, 1, shape).astype(kind) if scored else np.full(shape, np.nan, kind)
    if gaps:
        xy[rng.random(shape) < 0.1] = np.nan
        xy[n // 3 : n // 2, people - 1] = np.nan
        xy[1:2] = np.nan
    frames = first + (np.cumsum(rng.integers(1, 5, n)) - 1 if holes else np.arange(n))
    if unscored:
        scores[rng.random(shape) < 0.2] = np.nan
    times = frames / fps if fps else first / 30 + np.cumsum(rng.uniform(0.02, 0.05, n))
    names = ("person",) if people == 1 else tuple(f"mouse {i}" for i in range(people))
    return PoseTrack(
        xy, scores, skeleton, frames, times, names, fps, (1280, 720), "clips/anna.mp4", "dkd-mobilenetv2",
        rng.random(shape).astype(np.float32) if scored and seed % 2 else None,
    )  # fmt: skip


@st.composite
def tracks(draw: st.DrawFn) -> PoseTrack:
    """1 to 4 people, 13 or 15 joints, gaps, usual and variable rates, from frame 0 or 10 s on, frames left out."""
    fps = draw(st.sampled_from(RATES))
    track = make_track(
        draw(st.integers(0, 2**31)), draw(st.sampled_from((1, 2, 3, 7, 20))), draw(st.integers(1, 4)),
        SKELETONS[draw(st.sampled_from(("penn_action", "sub_jhmdb")))], fps,
        draw(st.sampled_from((0, round(10 * (fps or 30))))), gaps=draw(st.booleans()), single=draw(st.booleans()),
        scored=draw(st.booleans()), holes=draw(st.booleans()), unscored=draw(st.booleans()),
    )  # fmt: skip
    return replace(track, people=tuple(draw(st.permutations(track.people))))  # not from A to Z


def same(a: np.ndarray, b: np.ndarray, kind: np.dtype | type | None = None) -> bool:
    """Whether two arrays are equal to the last bit once they have the first one's type; NaN equals NaN."""
    return bool(np.array_equal(np.asarray(a), np.asarray(b).astype(kind or a.dtype), equal_nan=True))
