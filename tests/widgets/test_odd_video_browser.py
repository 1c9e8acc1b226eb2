"""A video with pixels that are not square and with missing frames, from the file to what a real browser shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from dkd import Clip, Trace, load_model
from dkd.pose.skeleton import get_skeleton
from tests.support.browser import Lab, at_rest, opened, place, python, screenshot
from widgets.core.filmstrip import strip_image
from widgets.evaluation.gallery import thumbnail
from widgets.lineage.lineage import render_pictures

ROOT = Path(__file__).resolve().parents[2]
WIDTH, HEIGHT, ASPECT = 720, 576, Fraction(64, 45)  # PAL, shown as 16:9
CENTRE, RADIUS = (300, 260), 160  # of a disc that is round when it is shown, in columns and rows
SHOWN = [t for t in range(16) if t not in (6, 7, 8)]  # three frames were dropped
BOX = (120, 60, 480, 460)
SKELETON = get_skeleton("penn_action")
BENCH = "document.querySelector('.dkd-workbench').dkd"


def write_disc(path: Path) -> Path:
    """Write a video of a white disc on black."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    cv2.ellipse(picture, CENTRE, (round(RADIUS / ASPECT), RADIUS), 0, 0, 360, (255, 255, 255), -1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.sample_aspect_ratio = ASPECT
        for t in SHOWN:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = t, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    return write_disc(tmp_path_factory.mktemp("film") / "disc.mp4")


@pytest.fixture(scope="module")
def page(lab_window: Page, jupyter_lab: Lab, film: Path) -> Iterator[Page]:
    setup = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from dkd import Clip, Trace, load_model
from dkd.pose.skeleton import get_skeleton
from widgets import Workbench
trace = Trace(load_model(), Clip({str(film)!r}), {BOX}, progress=False)
wb = Workbench(trace)"""
    with opened(lab_window, jupyter_lab, "odd_video.ipynb", setup, "wb") as page:
        page.wait_for_function(f"() => {BENCH}?.store?.shown && !{BENCH}.store.raf")
        page.locator(".dkd-workbench").scroll_into_view_if_needed()
        yield page


def decoded(data: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture)


def extent(picture: np.ndarray) -> tuple[float, float]:
    """Width and height of what is bright in a picture (H, W) or (H, W, 3)."""
    bright = picture.reshape(*picture.shape[:2], -1).min(-1) > 128
    return float(bright.any(0).sum()), float(bright.any(1).sum())


def test_a_disc_is_round_and_joints_lie_where_they_are_in_the_stored_frame(page: Page):
    python(page, "wb.layers = {'skeleton': False, 'heatmap': False, 'box': False, 'trails': False, 'truth': False}")
    at_rest(page)
    canvas = page.locator(".dkd-player .dkd-frame")
    box = place(canvas)
    assert box["width"] / box["height"] == pytest.approx(16 / 9, rel=0.01)
    width, height = page.evaluate(
        """(canvas) => {
            const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            const bright = (x, y) => data[4 * (y * width + x) + 1] > 128;
            const all = (n) => [...Array(n).keys()];
            return [all(width).filter((x) => all(height).some((y) => bright(x, y))).length / canvas.clientWidth,
                    all(height).filter((y) => all(width).some((x) => bright(x, y))).length / canvas.clientHeight];
        }""",
        canvas.element_handle(),
    )
    assert width * box["width"] == pytest.approx(height * box["height"], rel=0.02)
    assert height == pytest.approx(2 * RADIUS / HEIGHT, rel=0.02)

    joints = np.array(python(page, "trace.joints[0].tolist()"))
    names = python(page, "list(trace.skeleton.joints)")
    apart = np.linalg.norm(joints[:, None] - joints[None], axis=-1) + 1e9 * np.eye(len(joints))
    lone = int(apart.min(1).argmax())
    python(page, f"wb.joint = {names[lone - 1]!r}")
    at_rest(page)
    canvas.click(
        position={
            "x": (joints[lone, 0] + 0.5) / WIDTH * box["width"],
            "y": (joints[lone, 1] + 0.5) / HEIGHT * box["height"],
        }
    )
    page.wait_for_function(f"() => {BENCH}.cursor.get('joint') === {names[lone]!r}")


def test_maps_have_the_shape_of_the_picture_under_them(page: Page):
    box = place(page.locator(".dkd-matching .dkd-large > .dkd-cells"))
    assert box["width"] / box["height"] == pytest.approx(float(ASPECT), rel=0.02)


def test_missing_frames_are_marked_on_the_timeline_and_in_words(page: Page):
    python(page, "wb.layers = {'skeleton': True, 'box': True}; wb.frame = 6")
    page.wait_for_function(f"() => {BENCH}.store.shown.frame === 6")
    at_rest(page)
    note = page.locator(".dkd-title .dkd-warned")
    expect(note).to_have_text("! a warning about the video")
    expect(note).to_have_attribute("aria-label", re.compile("3 frames are missing"))
    lanes = page.locator(".dkd-timeline .dkd-lanes")
    expect(lanes).to_have_attribute("aria-label", re.compile("about the video: 3 frames are missing"))
    box = place(lanes)
    step = (box["width"] - 14) / (len(SHOWN) - 1)  # half of the slider's thumb is left free at both ends
    lanes.hover(position={"x": 7 + 5 * step, "y": 30})
    expect(page.locator(".dkd-timeline .dkd-tooltip")).to_contain_text("! 3 frames are missing")
    marked = page.evaluate(
        """([canvas, x]) => {
            const ratio = canvas.width / canvas.clientWidth;
            const at = (x, y) => canvas.getContext('2d').getImageData(x * ratio, y * ratio, 1, 1).data[3];
            const bottom = canvas.clientHeight - 20 + 1;
            return [at(x + 2, bottom + 2), at(x + 200, bottom + 2)];
        }""",
        [lanes.element_handle(), 7 + 5.5 * step],
    )
    assert marked[0] > 0 == marked[1]  # a flag, and nothing further on
    screenshot(page, "odd-video")
    python(page, "wb.frame = 3")
    expect(lanes).not_to_have_attribute("aria-label", re.compile("about the video"))


def test_still_pictures_have_square_pixels(film: Path):
    with Clip(film) as clip, Trace(load_model(), clip, BOX, progress=False, stop=2) as trace:
        jpeg, frames = strip_image(trace, 1)
        strip = decoded(jpeg)
        assert len(frames) == 1 and strip.shape[1] / strip.shape[0] == pytest.approx(16 / 9, rel=0.01)
        _, buffers = render_pictures(trace, None, 0, 1)
        for data in buffers:
            picture = decoded(data)
            assert picture.shape[1] / picture.shape[0] == pytest.approx(16 / 9, rel=0.02)


def test_a_thumbnail_of_the_gallery_has_square_pixels():
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    cv2.ellipse(picture, CENTRE, (round(RADIUS / ASPECT), RADIUS), 0, 0, 360, (255, 255, 255), -1)
    reach = np.array([RADIUS / ASPECT, RADIUS], float)
    corners = np.array([CENTRE - reach, CENTRE + reach])  # of a square that is shown around the disc
    joints = np.full((13, 2), np.nan)
    joints[:2] = corners
    data = thumbnail(picture, joints, joints, SKELETON, SKELETON.joints[0], float(ASPECT))
    width, height = extent(decoded(data))
    assert width == pytest.approx(height, rel=0.06)
