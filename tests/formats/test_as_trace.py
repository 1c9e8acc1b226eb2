"""A track of another tool as a trace: lined up with a clip, and its worst moments, without a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dkd import PoseTrack, as_trace, diagnose, export, load_poses, worst
from dkd.errors import ConfigError, FrameIndexError
from dkd.pose.skeleton import SKELETONS, Skeleton
from dkd.tracking.protocols import TraceLike
from dkd.video.ranges import ClipRange
from tests.support.fake_trace import FakeClip, FakeTrace
from tests.support.tracks import make_track, same
from widgets import CoherenceDebugger
from widgets.core.wire import render_header, render_records

PENN = SKELETONS["penn_action"]


def steady(n: int = 60, scale: float = 100) -> PoseTrack:
    """A person who moves evenly, every joint at a place of its own."""
    places = np.array([[i % 4, i // 4] for i in range(13)], float) * scale / 4 + 50
    xy = places + np.arange(n)[:, None, None] * np.array([1.0, 0.5])
    frames = np.arange(n)
    return PoseTrack(xy[:, None], np.full((n, 1, 13), 0.9), PENN, frames, frames / 30, fps=30, size=(320, 240))


def changed(track: PoseTrack, frames: Any, joint: Any, by: Any) -> PoseTrack:
    xy = track.xy.copy()
    xy[frames, 0, joint] += by
    return replace(track, xy=xy)


def test_a_steady_track_has_no_moments_and_lanes_say_what_they_need() -> None:
    found = diagnose(as_trace(steady()))
    assert len(worst(found)) == 0
    assert {"border", "kernel_drift", "confidence"} <= found.missing.keys()
    assert {"speed", "acceleration", "flip", "score"} <= found.lanes.keys()


def test_a_jump_of_another_tools_track_is_the_worst_moment() -> None:
    track = changed(steady(), 30, PENN.index("left_wrist"), (40, 0))
    (moment, *_) = worst(diagnose(as_trace(track)))
    assert (moment.reason, moment.frame, moment.joint) == ("jump", 30, "left_wrist")


@pytest.mark.parametrize("spelling", ["{side}_{part}", "{part}-{short}", "{short}{Part}"])
def test_swapped_sides_are_found_however_they_are_spelt(spelling: str) -> None:
    track = steady()
    at = [PENN.index(joint) for joint in ("left_knee", "right_knee")]
    xy = track.xy.copy()
    xy[20:25, 0, at] = track.xy[20:25, 0, at[::-1]]

    def spelt(joint: str) -> str:
        side, _, part = joint.partition("_")
        return spelling.format(side=side, part=part, short=side[0].upper(), Part=part.title()) if part else joint

    theirs = Skeleton("theirs", tuple(spelt(joint) for joint in PENN.joints), ())
    moments = worst(diagnose(as_trace(replace(track, xy=xy, skeleton=theirs))), reason="flip")
    assert [(m.first, m.last, m.joint) for m in moments] == [(20, 24, "left_knee")]


def test_a_low_score_is_a_moment() -> None:
    track = steady()
    scores = track.scores.copy()
    scores[40:43, 0, 5] = 0.05
    moments = worst(diagnose(as_trace(replace(track, scores=scores))))
    assert [(m.first, m.last, m.reason) for m in moments] == [(40, 42, "low score")]


def test_gaps_and_unknown_scores_are_no_moments() -> None:
    track = replace(changed(steady(), slice(20, 30), slice(None), np.nan), scores=np.full((60, 1, 13), np.nan))
    assert len(worst(diagnose(as_trace(track)))) == 0


def test_frames_are_those_of_the_clip() -> None:
    track = replace(steady(20), frames=10 + np.arange(20), times=(10 + np.arange(20)) / 30)
    clip: Any = FakeClip(40)
    whole, part = as_trace(track, clip), as_trace(track, ClipRange(clip, 15, 35))
    assert len(whole) == 40 and np.isnan(whole.joints[:10]).all() and np.isnan(whole.joints[30:]).all()
    assert same(track.xy[:, 0].astype(np.float32), whole.joints[10:30])
    assert len(part) == 20 and same(whole.joints[15:35], part.joints) and same(part.clip.times, part.times)
    alone = as_trace(track)
    assert len(alone) == 20 and alone.picture(3).shape == (240, 320, 3) and alone.times[0] == 0
    with pytest.raises(FrameIndexError):
        alone.picture(20)


def test_on_a_trace_it_has_its_frames_and_joints() -> None:
    trace: Any = FakeTrace(25)
    mixed = np.random.default_rng(0).permutation(13)
    track = steady(40)
    theirs = Skeleton("theirs", tuple(PENN.joints[i].upper() for i in mixed), ())
    other = as_trace(replace(track, xy=track.xy[:, :, mixed], skeleton=theirs), trace)
    assert len(other) == 25 and other.skeleton.joints == trace.skeleton.joints
    assert same(track.xy[:25, 0].astype(np.float32), other.joints)


def test_people_are_chosen_by_name() -> None:
    track = make_track(1, 5, 3, PENN, 30)
    with pytest.raises(ConfigError, match="mouse 2"):
        as_trace(track)
    with pytest.raises(ConfigError, match="did you mean 'mouse 1'"):
        as_trace(track, person="mouse1")
    assert same(track.xy[:, 2], as_trace(track, person="mouse 2").joints)


def test_it_has_all_that_views_need() -> None:
    trace: TraceLike = as_trace(changed(steady(), 7, slice(None), np.nan))
    kind, buffers = render_header(trace, 1)
    assert kind["channels"] == 0 and kind["map"] == [1, 1] and kind["truth_kind"] == ""
    content, _ = render_records(trace, [0, 7], 1)
    assert [record["previous"] for record in content["records"]] == [None, None]


def test_the_debugger_takes_tracks_first_and_second(tmp_path: Path) -> None:
    trace: Any = FakeTrace(30, truth=False)
    track = changed(steady(30), 12, 4, (60, 0))
    path = export(track, tmp_path / "theirs.h5").path
    with_trace = CoherenceDebugger(trace, load_poses(path))
    alone = CoherenceDebugger(load_poses(path), video=FakeClip(30))
    assert alone.trace.clip.width == 320 and alone.moments()[0].frame == 12
    assert any(m.which == 1 and m.frame == 12 and m.model == "dkd" for m in with_trace.moments(n=None))
    with pytest.raises(TypeError, match="video"):
        CoherenceDebugger(trace, vidoe=1)
    for view in (alone, with_trace):
        view.close()


def test_a_track_is_ground_truth() -> None:
    """The array that a trace takes: one row per frame of the clip, joints by name."""
    truth = as_trace(steady(30), FakeClip(30), skeleton="penn_action").joints
    assert truth.shape == (30, 13, 2) and np.isfinite(truth).all()
