"""A session: which people were tracked in which video by which model, and all that was changed, as one JSON file.

    session = Session.of("walk.mp4", "dkd-mobilenetv2", people=[SavedPerson.of("Anna", trace)])
    session.save("walk.dkd.json")
    traces = Session.load("walk.dkd.json").open()      # the same joints, bit for bit

The file holds no results: opening it runs the model again. It is plain data, checked against limits before it is used;
nothing in it is executed.
"""

from __future__ import annotations

import dataclasses
import json
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dkd.errors import SessionError, checked
from dkd.io.files import atomic_path
from dkd.io.paths import DEFAULT_MODEL
from dkd.models.base import VideoPoseModel
from dkd.models.checkpoints import load_model
from dkd.sessions.content import FORMAT, Bookmark, Content, ModelFile, SavedPerson, VideoFile, is_session, parse, read
from dkd.sessions.hashes import hash_video, hash_weights
from dkd.video.clip import Clip
from dkd.video.folders import is_images

if TYPE_CHECKING:
    from dkd.tracking.trace import Trace

ENDING = ".dkd.json"
_saving = threading.Lock()  # two threads would write the same temporary file


@checked
@dataclass
class Session:
    """What is needed to repeat the tracking of people in a video.

    ``start``, ``stop`` and a person's ``frame`` count in the video; calls, bookmarks and the view count from ``start``,
    as the frames of a trace do.

    Attributes:
        video: the video.
        model: the model.
        start, stop: the frames that are tracked, ``stop`` exclusive.
        people: the people, in order.
        bookmarks: frames with notes.
        view: what was shown, such as ``{"frame": 12, "joint": "left_wrist"}``; JSON values.
        path: where the session was loaded from or saved to; ``None`` if it was not.
        warnings: what differed when it was opened last, in sentences: another video, other weights, other joints.
    """

    video: VideoFile
    model: ModelFile
    start: int
    stop: int
    people: list[SavedPerson] = field(default_factory=list)
    bookmarks: list[Bookmark] = field(default_factory=list)
    view: dict[str, Any] = field(default_factory=dict)
    path: Path | None = field(default=None, compare=False)
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def of(
        cls,
        video: Clip | str | os.PathLike[str],
        model: VideoPoseModel | str | os.PathLike[str] = DEFAULT_MODEL,
        *,
        start: int = 0,
        stop: int | None = None,
        people: Sequence[SavedPerson] = (),
        bookmarks: Sequence[Bookmark] = (),
        view: dict[str, Any] | None = None,
    ) -> Session:
        """Describe a video and a model, with their hashes.

        Args:
            video: an open clip of a file, or a path.
            model: name of a shipped model, or path of a checkpoint. A model object is described by its name.
            start, stop, people, bookmarks, view: see the attributes; ``stop`` is by default the end of the video.

        Raises:
            SessionError: the clip is not of a file, or a value does not fit.
            VideoError: the video cannot be opened.
            ConfigError, CheckpointError: the model cannot be loaded.
        """
        if isinstance(video, Clip):
            file = _describe(video)
        else:
            with Clip(video) as clip:
                file = _describe(clip)
        loaded = (
            model if isinstance(model, VideoPoseModel) else load_model(model if isinstance(model, str) else Path(model))
        )
        name = loaded.name if isinstance(model, VideoPoseModel) else os.fspath(model)
        if name.endswith(".safetensors"):
            name = os.path.abspath(name)
        made = cls(
            file, ModelFile(name, hash_weights(loaded)), start, file.n_frames if stop is None else stop, list(people),
            list(bookmarks), dict(view or {}),
        )  # fmt: skip
        made.check()
        return made

    # --- files -------------------------------------------------------------------------------------------------------

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Session:
        """Read a session; nothing is opened or run yet.

        Raises:
            SessionError: there is no such file, or it is not a session, damaged, too large, of a newer version, or has
                an unknown key or a value that does not fit; the message says which.
        """
        place = Path(path)
        content = parse(read(place), place.name)
        folder = Path(os.path.abspath(place)).parent
        video = dataclasses.replace(content.video, path=_absolute(content.video.path, folder))
        name = content.model.name
        model = dataclasses.replace(
            content.model, name=_absolute(name, folder) if name.endswith(".safetensors") else name
        )
        values = {f.name: getattr(content, f.name) for f in dataclasses.fields(content)}
        del values["format"], values["written_by"]
        return cls(**values | {"video": video, "model": model}, path=place)

    def save(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write the session, completely or not at all, and return where.

        Paths of the video and of a checkpoint are written relative to the session's folder, so that all of them can be
        moved together.

        Args:
            path: the file; by default where it was loaded from or saved to, else :func:`session_path` of the video.

        Raises:
            SessionError: a value does not fit, or another file, which is not a session, has this name.
            StorageError: it cannot be written.
        """
        place = Path(path) if path is not None else self.path or session_path(self.video.path)
        if place.exists() and not is_session(place):
            raise SessionError(f"{place} exists and is not a session; choose another name, such as clip{ENDING}")
        text = self.to_json(Path(os.path.abspath(place)).parent)
        with _saving, atomic_path(place) as temporary:
            temporary.write_text(text, encoding="utf-8")
        self.path = place
        return place

    def to_json(self, folder: Path | None = None) -> str:
        """Return the text of the file, with paths relative to ``folder``.

        Raises:
            SessionError: a value does not fit.
        """
        from dkd import __version__

        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(Content) if hasattr(self, f.name)}
        values |= {"format": FORMAT, "written_by": f"dkd {__version__}"}
        try:
            raw = dataclasses.asdict(Content(**values))
            if folder is not None:
                raw["video"]["path"] = _relative(self.video.path, folder)
                if self.model.name.endswith(".safetensors"):
                    raw["model"]["name"] = _relative(self.model.name, folder)
            text = json.dumps(raw, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
            text.encode()
        except (TypeError, ValueError, RecursionError) as error:  # not a JSON value
            raise SessionError(
                f"the session cannot be written: {error}; use texts, finite numbers and lists"
            ) from error
        parse(text, "the session")  # what is written can be read again
        return text

    def check(self) -> None:
        """Raise :class:`~dkd.errors.SessionError` if a value does not fit."""
        self.to_json()

    # --- opening -----------------------------------------------------------------------------------------------------

    def open(
        self,
        model: VideoPoseModel | str | os.PathLike[str] | None = None,
        video: Clip | str | os.PathLike[str] | None = None,
        *,
        cancel: Callable[[], bool] | None = None,
        on_frame: Callable[[str, int, int], object] | None = None,
    ) -> dict[str, Trace]:
        """Track the people again and apply their changes: the same joints, bit for bit.

        "Bit for bit" holds on the same machine with the same number of threads; each person is tracked again in the
        engine that was used before. :attr:`warnings` says what differs: the video or the weights changed since the
        session was saved, an engine cannot be used here, or the joints of a person are not the same.

        Args:
            model: the model to use instead of the stored one, as for a trace.
            video: the video if it was moved, or the open clip of it, which then stays open.
            cancel: called before each frame; if it returns true, opening stops there.
            on_frame: called before each frame of a person's first run with the name, the number of frames that are
                done, and their total. Changes then run the frames after them again.

        Returns:
            The traces by name. A person whose run was cancelled is left out.

        Raises:
            VideoMovedError: there is no video where the session says; its ``looked`` has the places.
            SessionError: the video has fewer frames than the session needs.
            ConfigError: a call does not fit its trace.
            VideoError, CheckpointError: the video or the model cannot be used.
        """
        from dkd.sessions.opening import open_session

        traces, self.warnings = open_session(self, model, video, cancel, on_frame)
        return traces


def session_path(video: str | os.PathLike[str]) -> Path:
    """Return where the session of a video is saved: ``walk.dkd.json`` next to ``walk.mp4``.

    Of a folder of images it is next to the folder, of numbered images in their folder. If a session of another video
    has that name (of ``walk.mov``), it is ``walk.mp4.dkd.json``.
    """
    place = Path(os.path.abspath(video))
    stem = place.stem
    if place.is_dir():
        stem = place.name
    elif is_images(place):
        stem = place.name.split("%")[0].strip("_-. ") or place.parent.name
    wanted = place.with_name(f"{stem}{ENDING}")
    try:
        taken = wanted.exists() and Session.load(wanted).video.path != str(place)
    except SessionError:
        taken = True
    return place.with_name(f"{place.name.replace('%', '')}{ENDING}") if taken else wanted


def _describe(clip: Clip) -> VideoFile:
    if clip.path is None:
        raise SessionError(f"expected the clip of a file, but {clip.name} is in memory; write it to a video file first")
    path = os.path.abspath(clip.path)
    return VideoFile(path, hash_video(Path(path)), len(clip), clip.track, clip.given_fps)


def _relative(path: str, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive of Windows
        return Path(path).as_posix()


def _absolute(path: str, folder: Path) -> str:
    return os.path.abspath(folder / path)
