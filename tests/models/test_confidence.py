"""Confidence: a monotone curve against oracles, and measures of its reliability against closed forms."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dkd import Trace, build_model, load_model
from dkd.errors import CheckpointError, ConfigError, DatasetError, ShapeError
from dkd.models.checkpoints import save_model
from dkd.models.confidence import (
    BINS,
    Calibration,
    brier_score,
    calibration_of,
    expected_calibration_error,
    fit_calibration,
    reliability,
    wilson_interval,
)
from dkd.video.images import ImageClip
from tests.support.dotted_people import dotted_person

CURVE = Calibration((0.1, 0.5, 0.9), (0.2, 0.4, 1.0), 0.1, ("drawn",), 100)


def plain_isotonic(values: list[float], weights: list[float]) -> list[float]:
    """Pool adjacent violators literally: while a block is above the next one, merge the two into their mean."""
    blocks = [[v, w, 1] for v, w in zip(values, weights, strict=True)]
    i = 0
    while i + 1 < len(blocks):
        (a, v, n), (b, w, m) = blocks[i], blocks[i + 1]
        if a > b:
            blocks[i : i + 2] = [[(a * v + b * w) / (v + w), v + w, n + m]]
            i = max(i - 1, 0)
        else:
            i += 1
    return [value for value, _, n in blocks for _ in range(int(n))]


# --- the curve --------------------------------------------------------------------------------------------------------


def test_between_knots_it_is_linear_and_beyond_them_constant() -> None:
    np.testing.assert_allclose(CURVE(np.array([-1, 0.1, 0.3, 0.5, 0.7, 0.9, 2])), [0.2, 0.2, 0.3, 0.4, 0.7, 1, 1])
    assert CURVE(np.zeros((3, 13))).shape == (3, 13)
    assert CURVE(np.zeros(2)).dtype == np.float32
    assert np.isnan(CURVE(np.array([np.nan]))[0])


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5]), st.booleans()), min_size=1, max_size=40))
def test_a_fit_is_the_pooled_shares_of_plain_loops(pairs: list[tuple[float, bool]]) -> None:
    """With fewer scores than bins, each score that is common enough is a bin; the rest follows the oracle."""
    scores, hit = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    values = sorted(set(scores.tolist()))
    counts = [int((scores == v).sum()) for v in values]
    middles = np.cumsum(counts) - np.array(counts) / 2
    bins = [
        list(group) for _, group in itertools.groupby(range(len(values)), lambda i: int(middles[i] / len(hit) * BINS))
    ]
    members = [np.isin(scores, [values[i] for i in group]) for group in bins]
    shares = plain_isotonic([float(hit[m].mean()) for m in members], [int(m.sum()) for m in members])
    fitted = fit_calibration(scores, hit, data=["x"])
    assert fitted.n == len(pairs)
    knots = sorted(set(np.round(shares, 6).tolist()))
    assert (fitted.scores[0], fitted.probabilities[0]) == (0, 0)
    np.testing.assert_allclose(fitted.probabilities[1:], knots, atol=1e-6)
    for share, at in zip(fitted.probabilities[1:], fitted.scores[1:], strict=True):
        block = np.any([m for m, s in zip(members, shares, strict=True) if abs(s - share) < 1e-5], axis=0)
        assert at == pytest.approx(scores[block].mean(), abs=1e-6)


def test_violators_are_pooled() -> None:
    """Scores 1, 2, 3 with shares 0.2, 0.8, 0.4 of 10 each: the last two become 0.6, at their mean score 2.5."""
    scores = np.repeat([1.0, 2.0, 3.0], 10)
    hit = np.concatenate([np.arange(10) < n for n in (2, 8, 4)])
    fitted = fit_calibration(scores, hit, data=["a", "b"])
    assert (fitted.scores, fitted.probabilities) == ((0.0, 1.0, 2.5), (0.0, 0.2, 0.6))
    assert (fitted.data, fitted.n, fitted.alpha) == (("a", "b"), 30, 0.1)


def test_a_known_curve_is_recovered() -> None:
    random = np.random.default_rng(0)
    scores = random.uniform(0, 1, 40_000)
    truth = scores**2  # as an overconfident network
    fitted = fit_calibration(scores, random.uniform(size=len(scores)) < truth, data=["x"])
    assert len(fitted.scores) <= BINS + 1
    assert np.abs(fitted(scores) - truth).max() < 0.06
    assert np.abs(fitted(scores) - truth).mean() < 0.015
    fresh = random.uniform(0, 1, 40_000)
    hit = random.uniform(size=len(fresh)) < fresh**2
    assert expected_calibration_error(fitted(fresh), hit) < 0.02 < 0.1 < expected_calibration_error(fresh, hit)
    assert brier_score(fitted(fresh), hit) < brier_score(fresh, hit)


def test_a_shuffled_order_gives_the_same_and_the_rest_is_left_out() -> None:
    random = np.random.default_rng(1)
    scores, hit = random.uniform(-0.1, 1.1, 500), random.uniform(size=500) < 0.5
    order = random.permutation(500)
    assert fit_calibration(scores, hit, data=["x"]) == fit_calibration(scores[order], hit[order], data=["x"])
    with_nan = fit_calibration(np.append(scores, np.nan), np.append(hit, True), data=["x"])
    assert with_nan == fit_calibration(scores, hit, data=["x"])


@pytest.mark.parametrize("hits", [True, False])
def test_one_kind_of_outcome_makes_a_flat_curve(hits: bool) -> None:
    fitted = fit_calibration(np.linspace(0, 1, 7), np.full(7, hits), data=["x"])  # score 0 was seen
    assert fitted.probabilities == (float(hits),)
    np.testing.assert_array_equal(fitted(np.array([0.0, 0.4, 1.0])), float(hits))


def test_unseen_scores_get_a_low_confidence() -> None:
    """Fitted on well-tracked people, it still gives a low confidence to a lost track, whose maps are flat."""
    fitted = fit_calibration(np.linspace(0.5, 1, 100), np.arange(100) > 20, data=["x"])
    assert fitted(np.array([0.01]))[0] < 0.05
    assert (fitted(np.array([-0.2, 0.0])) == 0).all()


# --- how far it can be trusted ----------------------------------------------------------------------------------------


def test_errors_in_closed_form() -> None:
    """Ten joints at 0.95 of which 8 hit, ten at 0.25 of which 5 hit: ECE = (0.15 + 0.25) / 2."""
    confidence = np.repeat([0.95, 0.25], 10)
    hit = np.concatenate([np.arange(10) < 8, np.arange(10) < 5])
    assert expected_calibration_error(confidence, hit) == pytest.approx(0.2)
    assert expected_calibration_error(confidence, hit, bins=1) == pytest.approx(0.05)  # 0.6 said, 0.65 hit
    expected = (8 * 0.05**2 + 2 * 0.95**2 + 5 * 0.75**2 + 5 * 0.25**2) / 20
    assert brier_score(confidence, hit) == pytest.approx(expected)
    assert brier_score(np.full(4, 0.5), np.array([0, 1, 0, 1])) == 0.25
    sure = np.array([1.0, 0.0, 1.0])
    assert expected_calibration_error(sure, sure == 1) == brier_score(sure, sure == 1) == 0
    assert expected_calibration_error(sure, sure == 0) == brier_score(sure, sure == 0) == 1


def test_the_table_counts_each_joint_once() -> None:
    confidence = np.array([0.0, 0.05, 0.1, 0.55, 0.999, 1.0])
    table = reliability(confidence, np.array([0, 1, 1, 0, 1, 1], bool))
    assert table.n.tolist() == [2, 1, 0, 0, 0, 1, 0, 0, 0, 2]
    np.testing.assert_allclose(table.hits.dropna(), [0.5, 1, 0, 1])
    np.testing.assert_allclose(table.confidence.dropna(), [0.025, 0.1, 0.55, 0.9995])
    np.testing.assert_allclose(table.low, np.arange(10) / 10)
    filled = table[table.n > 0]
    assert ((filled.lower <= filled.hits) & (filled.hits <= filled.upper)).all()
    error = (filled.n * (filled.hits - filled.confidence).abs()).sum() / len(confidence)
    assert error == pytest.approx(expected_calibration_error(confidence, np.array([0, 1, 1, 0, 1, 1], bool)))


def test_wilsons_interval_against_its_quadratic() -> None:
    """Its ends are the shares p at which the observed one is z standard deviations away."""
    hits, n = np.array([0, 1, 5, 10]), np.array([10, 10, 10, 10])
    for end in wilson_interval(hits, n, z=2.0):
        np.testing.assert_allclose((hits / n - end) ** 2, 4 * end * (1 - end) / n, atol=1e-12)
    lower, upper = wilson_interval(np.array([0]), np.array([0]))
    assert (lower[0], upper[0]) == (0, 1)


# --- with a model -----------------------------------------------------------------------------------------------------


def test_it_travels_in_the_checkpoint(tmp_path: Path) -> None:
    model = build_model("dkd-tiny", channels=8, input_size=128)
    save_model(model, tmp_path / "a.safetensors", {"run": "none", "confidence": CURVE.to_dict()})
    loaded = load_model(tmp_path / "a.safetensors")
    assert calibration_of(loaded) == CURVE
    assert "0.1" not in CURVE.to_dict()["means"] and "larger side" in CURVE.to_dict()["means"]
    assert Calibration.from_dict(json.loads(json.dumps(CURVE.to_dict()))) == CURVE
    clip = ImageClip(dotted_person(0, 2).images, 10.0, "dots")
    trace = Trace(loaded, clip, progress=False)
    assert trace.calibrated
    assert trace.confidence.dtype == np.float32
    np.testing.assert_array_equal(trace.confidence, CURVE(trace.scores))


def test_without_a_calibration_it_is_the_score_and_says_so() -> None:
    torch.manual_seed(0)
    model = build_model("dkd-tiny", channels=8, input_size=128)
    assert calibration_of(model) is None
    with torch.no_grad():
        model.get_parameter("initializer.classifier.bias").copy_(torch.linspace(-1, 2, 13))
    trace = Trace(model, ImageClip(dotted_person(0, 2).images, 10.0, "dots"), progress=False)
    assert not trace.calibrated
    assert trace.scores.min() < 0 and trace.scores.max() > 1
    np.testing.assert_array_equal(trace.confidence, trace.scores.clip(0, 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": [0.5, 0.1, 0.9]}, "ascending"),
        ({"probabilities": [0.2, 0.1, 1.0]}, "never decrease"),
        ({"probabilities": [0.2, 0.4, 1.1]}, "in 0..1"),
        ({"scores": []}, "at least one score"),
        ({"scores": [0.1, 0.5, None]}, "damaged"),
        ({"n": 0}, "n > 0"),
        ({"alpha": -1}, "alpha > 0"),
        ({"skores": [1]}, "did you mean 'scores'"),
        ({"data": 3}, "damaged"),
    ],
)
def test_a_damaged_calibration_is_named(change: dict, message: str, tmp_path: Path) -> None:
    values = {**CURVE.to_dict(), **change}
    with pytest.raises(CheckpointError, match=message):
        Calibration.from_dict(values)
    path = tmp_path / "bad.safetensors"
    save_model(build_model("dkd-tiny", channels=8, input_size=128), path, {"confidence": values})
    with pytest.raises(CheckpointError, match=message):
        load_model(path)


def test_bad_questions_are_named() -> None:
    with pytest.raises(CheckpointError, match="no 'alpha'"):
        Calibration.from_dict({k: v for k, v in CURVE.to_dict().items() if k != "alpha"})
    with pytest.raises(CheckpointError, match="expected a calibration"):
        Calibration.from_dict([1])  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match="labelled joints"):
        fit_calibration(np.zeros(0), np.zeros(0, bool), data=["x"])
    with pytest.raises(ShapeError, match=r"\(3,\) and \(2,\)"):
        fit_calibration(np.zeros(3), np.zeros(2, bool), data=["x"])
    with pytest.raises(ShapeError, match="clip or calibrate"):
        reliability(np.array([1.2]), np.array([True]))
    with pytest.raises(ConfigError, match="at least one bin"):
        reliability(np.array([0.2]), np.array([True]), bins=0)
