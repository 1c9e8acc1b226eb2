"""A lost track is detected and found again; without a loss, the result is that of the paper's mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dkd import Clip, Trace, load_model
from dkd.analysis.reliance import one_step_reliance
from dkd.errors import ConfigError, FrameIndexError
from dkd.evaluation.methods import Method
from dkd.evaluation.people import measure_person
from dkd.models import DKD, VideoPoseModel, build_model
from dkd.models.confidence import Calibration
from dkd.pose.crops import Crop
from dkd.tracking.conditions import Conditions
from dkd.tracking.reinitialise import LOST_CONFIDENCE, LOST_SCORE, SEARCH_ROUNDS, Reinitialise, search
from dkd.video.images import ImageClip
from dkd.video.samples import get_sample
from tests.evaluation.test_variants import BOX, SIZE, varied
from tests.support.dotted_people import dotted_person

EAGER = Reinitialise(
    threshold=1.0, patience=2, cooldown=2, gain=0.0, same_person=False
)  # whatever random weights see, it is not enough


@pytest.fixture(scope="module")
def dkd() -> DKD:
    """Build a model with low matched maps: the initializer is always more confident, so every search re-initialises."""
    model = varied("dkd-tiny")
    assert isinstance(model, DKD)
    with torch.no_grad():
        model.readout.weight.mul_(1e-3)
    return model


@pytest.fixture(scope="module")
def clip() -> ImageClip:
    return ImageClip(dotted_person(1, 10).images, 10.0, "dots")


def trace_of(model: VideoPoseModel, clip: ImageClip, policy: Reinitialise | None = None, **options) -> Trace:
    return Trace(model, clip, BOX, Conditions(reinitialise=policy), progress=False, **options)


def assert_same(first: Trace, second: Trace) -> None:
    for name in ("heatmaps", "kernels", "joints", "scores", "confidence"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)
    assert first.crops == second.crops
    assert first.reinitialised == second.reinitialised


# --- when ------------------------------------------------------------------------------------------------------------


@given(
    means=st.lists(st.sampled_from([0.1, 0.4, 0.9]), min_size=1, max_size=30),
    patience=st.integers(1, 4),
    cooldown=st.integers(0, 5),
)
def test_when_to_search_against_plain_loops(means: list[float], patience: int, cooldown: int) -> None:
    """A search starts after a number of consecutive lost frames, and not during the cooldown."""
    policy, searched = Reinitialise(0.35, patience, cooldown), list[int]()
    for t in range(len(means)):
        last = searched[-1] if searched else None
        if policy.is_due(np.array(means[:t]), t, last, calibrated=False):
            searched.append(t)
    expected: list[int] = []
    for t in range(len(means)):
        lost = t >= patience and all(means[t - k - 1] < 0.35 for k in range(patience))
        if lost and (not expected or t - expected[-1] > cooldown):
            expected.append(t)
    assert searched == expected
    assert policy.first_loss(np.array(means), False) == (expected[0] if expected else None)
    assert Reinitialise(0.0, patience).first_loss(np.array(means), False) is None


def test_the_threshold_is_a_probability_where_there_is_one() -> None:
    assert (Reinitialise().limit(True), Reinitialise().limit(False)) == (LOST_CONFIDENCE, LOST_SCORE)
    assert Reinitialise(0.5).limit(True) == Reinitialise(0.5).limit(False) == 0.5


@pytest.mark.parametrize(
    "bad", [{"threshold": 1.5}, {"threshold": -0.1}, {"patience": 0}, {"cooldown": -1}, {"gain": 2}]
)
def test_a_policy_out_of_range_is_refused(bad: dict) -> None:
    with pytest.raises(ConfigError, match="expected"):
        Reinitialise(**bad)


def test_the_search_takes_the_best_crop() -> None:
    """Three crops are refined in rounds; a person at (50, 60) is only seen well in a small crop."""
    seen: list[Crop] = []

    def look(crop: Crop) -> tuple[np.ndarray, np.ndarray]:
        seen.append(crop)
        inside = crop.left < 50 < crop.left + crop.side and crop.top < 60 < crop.top + crop.side
        joints = np.array([[40.0, 50.0], [60.0, 70.0]])
        return joints, np.full(2, 120 / crop.side if inside else 0.01)

    found = search(look, Crop(400, 300, 40), 640, 480)
    assert found.passes == len(seen) <= 3 * SEARCH_ROUNDS
    assert found.crop is not None and found.crop.side == pytest.approx(1.4 * 20)
    assert found.crop == min((c for c in seen if c.left < 50 < c.left + c.side), key=lambda c: c.side)
    assert [seen[0].side, seen[1].side] == [40, 80]  # nothing was found there, so neither was approached
    assert found.scores.mean() > 1


# --- what it does to a trace -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "policy", [Reinitialise(threshold=0.0, patience=1, cooldown=0, gain=0.0, same_person=False), Reinitialise(1.0, 99)]
)
def test_a_policy_that_never_acts_changes_no_bit(dkd: DKD, clip: ImageClip, policy: Reinitialise) -> None:
    plain, with_policy = trace_of(dkd, clip), trace_of(dkd, clip, policy)
    assert_same(plain, with_policy)
    assert with_policy.reinitialised == []
    assert with_policy.extra_passes == 0
    assert plain.retrace(policy) is plain


@pytest.mark.parametrize("name", ["dkd-tiny", "simple-baseline-tiny", "lstm-pm"])
def test_every_kind_of_model_can_be_reinitialised(name: str, clip: ImageClip) -> None:
    """Such a frame equals the first frame of a clip that begins there, with the crop that was found."""
    torch.manual_seed(0)
    model = build_model(name, input_size=SIZE).eval()
    if isinstance(model, DKD):
        torch.nn.init.zeros_(model.readout.weight)
        torch.nn.init.constant_(model.initializer.classifier.bias, 0.5)  # type: ignore[arg-type]
    if name == "lstm-pm":
        trace = trace_of(model, clip, EAGER, stop=4)
    else:
        trace = trace_of(model, clip, replace(EAGER, gain=0.0), stop=6)
    for event in trace.reinitialised:
        t = event.frame
        assert event.after > event.before
        assert event.after == pytest.approx(float(trace.confidence[t].mean()))
        pixels = torch.from_numpy(trace.network_pixels(t)).permute(2, 0, 1)[None] / 255
        with torch.inference_mode():
            output = model.start(pixels)[0]
        np.testing.assert_array_equal(trace.heatmaps[t], output.heatmaps[0].numpy())
        np.testing.assert_array_equal(trace.kernels[t], output.kernels[0].numpy())
    if isinstance(model, DKD):
        assert [event.frame for event in trace.reinitialised] == [2, 5]
    assert trace.extra_passes >= 3


def test_the_stream_continues_after_a_reinitialisation(dkd: DKD, clip: ImageClip) -> None:
    trace = trace_of(dkd, clip, EAGER)
    frames = [event.frame for event in trace.reinitialised]
    assert frames == [2, 5, 8]
    assert [t for t in range(10) if trace.from_initializer(t)] == [0, *frames]
    assert "mean score below 1 in frames 0 to 1" in trace.reinitialised[0].reason
    for t in (2, 8):
        with pytest.raises(FrameIndexError, match="come from the initializer"):
            trace.contributions(t, "head")
    for t in (1, 3, 9):
        total = (
            trace.contributions(t, "left_knee").sum(0, dtype=np.float64) + trace.bias[trace.skeleton.index("left_knee")]
        )
        np.testing.assert_allclose(total, trace.heatmaps[t, trace.skeleton.index("left_knee")], atol=1e-4)
    assert one_step_reliance(trace, every=1).map_change.notna().all()


def test_stopping_and_going_on_gives_the_same(dkd: DKD, clip: ImageClip) -> None:
    whole = trace_of(dkd, clip, EAGER)
    for after in (1, 2, 3, 5, 6):
        asked: list[int] = []
        partial = trace_of(
            dkd, clip, EAGER, cancel=lambda after=after, asked=asked: len(asked) >= after or asked.append(1)
        )
        assert len(partial) == after
        partial.run(progress=False)
        assert_same(partial, whole)
        assert partial.extra_passes == whole.extra_passes


def test_a_trace_can_be_recomputed_with_another_policy(dkd: DKD, clip: ImageClip) -> None:
    plain, eager = trace_of(dkd, clip), trace_of(dkd, clip, EAGER)
    assert_same(plain.retrace(EAGER), eager)
    assert_same(eager.retrace(None), plain)
    assert eager.retrace(EAGER) is eager
    remembers = Method("m", dkd).with_variant("one-euro").with_variant("shuffled")
    expected = remembers.under(reinitialise=EAGER).trace(clip, BOX, progress=False)
    assert_same(remembers.trace(clip, BOX, progress=False).retrace(EAGER), expected)


def test_an_evaluation_of_it_has_the_traces_rows(dkd: DKD) -> None:
    person = dotted_person(1, 10)
    method = Method("m", dkd).with_variant("reinit").under(reinitialise=EAGER)
    assert method.name == "m+reinit"
    table = measure_person(method, "dots", person)
    trace = method.trace(ImageClip(person.images, 10.0, "dots"), None, progress=False)
    assert table is not None
    assert len(table) == 10 * 13
    assert set(table.model) == {"m+reinit"}
    assert len(trace.reinitialised) > 0
    assert table.in_crop.dtype == bool


# --- the real thing --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def walk() -> tuple[np.ndarray, np.ndarray]:
    """Return every second frame of the shipped walk's first part, and the true joints in pixels."""
    sample = get_sample("rendered_walk")
    truth = sample.joints()
    assert truth is not None
    with Clip(sample.path) as clip:
        frames = np.stack([clip.frame(t) for t in range(0, 84, 2)])
    return frames, truth[:84:2]


