"""What a studio works on: a clip, a range of its frames, and the people in it. It knows nothing of pages."""

from __future__ import annotations

import operator
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, SupportsIndex

from dkd.errors import ConfigError, FrameIndexError
from dkd.io.paths import DEFAULT_MODEL
from dkd.sessions.session import Session
from dkd.tracking.conditions import Conditions
from dkd.tracking.opening import as_model
from dkd.tracking.proposals import find_people
from dkd.tracking.reinitialise import Reinitialise
from dkd.video.clip import Clip
from dkd.video.protocols import mean_rate
from widgets.studio.persons import Person, checked_box, checked_colour, checked_name, find_person, new_colour, new_name
from widgets.studio.tracking import EVERY_S, finish, track
from widgets.studio.worker import Cancelled, Worker

# A video with more frames is not tracked as a whole unless somebody wants that: at 30 frames per second these are two
# minutes, which take about as long to track on two cores.
LONG = 3600
FIRST_S = 60.0  # of a long video, this is chosen at first


class Project:
    """A clip, a range and people, changed by the page and by Python, with work in a thread.

    Args:
        model: a model, the name of a shipped one, or the path of a checkpoint; loaded when it is first needed.
        changed: called after each change, also in the thread.
        traced: called in the thread with a person, the trace under way, and the frame of it that was just tracked.

    Attributes:
        lock: held while anything is changed.
        clip, path: the clip and where it was opened; ``None`` without one.
        generation: counts the clips that were opened.
        start, stop: the range, in frames of the clip; ``stop`` is exclusive.
        people: the people, in the order in which they were added.
        proposals: people that were found in the frame ``proposed_in``: ``{"box", "confidence"}``, best first.
        conditions: how people are tracked from now on: a lost track is re-initialised or not, joints refined or not.
        warnings: what differs from when the opened session was saved, in sentences.
        problems: what failed, by the part of the page that says so.
    """

    def __init__(
        self,
        model: Any,
        changed: Callable[[], object],
        traced: Callable[[Person, Any, int], object],
    ):
        self._model, self._changed, self._traced = model, changed, traced
        self.lock = threading.RLock()
        self.worker = Worker("studio", ("open", "find", "track"), self._failed, changed)
        self.clip: Any = None
        self.path: Path | None = None
        self.generation = 0
        self.start = self.stop = 0
        self.range_note = ""
        self.people: list[Person] = []
        self.same: list[str] = []  # where two tracks are on one person, in sentences
        self._keys = 0
        self.proposals: list[dict[str, Any]] = []
        self.proposed_in: int | None = None
        self._finding: object = None  # the latest search
        self.conditions = Conditions(reinitialise=Reinitialise())
        self.warnings: tuple[str, ...] = ()
        self.problems: dict[str, str] = {}

    # --- the clip -----------------------------------------------------------------------------------------------------

    def open(self, path: str | os.PathLike[str], opened: Callable[[], object] = lambda: None) -> None:
        """Open a video, a folder of images or a pattern of image names; what was open is closed.

        Args:
            path: the video.
            opened: called when the video could be opened, before what was open is closed.

        Raises:
            VideoError: it cannot be used.
        """
        place = os.path.expanduser(os.fspath(path))
        clip = Clip(place)
        opened()
        with self.lock:
            self.leave()
            self.clip, self.path = clip, Path(place)
            self.generation += 1
            self.start, self.stop, self.range_note = 0, *first_range(clip)
        self._changed()

    def open_session(self, session: Session, video: Path, opened: Callable[[], object] = lambda: None) -> None:
        """Open the video of a session, and track its people again with all their changes, in the thread.

        Args:
            session: the session.
            video: where its video is.
            opened: as for :meth:`open`.

        Raises:
            VideoError: the video cannot be used.
        """
        clip = Clip(video, fps=session.video.fps, track=session.video.track or None)
        opened()
        with self.lock:
            self.leave()
            self.clip, self.path = clip, video
            self.generation += 1
            self.start, self.stop = session.start, min(session.stop, len(clip))
            if self._model == DEFAULT_MODEL:
                self._model = session.model.name
            refined = any(one.refine for one in session.people)
            self.conditions = replace(self.conditions, refine=refined)
            for one in session.people:
                self._keys += 1
                colour = one.colour or new_colour(self.people)
                person = Person(self._keys, one.name, colour, one.box, one.frame, "waiting", saved=one)
                self.people.append(person)
            people = {person.name: person for person in self.people}
        told = 0.0

        def on_frame(name: str, done: int, of: int) -> None:
            nonlocal told
            person = people[name]
            person.state, person.done, person.of = "tracking", done, of
            if time.monotonic() - told > EVERY_S:
                told = time.monotonic()
                self._changed()

        def job(cancelled: Cancelled) -> None:
            traces = session.open(self.model(), clip, cancel=cancelled, on_frame=on_frame)
            self.warnings = session.warnings
            for name, person in people.items():
                if name in traces:
                    finish(person, traces[name], session.start)
                else:
                    person.forget()

        self.worker.do("track", job)
        self._changed()

    def leave(self) -> None:
        """Close the clip, and forget the people."""
        with self.lock:
            self.worker.cancel("find", "track")
            for person in self.people:
                self._drop_trace(person)
            clip, self.clip, self.path = self.clip, None, None
            self.generation += 1
            self.people, self.proposals, self.proposed_in = [], [], None
            self.start = self.stop = 0
            self.range_note, self.problems, self.warnings, self.same = "", {}, (), []
        if clip is not None:
            clip.close()
        self._changed()

    def need_clip(self) -> Any:
        """Return the clip.

        Raises:
            ConfigError: none is open.
        """
        if self.clip is None:
            raise ConfigError("expected an open video, got none; open one first: studio.open_video('clip.mp4')")
        return self.clip

    def model(self) -> Any:
        """Return the model, loaded now if it was not."""
        self._model = as_model(self._model)
        return self._model

    # --- range and people ---------------------------------------------------------------------------------------------

    def set_range(self, start: int, stop: int) -> None:
        """Choose the frames ``start`` to ``stop`` − 1; people that were tracked in others are to be tracked again.

        Raises:
            FrameIndexError: unless 0 ≤ start < stop ≤ length of the clip.
        """
        with self.lock:
            n = len(self.need_clip())
            if not 0 <= start < stop <= n:
                raise FrameIndexError(f"expected 0 ≤ start < stop ≤ {n} frames of the clip, got {start} and {stop}")
            if (start, stop) != (self.start, self.stop):
                self.start, self.stop, self.range_note = int(start), int(stop), ""
                for person in self.people:
                    self._drop_trace(person)
        self._changed()

    def add_person(
        self, box: Sequence[float] | None, frame: int, name: str | None = None, colour: str | None = None
    ) -> Person:
        """Add a person by a box in a frame of the clip.

        Raises:
            ConfigError: the box cannot be used (see :func:`~widgets.studio.persons.checked_box`), the name is taken, or
                the colour is not ``"#rrggbb"``.
            FrameIndexError: the frame is not in the clip.
        """
        with self.lock:
            clip = self.need_clip()
            frame = self._checked_frame(frame)
            made = None if box is None else checked_box(box, clip.width, clip.height)
            colour = checked_colour(colour) if colour else new_colour(self.people)
            self._keys += 1
            person = Person(self._keys, new_name(self.people), colour, made, frame)
            if name:
                person.name = checked_name(name, person, self.people)
            self.people.append(person)
        self._changed()
        return person

    def change_person(self, who: str | int, **changes: Any) -> None:
        """Change ``name``, ``colour``, ``box`` or ``frame`` of a person; another box or frame forgets the track.

        Raises:
            ConfigError: there is no such person; or as for :meth:`add_person`.
            FrameIndexError: the frame is not in the clip.
        """
        with self.lock:
            clip, person = self.need_clip(), find_person(self.people, who)
            if "name" in changes:
                person.name = checked_name(changes["name"], person, self.people)
            if "colour" in changes:
                person.colour = checked_colour(changes["colour"])
            box = checked_box(changes["box"], clip.width, clip.height) if changes.get("box") else person.box
            frame = self._checked_frame(changes.get("frame", person.frame))
            if (box, frame) != (person.box, person.frame):
                self._drop_trace(person)
                person.box, person.frame = box, frame
        self._changed()

    def remove_person(self, name: str | int) -> None:
        """Remove a person, and free the trace.

        Raises:
            ConfigError: there is no such person.
        """
        with self.lock:
            person = find_person(self.people, name)
            self._drop_trace(person)
            self.people.remove(person)
        self._changed()

    def _checked_frame(self, frame: int) -> int:
        if not isinstance(frame, SupportsIndex) or not 0 <= operator.index(frame) < len(self.clip):
            raise FrameIndexError(f"expected a frame from 0 to {len(self.clip) - 1}, got {frame!r}")
        return operator.index(frame)

    def _drop_trace(self, person: Person) -> None:
        if person.state in ("waiting", "tracking"):
            self.worker.cancel("track")
        person.forget()
        person.saved = None

    def content(self) -> tuple[Any, ...]:
        """Return the generation, and what a session has of people and range, to be compared."""
        people = [(p.key, p.name, p.colour, p.box, p.frame, id(p.trace)) for p in self.people]
        return self.generation, self.start, self.stop, people

    # --- work in the thread -------------------------------------------------------------------------------------------

    def find(self, frame: int) -> None:
        """Look for people in a frame, in the thread; they become ``proposals``.

        Raises:
            ConfigError, FrameIndexError: no clip is open, or there is no such frame.
        """
        with self.lock:
            clip, generation = self.need_clip(), self.generation
            frame = self._checked_frame(frame)
            self.proposals, self.proposed_in = [], frame
            self._finding = token = object()
            self.problems.pop("find", None)

        def job(cancelled: Cancelled) -> None:
            found = find_people(self.model(), clip, frame, cancel=cancelled)
            with self.lock:
                if token is not self._finding or generation != self.generation:
                    return
                if cancelled():
                    self.proposed_in = None
                    return
                self.proposals = [
                    {"box": [float(v) for v in one.box], "confidence": float(one.confidence)} for one in found
                ]

        self.worker.do("find", job)
        self._changed()

    def track(self) -> None:
        """Track everybody who has no track yet, in the thread.

        Raises:
            ConfigError: there is nobody, or a box is in a frame outside the range.
        """
        with self.lock:
            clip, frames = self.need_clip(), range(self.start, self.stop)
            people = [person for person in self.people if person.state in ("new", "stopped", "failed")]
            if not self.people:
                raise ConfigError("expected a person to track, got nobody; draw a box around one, or choose a proposal")
            for person in people:
                if person.frame not in frames:
                    raise ConfigError(
                        f"the box of {person.name} is in frame {person.frame}, outside the chosen frames "
                        f"{self.start} to {self.stop - 1}; move the range, or draw the box in one of its frames"
                    )
            if not people:
                return
            for person in people:
                person.forget()
                person.state, person.of = "waiting", len(frames)
            conditions = self.conditions
            self.problems.pop("track", None)
            self.worker.cancel("find")  # who is tracked is chosen, and need not wait for it
            self.proposed_in = self.proposed_in if self.proposals else None

        def changed(person: Person, trace: Any, frame: int) -> None:
            self._changed()
            if trace is not None:
                self._traced(person, trace, frame)

        def job(cancelled: Cancelled) -> None:
            track(people, self.model(), clip, frames, conditions, cancelled, changed)

        self.worker.do("track", job)
        self._changed()

    def stop_tracking(self) -> None:
        """Stop; the person under way keeps the frames that were tracked."""
        self.worker.cancel("track")

    def close(self) -> None:
        """Stop all work, and close the clip."""
        self.worker.close()
        with suppress(Exception):
            self.leave()

    def _failed(self, kind: str, error: Exception) -> None:
        with self.lock:
            self.problems[kind] = str(error)
            for person in self.people:
                if kind == "track" and person.state in ("waiting", "tracking"):
                    person.forget()
        self._changed()


def first_range(clip: Any) -> tuple[int, str]:
    """Return the end of the range that is chosen at first, and why it is not the whole clip."""
    n = len(clip)
    if n <= LONG:
        return n, ""
    stop = max(1, min(n, round(FIRST_S * mean_rate(clip))))
    return stop, (
        f"This is a long video of {n:,} frames. Its first minute is chosen, frames 0 to {stop - 1}; drag the two "
        "handles to choose another part, or all of it."
    )
