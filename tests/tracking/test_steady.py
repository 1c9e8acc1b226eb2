"""Which peak of a map is reported: another than the highest only if it is nearly as high and where the joint was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dkd import Trace
from dkd.errors import ConfigError, SessionError
from dkd.pose.crops import Crop
from dkd.pose.heatmaps import decode_peaks, gaussian_targets
from dkd.pose.smoothing import OneEuro
from dkd.sessions.content import SavedPerson
from dkd.tracking.conditions import Conditions
from dkd.tracking.steady import LEAST, MARGIN, SIGMA, WEIGHT, SteadyPeaks
from dkd.video.images import ImageClip
from tests.evaluation.test_variants import BOX, varied
from tests.support.dotted_people import dotted_person

SIZE, CROP, HEIGHT = 24, Crop(100.0, 40.0, 192.0), 150.0
CELL = CROP.side / SIZE  # pixels
SHARP = 1.25  # σ of a peak in cells


def maps(*peaks: tuple[float, float, float]) -> np.ndarray:
    """One map (1, H, W) with peaks x, y (cells) and height."""
    drawn = [s * gaussian_targets(torch.tensor([[x, y]]), SIZE, SHARP) for x, y, s in peaks]
    return torch.stack(drawn).amax(0).numpy()


def at(x: float, y: float) -> np.ndarray:
    return CROP.to_frame(np.array([[x, y]]), SIZE)


def highest(heatmaps: np.ndarray) -> np.ndarray:
    return CROP.to_frame(decode_peaks(torch.from_numpy(heatmaps))[0].numpy(), SIZE)


def chosen(before: np.ndarray, heatmaps: np.ndarray, fixed: np.ndarray | None = None) -> np.ndarray:
    steady = SteadyPeaks()
    steady.start(before)
    return steady.follow(heatmaps, CROP, highest(heatmaps), HEIGHT, fixed)


def test_two_peaks_that_take_turns_are_one_place() -> None:
    """The highest of two peaks alternates; the joint stays at the one where it began, exactly between the cells."""
    left, right = (6.3, 12.2), (17.0, 12.0)
    frames = [maps((*left, 0.8), (*right, 0.75 + 0.1 * (t % 2))) for t in range(6)]
    steady = SteadyPeaks()
    seen = [steady.start(highest(frames[0])), *(steady.follow(f, CROP, highest(f), HEIGHT) for f in frames[1:])]
    np.testing.assert_allclose(np.stack(seen)[:, 0], np.repeat(at(*left), 6, 0), atol=1e-3)
    assert np.ptp([highest(f)[0, 0] for f in frames]) > 80  # the highest peaks jump


@given(share=st.floats(0.05, 0.99), far=st.floats(0.0, 0.5))
def test_another_peak_is_taken_by_the_formula(share: float, far: float) -> None:
    """The joint was ``far`` heights from the lower peak, and beyond reach of the higher one."""
    lower = np.array([6.0, 4.0])
    cells = far * HEIGHT / CELL
    heatmaps = maps((6.0, 20.0, 0.8), (*lower, 0.8 * share))
    taken = share >= LEAST and -np.log(share) + WEIGHT * min((far / SIGMA) ** 2 / 2, 4.0) < WEIGHT * 4.0 - MARGIN
    doubtful = abs(share - LEAST) < 1e-6 or abs(
        -np.log(share) + WEIGHT * min((far / SIGMA) ** 2 / 2, 4.0) - WEIGHT * 4.0 + MARGIN
    ) < 1e-3  # fmt: skip
    made = chosen(at(6.0 - cells * 0.6, 4.0 - cells * 0.8), heatmaps)
    if not doubtful:
        np.testing.assert_allclose(made, at(*lower) if taken else highest(heatmaps), atol=1e-3)


@given(x=st.floats(1, 22), y=st.floats(1, 22), before=st.tuples(st.floats(0, 400), st.floats(0, 400)))
def test_a_map_with_one_peak_has_no_choice(x: float, y: float, before: tuple[float, float]) -> None:
    heatmaps = maps((x, y, 0.7))
    np.testing.assert_array_equal(chosen(np.array([before]), heatmaps), highest(heatmaps))


def test_a_joint_that_a_person_placed_stays() -> None:
    heatmaps = maps((6, 12, 0.8), (17, 12, 0.79))
    assert not np.array_equal(chosen(at(17, 12), heatmaps), highest(heatmaps))
    np.testing.assert_array_equal(chosen(at(17, 12), heatmaps, np.array([True])), highest(heatmaps))


def test_empty_maps_are_reported_as_they_are() -> None:
    nothing = np.zeros((1, SIZE, SIZE), np.float32)
    np.testing.assert_array_equal(chosen(at(6, 4), nothing), highest(nothing))


# --- in a run -----------------------------------------------------------------------------------------------------


def run(**conditions: object) -> Trace:
    clip = ImageClip(dotted_person(1, 12).images, 10.0, "dots")
    return Trace(varied("dkd-tiny"), clip, BOX, Conditions(**conditions), progress=False)  # type: ignore[arg-type]


def test_only_what_is_reported_changes() -> None:
    """Heatmaps of random weights have many peaks, so that some are chosen; the track itself is the same bit for bit."""
    plain, steady = run(), run(peaks="steady")
    for attribute in ("heatmaps", "kernels", "scores", "raw_joints", "predicted_joints", "counted"):
        np.testing.assert_array_equal(getattr(plain, attribute), getattr(steady, attribute), err_msg=attribute)
    assert plain.crops == steady.crops
    np.testing.assert_array_equal(plain.joints, plain.raw_joints)
    assert not np.array_equal(plain.joints, steady.joints)
    np.testing.assert_array_equal(plain.joints[0], steady.joints[0])


@pytest.mark.parametrize("smooth", [None, OneEuro])
def test_a_what_if_continues_with_the_chosen_peaks(smooth: type[OneEuro] | None) -> None:
    trace = run(peaks="steady", smooth=smooth)
    made = trace.correct_joint(7, "left_wrist", 100.0, 90.0)
    whole = replace(trace.conditions, interventions=made.conditions.interventions)
    again = Trace(trace.model, trace.clip, BOX, whole, progress=False)
    np.testing.assert_array_equal(made.joints, again.joints)
    np.testing.assert_array_equal(made.joints[:7], trace.joints[:7])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="peaks as one of highest, steady; got 'lowest'"):
        Conditions(peaks="lowest")  # type: ignore[arg-type]
    with pytest.raises(SessionError, match="choice of peaks"):
        SavedPerson.of("anna", run(peaks="steady"))
