"""Content of a session file, and its reading: size and depth are limited, every key and value is checked."""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from dkd.errors import ConfigError, SessionError, nearest_name
from dkd.sessions.hashes import hash_joints
from dkd.tracking.replay import check_call
from dkd.tracking.squares import Square
from dkd.video.ranges import place_in_video

if TYPE_CHECKING:
    from dkd.tracking.trace import Trace

FORMAT = "dkd-session/1"
MOST_BYTES = 32 * 2**20  # a correction takes about 60 bytes: half a million of them
MOST_DEPTH = 16
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Frame = Annotated[int, Field(ge=0, lt=10**9)]
_Path = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00]+$")]
_Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Text = Annotated[str, Field(max_length=20_000)]


@dataclass(frozen=True)
class VideoFile:
    """The video of a session.

    Attributes:
        path: path of the file, the folder of images, or the pattern of numbered images. In the file, it is relative to
            the session's folder, with ``/``.
        sha256: its hash, see :func:`dkd.sessions.hashes.hash_video`.
        n_frames: its number of frames.
        track: number of the video track.
        fps: frames per second that were given for images; ``None``: for a video, or if none were given.
    """

    path: _Path
    sha256: _Hash
    n_frames: Annotated[int, Field(ge=1, lt=10**9)]
    track: Annotated[int, Field(ge=0, lt=1000)] = 0
    fps: Annotated[float, Field(gt=0)] | None = None

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class ModelFile:
    """The model of a session.

    Attributes:
        name: name of a shipped model, or path of a checkpoint (``.safetensors``), in the file relative to its folder.
        sha256: hash of the weights, see :func:`dkd.sessions.hashes.hash_weights`.
    """

    name: _Path
    sha256: _Hash

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class SavedPerson:
    """A person of a session.

    Attributes:
        name: unique within the session.
        colour: ``"#rrggbb"``; ``None``: chosen when it is shown.
        box: box (x0, y0, x1, y1) in pixels of frame ``frame``; ``None``: the initializer searches there.
        frame: frame of the video with the box; the person is tracked forwards and backwards from it.
        reinitialise: whether a lost track is re-initialised, with the default settings.
        calls: the changes, as :attr:`dkd.Trace.calls`.
        joints: hash of the joints (:func:`dkd.sessions.hashes.hash_joints`), to notice other results, if known.
        engine: what ran the network, such as ``"torch"``: engines differ in the last bits. ``None``: not known.
        square: what the network's crop follows, see :class:`dkd.tracking.conditions.Conditions`; files of earlier
            versions do not name it.
        refine: whether the initializer refines the joints, see there; files of earlier versions do not name it.
    """

    name: _Name
    colour: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")] | None = None
    box: tuple[float, float, float, float] | None = None
    frame: _Frame = 0
    reinitialise: bool = False
    calls: tuple[_Text, ...] = ()
    joints: _Hash | None = None
    engine: _Name | None = None
    square: Square = "joints"
    refine: bool = False

    __pydantic_config__ = _STRICT

    @classmethod
    def of(cls, name: str, trace: Trace, colour: str | None = None) -> Self:
        """Describe the person of a trace of a clip or of a :class:`~dkd.ClipRange`.

        Raises:
            SessionError: the trace has conditions that a session cannot repeat: a feedback, a corruption, a smoother,
                other peaks, other settings of re-initialisation, or interventions that are not among its calls.
        """
        from dkd.tracking.reinitialise import Reinitialise

        conditions = trace.conditions
        stated = {"feedback": conditions.feedback, "corrupt": conditions.corrupt, "smooth": conditions.smooth}
        extra = [key for key, value in stated.items() if value is not None]
        if conditions.peaks != "highest":
            extra.append("choice of peaks")
        if conditions.reinitialise not in (None, Reinitialise()):
            extra.append("settings of reinitialise")
        first = trace
        while first.base is not None:
            first = first.base
        if first.conditions.interventions:
            extra.append("interventions given when the trace was made")
        if extra:
            raise SessionError(f"a session cannot repeat the {', '.join(extra)} of {name}; trace the person without")
        return cls(
            name,
            colour.lower() if colour else None,
            None if trace.box is None else _box(trace.box),
            place_in_video(trace.clip)[0] + trace.origin,
            conditions.reinitialise is not None,
            tuple(trace.calls),
            hash_joints(trace.joints) if trace.complete else None,
            trace.engine,
            conditions.square,
            conditions.refine,
        )


def _box(box: Iterable[float]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(value) for value in box)
    return x0, y0, x1, y1


@dataclass(frozen=True)
class Bookmark:
    """A frame to come back to, counted from ``start``, with a note."""

    frame: _Frame
    note: _Text = ""

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Content:
    """The whole file."""

    format: str
    video: VideoFile
    model: ModelFile
    start: _Frame
    stop: _Frame
    people: list[SavedPerson] = field(default_factory=list)
    bookmarks: list[Bookmark] = field(default_factory=list)
    view: dict[str, Any] = field(default_factory=dict)
    written_by: Annotated[str, Field(max_length=100)] = ""

    __pydantic_config__ = _STRICT


