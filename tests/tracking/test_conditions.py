"""The same conditions can be used for several runs, each with its own state; a tracker runs them frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dkd import Clip, Trace
from dkd.errors import ConfigError
from dkd.models import VideoPoseModel
from dkd.pose.smoothing import OneEuro
from dkd.tracking.conditions import Conditions
from dkd.tracking.feedback import erase, shuffle_in_time
from dkd.tracking.interventions import Darken, DropFrames, Restart
from dkd.tracking.perturbations import occlude
from dkd.tracking.reinitialise import Reinitialise
from dkd.tracking.tracker import Tracker
from dkd.video.images import ImageClip
from tests.evaluation.test_variants import BOX, varied
from tests.support.dotted_people import dotted_person

N = 10
ARRAYS = ("heatmaps", "kernels", "joints", "raw_joints", "scores", "confidence")
REMEMBERING = {
    "smoother": Conditions(smooth=OneEuro),
    "chosen peaks": Conditions(peaks="steady"),
    "feedback": Conditions(feedback=shuffle_in_time),
    "all": Conditions(
        feedback=lambda: shuffle_in_time(3),
        corrupt=occlude,
        smooth=lambda: OneEuro(min_cutoff=0.5),
        reinitialise=Reinitialise(threshold=1.0, patience=2, cooldown=2, gain=0.0, same_person=False),
        interventions=(Darken(range(4, 6), 0.5), DropFrames(range(6, 7)), Restart(range(8, 9))),
    ),
}


@pytest.fixture(scope="module")
def model() -> VideoPoseModel:
    return varied("dkd-tiny")


@pytest.fixture(scope="module")
def clip() -> ImageClip:
    return ImageClip(dotted_person(1, N).images, 10.0, "dots")


def assert_same(first: Trace, second: Trace) -> None:
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)
    assert first.crops == second.crops and first.reinitialised == second.reinitialised
    assert (first.dropped, first.extra_passes) == (second.dropped, second.extra_passes)


@pytest.mark.parametrize("conditions", REMEMBERING.values(), ids=REMEMBERING)
def test_every_run_has_its_own_memory(model: VideoPoseModel, clip: ImageClip, conditions: Conditions) -> None:
    first, second = (Trace(model, clip, BOX, conditions, progress=False) for _ in range(2))
    assert_same(first, second)
    plain = Trace(model, clip, BOX, progress=False)
    assert not np.array_equal(first.joints, plain.joints)


@pytest.mark.parametrize("conditions", REMEMBERING.values(), ids=REMEMBERING)
@pytest.mark.parametrize("after", [1, 5, 7])
def test_a_stopped_run_resumes_with_its_memory(
    model: VideoPoseModel, clip: ImageClip, conditions: Conditions, after: int
) -> None:
    asked: list[int] = []

    def cancel() -> bool:
        asked.append(1)
        return len(asked) > after

    partial = Trace(model, clip, BOX, conditions, progress=False, cancel=cancel)
    assert len(partial) == after
    Trace(model, clip, BOX, conditions, progress=False)  # another run in between
    partial.run(progress=False)
    assert_same(partial, Trace(model, clip, BOX, conditions, progress=False))


@pytest.mark.parametrize("conditions", REMEMBERING.values(), ids=REMEMBERING)
def test_a_tracker_steps_through_what_a_trace_records(
    model: VideoPoseModel, clip: ImageClip, conditions: Conditions
) -> None:
    trace, tracker = Trace(model, clip, BOX, conditions, progress=False), Tracker(model, clip, conditions, BOX)
    for t in range(N):
        assert tracker.t == t
        step = tracker.step()
        assert step is tracker.last and step.crop == trace.crops[t]
        for name in ("heatmaps", "kernels", "raw_joints", "scores"):
            np.testing.assert_array_equal(getattr(step, name), getattr(trace, name)[t], err_msg=name)
        np.testing.assert_array_equal(step.joints.astype(np.float32), trace.joints[t])
        assert step.dropped == (t in trace.dropped)
        assert step.reinitialised == next((one for one in trace.reinitialised if one.frame == t), None)


def test_an_interrupt_between_step_and_record_loses_no_frame(
    model: VideoPoseModel, clip: ImageClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    conditions = REMEMBERING["all"]
    interrupted = Trace(model, clip, BOX, conditions, progress=False, cancel=lambda: False, stop=N)
    whole = interrupted.retrace(None)
    partial = Trace(model, clip, BOX, whole.conditions, progress=False, cancel=iter([False] * 3 + [True]).__next__)
    assert len(partial) == 3
    partial._tracker.step()  # what an interrupt may leave behind: a step that was not recorded
    partial.run(progress=False)
    assert_same(partial, whole)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (lambda: {"feedback": erase}, "lambda: erase"),
        (lambda: {"feedback": shuffle_in_time()}, "shuffle_in_time"),
        (lambda: {"smooth": OneEuro()}, "such as OneEuro; got <dkd"),
    ],
)
def test_what_may_remember_is_made_for_each_run(wrong: Callable[[], dict[str, Any]], what: str) -> None:
    with pytest.raises(ConfigError, match=f"creates a new one for each run.*{what}"):
        Conditions(**wrong())


def test_conditions_are_kept_and_compared(model: VideoPoseModel) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (3, 64, 80, 3), dtype=np.uint8)
    conditions = Conditions(reinitialise=Reinitialise())
    with Clip.from_array(frames) as clip:
        trace = Trace(model, clip, conditions=conditions, progress=False)
        assert trace.conditions is conditions == Conditions(reinitialise=Reinitialise())
        assert Trace(model, clip, progress=False).conditions == Conditions()
