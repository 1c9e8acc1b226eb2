"""Receive videos that are dropped on a page, in chunks, since one large message would be lost without an error.

The page sends messages, each with ``type: "upload"``, an ``id`` that it chooses per file, and what to ``do``:

    begin   name, size (bytes; null if not yet known), modified (ms); for a file of a folder also batch, folder, files
    chunk   offset, and one buffer of at most 4 MiB
    end     the file is complete (only where its size was not known)
    cancel  delete what was received of it (or of a whole ``batch``)

The answer has the same type and id, and a ``state``: ``ready`` (send from ``offset``), ``received``, ``done`` (at
``path``), ``cancelled``, or ``error`` with a ``text`` for the user. A file that is known by its name, size and time of
change goes on where it stopped, also after the page or the kernel was started again, and is not sent twice.

A ``batch`` is a folder: a string that is the same when the same folder is dropped again. Its ``files`` files become one
folder once all of them are there; the last ``done`` has its ``folder``.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from dkd.io.paths import data_folder
from widgets.studio.places import move_into_place, numbered, safe_name

CHUNK = 4 * 2**20
SPARE = 256 * 2**20  # bytes that stay free on the disk (our decision): the session and other programs need some
KEPT_DAYS = 7  # how long a partial file waits to be continued (our decision)
_MOST_FILES = 1_000_000

Reply = dict[str, Any]


class _Refused(Exception):  # noqa: N818  (its text is an answer for the user)
    """What was asked for cannot be done."""


@dataclass
class _Batch:
    """A folder of files that is being received."""

    part: Path
    name: str
    n_files: int
    done: set[str] = field(default_factory=set)


class _Upload:
    """One file that is being received: an open partial file, locked against other kernels."""

    def __init__(self, part: Path, name: str, size: int | None, modified: float | None, batch: _Batch | None):
        self.part, self.name, self.size, self.modified, self.batch = part, name, size, modified, batch
        self._lock = FileLock(part.with_suffix(".lock"))
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise _Refused(f"{name} is being received by another notebook; stop it there first") from error
        try:
            # Unbuffered: what was reported survives the kernel, and after an error no rest waits to be written.
            self._file: FileIO | None = part.open("ab", buffering=0)
            self.offset = part.stat().st_size
            if size is not None and self.offset > size:  # of a file that changed without changing its time
                self._truncate(0)
        except OSError:
            self._lock.release()
            raise

    def _truncate(self, size: int) -> None:
        assert self._file is not None
        self._file.truncate(size)
        self.offset = size

    def write(self, data: memoryview) -> None:
        """Append a chunk, or leave the file unchanged."""
        assert self._file is not None
        try:
            rest = data
            while len(rest):  # an unbuffered file may take a part
                rest = rest[self._file.write(rest) :]
        except OSError:
            with suppress(OSError):
                self._truncate(self.offset)
            raise
        self.offset += len(data)

    def finish(self, folder: Path) -> Path:
        """Write the file to the disk and move it into ``folder``; return its path."""
        assert self._file is not None
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        if self.modified is not None:
            os.utime(self.part, (self.modified, self.modified))
        try:
            return move_into_place(self.part, folder / self.name)
        finally:
            self.release()

    def release(self, delete: bool = False) -> None:
        """Close the partial file, which stays for later unless it is deleted. May be called twice."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if delete:
            self.part.unlink(missing_ok=True)
        if self._lock.is_locked:
            self._lock.release()
            if not self.part.exists():
                with suppress(OSError):
                    os.unlink(self._lock.lock_file)

    @property
    def open(self) -> bool:
        return self._file is not None


_receiving: dict[Path, _Upload] = {}  # in this process: a page that was loaded again takes over from its former self


