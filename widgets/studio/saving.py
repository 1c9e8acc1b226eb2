"""Saving of a studio's work: the session after each change, and the joints as a table on request."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dkd.errors import ConfigError, SampleError
from dkd.sessions.content import Bookmark, SavedPerson
from dkd.sessions.session import ENDING, Session, session_path
from dkd.tracking.conditions import Conditions
from dkd.tracking.tables import FORMATS, save_joints
from dkd.video.samples import samples_folder
from widgets.exports.exports import Exports
from widgets.studio.persons import Person
from widgets.studio.worker import Cancelled, Worker


class Saver:
    """Saves sessions in a thread: only the latest state, completely or not at all.

    Args:
        changed: called in the thread when something was saved or could not be.
        path: where to save; by default next to the video.

    Attributes:
        path: the file, ``None`` until there is something to save.
        session: the session that was saved last, or opened.
        saved: what was saved last, for the page: ``path``, ``at`` (seconds since 1970), or ``problem``.
        exports: what the export menu writes.
        joints: the same of the table of joints: ``path`` or ``problem``.
    """

    def __init__(self, changed: Callable[[], object], path: Path | None = None):
        self._given = None if path is None else checked_path(path)
        self._worker = Worker("studio saving", ("session", "joints"), self._failed, changed)
        self.exports = Exports(lambda _state: changed())
        self.path: Path | None = None
        self.session: Session | None = None
        self.saved: dict[str, Any] = {}
        self.joints: dict[str, Any] = {}

    def begin(self, session: Session | None = None) -> None:
        """Begin with another video, or with a session that was opened."""
        self._worker.wait()
        self.session, self.saved, self.joints = session, {}, {}
        self.path = session.path if session is not None else self._given

    def save(
        self,
        clip: Any,
        model: Any,
        frames: range,
        people: Sequence[Person],
        conditions: Conditions,
        traces: Mapping[str, Any],
        calls: Mapping[str, tuple[str, ...]],
        bookmarks: Sequence[Mapping[str, Any]] = (),
        view: Mapping[str, Any] | None = None,
    ) -> None:
        """Save the state, in the thread.

        Args:
            clip, model: the open clip and the model.
            frames: the chosen frames of the clip.
            people: the people.
            conditions: how people without a trace are to be tracked.
            traces: the trace with all corrections of each person who was tracked.
            calls: the calls that lead to it, also those still to be done.
            bookmarks: ``{"frame", "note"}``, counted from the first chosen frame.
            view: what is shown.
        """
        saved = [_saved(person, traces.get(person.name), calls.get(person.name, ()), conditions) for person in people]
        marks = [Bookmark(int(mark["frame"]), str(mark.get("note", ""))) for mark in bookmarks]

        def job(cancelled: Cancelled) -> None:
            if self.session is None:  # with the hashes of video and weights, which may take a moment
                self.session = Session.of(clip, model)
            session = dataclasses.replace(
                self.session, start=frames.start, stop=frames.stop, people=saved, bookmarks=marks, view=dict(view or {})
            )
            if cancelled():
                return
            path = self.path or free_path(Path(session.video.path))
            session.save(path)
            self.session, self.path = session, path
            self.saved = {"path": str(path), "at": time.time()}

        self._worker.do("session", job)

    def save_elsewhere(self, path: Path) -> None:
        """Save the session to another file from now on.

        Raises:
            ConfigError: the name does not end in ``.dkd.json``.
        """
        self.path = checked_path(path)

    def export(self, people: Mapping[str, Any], ending: str, start: int, clip: Any) -> None:
        """Write the joints as a table next to the session, in the thread; no file is replaced.

        With several people, the table has a column ``person``.

        Raises:
            ConfigError: the ending is unknown.
        """
        if ending not in FORMATS:
            raise ConfigError(f"expected one of {', '.join(FORMATS)} as the ending, got {ending!r}")
        traces, start_s = dict(people), float(clip.times[start])
        stem = self.stem(clip)

        def job(_cancelled: Cancelled) -> None:
            path = _free(stem.with_name(f"{stem.name}-joints{ending}"))
            save_joints(traces if len(traces) > 1 else next(iter(traces.values())), path, start, start_s)
            self.joints = {"path": str(path)}

        self._worker.do("joints", job)

    def stem(self, clip: Any) -> Path:
        """Return folder and start of the name of files that are exported: those of the session."""
        folder, stem = _place(self.path or free_path(Path(clip.path)))
        return folder / stem

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until everything is saved, at most ``timeout`` seconds; return whether it is."""
        return self._worker.wait(timeout)

    def close(self) -> None:
        """Save what waits, and take no more."""
        self.exports.close()
        self._worker.wait(60)
        self._worker.close()

    def _failed(self, kind: str, error: Exception) -> None:
        if kind == "session":
            self.saved = {**self.saved, "problem": str(error)}
        else:
            self.joints = {"problem": str(error)}


def checked_path(path: Path) -> Path:
    """Return where to save a session.

    Raises:
        ConfigError: the name does not end in ``.dkd.json``.
    """
    if not path.name.endswith(ENDING):
        raise ConfigError(f"expected the name of a session, which ends in {ENDING}, got {path.name!r}")
    return path


def earlier_session(video: Path) -> Path | None:
    """Return the session that was saved for this video before, if there is one where it would be saved."""
    path = _folder_for(session_path(video))
    return path if path.exists() else None


def free_path(video: Path) -> Path:
    """Return where the session of a video is saved: next to it, under a name that is free.

    A sample lies in the project's own data, so its session is saved in the folder of the kernel.
    """
    path = _folder_for(session_path(video))
    stem = path.name.removesuffix(ENDING)
    return next(p for i in range(1, 10_000) if not (p := path.with_name(f"{stem}{f'-{i}' * (i > 1)}{ENDING}")).exists())


def _folder_for(path: Path) -> Path:
    try:
        is_sample = path.resolve().is_relative_to(samples_folder().resolve())
    except SampleError:
        is_sample = False
    return Path.cwd() / path.name if is_sample else path


def _place(session: Path) -> tuple[Path, str]:
    return session.parent, session.name.removesuffix(ENDING)


def _free(path: Path) -> Path:
    return next(p for i in range(1, 10_000) if not (p := path.with_stem(f"{path.stem}{f'-{i}' * (i > 1)}")).exists())


def _saved(person: Person, trace: Any, calls: tuple[str, ...], conditions: Conditions) -> SavedPerson:
    if trace is not None:
        made = SavedPerson.of(person.name, trace, person.colour)
        return made if made.calls == calls else dataclasses.replace(made, calls=calls, joints=None)
    if person.saved is not None:  # of a session whose opening was stopped: nothing of it is lost
        return dataclasses.replace(person.saved, name=person.name, colour=person.colour.lower())
    return SavedPerson(
        person.name, person.colour.lower(), person.box, person.frame, conditions.reinitialise is not None,
        square=conditions.square, refine=conditions.refine,
    )  # fmt: skip