def read(path: Path) -> str:
    """Read the text of a session file.

    Raises:
        SessionError: there is no such file, it is not a regular file, too large, or not UTF-8.
    """
    try:
        regular = stat.S_ISREG(path.stat().st_mode)  # opening a pipe without a writer would wait indefinitely
        data = b""
        if regular:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # a null character in the name
        reason = getattr(error, "strerror", None) or error
        raise SessionError(f"expected a session at {str(path)!r}, got: {reason}; check the path") from error
    if not regular:
        raise SessionError(f"expected a session, but {path} is not a regular file; give a file such as walk.dkd.json")
    if len(data) > MOST_BYTES:
        raise SessionError(f"{path.name} has more than {MOST_BYTES // 2**20} MiB, which no session has")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SessionError(f"{path.name} is damaged: byte {error.start} is not UTF-8; use a copy of it") from error


def is_session(path: Path) -> bool:
    """Return whether a file is a session, or one of another version; it need not be whole."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return b'"dkd-session/' in file.read(4096)
    except OSError:
        return False


def parse(text: str, name: str) -> Content:
    """Check the text of a session and return its content.

    Args:
        text: the file's text.
        name: name of the file, for messages.

    Raises:
        SessionError: it is not a session, or a key or value is wrong; the message names it.
    """
    values = _parse_json(text, name)
    if not isinstance(values, dict) or not str(values.get("format", "")).startswith("dkd-session/"):
        raise SessionError(
            f'{name} is not a session: expected "format": {FORMAT!r} in it; give one that the studio, or Session.save, '
            "has written"
        )
    if values["format"] != FORMAT:
        raise SessionError(
            f"{name} has the format {str(values['format'])[:40]!r}, this version reads {FORMAT!r}: it was written by "
            "a newer version; install that one"
        )
    try:
        # From the text, where a JSON array may become a tuple although types are checked strictly.
        content = TypeAdapter(Content).validate_json(text, strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise SessionError(f"{name}: {_explain(found[0])}{more}") from error
    _check(content, name)
    return content


def _parse_json(text: str, name: str) -> Any:
    try:
        values = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise SessionError(f"{name} is not a session, or is damaged: {error}") from error
    level = [values]
    for _ in range(MOST_DEPTH):
        level = [inner for value in level for inner in _inside(value)]
    if level:
        raise SessionError(f"{name} is nested more than {MOST_DEPTH} levels deep, which no session is")
    return values


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen = set[str]()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:60]!r} occurs twice")
    return values


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number of JSON")


def _explain(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])[:200]
    if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        known = [one.name for kind in (Content, VideoFile, ModelFile, SavedPerson, Bookmark) for one in fields(kind)]
        return f"unknown key {where!r}{nearest_name(str(error['loc'][-1])[:60], known)}"
    if error["type"] in ("missing", "missing_argument"):
        return f"the key {where!r} is missing"
    return f"{where!r}: {error['msg'][0].lower()}{error['msg'][1:]}, got {repr(error['input'])[:60]}"


def _check(content: Content, name: str) -> None:
    """Check what concerns several values."""
    length = content.stop - content.start
    if not content.start < content.stop <= content.video.n_frames:
        raise SessionError(
            f"{name}: expected 0 <= start < stop <= {content.video.n_frames} frames, got start={content.start} and "
            f"stop={content.stop}"
        )
    for person in content.people:
        if not content.start <= person.frame < content.stop:
            raise SessionError(
                f"{name}: the frame of {person.name} is {person.frame}, expected one from {content.start} to "
                f"{content.stop - 1}"
            )
        if person.box is not None:
            x0, y0, x1, y1 = person.box
            if not (x0 < x1 and y0 < y1):
                raise SessionError(f"{name}: expected a box x0 < x1, y0 < y1 of {person.name}, got {person.box}")
        for call in person.calls:
            try:
                check_call(call)
            except ConfigError as error:
                raise SessionError(f"{name}: a call of {person.name} cannot be read: {error}") from error
    if twice := _twice(person.name for person in content.people):
        raise SessionError(f"{name}: two people are called {twice!r}; names are unique")
    for mark in content.bookmarks:
        if mark.frame >= length:
            raise SessionError(f"{name}: expected bookmarks in frames 0 to {length - 1}, got {mark.frame}")
    _check_json(content.view, f"{name}: view")


def _twice(names: Iterable[str]) -> str | None:
    seen = set[str]()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _check_json(value: Any, where: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):  # 1e999
        raise SessionError(f"{where}: expected finite numbers, got {value}")
    for inner in _inside(value):
        _check_json(inner, where)
