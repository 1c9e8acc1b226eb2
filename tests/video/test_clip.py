"""The interface of a clip, from a file and in memory."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from dkd import errors
from dkd.video.clip import Clip
from tests.support.numbered_clips import AVAILABLE, N
from tests.support.video_files import HEIGHT, RATE, WIDTH, draw_number, read_number, write_numbered


@pytest.fixture(params=["file", "array"])
def clip(request, clips) -> Clip:
    if request.param == "file":
        return Clip(clips["h264_open_gop"])
    return Clip.from_array(np.stack([draw_number(i) for i in range(N)]), fps=RATE)


def test_a_clip_in_memory_and_one_from_a_file_behave_alike(clip):
    assert len(clip) == N and (clip.width, clip.height, clip.fps) == (WIDTH, HEIGHT, RATE)
    np.testing.assert_allclose(clip.times, np.arange(N) / RATE)
    assert [read_number(frame) for frame in clip] == list(range(N))
    assert read_number(clip[np.int64(7)]) == 7
    frame = clip.frame(3)
    assert frame.shape == (HEIGHT, WIDTH, 3) and frame.dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        frame[0, 0, 0] = 1
    for i in (-1, N, N + 100):
        with pytest.raises(errors.FrameIndexError, match=f"from 0 to {N - 1} .*got {i}"):
            clip.frame(i)
    with pytest.raises(TypeError):
        clip.frame(1.5)
    for start, stop in ((-1, 5), (5, 4), (0, N + 1)):
        with pytest.raises(errors.FrameIndexError, match="expected 0 ≤ start ≤ stop"):
            clip.frames(start, stop)
    assert list(clip.frames(N)) == []
    assert clip.name in repr(clip) and f"{N} frames, {WIDTH}×{HEIGHT}, 25 fps" in repr(clip)


def test_closing(clip):
    with clip as same:
        assert same is clip
    clip.close()
    assert "closed" in repr(clip)
    for use in (lambda: clip[0], lambda: next(clip.frames()), clip.__enter__):
        with pytest.raises(errors.ClosedError, match="was closed; open it again"):
            use()


def test_names_and_paths(clips):
    with Clip(str(clips["hevc"])) as clip:
        assert clip.path == clips["hevc"] and clip.name == "hevc.mp4"
    memory = Clip.from_array(np.zeros((2, 4, 6, 3), np.uint8), fps=10, name="black")
    assert (memory.path, memory.name, memory.backend) == (None, "black", "memory")
    assert list(memory.times) == [0, 0.1] and (memory.width, memory.height) == (6, 4)


@pytest.mark.parametrize("shape", [(4, 6, 3), (2, 4, 6), (2, 4, 6, 4), (0, 4, 6, 3)])
def test_arrays_that_are_no_clip(shape):
    with pytest.raises(errors.ShapeError, match=r"expected frames of shape \(T, H, W, 3\)"):
        Clip.from_array(np.zeros(shape, np.uint8))


def test_settings_that_make_no_sense(clips):
    with pytest.raises(errors.ShapeError, match="float32"):
        Clip.from_array(np.zeros((2, 4, 6, 3), np.float32))
    for fps in (0, -1, float("nan"), float("inf")):
        with pytest.raises(errors.ConfigError, match="expected fps > 0"):
            Clip.from_array(np.zeros((2, 4, 6, 3), np.uint8), fps=fps)
    with pytest.raises(errors.ConfigError, match="unknown video backend 'decor'; did you mean 'decord'"):
        Clip(clips["hevc"], backend="decor")
    with pytest.raises(errors.ConfigError, match="cache_bytes of 0 or more"):
        Clip(clips["hevc"], cache_bytes=-1)


if sys.platform == "linux":

    def test_writing_clips_leaves_this_process_its_usual_share_of_the_machine(tmp_path) -> None:
        """SVT-AV1 would make it a real-time process for root, and all tests beside it would wait."""
        for name in AVAILABLE:
            write_numbered(tmp_path, name, 3)
        policies = {os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")}
        assert policies == {os.SCHED_OTHER}
