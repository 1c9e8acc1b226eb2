"""Diagnosis of a track: lanes against loops, moments of known events, ranges, and a real model with a covered input."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dkd import Trace, build_model, load_model
from dkd.analysis.diagnosis import LANES, REASONS, Diagnosis, check_comparable, diagnose, statistics
from dkd.analysis.lanes import box_sides, flips, jumps, swapped
from dkd.analysis.moments import GAP, Moments, worst
from dkd.analysis.severity import CONFIDENCE_SPREAD, DRIFT_LIMIT, FLIP_LIMIT, JUMP_LIMIT, SPREADS
from dkd.errors import ConfigError, FrameIndexError, ShapeError, StorageError
from dkd.models.discriminator import TemporalDiscriminator
from dkd.pose.crops import Crop, joints_to_box
from dkd.pose.skeleton import get_skeleton
from dkd.tracking.conditions import Conditions
from dkd.training.run import Run
from dkd.video.clip import Clip
from dkd.video.samples import get_sample
from tests.support.fake_trace import FakeClip, FakeTrace

SKELETON = get_skeleton("penn_action")
MIRROR = SKELETON.flip_permutation
HEIGHT = 160.0  # pixels of the person's box, its larger side
POSE = np.array(
    [
        (150, 45), (170, 75), (130, 75), (185, 105), (115, 105), (195, 135), (105, 135), (163, 130), (137, 130),
        (165, 165), (135, 165), (167, 205), (133, 205),
    ],
    np.float32,
)  # fmt: skip


class SteadyTrace(FakeTrace):
    """A person who glides to the right with the crop, with high confidence and constant kernels."""

    def __init__(self, n_frames: int = 60, truth: bool = True, score: float = 0.9, **more: Any):
        super().__init__(n_frames, truth=truth, **{"channels": 2, "cells": 16, **more})
        glide = 0.25 * np.arange(n_frames, dtype=np.float32)
        self.joints = POSE + np.stack([glide, 0 * glide], -1)[:, None]
        self.ground_truth = self.joints.copy() if truth else None
        self.scores = np.full(self.joints.shape[:2], score, np.float32)
        self.confidence = self.scores
        self.kernels = np.repeat(self.kernels[:1], n_frames, 0)

    def shift(self, joint: str, frames: slice, x: float) -> SteadyTrace:
        """Move a joint by a share of the box."""
        self.joints[frames, SKELETON.index(joint), 0] += np.float32(x * HEIGHT)
        return self

    def exchange(self, left: str, frames: slice) -> SteadyTrace:
        """Swap a joint and its mirrored joint."""
        j = SKELETON.index(left)
        self.joints[frames, [j, MIRROR[j]]] = self.joints[frames, [MIRROR[j], j]]
        return self

    def dip(self, joint: str, frames: Any, score: float) -> SteadyTrace:
        """Lower a joint's score."""
        self.scores[frames, SKELETON.index(joint)] = score
        return self


def broken_trace(name: str = "first", **more: Any) -> SteadyTrace:
    """Make a trace with one event of every kind, each at a different time."""
    trace = SteadyTrace(60, **more)
    trace.model_name = name
    trace.shift("right_wrist", slice(30, 31), 0.3).exchange("left_ankle", slice(20, 25))
    trace.dip("head", slice(40, 44), 0.3)
    trace.kernels[50:] *= -1
    return trace


def better_trace(**more: Any) -> SteadyTrace:
    """Make a trace of another model on the same clip, with the same flip and a different dip."""
    trace = SteadyTrace(60, **more)
    trace.model_name = "second"
    return trace.exchange("left_ankle", slice(20, 23)).dip("left_knee", slice(10, 12), 0.45)


def only(moments: Moments, reason: str) -> Any:
    found = [m for m in moments if m.reason == reason]
    assert len(found) == 1, found
    return found[0]


# ---- events with a closed form


