"""The reader against clips whose frames show their own number, and against files with common kinds of damage."""

from __future__ import annotations

import dataclasses
import importlib.util
import logging
import multiprocessing
import os
import random
import sys
import threading
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import given
from hypothesis import strategies as st

from dkd import errors
from dkd.video import index as video_index
from dkd.video import readers as video_readers
from dkd.video.clip import Clip, FrameCache
from dkd.video.decord_reader import DecordUnfitError
from tests.support.video_files import (
    CODECS,
    HEIGHT,
    RATE,
    WIDTH,
    draw_number,
    has_encoder,
    read_number,
    remux,
    write_clip,
    write_numbered,
)

N = 60
FRAME_BYTES = HEIGHT * WIDTH * 3
AVAILABLE = [name for name, (_, encoder, _) in CODECS.items() if has_encoder(encoder)]
HAS_DECORD = importlib.util.find_spec("decord") is not None
# What decord 0.6.0 cannot do: no AV1 decoder, no raw streams, and it begins a transport stream at its second key frame.
BEYOND_DECORD = {"av1", "h264_raw", "h264_transport_stream", "mpeg4_transport_stream"}
WITH_BACKENDS = [
    (name, backend)
    for name in AVAILABLE
    for backend in (["pyav", "decord"] if HAS_DECORD and name not in BEYOND_DECORD else ["pyav"])
]
rng = random.Random(7)
VFR_MS = [0]
for _ in range(N - 1):
    VFR_MS.append(VFR_MS[-1] + rng.choice((17, 33, 40, 120)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def clips(folder) -> dict[str, Path]:
    return {
        name: write_numbered(folder, name, N, milliseconds=VFR_MS if name == "h264_vfr" else None) for name in AVAILABLE
    }


@pytest.fixture(scope="module")
def faststart(folder) -> Path:
    """Write an MP4 with its index in front, which can still be opened when truncated."""
    _, codec, options = CODECS["h264_open_gop"]
    pictures = [draw_number(i) for i in range(N)]
    return write_clip(folder / "faststart.mp4", pictures, codec, options, container_options={"movflags": "faststart"})


def numbers(clip: Clip, order) -> list[int]:
    return [read_number(clip[i]) for i in order]


def cut(source: Path, target: Path, packet: int) -> Path:
    """Copy the file up to the middle of a packet, counted in the file's order."""
    with av.open(str(source)) as container:
        places = [(p.pos or 0, p.size) for p in container.demux(video=0) if p.size]
    begin, size = places[packet]
    target.write_bytes(source.read_bytes()[: begin + size // 2])
    return target


# ---- every frame, in every order ------------------------------------------------------------------------------------


def test_all_encoders_that_the_house_pins_are_here():
    assert {"libx264", "libx265", "libvpx-vp9", "mpeg4"} <= {CODECS[name][1] for name in AVAILABLE}


@pytest.mark.parametrize(("name", "backend"), WITH_BACKENDS)
def test_every_frame_shows_its_own_number_in_any_order(clips, name, backend):
    order = list(range(N))
    random.Random(1).shuffle(order)
    for cache_bytes in (0, 20 * FRAME_BYTES):
        with Clip(clips[name], backend=backend, cache_bytes=cache_bytes) as clip:
            assert len(clip) == N and clip.backend == backend
            assert [read_number(frame) for frame in clip] == list(range(N))
            assert clip.backend == backend  # decord went all the way, nothing stepped in for it
            assert numbers(clip, order) == order
            assert numbers(clip, reversed(range(N))) == list(reversed(range(N)))
            assert [read_number(frame) for frame in clip.frames(17, 41)] == list(range(17, 41))


@pytest.mark.parametrize("name", AVAILABLE)
def test_random_access_on_a_fresh_clip(clips, name):
    for i in (N - 1, 12, 11, 13, 1):
        with Clip(clips[name]) as clip:
            assert read_number(clip[i]) == i


@pytest.mark.parametrize(("name", "backend"), [pair for pair in WITH_BACKENDS if pair[1] == "decord"])
def test_both_back_ends_give_the_same_pixels(clips, name, backend):
    with Clip(clips[name], backend=backend) as a, Clip(clips[name], backend="pyav") as b:
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("name", sorted(BEYOND_DECORD & set(AVAILABLE)) if HAS_DECORD else [])
def test_what_decord_cannot_do_is_left_to_pyav(clips, name, caplog):
    with caplog.at_level(logging.WARNING), Clip(clips[name], backend="decord") as clip:
        assert clip.backend == "pyav" and "pyav" in repr(clip)
        assert "is read by PyAV instead of decord" in caplog.text
        assert numbers(clip, (0, 1, 30)) == [0, 1, 30]


@pytest.mark.parametrize("name", AVAILABLE)
def test_pyav_reads_by_default(clips, name):
    with Clip(clips[name]) as clip:
        assert clip.backend == "pyav" and "pyav" in repr(clip)


@pytest.mark.parametrize("name", AVAILABLE)
def test_times_are_the_containers(clips, name):
    expected = np.array(VFR_MS) / 1000 if name == "h264_vfr" else np.arange(N) / RATE
    with Clip(clips[name], backend="pyav") as clip:
        np.testing.assert_allclose(clip.times, expected, atol=1e-6)
        assert clip.times[0] == 0 and clip.times.dtype == np.float64 and not clip.times.flags.writeable
        assert clip.mean_rate == pytest.approx((N - 1) / expected[-1], rel=1e-3)
        assert clip.fps == (None if name == "h264_vfr" else RATE)
        assert (clip.width, clip.height) == (WIDTH, HEIGHT)


def test_ten_bit_colours_do_not_change_with_the_back_end(tmp_path):
    _, codec, options = CODECS["h264_closed_gop"]
    pictures = [draw_number(i) for i in range(5)]
    path = write_clip(tmp_path / "ten_bit.mp4", pictures, codec, options, pixel_format="yuv420p10le")
    with Clip(path) as clip:
        assert clip.backend == "pyav"  # decord renders 10 bits up to 40 grey levels away
        assert numbers(clip, range(5)) == list(range(5))


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("backend", ["pyav", "decord"] if HAS_DECORD else ["pyav"])
def test_a_phones_rotation_is_applied(tmp_path, degrees, backend):
    _, codec, options = CODECS["h264_closed_gop"]
    stored = [np.ascontiguousarray(np.rot90(draw_number(i), -degrees // 90)) for i in range(15)]
    path = write_clip(tmp_path / "phone.mp4", stored, codec, options, rotation=degrees)
    with Clip(path, backend=backend) as clip:
        assert (clip.width, clip.height) == (WIDTH, HEIGHT)
        assert numbers(clip, range(15)) == list(range(15))  # read_number fails on a turned picture
        assert numbers(clip, (9, 3)) == [9, 3]


@pytest.mark.parametrize(
    ("suffix", "options"), [(".mp4", {}), (".mp4", {"movflags": "frag_keyframe+empty_moov"}), (".mkv", {})]
)
@pytest.mark.parametrize("name", ["h264_open_gop", "h264_closed_gop", "hevc"])
def test_a_recording_that_begins_inside_another(clips, tmp_path, name, suffix, options):
    """Starting at the second key frame, leading pictures of an open group lack their references and do not count."""
    with Clip(remux(clips[name], tmp_path / f"part{suffix}", 1, container_options=options)) as clip:
        assert numbers(clip, range(len(clip))) == list(range(12, N))
        assert numbers(clip, (40, 1, 0)) == [52, 13, 12]


@pytest.mark.parametrize("name", ["h264_open_gop", "h264_closed_gop", "hevc"])
def test_what_an_edit_list_hides_is_not_counted(clips, tmp_path, name):
    with Clip(remux(clips[name], tmp_path / "hidden.mp4", 1, hide=True)) as clip:
        assert clip.times[0] == 0
        assert numbers(clip, range(len(clip))) == list(range(12, N))
        assert numbers(clip, (40, 1, 0)) == [52, 13, 12]


@pytest.mark.parametrize("late", [1, 3, 12, 30])
@pytest.mark.parametrize("name", ["h264_transport_stream", "mpeg2_program_stream", "mpeg4_transport_stream"])
def test_a_seek_that_lands_too_late_gives_no_wrong_frame(clips, name, late):
    """Seeking in streams guesses; here each seek lands ``late`` frames after the requested key frame."""
    index = video_index.build_index(clips[name])
    later = tuple(key._replace(seek=key.seek + late * 90_000 // RATE) for key in index.keys)
    for i in (50, 37, 38, 20, 59, 3):
        reader = video_readers.PyAVReader(clips[name], dataclasses.replace(index, keys=later))
        *_, (number, picture) = reader.read(i, i)
        reader.close()
        assert number == read_number(picture) == i


def test_joined_streams_whose_clock_jumps_back_are_read_in_their_order(clips, tmp_path):
    path = tmp_path / "joined.ts"
    path.write_bytes(clips["h264_transport_stream"].read_bytes() * 2)
    with Clip(path) as clip:
        assert len(clip) == 2 * N
        assert numbers(clip, range(2 * N)) == [*range(N), *range(N)]
        assert numbers(clip, (N + 5, 5)) == [5, 5]


# ---- cost: memory, and how much is decoded --------------------------------------------------------------------------


@pytest.fixture
def count_decoded(monkeypatch) -> list[int]:
    """Return a list with one element: the number of frames decoded by the readers."""
    total = [0]
    original = video_readers.decoded

    def counting(*arguments):
        for result in original(*arguments):
            total[0] += 1
            yield result

    monkeypatch.setattr(video_readers, "decoded", counting)
    return total


@pytest.mark.parametrize("name", ["h264_open_gop", "h264_matroska", "hevc", "vp9", "h264_transport_stream"])
def test_a_far_frame_costs_at_most_two_groups_of_pictures(clips, name, count_decoded):
    with Clip(clips[name], backend="pyav", cache_bytes=0) as clip:
        before = count_decoded[0]
        assert read_number(clip[50]) == 50
        assert count_decoded[0] - before <= 2 * 20  # the longest group here has 20 frames


def test_stepping_backward_decodes_each_frame_about_twice(clips, count_decoded):
    with Clip(clips["h264_closed_gop"], backend="pyav", cache_bytes=40 * FRAME_BYTES) as clip:
        assert numbers(clip, reversed(range(N))) == list(reversed(range(N)))
    assert count_decoded[0] <= 2 * N + 12


def test_reading_forward_decodes_each_frame_once(clips, count_decoded):
    with Clip(clips["hevc"], backend="pyav", cache_bytes=FRAME_BYTES) as clip:
        assert numbers(clip, range(N)) == list(range(N))
        assert count_decoded[0] == N


@pytest.mark.parametrize("backend", ["pyav", "decord"] if HAS_DECORD else ["pyav"])
def test_a_clip_larger_than_its_cache_stays_within_it(clips, backend):
    limit = 7 * FRAME_BYTES + 11
    with Clip(clips["h264_open_gop"], backend=backend, cache_bytes=limit) as clip:
        held = []
        for i in [*range(N), *reversed(range(N)), *random.Random(2).sample(range(N), N)]:
            clip.frame(i)
            held.append(clip.cached_bytes)
        assert max(held) == 7 * FRAME_BYTES
    assert clip.cached_bytes == 0


def test_a_cached_frame_is_not_decoded_again(clips, count_decoded):
    with Clip(clips["h264_open_gop"], backend="pyav") as clip:
        first = clip[30]
        before = count_decoded[0]
        assert clip[30] is first and count_decoded[0] == before


@given(
    limit=st.integers(0, 60),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(1, 25)), max_size=60),
)
def test_the_cache_is_a_bounded_lru(limit, steps):
    cache = FrameCache(limit)
    model: list[tuple[int, int]] = []  # (number, bytes), least recently used first
    for is_put, number, size in steps:
        known = dict(model)
        if is_put:
            cache.put(number, np.zeros(size, np.uint8))
            model = [entry for entry in model if entry[0] != number]
            if size <= limit:
                model.append((number, size))
            while sum(s for _, s in model) > limit:
                model.pop(0)
        else:
            frame = cache.get(number)
            assert (None if frame is None else frame.nbytes) == known.get(number)
            if number in known:
                model = [entry for entry in model if entry[0] != number] + [(number, known[number])]
        assert cache.nbytes == sum(s for _, s in model) <= limit
        assert len(cache) == len(model)


# ---- threads and processes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["pyav", "decord"] if HAS_DECORD else ["pyav"])
def test_four_threads_read_at_once(clips, backend):
    wrong: list[tuple[int, int]] = []
    finished = []
    with Clip(clips["h264_open_gop"], backend=backend, cache_bytes=10 * FRAME_BYTES) as clip:

        def read(seed):
            for i in random.Random(seed).choices(range(N), k=60):
                if (shown := read_number(clip[i])) != i:
                    wrong.append((i, shown))
            finished.append(seed)

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == [] and sorted(finished) == [0, 1, 2, 3]


def _read_in_child(clip: Clip, answers) -> None:
    answers.put([read_number(clip[i]) for i in (30, 31, 2)])


@pytest.mark.parametrize("backend", ["auto", "pyav"] if hasattr(os, "fork") else [])
def test_a_forked_process_reads_the_clip_while_a_thread_here_holds_it(clips, backend):
    context = multiprocessing.get_context("fork")
    with Clip(clips["h264_open_gop"], backend=backend) as clip:
        assert numbers(clip, (0, 1)) == [0, 1]  # the decoders' threads are running
        held, release = threading.Event(), threading.Event()

        def hold():
            with clip._lock:
                held.set()
                release.wait()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait()
        answers = context.SimpleQueue()
        child = context.Process(target=_read_in_child, args=(clip, answers))
        child.start()
        child.join(60)
        hung = child.is_alive()
        if hung:
            child.kill()
        release.set()
        holder.join()
        assert not hung and child.exitcode == 0
        assert answers.get() == [30, 31, 2]
        assert numbers(clip, (40, 2)) == [40, 2]  # and the parent goes on


# ---- decord: missing, failing ---------------------------------------------------------------------------------------


def test_without_decord_pyav_reads_all(clips, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "decord", None)
    with caplog.at_level(logging.WARNING), Clip(clips["h264_open_gop"], backend="decord") as clip:
        assert clip.backend == "pyav"
        assert numbers(clip, range(N)) == list(range(N))
    assert "read by PyAV instead of decord: decord is not installed" in caplog.text


class _FakeDecord:
    """Stands for the module decord: a reader of ``count`` frames that shows ``wrong`` in place of frame 40."""

    class logging:  # noqa: N801 (decord's own name)
        QUIET = 0

        @staticmethod
        def set_level(level):
            pass

    def __init__(self, pictures, count):
        class Reader:
            def __init__(self, path, num_threads):
                self.frames = iter(pictures)

            def __len__(self):
                return count

            def next(self):
                self.frame = next(self.frames)
                return self

            def asnumpy(self):
                return self.frame

        self.VideoReader = Reader


@pytest.mark.parametrize(
    ("count", "wrong", "words"),
    [(N - 1, None, "counts 59 frames where there are 60"), (N, 40, "frame 40 decoded by decord differs from PyAV's")],
)
def test_a_decord_that_sees_another_file_than_pyav_is_not_used(clips, monkeypatch, caplog, count, wrong, words):
    """Not on a sample of frames: the difference may be in any of them."""
    with Clip(clips["h264_open_gop"]) as clip:
        pictures = [frame.copy() for frame in clip]
    if wrong is not None:
        pictures[wrong] = draw_number(1)
    monkeypatch.setitem(sys.modules, "decord", _FakeDecord(pictures, count))
    with caplog.at_level(logging.WARNING), Clip(clips["h264_open_gop"], backend="decord") as clip:
        assert clip.backend == "pyav" and numbers(clip, (0, 1, 40)) == [0, 1, 40]
    assert words in caplog.text


@pytest.mark.parametrize("name", ["h264_open_gop", "mpeg4_avi"] if HAS_DECORD else [])
def test_where_decord_fails_pyav_takes_over_with_a_warning(clips, name, monkeypatch, caplog):
    with Clip(clips[name], backend="decord") as clip, caplog.at_level(logging.WARNING):
        original = clip._source._decord.read

        def fail_at_20():
            if clip._source._decord.position == 20:
                raise DecordUnfitError("decord fails at frame 20")
            return original()

        monkeypatch.setattr(clip._source._decord, "read", fail_at_20)
        assert clip.backend == "decord"
        assert numbers(clip, range(N)) == list(range(N))
        assert clip.backend == "pyav"
    assert "read by PyAV from here on: decord fails at frame 20" in caplog.text


# ---- what cannot be read --------------------------------------------------------------------------------------------


def test_files_that_are_no_video(tmp_path):
    text = "not a video\n" * 200
    (tmp_path / "text.mp4").write_text(text)
    (tmp_path / "text.txt").write_text(text)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "noise.avi").write_bytes(random.Random(0).randbytes(5000))
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16000))
    for name, error, words in (
        ("nowhere.mp4", errors.VideoNotFoundError, "nothing at.*nowhere.mp4.*check the path"),
        (".", errors.VideoEmptyError, "expected images in the directory"),
        ("empty.mp4", errors.VideoEmptyError, "0 bytes"),
        ("text.mp4", errors.VideoFormatError, "text.mp4 is not in a format that the installed .*give an MP4"),
        ("text.txt", errors.VideoFormatError, "text.txt is a text file"),
        ("noise.avi", errors.VideoFormatError, "noise.avi is not in a format that the installed decoders know"),
        ("sound.wav", errors.VideoNoTrackError, "expected a video track in sound.wav, but it only has: audio"),
    ):
        with pytest.raises(errors.VideoError, match=words) as caught:
            Clip(tmp_path / name)
        assert type(caught.value) is error


def test_a_songs_cover_is_no_video(tmp_path):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=8000)
        cover = container.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = WIDTH, HEIGHT, "rgb24"
        cover.disposition = Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(draw_number(0), format="rgb24")))
        container.mux(cover.encode(None))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 8000
        container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    with pytest.raises(errors.VideoNoTrackError, match="it only has: audio"):
        Clip(path)


def test_an_mp4_that_lost_its_index(clips, tmp_path):
    with pytest.raises(errors.VideoTruncatedError, match="cut short, 0 frames are readable") as caught:
        Clip(cut(clips["h264_open_gop"], tmp_path / "cut.mp4", 40))
    assert caught.value.n_readable == 0


@pytest.mark.parametrize("packet", [12, 29, 55])
@pytest.mark.parametrize("name", ["faststart", "h264_matroska", "vp9", "mpeg4_avi", "h264_avi"])
def test_a_file_cut_short_is_a_shorter_clip(clips, faststart, tmp_path, caplog, name, packet):
    whole = faststart if name == "faststart" else clips[name]
    with caplog.at_level(logging.WARNING), Clip(cut(whole, tmp_path / f"cut{whole.suffix}", packet)) as clip:
        n = len(clip)
        # Only frames at the end that wait for one another are given up.
        assert clip.truncated and packet - 5 <= n <= packet
        assert numbers(clip, range(n)) == list(range(n))
        assert f"cut{whole.suffix}: the file is cut short or damaged at its end: {n}" in caplog.text
        with pytest.raises(errors.VideoTruncatedError, match=f"{n} frames are readable") as caught:
            clip.frame(n)
        assert caught.value.n_readable == n
        with pytest.raises(errors.FrameIndexError):
            clip.frame(-1)


def test_a_file_cut_before_its_first_frame(faststart, tmp_path):
    data = faststart.read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: data.index(b"mdat") + 20])
    with pytest.raises(errors.VideoTruncatedError, match="0 frames are readable"):
        Clip(path)