@pytest.fixture(scope="module")
def shipped() -> VideoPoseModel:
    return load_model()


def share_found(trace: Trace, truth: np.ndarray, frames: Sequence[int]) -> float:
    side = (truth.max(1) - truth.min(1)).max(1)
    error = np.linalg.norm(trace.joints - truth, axis=-1) / side[:, None]
    return float((error[list(frames)] < 0.2).mean())


def follow(model: VideoPoseModel, frames: np.ndarray, truth: np.ndarray, policy: Reinitialise | None) -> Trace:
    (x0, y0), (x1, y1) = truth[0].min(0) - 12, truth[0].max(0) + 12
    clip = Clip.from_array(frames, fps=15.0, name="lost on purpose")
    return Trace(model, clip, (x0, y0, x1, y1), Conditions(reinitialise=policy), progress=False)


def test_a_person_who_jumps_elsewhere_is_found_again(
    shipped: VideoPoseModel, walk: tuple[np.ndarray, np.ndarray]
) -> None:
    """The person jumps by two heights, to the next third of a picture; without a search the track stays behind."""
    frames, truth = (part[:30] for part in walk)
    n, cut, width = len(frames), 12, frames.shape[2]
    wide = np.full((n, frames.shape[1], 3 * width, 3), 90, np.uint8)
    wide[:cut, :, :width], wide[cut:, :, width : 2 * width] = frames[:cut], frames[cut:]
    truth = truth.copy()
    truth[cut:, :, 0] += width
    alone, found = (follow(shipped, wide, truth, policy) for policy in (None, Reinitialise()))
    np.testing.assert_array_equal(alone.joints[: cut + 3], found.joints[: cut + 3])
    assert share_found(alone, truth, range(cut + 3, n)) == 0
    assert [event.frame for event in found.reinitialised] == [cut + 3]  # three lost frames, and the next is searched
    assert share_found(found, truth, range(cut + 3, n)) > 0.9
    assert found.extra_passes <= 3 * SEARCH_ROUNDS + 1


