"""The correction methods of an editor: those of a trace, on the track of the selected person."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from dkd.errors import ConfigError
from dkd.pose.crops import four_numbers
from dkd.tracking.changes import LEFT_OUT, plain
from dkd.tracking.interventions import frames_of
from dkd.tracking.trace import Trace
from widgets.studio.edits import Edit
from widgets.studio.people import People


class Correcting:
    """Corrects the track of the selected person of ``_tracked``; a subclass shows what follows."""

    _tracked: People
    _selected: str
    _state: threading.RLock

    @property
    @abstractmethod
    def trace(self) -> Trace:
        """The current trace of the selected person."""

    @abstractmethod
    def _changed(self) -> None:
        """Show a new state, and notify of it."""

    def correct_joint(self, frame: int, joint: str | int, x: float, y: float) -> None:
        """Place a joint; see :meth:`dkd.Trace.correct_joint`. It replaces an earlier correction of the same joint."""
        self._edit("correct_joint", int(frame), self._joint_name(joint), float(x), float(y))

    def hide_joint(self, frames: int | range | None, joint: str | int) -> None:
        """Mark a joint as hidden; see :meth:`dkd.Trace.hide_joint`."""
        self._edit("hide_joint", self._plain(frames), self._joint_name(joint))

    def show_joint(self, frame: int, joint: str | int) -> None:
        """Take back that a joint is hidden in a frame; nothing if it is not."""
        name = self._joint_name(joint)
        with self._state:
            old = [(k, e) for k, e in enumerate(self._edits_now()) if e.name == "hide_joint" and e.joint == name]
            found = [(k, e.frames) for k, e in old if e.frames is None or frame in e.frames]
            whole = range(len(self.trace))
            rest = [part for _, within in found for part in _without(within or whole, frame)]
            if found:
                new = [Edit.of("hide_joint", plain(part), name) for part in rest]
                self._tracked.edit(self._selected, *new, left_out={k for k, _ in found})
        if found:
            self._changed()

    def toggle_joint(self, frame: int, joint: str | int) -> None:
        """Mark a joint as hidden in a frame, or as visible again if it is hidden there."""
        name, is_hidden = self._joint_name(joint), False
        for one in self._edits_now():
            if one.joint == name and one.name != "swap_sides" and (one.frames is None or frame in one.frames):
                is_hidden = one.name == "hide_joint"  # the last one counts
        (self.show_joint if is_hidden else self.hide_joint)(int(frame), name)

    def swap_sides(self, frames: int | range | None, joints: str | tuple[str, ...] | None = None) -> None:
        """Swap left and right of the body, or of some joints or limbs; see :meth:`dkd.Trace.swap_sides`."""
        self._edit("swap_sides", self._plain(frames), LEFT_OUT if joints is None else joints)

    def set_box(self, frame: int, box: tuple[float, float, float, float], *, restart: bool = False) -> None:
        """Draw the person's box in a frame; see :meth:`dkd.Trace.set_box`."""
        self._edit("set_box", int(frame), four_numbers(box), **({"restart": True} if restart else {}))

    def interpolate(self, joint: str | int, first: int, last: int) -> None:
        """Move a joint straight from its place in one frame to that in another; see :meth:`dkd.Trace.interpolate`."""
        self._edit("interpolate", self._joint_name(joint), int(first), int(last))

    @property
    def corrections(self) -> list[dict[str, Any]]:
        """Corrections of the selected person, by frame: ``index`` for :meth:`remove_correction`, ``first`` and ``last``
        frame, ``joint``, ``action``, and ``text``, the call."""
        listed = [e.describe(k) for k, e in enumerate(self._edits_now()) if e.is_correction]
        return sorted(listed, key=lambda one: (-1 if one["first"] is None else one["first"], one["index"]))

    def remove_correction(self, index: int) -> None:
        """Take back one correction of the selected person, and keep the others.

        Raises:
            ConfigError: there is no such correction.
        """
        with self._state:
            known = [one["index"] for one in self.corrections]
            if index not in known:
                raise ConfigError(f"expected the index of a correction, one of {known}, got {index!r}")
            self._tracked.edit(self._selected, left_out={index})
        self._changed()

    # --- implementation -----------------------------------------------------------------------------------------------

    def _edits_now(self) -> list[Edit]:
        return self._tracked.versions[self._selected].edits

    def _plain(self, frames: int | range | None) -> int | range:
        return plain(frames_of(frames, len(self.trace) if self.trace.complete else self.trace.n_wanted))

    def _joint_name(self, joint: str | int) -> str:
        skeleton = self.trace.skeleton
        return str(skeleton.joints[skeleton.index(joint)])

    def _edit(self, name: str, *arguments: Any, **named: Any) -> None:
        with self._state:
            self._tracked.edit(self._selected, Edit.of(name, *arguments, **named))
        self._changed()


def _without(frames: range, frame: int) -> list[range]:
    """Return the parts of a range before and after a frame."""
    parts = (range(frames.start, frame), range(frame + 1, frames.stop))
    return [part for part in parts if part]


# How the page's arguments of each correction are read.
READ: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "correct_joint": lambda a: {"frame": int(a["frame"]), "joint": a["joint"], "x": float(a["x"]), "y": float(a["y"])},
    "hide_joint": lambda a: {"frames": int(a["frame"]), "joint": a["joint"]},
    "toggle_joint": lambda a: {"frame": int(a["frame"]), "joint": a["joint"]},
    "swap_sides": lambda a: {"frames": range(int(a["first"]), int(a["last"]) + 1), "joints": a.get("joints")},
    "set_box": lambda a: {
        "frame": int(a["frame"]),
        "box": tuple(float(v) for v in a["box"]),
        "restart": bool(a["restart"]),
    },
    "interpolate": lambda a: {"joint": a["joint"], "first": int(a["first"]), "last": int(a["last"])},
}
