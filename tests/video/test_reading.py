"""What reading costs, in memory and in decoded frames; threads and processes; decord missing or failing."""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dkd.video import readers as video_readers
from dkd.video.clip import Clip, FrameCache
from dkd.video.decord_reader import DecordUnfitError
from tests.support.numbered_clips import FRAME_BYTES, HAS_DECORD, N, numbers
from tests.support.video_files import draw_number, read_number

# ---- cost: memory, and how much is decoded --------------------------------------------------------------------------


@pytest.fixture
def count_decoded(monkeypatch) -> list[int]:
    """Return a list with one element: the number of frames decoded by the readers."""
    total = [0]
    original = video_readers.decoded

    def counting(*arguments):
        for result in original(*arguments):
            total[0] += 1
            yield result

    monkeypatch.setattr(video_readers, "decoded", counting)
    return total


@pytest.mark.parametrize("name", ["h264_open_gop", "h264_matroska", "hevc", "vp9", "h264_transport_stream"])
def test_a_far_frame_costs_at_most_two_groups_of_pictures(clips, name, count_decoded):
    with Clip(clips[name], backend="pyav", cache_bytes=0) as clip:
        before = count_decoded[0]
        assert read_number(clip[50]) == 50
        assert count_decoded[0] - before <= 2 * 20  # the longest group here has 20 frames


def test_stepping_backward_decodes_each_frame_about_twice(clips, count_decoded):
    with Clip(clips["h264_closed_gop"], backend="pyav", cache_bytes=40 * FRAME_BYTES) as clip:
        assert numbers(clip, reversed(range(N))) == list(reversed(range(N)))
    assert count_decoded[0] <= 2 * N + 12


def test_reading_forward_decodes_each_frame_once(clips, count_decoded):
    with Clip(clips["hevc"], backend="pyav", cache_bytes=FRAME_BYTES) as clip:
        assert numbers(clip, range(N)) == list(range(N))
        assert count_decoded[0] == N


@pytest.mark.parametrize("backend", ["pyav", "decord"] if HAS_DECORD else ["pyav"])
def test_a_clip_larger_than_its_cache_stays_within_it(clips, backend):
    limit = 7 * FRAME_BYTES + 11
    with Clip(clips["h264_open_gop"], backend=backend, cache_bytes=limit) as clip:
        held = []
        for i in [*range(N), *reversed(range(N)), *random.Random(2).sample(range(N), N)]:
            clip.frame(i)
            held.append(clip.cached_bytes)
        assert max(held) == 7 * FRAME_BYTES
    assert clip.cached_bytes == 0


def test_a_cached_frame_is_not_decoded_again(clips, count_decoded):
    with Clip(clips["h264_open_gop"], backend="pyav") as clip:
        first = clip[30]
        before = count_decoded[0]
        assert clip[30] is first and count_decoded[0] == before


@given(
    limit=st.integers(0, 60),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(1, 25)), max_size=60),
)
def test_the_cache_is_a_bounded_lru(limit, steps):
    cache = FrameCache(limit)
    model: list[tuple[int, int]] = []  # (number, bytes), least recently used first
    for is_put, number, size in steps:
        known = dict(model)
        if is_put:
            cache.put(number, np.zeros(size, np.uint8))
            model = [entry for entry in model if entry[0] != number]
            if size <= limit:
                model.append((number, size))
            while sum(s for _, s in model) > limit:
                model.pop(0)
        else:
            frame = cache.get(number)
            assert (None if frame is None else frame.nbytes) == known.get(number)
            if number in known:
                model = [entry for entry in model if entry[0] != number] + [(number, known[number])]
        assert cache.nbytes == sum(s for _, s in model) <= limit
        assert len(cache) == len(model)


# ---- threads and processes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["pyav", "decord"] if HAS_DECORD else ["pyav"])
def test_four_threads_read_at_once(clips, backend):
    wrong: list[tuple[int, int]] = []
    finished = []
    with Clip(clips["h264_open_gop"], backend=backend, cache_bytes=10 * FRAME_BYTES) as clip:

        def read(seed):
            for i in random.Random(seed).choices(range(N), k=60):
                if (shown := read_number(clip[i])) != i:
                    wrong.append((i, shown))
            finished.append(seed)

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == [] and sorted(finished) == [0, 1, 2, 3]


