"""Two traces of one person are reported with their frames; people who only pass each other are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dkd import Clip, get_skeleton, load_model, same_person, trace_person
from dkd.analysis.identity import GAP, LASTING_FRAMES, LASTING_S, SamePerson, coincide, lasting
from dkd.errors import ConfigError
from dkd.models.base import VideoPoseModel
from tests.support.fake_trace import FakeTrace

FPS, T = 30.0, 90
SKELETON = get_skeleton("penn_action")
# A standing person of height 1: x to the right, y down, in the order of the skeleton.
BODY = {
    "head": (0, 0.05), "shoulder": (0.1, 0.2), "elbow": (0.15, 0.35), "wrist": (0.15, 0.5), "hip": (0.07, 0.5),
    "knee": (0.08, 0.75), "ankle": (0.08, 1.0),
}  # fmt: skip


def body(x: np.ndarray, y: np.ndarray, height: float) -> np.ndarray:
    """Return joints (T, J, 2) of a person whose feet are below (x, y), the middle of the shoulders' line."""
    one = np.zeros((len(SKELETON), 2))
    for j, name in enumerate(SKELETON.joints):
        side = {"left": 1, "right": -1}.get(SKELETON.side(j) or "", 0)
        dx, dy = BODY[name.split("_")[-1]]
        one[j] = side * dx, dy
    return np.stack([x, y], -1)[:, None] + height * one


class Walker(FakeTrace):
    """A trace with given joints, and one confidence for all joints per frame."""

    def __init__(self, joints: np.ndarray, confidence: np.ndarray | float = 0.9):
        super().__init__(len(joints), channels=0, truth=False, calibrated=True)
        self.joints = joints.astype(np.float32)
        self.confidence = np.broadcast_to(np.reshape(confidence, (-1, 1)), joints.shape[:2])


def walk(start: float, speed: float, height: float = 200.0, y: float = 20.0) -> np.ndarray:
    """Return joints of a person who walks at ``speed`` heights per second."""
    x = start + height * speed * np.arange(T) / FPS
    return body(x, np.full(T, y), height)


def test_one_person_twice_is_reported_in_all_frames() -> None:
    joints = walk(0, 0.5)
    near = joints + np.random.default_rng(0).normal(0, 4, joints.shape)
    assert same_person({"Anna": Walker(joints), "Ben": Walker(near)}) == [("Anna", "Ben", range(T))]


def test_people_who_pass_each_other_are_two_people() -> None:
    """At walking speed (0.8 heights per second) in opposite directions, of the same size and at the same distance."""
    one, other = Walker(walk(0, 0.8)), Walker(walk(480, -0.8))
    together = coincide(one, other)
    assert 1 <= together.sum() <= 0.2 * FPS
    assert same_person({"one": one, "other": other}) == []


def test_a_body_in_front_of_another_one_is_not_the_same() -> None:
    """The joints are as far apart as the people are in size, though their boxes overlap in all frames."""
    large, small = walk(0, 0.5), walk(0, 0.5, height=130.0, y=50.0)
    assert same_person({"near": Walker(large), "far": Walker(small)}) == []


@pytest.mark.parametrize("merged", [20, 60])
def test_traces_that_merge_are_reported_from_there_on(merged: int) -> None:
    one, other = walk(0, 0.5), walk(300, 0.5)
    other[merged:] = one[merged:]
    found = same_person({"one": Walker(one), "other": Walker(other)}, first=100)
    assert found == [SamePerson("one", "other", range(100 + merged, 100 + T))]
    assert str(found[0]) == (
        f"one and other follow the same person in frames {100 + merged} to 189. Draw the box of one of them in frame "
        f"{100 + merged}, or remove it."
    )


def test_confused_sides_do_not_hide_it() -> None:
    one = walk(0, 0.5)
    swapped = one[:, list(SKELETON.flip_permutation)]
    assert same_person({"one": Walker(one), "other": Walker(swapped)}) == [("one", "other", range(T))]


def test_lost_tracks_are_on_nobody() -> None:
    joints = walk(0, 0.5)
    confidence = np.full(T, 0.9)
    confidence[40:] = 0.3
    found = same_person({"one": Walker(joints), "other": Walker(joints, confidence)})
    assert found == [("one", "other", range(40))]
    assert same_person({"one": Walker(joints, 0.2), "other": Walker(joints, 0.2)}) == []


def test_each_pair_is_compared_in_the_frames_that_both_have() -> None:
    joints = walk(0, 0.5)
    traces = {"a": Walker(joints), "b": Walker(walk(400, 0.5)), "c": Walker(joints[:30])}
    assert same_person(traces) == [("a", "c", range(30))]
    assert same_person({"a": traces["a"]}) == same_person({}) == []
    assert same_person({"a": traces["a"], "d": Walker(joints[:3])}) == []


def test_traces_of_different_skeletons_are_refused() -> None:
    other = Walker(walk(0, 0.5))
    other.skeleton = get_skeleton("sub_jhmdb")
    with pytest.raises(ConfigError, match="expected traces with the same joints"):
        same_person({"a": Walker(walk(0, 0.5)), "b": other})


@given(same=st.lists(st.booleans(), max_size=60), fps=st.sampled_from([5.0, 10.0, 30.0, 120.0]))
def test_ranges_that_last(same: list[bool], fps: float) -> None:
    values = np.array(same, bool)
    found = lasting(values, np.arange(len(same)) / fps)
    for one in found:
        assert values[one[0]] and values[one[-1]]
        assert len(one) >= LASTING_FRAMES
        assert len(one) / fps >= LASTING_S - 1e-9
        gaps = "".join("x" if values[t] else "." for t in one).split("x")
        assert max(map(len, gaps)) <= GAP
    covered = {t for one in found for t in one}
    least = max(LASTING_FRAMES, int(np.ceil(LASTING_S * fps - 1e-9)))
    for t in range(len(same) - least + 1):  # a stretch without gaps that is long enough is always reported
        if values[t : t + least].all():
            assert covered.issuperset(range(t, t + least))


# --- filmed people ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model() -> VideoPoseModel:
    return load_model("dkd-mobilenetv2")


@pytest.mark.shared
def test_two_filmed_people_and_one_of_them_twice(model: VideoPoseModel, shared_data: Path) -> None:
    man = tuple(np.load(shared_data / "labels" / "pose2sim_multi_man_cam02.npz")["box"])
    boxes = {"man": (man, 0), "woman": ((30, 620, 360, 1460), 0), "man again": ((250, 380, 800, 1150), 20)}
    with Clip(shared_data / "videos" / "pose2sim_multi" / "cam02.mp4") as clip:
        traces = {
            name: trace_person(model, clip, box, at, stop=50, progress=False) for name, (box, at) in boxes.items()
        }
        assert same_person(traces) == [("man", "man again", range(50))]
        woman = traces["woman"].set_box(15, (250, 380, 800, 1150), restart=True)  # from here on it follows the man
    ((first, second, frames),) = same_person({"man": traces["man"], "woman": woman})
    assert (first, second, frames.stop) == ("man", "woman", 50)
    assert 15 <= frames.start <= 17
