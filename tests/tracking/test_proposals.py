"""People are proposed over the whole frame: those who are there, each once, and nobody where there is nobody."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dkd import Clip, ImageClip, find_people, load_model, trace_person
from dkd.errors import FrameIndexError
from dkd.models.base import VideoPoseModel
from dkd.models.confidence import KEY
from dkd.pose.crops import check_box
from dkd.tracking.proposals import LIKELY_CONFIDENCE, SMALLEST, STRIDE, overlap, windows
from dkd.video.samples import get_sample


@pytest.fixture(scope="module")
def model() -> VideoPoseModel:
    return load_model("dkd-mobilenetv2")


@pytest.fixture(scope="module")
def walk() -> Clip:
    return Clip(get_sample("rendered_walk").path)


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """Exact joints (T, J, 2) of the rendered walk."""
    joints: np.ndarray = np.load(get_sample("rendered_walk").path.with_suffix(".npz"))["joints"]
    return joints


def box_of(joints: np.ndarray) -> tuple[float, float, float, float]:
    (x0, y0), (x1, y1) = joints.min(0), joints.max(0)
    return float(x0), float(y0), float(x1), float(y1)


def test_a_person_is_found_and_can_be_traced(model: VideoPoseModel, walk: Clip, truth: np.ndarray) -> None:
    best, *others = find_people(model, walk, 60)
    assert overlap(best.box, box_of(truth[60])) > 0.5
    error = np.linalg.norm(best.joints - truth[60], axis=-1) / np.ptp(truth[60], axis=0).max()
    assert np.median(error) < 0.05
    assert 0.75 < best.confidence <= 1
    assert all(LIKELY_CONFIDENCE <= one.confidence <= best.confidence for one in others)
    check_box(best.box, walk.width, walk.height)
    trace = trace_person(model, walk, best.box, 60, start=57, stop=63, progress=False)
    off = np.linalg.norm(trace.joints - truth[57:63], axis=-1) / np.ptp(truth[60], axis=0).max()
    assert np.median(off) < 0.05


def test_two_people_are_two_proposals(model: VideoPoseModel, walk: Clip, truth: np.ndarray) -> None:
    """The picture of frame 20 next to the mirrored one of frame 90, in one frame."""
    left, right = walk.frame(20), walk.frame(90)[:, ::-1]
    mirrored = truth[90] * (-1, 1) + (walk.width - 1 + walk.width, 0)
    both = ImageClip([np.concatenate([left, right], 1)])
    found = find_people(model, both, 0)
    assert len(found) >= 2
    for joints in (truth[20], mirrored):
        assert sum(overlap(one.box, box_of(joints)) > 0.5 for one in found[:2]) == 1


@pytest.mark.parametrize("kind", ["grey", "black", "noise", "gradient"])
def test_nobody_is_proposed_where_nobody_is(model: VideoPoseModel, kind: str) -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    if kind == "noise":
        image = np.random.default_rng(0).integers(0, 256, image.shape, np.uint8)
    elif kind == "gradient":
        image += np.linspace(0, 255, 320).astype(np.uint8)[None, :, None]
    elif kind == "grey":
        image += 128
    assert find_people(model, ImageClip([image]), 0) == []


@pytest.mark.shared
def test_both_of_two_people_are_found_in_a_filmed_clip(model: VideoPoseModel, shared_data: Path) -> None:
    labels = np.load(shared_data / "labels" / "pose2sim_multi_man_cam02.npz")["consensus17"][0]
    man = box_of(labels[np.isfinite(labels).all(-1)])
    woman = (30.0, 620.0, 360.0, 1460.0)  # drawn by hand
    with Clip(shared_data / "videos" / "pose2sim_multi" / "cam02.mp4") as clip:
        found = find_people(model, clip, 0)
    for person in (man, woman):
        assert max(overlap(one.box, person) for one in found) > 0.5
    for i, one in enumerate(found):
        assert all(overlap(one.box, other.box) <= 0.5 for other in found[:i])


def test_a_cancelled_search_proposes_nobody(model: VideoPoseModel, walk: Clip) -> None:
    asked = []

    def cancel() -> bool:
        asked.append(True)
        return len(asked) > 2

    assert find_people(model, walk, 60, cancel=cancel) == []
    assert len(asked) == 3  # it is asked before each pass


def test_the_least_confidence_can_be_chosen_and_a_path_is_opened(model: VideoPoseModel, walk: Clip) -> None:
    every = find_people(model, walk, 60, least=0)
    assert [one.confidence for one in every] == sorted((one.confidence for one in every), reverse=True)
    assert len(every) > 1
    few = find_people("dkd-mobilenetv2", get_sample("rendered_walk").path, 60, least=every[0].confidence)
    assert [(one.box, one.confidence) for one in few] == [(every[0].box, every[0].confidence)]


def test_a_model_without_calibration_has_scores(walk: Clip, truth: np.ndarray) -> None:
    model = load_model("dkd-mobilenetv2")
    del model.provenance[KEY]
    best = find_people(model, walk, 60)[0]
    assert overlap(best.box, box_of(truth[60])) > 0.5


def test_frames_outside_the_clip_are_refused(model: VideoPoseModel, walk: Clip) -> None:
    with pytest.raises(FrameIndexError):
        find_people(model, walk, len(walk))


@given(width=st.integers(16, 4000), height=st.integers(16, 4000), share=st.floats(SMALLEST, 1), at=st.data())
def test_a_person_of_any_size_is_near_the_middle_of_a_window(
    width: int, height: int, share: float, at: st.DataObject
) -> None:
    """For a point of the picture and a size, there is a window of about that size around the point."""
    x, y = at.draw(st.floats(0, width)), at.draw(st.floats(0, height))
    side = share * max(width, height)
    found = windows(width, height)
    assert found[0].side == max(width, height)
    fitting = [one for one in found if side / 1.6 <= one.side <= side * 1.6 * (1 + 1e-9)]
    assert fitting

    def distance(start: float, size: float, length: int, where: float) -> float:
        middle = start + size / 2
        low, high = min(size, length) / 2, length - min(size, length) / 2  # windows stay in the picture
        return abs(middle - min(max(where, low), high)) if low < high else 0.0

    assert any(
        max(distance(one.left, one.side, width, x), distance(one.top, one.side, height, y))
        <= STRIDE / 2 * one.side * (1 + 1e-9)
        for one in fitting
    )


@given(st.tuples(*[st.floats(0, 9)] * 2, *[st.floats(10, 20)] * 2))
def test_overlap(box: tuple[float, float, float, float]) -> None:
    x0, y0, x1, y1 = box
    assert overlap(box, box) == pytest.approx(1)
    half = (x0, y0, (x0 + x1) / 2, y1)
    assert overlap(box, half) == overlap(half, box) == pytest.approx(0.5)
    assert overlap(box, (30, 30, 40, 40)) == 0
    assert overlap(box, (x1, y0, x1 + 5, y1)) == 0
