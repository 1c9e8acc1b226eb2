"""Filmstrips of the table of clips: the person in frames that are spread over the clip."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest

from dkd import Clip, Study
from tests.support.many_clips import many_clips
from widgets.study.strips import KEPT, MARGIN, PICTURES, SIDE, Strips, person_in, strip_of

N = 6


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return many_clips(tmp_path_factory.mktemp("study"), N)


def test_the_square_around_the_joints_is_shown() -> None:
    frame = np.zeros((200, 300, 3), np.uint8)
    frame[50:150, 100:200] = 255
    around = (MARGIN - 1) / 2 / MARGIN * SIDE  # width of what is around the box of the joints
    shown = person_in(frame, np.array([[100.0, 50.0], [200.0, 150.0], [np.nan, np.nan]]))
    assert shown.shape == (SIDE, SIDE, 3)
    bright = np.flatnonzero(shown[SIDE // 2, :, 0] > 127)
    assert bright[0] == pytest.approx(around, abs=1.5) and bright[-1] == pytest.approx(SIDE - 1 - around, abs=1.5)
    outside = person_in(frame, np.array([[-100.0, -100.0], [0.0, 0.0]]))
    assert outside[0, 0].tolist() == [128] * 3 and outside[-1, -1].tolist() == [0] * 3
    whole = person_in(frame, np.full((2, 2), np.nan))  # the middle: 200 pixels of 300
    assert np.flatnonzero(whole[SIDE // 2, :, 0] > 127)[0] == pytest.approx(SIDE / 4, abs=1.5)
    assert person_in(frame, np.array([[-1e9, 5.0], [1e9, 6.0]])).shape == (SIDE, SIDE, 3)


def test_a_strip_has_the_person_in_five_frames(study: Study) -> None:
    row = study.rows[0]
    data = strip_of(study, row.name)
    assert data is not None
    strip = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))[..., ::-1]
    assert strip.shape == (SIDE, PICTURES * SIDE, 3)
    joints = study.joints_of(row.name)[["x", "y"]].to_numpy().reshape(8, -1, 2)
    with Clip(study.video(row)) as clip:
        for k, t in enumerate((0, 2, 4, 5, 7)):
            wanted = person_in(clip.frame(t), joints[t]).astype(float)
            shown = strip[:, k * SIDE : (k + 1) * SIDE].astype(float)
            assert np.abs(shown - wanted).mean() < 6, (k, t)  # a JPEG
    assert strip_of(study, study.rows[1].name) is None  # an empty video
    assert strip_of(study, study.rows[3].name) is None  # it failed
    assert strip_of(study, "nobody") is None


def test_the_latest_request_is_done_and_what_is_known_is_not_made_again(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    begun, may_go_on = threading.Event(), threading.Event()

    def make(_: Study, name: str) -> bytes | None:
        made.append(name)
        begun.set()
        may_go_on.wait(60)
        return None if name == "none" else name.encode()

    monkeypatch.setattr("widgets.study.strips.strip_of", make)
    ready: list[tuple[str, bytes]] = []
    strips = Strips(study, lambda name, strip: ready.append((name, strip)))
    strips.want(["a", "b", "c"])
    assert begun.wait(60)
    strips.want(["none", "d"])
    may_go_on.set()
    strips.wait()
    assert made == ["a", "none", "d"] and ready == [("a", b"a"), ("d", b"d")]
    strips.want(["a", "b"])
    strips.wait()
    assert made == ["a", "none", "d", "b"] and [name for name, _ in ready] == ["a", "d", "a", "b"]
    strips.want(str(i) for i in range(KEPT))
    strips.wait()
    strips.want(["a"])  # it was forgotten
    strips.wait()
    assert made[-1] == "a"
    strips.close()
    strips.want(["e"])
    strips.wait()
    assert made[-1] == "a"
