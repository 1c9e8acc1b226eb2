"""A range of a clip says what the clip says of these frames: their shape, and what to know before trusting them."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest

from dkd import Clip, ClipRange
from dkd.errors import VideoCorruptError, VideoNotFoundError
from dkd.video.faults import VideoWarning
from dkd.video.images import ImageClip
from dkd.video.ranges import Backwards
from tests.support.numbered_clips import cut, damage
from tests.support.video_files import CODECS, draw_number, read_number, write_clip


def test_warnings_are_about_the_frames_of_the_range(tmp_path):
    kept = [*range(20), *range(30, 60)]  # ten frames were dropped after the twentieth
    _, codec, options = CODECS["h264_closed_gop"]
    pictures = [draw_number(t) for t in kept]
    path = write_clip(tmp_path / "a.mp4", pictures, codec, options, milliseconds=[40 * t for t in kept])
    with Clip(path) as clip:
        assert [(w.kind, w.frames) for w in clip.warnings] == [("gap", (19,))]
        (warning,) = ClipRange(clip, 15, 25).warnings
        assert (warning.kind, warning.frames, warning.text) == ("gap", (4,), clip.warnings[0].text)
        assert ClipRange(clip, 20).warnings == () == ClipRange(clip, 0, 19).warnings
    broken = damage(path, tmp_path / "b.mp4", 13, 14, "noise")
    with Clip(broken) as clip:
        part = ClipRange(clip, 12, 24)
        assert [w.kind for w in part.warnings] == ["gap"]
        lost = []
        for t in range(len(part)):
            try:
                assert read_number(part.frame(t)) == kept[t + 12]
            except VideoCorruptError:  # found when it is read
                lost.append(t)
        (damaged,) = [w for w in part.warnings if w.kind == "damaged"]
        assert lost and damaged.frames == tuple(lost)


def test_only_a_range_up_to_the_end_is_truncated(tmp_path, clips):
    with Clip(cut(clips["h264_matroska"], tmp_path / "cut.mkv", 40)) as clip:
        assert clip.truncated and ClipRange(clip, 5).truncated and not ClipRange(clip, 5, len(clip) - 1).truncated
        assert {w.kind for w in ClipRange(clip, 5).warnings} >= {"truncated"}


def test_the_shape_of_pixels_is_passed_on():
    clip = Clip.from_array(np.zeros((5, 8, 8, 3), np.uint8))
    clip.pixel_aspect = Fraction(16, 15)
    assert ClipRange(clip, 1).pixel_aspect == Fraction(16, 15)

    assert Backwards(clip, 3).pixel_aspect == Fraction(16, 15)


def test_backwards_a_warning_has_the_numbers_of_the_reversed_frames():
    clip = Clip.from_array(np.zeros((9, 8, 8, 3), np.uint8))
    clip._stated = (
        VideoWarning("gap", "missing", (2, 6)),
        VideoWarning("suspect", "odd", (1, 4, 8)),
        VideoWarning("track", "another", ()),
    )
    back = Backwards(clip, 6)  # frames 6, 5, … 0: frames are missing between 3 and 2, at place 3 and 4
    assert [(w.kind, w.frames) for w in back.warnings] == [("gap", (3,)), ("suspect", (2, 5)), ("track", ())]


def test_a_clip_of_images_says_nothing():
    clip = ImageClip([np.zeros((8, 8, 3), np.uint8)] * 3)
    part = ClipRange(clip, 1)
    assert (part.pixel_aspect, part.warnings, part.truncated) == (1, (), False)
    assert (Backwards(clip, 2).pixel_aspect, Backwards(clip, 2).warnings) == (1, ())


def test_an_empty_path_is_not_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("a.png", np.zeros((8, 8, 3), np.uint8))
    assert len(Clip(".")) == 1
    with pytest.raises(VideoNotFoundError, match="got an empty text"):
        Clip("")