def test_a_complete_file_is_not_called_truncated(clips, caplog):
    with caplog.at_level(logging.WARNING):
        for path in clips.values():
            with Clip(path, backend="pyav") as clip:
                assert not clip.truncated
    assert caplog.text == ""


def damage(source: Path, target: Path, first: int, last: int, how: str) -> Path:
    """Overwrite packets ``first`` to ``last`` (exclusive, in file order) with zeros or, after a header, noise."""
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        places = [(packet.pos or 0, packet.size) for packet in container.demux(video=0) if packet.size]
    noise = random.Random(3)
    for begin, size in places[first:last]:
        end = begin + size
        if how == "zeros":
            data[begin:end] = bytes(end - begin)
        else:
            begin += (end - begin) // 3
            data[begin:end] = noise.randbytes(end - begin)
    target.write_bytes(data)
    return target


@pytest.mark.parametrize("backend", ["auto", "pyav"])
@pytest.mark.parametrize("how", ["zeros", "noise"])
@pytest.mark.parametrize("name", ["h264_closed_gop", "h264_open_gop", "hevc", "mpeg4_mp4"])
def test_damage_in_the_middle_is_never_shown_as_a_frame(clips, tmp_path, name, how, backend):
    """Each frame of the damaged file equals the original in every pixel, or raises; none outside the damage is lost."""
    path = damage(clips[name], tmp_path / f"damaged{clips[name].suffix}", 26, 30, how)
    order = [*range(N), *reversed(range(N))]
    with Clip(clips[name], backend="pyav") as whole, Clip(path, backend=backend, cache_bytes=0) as clip:
        assert len(clip) == N
        lost = set()
        for i in order:
            try:
                frame = clip[i]
            except errors.VideoCorruptError as error:
                assert f"frame {i} of {path.name} (at {clip.times[i]:.3f} s) is damaged" in str(error)
                lost.add(i)
            else:
                assert np.array_equal(frame, whole[i]), i
        assert 1 <= len(lost) <= 20 and lost <= set(range(20, 40))


