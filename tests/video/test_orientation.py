"""Orientation and pixel shape against FFmpeg's own filters."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph

from dkd import Clip
from tests.support.video_files import CODECS, HEIGHT, WIDTH, draw_number, write_clip

PICTURES = [draw_number(i) for i in range(12)]
QUICK = CODECS["h264_closed_gop"][2]
ONE, UNIT = 1 << 16, 1 << 30
# The eight matrices of right angles: (a, b, c, d), and the filters by which ffmpeg applies each.
RIGHT_ANGLES = {
    "as stored": ((1, 0, 0, 1), []),
    "turned by 90°": ((0, 1, -1, 0), [("transpose", "clock")]),
    "turned by 180°": ((-1, 0, 0, -1), [("hflip", ""), ("vflip", "")]),
    "turned by 270°": ((0, -1, 1, 0), [("transpose", "cclock")]),
    "mirrored": ((-1, 0, 0, 1), [("hflip", "")]),
    "upside down, mirrored": ((1, 0, 0, -1), [("vflip", "")]),
    "transposed": ((0, 1, 1, 0), [("transpose", "cclock_flip")]),
    "transposed over the other diagonal": ((0, -1, -1, 0), [("transpose", "clock_flip")]),
}


def set_matrix(path: Path, a: float, b: float, c: float, d: float) -> Path:
    """Write a display matrix into the track header of an MP4, as phones and editors do."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = struct.pack(">9i", *(round(v * ONE) for v in (a, b, 0, c, d, 0, 0, 0)), UNIT)
    path.write_bytes(data)
    return path


def by_ffmpeg(frame: av.VideoFrame, filters: list[tuple[str, str]]) -> np.ndarray:
    """The frame, as RGB, through FFmpeg's own filters."""
    frame = frame.reformat(format="rgb24")
    graph = Graph()
    nodes = [graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25))]
    nodes += [graph.add(name, arguments) if arguments else graph.add(name) for name, arguments in filters]
    nodes.append(graph.add("buffersink"))
    for one, other in zip(nodes, nodes[1:], strict=False):
        one.link_to(other)
    graph.configure()
    graph.push(frame)
    pulled = graph.pull()
    assert isinstance(pulled, av.VideoFrame)
    return pulled.to_ndarray(format="rgb24")


@pytest.mark.parametrize("backend", ["auto", "decord"])
@pytest.mark.parametrize("name", RIGHT_ANGLES)
def test_every_display_matrix_is_applied_as_ffmpeg_applies_it(tmp_path, name, backend):
    numbers, filters = RIGHT_ANGLES[name]
    path = set_matrix(write_clip(tmp_path / "phone.mp4", PICTURES, "libx264", QUICK), *numbers)
    with av.open(str(path)) as container:
        expected = [by_ffmpeg(frame, filters) for frame in container.decode(video=0)]
    with Clip(path, backend=backend) as clip:
        assert str(clip.orientation) == name
        for t in (*range(12), 3):
            assert np.array_equal(clip[t], expected[t]), (name, t)
        assert (clip.height, clip.width) == expected[0].shape[:2]


@pytest.mark.parametrize("flip", ["horizontal", "vertical"])
def test_a_mirror_in_the_coded_video_itself_is_applied(tmp_path, flip):
    """H.264 can carry the orientation (a supplemental message), in any container."""
    source = write_clip(tmp_path / "plain.mkv", PICTURES, "libx264", QUICK)
    path = tmp_path / "sei.mkv"
    with av.open(str(source)) as reader, av.open(str(path), "w") as writer:
        stream = reader.streams.video[0]
        target = writer.add_stream_from_template(stream)
        insert = av.BitStreamFilterContext(f"h264_metadata=display_orientation=insert:flip={flip}", stream)
        for packet in [q for p in reader.demux(stream) for q in insert.filter(p if p.size else None)]:
            packet.stream = target
            writer.mux(packet)
    with Clip(source) as plain, Clip(path) as clip:
        for t in range(12):
            assert np.array_equal(clip[t], np.flip(plain[t], 1 if flip == "horizontal" else 0))


def test_an_angle_between_right_ones_turns_within_the_picture(tmp_path):
    angle = np.radians(30)
    bars = np.zeros((120, 160, 3), np.uint8)
    bars[40:80, 60:130] = 255
    path = write_clip(tmp_path / "tilted.mp4", [bars] * 3, "libx264", QUICK)
    set_matrix(path, np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle))
    with av.open(str(path)) as container:
        expected = by_ffmpeg(next(container.decode(video=0)), [("rotate", "30*PI/180")])
    with Clip(path) as clip:
        assert str(clip.orientation) == "turned by 30°"
        assert clip[0].shape == expected.shape
        assert np.abs(clip[0].astype(int) - expected).mean() < 2  # both interpolate


@pytest.mark.parametrize(("name", "expected"), [("as stored", Fraction(4, 3)), ("turned by 90°", Fraction(3, 4))])
def test_the_shape_of_pixels_is_stated(tmp_path, name, expected):
    path = tmp_path / "wide.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=QUICK)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(PICTURES[0], format="rgb24")))
        container.mux(stream.encode(None))
    with Clip(set_matrix(path, *RIGHT_ANGLES[name][0])) as clip:
        assert clip.pixel_aspect == expected
        assert f"(pixels {expected.numerator}:{expected.denominator})" in repr(clip)
    with Clip(write_clip(tmp_path / "square.mp4", PICTURES[:2], "libx264", QUICK)) as clip:
        assert clip.pixel_aspect == 1 and "pixels" not in repr(clip)