def _read_in_child(clip: Clip, answers) -> None:
    answers.put([read_number(clip[i]) for i in (30, 31, 2)])


@pytest.mark.parametrize("backend", ["auto", "pyav"] if hasattr(os, "fork") else [])
def test_a_forked_process_reads_the_clip_while_a_thread_here_holds_it(clips, backend):
    context = multiprocessing.get_context("fork")
    with Clip(clips["h264_open_gop"], backend=backend) as clip:
        assert numbers(clip, (0, 1)) == [0, 1]  # the decoders' threads are running
        held, release = threading.Event(), threading.Event()

        def hold():
            with clip._lock:
                held.set()
                release.wait()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait()
        answers = context.SimpleQueue()
        child = context.Process(target=_read_in_child, args=(clip, answers))
        child.start()
        child.join(60)
        hung = child.is_alive()
        if hung:
            child.kill()
        release.set()
        holder.join()
        assert not hung and child.exitcode == 0
        assert answers.get() == [30, 31, 2]
        assert numbers(clip, (40, 2)) == [40, 2]  # and the parent goes on


# ---- decord: missing, failing ---------------------------------------------------------------------------------------


def test_without_decord_pyav_reads_all(clips, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "decord", None)
    with caplog.at_level(logging.WARNING), Clip(clips["h264_open_gop"], backend="decord") as clip:
        assert clip.backend == "pyav"
        assert numbers(clip, range(N)) == list(range(N))
    assert "read by PyAV instead of decord: decord is not installed" in caplog.text


class _FakeDecord:
    """Stands for the module decord: a reader of ``count`` frames that shows ``wrong`` in place of frame 40."""

    class logging:  # noqa: N801 (decord's own name)
        QUIET = 0

        @staticmethod
        def set_level(level):
            pass

    def __init__(self, pictures, count):
        class Reader:
            def __init__(self, path, num_threads):
                self.frames = iter(pictures)

            def __len__(self):
                return count

            def next(self):
                self.frame = next(self.frames)
                return self

            def asnumpy(self):
                return self.frame

        self.VideoReader = Reader


@pytest.mark.parametrize(
    ("count", "wrong", "words"),
    [(N - 1, None, "counts 59 frames where there are 60"), (N, 40, "frame 40 decoded by decord differs from PyAV's")],
)
def test_a_decord_that_sees_another_file_than_pyav_is_not_used(clips, monkeypatch, caplog, count, wrong, words):
    """Not on a sample of frames: the difference may be in any of them."""
    with Clip(clips["h264_open_gop"]) as clip:
        pictures = [frame.copy() for frame in clip]
    if wrong is not None:
        pictures[wrong] = draw_number(1)
    monkeypatch.setitem(sys.modules, "decord", _FakeDecord(pictures, count))
    with caplog.at_level(logging.WARNING), Clip(clips["h264_open_gop"], backend="decord") as clip:
        assert clip.backend == "pyav" and numbers(clip, (0, 1, 40)) == [0, 1, 40]
    assert words in caplog.text


@pytest.mark.parametrize("name", ["h264_open_gop", "mpeg4_avi"] if HAS_DECORD else [])
def test_where_decord_fails_pyav_takes_over_with_a_warning(clips, name, monkeypatch, caplog):
    with Clip(clips[name], backend="decord") as clip, caplog.at_level(logging.WARNING):
        original = clip._source._decord.read

        def fail_at_20():
            if clip._source._decord.position == 20:
                raise DecordUnfitError("decord fails at frame 20")
            return original()

        monkeypatch.setattr(clip._source._decord, "read", fail_at_20)
        assert clip.backend == "decord"
        assert numbers(clip, range(N)) == list(range(N))
        assert clip.backend == "pyav"
    assert "read by PyAV from here on: decord fails at frame 20" in caplog.text
