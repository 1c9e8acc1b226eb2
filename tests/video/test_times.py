"""Times of frames: the container's own, and those of a constant rate where the container rounds them."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dkd import Clip
from dkd.video.times import timing_of
from tests.support.video_files import CODECS, HEIGHT, WIDTH, draw_number, read_number

N = 40
QUICK = CODECS["h264_closed_gop"][2]
LIBVPX = {"deadline": "realtime", "cpu-used": "8"}


def write_stamped(path, stamps, tick, rate, codec="libx264", options=QUICK, pixel_format="yuv420p"):
    """A clip whose frame i shows i and has the time stamp ``stamps[i]`` in units of ``tick`` seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=dict(options))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
        stream.codec_context.time_base = tick
        for i, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(draw_number(i), format="rgb24")
            frame.pts, frame.time_base = int(stamp), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("suffix", "codec", "options", "pixel_format"),
    [
        (".avi", "mjpeg", {"qmin": "2", "qmax": "3"}, "yuvj420p"),
        (".avi", "libx264", QUICK, "yuv420p"),
        (".avi", "mpeg4", {"bf": "2"}, "yuv420p"),
        (".mp4", "libx264", QUICK, "yuv420p"),
        (".mkv", "libx264", QUICK, "yuv420p"),
        (".webm", "libvpx", LIBVPX, "yuv420p"),
    ],
)
@pytest.mark.parametrize("rate", [30, Fraction(30000, 1001), 240])
def test_dropped_frames_keep_their_times(tmp_path, suffix, codec, options, pixel_format, rate):
    """A recorder that misses frames 10 to 29 leaves a gap: the clip's times have it, and a warning names it."""
    stamps = [*range(10), *range(30, 30 + N - 10)]
    path = write_stamped(tmp_path / f"drop{suffix}", stamps, 1 / Fraction(rate), rate, codec, options, pixel_format)
    with Clip(path) as clip:
        assert [read_number(frame) for frame in clip] == list(range(N))
        np.testing.assert_allclose(clip.times, np.array(stamps) / float(rate), atol=1e-9)
        assert clip.fps == pytest.approx(float(rate)) and clip.mean_rate < clip.fps
        (gap,) = clip.warnings
        assert gap.kind == "gap" and gap.frames == (9,) and "20 frames are missing" in gap.text
        assert "fps with a gap" in repr(clip)


@pytest.mark.parametrize("suffix", [".mkv", ".webm", ".flv"])
@pytest.mark.parametrize("rate", [24, Fraction(24000, 1001), 60, Fraction(60000, 1001), 120, 240, 480, 960])
def test_millisecond_containers_give_the_times_of_the_rate(tmp_path, suffix, rate):
    codec, options = ("libvpx-vp9", LIBVPX) if suffix == ".webm" else ("libx264", QUICK)
    path = write_stamped(tmp_path / f"fast{suffix}", range(N), 1 / Fraction(rate), rate, codec, options)
    with Clip(path) as clip:
        assert clip.fps == pytest.approx(float(rate), rel=1e-4)
        np.testing.assert_allclose(np.diff(clip.times), 1 / float(rate), rtol=1e-4)
        assert "the file rounds them to 0.001 s" in repr(clip) and clip.warnings == ()
        with av.open(str(path)) as container:  # within a tick of what the container says
            stamps = np.array(sorted(float(p.pts * p.time_base) for p in container.demux(video=0) if p.size))
        assert np.abs(clip.times - (stamps - stamps[0])).max() <= 1.001e-3


def test_a_mean_rate_is_not_called_fps(tmp_path):
    stamps = np.cumsum(np.random.default_rng(1).choice([17, 33, 40, 120], N))
    for suffix in (".mp4", ".mkv"):
        with Clip(write_stamped(tmp_path / f"vfr{suffix}", stamps, Fraction(1, 1000), 30)) as clip:
            assert clip.fps is None
            assert clip.mean_rate == pytest.approx((N - 1) / ((stamps[-1] - stamps[0]) / 1000))
            np.testing.assert_allclose(clip.times, (stamps - stamps[0]) / 1000, atol=1e-9)
            assert " fps" not in repr(clip) and "variable rate (mean" in repr(clip)


def test_speeds_of_a_uniform_motion_are_uniform(tmp_path):
    """The container's own times would make 200 to 250 of 240."""
    with Clip(write_stamped(tmp_path / "a.mkv", range(N), Fraction(1, 240), 240)) as clip:
        np.testing.assert_allclose(1 / np.diff(clip.times), 240, rtol=1e-6)


@given(
    rate=st.sampled_from([24, 25, 30, 50, 60, 100, 120, 240, 500, 960]),
    ntsc=st.booleans(),
    tick=st.sampled_from([Fraction(1, 1000), Fraction(1, 600), Fraction(1, 90000)]),
    n=st.integers(5, 400),
    start=st.floats(0, 1),
    down=st.booleans(),
    stated=st.booleans(),
)
def test_a_rounded_constant_rate_is_found_with_and_without_a_stated_rate(rate, ntsc, tick, n, start, down, stated):
    true = Fraction(rate * 1000, 1001) if ntsc else Fraction(rate)
    exact = np.arange(n) / float(true * tick) + start
    ticks = np.floor(exact) if down else np.rint(exact)
    if (np.diff(ticks) < 1).any():
        return  # the container cannot tell the frames apart; such a file is counted
    timing = timing_of(ticks.astype(np.int64), tick, [true] if stated else [Fraction(1000)])
    assert timing.rate is not None and timing.gaps == ()
    own = (ticks - ticks[0]) * float(tick)
    assert np.abs(timing.times - own).max() <= float(tick) * 1.0001
    np.testing.assert_allclose(np.diff(timing.times), timing.times[1], rtol=1e-6)
    if stated:
        assert timing.rate == pytest.approx(float(true))


@given(
    steps=st.lists(st.integers(1, 3000), min_size=4, max_size=60),
    tick=st.sampled_from([Fraction(1, 1000), Fraction(1, 90000)]),
)
def test_times_are_never_further_than_a_tick_from_the_containers(steps, tick):
    ticks = np.cumsum([7, *steps])
    timing = timing_of(ticks, tick, [Fraction(30)])
    own = (ticks - ticks[0]) * float(tick)
    assert np.abs(timing.times - own).max() <= float(tick) * 1.0001
    assert (np.diff(timing.times) > 0).all() and timing.times[0] == 0
    if max(steps) - min(steps) > 2 and timing.rate is not None:  # uneven: only on a grid with missing frames
        assert timing.gaps
