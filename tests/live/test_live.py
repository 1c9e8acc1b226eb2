"""Live tracking: the latest frame wins, what was left out is counted, and what was seen is what a trace finds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dkd import Clip, Conditions, Live, Trace, load_model, load_poses
from dkd.errors import BoxError, ClosedError, ConfigError, FrameIndexError, ShapeError, VideoError, VideoNotFoundError
from dkd.formats.files import export
from dkd.live.live import Seen
from dkd.live.sources import Camera, Captured, Clock, PlayedClip, as_source
from dkd.live.window import NewestFrame
from dkd.models.base import VideoPoseModel
from dkd.pose.crops import BOX_MARGIN, box_to_crop
from dkd.tracking.interventions import DropFrames
from dkd.tracking.reinitialise import Reinitialise
from dkd.video.samples import get_sample
from tests.support.server import until
from tests.support.video_files import draw_number, read_number, write_clip

WALK = get_sample("rendered_walk")
T = 12  # frames
CONDITIONS = Conditions(reinitialise=Reinitialise())


@pytest.fixture(scope="module")
def model() -> VideoPoseModel:
    return load_model("dkd-mobilenetv2")


@pytest.fixture(scope="module")
def walk() -> list[np.ndarray]:
    with Clip(WALK.path) as clip:
        return [clip.frame(t) for t in range(T)]


def pairs(frames: list[np.ndarray]) -> Iterator[tuple[float, np.ndarray]]:
    """Frames with uneven times, as a camera has in the dark."""
    for t, frame in enumerate(frames):
        yield 100 + t / 30 + 0.01 * (t % 3), frame


@pytest.fixture(scope="module")
def seen_all(model: VideoPoseModel, walk: list[np.ndarray]) -> tuple[Live, list[Seen]]:
    """A run in which the source waits for the network, and its results."""
    live = Live(model, pairs(walk), WALK.box, drop=False)
    results: list[Seen] = []
    live.subscribe(results.append)
    with live:
        live.wait()
    return live, results


class Turns(Clock):
    """A clock that moves when it is waited for, and by ``busy`` seconds when ``work`` is called."""

    def __init__(self, busy: float):
        self.time, self._busy = 50.0, busy

    def now(self) -> float:
        return self.time

    def wait(self, ended: threading.Event, seconds: float) -> None:
        self.time += seconds

    def work(self) -> None:
        self.time += self._busy


def captured(source: PlayedClip, clock: Turns, count: int) -> list[Captured]:
    frames = source.frames(threading.Event())
    found = []
    for one in frames:
        found.append(one)
        clock.work()
        if len(found) == count:
            break
    return found


# --- results ----------------------------------------------------------------------------------------------------------


def test_a_run_that_leaves_nothing_out_finds_what_a_trace_finds(
    seen_all: tuple[Live, list[Seen]], model: VideoPoseModel, walk: list[np.ndarray]
) -> None:
    live, results = seen_all
    assert (live.state, live.captured, live.tracked, live.dropped) == ("ended", T, T, 0)
    assert [one.number for one in results] == list(range(T))
    trace = live.trace()
    assert [one.crop for one in results] == trace.crops
    np.testing.assert_array_equal(np.stack([one.joints for one in results]), trace.joints)
    np.testing.assert_array_equal(np.stack([one.heatmaps for one in results]), trace.heatmaps)
    np.testing.assert_array_equal(np.stack([one.confidence for one in results]), trace.confidence)
    times = [time - 100 for time, _ in pairs(walk)]
    np.testing.assert_allclose([one.time_s for one in results], times, atol=1e-9)
    np.testing.assert_allclose(trace.times, times, atol=1e-9)
    assert trace.clip.fps is None
    np.testing.assert_array_equal(trace.clip.frame(3), walk[3])


def test_poses_are_exported_with_the_true_times(seen_all: tuple[Live, list[Seen]], tmp_path: Path) -> None:
    live, results = seen_all
    export(live.poses(), tmp_path / "seen.tidy.csv")
    read = load_poses(tmp_path / "seen.tidy.csv")
    np.testing.assert_allclose(read.xy[:, 0], np.stack([one.joints for one in results]), atol=1e-3)
    np.testing.assert_allclose(read.times, [one.time_s for one in results], atol=1e-6)
    assert list(read.frames) == list(range(T))


def test_the_budget_adds_up(seen_all: tuple[Live, list[Seen]]) -> None:
    live, results = seen_all
    for one in results:
        assert min(one.capture_ms, one.decode_ms) >= 0 and one.network_ms > 0
        assert one.latency_ms == pytest.approx(one.capture_ms + one.decode_ms + one.network_ms)
    assert list(live.budget()) == ["capture", "decode", "network", "latency"]
    assert live.budget()["network"] == pytest.approx(np.median([one.network_ms for one in results]))


def test_memory_is_bounded_and_the_kept_frames_are_the_last(model: VideoPoseModel, walk: list[np.ndarray]) -> None:
    with Live(model, pairs(walk), WALK.box, drop=False, keep=4) as live:
        live.wait()
    assert [one.number for one in live.kept] == [8, 9, 10, 11] and len(live.poses()) == T
    trace = live.trace()
    assert len(trace) == 4
    apart = np.linalg.norm(trace.joints - np.stack([one.joints for one in live.kept]), axis=-1)
    assert np.median(apart) < 6  # pixels, of a person of 380: it begins again at the oldest frame


def test_only_the_newest_frame_is_held() -> None:
    clip = NewestFrame("camera", 160, 96)
    for t in range(10):
        clip.show(draw_number(t), t / 10)
        assert read_number(clip.frame(t)) == t and clip.times[t] == t / 10 and len(clip) == len(clip.times) == t + 1
    for wrong in (8, 10):
        with pytest.raises(FrameIndexError, match="only the newest frame, 9"):
            clip.frame(wrong)
    with pytest.raises(FrameIndexError, match="expected a frame in 6..9, got 2"):
        clip.times[2]
    with pytest.raises(ShapeError, match="expected frames of 160×96 as before, got 96×160 from camera"):
        clip.show(np.zeros((160, 96, 3), np.uint8), 2.0)


# --- the latest frame wins --------------------------------------------------------------------------------------------


def test_the_latest_frame_wins_and_the_others_are_counted(model: VideoPoseModel) -> None:
    """Five frames come while the first one is worked on: the last of them is next."""
    frames = [draw_number(t) for t in range(7)]
    is_held, go_on, results = threading.Event(), threading.Event(), []

    def hold(seen: Seen) -> None:
        results.append(seen)
        if seen.number == 0:
            is_held.set()
            go_on.wait(60)

    with Live(model, box=(0, 0, 160, 96)) as live:
        live.subscribe(hold)
        live.offer(frames[0])
        assert is_held.wait(60)
        for frame in frames[1:6]:
            live.offer(frame)
        go_on.set()
        until(lambda: live.tracked == 2)
        live.offer(frames[6])
        until(lambda: live.tracked == 3)
    assert [one.number for one in results] == [0, 5, 6]
    assert [read_number(one.image) for one in results] == [0, 5, 6]
    assert (live.captured, live.tracked, live.dropped, live.state) == (7, 3, 4, "stopped")


def test_a_reader_that_is_slow_gets_the_latest_result(model: VideoPoseModel) -> None:
    with Live(model, box=(0, 0, 160, 96)) as live:
        reader = iter(live)
        live.offer(draw_number(0))
        assert next(reader).number == 0
        for t in range(1, 5):
            live.offer(draw_number(t))
            until(lambda t=t: live.tracked == t + 1)  # type: ignore[misc]
        assert next(reader).number == 4
        live.stop()
        assert list(reader) == []


def test_a_clip_is_played_by_its_clock(tmp_path: Path) -> None:
    """A reader that takes 3.5 frames' time for each frame gets every third or fourth, each when it is due."""
    milliseconds = [0, 40, 80, 120, 200, 240, 280, 320, 360, 400, 440, 480]
    path = write_clip(tmp_path / "numbered.mp4", [draw_number(t) for t in range(12)], milliseconds=milliseconds)
    clock = Turns(busy=0.140)
    found = captured(PlayedClip(path, clock=clock), clock, 99)
    assert [one.number for one in found] == [0, 3, 6, 9, 11]
    assert [one.skipped for one in found] == [0, 2, 2, 2, 1]
    assert [read_number(one.image) for one in found] == [one.number for one in found]
    np.testing.assert_allclose([one.time_s for one in found], [milliseconds[one.number] / 1e3 for one in found])
    np.testing.assert_allclose([one.taken for one in found], [50 + one.time_s for one in found])


