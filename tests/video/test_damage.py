"""What is noticed of damage, per container and codec. The table in ``docs/video.md`` is made by this file."""

from __future__ import annotations

import logging
import random
import re
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from dkd import Clip
from dkd.datasets.people import read_image
from dkd.errors import DatasetError, DKDError, VideoCorruptError
from dkd.video.integrity import noise_behind_slices
from tests.support.video_files import CODECS, draw_number, read_number, write_clip

N = 40
PICTURES = [draw_number(i) for i in range(N)]
# Not "realtime", which chooses its settings by the speed of the machine.
_LIBVPX = {"g": "20", "b": "1M", "deadline": "good", "cpu-used": "4", "threads": "1"}
# name → (suffix, encoder, settings, pixel format)
KINDS: dict[str, tuple[str, str, dict[str, str], str]] = {
    "H.264 in MP4": (".mp4", "libx264", {"g": "20", "preset": "veryfast"}, "yuv420p"),
    "HEVC in MP4": (".mp4", "libx265", CODECS["hevc"][2], "yuv420p"),
    "HEVC in MP4, one row after the other": (
        ".mp4", "libx265", {**CODECS["hevc"][2], "x265-params": CODECS["hevc"][2]["x265-params"] + ":wpp=0"}, "yuv420p",
    ),
    "HEVC, raw": (".h265", "libx265", CODECS["hevc"][2], "yuv420p"),
    "VP8 in WebM": (".webm", "libvpx", _LIBVPX, "yuv420p"),
    "VP9 in WebM": (".webm", "libvpx-vp9", _LIBVPX, "yuv420p"),
    "AV1 in MP4": (".mp4", "libsvtav1", CODECS["av1"][2], "yuv420p"),
    "MJPEG in AVI": (".avi", "mjpeg", {"qmin": "2", "qmax": "3"}, "yuvj420p"),
    "MJPEG in MOV": (".mov", "mjpeg", {"qmin": "2", "qmax": "3", "threads": "1"}, "yuvj420p"),
    "MPEG-4 in AVI": (".avi", "mpeg4", {"g": "12", "b": "1500k"}, "yuv420p"),
    "H.264 in MKV": (".mkv", "libx264", {"g": "20", "preset": "veryfast"}, "yuv420p"),
}  # fmt: skip
TRIES = 12


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("whole")
    return {
        name: write_clip(folder / f"{k}{suffix}", PICTURES, codec, options, pixel_format=pixel_format)
        for k, (name, (suffix, codec, options, pixel_format)) in enumerate(KINDS.items())
    }


def places(path: Path) -> list[tuple[int, int]]:
    with av.open(str(path)) as container:
        return [(packet.pos or 0, packet.size) for packet in container.demux(video=0) if packet.size]


