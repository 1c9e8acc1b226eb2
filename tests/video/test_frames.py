"""The right frame, whatever was read before, in every codec and container."""

from __future__ import annotations

import dataclasses
import logging
import random

import numpy as np
import pytest

from dkd.video import index as video_index
from dkd.video import readers as video_readers
from dkd.video.clip import Clip
from tests.support.numbered_clips import (
    AVAILABLE,
    BEYOND_DECORD,
    FRAME_BYTES,
    HAS_DECORD,
    VFR_MS,
    WITH_BACKENDS,
    N,
    numbers,
)
from tests.support.video_files import CODECS, HEIGHT, RATE, WIDTH, draw_number, read_number, remux, write_clip


def test_all_encoders_that_the_house_pins_are_here():
    assert {"libx264", "libx265", "libvpx-vp9", "mpeg4"} <= {CODECS[name][1] for name in AVAILABLE}


@pytest.mark.parametrize(("name", "backend"), WITH_BACKENDS)
def test_every_frame_shows_its_own_number_in_any_order(clips, name, backend):
    order = list(range(N))
    random.Random(1).shuffle(order)
    for cache_bytes in (0, 20 * FRAME_BYTES):
        with Clip(clips[name], backend=backend, cache_bytes=cache_bytes) as clip:
            assert len(clip) == N and clip.backend == backend
            assert [read_number(frame) for frame in clip] == list(range(N))
            assert clip.backend == backend  # decord went all the way, nothing stepped in for it
            assert numbers(clip, order) == order
            assert numbers(clip, reversed(range(N))) == list(reversed(range(N)))
            assert [read_number(frame) for frame in clip.frames(17, 41)] == list(range(17, 41))


@pytest.mark.parametrize("name", AVAILABLE)
def test_random_access_on_a_fresh_clip(clips, name):
    for i in (N - 1, 12, 11, 13, 1):
        with Clip(clips[name]) as clip:
            assert read_number(clip[i]) == i


@pytest.mark.parametrize(("name", "backend"), [pair for pair in WITH_BACKENDS if pair[1] == "decord"])
def test_both_back_ends_give_the_same_pixels(clips, name, backend):
    with Clip(clips[name], backend=backend) as a, Clip(clips[name], backend="pyav") as b:
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("name", sorted(BEYOND_DECORD & set(AVAILABLE)) if HAS_DECORD else [])
def test_what_decord_cannot_do_is_left_to_pyav(clips, name, caplog):
    with caplog.at_level(logging.WARNING), Clip(clips[name], backend="decord") as clip:
        assert clip.backend == "pyav" and "pyav" in repr(clip)
        assert "is read by PyAV instead of decord" in caplog.text
        assert numbers(clip, (0, 1, 30)) == [0, 1, 30]


@pytest.mark.parametrize("name", AVAILABLE)
def test_pyav_reads_by_default(clips, name):
    with Clip(clips[name]) as clip:
        assert clip.backend == "pyav" and "pyav" in repr(clip)


@pytest.mark.parametrize("name", AVAILABLE)
def test_times_are_the_containers(clips, name):
    expected = np.array(VFR_MS) / 1000 if name == "h264_vfr" else np.arange(N) / RATE
    with Clip(clips[name], backend="pyav") as clip:
        np.testing.assert_allclose(clip.times, expected, atol=1e-6)
        assert clip.times[0] == 0 and clip.times.dtype == np.float64 and not clip.times.flags.writeable
        assert clip.mean_rate == pytest.approx((N - 1) / expected[-1], rel=1e-3)
        assert clip.fps == (None if name == "h264_vfr" else RATE)
        assert (clip.width, clip.height) == (WIDTH, HEIGHT)


def test_ten_bit_colours_do_not_change_with_the_back_end(tmp_path):
    _, codec, options = CODECS["h264_closed_gop"]
    pictures = [draw_number(i) for i in range(5)]
    path = write_clip(tmp_path / "ten_bit.mp4", pictures, codec, options, pixel_format="yuv420p10le")
    with Clip(path) as clip:
        assert clip.backend == "pyav"  # decord renders 10 bits up to 40 grey levels away
        assert numbers(clip, range(5)) == list(range(5))


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("backend", ["pyav", "decord"] if HAS_DECORD else ["pyav"])
def test_a_phones_rotation_is_applied(tmp_path, degrees, backend):
    _, codec, options = CODECS["h264_closed_gop"]
    stored = [np.ascontiguousarray(np.rot90(draw_number(i), -degrees // 90)) for i in range(15)]
    path = write_clip(tmp_path / "phone.mp4", stored, codec, options, rotation=degrees)
    with Clip(path, backend=backend) as clip:
        assert (clip.width, clip.height) == (WIDTH, HEIGHT)
        assert numbers(clip, range(15)) == list(range(15))  # read_number fails on a turned picture
        assert numbers(clip, (9, 3)) == [9, 3]


@pytest.mark.parametrize(
    ("suffix", "options"), [(".mp4", {}), (".mp4", {"movflags": "frag_keyframe+empty_moov"}), (".mkv", {})]
)
@pytest.mark.parametrize("name", ["h264_open_gop", "h264_closed_gop", "hevc"])
def test_a_recording_that_begins_inside_another(clips, tmp_path, name, suffix, options):
    """Starting at the second key frame, leading pictures of an open group lack their references and do not count."""
    with Clip(remux(clips[name], tmp_path / f"part{suffix}", 1, container_options=options)) as clip:
        assert numbers(clip, range(len(clip))) == list(range(12, N))
        assert numbers(clip, (40, 1, 0)) == [52, 13, 12]


@pytest.mark.parametrize("name", ["h264_open_gop", "h264_closed_gop", "hevc"])
def test_what_an_edit_list_hides_is_not_counted(clips, tmp_path, name):
    with Clip(remux(clips[name], tmp_path / "hidden.mp4", 1, hide=True)) as clip:
        assert clip.times[0] == 0
        assert numbers(clip, range(len(clip))) == list(range(12, N))
        assert numbers(clip, (40, 1, 0)) == [52, 13, 12]


@pytest.mark.parametrize("late", [1, 3, 12, 30])
@pytest.mark.parametrize("name", ["h264_transport_stream", "mpeg2_program_stream", "mpeg4_transport_stream"])
def test_a_seek_that_lands_too_late_gives_no_wrong_frame(clips, name, late):
    """Seeking in streams guesses; here each seek lands ``late`` frames after the requested key frame."""
    index = video_index.build_index(clips[name])
    later = tuple(key._replace(seek=key.seek + late * 90_000 // RATE) for key in index.keys)
    for i in (50, 37, 38, 20, 59, 3):
        reader = video_readers.PyAVReader(clips[name], dataclasses.replace(index, keys=later))
        *_, (number, picture) = reader.read(i, i)
        reader.close()
        assert number == read_number(picture) == i


def test_joined_streams_whose_clock_jumps_back_are_read_in_their_order(clips, tmp_path):
    path = tmp_path / "joined.ts"
    path.write_bytes(clips["h264_transport_stream"].read_bytes() * 2)
    with Clip(path) as clip:
        assert len(clip) == 2 * N
        assert numbers(clip, range(2 * N)) == [*range(N), *range(N)]
        assert numbers(clip, (N + 5, 5)) == [5, 5]
