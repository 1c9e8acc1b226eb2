"""A page from a file: what is in it, how large it is, what may run in it, and that it is whole or not there at all."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dkd.cli.main import main
from dkd.errors import ConfigError, DKDError, FrameIndexError, StorageError, VideoError
from dkd.sessions.content import Bookmark
from dkd.video.samples import get_sample
from tests.support.fake_trace import FakeTrace, read_number
from widgets import Workbench, save_page
from widgets.core.wire import read_message, render_header, render_records, write_message
from widgets.exports.exports import Exports, menu, options_for
from widgets.page import page as pages
from widgets.page.contents import spread
from widgets.page.cutting import part_detail
from widgets.page.packing import in_script, pack, unpack

HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\"><!--\u2028"


class Reader(HTMLParser):
    """The scripts of a page, and its other elements, as a browser would find them."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._script: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self._script = dict(attrs).get("id") or str(dict(attrs)["type"])
            self.scripts[self._script] = ""

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self.scripts[self._script] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = None


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


def message(reader: Reader, number: int) -> dict[str, Any]:
    return read_message(*unpack(base64.b64decode(reader.scripts[f"dkd-{number}"])))


def contents_of(reader: Reader) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(reader.scripts["dkd-contents"])
    return found


def records_of(reader: Reader, person: int = 0) -> list[dict[str, Any]]:
    numbers = contents_of(reader)["people"][person]["records"]
    records = []
    for number in numbers:
        chunk = message(reader, number)["records"]
        for record, before in zip(chunk[1:], chunk, strict=False):  # differences from the frame before
            for name in ("maps", "kernels"):
                if record[name].shape == before[name].shape:
                    record[name] = record[name] + before[name]
        records += chunk
    return records


def pictures_of(reader: Reader) -> list[np.ndarray]:
    chunks = contents_of(reader)["pictures"]["chunks"]
    encoded = [data for number in chunks for data in message(reader, number)["pictures"]]
    decoded = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for data in encoded]
    return [picture for picture in decoded if picture is not None]


def test_a_block_is_the_message_that_was_packed() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    content = {"type": "x", "name": "ä\u2028</script>", "a": values, "b": b"\0\xff"}
    back = read_message(*unpack(pack(write_message(content))))
    assert back["a"].tolist() == [[0, 1, 2], [3, 4, 5]] and back["b"] == b"\0\xff" and back["name"] == content["name"]


@given(st.text())
def test_json_in_a_script_neither_ends_it_nor_changes(text: str) -> None:
    written = in_script({text: [text]})
    assert "<" not in written and json.loads(written) == {text: [text]}


def test_a_page_has_the_messages_of_the_kernel(tmp_path: Path) -> None:
    trace = FakeTrace(n_frames=21)
    saved = save_page(trace, tmp_path / "walk.html", frame=3, joint="left_knee", cell=(4, 5))
    assert saved.complete and saved.frames == 21 and saved.arithmetic == 21
    assert saved.megabytes == pytest.approx((tmp_path / "walk.html").stat().st_size / 1e6)
    assert saved.megabytes == pytest.approx(saved.expected, rel=0.25)
    reader = read(tmp_path / "walk.html")
    contents = contents_of(reader)
    assert contents["shown"]["frame"] == 3 and contents["shown"]["joint"] == "left_knee"
    assert contents["shown"]["cell"] == [4, 5] and not contents["shown"]["playing"]
    header, expected = message(reader, contents["people"][0]["header"]), read_message(*render_header(trace, 0))
    assert header.keys() == expected.keys()
    for name, value in expected.items():
        assert np.array_equal(header[name], value) if isinstance(value, np.ndarray) else header[name] == value, name
    records = records_of(reader)
    for t, record in enumerate(records):
        (wanted,) = read_message(*render_records(trace, [t], 0))["records"]
        assert all(np.array_equal(record[name], wanted[name]) for name in wanted if name != "jpeg"), t
    assert [read_number(picture[..., ::-1]) for picture in pictures_of(reader)] == list(range(21))