def scratched(path: Path, target: Path, seed: int, among: slice = slice(5, 35)) -> Path:
    """Copy a file with 64 bytes of noise (less in a small packet) within the data of one of its pictures."""
    chance = random.Random(seed)
    begin, size = chance.choice(places(path)[among])
    at = begin + chance.randrange(size // 4, max(size // 4 + 1, size * 3 // 4))
    n = min(64, begin + size - at)
    data = bytearray(path.read_bytes())
    data[at : at + n] = chance.randbytes(n)
    target.write_bytes(data)
    return target


def outcome(whole: list[np.ndarray], path: Path) -> str:
    """``noticed``: an error or a warning about damage. ``harmless``: no picture changed. ``missed``: else."""
    try:
        with Clip(path) as clip:
            changed = len(clip) != len(whole)
            for t in range(len(clip)):
                share = (np.abs(clip[t].astype(int) - whole[min(t, len(whole) - 1)]).max(-1) > 40).mean()
                changed = changed or share > 0.02
            if any(w.kind in ("damaged", "suspect", "truncated") for w in clip.warnings):
                return "noticed"
    except DKDError:
        return "noticed"
    return "missed" if changed else "harmless"


def measure(clips: dict[str, Path], folder: Path) -> dict[str, dict[str, int]]:
    table = {}
    for name, path in clips.items():
        with Clip(path) as clip:
            whole = [frame.copy() for frame in clip]
            assert clip.warnings == (), name
        found = [outcome(whole, scratched(path, folder / f"x{path.suffix}", seed)) for seed in range(TRIES)]
        print(name, {word: found.count(word) for word in ("noticed", "missed", "harmless")})
        table[name] = {word: found.count(word) for word in ("noticed", "missed", "harmless")}
    return table


def test_what_is_noticed_is_what_the_documentation_says(clips, tmp_path):
    """The numbers in the table are bounds: at least so many noticed, at most so many missed."""
    text = (Path(__file__).parents[2] / "docs" / "video.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    documented = {name: (int(noticed), int(missed)) for name, noticed, missed in rows}
    table = measure(clips, tmp_path)
    assert documented.keys() == table.keys()
    for name, (noticed, missed) in documented.items():
        assert noticed <= table[name]["noticed"] <= noticed + 3, (name, table)
        assert table[name]["missed"] <= missed, (name, table)


@pytest.mark.parametrize("name", ["VP8 in WebM", "VP9 in WebM", "MJPEG in AVI"])
def test_damage_is_an_error_at_the_frame_and_then_a_warning_with_its_number(clips, tmp_path, name):
    """The back end does not matter, and frames before the damage and after the next key frame are unchanged."""
    with Clip(clips[name]) as clip:
        whole = [frame.copy() for frame in clip]
    path = scratched(clips[name], tmp_path / f"x{clips[name].suffix}", 0, slice(5, 11))
    with Clip(path) as clip:
        lost = set()
        for t in range(len(clip)):
            try:
                assert np.array_equal(clip[t], whole[t]), t
            except VideoCorruptError:
                lost.add(t)
        (warning,) = [w for w in clip.warnings if w.kind == "damaged"]
        assert lost and set(warning.frames) == lost and f"the first is frame {min(lost)}" in str(warning)


@pytest.mark.parametrize("fill", ["zeros", "an end marker, then zeros"])
def test_half_a_picture_of_a_webcam_is_damaged(clips, tmp_path, fill):
    path = clips["MJPEG in AVI"]
    begin, size = places(path)[20]
    data, half = bytearray(path.read_bytes()), begin + size // 2
    marker = b"" if fill == "zeros" else b"\xff\xd9"
    data[half : begin + size] = marker + bytes(begin + size - half - len(marker))
    (tmp_path / "half.avi").write_bytes(data)
    with Clip(tmp_path / "half.avi") as clip:
        with pytest.raises(VideoCorruptError, match="frame 20 .*is damaged"):
            clip.frame(20)
        assert read_number(clip[19]) == 19 and read_number(clip[21]) == 21


def write_clusters(path: Path) -> Path:
    return write_clip(
        path, PICTURES, "libx264", {"g": "5", "preset": "veryfast"}, container_options={"cluster_time_limit": "300"}
    )


def test_a_hole_in_a_matroska_file_is_named(tmp_path, caplog):
    data = bytearray(write_clusters(tmp_path / "a.mkv").read_bytes())
    clusters = [i for i in range(len(data)) if data[i : i + 4] == b"\x1f\x43\xb6\x75"]
    at = clusters[len(clusters) // 2]
    data[at : at + 16] = bytes(16)
    (tmp_path / "hole.mkv").write_bytes(data)
    with caplog.at_level(logging.WARNING), Clip(tmp_path / "hole.mkv") as clip:
        kinds = {w.kind: w for w in clip.warnings}
        (jump,) = kinds["gap"].frames
        assert kinds["suspect"].frames == (jump,) and 5 < jump < len(clip) - 1 < N - 1
        lost = set()
        for t, time in enumerate(clip.times):  # frames keep their times, and none is shown that refers to a lost one
            try:
                assert read_number(clip[t]) == round(time * 25)
            except VideoCorruptError:
                lost.add(t)
        assert lost == {*range(jump + 1, jump + 1 + len(lost))} and len(lost) < 5
        assert f"around frame {jump}" in caplog.text and not clip.truncated
    data[at:] = bytes(len(data) - at)
    (tmp_path / "tail.mkv").write_bytes(data)
    with Clip(tmp_path / "tail.mkv") as clip:
        assert clip.truncated and len(clip) == jump + 1


@pytest.mark.parametrize("form", ["lengths", "start codes"])
def test_noise_behind_slices_leaves_all_else_unchanged(form):
    slices, others = [bytes([2 * kind, 1, 9, 9, 9]) for kind in (0, 1, 19, 21)], [b"\x40\1vps", b"\x4e\1sei"]
    units = [others[0], *slices, others[1]]
    if form == "lengths":
        extradata = bytes([1, *[0] * 20, 3, 0])  # lengths of 4 bytes
        data = b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
        changed = noise_behind_slices(data, extradata)
        found, at = [], 0
        while at < len(changed):
            length = int.from_bytes(changed[at : at + 4], "big")
            found.append(changed[at + 4 : at + 4 + length])
            at += 4 + length
    else:
        changed = noise_behind_slices(b"".join(b"\0\0\0\1" + unit for unit in units), None)
        found = [unit.rstrip(b"\0") for unit in changed.split(b"\0\0\1")[1:]]
    assert len(found) == len(units)
    for unit, new in zip(units, found, strict=True):
        assert new.startswith(unit) and (len(new) > len(unit)) == (unit in slices)


@pytest.mark.parametrize("how", ["zeros", "removed"])
@pytest.mark.parametrize(("suffix", "share"), [(".ts", 0.5), (".ts", 0.7), (".flv", 0.3), (".flv", 0.5)])
def test_frames_after_lost_data_keep_their_times(tmp_path, suffix, how, share):
    """A whole stretch of the stream is lost, with the headers in it."""
    _, codec, options = CODECS["h264_closed_gop"]
    data = write_clip(tmp_path / f"a{suffix}", PICTURES, codec, options).read_bytes()
    at = int(len(data) * share)
    (tmp_path / f"b{suffix}").write_bytes(data[:at] + (bytes(2000) if how == "zeros" else b"") + data[at + 2000 :])
    with Clip(tmp_path / f"b{suffix}") as clip:
        assert {w.kind for w in clip.warnings} & {"damaged", "gap"}
        seen = 0
        for t, time in enumerate(clip.times):
            try:
                assert read_number(clip[t]) == round(time * 25)
                seen += 1
            except VideoCorruptError:
                pass
        assert N - 26 <= seen < N


def test_a_matroska_checksum_tells_of_a_single_wrong_byte(tmp_path):
    path = write_clusters(tmp_path / "a.mkv")
    begin, size = places(path)[20]
    data = bytearray(path.read_bytes())
    data[begin + size - 3] ^= 1
    (tmp_path / "bit.mkv").write_bytes(data)
    with Clip(tmp_path / "bit.mkv") as clip:
        (warning,) = [w for w in clip.warnings if w.kind == "suspect"]
        assert warning.frames[0] <= 20 <= warning.frames[-1] < N and "checksum" in warning.text


# ---- images ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".jpg", ".png", ".bmp", ".tif", ".webp"])
@pytest.mark.parametrize("share", [0.33, 0.9, 0.99])
def test_a_truncated_image_is_refused(tmp_path, ending, share):
    file = tmp_path / f"a{ending}"
    cv2.imwrite(str(file), np.random.default_rng(0).integers(0, 255, (96, 160, 3), dtype=np.uint8))
    assert read_image(file).shape == (96, 160, 3)
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
    with pytest.raises(DatasetError, match="damaged or truncated"):
        read_image(file)


def test_a_jpeg_that_lost_its_middle_is_refused(tmp_path):
    file = tmp_path / "a.jpg"
    picture = cv2.resize(np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8), (320, 240))
    cv2.imwrite(str(file), picture)
    data = file.read_bytes()
    third = len(data) // 3
    file.write_bytes(data[:third] + bytes(third) + data[2 * third :])
    with pytest.raises(DatasetError, match="damaged or truncated"):
        read_image(file)
