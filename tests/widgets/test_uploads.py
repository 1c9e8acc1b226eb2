"""The kernel's half of an upload, with messages as a page sends them."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from widgets.studio import uploads as module
from widgets.studio.places import numbered, safe_name
from widgets.studio.uploads import CHUNK, KEPT_DAYS, Uploads

MODIFIED = 1_700_000_000_123


def message(do: str, upload: str = "1", **more: Any) -> dict[str, Any]:
    return {"type": "upload", "id": upload, "do": do, **more}


def begin(uploads: Uploads, data: bytes, file: str = "clip.mp4", name: str = "1", **more: Any) -> dict[str, Any]:
    given = {"name": file, "size": len(data), "modified": MODIFIED, **more}
    reply = uploads.handle(message("begin", name, **given))
    assert reply is not None and reply["id"] == name and reply["type"] == "upload"
    return reply


def chunk(uploads: Uploads, data: bytes, offset: int, size: int = 1000, name: str = "1") -> dict[str, Any]:
    reply = uploads.handle(message("chunk", name, offset=offset), [memoryview(data[offset : offset + size])])
    assert reply is not None
    return reply


def send(uploads: Uploads, data: bytes, file: str = "clip.mp4", name: str = "1", **more: Any) -> dict[str, Any]:
    """Send a file as a page does: the next chunk from where the last answer says."""
    reply = begin(uploads, data, file, name, **more)
    while reply["state"] in ("ready", "received"):
        reply = chunk(uploads, data, reply["offset"], name=name)
    return reply


def partial(uploads: Uploads) -> list[Path]:
    return sorted(path for path in uploads.folder.rglob("*") if ".partial" in path.parts and path.is_file())


@pytest.fixture
def data() -> bytes:
    return random.Random(3).randbytes(4321)


@pytest.fixture
def uploads(tmp_path):
    made = Uploads(tmp_path / "uploads")
    yield made
    made.close()


def test_a_file_arrives_whole_in_chunks(uploads, data) -> None:
    done: list[Path] = []
    uploads._on_done = done.append
    reply = begin(uploads, data)
    assert (reply["state"], reply["offset"], reply["chunk"]) == ("ready", 0, CHUNK)
    offsets = []
    while reply["state"] != "done":
        assert not (uploads.folder / "clip.mp4").exists()
        reply = chunk(uploads, data, reply["offset"])
        offsets.append(reply["offset"])
    assert offsets == [1000, 2000, 3000, 4000, 4321]
    path = Path(reply["path"])
    assert path == uploads.folder / "clip.mp4" and path.read_bytes() == data and done == [path]
    assert path.stat().st_mtime == pytest.approx(MODIFIED / 1000, abs=1e-3)
    assert partial(uploads) == []


def test_other_messages_are_not_answered(uploads) -> None:
    messages: list[Any] = [{"type": "frame"}, {}, [], "upload", None, 3]
    for content in messages:
        assert uploads.handle(content, []) is None


def test_an_upload_goes_on_after_the_page_was_loaded_again(uploads, data) -> None:
    begin(uploads, data)
    chunk(uploads, data, 0)
    reply = begin(uploads, data, name="after")
    assert (reply["state"], reply["offset"]) == ("ready", 1000)
    late = chunk(uploads, data, 1000)  # of the page that was left
    assert late["state"] == "error" and "another page" in late["text"]
    assert send(uploads, data, name="after")["state"] == "done"
    assert (uploads.folder / "clip.mp4").read_bytes() == data and partial(uploads) == []


def test_an_upload_goes_on_in_a_new_kernel(uploads, data) -> None:
    code = f"""
from pathlib import Path
from tests.widgets.test_uploads import begin, chunk
from widgets.studio.uploads import Uploads
import os
uploads = Uploads(Path({str(uploads.folder)!r}))
data = bytes.fromhex({data.hex()!r})
begin(uploads, data)
chunk(uploads, data, 0)
chunk(uploads, data, 1000)
os._exit(0)  # as a kernel that is killed: nothing is closed
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
    assert begin(uploads, data)["offset"] == 2000
    assert send(uploads, data)["state"] == "done"
    assert (uploads.folder / "clip.mp4").read_bytes() == data