def test_a_steady_track_has_no_moments() -> None:
    diagnosis = diagnose(SteadyTrace())
    assert worst(diagnosis, n=None) == ()
    assert worst(diagnose(SteadyTrace(truth=False)), n=None) == ()
    np.testing.assert_allclose(diagnosis.side, HEIGHT)
    np.testing.assert_allclose(diagnosis.lanes["speed"][1:], 0.25 / HEIGHT, rtol=1e-3)
    assert np.isnan(diagnosis.lanes["speed"][0]).all()


@pytest.mark.parametrize("lasts", [slice(30, 31), slice(30, None)])
def test_a_jump_is_as_far_as_the_joint_is_displaced(lasts: slice) -> None:
    diagnosis = diagnose(SteadyTrace(truth=False).shift("right_wrist", lasts, -0.3))
    moment = only(worst(diagnosis), "jump")
    returns = lasts.stop is not None
    assert (moment.joint, moment.frame, moment.first, moment.last) == ("right_wrist", 30, 30, 30 + returns)
    assert moment.severity == pytest.approx(0.3 / JUMP_LIMIT, rel=1e-3)
    assert moment.text == "right_wrist jumps 0.3 of the box in one frame; its median step is 0.0016"
    with_truth = diagnose(SteadyTrace().shift("right_wrist", lasts, -0.3))
    assert only(worst(with_truth), "jump").text == f"{moment.text}, the true one here 0.0016"


def test_fast_but_even_motion_is_no_jump() -> None:
    trace = SteadyTrace(truth=False)
    wrist = SKELETON.index("left_wrist")
    trace.joints[:, wrist, 1] += 0.2 * HEIGHT * np.arange(60)
    trace.joints[:, 0, 1] += 0.001 * HEIGHT * np.arange(60) ** 2  # and one that gets faster and faster
    assert [m for m in worst(diagnose(trace, side=np.full(60, HEIGHT)), n=None) if m.reason == "jump"] == []


@pytest.mark.parametrize("x", [-0.3, 0.3])
@pytest.mark.parametrize("frames", [slice(1, None), slice(2, None), slice(58, None), slice(58, 59), slice(59, None)])
def test_a_jump_next_to_an_end_is_charged_to_its_own_frame(frames: slice, x: float) -> None:
    """Not to the step after it, which is only different because it is short again."""
    moment = only(worst(diagnose(SteadyTrace(truth=False).shift("right_wrist", frames, x))), "jump")
    assert (moment.joint, moment.frame) == ("right_wrist", frames.start)
    assert moment.severity == pytest.approx(0.3 / JUMP_LIMIT, rel=0.02)
    assert moment.text.startswith("right_wrist jumps 0.3 of the box in one frame")


def test_the_limit_of_a_restless_joint_is_its_own() -> None:
    trace = SteadyTrace(truth=False)
    noise = np.random.default_rng(1).normal(0, 0.02 * HEIGHT, (60, 2))
    trace.joints[:, 6] += noise.astype(np.float32)
    trace.shift("right_wrist", slice(33, 34), 0.9)
    diagnosis = diagnose(trace)
    measure = jumps(diagnosis.lanes["acceleration"], diagnosis.lanes["speed"])[1:, 6]
    spread = 1.4826 * np.median(np.abs(measure - np.median(measure)))
    own = np.median(measure) + SPREADS * spread
    assert own > JUMP_LIMIT
    assert only(worst(diagnosis), "jump").severity == pytest.approx(measure.max() / own)


