"""The list of packets from the tables of an MP4 or MOV file against the packets that FFmpeg reads, one by one."""

from __future__ import annotations

import random
from pathlib import Path

import av
import numpy as np
import pytest

from dkd.errors import VideoError
from dkd.video import index as index_module
from dkd.video import tables
from dkd.video.clip import Clip
from dkd.video.index import _read_packets, build_index
from dkd.video.opening import choose_track, open_video
from dkd.video.tables import Packet, packets_of_tables
from tests.support.video_files import CODECS, draw_number, read_number, remux, write_clip

N = 240  # more than are compared with FFmpeg's packets when a file is opened
FASTSTART = {"movflags": "faststart"}
MS = np.cumsum(np.random.default_rng(2).choice((17, 33, 40, 120), N)).tolist()


def listed(path: Path, track: int = 0) -> list[Packet] | None:
    container, stream = open_video(path, track)
    with container:
        return packets_of_tables(path, container, stream)


def read(path: Path, track: int = 0) -> list[Packet]:
    packets, broken = _read_packets(path, track)
    assert not broken
    return packets


def shifted(source: Path, target: Path, frames: int) -> Path:
    """Copy a clip such that its first frames lie before time 0, as when a phone trims a video."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        stream = reader.streams.video[0]
        copy = writer.add_stream_from_template(stream)
        for packet in reader.demux(stream):
            if packet.size and packet.pts is not None and packet.dts is not None:
                packet.pts -= frames * 512
                packet.dts -= frames * 512
                packet.stream = copy
                writer.mux(packet)
    return target


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """Files of every kind whose tables are plain."""
    folder = tmp_path_factory.mktemp("tables")
    pictures = [draw_number(n) for n in range(N)]

    def write(name: str, kind: str, **more) -> Path:
        _, codec, options = CODECS[kind]
        return write_clip(folder / name, pictures, codec, options, **more)

    made = {
        "H.264": write("plain.mp4", "h264_closed_gop"),
        "H.264, open groups": write("open.mp4", "h264_open_gop"),
        "H.264, variable rate": write("vfr.mp4", "h264_vfr", milliseconds=MS),
        "H.264, MOV": write("plain.mov", "h264_open_gop"),
        "turned, index in front": write("turned.mp4", "h264_open_gop", rotation=90, container_options=FASTSTART),
        "HEVC": write("hevc.mp4", "hevc"),
        "AV1": write("av1.mp4", "av1"),
        "MJPEG": write_clip(folder / "jpeg.mov", pictures, "mjpeg", pixel_format="yuvj420p"),
    }  # fmt: skip
    made["negative offsets"] = remux(
        made["H.264, open groups"], folder / "negative.mp4", 0, container_options={"movflags": "negative_cts_offsets"}
    )
    made["beginning hidden by an edit list"] = shifted(made["H.264, open groups"], folder / "trimmed.mp4", 5)
    made["no edit list"] = remux(
        made["H.264, open groups"], folder / "none.mp4", 0, container_options={"use_editlist": "0"}
    )
    return made


KINDS = [
    "H.264", "H.264, open groups", "H.264, variable rate", "H.264, MOV", "turned, index in front", "HEVC", "AV1",
    "MJPEG", "negative offsets", "beginning hidden by an edit list", "no edit list",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_tables_give_the_packets_that_ffmpeg_reads(files, kind) -> None:
    packets = read(files[kind])
    assert listed(files[kind]) == packets and len(packets) == N
    assert sum(packet.hidden for packet in packets) == (5 if kind == "beginning hidden by an edit list" else 0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_index_of_a_file_does_not_depend_on_how_its_packets_were_listed(files, kind, monkeypatch) -> None:
    with_tables = build_index(files[kind])
    monkeypatch.setattr(index_module, "packets_of_tables", lambda *_: None)
    without = build_index(files[kind])
    np.testing.assert_array_equal(with_tables.pts, without.pts)
    np.testing.assert_array_equal(with_tables.times, without.times)
    assert (with_tables.keys, with_tables.sizes, with_tables.truncated) == (without.keys, without.sizes, False)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "turned, index in front"])
def test_a_seek_lands_on_the_nearest_key_frame(files, kind, monkeypatch) -> None:
    """Decoding begins at most a group before the frame: a seek that lands a group earlier costs twice as much."""
    begun: list[int] = []
    from dkd.video.readers import PyAVReader

    begin = PyAVReader._begin

    def recorded(self, at) -> None:
        begin(self, at)
        begun.append(self._next)

    with Clip(files[kind], cache_bytes=0) as clip:
        index = build_index(files[kind])
        assert index.pts is not None
        keys = np.searchsorted(index.pts, [key.pts for key in index.keys])
        first = read_number(clip.frame(0))
        monkeypatch.setattr(PyAVReader, "_begin", recorded)
        for number in (len(clip) - 2, 100, 37, 150):
            begun.clear()
            assert read_number(clip.frame(number)) == first + number
            if begun:
                assert begun == [max(key for key in keys if key <= number)]


def test_files_whose_packets_are_not_in_one_plain_table_are_read(files, tmp_path) -> None:
    fragmented = remux(
        files["H.264"], tmp_path / "fragments.mp4", 0, container_options={"movflags": "frag_keyframe+empty_moov"}
    )
    hybrid = remux(files["H.264"], tmp_path / "hybrid.mp4", 0, container_options={"movflags": "frag_keyframe"})
    hidden = remux(files["H.264, open groups"], tmp_path / "hidden.mp4", 1, hide=True)  # FFmpeg leaves samples out
    for path, first in ((fragmented, 0), (hybrid, 0), (hidden, 12)):
        assert listed(path) is None
        with Clip(path) as clip:
            assert [read_number(clip.frame(t)) for t in (0, len(clip) - 1, 77)] == [first, N - 1, first + 77]


@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
def test_a_file_that_was_cut_is_read(files, tmp_path, share) -> None:
    data = files["turned, index in front"].read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: int(len(data) * share)])
    assert listed(tmp_path / "cut.mp4") is None
    assert build_index(tmp_path / "cut.mp4").truncated


def test_each_of_several_tracks_has_its_own_table(files, tmp_path) -> None:
    path = tmp_path / "two.mp4"
    with (
        av.open(str(files["H.264"])) as first,
        av.open(str(files["HEVC"])) as second,
        av.open(str(path), "w") as writer,
    ):
        packets = []
        for reader in (first, second):
            stream = reader.streams.video[0]
            copy = writer.add_stream_from_template(stream)
            for packet in reader.demux(stream):
                if packet.size:
                    packet.stream = copy
                    packets.append(packet)
        for packet in sorted(packets, key=lambda p: (p.dts or 0) * float(p.time_base or 0)):
            writer.mux(packet)
    for track in (0, 1):
        assert listed(path, track) == read(path, track)
    assert listed(path, 0) != listed(path, 1)


@pytest.mark.parametrize("kind", ["H.264", "H.264, open groups", "negative offsets"])
def test_damaged_tables_give_the_same_packets_or_none(files, tmp_path, kind) -> None:
    """Single bytes of the header are changed, also such that concern packets which were not compared."""
    data = files[kind].read_bytes()
    begin = data.index(b"moov") + 4
    places = random.Random(kind)
    path = tmp_path / "damaged.mp4"
    outcomes = []
    for _ in range(150):
        changed = bytearray(data)
        changed[places.randrange(begin, len(data))] ^= places.randrange(1, 256)
        path.write_bytes(changed)
        try:
            found = listed(path, choose_track(path, None).number)
        except VideoError:  # it cannot be opened at all
            continue
        outcomes.append(found is not None)
        if found is not None:
            # FFmpeg looks into H.264 and corrects which pictures are key frames. These only serve to begin decoding: a
            # reader that starts at a wrong one notices, and starts at the one before.
            assert [p._replace(key=False) for p in found] == [p._replace(key=False) for p in read(path)]
    assert any(outcomes) and not all(outcomes)


def test_what_was_not_compared_is_found_by_another_place(files, monkeypatch) -> None:
    """A list that is wrong somewhere in the middle is refused if a place near it is compared."""
    real = tables._offsets

    def wrong(path: Path, track: int, n: int) -> np.ndarray | None:
        offsets = real(path, track, n)
        assert offsets is not None
        offsets[120:] += 512
        return offsets

    monkeypatch.setattr(tables, "_offsets", wrong)
    assert listed(files["H.264, open groups"]) is None