def test_a_picture_that_was_dark_for_a_while(shipped: VideoPoseModel, walk: tuple[np.ndarray, np.ndarray]) -> None:
    """The light is back in frame 22 with the person in the other half, who is found after at most one cooldown."""
    part, truth = (part[8:42].copy() for part in walk)
    dark, back, width = 7, 22, part.shape[2]
    frames = np.full((len(part), part.shape[1], 2 * width, 3), 90, np.uint8)
    frames[:dark, :, :width], frames[back:, :, width:] = part[:dark], part[back:]
    frames[dark:back] = 0
    truth[back:, :, 0] += width
    policy = Reinitialise()
    later = range(back + policy.cooldown, len(frames))
    found = follow(shipped, frames, truth, policy)
    assert [event.frame for event in found.reinitialised if back <= event.frame <= later.start]
    assert share_found(found, truth, later) > 0.9
    alone = found.retrace(None)
    np.testing.assert_array_equal(alone.joints[:10], found.joints[:10])
    assert share_found(alone, truth, later) == 0


def test_the_threshold_is_in_calibrated_units(shipped: VideoPoseModel, walk: tuple[np.ndarray, np.ndarray]) -> None:
    """With a calibration whose confidence is never above 0.3, the same track counts as lost from the start."""
    frames, truth = walk
    known = dict(shipped.provenance)
    try:
        shipped.provenance = {**known, "confidence": Calibration((0.0, 1.0), (0.0, 0.3), 0.1, ("x",), 9).to_dict()}
        trace = follow(shipped, frames[:5], truth, Reinitialise())
    finally:
        shipped.provenance = known
    assert trace.calibrated
    assert (trace.confidence <= 0.3).all()
    assert trace.extra_passes > 0
