"""Trust in a track: the verdict of known confidences in words, and of a real model on scenes without a person."""

from __future__ import annotations

import numpy as np
import pytest

from dkd import Clip, ClipRange, Trace, load_model, trace_person, trust
from dkd.errors import FrameIndexError, ShapeError
from dkd.models.base import VideoPoseModel
from dkd.video.samples import get_sample
from tests.support.fake_trace import FakeTrace

SIZE = (360, 640, 3)


def trace_with(means: list[float], calibrated: bool = True) -> FakeTrace:
    trace = FakeTrace(len(means), channels=0, calibrated=calibrated)
    trace.confidence = np.repeat(np.array(means, np.float32)[:, None], len(trace.skeleton), 1)
    return trace


@pytest.mark.parametrize(
    ("means", "calibrated", "verdict", "lost", "text"),
    [
        ([0.9] * 6, True, "followed", [],
         "The person is followed in all 6 frames: the mean confidence is 0.90, and no frame is below 0.45."),
        ([0.9] * 3 + [0.3, 0.4] + [0.9] * 4 + [0.44], True, "partly lost", [range(3, 5), range(9, 10)],
         "The track is lost in 3 of 10 frames (frames 3 to 4, 9): there, the mean confidence is below 0.45; over all "
         "frames it is 0.74."),
        ([0.9, 0.1, 0.9, 0.9], True, "partly lost", [range(1, 2)],
         "The track is lost in 1 of 4 frames (frame 1): there, the mean confidence is below 0.45; over all frames it "
         "is 0.70."),
        ([0.5] * 6, True, "doubtful", [],
         "The track is doubtful: the mean confidence is 0.50. Look at it before you use it."),
        ([0.2] * 4, True, "nobody", [range(4)],
         "There is probably no person here: the mean confidence is 0.20, and all frames are below 0.45 (frames 0 to 3)."
         " Give a box on the person, or choose other frames."),
        ([0.7] * 5 + [0.1], False, "partly lost", [range(5, 6)],
         "The track is lost in 1 of 6 frames (frame 5): there, the mean score is below 0.2; over all frames it is "
         "0.60."),
    ],
)  # fmt: skip
def test_the_verdict_in_words(means: list[float], calibrated: bool, verdict: str, lost: list[range], text: str) -> None:
    found = trust(trace_with(means, calibrated))
    assert (found.verdict, list(found.lost), str(found)) == (verdict, lost, text)
    assert found.confidence == pytest.approx(np.mean(means)) and found.n_lost == sum(map(len, lost))
    shifted = trust(trace_with(means, calibrated), first=100)
    assert [r.start for r in shifted.lost] == [r.start + 100 for r in lost]


def test_many_lost_ranges_are_shortened() -> None:
    text = trust(trace_with([0.9, 0.9, 0.1] * 12)).text
    assert "(frames 2, 5, 8, 11, 14, 17, 20, 23, and 4 more)" in text


def test_a_trace_without_frames_has_no_verdict() -> None:
    with pytest.raises(ShapeError, match="at least one frame"):
        trust(_Empty(2, channels=0))


class _Empty(FakeTrace):
    def __len__(self) -> int:
        return 0


@pytest.fixture(scope="module")
def model() -> VideoPoseModel:
    return load_model("dkd-mobilenetv2")


@pytest.mark.parametrize("scene", ["grey", "black", "noise", "still noise", "nobody"])
def test_a_scene_without_a_person_is_never_called_followed(model: VideoPoseModel, scene: str) -> None:
    random = np.random.default_rng(0)
    n = 10
    box = None
    if scene == "nobody":
        clip, box = Clip(get_sample("rendered_walk").path), (0.0, 0.0, 77.0, 120.0)
    elif scene == "noise":
        clip = Clip.from_array(random.integers(0, 256, (n, *SIZE), dtype=np.uint8))
    elif scene == "still noise":
        clip = Clip.from_array(np.repeat(random.integers(0, 256, (1, *SIZE), dtype=np.uint8), n, 0))
    else:
        clip = Clip.from_array(np.full((n, *SIZE), 128 if scene == "grey" else 0, np.uint8))
    with clip:
        found = trust(Trace(model, clip, box, progress=False, stop=n))
    assert found.verdict in ("nobody", "doubtful") and found.confidence < 0.6


def test_a_range_of_a_clip_is_traced_like_a_clip_of_these_frames(model: VideoPoseModel) -> None:
    with Clip(get_sample("rendered_walk").path) as clip:
        part = ClipRange(clip, 40, 44)
        frames = np.stack([clip.frame(t) for t in range(40, 44)])
        trace = Trace(model, part, progress=False)
        same = Trace(model, Clip.from_array(frames), progress=False)
        assert np.array_equal(trace.joints, same.joints) and trust(trace, 40).verdict == "followed"
        np.testing.assert_allclose(trace.times, np.arange(4) / 30)
        assert (part.start, part.stop, len(part)) == (40, 44, 4)
        for start, stop in ((-1, 3), (5, 5), (0, 121), (120, None)):
            with pytest.raises(FrameIndexError, match="0 <= start < stop <= 120"):
                ClipRange(clip, start, stop)
        for t in (-1, 4):
            with pytest.raises(FrameIndexError, match="from 0 to 3"):
                part.frame(t)


@pytest.mark.parametrize("scene", ["grey", "noise", "nobody"])
def test_a_box_on_nobody_is_noticed_in_both_directions(model: VideoPoseModel, scene: str) -> None:
    n, at, box = 11, 5, (40.0, 20.0, 200.0, 300.0)
    if scene == "nobody":
        clip, box = Clip(get_sample("rendered_walk").path), (0.0, 0.0, 77.0, 120.0)
    elif scene == "noise":
        clip = Clip.from_array(np.random.default_rng(0).integers(0, 256, (n, *SIZE), dtype=np.uint8))
    else:
        clip = Clip.from_array(np.full((n, *SIZE), 128, np.uint8))
    with clip:
        trace = trace_person(model, clip, box, at, stop=n, progress=False)
    found = trust(trace, first=100)
    assert found.verdict in ("nobody", "doubtful") and found.n_frames == n
    if found.verdict == "nobody":
        assert any(100 <= frames.start < 100 + at for frames in found.lost)  # also before the box
        assert found.text.startswith("There is probably no person here")


def test_a_person_is_trusted_in_both_directions(model: VideoPoseModel) -> None:
    sample = get_sample("rendered_walk")
    with Clip(sample.path) as clip:
        trace = trace_person(model, clip, sample.box, 4, stop=9, progress=False)
    assert trust(trace).verdict == "followed"