def test_a_reader_in_time_gets_every_frame_and_a_loop_goes_on(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "numbered.mp4", [draw_number(t) for t in range(5)])
    for loop, count in ((False, 5), (True, 12)):
        clock = Turns(busy=0.01)
        found = captured(PlayedClip(path, loop, clock), clock, 12)
        assert [one.number for one in found] == list(range(count)) and not any(one.skipped for one in found)
        assert [read_number(one.image) for one in found] == [t % 5 for t in range(count)]
        np.testing.assert_allclose([one.time_s for one in found], np.arange(count) / 25)


def test_the_last_frame_of_a_clip_is_tracked_however_slow_the_network_is(model: VideoPoseModel, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "numbered.mp4", [draw_number(t) for t in range(30)])
    results: list[Seen] = []
    live = Live(model, path, box=(0, 0, 160, 96))
    live.subscribe(results.append)
    for _ in live:
        pass
    numbers = [one.number for one in results]
    assert numbers == sorted(set(numbers)) and numbers[-1] == 29
    assert [read_number(one.image) for one in results] == numbers
    assert live.tracked == len(numbers) and live.tracked + live.dropped == live.captured == 30
    assert live.state == "ended"


# --- starting, following, stopping ------------------------------------------------------------------------------------


def test_follow_starts_the_model_again(model: VideoPoseModel, walk: list[np.ndarray]) -> None:
    box = (200.0, 100.0, 400.0, 400.0)
    with Live(model, box=WALK.box) as live:
        for t in range(2):
            live.offer(walk[t])
            until(lambda t=t: live.tracked == t + 1)  # type: ignore[misc]
        with pytest.raises(BoxError, match="outside the frame"):
            live.follow((5000, 0, 5100, 90))
        live.follow(box)
        for t in range(2, 4):
            live.offer(walk[t])
            until(lambda t=t: live.tracked == t + 1)  # type: ignore[misc]
    assert [one.run for one in live.kept] == [0, 0, 1, 1]
    assert live.kept[2].crop == box_to_crop(box, BOX_MARGIN)
    trace = live.trace()
    np.testing.assert_array_equal(trace.joints, np.stack([one.joints for one in live.kept[2:]]))


