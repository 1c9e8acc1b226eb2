"""A workbench that shows a trace while it is being made: frames come, settings stay, errors are shown."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from dkd import Clip, ImageClip, Trace, load_model
from dkd.errors import ConfigError, VideoCorruptError
from dkd.models.base import VideoPoseModel
from dkd.tracking.conditions import Conditions
from dkd.tracking.reinitialise import Reinitialise
from dkd.video.samples import get_sample
from tests.support.server import PATIENCE_S, until
from widgets import Cursor, Workbench
from widgets.workbench import growing

WALK = get_sample("rendered_walk")
T = 12


class HeldClip(ImageClip):
    """A clip whose frames from ``allowed`` on wait until more are allowed; frame ``broken`` cannot be read."""

    def __init__(self, allowed: int, broken: int | None = None):
        with Clip(WALK.path) as clip:
            super().__init__([clip.frame(t) for t in range(T)], fps=30.0, name="held")
        self._changed, self._allowed, self._broken = threading.Condition(), allowed, broken

    def allow(self, count: int) -> None:
        with self._changed:
            self._allowed = count
            self._changed.notify_all()

    def frame(self, t: int) -> np.ndarray:
        with self._changed:
            assert self._changed.wait_for(lambda: t < self._allowed, PATIENCE_S)
        if t == self._broken:
            raise VideoCorruptError("frame 5 is damaged")
        return super().frame(t)


@pytest.fixture(scope="module")
def model() -> VideoPoseModel:
    return load_model("dkd-mobilenetv2")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each frame is shown."""
    monkeypatch.setattr(growing, "EVERY_S", 0.0)
    monkeypatch.setattr(growing, "SHARE", 0)
    yield


def test_the_first_frame_is_there_before_the_others_are_traced(model: VideoPoseModel) -> None:
    clip = HeldClip(1)
    wb = Workbench.tracing(model, clip, WALK.box)
    assert len(wb.trace) == wb.cursor.n_frames == 1 and not wb.trace.complete
    messages: list[tuple[dict[str, Any], Any]] = []
    wb._feed.send = lambda content, buffers=(): messages.append((content, buffers))
    clip.allow(6)
    until(lambda: wb.cursor.n_frames >= 5)
    assert wb._growing[1] == T and len(wb.trace) >= 5
    wb.frame, wb.joint = 4, "head"
    assert wb.reinitialise
    clip.allow(T)
    trace = wb.wait()
    assert trace.complete and wb.trace is trace and wb.cursor.n_frames == T and wb._growing == []
    assert (wb.frame, wb.joint) == (4, "head")
    headers = [content for content, _ in messages if content["type"] == "header"]
    counts = [one["n_frames"] for one in headers]
    assert counts == sorted(counts) and counts[-1] == T
    assert [one["keep"] for one in headers[1:]] == counts[:-1]  # the page keeps the frames that it has
    expected = Trace(model, HeldClip(T), WALK.box, Conditions(reinitialise=Reinitialise()), progress=False)
    np.testing.assert_array_equal(trace.joints, expected.joints)
    wb.close()


def test_a_page_that_opens_late_gets_all_frames(model: VideoPoseModel) -> None:
    clip = HeldClip(3)
    wb = Workbench.tracing(model, clip, WALK.box)
    answers: list[dict[str, Any]] = []
    wb._feed.send = lambda content, buffers=(): answers.append(content)
    until(lambda: wb.cursor.n_frames == 3)
    answers.clear()
    wb._feed._on_message(wb._feed, {"type": "hello"}, [])
    assert [one["type"] for one in answers] == ["header", "records"] and answers[0]["n_frames"] == 3
    clip.allow(T)
    wb.wait()
    wb.close()


def test_a_frame_that_cannot_be_read_is_said_and_those_before_it_are_shown(model: VideoPoseModel) -> None:
    wb = Workbench.tracing(model, HeldClip(T, broken=5), WALK.box)
    with pytest.raises(VideoCorruptError, match="frame 5 is damaged"):
        wb.wait()
    assert wb._error == "frame 5 is damaged" and len(wb.trace) == wb.cursor.n_frames == 5 and wb._growing == []
    wb.close()
    with pytest.raises(VideoCorruptError, match="frame 5 is damaged"):
        Workbench.tracing(model, HeldClip(T, broken=0), WALK.box)


def test_closing_stops_the_run(model: VideoPoseModel) -> None:
    clip = HeldClip(2)
    wb = Workbench.tracing(model, clip, WALK.box)
    run = wb._run
    assert run is not None
    wb.close()
    clip.allow(T)
    run.wait()
    assert len(run.trace) < T


def test_another_trace_takes_its_place(model: VideoPoseModel) -> None:
    clip = HeldClip(2)
    wb = Workbench.tracing(model, clip, WALK.box)
    run = wb._run
    other = Trace(model, HeldClip(T), WALK.box, stop=3, progress=False)
    wb.trace = other
    clip.allow(T)
    assert run is not None
    run.wait()
    assert wb.trace is other and wb.cursor.n_frames == 3 and wb.wait() is other
    wb.close()


def test_a_complete_trace_has_nothing_to_wait_for(model: VideoPoseModel) -> None:
    trace = Trace(model, HeldClip(T), WALK.box, stop=2, progress=False)
    wb = Workbench(trace)
    assert wb.wait() is trace and wb._growing == []
    wb.close()


def test_a_cursor_only_grows() -> None:
    cursor = Cursor(5, ("head",))
    cursor.frame, cursor.range = 3, (1, 3)
    cursor.extend(9)
    assert (cursor.n_frames, cursor.frame, list(cursor.range)) == (9, 3, [1, 3])
    with pytest.raises(ConfigError, match="expected at least 9 frames, got 4"):
        cursor.extend(4)
