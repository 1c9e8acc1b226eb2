"""Reading ahead: the same frames in any order, errors where the frame is asked for, and no thread left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dkd.errors import ClosedError, FrameIndexError, VideoCorruptError
from dkd.tracking.conditions import Conditions
from dkd.tracking.interventions import DropFrames, RepeatFrame
from dkd.tracking.pixels import frames_read
from dkd.tracking.trace import Trace
from dkd.tracking.two_way import TwoWayTrace
from dkd.video.ahead import DEPTH, reading_ahead
from dkd.video.clip import Clip
from dkd.video.ranges import Backwards, ClipRange
from tests.models.test_models import varied_model
from tests.support.numbered_clips import N
from tests.support.video_files import draw_number, read_number, write_clip
from tests.video.test_damage import places

ORDERS = st.lists(st.integers(0, N - 1), min_size=DEPTH, max_size=30)


@pytest.fixture
def clip(clips: dict[str, Path]) -> Iterator[Clip]:
    with Clip(clips["h264_open_gop"]) as clip:
        yield clip


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "dkd-reading-ahead"]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=ORDERS, asked=st.lists(st.integers(0, N - 1), max_size=15), start=st.integers(0, 30))
def test_every_frame_is_the_one_that_was_asked_for(clip: Clip, order: list[int], asked: list[int], start: int) -> None:
    """In the order that was announced, in any other, and with frames that were not announced in between."""
    with reading_ahead(clip, order) as ahead:
        for t in [*order[:start], *asked, *order[start:]]:
            assert read_number(ahead.frame(t)) == t
        assert (len(ahead), ahead.name, ahead.width) == (len(clip), clip.name, clip.width)
    assert readers() == []


def test_parts_are_read_in_their_own_order(clip: Clip) -> None:
    with reading_ahead(ClipRange(clip, 10, 30), range(20)) as ahead:
        assert [read_number(ahead.frame(t)) for t in range(20)] == list(range(10, 30))
    with reading_ahead(Backwards(clip, 29), range(30)) as ahead:
        assert len(readers()) == 1
        assert [read_number(ahead.frame(t)) for t in range(30)] == list(range(29, -1, -1))


def test_what_needs_no_decoding_is_not_read_ahead(clip: Clip) -> None:
    memory = Clip.from_array(np.stack(list(clip.frames(0, 20))))
    for source, n in ((memory, 20), (ClipRange(memory), 20), (clip, DEPTH - 1)):
        with reading_ahead(source, range(n)) as same:
            assert same is source and readers() == []


def test_an_error_is_raised_where_its_frame_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "damaged.avi"
    write_clip(path, [draw_number(t) for t in range(N)], "mjpeg", pixel_format="yuvj420p")
    data = bytearray(path.read_bytes())
    begin, size = places(path)[20]
    data[begin + size // 2 : begin + size] = bytes(size - size // 2)
    path.write_bytes(data)
    with Clip(path) as clip, reading_ahead(clip, range(N)) as ahead:
        assert [read_number(ahead.frame(t)) for t in range(20)] == list(range(20))
        with pytest.raises(VideoCorruptError, match="frame 20"):
            ahead.frame(20)
        assert read_number(ahead.frame(21)) == 21
        with pytest.raises(FrameIndexError):
            ahead.frame(N)
    with Clip(path) as clip:
        with pytest.raises(VideoCorruptError, match="frame 20") as caught:
            Trace(varied_model(1), clip, (10, 10, 60, 60), progress=False)
        assert len(caught.value.trace) == 20  # type: ignore[attr-defined]
    assert readers() == []


def test_the_thread_ends_with_its_block_whatever_happens(clip: Clip) -> None:
    with pytest.raises(ZeroDivisionError), reading_ahead(clip, range(N)) as ahead:
        assert len(readers()) == 1
        _ = 1 / (read_number(ahead.frame(0)) - 0)
    assert readers() == []
    with reading_ahead(clip, range(N)) as ahead:
        clip.close()
        with pytest.raises(ClosedError):
            for t in range(N):
                ahead.frame(t)
    assert readers() == []


def test_a_run_is_the_same_bit_for_bit(clip: Clip) -> None:
    """As from frames in memory, which are not read ahead: forwards, backwards, changed, stopped and continued."""
    memory = Clip.from_array(np.stack(list(clip)), fps=clip.mean_rate)
    model, box = varied_model(1), (10, 10, 60, 60)

    def runs(source: Clip) -> list[Trace]:
        stopped = Trace(model, source, box, progress=False, cancel=iter([False] * 17 + [True]).__next__)
        assert len(stopped) == 17 and readers() == []
        stopped.run(progress=False)
        two_way = TwoWayTrace(model, source, box, origin=25, progress=False)
        changed = stopped.repeat_frame(range(20, 30)).drop_frames(range(35, 38)).occlude((0, 0, 30, 30), range(40, 50))
        return [stopped, two_way, changed]

    for one, other in zip(runs(clip), runs(memory), strict=True):
        for name in ("joints", "heatmaps", "kernels", "scores"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert readers() == []


def test_the_frames_that_a_run_reads() -> None:
    changes = (RepeatFrame(range(3, 5)), DropFrames(range(6, 8)))
    assert frames_read(Conditions(interventions=changes), range(1, 10)) == [1, 2, 2, 2, 5, 8, 9]