def test_stopping_ends_threads_and_closes_the_source(model: VideoPoseModel) -> None:
    closed = []

    def endless() -> Iterator[np.ndarray]:
        try:
            while True:
                yield draw_number(1)
        finally:
            closed.append(True)

    live = Live(model, endless(), box=(0, 0, 160, 96)).start()
    until(lambda: live.tracked)
    live.stop()
    assert closed == [True] and live.state == "stopped" and not any(thread.is_alive() for thread in live._threads)
    assert live.tracked + live.dropped == live.captured
    live.stop()
    live.wait()
    with pytest.raises(ClosedError, match="not started before, this one is stopped"):
        live.start()


def test_a_function_is_a_source(model: VideoPoseModel) -> None:
    frames: list[Any] = [draw_number(2), draw_number(1), None]
    with Live(model, lambda: frames.pop(0), box=(0, 0, 160, 96), drop=False) as live:
        live.wait()
    assert [read_number(one.image) for one in live.kept] == [2, 1]


def test_without_a_box_the_person_is_searched(model: VideoPoseModel, walk: list[np.ndarray]) -> None:
    with Live(model, [walk[0]], drop=False) as live:
        live.wait()
    trace = Trace(model, Clip.from_array(np.stack(walk[:1])), None, CONDITIONS, progress=False)
    np.testing.assert_array_equal(live.kept[0].joints, trace.joints[0])


# --- errors -----------------------------------------------------------------------------------------------------------


def broken() -> Iterator[np.ndarray]:
    yield draw_number(0)
    raise VideoError("the cable")


@pytest.mark.parametrize(
    ("source", "error", "message", "tracked"),
    [
        (broken, VideoError, "the cable", 1),
        (lambda: [draw_number(0), np.zeros((8, 8, 3), np.uint8)], ShapeError, "160×96 as before, got 8×8", 1),
        (lambda: [np.zeros((96, 160), np.uint8)], ShapeError, r"got \(96, 160\) uint8", 0),
        (lambda: ["frame"], ShapeError, "got str", 0),
        (lambda: [(2.0, draw_number(0)), (1.0, draw_number(0))], ShapeError, "never decrease, got -1 s after 0 s", 1),
    ],
)
def test_what_ends_a_run_is_raised(
    model: VideoPoseModel, source: Any, error: type[Exception], message: str, tracked: int
) -> None:
    live = Live(model, source(), box=(0, 0, 160, 96), drop=False)
    with live, pytest.raises(error, match=message):
        live.wait()
    assert live.state == "failed" and live.tracked <= tracked
    with pytest.raises(error, match=message):
        list(live)