def test_a_film_has_a_packet_for_each_frame_and_every_chunk_begins_with_a_whole_picture(tmp_path: Path) -> None:
    saved = save_page(FakeTrace(n_frames=21), tmp_path / "film.html", pictures="film")
    reader = read(tmp_path / "film.html")
    assert "VP9" in saved.look and contents_of(reader)["pictures"]["type"].startswith("vp09")
    numbers = []
    for chunk in contents_of(reader)["pictures"]["chunks"]:
        decoder: Any = av.CodecContext.create("vp9", "r")
        for data in message(reader, chunk)["pictures"]:
            (frame,) = decoder.decode(av.Packet(data))
            numbers.append(read_number(frame.to_ndarray(format="rgb24")))
    assert numbers == list(range(21))


def test_a_film_is_chosen_where_good_stills_do_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = FakeTrace()
    wall = cv2.resize(np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8), (320, 240))  # does not move
    monkeypatch.setattr(trace.clip, "frame", lambda t: np.roll(wall, t // 30, 1))
    stills = save_page(trace, tmp_path / "stills.html", pictures="stills")
    assert "WebP quality 80" in stills.look and stills.look == save_page(trace, tmp_path / "all.html").look
    film = save_page(trace, tmp_path / "film.html", max_mb=stills.megabytes * 0.7)
    assert "VP9" in film.look and film.arithmetic == stills.arithmetic
    assert film.megabytes < 0.7 * stills.megabytes
    with pytest.raises(ConfigError, match="pictures as one of auto, stills, film, got 'jpeg'"):
        save_page(trace, tmp_path / "film.html", pictures="jpeg")


def test_features_are_rounded_by_half_a_step() -> None:
    trace = FakeTrace(n_frames=4)
    detail = read_message(*part_detail(trace, 3, 1))
    back = (detail["projected"] * detail["scales"]).transpose(2, 0, 1)
    assert detail["frame"] == 2 and back.shape == trace.projected(3).shape
    assert (np.abs(back - trace.projected(3)) <= 0.501 * detail["scales"][:, None, None]).all()


def test_a_part_begins_at_0_and_shows_the_numbers_of_the_video(tmp_path: Path) -> None:
    trace = FakeTrace(lost=(5, 30)).retrace(pages_policy())
    save_page(trace, tmp_path / "part.html", frames=range(20, 37), bookmarks=[Bookmark(22, "a"), Bookmark(3, "out")])
    reader = read(tmp_path / "part.html")
    contents = contents_of(reader)
    header = message(reader, contents["people"][0]["header"])
    assert (header["n_frames"], header["first"], header["origin"]) == (17, 20, -20)
    assert header["first_s"] == pytest.approx(20 / 30) and header["times"][0] == 0
    assert np.allclose(header["first_s"] + header["times"], trace.times[20:37])
    assert np.array_equal(header["tracks"], trace.joints[20:37])
    assert [event["frame"] for event in header["reinitialised"]] == [10] and header["unmatched"] == [10]
    whole = read_message(*render_header(trace, 0))
    assert header["worst"] == [[t - 20 for t in one if 20 <= t < 37] for one in whole["worst"]]
    records = records_of(reader)
    assert [record["frame"] for record in records] == list(range(17))
    assert [record["previous"] for record in records][:2] == [-1, 0] and records[10]["previous"] is None
    assert [read_number(picture[..., ::-1]) for picture in pictures_of(reader)] == list(range(20, 37))
    assert contents["bookmarks"] == [{"frame": 2, "note": "a"}]
    assert sorted(map(int, contents["people"][0]["details"])) == [t for t in range(17) if t != 10]


def pages_policy() -> Any:
    from dkd.tracking.reinitialise import Reinitialise

    return Reinitialise()


def test_only_our_script_runs_and_no_name_is_markup(tmp_path: Path) -> None:
    path = tmp_path / "walk.html"
    traces = {HOSTILE: FakeTrace(n_frames=5, name=HOSTILE), "ben": FakeTrace(n_frames=5, name=HOSTILE, seed=1)}
    marks = [{"frame": 2, "note": HOSTILE}]
    save_page(traces, path, caption=HOSTILE, licence=HOSTILE, bookmarks=marks)
    reader = read(path)
    kinds = [attributes["type"] for tag, attributes in reader.elements if tag == "script"]
    assert kinds.count("module") == 1 and set(kinds) == {"module", "text/plain", "application/json"}
    assert [tag for tag, _ in reader.elements if tag == "img"] == ["img"]  # the still picture
    contents = contents_of(reader)
    assert contents["people"][0]["name"] == contents["caption"] == contents["bookmarks"][0]["note"] == HOSTILE
    (rules,) = [a["content"] for _, a in reader.elements if a.get("http-equiv") == "Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(reader.scripts["module"].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}' blob:;" in str(rules)
    assert str(rules).startswith("default-src 'none';") and "connect-src 'none'" in str(rules)
    assert not re.findall(r"https?://(?!www\.w3\.org/)[a-z]", path.read_text(encoding="utf-8"))


def test_a_page_names_its_origin_but_no_folder(tmp_path: Path) -> None:
    sample = get_sample("rendered_walk")
    arguments = ["page", str(sample.path), "-o", str(tmp_path / "walk.html"), "--stop", "4", "--engine", "torch"]
    box = ",".join(map(str, sample.box))
    assert main([*arguments, "--box", box, "--licence", sample.licence, "--quiet", "--frames", "1:4"]) == 0
    text = (tmp_path / "walk.html").read_text(encoding="utf-8")
    assert str(sample.path.parent) not in text
    contents = contents_of(read(tmp_path / "walk.html"))
    facts = dict(contents["people"][0]["facts"])
    assert facts["video, SHA-256"] == hashlib.sha256(sample.path.read_bytes()).hexdigest()
    assert re.fullmatch("[0-9a-f]{64}", facts["weights, SHA-256"])
    assert facts["settings"] == "box (196, 64, 299, 356) in frame 0, square=person"
    assert "torch 2." in facts["versions"] and "dkd-workbench" in facts["versions"]
    assert contents["licence"] == "CC0-1.0 (rendered by this project)" and contents["shown"]["n_frames"] == 3
    assert main([*arguments, "--quiet"]) == 2  # it exists


def test_the_command_says_what_is_wrong(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sample = str(get_sample("rendered_walk").path)
    assert main(["page", sample, "-o", str(tmp_path / "walk.html"), "--frames", "all"]) == 2
    assert "dkd: expected --frames FIRST:STOP, such as --frames 40:90, got 'all'" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_page_stays_within_the_size_and_keeps_what_matters_most(tmp_path: Path) -> None:
    trace = FakeTrace()
    whole = save_page(trace, tmp_path / "whole.html")
    small = save_page(
        trace, tmp_path / "small.html", max_mb=whole.megabytes * 0.7, frame=41, bookmarks=[Bookmark(17, "here")]
    )
    assert (tmp_path / "small.html").stat().st_size <= whole.megabytes * 0.7e6
    assert small.arithmetic < 59 and f"in {small.arithmetic} of 60 frames" in str(small)
    details = contents_of(read(tmp_path / "small.html"))["people"][0]["details"]
    worst = {t for one in read_message(*render_header(trace, 0))["worst"] for t in one}
    assert {41, 17} <= set(map(int, details)) and len(details) == small.arithmetic
    assert len(worst & set(map(int, details))) == min(len(worst - {41, 17}) + len(worst & {41, 17}), len(details) - 2)
    with pytest.raises(ConfigError, match=r"60 frames need at least \d\.\d MB, got max_mb=0\.3; give fewer frames"):
        save_page(trace, tmp_path / "tiny.html", max_mb=0.3)
    assert not (tmp_path / "tiny.html").exists()


@given(st.integers(0, 50), st.integers(1, 200), st.lists(st.integers(0, 60)))
def test_frames_are_spread_evenly_after_the_first_ones(start: int, count: int, first: list[int]) -> None:
    frames = range(start, start + count)
    order = spread(frames, first)
    assert sorted(order) == list(frames)
    wanted = list(dict.fromkeys(t for t in first if t in frames))
    assert order[: len(wanted)] == wanted
    plain = spread(frames, [])
    for n in (2, 4, 8, 16):
        gaps = np.diff(sorted(plain[:n]))
        assert len(gaps) == 0 or gaps.max() <= -(-2 * count // n)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"frames": range(5, 99)}, FrameIndexError, r"expected frames within range\(0, 6\), got range\(5, 99\)"),
        ({"frames": range(0, 6, 2)}, FrameIndexError, r"such as range\(40, 90\)"),
        ({"frames": range(3, 3)}, FrameIndexError, "expected frames within"),
        ({"frame": 6}, FrameIndexError, "expected the first shown frame"),
        ({"people": ["pearson"]}, ConfigError, "there is no person 'pearson'.*person"),
        ({"people": []}, ConfigError, "expected a trace, got none"),
        ({"max_mb": 0}, ConfigError, "expected the largest size in MB"),
        ({"max_mb": float("nan")}, ConfigError, "expected the largest size in MB"),
        ({"joint": "left_wirst"}, ConfigError, "left_wrist"),
        ({"layers": {"heat": True}}, ConfigError, "unknown layer 'heat'"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, options: dict[str, Any], error: type[DKDError], words: str
) -> None:
    with pytest.raises(error, match=words):
        save_page(FakeTrace(n_frames=6), tmp_path / "walk.html", **options)
    assert list(tmp_path.iterdir()) == []


def test_runs_of_different_clips_are_not_one_page(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="over the same frames of one clip.* but b is of 7 frames"):
        save_page({"a": FakeTrace(n_frames=6), "b": FakeTrace(n_frames=7)}, tmp_path / "walk.html")
    with pytest.raises(ConfigError, match=r"which ends in \.html, got 'walk\.pdf'"):
        save_page(FakeTrace(n_frames=6), tmp_path / "walk.pdf")


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "walk.html"
    path.write_text("the page before")
    trace = FakeTrace(n_frames=20)
    steps: list[tuple[int, int]] = []
    stopped = save_page(trace, path, progress=lambda *step: steps.append(step), cancel=lambda: len(steps) >= 7)
    assert not stopped.complete and str(stopped) == f"{path}: Stopped; nothing was written."
    assert steps == [(i, 40) for i in range(1, 8)]

    real = trace.clip.frame
    monkeypatch.setattr(trace.clip, "frame", lambda t: _damaged() if t == 17 else real(t))
    with pytest.raises(VideoError, match="frame 17 is damaged"):
        save_page(trace, path)
    monkeypatch.undo()
    monkeypatch.setattr(pages, "render", lambda *_given: _full())
    with pytest.raises(StorageError, match="cannot write"):
        save_page(trace, path)
    assert path.read_text() == "the page before" and list(tmp_path.iterdir()) == [path]


def _damaged() -> np.ndarray:
    raise VideoError("frame 17 is damaged")


def _full() -> Any:
    yield "<!doctype html>"
    raise OSError(28, "No space left on device")


def test_a_model_without_kernels_and_one_with_a_lost_track_make_pages(tmp_path: Path) -> None:
    saved = save_page(FakeTrace(n_frames=9, channels=0), tmp_path / "plain.html")
    assert saved.arithmetic == 0 and saved.frames == 9
    assert records_of(read(tmp_path / "plain.html"))[4]["previous"] == 3


def test_a_workbench_saves_what_it_shows(tmp_path: Path) -> None:
    bench = Workbench(FakeTrace(n_frames=9), frame=7, joint="right_ankle", layers={"trails": True})
    saved = bench.to_html(tmp_path / "walk.html", caption="Look.")
    shown = contents_of(read(saved.path))["shown"]
    assert (shown["frame"], shown["joint"], shown["layers"]["trails"]) == (7, "right_ankle", True)
    bench.close()


def test_the_export_menu_writes_a_page_and_replaces_none(tmp_path: Path) -> None:
    assert ["8", "at most 8 MB"] in menu()["page"]
    content = {"max_mb": 8, "frame": 2, "joint": "head", "view": "player", "trails": True, "bookmarks": []}
    assert options_for("page", None, content) == {"max_mb": 8.0, "frame": 2, "joint": "head", "bookmarks": []}
    done = threading.Event()
    exports = Exports(lambda state: done.set() if state["written"] or state["problem"] else None)
    for name in ("two.html", "two-1.html"):
        done.clear()
        exports.start("page", {"a": FakeTrace(n_frames=5), "b": FakeTrace(n_frames=5)}, tmp_path / "two", content)
        assert exports.wait(60) and done.is_set()
        assert exports.state["written"] == [str(tmp_path / name)], exports.state
        assert exports.state["notes"][0].endswith(" MB.")
    assert [person["name"] for person in contents_of(read(tmp_path / "two.html"))["people"]] == ["a", "b"]
