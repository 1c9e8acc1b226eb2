"""The overlay video: each frame has its own poses and its own time, and what is drawn is where it should be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from dkd import Clip, PoseTrack, export
from dkd.errors import ConfigError
from dkd.formats.drawing import PEOPLE, SIDES, OverlayStyle, draw
from dkd.pose.crops import Crop
from dkd.pose.skeleton import SKELETONS, Skeleton
from dkd.video.ranges import ClipRange
from tests.support.fake_trace import FakeClip, FakeTrace, read_number
from tests.support.tracks import make_track

POINT = Skeleton("point", ("nose",), ())
GREY = np.full((240, 320, 3), 90, np.uint8)


def points(xy: Any, skeleton: Skeleton = POINT, scores: Any = None) -> PoseTrack:
    """A track of given points (T, P, J, 2) at 30 frames per second."""
    xy = np.asarray(xy, np.float64)
    names = ("person",) if xy.shape[1] == 1 else tuple(f"p{i}" for i in range(xy.shape[1]))
    sure = np.ones(xy.shape[:3]) if scores is None else np.asarray(scores, np.float64)
    return PoseTrack(xy, sure, skeleton, np.arange(len(xy)), np.arange(len(xy)) / 30, names, 30, (320, 240), "numbered")


def decoded(path: Path) -> tuple[list[np.ndarray], list[float]]:
    """Frames and times of a file, by PyAV alone."""
    with av.open(str(path)) as file:
        frames = [frame for frame in file.decode(video=0)]
    return [frame.to_ndarray(format="rgb24") for frame in frames], [float(frame.time or 0) for frame in frames]


def changed(image: np.ndarray, before: np.ndarray = GREY) -> np.ndarray:
    """(H, W) how much each pixel differs."""
    return np.abs(image.astype(float) - before).sum(-1)


def centre(weights: np.ndarray) -> np.ndarray:
    y, x = np.indices(weights.shape)
    return np.array([(x * weights).sum(), (y * weights).sum()]) / weights.sum()


# --- the file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["mp4", "gif"])
@pytest.mark.parametrize("first", [0, 37])
def test_every_frame_of_a_numbered_clip_has_its_own_joint(tmp_path: Path, ending: str, first: int) -> None:
    """The number in the picture and the place of the point agree in every frame, also of a part of a clip."""
    xy = np.array([[[[40 + 2 * t, 200 - t]]] for t in range(40)])
    track = replace(points(xy), frames=first + np.arange(40), times=(first + np.arange(40)) / 30)
    clip = FakeClip(first + 41)
    written = export(track, tmp_path / f"a.{ending}", video=ClipRange(clip, 1) if first else clip)
    images, _ = decoded(written.path)
    assert written.complete and [read_number(image) for image in images] == list(range(first, first + 40))
    for t, image in enumerate(images):
        found = changed(image, clip.frame(first + t))
        found[:30] = 0  # the number's blocks have soft edges
        assert np.abs(centre(np.where(found > 60, found, 0)) - xy[t, 0, 0]).max() < 0.5


@pytest.mark.parametrize("fps", [30.0, 30000 / 1001, 60000 / 1001])
def test_the_times_are_the_clips(tmp_path: Path, fps: float) -> None:
    track = replace(points(np.full((12, 1, 1, 2), 100)), fps=fps, times=np.arange(12) / fps)
    _, times = decoded(export(track, tmp_path / "a.mp4", video=FakeClip(12, fps)).path)
    assert np.allclose(times, np.arange(12) / fps, rtol=0, atol=1e-4)


def test_the_times_of_a_variable_rate_are_the_clips(tmp_path: Path) -> None:
    clip: Any = FakeClip(12)
    clip.times, clip.fps = np.cumsum(np.random.default_rng(1).uniform(0.02, 0.05, 12)), None
    track = replace(points(np.full((12, 1, 1, 2), 100)), fps=None, times=clip.times)
    for ending, within in (("mp4", 1e-4), ("gif", 0.0051)):
        _, times = decoded(export(track, tmp_path / f"a.{ending}", video=clip).path)
        assert np.allclose(times, clip.times - clip.times[0], rtol=0, atol=within)


def test_a_gif_of_a_high_rate_shows_every_second_frame(tmp_path: Path) -> None:
    track = replace(points(np.full((20, 1, 1, 2), 100)), fps=60.0, times=np.arange(20) / 60)
    images, times = decoded(export(track, tmp_path / "a.gif", video=FakeClip(20, 60)).path)
    assert [read_number(image) for image in images] == list(range(0, 20, 2)) and abs(times[9] - 0.3) < 0.0051


def test_colours_are_kept(tmp_path: Path) -> None:
    """BT.709 is written and said: a reader that follows the tags gets the clip's grey and the point's colour."""
    track = points(np.full((3, 1, 1, 2), 150))
    path = export(track, tmp_path / "a.mp4", video=FakeClip(3), quality=0, scale=2).path
    with av.open(str(path)) as file:
        context = file.streams.video[0].codec_context
        assert (context.colorspace, context.color_range) == (1, 1) and (context.width, context.height) == (640, 480)
        frame = next(file.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(frame[200, 20].astype(int) - 90).max() <= 2
    assert np.abs(frame[301, 301].astype(int) - SIDES["centre"]).max() <= 12


def test_pixels_that_are_not_square_stay_so(tmp_path: Path) -> None:
    """An MP4 says how wide its pixels are; a GIF cannot, so its frames are wider."""
    clip: Any = FakeClip(6)
    clip.pixel_aspect = 1.5
    track = points(np.full((6, 1, 1, 2), 60))
    with Clip(export(track, tmp_path / "a.mp4", video=clip).path) as written:
        assert float(written.pixel_aspect) == 1.5 and (written.width, written.height) == (320, 240)
    images, _ = decoded(export(track, tmp_path / "a.gif", video=clip).path)
    assert images[0].shape == (240, 480, 3)


def test_odd_sizes_progress_and_cancel(tmp_path: Path) -> None:
    clip: Any = FakeClip(6)
    done: list[tuple[int, int]] = []
    track = points(np.full((6, 1, 1, 2), 60))
    images, _ = decoded(
        export(track, tmp_path / "a.mp4", video=clip, scale=0.503, progress=lambda *n: done.append(n)).path
    )
    assert images[0].shape == (122, 162, 3) and done == [(n, 6) for n in range(1, 7)]
    old = (tmp_path / "a.mp4").read_bytes()
    stopped = export(track, tmp_path / "a.mp4", video=clip, cancel=lambda: clip.frames_read > 8)
    assert not stopped.complete and "Stopped" in str(stopped)
    assert (tmp_path / "a.mp4").read_bytes() == old and [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_what_an_overlay_needs_is_asked_for(tmp_path: Path) -> None:
    track = points(np.full((6, 1, 1, 2), 60))
    for options, words in (
        ({}, "add video"), ({"video": FakeClip(3)}, "another video"),
        ({"video": FakeClip(6), "heatmap": True}, "traces"),
        ({"video": FakeClip(6), "trail": -1}, "trail"), ({"video": FakeClip(6), "joint": "tail"}, "nose"),
        ({"video": FakeClip(6), "trails": 1}, "no option"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=words):
            export(track, tmp_path / "a.mp4", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_trace_is_drawn_with_its_own_clip_and_maps(tmp_path: Path) -> None:
    trace = FakeTrace(6)
    with_maps, _ = decoded(export(trace, tmp_path / "a.mp4", heatmap=True, quality=0).path)
    without, _ = decoded(export({"a": trace}, tmp_path / "b.mp4", quality=0).path)
    assert len(with_maps) == 6 and all(changed(a, b).max() > 100 for a, b in zip(with_maps, without, strict=True))


# --- what is drawn ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [(100, 80), (100.5, 80.25), (33.1, 200.9)])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_joint_is_drawn_where_it_is(at: tuple[float, float], scale: float) -> None:
    """To a tenth of a pixel; pixel centres are at half pixels, so scaling by 2 moves 0 to 0.5."""
    image = draw(GREY, points([[[at]]]), 0, OverlayStyle(scale=scale))
    assert (
        np.abs(centre(changed(image, np.full_like(image, 90))) - (np.array(at) * scale + (scale - 1) / 2)).max() < 0.1
    )


def test_a_missing_joint_is_not_drawn() -> None:
    xy = np.full((2, 1, 13, 2), np.nan)
    assert (draw(GREY, points(xy, SKELETONS["penn_action"]), 1, OverlayStyle(trail=5)) == GREY).all()
    xy[1, 0, 1] = 50, 50  # one end of a limb is no limb
    found = changed(draw(GREY, points(xy, SKELETONS["penn_action"]), 1, OverlayStyle(trail=5)))
    assert np.abs(np.argwhere(found > 0) - 50).max() < 5


def test_a_joint_outside_the_picture_changes_nothing_there() -> None:
    xy = np.full((1, 1, 1, 2), -500.0)
    assert (draw(GREY, points(xy), 0, OverlayStyle()) == GREY).all()


def test_less_certain_joints_are_fainter() -> None:
    sums = [
        changed(draw(GREY, points([[[(99, 99)]]], scores=[[[s]]]), 0, OverlayStyle())).sum() for s in (0.1, 0.4, 0.9)
    ]
    assert sums[0] < sums[1] < sums[2]
    flat = draw(GREY, points([[[(99, 99)]]], scores=[[[0.1]]]), 0, OverlayStyle(confidence=False))
    assert changed(flat).sum() == sums[2]


def test_a_trail_has_the_past_of_the_joint_and_fades() -> None:
    track = points([[[(50 + 20 * t, 120)]] for t in range(6)])
    found = changed(draw(GREY, track, 5, OverlayStyle(trail=4)))[118:123].max(0)
    assert (
        found[60] == 0
        and 0 < found[80] < found[120]
        and (changed(draw(GREY, track, 5, OverlayStyle()))[:, :140] == 0).all()
    )


def test_people_have_their_own_colours_and_names() -> None:
    track = points([[[(60, 150)], [(200, 150)]]])
    image = draw(GREY, track, 0, OverlayStyle(scale=3))
    for p, x in enumerate((60, 200)):
        assert image[451, 3 * x + 1].tolist() == list(PEOPLE[p])
    named, nameless = (changed(draw(GREY, track, 0, OverlayStyle(names=n)))[:144].sum() for n in (None, False))
    assert named > 0 == nameless
    sides = draw(GREY, track, 0, OverlayStyle(scale=3, colours="sides"))
    assert sides[451, 181].tolist() == list(SIDES["centre"])


def test_the_heatmap_lies_over_its_crop() -> None:
    """A single cell is brightest where its centre lies in the frame, and nothing outside the crop changes."""
    maps = np.zeros((1, 32, 32), np.float32)
    maps[0, 12, 20] = 1
    crop = Crop(30.25, -20.5, 160)
    track = points(np.full((1, 1, 1, 2), np.nan))
    found = changed(draw(GREY, track, 0, OverlayStyle(heatmap=True), [(maps, crop)]))
    assert np.abs(centre(found) - crop.to_frame(np.array([20.0, 12.0]), 32)).max() < 0.2
    assert (found[:, :30] == 0).all() and (found[141:] == 0).all() and (found[:, 192:] == 0).all()


def test_a_track_of_four_people_with_gaps_is_drawn() -> None:
    track = make_track(5, 20, 4, SKELETONS["sub_jhmdb"], 30)
    large = np.full((720, 1280, 3), 90, np.uint8)
    for t in range(20):
        found = changed(draw(large, track, t, OverlayStyle(trail=6)), large)
        assert (found.max() > 0) == (t != 1)  # nobody is in the second frame


def test_the_command_draws_poses_into_the_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from dkd.cli.main import main

    clip = export(points(np.full((8, 1, 1, 2), 20)), tmp_path / "clip.mp4", video=FakeClip(8)).path
    poses = export(points([[[(100 + 5 * t, 150)]] for t in range(8)]), tmp_path / "poses.slp").path
    outs = str(tmp_path / "a.mp4"), str(tmp_path / "a.gif")
    assert main(["export-poses", str(poses), "--video", str(clip), "--out", *outs, "--trail", "3"]) == 0
    for out in outs:
        images, _ = decoded(Path(out))
        assert [read_number(image) for image in images] == list(range(8))
    assert main(["export-poses", str(poses), "--out", str(tmp_path / "b.mp4")]) == 2
    assert "add --video" in capsys.readouterr().err