class Uploads:
    """Receiver of a page's files.

    Args:
        folder: where complete files are put; by default ``uploads`` in :func:`dkd.io.paths.data_folder`.
        on_done: called with the path of each complete file that was sent alone, and of each complete folder.

    Attributes:
        folder: as above.
    """

    def __init__(self, folder: Path | None = None, on_done: Callable[[Path], object] | None = None):
        self.folder = data_folder() / "uploads" if folder is None else Path(folder)
        self._on_done = on_done
        self._uploads: dict[str, _Upload] = {}
        self._batches: dict[str, _Batch] = {}

    def handle(self, content: Any, buffers: Sequence[Any] = ()) -> Reply | None:
        """Handle a message of the page and return the answer; ``None`` if it is not about an upload.

        It raises nothing for what a page may send: the answer then has ``state: "error"`` and a ``text``.
        """
        if not isinstance(content, Mapping) or content.get("type") != "upload":
            return None
        name = content.get("id")
        reply: Reply = {"type": "upload", "id": name if isinstance(name, str) else ""}
        try:
            if not isinstance(name, str):
                raise _Refused("a message about an upload has no id")
            return reply | self._answer(name, content, buffers)
        except _Refused as error:
            return reply | {"state": "error", "text": str(error)}
        except OSError as error:
            text = f"cannot write into {self.folder}: {error.strerror or error}; free some space, or check the folder"
            return reply | {"state": "error", "text": text}

    def close(self) -> None:
        """Stop receiving. Partial files stay and can be continued, except those of unknown size."""
        for name in list(self._uploads):
            upload = self._uploads.pop(name)
            self._forget(upload, delete=upload.size is None)

    # --- messages ----------------------------------------------------------------------------------------------------

    def _answer(self, name: str, content: Mapping[str, Any], buffers: Sequence[Any]) -> Reply:
        match content.get("do"):
            case "begin":
                return self._begin(name, content)
            case "chunk":
                return self._chunk(name, content, buffers)
            case "end":
                upload = self._known(name)
                if upload.size is not None and upload.offset != upload.size:
                    raise _Refused(f"{upload.name} has {upload.offset} of {upload.size} bytes, and cannot end here")
                return self._finish(name, upload)
            case "cancel":
                return self._cancel(name, content.get("batch"))
            case other:
                raise _Refused(f"there is no {other!r} of an upload")

    def _begin(self, name: str, content: Mapping[str, Any]) -> Reply:
        file = safe_name(_text(content, "name"))
        size, modified = _number(content, "size"), _number(content, "modified")
        if size == 0:
            raise _Refused(f"{file} has 0 bytes; choose another file")
        if name in self._uploads:
            self._forget(self._uploads.pop(name))
        self._remove_old()
        batch = self._batch(content) if content.get("batch") is not None else None
        if (there := self._there(file, size, modified, batch)) is not None:
            return self._report(there, size or 0, batch)
        identity = f"{file}\0{size}\0{modified}\0{batch.part.name if batch else ''}"
        key = hashlib.sha256(identity.encode()).hexdigest()[:32] if size is not None else secrets.token_hex(16)
        part = self._partial / f"{key}.part"
        if (before := _receiving.pop(part, None)) is not None:
            before.release()
        self._check_room(file, (size or 0) - (part.stat().st_size if part.exists() else 0))
        upload = _Upload(part, file, size, None if modified is None else modified / 1000, batch)
        self._uploads[name] = _receiving[part] = upload
        if upload.offset == size:  # the kernel ended after the last byte
            return self._finish(name, upload)
        return {"state": "ready", "offset": upload.offset, "size": size, "chunk": CHUNK, "name": file}

    def _chunk(self, name: str, content: Mapping[str, Any], buffers: Sequence[Any]) -> Reply:
        upload = self._known(name)
        data = memoryview(buffers[0]).cast("B") if len(buffers) == 1 else memoryview(b"")
        if not 0 < len(data) <= CHUNK:
            raise _Refused(f"expected a chunk of 1 to {CHUNK} bytes of {upload.name}, got {len(data)}")
        if _number(content, "offset") != upload.offset:
            return {"state": "ready", "offset": upload.offset, "size": upload.size, "chunk": CHUNK, "name": upload.name}
        if upload.size is not None and upload.offset + len(data) > upload.size:
            self._forget(self._uploads.pop(name), delete=True)
            raise _Refused(f"{upload.name} has more than its {upload.size} bytes: it changed; send it again")
        if upload.size is None:
            self._check_room(upload.name, len(data))
        upload.write(data)
        if upload.offset == upload.size:
            return self._finish(name, upload)
        return {"state": "received", "offset": upload.offset, "size": upload.size}

    def _finish(self, name: str, upload: _Upload) -> Reply:
        if not upload.offset:
            raise _Refused(f"{upload.name} has 0 bytes; choose another file")
        del self._uploads[name]
        _receiving.pop(upload.part, None)
        path = upload.finish(upload.batch.part if upload.batch else self.folder)
        return self._report(path, upload.offset, upload.batch)

    def _report(self, path: Path, offset: int, batch: _Batch | None) -> Reply:
        reply: Reply = {"state": "done", "path": str(path), "name": path.name, "offset": offset}
        complete = path
        if batch is not None:
            batch.done.add(path.name)
            if len(batch.done) < batch.n_files:
                return reply
            complete = move_into_place(batch.part, self.folder / batch.name)
            self._batches = {key: one for key, one in self._batches.items() if one is not batch}
            reply |= {"path": str(complete / path.name), "folder": str(complete)}
        if self._on_done is not None:
            self._on_done(complete)
        return reply

    def _cancel(self, name: str, batch: object) -> Reply:
        if isinstance(batch, str) and (found := self._batches.pop(batch, None)) is not None:
            for key in [key for key, upload in self._uploads.items() if upload.batch is found]:
                self._forget(self._uploads.pop(key), delete=True)
            shutil.rmtree(found.part, ignore_errors=True)
        elif (upload := self._uploads.pop(name, None)) is not None:
            self._forget(upload, delete=True)
        return {"state": "cancelled"}

    # --- files -------------------------------------------------------------------------------------------------------

    @property
    def _partial(self) -> Path:
        return self.folder / ".partial"

    def _known(self, name: str) -> _Upload:
        upload = self._uploads.get(name)
        if upload is None or not upload.open:
            self._uploads.pop(name, None)
            raise _Refused("this upload was stopped, or goes on in another page; drop the file again to continue")
        return upload

    def _forget(self, upload: _Upload, delete: bool = False) -> None:
        if _receiving.get(upload.part) is upload:
            del _receiving[upload.part]
        upload.release(delete)

    def _there(self, name: str, size: int | None, modified: int | None, batch: _Batch | None) -> Path | None:
        """Return the file if it was received before: of the same size and time of change, to the millisecond."""
        if size is None or modified is None:
            return None
        for place in numbered((batch.part if batch else self.folder) / name):
            try:
                status = place.stat()
            except OSError:
                return None
            if status.st_size == size and round(status.st_mtime * 1000) == modified:
                return place
        return None

    def _batch(self, content: Mapping[str, Any]) -> _Batch:
        key, name, n_files = (
            _text(content, "batch"),
            safe_name(_text(content, "folder"), "images"),
            content.get("files"),
        )
        if type(n_files) is not int or not 1 <= n_files <= _MOST_FILES:
            raise _Refused(f"expected the number of files in the folder {name}, got {n_files!r}")
        if key not in self._batches:
            part = self._partial / hashlib.sha256(f"{name}\0{n_files}\0{key}".encode()).hexdigest()[:32]
            part.mkdir(parents=True, exist_ok=True)
            self._batches[key] = _Batch(part, name, n_files)
        return self._batches[key]

    def _check_room(self, name: str, needed: int) -> None:
        self._partial.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._partial).free
        if needed + SPARE > free:
            raise _Refused(
                f"{name} needs {_megabytes(needed)}, and {_megabytes(SPARE)} should stay free, but there are only "
                f"{_megabytes(free)} on the disk of {self.folder}; free some space, or open the video by its path"
            )

    def _remove_old(self) -> None:
        """Remove partial files that nobody continued."""
        oldest = time.time() - KEPT_DAYS * 86400
        with suppress(OSError):
            for entry in list(os.scandir(self._partial)):
                if entry.stat().st_mtime < oldest and Path(entry.path) not in _receiving:
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path, ignore_errors=True)
                    elif entry.name.endswith((".part", ".lock")):
                        os.unlink(entry.path)


def _text(content: Mapping[str, Any], key: str) -> str:
    value = content.get(key)
    if not isinstance(value, str):
        raise _Refused(f"expected a text as {key} of the file, got {type(value).__name__}")
    return value


def _number(content: Mapping[str, Any], key: str) -> int | None:
    value = content.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 2**53:
        raise _Refused(f"expected a number of 0 or more as {key} of the file, got {value!r:.40}")
    return int(value)


def _megabytes(n: int) -> str:
    return f"{n / 1e6:.0f} MB" if n < 1e9 else f"{n / 1e9:.1f} GB"
