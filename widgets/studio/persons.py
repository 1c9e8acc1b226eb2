"""The people of a studio: each with a name, a colour, a box in one frame, and a trace once it was tracked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dkd.errors import ConfigError, nearest_name

# Bright, as they are drawn over pictures; apart from the blue and orange of a person's left and right.
COLOURS = ("#2ec4b6", "#c77dff", "#ffd23f", "#ff6b9d", "#a3d93b", "#ffffff")
SMALLEST = 8.0  # pixels: a box that is smaller was probably a click

State = Literal["new", "waiting", "tracking", "done", "stopped", "failed"]
Box = tuple[float, float, float, float]


@dataclass
class Person:
    """One person to track.

    Attributes:
        key: number that stays the same when the name changes.
        name: name in tables, unique.
        colour: ``"#rrggbb"``.
        box: (x0, y0, x1, y1) in pixels of the frame; ``None``: the model searches the whole frame.
        frame: number of the frame with the box, in the clip.
        state: ``"new"``: not tracked with this box; ``"waiting"``, ``"tracking"``; ``"done"``; ``"stopped"``: tracked
            in a part of the frames; ``"failed"``.
        done, of: frames that were tracked, and that are wanted.
        text: what is known about the track in a sentence, or why it failed.
        verdict: see :class:`dkd.analysis.trust.Trust`.
        trace: the trace that was tracked or opened; the editor corrects it.
        saved: the person in the session that was opened, until the box or the range changes.
    """

    key: int
    name: str
    colour: str
    box: Box | None
    frame: int
    state: State = "new"
    done: int = 0
    of: int = 0
    text: str = ""
    verdict: str = ""
    trace: Any = None
    saved: Any = None

    def forget(self) -> None:
        """Forget the track."""
        self.state, self.done, self.of, self.text, self.verdict, self.trace = "new", 0, 0, "", "", None

    def to_page(self) -> dict[str, Any]:
        """Return everything except the trace, as JSON."""
        names = ("key", "name", "colour", "box", "frame", "state", "done", "of", "text", "verdict")
        return {name: getattr(self, name) for name in names}


def checked_box(box: Sequence[float], width: int, height: int) -> Box:
    """Return a box with its corners in order, cut to the frame.

    Raises:
        ConfigError: it is not four finite numbers, or less than ``SMALLEST`` of it lies in the frame.
    """
    try:
        x0, y0, x1, y1 = (float(value) for value in box)
    except (TypeError, ValueError):
        raise ConfigError(f"expected a box (x0, y0, x1, y1) in pixels, got {box!r}") from None
    if not all(abs(value) < 1e9 for value in (x0, y0, x1, y1)):
        raise ConfigError(f"expected a box of finite numbers, got {box!r}")
    left, right = _span(x0, x1, width)
    top, bottom = _span(y0, y1, height)
    if right - left < min(SMALLEST, width) or bottom - top < min(SMALLEST, height):
        inside = f"{max(0.0, right - left):.0f}×{max(0.0, bottom - top):.0f}"
        raise ConfigError(
            f"expected a box of at least {SMALLEST:.0f}×{SMALLEST:.0f} pixels in the frame of {width}×{height}, got "
            f"one of {inside}; draw it around the whole person"
        )
    return left, top, right, bottom


def _span(a: float, b: float, size: int) -> tuple[float, float]:
    return max(0.0, min(a, b)), min(float(size), max(a, b))


def checked_colour(colour: str) -> str:
    """Return a colour in lower case.

    Raises:
        ConfigError: it is not ``"#rrggbb"``.
    """
    if not isinstance(colour, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise ConfigError(f"expected a colour such as '#2ec4b6', got {colour!r}")
    return colour.lower()


def new_name(people: Sequence[Person]) -> str:
    """Return ``"person_1"`` or the first such name that is free."""
    taken = {person.name for person in people}
    return next(name for i in range(1, len(people) + 2) if (name := f"person_{i}") not in taken)


def new_colour(people: Sequence[Person]) -> str:
    """Return the colour that the fewest people have."""
    used = [person.colour for person in people]
    return min(COLOURS, key=lambda colour: (used.count(colour), COLOURS.index(colour)))


def checked_name(name: str, person: Person, people: Sequence[Person]) -> str:
    """Return a name for a person: letters, digits and ``_``, as it is a variable in copied Python.

    Raises:
        ConfigError: the name is empty, or somebody else has it.
    """
    made = "".join(c if c.isalnum() else "_" for c in name.strip()).strip("_")
    made = f"person_{made}" if made[:1].isdigit() else made
    if not made.isidentifier():
        raise ConfigError(f"expected a name with a letter, got {name!r}")
    if any(other.name == made for other in people if other is not person):
        raise ConfigError(f"there is a person called {made!r} already; choose another name")
    return made


def find_person(people: Sequence[Person], name: str | int) -> Person:
    """Return the person with this name or key.

    Raises:
        ConfigError: there is none; the nearest name is given.
    """
    for person in people:
        if name in (person.name, person.key):
            return person
    names = [person.name for person in people]
    raise ConfigError(f"there is no person {name!r}{nearest_name(str(name), names)} There are: {', '.join(names)}.")
