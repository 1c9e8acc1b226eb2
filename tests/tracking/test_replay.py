"""Stored calls are applied again, bit for bit, and only what is a call of a trace's method is."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

from dkd import Trace, replay
from dkd.errors import ConfigError, DKDError, StoppedError
from dkd.models import make_model, model_config
from dkd.tracking.corrections import Corrections
from dkd.tracking.counterfactuals import Counterfactuals
from dkd.tracking.replay import METHODS, check_call
from dkd.video.clip import Clip
from dkd.video.samples import get_sample

T = 8


@pytest.fixture(scope="module")
def trace() -> Trace:
    torch.manual_seed(0)
    model = make_model(model_config("dkd-tiny", input_size=128, channels=16, kernel_side=5))
    clip = Clip(get_sample("rendered_walk").path)
    return Trace(model, clip, (100.0, 20.0, 240.0, 230.0), progress=False, stop=T)


def many(trace: Trace) -> Trace:
    """Every kind of argument: numbers, negative ones, texts, tuples, lists, ranges, names of other runs."""
    painted = np.random.default_rng(0).standard_normal((5, 5)).astype(np.float32)
    return (
        trace.correct_joint(1, "head", 120.3, -4.0)
        .swap_sides(range(3, 6), ("wrist", "leg"))
        .edit_kernel(2, "paint", (1, 3), values=painted)
        .interpolate("left_wrist", 1, 5)
        .put_kernel(4, trace, 2, name="second person")
        .put_kernel(range(5, 7), trace, 3, name="first")
        .set_box(6, (60.5, 10.0, 200.0, 220.0), restart=True)
        .shift_box(7, dx=-0.1)
        .hide_joint(7, "right_knee")
    )


def test_the_calls_of_a_trace_make_the_same_trace(trace: Trace) -> None:
    made = many(trace)
    others = {"first": trace, "second person": trace}
    again = replay(trace, made.calls, others)
    assert again.calls == made.calls and again.complete
    for name in ("heatmaps", "kernels", "joints", "scores", "corrected", "hidden", "predicted_joints"):
        assert np.array_equal(getattr(again, name), getattr(made, name)), name
    assert replay(trace, ()) is trace
    for call in made.calls:
        check_call(call)
    back = again
    for _ in made.calls:
        back = back.undo()
    assert back is trace


def test_only_the_last_run_is_run_to_its_end_unless_a_call_needs_more(trace: Trace) -> None:
    last = replay(trace, ["restart(2)", "darken(5, gain=0.5)", "restart(3)"])
    assert last.complete and not last.undo().complete and not last.undo().undo().complete
    needed = replay(trace, ["restart(2)", "freeze_kernel(6)"])
    assert needed.complete and needed.undo().complete


def test_a_cancelled_replay(trace: Trace) -> None:
    stopped = replay(trace, ["restart(2)"], cancel=lambda: True)
    assert len(stopped) == 2
    stopped.run(progress=False)
    assert np.array_equal(stopped.joints, trace.restart(2).joints)
    with pytest.raises(StoppedError, match="after 1 of 2 calls, before freeze_kernel"):
        replay(trace, ["restart(2)", "freeze_kernel(6)"], cancel=lambda: True)


def test_every_change_of_a_trace_can_be_stored() -> None:
    changes = {
        name
        for owner in (Corrections, Counterfactuals)
        for name, method in vars(owner).items()
        if inspect.isfunction(method) and "cancel" in inspect.signature(method).parameters
    }
    assert changes == set(METHODS)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        ("", "expected a call"),
        ("restart(2", "expected a call"),
        ("restart(2); close()", "expected a call"),
        ("(" * 300 + ")" * 300, "expected a call"),
        ("9" * 5000, "expected"),
        ("restart", "one call"),
        ("restart(2).undo()", "one call"),
        ("trace.restart(2)", "one call"),
        ("close()", "no change 'close'"),
        ("__class__()", "no change"),
        ("_with([], 'x', None)", "no change"),
        ("restrat(2)", "did you mean 'restart'"),
        ("restart(1 + 1)", "numbers, texts"),
        ("restart(len([1]))", "numbers, texts"),
        ("restart(open('x'))", "numbers, texts"),
        ("restart([i for i in (1,)][0])", "numbers, texts"),
        ("darken(f'{1}')", "numbers, texts"),
        ("darken(range(0, 4, 0))", "numbers, texts"),
        ("darken(range(0.5))", "numbers, texts"),
        ("darken(*[1])", "numbers, texts"),
        ("darken(**{'gain': 0})", "arguments of darken"),
        ("restart(2, cancel=None)", "arguments of restart"),
        ("restart(2, 3)", "does not take"),
        ("restart(frame=2, at=3)", "does not take"),
        ("restart()", "does not take"),
        ("correct_joint(1, 'head', 'left', 2)", "expected x of Trace.correct_joint.. to be a number"),
        ("put_kernel(1, nobody, 2)", "no other trace 'nobody'"),
        ("put_kernel(1, 'nobody', 2)", "no other trace 'nobody'"),
        ("put_kernel(1)", "does not take"),
        ("restart(other)", "expected frame of Trace.restart.. to be a whole number"),
        ("restart(nan)", "no other trace 'nan'"),
    ],
)
def test_what_is_not_a_call_of_a_change_is_an_error(trace: Trace, call: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        replay(trace, [call], {"other": trace})
    if "other" in call or "nobody" in call or "nan" in call or "'left'" in call:
        check_call(call)  # only the trace knows
    else:
        with pytest.raises(ConfigError, match=what):
            check_call(call)


def test_all_calls_are_read_before_the_first_is_applied(trace: Trace) -> None:
    with pytest.raises(DKDError, match="no change 'close'"):
        replay(trace, ["freeze_kernel(100)", "close()"])
    with pytest.raises(ConfigError, match="expected a call"):
        replay(trace, [3])  # type: ignore[list-item]
