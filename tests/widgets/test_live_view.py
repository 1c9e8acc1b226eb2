"""The live view's messages: what a page sends and gets, without a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg

from dkd import Clip, load_model
from dkd.errors import ClosedError, ConfigError, ShapeError
from dkd.models.base import VideoPoseModel
from dkd.video.samples import get_sample
from tests.support.server import until
from tests.support.video_files import draw_number, write_clip
from widgets import LiveView
from widgets.core.wire import MAP_RANGE, encode_frame, read_message
from widgets.live.live import decode_frame

BOX = (0.0, 0.0, 160.0, 96.0)


@pytest.fixture(scope="module")
def model() -> VideoPoseModel:
    return load_model("dkd-mobilenetv2")


class Page:
    """A live view whose messages to the page are kept."""

    def __init__(self, view: LiveView):
        self.view = view
        self.sent: list[dict[str, Any]] = []
        view.send = lambda content, buffers=(): self.sent.append(read_message(content, buffers))

    def send(self, content: dict[str, Any], *buffers: bytes) -> None:
        self.view._hear(self.view, content, [memoryview(one) for one in buffers])

    def frame(self, number: int, taken_ms: float | None = None) -> None:
        taken_ms = 40.0 * number if taken_ms is None else taken_ms
        self.send({"type": "frame", "number": number, "taken_ms": taken_ms}, encode_frame(draw_number(number)))


@pytest.fixture
def webcam(model: VideoPoseModel) -> Iterator[Page]:
    view = LiveView(model, box=BOX)
    yield Page(view)
    view.close()


def test_frames_of_the_page_are_answered_with_their_number(webcam: Page) -> None:
    view = webcam.view
    assert view._about["is_browser"] and view._state == "ready"
    webcam.frame(0)
    assert view.live is None and not webcam.sent  # nobody has started it
    webcam.send({"type": "start"})
    assert view._state == "running" and view.live is not None
    for number in (0, 3):
        webcam.frame(number)
        until(lambda number=number: len(webcam.sent) and webcam.sent[-1]["number"] == number)
    first, last = webcam.sent
    assert "jpeg" not in last and last["size"] == [160, 96]
    assert (last["captured"], last["dropped"]) == (4, 2)
    seen = view.live.kept[-1]
    np.testing.assert_array_equal(last["joints"], seen.joints)
    low, high = MAP_RANGE
    j = view.live.skeleton.joints.index("left_wrist")
    assert last["map_joint"] == j
    np.testing.assert_allclose(last["map"] / 255 * (high - low) + low, np.clip(seen.heatmaps[j], low, high), atol=0.004)
    assert [one.time_s for one in view.live.kept] == pytest.approx([0.0, 0.12])
    webcam.frame(2)  # late, and before one that is there already
    assert view.live.captured == 4
    webcam.send({"type": "stop"})
    until(lambda: view._state == "stopped")
    webcam.frame(9)
    assert view.live.captured == 4 and view._error == ""


def test_what_is_wrong_is_said_on_the_page(webcam: Page) -> None:
    view = webcam.view
    webcam.send({"type": "follow", "box": [0, 0, 50, 50]})
    assert view._error == "expected a run in progress; press Start first"
    assert webcam.sent[-1] == {"type": "refused"}
    webcam.send({"type": "start"})
    assert view._error == ""
    webcam.frame(0)
    until(lambda: view.live and view.live.tracked)
    webcam.send({"type": "follow", "box": [500, 0, 550, 50]})
    assert "lies outside the frame" in view._error
    webcam.send({"type": "follow", "box": [0, 0, 100, 90]})
    assert view._error == ""
    webcam.send({"type": "frame", "number": 1, "taken_ms": 4}, b"no picture")
    assert "expected a frame as JPEG, got 10 bytes" in view._error
    webcam.send({"type": "dance"})
    assert "expected a message that the live view knows, got 'dance'" in view._error


def test_a_page_that_is_busy_gets_fewer_frames(model: VideoPoseModel) -> None:
    """Two are on their way at most; the next one is sent after one was painted."""

    def frames() -> Iterator[np.ndarray]:
        for t in range(5):
            until(lambda t=t: not t or (view.live and view.live.tracked == t))  # type: ignore[misc]
            if t == 4:
                page.send({"type": "painted", "number": 0})
            yield draw_number(t)

    page = Page(LiveView(model, frames(), box=BOX))
    view = page.view
    page.send({"type": "start"})
    until(lambda: view._state == "ended")
    assert view.live is not None and view.live.tracked == 5
    assert [one["number"] for one in page.sent] == [0, 1, 4]
    assert list(view._on_way) == [1, 4] and page.sent[-1]["stages"]["browser"] > 0
    page.send({"type": "start"})
    assert "got an iterator that was read" in view._error
    view.close()


def test_a_video_is_sent_with_its_pictures_and_ends(model: VideoPoseModel, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "numbered.mp4", [draw_number(t) for t in range(4)])
    page = Page(LiveView(model, path, BOX))
    page.view.start()
    until(lambda: page.view._state == "ended")
    for one in page.sent:
        picture = simplejpeg.decode_jpeg(one["jpeg"], colorspace="RGB")
        assert np.abs(picture.astype(int) - draw_number(one["number"])).mean() < 6
        assert list(one["stages"]) == ["capture", "decode", "network", "encode", "browser"]
    assert "<img" in page.view.still_html() and "Live: numbered.mp4" in page.view.still_html()
    page.view.start()  # a video is played again
    until(lambda: page.view._state == "ended" and page.view.live and page.view.live.tracked)
    page.view.close()


def test_a_webcam_leaves_no_picture_in_the_notebook(webcam: Page) -> None:
    webcam.send({"type": "start"})
    webcam.frame(0)
    until(lambda: webcam.view.live and webcam.view.live.tracked)
    assert "<img" not in webcam.view.still_html()


def test_the_joint_is_one_of_the_model(model: VideoPoseModel) -> None:
    view = LiveView(model)
    view.joint = "head"
    with pytest.raises(ConfigError, match="unknown joint 'left_wirst'; did you mean 'left_wrist'"):
        view.joint = "left_wirst"
    assert view.joint == "head"
    with pytest.raises(ClosedError, match="press Start first"):
        view.follow(BOX)
    view.close()


def test_a_camera_that_is_not_there_is_said_when_it_is_started(model: VideoPoseModel) -> None:
    page = Page(LiveView(model, "/dev/video77"))
    page.send({"type": "start"})
    assert "expected a camera at '/dev/video77'" in page.view._error and page.sent == [{"type": "refused"}]
    page.view.close()


def test_closing_ends_the_run(webcam: Page) -> None:
    webcam.send({"type": "start"})
    webcam.view.close()
    assert webcam.view.live is not None and webcam.view.live.state == "stopped"


def test_frames_are_decoded_as_they_are() -> None:
    with Clip(get_sample("rendered_walk").path) as clip:
        frame = clip.frame(3)
    assert np.abs(decode_frame(encode_frame(frame)).astype(int) - frame).mean() < 4
    huge = simplejpeg.encode_jpeg(np.zeros((8, 5000, 3), np.uint8))
    with pytest.raises(ShapeError, match="at most 4096 pixels, got 5000×8"):
        decode_frame(huge)
    with pytest.raises(ShapeError, match="expected a frame as JPEG"):
        decode_frame(b"")
