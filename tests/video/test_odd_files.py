"""Files that are whole and valid, but odd: several tracks, another size in the middle, odd paths."""

from __future__ import annotations

import logging
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from dkd import Clip, errors
from tests.support.video_files import CODECS, HEIGHT, WIDTH, draw_number, read_number, write_clip

N = 40
PICTURES = [draw_number(i) for i in range(N)]
QUICK = CODECS["h264_closed_gop"][2]


def write_tracks(path: Path, *tracks: list[np.ndarray], default: int | None = None) -> Path:
    with av.open(str(path), "w") as container:
        streams = []
        for number, pictures in enumerate(tracks):
            stream = container.add_stream("libx264", rate=25, options=QUICK)
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            if default is not None:
                stream.disposition = Disposition.default if number == default else Disposition(0)
            streams.append(stream)
        for i in range(max(map(len, tracks))):
            for stream, pictures in zip(streams, tracks, strict=True):
                if i < len(pictures):
                    frame = av.VideoFrame.from_ndarray(pictures[i], format="rgb24")
                    frame.pts, frame.time_base = i, Fraction(1, 25)
                    container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


def shown(clip: Clip) -> list[int]:
    return [read_number(frame) for frame in clip]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("backend", ["auto", "decord"])
def test_two_tracks_that_begin_alike_are_never_mixed(tmp_path, caplog, suffix, backend):
    noise = np.random.default_rng(0).integers(0, 255, (N, HEIGHT, WIDTH, 3), dtype=np.uint8)
    black = np.zeros_like(PICTURES[0])
    path = write_tracks(tmp_path / f"two{suffix}", [black, *PICTURES[1:]], [black, *noise[1:]])
    with caplog.at_level(logging.WARNING), Clip(path, backend=backend, cache_bytes=0) as clip:
        assert [read_number(clip[i]) for i in (*range(1, N), 7, 8, 7)] == [*range(1, N), 7, 8, 7]
        assert clip.track == 0
        assert [w.kind for w in clip.warnings] == ["track"]
    assert f"track 0 is read, left out: track 1 ({WIDTH}×{HEIGHT}, {N} frames)" in caplog.text


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_film_comes_before_a_still_and_a_default_track_before_the_first(tmp_path, suffix):
    still = [draw_number(500)]
    with Clip(write_tracks(tmp_path / f"still{suffix}", still, PICTURES)) as clip:
        assert clip.track == 1 and shown(clip) == list(range(N))
    others = [draw_number(100 + i) for i in range(N)]
    path = write_tracks(tmp_path / f"default{suffix}", others, PICTURES, default=1)
    with Clip(path) as clip:
        assert clip.track == 1 and shown(clip) == list(range(N))
    with Clip(path, track=0) as clip:
        assert clip.track == 0 and shown(clip) == [100 + i for i in range(N)]
        assert "left out: track 1" in clip.warnings[0].text


def test_a_track_that_is_not_there(tmp_path):
    path = write_tracks(tmp_path / "one.mp4", PICTURES[:3])
    for track in (1, -1):
        with pytest.raises(errors.ConfigError, match=f"expected a track from 0 to 0 of one.mp4, got track={track}"):
            Clip(path, track=track)
    with pytest.raises(TypeError):
        Clip(path, track="0")


def test_frames_of_another_size_are_an_error_at_the_same_frame_in_any_order(tmp_path):
    options = {"deadline": "realtime", "cpu-used": "8"}
    small = [np.ascontiguousarray(p[:, : WIDTH // 2]) for p in PICTURES[:10]]
    parts = [write_clip(tmp_path / f"{k}.webm", p, "libvpx-vp9", options) for k, p in enumerate((PICTURES[:10], small))]
    path = tmp_path / "joined.webm"
    with av.open(str(path), "w") as writer:
        target = None
        for k, part in enumerate(parts):
            with av.open(str(part)) as reader:
                target = target or writer.add_stream_from_template(reader.streams.video[0])
                for packet in reader.demux(video=0):
                    if packet.size:
                        packet.pts, packet.dts = packet.pts + 400 * k, packet.dts + 400 * k
                        packet.stream = target
                        writer.mux(packet)
    for backend in ("auto", "decord"):
        for order in (range(16), [15], [12, 3, 18]):
            with Clip(path, backend=backend) as clip:
                assert clip.backend == "pyav"
                with pytest.raises(errors.VideoFormatError, match="160×96, but frame 10 is 80×96"):
                    for i in order:
                        clip.frame(i)


# ---- paths ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["take:2.mp4", "http:film.mp4", "pipe:0", "file:x.mp4", "100%.mp4", "a|b.mp4", "#1 é.mp4"]
)
@pytest.mark.parametrize("backend", ["auto", "decord"])
def test_a_name_is_a_name(tmp_path, monkeypatch, name, backend):
    """A relative name with a colon is no address of a server."""
    monkeypatch.chdir(tmp_path)
    os.rename(write_clip(tmp_path / "plain.mp4", PICTURES[:5], "libx264", QUICK), name)
    with Clip(name, backend=backend) as clip:
        assert shown(clip) == list(range(5)) and clip.name == name


def test_what_is_no_regular_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    for path, words in ((tmp_path / "pipe.mp4", "is a named pipe"), ("/dev/null", "is a character device")):
        with pytest.raises(errors.VideoFormatError, match=words):
            Clip(path)


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("x" * 5000, errors.VideoError, "expected the path of a video file"),
        ("nul\0.mp4", errors.VideoError, "expected the path of a video file"),
        ("https://example.org/walk.mp4", errors.VideoNotFoundError, "download the video first"),
        (str(Path(__file__) / "walk.mp4"), errors.VideoNotFoundError, "check the path"),
    ],
)
def test_paths_that_lead_nowhere(path, error, words):
    with pytest.raises(error, match=words):
        Clip(path)


def test_a_kind_that_cannot_be_decoded_is_not_called_cut_short(tmp_path):
    path = write_clip(tmp_path / "a.webp", PICTURES[:4], "libwebp_anim", {"lossless": "1"}, pixel_format="bgra")
    with pytest.raises(errors.VideoFormatError, match="can decode none of the .* pictures of a.webp") as caught:
        Clip(path)
    assert "cut short" not in str(caught.value)
