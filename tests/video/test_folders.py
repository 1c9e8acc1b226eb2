"""Folders and patterns of images as clips, with files written here."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dkd.errors import (
    ConfigError,
    FrameIndexError,
    VideoCorruptError,
    VideoEmptyError,
    VideoFormatError,
    VideoNotFoundError,
)
from dkd.tracking.opening import as_clip
from dkd.video.clip import Clip
from dkd.video.folders import ASSUMED_FPS, natural_key
from tests.support.video_files import draw_number, read_number

SIZE = 160 * 96 * 3


def write_image(file: Path, number: int, picture: np.ndarray | None = None) -> Path:
    """Write the picture of a number; its ending chooses the format."""
    file.parent.mkdir(parents=True, exist_ok=True)
    ok, data = cv2.imencode(file.suffix.lower(), (draw_number(number) if picture is None else picture)[..., ::-1])
    assert ok
    file.write_bytes(data.tobytes())
    return file


def shown(clip: Clip) -> list[int]:
    return [read_number(frame) for frame in clip]


def test_a_folder_is_sorted_as_people_count(tmp_path) -> None:
    for number in (1, 2, 9, 10, 11, 100):
        write_image(tmp_path / f"im{number}.png", number)
    with Clip(f"{tmp_path}/") as clip:
        assert shown(clip) == [1, 2, 9, 10, 11, 100]
        assert (clip.name, clip.backend, clip.path) == (tmp_path.name, "images", tmp_path)


@given(st.lists(st.integers(0, 10**6), min_size=1, unique=True), st.integers(1, 8))
def test_names_with_numbers_sort_like_the_numbers(numbers, width) -> None:
    names = sorted((f"Im_{n:0{width}d}.png" for n in numbers), key=natural_key)
    assert names == [f"Im_{n:0{width}d}.png" for n in sorted(numbers)]


@pytest.mark.parametrize("ending", [".jpg", ".JPG", ".Jpeg", ".png", ".PNG", ".bmp", ".tif", ".TIFF", ".webp"])
def test_images_of_every_kind_are_read_with_endings_in_upper_case_too(tmp_path, ending) -> None:
    for number in range(3):
        write_image(tmp_path / f"IMG_{number:04d}{ending}", number)
    with Clip(tmp_path) as clip:
        assert shown(clip) == [0, 1, 2]
    with Clip(tmp_path / f"IMG_%04d{ending}") as clip:
        assert shown(clip) == [0, 1, 2]


def test_frames_are_the_pixels_of_the_files_in_any_order_and_read_only(tmp_path) -> None:
    for number in range(12):
        write_image(tmp_path / f"{number}.png", number)
    with Clip(tmp_path, cache_bytes=3 * SIZE) as clip:
        for number in (11, 0, 7, 6, 5, 11, 3):
            np.testing.assert_array_equal(clip.frame(number), draw_number(number))
            assert clip.cached_bytes <= 3 * SIZE
        assert not clip.frame(3).flags.writeable
        with pytest.raises(FrameIndexError, match="from 0 to 11"):
            clip.frame(12)


def test_the_rate_is_stated_or_called_assumed(tmp_path) -> None:
    for number in range(5):
        write_image(tmp_path / f"im_{number:05d}.png", number)
    with Clip(tmp_path) as clip:
        assert clip.fps == clip.mean_rate == ASSUMED_FPS == 25
        assert "25 fps (assumed: images have no rate)" in repr(clip)
    with Clip(tmp_path / "im_%05d.png", fps=50) as clip:
        assert clip.fps == 50 and "50 fps" in repr(clip) and "assumed" not in repr(clip)
        np.testing.assert_allclose(clip.times, np.arange(5) / 50)
        assert clip.warnings == ()


def test_a_missing_number_is_a_gap_in_time_and_a_warning(tmp_path) -> None:
    for number in (3, 4, 5, 9, 10, 12):
        write_image(tmp_path / f"im_{number:05d}.png", number)
    with Clip(tmp_path, fps=10) as clip:
        np.testing.assert_allclose(clip.times, [0, 0.1, 0.2, 0.6, 0.7, 0.9])
        (warning,) = clip.warnings
        assert (warning.kind, warning.frames) == ("gap", (2, 4))
        assert (
            "images missing in the numbering: 4 (" in warning.text and "3 after frame 2, im_00005.png" in warning.text
        )
        assert clip.fps == 10 and "with 2 gaps" in repr(clip)


def test_every_tenth_image_has_no_gaps(tmp_path) -> None:
    for number in range(0, 60, 10):
        write_image(tmp_path / f"im_{number}.png", number)
    with Clip(tmp_path, fps=3) as clip:
        np.testing.assert_allclose(clip.times, np.arange(6) / 3)
        assert clip.fps == 3 and clip.warnings == ()


def test_numbers_without_a_common_step_give_a_variable_rate(tmp_path) -> None:
    for number in (0, 7, 19, 40, 41):
        write_image(tmp_path / f"img{number:03d}.png", number)
    with Clip(tmp_path, fps=10) as clip:
        np.testing.assert_allclose(clip.times, [0, 0.7, 1.9, 4, 4.1])
        assert clip.fps is None and clip.mean_rate == pytest.approx(4 / 4.1)


def test_files_left_out_are_counted_and_the_first_is_named(tmp_path) -> None:
    write_image(tmp_path / "b1.png", 1)
    for name in ("notes.txt", "labels.csv", ".hidden"):
        (tmp_path / name).write_text("x")
    write_image(tmp_path / "more" / "b2.png", 2)  # in a subfolder
    with Clip(tmp_path) as clip:
        (warning,) = clip.warnings
        assert warning.kind == "files" and "2 of 3 files are left out, the first is labels.csv" in warning.text
        assert len(clip) == 1


def test_two_recordings_in_one_folder_are_noticed(tmp_path) -> None:
    for camera in (1, 2):
        for number in range(3):
            write_image(tmp_path / f"cam{camera}_{number:03d}.png", 10 * camera + number)
    with Clip(tmp_path) as clip:
        assert shown(clip) == [10, 11, 12, 20, 21, 22]
        (warning,) = clip.warnings
        assert warning.kind == "files" and "names of 2 kinds, such as cam1_000.png, cam2_000.png" in warning.text
    with Clip(tmp_path / "cam2_%03d.png") as clip:
        assert shown(clip) == [20, 21, 22] and clip.warnings == ()


def test_two_images_with_one_number_are_both_frames_and_said(tmp_path) -> None:
    for name, number in (("1.png", 1), ("01.jpg", 2), ("2.png", 3)):
        write_image(tmp_path / name, number)
    with Clip(tmp_path) as clip:
        assert sorted(shown(clip)) == [1, 2, 3]
        assert [w.kind for w in clip.warnings] == ["files"] and "same number" in clip.warnings[0].text
        np.testing.assert_allclose(clip.times, np.arange(3) / 25)


def test_a_pattern_takes_numbers_as_c_writes_them(tmp_path) -> None:
    names = [
        "a7.png",
        "a0007.png",
        "a00008.png",
        "a00009.png",
        "a100000.png",
        "a000011.png",
        "b00001.png",
        "a00012.jpg",
    ]
    for number, name in enumerate(names):
        write_image(tmp_path / name, number)
    with Clip(tmp_path / "a%05d.png") as clip:
        assert shown(clip) == [2, 3, 4]  # 8, 9 and 100000
    with Clip(tmp_path / "a%d.png") as clip:
        assert shown(clip) == [0, 4]  # 7 and 100000: the others have zeros in front


def test_an_image_of_another_size_is_named_at_opening_or_at_reading(tmp_path) -> None:
    for number in range(40):
        write_image(tmp_path / f"{number}.png", number)
    wide = np.zeros((96, 200, 3), np.uint8)
    write_image(tmp_path / "39.png", 0, wide)
    write_image(tmp_path / "31.png", 0, wide)
    with pytest.raises(VideoFormatError, match=r"160×96, but frame 31 \(31\.png\) is 200×96"):
        Clip(tmp_path)
    write_image(tmp_path / "39.png", 39)
    write_image(tmp_path / "31.png", 31)
    write_image(tmp_path / "30.png", 0, wide)  # not among those that are compared at opening
    with Clip(tmp_path) as clip, pytest.raises(VideoFormatError, match=r"frame 30 \(30\.png\)"):
        list(clip)


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "gone"])
def test_a_damaged_image_is_an_error_of_its_frame_and_the_others_can_be_read(tmp_path, damage) -> None:
    for number in range(6):
        write_image(tmp_path / f"{number}.jpg", number)
    file = tmp_path / "3.jpg"
    content = file.read_bytes()
    clip = Clip(tmp_path, cache_bytes=0)
    changed = {"cut": content[: len(content) // 2], "text": b"not an image", "empty": b""}
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(changed[damage])
    with clip:
        with pytest.raises(VideoCorruptError, match=rf"frame 3 of {tmp_path.name} is damaged: 3\.jpg"):
            clip.frame(3)
        assert [read_number(clip.frame(t)) for t in (0, 1, 2, 4, 5)] == [0, 1, 2, 4, 5]
        assert [(w.kind, w.frames) for w in clip.warnings] == [("damaged", (3,))]


def test_a_photo_is_turned_upright_as_its_exif_data_say(tmp_path) -> None:
    stored = np.zeros((40, 60, 3), np.uint8)
    stored[:20, :20] = 255  # the upper left corner of what the sensor saw
    _, data = cv2.imencode(".jpg", stored)
    # Orientation 6: turn by 90° clockwise to show it. One entry of a TIFF directory, as the EXIF standard writes it.
    tiff = b"MM\0*\0\0\0\x08" + b"\0\x01" + b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0" + b"\0\0\0\0"
    app1 = b"Exif\0\0" + tiff
    jpeg = data.tobytes()
    (tmp_path / "1.jpg").write_bytes(jpeg[:2] + b"\xff\xe1" + (len(app1) + 2).to_bytes(2, "big") + app1 + jpeg[2:])
    with Clip(tmp_path) as clip:
        assert (clip.width, clip.height) == (40, 60)
        assert clip.frame(0)[5:15, 25:35].min() > 240 and clip.frame(0)[5:15, 5:15].max() < 15


def test_what_is_not_a_sequence_of_images_says_so(tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(VideoEmptyError, match="expected images in the directory .*found no files"):
        Clip(tmp_path / "empty")
    (tmp_path / "empty" / "readme.txt").write_text("x")
    with pytest.raises(VideoEmptyError, match="found other files: 1, such as readme.txt"):
        Clip(tmp_path / "empty")
    with pytest.raises(VideoNotFoundError, match="there is no folder"):
        Clip(tmp_path / "nowhere" / "im_%05d.png")
    write_image(tmp_path / "IM_00001.PNG", 1)
    with pytest.raises(VideoNotFoundError, match="found none; the folder has 1 images, such as IM_00001.PNG"):
        Clip(tmp_path / "im_%05d.png")
    with pytest.raises(ConfigError, match="expected one number in a pattern"):
        Clip(tmp_path / "im_%05d_%d.png")


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_a_rate_must_be_positive(tmp_path, fps) -> None:
    write_image(tmp_path / "1.png", 1)
    with pytest.raises(ConfigError, match="expected fps > 0"):
        Clip(tmp_path, fps=fps)


def test_settings_of_videos_and_of_images_are_not_mixed(tmp_path) -> None:
    from dkd.video.samples import default_sample

    write_image(tmp_path / "1.png", 1)
    with pytest.raises(ConfigError, match="track=2 is for video files only"):
        Clip(tmp_path, track=2)
    with pytest.raises(ConfigError, match="fps=25 is for images only"):
        Clip(default_sample().path, fps=25)


def test_a_folder_whose_name_looks_like_a_pattern_is_that_folder(tmp_path) -> None:
    write_image(tmp_path / "folder%02d" / "1.png", 4)
    with Clip(tmp_path / "folder%02d") as clip:
        assert shown(clip) == [4]


def test_a_trace_opens_a_folder_by_its_path(tmp_path) -> None:
    for number in range(3):
        write_image(tmp_path / f"{number}.png", number)
    clip, opened = as_clip(str(tmp_path))
    assert opened is not None and len(clip) == 3 and clip.backend == "images"
    opened.clip.close()