def test_an_error_of_a_callback_ends_the_run(model: VideoPoseModel) -> None:
    live = Live(model, [draw_number(0)], box=(0, 0, 160, 96))
    live.subscribe(lambda seen: 1 / 0)
    with live, pytest.raises(ZeroDivisionError):
        live.wait()


def test_wrong_arguments_have_clear_errors(model: VideoPoseModel) -> None:
    with pytest.raises(ConfigError, match="expected a live source: .* got an object of type float"):
        as_source(3.5)
    with pytest.raises(ConfigError, match="at least one frame, got keep=0"):
        Live(model, keep=0)
    with pytest.raises(ConfigError, match="without interventions"):
        Live(model, conditions=Conditions(interventions=(DropFrames(range(1, 2)),)))
    with pytest.raises(VideoNotFoundError, match="expected a camera at '/dev/video77'"):
        Live(model, "/dev/video77")
    with pytest.raises(VideoError, match="the camera 77 cannot be opened"):
        Live(model, "77")
    with pytest.raises(ConfigError, match="without a source of its own"):
        Live(model, []).offer(draw_number(0))
    live = Live(model)
    with pytest.raises(ClosedError, match="expected a running live run, this one is ready"):
        live.offer(draw_number(0))
    with pytest.raises(ShapeError, match="at least one tracked frame"):
        live.poses()
    with pytest.raises(ShapeError, match="at least one tracked frame"):
        live.trace()
    with live:
        live.offer(draw_number(0), number=4)
        with pytest.raises(ShapeError, match="expected a frame after number 4, got 2"):
            live.offer(draw_number(0), number=2)
    assert live.captured == 5


def test_a_camera_gives_frames_in_rgb_until_it_is_unplugged(tmp_path: Path) -> None:
    """OpenCV opens a file as it opens a camera; the file stands for one."""
    red = np.zeros((96, 160, 3), np.uint8)
    red[..., 0] = 255
    path = write_clip(tmp_path / "camera.mp4", [draw_number(t) for t in range(4)] + [red])
    camera, found = Camera(str(path)), []
    with pytest.raises(VideoError, match="sends no more frames after frame 4; it may be unplugged"):
        for one in camera.frames(threading.Event()):
            found.append(one)
    camera.close()
    assert [read_number(one.image) for one in found[:4]] == [0, 1, 2, 3] and [one.number for one in found] == [
        *range(5)
    ]
    assert found[4].image.mean((0, 1)).argmax() == 0
    assert np.all(np.diff([one.time_s for one in found]) > 0) and found[0].time_s == 0


def test_refined_joints_have_their_place_in_the_budget(
    model: VideoPoseModel, walk: list[np.ndarray], seen_all: tuple[Live, list[Seen]]
) -> None:
    """The same run with refined joints: maps and squares are equal, and what it costs is a stage of its own."""
    live = Live(model, pairs(walk), WALK.box, Conditions(reinitialise=Reinitialise(), refine=True), drop=False)
    results: list[Seen] = []
    live.subscribe(results.append)
    with live:
        live.wait()
    plain, before = seen_all
    assert [one.crop for one in results] == [one.crop for one in before]
    for one, other in zip(results, before, strict=True):
        np.testing.assert_array_equal(one.heatmaps, other.heatmaps)
        parts = one.capture_ms + one.decode_ms + one.network_ms + one.refine_ms
        assert one.latency_ms == pytest.approx(parts) and other.refine_ms == 0
    assert results[0].refine_ms == 0 < min(one.refine_ms for one in results[1:])
    assert sum((one.joints != other.joints).any() for one, other in zip(results, before, strict=True)) == T - 1
    assert list(live.budget()) == ["capture", "decode", "network", "refine", "latency"]
    assert list(plain.budget()) == ["capture", "decode", "network", "latency"]
    assert live.poses().software == f"{model.name}+refined"
    with live.trace() as trace:
        np.testing.assert_array_equal(trace.joints, np.stack([one.joints for one in results]))
    with pytest.raises(ConfigError, match="a per-frame model without an initializer beside it"):
        Live("simple-baseline-mobilenetv2", pairs(walk), WALK.box, Conditions(refine=True))