@pytest.mark.parametrize("truth", [True, False])
@pytest.mark.parametrize("frames", [slice(20, 25), slice(20, 21), slice(2, 55)])
def test_a_flip_lasts_until_the_sides_change_back(truth: bool, frames: slice) -> None:
    diagnosis = diagnose(SteadyTrace(truth=truth).exchange("left_ankle", frames))
    moment = only(worst(diagnosis), "flip")
    apart = (167 - 133) / HEIGHT
    slack = 0.0 if truth else 0.25 / HEIGHT  # while the person glides, exchanged tracks move, too
    assert (moment.joint, moment.first, moment.last) == ("left_ankle", frames.start, frames.stop - 1)
    assert moment.severity == pytest.approx(apart / FLIP_LIMIT, abs=2 * slack / FLIP_LIMIT + 1e-3)
    assert moment.text.startswith("left_ankle and right_ankle " + ("are swapped" if truth else "swap places"))
    other_side = only(worst(diagnosis, "right_ankle"), "flip")
    assert (other_side.joint, other_side.first, other_side.last) == ("right_ankle", moment.first, moment.last)
    lane = diagnosis.lanes["flip"]
    at = [t for t in (frames.start, frames.stop) if t < 60]
    assert np.flatnonzero(lane[:, 11] > 0).tolist() == at
    assert np.nansum(lane) == pytest.approx(np.nansum(lane[at][:, [11, 12]]))
    assert np.isnan(lane[:, 0]).all()  # the head has no other side


def test_legs_that_cross_are_no_flip() -> None:
    trace = SteadyTrace(truth=False)
    swing = 30 * np.cos(np.arange(60) / 4).astype(np.float32)
    trace.joints[:, 11, 0], trace.joints[:, 12, 0] = 150 + swing, 150 - swing
    assert [m for m in worst(diagnose(trace), n=None) if m.reason == "flip"] == []


def test_a_dip_of_the_score() -> None:
    moment = only(worst(diagnose(SteadyTrace().dip("head", slice(40, 44), 0.3))), "low score")
    limit = 0.9 - SPREADS * CONFIDENCE_SPREAD
    assert (moment.joint, moment.frame, moment.first, moment.last) == ("head", 40, 40, 43)
    assert moment.severity == pytest.approx(limit / 0.3)
    assert moment.text == "head has a score of 0.30; its median is 0.90, the limit 0.78"
    unsure = SteadyTrace(score=0.1)  # never sure: the limit of a lost track
    assert {(m.first, m.last) for m in worst(diagnose(unsure))} == {(0, 59)}


def test_confidence_counts_where_there_is_one() -> None:
    trace = SteadyTrace()
    trace.calibrated, trace.confidence = True, np.full((60, 13), 0.95, np.float32)
    trace.confidence[7, 3] = 0.5
    trace.dip("head", slice(40, 44), 0.3)
    diagnosis = diagnose(trace)
    assert "confidence" in diagnosis.lanes and "confidence" not in diagnosis.missing
    moment = only(worst(diagnosis), "low score")
    assert (moment.joint, moment.frame) == ("left_elbow", 7) and "confidence of 0.50" in moment.text


def test_misses_are_those_of_pck() -> None:
    trace = SteadyTrace()
    wrist = SKELETON.index("left_wrist")
    trace.joints[10:16, wrist, 0] += 0.3 * HEIGHT
    assert trace.ground_truth is not None
    trace.ground_truth[13, wrist] = np.nan  # one frame is not labelled: the same event
    diagnosis = diagnose(trace)
    moment = only(worst(diagnosis), "miss")
    assert (moment.joint, moment.first, moment.last) == ("left_wrist", 10, 15)
    assert moment.severity == pytest.approx(3, rel=1e-3)
    assert moment.text == "left_wrist is 0.3 of the box from the ground truth; up to 0.1 it counts as found"
    assert [m for m in worst(diagnose(trace, alpha=0.31)) if m.reason == "miss"] == []