def test_another_kernel_cannot_receive_the_same_file_at_the_same_time(uploads, data) -> None:
    begin(uploads, data)
    chunk(uploads, data, 0)
    code = f"""
from pathlib import Path
from tests.widgets.test_uploads import begin
from widgets.studio.uploads import Uploads
reply = begin(Uploads(Path({str(uploads.folder)!r})), bytes({len(data)}))
assert reply["state"] == "error" and "another notebook" in reply["text"], reply
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
    assert send(uploads, data)["state"] == "done" and (uploads.folder / "clip.mp4").read_bytes() == data


def test_a_file_that_is_there_is_not_sent_twice_but_another_one_is(uploads, data) -> None:
    first = send(uploads, data)
    again = begin(uploads, data)
    assert again["state"] == "done" and again["path"] == first["path"]
    other = send(uploads, data[::-1], modified=MODIFIED + 1)
    assert Path(other["path"]).name == other["name"] == "clip-2.mp4"
    assert begin(uploads, data[::-1], modified=MODIFIED + 1)["path"] == other["path"]
    assert Path(first["path"]).read_bytes() == data and Path(other["path"]).read_bytes() == data[::-1]


def test_a_chunk_at_another_place_is_not_written(uploads, data) -> None:
    begin(uploads, data)
    chunk(uploads, data, 0)
    for offset in (0, 999, 2000):
        reply = chunk(uploads, data, offset)
        assert (reply["state"], reply["offset"]) == ("ready", 1000)
    assert send(uploads, data)["state"] == "done" and (uploads.folder / "clip.mp4").read_bytes() == data


def test_cancelling_deletes_what_was_received(uploads, data) -> None:
    begin(uploads, data)
    chunk(uploads, data, 0)
    assert uploads.handle(message("cancel")) == {"type": "upload", "id": "1", "state": "cancelled"}
    assert partial(uploads) == [] and begin(uploads, data)["offset"] == 0
    assert uploads.handle(message("cancel", "unknown"))["state"] == "cancelled"


def test_a_recording_has_no_size_before_it_ends(uploads, data) -> None:
    begin(uploads, data, "webcam.webm", size=None, modified=None)
    for offset in range(0, len(data), 1000):
        assert chunk(uploads, data, offset)["state"] == "received"
    reply = uploads.handle(message("end"))
    assert reply["state"] == "done" and Path(reply["path"]).read_bytes() == data
    begin(uploads, data, "webcam.webm", size=None, modified=None)
    chunk(uploads, data, 0)
    uploads.close()  # it cannot be continued
    assert partial(uploads) == []


def test_the_end_of_an_incomplete_file_is_refused(uploads, data) -> None:
    begin(uploads, data)
    chunk(uploads, data, 0)
    reply = uploads.handle(message("end"))
    assert reply["state"] == "error" and "1000 of 4321 bytes" in reply["text"]
    begin(uploads, data, size=None, name="2")
    assert "0 bytes" in uploads.handle(message("end", "2"))["text"]


def test_a_full_disk_is_noticed_before_and_while_writing(uploads, data, monkeypatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage(10**12, 0, 10**9))
    reply = begin(uploads, data, size=10**9)
    assert reply["state"] == "error" and "needs 1.0 GB" in reply["text"] and "only 1.0 GB" in reply["text"]
    assert partial(uploads) == []
    begin(uploads, data, size=None)
    chunk(uploads, data, 0)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage(10**12, 0, 10**6))
    assert chunk(uploads, data, 1000)["state"] == "error"


def test_a_chunk_that_cannot_be_written_can_be_sent_again(tmp_path, data) -> None:
    code = f"""
import resource, signal
from pathlib import Path
from tests.widgets.test_uploads import begin, chunk, send
from widgets.studio.uploads import Uploads
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
uploads = Uploads(Path({str(tmp_path)!r}))
data = bytes.fromhex({data.hex()!r})
begin(uploads, data)
chunk(uploads, data, 0)
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, resource.RLIM_INFINITY))  # the disk is full in the next chunk
reply = chunk(uploads, data, 1000)
assert reply["state"] == "error" and "cannot write" in reply["text"], reply
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert chunk(uploads, data, 1000)["offset"] == 2000
assert send(uploads, data)["state"] == "done"
assert (Path({str(tmp_path)!r}) / "clip.mp4").read_bytes() == data
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_more_bytes_than_announced_are_refused(uploads, data) -> None:
    begin(uploads, data[:1500])
    chunk(uploads, data, 0)
    reply = chunk(uploads, data, 1000)
    assert reply["state"] == "error" and "more than its 1500 bytes" in reply["text"]
    assert partial(uploads) == [] and list(uploads.folder.glob("*.mp4")) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"do": "begin", "size": 5}, "expected a text as name"),
        ({"do": "begin", "name": 3, "size": 5}, "expected a text as name"),
        ({"do": "begin", "name": "a", "size": "5"}, "number of 0 or more as size"),
        ({"do": "begin", "name": "a", "size": True}, "number of 0 or more as size"),
        ({"do": "begin", "name": "a", "size": -1}, "number of 0 or more as size"),
        ({"do": "begin", "name": "a", "size": float("nan")}, "number of 0 or more as size"),
        ({"do": "begin", "name": "a", "size": 10**30}, "number of 0 or more as size"),
        ({"do": "begin", "name": "a", "size": 0}, "0 bytes"),
        ({"do": "begin", "name": "a", "size": 5, "modified": []}, "as modified"),
        ({"do": "begin", "name": "a", "size": 5, "batch": "b", "folder": "f", "files": 0}, "number of files"),
        ({"do": "begin", "name": "a", "size": 5, "batch": 1, "folder": "f", "files": 1}, "expected a text as batch"),
        ({"do": "chunk", "offset": 0}, "stopped"),
        ({"do": "end"}, "stopped"),
        ({"do": "delete everything"}, "there is no 'delete everything'"),
        ({}, "there is no None"),
        ({"do": "begin", "id": 3}, "has no id"),
    ],
)
def test_nonsense_is_answered_in_words(uploads, content, words) -> None:
    reply = uploads.handle({"type": "upload", "id": "1", **content})
    assert reply["state"] == "error" and words in reply["text"]
    assert not uploads.folder.exists() or partial(uploads) == []