@pytest.mark.parametrize("how", ["zeros", "noise"])
def test_damage_in_a_file_without_times(clips, tmp_path, how, caplog):
    """Frames can only be counted: numbers after the damage may be too small, but frames are complete and in order."""
    path = damage(clips["mpeg4_avi"], tmp_path / "damaged.avi", 26, 30, how)
    with Clip(clips["mpeg4_avi"]) as whole, caplog.at_level(logging.WARNING), Clip(path) as clip:
        moved = N - len(clip)
        assert 0 <= moved <= 4
        lost = set()
        for i in range(len(clip)):
            try:
                frame = clip[i]
            except errors.VideoCorruptError:
                lost.add(i)
            else:
                assert np.array_equal(frame, whole[i if not lost else i + moved]), i
    assert 1 <= len(lost) <= 15 and lost <= set(range(20, 40))
    assert f"damaged.avi: {len(lost)} of {len(clip)} frames are damaged, the first is frame {min(lost)}" in caplog.text


@pytest.mark.parametrize("backend", ["auto", "pyav"])
def test_a_video_that_changes_its_size_says_where(tmp_path, backend):
    _, codec, options = CODECS["h264_raw"]
    small = [np.ascontiguousarray(draw_number(i)[:, : WIDTH // 2]) for i in range(15)]
    write_clip(tmp_path / "a.h264", [draw_number(i) for i in range(15)], codec, options)
    write_clip(tmp_path / "b.h264", small, codec, options)
    path = tmp_path / "two_sizes.h264"
    path.write_bytes((tmp_path / "a.h264").read_bytes() + (tmp_path / "b.h264").read_bytes())
    with Clip(path, backend=backend) as clip:
        assert numbers(clip, range(15)) == list(range(15))
        with pytest.raises(errors.VideoFormatError, match="160×96, but frame 15 is 80×96.*re-encode"):
            clip.frame(15)


# ---- the interface --------------------------------------------------------------------------------------------------


@pytest.fixture(params=["file", "array"])
def clip(request, clips) -> Clip:
    if request.param == "file":
        return Clip(clips["h264_open_gop"])
    return Clip.from_array(np.stack([draw_number(i) for i in range(N)]), fps=RATE)


def test_a_clip_in_memory_and_one_from_a_file_behave_alike(clip):
    assert len(clip) == N and (clip.width, clip.height, clip.fps) == (WIDTH, HEIGHT, RATE)
    np.testing.assert_allclose(clip.times, np.arange(N) / RATE)
    assert [read_number(frame) for frame in clip] == list(range(N))
    assert read_number(clip[np.int64(7)]) == 7
    frame = clip.frame(3)
    assert frame.shape == (HEIGHT, WIDTH, 3) and frame.dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        frame[0, 0, 0] = 1
    for i in (-1, N, N + 100):
        with pytest.raises(errors.FrameIndexError, match=f"from 0 to {N - 1} .*got {i}"):
            clip.frame(i)
    with pytest.raises(TypeError):
        clip.frame(1.5)
    for start, stop in ((-1, 5), (5, 4), (0, N + 1)):
        with pytest.raises(errors.FrameIndexError, match="expected 0 ≤ start ≤ stop"):
            clip.frames(start, stop)
    assert list(clip.frames(N)) == []
    assert clip.name in repr(clip) and f"{N} frames, {WIDTH}×{HEIGHT}, 25 fps" in repr(clip)


def test_closing(clip):
    with clip as same:
        assert same is clip
    clip.close()
    assert "closed" in repr(clip)
    for use in (lambda: clip[0], lambda: next(clip.frames()), clip.__enter__):
        with pytest.raises(errors.ClosedError, match="was closed; open it again"):
            use()


def test_names_and_paths(clips):
    with Clip(str(clips["hevc"])) as clip:
        assert clip.path == clips["hevc"] and clip.name == "hevc.mp4"
    memory = Clip.from_array(np.zeros((2, 4, 6, 3), np.uint8), fps=10, name="black")
    assert (memory.path, memory.name, memory.backend) == (None, "black", "memory")
    assert list(memory.times) == [0, 0.1] and (memory.width, memory.height) == (6, 4)


@pytest.mark.parametrize("shape", [(4, 6, 3), (2, 4, 6), (2, 4, 6, 4), (0, 4, 6, 3)])
def test_arrays_that_are_no_clip(shape):
    with pytest.raises(errors.ShapeError, match=r"expected frames of shape \(T, H, W, 3\)"):
        Clip.from_array(np.zeros(shape, np.uint8))


def test_settings_that_make_no_sense(clips):
    with pytest.raises(errors.ShapeError, match="float32"):
        Clip.from_array(np.zeros((2, 4, 6, 3), np.float32))
    for fps in (0, -1, float("nan"), float("inf")):
        with pytest.raises(errors.ConfigError, match="expected fps > 0"):
            Clip.from_array(np.zeros((2, 4, 6, 3), np.uint8), fps=fps)
    with pytest.raises(errors.ConfigError, match="unknown video backend 'decor'; did you mean 'decord'"):
        Clip(clips["hevc"], backend="decor")
    with pytest.raises(errors.ConfigError, match="cache_bytes of 0 or more"):
        Clip(clips["hevc"], cache_bytes=-1)


if sys.platform == "linux":

    def test_writing_clips_leaves_this_process_its_usual_share_of_the_machine(folder) -> None:
        """SVT-AV1 would make it a real-time process for root, and all tests beside it would wait."""
        for name in AVAILABLE:
            write_numbered(folder, name, 3)
        policies = {os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")}
        assert policies == {os.SCHED_OTHER}