def test_out_of_the_crop() -> None:
    trace = SteadyTrace()
    crop = trace.crops[12]
    cell = crop.side / trace.heatmaps.shape[-1]
    assert trace.ground_truth is not None
    trace.joints[12, 3, 0] = crop.left + 0.25 * cell - 0.5  # a quarter of a cell inside
    trace.ground_truth[30, 4, 0] = trace.crops[30].left + crop.side + 0.2 * HEIGHT - 0.5
    found = [m for m in worst(diagnose(trace, side=np.full(60, HEIGHT)), n=None) if m.reason == "out of crop"]
    assert [(m.joint, m.first, m.last) for m in found] == [("right_elbow", 30, 30), ("left_elbow", 12, 12)]
    assert [m.severity for m in found] == pytest.approx([2 + 0.2 / 0.1, 2 - 0.25], abs=1e-3)
    assert [m.text.split(" is ")[1].split(" ", 1)[0] for m in found] == ["0.2", "0.25"]


def test_kernels_that_turn_are_a_drift_of_all_joints() -> None:
    trace = SteadyTrace()
    trace.kernels[25:] *= -1
    diagnosis = diagnose(trace)
    for joint in (None, "left_knee"):
        moment = only(worst(diagnosis, joint), "drift")
        assert (moment.joint, moment.first, moment.last) == (None, 25, 25)
        assert moment.severity == pytest.approx(2 / DRIFT_LIMIT, rel=1e-4)
    assert np.isnan(diagnosis.lanes["kernel_drift"][0])


def test_a_reinitialisation_is_named_where_it_explains() -> None:
    trace = SteadyTrace().shift("right_wrist", slice(30, 31), 0.3)
    assert "re-initialised" not in only(worst(diagnose(trace)), "jump").text
    trace.from_initializer = lambda t: t in (0, 30)  # type: ignore[method-assign]
    diagnosis = diagnose(trace)
    assert diagnosis.started == (0, 30)
    assert only(worst(diagnosis), "jump").text.endswith("; the lost track was re-initialised here")


# ---- what is missing


def test_lanes_that_are_missing_say_why() -> None:
    diagnosis = diagnose(SteadyTrace(truth=False, channels=0))
    assert set(diagnosis.lanes) == {"score", "speed", "acceleration", "flip", "border"}
    assert set(diagnosis.lanes) | set(diagnosis.missing) == set(LANES)
    assert "no kernels" in diagnosis.missing["kernel_drift"]
    assert "run.discriminator()" in diagnosis.missing["reconstruction"]
    assert "no ground truth" in diagnosis.missing["error"]
    assert "calibration" in diagnosis.missing["confidence"]


@pytest.mark.parametrize("n_frames", [1, 2, 3])
def test_very_short_clips(n_frames: int) -> None:
    diagnosis = diagnose(SteadyTrace(n_frames))
    assert worst(diagnosis) == () and len(diagnosis) == n_frames
    assert statistics(diagnosis, 0, n_frames - 1).loc["speed", "n"] == 13 * (n_frames - 1)


def test_errors_are_typed_and_say_what_to_do() -> None:
    diagnosis = diagnose(broken_trace())
    with pytest.raises(ConfigError, match="left_wrist"):
        worst(diagnosis, "left_wirst")
    with pytest.raises(ConfigError, match="did you mean 'flip'"):
        worst(diagnosis, reason="flips")
    with pytest.raises(ConfigError, match="n ≥ 0"):
        worst(diagnosis, n=-1)
    with pytest.raises(ConfigError, match="alpha > 0"):
        diagnose(broken_trace(), alpha=0)
    with pytest.raises(ShapeError, match="60 frames"):
        diagnose(broken_trace(), side=np.ones(3))
    for first, last in ((-1, 3), (5, 4), (0, 60)):
        with pytest.raises(FrameIndexError, match="last < 60"):
            statistics(diagnosis, first, last)
    with pytest.raises(ConfigError, match="same frames, got 60 and 59"):
        worst(diagnosis, other=diagnose(SteadyTrace(59)))
    other = copy.copy(better_trace())
    other.skeleton = get_skeleton("coco")
    with pytest.raises(ConfigError, match="same joints, got penn_action and coco"):
        check_comparable(broken_trace(), other)


# ---- lanes against plain loops


