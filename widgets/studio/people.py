"""The people of a clip and the history of their tracks: what an editor shows, without the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dkd.errors import ConfigError, nearest_name
from dkd.tracking.trace import Trace
from widgets.studio.edits import Edit, rebuilt, superseded
from widgets.studio.version import Version

# Okabe and Ito's colours without the blue and the orange of left and right limbs.
COLOURS = ("#009e73", "#cc79a7", "#f0e442", "#56b4e9", "#e69f00", "#999999")

KEPT = 12  # steps of the history whose frames stay in memory: 300 frames of the shipped model need 16 MB each

State = dict[str, Version]


class People:
    """People by name, each with a colour and the versions of its track.

    Args:
        traces: the track of each person, traced to its end or stopped.
        colours: a CSS colour by name; by default the next free one of ``COLOURS``.

    Raises:
        ConfigError: there are none, their joints or clips differ, or a colour is of nobody.
    """

    def __init__(self, traces: Mapping[str, Trace], colours: Mapping[str, str] | None = None):
        if not traces:
            raise ConfigError("expected the trace of at least one person, got none")
        self.colours: dict[str, str] = {}
        self._states: list[State] = [{}]
        self._at = 0
        self._given: list[Trace] = []
        for name, trace in traces.items():
            self.add(name, trace, (colours or {}).get(name))
        for name in colours or {}:
            self.check(name)

    # --- who is there -------------------------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """Names of the people, in the order in which they were added."""
        return list(self._states[self._at])

    @property
    def versions(self) -> State:
        """The current version of each person."""
        return dict(self._states[self._at])

    @property
    def traces(self) -> dict[str, Trace]:
        """The current trace of each person."""
        return {name: version.trace for name, version in self._states[self._at].items()}

    @property
    def calls(self) -> dict[str, tuple[str, ...]]:
        """The calls of each person's trace, also of those that wait for frames."""
        return {name: tuple(one.text for one in version.edits) for name, version in self._states[self._at].items()}

    def check(self, name: str) -> str:
        """Return ``name``.

        Raises:
            ConfigError: there is no such person.
        """
        if name not in self._states[self._at]:
            known = ", ".join(self.names)
            raise ConfigError(f"there is no person {name!r}{nearest_name(name, self.names)} There are: {known}.")
        return name

    def add(self, name: str, trace: Trace, colour: str | None = None) -> None:
        """Add a person, in all steps of the history.

        Raises:
            ConfigError: the name is taken or empty, the trace has no frames, or is of another clip or other joints.
        """
        if not name or name in self._states[self._at]:
            raise ConfigError(f"expected a new name for a person, got {name!r}; there are: {', '.join(self.names)}")
        if not len(trace):
            raise ConfigError(f"expected a trace of at least one frame for {name}; trace.run() traces it")
        for other, known in self.traces.items():
            if (known.clip.name, known.skeleton) != (trace.clip.name, trace.skeleton):
                raise ConfigError(
                    f"expected traces of one clip with the same joints, got {trace.clip.name} with "
                    f"{trace.skeleton.name} for {name}, and {known.clip.name} with {known.skeleton.name} for {other}"
                )
        self._given.append(trace)
        version = Version(trace)
        for state in self._states:
            state[name] = version
        used = set(self.colours.values())
        free = [one for one in COLOURS if one not in used] or list(COLOURS)
        self.colours[name] = colour or free[0]

    def remove(self, name: str) -> None:
        """Remove a person, in all steps of the history.

        Raises:
            ConfigError: there is no such person, or it is the only one.
        """
        self.check(name)
        if len(self.names) == 1:
            raise ConfigError(f"expected at least one person to stay, got the only one, {name}, to remove")
        for state in self._states:
            state.pop(name, None)
        del self.colours[name]

    def rename(self, old: str, new: str) -> None:
        """Give a person another name.

        Raises:
            ConfigError: there is no person of the old name, or the new one is taken or empty.
        """
        self.check(old)
        if old == new:
            return
        if not new or new in self.names:
            raise ConfigError(f"expected a new name for {old}, got {new!r}")
        for k, state in enumerate(self._states):
            self._states[k] = {new if name == old else name: version for name, version in state.items()}
        self.colours = {new if name == old else name: colour for name, colour in self.colours.items()}

    # --- history ------------------------------------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """Whether there is anything to undo."""
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is anything to redo."""
        return self._at + 1 < len(self._states)

    def edit(self, name: str, *new: Edit, left_out: set[int] | None = None) -> None:
        """Apply edits to a person's track, as one step of the history.

        Args:
            name: the person.
            new: the edits; earlier corrections of the same joints in the same frames are replaced.
            left_out: indices of the person's edits to take back; by default those that are replaced.

        Raises:
            ConfigError: there is no such person.
            DKDError: an edit cannot be applied. Nothing is changed then.
        """
        current = self._states[self._at][self.check(name)]
        if left_out is None:
            left_out = set().union(*(superseded(current.edits, one) for one in new))
        n_applied = len(current.trace.calls)
        waiting = [one for k, one in enumerate(current.waiting, n_applied) if k not in left_out]
        start, edits = rebuilt(current.trace, {k for k in left_out if k < n_applied}, [*waiting, *new])
        version = Version(start, edits, current, self.traces)
        self._states[self._at + 1 :] = [{**self._states[self._at], name: version}]
        self._at += 1
        self._release_old()

    def _release_old(self) -> None:
        """Free the frames of old steps, which are traced again if somebody goes back to them."""
        recent = [version for state in self._states[-KEPT:] for version in state.values()]
        kept = {id(one) for version in recent for one in (version.trace, version.behind)} | set(map(id, self._given))
        for version in (one for state in self._states[:-KEPT] for one in state.values()):
            trace: Trace | None = version.trace
            while trace is not None and trace.base is not None and id(trace) not in kept:
                if len(trace):
                    trace.release()
                trace = trace.base

    def go(self, by: int) -> str | None:
        """Go back or on in the history; return who was changed, or ``None`` if there is no such step."""
        if not 0 <= self._at + by < len(self._states):
            return None
        before, after = self._states[self._at], self._states[self._at + by]
        self._at += by
        return next((name for name in after if after[name] is not before.get(name)), None)

    def unfinished(self, first: str) -> Version | None:
        """Return a current version that is to be traced: that of ``first`` before others; ``None`` if all are done."""
        state = self._states[self._at]
        order = sorted(state, key=lambda name: name != first)
        return next((one for one in map(state.__getitem__, order) if not one.done and not one.failed), None)


def named_traces(traces: Any) -> dict[str, Trace]:
    """Return traces by name; a single trace is that of ``"person"``."""
    return dict(traces) if isinstance(traces, Mapping) else {"person": traces}
