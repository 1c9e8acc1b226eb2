"""A range of a clip says what the clip says of these frames: their shape, and what to know before trusting them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from dkd import Clip, ClipRange
from dkd.errors import VideoCorruptError
from dkd.video.images import ImageClip
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


def test_a_clip_of_images_says_nothing():
    part = ClipRange(ImageClip([np.zeros((8, 8, 3), np.uint8)] * 3), 1)
    assert (part.pixel_aspect, part.warnings, part.truncated) == (1, (), False)