def tracks(n_frames: int = 9) -> st.SearchStrategy[np.ndarray]:
    numbers = st.floats(-100, 100, allow_nan=False, width=32)
    return arrays(np.float64, (n_frames, len(SKELETON), 2), elements=numbers)


@given(tracks())
def test_flips_and_jumps_are_what_loops_give(x: np.ndarray) -> None:
    side = np.linspace(50, 80, len(x))
    acceleration = np.full(x.shape[:2], np.nan)
    expected_flips, expected_jumps, speed = acceleration.copy(), acceleration.copy(), acceleration.copy()
    for j in range(x.shape[1]):
        for t in range(1, len(x) - 1):
            acceleration[t, j] = np.hypot(*(x[t + 1, j] - 2 * x[t, j] + x[t - 1, j]))
        for t in range(1, len(x)):
            speed[t, j] = np.hypot(*(x[t, j] - x[t - 1, j]))
        for t in range(1, len(x)):
            if t in (1, len(x) - 1):  # one neighbour: how much longer than it
                neighbour = 2 if t == 1 else t - 1
                expected_jumps[t, j] = max(speed[t, j] - speed[neighbour, j], 0)
            else:
                expected_jumps[t, j] = min(acceleration[t - 1, j], acceleration[t, j])
            m = MIRROR[j]
            if m != j:
                kept = np.hypot(*(x[t, j] - x[t - 1, j])) + np.hypot(*(x[t, m] - x[t - 1, m]))
                exchanged = np.hypot(*(x[t, m] - x[t - 1, j])) + np.hypot(*(x[t, j] - x[t - 1, m]))
                expected_flips[t, j] = max(0.0, kept / 2 - exchanged) / side[t]
    np.testing.assert_allclose(flips(x, SKELETON, side), expected_flips, atol=1e-9)
    np.testing.assert_allclose(jumps(acceleration, speed), expected_jumps)


@given(tracks(3), tracks(3))
def test_swapped_means_nearer_to_each_others_truth(x: np.ndarray, truth: np.ndarray) -> None:
    found = swapped(x, truth, SKELETON, np.full(3, 40.0))
    for t, j in np.ndindex(found.shape):
        m = MIRROR[j]
        if m == j:
            assert np.isnan(found[t, j])
            continue
        nearer = [np.hypot(*(x[t, a] - truth[t, a])) - np.hypot(*(x[t, a] - truth[t, b])) for a, b in ((j, m), (m, j))]
        assert found[t, j] == pytest.approx(max(0.0, min(nearer)) / 40, abs=1e-9)


def test_without_truth_the_box_is_the_median_of_the_time_around() -> None:
    trace = SteadyTrace(truth=False)
    trace.joints *= np.linspace(1, 1.5, 60, dtype=np.float32)[:, None, None]
    trace.joints[30, 0] = 5000  # an outlier does not rescale itself
    trace.joints[:3] = np.nan
    boxes = [joints_to_box(frame) for frame in trace.joints]
    sides = [np.nan if b is None else max(b[2] - b[0], b[3] - b[1]) for b in boxes]
    expected = [np.nanmedian(sides[max(0, t - 15) : t + 16]) for t in range(60)]
    np.testing.assert_allclose(box_sides(trace), expected)


