"""Writing of files that the page asked for, one at a time, in a thread, with progress and cancel."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dkd.errors import ConfigError, DKDError
from dkd.formats.files import FORMATS, export, format_for
from dkd.formats.several import export_all, free_path, pose_formats
from dkd.formats.track import as_track
from dkd.io.background import start_thread
from widgets.core.view import describe_error
from widgets.page.page import save_page

_log = logging.getLogger(__name__)
ALL = "all"  # all formats of poses, into a folder
PAGE = "page"  # all views in one HTML file
PAGE_MB = (8, 20, 50)  # sizes of a page that are offered
TRAIL = 20  # frames of the past, as in the player
_TITLES = {ALL: "all formats", PAGE: "the page"}
VIEWS = {"player": "this frame", "lanes": "lanes over the clip", "kernels": "kernels of this frame"}


def menu() -> dict[str, Any]:
    """Return what the page offers: formats by group as [name, title], and the views of a picture."""
    poses = [[ALL, "all formats, in a folder"], *([name, FORMATS[name].title] for name in pose_formats())]
    drawn = [[name, one.title.partition(", ")[2]] for name, one in FORMATS.items() if one.draws]
    return {
        "poses": poses,
        "video": [one for one in drawn if "cancel" in FORMATS[one[0]].options],
        "picture": [one for one in drawn if "view" in FORMATS[one[0]].options],
        "views": [list(one) for one in VIEWS.items()],
        "page": [[str(size), f"at most {size} MB"] for size in PAGE_MB],
    }


class Exports:
    """Writes files; while one is being written, no other is begun.

    Args:
        changed: called with the new :attr:`state` at each change, from any thread.

    Attributes:
        state: for the page: ``busy`` (what is written, or empty), ``done`` and ``total`` (frames or files),
            ``written`` (paths), ``notes`` (sentences), ``problem``.
    """

    def __init__(self, changed: Callable[[dict[str, Any]], object]):
        self._changed = changed
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.state: dict[str, Any] = self._idle()

    def start(self, kind: str, poses: Any, stem: Path, options: Mapping[str, Any]) -> None:
        """Begin to write.

        Args:
            kind: name of a format, ``"all"`` or ``"page"``.
            poses: traces by name, a trace or a track.
            stem: folder and start of the name of the file; no file is replaced.
            options: what the page chose, see :func:`options_for`.

        Raises:
            ConfigError: the format is unknown, or a file is being written.
        """
        if kind not in _TITLES:
            format_for("", kind)
        chosen = options_for(kind, poses, options)
        with self._lock:
            if self._thread is not None:
                raise ConfigError(f"expected one export at a time; {self.state['busy']} is being written: cancel it")
            self._stop = threading.Event()
            title = _TITLES.get(kind) or FORMATS[kind].title
            self._say(**{**self._idle(), "busy": title})
            job = (kind, poses, place_of(kind, stem, chosen), chosen, self._stop)
            self._thread = start_thread(self._work, *job, name="export", stop=self._stop.set)

    def cancel(self) -> None:
        """Stop; a file that is not complete is not left."""
        self._stop.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the file is written, at most ``timeout`` seconds; return whether it is."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
        return self._thread is None

    def close(self) -> None:
        """Stop, and tell nobody any more."""
        self._changed = lambda _state: None
        self.cancel()
        self.wait(10)

    def _work(self, kind: str, poses: Any, path: Path, options: dict[str, Any], stop: threading.Event) -> None:
        def progress(done: int, total: int) -> None:
            self._say(done=done, total=total)

        outcome: dict[str, Any]
        try:
            if kind == ALL:
                written = export_all(poses, path, progress=progress, cancel=stop.is_set)
                lost = [one for one in written if not one.complete]
                notes = [f"{FORMATS[one.format].title}: {' '.join(one.notes)}" for one in lost]
                if stop.is_set():
                    notes = [f"Stopped after {len(written) - len(lost)} of {len(written)} files."]
                outcome = {"written": [str(path)], "notes": notes}
            elif kind == PAGE:
                page = save_page(poses, path, progress=progress, cancel=stop.is_set, **options)
                outcome = {"written": [str(page.path)] if page.complete else [], "notes": list(page.notes)}
            else:
                if "cancel" in FORMATS[kind].options:
                    options = {**options, "progress": progress, "cancel": stop.is_set}
                one = export(poses, path, format=kind, **options)
                outcome = {"written": [str(one.path)] if one.complete else [], "notes": list(one.notes)}
        except Exception as error:  # shown on the page: otherwise it would only reach the server's log
            _log.info("the export failed", exc_info=True)
            outcome = {"problem": str(error) if isinstance(error, DKDError) else describe_error(error, "in the export")}
        with self._lock:
            self._thread = None
            self._say(**{**self._idle(), **outcome})

    def _say(self, **changes: Any) -> None:
        self.state = {**self.state, **changes}
        self._changed(self.state)

    @staticmethod
    def _idle() -> dict[str, Any]:
        return {"busy": "", "done": 0, "total": 0, "written": [], "notes": [], "problem": ""}


def options_for(kind: str, poses: Any, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of :func:`dkd.export` for what the page chose.

    Args:
        kind: name of the format, ``"all"`` or ``"page"``.
        poses: what is exported.
        content: ``view`` of a picture; ``frame`` (index in the trace) and ``joint``; whether to draw ``trails`` and the
            ``heatmap``, and less certain joints fainter (``confidence``); ``max_mb``, ``layers``, ``cell``, ``speed``
            and ``bookmarks`` of a page. What does not fit the format is left out.
    """
    if kind == PAGE:
        named = ("frame", "joint", "layers", "cell", "speed", "bookmarks")
        return {"max_mb": float(content.get("max_mb", PAGE_MB[1])), **{n: content[n] for n in named if n in content}}
    if kind == ALL or not FORMATS[kind].draws:
        return {}
    track = as_track(poses)
    heatmap = bool(content.get("heatmap", False)) and _has_maps(poses)
    out: dict[str, Any] = {
        "trail": TRAIL if content.get("trails") else 0,
        "heatmap": heatmap,
        "confidence": bool(content.get("confidence", True)),
    }
    if "view" in FORMATS[kind].options:
        view = str(content.get("view", "player"))
        frame = track.frames[min(int(content.get("frame", 0)), len(track) - 1)]
        out |= {"view": view, "frame": int(frame), "joint": content.get("joint")}
        if view == "player":
            # The player shows the heatmap of the selected joint, but trails of all.
            out["joint"] = content.get("joint") if heatmap else None
    return out


def _has_maps(poses: Any) -> bool:
    many = poses.values() if isinstance(poses, Mapping) else [poses]
    return all(getattr(one, "heatmaps", None) is not None and not getattr(one, "is_track", False) for one in many)


def place_of(kind: str, stem: Path, options: Mapping[str, Any]) -> Path:
    """Return the path of a file, or of a folder for all formats, that replaces nothing."""
    if kind == ALL:
        return free_path(stem.with_name(f"{stem.name}-poses"))
    if kind == PAGE:
        return free_path(stem.with_name(f"{stem.name}.html"), ".html")
    part = "poses"
    if "view" in options:
        words = {
            "player": f"frame-{options['frame']}",
            "lanes": f"lanes-{options['joint']}",
            "kernels": f"kernels-{options['joint']}-frame-{options['frame']}",
        }
        part = words.get(options["view"], options["view"])
    elif FORMATS[kind].draws:
        part = "overlay"
    return free_path(stem.with_name(f"{stem.name}-{part}{FORMATS[kind].endings[0]}"))
