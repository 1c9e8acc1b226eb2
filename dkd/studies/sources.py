"""Videos in object stores: ``s3://bucket/clip.mp4`` and whatever else fsspec opens. They are fetched, one at a time.

Passwords and addresses of servers are no part of a study: each library finds them where it always does, for instance
s3fs in ``AWS_ENDPOINT_URL``, ``AWS_PROFILE`` and ``~/.aws``.
"""

from __future__ import annotations

import datetime
import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dkd.errors import DKDError, MissingExtraError, VideoError, VideoNotFoundError
from dkd.io.leftovers import temporary_folder
from dkd.video.endings import VIDEO_ENDINGS

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

State = dict[str, int | None]


def is_url(video: str) -> bool:
    """Return whether a video of a table is in an object store: its path begins with a protocol, as in ``s3://``."""
    return _URL.match(video) is not None


class Videos:
    """The videos of a worker on its disk. One from an object store is there until the next one is fetched.

    Use it in a ``with`` statement. What a killed process left is removed by the next worker on the same machine.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._url, self._path, self._state = "", Path(), State()

    def __enter__(self) -> Videos:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def get(self, video: str, notify: Callable[[], object] = lambda: None) -> tuple[Path, State]:
        """Return the path of a video on this machine, and for one from an object store its size and time there.

        Args:
            video: a path, or the address of a video in an object store.
            notify: called after each part that was fetched.

        Raises:
            MissingExtraError: fsspec, or its package for this protocol, is not installed.
            VideoError: it cannot be fetched.
        """
        if not is_url(video):
            return Path(video), {}
        if video != self._url:
            self.forget()
            folder = self._stack.enter_context(temporary_folder("video"))
            path = folder / (Path(urlsplit(video).path).name or "video")
            self._state = fetch(video, path, notify)
            self._url, self._path = video, path
        return self._path, dict(self._state)

    def forget(self) -> None:
        """Remove the video that was fetched last."""
        self._stack.close()
        self._url = ""


def fetch(url: str, path: Path, notify: Callable[[], object] = lambda: None) -> State:
    """Copy a video from an object store into a file; return its size and time of change there.

    Raises:
        MissingExtraError: fsspec, or its package for this protocol, is not installed.
        VideoError: it cannot be fetched.
    """
    with opened(url) as (system, place):
        from fsspec.callbacks import Callback

        class Parts(Callback):
            """Tells after each part that the work goes on."""

            def relative_update(self, inc: int = 1) -> None:
                notify()

        state = _state(system.info(place))
        system.get_file(place, str(path), callback=Parts())
    size, expected = path.stat().st_size, state["video_bytes"]
    if expected is not None and size != expected:
        raise VideoError(f"expected {expected} bytes of {url}, got {size}; was it replaced meanwhile? Try again")
    return state


class Listing:
    """Sizes and times of videos in object stores, read a folder at a time: one request for up to 1,000 videos."""

    def __init__(self) -> None:
        self._folders: dict[str, Mapping[str, State] | None] = {}

    def state(self, url: str) -> State | None:
        """Return size and time of change of a video; ``None`` if it is not there, or the store does not answer."""
        folder = url.rpartition("/")[0]
        try:
            if folder not in self._folders:
                self._folders[folder] = self._read(folder)
            found = self._folders[folder]
            if found is not None:
                return found.get(url.rpartition("/")[2])
            with opened(url) as (system, place):
                return _state(system.info(place))
        except VideoError:
            return None

    @staticmethod
    def _read(folder: str) -> Mapping[str, State] | None:
        """Return the states of the files in a folder by name; ``None`` if the protocol has no folders (HTTP)."""
        if folder.lower().startswith(("http:", "https:")):
            return None
        try:
            with opened(folder) as (system, place):
                system.invalidate_cache()
                entries = system.ls(place, detail=True)
        except VideoNotFoundError:
            return {}
        return {entry["name"].rpartition("/")[2]: _state(entry) for entry in entries}


def list_videos(url: str) -> list[str]:
    """Return the addresses of the video files below a folder of an object store, sorted.

    Raises:
        MissingExtraError: fsspec, or its package for this protocol, is not installed.
        VideoError: the store cannot be read.
    """
    with opened(url) as (system, place):
        system.invalidate_cache()
        found = system.find(place)
        root = system.unstrip_protocol(place).rstrip("/")
        urls = sorted(system.unstrip_protocol(path) for path in found)
    # Addresses as the user writes them: fsspec's own may have another alias of the protocol.
    names = [one.removeprefix(root) for one in urls]
    return [
        f"{url.rstrip('/')}{name}"
        for name in names
        if Path(name).suffix.lower() in VIDEO_ENDINGS and not any(part.startswith(".") for part in name.split("/"))
    ]


def check_network(url: str) -> None:
    """Raise MissingExtraError unless fsspec is installed."""
    if importlib.util.find_spec("fsspec") is None:
        raise MissingExtraError(f"{url} needs fsspec; install it with: pip install 'dkd-workbench[cluster]'")


@contextmanager
def opened(
    url: str,
    problem: type[DKDError] = VideoError,
    missing: type[DKDError] = VideoNotFoundError,
    what: str = "video",
    **options: Any,
) -> Iterator[tuple[Any, str]]:
    """Yield the file system of an address, and its path there; what goes wrong with them gets a type of ours.

    Args:
        url: the address.
        problem, missing: types of errors.
        what: what is there, for the message.
        options: of the file system.

    Raises:
        MissingExtraError: fsspec, or its package for this protocol, is not installed.
        problem, missing: something cannot be read, or is not there.
    """
    check_network(url)
    import fsspec.core

    try:
        yield fsspec.core.url_to_fs(url, **options)
    except DKDError:
        raise
    except ImportError as error:
        raise MissingExtraError(f"{url} needs another package: {error}") from error
    except FileNotFoundError as error:
        raise missing(f"there is no {what} at {url}; check the address") from error
    except Exception as error:  # each store has errors of its own
        raise problem(
            f"{url} cannot be read ({type(error).__name__}: {error}); check the address, the network and the "
            "credentials"
        ) from error


def _state(facts: Mapping[str, Any]) -> State:
    changed = facts.get("LastModified") or facts.get("mtime") or facts.get("created") or facts.get("last_modified")
    if isinstance(changed, datetime.datetime):
        changed = changed.timestamp()
    size = facts.get("size")
    return {
        "video_bytes": None if size is None else int(size),
        # To the second: a listing may be more precise than what is said of a single file.
        "video_mtime_ns": int(changed) * 10**9 if isinstance(changed, int | float) else None,
    }