@settings(max_examples=40)
@given(st.data())
def test_moments_cover_what_is_beyond_its_limit_and_nothing_overlaps(data: st.DataObject) -> None:
    trace = SteadyTrace(40, truth=data.draw(st.booleans()), channels=0)
    seed = data.draw(st.integers(0, 10**6))
    random = np.random.default_rng(seed)
    for _ in range(data.draw(st.integers(0, 12))):
        first, joint = int(random.integers(40)), SKELETON.joints[random.integers(13)]
        part = slice(first, first + int(random.integers(1, 5)))
        trace.shift(joint, part, float(random.normal(0, 0.3))).dip(joint, part, float(random.uniform(0, 0.9)))
    diagnosis = diagnose(trace)
    moments = worst(diagnosis, n=None)
    assert list(moments) == sorted(moments, key=lambda m: (-m.severity, m.frame))
    assert worst(diagnosis, n=3) == moments[:3]
    for reason in set(REASONS) - {"flip"}:
        names: tuple[str | None, ...] = (None,) if reason == "drift" else SKELETON.joints
        for name in names:
            spans = sorted((m.first, m.last) for m in moments if (m.reason, m.joint) == (reason, name))
            values = diagnosis.severities.get(reason, np.zeros((40, 13)))
            severity = values[:, 0 if name is None else SKELETON.index(name)]
            beyond = {int(t) for t in np.flatnonzero(severity >= 1)}
            assert beyond <= {t for a, b in spans for t in range(a, b + 1)}
            assert all({a, b} <= beyond for a, b in spans)
            assert all(c - b > GAP + 1 for (_, b), (c, _) in zip(spans, spans[1:], strict=False))
    for m in moments:
        assert m.first <= m.frame <= m.last and m.severity >= 1 and m.reason in REASONS
        if m.joint is not None:
            assert m in worst(diagnosis, m.joint, n=None, reason=m.reason)


@settings(max_examples=20)
@given(st.floats(0.2, 5))
def test_a_larger_picture_changes_nothing(scale: float) -> None:
    trace = broken_trace(truth=False, channels=0)
    before = worst(diagnose(trace), n=None, reason="jump")
    trace.joints = trace.joints * np.float32(scale)
    after = worst(diagnose(trace), n=None, reason="jump")
    told = [{(m.joint, m.first, m.last): m.severity for m in moments} for moments in (before, after)]
    assert told[0] == pytest.approx(told[1], rel=1e-3)


# ---- merging, ranking


@pytest.mark.parametrize(("second", "spans"), [(13, [(10, 13)]), (14, [(10, 10), (14, 14)])])
def test_neighbouring_frames_are_one_moment(second: int, spans: list) -> None:
    trace = SteadyTrace().dip("head", [10], 0.4).dip("head", [second], 0.3)
    moments = worst(diagnose(trace))
    assert sorted((m.first, m.last) for m in moments) == spans
    assert moments[0].frame == second


def test_every_event_is_found_and_ranked() -> None:
    diagnosis = diagnose(broken_trace())
    moments = worst(diagnosis)
    assert [m.severity for m in moments] == sorted((m.severity for m in moments), reverse=True)
    told = {(m.reason, m.joint): (m.first, m.last) for m in moments}
    assert told["drift", None] == (50, 50)
    assert told["jump", "right_wrist"] == (30, 31)
    assert told["flip", "left_ankle"] == (20, 24)
    assert told["low score", "head"] == (40, 43)
    assert told["miss", "right_wrist"] == (30, 30)
    assert {m.joint for m in worst(diagnosis, "head")} == {"head", None}
    assert {m.reason for m in worst(diagnosis, reason="flip")} == {"flip"}
    assert len(worst(diagnosis, n=2)) == 2 and worst(diagnosis, n=0) == ()


def test_of_equals_the_earlier_one_comes_first() -> None:
    trace = SteadyTrace().dip("head", [30], 0.3).dip("left_hip", [10], 0.3).dip("head", [50], 0.3)
    assert [m.frame for m in worst(diagnose(trace))] == [10, 30, 50]


def test_two_traces_say_in_which_it_happens() -> None:
    a, b = diagnose(broken_trace()), diagnose(better_trace())
    moments = worst(a, n=None, other=b)
    drift, flip = only(moments, "drift"), only(moments, "flip")
    assert (drift.which, drift.model) == (0, "first") and drift.other == pytest.approx(0, abs=1e-3)
    assert (flip.which, flip.first, flip.last) == (0, 20, 24)  # of both, told once
    assert flip.other is not None and flip.other > 1
    knee = next(m for m in moments if m.reason == "low score" and m.joint == "left_knee")
    assert (knee.which, knee.model, knee.first, knee.last) == (1, "second", 10, 11) and knee.other == 0
    assert all(m.other is None for m in worst(a))
    uneven = [m for m in moments if m.other is not None and abs(m.other - m.severity) > 1e-6]
    mirrored = {(m.reason, m.joint, m.first, 1 - m.which) for m in worst(b, n=None, other=a)}
    assert {(m.reason, m.joint, m.first, m.which) for m in uneven} <= mirrored


