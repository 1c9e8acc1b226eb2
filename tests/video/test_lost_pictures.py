"""A picture of H.264 that was lost from a file: those that refer to it are damaged, all others are shown."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dkd import Clip
from dkd.errors import VideoCorruptError
from dkd.video.h264 import LostPictures
from tests.support.video_files import draw_number, read_number, write_clip

N, GROUP = 48, 16
PICTURES = [draw_number(i) for i in range(N)]
SETTINGS = {
    "each refers to the one before": "bframes=0",
    "some are referred to by none": "bframes=2:b-pyramid=none:b-adapt=0",
    "open groups": "bframes=3:open-gop=1:b-adapt=0",
}
SUFFIXES = [".mp4", ".mkv", ".flv", ".ts", ".mov"]


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("lost")
    common = f"scenecut=0:keyint={GROUP}:min-keyint={GROUP}:threads=1:ref=1"
    return {
        name: write_clip(
            folder / f"{k}.mp4", PICTURES, "libx264", {"preset": "veryfast", "x264-params": f"{common}:{more}"}
        )
        for k, (name, more) in enumerate(SETTINGS.items())
    }


def without(source: Path, target: Path, gone: int) -> tuple[Path, int, bool]:
    """Copy a clip without the packet number ``gone``; return it, the lost frame, and whether others refer to that."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        stream = reader.streams.video[0]
        copy = writer.add_stream_from_template(stream)
        packets = [packet for packet in reader.demux(stream) if packet.size]
        lost = packets[gone]
        frame = round(float((lost.pts or 0) * lost.time_base) * 25)
        is_reference = (lost.pts or 0) > max(p.pts or 0 for p in packets[:gone])
        for packet in packets:
            if packet is not lost:
                packet.stream = copy
                writer.mux(packet)
    return target, frame, is_reference


def shown(path: Path) -> tuple[dict[int, int], set[int]]:
    """Return {time as a number: number that the picture shows}, and the numbers whose picture is damaged."""
    right, damaged = {}, set()
    with Clip(path) as clip:
        for t, time in enumerate(clip.times):
            try:
                right[round(time * 25)] = read_number(clip[t])
            except VideoCorruptError:
                damaged.add(round(time * 25))
    return right, damaged


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["each refers to the one before", "some are referred to by none"])
def test_pictures_that_refer_to_a_lost_one_are_damaged_and_no_others(sources, tmp_path, name, suffix):
    for gone in (GROUP + 3, GROUP + 4, GROUP + 5):
        path, lost, is_reference = without(sources[name], tmp_path / f"{gone}{suffix}", gone)
        right, damaged = shown(path)
        assert all(time == number for time, number in right.items()), gone
        assert set(right) | damaged == set(range(N)) - {lost}
        if is_reference:
            assert {lost + 1} <= damaged <= set(range(lost - 2, 2 * GROUP)), (gone, damaged)
        else:
            assert not damaged, gone


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_frames_that_a_camera_dropped_are_no_damage(tmp_path, suffix):
    times = [40 * i for i in range(N) if i % 7 != 3]
    path = write_clip(
        tmp_path / f"a{suffix}", [PICTURES[t // 40] for t in times], "libx264", {"preset": "veryfast"}, times
    )
    right, damaged = shown(path)
    assert not damaged and right == {t // 40: t // 40 for t in times}


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".h264"])
@pytest.mark.parametrize("profile", ["baseline", "main", "high", "high10", "high422", "high444"])
def test_a_whole_file_of_any_profile_has_no_lost_picture(tmp_path, profile, suffix):
    pixel_format = {"high10": "yuv420p10le", "high422": "yuv422p", "high444": "yuv444p"}.get(profile, "yuv420p")
    path = tmp_path / f"a{suffix}"
    options = {"preset": "medium", "profile": profile, "g": "12", "x264-params": "scaling-matrix=jvt:cqm=jvt:ref=4"}
    write_clip(path, PICTURES[:30], "libx264", options, pixel_format=pixel_format)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        checker = LostPictures(stream.codec_context.extradata)
        for packet in container.demux(stream):
            checker.feed(packet)
        assert checker._pictures and checker._last is not None and not checker._lost  # it did follow the numbers


@given(extradata=st.none() | st.binary(max_size=60), data=st.binary(max_size=80))
def test_data_that_are_no_h264_are_not_judged(extradata, data):
    checker = LostPictures(extradata)
    for start in (b"", b"\0\0\1\x67", b"\0\0\1\x68", b"\0\0\1\x61"):
        checker.feed(av.Packet(start + data))