def test_a_chunk_must_have_one_buffer_of_a_sensible_size(uploads, data) -> None:
    begin(uploads, data)
    for buffers in ([], [memoryview(b"")], [data, data], [bytes(CHUNK + 1)]):
        reply = uploads.handle(message("chunk", offset=0), buffers)
        assert reply["state"] == "error" and "expected a chunk of 1 to" in reply["text"]
    assert send(uploads, data)["state"] == "done"


def test_a_folder_appears_when_all_its_files_are_there(uploads) -> None:
    done: list[Path] = []
    uploads._on_done = done.append
    files = {f"im_{n}.png": random.Random(n).randbytes(1500) for n in range(3)}
    for n, (name, content) in enumerate(files.items()):
        assert not (uploads.folder / "walk").exists()
        reply = send(uploads, content, name, f"f{n}", batch="walk 3 4500", folder="some/walk", files=3)
    folder = uploads.folder / "walk"
    assert reply["folder"] == str(folder) and reply["path"] == str(folder / "im_2.png") and done == [folder]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files
    assert partial(uploads) == []


def test_a_folder_goes_on_in_a_new_kernel_and_replaces_no_other(uploads) -> None:
    (uploads.folder / "walk").mkdir(parents=True)
    batch: dict[str, Any] = {"batch": "walk", "folder": "walk", "files": 2}
    assert send(uploads, b"first", "1.png", **batch)["state"] == "done"
    uploads.close()
    later = Uploads(uploads.folder)
    assert begin(later, b"first", "1.png", **batch)["state"] == "done"  # without a chunk
    reply = send(later, b"second", "2.png", **batch)
    assert reply["folder"] == str(uploads.folder / "walk-2")
    assert [path.read_bytes() for path in sorted((uploads.folder / "walk-2").iterdir())] == [b"first", b"second"]


def test_two_images_of_one_name_in_subfolders_are_both_kept(uploads) -> None:
    batch: dict[str, Any] = {"batch": "walk", "folder": "walk", "files": 2}
    send(uploads, b"left", "a/1.png", **batch)
    reply = send(uploads, b"right!", "b/1.png", **batch)
    assert {p.name: p.read_bytes() for p in Path(reply["folder"]).iterdir()} == {"1.png": b"left", "1-2.png": b"right!"}


def test_cancelling_a_folder_deletes_all_of_it(uploads, data) -> None:
    batch: dict[str, Any] = {"batch": "walk", "folder": "walk", "files": 3}
    send(uploads, b"first", "1.png", **batch)
    begin(uploads, data, "2.png", "2", **batch)
    chunk(uploads, data, 0, name="2")
    assert uploads.handle(message("cancel", "2", batch="walk"))["state"] == "cancelled"
    assert [path for path in uploads.folder.rglob("*") if path.is_file()] == []


def test_partial_files_that_nobody_continued_are_removed(uploads, data) -> None:
    begin(uploads, data, "old.mp4", "old")
    chunk(uploads, data, 0, name="old")
    uploads.close()
    begin(uploads, data, "new.mp4", "new")
    uploads.close()
    old, new = (
        next(p for p in partial(uploads) if p.suffix == ".part" and (p.stat().st_size > 0) == big) for big in (1, 0)
    )
    before = old.stat().st_mtime - (KEPT_DAYS + 1) * 86400
    os.utime(old, (before, before))
    begin(uploads, data, "third.mp4", "third")
    assert not old.exists() and new.exists()


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("clip.mp4", "clip.mp4"),
        ("IMG 0001.MOV", "IMG 0001.MOV"),
        ("../../etc/passwd", "passwd"),
        ("C:\\videos\\walk.mp4", "walk.mp4"),
        (".hidden.mp4", "hidden.mp4"),
        ("..", "video"),
        ("a/", "video"),
        ("", "video"),
        ("  .mp4", "mp4"),
        ("a:b*c?.mp4", "a_b_c_.mp4"),
        ("new\nline\0.mp4", "new_line_.mp4"),
        ("con.mp4", "_con.mp4"),
        ("LPT1", "_LPT1"),
        ("Jose\u0301.mp4", "José.mp4"),
        ("\ud800.mp4", "_.mp4"),
        ("trailing. .", "trailing"),
    ],
)
def test_names_become_safe(given_name, expected) -> None:
    assert safe_name(given_name) == expected


@settings(max_examples=300)
@given(st.text(max_size=400))
def test_any_name_stays_in_the_folder_and_can_be_written(tmp_path_factory, name) -> None:
    folder = tmp_path_factory.getbasetemp() / "names"
    folder.mkdir(exist_ok=True)
    safe = safe_name(name)
    assert (folder / safe).parent == folder and safe not in ("", ".", "..") and not safe.startswith(".")
    assert safe_name(safe) == safe
    place = next(p for p in numbered(folder / safe) if not p.exists())
    place.write_bytes(b"x")
    place.unlink()
