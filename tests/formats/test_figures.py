"""Pictures of a frame, of lanes and of kernels: what is plotted is where it should be, and SVG keeps it as vectors."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dkd import PoseTrack, as_trace, export
from dkd.errors import ConfigError, FrameIndexError
from dkd.formats.drawing import SIDES
from dkd.formats.figures import plot_frame, plot_kernels, plot_lanes
from dkd.pose.skeleton import SKELETONS, Skeleton
from dkd.video.ranges import ClipRange
from tests.support.fake_trace import FakeClip, FakeTrace, number_image, read_number
from tests.support.joint_kernels import joints_trace
from tests.support.tracks import make_track

PENN = SKELETONS["penn_action"]
SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


def walker(n: int = 12, first: int = 0, people: tuple[str, ...] = ("person",)) -> PoseTrack:
    """People within the picture of 320 × 240, without a left elbow in the fifth frame."""
    rng = np.random.default_rng(1)
    xy = rng.uniform((60, 60), (260, 200), (n, len(people), 13, 2))
    xy[5, :, PENN.index("left_elbow")] = np.nan
    frames = first + np.arange(n)
    return PoseTrack(xy, np.full(xy.shape[:3], 0.9), PENN, frames, frames / 30, people, 30, (320, 240), "numbered")


def parts_of(path: Path) -> tuple[list[np.ndarray], dict[str, tuple[float, ...]], ElementTree.Element]:
    """Embedded pictures, the place of each marker by its name, and the tree of an SVG file."""
    tree = ElementTree.parse(path).getroot()
    data = [base64.b64decode(e.attrib[LINK].split(",")[1]) for e in tree.iter(f"{SVG}image")]
    images = [np.asarray(cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_UNCHANGED)) for one in data]
    markers: dict[str, tuple[float, ...]] = {}
    for group in tree.iter(f"{SVG}g"):
        if " " in group.get("id", ""):  # an ellipse, of curves around its centre
            curve = group.findall(f"{SVG}path")[0].attrib["d"]
            numbers = np.array([float(word) for word in curve.split() if word[-1].isdigit()]).reshape(-1, 2)
            markers[group.attrib["id"]] = tuple((numbers.min(0) + numbers.max(0)) / 2)
    return images, markers, tree


def picture_of(path: Path) -> np.ndarray:
    """(H, W, 3) RGB of a PNG file."""
    found = cv2.imread(str(path))
    assert found is not None
    return np.asarray(found[..., ::-1])


@pytest.mark.parametrize("first", [0, 7])
def test_an_svg_has_the_frame_itself_and_its_joints_as_vectors(tmp_path: Path, first: int) -> None:
    track = walker(12, first)
    clip: Any = ClipRange(FakeClip(40), 3) if first else FakeClip(40)
    path = export(track, tmp_path / "a.svg", video=clip, frame=first + 5).path
    (image,), markers, tree = parts_of(path)
    assert np.array_equal(image[..., 2::-1], number_image(first + 5)) and read_number(image[..., :3]) == first + 5
    assert tree.get("viewBox") == "0 0 320 240"
    assert markers.keys() == {f"person {joint}" for joint in PENN.joints if joint != "left_elbow"}
    for name, at in markers.items():  # the centre of pixel 0 is at 0.5
        assert np.allclose(at, track.xy[5, 0, PENN.index(name.split()[1])] + 0.5, atol=1e-5)
    text = path.read_text()
    for side, rgb in SIDES.items():
        assert f"#{bytes(rgb).hex()}" in text, side
    assert "stroke-dasharray" in text  # of right limbs


def test_a_picture_is_exact_where_nothing_is_drawn(tmp_path: Path) -> None:
    at = np.full((1, 1, 1, 2), (100.0, 150.25))
    track = PoseTrack(at, np.ones((1, 1, 1)), Skeleton("point", ("nose",), ()), np.array([4]), np.array([0.0]))
    for scale in (1, 2):
        path = export(track, tmp_path / "a.png", video=FakeClip(6), scale=scale).path
        image = picture_of(path)
        assert image.shape == (240 * scale, 320 * scale, 3)
        before = number_image(4).repeat(scale, 0).repeat(scale, 1)
        changed = np.abs(image.astype(int) - before).sum(-1)
        y, x = np.indices(changed.shape)
        centre = np.array([(x * changed).sum(), (y * changed).sum()]) / changed.sum()
        assert np.abs(centre - (at[0, 0, 0] * scale + (scale - 1) / 2)).max() < 0.3
        assert (changed > 0).sum() < 120 * scale**2


def test_pixels_that_are_not_square_are_shown_as_they_are(tmp_path: Path) -> None:
    clip: Any = FakeClip(6)
    clip.pixel_aspect = 1.5
    track = walker(6)
    _, markers, tree = parts_of(export(track, tmp_path / "a.svg", video=clip, frame=2).path)
    assert tree.get("viewBox") == "0 0 480 240"
    assert np.allclose(markers["person head"], (track.xy[2, 0, 0] + 0.5) * (1.5, 1), atol=1e-5)


def test_people_have_names_and_colours_of_their_own(tmp_path: Path) -> None:
    path = export(walker(6, people=("anna", "ben")), tmp_path / "a.svg", video=FakeClip(6), frame=1).path
    _, markers, tree = parts_of(path)
    texts = {"".join(element.itertext()).strip() for element in tree.iter(f"{SVG}text")}
    assert {"anna", "ben"} <= texts and len(markers) == 26
    assert "stroke-dasharray" not in path.read_text()


def test_the_heatmap_lies_over_its_crop(tmp_path: Path) -> None:
    trace: Any = FakeTrace(6)
    trace.heatmaps = np.zeros_like(trace.heatmaps)
    trace.heatmaps[3, 2, 12, 20] = 1
    trace.joints = np.full_like(trace.joints, np.nan)
    path = export(trace, tmp_path / "a.png", frame=3, heatmap=True, joint=PENN.joints[2]).path
    changed = np.abs(picture_of(path).astype(float) - number_image(3)).sum(-1)
    y, x = np.indices(changed.shape)
    centre = np.array([(x * changed).sum(), (y * changed).sum()]) / changed.sum()
    assert np.abs(centre - trace.crops[3].to_frame(np.array([20.0, 12.0]), 32)).max() < 0.5


def test_lanes_have_the_numbers_of_the_trace() -> None:
    trace = FakeTrace(30, calibrated=True)
    j = PENN.index("left_knee")
    lanes = plot_lanes(trace, "left_knee", frame=7).axes
    assert np.array_equal(lanes[0].lines[1].get_ydata(), trace.confidence[:, j])
    assert np.allclose(lanes[0].lines[0].get_ydata(), trace.confidence.mean(1))
    assert np.array_equal(lanes[1].lines[0].get_ydata(), trace.speed()[:, j])
    assert np.array_equal(np.asarray(lanes[2].lines[0].get_ydata())[1:], trace.kernel_drift()[1:])
    assert [np.asarray(lane.lines[-1].get_xdata())[0] for lane in lanes] == [7, 7, 7]
    assert lanes[0].get_ylabel() == "confidence"
    other = plot_lanes(as_trace(make_track(1, 9, 1, PENN, 30)), 0)
    assert other.axes[2].texts[0].get_text() == "no kernels"
    assert other._repr_png_().startswith(b"\x89PNG")


def test_kernels_sum_to_the_value_of_the_heatmap() -> None:
    trace = FakeTrace(12)
    j, t = PENN.index("right_hip"), 5
    figure = plot_kernels(trace, t, "right_hip", n=4)
    y, x = np.unravel_index(trace.heatmaps[t, j].argmax(), (32, 32))
    terms = trace.contributions(t, j)[:, y, x]
    order = np.argsort(-np.abs(terms))[:4]
    drawn: list[Any] = [axes.patches[0] for axes in figure.axes if axes.patches]
    bars = [bar.get_width() for bar in drawn]
    assert np.allclose(bars, terms[order])
    assert np.array_equal(np.asarray(figure.axes[2].images[0].get_array()), trace.kernels[t - 1][order[0]])
    title = figure.get_suptitle()
    numbers = [float(word.strip(",")) for word in title.replace("+", "").split() if "." in word]
    assert numbers[0] == pytest.approx(trace.heatmaps[t, j].max(), abs=6e-4)
    assert sum(numbers[1:]) == pytest.approx(numbers[0], abs=2e-3)


def test_with_kernels_at_the_joints_the_sum_is_the_value_as_it_was_matched() -> None:
    trace, t = joints_trace(4), 3
    j = PENN.index("right_hip")
    title = plot_kernels(trace, t, j, n=4).get_suptitle()
    y, x = np.unravel_index(trace.heatmaps[t, j].argmax(), trace.heatmaps.shape[2:])
    assert "by the kernels at the joint from" in title
    held, *numbers = [float(word.strip(",")) for word in title.replace("+", "").split() if "." in word]
    assert held == pytest.approx(trace.heatmaps[t, j].max(), abs=6e-4)
    assert numbers[0] == pytest.approx(trace.as_matched(t)[j, y, x], abs=6e-4) != pytest.approx(held, abs=1e-2)
    assert sum(numbers[1:]) == pytest.approx(numbers[0], abs=2e-3)


def test_what_a_picture_needs_is_asked_for(tmp_path: Path) -> None:
    track = walker(6)
    options: Any
    for options, error, words in (
        ({}, ConfigError, "add video"), ({"video": FakeClip(6), "heatmap": True}, ConfigError, "traces"),
        ({"video": FakeClip(6), "view": "palyer"}, ConfigError, "player, lanes, kernels"),
        ({"video": FakeClip(6), "view": "kernels"}, ConfigError, "no kernels"),
        ({"video": FakeClip(6), "frame": 6}, FrameIndexError, "0 to 5"),
        ({"video": FakeClip(6), "joint": "tail", "trail": 2}, ConfigError, "tail"),
    ):  # fmt: skip
        with pytest.raises(error, match=words):
            export(track, tmp_path / "a.svg", **options)
    with pytest.raises(FrameIndexError, match="0 to 11"):
        plot_kernels(FakeTrace(12), 12)
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_a_clip_has_the_lanes_and_kernels_of_its_frame(tmp_path: Path) -> None:
    """The number of the frame is that of the video, in all three views."""
    trace: Any = FakeTrace(12)
    trace.clip = ClipRange(FakeClip(40), 20, 32)
    for view in ("player", "lanes", "kernels"):
        path = export(trace, tmp_path / f"{view}.svg", view=view, frame=25, joint="left_knee").path
        assert ElementTree.parse(path).getroot().tag == f"{SVG}svg"
    assert "frame 5" in (tmp_path / "kernels.svg").read_text()
    images, _, _ = parts_of(tmp_path / "player.svg")
    assert read_number(images[0][..., :3]) == 25


def test_a_figure_is_made_the_same_again(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        export(walker(), tmp_path / name, video=FakeClip(12), frame=3)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_frame_of_a_track_with_gaps_is_plotted() -> None:
    track = make_track(5, 20, 4, SKELETONS["sub_jhmdb"], 30)
    clip: Any = FakeClip(20)
    for t in (0, 1, 8):
        figure = plot_frame(track, t, video=clip, trail=6)
        assert bool(figure.axes[0].lines) == (t != 1)  # nobody is in the second frame
