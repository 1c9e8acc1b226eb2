"""Signs of damage in JPEG data: whole pictures of all kinds have none, damaged ones usually do."""

from __future__ import annotations

import math
import random

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dkd.video.jpeg import PADDING_BYTES, jpeg_fault, jpeg_is_whole
from tests.support.video_files import draw_number

KINDS = {
    "baseline": [],
    "progressive": [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
    "restart markers": [cv2.IMWRITE_JPEG_RST_INTERVAL, 2],
    "optimised tables": [cv2.IMWRITE_JPEG_OPTIMIZE, 1],
    "full colour": [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444],
}
SMOOTH = cv2.resize(np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8), (320, 240))


def coded(picture: np.ndarray, quality: int = 90, settings: tuple[int, ...] = ()) -> bytes:
    ok, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality, *settings])
    assert ok
    return data.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_the_structure_of_a_jpeg(kind):
    data = coded(draw_number(3), settings=tuple(KINDS[kind]))
    assert jpeg_is_whole(data) and jpeg_is_whole(data + b"\0" * 20)
    assert not any(jpeg_is_whole(data[:n]) for n in range(0, len(data) - 1, 7))
    late = len(data) * 9 // 10  # among coded data in all kinds
    assert not jpeg_is_whole(data[:late] + b"\xff\xd8\xff\xff" + data[late + 4 :])


@given(
    kind=st.sampled_from(sorted(KINDS)),
    quality=st.integers(1, 100),
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    picture=st.sampled_from(["black", "white", "checked", "noise", "grey", "text"]),
)
def test_a_whole_picture_has_no_fault(kind, quality, size, picture):
    """Extreme pictures too: their blocks lie at the very ends of the range, and coding pushes them over it."""
    height, width = size
    noise = np.random.default_rng(height * 71 + width)
    image = {
        "black": np.zeros((height, width, 3), np.uint8),
        "white": np.full((height, width, 3), 255, np.uint8),
        "checked": np.indices((height, width)).sum(0)[..., None].repeat(3, 2).astype(np.uint8) % 2 * 255,
        "noise": noise.integers(0, 256, (height, width, 3), dtype=np.uint8),
        "grey": noise.integers(0, 256, (height, width), dtype=np.uint8),
        "text": (noise.random((height, width, 3)) > 0.9).astype(np.uint8) * 255,
    }[picture]
    assert jpeg_fault(coded(image, quality, tuple(KINDS[kind]))) is None


@pytest.mark.parametrize("kind", KINDS)
def test_noise_among_the_data_of_a_picture_is_usually_noticed(kind):
    """Not always: data that decode to another valid picture cannot be told from a picture."""
    data = coded(SMOOTH, settings=tuple(KINDS[kind]))
    found = 0
    for seed in range(40):
        chance = random.Random(seed)
        at = chance.randrange(len(data) // 4, len(data) * 3 // 4)
        noise = bytes(chance.randrange(0xFF) for _ in range(64))  # no 0xFF: it would be a marker
        found += jpeg_fault(data[:at] + noise + data[at + 64 :]) is not None
    assert found >= (16 if kind == "progressive" else 24)


def test_the_reason_is_named():
    data = coded(SMOOTH)
    end = len(data) - 2
    begin = data.index(b"\xff\xda") + 14
    assert jpeg_fault(data[: end - 400] + data[end:]) == "its data end too early"
    assert str(jpeg_fault(data[:end] + b"\x55" * 400 + data[end:])).endswith("bytes of it are left over")
    assert jpeg_fault(data[:begin] + b"\xfe" * 64 + data[begin + 64 :]) is not None


def test_a_few_bytes_in_front_of_a_marker_are_the_habit_of_a_camera():
    data = coded(SMOOTH)
    padded = data[:-2] + b"\x55" * PADDING_BYTES + data[-2:]
    assert jpeg_fault(padded) is None
    collected = data[:-2] + b"\x55" * 600 + data[-2:]
    assert jpeg_fault(collected) is not None and jpeg_fault(collected, padding=math.inf) is None


def test_a_block_out_of_range_is_noticed_where_the_data_have_the_right_length():
    for value in (0, 255):
        white_or_black = coded(np.full((64, 64), value, np.uint8), 50)
        table = white_or_black.index(b"\xff\xdb")
        step = white_or_black[table + 5]
        assert step % 2 == 0 and jpeg_fault(white_or_black) is None
        farther = white_or_black[: table + 5] + bytes([2 * step]) + white_or_black[table + 6 :]
        assert jpeg_fault(farther) == "a block is brighter or darker than a picture can be"


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"not a picture", coded(SMOOTH)[:300]])
def test_what_is_not_known_is_not_judged(data):
    assert jpeg_fault(data) is None