# ---- ranges and files


@pytest.mark.parametrize("joint", [None, "right_wrist", "head"])
def test_statistics_are_those_of_loops(joint: str | None) -> None:
    diagnosis = diagnose(broken_trace())
    table = statistics(diagnosis, 18, 33, joint)
    joints = range(13) if joint is None else [SKELETON.index(joint)]
    for name, lane in diagnosis.lanes.items():
        values = []
        for t in range(18, 34):
            for j in joints if lane.ndim > 1 else [()]:
                value = float(lane[t, j] if lane.ndim > 1 else lane[t])
                if not np.isnan(value):
                    values.append(value)
        assert table.loc[name, "n"] == len(values)
        if values:
            expected = [sum(values) / len(values), float(np.median(values)), min(values), max(values)]
            assert table.loc[name, ["mean", "median", "min", "max"]].tolist() == pytest.approx(expected)
    hits = sum(diagnosis.lanes["error"][t, j] <= 0.1 for t in range(18, 34) for j in joints)
    assert table.loc["PCK@0.1", "mean"] == pytest.approx(hits / (16 * len(joints)))
    assert table.loc["PCK@0.1", "n"] == 16 * len(joints)


def test_tables_and_files(tmp_path: Path) -> None:
    diagnosis = diagnose(broken_trace())
    moments = worst(diagnosis, other=diagnose(better_trace(channels=0)))
    table = moments.to_frame()
    assert table["severity"].tolist() == [m.severity for m in moments]
    moments.save(tmp_path / "new" / "moments.csv")
    moments.save(tmp_path / "moments.json")
    read = pd.read_csv(tmp_path / "new" / "moments.csv")
    pd.testing.assert_frame_equal(read[["frame", "text"]], table[["frame", "text"]], check_dtype=False)
    rows = json.loads((tmp_path / "moments.json").read_text())
    drift = next(r for r in rows if r["reason"] == "drift")
    assert drift["joint"] is None and drift["other"] is None  # B has no kernels: not measured
    assert [r["text"] for r in rows] == [m.text for m in moments]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["moments.json", "new"]
    with pytest.raises(ConfigError, match=r"\.csv or \.json"):
        moments.save(tmp_path / "moments.xlsx")
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        moments.save(tmp_path / "file" / "moments.csv")
    assert list(pd.read_csv(io.StringIO(Moments().to_csv())).columns) == list(table.columns)
    tidy = diagnosis.to_frame()
    assert len(tidy) == 60 * 13
    row = tidy[(tidy.frame == 30) & (tidy.joint == "right_wrist")].iloc[0]
    assert row["error"] == diagnosis.lanes["error"][30, 6]
    assert row["kernel_drift"] == diagnosis.lanes["kernel_drift"][30]


# ---- the discriminator


