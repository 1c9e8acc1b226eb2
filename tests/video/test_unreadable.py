"""Files that are no video, truncated, or damaged: a true reason, and never a wrong frame."""

from __future__ import annotations

import logging
import random
import wave

import av
import numpy as np
import pytest
from av.stream import Disposition

from dkd import errors
from dkd.video.clip import Clip
from tests.support.numbered_clips import N, cut, damage, numbers
from tests.support.video_files import CODECS, HEIGHT, WIDTH, draw_number, write_clip


def test_files_that_are_no_video(tmp_path):
    text = "not a vidéo\n" * 400  # the first 4096 bytes end within a character
    (tmp_path / "text.mp4").write_text(text)
    (tmp_path / "text.txt").write_text(text)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "noise.avi").write_bytes(random.Random(0).randbytes(5000))
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16000))
    for name, error, words in (
        ("nowhere.mp4", errors.VideoNotFoundError, "nothing at.*nowhere.mp4.*check the path"),
        (".", errors.VideoEmptyError, "expected images in the directory"),
        ("empty.mp4", errors.VideoEmptyError, "0 bytes"),
        ("text.mp4", errors.VideoFormatError, "text.mp4 is a text file; give an MP4"),
        ("text.txt", errors.VideoFormatError, "text.txt is a text file"),
        ("noise.avi", errors.VideoFormatError, "noise.avi is not in a format that the installed decoders know"),
        ("sound.wav", errors.VideoNoTrackError, "expected a video track in sound.wav, but it only has: audio"),
    ):
        with pytest.raises(errors.VideoError, match=words) as caught:
            Clip(tmp_path / name)
        assert type(caught.value) is error


def test_a_songs_cover_is_no_video(tmp_path):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=8000)
        cover = container.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = WIDTH, HEIGHT, "rgb24"
        cover.disposition = Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(draw_number(0), format="rgb24")))
        container.mux(cover.encode(None))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 8000
        container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    with pytest.raises(errors.VideoNoTrackError, match="it only has: audio"):
        Clip(path)


def test_an_mp4_that_lost_its_index(clips, tmp_path):
    with pytest.raises(errors.VideoTruncatedError, match="cut short, 0 frames are readable") as caught:
        Clip(cut(clips["h264_open_gop"], tmp_path / "cut.mp4", 40))
    assert caught.value.n_readable == 0


@pytest.mark.parametrize("packet", [12, 29, 55])
@pytest.mark.parametrize("name", ["faststart", "h264_matroska", "vp9", "mpeg4_avi", "h264_avi"])
def test_a_file_cut_short_is_a_shorter_clip(clips, faststart, tmp_path, caplog, name, packet):
    whole = faststart if name == "faststart" else clips[name]
    with caplog.at_level(logging.WARNING), Clip(cut(whole, tmp_path / f"cut{whole.suffix}", packet)) as clip:
        n = len(clip)
        # Only frames at the end that wait for one another are given up.
        assert clip.truncated and packet - 5 <= n <= packet
        assert numbers(clip, range(n)) == list(range(n))
        assert f"cut{whole.suffix}: the file is cut short or damaged at its end: {n}" in caplog.text
        with pytest.raises(errors.VideoTruncatedError, match=f"{n} frames are readable") as caught:
            clip.frame(n)
        assert caught.value.n_readable == n
        with pytest.raises(errors.FrameIndexError):
            clip.frame(-1)


def test_a_file_cut_before_its_first_frame(faststart, tmp_path):
    data = faststart.read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: data.index(b"mdat") + 20])
    with pytest.raises(errors.VideoTruncatedError, match="0 frames are readable"):
        Clip(path)


def test_a_complete_file_is_not_called_truncated(clips, caplog):
    with caplog.at_level(logging.WARNING):
        for path in clips.values():
            with Clip(path, backend="pyav") as clip:
                assert not clip.truncated
    assert caplog.text == ""


@pytest.mark.parametrize("backend", ["auto", "pyav"])
@pytest.mark.parametrize("how", ["zeros", "noise"])
@pytest.mark.parametrize("name", ["h264_closed_gop", "h264_open_gop", "hevc", "mpeg4_mp4"])
def test_damage_in_the_middle_is_never_shown_as_a_frame(clips, tmp_path, name, how, backend):
    """Each frame of the damaged file equals the original in every pixel, or raises; none outside the damage is lost."""
    path = damage(clips[name], tmp_path / f"damaged{clips[name].suffix}", 26, 30, how)
    order = [*range(N), *reversed(range(N))]
    with Clip(clips[name], backend="pyav") as whole, Clip(path, backend=backend, cache_bytes=0) as clip:
        assert len(clip) == N
        lost = set()
        for i in order:
            try:
                frame = clip[i]
            except errors.VideoCorruptError as error:
                assert f"frame {i} of {path.name} (at {clip.times[i]:.3f} s) is damaged" in str(error)
                lost.add(i)
            else:
                assert np.array_equal(frame, whole[i]), i
        assert 1 <= len(lost) <= 20 and lost <= set(range(20, 40))


@pytest.mark.parametrize("how", ["zeros", "noise"])
def test_damage_in_a_file_without_times(clips, tmp_path, how, caplog):
    """Frames can only be counted: numbers after the damage may be too small, but frames are complete and in order."""
    path = damage(clips["mpeg4_avi"], tmp_path / "damaged.avi", 26, 30, how)
    with Clip(clips["mpeg4_avi"]) as whole, caplog.at_level(logging.WARNING), Clip(path) as clip:
        moved = N - len(clip)
        assert 0 <= moved <= 4
        lost = set()
        for i in range(len(clip)):
            try:
                frame = clip[i]
            except errors.VideoCorruptError:
                lost.add(i)
            else:
                assert np.array_equal(frame, whole[i if not lost else i + moved]), i
    assert 1 <= len(lost) <= 15 and lost <= set(range(20, 40))
    assert f"damaged.avi: {len(lost)} of {len(clip)} frames are damaged, the first is frame {min(lost)}" in caplog.text


@pytest.mark.parametrize("backend", ["auto", "pyav"])
def test_a_video_that_changes_its_size_says_where(tmp_path, backend):
    _, codec, options = CODECS["h264_raw"]
    small = [np.ascontiguousarray(draw_number(i)[:, : WIDTH // 2]) for i in range(15)]
    write_clip(tmp_path / "a.h264", [draw_number(i) for i in range(15)], codec, options)
    write_clip(tmp_path / "b.h264", small, codec, options)
    path = tmp_path / "two_sizes.h264"
    path.write_bytes((tmp_path / "a.h264").read_bytes() + (tmp_path / "b.h264").read_bytes())
    with Clip(path, backend=backend) as clip:
        assert numbers(clip, range(15)) == list(range(15))
        with pytest.raises(errors.VideoFormatError, match="160×96, but frame 15 is 80×96.*re-encode"):
            clip.frame(15)