class Clouds(FakeClip):
    """Soft random pictures, different in each frame, or the same in all."""

    still = False

    def frame(self, i: int) -> np.ndarray:
        small = np.random.default_rng(0 if self.still else i).integers(0, 256, (12, 16, 3)).astype(np.uint8)
        return cv2.resize(small, (self.width, self.height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def clouds() -> Trace:
    torch.manual_seed(0)
    model = build_model("simple-baseline-tiny", input_size=128)
    return Trace(model, Clouds(5), box=(60, 20, 200, 220), progress=False)


def test_the_discriminators_error_has_the_scale_of_training(clouds: Trace) -> None:
    """A discriminator that outputs 0 for changes of unit scale has an error of 1, a perfect one of 0."""
    silent = diagnose(clouds, discriminator=lambda d, pairs: torch.zeros_like(d)).lanes["reconstruction"]
    assert np.isnan(silent[0]).all() and np.nanmean(silent) == pytest.approx(1, rel=1e-4)
    perfect = diagnose(clouds, discriminator=lambda d, pairs: d).lanes["reconstruction"]
    assert np.nansum(perfect) == 0 and np.isfinite(perfect[1:]).all()


def test_the_discriminator_sees_both_frames_in_the_square_of_the_later_one(clouds: Trace) -> None:
    """For a motionless picture and a moving crop, it gets the same picture twice."""
    clouds.clip.still = True  # type: ignore[attr-defined]
    clouds.crops[:] = [Crop(5 + 12 * t, -5 + 6 * t, 250 - 8 * t) for t in range(5)]
    pairs: list[torch.Tensor] = []

    def note(d: torch.Tensor, pair: torch.Tensor) -> torch.Tensor:
        pairs.append(pair)
        return d

    diagnose(clouds, discriminator=note)
    size = clouds.heatmaps.shape[-1]
    assert [tuple(pair.shape) for pair in pairs] == [(1, 6, size, size)] * 4
    for before, after in zip(pairs, pairs[1:], strict=False):
        inner = after[0, :, 2:-2, 2:-2]
        apart = (inner[:3] - inner[3:]).abs().mean()
        unmoved = (before[0, 3:, 2:-2, 2:-2] - inner[3:]).abs().mean()  # the two squares as they were
        assert apart < 0.05 and unmoved > 5 * apart


def test_a_runs_discriminator_is_found_in_its_state(tmp_path: Path) -> None:
    made = TemporalDiscriminator(13, 8).eval()
    run = Run(tmp_path / "run")
    assert run.discriminator() is None
    run.folder.mkdir(parents=True, exist_ok=True)
    run.save_state(3, {"model.x": torch.zeros(1), "k": torch.zeros(())})
    assert run.discriminator() is None
    tensors = {f"adversary.{k}": v for k, v in made.state_dict().items()}
    run.save_state(4, {**tensors, "adversary_optimiser.0.step": torch.zeros(1)})
    found = run.discriminator()
    assert found is not None
    d, pairs = torch.randn(1, 13, 16, 16), torch.randn(1, 6, 16, 16)
    torch.testing.assert_close(found(d, pairs), made(d, pairs))


# ---- a real model that loses a real track


@pytest.fixture(scope="module")
def blinded() -> Trace:
    """Run the shipped model on the sample clip, with a covered input in frames 30 to 40."""

    def blind(image: np.ndarray, t: int) -> np.ndarray:
        return np.full_like(image, 128) if 30 <= t <= 40 else image

    sample = get_sample("rendered_walk")
    model = load_model("dkd-mobilenetv2")
    return Trace(
        model, Clip(sample.path), None, Conditions(corrupt=blind), ground_truth=sample.joints(), stop=44, progress=False
    )


@pytest.mark.parametrize("truth", [True, False])
def test_the_time_of_a_corruption_is_among_the_first_moments(blinded: Trace, truth: bool) -> None:
    trace = copy.copy(blinded)
    if not truth:
        trace._ground_truth = None
    diagnosis: Diagnosis = diagnose(trace)
    first = worst(diagnosis, n=5)
    assert all(29 <= m.frame <= 43 for m in first), [m.text for m in first]
    assert any(m.first in (30, 31) for m in first)
    assert any(m.reason == "low score" and m.first in (30, 31) for m in worst(diagnosis, n=20))
    assert trace.calibrated and "confidence" in diagnosis.lanes
    if truth:
        blind, before = (statistics(diagnosis, *frames).loc["PCK@0.1", "mean"] for frames in ((30, 43), (0, 29)))
        assert blind < before
